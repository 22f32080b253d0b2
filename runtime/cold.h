/* cold.h: values that are on a tier only. */
#ifndef WARP_COLD_H
#define WARP_COLD_H

#include "db.h"

/* The wire bytes of a field that its tier holds; `alloc` says where they go.
 * place: of a field that has one, else zeros. WARP_ENOTFOUND: the tier has
 * another version by now; look at the record again. */
int cold_fetch(struct warp_db *db, const struct layout *l,
               const struct key_ref *key, uint32_t field,
               const struct disk_place *place, disk_alloc_fn *alloc,
               void *arg);
/* Under the shard's lock: a fixed number of at most `room` bytes. */
int cold_number(struct shard *shard, const struct layout *l,
                const struct record *r, uint32_t field, uint8_t *to,
                uint32_t room);

#endif
