/* Series: elements leave memory and their tiers by age, join those that are
 * there, and go at the end of their retention. */
#include "series_scene.h"

/* The memory range needs no tier, after an open neither. */
START_TEST(young_elements_are_in_memory)
{
    int64_t now = DAY;
    settles = true;
    for (int round = 0; round < 20; round++, now += MINUTE) {
        for (uint32_t r = 0; r < RECORDS; r++)
            for (int64_t at = now - MINUTE; at < now; at += 2000)
                add(r, 1, at);
        flush_end(flush_begin(), true);
        migrate(now);
        uint64_t before = series_tier_reads(series);
        for (uint32_t r = 0; r < RECORDS; r++)
            check_range(r, 1, now - 9 * MINUTE, INT64_MAX, now);
        ck_assert_uint_eq(series_tier_reads(series), before);
        check_range(2, 1, now - DAY / 2, now, now);
        if (round == 12) {
            crash(now);
            before = series_tier_reads(series);
            check_range(3, 1, now - 9 * MINUTE, INT64_MAX, now);
            ck_assert_uint_eq(series_tier_reads(series), before);
        }
    }
    /* Old ones leave it, and come from their tier. */
    uint64_t before = series_tier_reads(series);
    check_range(1, 1, now - 18 * MINUTE, now, now);
    ck_assert_uint_gt(series_tier_reads(series), before);
    ck_assert_uint_gt(series_resident_bytes(series), 0);
    now += HOUR;
    migrate(now);
    ck_assert_uint_eq(series_resident_bytes(series), 0);
    check_all(now);
    /* Without memory they are not made. */
    atomic_store(&budget.limit, 3000);
    add(1, 1, now);
    flush_end(flush_begin(), true);
    atomic_store(&budget.limit, UINT64_MAX);
    check_all(now);
}
END_TEST

/* Elements that came before make a chunk that is not in memory; a replay brings
 * some of them again, and nothing is written. */
START_TEST(a_replay_makes_no_hole_in_memory)
{
    for (int64_t at = 0; at < 10; at++)
        add(1, 1, at);
    flush_end(flush_begin(), true);
    migrate(HOUR); /* past the memory range */
    ck_assert_uint_eq(series_resident_bytes(series), 0);
    append(&all[3]);
    append(&all[7]);
    flush_end(flush_begin(), true);
    check_range(1, 1, 2, INT64_MAX, HOUR);
    check_all(HOUR);
    add(1, 1, 20);
    flush_end(flush_begin(), true);
    check_range(1, 1, 2, INT64_MAX, HOUR);
}
END_TEST

static void add_small(int64_t at)
{
    struct element *e = &all[count++];
    *e = (struct element){0, 0, 3, at, next_order++ << 16, false};
    append(e);
}

/* Few elements at a time make small chunks, which join the one before; not when
 * late elements go there in the same checkpoint. */
START_TEST(small_chunks_join)
{
    int64_t at = 0;
    settles = true;
    for (int round = 0; round < 60; round++) {
        for (int n = 0; n < 7; n++)
            add_small(at += 10);
        if (round % 4 != 0)
            add_small(at / 2);
        flush_end(flush_begin(), true);
        check_range(0, 0, 0, INT64_MAX, 0);
        ck_assert_uint_le(stat_of(0, CHUNK_HERE).chunks, 60);
    }
    for (int n = 0; n < 80; n++)
        add_small(at += 10);
    flush_end(flush_begin(), true);
    check_all(0);
    ck_assert_uint_lt(stat_of(0, CHUNK_HERE).chunks, 30);
}
END_TEST

/* Without a retention the product's strategy says when all is cold. */
START_TEST(a_strategy_archives)
{
    static struct warp_strategy strategy = {
        .name = "S", .auto_migration = -1, .cold_to_archive_age_ms = HOUR};
    settles = true;
    layout_strategy(&strategy);
    for (int64_t at = 0; at < 3 * HOUR; at += MINUTE)
        add(2, 0, at);
    flush_end(flush_begin(), true);
    strategy.auto_migration = 0;
    migrate(3 * HOUR);
    ck_assert_uint_eq(stat_of(0, CHUNK_ARCHIVE).elements, 0);
    strategy.auto_migration = -1;
    migrate(3 * HOUR);
    ck_assert_uint_gt(stat_of(0, CHUNK_ARCHIVE).elements, 100);
    ck_assert_uint_gt(stat_of(0, CHUNK_HERE).elements, 50);
    check_all(3 * HOUR);
    layout_strategy(NULL);
}
END_TEST

START_TEST(elements_move_by_age)
{
    struct series_iter *it;
    struct key_ref key = key_of(3);
    settles = true;
    for (int64_t at = 0; at < 3 * HOUR; at += 10000)
        add(3, 2, at);
    flush_end(flush_begin(), true);
    migrate(0);
    ck_assert_uint_eq(stat_of(2, CHUNK_HERE).elements, count);
    check_all(3 * HOUR);
    int64_t now = 3 * HOUR;
    migrate(now);
    check_all(now);
    /* Chunks move as a whole, late by 1/16 of the age at most. */
    ck_assert_uint_le(stat_of(2, CHUNK_HERE).elements, 8);
    ck_assert_uint_le(stat_of(2, CHUNK_DISK).elements, 360 + 30);
    ck_assert_uint_ge(stat_of(2, CHUNK_ARCHIVE).elements, 2 * 360 - 30);
    /* The archive is read with permission only. */
    ck_assert_int_eq(series_range(series, &layout, 2, &key, 0, INT64_MAX, now,
                                  false, &it),
                     WARP_EARCHIVE);
    ck_assert_ptr_null(it);
    ok(series_range(series, &layout, 2, &key, now - HOUR / 2, INT64_MAX, now,
                    false, &it));
    series_iter_close(&it);
    /* Late elements join them. */
    for (int64_t at = 5; at < HOUR; at += 70000)
        add(3, 2, at);
    add(3, 2, -5);
    add(3, 2, 0);
    check_all(now);
    flush_end(flush_begin(), true);
    check_all(now);
    migrate(now);
    check_all(now);
    now += 2 * HOUR;
    migrate(now);
    check_all(now);
    ck_assert_uint_eq(stat_of(2, CHUNK_ARCHIVE).elements, count);
    /* Segments of chunks that were put together are gone. */
    struct archive_stat stat;
    archive_stat(archive, &stat);
    ck_assert_uint_le(stat.file_bytes,
                      3 * stat_of(2, CHUNK_ARCHIVE).packed_bytes + 4096);
    drop(3);
    flush_end(flush_begin(), true);
    check_all(now);
    ck_assert_uint_eq(elements(), 0);
    archive_stat(archive, &stat);
    ck_assert_uint_eq(stat.segments, 0);
}
END_TEST

/* A chunk that cannot be read stays where it is; the others move on. */
START_TEST(damage_is_told_and_passed_over)
{
    char path[600];
    uint8_t byte;
    settles = true;
    for (uint32_t r = 0; r < 4; r++)
        for (int64_t at = 0; at < HOUR / 2; at += 1500)
            add(r, 2, at);
    flush_end(flush_begin(), true);
    migrate(HOUR / 2 + 2 * MINUTE);
    uint64_t before = stat_of(2, CHUNK_DISK).elements;
    ck_assert_uint_gt(before, 300);
    close_all();
    snprintf(path, sizeof path, "%s/disk/00000001.wseg", scene_dir());
    int fd = os_open(path, OS_READ | OS_WRITE);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(os_pread(fd, &byte, 1, 5000), 1);
    byte ^= 4;
    ck_assert_int_eq(os_pwrite(fd, &byte, 1, 5000), 0);
    os_close(fd);
    open_all();
    told = 0;
    migrate(3 * HOUR);
    ck_assert_uint_gt(told, 0);
    ck_assert_uint_gt(stat_of(2, CHUNK_DISK).elements, 0);
    ck_assert_uint_gt(stat_of(2, CHUNK_ARCHIVE).elements, 0);
    ck_assert_uint_eq(stat_of(2, CHUNK_ARCHIVE).elements +
                          stat_of(2, CHUNK_DISK).elements +
                          stat_of(2, CHUNK_HERE).elements,
                      count);
    for (uint32_t r = 0; r < 4; r++)
        drop(r);
    flush_end(flush_begin(), true); /* a delete needs no read */
    check_all(3 * HOUR);
}
END_TEST

/* More elements of one time than a chunk or a step holds. */
START_TEST(many_of_one_time)
{
    settles = true;
    for (uint32_t i = 0; i < 5000; i++) {
        add(2, 2, i % 50 == 0 ? 99 : 100);
        if (i % 1500 == 0)
            flush_end(flush_begin(), true);
    }
    check_all(0);
    flush_end(flush_begin(), true);
    check_all(0);
    for (uint32_t i = 0; i < 900; i++) { /* more bytes than a step reads */
        struct element *e = &all[count++];
        *e = (struct element){2, 2, 400, 100, next_order++ << 16, false};
        append(e);
    }
    check_all(0);
    flush_end(flush_begin(), true);
    flush_end(flush_begin(), true);
    check_all(0);
    migrate(HOUR / 2);
    check_all(HOUR / 2);
    add(2, 2, 100);
    flush_end(flush_begin(), true);
    check_all(HOUR / 2);
    migrate(DAY);
    check_all(DAY);
}
END_TEST

static uint32_t kept(int64_t now)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        n += !all[i].gone && (all[i].field != 1 || now - all[i].at < DAY);
    return n;
}

START_TEST(what_expired_leaves_the_table)
{
    bool more;
    for (uint32_t i = 0; i < 3000; i++)
        add(below(RECORDS), below(FIELDS), (int64_t)below(10000));
    flush_end(flush_begin(), true);
    ck_assert_uint_eq(elements(), 3000);
    int64_t now = DAY + 15000;
    check_all(now);
    ok(series_migrate(series, 0, false, &more, NULL)); /* what is due when */
    /* Past the end by less than a walk is worth: hidden, still there. */
    ok(series_migrate(series, now, false, &more, NULL));
    ck_assert_uint_gt(stat_of(1, CHUNK_HERE).elements, 0);
    now = DAY + 2 * HOUR;
    do
        ok(series_migrate(series, now, false, &more, NULL));
    while (more);
    check_all(now);
    ck_assert_uint_eq(elements(), kept(now));
    /* A late element is found again. */
    add(0, 1, 7);
    flush_end(flush_begin(), true);
    ck_assert_uint_eq(elements(), kept(now) + 1);
    do
        ok(series_migrate(series, now, false, &more, NULL));
    while (more);
    ck_assert_uint_eq(elements(), kept(now));
    close_all();
    open_all();
    check_all(now);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("series_tiers");
    TCase *tc = tcase_create("series_tiers");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 100);
    tcase_add_test(tc, young_elements_are_in_memory);
    tcase_add_test(tc, a_replay_makes_no_hole_in_memory);
    tcase_add_test(tc, small_chunks_join);
    tcase_add_test(tc, a_strategy_archives);
    tcase_add_test(tc, elements_move_by_age);
    tcase_add_test(tc, damage_is_told_and_passed_over);
    tcase_add_test(tc, many_of_one_time);
    tcase_add_test(tc, what_expired_leaves_the_table);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
