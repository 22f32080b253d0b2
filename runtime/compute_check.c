/* compute_check.c: a row of a device's results beside what the CPU makes of the
 * same inputs, and beside the reference in float64. */
#include "compute.h"

#include <math.h>
#include <stdlib.h>

/* Results of a row that need no block of their own. */
enum { FEW_RESULTS = 64 };

static struct warp_kernel_args args_of(const struct kernel_job *job)
{
    return (struct warp_kernel_args){job->p.rows, job->p.cols, job->p.items,
                                     job->arg};
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-4 * fabs(b) + 1e-30 || (a != a && b != b) ||
           a == b;
}

static double real_at(const void *at, uint8_t bytes)
{
    float single;
    double real;
    if (bytes == 8)
        memcpy(&real, at, sizeof real);
    else {
        memcpy(&single, at, sizeof single);
        real = (double)single;
    }
    return real;
}

/* ---- results that are places ---- */

static uint64_t place_at(const void *at, uint8_t bytes)
{
    uint32_t narrow;
    uint64_t place;
    if (bytes == 8)
        memcpy(&place, at, sizeof place);
    else {
        memcpy(&narrow, at, sizeof narrow);
        place = narrow;
    }
    return place;
}

/* What a place of a job of one row is worth, by the reference: its best among
 * that column or element alone. NAN: generated code that does not say it. */
static double worth_of(const struct kernel_job *one, uint64_t place)
{
    const struct compute_kernel *k = one->kernel->owner;
    struct kernel_job job = *one;
    uint32_t offsets[2] = {0, 1};
    double out[2] = {0, (double)NAN};
    job.p.cols = 1;
    job.p.items = 1;
    for (uint32_t i = 0; i < k->from->arg_count; i++) {
        const struct warp_kernel_arg *a = &k->from->args[i];
        if (a->side == WARP_SIDE_COL || a->side == WARP_SIDE_ITEM)
            job.arg[i] = (char *)job.arg[i] + place * a->bytes;
        else if (a->side == WARP_SIDE_OFFSETS)
            job.arg[i] = offsets;
    }
    struct warp_kernel_args args = args_of(&job);
    k->from->reference(&args, 0, out);
    return out[1];
}

/* The place may be another one than the CPU's, if rounding can tell between
 * them: it is worth what the best is worth, or not less than the CPU's. */
static const char *invalid_place(const struct kernel_job *one, uint64_t got,
                                 uint64_t own, uint64_t best)
{
    const struct compute_kernel *k = one->kernel->owner;
    if (got >= (k->from->segments ? one->p.items : one->p.cols))
        return "a place is outside the columns";
    double there = worth_of(one, got), own_worth = worth_of(one, own);
    return near(there, worth_of(one, best)) || near(there, own_worth) ||
                   there > own_worth
               ? NULL
               : "a place does not hold the greatest value";
}

/* ---- a row ---- */

/* A row is right if it is near float64's result, or near what the CPU gives in
 * the field's own type: where rounding decides, the two may differ. Whole
 * numbers are the CPU's. */
static const char *compare(const struct kernel_job *one, const char *got,
                           const char *own, const uint64_t *exact)
{
    const struct compute_kernel *k = one->kernel->owner;
    const struct warp_kernel_arg *result =
        &k->from->args[k->from->arg_count - 1];
    uint8_t bytes = result->bytes;
    for (uint32_t i = 0; i < k->from->result_count; i++) {
        const char *value = got + (size_t)i * bytes;
        const char *at = own + (size_t)i * bytes;
        if (memcmp(value, at, bytes) == 0)
            continue;
        if (k->from->places)
            return invalid_place(one, place_at(value, bytes),
                                 place_at(at, bytes), place_at(exact, bytes));
        if (!result->real)
            return "a result is not the CPU's";
        double v = real_at(value, bytes);
        if (!near(v, real_at(&exact[i], 8)) && !near(v, real_at(at, bytes)))
            return "a result is not the reference's";
    }
    return NULL;
}

const char *compute_invalid(const struct kernel_job *job, uint32_t row)
{
    const struct compute_kernel *k = job->kernel->owner;
    uint32_t count = k->from->result_count, last = k->from->arg_count - 1;
    uint64_t few[2 * FEW_RESULTS], *both = few;
    struct kernel_job one;
    const char *why = NULL;
    const char *got = (const char *)job->arg[last] +
                      (size_t)row * count * k->from->args[last].bytes;
    if (!kernel_slice(job, row, 1, &one))
        return "a row does not stand alone";
    if (count > FEW_RESULTS)
        both = calloc(count, 2 * sizeof *both);
    if (!both)
        return "there is no memory to compare a row";
    uint64_t *exact = both + count;
    struct warp_kernel_args args = args_of(job);
    k->from->reference(&args, row, exact);
    one.arg[last] = both;
    args = args_of(&one);
    k->from->run(&args);
    why = compare(&one, got, (const char *)both, exact);
    if (both != few)
        free(both);
    return why;
}
