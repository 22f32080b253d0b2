/* points.c: where Warp is built with -Dyields=true, every point of os.h is
 * passed by a store with several threads, which give way there; what the
 * threads wrote is there all the same. */
#include "store_scene.h"

#include "os.h"

#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 3, IDS = 3000, SEEDS = 5 };

/* Each writes ids of its own, reads what others write, and evicts. */
static void *work(void *arg)
{
    uint64_t first = *(const uint32_t *)arg;
    struct sample_thing out;
    struct warp_arena mine = WARP_ARENA_INIT;
    for (uint64_t id = first; id < IDS; id += THREADS) {
        struct sample_thing t = {.id = id, .gold = (int64_t)id};
        t.far = warp_str("leaves");
        ck_ok(put(&t, BIT(THING_GOLD) | BIT(THING_FAR)));
        uint64_t other = id * 7919 % IDS;
        int rc = warp_gen_get(store, &sample_thing_product, &other,
                              BIT(THING_GOLD) | BIT(THING_FAR), &out, &mine);
        ck_assert(rc == WARP_ENOTFOUND ||
                  (rc == WARP_OK && out.gold == (int64_t)other));
        warp_arena_reset(&mine);
        if (id % 200 == first)
            ck_ok(warp_sync(store));
        if (id % 500 == first)
            ck_ok(warp_checkpoint(store));
        if (id % 100 == first)
            scene_evict();
    }
    warp_arena_free(&mine);
    return NULL;
}

/* A thread reads the seed at its first point. */
static void *reopen(void *arg)
{
    scene_reopen();
    return arg;
}

static void run(uint32_t seed)
{
    static uint32_t numbers[THREADS] = {0, 1, 2};
    pthread_t threads[THREADS];
    struct sample_thing t;
    char text[16];
    snprintf(text, sizeof text, "%u", seed);
    setenv("WARP_YIELDS", text, 1);
    ck_assert_int_eq(pthread_create(&threads[0], NULL, reopen, NULL), 0);
    pthread_join(threads[0], NULL);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &numbers[i]),
                         0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (uint64_t id = 0; id < IDS; id++) {
        ck_ok(get(id, BIT(THING_GOLD) | BIT(THING_FAR), &t));
        ck_assert_int_eq(t.gold, (int64_t)id);
        ck_assert(str_is(t.far, "leaves"));
        warp_arena_reset(&arena);
        ck_ok(del(id));
    }
}

START_TEST(threads_give_way_at_each)
{
    for (uint32_t seed = 1; seed <= SEEDS; seed++)
        run(seed);
    for (int i = 0; i < OS_POINT_COUNT; i++)
        ck_assert_msg(os_point_yields((enum os_point)i) > 0, "point %d", i);
}
END_TEST

static void fill(TCase *tcase)
{
    tcase_set_timeout(tcase, 200);
    tcase_add_test(tcase, threads_give_way_at_each);
}

int main(void)
{
    return run_suite("points", fill);
}
