/* checkpoint.h: what the log holds goes to the tiers, then the log is cut. */
#ifndef WARP_CHECKPOINT_H
#define WARP_CHECKPOINT_H

#include "db.h"

/* One at a time; writers go on meanwhile. After an error nothing is lost: the
 * log is not cut and the records stay to be copied. */
int checkpoint_run(struct warp_db *db);

/* One bounded step: elements of series that are past the age of their tier move
 * on, what is past its retention goes. *more: call it again. force: whatever is
 * due, not only what is worth its while. */
int checkpoint_migrate(struct warp_db *db, bool force, bool *more);

/* SSD_META "checkpoint": u32 shards, u32 1, i64 clock mark, u64 bytes of rows
 * that must be in memory (with u32 0: of something else), then u64 floor for
 * each shard. floors: [shards], zeroed if there is none. */
int checkpoint_read(struct ssd *ssd, uint32_t shards, uint64_t *floors,
                    int64_t *clock_mark, uint64_t *pinned_bytes);

#endif
