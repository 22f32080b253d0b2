/* What warp-bench writes and visits: values are recognised as right or wrong,
 * keys differ, a record is loaded once, zipf draws have their frequencies. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "kv_workload.h"
#include "zipf.h"

static struct kv_pool pool;

START_TEST(values_are_verified)
{
    unsigned char value[200];
    for (size_t bytes = 1; bytes <= sizeof value; bytes += 9) {
        kv_value(&pool, 77, 5, value, bytes);
        ck_assert(kv_value_is_right(&pool, 77, value, bytes, bytes));
        ck_assert(!kv_value_is_right(&pool, 77, value, bytes, bytes + 1));
        if (bytes >= 8)
            ck_assert(!kv_value_is_right(&pool, 78, value, bytes, bytes));
        value[bytes - 1] ^= 1;
        ck_assert(!kv_value_is_right(&pool, 77, value, bytes, bytes));
    }
}
END_TEST

START_TEST(every_record_is_loaded_once)
{
    enum { RECORDS = 5000 };
    static unsigned char seen[RECORDS];
    struct kv_order order;
    unsigned moved = 0;
    ck_assert_int_eq(kv_order_init(&order, RECORDS, false), 0);
    for (unsigned i = 0; i < RECORDS; i++) {
        ck_assert_uint_lt(order.shuffled[i], RECORDS);
        ck_assert_uint_eq(seen[order.shuffled[i]]++, 0);
        moved += order.shuffled[i] != i;
    }
    ck_assert_uint_gt(moved, RECORDS / 2);
    kv_order_fini(&order);
}
END_TEST

START_TEST(keys_differ)
{
    unsigned char a[KV_KEY_BYTES], b[KV_KEY_BYTES];
    for (uint64_t i = 0; i < 1000; i++) {
        kv_key(i, a);
        kv_key(i + 1, b);
        ck_assert_mem_ne(a, b, KV_KEY_BYTES);
        ck_assert_mem_ne(a, b, 8);
    }
}
END_TEST

START_TEST(zipf_has_its_frequencies)
{
    enum { RANKS = 1000, DRAWS = 400000 };
    static double seen[RANKS];
    struct random random = random_seeded(3);
    struct zipf z;
    double norm = 0;
    zipf_init(&z, RANKS, 0.99);
    for (unsigned i = 0; i < DRAWS; i++) {
        uint64_t rank = zipf_next(&z, &random);
        ck_assert_uint_lt(rank, RANKS);
        seen[rank]++;
    }
    for (unsigned i = 0; i < RANKS; i++)
        norm += pow(i + 1, -0.99);
    for (unsigned i = 0; i < 10; i++) {
        double wanted = DRAWS * pow(i + 1, -0.99) / norm;
        ck_assert_msg(fabs(seen[i] - wanted) < wanted * 0.05,
                      "rank %u: %g draws, wanted %g", i, seen[i], wanted);
    }
}
END_TEST

int main(void)
{
    kv_pool_fill(&pool);
    Suite *suite = suite_create("workload");
    TCase *all = tcase_create("all");
    tcase_add_test(all, values_are_verified);
    tcase_add_test(all, every_record_is_loaded_once);
    tcase_add_test(all, keys_differ);
    tcase_add_test(all, zipf_has_its_frequencies);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
