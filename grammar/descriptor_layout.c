/* What follows from the types of a descriptor: the sizes and offsets of the C
 * forms that warpc writes, as a 64-bit machine lays them out, and whether a
 * value is one of a type. The generated code pins the same layouts by
 * _Static_assert. Types come in order: parts before what holds them. */
#include "descriptor.h"

static bool fits_tuple(const struct descriptor_value *value,
                       const struct descriptor_type *type);

bool descriptor_value_fits(const struct descriptor_value *v,
                           const struct descriptor_type *type)
{
    static const int64_t max[] = {INT8_MAX, INT16_MAX, INT32_MAX, INT64_MAX};
    unsigned kind = type->kind;
    switch (kind) {
    case DESCRIPTOR_BOOL:
        return v->kind == DESCRIPTOR_VALUE_INT && (v->i == 0 || v->i == 1);
    case DESCRIPTOR_U8:
    case DESCRIPTOR_U16:
    case DESCRIPTOR_U32:
    case DESCRIPTOR_U64:
        return v->kind == DESCRIPTOR_VALUE_UINT &&
               (kind == DESCRIPTOR_U64 ||
                v->u < UINT64_C(1) << (8u << (kind - DESCRIPTOR_U8)));
    case DESCRIPTOR_I8:
    case DESCRIPTOR_I16:
    case DESCRIPTOR_I32:
    case DESCRIPTOR_I64:
        return v->kind == DESCRIPTOR_VALUE_INT &&
               v->i <= max[kind - DESCRIPTOR_I8] &&
               v->i >= -max[kind - DESCRIPTOR_I8] - 1;
    case DESCRIPTOR_TIMESTAMP:
    case DESCRIPTOR_DURATION:
        return v->kind == DESCRIPTOR_VALUE_INT;
    case DESCRIPTOR_F32:
    case DESCRIPTOR_F64:
        return v->kind == DESCRIPTOR_VALUE_FLOAT;
    case DESCRIPTOR_ENUM:
        for (uint32_t i = 0; v->kind == DESCRIPTOR_VALUE_INT && i < type->count;
             i++)
            if (type->values[i].value == v->i)
                return true;
        return false;
    case DESCRIPTOR_UUID:
        return v->kind == DESCRIPTOR_VALUE_BYTES && v->count == 16;
    case DESCRIPTOR_FIXED_BYTES:
        return v->kind == DESCRIPTOR_VALUE_BYTES && v->count <= type->count;
    case DESCRIPTOR_STRING:
    case DESCRIPTOR_BYTES:
    case DESCRIPTOR_OPAQUE:
        return v->kind == DESCRIPTOR_VALUE_BYTES &&
               (type->count == 0 || v->count <= type->count);
    default:
        return fits_tuple(v, type);
    }
}

static bool fits_tuple(const struct descriptor_value *v,
                       const struct descriptor_type *type)
{
    if (v->kind != DESCRIPTOR_VALUE_TUPLE)
        return false;
    switch (type->kind) {
    case DESCRIPTOR_LIST:
        if (type->count != 0 && v->count > type->count)
            return false;
        break;
    case DESCRIPTOR_ARRAY:
    case DESCRIPTOR_STRUCT:
        if (v->count != type->count)
            return false;
        break;
    default: /* maps: empty; sums have no default */
        return v->count == 0 && type->kind != DESCRIPTOR_SUM;
    }
    for (uint32_t i = 0; i < v->count; i++) {
        const struct descriptor_member *m =
            type->kind == DESCRIPTOR_STRUCT ? &type->members[i] : NULL;
        if (m && m->optional && v->items[i].kind == DESCRIPTOR_VALUE_NONE)
            continue;
        if (!descriptor_value_fits(&v->items[i], m ? m->type : type->elem))
            return false;
    }
    return true;
}

/* ---- layout ---- */

struct place {
    uint64_t size;
    uint32_t align;
    bool padded;
};

static uint64_t round_up(uint64_t size, uint32_t align)
{
    return (size + align - 1) / align * align;
}

static uint64_t put(struct place *place, uint64_t size, uint32_t align)
{
    uint64_t at = round_up(place->size, align);
    if (at != place->size)
        place->padded = true;
    place->size = at + size;
    if (align > place->align)
        place->align = align;
    return at;
}

static void end_struct(struct place *place)
{
    uint64_t size = round_up(place->size, place->align);
    if (size != place->size)
        place->padded = true;
    place->size = size;
}

static bool lay_struct(struct descriptor_type *type, struct place *place)
{
    uint64_t wire = 0;
    bool plain = true, fixed = true;
    for (uint32_t i = 0; i < type->count; i++) {
        struct descriptor_member *m = &type->members[i];
        m->has_offset = DESCRIPTOR_NO_MEMBER;
        if (m->optional) {
            m->has_offset = (uint32_t)put(place, 1, 1);
            plain = fixed = false;
        }
        m->offset = (uint32_t)put(place, m->type->size, m->type->align);
        wire += m->type->wire_bytes;
        plain = plain && m->type->plain;
        fixed = fixed && m->type->wire_bytes != 0;
        if (m->type->depth >= type->depth)
            type->depth = (uint8_t)(m->type->depth + 1);
        if (place->size > DESCRIPTOR_C_BYTES_MAX)
            return false;
    }
    end_struct(place);
    type->plain = plain && !place->padded;
    type->wire_bytes = fixed ? (uint32_t)wire : 0;
    return true;
}

static void lay_sum(struct descriptor_type *type, struct place *place)
{
    uint64_t size = 0, at;
    uint32_t align = 1;
    for (uint32_t i = 0; i < type->count; i++) {
        const struct descriptor_type *variant = type->members[i].type;
        if (variant == NULL)
            continue;
        if (variant->size > size)
            size = variant->size;
        if (variant->align > align)
            align = variant->align;
        if (variant->depth >= type->depth)
            type->depth = (uint8_t)(variant->depth + 1);
    }
    put(place, 4, 4);
    at = size ? put(place, round_up(size, align), align) : 0;
    end_struct(place);
    for (uint32_t i = 0; i < type->count; i++) {
        type->members[i].offset = (uint32_t)at;
        type->members[i].has_offset = DESCRIPTOR_NO_MEMBER;
    }
}

static bool lay_array(struct descriptor_type *type, struct place *place)
{
    uint64_t each = type->elem ? type->elem->size : 1;
    uint64_t wire = type->elem ? type->elem->wire_bytes : 1;
    if (each * type->count > DESCRIPTOR_C_BYTES_MAX)
        return false;
    put(place, each * type->count, type->elem ? type->elem->align : 1);
    type->wire_bytes = (uint32_t)(wire * type->count);
    type->plain = type->elem ? type->elem->plain : true;
    return true;
}

/* Size and alignment are one number for all of these. */
static uint32_t scalar_bytes(unsigned kind)
{
    switch (kind) {
    case DESCRIPTOR_BOOL:
    case DESCRIPTOR_U8:
    case DESCRIPTOR_I8:
        return 1;
    case DESCRIPTOR_U16:
    case DESCRIPTOR_I16:
        return 2;
    case DESCRIPTOR_U32:
    case DESCRIPTOR_I32:
    case DESCRIPTOR_F32:
        return 4;
    case DESCRIPTOR_U64:
    case DESCRIPTOR_I64:
    case DESCRIPTOR_F64:
    case DESCRIPTOR_TIMESTAMP:
    case DESCRIPTOR_DURATION:
        return 8;
    default:
        return 0;
    }
}

static bool lay_type(struct descriptor_type *type)
{
    struct place place = {0, 1, false};
    uint32_t scalar = scalar_bytes(type->kind);
    bool ok = true;
    type->depth = 1;
    type->plain = false;
    type->wire_bytes = 0;
    if (type->elem)
        type->depth = (uint8_t)(type->elem->depth + 1);
    if (scalar) {
        put(&place, scalar, scalar);
        type->wire_bytes = scalar;
        type->plain = type->kind != DESCRIPTOR_BOOL;
    } else if (type->kind == DESCRIPTOR_UUID) {
        put(&place, 16, 1);
        type->wire_bytes = 16;
        type->plain = true;
    } else if (type->kind == DESCRIPTOR_ENUM) {
        put(&place, 4, 4);
        type->wire_bytes = type->width;
    } else if (type->kind == DESCRIPTOR_FIXED_BYTES ||
               type->kind == DESCRIPTOR_ARRAY) {
        ok = lay_array(type, &place);
    } else if (type->kind == DESCRIPTOR_STRUCT) {
        ok = lay_struct(type, &place);
    } else if (type->kind == DESCRIPTOR_SUM) {
        lay_sum(type, &place);
    } else { /* a pointer and a length */
        put(&place, 16, 8);
    }
    type->size = (uint32_t)place.size;
    type->align = place.align;
    return ok && place.size <= DESCRIPTOR_C_BYTES_MAX &&
           type->depth <= DESCRIPTOR_DEPTH_MAX;
}

static bool lay_product(struct descriptor_product *p)
{
    struct place record = {0, 1, false}, key = {0, 1, false};
    p->all = 0;
    for (uint32_t i = 0; i < p->field_count; i++) {
        struct descriptor_field *f = &p->fields[i];
        f->key_offset = UINT32_MAX;
        f->offset = UINT32_MAX;
        if (f->flags & DESCRIPTOR_F_SERIES)
            continue;
        f->offset = (uint32_t)put(&record, f->type->size, f->type->align);
        if (f->flags & DESCRIPTOR_F_KEY)
            f->key_offset = (uint32_t)put(&key, f->type->size, f->type->align);
        else
            p->all |= UINT64_C(1) << i;
        if (record.size > DESCRIPTOR_C_BYTES_MAX)
            return false;
    }
    end_struct(&key);
    p->key_bytes = (uint32_t)key.size;
    p->have_offset = (uint32_t)put(&record, 8, 8);
    end_struct(&record);
    p->record_bytes = (uint32_t)record.size;
    return record.size <= DESCRIPTOR_C_BYTES_MAX;
}

bool descriptor_layout(struct descriptor *descriptor)
{
    for (uint32_t i = 0; i < descriptor->type_count; i++)
        if (!lay_type(descriptor->types[i]))
            return false;
    for (uint32_t i = 0; i < descriptor->product_count; i++)
        if (!lay_product(&descriptor->products[i]))
            return false;
    return true;
}
