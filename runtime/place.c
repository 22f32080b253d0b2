/* place.c: the engine: the tier's own cache, the traits, and who decides. */
#include "place.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "place_cache.h"
#include "place_shadow.h"

/* Until the tier is full all experts hold the same. Shadows of a tier this many
 * times smaller see evictions before, and say who decides first. */
enum { SCOUT_SMALLER = 4 };

struct place {
    struct place_options options;
    struct place_cache cache;
    struct place_trait *traits;
    struct place_link *links;
    uint32_t room; /* numbers that have state */
    uint32_t now;
    struct place_shadow shadow, scout; /* scout.map is NULL once it is full */
    enum place_expert_id deciding;
    uint64_t hits, misses, switches, fallbacks;
};

struct place *place_create(const struct place_options *options)
{
    struct place *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    uint64_t capacity = options->capacity_bytes,
             seed = place_mix(options->seed + 1);
    p->options = *options;
    p->deciding = PLACE_S3FIFO;
    place_cache_init(&p->cache, capacity, NULL, NULL,
                     &place_experts[PLACE_S3FIFO]);
    p->cache.evicted = options->evicted;
    p->cache.owner = options->owner;
    if (options->learning &&
        (place_shadow_init(&p->shadow, capacity, seed, NULL) != 0 ||
         place_shadow_init(&p->scout, capacity / SCOUT_SMALLER + 1, seed,
                           NULL) != 0))
        place_destroy(&p);
    return p;
}

void place_destroy(struct place **place)
{
    struct place *p = *place;
    if (!p)
        return;
    place_shadow_fini(&p->shadow);
    place_shadow_fini(&p->scout);
    free(p->traits);
    free(p->links);
    free(p);
    *place = NULL;
}

/* State for all numbers up to this one. */
static int grow(struct place *p, uint32_t object)
{
    size_t room = p->room > 0 ? p->room : 1024;
    while (room <= object)
        room *= 2;
    struct place_trait *traits = realloc(p->traits, room * sizeof *traits);
    if (traits)
        p->traits = traits;
    struct place_link *links = realloc(p->links, room * sizeof *links);
    if (links)
        p->links = links;
    p->cache.traits = p->traits;
    p->cache.links = p->links;
    place_shadow_traits(&p->shadow, p->traits);
    place_shadow_traits(&p->scout, p->traits);
    if (!traits || !links)
        return error_set(WARP_ENOMEM, "no memory for the placement of %zu "
                         "objects", room);
    memset(traits + p->room, 0, (room - p->room) * sizeof *traits);
    for (size_t o = p->room; o < room; o++)
        place_link_init(&links[o]);
    p->room = (uint32_t)room;
    return 0;
}

static void decide_by(struct place *p, enum place_expert_id expert)
{
    p->deciding = expert;
    p->switches++;
    place_cache_adopt(&p->cache, &place_experts[expert]);
}

/* What the shadows learn of a request. */
static void learn(struct place *p, uint32_t object)
{
    if (p->scout.map) {
        if (place_shadow_takes(&p->scout, object))
            place_shadow_access(&p->scout, object, p->now);
        p->shadow.best = p->scout.best;
        if (place_shadow_is_full(&p->shadow))
            place_shadow_fini(&p->scout);
    }
    if (place_shadow_takes(&p->shadow, object))
        place_shadow_access(&p->shadow, object, p->now);
    if (p->shadow.best != p->deciding)
        decide_by(p, p->shadow.best);
}

int place_access(struct place *p, const struct place_request *request)
{
    uint32_t object = request->object;
    if (object >= p->room) {
        int rc = object < PLACE_NONE
                     ? grow(p, object)
                     : error_set(WARP_EINVAL, "object %u: numbers end at %u",
                                 object, PLACE_NONE - 1);
        if (rc != 0)
            return rc;
    }
    struct place_trait *trait = &p->traits[object];
    if (trait->bytes == 0)
        trait->bytes = request->bytes;
    bool hit = place_cache_access(&p->cache, object, p->now);
    if (p->options.learning)
        learn(p, object);
    trait->seen = 1;
    trait->count = (uint8_t)(trait->count + (trait->count < UINT8_MAX));
    trait->last = p->now++;
    p->hits += hit;
    p->misses += !hit;
    return hit;
}

bool place_holds(const struct place *p, uint32_t object)
{
    return object < p->room && place_is_resident(&p->cache, object);
}

void place_drop(struct place *p, uint32_t object)
{
    if (object >= p->room)
        return;
    place_shadow_drop(&p->shadow, object);
    place_shadow_drop(&p->scout, object);
    place_remove(&p->cache, object);
    p->traits[object] = (struct place_trait){0};
}

void place_fall_back(struct place *p)
{
    p->fallbacks++;
    if (p->options.learning)
        place_shadow_distrust(&p->shadow);
    if (p->deciding != PLACE_S3FIFO)
        decide_by(p, PLACE_S3FIFO);
}

void place_stat(const struct place *p, struct place_stat *stat)
{
    *stat = (struct place_stat){
        .expert = p->cache.expert->name,
        .hits = p->hits,
        .misses = p->misses,
        .admissions = p->cache.admissions,
        .evictions = p->cache.evictions,
        .switches = p->switches,
        .fallbacks = p->fallbacks,
        .state_bytes = sizeof *p +
                       p->room * (sizeof *p->traits + sizeof *p->links) +
                       place_shadow_bytes(&p->shadow) +
                       place_shadow_bytes(&p->scout)};
}
