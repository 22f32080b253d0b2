/* The built-in kernels on the CPU, for each instruction set of this machine:
 * every row is the float64 reference's within compute.md's tolerances, and the
 * invariants hold, on random and adversarial inputs; what is not defined is
 * refused; a wrong row is noticed. */
#include "kernel_jobs.h"

static const char *const sets[] = {"base", "avx2", "avx512"};
enum { SETS = sizeof sets / sizeof sets[0] };

static void run_all(struct kernel_job *job)
{
    const char *why = kernel_refuse(job);
    ck_assert_msg(why == NULL, "%s: %s", job->kernel->name, why);
    for (int s = 0; s < SETS; s++) {
        if (!kernel_isa_use(sets[s]))
            continue;
        for (uint32_t i = 0; i < job->kernel->arg_count; i++)
            if (job->kernel->args[i].out)
                memset(job->arg[i], 0xff, (size_t)kernel_arg_bytes(job, i));
        job->kernel->run(job);
        check_rows(job, sets[s]);
    }
    job_free(job);
}

START_TEST(gravity_is_the_reference)
{
    static const uint32_t cols[] = {5, 1, 24, 255, 256, 257, 1000};
    for (uint32_t mode = 0; mode <= GRAVITY_FIELD; mode++)
        for (uint32_t reduce = 0; reduce <= KERNEL_TOP_K; reduce++)
            for (enum shape shape = 0; shape < SHAPE_COUNT; shape++)
                for (uint32_t c = 0; c < 7; c++) {
                    if (reduce == KERNEL_SOFTMAX && shape == SHAPE_WIDE)
                        continue; /* see softmax_of_great_values */
                    struct kernel_job job =
                        gravity_job(9, cols[c], mode, reduce, shape, c + 1);
                    run_all(&job);
                }
}
END_TEST

START_TEST(softmax_of_great_values)
{
    struct kernel_job job =
        gravity_job(1, 3, GRAVITY_POTENTIAL, KERNEL_SOFTMAX, SHAPE_EQUAL, 1);
    float *mass = job.arg[5];
    *(float *)job.arg[2] = 1;
    mass[0] = 1e6f, mass[1] = 1e17f, mass[2] = 3;
    ck_assert_ptr_null(kernel_refuse(&job));
    kernel_gravity.run(&job);
    const float *out = job.arg[6];
    ck_assert(out[0] == 0 && out[1] == 1 && out[2] == 0);
    job_free(&job);
}
END_TEST

START_TEST(entropy_is_the_reference)
{
    for (uint32_t mode = 0; mode <= ENTROPY_NORMALISED; mode++)
        for (enum shape shape = 0; shape < SHAPE_COUNT; shape++)
            for (uint64_t seed = 1; seed < 8; seed++) {
                struct kernel_job job = entropy_job(
                    40, seed == 7 ? 100000 : 3u << seed, mode, shape, seed);
                run_all(&job);
            }
}
END_TEST

START_TEST(entropy_in_chunks)
{
    static const uint32_t lengths[] = {16384, 16385, 0, 65536, 65537, 1000001};
    for (uint32_t mode = 0; mode <= ENTROPY_NORMALISED; mode++)
        for (enum shape shape = 0; shape < SHAPE_COUNT; shape++) {
            struct kernel_job job =
                entropy_of_lengths(lengths, 6, mode, shape, 1);
            run_all(&job);
        }
}
END_TEST

START_TEST(entropy_of_known_states)
{
    uint32_t offsets[] = {0, 0, 1, 5, 9},
             counts[] = {7, 1, 1, 1, 1, 0, 3, 3, 0};
    float h[4];
    struct kernel_job job = {.kernel = &kernel_entropy,
                             .p = {.rows = 4, .items = 9},
                             .arg = {offsets, counts, h}};
    kernel_entropy.run(&job);
    ck_assert(h[0] == 0 && h[1] == 0 && h[2] == 2 && h[3] == 1);
    job.p.mode = ENTROPY_NORMALISED;
    kernel_entropy.run(&job);
    ck_assert(h[0] == 0 && h[1] == 0 && h[2] == 1 && h[3] == 0.5f);
}
END_TEST

START_TEST(thermo_is_the_reference)
{
    for (enum shape shape = 0; shape < SHAPE_COUNT; shape++)
        for (uint64_t seed = 1; seed < 8; seed++) {
            struct kernel_job job =
                thermo_job(30, seed == 7 ? 20000 : 3u << seed, shape, seed);
            run_all(&job);
        }
}
END_TEST

/* A narrow band far above the lowest level's noise: the variance cancels. */
START_TEST(two_levels)
{
    uint32_t offsets[] = {0, 2};
    float t = 0.5f, e[] = {3, 4}, p[2], f, u, s, c;
    struct kernel_job job = {.kernel = &kernel_thermo,
                             .p = {.rows = 1, .items = 2},
                             .arg = {offsets, &t, e, p, &f, &u, &s, &c}};
    kernel_thermo.run(&job);
    double x = exp(-2), z = 1 + x;
    ck_assert_double_eq_tol((double)p[1], x / z, 1e-6);
    ck_assert_double_eq_tol((double)u, 3 + x / z, 1e-6);
    ck_assert_double_eq_tol((double)f, 3 - 0.5 * log(z), 1e-6);
    ck_assert_double_eq_tol((double)c, 4 * x / (z * z), 1e-6);
    ck_assert_double_eq_tol((double)s, log(z) + 2 * x / z, 1e-6);
}
END_TEST

static double mean_energy(const struct hermitian *h, const float *re,
                          const float *im, uint32_t states, uint32_t b)
{
    double sum = 0;
    for (size_t k = 0; k < h->size; k++) { /* <e_k|psi> */
        double x = 0, y = 0;
        for (size_t d = 0; d < h->size; d++) {
            double vr = h->re[d * h->size + k], vi = -h->im[d * h->size + k];
            double pr = (double)re[d * states + b];
            double pi = (double)im[d * states + b];
            x += vr * pr - vi * pi;
            y += vr * pi + vi * pr;
        }
        sum += h->energy[k] * (x * x + y * y);
    }
    return sum;
}

START_TEST(evolution_keeps_norm_and_energy)
{
    static const uint32_t sizes[][2] = {{1, 1},  {2, 3},   {7, 33},
                                        {8, 32}, {64, 70}, {65, 9}};
    for (int n = 0; n < 6; n++) {
        struct hermitian h;
        struct kernel_job job = evolve_job(sizes[n][0], sizes[n][1], 7, &h);
        kernel_evolve.run(&job);
        for (uint32_t b = 0; b < sizes[n][1]; b++)
            ck_assert_double_eq_tol(
                mean_energy(&h, job.arg[2], job.arg[3], sizes[n][1], b),
                mean_energy(&h, job.arg[4], job.arg[5], sizes[n][1], b), 2e-5);
        run_all(&job);
        hermitian_destroy(&h);
    }
}
END_TEST

/* Two states coupled by g: the share of the other is sin^2(g t). */
START_TEST(rabi_oscillation)
{
    double re[] = {0, 0.5, 0.5, 0}, im[] = {0, 0, 0, 0};
    float ur[4], ui[4];
    struct hermitian h;
    ck_assert_int_eq(hermitian_create(2, re, im, &h), HERMITIAN_OK);
    ck_assert_double_eq_tol(h.energy[0], -0.5, 1e-14);
    for (double t = 0; t < 10; t += 0.1) {
        ck_assert(hermitian_evolution(&h, t, ur, ui));
        double share =
            (double)ur[2] * (double)ur[2] + (double)ui[2] * (double)ui[2];
        ck_assert_double_eq_tol(share, sin(0.5 * t) * sin(0.5 * t), 1e-6);
    }
    hermitian_destroy(&h);
}
END_TEST

/* Far from 1 the same comes out, as far as the result itself is a number. */
START_TEST(scale_is_no_matter)
{
    static const double scales[] = {1e-300, 1e-170, 1e-20, 1e90};
    for (size_t i = 0; i < 4; i++) {
        double g = scales[i], re[] = {0, g, g, 0}, im[4] = {0};
        float ur[4], ui[4];
        struct hermitian h;
        ck_assert_int_eq(hermitian_create_by(HERMITIAN_JACOBI, 2, re, im, &h),
                         HERMITIAN_OK);
        ck_assert(hermitian_evolution(&h, 1 / g, ur, ui));
        ck_assert_double_eq_tol((double)ur[0], cos(1), 1e-6);
        ck_assert_double_eq_tol((double)ui[1], -sin(1), 1e-6);
        hermitian_destroy(&h);
        uint32_t offsets[] = {0, 1, 2, 2}, to[] = {1, 0};
        double w[] = {1, 1}, heat[] = {g * g * 9 + g * 3, 0, 0};
        double most = heat[0];
        ck_assert(heat_step(3, offsets, to, w, 1, 1, heat));
        ck_assert_double_eq_tol(heat[0] / most, 2.0 / 3, 1e-9);
        ck_assert_double_eq_tol(heat[1] / most, 1.0 / 3, 1e-9);
    }
    float zero = 0, far = 1e17f, light = 1e-18f, heavy = 1e18f, force = 0;
    struct kernel_job job = {
        .kernel = &kernel_gravity,
        .p = {.rows = 1, .cols = 1, .mode = GRAVITY_FORCE,
              .reduce = KERNEL_SUM, .a = 1},
        .arg = {&zero, &zero, &light, &far, &zero, &heavy, &force}};
    ck_assert_ptr_null(kernel_refuse(&job));
    kernel_gravity.run(&job);
    ck_assert_double_eq_tol((double)force / 1e-34, 1, 1e-5);
}
END_TEST

START_TEST(eigenvalues_rebuild_the_matrix)
{
    double *re, *im;
    enum { N = 24 };
    struct hermitian h;
    random_hermitian(N, 3, &re, &im);
    ck_assert_int_eq(hermitian_create(N, re, im, &h), HERMITIAN_OK);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            double x = 0, y = 0;
            for (size_t k = 0; k < N; k++) {
                double ar = h.re[i * N + k], ai = h.im[i * N + k];
                double br = h.re[j * N + k], bi = -h.im[j * N + k];
                x += h.energy[k] * (ar * br - ai * bi);
                y += h.energy[k] * (ar * bi + ai * br);
            }
            ck_assert_double_eq_tol(x, re[i * N + j], 1e-11);
            ck_assert_double_eq_tol(y, im[i * N + j], 1e-11);
        }
    for (size_t k = 1; k < N; k++)
        ck_assert(h.energy[k - 1] <= h.energy[k]);
    free(re);
    free(im);
    hermitian_destroy(&h);
}
END_TEST

/* LAPACKE's decomposition and the built-in one: the same energies, and the same
 * evolution, which does not depend on the states' phases. */
START_TEST(lapacke_agrees)
{
    static const uint32_t sizes[] = {1, 2, 7, 48, 90};
    if (!hermitian_has_lapacke())
        printf("no LAPACKE: liblapacke.so.3 is not on this machine\n");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint32_t n = sizes[i];
        struct hermitian a, b;
        double *re, *im;
        random_hermitian(n, n, &re, &im);
        if (n == 7) /* equal energies */
            for (uint32_t k = 0; k < n * n; k++)
                re[k] = k % (n + 1) == 0 ? 2 : 0, im[k] = 0;
        ck_assert_int_eq(hermitian_create_by(HERMITIAN_JACOBI, n, re, im, &a),
                         HERMITIAN_OK);
        enum hermitian_error error =
            hermitian_create_by(HERMITIAN_LAPACKE, n, re, im, &b);
        ck_assert_int_eq(error, hermitian_has_lapacke() ? HERMITIAN_OK
                                                        : HERMITIAN_NO_SOLVER);
        float *u = malloc(4 * sizeof *u * n * n);
        ck_assert(u && hermitian_evolution(&a, 1.7, u, u + n * n));
        for (uint32_t k = 0; error == HERMITIAN_OK && k < n; k++)
            ck_assert_double_eq_tol(a.energy[k], b.energy[k], 1e-11);
        if (error == HERMITIAN_OK) {
            ck_assert(
                hermitian_evolution(&b, 1.7, u + 2 * n * n, u + 3 * n * n));
            for (uint32_t k = 0; k < 2 * n * n; k++)
                ck_assert_double_eq_tol((double)u[k], (double)u[2 * n * n + k],
                                        2e-7);
            hermitian_destroy(&b);
        }
        free(u);
        free(re);
        free(im);
        hermitian_destroy(&a);
    }
}
END_TEST

START_TEST(bad_matrices_are_refused)
{
    double re[] = {1, 2, 3, 4}, im[] = {0, 0, 0, 0};
    struct hermitian h;
    ck_assert_int_eq(hermitian_create(2, re, im, &h), HERMITIAN_NOT_HERMITIAN);
    re[2] = 2;
    ck_assert_int_eq(hermitian_create(2, re, im, &h), HERMITIAN_OK);
    hermitian_destroy(&h);
    im[0] = 0.1; /* a diagonal is real */
    ck_assert_int_eq(hermitian_create(2, re, im, &h), HERMITIAN_NOT_HERMITIAN);
    im[0] = (double)NAN;
    ck_assert_int_eq(hermitian_create(2, re, im, &h), HERMITIAN_NOT_FINITE);
    im[0] = 0;
    re[3] = (double)INFINITY;
    ck_assert_int_eq(hermitian_create(2, re, im, &h), HERMITIAN_NOT_FINITE);
}
END_TEST

/* One array element after the other is made a value that is not defined. */
START_TEST(bad_numbers_are_refused)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY, -1, 1e19f};
    struct kernel_job job =
        gravity_job(3, 4, GRAVITY_FORCE, KERNEL_MAX, SHAPE_RANDOM, 1);
    for (uint32_t a = 0; a < 6; a++)
        for (int b = 0; b < 5; b++) {
            float *at = (float *)job.arg[a] + 2, old = *at;
            *at = bad[b];
            ck_assert((kernel_refuse(&job) != NULL) ==
                      (bad[b] != -1 || a % 3 == 2));
            *at = old;
        }
    job.p.a = NAN;
    ck_assert_ptr_nonnull(kernel_refuse(&job));
    job.p.a = 0;
    ck_assert_ptr_nonnull(kernel_refuse(&job));
    job.p.a = 1e-6f;
    *(float *)job.arg[2] = *(float *)job.arg[5] = 1e18f;
    ck_assert_ptr_nonnull(kernel_refuse(&job));
    job_free(&job);

    job = thermo_job(3, 9, SHAPE_RANDOM, 1);
    ck_assert_ptr_null(kernel_refuse(&job));
    for (uint32_t a = 1; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            float *at = job.arg[a], old = *at;
            *at = bad[b];
            ck_assert_ptr_nonnull(kernel_refuse(&job));
            *at = old;
        }
    *(float *)job.arg[1] = 0;
    ck_assert_ptr_nonnull(kernel_refuse(&job));
    ((uint32_t *)job.arg[0])[1] = ((uint32_t *)job.arg[0])[2] + 1;
    ck_assert_ptr_nonnull(kernel_refuse(&job));
    job_free(&job);

    struct hermitian h;
    job = evolve_job(4, 3, 1, &h);
    ck_assert_ptr_null(kernel_refuse(&job));
    ((float *)job.arg[2])[5] += 0.1f;
    ck_assert_ptr_nonnull(kernel_refuse(&job));
    ((float *)job.arg[2])[5] = NAN;
    ck_assert_ptr_nonnull(kernel_refuse(&job));
    job_free(&job);
    hermitian_destroy(&h);
}
END_TEST

static void spoil(struct kernel_job *job, float by)
{
    kernel_isa_use("base");
    job->kernel->run(job);
    check_rows(job, "before");
    for (uint32_t i = 0; i < job->kernel->arg_count; i++) {
        if (!job->kernel->args[i].out || !job->kernel->args[i].real ||
            kernel_arg_bytes(job, i) == 0)
            continue;
        float *last = (float *)job->arg[i] + kernel_arg_bytes(job, i) / 4 - 1;
        for (int n = 0; n < 2; n++) {
            float old = *last;
            *last = n == 0 ? old * (1 + by) + by : NAN;
            ck_assert_msg(job->kernel->invalid(job, job->p.rows - 1) != NULL,
                          "%s.%s: a wrong value passes", job->kernel->name,
                          job->kernel->args[i].name);
            *last = old;
        }
    }
    job_free(job);
}

START_TEST(wrong_rows_are_noticed)
{
    struct hermitian h;
    struct kernel_job job;
    for (uint32_t reduce = 0; reduce <= KERNEL_TOP_K; reduce++) {
        job = gravity_job(3, 40, GRAVITY_POTENTIAL, reduce, SHAPE_RANDOM, 2);
        spoil(&job, 1e-3f);
    }
    job = entropy_job(5, 300, ENTROPY_BITS, SHAPE_RANDOM, 3);
    spoil(&job, 1e-4f);
    job = thermo_job(5, 30, SHAPE_RANDOM, 3);
    spoil(&job, 1e-3f);
    job = evolve_job(5, 5, 2, &h);
    spoil(&job, 1e-4f);
    hermitian_destroy(&h);
}
END_TEST

/* A job in parts gives what it gives at once. */
START_TEST(slices)
{
    struct kernel_job all[] = {
        gravity_job(50, 60, GRAVITY_FIELD, KERNEL_TOP_K, SHAPE_RANDOM, 1),
        gravity_job(50, 60, GRAVITY_FIELD, KERNEL_REDUCE_NONE, SHAPE_RANDOM, 1),
        entropy_job(50, 90, ENTROPY_BITS, SHAPE_RANDOM, 1),
        thermo_job(50, 20, SHAPE_RANDOM, 1)};
    for (int n = 0; n < 4; n++) {
        static const uint32_t cuts[] = {0, 1, 7, 30, 50};
        for (int c = 0; c < 4; c++) {
            struct kernel_job part;
            ck_assert(
                kernel_slice(&all[n], cuts[c], cuts[c + 1] - cuts[c], &part));
            ck_assert_ptr_null(kernel_refuse(&part));
            part.kernel->run(&part);
        }
        check_rows(&all[n], "in slices");
        job_free(&all[n]);
    }
    struct hermitian h;
    struct kernel_job job = evolve_job(4, 3, 1, &h), part;
    ck_assert(!kernel_slice(&job, 0, 2, &part));
    job_free(&job);
    hermitian_destroy(&h);
}
END_TEST

/* ---- heat ---- */

START_TEST(heat_flows_and_is_kept)
{
    /* a ring of five with one chord of weight 3, symmetric */
    uint32_t offsets[] = {0, 3, 5, 8, 10, 12};
    uint32_t to[] = {1, 4, 2, 0, 2, 1, 3, 0, 2, 4, 3, 0};
    double w[] = {1, 1, 3, 1, 1, 1, 1, 3, 1, 1, 1, 1};
    double heat[] = {100, 0, 1, -5, 1e6}, sum = 0, before = 0;
    for (int i = 0; i < 5; i++)
        before += heat[i];
    for (int step = 0; step < 50; step++) {
        double most = -1e300, least = 1e300;
        for (int i = 0; i < 5; i++) {
            most = fmax(most, heat[i]);
            least = fmin(least, heat[i]);
        }
        ck_assert(heat_step(5, offsets, to, w, 0.7, 10, heat));
        sum = 0;
        for (int i = 0; i < 5; i++) {
            sum += heat[i];
            ck_assert(heat[i] <= most + 1e-6 && heat[i] >= least - 1e-6);
        }
        ck_assert_double_eq_tol(sum, before, 1e-6);
    }
    for (int i = 0; i < 5; i++)
        ck_assert_double_eq_tol(heat[i], before / 5, 1e-3);
    w[2] = 4; /* no longer symmetric */
    ck_assert(!heat_step(5, offsets, to, w, 0.7, 10, heat));
    w[2] = 3;
    heat[3] = (double)NAN;
    ck_assert(!heat_step(5, offsets, to, w, 0.7, 10, heat));
    heat[3] = 0;
    ck_assert(!heat_step(5, offsets, to, w, (double)NAN, 10, heat));
    ck_assert(!heat_step(5, offsets, to, w, -1, 10, heat));
}
END_TEST

START_TEST(a_record_cools)
{
    ck_assert_double_eq_tol(kernel_record_heat(8, 0, 60, 0), 8, 1e-12);
    ck_assert_double_eq_tol(kernel_record_heat(8, 120, 60, 3), 5, 1e-12);
    ck_assert_double_eq_tol(kernel_record_heat(8, 1e9, 60, 1), 1, 1e-12);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {gravity_is_the_reference,
                                  softmax_of_great_values,
                                  entropy_is_the_reference,
                                  entropy_in_chunks,
                                  entropy_of_known_states,
                                  thermo_is_the_reference,
                                  two_levels,
                                  evolution_keeps_norm_and_energy,
                                  rabi_oscillation,
                                  scale_is_no_matter,
                                  eigenvalues_rebuild_the_matrix,
                                  lapacke_agrees,
                                  bad_matrices_are_refused,
                                  bad_numbers_are_refused,
                                  wrong_rows_are_noticed,
                                  slices,
                                  heat_flows_and_is_kept,
                                  a_record_cools};
    return RUN_SUITE("kernels", tests);
}
