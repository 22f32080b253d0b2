/* A backup in which one call of the system fails, whichever it is: it is
 * refused, and no file is missing in one that is not. The linker puts the calls
 * below in front of os.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backup.h"
#include "move_scene.h"
#include "verify.h"

#include "migrate.warp.h"

enum call { CALL_READ, CALL_WRITE, CALL_SYNC, CALL_SYNC_NAMES, CALLS };
/* Of this thread alone: the store's own go on. */
static _Thread_local enum call failing = CALLS;
static _Thread_local int code, wait, fired;

static bool fails(enum call call)
{
    if (call != failing || wait-- > 0)
        return false;
    failing = CALLS;
    fired++;
    return true;
}

int64_t __real_os_pread(int fd, void *to, size_t bytes, uint64_t at);
int64_t __wrap_os_pread(int fd, void *to, size_t bytes, uint64_t at);
int64_t __wrap_os_pread(int fd, void *to, size_t bytes, uint64_t at)
{
    return fails(CALL_READ) ? code : __real_os_pread(fd, to, bytes, at);
}

int __real_os_pwrite(int fd, const void *from, size_t bytes, uint64_t at);
int __wrap_os_pwrite(int fd, const void *from, size_t bytes, uint64_t at);
int __wrap_os_pwrite(int fd, const void *from, size_t bytes, uint64_t at)
{
    return fails(CALL_WRITE) ? code : __real_os_pwrite(fd, from, bytes, at);
}

int __real_os_fdatasync(int fd);
int __wrap_os_fdatasync(int fd);
int __wrap_os_fdatasync(int fd)
{
    return fails(CALL_SYNC) ? code : __real_os_fdatasync(fd);
}

int __real_os_sync_dir(const char *path);
int __wrap_os_sync_dir(const char *path);
int __wrap_os_sync_dir(const char *path)
{
    return fails(CALL_SYNC_NAMES) ? code : __real_os_sync_dir(path);
}

/* Whoever waits for the log may write it, and a log that failed is closed for
 * good: that is unit_log_fault's. */
int __real_log_mark(struct log *log, uint64_t *mark);
int __wrap_log_mark(struct log *log, uint64_t *mark);
int __wrap_log_mark(struct log *log, uint64_t *mark)
{
    enum call was = failing;
    failing = CALLS;
    int rc = __real_log_mark(log, mark);
    failing = was;
    return rc;
}

static char target[80];

static void set_up(void)
{
    move_begin(&migrate_warp_schema);
    snprintf(target, sizeof target, "%s-backup", move_dir);
    fill(1, 1);
    for (uint64_t id = 0; id < 300; id++) {
        struct mv_paper p = {.id = id, .n = id, .body = {text, body_bytes(id)}};
        ck_assert_int_eq(mv_paper_put(db, &p, MV_PAPER_N | MV_PAPER_BODY),
                         WARP_OK);
    }
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    for (int i = 0; i < 3; i++) { /* some values are on disk */
        atomic_fetch_add(&clock_ms, DAY);
        run_steps();
    }
    ck_assert_uint_gt(disk_live(), 0);
    for (uint64_t id = 0; id < 30; id++) { /* and some in the log alone */
        struct mv_paper p = {.id = id, .n = id + 1};
        ck_assert_int_eq(mv_paper_put(db, &p, MV_PAPER_N), WARP_OK);
    }
}

static void tear_down(void)
{
    (void)backup_remove(target);
    move_end();
}

/* One call after the other fails, until a backup is made without one. */
static void fail_each(enum call call, int error)
{
    int rc, n = 0;
    do {
        ck_assert_int_eq(backup_remove(target), WARP_OK);
        failing = call;
        code = error;
        wait = n++;
        fired = 0;
        rc = warp_backup(db, target);
        failing = CALLS;
        ck_assert_msg(!fired || rc != WARP_OK,
                      "call %d of kind %d failed (%d), and the backup is said "
                      "to be there",
                      n, (int)call, error);
        if (fired) /* the name alone may not be durable: then it is whole */
            ck_assert_msg(access(target, F_OK) != 0 || call == CALL_SYNC_NAMES,
                          "a refused backup is there (call %d)", n);
    } while (fired);
    ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(db));
    ck_assert_int_gt(n, 2);
}

START_TEST(no_failed_read_is_overlooked)
{
    fail_each(CALL_READ, -EIO);
}
END_TEST

START_TEST(no_full_disk_is_overlooked)
{
    fail_each(CALL_WRITE, -ENOSPC);
    fail_each(CALL_WRITE, -EIO);
}
END_TEST

START_TEST(no_failed_sync_is_overlooked)
{
    fail_each(CALL_SYNC, -EIO);
    fail_each(CALL_SYNC_NAMES, -EIO);
}
END_TEST

/* The same for a backup that replaces one: that one stays, or the new one is
 * there, whole; earlier states are kept either way. */
START_TEST(an_earlier_backup_stays)
{
    ck_assert_int_eq(warp_backup(db, target), WARP_OK);
    int rc, n = 0;
    do {
        struct mv_paper p = {.id = 5, .n = 1000 + (uint64_t)n};
        ck_assert_int_eq(mv_paper_put(db, &p, MV_PAPER_N), WARP_OK);
        failing = CALL_SYNC_NAMES;
        code = -EIO;
        wait = n++;
        fired = 0;
        rc = warp_backup(db, target);
        failing = CALLS;
        ck_assert(!fired || rc != WARP_OK);
        struct text reply = TEXT_INIT;
        ck_assert_int_eq(verify_store(target, NULL, &reply), WARP_OK);
        text_u8(&reply, 0);
        ck_assert_msg(strncmp(reply.data, "{\"findings\":[],", 15) == 0, "%s",
                      reply.data);
        text_free(&reply);
    } while (fired);
    ck_assert_int_eq(rc, WARP_OK);
    ck_assert_int_gt(n, 8); /* its parts, and those of its earlier state */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_backup");
    TCase *t = tcase_create("faults");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, no_failed_read_is_overlooked);
    tcase_add_test(t, no_full_disk_is_overlooked);
    tcase_add_test(t, no_failed_sync_is_overlooked);
    tcase_add_test(t, an_earlier_backup_stays);
    tcase_set_timeout(t, 200);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
