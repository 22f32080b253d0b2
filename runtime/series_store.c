/* series_store.c: elements to chunks and back, inside a transaction of the
 * directory.
 *
 * A chunk of the directory stays small (NEAR_BYTES), so that two fit into a
 * page and writing the last one again at each checkpoint is cheap; one on the
 * disk or in the archive has as many elements as it may. A chunk spans at most
 * 1/16 of the age at which it is due to leave its tier: it leaves as a whole,
 * late by that at most. */
#include "series_part.h"

#include "catalog.h"
#include "error.h"
#include "hash.h"

#include <stdlib.h>

enum { NEAR_BYTES = 1900, NEAR_COUNT = 1024, NEAR_LEAST = 16 };

static void *take_bytes(void *arg, size_t bytes)
{
    struct series_bytes *to = arg;
    if (bytes > to->room) {
        uint8_t *grown = realloc(to->data, bytes);
        if (!grown)
            return NULL;
        to->data = grown;
        to->room = bytes;
    }
    return to->data;
}

int series_chunk_items(struct series *s, struct series_pack *pack,
                       const struct warp_type *type, const struct chunk *c,
                       struct series_bytes *room, struct series_item **items)
{
    const uint8_t *packed = c->packed;
    int rc = WARP_OK;
    if (c->where == CHUNK_DISK)
        rc = s->c.disk ? disk_read(s->c.disk, c->place, take_bytes, room)
                       : error_set(WARP_ECORRUPT, "a series names a disk "
                                                  "segment and none is open");
    else if (c->where == CHUNK_ARCHIVE)
        rc = s->c.archive
                 ? archive_read(s->c.archive, c->archive, take_bytes, room)
                 : error_set(WARP_ECORRUPT, "a series names the archive and "
                                            "none is open");
    if (rc != WARP_OK)
        return rc;
    if (c->where != CHUNK_HERE)
        packed = room->data;
    rc = series_unpack_items(pack, type, packed, c->packed_bytes, c->count,
                             c->flags & CHUNK_ORDERS, c->first_order,
                             c->raw_bytes, items);
    if (rc == WARP_OK && ((*items)[0].at != c->first_at ||
                          (*items)[c->count - 1].at != c->last_at))
        rc = WARP_ECORRUPT;
    return rc == WARP_ECORRUPT
               ? error_set(rc, "a series: a chunk of elements cannot be "
                               "unpacked; restore a backup")
               : rc;
}

/* ---- one record ---- */

uint64_t series_keep(const struct series *s, const struct layout *l,
                     const uint8_t *key, uint32_t bytes)
{
    if (s->c.shard_count == 0)
        return 0;
    uint64_t hash = hash_key(s->c.seed, l->id, key, bytes);
    return (s->settled[hash_shard(hash, s->c.shard_count)] + 1) << 16;
}

bool series_work_begin(struct series_work *w, struct series *s,
                       struct ssd_txn *txn, const uint8_t *name,
                       uint32_t name_bytes)
{
    w->s = s;
    w->txn = txn;
    w->l = catalog_find(s->c.layouts, s->c.layout_count,
                        (uint32_t)name[0] << 8 | name[1]);
    w->field = w->l ? layout_field_of_id(w->l, name[2]) : 56;
    if (w->field == 56 || !(w->l->series >> w->field & 1))
        return false;
    const struct warp_field *f = &w->l->desc->fields[w->field];
    w->type = f->type;
    w->level = f->compression ? f->compression : WARP_COMPRESS_DEFAULT;
    series_policy(w->l, w->field, &w->policy);
    w->prefix_bytes = series_prefix(name, name_bytes, STREAM_NEAR, w->prefix);
    w->keep = series_keep(s, w->l, name + SERIES_HEAD_BYTES,
                          name_bytes - SERIES_HEAD_BYTES);
    return true;
}

uint32_t series_prefix_of(struct ssd_slice key)
{
    return key.bytes < SERIES_PREFIX_BYTES + 2 + SERIES_ELEMENT_KEY ||
                   key.bytes >= SSD_KEY_BYTES_MAX
               ? 0
               : (uint32_t)key.bytes - SERIES_ELEMENT_KEY;
}

/* Must the orders be kept? While one may come again; and where numbers that
 * count up from the first would reach those of a later commit. */
static bool needs_orders(const struct series_work *w,
                         const struct series_item *items, size_t count,
                         uint64_t order)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].order >= w->keep)
            return true;
    return (order & 0xffff) + count > 0xffff;
}

static int pack(struct series_work *w, const struct series_item *items,
                uint32_t count, uint64_t order, struct chunk *c,
                struct text *packed)
{
    uint64_t raw = 0;
    for (uint32_t i = 0; i < count; i++)
        raw += items[i].bytes;
    if (raw > CHUNK_RAW_MAX)
        return error_set(WARP_ELIMIT, "a chunk of a series has %llu bytes",
                         (unsigned long long)raw);
    bool orders = needs_orders(w, items, count, order);
    text_clear(packed);
    int rc = series_pack_items(w->s->pack, w->type, items, count, orders,
                               w->level, packed);
    *c = (struct chunk){.flags = orders ? CHUNK_ORDERS : 0,
                        .count = count,
                        .raw_bytes = (uint32_t)raw,
                        .packed_bytes = (uint32_t)packed->used,
                        .first_at = items[0].at,
                        .first_order = order,
                        .last_at = items[count - 1].at,
                        .packed = (const uint8_t *)packed->data};
    return rc;
}

static int put(struct series_work *w, enum series_stream stream,
               const struct chunk *c)
{
    uint8_t key[SSD_KEY_BYTES_MAX];
    struct text *value = &w->s->value;
    memcpy(key, w->prefix, w->prefix_bytes);
    key[SERIES_HEAD_BYTES] = (uint8_t)stream;
    series_element_key(key + w->prefix_bytes, c->first_at, c->first_order);
    struct ssd_slice k = {key, w->prefix_bytes + SERIES_ELEMENT_KEY};
    text_clear(value);
    chunk_encode(c, value);
    if (value->failed)
        return error_set(WARP_ENOMEM, "out of memory for a series");
    struct ssd_slice v = {value->data, value->used};
    int rc = ssd_put(w->txn, SSD_SERIES, k, v);
    if (stream == STREAM_NEAR)
        series_stage_put(w, k, v);
    return rc == WARP_OK ? series_note_age(w, c->where, c->last_at) : rc;
}

/* ---- in the directory ---- */

/* How far one chunk may reach. */
static int64_t span_of(int64_t age_ms)
{
    return age_ms == INT64_MAX ? INT64_MAX : age_ms / 16;
}

static uint32_t within_span(const struct series_item *items, size_t count,
                            uint32_t most, int64_t span)
{
    uint32_t n = 0;
    while (n < count && n < most) {
        int64_t reach;
        if (__builtin_sub_overflow(items[n].at, items[0].at, &reach) ||
            (n > 0 && reach > span))
            break;
        n++;
    }
    return n ? n : 1;
}

int series_store_near(struct series_work *w, const struct series_item *items,
                      size_t count, int64_t at, uint64_t order)
{
    struct text packed = TEXT_INIT;
    int64_t span = span_of(w->policy.near_ms);
    int rc = WARP_OK;
    while (count > 0 && rc == WARP_OK) {
        uint32_t n = within_span(items, count, NEAR_COUNT, span);
        struct chunk c;
        for (;;) {
            rc = pack(w, items, n, order, &c, &packed);
            if (rc == WARP_OK &&
                (packed.used <= NEAR_BYTES || n <= NEAR_LEAST))
                break;
            if (rc != WARP_OK && (rc != WARP_ELIMIT || n == 1))
                break;
            /* A little less than what should fit. */
            uint64_t fit = rc == WARP_OK ? (uint64_t)n * NEAR_BYTES /
                                               (packed.used + packed.used / 16)
                                         : n / 2;
            n = fit < n ? (uint32_t)fit : n - 1;
            if (rc == WARP_OK && n < NEAR_LEAST)
                n = NEAR_LEAST;
        }
        if (rc == WARP_OK) {
            c.where = CHUNK_HERE;
            c.first_at = at;
            rc = put(w, STREAM_NEAR, &c);
        }
        items += n;
        count -= n;
        if (count > 0) {
            at = items[0].at;
            order = items[0].order;
        }
    }
    text_free(&packed);
    return rc;
}

/* ---- on the disk and in the archive ---- */

int series_store_far(struct series_work *w, enum chunk_where to,
                     const struct series_item *items, uint32_t count,
                     int64_t at, uint64_t order)
{
    uint8_t owner[SSD_KEY_BYTES_MAX];
    struct text packed = TEXT_INIT;
    struct series *s = w->s;
    struct chunk c;
    enum series_stream stream =
        to == CHUNK_ARCHIVE ? STREAM_ARCHIVE : STREAM_NEAR;
    int rc = pack(w, items, count, order, &c, &packed);
    memcpy(owner, w->prefix, w->prefix_bytes);
    owner[SERIES_HEAD_BYTES] = (uint8_t)stream;
    series_element_key(owner + w->prefix_bytes, at, order);
    uint32_t bytes = w->prefix_bytes + SERIES_ELEMENT_KEY;
    if (rc == WARP_OK && to == CHUNK_DISK) {
        rc = disk_append(s->c.disk, WARP_COMPRESS_FAST, owner, bytes, order,
                         packed.data, packed.used, &c.place);
        s->wrote_disk = true;
    } else if (rc == WARP_OK) {
        rc = archive_append(s->c.archive, owner, bytes, packed.data,
                            packed.used, &c.archive);
    }
    if (rc == WARP_OK) {
        c.where = (uint8_t)to;
        c.first_at = at;
        rc = put(w, stream, &c);
    }
    text_free(&packed);
    return rc;
}

int series_remove(struct series_work *w, const struct chunk *c,
                  struct ssd_slice key)
{
    int rc = series_give_up(w->s, c);
    if (c->where != CHUNK_ARCHIVE)
        series_stage_del(w, key);
    return rc == WARP_OK ? ssd_del(w->txn, SSD_SERIES, key) : rc;
}
