/* heap.h: the memory of one shard, used under its lock.
 *
 * Type-stable: what was handed out once stays mapped until heap_fini, so a
 * reader without a lock may read a freed block and find out by a version. */
#ifndef WARP_HEAP_H
#define WARP_HEAP_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* What all heaps of a store may take from the system together. */
struct budget {
    _Atomic uint64_t used, limit; /* bytes */
};

struct heap;

int heap_init(struct heap **heap, struct budget *budget);
void heap_fini(struct heap **heap);
/* Aligned to 8; NULL over the budget or out of memory. */
void *heap_alloc(struct heap *heap, size_t bytes);
void heap_free(struct heap *heap, void *block, size_t bytes);
uint64_t heap_bytes(const struct heap *heap); /* taken from the system */

#endif
