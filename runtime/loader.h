/* loader.h: the thread that brings rows into memory after an open, and counts
 * the places of the disk tier that they hold.
 *
 * A place that was there at the open counts from the moment when the loader has
 * passed its record, or earlier when a commit gives it up: loader_count() comes
 * before that. So each is counted once, and no segment is dropped that a record
 * still needs. */
#ifndef WARP_LOADER_H
#define WARP_LOADER_H

#include "db.h"

struct record;

int loader_start(struct warp_db *db);
/* After the thread has ended. */
void loader_fini(struct warp_db *db);
/* Before the open's replay. */
int loader_init(struct warp_db *db);

/* Under the record's lock: it gives this place up. */
void loader_count(struct warp_db *db, const struct record *r,
                  struct disk_place place);

#endif
