/* derive.c: see derive.h. */
#include "derive.h"

#include "db.h"
#include "error.h"

#include <stdlib.h>

void derive_columns_free(struct derive_columns *columns)
{
    for (int i = 0; i < DERIVE_ARGS_MAX; i++)
        free(columns->arg[i]);
    memset(columns, 0, sizeof *columns);
}

uint64_t derive_inputs(const struct layout *l, uint64_t fields)
{
    uint64_t before;
    do {
        before = fields;
        FOR_BITS(i, before & l->derived)
        fields |= l->desc->fields[i].inputs;
    } while (fields != before);
    return fields;
}

static const struct warp_list *list_of(const struct warp_kernel *k,
                                       const struct warp_product *desc,
                                       const void *record)
{
    return (const void *)((const char *)record + desc->fields[k->list].offset);
}

uint32_t derive_item_count(const struct warp_kernel *k,
                           const struct warp_product *desc, const void *record)
{
    return k->segments ? (uint32_t)list_of(k, desc, record)->count : 0;
}

void derive_items(const struct warp_kernel *k, const struct warp_product *desc,
                  const void *record, void *const *arg, uint32_t at)
{
    if (!k->segments || !k->take_item)
        return;
    const struct warp_list *list = list_of(k, desc, record);
    uint32_t size = desc->fields[k->list].type->elem->size;
    for (uint32_t i = 0; i < list->count; i++)
        k->take_item((const char *)list->data + (size_t)i * size, arg, at + i);
}

/* ---- prepared for this thread ---- */

enum { PREPARED_MAX = 56 };
static _Thread_local struct {
    const struct warp_kernel *kernel;
    struct derive_columns columns;
} * prepared;
static _Thread_local uint32_t prepared_count;

void derive_unprepare(void)
{
    for (uint32_t i = 0; i < prepared_count; i++)
        derive_columns_free(&prepared[i].columns);
    free(prepared);
    prepared = NULL;
    prepared_count = 0;
}

int derive_prepare(struct warp_db *db, const struct layout *l, uint64_t fields)
{
    int rc = WARP_OK;
    FOR_BITS(i, derive_inputs(l, fields) & l->derived)
    {
        const struct warp_kernel *k = l->desc->fields[i].kernel;
        if (!k || !k->pairs || rc != WARP_OK)
            continue;
        if (!prepared)
            prepared = calloc(PREPARED_MAX, sizeof *prepared);
        if (!prepared)
            rc = error_set(WARP_ENOMEM, "%s: out of memory for its columns",
                           k->name);
        else
            rc = db->columns(db, k, false, &prepared[prepared_count].columns);
        if (rc == WARP_OK)
            prepared[prepared_count++].kernel = k;
    }
    if (rc != WARP_OK)
        derive_unprepare();
    return rc;
}

static const struct derive_columns *prepared_for(const struct warp_kernel *k)
{
    for (uint32_t i = 0; i < prepared_count; i++)
        if (prepared[i].kernel == k)
            return &prepared[i].columns;
    return NULL;
}

/* ---- one row ---- */

struct row {
    uint64_t scalars[DERIVE_ARGS_MAX]; /* arrays of one element */
    void *arg[DERIVE_ARGS_MAX];
    uint32_t offsets[2];
    void *items; /* one block for all arrays of items */
};

/* Arrays of items, 8 bytes for each element. */
static bool make_items(struct row *row, const struct warp_kernel *k,
                       uint32_t count)
{
    size_t bytes = ((size_t)count + 1) * 8;
    row->items = k->segments ? malloc(bytes * k->arg_count) : NULL;
    if (k->segments && !row->items)
        return false;
    for (uint32_t i = 0; i < k->arg_count; i++)
        if (k->args[i].side == WARP_SIDE_ITEM)
            row->arg[i] = (char *)row->items + bytes * i;
    return true;
}

static int run_row(struct warp_db *db, const struct warp_product *desc,
                   const struct warp_kernel *k, void *record, void *result,
                   bool held, bool *done)
{
    struct row row = {.items = NULL};
    struct derive_columns own = {.count = 0};
    const struct derive_columns *columns = held ? prepared_for(k) : NULL;
    uint32_t items = derive_item_count(k, desc, record);
    if (!columns && k->pairs) {
        int rc = db->columns(db, k, held, &own);
        if (rc != WARP_OK)
            return rc == WARP_END ? WARP_OK : rc; /* no value here */
    }
    columns = columns ? columns : &own;
    if (k->arg_count > DERIVE_ARGS_MAX || !make_items(&row, k, items)) {
        derive_columns_free(&own);
        return error_set(WARP_ENOMEM, "%s: out of memory for its elements",
                         k->name);
    }
    row.offsets[1] = items;
    for (uint32_t i = 0; i < k->arg_count; i++) {
        if (k->args[i].side == WARP_SIDE_ROW)
            row.arg[i] = &row.scalars[i];
        else if (k->args[i].side == WARP_SIDE_OFFSETS)
            row.arg[i] = row.offsets;
        else if (k->args[i].side == WARP_SIDE_COL)
            row.arg[i] = columns->arg[i];
        else if (k->args[i].side == WARP_SIDE_RESULT)
            row.arg[i] = result;
    }
    if (k->take)
        k->take(record, row.arg, 0);
    derive_items(k, desc, record, row.arg, 0);
    k->run(&(struct warp_kernel_args){1, columns->count, items, row.arg});
    *done = true;
    free(row.items);
    derive_columns_free(&own);
    return WARP_OK;
}

/* Fields that are computed from derived ones wait for those. */
int derive_fields(struct warp_db *db, const struct layout *l, void *record,
                  uint64_t fields, uint64_t *have, bool held)
{
    uint64_t open = fields & l->derived, before;
    do {
        before = open;
        FOR_BITS(i, before)
        {
            const struct warp_field *f = &l->desc->fields[i];
            void *result = (char *)record + f->offset;
            bool done = f->derive != NULL;
            if ((!f->derive && !f->kernel) || (f->inputs & ~(*have | l->keys)))
                continue;
            if (f->derive) {
                f->derive(record, result);
            } else {
                int rc = run_row(db, l->desc, f->kernel, record, result, held,
                                 &done);
                if (rc != WARP_OK)
                    return rc;
            }
            open &= ~(UINT64_C(1) << i);
            if (done)
                *have |= UINT64_C(1) << i;
        }
    } while (open != before);
    return WARP_OK;
}
