/* The contract of a device, over every row of the table: all built-in kernels
 * give the reference's results on random and adversarial input; what a device
 * cannot do has an outcome, never a wrong result. CUDA runs on the stand-in
 * driver, with each error at each call, at once and late. */
#include "kernel_jobs.h"

#include "device.h"

#include <dlfcn.h>
#include <warp/warp.h>

static struct device *device;

static bool open_device(enum device_kind kind)
{
    char why[DEVICE_TEXT_BYTES] = "";
    enum device_outcome outcome = device_rows[kind]->open(&device, why);
    ck_assert(outcome == DEVICE_OK || outcome == DEVICE_ABSENT);
    ck_assert((outcome == DEVICE_OK) == (device != NULL));
    if (outcome == DEVICE_ABSENT) {
        ck_assert(why[0] != '\0');
        printf("%s: %s\n", device_rows[kind]->kind, why);
        return false;
    }
    ck_assert(device->name[0] != '\0' && device->units > 0);
    return true;
}

static void run_one(struct kernel_job job)
{
    enum device_outcome outcome = device_run(device, &job);
    ck_assert_msg(outcome == DEVICE_OK, "%s: %s", job.kernel->name,
                  device->why[0]);
    check_rows(&job, device->row->kind);
    job_free(&job);
}

/* A warp's, a block's and longer ones, and where they end. */
static void run_lengths(enum shape shape)
{
    static const uint32_t lengths[] = {0,     1025, 65536, 65537,  81920, 1024,
                                       98304, 3,    70000, 300001, 0};
    enum { COUNT = sizeof lengths / sizeof lengths[0] };
    for (uint32_t mode = 0; mode <= ENTROPY_NORMALISED; mode++) {
        run_one(entropy_of_lengths(lengths, COUNT, mode, shape, 1));
        run_one(entropy_of_lengths(lengths + 9, 1, mode, shape, 2));
    }
}

static void run_kernels(void)
{
    for (enum shape s = 0; s < SHAPE_COUNT; s++) {
        for (uint32_t mode = 0; mode <= GRAVITY_FIELD; mode++)
            for (uint32_t r = 0; r <= KERNEL_TOP_K; r++)
                if (r != KERNEL_SOFTMAX || s != SHAPE_WIDE)
                    run_one(gravity_job(33, 70, mode, r, s, mode + 1));
        for (uint32_t mode = 0; mode <= ENTROPY_NORMALISED; mode++) {
            run_one(entropy_job(40, 90, mode, s, 2));
            run_one(entropy_job(5, 30000, mode, s, 3));
        }
        run_lengths(s);
        run_one(thermo_job(40, 90, s, 2));
        run_one(thermo_job(5, 30000, s, 3));
    }
    for (uint32_t n = 1; n < 70; n += 17) {
        struct hermitian h;
        run_one(evolve_job(n, n + 5, n, &h));
        hermitian_destroy(&h);
    }
    run_one(gravity_job(0, 5, GRAVITY_POTENTIAL, KERNEL_MAX, SHAPE_RANDOM, 1));
    run_one(gravity_job(5, 0, GRAVITY_POTENTIAL, KERNEL_SUM, SHAPE_RANDOM, 1));
}

START_TEST(every_device_has_every_kernel)
{
    for (enum device_kind kind = 0; kind < DEVICE_KINDS; kind++) {
        if (!open_device(kind))
            continue;
        run_kernels();
        device->row->close(&device);
        ck_assert_ptr_null(device);
    }
}
END_TEST

/* A text that no compiler takes: this kernel is off, others go on. */
START_TEST(a_bad_text_is_the_kernels_fault)
{
    if (!open_device(DEVICE_OPENCL))
        return;
    struct kernel bad = kernel_entropy;
    bad.cl = "__kernel void entropy(float x) { return nonsense; }";
    struct kernel_job job = entropy_job(3, 9, 0, SHAPE_RANDOM, 1);
    job.kernel = &bad;
    ck_assert_int_eq(device_run(device, &job), DEVICE_KERNEL);
    ck_assert(strstr(device->why[0], "entropy") != NULL);
    bad.cl = "__kernel void another(__global float *x) { *x = 1; }";
    ck_assert_int_eq(device_run(device, &job), DEVICE_KERNEL);
    job.kernel = &kernel_entropy;
    run_one(job);
    device->row->close(&device);
}
END_TEST

/* What a kernel leaves out is NaN, not what was there before. */
START_TEST(results_are_blank_first)
{
    if (!open_device(DEVICE_OPENCL))
        return;
    struct kernel lazy = kernel_entropy;
    lazy.cl = "struct p { uint a[8]; };"
              "__kernel void entropy(__global uint *o, __global uint *c,"
              " __global float *out, __global ulong *t, __global float *q,"
              " struct p p) { out[0] = 1; }";
    struct kernel_job job = entropy_job(3, 9, 0, SHAPE_RANDOM, 1);
    float *out = job.arg[2];
    out[0] = out[1] = out[2] = 7;
    job.kernel = &lazy;
    ck_assert_int_eq(device_run(device, &job), DEVICE_OK);
    ck_assert(out[0] == 1 && isnan(out[1]) && isnan(out[2]));
    job_free(&job);
    device->row->close(&device);
}
END_TEST

START_TEST(public_list)
{
    struct warp_device d;
    int count = 0;
    for (; warp_device_info((uint32_t)count, &d) == WARP_OK; count++) {
        ck_assert_str_eq(d.kind, device_rows[count]->kind);
        ck_assert((d.name[0] != '\0') == (d.why_not[0] == '\0'));
    }
    ck_assert_int_eq(count, DEVICE_KINDS);
    ck_assert_int_eq(warp_device_info((uint32_t)count, &d), WARP_END);
    ck_assert_int_eq(warp_device_info(0, NULL), WARP_EINVAL);
    ck_assert_int_eq(warp_device_info(0, &d), WARP_OK);
    ck_assert(d.name[0] && d.units > 0 && d.memory_bytes > 0);
}
END_TEST

/* ---- CUDA's errors ---- */

static void (*plan)(int call, int code, int late);
static int (*calls)(void);

static bool standin(void)
{
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    *(void **)&plan = library ? dlsym(library, "standin_plan") : NULL;
    *(void **)&calls = library ? dlsym(library, "standin_calls") : NULL;
    return plan && calls;
}

static enum device_outcome wanted(int code)
{
    switch (code) {
    case 2:
    case 701:
        return DEVICE_TRANSIENT;
    case 98:
    case 200:
    case 209:
    case 218:
    case 500:
        return DEVICE_KERNEL;
    default:
        return DEVICE_STICKY;
    }
}

static bool is_fault(enum device_outcome outcome, int call, int code,
                     uint32_t lane)
{
    if (outcome == DEVICE_OK)
        return false;
    /* A job beside one that failed: to be done again. */
    ck_assert_msg(outcome == wanted(code) || outcome == DEVICE_TRANSIENT,
                  "call %d, code %d: outcome %d", call, code, outcome);
    ck_assert(device->why[lane][0] != '\0');
    return true;
}

/* All that is void after a fault is said to be: rows are right, or blank. */
static void check_right_or_blank(const struct kernel_job *job)
{
    const uint32_t *bits = job->arg[2];
    for (uint32_t i = 0; i < job->p.rows; i++)
        ck_assert(bits[i] == UINT32_MAX || !job->kernel->invalid(job, i));
}

/* One error at one call, with a job on each lane at a time; the number of calls
 * of a life without an error. Returns how many jobs failed in *faults. */
static int live_with(int call, int code, int late, int *faults)
{
    enum { JOBS = 5 };
    char why[DEVICE_TEXT_BYTES];
    struct kernel_job jobs[JOBS];
    enum device_outcome begun[JOBS];
    *faults = 0;
    plan(call, code, late);
    if (device_rows[DEVICE_CUDA]->open(&device, why) != DEVICE_OK) {
        ck_assert_ptr_null(device);
        return calls();
    }
    for (int n = 0; n < JOBS; n++)
        jobs[n] = entropy_job(20, 40, 0, SHAPE_RANDOM, 5 + (uint64_t)n);
    device->row->pin(device, jobs[0].arg[1], 64);
    for (uint32_t n = 0; n <= JOBS; n++) {
        if (n < JOBS) {
            begun[n] = device->row->begin(device, n % 2, &jobs[n], NULL);
            *faults += is_fault(begun[n], call, code, n % 2);
        }
        if (n == 0 || begun[n - 1] != DEVICE_OK)
            continue;
        enum device_outcome end = device->row->finish(device, (n - 1) % 2);
        *faults += is_fault(end, call, code, (n - 1) % 2);
        if (end == DEVICE_OK)
            check_right_or_blank(&jobs[n - 1]);
        if (end == DEVICE_OK && code == 0)
            check_rows(&jobs[n - 1], "stand-in");
        if (end == DEVICE_STICKY)
            ck_assert_int_eq(
                device->row->begin(device, (n - 1) % 2, &jobs[n - 1], NULL),
                DEVICE_STICKY);
    }
    int made = calls();
    for (int n = 0; n < JOBS; n++)
        job_free(&jobs[n]);
    device->row->close(&device);
    return made;
}

START_TEST(each_error_at_each_call)
{
    static const int codes[] = {2,   34,  35,  98,  100, 200, 209,
                                214, 219, 226, 700, 701, 702, 719};
    if (!standin())
        return;
    int faults, count = live_with(0, 0, 0, &faults);
    ck_assert_int_eq(faults, 0);
    ck_assert_int_gt(count, 50);
    for (int call = 1; call <= count; call++)
        for (size_t c = 0; c < sizeof codes / sizeof codes[0]; c++)
            for (int late = 0; late < 2; late++)
                live_with(call, codes[c], late, &faults);
}
END_TEST

/* ---- what stays on a device ---- */

enum { HELD = 7, AHEAD = 100, OWN = 8 };

/* Counts of which the host has the first bytes alone, the block the others. */
struct split {
    struct kernel_job job;
    struct device_fill fill;
    struct device_piece pieces[2];
    struct device_plan plan;
    uint8_t *counts;
    size_t bytes;
};

static struct split split_new(uint64_t seed)
{
    struct split s = {.job = entropy_job(20, 40, 0, SHAPE_RANDOM, seed)};
    s.bytes = (size_t)kernel_arg_bytes(&s.job, 1);
    s.counts = malloc(s.bytes);
    ck_assert(s.counts && s.bytes > 2 * OWN);
    memcpy(s.counts, s.job.arg[1], s.bytes);
    s.fill = (struct device_fill){HELD, AHEAD + s.bytes, AHEAD, OWN,
                                  s.bytes - OWN};
    s.pieces[0] = (struct device_piece){1, DEVICE_FROM_HOST, 0, 0, OWN};
    s.pieces[1] = (struct device_piece){1, HELD, OWN, AHEAD, s.bytes - OWN};
    s.plan = (struct device_plan){.args = 1u << 1,
                                  .fill_count = 1,
                                  .piece_count = 2,
                                  .fresh = s.counts,
                                  .fresh_bytes = s.bytes};
    return s;
}

static void split_free(struct split *s)
{
    job_free(&s->job);
    free(s->counts);
}

static enum device_outcome run_split(struct split *s, uint32_t lane)
{
    char *array = (char *)(uintptr_t)s->job.arg[1];
    s->plan.fills = &s->fill;
    s->plan.pieces = s->pieces;
    ck_assert(device_plan_fits(&s->plan, &s->job));
    memset(array + OWN, 0x55, s->bytes - OWN);
    enum device_outcome outcome =
        device->row->begin(device, lane, &s->job, &s->plan);
    if (outcome == DEVICE_OK)
        outcome = device->row->finish(device, lane);
    memcpy(array, s->counts, s->bytes);
    if (outcome == DEVICE_OK)
        check_rows(&s->job, "held");
    return outcome;
}

static void must_run_split(struct split *s, uint32_t lane)
{
    enum device_outcome outcome = run_split(s, lane);
    ck_assert_msg(outcome == DEVICE_OK, "%s", device->why[lane]);
}

/* On one lane, on the other, at another size, given back; and not believed
 * after a fault. */
static void hold(void)
{
    struct split s = split_new(3), other = split_new(4);
    must_run_split(&s, 0);
    s.plan.fill_count = 0;
    must_run_split(&s, 1);
    other.fill.room += 4096;
    must_run_split(&other, 0);
    ck_assert_int_eq(device_run(device, &s.job), DEVICE_OK);
    check_rows(&s.job, "from the host");
    struct kernel bad = kernel_entropy;
    bad.cl = bad.cu = "nonsense";
    other.job.kernel = &bad;
    other.plan.fill_count = 0;
    ck_assert_int_ne(run_split(&other, 1), DEVICE_OK);
    other.job.kernel = &kernel_entropy;
    ck_assert_int_eq(run_split(&other, 1), DEVICE_TRANSIENT);
    ck_assert_str_eq(device->why[1], DEVICE_HELD_UNKNOWN);
    s.plan.drop = true;
    s.plan.fill_count = 1;
    must_run_split(&s, 0);
    s.plan.drop = false;
    s.fill = (struct device_fill){HELD, 0, 0, 0, 0};
    ck_assert_int_ne(run_split(&s, 0), DEVICE_OK); /* the block is gone */
    split_free(&s);
    split_free(&other);
}

START_TEST(what_is_held_is_an_input)
{
    static const enum device_kind kinds[] = {DEVICE_OPENCL, DEVICE_CUDA};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!open_device(kinds[i]))
            continue;
        hold();
        device->row->close(&device);
    }
}
END_TEST

/* What a worker takes of its parent's lists. */
START_TEST(a_plan_stays_within)
{
    struct kernel_job job = entropy_job(20, 40, 0, SHAPE_RANDOM, 5);
    uint64_t bytes = kernel_arg_bytes(&job, 1);
    const struct device_fill good = {7, 4096, 96, 10, 4000};
    const struct device_piece part = {1, DEVICE_FROM_HOST, 8, 0, bytes - 8};
    struct device_fill f = good;
    struct device_piece p = part;
    struct device_plan lists = {.fills = &f,
                                .pieces = &p,
                                .fill_count = 1,
                                .piece_count = 1,
                                .fresh_bytes = 4010};
    ck_assert(device_plan_fits(&lists, &job));
    f.held = DEVICE_HELD_MAX;
    ck_assert(!device_plan_fits(&lists, &job));
    f = good;
    f.from = 11; /* past the fresh bytes */
    ck_assert(!device_plan_fits(&lists, &job));
    f = good;
    f.to = UINT64_MAX - 100; /* the sum would wrap */
    ck_assert(!device_plan_fits(&lists, &job));
    f = good;
    f.room = 4095;
    ck_assert(!device_plan_fits(&lists, &job));
    f = good;
    p.bytes++;
    ck_assert(!device_plan_fits(&lists, &job));
    p = part;
    p.held = DEVICE_FROM_HOST + 1;
    ck_assert(!device_plan_fits(&lists, &job));
    p = part;
    p.arg = job.kernel->arg_count;
    ck_assert(!device_plan_fits(&lists, &job));
    p.arg = 2; /* a result */
    ck_assert(!device_plan_fits(&lists, &job));
    job_free(&job);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_device_has_every_kernel,
                                  a_bad_text_is_the_kernels_fault,
                                  results_are_blank_first,
                                  what_is_held_is_an_input,
                                  a_plan_stays_within,
                                  public_list,
                                  each_error_at_each_call};
    return RUN_SUITE("device", tests);
}
