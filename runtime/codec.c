/* codec.c: values in C form to their wire form: the check that gives the size,
 * and the encoding of a checked value.
 *
 * The wire form is described in codec.h. A new kind of type gets a case in
 * size_value, in encode_value and in codec_decode.c. */
#include "codec.h"

#include <stdarg.h>
#include <stdio.h>

#include "codec_type.h"
#include "utf8.h"

/* ---- what is wrong, and where in the value ---- */

/* The text lives until the thread's next refusal. */
static _Thread_local char why_path[128], why_what[128], why_text[264];

static int refuse(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold, noinline));
static int refuse(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why_what, sizeof why_what, format, args);
    va_end(args);
    why_path[0] = 0;
    return code;
}

/* Called on the way up: the step that led to the part that was refused. */
static int within(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold, noinline));
static int within(int code, const char *format, ...)
{
    char step[sizeof why_path], tail[sizeof why_path];
    va_list args;
    va_start(args, format);
    vsnprintf(step, sizeof step, format, args);
    va_end(args);
    memcpy(tail, why_path, sizeof tail);
    size_t used = strlen(step);
    snprintf(why_path, sizeof why_path, "%s", step);
    snprintf(why_path + used, sizeof why_path - used, "%s", tail);
    return code;
}

static int finish(int code, const char **why)
{
    if (why_path[0])
        snprintf(why_text, sizeof why_text, "at %s %s", why_path, why_what);
    else
        snprintf(why_text, sizeof why_text, "%s", why_what);
    if (why)
        *why = why_text;
    return code;
}

/* ---- check and size ---- */

static int size_value(const struct warp_type *type, const uint8_t *value,
                      unsigned nesting, size_t *bytes);

static int check_text(const struct warp_str *s, bool utf8, uint32_t max)
{
    if (!s->data && s->len)
        return refuse(WARP_EINVAL, "has a length of %u and no data", s->len);
    if (max && s->len > max)
        return refuse(WARP_ELIMIT, "has %u bytes, at most %u fit", s->len, max);
    if (s->len > CODEC_VALUE_BYTES_MAX)
        return refuse(WARP_ELIMIT, "has %u bytes, a value has at most %u",
                      s->len, CODEC_VALUE_BYTES_MAX);
    if (utf8) {
        size_t valid = utf8_valid_bytes(s->data, s->len);
        if (valid != s->len)
            return refuse(WARP_EINVAL, "is not valid UTF-8 at byte %zu", valid);
    }
    return 0;
}

static int check_list(const struct warp_list *list, uint32_t max)
{
    if (!list->data && list->count)
        return refuse(WARP_EINVAL, "has %u elements and no data", list->count);
    if (max && list->count > max)
        return refuse(WARP_ELIMIT, "has %u elements, at most %u fit",
                      list->count, max);
    return 0;
}

static int check_total(size_t bytes)
{
    if (bytes > CODEC_VALUE_BYTES_MAX)
        return refuse(WARP_ELIMIT, "is larger than %u bytes",
                      CODEC_VALUE_BYTES_MAX);
    return 0;
}

static int size_dynamic(const struct warp_value *value, unsigned depth,
                        size_t *bytes);

static int size_dynamic_map(const struct warp_list *list, unsigned depth,
                            size_t *bytes)
{
    int rc = check_list(list, 0);
    if (rc)
        return rc;
    if (depth > CODEC_DEPTH_MAX)
        return refuse(WARP_ELIMIT, "is nested deeper than %d",
                      CODEC_DEPTH_MAX);
    *bytes += sizeof(uint32_t);
    const struct warp_entry *entries = list->data;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct warp_entry *e = &entries[i];
        rc = check_text(&e->key, true, 0);
        if (rc)
            return within(rc, "[key %u]", i);
        *bytes += sizeof(uint32_t) + e->key.len;
        rc = size_dynamic(&e->value, depth, bytes);
        if (rc) {
            size_t shown = e->key.len < 24 ? e->key.len : 24;
            shown = utf8_valid_bytes(e->key.data, shown);
            return within(rc, "[\"%.*s\"]", (int)shown,
                          shown ? e->key.data : "");
        }
        rc = check_total(*bytes);
        if (rc)
            return rc;
    }
    struct type_order order;
    type_order_init(&order, NULL, list);
    if (type_order_has_equal(&order))
        rc = refuse(WARP_EINVAL, "has the same key twice");
    type_order_fini(&order);
    return rc;
}

static int size_dynamic_list(const struct warp_list *list, unsigned depth,
                             size_t *bytes)
{
    int rc = check_list(list, 0);
    if (rc)
        return rc;
    if (depth > CODEC_DEPTH_MAX)
        return refuse(WARP_ELIMIT, "is nested deeper than %d",
                      CODEC_DEPTH_MAX);
    *bytes += sizeof(uint32_t);
    const struct warp_value *values = list->data;
    for (uint32_t i = 0; i < list->count; i++) {
        rc = size_dynamic(&values[i], depth, bytes);
        if (rc)
            return within(rc, "[%u]", i);
        rc = check_total(*bytes);
        if (rc)
            return rc;
    }
    return 0;
}

static int size_dynamic(const struct warp_value *value, unsigned depth,
                        size_t *bytes)
{
    *bytes += 1;
    int rc;
    switch ((int)value->kind) {
    case WARP_NULL:
        return 0;
    case WARP_BOOL:
        if (type_flag(&value->u.b) > 1)
            return refuse(WARP_EINVAL, "is a bool that is neither 0 nor 1");
        *bytes += 1;
        return 0;
    case WARP_INT:
    case WARP_FLOAT:
        *bytes += 8;
        return 0;
    case WARP_STRING:
    case WARP_BYTES:
        rc = check_text(&value->u.s, value->kind == WARP_STRING, 0);
        *bytes += sizeof(uint32_t) + value->u.s.len;
        return rc;
    case WARP_LIST:
        return size_dynamic_list(&value->u.list, depth + 1, bytes);
    case WARP_MAP:
        return size_dynamic_map(&value->u.list, depth + 1, bytes);
    default:
        return refuse(WARP_EINVAL, "has the unknown kind %d",
                      (int)value->kind);
    }
}

static int size_elements(const struct warp_type *elem, const uint8_t *data,
                         uint32_t count, unsigned nesting, size_t *bytes)
{
    if (type_unchecked(elem)) {
        *bytes += (size_t)count * elem->wire_bytes;
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        int rc = size_value(elem, data + (size_t)i * elem->size, nesting,
                            bytes);
        if (rc)
            return within(rc, "[%u]", i);
        rc = check_total(*bytes);
        if (rc)
            return rc;
    }
    return 0;
}

static int size_list(const struct warp_type *type, const struct warp_list *list,
                     unsigned nesting, size_t *bytes)
{
    int rc = check_list(list, type->count);
    if (rc)
        return rc;
    if (nesting >= CODEC_NESTING_MAX)
        return refuse(WARP_ELIMIT, "is nested deeper than %d",
                      CODEC_NESTING_MAX);
    *bytes += sizeof(uint32_t);
    rc = size_elements(type->elem, list->data, list->count, nesting + 1, bytes);
    if (rc || type->kind != WARP_T_MAP)
        return rc;
    const struct warp_member *key = &type->elem->members[0];
    if (!type_orders(key->type))
        return refuse(WARP_EINVAL, "has keys of a type without an order");
    const uint8_t *at = list->data;
    for (uint32_t i = 0; i < list->count; i++)
        if (type_is_nan(key->type,
                        at + (size_t)i * type->elem->size + key->offset))
            return refuse(WARP_EINVAL, "has NaN as the key of entry %u", i);
    struct type_order order;
    type_order_init(&order, type, list);
    if (type_order_has_equal(&order))
        rc = refuse(WARP_EINVAL, "has the same key twice");
    type_order_fini(&order);
    return rc;
}

static int size_struct(const struct warp_type *type, const uint8_t *value,
                       unsigned nesting, size_t *bytes)
{
    for (uint32_t i = 0; i < type->count; i++) {
        const struct warp_member *m = &type->members[i];
        if (m->has_offset != UINT32_MAX) {
            uint8_t has = type_flag(value + m->has_offset);
            if (has > 1)
                return within(refuse(WARP_EINVAL, "is neither 0 nor 1"),
                              ".has_%s", m->name);
            *bytes += 1;
            if (!has)
                continue;
        }
        int rc = size_value(m->type, value + m->offset, nesting, bytes);
        if (rc)
            return within(rc, ".%s", m->name);
    }
    return 0;
}

static int size_sum(const struct warp_type *type, const uint8_t *value,
                    unsigned nesting, size_t *bytes)
{
    uint32_t tag;
    memcpy(&tag, value, sizeof tag);
    const struct warp_member *variant = type_variant(type, tag);
    if (!variant)
        return refuse(WARP_EINVAL, "has the tag %u, which is no variant of %s",
                      tag, type->name);
    *bytes += sizeof tag;
    if (!variant->type)
        return 0;
    int rc = size_value(variant->type, value + variant->offset, nesting, bytes);
    return rc ? within(rc, ".%s", variant->name) : 0;
}

static int size_value(const struct warp_type *type, const uint8_t *value,
                      unsigned nesting, size_t *bytes)
{
    if (type->plain) {
        *bytes += type->wire_bytes;
        return 0;
    }
    switch (type->kind) {
    case WARP_T_BOOL:
        *bytes += 1;
        if (type_flag(value) > 1)
            return refuse(WARP_EINVAL, "is a bool that is neither 0 nor 1");
        return 0;
    case WARP_T_ENUM: {
        int64_t v = type_enum_load(type, value);
        *bytes += type->width;
        if (!type_enum_known(type, v))
            return refuse(WARP_EINVAL, "is %lld, which is no value of %s",
                          (long long)v, type->name);
        return 0;
    }
    case WARP_T_STRING:
    case WARP_T_BYTES:
    case WARP_T_OPAQUE: {
        struct warp_str s;
        memcpy(&s, value, sizeof s);
        *bytes += sizeof(uint32_t) + s.len;
        return check_text(&s, type->kind == WARP_T_STRING,
                          type->kind == WARP_T_OPAQUE ? 0 : type->count);
    }
    case WARP_T_ARRAY:
        return size_elements(type->elem, value, type->count, nesting, bytes);
    case WARP_T_LIST:
    case WARP_T_MAP:
    case WARP_T_VALUE_MAP: {
        struct warp_list list;
        memcpy(&list, value, sizeof list);
        return type->kind == WARP_T_VALUE_MAP
                   ? size_dynamic_map(&list, 1, bytes)
                   : size_list(type, &list, nesting, bytes);
    }
    case WARP_T_STRUCT:
        return size_struct(type, value, nesting, bytes);
    case WARP_T_SUM:
        return size_sum(type, value, nesting, bytes);
    default:
        return refuse(WARP_EINVAL, "has the unknown type kind %d", type->kind);
    }
}

int codec_size(const struct warp_type *type, const void *value, size_t *bytes,
               const char **why)
{
    if (type->plain) {
        *bytes = type->wire_bytes;
        return 0;
    }
    *bytes = 0;
    int rc = size_value(type, value, 0, bytes);
    if (!rc && type_is_text(type))
        *bytes -= sizeof(uint32_t);
    if (!rc)
        rc = check_total(*bytes);
    return rc ? finish(rc, why) : 0;
}

/* ---- encode ---- */

static uint8_t *encode_value(const struct warp_type *type, const uint8_t *value,
                             uint8_t *to);

static uint8_t *write_u32(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, sizeof value);
    return to + sizeof value;
}

static uint8_t *write_bytes(uint8_t *to, const void *from, size_t bytes)
{
    if (bytes)
        memcpy(to, from, bytes);
    return to + bytes;
}

static uint8_t *write_text(uint8_t *to, const struct warp_str *s)
{
    return write_bytes(write_u32(to, s->len), s->data, s->len);
}

static uint8_t *encode_dynamic(const struct warp_value *value, uint8_t *to);

static uint8_t *encode_dynamic_map(const struct warp_list *list, uint8_t *to)
{
    to = write_u32(to, list->count);
    struct type_order order;
    type_order_init(&order, NULL, list);
    const struct warp_entry *e;
    while ((e = type_order_next(&order)))
        to = encode_dynamic(&e->value, write_text(to, &e->key));
    type_order_fini(&order);
    return to;
}

static uint8_t *encode_dynamic(const struct warp_value *value, uint8_t *to)
{
    *to++ = (uint8_t)value->kind;
    switch (value->kind) {
    case WARP_NULL:
        break;
    case WARP_BOOL:
        *to++ = type_flag(&value->u.b);
        break;
    case WARP_INT:
    case WARP_FLOAT:
        to = write_bytes(to, &value->u, 8);
        break;
    case WARP_STRING:
    case WARP_BYTES:
        to = write_text(to, &value->u.s);
        break;
    case WARP_LIST: {
        const struct warp_list *list = &value->u.list;
        const struct warp_value *values = list->data;
        to = write_u32(to, list->count);
        for (uint32_t i = 0; i < list->count; i++)
            to = encode_dynamic(&values[i], to);
        break;
    }
    case WARP_MAP:
        to = encode_dynamic_map(&value->u.list, to);
        break;
    }
    return to;
}

static uint8_t *encode_elements(const struct warp_type *elem,
                                const uint8_t *data, uint32_t count,
                                uint8_t *to)
{
    if (elem->plain)
        return write_bytes(to, data, (size_t)count * elem->size);
    for (uint32_t i = 0; i < count; i++)
        to = encode_value(elem, data + (size_t)i * elem->size, to);
    return to;
}

static uint8_t *encode_map(const struct warp_type *type,
                           const struct warp_list *list, uint8_t *to)
{
    to = write_u32(to, list->count);
    struct type_order order;
    type_order_init(&order, type, list);
    const void *entry;
    while ((entry = type_order_next(&order)))
        to = encode_value(type->elem, entry, to);
    type_order_fini(&order);
    return to;
}

static uint8_t *encode_struct(const struct warp_type *type,
                              const uint8_t *value, uint8_t *to)
{
    for (uint32_t i = 0; i < type->count; i++) {
        const struct warp_member *m = &type->members[i];
        if (m->has_offset != UINT32_MAX) {
            *to = type_flag(value + m->has_offset);
            if (!*to++)
                continue;
        }
        to = encode_value(m->type, value + m->offset, to);
    }
    return to;
}

static uint8_t *encode_value(const struct warp_type *type, const uint8_t *value,
                             uint8_t *to)
{
    if (type->plain)
        return write_bytes(to, value, type->wire_bytes);
    switch (type->kind) {
    case WARP_T_BOOL:
        *to = type_flag(value);
        return to + 1;
    case WARP_T_ENUM: {
        int64_t v = type_enum_load(type, value);
        return write_bytes(to, &v, type->width);
    }
    case WARP_T_STRING:
    case WARP_T_BYTES:
    case WARP_T_OPAQUE: {
        struct warp_str s;
        memcpy(&s, value, sizeof s);
        return write_text(to, &s);
    }
    case WARP_T_ARRAY:
        return encode_elements(type->elem, value, type->count, to);
    case WARP_T_LIST:
    case WARP_T_MAP:
    case WARP_T_VALUE_MAP: {
        struct warp_list list;
        memcpy(&list, value, sizeof list);
        if (type->kind == WARP_T_VALUE_MAP)
            return encode_dynamic_map(&list, to);
        if (type->kind == WARP_T_MAP)
            return encode_map(type, &list, to);
        return encode_elements(type->elem, list.data, list.count,
                               write_u32(to, list.count));
    }
    case WARP_T_STRUCT:
        return encode_struct(type, value, to);
    case WARP_T_SUM: {
        uint32_t tag;
        memcpy(&tag, value, sizeof tag);
        const struct warp_member *variant = type_variant(type, tag);
        to = write_u32(to, tag);
        return variant->type ? encode_value(variant->type,
                                            value + variant->offset, to)
                             : to;
    }
    default:
        return to;
    }
}

uint8_t *codec_encode(const struct warp_type *type, const void *value,
                      uint8_t *to)
{
    if (type->plain)
        return write_bytes(to, value, type->wire_bytes);
    if (type_is_text(type)) {
        struct warp_str s;
        memcpy(&s, value, sizeof s);
        return write_bytes(to, s.data, s.len);
    }
    return encode_value(type, value, to);
}
