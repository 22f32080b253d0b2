/* Latencies in nanoseconds -> a histogram of logarithmic buckets -> quantiles.
 * Recording is a shift and an add; a quantile is right to about 1.6 %. One
 * thread owns one histogram; merge them when the threads have ended. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_SUB_BITS = 6, /* 64 buckets for each power of two */
    HISTOGRAM_BUCKETS = (64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS
};

struct histogram {
    uint64_t count, max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

static inline unsigned histogram_bucket(uint64_t ns)
{
    if (ns < (1U << HISTOGRAM_SUB_BITS))
        return (unsigned)ns;
    unsigned shift = 63U - (unsigned)__builtin_clzll(ns) - HISTOGRAM_SUB_BITS;
    return ((shift + 1) << HISTOGRAM_SUB_BITS) +
           (unsigned)((ns >> shift) & ((1U << HISTOGRAM_SUB_BITS) - 1));
}

static inline void histogram_record(struct histogram *h, uint64_t ns)
{
    h->count++;
    h->max = ns > h->max ? ns : h->max;
    h->buckets[histogram_bucket(ns)]++;
}

void histogram_clear(struct histogram *h);
void histogram_merge(struct histogram *into, const struct histogram *from);

/** The value below which the share `quantile` (0 to 1) of all records lies,
 *  as the middle of its bucket, in ns; 0 when nothing was recorded. */
double histogram_quantile(const struct histogram *h, double quantile);

#endif
