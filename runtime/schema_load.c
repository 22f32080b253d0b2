/* schema_load.c: a descriptor's bytes to the tables of <warp/gen.h>.
 *
 * The descriptor is decoded by grammar/descriptor_decode.c, which checks all
 * of it; here nothing can fail but memory. The tables point into the decoded
 * descriptor, which they own: its strings, its types' order. */
#include "schema_load.h"

#include <stdlib.h>
#include <string.h>

#include "../grammar/descriptor.h"

struct block {
    struct block *next;
    max_align_t data[];
};

struct loaded {
    struct warp_schema schema; /* first: handles are cast */
    struct descriptor *descriptor;
    struct block *blocks;
    struct warp_type *types;
    struct warp_strategy *strategies;
    uint8_t *bytes;
    int failed;
};

/* Zeroed; after a failure NULL for ever, which each caller passes on. */
static void *take(struct loaded *l, size_t count, size_t each)
{
    struct block *block;
    if (l->failed || count == 0)
        return NULL;
    block = calloc(1, sizeof *block + count * each);
    if (block == NULL) {
        l->failed = 1;
        return NULL;
    }
    block->next = l->blocks;
    l->blocks = block;
    return block->data;
}

static const struct warp_type *type_of(const struct loaded *l,
                                       const struct descriptor_type *type)
{
    return type ? &l->types[type->index] : NULL;
}

static void load_type(struct loaded *l, const struct descriptor_type *from)
{
    struct warp_type *to = &l->types[from->index];
    struct warp_member *members;
    struct warp_enumerator *values;
    to->name = from->name;
    to->kind = from->kind;
    to->width = from->width;
    to->is_signed = from->is_signed;
    to->plain = from->plain;
    to->size = from->size;
    to->wire_bytes = from->wire_bytes;
    to->count = from->count;
    to->elem = type_of(l, from->elem);
    if (from->kind == DESCRIPTOR_STRUCT || from->kind == DESCRIPTOR_SUM) {
        to->members = members = take(l, from->count, sizeof *members);
        for (uint32_t i = 0; members && i < from->count; i++) {
            members[i].name = from->members[i].name;
            members[i].type = type_of(l, from->members[i].type);
            members[i].offset = from->members[i].offset;
            members[i].has_offset = from->members[i].has_offset;
            members[i].tag = from->members[i].tag;
        }
    }
    if (from->kind == DESCRIPTOR_ENUM) {
        to->values = values = take(l, from->count, sizeof *values);
        for (uint32_t i = 0; values && i < from->count; i++) {
            values[i].name = from->values[i].name;
            values[i].value = from->values[i].value;
        }
    }
}

/* ---- defaults: a value in its C form ---- */

static void store_number(uint8_t *to, unsigned kind,
                         const struct descriptor_value *v)
{
    uint64_t bits = v->kind == DESCRIPTOR_VALUE_INT ? (uint64_t)v->i : v->u;
    uint8_t b8 = (uint8_t)bits;
    uint16_t b16 = (uint16_t)bits;
    uint32_t b32 = (uint32_t)bits;
    float f32 = (float)v->f;
    switch (kind) {
    case DESCRIPTOR_BOOL:
    case DESCRIPTOR_U8:
    case DESCRIPTOR_I8:
        memcpy(to, &b8, 1);
        break;
    case DESCRIPTOR_U16:
    case DESCRIPTOR_I16:
        memcpy(to, &b16, 2);
        break;
    case DESCRIPTOR_U32:
    case DESCRIPTOR_I32:
    case DESCRIPTOR_ENUM:
        memcpy(to, &b32, 4);
        break;
    case DESCRIPTOR_F32:
        memcpy(to, &f32, 4);
        break;
    case DESCRIPTOR_F64:
        memcpy(to, &v->f, 8);
        break;
    default:
        memcpy(to, &bits, 8);
        break;
    }
}

static void store(struct loaded *l, uint8_t *to,
                  const struct descriptor_type *type,
                  const struct descriptor_value *v)
{
    struct warp_str text;
    struct warp_list list;
    switch (type->kind) {
    case DESCRIPTOR_STRING:
    case DESCRIPTOR_BYTES:
    case DESCRIPTOR_OPAQUE:
        text.data = (const char *)v->data;
        text.len = v->count;
        memcpy(to, &text, sizeof text);
        break;
    case DESCRIPTOR_UUID:
    case DESCRIPTOR_FIXED_BYTES:
        if (v->count)
            memcpy(to, v->data, v->count);
        break;
    case DESCRIPTOR_LIST:
        list.count = v->count;
        list.data = take(l, v->count, type->elem->size);
        for (uint32_t i = 0; list.data && i < v->count; i++)
            store(l, (uint8_t *)list.data + (size_t)i * type->elem->size,
                  type->elem, &v->items[i]);
        memcpy(to, &list, sizeof list);
        break;
    case DESCRIPTOR_ARRAY:
        for (uint32_t i = 0; i < v->count; i++)
            store(l, to + (size_t)i * type->elem->size, type->elem,
                  &v->items[i]);
        break;
    case DESCRIPTOR_STRUCT:
        for (uint32_t i = 0; i < v->count; i++) {
            const struct descriptor_member *m = &type->members[i];
            if (v->items[i].kind == DESCRIPTOR_VALUE_NONE)
                continue; /* an optional member that is not there */
            if (m->optional)
                to[m->has_offset] = 1;
            store(l, to + m->offset, m->type, &v->items[i]);
        }
        break;
    case DESCRIPTOR_MAP: /* only the empty one is a default */
    case DESCRIPTOR_VALUE_MAP:
        break;
    default:
        store_number(to, type->kind, v);
        break;
    }
}

/* ---- fields and products ---- */

static void load_field(struct loaded *l, struct warp_field *to,
                       const struct descriptor_field *from)
{
    struct warp_retention *steps =
        take(l, from->retention_count, sizeof *steps);
    to->name = from->name;
    to->type = type_of(l, from->type);
    to->offset = from->offset;
    to->key_offset = from->flags & DESCRIPTOR_F_KEY ? from->key_offset : 0;
    to->flags = from->flags;
    to->home = from->home;
    to->survives = from->survives;
    to->compression = from->compression;
    to->priority = from->priority;
    to->physics = from->physics;
    to->access = from->access;
    to->prefer = from->prefer;
    to->copies = from->copies;
    to->ttl_ms = from->ttl_ms;
    to->retention_count = (uint8_t)from->retention_count;
    to->retention = steps;
    for (uint32_t i = 0; steps && i < from->retention_count; i++) {
        steps[i].tier = from->retention[i].tier;
        steps[i].age_ms = from->retention[i].age_ms;
    }
    to->by_offset = from->by == DESCRIPTOR_NO_MEMBER
                        ? UINT32_MAX
                        : from->type->members[from->by].offset;
    if (from->value.kind != DESCRIPTOR_VALUE_NONE) {
        uint8_t *value = take(l, 1, from->type->size);
        if (value)
            store(l, value, from->type, &from->value);
        to->default_value = value;
    }
    to->was = from->was;
    to->inputs = from->inputs;
}

static void load_product(struct loaded *l, struct warp_product *to,
                         const struct descriptor_product *from)
{
    struct warp_field *fields = take(l, from->field_count, sizeof *fields);
    to->name = from->name;
    to->fields = fields;
    to->field_count = from->field_count;
    for (uint32_t i = 0; fields && i < from->field_count; i++)
        load_field(l, &fields[i], &from->fields[i]);
    to->record_bytes = from->record_bytes;
    to->have_offset = from->have_offset;
    to->key_bytes = from->key_bytes;
    to->key_count = from->key_count;
    to->key_fields = from->key_fields;
    to->hot = from->hot;
    to->all = from->all;
    to->ttl_ms = from->ttl_ms;
    to->max_memory_bytes = from->max_memory_bytes;
    to->priority = from->priority;
    to->access = from->access;
    if (from->strategy && l->strategies)
        to->strategy =
            &l->strategies[from->strategy - l->descriptor->strategies];
}

static void load_strategy(struct warp_strategy *to,
                          const struct descriptor_strategy *from)
{
    to->name = from->name;
    to->memory_pool = from->memory_pool;
    to->gpu_memory_pool = from->gpu_memory_pool;
    to->memory_pool_bytes = from->memory_pool_bytes;
    to->gpu_memory_pool_bytes = from->gpu_memory_pool_bytes;
    to->max_memory_per_instance_bytes = from->max_memory_per_instance_bytes;
    to->gpu_batch_count = from->gpu_batch_count;
    to->compression_threshold_bytes = from->compression_threshold_bytes;
    to->async_write_buffer_count = from->async_write_buffer_count;
    to->access_pattern_learning = from->access_pattern_learning;
    to->auto_migration = from->auto_migration;
    to->hot_to_warm_count = from->hot_to_warm_count;
    to->warm_to_cold_count = from->warm_to_cold_count;
    to->hot_to_warm_window_ms = from->hot_to_warm_window_ms;
    to->warm_to_cold_window_ms = from->warm_to_cold_window_ms;
    to->cold_to_archive_age_ms = from->cold_to_archive_age_ms;
}

static void load_all(struct loaded *l, size_t size)
{
    const struct descriptor *d = l->descriptor;
    struct warp_product *products;
    const struct warp_product **refs;
    l->types = take(l, d->type_count, sizeof *l->types);
    for (uint32_t i = 0; l->types && i < d->type_count; i++)
        load_type(l, d->types[i]);
    l->strategies = take(l, d->strategy_count, sizeof *l->strategies);
    for (uint32_t i = 0; l->strategies && i < d->strategy_count; i++)
        load_strategy(&l->strategies[i], &d->strategies[i]);
    products = take(l, d->product_count, sizeof *products);
    refs = take(l, d->product_count, sizeof *refs);
    for (uint32_t i = 0; products && refs && i < d->product_count; i++) {
        load_product(l, &products[i], &d->products[i]);
        refs[i] = &products[i];
    }
    l->schema.abi = WARP_GEN_ABI;
    l->schema.product_count = d->product_count;
    l->schema.name = d->name;
    l->schema.products = refs;
    l->schema.descriptor = l->bytes;
    l->schema.descriptor_bytes = (uint32_t)size;
    l->schema.fingerprint = d->fingerprint;
}

int schema_code(int descriptor_error)
{
    switch (descriptor_error) {
    case DESCRIPTOR_OK:
        return WARP_OK;
    case DESCRIPTOR_ENOMEM:
        return WARP_ENOMEM;
    case DESCRIPTOR_EVERSION:
        return WARP_EVERSION;
    default:
        return WARP_ECORRUPT;
    }
}

int schema_load(const uint8_t *bytes, size_t size, struct warp_schema **out,
                const char **why)
{
    struct loaded *l = calloc(1, sizeof *l);
    struct descriptor_fault fault = {0, "out of memory"};
    int error = DESCRIPTOR_ENOMEM;
    struct warp_schema *schema;
    *out = NULL;
    if (l)
        error = descriptor_decode(bytes, size, &l->descriptor, &fault);
    if (error == DESCRIPTOR_OK) {
        l->bytes = take(l, size, 1);
        if (l->bytes)
            memcpy(l->bytes, bytes, size);
        load_all(l, size);
        if (l->failed) {
            error = DESCRIPTOR_ENOMEM;
            fault.what = "out of memory";
        }
    }
    if (why)
        *why = fault.what;
    schema = l ? &l->schema : NULL;
    if (error == DESCRIPTOR_OK)
        *out = schema;
    else
        schema_free(&schema);
    return schema_code(error);
}

void schema_free(struct warp_schema **schema)
{
    struct loaded *l = (struct loaded *)*schema;
    *schema = NULL;
    if (l == NULL)
        return;
    descriptor_destroy(&l->descriptor);
    while (l->blocks) {
        struct block *next = l->blocks->next;
        free(l->blocks);
        l->blocks = next;
    }
    free(l);
}
