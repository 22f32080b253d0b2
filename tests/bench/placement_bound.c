/* No placement over three tiers costs less than this: times, moves and sizes
 * counted.
 *
 * What a tier holds is limited at every moment; the bound limits it on average
 * (as PFOO-L does) and takes a price for each byte and request instead. Then
 * objects do not meet any more, and the best way of each is found alone: from
 * use to use it is above some boundaries, pays there for its bytes, for the
 * time of the use and for coming in. What all pay, less what the capacities
 * are worth at the prices, is a bound for any prices (Lagrange); those that
 * make it highest are looked for. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "placement.h"

enum { TIERS = PLACEMENT_TIERS, ROUNDS = 60 };

struct prices {
    double boundary[TIERS - 1]; /* of a byte above it for one request */
};
struct usage {
    double cost, held[TIERS - 1]; /* bytes x requests above each boundary */
};

/* An object is above some of the boundaries: a bit of each. */
enum { PLACES = 1 << (TIERS - 1) };

/* The best that an object in a place can have done until now. */
struct way {
    double cost, held[TIERS - 1];
};

static double up(const struct placement_plan *plan, unsigned from, unsigned to)
{
    double us = 0;
    for (unsigned b = 0; b < TIERS - 1; b++)
        us += (to & ~from) >> b & 1 ? plan->move_us[b] : 0;
    return us;
}

static unsigned tier_of(unsigned place)
{
    unsigned tier = 0;
    while (tier < TIERS - 1 && !(place >> tier & 1))
        tier++;
    return tier;
}

/* One more use, `gap` requests after the last: where it has waited. */
static void wait_for(const struct placement_plan *plan,
                     const struct prices *prices, double bytes, double gap,
                     struct way ways[PLACES])
{
    struct way after[PLACES];
    for (unsigned to = 0; to < PLACES; to++) {
        after[to].cost = DBL_MAX;
        for (unsigned from = 0; from < PLACES; from++) {
            double cost = ways[from].cost + up(plan, from, to);
            if (cost < after[to].cost) {
                after[to] = ways[from];
                after[to].cost = cost;
            }
        }
        for (unsigned b = 0; b < TIERS - 1; b++) {
            if (!(to >> b & 1))
                continue;
            after[to].cost += prices->boundary[b] * bytes * gap;
            after[to].held[b] += bytes * gap;
        }
        after[to].cost += plan->latency_us[tier_of(to)];
    }
    for (unsigned k = 0; k < PLACES; k++)
        ways[k] = after[k];
}

static void weigh(const struct placement_trace *t,
                  const struct placement_plan *plan,
                  const struct prices *prices, struct way (*ways)[PLACES],
                  uint32_t *last, struct usage *all)
{
    *all = (struct usage){0};
    for (uint32_t o = 0; o < t->objects; o++)
        last[o] = UINT32_MAX;
    for (size_t i = 0; i < t->count; i++) {
        uint32_t o = t->object[i];
        if (last[o] == UINT32_MAX) {
            /* It comes from the slowest tier, and may stay anywhere. */
            for (unsigned k = 1; k < PLACES; k++)
                ways[o][k] = (struct way){.cost = DBL_MAX / 4};
            ways[o][0] = (struct way){.cost = plan->latency_us[TIERS - 1]};
        } else {
            wait_for(plan, prices, t->bytes[o], (double)(i - last[o]),
                     ways[o]);
        }
        last[o] = (uint32_t)i;
    }
    for (uint32_t o = 0; o < t->objects; o++) {
        const struct way *best = &ways[o][0];
        for (unsigned k = 1; k < PLACES; k++)
            if (ways[o][k].cost < best->cost)
                best = &ways[o][k];
        all->cost += best->cost;
        for (unsigned b = 0; b < TIERS - 1; b++)
            all->held[b] += best->held[b];
    }
}

double placement_bound(const struct placement_trace *t,
                       const struct placement_plan *plan,
                       const uint64_t capacities[TIERS - 1])
{
    struct way (*ways)[PLACES] = malloc((t->objects + 1u) * sizeof *ways);
    uint32_t *last = malloc((t->objects + 1u) * sizeof *last);
    struct prices prices;
    double best = -1, room[TIERS - 1];
    for (unsigned b = 0; b < TIERS - 1; b++) {
        room[b] = (double)capacities[b] * (double)t->count;
        /* A hit saves so much, and so many bytes wait as often as they fit. */
        prices.boundary[b] =
            (plan->latency_us[b + 1] - plan->latency_us[b]) *
            (double)t->count / room[b] / 4;
    }
    for (unsigned round = 0; ways && last && round < ROUNDS; round++) {
        struct usage all;
        weigh(t, plan, &prices, ways, last, &all);
        double bound = all.cost;
        for (unsigned b = 0; b < TIERS - 1; b++)
            bound -= prices.boundary[b] * room[b];
        best = bound > best ? bound : best;
        /* Dearer where more is held than there is room for. */
        for (unsigned b = 0; b < TIERS - 1; b++) {
            double over = 3 * (all.held[b] / room[b] - 1);
            prices.boundary[b] *=
                exp(fmax(-1, fmin(over, 1)) * 4 / (round + 4.0));
        }
    }
    bool measured = ways && last;
    free(ways);
    free(last);
    return measured ? best / (double)t->count : -1;
}
