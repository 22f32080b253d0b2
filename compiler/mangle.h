/* The one place where names of the schema become names in C. */
#ifndef WARPC_MANGLE_H
#define WARPC_MANGLE_H

#include <stdbool.h>

struct arena;

/* "HighPerformanceUser" -> "high_performance_user", "HTTPServer2X" ->
 * "http_server2_x": a break before an upper-case letter that follows a
 * lower-case one or a digit, or that precedes a lower-case one. */
const char *mangle_snake(struct arena *arena, const char *name);
/* "game_entity" -> "GAME_ENTITY". */
const char *mangle_upper(struct arena *arena, const char *snake);
/* A keyword of C11 or C++17, or a name that <stdbool.h> defines. */
bool mangle_is_keyword(const char *name);
/* What is wrong with the name in C, as the end of a sentence, or NULL: a
 * keyword, or a macro or type of the headers that generated code includes. */
const char *mangle_why_not(const char *name);
bool mangle_is_identifier(const char *name);

#endif
