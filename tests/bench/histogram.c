/* Merging histograms and reading quantiles; the layout of the buckets is in
 * histogram.h: the first 64 are one nanosecond wide, then each power of two
 * has 64 of equal width. */
#include "histogram.h"

#include <string.h>

void histogram_clear(struct histogram *h)
{
    memset(h, 0, sizeof *h);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    into->count += from->count;
    into->max = from->max > into->max ? from->max : into->max;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

static double bucket_middle(unsigned bucket)
{
    unsigned group = bucket >> HISTOGRAM_SUB_BITS;
    unsigned sub = bucket & ((1U << HISTOGRAM_SUB_BITS) - 1);
    if (group == 0)
        return (double)sub;
    double width = (double)(UINT64_C(1) << (group - 1));
    return ((double)(sub + (1U << HISTOGRAM_SUB_BITS)) + 0.5) * width - 0.5;
}

double histogram_quantile(const struct histogram *h, double quantile)
{
    if (h->count == 0)
        return 0;
    double rank = quantile * (double)h->count;
    uint64_t seen = 0;
    unsigned last = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (h->buckets[i] == 0)
            continue;
        seen += h->buckets[i];
        last = i;
        if ((double)seen >= rank)
            break;
    }
    return bucket_middle(last);
}
