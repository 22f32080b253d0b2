/* evolve.h: a store whose schema is not the program's gets the program's.
 *
 * Order (E1..E4, cited by tests):
 * E1 the store is opened with the schema that wrote it, its log is replayed and
 *    checkpointed: no record of the log has to be read with another schema.
 * E2 what would be lost is counted; refused unless options allow it by name.
 * E3 schema/<n+1>.wsd is durable before anything is changed.
 * E4 one transaction of the directory rewrites the rows whose form changes,
 *    builds new indexes, takes away what was removed, and says that version
 *    n+1 is in use, with its numbers (catalog.h). Values that move to the disk
 *    tier are synced before it commits.
 *    Rows that can be read as they are stay, and are rewritten in the
 *    background (evolve_past.h), before the next change at the latest.
 * A crash before E4's commit leaves the old store, after it the new one. */
#ifndef WARP_EVOLVE_H
#define WARP_EVOLVE_H

#include "db.h"

struct evolve;

/* The schema's descriptor as schema/<version>.wsd; durable at return. */
int evolve_write_schema(struct warp_db *db, const struct warp_schema *schema,
                        uint32_t version);

/* Takes away the successor that a change of schema left which did not come to
 * its end, so that the newest file is the schema in use. */
void evolve_forget(struct warp_db *db);

/* Called by open_schema() with the bytes of the schema in use: from here on the
 * handle opens the store as that schema. */
int evolve_begin(struct warp_db *db, const char *path, const uint8_t *bytes,
                 size_t count);
/* With everything open and no keeper: E1 to E4; the log is stopped then and the
 * handle is only good for db_destroy(). WARP_ESCHEMA with the list of what
 * would be lost. */
int evolve_run(struct warp_db *db);
void evolve_end(struct evolve **evolve);

#endif
