/* pace.h: while a checkpoint runs, the log may grow as fast as the checkpoint
 * gets on, so that both end together: writers are slowed down a little all the
 * time, and do not stop at log_bytes_max for the rest of it. */
#ifndef WARP_PACE_H
#define WARP_PACE_H

#include "db.h"

/* The checkpoint of so many records, with so many bytes, begins; has done the
 * work of `done` of them, of which a part may be half done; ends. One thread at
 * a time. */
void pace_begin(struct warp_db *db, uint64_t records, uint64_t bytes);
void pace_step(struct warp_db *db, uint64_t done);
void pace_end(struct warp_db *db, bool good);

/* How long a checkpoint of what is dirty would take, by the last one that was
 * long, or by a guess. */
uint64_t pace_takes_ms(const struct warp_db *db);

/* No lock is held: a writer is about to append so many bytes. May sleep:
 * PACE_SLEEP_MS at most, but for a batch of many KiB. */
enum { PACE_SLEEP_MS = 10 };
void pace_wait(struct warp_db *db, uint64_t bytes);

#endif
