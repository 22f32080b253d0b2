/* evolve_schema.c: descriptors by hand; fields by name. */
#include "evolve_schema.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
    [DESCRIPTOR_BOOL] = "bool",     [DESCRIPTOR_U8] = "u8",
    [DESCRIPTOR_U16] = "u16",       [DESCRIPTOR_U32] = "u32",
    [DESCRIPTOR_U64] = "u64",       [DESCRIPTOR_I8] = "i8",
    [DESCRIPTOR_I16] = "i16",       [DESCRIPTOR_I32] = "i32",
    [DESCRIPTOR_I64] = "i64",       [DESCRIPTOR_F32] = "f32",
    [DESCRIPTOR_F64] = "f64",       [DESCRIPTOR_TIMESTAMP] = "timestamp",
    [DESCRIPTOR_DURATION] = "duration", [DESCRIPTOR_UUID] = "uuid",
    [DESCRIPTOR_STRING] = "string", [DESCRIPTOR_BYTES] = "bytes"};

void maker_init(struct maker *m)
{
    memset(m, 0, sizeof *m);
    uint32_t n = 0;
    for (uint32_t kind = DESCRIPTOR_BOOL; kind <= DESCRIPTOR_BYTES; kind++) {
        m->types[kind].kind = (uint8_t)kind;
        m->types[kind].name = kind_names[kind];
        m->types[kind].index = n;
        m->refs[n++] = &m->types[kind];
    }
    for (uint32_t i = 0; i < MAKER_FIELDS; i++)
        m->keys[i] = (uint8_t)i;
    m->all.name = "evolve";
    m->all.types = m->refs;
    m->all.type_count = n;
    m->all.products = m->products;
    m->all.product_count = 1;
    m->products[0].name = "Thing";
    m->products[0].fields = m->fields;
    m->products[0].key_count = 1;
    m->products[0].key_fields = m->keys;
    m->products[0].priority = 3;
}

struct descriptor_field *maker_field(struct maker *m, const char *name,
                                     enum descriptor_kind kind)
{
    struct descriptor_field *f = &m->fields[m->products[0].field_count++];
    memset(f, 0, sizeof *f);
    f->name = name;
    f->type = &m->types[kind];
    f->home = DESCRIPTOR_HOME_MEMORY;
    f->priority = 3;
    f->by = DESCRIPTOR_NO_MEMBER;
    return f;
}

void maker_base(struct maker *m)
{
    maker_init(m);
    maker_field(m, "id", DESCRIPTOR_U64)->flags = DESCRIPTOR_F_KEY;
    maker_field(m, "gold", DESCRIPTOR_U32);
    maker_field(m, "name", DESCRIPTOR_STRING);
    maker_field(m, "far", DESCRIPTOR_BYTES)->home = DESCRIPTOR_HOME_SSD;
    maker_field(m, "big", DESCRIPTOR_BYTES)->home = DESCRIPTOR_HOME_DISK;
    maker_field(m, "seen", DESCRIPTOR_U64)->home = DESCRIPTOR_HOME_MEMORY_ONLY;
}

struct descriptor_field *maker_find(struct maker *m, const char *name)
{
    for (uint32_t i = 0; i < m->products[0].field_count; i++)
        if (strcmp(m->fields[i].name, name) == 0)
            return &m->fields[i];
    ck_abort_msg("no field %s", name);
    return NULL;
}

void maker_second(struct maker *m, const char *name, bool first)
{
    m->products[1] = m->products[0];
    m->products[first ? 0 : 1].name = name;
    m->all.product_count = 2;
}

struct warp_schema *maker_load(struct maker *m)
{
    struct warp_schema *schema = NULL;
    const char *why = "";
    uint8_t *bytes;
    size_t size;
    for (uint32_t i = 0; i < m->products[0].field_count; i++)
        if (m->fields[i].home == DESCRIPTOR_HOME_MEMORY_ONLY)
            m->fields[i].survives = 1;
        else if (m->fields[i].survives == 1)
            m->fields[i].survives = 0;
    ck_assert_int_eq(descriptor_fingerprint(&m->all), 0);
    ck_assert_int_eq(descriptor_encode(&m->all, &bytes, &size), 0);
    ck_assert_msg(schema_load(bytes, size, &schema, &why) == WARP_OK, "%s",
                  why);
    free(bytes);
    return schema;
}

struct warp_schema schema_from(const struct warp_schema *s, uint32_t product)
{
    struct warp_schema view = *s;
    view.products += product;
    view.product_count -= product;
    return view;
}

/* ---- records ---- */

uint32_t thing_field(const struct warp_schema *s, const char *name)
{
    const struct warp_product *p = s->products[0];
    for (uint32_t i = 0; i < p->field_count; i++)
        if (strcmp(p->fields[i].name, name) == 0)
            return i;
    ck_abort_msg("no field %s", name);
    return 0;
}

void thing_set_u64(struct warp_db *db, const struct warp_schema *s,
                   uint64_t id, const char *field, uint64_t value)
{
    uint32_t i = thing_field(s, field);
    int rc = warp_gen_set(db, s->products[0], &id, i, &value);
    ck_assert_msg(rc == WARP_OK, "set %s: %d: %s", field, rc,
                  warp_errmsg(db));
}

int thing_try_text(struct warp_db *db, const struct warp_schema *s,
                   uint64_t id, const char *field, const char *text,
                   size_t bytes)
{
    struct warp_str value = {text, (uint32_t)bytes};
    return warp_gen_set(db, s->products[0], &id, thing_field(s, field),
                        &value);
}

void thing_set_text(struct warp_db *db, const struct warp_schema *s,
                    uint64_t id, const char *field, const char *text,
                    size_t bytes)
{
    int rc = thing_try_text(db, s, id, field, text, bytes);
    ck_assert_msg(rc == WARP_OK, "set %s: %d: %s", field, rc,
                  warp_errmsg(db));
}

/* The field's C form into `to`; false when it is not there. */
static bool get(struct warp_db *db, const struct warp_schema *s, uint64_t id,
                const char *field, struct warp_arena *arena, void *to)
{
    const struct warp_product *p = s->products[0];
    uint32_t i = thing_field(s, field);
    uint8_t *out = calloc(1, p->record_bytes);
    uint64_t have = 0;
    ck_assert_ptr_nonnull(out);
    int rc = warp_gen_get(db, p, &id, UINT64_C(1) << i, out, arena);
    ck_assert_msg(rc == WARP_OK || rc == WARP_ENOTFOUND, "get %llu.%s: %d: %s",
                  (unsigned long long)id, field, rc, warp_errmsg(db));
    if (rc == WARP_OK)
        memcpy(&have, out + p->have_offset, sizeof have);
    memcpy(to, out + p->fields[i].offset, p->fields[i].type->size);
    free(out);
    return have != 0;
}

uint64_t thing_get_u64(struct warp_db *db, const struct warp_schema *s,
                       uint64_t id, const char *field)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    uint64_t value = 0;
    ck_assert_msg(get(db, s, id, field, &arena, &value), "%llu.%s is missing",
                  (unsigned long long)id, field);
    warp_arena_free(&arena);
    return value;
}

bool thing_is_text(struct warp_db *db, const struct warp_schema *s,
                   uint64_t id, const char *field, const char *text,
                   size_t bytes)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_str value = {NULL, 0};
    bool same = get(db, s, id, field, &arena, &value) &&
                value.len == bytes && memcmp(value.data, text, bytes) == 0;
    warp_arena_free(&arena);
    return same;
}

enum warp_state thing_state(struct warp_db *db, const struct warp_schema *s,
                            uint64_t id, const char *field)
{
    return warp_gen_state(db, s->products[0], &id,
                          UINT64_C(1) << thing_field(s, field));
}
