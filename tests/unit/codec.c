/* The wire form byte by byte, and every refusal with its words. */
#include "codec.h"

#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum color { RED, GREEN = 5, BLACK = -2 };
static const struct warp_enumerator colors[] = {
    {"RED", 0}, {"GREEN", 5}, {"BLACK", -2}};
static const struct warp_type color_type = {
    .name = "Color", .kind = WARP_T_ENUM, .width = 2, .is_signed = 1,
    .size = sizeof(enum color), .wire_bytes = 2, .count = 3, .values = colors};

struct item {
    uint8_t a;
    uint32_t b;
    bool has_c;
    enum color c;
    bool d;
};
static const struct warp_member item_members[] = {
    {"a", &warp_type_u8, offsetof(struct item, a), UINT32_MAX, 0},
    {"b", &warp_type_u32, offsetof(struct item, b), UINT32_MAX, 0},
    {"c", &color_type, offsetof(struct item, c), offsetof(struct item, has_c),
     0},
    {"d", &warp_type_bool, offsetof(struct item, d), UINT32_MAX, 0}};
static const struct warp_type item_type = {
    .name = "Item", .kind = WARP_T_STRUCT, .size = sizeof(struct item),
    .count = 4, .members = item_members};
static const struct warp_type items_type = {
    .name = "[Item, max: 3]", .kind = WARP_T_LIST,
    .size = sizeof(struct warp_list), .count = 3, .elem = &item_type};

struct pay {
    int tag;
    union {
        struct item item;
        struct warp_str text;
    } u;
};
static const struct warp_member text_members[] = {
    {"text", &warp_type_string, 0, UINT32_MAX, 0}};
static const struct warp_type text_struct = {
    .name = "Text", .kind = WARP_T_STRUCT, .size = sizeof(struct warp_str),
    .count = 1, .members = text_members};
static const struct warp_member pay_members[] = {
    {"Free", NULL, offsetof(struct pay, u), UINT32_MAX, 0},
    {"Item", &item_type, offsetof(struct pay, u), UINT32_MAX, 1},
    {"Text", &text_struct, offsetof(struct pay, u), UINT32_MAX, 2}};
static const struct warp_type pay_type = {
    .name = "Pay", .kind = WARP_T_SUM, .size = sizeof(struct pay), .count = 3,
    .members = pay_members};

struct pair {
    double key;
    uint16_t value;
};
static const struct warp_member pair_members[] = {
    {"key", &warp_type_f64, offsetof(struct pair, key), UINT32_MAX, 0},
    {"value", &warp_type_u16, offsetof(struct pair, value), UINT32_MAX, 0}};
static const struct warp_type pair_type = {
    .name = "pair", .kind = WARP_T_STRUCT, .size = sizeof(struct pair),
    .wire_bytes = 10, .count = 2, .members = pair_members};
static const struct warp_type map_type = {
    .name = "map<f64, u16>", .kind = WARP_T_MAP,
    .size = sizeof(struct warp_list), .elem = &pair_type};

static const char *why;

static int size_of(const struct warp_type *type, const void *value)
{
    size_t bytes;
    why = "";
    return codec_size(type, value, &bytes, &why);
}

static void expect(const struct warp_type *type, const void *value,
                   const char *wire, size_t bytes)
{
    uint8_t to[256];
    size_t size = 0;
    ck_assert_msg(codec_size(type, value, &size, &why) == 0, "%s", why);
    ck_assert_uint_eq(size, bytes);
    ck_assert_ptr_eq(codec_encode(type, value, to), to + bytes);
    ck_assert(!memcmp(to, wire, bytes));
    ck_assert_int_eq(codec_check(type, to, bytes), 0);
    struct warp_arena arena = WARP_ARENA_INIT;
    _Alignas(16) uint8_t out[256], again[256];
    ck_assert_int_eq(codec_decode(type, to, bytes, out, &arena), 0);
    codec_encode(type, out, again);
    ck_assert(!memcmp(again, wire, bytes));
    warp_arena_free(&arena);
}
#define EXPECT(type, value, wire) expect(type, value, wire, sizeof(wire) - 1)

START_TEST(wire_forms)
{
    uint32_t number = 0x01020304;
    EXPECT(&warp_type_u32, &number, "\4\3\2\1");
    bool yes = true;
    EXPECT(&warp_type_bool, &yes, "\1");
    enum color black = BLACK;
    EXPECT(&color_type, &black, "\xfe\xff");
    struct warp_str text = warp_str("h\xc3\xa9");
    EXPECT(&warp_type_string, &text, "h\xc3\xa9");
    struct item items[2] = {{1, 2, false, RED, true},
                            {3, 4, true, GREEN, false}};
    EXPECT(&item_type, &items[0], "\1\2\0\0\0\0\1");
    EXPECT(&item_type, &items[1], "\3\4\0\0\0\1\5\0\0");
    struct warp_list list = {items, 2};
    EXPECT(&items_type, &list,
           "\2\0\0\0\1\2\0\0\0\0\1\3\4\0\0\0\1\5\0\0");
    struct pay pay = {.tag = 0};
    EXPECT(&pay_type, &pay, "\0\0\0\0");
    pay.tag = 2;
    pay.u.text = warp_str("ab");
    EXPECT(&pay_type, &pay, "\2\0\0\0\2\0\0\0ab");
}
END_TEST

START_TEST(maps_are_written_sorted)
{
    struct pair pairs[] = {{2, 20}, {-1, 10}};
    struct warp_list list = {pairs, 2};
    EXPECT(&map_type, &list,
           "\2\0\0\0\0\0\0\0\0\0\xf0\xbf\12\0\0\0\0\0\0\0\0\x40\24\0");
    struct warp_entry entries[] = {
        {{"b", 1}, {WARP_INT, {.i = 258}}},
        {{"", 0}, {WARP_NULL, {.i = 0}}},
        {{"a", 1}, {WARP_BOOL, {.b = true}}}};
    list = (struct warp_list){entries, 3};
    EXPECT(&warp_type_value_map, &list,
           "\3\0\0\0\0\0\0\0\0\1\0\0\0a\1\1\1\0\0\0b\2\2\1\0\0\0\0\0\0");
}
END_TEST

START_TEST(refusals_say_where)
{
    struct warp_str bad = {"abc\x80", 4};
    ck_assert_int_eq(size_of(&warp_type_string, &bad), WARP_EINVAL);
    ck_assert_str_eq(why, "is not valid UTF-8 at byte 3");
    ck_assert_int_eq(size_of(&warp_type_bytes, &bad), 0);
    bad.data = NULL;
    ck_assert_int_eq(size_of(&warp_type_bytes, &bad), WARP_EINVAL);
    ck_assert_str_eq(why, "has a length of 4 and no data");

    struct item items[4] = {{0}};
    struct warp_list list = {items, 4};
    ck_assert_int_eq(size_of(&items_type, &list), WARP_ELIMIT);
    ck_assert_str_eq(why, "has 4 elements, at most 3 fit");
    list.count = 3;
    ck_assert_int_eq(size_of(&items_type, &list), 0);
    items[2].has_c = true;
    items[2].c = (enum color)4;
    ck_assert_int_eq(size_of(&items_type, &list), WARP_EINVAL);
    ck_assert_str_eq(why, "at [2].c is 4, which is no value of Color");
    uint8_t two = 2;
    memcpy(&items[2].has_c, &two, 1);
    ck_assert_int_eq(size_of(&items_type, &list), WARP_EINVAL);
    ck_assert_str_eq(why, "at [2].has_c is neither 0 nor 1");
    items[2].has_c = false;
    memcpy(&items[1].d, &two, 1);
    ck_assert_int_eq(size_of(&items_type, &list), WARP_EINVAL);
    ck_assert_str_eq(why, "at [1].d is a bool that is neither 0 nor 1");
    list.data = NULL;
    ck_assert_int_eq(size_of(&items_type, &list), WARP_EINVAL);
    ck_assert_str_eq(why, "has 3 elements and no data");

    struct pay pay = {.tag = 9};
    ck_assert_int_eq(size_of(&pay_type, &pay), WARP_EINVAL);
    ck_assert_str_eq(why, "has the tag 9, which is no variant of Pay");
    pay.tag = 2;
    pay.u.text = (struct warp_str){"\xc0", 1};
    ck_assert_int_eq(size_of(&pay_type, &pay), WARP_EINVAL);
    ck_assert_str_eq(why, "at .Text.text is not valid UTF-8 at byte 0");
}
END_TEST

START_TEST(map_keys_are_numbers_and_unique)
{
    struct pair pairs[] = {{1, 1}, {0.0, 2}, {-0.0, 3}};
    struct warp_list list = {pairs, 3};
    ck_assert_int_eq(size_of(&map_type, &list), WARP_EINVAL);
    ck_assert_str_eq(why, "has the same key twice");
    pairs[2].key = __builtin_nan("");
    ck_assert_int_eq(size_of(&map_type, &list), WARP_EINVAL);
    ck_assert_str_eq(why, "has NaN as the key of entry 2");
    struct warp_entry entries[200];
    char names[200][4];
    for (unsigned i = 0; i < 200; i++) {
        names[i][0] = (char)('a' + (i * 7) % 26);
        names[i][1] = (char)('a' + i / 26);
        entries[i].key = (struct warp_str){names[i], 2};
        entries[i].value.kind = WARP_NULL;
    }
    list = (struct warp_list){entries, 200};
    ck_assert_int_eq(size_of(&warp_type_value_map, &list), 0);
    entries[17].key = entries[120].key;
    ck_assert_int_eq(size_of(&warp_type_value_map, &list), WARP_EINVAL);
    ck_assert_str_eq(why, "has the same key twice");
    entries[17].value.kind = (enum warp_kind)99;
    ck_assert_int_eq(size_of(&warp_type_value_map, &list), WARP_EINVAL);
}
END_TEST

START_TEST(depth_has_a_limit)
{
    enum { DEEP = CODEC_DEPTH_MAX + 2 };
    static struct warp_value values[DEEP];
    struct warp_entry top = {{"k", 1}, {WARP_NULL, {.i = 0}}};
    struct warp_list list = {&top, 1};
    for (unsigned i = 1; i < DEEP; i++) {
        values[i].kind = WARP_LIST;
        values[i].u.list = (struct warp_list){&values[i - 1], 1};
    }
    top.value = values[CODEC_DEPTH_MAX - 1];
    size_t bytes = 0;
    ck_assert_int_eq(codec_size(&warp_type_value_map, &list, &bytes, &why), 0);
    uint8_t *wire = malloc(bytes + 5);
    codec_encode(&warp_type_value_map, &list, wire);
    ck_assert_int_eq(codec_check(&warp_type_value_map, wire, bytes), 0);
    /* one level more: a list of one in place of the innermost null */
    memcpy(wire + bytes - 1, "\6\1\0\0\0\0", 6);
    ck_assert_int_eq(codec_check(&warp_type_value_map, wire, bytes + 5),
                     WARP_ECORRUPT);
    free(wire);
    top.value = values[CODEC_DEPTH_MAX];
    ck_assert_int_eq(size_of(&warp_type_value_map, &list), WARP_ELIMIT);

    /* a schema type that holds itself */
    struct warp_type tree = {.name = "[Tree]", .kind = WARP_T_LIST,
                             .size = sizeof(struct warp_list)};
    tree.elem = &tree;
    static struct warp_list lists[80];
    for (unsigned i = 1; i < 80; i++)
        lists[i] = (struct warp_list){&lists[i - 1], 1};
    ck_assert_int_eq(size_of(&tree, &lists[63]), 0);
    ck_assert_int_eq(size_of(&tree, &lists[64]), WARP_ELIMIT);
    uint8_t ones[400] = {0};
    for (unsigned i = 0; i < sizeof ones; i += 4)
        ones[i] = 1;
    ck_assert_int_eq(codec_check(&tree, ones, sizeof ones), WARP_ECORRUPT);
}
END_TEST

START_TEST(too_large_a_value_is_refused)
{
    static const uint8_t byte;
    struct warp_str text = {(const char *)&byte, CODEC_VALUE_BYTES_MAX + 1};
    ck_assert_int_eq(size_of(&warp_type_bytes, &text), WARP_ELIMIT);
    const struct warp_type numbers = {.name = "[u64]", .kind = WARP_T_LIST,
                                      .size = sizeof(struct warp_list),
                                      .elem = &warp_type_u64};
    struct warp_list list = {(void *)(uintptr_t)&byte,
                             CODEC_VALUE_BYTES_MAX / 8};
    ck_assert_int_eq(size_of(&numbers, &list), WARP_ELIMIT);
    const struct warp_type short_text = {.name = "string<3>",
                                         .kind = WARP_T_STRING,
                                         .size = sizeof text, .count = 3};
    text = warp_str("four");
    ck_assert_int_eq(size_of(&short_text, &text), WARP_ELIMIT);
    ck_assert_str_eq(why, "has 4 bytes, at most 3 fit");
    ck_assert_int_eq(codec_check(&short_text, (const uint8_t *)"four", 4),
                     WARP_ECORRUPT);
}
END_TEST

START_TEST(an_arena_is_asked_for_only_when_needed)
{
    struct warp_str text;
    ck_assert_int_eq(codec_decode(&warp_type_string, (const uint8_t *)"a", 1,
                                  &text, NULL), WARP_EINVAL);
    ck_assert_int_eq(codec_decode(&warp_type_string, (const uint8_t *)"", 0,
                                  &text, NULL), 0);
    ck_assert_uint_eq(text.len, 0);
    struct warp_list list;
    ck_assert_int_eq(codec_decode(&items_type, (const uint8_t *)"\0\0\0\0", 4,
                                  &list, NULL), 0);
    ck_assert_uint_eq(list.count, 0);
    ck_assert_int_eq(codec_decode(&items_type,
                                  (const uint8_t *)"\1\0\0\0\1\2\0\0\0\0\1",
                                  11, &list, NULL), WARP_EINVAL);
}
END_TEST

START_TEST(the_scalars_describe_themselves)
{
    ck_assert_int_eq(warp_gen_abi_1, WARP_GEN_ABI);
    ck_assert_str_eq(warp_type_uuid.name, "uuid");
    ck_assert_uint_eq(warp_type_timestamp.wire_bytes, 8);
    ck_assert(!warp_type_bool.plain && warp_type_f32.plain);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("codec");
    TCase *all = tcase_create("all");
    tcase_add_test(all, wire_forms);
    tcase_add_test(all, maps_are_written_sorted);
    tcase_add_test(all, refusals_say_where);
    tcase_add_test(all, map_keys_are_numbers_and_unique);
    tcase_add_test(all, depth_has_a_limit);
    tcase_add_test(all, too_large_a_value_is_refused);
    tcase_add_test(all, an_arena_is_asked_for_only_when_needed);
    tcase_add_test(all, the_scalars_describe_themselves);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
