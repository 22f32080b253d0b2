/* arena.h: the arena of warp.h, with an inline fast path for the runtime. */
#ifndef WARP_ARENA_H
#define WARP_ARENA_H

#include <warp/warp.h>

/* A fresh block that has room, then the bytes from it. */
void *arena_grow(struct warp_arena *arena, size_t bytes);

/* A new arena has so many bytes, touched all at once. A hint. */
void arena_ready(struct warp_arena *arena, size_t bytes);

/* 16-byte aligned, not zeroed, never NULL for 0 bytes; NULL: out of memory. */
static inline void *arena_alloc(struct warp_arena *arena, size_t bytes)
{
    size_t left = (size_t)(arena->end - arena->at);
    /* `left` is a multiple of 16, so bytes <= left leaves room to round. */
    if (bytes > left || left == 0)
        return arena_grow(arena, bytes);
    void *at = arena->at;
    arena->at += (bytes + (bytes == 0) + 15) & ~(size_t)15;
    return at;
}

/* What was given last needed less. */
static inline void arena_shrink(struct warp_arena *arena, void *last,
                                size_t bytes)
{
    arena->at = (char *)last + ((bytes + (bytes == 0) + 15) & ~(size_t)15);
}

#endif
