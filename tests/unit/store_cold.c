/* store_cold.c: fields whose home is a tier: what a get may read, what stays in
 * memory, what a crash leaves. */
#include "db.h"
#include "store_scene.h"

#include <pthread.h>

#define P &sample_thing_product
#define COLD                                                                  \
    (BIT(THING_FAR) | BIT(THING_PICTURE) | BIT(THING_PACKED) |                \
     BIT(THING_ARCHIVED) | BIT(THING_COUNTER))

static char texts[4][20000];

static void write_cold(uint64_t id, char c, size_t bytes)
{
    struct sample_thing t = {.id = id, .counter = (uint32_t)c, .gold = c};
    struct warp_str *all[] = {&t.far, &t.picture, &t.packed, &t.archived};
    for (int i = 0; i < 4; i++) {
        memset(texts[i], c + i, bytes);
        *all[i] = (struct warp_str){texts[i], (uint32_t)bytes};
    }
    ck_ok(put(&t, COLD | BIT(THING_GOLD)));
}

static bool all_are(struct warp_str s, char c, size_t bytes)
{
    bool same = s.len == bytes;
    for (size_t i = 0; i < bytes && same; i++)
        same = s.data[i] == c;
    return same;
}

static void check_cold(uint64_t id, char c, size_t bytes)
{
    struct sample_thing t;
    ck_ok(get(id, COLD, &t));
    ck_assert_uint_eq(t.have, COLD);
    ck_assert_uint_eq((uint64_t)t.counter, (uint64_t)c);
    ck_assert(all_are(t.far, c, bytes));
    ck_assert(all_are(t.picture, (char)(c + 1), bytes));
    ck_assert(all_are(t.packed, (char)(c + 2), bytes));
    ck_assert(all_are(t.archived, (char)(c + 3), bytes));
}

static uint64_t resident(uint64_t id)
{
    struct sample_thing t;
    ck_ok(get(id, COLD | WARP_RESIDENT, &t));
    return t.have;
}

START_TEST(there_and_back)
{
    static const size_t sizes[] = {0, 1, 100, 4096, 20000};
    for (size_t n = 0; n < sizeof sizes / sizeof sizes[0]; n++) {
        write_cold(1, 'a', sizes[n]);
        check_cold(1, 'a', sizes[n]);
        ck_ok(warp_checkpoint(store));
        check_cold(1, 'a', sizes[n]);
        scene_evict();
        scene_evict();
        check_cold(1, 'a', sizes[n]);
        scene_reopen();
        check_cold(1, 'a', sizes[n]);
        write_cold(1, 'm', sizes[n]);
        check_cold(1, 'm', sizes[n]);
        scene_reopen();
        check_cold(1, 'm', sizes[n]);
    }
}
END_TEST

START_TEST(what_stays_in_memory)
{
    uint64_t id = 1;
    write_cold(1, 'a', 500);
    ck_assert_uint_eq(resident(1), COLD);
    ck_ok(warp_checkpoint(store));
    /* disk_only keeps no copy once its tier has it. */
    ck_assert_uint_eq(resident(1), COLD & ~BIT(THING_ARCHIVED));
    check_cold(1, 'a', 500);
    ck_assert_uint_eq(resident(1), COLD & ~BIT(THING_ARCHIVED));
    scene_reopen();
    ck_assert_uint_eq(resident(1), 0);
    ck_ok(warp_gen_prefetch(store, P, &id, 1, COLD));
    ck_assert_uint_eq(resident(1), COLD & ~BIT(THING_ARCHIVED));
    /* What is not there is no COLD; what is, is PRESENT. */
    ck_assert_int_eq(state(1, THING_DRAFT), WARP_ABSENT);
    ck_assert_int_eq(state(1, THING_ARCHIVED), WARP_PRESENT);
    ck_assert_int_eq(warp_gen_state(store, P, &id,
                                    BIT(THING_ARCHIVED) | WARP_RESIDENT),
                     WARP_COLD);
    ck_assert_int_eq(warp_gen_state(store, P, &id,
                                    BIT(THING_FAR) | WARP_RESIDENT),
                     WARP_PRESENT);
}
END_TEST

START_TEST(hot_gets_do_no_io)
{
    struct warp_stat before = WARP_STAT_INIT, after = WARP_STAT_INIT;
    struct sample_thing t;
    for (uint64_t id = 1; id <= 50; id++)
        write_cold(id, 'a', 100);
    scene_reopen();
    do
        ck_ok(warp_stat(store, &before));
    while (before.loading);
    for (uint64_t id = 1; id <= 50; id++) {
        ck_ok(get(id, sample_thing_product.hot, &t));
        ck_assert_int_eq(t.gold, 'a');
        ck_ok(get(id, sample_thing_product.all | WARP_RESIDENT, &t));
        ck_assert_int_eq(state(id, THING_PICTURE), WARP_PRESENT);
    }
    ck_ok(warp_stat(store, &after));
    ck_assert_uint_eq(after.cold_reads, before.cold_reads);
    ck_assert_uint_eq(after.records, 50);
    check_cold(1, 'a', 100);
    ck_ok(warp_stat(store, &after));
    ck_assert_uint_gt(after.cold_reads, before.cold_reads);
}
END_TEST

static void write_checkpoint_write(void)
{
    write_cold(1, 'a', 700);
    write_cold(2, 'b', 700);
    ck_ok(warp_checkpoint(store));
    write_cold(1, 'h', 300);
    ck_ok(del(2));
}

START_TEST(after_a_crash)
{
    struct sample_thing t;
    scene_crash(write_checkpoint_write);
    check_cold(1, 'h', 300);
    ck_code(get(2, 0, &t), WARP_ENOTFOUND, NULL);
    ck_ok(warp_checkpoint(store));
    scene_evict();
    check_cold(1, 'h', 300);
    scene_reopen();
    check_cold(1, 'h', 300);
    ck_code(get(2, 0, &t), WARP_ENOTFOUND, NULL);
}
END_TEST

START_TEST(ttl_on_a_tier)
{
    struct sample_thing t = {.id = 1, .draft = warp_str("draft")};
    ck_ok(put(&t, BIT(THING_DRAFT)));
    scene_reopen();
    now += 3999;
    ck_ok(get(1, BIT(THING_DRAFT), &t));
    ck_assert(str_is(t.draft, "draft"));
    now += 1;
    for (int round = 0; round < 3; round++) {
        ck_ok(get(1, BIT(THING_DRAFT), &t));
        ck_assert_uint_eq(t.have, 0);
        ck_assert_int_eq(state(1, THING_DRAFT), WARP_EXPIRED);
        scene_sweep();
        if (round == 1)
            scene_reopen();
    }
    t.draft = warp_str("again");
    ck_ok(put(&t, BIT(THING_DRAFT)));
    scene_reopen();
    ck_ok(get(1, BIT(THING_DRAFT), &t));
    ck_assert(str_is(t.draft, "again"));
}
END_TEST

/* ---- readers, writers, checkpoints and evictions at once ---- */

enum { RECORDS = 16, ROUNDS = 1500 };
static _Atomic bool stop;

/* All fields of a record are made from one number. */
static int write_number(uint64_t id, uint64_t n)
{
    char far[400], note[300], archived[200];
    size_t bytes = 1 + n % 190;
    memset(far, (int)('a' + n % 26), sizeof far);
    memset(note, (int)('a' + n % 26), sizeof note);
    memset(archived, (int)('a' + n % 26), sizeof archived);
    struct sample_thing t = {.id = id, .gold = (int64_t)n, .seen = n,
                             .counter = (uint32_t)n};
    t.far = (struct warp_str){far, (uint32_t)bytes * 2};
    t.picture = (struct warp_str){far, (uint32_t)bytes};
    t.note = (struct warp_str){note, (uint32_t)bytes};
    t.archived = (struct warp_str){archived, (uint32_t)bytes};
    return put(&t, BIT(THING_GOLD) | BIT(THING_SEEN) | BIT(THING_COUNTER) |
                       BIT(THING_FAR) | BIT(THING_PICTURE) | BIT(THING_NOTE) |
                       BIT(THING_ARCHIVED));
}

static bool is_whole(const struct sample_thing *t)
{
    uint64_t n = (uint64_t)t->gold;
    char c = (char)('a' + n % 26);
    size_t bytes = 1 + n % 190;
    return t->seen == n && t->counter == (uint32_t)n &&
           t->twice == 3 * n && all_are(t->far, c, bytes * 2) &&
           all_are(t->picture, c, bytes) && all_are(t->note, c, bytes) &&
           all_are(t->archived, c, bytes);
}

static void *write_numbers(void *arg)
{
    uint64_t rng = *(const uint64_t *)arg;
    uintptr_t failed = 0;
    for (int i = 0; i < ROUNDS && !failed; i++) {
        uint64_t id = scratch_random(&rng) % RECORDS;
        if (i % 50 == 49)
            (void)!warp_gen_delete(store, P, &id);
        failed += write_number(id, scratch_random(&rng) >> 20) != WARP_OK;
    }
    return (void *)failed;
}

static void *read_numbers(void *arg)
{
    uint64_t rng = *(const uint64_t *)arg;
    struct warp_arena own = WARP_ARENA_INIT;
    uintptr_t failed = 0;
    while (!stop && !failed) {
        struct sample_thing t;
        struct warp_iter *it = NULL;
        uint64_t id = scratch_random(&rng) % RECORDS;
        int rc = warp_gen_get(store, P, &id, sample_thing_product.all, &t,
                              &own);
        if (rc == WARP_OK ? !is_whole(&t) : rc != WARP_ENOTFOUND)
            failed++;
        if (scratch_random(&rng) % 16 == 0) {
            rc = warp_gen_scan(store, P, NULL, sample_thing_product.all, &it);
            while (rc == WARP_OK &&
                   (rc = warp_gen_next(it, P, &t, &own)) == WARP_OK)
                failed += !is_whole(&t);
            failed += rc != WARP_END;
            warp_iter_close(&it);
        }
        if (failed)
            fprintf(stderr, "%d: %s\n", rc, warp_errmsg(store));
        warp_arena_reset(&own);
    }
    warp_arena_free(&own);
    return (void *)failed;
}

START_TEST(no_reader_sees_a_mixture)
{
    pthread_t writers[2], readers[2];
    uint64_t seeds[4] = {11, 12, 13, 14};
    void *failed;
    stop = false;
    for (int i = 0; i < 2; i++) {
        pthread_create(&writers[i], NULL, write_numbers, &seeds[i]);
        pthread_create(&readers[i], NULL, read_numbers, &seeds[2 + i]);
    }
    for (int i = 0; i < 30; i++) {
        ck_ok(warp_checkpoint(store));
        scene_evict();
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(writers[i], &failed);
        ck_assert_ptr_null(failed);
    }
    stop = true;
    for (int i = 0; i < 2; i++) {
        pthread_join(readers[i], &failed);
        ck_assert_ptr_null(failed);
    }
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_test(t, there_and_back);
    tcase_add_test(t, what_stays_in_memory);
    tcase_add_test(t, hot_gets_do_no_io);
    tcase_add_test(t, after_a_crash);
    tcase_add_test(t, ttl_on_a_tier);
    tcase_add_test(t, no_reader_sees_a_mixture);
}

int main(void)
{
    return run_suite("store_cold", fill);
}
