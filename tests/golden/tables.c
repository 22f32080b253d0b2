/* Do the tables in the generated code say what its descriptor says? Loads the
 * descriptor of one golden schema and compares it with the tables beside it,
 * member by member: an emitter that forgets a fact is found here. */
#include "schema.warp.h"

#include <warp/gen.h>

#include "schema_load.h"

#include <stdio.h>
#include <string.h>

static unsigned differences;

static void differ(const char *where, const char *what)
{
    printf("%s: %s differs\n", where, what);
    differences++;
}

#define SAME(member)                                                           \
    do {                                                                       \
        if (a->member != b->member)                                            \
            differ(where, #member);                                            \
    } while (0)

static void same_text(const char *where, const char *what, const char *a,
                      const char *b)
{
    if ((a == NULL) != (b == NULL) || (a && strcmp(a, b) != 0))
        differ(where, what);
}

static void same_type(const char *where, const struct warp_type *a,
                      const struct warp_type *b)
{
    SAME(kind);
    SAME(width);
    SAME(is_signed);
    SAME(plain);
    SAME(size);
    SAME(wire_bytes);
    SAME(count);
    if (a->kind != b->kind || a->count != b->count)
        return;
    if ((a->elem == NULL) != (b->elem == NULL))
        differ(where, "elem");
    else if (a->elem)
        same_type(where, a->elem, b->elem);
    for (uint32_t i = 0; a->members && i < a->count; i++) {
        same_text(where, "member's name", a->members[i].name,
                  b->members[i].name);
        SAME(members[i].offset);
        SAME(members[i].has_offset);
        SAME(members[i].tag);
        if ((a->members[i].type == NULL) != (b->members[i].type == NULL))
            differ(where, "a variant");
        else if (a->members[i].type)
            same_type(where, a->members[i].type, b->members[i].type);
    }
    for (uint32_t i = 0; a->values && i < a->count; i++) {
        same_text(where, "enumerator", a->values[i].name, b->values[i].name);
        SAME(values[i].value);
    }
}

/* Two values in their C form; padding and addresses do not count. */
static int same_value(const struct warp_type *type, const char *a,
                      const char *b)
{
    const struct warp_str *x = (const void *)a, *y = (const void *)b;
    const struct warp_list *v = (const void *)a, *w = (const void *)b;
    switch (type->kind) {
    case WARP_T_STRING:
    case WARP_T_BYTES:
    case WARP_T_OPAQUE:
        return x->len == y->len && memcmp(x->data, y->data, x->len) == 0;
    case WARP_T_LIST:
        if (v->count != w->count)
            return 0;
        for (size_t i = 0; i < v->count; i++)
            if (!same_value(type->elem,
                            (const char *)v->data + i * type->elem->size,
                            (const char *)w->data + i * type->elem->size))
                return 0;
        return 1;
    case WARP_T_ARRAY:
        for (size_t i = 0; i < type->count; i++)
            if (!same_value(type->elem, a + i * type->elem->size,
                            b + i * type->elem->size))
                return 0;
        return 1;
    case WARP_T_STRUCT:
        for (uint32_t i = 0; i < type->count; i++) {
            const struct warp_member *m = &type->members[i];
            if (m->has_offset != UINT32_MAX) {
                if (a[m->has_offset] != b[m->has_offset])
                    return 0;
                if (!a[m->has_offset])
                    continue;
            }
            if (!same_value(m->type, a + m->offset, b + m->offset))
                return 0;
        }
        return 1;
    case WARP_T_MAP:
    case WARP_T_VALUE_MAP:
        return v->count == 0 && w->count == 0;
    default:
        return memcmp(a, b, type->size) == 0;
    }
}

static void same_default(const char *where, const struct warp_type *type,
                         const void *a, const void *b)
{
    if ((a == NULL) != (b == NULL) || (a && !same_value(type, a, b)))
        differ(where, "default");
}

static void same_field(const char *where, const struct warp_field *a,
                       const struct warp_field *b)
{
    same_text(where, "name", a->name, b->name);
    same_type(where, a->type, b->type);
    SAME(offset);
    SAME(key_offset);
    SAME(flags);
    SAME(home);
    SAME(survives);
    SAME(compression);
    SAME(priority);
    SAME(physics);
    SAME(access);
    SAME(prefer);
    SAME(copies);
    SAME(ttl_ms);
    SAME(by_offset);
    SAME(inputs);
    SAME(retention_count);
    for (uint32_t i = 0; i < a->retention_count; i++) {
        SAME(retention[i].tier);
        SAME(retention[i].age_ms);
    }
    same_text(where, "was", a->was, b->was);
    same_default(where, a->type, a->default_value, b->default_value);
    if (((a->flags & WARP_F_DERIVED) == 0) && a->derive)
        differ(where, "derive");
}

static void same_strategy(const char *where, const struct warp_strategy *a,
                          const struct warp_strategy *b)
{
    if (a == NULL || b == NULL) {
        if (a != b)
            differ(where, "strategy");
        return;
    }
    same_text(where, "strategy's name", a->name, b->name);
    same_text(where, "memory pool", a->memory_pool, b->memory_pool);
    same_text(where, "GPU pool", a->gpu_memory_pool, b->gpu_memory_pool);
    SAME(memory_pool_bytes);
    SAME(gpu_memory_pool_bytes);
    SAME(max_memory_per_instance_bytes);
    SAME(gpu_batch_count);
    SAME(compression_threshold_bytes);
    SAME(async_write_buffer_count);
    SAME(access_pattern_learning);
    SAME(auto_migration);
    SAME(hot_to_warm_count);
    SAME(warm_to_cold_count);
    SAME(hot_to_warm_window_ms);
    SAME(warm_to_cold_window_ms);
    SAME(cold_to_archive_age_ms);
}

static void same_product(const struct warp_product *a,
                         const struct warp_product *b)
{
    const char *where = a->name;
    char field[256];
    same_text(where, "name", a->name, b->name);
    SAME(record_bytes);
    SAME(have_offset);
    SAME(key_bytes);
    SAME(hot);
    SAME(all);
    SAME(ttl_ms);
    SAME(max_memory_bytes);
    SAME(priority);
    SAME(access);
    SAME(key_count);
    SAME(field_count);
    if (a->key_count != b->key_count || a->field_count != b->field_count)
        return;
    for (uint32_t i = 0; i < a->key_count; i++)
        SAME(key_fields[i]);
    same_strategy(where, a->strategy, b->strategy);
    for (uint32_t i = 0; i < a->field_count; i++) {
        snprintf(field, sizeof field, "%s.%s", a->name, a->fields[i].name);
        same_field(field, &a->fields[i], &b->fields[i]);
    }
}

int main(void)
{
    const struct warp_schema *a = &schema_warp_schema;
    struct warp_schema *b;
    const char *where = "schema", *why;
    if (schema_load(a->descriptor, a->descriptor_bytes, &b, &why) != WARP_OK) {
        printf("the descriptor is refused: %s\n", why);
        return 1;
    }
    same_text(where, "name", a->name, b->name);
    SAME(abi);
    SAME(fingerprint);
    SAME(product_count);
    for (uint32_t i = 0; i < a->product_count && i < b->product_count; i++)
        same_product(a->products[i], b->products[i]);
    schema_free(&b);
    return differences != 0;
}
