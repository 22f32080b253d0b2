/* change_sort.h: the changes of a checkpoint's step in the order of their keys.
 * Private to checkpoint*. */
#ifndef WARP_CHANGE_SORT_H
#define WARP_CHANGE_SORT_H

#include "ssd.h"

/* A key and its new value; value NULL: the key goes. */
struct change {
    enum ssd_table table;
    uint32_t key_bytes;
    uint32_t value_bytes;
    uint8_t *key;
    uint8_t *value;
};

/* Where the next change stands in the list that was sorted. */
struct change_rank {
    uint64_t prefix; /* of its key: decides until two are the same */
    uint32_t at;
};

/** By table, then by key; equal ones in the order of the list.
 *  Ownership   *ranks is the caller's: free(); NULL when count is 0.
 *  Cost        some 30 ns a change; 32 bytes each while it runs, then 16.
 *  Errors      WARP_ENOMEM. */
int change_sort(const struct change *changes, uint32_t count,
                struct change_rank **ranks);

#endif
