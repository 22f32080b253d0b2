/* compute.c: warp-bench compute: its options, and --check: every kernel on
 * random and adversarial input, each row against the float64 reference. */
#include "compute.h"

#include "compute_jobs.h"
#include "verify.h"

#include <string.h>

static const char *const shape_names[] = {"random", "zeros", "equal", "wide"};

static void print_help(FILE *out)
{
    fputs("  warp-bench compute                     figures of the CPU\n"
          "  warp-bench compute --device opencl     figures of a device\n"
          "  warp-bench compute --device cpu --check\n"
          "  warp-bench compute --hot               gets and sets beside it\n\n"
          "  --device cpu|opencl|cuda  where kernels run (default cpu)\n"
          "  --isa base|avx2|avx512    of the CPU's versions (default: the "
          "widest here)\n"
          "  --check                   compare with float64, measure nothing\n"
          "  --hot                     what kernels in the background cost "
          "gets and sets\n"
          "  --json FILE               write the results there, too\n"
          "exit status: 0 clean, 1 a result is wrong or there is no such "
          "device, 2 usage\n",
          out);
}

/* ---- --check ---- */

struct checking {
    struct device *device;
    FILE *json;
    uint64_t jobs, rows, wrong;
};

static void check(struct checking *c, struct kernel_job job, enum shape shape)
{
    uint64_t wrong = c->wrong;
    const char *why = kernel_refuse(&job);
    if (!why && device_run(c->device, &job) != DEVICE_OK)
        why = c->device->why[0];
    if (why) {
        c->wrong++;
        printf("%s, %s: %s\n", job.kernel->name, shape_names[shape], why);
    }
    for (uint32_t i = 0; !why && i < job.p.rows && c->wrong < wrong + 3; i++) {
        const char *bad = job.kernel->invalid(&job, i);
        if (bad)
            printf("%s, %s input, mode %u, reduction %u, row %u: %s\n",
                   job.kernel->name, shape_names[shape], job.p.mode,
                   job.p.reduce, i, bad);
        c->wrong += bad != NULL;
    }
    c->jobs++;
    c->rows += job.p.rows;
    job_free(&job);
}

static void check_gravity(struct checking *c, enum shape shape)
{
    for (uint32_t mode = 0; mode <= GRAVITY_FIELD; mode++)
        for (uint32_t reduce = 0; reduce <= KERNEL_TOP_K; reduce++)
            for (uint32_t n = 1; n < 2000; n = n * 6 + 1)
                /* beyond float32 a softmax has one share of 1 */
                if (reduce != KERNEL_SOFTMAX || shape != SHAPE_WIDE)
                    check(c, gravity_job(40, n, mode, reduce, shape, n), shape);
}

/* Each kind of length and its borders: a warp's, a block's, chunks. */
static void check_lengths(struct checking *c, enum shape shape)
{
    static const uint32_t lengths[] = {
        0,         1, 1024,    1025, 65536, 65537, 16384 * 5,
        16384 * 6, 3, 1000001, 0,    70000, 2};
    enum { COUNT = sizeof lengths / sizeof lengths[0] };
    for (uint32_t mode = 0; mode <= ENTROPY_NORMALISED; mode++) {
        check(c, entropy_of_lengths(lengths, COUNT, mode, shape, 3), shape);
        check(c, entropy_of_lengths(lengths + 9, 1, mode, shape, 4), shape);
    }
}

static int check_all(struct device *device, FILE *json)
{
    struct checking c = {device, json, 0, 0, 0};
    for (enum shape shape = 0; shape < SHAPE_COUNT; shape++) {
        check_gravity(&c, shape);
        check_lengths(&c, shape);
        for (uint32_t most = 1; most < 200000; most = most * 9 + 1) {
            for (uint32_t mode = 0; mode <= ENTROPY_NORMALISED; mode++)
                check(&c, entropy_job(20, most, mode, shape, most), shape);
            check(&c, thermo_job(20, most, shape, most), shape);
        }
    }
    for (uint32_t n = 1; n <= 64; n += n < 8 ? 1 : 28) {
        struct hermitian h;
        check(&c, evolve_job(n, 3 * n + 1, n, &h), SHAPE_RANDOM);
        hermitian_destroy(&h);
    }
    printf("%s (%s): %llu jobs, %llu rows, %llu wrong\n", device->row->kind,
           device->name, (unsigned long long)c.jobs, (unsigned long long)c.rows,
           (unsigned long long)c.wrong);
    if (json)
        fprintf(json,
                "{\"device\":\"%s\",\"name\":\"%s\",\"jobs\":%llu,"
                "\"rows\":%llu,\"wrong\":%llu}\n",
                device->row->kind, device->name, (unsigned long long)c.jobs,
                (unsigned long long)c.rows, (unsigned long long)c.wrong);
    return c.wrong != 0;
}

/* ---- options ---- */

static int usage(const char *what, const char *argument)
{
    fprintf(stderr, "warp-bench compute: %s%s\n", what, argument);
    print_help(stderr);
    return 2;
}

static int run(const struct device_row *row, bool checking, FILE *json)
{
    struct device *device = NULL;
    char why[DEVICE_TEXT_BYTES] = "";
    if (row->open(&device, why) != DEVICE_OK) {
        fprintf(stderr, "warp-bench compute: no %s here: %s\n", row->kind, why);
        return 1;
    }
    int status =
        checking ? check_all(device, json) : compute_time(device, json);
    row->close(&device);
    return status;
}

int compute_main(int argc, char **argv)
{
    const struct device_row *row = device_rows[DEVICE_CPU];
    const char *path = NULL;
    bool checking = false, hot = false;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0) {
            checking = true;
        } else if (strcmp(argv[i], "--hot") == 0) {
            hot = true;
        } else if (strcmp(argv[i], "--help") == 0) {
            print_help(stdout);
            return 0;
        } else if (strcmp(argv[i], "--isa") == 0 && i + 1 < argc) {
            if (!kernel_isa_use(argv[++i]))
                return usage("no such instruction set here: ", argv[i]);
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            path = argv[++i];
        } else if (strcmp(argv[i], "--device") == 0 && i + 1 < argc) {
            row = NULL;
            i++;
            for (int k = 0; k < DEVICE_KINDS; k++)
                if (strcmp(argv[i], device_rows[k]->kind) == 0)
                    row = device_rows[k];
            if (!row)
                return usage("no such device: ", argv[i]);
        } else {
            return usage("unknown option, or its value is missing: ", argv[i]);
        }
    }
    FILE *json = path ? fopen(path, "w") : NULL;
    if (path && !json) {
        fprintf(stderr, "warp-bench compute: cannot write %s\n", path);
        return 1;
    }
    int status = hot ? compute_hot(json) : run(row, checking, json);
    if (json && fclose(json) != 0) {
        fprintf(stderr, "warp-bench compute: cannot write %s\n", path);
        status = 1;
    }
    return status;
}
