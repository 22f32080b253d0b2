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

void place_learn_evict(struct place_cache *cache)
{
    evict_one(cache, PLACE_NONE);
}

void place_learn_admit(struct place_cache *cache, uint32_t at)
{
    uint32_t bytes = place_trait_of(cache, at)->bytes, leaving = PLACE_NONE;
    uint64_t window = cache->capacity * cache->setting.window / 100;
    place_remove(cache, at);
    while (cache->lists[PLACE_NEW].count > 0 &&
           cache->lists[PLACE_NEW].bytes + bytes > window) {
        leaving = cache->lists[PLACE_NEW].tail;
        place_push(cache, PLACE_MAIN, leaving);
    }
    while (!place_fits(cache, bytes)) {
        evict_one(cache, leaving);
        leaving = PLACE_NONE;
    }
    place_push(cache, PLACE_NEW, at);
}
