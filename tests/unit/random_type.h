/* random_type.h: types built at run time as warpc lays them out, and random
 * values of them. Everything lives in the arena given. */
#ifndef RANDOM_TYPE_H
#define RANDOM_TYPE_H

#include <warp/gen.h>

struct random {
    uint64_t state;
    struct warp_arena *arena;
};

/* Evenly in [0, below). */
uint32_t random_below(struct random *r, uint32_t below);
const struct warp_type *random_scalar(struct random *r);
const struct warp_type *random_type(struct random *r, unsigned depth);
/* A valid value of the type; maps have unique keys in any order. */
void random_value(struct random *r, const struct warp_type *type, void *out);
/* The same value: maps in any order, floats by their bits. */
bool random_equal(const struct warp_type *type, const void *a, const void *b);
/* memcmp with the shorter first. */
int random_compare_bytes(const void *a, size_t a_bytes, const void *b,
                         size_t b_bytes);

#endif
