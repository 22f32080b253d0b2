/* heat.c: heat flow over a graph by implicit Euler, float64.
 *
 * (1 + rate dt L) h' = h, with the graph's Laplacian L = D - W, is symmetric
 * and positive definite: conjugate gradients from h. What flows keeps the sum,
 * and no node gets hotter than the hottest or colder than the coldest. */
#include "kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct graph {
    uint32_t nodes;
    const uint32_t *offsets, *neighbours;
    const double *weights;
    double step; /* rate dt */
};

static void multiply(const struct graph *g, const double *x, double *y)
{
    for (uint32_t i = 0; i < g->nodes; i++) {
        double flow = 0;
        for (uint32_t e = g->offsets[i]; e < g->offsets[i + 1]; e++)
            flow += g->weights[e] * (x[i] - x[g->neighbours[e]]);
        y[i] = x[i] + g->step * flow;
    }
}

static double dot(const double *a, const double *b, uint32_t count)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static double weight_between(const struct graph *g, uint32_t a, uint32_t b)
{
    double sum = 0;
    for (uint32_t e = g->offsets[a]; e < g->offsets[a + 1]; e++)
        sum += g->neighbours[e] == b ? g->weights[e] : 0;
    return sum;
}

static bool is_good(const struct graph *g, const double *heat)
{
    if (!(g->step >= 0 && g->step <= 1e12))
        return false;
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (!isfinite(heat[i]) || g->offsets[i + 1] < g->offsets[i])
            return false;
        for (uint32_t e = g->offsets[i]; e < g->offsets[i + 1]; e++)
            if (g->neighbours[e] >= g->nodes ||
                !(g->weights[e] >= 0 && g->weights[e] <= 1e12))
                return false;
    }
    for (uint32_t i = 0; i < g->nodes; i++)
        for (uint32_t e = g->offsets[i]; e < g->offsets[i + 1]; e++) {
            uint32_t j = g->neighbours[e];
            double there = weight_between(g, i, j);
            double back = weight_between(g, j, i);
            if (fabs(there - back) > 1e-9 * fmax(there, back))
                return false;
        }
    return true;
}

/* x: a first guess and the result; r, p, a: room. */
static void solve(const struct graph *g, const double *b, double *x, double *r,
                  double *p, double *a)
{
    uint32_t n = g->nodes;
    multiply(g, x, a);
    for (uint32_t i = 0; i < n; i++)
        p[i] = r[i] = b[i] - a[i];
    double left = dot(r, r, n), enough = 1e-28 * dot(b, b, n);
    for (uint32_t round = 0; round < 4 * n + 20 && left > enough; round++) {
        multiply(g, p, a);
        double step = left / dot(p, a, n), before = left;
        for (uint32_t i = 0; i < n; i++) {
            x[i] += step * p[i];
            r[i] -= step * a[i];
        }
        left = dot(r, r, n);
        for (uint32_t i = 0; i < n; i++)
            p[i] = r[i] + left / before * p[i];
    }
}

/* Squares are summed: near 1 they neither overflow nor vanish. */
static void scale(double *heat, uint32_t nodes, int by)
{
    for (uint32_t i = 0; i < nodes; i++)
        heat[i] = ldexp(heat[i], by);
}

static int exponent(const double *heat, uint32_t nodes)
{
    double most = 0;
    for (uint32_t i = 0; i < nodes; i++)
        most = fmax(most, fabs(heat[i]));
    return most > 0 ? ilogb(most) : 0;
}

bool heat_step(uint32_t nodes, const uint32_t *offsets,
               const uint32_t *neighbours, const double *weights, double rate,
               double dt, double *heat)
{
    struct graph g = {nodes, offsets, neighbours, weights, rate * dt};
    if (nodes == 0)
        return true;
    if (!(rate >= 0 && dt >= 0) || !is_good(&g, heat))
        return false;
    double *room = malloc((size_t)nodes * 4 * sizeof *room);
    if (!room)
        return false;
    double *x = room, *r = x + nodes, *p = r + nodes, *a = p + nodes;
    int by = exponent(heat, nodes);
    scale(heat, nodes, -by);
    memcpy(x, heat, nodes * sizeof *x);
    solve(&g, heat, x, r, p, a);
    memcpy(heat, x, nodes * sizeof *x);
    scale(heat, nodes, by);
    free(room);
    return true;
}
