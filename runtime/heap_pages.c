/* heap_pages.c: the pages of a heap, and blocks of whole pages.
 *
 * Chunks are kept in bins by the length of their longest gap. Freed pages stay
 * with the heap (idle) up to 1/16 of what it holds and then go back to the
 * kernel together; their addresses stay. What is larger than a chunk is a span:
 * address space of its own, used again for spans of the same size. */
#include "heap_private.h"
#include "os.h"

#include <assert.h>

#define REGION_BYTES_MAX ((size_t)64 << 20)
#define IDLE_BYTES_MIN   ((size_t)256 << 10)
#define TRIES_PER_BIN    8

static bool take(struct heap *heap, size_t bytes)
{
    struct budget *b = heap->budget;
    uint64_t most = atomic_load_explicit(&b->limit, memory_order_relaxed);
    if (heap->reads)
        most += atomic_load_explicit(&b->kept, memory_order_relaxed);
    return budget_take_below(b, bytes, most);
}

static bool charge(struct heap *heap, size_t bytes)
{
    if (!bytes)
        return true; /* even where the limit was lowered meanwhile */
    if (!take(heap, bytes)) {
        if (!heap->idle_bytes)
            return false;
        heap_pages_release(heap);
        if (!take(heap, bytes))
            return false;
    }
    heap->taken_bytes += bytes;
    return true;
}

static void discharge(struct heap *heap, size_t bytes)
{
    heap->taken_bytes -= bytes;
    budget_give(heap->budget, bytes);
}

/* ---- bits of a chunk's pages ---- */

/* The first page from `at` on whose bit is `set`; CHUNK_PAGES: none. */
static size_t find(const uint64_t *bits, size_t at, bool set)
{
    while (at < CHUNK_PAGES) {
        uint64_t word = set ? bits[at / 64] : ~bits[at / 64];
        word >>= at % 64;
        if (word)
            return at + (size_t)__builtin_ctzll(word);
        at = (at / 64 + 1) * 64;
    }
    return CHUNK_PAGES;
}

/* Sets or clears a row; gives how many changed. */
static size_t mark(uint64_t *bits, size_t at, size_t pages, bool set)
{
    size_t changed = 0;
    for (size_t end = at + pages; at < end;) {
        size_t part = 64 - at % 64;
        if (part > end - at)
            part = end - at;
        uint64_t mask = (part == 64 ? ~UINT64_C(0)
                                    : (UINT64_C(1) << part) - 1) << at % 64;
        uint64_t *word = &bits[at / 64], old = *word;
        *word = set ? old | mask : old & ~mask;
        changed += (size_t)__builtin_popcountll(old ^ *word);
        at += part;
    }
    return changed;
}

static size_t longest_gap(const struct heap_chunk *chunk)
{
    size_t longest = 0;
    for (size_t at = find(chunk->used, 0, false); at < CHUNK_PAGES;) {
        size_t end = find(chunk->used, at, true);
        if (end - at > longest)
            longest = end - at;
        at = find(chunk->used, end, false);
    }
    return longest;
}

static size_t find_gap(const struct heap_chunk *chunk, size_t pages,
                       size_t align)
{
    for (size_t at = find(chunk->used, 0, false); at < CHUNK_PAGES;) {
        size_t end = find(chunk->used, at, true);
        size_t start = (at + align - 1) / align * align;
        if (start + pages <= end)
            return start;
        at = find(chunk->used, end, false);
    }
    return CHUNK_PAGES;
}

/* ---- chunks ---- */

static unsigned log_of(size_t pages)
{
    return 63u - (unsigned)__builtin_clzll(pages);
}

static void unbin(struct heap *heap, struct heap_chunk *chunk)
{
    if (!chunk->gap_pages)
        return; /* a full chunk is in no bin */
    if (chunk->next)
        chunk->next->prev = chunk->prev;
    if (chunk->prev)
        chunk->prev->next = chunk->next;
    else
        heap->bins[log_of(chunk->gap_pages)] = chunk->next;
}

static void bin(struct heap *heap, struct heap_chunk *chunk)
{
    chunk->gap_pages = (uint32_t)longest_gap(chunk);
    if (!chunk->gap_pages)
        return;
    struct heap_chunk **first = &heap->bins[log_of(chunk->gap_pages)];
    chunk->prev = NULL;
    chunk->next = *first;
    if (chunk->next)
        chunk->next->prev = chunk;
    *first = chunk;
}

static bool make_region(struct heap *heap)
{
    size_t bytes = heap->region_bytes;
    size_t align = heap->kind.huge ? HUGE_BYTES : CHUNK_BYTES;
    void *map = NULL;
    for (;; bytes /= 2) {
        /* room to align: the kernel does so to pages only */
        map = os_reserve(bytes + align);
        if (map || bytes == CHUNK_BYTES)
            break;
    }
    if (!map)
        return false;
    uintptr_t at = ((uintptr_t)map + align - 1) & ~(align - 1);
    heap_kind_set((void *)at, bytes, heap->kind);
    struct heap_chunk *first = (struct heap_chunk *)at;
    struct heap_region *region = &first->region;
    *region = (struct heap_region){heap->regions, map, bytes + align, first,
                                   bytes};
    heap->regions = region;
    heap->fresh = (char *)first;
    heap->fresh_end = heap->fresh + bytes;
    if (heap->region_bytes < REGION_BYTES_MAX)
        heap->region_bytes *= 2;
    return true;
}

static struct heap_chunk *make_chunk(struct heap *heap)
{
    if (!charge(heap, PAGE_BYTES))
        return NULL;
    if (heap->fresh == heap->fresh_end && !make_region(heap)) {
        discharge(heap, PAGE_BYTES);
        return NULL;
    }
    struct heap_chunk *chunk = (struct heap_chunk *)heap->fresh;
    heap->fresh += CHUNK_BYTES;
    chunk->used[0] = 1; /* this page */
    bin(heap, chunk);
    return chunk;
}

static struct heap_chunk *find_chunk(struct heap *heap, size_t pages,
                                     size_t align, size_t *at)
{
    for (unsigned i = log_of(pages); i < HEAP_BIN_COUNT; i++) {
        unsigned tries = TRIES_PER_BIN;
        for (struct heap_chunk *c = heap->bins[i]; c && tries--; c = c->next) {
            *at = c->gap_pages < pages ? CHUNK_PAGES
                                       : find_gap(c, pages, align);
            if (*at < CHUNK_PAGES)
                return c;
        }
    }
    struct heap_chunk *fresh = make_chunk(heap);
    if (fresh)
        *at = find_gap(fresh, pages, align);
    return fresh;
}

void *heap_pages_take(struct heap *heap, size_t pages, size_t align_pages)
{
    size_t at;
    struct heap_chunk *chunk = find_chunk(heap, pages, align_pages, &at);
    if (!chunk)
        return NULL;
    /* idle pages are paid for; taken off first, so that charge cannot give
     * them back */
    size_t paid = mark(chunk->idle, at, pages, false);
    heap->idle_bytes -= paid * PAGE_BYTES;
    if (!charge(heap, (pages - paid) * PAGE_BYTES)) {
        /* some of them may have been idle: all may go */
        os_release((char *)chunk + at * PAGE_BYTES, pages * PAGE_BYTES);
        discharge(heap, paid * PAGE_BYTES);
        return NULL;
    }
    unbin(heap, chunk);
    mark(chunk->used, at, pages, true);
    bin(heap, chunk);
    char *block = (char *)chunk + at * PAGE_BYTES;
    if (paid == 0) /* it is paid for, and a page alone would be a fault */
        os_populate(block, pages * PAGE_BYTES);
    return block;
}

void heap_pages_give(struct heap *heap, void *at, size_t pages)
{
    struct heap_chunk *chunk =
        (struct heap_chunk *)((uintptr_t)at & ~(CHUNK_BYTES - 1));
    size_t first = (size_t)((char *)at - (char *)chunk) / PAGE_BYTES;
    unbin(heap, chunk);
    size_t freed = mark(chunk->used, first, pages, false);
    assert(freed == pages);
    mark(chunk->idle, first, pages, true);
    bin(heap, chunk);
    heap->idle_bytes += pages * PAGE_BYTES;
    size_t most = heap->taken_bytes / 16;
    if (most < heap->ready_bytes)
        most = heap->ready_bytes;
    if (heap->idle_bytes > (most > IDLE_BYTES_MIN ? most : IDLE_BYTES_MIN))
        heap_pages_release(heap);
}

void heap_ready(struct heap *heap, size_t bytes)
{
    const size_t pages = CHUNK_PAGES - 1; /* all but the chunk's first */
    void *taken = NULL;
    heap->ready_bytes = bytes + CHUNK_BYTES;
    if (heap->region_bytes < bytes && bytes <= REGION_BYTES_MAX)
        heap->region_bytes = (bytes + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
    for (size_t done = 0; done < bytes; done += CHUNK_BYTES) {
        void **block = heap_pages_take(heap, pages, 1);
        if (!block)
            break;
        *block = taken;
        taken = block;
    }
    while (taken) {
        void *block = taken;
        memcpy(&taken, block, sizeof taken);
        heap_pages_give(heap, block, pages);
    }
}

static void release_chunk(struct heap_chunk *chunk)
{
    for (size_t at = find(chunk->idle, 0, true); at < CHUNK_PAGES;) {
        size_t end = find(chunk->idle, at, false);
        os_release((char *)chunk + at * PAGE_BYTES, (end - at) * PAGE_BYTES);
        mark(chunk->idle, at, end - at, false);
        at = find(chunk->idle, end, true);
    }
}

void heap_pages_release(struct heap *heap)
{
    if (!heap->idle_bytes)
        return;
    for (struct heap_region *r = heap->regions; r; r = r->next) {
        char *end = (char *)r->first + r->bytes;
        if (r == heap->regions)
            end = heap->fresh; /* the newest: chunks are made in order */
        for (char *at = (char *)r->first; at < end; at += CHUNK_BYTES)
            release_chunk((struct heap_chunk *)at);
    }
    discharge(heap, heap->idle_bytes);
    heap->idle_bytes = 0;
}

/* ---- blocks of whole pages ---- */

/* Spans in MiB: each size up to 8, then eight a doubling. */
static unsigned span_class(size_t bytes, size_t *map_bytes)
{
    size_t size = (bytes + PAGE_BYTES + CHUNK_BYTES - 1) / CHUNK_BYTES;
    unsigned shift = size > 8 ? log_of(size - 1) - 3 : 0;
    size_t steps = (size + ((size_t)1 << shift) - 1) >> shift;
    *map_bytes = (steps << shift) * CHUNK_BYTES;
    return shift * 8 + (unsigned)steps;
}

static void *span_alloc(struct heap *heap, size_t bytes)
{
    size_t map_bytes;
    unsigned number = span_class(bytes, &map_bytes);
    if (number >= HEAP_SPAN_COUNT || bytes > SIZE_MAX / 4)
        return NULL;
    size_t block_bytes = heap_block_bytes(bytes);
    struct heap_span *span = heap->spans[number];
    size_t cost = block_bytes + (span ? 0 : PAGE_BYTES);
    if (!charge(heap, cost))
        return NULL;
    if (!span) {
        span = os_reserve(map_bytes);
        if (!span) {
            discharge(heap, cost);
            return NULL;
        }
        heap_kind_set(span, map_bytes, (struct heap_kind){
            .on_node = heap->kind.on_node, .node = heap->kind.node});
        span->map_bytes = map_bytes;
        span->size_class = number;
        span->all = heap->all_spans;
        heap->all_spans = span;
    } else {
        heap->spans[number] = span->next;
    }
    return (char *)span + PAGE_BYTES;
}

static void span_free(struct heap *heap, void *block, size_t bytes)
{
    struct heap_span *span = (void *)((char *)block - PAGE_BYTES);
    size_t map_bytes;
    assert(span->size_class == span_class(bytes, &map_bytes));
    os_release(block, heap_block_bytes(bytes));
    span->next = heap->spans[span->size_class];
    heap->spans[span->size_class] = span;
    discharge(heap, heap_block_bytes(bytes));
}

void *heap_large_alloc(struct heap *heap, size_t bytes)
{
    if (bytes > CHUNK_BYTES - PAGE_BYTES)
        return span_alloc(heap, bytes);
    return heap_pages_take(heap, heap_block_bytes(bytes) / PAGE_BYTES, 1);
}

void heap_large_free(struct heap *heap, void *block, size_t bytes)
{
    if (bytes > CHUNK_BYTES - PAGE_BYTES)
        span_free(heap, block, bytes);
    else
        heap_pages_give(heap, block, heap_block_bytes(bytes) / PAGE_BYTES);
}

void heap_fini(struct heap *heap)
{
    budget_give(heap->budget, heap->taken_bytes);
    for (struct heap_region *r = heap->regions, *next; r; r = next) {
        next = r->next;
        os_unreserve(r->map, r->map_bytes);
    }
    for (struct heap_span *s = heap->all_spans, *next; s; s = next) {
        next = s->all;
        os_unreserve(s, s->map_bytes);
    }
    struct heap_kind kind = heap->kind;
    heap_init(heap, heap->budget);
    heap_use(heap, kind);
}
