/* The log at its limits: no memory for its tables, no space when it starts or
 * grows, a commit that is too long, a batch that is left open, a write ahead
 * that fails, a cut that is not durable, a count of writes that cannot be kept.
 * Each is said, is no more than it is, and loses nothing. The linker puts the
 * functions below between the log and what it calls. */
#include "log_copy.h"
#include "log_format.h"
#include "log_scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct scene scene;

#define REAL(type, name, parameters)                                           \
    type __real_##name parameters;                                             \
    type __wrap_##name parameters;                                             \
    type __wrap_##name parameters

static _Atomic bool no_realloc, no_malloc, no_free_bytes, dir_fails;
static _Atomic bool direct_refused, opens_fail, ahead_fails, calibrate_fails;
static _Atomic int allocations = -1; /* that succeed; -1: all */
static _Atomic int64_t clock_jump;   /* ns, at each look */
static _Atomic int64_t clock_ahead;
static _Atomic int calibrate_fd = -1, calibrate_opens;
static _Atomic size_t no_page; /* of memory: of this length */
static _Atomic int64_t reads_until_error = -1;

REAL(void *, realloc, (void *at, size_t bytes))
{
    return no_realloc ? NULL : __real_realloc(at, bytes);
}

REAL(void *, malloc, (size_t bytes))
{
    return no_malloc ? NULL : __real_malloc(bytes);
}

REAL(void *, aligned_alloc, (size_t align, size_t bytes))
{
    return bytes == no_page ? NULL : __real_aligned_alloc(align, bytes);
}

REAL(int64_t, os_pread, (int fd, void *to, size_t bytes, uint64_t at))
{
    return reads_until_error >= 0 && reads_until_error-- == 0
               ? -EIO
               : __real_os_pread(fd, to, bytes, at);
}

REAL(int, os_free_bytes, (const char *path, uint64_t *bytes))
{
    return no_free_bytes ? -EIO : __real_os_free_bytes(path, bytes);
}

REAL(int, os_sync_dir, (const char *path))
{
    return dir_fails ? -EIO : __real_os_sync_dir(path);
}

REAL(int64_t, os_mono_ns, (void))
{
    clock_ahead += clock_jump;
    return __real_os_mono_ns() + clock_ahead;
}

REAL(int, os_allocate, (int fd, uint64_t at, uint64_t bytes))
{
    /* What makes a blank segment longer belongs to it. */
    if (allocations == 0 && at == 0)
        return -ENOSPC;
    if (allocations > 0 && at == 0)
        allocations--;
    return __real_os_allocate(fd, at, bytes);
}

REAL(int, os_open, (const char *path, int flags))
{
    if (opens_fail)
        return -EIO;
    if ((flags & OS_DIRECT) && direct_refused)
        return -EINVAL;
    bool is_scratch = strstr(path, "calibrate.tmp") != NULL;
    if (is_scratch && calibrate_opens > 0 && --calibrate_opens == 0)
        return -EMFILE;
    int fd = __real_os_open(path, flags);
    if (is_scratch)
        calibrate_fd = fd;
    return fd;
}

static bool is_zero(const uint8_t *from, size_t bytes)
{
    return from[0] == 0 && memcmp(from, from + 1, bytes - 1) == 0;
}

REAL(int, os_pwrite, (int fd, const void *from, size_t bytes, uint64_t at))
{
    if (calibrate_fails && fd == calibrate_fd && bytes == LOG_PAGE)
        return -EIO;
    if (ahead_fails && bytes > 512 << 10 && is_zero(from, bytes))
        return -EIO;
    return __real_os_pwrite(fd, from, bytes, at);
}

static void set_up(void)
{
    scene_make(&scene);
}

static void tear_down(void)
{
    no_realloc = no_malloc = no_free_bytes = dir_fails = false;
    direct_refused = opens_fail = ahead_fails = calibrate_fails = false;
    allocations = -1;
    clock_jump = 0;
    no_page = 0;
    reads_until_error = -1;
    log_close(&scene.log);
    scene_remove(&scene);
}

static int try_append(uint32_t shard, uint64_t value, size_t bytes,
                      bool urgent)
{
    static uint8_t body[70000];
    uint64_t seq, position;
    scene_body(body, bytes, value);
    return log_append(scene.log, shard, 0, 0, body, bytes, urgent, &seq,
                      &position);
}

static bool says(const char *what)
{
    return strstr(error_text(), what) != NULL;
}

/* ---- memory ---- */

/* The table of segments cannot grow: commits that are taken stay, those that
 * are not get an error, and with memory it goes on. */
START_TEST(no_memory_for_segments)
{
    uint64_t count = 0;
    int rc;
    scene.options.bytes_max = 8 << 20; /* segments stay small */
    ck_assert_int_eq(scene_open(&scene), 0);
    no_realloc = true;
    while ((rc = try_append(3, count + 1, 60000, false)) == 0) {
        count++;
        ck_assert_uint_lt(count, 2000);
    }
    ck_assert_int_eq(rc, WARP_ENOMEM);
    ck_assert(says("out of memory for the log"));
    ck_assert_int_eq(log_sync(scene.log), WARP_ENOMEM);
    ck_assert_int_eq(log_health(scene.log), WARP_OK);
    ck_assert_uint_gt(count, 100);
    no_realloc = false;
    for (int i = 0; i < 30; i++)
        ck_assert_int_eq(try_append(3, ++count, 60000, false), 0);
    ck_assert_int_eq(log_sync(scene.log), 0);
    ck_assert_uint_eq(scene.events, 0);
    scene_stop(&scene);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.seen.bad, 0);
    ck_assert_uint_eq(scene.seen.count[3], count);
    ck_assert_uint_eq(scene.seen.last_value[3], count);
}
END_TEST

/* Without memory, or where nobody knows what is free, nothing is cut, or what
 * is cut is not kept for reuse; that is no error. _i: which. */
START_TEST(a_cut_makes_do_without_memory)
{
    uint64_t mark, before;
    ck_assert_int_eq(scene_open(&scene), 0);
    for (uint64_t i = 1; i <= 100; i++)
        ck_assert_int_eq(try_append(1, i, 60000, false), 0);
    ck_assert_int_eq(log_mark(scene.log, &mark), 0);
    before = log_bytes(scene.log);
    no_malloc = _i == 0;
    no_realloc = _i == 1;
    no_free_bytes = _i == 2;
    int rc = log_cut(scene.log, mark);
    no_malloc = no_realloc = no_free_bytes = false;
    ck_assert_int_eq(rc, 0);
    if (_i == 0)
        ck_assert_uint_eq(log_bytes(scene.log), before);
    else
        ck_assert_uint_lt(log_bytes(scene.log), before / 2);
    ck_assert_int_eq(log_cut(scene.log, mark), 0);
    ck_assert_uint_lt(log_bytes(scene.log), before / 2);
    ck_assert_int_eq(try_append(1, 101, 100, false), 0);
    uint64_t floor[SCENE_SHARDS] = {0, 100};
    scene_crash(&scene);
    scene.options.floor_seq = floor;
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 1);
    ck_assert_uint_eq(scene.seen.last_value[1], 101);
}
END_TEST

/* The names of a cut are not durable: it is said, and what was cut may come
 * back, below the floor. */
START_TEST(a_cut_that_is_not_durable)
{
    uint64_t mark, floor[SCENE_SHARDS] = {0, 0, 60};
    ck_assert_int_eq(scene_open(&scene), 0);
    for (uint64_t i = 1; i <= 60; i++)
        ck_assert_int_eq(try_append(2, i, 60000, false), 0);
    ck_assert_int_eq(log_mark(scene.log, &mark), 0);
    dir_fails = true;
    int rc = log_cut(scene.log, mark);
    dir_fails = false;
    ck_assert_int_eq(rc, WARP_EIO);
    ck_assert(says("cannot sync the directory") && says(scene.dir));
    ck_assert_int_eq(log_health(scene.log), WARP_OK);
    ck_assert_int_eq(try_append(2, 61, 100, false), 0);
    ck_assert_int_eq(log_mark(scene.log, &mark), 0);
    ck_assert_int_eq(log_cut(scene.log, mark), 0);
    scene_crash(&scene);
    scene.options.floor_seq = floor;
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 1);
}
END_TEST

/* ---- space ---- */

static int asked;

static bool give_reserve(void *arg)
{
    (void)arg;
    if (asked++ > 0)
        return false;
    allocations = 1;
    return true;
}

static bool has_none(void *arg)
{
    (void)arg;
    asked++;
    return false;
}

static int drop_unbegun(void *arg, const char *name)
{
    char path[600];
    uint8_t magic[8] = {0};
    snprintf(path, sizeof path, "%s/%s", scene.dir, name);
    int fd = strstr(name, ".wlog") ? os_open(path, OS_READ) : -1;
    if (fd >= 0 && os_pread(fd, magic, sizeof magic, 0) >= 0 &&
        get64(magic) != LOG_SEGMENT_MAGIC)
        ck_assert_int_eq(unlink(path), 0);
    os_close(fd);
    (void)arg;
    return 0;
}

/* After a kill a new segment is needed, and the disk is full. _i: with a
 * reserve, with none that is left, without one. */
START_TEST(a_full_disk_at_a_start)
{
    ck_assert_int_eq(scene_open(&scene), 0);
    for (uint64_t i = 1; i <= 50; i++)
        ck_assert_int_eq(try_append(4, i, 1000, false), 0);
    scene_crash(&scene);
    ck_assert_int_eq(os_list(scene.dir, drop_unbegun, NULL), 0);
    asked = 0;
    allocations = 0;
    scene.options.need_space = _i == 0   ? give_reserve
                               : _i == 1 ? has_none
                                         : NULL;
    int rc = scene_open(&scene);
    if (_i == 0) {
        ck_assert_int_eq(rc, 0);
    } else {
        ck_assert_int_eq(rc, WARP_ENOSPC);
        ck_assert(says("cannot make the log segment") && says(scene.dir));
        ck_assert_int_eq(asked, _i == 1);
        log_close(&scene.log);
        allocations = -1;
        ck_assert_int_eq(scene_open(&scene), 0);
    }
    ck_assert_uint_eq(scene.replayed, 50);
    scene_stop(&scene);
    allocations = -1;
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 50);
}
END_TEST

/* The reserve's segment is for deletes; with space all go on. */
START_TEST(the_reserve_is_for_what_is_urgent)
{
    uint64_t count = 0, urgent = 0;
    int rc = 0;
    asked = 0;
    scene.options.need_space = give_reserve;
    ck_assert_int_eq(scene_open(&scene), 0);
    allocations = 0;
    while ((rc = try_append(0, count + 1, 20000, false)) == 0) {
        count++;
        ck_assert_uint_lt(count, 1000);
    }
    ck_assert_int_eq(rc, WARP_ENOSPC);
    ck_assert(says("writing resumes by itself"));
    ck_assert_int_ge(asked, 1);
    for (; urgent < 15; urgent++) /* of some 20 that it has room for */
        ck_assert_int_eq(try_append(1, urgent + 1, 20000, true), 0);
    ck_assert_int_eq(log_sync(scene.log), 0);
    ck_assert_int_eq(try_append(0, count + 1, 20000, false), WARP_ENOSPC);
    allocations = -1;
    for (int i = 0; i < 3000 && rc != 0; i++) {
        rc = try_append(0, count + 1, 20000, false);
        if (rc != 0)
            usleep(10000);
    }
    ck_assert_int_eq(rc, 0);
    scene_stop(&scene);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.seen.bad, 0);
    ck_assert_uint_eq(scene.seen.count[0], count + 1);
    ck_assert_uint_eq(scene.seen.count[1], urgent);
}
END_TEST

/* Small commits that are each waited for fill pages, not bytes: what a ring was
 * granted may find no segment then. It is said, and no more than it is: the
 * commit is there, and becomes durable as soon as there is room. */
START_TEST(a_wait_without_room)
{
    uint64_t value = 0, position = 0, unsure = 0;
    ck_assert_int_eq(scene_open(&scene), 0);
    scene_made(&scene);
    allocations = 0;
    int rc = 0;
    while (rc == 0 && value < 5000) {
        static uint8_t body[40];
        uint64_t seq;
        scene_body(body, sizeof body, value + 1);
        rc = log_append(scene.log, 6, 0, 0, body, sizeof body, true, &seq,
                        &position);
        value += rc == 0;
        if (rc == 0 && (rc = log_wait(scene.log, 6, position)) != 0)
            unsure++;
    }
    ck_assert_int_eq(rc, WARP_ENOSPC);
    ck_assert(says(scene.dir));
    if (unsure > 0)
        ck_assert(says("the commit is not on stable storage yet"));
    ck_assert_int_eq(log_health(scene.log), WARP_OK);
    allocations = -1;
    for (int i = 0; i < 3000 && (rc = log_sync(scene.log)) != 0; i++)
        usleep(10000);
    ck_assert_int_eq(rc, 0);
    ck_assert_uint_eq(scene.events, 0);
    scene_stop(&scene);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.seen.bad, 0);
    ck_assert_uint_eq(scene.seen.count[6], value);
}
END_TEST

/* ---- commits and batches ---- */

static int append_part(uint32_t shard, uint64_t id, size_t bytes)
{
    static uint8_t body[100];
    uint64_t seq, position;
    scene_body(body, sizeof body, 1);
    return log_append(scene.log, shard, id, 2, body, bytes, false, &seq,
                      &position);
}

/* Alone it is refused; in a batch, which is none then and keeps no checkpoint
 * from its mark. */
START_TEST(a_commit_that_is_too_long)
{
    uint64_t mark, id, seq, position;
    ck_assert_int_eq(scene_open(&scene), 0);
    ck_assert_int_eq(log_append(scene.log, 0, 0, 0, "x",
                                (size_t)LOG_BODY_MAX + 1, false, &seq,
                                &position), WARP_ELIMIT);
    ck_assert(says("268435457 bytes; the most is 268435456"));
    id = log_batch_id(scene.log);
    ck_assert_int_eq(append_part(0, id, 100), 0);
    ck_assert_int_eq(log_sync(scene.log), 0);
    ck_assert_int_eq(append_part(1, id, (size_t)LOG_BODY_MAX + 1),
                     WARP_ELIMIT);
    ck_assert_int_eq(log_mark(scene.log, &mark), 0);
    ck_assert_int_eq(try_append(2, 1, 100, false), 0);
    scene_stop(&scene);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.seen.count[0], 0);
    ck_assert_uint_eq(scene.seen.count[2], 1);
}
END_TEST

/* A mark does not wait for ever for a batch that nobody ends. */
START_TEST(a_batch_that_is_left_open)
{
    uint64_t mark, id;
    ck_assert_int_eq(scene_open(&scene), 0);
    ck_assert_int_eq(try_append(5, 1, 100, false), 0);
    id = log_batch_id(scene.log);
    ck_assert_int_eq(append_part(0, id, 100), 0);
    clock_jump = 200000000; /* 5 seconds are 25 looks at the clock */
    int rc = log_mark(scene.log, &mark);
    clock_jump = 0;
    ck_assert_int_eq(rc, WARP_EBUSY);
    ck_assert(says("a batch was begun in the log and is not finished"));
    ck_assert_int_eq(append_part(1, id, 100), 0);
    ck_assert_int_eq(log_mark(scene.log, &mark), 0);
    ck_assert_int_eq(log_cut(scene.log, 0), 0);
    scene_stop(&scene);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 3);
}
END_TEST

/* ---- the disk ---- */

/* Zeros ahead of short blocks in a blank segment are a write as any other. */
START_TEST(a_write_ahead_that_fails_is_sticky)
{
    uint64_t value = 0, position = 0;
    int rc = 0;
    scene.options.ring_bytes = 1 << 20;
    ck_assert_int_eq(scene_open(&scene), 0);
    for (; value < 3000; value++)
        scene_append(&scene, (uint32_t)(value % SCENE_SHARDS), value + 1,
                     30000);
    ck_assert_int_eq(log_sync(scene.log), 0);
    ahead_fails = true;
    uint64_t before = value;
    while (rc == 0 && value < before + 3000) {
        static uint8_t body[3000];
        uint64_t seq;
        scene_body(body, sizeof body, value + 1);
        rc = log_append(scene.log, 1, 0, 0, body, sizeof body, false, &seq,
                        &position);
        if (rc == 0)
            rc = log_wait(scene.log, 1, position);
        value += rc == 0;
    }
    ahead_fails = false;
    ck_assert_int_eq(rc, WARP_EIO);
    ck_assert_int_eq(log_health(scene.log), WARP_EIO);
    ck_assert_uint_eq(scene.events, 1);
    ck_assert(strstr(scene.event_text, "cannot write the log") &&
              strstr(scene.event_text, ".wlog"));
    ck_assert_int_eq(try_append(1, value + 1, 100, false), WARP_EIO);
    ck_assert(says("close the store and open it again"));
    log_close(&scene.log);
    ck_assert_int_eq(scene_open(&scene), 0);
    ck_assert_uint_eq(scene.seen.bad, 0);
    ck_assert_uint_ge(scene.replayed, value);
    ck_assert_uint_le(scene.replayed, value + 1);
    scene_stop(&scene);
}
END_TEST

static bool is_there(const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", scene.dir, name);
    return os_exists(path) == 1;
}

/* What cannot be measured is not kept; what is damaged is measured again. */
START_TEST(a_count_of_writes_is_measured_again)
{
    char path[600];
    scene.options.writes_in_flight = 0;
    for (int round = -2; round < 4; round++) {
        calibrate_opens = round == -2 ? 3 : 0; /* two make the file */
        calibrate_fails = round == 0;
        no_page = round == -1 ? LOG_PAGE : 0;
        ck_assert_int_eq(scene_open(&scene), 0);
        for (int i = 0; i < 3000; i++) {
            bool done = round <= 0 ? i > 50 && !is_there("calibrate.tmp")
                                   : is_there("in-flight") &&
                                         !is_there("calibrate.tmp");
            if (done)
                break;
            usleep(10000);
        }
        ck_assert_int_eq(is_there("in-flight"), round > 0);
        if (round <= 0)
            ck_assert_uint_eq(log_in_flight(scene.log), 4);
        ck_assert_uint_ge(log_in_flight(scene.log), 1);
        ck_assert_uint_le(log_in_flight(scene.log), 8);
        scene_append(&scene, 0, (uint64_t)round + 3, 100);
        scene_stop(&scene);
        snprintf(path, sizeof path, "%s/in-flight", scene.dir);
        if (round == 1)
            ck_assert_int_eq(truncate(path, 5), 0);
        if (round == 2) { /* a count of none, with a wrong sum */
            int fd = os_open(path, OS_WRITE);
            ck_assert_int_eq(os_pwrite(fd, "\0\0\0\0\1\2\3\4", 8, 0), 0);
            os_close(fd);
        }
    }
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 6);
}
END_TEST

START_TEST(a_copy_knows_where_a_segment_ends)
{
    struct log_extent e = {.limit_block = UINT64_MAX, .limit_clock = INT64_MAX};
    char path[600], other[600];
    ck_assert_int_eq(scene_open(&scene), 0);
    for (uint64_t i = 1; i <= 20; i++)
        ck_assert_int_eq(log_wait(scene.log, 0,
                                  scene_append(&scene, 0, i, 100)), 0);
    scene_stop(&scene);
    snprintf(path, sizeof path, "%s/00000001.wlog", scene.dir);
    uint64_t bytes = 0;
    for (int round = 0; round < 2; round++) {
        direct_refused = round == 1;
        ck_assert_int_eq(log_extent_read(path, &e), 0);
        ck_assert_uint_ge(e.next, e.first + 20);
        ck_assert_uint_eq(e.bytes, e.cut_bytes);
        ck_assert(bytes == 0 || bytes == e.bytes);
        bytes = e.bytes;
    }
    direct_refused = false;
    e.limit_block = e.first + 3;
    ck_assert_int_eq(log_extent_read(path, &e), 0);
    ck_assert(e.limited && e.next == e.first + 3 && e.bytes < bytes);
    e.limit_block = UINT64_MAX;
    opens_fail = true;
    ck_assert_int_eq(log_extent_read(path, &e), WARP_EIO);
    ck_assert(says(path));
    opens_fail = false;
    for (int read = 0; read < 10; read += 3) {
        reads_until_error = read;
        ck_assert_int_eq(log_extent_read(path, &e), WARP_EIO);
        ck_assert(says(path));
    }
    reads_until_error = -1;
    no_page = LOG_HEADER_BYTES + LOG_PAGE;
    ck_assert_int_eq(log_extent_read(path, &e), WARP_ENOMEM);
    no_page = 0;
    snprintf(other, sizeof other, "%s/00000099.wlog", scene.dir);
    ck_assert_int_eq(log_extent_read(other, &e), WARP_ENOTFOUND);
    /* Under another name it is what an earlier use has left. */
    ck_assert_int_eq(rename(path, other), 0);
    ck_assert_int_eq(log_extent_read(other, &e), WARP_ENOTFOUND);
    ck_assert_int_eq(rename(other, path), 0);
    ck_assert_int_eq(truncate(path, 100), 0);
    ck_assert_int_eq(log_extent_read(path, &e), WARP_ENOTFOUND);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_limits");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, no_memory_for_segments);
    tcase_add_loop_test(all, a_cut_makes_do_without_memory, 0, 3);
    tcase_add_test(all, a_cut_that_is_not_durable);
    tcase_add_loop_test(all, a_full_disk_at_a_start, 0, 3);
    tcase_add_test(all, the_reserve_is_for_what_is_urgent);
    tcase_add_test(all, a_wait_without_room);
    tcase_add_test(all, a_commit_that_is_too_long);
    tcase_add_test(all, a_batch_that_is_left_open);
    tcase_add_test(all, a_write_ahead_that_fails_is_sticky);
    tcase_add_test(all, a_count_of_writes_is_measured_again);
    tcase_add_test(all, a_copy_knows_where_a_segment_ends);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
