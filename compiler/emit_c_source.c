/* Model -> FILESTEM.warp.c: a table of descriptors per product, the functions
 * of the header, the schema of the whole import closure with its descriptor's
 * bytes, and the ABI number in a symbol, so that a stale file fails to link. */
#include "emit.h"

#include <stdio.h>
#include <string.h>

static const char *home_name(unsigned home)
{
    static const char *const names[] = {
        "",          "MEMORY",   "MEMORY_ONLY", "GPU",
        "COMPUTED",  "SSD",      "DISK",        "DISK_COMPRESSED",
        "DISK_ONLY", "TEMPORAL", "AUTO",        "HYBRID"};
    return names[home];
}

static const char *tier_name(unsigned tier)
{
    static const char *const names[] = {"",    "MEMORY", "GPU",
                                        "SSD", "DISK",   "ARCHIVE"};
    return names[tier];
}

static const char *priority_name(unsigned priority)
{
    static const char *const names[] = {"",       "BACKGROUND", "LOW",
                                        "NORMAL", "HIGH",       "CRITICAL"};
    return names[priority];
}

static const char *physics_name(unsigned physics)
{
    static const char *const names[] = {"NONE",
                                        "MASS",
                                        "ENTANGLEMENT_POTENTIAL",
                                        "ENTANGLEMENT_GROUP",
                                        "TEMPORAL_WEIGHT",
                                        "TEMPERATURE",
                                        "POSITION",
                                        "SHARD_HINT"};
    return names[physics];
}

static void put_time(struct text *out, int64_t ms)
{
    if (ms == INT64_MAX)
        text_put(out, "INT64_MAX");
    else
        text_format(out, ms > INT32_MAX ? "INT64_C(%lld)" : "%lld",
                    (long long)ms);
}

static void put_flags(struct text *out, uint32_t flags)
{
    static const char *const names[] = {"KEY",        "SERIES", "DERIVED",
                                        "INDEX",      "UNIQUE", "COLUMN",
                                        "DEPRECATED", "INLINE", "THEN_DELETE"};
    const char *before = ", .flags = ";
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (flags >> i & 1) {
            text_format(out, "%sWARP_F_%s", before, names[i]);
            before = " | ";
        }
}

static void put_copies(struct text *out, uint32_t copies)
{
    const char *before = ", .copies = ";
    for (unsigned i = 1; i <= DESCRIPTOR_HOME_LAST; i++)
        if (copies >> i & 1) {
            text_format(out, "%s1u << WARP_HOME_%s", before, home_name(i));
            before = " | ";
        }
}

/* What a row points to: retention steps and defaults. */
static void put_field_objects(struct text *out, uint32_t product,
                              const struct model_product *p,
                              const struct descriptor_product *d)
{
    for (uint32_t i = 0; i < d->field_count; i++) {
        const struct descriptor_field *f = &d->fields[i];
        char name[32];
        if (f->retention_count) {
            text_format(out,
                        "static const struct warp_retention r%u_%u_[] "
                        "= {\n",
                        product, i);
            for (uint32_t j = 0; j < f->retention_count; j++) {
                text_format(out, "    { WARP_TIER_%s, ",
                            tier_name(f->retention[j].tier));
                put_time(out, f->retention[j].age_ms);
                text_put(out, " },\n");
            }
            text_put(out, "};\n");
        }
        if (f->value.kind != DESCRIPTOR_VALUE_NONE) {
            snprintf(name, sizeof name, "d%u_%u", product, i);
            emit_c_default(out, p->fields[i].type, &p->fields[i].value, name);
        }
    }
}

/* What the row's macro does not say. */
static void put_placement(struct text *out, const struct descriptor_field *f)
{
    static const char *const survives[] = {"", "NOTHING", "PROCESS_CRASH",
                                           "POWER_LOSS"};
    static const char *const compress[] = {"", "NONE", "FAST", "DEFAULT",
                                           "MAXIMUM"};
    static const char *const access[] = {"",     "HOT",        "WARM",
                                         "COLD", "SEQUENTIAL", "BALANCED"};
    if (f->survives)
        text_format(out, ", .survives = WARP_SURVIVES_%s",
                    survives[f->survives]);
    if (f->compression)
        text_format(out, ", .compression = WARP_COMPRESS_%s",
                    compress[f->compression]);
    if (f->physics)
        text_format(out, ", .physics = WARP_PHYSICS_%s",
                    physics_name(f->physics));
    if (f->access)
        text_format(out, ", .access = WARP_ACCESS_%s", access[f->access]);
    if (f->prefer)
        text_format(out, ", .prefer = WARP_TIER_%s", tier_name(f->prefer));
    put_copies(out, f->copies);
}

/* Places in the lists of names. */
enum { NO_COMPRESSION = 1, NORMAL_PRIORITY = 3 };

/* The line that says all of a row, or NULL. */
static const char *short_row(const struct descriptor_field *f, bool composite)
{
    bool plain = f->home == DESCRIPTOR_HOME_MEMORY && !f->survives &&
                 f->compression == NO_COMPRESSION &&
                 f->priority == NORMAL_PRIORITY && !f->physics &&
                 !f->access && !f->prefer && !f->copies && !f->ttl_ms &&
                 !f->retention_count && !f->inputs && !f->was &&
                 f->value.kind == DESCRIPTOR_VALUE_NONE;
    if (!plain)
        return NULL;
    if (f->flags == 0)
        return "ROW(";
    if (f->flags == DESCRIPTOR_F_INLINE)
        return "INLINE(";
    return f->flags == DESCRIPTOR_F_KEY && !composite ? "KEY(" : NULL;
}

static void put_long_row(struct text *out, uint32_t product, uint32_t i,
                         const struct model_product *p,
                         const struct descriptor_field *f)
{
    const char *c_name = p->fields[i].c_name;
    bool series = (f->flags & DESCRIPTOR_F_SERIES) != 0;
    text_put3(out, "    { WARP_GEN_", series ? "SERIES_FIELD(" : "FIELD(",
              c_name);
    TEXT(out, ", ");
    emit_type_ref(out, f->type);
    if (!series)
        text_put3(out, ", ", home_name(f->home), "");
    text_put3(out, ", ", priority_name(f->priority), ")");
    if (p->key_composite && (f->flags & DESCRIPTOR_F_KEY))
        text_format(out, ",\n      .key_offset = offsetof(%s, %s)",
                    p->key_c_type, c_name);
    put_flags(out, f->flags);
    put_placement(out, f);
    if (f->ttl_ms) {
        text_put(out, ", .ttl_ms = ");
        put_time(out, f->ttl_ms);
    }
    if (f->retention_count)
        text_format(out,
                    ",\n      .retention = r%u_%u_, "
                    ".retention_count = %u",
                    product, i, f->retention_count);
    if (series && f->by == DESCRIPTOR_NO_MEMBER)
        TEXT(out, ", .by_offset = UINT32_MAX");
    else if (series)
        text_format(out, ", .by_offset = offsetof(%s, %s)",
                    p->fields[i].type->element->c_type,
                    p->fields[i].by->c_name);
    if (f->value.kind != DESCRIPTOR_VALUE_NONE)
        text_format(out, ", .default_value = &d%u_%u_", product, i);
    if (f->was)
        text_format(out, ", .was = \"%s\"", f->was);
    if (p->fields[i].formula)
        text_format(out, ",\n      .derive = %s_%u_", p->c_name, i);
    emit_c_kernel_member(out, p, &p->fields[i]);
    if (f->inputs)
        text_format(out, ", .inputs = UINT64_C(0x%llx)",
                    (unsigned long long)f->inputs);
    text_put(out, " },\n");
}

static void put_row(struct text *out, uint32_t product, uint32_t i,
                    const struct model_product *p,
                    const struct descriptor_field *f)
{
    const char *row = short_row(f, p->key_composite);
    if (row == NULL || p->fields[i].derived) {
        put_long_row(out, product, i, p, f);
        return;
    }
    text_put3(out, "    WARP_GEN_", row, p->fields[i].c_name);
    TEXT(out, ", ");
    emit_type_ref(out, f->type);
    TEXT(out, "),\n");
}

static void put_table(const struct emit *emit, struct text *out, uint32_t n,
                      const struct model_product *p,
                      const struct descriptor_product *d)
{
    text_put3(out, "const struct warp_product ", p->c_name,
              "_warp_product = {\n");
    text_format(out,
                "    WARP_GEN_PRODUCT(%u, \"%s\", %s, 0x%lx, 0x%lx, %s", n,
                p->name, p->key_c_type, (unsigned long)p->hot_mask,
                (unsigned long)p->all_mask, priority_name(d->priority));
    for (uint32_t i = 0; i < d->key_count; i++)
        text_format(out, ", %u", d->key_fields[i]);
    TEXT(out, ")");
    if (d->ttl_ms) {
        text_put(out, ", .ttl_ms = ");
        put_time(out, d->ttl_ms);
    }
    if (d->max_memory_bytes)
        text_format(out, ", .max_memory_bytes = UINT64_C(%llu)",
                    (unsigned long long)d->max_memory_bytes);
    if (d->access)
        text_format(out, ", .access = %u", d->access);
    if (d->strategy)
        text_format(out, ", .strategy = &s%u_",
                    (unsigned)(d->strategy - emit->descriptor->strategies));
    text_put(out, " };\n#undef WARP_GEN_S\n\n");
}

static void put_product(const struct emit *emit, struct text *out,
                        uint32_t number, const struct model_product *p,
                        const struct descriptor_product *d)
{
    text_put3(out, "#define WARP_GEN_S struct ", p->c_name, "\n");
    text_format(out, "WARP_GEN_LAYOUT(%u, %u)\n", d->record_bytes,
                d->have_offset);
    put_field_objects(out, number, p, d);
    emit_c_kernel_tables(emit, out, p);
    text_format(out, "static const struct warp_field f%u_[] = {\n", number);
    for (uint32_t i = 0; i < d->field_count; i++)
        put_row(out, number, i, p, &d->fields[i]);
    TEXT(out, "};\n");
    put_table(emit, out, number, p, d);
    text_flush(out);
}

/* ---- strategies ---------------------------------------------------------- */

static void put_count(struct text *out, const char *member, uint64_t value)
{
    if (value)
        text_format(out, ",\n    .%s = UINT64_C(%llu)", member,
                    (unsigned long long)value);
}

static void put_name(struct text *out, const char *member, const char *name)
{
    if (name == NULL)
        return;
    text_format(out, ",\n    .%s = ", member);
    text_literal(out, name, strlen(name));
}

static void put_strategy(struct text *out, uint32_t number,
                         const struct descriptor_strategy *s)
{
    text_format(out, "static const struct warp_strategy s%u_ = {\n    .name = ",
                number);
    text_literal(out, s->name, strlen(s->name));
    put_name(out, "memory_pool", s->memory_pool);
    put_name(out, "gpu_memory_pool", s->gpu_memory_pool);
    put_count(out, "memory_pool_bytes", s->memory_pool_bytes);
    put_count(out, "gpu_memory_pool_bytes", s->gpu_memory_pool_bytes);
    put_count(out, "max_memory_per_instance_bytes",
              s->max_memory_per_instance_bytes);
    put_count(out, "gpu_batch_count", s->gpu_batch_count);
    put_count(out, "compression_threshold_bytes",
              s->compression_threshold_bytes);
    put_count(out, "async_write_buffer_count", s->async_write_buffer_count);
    text_format(out,
                ",\n    .access_pattern_learning = %d, .auto_migration = %d",
                s->access_pattern_learning, s->auto_migration);
    put_count(out, "hot_to_warm_count", s->hot_to_warm_count);
    put_count(out, "warm_to_cold_count", s->warm_to_cold_count);
    put_count(out, "hot_to_warm_window_ms", (uint64_t)s->hot_to_warm_window_ms);
    put_count(out, "warm_to_cold_window_ms",
              (uint64_t)s->warm_to_cold_window_ms);
    put_count(out, "cold_to_archive_age_ms",
              (uint64_t)s->cold_to_archive_age_ms);
    text_put(out, " };\n");
}

static void put_strategies(const struct emit *emit, struct text *out)
{
    const struct descriptor *d = emit->descriptor;
    for (uint32_t i = 0; i < d->strategy_count; i++) {
        bool used = false;
        for (uint32_t j = 0; j < d->product_count; j++)
            used |= d->products[j].strategy == &d->strategies[i] &&
                    emit->model->products[j]->file == emit->file;
        if (used)
            put_strategy(out, i, &d->strategies[i]);
    }
}

/* ---- the schema ---------------------------------------------------------- */

static void put_schema(const struct emit *emit, struct text *out)
{
    const struct model *model = emit->model;
    if (model->product_count > 0) {
        text_put(out, "static const struct warp_product *const products_0_[] "
                      "= {\n");
        for (uint32_t i = 0; i < model->product_count; i++)
            text_put3(out, "    &", model->products[i]->c_name,
                      "_warp_product,\n");
        text_put(out, "};\n");
    }
    emit_c_descriptor(emit, out);
    text_format(out,
                "const struct warp_schema %s_warp_schema = {\n"
                "    .abi = WARP_GEN_ABI, .product_count = %u, "
                ".name = \"%s\",\n",
                emit->file->stem_c, model->product_count,
                emit->descriptor->name);
    if (model->product_count > 0)
        text_put(out, "    .products = products_0_,\n");
    text_format(out,
                "    .descriptor = (const uint8_t *)&descriptor_0_,\n"
                "    .descriptor_bytes = sizeof descriptor_0_,\n"
                "    .fingerprint = UINT64_C(0x%llx) };\n",
                (unsigned long long)emit->descriptor->fingerprint);
}

void emit_c_source(const struct emit *emit, struct text *out)
{
    const struct model *model = emit->model;
    uint32_t number = 0;
    text_put(out, "/* Written by warpc from ");
    text_comment_safe(out, emit->file->base);
    text_format(out,
                ". Do not edit: change the schema. */\n"
                "%s#include <warp/gen.h>\n\n#define ",
                emit_has_kernels(emit) ? "#include <math.h>\n" : "");
    emit_c_guard(emit, out);
    text_format(out,
                "_DEFINES\n#include \"%s.warp.h\"\n\n"
                "/* Another ABI of libwarp lacks this symbol. */\n"
                "__attribute__((used)) static const int *const abi_0_ = "
                "&warp_gen_abi_1;\n\n",
                emit->file->stem);
    emit_c_types(emit, out);
    put_strategies(emit, out);
    emit_c_formulas(emit, out);
    for (uint32_t i = 0; i < model->product_count; i++)
        if (model->products[i]->file == emit->file)
            put_product(emit, out, number++, model->products[i],
                        &emit->descriptor->products[i]);
    put_schema(emit, out);
}
