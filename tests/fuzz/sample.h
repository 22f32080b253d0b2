/* sample.h: a small store over fuzz.warp with a value of every kind. */
#ifndef FUZZ_SAMPLE_H
#define FUZZ_SAMPLE_H

#include <warp/warp.h>

/* Opens or makes it; two shards, small rings, a clock that stands still. */
int sample_open(const char *path, struct warp_db **db);
/* Records from..to-1 of each product, as text that is imported. */
int sample_fill(struct warp_db *db, unsigned from, unsigned to);
/* A store of which half is in the tiers and half in the log and the rings. */
void sample_make(const char *path);
/* All subcommands of `warp` that read a store: verify, export, stat, explain
 * and metrics. What they print is dropped. */
void sample_read(const char *path);

#endif
