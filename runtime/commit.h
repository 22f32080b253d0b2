/* commit.h: changing records: one op, or several together. */
#ifndef WARP_COMMIT_H
#define WARP_COMMIT_H

#include "db.h"

/* Commit ops together, all or nothing, over shards, in their order. Waits for
 * the disk when the strongest field written asks for it, or `power` does. */
int commit_ops(struct warp_db *db, struct op **ops, uint32_t count,
               bool power);
/* The same for one op; the fast path. */
int commit_op(struct warp_db *db, struct op *op, bool power);

#endif
