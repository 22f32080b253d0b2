/* store_replay.c: a log replayed over a directory that holds some of it, after
 * a checkpoint or one that was cut short: what asks the directory, what is not
 * taken from it, and that records are counted right. */
#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db.h"
#include "log.h"
#include "os.h"
#include "replay.warp.h"
#include "scratch.h"

enum { RECORDS = 30000, PARTS = 3 };

static struct warp_db *db;
static struct warp_arena arena;
static _Atomic uint32_t asked; /* rows, one by one */
static uint32_t commits_left;  /* of the directory, before the end; 0: any */

int __real_ssd_get(struct ssd *ssd, enum ssd_table table, struct ssd_slice key,
                   ssd_read_fn *fn, void *arg);
int __wrap_ssd_get(struct ssd *ssd, enum ssd_table table, struct ssd_slice key,
                   ssd_read_fn *fn, void *arg);
int __wrap_ssd_get(struct ssd *ssd, enum ssd_table table, struct ssd_slice key,
                   ssd_read_fn *fn, void *arg)
{
    atomic_fetch_add(&asked, table == SSD_ROWS);
    return __real_ssd_get(ssd, table, key, fn, arg);
}

int __real_ssd_commit(struct ssd_txn **txn);
int __wrap_ssd_commit(struct ssd_txn **txn);
int __wrap_ssd_commit(struct ssd_txn **txn)
{
    int rc = __real_ssd_commit(txn);
    if (commits_left > 0 && --commits_left == 0)
        raise(SIGKILL);
    return rc;
}

#define ok(call)                                                              \
    do {                                                                      \
        int rc_ = (call);                                                     \
        ck_assert_msg(rc_ == WARP_OK, "%s: %s", #call, warp_errmsg(db));      \
    } while (0)

static void open_store(void)
{
    struct warp_options options = WARP_OPTIONS_INIT;
    options.shards = 4;
    options.memory_max_bytes = 96 << 20; /* steps of some MiB */
    options.ring_bytes = 4 << 20;
    int rc = warp_open(scratch_path, &replay_warp_schema, &options, &db);
    ck_assert_msg(rc == WARP_OK, "%s", warp_errmsg(NULL));
}

static void setup(void)
{
    scratch();
}

static void teardown(void)
{
    ok(warp_close(&db));
    warp_arena_free(&arena);
    scratch_remove();
}

/* A child opens the store, runs fn and is killed. */
static void run_and_die(void (*fn)(void))
{
    int status;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        open_store();
        fn();
        raise(SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
                  "the child ended with %x", status);
}

static void crash(void (*fn)(void))
{
    run_and_die(fn);
    atomic_store(&asked, 0);
    open_store();
}

static const char *text_of(uint64_t id, uint32_t part, char to[200])
{
    snprintf(to, 200, "part %u of %llu%*s", part, (unsigned long long)id, 150,
             "");
    return to;
}

static void put_whole(uint64_t id, uint32_t part)
{
    char text[200];
    struct rp_plain r = {.id = id, .count = part};
    r.text = warp_str(text_of(id, part, text));
    ok(rp_plain_put(db, &r, RP_PLAIN_ALL));
}

static void expect(uint64_t id, uint32_t part, uint64_t count)
{
    char text[200];
    struct rp_plain r;
    int rc = rp_plain_get(db, id, RP_PLAIN_ALL, &r, &arena);
    ck_assert_msg(rc == WARP_OK, "%llu: %s", (unsigned long long)id,
                  warp_errmsg(db));
    text_of(id, part, text);
    ck_assert_uint_eq(r.text.len, strlen(text));
    ck_assert_int_eq(memcmp(r.text.data, text, r.text.len), 0);
    ck_assert_uint_eq(r.count, count);
    warp_arena_reset(&arena);
}

static uint64_t records(void)
{
    struct warp_stat stat = WARP_STAT_INIT;
    db_wait_loaded(db);
    ok(warp_stat(db, &stat));
    return stat.records;
}

static uint64_t scanned(void)
{
    struct warp_iter *it;
    struct rp_plain r;
    uint64_t count = 0;
    ok(rp_plain_scan(db, NULL, RP_PLAIN_COUNT, &it));
    while (rp_plain_next(it, &r, &arena) == WARP_OK)
        count++;
    warp_iter_close(&it);
    return count;
}

/* ---- what asks ---- */

static void write_over_rows(void)
{
    for (uint64_t id = 0; id < RECORDS; id++)
        put_whole(id, 1);
    ok(warp_checkpoint(db));
    for (uint64_t id = 0; id < RECORDS; id++)
        put_whole(id, 2);
    for (uint64_t id = RECORDS; id < RECORDS + 100; id++)
        put_whole(id, 2);
}

START_TEST(whole_records_ask_for_no_row)
{
    crash(write_over_rows);
    ck_assert_uint_eq(atomic_load(&asked), 0);
    ck_assert_uint_eq(records(), RECORDS + 100);
    for (uint64_t id = 0; id < RECORDS + 100; id++)
        expect(id, 2, 2);
}
END_TEST

static void write_parts(void)
{
    for (uint64_t id = 0; id < RECORDS; id++)
        put_whole(id, 1);
    ok(warp_checkpoint(db));
    for (uint64_t id = 0; id < RECORDS; id += 10) {
        struct rp_plain r = {.id = id, .count = 7};
        ok(rp_plain_put(db, &r, RP_PLAIN_COUNT));
    }
}

START_TEST(parts_are_put_into_rows)
{
    crash(write_parts);
    ck_assert_uint_ge(atomic_load(&asked), RECORDS / 10);
    for (uint64_t id = 0; id < RECORDS; id++)
        expect(id, 1, id % 10 == 0 ? 7 : 1);
    ck_assert_uint_eq(records(), RECORDS);
}
END_TEST

static void write_passing(void)
{
    struct rp_passing r = {.id = 1, .count = 1, .other = 1};
    ok(rp_passing_put(db, &r, RP_PASSING_ALL));
    r.id = 2;
    ok(rp_passing_put(db, &r, RP_PASSING_ALL));
    ok(rp_passing_expire(db, 2, RP_PASSING_COUNT, 1));
    ok(warp_checkpoint(db));
    r.count = 2;
    r.id = 1;
    ok(rp_passing_put(db, &r, RP_PASSING_ALL));
    r.id = 2;
    ok(rp_passing_put(db, &r, RP_PASSING_OTHER));
}

/* Deadlines are of the record: all are told anew, or they are asked for. */
START_TEST(deadlines_are_told_too)
{
    struct rp_passing r;
    crash(write_passing);
    ck_assert_uint_eq(atomic_load(&asked), 1);
    ok(rp_passing_get(db, 1, RP_PASSING_ALL, &r, NULL));
    ck_assert_uint_eq(r.count, 2);
    ok(rp_passing_get(db, 2, RP_PASSING_OTHER, &r, NULL));
    ck_assert_int_eq(rp_passing_state(db, 2, RP_PASSING_COUNT), WARP_EXPIRED);
}
END_TEST

static void write_fleeting(void)
{
    struct rp_fleeting r = {.id = 1, .count = 1, .guess = 1};
    ok(rp_fleeting_put(db, &r, RP_FLEETING_ALL));
    ok(warp_checkpoint(db));
    r.count = 2;
    ok(rp_fleeting_put(db, &r, RP_FLEETING_COUNT));
}

/* The row knows what a restart has lost. */
START_TEST(what_is_lost_is_asked_for)
{
    struct rp_fleeting r;
    crash(write_fleeting);
    ck_assert_uint_eq(atomic_load(&asked), 1);
    ck_assert_int_eq(rp_fleeting_state(db, 1, RP_FLEETING_GUESS), WARP_LOST);
    ok(rp_fleeting_get(db, 1, RP_FLEETING_COUNT, &r, NULL));
    ck_assert_uint_eq(r.count, 2);
}
END_TEST

/* ---- checkpoints that were cut short ---- */

static void new_ones_cut_short(void)
{
    for (uint64_t id = 0; id < RECORDS; id++)
        put_whole(id, 1);
    commits_left = 1;
    ok(warp_checkpoint(db));
}

/* The log begins them, the directory has some already. */
START_TEST(new_records_that_the_directory_has)
{
    uint64_t rows;
    crash(new_ones_cut_short);
    ok(ssd_count(db->ssd, SSD_ROWS, &rows));
    ck_assert_uint_gt(rows, 0);
    ck_assert_uint_lt(rows, RECORDS);
    ck_assert_uint_eq(records(), RECORDS);
    ck_assert_uint_eq(scanned(), RECORDS);
    for (uint64_t id = 0; id < RECORDS; id += PARTS)
        ok(rp_plain_delete(db, id));
    ck_assert_uint_eq(records(), RECORDS - RECORDS / PARTS);
    ok(warp_checkpoint(db));
    ck_assert_uint_eq(records(), RECORDS - RECORDS / PARTS);
    ck_assert_uint_eq(scanned(), RECORDS - RECORDS / PARTS);
}
END_TEST

static void deletes_cut_short(void)
{
    for (uint64_t id = 0; id < RECORDS; id++)
        put_whole(id, 1);
    ok(warp_checkpoint(db));
    for (uint64_t id = 0; id < RECORDS; id++)
        put_whole(id, 2);
    for (uint64_t id = 0; id < RECORDS; id += PARTS)
        ok(rp_plain_delete(db, id));
    commits_left = 1;
    ok(warp_checkpoint(db));
}

/* The log writes over them and deletes them, the directory has lost some. */
START_TEST(deleted_records_that_the_directory_lacks)
{
    uint64_t rows;
    crash(deletes_cut_short);
    ok(ssd_count(db->ssd, SSD_ROWS, &rows));
    ck_assert_uint_lt(rows, RECORDS);
    ck_assert_uint_gt(rows, RECORDS - RECORDS / PARTS);
    ck_assert_uint_eq(records(), RECORDS - RECORDS / PARTS);
    ck_assert_uint_eq(scanned(), RECORDS - RECORDS / PARTS);
    for (uint64_t id = 1; id < RECORDS; id += PARTS)
        expect(id, 2, 2);
    ok(warp_checkpoint(db));
    ck_assert_uint_eq(records(), RECORDS - RECORDS / PARTS);
}
END_TEST

/* ---- a damaged log ---- */

static void newest_first_in_the_directory(void)
{
    for (uint64_t id = 0; id < RECORDS; id++)
        put_whole(id, 1);
    for (uint64_t id = RECORDS; id-- > 0;)
        put_whole(id, 2);
    ok(warp_sync(db));
    commits_left = 1;
    ok(warp_checkpoint(db));
}

/* Another byte in the log's record of this text. */
static void damage(uint64_t id, uint32_t part)
{
    char path[700], text[200];
    uint32_t found = 0;
    text_of(id, part, text);
    snprintf(path, sizeof path, "%s/log", scratch_path);
    DIR *log = opendir(path);
    ck_assert_ptr_nonnull(log);
    for (struct dirent *e; (e = readdir(log)) != NULL;) {
        uint64_t bytes;
        snprintf(path, sizeof path, "%s/log/%s", scratch_path, e->d_name);
        int fd = e->d_name[0] == '.' ? -1 : os_open(path, OS_READ | OS_WRITE);
        if (fd < 0 || os_size(fd, &bytes) < 0)
            continue;
        char *all = malloc(bytes + 1);
        ck_assert_int_eq(os_pread(fd, all, bytes, 0), (int64_t)bytes);
        char *at = memmem(all, bytes, text, strlen(text));
        if (at) {
            found++;
            ck_assert_int_eq(os_pwrite(fd, "X", 1, (uint64_t)(at - all)), 0);
        }
        free(all);
        os_close(fd);
    }
    closedir(log);
    ck_assert_uint_eq(found, 1);
}

/* What the log lost from there on may be in the directory: its rows are asked
 * for, and stand where they are newer than what the log has left. */
START_TEST(a_damaged_log_takes_nothing_back)
{
    uint64_t rows, older = 0;
    run_and_die(newest_first_in_the_directory);
    damage(RECORDS / 2, 2);
    open_store();
    ck_assert(log_is_damaged(db->log));
    ok(ssd_count(db->ssd, SSD_ROWS, &rows));
    ck_assert_uint_gt(rows, 0);
    for (uint64_t id = 0; id < RECORDS; id++) {
        struct rp_plain r;
        ok(rp_plain_get(db, id, RP_PLAIN_COUNT, &r, NULL));
        ck_assert(r.count == 2 || id >= rows);
        older += r.count == 1;
    }
    ck_assert_uint_gt(older, 0);
    ck_assert_uint_eq(records(), RECORDS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_replay");
    TCase *tests = tcase_create("replay");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, whole_records_ask_for_no_row);
    tcase_add_test(tests, parts_are_put_into_rows);
    tcase_add_test(tests, deadlines_are_told_too);
    tcase_add_test(tests, what_is_lost_is_asked_for);
    tcase_add_test(tests, new_records_that_the_directory_has);
    tcase_add_test(tests, deleted_records_that_the_directory_lacks);
    tcase_add_test(tests, a_damaged_log_takes_nothing_back);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
