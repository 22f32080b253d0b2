/* A small schema as a descriptor, made by hand: a composite key, a struct, an
 * optional member, a sum, an enum, a series, a default, a strategy. */
#ifndef DESCRIPTOR_SAMPLE_H
#define DESCRIPTOR_SAMPLE_H

#include "../../grammar/descriptor.h"

#include <string.h>

struct sample {
    struct descriptor all;
    struct descriptor_type types[12];
    struct descriptor_type *refs[12];
    struct descriptor_member vec_members[2], odd_members[3], sum_members[3];
    struct descriptor_member line_members[2];
    struct descriptor_enumerator enumerators[3];
    struct descriptor_field fields[9], other[2];
    struct descriptor_product products[2];
    struct descriptor_strategy strategies[1];
    struct descriptor_retention retention[2];
    uint8_t keys[2], other_keys[1];
};

enum sample_type {
    SAMPLE_U64,
    SAMPLE_STRING,
    SAMPLE_F32,
    SAMPLE_I64,
    SAMPLE_U8,
    SAMPLE_TIME,
    SAMPLE_VEC,
    SAMPLE_ODD,
    SAMPLE_SUM,
    SAMPLE_LINE,
    SAMPLE_ENUM,
    SAMPLE_LIST
};

static inline void sample_field(struct sample *s, struct descriptor_field *f,
                                const char *name, enum sample_type type)
{
    f->name = name;
    f->type = &s->types[type];
    f->home = DESCRIPTOR_HOME_MEMORY;
    f->priority = 3;
    f->by = DESCRIPTOR_NO_MEMBER;
}

static inline void sample_type(struct sample *s, enum sample_type at,
                               const char *name, enum descriptor_kind kind)
{
    s->types[at].name = name;
    s->types[at].kind = (uint8_t)kind;
    s->types[at].index = at;
    s->refs[at] = &s->types[at];
}

static inline void sample_members(struct sample *s, enum sample_type at,
                                  struct descriptor_member *members,
                                  uint32_t count)
{
    s->types[at].members = members;
    s->types[at].count = count;
}

static inline void sample_types(struct sample *s)
{
    sample_type(s, SAMPLE_U64, "u64", DESCRIPTOR_U64);
    sample_type(s, SAMPLE_STRING, "string", DESCRIPTOR_STRING);
    sample_type(s, SAMPLE_F32, "f32", DESCRIPTOR_F32);
    sample_type(s, SAMPLE_I64, "i64", DESCRIPTOR_I64);
    sample_type(s, SAMPLE_U8, "u8", DESCRIPTOR_U8);
    sample_type(s, SAMPLE_TIME, "timestamp", DESCRIPTOR_TIMESTAMP);
    sample_type(s, SAMPLE_VEC, "Vec", DESCRIPTOR_STRUCT);
    sample_type(s, SAMPLE_ODD, "Odd", DESCRIPTOR_STRUCT);
    sample_type(s, SAMPLE_SUM, "Sum", DESCRIPTOR_SUM);
    sample_type(s, SAMPLE_LINE, "Line", DESCRIPTOR_STRUCT);
    sample_type(s, SAMPLE_ENUM, "Kind", DESCRIPTOR_ENUM);
    sample_type(s, SAMPLE_LIST, "[u64, max: 9]", DESCRIPTOR_LIST);
    s->types[SAMPLE_LIST].elem = &s->types[SAMPLE_U64];
    s->types[SAMPLE_LIST].count = 9;
    s->types[SAMPLE_ENUM].width = 1;
    s->types[SAMPLE_ENUM].count = 3;
    s->types[SAMPLE_ENUM].values = s->enumerators;
    s->enumerators[0] = (struct descriptor_enumerator){"NONE", 0};
    s->enumerators[1] = (struct descriptor_enumerator){"RED", 1};
    s->enumerators[2] = (struct descriptor_enumerator){"BLUE", 2};
    sample_members(s, SAMPLE_VEC, s->vec_members, 2);
    sample_members(s, SAMPLE_ODD, s->odd_members, 3);
    sample_members(s, SAMPLE_SUM, s->sum_members, 3);
    sample_members(s, SAMPLE_LINE, s->line_members, 2);
    s->vec_members[0].name = "x";
    s->vec_members[1].name = "y";
    s->vec_members[0].type = s->vec_members[1].type = &s->types[SAMPLE_F32];
    s->odd_members[0].name = "a";
    s->odd_members[0].type = &s->types[SAMPLE_U8];
    s->odd_members[1].name = "b";
    s->odd_members[1].type = &s->types[SAMPLE_VEC];
    s->odd_members[1].optional = true;
    s->odd_members[2].name = "c";
    s->odd_members[2].type = &s->types[SAMPLE_U64];
    s->sum_members[0].name = "Odd";
    s->sum_members[0].type = &s->types[SAMPLE_ODD];
    s->sum_members[1].name = "Vec";
    s->sum_members[1].type = &s->types[SAMPLE_VEC];
    s->sum_members[1].tag = 1;
    s->sum_members[2].name = "Free";
    s->sum_members[2].tag = 2;
    s->line_members[0].name = "at";
    s->line_members[0].type = &s->types[SAMPLE_TIME];
    s->line_members[1].name = "text";
    s->line_members[1].type = &s->types[SAMPLE_STRING];
}

static inline void sample_make(struct sample *s)
{
    memset(s, 0, sizeof *s);
    sample_types(s);
    sample_field(s, &s->fields[0], "id", SAMPLE_U64);
    sample_field(s, &s->fields[1], "name", SAMPLE_STRING);
    s->fields[0].flags = s->fields[1].flags = DESCRIPTOR_F_KEY;
    sample_field(s, &s->fields[2], "pos", SAMPLE_VEC);
    s->fields[2].flags = DESCRIPTOR_F_COLUMN;
    sample_field(s, &s->fields[3], "gold", SAMPLE_I64);
    s->fields[3].survives = 3;
    s->fields[3].value.kind = DESCRIPTOR_VALUE_INT;
    s->fields[3].value.i = -7;
    sample_field(s, &s->fields[4], "sum", SAMPLE_SUM);
    sample_field(s, &s->fields[5], "small", SAMPLE_U8);
    s->fields[5].flags = DESCRIPTOR_F_INDEX;
    s->fields[5].ttl_ms = 5000;
    s->fields[5].was = "tiny";
    sample_field(s, &s->fields[6], "log", SAMPLE_LINE);
    s->fields[6].flags = DESCRIPTOR_F_SERIES | DESCRIPTOR_F_THEN_DELETE;
    s->fields[6].home = DESCRIPTOR_HOME_TEMPORAL;
    s->fields[6].by = 0;
    s->fields[6].retention = s->retention;
    s->fields[6].retention_count = 2;
    s->retention[0] = (struct descriptor_retention){1, 300000};
    s->retention[1] = (struct descriptor_retention){4, 1209600000};
    sample_field(s, &s->other[0], "id", SAMPLE_U64);
    s->other[0].flags = DESCRIPTOR_F_KEY;
    sample_field(s, &s->other[1], "kind", SAMPLE_ENUM);
    s->keys[1] = 1;
    s->products[0] = (struct descriptor_product){.name = "Entity",
                                                 .field_count = 7,
                                                 .fields = s->fields,
                                                 .key_count = 2,
                                                 .key_fields = s->keys,
                                                 .hot = 0x3c,
                                                 .priority = 3,
                                                 .strategy = s->strategies};
    s->products[1] = (struct descriptor_product){.name = "Other",
                                                 .field_count = 2,
                                                 .fields = s->other,
                                                 .key_count = 1,
                                                 .key_fields = s->other_keys,
                                                 .hot = 2,
                                                 .priority = 3};
    s->strategies[0] =
        (struct descriptor_strategy){.name = "Hot",
                                     .memory_pool = "hot",
                                     .memory_pool_bytes = 64 << 20,
                                     .access_pattern_learning = -1,
                                     .auto_migration = 1,
                                     .hot_to_warm_count = 10,
                                     .hot_to_warm_window_ms = 3600000};
    s->all = (struct descriptor){.name = "game",
                                 .type_count = 12,
                                 .types = s->refs,
                                 .strategy_count = 1,
                                 .strategies = s->strategies,
                                 .product_count = 2,
                                 .products = s->products};
    (void)descriptor_fingerprint(&s->all);
}

#endif
