/* stat.c: counters and gauges, as a struct and as OpenMetrics text. */
#include "clock.h"
#include "db.h"
#include "error.h"
#include "gravity.h"
#include "prefetch.h"
#include "series.h"

#include <stdarg.h>
#include <stdio.h>

static void sum_stripes(struct warp_db *db, struct warp_stat *s)
{
    for (uint32_t i = 0; i < DB_STRIPES; i++) {
        struct stripe *p = &db->stripes[i];
        s->gets += atomic_load_explicit(&p->gets, memory_order_relaxed);
        s->puts += atomic_load_explicit(&p->puts, memory_order_relaxed);
        s->deletes += atomic_load_explicit(&p->deletes,
                                           memory_order_relaxed);
        s->cold_reads += atomic_load_explicit(&p->cold_reads,
                                              memory_order_relaxed);
        s->split_batches += atomic_load_explicit(&p->split,
                                                 memory_order_relaxed);
    }
    s->batches = atomic_load(&db->batches);
    s->commits = s->puts + s->deletes + s->batches;
}

static void add_devices(struct warp_db *db, struct warp_stat *s)
{
    const char *kind;
    uint64_t held, sent;
    for (uint32_t i = 0;
         db->device_stat && db->device_stat(db, i, &kind, &held, &sent); i++) {
        s->device_bytes += held;
        s->device_sent_bytes += sent;
    }
}

int warp_stat(struct warp_db *db, struct warp_stat *out)
{
    struct warp_stat s = {0};
    struct ssd_stat ssd = {0};
    struct disk_stat disk = {0};
    struct archive_stat archive;
    if (!db || !out || out->size == 0 || out->size > sizeof s)
        return error_set(WARP_EINVAL, "warp_stat: start from WARP_STAT_INIT");
    if (atomic_load_explicit(db->fork_guard, memory_order_relaxed) == 0)
        return db_forked();
    sum_stripes(db, &s);
    s.cold_reads += series_tier_reads(db->series);
    uint64_t stored;
    int rc = ssd_count(db->ssd, SSD_ROWS, &stored);
    if (rc != WARP_OK)
        return rc;
    int64_t records = (int64_t)stored;
    for (uint32_t i = 0; i < db->shard_count; i++) {
        os_lock(&db->shards[i].lock);
        records += db->shards[i].fresh - db->shards[i].gone;
        os_unlock(&db->shards[i].lock);
    }
    s.records = records > 0 ? (uint64_t)records : 0;
    rc = ssd_stat(db->ssd, &ssd);
    if (rc != WARP_OK)
        return rc;
    disk_stat(db->disk, &disk);
    /* Without what the store's own work may take, and mostly does not. */
    uint64_t used = db_memory_used(db), aside = db_set_aside(db);
    s.memory_bytes = used > aside ? used - aside : 0;
    s.memory_max_bytes = db->memory_max;
    s.log_bytes = log_bytes(db->log);
    s.log_bytes_max = db->options.log_bytes_max;
    s.sync_count = log_sync_count(db->log);
    s.sync_lag_ms = log_lag_ms(db->log);
    s.log_writes_in_flight = log_in_flight(db->log);
    s.checkpoints = atomic_load(&db->checkpoints);
    s.checkpoint_records = atomic_load(&db->checkpoint_records);
    s.checkpoint_ms = atomic_load(&db->checkpoint_ns) / 1000000;
    s.checkpoint_cpu_ms = atomic_load(&db->checkpoint_cpu_ns) / 1000000;
    s.ssd_bytes = ssd.used_bytes;
    s.disk_bytes = disk.file_bytes;
    s.disk_live_bytes = disk.live_bytes;
    archive_stat(db->archive, &archive);
    s.archive_bytes = archive.file_bytes;
    s.expired = atomic_load(&db->expired);
    int64_t swept = atomic_load(&db->sweep_done_ms);
    int64_t now = clock_mark(db->clock);
    s.sweep_lag_ms = swept > 0 && now > swept ? (uint64_t)(now - swept) : 0;
    s.loading = atomic_load(&db->loading);
    s.health = atomic_load(&db->health);
    s.read_only = db->read_only || s.health != WARP_OK;
    add_devices(db, &s);
    if (db->prefetch)
        prefetch_stat(db, &s);
    gravity_stat(db, &s);
    s.size = out->size;
    memcpy(out, &s, out->size);
    return WARP_OK;
}

struct text {
    char *to;
    size_t room, used;
};

static void say(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void say(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t left = t->used < t->room ? t->room - t->used : 0;
    int n = vsnprintf(left ? t->to + t->used : NULL, left, format, args);
    va_end(args);
    if (n > 0)
        t->used += (size_t)n;
}

static void metric(struct text *t, const char *name, const char *kind,
                   const char *help, uint64_t value)
{
    say(t, "# TYPE warp_%s %s\n# HELP warp_%s %s\nwarp_%s%s %llu\n", name,
        kind, name, help, name, kind[0] == 'c' ? "_total" : "",
        (unsigned long long)value);
}

size_t warp_metrics(struct warp_db *db, char *text, size_t text_bytes)
{
    struct warp_stat s = WARP_STAT_INIT;
    struct text t = {text, text ? text_bytes : 0, 0};
    if (warp_stat(db, &s) != WARP_OK)
        return 0;
    metric(&t, "records", "gauge", "Records that exist.", s.records);
    metric(&t, "gets", "counter", "Reads of one record.", s.gets);
    metric(&t, "puts", "counter", "Commits of one record.", s.puts);
    metric(&t, "deletes", "counter", "Deletes.", s.deletes);
    metric(&t, "batches", "counter", "Committed batches.", s.batches);
    metric(&t, "cold_reads", "counter", "Fields read from a tier.",
           s.cold_reads);
    metric(&t, "memory_bytes", "gauge", "Memory in use.", s.memory_bytes);
    metric(&t, "memory_max_bytes", "gauge", "The budget.",
           s.memory_max_bytes);
    metric(&t, "log_bytes", "gauge", "Log not yet cut.", s.log_bytes);
    metric(&t, "log_syncs", "counter", "Writes of the commit stream.",
           s.sync_count);
    metric(&t, "sync_lag_ms", "gauge", "Age of what is not durable yet.",
           s.sync_lag_ms);
    metric(&t, "checkpoints", "counter", "Finished checkpoints.",
           s.checkpoints);
    metric(&t, "checkpoint_records", "counter", "Records that they wrote.",
           s.checkpoint_records);
    metric(&t, "checkpoint_ms", "counter", "Milliseconds that they took.",
           s.checkpoint_ms);
    metric(&t, "checkpoint_cpu_ms", "counter",
           "Milliseconds of processor time that they took.",
           s.checkpoint_cpu_ms);
    metric(&t, "ssd_bytes", "gauge", "Bytes in the ssd tier.", s.ssd_bytes);
    metric(&t, "disk_bytes", "gauge", "Bytes in the disk tier.",
           s.disk_bytes);
    metric(&t, "disk_live_bytes", "gauge", "Of these, alive.",
           s.disk_live_bytes);
    metric(&t, "expired", "counter", "Values freed after their ttl.",
           s.expired);
    metric(&t, "sweep_lag_ms", "gauge", "Age of the last whole sweep.",
           s.sweep_lag_ms);
    metric(&t, "device_bytes", "gauge", "Bytes of columns on devices.",
           s.device_bytes);
    metric(&t, "device_sent_bytes", "counter",
           "Bytes of inputs sent to devices.", s.device_sent_bytes);
    metric(&t, "prefetched", "counter", "Partners brought ahead of use.",
           s.prefetched);
    metric(&t, "prefetch_used", "counter", "Of these, used soon after.",
           s.prefetch_used);
    metric(&t, "prefetch_wasted", "counter", "Of these, not used.",
           s.prefetch_wasted);
    metric(&t, "prefetch_off", "gauge",
           "1 while too few were used and none is brought.", s.prefetch_off);
    metric(&t, "split_batches", "counter",
           "Batches over more than one shard.", s.split_batches);
    metric(&t, "shard_moves", "counter", "Records moved to another shard.",
           s.shard_moves);
    metric(&t, "records_away", "gauge",
           "Keys that are not in the shard of their hash.", s.records_away);
    metric(&t, "shards_entropy_permille", "gauge",
           "How even the shards are used: 1000 is even.",
           s.shards_entropy_permille);
    metric(&t, "healthy", "gauge", "1 unless the log has failed.",
           s.health == WARP_OK);
    say(&t, "# EOF\n");
    return t.used;
}
