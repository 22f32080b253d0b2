/* store_scene.c: see store_scene.h. */
#include "store_scene.h"

#include "db.h"
#include "evict.h"
#include "keeper.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct warp_db *store;
_Atomic int64_t now;
struct warp_arena arena;
struct warp_options options;
char store_path[300];

static int64_t read_clock(void *arg)
{
    (void)arg;
    return now;
}

void expect_code(int rc, int code, const char *says, const char *file,
                 int line)
{
    const char *text = warp_errmsg(store);
    if (rc != code)
        ck_abort_msg("%s:%d: %d, expected %d (%s)", file, line, rc, code,
                     text);
    if (says && !strstr(text, says))
        ck_abort_msg("%s:%d: the sentence is \"%s\", expected \"%s\"", file,
                     line, text, says);
}

void scene_open(void)
{
    int rc = warp_open(store_path, &sample_schema, &options, &store);
    ck_assert_msg(rc == WARP_OK, "open: %d: %s", rc, warp_errmsg(NULL));
}

void scene_close(void)
{
    ck_ok(warp_close(&store));
    ck_assert_ptr_null(store);
}

void scene_reopen(void)
{
    scene_close();
    scene_open();
}

void scene_setup(void)
{
    struct warp_options fresh = WARP_OPTIONS_INIT;
    snprintf(store_path, sizeof store_path, "%s/store", scratch());
    options = fresh;
    options.shards = 3;
    options.ring_bytes = 65536;
    options.clock_ms = read_clock;
    /* Only what a test asks for happens. */
    options.checkpoint_every_ms = 3600000;
    options.sweep_every_ms = 3600000;
    now = 1000000;
    scene_open();
}

void scene_teardown(void)
{
    if (store)
        (void)warp_close(&store);
    warp_arena_free(&arena);
    scratch_remove();
}

void scene_crash(void (*fn)(void))
{
    int status = 0;
    scene_close();
    pid_t pid = fork();
    if (pid == 0) {
        scene_open();
        fn();
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
                  "the child ended before it was killed");
    scene_open();
}

void scene_sweep(void)
{
    (void)sweep_run(store, true);
}

void scene_evict(void)
{
    for (uint32_t i = 0; i < store->shard_count; i++) {
        os_lock(&store->shards[i].lock);
        (void)shard_evict(&store->shards[i], NULL,
                          WARP_PRIORITY_CRITICAL, UINT64_MAX);
        os_unlock(&store->shards[i].lock);
    }
}

int put(const struct sample_thing *thing, uint64_t fields)
{
    return warp_gen_put(store, &sample_thing_product, thing, fields);
}

int get(uint64_t id, uint64_t fields, struct sample_thing *out)
{
    memset(out, 0xee, sizeof *out);
    return warp_gen_get(store, &sample_thing_product, &id, fields, out, &arena);
}

int del(uint64_t id)
{
    return warp_gen_delete(store, &sample_thing_product, &id);
}

enum warp_state state(uint64_t id, uint32_t field)
{
    return warp_gen_state(store, &sample_thing_product, &id, BIT(field));
}

uint64_t version(uint64_t id)
{
    uint64_t v = 0;
    int rc = warp_gen_version(store, &sample_thing_product, &id, &v);
    ck_assert(rc == WARP_OK ? v != 0 : rc == WARP_ENOTFOUND);
    return v;
}

int add_gold(uint64_t id, int64_t delta, int64_t *sum)
{
    return warp_gen_add(store, &sample_thing_product, &id, THING_GOLD, &delta,
                        sum);
}

int mortal_put(const char *name, uint32_t tag, uint64_t fields)
{
    struct sample_mortal m = {.name = warp_str(name), .tag = tag,
                              .text = warp_str("text"), .hits = 9, .pin = 7,
                              .body = warp_str("body")};
    return warp_gen_put(store, &sample_mortal_product, &m, fields);
}

int mortal_get(const char *name, struct sample_mortal *out)
{
    struct warp_str key = warp_str(name);
    return warp_gen_get(store, &sample_mortal_product, &key,
                        sample_mortal_product.all, out, &arena);
}

bool str_is(struct warp_str s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

const char *ids_of(struct warp_iter *iter)
{
    static char text[4096];
    struct sample_thing t;
    size_t used = 0;
    int rc;
    text[0] = 0;
    while ((rc = warp_gen_next(iter, &sample_thing_product, &t, &arena)) ==
               WARP_OK &&
           used < sizeof text - 32)
        used += (size_t)snprintf(text + used, sizeof text - used, "%llu ",
                                 (unsigned long long)t.id);
    ck_code(rc, WARP_END, NULL);
    warp_iter_close(&iter);
    return text;
}

const char *scan_ids(const struct warp_gen_range *range)
{
    struct warp_iter *iter = NULL;
    ck_ok(warp_gen_scan(store, &sample_thing_product, range,
                        sample_thing_product.all, &iter));
    return ids_of(iter);
}

const char *by_ids(uint32_t field, const void *value)
{
    struct warp_iter *iter = NULL;
    ck_ok(warp_gen_by(store, &sample_thing_product, field, value,
                      sample_thing_product.hot, &iter));
    return ids_of(iter);
}

const char *events_of(uint64_t id)
{
    static char text[4096];
    struct warp_iter *iter = NULL;
    struct warp_str s;
    int64_t at;
    size_t used = 0;
    int rc;
    text[0] = 0;
    ck_ok(warp_gen_range(store, &sample_thing_product, &id, THING_EVENTS,
                         INT64_MIN + 1, INT64_MAX, &iter));
    while ((rc = warp_gen_range_next(iter, &sample_thing_product,
                                     THING_EVENTS, &at, &s, &arena)) ==
               WARP_OK &&
           used < sizeof text - 64)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%lld:%.*s ", (long long)at, (int)s.len,
                                 s.data);
    ck_code(rc, WARP_END, NULL);
    warp_iter_close(&iter);
    return text;
}

int event(uint64_t id, int64_t at, const char *text)
{
    struct warp_str s = warp_str(text);
    return warp_gen_append(store, &sample_thing_product, &id, THING_EVENTS, at,
                           &s);
}

int run_suite(const char *name, void (*fill)(TCase *tcase))
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, scene_setup, scene_teardown);
    tcase_set_timeout(tcase, 60);
    fill(tcase);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
