/* compute_jobs.c: see compute_jobs.h. */
#include "compute_jobs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* There is no use in going on without memory. */
static void need(bool good)
{
    if (good)
        return;
    fputs("a job cannot be made: out of memory\n", stderr);
    exit(1);
}

static uint64_t job_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Arrays of a job are its own. */
void job_room(struct kernel_job *job)
{
    for (uint32_t i = 0; i < job->kernel->arg_count; i++) {
        size_t bytes = (size_t)kernel_arg_bytes(job, i);
        job->arg[i] = malloc(bytes ? bytes : 1);
        need(job->arg[i] != NULL);
        memset(job->arg[i], 0xff, bytes); /* NaN where it is float */
    }
}

void job_free(struct kernel_job *job)
{
    for (uint32_t i = 0; i < job->kernel->arg_count; i++) {
        free(job->arg[i]);
        job->arg[i] = NULL;
    }
}

/* A float between 0 and 1. */
static float random_share(uint64_t *state)
{
    return (float)(job_random(state) >> 40) * 0x1p-24f;
}

static float random_position(enum shape shape, uint64_t *state)
{
    float x = random_share(state) * 2 - 1;
    if (shape == SHAPE_EQUAL)
        return 0.25f;
    return shape == SHAPE_WIDE ? x * powf(10, random_share(state) * 36 - 18)
                               : x * 100;
}

static float random_mass(enum shape shape, uint64_t *state)
{
    float m = random_share(state);
    if (shape == SHAPE_ZERO)
        return 0;
    return shape == SHAPE_WIDE ? powf(10, m * 24 - 12) : m + 0.001f;
}

struct kernel_job gravity_job(uint32_t rows, uint32_t cols, uint32_t mode,
                              uint32_t reduce, enum shape shape, uint64_t seed)
{
    struct kernel_job job = {.kernel = &kernel_gravity,
                             .p = {.rows = rows,
                                   .cols = cols,
                                   .mode = mode,
                                   .reduce = reduce,
                                   .k = cols < 5 ? cols : 5,
                                   .a = shape == SHAPE_WIDE ? 1e-3f : 0.1f}};
    uint64_t state = seed * 2654435761u + 1;
    job_room(&job);
    for (uint32_t a = 0; a < 6; a++)
        for (uint32_t i = 0; i < (a < 3 ? rows : cols); i++)
            ((float *)job.arg[a])[i] = a % 3 == 2
                                           ? random_mass(shape, &state)
                                           : random_position(shape, &state);
    return job;
}

/* Segments of 0 to `most` items; with empty ones unless least > 0. */
static struct kernel_job segments(const struct kernel *kernel, uint32_t rows,
                                  uint32_t least, uint32_t most,
                                  uint64_t *state)
{
    struct kernel_job job = {.kernel = kernel, .p = {.rows = rows}};
    uint32_t *offsets = calloc(rows + 1, sizeof *offsets);
    need(offsets != NULL);
    for (uint32_t i = 0; i < rows; i++)
        offsets[i + 1] = offsets[i] + least +
                         (uint32_t)(job_random(state) % (most - least + 1));
    job.p.items = offsets[rows];
    job_room(&job);
    memcpy(job.arg[0], offsets, (rows + 1) * sizeof *offsets);
    free(offsets);
    return job;
}

static uint32_t random_count(enum shape shape, uint64_t *state)
{
    uint64_t r = job_random(state);
    return shape == SHAPE_ZERO    ? 0
           : shape == SHAPE_EQUAL ? UINT32_MAX
           : shape == SHAPE_WIDE  ? (uint32_t)(r >> 32 >> (r % 33))
                                  : (uint32_t)(r % 1000);
}

struct kernel_job entropy_of_lengths(const uint32_t *lengths, uint32_t rows,
                                     uint32_t mode, enum shape shape,
                                     uint64_t seed)
{
    uint64_t state = seed * 40503 + 7;
    struct kernel_job job = {.kernel = &kernel_entropy,
                             .p = {.rows = rows, .mode = mode}};
    for (uint32_t i = 0; i < rows; i++)
        job.p.items += lengths[i];
    job_room(&job);
    uint32_t *offsets = job.arg[0];
    offsets[0] = 0;
    for (uint32_t i = 0; i < rows; i++)
        offsets[i + 1] = offsets[i] + lengths[i];
    for (uint32_t i = 0; i < job.p.items; i++)
        ((uint32_t *)job.arg[1])[i] = random_count(shape, &state);
    return job;
}

struct kernel_job entropy_job(uint32_t rows, uint32_t most, uint32_t mode,
                              enum shape shape, uint64_t seed)
{
    uint64_t state = seed * 40503 + 7;
    struct kernel_job job = segments(&kernel_entropy, rows, 0, most, &state);
    job.p.mode = mode;
    for (uint32_t i = 0; i < job.p.items; i++)
        ((uint32_t *)job.arg[1])[i] = random_count(shape, &state);
    return job;
}

struct kernel_job thermo_job(uint32_t rows, uint32_t most, enum shape shape,
                             uint64_t seed)
{
    uint64_t state = seed * 69069 + 3;
    struct kernel_job job = segments(&kernel_thermo, rows, 1, most, &state);
    for (uint32_t i = 0; i < rows; i++)
        ((float *)job.arg[1])[i] =
            shape == SHAPE_WIDE ? powf(10, random_share(&state) * 40 - 20)
                                : random_share(&state) * 10 + 0.01f;
    for (uint32_t i = 0; i < job.p.items; i++)
        ((float *)job.arg[2])[i] = shape == SHAPE_ZERO    ? 0
                                   : shape == SHAPE_EQUAL ? -1e6f
                                   : shape == SHAPE_WIDE
                                       ? random_position(shape, &state)
                                       : random_share(&state) * 20 - 10;
    return job;
}

/* A random Hermitian matrix, for the caller to free. */
void random_hermitian(uint32_t n, uint64_t seed, double **re, double **im)
{
    uint64_t state = seed + 99;
    *re = calloc((size_t)n * n, sizeof **re);
    *im = calloc((size_t)n * n, sizeof **im);
    need(*re && *im);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            (*re)[i * n + j] = (double)random_share(&state) * 2 - 1;
            (*im)[i * n + j] =
                i == j ? 0 : (double)random_share(&state) * 2 - 1;
            (*re)[j * n + i] = (*re)[i * n + j];
            (*im)[j * n + i] = -(*im)[i * n + j];
        }
}

/* States of a random evolution; h is what evolves them, to be destroyed. */
struct kernel_job evolve_job(uint32_t size, uint32_t states, uint64_t seed,
                             struct hermitian *h)
{
    struct kernel_job job = {.kernel = &kernel_evolve,
                             .p = {.rows = size, .cols = states}};
    double *re, *im;
    uint64_t state = seed + 5;
    random_hermitian(size, seed, &re, &im);
    need(hermitian_create(size, re, im, h) == HERMITIAN_OK);
    free(re);
    free(im);
    job_room(&job);
    need(hermitian_evolution(h, 0.37, job.arg[0], job.arg[1]));
    float *x = job.arg[2], *y = job.arg[3];
    for (uint32_t b = 0; b < states; b++) {
        double norm = 0;
        for (size_t d = 0; d < size; d++) {
            size_t at = d * states + b;
            x[at] = random_share(&state) * 2 - 1;
            y[at] = random_share(&state) * 2 - 1;
            norm +=
                (double)x[at] * (double)x[at] + (double)y[at] * (double)y[at];
        }
        for (size_t d = 0; d < size; d++) {
            x[d * states + b] = (float)((double)x[d * states + b] / sqrt(norm));
            y[d * states + b] = (float)((double)y[d * states + b] / sqrt(norm));
        }
    }
    return job;
}
