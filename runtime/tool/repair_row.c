/* repair_row.c: the rows of a damaged store's directory, one by one; behind a
 * damaged page the walk goes on at the next key that can be found. */
#include "repair.h"

#include "../catalog.h"
#include "../codec.h"
#include "../compress.h"
#include "../error.h"
#include "../far.h"
#include "../row_past.h"
#include "../wire.h"

#include <stdlib.h>

/* ---- one row ---- */

static int put_value(struct row *w, const uint8_t *data, uint32_t bytes)
{
    const struct warp_field *f = &w->l->desc->fields[w->field];
    uint8_t *to = w->record + f->offset;
    if (w->l->fields[w->field].bare) {
        char *copy = warp_arena_alloc(&w->arena, bytes + 1);
        struct warp_str s = {copy, bytes};
        if (!copy)
            return WARP_ENOMEM;
        memcpy(copy, data, bytes);
        memcpy(to, &s, sizeof s);
        return WARP_OK;
    }
    int rc = codec_decode(f->type, data, bytes, to, &w->arena);
    return rc == WARP_ECORRUPT ? error_set(rc, "it is no value of its type")
                               : rc;
}

int repair_value(struct row *w, const uint8_t *data, uint32_t bytes,
                      uint32_t raw)
{
    if (raw) {
        uint8_t *room = warp_arena_alloc(&w->arena, raw);
        if (!room)
            return WARP_ENOMEM;
        if (compress_undo(COMPRESS_LZ4, data, bytes, room, raw) != WARP_OK)
            return error_set(WARP_ECORRUPT, "it cannot be unpacked");
        data = room;
        bytes = raw;
    }
    struct convert convert = {0};
    struct op_value v = {data, bytes};
    int rc = w->form == w->l
                 ? WARP_OK
                 : row_past_convert(w->l, w->field, &convert, &v);
    if (rc == WARP_OK)
        rc = put_value(w, v.data, v.bytes);
    convert_free(&convert);
    return rc;
}

static int take_cold(void *arg, struct ssd_slice value)
{
    struct op_value v;
    uint32_t raw;
    int rc = row_unpack_cold(value, &v, &raw);
    return rc == WARP_OK ? repair_value(arg, v.data, v.bytes, raw) : rc;
}

static void *take_room(void *arg, size_t bytes)
{
    struct warp_str *s = arg;
    s->data = malloc(bytes ? bytes : 1);
    s->len = (uint32_t)bytes;
    return (void *)(uintptr_t)s->data;
}

/* `at`: the field in the row's form. */
static int take_field(struct row *w, uint32_t at, const struct op_value *v,
                      uint32_t raw)
{
    uint64_t bit = UINT64_C(1) << at;
    uint8_t key[ROW_KEY_BYTES_MAX + 1];
    if (!(w->form->cold & bit))
        return repair_value(w, v->data, v->bytes, raw);
    uint32_t bytes = row_cold_key(key, w->form, at, w->key, w->key_bytes);
    const uint8_t *on_disk = row_place(w->form, at, v);
    if (on_disk) {
        struct disk_place place;
        struct warp_str s = {NULL, 0};
        disk_place_decode(on_disk, &place);
        int rc = far_check(w->r->disk, w->r->archive, place, key, bytes);
        if (rc == WARP_OK)
            rc = far_read(w->r->disk, w->r->archive, place, take_room, &s);
        if (rc == WARP_OK)
            rc = repair_value(w, (const uint8_t *)s.data, s.len, 0);
        free((void *)(uintptr_t)s.data);
        return rc;
    }
    struct ssd_slice k = {key, bytes};
    int rc = ssd_get(w->r->ssd, SSD_COLD, k, take_cold, w);
    return rc == WARP_ENOTFOUND ? error_set(rc, "the ssd tier does not have it")
                                : rc;
}

/* The key's C form, from the bytes of a row's key. */
void *repair_key(struct row *w)
{
    const struct warp_product *p = w->l->desc;
    uint8_t *key = warp_arena_alloc(&w->arena, p->key_bytes + 1);
    if (key && key_decode(p, w->key, w->key_bytes, key, NULL, &w->arena) != 0)
        return NULL;
    return key;
}

int repair_deadline(struct row *w, uint32_t field, int64_t deadline)
{
    const void *key = repair_key(w);
    int rc = key ? warp_gen_expire(w->r->out, w->l->desc, key,
                                   field == 56 ? 0 : UINT64_C(1) << field,
                                   deadline)
                 : WARP_ENOMEM;
    /* A deadline alone makes no record. */
    return rc == WARP_ENOTFOUND ? WARP_OK : rc;
}

static int set_deadlines(struct row *w, const struct row_view *view)
{
    const uint8_t *at = view->deadlines;
    int rc = WARP_OK;
    FOR_BITS(i, view->dead)
    {
        uint32_t j = i == 56 ? 56
                             : row_past_field(w->l, w->form, (uint32_t)i);
        if (rc == WARP_OK &&
            (i == 56 || (w->mask & UINT64_C(1) << j)))
            rc = repair_deadline(w, j, (int64_t)wire_get64(at));
        at += 8;
    }
    return rc;
}

int repair_row(struct repair *r, struct ssd_slice key,
                    struct ssd_slice value)
{
    const uint8_t *k = key.data;
    struct row_view view;
    struct row w = {.r = r, .arena = WARP_ARENA_INIT};
    if (key.bytes >= 2)
        w.l = catalog_find(r->layouts, r->layout_count,
                           (uint32_t)(k[0] << 8 | k[1]));
    if (!w.l) {
        repair_tell(r, "a row of an unknown product");
        return WARP_OK;
    }
    w.key = k + 2;
    w.key_bytes = (uint32_t)key.bytes - 2;
    w.form = row_form(w.l, value);
    if (row_parse(w.form, value, &view) != WARP_OK) {
        repair_tell_record(r, w.l, w.key, w.key_bytes, -1, error_text());
        return WARP_OK;
    }
    w.record = warp_arena_alloc(&w.arena, w.l->desc->record_bytes);
    int rc = w.record ? WARP_OK : WARP_ENOMEM;
    if (rc == WARP_OK) {
        memset(w.record, 0, w.l->desc->record_bytes);
        rc =
            key_decode(w.l->desc, w.key, w.key_bytes, NULL, w.record, &w.arena);
    }
    const uint8_t *at = view.values;
    FOR_BITS(i, view.have & w.form->durable)
    {
        struct op_value v;
        uint32_t raw;
        row_next(w.form, (uint32_t)i, &at, &v, &raw);
        w.field = row_past_field(w.l, w.form, (uint32_t)i);
        if (rc != WARP_OK || w.field == 56)
            continue;
        if (take_field(&w, (uint32_t)i, &v, raw) == WARP_OK)
            w.mask |= UINT64_C(1) << w.field;
        else
            repair_tell_record(r, w.l, w.key, w.key_bytes, (int)w.field,
                        error_text());
    }
    w.mask |= w.l->keys;
    if (rc == WARP_OK)
        rc = warp_gen_put(r->out, w.l->desc, w.record, w.mask);
    if (rc == WARP_OK)
        rc = set_deadlines(&w, &view);
    r->rows += rc == WARP_OK;
    warp_arena_free(&w.arena);
    return rc;
}

/* ---- all rows ---- */

/* The cursor fails at a damaged page: the next place to try is the key's prefix
 * of fewer and fewer bytes, one higher. */
static bool skip(uint8_t *key, size_t *bytes)
{
    while (*bytes > 0) {
        --*bytes;
        if (key[*bytes] != 0xff) {
            key[(*bytes)++]++;
            return true;
        }
    }
    return false;
}

int repair_rows(struct repair *r)
{
    uint8_t at[SSD_KEY_BYTES_MAX + 1] = {0};
    size_t bytes = 0;
    uint64_t done = 0, total;
    (void)ssd_count(r->ssd, SSD_ROWS, &total); /* of the progress */
    bool failed = false;
    for (;;) {
        struct ssd_cursor *c = NULL;
        struct ssd_slice from = {at, bytes}, none = {NULL, 0}, key, value;
        int rc = ssd_cursor_open(r->ssd, SSD_ROWS, from, none, false, &c);
        while (rc == WARP_OK) {
            rc = ssd_next(c, &key, &value);
            if (rc != WARP_OK)
                break;
            failed = false;
            memcpy(at, key.data, key.bytes);
            bytes = key.bytes;
            at[bytes++] = 0; /* behind it */
            int put = repair_row(r, key, value);
            if (put != WARP_OK) {
                ssd_cursor_close(&c);
                return put;
            }
            if (tool_progress(&r->bar, "repair", done++, total))
                rc = error_set(WARP_EIO, "stopped");
        }
        if (c)
            ssd_cursor_close(&c);
        if (rc == WARP_END)
            return WARP_OK;
        if (rc != WARP_ECORRUPT)
            return rc;
        if (!failed)
            repair_tell(r, error_text());
        /* The first try behind the last good key has failed as well. */
        if (failed || bytes == 0) {
            if (!skip(at, &bytes))
                return WARP_OK;
        } else {
            bytes--;
            if (!skip(at, &bytes))
                return WARP_OK;
        }
        failed = true;
    }
}
