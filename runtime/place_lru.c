/* place_lru.c: two experts that need no more than a queue: LRU (all in
 * PLACE_MAIN), and S3-FIFO (Yang et al., SOSP '23). */
#include "place_cache.h"

void place_lru_hit(struct place_cache *cache, uint32_t at)
{
    place_push(cache, PLACE_MAIN, at);
}

void place_lru_evict(struct place_cache *cache)
{
    uint32_t tail = cache->lists[PLACE_MAIN].tail;
    /* What another expert left on trial is older than what it had proven. */
    if (cache->lists[PLACE_NEW].count > 0) {
        uint32_t trial = cache->lists[PLACE_NEW].tail;
        if (tail == PLACE_NONE ||
            cache->now - place_trait_of(cache, trial)->last >
                cache->now - place_trait_of(cache, tail)->last)
            tail = trial;
    }
    place_evict(cache, tail, PLACE_OUT);
}

void place_lru_admit(struct place_cache *cache, uint32_t at)
{
    uint32_t bytes = place_trait_of(cache, at)->bytes;
    while (!place_fits(cache, bytes))
        place_lru_evict(cache);
    place_push(cache, PLACE_MAIN, at);
}

enum { S3FIFO_MOST = 3 };

static uint64_t small_bytes(const struct place_cache *cache)
{
    return cache->capacity * cache->setting.window / 100;
}

void place_s3fifo_hit(struct place_cache *cache, uint32_t at)
{
    struct place_link *link = &cache->links[at];
    if (link->uses < S3FIFO_MOST)
        link->uses = (link->uses + 1u) & 15;
}

/* Used ones go to the main queue; the first that is not leaves. */
static void evict_small(struct place_cache *cache)
{
    uint32_t tail;
    while ((tail = cache->lists[PLACE_NEW].tail) != PLACE_NONE) {
        bool used = cache->links[tail].uses >= cache->setting.proves;
        cache->links[tail].uses = 0;
        if (!used) {
            uint64_t most = cache->capacity - small_bytes(cache);
            place_evict(cache, tail, PLACE_PAST_NEW);
            place_forget(cache, PLACE_PAST_NEW, most);
            return;
        }
        place_push(cache, PLACE_MAIN, tail);
    }
}

static void evict_main(struct place_cache *cache)
{
    uint32_t tail;
    while ((tail = cache->lists[PLACE_MAIN].tail) != PLACE_NONE) {
        struct place_link *link = &cache->links[tail];
        if (link->uses == 0) {
            place_evict(cache, tail, PLACE_OUT);
            return;
        }
        link->uses = (link->uses - 1u) & 15;
        place_push(cache, PLACE_MAIN, tail);
    }
}

void place_s3fifo_evict(struct place_cache *cache)
{
    uint64_t small = small_bytes(cache);
    if (cache->lists[PLACE_MAIN].bytes > cache->capacity - small ||
        cache->lists[PLACE_NEW].count == 0)
        evict_main(cache);
    else
        evict_small(cache);
}

void place_s3fifo_admit(struct place_cache *cache, uint32_t at)
{
    uint32_t bytes = place_trait_of(cache, at)->bytes;
    bool known = cache->links[at].list == PLACE_PAST_NEW;
    place_remove(cache, at);
    while (!place_fits(cache, bytes))
        place_s3fifo_evict(cache);
    cache->links[at].uses = 0;
    place_push(cache, known ? PLACE_MAIN : PLACE_NEW, at);
}
