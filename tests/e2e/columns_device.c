/* Columns on a device, through a store: a batch over what did not change sends
 * nothing, a change sends its page; records that come, move and go, a pool that
 * is too small, writers beside the batches, a worker that is killed between
 * them: results are those of the records. */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <warp/warp.h>

#include "columns_device.warp.h"

enum { RECORDS = 20000, PAGE = 4096 };

#define CHECK(what)                                                            \
    do {                                                                       \
        if (!(what)) {                                                         \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #what,      \
                    warp_errmsg(NULL));                                        \
            exit(1);                                                           \
        }                                                                      \
    } while (0)
#define OK(call) CHECK((call) == WARP_OK)

static struct warp_db *db;
static char path[] = "/tmp/warp_columns_device_XXXXXX";
static uint64_t keys[RECORDS];
static bool there[RECORDS];
static float value[RECORDS], sums[RECORDS];
static uint64_t state = 88172645463325252u;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

static struct warp_stat stat_now(void)
{
    struct warp_stat s = WARP_STAT_INIT;
    OK(warp_stat(db, &s));
    return s;
}

static uint64_t sent_by(int (*compute)(struct warp_db *, const uint64_t *,
                                       size_t, float *, struct warp_run_info *),
                        float *out, struct warp_run_info *info)
{
    uint64_t before = stat_now().device_sent_bytes;
    OK(compute(db, keys, RECORDS, out, info));
    return stat_now().device_sent_bytes - before;
}

static void open_store(uint32_t shards)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = shards;
    o.memory_max_bytes = 256u << 20;
    OK(warp_open(path, &columns_device_warp_schema, &o, &db));
}

/* ---- what is sent ---- */

static void put_free(uint64_t i, float a)
{
    struct cd_free r = {.id = i, .a = a, .b = a * 2, .n = (uint32_t)i};
    OK(cd_free_put(db, &r, CD_FREE_A | CD_FREE_B | CD_FREE_N));
    there[i] = true;
    value[i] = a;
}

/* Results are in the order of keys[], sums by key. */
static void check_free(const float *gap, const float *sum)
{
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint64_t id = keys[i];
        CHECK(isnan(gap[i]) == !there[id]);
        CHECK(!there[id] || gap[i] == 0);
        CHECK(isnan(sum[i]) == !there[id]);
        double want = (double)value[id] * 3 + (double)id;
        CHECK(!there[id] || fabs((double)sum[i] - want) <= 1e-5 * want + 1e-5);
        sums[id] = sum[i];
    }
}

/* What devices hold, as this process says it and as the tool does. */
static void check_devices(const char *tool)
{
    struct warp_device d;
    struct warp_stat s = stat_now();
    uint64_t resident = 0, sent = 0;
    char command[400], answer[2000] = "", wanted[120];
    for (uint32_t i = 0; warp_device_info(i, &d) == WARP_OK; i++) {
        resident += d.resident_bytes;
        sent += d.sent_bytes;
        if (d.resident_bytes > 0)
            snprintf(wanted, sizeof wanted,
                     "\"resident_bytes\":%llu,\"sent_bytes\":%llu",
                     (unsigned long long)d.resident_bytes,
                     (unsigned long long)d.sent_bytes);
    }
    CHECK(resident == s.device_bytes && sent == s.device_sent_bytes);
    CHECK(resident > 0 && sent > 0);
    if (!tool)
        return;
    snprintf(command, sizeof command, "'%s' devices '%s' --json", tool, path);
    FILE *in = popen(command, "r");
    CHECK(in && fgets(answer, sizeof answer, in) && pclose(in) == 0);
    CHECK(strstr(answer, wanted));
}

static void check_sent(void)
{
    static float gap[RECORDS], sum[RECORDS];
    struct warp_run_info info;
    for (uint32_t i = 0; i < RECORDS; i++)
        put_free(i, (float)below(1000) / 8);
    uint64_t sent = sent_by(cd_free_gap_compute, gap, &info);
    CHECK(sent == RECORDS * 8);
    CHECK(stat_now().device_bytes >= RECORDS * 8);
    CHECK(sent_by(cd_free_gap_compute, gap, &info) == 0);
    /* another kernel, and what is no column: */
    CHECK(sent_by(cd_free_sum_compute, sum, &info) == RECORDS * 4);
    check_free(gap, sum);
    /* one record: its page of both columns */
    put_free(12345, 7);
    CHECK(sent_by(cd_free_gap_compute, gap, &info) == 2 * PAGE);
    OK(cd_free_set_n(db, 77, 77)); /* no column */
    CHECK(sent_by(cd_free_gap_compute, gap, &info) == 0);
    CHECK(sent_by(cd_free_sum_compute, sum, &info) == RECORDS * 4);
    check_free(gap, sum);
}

/* Records move into the rows of those that go. */
static void check_moves(void)
{
    static float gap[RECORDS], sum[RECORDS];
    struct warp_run_info info;
    for (uint32_t round = 0; round < 12; round++) {
        for (uint32_t n = 0; n < 300; n++) {
            uint32_t i = below(RECORDS);
            if (there[i] && below(3) == 0) {
                OK(cd_free_delete(db, i));
                there[i] = false;
            } else {
                put_free(i, (float)below(1000) / 8);
            }
        }
        if (round % 2)
            OK(warp_checkpoint(db)); /* tombstones go, rows move */
        OK(cd_free_gap_compute(db, keys, RECORDS, gap, &info));
        OK(cd_free_sum_compute(db, keys, RECORDS, sum, &info));
        check_free(gap, sum);
        /* a few of them, in any order */
        uint64_t some[500];
        float part[500];
        for (uint32_t n = 0; n < 500; n++)
            some[n] = below(RECORDS);
        OK(cd_free_sum_compute(db, some, 500, part, &info));
        for (uint32_t n = 0; n < 500; n++)
            CHECK(there[some[n]] ? part[n] == sums[some[n]] : isnan(part[n]));
    }
}

/* ---- a pool ---- */

static void put_tight(uint64_t i)
{
    struct cd_tight r = {.id = i,
                         .a = (float)below(100),
                         .b = (double)below(1000) / 16,
                         .c = (int16_t)(below(200) - 100)};
    OK(cd_tight_put(db, &r, CD_TIGHT_A | CD_TIGHT_B | CD_TIGHT_C));
}

static void check_pool(void)
{
    static double mix[5000];
    static uint64_t few[5000];
    struct warp_run_info info;
    uint64_t held = stat_now().device_bytes;
    for (uint32_t i = 0; i < 5000; i++)
        put_tight(few[i] = (i * 7919) % 5000);
    for (uint32_t round = 0; round < 10; round++) {
        for (uint32_t n = 0; n < 50; n++)
            put_tight(below(5000));
        OK(cd_tight_mix_compute(db, few, 5000, mix, &info));
        CHECK(info.batch == 700);
        uint64_t more = stat_now().device_bytes - held;
        CHECK(more > 0 && more <= 40 << 10); /* of 70,000 bytes */
        for (uint32_t i = 0; i < 5000; i++) {
            struct cd_tight r;
            OK(cd_tight_get(db, few[i], CD_TIGHT_A | CD_TIGHT_B | CD_TIGHT_C,
                            &r, NULL));
            double want = (double)r.a + r.b * r.c;
            CHECK(fabs(mix[i] - want) <= 1e-6 * (1 + fabs(want)));
        }
    }
}

/* ---- writers ---- */

static _Atomic bool stop;

static void *write_pairs(void *arg)
{
    uint64_t s = *(const uint64_t *)arg;
    while (!atomic_load(&stop)) {
        s = s * 6364136223846793005u + 1442695040888963407u;
        uint64_t i = (s >> 33) % RECORDS;
        float a = (float)(s >> 40 & 0xffff);
        struct cd_free r = {.id = i, .a = a, .b = a * 2, .n = (uint32_t)i};
        if ((s >> 60) == 0) {
            int rc = cd_free_delete(db, i);
            CHECK(rc == WARP_OK || rc == WARP_ENOTFOUND);
        } else {
            OK(cd_free_put(db, &r, CD_FREE_A | CD_FREE_B | CD_FREE_N));
        }
    }
    return NULL;
}

static void *compute_pairs(void *arg)
{
    uint32_t batches = *(const uint32_t *)arg;
    float *gap = malloc(RECORDS * sizeof *gap);
    CHECK(gap);
    for (uint32_t n = 0; n < batches; n++) {
        struct warp_run_info info;
        OK(cd_free_gap_compute(db, keys, RECORDS, gap, &info));
        for (uint32_t i = 0; i < RECORDS; i++)
            CHECK(isnan(gap[i]) || gap[i] == 0);
    }
    free(gap);
    return NULL;
}

/* gpu_only: a batch whose copy on the device is not its own would fail. */
static void check_writers(void)
{
    pthread_t writers[2], readers[2];
    uint64_t seeds[2] = {1, 2};
    uint32_t batches = 25;
    for (int i = 0; i < 2; i++) {
        CHECK(!pthread_create(&writers[i], NULL, write_pairs, &seeds[i]));
        CHECK(!pthread_create(&readers[i], NULL, compute_pairs, &batches));
    }
    for (int i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(writers[i], NULL);
}

/* ---- a worker that is killed ---- */

static int kill_workers(void)
{
    int killed = 0;
    char line[64], command[80];
    snprintf(command, sizeof command, "pgrep -P %d warp-worker", getpid());
    FILE *in = popen(command, "r");
    while (in && fgets(line, sizeof line, in))
        killed += kill(atoi(line), SIGKILL) == 0;
    if (in)
        pclose(in);
    return killed;
}

static void check_killed(void)
{
    static float twice[RECORDS];
    struct warp_run_info info;
    for (uint32_t i = 0; i < RECORDS; i++)
        OK(cd_safe_set_a(db, i, (float)i));
    uint64_t sent = sent_by(cd_safe_twice_compute, twice, &info);
    CHECK(sent == RECORDS * 4 && strcmp(info.ran_on, "cpu") != 0);
    OK(cd_safe_set_a(db, 5, 100));
    CHECK(kill_workers() > 0);
    sent_by(cd_safe_twice_compute, twice, &info);
    CHECK(strcmp(info.ran_on, "cpu") == 0);
    CHECK(stat_now().device_bytes == 0);
    for (uint32_t i = 0; i < RECORDS; i++)
        CHECK(twice[i] == (keys[i] == 5 ? 200 : 2 * (float)keys[i]));
}

static bool has_device(void)
{
    struct warp_device d;
    for (uint32_t i = 1; warp_device_info(i, &d) == WARP_OK; i++)
        if (d.why_not[0] == '\0' && strcmp(d.name, "stand-in") != 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    char command[80];
    if (!has_device()) {
        puts("no OpenCL or CUDA device");
        return 77;
    }
    CHECK(mkdtemp(path));
    for (uint64_t i = 0; i < RECORDS; i++)
        keys[i] = (i * 7919) % RECORDS;
    open_store(3);
    check_sent();
    check_devices(argc > 1 ? argv[1] : NULL);
    check_moves();
    check_pool();
    check_writers();
    check_killed();
    OK(warp_close(&db));
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    return system(command) != 0;
}
