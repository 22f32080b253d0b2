/* Values that the engine places end in the archive: after their time on disk,
 * never before, readable where the call says so, back on ssd when they are
 * written; whatever is killed in between, each has one owner and its value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint.h"
#include "migrate.h"
#include "move_scene.h"
#include "verify.h"

#include "aging.warp.h"

enum { LETTERS = 600, BODY = 2 };

static void set_up(void)
{
    move_begin(&aging_warp_schema);
}

/* ---- records ---- */

static void put_letter(uint64_t id, uint64_t version)
{
    struct ag_letter p = {.id = id, .n = version};
    fill(id, version);
    p.body = (struct warp_str){text, body_bytes(id)};
    p.stamp = (struct warp_str){text, 30};
    int rc = ag_letter_put(db, &p, AG_LETTER_ALL);
    ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(db));
}

static void put_all(uint64_t count)
{
    for (uint64_t id = 0; id < count; id++)
        put_letter(id, 1);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
}

/* The version of a record, whose values must be of it; *body: is it there? */
static uint64_t get_letter(uint64_t id, uint64_t flags, bool *body)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct ag_letter p;
    int rc = ag_letter_get(db, id, AG_LETTER_ALL | flags, &p, &arena);
    ck_assert_msg(rc == WARP_OK, "get %u: %d: %s", (unsigned)id, rc,
                  warp_errmsg(db));
    fill(id, p.n);
    *body = (p.have & AG_LETTER_BODY) != 0;
    ck_assert_uint_eq(p.have | AG_LETTER_BODY, AG_LETTER_ALL);
    ck_assert_uint_eq(p.stamp.len, 30);
    ck_assert_mem_eq(p.stamp.data, text, 30);
    if (*body) {
        ck_assert_uint_eq(p.body.len, body_bytes(id));
        ck_assert_mem_eq(p.body.data, text, p.body.len);
    } else {
        ck_assert_ptr_null(p.body.data);
        ck_assert_uint_eq(p.body.len, 0);
    }
    uint64_t version = p.n;
    warp_arena_free(&arena);
    return version;
}

static void all_are_there(uint64_t count, uint64_t version)
{
    for (uint64_t id = 0; id < count; id++) {
        bool body;
        ck_assert_uint_eq(get_letter(id, WARP_ARCHIVE, &body), version);
        ck_assert(body);
    }
}

static void days_pass(int days)
{
    for (int i = 0; i < days; i++) {
        atomic_fetch_add(&clock_ms, DAY);
        run_steps();
    }
}

static struct archive_stat archived(void)
{
    struct archive_stat stat;
    archive_stat(db->archive, &stat);
    return stat;
}

/* ---- tests ---- */

START_TEST(values_end_in_the_archive)
{
    struct text t = TEXT_INIT;
    bool body;
    put_all(LETTERS);
    days_pass(3);
    uint64_t on_disk = disk_live();
    ck_assert_uint_eq(archived().segments, 0);
    days_pass(25);
    ck_assert_uint_eq(archived().segments, 0); /* not a day too early */
    explain(9, BODY, &t);
    ck_assert_msg(strstr(t.data, "\"next_move\":{\"to\":\"archive\""), "%s",
                  t.data);
    days_pass(8);
    ck_assert_uint_gt(archived().live_bytes, LETTERS * 500);
    ck_assert_uint_lt(disk_live(), on_disk / 4); /* `stamp` stays */
    for (uint64_t id = 0; id < LETTERS; id++) {
        get_letter(id, 0, &body);
        ck_assert(!body);
        ck_assert_int_eq(ag_letter_state(db, id, AG_LETTER_BODY), WARP_COLD);
        ck_assert_int_eq(
            ag_letter_state(db, id, AG_LETTER_BODY | WARP_ARCHIVE),
            WARP_PRESENT);
    }
    explain(9, BODY, &t);
    ck_assert_msg(strstr(t.data, "\"where\":[\"archive\"") &&
                      strstr(t.data, "\"last_move\":{\"to\":\"archive\""),
                  "%s", t.data);
    uint64_t ids[] = {5};
    ck_assert_int_eq(ag_letter_prefetch(db, ids, 1, AG_LETTER_BODY), WARP_OK);
    get_letter(5, 0, &body);
    ck_assert(!body);
    ck_assert_int_eq(
        ag_letter_prefetch(db, ids, 1, AG_LETTER_BODY | WARP_ARCHIVE),
        WARP_OK);
    get_letter(5, 0, &body); /* a copy in memory is no read of the archive */
    ck_assert(body);
    close_it();
    must_be_sound();
    open_it();
    all_are_there(LETTERS, 1);
    /* What is written is on ssd again; what is deleted leaves the archive. */
    for (uint64_t id = 0; id < LETTERS; id += 2)
        put_letter(id, 2);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    for (uint64_t id = 0; id < LETTERS; id++) {
        ck_assert_uint_eq(get_letter(id, WARP_ARCHIVE, &body), id % 2 ? 1 : 2);
        ck_assert(body);
    }
    for (uint64_t id = 0; id < LETTERS; id++)
        ck_assert_int_eq(ag_letter_delete(db, id), WARP_OK);
    bool more;
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_int_eq(checkpoint_migrate(db, false, &more), WARP_OK);
    ck_assert_uint_eq(archived().segments, 0);
    ck_assert_uint_eq(disk_live(), 0);
    close_it();
    must_be_sound();
    text_free(&t);
}
END_TEST

/* A segment of the archive of which most is dead is written anew. */
START_TEST(dead_room_comes_back)
{
    bool more = true, body;
    put_all(LETTERS);
    days_pass(36);
    uint64_t before = archived().file_bytes;
    ck_assert_uint_gt(before, LETTERS * 500);
    for (uint64_t id = 0; id < LETTERS; id++)
        if (id % 4 != 0)
            put_letter(id, 2);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    for (int i = 0; i < 100 && more; i++)
        ck_assert_int_eq(checkpoint_migrate(db, true, &more), WARP_OK);
    ck_assert(!more);
    ck_assert_uint_gt(archived().file_bytes, before / 5);
    ck_assert_uint_lt(archived().file_bytes, before / 3);
    for (uint64_t id = 0; id < LETTERS; id++) {
        ck_assert_uint_eq(get_letter(id, WARP_ARCHIVE, &body), id % 4 ? 2 : 1);
        ck_assert(body);
    }
    close_it();
    must_be_sound();
    open_it();
    for (uint64_t id = 0; id < LETTERS; id += 4) {
        get_letter(id, 0, &body);
        ck_assert(!body); /* still there */
    }
}
END_TEST

/* What is read stays: on disk, not in the archive. */
START_TEST(what_is_used_stays)
{
    bool body;
    put_all(100);
    days_pass(3);
    for (int day = 0; day < 40; day++) {
        for (uint64_t id = 0; id < 10; id++)
            for (int n = 0; n < 2; n++)
                get_letter(id, 0, &body);
        days_pass(1);
    }
    for (uint64_t id = 0; id < 100; id++) {
        get_letter(id, 0, &body);
        ck_assert_msg(body == (id < 10), "%u", (unsigned)id);
    }
}
END_TEST

START_TEST(only_when_it_is_asked)
{
    struct migrate_moved moved;
    for (uint64_t id = 0; id < 300; id++) {
        struct ag_parcel s = {.id = id, .body = {text, 500}};
        ck_assert_int_eq(ag_parcel_put(db, &s, AG_PARCEL_BODY), WARP_OK);
    }
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_int_eq(migrate_all(db, NULL, &moved), WARP_OK);
    ck_assert_uint_eq(moved.to_disk, 0); /* they were written in this window */
    ck_assert_int_eq(migrate_all(db, NULL, &moved), WARP_OK);
    ck_assert_uint_eq(moved.to_disk, 300);
    ck_assert_uint_eq(moved.to_archive, 0);
    days_pass(31);
    ck_assert_uint_eq(archived().segments, 0);
    ck_assert_int_eq(migrate_all(db, NULL, &moved), WARP_OK);
    ck_assert_uint_eq(moved.to_archive, 300);
    ck_assert_uint_gt(archived().live_bytes, 300 * 500);
}
END_TEST

/* A window of a day ends a day after it began, however often the program is
 * started in it, and its uses count. */
START_TEST(windows_outlive_a_restart)
{
    struct text t = TEXT_INIT;
    bool body;
    put_all(100);
    days_pass(1); /* all written in that window */
    for (int i = 0; i < 6; i++) {
        for (uint64_t id = 0; id < 10; id++)
            get_letter(id, 0, &body);
        atomic_fetch_add(&clock_ms, 4 * HOUR);
        close_it();
        open_it();
    }
    run_steps();
    explain(50, BODY, &t);
    ck_assert_msg(strstr(t.data, "\"where\":[\"disk\""), "%s", t.data);
    ck_assert_msg(strstr(t.data, "\"last_move\":{\"to\":\"disk\",\"at_ms\":1"),
                  "%s", t.data);
    explain(5, BODY, &t);
    ck_assert_msg(strstr(t.data, "\"disk\",{") == NULL, "%s", t.data);
    close_it();
    open_it(); /* when it moved is known then, too */
    explain(50, BODY, &t);
    ck_assert_msg(strstr(t.data, "\"last_move\":{\"to\":\"disk\",\"at_ms\":1"),
                  "%s", t.data);
    text_free(&t);
}
END_TEST

START_TEST(a_damaged_segment)
{
    struct ag_letter p;
    struct warp_arena arena = WARP_ARENA_INIT;
    struct text reply = TEXT_INIT;
    char command[256];
    put_all(50);
    days_pass(36);
    ck_assert_uint_gt(archived().segments, 0);
    close_it();
    snprintf(command, sizeof command,
             "for f in %s/archive/*.wseg; do "
             "printf '\\\\001' | dd of=$f bs=1 seek=3000 conv=notrunc "
             "2>/dev/null; done", move_dir);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(verify_store(move_dir, NULL, &reply), WARP_OK);
    ck_assert_msg(strstr(reply.data, "Letter") != NULL, "%s", reply.data);
    open_it();
    int damaged = 0;
    for (uint64_t id = 0; id < 50; id++) {
        warp_arena_reset(&arena);
        int rc = ag_letter_get(db, id, AG_LETTER_ALL | WARP_ARCHIVE, &p,
                               &arena);
        ck_assert(rc == WARP_OK || rc == WARP_ECORRUPT);
        damaged += rc == WARP_ECORRUPT;
        ck_assert_int_eq(ag_letter_get(db, id, AG_LETTER_ALL, &p, &arena),
                         WARP_OK);
    }
    ck_assert_int_ge(damaged, 1);
    ck_assert_int_le(damaged, (int)archived().segments);
    warp_arena_free(&arena);
    text_free(&reply);
}
END_TEST

/* ---- an archive that is elsewhere ---- */

static char elsewhere[80], away[80];

static int64_t scene_clock(void *arg)
{
    (void)arg;
    return atomic_load(&clock_ms);
}

static int open_in(const char *path, const char *url)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = 12;
    o.clock_ms = scene_clock;
    o.archive_url = url;
    return warp_open(path, &aging_warp_schema, &o, &db);
}

static int open_at(const char *url)
{
    return open_in(move_dir, url);
}

/* The option is given once: the store remembers where its archive is. */
static void open_elsewhere(void)
{
    snprintf(elsewhere, sizeof elsewhere, "%s.elsewhere", move_dir);
    snprintf(away, sizeof away, "%s.away", move_dir);
    ck_assert_int_eq(os_mkdir(elsewhere), 0);
    close_it();
    int rc = open_at(elsewhere);
    ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(NULL));
    close_it();
    open_it();
}

static void remove_elsewhere(void)
{
    char command[256];
    snprintf(command, sizeof command, "rm -rf %s %s", elsewhere, away);
    ck_assert_int_eq(system(command), 0);
}

/* Its disk is not mounted: nothing is begun in its place, and with it all of it
 * is there. Who wants to go on without it says so. */
START_TEST(an_archive_elsewhere_is_missed)
{
    char own[200], command[300];
    struct warp_arena arena = WARP_ARENA_INIT;
    struct ag_letter p;
    bool body;
    open_elsewhere();
    snprintf(own, sizeof own, "%s", db->paths.archive);
    ck_assert_int_eq(strncmp(own, elsewhere, strlen(elsewhere)), 0);
    put_all(50);
    days_pass(36);
    ck_assert_uint_gt(archived().segments, 0);
    close_it();
    must_be_sound();
    ck_assert_int_eq(rename(elsewhere, away), 0);
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(open_at(round ? elsewhere : NULL),
                         WARP_EIO);
        ck_assert_msg(strstr(warp_errmsg(NULL), own) &&
                          strstr(warp_errmsg(NULL), "mount its disk"),
                      "%s", warp_errmsg(NULL));
        ck_assert_ptr_null(db);
        if (round == 0)
            ck_assert_int_eq(os_mkdir(elsewhere), 0); /* of the mount alone */
    }
    ck_assert_int_eq(rmdir(elsewhere), 0);
    ck_assert_int_eq(rename(away, elsewhere), 0);
    open_it();
    all_are_there(50, 1);
    close_it();
    /* Without it, on purpose. */
    ck_assert_int_eq(rename(elsewhere, away), 0);
    snprintf(command, sizeof command, "mkdir -p %s", own);
    ck_assert_int_eq(system(command), 0);
    open_it();
    ck_assert_int_eq(ag_letter_get(db, 7, AG_LETTER_ALL | WARP_ARCHIVE, &p,
                                   &arena), WARP_ECORRUPT);
    ck_assert_int_eq(ag_letter_get(db, 7, AG_LETTER_N, &p, &arena), WARP_OK);
    ck_assert_uint_eq(p.n, 1);
    put_letter(7, 2);
    ck_assert_uint_eq(get_letter(7, 0, &body), 2);
    ck_assert(body);
    warp_arena_free(&arena);
    close_it();
    remove_elsewhere();
}
END_TEST

/* Two that write into the same archive would destroy each other's values. */
START_TEST(a_copy_has_an_archive_of_its_own)
{
    char copy[100], command[700];
    open_elsewhere();
    put_all(50);
    days_pass(36);
    close_it();
    snprintf(copy, sizeof copy, "%s.copy", move_dir);
    snprintf(command, sizeof command, "cp -r %s %s", move_dir, copy);
    ck_assert_int_eq(system(command), 0);
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(open_in(copy, round ? elsewhere : NULL), WARP_EINVAL);
        ck_assert_msg(strstr(warp_errmsg(NULL), "is a copy") &&
                          strstr(warp_errmsg(NULL), "as its directory archive"),
                      "%s", warp_errmsg(NULL));
    }
    snprintf(command, sizeof command, "cp -r %s/* %s/archive", elsewhere, copy);
    ck_assert_int_eq(system(command), 0);
    for (int round = 0; round < 3; round++) {
        int rc = open_in(copy, NULL);
        ck_assert_msg(rc == WARP_OK, "%s", warp_errmsg(NULL));
        all_are_there(50, 1);
        days_pass(36);
        close_it();
        open_it();
        all_are_there(50, 1);
        days_pass(36);
        close_it();
        must_be_sound();
    }
    /* Where the first is gone the copy is the store. */
    snprintf(command, sizeof command,
             "rm -r %s %s/archive", move_dir, copy);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(open_in(copy, NULL), WARP_OK);
    ck_assert_uint_gt(archived().segments, 0);
    close_it();
    ck_assert_int_eq(rename(copy, move_dir), 0);
    must_be_sound();
    remove_elsewhere();
}
END_TEST

/* Killed at any moment of moves in all directions. */
static void move_all(uint64_t n)
{
    struct migrate_moved moved;
    bool more;
    atomic_fetch_add(&clock_ms, 16 * DAY);
    (void)migrate_all(db, NULL, &moved);
    (void)checkpoint_migrate(db, true, &more);
    for (uint64_t id = n % 5; id < LETTERS; id += 5)
        put_letter(id, 1);
}

static void all_are_the_first(void)
{
    all_are_there(LETTERS, 1);
}

START_TEST(killed_while_values_move)
{
    put_all(LETTERS);
    killed_again_and_again(12, 4712, move_all, all_are_the_first);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("values in the archive");
    TCase *tests = tcase_create("values in the archive");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, move_end);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, values_end_in_the_archive);
    tcase_add_test(tests, dead_room_comes_back);
    tcase_add_test(tests, what_is_used_stays);
    tcase_add_test(tests, only_when_it_is_asked);
    tcase_add_test(tests, windows_outlive_a_restart);
    tcase_add_test(tests, a_damaged_segment);
    tcase_add_test(tests, an_archive_elsewhere_is_missed);
    tcase_add_test(tests, a_copy_has_an_archive_of_its_own);
    tcase_add_test(tests, killed_while_values_move);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
