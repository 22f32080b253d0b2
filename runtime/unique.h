/* unique.h: is a unique value taken by another record? */
#ifndef WARP_UNIQUE_H
#define WARP_UNIQUE_H

#include "apply.h"

/* Under the shard's lock and the store's unique lock. WARP_EEXIST. */
int unique_check(struct warp_db *db, struct op *op, struct plan *plan);

#endif
