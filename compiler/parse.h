/* Text -> AST: what the grammar in ../grammar needs from the compiler, and the
 * one call that the compiler needs from it. The scanner gives tokens; parse.c
 * stands between scanner and parser, where newlines in kernels, missing `end`s
 * and the way back after a mistake are handled; the parser only builds. */
#ifndef WARPC_PARSE_H
#define WARPC_PARSE_H

#include "ast.h"

struct diag;
struct source;

/* NULL only when the text is no schema at all (a NUL byte, no UTF-8): then and
 * after every other mistake there is a message. */
struct ast_file *parse_file(struct arena *arena, struct atom_table *atoms,
                            struct diag *diag, struct source *source);

bool parse_is_utf8(const char *text, size_t len);

/* One token of the text with what stood before it, for fmt. */
struct parse_token {
    int kind; /* of the grammar; 0 = end of the text */
    struct source_range at;
    bool comment; /* a comment, from # to the end of its line */
};
/* False if the text is no schema at all. */
bool parse_tokens(struct arena *arena, struct atom_table *atoms,
                  struct diag *diag, struct source *source,
                  struct parse_token **tokens, uint32_t *count);

#endif
