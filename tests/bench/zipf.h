/* Zipf-distributed ranks: rank 0 is the most frequent, rank k comes with a
 * frequency of 1 / (k + 1)^theta. */
#ifndef BENCH_ZIPF_H
#define BENCH_ZIPF_H

#include <stdint.h>

#include "random.h"

struct zipf {
    uint64_t count;
    double theta, low, high, shortcut;
};

/** Ranks below `count` (at least 1) with 0 < theta, theta != 1. */
void zipf_init(struct zipf *z, uint64_t count, double theta);
uint64_t zipf_next(const struct zipf *z, struct random *r);

#endif
