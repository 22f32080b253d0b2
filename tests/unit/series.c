/* Series: elements in memory and on all tiers against a plain array, over
 * checkpoints that succeed and fail, deletes, crashes with a replay, and
 * threads. */
#include "series_scene.h"

START_TEST(elements_come_in_the_order_of_time)
{
    add(0, 0, 50);
    add(0, 0, -7);
    add(0, 0, 50);
    add(0, 0, 9);
    add(1, 0, 8);
    check_all(0);
    check_range(0, 0, 9, 50, 0);
    check_range(0, 0, 9, 51, 0);
    check_range(0, 0, 50, 50, 0);
    flush_end(flush_begin(), true);
    add(0, 0, 20);
    add(0, 0, 50);
    check_all(0);
    check_range(0, 0, -7, 21, 0);
}
END_TEST

START_TEST(a_replay_adds_nothing)
{
    for (uint32_t i = 0; i < 50; i++)
        add(below(RECORDS), below(FIELDS), below(10));
    for (uint32_t i = 0; i < count; i += 2)
        append(&all[i]);
    flush_end(flush_begin(), true);
    for (uint32_t i = 0; i < count; i += 3)
        append(&all[i]);
    check_all(0);
    struct ssd_txn *txn = flush_begin();
    for (uint32_t i = 0; i < count; i += 3)
        append(&all[i]);
    check_all(0);
    flush_end(txn, true);
    check_all(0);
    flush_end(flush_begin(), true);
    ck_assert_uint_eq(elements(), count);
}
END_TEST

START_TEST(a_delete_hides_at_once)
{
    for (uint32_t i = 0; i < 60; i++)
        add(i % 2, i % FIELDS, i);
    flush_end(flush_begin(), true);
    struct ssd_txn *txn;
    add(0, 0, 70);
    txn = flush_begin(); /* 70 is on its way when its record goes */
    add(0, 0, 71);
    drop(0);
    check_all(0);
    add(0, 0, 30);
    add(0, 0, 5);
    check_all(0);
    flush_end(txn, false);
    check_all(0);
    txn = flush_begin();
    check_all(0);
    flush_end(txn, true);
    check_all(0);
    ck_assert_uint_eq(elements(), 30 + 2);
}
END_TEST

/* The delete is replayed when the table has elements that are newer. */
START_TEST(a_delete_spares_what_came_after_it)
{
    add(2, 0, 10);
    add(2, 0, 30);
    uint64_t floor = next_order++ << 16;
    struct key_ref key = key_of(2);
    add(2, 0, 20);
    all[0].gone = all[1].gone = true;
    flush_end(flush_begin(), true);
    ok(series_drop(series, &layout, &key, floor));
    check_all(0);
    flush_end(flush_begin(), true);
    check_all(0);
    ck_assert_uint_eq(elements(), 1);
}
END_TEST

static void random_changes(uint32_t most, int64_t now)
{
    static const int64_t ages[] = {200, MINUTE, HOUR, 2 * HOUR};
    for (uint32_t n = below(most); n > 0; n--)
        add(below(RECORDS), below(FIELDS),
            now - (int64_t)below((uint32_t)ages[below(4)]));
    if (below(12) == 0)
        drop(below(RECORDS));
}

static void check_some(int64_t now)
{
    int64_t from = now - (int64_t)below(2 * HOUR);
    check_range(below(RECORDS), below(FIELDS), from,
                from + (int64_t)below(HOUR), now);
    check_range(below(RECORDS), below(FIELDS), now - 300, INT64_MAX, now);
}

START_TEST(random_against_an_array)
{
    int64_t now = DAY;
    settles = true;
    for (uint32_t round = 0; round < 300; round++) {
        struct ssd_txn *txn = NULL;
        bool flush = below(3) == 0, commit = below(3) != 0;
        random_changes(12, now);
        if (flush)
            txn = flush_begin();
        random_changes(6, now);
        check_some(now);
        if (flush)
            flush_end(txn, commit);
        if (below(5) == 0)
            migrate(now);
        if (below(15) == 0)
            crash(now);
        check_some(now);
        if (below(4) == 0)
            now += (int64_t)below(10 * MINUTE);
    }
    check_all(now);
    flush_end(flush_begin(), true);
    check_all(now);
    now += 2 * DAY;
    flush_end(flush_begin(), true);
    migrate(now);
    check_all(now);
    ck_assert_uint_gt(stat_of(2, CHUNK_ARCHIVE).elements, 0);
    ck_assert_uint_eq(stat_of(2, CHUNK_DISK).elements, 0);
    ck_assert_uint_eq(stat_of(2, CHUNK_HERE).elements, 0);
    ck_assert_uint_eq(stat_of(1, CHUNK_HERE).elements, 0);
    crash(now);
    check_all(now);
}
END_TEST

START_TEST(retention_hides_to_the_millisecond)
{
    for (uint32_t f = 0; f < FIELDS; f++)
        for (int64_t at = 0; at < 5; at++)
            add(3, f, at);
    for (int64_t now = DAY - 2; now < DAY + 8; now++)
        check_all(now);
    flush_end(flush_begin(), true);
    for (int64_t now = DAY - 2; now < DAY + 8; now++)
        check_all(now);
    check_all(INT64_MAX);
}
END_TEST

START_TEST(a_reservation_is_all_or_nothing)
{
    struct series_room room;
    atomic_store(&budget.limit, 1000);
    ck_assert_int_eq(series_reserve(series, 8, 2000, &room), WARP_ELIMIT);
    ck_assert_uint_eq(atomic_load(&budget.used), 0);
    ok(series_reserve(series, 8, 100, &room));
    ck_assert_uint_gt(atomic_load(&budget.used), 100);
    series_unreserve(series, &room);
    ck_assert_uint_eq(atomic_load(&budget.used), 0);
    ok(series_reserve(series, 8, 4, &room));
    atomic_store(&budget.limit, 0);
    struct key_ref key = key_of(3);
    struct element *e = &all[count++];
    *e = (struct element){3, 0, 4, 1, 1, false};
    uint8_t bytes[4];
    payload(e, bytes);
    series_append(series, &layout, 0, &key, &room, 1, 1, bytes, 4);
    check_all(0);
    drop(3); /* a delete needs no room */
    check_all(0);
}
END_TEST

/* ---- threads ---- */

enum { STABLE = 200 };
static _Atomic bool stop;

static void *append_some(void *arg)
{
    uint32_t number = *(uint32_t *)arg;
    uint64_t s = 99 + number, order = UINT64_C(1) << 40;
    while (!atomic_load(&stop)) {
        /* Odd times come from here, even ones were there before. */
        order++;
        struct element e = {number, 0, 8,
                            (int64_t)(scratch_random(&s) % STABLE) * 2 + 1,
                            order % 8 + 1, false};
        append(&e);
        if (order % 500 == 0) {
            struct key_ref other = key_of(5);
            ok(series_drop(series, &layout, &other, order));
        }
    }
    return NULL;
}

static void *flush_some(void *arg)
{
    uint32_t n = 0;
    (void)arg;
    while (!atomic_load(&stop)) {
        struct ssd_txn *txn = flush_begin();
        bool more;
        flush_end(txn, ++n % 4 != 0);
        ok(series_migrate(series, 0, true, &more, NULL));
    }
    return NULL;
}

START_TEST(threads_see_each_element_once)
{
    struct os_thread threads[3];
    uint32_t numbers[2] = {0, 1};
    atomic_store(&stop, false);
    for (uint32_t i = 0; i < STABLE; i++)
        add(0, 0, i * 2);
    for (uint32_t i = 0; i < 2; i++)
        ok(os_thread_start(&threads[i], append_some, &numbers[i], "append"));
    ok(os_thread_start(&threads[2], flush_some, NULL, "flush"));
    struct key_ref key = key_of(0);
    for (int64_t end = os_mono_ns() + 1500000000; os_mono_ns() < end;) {
        struct series_iter *it;
        const uint8_t *data;
        uint32_t bytes, stable = 0;
        int64_t last = -1, at;
        int rc;
        ok(series_range(series, &layout, 0, &key, 0, INT64_MAX, 0, false,
                        &it));
        while ((rc = series_next(it, &at, &data, &bytes)) == 0) {
            ck_assert_int_ge(at, last);
            ck_assert(at % 2 == 1 || at == (int64_t)stable * 2);
            stable += at % 2 == 0;
            last = at;
        }
        ck_assert_int_eq(rc, WARP_END);
        ck_assert_uint_eq(stable, STABLE);
        series_iter_close(&it);
    }
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < 3; i++)
        os_thread_join(&threads[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("series");
    TCase *tc = tcase_create("series");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 100);
    tcase_add_test(tc, elements_come_in_the_order_of_time);
    tcase_add_test(tc, a_replay_adds_nothing);
    tcase_add_test(tc, a_delete_hides_at_once);
    tcase_add_test(tc, a_delete_spares_what_came_after_it);
    tcase_add_test(tc, random_against_an_array);
    tcase_add_test(tc, retention_hides_to_the_millisecond);
    tcase_add_test(tc, a_reservation_is_all_or_nothing);
    tcase_add_test(tc, threads_see_each_element_once);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
