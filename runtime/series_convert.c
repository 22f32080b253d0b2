/* series_convert.c: the elements of a field become those of another type, chunk
 * by chunk, where they lie. What the old chunks held on the disk and in the
 * archive is dead afterwards: the next open counts anew. */
#include "series_part.h"

#include "error.h"

static int convert_items(struct series_work *w, const struct chunk *c,
                         series_convert_fn *fn, void *arg,
                         struct series_item *items, uint32_t *count)
{
    struct series *s = w->s;
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        const uint8_t *data = items[i].data;
        uint32_t bytes = items[i].bytes;
        bool kept = true;
        int rc = fn(arg, &data, &bytes, &kept);
        if (rc != WARP_OK)
            return rc;
        if (!kept)
            continue;
        uint8_t *own = warp_arena_alloc(&s->arena, bytes + 1u);
        if (!own)
            return error_set(WARP_ENOMEM, "out of memory for a series");
        memcpy(own, data, bytes);
        items[n] = items[i];
        items[n].data = own;
        items[n++].bytes = bytes;
    }
    *count = n;
    return WARP_OK;
}

static int convert_chunk(struct series_work *w, const struct chunk *c,
                         struct ssd_slice key, const struct warp_type *type,
                         series_convert_fn *fn, void *arg)
{
    struct series *s = w->s;
    const struct warp_type *old = w->l->desc->fields[w->field].type;
    struct series_item *items;
    uint32_t count = 0;
    warp_arena_reset(&s->arena);
    int rc = series_chunk_items(s, s->pack, old, c, &s->packed, &items);
    if (rc == WARP_OK)
        rc = convert_items(w, c, fn, arg, items, &count);
    if (rc != WARP_OK)
        return rc;
    w->keep = c->flags & CHUNK_ORDERS ? 0 : UINT64_MAX;
    w->type = type;
    w->prefix_bytes = series_prefix_of(key);
    memcpy(w->prefix, key.data, w->prefix_bytes);
    w->prefix[SERIES_HEAD_BYTES] = STREAM_NEAR;
    rc = ssd_del(w->txn, SSD_SERIES, key);
    if (rc != WARP_OK || count == 0)
        return rc;
    /* The first element's order is as the key says it, if it is still there. */
    bool first = items[0].at == c->first_at;
    uint64_t order = first ? c->first_order : items[0].order;
    if (c->where == CHUNK_HERE)
        return series_store_near(w, items, count, items[0].at, order);
    return series_store_far(w, (enum chunk_where)c->where, items, count,
                            items[0].at, order);
}

int series_convert(struct series *s, struct ssd_txn *txn,
                   const struct layout *l, uint32_t field,
                   const struct warp_type *type, series_convert_fn *fn,
                   void *arg)
{
    uint8_t from[SERIES_HEAD_BYTES + 1] = {0}, to[SERIES_HEAD_BYTES];
    struct ssd_cursor *cursor = NULL;
    struct series_work w;
    struct ssd_slice k, v;
    series_head(from, l, field);
    memcpy(to, from, sizeof to);
    to[2]++;
    struct ssd_slice a = {from, SERIES_HEAD_BYTES}, b = {to, sizeof to};
    if (!series_work_begin(&w, s, txn, from, SERIES_HEAD_BYTES))
        return WARP_OK;
    int rc = ssd_cursor_open(s->c.ssd, SSD_SERIES, a, b, false, &cursor);
    while (rc == WARP_OK && (rc = ssd_next(cursor, &k, &v)) == WARP_OK) {
        struct chunk c;
        rc = chunk_decode(k, v, &c);
        if (rc == WARP_OK)
            rc = convert_chunk(&w, &c, k, type, fn, arg);
    }
    ssd_cursor_close(&cursor);
    if (rc == WARP_END)
        rc = s->c.archive ? archive_seal(s->c.archive) : WARP_OK;
    return rc;
}
