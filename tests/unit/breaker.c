/* The breaker, with a clock of the test's own: when it opens, for how long,
 * and what closes it. */
#include "kernel_jobs.h"

#include "breaker.h"

#define MS INT64_C(1000000)

START_TEST(three_of_sixteen)
{
    struct breaker b;
    breaker_init(&b, 1);
    for (int n = 0; n < 100; n++) { /* one of eight is borne */
        ck_assert_int_eq(breaker_ask(&b, 0), BREAKER_YES);
        if (n % 8 == 0)
            breaker_bad(&b, 0, false);
        else
            breaker_good(&b);
    }
    breaker_init(&b, 1);
    breaker_bad(&b, 0, false);
    breaker_bad(&b, 0, false);
    for (int n = 0; n < 13; n++)
        breaker_good(&b);
    ck_assert_int_eq(b.state, BREAKER_CLOSED);
    breaker_bad(&b, 0, false); /* the third of the last 16 */
    ck_assert_int_eq(b.state, BREAKER_OPEN);
    breaker_init(&b, 1);
    breaker_bad(&b, 0, false);
    breaker_bad(&b, 0, false);
    for (int n = 0; n < 14; n++)
        breaker_good(&b);
    breaker_bad(&b, 0, false); /* one of the two is too long ago */
    ck_assert_int_eq(b.state, BREAKER_CLOSED);
}
END_TEST

START_TEST(one_severe_opens_for_a_second)
{
    struct breaker b;
    breaker_init(&b, 5);
    breaker_bad(&b, 0, true);
    ck_assert_int_eq(breaker_ask(&b, 700 * MS), BREAKER_NO);
    ck_assert_int_eq(breaker_ask(&b, 1300 * MS), BREAKER_SHADOW);
    ck_assert_int_eq(breaker_ask(&b, 1300 * MS), BREAKER_NO); /* one alone */
    breaker_good(&b);
    ck_assert_int_eq(breaker_ask(&b, 1300 * MS), BREAKER_YES);
    breaker_bad(&b, 0, true);
    ck_assert_int_eq(breaker_ask(&b, 1300 * MS), BREAKER_SHADOW);
}
END_TEST

/* 1, 2, 4 … 60 s, each within a quarter. */
START_TEST(pauses_double_to_a_minute)
{
    struct breaker b;
    int64_t now = 0, pause = 1000;
    breaker_init(&b, 77);
    breaker_bad(&b, now, true);
    for (int n = 0; n < 12; n++) {
        ck_assert_int_eq(breaker_ask(&b, now + pause * 74 / 100 * MS),
                         BREAKER_NO);
        now += pause * 126 / 100 * MS;
        ck_assert_int_eq(breaker_ask(&b, now), BREAKER_SHADOW);
        breaker_bad(&b, now, false); /* in a trial each fault counts */
        ck_assert_int_eq(b.state, BREAKER_OPEN);
        pause = pause * 2 > 60000 ? 60000 : pause * 2;
    }
}
END_TEST

START_TEST(breakers_do_not_ask_together)
{
    int64_t first = 0, different = 0;
    for (uint64_t n = 1; n <= 20; n++) {
        struct breaker b;
        breaker_init(&b, n * 1234567);
        breaker_bad(&b, 0, true);
        first = n == 1 ? b.until_ns : first;
        different += b.until_ns != first;
    }
    ck_assert_int_gt(different, 15);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        three_of_sixteen, one_severe_opens_for_a_second,
        pauses_double_to_a_minute, breakers_do_not_ask_together};
    return RUN_SUITE("breaker", tests);
}
