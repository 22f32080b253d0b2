/* Each call of memory and of the system fails once while a log is opened,
 * replayed, started, appended to and cut, on the directory that a kill or a
 * clean end left: rings with records, batches with and without all parts, long
 * commits, several segments. It gives an error with a sentence or goes on; then
 * all that was there, and all that was acknowledged since, is there. */
#include "fault.h"
#include "log_format.h"
#include "log_scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILES_MAX = 40, SHARDS = 3, FIRST = 60, MORE = 4, SHORT = 16384 };

static struct file {
    char name[64];
    uint8_t *data;
    size_t bytes;
} files[FILES_MAX];
static uint32_t file_count;
static struct scene scene;

/* ---- the directory ---- */

static int keep_file(void *arg, const char *name)
{
    char path[600];
    uint64_t bytes;
    (void)arg;
    ck_assert_uint_lt(file_count, FILES_MAX);
    struct file *f = &files[file_count++];
    snprintf(f->name, sizeof f->name, "%s", name);
    snprintf(path, sizeof path, "%s/%s", scene.dir, name);
    int fd = os_open(path, OS_READ);
    ck_assert_int_eq(os_size(fd, &bytes), 0);
    f->bytes = (size_t)bytes;
    f->data = malloc(f->bytes + 1);
    ck_assert_ptr_nonnull(f->data);
    ck_assert(os_pread(fd, f->data, f->bytes, 0) == (int64_t)f->bytes);
    os_close(fd);
    /* A segment that was not begun is looked at page by page: not so many. */
    if (strstr(name, ".wlog") && f->bytes > SHORT && get64(f->data) == 0)
        f->bytes = SHORT;
    return 0;
}

static int drop_file(void *arg, const char *name)
{
    char path[600];
    (void)arg;
    snprintf(path, sizeof path, "%s/%s", scene.dir, name);
    return os_unlink(path);
}

static void put_all(void)
{
    ck_assert_int_eq(os_list(scene.dir, drop_file, NULL), 0);
    for (uint32_t i = 0; i < file_count; i++) {
        char path[600];
        snprintf(path, sizeof path, "%.255s/%.63s", scene.dir, files[i].name);
        int fd = os_open(path, OS_WRITE | OS_CREATE);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(os_pwrite(fd, files[i].data, files[i].bytes, 0), 0);
        os_close(fd);
    }
}

/* ---- commits ---- */

static uint64_t acked[SHARDS];

/* 1, 2, 3 … in each shard; nothing is asserted while a call may fail. */
static int append(uint32_t shard, size_t bytes, uint64_t batch,
                  uint32_t parts, uint64_t *position)
{
    static uint8_t body[200000];
    uint64_t seq;
    scene_body(body, bytes, acked[shard] + 1);
    int rc = log_append(scene.log, shard, batch, parts, body, bytes, false,
                        &seq, position);
    acked[shard] += rc == 0;
    return rc;
}

static int batch_over_two(uint64_t *position)
{
    uint64_t id = log_batch_id(scene.log);
    int rc = append(0, 100, id, 2, position);
    if (rc != 0)
        return rc;
    rc = append(1, 40000, id, 2, position); /* longer than a frame */
    acked[0] -= rc != 0; /* without its other part it is none */
    return rc;
}

/* What a life finds. */
enum left { NOTHING, A_STOP, RINGS, RINGS_WITH_THE_FIRST_BATCH };

/* After a kill the last commits are in the rings alone, and a batch of which
 * one part is missing. */
static void make_files(enum left left)
{
    uint64_t position = 0, seq;
    uint8_t body[64];
    memset(acked, 0, sizeof acked);
    if (left == NOTHING)
        return;
    ck_assert_msg(scene_open(&scene) == 0, "%s", error_text());
    for (int i = 0; i < FIRST && left != RINGS_WITH_THE_FIRST_BATCH; i++) {
        ck_assert_int_eq(append((uint32_t)i % SHARDS, 20000, 0, 0, &position),
                         0);
        if (i % 4 == 0)
            ck_assert_int_eq(batch_over_two(&position), 0);
    }
    ck_assert_int_eq(append(2, 150000, 0, 0, &position), 0);
    if (left != RINGS_WITH_THE_FIRST_BATCH)
        ck_assert_int_eq(append(2, 30, log_batch_id(scene.log), 1, &position),
                         0);
    ck_assert_int_eq(log_sync(scene.log), 0);
    if (left == A_STOP) {
        scene_stop(&scene);
    } else {
        for (int i = 0; i < 20; i++)
            ck_assert_int_eq(append(2, 300, 0, 0, &position), 0);
        ck_assert_int_eq(batch_over_two(&position), 0);
        scene_body(body, sizeof body, 0);
        ck_assert_int_eq(log_append(scene.log, 2, log_batch_id(scene.log), 2,
                                    body, sizeof body, false, &seq, &position),
                         0);
        scene_crash(&scene);
    }
    ck_assert_int_eq(os_list(scene.dir, keep_file, NULL), 0);
}

/* ---- one life ---- */

static int said, silent;

static int note(int rc)
{
    said += rc < 0;
    silent += rc < 0 && error_text()[0] == 0;
    return rc;
}

static void live(void)
{
    uint64_t position, mark;
    if (note(scene_open(&scene)) != 0)
        return;
    for (int i = 0; i < MORE; i++) {
        if (note(append((uint32_t)i % SHARDS, 30000, 0, 0, &position)) == 0)
            note(log_wait(scene.log, (uint32_t)i % SHARDS, position));
        note(batch_over_two(&position));
    }
    if (note(log_mark(scene.log, &mark)) == 0)
        note(log_cut(scene.log, 0)); /* nothing is in a tier */
    note(log_stop(scene.log));
}

static void check(uint64_t n)
{
    int rc = scene_open(&scene);
    ck_assert_msg(rc == 0, "fault %llu, opened again: %d, %s",
                  (unsigned long long)n, rc, error_text());
    ck_assert_uint_eq(scene.seen.bad, 0);
    for (uint32_t s = 0; s < SHARDS; s++)
        ck_assert_msg(scene.seen.count[s] >= acked[s] &&
                          scene.seen.last_value[s] >= acked[s],
                      "fault %llu, shard %u: %llu of %llu, the last %llu",
                      (unsigned long long)n, s,
                      (unsigned long long)scene.seen.count[s],
                      (unsigned long long)acked[s],
                      (unsigned long long)scene.seen.last_value[s]);
    ck_assert_uint_eq(scene.events, 0);
    scene_stop(&scene);
}

static void set_up(void)
{
    scene_make(&scene);
    scene.options.shards = SHARDS;
    scene.options.sync_every_ms = 60000; /* the rings keep what they have */
    file_count = 0;
}

static void tear_down(void)
{
    log_close(&scene.log);
    scene_remove(&scene);
    for (uint32_t i = 0; i < file_count; i++)
        free(files[i].data);
}

static const struct {
    enum fault_kind kind;
    int code;
    enum left left;
} cases[] = {{FAULT_MEMORY, ENOMEM, NOTHING},
             {FAULT_MEMORY, ENOMEM, A_STOP},
             {FAULT_MEMORY, ENOMEM, RINGS},
             {FAULT_MEMORY, ENOMEM, RINGS_WITH_THE_FIRST_BATCH},
             {FAULT_SYSTEM, EIO, NOTHING},
             {FAULT_SYSTEM, EIO, A_STOP},
             {FAULT_SYSTEM, EIO, RINGS},
             {FAULT_SYSTEM, ENOSPC, RINGS}};
enum { CASES = sizeof cases / sizeof cases[0] };

START_TEST(each_call_fails_once)
{
    uint64_t before[SHARDS];
    uint32_t failed = 0;
    bool reached = true;
    make_files(cases[_i].left);
    memcpy(before, acked, sizeof before);
    for (uint64_t n = 1; reached; n += cases[_i].code == ENOSPC ? 3 : 1) {
        put_all();
        memcpy(acked, before, sizeof before);
        atomic_store(&scene.events, 0);
        said = silent = 0;
        fault_arm(cases[_i].kind, n, cases[_i].code);
        live();
        reached = fault_disarm();
        log_close(&scene.log);
        ck_assert_msg(silent == 0, "fault %llu: an error without a sentence",
                      (unsigned long long)n);
        ck_assert(reached || said == 0);
        failed += said > 0;
        atomic_store(&scene.events, 0);
        check(n);
    }
    ck_assert_uint_gt(failed, 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_each");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 120);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_loop_test(all, each_call_fails_once, 0, CASES);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
