/* column.h: fields with layout: :column, of one product in one shard.
 *
 * Each such field is an array of C values in the order of row numbers; a
 * record keeps its number in its row (layout.h: column_row; 0 is none). Rows
 * are dense: when a record goes, the last one moves into its place. Writers
 * hold the shard's lock and are inside record_begin and record_end of the
 * record that they change; readers take no lock, as with rows (record.h). The
 * arrays are reserved address space, so no address ever changes. */
#ifndef WARP_COLUMN_H
#define WARP_COLUMN_H

#include "heap.h"
#include "layout.h"
#include "record.h"

struct column_set;

/* The set of a product with columns. */
int column_set_create(const struct layout *l, struct budget *budget,
                      struct heap_kind kind, struct column_set **set);
void column_set_destroy(struct column_set **set);

/* ---- under the shard's lock ---- */

/* A row of zeros for a new record. WARP_ELIMIT with the text set. */
int column_take(struct column_set *set, struct record *record);
/* The record goes; its row is the last one's now. */
void column_drop(struct column_set *set, struct record *record);
/* From a value's wire bytes. WARP_ECORRUPT: nothing was written. */
int column_write(struct column_set *set, struct record *record, uint32_t field,
                 const uint8_t *wire);
/* The value's wire bytes; returns the end. */
uint8_t *column_encode(const struct column_set *set,
                       const struct record *record, uint32_t field,
                       uint8_t *to);
/* The same where they lie, or NULL for a type whose C bytes are others. */
const uint8_t *column_plain(const struct column_set *set,
                            const struct record *record, uint32_t field);
uint32_t column_rows(const struct column_set *set);
/* Of a row; rows count from 0 here. */
const struct record *column_owner(const struct column_set *set, uint32_t row);
/* column_rows() values of a field, type->size bytes each. */
const uint8_t *column_values(const struct column_set *set, uint32_t field);
/* What changed in a field's array since the last call, in byte ranges of whole
 * COLUMN_PAGE_BYTES; for copies elsewhere, of which one caller keeps track. A
 * non-zero result of fn ends it, and what was not told is told again. */
enum { COLUMN_PAGE_BYTES = 4096 };
int column_changed(struct column_set *set, uint32_t field,
                   int (*fn)(void *arg, size_t from, size_t bytes),
                   void *arg);

/* ---- without a lock ---- */

/* Copies the C value. false: the record has changed meanwhile. */
bool column_read(const struct column_set *set, const struct record *record,
                 uint32_t field, void *to);

#endif
