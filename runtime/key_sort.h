/* key_sort.h: many keys in the order of their bytes, by groups: what a
 * checkpoint writes, what a scan found in memory. */
#ifndef WARP_KEY_SORT_H
#define WARP_KEY_SORT_H

#include <stdint.h>

enum { KEY_SORT_GROUPS = 16 };

struct key_sort_key {
    const uint8_t *bytes;
    uint32_t count;
    uint32_t group; /* below KEY_SORT_GROUPS; a lower one comes first */
};
/* Gives the key with a number; asked for more than once. */
typedef void key_sort_fn(const void *arg, uint32_t number,
                         struct key_sort_key *key);

/* Where the next key stands among those that were sorted. */
struct key_rank {
    uint64_t prefix; /* of the key: decides until two are the same */
    uint32_t at;
};

/** By group, then by key; equal ones in the order of their numbers.
 *  Ownership   *ranks is the caller's: free(); NULL when count is 0.
 *  Cost        some 30 ns a key; 32 bytes each while it runs, then 16.
 *  Errors      WARP_ENOMEM. */
int key_sort(uint32_t count, key_sort_fn *key_of, const void *arg,
             struct key_rank **ranks);

#endif
