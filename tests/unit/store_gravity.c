/* Records that are drawn to another shard: by the mass of their partners, by
 * where they are, by a hint, and off a shard that has too much to do; and what
 * that is good for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gravity_scene.h"

/* The keeper needs a while for what was noted. */
static bool soon(bool (*is)(void), void (*use)(void))
{
    for (int64_t end = os_mono_ns() + INT64_C(60000000000);
         os_mono_ns() < end;) {
        if (is())
            return true;
        use();
    }
    return is();
}

/* ---- partners ---- */

static int64_t added;

static void use_teams(void)
{
    for (int i = 0; i < TEAMS; i++) {
        /* In no order: else the next team's would seem to belong to it. */
        uint64_t t = (uint64_t)rand() % TEAMS;
        struct warp_batch *batch;
        ck_assert_int_eq(warp_batch_begin(db, &batch), WARP_OK);
        for (uint64_t m = 0; m < MEMBERS; m++)
            ck_assert_int_eq(gr_star_add_gold_in(batch, star(t, m), 1),
                             WARP_OK);
        added += MEMBERS;
        ck_assert_int_eq(warp_batch_commit(&batch), WARP_OK);
    }
}

static bool teams_are_together(void)
{
    for (uint64_t i = 0; i < TEAMS * MEMBERS; i++)
        if (shard_of(STAR, i) !=
            home_of(STAR, star(i / MEMBERS, 3)))
            return false;
    return true;
}

/* Of this thread's processor alone: others may be busy with anything. */
static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double batches_a_second(uint64_t *split)
{
    enum { ROUNDS = 100 };
    uint64_t before = stat_now().split_batches;
    double begun = processor_seconds();
    for (int i = 0; i < ROUNDS; i++)
        use_teams();
    double seconds = processor_seconds() - begun;
    *split = stat_now().split_batches - before;
    return ROUNDS * TEAMS / seconds;
}

/* What explain tells of stars that are away; of one of them at least, why. */
static void expect_explained(const char *why)
{
    struct text t = TEXT_INIT;
    char is[128];
    bool told = false;
    for (uint64_t id = 0; id < TEAMS * MEMBERS; id++) {
        if (shard_of(STAR, id) == home_of(STAR, id))
            continue;
        explain(id, 3, &t);
        snprintf(is, sizeof is, "\"shard\":{\"now\":%u,\"home\":%u,",
                 shard_of(STAR, id), home_of(STAR, id));
        ck_assert_msg(strstr(t.data, is) != NULL, "%s", t.data);
        told = told || strstr(t.data, why) != NULL;
    }
    ck_assert_msg(told, "%s", t.data);
    text_free(&t);
}

START_TEST(light_ones_follow_the_heavy_one_of_their_group)
{
    uint64_t split_then = 0, split_now = 0;
    put_stars();
    hold_still(); /* as it is without */
    double then = batches_a_second(&split_then);
    move_again();
    ck_assert(soon(teams_are_together, use_teams));
    double now = batches_a_second(&split_now);
    printf("batches of %d, of a processor's second: %.0f over shards, %llu "
           "split; %.0f drawn together, %llu split\n",
           MEMBERS, then, (unsigned long long)split_then, now,
           (unsigned long long)split_now);
    /* By chance a team of six has one shard of twelve once in 248832. */
    ck_assert_uint_gt(split_then, TEAMS * 95);
    /* None, unless a shard has too much to do and gives some away. */
    ck_assert_uint_lt(split_now, split_then / 2);
    ck_assert_uint_gt(stat_now().shard_moves, TEAMS * MEMBERS / 2);
    ck_assert_uint_gt(stat_now().records_away, TEAMS * MEMBERS / 2);
    expect_stars(added);
    expect_explained("\"why\":\"partners that are heavier are there\"");
    struct gr_star s;
    ck_assert_int_eq(gr_star_get(db, 5, GR_STAR_SEEN, &s, NULL), WARP_OK);
    ck_assert_uint_eq(s.seen, 5); /* of memory alone, and came along */
}
END_TEST

START_TEST(they_are_there_after_a_restart_too)
{
    uint64_t split;
    put_stars();
    ck_assert(soon(teams_are_together, use_teams));
    hold_still();
    uint32_t shards[TEAMS * MEMBERS];
    for (uint64_t i = 0; i < TEAMS * MEMBERS; i++)
        shards[i] = shard_of(STAR, i);
    for (int i = 0; i < 3; i++) {
        if (i == 1)
            ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
        reopen();
        for (uint64_t k = 0; k < TEAMS * MEMBERS; k++)
            ck_assert_uint_eq(shard_of(STAR, k), shards[k]);
        expect_stars(added);
        (void)batches_a_second(&split);
        ck_assert_uint_lt(split, 100 * TEAMS / 2);
        expect_stars(added);
    }
    /* Who is deleted and comes again begins at home. */
    uint64_t id = 0;
    while (shard_of(STAR, id) == home_of(STAR, id))
        id++;
    uint64_t version, later;
    struct gr_star s = {.id = id, .team = 1000, .mass = 1};
    ck_assert_int_eq(gr_star_version(db, id, &version), WARP_OK);
    ck_assert_int_eq(gr_star_delete(db, id), WARP_OK);
    ck_assert_int_eq(gr_star_get(db, id, 0, &s, NULL), WARP_ENOTFOUND);
    ck_assert_uint_eq(shard_of(STAR, id), home_of(STAR, id));
    s = (struct gr_star){.id = id, .team = 1000, .mass = 1};
    ck_assert_int_eq(gr_star_put(db, &s, GR_STAR_TEAM | GR_STAR_MASS),
                     WARP_OK);
    ck_assert_int_eq(gr_star_version(db, id, &later), WARP_OK);
    ck_assert_uint_ne(version, later);
    reopen();
    ck_assert_int_eq(gr_star_version(db, id, &version), WARP_OK);
    ck_assert_uint_eq(version, later);
    close_it();
    must_be_sound();
    open_it();
}
END_TEST

/* So much else that no shard has too much to do and gives some away. */
static void use_pairs(void)
{
    for (int i = 0; i < 3000; i++)
        ck_assert_int_eq(
            gr_spot_set_uses(db, (uint64_t)rand() % 5000, i), WARP_OK);
    for (int i = 0; i < 30; i++) {
        uint64_t p = (uint64_t)rand() % 30;
        struct warp_batch *batch;
        ck_assert_int_eq(warp_batch_begin(db, &batch), WARP_OK);
        for (uint64_t m = 0; m < 2; m++)
            ck_assert_int_eq(gr_dust_add_uses_in(batch, p * 2 + m, 1),
                             WARP_OK);
        ck_assert_int_eq(warp_batch_commit(&batch), WARP_OK);
    }
}

static bool most_pairs_are_together(void)
{
    int together = 0;
    for (uint64_t p = 0; p < 30; p++)
        together += shard_of(DUST, p * 2) ==
                    shard_of(DUST, p * 2 + 1);
    return together >= 25;
}

START_TEST(who_is_written_together_is_learned)
{
    for (uint64_t i = 0; i < 60; i++) {
        struct gr_dust d = {.id = i, .mass = i % 2 ? 8 : 1};
        ck_assert_int_eq(gr_dust_put(db, &d, GR_DUST_MASS), WARP_OK);
    }
    ck_assert(!most_pairs_are_together());
    ck_assert(soon(most_pairs_are_together, use_pairs));
    for (uint64_t i = 1; i < 60; i += 2) /* the heavy ones stayed */
        ck_assert_uint_eq(shard_of(DUST, i), home_of(DUST, i));
}
END_TEST

/* ---- places ---- */

static float place(uint64_t id, float far)
{
    return (id % 2 ? far : -far) + (float)(id % 7) / 10;
}

/* Among so much else that no shard has too much to do. */
static void use_spots(void)
{
    for (uint64_t i = 0; i < 200; i++)
        ck_assert_int_eq(gr_spot_add_uses(db, i, 1, NULL), WARP_OK);
    for (int i = 0; i < 3000; i++)
        ck_assert_int_eq(
            gr_dust_set_uses(db, (uint64_t)rand() % 5000, i), WARP_OK);
}

/* Two crowds: nearly all of each are in two neighbouring shards. */
static bool crowds_are_apart(void)
{
    for (uint64_t side = 0; side < 2; side++) {
        uint32_t count[12] = {0}, most = 0;
        for (uint64_t i = side; i < 200; i += 2)
            count[shard_of(SPOT, i)]++;
        for (uint32_t s = 0; s < 12; s++)
            most = count[s] + count[(s + 1) % 12] > most
                       ? count[s] + count[(s + 1) % 12]
                       : most;
        if (most < 90)
            return false;
    }
    return true;
}

START_TEST(who_is_near_is_in_one_shard)
{
    for (uint64_t i = 0; i < 200; i++) {
        struct gr_spot s = {.id = i, .x = place(i, 500), .y = place(i, 300)};
        ck_assert_int_eq(gr_spot_put(db, &s, GR_SPOT_X | GR_SPOT_Y), WARP_OK);
    }
    ck_assert(!crowds_are_apart());
    ck_assert(soon(crowds_are_apart, use_spots));
}
END_TEST

static void use_nothing(void)
{
    usleep(1000);
}

static bool posts_are_there(void)
{
    for (uint64_t i = 0; i < 60; i++)
        if (shard_of(POST, i) != (uint32_t)(i % 5) ||
            shard_of(DEPTH, i) != (uint32_t)(11 - i % 5))
            return false;
    return true;
}

static bool towns_are_there(void)
{
    for (uint64_t i = 0; i < 60; i++)
        if (shard_of(TOWN, i) != shard_of(TOWN, i % 3))
            return false;
    return true;
}

static bool post_is_in_nine(void)
{
    return shard_of(POST, 2) == 9;
}

START_TEST(a_hint_names_the_shard)
{
    static const char *const lands[] = {"north", "south", "sea"};
    for (uint64_t i = 0; i < 60; i++) {
        struct gr_post p = {.id = i, .shard = (uint32_t)(i % 5)};
        struct gr_town t = {.id = i, .land = warp_str(lands[i % 3])};
        p.name = warp_str(i % 2 ? "odd" : "even");
        fill(i, 1);
        t.body = (struct warp_str){text, body_bytes(i)};
        ck_assert_int_eq(gr_post_put(db, &p, GR_POST_ALL), WARP_OK);
        ck_assert_int_eq(gr_depth_set_metres(db, i, (int16_t)(-1 - (int)i % 5)),
                         WARP_OK);
        ck_assert_int_eq(gr_town_put(db, &t, GR_TOWN_ALL), WARP_OK);
    }
    ck_assert(soon(posts_are_there, use_nothing));
    /* A value that the ssd does not have yet waits for a checkpoint. */
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert(soon(towns_are_there, use_nothing));
    ck_assert_int_eq(gr_post_set_shard(db, 2, 9), WARP_OK);
    ck_assert(soon(post_is_in_nine, use_nothing));
    reopen();
    ck_assert(towns_are_there() && post_is_in_nine());
    uint32_t odd = 0;
    struct warp_iter *it;
    struct gr_post p;
    ck_assert_int_eq(gr_post_by_name(db, warp_str("odd"), GR_POST_SHARD, &it),
                     WARP_OK);
    while (gr_post_next(it, &p, &arena) == WARP_OK)
        odd += p.id % 2 == 1;
    warp_iter_close(&it);
    ck_assert_uint_eq(odd, 30);
    for (uint64_t i = 0; i < 60; i++) {
        struct gr_town t;
        fill(i, 1);
        ck_assert_int_eq(gr_town_get(db, i, GR_TOWN_ALL, &t, &arena), WARP_OK);
        ck_assert_uint_eq(t.body.len, body_bytes(i));
        ck_assert_mem_eq(t.body.data, text, t.body.len);
        warp_arena_reset(&arena);
        if (i % 4 == 0)
            ck_assert_int_eq(gr_town_delete(db, i), WARP_OK);
    }
    close_it();
    must_be_sound();
    open_it();
    ck_assert_uint_eq(stat_now().records, 60 + 60 + 45);
}
END_TEST

/* ---- too much for one ---- */

static uint64_t crowded[64];

static void use_crowded(void)
{
    for (int i = 0; i < 2000; i++)
        ck_assert_int_eq(
            gr_dust_add_uses(db, crowded[rand() % 64], 1, NULL), WARP_OK);
}

static bool is_uneven(void)
{
    return stat_now().shards_entropy_permille < 900;
}

static bool is_even(void)
{
    return stat_now().shards_entropy_permille >= 950;
}

START_TEST(a_shard_with_too_much_to_do_gives_some_away)
{
    uint64_t id = 0;
    for (int i = 0; i < 64; id++)
        if (home_of(DUST, id) == 7) {
            struct gr_dust d = {.id = id, .mass = 1};
            ck_assert_int_eq(gr_dust_put(db, &d, GR_DUST_MASS), WARP_OK);
            crowded[i++] = id;
        }
    ck_assert(soon(is_uneven, use_crowded));
    printf("entropy %.3f", (double)stat_now().shards_entropy_permille / 1000);
    ck_assert(soon(is_even, use_crowded));
    printf(" became %.3f with %llu moves\n",
           (double)stat_now().shards_entropy_permille / 1000,
           (unsigned long long)stat_now().shard_moves);
    /* Each moved once, and stays where it is: nothing goes to and fro. */
    ck_assert_uint_le(stat_now().shard_moves, 64);
    uint64_t moves = stat_now().shard_moves;
    for (int i = 0; i < 50; i++)
        use_crowded();
    ck_assert(is_even());
    ck_assert_uint_le(stat_now().shard_moves, moves + 6);
}
END_TEST

/* ---- what it costs who does not use it ---- */

START_TEST(what_is_not_drawn_is_as_it_was)
{
    for (uint64_t i = 0; i < 1000; i++)
        ck_assert_int_eq(gr_stone_set_gold(db, i, 7), WARP_OK);
    /* Nothing of it: it has no word for marks of what is in memory alone. */
    struct gr_stone none = {.id = 1};
    ck_assert_int_eq(gr_stone_put(db, &none, 0), WARP_OK);
    const struct layout *l = db_layout(db, STONE);
    ck_assert(!l->roams && !l->drawn);
    ck_assert_uint_eq(l->origin, UINT32_MAX);
    ck_assert_uint_eq(stat_now().shard_moves, 0);
    for (uint64_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(shard_of(STONE, i), home_of(STONE, i));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_gravity");
    TCase *tcase = tcase_create("gravity");
    tcase_add_checked_fixture(tcase, gravity_begin, gravity_end);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, light_ones_follow_the_heavy_one_of_their_group);
    tcase_add_test(tcase, they_are_there_after_a_restart_too);
    tcase_add_test(tcase, who_is_written_together_is_learned);
    tcase_add_test(tcase, who_is_near_is_in_one_shard);
    tcase_add_test(tcase, a_hint_names_the_shard);
    tcase_add_test(tcase, a_shard_with_too_much_to_do_gives_some_away);
    tcase_add_test(tcase, what_is_not_drawn_is_as_it_was);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
