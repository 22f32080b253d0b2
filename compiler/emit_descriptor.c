/* Model -> struct descriptor: what the store must know of the schema. Rows of
 * types are made once per shape, parts before what holds them. */
#include "emit.h"

#include "arena.h"

#include <stdlib.h>
#include <string.h>

struct build {
    struct emit *emit;
    struct emit_type **by_model;
    struct descriptor_type **rows;
    uint32_t count, room;
};

static struct emit_type *add_row(struct build *b, const char *name,
                                 enum descriptor_kind kind)
{
    struct emit_type *type = ARENA_NEW(b->emit->arena, struct emit_type);
    if (b->count == b->room) {
        size_t bytes = b->room * sizeof *b->rows;
        b->rows = arena_grow(b->emit->arena, b->rows, bytes, bytes * 2);
        b->room *= 2;
    }
    type->row.index = b->count;
    type->row.name = name;
    type->row.kind = (uint8_t)kind;
    b->rows[b->count++] = &type->row;
    return type;
}

static enum descriptor_kind kind_of(const struct model_type *type)
{
    switch (type->kind) {
    case TYPE_BOOL:
        return DESCRIPTOR_BOOL;
    case TYPE_U8:
        return DESCRIPTOR_U8;
    case TYPE_U16:
        return DESCRIPTOR_U16;
    case TYPE_U32:
        return DESCRIPTOR_U32;
    case TYPE_U64:
        return DESCRIPTOR_U64;
    case TYPE_I8:
        return DESCRIPTOR_I8;
    case TYPE_I16:
        return DESCRIPTOR_I16;
    case TYPE_I32:
        return DESCRIPTOR_I32;
    case TYPE_I64:
        return DESCRIPTOR_I64;
    case TYPE_F32:
        return DESCRIPTOR_F32;
    case TYPE_F64:
        return DESCRIPTOR_F64;
    case TYPE_TIMESTAMP:
        return DESCRIPTOR_TIMESTAMP;
    case TYPE_DURATION:
        return DESCRIPTOR_DURATION;
    case TYPE_UUID:
        return DESCRIPTOR_UUID;
    case TYPE_STRING:
    case TYPE_ATOM:
        return DESCRIPTOR_STRING;
    case TYPE_BYTES:
        return DESCRIPTOR_BYTES;
    case TYPE_OPAQUE:
        return DESCRIPTOR_OPAQUE;
    case TYPE_FIXED_BYTES:
        return DESCRIPTOR_FIXED_BYTES;
    case TYPE_ARRAY:
        return DESCRIPTOR_ARRAY;
    case TYPE_LIST:
        return DESCRIPTOR_LIST;
    case TYPE_MAP:
        return DESCRIPTOR_MAP;
    case TYPE_DYNAMIC_MAP:
        return DESCRIPTOR_VALUE_MAP;
    case TYPE_STRUCT:
        return DESCRIPTOR_STRUCT;
    case TYPE_ENUM:
        return DESCRIPTOR_ENUM;
    case TYPE_SUM:
        return DESCRIPTOR_SUM;
    }
    return DESCRIPTOR_OPAQUE;
}

static void describe_value(struct build *b, struct descriptor_value *to,
                           const struct model_type *type,
                           const struct model_value *from)
{
    struct descriptor_value *items;
    switch (from->kind) {
    case VALUE_NONE:
        break;
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_ENUM:
        to->kind = DESCRIPTOR_VALUE_INT;
        to->i = from->i;
        break;
    case VALUE_UINT:
        to->kind = DESCRIPTOR_VALUE_UINT;
        to->u = from->u;
        break;
    case VALUE_FLOAT:
        to->kind = DESCRIPTOR_VALUE_FLOAT;
        to->f = from->f;
        break;
    case VALUE_TEXT:
    case VALUE_UUID:
        to->kind = DESCRIPTOR_VALUE_BYTES;
        to->data = (const uint8_t *)from->text;
        to->count = from->kind == VALUE_UUID ? 16 : (uint32_t)from->len;
        break;
    case VALUE_EMPTY:
        to->kind = DESCRIPTOR_VALUE_TUPLE;
        break;
    case VALUE_TUPLE:
        to->kind = DESCRIPTOR_VALUE_TUPLE;
        to->count = from->item_count;
        items = ARENA_ARRAY(b->emit->arena, struct descriptor_value,
                            from->item_count);
        for (uint32_t i = 0; i < from->item_count; i++)
            describe_value(b, &items[i],
                           type->kind == TYPE_STRUCT
                               ? type->structure->members[i].type
                               : type->element,
                           &from->items[i]);
        to->items = items;
        break;
    }
}

static struct descriptor_type *describe_type(struct build *b,
                                             const struct model_type *type);

static void describe_members(struct build *b, struct descriptor_type *row,
                             const struct model_member *from, uint32_t count,
                             const struct descriptor_type *const *types)
{
    struct descriptor_member *to =
        ARENA_ARRAY(b->emit->arena, struct descriptor_member, count);
    for (uint32_t i = 0; i < count; i++) {
        to[i].name = from[i].name;
        to[i].type = types[i];
        to[i].optional = from[i].optional;
        to[i].deprecated = from[i].deprecated;
        to[i].was = from[i].was;
        describe_value(b, &to[i].value, from[i].type, &from[i].value);
    }
    row->members = to;
    row->count = count;
}

/* The types first: they stand before the row that holds them. */
static const struct descriptor_type **
member_types(struct build *b, const struct model_member *members,
             uint32_t count)
{
    const struct descriptor_type **types =
        ARENA_ARRAY(b->emit->arena, const struct descriptor_type *, count);
    for (uint32_t i = 0; i < count; i++)
        types[i] = describe_type(b, members[i].type);
    return types;
}

static struct emit_type *describe_struct(struct build *b, const char *name,
                                         const struct model_member *members,
                                         uint32_t count)
{
    const struct descriptor_type **types = member_types(b, members, count);
    struct emit_type *type = add_row(b, name, DESCRIPTOR_STRUCT);
    describe_members(b, &type->row, members, count, types);
    return type;
}

static struct emit_type *describe_sum(struct build *b,
                                      const struct model_type *from)
{
    const struct model_sum *sum = from->sum;
    struct descriptor_member *members = ARENA_ARRAY(
        b->emit->arena, struct descriptor_member, sum->variant_count);
    struct emit_type *type;
    for (uint32_t i = 0; i < sum->variant_count; i++) {
        const struct model_variant *v = &sum->variants[i];
        members[i].name = v->name;
        members[i].tag = v->index;
        if (v->member_count > 0) {
            struct emit_type *body =
                describe_struct(b, v->name, v->members, v->member_count);
            body->sum = sum;
            body->variant = v;
            members[i].type = &body->row;
        }
    }
    type = add_row(b, from->spelling, DESCRIPTOR_SUM);
    type->row.members = members;
    type->row.count = sum->variant_count;
    return type;
}

static struct emit_type *describe_map(struct build *b,
                                      const struct model_type *from)
{
    struct descriptor_member *pair =
        ARENA_ARRAY(b->emit->arena, struct descriptor_member, 2);
    struct emit_type *entry, *type;
    pair[0].name = "key";
    pair[0].type = describe_type(b, from->key);
    pair[1].name = "value";
    pair[1].type = describe_type(b, from->element);
    entry = add_row(b, from->spelling, DESCRIPTOR_STRUCT);
    entry->map = from;
    entry->row.members = pair;
    entry->row.count = 2;
    type = add_row(b, from->spelling, DESCRIPTOR_MAP);
    type->row.elem = &entry->row;
    return type;
}

static struct emit_type *describe_enum(struct build *b,
                                       const struct model_type *from)
{
    const struct model_enum *e = from->enumeration;
    struct emit_type *type = add_row(b, from->spelling, DESCRIPTOR_ENUM);
    struct descriptor_enumerator *values = ARENA_ARRAY(
        b->emit->arena, struct descriptor_enumerator, e->member_count);
    for (uint32_t i = 0; i < e->member_count; i++) {
        values[i].name = e->members[i].name;
        values[i].value = e->members[i].value;
    }
    type->row.values = values;
    type->row.count = e->member_count;
    type->row.width = (uint8_t)e->storage->c_size;
    type->row.is_signed = e->storage->class == CLASS_SINT;
    return type;
}

static struct descriptor_type *describe_type(struct build *b,
                                             const struct model_type *from)
{
    struct emit_type *type = b->by_model[from->index];
    const struct descriptor_type *element = NULL;
    if (type)
        return &type->row;
    switch (from->kind) {
    case TYPE_STRUCT:
        type = describe_struct(b, from->spelling, from->structure->members,
                               from->structure->member_count);
        break;
    case TYPE_SUM:
        type = describe_sum(b, from);
        break;
    case TYPE_MAP:
        type = describe_map(b, from);
        break;
    case TYPE_ENUM:
        type = describe_enum(b, from);
        break;
    default:
        if (from->kind == TYPE_LIST || from->kind == TYPE_ARRAY)
            element = describe_type(b, from->element);
        type = add_row(b, from->spelling, kind_of(from));
        type->row.elem = element;
        type->row.count = (uint32_t)from->limit;
        break;
    }
    type->model = from;
    b->by_model[from->index] = type;
    return &type->row;
}

/* ---- fields -------------------------------------------------------------- */

static uint8_t home_of(const struct model_field *f)
{
    static const uint8_t homes[PERSIST_COUNT] = {
        [PERSIST_DEFAULT] = DESCRIPTOR_HOME_MEMORY,
        [PERSIST_MEMORY] = DESCRIPTOR_HOME_MEMORY,
        [PERSIST_MEMORY_ONLY] = DESCRIPTOR_HOME_MEMORY_ONLY,
        [PERSIST_GPU_MEMORY] = DESCRIPTOR_HOME_GPU,
        [PERSIST_MEMORY_COMPUTED] = DESCRIPTOR_HOME_COMPUTED,
        [PERSIST_SSD] = DESCRIPTOR_HOME_SSD,
        [PERSIST_DISK] = DESCRIPTOR_HOME_DISK,
        [PERSIST_DISK_COMPRESSED] = DESCRIPTOR_HOME_DISK_COMPRESSED,
        [PERSIST_DISK_ONLY] = DESCRIPTOR_HOME_DISK_ONLY,
        [PERSIST_TEMPORAL_TIERING] = DESCRIPTOR_HOME_TEMPORAL,
        [PERSIST_AUTO] = DESCRIPTOR_HOME_AUTO,
        [PERSIST_HYBRID] = DESCRIPTOR_HOME_HYBRID,
    };
    if (f->derived && f->policy == PERSIST_DEFAULT)
        return DESCRIPTOR_HOME_COMPUTED;
    return homes[f->policy];
}

static uint32_t copies_of(const struct model_field *f)
{
    uint32_t copies = 0;
    for (uint32_t i = 0; i < f->copy_count; i++) {
        struct model_field other = {.policy = f->copies[i]};
        if (f->copies[i] != f->policy)
            copies |= 1u << home_of(&other);
    }
    return copies;
}

static uint32_t flags_of(const struct model_field *f)
{
    uint32_t flags = 0;
    bool bounded =
        (f->type->kind == TYPE_STRING || f->type->kind == TYPE_BYTES) &&
        f->type->limit != 0;
    flags |= f->key ? DESCRIPTOR_F_KEY : 0;
    flags |= f->series ? DESCRIPTOR_F_SERIES : 0;
    flags |= f->derived ? DESCRIPTOR_F_DERIVED : 0;
    flags |= f->indexed || f->unique ? DESCRIPTOR_F_INDEX : 0;
    flags |= f->unique ? DESCRIPTOR_F_UNIQUE : 0;
    flags |= f->column || (f->policy == PERSIST_GPU_MEMORY && f->type->fixed)
                 ? DESCRIPTOR_F_COLUMN
                 : 0;
    flags |= f->deprecated ? DESCRIPTOR_F_DEPRECATED : 0;
    flags |= bounded ? DESCRIPTOR_F_INLINE : 0;
    flags |=
        f->retention_end == RETENTION_DELETE ? DESCRIPTOR_F_THEN_DELETE : 0;
    return flags;
}

static uint8_t survives_of(const struct model_field *f)
{
    const struct policy_facts *facts = model_policy_facts(f->policy);
    if (f->survives_from == ORIGIN_DEFAULT && facts->is_durable && !f->derived)
        return 0; /* the store's option decides */
    return (uint8_t)f->survives;
}

static void describe_field(struct build *b, struct descriptor_field *to,
                           const struct model_field *from)
{
    struct descriptor_retention *steps = ARENA_ARRAY(
        b->emit->arena, struct descriptor_retention, from->retention_count);
    const struct model_type *type =
        from->series ? from->type->element : from->type;
    for (uint32_t i = 0; i < from->retention_count; i++) {
        /* the model's tiers have the numbers of enum warp_tier */
        steps[i].tier = (uint8_t)from->retention[i].tier;
        steps[i].age_ms = from->retention[i].age_ms;
    }
    to->name = from->name;
    to->type = describe_type(b, type);
    to->flags = flags_of(from);
    to->home = home_of(from);
    to->survives = survives_of(from);
    to->compression = (uint8_t)from->compression;
    to->priority = (uint8_t)(PRIORITY_BACKGROUND + 1 - from->priority);
    to->physics = (uint8_t)from->physics;
    to->access = (uint8_t)from->access;
    to->prefer = (uint8_t)from->prefer;
    to->copies = copies_of(from);
    to->ttl_ms = from->ttl_ms;
    to->retention_count = from->retention_count;
    to->retention = steps;
    to->by = from->by ? from->by->index : DESCRIPTOR_NO_MEMBER;
    describe_value(b, &to->value, type, &from->value);
    to->was = from->was;
    to->inputs = from->inputs;
}

static void describe_product(struct build *b, struct descriptor_product *to,
                             const struct model_product *from)
{
    struct descriptor_field *fields =
        ARENA_ARRAY(b->emit->arena, struct descriptor_field, from->field_count);
    uint8_t *keys = ARENA_ARRAY(b->emit->arena, uint8_t, from->key_count);
    for (uint32_t i = 0; i < from->field_count; i++)
        describe_field(b, &fields[i], &from->fields[i]);
    for (uint32_t i = 0; i < from->key_count; i++)
        keys[i] = (uint8_t)from->keys[i]->index;
    to->name = from->name;
    to->field_count = from->field_count;
    to->fields = fields;
    to->key_count = from->key_count;
    to->key_fields = keys;
    to->hot = from->hot_mask;
    to->ttl_ms = from->ttl_ms;
    to->max_memory_bytes = from->max_memory_bytes;
    to->priority = (uint8_t)(PRIORITY_BACKGROUND + 1 - from->priority);
    to->access = (uint8_t)from->access;
}

/* ---- strategies ---------------------------------------------------------- */

static void describe_strategy(struct descriptor_strategy *to,
                              const struct model_strategy *s)
{
    to->name = s->name;
    if (s->memory_pool) {
        to->memory_pool = s->memory_pool->name;
        to->memory_pool_bytes = s->memory_pool->size_bytes;
    }
    if (s->gpu_memory_pool) {
        to->gpu_memory_pool = s->gpu_memory_pool->name;
        to->gpu_memory_pool_bytes = s->gpu_memory_pool->size_bytes;
    }
    to->max_memory_per_instance_bytes = s->max_memory_per_instance_bytes;
    to->gpu_batch_count = s->gpu_batch_size;
    to->compression_threshold_bytes = s->compression_threshold_bytes;
    to->async_write_buffer_count = s->async_write_buffer;
    to->access_pattern_learning = to->auto_migration = -1;
    if (s->set & 1u << STRATEGY_ACCESS_PATTERN_LEARNING)
        to->access_pattern_learning = s->access_pattern_learning;
    if (s->set & 1u << STRATEGY_AUTO_MIGRATION)
        to->auto_migration = s->auto_migration;
    to->hot_to_warm_count = s->hot_to_warm.frequency;
    to->hot_to_warm_window_ms = s->hot_to_warm.window_ms;
    to->warm_to_cold_count = s->warm_to_cold.frequency;
    to->warm_to_cold_window_ms = s->warm_to_cold.window_ms;
    to->cold_to_archive_age_ms = s->cold_to_archive_ms;
}

/* Those that a product uses, in the model's order. */
static void describe_strategies(struct build *b, struct descriptor *to)
{
    const struct model *model = b->emit->model;
    to->strategies = ARENA_ARRAY(b->emit->arena, struct descriptor_strategy,
                                 model->strategy_count);
    for (uint32_t i = 0; i < model->strategy_count; i++) {
        const struct model_strategy *s = model->strategies[i];
        bool used = false;
        for (uint32_t j = 0; j < model->product_count; j++) {
            if (model->products[j]->strategy != s)
                continue;
            to->products[j].strategy = &to->strategies[to->strategy_count];
            used = true;
        }
        if (used)
            describe_strategy(&to->strategies[to->strategy_count++], s);
    }
}

int emit_describe(struct emit *emit)
{
    const struct model *model = emit->model;
    struct build b = {.emit = emit, .room = 64};
    struct descriptor *to = ARENA_NEW(emit->arena, struct descriptor);
    struct descriptor *again = NULL;
    uint8_t *bytes;
    size_t size;
    int error;
    b.rows = ARENA_ARRAY(emit->arena, struct descriptor_type *, b.room);
    b.by_model =
        ARENA_ARRAY(emit->arena, struct emit_type *, model->type_count);
    to->name = model->root->stem_c;
    to->product_count = model->product_count;
    to->products = ARENA_ARRAY(emit->arena, struct descriptor_product,
                               model->product_count);
    for (uint32_t i = 0; i < model->product_count; i++)
        describe_product(&b, &to->products[i], model->products[i]);
    describe_strategies(&b, to);
    to->types = b.rows;
    to->type_count = b.count;
    emit->by_model = b.by_model;
    emit->descriptor = to;
    if (!descriptor_layout(to))
        return DESCRIPTOR_ELIMIT;
    error = descriptor_fingerprint(to);
    if (error == DESCRIPTOR_OK)
        error = descriptor_encode(to, &bytes, &size);
    if (error != DESCRIPTOR_OK)
        return error;
    emit->wsd =
        (const uint8_t *)arena_copy(emit->arena, (const char *)bytes, size);
    emit->wsd_bytes = size;
    free(bytes);
    /* A store whose descriptor cannot be read back cannot be opened. */
    error = descriptor_decode(emit->wsd, size, &again, NULL);
    descriptor_destroy(&again);
    return error;
}

void emit_wsd(const struct emit *emit, struct text *out)
{
    text_bytes(out, (const char *)emit->wsd, emit->wsd_bytes);
}
