/* keeper.c: when to checkpoint, and when writers must wait for one. */
#include "keeper.h"

#include "checkpoint.h"
#include "clock.h"
#include "compact.h"
#include "error.h"
#include "evolve_past.h"
#include "evict.h"
#include "gravity.h"
#include "migrate.h"
#include "pace.h"
#include "replace.h"
#include "room.h"
#include "secondary.h"
#include "series.h"

enum {
    TICK_MS = 20,
    IDLE_TICK_MS = 200,
    RETRY_MS = 500,
    SCANNED_MS = 1000 /* from one checkpoint for a scan to the next */
};

/* Records of the smallest async_write_buffer that a strategy names. */
static uint64_t dirty_limit(const struct warp_db *db)
{
    uint64_t limit = UINT64_MAX;
    for (uint32_t i = 0; i < db->layout_count; i++) {
        const struct warp_strategy *s = db->layouts[i]->desc->strategy;
        if (s && s->async_write_buffer_count > 0 &&
            s->async_write_buffer_count < limit)
            limit = s->async_write_buffer_count;
    }
    return limit;
}

struct schedule {
    int64_t checkpoint_ms; /* boot clock, of the last one */
    int64_t sweep_ms;
    int64_t retry_ms;      /* not before: the last one failed */
    uint64_t dirty_limit;
    bool moved;            /* records wait to be written in the form of now */
    bool compacted;        /* values wait to be written to new segments */
    bool uses;             /* values wait to move by how they are used */
    bool migrates;         /* elements wait to move to their tiers */
    int64_t log_ms;        /* when the log was last looked at, */
    uint64_t log_bytes;    /* how long it was, */
    uint64_t bytes_per_s;  /* and how fast it has grown lately */
    int told;              /* the last error that was told */
};

/* The log is where a checkpoint must begin, so that writers need not wait for
 * its end: the later, the fewer times a record is written that changes again
 * and again. Between half and three quarters of the limit. */
static bool log_is_due(const struct warp_db *db, const struct schedule *when,
                       uint64_t log)
{
    uint64_t limit = db->options.log_bytes_max;
    if (log <= limit / 2 || log > limit / 4 * 3)
        return log > limit / 2;
    uint64_t grows = when->bytes_per_s / 1000 * pace_takes_ms(db);
    return log + grows + grows / 2 + limit / 8 > limit;
}

/* The log's growth: the fastest lately, as that is what is to be held. */
static void watch_log(struct schedule *when, uint64_t log, int64_t now)
{
    uint64_t ms = (uint64_t)(now - when->log_ms);
    if (ms < TICK_MS / 2)
        return;
    uint64_t grown = log > when->log_bytes ? log - when->log_bytes : 0;
    uint64_t rate = grown * 1000 / ms, past = when->bytes_per_s * 7 / 8;
    when->bytes_per_s = rate > past ? rate : past;
    when->log_bytes = log;
    when->log_ms = now;
}

static bool checkpoint_due(struct warp_db *db, const struct schedule *when,
                           int64_t now)
{
    if (now < when->retry_ms)
        return false;
    if (log_is_due(db, when, log_bytes(db->log)) ||
        atomic_load(&db->stalled) || when->compacted || when->moved)
        return true;
    uint64_t dirty = db_dirty_records(db);
    if (dirty == 0 && !secondary_pending(db->secondary) &&
        !series_pending(db->series))
        return false;
    uint64_t used = db_memory_used(db), budget = db->memory_max;
    int64_t since = now - when->checkpoint_ms;
    return atomic_load(&db->no_room) || dirty >= when->dirty_limit ||
           (atomic_load(&db->scanned) && since >= SCANNED_MS) ||
           used > budget - budget / 16 ||
           since >= (int64_t)db->options.checkpoint_every_ms;
}

/* A step that marked so many rows for the next checkpoint is done. */
static void moved(struct warp_db *db, struct schedule *when, int64_t now,
                  int rc, uint32_t marked)
{
    when->moved = marked > 0;
    if (rc == WARP_OK)
        return;
    if (rc != when->told)
        db_log(db, WARP_LOG_ERROR, rc, error_text());
    when->told = rc;
    when->retry_ms = now + RETRY_MS;
}

/* A step of what a change of schema left to the background. */
static void move_rows(struct warp_db *db, struct schedule *when, int64_t now)
{
    enum { ROWS = 1024 };
    uint32_t marked = 0;
    if (now < when->retry_ms || !evolve_pending(db) ||
        atomic_load(&db->loading))
        return;
    int rc = evolve_move(db, ROWS, &marked);
    moved(db, when, now, rc, marked);
}

/* A step of what moves because it is used less than its strategy asks for. */
static void move_unused(struct warp_db *db, struct schedule *when, int64_t now)
{
    enum { ROWS = 1024 };
    uint32_t marked = 0;
    if (now < when->retry_ms || when->moved)
        return;
    int rc = migrate_step(db, ROWS, &marked, &when->uses);
    moved(db, when, now, rc, marked);
}

static int checkpoint(struct warp_db *db, struct schedule *when, int64_t now)
{
    /* Who asks from here on may need the next one, too. */
    atomic_store(&db->no_room, false);
    int rc = checkpoint_run(db);
    when->checkpoint_ms = os_boot_ms();
    when->retry_ms = rc == WARP_OK ? 0 : now + RETRY_MS;
    if (rc != WARP_OK && rc != when->told)
        db_log(db, WARP_LOG_ERROR, rc, error_text());
    when->told = rc;
    when->moved = false;
    atomic_store(&db->scanned, false);
    room_update(db);
    when->compacted = rc == WARP_OK && compact_due(db) &&
                      compact_step(db, COMPACT_LIVE_PCT) == 1;
    return rc;
}

/* After a checkpoint, and as long as a step says that there is more: one step,
 * then writers and checkpoints have their turn. */
static void migrate(struct warp_db *db, struct schedule *when)
{
    bool more = false;
    if (!when->migrates)
        return;
    int rc = checkpoint_migrate(db, false, &more);
    when->migrates = rc == WARP_OK && more;
    if (rc != WARP_OK && rc != when->told)
        db_log(db, WARP_LOG_ERROR, rc, error_text());
    if (rc != WARP_OK)
        when->told = rc;
}

/* Before a writer must see to it: from 15/16 of the budget down to 7/8. From
 * three quarters on it is noted what is used. */
static void relieve(struct warp_db *db)
{
    uint64_t budget = db->memory_max;
    db_balance(db);
    /* What a tier has as it is goes first. */
    if (db_memory_used(db) > budget - budget / 16)
        series_shrink(db->series, budget / 16);
    if (db->priorities == 0)
        return;
    if (db_memory_used(db) > budget - budget / 4)
        replace_begin(db);
    if (replace_is_on(db))
        evict_balance(db);
    if (db_memory_used(db) > budget - budget / 16)
        evict_to(db, budget - budget / 8, true);
}

static void *keep(void *arg)
{
    struct warp_db *db = arg;
    struct schedule when = {.checkpoint_ms = os_boot_ms(),
                            .sweep_ms = os_boot_ms(),
                            .dirty_limit = dirty_limit(db)};
    uint64_t last_log = 0;
    int64_t tick = TICK_MS;
    while (!atomic_load(&db->stopping)) {
        uint32_t seen = atomic_load(&db->keeper_word);
        int64_t now = os_boot_ms();
        uint64_t log = log_bytes(db->log);
        watch_log(&when, log, now);
        move_rows(db, &when, now);
        move_unused(db, &when, now);
        if (checkpoint_due(db, &when, now)) {
            int rc = checkpoint(db, &when, now);
            /* What is left cannot be cut: one large segment, made under another
             * limit, must not hold the writers for ever. */
            if ((rc == WARP_OK ||
                 log_bytes(db->log) < db->options.log_bytes_max) &&
                atomic_exchange(&db->stalled, false)) {
                atomic_fetch_add(&db->room_word, 1);
                os_futex_wake(&db->room_word, INT32_MAX);
            }
        }
        if (now - when.sweep_ms >= (int64_t)db->options.sweep_every_ms) {
            when.sweep_ms = now;
            sweep_run(db, false);
            when.migrates = true;
        }
        migrate(db, &when);
        migrate_save(db, false);
        bool draws = gravity_step(db);
        relieve(db);
        room_update(db);
        room_reserve_again(db);
        bool busy = when.migrates || when.uses || draws || evolve_pending(db);
        tick = log == last_log && !busy ? IDLE_TICK_MS : TICK_MS;
        last_log = log;
        os_futex_wait(&db->keeper_word, seen, tick * 1000000);
    }
    return NULL;
}

/* A little before the limit, which what is on its way must not pass. What the
 * last checkpoint left in the log the next one may leave, too: that alone is no
 * reason to wait. */
void keeper_watch_log(void *arg)
{
    struct warp_db *db = arg;
    uint64_t limit = db->options.log_bytes_max;
    uint64_t log = log_bytes(db->log);
    if (log < limit - limit / 32 || atomic_load(&db->stalled))
        return;
    if (atomic_load(&db->checkpoint_failed) == WARP_OK &&
        log < atomic_load(&db->log_kept) + limit / 8)
        return;
    atomic_store(&db->stalled, true);
    db_wake_keeper(db);
}

int keeper_start(struct warp_db *db)
{
    int rc = db_thread_start(db, &db->keeper, keep, db, "warp-keeper");
    return rc == 0 ? WARP_OK : error_set(WARP_ENOMEM, "cannot start a thread");
}

void keeper_stop(struct warp_db *db)
{
    atomic_store(&db->stopping, true);
    db_wake_keeper(db);
    os_thread_join(&db->loader);
    os_thread_join(&db->keeper);
}
