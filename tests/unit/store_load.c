/* store_load.c: calls and checkpoints while rows still load after an open; and
 * the index, which a replay gives its size at once. */
#include "db.h"
#include "store_scene.h"

#include <pthread.h>

#define P &sample_mortal_product
enum { RECORDS = 6000, GONE = 400, SPINNERS = 3, FEW = 60 };

static _Atomic bool stop;

static void *spin(void *arg)
{
    while (!stop)
        ;
    return arg;
}

/* While others spin the loader often waits for its turn: what it has read ahead
 * is old when it comes to it. */
static void hold_loader(pthread_t spinners[SPINNERS])
{
    stop = false;
    for (int i = 0; i < SPINNERS; i++)
        pthread_create(&spinners[i], NULL, spin, NULL);
    scene_open();
}

static void free_loader(pthread_t spinners[SPINNERS])
{
    stop = true;
    for (int i = 0; i < SPINNERS; i++)
        pthread_join(spinners[i], NULL);
}

static void name_of(uint32_t i, char name[16])
{
    snprintf(name, 16, "%08u", i);
}

static void put_all(void)
{
    char name[16], body[200];
    memset(body, 'b', sizeof body);
    for (uint32_t i = 0; i < RECORDS; i++) {
        struct sample_mortal m = {.body = {body, sizeof body}};
        name_of(i, name);
        m.name = warp_str(name);
        ck_ok(warp_gen_put(store, P, &m, BIT(MORTAL_BODY)));
    }
    ck_ok(warp_checkpoint(store));
}

static int delete_one(uint32_t i)
{
    char name[16];
    name_of(i, name);
    struct warp_str key = warp_str(name);
    return warp_gen_delete(store, P, &key);
}

static void wait_loaded(void)
{
    struct warp_stat stat = WARP_STAT_INIT;
    do
        ck_ok(warp_stat(store, &stat));
    while (stat.loading);
}

static int64_t live_bytes(void)
{
    struct warp_stat stat = WARP_STAT_INIT;
    wait_loaded();
    ck_ok(warp_stat(store, &stat));
    return (int64_t)stat.disk_live_bytes;
}

START_TEST(what_is_deleted_stays_deleted)
{
    pthread_t spinners[SPINNERS];
    struct sample_mortal m;
    char name[16];
    put_all();
    for (uint32_t round = 0; round < 10; round++) {
        scene_close();
        hold_loader(spinners);
        for (uint32_t i = round; i < RECORDS; i += 20)
            ck_ok(delete_one(i));
        ck_ok(warp_checkpoint(store));
        free_loader(spinners);
        wait_loaded();
        for (uint32_t i = round; i < RECORDS; i += 20) {
            name_of(i, name);
            ck_code(mortal_get(name, &m), WARP_ENOTFOUND, NULL);
        }
    }
}
END_TEST

/* Each place that was there at the open counts once, whoever comes first. */
START_TEST(places_are_counted_once)
{
    put_all();
    for (uint32_t round = 0; round < 4; round++) {
        scene_reopen();
        /* Mostly before the loader gets there. */
        for (uint32_t i = 0; i < GONE; i++)
            ck_ok(delete_one(RECORDS - 1 - i - round * GONE));
        for (uint32_t i = 0; i < GONE; i++)
            ck_ok(delete_one(i + round * GONE));
        ck_ok(warp_checkpoint(store));
        (void)live_bytes();
        ck_ok(warp_checkpoint(store));
        int64_t before = live_bytes();
        ck_assert_int_gt(before, (int64_t)(RECORDS - 8 * GONE) * 200);
        scene_reopen();
        ck_assert_int_eq(live_bytes(), before);
    }
}
END_TEST

static void *get_all(void *arg)
{
    struct warp_arena own = WARP_ARENA_INIT;
    struct warp_stat stat = WARP_STAT_INIT;
    uintptr_t missed = 0;
    uint32_t i = 0;
    (void)arg;
    do {
        struct sample_mortal m;
        char name[16];
        for (int n = 0; n < 50; n++) {
            name_of(i++ * 7919 % FEW, name);
            struct warp_str key = warp_str(name);
            int rc = warp_gen_get(store, P, &key, BIT(MORTAL_TEXT), &m, &own);
            if (rc != WARP_OK)
                fprintf(stderr, "%s: %d: %s\n", name, rc, warp_errmsg(store));
            missed += rc != WARP_OK;
        }
        missed += warp_stat(store, &stat) != WARP_OK;
        warp_arena_reset(&own);
    } while (stat.loading && !missed);
    warp_arena_free(&own);
    return (void *)missed;
}

/* A record is there at any moment of the load, its last one too. */
START_TEST(nothing_is_missed_while_rows_load)
{
    char name[16];
    for (uint32_t i = 0; i < FEW; i++) {
        struct sample_mortal m = {.text = warp_str("text")};
        name_of(i, name);
        m.name = warp_str(name);
        ck_ok(warp_gen_put(store, P, &m, BIT(MORTAL_TEXT)));
    }
    /* Where all is slow (a sanitizer on a busy machine) fewer have to do. */
    int64_t until = os_mono_ns() + INT64_C(20000000000);
    for (int round = 0; round < 300 && os_mono_ns() < until; round++) {
        pthread_t other;
        void *missed;
        scene_reopen();
        pthread_create(&other, NULL, get_all, NULL);
        ck_assert_ptr_null(get_all(NULL));
        pthread_join(other, &missed);
        ck_assert_ptr_null(missed);
    }
}
END_TEST

enum { MANY = 60000 };

static void put_many(void)
{
    for (uint64_t i = 1; i <= MANY; i++) {
        struct sample_thing t = {.id = i, .gold = (int64_t)i};
        ck_ok(put(&t, BIT(THING_GOLD)));
    }
}

static void check_many(void)
{
    for (uint64_t i = 1; i <= MANY; i++) {
        struct sample_thing t;
        ck_ok(get(i, BIT(THING_GOLD), &t));
        ck_assert_int_eq(t.gold, (int64_t)i);
    }
}

static void count_one(void *arg, void *record)
{
    (void)record;
    ++*(uint64_t *)arg;
}

/* Each segment is of use, each record is in one. */
static void check_index(struct index *index, uint64_t most)
{
    uint64_t seen = 0;
    for (uint32_t at = 0; index_walk(index, at, count_one, &seen); at++)
        ;
    ck_assert_uint_eq(seen, index->count);
    ck_assert_uint_le(index->segment_count, most);
}

START_TEST(a_replay_makes_the_index_as_large_as_it_will_be)
{
    uint64_t sizes[256];
    put_many();
    for (uint32_t i = 0; i < store->shard_count; i++)
        sizes[i] = store->shards[i].index.segment_count;
    scene_teardown();
    scene_setup();
    scene_crash(put_many);
    check_many();
    for (uint32_t i = 0; i < store->shard_count; i++)
        check_index(&store->shards[i].index, 2 * sizes[i]);
    /* And with records in it, for many more, as often as one likes. */
    for (uint32_t i = 0; i < store->shard_count; i++) {
        struct shard *s = &store->shards[i];
        os_lock(&s->lock);
        index_expect(&s->index, 128 * 512);
        index_expect(&s->index, 128 * 512);
        os_unlock(&s->lock);
        check_index(&s->index, 64);
        ck_assert_uint_eq(s->index.segment_count, 64);
    }
    check_many();
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_test(t, nothing_is_missed_while_rows_load);
    tcase_add_test(t, what_is_deleted_stays_deleted);
    tcase_add_test(t, places_are_counted_once);
    tcase_add_test(t, a_replay_makes_the_index_as_large_as_it_will_be);
}

int main(void)
{
    return run_suite("store_load", fill);
}
