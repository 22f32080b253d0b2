/* rehome.h: a value that lies on the disk tier or in the archive is made dirty:
 * the next checkpoint writes it anew and frees its old place. Compaction and
 * migration move values so; there is no second mechanism. */
#ifndef WARP_REHOME_H
#define WARP_REHOME_H

#include "db.h"

/* The value at a place whose owner is this (row_cold_key), unpacked. *marked is
 * counted when the place is alive and its value was made dirty. WARP_ELIMIT: no
 * memory for it now. Takes the shard's lock. */
int rehome_value(struct warp_db *db, const void *owner, size_t owner_bytes,
                 struct disk_place place, const void *value, size_t bytes,
                 uint32_t *marked);

#endif
