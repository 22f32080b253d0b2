/* arena.c: memory for what a get returns, as a list of growing blocks.
 *
 * A block doubles the one before it (4 KiB to 64 MiB, more for one large
 * value), and a reset keeps the largest, so that a loop of gets and resets
 * settles on one block and calls malloc no more. */
#include "arena.h"

#include "os.h"

#include <stdlib.h>

#define BLOCK_BYTES_MIN ((size_t)4 << 10)
#define BLOCK_BYTES_MAX ((size_t)64 << 20)

struct warp_arena_block {
    struct warp_arena_block *next; /* the one before it in time */
    size_t bytes;                  /* after this header */
};
_Static_assert(sizeof(struct warp_arena_block) % 16 == 0,
               "the bytes after the header are aligned to 16");

static void use(struct warp_arena *arena, struct warp_arena_block *block)
{
    arena->at = (char *)(block + 1);
    arena->end = arena->at + block->bytes;
}

void *arena_grow(struct warp_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return NULL;
    size_t need = (bytes + (bytes == 0) + 15) & ~(size_t)15;
    size_t grown = arena->head ? 2 * (arena->head->bytes + sizeof *arena->head)
                               : BLOCK_BYTES_MIN;
    if (grown > BLOCK_BYTES_MAX)
        grown = BLOCK_BYTES_MAX;
    grown -= sizeof(struct warp_arena_block);
    if (grown < need)
        grown = need;
    struct warp_arena_block *block = malloc(sizeof *block + grown);
    if (!block && grown > need) {
        grown = need;
        block = malloc(sizeof *block + grown);
    }
    if (!block)
        return NULL;
    block->bytes = grown;
    block->next = arena->head;
    arena->head = block;
    arena->used_bytes += sizeof *block + grown;
    use(arena, block);
    void *at = arena->at;
    arena->at += need;
    return at;
}

void arena_ready(struct warp_arena *arena, size_t bytes)
{
    char *at = arena->head ? NULL : arena_grow(arena, bytes);
    if (!at)
        return;
    os_populate(at, bytes);
    arena->at = at;
}

void *warp_arena_alloc(struct warp_arena *arena, size_t bytes)
{
    return arena_alloc(arena, bytes);
}

void warp_arena_reset(struct warp_arena *arena)
{
    struct warp_arena_block *largest = arena->head;
    if (!largest)
        return;
    for (struct warp_arena_block *b = largest->next; b; b = b->next)
        if (b->bytes > largest->bytes)
            largest = b;
    for (struct warp_arena_block *b = arena->head, *next; b; b = next) {
        next = b->next;
        if (b != largest)
            free(b);
    }
    largest->next = NULL;
    arena->head = largest;
    arena->used_bytes = sizeof *largest + largest->bytes;
    use(arena, largest);
}

void warp_arena_free(struct warp_arena *arena)
{
    for (struct warp_arena_block *b = arena->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *arena = (struct warp_arena)WARP_ARENA_INIT;
}
