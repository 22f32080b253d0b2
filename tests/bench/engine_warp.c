/* Warp, through the code that warpc generates from kv_item.warp, as a user's
 * program calls it. process_crash is the store's default; power_loss is asked
 * for in each call. */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <warp/warp.h>

#include "kv_item.warp.h"
#include "process.h"

struct warp_engine {
    struct warp_db *db;
    uint64_t put_fields;
    bool text;
    const char *dir, *tool;
};

struct warp_session {
    struct warp_engine *engine;
    struct warp_arena arena;
};

static int warp_engine_open(const struct engine_setup *setup, void **db)
{
    struct warp_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return -1;
    struct warp_options options = WARP_OPTIONS_INIT;
    options.huge_pages = true;
    /* As memtable does: what is loaded finds its memory touched. A record has
     * 64 bytes beside its key and value, at most. */
    options.ready_bytes =
        setup->records * (64 + KV_KEY_BYTES + setup->value_bytes);
    if (setup->text)
        options.ready_bytes = 0; /* values leave memory */
    options.ready_records = setup->records;
    options.background_cpus = setup->background_cpus;
    options.numa = setup->numa;
    engine->text = setup->text;
    engine->dir = setup->dir;
    engine->tool = setup->tool;
    int rc =
        warp_open(setup->dir, &kv_item_warp_schema, &options, &engine->db);
    if (rc != WARP_OK) {
        fprintf(stderr, "warp-bench: warp: %s\n", warp_errmsg(NULL));
        free(engine);
        return rc;
    }
    engine->put_fields = setup->text ? BENCH_PAGE_TEXT : BENCH_ITEM_VALUE;
    if (setup->durability == KV_POWER_LOSS)
        engine->put_fields |= WARP_POWER_LOSS;
    *db = engine;
    return 0;
}

static int warp_engine_close(void *db)
{
    struct warp_engine *engine = db;
    int rc = warp_close(&engine->db);
    free(engine);
    return rc;
}

static int warp_session_open(void *db, unsigned thread, void **session)
{
    (void)thread;
    struct warp_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return -1;
    s->engine = db;
    *session = s;
    return 0;
}

static void warp_session_close(void *session)
{
    struct warp_session *s = session;
    warp_arena_free(&s->arena);
    free(s);
}

static int put_page(const struct warp_engine *engine, const void *key,
                    const void *value, size_t value_bytes)
{
    struct bench_page page = {0};
    memcpy(&page.key, key, KV_KEY_BYTES);
    page.text.data = value;
    page.text.len = (uint32_t)value_bytes;
    return bench_page_put(engine->db, &page, engine->put_fields);
}

static int warp_put(void *session, const void *key, const void *value,
                    size_t value_bytes)
{
    const struct warp_engine *engine = ((struct warp_session *)session)->engine;
    struct bench_item item = {0};
    if (engine->text)
        return put_page(engine, key, value, value_bytes);
    memcpy(&item.key, key, KV_KEY_BYTES);
    item.value.data = value;
    item.value.len = (uint32_t)value_bytes;
    return bench_item_put(engine->db, &item, engine->put_fields);
}

static int warp_get(void *session, const void *key, const void **value,
                    size_t *value_bytes)
{
    struct warp_session *s = session;
    struct bench_item item;
    memcpy(&item.key, key, KV_KEY_BYTES);
    warp_arena_reset(&s->arena);
    if (s->engine->text) {
        struct bench_page page;
        int rc = bench_page_get(s->engine->db, item.key, BENCH_PAGE_TEXT,
                                &page, &s->arena);
        *value = page.text.data;
        *value_bytes = page.text.len;
        return rc;
    }
    int rc = bench_item_get(s->engine->db, item.key, BENCH_ITEM_VALUE, &item,
                            &s->arena);
    if (rc != WARP_OK)
        return rc;
    *value = item.value.data;
    *value_bytes = item.value.len;
    return 0;
}

static int warp_scan(void *session, engine_each_fn *each, void *arg)
{
    struct warp_session *s = session;
    struct warp_iter *iter = NULL;
    struct bench_item item;
    int rc = bench_item_scan(s->engine->db, NULL, BENCH_ITEM_VALUE, &iter);
    while (rc == WARP_OK) {
        warp_arena_reset(&s->arena);
        rc = bench_item_next(iter, &item, &s->arena);
        if (rc != WARP_OK ||
            !each(arg, &item.key, KV_KEY_BYTES, item.value.data,
                  item.value.len))
            break;
    }
    warp_iter_close(&iter);
    return rc == WARP_END ? 0 : rc;
}

/* As a person does: closes the store, runs `warp compact`, opens it again. */
static int warp_compact(void *db)
{
    struct warp_engine *engine = db;
    struct process_cost cost;
    const char *argv[] = {engine->tool, "compact", engine->dir, NULL};
    int rc = warp_checkpoint(engine->db);
    int closed = warp_close(&engine->db);
    if (rc == WARP_OK)
        rc = closed;
    if (rc == WARP_OK &&
        (process_run(argv, "/dev/null", 0, &cost) != 0 || cost.status != 0))
        rc = -1;
    int opened =
        warp_open(engine->dir, &kv_item_warp_schema, NULL, &engine->db);
    return rc == WARP_OK ? opened : rc;
}

static void warp_background(void *db, double *records, double *cpu_ns)
{
    struct warp_engine *engine = db;
    struct warp_stat stat = WARP_STAT_INIT;
    if (warp_stat(engine->db, &stat) != WARP_OK)
        return;
    *records = (double)stat.checkpoint_records;
    *cpu_ns = (double)stat.checkpoint_cpu_ms * 1e6;
}

const struct engine engine_warp = {
    .name = "warp",
    .about = "hash index in memory, a log, tiers",
    .reads = true,
    .keeps = true,
    .open = warp_engine_open,
    .close = warp_engine_close,
    .session_open = warp_session_open,
    .session_close = warp_session_close,
    .put = warp_put,
    .get = warp_get,
    .scan = warp_scan,
    .compact = warp_compact,
    .background = warp_background,
};
