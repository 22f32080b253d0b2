/* reference.c: the built-in kernels in float64, from the same text, one result
 * at a time: what every other version is compared with. */
#include "kernels.h"

#include <math.h>

#define REAL          double
#define ELEMENT(name) name##_f64
#define ELEMENT_FN    static inline
#define REAL_RSQRT(x) (1.0 / sqrt(x))
#define REAL_LOG2(x)  log2(x)
#define REAL_EXP(x)   exp(x)
#include "element.h"

static double real(const struct kernel_job *job, uint32_t arg, size_t at)
{
    return (double)((const float *)job->arg[arg])[at];
}

double kernel_gravity_reference(const struct kernel_job *job, uint32_t row,
                                uint32_t col)
{
    double dx = real(job, 0, row) - real(job, 3, col);
    double dy = real(job, 1, row) - real(job, 4, col);
    double mass = job->p.mode == GRAVITY_FIELD ? 1 : real(job, 2, row);
    double other = real(job, 5, col), eps = (double)job->p.a;
    return job->p.mode == GRAVITY_POTENTIAL
               ? gravity_potential_f64(dx, dy, mass, other, eps)
               : gravity_force_f64(dx, dy, mass, other, eps);
}

double kernel_entropy_reference(const struct kernel_job *job, uint32_t row)
{
    const uint32_t *offsets = job->arg[0];
    const uint32_t *counts = (const uint32_t *)job->arg[1];
    uint32_t from = offsets[row] - offsets[0];
    uint32_t n = offsets[row + 1] - offsets[row];
    uint64_t sum = 0;
    double h = 0;
    for (uint32_t j = 0; j < n; j++)
        sum += counts[from + j];
    for (uint32_t j = 0; j < n && sum > 0; j++)
        h += entropy_term_f64((double)counts[from + j] / (double)sum);
    if (job->p.mode == ENTROPY_NORMALISED)
        h = n > 1 ? h / log2((double)n) : 0;
    return h;
}

struct thermo_result kernel_thermo_reference(const struct kernel_job *job,
                                             uint32_t row)
{
    const uint32_t *offsets = job->arg[0];
    uint32_t from = offsets[row] - offsets[0];
    uint32_t n = offsets[row + 1] - offsets[row];
    double t = real(job, 1, row);
    struct thermo_result r = {.lowest = INFINITY};
    for (uint32_t j = 0; j < n; j++) {
        double e = real(job, 2, from + j);
        r.lowest = e < r.lowest ? e : r.lowest;
    }
    for (uint32_t j = 0; j < n; j++) {
        double gap = thermo_gap_f64(real(job, 2, from + j), r.lowest, t);
        r.z += thermo_weight_f64(gap);
        r.mean += thermo_weight_f64(gap) * gap;
    }
    r.mean /= r.z;
    for (uint32_t j = 0; j < n; j++) {
        double gap = thermo_gap_f64(real(job, 2, from + j), r.lowest, t);
        r.c += thermo_weight_f64(gap) * (gap - r.mean) * (gap - r.mean);
    }
    r.c /= r.z;
    r.f = r.lowest - t * log(r.z);
    r.u = r.lowest + t * r.mean;
    r.s = log(r.z) + r.mean;
    return r;
}

double kernel_thermo_share(const struct kernel_job *job, uint32_t row,
                           uint32_t item, const struct thermo_result *result)
{
    const uint32_t *offsets = job->arg[0];
    double e = real(job, 2, offsets[row] - offsets[0] + item);
    return thermo_weight_f64(
               thermo_gap_f64(e, result->lowest, real(job, 1, row))) /
           result->z;
}

void kernel_evolve_reference(const struct kernel_job *job, uint32_t component,
                             uint32_t state, double *re, double *im)
{
    uint32_t size = job->p.rows, states = job->p.cols;
    *re = *im = 0;
    for (uint32_t k = 0; k < size; k++) {
        size_t u = (size_t)component * size + k;
        size_t psi = (size_t)k * states + state;
        double a = real(job, 0, u), b = real(job, 1, u);
        double x = real(job, 2, psi), y = real(job, 3, psi);
        *re += a * x - b * y;
        *im += a * y + b * x;
    }
}

double kernel_record_heat(double heat, double age, double half_life,
                          double hits)
{
    return record_heat_f64(heat, age, half_life, hits);
}
