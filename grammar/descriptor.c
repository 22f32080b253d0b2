/* A schema -> the bytes of a .wsd file, and its structural fingerprint.
 *
 * All numbers are little-endian. `n` is an unsigned LEB128 number in its
 * shortest form, `z` a signed one (zigzag, then n), `s` a string: n bytes
 * long, then the bytes, no NUL; b is one byte.
 *
 *   0  8 bytes  "warp.wsd"
 *   8  2        format version, DESCRIPTOR_VERSION
 *  10  2        zero
 *  12  4        bytes of the body
 *  16  8        structural fingerprint
 *  24  4        CRC-32C over bytes 0 to 23 and the body
 *  28  4        zero
 *  32           the body:
 *
 *   s name · n types · n strategies · n products, each with its rows:
 *   type      b kind, s name, then by kind
 *               string, bytes, opaque, fixed bytes   n count
 *               array, list                          n count, n element
 *               map                                  n count, n entry
 *               enum      b width, b signed, n count, count × (s name, z value)
 *               struct    n count, count × (s name, b flags: 1 optional,
 *                         2 deprecated; n type, s was or "", value)
 *               sum       n count, count × (s name, z tag, n type + 1 or 0)
 *             a type refers only to types that stand before it
 *   strategy  s name, s memory pool, s GPU pool (or ""), 6 × n, z, z, 2 × n
 *             counts, 3 × n times, in the order of struct descriptor_strategy
 *   product   s name, n ttl, n max_memory, b priority, b access, n strategy + 1
 *             or 0, n hot, n keys, keys × b field, n fields
 *   field     s name, n type, n flags, b home, b survives, b compression,
 *             b priority, b physics, b access, b prefer, n copies, n ttl,
 *             n retentions × (b tier, n age), n by + 1 or 0, value, s was,
 *             n inputs
 *   value     b kind, then z | n | 8 bytes of a double | n bytes | n values
 *
 * D1  What is decoded and encoded again gives the same bytes.
 * D2  Layout is not stored: it follows from the types (descriptor_layout). */
#include "descriptor.h"

#include <stdlib.h>
#include <string.h>

/* Bytes that grow; after a failure nothing more is written. */
struct sink {
    uint8_t *bytes;
    size_t size, room;
    enum descriptor_error error;
};

static void put_bytes(struct sink *sink, const void *bytes, size_t size)
{
    if (sink->error != DESCRIPTOR_OK || size == 0)
        return;
    if (size > sink->room - sink->size) {
        size_t room = sink->room ? sink->room : 512;
        uint8_t *grown;
        while (room - sink->size < size)
            room *= 2;
        grown = room > 4 * (size_t)DESCRIPTOR_BYTES_MAX
                    ? NULL
                    : realloc(sink->bytes, room);
        if (grown == NULL) {
            sink->error = room > 4 * (size_t)DESCRIPTOR_BYTES_MAX
                              ? DESCRIPTOR_ELIMIT
                              : DESCRIPTOR_ENOMEM;
            return;
        }
        sink->bytes = grown;
        sink->room = room;
    }
    memcpy(sink->bytes + sink->size, bytes, size);
    sink->size += size;
}

static void put_byte(struct sink *sink, unsigned value)
{
    uint8_t byte = (uint8_t)value;
    put_bytes(sink, &byte, 1);
}

static void put_number(struct sink *sink, uint64_t value)
{
    uint8_t bytes[10];
    size_t size = 0;
    while (value >= 0x80) {
        bytes[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[size++] = (uint8_t)value;
    put_bytes(sink, bytes, size);
}

static void put_signed(struct sink *sink, int64_t value)
{
    uint64_t bits = (uint64_t)value << 1;
    put_number(sink, value < 0 ? ~bits : bits);
}

static void put_fixed(struct sink *sink, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    put_bytes(sink, bytes, size);
}

static void put_string(struct sink *sink, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    put_number(sink, size);
    put_bytes(sink, text, size);
}

static void put_value(struct sink *sink, const struct descriptor_value *value)
{
    uint64_t bits;
    put_byte(sink, value->kind);
    switch (value->kind) {
    case DESCRIPTOR_VALUE_NONE:
        break;
    case DESCRIPTOR_VALUE_INT:
        put_signed(sink, value->i);
        break;
    case DESCRIPTOR_VALUE_UINT:
        put_number(sink, value->u);
        break;
    case DESCRIPTOR_VALUE_FLOAT:
        memcpy(&bits, &value->f, sizeof bits);
        put_fixed(sink, bits, 8);
        break;
    case DESCRIPTOR_VALUE_BYTES:
        put_number(sink, value->count);
        put_bytes(sink, value->data, value->count);
        break;
    case DESCRIPTOR_VALUE_TUPLE:
        put_number(sink, value->count);
        for (uint32_t i = 0; i < value->count; i++)
            put_value(sink, &value->items[i]);
        break;
    }
}

/* ---- the body ---- */

static void put_members(struct sink *sink, const struct descriptor_type *type)
{
    put_number(sink, type->count);
    for (uint32_t i = 0; i < type->count; i++) {
        const struct descriptor_member *m = &type->members[i];
        put_string(sink, m->name);
        if (type->kind == DESCRIPTOR_SUM) {
            put_signed(sink, m->tag);
            put_number(sink, m->type ? m->type->index + UINT64_C(1) : 0);
        } else {
            put_byte(sink, (m->optional ? 1u : 0u) | (m->deprecated ? 2u : 0u));
            put_number(sink, m->type->index);
            put_string(sink, m->was);
            put_value(sink, &m->value);
        }
    }
}

static void put_type(struct sink *sink, const struct descriptor_type *type)
{
    put_byte(sink, type->kind);
    put_string(sink, type->name);
    switch (type->kind) {
    case DESCRIPTOR_STRING:
    case DESCRIPTOR_BYTES:
    case DESCRIPTOR_OPAQUE:
    case DESCRIPTOR_FIXED_BYTES:
        put_number(sink, type->count);
        break;
    case DESCRIPTOR_ARRAY:
    case DESCRIPTOR_LIST:
    case DESCRIPTOR_MAP:
        put_number(sink, type->count);
        put_number(sink, type->elem->index);
        break;
    case DESCRIPTOR_ENUM:
        put_byte(sink, type->width);
        put_byte(sink, type->is_signed);
        put_number(sink, type->count);
        for (uint32_t i = 0; i < type->count; i++) {
            put_string(sink, type->values[i].name);
            put_signed(sink, type->values[i].value);
        }
        break;
    case DESCRIPTOR_STRUCT:
    case DESCRIPTOR_SUM:
        put_members(sink, type);
        break;
    default:
        break;
    }
}

static void put_strategy(struct sink *sink, const struct descriptor_strategy *s)
{
    put_string(sink, s->name);
    put_string(sink, s->memory_pool);
    put_string(sink, s->gpu_memory_pool);
    put_number(sink, s->memory_pool_bytes);
    put_number(sink, s->gpu_memory_pool_bytes);
    put_number(sink, s->max_memory_per_instance_bytes);
    put_number(sink, s->gpu_batch_count);
    put_number(sink, s->compression_threshold_bytes);
    put_number(sink, s->async_write_buffer_count);
    put_signed(sink, s->access_pattern_learning);
    put_signed(sink, s->auto_migration);
    put_number(sink, s->hot_to_warm_count);
    put_number(sink, s->warm_to_cold_count);
    put_number(sink, (uint64_t)s->hot_to_warm_window_ms);
    put_number(sink, (uint64_t)s->warm_to_cold_window_ms);
    put_number(sink, (uint64_t)s->cold_to_archive_age_ms);
}

static void put_retention(struct sink *sink, const struct descriptor_field *f)
{
    put_number(sink, f->retention_count);
    for (uint32_t i = 0; i < f->retention_count; i++) {
        put_byte(sink, f->retention[i].tier);
        put_number(sink, (uint64_t)f->retention[i].age_ms);
    }
}

static void put_field(struct sink *sink, const struct descriptor_field *f)
{
    put_string(sink, f->name);
    put_number(sink, f->type->index);
    put_number(sink, f->flags);
    put_byte(sink, f->home);
    put_byte(sink, f->survives);
    put_byte(sink, f->compression);
    put_byte(sink, f->priority);
    put_byte(sink, f->physics);
    put_byte(sink, f->access);
    put_byte(sink, f->prefer);
    put_number(sink, f->copies);
    put_number(sink, (uint64_t)f->ttl_ms);
    put_retention(sink, f);
    put_number(sink, f->by == DESCRIPTOR_NO_MEMBER ? 0 : f->by + UINT64_C(1));
    put_value(sink, &f->value);
    put_string(sink, f->was);
    put_number(sink, f->inputs);
}

static void put_product(struct sink *sink, const struct descriptor *descriptor,
                        const struct descriptor_product *p)
{
    put_string(sink, p->name);
    put_number(sink, (uint64_t)p->ttl_ms);
    put_number(sink, p->max_memory_bytes);
    put_byte(sink, p->priority);
    put_byte(sink, p->access);
    put_number(sink, p->strategy
                         ? (uint64_t)(p->strategy - descriptor->strategies) + 1
                         : 0);
    put_number(sink, p->hot);
    put_number(sink, p->key_count);
    put_bytes(sink, p->key_fields, p->key_count);
    put_number(sink, p->field_count);
    for (uint32_t i = 0; i < p->field_count; i++)
        put_field(sink, &p->fields[i]);
}

int descriptor_encode(const struct descriptor *descriptor, uint8_t **bytes,
                      size_t *size)
{
    struct sink sink = {NULL, 0, 0, DESCRIPTOR_OK};
    struct sink head;
    *bytes = NULL;
    *size = 0;
    put_bytes(&sink, "warp.wsd", 8);
    put_fixed(&sink, DESCRIPTOR_VERSION, 2);
    put_fixed(&sink, 0, 2);
    put_fixed(&sink, 0, 4);
    put_fixed(&sink, descriptor->fingerprint, 8);
    put_fixed(&sink, 0, 8);
    put_string(&sink, descriptor->name);
    put_number(&sink, descriptor->type_count);
    put_number(&sink, descriptor->strategy_count);
    put_number(&sink, descriptor->product_count);
    for (uint32_t i = 0; i < descriptor->type_count; i++)
        put_type(&sink, descriptor->types[i]);
    for (uint32_t i = 0; i < descriptor->strategy_count; i++)
        put_strategy(&sink, &descriptor->strategies[i]);
    for (uint32_t i = 0; i < descriptor->product_count; i++)
        put_product(&sink, descriptor, &descriptor->products[i]);
    if (sink.error == DESCRIPTOR_OK && sink.size > DESCRIPTOR_BYTES_MAX)
        sink.error = DESCRIPTOR_ELIMIT;
    if (sink.error != DESCRIPTOR_OK) {
        free(sink.bytes);
        return sink.error;
    }
    head = (struct sink){sink.bytes, 12, sink.room, DESCRIPTOR_OK};
    put_fixed(&head, sink.size - DESCRIPTOR_HEADER_BYTES, 4);
    head.size = 24;
    put_fixed(&head,
              descriptor_crc(descriptor_crc(0, sink.bytes, 24),
                             sink.bytes + DESCRIPTOR_HEADER_BYTES,
                             sink.size - DESCRIPTOR_HEADER_BYTES),
              4);
    *bytes = sink.bytes;
    *size = sink.size;
    return DESCRIPTOR_OK;
}

/* ---- fingerprints ---- */

/* FNV-1a over 64 bits, with a last mixing step: short inputs differ in every
 * bit of the result. */
static uint64_t hash_bytes(const uint8_t *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    hash = (hash ^ (hash >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    return hash ^ (hash >> 32);
}

static uint64_t hash_sink(struct sink *sink)
{
    uint64_t hash = hash_bytes(sink->bytes, sink->size);
    sink->size = 0;
    return hash;
}

/* Parts by their own fingerprints, so that their order in the table does not
 * count. */
static void hash_type(struct sink *sink, struct descriptor_type *type)
{
    put_byte(sink, type->kind);
    put_number(sink, type->count);
    put_byte(sink, type->width);
    put_byte(sink, type->is_signed);
    if (type->elem)
        put_fixed(sink, type->elem->fingerprint, 8);
    if (type->kind == DESCRIPTOR_STRUCT || type->kind == DESCRIPTOR_SUM)
        for (uint32_t i = 0; i < type->count; i++) {
            const struct descriptor_member *m = &type->members[i];
            put_string(sink, m->name);
            put_byte(sink, m->optional);
            put_signed(sink, m->tag);
            put_fixed(sink, m->type ? m->type->fingerprint : 0, 8);
            put_value(sink, &m->value);
        }
    if (type->kind == DESCRIPTOR_ENUM)
        for (uint32_t i = 0; i < type->count; i++) {
            put_string(sink, type->values[i].name);
            put_signed(sink, type->values[i].value);
        }
    type->fingerprint = hash_sink(sink);
}

static void hash_field(struct sink *sink, const struct descriptor_field *f)
{
    put_string(sink, f->name);
    put_fixed(sink, f->type->fingerprint, 8);
    put_number(sink, f->flags & ~(uint32_t)DESCRIPTOR_F_DEPRECATED);
    put_byte(sink, f->home);
    put_byte(sink, f->survives);
    put_byte(sink, f->compression);
    put_number(sink, f->copies);
    put_number(sink, (uint64_t)f->ttl_ms);
    put_retention(sink, f);
    put_number(sink, f->by);
    put_value(sink, &f->value);
}

int descriptor_fingerprint(struct descriptor *descriptor)
{
    struct sink sink = {NULL, 0, 0, DESCRIPTOR_OK};
    uint64_t whole = UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = 0; i < descriptor->type_count; i++)
        hash_type(&sink, descriptor->types[i]);
    for (uint32_t i = 0; i < descriptor->product_count; i++) {
        struct descriptor_product *p = &descriptor->products[i];
        uint8_t link[16];
        struct sink both = {link, 0, sizeof link, DESCRIPTOR_OK};
        put_string(&sink, p->name);
        put_number(&sink, (uint64_t)p->ttl_ms);
        put_number(&sink, p->key_count);
        put_bytes(&sink, p->key_fields, p->key_count);
        for (uint32_t j = 0; j < p->field_count; j++)
            hash_field(&sink, &p->fields[j]);
        p->fingerprint = hash_sink(&sink);
        put_fixed(&both, whole, 8);
        put_fixed(&both, p->fingerprint, 8);
        whole = hash_bytes(link, sizeof link);
    }
    descriptor->fingerprint = whole;
    free(sink.bytes);
    return sink.error;
}

uint32_t descriptor_crc(uint32_t crc, const uint8_t *bytes, size_t size)
{
    static const uint32_t half[16] = {
        /* of the reversed 0x1edc6f41 */
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ half[crc & 15];
        crc = (crc >> 4) ^ half[crc & 15];
    }
    return ~crc;
}
