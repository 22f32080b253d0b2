/* checkpoint.c: copies dirty records to the ssd directory and the disk tier.
 *
 * Order (C1..C5, cited by tests):
 * C1 the mark of the log is taken before the shards' floors: commits in blocks
 *    before the mark are at or below the floors.
 * C2 a record is copied under its shard's lock, whole, with its version.
 * C3 before the directory commits a step, the log is durable past everything
 *    copied (so a power loss never leaves a copy whose batch the log lost), and
 *    the disk segments that its places name are synced.
 * C4 floors are committed after all steps, in a transaction of their own; only
 *    then is the log cut.
 * C5 a place is freed after the commit that makes it unreachable. */
#include "checkpoint.h"

#include "apply.h"
#include "clock.h"
#include "error.h"
#include "hash.h"
#include "row.h"
#include "secondary.h"
#include "series.h"
#include "wire.h"

#include <stdlib.h>

enum {
    /* Copied before the directory commits. Large, because a transaction of
     * random keys touches most leaves of the tree: few large ones write far
     * less than many small ones. */
    STEP_BYTES = 128 << 20,
    LOCK_RECORDS = 32       /* copied under one hold of a shard's lock */
};

/* A key and its new value; value NULL: the key goes. */
struct change {
    enum ssd_table table;
    uint32_t key_bytes;
    uint32_t value_bytes;
    uint8_t *key;
    uint8_t *value;
};

/* A record copied in this step. */
struct copied {
    struct shard *shard;
    struct record *record;
    const struct layout *layout;
    uint64_t version;
    uint64_t written;          /* cold fields whose values went to tiers */
    uint32_t first_place;      /* in step.places */
    uint32_t at;               /* in the shard's list */
    bool gone;                 /* it was deleted */
};

struct new_place {
    uint32_t field;
    struct disk_place old, now;
};

struct step {
    struct warp_db *db;
    struct warp_arena arena;
    struct change *changes;
    uint32_t change_count, change_room;
    struct copied *copied;
    uint32_t copied_count, copied_room;
    struct new_place *places;
    uint32_t place_count, place_room;
    uint64_t bytes_max;
    uint8_t *scratch; /* a row is encoded here, then copied to its size */
    size_t scratch_bytes;
};

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for a checkpoint");
}

#define PUSH(step, list, count, room, out)                                    \
    do {                                                                      \
        if ((step)->count == (step)->room) {                                  \
            uint32_t r_ = (step)->room ? (step)->room * 2 : 1024;             \
            void *g_ = realloc((step)->list, r_ * sizeof *(step)->list);      \
            if (!g_)                                                          \
                return no_memory();                                           \
            (step)->list = g_;                                                \
            (step)->room = r_;                                                \
        }                                                                     \
        (out) = &(step)->list[(step)->count++];                               \
    } while (0)

static int add_change(struct step *st, enum ssd_table table,
                      const uint8_t *key, uint32_t key_bytes,
                      const uint8_t *value, uint32_t value_bytes, bool copy)
{
    struct change *c;
    PUSH(st, changes, change_count, change_room, c);
    c->table = table;
    c->key_bytes = key_bytes;
    c->value_bytes = value_bytes;
    c->key = warp_arena_alloc(&st->arena, key_bytes);
    c->value = NULL;
    if (c->key && value && copy)
        c->value = warp_arena_alloc(&st->arena, value_bytes ? value_bytes : 1);
    if (!c->key || (value && copy && !c->value))
        return no_memory();
    memcpy(c->key, key, key_bytes);
    if (value && copy)
        memcpy(c->value, value, value_bytes);
    else if (value)
        c->value = (uint8_t *)(uintptr_t)value;
    return WARP_OK;
}

/* ---- copying, under the shard's lock ---- */

/* The values of cold fields that were written: ssd ones become changes, disk
 * ones wait in the arena for the disk (their place is patched in later). */
struct cold_copy {
    uint32_t field;
    uint32_t bytes;
    uint8_t *data;
};

struct record_copy {
    struct copied *entry;
    uint8_t *row;        /* encoded */
    uint32_t row_bytes;
    uint8_t key[ROW_KEY_BYTES_MAX];
    uint32_t key_bytes;  /* with the product */
    struct cold_copy cold[56];
    uint32_t cold_count;
};

static int copy_cold(struct step *st, struct record_copy *c,
                     const struct record *r, uint64_t fields)
{
    const struct layout *l = c->entry->layout;
    FOR_BITS(i, fields)
    {
        struct var *var = row_var(r, l->fields[i].slot);
        uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
        uint32_t bytes = (uint32_t)atomic_load_explicit(
            &var->len_cap, memory_order_relaxed);
        if (at <= VAR_COLD)
            continue;
        uint8_t *data = warp_arena_alloc(&st->arena, bytes ? bytes : 1);
        if (!data)
            return no_memory();
        memcpy(data, (const void *)(uintptr_t)at, bytes);
        c->cold[c->cold_count++] =
            (struct cold_copy){(uint32_t)i, bytes, data};
        c->entry->written |= UINT64_C(1) << i;
    }
    return WARP_OK;
}

static int encode_row(struct step *st, const struct layout *l,
                      const struct record *r, struct record_copy *c)
{
    size_t room = row_bytes_max(l, r);
    if (room > st->scratch_bytes) {
        uint8_t *grown = realloc(st->scratch, room * 2);
        if (!grown)
            return no_memory();
        st->scratch = grown;
        st->scratch_bytes = room * 2;
    }
    c->row_bytes = (uint32_t)row_encode(l, r, st->scratch);
    c->row = warp_arena_alloc(&st->arena, c->row_bytes);
    if (!c->row)
        return no_memory();
    memcpy(c->row, st->scratch, c->row_bytes);
    return WARP_OK;
}

static int copy_record(struct step *st, struct shard *s, struct record *r,
                       struct record_copy *c)
{
    const struct layout *l = st->db->layouts[r->product];
    uint64_t have = record_have(r);
    c->cold_count = 0;
    c->row = NULL;
    PUSH(st, copied, copied_count, copied_room, c->entry);
    *c->entry = (struct copied){.shard = s, .record = r, .layout = l,
                                .version = record_version(r),
                                .gone = (have & R_DELETED) != 0};
    c->key_bytes = row_key(c->key, l->number, record_key(l, r), r->key_bytes);
    if (!c->entry->gone) {
        int rc = encode_row(st, l, r, c);
        if (rc != WARP_OK)
            return rc;
        if (l->cold)
            rc = copy_cold(st, c, r, have & row_load(r, l->cold_dirty));
        if (rc != WARP_OK)
            return rc;
    }
    /* From here on the directory may hold the key: a delete must tell it. */
    record_begin(r);
    if (l->cold) {
        /* ssd values of fields that are gone must leave the table. */
        if (!c->entry->gone)
            FOR_BITS(i, row_load(r, l->cold_dirty) & l->ssd & ~have)
            {
                uint8_t key[ROW_KEY_BYTES_MAX + 1];
                uint32_t n = row_cold_key(key, l->number, (uint32_t)i,
                                          record_key(l, r), r->key_bytes);
                if ((have & R_IN_DIR) &&
                    add_change(st, SSD_COLD, key, n, NULL, 0, false) !=
                        WARP_OK) {
                    record_end(r, record_version(r));
                    return WARP_ENOMEM;
                }
            }
        row_store(r, l->cold_dirty, 0);
    }
    record_set_have(r, (have | R_IN_DIR) & ~R_DIRTY);
    record_end(r, record_version(r));
    return WARP_OK;
}

/* ---- writing, without locks ---- */

/* Where the place of a disk field stands in an encoded row. */
static uint8_t *place_in_row(const struct layout *l, uint8_t *row,
                             uint32_t row_bytes, uint32_t field)
{
    struct row_view view;
    struct ssd_slice value = {row, row_bytes};
    if (row_parse(l, value, &view) != WARP_OK)
        return NULL;
    const uint8_t *at = view.values;
    FOR_BITS(i, view.have & l->durable)
    {
        struct op_value v;
        row_next(l, (uint32_t)i, &at, &v);
        if (i == field)
            return (uint8_t *)(uintptr_t)v.data;
    }
    return NULL;
}

static int write_cold(struct step *st, struct record_copy *c)
{
    const struct layout *l = c->entry->layout;
    for (uint32_t n = 0; n < c->cold_count; n++) {
        struct cold_copy *cold = &c->cold[n];
        uint8_t key[ROW_KEY_BYTES_MAX + 1];
        uint32_t key_bytes =
            row_cold_key(key, l->number, cold->field, c->key + 2,
                         c->key_bytes - 2);
        int rc;
        if (l->ssd >> cold->field & 1) {
            rc = add_change(st, SSD_COLD, key, key_bytes, cold->data,
                            cold->bytes, false);
        } else {
            struct new_place *p;
            uint8_t *in_row = place_in_row(l, c->row, c->row_bytes,
                                           cold->field);
            if (!in_row)
                return WARP_ECORRUPT;
            PUSH(st, places, place_count, place_room, p);
            p->field = cold->field;
            disk_place_decode(in_row, &p->old);
            rc = disk_append(st->db->disk,
                             l->fields[cold->field].compression, key,
                             key_bytes, c->entry->version, cold->data,
                             cold->bytes, &p->now);
            if (rc == WARP_OK)
                disk_place_encode(&p->now, in_row);
            else
                st->place_count--;
        }
        if (rc != WARP_OK)
            return rc;
    }
    return WARP_OK;
}

static int delete_rows(struct step *st, struct record_copy *c)
{
    const struct layout *l = c->entry->layout;
    int rc = add_change(st, SSD_ROWS, c->key, c->key_bytes, NULL, 0, false);
    FOR_BITS(i, l->ssd)
    {
        uint8_t key[ROW_KEY_BYTES_MAX + 1];
        uint32_t n = row_cold_key(key, l->number, (uint32_t)i, c->key + 2,
                                  c->key_bytes - 2);
        if (rc == WARP_OK)
            rc = add_change(st, SSD_COLD, key, n, NULL, 0, false);
    }
    return rc;
}

static int write_record(struct step *st, struct record_copy *c)
{
    c->entry->first_place = st->place_count;
    if (c->entry->gone)
        return delete_rows(st, c);
    int rc = write_cold(st, c);
    return rc == WARP_OK ? add_change(st, SSD_ROWS, c->key, c->key_bytes,
                                      c->row, c->row_bytes, false)
                         : rc;
}

static int by_key(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    uint32_t n = x->key_bytes < y->key_bytes ? x->key_bytes : y->key_bytes;
    int order = memcmp(x->key, y->key, n);
    if (order != 0)
        return order;
    return x->key_bytes < y->key_bytes ? -1 : x->key_bytes > y->key_bytes;
}

static int put_changes(struct step *st, struct ssd_txn *txn)
{
    qsort(st->changes, st->change_count, sizeof *st->changes, by_key);
    for (uint32_t i = 0; i < st->change_count; i++) {
        struct change *c = &st->changes[i];
        struct ssd_slice key = {c->key, c->key_bytes};
        struct ssd_slice value = {c->value, c->value_bytes};
        int rc = c->value ? ssd_put(txn, c->table, key, value)
                          : ssd_del(txn, c->table, key);
        if (rc != WARP_OK && rc != WARP_ENOTFOUND)
            return rc;
    }
    return WARP_OK;
}

/* ---- after the directory's commit ---- */

static bool same_place(const struct disk_place *a, const struct disk_place *b)
{
    return a->segment == b->segment && a->block == b->block &&
           a->offset == b->offset;
}

/* Under the lock: the record's places are the new ones now. */
static void settle_places(struct step *st, struct copied *e, uint32_t end)
{
    struct record *r = e->record;
    for (uint32_t n = e->first_place; n < end; n++) {
        struct new_place *p = &st->places[n];
        uint8_t *slot = r->row + e->layout->fields[p->field].place;
        uint8_t bytes[DISK_PLACE_BYTES];
        struct disk_place now;
        disk_place_decode(slot, &now);
        if (p->old.segment != 0 && same_place(&now, &p->old))
            disk_free(st->db->disk, p->old);
        disk_place_encode(&p->now, bytes);
        record_copy_in(slot, bytes, sizeof bytes);
    }
}

/* Under the lock: values that must not stay in memory leave it. */
static void settle_values(struct shard *s, struct copied *e)
{
    const struct layout *l = e->layout;
    struct record *r = e->record;
    uint64_t leave = e->written & l->disk_only & record_have(r) &
                     ~row_load(r, l->cold_dirty);
    FOR_BITS(i, leave)
    {
        struct var *var = row_var(r, l->fields[i].slot);
        uint64_t len = atomic_load_explicit(&var->len_cap,
                                            memory_order_relaxed) &
                       UINT32_MAX;
        shard_free_value(s, r, var);
        atomic_store_explicit(&var->at, VAR_COLD, memory_order_relaxed);
        atomic_store_explicit(&var->len_cap, len, memory_order_relaxed);
    }
}

static void settle(struct step *st)
{
    for (uint32_t i = 0; i < st->copied_count; i++) {
        struct copied *e = &st->copied[i];
        struct record *r = e->record;
        uint32_t end = i + 1 < st->copied_count
                           ? st->copied[i + 1].first_place
                           : st->place_count;
        if (!e->written && !e->gone)
            continue;
        os_lock(&e->shard->lock);
        record_begin(r);
        if (e->written) {
            settle_places(st, e, end);
            settle_values(e->shard, e);
        }
        uint64_t have = record_have(r);
        record_end(r, record_version(r));
        /* A tombstone that nobody wrote to since has done its work. */
        if (e->gone && (have & R_DELETED) && !(have & R_DIRTY)) {
            FOR_BITS(f, e->layout->disk)
                apply_drop_place(e->shard, r, e->layout->fields[f].place);
            e->shard->flushing[e->at] = NULL; /* a scan may look at it */
            shard_destroy(e->shard, e->layout, r);
        }
        os_unlock(&e->shard->lock);
    }
}

/* After a failure: everything is to be copied again. */
static void put_back(struct step *st)
{
    for (uint32_t i = 0; i < st->copied_count; i++) {
        struct copied *e = &st->copied[i];
        os_lock(&e->shard->lock);
        record_begin(e->record);
        if (e->layout->cold)
            row_store(e->record, e->layout->cold_dirty,
                      row_load(e->record, e->layout->cold_dirty) |
                          e->written);
        shard_dirty(e->shard, e->record);
        record_end(e->record, record_version(e->record));
        os_unlock(&e->shard->lock);
    }
}

static void step_reset(struct step *st)
{
    st->change_count = st->copied_count = st->place_count = 0;
    warp_arena_reset(&st->arena);
}

/* One transaction of the directory. last: also entries of secondary indexes
 * and series, and the floors come after. */
static int commit_step(struct step *st, bool last)
{
    struct warp_db *db = st->db;
    struct ssd_txn *txn = NULL;
    int rc = ssd_begin(db->ssd, &txn);
    if (rc == WARP_OK)
        rc = put_changes(st, txn);
    bool indexes = last && rc == WARP_OK;
    if (indexes)
        rc = secondary_flush(db->secondary, txn);
    if (indexes && rc == WARP_OK)
        rc = series_flush(db->series, txn);
    if (rc == WARP_OK)
        rc = log_sync(db->log); /* C3 */
    if (rc == WARP_OK && st->place_count > 0)
        rc = disk_sync(db->disk); /* C3 */
    if (rc == WARP_OK)
        rc = ssd_commit(&txn);
    else if (txn)
        ssd_abort(&txn);
    if (indexes) {
        secondary_flushed(db->secondary, rc != WARP_OK);
        series_flushed(db->series, rc != WARP_OK);
    }
    if (rc == WARP_OK) {
        settle(st);
    } else {
        disk_rollback(db->disk);
        put_back(st);
    }
    step_reset(st);
    return rc;
}

/* ---- the run ---- */

/* Records that were not copied go back to the list of the next run. */
static void return_list(struct shard *s, uint32_t at)
{
    os_lock(&s->lock);
    for (; at < s->flushing_count; at++) {
        struct record *r = s->flushing[at];
        s->flushing[at] = NULL;
        record_begin(r);
        record_set_have(r, record_have(r) & ~R_DIRTY);
        shard_dirty(s, r);
        record_end(r, record_version(r));
    }
    os_unlock(&s->lock);
}

static int flush_shard(struct step *st, struct shard *s)
{
    struct record_copy *copies = calloc(LOCK_RECORDS, sizeof *copies);
    uint32_t at = 0;
    int rc = copies ? WARP_OK : no_memory();
    while (rc == WARP_OK && at < s->flushing_count) {
        uint32_t n = 0;
        uint32_t first = st->copied_count;
        os_lock(&s->lock);
        for (; n < LOCK_RECORDS && at < s->flushing_count && rc == WARP_OK;
             n++) {
            rc = copy_record(st, s, s->flushing[at], &copies[n]);
            if (rc == WARP_OK)
                copies[n].entry->at = at;
            at++;
        }
        os_unlock(&s->lock);
        for (uint32_t i = 0; i < n && rc == WARP_OK; i++) {
            copies[i].entry = &st->copied[first + i];
            rc = write_record(st, &copies[i]);
        }
        if (rc == WARP_OK && st->arena.used_bytes > st->bytes_max)
            rc = commit_step(st, false);
    }
    free(copies);
    if (rc != WARP_OK)
        return_list(s, at);
    return rc;
}

static void take_lists(struct warp_db *db, uint64_t *floors)
{
    for (uint32_t i = 0; i < db->shard_count; i++) {
        struct shard *s = &db->shards[i];
        os_lock(&s->lock);
        floors[i] = log_seq(db->log, i);
        struct record **list = s->dirty;
        s->dirty = s->flushing;
        s->flushing = list;
        s->flushing_count = atomic_load(&s->dirty_count);
        atomic_store(&s->dirty_count, 0);
        os_unlock(&s->lock);
    }
}

static int write_floors(struct warp_db *db, const uint64_t *floors)
{
    uint8_t b[24 + 256 * 8];
    struct ssd_txn *txn = NULL;
    uint8_t *at = wire_put32(b, db->shard_count);
    at = wire_put32(at, 0);
    at = wire_put64(at, (uint64_t)clock_mark(db->clock));
    at = wire_put64(at, atomic_load(&db->budget.used));
    for (uint32_t i = 0; i < db->shard_count; i++)
        at = wire_put64(at, floors[i]);
    int rc = ssd_begin(db->ssd, &txn);
    if (rc != WARP_OK)
        return rc;
    struct ssd_slice key = {"checkpoint", 10};
    struct ssd_slice value = {b, (size_t)(at - b)};
    rc = ssd_put(txn, SSD_META, key, value);
    if (rc == WARP_OK)
        return ssd_commit(&txn);
    ssd_abort(&txn);
    return rc;
}

/* What the lists held is in the directory, or in the lists of the next run. */
static void drop_lists(struct warp_db *db)
{
    for (uint32_t i = 0; i < db->shard_count; i++) {
        struct shard *s = &db->shards[i];
        os_lock(&s->lock);
        if (s->flushing_count > 1 << 16)
            os_release(s->flushing, s->flushing_count * sizeof *s->flushing);
        s->flushing_count = 0;
        os_unlock(&s->lock);
    }
}

static int run_steps(struct warp_db *db)
{
    uint64_t mark = 0, floors[256] = {0};
    struct step st = {.db = db, .arena = WARP_ARENA_INIT};
    /* Copies count as memory: at most 1/8 of the budget. */
    st.bytes_max = atomic_load(&db->budget.limit) / 8;
    if (st.bytes_max > STEP_BYTES)
        st.bytes_max = STEP_BYTES;
    int rc = log_mark(db->log, &mark); /* C1 */
    if (rc != WARP_OK)
        return rc;
    os_lock(&db->dead_lock);
    struct disk_place *dead = db->dead_places;
    uint32_t dead_count = db->dead_count;
    db->dead_places = NULL;
    db->dead_count = db->dead_room = 0;
    os_unlock(&db->dead_lock);
    take_lists(db, floors);
    for (uint32_t i = 0; i < db->shard_count; i++) {
        if (rc == WARP_OK)
            rc = flush_shard(&st, &db->shards[i]);
        else
            return_list(&db->shards[i], 0);
    }
    if (rc != WARP_OK) {
        disk_rollback(db->disk);
        put_back(&st);
        step_reset(&st);
    }
    if (rc == WARP_OK)
        rc = commit_step(&st, true);
    drop_lists(db);
    if (rc == WARP_OK)
        rc = write_floors(db, floors); /* C4 */
    if (rc == WARP_OK)
        rc = log_cut(db->log, mark);
    for (uint32_t i = 0; i < dead_count; i++) {
        if (rc == WARP_OK)
            disk_free(db->disk, dead[i]); /* C5 */
        else
            apply_dead_place(db, &dead[i]);
    }
    free(dead);
    if (rc == WARP_OK)
        rc = disk_reclaim(db->disk);
    free(st.scratch);
    free(st.changes);
    free(st.copied);
    free(st.places);
    warp_arena_free(&st.arena);
    return rc;
}

int checkpoint_run(struct warp_db *db)
{
    /* The loader counts the places that the directory holds; until it has,
     * none may be freed. */
    db_wait_loaded(db);
    os_lock(&db->checkpoint_lock);
    int rc = atomic_load(&db->load_failed);
    if (rc == WARP_OK)
        rc = run_steps(db);
    else
        error_set(rc, "the store's rows could not be loaded; open it again "
                      "with a larger memory_max_bytes");
    atomic_store(&db->checkpoint_failed, rc);
    if (rc == WARP_OK)
        atomic_fetch_add(&db->checkpoints, 1);
    os_unlock(&db->checkpoint_lock);
    /* Whoever waited for room looks again, whatever the result. */
    atomic_fetch_add(&db->room_word, 1);
    os_futex_wake(&db->room_word, INT32_MAX);
    return rc;
}

/* ---- reading it back ---- */

struct floors_call {
    uint32_t shards;
    uint64_t *floors;
    int64_t *clock_mark;
    uint64_t *resident_bytes;
};

static int read_floors(void *arg, struct ssd_slice value)
{
    struct floors_call *c = arg;
    const uint8_t *b = value.data;
    if (value.bytes != 24 + 8 * (size_t)c->shards ||
        wire_get32(b) != c->shards)
        return error_set(WARP_ECORRUPT, "the checkpoint's entry is of "
                                        "another size than the store's");
    *c->clock_mark = (int64_t)wire_get64(b + 8);
    *c->resident_bytes = wire_get64(b + 16);
    for (uint32_t i = 0; i < c->shards; i++)
        c->floors[i] = wire_get64(b + 24 + 8 * i);
    return WARP_OK;
}

int checkpoint_read(struct ssd *ssd, uint32_t shards, uint64_t *floors,
                    int64_t *clock_mark, uint64_t *resident_bytes)
{
    struct floors_call call = {shards, floors, clock_mark, resident_bytes};
    struct ssd_slice key = {"checkpoint", 10};
    memset(floors, 0, shards * sizeof *floors);
    *clock_mark = 0;
    *resident_bytes = 0;
    int rc = ssd_get(ssd, SSD_META, key, read_floors, &call);
    return rc == WARP_ENOTFOUND ? WARP_OK : rc;
}
