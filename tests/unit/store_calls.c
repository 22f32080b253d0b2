/* store_calls.c: what each call says to arguments that it cannot take, and that
 * nothing is written then. */
#include "store_scene.h"

#define P &sample_thing_product

static const uint64_t one = 1;

/* Nothing of the record is there after a refusal. */
static void untouched(void)
{
    struct sample_thing out;
    ck_code(get(1, sample_thing_product.all, &out), WARP_ENOTFOUND,
            "no record has this key");
    ck_assert_str_eq(scan_ids(NULL), "");
}

START_TEST(put_refuses)
{
    struct sample_thing t = {.id = 1, .gold = 5};
    char big[4] = {0};
    ck_code(put(&t, BIT(THING_EVENTS)), WARP_EINVAL, "Thing.events: a series");
    ck_code(put(&t, BIT(THING_GOLD) | BIT(THING_TWICE)), WARP_EINVAL,
            "Thing.twice: a derived field has no setter");
    ck_code(put(&t, BIT(40)), WARP_EINVAL, "names field 40, there are 19");
    ck_code(put(NULL, BIT(THING_GOLD)), WARP_EINVAL, "NULL");
    ck_code(warp_gen_put(NULL, P, &t, BIT(THING_GOLD)), WARP_EINVAL, NULL);
    ck_code(warp_gen_put(store, NULL, &t, 0), WARP_EINVAL, "NULL is not a");
    struct warp_product other = sample_thing_product;
    ck_code(warp_gen_put(store, &other, &t, 0), WARP_EINVAL,
            "Thing is not a product of this store's schema");
    t.note = (struct warp_str){NULL, 3};
    ck_code(put(&t, BIT(THING_GOLD) | BIT(THING_NOTE)), WARP_EINVAL,
            "Thing.note");
    t.note = (struct warp_str){"a\xff", 2};
    ck_code(put(&t, BIT(THING_GOLD) | BIT(THING_NOTE)), WARP_EINVAL,
            "not valid UTF-8 at byte 1");
    t.note = (struct warp_str){"\xc0\x80", 2};
    ck_code(put(&t, BIT(THING_NOTE)), WARP_EINVAL, "UTF-8 at byte 0");
    /* Bytes may be anything. */
    t.far = (struct warp_str){"\xff\x00", 2};
    memcpy(big, &t.flag, 1);
    memset(&t.flag, 2, 1);
    ck_code(put(&t, BIT(THING_FLAG)), WARP_EINVAL, "Thing.flag");
    untouched();
    memcpy(&t.flag, big, 1);
    ck_ok(put(&t, BIT(THING_FAR)));
}
END_TEST

START_TEST(keys_are_checked)
{
    struct sample_mortal m;
    static char longest[1000];
    memset(longest, 'x', sizeof longest);
    struct warp_str key = {longest, sizeof longest};
    memset(&m, 0, sizeof m);
    m.name = key;
    ck_code(warp_gen_put(store, &sample_mortal_product, &m, BIT(MORTAL_TAG)),
            WARP_ELIMIT, "Mortal: the key");
    ck_code(warp_gen_get(store, &sample_mortal_product, &key, 0, &m, &arena),
            WARP_ELIMIT, "longer than");
    ck_code(warp_gen_delete(store, &sample_mortal_product, &key), WARP_ELIMIT,
            "longer than");
    key = (struct warp_str){"\xed\xa0\x80", 3};
    ck_code(warp_gen_delete(store, &sample_mortal_product, &key), WARP_EINVAL,
            "UTF-8");
    key = (struct warp_str){NULL, 5};
    ck_code(warp_gen_touch(store, &sample_mortal_product, &key, 0), WARP_EINVAL,
            "Mortal: the key");
    /* The empty key is a key. */
    ck_ok(mortal_put("", 1, BIT(MORTAL_TAG)));
    ck_ok(mortal_get("", &m));
    ck_assert_uint_eq(m.tag, 1);
}
END_TEST

START_TEST(set_and_add_refuse)
{
    int64_t delta = 1;
    uint32_t number = 1;
    ck_code(warp_gen_set(store, P, &one, THING_ID, &one), WARP_EINVAL,
            "Thing.id: this field cannot be set");
    ck_code(warp_gen_set(store, P, &one, THING_EVENTS, &one), WARP_EINVAL,
            "Thing.events");
    ck_code(warp_gen_set(store, P, &one, 99, &one), WARP_EINVAL, NULL);
    ck_code(warp_gen_set(store, P, &one, THING_GOLD, NULL), WARP_EINVAL,
            "Thing.gold: NULL");
    ck_code(warp_gen_set(store, P, NULL, THING_GOLD, &one), WARP_EINVAL,
            "NULL");
    ck_code(warp_gen_add(store, P, &one, THING_NOTE, &delta, NULL), WARP_EINVAL,
            "Thing.note: add is for numbers");
    ck_code(warp_gen_add(store, P, &one, THING_POS, &delta, NULL), WARP_EINVAL,
            "add is for numbers");
    ck_code(warp_gen_add(store, P, &one, THING_FLAG, &delta, NULL), WARP_EINVAL,
            "add is for numbers");
    ck_code(warp_gen_add(store, P, &one, THING_GOLD, NULL, NULL), WARP_EINVAL,
            NULL);
    untouched();
    ck_ok(warp_gen_set(store, P, &one, THING_TOKEN, &number));
}
END_TEST

START_TEST(missing_records_are_told)
{
    uint64_t v;
    struct sample_thing out;
    ck_code(get(1, 0, &out), WARP_ENOTFOUND, "Thing: no record has this key");
    ck_code(del(1), WARP_ENOTFOUND, "no record");
    ck_code(warp_gen_touch(store, P, &one, BIT(THING_TOKEN)), WARP_ENOTFOUND,
            "no record");
    ck_code(warp_gen_expire(store, P, &one, BIT(THING_TOKEN), now + 1),
            WARP_ENOTFOUND, "no record");
    ck_code(warp_gen_version(store, P, &one, &v), WARP_ENOTFOUND, "no record");
    ck_assert_int_eq(state(1, THING_GOLD), WARP_ABSENT);
    ck_ok(warp_gen_prefetch(store, P, &one, 1, sample_thing_product.all));
    ck_assert_str_eq(events_of(1), "");
    untouched();
}
END_TEST

START_TEST(lifetimes_refuse)
{
    struct sample_thing t = {.id = 1, .gold = 5};
    ck_ok(put(&t, BIT(THING_GOLD)));
    ck_code(warp_gen_touch(store, P, &one, BIT(THING_GOLD)), WARP_EINVAL,
            "has a ttl");
    ck_code(warp_gen_expire(store, P, &one, BIT(THING_GOLD) | BIT(THING_TOKEN),
                            now),
            WARP_EINVAL, "Thing.gold: the field has no ttl");
    ck_code(warp_gen_expire(store, P, &one, 0, now), WARP_EINVAL, "has a ttl");
    ck_code(warp_gen_touch(store, P, &one, BIT(30)), WARP_EINVAL, NULL);
}
END_TEST

START_TEST(reads_refuse)
{
    struct sample_thing t = {.id = 1, .note = warp_str("n"), .gold = 3};
    struct warp_iter *it = (struct warp_iter *)&t;
    uint64_t id = 1;
    uint32_t token = 1;
    ck_ok(put(&t, BIT(THING_NOTE) | BIT(THING_GOLD)));
    ck_code(get(1, BIT(THING_EVENTS), &t), WARP_EINVAL,
            "Thing.events: a series is read by _range");
    ck_code(get(1, BIT(50), &t), WARP_EINVAL, "names field 50");
    ck_code(warp_gen_get(store, P, &id, 0, NULL, &arena), WARP_EINVAL, "place");
    ck_code(warp_gen_get(store, P, &id, BIT(THING_NOTE), &t, NULL), WARP_EINVAL,
            "Thing.note: an arena is needed");
    /* Without one where none is asked for. */
    ck_ok(warp_gen_get(store, P, &id, BIT(THING_GOLD), &t, NULL));
    ck_assert_int_eq(t.gold, 3);
    ck_assert_int_eq(warp_gen_state(store, P, &id, BIT(1) | BIT(2)),
                     WARP_STATE_ERROR);
    ck_assert_int_eq(warp_gen_state(store, P, &id, BIT(45)), WARP_STATE_ERROR);
    ck_assert_ptr_nonnull(strstr(warp_errmsg(store), "state is of one field"));
    ck_code(warp_gen_scan(store, P, NULL, BIT(THING_EVENTS), &it), WARP_EINVAL,
            "series");
    ck_assert_ptr_null(it);
    ck_code(warp_gen_scan(store, P, NULL, 0, NULL), WARP_EINVAL, NULL);
    ck_code(warp_gen_by(store, P, THING_GOLD, &id, 0, &it), WARP_EINVAL,
            "no index");
    ck_code(warp_gen_by(store, P, THING_TOKEN, NULL, 0, &it), WARP_EINVAL,
            "NULL");
    ck_code(warp_gen_range(store, P, &id, THING_GOLD, 0, 1, &it), WARP_EINVAL,
            "no series");
    struct warp_str prefix = warp_str("a");
    struct warp_gen_range range = {.prefix = &prefix};
    ck_code(warp_gen_scan(store, P, &range, 0, &it), WARP_EINVAL, "prefix");
    ck_code(warp_gen_next(NULL, P, &t, &arena), WARP_EINVAL, "no iterator");
    ck_ok(warp_gen_by(store, P, THING_TOKEN, &token, 0, &it));
    ck_code(warp_gen_next(it, &sample_mortal_product, &t, &arena),
            WARP_EINVAL, "this iterator is of Thing");
    ck_code(warp_gen_range_next(it, P, THING_EVENTS, NULL, &t, &arena),
            WARP_EINVAL, "this iterator");
    warp_iter_close(&it);
    ck_assert_ptr_null(it);
    warp_iter_close(&it);
    warp_iter_close(NULL);
}
END_TEST

START_TEST(series_refuse)
{
    struct warp_str s = warp_str("x");
    ck_code(warp_gen_append(store, P, &one, THING_GOLD, 1, &s), WARP_EINVAL,
            "no series");
    ck_code(warp_gen_append(store, P, &one, THING_EVENTS, 1, NULL), WARP_EINVAL,
            "Thing.events: NULL");
    s.data = NULL;
    ck_code(warp_gen_append(store, P, &one, THING_EVENTS, 1, &s), WARP_EINVAL,
            "Thing.events");
    untouched();
}
END_TEST

START_TEST(batches_refuse)
{
    struct warp_batch *b = NULL;
    struct sample_thing t = {.id = 1, .gold = 5};
    ck_code(warp_batch_begin(NULL, &b), WARP_EINVAL, NULL);
    ck_code(warp_batch_begin(store, NULL), WARP_EINVAL, NULL);
    ck_code(warp_batch_commit(&b), WARP_EINVAL, "no batch");
    ck_code(warp_batch_commit(NULL), WARP_EINVAL, "no batch");
    ck_code(warp_gen_put_in(NULL, P, &t, 0), WARP_EINVAL, "no batch");
    warp_batch_abort(&b);
    warp_batch_abort(NULL);
    /* A change that was refused takes the whole batch with it. */
    ck_ok(warp_batch_begin(store, &b));
    ck_ok(warp_gen_put_in(b, P, &t, BIT(THING_GOLD)));
    ck_code(warp_gen_put_in(b, P, &t, BIT(THING_TWICE)), WARP_EINVAL,
            "derived");
    ck_code(warp_batch_survives(b, (enum warp_survives)9), WARP_EINVAL,
            "no such class");
    ck_code(warp_batch_commit(&b), WARP_EINVAL,
            "nothing was written, because a change of the batch was refused: "
            "Thing.twice");
    ck_assert_ptr_null(b);
    untouched();
    /* An empty one is no change. */
    ck_ok(warp_batch_begin(store, &b));
    ck_ok(warp_batch_commit(&b));
}
END_TEST

START_TEST(a_get_zeroes_what_it_does_not_fill)
{
    struct sample_thing t = {.id = 1, .gold = 4, .note = warp_str("note"),
                             .pos = {1, 2, 3}, .level = 9};
    struct sample_thing expected, out;
    ck_ok(put(&t, BIT(THING_GOLD) | BIT(THING_NOTE) | BIT(THING_POS) |
                      BIT(THING_LEVEL)));
    ck_ok(get(1, BIT(THING_LEVEL) | BIT(THING_OWNER), &out));
    memset(&expected, 0, sizeof expected);
    expected.id = 1;
    expected.level = 9;
    expected.have = BIT(THING_LEVEL);
    ck_assert_mem_eq(&out, &expected, sizeof out);
    /* Also after a failure. */
    memset(&expected, 0, sizeof expected);
    ck_code(get(2, BIT(THING_LEVEL), &out), WARP_ENOTFOUND, NULL);
    ck_assert_mem_eq(&out, &expected, sizeof out);
    /* The inputs of a derived field are read and not given. */
    t.seen = 10;
    ck_ok(put(&t, BIT(THING_SEEN)));
    ck_ok(get(1, BIT(THING_TWICE), &out));
    ck_assert_uint_eq(out.twice, 24);
    ck_assert_uint_eq(out.have, BIT(THING_TWICE));
    ck_assert_uint_eq(out.seen, 0);
    ck_assert_int_eq(out.gold, 0);
}
END_TEST

START_TEST(unknown_call_flags_are_refused)
{
    struct sample_thing t = {.id = 1, .gold = 4};
    ck_code(put(&t, BIT(THING_GOLD) | BIT(57)), WARP_EINVAL, "flag");
    ck_code(put(&t, BIT(THING_GOLD) | WARP_RESIDENT), WARP_EINVAL, "flag");
    untouched();
    ck_ok(put(&t, BIT(THING_GOLD) | WARP_POWER_LOSS));
    ck_code(get(1, BIT(THING_GOLD) | BIT(56), &t), WARP_EINVAL, "flag");
    ck_ok(get(1, BIT(THING_GOLD) | WARP_RESIDENT | WARP_ARCHIVE, &t));
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_test(t, put_refuses);
    tcase_add_test(t, keys_are_checked);
    tcase_add_test(t, set_and_add_refuse);
    tcase_add_test(t, missing_records_are_told);
    tcase_add_test(t, lifetimes_refuse);
    tcase_add_test(t, reads_refuse);
    tcase_add_test(t, series_refuse);
    tcase_add_test(t, batches_refuse);
    tcase_add_test(t, a_get_zeroes_what_it_does_not_fill);
    tcase_add_test(t, unknown_call_flags_are_refused);
}

int main(void)
{
    return run_suite("store_calls", fill);
}
