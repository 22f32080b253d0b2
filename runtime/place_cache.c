/* place_cache.c: the lists of a cache and what its experts have in common. */
#include "place_cache.h"

#include <stdlib.h>

enum { STRICT = 4 };
const struct place_expert place_experts[PLACE_EXPERTS] = {
    [PLACE_LRU] = {"lru", place_lru_hit, place_lru_admit, place_lru_evict,
                   NULL, {0, 0, STRICT}},
    [PLACE_S3FIFO] = {"s3fifo", place_s3fifo_hit, place_s3fifo_admit,
                      place_s3fifo_evict, NULL, {10, 2, STRICT}},
    [PLACE_ARC] = {"arc", place_arc_hit, place_arc_admit, place_arc_evict,
                   NULL, {0, 0, STRICT}},
    [PLACE_LIRS] = {"lirs", place_lirs_hit, place_lirs_admit,
                    place_lirs_evict, place_lirs_adopt, {1, 0, STRICT}},
    [PLACE_LEARN] = {"learn", place_learn_hit, place_learn_admit,
                     place_learn_evict, NULL, {10, 0, STRICT}},
    [PLACE_LEARN_BARE] = {"learn-bare", place_learn_hit, place_learn_admit,
                          place_learn_evict, NULL, {1, 0, STRICT}},
};

void place_cache_init(struct place_cache *cache, uint64_t capacity,
                      struct place_link *links,
                      const struct place_trait *traits,
                      const struct place_expert *expert)
{
    *cache = (struct place_cache){.capacity = capacity,
                                  .links = links,
                                  .traits = traits,
                                  .expert = expert,
                                  .setting = expert->setting,
                                  .hand = PLACE_NONE};
    for (int i = 0; i < PLACE_LISTS; i++)
        cache->lists[i].head = cache->lists[i].tail = PLACE_NONE;
}

bool place_cache_access(struct place_cache *cache, uint32_t at, uint32_t now)
{
    cache->now = now;
    if (place_is_resident(cache, at)) {
        cache->expert->hit(cache, at);
        return true;
    }
    if (place_trait_of(cache, at)->bytes > cache->capacity ||
        (cache->move_ns && !place_price_pays(cache, at)))
        return false;
    cache->expert->admit(cache, at);
    cache->admissions += place_is_resident(cache, at);
    if (cache->move_ns)
        place_price_came(cache);
    return false;
}

void place_cache_resize(struct place_cache *cache, uint64_t capacity)
{
    cache->target *= (double)capacity / (double)cache->capacity;
    cache->capacity = capacity;
    while (cache->used > capacity)
        cache->expert->evict(cache);
}

void place_cache_size(struct place_cache *cache, uint32_t at, uint32_t bytes)
{
    unsigned list = cache->links[at].list;
    uint64_t more = (uint64_t)bytes - place_trait_of(cache, at)->bytes;
    if (list == PLACE_OUT)
        return;
    cache->lists[list].bytes += more;
    if (list == PLACE_NEW || list == PLACE_MAIN)
        cache->used += more;
}

static int by_last_use(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The fewest uses of what goes to PLACE_MAIN, so that it gets its share. */
static unsigned least_uses(const struct place_cache *cache, double share)
{
    uint64_t bytes[256] = {0}, main = 0;
    for (int where = PLACE_NEW; where <= PLACE_MAIN; where++)
        for (uint32_t at = cache->lists[where].head; at != PLACE_NONE;
             at = cache->links[at].next)
            bytes[place_trait_of(cache, at)->count] +=
                place_trait_of(cache, at)->bytes;
    unsigned least = 256;
    while (least > 2 && (double)(main + bytes[least - 1]) <=
                            share * (double)cache->used)
        main += bytes[--least];
    return least;
}

/* Residents in the order of the last use, the often used ones as proven: what
 * any expert can go on with. Without memory for it, as they are. */
static void order(struct place_cache *cache, double share)
{
    uint32_t count =
        cache->lists[PLACE_NEW].count + cache->lists[PLACE_MAIN].count, n = 0;
    uint64_t *ages = malloc((count + 1u) * sizeof *ages);
    if (!ages)
        return;
    unsigned least = least_uses(cache, share);
    for (int where = PLACE_NEW; where <= PLACE_MAIN; where++)
        for (uint32_t at = cache->lists[where].head; at != PLACE_NONE;
             at = cache->links[at].next)
            ages[n++] =
                (uint64_t)(cache->now - place_trait_of(cache, at)->last)
                    << 32 | at;
    qsort(ages, count, sizeof *ages, by_last_use);
    for (uint32_t i = count; i-- > 0;) {
        uint32_t at = (uint32_t)ages[i];
        bool proven = place_trait_of(cache, at)->count >= least;
        place_push(cache, proven ? PLACE_MAIN : PLACE_NEW, at);
    }
    free(ages);
}

void place_cache_adopt(struct place_cache *cache,
                       const struct place_expert *expert,
                       const struct place_cache *like)
{
    double held = like ? (double)like->used : 0,
           main = like ? (double)like->lists[PLACE_MAIN].bytes : 0;
    order(cache, held > 0 ? main / held : 1);
    cache->expert = expert;
    cache->setting = like ? like->setting : expert->setting;
    cache->target = like ? like->target / (double)like->capacity *
                               (double)cache->capacity
                         : (double)cache->lists[PLACE_NEW].bytes;
    cache->hand = PLACE_NONE;
    cache->pooled = 0;
    if (expert->adopt)
        expert->adopt(cache);
}

void place_remove(struct place_cache *cache, uint32_t at)
{
    struct place_link *link = &cache->links[at];
    if (link->list == PLACE_OUT)
        return;
    struct place_list *list = &cache->lists[link->list];
    if (cache->hand == at)
        cache->hand = link->prev;
    if (link->prev != PLACE_NONE)
        cache->links[link->prev].next = link->next;
    else
        list->head = link->next;
    if (link->next != PLACE_NONE)
        cache->links[link->next].prev = link->prev;
    else
        list->tail = link->prev;
    uint32_t bytes = place_trait_of(cache, at)->bytes;
    list->count--;
    list->bytes -= bytes;
    if (link->list == PLACE_NEW || link->list == PLACE_MAIN)
        cache->used -= bytes;
    link->prev = link->next = PLACE_NONE;
    link->list = PLACE_OUT;
}

static void count_in(struct place_cache *cache, enum place_where where,
                     uint32_t at)
{
    uint32_t bytes = place_trait_of(cache, at)->bytes;
    cache->links[at].list = (unsigned)where & 15;
    cache->lists[where].count++;
    cache->lists[where].bytes += bytes;
    if (where == PLACE_NEW || where == PLACE_MAIN)
        cache->used += bytes;
}

void place_push(struct place_cache *cache, enum place_where where, uint32_t at)
{
    place_remove(cache, at);
    struct place_list *list = &cache->lists[where];
    cache->links[at].next = list->head & PLACE_NONE;
    if (list->head != PLACE_NONE)
        cache->links[list->head].prev = at & PLACE_NONE;
    else
        list->tail = at;
    list->head = at;
    count_in(cache, where, at);
}

void place_push_tail(struct place_cache *cache, enum place_where where,
                     uint32_t at)
{
    place_remove(cache, at);
    struct place_list *list = &cache->lists[where];
    cache->links[at].prev = list->tail & PLACE_NONE;
    if (list->tail != PLACE_NONE)
        cache->links[list->tail].next = at & PLACE_NONE;
    else
        list->head = at;
    list->tail = at;
    count_in(cache, where, at);
}

void place_evict(struct place_cache *cache, uint32_t at,
                 enum place_where ghost)
{
    if (ghost == PLACE_OUT)
        place_remove(cache, at);
    else
        place_push(cache, ghost, at);
    cache->evictions++;
    if (cache->evicted)
        cache->evicted(cache->owner, at);
}

void place_forget(struct place_cache *cache, enum place_where ghost,
                  uint64_t bytes)
{
    struct place_list *list = &cache->lists[ghost];
    while (list->bytes > bytes)
        place_remove(cache, list->tail);
}
