/* series_resident_part.h: what series_resident.c and series_stay.c share. */
#ifndef WARP_SERIES_RESIDENT_PART_H
#define WARP_SERIES_RESIDENT_PART_H

#include "os.h"
#include "series_choice.h"
#include "series_chunk.h"
#include "series_resident.h"

enum {
    PARTS = 64, BUCKETS_FIRST = 16,
    SHARE = 4,       /* of the budget */
    NOTED = 32,      /* uses of a part between two turns of the engine */
    WANTED_MOST = 64 /* records that are filled in one turn */
};

struct copy {
    uint8_t element[SERIES_ELEMENT_KEY]; /* the end of its key */
    int64_t first_at, last_at;
    uint32_t bytes;
    uint8_t *value;
};

struct group {
    struct group *next;
    uint64_t hash;
    int64_t from_ms, memory_ms;
    struct copy *copies; /* by element */
    uint64_t bytes;      /* of them */
    uint32_t count, room;
    int prior;
    uint32_t prefix_bytes;
    uint8_t prefix[];
};

struct part {
    _Alignas(64) struct os_lock lock;
    struct group **buckets;
    uint32_t mask, count;
    struct note {
        uint64_t hash;
        bool is_use; /* else it has another size */
    } noted[NOTED];
    uint32_t noted_count;
};

struct resident {
    struct budget *budget;
    bool learning;
    _Atomic uint64_t used;
    _Atomic uint64_t fixed; /* what they may take, for tests; 0: a share */
    _Atomic uint32_t groups; /* of all parts */
    _Atomic bool loading;
    _Atomic uint64_t changing; /* the hash of a record; 0: of none */
    _Atomic bool choosing;  /* there is an engine */
    _Atomic bool refused;   /* copies found no room since its last turn */
    struct os_lock choice_lock;
    struct choice *choice;
    struct os_lock wanted_lock;
    uint32_t wanted_count;
    struct text wanted;     /* prefixes, each behind its u32 size */
    struct part parts[PARTS];
};

/* What all copies may take. */
static inline uint64_t resident_share(const struct resident *r)
{
    uint64_t fixed = atomic_load_explicit(&r->fixed, memory_order_relaxed);
    return fixed ? fixed
                 : atomic_load_explicit(&r->budget->limit,
                                        memory_order_relaxed) /
                       SHARE;
}

/* Under the part's lock. */
void resident_drop(struct resident *r, struct part *p, struct group **at);

#endif
