/* `warp-bench placement --store`: a trace as gets of a real store whose records
 * are five times its memory, run by plain LRU and by the engine in turn, each
 * on a store of its own that was filled and checkpointed before. */
#include "placement_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db.h"
#include "folder.h"
#include "placement_item.warp.h"
#include "replace.h"

enum { TIMES = 5, SHARDS = 4, RING_BYTES = 65536 };

static double us_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double now_us(void)
{
    return us_of(CLOCK_MONOTONIC);
}

static int fill(struct warp_db *db, const struct placement_trace *t,
                const char *value, uint32_t bytes)
{
    int rc = WARP_OK;
    for (uint32_t o = 0; o < t->objects && rc == WARP_OK; o++) {
        struct placed_item item = {.key = t->key[o], .value = {value, bytes}};
        rc = placed_item_put(db, &item, PLACED_ITEM_VALUE);
    }
    return rc == WARP_OK ? warp_checkpoint(db) : rc;
}

static int replay(struct warp_db *db, const struct placement_trace *t,
                  struct placement_store_result *r)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_stat before = WARP_STAT_INIT, after = WARP_STAT_INIT;
    size_t half = t->count / 2;
    int rc = warp_stat(db, &before);
    double start = now_us(), middle = start,
           cpu = us_of(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < t->count && rc == WARP_OK; i++) {
        struct placed_item item;
        if (i == half)
            middle = now_us();
        warp_arena_reset(&arena);
        rc = placed_item_get(db, t->key[t->object[i]], PLACED_ITEM_VALUE,
                             &item, &arena);
    }
    double end = now_us();
    cpu = us_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
    if (rc == WARP_OK)
        rc = warp_stat(db, &after);
    warp_arena_free(&arena);
    r->mean_us = (end - start) / (double)t->count;
    r->cpu_us = cpu / (double)t->count;
    r->late_us = (end - middle) / (double)(t->count - half);
    r->cold_ratio =
        (double)(after.cold_reads - before.cold_reads) / (double)t->count;
    r->memory_bytes = after.memory_bytes;
    return rc;
}

static int run(const struct placement_trace *t, const char *base,
               const char *value, uint32_t bytes, bool lru,
               struct placement_store_result *r)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    struct warp_db *db = NULL;
    char dir[FOLDER_PATH_BYTES];
    if (folder_make(base, dir) != 0)
        return -1;
    o.shards = SHARDS;
    o.ring_bytes = RING_BYTES;
    o.memory_max_bytes = (uint64_t)t->objects * bytes / TIMES;
    r->name = lru ? "lru" : "engine";
    r->budget_bytes = o.memory_max_bytes;
    int rc = warp_open(dir, &placement_item_warp_schema, &o, &db);
    if (rc == WARP_OK) {
        const struct layout *l =
            db_layout(db, &placed_item_warp_product);
        struct replace_fixed fixed = {.lru = lru};
        struct replace_stat stat;
        replace_fix(db, &fixed);
        rc = fill(db, t, value, bytes);
        if (rc == WARP_OK)
            rc = replay(db, t, r);
        if (rc == WARP_OK && replace_stat(db, l, &stat)) {
            snprintf(r->expert, sizeof r->expert, "%s", stat.expert);
            r->hit_us = stat.hit_ns / 1e3;
            r->miss_us = stat.miss_ns / 1e3;
            r->tier_bytes = stat.used_bytes;
        }
    }
    if (rc != WARP_OK)
        fprintf(stderr, "warp-bench: %s: %s\n", dir,
                warp_errmsg(db ? db : NULL));
    if (db && warp_close(&db) != WARP_OK)
        rc = WARP_EIO;
    folder_remove(dir);
    return rc == WARP_OK ? 0 : -1;
}

int placement_measure_store(const struct placement_trace *t, const char *base,
                            uint32_t bytes, unsigned rounds,
                            struct placement_store_result results[2])
{
    char *value = malloc(bytes);
    int rc = value ? 0 : -1;
    memset(results, 0, 2 * sizeof results[0]);
    for (uint32_t i = 0; value && i < bytes; i++)
        value[i] = (char)('a' + i * 7 % 26);
    /* In turn, and the quicker run of each: others use the machine, too. */
    for (unsigned n = 0; n < 2 * rounds && rc == 0; n++) {
        struct placement_store_result r = {0}, *best = &results[n % 2];
        rc = run(t, base, value, bytes, n % 2 == 0, &r);
        if (rc == 0 && (n < 2 || r.cpu_us < best->cpu_us))
            *best = r;
    }
    free(value);
    return rc;
}
