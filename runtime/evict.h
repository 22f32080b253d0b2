/* evict.h: memory comes back from what the tiers hold; see also shard_evict. */
#ifndef WARP_EVICT_H
#define WARP_EVICT_H

#include "db.h"

/* Evicts in all shards until `aim` bytes of the budget are in use, or nothing
 * more can leave; aim 0: an eighth of each pool that is full, and if none is, a
 * sixteenth of the budget where that is short. Patient: while checkpoints go
 * through, nothing leaves instead of what is of a lower priority and only
 * dirty. Takes the shards' locks. Returns the bytes given back. */
uint64_t evict_to(struct warp_db *db, uint64_t aim, bool patient);
/* Under the lock: what the tiers have of one record leaves memory, whatever its
 * use, in a walk over the index, too. Returns the bytes given back. */
uint64_t evict_one(struct shard *shard, struct record *record);

/* ---- while replace_is_on ---- */

/* Under the lock: the bytes of a record that the budget may take. */
uint32_t evict_bytes(const struct layout *l, const struct record *record);
/* Without locks: a get had to bring in what it read; what the engines let go
 * for it leaves. began_ns: of the get, os_mono_ns; from: enum replace_from. */
void evict_brought(struct warp_db *db, const struct layout *l,
                   const struct key_ref *key, int64_t began_ns,
                   unsigned from);
/* Without locks: the engines hear of all that was noted; what they let go
 * leaves. */
void evict_learned(struct warp_db *db);
/* Under the lock: the tiers have the record as it is. What could not leave when
 * its engine let it go does so now. */
void evict_settled(struct shard *shard, struct record *record);
/* Without locks, by the keeper: engines follow the room that there is. */
void evict_balance(struct warp_db *db);

#endif
