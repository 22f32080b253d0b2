/* kill -9 in a loop: what was acknowledged is there, in order, batches whole,
 * and the same store goes on. Counters live in memory that survives the child.
 */
#include "log_scene.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__
enum { SLOWNESS = 10 };
#else
enum { SLOWNESS = 1 };
#endif
enum { THREADS = 3, ROUNDS = 25 };

struct counters {
    _Atomic uint64_t acked[SCENE_SHARDS]; /* appended, the call returned */
    _Atomic uint64_t durable[SCENE_SHARDS];
    _Atomic uint64_t batches;
    struct os_lock locks[SCENE_SHARDS];
};

static struct scene scene;
static struct counters *counters;

static void *work(void *arg)
{
    uint64_t state = (uint64_t)(uintptr_t)arg + (uint64_t)os_mono_ns();
    uint8_t body[60000];
    for (;;) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint32_t s = (uint32_t)(state >> 33) % (SCENE_SHARDS - 2);
        size_t bytes = 8 + (state >> 40) % 200;
        uint64_t seq, position;
        if (state >> 60 == 0)
            bytes = 50000;
        if ((state >> 52) % 8 == 0) {
            /* The last two shards hold batches of two alone. */
            uint32_t a = SCENE_SHARDS - 2, b = SCENE_SHARDS - 1;
            os_lock(&counters->locks[a]);
            os_lock(&counters->locks[b]);
            uint64_t id = log_batch_id(scene.log);
            scene_body(body, 100, atomic_load(&counters->acked[a]) + 1);
            if (log_append(scene.log, a, id, 2, body, 100, false, &seq,
                           &position) != 0 ||
                log_append(scene.log, b, id, 2, body, 100, false, &seq,
                           &position) != 0)
                abort();
            atomic_fetch_add(&counters->acked[a], 1);
            atomic_fetch_add(&counters->acked[b], 1);
            os_unlock(&counters->locks[b]);
            os_unlock(&counters->locks[a]);
            continue;
        }
        os_lock(&counters->locks[s]);
        uint64_t value = atomic_load(&counters->acked[s]) + 1;
        scene_body(body, bytes, value);
        if (log_append(scene.log, s, 0, 0, body, bytes, false, &seq,
                       &position) != 0)
            abort();
        atomic_store(&counters->acked[s], value);
        os_unlock(&counters->locks[s]);
        if ((state >> 45) % 64 == 0) {
            if (log_wait(scene.log, s, position) != 0)
                abort();
            uint64_t old = atomic_load(&counters->durable[s]);
            while (old < value && !atomic_compare_exchange_weak(
                                      &counters->durable[s], &old, value))
                ;
        }
    }
    return NULL;
}

static void child(void)
{
    struct os_thread threads[THREADS];
    if (scene_open(&scene) != 0 || scene.seen.bad != 0)
        abort();
    memset(counters->locks, 0, sizeof counters->locks);
    for (uintptr_t i = 0; i < THREADS; i++)
        if (os_thread_start(&threads[i], work, (void *)i, "worker") != 0)
            abort();
    for (;;)
        pause();
}

/* Each shard has what was acknowledged, and at most one commit more. */
static void check(bool rings)
{
    for (uint32_t s = 0; s < SCENE_SHARDS; s++) {
        uint64_t acked = rings ? atomic_load(&counters->acked[s])
                               : atomic_load(&counters->durable[s]);
        ck_assert_uint_eq(scene.seen.count[s], scene.seen.last_value[s]);
        ck_assert_uint_ge(scene.seen.count[s], acked);
        if (rings)
            ck_assert_uint_le(scene.seen.count[s], acked + 1);
        atomic_store(&counters->acked[s], scene.seen.count[s]);
        atomic_store(&counters->durable[s], 0);
    }
    ck_assert_uint_eq(scene.seen.count[SCENE_SHARDS - 2],
                      scene.seen.count[SCENE_SHARDS - 1]);
}

/* The first shard has a commit that counts: a busy machine takes its time. */
static void await_one(bool rings)
{
    for (int i = 0; i < 10000; i++) {
        if (scene.seen.count[0] > 0 || atomic_load(&counters->durable[0]) > 0 ||
            (rings && atomic_load(&counters->acked[0]) > 0))
            return;
        usleep(1000);
    }
}

/* 0: the rings survive the kill; 1: they are lost with it, and what was waited
 * for is there all the same. */
START_TEST(acknowledged_commits_survive_kill)
{
    scene_make(&scene);
    scene.options.ring_bytes = 128 << 10;
    counters = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(counters != MAP_FAILED);
    memset(counters, 0, sizeof *counters);
    srand((unsigned)os_mono_ns());
    for (int round = 0; round < ROUNDS; round++) {
        pid_t pid = fork();
        int status;
        ck_assert(pid >= 0);
        if (pid == 0)
            child();
        if (round % 2 == 1) /* in the others it may die while it opens */
            await_one(_i == 0);
        usleep((useconds_t)(20000 + rand() % 60000) * SLOWNESS);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert(waitpid(pid, &status, 0) == pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        for (uint32_t s = 0; _i == 1 && s < SCENE_SHARDS; s++) {
            char path[300];
            snprintf(path, sizeof path, "%s/ring-%03u", scene.dir, s);
            os_unlink(path);
        }
        scene_replay_only(&scene);
        ck_assert_uint_eq(scene.seen.bad, 0);
        check(_i == 0);
    }
    ck_assert_uint_gt(scene.seen.count[0], 0);
    munmap(counters, sizeof *counters);
    scene_remove(&scene);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_kill");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, acknowledged_commits_survive_kill, 0, 2);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
