/* evict.h: memory comes back from what the tiers hold; see also shard_evict. */
#ifndef WARP_EVICT_H
#define WARP_EVICT_H

#include "db.h"

/* Evicts in all shards until `aim` bytes of the budget are in use, or nothing
 * more can leave; aim 0: a sixteenth of the budget. Takes the shards' locks.
 * Returns the bytes given back. */
uint64_t evict_to(struct warp_db *db, uint64_t aim);
/* Under the lock: what the tiers have of one record leaves memory, in a walk
 * over the index, too. Returns the bytes given back. */
uint64_t evict_one(struct shard *shard, struct record *record);

#endif
