/* unique.h: is a unique value taken by another record? */
#ifndef WARP_UNIQUE_H
#define WARP_UNIQUE_H

#include "apply.h"

/* A record that may hold the value is not in memory. Whoever has locks cannot
 * wait for those that it takes to bring it there. */
enum { UNIQUE_AWAY = 3 };

/* Under the shard's lock and the store's unique lock. WARP_EEXIST, or
 * UNIQUE_AWAY: unique_bring() without any lock, then all once more. */
int unique_check(struct warp_db *db, struct op *op, struct plan *plan);
int unique_bring(struct warp_db *db, struct op **ops, uint32_t count);

#endif
