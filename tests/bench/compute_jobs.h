/* compute_jobs.h: jobs for the built-in kernels, random and adversarial, for
 * warp-bench and for tests of kernels, devices and dispatch. The arrays of a
 * job are its own; results are NaN until a kernel writes them. */
#ifndef BENCH_COMPUTE_JOBS_H
#define BENCH_COMPUTE_JOBS_H

#include "kernels.h"

enum shape {
    SHAPE_RANDOM,
    SHAPE_ZERO,  /* no mass, empty buckets, equal levels */
    SHAPE_EQUAL, /* everything in one place, equal counts */
    SHAPE_WIDE,  /* twelve decades and more */
    SHAPE_COUNT
};

void job_room(struct kernel_job *job); /* arrays for the job's numbers */
void job_free(struct kernel_job *job);
struct kernel_job gravity_job(uint32_t rows, uint32_t cols, uint32_t mode,
                              uint32_t reduce, enum shape shape, uint64_t seed);
/* Segments of 0 to `most` items. */
struct kernel_job entropy_job(uint32_t rows, uint32_t most, uint32_t mode,
                              enum shape shape, uint64_t seed);
/* Segments of these lengths. */
struct kernel_job entropy_of_lengths(const uint32_t *lengths, uint32_t rows,
                                     uint32_t mode, enum shape shape,
                                     uint64_t seed);
/* Segments of 1 to `most` levels. */
struct kernel_job thermo_job(uint32_t rows, uint32_t most, enum shape shape,
                             uint64_t seed);
/* For the caller to free. */
void random_hermitian(uint32_t n, uint64_t seed, double **re, double **im);
/* States of a random evolution; h is what evolves them, to be destroyed. */
struct kernel_job evolve_job(uint32_t size, uint32_t states, uint64_t seed,
                             struct hermitian *h);

#endif
