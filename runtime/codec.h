/* codec.h: values between their C form and their wire form, by type.
 *
 * The wire form is little-endian and packed: scalars as they are; bool one byte
 * 0 or 1; enum `width` bytes; string, bytes, opaque: u32 length and bytes;
 * fixed bytes, uuid, arrays: the elements; list: u32 count and elements; map:
 * u32 count and {key, value}, sorted by key, keys unique; struct: members in
 * order, an optional one behind a byte 0 or 1 (absent: nothing follows, so a
 * struct with an optional member has no fixed size); sum: u32 tag and the
 * variant's struct; a dynamic value: u8 kind and its payload (int i64, float
 * f64, list and map u32 count). At the top of a field, string, bytes and opaque
 * are the bare bytes: their length stands in the caller's frame. */
#ifndef WARP_CODEC_H
#define WARP_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include <warp/gen.h>

#define CODEC_VALUE_BYTES_MAX (64u << 20) /* of one field's value */
#define CODEC_DEPTH_MAX       64          /* of dynamic values */

/* Checks a value (UTF-8, maxima, enum values, sortable unique map keys, NULL
 * data with a length, non-0/1 bools) and gives its wire size. 0, WARP_EINVAL
 * or WARP_ELIMIT with a sentence fragment in why (e.g. "is not valid UTF-8 at
 * byte 3"). */
int codec_size(const struct warp_type *type, const void *value, size_t *bytes,
               const char **why);
/* Writes exactly codec_size() bytes of a checked value; returns the end. Maps
 * are written sorted whatever the order in C. */
uint8_t *codec_encode(const struct warp_type *type, const void *value,
                      uint8_t *to);
/* Checks everything; what it allocates comes from the arena. WARP_ECORRUPT,
 * WARP_ENOMEM, or WARP_EINVAL when an arena is needed and is NULL. `out` has
 * the size of the C form. All `bytes` must be used. */
int codec_decode(const struct warp_type *type, const uint8_t *from,
                 size_t bytes, void *out, struct warp_arena *arena);
/* Walks wire bytes without decoding them: 0 or WARP_ECORRUPT. */
int codec_check(const struct warp_type *type, const uint8_t *from,
                size_t bytes);

/* ---- keys: order-preserving bytes ----
 * Unsigned big-endian; signed with the sign bit flipped; floats by the usual
 * total-order trick (NaN refused, -0 becomes 0); bool one byte; enum as its
 * integer; uuid and bytes<N> as they are; string and bytes: as they are when
 * last in the key, else escaped (00 -> 00 ff) and ended by 00 00. Comparing the
 * bytes compares the keys. */
#define KEY_BYTES_MAX 448

/* From the key's C form (see gen.h). *bytes gets the length. WARP_EINVAL or
 * WARP_ELIMIT with why. `to` has room for KEY_BYTES_MAX. */
int key_encode(const struct warp_product *product, const void *key,
               uint8_t *to, size_t *bytes, const char **why);
/* The bytes of each key of a product; 0: their lengths differ. */
uint32_t key_fixed_bytes(const struct warp_product *product);
/* From the key fields inside a record struct. */
int key_encode_record(const struct warp_product *product, const void *record,
                      uint8_t *to, size_t *bytes, const char **why);
/* Into the key's C form and/or into the key fields of a record (either may be
 * NULL). Strings come from the arena. */
int key_decode(const struct warp_product *product, const uint8_t *from,
               size_t bytes, void *key, void *record,
               struct warp_arena *arena);
/* One value of an indexable type, in the same order-preserving form; escaped
 * (self-delimiting) so that a key may follow. Long values (> 400 bytes) are
 * cut and followed by a hash, which keeps equality but not order. */
int key_encode_value(const struct warp_type *type, const void *value,
                     uint8_t *to, size_t *bytes, const char **why);

#endif
