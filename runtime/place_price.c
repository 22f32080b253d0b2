/* place_price.c: what room costs, and whether a move pays.
 *
 * An object that is brought in stays for about so many requests after each use;
 * the model says how probable its next one is in these, and so how often it is
 * hit until it leaves. What leaves would have been hit least for its bytes:
 * what that had saved is the price of a byte, a price that follows the demand,
 * as a tier that is too small lets go of better ones (a shadow price, by dual
 * ascent). An object comes in where what its hits save is more than its bytes
 * cost and bringing it in; else it stays outside. */
#include "place_cache.h"

#include <float.h>
#include <math.h>

#include "place_model.h"

/* Share of what is new. */
static const float between_share = 0.25f;
/* Hits that one that came in is worth when it is used: another may follow. */
static const float hits_of_stay = 1.5f;
enum { BETWEEN_LEAST = 16 };

float place_price_stay(const struct place_cache *cache)
{
    float now = (float)(cache->now - cache->came),
          between = cache->between > now ? cache->between : now,
          most = (float)cache->model->horizon,
          held = (float)(cache->lists[PLACE_NEW].count +
                         cache->lists[PLACE_MAIN].count);
    /* Nothing had to leave yet: all stay. */
    return cache->evictions > 0 && held * between < most ? held * between
                                                         : most;
}

/* ns that the next use saves, if it comes before the object has left. */
static float saving(const struct place_cache *cache,
                    const struct place_trait *trait, uint32_t age)
{
    float wait = place_model_wait(cache->model, trait, age);
    return exp2f((float)trait->saves / 8) *
           place_model_reuse(cache->model, wait, place_price_stay(cache));
}

/* ns for a byte: of those that are next to leave, the one that saves least. */
static float price(const struct place_cache *cache, uint32_t bytes)
{
    float least = place_fits(cache, bytes) ? 0 : FLT_MAX;
    for (int where = PLACE_NEW; where <= PLACE_MAIN; where++) {
        uint32_t at = cache->lists[where].tail;
        if (at == PLACE_NONE || least == 0)
            continue;
        const struct place_trait *trait = place_trait_of(cache, at);
        float its = saving(cache, trait, cache->now - trait->last) /
                    (float)trait->bytes;
        least = its < least ? its : least;
    }
    return least;
}

void place_price_came(struct place_cache *cache)
{
    float gap = (float)(cache->now - cache->came),
          held = (float)(cache->lists[PLACE_NEW].count +
                         cache->lists[PLACE_MAIN].count);
    cache->between +=
        (gap - cache->between) / (held * between_share + BETWEEN_LEAST);
    cache->came = cache->now;
}

bool place_price_pays(const struct place_cache *cache, uint32_t at)
{
    struct place_trait trait = *place_trait_of(cache, at);
    if (cache->setting.strict == 0)
        return true;
    place_trait_touch(&trait, cache->now);
    return hits_of_stay * saving(cache, &trait, 0) -
               price(cache, trait.bytes) * (float)trait.bytes >
           (float)cache->move_ns * (float)cache->setting.strict / 4;
}
