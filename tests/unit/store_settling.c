/* store_settling.c: elements that come while a checkpoint runs: the tiers have
 * them, and a replay brings them again. They are told from each other as long
 * as that is so. */
#include "checkpoint.h"
#include "move_scene.h"

#include "settling.warp.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROBES = 40, LONG = 440 };

static struct warp_arena arena = WARP_ARENA_INIT;
static bool appends; /* with the next checkpoint */

/* Every third is old enough for the archive, the others for the disk; behind
 * them one that is young, in every second. */
static int64_t age_of(uint64_t id, uint64_t n)
{
    return n == 2 ? 0 : id % 3 == 0 ? 2 * (int64_t)DAY : 2 * (int64_t)HOUR;
}

/* Zeros are two bytes in a key of the directory, if there is room. */
static struct warp_str name_of(uint64_t id)
{
    static char name[LONG];
    uint32_t bytes = id % 4 == 0 ? LONG : 3 + (uint32_t)id % 4;
    memset(name, id % 8 == 0 ? 0 : 'n', bytes);
    name[id % 3] = (char)id;
    name[bytes - 1] = id % 5 == 0 ? 0 : 1;
    return (struct warp_str){name, bytes};
}

static void append_some(uint64_t n)
{
    for (uint64_t id = 0; id < PROBES; id++) {
        int64_t at = atomic_load(&clock_ms) - age_of(id, n) + (int64_t)n;
        if (n == 2 && id % 2 == 0)
            continue;
        ck_assert_int_eq(st_probe_readings_append(db, id, at, 10 * id + n),
                         WARP_OK);
        ck_assert_int_eq(
            st_named_readings_append(db, name_of(id), at, 10 * id + n),
            WARP_OK);
    }
}

int __real_secondary_flush(struct secondary *secondary, struct ssd_txn *txn);
int __wrap_secondary_flush(struct secondary *secondary, struct ssd_txn *txn);
int __wrap_secondary_flush(struct secondary *secondary, struct ssd_txn *txn)
{
    if (appends) {
        appends = false;
        append_some(1);
        append_some(2);
    }
    return __real_secondary_flush(secondary, txn);
}

static void migrate_all(void)
{
    bool more = true;
    while (more)
        ck_assert_int_eq(checkpoint_migrate(db, false, &more), WARP_OK);
}

static void expect(struct warp_iter *it, uint64_t id, bool named)
{
    for (uint64_t n = 0; n < 3; n++) {
        uint64_t value;
        int64_t at;
        if (n == 2 && id % 2 == 0)
            continue;
        ck_assert_int_eq(named ? st_named_readings_next(it, &at, &value, &arena)
                               : st_probe_readings_next(it, &at, &value,
                                                        &arena),
                         WARP_OK);
        ck_assert_uint_eq(value, 10 * id + n);
    }
    uint64_t value;
    int64_t at;
    ck_assert_int_eq(named ? st_named_readings_next(it, &at, &value, &arena)
                           : st_probe_readings_next(it, &at, &value, &arena),
                     WARP_END);
    warp_iter_close(&it);
}

static void expect_all(void)
{
    struct warp_iter *it = NULL;
    for (uint64_t id = 0; id < PROBES; id++) {
        ck_assert_int_eq(st_probe_readings_range_with(db, id, INT64_MIN,
                                                      INT64_MAX, WARP_ARCHIVE,
                                                      &it),
                         WARP_OK);
        expect(it, id, false);
        ck_assert_int_eq(st_named_readings_range_with(db, name_of(id),
                                                      INT64_MIN, INT64_MAX,
                                                      WARP_ARCHIVE, &it),
                         WARP_OK);
        expect(it, id, true);
    }
    warp_arena_reset(&arena);
}

START_TEST(none_comes_twice)
{
    int status;
    close_it();
    pid_t pid = fork();
    if (pid == 0) {
        open_it();
        append_some(0);
        ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
        appends = true;
        ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
        ck_assert(!appends);
        migrate_all();
        expect_all();
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    open_it();
    expect_all();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
        migrate_all();
        expect_all();
    }
    /* Settled, they moved. */
    struct warp_stat stat = WARP_STAT_INIT;
    ck_assert_int_eq(warp_stat(db, &stat), WARP_OK);
    ck_assert_uint_gt(disk_live(), 0);
    close_it();
    must_be_sound();
    open_it();
    expect_all();
}
END_TEST

static void set_up(void)
{
    move_begin(&settling_warp_schema);
}

static void tear_down(void)
{
    warp_arena_free(&arena);
    move_end();
}

int main(void)
{
    Suite *suite = suite_create("store_settling");
    TCase *tcase = tcase_create("settling");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, none_comes_twice);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
