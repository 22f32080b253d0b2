/* compute_hot.c: what work on kernels in the background costs those who get and
 * set: their rate alone and beside it, with a core to spare and with none. */
#include "compute.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <warp/warp.h>

#include "compute_item.warp.h"

enum { STARS = 100000, BATCH = 20000, THREADS_MAX = 64, ROUNDS = 3 };

struct hot {
    struct warp_db *db;
    _Atomic bool stop;
    _Atomic uint64_t batches;
    uint64_t done[THREADS_MAX];
};

struct worker_thread {
    struct hot *hot;
    int number;
};

/* One set to nine gets, on random records. */
static void *get_and_set(void *arg)
{
    struct worker_thread *t = arg;
    uint64_t state = 88172645463325252u + (uint64_t)t->number, done = 0;
    struct bench_star star;
    while (!atomic_load_explicit(&t->hot->stop, memory_order_relaxed)) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        uint64_t id = state % STARS;
        int rc =
            state >> 32 & 7
                ? bench_star_get(t->hot->db, id,
                                 BENCH_STAR_PX | BENCH_STAR_MASS, &star, NULL)
                : bench_star_set_mass(t->hot->db, id, 2);
        if (rc != WARP_OK)
            break;
        done++;
    }
    t->hot->done[t->number] = done;
    return NULL;
}

/* Kernels over all records, again and again. */
static void *compute(void *arg)
{
    struct hot *hot = arg;
    static uint64_t keys[BATCH];
    for (uint64_t from = 0; !atomic_load(&hot->stop);
         from = (from + BATCH) % STARS) {
        struct warp_future *light = NULL, *pull = NULL;
        for (uint64_t i = 0; i < BATCH; i++)
            keys[i] = from + i;
        if (bench_star_light_request(hot->db, keys, BATCH, &light) != WARP_OK ||
            bench_star_pull_request(hot->db, keys, BATCH, &pull) != WARP_OK ||
            warp_future_wait(light, -1) != WARP_OK ||
            warp_future_wait(pull, -1) != WARP_OK)
            break;
        atomic_fetch_add(&hot->batches, 2);
        warp_future_cancel(&light);
        warp_future_cancel(&pull);
    }
    return NULL;
}

/* Operations a second of all threads together. */
static double rate(struct hot *hot, int threads, bool beside)
{
    struct worker_thread each[THREADS_MAX];
    pthread_t ids[THREADS_MAX], background;
    struct timespec from, to, pause = {.tv_nsec = 700000000};
    double ops = 0;
    atomic_store(&hot->stop, false);
    if (beside)
        pthread_create(&background, NULL, compute, hot);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < threads; i++) {
        each[i] = (struct worker_thread){hot, i};
        pthread_create(&ids[i], NULL, get_and_set, &each[i]);
    }
    nanosleep(&pause, NULL);
    atomic_store(&hot->stop, true);
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        ops += (double)hot->done[i];
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (beside)
        pthread_join(background, NULL);
    return ops / ((double)(to.tv_sec - from.tv_sec) +
                  (double)(to.tv_nsec - from.tv_nsec) / 1e9);
}

static void report(struct hot *hot, int threads, FILE *json, bool *first)
{
    double alone = 0, beside = 0;
    uint64_t batches = atomic_load(&hot->batches);
    for (int n = 0; n < ROUNDS; n++) { /* in turn: a machine's mood is shared */
        double a = rate(hot, threads, false), b = rate(hot, threads, true);
        alone = a > alone ? a : alone;
        beside = b > beside ? b : beside;
    }
    batches = atomic_load(&hot->batches) - batches;
    printf("%d thread%s: %.2f M/s alone, %.2f M/s beside kernels: %.0f %%, "
           "%llu batches of %d\n",
           threads, threads > 1 ? "s" : "", alone / 1e6, beside / 1e6,
           100 * beside / alone, (unsigned long long)batches, BATCH);
    if (json)
        fprintf(json,
                "%s{\"threads\":%d,\"alone\":%.0f,\"beside\":%.0f,"
                "\"batches\":%llu}",
                *first ? "" : ",", threads, alone, beside,
                (unsigned long long)batches);
    *first = false;
}

int compute_hot(FILE *json)
{
    char dir[] = "/tmp/warp-bench.XXXXXX", path[64], command[80];
    struct hot hot = {.db = NULL};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    bool first = true;
    int status = 1;
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/store", dir);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (warp_open(path, &compute_item_warp_schema, NULL, &hot.db) != WARP_OK)
        goto out;
    for (uint64_t id = 0; id < STARS; id++) {
        struct bench_star s = {.id = id,
                               .px = (float)(id % 317),
                               .py = (float)(id % 211),
                               .mass = 1};
        if (bench_star_put(hot.db, &s,
                           BENCH_STAR_PX | BENCH_STAR_PY | BENCH_STAR_MASS) !=
            WARP_OK)
            goto out;
    }
    if (json)
        fputs("{\"hot\":[", json);
    if (cores > 1)
        report(&hot, (int)(cores > THREADS_MAX ? THREADS_MAX : cores) - 1, json,
               &first);
    report(&hot, (int)(cores > THREADS_MAX ? THREADS_MAX : cores), json,
           &first);
    if (json)
        fputs("]}\n", json);
    status = atomic_load(&hot.batches) == 0;
out:
    if (status != 0)
        fprintf(stderr, "warp-bench compute: %s\n", warp_errmsg(hot.db));
    if (hot.db && warp_close(&hot.db) != WARP_OK)
        status = 1;
    return system(command) != 0 || status;
}
