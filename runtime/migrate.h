/* migrate.h: values of fields that the engine places (:auto, :hybrid, prefer:)
 * move by how often they are used, as a strategy's migration_thresholds say.
 *
 * hot_to_warm: what was used less often in its window leaves memory; ssd has
 * it. warm_to_cold: it goes on to disk, with the checkpoint behind the step
 * (row.h: tiered fields): the row is the owner, it names the place.
 * cold_to_archive: what rested on disk for its age goes to the archive the same
 * way; a value of the archive stays there until it is written. What is written
 * is on ssd again, what is read has a copy in memory. At a window's end a pass
 * looks at all records, a bounded number a step; counts and windows outlive a
 * restart (migrate_keep.c). Elements of series move by series_age.c. */
#ifndef WARP_MIGRATE_H
#define WARP_MIGRATE_H

#include "db.h"
#include "progress.h"
#include "text.h"

struct migrate;

/* For products with thresholds; db->migrate stays NULL where none has any. */
int migrate_open(struct warp_db *db);
void migrate_close(struct warp_db *db);

/* One step of the passes that are due; a pass that nobody wants
 * (auto_migration: false) is due when it is forced. *marked: records that wait
 * for a checkpoint; *more: the pass goes on. */
int migrate_step(struct warp_db *db, uint32_t rows, uint32_t *marked,
                 bool *more);
/* All windows end now; their passes are made to the end. WARP_TIMEOUT: stopped.
 */
struct migrate_moved {
    uint64_t to_disk, to_archive; /* records of which values went there */
};
int migrate_all(struct warp_db *db, const struct progress *progress,
                struct migrate_moved *moved);
/* Writes the counts of uses to the directory, now or if it is time: then in a
 * transaction under the checkpoint's lock. The keeper's, and at a close. */
void migrate_save(struct warp_db *db, bool now);
/* For explain: the last and the next move of a value of this field, as JSON
 * members. place: where it lies on disk or in the archive. */
void migrate_explain(struct warp_db *db, const struct layout *l,
                     uint32_t field, uint64_t hash, bool in_memory,
                     const struct disk_place *place, struct text *text);

#endif
