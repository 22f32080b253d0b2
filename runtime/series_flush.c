/* series_flush.c: what waits in memory goes into chunks of the directory.
 *
 * New elements go behind the last chunk, or into it while it is not full; late
 * ones into the chunk in whose span they fall, wherever it lies (the archive's
 * are not touched: late elements that belong there lie beside it until
 * series_age.c puts them together). The table is read as it was before the
 * transaction, so each chunk is looked at once in it. */
#include "series_part.h"

#include "error.h"
#include "hash.h"

#include <stdlib.h>

enum {
    FULL_BYTES = 1700,
    FULL_COUNT = 1024,
    /* Few new elements make a small chunk behind a larger one, so that it is
     * not written again for each of them; the small one joins it in time. */
    SMALL_COUNT = 64
};

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for a checkpoint");
}

static int item_compare(const struct series_item *a,
                        const struct series_item *b)
{
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static bool room_for(struct series_item **list, size_t *room, size_t count)
{
    if (count <= *room)
        return true;
    size_t more = count * 2 + 64;
    struct series_item *grown = realloc(*list, more * sizeof *grown);
    if (!grown)
        return false;
    *list = grown;
    *room = more;
    return true;
}

/* Two lists in order as one; what is in both comes once. 0: no memory. */
static size_t merge(struct series *s, const struct series_item *a, size_t an,
                    const struct series_item *b, size_t bn)
{
    size_t n = 0, i = 0, k = 0;
    if (!room_for(&s->merged, &s->merged_room, an + bn))
        return 0;
    while (i < an || k < bn) {
        int order = i == an ? 1 : k == bn ? -1 : item_compare(&a[i], &b[k]);
        s->merged[n++] = order <= 0 ? a[i] : b[k];
        i += order <= 0;
        k += order >= 0;
    }
    return n;
}

/* ---- finding chunks ---- */

struct found {
    bool there;
    struct chunk chunk; /* its bytes are in value */
    struct text value;
};

static int keep_found(struct found *f, struct ssd_slice key,
                      struct ssd_slice value)
{
    text_clear(&f->value);
    text_add(&f->value, value.data, value.bytes);
    if (f->value.failed)
        return no_memory();
    struct ssd_slice own = {f->value.data, f->value.used};
    f->there = true;
    return chunk_decode(key, own, &f->chunk);
}

/* The last chunk that begins at or before the element; where the one behind it
 * begins. */
static int find(const struct series_work *w, const struct series_item *e,
                struct found *f, bool *more, struct series_item *next)
{
    uint8_t bound[SSD_KEY_BYTES_MAX];
    uint32_t bytes = w->prefix_bytes + SERIES_ELEMENT_KEY;
    struct ssd_slice from = {w->prefix, w->prefix_bytes}, k, v;
    struct ssd_cursor *cursor = NULL;
    memcpy(bound, w->prefix, w->prefix_bytes);
    series_element_key(bound + w->prefix_bytes, e->at, e->order);
    bound[bytes] = 0;
    struct ssd_slice to = {bound, bytes + 1};
    f->there = *more = false;
    int rc = ssd_cursor_open(w->s->c.ssd, SSD_SERIES, from, to, true, &cursor);
    if (rc == WARP_OK)
        rc = ssd_next(cursor, &k, &v);
    if (rc == WARP_OK)
        rc = keep_found(f, k, v);
    ssd_cursor_close(&cursor);
    if (rc != WARP_OK && rc != WARP_END)
        return rc;
    uint8_t end[SSD_KEY_BYTES_MAX];
    memcpy(end, w->prefix, w->prefix_bytes);
    memset(end + w->prefix_bytes, 0xff, SERIES_ELEMENT_KEY + 1);
    from = to;
    to = (struct ssd_slice){end, bytes + 1};
    rc = ssd_cursor_open(w->s->c.ssd, SSD_SERIES, from, to, false, &cursor);
    if (rc == WARP_OK)
        rc = ssd_next(cursor, &k, &v);
    if (rc == WARP_OK && k.bytes != bytes)
        rc = error_set(WARP_ECORRUPT, "a series has a key of %zu bytes",
                       k.bytes);
    if (rc == WARP_OK) {
        *more = true;
        series_element_read((const uint8_t *)k.data + w->prefix_bytes,
                            &next->at, &next->order);
    }
    ssd_cursor_close(&cursor);
    return rc == WARP_END ? WARP_OK : rc;
}

/* ---- putting elements in ---- */

static bool is_full(const struct series_work *w, const struct chunk *c,
                    int64_t at)
{
    int64_t reach;
    if (c->packed_bytes >= FULL_BYTES || c->count >= FULL_COUNT)
        return true;
    return w->policy.near_ms != INT64_MAX &&
           (__builtin_sub_overflow(at, c->first_at, &reach) ||
            reach > w->policy.near_ms / 16);
}

static int store_on_disk(struct series_work *w, const struct series_item *items,
                         size_t count, int64_t at, uint64_t order)
{
    int rc = WARP_OK;
    while (count > 0 && rc == WARP_OK) {
        uint32_t n = count < SERIES_COUNT_MAX ? (uint32_t)count
                                              : SERIES_COUNT_MAX;
        rc = series_store_far(w, CHUNK_DISK, items, n, at, order);
        items += n;
        count -= n;
        if (count > 0) {
            at = items[0].at;
            order = items[0].order;
        }
    }
    return rc;
}

/* Elements into an existing chunk, which keeps its key. */
static int put_into(struct series_work *w, const struct found *f,
                    const struct series_item *items, size_t count)
{
    struct series *s = w->s;
    struct series_item *old;
    const struct chunk *c = &f->chunk;
    int rc = series_chunk_items(s, s->pack, w->type, c, &s->packed, &old);
    if (rc != WARP_OK)
        return rc;
    /* They stay where they are: packing does not use that memory. */
    size_t n = merge(s, old, c->count, items, count);
    if (n == 0)
        return no_memory();
    if (n == c->count) { /* all of them came again: it stays as it is */
        uint8_t key[SSD_KEY_BYTES_MAX];
        memcpy(key, w->prefix, w->prefix_bytes);
        series_element_key(key + w->prefix_bytes, c->first_at,
                           c->first_order);
        series_stage_put(
            w, (struct ssd_slice){key, w->prefix_bytes + SERIES_ELEMENT_KEY},
            (struct ssd_slice){f->value.data, f->value.used});
        return WARP_OK;
    }
    if (c->where == CHUNK_HERE)
        return series_store_near(w, s->merged, n, c->first_at, c->first_order);
    rc = series_give_up(s, c);
    return rc == WARP_OK ? store_on_disk(w, s->merged, n, c->first_at,
                                         c->first_order)
                         : rc;
}

/* The small chunk f with new elements joins the one before it. *joined: it was
 * one that takes them. */
static int join_before(struct series_work *w, const struct found *f,
                       const struct series_item *items, size_t count,
                       bool *joined)
{
    struct series *s = w->s;
    const struct chunk *c = &f->chunk;
    struct series_item e = {.at = c->first_at, .order = c->first_order - 1};
    struct found before = {.value = TEXT_INIT};
    struct series_item *old, *small = NULL, next;
    uint8_t key[SSD_KEY_BYTES_MAX];
    bool more;
    *joined = false;
    int rc = c->first_order > 0 ? find(w, &e, &before, &more, &next) : WARP_OK;
    if (rc != WARP_OK || !before.there || before.chunk.where != CHUNK_HERE ||
        is_full(w, &before.chunk, items[count - 1].at)) {
        text_free(&before.value);
        return rc;
    }
    rc = series_chunk_items(s, s->pack, w->type, c, &s->packed, &old);
    uint8_t *bytes = warp_arena_alloc(&s->arena, c->raw_bytes + 1u);
    size_t n = rc == WARP_OK ? merge(s, old, c->count, items, count) : 0;
    if (n > 0)
        small = warp_arena_alloc(&s->arena, n * sizeof *small);
    if (rc == WARP_OK && (!bytes || !small))
        rc = no_memory();
    if (rc == WARP_OK) {
        /* Unpacking the other chunk takes this one's memory. */
        const uint8_t *from = old[0].data;
        memcpy(bytes, from, c->raw_bytes);
        for (uint32_t i = 0; i < n; i++) {
            small[i] = s->merged[i];
            if (small[i].data >= from && small[i].data <= from + c->raw_bytes)
                small[i].data = bytes + (small[i].data - from);
        }
        rc = series_chunk_items(s, s->pack, w->type, &before.chunk, &s->packed,
                                &old);
    }
    if (rc == WARP_OK) {
        n = merge(s, old, before.chunk.count, small, n);
        rc = n > 0 ? series_stage_begin(w, before.chunk.first_at + 1)
                   : no_memory();
    }
    memcpy(key, w->prefix, w->prefix_bytes);
    series_element_key(key + w->prefix_bytes, c->first_at, c->first_order);
    struct ssd_slice k = {key, w->prefix_bytes + SERIES_ELEMENT_KEY};
    if (rc == WARP_OK) {
        series_stage_join(w, k);
        rc = ssd_del(w->txn, SSD_SERIES, k);
    }
    if (rc == WARP_OK)
        rc = series_store_near(w, s->merged, n, before.chunk.first_at,
                               before.chunk.first_order);
    *joined = rc == WARP_OK;
    text_free(&before.value);
    return rc;
}

/* Elements that lie before the next chunk. only: no others are put into the
 * record's chunks in this transaction. */
static int put_run(struct series_work *w, const struct found *f, bool last,
                   bool only, const struct series_item *items, size_t count)
{
    const struct chunk *c = &f->chunk;
    size_t inside = 0;
    int rc = WARP_OK;
    if (!f->there && last)
        rc = series_stage_begin(w, INT64_MIN);
    if (!f->there && rc != WARP_OK)
        return rc;
    if (!f->there)
        return series_store_near(w, items, count, items[0].at,
                                 items[0].order);
    while (inside < count && items[inside].at <= c->last_at)
        inside++;
    if (only && last && c->where == CHUNK_HERE && c->count < SMALL_COUNT &&
        c->count + count >= SMALL_COUNT) {
        bool joined;
        rc = join_before(w, f, items, count, &joined);
        if (rc != WARP_OK || joined)
            return rc;
    }
    /* A chunk that is not full takes what comes behind it, too. */
    bool aside = last && inside == 0 && c->count >= SMALL_COUNT &&
                 count < SMALL_COUNT;
    if (c->where == CHUNK_HERE && !aside)
        while (inside < count && !is_full(w, c, items[inside].at))
            inside++;
    /* From where on the chunks that are written now hold all: another one may
     * end at the time at which this one begins. */
    bool whole = inside > 0 && c->where == CHUNK_HERE;
    if (last)
        rc = series_stage_begin(w, (whole ? c->first_at : c->last_at) + 1);
    if (rc == WARP_OK && inside > 0)
        rc = put_into(w, f, items, inside);
    if (rc == WARP_OK && inside < count)
        rc = series_store_near(w, items + inside, count - inside,
                               items[inside].at, items[inside].order);
    return rc;
}

static int put_all(struct series_work *w, const struct series_item *items,
                   size_t count)
{
    struct found f = {.value = TEXT_INIT};
    int rc = WARP_OK;
    for (size_t at = 0; at < count && rc == WARP_OK;) {
        struct series_item next;
        bool more;
        size_t end = at + 1;
        rc = find(w, &items[at], &f, &more, &next);
        while (end < count && (!more || item_compare(&items[end], &next) < 0))
            end++;
        if (rc == WARP_OK)
            rc = put_run(w, &f, !more, at == 0, items + at, end - at);
        at = end;
    }
    text_free(&f.value);
    return rc;
}

/* ---- records that were deleted ---- */

static int by_item(const void *a, const void *b)
{
    return item_compare(a, b);
}

/* Elements above the floor are kept: they came after the delete. */
static int keep_above(struct series_work *w, const struct chunk *c,
                      uint64_t floor, size_t *count)
{
    struct series *s = w->s;
    struct series_item *items;
    if (!(c->flags & CHUNK_ORDERS))
        return WARP_OK; /* they were durable before the floor was made */
    int rc = series_chunk_items(s, s->pack, w->type, c, &s->packed, &items);
    for (uint32_t i = 0; i < c->count && rc == WARP_OK; i++) {
        if (items[i].order < floor)
            continue;
        uint8_t *bytes = warp_arena_alloc(&s->arena, items[i].bytes + 1u);
        if (!bytes || !room_for(&s->fresh, &s->fresh_room, *count + 1))
            return no_memory();
        memcpy(bytes, items[i].data, items[i].bytes);
        s->fresh[*count] = items[i];
        s->fresh[(*count)++].data = bytes;
    }
    return rc;
}

static int drop_stream(struct series_work *w, enum series_stream stream,
                       uint64_t floor, size_t *count)
{
    uint8_t first[SSD_KEY_BYTES_MAX], end[SSD_KEY_BYTES_MAX];
    struct ssd_cursor *cursor = NULL;
    struct ssd_slice k, v;
    memcpy(first, w->prefix, w->prefix_bytes);
    first[SERIES_HEAD_BYTES] = (uint8_t)stream;
    memcpy(end, first, w->prefix_bytes);
    memset(end + w->prefix_bytes, 0xff, SERIES_ELEMENT_KEY + 1);
    struct ssd_slice from = {first, w->prefix_bytes};
    struct ssd_slice to = {end, w->prefix_bytes + SERIES_ELEMENT_KEY + 1};
    int rc = ssd_cursor_open(w->s->c.ssd, SSD_SERIES, from, to, false,
                             &cursor);
    while (rc == WARP_OK && (rc = ssd_next(cursor, &k, &v)) == WARP_OK) {
        struct chunk c;
        rc = chunk_decode(k, v, &c);
        if (rc == WARP_OK)
            rc = keep_above(w, &c, floor, count);
        if (rc == WARP_OK)
            rc = series_remove(w, &c, k);
    }
    ssd_cursor_close(&cursor);
    return rc == WARP_END ? WARP_OK : rc;
}

/* The record begins anew: its chunks go, what is left makes new ones. */
static int start_anew(struct series_work *w, uint64_t floor, size_t count)
{
    struct series *s = w->s;
    size_t n = 0;
    int rc = drop_stream(w, STREAM_ARCHIVE, floor, &count);
    if (rc == WARP_OK)
        rc = drop_stream(w, STREAM_NEAR, floor, &count);
    if (rc != WARP_OK || count == 0)
        return rc;
    rc = series_stage_begin(w, INT64_MIN);
    if (rc != WARP_OK)
        return rc;
    qsort(s->fresh, count, sizeof *s->fresh, by_item);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || item_compare(&s->fresh[i], &s->fresh[n - 1]) != 0)
            s->fresh[n++] = s->fresh[i];
    return series_store_near(w, s->fresh, n, s->fresh[0].at,
                             s->fresh[0].order);
}

/* ---- a checkpoint ---- */

struct flushing {
    struct series *series;
    struct ssd_txn *txn;
};

static int flush_group(void *arg, struct pending_visit *group)
{
    struct flushing *f = arg;
    struct series *s = f->series;
    struct series_work w;
    struct pending_entry e;
    size_t count = 0;
    if (!series_work_begin(&w, s, f->txn, group->name, group->name_bytes))
        return WARP_OK;
    while (pending_visit_next(group, &e)) {
        if (!room_for(&s->fresh, &s->fresh_room, count + 1))
            return no_memory();
        struct series_item *i = &s->fresh[count++];
        series_element_read(e.key, &i->at, &i->order);
        i->data = e.value;
        i->bytes = e.value_bytes;
    }
    if (group->floor > 0)
        return start_anew(&w, group->floor, count);
    return put_all(&w, s->fresh, count);
}

/* ---- places that a compaction wants to empty ---- */

static int copy_entry(void *arg, struct ssd_slice value)
{
    struct text *to = arg;
    text_clear(to);
    text_add(to, value.data, value.bytes);
    return to->failed ? WARP_ENOMEM : WARP_OK;
}

/* In the same transaction as the elements: a chunk that they have changed has
 * another place already, in memory only (series_move is called again). */
static int move_one(struct series *s, struct ssd_txn *txn,
                    const uint8_t *owner, uint32_t owner_bytes,
                    struct disk_place place, struct text *value)
{
    struct ssd_slice key = {owner, owner_bytes};
    struct series_item *items;
    struct chunk c;
    for (size_t i = 0; i < s->dead_count; i++)
        if (disk_place_same(&s->dead[i], &place))
            return WARP_OK;
    int rc = ssd_get(s->c.ssd, SSD_SERIES, key, copy_entry, value);
    if (rc == WARP_ENOTFOUND)
        return WARP_OK;
    struct ssd_slice v = {value->data, value->used};
    if (rc == WARP_OK)
        rc = chunk_decode(key, v, &c);
    if (rc != WARP_OK || c.where != CHUNK_DISK ||
        !disk_place_same(&c.place, &place))
        return rc;
    struct series_work w = {.s = s, .txn = txn};
    uint8_t name[SERIES_HEAD_BYTES + 1] = {owner[0], owner[1], owner[2], 0};
    if (!series_work_begin(&w, s, txn, name, SERIES_HEAD_BYTES + 1))
        return WARP_OK;
    w.prefix_bytes = series_prefix_of(key);
    memcpy(w.prefix, owner, w.prefix_bytes);
    w.keep = c.flags & CHUNK_ORDERS ? 0 : UINT64_MAX; /* as they are */
    rc = series_chunk_items(s, s->pack, w.type, &c, &s->packed, &items);
    if (rc != WARP_OK)
        return rc;
    rc = series_give_up(s, &c);
    return rc == WARP_OK ? series_store_far(&w, CHUNK_DISK, items, c.count,
                                            c.first_at, c.first_order)
                         : rc;
}

int series_move(struct series *s, const uint8_t *owner, uint32_t owner_bytes,
                struct disk_place place)
{
    uint8_t bytes[DISK_PLACE_BYTES];
    struct series_work w;
    if (series_prefix_of((struct ssd_slice){owner, owner_bytes}) == 0 ||
        !series_work_begin(&w, s, NULL, owner, SERIES_HEAD_BYTES + 1))
        return WARP_OK;
    text_u32(&s->moves, owner_bytes);
    text_add(&s->moves, owner, owner_bytes);
    disk_place_encode(&place, bytes);
    text_add(&s->moves, bytes, sizeof bytes);
    atomic_store(&s->moving, true);
    return s->moves.failed ? no_memory() : WARP_OK;
}

static int flush_moves(struct series *s, struct ssd_txn *txn)
{
    struct text value = TEXT_INIT;
    int rc = WARP_OK;
    for (size_t at = 0; at < s->moves.used && rc == WARP_OK;) {
        uint32_t bytes;
        struct disk_place place;
        const uint8_t *m = (const uint8_t *)s->moves.data + at;
        memcpy(&bytes, m, sizeof bytes);
        disk_place_decode(m + 4 + bytes, &place);
        rc = move_one(s, txn, m + 4, bytes, place, &value);
        at += 4 + bytes + DISK_PLACE_BYTES;
    }
    text_free(&value);
    return rc;
}

int series_flush(struct series *s, struct ssd_txn *txn, bool *disk)
{
    struct flushing f = {s, txn};
    pending_take(s->pending);
    int rc = pending_walk(s->pending, flush_group, &f);
    if (rc == WARP_OK)
        rc = flush_moves(s, txn);
    *disk = s->wrote_disk;
    return rc;
}

void series_flushed(struct series *s, bool keep)
{
    if (keep)
        series_forget_ages(s);
    else
        text_clear(&s->moves);
    atomic_store(&s->moving, s->moves.used > 0);
    series_ended(s, !keep);
    pending_settle(s->pending, keep);
}
