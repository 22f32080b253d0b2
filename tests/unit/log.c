/* The log: what is appended is replayed, once and in order, after a clean end
 * and after a crash; rings wrap; long commits and batches; cutting. */
#include "log_inner.h"
#include "log_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct scene scene;

static void setup(void)
{
    scene_make(&scene);
}

static void teardown(void)
{
    log_close(&scene.log);
    scene_remove(&scene);
}

static void open_scene(void)
{
    ck_assert_msg(scene_open(&scene) == 0, "%s", error_text());
    ck_assert_uint_eq(scene.seen.bad, 0);
}

START_TEST(an_empty_log_opens_again)
{
    for (int i = 0; i < 3; i++) {
        open_scene();
        ck_assert_uint_eq(scene.replayed, 0);
        scene_stop(&scene);
    }
    for (int i = 0; i < 3; i++) {
        open_scene();
        ck_assert_uint_eq(scene.replayed, 0);
        scene_crash(&scene);
    }
    ck_assert_uint_eq(scene.events, 0);
}
END_TEST

static uint64_t run_bytes[SCENE_SHARDS], all_bytes[SCENE_SHARDS];

static void on_progress(void *arg, uint32_t shard, uint64_t done, uint64_t all)
{
    ck_assert_ptr_eq(arg, &scene);
    ck_assert_uint_gt(done, run_bytes[shard]);
    ck_assert(run_bytes[shard] == 0 || all == all_bytes[shard]);
    run_bytes[shard] = done;
    all_bytes[shard] = all;
}

/* 0: stopped, 1: crashed. */
START_TEST(commits_come_back_in_order)
{
    uint64_t appended = 0;
    for (int round = 0; round < 5; round++) {
        open_scene();
        ck_assert_uint_eq(scene.replayed, appended);
        for (uint64_t i = 0; i < 5000; i++) {
            uint32_t s = (uint32_t)(i * 7 % SCENE_SHARDS);
            uint64_t seq = log_seq(scene.log, s);
            scene_append(&scene, s, seq + 1, 8 + i % 200);
            ck_assert_uint_eq(log_seq(scene.log, s), seq + 1);
            appended++;
        }
        if (_i == 1)
            scene_crash(&scene);
        else
            scene_stop(&scene);
    }
    scene.options.progress = on_progress;
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, appended);
    ck_assert_uint_eq(scene.seen.bad, 0);
    for (uint32_t s = 0; s < SCENE_SHARDS; s++) {
        ck_assert_uint_gt(run_bytes[s], 0);
        ck_assert_uint_eq(run_bytes[s], all_bytes[s]);
        ck_assert_uint_eq(scene.seen.count[s], appended / SCENE_SHARDS);
        ck_assert_uint_eq(scene.seen.last_value[s], appended / SCENE_SHARDS);
    }
    ck_assert_uint_eq(scene.events, 0);
}
END_TEST

START_TEST(a_crash_right_after_an_open_loses_nothing)
{
    open_scene();
    for (uint64_t i = 1; i <= 100; i++)
        scene_append(&scene, 3, i, 100);
    scene_crash(&scene);
    for (int i = 0; i < 4; i++) {
        open_scene();
        ck_assert_uint_eq(scene.replayed, 100);
        scene_crash(&scene);
    }
}
END_TEST

START_TEST(long_commits_are_put_together)
{
    open_scene();
    for (uint64_t i = 1; i <= 5; i++) {
        scene_append(&scene, 1, i, 300000);
        scene_append(&scene, 2, i, 20000);
        scene_append(&scene, 1, i, 10);
    }
    scene_append(&scene, 1, 6, 5000000);
    if (_i == 1)
        scene_crash(&scene);
    else
        scene_stop(&scene);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.seen.bad, 0);
    ck_assert_uint_eq(scene.seen.count[1], 11);
    ck_assert_uint_eq(scene.seen.count[2], 5);
    ck_assert_uint_eq(scene.seen.last_value[1], 6);
}
END_TEST

static int append_part(uint32_t shard, uint64_t batch, uint32_t parts,
                       uint64_t value)
{
    uint8_t body[100];
    uint64_t seq, position;
    scene_body(body, sizeof body, value);
    return log_append(scene.log, shard, batch, parts, body, sizeof body, false,
                      &seq, &position);
}

START_TEST(a_batch_without_all_its_parts_is_left_out)
{
    open_scene();
    scene_append(&scene, 0, 1, 50);
    uint64_t whole = log_batch_id(scene.log), torn = log_batch_id(scene.log);
    for (uint32_t s = 0; s < 4; s++)
        ck_assert_int_eq(append_part(s, whole, 4, 2), 0);
    for (uint32_t s = 0; s < 3; s++)
        ck_assert_int_eq(append_part(s, torn, 4, 3), 0);
    if (_i == 1)
        scene_crash(&scene);
    else
        scene_stop(&scene);
    for (int i = 0; i < 3; i++) {
        open_scene();
        ck_assert_uint_eq(scene.replayed, 5 + (uint64_t)i);
        ck_assert_uint_eq(scene.seen.last_value[3], 2);
        ck_assert_uint_eq(scene.seen.last_value[1], 2);
        scene_append(&scene, 0, 4, 50);
        scene_stop(&scene);
    }
}
END_TEST

START_TEST(what_is_waited_for_is_durable)
{
    open_scene();
    for (uint64_t i = 1; i <= 50; i++) {
        uint64_t position = scene_append(&scene, (uint32_t)(i % 3), i, 90);
        ck_assert_int_eq(log_wait(scene.log, (uint32_t)(i % 3), position), 0);
    }
    ck_assert_uint_ge(log_sync_count(scene.log), 50);
    ck_assert_uint_eq(log_lag_ms(scene.log), 0);
    /* The rings are gone: all of it must be in the stream. */
    scene_crash(&scene);
    for (uint32_t s = 0; s < SCENE_SHARDS; s++) {
        char path[300];
        snprintf(path, sizeof path, "%s/ring-%03u", scene.dir, s);
        ck_assert_int_eq(os_unlink(path), 0);
    }
    open_scene();
    ck_assert_uint_eq(scene.replayed, 50);
    ck_assert_uint_eq(scene.events, SCENE_SHARDS);
}
END_TEST

START_TEST(the_floor_is_not_replayed)
{
    uint64_t floor[SCENE_SHARDS] = {0};
    open_scene();
    for (uint64_t i = 1; i <= 80; i++)
        scene_append(&scene, (uint32_t)(i % SCENE_SHARDS), i, 30);
    scene_stop(&scene);
    floor[2] = 4;
    floor[5] = 10;
    scene.options.floor_seq = floor;
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 66);
    ck_assert_uint_eq(scene.seen.count[2], 6);
    ck_assert_uint_eq(scene.seen.count[5], 0);
    scene.options.floor_seq = NULL;
}
END_TEST

START_TEST(a_cut_gives_the_space_back)
{
    uint64_t floor[SCENE_SHARDS], mark;
    open_scene();
    for (int round = 0; round < 6; round++) {
        for (uint64_t i = 0; i < 40000; i++)
            scene_append(&scene, (uint32_t)(i % SCENE_SHARDS), i + 1, 100);
        ck_assert_int_eq(log_mark(scene.log, &mark), 0);
        for (uint32_t s = 0; s < SCENE_SHARDS; s++)
            floor[s] = log_seq(scene.log, s);
        ck_assert_int_eq(log_cut(scene.log, mark), 0);
        ck_assert_uint_le(log_bytes(scene.log), 8 << 20);
    }
    scene_append(&scene, 0, 7, 100);
    scene_crash(&scene);
    scene.options.floor_seq = floor;
    open_scene();
    ck_assert_uint_eq(scene.replayed, 1);
    ck_assert_uint_eq(scene.seen.last_seq[0], floor[0] + 1);
    ck_assert_uint_eq(log_seq(scene.log, 1), floor[1]);
    scene.options.floor_seq = NULL;
}
END_TEST

struct appender {
    struct os_thread thread;
    struct os_lock *locks;
    uint32_t index;
    uint64_t count;
};

static void *append_all(void *arg)
{
    struct appender *a = arg;
    uint64_t state = a->index * 77 + 1;
    for (uint64_t i = 0; i < a->count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint32_t s = (uint32_t)(state >> 33) % SCENE_SHARDS;
        uint32_t t = (uint32_t)(state >> 40) % SCENE_SHARDS;
        if (i % 10 != 0 || s == t) {
            os_lock(&a->locks[s]);
            scene_append(&scene, s, log_seq(scene.log, s) + 1,
                         20 + (state >> 50) % 300);
            os_unlock(&a->locks[s]);
            continue;
        }
        uint32_t low = s < t ? s : t, high = s < t ? t : s;
        os_lock(&a->locks[low]);
        os_lock(&a->locks[high]);
        uint64_t id = log_batch_id(scene.log);
        ck_assert_int_eq(append_part(low, id, 2, log_seq(scene.log, low) + 1),
                         0);
        ck_assert_int_eq(append_part(high, id, 2, log_seq(scene.log, high) + 1),
                         0);
        os_unlock(&a->locks[high]);
        os_unlock(&a->locks[low]);
    }
    return NULL;
}

START_TEST(threads_append_to_all_shards)
{
    struct os_lock locks[SCENE_SHARDS] = {0};
    struct appender a[4] = {0};
    uint64_t seqs[SCENE_SHARDS], mark;
    open_scene();
    for (uint32_t i = 0; i < 4; i++) {
        a[i] = (struct appender){.locks = locks, .index = i, .count = 30000};
        ck_assert_int_eq(
            os_thread_start(&a[i].thread, append_all, &a[i], "appender"), 0);
    }
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(log_mark(scene.log, &mark), 0);
    for (uint32_t i = 0; i < 4; i++)
        os_thread_join(&a[i].thread);
    for (uint32_t s = 0; s < SCENE_SHARDS; s++)
        seqs[s] = log_seq(scene.log, s);
    if (_i == 1)
        scene_crash(&scene);
    else
        scene_stop(&scene);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.seen.bad, 0);
    for (uint32_t s = 0; s < SCENE_SHARDS; s++) {
        ck_assert_uint_eq(scene.seen.count[s], seqs[s]);
        ck_assert_uint_eq(scene.seen.last_value[s], seqs[s]);
    }
}
END_TEST

static _Atomic bool enough;

static void *append_large(void *arg)
{
    for (uint32_t i = 0; !atomic_load(&enough); i++)
        scene_append(&scene, i % SCENE_SHARDS, i, 40000);
    return arg;
}

/* One cut follows the other, and each has many blocks: a mark is where one of
 * them ended, and does not wait until none is under way. What the machine does
 * between two looks counts as blocks, too, but not each time. */
START_TEST(a_mark_comes_under_load)
{
    enum { MARKS = 30, RING = 1 << 20, SOON = 3 * SCENE_SHARDS };
    struct os_thread writer;
    uint64_t mark;
    int soon = 0;
    scene.options.ring_bytes = RING;
    open_scene();
    atomic_store(&enough, false);
    ck_assert_int_eq(os_thread_start(&writer, append_large, NULL, "large"), 0);
    for (int i = 0; i < MARKS; i++) {
        uint64_t before = log_next_block(scene.log) + 16;
        while (log_next_block(scene.log) < before)
            usleep(100);
        before = log_next_block(scene.log);
        ck_assert_int_eq(log_mark(scene.log, &mark), 0);
        ck_assert_uint_ge(mark, before);
        ck_assert_uint_le(mark, log_next_block(scene.log));
        ck_assert_int_eq(log_cut(scene.log, mark), 0);
        soon += mark - before <= SOON;
    }
    atomic_store(&enough, true);
    os_thread_join(&writer);
    ck_assert_int_ge(soon, MARKS * 3 / 4);
}
END_TEST

static void *commit_durably(void *arg)
{
    struct appender *a = arg;
    for (uint64_t i = 0; i < a->count; i++) {
        uint32_t s = (uint32_t)(a->index + i) % SCENE_SHARDS;
        os_lock(&a->locks[s]);
        uint64_t position =
            scene_append(&scene, s, log_seq(scene.log, s) + 1, 100);
        os_unlock(&a->locks[s]);
        ck_assert_int_eq(log_wait(scene.log, s, position), 0);
    }
    return NULL;
}

/* Many wait for one write: the figures are log-bench's; here that all of it is
 * durable, with fewer writes than commits. */
START_TEST(waiters_share_writes)
{
    const uint32_t clients[] = {1, 16, 64};
    struct os_lock locks[SCENE_SHARDS] = {0};
    static struct appender a[64];
    uint32_t count = clients[_i % 3];
    scene.options.writes_in_flight = _i < 3 ? 2 : 0; /* as many as pay */
    open_scene();
    for (uint32_t i = 0; i < count; i++) {
        a[i] = (struct appender){.locks = locks, .index = i, .count = 50};
        ck_assert_int_eq(
            os_thread_start(&a[i].thread, commit_durably, &a[i], "client"), 0);
    }
    for (uint32_t i = 0; i < count; i++)
        os_thread_join(&a[i].thread);
    uint64_t writes = log_sync_count(scene.log);
    ck_assert_uint_ge(writes, 50);
    if (count == 64)
        ck_assert_uint_lt(writes, 64 * 50 / 2);
    scene_crash(&scene);
    for (uint32_t s = 0; s < SCENE_SHARDS; s++) {
        char path[300];
        snprintf(path, sizeof path, "%s/ring-%03u", scene.dir, s);
        ck_assert_int_eq(os_unlink(path), 0);
    }
    open_scene();
    ck_assert_uint_eq(scene.replayed, 50 * count);
}
END_TEST

/* A thread is woken for what is left to write, not for what others wrote. */
START_TEST(the_flusher_is_woken_for_a_quarter_of_a_ring)
{
    enum { COMMITS = 8, BYTES = 1000 };
    scene.options.sync_every_ms = 600000;
    open_scene();
    uint32_t before = atomic_load(&scene.log->kick);
    uint64_t quarter = scene.options.ring_bytes / 4, value = 0;
    for (uint64_t sum = 0; sum < 8 * quarter; sum += COMMITS * BYTES) {
        for (int i = 0; i < COMMITS; i++)
            scene_append(&scene, 0, ++value, BYTES);
        ck_assert_int_eq(log_sync(scene.log), 0);
    }
    ck_assert_uint_eq(atomic_load(&scene.log->kick), before);
    for (uint64_t sum = 0; sum < quarter; sum += BYTES)
        scene_append(&scene, 0, ++value, BYTES);
    ck_assert_uint_ge(atomic_load(&scene.log->kick), before + 1);
}
END_TEST

/* What is not written at the same time shares its memory. */
START_TEST(one_write_after_the_other_takes_one_buffer)
{
    scene.options.sync_every_ms = 600000;
    open_scene();
    const struct log *log = scene.log;
    ck_assert_uint_eq(log->buffer_count, log->slot_count);
    const uint8_t *buffer = log->buffers[log->buffer_count - 1];
    for (uint64_t value = 1; value <= 2 * LOG_SLOTS_MAX; value++) {
        uint64_t position = scene_append(&scene, 0, value, 3000);
        ck_assert_int_eq(log_wait(scene.log, 0, position), 0);
        ck_assert_uint_eq(log->buffer_count, log->slot_count);
        ck_assert_ptr_eq(log->buffers[log->buffer_count - 1], buffer);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, an_empty_log_opens_again);
    tcase_add_loop_test(all, commits_come_back_in_order, 0, 2);
    tcase_add_test(all, a_crash_right_after_an_open_loses_nothing);
    tcase_add_loop_test(all, long_commits_are_put_together, 0, 2);
    tcase_add_loop_test(all, a_batch_without_all_its_parts_is_left_out, 0, 2);
    tcase_add_test(all, what_is_waited_for_is_durable);
    tcase_add_test(all, the_floor_is_not_replayed);
    tcase_add_test(all, a_cut_gives_the_space_back);
    tcase_add_test(all, a_mark_comes_under_load);
    tcase_add_loop_test(all, threads_append_to_all_shards, 0, 2);
    tcase_add_loop_test(all, waiters_share_writes, 0, 6);
    tcase_add_test(all, the_flusher_is_woken_for_a_quarter_of_a_ring);
    tcase_add_test(all, one_write_after_the_other_takes_one_buffer);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
