/* store_index.c: scans, secondary indexes, unique values, while things are
 * written, deleted, expire and move to the tiers. */
#include "store_scene.h"

#include <pthread.h>

#define P &sample_thing_product
#define M &sample_mortal_product

static int owned(uint64_t id, uint64_t owner)
{
    struct sample_thing t = {.id = id, .owner = owner};
    return put(&t, BIT(THING_OWNER));
}

static const char *of(uint64_t owner)
{
    return by_ids(THING_OWNER, &owner);
}

static const char *range(uint64_t from, uint64_t to, bool reverse)
{
    struct warp_gen_range r = {&from, &to, NULL, reverse};
    return scan_ids(&r);
}

START_TEST(indexes_follow)
{
    for (int round = 0; round < 3; round++) {
        ck_ok(owned(1, 10));
        ck_ok(owned(2, 10));
        ck_ok(owned(3, 11));
        if (round == 1)
            ck_ok(warp_checkpoint(store));
        if (round == 2)
            scene_reopen();
        ck_assert_str_eq(of(10), "1 2 ");
        ck_ok(owned(1, 11));
        ck_assert_str_eq(of(10), "2 ");
        ck_assert_str_eq(of(11), "1 3 ");
        ck_ok(owned(1, 10));
        ck_assert_str_eq(of(10), "1 2 ");
        ck_ok(del(2));
        ck_assert_str_eq(of(10), "1 ");
        ck_ok(del(1));
        ck_assert_str_eq(of(10), "");
        ck_ok(owned(1, 12));
        ck_assert_str_eq(of(10), "");
        ck_ok(warp_checkpoint(store));
        ck_assert_str_eq(of(12), "1 ");
        ck_assert_str_eq(of(11), "3 ");
        scene_reopen();
        ck_assert_str_eq(of(12), "1 ");
        ck_assert_str_eq(of(11), "3 ");
    }
}
END_TEST

START_TEST(a_look_up_gives_what_is_asked_for)
{
    struct sample_thing t = {.id = 1, .owner = 4, .email = warp_str("a@x"),
                             .gold = 2, .far = warp_str("far")};
    struct warp_str email = t.email;
    struct warp_iter *it = NULL;
    uint64_t owner = 4;
    ck_ok(put(&t, BIT(THING_OWNER) | BIT(THING_EMAIL) | BIT(THING_GOLD) |
                      BIT(THING_FAR)));
    ck_ok(warp_gen_get_by(store, P, THING_EMAIL, &email, BIT(THING_GOLD), &t,
                          &arena));
    ck_assert_uint_eq(t.have, BIT(THING_GOLD));
    ck_assert_uint_eq(t.id, 1);
    ck_assert_int_eq(t.gold, 2);
    ck_assert_uint_eq(t.email.len, 0);
    ck_assert_ptr_null(t.email.data);
    /* No arena where nothing asked for needs one. */
    ck_ok(warp_gen_get_by(store, P, THING_EMAIL, &email, BIT(THING_GOLD), &t,
                          NULL));
    ck_assert_int_eq(t.gold, 2);
    /* Residents only. */
    ck_ok(warp_checkpoint(store));
    scene_evict();
    scene_evict();
    ck_ok(warp_gen_by(store, P, THING_OWNER, &owner,
                      BIT(THING_FAR) | BIT(THING_GOLD) | WARP_RESIDENT, &it));
    ck_ok(warp_gen_next(it, P, &t, &arena));
    ck_assert_uint_eq(t.have, BIT(THING_GOLD));
    warp_iter_close(&it);
    ck_ok(warp_gen_by(store, P, THING_OWNER, &owner, BIT(THING_FAR), &it));
    ck_ok(warp_gen_next(it, P, &t, &arena));
    ck_assert(str_is(t.far, "far"));
    warp_iter_close(&it);
}
END_TEST

static int mail(uint64_t id, const char *email)
{
    struct sample_thing t = {.id = id, .email = warp_str(email)};
    return put(&t, BIT(THING_EMAIL));
}

START_TEST(unique_values)
{
    for (int round = 0; round < 2; round++) {
        ck_ok(mail(1, "a@x"));
        ck_ok(mail(1, "a@x"));
        ck_code(mail(2, "a@x"), WARP_EEXIST, "Thing.email: another record");
        ck_assert_uint_eq(version(2), 0);
        ck_ok(mail(1, "b@x"));
        ck_ok(mail(2, "a@x"));
        if (round)
            ck_ok(warp_checkpoint(store));
        ck_code(mail(1, "a@x"), WARP_EEXIST, NULL);
        ck_ok(del(2));
        ck_ok(mail(3, "a@x"));
        scene_reopen();
        ck_code(mail(4, "a@x"), WARP_EEXIST, NULL);
        ck_code(mail(4, "b@x"), WARP_EEXIST, NULL);
        /* The empty string is a value, too. */
        ck_ok(mail(4, ""));
        ck_code(mail(5, ""), WARP_EEXIST, NULL);
        ck_ok(del(1));
        ck_ok(del(3));
        ck_ok(del(4));
    }
}
END_TEST

START_TEST(an_expired_value_is_free)
{
    struct sample_mortal m;
    uint32_t tag = 7;
    ck_ok(mortal_put("a", 7, BIT(MORTAL_TAG)));
    now += SAMPLE_MORTAL_TTL_MS - 1;
    ck_code(mortal_put("b", 7, BIT(MORTAL_TAG)), WARP_EEXIST, "Mortal.tag");
    now += 1;
    ck_ok(mortal_put("b", 7, BIT(MORTAL_TAG)));
    ck_ok(warp_gen_get_by(store, M, MORTAL_TAG, &tag, 0, &m, &arena));
    ck_assert(str_is(m.name, "b"));
    /* The old one does not get it back. */
    ck_code(mortal_put("a", 7, BIT(MORTAL_TAG)), WARP_EEXIST, NULL);
    scene_reopen();
    ck_code(mortal_put("a", 7, BIT(MORTAL_TAG)), WARP_EEXIST, NULL);
}
END_TEST

enum { CLAIMS = 150 };

static void *claim(void *arg)
{
    uint64_t me = *(const uint64_t *)arg;
    uintptr_t won = 0;
    for (int i = 0; i < CLAIMS; i++) {
        char email[32];
        snprintf(email, sizeof email, "%d@x", i);
        won += mail(me * 1000 + (uint64_t)i, email) == WARP_OK;
    }
    return (void *)won;
}

START_TEST(one_winner_for_each_value)
{
    pthread_t threads[4];
    uint64_t numbers[4] = {1, 2, 3, 4};
    uintptr_t total = 0;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, claim, &numbers[i]);
    for (int i = 0; i < 5; i++)
        ck_ok(warp_checkpoint(store));
    for (int i = 0; i < 4; i++) {
        void *won;
        pthread_join(threads[i], &won);
        total += (uintptr_t)won;
    }
    ck_assert_uint_eq(total, CLAIMS);
}
END_TEST

START_TEST(ranges)
{
    for (uint64_t id = 1; id <= 9; id++) {
        ck_ok(add_gold(id, 1, NULL));
        if (id == 4 && _i > 0)
            ck_ok(warp_checkpoint(store));
    }
    if (_i == 2)
        scene_reopen();
    ck_assert_str_eq(scan_ids(NULL), "1 2 3 4 5 6 7 8 9 ");
    ck_assert_str_eq(range(3, 6, false), "3 4 5 ");
    ck_assert_str_eq(range(3, 6, true), "5 4 3 ");
    ck_assert_str_eq(range(6, 3, false), "");
    ck_assert_str_eq(range(6, 3, true), "");
    ck_assert_str_eq(range(4, 4, false), "");
    ck_assert_str_eq(range(0, 2, false), "1 ");
    ck_assert_str_eq(range(9, UINT64_MAX, true), "9 ");
    uint64_t from = 7;
    struct warp_gen_range open = {&from, NULL, NULL, true};
    ck_assert_str_eq(scan_ids(&open), "9 8 7 ");
    open = (struct warp_gen_range){NULL, &from, NULL, true};
    ck_assert_str_eq(scan_ids(&open), "6 5 4 3 2 1 ");
}
END_TEST

static const char *names(const struct warp_gen_range *r)
{
    static char text[512];
    struct warp_iter *it = NULL;
    struct sample_mortal m;
    size_t used = 0;
    text[0] = 0;
    ck_ok(warp_gen_scan(store, M, r, 0, &it));
    while (warp_gen_next(it, M, &m, &arena) == WARP_OK)
        used += (size_t)snprintf(text + used, sizeof text - used, "%.*s,",
                                 (int)m.name.len, m.name.data);
    warp_iter_close(&it);
    return text;
}

START_TEST(prefixes)
{
    static const char *const all[] = {"", "a", "ab", "aba", "abb", "ac", "b",
                                      "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbfz"};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        ck_ok(mortal_put(all[i], (uint32_t)i, BIT(MORTAL_PIN)));
    if (_i)
        ck_ok(warp_checkpoint(store));
    struct warp_str p = warp_str("ab"), from = warp_str("aba"),
                    to = warp_str("abb");
    struct warp_gen_range r = {NULL, NULL, &p, false};
    ck_assert_str_eq(names(&r), "ab,aba,abb,");
    r.reverse = true;
    ck_assert_str_eq(names(&r), "abb,aba,ab,");
    r = (struct warp_gen_range){&from, NULL, &p, false};
    ck_assert_str_eq(names(&r), "aba,abb,");
    r = (struct warp_gen_range){NULL, &to, &p, false};
    ck_assert_str_eq(names(&r), "ab,aba,");
    p = warp_str("\xf4\x8f\xbf\xbf");
    r = (struct warp_gen_range){NULL, NULL, &p, false};
    ck_assert_str_eq(names(&r), "\xf4\x8f\xbf\xbf,\xf4\x8f\xbf\xbfz,");
    p = warp_str("");
    ck_assert_str_eq(names(&r), ",a,ab,aba,abb,ac,b,\xf4\x8f\xbf\xbf,"
                                "\xf4\x8f\xbf\xbfz,");
    p = warp_str("zz");
    ck_assert_str_eq(names(&r), "");
}
END_TEST

/* What is there all the time comes once, with all going on beside it. */
START_TEST(a_scan_lives_long)
{
    enum { COUNT = 60 };
    struct sample_thing t;
    struct warp_iter *it = NULL;
    char seen[COUNT + 100] = {0};
    for (uint64_t id = 0; id < COUNT; id++) {
        ck_ok(add_gold(id, 1, NULL));
        if (id % 3 == 0)
            ck_ok(warp_checkpoint(store));
    }
    struct warp_gen_range r = {.reverse = _i == 1};
    ck_ok(warp_gen_scan(store, P, &r, BIT(THING_GOLD), &it));
    for (int n = 0;; n++) {
        int rc = warp_gen_next(it, P, &t, &arena);
        if (rc == WARP_END)
            break;
        ck_ok(rc);
        ck_assert_uint_lt(t.id, COUNT + 100);
        ck_assert_int_eq(seen[t.id]++, 0);
        /* Odd ones stay; even ones go, come back and move to the tiers. */
        uint64_t id = (t.id + 7) % COUNT & ~UINT64_C(1);
        if (version(id))
            ck_ok(del(id));
        else
            ck_ok(add_gold(id, 2, NULL));
        if (n < 50)
            ck_ok(add_gold(COUNT + (uint64_t)n, 1, NULL));
        if (n % 5 == 0)
            ck_ok(warp_checkpoint(store));
    }
    warp_iter_close(&it);
    for (uint64_t id = 1; id < COUNT; id += 2)
        ck_assert_msg(seen[id] == 1, "%llu was left out",
                      (unsigned long long)id);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_test(t, indexes_follow);
    tcase_add_test(t, a_look_up_gives_what_is_asked_for);
    tcase_add_test(t, unique_values);
    tcase_add_test(t, an_expired_value_is_free);
    tcase_add_test(t, one_winner_for_each_value);
    tcase_add_loop_test(t, ranges, 0, 3);
    tcase_add_loop_test(t, prefixes, 0, 2);
    tcase_add_loop_test(t, a_scan_lives_long, 0, 2);
}

int main(void)
{
    return run_suite("store_index", fill);
}
