/* The harness of `warp-bench placement`: reading traces, the optimum, the peers
 * on traces whose misses can be counted by hand, and the guards: what must show
 * when something is broken. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "placement.h"

enum { LONG = 60000 };
static uint64_t keys[2 * LONG];

static struct placement_trace made(size_t count)
{
    struct placement_trace t;
    ck_assert_int_eq(placement_trace_make(&t, "made", keys, NULL, count), 0);
    return t;
}

/* Skewed: rank r of `objects` about as often as 1 / r. */
static uint64_t skewed(struct random *r, uint64_t objects)
{
    double u = random_unit(r);
    uint64_t rank = 1;
    for (double step = 1; rank < objects && u > step / 2; step /= 2)
        rank *= 2;
    return random_below(r, rank);
}

static double misses(const struct placement_policy *policy,
                     const struct placement_trace *t, uint64_t capacity,
                     size_t from)
{
    struct placement_space space = {t, capacity, 1};
    void *run = policy->create(&space);
    size_t n = 0;
    ck_assert_ptr_nonnull(run);
    for (size_t i = 0; i < t->count; i++)
        n += !policy->access(run, i) && i >= from;
    policy->destroy(run);
    return (double)n;
}

static double optimum_misses(const struct placement_trace *t, uint64_t capacity)
{
    uint8_t *hits = placement_optimum(t, capacity);
    size_t n = 0;
    ck_assert_ptr_nonnull(hits);
    for (size_t i = 0; i < t->count; i++)
        n += !hits[i];
    free(hits);
    return (double)n;
}

static int read_text(const char *text, struct placement_trace *t, char *error)
{
    char path[] = "placement_XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (long)strlen(text));
    close(fd);
    int rc = placement_trace_read(t, path, error, 200);
    unlink(path);
    return rc;
}

START_TEST(test_read)
{
    struct placement_trace t;
    char error[200];
    ck_assert_int_eq(read_text("time_s,key_u64,size,op\n0,7,10,r\n"
                               "0.5,18446744073709551615,20,w\r\n1,7,30,r",
                               &t, error), 0);
    ck_assert_uint_eq(t.count, 3);
    ck_assert_uint_eq(t.objects, 2);
    ck_assert_uint_eq(t.key[1], UINT64_MAX);
    ck_assert_uint_eq(t.bytes[0], 30); /* as its last request says */
    ck_assert_uint_eq(t.footprint, 50);
    ck_assert(!t.even && t.write[1] && !t.write[2]);
    ck_assert_uint_eq(t.next[0], 2);
    ck_assert_uint_eq(t.next[1], UINT32_MAX);
    placement_trace_fini(&t);
}
END_TEST

START_TEST(test_read_refuses)
{
    static const char *const cases[][2] = {
        {"", "no requests"},
        {"time_s,key_u64,size,op\n", "no requests"},
        {"0,1,1,r\n", "line 1: the first line must be"},
        {"time_s,key_u64,size,op\n0,1,1,x\n", "line 2: op"},
        {"time_s,key_u64,size,op\n0,1,1,rr\n", "line 2: op"},
        {"time_s,key_u64,size,op\n0,1,0,r\n", "line 2: size"},
        {"time_s,key_u64,size,op\n0,1,4294967296,r\n", "line 2: size"},
        {"time_s,key_u64,size,op\n0,18446744073709551616,1,r\n",
         "line 2: key_u64"},
        {"time_s,key_u64,size,op\n0,1,1,r\n,1,1,r\n", "line 3: time_s"},
        {"time_s,key_u64,size,op\n0,1\n", "line 2: key_u64"},
        {"\x1f\x8b not gzip", "gzip"},
        {"\xfd" "7zXZ", "line 1"},
    };
    struct placement_trace t;
    char error[200];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(read_text(cases[i][0], &t, error), -1);
        ck_assert_msg(strstr(error, cases[i][1]), "%zu: %s", i, error);
    }
    ck_assert_int_eq(placement_trace_read(&t, "none.csv", error, 200), -1);
    ck_assert_msg(strstr(error, "No such file"), "%s", error);
}
END_TEST

/* A loop over n objects through a tier for c: LRU always misses, the optimum
 * keeps c - 1 and one place turns over. */
START_TEST(test_loop)
{
    for (size_t i = 0; i < 1000; i++)
        keys[i] = i % 10;
    struct placement_trace t = made(1000);
    ck_assert_double_eq(misses(&placement_lru, &t, 5, 0), 1000);
    ck_assert_double_eq(misses(&placement_lru, &t, 10, 0), 10);
    /* Belady with a bypass holds 5 of 10 for ever. */
    ck_assert_double_eq(optimum_misses(&t, 5), 10 + 990 * 0.5);
    ck_assert_double_le(misses(&placement_lirs, &t, 5, 0), 650);
    placement_trace_fini(&t);
}
END_TEST

/* Against a search of all choices, on traces short enough for it. */
static double best_of(const struct placement_trace *t, size_t at, uint32_t held,
                      unsigned places)
{
    if (at == t->count)
        return 0;
    uint32_t bit = UINT32_C(1) << t->object[at];
    if (held & bit)
        return best_of(t, at + 1, held, places);
    double least = best_of(t, at + 1, held, places); /* passes by */
    for (uint32_t o = 0; o <= t->objects; o++) {
        uint32_t out = o < t->objects ? UINT32_C(1) << o : 0;
        if (out && !(held & out))
            continue;
        uint32_t now = (held & ~out) | bit;
        if (__builtin_popcount(now) > (int)places)
            continue;
        double n = best_of(t, at + 1, now, places);
        least = n < least ? n : least;
    }
    return least + 1;
}

START_TEST(test_optimum_is_exact)
{
    struct random r = random_seeded(5);
    for (int round = 0; round < 40; round++) {
        for (size_t i = 0; i < 11; i++)
            keys[i] = random_below(&r, 5);
        struct placement_trace t = made(11);
        for (unsigned places = 1; places <= 3; places++)
            ck_assert_double_eq(optimum_misses(&t, places),
                                best_of(&t, 0, 0, places));
        placement_trace_fini(&t);
    }
}
END_TEST

static const struct placement_policy *const policies[] = {
    &placement_lru,   &placement_lfu,      &placement_arc,
    &placement_lirs,  &placement_s3fifo,   &placement_sieve,
    &placement_wtinylfu, &placement_lhd,   &placement_engine};
enum { POLICIES = sizeof policies / sizeof policies[0] };

/* Nobody misses less than the optimum, with sizes too; all are between it and
 * missing everything; what a first use misses, all miss. */
START_TEST(test_bounds)
{
    static uint32_t sizes[LONG];
    struct random r = random_seeded(6);
    for (size_t i = 0; i < LONG; i++) {
        keys[i] = skewed(&r, 4000);
        sizes[i] = 1 + (uint32_t)(random_mix(keys[i]) % 100);
    }
    for (int even = 0; even < 2; even++) {
        struct placement_trace t;
        ck_assert_int_eq(placement_trace_make(&t, "t", keys,
                                              even ? NULL : sizes, LONG), 0);
        struct placement_result results[POLICIES + 2];
        ck_assert_int_eq(placement_measure(&t, 10, &placement_default_plan,
                                           policies, POLICIES, results),
                         POLICIES + 2);
        double cold = (double)t.objects / LONG;
        const struct placement_result *best = &results[POLICIES + 1];
        ck_assert_str_eq(best->name, "optimum");
        ck_assert_double_eq_tol(best->gap_closed, 1, 1e-9);
        ck_assert_double_eq_tol(results[0].gap_closed, 0, 1e-9);
        for (int i = 1; i <= POLICIES; i++) {
            ck_assert_msg(results[i].miss_ratio >= best->miss_ratio &&
                              results[i].miss_ratio >= cold &&
                              results[i].miss_ratio < results[0].miss_ratio,
                          "%s misses %f", results[i].name,
                          results[i].miss_ratio);
            ck_assert_double_le(results[i].latency_us,
                                results[0].latency_us);
            ck_assert_double_ge(results[i].latency_us, best->latency_us);
            ck_assert_double_gt(results[i].accuracy, 0.5);
            ck_assert_double_le(results[i].accuracy, 1);
            /* Each miss moves one in, and all but the last ones out. */
            ck_assert_double_gt(results[i].moves, 0);
        }
        placement_trace_fini(&t);
    }
}
END_TEST

/* The bound with moves and sizes: no policy costs less; where there is room for
 * all it is what the best of them must cost, moves counted. */
START_TEST(test_bound_of_moves)
{
    static uint32_t sizes[LONG];
    struct random r = random_seeded(8);
    struct placement_plan plan = placement_default_plan;
    plan.move_us[0] = 3;
    plan.move_us[1] = 50;
    for (size_t i = 0; i < LONG; i++) {
        keys[i] = skewed(&r, 4000);
        sizes[i] = 1 + (uint32_t)(random_mix(keys[i]) % 100);
    }
    for (int even = 0; even < 2; even++) {
        struct placement_trace t;
        ck_assert_int_eq(placement_trace_make(&t, "t", keys,
                                              even ? NULL : sizes, LONG), 0);
        struct placement_result results[POLICIES + 2];
        ck_assert_int_eq(placement_measure(&t, 10, &plan, policies, POLICIES,
                                           results), POLICIES + 2);
        const struct placement_result *bound = &results[POLICIES + 1];
        ck_assert_double_eq_tol(bound->bound_gap, 1, 1e-9);
        for (int i = 0; i <= POLICIES; i++) {
            ck_assert_double_ge(results[i].cost_us, results[i].latency_us);
            ck_assert_double_gt(results[i].cost_us, bound->cost_us);
        }
        /* The engine is told what moves cost. */
        for (int i = 1; i < POLICIES; i++)
            ck_assert_double_lt(results[POLICIES].cost_us, results[i].cost_us);
        const uint64_t all[2] = {t.footprint, t.footprint};
        double cold = (double)t.objects / LONG, used = 0;
        uint8_t *seen = calloc(t.objects, 1);
        for (size_t i = 0; i < t.count; i++) {
            used += seen[t.object[i]] == 1;
            if (seen[t.object[i]] < 2)
                seen[t.object[i]]++;
        }
        /* In memory from the first use on, if there is another. */
        double best = cold * 100 + used / LONG * 3 + (1 - cold) * 0.5;
        ck_assert_double_eq_tol(placement_bound(&t, &plan, all), best,
                                best / 200);
        ck_assert_double_le(placement_bound(&t, &plan, all), best);
        free(seen);
        placement_trace_fini(&t);
    }
}
END_TEST

/* With its learner off the engine is S3-FIFO, request for request. */
START_TEST(test_fallback_is_s3fifo)
{
    struct random r = random_seeded(7);
    for (size_t i = 0; i < LONG; i++)
        keys[i] = skewed(&r, 8000);
    struct placement_trace t = made(LONG);
    for (uint64_t capacity = 10; capacity <= 1000; capacity *= 10) {
        struct placement_space space = {&t, capacity, 1};
        void *a = placement_fallback.create(&space),
             *b = placement_s3fifo.create(&space);
        for (size_t i = 0; i < t.count; i++)
            ck_assert_int_eq(placement_fallback.access(a, i),
                             placement_s3fifo.access(b, i));
        placement_fallback.destroy(a);
        placement_s3fifo.destroy(b);
    }
    placement_trace_fini(&t);
}
END_TEST

/* Two workloads one after the other: once twice the capacity has been asked
 * for, the engine does as well as on the second alone. */
START_TEST(test_recovers)
{
    const size_t half = LONG / 2;
    const uint64_t capacity = 400;
    struct random r = random_seeded(8);
    for (size_t i = 0; i < half; i++)
        keys[i] = i % 700; /* a loop: LIRS is best */
    for (size_t i = half; i < LONG; i++)
        keys[i] = 1000000 + skewed(&r, 4000);
    struct placement_trace joined = made(LONG);
    memmove(keys, keys + half, half * sizeof keys[0]);
    struct placement_trace alone = made(half);
    double after = misses(&placement_engine, &joined, capacity,
                          half + 2 * capacity),
           want = misses(&placement_engine, &alone, capacity, 2 * capacity);
    ck_assert_msg(after <= want * 1.05, "%f after a change, %f alone", after,
                  want);
    placement_trace_fini(&joined);
    placement_trace_fini(&alone);
}
END_TEST

/* One scan over five times the capacity costs less than 2 points. */
START_TEST(test_scan)
{
    const uint64_t capacity = 400;
    struct random r = random_seeded(9);
    for (size_t i = 0; i < LONG; i++)
        keys[i] = skewed(&r, 4000);
    struct placement_trace calm = made(LONG);
    size_t n = 0, scan = 5 * capacity;
    struct random again = random_seeded(9);
    for (size_t i = 0; i < LONG; i++) {
        if (i == LONG / 2)
            for (size_t k = 0; k < scan; k++)
                keys[n++] = 1000000 + k;
        keys[n++] = skewed(&again, 4000);
    }
    struct placement_trace scanned = made(n);
    double without = misses(&placement_engine, &calm, capacity, 0),
           with = misses(&placement_engine, &scanned, capacity, 0) -
                  (double)scan;
    ck_assert_msg(with - without < 0.02 * LONG, "%f with a scan, %f without",
                  with, without);
    placement_trace_fini(&calm);
    placement_trace_fini(&scanned);
}
END_TEST

/* Objects read twice and never again: not worse than LRU by more than 1 %. */
START_TEST(test_burst)
{
    struct random r = random_seeded(10);
    uint64_t fresh = 1000000;
    for (size_t i = 0; i < LONG; i++) {
        bool burst = i % 20000 >= 15000;
        if (burst && i % 2 == 1)
            keys[i] = keys[i - 1];
        else
            keys[i] = burst ? fresh++ : skewed(&r, 4000);
    }
    struct placement_trace t = made(LONG);
    double engine = misses(&placement_engine, &t, 400, 0),
           lru = misses(&placement_lru, &t, 400, 0);
    ck_assert_msg(engine <= 1.01 * lru, "engine %f, LRU %f", engine, lru);
    placement_trace_fini(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("placement");
    TCase *read = tcase_create("traces"), *figures = tcase_create("figures"),
          *guards = tcase_create("guards");
    tcase_add_test(read, test_read);
    tcase_add_test(read, test_read_refuses);
    tcase_add_test(figures, test_loop);
    tcase_add_test(figures, test_optimum_is_exact);
    tcase_add_test(figures, test_bounds);
    tcase_add_test(figures, test_bound_of_moves);
    tcase_add_test(guards, test_fallback_is_s3fifo);
    tcase_add_test(guards, test_recovers);
    tcase_add_test(guards, test_scan);
    tcase_add_test(guards, test_burst);
    tcase_set_timeout(guards, 60);
    tcase_set_timeout(figures, 60);
    suite_add_tcase(suite, read);
    suite_add_tcase(suite, figures);
    suite_add_tcase(suite, guards);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
