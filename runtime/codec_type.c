/* codec_type.c: what the codec's two directions ask about one type: enums,
 * variants, smallest sizes. The order of map keys is in codec_order.c. */
#include "codec_type.h"

bool type_unchecked(const struct warp_type *type)
{
    if (type->plain)
        return true;
    if (!type->wire_bytes)
        return false;
    if (type->kind == WARP_T_ARRAY)
        return type_unchecked(type->elem);
    if (type->kind != WARP_T_STRUCT)
        return false;
    for (uint32_t i = 0; i < type->count; i++)
        if (!type_unchecked(type->members[i].type))
            return false;
    return true;
}

size_t type_wire_bytes_min(const struct warp_type *type)
{
    if (type->wire_bytes)
        return type->wire_bytes;
    size_t bytes = 0;
    switch (type->kind) {
    case WARP_T_ARRAY:
        bytes = type->count * type_wire_bytes_min(type->elem);
        break;
    case WARP_T_STRUCT:
        for (uint32_t i = 0; i < type->count; i++)
            bytes += type->members[i].has_offset != UINT32_MAX
                         ? 1
                         : type_wire_bytes_min(type->members[i].type);
        break;
    default: /* a length, a count or a tag */
        bytes = sizeof(uint32_t);
        break;
    }
    return bytes ? bytes : 1;
}

int64_t type_enum_load(const struct warp_type *type, const void *c_form)
{
    if (type->size == sizeof(int64_t)) {
        int64_t value;
        memcpy(&value, c_form, sizeof value);
        return value;
    }
    int32_t value;
    memcpy(&value, c_form, sizeof value);
    return type->is_signed ? value : (int64_t)(uint32_t)value;
}

void type_enum_store(const struct warp_type *type, int64_t value, void *c_form)
{
    /* little-endian: the low bytes come first */
    memcpy(c_form, &value, type->size < sizeof value ? type->size
                                                     : sizeof value);
}

int64_t type_enum_from_wire(const struct warp_type *type, const uint8_t *from)
{
    uint64_t value = 0;
    memcpy(&value, from, type->width);
    if (!type->is_signed)
        return (int64_t)value;
    unsigned shift = 64 - 8u * type->width;
    return (int64_t)(value << shift) >> shift;
}

bool type_enum_known(const struct warp_type *type, int64_t value)
{
    if (value >= 0 && value < type->count && type->values[value].value == value)
        return true;
    for (uint32_t i = 0; i < type->count; i++)
        if (type->values[i].value == value)
            return true;
    return false;
}

const struct warp_member *type_variant(const struct warp_type *type,
                                       int64_t tag)
{
    if (tag >= 0 && tag < type->count && type->members[tag].tag == tag)
        return &type->members[tag];
    for (uint32_t i = 0; i < type->count; i++)
        if (type->members[i].tag == tag)
            return &type->members[i];
    return NULL;
}
