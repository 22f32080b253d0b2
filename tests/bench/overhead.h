/* `warp-bench overhead`: what generated calls cost more than the same work by
 * hand, and annotated fields more than bare ones. overhead_work.c has the work,
 * overhead.c measures it. */
#ifndef BENCH_OVERHEAD_H
#define BENCH_OVERHEAD_H

#include <stdint.h>
#include <warp/warp.h>

enum { OVERHEAD_RECORDS = 512 };

/** An open store with OVERHEAD_RECORDS records of each product. */
struct overhead_bed {
    struct warp_db *db;
    struct warp_arena arena;
};

/** The same work in two ways; each does it `ops` times and returns 0 or an
 *  error of Warp's. */
struct overhead_case {
    const char *name;
    const char *base_is, *other_is;
    int (*base)(struct overhead_bed *bed, uint64_t ops);
    int (*other)(struct overhead_bed *bed, uint64_t ops);
};
extern const struct overhead_case overhead_cases[];
extern const unsigned overhead_cases_count;

int overhead_bed_open(struct overhead_bed *bed, const char *dir);
int overhead_bed_close(struct overhead_bed *bed);

int overhead_main(int argc, char **argv);

#endif
