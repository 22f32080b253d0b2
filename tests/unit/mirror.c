/* What devices hold of columns, with real workers: OpenCL where there is a
 * platform, CUDA on the stand-in driver. A batch over columns that did not
 * change sends none of them, a change sends its page; a worker that is killed,
 * an error at any call, a device or a pool without room, jobs that come in
 * another order than their moments: results are those of the host's columns. */
#include "kernel_jobs.h"

#include "dispatch.h"
#include "os.h"

#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>
#include <warp/warp.h>

enum { COLS = 20, FIELDS = 3, SHARDS = 3, ROWS = 6000, PAGES = 6 };
enum { COL_BYTES = COLS * 3 * 4 }; /* sent with each batch */

static struct dispatch *d;
static int64_t now;
static uint64_t seed = 88172645463325252u;
static struct pool pool;

/* The host's columns; some pages have changed since the last moment. */
static float values[SHARDS][FIELDS][ROWS];
static bool changed[SHARDS][FIELDS][PAGES];

static uint32_t below(uint32_t n)
{
    return (uint32_t)(scratch_random(&seed) % n);
}

static int64_t clock_of_test(void *arg)
{
    (void)arg;
    return now;
}

static void write_row(uint32_t shard, uint32_t row)
{
    for (uint32_t f = 0; f < FIELDS; f++) {
        values[shard][f][row] = 0.01f + (float)below(100000) / 1000;
        changed[shard][f][row * 4 / MIRROR_PAGE_BYTES] = true;
    }
}

static uint64_t held_bytes(void)
{
    return mirror_held_bytes(dispatch_mirror(d), DEVICE_OPENCL) +
           mirror_held_bytes(dispatch_mirror(d), DEVICE_CUDA);
}

static uint64_t sent_bytes(void)
{
    return dispatch_sent_bytes(d, DEVICE_OPENCL) +
           dispatch_sent_bytes(d, DEVICE_CUDA);
}

static void set_up(const char *plan, bool cuda, uint64_t pool_bytes,
                   bool in_process)
{
    struct dispatch_options options = {.slot_bytes = 4 << 20,
                                       .timeout_ns = 400000000,
                                       .always_device = true,
                                       .in_process = in_process,
                                       .now_ns = clock_of_test};
    if (plan)
        setenv("STANDIN_CUDA", plan, 1);
    else
        unsetenv("STANDIN_CUDA");
    if (!cuda)
        unsetenv("LD_LIBRARY_PATH");
    else
        setenv("OCL_ICD_VENDORS", "/nonexistent", 1);
    now = 0;
    d = dispatch_create(&options);
    ck_assert_ptr_nonnull(d);
    pool.limit = pool_bytes;
    atomic_store(&pool.used, 0);
    for (uint32_t s = 0; s < SHARDS; s++)
        for (uint32_t row = 0; row < ROWS; row++)
            write_row(s, row);
}

static void tear_down(void)
{
    dispatch_destroy(&d);
    ck_assert_uint_eq(atomic_load(&pool.used), 0);
}

/* ---- a batch ---- */

struct part {
    uint32_t shard, row, count;
};

struct batch {
    struct kernel_job job;
    struct mirror_rows rows;
};

static void read_pages(struct batch *b, uint32_t a, const struct part *p,
                       uint64_t moment, enum device_kind kind)
{
    struct mirror_column *c =
        mirror_column_at(b->rows.args[a].columns, p->shard);
    for (uint32_t page = 0; page < PAGES; page++) {
        size_t at = (size_t)page * MIRROR_PAGE_BYTES;
        size_t bytes = ROWS * 4 - at;
        bytes = bytes > MIRROR_PAGE_BYTES ? MIRROR_PAGE_BYTES : bytes;
        if (changed[p->shard][a][page])
            ck_assert_int_eq(mirror_changed(c, moment, at, bytes), 0);
        changed[p->shard][a][page] = false;
    }
    for (uint32_t page = p->row * 4 / MIRROR_PAGE_BYTES;
         page <= ((p->row + p->count) * 4 - 1) / MIRROR_PAGE_BYTES; page++) {
        size_t at = (size_t)page * MIRROR_PAGE_BYTES;
        size_t bytes = ROWS * 4 - at;
        bytes = bytes > MIRROR_PAGE_BYTES ? MIRROR_PAGE_BYTES : bytes;
        if (!mirror_lacks(c, kind, moment, page))
            continue;
        memcpy(b->rows.fresh_bytes + b->rows.fresh_used,
               (const char *)values[p->shard][a] + at, bytes);
        b->rows.fresh[b->rows.fresh_count++] = (struct mirror_fresh){
            c, page, (uint32_t)bytes, b->rows.fresh_used, moment};
        b->rows.fresh_used += bytes;
    }
}

static void batch_make(struct batch *b, const struct part *parts,
                       uint32_t count, enum device_kind kind)
{
    struct mirror *m = dispatch_mirror(d);
    uint32_t rows = 0, to = 0;
    for (uint32_t i = 0; i < count; i++)
        rows += parts[i].count;
    *b = (struct batch){.job = gravity_job(rows, COLS, GRAVITY_POTENTIAL,
                                           KERNEL_MAX, SHAPE_RANDOM, 7)};
    b->rows.runs = calloc(count, sizeof *b->rows.runs);
    b->rows.fresh = calloc(FIELDS * SHARDS * PAGES * 4, sizeof *b->rows.fresh);
    b->rows.fresh_bytes =
        calloc(FIELDS * SHARDS * PAGES * 4, MIRROR_PAGE_BYTES);
    for (uint32_t a = 0; a < FIELDS; a++) {
        b->rows.args[a] =
            (struct mirror_arg){a, 4, mirror_columns(m, 0, a, SHARDS, &pool)};
        ck_assert_ptr_nonnull(b->rows.args[a].columns);
    }
    b->rows.arg_count = FIELDS;
    for (uint32_t i = 0; i < count; i++) {
        const struct part *p = &parts[i];
        mirror_enter(m);
        uint64_t moment = mirror_moment(m);
        b->rows.runs[b->rows.run_count++] =
            (struct mirror_run){to, p->count, p->row, p->shard, moment};
        for (uint32_t a = 0; a < FIELDS; a++) {
            memcpy((float *)b->job.arg[a] + to, &values[p->shard][a][p->row],
                   p->count * 4);
            read_pages(b, a, p, moment, kind);
        }
        mirror_leave(m);
        to += p->count;
    }
}

static void batch_free(struct batch *b)
{
    free(b->rows.runs);
    free(b->rows.fresh);
    free(b->rows.fresh_bytes);
    job_free(&b->job);
}

/* Returns where it ran; *sent: bytes of columns. */
static enum device_kind batch_run(struct batch *b, uint64_t *sent)
{
    struct dispatch_info info;
    uint64_t before = sent_bytes();
    device_blank(&b->job);
    ck_assert_int_eq(
        dispatch_run_rows(d, &b->job, &b->rows, DISPATCH_GPU, &info), WARP_OK);
    check_rows(&b->job, info.why);
    ck_assert_uint_le(atomic_load(&pool.used), pool.limit);
    ck_assert_uint_eq(atomic_load(&pool.used),
                      held_bytes());
    uint64_t bytes = sent_bytes() - before;
    if (sent && info.ran_on != DEVICE_CPU)
        *sent = bytes - COL_BYTES;
    return info.ran_on;
}

static const struct part everything[] = {
    {0, 0, ROWS}, {1, 0, ROWS}, {2, 0, ROWS}};
enum { ALL_BYTES = SHARDS * FIELDS * ROWS * 4 };

static enum device_kind run_parts(const struct part *parts, uint32_t count,
                                  enum device_kind kind, uint64_t *sent)
{
    struct batch b;
    batch_make(&b, parts, count, kind);
    enum device_kind on = batch_run(&b, sent);
    batch_free(&b);
    return on;
}

static enum device_kind run_all(enum device_kind kind, uint64_t *sent)
{
    return run_parts(everything, SHARDS, kind, sent);
}

/* ---- what is sent ---- */

static void check_sent(enum device_kind kind)
{
    uint64_t sent = 1;
    ck_assert_int_eq(run_all(kind, &sent), kind);
    ck_assert_uint_eq(sent, ALL_BYTES);
    ck_assert_uint_gt(atomic_load(&pool.used), ALL_BYTES);
    ck_assert_int_eq(run_all(kind, &sent), kind);
    ck_assert_uint_eq(sent, 0);
    write_row(1, 2000);
    ck_assert_int_eq(run_all(kind, &sent), kind);
    ck_assert_uint_eq(sent, FIELDS * MIRROR_PAGE_BYTES);
    /* in another order, and a part of it */
    const struct part some[] = {{2, 100, 3000}, {0, 5000, 999}, {1, 7, 1500}};
    ck_assert_int_eq(run_parts(some, 3, kind, &sent), kind);
    ck_assert_uint_eq(sent, 0);
    /* a few rows: their values are all that goes */
    const struct part few[] = {{2, 100, 10}, {0, 5, 999}};
    ck_assert_int_eq(run_parts(few, 2, kind, &sent), kind);
    ck_assert_uint_eq(sent, FIELDS * 10 * 4);
}

START_TEST(opencl_is_sent_what_changed)
{
    set_up(NULL, false, 64 << 20, false);
    if (run_parts(everything, 1, DEVICE_CPU, NULL) == DEVICE_OPENCL) {
        tear_down();
        set_up(NULL, false, 64 << 20, false);
        check_sent(DEVICE_OPENCL);
    } else {
        printf("no OpenCL\n");
    }
    tear_down();
}
END_TEST

START_TEST(cuda_is_sent_what_changed)
{
    set_up(NULL, true, 64 << 20, false);
    check_sent(DEVICE_CUDA);
    tear_down();
}
END_TEST

START_TEST(in_this_process)
{
    set_up(NULL, true, 64 << 20, true);
    check_sent(DEVICE_CUDA);
    tear_down();
}
END_TEST

/* ---- faults ---- */

START_TEST(a_killed_worker_is_sent_all_again)
{
    uint64_t sent = 0;
    set_up(NULL, true, 64 << 20, false);
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(run_all(DEVICE_CUDA, &sent), DEVICE_CUDA);
        write_row(below(SHARDS), below(ROWS));
        ck_assert_int_eq(kill(dispatch_worker_pid(d, DEVICE_CUDA), SIGKILL), 0);
        ck_assert_int_eq(run_all(DEVICE_CUDA, &sent), DEVICE_CPU);
        ck_assert_uint_eq(held_bytes(), 0);
        ck_assert_int_eq(run_all(DEVICE_CUDA, &sent), DEVICE_CPU);
        now += INT64_C(200) * 1000000000;
        ck_assert_int_eq(run_all(DEVICE_CUDA, &sent), DEVICE_CUDA);
        ck_assert_uint_eq(sent, ALL_BYTES);
        ck_assert_int_eq(run_all(DEVICE_CUDA, &sent), DEVICE_CUDA);
        ck_assert_uint_eq(sent, 0);
    }
    tear_down();
}
END_TEST

START_TEST(wrong_results_are_sent_all_again)
{
    set_up("wrong:1", true, 64 << 20, false);
    ck_assert_int_eq(run_all(DEVICE_CUDA, NULL), DEVICE_CPU);
    ck_assert_uint_eq(held_bytes(), 0);
    tear_down();
}
END_TEST

/* Room for the job alone, then for the job and a part of the columns. */
START_TEST(a_device_without_room)
{
    static const char *const rooms[] = {"room:300000", "room:420000",
                                        "room:500000"};
    for (size_t i = 0; i < 3; i++) {
        uint64_t sent = 0, held = 0;
        set_up(rooms[i], true, 64 << 20, false);
        for (int n = 0; n < 8; n++) {
            ck_assert_int_eq(run_all(DEVICE_CUDA, &sent), DEVICE_CUDA);
            held = held_bytes();
            write_row(below(SHARDS), below(ROWS));
        }
        ck_assert_uint_lt(held, ALL_BYTES);
        ck_assert_uint_le(sent, ALL_BYTES + 3 * MIRROR_PAGE_BYTES);
        if (i > 0) {
            ck_assert_uint_gt(held, 0);
            ck_assert_uint_lt(sent, ALL_BYTES);
        }
        tear_down();
    }
}
END_TEST

/* Any error at any call, at once or late; the life goes on. */
START_TEST(each_error_ends_right)
{
    static const int codes[] = {2,   34,  35,  98,  100, 200, 209,
                                214, 219, 226, 700, 701, 702, 719};
    const struct part parts[] = {{0, 0, 3000}, {2, 500, 2000}};
    for (int call = 1; call <= 60; call++)
        for (int n = 0; n < 3; n++) {
            char plan[40];
            snprintf(plan, sizeof plan, "%d:%d:%d", call,
                     codes[(call * 3 + n) % 14], n % 2);
            set_up(plan, true, 64 << 20, false);
            for (int k = 0; k < 3; k++) {
                run_parts(parts, 2, DEVICE_CUDA, NULL);
                write_row(0, below(3000));
            }
            tear_down();
        }
}
END_TEST

/* ---- order, and room ---- */

/* The newer of two jobs comes first; neither sees the other's moment. */
START_TEST(jobs_see_their_own_moment)
{
    uint64_t sent = 0;
    set_up(NULL, true, 64 << 20, false);
    ck_assert_int_eq(run_all(DEVICE_CUDA, &sent), DEVICE_CUDA);
    for (int n = 0; n < 20; n++) {
        struct batch older, newer;
        for (int i = 0; i < 20; i++)
            write_row(below(SHARDS), below(ROWS));
        batch_make(&older, everything, SHARDS, DEVICE_CUDA);
        for (int i = 0; i < 20; i++)
            write_row(below(SHARDS), below(ROWS));
        batch_make(&newer, everything, SHARDS, DEVICE_CUDA);
        struct batch *first = n % 2 ? &older : &newer;
        ck_assert_int_eq(batch_run(first, &sent), DEVICE_CUDA);
        ck_assert_int_eq(batch_run(n % 2 ? &newer : &older, &sent),
                         DEVICE_CUDA);
        batch_free(&older);
        batch_free(&newer);
        ck_assert_int_eq(run_all(DEVICE_CUDA, &sent), DEVICE_CUDA);
        ck_assert_int_eq(run_all(DEVICE_CUDA, &sent), DEVICE_CUDA);
        ck_assert_uint_eq(sent, 0);
    }
    tear_down();
}
END_TEST

/* 32 KiB hold the columns of one field of one shard. */
START_TEST(a_pool_holds_the_hottest)
{
    const struct part cold[] = {{0, 0, ROWS}}, hot[] = {{1, 0, ROWS}};
    uint64_t sent = 0;
    set_up(NULL, true, 100 << 10, false);
    for (int n = 0; n < 3; n++)
        ck_assert_int_eq(run_all(DEVICE_CUDA, &sent), DEVICE_CUDA);
    ck_assert_uint_eq(held_bytes(), 96 << 10);
    ck_assert_uint_eq(sent, ALL_BYTES - 3 * ROWS * 4);
    ck_assert_int_eq(run_parts(cold, 1, DEVICE_CUDA, &sent), DEVICE_CUDA);
    for (int n = 0; n < 40; n++)
        ck_assert_int_eq(run_parts(hot, 1, DEVICE_CUDA, &sent), DEVICE_CUDA);
    ck_assert_uint_eq(sent, 0); /* it has taken the place of the other */
    ck_assert_int_eq(run_parts(cold, 1, DEVICE_CUDA, &sent), DEVICE_CUDA);
    ck_assert_uint_eq(sent, FIELDS * ROWS * 4);
    tear_down();
}
END_TEST

/* Whatever is read and written, with whatever room. */
static void check_random(enum device_kind kind)
{
    for (int n = 0; n < 150; n++) {
        struct part parts[6];
        uint32_t count = 1 + below(6);
        for (uint32_t i = below(200) * below(3); i > 0; i--)
            write_row(below(SHARDS), below(ROWS));
        for (uint32_t i = 0; i < count; i++) {
            uint32_t row = below(ROWS);
            uint32_t most = ROWS - row < 1500 ? ROWS - row : 1500;
            parts[i] = (struct part){below(SHARDS), row, 1 + below(most)};
        }
        ck_assert_int_eq(run_parts(parts, count, kind, NULL), kind);
    }
}

START_TEST(anything)
{
    static const uint64_t rooms[] = {0, 5000, 70000, 200000, 1 << 24};
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        set_up(NULL, true, rooms[i], false);
        check_random(DEVICE_CUDA);
        tear_down();
    }
}
END_TEST

START_TEST(anything_on_opencl)
{
    static const uint64_t rooms[] = {70000, 1 << 24};
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        set_up(NULL, false, rooms[i], false);
        if (run_parts(everything, 1, DEVICE_CPU, NULL) == DEVICE_OPENCL)
            check_random(DEVICE_OPENCL);
        tear_down();
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {opencl_is_sent_what_changed,
                                  cuda_is_sent_what_changed,
                                  in_this_process,
                                  a_killed_worker_is_sent_all_again,
                                  wrong_results_are_sent_all_again,
                                  a_device_without_room,
                                  each_error_ends_right,
                                  jobs_see_their_own_moment,
                                  a_pool_holds_the_hottest,
                                  anything,
                                  anything_on_opencl};
    return RUN_SUITE("mirror", tests);
}
