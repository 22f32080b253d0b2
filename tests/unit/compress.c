/* Blocks come back as they were at every level; hostile bytes are an error. */
#include "scratch.h"

#include "compress.h"

#include <string.h>
#include <warp/gen.h>
#include <warp/warp.h>

enum { MOST = 200 * 1024 };
static uint8_t raw[MOST], stored[MOST + 64], back[MOST];
static struct compress *c;

static void set_up(void)
{
    ck_assert_int_eq(compress_create(&c), 0);
}

static void tear_down(void)
{
    compress_destroy(&c);
    ck_assert_ptr_null(c);
}

/* Text-like for even seeds, noise for odd ones. */
static void fill(size_t bytes, uint64_t seed)
{
    uint64_t state = seed * 77 + 1;
    for (size_t i = 0; i < bytes; i++) {
        uint64_t r = scratch_random(&state);
        raw[i] = seed % 2
                     ? (uint8_t)r
                     : (uint8_t)("a word of text "[(i + (r % 50 == 0)) % 15]);
    }
}

START_TEST(round_trip)
{
    static const size_t sizes[] = {0,    1,     15,    16,    17,  100,
                                   4096, 16384, 20000, 65536, MOST};
    for (int level = WARP_COMPRESS_NONE; level <= WARP_COMPRESS_MAXIMUM;
         level++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            for (uint64_t seed = 0; seed < 2; seed++) {
                size_t bytes = sizes[i], n = 0;
                fill(bytes, seed);
                memset(stored + bytes, 0xa5, 64);
                int codec = compress_block(c, level, raw, bytes, stored, &n);
                ck_assert(n <= bytes && stored[bytes] == 0xa5);
                if (level == WARP_COMPRESS_NONE || seed == 1)
                    ck_assert(codec == COMPRESS_RAW && n == bytes);
                else if (bytes >= 4096)
                    ck_assert(codec == COMPRESS_LZ4 && n < bytes / 2);
                memset(back, 0, bytes);
                ck_assert_int_eq(compress_undo(codec, stored, n, back, bytes),
                                 0);
                ck_assert(memcmp(raw, back, bytes) == 0);
            }
}
END_TEST

START_TEST(maximum_is_smaller)
{
    size_t fast, best;
    fill(65536, 2);
    compress_block(c, WARP_COMPRESS_DEFAULT, raw, 65536, stored, &fast);
    compress_block(c, WARP_COMPRESS_MAXIMUM, raw, 65536, stored, &best);
    ck_assert_msg(best < fast, "%zu, %zu", best, fast);
}
END_TEST

START_TEST(damage_is_an_error_or_other_bytes)
{
    size_t n;
    fill(20000, 4);
    int codec =
        compress_block(c, WARP_COMPRESS_DEFAULT, raw, 20000, stored, &n);
    ck_assert_int_eq(codec, COMPRESS_LZ4);
    for (size_t i = 0; i < n; i++) {
        stored[i] ^= (uint8_t)(1u << (i % 8));
        int rc = compress_undo(codec, stored, n, back, 20000);
        ck_assert(rc == 0 || rc == WARP_ECORRUPT);
        stored[i] ^= (uint8_t)(1u << (i % 8));
        rc = compress_undo(codec, stored, i, back, 20000);
        ck_assert_int_eq(rc, WARP_ECORRUPT);
    }
    ck_assert_int_eq(compress_undo(codec, stored, n, back, 19999),
                     WARP_ECORRUPT);
    ck_assert_int_eq(compress_undo(codec, stored, n, back, 20001),
                     WARP_ECORRUPT);
    ck_assert_int_eq(compress_undo(7, stored, n, back, n), WARP_ECORRUPT);
    ck_assert_int_eq(compress_undo(COMPRESS_RAW, stored, n, back, n + 1),
                     WARP_ECORRUPT);
    ck_assert_int_eq(compress_undo(codec, stored, n, back, UINT32_MAX),
                     WARP_ECORRUPT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compress");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, round_trip);
    tcase_add_test(all, maximum_is_smaller);
    tcase_add_test(all, damage_is_an_error_or_other_bytes);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
