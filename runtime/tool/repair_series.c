/* repair_series.c: the elements of series. The log's are read into the damaged
 * store's own view first, as a replay does it: it knows which of them the tiers
 * hold, and which are of a record before this one. */
#include "repair.h"

#include "../codec.h"
#include "../error.h"
#include "../hash.h"
#include "../iter.h"
#include "../look.h"
#include "../wire.h"

int repair_element(struct repair *r, const struct op *op, uint64_t seq,
                   uint32_t ordinal)
{
    const struct layout *l = op->layout;
    struct key_ref key = {op->body + op->key_at, op->key_bytes, l, 0};
    uint64_t order = seq << 16 | (ordinal & 0xffff);
    struct series_room room = {0};
    int rc = WARP_OK;
    if (!r->series && op->kind == OP_APPEND)
        repair_tell_record(r, l, key.bytes, key.count, (int)op->field,
                           "an element that only the log held");
    if (!r->series || !l->series)
        return WARP_OK;
    if (op->kind == OP_DELETE || (op->flags & OP_FLOOR))
        rc = series_drop(r->series, l, &key, order);
    if (rc != WARP_OK || op->kind != OP_APPEND)
        return rc;
    const uint8_t *at = op->body + op->values_at;
    uint32_t bytes = wire_get32(at + 8);
    rc = series_reserve(r->series, op->key_bytes, bytes, &room);
    if (rc != WARP_OK) {
        repair_tell_record(r, l, key.bytes, key.count, (int)op->field,
                           "an element that only the log held: there is no "
                           "memory for it");
        return WARP_OK;
    }
    series_append(r->series, l, op->field, &key, &room, (int64_t)wire_get64(at),
                  order, at + 12, bytes);
    return WARP_OK;
}

static int take_element(struct row *w, uint32_t field, const void *key,
                        int64_t at, const uint8_t *wire, uint32_t bytes)
{
    const struct warp_field *f = &w->l->desc->fields[field];
    struct warp_arena arena = WARP_ARENA_INIT;
    void *element = warp_arena_alloc(&arena, f->type->size + 1);
    int rc = element ? WARP_OK : WARP_ENOMEM;
    if (rc == WARP_OK &&
        (w->l->fields[field].bare || f->type->kind == WARP_T_STRING ||
         f->type->kind == WARP_T_BYTES || f->type->kind == WARP_T_OPAQUE)) {
        struct warp_str s = {(const char *)wire, bytes};
        memcpy(element, &s, sizeof s);
    } else if (rc == WARP_OK) {
        rc = codec_decode(f->type, wire, bytes, element, &arena);
    }
    if (rc == WARP_ECORRUPT) {
        repair_tell_record(w->r, w->l, w->key, w->key_bytes, (int)field,
                           "an element that is no value of its type");
        rc = WARP_OK;
    } else if (rc == WARP_OK) {
        rc = warp_gen_append(w->r->out, w->l->desc, key, field, at, element);
    }
    warp_arena_free(&arena);
    return rc;
}

/* What the old store cannot give is told; what the new one refuses is an
 * error. */
static int take_field(struct row *w, uint32_t field, const void *key)
{
    struct key_ref ref = {w->key, w->key_bytes, w->l, 0};
    struct series_iter *it = NULL;
    const uint8_t *wire;
    uint32_t bytes;
    int64_t at;
    int rc = WARP_OK;
    int got = series_range(w->r->series, w->l, field, &ref, INT64_MIN,
                           INT64_MAX, 0, true, &it);
    while (got == WARP_OK && rc == WARP_OK) {
        got = series_next(it, &at, &wire, &bytes);
        if (got == WARP_OK)
            rc = take_element(w, field, key, at, wire, bytes);
    }
    if (it)
        series_iter_close(&it);
    if (got < 0)
        repair_tell_record(w->r, w->l, w->key, w->key_bytes, (int)field,
                           error_text());
    return rc;
}

/* An append gives the record a deadline of now: it keeps the one it has. */
static int take_record(struct row *w)
{
    struct look look = {0};
    struct warp_db *out = w->r->out;
    const void *key = repair_key(w);
    bool dated = w->l->deadline != UINT32_MAX;
    int rc = key ? WARP_OK : WARP_ENOMEM;
    if (rc == WARP_OK && dated) {
        const struct layout *l = db_layout(out, w->l->desc);
        struct key_ref ref = key_ref_of(out->seed, l, w->key, w->key_bytes);
        rc = look_at(out, l, &ref, &look);
    }
    FOR_BITS(i, w->l->series)
    {
        if (rc == WARP_OK)
            rc = take_field(w, (uint32_t)i, key);
    }
    if (rc == WARP_OK && look.deadline)
        rc = repair_deadline(w, 56, look.deadline);
    return rc;
}

static int take_product(struct repair *r, const struct layout *l)
{
    struct warp_gen_range all = {NULL, NULL, NULL, false};
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_iter *it = NULL;
    uint64_t done = 0;
    int rc = warp_gen_scan(r->out, l->desc, &all, 0, &it);
    while (rc == WARP_OK) {
        struct row w = {.r = r, .l = l, .form = l, .arena = WARP_ARENA_INIT};
        warp_arena_reset(&arena);
        void *record = warp_arena_alloc(&arena, l->desc->record_bytes);
        rc = record ? warp_gen_next(it, l->desc, record, &arena) : WARP_ENOMEM;
        if (rc != WARP_OK)
            break;
        w.key = (const uint8_t *)it->key.data + 2;
        w.key_bytes = (uint32_t)it->key.bytes - 2;
        rc = take_record(&w);
        warp_arena_free(&w.arena);
        if (rc == WARP_OK && tool_progress(&r->bar, "series", done++, 0))
            rc = error_set(WARP_EIO, "stopped");
    }
    warp_iter_close(&it);
    warp_arena_free(&arena);
    return rc == WARP_END ? WARP_OK : rc;
}

int repair_series(struct repair *r)
{
    int rc = WARP_OK;
    for (uint32_t i = 0; i < r->layout_count && rc == WARP_OK; i++)
        if (r->layouts[i]->series && r->series)
            rc = take_product(r, r->layouts[i]);
    return rc;
}
