/* What the numbers of a record with a role in physics do to its place: mass
 * keeps it in memory, temperature and temporal weight keep it warm. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "move_scene.h"
#include "weight.h"

#include "weights.warp.h"

enum { BODY = 2 };

static void set_up(void)
{
    move_begin(&weights_warp_schema);
}

static struct warp_str body(void)
{
    fill(1, 1);
    return (struct warp_str){text, 800};
}

static void put_warm(uint64_t id, int16_t heat)
{
    struct wt_warm w = {.id = id, .heat = heat, .body = body()};
    ck_assert_int_eq(wt_warm_put(db, &w, WT_WARM_ALL), WARP_OK);
}

static void put_slow(uint64_t id, double half)
{
    struct wt_slow w = {.id = id, .half = half, .body = body()};
    ck_assert_int_eq(wt_slow_put(db, &w, WT_SLOW_ALL), WARP_OK);
}

/* A use brings the body into memory. */
static void use_warm(uint64_t id, int times)
{
    struct wt_warm w;
    struct warp_arena arena = WARP_ARENA_INIT;
    while (times-- > 0)
        ck_assert_int_eq(wt_warm_get(db, id, WT_WARM_BODY, &w, &arena),
                         WARP_OK);
    warp_arena_free(&arena);
}

static void use_slow(uint64_t id, int times)
{
    struct wt_slow w;
    struct warp_arena arena = WARP_ARENA_INIT;
    while (times-- > 0)
        ck_assert_int_eq(wt_slow_get(db, id, WT_SLOW_BODY, &w, &arena),
                         WARP_OK);
    warp_arena_free(&arena);
}

static void next_hour(void)
{
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    atomic_fetch_add(&clock_ms, HOUR);
    run_steps();
}

static bool is_warm(uint64_t id)
{
    return resident(&wt_warm_warp_product, id, BODY);
}

static bool is_slow(uint64_t id)
{
    return resident(&wt_slow_warp_product, id, BODY);
}

/* ---- temperature ---- */

START_TEST(temperature_counts_beside_the_uses)
{
    put_warm(1, 3);  /* warm enough without a use */
    put_warm(2, -2);
    put_warm(3, 0);
    put_warm(4, 0);
    put_warm(5, 2);
    next_hour(); /* the writes were uses: now they are past */
    use_warm(2, 4);
    use_warm(3, 4);
    use_warm(4, 2);
    use_warm(5, 1);
    next_hour();
    ck_assert(is_warm(1));
    ck_assert(!is_warm(2));
    ck_assert(is_warm(3));
    ck_assert(!is_warm(4));
    ck_assert(is_warm(5));
    struct text t = TEXT_INIT;
    explain(5, BODY, &t);
    ck_assert_msg(strstr(t.data, "\"physics\":{\"temperature_uses\":2}"), "%s",
                  t.data);
    text_free(&t);
    /* It cools down. */
    ck_assert_int_eq(wt_warm_set_heat(db, 1, -9), WARP_OK);
    use_warm(1, 9);
    next_hour();
    ck_assert(!is_warm(1));
}
END_TEST

START_TEST(temperature_keeps_a_value_on_the_ssd)
{
    for (uint64_t id = 0; id < 20; id++)
        put_warm(id, id < 10 ? 3 : 0);
    for (int day = 0; day < 3; day++) {
        ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
        atomic_fetch_add(&clock_ms, DAY);
        run_steps();
    }
    for (uint64_t id = 0; id < 20; id++) {
        struct text t = TEXT_INIT;
        explain(id, BODY, &t);
        bool on_disk = strstr(t.data, "\"disk\"") != NULL &&
                       strstr(t.data, "\"last_move\":{\"to\":\"disk\"");
        ck_assert_msg(on_disk == (id >= 10), "%u: %s", (unsigned)id, t.data);
        text_free(&t);
    }
}
END_TEST

/* ---- temporal weight ---- */

/* Eight uses in one hour, then none: they are worth 8, and each hour later
 * 2^(-1/T) of that. */
START_TEST(temporal_weight_is_the_half_life_of_uses)
{
    static const struct {
        double half;
        int hours; /* with three or more left */
    } rows[] = {{0, 1}, {-1, 1}, {1, 2}, {2, 3}, {4, 6}};
    enum { ROWS = sizeof rows / sizeof rows[0] };
    for (uint64_t id = 0; id < ROWS; id++)
        put_slow(id, rows[id].half);
    for (int n = 0; n < 12; n++)
        next_hour(); /* nothing is left of the writes */
    for (uint64_t id = 0; id < ROWS; id++) {
        ck_assert(!is_slow(id));
        use_slow(id, 8);
        ck_assert(is_slow(id));
    }
    for (int hour = 1; hour <= 7; hour++) {
        next_hour();
        for (uint64_t id = 0; id < ROWS; id++)
            ck_assert_msg(is_slow(id) == (hour <= rows[id].hours),
                          "half-life %g after %d h", rows[id].half, hour);
    }
}
END_TEST

START_TEST(what_is_carried_outlives_a_restart)
{
    put_slow(1, 8);
    put_slow(2, 0);
    use_slow(1, 50);
    use_slow(2, 50);
    next_hour(); /* 51 uses, of which 46 are carried on */
    close_it();
    must_be_sound();
    open_it();
    use_slow(1, 1);
    use_slow(2, 1);
    next_hour();
    ck_assert(is_slow(1));
    ck_assert(!is_slow(2));
}
END_TEST

/* ---- mass ---- */

/* Bytes leave memory, from all shards alike. */
static void evict(uint64_t bytes)
{
    for (uint32_t i = 0; i < db->shard_count; i++) {
        struct shard *s = &db->shards[i];
        os_lock(&s->lock);
        (void)shard_evict(s, NULL, WARP_PRIORITY_CRITICAL,
                          bytes / db->shard_count);
        os_unlock(&s->lock);
    }
}

START_TEST(the_heavy_stay_longer)
{
    static const float masses[] = {0.25f, 1, 4, 64};
    enum { EACH = 600, ALL = 4 * EACH, FEW = EACH / 20 };
    for (uint64_t id = 0; id < ALL; id++) {
        struct wt_heavy h = {.id = id, .mass = masses[id % 4], .body = body()};
        ck_assert_int_eq(wt_heavy_put(db, &h, WT_HEAVY_ALL), WARP_OK);
    }
    for (int n = 0; n < 2; n++)
        ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    /* All were used alike. Each time that memory is asked for, the lightest go
     * and the others stay; a few share their marks with others. */
    for (uint32_t step = 0; step < 4; step++) {
        uint32_t left[4] = {0};
        for (uint64_t id = 0; id < ALL; id++)
            left[id % 4] += resident(&wt_heavy_warp_product, id, 56);
        for (uint32_t i = 0; i < 4; i++)
            ck_assert_msg(i < step ? left[i] <= FEW : left[i] >= EACH - FEW,
                          "step %u: %u of mass %g are left", step, left[i],
                          (double)masses[i]);
        evict(EACH / 2 * 1000);
    }
    /* A weight is no pin: all goes when all must go. */
    evict(UINT32_MAX);
    for (uint64_t id = 0; id < ALL; id++)
        ck_assert(!resident(&wt_heavy_warp_product, id, 56));
    struct wt_heavy h;
    ck_assert_int_eq(wt_heavy_get(db, 3, WT_HEAVY_MASS, &h, NULL), WARP_OK);
    ck_assert(h.mass == 64);
}
END_TEST

/* Every type that a number may have. */
START_TEST(numbers_are_read_in_their_type)
{
    static const struct {
        const struct warp_type *type;
        uint64_t bits;
        double value;
    } rows[] = {
        {&warp_type_u8, 0xff, 255},
        {&warp_type_u16, 0xffff, 65535},
        {&warp_type_u32, 0xffffffff, 4294967295.0},
        {&warp_type_u64, UINT64_MAX, 18446744073709551616.0},
        {&warp_type_i8, 0xff, -1},
        {&warp_type_i16, 0x8000, -32768},
        {&warp_type_i32, 0xfffffffe, -2},
        {&warp_type_i64, UINT64_MAX, -1},
        {&warp_type_f32, 0x40200000, 2.5},
        {&warp_type_f64, UINT64_C(0x4004000000000000), 2.5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert(weight_number(rows[i].type, &rows[i].bits) == rows[i].value);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_weight");
    TCase *tc = tcase_create("weights");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, move_end);
    tcase_add_test(tc, temperature_counts_beside_the_uses);
    tcase_add_test(tc, temperature_keeps_a_value_on_the_ssd);
    tcase_add_test(tc, temporal_weight_is_the_half_life_of_uses);
    tcase_add_test(tc, what_is_carried_outlives_a_restart);
    tcase_add_test(tc, the_heavy_stay_longer);
    tcase_add_test(tc, numbers_are_read_in_their_type);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
