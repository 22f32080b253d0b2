/* index.h: hash of key -> record, of one shard.
 *
 * Extendible hashing: a directory of segments, each slot of a segment a 16-bit
 * tag and a 48-bit address. The tag alone tells where in a segment a slot
 * belongs, so that a segment grows from 1,024 slots to 2,048, half of 1,024 at
 * a time, without a look at a record; then it is split, and no writer waits for
 * a large rehash. Readers take no lock; a reader that finds nothing checks the
 * segment's version and looks again if it moved. Segments are never unmapped
 * before index_fini.
 *
 * A record may be marked (a checkpoint must copy it): a bit beside its slot. */
#ifndef WARP_INDEX_H
#define WARP_INDEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap.h"
#include "lines.h"

enum {
    INDEX_SLOTS_MAX = 2048, /* of a segment: as many bytes as 4 pages */
    INDEX_SLOTS_STEP = 512,
    INDEX_DEPTH_MAX = 19
};

struct index_head {
    _Alignas(64) _Atomic uint32_t version; /* odd while slots move */
    uint32_t used;                         /* slots that are not empty */
    uint32_t live;
    uint32_t marked;
    uint16_t depth;
    uint16_t size; /* as in the directory's entries */
    uint64_t marks[INDEX_SLOTS_MAX / 64];
};

/* Of the directory: the address of a segment's slots, and in its lowest bits
 * how many they are. */
typedef uintptr_t index_entry;

struct index {
    /* read by every look */
    _Alignas(64) _Atomic uint32_t depth; /* of the directory */
    _Atomic index_entry *dir;            /* reserved, 1 << depth used */
    _Atomic uint64_t *slots;  /* reserved, INDEX_SLOTS_MAX a segment */
    struct index_head *heads; /* reserved, one a segment */
    struct budget *budget;
    uint64_t (*hash_of)(const void *record, const void *arg);
    const void *arg;
    /* written by inserts */
    _Alignas(64) uint64_t count;
    uint64_t bytes; /* taken from the budget */
    uint64_t *map;  /* a bit for each segment with marks */
    uint32_t segment_count;
    struct heap_kind kind;
    /* Where a record was found or put last, under the lock; it may have moved:
     * who uses it looks whether the slot holds the record. */
    _Atomic uint64_t *last;
};

int index_init(struct index *index, struct budget *budget,
               struct heap_kind kind,
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
/* So many in all will soon be there: does now, while there is little to move,
 * what would be done on the way. As far as the budget goes. */
void index_expect(struct index *index, uint64_t count);
/* Each record, under the shard's lock. Records of segment `at` only; returns
 * false when there is no such segment. fn may remove the record it is given. */
bool index_walk(struct index *index, uint32_t at,
                void (*fn)(void *arg, void *record), void *arg);

/* Marks, under the shard's lock. A record that is in the index, and that has
 * none. A removed record takes its mark along. */
void index_mark(struct index *index, uint64_t hash, const void *record);
/* From *at on the next segment that has marks; false: none has. */
bool index_next_marked(const struct index *index, uint32_t *at);
/* The marked records of a segment, in no order; clear: they are no more. */
uint32_t index_marked(struct index *index, uint32_t at, bool clear,
                      void *records[INDEX_SLOTS_MAX]);

enum { INDEX_SLOT_EMPTY = 0, INDEX_SLOT_GONE = 1 };
#define INDEX_ADDRESS_MASK 0xffffffffffffu

static inline index_entry index_entry_of(const struct index *index,
                                         uint64_t hash)
{
    uint32_t depth =
        atomic_load_explicit(&index->depth, memory_order_acquire);
    return atomic_load_explicit(
        &index->dir[hash & ((UINT64_C(1) << depth) - 1)],
        memory_order_acquire);
}
static inline uint32_t index_entry_slots(index_entry e)
{
    return (2 + (uint32_t)(e & 3)) * INDEX_SLOTS_STEP;
}
static inline _Atomic uint64_t *index_entry_at(index_entry e)
{
    return (_Atomic uint64_t *)(e & ~(index_entry)3);
}
static inline struct index_head *index_entry_head(const struct index *index,
                                                  index_entry e)
{
    return &index->heads[(size_t)(index_entry_at(e) - index->slots) /
                         INDEX_SLOTS_MAX];
}
/* Where a hash belongs among so many slots; another may be there. */
static inline uint32_t index_home(uint64_t hash, uint32_t slots)
{
    return ((uint32_t)(hash >> 48) * slots) >> 16;
}
static inline __attribute__((always_inline)) void *
index_probe(index_entry e, uint64_t hash, index_match_fn *match,
            const void *key, _Atomic uint64_t **slot)
{
    _Atomic uint64_t *slots = index_entry_at(e);
    uint32_t count = index_entry_slots(e), at = index_home(hash, count);
    uint64_t tag = hash >> 48;
    for (uint32_t n = 0; n < count; n++) {
        _Atomic uint64_t *p = &slots[at];
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
        at = at + 1 == count ? 0 : at + 1;
    }
    return NULL;
}
/* As index_find, part of its caller, which gives the compiler `match`: what it
 * finds is there; what it does not find index_find may. */
static inline __attribute__((always_inline)) void *
index_look(const struct index *index, uint64_t hash, index_match_fn *match,
           const void *key, _Atomic uint64_t **slot)
{
    return index_probe(index_entry_of(index, hash), hash, match, key, slot);
}

static inline bool index_slot_holds(_Atomic uint64_t *slot, const void *record)
{
    uint64_t address =
        atomic_load_explicit(slot, memory_order_relaxed) & INDEX_ADDRESS_MASK;
    return address == (uint64_t)(uintptr_t)record;
}
static inline _Atomic uint64_t *index_home_slot(const struct index *index,
                                                uint64_t hash)
{
    index_entry e = index_entry_of(index, hash);
    return &index_entry_at(e)[index_home(hash, index_entry_slots(e))];
}
/* Start loading what an insert will touch. */
static inline void index_prefetch_insert(const struct index *index,
                                         uint64_t hash)
{
    index_entry e = index_entry_of(index, hash);
    __builtin_prefetch(index_entry_head(index, e), 1);
    __builtin_prefetch(
        &index_entry_at(e)[index_home(hash, index_entry_slots(e))], 1);
}
/* Start loading what a find will touch. */
static inline void index_prefetch(const struct index *index, uint64_t hash)
{
    __builtin_prefetch(index_home_slot(index, hash));
}
/* The same, one step on: the record that an update will write, if it stands in
 * its home slot or the next one. */
static inline void index_prefetch_found(const struct index *index,
                                        uint64_t hash)
{
    _Atomic uint64_t *home = index_home_slot(index, hash);
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
