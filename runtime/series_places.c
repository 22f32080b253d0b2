/* series_places.c: all chunks of the directory, one after the other: their
 * places are counted after an open, checked, and summed up. */
#include "series_part.h"

#include "catalog.h"
#include "error.h"

#include <stdio.h>
#include <stdlib.h>

typedef int chunk_fn(void *arg, const struct chunk *chunk,
                     struct ssd_slice key, struct ssd_slice value);

/* What fn returns, if not 0, ends the walk. A damaged entry is told by bad, if
 * it is given, and passed over. */
static int each_chunk(struct series *s, struct ssd_slice from,
                      struct ssd_slice to, chunk_fn *fn, void *arg,
                      void (*bad)(void *arg, const char *text), void *bad_arg)
{
    struct ssd_cursor *cursor = NULL;
    struct ssd_slice k, v;
    int rc = ssd_cursor_open(s->c.ssd, SSD_SERIES, from, to, false, &cursor);
    while (rc == WARP_OK && (rc = ssd_next(cursor, &k, &v)) == WARP_OK) {
        struct chunk c;
        rc = chunk_decode(k, v, &c);
        if (rc == WARP_OK) {
            rc = fn(arg, &c, k, v);
        } else if (rc == WARP_ECORRUPT && bad) {
            bad(bad_arg, error_text());
            rc = WARP_OK;
        }
    }
    ssd_cursor_close(&cursor);
    return rc == WARP_END ? WARP_OK : rc;
}

/* ---- counting ---- */

struct recount {
    struct series *series;
    int64_t now_ms;
    const _Atomic bool *stop;
    /* Up to before `floor_ms` this record has elements that its copies may
     * lack. */
    uint32_t prefix_bytes;
    uint8_t prefix[SSD_KEY_BYTES_MAX];
    int64_t floor_ms;
};

/* The record that the walk is at; its chunks come one after the other. */
static void at_record(struct recount *r, struct ssd_slice prefix)
{
    if (r->prefix_bytes == prefix.bytes &&
        memcmp(r->prefix, prefix.data, prefix.bytes) == 0)
        return;
    memcpy(r->prefix, prefix.data, prefix.bytes);
    r->prefix_bytes = (uint32_t)prefix.bytes;
    r->floor_ms = INT64_MIN;
}

/* Of a record that is read again: what is young comes into memory. */
static void warm(struct recount *r, const struct chunk *c,
                 struct ssd_slice key, struct ssd_slice value)
{
    struct series *s = r->series;
    struct series_work w;
    uint8_t prefix[SSD_KEY_BYTES_MAX];
    struct ssd_slice p = {prefix, key.bytes - SERIES_ELEMENT_KEY};
    if (!series_work_begin(&w, s, NULL, key.data, SERIES_HEAD_BYTES + 1) ||
        w.policy.memory_ms <= 0)
        return;
    memcpy(prefix, key.data, p.bytes);
    prefix[SERIES_HEAD_BYTES] = STREAM_NEAR;
    at_record(r, p);
    bool kept = c->where == CHUNK_HERE &&
                c->last_at >= series_first_alive(r->now_ms, w.policy.memory_ms);
    if (kept) {
        resident_begin(s->resident, p, r->floor_ms, w.policy.memory_ms,
                       w.policy.prior);
        kept = resident_put(s->resident, key, value);
    }
    if (!kept)
        resident_from(s->resident, p, c->last_at + 1);
    /* One that finds no room, or that others let go, is not in the copies that
     * the next one may begin. */
    if (c->last_at >= r->floor_ms)
        r->floor_ms = c->last_at + 1;
}

static int count_place(void *arg, const struct chunk *c, struct ssd_slice key,
                       struct ssd_slice value)
{
    struct recount *r = arg;
    warm(r, c, key, value);
    if (c->where == CHUNK_DISK)
        disk_recount(r->series->c.disk, c->place);
    else if (c->where == CHUNK_ARCHIVE)
        archive_recount(r->series->c.archive, c->archive);
    return atomic_load_explicit(r->stop, memory_order_relaxed) ? WARP_TIMEOUT
                                                               : WARP_OK;
}

int series_recount(struct series *s, int64_t now_ms, const _Atomic bool *stop)
{
    struct ssd_slice all = {NULL, 0};
    struct recount r = {.series = s, .now_ms = now_ms, .stop = stop};
    resident_loading(s->resident, true);
    int rc = each_chunk(s, all, all, count_place, &r, NULL, NULL);
    if (rc == WARP_OK)
        resident_loading(s->resident, false);
    return rc;
}

static int warm_chunk(void *arg, const struct chunk *c, struct ssd_slice key,
                      struct ssd_slice value)
{
    warm(arg, c, key, value);
    return WARP_OK;
}

/* Without the archive's end the copies might begin too early: then none. */
static void fill(void *arg, struct ssd_slice prefix)
{
    struct recount *r = arg;
    struct series_work w;
    uint8_t end[SSD_KEY_BYTES_MAX];
    int64_t end_ms;
    memcpy(end, prefix.data, prefix.bytes);
    memset(end + prefix.bytes, 0xff, SERIES_ELEMENT_KEY + 1);
    struct ssd_slice to = {end, prefix.bytes + SERIES_ELEMENT_KEY + 1};
    if (!series_work_begin(&w, r->series, NULL, prefix.data,
                           SERIES_HEAD_BYTES + 1))
        return;
    memcpy(w.prefix, prefix.data, prefix.bytes);
    w.prefix_bytes = (uint32_t)prefix.bytes;
    if (series_archive_end(&w, &end_ms) != WARP_OK)
        return;
    resident_change(r->series->resident, prefix);
    if (each_chunk(r->series, prefix, to, warm_chunk, r, NULL, NULL) ==
        WARP_OK)
        resident_from(r->series->resident, prefix, end_ms);
    else
        resident_from(r->series->resident, prefix, INT64_MAX);
    resident_changed(r->series->resident);
}

void series_settle_copies(struct series *s, int64_t now_ms)
{
    struct recount r = {.series = s, .now_ms = now_ms};
    resident_settle(s->resident, fill, &r);
}

static int sum_up(void *arg, const struct chunk *c, struct ssd_slice key,
                  struct ssd_slice value)
{
    struct series_stat *to = (struct series_stat *)arg + c->where;
    (void)key;
    (void)value;
    to->chunks++;
    to->elements += c->count;
    to->packed_bytes += c->packed_bytes;
    to->raw_bytes += c->raw_bytes;
    return WARP_OK;
}

int series_count(struct series *s, const struct layout *l, uint32_t field,
                 const struct key_ref *key, struct series_stat stat[3])
{
    uint8_t from[SSD_KEY_BYTES_MAX], to[SSD_KEY_BYTES_MAX];
    uint8_t name[PENDING_NAME_MAX];
    int rc = WARP_OK;
    memset(stat, 0, 3 * sizeof *stat);
    series_head(name, l, field);
    if (!key) {
        memcpy(from, name, SERIES_HEAD_BYTES);
        memcpy(to, name, SERIES_HEAD_BYTES);
        to[2]++;
        struct ssd_slice a = {from, SERIES_HEAD_BYTES};
        struct ssd_slice b = {to, SERIES_HEAD_BYTES};
        return each_chunk(s, a, b, sum_up, stat, NULL, NULL);
    }
    memcpy(name + SERIES_HEAD_BYTES, key->bytes, key->count);
    for (int stream = 0; stream < 2 && rc == WARP_OK; stream++) {
        uint32_t n = series_prefix(name, SERIES_HEAD_BYTES + key->count,
                                   (enum series_stream)stream, from);
        memcpy(to, from, n);
        memset(to + n, 0xff, SERIES_ELEMENT_KEY + 1);
        struct ssd_slice a = {from, n};
        struct ssd_slice b = {to, n + SERIES_ELEMENT_KEY + 1};
        rc = each_chunk(s, a, b, sum_up, stat, NULL, NULL);
    }
    return rc;
}

/* ---- checking ---- */

struct check {
    struct series *series;
    struct series_pack *pack;
    struct series_bytes room;
    void (*bad)(void *arg, const char *text);
    void *arg;
    uint32_t wrong;
    /* of the record and stream before */
    uint32_t prefix_bytes;
    int64_t last_at;
    uint8_t prefix[SSD_KEY_BYTES_MAX];
};

static void tell(struct check *c, const struct layout *l, uint32_t field,
                 int64_t at, const char *what)
{
    char text[600];
    c->wrong++;
    if (l)
        snprintf(text, sizeof text, "%s field %s, elements from %lld on: %s",
                 l->desc->name, l->desc->fields[field].name, (long long)at,
                 what);
    else
        snprintf(text, sizeof text, "a series: %s", what);
    c->bad(c->arg, text);
}

static void tell_entry(void *arg, const char *text)
{
    struct check *c = arg;
    c->wrong++;
    c->bad(c->arg, text);
}

static int check_place(struct check *k, const struct chunk *c,
                       struct ssd_slice key)
{
    struct series *s = k->series;
    if (c->where == CHUNK_DISK)
        return disk_check(s->c.disk, c->place, key.data, key.bytes);
    if (c->where == CHUNK_ARCHIVE)
        return archive_check(s->c.archive, c->archive, key.data, key.bytes);
    return WARP_OK;
}

/* Chunks of one record and stream follow each other. */
static bool in_order(struct check *k, const struct chunk *c,
                     struct ssd_slice key)
{
    uint32_t n = series_prefix_of(key);
    bool same = n == k->prefix_bytes && memcmp(key.data, k->prefix, n) == 0;
    bool good = !same || c->first_at >= k->last_at;
    memcpy(k->prefix, key.data, n);
    k->prefix_bytes = n;
    k->last_at = c->last_at;
    return good;
}

static int check_chunk(void *arg, const struct chunk *c, struct ssd_slice key,
                       struct ssd_slice value)
{
    struct check *k = arg;
    struct series *s = k->series;
    const uint8_t *b = key.data;
    struct series_item *items;
    (void)value;
    const struct layout *l =
        catalog_find(s->c.layouts, s->c.layout_count,
                     (uint32_t)b[0] << 8 | b[1]);
    uint32_t field = l ? layout_field_of_id(l, b[2]) : 56;
    if (field == 56 || !(l->series >> field & 1)) {
        tell(k, NULL, 0, 0, "an entry is of no field of the schema");
        return WARP_OK;
    }
    if (!in_order(k, c, key))
        tell(k, l, field, c->first_at, "they overlap those before");
    int rc = check_place(k, c, key);
    if (rc == WARP_OK)
        rc = series_chunk_items(s, k->pack, l->desc->fields[field].type, c,
                                &k->room, &items);
    if (rc == WARP_OK || rc == WARP_ENOMEM)
        return rc;
    char text[400];
    snprintf(text, sizeof text, "%s", error_text());
    tell(k, l, field, c->first_at, text);
    return WARP_OK;
}

int series_verify(struct series *s, void (*bad)(void *arg, const char *text),
                  void *arg)
{
    struct ssd_slice all = {NULL, 0};
    struct check k = {.series = s, .bad = bad, .arg = arg};
    int rc = series_pack_create(&k.pack);
    if (rc == WARP_OK)
        rc = each_chunk(s, all, all, check_chunk, &k, tell_entry, &k);
    if (rc == WARP_ECORRUPT) {
        bad(arg, error_text());
        k.wrong++;
        rc = WARP_OK;
    }
    series_pack_destroy(&k.pack);
    free(k.room.data);
    return rc == WARP_OK && k.wrong > 0 ? WARP_ECORRUPT : rc;
}
