/* The engine in the store: a trace through real records gets the decisions that
 * the harness gets from the same policy code, request by request; and what
 * access_pattern_learning: and auto_migration: say is done. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "place.warp.h"

#include "evict.h"
#include "hash.h"
#include "learner.h"
#include "replace.h"
#include "request.h"

static char dir[64];
static struct warp_db *db;
static struct warp_arena arena = WARP_ARENA_INIT;
static char text[2048];
static const char *strategies; /* placement_ab of the next open */

static _Atomic unsigned told; /* lines of the log about a setting */
static void hear(void *arg, int level, int code, const char *line)
{
    (void)arg;
    (void)level;
    (void)code;
    told += strstr(line, "has another setting") != NULL;
}

static void open_it(uint32_t shards, uint64_t memory)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = shards;
    o.memory_max_bytes = memory;
    o.placement_ab = strategies;
    o.log = hear;
    int rc = warp_open(dir, &place_warp_schema, &o, &db);
    ck_assert_msg(rc == WARP_OK, "%s", warp_errmsg(NULL));
}

static void set_up(void)
{
    strcpy(dir, "/tmp/warp_place_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void tear_down(void)
{
    char command[128];
    warp_arena_free(&arena);
    if (db)
        ck_assert_int_eq(warp_close(&db), WARP_OK);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* Skewed, with a loop every now and then, so that experts differ and switch. */
enum { OBJECTS = 3000, REQUESTS = 60000, SOME = 200 };
static uint64_t state = 1;
static uint32_t below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((state >> 33) % n);
}
static uint32_t request_at(uint32_t i)
{
    if (i / 10000 % 2)
        return i % 900;
    return below(1 + below(OBJECTS));
}

static uint32_t body_bytes(uint64_t id)
{
    return 100 + (uint32_t)(id * 2654435761u >> 7) % 1500;
}

static void put_item(uint64_t id)
{
    struct pl_item r = {.id = id, .body = {text, body_bytes(id)}};
    int rc = pl_item_put(db, &r, PL_ITEM_BODY);
    ck_assert_msg(rc == WARP_OK, "%s", warp_errmsg(db));
}

static void get_item(uint64_t id)
{
    struct pl_item r;
    warp_arena_reset(&arena);
    int rc = pl_item_get(db, id, PL_ITEM_BODY, &r, &arena);
    ck_assert_msg(rc == WARP_OK, "%u: %s", (unsigned)id, warp_errmsg(db));
    ck_assert_uint_eq(r.body.len, body_bytes(id));
}

/* ---- looking inside ---- */

static const struct layout *layout_of(const struct warp_product *product)
{
    return db_layout(db, product);
}

static struct key_ref key_of(const struct layout *l, const uint8_t key[8])
{
    struct key_ref k = key_ref_of(db->seed, l, key, 8);
    return k;
}

static void encode(uint8_t key[8], uint64_t id)
{
    for (int i = 0; i < 8; i++)
        key[i] = (uint8_t)(id >> (56 - 8 * i));
}

/* What of it may leave memory is there: so many bytes, or 0. */
static uint32_t resident_bytes(const struct layout *l, uint64_t id)
{
    uint8_t bytes[8];
    _Atomic uint64_t *slot;
    encode(bytes, id);
    struct key_ref key = key_of(l, bytes);
    struct shard *s = &db->shards[hash_shard(key.hash, db->shard_count)];
    os_lock(&s->lock);
    struct record *r = shard_peek(s, &key, &slot);
    uint32_t n = r ? evict_bytes(l, r) : 0;
    os_unlock(&s->lock);
    return n;
}

static void evict_all(void)
{
    for (uint32_t i = 0; i < db->shard_count; i++) {
        os_lock(&db->shards[i].lock);
        (void)shard_evict(&db->shards[i], NULL, WARP_PRIORITY_CRITICAL,
                          UINT64_MAX / 512);
        os_unlock(&db->shards[i].lock);
    }
}

/* ---- the same decisions ---- */

/* OBJECTS clean records on the ssd tier and none in memory; what they take
 * there, each and in all. */
static uint64_t fill(const struct layout *l, uint32_t bytes[OBJECTS])
{
    uint64_t all = 0;
    for (uint64_t id = 0; id < OBJECTS; id++)
        put_item(id);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    for (uint64_t id = 0; id < OBJECTS; id++)
        all += bytes[id] = resident_bytes(l, id);
    evict_all();
    for (uint64_t id = 0; id < OBJECTS; id++)
        ck_assert_uint_eq(resident_bytes(l, id), 0);
    return all;
}

/* Store and harness side by side: a request is served from memory in the one
 * exactly when it is in the other. The keeper learns what was noted, too, and
 * may be about to carry a decision out: then it gets its time. A long run of
 * hits is learned by parts, as the store may lose some. */
static void replay(uint32_t shards, bool lru)
{
    static uint32_t bytes[OBJECTS], numbers[OBJECTS];
    uint32_t known = 0, misses = 0;
    open_it(shards, UINT64_C(256) << 20);
    const struct layout *l = layout_of(&pl_item_warp_product);
    uint64_t all = fill(l, bytes);
    struct replace_fixed fixed = {.capacity_bytes = all / 5, .seed = 7,
                                  .sample = 1024, .lru = lru};
    replace_fix(db, &fixed);
    struct place_options options = {.capacity_bytes = all / 5, .seed = 7,
                                    .sample = 1024, .lru = lru,
                                    .learning = !lru};
    struct place *harness = place_create(&options);
    ck_assert_ptr_nonnull(harness);
    memset(numbers, 0xff, sizeof numbers);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        uint32_t id = request_at(i);
        if (numbers[id] == UINT32_MAX)
            numbers[id] = known++;
        bool there = place_holds(harness, numbers[id]);
        if (i % SOME == 0)
            evict_learned(db);
        for (int n = 0; n < 9999 && there != (resident_bytes(l, id) > 0); n++) {
            evict_learned(db);
            usleep(1000);
        }
        if (there != (resident_bytes(l, id) > 0)) {
            uint8_t key[8];
            struct replace_stat at;
            struct place_stat wanted;
            encode(key, id);
            ck_assert(replace_stat(db, l, &at));
            place_stat(harness, &wanted);
            ck_abort_msg(
                "request %u of %u: the harness (%s, %u evictions, %u bytes) "
                "has it: %d, the store's engine (%s, %u, %u; %u lost): %d", i,
                id, wanted.expert, (unsigned)wanted.evictions,
                (unsigned)wanted.used_bytes, there, at.expert,
                (unsigned)at.evictions, (unsigned)at.used_bytes,
                (unsigned)at.lost,
                replace_state(db, l, key_of(l, key).hash) == REPLACE_HELD);
        }
        misses += !there;
        get_item(id);
        /* A value that finds its shard locked, by the keeper, is not kept. */
        uint32_t kept = there ? 0 : resident_bytes(l, id);
        struct place_request request = {numbers[id], kept ? kept : bytes[id],
                                        id, false};
        ck_assert_int_ge(place_access(harness, &request), 0);
    }
    struct replace_stat stat;
    struct place_stat same;
    ck_assert(replace_stat(db, l, &stat));
    place_stat(harness, &same);
    ck_assert_str_eq(stat.expert, same.expert);
    ck_assert_uint_eq(stat.switches, same.switches);
    ck_assert_uint_eq(stat.place.trials, same.trials);
    ck_assert_uint_eq(stat.place.settings, same.settings);
    ck_assert_uint_eq(stat.place.window, same.window);
    /* The keeper tells the log of each. */
    for (int n = 0; n < 3000 && told == 0 && !lru; n++)
        usleep(10000);
    ck_assert_uint_eq(told > 0, !lru);
    ck_assert_uint_eq(same.settings > 0, !lru);
    ck_assert_uint_eq(stat.misses, misses);
    ck_assert_uint_eq(stat.evictions, same.evictions);
    ck_assert_uint_eq(stat.lost, 0);
    ck_assert_uint_eq(stat.used_bytes, same.used_bytes);
    ck_assert_uint_gt(stat.evictions, REQUESTS / 20);
    ck_assert_uint_gt(REQUESTS - misses, REQUESTS / 10);
    if (lru)
        ck_assert_str_eq(stat.expert, "lru");
    else
        ck_assert_uint_gt(stat.switches, 0);
    place_destroy(&harness);
}

START_TEST(one_shard_decides_as_the_harness)
{
    replay(1, false);
}
END_TEST

START_TEST(many_shards_decide_as_the_harness)
{
    replay(24, false);
}
END_TEST

START_TEST(plain_lru_is_plain_lru)
{
    replay(4, true);
}
END_TEST

/* A hit of what was on disk saves more than one of what was on ssd: the engine
 * hears of it, by what misses of each have taken. */
START_TEST(where_it_was_counts)
{
    struct pl_far far = {.id = 1, .body = {text, 1000}}, got;
    struct replace_view near, away;
    struct replace_stat stat;
    uint8_t key[8];
    open_it(1, UINT64_C(256) << 20);
    put_item(1);
    ck_assert_int_eq(pl_far_put(db, &far, PL_FAR_BODY), WARP_OK);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    evict_all();
    struct replace_fixed fixed = {.capacity_bytes = 1 << 20,
                                  .from_ns = {1000, 64000, 1e9}};
    replace_fix(db, &fixed);
    replace_begin(db);
    get_item(1);
    warp_arena_reset(&arena);
    ck_assert_int_eq(pl_far_get(db, 1, PL_FAR_BODY, &got, &arena), WARP_OK);
    ck_assert_uint_eq(got.body.len, 1000);
    encode(key, 1);
    const struct layout *item = layout_of(&pl_item_warp_product),
                        *other = layout_of(&pl_far_warp_product);
    ck_assert(replace_view(db, item, key_of(item, key).hash, &near));
    ck_assert(replace_view(db, other, key_of(other, key).hash, &away));
    ck_assert(near.known && away.known);
    ck_assert_double_eq_tol(away.place.saves / near.place.saves, 64, 6);
    ck_assert(replace_stat(db, item, &stat));
    ck_assert_double_gt(stat.from_ns[REPLACE_SSD], 0);
    ck_assert_double_eq(stat.from_ns[REPLACE_DISK], 0);
    ck_assert(replace_stat(db, other, &stat));
    ck_assert_double_eq(stat.from_ns[REPLACE_SSD], 0);
    ck_assert_double_gt(stat.from_ns[REPLACE_DISK], 0);
}
END_TEST

/* Where a processor is free for it, who brings something in does not wait for
 * what the engine makes of that; where all is to be as in the harness, it
 * does. */
START_TEST(another_thread_learns)
{
    static uint32_t bytes[OBJECTS];
    struct replace_stat stat;
    uint8_t key[8];
    open_it(4, UINT64_C(256) << 20);
    const struct layout *l = layout_of(&pl_item_warp_product);
    uint64_t all = fill(l, bytes);
    replace_begin(db);
    ck_assert_int_eq(learner_takes(db), os_cpu_count() > 1);
    for (uint64_t id = 0; id < OBJECTS; id++) {
        get_item(id);
        encode(key, id);
        uint64_t hash = key_of(l, key).hash;
        for (int n = 0; n < 30000 && id % 100 == 0 &&
                        replace_state(db, l, hash) != REPLACE_HELD;
             n++)
            usleep(1000);
        ck_assert(id % 100 || replace_state(db, l, hash) == REPLACE_HELD);
    }
    ck_assert(replace_stat(db, l, &stat));
    ck_assert_uint_eq(stat.misses, OBJECTS);
    ck_assert_uint_eq(stat.used_bytes, all);
    struct replace_fixed fixed = {.capacity_bytes = all / 5};
    replace_fix(db, &fixed);
    ck_assert(!learner_takes(db));
}
END_TEST

/* ---- two strategies ---- */

static bool report_says(bool log, const char *what)
{
    uint8_t request[] = {REQUEST_VERSION, 0, REQUEST_AB, 0, log};
    struct text reply = TEXT_INIT;
    int rc = request_run(db, request, sizeof request, NULL, &reply);
    text_u8(&reply, 0);
    bool says = rc == WARP_OK && strstr(reply.data, what);
    if (!says)
        printf("%d: %s\n", rc, reply.data);
    text_free(&reply);
    return says;
}

static void check_log(void)
{
    static struct replace_decision log[4096];
    uint32_t n = replace_ab_log(db, log, 4096), back = 0;
    ck_assert_uint_eq(n, 4096);
    for (uint32_t i = 0; i < n; i++) {
        if (log[i].explored)
            ck_assert_float_lt(log[i].propensity, 1.0f / 128);
        else
            ck_assert_float_gt(log[i].propensity, 1 - 1.0f / 64);
        ck_assert_float_gt(log[i].propensity, 0);
        back += log[i].returned > 0;
    }
    ck_assert_uint_gt(back, n / 10);
}

/* Half of the keys each, with half of the room: LRU loses the loops, and the
 * report says so. */
START_TEST(two_strategies_are_compared)
{
    static uint32_t bytes[OBJECTS];
    struct replace_ab_stat arms[2];
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = 4;
    o.placement_ab = "learned,fifo";
    ck_assert_int_eq(warp_open(dir, &place_warp_schema, &o, &db), WARP_EINVAL);
    ck_assert_ptr_nonnull(strstr(warp_errmsg(NULL), "learned,fifo"));
    strategies = "learned,lru";
    open_it(4, UINT64_C(256) << 20);
    strategies = NULL;
    const struct layout *l = layout_of(&pl_item_warp_product);
    uint64_t all = fill(l, bytes);
    struct replace_fixed fixed = {.capacity_bytes = all / 5, .sample = 1024};
    replace_fix(db, &fixed);
    for (uint32_t i = 0; i < REQUESTS; i++)
        get_item(request_at(i));
    ck_assert(replace_ab_stat(db, arms));
    ck_assert_str_eq(arms[0].name, "learned");
    ck_assert_str_eq(arms[1].name, "lru");
    uint64_t explored = 0, decisions = 0;
    for (int a = 0; a < 2; a++) {
        ck_assert_uint_gt(arms[a].gets, REQUESTS * 2 / 5);
        ck_assert_uint_le(arms[a].used_bytes, all / 10 + 1);
        ck_assert_uint_gt(arms[a].used_bytes, all / 12);
        ck_assert_uint_gt(arms[a].returned, 0);
        decisions += arms[a].decisions;
        explored += arms[a].explored;
    }
    /* What left again before its use was noted has not been used. */
    uint64_t gets = arms[0].gets + arms[1].gets;
    ck_assert_uint_le(gets, REQUESTS);
    ck_assert_uint_gt(gets, REQUESTS - REQUESTS / 100);
    ck_assert_uint_gt(explored, decisions / 256);
    ck_assert_uint_lt(explored, decisions / 64);
    ck_assert_double_lt((double)arms[0].misses / (double)arms[0].gets,
                        (double)arms[1].misses / (double)arms[1].gets);
    ck_assert(report_says(false, "\"better\":\"learned\""));
    ck_assert(report_says(true, "\"propensity\":0.99"));
    check_log();
}
END_TEST

/* ---- what a strategy says ---- */

START_TEST(nothing_is_noted_far_from_the_budget)
{
    struct replace_stat stat;
    open_it(4, UINT64_C(256) << 20);
    for (uint64_t id = 0; id < 1000; id++)
        put_item(id);
    for (uint64_t id = 0; id < 1000; id++)
        get_item(id);
    usleep(300000);
    ck_assert(!replace_is_on(db));
    ck_assert(!replace_stat(db, layout_of(&pl_item_warp_product), &stat));
}
END_TEST

/* Five times the memory: the product that learns nothing has S3-FIFO from its
 * first use to its last, and the other its own engine. */
START_TEST(learning_may_be_forbidden)
{
    enum { RECORDS = 30000 };
    struct replace_stat plain, learned;
    memset(text, 'p', sizeof text);
    open_it(4, UINT64_C(48) << 20);
    for (uint64_t id = 0; id < RECORDS; id++) {
        struct pl_plain r = {.id = id, .body = {text, 1000}};
        int rc = pl_plain_put(db, &r, PL_PLAIN_BODY);
        ck_assert_msg(rc == WARP_OK, "%s", warp_errmsg(db));
        if (id % 3 == 0)
            put_item(id);
    }
    for (uint32_t i = 0; i < 30000; i++) {
        struct pl_plain r;
        warp_arena_reset(&arena);
        uint64_t id = i % 3 ? i % 5000 : below(RECORDS);
        ck_assert_int_eq(pl_plain_get(db, id, PL_PLAIN_BODY, &r, &arena),
                         WARP_OK);
        ck_assert_uint_eq(r.body.len, 1000);
    }
    ck_assert(replace_stat(db, layout_of(&pl_plain_warp_product), &plain));
    ck_assert(replace_stat(db, layout_of(&pl_item_warp_product), &learned));
    ck_assert_str_eq(plain.expert, "s3fifo");
    ck_assert_uint_eq(plain.switches, 0);
    ck_assert_uint_gt(plain.evictions, 1000);
    ck_assert_uint_ne(plain.misses, learned.misses);
}
END_TEST

static bool still_has(uint64_t id, uint64_t field)
{
    struct pl_still r;
    warp_arena_reset(&arena);
    int rc = pl_still_get(db, id, PL_STILL_ALL | WARP_RESIDENT, &r, &arena);
    ck_assert_msg(rc == WARP_OK, "%s", warp_errmsg(db));
    return (r.have & field) != 0;
}

/* auto_migration: false: what the engine may place stays in memory, and the
 * budget ends; copies of the ssd tier leave. */
START_TEST(what_is_still_does_not_move)
{
    uint64_t n = 0;
    int rc = WARP_OK;
    open_it(4, UINT64_C(48) << 20);
    while (rc == WARP_OK && n < 100000) {
        struct pl_still r = {.id = n, .body = {text, 700},
                             .copy = {text, 700}};
        rc = pl_still_put(db, &r, PL_STILL_BODY | PL_STILL_COPY);
        n += rc == WARP_OK;
    }
    ck_assert_int_eq(rc, WARP_ELIMIT);
    uint32_t bodies = 0, copies = 0;
    for (uint64_t id = 0; id < n; id++) {
        bodies += still_has(id, PL_STILL_BODY);
        copies += still_has(id, PL_STILL_COPY);
    }
    ck_assert_uint_eq(bodies, n);
    ck_assert_uint_lt(copies, n / 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_place");
    TCase *tests = tcase_create("place");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 200);
    tcase_add_test(tests, one_shard_decides_as_the_harness);
    tcase_add_test(tests, many_shards_decide_as_the_harness);
    tcase_add_test(tests, plain_lru_is_plain_lru);
    tcase_add_test(tests, where_it_was_counts);
    tcase_add_test(tests, another_thread_learns);
    tcase_add_test(tests, two_strategies_are_compared);
    tcase_add_test(tests, nothing_is_noted_far_from_the_budget);
    tcase_add_test(tests, learning_may_be_forbidden);
    tcase_add_test(tests, what_is_still_does_not_move);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
