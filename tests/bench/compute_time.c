/* compute_time.c: what kernels take on a device, from host memory to host
 * memory, next to a plain scalar float64 loop over the same work, and next to
 * OpenBLAS where it applies and is installed. Figures are the best of several
 * runs. */
#include "compute.h"
#include "compute_jobs.h"
#include "dispatch.h"
#include "worker.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 9 };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---- the scalar loops ---- */

static volatile double sink;

static void scalar_gravity(const struct kernel_job *job)
{
    const float *const *in = (const float *const *)job->arg;
    double eps = (double)job->p.a, sum = 0;
    for (uint32_t i = 0; i < job->p.rows; i++)
        for (uint32_t j = 0; j < job->p.cols; j++) {
            double dx = (double)in[0][i] - (double)in[3][j];
            double dy = (double)in[1][i] - (double)in[4][j];
            sum += (double)in[2][i] * (double)in[5][j] /
                   sqrt(dx * dx + dy * dy + eps * eps);
        }
    sink = sum;
}

static void scalar_entropy(const struct kernel_job *job)
{
    const uint32_t *offsets = job->arg[0], *counts = job->arg[1];
    double all = 0;
    for (uint32_t i = 0; i < job->p.rows; i++) {
        double total = 0, sum = 0;
        for (uint32_t j = offsets[i]; j < offsets[i + 1]; j++)
            total += (double)counts[j];
        for (uint32_t j = offsets[i]; j < offsets[i + 1]; j++)
            if (counts[j] > 0)
                sum -=
                    (double)counts[j] / total * log2((double)counts[j] / total);
        all += sum;
    }
    sink = all;
}

static void scalar_thermo(const struct kernel_job *job)
{
    const uint32_t *offsets = job->arg[0];
    const float *t = job->arg[1], *e = job->arg[2];
    float *share = job->arg[3];
    double all = 0;
    for (uint32_t i = 0; i < job->p.rows; i++) {
        double least = INFINITY, z = 0, mean = 0, square = 0;
        for (uint32_t j = offsets[i]; j < offsets[i + 1]; j++)
            least = fmin(least, (double)e[j]);
        for (uint32_t j = offsets[i]; j < offsets[i + 1]; j++) {
            double gap = ((double)e[j] - least) / (double)t[i], w = exp(-gap);
            share[j] = (float)w;
            z += w;
            mean += w * gap;
            square += w * gap * gap;
        }
        for (uint32_t j = offsets[i]; j < offsets[i + 1]; j++)
            share[j] = (float)((double)share[j] / z);
        all += log(z) + mean / z + square / z;
    }
    sink = all;
}

static void scalar_evolve(const struct kernel_job *job)
{
    for (uint32_t d = 0; d < job->p.rows; d++)
        for (uint32_t b = 0; b < job->p.cols; b++) {
            double re, im;
            kernel_evolve_reference(job, d, b, &re, &im);
            sink = re + im;
        }
}

/* ---- OpenBLAS ---- */

/* The same product by cblas_cgemm; ns, or 0 where there is none. */
static double blas_ns(const struct kernel_job *job)
{
    void (*cgemm)(int, int, int, int, int, int, const void *, const void *, int,
                  const void *, int, const void *, void *, int);
    void (*threads)(int);
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    static float u[64 * 64 * 2], in[64 * 4096 * 2], out[64 * 4096 * 2];
    const float one[2] = {1, 0}, zero[2] = {0, 0};
    double best = 0;
    int size = (int)job->p.rows, states = (int)job->p.cols;
    *(void **)&cgemm = library ? dlsym(library, "cblas_cgemm") : NULL;
    *(void **)&threads =
        library ? dlsym(library, "openblas_set_num_threads") : NULL;
    if (!cgemm || size > 64 || states > 4096)
        return 0;
    if (threads)
        threads(1);
    for (int i = 0; i < size * size; i++) {
        u[2 * i] = ((const float *)job->arg[0])[i];
        u[2 * i + 1] = ((const float *)job->arg[1])[i];
    }
    for (int i = 0; i < size * states; i++) {
        in[2 * i] = ((const float *)job->arg[2])[i];
        in[2 * i + 1] = ((const float *)job->arg[3])[i];
    }
    for (int n = 0; n < ROUNDS; n++) {
        double from = now_ns();
        cgemm(101, 111, 111, size, states, size, one, u, size, in, states, zero,
              out, states);
        double ns = now_ns() - from;
        best = n == 0 || ns < best ? ns : best;
    }
    return best;
}

/* ---- figures ---- */

struct timing {
    struct device *device;
    FILE *json;
    int lines, failed;
};

static void measure(struct timing *t, const char *name, const char *unit,
                    double units, struct kernel_job *job,
                    void (*scalar)(const struct kernel_job *))
{
    double best = 0, plain = 0;
    for (int n = 0; n < ROUNDS; n++) {
        double from = now_ns();
        if (device_run(t->device, job) != DEVICE_OK) {
            printf("%s: %s\n", name, t->device->why[0]);
            t->failed = 1;
            return;
        }
        double ns = now_ns() - from;
        best = n == 0 || ns < best ? ns : best;
    }
    for (int n = 0; n < 3; n++) {
        double from = now_ns();
        scalar(job);
        double ns = now_ns() - from;
        plain = n == 0 || ns < plain ? ns : plain;
    }
    double blas = job->kernel == &kernel_evolve ? blas_ns(job) : 0;
    printf("%-22s %8.3f ns per %-7s  scalar float64 %8.3f  %6.1f x", name,
           best / units, unit, plain / units, plain / best);
    printf("  %.1f GB/s", (double)kernel_bytes(job) / best);
    if (job->kernel == &kernel_evolve)
        printf("  %.1f GFLOP/s", 8 * units / best);
    if (blas > 0)
        printf("  OpenBLAS %.1f", 8 * units / blas);
    printf("\n");
    if (t->json)
        fprintf(t->json,
                "%s{\"kernel\":\"%s\",\"unit\":\"%s\",\"ns\":%.4f,"
                "\"scalar_ns\":%.4f,\"openblas_ns\":%.4f,\"bytes\":%llu}",
                t->lines++ ? "," : "", name, unit, best / units, plain / units,
                blas / units, (unsigned long long)kernel_bytes(job));
}

/* ---- through the worker ---- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Dispatch to result of a small job, in a process of its own. */
static void round_trip(struct timing *t, enum device_kind kind)
{
    enum { TRIPS = 4000, WARM = 100 };
    static double us[TRIPS];
    char why[DEVICE_TEXT_BYTES] = "out of memory";
    struct worker *w = worker_create(dispatch_program(), kind, 1 << 20, 0);
    struct kernel_job job = entropy_job(4, 8, ENTROPY_BITS, SHAPE_RANDOM, 1);
    enum device_outcome outcome = w ? DEVICE_OK : DEVICE_ABSENT;
    for (int i = 0; i < TRIPS + WARM && outcome == DEVICE_OK; i++) {
        double from = now_ns();
        outcome = worker_run(w, &job, 1000000000, why);
        if (i >= WARM)
            us[i - WARM] = (now_ns() - from) / 1000;
    }
    worker_destroy(&w);
    job_free(&job);
    if (outcome != DEVICE_OK) {
        printf("worker round trip      none: %s\n", why);
        t->failed |= outcome != DEVICE_ABSENT; /* not installed: no figure */
        return;
    }
    qsort(us, TRIPS, sizeof *us, by_size);
    printf("worker round trip      %8.1f us median, %.1f us of 99 in 100\n",
           us[TRIPS / 2], us[TRIPS * 99 / 100]);
    if (t->json)
        fprintf(t->json,
                "%s{\"kernel\":\"round trip\",\"unit\":\"trip\","
                "\"ns\":%.0f,\"p99_ns\":%.0f}",
                t->lines++ ? "," : "", us[TRIPS / 2] * 1000,
                us[TRIPS * 99 / 100] * 1000);
}

int compute_time(struct device *device, FILE *json)
{
    struct timing t = {device, json, 0, 0};
    static const struct {
        const char *name;
        uint32_t reduce;
    } reductions[] = {{"gravity, argmax", KERNEL_ARGMAX},
                      {"gravity, sum", KERNEL_SUM},
                      {"gravity, matrix", KERNEL_REDUCE_NONE}};
    struct kernel_job job;
    struct hermitian h;
    printf("%s: %s\n", device->row->kind, device->name);
    if (json)
        fprintf(json, "{\"device\":\"%s\",\"name\":\"%s\",\"figures\":[",
                device->row->kind, device->name);
    for (int i = 0; i < 3; i++) {
        job = gravity_job(1000, 1000, GRAVITY_POTENTIAL, reductions[i].reduce,
                          SHAPE_RANDOM, 1);
        measure(&t, reductions[i].name, "pair", 1e6, &job, scalar_gravity);
        job_free(&job);
    }
    job = entropy_job(1000, 2000, ENTROPY_BITS, SHAPE_RANDOM, 1);
    measure(&t, "entropy", "bucket", (double)job.p.items, &job, scalar_entropy);
    job_free(&job);
    job = thermo_job(1000, 2000, SHAPE_RANDOM, 1);
    measure(&t, "thermodynamics", "level", (double)job.p.items, &job,
            scalar_thermo);
    job_free(&job);
    job = evolve_job(64, 4096, 1, &h);
    measure(&t, "evolution, D = 64", "product", 64.0 * 64 * 4096, &job,
            scalar_evolve);
    job_free(&job);
    hermitian_destroy(&h);
    for (int kind = 0; kind < DEVICE_KINDS; kind++)
        if (device->row == device_rows[kind])
            round_trip(&t, (enum device_kind)kind);
    if (json)
        fputs("]}\n", json);
    return t.failed;
}
