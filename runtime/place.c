/* place.c: the engine: the tier's own cache, the traits, and who decides. */
#include "place.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "place_cache.h"
#include "place_model.h"
#include "place_shadow.h"

/* Until the tier is full all experts hold the same. Shadows of a tier this many
 * times smaller see evictions before, and say who decides first. */
enum { SCOUT_SMALLER = 4 };
/* Requests that wait for the shadows; numbers that are looked at for each, for
 * objects that are not used again. */
enum { PENDING = 64, SWEEP = 2 };

struct pending {
    uint32_t object, now;
    struct place_trait before;
};

struct place {
    struct place_options options;
    struct place_cache cache;
    struct place_trait *traits;
    struct place_link *links;
    uint32_t room; /* numbers that have state */
    uint32_t now;
    struct place_shadow shadow, scout; /* scout.map is NULL once it is full */
    enum place_expert_id deciding;
    struct place_model *model; /* NULL: no learning */
    uint32_t sweep, pending_count;
    struct pending pending[PENDING];
    uint64_t hits, misses, switches, fallbacks, unlearned;
    uint64_t settings; /* of the shadows, as far as they were followed */
    int64_t began_ns, searched_ns; /* by options.now_ns */
};

/* Shadows take about 170 bytes for each object of the sample until the tier is
 * full, 92 then: a thirty-second of the tier or a little more. Where those
 * would be too few to tell the experts apart, nothing is learned. */
uint32_t place_sample(uint64_t capacity)
{
    enum { LEAST = 256, MOST = 1 << 14, BYTES = 32 * 150 };
    uint32_t sample = LEAST;
    while (sample < MOST && (uint64_t)sample * 2 * BYTES <= capacity)
        sample *= 2;
    return (uint64_t)sample * BYTES <= capacity ? sample : 0;
}

struct place *place_create(const struct place_options *options)
{
    struct place *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    uint64_t capacity = options->capacity_bytes,
             seed = place_mix(options->seed + 1);
    p->options = *options;
    p->deciding = options->lru && !options->learning ? PLACE_LRU
                                                     : PLACE_S3FIFO;
    place_cache_init(&p->cache, capacity, NULL, NULL,
                     &place_experts[p->deciding]);
    p->cache.evicted = options->evicted;
    p->cache.owner = options->owner;
    if (options->now_ns)
        p->began_ns = options->now_ns();
    if (options->learning) {
        p->model = malloc(sizeof *p->model);
        if (p->model)
            place_model_init(p->model, seed);
        if (!p->model ||
            place_shadow_init(&p->shadow, capacity, options->sample, seed,
                              p->model) != 0 ||
            place_shadow_init(&p->scout, capacity / SCOUT_SMALLER + 1,
                              options->sample, seed, p->model) != 0 ||
            place_shadow_search(&p->shadow) != 0) {
            place_destroy(&p);
            return NULL;
        }
        p->cache.model = p->model;
        p->cache.move_ns = options->move_ns;
        for (uint32_t e = 0; e < PLACE_EXPERTS; e++)
            p->shadow.caches[e].move_ns = p->scout.caches[e].move_ns =
                options->move_ns;
    }
    return p;
}

void place_destroy(struct place **place)
{
    struct place *p = *place;
    if (!p)
        return;
    place_shadow_fini(&p->shadow);
    place_shadow_fini(&p->scout);
    free(p->model);
    free(p->traits);
    free(p->links);
    free(p);
    *place = NULL;
}

/* State for all numbers up to this one. */
static int grow(struct place *p, uint32_t object)
{
    /* An eighth more: a store has millions, and what is spare is state too. */
    size_t room = p->room + p->room / 8 + 1024;
    if (room <= object)
        room = (size_t)object + 1;
    struct place_trait *traits = realloc(p->traits, room * sizeof *traits);
    if (traits)
        p->traits = traits;
    struct place_link *links = realloc(p->links, room * sizeof *links);
    if (links)
        p->links = links;
    p->cache.traits = p->traits;
    p->cache.links = p->links;
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
    place_cache_adopt(&p->cache, &place_experts[expert],
                      &p->shadow.caches[expert]);
}

/* What the shadows learn of a request. */
static void shadow(struct place *p, const struct pending *r)
{
    if (p->scout.map) {
        if (place_shadow_takes(&p->scout, r->object))
            place_shadow_access(&p->scout, r->object, &r->before, r->now);
        p->shadow.best = p->scout.best;
        if (place_shadow_is_full(&p->shadow))
            place_shadow_fini(&p->scout);
    }
    if (place_shadow_takes(&p->shadow, r->object))
        place_shadow_access(&p->shadow, r->object, &r->before, r->now);
}

/* What the model learns of it, and of objects that it does not see again. */
static void teach(struct place *p, const struct pending *r)
{
    if (r->before.seen && !r->before.sampled)
        place_model_train(p->model, &r->before, r->now - r->before.last);
    for (unsigned i = 0; i < SWEEP; i++) {
        p->sweep = p->sweep + 1 < p->room ? p->sweep + 1 : 0;
        struct place_trait *t = &p->traits[p->sweep];
        uint32_t age = r->now - t->last;
        if (!t->seen || t->sampled || age <= p->model->horizon ||
            age > UINT32_MAX / 2 ||
            !place_shadow_takes(&p->shadow, p->sweep))
            continue;
        place_model_train(p->model, t, age);
        t->sampled = 1;
    }
}

/* That the tier has; where moves must pay, that it has room for. */
static uint32_t objects_of(const struct place *p)
{
    uint32_t held = p->cache.lists[PLACE_NEW].count +
                    p->cache.lists[PLACE_MAIN].count;
    uint64_t bytes = 1;
    for (uint32_t i = 0; i < p->pending_count; i++)
        bytes += p->pending[i].before.bytes;
    uint64_t room = p->cache.capacity * p->pending_count / bytes;
    return !p->cache.move_ns || room <= held ? held
           : room < UINT32_MAX               ? (uint32_t)room
                                             : UINT32_MAX;
}

/* Each cache that learns takes as long as the others, about. */
static void spend(struct place *p, int64_t from_ns)
{
    enum { SHARE = 50 };
    int64_t now = p->options.now_ns();
    unsigned running = place_search_running(p->shadow.search);
    p->searched_ns += (now - from_ns) * running / (PLACE_EXPERTS + running);
    p->shadow.search->resting = p->searched_ns * SHARE > now - p->began_ns;
}

void place_catch_up(struct place *p)
{
    if (!p->model || p->pending_count == 0)
        return;
    int64_t from_ns = p->options.now_ns ? p->options.now_ns() : 0;
    place_model_horizon(p->model, objects_of(p));
    if (p->cache.move_ns)
        p->model->stay = place_price_stay(&p->cache);
    for (uint32_t i = 0; i < p->pending_count; i++) {
        teach(p, &p->pending[i]);
        shadow(p, &p->pending[i]);
    }
    p->pending_count = 0;
    if (p->options.now_ns)
        spend(p, from_ns);
    if (p->model->broken) {
        place_model_init(p->model, p->model->random);
        place_fall_back(p);
    }
    if (p->shadow.best != p->deciding)
        decide_by(p, p->shadow.best);
    else if (p->settings != p->shadow.settings)
        p->cache.setting = p->shadow.caches[p->deciding].setting;
    p->settings = p->shadow.settings;
}

/* The experts have what the pinned ones leave. */
static void follow(struct place *p)
{
    uint64_t whole = p->options.capacity_bytes,
             pinned = p->cache.lists[PLACE_PINNED].bytes,
             capacity = whole > pinned ? whole - pinned : 1;
    if (capacity != p->cache.capacity || p->cache.used > capacity)
        place_cache_resize(&p->cache, capacity);
}

/* Of a pinned one's uses: S3-FIFO counts to 3. */
enum { WAS_PROVEN = 8, IS_SELDOM = 4 };

void place_prior(struct place *p, uint32_t object, int often)
{
    if (object >= p->room)
        return;
    struct place_link *link = &p->links[object];
    if (link->list == PLACE_PINNED)
        link->uses = (link->uses | (often > 0 ? WAS_PROVEN : IS_SELDOM)) & 15;
    else if (link->list == PLACE_NEW)
        (often > 0 ? place_push : place_push_tail)(
            &p->cache, often > 0 ? PLACE_MAIN : PLACE_NEW, object);
}

static bool access_pinned(struct place *p, uint32_t object)
{
    struct place_link *link = &p->links[object];
    bool hit = place_is_resident(&p->cache, object) ||
               link->list == PLACE_PINNED;
    if (link->list == PLACE_PINNED)
        return true;
    bool proven = link->list == PLACE_MAIN;
    place_push(&p->cache, PLACE_PINNED, object);
    link->uses = (link->uses & 3u) | (proven ? WAS_PROVEN : 0);
    return hit;
}

bool place_unpin(struct place *p, uint32_t object)
{
    if (object >= p->room || p->links[object].list != PLACE_PINNED)
        return false;
    struct place_link *link = &p->links[object];
    uint32_t bytes = p->traits[object].bytes;
    bool proven = link->uses & WAS_PROVEN, seldom = link->uses & IS_SELDOM;
    link->uses &= 3u;
    place_remove(&p->cache, object);
    follow(p);
    if (bytes > p->cache.capacity) {
        place_evict(&p->cache, object, PLACE_OUT);
    } else if (proven) {
        while (!place_fits(&p->cache, bytes))
            p->cache.expert->evict(&p->cache);
        place_push(&p->cache, PLACE_MAIN, object);
    } else {
        p->cache.expert->admit(&p->cache, object);
        if (seldom)
            place_prior(p, object, -1);
    }
    return true;
}

static void set_size(struct place *p, uint32_t object, uint32_t bytes)
{
    struct place_trait *trait = &p->traits[object];
    if (trait->bytes == bytes)
        return;
    place_cache_size(&p->cache, object, bytes);
    trait->bytes = bytes;
}

void place_size(struct place *p, uint32_t object, uint32_t bytes)
{
    if (object >= p->room)
        return;
    set_size(p, object, bytes);
    follow(p);
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
    set_size(p, object, request->bytes ? request->bytes : trait->bytes);
    if (request->saves_ns)
        trait->saves = place_log(request->saves_ns);
    p->cache.now = p->now;
    bool hit = request->pinned || p->links[object].list == PLACE_PINNED
                   ? access_pinned(p, object)
                   : place_cache_access(&p->cache, object, p->now);
    follow(p); /* it was pinned, or has grown */
    if (p->model && place_shadow_takes(&p->shadow, object)) {
        if (p->pending_count < PENDING)
            p->pending[p->pending_count++] =
                (struct pending){object, p->now, *trait};
        else
            p->unlearned++;
        if (p->pending_count == PENDING && !p->options.deferred)
            place_catch_up(p);
    }
    place_trait_touch(trait, p->now++);
    p->hits += hit;
    p->misses += !hit;
    return hit;
}

bool place_holds(const struct place *p, uint32_t object)
{
    return object < p->room && (place_is_resident(&p->cache, object) ||
                                p->links[object].list == PLACE_PINNED);
}

void place_drop(struct place *p, uint32_t object)
{
    if (object >= p->room)
        return;
    place_shadow_drop(&p->shadow, object);
    place_shadow_drop(&p->scout, object);
    place_remove(&p->cache, object);
    p->traits[object] = (struct place_trait){0};
    follow(p);
}

bool place_let_go(struct place *p, uint32_t object)
{
    if (object >= p->room || !place_is_resident(&p->cache, object))
        return false;
    place_evict(&p->cache, object, PLACE_OUT);
    return true;
}

bool place_take_back(struct place *p, uint32_t object)
{
    if (object >= p->room || place_holds(p, object) ||
        p->traits[object].bytes > p->cache.capacity)
        return false;
    p->cache.expert->admit(&p->cache, object);
    return true;
}

void place_leave(struct place *p, uint32_t object)
{
    if (place_holds(p, object))
        place_remove(&p->cache, object);
    follow(p);
}

void place_resize(struct place *p, uint64_t capacity)
{
    p->options.capacity_bytes = capacity;
    follow(p);
    if (!p->model)
        return;
    place_shadow_resize(&p->shadow, capacity);
    place_shadow_resize(&p->scout, capacity / SCOUT_SMALLER + 1);
}

uint32_t place_age(const struct place *p, uint32_t object)
{
    return object < p->room ? p->now - p->traits[object].last : 0;
}

/* The middle of what place_log gives the same. */
static uint32_t unlog(uint8_t log)
{
    return (uint32_t)(exp2((log + 0.5) / 8) - 1);
}

void place_view(const struct place *p, uint32_t object, struct place_view *v)
{
    *v = (struct place_view){.resident = place_holds(p, object)};
    if (object >= p->room || !p->traits[object].seen)
        return;
    const struct place_trait *t = &p->traits[object];
    v->proven = p->links[object].list == PLACE_MAIN;
    v->bytes = t->bytes;
    v->uses = t->count;
    v->age = p->now - t->last;
    v->saves = exp2(t->saves / 8.0);
    v->gap = t->gap[0] ? unlog(t->gap[0]) : 0;
    if (p->model)
        v->wait = exp2(place_model_wait(p->model, t, v->age));
}

void place_fall_back(struct place *p)
{
    p->fallbacks++;
    if (p->options.learning)
        place_shadow_distrust(&p->shadow);
    if (p->deciding != PLACE_S3FIFO)
        decide_by(p, PLACE_S3FIFO);
}

static void stat_settings(const struct place *p, struct place_stat *stat)
{
    const struct place_search *search = p->shadow.search;
    stat->window = p->cache.setting.window;
    stat->proves = p->cache.setting.proves;
    stat->strict = p->cache.setting.strict;
    if (!search)
        return;
    stat->trials = search->tried;
    stat->settings = search->adopted;
    if (search->adopted == 0)
        return;
    stat->set_expert = place_experts[search->last].name;
    stat->set_gain = search->last_gain;
}

void place_stat(const struct place *p, struct place_stat *stat)
{
    *stat = (struct place_stat){
        .expert = p->cache.expert->name,
        .capacity_bytes = p->options.capacity_bytes,
        .used_bytes = p->cache.used + p->cache.lists[PLACE_PINNED].bytes,
        .pinned_bytes = p->cache.lists[PLACE_PINNED].bytes,
        .residents = p->cache.lists[PLACE_NEW].count +
                     p->cache.lists[PLACE_MAIN].count +
                     p->cache.lists[PLACE_PINNED].count,
        .hits = p->hits,
        .misses = p->misses,
        .admissions = p->cache.admissions,
        .evictions = p->cache.evictions,
        .switches = p->switches,
        .fallbacks = p->fallbacks,
        .unlearned = p->unlearned,
        .state_bytes = sizeof *p +
                       p->room * (sizeof *p->traits + sizeof *p->links) +
                       place_shadow_bytes(&p->shadow) +
                       place_shadow_bytes(&p->scout) +
                       (p->model ? sizeof *p->model : 0)};
    stat_settings(p, stat);
}
