/* scale.c: `warp-bench scale`: the same work on more and more threads: the rate
 * against a linear one, up to the processors that there are, and beside it what
 * the threads waited for. Workload h reads one record from all threads: a get
 * that wrote a line that others read would show there first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kv.h"
#include "option.h"
#include "os.h"

static const char help[] =
    "  warp-bench scale\n"
    "  warp-bench scale --threads 1,2,4,8,16 --workloads c,w\n"
    "\n"
    "Measures Warp on more and more threads. Efficiency is the rate against\n"
    "that of the first number of threads times as many, up to the processors\n"
    "of this machine; beyond them a rate that stays is 100 %.\n"
    "\n"
    "  --threads LIST     1,2,4,8,16\n"
    "  --workloads LIST   as in kv; c,h,w\n"
    "  --records N        1000000\n"
    "  --value N          bytes; 100\n"
    "  --seconds S        for each; 2\n"
    "  --repeat N         medians are reported; 3\n"
    "  --background-cpus LIST  where the store's own threads run, as 2-3,8\n"
    "  --numa             shards lie on the nodes of memory in turn\n"
    "  --json FILE        write the results there as JSON too\n"
    "  --dir DIR          where stores are made; $TMPDIR or /var/tmp\n"
    "\n"
    "exit status: 0 done, 1 a wrong value was returned, 2 usage, 3 a file\n"
    "could not be written\n";

static double efficiency(const struct kv_result *r,
                         const struct kv_result *first, unsigned cores)
{
    unsigned now = r->threads < cores ? r->threads : cores;
    unsigned then = first->threads < cores ? first->threads : cores;
    return first->ops_per_s > 0
               ? r->ops_per_s / first->ops_per_s * then / now * 100
               : 0;
}

/* Results come by threads; they are told by workload. */
static void print(const struct kv_plan *plan, const struct kv_result *results,
                  size_t count, unsigned cores)
{
    printf("%u processors; waits for locks and calls of futex are of 1000 "
           "operations\n",
           cores);
    for (unsigned w = 0; w < plan->workloads_count; w++) {
        const struct kv_result *first = NULL;
        printf("\n%s: %s\n  %7s %12s %11s %8s %8s %8s %10s %10s\n",
               plan->workloads[w]->name, plan->workloads[w]->about, "threads",
               "ops/s", "efficiency", "cpu ns", "all ns", "p99 us",
               "lock waits", "futexes");
        for (size_t i = 0; i < count; i++) {
            const struct kv_result *r = &results[i];
            if (r->workload != plan->workloads[w])
                continue;
            first = first ? first : r;
            printf("  %7u %12.0f %9.0f %% %8.0f %8.0f %8.2f %10.3f %10.3f\n",
                   r->threads, r->ops_per_s, efficiency(r, first, cores),
                   r->call_ns, r->all_ns, r->p99_us, r->lock_waits * 1e3,
                   r->futex_calls * 1e3);
        }
    }
}

static int read_plan(int argc, char **argv, struct kv_plan *plan, int *status)
{
    uint64_t records = 1000000, value = 100, repeat = 3;
    const char *threads = "1,2,4,8,16", *workloads = "c,h,w";
    kv_plan_default(plan);
    plan->seconds = 2;
    const struct option table[] = {
        {"--threads", OPTION_TEXT, 0, 0, &threads},
        {"--workloads", OPTION_TEXT, 0, 0, &workloads},
        {"--records", OPTION_NUMBER, 1, 4294967295.0, &records},
        {"--value", OPTION_NUMBER, 1, 1 << 20, &value},
        {"--seconds", OPTION_REAL, 0.01, 3600, &plan->seconds},
        {"--repeat", OPTION_NUMBER, 1, KV_REPEAT_MAX, &repeat},
        {"--background-cpus", OPTION_TEXT, 0, 0, &plan->background_cpus},
        {"--numa", OPTION_FLAG, 0, 0, &plan->numa},
        {"--json", OPTION_TEXT, 0, 0, &plan->json_path},
        {"--dir", OPTION_TEXT, 0, 0, &plan->dir},
        {0},
    };
    if (option_read(argc, argv, table, help, status) != 0)
        return 1;
    plan->records[0] = records;
    plan->value_bytes[0] = (size_t)value;
    plan->repeat = (unsigned)repeat;
    plan->engines[0] = engine_find("warp", 4);
    plan->engines_count = 1;
    *status = kv_plan_threads(threads, plan);
    if (*status == 0)
        *status = kv_plan_workloads(workloads, plan);
    return *status;
}

int scale_main(int argc, char **argv)
{
    struct kv_plan plan;
    struct kv_result *results = NULL;
    size_t count = 0;
    int status;
    if (read_plan(argc, argv, &plan, &status) != 0)
        return status;
    status = kv_measure(&plan, &results, &count);
    if (status != 0)
        return status;
    print(&plan, results, count, os_cpu_count());
    for (size_t i = 0; i < count; i++)
        if (results[i].errors > 0)
            status = 1;
    if (kv_report_json(&plan, results, count) != 0)
        status = 3;
    free(results);
    return status;
}
