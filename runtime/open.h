/* open.h: the steps of an open, in their order; each may fail and leaves what
 * db_destroy() takes down. */
#ifndef WARP_OPEN_H
#define WARP_OPEN_H

#include "db.h"

/* The store's schema is the program's, or evolve_begin() takes over; a new
 * store gets it. The tiers are open. */
int open_schema(struct warp_db *db, bool is_new);
int open_layouts(struct warp_db *db);
/* The budgets that strategies, products and options name. */
int open_pools(struct warp_db *db);
int open_series(struct warp_db *db); /* and the archive; after the shards */
int open_tiers(struct warp_db *db, bool is_new);
/* What is learned of records that are used together, and what prefetches. */
int open_partners(struct warp_db *db);
int open_shards(struct warp_db *db);
/* Opens the log, replays it, and (unless read_only) starts it. */
int open_log(struct warp_db *db, bool is_new);

/* Private to db.c and its tests. */
int db_destroy(struct warp_db *db, bool orderly);

#endif
