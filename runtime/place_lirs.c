/* place_lirs.c: the LIRS expert (Jiang and Zhang, SIGMETRICS '02).
 *
 * The stack S is in the order of the last use, so it needs no list: an object
 * is in S when it was used after the LIR block that was used longest ago. So
 * PLACE_MAIN holds the LIR blocks, PLACE_NEW the resident HIR blocks (Q), and
 * PLACE_PAST_NEW the others that may still be in S, at most as many bytes as
 * make S twice the cache. */
#include "place_cache.h"

static bool in_stack(const struct place_cache *cache, uint32_t at)
{
    uint32_t bottom = cache->lists[PLACE_MAIN].tail;
    return bottom == PLACE_NONE ||
           cache->now - place_trait_of(cache, at)->last <=
               cache->now - place_trait_of(cache, bottom)->last;
}

static uint64_t trial_bytes(const struct place_cache *cache)
{
    uint64_t bytes = cache->capacity * cache->setting.window / 100;
    return bytes > 0 ? bytes : 1;
}

void place_lirs_evict(struct place_cache *cache)
{
    uint32_t tail = cache->lists[PLACE_NEW].tail;
    if (tail == PLACE_NONE) {
        place_evict(cache, cache->lists[PLACE_MAIN].tail, PLACE_OUT);
        return;
    }
    place_evict(cache, tail, in_stack(cache, tail) ? PLACE_PAST_NEW
                                                   : PLACE_OUT);
    uint64_t most = 2 * cache->capacity, main = cache->lists[PLACE_MAIN].bytes;
    place_forget(cache, PLACE_PAST_NEW, most > main ? most - main : 0);
}

/* Blocks of the bottom lose their place until the LIR set has its size. */
static void shrink_main(struct place_cache *cache)
{
    uint64_t most = cache->capacity - trial_bytes(cache);
    while (cache->lists[PLACE_MAIN].bytes > most &&
           cache->lists[PLACE_MAIN].count > 1)
        place_push(cache, PLACE_NEW, cache->lists[PLACE_MAIN].tail);
}

void place_lirs_hit(struct place_cache *cache, uint32_t at)
{
    bool proven = cache->links[at].list == PLACE_MAIN;
    if (proven || in_stack(cache, at)) {
        place_push(cache, PLACE_MAIN, at);
        if (!proven)
            shrink_main(cache);
    } else {
        place_push(cache, PLACE_NEW, at);
    }
}

void place_lirs_admit(struct place_cache *cache, uint32_t at)
{
    uint32_t bytes = place_trait_of(cache, at)->bytes;
    bool proven = cache->links[at].list == PLACE_PAST_NEW &&
                  in_stack(cache, at);
    place_remove(cache, at);
    while (!place_fits(cache, bytes))
        place_lirs_evict(cache);
    if (cache->lists[PLACE_MAIN].bytes + bytes + trial_bytes(cache) <=
        cache->capacity)
        proven = true;
    place_push(cache, proven ? PLACE_MAIN : PLACE_NEW, at);
    if (proven)
        shrink_main(cache);
}

/* What another expert had on trial fills the LIR set, below what it had
 * proven: a cache that is full has no room to learn who is LIR. */
void place_lirs_adopt(struct place_cache *cache)
{
    uint64_t most = cache->capacity - trial_bytes(cache);
    uint32_t head;
    while ((head = cache->lists[PLACE_NEW].head) != PLACE_NONE &&
           cache->lists[PLACE_MAIN].bytes +
                   place_trait_of(cache, head)->bytes <= most)
        place_push_tail(cache, PLACE_MAIN, head);
}
