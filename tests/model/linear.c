/* linear.c: gets, sets and compare-and-sets of several threads on a real store,
 * recorded with the time at which each began and ended, are linearizable; one
 * stale read in them is found.
 *
 * One field is in memory and one on ssd, while values leave memory and
 * checkpoints run. A call is recorded by the clock alone, so that the recording
 * orders nothing.
 *
 *   WARP_LINEAR_MS=N   how long it runs; 1500 */
#include "register.h"

#include "../unit/scratch.h"
#include "../unit/store_sample.h"
#include "db.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, KEYS = 3, FIELDS = 2, CALLS_MAX = 1 << 19 };

static const uint32_t fields[FIELDS] = {THING_GOLD, THING_COUNTER};
static const uint32_t offsets[FIELDS] = {
    offsetof(struct sample_thing, gold),
    offsetof(struct sample_thing, counter)};

struct recorder {
    struct warp_db *db;
    pthread_t thread;
    struct register_call *calls;
    uint8_t *register_of; /* of each call: key and field */
    uint32_t count, next; /* next: a value that nobody else writes */
    uint8_t number;
    uint64_t rng, seen[KEYS * FIELDS], before[KEYS * FIELDS];
    bool stale; /* now and then an older value is said to be read */
    _Atomic bool told;
};
static _Atomic bool stop;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void record(struct recorder *r, uint32_t n, struct register_call c)
{
    c.thread = r->number;
    r->register_of[r->count] = (uint8_t)n;
    r->calls[r->count++] = c;
}

static uint64_t value_of(const struct sample_thing *t, uint32_t field)
{
    uint64_t value = 0;
    memcpy(&value, (const char *)t + offsets[field], sizeof(uint32_t));
    return value;
}

static uint64_t get(struct recorder *r, uint32_t n)
{
    uint64_t key = n / FIELDS;
    struct sample_thing t;
    struct warp_arena arena = WARP_ARENA_INIT;
    int64_t begin = now_ns();
    int rc = warp_gen_get(r->db, &sample_thing_product, &key,
                          BIT(fields[n % FIELDS]), &t, &arena);
    int64_t end = now_ns();
    ck_assert_msg(rc == WARP_OK, "get: %d: %s", rc, warp_errmsg(r->db));
    uint64_t value = value_of(&t, n % FIELDS);
    warp_arena_free(&arena);
    if (value != r->seen[n]) {
        r->before[n] = r->seen[n];
        r->seen[n] = value;
    } else if (r->stale && !r->told && r->before[n] && r->count > 2000) {
        value = r->before[n]; /* it has seen a later one */
        r->told = true;
    }
    record(r, n, (struct register_call){begin, end, value, 0, REGISTER_GET, 0});
    return value;
}

static uint32_t new_value(struct recorder *r)
{
    return r->number + 1 + THREADS * ++r->next;
}

static void set(struct recorder *r, uint32_t n)
{
    uint64_t key = n / FIELDS, value = new_value(r);
    int64_t begin = now_ns();
    int rc = warp_gen_set(r->db, &sample_thing_product, &key,
                          fields[n % FIELDS], &value);
    int64_t end = now_ns();
    ck_assert_msg(rc == WARP_OK, "set: %d: %s", rc, warp_errmsg(r->db));
    record(r, n, (struct register_call){begin, end, value, 0, REGISTER_SET, 0});
}

/* Refused is the record's version, and another field may have changed it. */
static void compare_and_set(struct recorder *r, uint32_t n)
{
    uint64_t key = n / FIELDS, first, second, value = new_value(r);
    struct warp_batch *batch = NULL;
    ck_assert_int_eq(
        warp_gen_version(r->db, &sample_thing_product, &key, &first), WARP_OK);
    uint64_t had = get(r, n);
    ck_assert_int_eq(
        warp_gen_version(r->db, &sample_thing_product, &key, &second), WARP_OK);
    if (first != second)
        return; /* it is not known of which version the value is */
    int64_t begin = now_ns();
    ck_assert_int_eq(warp_batch_begin(r->db, &batch), WARP_OK);
    ck_assert_int_eq(
        warp_gen_expect_in(batch, &sample_thing_product, &key, first), WARP_OK);
    ck_assert_int_eq(warp_gen_set_in(batch, &sample_thing_product, &key,
                                     fields[n % FIELDS], &value),
                     WARP_OK);
    int rc = warp_batch_commit(&batch);
    int64_t end = now_ns();
    ck_assert(rc == WARP_OK || rc == WARP_ECONFLICT);
    if (rc == WARP_OK)
        record(r, n,
               (struct register_call){begin, end, had, value, REGISTER_CAS, 0});
}

static void *act(void *arg)
{
    struct recorder *r = arg;
    while (!atomic_load_explicit(&stop, memory_order_relaxed) &&
           r->count + 2 < CALLS_MAX) {
        uint32_t n =
            (uint32_t)(scratch_random(&r->rng) >> 20) % (KEYS * FIELDS);
        uint32_t what = (uint32_t)(scratch_random(&r->rng) >> 20) % 10;
        if (what < 5)
            (void)get(r, n);
        else if (what < 8)
            set(r, n);
        else
            compare_and_set(r, n);
    }
    return NULL;
}

/* What may leave memory does, and what was written is checkpointed. */
static void *disturb(void *arg)
{
    struct warp_db *db = arg;
    while (!atomic_load(&stop)) {
        ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
        for (uint32_t i = 0; i < db->shard_count; i++) {
            os_lock(&db->shards[i].lock);
            (void)shard_evict(&db->shards[i], NULL, WARP_PRIORITY_CRITICAL,
                              1 << 20);
            os_unlock(&db->shards[i].lock);
        }
        usleep(500);
    }
    return NULL;
}

/* Gives the number of registers whose history has no order. */
static uint32_t check_all(struct recorder *recorders, uint64_t *count)
{
    struct register_call *calls =
        malloc(THREADS * (size_t)CALLS_MAX * sizeof *calls);
    uint32_t bad_count = 0;
    ck_assert_ptr_nonnull(calls);
    for (uint32_t n = 0; n < KEYS * FIELDS; n++) {
        const struct register_call *bad;
        size_t used = 0;
        for (uint32_t t = 0; t < THREADS; t++)
            for (uint32_t i = 0; i < recorders[t].count; i++)
                if (recorders[t].register_of[i] == n)
                    calls[used++] = recorders[t].calls[i];
        *count += used;
        if (register_check(calls, used, 1, &bad))
            continue;
        bad_count++;
        printf("register %u: call of kind %d with %llu by thread %u has no "
               "moment\n",
               n, bad->kind, (unsigned long long)bad->value, bad->thread);
    }
    free(calls);
    return bad_count;
}

static uint32_t run(bool stale, uint64_t *count)
{
    static struct recorder recorders[THREADS];
    struct warp_options o = WARP_OPTIONS_INIT;
    struct warp_db *db = NULL;
    pthread_t disturber;
    const char *ms = getenv("WARP_LINEAR_MS");
    char path[512];
    snprintf(path, sizeof path, "%s/%s", scratch(), stale ? "stale" : "store");
    o.shards = 2;
    o.ring_bytes = 65536;
    ck_assert_int_eq(warp_open(path, &sample_schema, &o, &db), WARP_OK);
    for (uint64_t key = 0; key < KEYS; key++) {
        struct sample_thing t = {.id = key, .gold = 1, .counter = 1};
        ck_assert_int_eq(warp_gen_put(db, &sample_thing_product, &t,
                                      BIT(THING_GOLD) | BIT(THING_COUNTER)),
                         WARP_OK);
    }
    atomic_store(&stop, false);
    for (uint32_t t = 0; t < THREADS; t++) {
        struct recorder *r = &recorders[t];
        memset(r, 0, sizeof *r);
        r->db = db;
        r->number = (uint8_t)t;
        r->rng = 77 + t;
        r->stale = stale && t == 1;
        r->calls = malloc(CALLS_MAX * sizeof *r->calls);
        r->register_of = malloc(CALLS_MAX);
        ck_assert(r->calls && r->register_of);
        ck_assert_int_eq(pthread_create(&r->thread, NULL, act, r), 0);
    }
    ck_assert_int_eq(pthread_create(&disturber, NULL, disturb, db), 0);
    usleep((useconds_t)(ms ? atoi(ms) : 1500) * 1000);
    for (int i = 0; stale && !recorders[1].told && i < 6000; i++)
        usleep(10000);
    atomic_store(&stop, true);
    for (uint32_t t = 0; t < THREADS; t++)
        pthread_join(recorders[t].thread, NULL);
    pthread_join(disturber, NULL);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    ck_assert(!stale || recorders[1].told);
    uint32_t bad = check_all(recorders, count);
    for (uint32_t t = 0; t < THREADS; t++) {
        free(recorders[t].calls);
        free(recorders[t].register_of);
    }
    scratch_remove();
    return bad;
}

START_TEST(calls_happen_at_once)
{
    uint64_t count = 0;
    uint32_t bad = run(false, &count);
    printf("%llu calls of %d threads\n", (unsigned long long)count, THREADS);
    ck_assert_uint_gt(count, 1000);
    ck_assert_uint_eq(bad, 0);
}
END_TEST

START_TEST(a_stale_read_is_found)
{
    uint64_t count = 0;
    ck_assert_uint_eq(run(true, &count), 1);
}
END_TEST

/* By hand: what is and what is not. */
START_TEST(the_checker_knows)
{
    const struct register_call *bad;
    /* Two sets overlap a get: it may see either, and then the other. */
    struct register_call sets[] = {{1, 9, 5, 0, REGISTER_SET, 0},
                                   {2, 8, 6, 0, REGISTER_SET, 1},
                                   {3, 4, 6, 0, REGISTER_GET, 2},
                                   {5, 6, 5, 0, REGISTER_GET, 2}};
    ck_assert(register_check(sets, 4, 1, &bad));
    sets[3].value = 1; /* the first value is gone */
    ck_assert(!register_check(sets, 4, 1, &bad));
    ck_assert_ptr_eq(bad, &sets[3]);
    /* Of two compare-and-sets from one value one is refused. */
    struct register_call two[] = {{1, 4, 1, 7, REGISTER_CAS, 0},
                                  {2, 3, 1, 8, REGISTER_CAS, 1}};
    ck_assert(!register_check(two, 2, 1, &bad));
    two[1].kind = REGISTER_CAS_REFUSED;
    ck_assert(register_check(two, 2, 1, &bad));
    two[1].begin = two[1].end = 0; /* before the other one */
    ck_assert(!register_check(two, 2, 1, &bad));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("linear");
    TCase *t = tcase_create("linear");
    tcase_add_test(t, the_checker_knows);
    tcase_add_test(t, calls_happen_at_once);
    tcase_add_test(t, a_stale_read_is_found);
    tcase_set_timeout(t, 110);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
