/* evolve_part.h: what evolve.c and evolve_rows.c share: a plan per product. */
#ifndef WARP_EVOLVE_PART_H
#define WARP_EVOLVE_PART_H

#include "descriptor.h"
#include "catalog.h"
#include "evolve.h"

/* Bits of `old_` masks are places in the old schema, of `new_` in the new. */
struct evolve_product {
    const struct descriptor_product *before, *after; /* after NULL: it goes */
    const struct layout *old;
    struct layout *new;
    int32_t from[56];       /* of a new field: the old one, or -1 */
    uint64_t new_converted; /* the type differs */
    uint64_t new_built;     /* its index is built */
    uint64_t old_index_gone, old_series_gone, old_cold_gone;
    bool shorter;           /* the record's ttl is new or shorter */
    bool rewrite;           /* rows have another form */
    bool lazy;              /* of which every one can be read as it is */
};

struct evolve_loss {
    char *text;
    const char *product, *field, *new_field; /* names */
    int32_t old_product, old_field;          /* field -1: the whole product */
    uint64_t count;
    bool allowed;
};

struct evolve {
    struct warp_schema *old_schema; /* loaded; the handle's while it lives */
    const struct warp_schema *program;
    struct descriptor *old, *new;
    struct catalog next;
    struct evolve_product *plans; /* one for each old product */
    uint32_t plan_count;
    struct evolve_loss *losses;
    uint32_t loss_count;
    uint64_t turned, total; /* rows, for progress() */
    bool lazy; /* rows stay; what is rewritten now cannot wait */
    int failed;
};

int evolve_no_memory(void); /* WARP_ENOMEM, told */
/* Where a field's value stands; another place means other rows. 0: nowhere in
 * a row, 1 in it, 2 on ssd, 3 on disk, 4 in memory only, 5 a series, 6
 * on ssd or on disk. */
uint32_t evolve_place_of(const struct layout *l, uint32_t field);
/* Counts, for each loss, the records that hold a value. */
int evolve_count(struct warp_db *db, struct evolve *evolve);
/* May values of this old field be dropped? */
bool evolve_may_drop(const struct evolve *evolve, uint32_t old_product,
                     uint32_t old_field);
/* E4 up to the commit: all of one product. */
int evolve_product(struct warp_db *db, struct evolve *evolve, uint32_t product,
                   struct ssd_txn *txn);

#endif
