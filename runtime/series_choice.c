/* series_choice.c: see series_choice.h. */
#include "series_choice.h"

#include "os.h"
#include "place.h"
#include "place_cache.h"
#include "place_map.h"

#include <stdlib.h>

struct choice {
    struct budget *budget;
    struct place *place;
    struct place_map map;
    uint64_t charged;
    void (*leave)(void *owner, uint64_t hash);
    void *owner;
};

/* The engine has let go of one. */
static void let_go(void *owner, uint32_t number)
{
    struct choice *c = owner;
    c->leave(c->owner, c->map.entries[number].hash);
}

static void charge(struct choice *c)
{
    struct place_stat stat;
    place_stat(c->place, &stat);
    uint64_t bytes = stat.state_bytes + place_map_bytes(&c->map);
    atomic_fetch_add_explicit(&c->budget->used, bytes - c->charged,
                              memory_order_relaxed);
    c->charged = bytes;
}

struct choice *choice_create(struct budget *budget, uint64_t capacity_bytes,
                             bool learning,
                             void (*leave)(void *owner, uint64_t hash),
                             void *owner)
{
    struct choice *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    uint32_t sample = place_sample(capacity_bytes);
    struct place_options o = {.capacity_bytes = capacity_bytes,
                              .learning = learning && sample > 0,
                              .sample = sample,
                              .now_ns = os_mono_ns,
                              .evicted = let_go,
                              .owner = c};
    c->budget = budget;
    c->leave = leave;
    c->owner = owner;
    place_map_init(&c->map);
    c->place = place_create(&o);
    if (!c->place) {
        free(c);
        return NULL;
    }
    charge(c);
    return c;
}

void choice_destroy(struct choice **choice)
{
    struct choice *c = *choice;
    if (!c)
        return;
    *choice = NULL;
    budget_give(c->budget, c->charged);
    place_destroy(&c->place);
    place_map_fini(&c->map);
    free(c);
}

void choice_use(struct choice *c, uint64_t hash, uint32_t bytes, int prior)
{
    bool is_new;
    uint32_t number = place_map_number(&c->map, c->place, hash, &is_new);
    if (number == PLACE_NONE)
        return;
    struct place_request request = {.object = number, .bytes = bytes,
                                    .key = hash};
    if (place_access(c->place, &request) >= 0 && is_new &&
        prior != 0)
        place_prior(c->place, number, prior);
    charge(c);
}

void choice_size(struct choice *c, uint64_t hash, uint32_t bytes, int prior)
{
    uint32_t number = place_map_find(&c->map, hash);
    if (number == PLACE_NONE || !place_holds(c->place, number))
        choice_use(c, hash, bytes, prior);
    else
        place_size(c->place, number, bytes);
}

bool choice_has(const struct choice *c, uint64_t hash)
{
    uint32_t number = place_map_find(&c->map, hash);
    return number != PLACE_NONE && place_holds(c->place, number);
}

void choice_left(struct choice *c, uint64_t hash)
{
    uint32_t number = place_map_find(&c->map, hash);
    if (number != PLACE_NONE)
        place_leave(c->place, number);
}

void choice_resize(struct choice *c, uint64_t capacity_bytes)
{
    place_resize(c->place, capacity_bytes > 0 ? capacity_bytes : 1);
}

uint64_t choice_used(const struct choice *c)
{
    struct place_stat stat;
    place_stat(c->place, &stat);
    return stat.used_bytes;
}

uint64_t choice_capacity(const struct choice *c)
{
    struct place_stat stat;
    place_stat(c->place, &stat);
    return stat.capacity_bytes;
}

void choice_audit(struct choice *c, bool (*gone)(void *owner, uint64_t hash),
                  void *owner)
{
    for (uint32_t n = 0; n < c->map.count; n++)
        if (place_map_has(&c->map, n) && place_holds(c->place, n) &&
            gone(owner, c->map.entries[n].hash))
            place_leave(c->place, n);
}
