/* far.h: values that lie outside the directory: on the disk tier, or, of a
 * field that the engine places, in the archive. One kind of place names both
 * (disk.h), so that a row, a checkpoint and a check need not know which. */
#ifndef WARP_FAR_H
#define WARP_FAR_H

#include "archive.h"
#include "disk.h"

/* archive may be NULL where none is open: WARP_ECORRUPT for a place in it. */
int far_read(struct disk *disk, struct archive *archive,
             struct disk_place place, disk_alloc_fn *alloc, void *arg);
/* Is the value at the place, and does it say this owner? WARP_ECORRUPT. */
int far_check(struct disk *disk, struct archive *archive,
              struct disk_place place, const void *owner, size_t owner_bytes);
void far_recount(struct disk *disk, struct archive *archive,
                 struct disk_place place);
void far_free(struct disk *disk, struct archive *archive,
              struct disk_place place);

/* Into the archive's open segment (archive_append). */
int far_archive(struct archive *archive, const void *owner, size_t owner_bytes,
                const void *value, size_t bytes, struct disk_place *place);
/* A time as disk_place.since has it. */
uint32_t far_minutes(int64_t ms);
struct disk_place far_of_archive(struct archive_place place);

#endif
