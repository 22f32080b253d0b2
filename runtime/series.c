/* series.c: a series field of a record: elements that no checkpoint has written
 * yet are one group of pending.h, by time and order. Where they go from there:
 * series_flush.c; how they are read: series_read.c. */
#include "series_part.h"

#include "error.h"
#include "hash.h"

#include <stdlib.h>

static struct pending_name name_of(const struct layout *l, uint32_t field,
                                   const struct key_ref *key, uint8_t *to)
{
    series_head(to, l, field);
    memcpy(to + SERIES_HEAD_BYTES, key->bytes, key->count);
    return pending_name(to, SERIES_HEAD_BYTES + key->count);
}

/* Does a product that has a memory range leave it to the engine to learn? */
static bool learns(const struct series_config *config)
{
    for (uint32_t i = 0; i < config->layout_count; i++) {
        const struct layout *l = config->layouts[i];
        const struct warp_strategy *strategy = l->desc->strategy;
        FOR_BITS(f, l->series)
        {
            struct series_policy policy;
            series_policy(l, (uint32_t)f, &policy);
            if (policy.memory_ms > 0 &&
                (!strategy || strategy->access_pattern_learning != 0))
                return true;
        }
    }
    return false;
}

int series_open(const struct series_config *config, struct series **out)
{
    struct series *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return error_set(WARP_ENOMEM, "out of memory for the series");
    s->c = *config;
    s->settled = calloc(config->shard_count + 1, sizeof *s->settled);
    int rc = s->settled ? WARP_OK
                        : error_set(WARP_ENOMEM, "out of memory for the "
                                                 "series");
    if (rc == WARP_OK)
        rc = series_pack_create(&s->pack);
    if (rc == WARP_OK)
        rc = resident_open(config->budget, learns(config), &s->resident);
    if (rc == WARP_OK)
        rc = pending_open(config->budget, &s->pending);
    if (rc == WARP_OK)
        *out = s;
    else
        series_close(&s);
    return rc;
}

void series_close(struct series **series)
{
    struct series *s = *series;
    if (!s)
        return;
    if (s->pending)
        pending_close(&s->pending);
    resident_close(&s->resident);
    series_pack_destroy(&s->pack);
    warp_arena_free(&s->arena);
    text_free(&s->value);
    text_free(&s->moves);
    text_free(&s->staged);
    free(s->settled);
    free(s->fresh);
    free(s->merged);
    free(s->packed.data);
    free(s->dead);
    free(s->dead_archive);
    free(s->ages);
    free(s);
    *series = NULL;
}

/* ---- changes, under the shard's lock ---- */

int series_reserve(struct series *s, uint32_t key_bytes,
                   uint32_t element_bytes, struct series_room *room)
{
    return pending_reserve(s->pending, SERIES_HEAD_BYTES + key_bytes,
                           SERIES_ELEMENT_KEY + element_bytes, false,
                           &room->append);
}

void series_unreserve(struct series *s, struct series_room *room)
{
    pending_unreserve(s->pending, &room->append);
}

void series_append(struct series *s, const struct layout *l, uint32_t field,
                   const struct key_ref *key, struct series_room *room,
                   int64_t at_ms, uint64_t order, const uint8_t *element,
                   uint32_t bytes)
{
    uint8_t space[PENDING_NAME_MAX], item[SERIES_ELEMENT_KEY];
    struct pending_name name = name_of(l, field, key, space);
    series_element_key(item, at_ms, order);
    pending_add(s->pending, &name, &room->append, item, sizeof item, element,
                bytes);
}

int series_drop(struct series *s, const struct layout *l,
                const struct key_ref *key, uint64_t order)
{
    uint8_t space[PENDING_NAME_MAX];
    int result = WARP_OK;
    FOR_BITS(i, l->series)
    {
        struct pending_name name = name_of(l, (uint32_t)i, key, space);
        struct pending_room room = {NULL, NULL};
        int rc = pending_reserve(s->pending, name.count, 0, true, &room);
        if (rc == WARP_OK)
            pending_floor(s->pending, &name, &room, order);
        else
            result = rc;
    }
    return result;
}

bool series_pending(struct series *s)
{
    return pending_any(s->pending) || atomic_load(&s->moving);
}

void series_settled(struct series *s, const uint64_t *floors)
{
    memcpy(s->settled, floors, s->c.shard_count * sizeof *floors);
}

/* ---- policies ---- */

static const int64_t hour_ms = 3600 * 1000;

/* The earliest time that is not past its age at `now`. */
int64_t series_first_alive(int64_t now_ms, int64_t age_ms)
{
    int64_t at;
    if (__builtin_sub_overflow(now_ms, age_ms, &at))
        return INT64_MIN;
    return at == INT64_MAX ? at : at + 1;
}

void series_policy(const struct layout *l, uint32_t field,
                   struct series_policy *p)
{
    const struct warp_field *f = &l->desc->fields[field];
    int64_t age[WARP_TIER_ARCHIVE + 1];
    uint8_t access = f->access ? f->access : l->desc->access;
    *p = (struct series_policy){-1, INT64_MAX, INT64_MAX, INT64_MAX, false, 0};
    if (access == WARP_ACCESS_HOT)
        p->prior = 1;
    else if (access == WARP_ACCESS_COLD || access == WARP_ACCESS_SEQUENTIAL)
        p->prior = -1;
    for (int i = 0; i <= WARP_TIER_ARCHIVE; i++)
        age[i] = -1;
    for (uint32_t i = 0; i < f->retention_count; i++)
        if (f->retention[i].tier <= WARP_TIER_ARCHIVE)
            age[f->retention[i].tier] = f->retention[i].age_ms;
    const struct warp_strategy *s = l->desc->strategy;
    if (f->retention_count == 0) {
        /* The strategy says when all without a word of their own is cold. */
        if (s && s->cold_to_archive_age_ms > 0 && s->auto_migration != 0) {
            p->near_ms = p->disk_ms = s->cold_to_archive_age_ms;
            p->archive = true;
        }
        return;
    }
    p->memory_ms = age[WARP_TIER_MEMORY];
    p->near_ms = age[WARP_TIER_SSD] >= 0 ? age[WARP_TIER_SSD]
                                             : age[WARP_TIER_MEMORY];
    p->archive = age[WARP_TIER_ARCHIVE] >= 0;
    bool disk = age[WARP_TIER_DISK] >= 0;
    /* Where neither is named they are collected for a little while, so that
     * what goes on is worth it. */
    if (p->near_ms < 0)
        p->near_ms = disk && age[WARP_TIER_DISK] < 64 * hour_ms
                         ? age[WARP_TIER_DISK] / 64
                         : hour_ms;
    p->disk_ms = disk ? age[WARP_TIER_DISK] : p->near_ms;
    /* What nothing follows stays in the last tier. */
    if (!p->archive && disk)
        p->disk_ms = INT64_MAX;
    else if (!p->archive)
        p->near_ms = p->disk_ms = INT64_MAX;
    if (f->flags & WARP_F_THEN_DELETE)
        p->end_ms = f->retention[f->retention_count - 1].age_ms;
}

/* ---- what a transaction gives up ---- */

int series_give_up(struct series *s, const struct chunk *c)
{
    if (c->where == CHUNK_DISK) {
        if (s->dead_count == s->dead_room) {
            size_t room = s->dead_room ? s->dead_room * 2 : 64;
            void *grown = realloc(s->dead, room * sizeof *s->dead);
            if (!grown)
                return error_set(WARP_ENOMEM, "out of memory for a series");
            s->dead = grown;
            s->dead_room = room;
        }
        s->dead[s->dead_count++] = c->place;
    } else if (c->where == CHUNK_ARCHIVE) {
        if (s->dead_archive_count == s->dead_archive_room) {
            size_t room = s->dead_archive_room ? s->dead_archive_room * 2 : 64;
            void *grown =
                realloc(s->dead_archive, room * sizeof *s->dead_archive);
            if (!grown)
                return error_set(WARP_ENOMEM, "out of memory for a series");
            s->dead_archive = grown;
            s->dead_archive_room = room;
        }
        s->dead_archive[s->dead_archive_count++] = c->archive;
    }
    return WARP_OK;
}

/* ---- the resident copies ----
 * Staged: u8 what, u32 key bytes, u32 value bytes, key, value. */

enum { STAGE_BEGIN, STAGE_PUT, STAGE_DEL, STAGE_JOIN };

static void stage(struct series *s, int what, struct ssd_slice key,
                  const void *value, size_t bytes)
{
    text_u8(&s->staged, (uint8_t)what);
    text_u32(&s->staged, (uint32_t)key.bytes);
    text_u32(&s->staged, (uint32_t)bytes);
    text_add(&s->staged, key.data, key.bytes);
    text_add(&s->staged, value, bytes);
}

/* Behind the last element that the archive holds of the record. */
int series_archive_end(const struct series_work *w, int64_t *end_ms)
{
    uint8_t first[SSD_KEY_BYTES_MAX], end[SSD_KEY_BYTES_MAX];
    struct ssd_cursor *cursor = NULL;
    struct ssd_slice k, v;
    struct chunk c;
    memcpy(first, w->prefix, w->prefix_bytes);
    first[SERIES_HEAD_BYTES] = STREAM_ARCHIVE;
    memcpy(end, first, w->prefix_bytes);
    memset(end + w->prefix_bytes, 0xff, SERIES_ELEMENT_KEY + 1);
    struct ssd_slice from = {first, w->prefix_bytes};
    struct ssd_slice to = {end, w->prefix_bytes + SERIES_ELEMENT_KEY + 1};
    *end_ms = INT64_MIN;
    int rc = ssd_cursor_open(w->s->c.ssd, SSD_SERIES, from, to, true, &cursor);
    if (rc == WARP_OK)
        rc = ssd_next(cursor, &k, &v);
    if (rc == WARP_OK)
        rc = chunk_decode(k, v, &c);
    if (rc == WARP_OK)
        *end_ms = c.last_at + 1;
    ssd_cursor_close(&cursor);
    return rc == WARP_END ? WARP_OK : rc;
}

int series_stage_begin(struct series_work *w, int64_t from_ms)
{
    struct ssd_slice prefix = {w->prefix, w->prefix_bytes};
    int64_t end_ms;
    if (w->policy.memory_ms <= 0 || resident_has(w->s->resident, prefix))
        return WARP_OK;
    int rc = series_archive_end(w, &end_ms);
    int64_t numbers[3] = {from_ms > end_ms ? from_ms : end_ms,
                          w->policy.memory_ms, w->policy.prior};
    if (rc == WARP_OK)
        stage(w->s, STAGE_BEGIN, prefix, numbers, sizeof numbers);
    return rc;
}

void series_stage_put(struct series_work *w, struct ssd_slice key,
                      struct ssd_slice value)
{
    if (w->policy.memory_ms > 0)
        stage(w->s, STAGE_PUT, key, value.data, value.bytes);
}

void series_stage_del(struct series_work *w, struct ssd_slice key)
{
    if (w->policy.memory_ms > 0)
        stage(w->s, STAGE_DEL, key, NULL, 0);
}

void series_stage_join(struct series_work *w, struct ssd_slice key)
{
    if (w->policy.memory_ms > 0)
        stage(w->s, STAGE_JOIN, key, NULL, 0);
}

/* The changes of a record follow each other. */
static void apply_staged(struct series *s)
{
    const uint8_t *at = (const uint8_t *)s->staged.data;
    const uint8_t *end = at ? at + s->staged.used : at;
    /* Half of the changes would make wrong copies. */
    if (s->staged.failed)
        resident_shrink(s->resident, UINT64_MAX);
    for (; at < end && !s->staged.failed;) {
        uint32_t key_bytes, value_bytes;
        int64_t numbers[3];
        memcpy(&key_bytes, at + 1, 4);
        memcpy(&value_bytes, at + 5, 4);
        struct ssd_slice key = {at + 9, key_bytes};
        struct ssd_slice value = {at + 9 + key_bytes, value_bytes};
        struct ssd_slice prefix = key;
        if (*at != STAGE_BEGIN)
            prefix.bytes -= SERIES_ELEMENT_KEY;
        resident_change(s->resident, prefix);
        if (*at == STAGE_BEGIN) {
            memcpy(numbers, value.data, sizeof numbers);
            resident_begin(s->resident, key, numbers[0], numbers[1],
                           (int)numbers[2]);
        } else if (*at == STAGE_PUT) {
            (void)resident_put(s->resident, key, value);
        } else {
            resident_del(s->resident, key, *at == STAGE_JOIN);
        }
        at += 9 + key_bytes + value_bytes;
    }
    resident_changed(s->resident);
}

void series_shrink(struct series *s, uint64_t bytes)
{
    resident_shrink(s->resident, bytes);
}

void series_fix_copies(struct series *s, uint64_t bytes)
{
    resident_fix(s->resident, bytes);
}

uint64_t series_tier_reads(struct series *s)
{
    return atomic_load_explicit(&s->tier_reads, memory_order_relaxed);
}

uint64_t series_resident_bytes(struct series *s)
{
    return resident_bytes(s->resident);
}

void series_ended(struct series *s, bool committed)
{
    if (committed)
        apply_staged(s);
    text_clear(&s->staged);
    for (size_t i = 0; i < s->dead_count && committed; i++)
        disk_free(s->c.disk, s->dead[i]);
    for (size_t i = 0; i < s->dead_archive_count && committed; i++)
        archive_free(s->c.archive, s->dead_archive[i]);
    s->dead_count = s->dead_archive_count = 0;
    s->wrote_disk = false;
    warp_arena_reset(&s->arena);
    if (committed)
        atomic_fetch_add(&s->flushes, 1);
}
