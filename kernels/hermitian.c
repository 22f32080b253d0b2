/* hermitian.c: a Hermitian matrix into eigenvalues and states in float64, and
 * exp(-i H t) from them.
 *
 * Jacobi rotations: a complex one takes the phase out of H_pq first, then
 * rotates in the real plane; sweeps go on until what lies off the diagonal is
 * rounding. Large matrices are LAPACK's where its C interface is on the
 * machine: looked for with dlopen like a device's driver, when the first one
 * comes, so that no store loads a BLAS and its threads for nothing. */
#include "kernels.h"

#include <dlfcn.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS_MAX = 60, LAPACKE_SIZE = 32 /* 1.2 ms by rotations */ };

struct rotation {
    double cosine, sine, phase_re, phase_im; /* phase of H_pq */
};

/* Rows or columns p and q of a complex plane pair: x_p = c x_p - s e* x_q,
 * x_q = s e x_p + c x_q, with e or its conjugate (sign = -1). */
static void rotate(double *re, double *im, size_t p, size_t q,
                   const struct rotation *r, double sign)
{
    double c = r->cosine, s = r->sine;
    double er = r->phase_re, ei = sign * r->phase_im;
    double ar = re[p], ai = im[p], br = re[q], bi = im[q];
    re[p] = c * ar - s * (er * br + ei * bi);
    im[p] = c * ai - s * (er * bi - ei * br);
    re[q] = s * (er * ar - ei * ai) + c * br;
    im[q] = s * (er * ai + ei * ar) + c * bi;
}

struct work {
    uint32_t n;
    double *re, *im; /* H, becoming diagonal */
    struct hermitian *out;
};

static void clear_pair(struct work *w, uint32_t p, uint32_t q)
{
    size_t n = w->n, pq = p * n + q;
    double size = hypot(w->re[pq], w->im[pq]);
    if (size == 0)
        return;
    double theta = (w->re[q * n + q] - w->re[p * n + p]) / (2 * size);
    double t = 1 / (fabs(theta) + sqrt(theta * theta + 1));
    if (theta < 0)
        t = -t;
    struct rotation r = {.cosine = 1 / sqrt(t * t + 1),
                         .phase_re = w->re[pq] / size,
                         .phase_im = w->im[pq] / size};
    r.sine = t * r.cosine;
    /* H := R* H R with R's columns p and q; V := V R. */
    for (size_t i = 0; i < n; i++) {
        rotate(w->re, w->im, i * n + p, i * n + q, &r, 1);
        rotate(w->out->re, w->out->im, i * n + p, i * n + q, &r, 1);
    }
    for (size_t i = 0; i < n; i++)
        rotate(w->re, w->im, p * n + i, q * n + i, &r, -1);
}

static bool is_diagonal(const struct work *w)
{
    double off = 0, all = 0;
    for (size_t i = 0; i < w->n; i++)
        for (size_t j = 0; j < w->n; j++) {
            size_t at = i * w->n + j;
            double square = w->re[at] * w->re[at] + w->im[at] * w->im[at];
            all += square;
            off += i == j ? 0 : square;
        }
    return off <= all * 1e-29;
}

static enum hermitian_error check(uint32_t n, const double *re,
                                  const double *im)
{
    double most = 0;
    for (size_t i = 0; i < (size_t)n * n; i++) {
        /* beyond this the squares overflow */
        if (!(fabs(re[i]) <= 1e100 && fabs(im[i]) <= 1e100))
            return HERMITIAN_NOT_FINITE;
        most = fmax(most, fmax(fabs(re[i]), fabs(im[i])));
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            if (fabs(re[i * n + j] - re[j * n + i]) > most * 1e-12 ||
                fabs(im[i * n + j] + im[j * n + i]) > most * 1e-12)
                return HERMITIAN_NOT_HERMITIAN;
    return HERMITIAN_OK;
}

/* Rising energies, each with its column. */
static void sort(struct hermitian *h)
{
    size_t n = h->size;
    for (size_t i = 0; i < n; i++) {
        size_t least = i;
        for (size_t j = i + 1; j < n; j++)
            if (h->energy[j] < h->energy[least])
                least = j;
        double e = h->energy[i];
        h->energy[i] = h->energy[least];
        h->energy[least] = e;
        for (size_t r = 0; r < n && least != i; r++) {
            double x = h->re[r * n + i], y = h->im[r * n + i];
            h->re[r * n + i] = h->re[r * n + least];
            h->im[r * n + i] = h->im[r * n + least];
            h->re[r * n + least] = x;
            h->im[r * n + least] = y;
        }
    }
}

static enum hermitian_error jacobi(uint32_t n, const double *re,
                                   const double *im, struct hermitian *out)
{
    size_t cells = (size_t)n * n;
    struct work w = {.n = n, .out = out};
    enum hermitian_error error = HERMITIAN_NO_MEMORY;
    w.re = malloc(cells * sizeof *w.re);
    w.im = malloc(cells * sizeof *w.im);
    if (!w.re || !w.im)
        goto out;
    double most = 0; /* scaled by it, as squares are summed */
    for (size_t i = 0; i < cells; i++)
        most = fmax(most, fmax(fabs(re[i]), fabs(im[i])));
    int by = most > 0 ? ilogb(most) : 0;
    for (size_t i = 0; i < cells; i++) {
        w.re[i] = ldexp(re[i], -by);
        w.im[i] = ldexp(im[i], -by);
    }
    for (size_t i = 0; i < n; i++)
        out->re[i * n + i] = 1;
    error = HERMITIAN_NO_END;
    for (int sweep = 0; sweep < SWEEPS_MAX; sweep++) {
        if (is_diagonal(&w)) {
            error = HERMITIAN_OK;
            break;
        }
        for (uint32_t p = 0; p + 1 < n; p++)
            for (uint32_t q = p + 1; q < n; q++)
                clear_pair(&w, p, q);
    }
    for (size_t i = 0; i < n; i++)
        out->energy[i] = ldexp(w.re[i * n + i], by);
    sort(out);
out:
    free(w.re);
    free(w.im);
    return error;
}

/* ---- LAPACKE ---- */

typedef int32_t (*zheevd_fn)(int layout, char job, char uplo, int32_t n,
                             double *a, int32_t lda, double *w);

/* NULL: it is not on this machine. */
static zheevd_fn find_zheevd(void)
{
    static _Atomic bool sought;
    static void *_Atomic found;
    if (!atomic_load(&sought)) { /* whoever comes: with the same result */
        void *library = dlopen("liblapacke.so.3", RTLD_LAZY | RTLD_LOCAL);
        atomic_store(&found, library ? dlsym(library, "LAPACKE_zheevd") : NULL);
        atomic_store(&sought, true);
    }
    zheevd_fn fn;
    void *at = atomic_load(&found);
    memcpy(&fn, &at, sizeof fn);
    return fn;
}

bool hermitian_has_lapacke(void)
{
    return find_zheevd() != NULL;
}

/* Rising energies already, columns the states. */
static enum hermitian_error lapacke(uint32_t n, const double *re,
                                    const double *im, struct hermitian *out)
{
    enum { ROWS = 101 };
    zheevd_fn zheevd = find_zheevd();
    size_t cells = (size_t)n * n;
    if (!zheevd || n > INT32_MAX / 2)
        return HERMITIAN_NO_SOLVER;
    double *a = malloc(cells * 2 * sizeof *a);
    if (!a)
        return HERMITIAN_NO_MEMORY;
    for (size_t i = 0; i < cells; i++) {
        a[2 * i] = re[i];
        a[2 * i + 1] = im[i];
    }
    int32_t info =
        zheevd(ROWS, 'V', 'L', (int32_t)n, a, (int32_t)n, out->energy);
    for (size_t i = 0; i < cells && info == 0; i++) {
        out->re[i] = a[2 * i];
        out->im[i] = a[2 * i + 1];
    }
    free(a);
    return info == 0 ? HERMITIAN_OK : HERMITIAN_NO_END;
}

/* ---- either ---- */

enum hermitian_error hermitian_create_by(enum hermitian_solver solver,
                                         uint32_t size, const double *re,
                                         const double *im,
                                         struct hermitian *out)
{
    size_t n = size ? size : 1;
    memset(out, 0, sizeof *out);
    enum hermitian_error error = check(size, re, im);
    if (error != HERMITIAN_OK)
        return error;
    out->size = size;
    out->energy = calloc(n, sizeof *out->energy);
    out->re = calloc(n * n, sizeof *out->re);
    out->im = calloc(n * n, sizeof *out->im);
    error = HERMITIAN_NO_MEMORY;
    if (out->energy && out->re && out->im) {
        bool large = solver == HERMITIAN_ANY && size >= LAPACKE_SIZE;
        error = HERMITIAN_NO_SOLVER;
        if (size > 0 && (large || solver == HERMITIAN_LAPACKE))
            error = lapacke(size, re, im, out);
        if (error != HERMITIAN_OK && solver != HERMITIAN_LAPACKE)
            error = size > 0 ? jacobi(size, re, im, out) : HERMITIAN_OK;
    }
    if (error != HERMITIAN_OK)
        hermitian_destroy(out);
    return error;
}

enum hermitian_error hermitian_create(uint32_t size, const double *re,
                                      const double *im, struct hermitian *out)
{
    return hermitian_create_by(HERMITIAN_ANY, size, re, im, out);
}

void hermitian_destroy(struct hermitian *h)
{
    free(h->energy);
    free(h->re);
    free(h->im);
    memset(h, 0, sizeof *h);
}

bool hermitian_evolution(const struct hermitian *h, double t, float *u_re,
                         float *u_im)
{
    size_t n = h->size;
    /* A row of V diag(exp(-i e t)), and the phases. */
    double *room = malloc((n ? n : 1) * 4 * sizeof *room);
    if (!room)
        return false;
    double *wr = room, *wi = wr + n, *c = wi + n, *s = c + n;
    for (size_t k = 0; k < n; k++) {
        c[k] = cos(h->energy[k] * t);
        s[k] = -sin(h->energy[k] * t);
    }
    for (size_t i = 0; i < n; i++) {
        const double *vr = h->re + i * n, *vi = h->im + i * n;
        for (size_t k = 0; k < n; k++) {
            wr[k] = vr[k] * c[k] - vi[k] * s[k];
            wi[k] = vr[k] * s[k] + vi[k] * c[k];
        }
        for (size_t j = 0; j < n; j++) {
            const double *br = h->re + j * n, *bi = h->im + j * n;
            double re = 0, im = 0;
            for (size_t k = 0; k < n; k++) {
                re += wr[k] * br[k] + wi[k] * bi[k];
                im += wi[k] * br[k] - wr[k] * bi[k];
            }
            u_re[i * n + j] = (float)re;
            u_im[i * n + j] = (float)im;
        }
    }
    free(room);
    return true;
}
