/* keeper.h: the store's background thread that checkpoints and sweeps. */
#ifndef WARP_KEEPER_H
#define WARP_KEEPER_H

#include "db.h"

int keeper_start(struct warp_db *db);
void keeper_stop(struct warp_db *db); /* joins the loader (loader.h) too */
/* Of the log's flusher, while a checkpoint keeps the keeper: writers wait when
 * the log comes to its limit. db: the store. */
void keeper_watch_log(void *db);

/* One slice of the index: frees what has expired. Returns how many values or
 * records went. all: every segment of every shard. */
uint64_t sweep_run(struct warp_db *db, bool all);

#endif
