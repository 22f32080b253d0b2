/* Random numbers that cost about a nanosecond: one xorshift128+ generator for
 * each thread, seeded by splitmix64. Not for secrets. */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t a, b;
};

static inline uint64_t random_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline struct random random_seeded(uint64_t seed)
{
    return (struct random){random_mix(seed), random_mix(seed + 1) | 1};
}

static inline uint64_t random_next(struct random *r)
{
    uint64_t x = r->a, y = r->b;
    r->a = y;
    x ^= x << 23;
    r->b = x ^ y ^ (x >> 17) ^ (y >> 26);
    return r->b + y;
}

/** Below `count`, which must not be 0; the bias is under 2^-32. */
static inline uint64_t random_below(struct random *r, uint64_t count)
{
    return (uint64_t)(((__uint128_t)random_next(r) * count) >> 64);
}

/** In [0, 1). */
static inline double random_unit(struct random *r)
{
    return (double)(random_next(r) >> 11) * 0x1p-53;
}

#endif
