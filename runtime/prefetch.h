/* prefetch.h: partners of what is used come into memory ahead of their use.
 *
 * A thread of its own serves a short queue; who asks never waits, and what does
 * not fit is dropped. It reads at most options.prefetch_reads_max records in a
 * second, and none while memory is short. Each is watched: a get within half a
 * minute makes it of use, else it was a waste. When less than half of them were
 * of use it switches itself off for a minute, and says so in the log. */
#ifndef WARP_PREFETCH_H
#define WARP_PREFETCH_H

#include "db.h"

/* Where a product with partners may leave memory; else db->prefetch is NULL. */
int prefetch_start(struct warp_db *db);
void prefetch_stop(struct warp_db *db);

/* Is something of the record, or all of it, not in memory? No I/O. */
bool prefetch_lacks(struct warp_db *db, const struct layout *l,
                    const struct key_ref *key);
/* Asks for this record, or for the partners of it. at_once: wakes the thread,
 * which is a system call; else it comes by within a fifth of a second. */
void prefetch_ask(struct warp_db *db, const struct layout *l,
                  const struct key_ref *key, bool partners, bool at_once);
/* A get used this record: was it brought here? */
void prefetch_used(struct warp_db *db, uint64_t hash);
void prefetch_stat(const struct warp_db *db, struct warp_stat *stat);

#endif
