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
#include "checkpoint_order.h"
#include "checkpoint_step.h"
#include "clock.h"
#include "error.h"
#include "far.h"
#include "lines.h"
#include "pace.h"
#include "planted.h"
#include "secondary.h"
#include "series.h"
#include "wire.h"

#include <stdlib.h>

/* Copied under one hold of a shard's lock: writers wait a few us for it. */
enum { LOCK_RECORDS = 8, AHEAD = 8 };

/* ---- the run ---- */

/* Records that were not copied are dirty for the next run. */
static void return_list(struct shard *s, uint32_t at)
{
    os_lock(&s->lock);
    for (; at < s->flushing_count; at++) {
        struct record *r = s->flushing[at];
        s->flushing[at] = NULL;
        record_begin(r);
        record_set_have(r, record_have(r) & ~R_DIRTY);
        shard_dirty(s, r, shard_record_hash(s, r));
        record_end(r, record_version(r));
    }
    os_unlock(&s->lock);
}

/* One shard's records from *at up to `end` in its list. */
static int flush_shard(struct step *st, struct shard *s, uint32_t *at,
                       uint32_t end, struct record_copy *copies)
{
    int rc = WARP_OK;
    while (rc == WARP_OK && *at < end) {
        uint32_t n = 0;
        uint32_t first = st->copied_count;
        os_lock(&s->lock);
        bool fetched = false;
        for (; n < LOCK_RECORDS && *at < end && rc == WARP_OK && !fetched;
             n++) {
            /* In the order of keys records lie anywhere. */
            if (*at + AHEAD < end)
                PREFETCH_LINES(s->flushing[*at + AHEAD], 1);
            rc = step_copy(st, s, s->flushing[*at], &copies[n]);
            fetched = copies[n].fetched;
            if (rc == WARP_OK)
                copies[n].entry->at = (*at)++;
        }
        os_unlock(&s->lock);
        for (uint32_t i = 0; i < n && rc == WARP_OK; i++) {
            copies[i].entry = &st->copied[first + i];
            rc = step_write(st, &copies[i]);
        }
        if (first / STEP_PACE_RECORDS != st->copied_count / STEP_PACE_RECORDS)
            step_pace(st, 2);
        if (rc == WARP_OK && step_is_full(st))
            rc = step_commit(st, false);
    }
    return rc;
}

/* All but the last step. rc: how it went so far; after an error what was not
 * copied is dirty again. */
static int flush_all(struct warp_db *db, struct step *st, int rc)
{
    struct order order;
    struct record_copy *copies = calloc(LOCK_RECORDS, sizeof *copies);
    int made = order_make(&order, db, &st->shares);
    if (rc == WARP_OK)
        rc = made;
    if (rc == WARP_OK && !copies)
        rc = error_set(WARP_ENOMEM, "out of memory for a checkpoint");
    for (uint32_t range = 0; range < order.range_count; range++) {
        for (uint32_t i = 0; i < db->shard_count && rc == WARP_OK; i++)
            rc = flush_shard(st, &db->shards[i], &order.at[i],
                             order_end(&order, db, range, i), copies);
        if (rc == WARP_OK && range + 1 < order.range_count)
            rc = step_commit(st, false);
    }
    for (uint32_t i = 0; i < db->shard_count && rc != WARP_OK; i++)
        return_list(&db->shards[i], order.at[i]);
    order_fini(&order);
    free(copies);
    return rc;
}

/* After an error, too, what was taken is in the lists. */
static int take_lists(struct warp_db *db, uint64_t *floors)
{
    uint64_t records = 0, bytes = 0;
    int rc = WARP_OK;
    changed_turn(&db->changed);
    for (uint32_t i = 0; i < db->shard_count && rc == WARP_OK; i++) {
        struct shard *s = &db->shards[i];
        os_lock(&s->lock);
        floors[i] = log_seq(db->log, i);
        rc = shard_take_dirty(s);
        records += s->flushing_count;
        if (s->index.count > 0)
            bytes += s->live_bytes / s->index.count * s->flushing_count;
        os_unlock(&s->lock);
    }
    pace_begin(db, records, bytes);
    return rc;
}

/* Where nothing may leave, all; beside what may, rows without the values that
 * are too long for them. */
static uint64_t pinned_bytes(struct warp_db *db)
{
    bool all = true, loading = atomic_load(&db->loading);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < db->layout_count; i++)
        all = all && !db->layouts[i]->cold && !db->layouts[i]->evictable;
    for (uint32_t i = 0; i < db->shard_count; i++) {
        struct shard *s = &db->shards[i];
        os_lock(&s->lock);
        bytes += all ? s->live_bytes : s->pinned_bytes;
        os_unlock(&s->lock);
    }
    return loading && bytes < db->pinned_before ? db->pinned_before : bytes;
}

static int write_floors(struct warp_db *db, struct step *st,
                        const uint64_t *floors)
{
    uint8_t b[24 + 256 * 8];
    struct ssd_txn *txn = NULL;
    uint8_t *at = wire_put32(b, db->shard_count);
    at = wire_put32(at, 1);
    at = wire_put64(at, (uint64_t)clock_mark(db->clock));
    at = wire_put64(at, pinned_bytes(db));
    for (uint32_t i = 0; i < db->shard_count; i++)
        at = wire_put64(at, floors[i]);
    int rc = ssd_begin(db->ssd, &txn);
    if (rc != WARP_OK)
        return rc;
    struct ssd_slice key = {"checkpoint", 10};
    struct ssd_slice value = {b, (size_t)(at - b)};
    rc = ssd_put(txn, SSD_META, key, value);
    if (rc == WARP_OK)
        rc = step_put_later(st, txn);
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
        shard_drop_flushing(s);
        os_unlock(&s->lock);
    }
    changed_settle(&db->changed);
}

static int run_steps(struct warp_db *db)
{
    uint64_t mark = 0, floors[256] = {0};
    struct step st;
    int rc = step_open(&st, db);
    if (rc == WARP_OK)
        rc = log_mark(db->log, &mark); /* C1 */
    if (rc != WARP_OK) {
        step_close(&st);
        return rc;
    }
    os_lock(&db->dead_lock);
    struct disk_place *dead = db->dead_places;
    uint32_t dead_count = db->dead_count;
    db->dead_places = NULL;
    db->dead_count = db->dead_room = 0;
    os_unlock(&db->dead_lock);
    rc = take_lists(db, floors);
    step_ready(&st, db->pace.records, db->pace.bytes);
    os_point(OS_POINT_CHECKPOINT);
    if (rc == WARP_OK && PLANTED(early_checkpoint))
        rc = write_floors(db, &st, floors);
    rc = flush_all(db, &st, rc);
    os_point(OS_POINT_CHECKPOINT);
    if (rc != WARP_OK)
        step_undo(&st);
    if (rc == WARP_OK)
        rc = step_commit(&st, true);
    os_point(OS_POINT_CHECKPOINT);
    drop_lists(db);
    if (rc == WARP_OK)
        rc = write_floors(db, &st, floors); /* C4 */
    if (rc == WARP_OK) {
        series_settled(db->series, floors);
        os_point(OS_POINT_CHECKPOINT);
        rc = log_cut(db->log, mark);
    }
    pace_end(db, rc == WARP_OK);
    for (uint32_t i = 0; i < dead_count; i++) {
        if (rc == WARP_OK)
            far_free(db->disk, db->archive, dead[i]); /* C5 */
        else
            apply_dead_place(db, &dead[i]);
    }
    free(dead);
    if (rc == WARP_OK)
        rc = disk_reclaim(db->disk);
    step_close(&st);
    return rc;
}

int checkpoint_migrate(struct warp_db *db, bool force, bool *more)
{
    *more = false;
    if (db->read_only || !clock_deletes_allowed(db->clock))
        return WARP_OK;
    db_wait_loaded(db);
    if (atomic_load(&db->load_failed) != WARP_OK)
        return WARP_OK;
    os_lock(&db->checkpoint_lock);
    uint32_t marked;
    int rc =
        series_migrate(db->series, clock_now(db->clock), force, more, &marked);
    if (rc == WARP_OK && marked > 0)
        rc = run_steps(db);
    if (rc == WARP_OK)
        rc = disk_reclaim(db->disk);
    if (rc == WARP_OK)
        rc = archive_reclaim(db->archive);
    os_unlock(&db->checkpoint_lock);
    return rc;
}

int checkpoint_run(struct warp_db *db)
{
    /* The loader counts the places that the directory holds; until it has,
     * none may be freed. */
    db_wait_loaded(db);
    os_lock(&db->checkpoint_lock);
    int64_t from = os_mono_ns(), cpu = os_thread_cpu_ns();
    int rc = atomic_load(&db->load_failed);
    if (rc == WARP_OK)
        rc = run_steps(db);
    else
        error_set(rc, "the store's rows could not be loaded; open it again "
                      "with a larger memory_max_bytes");
    atomic_store(&db->checkpoint_failed, rc);
    atomic_store(&db->log_kept, log_bytes(db->log));
    if (rc == WARP_OK) {
        atomic_fetch_add(&db->checkpoints, 1);
        atomic_fetch_add(&db->checkpoint_records, db->pace.records);
        atomic_fetch_add(&db->checkpoint_ns,
                         (uint64_t)(os_mono_ns() - from));
        atomic_fetch_add(&db->checkpoint_cpu_ns,
                         (uint64_t)(os_thread_cpu_ns() - cpu));
    }
    os_unlock(&db->checkpoint_lock);
    /* Whoever waited for room looks again, whatever the result. */
    atomic_fetch_add(&db->room_word, 1);
    os_futex_wake(&db->room_word, INT32_MAX);
    atomic_fetch_add(&db->step_word, 1);
    os_futex_wake(&db->step_word, INT32_MAX);
    return rc;
}

/* ---- reading it back ---- */

struct floors_call {
    uint32_t shards;
    uint64_t *floors;
    int64_t *clock_mark;
    uint64_t *pinned_bytes;
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
    *c->pinned_bytes = wire_get32(b + 4) == 1 ? wire_get64(b + 16) : 0;
    for (uint32_t i = 0; i < c->shards; i++)
        c->floors[i] = wire_get64(b + 24 + 8 * i);
    return WARP_OK;
}

int checkpoint_read(struct ssd *ssd, uint32_t shards, uint64_t *floors,
                    int64_t *clock_mark, uint64_t *pinned_bytes)
{
    struct floors_call call = {shards, floors, clock_mark, pinned_bytes};
    struct ssd_slice key = {"checkpoint", 10};
    memset(floors, 0, shards * sizeof *floors);
    *clock_mark = 0;
    *pinned_bytes = 0;
    int rc = ssd_get(ssd, SSD_META, key, read_floors, &call);
    return rc == WARP_ENOTFOUND ? WARP_OK : rc;
}
