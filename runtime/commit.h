/* commit.h: changing records: one op, several together, or at replay. */
#ifndef WARP_COMMIT_H
#define WARP_COMMIT_H

#include "db.h"

/* Commit ops together, all or nothing, over shards, in their order. Waits for
 * the disk when the strongest field written asks for it, or `power` does. */
int commit_ops(struct warp_db *db, struct op **ops, uint32_t count,
               bool power);
/* The same for one op; the fast path. */
int commit_op(struct warp_db *db, struct op *op, bool power);
/* Apply an op at replay; the record is made if needed. ordinal: the op's place
 * in its log record. */
int commit_replay(struct shard *shard, struct op *op, uint64_t seq,
                  uint32_t ordinal);

#endif
