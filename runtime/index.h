/* index.h: hash of key -> record, of one shard.
 *
 * Extendible hashing: a directory of segments of 1,024 slots, each slot a
 * 16-bit tag and a 48-bit address, so a split moves at most one segment and
 * no writer waits for a large rehash. Readers take no lock; a reader that
 * finds nothing checks the segment's version and looks again if it moved.
 * Segments are never unmapped before index_fini. */
#ifndef WARP_INDEX_H
#define WARP_INDEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap.h"
#include "lines.h"

enum { INDEX_SEGMENT_SLOTS = 1024, INDEX_DEPTH_MAX = 20 };

struct index_segment {
    _Atomic uint32_t version; /* odd while slots move */
    uint32_t used;            /* slots that are not empty */
    uint32_t live;
    uint32_t depth;
    uint64_t pad[6];
    _Atomic uint64_t slots[INDEX_SEGMENT_SLOTS];
};

struct index {
    /* read by every look */
    _Alignas(64) _Atomic uint32_t depth;     /* of the directory */
    _Atomic(struct index_segment *) *dir;    /* reserved, 1 << depth used */
    struct index_segment *segments;          /* reserved, bump-allocated */
    struct budget *budget;
    uint64_t (*hash_of)(const void *record, const void *arg);
    const void *arg;
    /* written by inserts */
    _Alignas(64) uint64_t count;
    uint32_t segment_count;
};

/* huge: in huge pages, where the kernel has them. */
int index_init(struct index *index, struct budget *budget, bool huge,
               uint64_t (*hash_of)(const void *record, const void *arg),
               const void *arg);
void index_fini(struct index *index);

/* Does the record at this address have the key? May be asked about rubbish. */
typedef bool index_match_fn(const void *record, const void *key);

/* Without a lock. NULL: not there. *slot gets where it was found, so that the
 * caller can check after reading that it still is. */
void *index_find(const struct index *index, uint64_t hash,
                 index_match_fn *match, const void *key,
                 _Atomic uint64_t **slot);
/* Under the shard's lock. */
int index_insert(struct index *index, uint64_t hash, void *record);
void index_remove(struct index *index, uint64_t hash, void *record);
/* So many in all will soon be there: splits what would be split on the way,
 * while there is little to move. As far as the budget goes. */
void index_expect(struct index *index, uint64_t count);
uint64_t index_bytes(const struct index *index);
/* Each record, under the shard's lock. Records of segment `at` only; returns
 * false when there is no such segment. fn may remove the record it is given. */
bool index_walk(struct index *index, uint32_t at,
                void (*fn)(void *arg, void *record), void *arg);

enum { INDEX_SLOT_EMPTY = 0, INDEX_SLOT_GONE = 1 };
#define INDEX_ADDRESS_MASK 0xffffffffffffu

static inline struct index_segment *index_segment_of(const struct index *index,
                                                     uint64_t hash)
{
    uint32_t depth =
        atomic_load_explicit(&index->depth, memory_order_acquire);
    return atomic_load_explicit(
        &index->dir[hash & ((UINT64_C(1) << depth) - 1)],
        memory_order_acquire);
}
static inline __attribute__((always_inline)) void *
index_probe(struct index_segment *s, uint64_t hash, index_match_fn *match,
            const void *key, _Atomic uint64_t **slot)
{
    uint32_t at = (uint32_t)(hash >> 38) & (INDEX_SEGMENT_SLOTS - 1);
    uint64_t tag = hash >> 48;
    for (uint32_t n = 0; n < INDEX_SEGMENT_SLOTS; n++) {
        _Atomic uint64_t *p = &s->slots[at];
        uint64_t word = atomic_load_explicit(p, memory_order_acquire);
        if (word == INDEX_SLOT_EMPTY)
            return NULL;
        if (word >> 48 == tag && word != INDEX_SLOT_GONE) {
            void *record = (void *)(uintptr_t)(word & INDEX_ADDRESS_MASK);
            /* Asked for together, they arrive together. */
            PREFETCH_LINES(record, 0);
            if (match(record, key)) {
                *slot = p;
                return record;
            }
        }
        at = (at + 1) & (INDEX_SEGMENT_SLOTS - 1);
    }
    return NULL;
}
/* As index_find, part of its caller, which gives the compiler `match`: what it
 * finds is there; what it does not find index_find may. */
static inline __attribute__((always_inline)) void *
index_look(const struct index *index, uint64_t hash, index_match_fn *match,
           const void *key, _Atomic uint64_t **slot)
{
    return index_probe(index_segment_of(index, hash), hash, match, key, slot);
}

static inline bool index_slot_holds(_Atomic uint64_t *slot, const void *record)
{
    uint64_t address =
        atomic_load_explicit(slot, memory_order_relaxed) & INDEX_ADDRESS_MASK;
    return address == (uint64_t)(uintptr_t)record;
}
/* The slot where a hash belongs; another may hold it. */
static inline _Atomic uint64_t *index_home(const struct index *index,
                                           uint64_t hash)
{
    struct index_segment *s = index_segment_of(index, hash);
    return &s->slots[(hash >> 38) & (INDEX_SEGMENT_SLOTS - 1)];
}
/* Start loading what an insert will touch. */
static inline void index_prefetch_insert(const struct index *index,
                                         uint64_t hash)
{
    struct index_segment *s = index_segment_of(index, hash);
    __builtin_prefetch(s, 1);
    __builtin_prefetch(&s->slots[(hash >> 38) & (INDEX_SEGMENT_SLOTS - 1)], 1);
}
/* Start loading what a find will touch. */
static inline void index_prefetch(const struct index *index, uint64_t hash)
{
    __builtin_prefetch(index_home(index, hash));
}
/* The same, one step on: the record that an update will write, if it stands in
 * its home slot or the next one. */
static inline void index_prefetch_found(const struct index *index,
                                        uint64_t hash)
{
    _Atomic uint64_t *home = index_home(index, hash);
    for (int i = 0; i < 2; i++) {
        uint64_t word = atomic_load_explicit(home + i, memory_order_relaxed);
        if (word >> 48 == hash >> 48) {
            void *record = (void *)(uintptr_t)(word & INDEX_ADDRESS_MASK);
            PREFETCH_LINES(record, 1);
        }
        if (((uintptr_t)(home + i + 1) & 63) == 0)
            return; /* the next line may be no slot */
    }
}

#endif
