/* Values that the engine places move by how often they are used: out of memory,
 * then from ssd to disk, and back when they are written; whatever is killed in
 * between, each has one owner and its value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "instrumented.h"
#include "migrate.h"
#include "move_scene.h"

#include "migrate.warp.h"

enum { BODY = 2 };

static void set_up(void)
{
    move_begin(&migrate_warp_schema);
}

/* ---- records ---- */

static void put_paper(uint64_t id, uint64_t version)
{
    struct mv_paper p = {.id = id, .n = version};
    fill(id, version);
    p.body = (struct warp_str){text, body_bytes(id)};
    p.note = (struct warp_str){text, 30};
    int rc = mv_paper_put(db, &p, MV_PAPER_ALL);
    ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(db));
}

/* The version that a record has; its values must be of it. */
static uint64_t get_paper(uint64_t id, struct warp_arena *arena)
{
    struct mv_paper p;
    warp_arena_reset(arena);
    int rc = mv_paper_get(db, id, MV_PAPER_ALL, &p, arena);
    ck_assert_msg(rc == WARP_OK, "get %u: %d: %s", (unsigned)id, rc,
                  warp_errmsg(db));
    fill(id, p.n);
    ck_assert_uint_eq(p.have, MV_PAPER_ALL);
    ck_assert_uint_eq(p.body.len, body_bytes(id));
    ck_assert_mem_eq(p.body.data, text, p.body.len);
    ck_assert_uint_eq(p.note.len, 30);
    ck_assert_mem_eq(p.note.data, text, 30);
    return p.n;
}

static void get_all(uint64_t count, uint64_t version)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    for (uint64_t id = 0; id < count; id++)
        ck_assert_uint_eq(get_paper(id, &arena), version);
    warp_arena_free(&arena);
}

static bool in_memory(uint64_t id)
{
    struct mv_paper p;
    struct warp_arena arena = WARP_ARENA_INIT;
    int rc = mv_paper_get(db, id, MV_PAPER_BODY | WARP_RESIDENT, &p, &arena);
    ck_assert_int_eq(rc, WARP_OK);
    warp_arena_free(&arena);
    return p.have != 0;
}

/* ---- tests ---- */

enum { RECORDS = 900 };

START_TEST(unused_values_leave_memory_then_ssd)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct text t = TEXT_INIT;
    for (uint64_t id = 0; id < RECORDS; id++)
        put_paper(id, 1);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    for (int n = 0; n < 3; n++)
        for (uint64_t id = 0; id < 10; id++)
            get_paper(id, &arena);
    atomic_fetch_add(&clock_ms, HOUR);
    run_steps();
    ck_assert(in_memory(3));
    ck_assert(!in_memory(500));
    ck_assert_uint_eq(disk_live(), 0);
    explain(500, BODY, &t);
    ck_assert_msg(strstr(t.data, "\"where\":[\"ssd\"]") &&
                      strstr(t.data, "\"last_move\":{\"to\":\"ssd\"") &&
                      strstr(t.data, "\"next_move\":{\"to\":\"disk\""),
                  "%s", t.data);
    /* A day in which some are used, then one in which these are not. */
    atomic_fetch_add(&clock_ms, DAY);
    run_steps(); /* all were written in it */
    ck_assert_uint_eq(disk_live(), 0);
    for (uint64_t id = 0; id < 10; id++)
        get_paper(id, &arena);
    atomic_fetch_add(&clock_ms, DAY);
    run_steps();
    ck_assert_uint_gt(disk_live(), (RECORDS - 200) * 100);
    explain(500, BODY, &t);
    ck_assert_msg(strstr(t.data, "\"where\":[\"disk\"") &&
                      strstr(t.data, "\"last_move\":{\"to\":\"disk\""),
                  "%s", t.data);
    explain(3, BODY, &t);
    ck_assert_msg(strstr(t.data, "\"disk\",{") == NULL, "%s", t.data);
    get_all(RECORDS, 1);
    close_it();
    must_be_sound();
    open_it();
    get_all(RECORDS, 1);
    /* What is written is on ssd again, and its place is free. */
    uint64_t before = disk_live();
    for (uint64_t id = 0; id < RECORDS; id += 2)
        put_paper(id, 2);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_uint_lt(disk_live(), before / 10 * 6);
    for (uint64_t id = 0; id < RECORDS; id++)
        ck_assert_uint_eq(get_paper(id, &arena), id % 2 ? 1 : 2);
    for (uint64_t id = 0; id < RECORDS; id++)
        ck_assert_int_eq(mv_paper_delete(db, id), WARP_OK);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_uint_eq(disk_live(), 0);
    uint64_t stored;
    ck_assert_int_eq(ssd_count(db->ssd, SSD_COLD, &stored), 0);
    ck_assert_uint_eq(stored, 0);
    close_it();
    must_be_sound();
    warp_arena_free(&arena);
    text_free(&t);
}
END_TEST

static int tell(void *arg, const char *what, uint64_t done, uint64_t total)
{
    ck_assert_str_eq(what, "migrate");
    ck_assert_uint_le(done, total);
    ++*(uint32_t *)arg;
    return 0;
}

/* auto_migration: false leaves it to `warp migrate`. */
START_TEST(only_when_it_is_asked)
{
    uint32_t told = 0;
    struct migrate_moved moved;
    const struct progress progress = {tell, &told};
    for (uint64_t id = 0; id < 300; id++) {
        struct mv_stone s = {.id = id, .body = {text, 500}};
        ck_assert_int_eq(mv_stone_put(db, &s, MV_STONE_BODY), WARP_OK);
    }
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    for (int n = 0; n < 3; n++) {
        atomic_fetch_add(&clock_ms, 2 * DAY);
        run_steps();
    }
    ck_assert_uint_eq(disk_live(), 0);
    ck_assert_int_eq(migrate_all(db, NULL, &moved), WARP_OK);
    ck_assert_uint_eq(moved.to_disk, 0); /* they were written in this window */
    ck_assert_int_eq(migrate_all(db, &progress, &moved), WARP_OK);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_uint_gt(told, 0);
    ck_assert_uint_gt(disk_live(), 290 * 500);
}
END_TEST

/* Killed at any moment of moves in both directions. */
static void move_all(uint64_t n)
{
    struct migrate_moved moved;
    atomic_fetch_add(&clock_ms, DAY);
    (void)migrate_all(db, NULL, &moved);
    for (uint64_t id = n % 3; id < RECORDS; id += 3)
        put_paper(id, 1);
}

static void all_are_the_first(void)
{
    get_all(RECORDS, 1);
}

START_TEST(killed_while_values_move)
{
    for (uint64_t id = 0; id < RECORDS; id++)
        put_paper(id, 1);
    killed_again_and_again(12, 4711, move_all, all_are_the_first);
}
END_TEST

/* ---- the price ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

enum { TIMED = 100000, PACE_US = 10 };

static double us(const struct timespec *a, const struct timespec *b)
{
    return (double)(b->tv_sec - a->tv_sec) * 1e6 +
           (double)(b->tv_nsec - a->tv_nsec) / 1e3;
}

/* Of a writer that puts at a steady rate and never sleeps, until `done` says it
 * is enough: no ring runs full, no cache grows cold. */
static double p99_of_puts(uint64_t from, bool (*done)(void))
{
    static double took[TIMED];
    struct timespec a, b;
    uint32_t count = 0;
    struct mv_paper p = {.id = 0};
    fill(from, from);
    while (count < TIMED && (count % 1000 != 0 || !done())) {
        p.id = from + count % 500;
        p.n = from;
        p.body = (struct warp_str){text, body_bytes(p.id)};
        p.note = (struct warp_str){text, 30};
        clock_gettime(CLOCK_MONOTONIC, &a);
        int rc = mv_paper_put(db, &p, MV_PAPER_ALL);
        clock_gettime(CLOCK_MONOTONIC, &b);
        ck_assert_int_eq(rc, WARP_OK);
        took[count++] = us(&a, &b);
        while (us(&a, &b) < PACE_US)
            clock_gettime(CLOCK_MONOTONIC, &b);
    }
    qsort(took, count, sizeof took[0], by_value);
    return took[count / 100 * 99];
}

static bool never(void)
{
    return false;
}

static bool most_are_moved(void)
{
    return disk_live() > 20000ull * 700;
}

/* Not a benchmark: a machine under load is slow anywhere, and so is a program
 * that is instrumented. It fails when moves hold writers up. */
enum { NOISE_US = INSTRUMENTED ? 20000 : 1000 };

START_TEST(writers_go_on)
{
    uint64_t before = 0;
    for (uint64_t id = 0; id < 20000; id++)
        put_paper(id, 1);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    atomic_fetch_add(&clock_ms, 2 * DAY); /* all written in that window */
    while (before++ < 400)
        usleep(5000);
    double quiet = p99_of_puts(100000, never);
    ck_assert_uint_eq(disk_live(), 0);
    atomic_fetch_add(&clock_ms, 2 * DAY); /* and now the keeper moves them */
    for (int n = 0; n < 12000 && disk_live() == 0; n++)
        usleep(5000);
    before = disk_live();
    ck_assert_uint_gt(before, 0);
    double moving = p99_of_puts(200000, most_are_moved);
    ck_assert_uint_gt(disk_live(), before);
    printf("p99 of a put: %.1f us, while values move %.1f us\n", quiet,
           moving);
    ck_assert_msg(moving <= 2 * quiet + NOISE_US,
                  "p99 of a put: %.1f us, while values move %.1f us", quiet,
                  moving);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_migrate");
    TCase *tests = tcase_create("migrate");
    tcase_add_checked_fixture(tests, set_up, move_end);
    tcase_set_timeout(tests, 200);
    tcase_add_test(tests, unused_values_leave_memory_then_ssd);
    tcase_add_test(tests, only_when_it_is_asked);
    tcase_add_test(tests, killed_while_values_move);
    tcase_add_test(tests, writers_go_on);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
