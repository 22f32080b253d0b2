/* store_gravity_death.c: what is left of records that move when the process
 * dies in the middle of it, or of a checkpoint later. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "tool.h"

#include "gravity_scene.h"

static _Atomic int appends; /* so many are still made; -1: all */

int __real_log_append(struct log *log, uint32_t shard, uint64_t batch_id,
                      uint32_t parts, const void *body, size_t bytes,
                      bool urgent, uint64_t *seq, uint64_t *position);
int __wrap_log_append(struct log *log, uint32_t shard, uint64_t batch_id,
                      uint32_t parts, const void *body, size_t bytes,
                      bool urgent, uint64_t *seq, uint64_t *position);
int __wrap_log_append(struct log *log, uint32_t shard, uint64_t batch_id,
                      uint32_t parts, const void *body, size_t bytes,
                      bool urgent, uint64_t *seq, uint64_t *position)
{
    if (appends == 0)
        kill(getpid(), SIGKILL);
    appends -= appends > 0;
    return __real_log_append(log, shard, batch_id, parts, body, bytes, urgent,
                             seq, position);
}

/* A child moves the record and dies before append number `left`, or after all
 * of them where there is none such. */
static void die_moving(uint64_t id, uint32_t to, int left)
{
    int status;
    close_it();
    pid_t pid = fork();
    if (pid == 0) {
        open_it();
        hold_still();
        appends = left;
        if (move_to(STAR, id, to) != WARP_OK)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    open_it();
    hold_still();
}

static void expect_one(uint64_t id, uint32_t shard, uint64_t version)
{
    struct gr_star s;
    uint64_t now;
    ck_assert_uint_eq(shard_of(STAR, id), shard);
    ck_assert_uint_eq(stat_now().records_away, shard != home_of(STAR, id));
    ck_assert_int_eq(gr_star_get(db, id, GR_STAR_GOLD, &s, NULL), WARP_OK);
    ck_assert_int_eq(s.gold, (int64_t)id);
    ck_assert_int_eq(gr_star_version(db, id, &now), WARP_OK);
    ck_assert_uint_eq(now, version);
    expect_stars(0);
}

START_TEST(it_is_moved_or_it_is_not)
{
    enum { ID = 17 };
    uint64_t version;
    hold_still();
    put_stars();
    ck_assert_int_eq(gr_star_version(db, ID, &version), WARP_OK);
    uint32_t home = home_of(STAR, ID), away = (home + 5) % 12;
    for (int saved = 0; saved < 2; saved++) {
        for (int left = 0; left < 4; left++) {
            die_moving(ID, away, left);
            expect_one(ID, left < 2 ? home : away, version);
            if (saved)
                ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
            if (left < 2)
                continue;
            die_moving(ID, home, left - 2);
            expect_one(ID, away, version);
            die_moving(ID, home, left);
            expect_one(ID, home, version);
            if (saved)
                ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
        }
        reopen();
        expect_one(ID, home, version);
    }
    close_it();
    must_be_sound();
    open_it();
}
END_TEST

/* Of a record that moved and then expired, the first step of a checkpoint has
 * made that known to the tiers; there is no second, and the log tells of the
 * move. */
static int steps = -1; /* so many are still made; -1: all */

int __real_secondary_flush(struct secondary *secondary, struct ssd_txn *txn);
int __wrap_secondary_flush(struct secondary *secondary, struct ssd_txn *txn);
int __wrap_secondary_flush(struct secondary *secondary, struct ssd_txn *txn)
{
    if (steps == 0)
        kill(getpid(), SIGKILL);
    steps -= steps > 0;
    return __real_secondary_flush(secondary, txn);
}

static void move_expire_and_die(void)
{
    enum { EMBERS = 20 };
    hold_still();
    for (int round = 0; round < 2; round++) {
        for (uint64_t id = 0; id < EMBERS; id++) {
            /* To another shard, and of every third back home. */
            uint32_t to = home_of(EMBER, id) + (round == 0 ? 5 : 0);
            if (round == 0 || id % 3 == 0)
                ck_assert_int_eq(move_to(EMBER, id, to % 12), WARP_OK);
        }
    }
    clock_ms += HOUR + 1;
    (void)sweep_run(db, true);
    for (uint64_t id = 0; id < 60000; id++) {
        struct gr_stone s = {.id = id, .gold = 1};
        ck_assert_int_eq(gr_stone_put(db, &s, GR_STONE_ALL), WARP_OK);
    }
    steps = 1;
    ck_assert_int_ne(warp_checkpoint(db), WARP_OK);
    _exit(1);
}

START_TEST(who_moved_and_expired_stays_away)
{
    int status;
    hold_still();
    for (uint64_t id = 0; id < 20; id++) {
        struct gr_ember e = {.id = id, .shard = home_of(EMBER, id)};
        fill(id, 1);
        e.body = (struct warp_str){text, body_bytes(id)};
        ck_assert_int_eq(gr_ember_put(db, &e, GR_EMBER_ALL), WARP_OK);
    }
    close_it();
    pid_t pid = fork();
    if (pid == 0) {
        open_it();
        move_expire_and_die();
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    clock_ms += HOUR + 1;
    must_be_sound();
    open_it();
    hold_still();
    for (uint64_t id = 0; id < 20; id++) {
        struct gr_ember e;
        ck_assert_int_eq(gr_ember_get(db, id, GR_EMBER_ALL, &e, &arena),
                         WARP_ENOTFOUND);
        e = (struct gr_ember){.id = id, .shard = (uint32_t)(id % 12)};
        ck_assert_int_eq(gr_ember_put(db, &e, GR_EMBER_SHARD), WARP_OK);
    }
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_uint_eq(stat_now().records, 60000 + 20);
}
END_TEST

/* Written before, in between and after, and never checkpointed. */
static void move_to_and_fro(void)
{
    for (uint64_t id = 0; id < 60; id++) {
        uint32_t home = home_of(STAR, id);
        ck_assert_int_eq(gr_star_add_gold(db, id, 1000, NULL), WARP_OK);
        ck_assert_int_eq(move_to(STAR, id, (home + 5) % 12), WARP_OK);
        ck_assert_int_eq(gr_star_add_gold(db, id, 1000, NULL), WARP_OK);
        if (id % 2 == 0)
            continue;
        ck_assert_int_eq(move_to(STAR, id, home), WARP_OK);
        ck_assert_int_eq(gr_star_add_gold(db, id, 1000, NULL), WARP_OK);
    }
}

START_TEST(a_repaired_store_has_the_last_of_each)
{
    char to[sizeof move_dir], from[sizeof move_dir], command[100];
    int status;
    hold_still();
    put_stars();
    close_it();
    pid_t pid = fork();
    if (pid == 0) {
        open_it();
        hold_still();
        move_to_and_fro();
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    strcpy(from, move_dir);
    snprintf(to, sizeof to, "%.40s.fixed", move_dir);
    struct tool tool = {.args = {from, to}, .arg_count = 2, .json = true};
    ck_assert_int_eq(tool_repair(&tool), TOOL_CLEAN);
    strcpy(move_dir, to);
    open_it();
    expect_stars(60 * 2000 + 30 * 1000);
    close_it();
    strcpy(move_dir, from);
    open_it();
    expect_stars(60 * 2000 + 30 * 1000);
    snprintf(command, sizeof command, "rm -rf %s", to);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_gravity_death");
    TCase *tcase = tcase_create("death");
    appends = -1;
    tcase_add_checked_fixture(tcase, gravity_begin, gravity_end);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, it_is_moved_or_it_is_not);
    tcase_add_test(tcase, who_moved_and_expired_stays_away);
    tcase_add_test(tcase, a_repaired_store_has_the_last_of_each);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
