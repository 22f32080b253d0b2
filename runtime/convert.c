/* convert.c: wire bytes by one type -> wire bytes by another (codec.h has the
 * wire form). One walk over both types; what is the same is copied whole.
 * What may change without loss is said by descriptor_compare_types.c; here
 * every value is looked at, so a change that was allowed by name keeps what
 * fits. */
#include "convert.h"

#include "codec.h"
#include "utf8.h"
#include "wire.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct input {
    const uint8_t *at, *end;
};

typedef const struct descriptor_type type;

static int turn(struct convert *c, type *old, type *new, struct input *in);
static int skip(type *t, struct input *in);
static int put_default(struct convert *c, type *t,
                       const struct descriptor_value *v);

static size_t left(const struct input *in)
{
    return (size_t)(in->end - in->at);
}

static uint8_t *room(struct convert *c, size_t bytes)
{
    if (c->used + bytes > c->room) {
        size_t more = (c->used + bytes) * 2 + 256;
        uint8_t *grown = realloc(c->bytes, more);
        if (!grown)
            return NULL;
        c->bytes = grown;
        c->room = more;
    }
    c->used += bytes;
    return c->bytes + c->used - bytes;
}

static int put(struct convert *c, const void *from, size_t bytes)
{
    uint8_t *to = room(c, bytes);
    if (!to)
        return WARP_ENOMEM;
    if (bytes > 0)
        memcpy(to, from, bytes);
    return WARP_OK;
}

static int put_u32(struct convert *c, uint32_t v)
{
    uint8_t b[4];
    wire_put32(b, v);
    return put(c, b, sizeof b);
}

static int get_u32(struct input *in, uint32_t *v)
{
    if (left(in) < 4)
        return WARP_ECORRUPT;
    *v = wire_get32(in->at);
    in->at += 4;
    return WARP_OK;
}

static int pass(struct input *in, size_t bytes)
{
    if (left(in) < bytes)
        return WARP_ECORRUPT;
    in->at += bytes;
    return WARP_OK;
}

static bool is_text(type *t)
{
    return t->kind == DESCRIPTOR_STRING || t->kind == DESCRIPTOR_BYTES ||
           t->kind == DESCRIPTOR_OPAQUE;
}

/* ---- passing over a value ---- */

static int skip_dynamic(struct input *in, unsigned depth);

static int skip_entries(struct input *in, bool map, unsigned depth)
{
    uint32_t count, bytes;
    int rc = depth > CODEC_DEPTH_MAX ? WARP_ECORRUPT : get_u32(in, &count);
    for (uint32_t i = 0; rc == WARP_OK && i < count; i++) {
        if (map) {
            rc = get_u32(in, &bytes);
            if (rc == WARP_OK)
                rc = pass(in, bytes);
        }
        if (rc == WARP_OK)
            rc = skip_dynamic(in, depth);
    }
    return rc;
}

static int skip_dynamic(struct input *in, unsigned depth)
{
    uint32_t bytes;
    if (left(in) == 0)
        return WARP_ECORRUPT;
    switch (*in->at++) {
    case WARP_NULL:
        return WARP_OK;
    case WARP_BOOL:
        return pass(in, 1);
    case WARP_INT:
    case WARP_FLOAT:
        return pass(in, 8);
    case WARP_STRING:
    case WARP_BYTES: {
        int rc = get_u32(in, &bytes);
        return rc == WARP_OK ? pass(in, bytes) : rc;
    }
    case WARP_LIST:
        return skip_entries(in, false, depth + 1);
    case WARP_MAP:
        return skip_entries(in, true, depth + 1);
    default:
        return WARP_ECORRUPT;
    }
}

static int skip_member(const struct descriptor_member *m, struct input *in)
{
    if (m->optional) {
        if (left(in) == 0)
            return WARP_ECORRUPT;
        if (*in->at++ == 0)
            return WARP_OK;
    }
    return m->type ? skip(m->type, in) : WARP_OK;
}

static const struct descriptor_member *find_tag(type *sum, uint32_t tag)
{
    for (uint32_t i = 0; i < sum->count; i++)
        if ((uint32_t)sum->members[i].tag == tag)
            return &sum->members[i];
    return NULL;
}

static int skip(type *t, struct input *in)
{
    uint32_t n = t->count;
    int rc = WARP_OK;
    if (t->wire_bytes != 0)
        return pass(in, t->wire_bytes);
    switch (t->kind) {
    case DESCRIPTOR_STRING:
    case DESCRIPTOR_BYTES:
    case DESCRIPTOR_OPAQUE:
        rc = get_u32(in, &n);
        return rc == WARP_OK ? pass(in, n) : rc;
    case DESCRIPTOR_LIST:
    case DESCRIPTOR_MAP:
        rc = get_u32(in, &n);
        if (rc == WARP_OK && n > left(in))
            rc = WARP_ECORRUPT;
        break;
    case DESCRIPTOR_ARRAY:
        break;
    case DESCRIPTOR_VALUE_MAP:
        return skip_entries(in, true, 1);
    case DESCRIPTOR_STRUCT:
        for (uint32_t i = 0; i < t->count && rc == WARP_OK; i++)
            rc = skip_member(&t->members[i], in);
        return rc;
    case DESCRIPTOR_SUM: {
        const struct descriptor_member *m;
        rc = get_u32(in, &n);
        m = rc == WARP_OK ? find_tag(t, n) : NULL;
        return m ? skip_member(m, in) : WARP_ECORRUPT;
    }
    default:
        return WARP_ECORRUPT;
    }
    for (uint32_t i = 0; i < n && rc == WARP_OK; i++)
        rc = skip(t->elem, in);
    return rc;
}

/* ---- numbers ---- */

struct range {
    uint8_t bytes;
    bool is_signed;
};

/* bytes 0: no integer. */
static struct range range_of(type *t)
{
    switch (t->kind) {
    case DESCRIPTOR_U8:
    case DESCRIPTOR_U16:
    case DESCRIPTOR_U32:
    case DESCRIPTOR_U64:
        return (struct range){(uint8_t)(1u << (t->kind - DESCRIPTOR_U8)),
                              false};
    case DESCRIPTOR_I8:
    case DESCRIPTOR_I16:
    case DESCRIPTOR_I32:
    case DESCRIPTOR_I64:
        return (struct range){(uint8_t)(1u << (t->kind - DESCRIPTOR_I8)), true};
    case DESCRIPTOR_TIMESTAMP:
    case DESCRIPTOR_DURATION:
        return (struct range){8, true};
    case DESCRIPTOR_ENUM:
        return (struct range){t->width, t->is_signed};
    default:
        return (struct range){0, false};
    }
}

static int get_integer(struct input *in, struct range r, __int128 *v)
{
    uint64_t u = 0;
    if (left(in) < r.bytes)
        return WARP_ECORRUPT;
    for (uint32_t i = 0; i < r.bytes; i++)
        u |= (uint64_t)in->at[i] << (8 * i);
    in->at += r.bytes;
    *v = u;
    if (r.is_signed && (u >> (8 * r.bytes - 1) & 1))
        *v -= (__int128)1 << (8 * r.bytes);
    return WARP_OK;
}

static int put_integer(struct convert *c, struct range r, __int128 v)
{
    int bits = 8 * r.bytes;
    __int128 low = r.is_signed ? -((__int128)1 << (bits - 1)) : 0;
    __int128 high = ((__int128)1 << (r.is_signed ? bits - 1 : bits)) - 1;
    uint8_t b[8];
    if (v < low || v > high)
        return WARP_ERANGE;
    wire_put64(b, (uint64_t)v);
    return put(c, b, r.bytes);
}

static int turn_integer(struct convert *c, type *old, type *new,
                        struct input *in)
{
    __int128 v;
    int rc = get_integer(in, range_of(old), &v);
    if (rc != WARP_OK)
        return rc;
    if (new->kind == DESCRIPTOR_ENUM) {
        bool known = false;
        for (uint32_t i = 0; i < new->count; i++)
            known = known || new->values[i].value == v;
        if (!known)
            return WARP_ERANGE;
    }
    return put_integer(c, range_of(new), v);
}

static int put_float(struct convert *c, type *new, double v)
{
    float narrow = (float)v;
    if (new->kind == DESCRIPTOR_F32)
        return put(c, &narrow, sizeof narrow);
    return put(c, &v, sizeof v);
}

static int turn_float(struct convert *c, type *old, type *new,
                      struct input *in)
{
    double v;
    float narrow;
    size_t bytes = old->kind == DESCRIPTOR_F32 ? sizeof narrow : sizeof v;
    if (left(in) < bytes)
        return WARP_ECORRUPT;
    if (old->kind == DESCRIPTOR_F32) {
        memcpy(&narrow, in->at, sizeof narrow);
        v = (double)narrow;
    } else {
        memcpy(&v, in->at, sizeof v);
    }
    in->at += bytes;
    if (new->kind == DESCRIPTOR_F32 && isfinite(v)) {
        if (v > (double)FLT_MAX || v < -(double)FLT_MAX)
            return WARP_ERANGE;
        narrow = (float)v;
        double back = (double)narrow;
        if (memcmp(&back, &v, sizeof v) != 0)
            return WARP_ERANGE;
    }
    return put_float(c, new, v);
}

static bool is_float(type *t)
{
    return t->kind == DESCRIPTOR_F32 || t->kind == DESCRIPTOR_F64;
}

/* ---- text, lists, parts ---- */

static int turn_text(struct convert *c, type *new, const uint8_t *from,
                     uint32_t bytes)
{
    if (new->count != 0 && new->kind != DESCRIPTOR_OPAQUE &&
        bytes > new->count)
        return WARP_ERANGE;
    if (new->kind == DESCRIPTOR_STRING &&
        utf8_valid_bytes(from, bytes) != bytes)
        return WARP_ERANGE;
    return put(c, from, bytes);
}

static int turn_elements(struct convert *c, type *old, type *new,
                         struct input *in)
{
    uint32_t count = old->count;
    int rc = WARP_OK;
    if (new->kind == DESCRIPTOR_ARRAY) {
        if (new->count != old->count)
            return WARP_ERANGE;
    } else {
        rc = get_u32(in, &count);
        if (rc == WARP_OK && count > left(in))
            rc = WARP_ECORRUPT;
        if (rc == WARP_OK && new->count != 0 && count > new->count)
            return WARP_ERANGE;
        if (rc == WARP_OK)
            rc = put_u32(c, count);
    }
    for (uint32_t i = 0; i < count && rc == WARP_OK; i++)
        rc = turn(c, old->elem, new->elem, in);
    return rc;
}

static int64_t find_member(type *t, const char *name)
{
    for (uint32_t i = 0; name && i < t->count; i++)
        if (strcmp(t->members[i].name, name) == 0)
            return i;
    return -1;
}

/* As descriptor_compare_types.c matches them. */
static int64_t match_member(type *old, type *new, uint32_t at)
{
    int64_t found = find_member(old, new->members[at].name);
    if (found < 0 && find_member(new, new->members[at].was) < 0)
        found = find_member(old, new->members[at].was);
    return found;
}

static int turn_member(struct convert *c, const struct descriptor_member *old,
                       const struct descriptor_member *new, struct input *in)
{
    uint8_t there = 1;
    if (old->optional) {
        if (left(in) == 0)
            return WARP_ECORRUPT;
        there = *in->at++;
    }
    if (!there && !new->optional)
        return WARP_ERANGE;
    int rc = new->optional ? put(c, &there, 1) : WARP_OK;
    if (rc != WARP_OK || !there)
        return rc;
    return turn(c, old->type, new->type, in);
}

static int turn_struct(struct convert *c, type *old, type *new,
                       struct input *in)
{
    struct input whole = *in;
    int rc = skip(old, in);
    for (uint32_t i = 0; i < new->count && rc == WARP_OK; i++) {
        const struct descriptor_member *m = &new->members[i];
        struct input from = whole;
        int64_t at = match_member(old, new, i);
        if (at < 0) {
            uint8_t there = m->value.kind != DESCRIPTOR_VALUE_NONE;
            if (m->optional)
                rc = put(c, &there, 1);
            if (rc == WARP_OK && (there || !m->optional))
                rc = put_default(c, m->type, &m->value);
            continue;
        }
        for (int64_t k = 0; k < at && rc == WARP_OK; k++)
            rc = skip_member(&old->members[k], &from);
        if (rc == WARP_OK)
            rc = turn_member(c, &old->members[at], m, &from);
    }
    return rc;
}

static int turn_sum(struct convert *c, type *old, type *new, struct input *in)
{
    uint32_t tag;
    int rc = get_u32(in, &tag);
    const struct descriptor_member *from =
        rc == WARP_OK ? find_tag(old, tag) : NULL;
    if (!from)
        return WARP_ECORRUPT;
    for (uint32_t i = 0; i < new->count; i++) {
        const struct descriptor_member *to = &new->members[i];
        if (match_member(old, new, i) != from - old->members)
            continue;
        rc = put_u32(c, (uint32_t)to->tag);
        if (rc != WARP_OK)
            return rc;
        if (from->type && to->type)
            return turn(c, from->type, to->type, in);
        if (from->type)
            return WARP_ERANGE;
        const struct descriptor_value none = {DESCRIPTOR_VALUE_NONE};
        return to->type ? put_default(c, to->type, &none) : WARP_OK;
    }
    return WARP_ERANGE;
}

static int turn(struct convert *c, type *old, type *new, struct input *in)
{
    const uint8_t *start = in->at;
    if (old == new || old->fingerprint == new->fingerprint) {
        int rc = skip(old, in);
        return rc == WARP_OK ? put(c, start, (size_t)(in->at - start)) : rc;
    }
    if (range_of(old).bytes && range_of(new).bytes &&
        (old->kind == DESCRIPTOR_ENUM) == (new->kind == DESCRIPTOR_ENUM))
        return turn_integer(c, old, new, in);
    if (is_float(old) && is_float(new))
        return turn_float(c, old, new, in);
    if (is_text(old) && is_text(new)) {
        uint32_t bytes;
        int rc = get_u32(in, &bytes);
        if (rc == WARP_OK)
            rc = pass(in, bytes);
        if (rc == WARP_OK)
            rc = put_u32(c, bytes);
        return rc == WARP_OK ? turn_text(c, new, start + 4, bytes) : rc;
    }
    if (old->kind != new->kind)
        return WARP_ERANGE;
    switch (new->kind) {
    case DESCRIPTOR_ARRAY:
    case DESCRIPTOR_LIST:
    case DESCRIPTOR_MAP:
        return turn_elements(c, old, new, in);
    case DESCRIPTOR_STRUCT:
        return turn_struct(c, old, new, in);
    case DESCRIPTOR_SUM:
        return turn_sum(c, old, new, in);
    default:
        return WARP_ERANGE;
    }
}

/* ---- defaults ---- */

static int put_zeros(struct convert *c, uint32_t bytes)
{
    uint8_t *to = room(c, bytes);
    if (!to)
        return WARP_ENOMEM;
    memset(to, 0, bytes);
    return WARP_OK;
}

static const struct descriptor_value *item(const struct descriptor_value *v,
                                           uint32_t i)
{
    static const struct descriptor_value none = {DESCRIPTOR_VALUE_NONE};
    return v->kind == DESCRIPTOR_VALUE_TUPLE && i < v->count ? &v->items[i]
                                                             : &none;
}

static int put_members(struct convert *c, type *t,
                       const struct descriptor_value *v)
{
    int rc = WARP_OK;
    for (uint32_t i = 0; i < t->count && rc == WARP_OK; i++) {
        const struct descriptor_member *m = &t->members[i];
        const struct descriptor_value *own = item(v, i);
        if (v->kind == DESCRIPTOR_VALUE_NONE)
            own = &m->value;
        uint8_t there = own->kind != DESCRIPTOR_VALUE_NONE;
        if (m->optional)
            rc = put(c, &there, 1);
        if (rc == WARP_OK && (there || !m->optional))
            rc = put_default(c, m->type, own);
    }
    return rc;
}

static int put_number(struct convert *c, type *t,
                      const struct descriptor_value *v)
{
    __int128 whole = v->kind == DESCRIPTOR_VALUE_UINT  ? (__int128)v->u
                     : v->kind == DESCRIPTOR_VALUE_INT ? (__int128)v->i
                                                       : 0;
    if (is_float(t))
        return put_float(c, t, v->kind == DESCRIPTOR_VALUE_FLOAT
                                   ? v->f
                                   : (double)whole);
    if (t->kind == DESCRIPTOR_ENUM && v->kind == DESCRIPTOR_VALUE_NONE &&
        t->count > 0)
        whole = t->values[0].value;
    return put_integer(c, range_of(t), whole);
}

static int put_default(struct convert *c, type *t,
                       const struct descriptor_value *v)
{
    bool bytes = v->kind == DESCRIPTOR_VALUE_BYTES;
    int rc = WARP_OK;
    if (range_of(t).bytes || is_float(t))
        return put_number(c, t, v);
    switch (t->kind) {
    case DESCRIPTOR_BOOL: {
        uint8_t set = v->i != 0 || v->u != 0;
        return put(c, &set, 1);
    }
    case DESCRIPTOR_STRING:
    case DESCRIPTOR_BYTES:
    case DESCRIPTOR_OPAQUE:
        rc = put_u32(c, bytes ? v->count : 0);
        return rc == WARP_OK && bytes ? put(c, v->data, v->count) : rc;
    case DESCRIPTOR_UUID:
    case DESCRIPTOR_FIXED_BYTES:
        if (bytes && v->count == t->wire_bytes)
            return put(c, v->data, v->count);
        return put_zeros(c, t->wire_bytes);
    case DESCRIPTOR_ARRAY:
        for (uint32_t i = 0; i < t->count && rc == WARP_OK; i++)
            rc = put_default(c, t->elem, item(v, i));
        return rc;
    case DESCRIPTOR_STRUCT:
        return put_members(c, t, v);
    case DESCRIPTOR_SUM: {
        const struct descriptor_value none = {DESCRIPTOR_VALUE_NONE};
        rc = put_u32(c, (uint32_t)t->members[0].tag);
        return rc == WARP_OK && t->members[0].type
                   ? put_default(c, t->members[0].type, &none)
                   : rc;
    }
    case DESCRIPTOR_LIST: {
        uint32_t n = v->kind == DESCRIPTOR_VALUE_TUPLE ? v->count : 0;
        rc = put_u32(c, n);
        for (uint32_t i = 0; i < n && rc == WARP_OK; i++)
            rc = put_default(c, t->elem, &v->items[i]);
        return rc;
    }
    default: /* maps: empty */
        return put_u32(c, 0);
    }
}

/* ---- a field's value ---- */

/* At the top text is the bare bytes. */
int convert_value(struct convert *c, type *old, type *new,
                  const uint8_t *from, size_t bytes)
{
    struct input in = {from, from + bytes};
    c->used = 0;
    if (!room(c, 1))
        return WARP_ENOMEM;
    c->used = 0;
    if (is_text(old) || is_text(new)) {
        if (!is_text(old) || !is_text(new) || bytes > CODEC_VALUE_BYTES_MAX)
            return WARP_ERANGE;
        return turn_text(c, new, from, (uint32_t)bytes);
    }
    int rc = turn(c, old, new, &in);
    return rc == WARP_OK && in.at != in.end ? WARP_ECORRUPT : rc;
}

void convert_free(struct convert *c)
{
    free(c->bytes);
    memset(c, 0, sizeof *c);
}
