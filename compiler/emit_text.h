/* A text that grows: what an emitter writes to. In memory, so that a file is
 * compared with the one on disk before it is touched, and written at once. */
#ifndef WARPC_EMIT_TEXT_H
#define WARPC_EMIT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct text {
    struct arena *arena;
    char *at; /* no NUL at its end; see text_cstr() */
    size_t size, room;
};

void text_init(struct text *text, struct arena *arena, size_t room);
/* Keeps the memory for the next text. */
void text_clear(struct text *text);
void text_bytes(struct text *text, const char *bytes, size_t size);
void text_put(struct text *text, const char *string);
/* A part of printf, without its cost: %s %c %d %u %x %%, with l and ll.
 * No width, no flags. */
void text_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* With a NUL at its end; valid until the next write. */
const char *text_cstr(struct text *text);

/* A C string literal with its quotes. */
void text_literal(struct text *text, const char *bytes, size_t size);
/* Words, wrapped at 80 columns, as a comment behind `indent` spaces; nothing
 * for NULL. The words cannot end the comment. */
void text_doc(struct text *text, unsigned indent, const char *doc);
/* A name or type inside a comment. */
void text_comment_safe(struct text *text, const char *words);
/* A double so that a C compiler reads the very same one. */
void text_double(struct text *text, double value, bool single);

#endif
