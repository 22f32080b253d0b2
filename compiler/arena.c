/* Blocks of memory that are filled from the front and freed together. The only
 * place of warpc that asks malloc for memory that lives as long as the run. */
#include "arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of pointers, doubles and 64-bit numbers: nothing here has a wider one. */
#define ARENA_ALIGN ((size_t)8)
#define BLOCK_BYTES ((size_t)256 * 1024)

struct block {
    struct block *before;
    size_t used, size;
    _Alignas(ARENA_ALIGN) unsigned char bytes[];
};

struct arena {
    struct block *block;
    size_t total;
};

static void (*no_memory)(size_t bytes);

void arena_on_no_memory(void (*handler)(size_t bytes))
{
    no_memory = handler;
}

static void *get_memory(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (memory == NULL) {
        if (no_memory != NULL)
            no_memory(bytes);
        abort();
    }
    return memory;
}

static struct block *make_block(size_t size, struct block *before)
{
    struct block *block = get_memory(sizeof *block + size);
    block->before = before;
    block->size = size;
    return block;
}

struct arena *arena_create(void)
{
    struct arena *arena = get_memory(sizeof *arena);
    arena->block = make_block(BLOCK_BYTES, NULL);
    return arena;
}

void arena_destroy(struct arena **arena)
{
    if (*arena == NULL)
        return;
    for (struct block *block = (*arena)->block; block != NULL;) {
        struct block *before = block->before;
        free(block);
        block = before;
    }
    free(*arena);
    *arena = NULL;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    size_t room = (bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    struct block *block = arena->block;
    if (block->size - block->used < room) {
        if (room > BLOCK_BYTES / 4) {
            /* A large piece gets a block of its own behind the current one,
             * whose rest stays in use. */
            struct block *own = make_block(room, block->before);
            block->before = own;
            own->used = room;
            arena->total += room;
            return own->bytes;
        }
        block = arena->block = make_block(BLOCK_BYTES, block);
    }
    void *memory = block->bytes + block->used;
    block->used += room;
    arena->total += room;
    return memory;
}

void *arena_grow(struct arena *arena, void *old, size_t old_bytes,
                 size_t new_bytes)
{
    void *memory = arena_alloc(arena, new_bytes);
    if (old_bytes != 0)
        memcpy(memory, old, old_bytes);
    return memory;
}

char *arena_copy(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    if (len != 0)
        memcpy(copy, text, len);
    return copy;
}

char *arena_vformat(struct arena *arena, const char *format, va_list args)
{
    char small[256];
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, format, args);
    char *text;
    if (len < 0)
        len = 0;
    if ((size_t)len < sizeof small) {
        text = arena_copy(arena, small, (size_t)len);
    } else {
        text = arena_alloc(arena, (size_t)len + 1);
        vsnprintf(text, (size_t)len + 1, format, again);
    }
    va_end(again);
    return text;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vformat(arena, format, args);
    va_end(args);
    return text;
}

size_t arena_bytes(const struct arena *arena)
{
    return arena->total;
}
