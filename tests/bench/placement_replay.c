/* Policies over a trace -> figures.
 *
 * Three tiers have two boundaries, at the capacity of the fast tier and at
 * that of the fast and the middle tier together; a policy runs once for each,
 * and a request is served by the fastest tier whose run has its object. Runs
 * start cold: the first request of an object is served by the slowest tier,
 * whatever the policy. Static hashing is the mean over all hash functions: an
 * object is above a boundary with the probability of its capacity. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "placement.h"

const struct placement_plan placement_default_plan = {
    .latency_us = {0.5, 80, 100}, .move_us = {0, 0}, .middle = 4, .seeds = 1};

struct served {
    uint8_t *tier; /* of each request */
    double moves, moved_us, ns;
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t share(const struct placement_trace *t, double pct)
{
    double bytes = (double)t->footprint * (pct < 100 ? pct : 100) / 100;
    return bytes >= 1 ? (uint64_t)bytes : 1;
}

/* Lowers the tier of what this boundary keeps. */
static int run_boundary(const struct placement_policy *policy,
                        const struct placement_space *space, uint8_t tier,
                        struct served *served)
{
    const struct placement_trace *t = space->trace;
    void *run = policy->create(space);
    if (!run)
        return -1;
    double start = now_ns();
    for (size_t i = 0; i < t->count; i++)
        if (policy->access(run, i) && served->tier[i] > tier)
            served->tier[i] = tier;
    if (tier == 0)
        served->ns = (now_ns() - start) / (double)t->count;
    struct placement_moves moves = policy->moves(run);
    served->moves += (double)(moves.came + moves.left) / (double)t->count;
    served->moved_us +=
        (double)moves.came * space->move_us / (double)t->count;
    policy->destroy(run);
    return 0;
}

static int serve(const struct placement_trace *t, double pct,
                 const struct placement_plan *plan,
                 const struct placement_policy *policy, uint64_t seed,
                 struct served *served)
{
    const double pcts[2] = {pct, pct * (1 + plan->middle)};
    memset(served->tier, PLACEMENT_TIERS - 1, t->count);
    served->moves = served->moved_us = served->ns = 0;
    for (uint8_t b = 0; b < 2; b++) {
        struct placement_space space = {
            t, share(t, pcts[b]), seed + b,
            plan->latency_us[b + 1] - plan->latency_us[b], plan->move_us[b]};
        if (policy) {
            if (run_boundary(policy, &space, b, served) != 0)
                return -1;
            continue;
        }
        uint8_t *hits = placement_optimum(t, space.capacity);
        if (!hits)
            return -1;
        for (size_t i = 0; i < t->count; i++)
            if (hits[i] && served->tier[i] > b)
                served->tier[i] = b;
        free(hits);
    }
    return 0;
}

/* Adds the figures of one run. */
static void tally(const struct placement_trace *t,
                  const struct placement_plan *plan,
                  const struct served *served, const uint8_t *best,
                  struct placement_result *r)
{
    size_t half = t->count / 2;
    double misses = 0, late = 0, us = 0, late_us = 0, slow = 0, even = 0;
    for (size_t i = 0; i < t->count; i++) {
        unsigned tier = served->tier[i];
        misses += tier > 0;
        us += plan->latency_us[tier];
        slow += tier == PLACEMENT_TIERS - 1;
        even += tier <= best[i];
        if (i >= half) {
            late += tier > 0;
            late_us += plan->latency_us[tier];
        }
    }
    double n = (double)t->count * plan->seeds,
           m = (double)(t->count - half) * plan->seeds;
    r->miss_ratio += misses / n;
    r->late_miss_ratio += late / m;
    r->latency_us += us / n;
    r->late_latency_us += late_us / m;
    r->slow_ratio += slow / n;
    r->accuracy += even / n;
    r->moves += served->moves / plan->seeds;
    r->cost_us += us / n + served->moved_us / plan->seeds;
    r->ns_per_request += served->ns / plan->seeds;
}

/* Adds `weight` requests that are each served by tier k with part[k]. */
static void hash_add(const struct placement_plan *plan,
                     const double part[PLACEMENT_TIERS], double weight,
                     double *misses, double *us)
{
    *misses += (1 - part[0]) * weight;
    for (unsigned k = 0; k < PLACEMENT_TIERS; k++)
        *us += part[k] * plan->latency_us[k] * weight;
}

static int hash_result(const struct placement_trace *t, double pct,
                       const struct placement_plan *plan, const uint8_t *best,
                       struct placement_result *r)
{
    double fast = (double)share(t, pct) / (double)t->footprint,
           both = (double)share(t, pct * (1 + plan->middle)) /
                  (double)t->footprint;
    const double known[PLACEMENT_TIERS] = {fast, both - fast, 1 - both},
                 first[PLACEMENT_TIERS] = {0, 0, 1},
                 upto[PLACEMENT_TIERS] = {fast, both, 1};
    uint8_t *seen = calloc(t->objects + 1u, 1);
    if (!seen)
        return -1;
    size_t half = t->count / 2;
    double n = (double)t->count, late = n - (double)half;
    for (size_t i = 0; i < t->count; i++) {
        bool cold = !seen[t->object[i]];
        const double *part = cold ? first : known;
        seen[t->object[i]] = 1;
        hash_add(plan, part, 1 / n, &r->miss_ratio, &r->latency_us);
        if (i >= half)
            hash_add(plan, part, 1 / late, &r->late_miss_ratio,
                     &r->late_latency_us);
        r->slow_ratio += part[PLACEMENT_TIERS - 1] / n;
        r->accuracy += (cold ? best[i] == PLACEMENT_TIERS - 1
                             : upto[best[i]]) / n;
    }
    free(seen);
    r->cost_us = r->latency_us; /* it moves nothing */
    return 0;
}

/* Moves counted, against what no placement is below. */
static int relate_bound(const struct placement_trace *t, double pct,
                        const struct placement_plan *plan,
                        struct placement_result *results, unsigned count)
{
    const uint64_t capacities[2] = {share(t, pct),
                                    share(t, pct * (1 + plan->middle))};
    if (plan->move_us[0] + plan->move_us[1] <= 0)
        return 0;
    double bound = placement_bound(t, plan, capacities),
           room = results[0].cost_us - bound;
    results[count - 1].cost_us = bound;
    for (unsigned i = 0; i < count; i++)
        results[i].bound_gap =
            room > 0 ? (results[0].cost_us - results[i].cost_us) / room : 1;
    return bound < 0 ? -1 : 0;
}

static void relate(struct placement_result *results, unsigned count)
{
    const struct placement_result *hash = &results[0],
                                  *best = &results[count - 1];
    for (unsigned i = 0; i < count; i++) {
        struct placement_result *r = &results[i];
        double room = hash->latency_us - best->latency_us,
               late = hash->late_latency_us - best->late_latency_us,
               left = r->latency_us - best->latency_us;
        r->gap_closed = room > 0 ? (hash->latency_us - r->latency_us) / room
                                 : 1;
        r->late_gap_closed =
            late > 0 ? (hash->late_latency_us - r->late_latency_us) / late : 1;
        /* Nothing left to gain: as many times better as can be told. */
        r->regret = left > room / 1e6 ? room / left : 1e6;
    }
}

int placement_measure(const struct placement_trace *t, double pct,
                      const struct placement_plan *plan,
                      const struct placement_policy *const *policies,
                      unsigned count, struct placement_result *results)
{
    struct served best = {.tier = malloc(t->count)},
                  served = {.tier = malloc(t->count)};
    int rc = best.tier && served.tier ? 0 : -1;
    memset(results, 0, (count + 2) * sizeof *results);
    if (rc == 0)
        rc = serve(t, pct, plan, NULL, 0, &best);
    for (unsigned i = 0; i < count && rc == 0; i++)
        for (unsigned seed = 0; seed < plan->seeds && rc == 0; seed++) {
            rc = serve(t, pct, plan, policies[i], 1 + 100 * seed, &served);
            if (rc == 0)
                tally(t, plan, &served, best.tier, &results[i + 1]);
        }
    if (rc == 0) {
        struct placement_plan once = *plan;
        once.seeds = 1;
        rc = hash_result(t, pct, plan, best.tier, &results[0]);
        tally(t, &once, &best, best.tier, &results[count + 1]);
        for (unsigned i = 0; i < count; i++)
            results[i + 1].name = policies[i]->name;
        results[0].name = "hash";
        results[count + 1].name = "optimum";
        for (unsigned i = 0; i < count + 2; i++)
            results[i].capacity_pct = pct;
        relate(results, count + 2);
        rc = relate_bound(t, pct, plan, results, count + 2);
    }
    free(best.tier);
    free(served.tier);
    return rc == 0 ? (int)count + 2 : -1;
}
