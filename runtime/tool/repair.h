/* repair.h: what the parts of `warp repair` share: the damaged store, what of
 * it could be opened, the new store, and the list of what is lost. */
#ifndef WARP_TOOL_REPAIR_H
#define WARP_TOOL_REPAIR_H

#include "departed.h"
#include "record.h"

#include "../archive.h"
#include "../disk.h"
#include "../evolve_past.h"
#include "../header.h"
#include "../series.h"

struct repair {
    const char *from;
    struct header header;
    bool has_header;
    struct warp_schema *schema;
    struct layout **layouts;
    uint32_t layout_count;
    struct ssd *ssd;
    struct disk *disk;
    struct archive *archive;
    struct series *series;
    struct evolve_past *past;
    struct budget budget;
    struct warp_db *out;
    struct tool_bar bar;
    struct os_lock lock; /* the log is applied by several threads */
    struct os_lock row_lock; /* one row at a time, with what reads it */
    struct departed departed;
    struct text lost;
    uint64_t lost_count, rows, commits;
};

struct row {
    struct repair *r;
    const struct layout *l;
    const struct layout *form; /* of the stored row: l, or one before */
    const uint8_t *key;
    uint32_t key_bytes, field;
    uint8_t *record;
    uint64_t mask;
    struct warp_arena arena;
};

/* Something that is lost. */
void repair_tell(void *arg, const char *text);
void repair_tell_event(void *arg, int code, const char *text);
void repair_tell_record(struct repair *r, const struct layout *l,
                        const uint8_t *key, uint32_t key_bytes, int field,
                        const char *what);

/* ---- repair_row.c: what the tiers hold ---- */
/* What the new store refuses ends the repair; what the old one has lost is
 * told. */
int repair_rows(struct repair *r);
int repair_row(struct repair *r, struct ssd_slice key, struct ssd_slice value);
/* One value of the row's field, packed if raw is not 0, into its record. */
int repair_value(struct row *w, const uint8_t *data, uint32_t bytes,
                 uint32_t raw);
/* The key's C form, from the bytes of a row's key. */
void *repair_key(struct row *w);
/* Of a field, or 56: of the record. */
int repair_deadline(struct row *w, uint32_t field, int64_t deadline);

/* ---- repair_series.c ---- */
/* What a change of the log means for the series of its record. */
int repair_element(struct repair *r, const struct op *op, uint64_t seq,
                   uint32_t ordinal);
/* Behind rows and log: the elements of every record that is in the new store,
 * those that the log holds, too. */
int repair_series(struct repair *r);

/* ---- repair_log.c: what the log holds ---- */
int repair_log(struct repair *r);

#endif
