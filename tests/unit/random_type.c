/* random_type.c: types built at run time and random values of them. */
#include "random_type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *take(struct random *r, size_t bytes)
{
    void *at = warp_arena_alloc(r->arena, bytes);
    if (!at)
        abort();
    return memset(at, 0, bytes);
}

static uint64_t next(struct random *r)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return r->state * UINT64_C(0x2545f4914f6cdd1d);
}

uint32_t random_below(struct random *r, uint32_t below)
{
    return (uint32_t)((next(r) >> 32) * below >> 32);
}

/* ---- types ---- */

static uint32_t align_of(const struct warp_type *t)
{
    uint32_t most = 1;
    switch (t->kind) {
    case WARP_T_UUID:
    case WARP_T_FIXED_BYTES:
        return 1;
    case WARP_T_ARRAY:
        return align_of(t->elem);
    case WARP_T_STRUCT:
    case WARP_T_SUM:
        most = t->kind == WARP_T_SUM ? 4 : 1;
        for (uint32_t i = 0; i < t->count; i++)
            if (t->members[i].type && align_of(t->members[i].type) > most)
                most = align_of(t->members[i].type);
        return most;
    case WARP_T_STRING:
    case WARP_T_BYTES:
    case WARP_T_OPAQUE:
    case WARP_T_LIST:
    case WARP_T_MAP:
    case WARP_T_VALUE_MAP:
        return 8;
    default:
        return t->size;
    }
}

static uint32_t align_up(uint32_t at, uint32_t to)
{
    return (at + to - 1) / to * to;
}

static const struct warp_type *random_enum(struct random *r)
{
    static const uint8_t widths[] = {1, 2, 4, 8};
    struct warp_type *t = take(r, sizeof *t);
    t->name = "E";
    t->kind = WARP_T_ENUM;
    t->width = widths[random_below(r, 4)];
    t->is_signed = (uint8_t)random_below(r, 2);
    t->size = 4;
    t->wire_bytes = t->width;
    t->count = 1 + random_below(r, 6);
    struct warp_enumerator *values = take(r, t->count * sizeof *values);
    for (uint32_t i = 0; i < t->count; i++)
        values[i] = (struct warp_enumerator){
            "v", random_below(r, 2) ? (int64_t)i : 100 - 17 * (int64_t)i};
    for (uint32_t i = 0; i < t->count && t->is_signed; i += 2)
        values[i].value = -values[i].value;
    t->values = values;
    return t;
}

static const struct warp_type *random_text(struct random *r)
{
    struct warp_type *t = take(r, sizeof *t);
    t->name = "text";
    t->kind = (uint8_t)(WARP_T_STRING + random_below(r, 3));
    t->size = sizeof(struct warp_str);
    t->count = random_below(r, 3) ? 0 : 1 + random_below(r, 20);
    return t;
}

static const struct warp_type *random_fixed_bytes(struct random *r)
{
    struct warp_type *t = take(r, sizeof *t);
    t->name = "bytes<N>";
    t->kind = WARP_T_FIXED_BYTES;
    t->plain = 1;
    t->count = t->size = t->wire_bytes = 1 + random_below(r, 20);
    return t;
}

const struct warp_type *random_scalar(struct random *r)
{
    static const struct warp_type *const all[] = {
        &warp_type_bool,     &warp_type_u8,   &warp_type_u16,
        &warp_type_u32,      &warp_type_u64,  &warp_type_i8,
        &warp_type_i16,      &warp_type_i32,  &warp_type_i64,
        &warp_type_f32,      &warp_type_f64,  &warp_type_timestamp,
        &warp_type_duration, &warp_type_uuid, &warp_type_string,
        &warp_type_bytes};
    uint32_t pick = random_below(r, 22);
    if (pick < 16)
        return all[pick];
    return pick < 18   ? random_enum(r)
           : pick < 20 ? random_text(r)
                       : random_fixed_bytes(r);
}

static void add_member(struct random *r, struct warp_type *t,
                       struct warp_member *m, const struct warp_type *type,
                       bool optional)
{
    bool first = t->size == 0, fixed = first || t->wire_bytes;
    bool plain = first || t->plain;
    m->name = "m";
    m->type = type;
    m->has_offset = UINT32_MAX;
    if (optional)
        m->has_offset = t->size++;
    m->offset = align_up(t->size, align_of(type));
    t->plain = plain && !optional && type->plain && m->offset == t->wire_bytes;
    t->size = m->offset + type->size;
    t->wire_bytes = fixed && !optional && type->wire_bytes
                        ? t->wire_bytes + type->wire_bytes
                        : 0;
    (void)r;
}

static const struct warp_type *random_struct(struct random *r, unsigned depth,
                                             uint32_t count, bool map_entry)
{
    struct warp_type *t = take(r, sizeof *t);
    struct warp_member *members = take(r, count * sizeof *members);
    t->name = "S";
    t->kind = WARP_T_STRUCT;
    t->count = count;
    t->members = members;
    for (uint32_t i = 0; i < count; i++)
        add_member(r, t, &members[i],
                   map_entry && !i ? random_scalar(r)
                                   : random_type(r, depth - 1),
                   !map_entry && !random_below(r, 4));
    uint32_t size = align_up(t->size, align_of(t));
    t->plain = t->plain && size == t->wire_bytes;
    t->size = size;
    return t;
}

static const struct warp_type *random_sum(struct random *r, unsigned depth)
{
    struct warp_type *t = take(r, sizeof *t);
    struct warp_member *members;
    t->name = "Sum";
    t->kind = WARP_T_SUM;
    t->count = 1 + random_below(r, 4);
    t->members = members = take(r, t->count * sizeof *members);
    uint32_t largest = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        members[i].name = "V";
        members[i].tag = i;
        if (random_below(r, 4))
            members[i].type =
                random_struct(r, depth, 1 + random_below(r, 3), false);
        if (members[i].type && members[i].type->size > largest)
            largest = members[i].type->size;
    }
    uint32_t align = align_of(t);
    for (uint32_t i = 0; i < t->count; i++)
        members[i].offset = align_up(4, align);
    t->size = largest ? align_up(align_up(4, align) + largest, align) : 4;
    return t;
}

static const struct warp_type *random_array(struct random *r, unsigned depth)
{
    struct warp_type *t = take(r, sizeof *t);
    t->name = "T[N]";
    t->kind = WARP_T_ARRAY;
    t->elem = random_type(r, depth - 1);
    t->count = 1 + random_below(r, 4);
    t->size = t->count * t->elem->size;
    t->wire_bytes = t->count * t->elem->wire_bytes;
    t->plain = t->elem->plain;
    return t;
}

const struct warp_type *random_type(struct random *r, unsigned depth)
{
    uint32_t pick = depth ? random_below(r, 12) : 0;
    if (pick < 4)
        return random_scalar(r);
    if (pick < 6)
        return random_struct(r, depth, 1 + random_below(r, 4), false);
    if (pick == 6)
        return random_sum(r, depth);
    if (pick == 7)
        return random_array(r, depth);
    if (pick == 8)
        return &warp_type_value_map;
    struct warp_type *t = take(r, sizeof *t);
    t->size = sizeof(struct warp_list);
    t->name = "list";
    t->kind = pick < 11 ? WARP_T_LIST : WARP_T_MAP;
    t->elem = pick < 11 ? random_type(r, depth - 1)
                        : random_struct(r, depth, 2, true);
    t->count = random_below(r, 2) ? 0 : 1 + random_below(r, 5);
    return t;
}

/* ---- values ---- */

/* Characters of 1 to 4 bytes and the zero byte, so that prefixes are common. */
static struct warp_str random_str(struct random *r, bool utf8, uint32_t max)
{
    static const char *const pieces[] = {"a", "b", "\0", "\x7f", "é", "\u0800",
                                         "\U0001f600", "a"};
    static const uint8_t piece_bytes[] = {1, 1, 1, 1, 2, 3, 4, 1};
    static const char raw[] = {0, 1, 'a', (char)0xfe, (char)0xff};
    char *text = take(r, 160);
    uint32_t used = 0, count = random_below(r, 5);
    if (!random_below(r, 8))
        count = random_below(r, 30);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t pick = random_below(r, utf8 ? 8 : 5);
        uint32_t bytes = utf8 ? piece_bytes[pick] : 1;
        if (max && used + bytes > max)
            break;
        memcpy(text + used, utf8 ? pieces[pick] : &raw[pick], bytes);
        used += bytes;
    }
    return (struct warp_str){used || random_below(r, 2) ? text : NULL, used};
}

static void random_number(struct random *r, const struct warp_type *type,
                          void *out)
{
    uint64_t bits = next(r);
    if (random_below(r, 2))
        bits = (uint64_t)(int64_t)(random_below(r, 7)) - 3;
    if (type->kind == WARP_T_F32) {
        float f = (float)(int64_t)bits / 16;
        memcpy(out, &f, sizeof f);
    } else if (type->kind == WARP_T_F64) {
        double d = (double)(int64_t)bits / 16;
        memcpy(out, &d, sizeof d);
    } else {
        memcpy(out, &bits, type->size);
    }
}

static void random_dynamic(struct random *r, struct warp_value *out,
                           unsigned depth);

static struct warp_list random_entries(struct random *r, unsigned depth)
{
    uint32_t count = random_below(r, depth ? 4 : 1), kept = 0;
    if (!random_below(r, 30))
        count = 100; /* more than the codec sorts without memory */
    struct warp_entry *entries = take(r, (count + 1) * sizeof *entries);
    for (uint32_t i = 0; i < count; i++) {
        entries[kept].key = random_str(r, true, 0);
        bool seen = false;
        for (uint32_t j = 0; j < kept && !seen; j++)
            seen = !random_compare_bytes(
                entries[j].key.data, entries[j].key.len,
                entries[kept].key.data, entries[kept].key.len);
        if (!seen)
            random_dynamic(r, &entries[kept++].value, depth ? depth - 1 : 0);
    }
    return (struct warp_list){entries, kept};
}

static void random_dynamic(struct random *r, struct warp_value *out,
                           unsigned depth)
{
    uint64_t bits = next(r);
    out->kind = (enum warp_kind)random_below(r, depth ? 8 : 6);
    switch (out->kind) {
    case WARP_NULL:
        break;
    case WARP_BOOL:
        out->u.b = bits & 1;
        break;
    case WARP_INT:
    case WARP_FLOAT:
        memcpy(&out->u, &bits, sizeof bits);
        break;
    case WARP_STRING:
    case WARP_BYTES:
        out->u.s = random_str(r, out->kind == WARP_STRING, 0);
        break;
    case WARP_LIST: {
        uint32_t count = random_below(r, 4);
        struct warp_value *values = take(r, (count + 1) * sizeof *values);
        for (uint32_t i = 0; i < count; i++)
            random_dynamic(r, &values[i], depth - 1);
        out->u.list = (struct warp_list){values, count};
        break;
    }
    case WARP_MAP:
        out->u.list = random_entries(r, depth - 1);
        break;
    }
}

static struct warp_list random_list(struct random *r,
                                    const struct warp_type *type)
{
    uint32_t count = random_below(r, 5), size = type->elem->size, kept = 0;
    if (type->kind == WARP_T_MAP && !random_below(r, 20))
        count = 90;
    if (type->count && count > type->count)
        count = type->count;
    uint8_t *data = take(r, (size_t)(count + 1) * size);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *at = data + (size_t)kept * size;
        random_value(r, type->elem, at);
        bool seen = false;
        if (type->kind == WARP_T_MAP) {
            const struct warp_member *key = &type->elem->members[0];
            for (uint32_t j = 0; j < kept && !seen; j++)
                seen = random_equal(key->type,
                                    data + (size_t)j * size + key->offset,
                                    at + key->offset);
        }
        kept += !seen;
    }
    return (struct warp_list){data, kept};
}

void random_value(struct random *r, const struct warp_type *type, void *out)
{
    uint8_t *to = out;
    memset(out, 0, type->size);
    switch (type->kind) {
    case WARP_T_BOOL:
        *to = (uint8_t)random_below(r, 2);
        break;
    case WARP_T_UUID:
    case WARP_T_FIXED_BYTES:
        for (uint32_t i = 0; i < type->size; i++)
            to[i] = (uint8_t)(random_below(r, 3) - 1);
        break;
    case WARP_T_STRING:
    case WARP_T_BYTES:
    case WARP_T_OPAQUE:
        *(struct warp_str *)out =
            random_str(r, type->kind == WARP_T_STRING, type->count);
        break;
    case WARP_T_ARRAY:
        for (uint32_t i = 0; i < type->count; i++)
            random_value(r, type->elem, to + i * type->elem->size);
        break;
    case WARP_T_LIST:
    case WARP_T_MAP:
        *(struct warp_list *)out = random_list(r, type);
        break;
    case WARP_T_VALUE_MAP:
        *(struct warp_list *)out = random_entries(r, 3);
        break;
    case WARP_T_STRUCT:
        for (uint32_t i = 0; i < type->count; i++) {
            const struct warp_member *m = &type->members[i];
            if (m->has_offset != UINT32_MAX)
                to[m->has_offset] = (uint8_t)random_below(r, 2);
            if (m->has_offset == UINT32_MAX || to[m->has_offset])
                random_value(r, m->type, to + m->offset);
        }
        break;
    case WARP_T_ENUM:
        memcpy(out, &type->values[random_below(r, type->count)].value, 4);
        break;
    case WARP_T_SUM: {
        const struct warp_member *m =
            &type->members[random_below(r, type->count)];
        memcpy(out, &m->tag, 4);
        if (m->type)
            random_value(r, m->type, to + m->offset);
        break;
    }
    default:
        random_number(r, type, out);
        break;
    }
}

/* ---- equality ---- */

int random_compare_bytes(const void *a, size_t a_bytes, const void *b,
                         size_t b_bytes)
{
    size_t both = a_bytes < b_bytes ? a_bytes : b_bytes;
    int order = both ? memcmp(a, b, both) : 0;
    if (order)
        return order < 0 ? -1 : 1;
    return (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static bool equal_str(const struct warp_str *a, const struct warp_str *b)
{
    return !random_compare_bytes(a->data, a->len, b->data, b->len);
}

static bool equal_dynamic(const struct warp_value *a,
                          const struct warp_value *b);

static bool equal_entries(const struct warp_list *a, const struct warp_list *b)
{
    const struct warp_entry *x = a->data, *y = b->data;
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        uint32_t j = 0;
        while (j < b->count && !equal_str(&x[i].key, &y[j].key))
            j++;
        if (j == b->count || !equal_dynamic(&x[i].value, &y[j].value))
            return false;
    }
    return true;
}

static bool equal_dynamic(const struct warp_value *a,
                          const struct warp_value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case WARP_NULL:
        return true;
    case WARP_BOOL:
        return a->u.b == b->u.b;
    case WARP_INT:
    case WARP_FLOAT:
        return a->u.i == b->u.i;
    case WARP_STRING:
    case WARP_BYTES:
        return equal_str(&a->u.s, &b->u.s);
    case WARP_LIST: {
        const struct warp_value *x = a->u.list.data, *y = b->u.list.data;
        if (a->u.list.count != b->u.list.count)
            return false;
        for (uint32_t i = 0; i < a->u.list.count; i++)
            if (!equal_dynamic(&x[i], &y[i]))
                return false;
        return true;
    }
    default:
        return equal_entries(&a->u.list, &b->u.list);
    }
}

static bool equal_list(const struct warp_type *type, const struct warp_list *a,
                       const struct warp_list *b)
{
    const struct warp_type *elem = type->elem;
    const uint8_t *x = a->data, *y = b->data;
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        uint32_t j = i;
        if (type->kind == WARP_T_MAP) {
            const struct warp_member *key = &elem->members[0];
            for (j = 0; j < b->count; j++)
                if (random_equal(key->type, x + i * elem->size + key->offset,
                                 y + j * elem->size + key->offset))
                    break;
            if (j == b->count)
                return false;
        }
        if (!random_equal(elem, x + i * elem->size, y + j * elem->size))
            return false;
    }
    return true;
}

bool random_equal(const struct warp_type *type, const void *a, const void *b)
{
    const uint8_t *x = a, *y = b;
    switch (type->kind) {
    case WARP_T_STRING:
    case WARP_T_BYTES:
    case WARP_T_OPAQUE:
        return equal_str(a, b);
    case WARP_T_ARRAY:
        for (uint32_t i = 0; i < type->count; i++)
            if (!random_equal(type->elem, x + i * type->elem->size,
                              y + i * type->elem->size))
                return false;
        return true;
    case WARP_T_LIST:
    case WARP_T_MAP:
        return equal_list(type, a, b);
    case WARP_T_VALUE_MAP:
        return equal_entries(a, b);
    case WARP_T_STRUCT:
        for (uint32_t i = 0; i < type->count; i++) {
            const struct warp_member *m = &type->members[i];
            if (m->has_offset != UINT32_MAX) {
                if (x[m->has_offset] != y[m->has_offset])
                    return false;
                if (!x[m->has_offset])
                    continue;
            }
            if (!random_equal(m->type, x + m->offset, y + m->offset))
                return false;
        }
        return true;
    case WARP_T_SUM: {
        uint32_t tag;
        memcpy(&tag, a, sizeof tag);
        if (memcmp(a, b, sizeof tag))
            return false;
        const struct warp_member *m = &type->members[tag];
        return !m->type || random_equal(m->type, x + m->offset, y + m->offset);
    }
    default:
        return !memcmp(a, b, type->size);
    }
}
