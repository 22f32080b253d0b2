/* backup.h: a copy of an open store that is consistent over all its tiers.
 *
 * A backup is a directory of a store's shape: the ssd tier as a committed state
 * of LMDB, the disk segments that it may name, the log from the last checkpoint
 * before that state on, descriptors and header, and the manifest that seals
 * them (manifest.h). Opening it for writing is refused: `warp restore` makes a
 * store of it. */
#ifndef WARP_BACKUP_H
#define WARP_BACKUP_H

#include "db.h"
#include "progress.h"
#include "text.h"

/* Into a new or empty directory, or one with an earlier backup of the same
 * store: its segments are taken over (linked), and it is replaced as a whole
 * at the end; of the states that it held the newest `keep` stay restorable
 * (backup_keep.h). A reply {"target","bytes","files","linked","position",
 * "base","earlier","clock_ms"}. WARP_EEXIST: the directory holds something
 * else. */
int backup_run(struct warp_db *db, const char *target, uint32_t keep,
               const struct progress *progress, struct text *reply);
/* Removes a directory that holds nothing but a backup's or a store's files. */
int backup_remove(const char *dir);
/* Is there something in the directory? 1, 0 (also: no directory), or an
 * error. */
int backup_dir_used(const char *dir);

/* SSD_META "position": u64 number of the log's block behind all that the tiers
 * hold, written with each step of a checkpoint; 0: they hold nothing yet. */
int backup_base(struct ssd *ssd, uint64_t *block);

#endif
