/* The dispatcher with real worker processes: OpenCL where there is a platform,
 * CUDA on the stand-in driver. A worker that is killed, hangs, has no memory,
 * gives wrong results or meets any of CUDA's errors at any call: each job ends
 * once, with right results, and in time. */
#include "kernel_jobs.h"

#include "dispatch.h"
#include "instrumented.h"
#include "os.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <warp/warp.h>

static struct dispatch *d;
static int64_t now;

static int64_t clock_of_test(void *arg)
{
    (void)arg;
    return now;
}

/* plan: for the stand-in driver of the workers; only: no other device. */
static void set_up(const char *plan, bool cuda)
{
    struct dispatch_options options = {.slot_bytes = 4 << 20,
                                       .timeout_ns = 400000000,
                                       .always_device = true,
                                       .now_ns = clock_of_test};
    if (plan)
        setenv("STANDIN_CUDA", plan, 1);
    else
        unsetenv("STANDIN_CUDA");
    if (!cuda)
        unsetenv("LD_LIBRARY_PATH");
    else
        setenv("OCL_ICD_VENDORS", "/nonexistent", 1);
    now = 0;
    d = dispatch_create(&options);
    ck_assert_ptr_nonnull(d);
}

/* Returns where it ran. */
static struct dispatch_info run_right(struct kernel_job *job)
{
    struct dispatch_info info;
    int64_t from = os_mono_ns();
    device_blank(job);
    ck_assert_int_eq(dispatch_run(d, job, DISPATCH_GPU, &info), WARP_OK);
    check_rows(job, info.why);
    ck_assert_uint_eq(info.rows, job->p.rows);
    ck_assert_int_le(info.ns, os_mono_ns() - from);
    return info;
}

START_TEST(opencl_does_the_work)
{
    struct dispatch_info info;
    set_up(NULL, false);
    struct kernel_job job = entropy_job(900, 60, 0, SHAPE_RANDOM, 1);
    for (int n = 0; n < 3; n++)
        info = run_right(&job);
    if (info.ran_on == DEVICE_CPU) {
        printf("no OpenCL: %s\n", info.why);
    } else {
        ck_assert_int_eq(info.ran_on, DEVICE_OPENCL);
        ck_assert_uint_ge(info.checked, 8);
        ck_assert_uint_lt(info.checked, 200);
        ck_assert_int_gt(dispatch_worker_pid(d, DEVICE_OPENCL), 0);
    }
    ck_assert_int_eq(dispatch_run(d, &job, DISPATCH_CPU, &info), WARP_OK);
    ck_assert_int_eq(info.ran_on, DEVICE_CPU);
    job_free(&job);
    dispatch_destroy(&d);
}
END_TEST

START_TEST(a_worker_that_is_killed)
{
    set_up(NULL, true);
    struct kernel_job job = thermo_job(50, 60, SHAPE_RANDOM, 1);
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(run_right(&job).ran_on, DEVICE_CUDA);
        int pid = dispatch_worker_pid(d, DEVICE_CUDA);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        int64_t from = os_mono_ns();
        ck_assert_int_eq(run_right(&job).ran_on, DEVICE_CPU);
        /* No job's time is waited for; a busy machine takes its own. */
        ck_assert_int_lt(os_mono_ns() - from, INT64_C(1500000000));
        ck_assert_int_eq(dispatch_breaker(d, DEVICE_CUDA, job.kernel),
                         BREAKER_OPEN);
        ck_assert_int_eq(run_right(&job).ran_on, DEVICE_CPU);
        now += INT64_C(200) * 1000000000;
        struct dispatch_info info = run_right(&job); /* a new one, on trial */
        ck_assert_int_eq(info.ran_on, DEVICE_CUDA);
        ck_assert_uint_eq(info.checked, job.p.rows);
        ck_assert_int_eq(dispatch_breaker(d, DEVICE_CUDA, job.kernel),
                         BREAKER_CLOSED);
    }
    job_free(&job);
    dispatch_destroy(&d);
}
END_TEST

START_TEST(a_launch_that_hangs)
{
    /* the second job: the first one's calls include the start's */
    set_up("hang:45", true);
    struct kernel_job job = entropy_job(50, 60, 0, SHAPE_RANDOM, 1);
    int64_t longest = 0;
    bool hung = false;
    for (int n = 0; n < 8 && !hung; n++) {
        int64_t from = os_mono_ns();
        hung = run_right(&job).ran_on == DEVICE_CPU;
        longest = os_mono_ns() - from;
    }
    ck_assert(hung);
    ck_assert_int_ge(longest, 400000000);
    ck_assert_int_lt(longest, INSTRUMENTED ? 2000000000 : 900000000);
    ck_assert_int_eq(dispatch_worker_pid(d, DEVICE_CUDA), 0);
    job_free(&job);
    dispatch_destroy(&d);
}
END_TEST

START_TEST(wrong_results_are_thrown_away)
{
    set_up("wrong:1", true);
    struct kernel_job job = entropy_job(2000, 60, 0, SHAPE_RANDOM, 1);
    struct dispatch_info info = run_right(&job);
    ck_assert_int_eq(info.ran_on, DEVICE_CPU);
    ck_assert(strstr(info.why, "wrong") != NULL);
    ck_assert_int_eq(dispatch_breaker(d, DEVICE_CUDA, job.kernel),
                     BREAKER_OPEN);
    now += INT64_C(2) * 1000000000; /* on trial, wrong again: twice as long */
    ck_assert_int_eq(run_right(&job).ran_on, DEVICE_CPU);
    now += 1400 * INT64_C(1000000);
    ck_assert_int_eq(run_right(&job).ran_on, DEVICE_CPU);
    ck_assert_int_eq(dispatch_breaker(d, DEVICE_CUDA, job.kernel),
                     BREAKER_OPEN);
    job_free(&job);
    dispatch_destroy(&d);
}
END_TEST

/* Larger than the slot: in halves, on the device all the same. */
START_TEST(a_job_in_parts)
{
    set_up(NULL, true);
    struct kernel_job job = gravity_job(2000, 1500, GRAVITY_FORCE,
                                        KERNEL_REDUCE_NONE, SHAPE_RANDOM, 1);
    ck_assert_int_eq(run_right(&job).ran_on, DEVICE_CUDA);
    job_free(&job);
    dispatch_destroy(&d);
}
END_TEST

/* The device has room for half of it: two halves. For nothing of it: the CPU,
 * and three times is enough to leave the device alone. */
START_TEST(out_of_memory)
{
    set_up("room:700000", true);
    struct kernel_job job = gravity_job(500, 500, GRAVITY_FORCE,
                                        KERNEL_REDUCE_NONE, SHAPE_RANDOM, 1);
    for (int n = 0; n < 5; n++)
        ck_assert_int_eq(run_right(&job).ran_on, DEVICE_CUDA);
    ck_assert_int_eq(dispatch_breaker(d, DEVICE_CUDA, job.kernel),
                     BREAKER_CLOSED);
    job_free(&job);
    dispatch_destroy(&d);
    set_up("room:1000", true);
    job = gravity_job(500, 500, GRAVITY_FORCE, KERNEL_REDUCE_NONE, SHAPE_RANDOM,
                      1);
    for (int n = 0; n < 3; n++) {
        ck_assert_int_eq(dispatch_breaker(d, DEVICE_CUDA, job.kernel),
                         BREAKER_CLOSED);
        ck_assert_int_eq(run_right(&job).ran_on, DEVICE_CPU);
    }
    ck_assert_int_eq(dispatch_breaker(d, DEVICE_CUDA, job.kernel),
                     BREAKER_OPEN);
    job_free(&job);
    dispatch_destroy(&d);
}
END_TEST

START_TEST(gpu_only_and_refused)
{
    struct dispatch_info info;
    set_up("1:100:0", true);
    struct kernel_job job = entropy_job(50, 60, 0, SHAPE_RANDOM, 1);
    ck_assert_int_eq(dispatch_run(d, &job, DISPATCH_GPU_ONLY, &info),
                     WARP_ENODEV);
    ck_assert_int_eq(dispatch_run(d, &job, DISPATCH_AUTO, &info), WARP_OK);
    job.p.mode = 9;
    ck_assert_int_eq(dispatch_run(d, &job, DISPATCH_AUTO, &info), WARP_EINVAL);
    job_free(&job);
    dispatch_destroy(&d);
}
END_TEST

START_TEST(no_program_for_workers)
{
    struct dispatch_options options = {.program = "/tmp/no-such-worker"};
    struct dispatch_info info;
    d = dispatch_create(&options);
    struct kernel_job job = entropy_job(500, 60, 0, SHAPE_RANDOM, 1);
    info = run_right(&job);
    ck_assert_int_eq(info.ran_on, DEVICE_CPU);
    ck_assert(strstr(info.why, "no-such-worker") != NULL);
    job_free(&job);
    dispatch_destroy(&d);
}
END_TEST

/* Which device is sooner is learnt; small jobs stay on the CPU. */
START_TEST(costs_decide)
{
    struct dispatch_options options = {.slot_bytes = 4 << 20};
    struct dispatch_info info;
    setenv("OCL_ICD_VENDORS", "/nonexistent", 1);
    d = dispatch_create(&options);
    struct kernel_job small = entropy_job(3, 5, 0, SHAPE_RANDOM, 1);
    for (int n = 0; n < 30; n++) {
        ck_assert_int_eq(dispatch_run(d, &small, DISPATCH_GPU, &info), WARP_OK);
        ck_assert_int_eq(info.ran_on, DEVICE_CPU);
        ck_assert(info.why[0] != '\0');
    }
    job_free(&small);
    dispatch_destroy(&d);
}
END_TEST

/* Without workers: right results, and a device that is lost is left alone. */
START_TEST(in_this_process)
{
    struct dispatch_options options = {
        .in_process = true, .always_device = true, .now_ns = clock_of_test};
    struct kernel_job job = entropy_job(90, 60, 0, SHAPE_RANDOM, 1);
    unsetenv("STANDIN_CUDA");
    setenv("OCL_ICD_VENDORS", "none", 1);
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    void (*plan)(int call, int code, int late);
    ck_assert_ptr_nonnull(library);
    *(void **)&plan = dlsym(library, "standin_plan");
    plan(40, 719, 1);
    d = dispatch_create(&options);
    ck_assert_int_eq(run_right(&job).ran_on, DEVICE_CUDA);
    for (int n = 0; n < 5; n++)
        run_right(&job);
    ck_assert_int_eq(dispatch_worker_pid(d, DEVICE_CUDA), 0);
    now += INT64_C(200) * 1000000000;
    struct dispatch_info info = run_right(&job);
    ck_assert_int_eq(info.ran_on, DEVICE_CPU);
    ck_assert(strstr(info.why, "lost") != NULL);
    job_free(&job);
    dispatch_destroy(&d);
    plan(0, 0, 0);
    dlclose(library);
}
END_TEST

/* Any error, at any call, at once or late. */
START_TEST(each_error_ends_right)
{
    static const int codes[] = {2,   34,  35,  98,  100, 200, 209,
                                214, 219, 226, 700, 701, 702, 719};
    struct kernel_job job = entropy_job(40, 30, 0, SHAPE_RANDOM, 5);
    for (int call = 1; call <= 34; call++) {
        /* all codes in turn, so that the sweep stays short */
        for (int n = 0; n < 4; n++) {
            char plan[40];
            int code = codes[(call * 4 + n) % 14];
            snprintf(plan, sizeof plan, "%d:%d:%d", call, code, n % 2);
            set_up(plan, true);
            for (int k = 0; k < 2; k++)
                run_right(&job);
            dispatch_destroy(&d);
        }
    }
    job_free(&job);
}
END_TEST

/* ---- two jobs at a time ---- */

static void begin(struct dispatch_ticket *t, struct kernel_job *job)
{
    device_blank(job);
    ck_assert_int_eq(dispatch_begin(d, job, NULL, DISPATCH_GPU, t), WARP_OK);
}

static struct dispatch_info end(struct dispatch_ticket *t)
{
    struct dispatch_info info;
    ck_assert_int_eq(dispatch_end(d, t, &info), WARP_OK);
    check_rows(t->job, info.why);
    return info;
}

/* Copies take 20 ms, launches 20: as long as both, one after the other; nearly
 * as long as one of them, beside each other. */
START_TEST(transfers_beside_kernels)
{
    enum { JOBS = 8 };
    struct dispatch_ticket t[2];
    struct kernel_job jobs[2];
    double ms[2] = {0, 0};
    set_up("time:1667:20000", true); /* 12,000 bytes */
    for (uint32_t i = 0; i < 2; i++)
        jobs[i] =
            gravity_job(900, 100, GRAVITY_FORCE, KERNEL_SUM, SHAPE_RANDOM, 1);
    for (int n = 0; n < 4; n++)
        ck_assert_int_eq(run_right(&jobs[n % 2]).ran_on, DEVICE_CUDA);
    for (int lanes = 1; lanes <= 2; lanes++) {
        int64_t from = os_mono_ns();
        for (int n = 0; n < JOBS; n++) {
            begin(&t[n % 2], &jobs[n % 2]);
            if (lanes == 2 && n == 0)
                continue;
            ck_assert_int_eq(end(&t[(n + 1 - (lanes == 1)) % 2]).ran_on,
                             DEVICE_CUDA);
        }
        if (lanes == 2)
            end(&t[(JOBS - 1) % 2]);
        ms[lanes - 1] = (double)(os_mono_ns() - from) / 1e6;
    }
    printf("transfers and kernels: %.0f ms in turn, %.0f ms beside\n", ms[0],
           ms[1]);
    ck_assert(ms[1] < ms[0] * 0.75);
    for (int i = 0; i < 2; i++)
        job_free(&jobs[i]);
    dispatch_destroy(&d);
}
END_TEST

/* A third job while two are under way: it is done when it is ended. */
START_TEST(more_jobs_than_lanes)
{
    struct dispatch_ticket t[3];
    struct kernel_job jobs[3];
    set_up(NULL, true);
    for (uint32_t i = 0; i < 3; i++) {
        jobs[i] = thermo_job(60, 50, SHAPE_RANDOM, i + 1);
        begin(&t[i], &jobs[i]);
        ck_assert(t[i].under_way == (i < 2));
    }
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_int_eq(end(&t[i]).ran_on, DEVICE_CUDA);
    for (uint32_t i = 0; i < 3; i++)
        job_free(&jobs[i]);
    dispatch_destroy(&d);
}
END_TEST

/* The worker dies with both jobs: both end right, by the CPU. */
START_TEST(both_lanes_die)
{
    struct dispatch_ticket t[2];
    struct kernel_job jobs[2];
    set_up("time:0:50000", true);
    for (uint32_t i = 0; i < 2; i++)
        jobs[i] = thermo_job(60, 50, SHAPE_RANDOM, i + 1);
    run_right(&jobs[0]);
    for (uint32_t i = 0; i < 2; i++)
        begin(&t[i], &jobs[i]);
    ck_assert(t[0].under_way && t[1].under_way);
    ck_assert_int_eq(kill(dispatch_worker_pid(d, DEVICE_CUDA), SIGKILL), 0);
    for (uint32_t i = 0; i < 2; i++)
        ck_assert_int_eq(end(&t[i]).ran_on, DEVICE_CPU);
    now += INT64_C(200) * 1000000000;
    ck_assert_int_eq(run_right(&jobs[1]).ran_on, DEVICE_CUDA);
    for (uint32_t i = 0; i < 2; i++)
        job_free(&jobs[i]);
    dispatch_destroy(&d);
}
END_TEST

static void *run_once(void *job)
{
    struct dispatch_info info;
    return dispatch_run(d, job, DISPATCH_GPU, &info) == WARP_OK &&
                   info.ran_on == DEVICE_CUDA
               ? job
               : NULL;
}

/* Its process is this one, not the thread that happened to need it first. */
START_TEST(a_worker_outlives_a_thread)
{
    struct kernel_job job = thermo_job(60, 50, SHAPE_RANDOM, 1);
    pthread_t thread;
    void *done = NULL;
    set_up(NULL, true);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_once, &job), 0);
    ck_assert_int_eq(pthread_join(thread, &done), 0);
    ck_assert_ptr_eq(done, &job);
    usleep(20000); /* a signal would have come by then */
    int pid = dispatch_worker_pid(d, DEVICE_CUDA);
    ck_assert_int_eq(run_right(&job).ran_on, DEVICE_CUDA);
    ck_assert_int_eq(dispatch_worker_pid(d, DEVICE_CUDA), pid);
    job_free(&job);
    dispatch_destroy(&d);
}
END_TEST

static _Atomic int wrong_ends;

/* Jobs of several threads, two under way in each. */
static void *keep_busy(void *arg)
{
    enum { JOBS = 40 };
    struct dispatch_ticket t[2];
    struct kernel_job jobs[2];
    uint64_t number = (uint64_t)(uintptr_t)arg;
    for (uint32_t i = 0; i < 2; i++)
        jobs[i] = entropy_job(60, 50, 0, SHAPE_RANDOM, number * 2 + i);
    for (int n = 0; n <= JOBS; n++) {
        struct dispatch_ticket *last = &t[(n + 1) % 2];
        if (n > 0 && !last->under_way) /* as dispatch.h says */
            wrong_ends += dispatch_end(d, last, NULL) != WARP_OK;
        bool ended = n == 0 || !last->under_way;
        if (n < JOBS) {
            device_blank(&jobs[n % 2]);
            wrong_ends += dispatch_begin(d, &jobs[n % 2], NULL, DISPATCH_GPU,
                                         &t[n % 2]) != WARP_OK;
        }
        if (n > 0 && !ended)
            wrong_ends += dispatch_end(d, last, NULL) != WARP_OK;
        for (uint32_t row = 0; n > 0 && row < 60; row++)
            wrong_ends += last->job->kernel->invalid(last->job, row) != NULL;
    }
    for (uint32_t i = 0; i < 2; i++)
        job_free(&jobs[i]);
    return NULL;
}

static void several_threads(const char *plan)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    set_up(plan, true);
    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, keep_busy, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(wrong_ends, 0);
    dispatch_destroy(&d);
}

/* Without a fault, and with one of each kind in the midst of it. */
START_TEST(threads_share_lanes)
{
    static const char *const plans[] = {
        NULL,       "300:700:0", "310:700:1", "280:2:0",   "290:2:1",
        "300:98:0", "305:719:1", "wrong:300", "time:0:50", "room:100000"};
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++)
        several_threads(plans[i]);
}
END_TEST

/* Any error at any call, with both lanes at work. */
START_TEST(each_error_with_two_jobs)
{
    static const int codes[] = {2,   34,  35,  98,  100, 200, 209,
                                214, 219, 226, 700, 701, 702, 719};
    struct kernel_job jobs[2];
    for (uint32_t i = 0; i < 2; i++)
        jobs[i] = entropy_job(40, 30, 0, SHAPE_RANDOM, 5 + i);
    for (int call = 10; call <= 70; call++)
        for (int n = 0; n < 2; n++) {
            char plan[40];
            struct dispatch_ticket t[2];
            int code = codes[(call * 2 + n) % 14];
            snprintf(plan, sizeof plan, "%d:%d:%d", call, code, n);
            set_up(plan, true);
            for (int k = 0; k < 2; k++) {
                begin(&t[0], &jobs[0]);
                begin(&t[1], &jobs[1]);
                end(&t[0]);
                end(&t[1]);
            }
            dispatch_destroy(&d);
        }
    for (uint32_t i = 0; i < 2; i++)
        job_free(&jobs[i]);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {opencl_does_the_work,
                                  a_worker_that_is_killed,
                                  a_launch_that_hangs,
                                  wrong_results_are_thrown_away,
                                  a_job_in_parts,
                                  out_of_memory,
                                  gpu_only_and_refused,
                                  no_program_for_workers,
                                  costs_decide,
                                  in_this_process,
                                  each_error_ends_right,
                                  transfers_beside_kernels,
                                  more_jobs_than_lanes,
                                  both_lanes_die,
                                  a_worker_outlives_a_thread,
                                  threads_share_lanes,
                                  each_error_with_two_jobs};
    return RUN_SUITE("dispatch", tests);
}
