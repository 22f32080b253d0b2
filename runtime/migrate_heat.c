/* migrate_heat.c: how warm a record is in the window of a pass: what counts
 * uses, and what the fields of the record with a role in that add.
 *
 * temporal_weight T: what a record had is carried into the next window, times
 * 2^(-1/T): its half-life is T windows. temperature: so many uses beside the
 * real ones, in each window. */
#include "migrate_part.h"

#include "weight.h"

#include <math.h>

/* Uses of the window that has ended, and what is left of those before. */
static double count(struct window *w, uint32_t slot)
{
    double n = atomic_load_explicit(&w->past[slot], memory_order_relaxed);
    if (w->carried)
        n += atomic_load_explicit(&w->carried[slot], memory_order_relaxed) +
             atomic_load_explicit(&w->parts[slot], memory_order_relaxed) /
                 256.0;
    return n;
}

bool migrate_used(struct migrate *m, uint64_t hash,
                  const struct migrate_roles *roles)
{
    struct migrate_product *p = &m->products[m->product];
    struct window *w = &p->windows[m->pass];
    uint32_t slot = heat_slot(hash);
    double uses = count(w, slot);
    bool used = uses + roles->temperature >= p->heat.least[m->pass];
    if (w->carried) {
        /* Of what moves on nothing: no pass looks at it while it is away. */
        double left = used && roles->half_life > 0
                          ? uses * exp2(-1 / roles->half_life)
                          : 0;
        /* Whole uses alone would wear a few away in as many windows. */
        uint32_t kept = left < HEAT_MOST ? (uint32_t)(left * 256)
                                         : HEAT_MOST * 256;
        atomic_store_explicit(&w->carried[slot], (uint8_t)(kept >> 8),
                              memory_order_relaxed);
        atomic_store_explicit(&w->parts[slot], (uint8_t)kept,
                              memory_order_relaxed);
    }
    return used;
}

struct migrate_roles migrate_roles(const struct shard *s,
                                   const struct layout *l,
                                   const struct record *r)
{
    struct migrate_roles roles = {
        weight_of(s, l, r, WARP_PHYSICS_TEMPORAL_WEIGHT, 0),
        weight_of(s, l, r, WARP_PHYSICS_TEMPERATURE, 0)};
    return roles;
}

/* A row of an earlier form says nothing until it has been written anew. */
struct migrate_roles migrate_row_roles(const struct layout *l,
                                       struct ssd_slice value,
                                       const struct row_view *view)
{
    struct migrate_roles roles = {0, 0};
    uint8_t half = l->role[WARP_PHYSICS_TEMPORAL_WEIGHT];
    uint8_t heat = l->role[WARP_PHYSICS_TEMPERATURE];
    const uint8_t *at = view->values;
    if ((half == LAYOUT_NO_ROLE && heat == LAYOUT_NO_ROLE) ||
        row_is_past(l, value))
        return roles;
    FOR_BITS(i, view->have & l->durable)
    {
        struct op_value v;
        uint32_t raw;
        row_next(l, (uint32_t)i, &at, &v, &raw);
        if ((i != half && i != heat) || l->fields[i].form < SLOT_1 ||
            l->fields[i].form > SLOT_8)
            continue;
        double number = weight_number(l->desc->fields[i].type, v.data);
        if (isfinite(number))
            *(i == half ? &roles.half_life : &roles.temperature) = number;
    }
    return roles;
}
