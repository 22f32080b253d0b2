/* key.c: keys between their C form and bytes whose order is the keys' order.
 *
 * codec.h states the form of each type. A key has exactly one encoding, so
 * equal keys have equal bytes; a decode refuses every other form. Inside a
 * composite key, text ends with 00 00 and a zero byte of it becomes 00 ff;
 * key_encode_value ends a text that was cut with 00 01 and 16 bytes of hash. */
#include "arena.h"
#include "codec.h"
#include "codec_type.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>

#define VALUE_BYTES_MAX 400 /* of an index value's escaped text */

static _Thread_local char why_text[160];

static int refuse(const char **why, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold, noinline));
static int refuse(const char **why, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why_text, sizeof why_text, format, args);
    va_end(args);
    if (why)
        *why = why_text;
    return code;
}

/* ---- numbers ---- */

/* Bytes of a type whose key form is a big-endian integer; 0: another type. */
static unsigned ordered_bytes(const struct warp_type *type)
{
    switch (type->kind) {
    case WARP_T_UUID:
    case WARP_T_FIXED_BYTES:
        return 0;
    case WARP_T_ENUM:
        return type->width;
    case WARP_T_BOOL:
        return 1;
    default:
        return type->kind <= WARP_T_DURATION ? type->size : 0;
    }
}

static bool is_signed(const struct warp_type *type)
{
    return (type->kind >= WARP_T_I8 && type->kind <= WARP_T_I64) ||
           type->kind == WARP_T_TIMESTAMP || type->kind == WARP_T_DURATION ||
           (type->kind == WARP_T_ENUM && type->is_signed);
}

static bool is_float(const struct warp_type *type)
{
    return type->kind == WARP_T_F32 || type->kind == WARP_T_F64;
}

/* The value's bits turned so that unsigned order is the values' order. */
static int load_ordered(const struct warp_type *type, const void *value,
                        unsigned bytes, uint64_t *ordered, const char **why)
{
    uint64_t bits = 0;
    if (type->kind == WARP_T_ENUM) {
        int64_t number = type_enum_load(type, value);
        if (!type_enum_known(type, number))
            return refuse(why, WARP_EINVAL, "is %lld, which is no value of %s",
                          (long long)number, type->name);
        memcpy(&bits, &number, bytes);
    } else {
        memcpy(&bits, value, bytes);
    }
    uint64_t sign = UINT64_C(1) << (8 * bytes - 1);
    if (is_float(type)) {
        if (type_is_nan(type, value))
            return refuse(why, WARP_EINVAL, "is NaN, which has no order");
        if (bits == sign)
            bits = 0; /* -0 equals 0 */
        bits = bits & sign ? ~bits : bits | sign;
    } else if (is_signed(type)) {
        bits ^= sign;
    } else if (type->kind == WARP_T_BOOL && bits > 1) {
        return refuse(why, WARP_EINVAL, "is a bool that is neither 0 nor 1");
    }
    *ordered = bits;
    return 0;
}

static int store_ordered(const struct warp_type *type, uint64_t bits,
                         unsigned bytes, void *value)
{
    uint64_t sign = UINT64_C(1) << (8 * bytes - 1);
    if (is_float(type)) {
        bits = bits & sign ? bits & ~sign : ~bits;
        memcpy(value, &bits, bytes);
        return type_is_nan(type, value) || bits << (64 - 8 * bytes) ==
                                               UINT64_C(1) << 63
                   ? WARP_ECORRUPT
                   : 0;
    }
    if (is_signed(type))
        bits ^= sign;
    if (type->kind == WARP_T_ENUM) {
        uint8_t wire[8];
        memcpy(wire, &bits, sizeof wire);
        int64_t number = type_enum_from_wire(type, wire);
        type_enum_store(type, number, value);
        return type_enum_known(type, number) ? 0 : WARP_ECORRUPT;
    }
    memcpy(value, &bits, bytes);
    return type->kind == WARP_T_BOOL && bits > 1 ? WARP_ECORRUPT : 0;
}

static void write_big_endian(uint8_t *to, uint64_t bits, unsigned bytes)
{
    uint64_t turned = __builtin_bswap64(bits << (64 - 8 * bytes));
    memcpy(to, &turned, bytes);
}

static uint64_t read_big_endian(const uint8_t *from, unsigned bytes)
{
    uint64_t turned = 0;
    memcpy(&turned, from, bytes);
    return __builtin_bswap64(turned) >> (64 - 8 * bytes);
}

/* ---- encode ---- */

struct writer {
    uint8_t *to;
    size_t used;
    const char **why;
};

static int too_long(struct writer *w)
{
    return refuse(w->why, WARP_ELIMIT, "makes a key longer than %d bytes",
                  KEY_BYTES_MAX);
}

static int write_raw(struct writer *w, const void *from, size_t bytes)
{
    if (bytes > KEY_BYTES_MAX - w->used)
        return too_long(w);
    if (bytes)
        memcpy(w->to + w->used, from, bytes);
    w->used += bytes;
    return 0;
}

/* At most `max` escaped bytes; gives the bytes of the text that are in them. */
static size_t escape(const struct warp_str *text, uint8_t *to, size_t max,
                     size_t *written)
{
    size_t used = 0, i = 0;
    for (; i < text->len; i++) {
        uint8_t byte = (uint8_t)text->data[i];
        if (used + 1 + !byte > max)
            break;
        to[used++] = byte;
        if (!byte)
            to[used++] = 0xff;
    }
    *written = used;
    return i;
}

static int check_text(const struct warp_type *type, const struct warp_str *text,
                      const char **why)
{
    if (!text->data && text->len)
        return refuse(why, WARP_EINVAL, "has a length of %u and no data",
                      text->len);
    if (type->count && type->kind != WARP_T_OPAQUE && text->len > type->count)
        return refuse(why, WARP_ELIMIT, "has %u bytes, at most %u fit",
                      text->len, type->count);
    if (type->kind != WARP_T_STRING)
        return 0;
    size_t valid = utf8_valid_bytes(text->data, text->len);
    if (valid != text->len)
        return refuse(why, WARP_EINVAL, "is not valid UTF-8 at byte %zu",
                      valid);
    return 0;
}

static int write_text(struct writer *w, const struct warp_type *type,
                      const void *value, bool last)
{
    struct warp_str text;
    memcpy(&text, value, sizeof text);
    if (text.len > KEY_BYTES_MAX)
        return too_long(w);
    int rc = check_text(type, &text, w->why);
    if (rc)
        return rc;
    if (last)
        return write_raw(w, text.data, text.len);
    size_t written;
    size_t taken = escape(&text, w->to + w->used, KEY_BYTES_MAX - w->used,
                          &written);
    if (taken < text.len)
        return too_long(w);
    w->used += written;
    return write_raw(w, "\0\0", 2);
}

static int write_part(struct writer *w, const struct warp_type *type,
                      const void *value, bool last)
{
    unsigned bytes = ordered_bytes(type);
    if (bytes) {
        uint64_t ordered = 0;
        int rc = load_ordered(type, value, bytes, &ordered, w->why);
        if (rc)
            return rc;
        if (bytes > KEY_BYTES_MAX - w->used)
            return too_long(w);
        write_big_endian(w->to + w->used, ordered, bytes);
        w->used += bytes;
        return 0;
    }
    if (type->kind == WARP_T_UUID || type->kind == WARP_T_FIXED_BYTES)
        return write_raw(w, value, type->size);
    if (type_is_text(type))
        return write_text(w, type, value, last);
    return refuse(w->why, WARP_EINVAL, "has a type that cannot be a key");
}

int key_encode(const struct warp_product *product, const void *key, uint8_t *to,
               size_t *bytes, const char **why)
{
    struct writer w = {to, 0, why};
    if (product->key_count == 1) {
        int rc = write_part(
            &w, product->fields[product->key_fields[0]].type, key, true);
        *bytes = w.used;
        return rc;
    }
    for (uint32_t i = 0; i < product->key_count; i++) {
        const struct warp_field *f = &product->fields[product->key_fields[i]];
        int rc = write_part(&w, f->type, (const uint8_t *)key + f->key_offset,
                            i + 1 == product->key_count);
        if (rc)
            return rc;
    }
    *bytes = w.used;
    return 0;
}

uint32_t key_fixed_bytes(const struct warp_product *product)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < product->key_count; i++) {
        const struct warp_type *type =
            product->fields[product->key_fields[i]].type;
        unsigned bytes = ordered_bytes(type);
        if (!bytes && type_is_text(type))
            return 0;
        sum += bytes ? bytes : type->size;
    }
    return sum;
}

int key_encode_record(const struct warp_product *product, const void *record,
                      uint8_t *to, size_t *bytes, const char **why)
{
    struct writer w = {to, 0, why};
    if (product->key_count == 1) {
        const struct warp_field *f = &product->fields[product->key_fields[0]];
        return key_encode(product, (const uint8_t *)record + f->offset, to,
                          bytes, why);
    }
    for (uint32_t i = 0; i < product->key_count; i++) {
        const struct warp_field *f = &product->fields[product->key_fields[i]];
        int rc = write_part(&w, f->type, (const uint8_t *)record + f->offset,
                            i + 1 == product->key_count);
        if (rc)
            return rc;
    }
    *bytes = w.used;
    return 0;
}

/* ---- index values ---- */

static uint64_t hash(const uint8_t *from, size_t bytes, uint64_t seed)
{
    const uint64_t a = UINT64_C(0x9e3779b97f4a7c15);
    const uint64_t b = UINT64_C(0xd6e8feb86659fd93);
    uint64_t h = seed ^ (bytes * a);
    for (size_t i = 0; i < bytes; i += sizeof h) {
        uint64_t word = 0;
        memcpy(&word, from + i, bytes - i < sizeof word ? bytes - i
                                                        : sizeof word);
        word *= b;
        word ^= word >> 32;
        h = (h ^ word * a) * b;
        h = (h << 29 | h >> 35) + seed;
    }
    for (int i = 0; i < 2; i++) {
        h ^= h >> 32;
        h *= b;
    }
    return h ^ h >> 32;
}

static int write_hash(struct writer *w, const void *from, size_t bytes)
{
    uint64_t both[2] = {hash(from, bytes, UINT64_C(0x243f6a8885a308d3)),
                        hash(from, bytes, UINT64_C(0x13198a2e03707344))};
    return write_raw(w, both, sizeof both);
}

static int write_value_text(struct writer *w, const struct warp_type *type,
                            const struct warp_str *text)
{
    int rc = check_text(type, text, w->why);
    if (rc)
        return rc;
    size_t taken = escape(text, w->to, VALUE_BYTES_MAX, &w->used);
    if (taken == text->len)
        return write_raw(w, "\0\0", 2);
    rc = write_raw(w, "\0\1", 2);
    return rc ? rc : write_hash(w, text->data, text->len);
}

int key_encode_value(const struct warp_type *type, const void *value,
                     uint8_t *to, size_t *bytes, const char **why)
{
    struct writer w = {to, 0, why};
    int rc;
    if (type_is_text(type)) {
        struct warp_str text;
        memcpy(&text, value, sizeof text);
        rc = write_value_text(&w, type, &text);
    } else if (type->kind == WARP_T_FIXED_BYTES &&
               type->size > VALUE_BYTES_MAX) {
        rc = write_raw(&w, value, VALUE_BYTES_MAX);
        if (!rc)
            rc = write_hash(&w, value, type->size);
    } else {
        rc = write_part(&w, type, value, false);
    }
    *bytes = w.used;
    return rc;
}

/* ---- decode ---- */

struct reader {
    const uint8_t *at, *end;
    struct warp_arena *arena;
};

/* An escaped text's bytes up to its end mark: their number and that of the
 * text. */
static int measure(const struct reader *r, size_t *escaped, size_t *bytes)
{
    size_t left = (size_t)(r->end - r->at), zeros = 0;
    for (size_t i = 0; i + 1 < left; i++) {
        if (r->at[i])
            continue;
        if (r->at[i + 1] == 0) {
            *escaped = i;
            *bytes = i - zeros;
            return 0;
        }
        if (r->at[i + 1] != 0xff)
            return WARP_ECORRUPT;
        zeros++;
        i++;
    }
    return WARP_ECORRUPT;
}

static int read_text(struct reader *r, const struct warp_type *type, void *out,
                     bool last)
{
    size_t escaped = (size_t)(r->end - r->at), bytes = escaped;
    int rc = last ? 0 : measure(r, &escaped, &bytes);
    if (rc)
        return rc;
    if (type->count && type->kind != WARP_T_OPAQUE && bytes > type->count)
        return WARP_ECORRUPT;
    struct warp_str text = {"", (uint32_t)bytes};
    if (bytes) {
        if (!r->arena)
            return WARP_EINVAL;
        char *copy = arena_alloc(r->arena, bytes);
        if (!copy)
            return WARP_ENOMEM;
        if (last)
            memcpy(copy, r->at, bytes);
        for (size_t i = 0, from = 0; !last && i < bytes; i++) {
            copy[i] = (char)r->at[from];
            from += r->at[from] ? 1 : 2;
        }
        text.data = copy;
    }
    if (type->kind == WARP_T_STRING &&
        utf8_valid_bytes(text.data, bytes) != bytes)
        return WARP_ECORRUPT;
    memcpy(out, &text, sizeof text);
    r->at += escaped + (last ? 0 : 2);
    return 0;
}

static int read_part(struct reader *r, const struct warp_type *type, void *out,
                     bool last)
{
    size_t left = (size_t)(r->end - r->at);
    unsigned bytes = ordered_bytes(type);
    if (bytes) {
        if (left < bytes)
            return WARP_ECORRUPT;
        uint64_t bits = read_big_endian(r->at, bytes);
        r->at += bytes;
        return store_ordered(type, bits, bytes, out);
    }
    if (type->kind == WARP_T_UUID || type->kind == WARP_T_FIXED_BYTES) {
        if (left < type->size)
            return WARP_ECORRUPT;
        memcpy(out, r->at, type->size);
        r->at += type->size;
        return 0;
    }
    return type_is_text(type) ? read_text(r, type, out, last) : WARP_ECORRUPT;
}

int key_decode(const struct warp_product *product, const uint8_t *from,
               size_t bytes, void *key, void *record, struct warp_arena *arena)
{
    struct reader r = {from, from + bytes, arena};
    if (bytes > KEY_BYTES_MAX)
        return WARP_ECORRUPT;
    for (uint32_t i = 0; i < product->key_count; i++) {
        const struct warp_field *f = &product->fields[product->key_fields[i]];
        uint8_t value[KEY_BYTES_MAX] __attribute__((aligned(16)));
        if (f->type->size > sizeof value)
            return WARP_ECORRUPT;
        int rc = read_part(&r, f->type, value, i + 1 == product->key_count);
        if (rc)
            return rc;
        if (key)
            memcpy((uint8_t *)key + (product->key_count > 1 ? f->key_offset
                                                            : 0),
                   value, f->type->size);
        if (record)
            memcpy((uint8_t *)record + f->offset, value, f->type->size);
    }
    return r.at == r.end ? 0 : WARP_ECORRUPT;
}
