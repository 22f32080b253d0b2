/* JSON, CSV and values of the store tool: what is printed reads back, numbers
 * are exact, and hostile text gives a fault, never a crash. */
#include "csv.h"
#include "json.h"
#include "value.h"
#include "value_print.h"

#include <check.h>
#include <stdlib.h>

static int read_json(const char *text, size_t bytes, struct warp_arena *arena,
                     struct json **out)
{
    /* A copy of its own: a sanitizer sees a read behind the end. */
    char *copy = malloc(bytes ? bytes : 1);
    memcpy(copy, text, bytes);
    struct json_input in = {copy, copy + bytes, 1, NULL};
    int rc = json_read(&in, arena, out);
    if (rc == WARP_OK && in.at != in.end)
        rc = WARP_EINVAL;
    if (rc == WARP_EINVAL && in.at == in.end)
        ck_assert(in.fault != NULL || rc == WARP_EINVAL);
    free(copy);
    return rc;
}

START_TEST(json_refuses)
{
    static const char *const bad[] = {
        "",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "{\"a\":1,\"a\":2}",
        "01",
        "1.",
        ".5",
        "-",
        "1e",
        "+1",
        "tru",
        "nul",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"a\nb\"",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "[1 2]",
        "{\"a\" 1}",
        "1 2",
        "]",
        "'a'",
        "NaN",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct warp_arena arena = WARP_ARENA_INIT;
        struct json *j;
        ck_assert_msg(read_json(bad[i], strlen(bad[i]), &arena, &j) ==
                          WARP_EINVAL,
                      "accepted: %s", bad[i]);
        warp_arena_free(&arena);
    }
}
END_TEST

START_TEST(json_nested_too_deeply)
{
    char text[400];
    struct warp_arena arena = WARP_ARENA_INIT;
    struct json *j;
    memset(text, '[', sizeof text);
    ck_assert_int_eq(read_json(text, sizeof text, &arena, &j), WARP_EINVAL);
    warp_arena_free(&arena);
}
END_TEST

/* Damaged texts: any result, no access out of bounds (a sanitizer looks). */
START_TEST(json_and_csv_survive_damage)
{
    static const char seed[] = "{\"a\":[1,-2.5e3,\"x\\u00e9\\ud83d\\ude00\"],"
                               "\"b\":{\"c\":null,\"d\":[true,false]}}";
    srandom(11);
    for (int n = 0; n < 20000; n++) {
        char text[sizeof seed];
        struct warp_arena arena = WARP_ARENA_INIT;
        struct csv_row row = {.text = TEXT_INIT};
        struct json *j;
        size_t bytes = (size_t)random() % sizeof seed;
        memcpy(text, seed, bytes);
        for (long k = random() % 4; k > 0 && bytes > 0; k--)
            text[(size_t)random() % bytes] = (char)random();
        (void)read_json(text, bytes, &arena, &j);
        char *copy = malloc(bytes ? bytes : 1);
        memcpy(copy, text, bytes);
        struct csv_input in = {copy, copy + bytes, 1, NULL};
        while (csv_next(&in, &row) == WARP_OK)
            ck_assert_uint_ge(row.count, 1);
        csv_row_free(&row);
        free(copy);
        warp_arena_free(&arena);
    }
}
END_TEST

static void round_trip(const struct warp_type *type, const char *text,
                       const char *want)
{
    _Alignas(16) char value[64] = {0};
    struct warp_arena arena = WARP_ARENA_INIT;
    struct json_input in = {text, text + strlen(text), 1, NULL};
    struct value_fault fault = {"", 0};
    struct text out = TEXT_INIT;
    struct json *j;
    ck_assert_int_eq(json_read(&in, &arena, &j), WARP_OK);
    int rc = value_parse(type, j, value, &arena, &fault);
    if (!want) {
        ck_assert_msg(rc == WARP_EINVAL && fault.what[0], "accepted: %s", text);
    } else {
        ck_assert_msg(rc == WARP_OK, "%s: %s", text, fault.what);
        value_print(&out, type, value);
        text_u8(&out, 0);
        ck_assert_str_eq(out.data, want);
    }
    text_free(&out);
    warp_arena_free(&arena);
}

START_TEST(numbers_are_exact)
{
    round_trip(&warp_type_u64, "18446744073709551615", "18446744073709551615");
    round_trip(&warp_type_u64, "18446744073709551616", NULL);
    round_trip(&warp_type_i64, "-9223372036854775808", "-9223372036854775808");
    round_trip(&warp_type_i64, "9223372036854775808", NULL);
    round_trip(&warp_type_u8, "255", "255");
    round_trip(&warp_type_u8, "256", NULL);
    round_trip(&warp_type_u8, "-1", NULL);
    round_trip(&warp_type_u8, "1.5", NULL);
    round_trip(&warp_type_i16, "-32768", "-32768");
    round_trip(&warp_type_f64, "0.1", "0.1");
    round_trip(&warp_type_f64, "5e-324", "4.94065645841247e-324");
    round_trip(&warp_type_f64, "1.7976931348623157e308",
               "1.7976931348623157e+308");
    round_trip(&warp_type_f64, "1e309", NULL);
    round_trip(&warp_type_f32, "0.1", "0.1");
    round_trip(&warp_type_f32, "16777217", "16777216");
    round_trip(&warp_type_f32, "1e39", NULL);
    round_trip(&warp_type_f64, "\"NaN\"", "\"NaN\"");
    round_trip(&warp_type_f64, "\"-Infinity\"", "\"-Infinity\"");
    round_trip(&warp_type_timestamp, "1700000000123", "1700000000123");
    round_trip(&warp_type_bool, "true", "true");
    round_trip(&warp_type_bool, "1", NULL);
}
END_TEST

START_TEST(text_and_bytes)
{
    round_trip(&warp_type_string, "\"a\\\"\\\\\\n\\u0001\xc3\xa9\"",
               "\"a\\\"\\\\\\n\\u0001\xc3\xa9\"");
    round_trip(&warp_type_string, "1", NULL);
    round_trip(&warp_type_bytes, "\"AAE=\"", "\"AAE=\"");
    round_trip(&warp_type_bytes, "\"AAE\"", "\"AAE=\"");
    round_trip(&warp_type_bytes, "\"\"", "\"\"");
    round_trip(&warp_type_bytes, "\"A\"", NULL);
    round_trip(&warp_type_bytes, "\"AB==\"", NULL);
    round_trip(&warp_type_bytes, "\"A*==\"", NULL);
    round_trip(&warp_type_uuid, "\"00112233-4455-6677-8899-AABBCCDDEEFF\"",
               "\"00112233-4455-6677-8899-aabbccddeeff\"");
    round_trip(&warp_type_uuid, "\"0011\"", NULL);
    round_trip(&warp_type_value_map,
               "{\"z\":1,\"a\":[1.0,null,\"x\",{\"$bytes\":\"AA==\"}]}",
               "{\"a\":[1.0,null,\"x\",{\"$bytes\":\"AA==\"}],\"z\":1}");
    round_trip(&warp_type_value_map, "[1]", NULL);
}
END_TEST

START_TEST(csv_rows)
{
    static const char text[] = "a,\"b,\"\"c\"\"\nd\",,\"\"\r\nlast";
    struct csv_input in = {text, text + strlen(text), 1, NULL};
    struct csv_row row = {.text = TEXT_INIT};
    ck_assert_int_eq(csv_next(&in, &row), WARP_OK);
    ck_assert_uint_eq(row.count, 4);
    ck_assert_uint_eq(row.cells[1].bytes, 7);
    ck_assert(memcmp(row.text.data + row.cells[1].at, "b,\"c\"\nd", 7) == 0);
    ck_assert(!row.cells[2].quoted && row.cells[2].bytes == 0);
    ck_assert(row.cells[3].quoted && row.cells[3].bytes == 0);
    ck_assert_int_eq(csv_next(&in, &row), WARP_OK);
    ck_assert_uint_eq(row.line, 3);
    ck_assert_uint_eq(row.count, 1);
    ck_assert_int_eq(csv_next(&in, &row), WARP_END);
    static const char *const bad[] = {"\"a", "a\"b\"", "\"a\"b"};
    for (int i = 0; i < 3; i++) {
        in = (struct csv_input){bad[i], bad[i] + strlen(bad[i]), 1, NULL};
        ck_assert_int_eq(csv_next(&in, &row), WARP_EINVAL);
        ck_assert_ptr_nonnull(in.fault);
    }
    csv_row_free(&row);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tool_text");
    TCase *tc = tcase_create("text");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, json_refuses);
    tcase_add_test(tc, json_nested_too_deeply);
    tcase_add_test(tc, json_and_csv_survive_damage);
    tcase_add_test(tc, numbers_are_exact);
    tcase_add_test(tc, text_and_bytes);
    tcase_add_test(tc, csv_rows);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
