/* relocate.h: a record goes from its home to another shard, or back.
 *
 * R1 a move is one batch of two commits: the new shard logs an arrive with the
 *    whole record, the old one a depart. All or nothing, as any batch.
 * R2 both shards are locked from the look at the record to the last change of
 *    it: no reader finds it in neither, or in both.
 * R3 what lies on a tier stays there: the row tells the places. So a record
 *    with a value that its tier does not have yet waits for a checkpoint. The
 *    log has the values, too (relocate_carry.h), but of long ones; so a backup
 *    tells of no move later than its copy of the tiers.
 * R4 a replay takes an arrive, and a change that begins the record anew, as
 *    they come; other changes only where the record is. A key that is away in
 *    the directory, or in memory, has later changes elsewhere (F4).
 * R5 an element of a series has its order from the home's log: a record with
 *    some stays there, and one that gets its first is brought there before.
 * R6 the tombstone of a depart tells the directory nothing: the row is the new
 *    shard's, or will be. */
#ifndef WARP_RELOCATE_H
#define WARP_RELOCATE_H

#include "forward.h"

enum { RELOCATE_BYTES_MAX = 64 << 10 }; /* of the row of one that is drawn */

/* Once the layouts are made: of which products records were moved. */
int relocate_open(struct warp_db *db);
/* Of a key that is at home, to another shard; or to its home. WARP_ENOTFOUND:
 * there is no record; WARP_EBUSY: not now: a checkpoint is at work on it, or
 * must come first; WARP_ELIMIT: no memory, or a row of more than
 * RELOCATE_BYTES_MAX leaves its home. */
int relocate(struct warp_db *db, const struct layout *l,
             const struct key_ref *key, uint32_t to);
/* Addresses of ops: where their records are, or home, where one asks for it. */
int relocate_resolve(struct warp_db *db, struct op **ops, uint32_t count);

/* ---- at replay, under the shard's lock ---- */
int relocate_replay(struct shard *shard, struct op *op, uint64_t seq);
/* FORWARD_ELSEWHERE: the change is older than what the directory knows. */
int relocate_replay_here(struct shard *shard, const struct op *op,
                         struct record *record);
/* After the change: what the directory holds of this key is not forgotten. */
int relocate_replayed(struct shard *shard, const struct op *op,
                      struct record *record);

#endif
