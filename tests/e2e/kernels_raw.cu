/* A kernel of the user's own; see kernels_raw.cl. */
struct warp_params {
    unsigned rows, cols, items, mode, reduce, k;
    float a, b;
};

extern "C" __global__ void triple(const unsigned long long *id, const float *a,
                                  const float *b, const long long *n,
                                  float *out, struct warp_params p)
{
    unsigned row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row < p.rows)
        out[row] = 3 * a[row] + b[row] + (float)(n[row] % 5) +
                   (float)(id[row] % 2);
}
