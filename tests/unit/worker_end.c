/* A worker that nobody ends: the program that started it was killed, with a
 * device open and its results read. The worker sees it and ends by itself, and
 * does not live on with the device's memory. */
#include "kernel_jobs.h"

#include "dispatch.h"
#include "os.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <warp/warp.h>

/* In a process of its own: work on every device that there is, then no word. */
static void work_and_go(int to, bool cuda)
{
    struct dispatch_options options = {.slot_bytes = 4 << 20,
                                       .timeout_ns = INT64_C(10000000000),
                                       .always_device = true};
    int pid = 0;
    if (cuda)
        setenv("OCL_ICD_VENDORS", "/nonexistent", 1);
    else
        unsetenv("LD_LIBRARY_PATH");
    struct dispatch *d = dispatch_create(&options);
    for (int n = 0; d && n < 3; n++) {
        struct kernel_job jobs[] = {entropy_job(90, 60, 0, SHAPE_RANDOM, 1),
                                    thermo_job(50, 60, SHAPE_RANDOM, 1),
                                    gravity_job(33, 70, 0, 0, SHAPE_RANDOM, 1)};
        for (int i = 0; i < 3; i++) {
            struct dispatch_info info;
            if (dispatch_run(d, &jobs[i], DISPATCH_GPU, &info) == WARP_OK)
                pid = dispatch_worker_pid(d, cuda ? DEVICE_CUDA
                                                  : DEVICE_OPENCL);
            job_free(&jobs[i]);
        }
    }
    if (write(to, &pid, sizeof pid) != (ssize_t)sizeof pid)
        _exit(1);
    kill(getpid(), SIGKILL);
}

/* _i: OpenCL where there is a platform, CUDA on the stand-in. */
START_TEST(a_worker_ends_with_its_program)
{
    int ends[2], pid = 0, status = 0;
    /* Whose parent is gone becomes this process's child. */
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    ck_assert_int_eq(pipe(ends), 0);
    pid_t program = fork();
    if (program == 0)
        work_and_go(ends[1], _i == 1);
    ck_assert_int_eq(read(ends[0], &pid, sizeof pid), sizeof pid);
    ck_assert_int_eq(waitpid(program, &status, 0), program);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    if (pid == 0 && _i == 0) {
        printf("no OpenCL\n");
        return;
    }
    ck_assert_int_gt(pid, 0);
    pid_t got = 0;
    for (int i = 0; i < 3000 && got == 0; i++) {
        got = waitpid(pid, &status, WNOHANG);
        if (got == 0)
            usleep(10000);
    }
    if (got == 0)
        kill(pid, SIGKILL);
    ck_assert_msg(got == pid, "the worker %d goes on (%d)", pid, errno);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", status);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker_end");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_loop_test(all, a_worker_ends_with_its_program, 0, 2);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
