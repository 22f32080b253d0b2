/* warp-bench kv: key-value work on Warp and its peers, in turn, in one run.
 * kv_options reads the command line into a plan, kv runs the plan, kv_job
 * does one store's share of it, kv_report prints what came out. */
#ifndef BENCH_KV_H
#define BENCH_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"

enum { KV_LIST_MAX = 16, KV_THREADS_MAX = 256, KV_REPEAT_MAX = 25 };

/** A kind of work; the table is in kv_workload.c. */
struct kv_workload {
    const char *name;
    const char *about;
    bool load;             /* inserts every record once, in random order */
    unsigned read_percent; /* the rest are updates */
    bool zipf;             /* else uniform */
    bool scan;             /* all records in order; an operation is a record */
    bool one;              /* all threads read the same record */
    bool extra;            /* only when it is asked for */
};

struct kv_plan {
    const struct engine *engines[KV_LIST_MAX];
    const struct kv_workload *workloads[KV_LIST_MAX];
    unsigned threads[KV_LIST_MAX];
    uint64_t records[KV_LIST_MAX];
    size_t value_bytes[KV_LIST_MAX];
    unsigned engines_count, workloads_count, threads_count, records_count,
        values_count;
    enum kv_durability durability;
    double seconds;
    double every; /* rates of windows of so many seconds, too; 0: none */
    unsigned repeat;
    const char *json_path; /* NULL: none */
    const char *plot_path; /* NULL: none */
    const char *dir;       /* where the stores are made and removed */
    const char *background_cpus; /* engine_setup; NULL: anywhere */
    bool numa;
};

/** What one engine did in one workload; in the end a median of repeats. */
struct kv_result {
    const struct engine *engine;
    const struct kv_workload *workload;
    unsigned threads;
    size_t value_bytes;
    uint64_t records;
    double ops_per_s, p50_us, p99_us, p999_us, max_us;
    double call_ns, all_ns; /* processor time of an operation: of the thread
                               that asked for it; of the whole process */
    double written_bytes;   /* to the device, of an operation */
    double lock_waits, futex_calls; /* of Warp, of an operation */
    double disk_bytes, memory_bytes; /* at the end */
    double flushed, flushed_ns; /* records that the background wrote to the
                                   disk, and its processor time for one */
    uint64_t errors;
};

extern const struct kv_workload kv_workloads[];
extern const unsigned kv_workloads_count;

/** 0 with a plan; 1 when there is nothing to run and `status` is the exit
 *  status: 0 after help, 2 after a mistake, which was printed. */
int kv_options_read(int argc, char **argv, struct kv_plan *plan, int *status);

/** The plan with the defaults of the command line. */
void kv_plan_default(struct kv_plan *plan);
/** A list of workloads as the command line has it; 0, or 2 with the reason on
 *  standard error. The same for numbers of threads. */
int kv_plan_workloads(const char *list, struct kv_plan *plan);
int kv_plan_threads(const char *list, struct kv_plan *plan);

/** Runs it. 0 with the medians, which are the caller's to free; 1 with the
 *  reason on standard error. */
int kv_measure(const struct kv_plan *plan, struct kv_result **medians,
               size_t *count);

/** `warp-bench kv ARGUMENTS`, `warp-bench scale ARGUMENTS`: the exit status. */
int kv_main(int argc, char **argv);
int scale_main(int argc, char **argv);

struct kv_pool;
struct kv_order;

/** One engine on a store of its own. */
struct kv_job {
    const struct kv_plan *plan;
    const struct engine *engine;
    unsigned threads;
    uint64_t records;
    size_t value_bytes;
    const struct kv_pool *pool;
    const struct kv_order *order;
};

/** All workloads of the plan; results[i] belongs to workloads[i], its engine
 *  is NULL where the engine cannot do it. 0, or -1 with the reason on
 *  standard error; the store is removed in any case. */
int kv_job_run(const struct kv_job *job, struct kv_result *results);

/** Ends all loops soon; set by a signal. */
extern _Atomic bool kv_interrupted;

/** Results come in blocks: all engines of one workload side by side. */
void kv_report_table(const struct kv_plan *plan,
                     const struct kv_result *results, size_t count);
/** kv_plot.c: bars of the rates; 0, or -1 with the reason on standard error. */
int kv_plot(const struct kv_plan *plan, const struct kv_result *results,
            size_t count);
int kv_report_json(const struct kv_plan *plan, const struct kv_result *results,
                   size_t count);

#endif
