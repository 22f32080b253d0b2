/* derive.h: derived fields of one record, on the spot, by the CPU.
 *
 * A formula is a function of the record; a kernel runs over one row. What a
 * pairwise kernel is paired with comes from db->columns (compute.c), because
 * reading other records is the work of a higher layer. */
#ifndef WARP_DERIVE_H
#define WARP_DERIVE_H

#include "layout.h"

struct warp_db;

enum { DERIVE_ARGS_MAX = 64 };

/* The columns of a pairwise kernel, by argument; NULL for the others. */
struct derive_columns {
    void *arg[DERIVE_ARGS_MAX];
    uint32_t count;
};
void derive_columns_free(struct derive_columns *columns);

/* The fields and all that they are computed from. */
uint64_t derive_inputs(const struct layout *l, uint64_t fields);
/* Those of `fields` whose inputs are in `record` get their value and their bit
 * in *have. `held`: the caller holds locks, other records cannot be read
 * then; what is paired with them must have been prepared. */
int derive_fields(struct warp_db *db, const struct layout *l, void *record,
                  uint64_t fields, uint64_t *have, bool held);

/* Before locks are taken: what `fields` are paired with is read for this
 * thread, so that derive_fields() finds it while they are held. */
int derive_prepare(struct warp_db *db, const struct layout *l, uint64_t fields);
void derive_unprepare(void);

/* Elements of a record's list, into places from `at` on of the arrays. */
void derive_items(const struct warp_kernel *k, const struct warp_product *desc,
                  const void *record, void *const *arg, uint32_t at);
uint32_t derive_item_count(const struct warp_kernel *k,
                           const struct warp_product *desc, const void *record);

#endif
