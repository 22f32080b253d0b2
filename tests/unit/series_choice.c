/* Which records' copies stay in memory: what is used stays before what was seen
 * once, what leaves is told once, what is gone gives its room back, and without
 * memory nothing is chosen and nothing breaks. */
#include "series_choice.h"

#include "fault.h"

#include <check.h>
#include <string.h>

enum { KEYS = 400, BYTES = 1000, CAPACITY = 100 * BYTES };

static struct budget budget;
static struct choice *c;
static uint32_t left[KEYS];

static uint64_t hash_of(uint32_t key)
{
    return (key + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static void leave(void *owner, uint64_t hash)
{
    (void)owner;
    for (uint32_t i = 0; i < KEYS; i++)
        if (hash_of(i) == hash) {
            left[i]++;
            return;
        }
    ck_abort_msg("a record that there is not");
}

static void set_up(void)
{
    memset(left, 0, sizeof left);
    atomic_store(&budget.limit, UINT64_MAX);
    atomic_store(&budget.used, 0);
    c = choice_create(&budget, CAPACITY, true, leave, NULL);
    ck_assert_ptr_nonnull(c);
    ck_assert_uint_gt(atomic_load(&budget.used), 0);
}

static void tear_down(void)
{
    choice_destroy(&c);
    ck_assert_ptr_null(c);
    choice_destroy(&c);
    ck_assert_uint_eq(atomic_load(&budget.used), 0);
}

static uint32_t held(uint32_t from, uint32_t to)
{
    uint32_t n = 0;
    for (uint32_t i = from; i < to; i++)
        n += choice_has(c, hash_of(i));
    return n;
}

START_TEST(what_is_used_stays)
{
    ck_assert(!choice_has(c, hash_of(0)));
    for (int round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < 40; i++)
            choice_use(c, hash_of(i), BYTES, 0);
        for (uint32_t i = 40; i < KEYS; i++)
            if (i % 20 == (uint32_t)round)
                choice_use(c, hash_of(i), BYTES, 0);
    }
    ck_assert_uint_ge(held(0, 40), 35);
    ck_assert_uint_le(choice_used(c), choice_capacity(c));
    ck_assert_uint_eq(choice_used(c), (uint64_t)held(0, KEYS) * BYTES);
    for (uint32_t i = 0; i < KEYS; i++)
        ck_assert(!choice_has(c, hash_of(i)) || left[i] < 20);
}
END_TEST

/* They grow, go by age, or are found to be gone; then there is room again. */
START_TEST(what_is_gone_gives_room)
{
    for (uint32_t i = 0; i < 50; i++)
        choice_use(c, hash_of(i), BYTES, 0);
    ck_assert_uint_eq(held(0, 50), 50);
    choice_size(c, hash_of(7), 3 * BYTES, 0);
    ck_assert_uint_eq(choice_used(c), 52 * BYTES);
    choice_size(c, hash_of(60), BYTES, 0); /* was none of them: a use */
    ck_assert(choice_has(c, hash_of(60)));
    choice_left(c, hash_of(7));
    choice_left(c, hash_of(7));
    choice_left(c, hash_of(300)); /* was never one */
    ck_assert(!choice_has(c, hash_of(7)));
    ck_assert_uint_eq(choice_used(c), 50 * BYTES);
    choice_resize(c, 10 * BYTES);
    ck_assert_uint_le(choice_used(c), 10 * BYTES);
    ck_assert_uint_eq(choice_capacity(c), 10 * BYTES);
    ck_assert_uint_eq(choice_used(c), (uint64_t)held(0, KEYS) * BYTES);
    choice_resize(c, 0);
    ck_assert_uint_eq(held(0, KEYS), 0);
}
END_TEST

static bool is_odd(void *owner, uint64_t hash)
{
    uint32_t *asked = owner;
    (*asked)++;
    for (uint32_t i = 1; i < KEYS; i += 2)
        if (hash_of(i) == hash)
            return true;
    return false;
}

START_TEST(an_audit_finds_what_is_gone)
{
    uint32_t asked = 0;
    for (uint32_t i = 0; i < 60; i++)
        choice_use(c, hash_of(i), BYTES, i % 3 ? 0 : (int)(i % 2) * 2 - 1);
    ck_assert_uint_eq(held(0, 60), 60);
    choice_audit(c, is_odd, &asked);
    ck_assert_uint_eq(asked, 60);
    ck_assert_uint_eq(held(0, 60), 30);
    for (uint32_t i = 0; i < 60; i += 2)
        ck_assert(choice_has(c, hash_of(i)));
    ck_assert_uint_eq(choice_used(c), 30 * BYTES);
}
END_TEST

START_TEST(without_memory_it_is_as_if_it_had_not_been)
{
    bool reached = true;
    uint32_t none = 0;
    for (uint64_t n = 1; reached; n++) {
        struct choice *other;
        uint64_t before = atomic_load(&budget.used);
        fault_arm(FAULT_MEMORY, n, 0);
        other = choice_create(&budget, CAPACITY, true, leave, NULL);
        for (uint32_t i = 0; i < KEYS && other; i++)
            choice_use(other, hash_of(i), 100, 0);
        reached = fault_disarm();
        none += other == NULL;
        if (other) {
            uint32_t here = 0;
            for (uint32_t i = 0; i < KEYS; i++)
                here += choice_has(other, hash_of(i));
            ck_assert_uint_eq(choice_used(other), 100 * here);
            ck_assert_uint_ge(here, KEYS / 2);
        }
        choice_destroy(&other);
        ck_assert_uint_eq(atomic_load(&budget.used), before);
    }
    ck_assert_uint_ge(none, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("series_choice");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, what_is_used_stays);
    tcase_add_test(all, what_is_gone_gives_room);
    tcase_add_test(all, an_audit_finds_what_is_gone);
    tcase_add_test(all, without_memory_it_is_as_if_it_had_not_been);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
