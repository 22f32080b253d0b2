/* Guards of the learner: evicting by chance is as good as chance, by the truth
 * nearly as good as the optimum, by its model better than LRU where there is
 * something to learn, by the traits of others worse than by its own. */
#include <check.h>
#include <stdlib.h>

#include "place_cache.h"
#include "place_model.h"
#include "placement.h"

enum { REQUESTS = 200000, OBJECTS = 12000 };
static uint64_t keys[REQUESTS];
static struct placement_trace trace;

struct run {
    struct place_cache cache;
    struct place_link *links;
    struct place_trait *traits;
    struct place_model model;
    struct random random;
    uint32_t *next; /* use of each object */
};

static float by_chance(void *owner, uint32_t at)
{
    struct run *run = owner;
    (void)at;
    return (float)random_unit(&run->random);
}

static float by_truth(void *owner, uint32_t at)
{
    struct run *run = owner;
    return (float)run->next[at];
}

static float by_another(void *owner, uint32_t at)
{
    struct run *run = owner;
    const struct place_trait *t = &run->traits[at];
    uint32_t other = (uint32_t)random_below(&run->random, trace.objects);
    struct place_trait mixed = run->traits[other];
    if (!mixed.seen)
        mixed = *t;
    return place_model_wait(&run->model, &mixed, run->cache.now - t->last);
}

/* Misses of the learner alone, with a model that learns from all. */
static double learner(uint32_t capacity, enum place_expert_id expert,
                      float (*wait)(void *, uint32_t))
{
    struct run *run = calloc(1, sizeof *run);
    run->links = malloc(trace.objects * sizeof *run->links);
    run->traits = calloc(trace.objects, sizeof *run->traits);
    run->next = calloc(trace.objects, sizeof *run->next);
    run->random = random_seeded(4);
    place_model_init(&run->model, 4);
    place_model_horizon(&run->model, capacity);
    for (uint32_t o = 0; o < trace.objects; o++) {
        place_link_init(&run->links[o]);
        run->traits[o].bytes = 1;
    }
    place_cache_init(&run->cache, capacity, run->links, run->traits,
                     &place_experts[expert]);
    run->cache.model = &run->model;
    run->cache.wait = wait;
    run->cache.owner = run;
    double misses = 0;
    for (uint32_t i = 0; i < REQUESTS; i++) {
        uint32_t o = trace.object[i];
        struct place_trait *t = &run->traits[o];
        run->next[o] = trace.next[i];
        misses += !place_cache_access(&run->cache, o, i);
        if (t->seen)
            place_model_train(&run->model, t, i - t->last);
        place_trait_touch(t, i);
    }
    free(run->links);
    free(run->traits);
    free(run->next);
    free(run);
    return misses / REQUESTS;
}

static double optimum(uint32_t capacity)
{
    uint8_t *hits = placement_optimum(&trace, capacity);
    double n = 0;
    ck_assert_ptr_nonnull(hits);
    for (size_t i = 0; i < REQUESTS; i++)
        n += !hits[i];
    free(hits);
    return n / REQUESTS;
}

static double lru(uint32_t capacity)
{
    struct placement_space space = {&trace, capacity, 1};
    void *run = placement_lru.create(&space);
    double n = 0;
    for (size_t i = 0; i < REQUESTS; i++)
        n += !placement_lru.access(run, i);
    placement_lru.destroy(run);
    return n / REQUESTS;
}

/* Any resident leaves, as likely as any other. */
static double chance(uint32_t capacity)
{
    uint32_t *held = malloc(capacity * sizeof *held), count = 0;
    uint8_t *in = calloc(trace.objects, 1);
    struct random r = random_seeded(3);
    double misses = 0;
    for (size_t i = 0; i < REQUESTS; i++) {
        uint32_t o = trace.object[i];
        if (in[o])
            continue;
        misses++;
        uint32_t at = count < capacity ? count++
                                       : (uint32_t)random_below(&r, capacity);
        if (misses > capacity)
            in[held[at]] = 0;
        held[at] = o;
        in[o] = 1;
    }
    free(held);
    free(in);
    return misses / REQUESTS;
}

/* Objects with a rhythm of their own: what a history can tell. A third of the
 * requests are for objects that are never used again. */
static void setup(void)
{
    struct random r = random_seeded(2);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        uint64_t kind = random_below(&r, 6);
        if (kind < 2)
            keys[i] = 1000000 + i;
        else if (kind < 4)
            keys[i] = random_below(&r, 400);
        else
            keys[i] = 1000 + i / 6 % 4000; /* a slow round */
    }
    ck_assert_int_eq(placement_trace_make(&trace, "rhythm", keys, NULL,
                                          REQUESTS), 0);
}

static void teardown(void)
{
    placement_trace_fini(&trace);
}

START_TEST(test_chance)
{
    for (uint32_t capacity = 100; capacity <= 1600; capacity *= 4)
        ck_assert_double_eq_tol(learner(capacity, PLACE_LEARN_BARE, by_chance),
                                chance(capacity), 0.01);
}
END_TEST

/* A newcomer takes one place, where the optimum may let it pass. */
START_TEST(test_truth)
{
    for (uint32_t capacity = 100; capacity <= 1600; capacity *= 4) {
        double truth = learner(capacity, PLACE_LEARN_BARE, by_truth),
               best = optimum(capacity);
        ck_assert_double_ge(truth, best);
        ck_assert_msg(truth <= best + 0.002 + 0.4 / capacity,
                      "%u: %f by the truth, %f at best", capacity, truth,
                      best);
    }
}
END_TEST

START_TEST(test_model)
{
    for (uint32_t capacity = 100; capacity <= 1600; capacity *= 4) {
        double model = learner(capacity, PLACE_LEARN_BARE, NULL),
               another = learner(capacity, PLACE_LEARN_BARE, by_another),
               plain = lru(capacity), best = optimum(capacity);
        ck_assert_msg(model < plain && model < another,
                      "%u: %f by the model, %f by others' traits, LRU %f",
                      capacity, model, another, plain);
        /* It closes a sixth of what LRU leaves open: most is chance. */
        ck_assert_msg(model <= plain - (plain - best) / 6,
                      "%u: %f by the model, LRU %f, %f at best", capacity,
                      model, plain, best);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("place_score");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_unchecked_fixture(all, setup, teardown);
    tcase_add_test(all, test_chance);
    tcase_add_test(all, test_truth);
    tcase_add_test(all, test_model);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
