/* The table of what is used together, at places that are chosen here: a set has
 * four of them. */
#include "coaccess.h"
#include "error.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct budget budget;
static struct coaccess *table;

static void set_up(void)
{
    atomic_store(&budget.limit, 64 << 20);
    ck_assert_int_eq(coaccess_create(&budget, 1, &table), WARP_OK);
}

static void tear_down(void)
{
    coaccess_destroy(&table);
    ck_assert_uint_eq(atomic_load(&budget.used), 0);
}

/* The smallest table has 64 sets. */
static uint64_t hash_of(unsigned record, unsigned set)
{
    return (uint64_t)record << 48 | (uint64_t)record << 8 | set;
}

static void use(unsigned record, unsigned set)
{
    char key[16];
    snprintf(key, sizeof key, "%06u", record);
    (void)coaccess_touch(table, 1, hash_of(record, set), (const uint8_t *)key,
                         6);
}

/* Nobody's partners: far enough apart, each time others. */
static void use_others(void)
{
    static unsigned other = 1000;
    for (int i = 0; i < 3; i++, other++)
        use(other, 1 + other % 63);
}

enum { SET = 0, PAIRS = 2 };

/* Pairs first and first + 1, first + 2 and first + 3, all of one set; and in
 * each fourth turn somebody of that set who comes once. */
static void use_pairs(unsigned first, int turns)
{
    static unsigned once = 40000;
    for (int turn = 0; turn < turns; turn++) {
        for (unsigned pair = 0; pair < PAIRS; pair++) {
            use(first + 2 * pair, SET);
            use(first + 2 * pair + 1, SET);
            use_others();
        }
        if (turn % 4 == 0) {
            use(once++, SET);
            use_others();
        }
    }
}

/* Each one's only partner is the other of its pair. */
static unsigned count_paired(unsigned first)
{
    struct coaccess_link links[COACCESS_LINKS];
    unsigned paired = 0;
    coaccess_settle(table);
    for (unsigned i = 0; i < 2 * PAIRS; i++) {
        uint32_t count = coaccess_links(table, 1, hash_of(first + i, SET),
                                        links);
        ck_assert_uint_le(count, 1);
        paired += count == 1 && links[0].hash == hash_of((first + i) ^ 1, SET);
    }
    return paired;
}

START_TEST(who_comes_once_drives_nobody_out)
{
    use_pairs(10, 40);
    for (int i = 0; i < 50; i++) {
        use_pairs(10, 4);
        ck_assert_uint_eq(count_paired(10), 2 * PAIRS);
    }
}
END_TEST

START_TEST(who_is_used_no_more_gives_way)
{
    use_pairs(10, 10);
    ck_assert_uint_eq(count_paired(10), 2 * PAIRS);
    use_pairs(20, 20000); /* counts are halved on the way */
    ck_assert_uint_eq(count_paired(20), 2 * PAIRS);
    ck_assert_uint_eq(count_paired(10), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("coaccess");
    TCase *tc = tcase_create("table");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, who_comes_once_drives_nobody_out);
    tcase_add_test(tc, who_is_used_no_more_gives_way);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
