/* compute_mirror.c: a batch that reads columns which devices hold (mirror.h).
 *
 * Keys are put in the order of their rows, so that neighbours in the batch are
 * neighbours in the columns. When a batch is gathered, its inputs from columns
 * are read once more, a chunk of rows of a shard in one moment, together with
 * what the device lacks: only then its copy and the batch's values are the
 * same. Writers wait for a chunk at most. */
#include "compute.h"

#include "forward.h"
#include "read.h"

#include <stdlib.h>

enum {
    FRESH_BYTES_MAX = 8 << 20, /* of one batch */
    CHUNK_ROWS = 256,          /* under one hold of a shard's lock */
    DENSE = 16 /* a page is brought for a batch that reads 1/16 of it */
};

bool compute_mirrors(const struct compute_kernel *k, const struct layout *l)
{
    for (uint32_t i = 0; i < k->from->arg_count; i++)
        if (compute_mirrored(k, l, i) >= 0)
            return true;
    return false;
}

int compute_mirrored(const struct compute_kernel *k, const struct layout *l,
                     uint32_t arg)
{
    const struct warp_kernel_arg *a = &k->from->args[arg];
    uint32_t field = a->source - 1u;
    if (a->side != WARP_SIDE_ROW || a->source == 0 ||
        field >= l->desc->field_count || !(l->columns >> field & 1))
        return -1;
    const struct warp_field *f = &l->desc->fields[field];
    return f->home == WARP_HOME_GPU && f->type->plain &&
                   f->type->size == a->bytes
               ? (int)field
               : -1;
}

/* ---- the order of keys ---- */

struct placed {
    uint64_t at; /* shard << 32 | row */
    uint32_t key;
};

/* A guess: the record may change at any time. */
static uint64_t place_of(struct warp_db *db, const struct layout *l,
                         const struct key_ref *ref)
{
    uint32_t shard = forward_shard(db, l, ref)->number;
    _Atomic uint64_t *slot;
    const struct record *r = shard_peek(&db->shards[shard], ref, &slot);
    uint64_t row = 0;
    if (r) {
        uint64_t word = record_read_begin(r);
        if (!(word & 1) && shard_matches(r, ref))
            row = row_load(r, l->column_row) & UINT32_MAX;
    }
    return (uint64_t)shard << 32 | row;
}

/* By one byte of `at`. */
static void sort_by(const struct placed *from, struct placed *to,
                    uint32_t count, unsigned shift)
{
    uint32_t at[256] = {0}, sum = 0;
    for (uint32_t i = 0; i < count; i++)
        at[from[i].at >> shift & 0xff]++;
    for (int i = 0; i < 256; i++) {
        uint32_t n = at[i];
        at[i] = sum;
        sum += n;
    }
    for (uint32_t i = 0; i < count; i++)
        to[at[from[i].at >> shift & 0xff]++] = from[i];
}

uint32_t *compute_order(struct warp_db *db, const struct compute_keys *keys)
{
    struct placed *a = malloc(keys->count * sizeof *a);
    struct placed *b = malloc(keys->count * sizeof *b);
    uint32_t *order = malloc(keys->count * sizeof *order);
    uint64_t all = 0;
    for (uint32_t i = 0; a && b && order && i < keys->count; i++) {
        struct key_ref ref = compute_key(db, keys, i);
        a[i] = (struct placed){place_of(db, keys->layout, &ref), i};
        all |= a[i].at;
    }
    for (unsigned shift = 0; a && b && order && shift < 64; shift += 8) {
        if (!(all >> shift & 0xff))
            continue;
        sort_by(a, b, keys->count, shift);
        struct placed *sorted = b;
        b = a;
        a = sorted;
    }
    if (!a || !b) {
        free(order);
        order = NULL;
    }
    for (uint32_t i = 0; order && i < keys->count; i++)
        order[i] = a[i].key;
    free(a);
    free(b);
    return order;
}

/* ---- one moment of a shard, or several ---- */

struct reading {
    struct compute_mirror *out;
    struct column_set *set;
    struct shard *shard;
    const struct layout *l;
    uint64_t fields; /* that are read as columns */
    int64_t now;
    uint32_t number; /* the shard's */
    uint64_t moment;
    struct mirror_column *noting;   /* whose changes are noted */
    uint32_t next[KERNEL_ARGS_MAX]; /* pages before it were read, by argument */
};

static int note_change(void *arg, size_t from, size_t bytes)
{
    struct reading *r = arg;
    return mirror_changed(r->noting, r->moment, from, bytes);
}

/* Rows count from 0; MIRROR_NO_ROW: what was gathered stays. */
static uint32_t find_row(const struct reading *r, const struct key_ref *ref)
{
    _Atomic uint64_t *slot;
    const struct record *record = shard_peek(r->shard, ref, &slot);
    if (!record || !shard_exists(r->l, record, r->now) ||
        (r->fields & ~record_have(record)) ||
        read_expired(r->l, record, r->fields, r->now))
        return MIRROR_NO_ROW;
    uint64_t row = row_load(record, r->l->column_row) - 1;
    return row < column_rows(r->set) ? (uint32_t)row : MIRROR_NO_ROW;
}

static void add_row(struct reading *r, uint32_t to, uint32_t row)
{
    struct mirror_rows *rows = &r->out->rows;
    struct mirror_run *last =
        rows->run_count ? &rows->runs[rows->run_count - 1] : NULL;
    if (last && last->shard == r->number && last->moment == r->moment &&
        (row == MIRROR_NO_ROW
             ? last->row == row
             : last->row != MIRROR_NO_ROW && last->row + last->count == row)) {
        last->count++;
        return;
    }
    rows->runs[rows->run_count++] =
        (struct mirror_run){to, 1, row, r->number, r->moment};
}

static void add_fresh(struct reading *r, const struct mirror_arg *arg,
                      uint32_t field, uint32_t page)
{
    struct mirror_rows *rows = &r->out->rows;
    size_t all = (size_t)column_rows(r->set) * arg->stride;
    size_t from = (size_t)page * MIRROR_PAGE_BYTES;
    size_t bytes =
        all - from < MIRROR_PAGE_BYTES ? all - from : MIRROR_PAGE_BYTES;
    if (rows->fresh_count == DEVICE_FILLS_MAX ||
        rows->fresh_used + bytes > FRESH_BYTES_MAX)
        return;
    if (rows->fresh_used + bytes > r->out->fresh_room) {
        size_t room = r->out->fresh_room * 2 + (64 << 10);
        uint8_t *grown = realloc(rows->fresh_bytes, room);
        if (!grown)
            return; /* its rows are sent with the batch */
        rows->fresh_bytes = grown;
        r->out->fresh_room = room;
    }
    memcpy(rows->fresh_bytes + rows->fresh_used,
           column_values(r->set, field) + from, bytes);
    rows->fresh[rows->fresh_count++] =
        (struct mirror_fresh){mirror_column_at(arg->columns, r->number), page,
                              (uint32_t)bytes, rows->fresh_used, r->moment};
    rows->fresh_used += bytes;
}

/* Pages of a run that the device should have, each once in a batch: one that
 * has changed since is for the next batch. */
static void read_fresh(struct reading *r, const struct mirror_arg *arg,
                       uint32_t field, const struct mirror_run *run,
                       uint32_t *next)
{
    size_t from = (size_t)run->row * arg->stride;
    size_t end = from + (size_t)run->count * arg->stride;
    size_t all = (size_t)column_rows(r->set) * arg->stride;
    if (run->row == MIRROR_NO_ROW)
        return;
    for (size_t page = from / MIRROR_PAGE_BYTES; page * MIRROR_PAGE_BYTES < end;
         page++) {
        size_t begin = page * MIRROR_PAGE_BYTES;
        size_t stop = begin + MIRROR_PAGE_BYTES;
        size_t has = (stop < all ? stop : all) - begin;
        size_t reads =
            (stop < end ? stop : end) - (begin > from ? begin : from);
        if (page < *next || reads * DENSE < has ||
            !mirror_lacks(mirror_column_at(arg->columns, r->number),
                          r->out->kind, r->moment, (uint32_t)page))
            continue;
        add_fresh(r, arg, field, (uint32_t)page);
        *next = (uint32_t)page + 1;
    }
}

/* Under the shard's lock: rows [from, end) of the batch are its. false: out of
 * memory, nothing of this batch is read from the device. */
static bool read_shard(struct reading *r, const struct compute_keys *keys,
                       const uint32_t *row_key, struct kernel_job *job,
                       uint32_t from, uint32_t end)
{
    struct mirror_rows *rows = &r->out->rows;
    uint32_t first = rows->run_count;
    r->moment = mirror_moment(r->out->mirror);
    for (uint32_t i = from; i < end; i++) {
        struct key_ref ref = compute_key(r->out->db, keys, row_key[i]);
        uint32_t row = find_row(r, &ref);
        add_row(r, i, row);
        for (uint32_t a = 0; row != MIRROR_NO_ROW && a < rows->arg_count; a++) {
            uint32_t stride = rows->args[a].stride;
            memcpy((uint8_t *)job->arg[rows->args[a].arg] + (size_t)i * stride,
                   column_values(r->set, r->out->fields[a]) +
                       (size_t)row * stride,
                   stride);
        }
    }
    for (uint32_t a = 0; a < rows->arg_count; a++) {
        r->noting = mirror_column_at(rows->args[a].columns, r->number);
        if (column_changed(r->set, r->out->fields[a], note_change, r) != 0)
            return false;
        for (uint32_t i = first; i < rows->run_count; i++)
            read_fresh(r, &rows->args[a], r->out->fields[a], &rows->runs[i],
                       &r->next[a]);
    }
    return true;
}

/* The same for any number of rows, without the lock. */
static bool read_chunks(struct reading *r, const struct compute_keys *keys,
                        const uint32_t *row_key, struct kernel_job *job,
                        uint32_t from, uint32_t end)
{
    bool all = true;
    memset(r->next, 0, sizeof r->next);
    for (uint32_t stop; from < end && all; from = stop) {
        stop = end - from > CHUNK_ROWS ? from + CHUNK_ROWS : end;
        mirror_enter(r->out->mirror);
        os_lock(&r->shard->lock);
        all = read_shard(r, keys, row_key, job, from, stop);
        os_unlock(&r->shard->lock);
        mirror_leave(r->out->mirror);
    }
    return all;
}

/* ---- a batch ---- */

static bool begin(struct compute_mirror *m, const struct compute_kernel *k,
                  const struct layout *l, uint32_t rows)
{
    m->rows.runs = malloc(rows * sizeof *m->rows.runs);
    m->rows.fresh = malloc(DEVICE_FILLS_MAX * sizeof *m->rows.fresh);
    if (!m->rows.runs || !m->rows.fresh)
        return false;
    for (uint32_t i = 0; i < k->from->arg_count; i++) {
        int field = compute_mirrored(k, l, i);
        if (field < 0)
            continue;
        struct mirror_column *columns =
            mirror_columns(m->mirror, l->number, (uint32_t)field,
                           m->db->shard_count, l->gpu_pool);
        if (!columns)
            return false;
        m->fields[m->rows.arg_count] = (uint32_t)field;
        m->rows.args[m->rows.arg_count++] =
            (struct mirror_arg){i, k->from->args[i].bytes, columns};
    }
    return true;
}

bool compute_mirror_read(struct compute_mirror *m,
                         const struct compute_kernel *k,
                         const struct compute_keys *keys,
                         const uint32_t *row_key, struct kernel_job *job)
{
    const struct layout *l = keys->layout;
    struct reading r = {.out = m, .l = l, .now = read_now(m->db, l)};
    if (!begin(m, k, l, job->p.rows))
        return false;
    for (uint32_t a = 0; a < m->rows.arg_count; a++)
        r.fields |= UINT64_C(1) << m->fields[a];
    for (uint32_t from = 0, end; from < job->p.rows; from = end) {
        struct key_ref ref = compute_key(m->db, keys, row_key[from]);
        r.number = forward_shard(m->db, l, &ref)->number;
        for (end = from + 1; end < job->p.rows; end++) {
            ref = compute_key(m->db, keys, row_key[end]);
            if (forward_shard(m->db, l, &ref)->number != r.number)
                break;
        }
        r.shard = &m->db->shards[r.number];
        r.set = r.shard->columns[l->number];
        if (!read_chunks(&r, keys, row_key, job, from, end))
            return false;
    }
    return true;
}

void compute_mirror_free(struct compute_mirror *m)
{
    free(m->rows.runs);
    free(m->rows.fresh);
    free(m->rows.fresh_bytes);
}
