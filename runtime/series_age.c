/* series_age.c: elements leave a tier when they are past its age.
 *
 * A walk over a field's records looks at the oldest chunks of each and skips
 * the rest: chunks past the retention go, chunks of the directory that are past
 * its age become larger ones on the disk, those past the disk's age go to the
 * archive, together with what lies there already where they overlap. A walk
 * goes on where the step before ended, and begins anew when the chunk that is
 * due first is late by 1/64 of its age (an hour at most): reads hide exactly,
 * and a chunk moves as a whole. Each step is a transaction of the directory: a
 * chunk has one owner at any moment.
 *
 * A chunk with an element that a replay would bring again stays where that one
 * is told from it, by its order, until a checkpoint has settled it. */
#include "series_part.h"

#include "catalog.h"
#include "error.h"

#include <stdlib.h>

enum {
    VISITS_MAX = 8192,      /* entries that a step looks at */
    MOVED_BYTES_MAX = 4 << 20, /* packed, that a step moves */
    FAR_RAW_BYTES = 256 << 10, /* of the elements of one far chunk */
    JOIN_COUNT = 1024,   /* elements of a chunk that is still small: one that */
    JOIN_ARCHIVED = 128, /* comes behind it is put together with it */
    TRIM_MS = 60000, /* between looks at what leaves memory */
    LIVE_PCT = 40 /* a segment of the archive below it is emptied */
};
static const int64_t late_max_ms = 3600 * 1000;

/* ---- when a walk is worth its while ---- */

static struct series_age *age_of(struct series *s, const uint8_t *head)
{
    for (uint32_t i = 0; i < s->age_count; i++)
        if (memcmp(s->ages[i].head, head, SERIES_HEAD_BYTES) == 0)
            return &s->ages[i];
    struct series_age *grown =
        realloc(s->ages, (s->age_count + 1) * sizeof *grown);
    if (!grown) {
        error_set(WARP_ENOMEM, "out of memory for a checkpoint");
        return NULL;
    }
    s->ages = grown;
    grown = &s->ages[s->age_count++];
    memset(grown, 0, sizeof *grown);
    memcpy(grown->head, head, SERIES_HEAD_BYTES);
    grown->next = INT64_MIN;
    grown->next_walk = INT64_MAX;
    return grown;
}

static int64_t add_age(int64_t at, int64_t age)
{
    int64_t due;
    return age == INT64_MAX || __builtin_add_overflow(at, age, &due)
               ? INT64_MAX
               : due;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The age at which a chunk leaves where it is. */
static int64_t age_at(const struct series_policy *p, enum chunk_where where)
{
    int64_t age = where == CHUNK_HERE   ? p->near_ms
                  : where == CHUNK_DISK ? p->disk_ms
                                        : INT64_MAX;
    return least(age, p->end_ms);
}

static int64_t lateness(int64_t age)
{
    return age == INT64_MAX ? 0 : least(age / 64, late_max_ms);
}

int series_note_age(struct series_work *w, enum chunk_where where,
                    int64_t last_at)
{
    int64_t age = age_at(&w->policy, where);
    if (age == INT64_MAX)
        return WARP_OK;
    struct series_age *a = age_of(w->s, w->prefix);
    if (!a)
        return WARP_ENOMEM;
    int64_t due = add_age(last_at, age + lateness(age));
    a->next = least(a->next, due);
    a->next_walk = least(a->next_walk, due);
    return WARP_OK;
}

void series_forget_ages(struct series *s)
{
    for (uint32_t i = 0; i < s->age_count; i++) {
        s->ages[i].next = INT64_MIN;
        s->ages[i].walking = false;
    }
}

/* ---- one record ---- */

/* Chunks that go to one tier together. */
struct run {
    struct series_item *items;
    size_t room;
    uint32_t count;
    uint64_t raw_bytes;
    int64_t first_at;
    uint64_t first_order;
};

struct walk {
    struct series_work w;
    struct series_age *age;
    int64_t now;
    bool force;
    uint32_t visits;
    uint64_t moved;
    struct run run;
    enum chunk_where to;
    struct chunk before; /* of the record, on the disk; count 0: none */
    uint32_t before_bytes;
    uint8_t before_key[SSD_KEY_BYTES_MAX];
};

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for a checkpoint");
}

static bool is_past(int64_t last_at, int64_t age, int64_t now)
{
    return age != INT64_MAX && last_at < series_first_alive(now, age);
}

enum { GO_ON, SKIP, UNSETTLED }; /* beside errors */

static bool has_from(const struct series_item *items, uint32_t count,
                     uint64_t keep)
{
    for (uint32_t i = 0; i < count; i++)
        if (items[i].order >= keep)
            return true;
    return false;
}

/* Copies a chunk's elements to the run; UNSETTLED: not, for one of them has an
 * order from `keep` on. */
static int take_chunk(struct walk *k, const struct chunk *c, uint64_t keep)
{
    struct series *s = k->w.s;
    struct run *r = &k->run;
    struct series_item *items;
    int rc = series_chunk_items(s, s->pack, k->w.type, c, &s->packed, &items);
    if (rc != WARP_OK)
        return rc;
    if ((c->flags & CHUNK_ORDERS) && has_from(items, c->count, keep))
        return UNSETTLED;
    if (r->count + c->count > r->room) {
        size_t room = (r->count + c->count) * 2;
        struct series_item *grown = realloc(r->items, room * sizeof *grown);
        if (!grown)
            return no_memory();
        r->items = grown;
        r->room = room;
    }
    uint8_t *bytes = warp_arena_alloc(&s->arena, c->raw_bytes + 1u);
    if (!bytes)
        return no_memory();
    if (c->raw_bytes > 0)
        memcpy(bytes, items[0].data, c->raw_bytes);
    if (r->count == 0) {
        r->first_at = c->first_at;
        r->first_order = c->first_order;
    }
    for (uint32_t i = 0; i < c->count; i++) {
        struct series_item *own = &r->items[r->count++];
        *own = items[i];
        own->data = bytes + (items[i].data - items[0].data);
    }
    r->raw_bytes += c->raw_bytes;
    k->moved += c->packed_bytes;
    return WARP_OK;
}

/* Does the chunk fit behind the run? */
static bool fits(const struct walk *k, const struct chunk *c)
{
    const struct run *r = &k->run;
    int64_t span = age_at(&k->w.policy, k->to), reach;
    if (r->count == 0)
        return true;
    if (r->count + c->count > SERIES_COUNT_MAX ||
        r->raw_bytes + c->raw_bytes > FAR_RAW_BYTES)
        return false;
    return span == INT64_MAX ||
           (!__builtin_sub_overflow(c->last_at, r->first_at, &reach) &&
            reach <= span / 16);
}

/* ---- into the archive ---- */

static int by_item(const void *a, const void *b)
{
    const struct series_item *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* The order of a run's part: at one time the archive's elements are older than
 * the run's, and what lies further back is older still. */
static void order_part(struct run *r, uint32_t from, uint32_t parts_back)
{
    for (uint32_t i = from; i < r->count; i++)
        r->items[i].order = (uint64_t)(UINT32_MAX - parts_back) << 32 | i;
}

/* Chunks of the archive that overlap the run join it, and the one before it
 * while it is small: else a series of few elements makes many chunks. */
static int take_overlap(struct walk *k)
{
    uint8_t first[SSD_KEY_BYTES_MAX], end[SSD_KEY_BYTES_MAX];
    struct run *r = &k->run;
    struct ssd_cursor *cursor = NULL;
    struct ssd_slice key, value;
    uint32_t bytes = k->w.prefix_bytes + SERIES_ELEMENT_KEY;
    int64_t last = r->items[r->count - 1].at;
    memcpy(first, k->w.prefix, k->w.prefix_bytes);
    first[SERIES_HEAD_BYTES] = STREAM_ARCHIVE;
    memcpy(end, first, k->w.prefix_bytes);
    series_element_key(end + k->w.prefix_bytes, last, UINT64_MAX);
    struct ssd_slice from = {first, k->w.prefix_bytes}, to = {end, bytes};
    uint32_t parts = 0;
    order_part(r, 0, parts);
    int rc = ssd_cursor_open(k->w.s->c.ssd, SSD_SERIES, from, to, true,
                             &cursor);
    while (rc == WARP_OK &&
           (rc = ssd_next(cursor, &key, &value)) == WARP_OK) {
        struct chunk c;
        rc = chunk_decode(key, value, &c);
        if (rc == WARP_OK && c.last_at < r->first_at &&
            (parts > 0 || c.count > JOIN_ARCHIVED))
            break;
        uint32_t before = r->count;
        if (rc == WARP_OK)
            rc = take_chunk(k, &c, UINT64_MAX);
        if (rc == WARP_OK)
            rc = series_remove(&k->w, &c, key);
        if (rc != WARP_OK)
            break;
        order_part(r, before, ++parts);
        if (c.first_at <= r->first_at) {
            r->first_at = c.first_at;
            r->first_order = c.first_order;
        }
    }
    ssd_cursor_close(&cursor);
    if (parts > 0)
        qsort(r->items, r->count, sizeof *r->items, by_item);
    return rc == WARP_END ? WARP_OK : rc;
}

/* As a chunk without orders numbers its elements: see series_pack.h. */
static void renumber(struct run *r)
{
    for (uint32_t i = 0; i < r->count; i++)
        r->items[i].order = i == 0 ? r->first_order
                            : r->items[i].at == r->items[i - 1].at
                                ? r->items[i - 1].order + 1
                                : 0;
}

static int store_run(struct walk *k)
{
    struct run *r = &k->run;
    int rc = WARP_OK;
    if (r->count == 0)
        return rc;
    if (k->to == CHUNK_ARCHIVE)
        rc = take_overlap(k);
    renumber(r);
    for (uint32_t at = 0, n; at < r->count && rc == WARP_OK; at += n) {
        n = r->count - at < SERIES_COUNT_MAX ? r->count - at
                                             : SERIES_COUNT_MAX;
        rc = series_store_far(&k->w, k->to, r->items + at, n,
                              r->items[at].at, r->items[at].order);
    }
    r->count = 0;
    r->raw_bytes = 0;
    return rc;
}

/* ---- the walk ---- */

static void tell(const struct series *s)
{
    if (s->c.event)
        s->c.event(s->c.arg, WARP_ECORRUPT, error_text());
}

/* The last chunk on the disk, while it is small, with the one that comes behind
 * it. */
static int take_before(struct walk *k, const struct chunk *c)
{
    struct chunk b = k->before;
    struct ssd_slice key = {k->before_key, k->before_bytes};
    k->before.count = 0;
    if (b.count == 0 || b.count > JOIN_COUNT || b.last_at > c->first_at)
        return WARP_OK;
    int rc = take_chunk(k, &b, UINT64_MAX);
    if (rc == WARP_OK && fits(k, c))
        return series_remove(&k->w, &b, key);
    k->run.count = 0; /* it stays where it is */
    k->run.raw_bytes = 0;
    return rc;
}

/* Of the record that the walk has come to. */
static uint64_t keep_of(const struct walk *k)
{
    uint8_t record[SSD_KEY_BYTES_MAX];
    uint32_t bytes =
        series_record_key(k->w.prefix, k->w.prefix_bytes, record);
    return series_keep(k->w.s, k->w.l, record, bytes);
}

static int move_chunk(struct walk *k, const struct chunk *c,
                      struct ssd_slice key, enum chunk_where to)
{
    int rc = WARP_OK;
    if (k->run.count > 0 && (k->to != to || !fits(k, c)))
        rc = store_run(k);
    k->to = to;
    if (rc == WARP_OK && to == CHUNK_DISK && k->run.count == 0)
        rc = take_before(k, c);
    if (rc == WARP_OK)
        rc = take_chunk(k, c, keep_of(k));
    if (rc == UNSETTLED) {
        k->age->next_walk = k->now;
        rc = store_run(k);
        return rc == WARP_OK && c->where == CHUNK_HERE ? SKIP : rc;
    }
    if (rc != WARP_ECORRUPT)
        return rc == WARP_OK ? series_remove(&k->w, c, key) : rc;
    /* A damaged chunk stays; what comes behind it is a run of its own. */
    tell(k->w.s);
    return store_run(k);
}

static int look_at(struct walk *k, const struct chunk *c, struct ssd_slice key)
{
    const struct series_policy *p = &k->w.policy;
    if (is_past(c->last_at, p->end_ms, k->now))
        return series_remove(&k->w, c, key);
    if (c->where != CHUNK_ARCHIVE && p->archive &&
        is_past(c->last_at, p->disk_ms, k->now) && k->w.s->c.archive)
        return move_chunk(k, c, key, CHUNK_ARCHIVE);
    if (c->where == CHUNK_HERE && p->disk_ms > p->near_ms &&
        is_past(c->last_at, p->near_ms, k->now) && k->w.s->c.disk)
        return move_chunk(k, c, key, CHUNK_DISK);
    int rc = store_run(k);
    if (rc != WARP_OK)
        return rc;
    int64_t age = age_at(p, c->where);
    k->age->next_walk =
        least(k->age->next_walk, add_age(c->last_at, age + lateness(age)));
    if (c->where == CHUNK_DISK) {
        k->before = *c;
        k->before_bytes = (uint32_t)key.bytes;
        memcpy(k->before_key, key.data, key.bytes);
    }
    /* Behind a chunk that stays in the directory, or in the archive, all are
     * younger. */
    return c->where == CHUNK_DISK ? GO_ON : SKIP;
}

static int reopen(struct walk *k, struct ssd_cursor **cursor)
{
    uint8_t end[SERIES_HEAD_BYTES];
    struct ssd_slice from = {k->age->at, k->age->at_bytes};
    struct ssd_slice to = {end, sizeof end};
    memcpy(end, k->age->head, sizeof end);
    end[2]++; /* there are no 255 fields */
    ssd_cursor_close(cursor);
    return ssd_cursor_open(k->w.s->c.ssd, SSD_SERIES, from, to, false, cursor);
}

/* The walk goes on behind this key, or behind the record in its stream. */
static void goes_on_at(struct walk *k, struct ssd_slice key, bool next_record)
{
    memcpy(k->age->at, key.data, key.bytes);
    if (next_record)
        memset(k->age->at + key.bytes - SERIES_ELEMENT_KEY, 0xff,
               SERIES_ELEMENT_KEY);
    k->age->at[key.bytes] = 0;
    k->age->at_bytes = (uint32_t)key.bytes + 1;
}

static bool enough(const struct walk *k)
{
    return k->visits >= VISITS_MAX || k->moved >= MOVED_BYTES_MAX;
}

static int visit(struct walk *k, struct ssd_slice key, struct ssd_slice value)
{
    struct chunk c;
    uint32_t prefix = series_prefix_of(key);
    int rc = chunk_decode(key, value, &c);
    if (rc != WARP_OK)
        return rc;
    const uint8_t *bytes = key.data;
    bool same = prefix == k->w.prefix_bytes &&
                memcmp(bytes, k->w.prefix, prefix) == 0;
    if (!same) {
        rc = store_run(k);
        memcpy(k->w.prefix, bytes, prefix);
        k->w.prefix_bytes = prefix;
        k->before.count = 0;
    }
    k->visits++;
    return rc == WARP_OK ? look_at(k, &c, key) : rc;
}

static int walk(struct walk *k)
{
    struct ssd_slice key, value;
    struct ssd_cursor *cursor = NULL;
    int rc = reopen(k, &cursor);
    while (rc == WARP_OK && !enough(k)) {
        rc = ssd_next(cursor, &key, &value);
        if (rc != WARP_OK)
            break;
        rc = visit(k, key, value);
        if (rc == WARP_OK || rc == SKIP)
            goes_on_at(k, key, rc == SKIP);
        if (rc == SKIP)
            rc = reopen(k, &cursor);
    }
    ssd_cursor_close(&cursor);
    bool end = rc == WARP_END;
    if (rc == WARP_OK || end)
        rc = store_run(k);
    k->age->walking = rc == WARP_OK && !end;
    if (rc == WARP_OK && end)
        k->age->next = k->age->next_walk;
    return rc;
}

static void begin_walk(struct series_age *a)
{
    a->walking = true;
    a->next_walk = INT64_MAX;
    memcpy(a->at, a->head, SERIES_HEAD_BYTES);
    a->at_bytes = SERIES_HEAD_BYTES;
}

/* One field: a piece of its walk, if one is due. */
static int age_field(struct walk *k, struct series *s, struct ssd_txn *txn,
                     const struct layout *l, uint32_t field, bool *more)
{
    uint8_t name[SERIES_HEAD_BYTES + 1] = {0};
    series_head(name, l, field);
    if (!series_work_begin(&k->w, s, txn, name, SERIES_HEAD_BYTES))
        return WARP_OK;
    const struct series_policy *p = &k->w.policy;
    if (p->near_ms == INT64_MAX && p->disk_ms == INT64_MAX &&
        p->end_ms == INT64_MAX)
        return WARP_OK;
    k->w.keep = UINT64_MAX; /* of what moves no order comes again */
    k->w.prefix_bytes = 0;
    k->age = age_of(s, name);
    if (!k->age)
        return WARP_ENOMEM;
    if (!k->age->walking && !k->force && k->age->next > k->now)
        return WARP_OK;
    if (!k->age->walking)
        begin_walk(k->age);
    int rc = walk(k);
    *more = *more || k->age->walking;
    return rc;
}

/* ---- dead room in the archive ---- */

struct empty_call {
    struct series *series;
    struct ssd_txn *txn;
    uint32_t marked;
    struct text value;
};

static int copy_entry(void *arg, struct ssd_slice value)
{
    struct text *to = arg;
    text_clear(to);
    text_add(to, value.data, value.bytes);
    return to->failed ? no_memory() : WARP_OK;
}

/* A value of a record has an owner of the same form: the field tells. */
static bool series_owns(const struct series *s, const uint8_t *owner,
                        size_t owner_bytes)
{
    const struct layout *l =
        owner_bytes < SERIES_HEAD_BYTES
            ? NULL
            : catalog_find(s->c.layouts, s->c.layout_count,
                           (uint32_t)owner[0] << 8 | owner[1]);
    uint32_t field = l ? layout_field_of_id(l, owner[2]) : 56;
    return field == 56 || (l->series >> field & 1);
}

/* An entry of a segment that is to be emptied: what lives moves on. */
static int move_entry(void *arg, struct archive_place place, const void *owner,
                      size_t owner_bytes, const void *value)
{
    struct empty_call *e = arg;
    struct series *s = e->series;
    struct ssd_slice key = {owner, owner_bytes};
    struct chunk c;
    if (!series_owns(s, owner, owner_bytes))
        return s->c.rehome ? s->c.rehome(s->c.arg, owner, owner_bytes, place,
                                         value, place.bytes, &e->marked)
                           : WARP_OK;
    int rc = ssd_get(s->c.ssd, SSD_SERIES, key, copy_entry, &e->value);
    if (rc == WARP_ENOTFOUND)
        return WARP_OK;
    struct ssd_slice entry = {e->value.data, e->value.used};
    if (rc == WARP_OK)
        rc = chunk_decode(key, entry, &c);
    if (rc != WARP_OK || c.where != CHUNK_ARCHIVE ||
        c.archive.segment != place.segment ||
        c.archive.offset != place.offset)
        return rc;
    rc = series_give_up(s, &c);
    if (rc == WARP_OK)
        rc = archive_append(s->c.archive, owner, owner_bytes, value,
                            place.bytes, &c.archive);
    text_clear(&e->value);
    chunk_encode(&c, &e->value);
    entry = (struct ssd_slice){e->value.data, e->value.used};
    return rc == WARP_OK ? ssd_put(e->txn, SSD_SERIES, key, entry) : rc;
}

/* In a transaction that has not touched the archive's chunks. */
static int empty_segment(struct series *s, struct ssd_txn *txn, bool *any,
                         uint32_t *marked)
{
    struct empty_call e = {s, txn, 0, TEXT_INIT};
    uint32_t number = archive_emptiest(s->c.archive, LIVE_PCT);
    *any = number != 0;
    int rc = number ? archive_walk(s->c.archive, number, move_entry, &e)
                    : WARP_OK;
    text_free(&e.value);
    *marked = e.marked;
    /* No room for more values: a checkpoint lets some go, then it goes on. */
    if (rc == WARP_ELIMIT && e.marked > 0)
        return WARP_OK;
    if (rc != WARP_ECORRUPT)
        return rc;
    tell(s);
    archive_leave(s->c.archive, number);
    return WARP_OK;
}

int series_migrate(struct series *s, int64_t now_ms, bool force, bool *more,
                   uint32_t *marked)
{
    struct walk k = {.now = now_ms, .force = force};
    struct ssd_txn *txn = NULL;
    uint32_t none;
    *more = false;
    marked = marked ? marked : &none;
    *marked = 0;
    bool any = force, emptied = false;
    if (now_ms - s->trimmed_ms >= TRIM_MS || now_ms < s->trimmed_ms) {
        resident_trim(s->resident, now_ms);
        s->trimmed_ms = now_ms;
    }
    series_settle_copies(s, now_ms);
    /* After an open nothing is known: one walk tells. */
    for (uint32_t i = 0; i < s->c.layout_count; i++)
        FOR_BITS(f, s->c.layouts[i]->series)
        {
            uint8_t head[SERIES_HEAD_BYTES];
            series_head(head, s->c.layouts[i], (uint32_t)f);
            if (!age_of(s, head))
                return WARP_ENOMEM;
        }
    for (uint32_t i = 0; i < s->age_count && !any; i++)
        any = s->ages[i].walking || s->ages[i].next <= now_ms;
    if (!any && !(s->c.archive && archive_emptiest(s->c.archive, LIVE_PCT)))
        return WARP_OK;
    int rc = ssd_begin(s->c.ssd, &txn);
    for (uint32_t i = 0; i < s->c.layout_count && rc == WARP_OK; i++)
        FOR_BITS(f, s->c.layouts[i]->series)
            if (rc == WARP_OK && !enough(&k))
                rc = age_field(&k, s, txn, s->c.layouts[i], (uint32_t)f, more);
    if (rc == WARP_OK && s->c.archive && k.visits == 0)
        rc = empty_segment(s, txn, &emptied, marked);
    if (rc == WARP_OK && s->wrote_disk)
        rc = disk_sync(s->c.disk);
    if (rc == WARP_OK && s->c.archive)
        rc = archive_seal(s->c.archive);
    if (rc == WARP_OK)
        rc = ssd_commit(&txn);
    else if (txn)
        ssd_abort(&txn);
    if (rc != WARP_OK) {
        if (s->wrote_disk)
            disk_rollback(s->c.disk);
        if (s->c.archive)
            archive_rollback(s->c.archive);
        series_forget_ages(s);
    } else if (s->c.archive) {
        archive_settled(s->c.archive);
    }
    series_ended(s, rc == WARP_OK);
    free(k.run.items);
    *more = *more || enough(&k) || emptied ||
            (force && k.moved > 0);
    return rc;
}
