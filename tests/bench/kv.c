/* `warp-bench kv`: runs the plan. The engines take turns within each repeat,
 * so that a machine that grows slower in the meantime slows all of them; the
 * median over the repeats is what is reported. */
#include "kv.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kv_workload.h"

/* Where the result of one repeat stands. The blocks follow each other by
 * records, value, threads; in one by workload, engine, repeat. */
static size_t place(const struct kv_plan *plan, size_t block, unsigned workload,
                    unsigned engine, unsigned repeat)
{
    return ((block * plan->workloads_count + workload) * plan->engines_count +
            engine) *
               plan->repeat +
           repeat;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const struct kv_result *repeats, unsigned count,
                     size_t member)
{
    double values[KV_REPEAT_MAX];
    for (unsigned i = 0; i < count; i++)
        memcpy(&values[i], (const char *)&repeats[i] + member, sizeof(double));
    qsort(values, count, sizeof values[0], by_size);
    return count % 2 != 0 ? values[count / 2]
                          : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static struct kv_result median_of(const struct kv_result *repeats,
                                  unsigned count)
{
    struct kv_result r = repeats[0];
    static const size_t figures[] = {
        offsetof(struct kv_result, ops_per_s),
        offsetof(struct kv_result, p50_us),
        offsetof(struct kv_result, p99_us),
        offsetof(struct kv_result, p999_us),
        offsetof(struct kv_result, max_us),
        offsetof(struct kv_result, call_ns),
        offsetof(struct kv_result, all_ns),
        offsetof(struct kv_result, written_bytes),
        offsetof(struct kv_result, lock_waits),
        offsetof(struct kv_result, futex_calls),
        offsetof(struct kv_result, disk_bytes),
        offsetof(struct kv_result, memory_bytes),
        offsetof(struct kv_result, flushed),
        offsetof(struct kv_result, flushed_ns),
    };
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        double middle = median(repeats, count, figures[i]);
        memcpy((char *)&r + figures[i], &middle, sizeof middle);
    }
    for (unsigned i = 1; i < count; i++)
        r.errors += repeats[i].errors;
    return r;
}

static void progress(const struct kv_job *job, unsigned repeat)
{
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%s, %u threads, %llu records of %zu bytes, %u/%u",
            job->engine->name, job->threads, (unsigned long long)job->records,
            job->value_bytes, repeat + 1, job->plan->repeat);
}

/* All engines and repeats for one number of records, value size, threads. */
static int run_block(struct kv_job *job, size_t block, struct kv_result *all)
{
    const struct kv_plan *plan = job->plan;
    struct kv_result results[KV_LIST_MAX];
    for (unsigned repeat = 0; repeat < plan->repeat; repeat++) {
        for (unsigned e = 0; e < plan->engines_count; e++) {
            job->engine = plan->engines[e];
            progress(job, repeat);
            if (kv_job_run(job, results) != 0)
                return -1;
            for (unsigned w = 0; w < plan->workloads_count; w++)
                all[place(plan, block, w, e, repeat)] = results[w];
        }
    }
    return 0;
}

static int run_plan(const struct kv_plan *plan, const struct kv_pool *pool,
                    struct kv_result *all)
{
    size_t block = 0;
    bool zipf = false;
    for (unsigned i = 0; i < plan->workloads_count; i++)
        zipf = zipf || plan->workloads[i]->zipf;
    for (unsigned r = 0; r < plan->records_count; r++) {
        struct kv_order order;
        if (kv_order_init(&order, plan->records[r], zipf) != 0) {
            fputs("warp-bench: out of memory\n", stderr);
            return -1;
        }
        int rc = 0;
        for (unsigned v = 0; v < plan->values_count && rc == 0; v++)
            for (unsigned t = 0; t < plan->threads_count && rc == 0; t++) {
                struct kv_job job = {
                    .plan = plan,
                    .threads = plan->threads[t],
                    .records = plan->records[r],
                    .value_bytes = plan->value_bytes[v],
                    .pool = pool,
                    .order = &order,
                };
                rc = run_block(&job, block++, all);
            }
        kv_order_fini(&order);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* The medians, without what an engine cannot do; returns how many. */
static size_t condense(const struct kv_plan *plan, size_t blocks,
                       const struct kv_result *all, struct kv_result *medians)
{
    size_t count = 0;
    for (size_t b = 0; b < blocks; b++)
        for (unsigned w = 0; w < plan->workloads_count; w++)
            for (unsigned e = 0; e < plan->engines_count; e++) {
                const struct kv_result *r = &all[place(plan, b, w, e, 0)];
                if (r->engine != NULL)
                    medians[count++] = median_of(r, plan->repeat);
            }
    return count;
}

static void interrupt(int signal_number)
{
    (void)signal_number;
    kv_interrupted = true;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = interrupt};
    sigemptyset(&action.sa_mask);
    action.sa_flags = (int)SA_RESETHAND; /* a second one kills */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int kv_measure(const struct kv_plan *plan, struct kv_result **out,
               size_t *count)
{
    size_t blocks =
        (size_t)plan->records_count * plan->values_count * plan->threads_count;
    size_t rows = blocks * plan->workloads_count * plan->engines_count;
    struct kv_pool *pool = malloc(sizeof *pool);
    struct kv_result *all = calloc(rows * plan->repeat, sizeof *all);
    struct kv_result *medians = calloc(rows, sizeof *medians);
    int status = 1;
    if (pool == NULL || all == NULL || medians == NULL) {
        fputs("warp-bench: out of memory\n", stderr);
        goto out;
    }
    kv_pool_fill(pool);
    catch_signals();
    status = run_plan(plan, pool, all) == 0 ? 0 : 1;
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (kv_interrupted)
        fputs("warp-bench: interrupted; the stores are removed\n", stderr);
    if (status == 0) {
        *count = condense(plan, blocks, all, medians);
        *out = medians;
        medians = NULL;
    }
out:
    free(pool);
    free(all);
    free(medians);
    return status;
}

int kv_main(int argc, char **argv)
{
    struct kv_plan plan;
    struct kv_result *medians = NULL;
    size_t count = 0;
    int status = 0;
    if (kv_options_read(argc, argv, &plan, &status) != 0)
        return status;
    status = kv_measure(&plan, &medians, &count);
    if (status != 0)
        return status;
    kv_report_table(&plan, medians, count);
    for (size_t i = 0; i < count; i++)
        if (medians[i].errors > 0)
            status = 1;
    if (kv_report_json(&plan, medians, count) != 0 ||
        kv_plot(&plan, medians, count) != 0)
        status = 3;
    free(medians);
    return status;
}
