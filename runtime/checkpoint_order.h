/* checkpoint_order.h: in which order a checkpoint copies what is dirty: by
 * ranges of keys, one step each, so that a leaf of the directory is written
 * once and not once a step. Private to checkpoint*. */
#ifndef WARP_CHECKPOINT_ORDER_H
#define WARP_CHECKPOINT_ORDER_H

#include "db.h"

struct order_shard {
    uint32_t *by_key; /* places in shard->flushing; NULL: as they stand */
    uint32_t at;      /* all before are copied */
};

struct order {
    struct order_shard shards[256];
    uint32_t range_count;
    uint32_t *ends; /* [range_count - 1][shards]: where a range ends */
};

/* Of the lists that were taken (shard->flushing), which stay as they are. A
 * range has what fits a step, as far as that can be told before. After an error
 * there is one range, in the order of the lists.
 *  Cost    16 to 32 bytes a record of one shard while it runs, then 4 for
 *          each record; nothing if one step will do.
 *  Errors  WARP_ENOMEM. */
int order_make(struct order *order, struct warp_db *db,
               const struct db_shares *shares);
void order_fini(struct order *order, const struct warp_db *db);

/* Where a range ends in a shard's order. */
static inline uint32_t order_end(const struct order *o,
                                 const struct warp_db *db, uint32_t range,
                                 uint32_t shard)
{
    return range + 1 < o->range_count
               ? o->ends[range * db->shard_count + shard]
               : db->shards[shard].flushing_count;
}
/* The place in shard->flushing of the record that is number `at`. */
static inline uint32_t order_place(const struct order_shard *o, uint32_t at)
{
    return o->by_key ? o->by_key[at] : at;
}

#endif
