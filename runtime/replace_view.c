/* replace_view.c: what the engines of a store know, for people. */
#include "replace_part.h"

bool replace_stat(struct warp_db *db, const struct layout *l,
                  struct replace_stat *out)
{
    const uint64_t hash = 0; /* of A/B: the first strategy's engine */
    struct replace *p = db->replace;
    struct place_stat stat;
    *out = (struct replace_stat){0};
    if (!p || !l->movable)
        return false;
    os_lock(&p->lock);
    replace_learn(p);
    const struct replace_domain *d = replace_domain_of(p, l, hash);
    bool there = d->place != NULL;
    if (there) {
        place_stat(d->place, &stat);
        *out = (struct replace_stat){
            .expert = stat.expert,
            .hits = stat.hits,
            .misses = stat.misses,
            .admissions = stat.admissions,
            .evictions = stat.evictions,
            .switches = stat.switches,
            .fallbacks = stat.fallbacks,
            .lost = atomic_load(&p->lost),
            .capacity_bytes = stat.capacity_bytes,
            .used_bytes = stat.used_bytes,
            .state_bytes = stat.state_bytes + place_map_bytes(&d->map),
            .objects = d->map.used,
            .product_hits = p->counts[l->number].hits,
            .product_misses = p->counts[l->number].misses,
            .hit_ns = p->counts[l->number].hit_ns,
            .miss_ns = p->counts[l->number].miss_ns,
            .place = stat};
        memcpy(out->from_ns, p->counts[l->number].from_ns,
               sizeof out->from_ns);
    }
    os_unlock(&p->lock);
    return there;
}

bool replace_view(struct warp_db *db, const struct layout *l, uint64_t hash,
                  struct replace_view *view)
{
    struct replace *p = db->replace;
    *view = (struct replace_view){.known = false};
    if (!p || !l->movable)
        return false;
    os_lock(&p->lock);
    replace_learn(p);
    const struct replace_domain *d = replace_domain_of(p, l, hash);
    uint32_t n = d->place ? place_map_find(&d->map, hash) : PLACE_NONE;
    if (n != PLACE_NONE) {
        view->known = true;
        place_view(d->place, n, &view->place);
        view->hits = d->map.entries[n].hits;
        view->moved_ms_ago =
            UINT64_C(100) *
            ((p->now_ds - d->map.entries[n].moved) & REPLACE_AGES);
    }
    bool there = d->place != NULL;
    os_unlock(&p->lock);
    return there;
}

static void count_one(const struct replace_domain *d, uint32_t number,
                      struct replace_heat heat[REPLACE_HEATS])
{
    struct place_view v;
    place_view(d->place, number, &v);
    if (v.uses == 0)
        return;
    unsigned k = 31u - (unsigned)__builtin_clz(v.uses);
    struct replace_heat *h = &heat[k < REPLACE_HEATS ? k : REPLACE_HEATS - 1];
    h->objects++;
    h->bytes += v.bytes;
    h->in_memory += v.resident;
    h->memory_bytes += v.resident ? v.bytes : 0;
}

void replace_heat(struct warp_db *db, const struct layout *l,
                  struct replace_heat heat[REPLACE_HEATS])
{
    enum { STEP = 4096 };
    struct replace *p = db->replace;
    memset(heat, 0, REPLACE_HEATS * sizeof heat[0]);
    if (!p || !l->movable)
        return;
    bool more = true;
    for (uint32_t from = 0; more; from += STEP) {
        os_lock(&p->lock);
        more = false;
        for (uint32_t arm = 0; arm < (p->ab ? 2 : 1); arm++) {
            const struct replace_domain *d =
                &p->domains[l->domain + arm * p->domain_count / 2];
            for (uint32_t n = from;
                 d->place && n < d->map.count && n < from + STEP; n++)
                if (place_map_has(&d->map, n) &&
                    d->map.entries[n].product == l->number)
                    count_one(d, n, heat);
            more = more || from + STEP < d->map.count;
        }
        os_unlock(&p->lock);
    }
}
