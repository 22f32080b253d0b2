/* The placement engine: its lists against a plain model, what it promises to
 * its owner, and that it does what its shadows say. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <warp/warp.h>

#include "place.h"
#include "place_cache.h"
#include "place_map.h"
#include "place_model.h"
#include "place_shadow.h"

enum { OBJECTS = 3000, REQUESTS = 200000 };

static uint64_t state = 1;
static uint32_t below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((state >> 33) % n);
}

/* Every expert, with sizes: never over its capacity, what it counts is there,
 * and its lists hold what they say. */
static void check_lists(const struct place_cache *cache)
{
    uint64_t used = 0;
    for (unsigned w = PLACE_NEW; w < PLACE_LISTS; w++) {
        const struct place_list *list = &cache->lists[w];
        uint64_t bytes = 0;
        uint32_t n = 0, last = PLACE_NONE;
        for (uint32_t at = list->head; at != PLACE_NONE;
             at = cache->links[at].next) {
            ck_assert_uint_eq(cache->links[at].list, w);
            ck_assert_uint_eq(cache->links[at].prev, last);
            bytes += place_trait_of(cache, at)->bytes;
            last = at;
            n++;
        }
        ck_assert_uint_eq(list->tail, last);
        ck_assert_uint_eq(list->count, n);
        ck_assert_uint_eq(list->bytes, bytes);
        if (w <= PLACE_MAIN)
            used += bytes;
    }
    ck_assert_uint_eq(cache->used, used);
    ck_assert_uint_le(cache->used, cache->capacity);
}

static void count_out(void *owner, uint32_t object)
{
    (void)object;
    ++*(uint64_t *)owner;
}

START_TEST(test_experts)
{
    static struct place_link links[OBJECTS];
    static struct place_trait traits[OBJECTS];
    static struct place_model model;
    place_model_init(&model, 1);
    for (int e = 0; e < PLACE_EXPERTS; e++) {
        struct place_cache cache;
        uint64_t out = 0, hits = 0;
        memset(traits, 0, sizeof traits);
        for (uint32_t o = 0; o < OBJECTS; o++) {
            place_link_init(&links[o]);
            traits[o].bytes = 1 + o % 37;
        }
        place_cache_init(&cache, 4000, links, traits, &place_experts[e]);
        cache.evicted = count_out;
        cache.owner = &out;
        cache.model = &model;
        for (uint32_t i = 0; i < REQUESTS; i++) {
            uint32_t o = below(1 + below(OBJECTS));
            bool was = place_is_resident(&cache, o);
            ck_assert_int_eq(place_cache_access(&cache, o, i), was);
            hits += was;
            if (traits[o].seen)
                place_model_train(&model, &traits[o], i - traits[o].last);
            place_trait_touch(&traits[o], i);
            if (i % 5003 == 0)
                check_lists(&cache);
            if (i % 40009 == 40008) /* any expert goes on from any other */
                place_cache_adopt(&cache,
                                  &place_experts[below(PLACE_EXPERTS)], NULL);
        }
        check_lists(&cache);
        ck_assert_uint_eq(cache.evictions, out);
        uint32_t held =
            cache.lists[PLACE_NEW].count + cache.lists[PLACE_MAIN].count;
        ck_assert_uint_eq(cache.admissions - cache.evictions, held);
        ck_assert_uint_gt(hits, REQUESTS / 10);
    }
}
END_TEST

/* LRU against its definition: hits are those with fewer than c others since. */
START_TEST(test_lru)
{
    static struct place_link links[100];
    static struct place_trait traits[100];
    struct place_cache cache;
    uint32_t order[100], held = 0;
    for (uint32_t o = 0; o < 100; o++) {
        place_link_init(&links[o]);
        traits[o].bytes = 1;
    }
    place_cache_init(&cache, 20, links, traits, &place_experts[PLACE_LRU]);
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t o = below(1 + below(100)), k = 0;
        while (k < held && order[k] != o)
            k++;
        ck_assert_int_eq(place_cache_access(&cache, o, i), k < held);
        traits[o].last = i;
        if (k == held && held < 20)
            held++;
        memmove(order + 1, order, (k < held ? k : held - 1) * sizeof *order);
        order[0] = o;
    }
}
END_TEST

static struct place *engine(uint64_t capacity, bool learning, uint64_t *out)
{
    struct place_options options = {.capacity_bytes = capacity,
                                    .learning = learning,
                                    .evicted = count_out,
                                    .owner = out};
    struct place *p = place_create(&options);
    ck_assert_ptr_nonnull(p);
    return p;
}

static int ask(struct place *p, uint32_t object)
{
    struct place_request request = {object, 1, object};
    return place_access(p, &request);
}

START_TEST(test_owner)
{
    uint64_t out = 0;
    struct place *p = engine(100, true, &out);
    struct place_stat stat;
    ck_assert_int_eq(ask(p, PLACE_NONE), WARP_EINVAL);
    for (uint32_t i = 0; i < 100000; i++) {
        uint32_t o = below(1 + below(500));
        bool was = place_holds(p, o);
        ck_assert_int_eq(ask(p, o), was);
        ck_assert(place_holds(p, o));
        if (i % 97 == 0) {
            uint32_t gone = below(500);
            place_drop(p, gone);
            ck_assert(!place_holds(p, gone));
        }
    }
    place_stat(p, &stat);
    ck_assert_uint_eq(stat.hits + stat.misses, 100000);
    ck_assert_uint_eq(stat.evictions, out);
    ck_assert_uint_lt(out, stat.misses);
    struct place_request big = {501, 101, 501};
    ck_assert_int_eq(place_access(p, &big), 0);
    ck_assert(!place_holds(p, 501));
    place_drop(p, 1 << 20); /* never seen */
    place_destroy(&p);
    ck_assert_ptr_null(p);
}
END_TEST

/* A loop that LRU and S3-FIFO lose: the shadows see it and the tier follows. A
 * call takes it back at once, and what is shown anew counts. */
START_TEST(test_learns)
{
    uint64_t out = 0;
    struct place *p = engine(700, true, &out), *off = engine(700, false, &out);
    struct place_stat stat;
    uint64_t hits = 0, hits_off = 0;
    for (uint32_t i = 0; i < 60000; i++) {
        hits += i >= 30000 && ask(p, i % 1000) == 1;
        hits_off += i >= 30000 && ask(off, i % 1000) == 1;
        if (i < 30000) {
            ask(p, i % 1000);
            ask(off, i % 1000);
        }
    }
    place_stat(p, &stat);
    ck_assert_str_ne(stat.expert, "s3fifo");
    ck_assert_str_ne(stat.expert, "lru");
    ck_assert_uint_gt(hits, 30000 * 6 / 10);
    ck_assert_uint_lt(hits_off, hits);
    place_fall_back(p);
    place_stat(p, &stat);
    ck_assert_str_eq(stat.expert, "s3fifo");
    ck_assert_uint_eq(stat.fallbacks, 1);
    for (uint32_t i = 0; i < 60000; i++)
        ask(p, i % 1000);
    place_stat(p, &stat);
    ck_assert_str_ne(stat.expert, "s3fifo");
    place_stat(off, &stat);
    ck_assert_str_eq(stat.expert, "s3fifo");
    ck_assert_uint_eq(stat.switches, 0);
    place_destroy(&p);
    place_destroy(&off);
}
END_TEST

/* A learned wait: what comes every 10 requests and what comes every 1000 are
 * told apart, at every age before their next use; what never comes again waits
 * longest; sizes of waits are about right. */
START_TEST(test_model)
{
    static struct place_model model;
    static struct place_trait traits[2000];
    place_model_init(&model, 2);
    place_model_horizon(&model, 1000);
    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t o = i % 2 ? i / 2 % 5 : 5 + i / 2 % 500;
        if (i % 10 == 4)
            o = 505 + i / 10 % 1400; /* in 14000 requests once */
        if (traits[o].seen)
            place_model_train(&model, &traits[o], i - traits[o].last);
        place_trait_touch(&traits[o], i);
    }
    float often = place_model_wait(&model, &traits[0], 3),
          seldom = place_model_wait(&model, &traits[5], 3),
          hardly = place_model_wait(&model, &traits[505], 3);
    ck_assert_float_gt(seldom, often + 3);
    ck_assert_float_gt(hardly, seldom + 2);
    ck_assert_float_eq_tol(often, 3, 1.5);
    ck_assert_float_eq_tol(seldom, 10, 1.5);
    ck_assert(!model.broken);
    for (unsigned k = 0; k < MODEL_COLUMNS; k++)
        for (unsigned a = 0; a < MODEL_AGES; a++)
            model.weights[2][a][k] = NAN;
    place_model_train(&model, &traits[0], 10);
    ck_assert(model.broken);
}
END_TEST

/* Deferred: nothing is learned on the path; what is over is counted. */
START_TEST(test_deferred)
{
    struct place_options options = {.capacity_bytes = 700, .learning = true,
                                    .deferred = true};
    struct place *p = place_create(&options);
    struct place_stat stat;
    ck_assert_ptr_nonnull(p);
    for (uint32_t i = 0; i < 30000; i++)
        ask(p, i % 1000);
    place_stat(p, &stat);
    ck_assert_str_eq(stat.expert, "s3fifo");
    ck_assert_uint_eq(stat.unlearned, 30000 - 64);
    for (uint32_t i = 0; i < 30000; i++) {
        ask(p, i % 1000);
        if (i % 50 == 0)
            place_catch_up(p);
    }
    place_stat(p, &stat);
    ck_assert_str_ne(stat.expert, "s3fifo");
    /* One more came before the first call. */
    ck_assert_uint_eq(stat.unlearned, 30000 - 64 + 1);
    place_destroy(&p);
}
END_TEST

/* State: 24 bytes for each number, an eighth spare, shadows of a fixed size. */
START_TEST(test_state)
{
    uint64_t out = 0;
    struct place *p = engine(50000, true, &out);
    struct place_stat stat;
    enum { NUMBERS = 1 << 20 };
    for (uint32_t i = 0; i < 2 * NUMBERS; i++)
        ask(p, below(1 + below(NUMBERS)));
    ask(p, NUMBERS - 1);
    place_stat(p, &stat);
    ck_assert_uint_le(stat.state_bytes, 27u * NUMBERS + (2u << 20));
    place_destroy(&p);
}
END_TEST

/* The sample is halved until it fits and stays a fair part of the whole. */
START_TEST(test_sample)
{
    struct place_shadow s;
    static struct place_trait traits[400000];
    static struct place_model model;
    place_model_init(&model, 1);
    for (uint32_t o = 0; o < 400000; o++)
        traits[o].bytes = 1;
    ck_assert_int_eq(place_shadow_init(&s, 40000, 0, 3, &model), 0);
    for (uint32_t i = 0; i < 1000000; i++) {
        uint32_t o = below(1 + below(400000));
        if (place_shadow_takes(&s, o))
            place_shadow_access(&s, o, &traits[o], i);
        place_trait_touch(&traits[o], i);
    }
    ck_assert_uint_ge(s.halvings, 2);
    for (int e = 0; e < PLACE_EXPERTS; e++) {
        check_lists(&s.caches[e]);
        ck_assert_uint_eq(s.caches[e].capacity, 40000u >> s.halvings);
    }
    place_shadow_fini(&s);
}
END_TEST

/* A tier that is made smaller and larger, of objects that grow and shrink: what
 * is told to leave has left, and nothing is over the capacity. */
START_TEST(test_resize)
{
    for (int learning = 0; learning < 2; learning++) {
        uint64_t out = 0;
        struct place *p = engine(20000, learning, &out);
        struct place_stat stat;
        for (uint32_t i = 0; i < 60000; i++) {
            uint32_t o = below(1 + below(2000));
            struct place_request request = {o, 1 + below(40), o};
            if (i % 3 == 0)
                request.bytes = i % 2; /* as before, where it is known */
            if (request.bytes == 0 && !place_holds(p, o))
                request.bytes = 1;
            ck_assert_int_ge(place_access(p, &request), 0);
            if (i % 1009 == 0)
                place_leave(p, below(2000));
            if (i % 4999 == 4998)
                place_resize(p, 200 + below(20000));
            place_stat(p, &stat);
            ck_assert_uint_le(stat.used_bytes, stat.capacity_bytes);
        }
        uint32_t held = 0;
        uint64_t bytes = 0;
        for (uint32_t o = 0; o < 2000; o++) {
            struct place_view view;
            place_view(p, o, &view);
            ck_assert_int_eq(view.resident, place_holds(p, o));
            held += view.resident;
            bytes += view.resident ? view.bytes : 0;
        }
        ck_assert_uint_eq(held, stat.residents);
        ck_assert_uint_eq(bytes, stat.used_bytes);
        place_resize(p, 1);
        place_stat(p, &stat);
        ck_assert_uint_le(stat.used_bytes, 1);
        place_destroy(&p);
    }
}
END_TEST

/* A tier of what was used once, long ago, and of what is used again and again;
 * who decides changes, and the tier gets smaller: the former leaves. */
START_TEST(test_shrunk_after_a_switch)
{
    enum { ONCE = 400, OFTEN = 150, ROUNDS = 10, ALL = ONCE + OFTEN };
    static struct place_link links[ALL];
    static struct place_trait traits[ALL];
    struct place_cache cache;
    struct place_model model;
    uint32_t now = 0, stayed = 0;
    memset(traits, 0, sizeof traits);
    place_model_init(&model, 1);
    place_cache_init(&cache, ALL, links, traits, &place_experts[PLACE_S3FIFO]);
    for (uint32_t o = 0; o < ALL; o++) {
        place_link_init(&links[o]);
        traits[o].bytes = 1;
    }
    for (uint32_t i = 0; i < ONCE + OFTEN * ROUNDS; i++, now++) {
        uint32_t o = i < ONCE ? i : ONCE + i % OFTEN;
        (void)place_cache_access(&cache, o, now);
        place_trait_touch(&traits[o], now);
    }
    ck_assert_uint_eq(cache.used, ALL);
    cache.model = &model;
    place_cache_adopt(&cache, &place_experts[_i], NULL);
    cache.target = 0; /* ARC's, which has not missed what it evicted */
    /* As S3-FIFO has it; the adoption may have sorted them. */
    for (uint32_t o = 0; o < ALL; o++)
        place_push(&cache, o < ONCE ? PLACE_NEW : PLACE_MAIN, o);
    place_cache_resize(&cache, ALL / 2);
    for (uint32_t o = ONCE; o < ALL; o++)
        stayed += place_is_resident(&cache, o);
    ck_assert_msg(stayed > OFTEN * 9 / 10, "%s: %u of %u stayed",
                  place_experts[_i].name, stayed, OFTEN);
}
END_TEST

/* As often used, but a hit of the odd ones saves 64 times as much: more of them
 * stay, and in all more is saved than where all seem the same. */
START_TEST(test_saves)
{
    double saved[2] = {0, 0};
    for (int told = 0; told < 2; told++) {
        uint64_t out = 0, dear = 0, cheap = 0;
        struct place *p = engine(400, true, &out);
        state = 7;
        for (uint32_t i = 0; i < 300000; i++) {
            uint32_t o = below(1 + below(3000));
            struct place_request request = {o, 1, o};
            request.saves_ns = told ? (o % 2 ? 64000 : 1000) : 0;
            bool hit = place_access(p, &request) == 1;
            dear += i > 100000 && hit && o % 2;
            cheap += i > 100000 && hit && o % 2 == 0;
        }
        saved[told] = (double)dear * 64 + (double)cheap;
        if (told)
            ck_assert_uint_gt(dear, cheap * 5 / 4);
        struct place_view view;
        place_view(p, 1, &view);
        ck_assert_double_eq_tol(view.saves, told ? 64000 : 1,
                                told ? 6000 : 1e-9);
        place_destroy(&p);
    }
    ck_assert_double_gt(saved[1], saved[0] * 1.1);
}
END_TEST

/* Moves that cost as much as three hits save: what is used once stays outside,
 * what is used often comes in; all in all it costs less than to move all. */
START_TEST(test_moves)
{
    double cost[2];
    for (int priced = 0; priced < 2; priced++) {
        struct place_options options = {.capacity_bytes = 300,
                                        .learning = true,
                                        .move_ns = priced ? 3000 : 0};
        struct place *p = place_create(&options);
        struct place_stat stat;
        ck_assert_ptr_nonnull(p);
        state = 7;
        for (uint32_t i = 0; i < 200000; i++) {
            uint32_t o = i % 3 ? below(200) : 1000 + i;
            struct place_request request = {o, 1, o, .saves_ns = 1000};
            ck_assert_int_ge(place_access(p, &request), 0);
        }
        place_stat(p, &stat);
        cost[priced] =
            (double)stat.misses * 1000 + (double)stat.admissions * 3000;
        uint32_t held = 0;
        for (uint32_t o = 0; o < 200; o++)
            held += place_holds(p, o);
        ck_assert_uint_gt(held, 150);
        if (priced)
            ck_assert_uint_lt(stat.admissions, 200000 / 3 / 4);
        else
            ck_assert_uint_gt(stat.admissions, 200000 / 3);
        place_destroy(&p);
    }
    ck_assert_double_lt(cost[1], cost[0] * 0.5);
}
END_TEST

/* Skewed, with ones that never come again: S3-FIFO that keeps nine tenths for
 * those is found out, and gets a smaller window. */
static void search_scene(struct place_shadow *s, uint64_t requests)
{
    static struct place_trait traits[400000];
    static struct place_model model;
    memset(traits, 0, sizeof traits);
    place_model_init(&model, 1);
    for (uint32_t o = 0; o < 400000; o++)
        traits[o].bytes = 1;
    ck_assert_int_eq(place_shadow_init(s, 500, 0, 3, &model), 0);
    ck_assert_int_eq(place_shadow_search(s), 0);
    s->caches[PLACE_S3FIFO].setting.window = 90;
    state = 9;
    for (uint32_t i = 0, fresh = 3000; i < requests; i++) {
        uint32_t o = i % 2 ? below(1 + below(2000)) : fresh++;
        if (place_shadow_takes(s, o))
            place_shadow_access(s, o, &traits[o], i);
        place_trait_touch(&traits[o], i);
    }
}

START_TEST(test_search)
{
    struct place_shadow s, again;
    search_scene(&s, 300000);
    ck_assert_uint_lt(s.caches[PLACE_S3FIFO].setting.window, 90);
    ck_assert_uint_gt(s.search->adopted, 0);
    ck_assert_uint_gt(s.search->tried, s.search->adopted);
    ck_assert_double_gt(s.search->last_gain, 0.01);
    ck_assert_uint_eq(s.settings, s.search->adopted);
    for (int e = 0; e < PLACE_EXPERTS; e++)
        check_lists(&s.caches[e]);
    for (int i = 0; i < SEARCH_TRIALS; i++)
        if (s.search->trials[i].running)
            check_lists(&s.search->trials[i].cache);
    search_scene(&again, 300000);
    ck_assert_uint_eq(again.search->adopted, s.search->adopted);
    ck_assert_uint_eq(again.search->tried, s.search->tried);
    for (int e = 0; e < PLACE_EXPERTS; e++)
        ck_assert_double_eq(again.misses[e], s.misses[e]);
    place_shadow_distrust(&s);
    ck_assert_uint_eq(s.caches[PLACE_S3FIFO].setting.window, 10);
    place_shadow_fini(&s);
    place_shadow_fini(&again);
}
END_TEST

/* Two readings a batch: where the time in batches is half of all, of which a
 * fourth is that of trials, these rest most of the time. */
static int64_t clock_ns, clock_step[2];
static unsigned clock_reads;
static int64_t read_clock(void)
{
    return clock_ns += clock_step[clock_reads++ % 2];
}

START_TEST(test_budget)
{
    uint64_t tried[2];
    for (int ample = 0; ample < 2; ample++) {
        struct place_options options = {.capacity_bytes = 100,
                                        .learning = true,
                                        .now_ns = read_clock};
        clock_reads = 0;
        clock_step[0] = 1000;                    /* in a batch */
        clock_step[1] = ample ? 1000000 : 1000; /* between two */
        struct place *p = place_create(&options);
        struct place_stat stat;
        ck_assert_ptr_nonnull(p);
        state = 9;
        for (uint32_t i = 0; i < 300000; i++)
            ask(p, below(1 + below(2000)));
        place_stat(p, &stat);
        tried[ample] = stat.trials;
        place_destroy(&p);
    }
    ck_assert_uint_gt(tried[0], 0);
    ck_assert_uint_gt(tried[1], 4 * tried[0]);
}
END_TEST

static uint32_t held_of(const struct place *p, uint32_t from, uint32_t to)
{
    uint32_t n = 0;
    for (uint32_t o = from; o < to; o++)
        n += place_holds(p, o);
    return n;
}

/* What its owner says of new ones: of those used once, the frequent ones stay
 * through a scan, the rare ones leave first. */
START_TEST(test_prior)
{
    uint64_t out = 0;
    struct place *p = engine(100, false, &out);
    for (uint32_t o = 0; o < 30; o++) {
        ask(p, o);
        place_prior(p, o, 1);
    }
    for (uint32_t o = 100; o < 700; o++)
        ask(p, o);
    ck_assert_uint_eq(held_of(p, 0, 30), 30);
    place_destroy(&p);
    p = engine(100, false, &out);
    for (uint32_t o = 0; o < 100; o++) {
        ask(p, o);
        if (o % 2)
            place_prior(p, o, -1);
    }
    for (uint32_t o = 100; o < 150; o++)
        ask(p, o);
    for (uint32_t o = 0; o < 100; o++)
        ck_assert_int_eq(place_holds(p, o), o % 2 == 0);
    place_destroy(&p);
}
END_TEST

/* Pinned ones stay whatever comes, and take of the room; what may leave again
 * is where it was. */
START_TEST(test_pins)
{
    uint64_t out = 0;
    struct place *p = engine(100, true, &out);
    struct place_stat stat;
    for (uint32_t o = 0; o < 60; o++) {
        struct place_request request = {o, 1, o, true};
        ck_assert_int_eq(place_access(p, &request), 0);
    }
    for (uint32_t i = 0; i < 3000; i++)
        ask(p, 100 + i % 400);
    place_stat(p, &stat);
    ck_assert_uint_eq(stat.pinned_bytes, 60);
    ck_assert_uint_eq(stat.used_bytes, 100);
    ck_assert_uint_eq(held_of(p, 0, 60), 60);
    ck_assert_uint_eq(held_of(p, 100, 500), 40);
    /* More than there is room for: nothing else is left. */
    for (uint32_t o = 60; o < 120; o++) {
        struct place_request request = {o, 1, o, true};
        ck_assert_int_ge(place_access(p, &request), 0);
    }
    place_stat(p, &stat);
    ck_assert_uint_eq(stat.pinned_bytes, 120);
    ck_assert_uint_le(held_of(p, 120, 500), 1);
    for (uint32_t o = 0; o < 120; o++)
        ck_assert(place_unpin(p, o));
    ck_assert(!place_unpin(p, 0));
    place_stat(p, &stat);
    ck_assert_uint_eq(stat.pinned_bytes, 0);
    ck_assert_uint_le(stat.used_bytes, 100);
    ck_assert_uint_ge(held_of(p, 0, 120), 99);
    place_destroy(&p);
}
END_TEST

/* Plain LRU where it is asked for, and only where nothing is learned. */
START_TEST(test_plain_lru)
{
    struct place_options options = {.capacity_bytes = 10, .lru = true};
    struct place *p = place_create(&options);
    struct place_stat stat;
    ck_assert_ptr_nonnull(p);
    for (uint32_t o = 0; o < 11; o++)
        ask(p, o);
    ck_assert(!place_holds(p, 0));
    ask(p, 1);
    ask(p, 0);
    ck_assert(place_holds(p, 1));
    ck_assert(!place_holds(p, 2));
    place_stat(p, &stat);
    ck_assert_str_eq(stat.expert, "lru");
    place_destroy(&p);
}
END_TEST

/* Numbers of hashes, against an array; freed ones are given out again. */
START_TEST(test_map)
{
    static uint32_t numbers[5000];
    struct place_map map;
    uint32_t held = 0;
    place_map_init(&map);
    ck_assert_uint_eq(place_map_find(&map, 1), PLACE_NONE);
    memset(numbers, 0xff, sizeof numbers);
    for (uint32_t i = 0; i < 100000; i++) {
        uint32_t k = below(5000);
        uint64_t hash = place_mix(k % 100 == 0 ? k << 20 : k);
        uint32_t n = place_map_find(&map, hash);
        if (numbers[k] == UINT32_MAX) {
            ck_assert_uint_eq(n, PLACE_NONE);
            numbers[k] = place_map_add(&map, hash);
            ck_assert_uint_lt(numbers[k], 5000);
            ck_assert(place_map_has(&map, numbers[k]));
            held++;
        } else {
            ck_assert_uint_eq(n, numbers[k]);
            ck_assert_uint_eq(map.entries[n].hash, hash);
            if (i % 2) {
                place_map_remove(&map, n);
                ck_assert(!place_map_has(&map, n));
                numbers[k] = UINT32_MAX;
                held--;
            }
        }
        ck_assert_uint_eq(map.used, held);
    }
    ck_assert_uint_le(place_map_bytes(&map), 5000 * 48);
    place_map_fini(&map);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("place");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_test(all, test_saves);
    tcase_add_test(all, test_moves);
    tcase_add_test(all, test_search);
    tcase_add_test(all, test_budget);
    tcase_add_test(all, test_experts);
    tcase_add_test(all, test_lru);
    tcase_add_test(all, test_owner);
    tcase_add_test(all, test_learns);
    tcase_add_test(all, test_model);
    tcase_add_test(all, test_deferred);
    tcase_add_test(all, test_state);
    tcase_add_test(all, test_sample);
    tcase_add_test(all, test_resize);
    tcase_add_loop_test(all, test_shrunk_after_a_switch, 0, PLACE_EXPERTS);
    tcase_add_test(all, test_plain_lru);
    tcase_add_test(all, test_prior);
    tcase_add_test(all, test_pins);
    tcase_add_test(all, test_map);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
