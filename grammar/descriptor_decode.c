/* The bytes of a .wsd file -> struct descriptor. The format stands at the
 * head of descriptor.c. The bytes are not trusted: every length is checked
 * against what is left before memory is taken for it, every reference against
 * what stands before it, every number against its range, and names against
 * each other. What passes can be used without further checks. */
#include "descriptor.h"

#include <stdlib.h>
#include <string.h>

/* Blocks that are freed together. */
struct block {
    struct block *next;
    size_t used, room;
    max_align_t data[];
};

struct reader {
    const uint8_t *bytes;
    size_t at, size;
    struct block *blocks;
    struct descriptor *out;
    int error; /* the first; after it everything reads as zero */
    struct descriptor_fault fault;
};

static void fail(struct reader *r, int error, const char *what)
{
    if (r->error == DESCRIPTOR_OK) {
        r->error = error;
        r->fault.offset = r->at;
        r->fault.what = what;
    }
}

static void damaged(struct reader *r, const char *what)
{
    fail(r, DESCRIPTOR_ECORRUPT, what);
}

/* Zeroed; NULL only when r->error is set or nothing was asked for. */
static void *take(struct reader *r, size_t count, size_t each)
{
    size_t align = _Alignof(max_align_t), size = count * each;
    struct block *block = r->blocks;
    if (r->error != DESCRIPTOR_OK || size == 0)
        return NULL;
    size = (size + align - 1) / align * align;
    if (block == NULL || size > block->room - block->used) {
        size_t room = size > 8192 ? size : 8192;
        block = calloc(1, sizeof *block + room);
        if (block == NULL) {
            fail(r, DESCRIPTOR_ENOMEM, "out of memory");
            return NULL;
        }
        block->room = room;
        block->next = r->blocks;
        r->blocks = block;
    }
    block->used += size;
    return (uint8_t *)block->data + block->used - size;
}

static const uint8_t *get_bytes(struct reader *r, size_t size)
{
    const uint8_t *at = r->bytes + r->at;
    if (r->error == DESCRIPTOR_OK && size > r->size - r->at)
        damaged(r, "the end comes too soon");
    if (r->error != DESCRIPTOR_OK)
        return NULL;
    r->at += size;
    return at;
}

static uint64_t get_fixed(struct reader *r, size_t size)
{
    const uint8_t *at = get_bytes(r, size);
    uint64_t value = 0;
    for (size_t i = 0; at && i < size; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static uint8_t get_byte(struct reader *r, unsigned max)
{
    uint64_t value = get_fixed(r, 1);
    if (value > max)
        damaged(r, "a number is out of its range");
    return r->error == DESCRIPTOR_OK ? (uint8_t)value : 0;
}

static uint64_t get_number(struct reader *r, uint64_t max)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint64_t byte = get_fixed(r, 1);
        if (shift == 63 && byte > 1)
            damaged(r, "a number has more than 64 bits");
        if (r->error != DESCRIPTOR_OK)
            return 0;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            if (byte == 0 && shift > 0)
                damaged(r, "a number is not in its shortest form");
            break;
        }
    }
    if (value > max)
        damaged(r, "a number is out of its range");
    return r->error == DESCRIPTOR_OK ? value : 0;
}

static int64_t get_signed(struct reader *r)
{
    uint64_t bits = get_number(r, UINT64_MAX);
    return (int64_t)(bits >> 1 ^ (0 - (bits & 1)));
}

static int64_t get_time(struct reader *r)
{
    return (int64_t)get_number(r, INT64_MAX);
}

/* How many elements follow, each of at least `least` bytes. */
static uint32_t get_count(struct reader *r, size_t least, uint64_t max)
{
    uint64_t count = get_number(r, max);
    if (r->error == DESCRIPTOR_OK && count > (r->size - r->at) / least)
        damaged(r, "a count is larger than what follows");
    return r->error == DESCRIPTOR_OK ? (uint32_t)count : 0;
}

static bool is_identifier(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
              *c == '_' || (*c >= '0' && *c <= '9' && c > name)))
            return false;
    return *name != '\0';
}

static const char *get_string(struct reader *r)
{
    size_t size = get_count(r, 1, 4096);
    const uint8_t *at = get_bytes(r, size);
    char *text = take(r, size + 1, 1);
    if (at == NULL || text == NULL)
        return "";
    for (size_t i = 0; i < size; i++) {
        if (at[i] < 0x20 || at[i] == 0x7f)
            damaged(r, "a name holds a control character");
        text[i] = (char)at[i];
    }
    return text;
}

static const char *get_name(struct reader *r)
{
    const char *name = get_string(r);
    if (r->error == DESCRIPTOR_OK && !is_identifier(name))
        damaged(r, "a name is no identifier");
    return name;
}

static const char *get_optional_string(struct reader *r)
{
    const char *text = get_string(r);
    return *text ? text : NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* `first` points to the first name of rows `stride` bytes apart. */
static void check_unique(struct reader *r, const void *first, size_t stride,
                         uint32_t count)
{
    const char **names;
    if (r->error != DESCRIPTOR_OK || count < 2)
        return;
    names = malloc(count * sizeof *names);
    if (names == NULL) {
        fail(r, DESCRIPTOR_ENOMEM, "out of memory");
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        memcpy(&names[i], (const char *)first + i * stride, sizeof *names);
    qsort(names, count, sizeof *names, compare_names);
    for (uint32_t i = 1; i < count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            damaged(r, "a name stands there twice");
    free(names);
}

/* ---- types and values ---- */

static struct descriptor_type *get_type_ref(struct reader *r, uint32_t before)
{
    uint64_t index = get_number(r, UINT32_MAX);
    if (r->error == DESCRIPTOR_OK && index >= before)
        damaged(r, "a type refers to one that does not stand before it");
    return r->error == DESCRIPTOR_OK ? r->out->types[index] : NULL;
}

static void get_value(struct reader *r, struct descriptor_value *value,
                      unsigned depth)
{
    struct descriptor_value *items;
    uint64_t bits;
    if (depth > DESCRIPTOR_DEPTH_MAX) {
        damaged(r, "a value is nested too deeply");
        return;
    }
    value->kind = get_byte(r, DESCRIPTOR_VALUE_TUPLE);
    switch (value->kind) {
    case DESCRIPTOR_VALUE_NONE:
        break;
    case DESCRIPTOR_VALUE_INT:
        value->i = get_signed(r);
        break;
    case DESCRIPTOR_VALUE_UINT:
        value->u = get_number(r, UINT64_MAX);
        break;
    case DESCRIPTOR_VALUE_FLOAT:
        bits = get_fixed(r, 8);
        memcpy(&value->f, &bits, sizeof bits);
        break;
    case DESCRIPTOR_VALUE_BYTES: {
        const uint8_t *at;
        uint8_t *copy;
        value->count = get_count(r, 1, UINT32_MAX);
        at = get_bytes(r, value->count);
        copy = take(r, value->count, 1);
        if (at && copy)
            memcpy(copy, at, value->count);
        value->data = copy;
        break;
    }
    case DESCRIPTOR_VALUE_TUPLE:
        value->count = get_count(r, 1, UINT32_MAX);
        value->items = items = take(r, value->count, sizeof *items);
        for (uint32_t i = 0; items && i < value->count; i++)
            get_value(r, &items[i], depth + 1);
        break;
    }
    if (r->error != DESCRIPTOR_OK)
        memset(value, 0, sizeof *value);
}

static void get_default(struct reader *r, struct descriptor_value *value,
                        const struct descriptor_type *type)
{
    get_value(r, value, 1);
    if (r->error == DESCRIPTOR_OK && value->kind != DESCRIPTOR_VALUE_NONE &&
        !descriptor_value_fits(value, type))
        damaged(r, "a default is no value of its type");
}

static void get_members(struct reader *r, struct descriptor_type *type)
{
    struct descriptor_member *members;
    type->count = get_count(r, 3, UINT32_MAX);
    type->members = members = take(r, type->count, sizeof *members);
    for (uint32_t i = 0; r->error == DESCRIPTOR_OK && i < type->count; i++) {
        struct descriptor_member *m = &members[i];
        m->name = get_name(r);
        if (type->kind == DESCRIPTOR_SUM) {
            uint64_t index;
            m->tag = get_signed(r);
            if (m->tag != i)
                damaged(r, "a variant's tag is not its place");
            index = get_number(r, UINT32_MAX);
            if (index > type->index)
                damaged(r, "a variant refers to a later type");
            if (r->error == DESCRIPTOR_OK && index > 0) {
                m->type = r->out->types[index - 1];
                if (m->type->kind != DESCRIPTOR_STRUCT)
                    damaged(r, "a variant is no struct");
            }
        } else {
            unsigned flags = get_byte(r, 3);
            m->optional = (flags & 1) != 0;
            m->deprecated = (flags & 2) != 0;
            m->type = get_type_ref(r, type->index);
            m->was = get_optional_string(r);
            if (r->error == DESCRIPTOR_OK)
                get_default(r, &m->value, m->type);
        }
    }
    if (type->count == 0)
        damaged(r, "a struct or sum has no members");
    check_unique(r, members, sizeof *members, type->count);
}

static void get_enum(struct reader *r, struct descriptor_type *type)
{
    struct descriptor_enumerator *values;
    type->width = get_byte(r, 8);
    if (type->width == 0 || (type->width & (type->width - 1)) != 0)
        damaged(r, "an enum's width is not 1, 2, 4 or 8");
    type->is_signed = get_byte(r, 1) != 0;
    type->count = get_count(r, 2, UINT32_MAX);
    type->values = values = take(r, type->count, sizeof *values);
    for (uint32_t i = 0; r->error == DESCRIPTOR_OK && i < type->count; i++) {
        values[i].name = get_name(r);
        values[i].value = get_signed(r);
        if (values[i].value < INT32_MIN || values[i].value > INT32_MAX)
            damaged(r, "an enumerator does not fit an int");
    }
    if (type->count == 0)
        damaged(r, "an enum has no values");
    check_unique(r, values, sizeof *values, type->count);
}

static void get_type(struct reader *r, struct descriptor_type *type)
{
    type->kind = get_byte(r, DESCRIPTOR_KIND_LAST);
    type->name = get_string(r);
    switch (type->kind) {
    case 0:
        damaged(r, "a type has no kind");
        break;
    case DESCRIPTOR_FIXED_BYTES:
    case DESCRIPTOR_STRING:
    case DESCRIPTOR_BYTES:
    case DESCRIPTOR_OPAQUE:
        type->count = (uint32_t)get_number(r, UINT32_MAX);
        break;
    case DESCRIPTOR_ARRAY:
    case DESCRIPTOR_LIST:
    case DESCRIPTOR_MAP:
        type->count = (uint32_t)get_number(r, UINT32_MAX);
        type->elem = get_type_ref(r, type->index);
        if (type->kind == DESCRIPTOR_MAP && type->elem &&
            (type->elem->kind != DESCRIPTOR_STRUCT || type->elem->count != 2))
            damaged(r, "a map's entry is no pair");
        break;
    case DESCRIPTOR_ENUM:
        get_enum(r, type);
        break;
    case DESCRIPTOR_STRUCT:
    case DESCRIPTOR_SUM:
        get_members(r, type);
        break;
    default:
        break;
    }
    if ((type->kind == DESCRIPTOR_FIXED_BYTES ||
         type->kind == DESCRIPTOR_ARRAY) &&
        type->count == 0)
        damaged(r, "an array has no elements");
}

/* ---- strategies and products ---- */

static void get_strategy(struct reader *r, struct descriptor_strategy *s)
{
    int64_t flag;
    s->name = get_string(r);
    s->memory_pool = get_optional_string(r);
    s->gpu_memory_pool = get_optional_string(r);
    s->memory_pool_bytes = get_number(r, UINT64_MAX);
    s->gpu_memory_pool_bytes = get_number(r, UINT64_MAX);
    s->max_memory_per_instance_bytes = get_number(r, UINT64_MAX);
    s->gpu_batch_count = get_number(r, UINT64_MAX);
    s->compression_threshold_bytes = get_number(r, UINT64_MAX);
    s->async_write_buffer_count = get_number(r, UINT64_MAX);
    flag = get_signed(r);
    if (flag < -1 || flag > 1)
        damaged(r, "a switch is neither on, off nor unsaid");
    s->access_pattern_learning = (int8_t)flag;
    flag = get_signed(r);
    if (flag < -1 || flag > 1)
        damaged(r, "a switch is neither on, off nor unsaid");
    s->auto_migration = (int8_t)flag;
    s->hot_to_warm_count = get_number(r, UINT64_MAX);
    s->warm_to_cold_count = get_number(r, UINT64_MAX);
    s->hot_to_warm_window_ms = get_time(r);
    s->warm_to_cold_window_ms = get_time(r);
    s->cold_to_archive_age_ms = get_time(r);
}

static void get_retention(struct reader *r, struct descriptor_field *f)
{
    struct descriptor_retention *steps;
    f->retention_count = get_count(r, 2, 16);
    f->retention = steps = take(r, f->retention_count, sizeof *steps);
    for (uint32_t i = 0; steps && i < f->retention_count; i++) {
        steps[i].tier = get_byte(r, 5);
        steps[i].age_ms = get_time(r);
        if (steps[i].tier == 0 ||
            (i > 0 && (steps[i].tier <= steps[i - 1].tier ||
                       steps[i].age_ms <= steps[i - 1].age_ms)))
            damaged(r, "the steps of a retention are out of order");
    }
}

static void get_field(struct reader *r, struct descriptor_field *f)
{
    uint64_t by;
    f->name = get_name(r);
    f->type = get_type_ref(r, r->out->type_count);
    f->flags = (uint32_t)get_number(r, DESCRIPTOR_FLAGS_ALL);
    f->home = get_byte(r, DESCRIPTOR_HOME_LAST);
    if (f->home == 0)
        damaged(r, "a field has no home");
    f->survives = get_byte(r, 3);
    f->compression = get_byte(r, 4);
    f->priority = get_byte(r, 5);
    f->physics = get_byte(r, 7);
    f->access = get_byte(r, 5);
    f->prefer = get_byte(r, 5);
    f->copies = (uint32_t)get_number(r, (2u << DESCRIPTOR_HOME_LAST) - 1);
    f->ttl_ms = get_time(r);
    get_retention(r, f);
    by = get_number(r, UINT32_MAX);
    f->by = by ? (uint32_t)(by - 1) : DESCRIPTOR_NO_MEMBER;
    if (r->error == DESCRIPTOR_OK && by) {
        const struct descriptor_type *t = f->type;
        if (!(f->flags & DESCRIPTOR_F_SERIES) || t->kind != DESCRIPTOR_STRUCT ||
            f->by >= t->count ||
            t->members[f->by].type->kind != DESCRIPTOR_TIMESTAMP)
            damaged(r, "the time of a series is no timestamp of its element");
    }
    if (r->error == DESCRIPTOR_OK)
        get_default(r, &f->value, f->type);
    f->was = get_optional_string(r);
    f->inputs = get_number(r, (UINT64_C(1) << DESCRIPTOR_FIELDS_MAX) - 1);
}

static void get_keys(struct reader *r, struct descriptor_product *p)
{
    uint8_t *keys;
    p->key_count = get_count(r, 1, DESCRIPTOR_FIELDS_MAX);
    p->key_fields = keys = take(r, p->key_count, 1);
    for (uint32_t i = 0; keys && i < p->key_count; i++) {
        keys[i] = get_byte(r, DESCRIPTOR_FIELDS_MAX - 1);
        if (i > 0 && keys[i] <= keys[i - 1])
            damaged(r, "key fields are out of order");
    }
    if (p->key_count == 0)
        damaged(r, "a product has no key");
}

static void check_product(struct reader *r, const struct descriptor_product *p)
{
    uint32_t keys = 0;
    for (uint32_t i = 0; i < p->field_count; i++) {
        const struct descriptor_field *f = &p->fields[i];
        bool key = keys < p->key_count && p->key_fields[keys] == i;
        keys += key;
        if (key != ((f->flags & DESCRIPTOR_F_KEY) != 0))
            damaged(r, "the key's fields and their flags differ");
        if (key && (f->flags & (DESCRIPTOR_F_SERIES | DESCRIPTOR_F_DERIVED)))
            damaged(r, "a key field is a series or derived");
        if ((f->flags & (DESCRIPTOR_F_KEY | DESCRIPTOR_F_INDEX)) &&
            f->type->kind > DESCRIPTOR_FIXED_BYTES &&
            f->type->kind != DESCRIPTOR_ENUM)
            damaged(r, "a key or index is over a type that has no order");
        if (f->inputs >> p->field_count)
            damaged(r, "a field reads one that is not there");
    }
    if (keys != p->key_count)
        damaged(r, "a key field is not there");
    if (p->hot >> p->field_count)
        damaged(r, "a hot field is not there");
    check_unique(r, p->fields, sizeof *p->fields, p->field_count);
}

static void get_product(struct reader *r, struct descriptor_product *p)
{
    uint64_t strategy;
    p->name = get_name(r);
    p->ttl_ms = get_time(r);
    p->max_memory_bytes = get_number(r, UINT64_MAX);
    p->priority = get_byte(r, 5);
    p->access = get_byte(r, 5);
    strategy = get_number(r, r->out->strategy_count);
    if (strategy > 0)
        p->strategy = &r->out->strategies[strategy - 1];
    p->hot = get_number(r, UINT64_MAX);
    get_keys(r, p);
    p->field_count = get_count(r, 16, DESCRIPTOR_FIELDS_MAX);
    p->fields = take(r, p->field_count, sizeof *p->fields);
    for (uint32_t i = 0; p->fields && i < p->field_count; i++)
        get_field(r, &p->fields[i]);
    if (r->error == DESCRIPTOR_OK)
        check_product(r, p);
}

/* ---- the whole ---- */

static void get_body(struct reader *r)
{
    struct descriptor *out = r->out;
    struct descriptor_type **types;
    uint32_t types_count;
    out->name = get_string(r);
    types_count = get_count(r, 2, DESCRIPTOR_TYPES_MAX);
    out->strategy_count = get_count(r, 16, UINT32_MAX);
    out->product_count = get_count(r, 8, DESCRIPTOR_PRODUCTS_MAX);
    types = take(r, types_count, sizeof *types);
    out->types = types;
    for (uint32_t i = 0; types && i < types_count; i++) {
        types[i] = take(r, 1, sizeof **types);
        if (types[i] == NULL)
            return;
        types[i]->index = i;
        get_type(r, types[i]);
        if (r->error != DESCRIPTOR_OK)
            return;
        out->type_count = i + 1;
    }
    out->strategies = take(r, out->strategy_count, sizeof *out->strategies);
    for (uint32_t i = 0; out->strategies && i < out->strategy_count; i++)
        get_strategy(r, &out->strategies[i]);
    out->products = take(r, out->product_count, sizeof *out->products);
    for (uint32_t i = 0; out->products && i < out->product_count; i++)
        get_product(r, &out->products[i]);
    if (r->error == DESCRIPTOR_OK && r->at != r->size)
        damaged(r, "something stands behind the last product");
    check_unique(r, out->products, sizeof *out->products, out->product_count);
}

static void get_header(struct reader *r, uint64_t *fingerprint)
{
    const uint8_t *magic = get_bytes(r, 8);
    uint64_t version, crc;
    if (magic && memcmp(magic, "warp.wsd", 8) != 0)
        damaged(r, "this is no schema descriptor");
    version = get_fixed(r, 2);
    if (r->error == DESCRIPTOR_OK && version > DESCRIPTOR_VERSION)
        fail(r, DESCRIPTOR_EVERSION, "written by a later version of Warp");
    if (version == 0 || get_fixed(r, 2) != 0)
        damaged(r, "the header is damaged");
    if (get_fixed(r, 4) != r->size - DESCRIPTOR_HEADER_BYTES)
        damaged(r, "the length is not the one in the header");
    *fingerprint = get_fixed(r, 8);
    crc = get_fixed(r, 4);
    if (get_fixed(r, 4) != 0)
        damaged(r, "the header is damaged");
    if (r->error == DESCRIPTOR_OK &&
        crc != descriptor_crc(descriptor_crc(0, r->bytes, 24), r->bytes + r->at,
                              r->size - r->at))
        damaged(r, "the checksum is wrong");
}

int descriptor_decode(const uint8_t *bytes, size_t size,
                      struct descriptor **out, struct descriptor_fault *fault)
{
    struct reader r = {bytes, 0, size, NULL, NULL, DESCRIPTOR_OK, {0, ""}};
    uint64_t fingerprint = 0;
    *out = NULL;
    if (size < DESCRIPTOR_HEADER_BYTES || size > DESCRIPTOR_BYTES_MAX)
        damaged(&r, "too short or too long for a schema descriptor");
    if (r.error == DESCRIPTOR_OK)
        get_header(&r, &fingerprint);
    r.out = take(&r, 1, sizeof *r.out);
    if (r.out)
        get_body(&r);
    if (r.error == DESCRIPTOR_OK && !descriptor_layout(r.out))
        damaged(&r, "a type is too large or nested too deeply");
    if (r.error == DESCRIPTOR_OK)
        r.error = descriptor_fingerprint(r.out);
    if (r.error == DESCRIPTOR_OK && r.out->fingerprint != fingerprint)
        damaged(&r, "the fingerprint is not that of the schema");
    if (fault)
        *fault = r.fault;
    if (r.out)
        r.out->memory = r.blocks;
    if (r.error == DESCRIPTOR_OK)
        *out = r.out;
    else
        descriptor_destroy(&r.out);
    return r.error;
}

void descriptor_destroy(struct descriptor **descriptor)
{
    struct block *block = *descriptor ? (*descriptor)->memory : NULL;
    *descriptor = NULL;
    while (block) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}
