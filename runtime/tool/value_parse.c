/* value_parse.c: JSON to a value in its C form; see value.h. Whether a value is
 * allowed (maxima, keys twice) is checked again by the put that stores it. */
#include "value.h"

#include "../codec_type.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((format(printf, 3, 4))) static int
fail(struct value_fault *fault, const struct json *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(fault->what, sizeof fault->what, format, args);
    va_end(args);
    fault->line = at->line;
    return WARP_EINVAL;
}

static bool same(struct warp_str a, const char *b)
{
    return strlen(b) == a.len && (a.len == 0 || memcmp(a.data, b, a.len) == 0);
}

/* A number's text, terminated; false: the node is no number. */
static bool number_text(const struct json *j, char *to, size_t room)
{
    if ((j->kind != JSON_NUMBER && !(j->bare && j->kind == JSON_STRING)) ||
        j->text.len == 0 || j->text.len >= room)
        return false;
    memcpy(to, j->text.data, j->text.len);
    to[j->text.len] = 0;
    return strspn(to, "+-.0123456789eE") == j->text.len;
}

static int parse_integer(const struct warp_type *type, const struct json *j,
                         int64_t low, uint64_t high, void *out)
{
    char text[64], *end;
    (void)type;
    if (!number_text(j, text, sizeof text))
        return -1;
    errno = 0;
    if (text[0] == '-') {
        int64_t v = strtoll(text, &end, 10);
        if (*end || errno || v < low)
            return -2;
        memcpy(out, &v, sizeof v);
        return 0;
    }
    uint64_t v = strtoull(text, &end, 10);
    if (*end || errno || v > high)
        return -2;
    memcpy(out, &v, sizeof v);
    return 0;
}

static int parse_int(const struct warp_type *type, const struct json *j,
                     void *out, struct value_fault *fault)
{
    static const struct {
        int64_t low;
        uint64_t high;
        uint8_t bytes;
    } limits[] = {
        [WARP_T_U8] = {0, UINT8_MAX, 1},
        [WARP_T_U16] = {0, UINT16_MAX, 2},
        [WARP_T_U32] = {0, UINT32_MAX, 4},
        [WARP_T_U64] = {0, UINT64_MAX, 8},
        [WARP_T_I8] = {INT8_MIN, INT8_MAX, 1},
        [WARP_T_I16] = {INT16_MIN, INT16_MAX, 2},
        [WARP_T_I32] = {INT32_MIN, INT32_MAX, 4},
        [WARP_T_I64] = {INT64_MIN, INT64_MAX, 8},
        [WARP_T_TIMESTAMP] = {INT64_MIN, INT64_MAX, 8},
        [WARP_T_DURATION] = {INT64_MIN, INT64_MAX, 8},
    };
    uint64_t v = 0;
    int rc = parse_integer(type, j, limits[type->kind].low,
                           limits[type->kind].high, &v);
    if (rc != 0)
        return fail(fault, j,
                    rc == -1 ? "a number is expected (%s)"
                             : "the number does not fit %s",
                    type->name);
    uint8_t b[8];
    for (int i = 0; i < 8; i++)
        b[i] = (uint8_t)(v >> (8 * i));
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the C form of a shorter integer is its low bytes"
#endif
    memcpy(out, b, limits[type->kind].bytes);
    return 0;
}

/* Digits that are not 0 and have become 0: what is refused above a type's
 * range is refused below it, too. */
static bool vanished(const char *digits, double value)
{
    size_t mantissa = strcspn(digits, "eE");
    return value == 0 && strcspn(digits, "123456789") < mantissa;
}

static bool parse_double(const struct json *j, double *out)
{
    char text[1024], *end;
    if (j->kind == JSON_STRING && same(j->text, "NaN"))
        *out = (double)NAN;
    else if (j->kind == JSON_STRING && same(j->text, "Infinity"))
        *out = (double)INFINITY;
    else if (j->kind == JSON_STRING && same(j->text, "-Infinity"))
        *out = -(double)INFINITY;
    else if (!number_text(j, text, sizeof text))
        return false;
    else {
        *out = strtod(text, &end);
        return *end == 0 && !isinf(*out) && !vanished(text, *out);
    }
    return true;
}

static int parse_float(const struct warp_type *type, const struct json *j,
                       void *out, struct value_fault *fault)
{
    double d = 0;
    char digits[1024];
    if (!parse_double(j, &d))
        return fail(fault, j,
                    number_text(j, digits, sizeof digits) &&
                            (isinf(d) || vanished(digits, d))
                        ? "the number does not fit %s"
                        : "a number is expected (%s)",
                    type->name);
    if (type->kind == WARP_T_F64) {
        memcpy(out, &d, sizeof d);
        return 0;
    }
    /* Digits of a float are read as one: no rounding twice. */
    char text[1024];
    float f = number_text(j, text, sizeof text) ? strtof(text, NULL) : (float)d;
    if ((isinf(f) && !isinf(d)) || (f == 0 && d != 0))
        return fail(fault, j, "the number does not fit %s", type->name);
    memcpy(out, &f, sizeof f);
    return 0;
}

static int parse_bool(const struct json *j, void *out,
                      struct value_fault *fault)
{
    bool t = j->kind == JSON_TRUE || (j->bare && same(j->text, "true"));
    bool f = j->kind == JSON_FALSE || (j->bare && same(j->text, "false"));
    uint8_t b = t;
    if (!t && !f)
        return fail(fault, j, "true or false is expected");
    memcpy(out, &b, 1);
    return 0;
}

static int parse_uuid(const struct json *j, uint8_t *out,
                      struct value_fault *fault)
{
    uint32_t n = 0;
    bool ok = j->kind == JSON_STRING;
    for (uint32_t i = 0; ok && i < j->text.len; i++) {
        char c = j->text.data[i];
        int v = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (c == '-')
            continue;
        ok = v >= 0 && n < 32;
        if (ok)
            out[n / 2] = (uint8_t)(out[n / 2] << 4 | v);
        n++;
    }
    return ok && n == 32 ? 0 : fail(fault, j, "a uuid is expected");
}

static int digit64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int parse_base64(const struct json *j, struct warp_str *out,
                        struct warp_arena *arena, struct value_fault *fault)
{
    uint32_t n = j->text.len, bits = 0, have = 0, used = 0;
    if (j->kind != JSON_STRING)
        return fail(fault, j, "base64 text is expected");
    while (n > 0 && j->text.data[n - 1] == '=' && j->text.len - n < 2)
        n--;
    uint8_t *to = warp_arena_alloc(arena, n / 4 * 3 + 3);
    if (!to)
        return WARP_ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        int v = digit64(j->text.data[i]);
        if (v < 0)
            return fail(fault, j, "a character that is no base64");
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            to[used++] = (uint8_t)(bits >> have);
        }
    }
    if (have >= 6 || (bits & ((1u << have) - 1)) ||
        (j->text.len != n && j->text.len % 4 != 0))
        return fail(fault, j, "base64 text is cut");
    out->data = (const char *)to;
    out->len = used;
    return 0;
}

static int parse_enum(const struct warp_type *type, const struct json *j,
                      void *out, struct value_fault *fault)
{
    int64_t v = 0;
    for (uint32_t i = 0; j->kind == JSON_STRING && i < type->count; i++)
        if (same(j->text, type->values[i].name)) {
            type_enum_store(type, type->values[i].value, out);
            return 0;
        }
    if (parse_integer(type, j, INT32_MIN, UINT32_MAX, &v) == 0 &&
        type_enum_known(type, v)) {
        type_enum_store(type, v, out);
        return 0;
    }
    return fail(fault, j, "%s has no member %.*s", type->name,
                (int)(j->text.len < 60 ? j->text.len : 60),
                j->text.data ? j->text.data : "");
}

/* ---- dynamic values ---- */

static int parse_dynamic(const struct json *j, struct warp_value *v,
                         struct warp_arena *arena, struct value_fault *fault);

static int by_key(const void *a, const void *b)
{
    const struct warp_entry *x = a, *y = b;
    uint32_t n = x->key.len < y->key.len ? x->key.len : y->key.len;
    int order = n ? memcmp(x->key.data, y->key.data, n) : 0;
    if (order != 0)
        return order;
    return x->key.len < y->key.len ? -1 : x->key.len > y->key.len;
}

static int parse_entries(const struct json *j, struct warp_list *list,
                         struct warp_arena *arena, struct value_fault *fault)
{
    const struct json *inner = j->count == 1 ? json_member(j, "$map") : NULL;
    if (inner && inner->kind == JSON_OBJECT)
        j = inner;
    if (j->kind != JSON_OBJECT)
        return fail(fault, j, "an object is expected");
    struct warp_entry *e = warp_arena_alloc(arena, j->count * sizeof *e);
    if (!e)
        return WARP_ENOMEM;
    list->data = e;
    list->count = j->count;
    for (const struct json *m = j->first; m; m = m->next, e++) {
        e->key = m->name;
        int rc = parse_dynamic(m, &e->value, arena, fault);
        if (rc != 0)
            return rc;
    }
    if (list->count > 1)
        qsort(list->data, list->count, sizeof *e, by_key);
    return 0;
}

static int parse_dynamic(const struct json *j, struct warp_value *v,
                         struct warp_arena *arena, struct value_fault *fault)
{
    const struct json *bytes, *number;
    memset(v, 0, sizeof *v);
    switch (j->kind) {
    case JSON_NULL:
        v->kind = WARP_NULL;
        return 0;
    case JSON_TRUE:
    case JSON_FALSE:
        v->kind = WARP_BOOL;
        v->u.b = j->kind == JSON_TRUE;
        return 0;
    case JSON_STRING:
        v->kind = WARP_STRING;
        v->u.s = j->text;
        return 0;
    case JSON_NUMBER:
        v->kind = WARP_INT;
        if (parse_integer(NULL, j, INT64_MIN, INT64_MAX, &v->u.i) == 0)
            return 0;
        v->kind = WARP_FLOAT;
        return parse_double(j, &v->u.f)
                   ? 0
                   : fail(fault, j, "the number does not fit");
    case JSON_ARRAY: {
        struct warp_value *item =
            warp_arena_alloc(arena, j->count * sizeof *item);
        if (!item)
            return WARP_ENOMEM;
        v->kind = WARP_LIST;
        v->u.list.data = item;
        v->u.list.count = j->count;
        for (const struct json *m = j->first; m; m = m->next) {
            int rc = parse_dynamic(m, item++, arena, fault);
            if (rc != 0)
                return rc;
        }
        return 0;
    }
    default:
        break;
    }
    bytes = j->count == 1 ? json_member(j, "$bytes") : NULL;
    if (bytes && bytes->kind == JSON_STRING) {
        v->kind = WARP_BYTES;
        return parse_base64(bytes, &v->u.s, arena, fault);
    }
    number = j->count == 1 ? json_member(j, "$float") : NULL;
    if (number && number->kind == JSON_STRING) {
        v->kind = WARP_FLOAT;
        return parse_double(number, &v->u.f)
                   ? 0
                   : fail(fault, number, "a number is expected ($float)");
    }
    v->kind = WARP_MAP;
    return parse_entries(j, &v->u.list, arena, fault);
}

/* ---- compound types ---- */

static int parse_items(const struct warp_type *type, const struct json *j,
                       uint8_t *to, struct warp_arena *arena,
                       struct value_fault *fault)
{
    for (const struct json *m = j->first; m; m = m->next) {
        int rc = value_parse(type, m, to, arena, fault);
        if (rc != 0)
            return rc;
        to += type->size;
    }
    return 0;
}

static int parse_list(const struct warp_type *type, const struct json *j,
                      void *out, struct warp_arena *arena,
                      struct value_fault *fault)
{
    struct warp_list list = {NULL, j->count};
    if (j->kind != JSON_ARRAY)
        return fail(fault, j, "a list is expected");
    if (type->kind == WARP_T_LIST && type->count && j->count > type->count)
        return fail(fault, j, "a list of at most %u is expected", type->count);
    list.data = warp_arena_alloc(arena, (size_t)j->count * type->elem->size);
    if (!list.data)
        return WARP_ENOMEM;
    memcpy(out, &list, sizeof list);
    return parse_items(type->elem, j, list.data, arena, fault);
}

static int parse_map(const struct warp_type *type, const struct json *j,
                     void *out, struct warp_arena *arena,
                     struct value_fault *fault)
{
    const struct warp_member *m = type->elem->members;
    struct warp_list list = {NULL, j->count};
    if (m[0].type->kind != WARP_T_STRING)
        return parse_list(type, j, out, arena, fault);
    if (j->kind != JSON_OBJECT)
        return fail(fault, j, "an object is expected");
    uint8_t *to = warp_arena_alloc(arena, (size_t)j->count * type->elem->size);
    if (!to)
        return WARP_ENOMEM;
    list.data = to;
    memcpy(out, &list, sizeof list);
    for (const struct json *e = j->first; e; e = e->next) {
        memset(to, 0, type->elem->size);
        memcpy(to + m[0].offset, &e->name, sizeof e->name);
        int rc = value_parse(m[1].type, e, to + m[1].offset, arena, fault);
        if (rc != 0)
            return rc;
        to += type->elem->size;
    }
    return 0;
}

static int parse_struct(const struct warp_type *type, const struct json *j,
                        uint8_t *out, struct warp_arena *arena,
                        struct value_fault *fault)
{
    uint32_t known = 0;
    if (j->kind != JSON_OBJECT)
        return fail(fault, j, "an object is expected (%s)", type->name);
    for (uint32_t i = 0; i < type->count; i++) {
        const struct warp_member *m = &type->members[i];
        const struct json *v = json_member(j, m->name);
        bool optional = m->has_offset != UINT32_MAX;
        known += v != NULL;
        if (optional && (!v || v->kind == JSON_NULL))
            continue;
        if (!v)
            return fail(fault, j, "%s.%s is missing", type->name, m->name);
        if (optional)
            out[m->has_offset] = 1;
        int rc = value_parse(m->type, v, out + m->offset, arena, fault);
        if (rc != 0)
            return rc;
    }
    if (known == j->count)
        return 0;
    for (const struct json *v = j->first; v; v = v->next) {
        uint32_t i = 0;
        while (i < type->count && !same(v->name, type->members[i].name))
            i++;
        if (i == type->count)
            return fail(fault, v, "%s has no member %.*s", type->name,
                        (int)(v->name.len < 60 ? v->name.len : 60),
                        v->name.data);
    }
    return 0;
}

static int parse_sum(const struct warp_type *type, const struct json *j,
                     uint8_t *out, struct warp_arena *arena,
                     struct value_fault *fault)
{
    const struct json *tag = json_member(j, "tag");
    const struct json *value = json_member(j, "value");
    for (uint32_t i = 0; tag && i < type->count; i++) {
        const struct warp_member *m = &type->members[i];
        if (tag->kind != JSON_STRING || !same(tag->text, m->name))
            continue;
        int number = (int)m->tag;
        memcpy(out, &number, sizeof number);
        if (!m->type)
            return 0;
        if (!value)
            return fail(fault, j, "%s.%s needs a \"value\"", type->name,
                        m->name);
        return value_parse(m->type, value, out + m->offset, arena, fault);
    }
    return fail(fault, j, "a variant of %s is expected: {\"tag\": …}",
                type->name);
}

static int parse_text(const struct warp_type *type, const struct json *j,
                      void *out, struct warp_arena *arena,
                      struct value_fault *fault)
{
    struct warp_str s = j->text;
    int rc = 0;
    if (j->kind != JSON_STRING && !(j->bare && j->kind == JSON_NUMBER))
        return fail(fault, j, "text is expected (%s)", type->name);
    if (type->kind != WARP_T_STRING)
        rc = parse_base64(j, &s, arena, fault);
    if (rc == 0 && type->kind == WARP_T_FIXED_BYTES) {
        if (s.len != type->count)
            return fail(fault, j, "%u bytes are expected, here are %u",
                        type->count, s.len);
        memcpy(out, s.data, s.len);
    } else if (rc == 0) {
        if (type->count && s.len > type->count)
            return fail(fault, j, "%u bytes, %s has at most %u", s.len,
                        type->name, type->count);
        memcpy(out, &s, sizeof s);
    }
    return rc;
}

int value_parse(const struct warp_type *type, const struct json *j, void *out,
                struct warp_arena *arena, struct value_fault *fault)
{
    struct warp_list list = {NULL, 0};
    memset(out, 0, type->size);
    switch (type->kind) {
    case WARP_T_BOOL:
        return parse_bool(j, out, fault);
    case WARP_T_F32:
    case WARP_T_F64:
        return parse_float(type, j, out, fault);
    case WARP_T_UUID:
        return parse_uuid(j, out, fault);
    case WARP_T_STRING:
    case WARP_T_BYTES:
    case WARP_T_OPAQUE:
    case WARP_T_FIXED_BYTES:
        return parse_text(type, j, out, arena, fault);
    case WARP_T_ARRAY:
        if (j->kind != JSON_ARRAY || j->count != type->count)
            return fail(fault, j, "a list of %u is expected", type->count);
        return parse_items(type->elem, j, out, arena, fault);
    case WARP_T_LIST:
        return parse_list(type, j, out, arena, fault);
    case WARP_T_MAP:
        return parse_map(type, j, out, arena, fault);
    case WARP_T_VALUE_MAP: {
        int rc = parse_entries(j, &list, arena, fault);
        memcpy(out, &list, sizeof list);
        return rc;
    }
    case WARP_T_STRUCT:
        return parse_struct(type, j, out, arena, fault);
    case WARP_T_ENUM:
        return parse_enum(type, j, out, fault);
    case WARP_T_SUM:
        return parse_sum(type, j, out, arena, fault);
    default:
        return parse_int(type, j, out, fault);
    }
}
