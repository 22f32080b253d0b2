/* place_learn.c: the expert that lets go of what the model expects last.
 *
 * Newcomers pass PLACE_NEW in the order of arrival, then they are candidates.
 * A decision looks at the one that left the window, at the next few of a hand
 * that goes around PLACE_MAIN, and at the most promising of the last decisions;
 * bytes count, as a large object is in the way of many small ones, and so does
 * what a hit saves. */
#include "place_cache.h"
#include "place_model.h"

enum { FRESH = 4, MOST = FRESH + PLACE_POOL + 1 };

struct candidates {
    uint32_t at[MOST];
    float wait[MOST];
    unsigned count;
};

void place_learn_hit(struct place_cache *cache, uint32_t at)
{
    /* In the order of use, for the expert that may come after this one. */
    if (cache->links[at].list == PLACE_MAIN)
        place_push(cache, PLACE_MAIN, at);
}

static void add(const struct place_cache *cache, struct candidates *c,
                uint32_t at)
{
    __builtin_prefetch(place_trait_of(cache, at));
    c->at[c->count++] = at;
}

static bool has(const struct candidates *c, unsigned count, uint32_t at)
{
    for (unsigned i = 0; i < count; i++)
        if (c->at[i] == at)
            return true;
    return false;
}

static void weigh(const struct place_cache *cache, struct candidates *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        const struct place_trait *trait = place_trait_of(cache, c->at[i]);
        float wait = cache->wait
                         ? cache->wait(cache->owner, c->at[i])
                         : place_model_wait(cache->model, trait,
                                            cache->now - trait->last);
        c->wait[i] =
            wait + ((float)place_log(trait->bytes) - (float)trait->saves) / 8;
    }
}

/* Takes the one with the longest wait out of the candidates. */
static uint32_t take(struct candidates *c)
{
    unsigned longest = 0;
    for (unsigned i = 1; i < c->count; i++)
        if (c->wait[i] > c->wait[longest])
            longest = i;
    uint32_t at = c->at[longest];
    c->at[longest] = c->at[--c->count];
    c->wait[longest] = c->wait[c->count];
    return at;
}

static void evict_one(struct place_cache *cache, uint32_t leaving)
{
    struct candidates c = {.count = 0};
    if (leaving != PLACE_NONE)
        add(cache, &c, leaving);
    for (unsigned i = 0; i < cache->pooled; i++)
        if (cache->links[cache->pool[i]].list == PLACE_MAIN &&
            cache->pool[i] != leaving)
            add(cache, &c, cache->pool[i]);
    unsigned known = c.count;
    for (unsigned i = 0; i < FRESH && i < cache->lists[PLACE_MAIN].count;
         i++) {
        if (cache->hand == PLACE_NONE)
            cache->hand = cache->lists[PLACE_MAIN].tail;
        if (!has(&c, known, cache->hand))
            add(cache, &c, cache->hand);
        cache->hand = cache->links[cache->hand].prev;
    }
    weigh(cache, &c);
    uint32_t out = c.count > 0 ? take(&c) : cache->lists[PLACE_NEW].tail;
    cache->pooled = 0;
    while (cache->pooled < PLACE_POOL && c.count > 0)
        cache->pool[cache->pooled++] = take(&c);
    place_evict(cache, out, PLACE_OUT);
}

/* The oldest of the window becomes a candidate, when it holds more than it
 * should with so many bytes beside; PLACE_NONE: it does not. */
static uint32_t pass_one(struct place_cache *cache, uint32_t bytes)
{
    uint64_t window = cache->capacity * cache->setting.window / 100;
    uint32_t oldest = cache->lists[PLACE_NEW].tail;
    if (oldest == PLACE_NONE || cache->lists[PLACE_NEW].bytes + bytes <= window)
        return PLACE_NONE;
    place_push(cache, PLACE_MAIN, oldest);
    return oldest;
}

/* Where another expert has decided, or the tier was larger, what is on trial is
 * more than a window: it leaves before what is proven. */
void place_learn_evict(struct place_cache *cache)
{
    evict_one(cache, pass_one(cache, 0));
}

void place_learn_admit(struct place_cache *cache, uint32_t at)
{
    uint32_t bytes = place_trait_of(cache, at)->bytes, leaving = PLACE_NONE,
             passed;
    place_remove(cache, at);
    while ((passed = pass_one(cache, bytes)) != PLACE_NONE)
        leaving = passed;
    while (!place_fits(cache, bytes)) {
        evict_one(cache, leaving);
        leaving = PLACE_NONE;
    }
    place_push(cache, PLACE_NEW, at);
}
