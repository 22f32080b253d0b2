/* loader.c: after an open, the directory's rows come into memory in key order;
 * the places that they hold are counted for the disk tier. A get that arrives
 * first reads its row itself (shard_find). Then come the copies in memory that
 * the schema asks for.
 *
 * The cursor reads ahead: a row that it gives may have been changed, deleted,
 * checkpointed and dropped from memory since. Under the shard's lock it counts
 * only if no commit came after it; else the row is read again. */
#include "loader.h"

#include "clock.h"
#include "error.h"
#include "far.h"
#include "forward.h"
#include "read.h"
#include "replay.h"
#include "row_past.h"
#include "series.h"

#include <stdlib.h>

/* How far the loader is: products in the order of their rank, keys in order. */
struct loader_mark {
    struct os_lock lock;
    uint32_t rank, key_bytes;
    bool begun; /* of this rank the keys up to `key` are passed */
    uint8_t key[ROW_KEY_BYTES_MAX];
    uint32_t *order; /* products by rank: of a high priority first */
    uint32_t ranks[]; /* of each product; then the order */
};

int loader_init(struct warp_db *db)
{
    if (!atomic_load(&db->loading))
        return WARP_OK;
    struct loader_mark *m =
        calloc(1, sizeof *m + 2 * db->layout_count * sizeof m->ranks[0]);
    if (!m)
        return error_set(WARP_ENOMEM, "out of memory for the loader");
    uint32_t rank = 0;
    m->order = m->ranks + db->layout_count;
    for (uint8_t p = WARP_PRIORITY_CRITICAL; p >= WARP_PRIORITY_BACKGROUND;
         p--)
        for (uint32_t i = 0; i < db->layout_count; i++)
            if (db->layouts[i]->priority == p) {
                m->order[rank] = i;
                m->ranks[i] = rank++;
            }
    db->load_mark = m;
    return WARP_OK;
}

void loader_fini(struct warp_db *db)
{
    free(db->load_mark);
    db->load_mark = NULL;
}

static void pass(struct loader_mark *m, const struct key_ref *key)
{
    os_lock(&m->lock);
    m->begun = true;
    m->key_bytes = key->count;
    memcpy(m->key, key->bytes, key->count);
    os_unlock(&m->lock);
}

static void pass_product(struct loader_mark *m, uint32_t rank)
{
    os_lock(&m->lock);
    m->rank = rank + 1;
    m->begun = false;
    os_unlock(&m->lock);
}

static bool has_passed(struct loader_mark *m, const struct layout *l,
                       const struct record *r)
{
    const uint8_t *key = record_key(l, (struct record *)(uintptr_t)r);
    uint32_t rank = m->ranks[l->number], bytes = record_key_bytes(l, r);
    os_lock(&m->lock);
    bool passed = rank < m->rank;
    if (rank == m->rank && m->begun) {
        uint32_t n = bytes < m->key_bytes ? bytes : m->key_bytes;
        int order = memcmp(key, m->key, n);
        passed = order < 0 || (order == 0 && bytes <= m->key_bytes);
    }
    os_unlock(&m->lock);
    return passed;
}

void loader_count(struct warp_db *db, const struct record *r,
                  struct disk_place place)
{
    if (place.segment != 0 && db->load_mark &&
        !has_passed(db->load_mark, db->layouts[record_product(r)], r))
        far_recount(db->disk, db->archive, place);
}

static void count_in_row(struct warp_db *db, const struct layout *l,
                         struct ssd_slice value)
{
    struct row_view view;
    l = row_form(l, value);
    if (!layout_placed(l) || row_parse(l, value, &view) != WARP_OK)
        return;
    const uint8_t *at = view.values;
    FOR_BITS(i, view.have & l->durable)
    {
        struct op_value v;
        uint32_t raw;
        row_next(l, (uint32_t)i, &at, &v, &raw);
        const uint8_t *bytes = row_place(l, (uint32_t)i, &v);
        if (!bytes)
            continue;
        struct disk_place place;
        disk_place_decode(bytes, &place);
        if (place.segment != 0)
            far_recount(db->disk, db->archive, place);
    }
}

static void count_in_record(struct warp_db *db, const struct layout *l,
                            const struct record *r)
{
    FOR_BITS(i, layout_placed(l))
    {
        struct disk_place place;
        disk_place_decode(r->row + l->fields[i].place, &place);
        if (place.segment != 0)
            far_recount(db->disk, db->archive, place);
    }
}

/* Of memory, in eighths: rows that may leave it again take the first, copies
 * the next. The rest is for what is used. */
enum { ROWS_EIGHTHS = 4, COPIES_EIGHTHS = 5 };

static bool scarce(const struct warp_db *db, uint32_t eighths)
{
    return db_memory_used(db) > db->memory_max / 8 * eighths;
}

/* Under the lock. */
static int load_locked(struct warp_db *db, struct shard *s,
                       const struct layout *l, const struct key_ref *key,
                       struct ssd_slice value, bool current)
{
    struct record *r = shard_here(s, key);
    if (r) {
        count_in_record(db, l, r);
        return replay_guessed(l, r) ? replay_ask(s, l, key, r, current)
                                    : WARP_OK;
    }
    if (!current) {
        int rc = shard_find(s, l, key, &r);
        if (rc == WARP_OK && r)
            count_in_record(db, l, r);
        return rc;
    }
    if (l->roams &&
        row_shard(value, forward_home(db, key)->number) != s->number)
        return WARP_OK; /* of a place that it has left, and gone */
    count_in_row(db, l, value);
    if (!l->evictable || !scarce(db, ROWS_EIGHTHS))
        return row_load_record(s, l, key, value, &r);
    atomic_store(&db->partial, true);
    return WARP_OK;
}

/* What the home does not know yet it learns from the row. */
static int tell_home(struct warp_db *db, const struct layout *l,
                     const struct key_ref *key, struct ssd_slice value,
                     const struct ssd_cursor *cursor)
{
    struct shard *home = forward_home(db, key);
    uint32_t at = row_shard(value, home->number);
    struct record *r;
    int rc = WARP_OK;
    os_lock(&home->lock);
    if (!shard_here(home, key)) {
        if (!ssd_cursor_current(cursor))
            rc = shard_find(home, l, key, &r);
        else if (at >= db->shard_count)
            rc = error_set(WARP_ECORRUPT, "%s: a stored row names shard %u",
                           l->desc->name, at);
        else if (at != home->number)
            rc = forward_install(home, l, key, at, NULL);
    }
    os_unlock(&home->lock);
    return rc;
}

static struct key_ref key_of_row(const struct warp_db *db,
                                 const struct layout *l, struct ssd_slice k)
{
    return key_ref_of(db->seed, l, (const uint8_t *)k.data + 2,
                      (uint32_t)(k.bytes - 2));
}

static int load_row(struct warp_db *db, const struct ssd_cursor *cursor,
                    struct ssd_slice k, struct ssd_slice value)
{
    const uint8_t *bytes = k.data;
    if (k.bytes < 2 || k.bytes > ROW_KEY_BYTES_MAX)
        return error_set(WARP_ECORRUPT, "the directory holds a key of %zu "
                                        "bytes", k.bytes);
    uint32_t product = (uint32_t)bytes[0] << 8 | bytes[1];
    const struct layout *l = db_layout_of_id(db, product);
    if (!l)
        return error_set(WARP_ECORRUPT, "the directory holds a row of an "
                                        "unknown product (%u)", product);
    struct key_ref key = key_of_row(db, l, k);
    int rc = l->roams ? tell_home(db, l, &key, value, cursor) : WARP_OK;
    struct shard *s = forward_lock(db, l, &key);
    if (rc == WARP_OK)
        rc = load_locked(db, s, l, &key, value, ssd_cursor_current(cursor));
    if (rc == WARP_OK && layout_placed(l))
        pass(db->load_mark, &key);
    os_unlock(&s->lock);
    return rc;
}

/* A copy in memory of what lies on a tier (layout.h, kept), while memory is not
 * scarce. */
static int warm_row(struct warp_db *db, const struct layout *l,
                    struct ssd_slice k)
{
    if (scarce(db, COPIES_EIGHTHS))
        return WARP_END;
    struct key_ref key = key_of_row(db, l, k);
    return read_warm(db, l, &key, l->kept, true);
}

static int load_product(struct warp_db *db, const struct layout *l, bool warm)
{
    struct ssd_cursor *cursor = NULL;
    uint8_t from[2], to[2];
    row_key(from, l->id, NULL, 0);
    row_key(to, l->id + 1u, NULL, 0);
    struct ssd_slice low = {from, 2}, high = {to, 2}, key, value;
    int rc = ssd_cursor_open(db->ssd, SSD_ROWS, low, high, false, &cursor);
    while (rc == WARP_OK && !atomic_load(&db->stopping)) {
        rc = ssd_next(cursor, &key, &value);
        if (rc == WARP_OK)
            rc = warm ? warm_row(db, l, key)
                      : load_row(db, cursor, key, value);
    }
    ssd_cursor_close(&cursor);
    return rc == WARP_END ? WARP_OK : rc;
}

/* Gets do not wait for this. */
static void warm_all(struct warp_db *db)
{
    int rc = WARP_OK;
    for (uint32_t rank = 0; rank < db->layout_count && rc == WARP_OK; rank++) {
        const struct layout *l = db->layouts[db->load_mark->order[rank]];
        if (l->kept)
            rc = load_product(db, l, true);
    }
    if (rc != WARP_OK && !atomic_load(&db->stopping))
        db_log(db, WARP_LOG_WARNING, rc, error_text());
}

/* All rows of the directory will be in memory: their index is made at once. */
static void expect_rows(struct warp_db *db)
{
    uint64_t rows;
    bool all = true;
    for (uint32_t i = 0; i < db->layout_count; i++)
        all = all && !db->layouts[i]->evictable;
    if (!all || ssd_count(db->ssd, SSD_ROWS, &rows) != WARP_OK)
        return;
    for (uint32_t i = 0; i < db->shard_count; i++) {
        struct shard *s = &db->shards[i];
        os_lock(&s->lock);
        if (s->index.count < rows / db->shard_count)
            index_expect(&s->index, rows / db->shard_count);
        os_unlock(&s->lock);
    }
}

static void *load(void *arg)
{
    struct warp_db *db = arg;
    struct loader_mark *m = db->load_mark;
    int rc = WARP_OK;
    expect_rows(db);
    for (uint32_t rank = 0; rank < db->layout_count && rc == WARP_OK; rank++) {
        rc = load_product(db, db->layouts[m->order[rank]], false);
        if (rc == WARP_OK && !atomic_load(&db->stopping))
            pass_product(m, rank);
    }
    if (rc == WARP_OK && !atomic_load(&db->stopping))
        rc = series_recount(db->series, clock_now(db->clock), &db->stopping);
    if (rc != WARP_OK && !atomic_load(&db->stopping)) {
        atomic_store(&db->load_failed, rc);
        db_log(db, WARP_LOG_ERROR, rc, error_text());
    } else if (!atomic_load(&db->stopping)) {
        disk_recounted(db->disk);
        archive_recounted(db->archive);
        atomic_store_explicit(&db->loading, false, memory_order_release);
    }
    atomic_store(&db->loaded_word, 1);
    os_futex_wake(&db->loaded_word, INT32_MAX);
    /* A change of the schema is about to take values from their places. */
    if (rc == WARP_OK && !db->evolve)
        warm_all(db);
    return NULL;
}

int loader_start(struct warp_db *db)
{
    if (!atomic_load(&db->loading)) {
        disk_recounted(db->disk);
        archive_recounted(db->archive);
        atomic_store(&db->loaded_word, 1);
        return WARP_OK;
    }
    int rc = db_thread_start(db, &db->loader, load, db, "warp-loader");
    return rc == 0 ? WARP_OK : error_set(WARP_ENOMEM, "cannot start a thread");
}
