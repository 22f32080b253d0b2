/* compact.h: space of dead values in disk segments comes back.
 *
 * A live value of the emptiest segment is made dirty again: the next checkpoint
 * writes it to a new segment and frees the old place, after which the segment
 * holds nothing and is dropped. There is no second mechanism for moving. */
#ifndef WARP_COMPACT_H
#define WARP_COMPACT_H

#include "db.h"

enum { COMPACT_LIVE_PCT = 50 };

/* Takes one segment of which less than live_pct percent is alive. 1 when there
 * was one (a checkpoint must follow), 0 when there is none, or an error. */
int compact_step(struct warp_db *db, uint32_t live_pct);
/* Is enough dead that a step is worth its writes? */
bool compact_due(struct warp_db *db);

#endif
