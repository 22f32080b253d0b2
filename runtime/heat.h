/* heat.h: how often the records of a product were used in a window of time.
 *
 * Counters by the hash of the key: two records may share one, and then both
 * look as hot as both together. A counter ends at what the threshold asks for,
 * so that what is hot is written to a few times in a window and then only read;
 * where a number of the record counts beside it, at HEAT_MOST. A count that two
 * threads make at once may be one. */
#ifndef WARP_HEAT_H
#define WARP_HEAT_H

#include <stdatomic.h>
#include <stdint.h>

enum { HEAT_SLOTS = 1 << 20, HEAT_MOST = 255 };

enum heat_kind { HEAT_HOT, HEAT_COLD, HEAT_KINDS }; /* to warm, to cold */

struct heat {
    _Atomic uint8_t *_Atomic counts[HEAT_KINDS]; /* of this window; or NULL */
    uint8_t least[HEAT_KINDS]; /* accesses that keep a value where it is */
    uint8_t most[HEAT_KINDS];  /* there a counter ends */
    /* Values that rest on a disk for so many minutes go to the archive with the
     * next write of theirs; 0: none does. */
    _Atomic uint32_t archive_min;
};

static inline uint32_t heat_slot(uint64_t hash)
{
    return (uint32_t)(hash >> 24) & (HEAT_SLOTS - 1);
}

static inline void heat_touch(struct heat *heat, uint64_t hash)
{
    for (int k = 0; k < HEAT_KINDS; k++) {
        _Atomic uint8_t *counts =
            atomic_load_explicit(&heat->counts[k], memory_order_relaxed);
        if (!counts)
            continue;
        counts += heat_slot(hash);
        uint8_t n = atomic_load_explicit(counts, memory_order_relaxed);
        if (n < heat->most[k])
            atomic_store_explicit(counts, (uint8_t)(n + 1),
                                  memory_order_relaxed);
    }
}

#endif
