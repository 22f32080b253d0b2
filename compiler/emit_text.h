/* A text that grows: what an emitter writes to. */
#ifndef WARPC_EMIT_TEXT_H
#define WARPC_EMIT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct arena;

struct text {
    struct arena *arena;
    char *at; /* no NUL at its end; see text_cstr() */
    size_t size, room;
    /* Takes the bytes at a flush; NULL: they stay. */
    void (*sink)(void *arg, const char *bytes, size_t size);
    void *sink_arg;
};

#define TEXT_FLUSH_BYTES 65536

void text_init(struct text *text, struct arena *arena, size_t room);
void text_make_room(struct text *text, size_t size);

static inline void text_bytes(struct text *text, const char *bytes, size_t size)
{
    if (size > text->room - text->size)
        text_make_room(text, size);
    memcpy(text->at + text->size, bytes, size);
    text->size += size;
}

static inline void text_put(struct text *text, const char *string)
{
    text_bytes(text, string, strlen(string));
}

/* A literal, whose length the compiler knows. */
#define TEXT(text, literal) text_bytes((text), literal, sizeof(literal) - 1)

static inline void text_put3(struct text *text, const char *a, const char *b,
                             const char *c)
{
    text_put(text, a);
    text_put(text, b);
    text_put(text, c);
}

/* Called between parts that do not look back: gives the sink what has
 * gathered, if that is much. */
static inline void text_flush(struct text *text)
{
    if (text->sink && text->size >= TEXT_FLUSH_BYTES) {
        text->sink(text->sink_arg, text->at, text->size);
        text->size = 0;
    }
}

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
