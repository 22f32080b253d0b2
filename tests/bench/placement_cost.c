/* What the engine costs a caller: each request timed alone, over the clock's
 * own time, with learning after each (deferred, as a store does it) but not
 * counted, and what that takes. */
#include <time.h>

#include "histogram.h"
#include "place.h"
#include "placement.h"

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* The clock read twice, at its median. */
static uint64_t clock_ns(void)
{
    static struct histogram h;
    histogram_clear(&h);
    for (int i = 0; i < 10000; i++) {
        uint64_t start = now_ns();
        histogram_record(&h, now_ns() - start);
    }
    return (uint64_t)histogram_quantile(&h, 0.5);
}

int placement_measure_cost(const struct placement_trace *t, double pct,
                           struct placement_cost *cost)
{
    static struct histogram kinds[2]; /* decisions, hits */
    double bytes = (double)t->footprint * pct / 100;
    struct place_options options = {
        .capacity_bytes = bytes >= 1 ? (uint64_t)bytes : 1,
        .learning = true,
        .deferred = true,
        .seed = 1};
    struct place *place = place_create(&options);
    if (!place)
        return -1;
    uint64_t base = clock_ns(), learning = 0;
    histogram_clear(&kinds[0]);
    histogram_clear(&kinds[1]);
    int rc = 0;
    for (size_t i = 0; i < t->count && rc >= 0; i++) {
        uint32_t object = t->object[i];
        struct place_request request = {object, t->bytes[object],
                                        t->key[object]};
        uint64_t start = now_ns();
        rc = place_access(place, &request);
        uint64_t end = now_ns(), ns = end - start;
        /* A number that is new may grow the state: not a decision. */
        if (rc >= 0)
            histogram_record(&kinds[rc], ns > base ? ns - base : 0);
        if (i % 32 == 31) {
            start = now_ns();
            place_catch_up(place);
            learning += now_ns() - start;
        }
    }
    struct place_stat stat;
    place_stat(place, &stat);
    *cost = (struct placement_cost){
        .capacity_pct = pct,
        .hit_ns = histogram_quantile(&kinds[1], 0.5),
        .hit_p99_ns = histogram_quantile(&kinds[1], 0.99),
        .decision_ns = histogram_quantile(&kinds[0], 0.5),
        .decision_p99_ns = histogram_quantile(&kinds[0], 0.99),
        .learning_ns = (double)learning / (double)t->count,
        .state_bytes = (double)stat.state_bytes / t->objects,
        .switches = stat.switches};
    place_destroy(&place);
    return rc < 0 ? -1 : 0;
}
