/* store_scan.c: scans that take rows from the directory, beside writers and
 * checkpoints. */
#include "db.h"
#include "store_scene.h"

#include <pthread.h>
#include <stdlib.h>

#define P &sample_thing_product
#define ASKED (BIT(THING_GOLD) | BIT(THING_NOTE) | BIT(THING_POS))

static bool same(const struct sample_thing *a, const struct sample_thing *b)
{
    return a->id == b->id && a->have == b->have && a->gold == b->gold &&
           a->pos.x == b->pos.x && a->pos.z == b->pos.z &&
           a->note.len == b->note.len &&
           (a->note.len == 0 ||
            memcmp(a->note.data, b->note.data, a->note.len) == 0);
}

/* Each record of a scan is what a get says. Returns how many there are. */
static uint32_t scan_as_get(uint64_t fields, bool reverse)
{
    struct warp_gen_range range = {.reverse = reverse};
    struct warp_iter *iter;
    struct sample_thing got, it;
    uint32_t count = 0;
    uint64_t last = reverse ? UINT64_MAX : 0;
    int rc;
    ck_ok(warp_gen_scan(store, P, &range, fields, &iter));
    while ((rc = warp_gen_next(iter, P, &it, &arena)) == WARP_OK) {
        ck_assert(reverse ? it.id < last : count == 0 || it.id > last);
        last = it.id;
        ck_ok(get(it.id, fields, &got));
        ck_assert_msg(same(&got, &it), "record %llu",
                      (unsigned long long)it.id);
        count++;
        warp_arena_reset(&arena);
    }
    ck_assert_int_eq(rc, WARP_END);
    warp_iter_close(&iter);
    return count;
}

static void put_kind(uint64_t id)
{
    static char text[5000];
    struct sample_thing t = {.id = id, .gold = (int64_t)id * 3,
                             .pos = {(float)id, 1, 2}};
    memset(text, 'a' + (int)(id % 20), sizeof text);
    t.note = (struct warp_str){text, id % 4 == 0 ? 5000 : (uint32_t)id % 200};
    uint64_t fields = id % 3 == 0 ? BIT(THING_NOTE)
                      : id % 3 == 1 ? BIT(THING_GOLD) | BIT(THING_POS)
                                    : ASKED;
    ck_ok(put(&t, fields));
}

START_TEST(as_a_get_says)
{
    enum { COUNT = 700 };
    for (uint64_t id = 1; id <= COUNT; id++)
        put_kind(id);
    ck_assert_uint_eq(scan_as_get(ASKED, false), COUNT);
    ck_ok(warp_checkpoint(store));
    ck_assert(!changed_may(&store->changed, 0));
    ck_assert_uint_eq(scan_as_get(ASKED, false), COUNT);
    ck_assert_uint_eq(scan_as_get(ASKED, true), COUNT);
    ck_assert_uint_eq(scan_as_get(BIT(THING_POS), false), COUNT);
    ck_assert_uint_eq(scan_as_get(0, false), COUNT);
    /* What needs more than the row. */
    ck_assert_uint_eq(scan_as_get(BIT(THING_TWICE) | BIT(THING_FAR) |
                                      BIT(THING_SEEN), false), COUNT);
    for (uint64_t id = 1; id <= COUNT; id += 7)
        ck_ok(del(id));
    for (uint64_t id = 3; id <= COUNT; id += 7)
        put_kind(id + 1);
    ck_assert_uint_eq(scan_as_get(ASKED, false), COUNT - COUNT / 7);
    scene_reopen();
    ck_assert_uint_eq(scan_as_get(ASKED, true), COUNT - COUNT / 7);
}
END_TEST

/* ---- beside writers ---- */

enum { KEYS = 64, ROUNDS = 400 };
static _Atomic int64_t said[KEYS]; /* acknowledged */
static _Atomic bool stop;

static void *write_always(void *arg)
{
    uint64_t at = (uintptr_t)arg;
    for (int64_t n = 1; !atomic_load(&stop); n++) {
        uint64_t id = at;
        struct sample_thing t = {.id = id + 1, .gold = n};
        if (warp_gen_put(store, P, &t, BIT(THING_GOLD)) != WARP_OK)
            return (void *)"a put failed";
        atomic_store(&said[id], n);
        at = (at * 5 + 3) % (KEYS / 2) * 2 + ((uintptr_t)arg & 1);
    }
    return NULL;
}

static void *checkpoint_always(void *arg)
{
    while (!atomic_load(&stop))
        if (warp_checkpoint(store) != WARP_OK)
            return (void *)"a checkpoint failed";
    return arg;
}

/* What was acknowledged before a step of a scan is in what it gives. */
START_TEST(never_an_old_row)
{
    pthread_t writers[2], keeper;
    for (uint64_t id = 1; id <= KEYS; id++) {
        struct sample_thing t = {.id = id};
        ck_ok(put(&t, BIT(THING_GOLD)));
        said[id - 1] = 0;
    }
    ck_ok(warp_checkpoint(store));
    stop = false;
    pthread_create(&keeper, NULL, checkpoint_always, NULL);
    for (uintptr_t i = 0; i < 2; i++)
        pthread_create(&writers[i], NULL, write_always, (void *)i);
    for (int round = 0; round < ROUNDS; round++) {
        struct warp_iter *iter;
        ck_ok(warp_gen_scan(store, P, NULL, BIT(THING_GOLD), &iter));
        for (uint64_t id = 1; id <= KEYS; id++) {
            struct sample_thing t;
            int64_t before = atomic_load(&said[id - 1]);
            ck_ok(warp_gen_next(iter, P, &t, NULL));
            ck_assert_uint_eq(t.id, id);
            ck_assert_msg(t.gold >= before, "%lld after %lld",
                          (long long)t.gold, (long long)before);
        }
        warp_iter_close(&iter);
    }
    atomic_store(&stop, true);
    void *told;
    for (int i = 0; i < 2; i++) {
        pthread_join(writers[i], &told);
        ck_assert_msg(!told, "%s", (char *)told);
    }
    pthread_join(keeper, &told);
    ck_assert_msg(!told, "%s", (char *)told);
}
END_TEST

/* A checkpoint that fails leaves the keys in question. */
START_TEST(after_a_failure)
{
    struct changed *c = &store->changed;
    changed_mark(c, 5);
    changed_turn(c);
    changed_mark(c, 6);
    ck_assert(changed_may(c, 5) && changed_may(c, 6));
    changed_mark(c, 5); /* dirty again */
    changed_settle(c);
    ck_assert(changed_may(c, 5) && changed_may(c, 6));
    changed_turn(c);
    changed_settle(c);
    ck_assert(!changed_may(c, 5) && !changed_may(c, 6));
}
END_TEST

static void fill(TCase *tcase)
{
    tcase_add_test(tcase, as_a_get_says);
    tcase_add_test(tcase, never_an_old_row);
    tcase_add_test(tcase, after_a_failure);
}

int main(void)
{
    return run_suite("store_scan", fill);
}
