/* log_bench.c: what the log alone costs: log-bench [directory].
 *
 * Prints nanoseconds per append, megabytes a second of the stream, durable
 * commits a second by clients, and replayed records a second. The directory
 * decides which device is measured; everything in it is removed again. */
#include "histogram.h"
#include "log.h"
#include "os.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHARDS = 24, CLIENTS_MAX = 64 };

struct client {
    struct os_thread thread;
    struct log *log;
    struct os_lock *locks;
    uint64_t count;
    int64_t until_ns;
    uint32_t index, clients;
    size_t bytes;
    bool durable;
    struct histogram latency;
};

static char dir[512];
static struct log_options options;
static uint64_t seen[SHARDS][8], floors[SHARDS];

static int take(void *arg, uint32_t shard, uint64_t seq, const uint8_t *body,
                size_t bytes)
{
    (void)arg;
    (void)bytes;
    seen[shard][0] = seq + body[0];
    return 0;
}

static void die(const char *what)
{
    fprintf(stderr, "log-bench: %s failed in %s\n", what, dir);
    exit(1);
}

static struct log *open_log(uint64_t *records, double *seconds)
{
    struct log *log;
    int64_t from = os_mono_ns();
    if (log_open(&options, &log) != 0 ||
        log_replay(log, take, NULL, NULL, records) != 0)
        die("opening");
    *seconds = (double)(os_mono_ns() - from) / 1e9;
    if (log_start(log) != 0)
        die("starting");
    return log;
}

static void *append(void *arg)
{
    struct client *c = arg;
    static uint8_t body[4096];
    uint32_t s = c->index % SHARDS;
    while ((c->count & 255) || os_mono_ns() < c->until_ns) {
        uint64_t seq, position;
        int64_t from = c->durable ? os_mono_ns() : 0;
        os_lock(&c->locks[s * 16]);
        int rc =
            log_append(c->log, s, 0, 0, body, c->bytes, false, &seq, &position);
        os_unlock(&c->locks[s * 16]);
        if (rc == 0 && c->durable) {
            rc = log_wait(c->log, s, position);
            histogram_record(&c->latency, (uint64_t)(os_mono_ns() - from));
        }
        if (rc != 0)
            die("appending");
        s = (s + 5) % SHARDS;
        c->count++;
        if (c->durable && os_mono_ns() >= c->until_ns)
            break;
    }
    return NULL;
}

static void cut(struct log *log)
{
    uint64_t mark;
    if (log_mark(log, &mark) != 0 || log_cut(log, mark) != 0)
        die("cutting");
    for (uint32_t s = 0; s < SHARDS; s++)
        floors[s] = log_seq(log, s);
}

/* Returns commits a second. */
static double measure(struct log *log, uint32_t clients, size_t bytes,
                      bool durable, int ms, struct histogram *latency)
{
    static struct client c[CLIENTS_MAX];
    static struct os_lock locks[SHARDS * 16];
    int64_t from = os_mono_ns();
    uint64_t count = 0;
    for (uint32_t i = 0; i < clients; i++) {
        memset(&c[i], 0, sizeof c[i]);
        c[i].log = log;
        c[i].locks = locks;
        c[i].until_ns = from + (int64_t)ms * 1000000;
        c[i].index = i;
        c[i].bytes = bytes;
        c[i].durable = durable;
        if (os_thread_start(&c[i].thread, append, &c[i], "client") < 0)
            die("starting a thread");
    }
    histogram_clear(latency);
    for (uint32_t i = 0; i < clients; i++) {
        os_thread_join(&c[i].thread);
        count += c[i].count;
        histogram_merge(latency, &c[i].latency);
    }
    return (double)count * 1e9 / (double)(os_mono_ns() - from);
}

static void raw_writes(void)
{
    char path[600];
    snprintf(path, sizeof path, "%s/raw", dir);
    int fd = os_open(path, OS_READ | OS_WRITE | OS_CREATE | OS_DIRECT);
    uint8_t *page = aligned_alloc(4096, 1 << 20);
    if (fd < 0 || !page)
        return;
    memset(page, 0, 1 << 20);
    for (uint64_t i = 0; i < 16; i++)
        if (os_pwrite(fd, page, 1 << 20, i << 20) != 0)
            die("writing");
    int64_t from = os_mono_ns();
    for (uint64_t i = 0; i < 2000; i++)
        if (os_pwrite(fd, page, 4096, i * 4096) != 0)
            die("writing");
    printf("raw 4 KiB direct synchronous write: %.1f us\n",
           (double)(os_mono_ns() - from) / 2000e3);
    from = os_mono_ns();
    for (uint64_t i = 0; i < 128; i++)
        if (os_pwrite(fd, page, 1 << 20, (i % 16) << 20) != 0)
            die("writing");
    printf("raw 1 MiB direct synchronous writes: %.0f MB/s\n",
           128 * 1048576e3 / (double)(os_mono_ns() - from));
    os_close(fd);
    os_unlink(path);
    free(page);
}

static int unlink_one(void *arg, const char *name)
{
    char path[1024];
    (void)arg;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return os_unlink(path);
}

static void measure_appends(struct log *log, struct histogram *h)
{
    for (uint32_t clients = 1; clients <= 2; clients++) {
        /* Once to write the segments, then on recycled ones. */
        for (int round = 0; round < 2; round++) {
            double rate = measure(log, clients, 128 - 24, false, 1000, h);
            printf("append 128 B, %u threads: %.2f M/s, %.1f ns%s\n", clients,
                   rate / 1e6, 1e9 * clients / rate,
                   round ? " (recycled)" : "");
            cut(log);
        }
    }
    for (int round = 0; round < 2; round++) {
        double rate = measure(log, 2, 4000, false, 1000, h);
        printf("stream, 4000 B: %.0f MB/s\n", rate * 4024 / 1e6);
        cut(log);
    }
    /* What fits into the rings: the append alone. */
    double best = 1e9;
    static uint8_t body[104];
    for (int round = 0; round < 20; round++) {
        uint64_t seq, position;
        int64_t from = os_mono_ns();
        for (uint32_t i = 0; i < 20000; i++)
            if (log_append(log, i % SHARDS, 0, 0, body, sizeof body, false,
                           &seq, &position) != 0)
                die("appending");
        double ns = (double)(os_mono_ns() - from) / 20000;
        best = ns < best ? ns : best;
        if (log_sync(log) != 0)
            die("syncing");
    }
    printf("append 128 B into free rings: %.1f ns\n", best);
}

int main(int argc, char **argv)
{
    uint64_t records;
    double seconds;
    static struct histogram h;
    snprintf(dir, sizeof dir, "%s/log-bench-%d", argc > 1 ? argv[1] : "/tmp",
             os_pid());
    if (os_mkdir(dir) != 0)
        die("making the directory");
    options = (struct log_options){.dir = dir,
                                   .ring_dir = dir,
                                   .floor_seq = floors,
                                   .shards = SHARDS,
                                   .ring_bytes = 1 << 20,
                                   .sync_every_ms = 10,
                                   .store_id = "bench"};
    raw_writes();
    struct log *log = open_log(&records, &seconds);
    usleep(300000);
    printf("calibrated: %u writes in flight\n", log_in_flight(log));
    const uint32_t clients[] = {1, 2, 4, 8, 16, 32, 64};
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        uint64_t syncs = log_sync_count(log);
        double rate = measure(log, clients[i], 104, true, 1000, &h);
        printf("durable commits, %2u clients: %7.0f/s, p50 %.0f us, p99 %.0f "
               "us, %.0f writes/s\n",
               clients[i], rate, histogram_quantile(&h, 0.5) / 1e3,
               histogram_quantile(&h, 0.99) / 1e3,
               (double)(log_sync_count(log) - syncs));
    }
    cut(log);
    measure_appends(log, &h);
    measure(log, 2, 104, false, 1500, &h);
    if (log_sync(log) != 0 || log_stop(log) != 0)
        die("stopping");
    log_close(&log);
    for (int round = 0; round < 2; round++) {
        log = open_log(&records, &seconds);
        printf("replay: %.2f M records/s (%.1f M records in %.2f s)\n",
               (double)records / 1e6 / seconds, (double)records / 1e6, seconds);
        log_stop(log);
        log_close(&log);
    }
    os_list(dir, unlink_one, NULL);
    rmdir(dir);
    return 0;
}
