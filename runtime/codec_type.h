/* codec_type.h: what the codec's two directions ask about one type. */
#ifndef WARP_CODEC_TYPE_H
#define WARP_CODEC_TYPE_H

#include <string.h>

#include <warp/gen.h>

/* Lists and maps inside one another, by the schema's own types; a recursive
 * schema type needs the bound, dynamic values have CODEC_DEPTH_MAX. */
#define CODEC_NESTING_MAX 64

/* Every value of the type has the same wire size and no value is refused, so
 * its bytes need no look. */
bool type_unchecked(const struct warp_type *type);
/* The fewest bytes that a value takes on the wire; at least 1, so that a count
 * of elements is bounded by the bytes that are left. */
size_t type_wire_bytes_min(const struct warp_type *type);

/* An enum between its C form, its value and its wire form. */
int64_t type_enum_load(const struct warp_type *type, const void *c_form);
void type_enum_store(const struct warp_type *type, int64_t value, void *c_form);
int64_t type_enum_from_wire(const struct warp_type *type, const uint8_t *from);
bool type_enum_known(const struct warp_type *type, int64_t value);

/* The variant with a tag, or NULL. The tag is the sum's first member in C. */
const struct warp_member *type_variant(const struct warp_type *type,
                                       int64_t tag);

/* ---- the order of a map's keys ----
 * By value: numbers as numbers (-0 is 0), text and bytes by their bytes.
 * `type` NULL is the key of a dynamic map, a struct warp_str. The pointers need
 * no alignment. */
bool type_orders(const struct warp_type *type); /* can be a map's key */
bool type_is_nan(const struct warp_type *type, const void *key);
int type_compare(const struct warp_type *type, const void *a, const void *b);

/* The C form of a key that lies on the wire, checked before: in place where the
 * bytes are the same, else in `scratch`. */
union type_key {
    struct warp_str text;
    int64_t value;
};
const void *type_key_from_wire(const struct warp_type *type,
                               const uint8_t *from, size_t bytes,
                               union type_key *scratch);

/* ---- a map's entries in the order of their keys ----
 * Entries that are in order already are walked where they are. Otherwise their
 * numbers are sorted; where memory is out, each step looks for the next key
 * (slow, but an encode never fails). */
struct type_order {
    const struct warp_type *key;
    const uint8_t *entries;
    size_t stride_bytes, key_offset;
    uint32_t count, at;
    uint32_t *numbers; /* NULL: in order already, or searched */
    bool searched;
    const uint8_t *last;
    uint32_t few[64];
};
/* key and stride from a map type, or those of struct warp_entry for NULL. */
void type_order_init(struct type_order *order, const struct warp_type *map,
                     const struct warp_list *list);
const void *type_order_next(struct type_order *order); /* NULL at the end */
void type_order_fini(struct type_order *order);
/* After type_order_init: two keys are the same. */
bool type_order_has_equal(const struct type_order *order);

static inline bool type_is_text(const struct warp_type *type)
{
    return type->kind == WARP_T_STRING || type->kind == WARP_T_BYTES ||
           type->kind == WARP_T_OPAQUE;
}

/* Is a bool's byte set, without reading it as bool: other values than 0 and 1
 * must be seen. */
static inline uint8_t type_flag(const void *flag)
{
    uint8_t byte;
    memcpy(&byte, flag, 1);
    return byte;
}

#endif
