/* column.c: arrays beside the rows; the contract is in column.h. */
#include "column.h"

#include "codec.h"
#include "error.h"
#include "os.h"

#include <stdlib.h>

enum {
    ROWS_MAX = 1 << 26,
    ROWS_LEAST = 1 << 16, /* with less address space than for these: give up */
    STEP_BYTES = 1 << 20  /* charged to the budget at once, at most */
};
#define SPACE_BYTES_MAX (UINT64_C(64) << 30) /* of one array */

struct column {
    uint8_t *data;
    _Atomic uint64_t *changed; /* a bit for each page of data */
    uint32_t stride, field;
    const struct warp_type *type;
};

struct column_set {
    const struct layout *layout;
    struct budget *budget;
    uint32_t rows;
    uint32_t room;     /* rows that the budget knows of */
    uint32_t rows_max; /* that the reserved space holds */
    uint32_t row_bytes;
    struct record **owners;
    uint8_t *scratch; /* one C value */
    uint32_t count;
    struct column columns[];
};

static size_t words_bytes(const struct column_set *set,
                          const struct column *c)
{
    size_t pages =
        (size_t)set->rows_max * c->stride / COLUMN_PAGE_BYTES + 2;
    return (pages / 64 + 1) * sizeof *c->changed;
}

static struct column *column_of(const struct column_set *set, uint32_t field)
{
    return (struct column *)(uintptr_t)&set
        ->columns[set->layout->fields[field].slot];
}

/* ---- making a set ---- */

static void unreserve(struct column_set *set)
{
    os_unreserve(set->owners, set->rows_max * sizeof *set->owners);
    set->owners = NULL;
    for (uint32_t i = 0; i < set->count; i++) {
        struct column *c = &set->columns[i];
        os_unreserve(c->data, (size_t)set->rows_max * c->stride);
        os_unreserve((void *)c->changed, words_bytes(set, c));
        c->data = NULL;
        c->changed = NULL;
    }
}

static bool reserve(struct column_set *set, struct heap_kind kind)
{
    set->owners = os_reserve(set->rows_max * sizeof *set->owners);
    bool all = set->owners != NULL;
    for (uint32_t i = 0; i < set->count && all; i++) {
        struct column *c = &set->columns[i];
        c->data = os_reserve((size_t)set->rows_max * c->stride);
        c->changed = os_reserve(words_bytes(set, c));
        all = c->data && c->changed;
        if (all)
            heap_kind_set(c->data, (size_t)set->rows_max * c->stride, kind);
    }
    if (!all)
        unreserve(set);
    return all;
}

int column_set_create(const struct layout *l, struct budget *budget,
                      struct heap_kind kind, struct column_set **out)
{
    uint32_t count = (uint32_t)__builtin_popcountll(l->columns);
    struct column_set *set =
        calloc(1, sizeof *set + count * sizeof *set->columns);
    uint32_t widest = 0;
    *out = NULL;
    if (!set)
        return error_set(WARP_ENOMEM, "out of memory for columns");
    set->layout = l;
    set->budget = budget;
    set->count = count;
    set->row_bytes = sizeof *set->owners;
    FOR_BITS(i, l->columns)
    {
        struct column *c = column_of(set, (uint32_t)i);
        c->field = (uint32_t)i;
        c->type = l->desc->fields[i].type;
        c->stride = c->type->size;
        set->row_bytes += c->stride;
        if (c->stride > widest)
            widest = c->stride;
    }
    set->scratch = malloc(widest);
    set->rows_max = ROWS_MAX;
    if ((uint64_t)set->rows_max * widest > SPACE_BYTES_MAX)
        set->rows_max = (uint32_t)(SPACE_BYTES_MAX / widest);
    while (set->scratch && set->rows_max >= ROWS_LEAST && !reserve(set, kind))
        set->rows_max /= 2;
    if (!set->owners) {
        free(set->scratch);
        free(set);
        return error_set(WARP_ENOMEM, "%s: no address space for its columns",
                         l->desc->name);
    }
    *out = set;
    return WARP_OK;
}

void column_set_destroy(struct column_set **handle)
{
    struct column_set *set = *handle;
    if (!set)
        return;
    *handle = NULL;
    budget_give(set->budget, (uint64_t)set->room * set->row_bytes);
    unreserve(set);
    free(set->scratch);
    free(set);
}

/* ---- rows ---- */

/* The record's row, or rows_max. A reader may see any number. */
static uint32_t row_of(const struct column_set *set, const struct record *r)
{
    uint64_t number = row_load(r, set->layout->column_row) - 1;
    return number < set->rows_max ? (uint32_t)number : set->rows_max;
}

static uint8_t *value_at(const struct column *c, uint32_t row)
{
    return c->data + (size_t)row * c->stride;
}

static void set_value(struct column *c, uint32_t row, const uint8_t *value)
{
    size_t at = (size_t)row * c->stride;
    record_copy_in(c->data + at, value, c->stride);
    for (size_t page = at / COLUMN_PAGE_BYTES;
         page <= (at + c->stride - 1) / COLUMN_PAGE_BYTES; page++)
        atomic_fetch_or_explicit(&c->changed[page / 64],
                                 UINT64_C(1) << page % 64,
                                 memory_order_relaxed);
}

static int grow(struct column_set *set)
{
    uint32_t step = set->room / 2, most = STEP_BYTES / set->row_bytes;
    if (step > most)
        step = most;
    if (step < 64)
        step = 64;
    if (step > set->rows_max - set->room)
        step = set->rows_max - set->room;
    if (step == 0)
        return error_set(WARP_ELIMIT,
                         "%s: a shard holds no more than %u records with "
                         "columns",
                         set->layout->desc->name, set->rows_max);
    if (!budget_take(set->budget, (uint64_t)step * set->row_bytes))
        return error_set(WARP_ELIMIT,
                         "memory_max_bytes (%llu) is reached: no room for "
                         "the columns of %s",
                         (unsigned long long)atomic_load(&set->budget->limit),
                         set->layout->desc->name);
    set->room += step;
    return WARP_OK;
}

int column_take(struct column_set *set, struct record *r)
{
    int rc = set->rows < set->room ? WARP_OK : grow(set);
    if (rc != WARP_OK)
        return rc;
    uint32_t row = set->rows++;
    set->owners[row] = r;
    for (uint32_t i = 0; i < set->count; i++) {
        memset(set->scratch, 0, set->columns[i].stride);
        set_value(&set->columns[i], row, set->scratch);
    }
    row_store(r, set->layout->column_row, (uint64_t)row + 1);
    return WARP_OK;
}

/* Pages behind the last row go when half of them hold nothing. */
static void shrink(struct column_set *set)
{
    uint32_t room = set->rows + set->rows / 4 + 64;
    if ((uint64_t)set->room * set->row_bytes < 2 * STEP_BYTES ||
        room > set->room / 2)
        return;
    for (uint32_t i = 0; i < set->count; i++) {
        struct column *c = &set->columns[i];
        size_t from = (size_t)room * c->stride, to = (size_t)set->room *
                                                     c->stride;
        from += COLUMN_PAGE_BYTES - 1;
        from -= from % COLUMN_PAGE_BYTES;
        if (from < to)
            os_release(c->data + from, to - from);
    }
    budget_give(set->budget, (uint64_t)(set->room - room) * set->row_bytes);
    set->room = room;
}

void column_drop(struct column_set *set, struct record *r)
{
    uint32_t row = row_of(set, r), last = set->rows - 1;
    struct record *moved = set->owners[last];
    if (row >= set->rows)
        return;
    row_store(r, set->layout->column_row, 0);
    if (row != last) {
        record_begin(moved);
        for (uint32_t i = 0; i < set->count; i++) {
            struct column *c = &set->columns[i];
            record_copy_out(set->scratch, value_at(c, last), c->stride);
            set_value(c, row, set->scratch);
        }
        row_store(moved, set->layout->column_row, (uint64_t)row + 1);
        set->owners[row] = moved;
        record_end(moved, record_version(moved));
    }
    set->rows = last;
    shrink(set);
}

/* ---- values ---- */

int column_write(struct column_set *set, struct record *r, uint32_t field,
                 const uint8_t *wire)
{
    struct column *c = column_of(set, field);
    const uint8_t *value = wire;
    if (!c->type->plain) {
        memset(set->scratch, 0, c->stride);
        /* Types of a fixed size need no arena. */
        int rc = codec_decode(c->type, wire, c->type->wire_bytes,
                              set->scratch, NULL);
        if (rc != WARP_OK)
            return rc;
        value = set->scratch;
    }
    set_value(c, row_of(set, r), value);
    return WARP_OK;
}

uint8_t *column_encode(const struct column_set *set, const struct record *r,
                       uint32_t field, uint8_t *to)
{
    const struct column *c = column_of(set, field);
    const uint8_t *value = value_at(c, row_of(set, r));
    if (!c->type->plain)
        return codec_encode(c->type, value, to);
    memcpy(to, value, c->stride);
    return to + c->stride;
}

const uint8_t *column_plain(const struct column_set *set,
                            const struct record *r, uint32_t field)
{
    const struct column *c = column_of(set, field);
    return c->type->plain ? value_at(c, row_of(set, r)) : NULL;
}

bool column_read(const struct column_set *set, const struct record *r,
                 uint32_t field, void *to)
{
    const struct column *c = column_of(set, field);
    uint32_t row = row_of(set, r);
    if (row == set->rows_max)
        return false;
    record_copy_out(to, value_at(c, row), c->stride);
    return true;
}

uint32_t column_rows(const struct column_set *set)
{
    return set->rows;
}

const struct record *column_owner(const struct column_set *set, uint32_t row)
{
    return set->owners[row];
}

const uint8_t *column_values(const struct column_set *set, uint32_t field)
{
    return column_of(set, field)->data;
}

int column_changed(struct column_set *set, uint32_t field,
                   int (*fn)(void *arg, size_t from, size_t bytes), void *arg)
{
    struct column *c = column_of(set, field);
    size_t bytes = (size_t)set->rows * c->stride;
    size_t pages = (bytes + COLUMN_PAGE_BYTES - 1) / COLUMN_PAGE_BYTES;
    size_t first = 0, count = 0; /* a run of changed pages */
    int rc = 0;
    for (size_t page = 0; page <= pages; page++) {
        if (count == 0 && page % 64 == 0 &&
            atomic_load_explicit(&c->changed[page / 64],
                                 memory_order_relaxed) == 0) {
            page += 63; /* words of nothing */
            continue;
        }
        bool set_here =
            page < pages &&
            (atomic_load_explicit(&c->changed[page / 64],
                                  memory_order_relaxed) >>
                 page % 64 &
             1);
        if (set_here) {
            first = count++ == 0 ? page : first;
            continue;
        }
        if (count == 0)
            continue;
        rc = fn(arg, first * COLUMN_PAGE_BYTES, count * COLUMN_PAGE_BYTES);
        if (rc != 0)
            return rc;
        for (; count > 0; count--, first++)
            atomic_fetch_and_explicit(&c->changed[first / 64],
                                      ~(UINT64_C(1) << first % 64),
                                      memory_order_relaxed);
    }
    return 0;
}
