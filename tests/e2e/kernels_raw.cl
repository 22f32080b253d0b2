/* A kernel of the user's own: all stored numbers of a row, then the result and
 * the launch's numbers. See kernels.warp. */
struct warp_params {
    uint rows, cols, items, mode, reduce, k;
    float a, b;
};

__kernel void triple(__global const ulong *id, __global const float *a,
                     __global const float *b, __global const long *n,
                     __global float *out, struct warp_params p)
{
    size_t row = get_global_id(0);
    if (row < p.rows)
        out[row] = 3 * a[row] + b[row] + (float)(n[row] % 5) +
                   (float)(id[row] % 2);
}
