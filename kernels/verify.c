/* verify.c: a row of results against the float64 reference and the kernel's
 * invariants. Tolerances are those of float32: gravity 3e-6 relative, entropy
 * 2e-5 bit, |psi|^2 = 1 within 5e-6, shares of levels 2e-5. */
#include "verify.h"

#include <math.h>

static float value(const struct kernel_job *job, uint32_t arg, size_t at)
{
    return ((const float *)job->arg[arg])[at];
}

/* ---- gravity ---- */

/* Below the smallest normal number devices may flush to zero; distances below
 * 1e-18 count as none. */
static double gravity_slack(const struct kernel_job *job, uint32_t row,
                            uint32_t col, double want)
{
    double eps = (double)job->p.a, mass = (double)value(job, 5, col);
    if (job->p.mode == GRAVITY_POTENTIAL)
        return 3e-6 * want + 1e-37;
    if (job->p.mode == GRAVITY_FORCE)
        mass *= (double)value(job, 2, row);
    return 3e-6 * want + 1e-37 + mass * 1e-18 / (eps * eps * eps);
}

static const char *verify_matrix(const struct kernel_job *job, uint32_t row)
{
    for (uint32_t j = 0; j < job->p.cols; j++) {
        double want = kernel_gravity_reference(job, row, j);
        double got = (double)value(job, 6, (size_t)row * job->p.cols + j);
        if (!(got >= 0))
            return "a pair's value is negative or no number";
        if (!(fabs(got - want) <= gravity_slack(job, row, j, want)))
            return "a pair's value is not the reference's";
    }
    return NULL;
}

static const char *verify_softmax(const struct kernel_job *job, uint32_t row)
{
    double most = 0, z = 0, sum = 0;
    for (uint32_t j = 0; j < job->p.cols; j++)
        most = fmax(most, kernel_gravity_reference(job, row, j));
    for (uint32_t j = 0; j < job->p.cols; j++)
        z += exp(kernel_gravity_reference(job, row, j) - most);
    for (uint32_t j = 0; j < job->p.cols; j++) {
        double want = exp(kernel_gravity_reference(job, row, j) - most) / z;
        double got = (double)value(job, 6, (size_t)row * job->p.cols + j);
        sum += got;
        if (!(got >= 0 && got <= 1.00001))
            return "a share lies outside 0 to 1";
        if (!(fabs(got - want) <=
              want * (2e-5 + 6e-6 * most) + 1e-6 * most + 1e-30))
            return "a share is not the reference's";
    }
    return fabs(sum - 1) <= 1e-4 ? NULL : "the shares do not sum to 1";
}

static const char *verify_folded(const struct kernel_job *job, uint32_t row)
{
    double want = job->p.reduce == KERNEL_MIN ? INFINITY : 0, slack = 1e-37;
    for (uint32_t j = 0; j < job->p.cols; j++) {
        double v = kernel_gravity_reference(job, row, j);
        slack = fmax(slack, gravity_slack(job, row, j, v));
        want = job->p.reduce == KERNEL_SUM   ? want + v
               : job->p.reduce == KERNEL_MIN ? fmin(want, v)
                                             : fmax(want, v);
    }
    if (job->p.reduce == KERNEL_SUM)
        slack = slack * 2 + 4e-6 * want;
    double got = (double)value(job, 6, row);
    return got >= 0 && fabs(got - want) <= slack
               ? NULL
               : "a row's sum, least or greatest is not the reference's";
}

/* The greatest k by the reference, as values. */
static uint32_t best_of(const struct kernel_job *job, uint32_t row, uint32_t k,
                        double *best)
{
    uint32_t kept = 0;
    for (uint32_t j = 0; j < job->p.cols; j++) {
        double v = kernel_gravity_reference(job, row, j);
        if (kept == k && v <= best[k - 1])
            continue;
        uint32_t at = kept < k ? kept++ : k - 1;
        for (; at > 0 && best[at - 1] < v; at--)
            best[at] = best[at - 1];
        best[at] = v;
    }
    return kept;
}

static const char *verify_places(const struct kernel_job *job, uint32_t row)
{
    double best[KERNEL_TOP_K_MAX];
    uint32_t k = job->p.reduce == KERNEL_TOP_K ? job->p.k : 1;
    const uint32_t *places = (const uint32_t *)job->arg[7] + (size_t)row * k;
    if (best_of(job, row, k, best) < k)
        return "fewer columns than places";
    for (uint32_t n = 0; n < k; n++) {
        double got = (double)value(job, 6, (size_t)row * k + n);
        if (places[n] >= job->p.cols)
            return "a place is outside the columns";
        double there = kernel_gravity_reference(job, row, places[n]);
        double slack = gravity_slack(job, row, places[n], there);
        if (!(fabs(got - there) <= slack && fabs(got - best[n]) <= 2 * slack))
            return "a place does not hold the greatest value";
        for (uint32_t m = 0; m < n; m++)
            if (places[m] == places[n])
                return "a place stands twice";
    }
    return NULL;
}

const char *verify_gravity(const struct kernel_job *job, uint32_t row)
{
    switch (job->p.reduce) {
    case KERNEL_REDUCE_NONE:
        return verify_matrix(job, row);
    case KERNEL_SOFTMAX:
        return verify_softmax(job, row);
    case KERNEL_ARGMAX:
    case KERNEL_TOP_K:
        return verify_places(job, row);
    default:
        return verify_folded(job, row);
    }
}

/* ---- entropy ---- */

const char *verify_entropy(const struct kernel_job *job, uint32_t row)
{
    const uint32_t *offsets = job->arg[0];
    uint32_t n = offsets[row + 1] - offsets[row];
    double got = (double)value(job, 2, row);
    double most =
        job->p.mode == ENTROPY_NORMALISED ? 1 : log2((double)(n ? n : 1));
    if (!(got >= 0 && got <= most + 1e-6 * most))
        return "an entropy lies outside 0 to log2 n";
    return fabs(got - kernel_entropy_reference(job, row)) <= 2e-5
               ? NULL
               : "an entropy is not the reference's";
}

/* ---- quantum ---- */

/* A row is a component; the norms of all states are judged with the first. */
const char *verify_evolve(const struct kernel_job *job, uint32_t row)
{
    uint32_t states = job->p.cols;
    for (uint32_t b = 0; b < states; b++) {
        double re, im, norm = 0;
        size_t at = (size_t)row * states + b;
        kernel_evolve_reference(job, row, b, &re, &im);
        if (!(fabs((double)value(job, 4, at) - re) <= 5e-6 &&
              fabs((double)value(job, 5, at) - im) <= 5e-6))
            return "an amplitude is not the reference's";
        for (uint32_t d = 0; row == 0 && d < job->p.rows; d++) {
            double x = (double)value(job, 4, (size_t)d * states + b);
            double y = (double)value(job, 5, (size_t)d * states + b);
            norm += x * x + y * y;
        }
        if (row == 0 && !(fabs(norm - 1) <= 5e-6))
            return "a state has lost its norm";
    }
    return NULL;
}

/* ---- thermodynamics ---- */

static bool near(float got, double want, double slack)
{
    return fabs((double)got - want) <= slack;
}

const char *verify_thermo(const struct kernel_job *job, uint32_t row)
{
    const uint32_t *offsets = job->arg[0];
    uint32_t from = offsets[row] - offsets[0];
    uint32_t n = offsets[row + 1] - offsets[row];
    struct thermo_result r = kernel_thermo_reference(job, row);
    float f = value(job, 4, row), u = value(job, 5, row);
    float s = value(job, 6, row), c = value(job, 7, row);
    double t = (double)value(job, 1, row), sum = 0;
    double scale = 1e-6 * fabs(r.lowest) + 2e-5 * t * (1 + r.mean + log(r.z));
    for (uint32_t j = 0; j < n; j++) {
        float share = value(job, 3, from + j);
        double want = kernel_thermo_share(job, row, j, &r);
        sum += (double)share;
        if (!(share >= 0) || !near(share, want, 2e-5 * want + 1e-30))
            return "a level's share is not the reference's";
    }
    if (fabs(sum - 1) > 2e-5)
        return "the shares of the levels do not sum to 1";
    if (!((double)f <= r.lowest && (double)u >= r.lowest))
        return "F <= E_min <= U does not hold";
    if (!(s >= 0 && (double)s <= log((double)n) * 1.000001 && c >= 0))
        return "0 <= S <= ln L or C >= 0 does not hold";
    if (!near(f, r.f, scale) || !near(u, r.u, scale))
        return "F or U is not the reference's";
    return near(s, r.s, 2e-5 * (1 + r.s)) &&
                   near(c, r.c, 1e-4 * r.c + 1e-6 * (1 + r.mean * r.mean))
               ? NULL
               : "S or C is not the reference's";
}
