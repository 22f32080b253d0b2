/* value_print.h: values of any type of a schema as JSON.
 *
 * Integers, timestamps and durations (ms): exact numbers. Floats: the shortest
 * digits that read back the same; "NaN", "Infinity", "-Infinity". bytes,
 * bytes<N> and opaque: base64. uuid: its text. Enums by name, an unknown one by
 * number. Sums: {"tag": NAME, "value": {…}}. A map with text keys is an object,
 * any other a list of {"key", "value"}. An optional that is not there is null.
 * Dynamic values as JSON; a float always has a point or an exponent; bytes are
 * {"$bytes": base64} and {"$float": "NaN"}, a map that looks like that
 * {"$map": {…}}. */
#ifndef WARP_VALUE_PRINT_H
#define WARP_VALUE_PRINT_H

#include <warp/gen.h>

#include "text.h"

void value_print(struct text *to, const struct warp_type *type,
                 const void *value);
void value_base64(struct text *to, const void *bytes, size_t count);
/* key.c's bytes of a key: one value, or {"a":…,"b":…} of a composite one. */
void value_print_key(struct text *to, const struct warp_product *product,
                     const uint8_t *key, size_t bytes);

#endif
