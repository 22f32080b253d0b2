/* convert.h: stored values of one type as values of a later type. */
#ifndef WARP_CONVERT_H
#define WARP_CONVERT_H

#include <stddef.h>
#include <stdint.h>

#include "descriptor.h"

/* Grows as it is needed; used again for the next value. */
struct convert {
    uint8_t *bytes;
    size_t used, room;
};

/* The wire form of a field's value by `old` as that of `new`, in
 * convert->bytes. Members are matched by name and `was:`; new ones get their
 * default or zero. 0; WARP_ERANGE: the new type cannot hold the value;
 * WARP_ECORRUPT; WARP_ENOMEM. No text is set. */
int convert_value(struct convert *convert, const struct descriptor_type *old,
                  const struct descriptor_type *new, const uint8_t *from,
                  size_t bytes);
void convert_free(struct convert *convert);

#endif
