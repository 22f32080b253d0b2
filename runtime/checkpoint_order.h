/* checkpoint_order.h: in which order a checkpoint copies what is dirty: by
 * ranges of keys, one step each, so that a leaf of the directory is written
 * once and not once a step. Private to checkpoint*. */
#ifndef WARP_CHECKPOINT_ORDER_H
#define WARP_CHECKPOINT_ORDER_H

#include "db.h"

struct order {
    uint32_t at[256]; /* of a shard's list all before are copied */
    uint32_t range_count;
    uint32_t *ends; /* [range_count - 1][shards]: where a range ends */
};

/* Sorts the lists that were taken (shard->flushing), unless they are short. A
 * range has what fits a step, as far as that can be told before. After an error
 * there is one range, and some lists may be as they were.
 *  Cost    32 bytes a record of one shard while it runs.
 *  Errors  WARP_ENOMEM. */
int order_make(struct order *order, struct warp_db *db,
               const struct db_shares *shares);
void order_fini(struct order *order);

/* Where a range ends in a shard's list. */
static inline uint32_t order_end(const struct order *o,
                                 const struct warp_db *db, uint32_t range,
                                 uint32_t shard)
{
    return range + 1 < o->range_count
               ? o->ends[range * db->shard_count + shard]
               : db->shards[shard].flushing_count;
}

#endif
