/* Private to the comparer: what its two files share. */
#ifndef WARP_DESCRIPTOR_COMPARE_H
#define WARP_DESCRIPTOR_COMPARE_H

#include "descriptor.h"

#include <stdarg.h>

/* Types hold each other as a graph, not a tree: without a limit a hostile
 * pair could be walked for ever. Past it a change counts as data-loss. */
#define COMPARE_STEPS_MAX 1000000u

struct compare {
    void (*each)(void *arg, const struct descriptor_change *change);
    void *arg;
    enum descriptor_class worst;
    uint32_t steps;                  /* left */
    struct descriptor_change change; /* of the place that is looked at */
};

void compare_say(struct compare *compare, enum descriptor_class class,
                 const char *help, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Says what differs between the types of the field that `change` names. */
void compare_types(struct compare *compare, const struct descriptor_type *old,
                   const struct descriptor_type *new);

#endif
