/* One engine, one fresh store, all workloads: load, then measure for the given
 * time. Threads start together at a barrier; the rate is all operations over
 * the time from the first start to the last end. Every read is compared with
 * what a writer can have written. At process_crash every eighth operation is
 * timed (reading the clock costs as much as a fast get), at power_loss every
 * one. Loading is measured only when the plan has the load workload. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "folder.h"
#include "histogram.h"
#include "kv.h"
#include "kv_workload.h"
#include "now.h"
#include "os.h"
#include "process.h"

enum { ERRORS_MAX = 1000 }; /* a thread with more of them gives up */

_Atomic bool kv_interrupted;

struct worker {
    const struct kv_job *job;
    const struct kv_workload *workload;
    void *db;
    pthread_barrier_t *barrier;
    atomic_bool *stop;
    uint64_t sample_mask;
    unsigned index, workers;
    pthread_t thread;
    /* results */
    _Atomic uint64_t ops; /* its own alone adds to it */
    uint64_t errors, start_ns, end_ns, cpu_ns;
    int session_rc;
    struct histogram histogram;
};

static uint64_t ops_of(const struct worker *w)
{
    return atomic_load_explicit(&((struct worker *)(uintptr_t)w)->ops,
                                memory_order_relaxed);
}

static void count_op(struct worker *w)
{
    atomic_store_explicit(&w->ops, ops_of(w) + 1, memory_order_relaxed);
}

static bool put(struct worker *w, void *session, uint64_t record,
                uint64_t stamp, unsigned char *value)
{
    const struct kv_job *job = w->job;
    unsigned char key[KV_KEY_BYTES];
    kv_key(record, key);
    kv_value(job->pool, record, stamp, value, job->value_bytes);
    return job->engine->put(session, key, value, job->value_bytes) == 0;
}

static bool get(struct worker *w, void *session, uint64_t record)
{
    const struct kv_job *job = w->job;
    unsigned char key[KV_KEY_BYTES];
    const void *value = NULL;
    size_t value_bytes = 0;
    kv_key(record, key);
    return job->engine->get(session, key, &value, &value_bytes) == 0 &&
           kv_value_is_right(job->pool, record, value, value_bytes,
                             job->value_bytes);
}

static void load_slice(struct worker *w, void *session, unsigned char *value)
{
    uint64_t from = w->job->records * w->index / w->workers;
    uint64_t to = w->job->records * (w->index + 1) / w->workers;
    for (uint64_t i = from; i < to && w->errors < ERRORS_MAX; i++) {
        bool timed = (i & w->sample_mask) == 0;
        uint64_t before = timed ? now_ns() : 0;
        if (!put(w, session, w->job->order->shuffled[i], i, value))
            w->errors++;
        if (timed) {
            histogram_record(&w->histogram, now_ns() - before);
            if (kv_interrupted)
                break;
        }
        count_op(w);
    }
}

static void visit(struct worker *w, void *session, unsigned char *value)
{
    const struct kv_order *order = w->job->order;
    const struct kv_workload *workload = w->workload;
    struct random random = random_seeded(1000 + w->index * 2U);
    uint64_t at = random_next(&random);
    while (!atomic_load_explicit(w->stop, memory_order_relaxed) &&
           w->errors < ERRORS_MAX) {
        bool timed = (ops_of(w) & w->sample_mask) == 0;
        uint64_t before = timed ? now_ns() : 0;
        uint64_t dice = random_next(&random);
        uint64_t record = workload->zipf
                              ? order->zipf[at++ & (order->zipf_count - 1)]
                          : workload->one
                              ? 0
                              : random_below(&random, order->records);
        bool good = (dice >> 32) % 100 < workload->read_percent
                        ? get(w, session, record)
                        : put(w, session, record, dice, value);
        if (!good)
            w->errors++;
        if (timed)
            histogram_record(&w->histogram, now_ns() - before);
        count_op(w);
    }
}

/* ---- scans ---- */

enum { SCAN_TIMED = 1024 }; /* records between two looks at the clock */

struct scan {
    struct worker *w;
    unsigned char last[KV_KEY_BYTES];
    uint64_t seen, before;
    bool stopped;
};

static bool scan_record(void *arg, const void *key, size_t key_bytes,
                        const void *value, size_t value_bytes)
{
    struct scan *scan = arg;
    struct worker *w = scan->w;
    const struct kv_job *job = w->job;
    if (key_bytes != KV_KEY_BYTES ||
        (scan->seen > 0 && memcmp(scan->last, key, KV_KEY_BYTES) >= 0) ||
        !kv_value_is_right(job->pool, kv_key_record(key), value, value_bytes,
                           job->value_bytes))
        w->errors++;
    memcpy(scan->last, key, KV_KEY_BYTES);
    count_op(w);
    if (++scan->seen % SCAN_TIMED == 0) {
        uint64_t now = now_ns();
        histogram_record(&w->histogram, (now - scan->before) / SCAN_TIMED);
        scan->before = now;
        scan->stopped =
            atomic_load_explicit(w->stop, memory_order_relaxed) ||
            w->errors >= ERRORS_MAX;
    }
    return !scan->stopped;
}

static void scan_all(struct worker *w, void *session)
{
    bool stopped = false;
    while (!stopped && !atomic_load_explicit(w->stop, memory_order_relaxed) &&
           w->errors < ERRORS_MAX) {
        struct scan scan = {.w = w, .before = now_ns()};
        if (w->job->engine->scan(session, scan_record, &scan) != 0)
            w->errors++;
        stopped = scan.stopped;
        if (!stopped && scan.seen != w->job->records)
            w->errors++;
    }
}

static void *work(void *argument)
{
    struct worker *w = argument;
    const struct engine *engine = w->job->engine;
    void *session = NULL;
    unsigned char *value = malloc(w->job->value_bytes);
    w->session_rc =
        value == NULL ? -1 : engine->session_open(w->db, w->index, &session);
    pthread_barrier_wait(w->barrier);
    w->start_ns = now_ns();
    w->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    if (w->session_rc == 0) {
        if (w->workload->load)
            load_slice(w, session, value);
        else if (w->workload->scan)
            scan_all(w, session);
        else
            visit(w, session, value);
    }
    w->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - w->cpu_ns;
    w->end_ns = now_ns();
    if (w->session_rc == 0)
        engine->session_close(session);
    free(value);
    return NULL;
}

static void sleep_until(uint64_t end)
{
    for (uint64_t now = now_ns(); now < end && !kv_interrupted;
         now = now_ns()) {
        uint64_t ns = end - now < 50000000 ? end - now : 50000000;
        struct timespec t = {0, (long)ns};
        nanosleep(&t, NULL);
    }
}

static uint64_t ops_of_all(const struct worker *workers, unsigned count)
{
    uint64_t ops = 0;
    for (unsigned i = 0; i < count; i++)
        ops += ops_of(&workers[i]);
    return ops;
}

/* Tells the rate of each window, if windows are asked for. */
static void let_run(const struct kv_job *job,
                    const struct kv_workload *workload,
                    const struct worker *workers, unsigned count)
{
    uint64_t begun = now_ns(), at = begun, ops = 0;
    uint64_t end = begun + (uint64_t)(job->plan->seconds * 1e9);
    uint64_t window = (uint64_t)(job->plan->every * 1e9);
    while (at < end && !kv_interrupted) {
        uint64_t until = window > 0 && window < end - at ? at + window : end;
        sleep_until(until);
        uint64_t now = now_ns(), so_far = ops_of_all(workers, count);
        if (window > 0)
            printf("  %-10s %s %6.1f to %6.1f s %12.0f ops/s\n",
                   job->engine->name, workload->name,
                   (double)(at - begun) * 1e-9, (double)(now - begun) * 1e-9,
                   (double)(so_far - ops) / ((double)(now - at) * 1e-9));
        fflush(stdout);
        at = now;
        ops = so_far;
    }
}

static void add_up(const struct worker *workers, unsigned count,
                   struct kv_result *result)
{
    static struct histogram sum; /* one job runs at a time */
    uint64_t first = UINT64_MAX, last = 0, ops = 0, cpu = 0;
    histogram_clear(&sum);
    for (unsigned i = 0; i < count; i++) {
        const struct worker *w = &workers[i];
        histogram_merge(&sum, &w->histogram);
        ops += ops_of(w);
        cpu += w->cpu_ns;
        result->errors += w->errors + (w->session_rc != 0);
        first = w->start_ns < first ? w->start_ns : first;
        last = w->end_ns > last ? w->end_ns : last;
    }
    result->ops_per_s =
        last > first ? (double)ops / ((double)(last - first) * 1e-9) : 0;
    double each = ops > 0 ? 1 / (double)ops : 0;
    result->call_ns = (double)cpu * each;
    result->all_ns *= each;
    result->written_bytes *= each;
    result->lock_waits *= each;
    result->futex_calls *= each;
    result->max_us = (double)sum.max / 1e3;
    result->p50_us = histogram_quantile(&sum, 0.5) / 1e3;
    result->p99_us = histogram_quantile(&sum, 0.99) / 1e3;
    result->p999_us = histogram_quantile(&sum, 0.999) / 1e3;
}

static void background(const struct kv_job *job, void *db, double *records,
                       double *cpu_ns)
{
    if (job->engine->background)
        job->engine->background(db, records, cpu_ns);
}

/* Runs a workload on an open store; the result lacks what the job knows. */
static int run_threads(const struct kv_job *job, void *db,
                       const struct kv_workload *workload, unsigned count,
                       struct kv_result *result)
{
    atomic_bool stop = false;
    pthread_barrier_t barrier;
    unsigned started = 0;
    struct worker *workers = calloc(count, sizeof *workers);
    if (workers == NULL) {
        fputs("warp-bench: out of memory\n", stderr);
        return -1;
    }
    pthread_barrier_init(&barrier, NULL, count + 1);
    for (; started < count; started++) {
        struct worker *w = &workers[started];
        w->job = job;
        w->workload = workload;
        w->db = db;
        w->barrier = &barrier;
        w->stop = &stop;
        w->sample_mask = job->plan->durability == KV_POWER_LOSS ? 0 : 7;
        w->index = started;
        w->workers = count;
        if (pthread_create(&w->thread, NULL, work, w) != 0) {
            /* The others wait at the barrier for ever: nothing can be saved. */
            fprintf(stderr, "warp-bench: no thread %u\n", started);
            abort();
        }
    }
    uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t written = self_written_bytes();
    struct os_contention before, after;
    double flushed[2] = {0}, flushed_ns[2] = {0};
    os_contention(&before);
    background(job, db, &flushed[0], &flushed_ns[0]);
    pthread_barrier_wait(&barrier);
    if (!workload->load)
        let_run(job, workload, workers, count);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    pthread_barrier_destroy(&barrier);
    memset(result, 0, sizeof *result);
    result->all_ns = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    result->written_bytes = (double)(self_written_bytes() - written);
    os_contention(&after);
    result->lock_waits = (double)(after.lock_waits - before.lock_waits);
    result->futex_calls = (double)(after.futex_calls - before.futex_calls);
    add_up(workers, count, result);
    background(job, db, &flushed[1], &flushed_ns[1]);
    result->flushed = flushed[1] - flushed[0];
    if (result->flushed > 0)
        result->flushed_ns = (flushed_ns[1] - flushed_ns[0]) / result->flushed;
    free(workers);
    return 0;
}

static int open_store(const struct kv_job *job, const char *dir,
                      enum kv_durability durability, void **db)
{
    struct engine_setup setup = {
        .dir = dir,
        .records = job->records,
        .value_bytes = job->value_bytes,
        .threads = job->threads,
        .durability = durability,
        .background_cpus = job->plan->background_cpus,
        .numa = job->plan->numa,
    };
    int rc = job->engine->open(&setup, db);
    if (rc != 0)
        fprintf(stderr, "warp-bench: %s cannot open a store in %s (%d)\n",
                job->engine->name, dir, rc);
    return rc;
}

static int close_store(const struct kv_job *job, void *db)
{
    int rc = job->engine->close(db);
    if (rc != 0)
        fprintf(stderr, "warp-bench: %s does not close (%d)\n",
                job->engine->name, rc);
    return rc;
}

/* Loads without measuring; where the store keeps its data, at the weaker
 * durability, because the sync of every record would only cost time. */
static int preload(const struct kv_job *job, const char *dir, void **db)
{
    struct kv_result ignored;
    bool weaker = job->engine->keeps && job->plan->durability == KV_POWER_LOSS;
    unsigned loaders = job->engine->one_writer || job->threads == 1 ? 1 : 2;
    if (open_store(job, dir, weaker ? KV_PROCESS_CRASH : job->plan->durability,
                   db))
        return -1;
    if (!job->engine->reads)
        return 0;
    int rc = run_threads(job, *db, &kv_workloads[0], loaders, &ignored);
    if (rc == 0 && ignored.errors > 0) {
        fprintf(stderr, "warp-bench: %s: %llu errors while loading\n",
                job->engine->name, (unsigned long long)ignored.errors);
        rc = -1;
    }
    if (rc == 0 && !weaker)
        return 0;
    if (close_store(job, *db) != 0)
        rc = -1;
    return rc == 0 ? open_store(job, dir, job->plan->durability, db) : rc;
}

static int run_workloads(const struct kv_job *job, const char *dir, void *db,
                         bool loaded, struct kv_result *results)
{
    const struct kv_plan *plan = job->plan;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < plan->workloads_count; i++) {
            const struct kv_workload *workload = plan->workloads[i];
            if (workload->load != (pass == 0) || (loaded && workload->load))
                continue;
            if (workload->read_percent > 0 && !job->engine->reads)
                continue;
            if (workload->scan && job->engine->scan == NULL)
                continue;
            if (kv_interrupted)
                return -1;
            struct kv_result *result = &results[i];
            if (run_threads(job, db, workload, job->threads, result) != 0)
                return -1;
            result->engine = job->engine;
            result->workload = workload;
            result->threads = job->threads;
            result->value_bytes = job->value_bytes;
            result->records = job->records;
            result->disk_bytes = folder_bytes(dir);
            result->memory_bytes = (double)self_memory_bytes();
        }
    }
    return 0;
}

int kv_job_run(const struct kv_job *job, struct kv_result *results)
{
    const struct kv_plan *plan = job->plan;
    bool measures_load = false;
    char dir[FOLDER_PATH_BYTES];
    void *db = NULL;
    for (unsigned i = 0; i < plan->workloads_count; i++) {
        measures_load = measures_load || plan->workloads[i]->load;
        results[i].engine = NULL;
    }
    if (folder_make(plan->dir, dir) != 0)
        return -1;
    int rc = measures_load ? open_store(job, dir, plan->durability, &db)
                           : preload(job, dir, &db);
    if (rc == 0) {
        rc = run_workloads(job, dir, db, !measures_load, results);
        if (close_store(job, db) != 0)
            rc = -1;
    }
    folder_remove(dir);
    return rc;
}
