/* A trace through a real store; see placement_store.c. */
#ifndef BENCH_PLACEMENT_STORE_H
#define BENCH_PLACEMENT_STORE_H

#include "placement.h"

struct placement_store_result {
    const char *name;
    char expert[16];     /* that decides at the end */
    double mean_us;      /* of a get, the whole run */
    double late_us;      /* the second half */
    double cpu_us;       /* of a get, the calling thread's processor time */
    double cold_ratio;   /* gets that read a tier */
    double hit_us, miss_us; /* as the store measured them */
    uint64_t budget_bytes, memory_bytes, tier_bytes;
};

/** LRU, then the engine, each on a new store below `base`, with values of
 *  `bytes`; of so many rounds the quickest. -1: an error, which was printed. */
int placement_measure_store(const struct placement_trace *trace,
                            const char *base, uint32_t bytes,
                            unsigned rounds,
                            struct placement_store_result results[2]);

#endif
