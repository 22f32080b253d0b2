/* heap.h: the memory of one shard: rows, strings and lists.
 *
 * One user at a time (the shard's lock). Memory is type-stable: an address that
 * was given out once stays readable until heap_fini, so that an optimistic
 * reader may still read a freed block and find out by the version that it did.
 * What it reads then is the old bytes, another block's, or zeros; the first 8
 * bytes of a freed block are overwritten, by relaxed atomics. Readers must load
 * by relaxed atomics too. */
#ifndef WARP_HEAP_H
#define WARP_HEAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shared by all that counts against one limit: the heaps of a store, its
 * caches, a named pool. */
struct budget {
    _Atomic uint64_t used, limit; /* bytes; UINT64_MAX: no limit */
    _Atomic uint64_t kept; /* beyond the limit, for who only reads */
};

/* `most`: bytes that may be in use then. */
static inline bool budget_take_below(struct budget *budget, uint64_t bytes,
                                     uint64_t most)
{
    uint64_t before = atomic_fetch_add_explicit(&budget->used, bytes,
                                                memory_order_relaxed);
    if (before + bytes <= most)
        return true;
    atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
    return false;
}

static inline bool budget_take(struct budget *budget, uint64_t bytes)
{
    return budget_take_below(
        budget, bytes,
        atomic_load_explicit(&budget->limit, memory_order_relaxed));
}

static inline void budget_give(struct budget *budget, uint64_t bytes)
{
    atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
}

/* What kind of memory a shard gets. */
struct heap_kind {
    bool huge;     /* huge pages, where the kernel has them */
    bool on_node;  /* of the NUMA node `node`, counted round, */
    uint32_t node; /* while it has some */
};
/* Of addresses that have no page yet. A hint. */
void heap_kind_set(void *at, size_t bytes, struct heap_kind kind);

#define HEAP_CLASS_COUNT     79
#define HEAP_SMALL_BYTES_MAX 32768 /* above: whole pages */
#define HEAP_BIN_COUNT       9
#define HEAP_SPAN_COUNT      256

struct heap_run;
struct heap_chunk;
struct heap_span;
struct heap_region;

struct heap_class {
    struct heap_run *partial; /* runs with room; the first one is used */
    uint32_t block_bytes;
    uint32_t run_bytes;
};

struct heap { /* private */
    struct heap_class classes[HEAP_CLASS_COUNT];
    struct heap_chunk *bins[HEAP_BIN_COUNT]; /* by log2 of the longest gap */
    struct heap_span *spans[HEAP_SPAN_COUNT]; /* free, by size */
    struct heap_region *regions;
    struct heap_span *all_spans;
    char *fresh, *fresh_end; /* chunks of the newest region not yet used */
    struct budget *budget;
    size_t region_bytes; /* of the next region */
    size_t taken_bytes;  /* charged to the budget */
    size_t idle_bytes;   /* of these: free pages not yet given back */
    size_t ready_bytes;  /* idle pages that stay, for what will come */
    struct heap_kind kind;
    bool reads; /* for who only reads: what the budget keeps, too */
};

/* The budget must outlive the heap. Takes no memory yet. */
void heap_init(struct heap *heap, struct budget *budget);
/* Before the first block. The budget is charged as without; of huge pages up to
 * one more is in memory. */
void heap_use(struct heap *heap, struct heap_kind kind);
/* Takes so much, touches it and keeps it idle: what is allocated later finds
 * its pages there. Less, where the budget ends. */
void heap_ready(struct heap *heap, size_t bytes);
/* Gives everything back, whatever is still in use. */
void heap_fini(struct heap *heap);

/* 8-byte aligned, not zeroed; 0 bytes are as 1. NULL: over the budget or out
 * of memory. */
void *heap_alloc(struct heap *heap, size_t bytes);
/* `bytes` as given to heap_alloc, or any size with the same
 * heap_block_bytes(). NULL is fine. */
void heap_free(struct heap *heap, void *block, size_t bytes);
/* Gives idle pages back to the kernel and the budget; for use when another
 * heap is refused memory. */
void heap_trim(struct heap *heap);
/* Bytes taken from the system and charged to the budget. */
static inline size_t heap_bytes(const struct heap *heap)
{
    return heap->taken_bytes;
}

/* The class of a small size: steps of 8 up to 128, then eight a doubling, so
 * that at most 1/9 of a block is lost. */
static inline unsigned heap_class_of(size_t bytes)
{
    if (bytes <= 128)
        return bytes <= 16 ? 0 : (unsigned)((bytes + 7) / 8) - 2;
    unsigned log = 63u - (unsigned)__builtin_clzll(bytes - 1);
    return (unsigned)((bytes - 1) >> (log - 3)) - 8 + 8 * (log - 7) + 15;
}

/* What a block for this size really holds. */
static inline size_t heap_block_bytes(size_t bytes)
{
    if (bytes <= 128)
        return bytes <= 16 ? 16 : (bytes + 7) & ~(size_t)7;
    if (bytes > HEAP_SMALL_BYTES_MAX)
        return (bytes + 4095) & ~(size_t)4095;
    size_t step = (size_t)1 << (60 - __builtin_clzll(bytes - 1));
    return (bytes + step - 1) & ~(step - 1);
}

#endif
