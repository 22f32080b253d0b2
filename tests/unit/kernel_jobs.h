/* kernel_jobs.h: the check that all rows of a finished job are right, and how
 * a suite is run. For tests of kernels, devices and dispatch. */
#ifndef TEST_KERNEL_JOBS_H
#define TEST_KERNEL_JOBS_H

#include "compute_jobs.h"
#include "scratch.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static inline void check_rows(const struct kernel_job *job, const char *what)
{
    for (uint32_t i = 0; i < job->p.rows; i++) {
        const char *why = job->kernel->invalid(job, i);
        ck_assert_msg(why == NULL,
                      "%s, %s: row %u of %u x %u, mode %u, "
                      "reduction %u: %s",
                      job->kernel->name, what, i, job->p.rows, job->p.cols,
                      job->p.mode, job->p.reduce, why);
    }
}

static inline int run_suite(const char *name, const TTest *const *tests,
                            size_t count)
{
    Suite *suite = suite_create(name);
    const char *cache = getenv("POCL_CACHE_DIR"); /* it must exist */
    if (cache && mkdir(cache, 0700) != 0 && errno != EEXIST)
        printf("cannot make %s\n", cache);
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 100); /* a busy machine starts workers slowly */
    for (size_t i = 0; i < count; i++)
        tcase_add_test(all, tests[i]);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
#define RUN_SUITE(name, tests)                                                 \
    run_suite(name, tests, sizeof(tests) / sizeof *(tests))

#endif
