/* evolve_rows.c: the directory's rows of one product, from the form that one
 * schema gives them to that of the next; with them values on tiers, entries of
 * indexes and elements of series. What stays as it is, is not touched. */
#include "clock.h"
#include "codec.h"
#include "cold.h"
#include "compress.h"
#include "convert.h"
#include "error.h"
#include "evolve_part.h"
#include "evolve_unique.h"
#include "row.h"
#include "secondary.h"
#include "series_part.h"
#include "wire.h"

#include <stdlib.h>

static bool in(uint64_t mask, uint32_t bit)
{
    return mask >> bit & 1;
}

/* ---- all rows of a product ---- */

typedef int row_fn(void *arg, struct ssd_slice key,
                   const struct row_view *view);

static int walk_rows(struct warp_db *db, const struct layout *l, row_fn *fn,
                     void *arg)
{
    uint8_t first[2], after[2];
    row_key(first, l->id, NULL, 0);
    row_key(after, l->id + 1u, NULL, 0);
    struct ssd_slice from = {first, 2}, to = {after, 2}, key, value;
    struct ssd_cursor *cursor = NULL;
    struct row_view view;
    if (l->id == UINT16_MAX)
        to.bytes = 0;
    int rc = ssd_cursor_open(db->ssd, SSD_ROWS, from, to, false, &cursor);
    while (rc == WARP_OK &&
           (rc = ssd_next(cursor, &key, &value)) == WARP_OK) {
        rc = row_parse(l, value, &view);
        if (rc == WARP_OK)
            rc = fn(arg, key, &view);
    }
    ssd_cursor_close(&cursor);
    return rc == WARP_END ? WARP_OK : rc;
}

struct count_call {
    struct evolve *evolve;
    uint32_t product;
};

static int count_row(void *arg, struct ssd_slice key,
                     const struct row_view *view)
{
    struct count_call *c = arg;
    (void)key;
    for (uint32_t i = 0; i < c->evolve->loss_count; i++) {
        struct evolve_loss *l = &c->evolve->losses[i];
        if (l->old_product == (int32_t)c->product &&
            (l->old_field < 0 ||
             in(view->have | view->marks, (uint32_t)l->old_field)))
            l->count++;
    }
    return WARP_OK;
}

int evolve_count(struct warp_db *db, struct evolve *e)
{
    int rc = WARP_OK;
    for (uint32_t p = 0; p < db->layout_count && rc == WARP_OK; p++) {
        struct count_call call = {e, p};
        bool any = false;
        for (uint32_t i = 0; i < e->loss_count; i++)
            any = any || (e->losses[i].old_product == (int32_t)p &&
                          !e->losses[i].allowed);
        if (any)
            rc = walk_rows(db, db->layouts[p], count_row, &call);
    }
    return rc;
}

/* ---- one row ---- */

struct rows {
    struct warp_db *db;
    struct evolve *evolve;
    const struct evolve_product *plan;
    uint32_t number; /* of the old product */
    struct ssd_txn *txn;
    struct compress *compress;
    struct convert convert;
    struct warp_arena arena; /* of a row */
    struct evolve_unique unique;
    int64_t now;
    uint8_t *row;
    size_t used, room;
};

/* The row that is read. */
struct source {
    struct ssd_slice key; /* with the product's number */
    const struct row_view *view;
    const uint8_t *stored[56]; /* the value as the row holds it */
    size_t stored_bytes[56];
    struct op_value value[56];
    uint32_t raw[56];
    int64_t deadline[57];
};

static void open_source(const struct layout *l, struct ssd_slice key,
                        const struct row_view *view, struct source *s)
{
    const uint8_t *at = view->values;
    memset(s, 0, sizeof *s);
    s->key = key;
    s->view = view;
    FOR_BITS(i, view->have & l->durable)
    {
        s->stored[i] = at;
        row_next(l, (uint32_t)i, &at, &s->value[i], &s->raw[i]);
        s->stored_bytes[i] = (size_t)(at - s->stored[i]);
    }
    at = view->deadlines;
    FOR_BITS(i, view->dead)
    {
        s->deadline[i] = (int64_t)wire_get64(at);
        at += 8;
    }
}

static int put(struct rows *r, const void *from, size_t bytes)
{
    if (r->used + bytes > r->room) {
        size_t room = (r->used + bytes) * 2 + 1024;
        uint8_t *grown = realloc(r->row, room);
        if (!grown)
            return evolve_no_memory();
        r->row = grown;
        r->room = room;
    }
    if (bytes > 0)
        memcpy(r->row + r->used, from, bytes);
    r->used += bytes;
    return WARP_OK;
}

struct fetched {
    struct warp_arena *arena;
    uint8_t *data;
    size_t bytes;
};

static void *fetch_room(void *arg, size_t bytes)
{
    struct fetched *f = arg;
    f->bytes = bytes;
    f->data = warp_arena_alloc(f->arena, bytes ? bytes : 1);
    return f->data;
}

/* A value wherever the old version put it, unpacked. */
static int fetch(struct rows *r, const struct source *s, uint32_t i,
                 struct op_value *v)
{
    const struct layout *l = r->plan->old;
    struct fetched got = {&r->arena, NULL, 0};
    int rc;
    if (in(l->cold, i)) {
        struct disk_place place = {0};
        struct key_ref key = {(const uint8_t *)s->key.data + 2,
                              (uint32_t)s->key.bytes - 2, l, 0};
        const uint8_t *on_disk = row_place(l, i, &s->value[i]);
        if (on_disk)
            disk_place_decode(on_disk, &place);
        rc = cold_fetch(r->db, l, &key, i, &place, fetch_room, &got);
        if (rc == WARP_ENOTFOUND)
            return error_set(WARP_ECORRUPT, "%s.%s: the tier has lost the "
                             "value", l->desc->name, l->desc->fields[i].name);
    } else if (s->raw[i]) {
        if (!fetch_room(&got, s->raw[i]))
            return evolve_no_memory();
        rc = compress_undo(COMPRESS_LZ4, s->value[i].data, s->value[i].bytes,
                           got.data, s->raw[i]);
        if (rc != WARP_OK)
            return error_set(rc, "%s.%s: a stored value cannot be unpacked",
                             l->desc->name, l->desc->fields[i].name);
    } else {
        *v = s->value[i];
        return WARP_OK;
    }
    v->data = got.data;
    v->bytes = (uint32_t)got.bytes;
    return rc;
}

/* *fits false: the new type cannot hold it, and it may go. */
static int turn_value(struct rows *r, uint32_t i, uint32_t j,
                      struct op_value *v, bool *fits)
{
    const struct evolve_product *p = r->plan;
    const struct warp_field *f = &p->new->desc->fields[j];
    *fits = true;
    if (!in(p->new_converted, j))
        return WARP_OK;
    int rc = convert_value(&r->convert, p->before->fields[i].type,
                           p->after->fields[j].type, v->data, v->bytes);
    v->data = r->convert.bytes;
    v->bytes = (uint32_t)r->convert.used;
    if (rc == WARP_OK)
        rc = codec_check(f->type, v->data, v->bytes);
    if (rc == WARP_ENOMEM)
        return evolve_no_memory();
    if (rc == WARP_OK)
        return rc;
    *fits = false;
    if (rc == WARP_ERANGE && evolve_may_drop(r->evolve, r->number, i))
        return WARP_OK;
    return error_set(rc == WARP_ERANGE ? WARP_ESCHEMA : rc,
                     "%s.%s: a stored value is none of its new type",
                     p->new->desc->name, f->name);
}

static uint32_t cold_key(const struct source *s, const struct layout *l,
                         uint32_t field, uint8_t *to)
{
    return row_cold_key(to, l, field, (const uint8_t *)s->key.data + 2,
                        (uint32_t)s->key.bytes - 2);
}

/* Writes a value where the new schema wants it. */
static int put_value(struct rows *r, const struct source *s, uint32_t j,
                     const struct op_value *v)
{
    const struct layout *l = r->plan->new;
    uint8_t key[ROW_KEY_BYTES_MAX + 1], number[DISK_PLACE_BYTES];
    if (in(l->disk, j)) {
        struct disk_place place;
        uint32_t n = cold_key(s, l, j, key);
        int rc = disk_append(r->db->disk, l->fields[j].compression, key, n,
                             s->view->version, v->data, v->bytes, &place);
        if (rc != WARP_OK)
            return rc;
        disk_place_encode(&place, number);
        return put(r, number, sizeof number);
    }
    if (!in(l->var, j)) {
        if (v->bytes != l->fields[j].bytes)
            return error_set(WARP_ECORRUPT, "%s.%s: a stored value has "
                             "another size", l->desc->name,
                             l->desc->fields[j].name);
        return put(r, v->data, v->bytes);
    }
    wire_put32(number, v->bytes);
    int rc = put(r, number, 4);
    if (rc != WARP_OK || !in(l->ssd, j))
        return rc == WARP_OK ? put(r, v->data, v->bytes) : rc;
    uint8_t *packed = warp_arena_alloc(&r->arena, (size_t)v->bytes + 5);
    if (!packed)
        return evolve_no_memory();
    struct ssd_slice k = {key, cold_key(s, l, j, key)};
    struct ssd_slice stored = {packed, row_pack_cold(r->compress, l, j,
                                                     v->data, v->bytes,
                                                     packed)};
    return ssd_put(r->txn, SSD_COLD, k, stored);
}

/* The entry of an index that is built. */
static int put_entry(struct rows *r, const struct source *s, uint32_t j,
                     const struct op_value *v, bool alive)
{
    const struct layout *l = r->plan->new;
    uint8_t bytes[512];
    uint32_t count;
    int rc = secondary_value(l, j, v->data, v->bytes, bytes, &count);
    if (rc == WARP_OK)
        rc = secondary_store(r->txn, l, j, bytes, count,
                             (const uint8_t *)s->key.data + 2,
                             (uint32_t)s->key.bytes - 2);
    if (rc != WARP_OK || !in(l->unique, j) || !alive)
        return rc;
    return evolve_unique_add(&r->unique, j, bytes, count);
}

/* A field's deadline by the new schema; 0: none. */
static int64_t new_deadline(const struct rows *r, const struct source *s,
                            uint32_t i, uint32_t j, bool written)
{
    const struct evolve_product *p = r->plan;
    int64_t before = p->before->fields[i].ttl_ms;
    int64_t after = p->after->fields[j].ttl_ms, end;
    if (after == 0)
        return 0;
    if (__builtin_add_overflow(r->now, after, &end))
        end = INT64_MAX;
    if (before == 0)
        return written ? end : 0;
    return s->deadline[i] != 0 && after < before && end < s->deadline[i]
               ? end
               : s->deadline[i];
}

static int64_t record_deadline(const struct rows *r, const struct source *s)
{
    const struct evolve_product *p = r->plan;
    int64_t end;
    if (p->after->ttl_ms == 0)
        return 0;
    if (!p->shorter)
        return s->deadline[56];
    if (__builtin_add_overflow(r->now, p->after->ttl_ms, &end))
        end = INT64_MAX;
    return s->deadline[56] != 0 && s->deadline[56] < end ? s->deadline[56]
                                                         : end;
}

/* Which fields the new row has, and until when. */
struct target {
    uint64_t have, marks, dead;
    int64_t deadline[57];
};

static void aim(const struct rows *r, const struct source *s,
                struct target *t)
{
    const struct evolve_product *p = r->plan;
    memset(t, 0, sizeof *t);
    for (uint32_t j = 0; j < p->after->field_count; j++) {
        uint64_t bit = UINT64_C(1) << j;
        if (p->from[j] < 0)
            continue;
        uint32_t i = (uint32_t)p->from[j];
        bool have = in(s->view->have, i), mark = in(s->view->marks, i);
        bool over = s->deadline[i] != 0 && r->now >= s->deadline[i];
        if (in(p->new->ttl, j))
            t->deadline[j] = new_deadline(r, s, i, j, have || mark);
        else if (over)
            continue; /* what had expired does not come back */
        if (t->deadline[j] != 0)
            t->dead |= bit;
        if (in(p->new->durable, j) && in(p->old->durable, i) && have)
            t->have |= bit;
        if (in(p->new->series, j) && in(p->old->series, i) && have)
            t->have |= bit;
        if (in(p->new->mortal_mem, j) &&
            (mark || (have && in(p->old->durable, i))))
            t->marks |= bit;
    }
    t->deadline[56] = record_deadline(r, s);
    if (t->deadline[56] != 0)
        t->dead |= OP_RECORD_DEADLINE;
}

static int put_head(struct rows *r, const struct source *s,
                    const struct target *t)
{
    uint8_t head[ROW_HEADER_BYTES + ROW_ORIGIN_BYTES + 57 * 8] = {ROW_FORMAT};
    uint8_t *at = head + 8;
    at = wire_put64(at, s->view->version);
    at = wire_put64(at, t->have);
    at = wire_put64(at, t->marks);
    at = wire_put64(at, t->dead);
    if (s->view->moved) {
        head[0] = ROW_FORMAT_MOVED;
        wire_put32(head + 4, s->view->shard);
        at = wire_put64(at, s->view->origin);
    }
    FOR_BITS(j, t->dead)
        at = wire_put64(at, (uint64_t)t->deadline[j]);
    return put(r, head, (size_t)(at - head));
}

/* One value of the new row. *kept false: it went. */
static int turn_field(struct rows *r, const struct source *s,
                      const struct target *t, uint32_t j, bool *kept)
{
    const struct evolve_product *p = r->plan;
    uint32_t i = (uint32_t)p->from[j];
    uint64_t old = UINT64_C(1) << i, new = UINT64_C(1) << j;
    bool same = !(p->new_converted & new) &&
                !(p->old->ssd & old) == !(p->new->ssd & new) &&
                !(p->old->disk & old) == !(p->new->disk & new) &&
                !(p->old->tiered & old) == !(p->new->tiered & new);
    bool build = (p->new_built & new) != 0;
    struct op_value v = {0};
    int rc = WARP_OK;
    *kept = true;
    if (!same || build)
        rc = fetch(r, s, i, &v);
    if (rc == WARP_OK && (!same || build))
        rc = turn_value(r, i, j, &v, kept);
    if (rc != WARP_OK)
        return rc;
    if (!*kept) {
        uint8_t key[ROW_KEY_BYTES_MAX + 1];
        struct ssd_slice k = {key, cold_key(s, p->new, j, key)};
        return p->old->ssd & old ? ssd_del(r->txn, SSD_COLD, k) : WARP_OK;
    }
    if (build) {
        bool alive = (t->deadline[j] == 0 || r->now < t->deadline[j]) &&
                     (t->deadline[56] == 0 || r->now < t->deadline[56]);
        rc = put_entry(r, s, j, &v, alive);
    }
    if (rc != WARP_OK || !p->rewrite)
        return rc;
    return same ? put(r, s->stored[i], s->stored_bytes[i])
                : put_value(r, s, j, &v);
}

static int drop_elements(struct rows *r, const struct source *s)
{
    const struct layout *l = r->plan->old;
    int rc = WARP_OK;
    FOR_BITS(i, l->series)
    {
        uint8_t name[PENDING_NAME_MAX], from[SSD_KEY_BYTES_MAX],
            to[SSD_KEY_BYTES_MAX];
        uint32_t bytes = (uint32_t)s->key.bytes - 2;
        series_head(name, l, (uint32_t)i);
        memcpy(name + 3, (const uint8_t *)s->key.data + 2, bytes);
        for (int stream = 0; stream < 2 && rc == WARP_OK; stream++) {
            uint32_t n = series_prefix(name, bytes + 3,
                                       (enum series_stream)stream, from);
            memcpy(to, from, n);
            memset(to + n, 0xff, 17);
            struct ssd_slice a = {from, n}, b = {to, n + 17};
            rc = ssd_del_range(r->txn, SSD_SERIES, a, b);
        }
    }
    return rc;
}

/* The record, its values and elements go. */
static int drop_record(struct rows *r, const struct source *s)
{
    int rc = ssd_del(r->txn, SSD_ROWS, s->key);
    FOR_BITS(i, r->plan->old->ssd)
    {
        uint8_t key[ROW_KEY_BYTES_MAX + 1];
        struct ssd_slice k = {key, cold_key(s, r->plan->old, (uint32_t)i,
                                            key)};
        if (rc == WARP_OK)
            rc = ssd_del(r->txn, SSD_COLD, k);
    }
    return rc == WARP_OK ? drop_elements(r, s) : rc;
}

/* Nothing is committed yet: a stop leaves the store as it was. */
static int tell_progress(struct rows *r)
{
    enum { ROWS = 512 };
    const struct warp_options *o = &r->db->options;
    struct evolve *e = r->evolve;
    if (e->turned++ % ROWS != 0 || !o->progress ||
        o->progress(o->progress_arg, "convert",
                    e->turned < e->total ? e->turned : e->total, e->total) == 0)
        return WARP_OK;
    return error_set(WARP_TIMEOUT, "stopped: the store keeps the schema that "
                                   "wrote it");
}

static int turn_row(void *arg, struct ssd_slice key,
                    const struct row_view *view)
{
    struct rows *r = arg;
    struct source s;
    struct target t;
    int told = tell_progress(r);
    if (told != WARP_OK)
        return told;
    warp_arena_reset(&r->arena);
    open_source(r->plan->old, key, view, &s);
    if (r->plan->after->ttl_ms == 0 && s.deadline[56] != 0 &&
        r->now >= s.deadline[56])
        return drop_record(r, &s);
    aim(r, &s, &t);
    r->used = 0;
    int rc = put_head(r, &s, &t);
    uint64_t have = t.have;
    FOR_BITS(j, have & r->plan->new->durable)
    {
        bool kept;
        if (rc == WARP_OK)
            rc = turn_field(r, &s, &t, (uint32_t)j, &kept);
        if (rc == WARP_OK && !kept)
            t.have &= ~(UINT64_C(1) << j);
    }
    if (rc != WARP_OK || !r->plan->rewrite)
        return rc;
    wire_put64(r->row + 16, t.have);
    struct ssd_slice value = {r->row, r->used};
    struct row_view check;
    rc = row_parse(r->plan->new, value, &check);
    return rc == WARP_OK ? ssd_put(r->txn, SSD_ROWS, key, value) : rc;
}

/* ---- beside the rows ---- */

static int clear(struct ssd_txn *txn, enum ssd_table table,
                 const struct layout *l, uint32_t field)
{
    uint8_t from[3], to[3];
    series_head(from, l, field);
    series_head(to, l, field);
    to[2]++; /* numbers of fields end below 255 */
    struct ssd_slice a = {from, 3}, b = {to, 3};
    return ssd_del_range(txn, table, a, b);
}

static int clear_fields(struct ssd_txn *txn, const struct layout *l,
                        uint64_t index, uint64_t series, uint64_t cold)
{
    int rc = WARP_OK;
    FOR_BITS(i, index | series | cold)
    {
        if (rc == WARP_OK && in(index, (uint32_t)i))
            rc = clear(txn, SSD_INDEX, l, (uint32_t)i);
        if (rc == WARP_OK && in(series, (uint32_t)i))
            rc = clear(txn, SSD_SERIES, l, (uint32_t)i);
        if (rc == WARP_OK && in(cold, (uint32_t)i))
            rc = clear(txn, SSD_COLD, l, (uint32_t)i);
    }
    return rc;
}

struct turn_call {
    struct rows *rows;
    uint32_t i, j;
};

static int turn_element(void *arg, const uint8_t **data, uint32_t *bytes,
                        bool *kept)
{
    struct turn_call *c = arg;
    struct op_value v = {*data, *bytes};
    int rc = turn_value(c->rows, c->i, c->j, &v, kept);
    *data = v.data;
    *bytes = v.bytes;
    return rc;
}

/* Elements of a series whose type differs. */
static int turn_series(struct rows *r, uint32_t j)
{
    struct turn_call c = {r, (uint32_t)r->plan->from[j], j};
    return series_convert(r->db->series, r->txn, r->plan->old, c.i,
                          r->plan->new->desc->fields[j].type, turn_element,
                          &c);
}

static int drop_product(struct rows *r)
{
    const struct layout *l = r->plan->old;
    uint8_t first[2], after[2];
    row_key(first, l->id, NULL, 0);
    row_key(after, l->id + 1u, NULL, 0);
    struct ssd_slice from = {first, 2}, to = {after, 2};
    int rc = ssd_del_range(r->txn, SSD_ROWS, from, to);
    return rc == WARP_OK ? clear_fields(r->txn, l, l->indexed, l->series,
                                        l->ssd)
                         : rc;
}

int evolve_product(struct warp_db *db, struct evolve *e, uint32_t number,
                   struct ssd_txn *txn)
{
    const struct evolve_product *p = &e->plans[number];
    struct rows r = {.db = db, .evolve = e, .plan = p, .number = number,
                     .txn = txn, .now = clock_now(db->clock)};
    int rc = compress_create(&r.compress);
    if (rc == WARP_OK && !p->after)
        rc = drop_product(&r);
    bool wait = e->lazy && p->lazy; /* values move with their records */
    if (rc == WARP_OK && p->after)
        rc = clear_fields(txn, p->old, p->old_index_gone, p->old_series_gone,
                          wait ? 0 : p->old_cold_gone);
    if (rc == WARP_OK && p->after && !wait && (p->rewrite || p->new_built))
        rc = walk_rows(db, p->old, turn_row, &r);
    if (rc == WARP_OK && p->after)
        rc = evolve_unique_check(&r.unique, p->new);
    if (p->after)
        FOR_BITS(j, p->new_converted & p->new->series)
            if (rc == WARP_OK)
                rc = turn_series(&r, (uint32_t)j);
    if (r.compress)
        compress_destroy(&r.compress);
    convert_free(&r.convert);
    warp_arena_free(&r.arena);
    evolve_unique_free(&r.unique);
    free(r.row);
    return rc;
}
