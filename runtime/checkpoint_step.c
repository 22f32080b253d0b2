/* checkpoint_step.c: see checkpoint_step.h; the order C1..C5 that it keeps is
 * at the head of checkpoint.c. */
#include "checkpoint_step.h"

#include "arena.h"
#include "clock.h"
#include "error.h"
#include "far.h"
#include "heat.h"
#include "key_sort.h"
#include "pace.h"
#include "secondary.h"
#include "series.h"
#include "wire.h"

#include <stdlib.h>

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for a checkpoint");
}

void *step_alloc(struct step *st, size_t bytes)
{
    st->bytes += bytes;
    return warp_arena_alloc(&st->arena, bytes ? bytes : 1);
}

static void *ready(uint64_t count, size_t each, uint32_t *room)
{
    void *list = malloc(count * each);
    if (list)
        os_populate(list, count * each);
    *room = list ? (uint32_t)count : 0;
    return list;
}

void step_ready(struct step *st, uint64_t records, uint64_t bytes)
{
    enum { FEW = 1024, BESIDE = 64 }; /* bytes of a record's key and entry */
    uint64_t all = bytes + records * BESIDE, most = st->shares.step_bytes;
    if (records < FEW)
        return;
    most += most / 8; /* the last records of one; alignment */
    uint64_t count = all > most ? most / (all / records) : records;
    arena_ready(&st->arena, all < most ? all : most);
    st->changes = ready(count, sizeof *st->changes, &st->change_room);
    st->copied = ready(count, sizeof *st->copied, &st->copied_room);
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
    c->key = step_alloc(st, key_bytes);
    c->value = NULL;
    if (c->key && value && copy)
        c->value = step_alloc(st, value_bytes);
    if (!c->key || (value && copy && !c->value))
        return no_memory();
    memcpy(c->key, key, key_bytes);
    if (value && copy)
        memcpy(c->value, value, value_bytes);
    else if (value)
        c->value = (uint8_t *)(uintptr_t)value;
    return WARP_OK;
}

int step_forget_later(struct step *st, enum ssd_table table,
                      const uint8_t *key, uint32_t key_bytes)
{
    struct change *c;
    PUSH(st, later, later_count, later_room, c);
    *c = (struct change){.table = table, .key_bytes = key_bytes};
    c->key = warp_arena_alloc(&st->later_arena, key_bytes);
    if (!c->key)
        return no_memory();
    memcpy(c->key, key, key_bytes);
    return WARP_OK;
}

/* ---- copying, under the shard's lock ---- */

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
        uint8_t *data = step_alloc(st, bytes);
        if (!data)
            return no_memory();
        memcpy(data, (const void *)(uintptr_t)at, bytes);
        bool tiered = l->tiered >> i & 1;
        c->cold[c->cold_count++] = (struct cold_copy){
            (uint32_t)i, bytes,
            tiered && row_goes_to_disk(l, r, (uint32_t)i),
            tiered && (row_load(r, l->unchanged) >> i & 1), data};
        c->entry->written |= UINT64_C(1) << i;
    }
    return WARP_OK;
}

static int encode_row(struct step *st, const struct shard *s,
                      const struct layout *l, const struct record *r,
                      struct record_copy *c)
{
    size_t room = row_bytes_max(l, r);
    c->row = step_alloc(st, room);
    if (!c->row)
        return no_memory();
    c->row_bytes = (uint32_t)row_encode(s, l, r, c->row);
    c->worth_packing = row_worth_packing(l, r);
    arena_shrink(&st->arena, c->row, c->row_bytes);
    st->bytes -= room - c->row_bytes;
    return WARP_OK;
}

/* ssd values of fields that are gone must leave the table. */
static int forget_cold(struct step *st, const struct layout *l,
                       const struct record *r, uint64_t fields)
{
    int rc = WARP_OK;
    FOR_BITS(i, fields)
    {
        uint8_t key[ROW_KEY_BYTES_MAX + 1];
        uint32_t n = row_cold_key(key, l, (uint32_t)i,
                                  record_key(l, r), record_key_bytes(l, r));
        if (rc == WARP_OK)
            rc = add_change(st, SSD_COLD, key, n, NULL, 0, false);
    }
    return rc;
}

static int copy_whole(struct step *st, const struct shard *s,
                      const struct layout *l, const struct record *r,
                      struct record_copy *c)
{
    uint64_t have = record_have(r);
    int rc = encode_row(st, s, l, r, c);
    if (rc == WARP_OK && (have & R_PAST))
        rc = step_copy_past(st, l, r, c);
    if (rc != WARP_OK || !l->cold)
        return rc;
    uint64_t dirty = row_load(r, l->cold_dirty);
    c->entry->told = dirty;
    rc = copy_cold(st, c, r, have & dirty);
    if (rc == WARP_OK && l->tiered)
        rc = step_copy_tiered(st, l, r, c);
    if (rc == WARP_OK && (have & R_IN_DIR))
        rc = forget_cold(st, l, r, dirty & l->ssd & ~have);
    return rc;
}

/* Nothing of such a record leaves memory, so that nobody asks whether its tier
 * has it, and it is not visited again when it has. */
static bool stays_whole(const struct layout *l)
{
    return !l->evictable && !l->cold && !layout_placed(l) && !l->roams;
}

int step_copy(struct step *st, struct shard *s, struct record *r,
              struct record_copy *c)
{
    const struct layout *l = st->db->layouts[record_product(r)];
    uint64_t have = record_have(r);
    c->cold_count = 0;
    c->left = 0;
    c->fetched = false;
    c->row = NULL;
    PUSH(st, copied, copied_count, copied_room, c->entry);
    *c->entry = (struct copied){.shard = s, .record = r, .layout = l,
                                .version = record_version(r),
                                .gone = (have & R_DELETED) != 0,
                                .away = (have & R_AWAY) != 0,
                                .fresh = !(have & (R_DELETED | R_IN_DIR))};
    c->entry->settled = !(have & (R_DELETED | R_PAST)) && stays_whole(l);
    c->key_bytes = row_key(c->key, l->id, record_key(l, r),
                           record_key_bytes(l, r));
    int rc = c->entry->gone ? WARP_OK : copy_whole(st, s, l, r, c);
    if (rc != WARP_OK) {
        st->copied_count--; /* it is still in the shard's list */
        return rc;
    }
    /* From here on the directory may hold the key: a delete must tell it. Cold
     * values stay marked as unwritten until it has them (settle). */
    record_begin(r);
    /* A record that goes is not in the directory afterwards. */
    uint64_t told = c->entry->settled ? R_IN_DIR : R_IN_DIR | R_FLUSHING;
    record_set_have(r, (have & ~R_DIRTY) | (c->entry->gone ? 0 : told));
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
        uint32_t raw;
        row_next(l, (uint32_t)i, &at, &v, &raw);
        if (i == field)
            return (uint8_t *)(uintptr_t)row_place(l, field, &v);
    }
    return NULL;
}

static int write_ssd_value(struct step *st, const struct layout *l,
                           const struct cold_copy *cold, const uint8_t *key,
                           uint32_t key_bytes)
{
    uint8_t *value = step_alloc(st, (size_t)cold->bytes + 5);
    if (!value)
        return no_memory();
    uint32_t bytes = row_pack_cold(st->compress, l, cold->field, cold->data,
                                   cold->bytes, value);
    return add_change(st, SSD_COLD, key, key_bytes, value, bytes, false);
}

/* Values outside the row that are worth it are compressed. */
static int write_row(struct step *st, struct record_copy *c)
{
    const struct layout *l = c->entry->layout;
    uint8_t *row = c->row;
    uint32_t bytes = c->row_bytes;
    if ((l->var & ~l->cold) && c->worth_packing) {
        /* A value that does not pay is tried 4 bytes further on. */
        row = step_alloc(st, (size_t)c->row_bytes + 16);
        if (!row)
            return no_memory();
        bytes = row_pack(st->compress, l, c->row, c->row_bytes, row);
    }
    return add_change(st, SSD_ROWS, c->key, c->key_bytes, row, bytes, false);
}

/* Is it time for a value that lies at a place, and was not changed, to go to
 * the archive? What is there stays there. */
static bool is_archived(const struct layout *l, const struct disk_place *old,
                        uint32_t now)
{
    if (disk_place_archived(old))
        return true;
    uint32_t age = l->heat ? atomic_load(&l->heat->archive_min) : 0;
    return age > 0 && now >= old->since && now - old->since >= age;
}

static int write_far(struct step *st, struct record_copy *c,
                     const struct cold_copy *cold, const uint8_t *key,
                     uint32_t key_bytes)
{
    const struct layout *l = c->entry->layout;
    uint32_t now = far_minutes(clock_now(st->db->clock));
    struct new_place *p;
    uint8_t *in_row = place_in_row(l, c->row, c->row_bytes, cold->field);
    if (!in_row)
        return WARP_ECORRUPT;
    PUSH(st, places, place_count, place_room, p);
    p->field = cold->field;
    disk_place_decode(in_row, &p->old);
    bool archived = cold->unchanged && is_archived(l, &p->old, now);
    int rc = archived
                 ? far_archive(st->db->archive, key, key_bytes, cold->data,
                               cold->bytes, &p->now)
                 : disk_append(st->db->disk,
                               l->fields[cold->field].compression, key,
                               key_bytes, c->entry->version, cold->data,
                               cold->bytes, &p->now);
    if (rc != WARP_OK) {
        st->place_count--;
        return rc;
    }
    if (archived) {
        st->archived = true;
        c->entry->archived |= UINT64_C(1) << cold->field;
    } else {
        p->now.since = cold->unchanged ? p->old.since : now;
    }
    disk_place_encode(&p->now, in_row);
    return rc;
}

static int write_cold(struct step *st, struct record_copy *c)
{
    const struct layout *l = c->entry->layout;
    for (uint32_t n = 0; n < c->cold_count; n++) {
        struct cold_copy *cold = &c->cold[n];
        uint8_t key[ROW_KEY_BYTES_MAX + 1];
        uint32_t key_bytes =
            row_cold_key(key, l, cold->field, c->key + 2,
                         c->key_bytes - 2);
        int rc = (l->ssd >> cold->field & 1) && !cold->disk
                     ? write_ssd_value(st, l, cold, key, key_bytes)
                     : write_far(st, c, cold, key, key_bytes);
        if (rc != WARP_OK)
            return rc;
    }
    return WARP_OK;
}

static int delete_rows(struct step *st, struct record_copy *c)
{
    const struct layout *l = c->entry->layout;
    int rc = add_change(st, SSD_ROWS, c->key, c->key_bytes, NULL, 0, false);
    st->drops = st->drops || l->series;
    FOR_BITS(i, l->ssd | l->was_ssd)
    {
        uint8_t key[ROW_KEY_BYTES_MAX + 1];
        uint32_t n = row_cold_key(key, l, (uint32_t)i, c->key + 2,
                                  c->key_bytes - 2);
        if (rc == WARP_OK)
            rc = add_change(st, SSD_COLD, key, n, NULL, 0, false);
    }
    return rc;
}

int step_write(struct step *st, struct record_copy *c)
{
    c->entry->first_place = st->place_count;
    if (c->entry->away) /* the row is of its new shard, or will be */
        return WARP_OK;
    if (c->entry->gone)
        return delete_rows(st, c);
    int rc = write_cold(st, c);
    FOR_BITS(i, c->left)
    {
        struct new_place *p;
        if (rc != WARP_OK)
            return rc;
        PUSH(st, places, place_count, place_room, p);
        *p = (struct new_place){.field = (uint32_t)i, .old = c->was[i]};
    }
    return rc == WARP_OK ? write_row(st, c) : rc;
}

static void change_key(const void *arg, uint32_t number,
                       struct key_sort_key *key)
{
    const struct change *c = (const struct change *)arg + number;
    *key = (struct key_sort_key){c->key, c->key_bytes, (uint32_t)c->table};
}

/* Copying the records, putting the changes and their commit take about a
 * quarter, a half and a quarter of a step. */
void step_pace(const struct step *st, double eighths)
{
    pace_step(st->db, st->done + (uint64_t)(st->copied_count * eighths / 8));
}

static int put_all(const struct step *st, struct change *changes,
                   uint32_t count, struct ssd_txn *txn)
{
    enum { AHEAD = 8 };
    struct key_rank *ranks;
    int rc = key_sort(count, change_key, changes, &ranks);
    for (uint32_t i = 0; i < count && rc == WARP_OK; i++) {
        struct change *c = &changes[ranks[i].at];
        struct ssd_slice key = {c->key, c->key_bytes};
        struct ssd_slice value = {c->value, c->value_bytes};
        /* In this order they lie anywhere: each would be two cache misses. */
        if (i + 2 * AHEAD < count)
            __builtin_prefetch(&changes[ranks[i + 2 * AHEAD].at]);
        if (i + AHEAD < count) {
            const struct change *next = &changes[ranks[i + AHEAD].at];
            __builtin_prefetch(next->key);
            __builtin_prefetch(next->value);
        }
        rc = c->value ? ssd_put(txn, c->table, key, value)
                      : ssd_del(txn, c->table, key);
        if (rc == WARP_ENOTFOUND)
            rc = WARP_OK;
        if (i % STEP_PACE_RECORDS == STEP_PACE_RECORDS - 1)
            step_pace(st, 2 + 4.0 * i / count);
    }
    free(ranks);
    return rc;
}

int step_put_later(struct step *st, struct ssd_txn *txn)
{
    return put_all(st, st->later, st->later_count, txn);
}

/* ---- the commit ---- */

static void step_reset(struct step *st)
{
    st->change_count = st->copied_count = st->place_count = 0;
    st->archived = st->drops = false;
    st->bytes = 0;
    warp_arena_reset(&st->arena);
}

/* The log is durable: what the tiers hold stands before this block, and a
 * restore to an earlier position is not possible (backup.h). */
static int put_position(struct warp_db *db, struct ssd_txn *txn)
{
    uint8_t block[8];
    struct ssd_slice key = {"position", 8}, value = {block, sizeof block};
    wire_put64(block, log_next_block(db->log));
    return ssd_put(txn, SSD_META, key, value);
}

/* One transaction of the directory. last: also series, and the floors come
 * after. Entries of secondary indexes are there no later than the rows: of a
 * row that has a commit the replay makes none. Elements of a record go with its
 * row: without one nobody knows of them any more, and a new one would have
 * them. */
int step_commit(struct step *st, bool last)
{
    struct warp_db *db = st->db;
    struct ssd_txn *txn = NULL;
    int rc = ssd_begin(db->ssd, &txn);
    if (rc == WARP_OK)
        rc = put_all(st, st->changes, st->change_count, txn);
    bool indexes = rc == WARP_OK;
    if (indexes)
        rc = secondary_flush(db->secondary, txn);
    bool disk = st->place_count > 0, series = false;
    bool elements = (last || st->drops) && rc == WARP_OK;
    if (elements)
        rc = series_flush(db->series, txn, &series);
    if (rc == WARP_OK)
        rc = log_sync(db->log); /* C3 */
    if (rc == WARP_OK)
        rc = put_position(db, txn);
    if (rc == WARP_OK && (disk || series))
        rc = disk_sync(db->disk); /* C3 */
    if (rc == WARP_OK && st->archived)
        rc = archive_seal(db->archive); /* C3, A1 */
    if (rc == WARP_OK)
        rc = ssd_commit(&txn);
    else if (txn)
        ssd_abort(&txn);
    if (indexes)
        secondary_flushed(db->secondary, rc != WARP_OK);
    if (elements)
        series_flushed(db->series, rc != WARP_OK);
    if (rc == WARP_OK) {
        st->later_sure = st->later_count;
        if (st->archived)
            archive_settled(db->archive);
        step_settle(st);
        st->done += st->copied_count;
        pace_step(db, st->done);
        atomic_fetch_add(&db->step_word, 1);
        os_futex_wake(&db->step_word, INT32_MAX);
    } else {
        step_undo(st);
    }
    step_reset(st);
    return rc;
}

void step_undo(struct step *st)
{
    disk_rollback(st->db->disk);
    if (st->archived)
        archive_rollback(st->db->archive);
    st->later_count = st->later_sure;
    step_put_back(st);
    step_reset(st);
}

int step_open(struct step *st, struct warp_db *db)
{
    struct ssd_stat stat;
    memset(st, 0, sizeof *st);
    st->db = db;
    db_shares(db, &st->shares);
    int rc = ssd_stat(db->ssd, &stat);
    if (rc != WARP_OK)
        return rc;
    st->tree_pages = stat.used_bytes / 4096;
    return compress_create(&st->compress);
}

/* A change copies its leaf, at worst one of its own, and what is new fills
 * pages half. */
bool step_is_full(const struct step *st)
{
    uint64_t pages = st->change_count < st->tree_pages ? st->change_count
                                                       : st->tree_pages;
    pages += st->bytes / 2048;
    return st->bytes > st->shares.step_bytes ||
           pages > st->shares.step_pages;
}

void step_close(struct step *st)
{
    if (st->compress)
        compress_destroy(&st->compress);
    free(st->changes);
    free(st->copied);
    free(st->places);
    warp_arena_free(&st->arena);
    free(st->later);
    warp_arena_free(&st->later_arena);
}
