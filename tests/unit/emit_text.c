/* How C text is spelled: numbers, literals, comments that nothing can end,
 * doubles that read back as they were; and files that change only if they
 * must. */
#include "emit.h"

#include "arena.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena *arena;
static struct text text;

static void set_up(void)
{
    arena = arena_create();
    text_init(&text, arena, 4); /* grows at once */
}

static void tear_down(void)
{
    arena_destroy(&arena);
}

START_TEST(format_is_that_of_printf)
{
    char want[400];
    const char *format = "%s|%c|%d|%u|%x|%ld|%lu|%llx|%%|%d";
    snprintf(want, sizeof want, format, "abc", 'x', -5, 7u, 255u, -1L,
             18446744073709551615UL, 0xfffffffffULL, -2147483647 - 1);
    text_format(&text, format, "abc", 'x', -5, 7u, 255u, -1L,
                18446744073709551615UL, 0xfffffffffULL, -2147483647 - 1);
    ck_assert_str_eq(text_cstr(&text), want);
    text.size = 0;
    text_format(&text, "%lld", (long long)INT64_MIN);
    ck_assert_str_eq(text_cstr(&text), "-9223372036854775808");
}
END_TEST

START_TEST(a_literal_reads_back)
{
    static const char bytes[] = "a\"b\\c\n\0009?\xc3\xa9";
    text_literal(&text, bytes, sizeof bytes - 1);
    ck_assert_str_eq(text_cstr(&text),
                     "\"a\\042b\\134c\\012\\0009\\077\\303\\251\"");
}
END_TEST

START_TEST(doc_is_wrapped_and_cannot_end)
{
    static const char *const hostile[] = {"*/ int x; /*",
                                          "ends in a backslash \\",
                                          "?\?/",
                                          "/",
                                          "*",
                                          "",
                                          "\n\n",
                                          "x\n\n*/\n",
                                          "**//**//",
                                          "\\\n\\"};
    text_doc(&text, 4, NULL);
    ck_assert_uint_eq(text.size, 0);
    text_doc(&text, 4, "One line.");
    ck_assert_str_eq(text_cstr(&text), "    /** One line. */\n");
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        const char *all, *end;
        text.size = 0;
        text_doc(&text, 0, hostile[i]);
        all = text_cstr(&text);
        if (*all == '\0')
            continue;
        end = strstr(all + 3, "*/");
        ck_assert_ptr_nonnull(end);
        ck_assert_str_eq(end, "*/\n");
        ck_assert_ptr_null(strstr(all, "\\\n"));
        ck_assert_ptr_null(strstr(all, "??"));
    }
    text.size = 0;
    text_doc(&text, 4,
             "A sentence that is longer than eighty columns can hold, so that "
             "it has to go on in a second line.\n\nA second paragraph.");
    ck_assert_str_eq(
        text_cstr(&text),
        "    /** A sentence that is longer than eighty columns can hold, so "
        "that it\n     *  has to go on in a second line.\n     *\n"
        "     *  A second paragraph. */\n");
}
END_TEST

START_TEST(a_double_reads_back)
{
    static const double values[] = {0,     1,          -1,      0.1,
                                    1e300, 5e-324,     1.0 / 3, 16777217,
                                    1e15,  123456.789, -2.5e-10};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        double value = values[i];
        text.size = 0;
        text_double(&text, value, false);
        ck_assert(strtod(text_cstr(&text), NULL) == value);
        ck_assert_ptr_nonnull(strpbrk(text_cstr(&text), ".e"));
        text.size = 0;
        text_double(&text, value, true);
        ck_assert(strtof(text_cstr(&text), NULL) == (float)value ||
                  fabs(value) > 1e38);
    }
    text.size = 0;
    text_double(&text, 0.1, true);
    ck_assert_str_eq(text_cstr(&text), "0.1f");
}
END_TEST

static enum emit_result write_file(const char *path, const char *bytes,
                                   size_t size, bool really)
{
    struct output *output = output_begin(&text, path, really);
    text_bytes(&text, bytes, size);
    return output_end(&output);
}

START_TEST(a_long_file_is_compared_piece_by_piece)
{
    char path[] = "/tmp/warp-emit-XXXXXX";
    size_t room = 5 * TEXT_FLUSH_BYTES;
    char *bytes = malloc(room), *back = malloc(room);
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    for (size_t i = 0; i < room; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    for (unsigned round = 0; round < 12; round++) {
        /* the same, a change at some place, shorter, longer */
        size_t size = round % 4 == 2 ? room / 2 + round : room - round;
        FILE *file;
        for (int again = 0; again < 2; again++) {
            struct output *output = output_begin(&text, path, true);
            enum emit_result result;
            for (size_t at = 0; at < size; at += 1000) {
                text_bytes(&text, bytes + at,
                           size - at < 1000 ? size - at : 1000);
                text_flush(&text);
            }
            result = output_end(&output);
            ck_assert_int_eq(result, again ? EMIT_SAME : EMIT_CHANGED);
        }
        file = fopen(path, "r");
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fread(back, 1, room, file), size);
        ck_assert_mem_eq(back, bytes, size);
        fclose(file);
        bytes[(size_t)round * room / 12] ^= 1;
    }
    unlink(path);
    free(bytes);
    free(back);
}
END_TEST

START_TEST(a_file_changes_only_if_it_must)
{
    char path[] = "/tmp/warp-emit-XXXXXX", file[64], deep[64];
    struct stat before, after;
    ck_assert_ptr_nonnull(mkdtemp(path));
    snprintf(deep, sizeof deep, "%s/a/b", path);
    ck_assert_int_eq(emit_make_directory(deep), 0);
    ck_assert_int_eq(emit_make_directory(deep), 0);
    snprintf(file, sizeof file, "%s/a/b/x", path);
    ck_assert_int_eq(write_file(file, "one", 3, false), EMIT_CHANGED);
    ck_assert_int_ne(access(file, F_OK), 0);
    ck_assert_int_eq(write_file(file, "one", 3, true), EMIT_CHANGED);
    ck_assert_int_eq(stat(file, &before), 0);
    ck_assert_int_eq(write_file(file, "one", 3, true), EMIT_SAME);
    ck_assert_int_eq(stat(file, &after), 0);
    ck_assert(before.st_ino == after.st_ino);
    ck_assert_int_eq(write_file(file, "two", 3, true), EMIT_CHANGED);
    ck_assert_int_eq(stat(file, &after), 0);
    ck_assert(before.st_ino != after.st_ino);
    ck_assert_int_eq(emit_make_directory(file), 0); /* EEXIST: the write says */
    snprintf(deep, sizeof deep, "%s/nowhere/x", path);
    ck_assert_int_eq(write_file(deep, "one", 3, true), EMIT_FAILED);
    ck_assert_int_eq(unlink(file), 0);
    snprintf(deep, sizeof deep, "%s/a/b", path);
    ck_assert_int_eq(rmdir(deep), 0);
    snprintf(deep, sizeof deep, "%s/a", path);
    ck_assert_int_eq(rmdir(deep), 0);
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("emit_text");
    TCase *tcase = tcase_create("emit_text");
    SRunner *runner;
    int failed;
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, format_is_that_of_printf);
    tcase_add_test(tcase, a_literal_reads_back);
    tcase_add_test(tcase, doc_is_wrapped_and_cannot_end);
    tcase_add_test(tcase, a_double_reads_back);
    tcase_add_test(tcase, a_long_file_is_compared_piece_by_piece);
    tcase_add_test(tcase, a_file_changes_only_if_it_must);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
