/* UTF-8: every code point is taken, every other sequence of up to four bytes
 * is refused at the right place, at every distance from the eight-byte path. */
#include "utf8.h"

#include <check.h>
#include <string.h>

/* The definition, without tricks: decode, then ask for the shortest form. */
static size_t reference(const uint8_t *at, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (at[0] < 0x80)
        return 1;
    size_t bytes = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc0 || at[0] > 0xf7 || left < bytes)
        return 0;
    uint32_t code = at[0] & (0xffu >> (bytes + 1));
    for (size_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    if (code < least[bytes] || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000))
        return 0;
    return bytes;
}

START_TEST(all_sequences)
{
    /* the third and fourth byte: the edges of the classes are enough */
    static const uint8_t edge[] = {0, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            for (unsigned c = 0; c < 6; c++)
                for (unsigned d = 0; d < 6; d++) {
                    uint8_t s[4] = {(uint8_t)a, (uint8_t)b, edge[c], edge[d]};
                    size_t wanted = 0;
                    while (wanted < 4) {
                        size_t step = reference(s + wanted, 4 - wanted);
                        if (!step)
                            break;
                        wanted += step;
                    }
                    ck_assert_uint_eq(utf8_valid_bytes(s, 4), wanted);
                }
}
END_TEST

START_TEST(at_every_place)
{
    char text[64];
    for (size_t bytes = 0; bytes <= sizeof text; bytes++)
        for (size_t at = 0; at < bytes; at++) {
            memset(text, 'x', sizeof text);
            ck_assert_uint_eq(utf8_valid_bytes(text, bytes), bytes);
            text[at] = (char)0xff;
            ck_assert_uint_eq(utf8_valid_bytes(text, bytes), at);
            text[at] = (char)0xc3; /* a lead byte, its follower missing */
            ck_assert_uint_eq(utf8_valid_bytes(text, bytes), at);
            if (at + 1 < bytes) {
                text[at + 1] = (char)0xa9;
                ck_assert_uint_eq(utf8_valid_bytes(text, bytes), bytes);
            }
        }
}
END_TEST

START_TEST(nothing_is_valid)
{
    ck_assert_uint_eq(utf8_valid_bytes(NULL, 0), 0);
    ck_assert_uint_eq(utf8_valid_bytes("a\0b", 3), 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("utf8");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_test(all, all_sequences);
    tcase_add_test(all, at_every_place);
    tcase_add_test(all, nothing_is_valid);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
