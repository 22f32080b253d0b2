/* verify.h: is all of a store what was written? Read-only.
 *
 * Of a closed store or a backup: the manifest and every file that it names, the
 * header, the descriptors, every page and value of the ssd tier, every block of
 * the disk segments, the log and its rings, every row, and every reference from
 * a row to a tier. Of an open one, by its owner: the tiers and references. */
#ifndef WARP_VERIFY_H
#define WARP_VERIFY_H

#include "db.h"
#include "progress.h"
#include "text.h"

/* A reply {"findings":["…"],"finding_count":N,"rows":N,"values":N,"files":N}.
 * The result is an error only if the check itself could not go on. */
int verify_store(const char *path, const struct progress *progress,
                 struct text *reply);
int verify_open(struct warp_db *db, const struct progress *progress,
                struct text *reply);

/* ---- the parts ---- */
enum { VERIFY_FINDINGS_MAX = 1000 }; /* that are told */
struct verify {
    struct text findings;
    uint32_t count;
    uint64_t rows, values, files;
    const struct progress *progress;
    bool stopped;
};
void verify_tell(void *verify, const char *text);
void verify_step(struct verify *v, const char *what, uint64_t done,
                 uint64_t total);

/* verify_rows.c: every row, what it refers to, and the elements of series. */
struct verify_tiers {
    struct ssd *ssd;
    struct disk *disk;
    struct archive *archive;
    struct series *series; /* NULL: it could not be opened */
    struct layout *const *layouts;
    uint32_t layout_count;
};
int verify_rows(struct verify *v, const struct verify_tiers *tiers);

#endif
