/* weight.c: see weight.h. */
#include "weight.h"

#include "clock.h"
#include "db.h"

#include <math.h>
#include <string.h>

double weight_number(const struct warp_type *type, const void *at)
{
    union {
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
    } v = {0};
    memcpy(&v, at, type->size < sizeof v ? type->size : sizeof v);
    switch (type->kind) {
    case WARP_T_U8:
        return v.u8;
    case WARP_T_U16:
        return v.u16;
    case WARP_T_U32:
        return v.u32;
    case WARP_T_U64:
        return (double)v.u64;
    case WARP_T_I8:
        return v.i8;
    case WARP_T_I16:
        return v.i16;
    case WARP_T_I32:
        return v.i32;
    case WARP_T_I64:
        return (double)v.i64;
    case WARP_T_F32:
        return (double)v.f32;
    case WARP_T_F64:
        return v.f64;
    default:
        return NAN;
    }
}

/* The bytes of a field that is there, in C form. */
static bool value_of(const struct shard *s, const struct layout *l,
                     const struct record *r, uint32_t i, uint8_t bytes[8])
{
    const struct field_layout *f = &l->fields[i];
    const void *preset = l->desc->fields[i].default_value;
    memset(bytes, 0, 8);
    if (!(record_have(r) >> i & 1)) {
        if (!(l->presets >> i & 1))
            return false;
        memcpy(bytes, preset, l->desc->fields[i].type->size);
        return true;
    }
    if (l->ttl >> i & 1) {
        int64_t deadline = (int64_t)row_load(r, f->deadline);
        if (deadline != 0 && clock_now(s->db->clock) >= deadline)
            return false;
    }
    if (f->form == SLOT_COLUMN)
        return column_read(s->columns[l->number], r, i, bytes);
    if (f->form < SLOT_1 || f->form > SLOT_8)
        return false;
    record_copy_out(bytes, r->row + f->slot, f->bytes);
    return true;
}

double weight_of(const struct shard *s, const struct layout *l,
                 const struct record *r, enum warp_physics role,
                 double otherwise)
{
    uint8_t i = l->role[role], bytes[8];
    if (i == LAYOUT_NO_ROLE || !(l->stored >> i & 1) ||
        !value_of(s, l, r, i, bytes))
        return otherwise;
    double value = weight_number(l->desc->fields[i].type, bytes);
    return isfinite(value) ? value : otherwise;
}

uint32_t weight_passes(const struct shard *s, const struct layout *l,
                       const struct record *r)
{
    if (l->role[WARP_PHYSICS_MASS] == LAYOUT_NO_ROLE)
        return 1;
    double mass = weight_of(s, l, r, WARP_PHYSICS_MASS, 1);
    if (mass <= 0.5)
        return 0;
    double passes = 1 + floor(log2(mass < 1 ? 1 : mass));
    return passes < WEIGHT_PASSES_MAX ? (uint32_t)passes : WEIGHT_PASSES_MAX;
}
