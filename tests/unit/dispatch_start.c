/* A worker that never opens its device: the caller that starts it waits once,
 * nobody else does, and later jobs do not pay for it again. */
#include "kernel_jobs.h"
#include "scratch.h"

#include "dispatch.h"
#include "os.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include <warp/warp.h>

#define START_NS INT64_C(2000000000)
#define SHORT_NS (START_NS / 2)

static struct dispatch *d;
static int64_t now;

static int64_t clock_of_test(void *arg)
{
    (void)arg;
    return now;
}

static void set_up(void)
{
    static char program[300];
    snprintf(program, sizeof program, "%s/hangs", scratch());
    FILE *file = fopen(program, "w");
    ck_assert_ptr_nonnull(file);
    fputs("#!/bin/sh\nexec sleep 100\n", file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(program, 0700), 0);
    struct dispatch_options options = {.program = program,
                                       .slot_bytes = 4 << 20,
                                       .start_ns = START_NS,
                                       .always_device = true,
                                       .now_ns = clock_of_test};
    d = dispatch_create(&options);
    ck_assert_ptr_nonnull(d);
}

/* How long it took; it runs on the CPU, or on nothing. */
static int64_t run_job(struct kernel_job *job, enum dispatch_on on,
                       struct dispatch_info *info)
{
    int64_t from = os_mono_ns();
    int rc = dispatch_run(d, job, on, info);
    if (on == DISPATCH_GPU_ONLY) {
        ck_assert_int_eq(rc, WARP_ENODEV);
    } else {
        ck_assert_int_eq(rc, WARP_OK);
        ck_assert_int_eq(info->ran_on, DEVICE_CPU);
        check_rows(job, info->why);
    }
    return os_mono_ns() - from;
}

static int64_t first_ns;

static void *first_caller(void *arg)
{
    struct dispatch_info info;
    first_ns = run_job(arg, DISPATCH_GPU, &info);
    return NULL;
}

START_TEST(only_its_first_caller_waits)
{
    pthread_t thread;
    struct dispatch_info info;
    set_up();
    struct kernel_job first = entropy_job(90, 60, 0, SHAPE_RANDOM, 1);
    struct kernel_job job = entropy_job(90, 60, 0, SHAPE_RANDOM, 2);
    struct kernel_job other = thermo_job(90, 60, SHAPE_RANDOM, 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, first_caller, &first), 0);
    while (dispatch_worker_pid(d, DEVICE_CUDA) == 0)
        usleep(1000);
    ck_assert_int_lt(run_job(&job, DISPATCH_CPU, &info), SHORT_NS);
    ck_assert_int_eq(dispatch_first(d, &job, DISPATCH_GPU), DEVICE_OPENCL);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_ge(first_ns, START_NS);
    ck_assert_int_lt(first_ns, START_NS + SHORT_NS);
    /* another kernel tries the other device, then there is none to wait for */
    ck_assert_int_lt(run_job(&other, DISPATCH_GPU, &info), START_NS + SHORT_NS);
    for (int n = 0; n < 3; n++) {
        ck_assert_int_lt(run_job(&other, DISPATCH_GPU, &info), SHORT_NS);
        ck_assert_int_lt(run_job(&job, DISPATCH_GPU, &info), SHORT_NS);
    }
    ck_assert(strstr(info.why, "start") || strstr(info.why, "breaker"));
    ck_assert_int_lt(run_job(&job, DISPATCH_GPU_ONLY, &info), SHORT_NS);
    job_free(&first);
    job_free(&job);
    job_free(&other);
    dispatch_destroy(&d);
    scratch_remove();
}
END_TEST

/* Who is behind the first caller goes elsewhere, or waits for that start where
 * the job is for devices alone. */
START_TEST(the_next_callers)
{
    pthread_t threads[2];
    struct dispatch_info info;
    set_up();
    struct kernel_job first = entropy_job(90, 60, 0, SHAPE_RANDOM, 1);
    struct kernel_job second = entropy_job(90, 60, 0, SHAPE_RANDOM, 2);
    struct kernel_job job = entropy_job(90, 60, 0, SHAPE_RANDOM, 3);
    struct kernel_job last = entropy_job(90, 60, 0, SHAPE_RANDOM, 4);
    ck_assert_int_eq(pthread_create(&threads[0], NULL, first_caller, &first),
                     0);
    while (dispatch_worker_pid(d, DEVICE_CUDA) == 0)
        usleep(1000);
    ck_assert_int_eq(pthread_create(&threads[1], NULL, first_caller, &second),
                     0);
    while (dispatch_worker_pid(d, DEVICE_OPENCL) == 0)
        usleep(1000);
    ck_assert_int_lt(run_job(&job, DISPATCH_GPU, &info), SHORT_NS);
    ck_assert_ptr_nonnull(strstr(info.why, "being started"));
    ck_assert_int_lt(run_job(&last, DISPATCH_GPU_ONLY, &info),
                     START_NS + SHORT_NS);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    job_free(&first);
    job_free(&second);
    job_free(&job);
    job_free(&last);
    dispatch_destroy(&d);
    scratch_remove();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {only_its_first_caller_waits,
                                  the_next_callers};
    return RUN_SUITE("dispatch_start", tests);
}
