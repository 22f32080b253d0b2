/* Base modules of the compiler: names in C, atoms, nearest spellings, places in
 * texts, memory. */
#include "arena.h"
#include "atom.h"
#include "mangle.h"
#include "source.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(snake_breaks_where_the_rule_says)
{
    static const char *const names[][2] = {
        {"Entity", "entity"},
        {"HighPerformanceUser", "high_performance_user"},
        {"HTTPServer", "http_server"},
        {"HTTPThing2Go", "http_thing2_go"},
        {"Vec3", "vec3"},
        {"A", "a"},
        {"ABC", "abc"},
        {"already_snake", "already_snake"},
        {"Mixed_Case", "mixed_case"},
        {"x2Y", "x2_y"},
    };
    struct arena *arena = arena_create();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_str_eq(mangle_snake(arena, names[i][0]), names[i][1]);
    ck_assert_str_eq(mangle_upper(arena, "game_vec3"), "GAME_VEC3");
    arena_destroy(&arena);
    ck_assert_ptr_null(arena);
}
END_TEST

START_TEST(keywords_are_of_both_languages)
{
    static const char *const yes[] = {"int",      "_Bool",  "class", "xor_eq",
                                      "restrict", "inline", "true",  "and"};
    static const char *const no[] = {"gold", "Int", "classes", "", "have"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        ck_assert_msg(mangle_is_keyword(yes[i]), "%s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        ck_assert_msg(!mangle_is_keyword(no[i]), "%s", no[i]);
    ck_assert(mangle_is_identifier("_a1"));
    ck_assert(!mangle_is_identifier("1a"));
    ck_assert(!mangle_is_identifier("a-b"));
    ck_assert(!mangle_is_identifier(""));
}
END_TEST

START_TEST(equal_text_is_one_atom)
{
    struct arena *arena = arena_create();
    struct atom_table *table = atom_table_create(arena);
    const struct atom *atoms[5000];
    char name[16];
    for (int i = 0; i < 5000; i++) {
        int len = snprintf(name, sizeof name, "name%d", i);
        atoms[i] = atom_intern(table, name, (size_t)len);
    }
    for (int i = 0; i < 5000; i++) {
        int len = snprintf(name, sizeof name, "name%d", i);
        ck_assert_ptr_eq(atom_intern(table, name, (size_t)len), atoms[i]);
        ck_assert_str_eq(atoms[i]->text, name);
    }
    ck_assert_ptr_ne(atom_intern(table, "name1", 5),
                     atom_intern(table, "name10", 6));
    arena_destroy(&arena);
}
END_TEST

START_TEST(map_keeps_the_first)
{
    struct arena *arena = arena_create();
    struct atom_table *table = atom_table_create(arena);
    struct atom_map map;
    int values[300];
    char name[16];
    atom_map_init(&map, arena);
    for (int i = 0; i < 300; i++) {
        int len = snprintf(name, sizeof name, "k%d", i);
        const struct atom *key = atom_intern(table, name, (size_t)len);
        ck_assert_ptr_null(atom_map_get(&map, key));
        ck_assert_ptr_null(atom_map_put(&map, key, &values[i]));
        ck_assert_ptr_eq(atom_map_put(&map, key, &values[0]), &values[i]);
        ck_assert_ptr_eq(atom_map_get(&map, key), &values[i]);
    }
    ck_assert_uint_eq(map.count, 300);
    arena_destroy(&arena);
}
END_TEST

START_TEST(distance_counts_slips)
{
    ck_assert_uint_eq(atom_distance("memory", "memory", 3), 0);
    ck_assert_uint_eq(atom_distance("memry", "memory", 3), 1);
    ck_assert_uint_eq(atom_distance("mmeory", "memory", 3), 1);
    ck_assert_uint_eq(atom_distance("persists", "persist", 3), 1);
    ck_assert_uint_eq(atom_distance("abc", "xyz", 3), 3);
    ck_assert_uint_eq(atom_distance("abcd", "wxyz", 2), 3);
    ck_assert_uint_eq(atom_distance("", "abc", 5), 3);
    struct atom_nearest nearest;
    atom_nearest_init(&nearest, "memry");
    atom_nearest_offer(&nearest, "ssd");
    atom_nearest_offer(&nearest, "memory_only");
    atom_nearest_offer(&nearest, "memory");
    ck_assert_str_eq(nearest.best, "memory");
    atom_nearest_init(&nearest, "frobnicate");
    atom_nearest_offer(&nearest, "memory");
    ck_assert_ptr_null(nearest.best);
}
END_TEST

START_TEST(places_count_characters)
{
    struct arena *arena = arena_create();
    struct source_table *table = source_table_create(arena);
    static const char text[] = "one\n\xc3\xa4\xc3\xb6x\r\n\nend";
    struct source *source = source_add(table, "a.warp", text, sizeof text - 1);
    uint32_t len;
    struct source_position at = source_position(table, source->id, 0);
    ck_assert_uint_eq(at.line, 1);
    ck_assert_uint_eq(at.column, 1);
    at = source_position(table, source->id, 8); /* the x */
    ck_assert_uint_eq(at.line, 2);
    ck_assert_uint_eq(at.column, 3);
    at = source_position(table, source->id, sizeof text - 1);
    ck_assert_uint_eq(at.line, 4);
    ck_assert_uint_eq(at.column, 4);
    ck_assert_str_eq(source_line(table, source->id, 4, &len), "end");
    ck_assert_uint_eq(len, 3);
    source_line(table, source->id, 2, &len);
    ck_assert_uint_eq(len, 5); /* without its \r */
    source_line(table, source->id, 9, &len);
    ck_assert_uint_eq(len, 0);
    ck_assert_ptr_null(source_by_id(table, 0));
    ck_assert_ptr_null(source_by_id(table, 99));
    arena_destroy(&arena);
}
END_TEST

START_TEST(memory_is_zeroed_and_aligned)
{
    struct arena *arena = arena_create();
    for (size_t bytes = 1; bytes < 1000000; bytes = bytes * 3 + 1) {
        unsigned char *memory = arena_alloc(arena, bytes);
        ck_assert_uint_eq((uintptr_t)memory % _Alignof(uint64_t), 0);
        for (size_t i = 0; i < bytes; i++)
            ck_assert_uint_eq(memory[i], 0);
        memset(memory, 0xff, bytes);
    }
    char *text = arena_format(arena, "%0*d", 5000, 7);
    ck_assert_uint_eq(strlen(text), 5000);
    ck_assert_uint_ge(arena_bytes(arena), 5000);
    arena_destroy(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("front_base");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, snake_breaks_where_the_rule_says);
    tcase_add_test(tests, keywords_are_of_both_languages);
    tcase_add_test(tests, equal_text_is_one_atom);
    tcase_add_test(tests, map_keeps_the_first);
    tcase_add_test(tests, distance_counts_slips);
    tcase_add_test(tests, places_count_characters);
    tcase_add_test(tests, memory_is_zeroed_and_aligned);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
