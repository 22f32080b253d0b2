/* A field -> the facts that stand behind its member in the generated header:
 * "memory | survives power_loss", "game_item[] <= 256 | memory | column". */
#include "emit.h"

#include <string.h>

static void put_fact(struct text *out, const char *fact, size_t start)
{
    if (out->size > start)
        text_bytes(out, " | ", 3);
    text_put(out, fact);
}

/* "game_item" for "struct game_item". */
static const char *bare(const char *c_type)
{
    if (strncmp(c_type, "struct ", 7) == 0)
        return c_type + 7;
    return strncmp(c_type, "enum ", 5) == 0 ? c_type + 5 : c_type;
}

static void put_shape(struct text *out, const struct model_type *type,
                      size_t start)
{
    switch (type->kind) {
    case TYPE_LIST:
        put_fact(out, bare(type->element->c_type), start);
        text_put(out, "[]");
        if (type->limit)
            text_format(out, " <= %llu", (unsigned long long)type->limit);
        break;
    case TYPE_MAP:
        put_fact(out, type->wrapper_tag, start);
        text_put(out, "[], sorted by key");
        break;
    case TYPE_DYNAMIC_MAP:
        put_fact(out, "warp_entry[], sorted by key", start);
        break;
    case TYPE_STRING:
    case TYPE_BYTES:
    case TYPE_OPAQUE:
        if (type->kind == TYPE_OPAQUE || type->limit) {
            put_fact(out, "", start);
            text_comment_safe(out, type->spelling);
        }
        break;
    case TYPE_TIMESTAMP:
    case TYPE_DURATION:
        put_fact(out, "ms", start);
        break;
    default:
        break;
    }
}

static void put_time(struct text *out, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{INT64_C(31536000000), "y"},
                 {86400000, "d"},
                 {3600000, "h"},
                 {60000, "m"},
                 {1000, "s"},
                 {1, "ms"}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (ms % units[i].ms == 0) {
            text_format(out, "%lld%s", (long long)(ms / units[i].ms),
                        units[i].unit);
            return;
        }
}

static void put_retention(struct text *out, const struct model_field *f,
                          size_t start)
{
    for (uint32_t i = 0; i < f->retention_count; i++) {
        put_fact(out, model_tier_name(f->retention[i].tier), start);
        if (f->retention[i].age_ms == MODEL_FOREVER) {
            text_put(out, " for ever");
        } else {
            text_put(out, " to ");
            put_time(out, f->retention[i].age_ms);
        }
    }
    if (f->retention_end == RETENTION_DELETE)
        put_fact(out, "then deleted", start);
}

static void put_home(struct text *out, const struct model_field *f,
                     size_t start)
{
    const struct policy_facts *facts = model_policy_facts(f->policy);
    if (f->derived) {
        put_fact(out, "derived", start);
        return;
    }
    put_fact(out, f->policy == PERSIST_DEFAULT ? "memory" : facts->name, start);
    for (uint32_t i = 0; i < f->copy_count; i++)
        if (f->copies[i] != f->policy)
            text_format(out, " + %s", model_policy_name(f->copies[i]));
    if (f->survives == SURVIVES_NOTHING || !facts->is_durable) {
        put_fact(out, "gone after a restart", start);
    } else if (f->survives_from != ORIGIN_DEFAULT) {
        put_fact(out, "survives ", start);
        text_put(out, model_survives_name(f->survives));
    }
    if (!f->hot && !f->series && !f->key)
        put_fact(out, "a get may read the disk", start);
}

void emit_field_facts(struct text *out, const struct model_field *f)
{
    size_t start = out->size;
    if (f->key)
        put_fact(out, "key", start);
    put_shape(out, f->series ? f->type->element : f->type, start);
    if (!f->key)
        put_home(out, f, start);
    if (f->column)
        put_fact(out, "column", start);
    if (f->unique || f->indexed)
        put_fact(out, f->unique ? "unique" : "index", start);
    if (f->ttl_ms) {
        put_fact(out, "ttl ", start);
        put_time(out, f->ttl_ms);
    }
    put_retention(out, f, start);
    if (f->deprecated)
        put_fact(out, "deprecated", start);
}
