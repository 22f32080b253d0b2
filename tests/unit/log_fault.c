/* The log on a failing disk: an error of a write is sticky and nothing that was
 * acknowledged is lost; a full disk is not, and writing resumes by itself. The
 * linker puts the functions below between the log and os.c. */
#include "log_inner.h"
#include "log_scene.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

int __real_os_pwrite(int fd, const void *from, size_t bytes, uint64_t at);
int __wrap_os_pwrite(int fd, const void *from, size_t bytes, uint64_t at);
int64_t __real_os_pread(int fd, void *to, size_t bytes, uint64_t at);
int64_t __wrap_os_pread(int fd, void *to, size_t bytes, uint64_t at);
int __real_os_allocate(int fd, uint64_t at, uint64_t bytes);
int __wrap_os_allocate(int fd, uint64_t at, uint64_t bytes);
int __real_os_rename(const char *from, const char *to);
int __wrap_os_rename(const char *from, const char *to);
int __real_os_unlink(const char *path);
int __wrap_os_unlink(const char *path);
int __real_os_fdatasync(int fd);
int __wrap_os_fdatasync(int fd);
int __real_os_open(const char *path, int flags);
int __wrap_os_open(const char *path, int flags);
int64_t __real_os_mono_ns(void);
int64_t __wrap_os_mono_ns(void);

static _Atomic int64_t writes_until_error = -1, reads_until_error = -1;
static _Atomic bool disk_full, direct_refused, torn_write;
static _Atomic int names_until_error = -1; /* of segments that are cut */
static _Atomic uint32_t writes_of_zeros; /* of a block's length */
static _Atomic size_t longest_of_zeros;

static bool is_zero(const uint8_t *from, size_t bytes)
{
    return from[0] == 0 && memcmp(from, from + 1, bytes - 1) == 0;
}

/* Of two writers the first comes to its sync when the other's has failed, which
 * dropped the pages of both: the kernel tells the first that all is well. */
static _Atomic enum { AS_USUAL, FIRST_WRITES, SECOND_FAILS, ALL_WELL } syncs;

int __wrap_os_fdatasync(int fd)
{
    int second = SECOND_FAILS;
    if (atomic_load(&syncs) == AS_USUAL)
        return __real_os_fdatasync(fd);
    return atomic_compare_exchange_strong(&syncs, &second, ALL_WELL) ? -EIO : 0;
}

static void write_first(void)
{
    int first = FIRST_WRITES;
    if (!atomic_compare_exchange_strong(&syncs, &first, SECOND_FAILS))
        return;
    for (int i = 0; i < 30000 && atomic_load(&syncs) == SECOND_FAILS; i++)
        usleep(1000);
}

static _Atomic uint32_t writes_take_us;

/* A busy machine has time to come as soon as an idle one. */
static _Atomic int64_t clock_slowed = 1;

int64_t __wrap_os_mono_ns(void)
{
    return __real_os_mono_ns() / atomic_load(&clock_slowed);
}

int __wrap_os_pwrite(int fd, const void *from, size_t bytes, uint64_t at)
{
    int64_t left = atomic_load(&writes_until_error);
    if (left >= 0 && atomic_fetch_sub(&writes_until_error, 1) <= 0) {
        if (atomic_load(&torn_write))
            (void)__real_os_pwrite(fd, from, bytes / 2 & ~(size_t)511, at);
        return -EIO;
    }
    if (is_zero(from, bytes)) {
        atomic_fetch_add(&writes_of_zeros, bytes > 512 << 10);
        if (bytes > atomic_load(&longest_of_zeros))
            atomic_store(&longest_of_zeros, bytes);
    }
    usleep(atomic_load(&writes_take_us));
    int rc = __real_os_pwrite(fd, from, bytes, at);
    write_first();
    return rc;
}

/* One read fails, those behind it do not. */
int64_t __wrap_os_pread(int fd, void *to, size_t bytes, uint64_t at)
{
    if (atomic_load(&reads_until_error) >= 0 &&
        atomic_fetch_sub(&reads_until_error, 1) == 0)
        return -EIO;
    return __real_os_pread(fd, to, bytes, at);
}

int __wrap_os_allocate(int fd, uint64_t at, uint64_t bytes)
{
    if (atomic_load(&disk_full))
        return -ENOSPC;
    return __real_os_allocate(fd, at, bytes);
}

int __wrap_os_open(const char *path, int flags)
{
    if ((flags & OS_DIRECT) && atomic_load(&direct_refused))
        return -EINVAL;
    return __real_os_open(path, flags);
}

static bool name_fails(const char *path)
{
    return strstr(path, "/free-") == NULL && strstr(path, ".wlog") &&
           atomic_load(&names_until_error) == 0;
}

int __wrap_os_rename(const char *from, const char *to)
{
    if (name_fails(from))
        return -ENOSPC;
    if (atomic_load(&names_until_error) > 0 && strstr(to, "/free-"))
        atomic_fetch_sub(&names_until_error, 1);
    return __real_os_rename(from, to);
}

int __wrap_os_unlink(const char *path)
{
    return name_fails(path) ? -EIO : __real_os_unlink(path);
}

static struct scene scene;
static int reserve;

static bool need_space(void *arg)
{
    (void)arg;
    reserve++;
    return false;
}

static void setup(void)
{
    scene_make(&scene);
    reserve = 0;
    atomic_store(&writes_until_error, -1);
    atomic_store(&reads_until_error, -1);
    atomic_store(&disk_full, false);
    atomic_store(&direct_refused, false);
    atomic_store(&torn_write, false);
}

struct segments {
    uint32_t all, blank; /* blank: allocated, not written */
};

static int count_segment(void *arg, const char *name)
{
    struct segments *count = arg;
    char path[600];
    uint64_t bytes = 0;
    snprintf(path, sizeof path, "%s/%s", scene.dir, name);
    int fd = os_open(path, OS_READ);
    if (fd >= 0 && strstr(name, ".wlog") && os_size(fd, &bytes) == 0) {
        count->all++;
        count->blank += bytes % (512 << 10) == 4096;
    }
    os_close(fd);
    return 0;
}

static struct segments segments(void)
{
    struct segments count = {0};
    ck_assert_int_eq(os_list(scene.dir, count_segment, &count), 0);
    return count;
}

static void teardown(void)
{
    log_close(&scene.log);
    scene_remove(&scene);
}

static int try_append(uint32_t shard, uint64_t value, size_t bytes, bool urgent,
                      uint64_t *position)
{
    static uint8_t body[70000];
    uint64_t seq;
    scene_body(body, bytes, value);
    return log_append(scene.log, shard, 0, 0, body, bytes, urgent, &seq,
                      position);
}

/* None behind a segment that stays is taken away: all that is left is found. */
START_TEST(a_cut_that_fails_leaves_no_gap)
{
    for (int good = 0; good < 3; good++) {
        uint64_t floor[SCENE_SHARDS] = {0}, mark, seq;
        ck_assert_int_eq(scene_open(&scene), 0);
        for (uint64_t i = 1; i <= 60000; i++)
            scene_append(&scene, 3, i, 300);
        seq = log_seq(scene.log, 3);
        ck_assert_int_eq(log_mark(scene.log, &mark), 0);
        atomic_store(&names_until_error, good);
        ck_assert_int_eq(log_cut(scene.log, mark), WARP_EIO);
        atomic_store(&names_until_error, -1);
        scene_append(&scene, 3, 7, 300);
        scene_crash(&scene);
        floor[3] = seq;
        scene.options.floor_seq = floor;
        ck_assert_int_eq(scene_open(&scene), 0);
        ck_assert_uint_eq(scene.events, 0);
        ck_assert_uint_eq(scene.seen.last_seq[3], seq + 1);
        ck_assert_int_eq(log_mark(scene.log, &mark), 0);
        ck_assert_int_eq(log_cut(scene.log, mark), WARP_OK);
        scene.options.floor_seq = NULL;
        log_close(&scene.log);
        scene_remove(&scene);
        scene_make(&scene);
    }
}
END_TEST

/* What cannot be read is no end of the log: whichever read fails, the open says
 * so, and the next one finds all. */
START_TEST(a_failed_read_ends_the_open_and_loses_nothing)
{
    uint32_t failed = 0;
    if (_i == 1) /* blocks that no single read holds */
        scene.options.ring_bytes = 1 << 20;
    ck_assert_int_eq(scene_open(&scene), 0);
    uint64_t count = _i == 1 ? 70 : 200;
    for (uint64_t i = 1; i <= count; i++)
        scene_append(&scene, 3, i, _i == 1 ? 30000 : 300);
    scene_crash(&scene);
    for (int64_t read = 0;; read++) {
        atomic_store(&reads_until_error, read);
        int rc = scene_open(&scene);
        bool came = atomic_load(&reads_until_error) < 0;
        atomic_store(&reads_until_error, -1);
        if (rc != 0) {
            ck_assert_int_eq(rc, WARP_EIO);
            failed++;
        } else if (!came) {
            break;
        }
        scene_crash(&scene);
        scene_replay_only(&scene);
        ck_assert_uint_eq(scene.seen.count[3], count);
        ck_assert_uint_eq(scene.seen.bad, 0);
    }
    ck_assert_uint_ge(failed, 3);
}
END_TEST

/* _i: 0 after some writes, 1 torn, 2 at once, 3 without direct writes. */
START_TEST(an_error_of_a_write_is_sticky)
{
    uint64_t position, acked = 0, failed = 0;
    atomic_store(&direct_refused, _i == 3);
    ck_assert_int_eq(scene_open(&scene), 0);
    scene_made(&scene);
    atomic_store(&torn_write, _i == 1);
    atomic_store(&writes_until_error, _i == 2 ? 0 : 20);
    for (uint64_t i = 1; i <= 100; i++) {
        int rc = try_append(3, i, 100, false, &position);
        if (rc == 0)
            rc = log_wait(scene.log, 3, position);
        if (rc == 0) {
            ck_assert_uint_eq(failed, 0);
            acked = i;
        } else {
            ck_assert_int_eq(rc, WARP_EIO);
            failed++;
        }
    }
    ck_assert_uint_gt(failed, 70);
    ck_assert_int_eq(log_health(scene.log), WARP_EIO);
    ck_assert_uint_eq(scene.events, 1);
    ck_assert_int_eq(scene.event_code, WARP_EIO);
    ck_assert(strstr(scene.event_text, ".wlog") != NULL);
    ck_assert_int_eq(log_stop(scene.log), WARP_EIO);
    log_close(&scene.log);
    atomic_store(&writes_until_error, -1);
    ck_assert_msg(scene_open(&scene) == 0, "%s", error_text());
    ck_assert_uint_eq(scene.seen.bad, 0);
    ck_assert_uint_ge(scene.seen.count[3], acked);
    ck_assert_uint_eq(scene.seen.count[3], scene.seen.last_value[3]);
    uint64_t next = scene.seen.count[3] + 1;
    ck_assert_int_eq(try_append(3, next, 100, false, &position), 0);
    ck_assert_int_eq(log_wait(scene.log, 3, position), 0);
    scene_stop(&scene);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.seen.count[3], next);
    ck_assert_uint_eq(scene.seen.bad, 0);
}
END_TEST

START_TEST(a_full_disk_is_not_sticky)
{
    uint64_t position, count = 0, mark;
    scene.options.need_space = need_space;
    ck_assert_int_eq(scene_open(&scene), 0);
    while (segments().all < 2)
        usleep(10000);
    atomic_store(&disk_full, true);
    int rc;
    while ((rc = try_append(0, count + 1, 20000, false, &position)) == 0) {
        count++;
        ck_assert_uint_lt(count, 1000);
    }
    ck_assert_int_eq(rc, WARP_ENOSPC);
    ck_assert_int_eq(reserve, 1);
    ck_assert_int_eq(log_health(scene.log), WARP_OK);
    ck_assert_uint_gt(count, 20);
    /* Small urgent ones still go, and all that was taken becomes durable. */
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(try_append(1, (uint64_t)i + 1, 100, true, &position),
                         0);
    ck_assert_int_eq(log_wait(scene.log, 1, position), 0);
    ck_assert_int_eq(log_sync(scene.log), 0);
    ck_assert_int_eq(try_append(0, 1, 20000, false, &position), WARP_ENOSPC);
    ck_assert_int_eq(reserve, 1);
    if (_i == 0) {
        atomic_store(&disk_full, false);
    } else {
        /* Room comes from a checkpoint instead. */
        ck_assert_int_eq(log_mark(scene.log, &mark), 0);
        ck_assert_int_eq(log_cut(scene.log, mark), 0);
    }
    for (int i = 0; i < 3000; i++) {
        rc = try_append(0, count + 1, 20000, false, &position);
        if (rc == 0)
            break;
        usleep(10000);
    }
    ck_assert_int_eq(rc, 0);
    ck_assert_uint_eq(scene.events, 0);
    scene_stop(&scene);
    if (_i == 0) {
        scene_replay_only(&scene);
        ck_assert_uint_eq(scene.seen.bad, 0);
        ck_assert_uint_eq(scene.seen.count[0], count + 1);
        ck_assert_uint_eq(scene.seen.count[1], 50);
    }
}
END_TEST

/* A file system of 8 MiB, really full. */
START_TEST(a_small_file_system_fills_up)
{
    uint64_t position, count = 0, mark;
    char small[300];
    snprintf(small, sizeof small, "%s/small", scene.dir);
    ck_assert_int_eq(os_mkdir(small), 0);
    if (mount("tmpfs", small, "tmpfs", 0, "size=12m") != 0) {
        fprintf(stderr, "skipped: no tmpfs may be mounted here (%s)\n",
                strerror(errno));
        rmdir(small);
        return;
    }
    char parent[256];
    memcpy(parent, scene.dir, sizeof parent);
    memcpy(scene.dir, small, sizeof scene.dir);
    ck_assert_int_eq(scene_open(&scene), 0);
    int rc, refused = 0;
    for (int round = 0; round < 3; round++) {
        while ((rc = try_append((uint32_t)(count % 3), count / 3 + 1, 3000,
                                false, &position)) == 0) {
            count++;
            ck_assert_uint_lt(count, 100000);
        }
        ck_assert_int_eq(rc, WARP_ENOSPC);
        refused++;
        ck_assert_int_eq(log_sync(scene.log), 0);
        ck_assert_int_eq(log_mark(scene.log, &mark), 0);
        ck_assert_int_eq(log_cut(scene.log, mark), 0);
        for (int i = 0; i < 3000; i++) {
            rc = try_append((uint32_t)(count % 3), count / 3 + 1, 3000, false,
                            &position);
            if (rc == 0)
                break;
            usleep(10000);
        }
        ck_assert_int_eq(rc, 0);
        count++;
    }
    ck_assert_int_eq(refused, 3);
    ck_assert_int_eq(log_health(scene.log), 0);
    scene_stop(&scene);
    ck_assert_int_eq(umount(small), 0);
    memcpy(scene.dir, parent, sizeof parent);
    rmdir(small);
}
END_TEST

START_TEST(reading_only_writes_nothing)
{
    ck_assert_int_eq(scene_open(&scene), 0);
    for (uint64_t i = 1; i <= 500; i++)
        scene_append(&scene, (uint32_t)(i % 3), i, 100);
    scene_crash(&scene);
    atomic_store(&writes_until_error, 0);
    atomic_store(&disk_full, true);
    for (int i = 0; i < 3; i++) {
        scene_replay_only(&scene);
        ck_assert_uint_eq(scene.replayed, 500);
    }
    ck_assert_int_eq(atomic_load(&writes_until_error), 0);
    scene.options.read_only = true;
    ck_assert_int_eq(scene_open(&scene), 0);
    uint64_t position;
    ck_assert_int_eq(try_append(0, 1, 10, false, &position), WARP_EREADONLY);
    ck_assert_int_eq(log_start(scene.log), WARP_EINVAL);
}
END_TEST

START_TEST(without_direct_writes_all_is_the_same)
{
    uint64_t position;
    atomic_store(&direct_refused, true);
    ck_assert_int_eq(scene_open(&scene), 0);
    for (uint64_t i = 1; i <= 3000; i++) {
        position = scene_append(&scene, 5, i, 500);
        if (i % 100 == 0)
            ck_assert_int_eq(log_wait(scene.log, 5, position), 0);
    }
    scene_crash(&scene);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.seen.count[5], 3000);
    ck_assert_uint_eq(scene.seen.bad, 0);
}
END_TEST

static void *append_one(void *shard)
{
    uint32_t s = (uint32_t)(uintptr_t)shard;
    uint64_t position;
    int rc = try_append(s, 1, 100, false, &position);
    if (rc == 0)
        rc = log_wait(scene.log, s, position);
    return (void *)(intptr_t)rc;
}

START_TEST(a_sync_that_fails_fails_for_all)
{
    pthread_t other;
    atomic_store(&direct_refused, true);
    scene.options.sync_every_ms = 60000;
    ck_assert_int_eq(scene_open(&scene), 0);
    scene_made(&scene);
    atomic_store(&syncs, FIRST_WRITES);
    pthread_create(&other, NULL, append_one, (void *)1);
    for (int i = 0; i < 30000 && atomic_load(&syncs) == FIRST_WRITES; i++)
        usleep(1000);
    ck_assert_int_eq((int)(intptr_t)append_one((void *)2), WARP_EIO);
    void *rc;
    pthread_join(other, &rc);
    ck_assert_int_eq((int)(intptr_t)rc, WARP_EIO);
    ck_assert_int_eq(atomic_load(&syncs), ALL_WELL);
    scene_crash(&scene);
    atomic_store(&syncs, AS_USUAL);
}
END_TEST

enum { CLIENTS = 16, COMMITS = 100 };
static struct os_lock shard_locks[SCENE_SHARDS];

static void *commit_durably(void *client)
{
    uint32_t s = (uint32_t)(uintptr_t)client % SCENE_SHARDS;
    int rc = 0;
    for (uint32_t i = 0; i < COMMITS && rc == 0; i++) {
        os_lock(&shard_locks[s]);
        uint64_t position =
            scene_append(&scene, s, log_seq(scene.log, s) + 1, 100);
        os_unlock(&shard_locks[s]);
        rc = log_wait(scene.log, s, position);
    }
    return (void *)(intptr_t)rc;
}

/* Who leads waits for those that the last write has woken: else each group
 * leaves some behind, who wait for two writes. */
START_TEST(many_clients_share_a_write)
{
    pthread_t clients[CLIENTS];
    void *rc;
    scene.options.writes_in_flight = 0; /* as many as pay */
    scene.options.sync_every_ms = 60000; /* its thread writes, too */
    ck_assert_int_eq(scene_open(&scene), 0);
    scene_made(&scene);
    uint64_t before = log_sync_count(scene.log);
    atomic_store(&clock_slowed, 100);
    atomic_store(&writes_take_us, 2000);
    for (uintptr_t i = 0; i < CLIENTS; i++)
        pthread_create(&clients[i], NULL, commit_durably, (void *)i);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i], &rc);
        ck_assert_int_eq((int)(intptr_t)rc, 0);
    }
    atomic_store(&writes_take_us, 0);
    atomic_store(&clock_slowed, 1);
    ck_assert_uint_le(log_sync_count(scene.log) - before,
                      CLIENTS * COMMITS / 9);
    scene_crash(&scene);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, CLIENTS * COMMITS);
}
END_TEST

/* A commit may have to wait for one of these writes. */
START_TEST(zeros_are_written_a_little_at_a_time)
{
    char path[300];
    ck_assert_int_eq(scene_open(&scene), 0);
    scene_made(&scene);
    snprintf(path, sizeof path, "%s/zeros", scene.dir);
    atomic_store(&longest_of_zeros, 0);
    ck_assert_int_eq(log_write_zeros(scene.log, path, 4 << 20, NULL), 0);
    ck_assert_uint_gt(atomic_load(&longest_of_zeros), 0);
    ck_assert_uint_le(atomic_load(&longest_of_zeros), 128 << 10);
    scene_crash(&scene);
}
END_TEST

static void append_quickly(uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i <= to; i++)
        scene_append(&scene, (uint32_t)(i % SCENE_SHARDS), i, 30000);
}

/* Segments that a log needs at once are left unwritten; short blocks that are
 * waited for there have zeros written ahead of them, once for many, whether the
 * log goes on in such a segment or is opened in it. */
START_TEST(a_log_that_grows_quickly_is_written_once)
{
    uint64_t value = 3000;
    scene.options.ring_bytes = 1 << 20;
    ck_assert_int_eq(scene_open(&scene), 0);
    append_quickly(1, value);
    ck_assert_uint_gt(segments().blank, 0);
    for (int run = 0; run < 2; run++) {
        atomic_store(&writes_of_zeros, 0);
        uint64_t until = value + 400;
        while (value < until) {
            uint64_t position = scene_append(&scene, 1, ++value, 3000);
            ck_assert_int_eq(log_wait(scene.log, 1, position), 0);
        }
        ck_assert_uint_ge(atomic_load(&writes_of_zeros), 1);
        ck_assert_uint_le(atomic_load(&writes_of_zeros), 4);
        if (run == 0) {
            scene_stop(&scene);
            ck_assert_int_eq(scene_open(&scene), 0);
            ck_assert_uint_eq(scene.replayed, value);
            ck_assert_uint_le(segments().blank, 8);
        }
    }
    scene_crash(&scene);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, value);
    ck_assert_uint_eq(scene.seen.bad, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_fault");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 120);
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_loop_test(all, an_error_of_a_write_is_sticky, 0, 4);
    tcase_add_loop_test(all, a_full_disk_is_not_sticky, 0, 2);
    tcase_add_test(all, a_cut_that_fails_leaves_no_gap);
    tcase_add_loop_test(all, a_failed_read_ends_the_open_and_loses_nothing, 0,
                        2);
    tcase_add_test(all, a_small_file_system_fills_up);
    tcase_add_test(all, reading_only_writes_nothing);
    tcase_add_test(all, without_direct_writes_all_is_the_same);
    tcase_add_test(all, a_sync_that_fails_fails_for_all);
    tcase_add_test(all, many_clients_share_a_write);
    tcase_add_test(all, zeros_are_written_a_little_at_a_time);
    tcase_add_test(all, a_log_that_grows_quickly_is_written_once);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
