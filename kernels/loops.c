/* loops.c: the built-in kernels on the CPU: element.h in float32 inside loops
 * that the compiler vectorises. Built once for each instruction set; kernels.c
 * chooses. Elements are float32, sums double: a long segment keeps its small
 * parts, however many lanes the compiler makes of a loop. */
#include "loops.h"

#include "simd.h"

#include <math.h>
#include <string.h>

#define PASTE2(a, b) a##b
#define PASTE(a, b)  PASTE2(a, b)

#define REAL          float
#define ELEMENT(name) name##_f32
#define ELEMENT_FN    static inline
#define REAL_RSQRT(x) (1.0f / sqrtf(x))
#define REAL_LOG2(x)  simd_log2f(x)
#define REAL_EXP(x)   simd_expf(x)
#include "element.h"

enum {
    BLOCK = 256,
    /* a tile of the matrix product, by instruction set */
    GEMM_LANES_base = 4,
    GEMM_VECS_base = 1,
    GEMM_LANES_avx2 = 8,
    GEMM_VECS_avx2 = 1,
    GEMM_LANES_avx512 = 16,
    GEMM_VECS_avx512 = 2
};

/* ---- gravity ---- */

struct gravity_row {
    float x, y, mass;
    const float *sx, *sy, *smass;
    float eps;
};

static void gravity_block(const struct gravity_row *r, uint32_t mode,
                          uint32_t from, uint32_t count, float *restrict out)
{
    const float *restrict sx = r->sx + from, *restrict sy = r->sy + from;
    const float *restrict sm = r->smass + from;
    const float x = r->x, y = r->y, mass = r->mass, eps = r->eps;
    if (mode == GRAVITY_POTENTIAL)
        for (uint32_t j = 0; j < count; j++)
            out[j] =
                gravity_potential_f32(x - sx[j], y - sy[j], mass, sm[j], eps);
    else
        for (uint32_t j = 0; j < count; j++)
            out[j] = gravity_force_f32(x - sx[j], y - sy[j], mass, sm[j], eps);
}

/* What a row's reduction has seen so far. */
struct reduction {
    double sum;
    float best[KERNEL_TOP_K_MAX];
    uint32_t place[KERNEL_TOP_K_MAX];
    uint32_t kept;
};

static float block_max(const float *v, uint32_t count)
{
    float most = v[0];
#pragma omp simd reduction(max : most)
    for (uint32_t j = 0; j < count; j++)
        most = v[j] > most ? v[j] : most;
    return most;
}

static float block_min(const float *v, uint32_t count)
{
    float least = v[0];
#pragma omp simd reduction(min : least)
    for (uint32_t j = 0; j < count; j++)
        least = v[j] < least ? v[j] : least;
    return least;
}

static double block_sum(const float *v, uint32_t count)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (uint32_t j = 0; j < count; j++)
        sum += (double)v[j];
    return sum;
}

/* Into the greatest k, the first of equal ones first. */
static void keep(struct reduction *r, uint32_t k, float value, uint32_t place)
{
    uint32_t at = r->kept < k ? r->kept++ : k - 1;
    for (; at > 0 && r->best[at - 1] < value; at--) {
        r->best[at] = r->best[at - 1];
        r->place[at] = r->place[at - 1];
    }
    r->best[at] = value;
    r->place[at] = place;
}

static void reduce_block(struct reduction *r, uint32_t reduce, uint32_t k,
                         const float *v, uint32_t from, uint32_t count)
{
    if (reduce == KERNEL_SUM) {
        r->sum += block_sum(v, count);
        return;
    }
    if (reduce == KERNEL_MIN) {
        float least = block_min(v, count);
        r->best[0] = from == 0 || least < r->best[0] ? least : r->best[0];
        return;
    }
    float most = block_max(v, count);
    if (r->kept == k && !(most > r->best[k - 1]))
        return;
    if (k == 1) { /* the first of equal ones, by a loop without a choice */
        uint32_t at = 0;
        while (v[at] != most)
            at++;
        r->best[0] = most;
        r->place[0] = from + at;
        r->kept = 1;
        return;
    }
    for (uint32_t j = 0; j < count; j++)
        if (r->kept < k || v[j] > r->best[k - 1])
            keep(r, k, v[j], from + j);
}

static void softmax(float *v, uint32_t count)
{
    float most = block_max(v, count);
    double sum = 0;
    for (uint32_t from = 0; from < count; from += BLOCK) {
        uint32_t n = count - from < BLOCK ? count - from : BLOCK;
        float *restrict part = v + from;
        for (uint32_t j = 0; j < n; j++)
            part[j] = thermo_weight_f32(thermo_gap_f32(-part[j], -most, 1));
        sum += block_sum(part, n);
    }
    float scale = (float)(1 / sum);
    for (uint32_t j = 0; j < count; j++)
        v[j] *= scale;
}

static void gravity(const struct kernel_job *job)
{
    const struct kernel_params *p = &job->p;
    const float *const *in = (const float *const *)job->arg;
    float *values = job->arg[6];
    uint32_t *places = job->arg[7];
    bool whole = p->reduce == KERNEL_REDUCE_NONE || p->reduce == KERNEL_SOFTMAX;
    uint32_t k = p->reduce == KERNEL_TOP_K ? p->k : 1;
    float block[BLOCK];
    for (uint32_t i = 0; i < p->rows; i++) {
        struct gravity_row row = {
            in[0][i], in[1][i], p->mode == GRAVITY_FIELD ? 1 : in[2][i],
            in[3],    in[4],    in[5],
            p->a};
        struct reduction r = {.kept = 0};
        float *out = whole ? values + (size_t)i * p->cols : block;
        for (uint32_t from = 0; from < p->cols; from += BLOCK) {
            uint32_t n = p->cols - from < BLOCK ? p->cols - from : BLOCK;
            gravity_block(&row, p->mode, from, n, whole ? out + from : out);
            if (!whole)
                reduce_block(&r, p->reduce, k, out, from, n);
        }
        if (p->reduce == KERNEL_SOFTMAX && p->cols > 0)
            softmax(out, p->cols);
        if (whole)
            continue;
        values[(size_t)i * k] =
            p->reduce == KERNEL_SUM ? (float)r.sum : r.best[0];
        if (p->reduce != KERNEL_ARGMAX && p->reduce != KERNEL_TOP_K)
            continue;
        for (uint32_t n = 0; n < k; n++) {
            values[(size_t)i * k + n] = r.best[n];
            places[(size_t)i * k + n] = r.place[n];
        }
    }
}

/* ---- entropy ---- */

static double entropy_block(const uint32_t *restrict counts, uint32_t count,
                            float scale)
{
    float terms[BLOCK];
    for (uint32_t j = 0; j < count; j++)
        terms[j] = entropy_term_f32((float)counts[j] * scale);
    return block_sum(terms, count);
}

static uint64_t total(const uint32_t *counts, uint32_t count)
{
    uint64_t sum = 0;
#pragma omp simd reduction(+ : sum)
    for (uint32_t j = 0; j < count; j++)
        sum += counts[j];
    return sum;
}

/* In bits; *sum: of the counts. */
static double entropy_of(const uint32_t *counts, uint32_t count, uint64_t *sum)
{
    double h = 0;
    *sum = total(counts, count);
    float scale = *sum > 0 ? (float)(1.0 / (double)*sum) : 0;
    for (uint32_t from = 0; from < count; from += BLOCK)
        h += entropy_block(counts + from,
                           count - from < BLOCK ? count - from : BLOCK, scale);
    return h;
}

/* Chunks that stay in a cache between their two passes, joined as they come:
 * all so far is one part, the chunk the other. */
static double entropy_in_chunks(const uint32_t *counts, uint32_t count)
{
    uint64_t all = 0, sum;
    double h = 0;
    for (uint32_t from = 0; from < count; from += KERNEL_CHUNK_ITEMS) {
        uint32_t n = count - from < KERNEL_CHUNK_ITEMS ? count - from
                                                       : KERNEL_CHUNK_ITEMS;
        double part = entropy_of(counts + from, n, &sum);
        if (sum == 0)
            continue;
        double w = (double)sum / (double)(all + sum), rest = 1 - w;
        h = w * part + rest * h - w * log2(w) -
            (rest > 0 ? rest * log2(rest) : 0);
        all += sum;
    }
    return h;
}

static void entropy(const struct kernel_job *job)
{
    const uint32_t *offsets = job->arg[0], *counts = job->arg[1];
    float *out = job->arg[2];
    for (uint32_t i = 0; i < job->p.rows; i++) {
        const uint32_t *c = counts + (offsets[i] - offsets[0]);
        uint32_t n = offsets[i + 1] - offsets[i];
        uint64_t sum;
        double most = log2((double)(n > 0 ? n : 1));
        double h = n > KERNEL_CHUNK_ITEMS ? entropy_in_chunks(c, n)
                                          : entropy_of(c, n, &sum);
        h = h < 0 ? 0 : h > most ? most : h;
        if (job->p.mode == ENTROPY_NORMALISED)
            h = most > 0 ? h / most : 0;
        out[i] = (float)h;
    }
}

/* ---- thermodynamics ---- */

static float lowest_of(const float *e, uint32_t count)
{
    float least = e[0];
#pragma omp simd reduction(min : least)
    for (uint32_t j = 0; j < count; j++)
        least = e[j] < least ? e[j] : least;
    return least;
}

struct moments {
    double z, one, two;
};

/* Weights into p; their sum, and the first two moments of the gap. */
static void weigh(const float *restrict e, uint32_t count, float lowest,
                  float t, float *restrict p, struct moments *m)
{
    float one[BLOCK], two[BLOCK];
    for (uint32_t j = 0; j < count; j++) {
        float gap = thermo_gap_f32(e[j], lowest, t);
        float w = thermo_weight_f32(gap);
        p[j] = w;
        one[j] = w * gap;
        two[j] = w * gap * gap;
    }
    m->z += block_sum(p, count);
    m->one += block_sum(one, count);
    m->two += block_sum(two, count);
}

/* The variance again about its mean: two moments of a narrow band cancel. */
static double variance(const float *restrict e, uint32_t count, float lowest,
                       float t, const float *restrict p, float mean)
{
    float terms[BLOCK];
    for (uint32_t j = 0; j < count; j++) {
        float d = thermo_gap_f32(e[j], lowest, t) - mean;
        terms[j] = p[j] * d * d;
    }
    return block_sum(terms, count);
}

static void thermo_row(const float *e, uint32_t n, float t, float *p,
                       struct thermo_result *out)
{
    struct moments m = {0, 0, 0};
    float lowest = lowest_of(e, n);
    for (uint32_t from = 0; from < n; from += BLOCK)
        weigh(e + from, n - from < BLOCK ? n - from : BLOCK, lowest, t,
              p + from, &m);
    float scale = (float)(1 / m.z);
    for (uint32_t j = 0; j < n; j++)
        p[j] *= scale;
    double mean = m.one / m.z, c = m.two / m.z - mean * mean;
    if (c < 0.01 * mean * mean) {
        c = 0;
        for (uint32_t from = 0; from < n; from += BLOCK)
            c += variance(e + from, n - from < BLOCK ? n - from : BLOCK, lowest,
                          t, p + from, (float)mean);
    }
    double log_z = log(m.z), most = log((double)n), s = log_z + mean;
    *out = (struct thermo_result){(double)lowest - (double)t * log_z,
                                  (double)lowest + (double)t * mean,
                                  s < 0      ? 0
                                  : s > most ? most
                                             : s,
                                  c};
}

static void thermo(const struct kernel_job *job)
{
    const uint32_t *offsets = job->arg[0];
    const float *t = job->arg[1], *e = job->arg[2];
    float *p = job->arg[3], *f = job->arg[4], *u = job->arg[5];
    float *s = job->arg[6], *c = job->arg[7];
    for (uint32_t i = 0; i < job->p.rows; i++) {
        struct thermo_result r;
        uint32_t from = offsets[i] - offsets[0];
        thermo_row(e + from, offsets[i + 1] - offsets[i], t[i], p + from, &r);
        f[i] = (float)r.f;
        u[i] = (float)r.u;
        s[i] = (float)r.s;
        c[i] = (float)r.c;
    }
}

/* ---- complex matrix product: psi' = U psi, real and imaginary planes ---- */

/* Vectors are spelled out: the tile must stay in registers. */
typedef float vec __attribute__((
    vector_size(4 * PASTE(GEMM_LANES_, KERNEL_ISA)), aligned(4), may_alias));
enum {
    LANES = PASTE(GEMM_LANES_, KERNEL_ISA),
    TILE_ROWS = 6,
    TILE_VECS = PASTE(GEMM_VECS_, KERNEL_ISA),
    TILE_COLS = LANES * TILE_VECS,
    /* Whole cache lines of the states, and as many rows as stay in L1. */
    PANEL_COLS = TILE_COLS < 16 ? 16 : TILE_COLS,
    PANEL_ROWS = 128
};

/* Columns of the states: where they are, or a copy without the gaps. Rows that
 * are a power of two apart fall on the same sets of a cache and push each other
 * out while all rows of the result need them. */
struct panel {
    const float *re, *im;
    size_t stride; /* between rows */
};

/* `rows` rows of the result, a constant where this is called, and TILE_COLS
 * states: kept in registers. */
static inline __attribute__((always_inline)) void
tile(const struct kernel_job *job, const struct panel *panel, uint32_t row,
     uint32_t rows, uint32_t col)
{
    uint32_t size = job->p.rows, states = job->p.cols;
    const float *ur = (const float *)job->arg[0] + (size_t)row * size;
    const float *ui = (const float *)job->arg[1] + (size_t)row * size;
    const float *pr = panel->re, *pi = panel->im;
    const size_t stride = panel->stride;
    vec re[TILE_ROWS][TILE_VECS] = {{{0}}}, im[TILE_ROWS][TILE_VECS] = {{{0}}};
    for (uint32_t k = 0; k < size; k++, pr += stride, pi += stride)
#pragma GCC unroll 6
        for (uint32_t i = 0; i < rows; i++) {
            float a = ur[(size_t)i * size + k], b = ui[(size_t)i * size + k];
#pragma GCC unroll 2
            for (uint32_t j = 0; j < TILE_VECS; j++) {
                vec x = ((const vec *)pr)[j], y = ((const vec *)pi)[j];
                re[i][j] += a * x;
                im[i][j] += a * y;
                re[i][j] -= b * y;
                im[i][j] += b * x;
            }
        }
#pragma GCC unroll 6
    for (uint32_t i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (uint32_t j = 0; j < TILE_VECS; j++) {
            size_t at = (size_t)(row + i) * states + col + j * LANES;
            *(vec *)((float *)job->arg[4] + at) = re[i][j];
            *(vec *)((float *)job->arg[5] + at) = im[i][j];
        }
}

/* What is left beside the tiles. */
static void rest(const struct kernel_job *job, uint32_t row, uint32_t rows,
                 uint32_t col, uint32_t cols)
{
    uint32_t size = job->p.rows, states = job->p.cols;
    const float *ur = job->arg[0], *ui = job->arg[1];
    const float *pr = job->arg[2], *pi = job->arg[3];
    for (uint32_t i = row; i < rows; i++)
        for (uint32_t j = col; j < cols; j++) {
            float re = 0, im = 0;
            for (uint32_t k = 0; k < size; k++) {
                float a = ur[(size_t)i * size + k],
                      b = ui[(size_t)i * size + k];
                float x = pr[(size_t)k * states + j];
                float y = pi[(size_t)k * states + j];
                re += a * x - b * y;
                im += a * y + b * x;
            }
            ((float *)job->arg[4])[(size_t)i * states + j] = re;
            ((float *)job->arg[5])[(size_t)i * states + j] = im;
        }
}

/* All rows of TILE_COLS states. */
static void strip(const struct kernel_job *job, const struct panel *panel,
                  uint32_t col)
{
    uint32_t row = 0, rows = job->p.rows;
    for (; row + TILE_ROWS <= rows; row += TILE_ROWS)
        tile(job, panel, row, TILE_ROWS, col);
    for (; row + 2 <= rows; row += 2)
        tile(job, panel, row, 2, col);
    if (row < rows)
        tile(job, panel, row, 1, col);
}

/* All rows of `cols` states, a multiple of TILE_COLS, at most PANEL_COLS. */
static void panel_of(const struct kernel_job *job, uint32_t col, uint32_t cols)
{
    _Alignas(64) float re[PANEL_ROWS * PANEL_COLS], im[PANEL_ROWS * PANEL_COLS];
    const float *from_re = (const float *)job->arg[2] + col;
    const float *from_im = (const float *)job->arg[3] + col;
    struct panel panel = {from_re, from_im, job->p.cols};
    if (job->p.rows <= PANEL_ROWS) {
        for (size_t k = 0; k < job->p.rows; k++) {
            memcpy(re + k * PANEL_COLS, from_re + k * job->p.cols,
                   cols * sizeof re[0]);
            memcpy(im + k * PANEL_COLS, from_im + k * job->p.cols,
                   cols * sizeof im[0]);
        }
        panel = (struct panel){re, im, PANEL_COLS};
    }
    for (uint32_t at = 0; at < cols; at += TILE_COLS) {
        strip(job, &panel, col + at);
        panel.re += TILE_COLS;
        panel.im += TILE_COLS;
    }
}

static void evolve(const struct kernel_job *job)
{
    uint32_t cols = job->p.cols - job->p.cols % TILE_COLS, col = 0;
    for (; col + PANEL_COLS <= cols; col += PANEL_COLS)
        panel_of(job, col, PANEL_COLS);
    if (col < cols)
        panel_of(job, col, cols - col);
    rest(job, 0, job->p.rows, cols, job->p.cols);
}

const struct kernel_loops PASTE(kernel_loops_, KERNEL_ISA) = {
    .name = KERNEL_ISA_NAME,
    .gravity = gravity,
    .entropy = entropy,
    .evolve = evolve,
    .thermo = thermo,
};
