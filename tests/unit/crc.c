/* CRC32C as its definition has it, bit by bit, for every length around the
 * lanes that the instruction takes together, and in parts. */
#include "crc.h"

#include <check.h>
#include <stdlib.h>

enum { BYTES = 5000 };

static uint8_t bytes[BYTES + 8];

static uint32_t by_bit(uint32_t crc, const uint8_t *p, size_t count)
{
    crc = ~crc;
    while (count--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0x82f63b78u & (0u - (crc & 1)));
    }
    return ~crc;
}

static void fill(void)
{
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> 24);
    }
}

START_TEST(known_vectors)
{
    static const uint8_t zeros[32];
    ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
    ck_assert_uint_eq(crc32c(0, zeros, sizeof zeros), 0x8a9136aa);
    ck_assert_uint_eq(crc32c(0, zeros, 0), 0);
}
END_TEST

START_TEST(any_length_anywhere)
{
    for (size_t count = 0; count <= BYTES; count += count < 64 ? 1 : 37)
        for (size_t from = 0; from < 8; from += 3)
            ck_assert_uint_eq(crc32c((uint32_t)count, bytes + from, count),
                              by_bit((uint32_t)count, bytes + from, count));
    for (size_t count = 1530; count < 1545; count++)
        ck_assert_uint_eq(crc32c(0, bytes, count), by_bit(0, bytes, count));
}
END_TEST

START_TEST(parts_are_the_whole)
{
    uint32_t whole = crc32c(7, bytes, BYTES);
    for (size_t at = 0; at <= BYTES; at += 97)
        ck_assert_uint_eq(crc32c(crc32c(7, bytes, at), bytes + at, BYTES - at),
                          whole);
}
END_TEST

int main(void)
{
    fill();
    Suite *suite = suite_create("crc");
    TCase *all = tcase_create("all");
    suite_add_tcase(suite, all);
    tcase_add_test(all, known_vectors);
    tcase_add_test(all, any_length_anywhere);
    tcase_add_test(all, parts_are_the_whole);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
