/* value_print.c: a value in its C form to JSON; see
 * value_print.h. */
#include "value_print.h"

#include "codec.h"
#include "codec_type.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void value_base64(struct text *to, const void *bytes, size_t count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                 "qrstuvwxyz0123456789+/";
    const uint8_t *from = bytes;
    text_add(to, "\"", 1);
    for (size_t i = 0; i < count; i += 3) {
        uint32_t n = count - i < 3 ? (uint32_t)(count - i) : 3;
        uint32_t v = (uint32_t)from[i] << 16 |
                     (n > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
                     (n > 2 ? from[i + 2] : 0);
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63],
                        n > 1 ? digits[v >> 6 & 63] : '=',
                        n > 2 ? digits[v & 63] : '='};
        text_add(to, four, sizeof four);
    }
    text_add(to, "\"", 1);
}

/* point: a dynamic float must not look like an integer. */
static void print_float(struct text *to, double v, bool single, bool point)
{
    char digits[40];
    if (isnan(v)) {
        text_put(to, "\"NaN\"");
        return;
    }
    if (isinf(v)) {
        text_put(to, v > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    for (int n = single ? 6 : 15; n <= 17; n++) {
        text_format(digits, sizeof digits, "%.*g", n, v);
        if (text_reads_as(digits, v, single))
            break;
    }
    text_put(to, digits);
    if (point && !strpbrk(digits, ".e"))
        text_put(to, ".0");
}

static void print_uuid(struct text *to, const uint8_t *b)
{
    text_add(to, "\"", 1);
    for (int i = 0; i < 16; i++)
        text_say(to, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
                 b[i]);
    text_add(to, "\"", 1);
}

static void print_dynamic(struct text *to, const struct warp_value *v,
                          int depth);

static void print_entries(struct text *to, const struct warp_list *list,
                          int depth)
{
    const struct warp_entry *e = list->data;
    bool special = list->count == 1 && e->key.len > 0 && e->key.data[0] == '$';
    if (special)
        text_put(to, "{\"$map\":");
    text_add(to, "{", 1);
    for (uint32_t i = 0; i < list->count; i++) {
        if (i)
            text_add(to, ",", 1);
        text_quote(to, e[i].key.data, e[i].key.len);
        text_add(to, ":", 1);
        print_dynamic(to, &e[i].value, depth);
    }
    text_put(to, special ? "}}" : "}");
}

static void print_dynamic(struct text *to, const struct warp_value *v,
                          int depth)
{
    if (depth > CODEC_DEPTH_MAX) {
        text_put(to, "null");
        return;
    }
    switch (v->kind) {
    case WARP_BOOL:
        text_put(to, type_flag(&v->u.b) ? "true" : "false");
        break;
    case WARP_INT:
        text_say(to, "%lld", (long long)v->u.i);
        break;
    case WARP_FLOAT:
        /* A text "NaN" is a text. */
        if (!isfinite(v->u.f))
            text_put(to, "{\"$float\":");
        print_float(to, v->u.f, false, true);
        if (!isfinite(v->u.f))
            text_put(to, "}");
        break;
    case WARP_STRING:
        text_quote(to, v->u.s.data, v->u.s.len);
        break;
    case WARP_BYTES:
        text_put(to, "{\"$bytes\":");
        value_base64(to, v->u.s.data, v->u.s.len);
        text_add(to, "}", 1);
        break;
    case WARP_LIST: {
        const struct warp_value *items = v->u.list.data;
        text_add(to, "[", 1);
        for (uint32_t i = 0; i < v->u.list.count; i++) {
            if (i)
                text_add(to, ",", 1);
            print_dynamic(to, &items[i], depth + 1);
        }
        text_add(to, "]", 1);
        break;
    }
    case WARP_MAP:
        print_entries(to, &v->u.list, depth + 1);
        break;
    default:
        text_put(to, "null");
    }
}

static void print_items(struct text *to, const struct warp_type *elem,
                        const uint8_t *at, uint32_t count)
{
    text_add(to, "[", 1);
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            text_add(to, ",", 1);
        value_print(to, elem, at + (size_t)i * elem->size);
    }
    text_add(to, "]", 1);
}

static void print_map(struct text *to, const struct warp_type *type,
                      const struct warp_list *list)
{
    const struct warp_member *m = type->elem->members;
    const uint8_t *at = list->data;
    bool names = m[0].type->kind == WARP_T_STRING;
    if (!names) {
        print_items(to, type->elem, at, list->count);
        return;
    }
    text_add(to, "{", 1);
    for (uint32_t i = 0; i < list->count; i++, at += type->elem->size) {
        struct warp_str key;
        memcpy(&key, at + m[0].offset, sizeof key);
        if (i)
            text_add(to, ",", 1);
        text_quote(to, key.data, key.len);
        text_add(to, ":", 1);
        value_print(to, m[1].type, at + m[1].offset);
    }
    text_add(to, "}", 1);
}

static void print_struct(struct text *to, const struct warp_type *type,
                         const uint8_t *at)
{
    text_add(to, "{", 1);
    for (uint32_t i = 0; i < type->count; i++) {
        const struct warp_member *m = &type->members[i];
        if (i)
            text_add(to, ",", 1);
        text_quote(to, m->name, strlen(m->name));
        text_add(to, ":", 1);
        if (m->has_offset != UINT32_MAX && !type_flag(at + m->has_offset))
            text_put(to, "null");
        else
            value_print(to, m->type, at + m->offset);
    }
    text_add(to, "}", 1);
}

static void print_enum(struct text *to, const struct warp_type *type,
                       const void *at)
{
    int64_t value = type_enum_load(type, at);
    for (uint32_t i = 0; i < type->count; i++)
        if (type->values[i].value == value) {
            text_quote(to, type->values[i].name, strlen(type->values[i].name));
            return;
        }
    text_say(to, "%lld", (long long)value);
}

static void print_sum(struct text *to, const struct warp_type *type,
                      const uint8_t *at)
{
    int tag;
    memcpy(&tag, at, sizeof tag);
    const struct warp_member *m = type_variant(type, tag);
    text_put(to, "{\"tag\":");
    if (m)
        text_quote(to, m->name, strlen(m->name));
    else
        text_say(to, "%d", tag);
    if (m && m->type) {
        text_put(to, ",\"value\":");
        value_print(to, m->type, at + m->offset);
    }
    text_add(to, "}", 1);
}

#define PRINT(ctype, format, cast)                                             \
    do {                                                                       \
        ctype v_;                                                              \
        memcpy(&v_, value, sizeof v_);                                         \
        text_say(to, format, (cast)v_);                                        \
    } while (0)

static void print_scalar(struct text *to, uint8_t kind, const void *value)
{
    float f;
    double d;
    switch (kind) {
    case WARP_T_BOOL:
        text_put(to, type_flag(value) ? "true" : "false");
        break;
    case WARP_T_U8:
        PRINT(uint8_t, "%u", unsigned);
        break;
    case WARP_T_U16:
        PRINT(uint16_t, "%u", unsigned);
        break;
    case WARP_T_U32:
        PRINT(uint32_t, "%u", unsigned);
        break;
    case WARP_T_U64:
        PRINT(uint64_t, "%llu", unsigned long long);
        break;
    case WARP_T_I8:
        PRINT(int8_t, "%d", int);
        break;
    case WARP_T_I16:
        PRINT(int16_t, "%d", int);
        break;
    case WARP_T_I32:
        PRINT(int32_t, "%d", int);
        break;
    case WARP_T_F32:
        memcpy(&f, value, sizeof f);
        print_float(to, (double)f, true, false);
        break;
    case WARP_T_F64:
        memcpy(&d, value, sizeof d);
        print_float(to, d, false, false);
        break;
    default:
        PRINT(int64_t, "%lld", long long);
        break;
    }
}

void value_print(struct text *to, const struct warp_type *type,
                 const void *value)
{
    struct warp_str s;
    struct warp_list list;
    switch (type->kind) {
    case WARP_T_UUID:
        print_uuid(to, value);
        break;
    case WARP_T_STRING:
        memcpy(&s, value, sizeof s);
        text_quote(to, s.data, s.len);
        break;
    case WARP_T_BYTES:
    case WARP_T_OPAQUE:
        memcpy(&s, value, sizeof s);
        value_base64(to, s.data, s.len);
        break;
    case WARP_T_FIXED_BYTES:
        value_base64(to, value, type->count);
        break;
    case WARP_T_ARRAY:
        print_items(to, type->elem, value, type->count);
        break;
    case WARP_T_LIST:
        memcpy(&list, value, sizeof list);
        print_items(to, type->elem, list.data, list.count);
        break;
    case WARP_T_MAP:
        memcpy(&list, value, sizeof list);
        print_map(to, type, &list);
        break;
    case WARP_T_VALUE_MAP:
        memcpy(&list, value, sizeof list);
        print_entries(to, &list, 0);
        break;
    case WARP_T_STRUCT:
        print_struct(to, type, value);
        break;
    case WARP_T_ENUM:
        print_enum(to, type, value);
        break;
    case WARP_T_SUM:
        print_sum(to, type, value);
        break;
    default:
        print_scalar(to, type->kind, value);
    }
}

void value_print_key(struct text *to, const struct warp_product *product,
                     const uint8_t *key, size_t bytes)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    uint8_t *record = warp_arena_alloc(&arena, product->record_bytes);
    if (record)
        memset(record, 0, product->record_bytes);
    if (!record ||
        key_decode(product, key, bytes, NULL, record, &arena) != WARP_OK) {
        text_add(to, "\"", 1);
        for (size_t i = 0; i < bytes; i++)
            text_say(to, "%02x", key[i]);
        text_add(to, "\"", 1);
        goto out;
    }
    for (uint32_t i = 0; i < product->key_count; i++) {
        const struct warp_field *f = &product->fields[product->key_fields[i]];
        if (product->key_count > 1)
            text_put(to, i ? "," : "{");
        if (product->key_count > 1) {
            text_quote(to, f->name, strlen(f->name));
            text_add(to, ":", 1);
        }
        value_print(to, f->type, record + f->offset);
    }
    if (product->key_count > 1)
        text_add(to, "}", 1);
out:
    warp_arena_free(&arena);
}
