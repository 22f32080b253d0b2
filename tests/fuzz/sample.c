/* sample.c: see sample.h. */
#include "sample.h"

#include "error.h"
#include "fuzz.h"
#include "import.h"

#include "fuzz.warp.h"

#include <stdio.h>
#include <string.h>

static const int64_t clock_start_ms = INT64_C(1790000000000);

/* What main.c of `warp` gives: here nobody listens. */
int tool_usage(const struct tool *tool, const char *format, ...)
{
    (void)tool;
    (void)format;
    return TOOL_USAGE;
}

int tool_fail(const struct tool *tool, int code, const char *text)
{
    (void)tool;
    fuzz_need(code == WARP_OK || text == NULL || text[0] != 0 ||
                  warp_strerror(code)[0] != 0,
              "a message");
    return code == WARP_OK ? TOOL_CLEAN : TOOL_FINDINGS;
}

int tool_progress(void *bar, const char *what, uint64_t done, uint64_t total)
{
    (void)bar;
    (void)what;
    (void)done;
    (void)total;
    return 0;
}

void tool_bar_end(struct tool_bar *bar)
{
    (void)bar;
}

static int64_t on_clock(void *arg)
{
    (void)arg;
    return clock_start_ms;
}

int sample_open(const char *path, struct warp_db **db)
{
    struct warp_options options = WARP_OPTIONS_INIT;
    options.shards = 2;
    options.ring_bytes = 64 << 10;
    options.log_writes_in_flight = 1;
    options.disk_reserve_bytes = 1;
    options.memory_max_bytes = 64 << 20;
    options.ssd_map_bytes = 64 << 20;
    options.clock_ms = on_clock;
    return warp_open(path, &fuzz_warp_schema, &options, db);
}

static int put_text(struct warp_db *db, const char *product, const char *text)
{
    struct import_text import = {"sample", text, strlen(text), NULL, 0};
    for (uint32_t i = 0; i < fuzz_warp_schema.product_count; i++)
        if (strcmp(fuzz_warp_schema.products[i]->name, product) == 0)
            return import_records(db, fuzz_warp_schema.products[i],
                                  IMPORT_NDJSON, &import);
    return WARP_EINVAL;
}

static int put_thing(struct warp_db *db, unsigned n)
{
    char text[4000], note[1200];
    long long at = (long long)clock_start_ms - (long long)n * 100000;
    memset(note, (int)('a' + n % 26), sizeof note);
    note[n * 37 % (sizeof note - 1)] = 0;
    snprintf(
        text, sizeof text,
        "{\"id\":%u,\"gold\":%u,\"ratio\":%u.5,\"yes\":true,"
        "\"kind\":\"LOGIN\",\"at\":%lld,\"span\":9,"
        "\"uuid\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\","
        "\"owner\":\"o%u\",\"token\":%u,\"digest\":\"AAECAwQFBgc=\","
        "\"note\":\"%s\",\"point\":{\"x\":1,\"y\":%u},"
        "\"mixed\":{\"small\":1,\"maybe\":null,\"many\":[{\"x\":1,"
        "\"y\":2}],\"name\":\"m\"},\"payment\":{\"tag\":\"Transfer\","
        "\"value\":{\"iban\":\"DE%u\"}},\"row\":[1,2,3,%u],\"list\":[7,8,%u],"
        "\"lists\":[[\"a\",\"b\"],[]],\"names\":{\"a\":1,\"b\":%u},"
        "\"blob\":\"AAAA\",\"perhaps\":-1,\"mood\":3,\"place\":\"%s\","
        "\"trail\":[{\"at\":%lld,\"value\":%u},{\"at\":%lld,"
        "\"value\":2}],\"walk\":[{\"at\":%lld,\"value\":{\"small\":2,"
        "\"maybe\":{\"x\":1,\"y\":2},\"many\":[],\"name\":\"w%u\"}}]}\n",
        n, n, n, at, n % 5, n, note, n, n, n % 100, n, n, note, at, n,
        at - 90000000, at - 100, n);
    return put_text(db, "Thing", text);
}

static int put_pair(struct warp_db *db, unsigned n)
{
    char text[200];
    snprintf(text, sizeof text,
             "{\"left\":\"l%u\",\"right\":-%u,\"value\":\"v%u\"}\n", n, n, n);
    return put_text(db, "Pair", text);
}

int sample_fill(struct warp_db *db, unsigned from, unsigned to)
{
    int rc = WARP_OK;
    for (unsigned n = from; n < to && rc == WARP_OK; n++) {
        rc = put_thing(db, n);
        if (rc == WARP_OK)
            rc = put_pair(db, n);
    }
    return rc;
}

static void make_and_die(const char *path)
{
    struct warp_db *db = NULL;
    int rc = sample_open(path, &db);
    if (rc == WARP_OK)
        rc = sample_fill(db, 0, 12);
    if (rc == WARP_OK)
        rc = warp_checkpoint(db);
    if (rc == WARP_OK)
        rc = sample_fill(db, 12, 18);
    if (rc == WARP_OK)
        rc = warp_sync(db);
    if (rc == WARP_OK)
        rc = sample_fill(db, 6, 14);
    fuzz_need(rc == WARP_OK, error_text());
}

void sample_make(const char *path)
{
    fuzz_killed(make_and_die, path);
}

static struct tool tool_of(const char *path)
{
    return (struct tool){.name = "fuzz",
                         .synopsis = "",
                         .args = {path},
                         .arg_count = 1,
                         .json = true,
                         .deep = true,
                         .program = "fuzz"};
}

void sample_read(const char *path)
{
    static const char *const products[] = {"Thing", "Pair"};
    struct tool tool = tool_of(path);
    tool_verify(&tool);
    tool_stat(&tool);
    tool_metrics(&tool);
    for (int i = 0; i < 2; i++) {
        tool = tool_of(path);
        tool.args[1] = products[i];
        tool.format = i == 0 ? "json" : "csv";
        tool_export(&tool);
    }
    tool = tool_of(path);
    tool.args[1] = "Thing";
    tool.args[2] = "7";
    tool.args[3] = "note";
    tool_explain(&tool);
}
