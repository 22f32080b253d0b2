/* heap_private.h: what heap.c and heap_pages.c share. */
#ifndef WARP_HEAP_PRIVATE_H
#define WARP_HEAP_PRIVATE_H

#include "heap.h"

#include <string.h>

#define PAGE_BYTES  ((size_t)4096)
#define GROUP_BYTES ((size_t)16384) /* a run is a multiple of it */
#define CHUNK_BYTES ((size_t)1 << 20)
#define HUGE_BYTES  ((size_t)2 << 20)
#define CHUNK_PAGES (CHUNK_BYTES / PAGE_BYTES)
#define CHUNK_RUNS  (CHUNK_BYTES / GROUP_BYTES)

/* Blocks of one class; lies in its chunk's first page. */
struct heap_run {
    struct heap_run *next, *prev; /* among the runs with room */
    char *base, *fresh, *end; /* fresh: the first block never given out */
    void *free;               /* freed blocks */
    uint32_t live;            /* blocks in use */
    uint8_t class;
    bool listed;
};

/* Address space from one os_reserve; lies in the first chunk of it. */
struct heap_region {
    struct heap_region *next;
    void *map;
    size_t map_bytes;
    struct heap_chunk *first;
    size_t bytes; /* of chunks */
};

/* The first page of a chunk; zero when it is fresh. */
struct heap_chunk {
    uint64_t used[CHUNK_PAGES / 64];
    uint64_t idle[CHUNK_PAGES / 64]; /* free, touched, not yet given back */
    struct heap_chunk *next, *prev;  /* in its bin */
    uint32_t gap_pages;              /* the longest row of free pages */
    uint8_t head[CHUNK_RUNS];        /* group -> the first group of its run */
    struct heap_run runs[CHUNK_RUNS];
    struct heap_region region;
};
_Static_assert(sizeof(struct heap_chunk) <= PAGE_BYTES,
               "a chunk's description is its first page");

/* A block larger than a chunk: a page for this, then the block. */
struct heap_span {
    struct heap_span *next; /* free, of the same size */
    struct heap_span *all;
    size_t map_bytes;
    uint32_t size_class;
};

/* Pages in a row, the first at a multiple of align_pages in its chunk. */
void *heap_pages_take(struct heap *heap, size_t pages, size_t align_pages);
void heap_pages_give(struct heap *heap, void *at, size_t pages);
/* Idle pages back to the kernel and the budget. */
void heap_pages_release(struct heap *heap);
void *heap_large_alloc(struct heap *heap, size_t bytes);
void heap_large_free(struct heap *heap, void *block, size_t bytes);

#endif
