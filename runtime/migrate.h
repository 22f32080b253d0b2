/* migrate.h: values of fields that the engine places (:auto, :hybrid, prefer:)
 * move by how often they are used, as a strategy's migration_thresholds say.
 *
 * hot_to_warm: what was used less often in its window leaves memory; ssd has
 * it. warm_to_cold: it goes on to disk, with the checkpoint behind the step
 * (row.h: tiered fields): the row is the owner, it names the place. What is
 * written is on ssd again, what is read has a copy in memory. A window begins
 * when the store is opened; at its end a pass looks at all records, a bounded
 * number a step. Ages and archives are series' (series_age.c). */
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
/* All windows end now; their passes are made to the end. *moved: values that
 * went to disk. WARP_TIMEOUT: stopped. */
int migrate_all(struct warp_db *db, const struct progress *progress,
                uint64_t *moved);
/* For explain: the last and the next move of a value of this field, as JSON
 * members. */
void migrate_explain(struct warp_db *db, const struct layout *l,
                     uint32_t field, uint64_t hash, bool in_memory,
                     bool on_disk, struct text *text);

#endif
