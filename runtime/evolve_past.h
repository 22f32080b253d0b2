/* evolve_past.h: rows that stay in the form of the schema before.
 *
 * A change of schema that cannot fail leaves the rows where they are (E4 says
 * which version they may still be of). They are read as they are (row_past.h)
 * and rewritten in steps, each a checkpoint: a crash leaves every row in one of
 * the two forms. When none of the old form is left the entry goes. */
#ifndef WARP_EVOLVE_PAST_H
#define WARP_EVOLVE_PAST_H

#include "db.h"
#include "progress.h"

struct evolve_past;

/* Of a store's files: the form before, for the layouts that have one; *past is
 * NULL where the store has none. `schema` and `layouts` are those of now, with
 * the store's numbers; schema_dir holds <n>.wsd. */
int evolve_past_open(struct ssd *ssd, struct disk *disk,
                     struct archive *const *archive,
                     const char *schema_dir, uint8_t survives,
                     const struct warp_schema *schema,
                     struct layout *const *layouts, uint32_t count,
                     struct evolve_past **past);
void evolve_past_close(struct evolve_past **past);

/* Does an open store have rows of the form before? */
bool evolve_pending(const struct warp_db *db);
/* Marks at most `rows` of them for the next checkpoint, and when there are none
 * any more says so in the directory. *marked: how many. */
int evolve_move(struct warp_db *db, uint32_t rows, uint32_t *marked);
/* All that are left; progress may be NULL. *moved: how many. WARP_TIMEOUT:
 * stopped, what was moved stays so. */
int evolve_finish(struct warp_db *db, const struct progress *progress,
                  uint64_t *moved);

#endif
