/* schemas.c: the sample schema with changes, each with the descriptor that a
 * store keeps of it. */
#include "schemas.h"

#include "../unit/store_sample.h"

#include "descriptor.h"

#include <stdlib.h>
#include <string.h>

enum { TYPES = 12, FIELDS = THING_FIELDS + 1 };

struct schema {
    struct warp_field thing_fields[FIELDS], mortal_fields[MORTAL_FIELDS];
    struct warp_product thing, mortal;
    const struct warp_product *products[2];
    struct warp_schema all;
};

static struct schema *schemas;

static const struct warp_strategy moving = {
    .name = "Moving",
    .access_pattern_learning = -1,
    .auto_migration = 1,
    .hot_to_warm_count = 2,
    .hot_to_warm_window_ms = 1500,
    .warm_to_cold_count = 2,
    .warm_to_cold_window_ms = 4000,
    .cold_to_archive_age_ms = 60000,
};

static const struct warp_retention events_ages[] = {
    {WARP_TIER_MEMORY, 2000},
    {WARP_TIER_SSD, 3000},
    {WARP_TIER_DISK, SAMPLE_EVENTS_END_MS},
};
static const struct warp_retention trail_ages[] = {
    {WARP_TIER_MEMORY, 1000},
    {WARP_TIER_SSD, 1500},
    {WARP_TIER_DISK, 4000},
    {WARP_TIER_ARCHIVE, 100000}, /* and no `then`: they are kept */
};

static void *room(size_t bytes)
{
    void *p = calloc(1, bytes);
    if (!p)
        abort();
    return p;
}

const struct warp_schema *schema_of(uint32_t bits)
{
    return &schemas[bits].all;
}

/* ---- changes ---- */

static void set_home(struct schema *s, enum thing_field field,
                     enum warp_home home)
{
    s->thing_fields[field].home = home;
    if (home == WARP_HOME_MEMORY)
        s->thing.hot |= BIT(field);
    else
        s->thing.hot &= ~BIT(field);
}

/* After all other changes. */
static void unpin(struct schema *s, bool bare)
{
    for (uint32_t i = 0; i < s->thing.field_count; i++)
        if (s->thing_fields[i].home == WARP_HOME_MEMORY &&
            !(s->thing_fields[i].flags & WARP_F_KEY))
            set_home(s, i, WARP_HOME_SSD);
    s->thing.hot &= ~BIT(THING_TWICE); /* it is made of one of them */
    for (uint32_t i = 0; i < s->mortal.field_count && !bare; i++)
        if (s->mortal_fields[i].home == WARP_HOME_MEMORY &&
            !(s->mortal_fields[i].flags & WARP_F_KEY)) {
            s->mortal_fields[i].home = WARP_HOME_SSD;
            s->mortal.hot &= ~BIT(i);
        }
}

static void make_single(struct schema *s)
{
    struct warp_field hint = {.name = "hint",
                              .type = &warp_type_u32,
                              .home = WARP_HOME_MEMORY,
                              .priority = WARP_PRIORITY_NORMAL,
                              .by_offset = UINT32_MAX};
    hint.offset = offsetof(struct sample_thing, hint);
    s->thing_fields[THING_EVENTS] = hint;
    s->thing.all |= BIT(THING_EVENTS);
    s->thing.hot |= BIT(THING_EVENTS);
    hint.offset = offsetof(struct sample_mortal, hint);
    s->mortal_fields[MORTAL_TRAIL] = hint;
    s->mortal.all |= BIT(MORTAL_TRAIL);
    s->mortal.hot |= BIT(MORTAL_TRAIL);
}

static void make_bare(struct schema *s)
{
    struct warp_field *f = s->mortal_fields;
    f[MORTAL_TAG].flags &= ~(uint32_t)(WARP_F_UNIQUE | WARP_F_INDEX);
    f[MORTAL_BODY].home = f[MORTAL_HITS].home = WARP_HOME_MEMORY;
    f[MORTAL_BODY].copies = 0;
    f[MORTAL_HITS].survives = 0;
    s->mortal.hot |= BIT(MORTAL_BODY) | BIT(MORTAL_HITS);
}

/* What says where a record belongs. */
static void draw(struct schema *s, uint32_t bits)
{
    struct warp_field *f = s->thing_fields;
    if ((bits & SCHEMA_HINTED) && (bits & SCHEMA_SINGLE)) {
        f[THING_EVENTS].physics = WARP_PHYSICS_SHARD_HINT;
        s->mortal_fields[MORTAL_TRAIL].physics = WARP_PHYSICS_SHARD_HINT;
    }
    if (bits & SCHEMA_DRAWN) {
        f[THING_OWNER].physics = WARP_PHYSICS_ENTANGLEMENT_GROUP;
        f[THING_GOLD].physics = WARP_PHYSICS_MASS;
        f[THING_POS].physics = WARP_PHYSICS_POSITION;
    }
}

static void change(struct schema *s, uint32_t bits)
{
    struct warp_field *f = s->thing_fields;
    if (bits & SCHEMA_AGES) {
        f[THING_EVENTS].retention = events_ages;
        f[THING_EVENTS].retention_count = 3;
        s->mortal_fields[MORTAL_TRAIL].retention = trail_ages;
        s->mortal_fields[MORTAL_TRAIL].retention_count = 4;
    }
    if (bits & SCHEMA_SINGLE)
        make_single(s);
    draw(s, bits);
    if (bits & SCHEMA_MOVES) {
        set_home(s, THING_FAR, WARP_HOME_AUTO);
        set_home(s, THING_PACKED, WARP_HOME_HYBRID);
        set_home(s, THING_NOTE, WARP_HOME_AUTO);
        set_home(s, THING_DRAFT, WARP_HOME_AUTO);
        s->mortal_fields[MORTAL_BODY].home = WARP_HOME_HYBRID;
        s->thing.strategy = s->mortal.strategy = &moving;
    }
    if (bits & SCHEMA_HOMES) {
        set_home(s, THING_PICTURE, WARP_HOME_SSD);
        set_home(s, THING_ARCHIVED, WARP_HOME_DISK_COMPRESSED);
        set_home(s, THING_COUNTER, WARP_HOME_MEMORY);
        set_home(s, THING_POS, WARP_HOME_SSD);
        f[THING_PICTURE].compression = WARP_COMPRESS_FAST;
        f[THING_PICTURE].copies = 1u << WARP_HOME_MEMORY;
        s->mortal_fields[MORTAL_BODY].copies = 1u << WARP_HOME_MEMORY;
    }
    if (bits & SCHEMA_INDEX)
        f[THING_LEVEL].flags |= WARP_F_INDEX;
    if (bits & SCHEMA_WIDE) {
        f[THING_COUNTER].type = &warp_type_u64;
        f[THING_COUNTER].offset = offsetof(struct sample_thing, wide);
    }
    if (bits & SCHEMA_EXTRA) {
        f[THING_EXTRA] = f[THING_PICTURE];
        f[THING_EXTRA].name = "extra";
        f[THING_EXTRA].offset = offsetof(struct sample_thing, extra);
        f[THING_EXTRA].home = WARP_HOME_DISK;
        s->thing.field_count = FIELDS;
        s->thing.all |= BIT(THING_EXTRA);
    }
    if (bits & SCHEMA_BARE)
        make_bare(s);
    if (bits & SCHEMA_LEAVES)
        unpin(s, bits & SCHEMA_BARE);
    if (bits & SCHEMA_COLUMNS) {
        f[THING_OWNER].flags |= WARP_F_COLUMN;
        f[THING_GOLD].flags |= WARP_F_COLUMN;
        f[THING_TOKEN].flags |= WARP_F_COLUMN;
        f[THING_LEVEL].flags |= WARP_F_COLUMN;
        s->mortal_fields[MORTAL_TAG].flags |= WARP_F_COLUMN;
        s->mortal_fields[MORTAL_PIN].flags |= WARP_F_COLUMN;
    }
}

/* ---- descriptors ---- */

struct maker {
    struct descriptor all;
    struct descriptor_type types[TYPES], *refs[TYPES];
    const struct warp_type *from[TYPES];
    struct descriptor_member members[3];
    struct descriptor_strategy strategy;
    struct descriptor_product products[2];
    struct descriptor_field fields[2][FIELDS];
    struct descriptor_retention retention[8];
    uint32_t retention_count;
};

static const struct descriptor_type *type_of(struct maker *m,
                                             const struct warp_type *t)
{
    struct descriptor_type made = {.name = t->name, .kind = t->kind};
    uint32_t n = m->all.type_count;
    for (uint32_t i = 0; i < n; i++)
        if (m->from[i] == t)
            return &m->types[i];
    if (t->kind == WARP_T_STRUCT) { /* there is one */
        made.count = t->count;
        made.members = m->members;
        for (uint32_t i = 0; i < t->count; i++) {
            m->members[i].name = t->members[i].name;
            m->members[i].type = type_of(m, t->members[i].type);
            m->members[i].has_offset = DESCRIPTOR_NO_MEMBER;
        }
    }
    n = m->all.type_count++;
    if (n == TYPES)
        abort();
    made.index = n;
    m->types[n] = made;
    m->refs[n] = &m->types[n];
    m->from[n] = t;
    return &m->types[n];
}

static void describe_field(struct maker *m, const struct warp_field *f,
                           struct descriptor_field *to)
{
    *to = (struct descriptor_field){
        .name = f->name,
        .type = type_of(m, f->type),
        .flags = f->flags,
        .home = f->home,
        .survives = f->survives,
        .compression = f->compression,
        .priority = f->priority,
        .physics = f->physics,
        .copies = f->copies,
        .ttl_ms = f->ttl_ms,
        .retention_count = f->retention_count,
        .by = DESCRIPTOR_NO_MEMBER,
        .inputs = f->inputs,
    };
    to->retention = &m->retention[m->retention_count];
    for (uint32_t i = 0; i < f->retention_count; i++) {
        struct descriptor_retention *r = &m->retention[m->retention_count++];
        r->tier = f->retention[i].tier;
        r->age_ms = f->retention[i].age_ms;
    }
    if (f->default_value) {
        to->value.kind = DESCRIPTOR_VALUE_INT;
        memcpy(&to->value.i, f->default_value, sizeof to->value.i);
    }
}

static void describe(struct maker *m, struct schema *s)
{
    const struct warp_strategy *w = s->thing.strategy;
    m->all.name = "sample";
    m->all.types = m->refs;
    m->all.products = m->products;
    m->all.product_count = 2;
    if (w) {
        m->strategy = (struct descriptor_strategy){
            .name = w->name,
            .access_pattern_learning = w->access_pattern_learning,
            .auto_migration = w->auto_migration,
            .hot_to_warm_count = w->hot_to_warm_count,
            .hot_to_warm_window_ms = w->hot_to_warm_window_ms,
            .warm_to_cold_count = w->warm_to_cold_count,
            .warm_to_cold_window_ms = w->warm_to_cold_window_ms,
            .cold_to_archive_age_ms = w->cold_to_archive_age_ms,
        };
        m->all.strategies = &m->strategy;
        m->all.strategy_count = 1;
    }
    for (uint32_t p = 0; p < 2; p++) {
        const struct warp_product *from = s->products[p];
        struct descriptor_product *to = &m->products[p];
        for (uint32_t i = 0; i < from->field_count; i++)
            describe_field(m, &from->fields[i], &m->fields[p][i]);
        to->name = from->name;
        to->field_count = from->field_count;
        to->fields = m->fields[p];
        to->key_count = from->key_count;
        to->key_fields = from->key_fields;
        to->hot = from->hot;
        to->ttl_ms = from->ttl_ms;
        to->priority = from->priority;
        to->strategy = w ? &m->strategy : NULL;
    }
}

static void make(struct schema *s, uint32_t bits)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct maker *m = room(sizeof *m);
    s->thing = sample_thing_product;
    s->mortal = sample_mortal_product;
    memcpy(s->thing_fields, s->thing.fields,
           THING_FIELDS * sizeof *s->thing_fields);
    memcpy(s->mortal_fields, s->mortal.fields, sizeof s->mortal_fields);
    s->thing.fields = s->thing_fields;
    s->mortal.fields = s->mortal_fields;
    s->products[0] = &s->thing;
    s->products[1] = &s->mortal;
    change(s, bits);
    describe(m, s);
    if (descriptor_fingerprint(&m->all) != DESCRIPTOR_OK ||
        descriptor_encode(&m->all, &bytes, &size) != DESCRIPTOR_OK)
        abort();
    s->all = sample_schema;
    s->all.products = s->products;
    s->all.descriptor = bytes;
    s->all.descriptor_bytes = (uint32_t)size;
    s->all.fingerprint = m->all.fingerprint;
    free(m);
}

void schemas_make(void)
{
    schemas = room(SCHEMAS * sizeof *schemas);
    for (uint32_t bits = 0; bits < SCHEMAS; bits++)
        make(&schemas[bits], bits);
}
