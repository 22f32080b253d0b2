/* store_gravity_backup.c: a backup while records move. */
#include "backup.h"
#include "tool.h"

#include "gravity_scene.h"

#include <stdio.h>

enum { EMBERS = 40 };

static char target[80];

static void put_embers(uint64_t round)
{
    for (uint64_t id = 0; id < EMBERS; id++) {
        struct gr_ember e = {.id = id, .shard = home_of(EMBER, id)};
        fill(id, round);
        e.body = (struct warp_str){text, body_bytes(id)};
        ck_assert_int_eq(gr_ember_put(db, &e, GR_EMBER_ALL), WARP_OK);
    }
}

static void expect_embers(uint64_t round)
{
    for (uint64_t id = 0; id < EMBERS; id++) {
        struct gr_ember e;
        ck_assert_int_eq(gr_ember_get(db, id, GR_EMBER_ALL, &e, &arena),
                         WARP_OK);
        fill(id, round);
        ck_assert_uint_eq(e.body.len, body_bytes(id));
        ck_assert_int_eq(memcmp(e.body.data, text, e.body.len), 0);
        warp_arena_reset(&arena);
    }
}

/* As soon as something is copied: a checkpoint lets the records move, with
 * values that it has given to the tiers. */
static int move_all(void *arg, const char *what, uint64_t done, uint64_t total)
{
    (void)what, (void)done, (void)total;
    if ((*(int *)arg)++ > 0)
        return 0;
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    for (uint64_t id = 0; id < EMBERS; id++)
        ck_assert_int_eq(
            move_to(EMBER, id, (home_of(EMBER, id) + 5) % 12), WARP_OK);
    return 0;
}

static int64_t read_clock(void *arg)
{
    (void)arg;
    return atomic_load(&clock_ms);
}

static void back_up_and_look(uint64_t round)
{
    struct text reply = TEXT_INIT;
    int calls = 0;
    struct progress progress = {move_all, &calls};
    ck_assert_int_eq(backup_run(db, target, 1, &progress, &reply), WARP_OK);
    ck_assert_int_gt(calls, 1);
    expect_embers(round);
    text_free(&reply);
    struct warp_db *live = db;
    struct warp_options o = WARP_OPTIONS_INIT;
    o.read_only = true;
    o.clock_ms = read_clock; /* embers do not last long */
    int rc = warp_open(target, &gravity_warp_schema, &o, &db);
    ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(NULL));
    expect_embers(round);
    close_it();
    db = live;
}

static void tear_down(void)
{
    (void)backup_remove(target);
    gravity_end();
}

static void set_up(void)
{
    gravity_begin();
    hold_still();
    snprintf(target, sizeof target, "%s-backup", move_dir);
}

/* They are in the log alone when the backup begins. */
START_TEST(who_is_new_and_moves_is_there)
{
    put_embers(1);
    back_up_and_look(1);
}
END_TEST

/* The tiers have older values then. */
START_TEST(who_changed_and_moves_has_the_new_value)
{
    put_embers(1);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    put_embers(2);
    back_up_and_look(2);
}
END_TEST

/* By the tiers of the first backup and the log of the second: between the two a
 * checkpoint let them move, with values that those tiers do not have. */
START_TEST(a_time_between_two_backups)
{
    struct text reply = TEXT_INIT;
    struct progress quiet = {0};
    char restored[96], to[24], was[sizeof move_dir];
    uint64_t mark;
    put_embers(1);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_int_eq(backup_run(db, target, 3, &quiet, &reply), WARP_OK);
    put_embers(2);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    for (uint64_t id = 0; id < EMBERS; id++)
        ck_assert_int_eq(
            move_to(EMBER, id, (home_of(EMBER, id) + 5) % 12), WARP_OK);
    ck_assert_int_eq(log_mark(db->log, &mark), WARP_OK);
    put_embers(3);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_int_eq(backup_run(db, target, 3, &quiet, &reply), WARP_OK);
    text_free(&reply);
    close_it();
    snprintf(restored, sizeof restored, "%s-then", move_dir);
    snprintf(to, sizeof to, "%llu", (unsigned long long)mark);
    struct tool tool = {.args = {target, restored}, .arg_count = 2, .to = to};
    ck_assert_int_eq(tool_restore(&tool), TOOL_CLEAN);
    strcpy(was, move_dir);
    strcpy(move_dir, restored);
    open_it();
    expect_embers(2);
    close_it();
    must_be_sound();
    (void)backup_remove(restored);
    strcpy(move_dir, was);
    open_it();
    expect_embers(3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_gravity_backup");
    TCase *tcase = tcase_create("backup");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, who_is_new_and_moves_is_there);
    tcase_add_test(tcase, who_changed_and_moves_has_the_new_value);
    tcase_add_test(tcase, a_time_between_two_backups);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
