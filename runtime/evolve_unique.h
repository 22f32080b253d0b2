/* evolve_unique.h: whether values of fields that become unique are. */
#ifndef WARP_EVOLVE_UNIQUE_H
#define WARP_EVOLVE_UNIQUE_H

#include "arena.h"
#include "layout.h"

struct evolve_value;
struct evolve_unique { /* zeroed: empty */
    struct evolve_value *values;
    size_t count, room;
    struct warp_arena arena;
};

/** The bytes are those of an index's entry; they are copied. */
int evolve_unique_add(struct evolve_unique *unique, uint32_t field,
                      const void *bytes, uint32_t count);
/** Errors  WARP_EEXIST  two are the same; the message names field and value. */
int evolve_unique_check(struct evolve_unique *unique,
                        const struct layout *layout);
void evolve_unique_free(struct evolve_unique *unique);

#endif
