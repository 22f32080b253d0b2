/* store_batch.c: all or nothing, in order, over shards and products. */
#include "store_scene.h"

#include <pthread.h>

#define P &sample_thing_product
#define M &sample_mortal_product

static struct warp_batch *batch;

static void begin(void)
{
    ck_ok(warp_batch_begin(store, &batch));
}

static int commit(void)
{
    int rc = warp_batch_commit(&batch);
    ck_assert_ptr_null(batch);
    return rc;
}

static void put_in(uint64_t id, int64_t gold, const char *email)
{
    struct sample_thing t = {.id = id, .gold = gold};
    if (email)
        t.email = warp_str(email);
    ck_ok(warp_gen_put_in(batch, P, &t,
                          BIT(THING_GOLD) | (email ? BIT(THING_EMAIL) : 0)));
}

static void add_in(uint64_t id, int64_t delta)
{
    ck_ok(warp_gen_add_in(batch, P, &id, THING_GOLD, &delta));
}

static int64_t gold_of(uint64_t id)
{
    struct sample_thing out;
    ck_ok(get(id, BIT(THING_GOLD), &out));
    return out.gold;
}

static void mortal_in(const char *name, uint32_t tag)
{
    struct sample_mortal m = {.name = warp_str(name), .tag = tag};
    ck_ok(warp_gen_put_in(batch, M, &m, BIT(MORTAL_TAG)));
}

static void commit_twenty(void)
{
    begin();
    for (uint64_t id = 1; id <= 20; id++)
        put_in(id, (int64_t)id, NULL);
    mortal_in("m", 1);
    ck_ok(commit());
}

START_TEST(all_over_shards_and_products)
{
    struct sample_mortal m;
    if (_i == 0)
        commit_twenty();
    else
        scene_crash(commit_twenty);
    for (int round = 0; round < 2; round++) {
        for (uint64_t id = 1; id <= 20; id++)
            ck_assert_int_eq(gold_of(id), (int64_t)id);
        ck_ok(mortal_get("m", &m));
        scene_reopen();
    }
}
END_TEST

START_TEST(nothing_after_a_refusal)
{
    uint64_t nobody = 99;
    ck_ok(add_gold(7, INT64_MAX - 7, NULL));
    uint64_t before = version(7);
    for (int way = 0; way < 3; way++) {
        begin();
        for (uint64_t id = 1; id <= 6; id++)
            put_in(id, 1, NULL);
        mortal_in("m", 1);
        if (way == 0)
            ck_ok(warp_gen_delete_in(batch, P, &nobody));
        else if (way == 1)
            add_in(7, 1);
        else
            ck_ok(warp_gen_expect_in(batch, P, &nobody, 5));
        ck_code(commit(),
                way == 0   ? WARP_ENOTFOUND
                : way == 1 ? WARP_ERANGE
                           : WARP_ECONFLICT,
                way == 0   ? "no record has this key"
                : way == 1 ? "does not fit"
                           : "has version 0, 5 was expected");
        ck_assert_str_eq(scan_ids(NULL), "7 ");
        ck_assert_uint_eq(version(7), before);
    }
    begin();
    put_in(1, 1, NULL);
    warp_batch_abort(&batch);
    ck_assert_ptr_null(batch);
    ck_assert_str_eq(scan_ids(NULL), "7 ");
    scene_reopen();
    ck_assert_str_eq(scan_ids(NULL), "7 ");
}
END_TEST

START_TEST(changes_see_the_earlier_ones)
{
    uint64_t id = 1;
    struct sample_thing out;
    begin();
    add_in(1, 3); /* 7 + 3 */
    add_in(1, 5);
    put_in(2, 100, NULL);
    add_in(2, -1);
    ck_ok(commit());
    ck_assert_int_eq(gold_of(1), 15);
    ck_assert_int_eq(gold_of(2), 99);
    begin();
    ck_ok(warp_gen_delete_in(batch, P, &id));
    add_in(1, 1); /* of a new record */
    ck_ok(commit());
    ck_assert_int_eq(gold_of(1), 8);
    begin();
    put_in(1, 4, NULL);
    ck_ok(warp_gen_delete_in(batch, P, &id));
    ck_ok(commit());
    ck_code(get(1, 0, &out), WARP_ENOTFOUND, NULL);
    begin();
    put_in(1, 4, NULL);
    ck_ok(warp_gen_delete_in(batch, P, &id));
    ck_ok(warp_gen_delete_in(batch, P, &id));
    ck_code(commit(), WARP_ENOTFOUND, NULL);
    scene_reopen();
    ck_code(get(1, 0, &out), WARP_ENOTFOUND, NULL);
    ck_assert_int_eq(gold_of(2), 99);
}
END_TEST

START_TEST(expired_things_are_gone_in_a_batch_too)
{
    uint64_t id = 1;
    uint32_t token = 50;
    int64_t one = 1;
    struct sample_mortal m;
    struct sample_thing out;
    /* The record ended; its hits must not be the base of an add. */
    ck_ok(mortal_put("m", 1, BIT(MORTAL_HITS) | BIT(MORTAL_TAG)));
    now += SAMPLE_MORTAL_TTL_MS;
    struct warp_str key = warp_str("m");
    begin();
    mortal_in("m", 2);
    ck_ok(warp_gen_add_in(batch, M, &key, MORTAL_HITS, &one));
    ck_ok(commit());
    ck_ok(mortal_get("m", &m));
    ck_assert_uint_eq(m.hits, 1);
    ck_assert_uint_eq(m.have, BIT(MORTAL_TAG) | BIT(MORTAL_HITS));
    /* A deadline of the batch itself. */
    begin();
    ck_ok(warp_gen_set_in(batch, P, &id, THING_TOKEN, &token));
    ck_ok(warp_gen_expire_in(batch, P, &id, BIT(THING_TOKEN), now));
    ck_ok(warp_gen_add_in(batch, P, &id, THING_TOKEN, &one));
    ck_ok(commit());
    ck_ok(get(1, BIT(THING_TOKEN), &out));
    ck_assert_uint_eq(out.token, 1);
    begin();
    ck_ok(warp_gen_expire_in(batch, P, &id, BIT(THING_TOKEN), now));
    ck_ok(warp_gen_touch_in(batch, P, &id, BIT(THING_TOKEN)));
    ck_ok(commit());
    ck_assert_int_eq(state(1, THING_TOKEN), WARP_EXPIRED);
    /* Time passes between the change and the commit. */
    ck_ok(warp_gen_set(store, P, &id, THING_TOKEN, &token));
    begin();
    ck_ok(warp_gen_touch_in(batch, P, &id, BIT(THING_TOKEN)));
    now += 2000;
    ck_ok(commit());
    now += 2999;
    ck_assert_int_eq(state(1, THING_TOKEN), WARP_PRESENT);
    begin();
    ck_ok(warp_gen_touch_in(batch, P, &id, BIT(THING_TOKEN)));
    now += 1;
    ck_ok(commit());
    ck_assert_int_eq(state(1, THING_TOKEN), WARP_EXPIRED);
}
END_TEST

START_TEST(expectations)
{
    uint64_t one = 1, two = 2;
    begin();
    ck_ok(warp_gen_expect_in(batch, P, &one, 0));
    put_in(1, 1, NULL);
    ck_ok(commit());
    begin();
    ck_ok(warp_gen_expect_in(batch, P, &one, 0));
    put_in(1, 2, NULL);
    ck_code(commit(), WARP_ECONFLICT, "0 was expected");
    uint64_t v = version(1);
    begin();
    ck_ok(warp_gen_expect_in(batch, P, &one, v));
    put_in(1, 2, NULL);
    put_in(2, 2, NULL);
    ck_ok(commit());
    ck_assert_uint_gt(version(1), v);
    begin();
    ck_ok(warp_gen_expect_in(batch, P, &one, v));
    put_in(2, 3, NULL);
    ck_code(commit(), WARP_ECONFLICT, NULL);
    ck_assert_int_eq(gold_of(2), 2);
    /* It speaks of the store before the batch, wherever it stands. */
    begin();
    put_in(2, 5, NULL);
    ck_ok(warp_gen_expect_in(batch, P, &two, version(2)));
    ck_ok(commit());
    /* Alone it only asks. */
    v = version(2);
    begin();
    ck_ok(warp_gen_expect_in(batch, P, &two, v));
    ck_ok(commit());
    ck_assert_uint_eq(version(2), v);
    begin();
    ck_ok(warp_gen_expect_in(batch, P, &two, v + 1));
    ck_code(commit(), WARP_ECONFLICT, NULL);
    /* The versions are those after a restart, too. */
    scene_reopen();
    begin();
    ck_ok(warp_gen_expect_in(batch, P, &two, v));
    put_in(2, 6, NULL);
    ck_ok(commit());
}
END_TEST

START_TEST(unique_values_in_a_batch)
{
    begin();
    put_in(1, 1, "a@x");
    put_in(2, 1, "a@x");
    ck_code(commit(), WARP_EEXIST, "Thing.email: another record has this");
    ck_assert_str_eq(scan_ids(NULL), "");
    begin();
    put_in(1, 1, "a@x");
    put_in(2, 1, "b@x");
    ck_ok(commit());
    /* Swapped. */
    begin();
    put_in(1, 1, "b@x");
    put_in(2, 1, "a@x");
    ck_ok(commit());
    struct warp_str a = warp_str("a@x"), b = warp_str("b@x");
    ck_assert_str_eq(by_ids(THING_EMAIL, &a), "2 ");
    ck_assert_str_eq(by_ids(THING_EMAIL, &b), "1 ");
    /* Handed over by a delete; the old holder may come back without it. */
    uint64_t one = 1;
    begin();
    put_in(3, 1, "b@x");
    ck_ok(warp_gen_delete_in(batch, P, &one));
    put_in(1, 9, NULL);
    ck_ok(commit());
    ck_assert_str_eq(by_ids(THING_EMAIL, &b), "3 ");
    /* Deleted and made again with its own value. */
    uint64_t three = 3;
    begin();
    ck_ok(warp_gen_delete_in(batch, P, &three));
    put_in(3, 1, "b@x");
    ck_ok(commit());
    ck_assert_str_eq(by_ids(THING_EMAIL, &b), "3 ");
    scene_reopen();
    ck_assert_str_eq(by_ids(THING_EMAIL, &a), "2 ");
    ck_assert_str_eq(by_ids(THING_EMAIL, &b), "3 ");
    /* A value that is taken and given up in one batch. */
    begin();
    put_in(4, 1, "a@x");
    put_in(4, 1, "c@x");
    ck_ok(commit());
    begin();
    put_in(5, 1, "a@x");
    ck_code(commit(), WARP_EEXIST, NULL);
}
END_TEST

/* Money moves between accounts while readers add it up, each in one batch of
 * expectations: the sum never changes. */
enum { ACCOUNTS = 6, MOVES = 400, START = 1000 };

static void *move_money(void *arg)
{
    uint64_t rng = *(const uint64_t *)arg + 77;
    uintptr_t failed = 0;
    for (int n = 0; n < MOVES;) {
        struct warp_batch *b = NULL;
        uint64_t from = 1 + scratch_random(&rng) % ACCOUNTS;
        uint64_t to = 1 + scratch_random(&rng) % ACCOUNTS, v = 0;
        int64_t sum = (int64_t)(scratch_random(&rng) % 50), minus = -sum;
        failed += warp_gen_version(store, P, &from, &v) != WARP_OK;
        failed += warp_batch_begin(store, &b) != WARP_OK;
        failed += warp_gen_expect_in(b, P, &from, v) != WARP_OK;
        failed += warp_gen_add_in(b, P, &from, THING_GOLD, &minus) != WARP_OK;
        failed += warp_gen_add_in(b, P, &to, THING_GOLD, &sum) != WARP_OK;
        int rc = warp_batch_commit(&b);
        failed += rc != WARP_OK && rc != WARP_ECONFLICT;
        n += rc == WARP_OK || failed;
    }
    return (void *)failed;
}

START_TEST(money_stays)
{
    pthread_t threads[3];
    uint64_t seeds[3] = {1, 2, 3};
    int64_t sum = 0;
    void *failed;
    for (uint64_t id = 1; id <= ACCOUNTS; id++) {
        struct sample_thing t = {.id = id, .gold = START};
        ck_ok(put(&t, BIT(THING_GOLD)));
    }
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, move_money, &seeds[i]);
    for (int i = 0; i < 20; i++)
        ck_ok(warp_checkpoint(store));
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    scene_reopen();
    for (uint64_t id = 1; id <= ACCOUNTS; id++)
        sum += gold_of(id);
    ck_assert_int_eq(sum, ACCOUNTS * START);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_loop_test(t, all_over_shards_and_products, 0, 2);
    tcase_add_test(t, nothing_after_a_refusal);
    tcase_add_test(t, changes_see_the_earlier_ones);
    tcase_add_test(t, expired_things_are_gone_in_a_batch_too);
    tcase_add_test(t, expectations);
    tcase_add_test(t, unique_values_in_a_batch);
    tcase_add_test(t, money_stays);
}

int main(void)
{
    return run_suite("store_batch", fill);
}
