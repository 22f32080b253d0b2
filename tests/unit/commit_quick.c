/* Which writes take the short way (commit_quick.h): one that took the long one
 * would only be slower, so the linker puts a function between commit.c and what
 * the long way calls, and counts. */
#include <string.h>

#include "apply.h"
#include "db.h"
#include "scratch.h"

#include "quick.warp.h"

static struct warp_db *db;
static unsigned long_ways;
static char text[600]; /* longer than what lies behind a key */

int __real_apply_prepare(struct shard *s, struct op *op, struct plan *plan);
int __wrap_apply_prepare(struct shard *s, struct op *op, struct plan *plan);
int __wrap_apply_prepare(struct shard *s, struct op *op, struct plan *plan)
{
    long_ways++;
    return __real_apply_prepare(s, op, plan);
}

static uint64_t ready, memory; /* options */

static void open_it(void)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = 2;
    o.ready_records = ready;
    o.memory_max_bytes = memory;
    int rc = warp_open(scratch_path, &quick_warp_schema, &o, &db);
    ck_assert_msg(rc == WARP_OK, "%s", warp_errmsg(NULL));
}

static void set_up(void)
{
    scratch();
    open_it();
}

static void tear_down(void)
{
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    scratch_remove();
}

#define ck_way(which, call)                                                    \
    do {                                                                       \
        long_ways = 0;                                                         \
        ck_assert_int_eq(call, WARP_OK);                                       \
        ck_assert_uint_eq(long_ways, which);                                   \
    } while (0)
enum { QUICK, LONG };

static int put(uint32_t level, const char *name)
{
    struct qu_row r = {.id = 7, .level = level, .name = warp_str(name)};
    return qu_row_put(db, &r, QU_ROW_LEVEL | QU_ROW_NAME);
}

static void must_be(uint32_t level, const char *name)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct qu_row r;
    ck_assert_int_eq(qu_row_get(db, 7, QU_ROW_LEVEL | QU_ROW_NAME, &r, &arena),
                     WARP_OK);
    ck_assert_uint_eq(r.level, level);
    ck_assert_uint_eq(r.name.len, strlen(name));
    ck_assert_mem_eq(r.name.data, name, r.name.len);
    warp_arena_free(&arena);
}

static unsigned count_rows(void)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_iter *it = NULL;
    struct qu_row r;
    unsigned n = 0;
    int rc = qu_row_scan(db, NULL, QU_ROW_ALL, &it);
    ck_assert_int_eq(rc, WARP_OK);
    while ((rc = qu_row_next(it, &r, &arena)) == WARP_OK)
        n++;
    ck_assert_int_eq(rc, WARP_END);
    warp_iter_close(&it);
    warp_arena_free(&arena);
    return n;
}

START_TEST(bytes_that_are_written_over)
{
    ck_way(QUICK, put(1, "a name of some length"));
    must_be(1, "a name of some length");
    ck_way(QUICK, put(2, "a name of some length"));
    ck_way(QUICK, put(3, "a shorter one"));
    must_be(3, "a shorter one");
    ck_way(QUICK, qu_row_set_level(db, 7, 4));
    ck_way(QUICK, qu_row_set_name(db, 7, warp_str("")));
    must_be(4, "");
    ck_way(QUICK, put(5, "as long as it once wa"));
    must_be(5, "as long as it once wa");
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    open_it();
    must_be(5, "as long as it once wa");
    ck_way(QUICK, qu_row_set_level(db, 7, 6));
    must_be(6, "as long as it once wa");
}
END_TEST

/* What the directory may have is not new. */
START_TEST(new_ones)
{
    for (uint64_t id = 1; id <= 300; id++) {
        struct qu_row r = {.id = id, .level = (uint32_t)id, .paid = id,
                           .name = warp_str("new")};
        ck_way(QUICK, qu_row_put(db, &r, QU_ROW_LEVEL | QU_ROW_NAME));
        struct qu_away a = {.id = id, .page = warp_str("new")};
        ck_way(LONG, qu_away_put(db, &a, QU_AWAY_PAGE));
    }
    struct qu_row all = {.id = 999, .level = 1, .name = warp_str("all")};
    ck_way(LONG, qu_row_put(db, &all, QU_ROW_ALL));
    for (int life = 0; life < 2; life++) {
        ck_assert_uint_eq(count_rows(), 301);
        must_be(7, "new");
        ck_way(QUICK, qu_row_set_level(db, 7, 7));
        ck_assert_int_eq(warp_close(&db), WARP_OK);
        open_it();
    }
}
END_TEST

static void put_rows(uint64_t count)
{
    for (uint64_t id = 1; id <= count; id++) {
        struct qu_row r = {.id = id, .level = (uint32_t)id};
        ck_assert_int_eq(qu_row_put(db, &r, QU_ROW_LEVEL), WARP_OK);
    }
}

static uint64_t index_bytes(void)
{
    return db->shards[0].index.bytes + db->shards[1].index.bytes;
}

/* The index grows at the open and not in puts; asked for more than there can
 * be, it leaves room for the records. */
START_TEST(an_index_that_is_ready)
{
    uint64_t before = index_bytes();
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    ready = 20000;
    open_it();
    uint64_t bytes = index_bytes();
    ck_assert_uint_gt(bytes, before + 20000 * 8);
    put_rows(20000);
    ck_assert_uint_eq(index_bytes(), bytes);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    ready = UINT64_MAX;
    memory = UINT64_C(64) << 20;
    open_it();
    ck_assert_uint_le(index_bytes(), memory / 3);
    ck_assert_uint_eq(count_rows(), 20000);
    put_rows(50000);
    ready = memory = 0;
}
END_TEST

START_TEST(sums)
{
    uint32_t now = 0;
    ck_way(LONG, qu_row_add_level(db, 7, 3, &now));
    ck_assert_uint_eq(now, 3);
    ck_way(QUICK, qu_row_add_level(db, 7, 4, &now));
    ck_assert_uint_eq(now, 7);
    ck_way(QUICK, qu_row_add_level(db, 7, -7, NULL));
    long_ways = 0;
    ck_assert_int_eq(qu_row_add_level(db, 7, -1, &now), WARP_ERANGE);
    ck_assert_int_eq(qu_row_add_level(db, 7, INT64_C(1) << 32, &now),
                     WARP_ERANGE);
    ck_assert_uint_eq(long_ways, 0);
    ck_assert_uint_eq(now, 7);
    ck_way(QUICK, qu_row_add_level(db, 7, UINT32_MAX, &now));
    ck_assert_uint_eq(now, UINT32_MAX);
    ck_way(LONG, qu_row_delete(db, 7));
    ck_way(LONG, qu_row_set_name(db, 7, warp_str("nothing to add to")));
    ck_way(LONG, qu_row_add_level(db, 7, 2, &now));
    ck_assert_uint_eq(now, 2);
    ck_way(QUICK, put(5, "five"));
    ck_way(QUICK, qu_row_add_level(db, 7, 1, &now));
    must_be(6, "five");
    ck_way(LONG, qu_row_add_paid(db, 7, 1, NULL));
    ck_way(LONG, qu_row_add_paid(db, 7, 1, NULL));
    ck_way(LONG, qu_row_add_fresh(db, 7, 1, NULL));
    ck_way(LONG, qu_row_add_fresh(db, 7, 1, NULL));
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    open_it();
    must_be(6, "five");
}
END_TEST

START_TEST(what_needs_more_takes_the_long_way)
{
    const char *longer = "a name for which the record has no room, as it is "
                         "longer than all that it has had before";
    ck_way(QUICK, put(1, "short"));
    ck_way(LONG, put(2, longer));
    ck_way(QUICK, put(3, longer));
    must_be(3, longer);
    ck_way(LONG, qu_row_set_paid(db, 7, 1));
    ck_way(LONG, qu_row_set_paid(db, 7, 2));
    for (int i = 0; i < 2; i++) {
        ck_way(LONG, qu_row_set_token(db, 7, warp_str("t")));
        ck_way(LONG, qu_row_set_email(db, 7, warp_str("e")));
        ck_way(LONG, qu_row_set_page(db, 7, warp_str("p")));
        ck_way(LONG, qu_row_set_fresh(db, 7, 1));
    }
    ck_way(LONG, qu_row_delete(db, 7));
    ck_way(LONG, put(4, "back"));
    ck_way(QUICK, put(5, "back"));
    must_be(5, "back");
    ck_way(LONG, qu_row_put(db, &(struct qu_row){.id = 8, .name = warp_str("")},
                            QU_ROW_NAME));
    struct qu_row long_name = {.id = 9, .name = {text, sizeof text}};
    ck_way(LONG, qu_row_put(db, &long_name, QU_ROW_NAME));
    struct qu_mortal m = {.id = 7, .level = 1};
    ck_way(LONG, qu_mortal_put(db, &m, QU_MORTAL_LEVEL));
    ck_way(LONG, qu_mortal_put(db, &m, QU_MORTAL_LEVEL));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("commit_quick");
    TCase *c = tcase_create("ways");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, bytes_that_are_written_over);
    tcase_add_test(c, new_ones);
    tcase_add_test(c, an_index_that_is_ready);
    tcase_add_test(c, sums);
    tcase_add_test(c, what_needs_more_takes_the_long_way);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
