/* `warp-bench placement`: traces replayed through policies of a fast tier.
 *
 * A policy runs once for each boundary between two tiers, with the capacity of
 * all tiers above the boundary: the policy decides what stays above it. */
#ifndef BENCH_PLACEMENT_H
#define BENCH_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

struct placement_trace {
    char *name;
    size_t count;      /* requests */
    uint32_t *object;  /* of each request; numbered as they appear */
    uint32_t *next;    /* request that uses it next; UINT32_MAX: none */
    uint8_t *write;    /* of each request */
    uint32_t objects;
    uint64_t *key;     /* of each object */
    uint32_t *bytes;   /* of each object: as its last request says */
    uint64_t footprint; /* bytes of all objects */
    bool even;         /* all objects have one size */
};

/** Reads `time_s,key_u64,size,op`, plain, gzip or xz. 0, or -1 with what is
 *  wrong and where in `error`. */
int placement_trace_read(struct placement_trace *trace, const char *path,
                         char *error, size_t error_bytes);
/** From arrays of `count` requests; sizes NULL: all 1. -1: no memory. */
int placement_trace_make(struct placement_trace *trace, const char *name,
                         const uint64_t *keys, const uint32_t *sizes,
                         size_t count);
/** Every object takes one byte. */
void placement_trace_even(struct placement_trace *trace);
/** 64 to 65536 bytes, by a hash of its key: 64 to 128 as often as 128 to 256.
 */
void placement_trace_vary(struct placement_trace *trace);
void placement_trace_fini(struct placement_trace *trace);

/* All bytes of a file, inflated where it is gzip or xz. */
struct placement_input;
struct placement_input *placement_input_open(const char *path, char *error,
                                             size_t error_bytes);
/** Bytes read, 0 at the end, -1 with `error` filled. */
long placement_input_read(struct placement_input *input, char *to,
                          size_t bytes, char *error, size_t error_bytes);
void placement_input_close(struct placement_input *input);

struct placement_space {
    const struct placement_trace *trace;
    uint64_t capacity; /* bytes; at least 1 */
    uint64_t seed;
    double saves_us; /* of a hit */
    double move_us;  /* of bringing one in */
};
struct placement_moves {
    uint64_t came, left; /* objects */
};

struct placement_policy {
    const char *name;
    /** NULL: no memory. */
    void *(*create)(const struct placement_space *space);
    /** Request number `at`; true when it is served above the boundary. */
    bool (*access)(void *run, size_t at);
    /** So far. */
    struct placement_moves (*moves)(const void *run);
    void (*destroy)(void *run);
};

extern const struct placement_policy placement_lru, placement_lfu,
    placement_arc, placement_lirs, placement_s3fifo, placement_sieve,
    placement_wtinylfu, placement_lhd, placement_engine;
/* What the guards need: the engine with its learner off. */
extern const struct placement_policy placement_fallback;

/** Per request, whether the optimum serves it above the boundary: exact for
 *  one size (Belady), else by PFOO-L, a bound. NULL: no memory. */
uint8_t *placement_optimum(const struct placement_trace *trace,
                           uint64_t capacity);

enum { PLACEMENT_TIERS = 3 };
struct placement_plan {
    double latency_us[PLACEMENT_TIERS];
    double move_us[PLACEMENT_TIERS - 1]; /* into the fast, the middle tier */
    double middle;  /* capacity of the middle tier / of the fast one */
    unsigned seeds; /* runs that are averaged */
};

/** Mean us of a request, its moves counted, that no placement over three tiers
 *  is below; capacities: of the fast tier, and of it and the middle one. -1: no
 *  memory. */
double placement_bound(const struct placement_trace *trace,
                       const struct placement_plan *plan,
                       const uint64_t capacities[PLACEMENT_TIERS - 1]);

/* One policy at one capacity over the whole trace. */
struct placement_result {
    const char *name;
    double capacity_pct;
    double miss_ratio, late_miss_ratio; /* whole run, second half */
    double latency_us, late_latency_us;
    double gap_closed, late_gap_closed;
    double accuracy, regret;
    double slow_ratio; /* requests that the slowest tier served */
    double moves;      /* per request, over all boundaries */
    double ns_per_request;
    double cost_us; /* latency and moves, per request */
    double bound_gap; /* of it, as gap_closed against the bound; moves only */
};

extern const struct placement_plan placement_default_plan;

/** Results for hash, every policy of the list, and optimum, in that order, at
 *  one capacity. Returns how many, or -1: no memory. */
int placement_measure(const struct placement_trace *trace, double pct,
                      const struct placement_plan *plan,
                      const struct placement_policy *const *policies,
                      unsigned count, struct placement_result *results);

struct placement_cost {
    double capacity_pct;
    double hit_ns, hit_p99_ns;           /* of a request that is resident */
    double decision_ns, decision_p99_ns; /* of one that is not */
    double learning_ns;                  /* off the path, per request */
    double state_bytes;                  /* per object */
    uint64_t switches;
};
/** What the engine costs. -1: no memory. */
int placement_measure_cost(const struct placement_trace *trace, double pct,
                           struct placement_cost *cost);

int placement_main(int argc, char **argv);

#endif
