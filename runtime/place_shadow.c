/* place_shadow.c: the sample, its memory, and the choice of an expert. */
#include "place_shadow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "place_model.h"

/* What was measured fades by half while this many times the objects that a
 * shadow holds are asked for. */
static const double half_life = 4;
/* Misses that a switch costs for each object that it has to bring in: some are
 * never asked for, and the gain goes on. */
static const double switch_price = 0.2;

enum { MAP_EMPTY = UINT32_MAX, SWEEP_MOST = 64 };

static uint32_t map_mask(const struct place_shadow *s)
{
    return 2 * s->room - 1;
}

static uint32_t map_home(const struct place_shadow *s, uint32_t object)
{
    return (uint32_t)place_mix(object + s->seed) & map_mask(s);
}

static uint32_t map_find(const struct place_shadow *s, uint32_t object)
{
    uint32_t at = map_home(s, object);
    while (s->map[at] != MAP_EMPTY && s->objects[s->map[at]] != object)
        at = (at + 1) & map_mask(s);
    return at;
}

/* Closes the hole by moving later entries of the run back. */
static void map_remove(struct place_shadow *s, uint32_t object)
{
    uint32_t hole = map_find(s, object), at = hole;
    for (;;) {
        at = (at + 1) & map_mask(s);
        if (s->map[at] == MAP_EMPTY)
            break;
        uint32_t home = map_home(s, s->objects[s->map[at]]);
        if (((at - home) & map_mask(s)) >=
            ((at - hole) & map_mask(s))) {
            s->map[hole] = s->map[at];
            hole = at;
        }
    }
    s->map[hole] = MAP_EMPTY;
}

/* The shadows, then the trials that run; NULL past them or where none runs. */
enum { CACHES = PLACE_EXPERTS + SEARCH_TRIALS };
static struct place_cache *cache_at(struct place_shadow *s, uint32_t k)
{
    if (k < PLACE_EXPERTS)
        return &s->caches[k];
    struct place_trial *t = s->search ? &s->search->trials[k - PLACE_EXPERTS]
                                      : NULL;
    return t && t->running ? &t->cache : NULL;
}

#define FOR_CACHES(c, s)                                                       \
    for (uint32_t k = 0; k < CACHES; k++)                                      \
        for (struct place_cache *c = cache_at(s, k); c; c = NULL)

int place_shadow_init(struct place_shadow *s, uint64_t capacity, uint32_t room,
                      uint64_t seed, const struct place_model *model)
{
    room = room ? room : SHADOW_ROOM;
    *s = (struct place_shadow){.capacity = capacity, .seed = seed,
                               .room = room,
                               .weight = 1, .free_head = PLACE_NONE,
                               .best = PLACE_S3FIFO};
    s->traits = malloc(room * sizeof *s->traits);
    s->objects = malloc(room * sizeof *s->objects);
    s->map = malloc(2 * room * sizeof *s->map);
    if (!s->traits || !s->objects || !s->map)
        goto out;
    memset(s->map, 0xff, 2 * room * sizeof *s->map);
    for (uint32_t e = 0; e < PLACE_EXPERTS; e++) {
        struct place_link *links = malloc(room * sizeof *links);
        if (!links)
            goto out;
        place_cache_init(&s->caches[e], capacity, links, s->traits,
                         &place_experts[e]);
        s->caches[e].model = model;
    }
    return 0;
out:
    place_shadow_fini(s);
    return -1;
}

int place_shadow_search(struct place_shadow *s)
{
    s->search = malloc(sizeof *s->search);
    return s->search ? place_search_init(s->search, s->room) : -1;
}

void place_shadow_fini(struct place_shadow *s)
{
    if (s->search)
        place_search_fini(s->search);
    free(s->search);
    for (uint32_t e = 0; e < PLACE_EXPERTS; e++)
        free(s->caches[e].links);
    free(s->traits);
    free(s->objects);
    free(s->map);
    *s = (struct place_shadow){0};
}

/* A free number has PLACE_NONE as its object; they are chained by what was the
 * tick of its last use. */
static void release(struct place_shadow *s, uint32_t at)
{
    map_remove(s, s->objects[at]);
    FOR_CACHES(cache, s)
        place_remove(cache, at);
    s->objects[at] = PLACE_NONE;
    s->traits[at].last = s->free_head;
    s->free_head = at;
}

static bool is_forgotten(struct place_shadow *s, uint32_t at)
{
    FOR_CACHES(cache, s)
        if (cache->links[at].list != PLACE_OUT)
            return false;
    return true;
}

void place_shadow_resize(struct place_shadow *s, uint64_t capacity)
{
    s->capacity = capacity;
    capacity >>= s->halvings;
    if (!s->map)
        return;
    FOR_CACHES(cache, s)
        place_cache_resize(cache, capacity > 0 ? capacity : 1);
}

static void halve(struct place_shadow *s)
{
    s->halvings++;
    uint64_t capacity = s->capacity >> s->halvings;
    FOR_CACHES(cache, s)
        cache->capacity = capacity > 0 ? capacity : 1;
    for (uint32_t at = 0; at < s->count; at++)
        if (s->objects[at] != PLACE_NONE &&
            !place_shadow_takes(s, s->objects[at]))
            release(s, at);
}

/* A number for an object that has none; PLACE_NONE when the sample was halved
 * and the object is no longer in it. */
static uint32_t take(struct place_shadow *s, uint32_t object)
{
    for (unsigned n = 0; s->free_head == PLACE_NONE && s->count > 0 &&
                         n < SWEEP_MOST; n++) {
        s->sweep = (s->sweep + 1) % s->count;
        if (is_forgotten(s, s->sweep))
            release(s, s->sweep);
    }
    uint32_t at = s->free_head;
    if (at == PLACE_NONE && s->count < s->room) {
        at = s->count++;
    } else {
        while (s->free_head == PLACE_NONE)
            halve(s);
        if (!place_shadow_takes(s, object))
            return PLACE_NONE;
        at = s->free_head;
        s->free_head = s->traits[at].last;
    }
    FOR_CACHES(cache, s)
        place_link_init(&cache->links[at]);
    s->map[map_find(s, object)] = at;
    s->objects[at] = object;
    return at;
}

/* What a hit saves, of all requests. */
static double usual(const struct place_shadow *s)
{
    return s->saves / s->all;
}

/* Better by more than one in a hundred, and by more than chance gives: of n
 * requests that tell two experts apart, about sqrt(n) may be luck. */
static bool is_better(const struct place_shadow *s, uint32_t e)
{
    double gain = s->misses[s->best] - s->misses[e], w = s->weight;
    return gain > 0.01 * s->misses[s->best] &&
           gain > 2 * sqrt(s->differs[e] * w) && gain > 8 * w * usual(s);
}

/* Objects that the better one holds and the one that decides does not: what a
 * switch costs in misses, about. */
static double cost(const struct place_shadow *s, uint32_t e)
{
    uint32_t missing = 0;
    for (uint32_t at = 0; at < s->count; at++)
        missing += s->objects[at] != PLACE_NONE &&
                   place_is_resident(&s->caches[e], at) &&
                   !place_is_resident(&s->caches[s->best], at);
    return missing;
}

static void choose(struct place_shadow *s)
{
    uint32_t best = s->best;
    double least = s->misses[best];
    for (uint32_t e = 0; e < PLACE_EXPERTS; e++) {
        if (!is_better(s, e))
            continue;
        double whole = s->misses[e] +
                       switch_price * cost(s, e) * s->weight * usual(s);
        if (whole < least) {
            least = whole;
            best = e;
        }
    }
    if (best == s->best)
        return;
    s->best = (enum place_expert_id)best;
    memset(s->differs, 0, sizeof s->differs);
}

/* That a shadow holds; where moves must pay, that it has room for. */
static uint32_t objects_of(const struct place_shadow *s)
{
    const struct place_cache *lru = &s->caches[PLACE_LRU];
    uint32_t held = lru->lists[PLACE_MAIN].count,
             room = lru->move_ns ? lru->model->horizon / MODEL_CAPACITIES >>
                                       s->halvings
                                 : 0;
    return held > room ? held : room;
}

void place_shadow_access(struct place_shadow *s, uint32_t object,
                         const struct place_trait *before, uint32_t now)
{
    uint32_t slot = map_find(s, object), at = s->map[slot];
    if (at == MAP_EMPTY)
        at = take(s, object);
    if (at == PLACE_NONE)
        return;
    if (s->traits[at].bytes != before->bytes)
        FOR_CACHES(cache, s)
            place_cache_size(cache, at, before->bytes);
    s->traits[at] = *before;
    double saves = exp2(before->saves / 8.0), costs[PLACE_EXPERTS];
    for (uint32_t e = 0; e < PLACE_EXPERTS; e++) {
        uint64_t came = s->caches[e].admissions;
        bool hit = place_cache_access(&s->caches[e], at, now);
        came = s->caches[e].admissions - came;
        costs[e] = (hit ? 0 : saves) + (double)came * s->caches[e].move_ns;
    }
    if (s->search)
        place_search_access(s->search, at, now, saves, costs);
    place_trait_touch(&s->traits[at], now);
    /* Before anything had to leave, and where nobody could know, all are
     * the same. */
    if ((!place_shadow_is_full(s) && !s->caches[0].move_ns) || !before->seen)
        return;
    for (uint32_t e = 0; e < PLACE_EXPERTS; e++) {
        double more = costs[e] - costs[s->best];
        s->misses[e] += s->weight * costs[e];
        s->differs[e] += s->weight * more * more;
    }
    s->saves += s->weight * saves;
    s->all += s->weight;
    uint32_t held = s->caches[PLACE_LRU].lists[PLACE_MAIN].count;
    s->weight *= exp2(1 / (half_life * (held + 64.0)));
    if (s->weight > 1e100) {
        for (uint32_t e = 0; e < PLACE_EXPERTS; e++) {
            s->misses[e] /= s->weight;
            s->differs[e] /= s->weight;
        }
        s->saves /= s->weight;
        s->all /= s->weight;
        s->weight = 1;
    }
    if (++s->requests % 64 != 0)
        return;
    choose(s);
    struct place_search_view view = {s->caches, s->best, objects_of(s),
                                     s->room, usual(s)};
    if (s->search && place_search_judge(s->search, &view))
        s->settings++;
}

void place_shadow_distrust(struct place_shadow *s)
{
    memset(s->misses, 0, sizeof s->misses);
    memset(s->differs, 0, sizeof s->differs);
    s->best = PLACE_S3FIFO;
    if (s->search)
        place_search_stop(s->search);
    for (uint32_t e = 0; e < PLACE_EXPERTS; e++)
        s->caches[e].setting = place_experts[e].setting;
    s->settings++;
}

void place_shadow_drop(struct place_shadow *s, uint32_t object)
{
    if (s->map && s->map[map_find(s, object)] != MAP_EMPTY)
        release(s, s->map[map_find(s, object)]);
}

uint64_t place_shadow_bytes(const struct place_shadow *s)
{
    if (!s->map)
        return 0;
    return s->room * (sizeof *s->objects + sizeof *s->traits +
                      (s->search ? CACHES : PLACE_EXPERTS) *
                          sizeof(struct place_link) +
                      2 * sizeof *s->map);
}
