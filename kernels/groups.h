/* groups.h: the built-in kernels on a device: element.h in float32 over groups
 * of threads, once for OpenCL C and CUDA. physics.cl and physics.cu define
 * KERNEL, GLOBAL, LOCAL (of a pointer), LOCAL_ARRAY (of a declaration), WIDE
 * (64 bits, unsigned), GROUP, LANE, LANES, BARRIER() and REAL_LN, and what
 * element.h asks for. A segment is the work of one group, a very long one of
 * several; sums are compensated, so long segments keep their small parts. */

/* ---- sums over a group ---- */

ELEMENT_FN void add_to(float *sum, float *lost, float value)
{
    float y = value - *lost, t = *sum + y;
    *lost = (t - *sum) - y;
    *sum = t;
}

ELEMENT_FN float group_sum(LOCAL float *room, float value)
{
    room[LANE] = value;
    BARRIER();
    for (unsigned int reach = LANES / 2; reach > 0; reach /= 2) {
        if (LANE < reach)
            room[LANE] += room[LANE + reach];
        BARRIER();
    }
    value = room[0];
    BARRIER();
    return value;
}

ELEMENT_FN float group_min(LOCAL float *room, float value)
{
    room[LANE] = value;
    BARRIER();
    for (unsigned int reach = LANES / 2; reach > 0; reach /= 2) {
        if (LANE < reach && room[LANE + reach] < room[LANE])
            room[LANE] = room[LANE + reach];
        BARRIER();
    }
    value = room[0];
    BARRIER();
    return value;
}

ELEMENT_FN WIDE group_total(LOCAL WIDE *room, WIDE value)
{
    room[LANE] = value;
    BARRIER();
    for (unsigned int reach = LANES / 2; reach > 0; reach /= 2) {
        if (LANE < reach)
            room[LANE] += room[LANE + reach];
        BARRIER();
    }
    value = room[0];
    BARRIER();
    return value;
}

/* ---- gravity: a thread for each pair, or for each row that is reduced ---- */

ELEMENT_FN float pair(unsigned int mode, float dx, float dy, float mass,
                      float other, float eps)
{
    return mode == GRAVITY_POTENTIAL
               ? gravity_potential_f32(dx, dy, mass, other, eps)
               : gravity_force_f32(dx, dy, mode == GRAVITY_FIELD ? 1 : mass,
                                   other, eps);
}

KERNEL void gravity_matrix(GLOBAL const float *px, GLOBAL const float *py,
                           GLOBAL const float *mass, GLOBAL const float *sx,
                           GLOBAL const float *sy, GLOBAL const float *smass,
                           GLOBAL float *values, GLOBAL unsigned int *places,
                           struct kernel_params p)
{
    WIDE at = (WIDE)GROUP * LANES + LANE;
    if (at >= (WIDE)p.rows * p.cols)
        return;
    unsigned int i = (unsigned int)(at / p.cols);
    unsigned int j = (unsigned int)(at % p.cols);
    values[at] =
        pair(p.mode, px[i] - sx[j], py[i] - sy[j], mass[i], smass[j], p.a);
}

/* Into the greatest k so far, the first of equal ones first. */
ELEMENT_FN unsigned int keep(float *best, unsigned int *where,
                             unsigned int kept, unsigned int k, float value,
                             unsigned int place)
{
    unsigned int at = kept < k ? kept : k - 1;
    if (kept == k && !(value > best[k - 1]))
        return kept;
    for (; at > 0 && best[at - 1] < value; at--) {
        best[at] = best[at - 1];
        where[at] = where[at - 1];
    }
    best[at] = value;
    where[at] = place;
    return kept < k ? kept + 1 : k;
}

KERNEL void gravity_rows(GLOBAL const float *px, GLOBAL const float *py,
                         GLOBAL const float *mass, GLOBAL const float *sx,
                         GLOBAL const float *sy, GLOBAL const float *smass,
                         GLOBAL float *values, GLOBAL unsigned int *places,
                         struct kernel_params p)
{
    WIDE i = (WIDE)GROUP * LANES + LANE;
    float best[KERNEL_TOP_K_MAX], sum = 0, lost = 0, least = 0, most = 0;
    unsigned int where[KERNEL_TOP_K_MAX], kept = 0;
    unsigned int k = p.reduce == KERNEL_TOP_K ? p.k : 1;
    if (i >= p.rows)
        return;
    float x = px[i], y = py[i], m = mass[i];
    for (unsigned int j = 0; j < p.cols; j++) {
        float v = pair(p.mode, x - sx[j], y - sy[j], m, smass[j], p.a);
        if (p.reduce == KERNEL_SUM)
            add_to(&sum, &lost, v);
        else if (p.reduce == KERNEL_ARGMAX || p.reduce == KERNEL_TOP_K)
            kept = keep(best, where, kept, k, v, j);
        least = j == 0 || v < least ? v : least;
        most = j == 0 || v > most ? v : most;
    }
    if (p.reduce == KERNEL_SOFTMAX) {
        for (unsigned int j = 0; j < p.cols; j++) {
            float v = pair(p.mode, x - sx[j], y - sy[j], m, smass[j], p.a);
            v = thermo_weight_f32(thermo_gap_f32(-v, -most, 1));
            add_to(&sum, &lost, v);
            values[i * p.cols + j] = v;
        }
        for (unsigned int j = 0; j < p.cols; j++)
            values[i * p.cols + j] /= sum;
        return;
    }
    if (p.reduce == KERNEL_ARGMAX || p.reduce == KERNEL_TOP_K)
        for (unsigned int n = 0; n < k; n++) {
            values[i * k + n] = best[n];
            places[i * k + n] = where[n];
        }
    else
        values[i] = p.reduce == KERNEL_SUM   ? sum
                    : p.reduce == KERNEL_MIN ? least
                                             : most;
}

/* ---- entropy ---- */

/* In bits; with all threads of the group. *total: exact. */
ELEMENT_FN float entropy_of(GLOBAL const unsigned int *counts, unsigned int n,
                            LOCAL WIDE *totals, LOCAL float *sums,
                            WIDE *total)
{
    WIDE all = 0;
    float sum = 0, lost = 0;
    for (unsigned int j = LANE; j < n; j += LANES)
        all += counts[j];
    all = group_total(totals, all);
    float scale = all > 0 ? 1 / (float)all : 0;
    for (unsigned int j = LANE; j < n; j += LANES)
        add_to(&sum, &lost, entropy_term_f32((float)counts[j] * scale));
    *total = all;
    return group_sum(sums, sum);
}

/* Rounding leaves the range that it must lie in. */
ELEMENT_FN float entropy_result(float bits, unsigned int n, unsigned int mode)
{
    float most = n > 1 ? REAL_LOG2((float)n) : 0;
    bits = bits > most ? most : bits > 0 ? bits : 0;
    if (mode == ENTROPY_NORMALISED)
        bits = most > 0 ? bits / most : 0;
    return bits;
}

/* A group for each state; those of the other lengths are another launch's. */
KERNEL void entropy(GLOBAL const unsigned int *offsets,
                    GLOBAL const unsigned int *counts, GLOBAL float *out,
                    GLOBAL WIDE *chunk_totals, GLOBAL float *chunk_parts,
                    struct kernel_params p)
{
    LOCAL_ARRAY(WIDE totals[KERNEL_BLOCK]);
    LOCAL_ARRAY(float sums[KERNEL_BLOCK]);
    unsigned int from = offsets[GROUP] - offsets[0];
    unsigned int n = offsets[GROUP + 1] - offsets[GROUP];
    WIDE total;
    if ((n <= KERNEL_WARP_ITEMS) != (LANES == KERNEL_WARP) ||
        n > KERNEL_BLOCK_ITEMS)
        return;
    float bits = entropy_of(counts + from, n, totals, sums, &total);
    if (LANE == 0)
        out[GROUP] = entropy_result(bits, n, p.mode);
}

/* The number of a state's first chunk: some numbers have none. */
ELEMENT_FN unsigned int first_chunk(GLOBAL const unsigned int *offsets,
                                    unsigned int row)
{
    return (offsets[row] - offsets[0]) / KERNEL_CHUNK_ITEMS + row;
}

/* The first pass over states that are longer than a block's: a group for each
 * chunk, its total and its own entropy. */
KERNEL void entropy_parts(GLOBAL const unsigned int *offsets,
                          GLOBAL const unsigned int *counts, GLOBAL float *out,
                          GLOBAL WIDE *chunk_totals, GLOBAL float *chunk_parts,
                          struct kernel_params p)
{
    LOCAL_ARRAY(WIDE totals[KERNEL_BLOCK]);
    LOCAL_ARRAY(float sums[KERNEL_BLOCK]);
    unsigned int row = 0, end = p.rows; /* [row, end) has the chunk's state */
    WIDE total;
    while (end - row > 1) {
        unsigned int middle = row + (end - row) / 2;
        if (first_chunk(offsets, middle) <= GROUP)
            row = middle;
        else
            end = middle;
    }
    unsigned int n = offsets[row + 1] - offsets[row];
    WIDE at = (WIDE)(GROUP - first_chunk(offsets, row)) * KERNEL_CHUNK_ITEMS;
    if (n <= KERNEL_BLOCK_ITEMS || at >= n)
        return;
    unsigned int count = n - (unsigned int)at;
    count = count < KERNEL_CHUNK_ITEMS ? count : KERNEL_CHUNK_ITEMS;
    float bits = entropy_of(counts + (offsets[row] - offsets[0]) + at, count,
                            totals, sums, &total);
    if (LANE > 0)
        return;
    chunk_totals[GROUP] = total;
    chunk_parts[GROUP] = bits;
}

/* The second pass: a group for each state. */
KERNEL void entropy_join(GLOBAL const unsigned int *offsets,
                         GLOBAL const unsigned int *counts, GLOBAL float *out,
                         GLOBAL WIDE *chunk_totals, GLOBAL float *chunk_parts,
                         struct kernel_params p)
{
    LOCAL_ARRAY(WIDE totals[KERNEL_BLOCK]);
    LOCAL_ARRAY(float sums[KERNEL_BLOCK]);
    unsigned int n = offsets[GROUP + 1] - offsets[GROUP];
    unsigned int first = first_chunk(offsets, GROUP);
    unsigned int chunks = (n - 1) / KERNEL_CHUNK_ITEMS + 1;
    WIDE total = 0;
    float sum = 0, lost = 0;
    if (n <= KERNEL_BLOCK_ITEMS)
        return;
    for (unsigned int k = LANE; k < chunks; k += LANES)
        total += chunk_totals[first + k];
    total = group_total(totals, total);
    float scale = total > 0 ? 1 / (float)total : 0;
    for (unsigned int k = LANE; k < chunks; k += LANES)
        add_to(&sum, &lost,
               entropy_part_f32((float)chunk_totals[first + k] * scale,
                                chunk_parts[first + k]));
    sum = group_sum(sums, sum);
    if (LANE == 0)
        out[GROUP] = entropy_result(sum, n, p.mode);
}

/* ---- thermodynamics ---- */

KERNEL void thermo(GLOBAL const unsigned int *offsets,
                   GLOBAL const float *temperature, GLOBAL const float *energy,
                   GLOBAL float *share, GLOBAL float *free_energy,
                   GLOBAL float *inner, GLOBAL float *entropies,
                   GLOBAL float *capacity, struct kernel_params p)
{
    LOCAL_ARRAY(float room[KERNEL_GROUP]);
    unsigned int from = offsets[GROUP] - offsets[0];
    unsigned int n = offsets[GROUP + 1] - offsets[GROUP];
    float t = temperature[GROUP], lowest = energy[from];
    float z = 0, z_lost = 0, one = 0, one_lost = 0, two = 0, two_lost = 0;
    for (unsigned int j = LANE; j < n; j += LANES)
        lowest = energy[from + j] < lowest ? energy[from + j] : lowest;
    lowest = group_min(room, lowest);
    for (unsigned int j = LANE; j < n; j += LANES) {
        float gap = thermo_gap_f32(energy[from + j], lowest, t);
        float weight = thermo_weight_f32(gap);
        add_to(&z, &z_lost, weight);
        add_to(&one, &one_lost, weight * gap);
    }
    z = group_sum(room, z);
    float mean = group_sum(room, one) / z;
    for (unsigned int j = LANE; j < n; j += LANES) {
        float gap = thermo_gap_f32(energy[from + j], lowest, t);
        float part = thermo_weight_f32(gap) / z;
        share[from + j] = part;
        add_to(&two, &two_lost, part * (gap - mean) * (gap - mean));
    }
    two = group_sum(room, two);
    if (LANE > 0)
        return;
    float s = REAL_LN(z) + mean, most = REAL_LN((float)n);
    free_energy[GROUP] = lowest - t * REAL_LN(z);
    inner[GROUP] = lowest + t * mean;
    entropies[GROUP] = s > most ? most : s;
    capacity[GROUP] = two;
}

/* ---- psi' = U psi: a thread for each component of each state ---- */

KERNEL void evolve(GLOBAL const float *u_re, GLOBAL const float *u_im,
                   GLOBAL const float *in_re, GLOBAL const float *in_im,
                   GLOBAL float *out_re, GLOBAL float *out_im,
                   struct kernel_params p)
{
    WIDE at = (WIDE)GROUP * LANES + LANE;
    float re = 0, im = 0;
    if (at >= (WIDE)p.rows * p.cols)
        return;
    WIDE row = at / p.cols * p.rows, col = at % p.cols;
    for (unsigned int k = 0; k < p.rows; k++) {
        float a = u_re[row + k], b = u_im[row + k];
        float x = in_re[(WIDE)k * p.cols + col];
        float y = in_im[(WIDE)k * p.cols + col];
        re += a * x - b * y;
        im += a * y + b * x;
    }
    out_re[at] = re;
    out_im[at] = im;
}
