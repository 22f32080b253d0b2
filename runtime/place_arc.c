/* place_arc.c: the ARC expert (Megiddo and Modha, FAST '03), counted in bytes:
 * PLACE_NEW is T1, PLACE_MAIN T2, the ghosts B1 and B2, `target` is p. */
#include "place_cache.h"

void place_arc_hit(struct place_cache *cache, uint32_t at)
{
    place_push(cache, PLACE_MAIN, at);
}

static void replace(struct place_cache *cache, bool in_b2)
{
    const struct place_list *t1 = &cache->lists[PLACE_NEW],
                            *t2 = &cache->lists[PLACE_MAIN];
    bool over = (double)t1->bytes > cache->target ||
                (in_b2 && (double)t1->bytes >= cache->target);
    if (t1->count > 0 && (over || t2->count == 0))
        place_evict(cache, t1->tail, PLACE_PAST_NEW);
    else
        place_evict(cache, t2->tail, PLACE_PAST_MAIN);
}

void place_arc_evict(struct place_cache *cache)
{
    replace(cache, false);
}

static double ratio(const struct place_list *a, const struct place_list *b)
{
    return b->bytes > 0 && a->bytes > b->bytes
               ? (double)a->bytes / (double)b->bytes
               : 1.0;
}

static void aim(struct place_cache *cache, uint32_t bytes, bool in_b2)
{
    const struct place_list *b1 = &cache->lists[PLACE_PAST_NEW],
                            *b2 = &cache->lists[PLACE_PAST_MAIN];
    double most = (double)cache->capacity;
    if (in_b2)
        cache->target -= ratio(b1, b2) * bytes;
    else
        cache->target += ratio(b2, b1) * bytes;
    if (cache->target < 0)
        cache->target = 0;
    if (cache->target > most)
        cache->target = most;
}

void place_arc_admit(struct place_cache *cache, uint32_t at)
{
    uint32_t bytes = place_trait_of(cache, at)->bytes;
    struct place_list *t1 = &cache->lists[PLACE_NEW],
                      *t2 = &cache->lists[PLACE_MAIN],
                      *b1 = &cache->lists[PLACE_PAST_NEW],
                      *b2 = &cache->lists[PLACE_PAST_MAIN];
    bool in_b1 = cache->links[at].list == PLACE_PAST_NEW,
         in_b2 = cache->links[at].list == PLACE_PAST_MAIN;
    if (in_b1 || in_b2) {
        aim(cache, bytes, in_b2);
        while (!place_fits(cache, bytes))
            replace(cache, in_b2);
        place_push(cache, PLACE_MAIN, at);
        return;
    }
    if (t1->bytes + b1->bytes + bytes > cache->capacity && b1->count == 0) {
        while (!place_fits(cache, bytes) && t1->count > 0)
            place_evict(cache, t1->tail, PLACE_OUT);
    } else {
        while (b1->count > 0 &&
               t1->bytes + b1->bytes + bytes > cache->capacity)
            place_remove(cache, b1->tail);
        while (b2->count > 0 && t1->bytes + t2->bytes + b1->bytes + b2->bytes +
                                        bytes > 2 * cache->capacity)
            place_remove(cache, b2->tail);
    }
    while (!place_fits(cache, bytes))
        replace(cache, false);
    place_push(cache, PLACE_NEW, at);
}
