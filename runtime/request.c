/* request.c: see request.h. Each request is answered from a few reads; a scan
 * gives a page and the asker goes on behind its last key, so that nothing is
 * kept between two requests. */
#include "request.h"

#include "backup.h"
#include "backup_keep.h"
#include "checkpoint.h"
#include "clock.h"
#include "codec.h"
#include "compact.h"
#include "error.h"
#include "evolve_past.h"
#include "hash.h"
#include "iter.h"
#include "look.h"
#include "migrate.h"
#include "series.h"
#include "verify.h"
#include "wire.h"

enum { PAGE_BYTES = 256 << 10, PAGE_RECORDS = 4096 };

/* The bytes of a request, each read within bounds. */
struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static const uint8_t *take(struct reader *r, size_t bytes)
{
    const uint8_t *at = r->at;
    if (r->bad || (size_t)(r->end - at) < bytes) {
        r->bad = true;
        return NULL;
    }
    r->at += bytes;
    return at;
}

static uint64_t number(struct reader *r, uint32_t bytes)
{
    const uint8_t *at = take(r, bytes);
    uint64_t v = 0;
    for (uint32_t i = 0; at && i < bytes; i++)
        v |= (uint64_t)at[i] << (8 * i);
    return v;
}

struct span {
    const uint8_t *bytes;
    uint32_t count;
};

static struct span span(struct reader *r)
{
    struct span s = {NULL, (uint32_t)number(r, 2)};
    s.bytes = take(r, s.count);
    if (s.count > KEY_BYTES_MAX)
        r->bad = true;
    return s;
}

static int malformed(void)
{
    return error_set(WARP_EINVAL, "a request that this library does not "
                                  "know, or that is cut");
}

static const struct layout *product(struct warp_db *db, struct reader *r)
{
    uint64_t n = number(r, 2);
    if (n >= db->layout_count)
        r->bad = true;
    return r->bad ? NULL : db->layouts[n];
}

static struct key_ref key_ref(const struct warp_db *db, const struct layout *l,
                              const uint8_t *key, uint32_t bytes)
{
    struct key_ref ref = key_ref_of(db->seed, l, key, bytes);
    return ref;
}

/* ---- records ---- */

static int add_field(const struct layout *l, uint32_t i, const void *record,
                     struct text *reply)
{
    const struct warp_field *f = &l->desc->fields[i];
    const void *value = (const char *)record + f->offset;
    const char *why = NULL;
    size_t bytes = 0;
    int rc = codec_size(f->type, value, &bytes, &why);
    if (rc != WARP_OK)
        return error_set(rc, "%s.%s %s", l->desc->name, f->name,
                         why ? why : "cannot be encoded");
    text_u32(reply, (uint32_t)bytes);
    if (!text_room(reply, bytes))
        return error_set(WARP_ENOMEM, "out of memory for a reply");
    codec_encode(f->type, value, (uint8_t *)reply->data + reply->used);
    reply->used += bytes;
    return WARP_OK;
}

/* A record that was read into `record`. */
static int add_record(struct warp_db *db, const struct layout *l,
                      const uint8_t *key, uint32_t key_bytes,
                      const void *record, struct text *reply)
{
    struct key_ref ref = key_ref(db, l, key, key_bytes);
    struct look look;
    uint64_t have;
    int rc = look_at(db, l, &ref, &look);
    if (rc != WARP_OK)
        return rc;
    memcpy(&have, (const char *)record + l->desc->have_offset, sizeof have);
    have &= ~l->keys;
    text_u16(reply, (uint16_t)key_bytes);
    text_add(reply, key, key_bytes);
    text_u64(reply, look.version);
    text_u64(reply, have);
    text_u64(reply, look.lost);
    text_u64(reply, look.expired);
    FOR_BITS(i, have)
    {
        rc = add_field(l, (uint32_t)i, record, reply);
        if (rc != WARP_OK)
            return rc;
    }
    return WARP_OK;
}

static uint64_t mask_of(const struct layout *l, uint64_t fields)
{
    return (fields & (l->stored | l->derived) & ~l->keys) |
           (fields & (WARP_RESIDENT | WARP_ARCHIVE));
}

static int get(struct warp_db *db, struct reader *r, struct text *reply)
{
    const struct layout *l = product(db, r);
    uint64_t fields = number(r, 8);
    struct span key = span(r);
    struct warp_arena arena = WARP_ARENA_INIT;
    if (r->bad)
        return malformed();
    char *record = warp_arena_alloc(&arena, l->desc->record_bytes);
    uint8_t *c_key = warp_arena_alloc(&arena, l->desc->key_bytes + 1);
    int rc =
        record && c_key
            ? key_decode(l->desc, key.bytes, key.count, c_key, NULL, &arena)
            : error_set(WARP_ENOMEM, "out of memory for a record");
    if (rc == WARP_ECORRUPT)
        rc = malformed();
    if (rc == WARP_OK)
        rc = warp_gen_get(db, l->desc, c_key, mask_of(l, fields), record,
                          &arena);
    if (rc == WARP_OK)
        rc = add_record(db, l, key.bytes, key.count, record, reply);
    warp_arena_free(&arena);
    return rc;
}

static int scan_page(struct warp_db *db, const struct layout *l,
                     struct warp_iter *it, struct span from, bool behind,
                     uint32_t most, struct text *reply)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    void *record = NULL;
    uint32_t n = 0;
    int rc = WARP_OK;
    if (most == 0 || most > PAGE_RECORDS)
        most = PAGE_RECORDS;
    text_u8(reply, 0);
    while (rc == WARP_OK && n < most && reply->used < PAGE_BYTES) {
        warp_arena_reset(&arena);
        record = warp_arena_alloc(&arena, l->desc->record_bytes);
        rc = record ? warp_gen_next(it, l->desc, record, &arena)
                    : error_set(WARP_ENOMEM, "out of memory for a scan");
        if (rc != WARP_OK)
            break;
        const uint8_t *key = (const uint8_t *)it->key.data + 2;
        uint32_t bytes = (uint32_t)it->key.bytes - 2;
        if (behind && bytes == from.count &&
            memcmp(key, from.bytes, bytes) == 0)
            continue;
        rc = add_record(db, l, key, bytes, record, reply);
        n++;
    }
    if (rc == WARP_OK && !reply->failed)
        reply->data[0] = 1;
    warp_arena_free(&arena);
    return rc == WARP_END ? WARP_OK : rc;
}

static int scan(struct warp_db *db, struct reader *r, struct text *reply)
{
    const struct layout *l = product(db, r);
    uint64_t fields = number(r, 8);
    bool behind = number(r, 1) != 0;
    struct span from = span(r), to = span(r), prefix = span(r);
    uint32_t most = (uint32_t)number(r, 4);
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_gen_range range = {NULL, NULL, NULL, false};
    struct warp_str text = {(const char *)prefix.bytes, prefix.count};
    struct warp_iter *it = NULL;
    int rc = WARP_OK;
    if (r->bad)
        return malformed();
    struct {
        struct span span;
        const void **to;
    } bounds[] = {{from, &range.from}, {to, &range.to}};
    for (int i = 0; i < 2 && rc == WARP_OK; i++) {
        if (bounds[i].span.count == 0)
            continue;
        void *key = warp_arena_alloc(&arena, l->desc->key_bytes + 1);
        rc = key ? key_decode(l->desc, bounds[i].span.bytes,
                              bounds[i].span.count, key, NULL, &arena)
                 : error_set(WARP_ENOMEM, "out of memory for a scan");
        if (rc == WARP_ECORRUPT)
            rc = malformed();
        *bounds[i].to = key;
    }
    if (prefix.count > 0)
        range.prefix = &text;
    if (rc == WARP_OK)
        rc = warp_gen_scan(db, l->desc, &range, mask_of(l, fields), &it);
    if (rc == WARP_OK)
        rc = scan_page(db, l, it, from, behind, most, reply);
    warp_iter_close(&it);
    warp_arena_free(&arena);
    return rc;
}

static int series(struct warp_db *db, struct reader *r, struct text *reply)
{
    const struct layout *l = product(db, r);
    uint32_t field = (uint32_t)number(r, 1);
    struct span key = span(r);
    int64_t from = (int64_t)number(r, 8), at = 0;
    uint32_t skip = (uint32_t)number(r, 4);
    int64_t to = (int64_t)number(r, 8);
    uint32_t most = (uint32_t)number(r, 4), n = 0, bytes = 0;
    struct series_iter *it = NULL;
    const uint8_t *element;
    if (r->bad || field >= l->desc->field_count || !(l->series >> field & 1))
        return malformed();
    struct key_ref ref = key_ref(db, l, key.bytes, key.count);
    struct look look;
    text_u8(reply, 0);
    int rc = look_at(db, l, &ref, &look);
    if (rc != WARP_OK || !look.exists)
        return rc;
    rc = series_range(db->series, l, field, &ref, from, to,
                      clock_now(db->clock), true, &it);
    while (rc == WARP_OK && reply->used < PAGE_BYTES && (!most || n < most)) {
        rc = series_next(it, &at, &element, &bytes);
        if (rc != WARP_OK)
            break;
        if (skip > 0 && at == from) {
            skip--;
            continue;
        }
        skip = 0;
        text_u64(reply, (uint64_t)at);
        text_u32(reply, bytes);
        text_add(reply, element, bytes);
        n++;
    }
    if (rc == WARP_OK && !reply->failed)
        reply->data[0] = 1;
    if (it)
        series_iter_close(&it);
    return rc == WARP_END ? WARP_OK : rc;
}

/* ---- the rest ---- */

/* What is due to be on another tier goes there, in steps that writers pass. May
 * be stopped and begun again. */
static int migrate(struct warp_db *db, const struct progress *progress,
                   struct text *reply)
{
    struct migrate_moved moved = {0, 0};
    uint64_t steps = 0, rewritten = 0;
    bool more = true;
    int rc = warp_checkpoint(db);
    if (rc == WARP_OK)
        rc = evolve_finish(db, progress, &rewritten);
    if (rc == WARP_OK)
        rc = migrate_all(db, progress, &moved);
    while (rc == WARP_OK && more) {
        rc = checkpoint_migrate(db, true, &more);
        steps++;
        if (progress && progress->fn && rc == WARP_OK &&
            progress->fn(progress->arg, "migrate", steps,
                         more ? steps + 1 : steps) != 0)
            rc = error_set(WARP_TIMEOUT, "stopped");
    }
    if (rc != WARP_OK)
        return rc;
    text_put(reply, "{");
    text_number(reply, "steps", steps);
    text_number(reply, "records_rewritten", rewritten);
    text_number(reply, "records_to_disk", moved.to_disk);
    text_number(reply, "records_to_archive", moved.to_archive);
    text_put(reply, "}");
    return rc;
}

/* Segments with dead values are emptied one at a time, so that at most the
 * bytes of one are taken meanwhile. May be stopped and begun again. */
static int compact(struct warp_db *db, const struct progress *progress,
                   struct text *reply)
{
    enum { LIVE_PCT = 98 }; /* who asks for it wants the room */
    struct disk_stat before, after;
    uint64_t done = 0;
    if (db->read_only)
        return error_set(WARP_EREADONLY, "the store is open for reading only");
    int rc = checkpoint_run(db);
    disk_stat(db->disk, &before);
    while (rc == WARP_OK) {
        rc = compact_step(db, LIVE_PCT);
        if (rc != 1)
            break;
        rc = checkpoint_run(db);
        done++;
        if (progress && progress->fn &&
            progress->fn(progress->arg, "segments", done, before.segments))
            break;
    }
    disk_stat(db->disk, &after);
    text_put(reply, "{");
    text_number(reply, "disk_bytes_before", before.file_bytes);
    text_number(reply, "disk_bytes_after", after.file_bytes);
    text_number(reply, "segments_rewritten", done);
    text_put(reply, "}");
    return rc;
}

static int explain(struct warp_db *db, struct reader *r, struct text *reply)
{
    const struct layout *l = product(db, r);
    uint32_t field = (uint32_t)number(r, 1);
    struct span key = span(r);
    if (r->bad || field >= l->desc->field_count)
        return malformed();
    struct key_ref ref = key_ref(db, l, key.bytes, key.count);
    return request_explain(db, l, &ref, field, reply);
}

static int devices(struct warp_db *db, struct text *reply)
{
    const char *kind;
    uint64_t held, sent;
    uint8_t count = 0;
    while (db->device_stat && db->device_stat(db, count, &kind, &held, &sent))
        count++;
    text_u8(reply, count);
    for (uint32_t i = 0; i < count; i++) {
        db->device_stat(db, i, &kind, &held, &sent);
        text_u64(reply, held);
        text_u64(reply, sent);
    }
    return WARP_OK;
}

static int metrics(struct warp_db *db, struct text *reply)
{
    size_t bytes = warp_metrics(db, NULL, 0);
    if (!text_room(reply, bytes + 1024))
        return error_set(WARP_ENOMEM, "out of memory for the metrics");
    size_t now = warp_metrics(db, reply->data, bytes + 1024);
    reply->used = now < bytes + 1024 ? now : bytes + 1023;
    return bytes ? WARP_OK : WARP_EINVAL;
}

static int clock_request(struct warp_db *db, struct reader *r,
                         struct text *reply)
{
    uint64_t what = number(r, 1);
    if (r->bad || what > 2)
        return malformed();
    if (what != 0 && db->read_only)
        return error_set(WARP_EREADONLY, "the store is open for reading only");
    if (what == 1)
        clock_accept(db->clock);
    if (what == 2) {
        clock_reset(db->clock);
        int rc = checkpoint_run(db); /* the lower mark is kept */
        if (rc != WARP_OK)
            return rc;
    }
    int64_t now = clock_now(db->clock);
    text_say(reply, "{\"now_ms\":%lld,\"wall_ms\":%lld", (long long)now,
             (long long)os_wall_ms());
    text_say(reply, ",\"jumped\":%s,\"deletes_allowed\":%s,\"injected\":%s}",
             clock_jumped(db->clock) ? "true" : "false",
             clock_deletes_allowed(db->clock) ? "true" : "false",
             db->options.clock_ms ? "true" : "false");
    return WARP_OK;
}

static int run(struct warp_db *db, uint32_t what, struct reader *r,
               const struct progress *progress, struct text *reply)
{
    char path[DB_PATH_BYTES];
    uint64_t keep;
    size_t left;
    switch (what) {
    case REQUEST_STAT:
        return request_stat(db, number(r, 1) != 0, reply);
    case REQUEST_METRICS:
        return metrics(db, reply);
    case REQUEST_DEVICES:
        return devices(db, reply);
    case REQUEST_GET:
        return get(db, r, reply);
    case REQUEST_SCAN:
        return scan(db, r, reply);
    case REQUEST_SERIES:
        return series(db, r, reply);
    case REQUEST_EXPLAIN:
        return explain(db, r, reply);
    case REQUEST_CLOCK:
        return clock_request(db, r, reply);
    case REQUEST_CHECKPOINT:
        return warp_checkpoint(db);
    case REQUEST_BACKUP:
        keep = number(r, 2);
        left = (size_t)(r->end - r->at);
        if (r->bad || keep > BACKUP_KEEP_MAX || left == 0 ||
            left >= sizeof path || *r->at != '/' || memchr(r->at, 0, left))
            return malformed();
        memcpy(path, r->at, left);
        path[left] = 0;
        return backup_run(db, path, (uint32_t)keep, progress, reply);
    case REQUEST_VERIFY:
        return verify_open(db, progress, reply);
    case REQUEST_COMPACT:
        return compact(db, progress, reply);
    case REQUEST_AB:
        return request_ab(db, number(r, 1) != 0, reply);
    case REQUEST_PLACEMENT:
        return request_placement(db, reply);
    case REQUEST_MIGRATE:
        return migrate(db, progress, reply);
    default:
        return malformed();
    }
}

int request_run(struct warp_db *db, const uint8_t *request, size_t bytes,
                const struct progress *progress, struct text *reply)
{
    struct reader r = {request, request + bytes, false};
    uint64_t version = number(&r, 2);
    uint32_t what = (uint32_t)number(&r, 2);
    text_clear(reply);
    int rc = r.bad || version != REQUEST_VERSION
                 ? malformed()
                 : run(db, what, &r, progress, reply);
    if (rc == WARP_OK && reply->failed)
        rc = error_set(WARP_ENOMEM, "out of memory for a reply");
    if (rc != WARP_OK) {
        text_clear(reply);
        text_put(reply, error_text());
    }
    return rc;
}
