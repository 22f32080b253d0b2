/* The arena: alignment, no overlap, growth, a reset that keeps the largest
 * block and settles, a free that may be followed by use. */
#include "arena.h"

#include <check.h>
#include <stdint.h>
#include <string.h>

START_TEST(blocks_are_aligned_and_apart)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    enum { COUNT = 4000 };
    static uint8_t *at[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        at[i] = warp_arena_alloc(&arena, i % 97);
        ck_assert_ptr_nonnull(at[i]);
        ck_assert_uint_eq((uintptr_t)at[i] % 16, 0);
        memset(at[i], (int)(i & 0xff), i % 97);
    }
    for (unsigned i = 0; i < COUNT; i++)
        for (unsigned j = 0; j < i % 97; j++)
            ck_assert_uint_eq(at[i][j], i & 0xff);
    warp_arena_free(&arena);
}
END_TEST

START_TEST(zero_bytes_is_a_place_of_its_own)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    void *a = warp_arena_alloc(&arena, 0), *b = warp_arena_alloc(&arena, 0);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_ne(a, b);
    warp_arena_free(&arena);
    ck_assert_ptr_null(arena.head);
}
END_TEST

START_TEST(a_large_value_has_a_block)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    char *small = warp_arena_alloc(&arena, 10);
    char *large = warp_arena_alloc(&arena, 10 << 20);
    ck_assert_ptr_nonnull(large);
    memset(large, 1, 10 << 20);
    memset(small, 2, 10);
    ck_assert_int_eq(large[0], 1);
    warp_arena_free(&arena);
}
END_TEST

START_TEST(a_size_past_all_memory_is_refused)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    ck_assert_ptr_null(warp_arena_alloc(&arena, SIZE_MAX));
    ck_assert_ptr_null(warp_arena_alloc(&arena, SIZE_MAX - 20));
    ck_assert_ptr_nonnull(warp_arena_alloc(&arena, 100));
    warp_arena_free(&arena);
}
END_TEST

/* What was asked for and not needed is there for the next. */
START_TEST(the_last_one_may_be_less)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    const size_t used[] = {0, 1, 16, 17, 999, 1000};
    for (size_t i = 0; i < sizeof used / sizeof used[0]; i++) {
        char *at = warp_arena_alloc(&arena, 1000);
        ck_assert_ptr_nonnull(at);
        memset(at, 'x', used[i]);
        arena_shrink(&arena, at, used[i]);
        char *next = warp_arena_alloc(&arena, 8);
        ck_assert_uint_eq((uintptr_t)next % 16, 0);
        ck_assert(next >= at + used[i] && next != at);
        ck_assert(next < at + used[i] + 17);
        memset(next, 'y', 8);
        ck_assert(used[i] == 0 || at[used[i] - 1] == 'x');
    }
    warp_arena_free(&arena);
}
END_TEST

START_TEST(reset_settles_on_one_block)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    warp_arena_reset(&arena);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 1000; i++)
            ck_assert_ptr_nonnull(warp_arena_alloc(&arena, 100));
        warp_arena_reset(&arena);
    }
    struct warp_arena_block *settled = arena.head;
    size_t used = arena.used_bytes;
    ck_assert_uint_lt(used, 1 << 20);
    void *first = warp_arena_alloc(&arena, 100);
    for (unsigned i = 1; i < 1000; i++)
        ck_assert_ptr_nonnull(warp_arena_alloc(&arena, 100));
    ck_assert_ptr_eq(arena.head, settled);
    ck_assert_uint_eq(arena.used_bytes, used);
    warp_arena_reset(&arena);
    ck_assert_ptr_eq(warp_arena_alloc(&arena, 1), first);
    warp_arena_free(&arena);
    ck_assert_uint_eq(arena.used_bytes, 0);
}
END_TEST

START_TEST(what_is_ready_is_one_block)
{
    enum { BYTES = 1 << 20, PARTS = 1000 };
    struct warp_arena arena = WARP_ARENA_INIT;
    arena_ready(&arena, BYTES);
    size_t bytes = arena.used_bytes;
    ck_assert_uint_ge(bytes, BYTES);
    for (unsigned i = 0; i < PARTS; i++)
        memset(warp_arena_alloc(&arena, BYTES / PARTS / 16 * 16), 1, 16);
    ck_assert_uint_eq(arena.used_bytes, bytes);
    arena_ready(&arena, 2 * BYTES); /* it is in use */
    ck_assert_uint_eq(arena.used_bytes, bytes);
    warp_arena_free(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena");
    TCase *all = tcase_create("all");
    tcase_add_test(all, blocks_are_aligned_and_apart);
    tcase_add_test(all, zero_bytes_is_a_place_of_its_own);
    tcase_add_test(all, a_large_value_has_a_block);
    tcase_add_test(all, a_size_past_all_memory_is_refused);
    tcase_add_test(all, the_last_one_may_be_less);
    tcase_add_test(all, what_is_ready_is_one_block);
    tcase_add_test(all, reset_settles_on_one_block);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
