/* weight.h: what the numbers of a record say to whoever decides its place: the
 * fields with a numeric `physics:` role, as they lie in its row or column.
 *
 * A value that is not there, not finite, or outside the row counts as none. */
#ifndef WARP_WEIGHT_H
#define WARP_WEIGHT_H

#include "shard.h"

enum { WEIGHT_PASSES_MAX = 7 };

/* A number in C form; NaN where the type is none. */
double weight_number(const struct warp_type *type, const void *at);

/* The number of the field with this role, or `otherwise`. Under the lock, or
 * between record_read_begin and record_read_ok. */
double weight_of(const struct shard *shard, const struct layout *l,
                 const struct record *r, enum warp_physics role,
                 double otherwise);

/* gravitational_mass: how often a record that the engine has let go of stays
 * all the same, after its last use. With a mass of 1 once; each doubling adds
 * one, up to WEIGHT_PASSES_MAX; half of 1 or less: never. */
uint32_t weight_passes(const struct shard *shard, const struct layout *l,
                       const struct record *r);

#endif
