/* register.c: see register.h. */
#include "register.h"

#include <stdlib.h>

enum { PAIRS_MAX = 4096 };

struct event {
    int64_t at;
    const struct register_call *call;
    bool ends;
};
struct pair {
    uint64_t value;
    uint32_t happened; /* bits of threads */
};
struct pairs {
    struct pair list[PAIRS_MAX];
    uint32_t count;
};

/* At one moment calls begin before others end: they may overlap. */
static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (int)x->ends - (int)y->ends;
}

static void add(struct pairs *pairs, uint64_t value, uint32_t happened)
{
    for (uint32_t i = 0; i < pairs->count; i++)
        if (pairs->list[i].value == value &&
            pairs->list[i].happened == happened)
            return;
    if (pairs->count == PAIRS_MAX)
        abort(); /* more threads than this is made for */
    pairs->list[pairs->count++] = (struct pair){value, happened};
}

static bool happens(const struct register_call *c, uint64_t *value)
{
    switch (c->kind) {
    case REGISTER_GET:
        return *value == c->value;
    case REGISTER_SET:
        *value = c->value;
        return true;
    case REGISTER_CAS:
        if (*value != c->value)
            return false;
        *value = c->to;
        return true;
    default:
        return *value != c->value;
    }
}

/* All that may have happened while these calls are under way. */
static void close_over(struct pairs *pairs,
                       const struct register_call *const *under_way)
{
    for (uint32_t i = 0; i < pairs->count; i++)
        for (uint32_t t = 0; t < REGISTER_THREADS; t++) {
            uint64_t value = pairs->list[i].value;
            uint32_t happened = pairs->list[i].happened;
            if (under_way[t] && !(happened >> t & 1) &&
                happens(under_way[t], &value))
                add(pairs, value, happened | 1u << t);
        }
}

static void keep_happened(struct pairs *pairs, uint32_t thread)
{
    uint32_t count = pairs->count;
    pairs->count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (pairs->list[i].happened >> thread & 1)
            add(pairs, pairs->list[i].value,
                pairs->list[i].happened & ~(1u << thread));
}

bool register_check(const struct register_call *calls, size_t count,
                    uint64_t first, const struct register_call **bad)
{
    struct event *events = malloc((count * 2 + 1) * sizeof *events);
    struct pairs *pairs = malloc(sizeof *pairs);
    const struct register_call *under_way[REGISTER_THREADS] = {NULL};
    *bad = NULL;
    if (!events || !pairs)
        abort();
    for (size_t i = 0; i < count; i++) {
        events[2 * i] = (struct event){calls[i].begin, &calls[i], false};
        events[2 * i + 1] = (struct event){calls[i].end, &calls[i], true};
    }
    qsort(events, count * 2, sizeof *events, by_time);
    pairs->count = 0;
    add(pairs, first, 0);
    for (size_t i = 0; i < count * 2 && !*bad; i++) {
        const struct register_call *c = events[i].call;
        if (!events[i].ends) {
            under_way[c->thread] = c;
            continue;
        }
        close_over(pairs, under_way);
        keep_happened(pairs, c->thread);
        under_way[c->thread] = NULL;
        if (pairs->count == 0)
            *bad = c;
    }
    free(events);
    free(pairs);
    return *bad == NULL;
}
