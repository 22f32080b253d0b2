/* The offline optimum of a fast tier.
 *
 * One size: Belady's MIN, exact, with the right to let a newcomer pass by.
 * Sizes: PFOO-L (Berger, Beckmann, Harchol-Balter, SIGMETRICS '18): the
 * intervals between two uses, cheapest in bytes x requests first, until they
 * fill capacity x requests. No policy can miss less often. */
#include <stdlib.h>

#include "placement.h"

/* A heap of objects by next use, the furthest on top. */
struct heap {
    uint32_t *objects, *next, *at; /* next, at: by object */
    uint32_t count;
};

static void put(struct heap *h, uint32_t at, uint32_t object)
{
    h->objects[at] = object;
    h->at[object] = at;
}

static void sift_up(struct heap *h, uint32_t at)
{
    uint32_t object = h->objects[at];
    while (at > 0) {
        uint32_t up = (at - 1) / 2;
        if (h->next[h->objects[up]] >= h->next[object])
            break;
        put(h, at, h->objects[up]);
        at = up;
    }
    put(h, at, object);
}

static void sift_down(struct heap *h, uint32_t at)
{
    uint32_t object = h->objects[at];
    for (;;) {
        uint32_t down = 2 * at + 1;
        if (down >= h->count)
            break;
        if (down + 1 < h->count &&
            h->next[h->objects[down + 1]] > h->next[h->objects[down]])
            down++;
        if (h->next[h->objects[down]] <= h->next[object])
            break;
        put(h, at, h->objects[down]);
        at = down;
    }
    put(h, at, object);
}

static void belady(const struct placement_trace *t, uint32_t capacity,
                   struct heap *h, uint8_t *hits)
{
    for (size_t i = 0; i < t->count; i++) {
        uint32_t object = t->object[i], next = t->next[i];
        if (h->at[object] != UINT32_MAX) {
            hits[i] = 1;
            h->next[object] = next;
            sift_up(h, h->at[object]);
            continue;
        }
        if (next == UINT32_MAX)
            continue; /* never again: not worth a place */
        h->next[object] = next;
        if (h->count < capacity) {
            put(h, h->count++, object);
            sift_up(h, h->count - 1);
        } else if (capacity > 0 && h->next[h->objects[0]] > next) {
            h->at[h->objects[0]] = UINT32_MAX;
            put(h, 0, object);
            sift_down(h, 0);
        }
    }
}

struct interval {
    uint32_t end;
    uint64_t cost;
};

static int by_cost(const void *a, const void *b)
{
    const struct interval *x = a, *y = b;
    return x->cost != y->cost ? (x->cost > y->cost) - (x->cost < y->cost)
                              : (x->end > y->end) - (x->end < y->end);
}

static int pfoo(const struct placement_trace *t, uint64_t capacity,
                uint8_t *hits)
{
    struct interval *intervals = malloc((t->count + 1) * sizeof *intervals);
    size_t count = 0;
    if (!intervals)
        return -1;
    for (size_t i = 0; i < t->count; i++)
        if (t->next[i] != UINT32_MAX && t->bytes[t->object[i]] <= capacity)
            intervals[count++] = (struct interval){
                t->next[i],
                (uint64_t)t->bytes[t->object[i]] * (t->next[i] - i)};
    qsort(intervals, count, sizeof *intervals, by_cost);
    double room = (double)capacity * (double)t->count;
    for (size_t i = 0; i < count && room >= (double)intervals[i].cost; i++) {
        room -= (double)intervals[i].cost;
        hits[intervals[i].end] = 1;
    }
    free(intervals);
    return 0;
}

uint8_t *placement_optimum(const struct placement_trace *t, uint64_t capacity)
{
    uint8_t *hits = calloc(t->count + 1, 1);
    if (!hits)
        return NULL;
    if (!t->even) {
        if (pfoo(t, capacity, hits) == 0)
            return hits;
        free(hits);
        return NULL;
    }
    uint64_t places = t->objects > 0 ? capacity / t->bytes[0] : 0;
    uint32_t most = places < t->objects ? (uint32_t)places : t->objects;
    struct heap h = {.objects = malloc((most + 1u) * sizeof(uint32_t)),
                     .next = malloc((t->objects + 1u) * sizeof(uint32_t)),
                     .at = malloc((t->objects + 1u) * sizeof(uint32_t))};
    if (h.objects && h.next && h.at) {
        for (uint32_t o = 0; o < t->objects; o++)
            h.at[o] = UINT32_MAX;
        belady(t, most, &h, hits);
    } else {
        free(hits);
        hits = NULL;
    }
    free(h.objects);
    free(h.next);
    free(h.at);
    return hits;
}
