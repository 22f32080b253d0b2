/* convert.c, values with parts: elements, members that come, go and are called
 * anew, variants, defaults; bytes that are no value of that type; no memory. */
#include "convert_scene.h"

#include "fault.h"

/* ---- lists, arrays, maps ---- */

START_TEST(elements_are_converted_one_by_one)
{
    struct descriptor_type *u8 = scalar[DESCRIPTOR_U8],
                           *i16 = scalar[DESCRIPTOR_I16];
    struct descriptor_type *old = make_of(DESCRIPTOR_LIST, 0, i16),
                           *new = make_of(DESCRIPTOR_LIST, 0, u8),
                           *two = make_of(DESCRIPTOR_LIST, 2, u8),
                           *old3 = make_of(DESCRIPTOR_ARRAY, 3, i16),
                           *new3 = make_of(DESCRIPTOR_ARRAY, 3, u8),
                           *new4 = make_of(DESCRIPTOR_ARRAY, 4, u8);
    finish();
    struct wire from = {.bytes = 0}, want = {.bytes = 0};
    add_int(&from, 3, 4);
    add_int(&want, 3, 4);
    for (int i = 0; i < 3; i++) {
        add_int(&from, 100 + i, 2);
        add_int(&want, 100 + i, 1);
    }
    must(old, new, &from, &want);
    ck_assert_int_eq(turn(old, two, &from), WARP_ERANGE); /* too many */
    struct wire plain = from, narrow = want;
    memmove(plain.at, plain.at + 4, plain.bytes -= 4);
    memmove(narrow.at, narrow.at + 4, narrow.bytes -= 4);
    must(old3, new3, &plain, &narrow);
    ck_assert_int_eq(turn(old3, new4, &plain), WARP_ERANGE);
    ck_assert_int_eq(turn(old3, new, &plain), WARP_ERANGE);
    wire_put32(from.at, 4); /* more than there are */
    ck_assert_int_eq(turn(old, new, &from), WARP_ECORRUPT);
    wire_put32(from.at, UINT32_MAX);
    ck_assert_int_eq(turn(old, new, &from), WARP_ECORRUPT);
    wire_put32(from.at, 3);
    wire_put16(from.at + 6, 300); /* the second is none of the new type */
    ck_assert_int_eq(turn(old, new, &from), WARP_ERANGE);
}
END_TEST

START_TEST(maps_keep_their_keys)
{
    struct descriptor_member before[] = {
        {.name = "key", .type = scalar[DESCRIPTOR_STRING]},
        {.name = "value", .type = scalar[DESCRIPTOR_U8]}};
    struct descriptor_member after[] = {
        {.name = "key", .type = scalar[DESCRIPTOR_BYTES]},
        {.name = "value", .type = scalar[DESCRIPTOR_I64]}};
    struct descriptor_type
        *old = make_of(DESCRIPTOR_MAP, 0,
                       make_parts(DESCRIPTOR_STRUCT, 2, before)),
        *new = make_of(DESCRIPTOR_MAP, 0,
                       make_parts(DESCRIPTOR_STRUCT, 2, after));
    finish();
    struct wire from = {.bytes = 0}, want = {.bytes = 0};
    add_int(&from, 2, 4);
    add_int(&want, 2, 4);
    for (int i = 0; i < 2; i++) {
        add_text(&from, i ? "north" : "east");
        add_text(&want, i ? "north" : "east");
        add_int(&from, 254 + i, 1);
        add_int(&want, 254 + i, 8);
    }
    must(old, new, &from, &want);
    must(new, old, &want, &from);
}
END_TEST

/* ---- structs ---- */

/* Reordered, renamed, wider, gone, new with a default or without, optional. */
START_TEST(members_are_matched_by_name)
{
    struct descriptor_member before[] = {
        {.name = "x", .type = scalar[DESCRIPTOR_U8]},
        {.name = "note", .type = scalar[DESCRIPTOR_STRING], .optional = true},
        {.name = "gone", .type = scalar[DESCRIPTOR_F64]},
        {.name = "z", .type = scalar[DESCRIPTOR_I16], .optional = true}};
    struct descriptor_member after[] = {
        {.name = "depth", .type = scalar[DESCRIPTOR_I32], .was = "z",
         .optional = true},
        {.name = "level", .type = scalar[DESCRIPTOR_U16],
         .value = {.kind = DESCRIPTOR_VALUE_UINT, .u = 7}},
        {.name = "x", .type = scalar[DESCRIPTOR_U32], .optional = true},
        {.name = "note", .type = scalar[DESCRIPTOR_STRING]},
        {.name = "extra", .type = scalar[DESCRIPTOR_U8], .optional = true}};
    struct descriptor_type *old = make_parts(DESCRIPTOR_STRUCT, 4, before),
                           *new = make_parts(DESCRIPTOR_STRUCT, 5, after);
    finish();
    struct wire from = {.bytes = 0}, want = {.bytes = 0};
    double gone = 1.25;
    add_int(&from, 9, 1);
    add_int(&from, 1, 1);
    add_text(&from, "hello");
    add(&from, &gone, sizeof gone);
    add_int(&from, 1, 1);
    add_int(&from, -5, 2);
    add_int(&want, 1, 1); /* depth is there */
    add_int(&want, -5, 4);
    add_int(&want, 7, 2); /* level: the default */
    add_int(&want, 1, 1); /* x became optional */
    add_int(&want, 9, 4);
    add_text(&want, "hello");
    add_int(&want, 0, 1); /* extra: absent */
    must(old, new, &from, &want);
    /* Without the note, which must be there now. */
    struct wire none = {.bytes = 0};
    add_int(&none, 9, 1);
    add_int(&none, 0, 1);
    add(&none, &gone, sizeof gone);
    add_int(&none, 0, 1);
    ck_assert_int_eq(turn(old, new, &none), WARP_ERANGE);
    after[3].optional = true;
    finish();
    want.bytes = 0;
    add_int(&want, 0, 1);
    add_int(&want, 7, 2);
    add_int(&want, 1, 1);
    add_int(&want, 9, 4);
    add_int(&want, 0, 1);
    add_int(&want, 0, 1);
    must(old, new, &none, &want);
    /* A name that is taken is not searched under its old one. */
    after[1].was = "x";
    after[4].was = "x";
    finish();
    must(old, new, &none, &want);
}
END_TEST

/* What a new member of each type gets, with a default and without. */
START_TEST(new_members_get_their_defaults)
{
    static const struct descriptor_enumerator values[] = {{"lo", 3}, {"hi", 9}};
    static const uint8_t sixteen[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const struct descriptor_value pair[] = {
        {.kind = DESCRIPTOR_VALUE_UINT, .u = 4},
        {.kind = DESCRIPTOR_VALUE_UINT, .u = 5}};
    struct descriptor_member point[] = {
        {.name = "a", .type = scalar[DESCRIPTOR_U8],
         .value = {.kind = DESCRIPTOR_VALUE_UINT, .u = 6}},
        {.name = "b", .type = scalar[DESCRIPTOR_U8], .optional = true}};
    struct descriptor_member shapes[] = {
        {.name = "dot", .tag = 11,
         .type = make_parts(DESCRIPTOR_STRUCT, 2, point)},
        {.name = "none", .tag = 12}};
    struct descriptor_member hollow[] = {{.name = "none", .tag = 5},
                                         {.name = "more", .tag = 6}};
    const struct descriptor_type *dot = shapes[0].type;
    struct descriptor_type *sum = make_parts(DESCRIPTOR_SUM, 2, shapes),
                           *empty = make_parts(DESCRIPTOR_SUM, 2, hollow),
                           *number = make_enum(2, false, 2, values),
                           *list = make_of(DESCRIPTOR_LIST, 0,
                                           scalar[DESCRIPTOR_U8]),
                           *two = make_of(DESCRIPTOR_ARRAY, 2,
                                          scalar[DESCRIPTOR_U8]),
                           *map = make_of(DESCRIPTOR_MAP, 0, dot),
                           *fixed = make(DESCRIPTOR_FIXED_BYTES, 3);
    const struct descriptor_value none = {DESCRIPTOR_VALUE_NONE},
        uint = {.kind = DESCRIPTOR_VALUE_UINT, .u = 9},
        minus = {.kind = DESCRIPTOR_VALUE_INT, .i = -2},
        real = {.kind = DESCRIPTOR_VALUE_FLOAT, .f = 0.5},
        text = {.kind = DESCRIPTOR_VALUE_BYTES, .data = sixteen, .count = 16},
        tuple = {.kind = DESCRIPTOR_VALUE_TUPLE, .items = pair, .count = 2};
    double half = 0.5;
    float nine = 9;
    const struct {
        const struct descriptor_type *type;
        const struct descriptor_value *value;
        const void *bytes;
        size_t count;
    } cases[] = {
        {scalar[DESCRIPTOR_BOOL], &uint, "\1", 1},
        {scalar[DESCRIPTOR_BOOL], &none, "\0", 1},
        {scalar[DESCRIPTOR_U16], &uint, "\11\0", 2},
        {scalar[DESCRIPTOR_I32], &minus, "\376\377\377\377", 4},
        {scalar[DESCRIPTOR_F64], &real, &half, 8},
        {scalar[DESCRIPTOR_F32], &uint, &nine, 4},
        {scalar[DESCRIPTOR_TIMESTAMP], &none, "\0\0\0\0\0\0\0\0", 8},
        {scalar[DESCRIPTOR_UUID], &text, sixteen, 16},
        {scalar[DESCRIPTOR_UUID], &none, (const uint8_t[16]){0}, 16},
        {scalar[DESCRIPTOR_STRING], &none, "\0\0\0\0", 4},
        {scalar[DESCRIPTOR_BYTES], &text,
         (const uint8_t[20]){16, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 20},
        {fixed, &none, "\0\0\0", 3},
        {number, &none, "\3\0", 2},
        {number, &uint, "\11\0", 2},
        {list, &none, "\0\0\0\0", 4},
        {list, &tuple, "\2\0\0\0\4\5", 6},
        {two, &tuple, "\4\5", 2},
        {two, &none, "\0\0", 2},
        {map, &none, "\0\0\0\0", 4},
        {dot, &tuple, "\4\1\5", 3},
        {dot, &none, "\6\0", 2},
        {sum, &none, "\13\0\0\0\6\0", 6},
        {empty, &none, "\5\0\0\0", 4},
        {scalar[DESCRIPTOR_VALUE_MAP], &none, "\0\0\0\0", 4},
    };
    struct descriptor_member keep = {.name = "k",
                                     .type = scalar[DESCRIPTOR_U8]};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct descriptor_member both[] = {
            keep, {.name = "n", .type = cases[i].type,
                   .value = *cases[i].value}};
        struct descriptor_type *old = make_parts(DESCRIPTOR_STRUCT, 1, &keep),
                               *new = make_parts(DESCRIPTOR_STRUCT, 2, both);
        finish();
        struct wire from = {.bytes = 0}, want = {.bytes = 0};
        add_int(&from, 77, 1);
        want = from;
        add(&want, cases[i].bytes, cases[i].count);
        int rc = turn(old, new, &from);
        ck_assert_msg(rc == WARP_OK && gives(&want), "case %zu: %d", i, rc);
        unmake(2);
    }
}
END_TEST

/* ---- sums ---- */

START_TEST(variants_are_matched_by_name)
{
    struct descriptor_member narrow = {.name = "v",
                                       .type = scalar[DESCRIPTOR_U8]};
    struct descriptor_member wide = {.name = "v",
                                     .type = scalar[DESCRIPTOR_U32]};
    struct descriptor_type *small = make_parts(DESCRIPTOR_STRUCT, 1, &narrow),
                           *large = make_parts(DESCRIPTOR_STRUCT, 1, &wide);
    struct descriptor_member before[] = {{.name = "a", .tag = 1, .type = small},
                                         {.name = "b", .tag = 2},
                                         {.name = "c", .tag = 3, .type = small},
                                         {.name = "d", .tag = 4},
                                         {.name = "e", .tag = 5}};
    struct descriptor_member after[] = {
        {.name = "b", .tag = 10, .type = large},
        {.name = "first", .tag = 11, .type = large, .was = "a"},
        {.name = "c", .tag = 12},
        {.name = "d", .tag = 13}};
    struct descriptor_type *old = make_parts(DESCRIPTOR_SUM, 5, before),
                           *new = make_parts(DESCRIPTOR_SUM, 4, after);
    finish();
    static const struct {
        uint8_t from[5], from_bytes;
        int rc;
        uint8_t want[8], want_bytes;
    } cases[] = {{{1, 0, 0, 0, 7}, 5, WARP_OK, {11, 0, 0, 0, 7}, 8},
                 {{2}, 4, WARP_OK, {10}, 8}, /* its members get zeros */
                 {{3, 0, 0, 0, 7}, 5, WARP_ERANGE, {0}, 0}, /* would be lost */
                 {{4}, 4, WARP_OK, {13}, 4},
                 {{5}, 4, WARP_ERANGE, {0}, 0}, /* is there no more */
                 {{6}, 4, WARP_ECORRUPT, {0}, 0},
                 {{1}, 3, WARP_ECORRUPT, {0}, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wire from = {.bytes = 0}, want = {.bytes = 0};
        add(&from, cases[i].from, cases[i].from_bytes);
        add(&want, cases[i].want, cases[i].want_bytes);
        int rc = turn(old, new, &from);
        ck_assert_msg(rc == cases[i].rc && (rc != WARP_OK || gives(&want)),
                      "case %zu: %d", i, rc);
    }
}
END_TEST

/* ---- bytes that are no value ---- */

/* One of everything that has a length, behind a member that turns. */
static struct descriptor_type *make_all(struct descriptor_member *m,
                                        struct descriptor_member *sum,
                                        bool wide)
{
    sum[0] = (struct descriptor_member){.name = "s", .tag = 1,
                                        .type = scalar[DESCRIPTOR_STRING]};
    sum[1] = (struct descriptor_member){.name = "e", .tag = 2};
    const struct descriptor_type *types[] = {
        scalar[wide ? DESCRIPTOR_U32 : DESCRIPTOR_U16],
        scalar[DESCRIPTOR_STRING],
        make_of(DESCRIPTOR_LIST, 0, scalar[DESCRIPTOR_BYTES]),
        make_of(DESCRIPTOR_ARRAY, 2, scalar[DESCRIPTOR_STRING]),
        make_parts(DESCRIPTOR_SUM, 2, sum),
        scalar[DESCRIPTOR_VALUE_MAP],
        scalar[wide ? DESCRIPTOR_F64 : DESCRIPTOR_F32],
        scalar[DESCRIPTOR_U8]};
    static const char *const names[] = {"n", "t", "l", "a",
                                        "s", "v", "f", "o"};
    for (int i = 0; i < 8; i++)
        m[i] = (struct descriptor_member){
            .name = names[i], .type = types[i], .optional = i == 7};
    return make_parts(DESCRIPTOR_STRUCT, 8, m);
}

/* A map() with one entry of each kind. */
static void add_dynamic(struct wire *w)
{
    add_int(w, 7, 4);
    for (int kind = WARP_NULL; kind <= WARP_LIST; kind++) {
        add_text(w, "k");
        add_int(w, kind, 1);
        if (kind == WARP_BOOL)
            add_int(w, 1, 1);
        else if (kind == WARP_INT || kind == WARP_FLOAT)
            add_int(w, 0, 8);
        else if (kind == WARP_STRING || kind == WARP_BYTES)
            add_text(w, "xyz");
    }
    add_int(w, 1, 4); /* the list: a map with an entry */
    add_int(w, WARP_MAP, 1);
    add_int(w, 1, 4);
    add_text(w, "deep");
    add_int(w, WARP_NULL, 1);
}

static void add_all(struct wire *w, bool wide)
{
    float narrow = 2.5f;
    double real = 2.5;
    add_int(w, 4711, wide ? 4 : 2);
    add_text(w, "text");
    add_int(w, 1, 4);
    add_text(w, "item");
    add_text(w, "one");
    add_text(w, "two");
    add_int(w, 1, 4);
    add_text(w, "variant");
    add_dynamic(w);
    if (wide)
        add(w, &real, sizeof real);
    else
        add(w, &narrow, sizeof narrow);
    add_int(w, 1, 1);
    add_int(w, 8, 1);
}

START_TEST(cut_bytes_are_damage)
{
    struct descriptor_member m[2][8], sums[2][2];
    struct descriptor_type *old = make_all(m[0], sums[0], false),
                           *new = make_all(m[1], sums[1], true);
    finish();
    struct wire from = {.bytes = 0}, want = {.bytes = 0};
    add_all(&from, false);
    add_all(&want, true);
    must(old, new, &from, &want);
    size_t whole = from.bytes;
    for (from.bytes = 0; from.bytes < whole; from.bytes++)
        ck_assert_msg(turn(old, new, &from) == WARP_ECORRUPT,
                      "cut at byte %zu", from.bytes);
    from.bytes = whole;
    add_int(&from, 0, 1);
    ck_assert_int_eq(turn(old, new, &from), WARP_ECORRUPT);
}
END_TEST

/* No kind, and lists inside lists without an end. */
START_TEST(dynamic_values_are_checked)
{
    struct descriptor_member old_of[] = {
        {.name = "v", .type = scalar[DESCRIPTOR_VALUE_MAP]},
        {.name = "n", .type = scalar[DESCRIPTOR_U8]}};
    struct descriptor_member new_of[] = {
        {.name = "v", .type = scalar[DESCRIPTOR_VALUE_MAP]},
        {.name = "n", .type = scalar[DESCRIPTOR_U16]}};
    struct descriptor_type *old = make_parts(DESCRIPTOR_STRUCT, 2, old_of),
                           *new = make_parts(DESCRIPTOR_STRUCT, 2, new_of);
    finish();
    for (int depth = 1; depth < 200; depth += 198) {
        struct wire from = {.bytes = 0};
        add_int(&from, 1, 4);
        add_text(&from, "k");
        for (int i = 0; i < depth; i++) {
            add_int(&from, WARP_LIST, 1);
            add_int(&from, 1, 4);
        }
        add_int(&from, depth == 1 ? WARP_MAP + 1 : WARP_NULL, 1);
        add_int(&from, 3, 1);
        ck_assert_int_eq(turn(old, new, &from), WARP_ECORRUPT);
    }
}
END_TEST

/* ---- memory ---- */

START_TEST(no_memory_is_said)
{
    struct descriptor_member m[2][8], sums[2][2];
    struct descriptor_type *old = make_all(m[0], sums[0], false),
                           *new = make_all(m[1], sums[1], true);
    finish();
    struct wire from = {.bytes = 0}, want = {.bytes = 0};
    add_all(&from, false);
    add_all(&want, true);
    fault_arm(FAULT_MEMORY, 1, 0);
    int rc = turn(old, new, &from);
    ck_assert(fault_disarm());
    ck_assert_int_eq(rc, WARP_ENOMEM);
    must(old, new, &from, &want);
}
END_TEST

static void fill(TCase *tcase)
{
    tcase_add_test(tcase, elements_are_converted_one_by_one);
    tcase_add_test(tcase, maps_keep_their_keys);
    tcase_add_test(tcase, members_are_matched_by_name);
    tcase_add_test(tcase, new_members_get_their_defaults);
    tcase_add_test(tcase, variants_are_matched_by_name);
    tcase_add_test(tcase, cut_bytes_are_damage);
    tcase_add_test(tcase, dynamic_values_are_checked);
    tcase_add_test(tcase, no_memory_is_said);
}

int main(void)
{
    return run_tests("convert_parts", fill);
}
