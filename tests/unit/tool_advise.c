/* tool_advise.c: what `warp advise` makes of counts that an owner has told. */
#include "tool.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *told; /* the owner's answer */
static char printed[4000], failed[400];

int __wrap_source_open(struct source *source, const char *path,
                       enum source_mode mode);
int __wrap_source_open(struct source *source, const char *path,
                       enum source_mode mode)
{
    (void)source, (void)path;
    ck_assert_int_eq(mode, SOURCE_READ);
    return WARP_OK;
}

int __wrap_source_ask(struct source *source, const struct text *request,
                      struct text *reply);
int __wrap_source_ask(struct source *source, const struct text *request,
                      struct text *reply)
{
    (void)source;
    struct text right = TEXT_INIT;
    request_begin(&right, REQUEST_PLACEMENT);
    ck_assert_uint_eq(request->used, right.used);
    ck_assert_mem_eq(request->data, right.data, right.used);
    text_free(&right);
    text_put(reply, told);
    return WARP_OK;
}

int __wrap_source_close(struct source *source);
int __wrap_source_close(struct source *source)
{
    (void)source;
    return WARP_OK;
}

int tool_print_json(const struct tool *tool, const struct text *reply)
{
    (void)tool;
    ck_assert_uint_lt(reply->used, sizeof printed);
    memcpy(printed, reply->data, reply->used);
    printed[reply->used] = 0;
    return TOOL_CLEAN;
}

int tool_fail(const struct tool *tool, int code, const char *why)
{
    (void)tool;
    snprintf(failed, sizeof failed, "%d %s", code, why);
    return TOOL_FINDINGS;
}

int tool_progress(void *bar, const char *what, uint64_t done, uint64_t total)
{
    (void)bar, (void)what, (void)done, (void)total;
    return 0;
}

void tool_bar_end(struct tool_bar *bar)
{
    (void)bar;
}

static int advise(const char *answer)
{
    struct tool tool = {.args = {"s"}, .arg_count = 1, .json = true};
    told = answer;
    printed[0] = failed[0] = 0;
    return tool_advise(&tool);
}

/* One that misses, one of which hardly anybody asks, one that is as it should
 * be, one that is not measured. */
START_TEST(each_gets_its_advice)
{
    ck_assert_int_eq(
        advise("{\"memory_max_bytes\":100000,\"products\":["
               "{\"name\":\"Hot\",\"measured\":true,\"fields\":[\"a\",\"b\"],"
               "\"gets_from_memory\":6000,\"gets_from_tiers\":2000,"
               "\"hit_us\":1,\"miss_us\":9,"
               "\"heat\":[{\"bytes\":5000,\"memory_bytes\":3000},"
               "{\"bytes\":4000,\"memory_bytes\":1000}]},"
               "{\"name\":\"Idle\",\"measured\":true,\"fields\":[\"c\"],"
               "\"gets_from_memory\":10,\"gets_from_tiers\":0,"
               "\"hit_us\":1,\"miss_us\":7,"
               "\"heat\":[{\"bytes\":6000,\"memory_bytes\":6000}]},"
               "{\"name\":\"Fine\",\"measured\":true,\"fields\":[\"d\"],"
               "\"gets_from_memory\":8000,\"gets_from_tiers\":8,"
               "\"hit_us\":1,\"miss_us\":7,"
               "\"heat\":[{\"bytes\":6000,\"memory_bytes\":6000}]},"
               "{\"name\":\"New\",\"measured\":false,\"fields\":[]}]}"),
        TOOL_CLEAN);
    ck_assert_str_eq(
        printed,
        "{\"products_measured\":3,\"gets_measured\":16018,\"advice\":["
        "{\"product\":\"Hot\",\"fields\":[\"a\",\"b\"],"
        "\"change\":\"persist: :memory, or priority: :high\","
        "\"why\":\"many gets read a tier, and all that is used would fit\","
        "\"memory_bytes_now\":4000,\"memory_bytes_then\":9000,"
        "\"get_us_now\":3.000,\"get_us_then\":1.000,\"gets\":8000},"
        "{\"product\":\"Idle\",\"fields\":[\"c\"],"
        "\"change\":\"priority: :low\",\"why\":\"hardly anybody asks for it, "
        "and it takes memory from others\",\"memory_bytes_now\":6000,"
        "\"memory_bytes_then\":0,\"get_us_now\":1.000,\"get_us_then\":7.000,"
        "\"gets\":10}]}");
}
END_TEST

/* Too few gets say nothing; what would not fit is not asked for; a miss that
 * costs no more is none. */
START_TEST(none_where_nothing_is_known)
{
    static const char *const answers[] = {
        "{\"memory_max_bytes\":100000,\"products\":[{\"name\":\"A\","
        "\"measured\":true,\"gets_from_memory\":100,\"gets_from_tiers\":800,"
        "\"hit_us\":1,\"miss_us\":9,\"heat\":[{\"bytes\":10}]}]}",
        "{\"memory_max_bytes\":100000,\"products\":[{\"name\":\"A\","
        "\"measured\":true,\"gets_from_memory\":100,\"gets_from_tiers\":8000,"
        "\"hit_us\":1,\"miss_us\":9,\"heat\":[{\"bytes\":20000}]}]}",
        "{\"memory_max_bytes\":100000,\"products\":[{\"name\":\"A\","
        "\"measured\":true,\"gets_from_memory\":100,\"gets_from_tiers\":8000,"
        "\"hit_us\":2,\"miss_us\":2,\"heat\":[{\"bytes\":10}]}]}",
        "{\"memory_max_bytes\":100000}", "{}"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        ck_assert_int_eq(advise(answers[i]), TOOL_CLEAN);
        ck_assert_msg(strstr(printed, "\"advice\":[]}") != NULL, "%s", printed);
    }
}
END_TEST

START_TEST(an_answer_that_is_none)
{
    ck_assert_int_eq(advise("{\"products\":"), TOOL_FINDINGS);
    ck_assert_str_eq(failed, "-4 the answer is no JSON");
    ck_assert_str_eq(printed, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tool_advise");
    TCase *tcase = tcase_create("advise");
    tcase_add_test(tcase, each_gets_its_advice);
    tcase_add_test(tcase, none_where_nothing_is_known);
    tcase_add_test(tcase, an_answer_that_is_none);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
