/* place_shadow.h: every expert on a sample of the objects, side by side.
 *
 * An object is in the sample by a hash of its number, so all its requests are;
 * the shadows' capacity is the tier's times the share of the sample (the
 * SHARDS of Waldspurger et al., FAST '15). Traits are copies of the object's as
 * it was before each request, so requests may be told of later. The sample
 * begins as everything and
 * is halved whenever it outgrows its memory: a small tier is shadowed exactly,
 * a large one by about a quarter of its room. */
#ifndef WARP_PLACE_SHADOW_H
#define WARP_PLACE_SHADOW_H

#include "place_search.h"

enum { SHADOW_ROOM = 1 << 14 };

struct place_shadow {
    struct place_cache caches[PLACE_EXPERTS];
    struct place_trait *traits; /* by number in the sample */
    uint32_t *objects; /* number in the sample -> object */
    uint32_t *map;     /* hash of the object -> number in the sample */
    uint32_t room;     /* numbers in the sample: a power of two */
    uint32_t count, sweep, free_head;
    uint32_t halvings; /* the sample is 1 / 2^halvings */
    uint64_t capacity, seed;
    /* What the misses of each expert cost, its moves with them, and the squares
     * of what it and the one that decides differ by; what hits of all requests
     * would save, and these. All fade. */
    double misses[PLACE_EXPERTS], differs[PLACE_EXPERTS], saves, all;
    double weight; /* of the next request: grows instead of all fading */
    uint64_t requests;
    enum place_expert_id best; /* that should decide */
    struct place_search *search; /* NULL: settings stay as they are */
    uint64_t settings; /* times that those of a shadow have changed */
};

/** room: numbers in the sample, a power of two up to SHADOW_ROOM; 0: that. */
int place_shadow_init(struct place_shadow *shadow, uint64_t capacity,
                      uint32_t room, uint64_t seed,
                      const struct place_model *model);
/** Settings are looked for from here on. -1: no memory. */
int place_shadow_search(struct place_shadow *shadow);
/** The tier has another size: the shadows follow with what they admit. */
void place_shadow_resize(struct place_shadow *shadow, uint64_t capacity);
/** Also of one that is all zero. */
void place_shadow_fini(struct place_shadow *shadow);
static inline uint64_t place_mix(uint64_t x)
{
    x = (x ^ (x >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ (x >> 32);
}
static inline bool place_shadow_takes(const struct place_shadow *shadow,
                                      uint32_t object)
{
    uint64_t mask = (UINT64_C(1) << shadow->halvings) - 1;
    return (place_mix(object + shadow->seed) >> 32 & mask) == 0;
}
/** One request of an object in the sample; its trait before it. */
void place_shadow_access(struct place_shadow *shadow, uint32_t object,
                         const struct place_trait *before, uint32_t now);
void place_shadow_drop(struct place_shadow *shadow, uint32_t object);
/** Forgets what was measured; S3-FIFO is the best until more is known. */
void place_shadow_distrust(struct place_shadow *shadow);
/** Something had to leave: from here on the experts differ. */
static inline bool place_shadow_is_full(const struct place_shadow *shadow)
{
    return shadow->caches[PLACE_LRU].evictions > 0;
}
uint64_t place_shadow_bytes(const struct place_shadow *shadow);

#endif
