/* series_read.c: a range of one record's elements, from memory and all tiers.
 *
 * It goes in steps. Each reads a piece of memory first and then the chunks of
 * the same time: what a checkpoint moved before the first is found by the
 * second, what it moves between them is found by both and given out once. A
 * step holds all elements of its times, so that the next one begins at a later
 * time. Elements that are in both are known by their order, which the tier
 * forgets at a later checkpoint, and what moves to another tier must not be
 * seen on both: a step during which a checkpoint ended, or that saw two states
 * of the directory, is read again. */
#include "series_part.h"

#include "error.h"

#include <stdlib.h>

enum { STEP_FIRST = 64, STEP_MAX = 4096, TRIES_MAX = 100 };

/* Elements of one step, in order, with bytes of its own. */
struct found_items {
    struct series_item *list;
    size_t count, room;
};

struct series_iter {
    struct series *series;
    const struct warp_type *type;
    struct series_pack *pack;
    struct series_bytes room;
    bool archive, finished;
    enum resident_use use; /* how the next step counts */
    uint32_t step;     /* items of memory to read at once */
    int64_t at, to;    /* where the next step begins, where all ends */
    uint64_t snapshot; /* of the directory that the step sees; 0: none yet */
    bool torn;         /* it saw another one, too */
    uint32_t name_bytes, prefix_bytes;
    uint8_t name[PENDING_NAME_MAX];
    uint8_t prefix[SSD_KEY_BYTES_MAX];
    struct pending_batch memory;
    struct found_items tiers[2], step_items; /* by stream; merged */
    struct text copies; /* entries that are in memory, too */
    size_t next;
    struct warp_arena arena; /* bytes of the step's elements */
};

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for a scan");
}

static struct series_item *push(struct found_items *f)
{
    if (f->count == f->room) {
        size_t room = f->room ? f->room * 2 : 64;
        struct series_item *grown = realloc(f->list, room * sizeof *grown);
        if (!grown)
            return NULL;
        f->list = grown;
        f->room = room;
    }
    return &f->list[f->count++];
}

static const uint8_t *keep(struct series_iter *it, const void *bytes,
                           uint32_t count)
{
    uint8_t *to = warp_arena_alloc(&it->arena, count + 1u);
    if (to && count > 0)
        memcpy(to, bytes, count);
    return to;
}

/* ---- memory ---- */

/* The pending elements of [at, limit): all of each time that is in it. */
static int read_memory(struct series_iter *it, int64_t *limit)
{
    uint8_t from[SERIES_ELEMENT_KEY], to[SERIES_ELEMENT_KEY];
    struct pending_name name = pending_name(it->name, it->name_bytes);
    struct pending_range range = {from, to, sizeof from, sizeof to, false};
    series_element_key(from, it->at, 0);
    series_element_key(to, it->to, 0);
    int64_t last;
    uint64_t order;
    int rc = pending_read(it->series->pending, &name, &range, it->step,
                          &it->memory);
    if (rc != WARP_OK || !it->memory.more)
        return rc;
    struct pending_entry e =
        pending_batch_at(&it->memory, it->memory.count - 1);
    series_element_read(e.key, &last, &order);
    *limit = last;
    if (last > it->at)
        return WARP_OK;
    /* More of one time than a step has room for: all of it, nothing else. */
    *limit = it->at + 1;
    series_element_key(to, *limit, 0);
    return pending_read(it->series->pending, &name, &range, UINT32_MAX,
                        &it->memory);
}

/* ---- chunks ---- */

static int copy_chunk(struct series_iter *it, const struct chunk *c,
                      struct found_items *to)
{
    struct series_item *items;
    int rc = series_chunk_items(it->series, it->pack, it->type, c, &it->room,
                                &items);
    if (rc != WARP_OK)
        return rc;
    for (uint32_t i = 0; i < c->count; i++) {
        if (items[i].at < it->at || items[i].at >= it->to ||
            items[i].order < it->memory.floor)
            continue;
        struct series_item *own = push(to);
        if (!own)
            return no_memory();
        *own = items[i];
        own->data = keep(it, items[i].data, items[i].bytes);
        if (!own->data)
            return no_memory();
    }
    return WARP_OK;
}

static void note_snapshot(struct series_iter *it,
                          const struct ssd_cursor *cursor)
{
    uint64_t now = ssd_cursor_snapshot(cursor);
    it->torn = it->torn || (it->snapshot != 0 && it->snapshot != now);
    it->snapshot = now;
}

/* Where a cursor over the stream begins: the chunk that begins before the
 * step, if it reaches into it, else the step itself. */
static int seek(struct series_iter *it, enum series_stream stream,
                uint8_t *start, uint32_t *start_bytes)
{
    uint8_t first[SSD_KEY_BYTES_MAX];
    struct ssd_cursor *cursor = NULL;
    struct ssd_slice k, v;
    memcpy(first, it->prefix, it->prefix_bytes);
    first[SERIES_HEAD_BYTES] = (uint8_t)stream;
    memcpy(start, first, it->prefix_bytes);
    series_element_key(start + it->prefix_bytes, it->at, 0);
    *start_bytes = it->prefix_bytes + SERIES_ELEMENT_KEY;
    struct ssd_slice from = {first, it->prefix_bytes};
    struct ssd_slice to = {start, *start_bytes};
    int rc = ssd_cursor_open(it->series->c.ssd, SSD_SERIES, from, to, true,
                             &cursor);
    if (rc == WARP_OK)
        rc = ssd_next(cursor, &k, &v);
    if (rc == WARP_OK) {
        struct chunk c;
        rc = chunk_decode(k, v, &c);
        if (rc == WARP_OK && c.last_at >= it->at) {
            memcpy(start, k.data, k.bytes);
            *start_bytes = (uint32_t)k.bytes;
        }
    }
    if (cursor)
        note_snapshot(it, cursor);
    ssd_cursor_close(&cursor);
    return rc == WARP_END ? WARP_OK : rc;
}

/* The first chunk of the step, and those that share a time with it. */
static int read_stream(struct series_iter *it, enum series_stream stream,
                       int64_t *limit)
{
    uint8_t start[SSD_KEY_BYTES_MAX], end[SSD_KEY_BYTES_MAX];
    uint32_t start_bytes;
    struct ssd_cursor *cursor = NULL;
    struct ssd_slice k, v;
    struct found_items *f = &it->tiers[stream];
    int64_t last = INT64_MIN;
    bool any = false;
    f->count = 0;
    /* What is archived is older than any delete that is not written yet. */
    if (stream == STREAM_ARCHIVE && it->memory.floor > 0)
        return WARP_OK;
    int rc = seek(it, stream, start, &start_bytes);
    if (rc != WARP_OK)
        return rc;
    memcpy(end, start, it->prefix_bytes);
    series_element_key(end + it->prefix_bytes, it->to, 0);
    struct ssd_slice from = {start, start_bytes};
    struct ssd_slice to = {end, it->prefix_bytes + SERIES_ELEMENT_KEY};
    rc = ssd_cursor_open(it->series->c.ssd, SSD_SERIES, from, to, false,
                         &cursor);
    while (rc == WARP_OK && (rc = ssd_next(cursor, &k, &v)) == WARP_OK) {
        struct chunk c;
        rc = chunk_decode(k, v, &c);
        if (rc != WARP_OK)
            break;
        if (any && c.first_at > last) {
            *limit = c.first_at < *limit ? c.first_at : *limit;
            break;
        }
        if (stream == STREAM_ARCHIVE && !it->archive)
            rc = error_set(WARP_EARCHIVE,
                           "the range reaches into the archive: ask from a "
                           "later time on, or pass WARP_ARCHIVE");
        else if (c.first_at < *limit)
            rc = copy_chunk(it, &c, f);
        any = true;
        last = c.last_at > last ? c.last_at : last;
        /* What the step does not need is left to a later one. */
        if (rc == WARP_OK && last >= *limit)
            break;
    }
    if (cursor)
        note_snapshot(it, cursor);
    ssd_cursor_close(&cursor);
    return rc == WARP_END ? WARP_OK : rc;
}

/* All that the tiers hold of the step, from the copies in memory; false: they
 * are not complete there. */
static int read_copies(struct series_iter *it, int64_t *limit, bool *good)
{
    struct ssd_slice prefix = {it->prefix, it->prefix_bytes};
    int rc = WARP_OK;
    it->tiers[0].count = it->tiers[1].count = 0;
    *good = resident_read(it->series->resident, prefix, it->at, limit,
                          it->use, &it->copies);
    it->use = RESIDENT_GOES_ON;
    for (size_t at = 0; *good && at < it->copies.used && rc == WARP_OK;) {
        uint32_t bytes[2];
        struct chunk c;
        const uint8_t *entry = (const uint8_t *)it->copies.data + at;
        memcpy(bytes, entry, sizeof bytes);
        struct ssd_slice key = {entry + 8, bytes[0]};
        struct ssd_slice value = {entry + 8 + bytes[0], bytes[1]};
        rc = chunk_decode(key, value, &c);
        if (rc == WARP_OK)
            rc = copy_chunk(it, &c, &it->tiers[STREAM_NEAR]);
        at += 8 + bytes[0] + bytes[1];
    }
    return rc;
}

static int read_tiers(struct series_iter *it, int64_t *limit)
{
    atomic_fetch_add_explicit(&it->series->tier_reads, 1,
                              memory_order_relaxed);
    int rc = read_stream(it, STREAM_NEAR, limit);
    return rc == WARP_OK ? read_stream(it, STREAM_ARCHIVE, limit) : rc;
}

/* ---- a step ---- */

/* What comes next of three lists: 0 the archive, 1 the directory, 2 memory; -1:
 * nothing before the limit. */
static int least_of(const struct series_item *head[3], int64_t limit)
{
    int best = -1;
    for (int i = 0; i < 3; i++) {
        if (!head[i] || head[i]->at >= limit)
            continue;
        if (best < 0 || head[i]->at < head[best]->at)
            best = i;
        /* At one time the archive's elements are the oldest. */
        else if (head[i]->at == head[best]->at && best == 1 &&
                 head[i]->order < head[best]->order)
            best = i;
    }
    return best;
}

static int merge_step(struct series_iter *it, int64_t limit)
{
    size_t next[3] = {0};
    const struct found_items *lists[2] = {&it->tiers[STREAM_ARCHIVE],
                                          &it->tiers[STREAM_NEAR]};
    struct series_item memory;
    for (;;) {
        const struct series_item *head[3] = {0};
        for (int i = 0; i < 2; i++)
            if (next[i] < lists[i]->count)
                head[i] = &lists[i]->list[next[i]];
        if (next[2] < it->memory.count) {
            struct pending_entry e =
                pending_batch_at(&it->memory, (uint32_t)next[2]);
            series_element_read(e.key, &memory.at, &memory.order);
            memory.data = e.value;
            memory.bytes = e.value_bytes;
            head[2] = &memory;
        }
        int i = least_of(head, limit);
        if (i < 0)
            return WARP_OK;
        struct series_item *out = push(&it->step_items);
        if (!out)
            return no_memory();
        *out = *head[i];
        if (i == 2 && !(out->data = keep(it, memory.data, memory.bytes)))
            return no_memory();
        next[i]++;
        if (i == 1 && head[2] && memory.at == out->at &&
            memory.order == out->order)
            next[2]++;
    }
}

static int next_step(struct series_iter *it)
{
    int64_t limit = INT64_MAX;
    for (uint32_t tries = 0;; tries++) {
        uint32_t before = atomic_load(&it->series->flushes);
        limit = it->to;
        warp_arena_reset(&it->arena);
        it->step_items.count = it->next = 0;
        it->snapshot = 0;
        it->torn = false;
        int rc = read_memory(it, &limit);
        bool copies = false;
        if (rc == WARP_OK)
            rc = read_copies(it, &limit, &copies);
        if (rc == WARP_OK && !copies)
            rc = read_tiers(it, &limit);
        bool stale =
            it->torn || atomic_load(&it->series->flushes) != before;
        /* A segment that went while its place was at hand: look again. */
        if ((rc == WARP_ENOTFOUND || (rc == WARP_OK && stale)) &&
            tries < TRIES_MAX)
            continue;
        if (rc == WARP_ENOTFOUND)
            rc = error_set(WARP_ECORRUPT, "a series names a segment that is "
                                          "not there; restore a backup");
        if (rc != WARP_OK)
            return rc;
        break;
    }
    it->finished = limit >= it->to;
    if (it->step < STEP_MAX)
        it->step *= 2;
    int rc = merge_step(it, limit);
    it->at = limit;
    return rc;
}

/* ---- the iterator ---- */

int series_range(struct series *s, const struct layout *l, uint32_t field,
                 const struct key_ref *key, int64_t from_ms, int64_t to_ms,
                 int64_t now_ms, bool archive, struct series_iter **out)
{
    struct series_policy policy;
    *out = NULL;
    struct series_iter *it = calloc(1, sizeof *it);
    if (!it)
        return no_memory();
    series_policy(l, field, &policy);
    if (policy.end_ms != INT64_MAX &&
        series_first_alive(now_ms, policy.end_ms) > from_ms)
        from_ms = series_first_alive(now_ms, policy.end_ms);
    it->series = s;
    it->type = l->desc->fields[field].type;
    it->archive = archive;
    it->step = STEP_FIRST;
    it->at = from_ms;
    it->to = to_ms;
    it->finished = from_ms >= to_ms;
    it->use = policy.memory_ms > 0 &&
                      series_first_alive(now_ms, policy.memory_ms) <= from_ms
                  ? RESIDENT_IS_WANTED
                  : RESIDENT_IS_USED;
    series_head(it->name, l, field);
    memcpy(it->name + SERIES_HEAD_BYTES, key->bytes, key->count);
    it->name_bytes = SERIES_HEAD_BYTES + key->count;
    it->prefix_bytes =
        series_prefix(it->name, it->name_bytes, STREAM_NEAR, it->prefix);
    int rc = series_pack_create(&it->pack);
    /* Whoever may not read the archive is told at once. */
    if (rc == WARP_OK && !it->finished)
        rc = next_step(it);
    if (rc == WARP_OK)
        *out = it;
    else
        series_iter_close(&it);
    return rc;
}

int series_next(struct series_iter *it, int64_t *at_ms,
                const uint8_t **element, uint32_t *bytes)
{
    while (it->next == it->step_items.count) {
        if (it->finished)
            return WARP_END;
        int rc = next_step(it);
        if (rc != WARP_OK)
            return rc;
    }
    const struct series_item *i = &it->step_items.list[it->next++];
    *at_ms = i->at;
    *element = i->data;
    *bytes = i->bytes;
    return WARP_OK;
}

void series_iter_close(struct series_iter **iter)
{
    struct series_iter *it = *iter;
    if (!it)
        return;
    *iter = NULL;
    series_pack_destroy(&it->pack);
    pending_batch_fini(&it->memory);
    for (int i = 0; i < 2; i++)
        free(it->tiers[i].list);
    free(it->step_items.list);
    text_free(&it->copies);
    free(it->room.data);
    warp_arena_free(&it->arena);
    free(it);
}
