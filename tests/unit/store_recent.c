/* The memory range of series where it is larger than its share of the budget:
 * what is read stays in memory, and comes back when it was let go. */
#include "checkpoint.h"
#include "move_scene.h"
#include "series.h"

#include "recent.warp.h"

#include <pthread.h>

enum { PROBES = 2500, READINGS = 16, BYTES = 1000, HOT = 150, READERS = 2 };

static struct warp_arena arena = WARP_ARENA_INIT;

/* What LZ4 cannot make smaller. */
static struct warp_str noise(uint64_t seed)
{
    for (uint32_t i = 0; i < BYTES; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        text[i] = (char)(seed >> 56);
    }
    return (struct warp_str){text, BYTES};
}

/* The youngest hour of every probe, in all twice what may be in memory. */
static void set_up(void)
{
    move_begin(&recent_warp_schema);
    for (uint64_t id = 0; id < PROBES; id++)
        for (uint64_t n = 0; n < READINGS; n++)
            ck_assert_int_eq(rc_probe_readings_append(
                                 db, id, atomic_load(&clock_ms) - 1000 +
                                             (int64_t)n,
                                 noise(id * READINGS + n)),
                             WARP_OK);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
}

static void settle(void)
{
    bool more = true;
    while (more)
        ck_assert_int_eq(checkpoint_migrate(db, false, &more), WARP_OK);
}

static void read_one(uint64_t id)
{
    struct warp_iter *it = NULL;
    struct warp_str got;
    int64_t at;
    ck_assert_int_eq(rc_probe_readings_range(db, id,
                                             atomic_load(&clock_ms) - 2000,
                                             INT64_MAX, &it),
                     WARP_OK);
    for (uint64_t n = 0; n < READINGS; n++) {
        ck_assert_int_eq(rc_probe_readings_next(it, &at, &got, &arena),
                         WARP_OK);
        ck_assert_uint_eq(got.len, BYTES);
        ck_assert_mem_eq(got.data, noise(id * READINGS + n).data, BYTES);
    }
    ck_assert_int_eq(rc_probe_readings_next(it, &at, &got, &arena), WARP_END);
    warp_iter_close(&it);
    warp_arena_reset(&arena);
}

/* Reads of `count` probes from `first` on; of them those that read a tier. */
static uint64_t read_some(uint64_t first, uint64_t count)
{
    uint64_t before = series_tier_reads(db->series);
    for (uint64_t id = first; id < first + count; id++)
        read_one(id);
    return series_tier_reads(db->series) - before;
}

/* Those of the last probes came when the share was full. */
START_TEST(what_is_read_comes_in)
{
    uint64_t budget = db->memory_max;
    ck_assert_uint_le(series_resident_bytes(db->series), budget / 4);
    ck_assert_uint_gt(read_some(PROBES - HOT, HOT), HOT / 2);
    for (int round = 0; round < 8; round++) {
        (void)read_some(PROBES - HOT, HOT);
        settle();
    }
    ck_assert_uint_eq(read_some(PROBES - HOT, HOT), 0);
    ck_assert_uint_le(series_resident_bytes(db->series), budget / 4);
}
END_TEST

/* Reads of others, four times what there is room for, between theirs. */
START_TEST(what_is_read_often_stays)
{
    uint64_t missed = 0, other = HOT;
    for (int round = 0; round < 120; round++) {
        missed += read_some(0, HOT);
        for (int i = 0; i < 50; i++) {
            (void)read_some(other, 1);
            other = other + 1 < PROBES ? other + 1 : HOT;
        }
        settle();
    }
    ck_assert_uint_gt(read_some(HOT, PROBES - HOT), PROBES / 4);
    ck_assert_uint_lt(missed, 120 * HOT / 20);
}
END_TEST

/* The store needs the memory: what nobody reads goes. */
START_TEST(under_pressure_the_unread_go)
{
    for (int round = 0; round < 10; round++) {
        (void)read_some(0, HOT);
        settle();
    }
    /* The keeper may have made it smaller already: there is room for them. */
    uint64_t has = series_resident_bytes(db->series),
             hot = HOT * READINGS * BYTES * 3 / 2,
             stays = has / 2 > hot ? has / 2 : hot;
    if (has > stays)
        series_shrink(db->series, has - stays);
    ck_assert_uint_lt(read_some(0, HOT), HOT / 4);
    ck_assert_uint_gt(read_some(HOT, PROBES - HOT), PROBES / 2);
}
END_TEST

/* ---- while copies change ---- */

static _Atomic bool over;
static _Atomic uint64_t ranges, holes, appended;

/* One probe, over and over: no less than what was there. */
static void *read_whole(void *arg)
{
    struct warp_arena mine = WARP_ARENA_INIT;
    int64_t first = atomic_load(&clock_ms) - 1000, at;
    while (!atomic_load(&over)) {
        struct warp_iter *it = NULL;
        struct warp_str got;
        uint64_t count = 0, least = atomic_load(&appended);
        int rc = rc_probe_readings_range(db, 0, first, INT64_MAX, &it);
        while (rc == WARP_OK && (rc = rc_probe_readings_next(
                                     it, &at, &got, &mine)) == WARP_OK)
            count++;
        if (rc != WARP_END || count < least)
            atomic_fetch_add(&holes, 1);
        atomic_fetch_add(&ranges, 1);
        warp_iter_close(&it);
        warp_arena_reset(&mine);
    }
    warp_arena_free(&mine);
    return arg;
}

/* Copies that are made, that are made again of chunks which grow, split and
 * join, and that go: a read takes all of them, or the tiers. */
START_TEST(no_read_takes_a_part)
{
    pthread_t threads[READERS];
    atomic_store(&appended, READINGS);
    atomic_store(&over, false);
    for (int i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_whole, NULL),
                         0);
    for (uint64_t round = 0; round < 500; round++) {
        if (round < 400)
            series_shrink(db->series, UINT64_MAX);
        uint64_t until = atomic_load(&ranges) + READERS;
        while (atomic_load(&ranges) < until)
            os_yield();
        settle();
        if (round < 400)
            continue;
        for (uint64_t n = 0; n < READINGS; n++)
            ck_assert_int_eq(rc_probe_readings_append(
                                 db, 0, atomic_load(&clock_ms) - 1000 +
                                            (int64_t)n,
                                 noise(round * READINGS + n)),
                             WARP_OK);
        atomic_fetch_add(&appended, READINGS);
        ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    }
    atomic_store(&over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(atomic_load(&holes), 0);
}
END_TEST

/* Two chunks, of which the first finds no room and the second does. */
START_TEST(what_finds_no_room_is_not_passed_over)
{
    int64_t first = atomic_load(&clock_ms) - 1000;
    ck_assert_int_eq(rc_probe_readings_append(db, 0, first + 500,
                                              warp_str("small")),
                     WARP_OK);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    series_shrink(db->series, UINT64_MAX);
    series_fix_copies(db->series, READINGS * BYTES / 2);
    for (int i = 0; i < 5; i++) {
        struct warp_iter *it = NULL;
        struct warp_str got;
        uint32_t count = 0;
        ck_assert_int_eq(rc_probe_readings_range(db, 0, first, INT64_MAX, &it),
                         WARP_OK);
        while (rc_probe_readings_next(it, NULL, &got, &arena) == WARP_OK)
            count++;
        warp_iter_close(&it);
        ck_assert_uint_eq(count, READINGS + 1);
        settle();
    }
    /* The second alone is in memory, and is found there. */
    uint64_t before = series_tier_reads(db->series);
    struct warp_iter *it = NULL;
    ck_assert_int_eq(rc_probe_readings_range(db, 0, first + 400, INT64_MAX,
                                             &it),
                     WARP_OK);
    warp_iter_close(&it);
    ck_assert_uint_eq(series_tier_reads(db->series), before);
}
END_TEST

static void tear_down(void)
{
    close_it();
    must_be_sound();
    open_it();
    move_end();
    warp_arena_free(&arena);
}

int main(void)
{
    Suite *suite = suite_create("store_recent");
    TCase *c = tcase_create("copies");
    tcase_set_timeout(c, 120);
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, what_is_read_comes_in);
    tcase_add_test(c, what_is_read_often_stays);
    tcase_add_test(c, under_pressure_the_unread_go);
    tcase_add_test(c, no_read_takes_a_part);
    tcase_add_test(c, what_finds_no_room_is_not_passed_over);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
