/* value.h: JSON to values of any type of a schema; the forms are those of
 * value_print.h. */
#ifndef WARP_TOOL_VALUE_H
#define WARP_TOOL_VALUE_H

#include <warp/gen.h>

#include "json.h"

/* What went wrong, and at which line. */
struct value_fault {
    char what[200];
    uint32_t line;
};
/* Into `out`, of type->size bytes, zeroed first; memory from the arena.
 * WARP_EINVAL with a fault, WARP_ENOMEM. */
int value_parse(const struct warp_type *type, const struct json *from,
                void *out, struct warp_arena *arena, struct value_fault *fault);

#endif
