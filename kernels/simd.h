/* simd.h: float32 logarithm and exponential that a compiler turns into SIMD
 * code, for the C instance of element.h. No tables, no branches, no libc.
 * Relative error below 3e-7. Arguments are normal numbers: simd_log2f takes
 * x > 0, simd_expf -87 < x < 88. */
#ifndef KERNEL_SIMD_H
#define KERNEL_SIMD_H

#include <stdint.h>

union simd_bits {
    float f;
    int32_t i;
};

/* x = 2^e m with m in [sqrt(1/2), sqrt(2)); ln m from s = (m - 1) / (m + 1)
 * by the series of artanh. */
static inline float simd_log2f(float x)
{
    union simd_bits u = {.f = x};
    int32_t e = (u.i - 0x3f3504f3) >> 23;
    u.i -= (int32_t)((uint32_t)e << 23);
    float s = (u.f - 1) / (u.f + 1), z = s * s;
    float p = 1.0f / 9 + z * (1.0f / 11);
    p = 1.0f / 7 + z * p;
    p = 1.0f / 5 + z * p;
    p = 1.0f / 3 + z * p;
    return (float)e + (s + s * z * p) * 2.8853900817779268f;
}

/* x = n ln 2 + r; adding 1.5 * 2^23 rounds to a whole number. */
static inline float simd_expf(float x)
{
    float shifted = x * 1.4426950408889634f + 12582912.0f;
    float n = shifted - 12582912.0f;
    float r = x - n * 0.693145751953125f - n * 1.428606765330187e-6f;
    float p = 1.0f / 720;
    p = 1.0f / 120 + r * p;
    p = 1.0f / 24 + r * p;
    p = 1.0f / 6 + r * p;
    p = 1.0f / 2 + r * p;
    p = 1 + r * (1 + r * p);
    union simd_bits u = {.i = (int32_t)((uint32_t)((int32_t)n + 127) << 23)};
    return p * u.f;
}

#endif
