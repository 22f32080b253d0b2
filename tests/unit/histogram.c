/* warp-bench's latency histogram: buckets are in order and without gaps,
 * quantiles are right to their width, merging adds. */
#include "histogram.h"

#include <check.h>

START_TEST(buckets_are_in_order)
{
    unsigned last = 0;
    for (uint64_t ns = 1; ns < 100000; ns++) {
        unsigned bucket = histogram_bucket(ns);
        ck_assert(bucket == last || bucket == last + 1);
        last = bucket;
    }
    ck_assert(histogram_bucket(UINT64_MAX) < HISTOGRAM_BUCKETS);
}
END_TEST

START_TEST(quantiles_are_right_to_a_bucket)
{
    static struct histogram h;
    histogram_clear(&h);
    ck_assert(histogram_quantile(&h, 0.5) == 0);
    for (uint64_t ns = 1; ns <= 100000; ns++)
        histogram_record(&h, ns);
    const double shares[] = {0.001, 0.5, 0.99, 0.999};
    for (unsigned i = 0; i < 4; i++) {
        double wanted = shares[i] * 100000;
        double got = histogram_quantile(&h, shares[i]);
        ck_assert_msg(got > wanted * 0.98 && got < wanted * 1.02,
                      "quantile %g: %g, wanted %g", shares[i], got, wanted);
    }
}
END_TEST

START_TEST(merging_adds)
{
    static struct histogram a, b;
    histogram_clear(&a);
    histogram_clear(&b);
    histogram_record(&a, 10);
    histogram_record(&b, 1000);
    histogram_record(&b, 1000);
    histogram_merge(&a, &b);
    ck_assert_uint_eq(a.count, 3);
    ck_assert(histogram_quantile(&a, 0.3) == 10);
    ck_assert(histogram_quantile(&a, 0.9) > 980);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("histogram");
    TCase *all = tcase_create("all");
    tcase_add_test(all, buckets_are_in_order);
    tcase_add_test(all, quantiles_are_right_to_a_bucket);
    tcase_add_test(all, merging_adds);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
