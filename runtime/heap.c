/* heap.c: size classes over runs of pages over 1 MiB chunks.
 *
 * A chunk lies at a multiple of its size; its first page tells about the rest,
 * so that a free finds its run by the address alone. A run is a multiple of
 * 16 KiB with blocks of one class: freed ones are threaded through their first
 * 8 bytes, fresh ones are given out in order. Above 32 KiB a block has pages of
 * its own (heap_pages.c). */
#include "heap_private.h"

#include "lines.h"
#include "os.h"

/* Assertions stay on in release: a wrong free is our own fault. */
#include <assert.h>

void heap_init(struct heap *heap, struct budget *budget)
{
    memset(heap, 0, sizeof *heap);
    heap->budget = budget;
    heap->region_bytes = CHUNK_BYTES;
    size_t block = 16;
    for (unsigned i = 0; i < HEAP_CLASS_COUNT; i++) {
        /* the fewest groups that lose at most 1/16 behind the last block */
        size_t run = GROUP_BYTES;
        while (run < block || (run % block) * 16 > run)
            run += GROUP_BYTES;
        heap->classes[i].block_bytes = (uint32_t)block;
        heap->classes[i].run_bytes = (uint32_t)run;
        block = heap_block_bytes(block + 1);
    }
}

void heap_use(struct heap *heap, struct heap_kind kind)
{
    heap->kind = kind;
    if (kind.huge)
        heap->region_bytes = HUGE_BYTES;
}

void heap_kind_set(void *at, size_t bytes, struct heap_kind kind)
{
    if (kind.huge)
        os_huge(at, bytes);
    if (kind.on_node)
        os_node_prefer(at, bytes, kind.node);
}

static struct heap_chunk *chunk_of(const void *block)
{
    return (struct heap_chunk *)((uintptr_t)block & ~(CHUNK_BYTES - 1));
}

static struct heap_run *run_of(const void *block)
{
    struct heap_chunk *chunk = chunk_of(block);
    size_t group = ((uintptr_t)block & (CHUNK_BYTES - 1)) / GROUP_BYTES;
    return &chunk->runs[chunk->head[group]];
}

/* A reader may look at the same bytes, having read the row's address before it
 * was freed. */
static void *load_link(const void *block)
{
    return (void *)__atomic_load_n((const uintptr_t *)block, __ATOMIC_RELAXED);
}

static void store_link(void *block, void *next)
{
    __atomic_store_n((uintptr_t *)block, (uintptr_t)next, __ATOMIC_RELAXED);
}

static void list_run(struct heap_class *class, struct heap_run *run)
{
    run->listed = true;
    run->prev = NULL;
    run->next = class->partial;
    if (run->next)
        run->next->prev = run;
    class->partial = run;
}

static void unlist_run(struct heap_class *class, struct heap_run *run)
{
    run->listed = false;
    if (run->next)
        run->next->prev = run->prev;
    if (run->prev)
        run->prev->next = run->next;
    else
        class->partial = run->next;
}

static struct heap_run *make_run(struct heap *heap, unsigned number)
{
    struct heap_class *class = &heap->classes[number];
    char *at = heap_pages_take(heap, class->run_bytes / PAGE_BYTES,
                               GROUP_BYTES / PAGE_BYTES);
    if (!at)
        return NULL;
    struct heap_chunk *chunk = chunk_of(at);
    size_t first = (size_t)(at - (char *)chunk) / GROUP_BYTES;
    for (size_t i = 0; i < class->run_bytes / GROUP_BYTES; i++)
        chunk->head[first + i] = (uint8_t)first;
    struct heap_run *run = &chunk->runs[first];
    run->base = run->fresh = at;
    run->end = at + class->run_bytes / class->block_bytes * class->block_bytes;
    run->free = NULL;
    run->live = 0;
    run->class = (uint8_t)number;
    list_run(class, run);
    return run;
}

static void retire_run(struct heap *heap, struct heap_run *run)
{
    struct heap_class *class = &heap->classes[run->class];
    unlist_run(class, run);
    heap_pages_give(heap, run->base, class->run_bytes / PAGE_BYTES);
}

void *heap_alloc(struct heap *heap, size_t bytes)
{
    if (bytes > HEAP_SMALL_BYTES_MAX)
        return heap_large_alloc(heap, bytes);
    unsigned number = heap_class_of(bytes);
    struct heap_class *class = &heap->classes[number];
    struct heap_run *run = class->partial;
    if (!run) {
        run = make_run(heap, number);
        if (!run)
            return NULL;
    }
    void *block = run->free;
    if (block) {
        run->free = load_link(block);
    } else {
        block = run->fresh;
        run->fresh += class->block_bytes;
        /* A page that is read before it is written faults twice, and the second
         * time stops the other processors. */
        store_link(block, NULL);
        PREFETCH_LINES(run->fresh, 1); /* the next one's */
    }
    run->live++;
    if (!run->free && run->fresh == run->end)
        unlist_run(class, run);
    return block;
}

void heap_free(struct heap *heap, void *block, size_t bytes)
{
    if (!block)
        return;
    if (bytes > HEAP_SMALL_BYTES_MAX) {
        heap_large_free(heap, block, bytes);
        return;
    }
    unsigned number = heap_class_of(bytes);
    struct heap_class *class = &heap->classes[number];
    struct heap_run *run = run_of(block);
    assert(run->class == number && run->live > 0);
    store_link(block, run->free);
    run->free = block;
    run->live--;
    if (!run->listed)
        list_run(class, run);
    if (run->live == 0 && (run->next || run->prev))
        retire_run(heap, run); /* a class keeps its last run */
}

void heap_trim(struct heap *heap)
{
    for (unsigned i = 0; i < HEAP_CLASS_COUNT; i++) {
        struct heap_run *run = heap->classes[i].partial;
        while (run && run->live)
            run = run->next;
        if (run) /* there is at most one without a live block */
            retire_run(heap, run);
    }
    heap_pages_release(heap);
}
