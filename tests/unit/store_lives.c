/* store_lives.c: deadlines to the millisecond, what is lost and what stays,
 * deletes and what comes after them, adds. */
#include "hash.h"
#include "replay.h"
#include "store_scene.h"

#define P &sample_thing_product
#define M &sample_mortal_product

static struct warp_str name_of(const char *text)
{
    return warp_str(text);
}

static int set_token(uint64_t id, uint32_t token)
{
    return warp_gen_set(store, P, &id, THING_TOKEN, &token);
}

/* Is the token seen, by every way there is? */
static bool token_seen(uint64_t id, uint32_t token)
{
    struct sample_thing out;
    ck_ok(get(id, BIT(THING_TOKEN), &out));
    bool seen = out.have & BIT(THING_TOKEN);
    char text[32];
    snprintf(text, sizeof text, "%llu ", (unsigned long long)id);
    ck_assert_int_eq(strstr(by_ids(THING_TOKEN, &token), text) != NULL, seen);
    struct warp_iter *it = NULL;
    ck_ok(warp_gen_scan(store, P, NULL, BIT(THING_TOKEN), &it));
    ck_ok(warp_gen_next(it, P, &out, &arena));
    ck_assert_int_eq((out.have & BIT(THING_TOKEN)) != 0, seen);
    warp_iter_close(&it);
    ck_assert_int_eq(state(id, THING_TOKEN),
                     seen ? WARP_PRESENT : WARP_EXPIRED);
    return seen;
}

/* In memory, swept, in the tiers, and after a reopen. */
static void token_gone_everywhere(uint64_t id, uint32_t token)
{
    ck_assert(!token_seen(id, token));
    scene_sweep();
    ck_assert(!token_seen(id, token));
    ck_ok(warp_checkpoint(store));
    ck_assert(!token_seen(id, token));
    scene_reopen();
    ck_assert(!token_seen(id, token));
}

START_TEST(a_field_ends_at_its_deadline)
{
    ck_ok(set_token(1, 5));
    now += 2999;
    ck_assert(token_seen(1, 5));
    ck_ok(warp_checkpoint(store));
    scene_reopen();
    ck_assert(token_seen(1, 5));
    now += 1;
    token_gone_everywhere(1, 5);
}
END_TEST

START_TEST(only_a_write_of_the_field_arms_it)
{
    struct sample_thing t = {.id = 1, .gold = 1};
    ck_ok(set_token(1, 5));
    now += 2000;
    ck_ok(put(&t, BIT(THING_GOLD)));
    ck_ok(get(1, sample_thing_product.all, &t));
    now += 999;
    ck_assert(token_seen(1, 5));
    ck_ok(set_token(1, 6));
    now += 2999;
    ck_assert(token_seen(1, 6));
    now += 1;
    ck_assert(!token_seen(1, 6));
}
END_TEST

START_TEST(touch_arms_and_does_not_revive)
{
    uint64_t id = 1;
    ck_ok(set_token(1, 5));
    now += 2500;
    ck_ok(warp_gen_touch(store, P, &id, BIT(THING_TOKEN) | BIT(THING_GOLD)));
    now += 2999;
    ck_assert(token_seen(1, 5));
    now += 1;
    ck_ok(warp_gen_touch(store, P, &id, BIT(THING_TOKEN)));
    ck_assert(!token_seen(1, 5));
    ck_ok(warp_gen_expire(store, P, &id, BIT(THING_TOKEN), now + 5000));
    token_gone_everywhere(1, 5);
    ck_ok(warp_gen_touch(store, P, &id, BIT(THING_TOKEN)));
    ck_assert(!token_seen(1, 5));
    ck_ok(set_token(1, 7));
    ck_assert(token_seen(1, 7));
}
END_TEST

START_TEST(expire_sets_any_deadline)
{
    uint64_t id = 1;
    ck_ok(set_token(1, 5));
    ck_ok(warp_gen_expire(store, P, &id, BIT(THING_TOKEN), now + 100000));
    scene_reopen();
    now += 99999;
    ck_assert(token_seen(1, 5));
    now += 1;
    ck_assert(!token_seen(1, 5));
    /* The past, and the beginning of time. */
    ck_ok(set_token(1, 5));
    ck_ok(warp_gen_expire(store, P, &id, BIT(THING_TOKEN), now));
    ck_assert(!token_seen(1, 5));
    ck_ok(set_token(1, 5));
    ck_ok(warp_gen_expire(store, P, &id, BIT(THING_TOKEN), 0));
    token_gone_everywhere(1, 5);
}
END_TEST

static bool mortal_there(const char *name)
{
    struct sample_mortal m;
    struct warp_iter *it = NULL;
    struct warp_str key = name_of(name);
    int rc = mortal_get(name, &m);
    ck_assert(rc == WARP_OK || rc == WARP_ENOTFOUND);
    ck_ok(warp_gen_scan(store, M, NULL, 0, &it));
    int found = warp_gen_next(it, M, &m, &arena);
    ck_assert_int_eq(found, rc == WARP_OK ? WARP_OK : WARP_END);
    warp_iter_close(&it);
    enum warp_state s = warp_gen_state(store, M, &key, BIT(MORTAL_NAME));
    ck_assert_int_eq(s, rc == WARP_OK ? WARP_PRESENT : WARP_ABSENT);
    return rc == WARP_OK;
}

START_TEST(any_write_arms_the_record)
{
    struct warp_str key = name_of("m"), s = warp_str("x");
    uint64_t hits = 1;
    int64_t delta = 1;
    uint32_t tag = 1;
    struct sample_mortal m;
    ck_ok(mortal_put("m", tag, BIT(MORTAL_TAG)));
    now += 5999;
    ck_ok(warp_gen_set(store, M, &key, MORTAL_HITS, &hits));
    now += 5999;
    ck_ok(warp_gen_add(store, M, &key, MORTAL_HITS, &delta, NULL));
    now += 5999;
    ck_ok(warp_gen_append(store, M, &key, MORTAL_TRAIL, WARP_NOW, &s));
    now += 5999;
    ck_ok(warp_gen_touch(store, M, &key, 0));
    now += 5999;
    ck_ok(warp_gen_expire(store, M, &key, 0, now + 50000));
    now += 49999;
    ck_assert(mortal_there("m"));
    scene_reopen();
    ck_assert(mortal_there("m"));
    now += 1;
    ck_assert(!mortal_there("m"));
    ck_code(warp_gen_touch(store, M, &key, 0), WARP_ENOTFOUND, NULL);
    ck_code(warp_gen_delete(store, M, &key), WARP_ENOTFOUND, NULL);
    ck_code(warp_gen_get_by(store, M, MORTAL_TAG, &tag, 0, &m, &arena),
            WARP_ENOTFOUND, NULL);
    /* A record made by an append ends, too. */
    key = name_of("n");
    ck_ok(warp_gen_append(store, M, &key, MORTAL_TRAIL, WARP_NOW, &s));
    ck_assert(mortal_there("n"));
    now += 6000;
    ck_assert(!mortal_there("n"));
}
END_TEST

/* A new record under the key of one that ended has none of its fields. */
static void check_fresh_mortal(void)
{
    struct sample_mortal m;
    struct warp_str key = name_of("m");
    ck_ok(mortal_get("m", &m));
    ck_assert_uint_eq(m.have, BIT(MORTAL_PIN));
    ck_assert_int_eq(warp_gen_state(store, M, &key, BIT(MORTAL_TEXT)),
                     WARP_ABSENT);
    ck_assert_int_eq(warp_gen_state(store, M, &key, BIT(MORTAL_HITS)),
                     WARP_ABSENT);
    struct warp_iter *it = NULL;
    ck_ok(warp_gen_range(store, M, &key, MORTAL_TRAIL, 0, INT64_MAX, &it));
    ck_code(warp_gen_range_next(it, M, MORTAL_TRAIL, NULL, &key, &arena),
            WARP_END, NULL);
    warp_iter_close(&it);
}

static void make_then_outlive(void)
{
    struct warp_str key = name_of("m"), s = warp_str("x");
    ck_ok(mortal_put("m", 1, sample_mortal_product.all));
    ck_ok(warp_gen_append(store, M, &key, MORTAL_TRAIL, now, &s));
    now += 6000;
}

static void make_outlive_make(void)
{
    make_then_outlive();
    ck_ok(mortal_put("m", 0, BIT(MORTAL_PIN)));
}

static void make_checkpoint_outlive_make(void)
{
    make_then_outlive();
    now -= 6000;
    ck_ok(warp_checkpoint(store));
    now += 6000;
    ck_ok(mortal_put("m", 0, BIT(MORTAL_PIN)));
}

static void make_sweep_make(void)
{
    make_then_outlive();
    scene_sweep();
    ck_ok(mortal_put("m", 0, BIT(MORTAL_PIN)));
}

START_TEST(nothing_old_comes_back_after_the_end)
{
    static void (*const ways[])(void) = {
        make_outlive_make, make_checkpoint_outlive_make, make_sweep_make};
    ways[_i]();
    check_fresh_mortal();
    ck_ok(warp_checkpoint(store));
    check_fresh_mortal();
}
END_TEST

START_TEST(nothing_old_comes_back_after_a_crash)
{
    static void (*const ways[])(void) = {
        make_outlive_make, make_checkpoint_outlive_make, make_sweep_make};
    scene_crash(ways[_i]);
    now += 6000; /* as the child's clock had it */
    check_fresh_mortal();
}
END_TEST

static void write_all(uint64_t id)
{
    struct sample_thing t = {
        .id = id, .owner = 1, .email = warp_str("a@b"), .gold = 3,
        .note = warp_str("note"), .seen = 4, .session = warp_str("s"),
        .far = warp_str("far"), .picture = warp_str("picture"),
        .packed = warp_str("packed"), .archived = warp_str("archived"),
        .token = 6, .draft = warp_str("draft"), .flag = true, .counter = 8,
        .level = 2};
    ck_ok(put(&t, sample_thing_product.all & ~BIT(THING_TWICE)));
    ck_ok(event(id, now, "e"));
}

static void delete_and_make(void)
{
    struct sample_thing t = {.id = 1, .gold = 9};
    write_all(1);
    ck_ok(del(1));
    ck_ok(put(&t, BIT(THING_GOLD)));
}

static void checkpoint_delete_and_make(void)
{
    struct sample_thing t = {.id = 1, .gold = 9};
    write_all(1);
    ck_ok(warp_checkpoint(store));
    ck_ok(del(1));
    ck_ok(put(&t, BIT(THING_GOLD)));
}

static void delete_checkpoint_and_make(void)
{
    struct sample_thing t = {.id = 1, .gold = 9};
    write_all(1);
    ck_ok(warp_checkpoint(store));
    ck_ok(del(1));
    ck_ok(warp_checkpoint(store));
    ck_ok(put(&t, BIT(THING_GOLD)));
}

static void check_gold_alone(void)
{
    struct sample_thing out;
    uint64_t owner = 1;
    ck_ok(get(1, sample_thing_product.all, &out));
    ck_assert_uint_eq(out.have, BIT(THING_GOLD));
    ck_assert_int_eq(out.gold, 9);
    for (uint32_t i = 1; i < THING_FIELDS; i++)
        ck_assert_int_eq(state(1, i),
                         i == THING_GOLD ? WARP_PRESENT : WARP_ABSENT);
    ck_assert_str_eq(by_ids(THING_OWNER, &owner), "");
    ck_assert_str_eq(events_of(1), "");
    ck_assert_str_eq(scan_ids(NULL), "1 ");
}

static void (*const delete_ways[])(void) = {
    delete_and_make, checkpoint_delete_and_make, delete_checkpoint_and_make};

START_TEST(nothing_old_comes_back_after_a_delete)
{
    delete_ways[_i]();
    check_gold_alone();
    scene_reopen();
    check_gold_alone();
}
END_TEST

START_TEST(nothing_old_comes_back_after_a_delete_and_a_crash)
{
    scene_crash(delete_ways[_i]);
    check_gold_alone();
    ck_ok(warp_checkpoint(store));
    check_gold_alone();
    scene_reopen();
    check_gold_alone();
}
END_TEST

static void write_and_delete(void)
{
    write_all(1);
    write_all(1);
    ck_ok(warp_checkpoint(store));
    ck_ok(del(1));
}

/* The log still has what came before a record's end, the directory knows of the
 * end already: a checkpoint was cut short. */
START_TEST(a_replay_makes_no_record_of_a_deadline)
{
    const struct layout *l = db_layout(store, M);
    struct warp_str key = name_of("gone");
    uint8_t space[256];
    struct op op;
    op_init(&op, l, OP_UPDATE, space, sizeof space);
    ck_ok(op_key(&op, &key, NULL));
    ck_ok(op_deadlines(&op, BIT(MORTAL_PIN), now + 1000));
    op.hash = hash_key(store->seed, l->id, op.body + op.key_at, op.key_bytes);
    struct replay replay = {.db = store};
    ck_ok(replay_commit(&replay, hash_shard(op.hash, store->shard_count),
                        UINT64_C(1) << 40, op.body, op.logged_bytes));
    op_fini(&op);
    ck_assert(!mortal_there("gone"));
}
END_TEST

START_TEST(a_delete_survives)
{
    struct sample_thing out;
    scene_crash(write_and_delete);
    ck_code(get(1, 0, &out), WARP_ENOTFOUND, NULL);
    ck_assert_int_eq(state(1, THING_SEEN), WARP_ABSENT);
    ck_assert_str_eq(scan_ids(NULL), "");
    scene_reopen();
    ck_assert_str_eq(scan_ids(NULL), "");
    ck_code(del(1), WARP_ENOTFOUND, NULL);
}
END_TEST

static void write_memory(void)
{
    write_all(1);
}

static void check_lost(void)
{
    struct sample_thing out;
    ck_ok(get(1, sample_thing_product.all, &out));
    ck_assert(!(out.have & (BIT(THING_SEEN) | BIT(THING_SESSION) |
                            BIT(THING_TWICE))));
    ck_assert_uint_eq(out.seen, 0);
    ck_assert_int_eq(out.gold, 3);
    ck_assert_int_eq(state(1, THING_SEEN), WARP_LOST);
    ck_assert_int_eq(state(1, THING_SESSION), WARP_LOST);
}

START_TEST(memory_only_is_lost)
{
    uint64_t id = 1, seen = 5;
    int64_t delta = 2;
    scene_crash(write_memory);
    check_lost();
    scene_reopen(); /* after a clean stop, too */
    check_lost();
    now += 5000;
    ck_assert_int_eq(state(1, THING_SESSION), WARP_EXPIRED);
    ck_assert_int_eq(state(1, THING_SEEN), WARP_LOST);
    ck_ok(warp_gen_set(store, P, &id, THING_SEEN, &seen));
    ck_assert_int_eq(state(1, THING_SEEN), WARP_PRESENT);
    scene_reopen();
    ck_assert_int_eq(state(1, THING_SEEN), WARP_LOST);
    /* An add starts anew. */
    ck_ok(warp_gen_add(store, P, &id, THING_SEEN, &delta, &seen));
    ck_assert_uint_eq(seen, 2);
    ck_ok(del(1));
    ck_assert_int_eq(state(1, THING_SEEN), WARP_ABSENT);
}
END_TEST

START_TEST(adds)
{
    struct sample_thing out;
    uint64_t id = 2;
    uint32_t token = 0;
    int64_t sum = -1, delta = 5;
    uint8_t level = 0;
    ck_ok(add_gold(2, 3, &sum)); /* from the default, and makes the record */
    ck_assert_int_eq(sum, 10);
    ck_ok(warp_gen_add(store, P, &id, THING_COUNTER, &delta, &token));
    ck_assert_uint_eq(token, 5);
    ck_ok(warp_checkpoint(store));
    scene_evict(); /* a number on the ssd */
    ck_ok(warp_gen_add(store, P, &id, THING_COUNTER, &delta, &token));
    ck_assert_uint_eq(token, 10);
    ck_ok(add_gold(2, INT64_MAX - 10, &sum));
    ck_assert_int_eq(sum, INT64_MAX);
    uint64_t before = version(2);
    ck_code(add_gold(2, 1, &sum), WARP_ERANGE,
            "Thing.gold: the sum does not fit the field");
    ck_assert_int_eq(sum, INT64_MAX);
    ck_assert_uint_eq(version(2), before);
    delta = -1;
    ck_code(warp_gen_add(store, P, &id, THING_LEVEL, &delta, &level),
            WARP_ERANGE, "Thing.level");
    delta = 256;
    ck_code(warp_gen_add(store, P, &id, THING_LEVEL, &delta, &level),
            WARP_ERANGE, "Thing.level");
    ck_assert_int_eq(state(2, THING_LEVEL), WARP_ABSENT);
    delta = 5;
    /* What has expired counts for nothing, swept or not. */
    ck_ok(set_token(2, 100));
    now += 3000;
    ck_ok(warp_gen_add(store, P, &id, THING_TOKEN, &delta, &token));
    ck_assert_uint_eq(token, 5);
    scene_reopen();
    ck_ok(get(2, BIT(THING_GOLD) | BIT(THING_COUNTER), &out));
    ck_assert_int_eq(out.gold, INT64_MAX);
    ck_assert_uint_eq(out.counter, 10);
}
END_TEST

START_TEST(versions_never_repeat)
{
    uint64_t id = 1, last = 0, before;
    for (uint64_t i = 0; i < 1000; i++) {
        before = last;
        /* In memory alone: the log hears of few of them. */
        ck_ok(warp_gen_set(store, P, &id, THING_SEEN, &i));
        last = version(1);
        ck_assert_uint_gt(last, before);
    }
    ck_ok(add_gold(1, 1, NULL));
    before = last;
    ck_assert_uint_gt(last = version(1), before);
    ck_ok(del(1));
    ck_ok(add_gold(1, 1, NULL));
    ck_assert_uint_gt(version(1), last);
    last = version(1);
    ck_ok(warp_checkpoint(store));
    ck_assert_uint_eq(version(1), last);
    scene_reopen();
    ck_assert_uint_eq(version(1), last);
}
END_TEST

START_TEST(retention_hides_exactly)
{
    ck_ok(event(1, now, "a"));
    ck_ok(event(1, now + 1, "b"));
    ck_ok(event(1, now - SAMPLE_EVENTS_END_MS, "late"));
    ck_assert_str_eq(events_of(1), "1000000:a 1000001:b ");
    ck_ok(warp_checkpoint(store));
    now += SAMPLE_EVENTS_END_MS - 1;
    ck_assert_str_eq(events_of(1), "1000000:a 1000001:b ");
    now += 1;
    ck_assert_str_eq(events_of(1), "1000001:b ");
    scene_reopen();
    ck_assert_str_eq(events_of(1), "1000001:b ");
    ck_ok(warp_checkpoint(store));
    now += 1;
    ck_assert_str_eq(events_of(1), "");
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_test(t, a_field_ends_at_its_deadline);
    tcase_add_test(t, only_a_write_of_the_field_arms_it);
    tcase_add_test(t, touch_arms_and_does_not_revive);
    tcase_add_test(t, expire_sets_any_deadline);
    tcase_add_test(t, any_write_arms_the_record);
    tcase_add_loop_test(t, nothing_old_comes_back_after_the_end, 0, 3);
    tcase_add_loop_test(t, nothing_old_comes_back_after_a_crash, 0, 3);
    tcase_add_loop_test(t, nothing_old_comes_back_after_a_delete, 0, 3);
    tcase_add_loop_test(t, nothing_old_comes_back_after_a_delete_and_a_crash,
                        0, 3);
    tcase_add_test(t, a_delete_survives);
    tcase_add_test(t, a_replay_makes_no_record_of_a_deadline);
    tcase_add_test(t, memory_only_is_lost);
    tcase_add_test(t, adds);
    tcase_add_test(t, versions_never_repeat);
    tcase_add_test(t, retention_hides_exactly);
}

int main(void)
{
    return run_suite("store_lives", fill);
}
