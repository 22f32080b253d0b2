/* Budgets of the schema and the options: pools, max_memory, what one record may
 * take, data larger than the memory for it, the write buffer. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "budget.warp.h"
#include "db.h"

static char dir[64];
static struct warp_db *db;

static void open_with(const struct warp_options *options)
{
    int rc = warp_open(dir, &budget_warp_schema, options, &db);
    ck_assert_msg(rc == WARP_OK, "%s", warp_errmsg(NULL));
}

static void setup(void)
{
    strcpy(dir, "/tmp/warp_budget_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    struct warp_options options = WARP_OPTIONS_INIT;
    options.shards = 4;
    open_with(&options);
}

static void teardown(void)
{
    char command[128];
    if (db)
        ck_assert_int_eq(warp_close(&db), WARP_OK);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static char text[4096];

static struct warp_str body(uint32_t bytes)
{
    struct warp_str s = {text, bytes};
    return s;
}

static int put_pinned(uint64_t id, uint32_t bytes)
{
    struct bg_pinned r = {0};
    r.id = id;
    r.body = body(bytes);
    return bg_pinned_put(db, &r, BG_PINNED_BODY);
}

START_TEST(pool_is_hard)
{
    uint64_t n = 0;
    while (n < 10000 && put_pinned(n, 1000) == WARP_OK)
        n++;
    /* 256 KiB hold about 230 such records. */
    ck_assert_uint_gt(n, 150);
    ck_assert_uint_lt(n, 262);
    ck_assert_int_eq(put_pinned(n, 1000), WARP_ELIMIT);
    ck_assert_ptr_nonnull(strstr(warp_errmsg(db), "small_pool"));
    /* The other product of the pool is out of memory, too. */
    struct bg_sharing other = {0};
    other.body = body(1000);
    ck_assert_int_eq(bg_sharing_put(db, &other, BG_SHARING_BODY),
                     WARP_ELIMIT);
    /* Reads and deletes go on; what they free can be used. */
    for (uint64_t i = 0; i < 20; i++)
        ck_assert_int_eq(bg_pinned_delete(db, i), WARP_OK);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_int_eq(put_pinned(n, 1000), WARP_OK);
}
END_TEST

START_TEST(option_wins_over_defpool)
{
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    static const struct warp_pool pools[] = {{"small_pool", 1 << 20},
                                             {NULL, 0}};
    struct warp_options options = WARP_OPTIONS_INIT;
    options.pools = pools;
    open_with(&options);
    uint64_t n = 0;
    while (n < 10000 && put_pinned(n, 1000) == WARP_OK)
        n++;
    ck_assert_uint_gt(n, 800);
    ck_assert_uint_lt(n, 1048);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    static const struct warp_pool unknown[] = {{"smal_pool", 1}, {NULL, 0}};
    options.pools = unknown;
    ck_assert_int_eq(warp_open(dir, &budget_warp_schema, &options, &db),
                     WARP_EINVAL);
    ck_assert_ptr_nonnull(strstr(warp_errmsg(NULL), "smal_pool"));
}
END_TEST

START_TEST(max_memory_of_a_product)
{
    struct bg_limited r = {0};
    uint64_t n = 0;
    int rc = WARP_OK;
    for (; n < 10000 && rc == WARP_OK; n++) {
        r.id = n;
        r.body = body(500);
        rc = bg_limited_put(db, &r, BG_LIMITED_BODY);
    }
    ck_assert_int_eq(rc, WARP_ELIMIT);
    ck_assert_ptr_nonnull(strstr(warp_errmsg(db), "max_memory of Limited"));
    ck_assert_uint_gt(n, 150);
    ck_assert_uint_lt(n, 263);
    /* Others are not concerned. */
    ck_assert_int_eq(put_pinned(1, 100), WARP_OK);
}
END_TEST

START_TEST(instance_is_limited)
{
    ck_assert_int_eq(put_pinned(1, 1500), WARP_OK);
    ck_assert_int_eq(put_pinned(1, 2100), WARP_ELIMIT);
    ck_assert_ptr_nonnull(
        strstr(warp_errmsg(db), "max_memory_per_instance"));
    struct bg_pinned out;
    struct warp_arena arena = WARP_ARENA_INIT;
    ck_assert_int_eq(bg_pinned_get(db, 1, BG_PINNED_BODY, &out, &arena),
                     WARP_OK);
    ck_assert_uint_eq(out.body.len, 1500);
    /* A value that may leave memory does: it is cold after the checkpoint. */
    struct bg_sharing r = {0};
    r.id = 7;
    r.body = body(1000);
    r.cold = body(4000);
    ck_assert_int_eq(
        bg_sharing_put(db, &r, BG_SHARING_BODY | BG_SHARING_COLD), WARP_OK);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    struct bg_sharing got;
    ck_assert_int_eq(bg_sharing_get(db, 7, BG_SHARING_ALL | WARP_RESIDENT,
                                    &got, &arena),
                     WARP_OK);
    ck_assert_uint_eq(got.have, BG_SHARING_BODY);
    ck_assert_int_eq(bg_sharing_get(db, 7, BG_SHARING_ALL, &got, &arena),
                     WARP_OK);
    ck_assert_uint_eq(got.cold.len, 4000);
    warp_arena_free(&arena);
}
END_TEST

START_TEST(five_times_the_memory)
{
    enum { RECORDS = 1500, BYTES = 1000 }; /* 1.5 MB in 256 KiB */
    struct bg_movable r = {0};
    for (uint64_t i = 0; i < RECORDS; i++) {
        memset(text, (int)('a' + i % 26), BYTES);
        r.id = i;
        r.n = i * 3;
        r.body = body(BYTES);
        int rc = bg_movable_put(db, &r, BG_MOVABLE_ALL);
        ck_assert_msg(rc == WARP_OK, "%d: %s", (int)i, warp_errmsg(db));
    }
    struct warp_arena arena = WARP_ARENA_INIT;
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < RECORDS; i++) {
            struct bg_movable out;
            int rc = bg_movable_get(db, i, BG_MOVABLE_ALL, &out, &arena);
            ck_assert_msg(rc == WARP_OK, "%d: %s", (int)i, warp_errmsg(db));
            ck_assert_uint_eq(out.have, BG_MOVABLE_ALL);
            ck_assert_uint_eq(out.n, i * 3);
            ck_assert_uint_eq(out.body.len, BYTES);
            ck_assert_int_eq(out.body.data[BYTES - 1],
                             (char)('a' + i % 26));
            warp_arena_reset(&arena);
        }
        struct warp_stat stat = WARP_STAT_INIT;
        ck_assert_int_eq(warp_stat(db, &stat), WARP_OK);
        ck_assert_uint_eq(stat.records, RECORDS);
        ck_assert_uint_gt(stat.cold_reads, 0);
        ck_assert_int_eq(warp_close(&db), WARP_OK);
        open_with(NULL);
    }
    warp_arena_free(&arena);
}
END_TEST

static _Atomic uint64_t done_puts;
static _Atomic bool enough;

static void *put_on(void *arg)
{
    for (uint64_t i = 0; !atomic_load(&enough); i++) {
        struct bg_movable r = {.id = i};
        r.body = body(1000);
        int rc = bg_movable_put(db, &r, BG_MOVABLE_BODY);
        ck_assert_msg(rc == WARP_OK, "%s", warp_errmsg(db));
        atomic_fetch_add(&done_puts, 1);
    }
    return arg;
}

/* What who waits for a step of a checkpoint, or for its end, sees. */
static void tell(bool end)
{
    if (end)
        atomic_fetch_add(&db->room_word, 1);
    atomic_fetch_add(&db->step_word, 1);
    os_futex_wake(&db->step_word, INT32_MAX);
}

/* A put without memory goes on behind a step, also when one checkpoint has
 * ended since without room for it, and the next is under way. */
START_TEST(room_of_a_step_is_enough)
{
    pthread_t writer;
    uint64_t before;
    atomic_store(&done_puts, 0);
    atomic_store(&enough, false);
    os_lock(&db->checkpoint_lock); /* it is this test's, and does not end */
    ck_assert_int_eq(pthread_create(&writer, NULL, put_on, NULL), 0);
    do {
        before = atomic_load(&done_puts);
        usleep(200000);
    } while (before == 0 || atomic_load(&done_puts) != before);
    tell(true);
    usleep(200000);
    ck_assert_uint_eq(atomic_load(&done_puts), before);
    for (uint64_t id = 0; id < before / 2; id++)
        ck_assert_int_eq(bg_movable_delete(db, id), WARP_OK);
    tell(false);
    for (int i = 0; i < 3000 && atomic_load(&done_puts) == before; i++)
        usleep(10000);
    ck_assert_uint_gt(atomic_load(&done_puts), before);
    atomic_store(&enough, true);
    os_unlock(&db->checkpoint_lock);
    ck_assert_int_eq(pthread_join(writer, NULL), 0);
}
END_TEST

/* Rows that still load have their part of the pool. */
START_TEST(pool_is_hard_from_the_open_on)
{
    uint64_t n = 0, more;
    while (n < 10000 && put_pinned(n, 1000) == WARP_OK)
        n++;
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    open_with(NULL);
    for (more = n; more < 10000 && put_pinned(more, 1000) == WARP_OK; more++)
        ;
    ck_assert_uint_le(more, n + 2);
    struct warp_arena arena = WARP_ARENA_INIT;
    for (uint64_t i = 0; i < n; i++) {
        struct bg_pinned out;
        ck_assert_int_eq(bg_pinned_get(db, i, BG_PINNED_BODY, &out, &arena),
                         WARP_OK);
    }
    warp_arena_free(&arena);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
}
END_TEST

static int put_body(uint64_t id)
{
    struct bg_body r = {.id = id, .x = (float)id, .y = 1};
    return bg_body_put(db, &r, BG_BODY_X | BG_BODY_Y);
}

/* The pool is the device's room for columns: records are not limited by it. */
START_TEST(gpu_pool_does_not_limit_records)
{
    struct warp_stat stat = WARP_STAT_INIT;
    for (uint64_t n = 0; n < 3000; n++)
        ck_assert_int_eq(put_body(n), WARP_OK);
    ck_assert_int_eq(warp_stat(db, &stat), WARP_OK);
    ck_assert_uint_eq(stat.device_bytes, 0);
    ck_assert_uint_eq(stat.device_sent_bytes, 0);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    static const struct warp_pool pools[] = {{"vram", 8 << 10}, {NULL, 0}};
    struct warp_options options = WARP_OPTIONS_INIT;
    options.pools = pools;
    open_with(&options);
    ck_assert_int_eq(put_body(3000), WARP_OK);
}
END_TEST

static uint64_t ssd_bytes(void)
{
    struct warp_stat stat = WARP_STAT_INIT;
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_int_eq(warp_stat(db, &stat), WARP_OK);
    return stat.ssd_bytes;
}

/* The same values of two products: those past the threshold take less room. */
START_TEST(threshold_decides_what_is_compressed)
{
    enum { RECORDS = 3000, BYTES = 900 };
    uint64_t before = ssd_bytes();
    memset(text, 'x', BYTES);
    for (uint64_t i = 0; i < RECORDS; i++) {
        struct bg_tight r = {.id = i, .body = body(BYTES)};
        ck_assert_int_eq(bg_tight_put(db, &r, BG_TIGHT_BODY), WARP_OK);
    }
    uint64_t tight = ssd_bytes() - before;
    before += tight;
    for (uint64_t i = 0; i < RECORDS; i++) {
        struct bg_loose r = {.id = i, .body = body(BYTES)};
        ck_assert_int_eq(bg_loose_put(db, &r, BG_LOOSE_BODY), WARP_OK);
    }
    uint64_t loose = ssd_bytes() - before;
    ck_assert_uint_gt(loose, RECORDS * BYTES);
    ck_assert_msg(tight < loose / 2, "%llu bytes past the threshold, %llu "
                                     "below it",
                  (unsigned long long)tight, (unsigned long long)loose);
}
END_TEST

START_TEST(write_buffer_starts_a_checkpoint)
{
    struct warp_stat stat = WARP_STAT_INIT;
    for (uint64_t i = 0; i < 150; i++)
        ck_assert_int_eq(put_pinned(i, 10), WARP_OK);
    for (int i = 0; i < 3000 && stat.checkpoints == 0; i++) {
        usleep(20000);
        ck_assert_int_eq(warp_stat(db, &stat), WARP_OK);
    }
    ck_assert_uint_gt(stat.checkpoints, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_budget");
    TCase *tests = tcase_create("budget");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, pool_is_hard);
    tcase_add_test(tests, pool_is_hard_from_the_open_on);
    tcase_add_test(tests, option_wins_over_defpool);
    tcase_add_test(tests, max_memory_of_a_product);
    tcase_add_test(tests, instance_is_limited);
    tcase_add_test(tests, five_times_the_memory);
    tcase_add_test(tests, room_of_a_step_is_enough);
    tcase_add_test(tests, gpu_pool_does_not_limit_records);
    tcase_add_test(tests, threshold_decides_what_is_compressed);
    tcase_add_test(tests, write_buffer_starts_a_checkpoint);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
