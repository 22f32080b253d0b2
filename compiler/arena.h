/* One arena per run: everything that a compilation makes lives in it and goes
 * with it. Memory is never returned piece by piece, and nothing here fails: a
 * process that gets no memory ends in the handler that main.c has set. */
#ifndef WARPC_ARENA_H
#define WARPC_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* The handler must not return. */
void arena_on_no_memory(void (*handler)(size_t bytes));
struct arena *arena_create(void);
void arena_destroy(struct arena **arena);

/* Zeroed, aligned for pointers and 64-bit numbers. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* The old block is copied; growing by doubling keeps the waste bounded. */
void *arena_grow(struct arena *arena, void *old, size_t old_bytes,
                 size_t new_bytes);
char *arena_copy(struct arena *arena, const char *text, size_t len);
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vformat(struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
size_t arena_bytes(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count)                                        \
    ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))

#endif
