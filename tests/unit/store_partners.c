/* Records that belong together: by the group that the schema declares, by being
 * used together; how they are weighed; and that they come into memory ahead of
 * their use, within a budget, as long as it is of use. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "move_scene.h"

#include "partners.warp.h"

static struct warp_arena arena = WARP_ARENA_INIT;

static void set_up(void)
{
    move_reads_max = 0;
    move_begin(&partners_warp_schema);
}

static void tear_down(void)
{
    warp_arena_free(&arena);
    move_end();
}

static void put_paper(uint64_t id, uint32_t team)
{
    struct pt_paper p = {.id = id, .team = team};
    fill(id, 1);
    p.body = (struct warp_str){text, 200};
    int rc = pt_paper_put(db, &p, PT_PAPER_TEAM | PT_PAPER_BODY);
    ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(db));
}

/* Partners as "7 9": keys in order of their weight; weights sum to 1. */
static const char *partners_of(uint64_t id, struct warp_partners *out)
{
    static char said[512];
    struct pt_paper p;
    double sum = 0;
    warp_arena_reset(&arena);
    int rc = pt_paper_get_with_partners(db, id, PT_PAPER_TEAM, &p, out, &arena);
    ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(db));
    ck_assert_uint_eq(p.id, id);
    said[0] = 0;
    for (size_t i = 0; i < out->count; i++) {
        const uint64_t *keys = out->keys;
        size_t at = strlen(said);
        snprintf(said + at, sizeof said - at, i ? " %u" : "%u",
                 (unsigned)keys[i]);
        sum += (double)out->bonds[i].weight;
        if (i > 0)
            ck_assert(out->bonds[i].weight <= out->bonds[i - 1].weight);
    }
    if (out->count > 0)
        ck_assert_msg(fabs(sum - 1) < 1e-5, "%f", sum);
    return said;
}

/* ---- declared ---- */

START_TEST(who_shares_the_group_is_a_partner)
{
    struct warp_partners out;
    for (uint64_t id = 1; id <= 12; id++)
        put_paper(id, (uint32_t)(id % 3));
    ck_assert_str_eq(partners_of(4, &out), "1 7 10");
    for (size_t i = 0; i < out.count; i++) {
        ck_assert(out.bonds[i].declared);
        ck_assert(out.bonds[i].learned == 0);
        ck_assert(fabs((double)out.bonds[i].weight - 1.0 / 3) < 1e-5);
    }
    /* Who changes the group, and who is gone, is none any more. */
    ck_assert_int_eq(pt_paper_set_team(db, 7, 2), WARP_OK);
    ck_assert_int_eq(pt_paper_delete(db, 10), WARP_OK);
    ck_assert_str_eq(partners_of(4, &out), "1");
    ck_assert_str_eq(partners_of(7, &out), "2 5 8 11");
    close_it();
    must_be_sound();
    open_it();
    ck_assert_str_eq(partners_of(7, &out), "2 5 8 11");
    struct pt_paper alone = {.id = 99};
    ck_assert_int_eq(pt_paper_put(db, &alone, PT_PAPER_PULL), WARP_OK);
    ck_assert_str_eq(partners_of(99, &out), "");
    struct pt_paper p;
    ck_assert_int_eq(pt_paper_get_with_partners(db, 98, PT_PAPER_TEAM, &p,
                                                &out, &arena),
                     WARP_ENOTFOUND);
    ck_assert_int_eq(pt_paper_get_with_partners(db, 99, PT_PAPER_TEAM, &p,
                                                &out, NULL),
                     WARP_EINVAL);
}
END_TEST

START_TEST(at_most_32_partners_are_told)
{
    struct warp_partners out;
    for (uint64_t id = 1; id <= 100; id++)
        put_paper(id, 5);
    partners_of(50, &out);
    ck_assert_uint_eq(out.count, 32);
}
END_TEST

START_TEST(a_composite_key_is_told_in_its_c_form)
{
    struct warp_partners out;
    for (uint16_t x = 0; x < 3; x++)
        for (uint16_t y = 0; y < 2; y++) {
            struct pt_desk d = {.x = x, .y = y,
                                .room = warp_str(y ? "north" : "south")};
            ck_assert_int_eq(pt_desk_put(db, &d, PT_DESK_ALL), WARP_OK);
        }
    struct pt_desk d;
    /* Used together, but nothing is to be learned. */
    for (int n = 0; n < 50; n++)
        for (uint16_t y = 0; y < 2; y++)
            ck_assert_int_eq(pt_desk_get(db, (struct pt_desk_key){0, y},
                                         PT_DESK_ALL, &d, &arena),
                             WARP_OK);
    ck_assert_int_eq(pt_desk_get_with_partners(
                         db, (struct pt_desk_key){0, 1}, PT_DESK_ALL, &d, &out,
                         &arena),
                     WARP_OK);
    ck_assert_uint_eq(out.count, 2);
    const struct pt_desk_key *keys = out.keys;
    ck_assert(keys[0].x == 1 && keys[0].y == 1);
    ck_assert(keys[1].x == 2 && keys[1].y == 1);
}
END_TEST

START_TEST(the_potential_is_the_weight_of_links)
{
    struct warp_partners out;
    for (uint64_t id = 1; id <= 4; id++)
        put_paper(id, 1);
    ck_assert_int_eq(pt_paper_set_pull(db, 3, 9), WARP_OK);
    ck_assert_int_eq(pt_paper_set_pull(db, 4, 0), WARP_OK);
    ck_assert_str_eq(partners_of(1, &out), "3 2 4");
    ck_assert(out.bonds[0].weight > 2 * out.bonds[1].weight);
    ck_assert(out.bonds[2].weight == 0);
}
END_TEST

START_TEST(the_strongest_of_a_large_group_are_told)
{
    struct warp_partners out;
    const uint64_t *keys;
    for (uint64_t id = 1; id <= 200; id++) {
        put_paper(id, 5);
        ck_assert_int_eq(
            pt_paper_set_pull(db, id, id > 190 ? 9 : id % 3 ? 1 : 2), WARP_OK);
    }
    partners_of(50, &out);
    ck_assert_uint_eq(out.count, 32);
    keys = out.keys;
    for (uint64_t i = 0; i < 32; i++)
        ck_assert_msg(i < 10 ? keys[i] > 190
                             : keys[i] % 3 == 0 && keys[i] <= 66,
                      "%llu: %llu", (unsigned long long)i,
                      (unsigned long long)keys[i]);
}
END_TEST

/* ---- learned ---- */

static void song(char name[16], unsigned n)
{
    snprintf(name, 16, "s%05u", n);
}

static void play(unsigned n)
{
    char name[16];
    struct pt_song s;
    song(name, n);
    ck_assert_int_eq(pt_song_get(db, warp_str(name), PT_SONG_PLAYS, &s, &arena),
                     WARP_OK);
}

static void put_songs(unsigned count)
{
    char name[16];
    for (unsigned n = 0; n < count; n++) {
        song(name, n);
        struct pt_song s = {.name = warp_str(name), .plays = n};
        ck_assert_int_eq(pt_song_put(db, &s, PT_SONG_PLAYS), WARP_OK);
    }
}

static unsigned number_of(struct warp_str name)
{
    unsigned n = 0;
    ck_assert_uint_eq(name.len, 6);
    for (uint32_t i = 1; i < name.len; i++)
        n = n * 10 + (unsigned)(name.data[i] - '0');
    return n;
}

enum { SONGS = 2000, PAIRS = 40, HIT = 1999 };

static void play_pairs(void)
{
    static unsigned seed = 1;
    for (int n = 0; n < 60000; n++) {
        seed = seed * 1103515245 + 12345;
        unsigned pick = seed >> 8 & 0xffff;
        if (n % 3 == 0) {
            play(2 * (pick % PAIRS));
            play(2 * (pick % PAIRS) + 1);
        } else {
            play(2 * PAIRS + pick % 1800);
        }
        if (n % 4 == 0)
            play(HIT);
        warp_arena_reset(&arena);
    }
}

static void count_partners(unsigned *told, unsigned *right)
{
    *told = *right = 0;
    for (unsigned n = 0; n < SONGS; n++) {
        char name[16];
        struct pt_song s;
        struct warp_partners out;
        song(name, n);
        warp_arena_reset(&arena);
        ck_assert_int_eq(pt_song_get_with_partners(db, warp_str(name),
                                                   PT_SONG_PLAYS, &s, &out,
                                                   &arena),
                         WARP_OK);
        const struct warp_str *keys = out.keys;
        for (size_t i = 0; i < out.count; i++) {
            ++*told;
            ck_assert(!out.bonds[i].declared);
            ck_assert(out.bonds[i].learned >= 0.125f &&
                      out.bonds[i].learned <= 1);
            *right += n < 2 * PAIRS && number_of(keys[i]) == (n ^ 1);
        }
    }
}

/* Pairs that are played one after the other in a stream of chance, where one
 * song is played at every turn: it is known to everybody and nobody's. */
START_TEST(who_is_used_together_is_a_partner)
{
    unsigned right = 0, told = 0;
    put_songs(SONGS);
    play_pairs();
    count_partners(&told, &right);
    /* Where five of them meet in one set of the table, one has no place. */
    ck_assert_msg(right >= 2 * PAIRS - 2, "%u of %u", right, 2 * PAIRS);
    ck_assert_msg(told <= right + right / 20, "%u told, %u true", told, right);
}
END_TEST

/* What was, is forgotten as the table is used on. */
START_TEST(new_partners_take_the_place_of_old_ones)
{
    char name[16];
    struct pt_song s;
    struct warp_partners out;
    put_songs(4000);
    for (int n = 0; n < 200; n++) {
        play(0);
        play(1);
        for (unsigned k = 0; k < 20; k++)
            play(10 + (unsigned)n * 20 % 3000 + k);
    }
    for (int n = 0; n < 80000; n++) {
        play(0);
        play(2);
        for (unsigned k = 0; k < 20; k++)
            play(10 + (unsigned)(n * 20 + (int)k) % 3900);
        warp_arena_reset(&arena);
    }
    song(name, 0);
    ck_assert_int_eq(pt_song_get_with_partners(db, warp_str(name),
                                               PT_SONG_PLAYS, &s, &out, &arena),
                     WARP_OK);
    ck_assert_uint_ge(out.count, 1);
    ck_assert_uint_eq(number_of(((const struct warp_str *)out.keys)[0]), 2);
    for (size_t i = 1; i < out.count; i++)
        ck_assert_uint_ne(number_of(((const struct warp_str *)out.keys)[i]),
                          1);
}
END_TEST

/* ---- prefetching ---- */

static bool in_memory(uint64_t id)
{
    return resident(&pt_paper_warp_product, id, 3);
}

static struct warp_stat stat_now(void)
{
    struct warp_stat s = WARP_STAT_INIT;
    ck_assert_int_eq(warp_stat(db, &s), WARP_OK);
    return s;
}

/* All that has a tier leaves memory: nobody used it in its window. */
static void all_leave(void)
{
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    for (int n = 0; n < 2; n++) {
        atomic_fetch_add(&clock_ms, HOUR);
        run_steps();
    }
}

static bool soon(bool (*is)(void))
{
    for (int n = 0; n < 3000 && !is(); n++)
        usleep(10000);
    return is();
}

static uint64_t wanted;
static bool brought(void)
{
    return stat_now().prefetched >= wanted;
}
static bool is_off(void)
{
    return stat_now().prefetch_off;
}
static bool is_on(void)
{
    return !stat_now().prefetch_off;
}

/* A record counts as brought when it is asked for. */
static bool are_there(void)
{
    for (uint64_t id = 1; id <= 30; id += 3)
        if (id != 4 && !in_memory(id))
            return false;
    return true;
}

START_TEST(partners_come_with_a_record)
{
    struct warp_partners out;
    for (uint64_t id = 1; id <= 30; id++)
        put_paper(id, (uint32_t)(id % 3));
    all_leave();
    for (uint64_t id = 1; id <= 30; id++)
        ck_assert(!in_memory(id));
    ck_assert_str_eq(partners_of(4, &out), "1 7 10 13 16 19 22 25 28");
    wanted = 9;
    ck_assert(soon(brought));
    ck_assert(soon(are_there));
    for (uint64_t id = 1; id <= 30; id++)
        if (id != 4)
            ck_assert_int_eq(in_memory(id), id % 3 == 1);
    /* Each is used: no waste, and no read of a tier. */
    uint64_t before = stat_now().cold_reads;
    for (uint64_t id = 1; id <= 30; id += 3) {
        struct pt_paper p;
        ck_assert_int_eq(pt_paper_get(db, id, id == 4 ? 0 : PT_PAPER_BODY, &p,
                                      &arena),
                         WARP_OK);
    }
    struct warp_stat s = stat_now();
    ck_assert_uint_eq(s.prefetched, 9);
    ck_assert_uint_eq(s.prefetch_used, 9);
    ck_assert_uint_eq(s.prefetch_wasted, 0);
    ck_assert_uint_eq(s.cold_reads, before);
}
END_TEST

START_TEST(a_miss_brings_partners_within_the_budget)
{
    struct pt_paper p;
    close_it();
    move_reads_max = 5;
    open_it();
    for (uint64_t id = 1; id <= 24; id++)
        put_paper(id, 1);
    all_leave();
    ck_assert_int_eq(pt_paper_get(db, 7, PT_PAPER_BODY, &p, &arena), WARP_OK);
    wanted = 5;
    ck_assert(soon(brought));
    usleep(300000);
    ck_assert_uint_eq(stat_now().prefetched, 5);
    /* The clock stood still; a second later there is room for more. */
    atomic_fetch_add(&clock_ms, 1000);
    ck_assert(!in_memory(24));
    ck_assert_int_eq(pt_paper_get(db, 24, PT_PAPER_BODY, &p, &arena), WARP_OK);
    wanted = 10;
    ck_assert(soon(brought));
    usleep(300000);
    ck_assert_uint_eq(stat_now().prefetched, 10);
}
END_TEST

START_TEST(what_is_of_no_use_switches_itself_off)
{
    struct pt_paper p;
    for (uint64_t id = 1; id <= 60; id++)
        put_paper(id, (uint32_t)(id % 2));
    all_leave();
    for (uint64_t id = 1; id <= 2; id++)
        ck_assert_int_eq(pt_paper_get(db, id, PT_PAPER_BODY, &p, &arena),
                         WARP_OK);
    wanted = 58;
    ck_assert(soon(brought));
    for (uint64_t id = 3; id <= 12; id++) /* 10 of 58 */
        ck_assert_int_eq(pt_paper_get(db, id, PT_PAPER_BODY, &p, &arena),
                         WARP_OK);
    ck_assert(!is_off());
    atomic_fetch_add(&clock_ms, 31000);
    ck_assert(soon(is_off));
    struct warp_stat s = stat_now();
    ck_assert_uint_eq(s.prefetch_used, 10);
    ck_assert_uint_eq(s.prefetch_wasted, 48);
    all_leave();
    ck_assert(soon(is_on)); /* two hours later; but first: off again */
    ck_assert_uint_eq(stat_now().prefetched, 58);
    /* Tried anew. */
    ck_assert_int_eq(pt_paper_get(db, 1, PT_PAPER_BODY, &p, &arena), WARP_OK);
    wanted = 59;
    ck_assert(soon(brought));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_partners");
    TCase *tc = tcase_create("partners");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, who_shares_the_group_is_a_partner);
    tcase_add_test(tc, at_most_32_partners_are_told);
    tcase_add_test(tc, the_strongest_of_a_large_group_are_told);
    tcase_add_test(tc, a_composite_key_is_told_in_its_c_form);
    tcase_add_test(tc, the_potential_is_the_weight_of_links);
    tcase_add_test(tc, who_is_used_together_is_a_partner);
    tcase_add_test(tc, new_partners_take_the_place_of_old_ones);
    tcase_add_test(tc, partners_come_with_a_record);
    tcase_add_test(tc, a_miss_brings_partners_within_the_budget);
    tcase_add_test(tc, what_is_of_no_use_switches_itself_off);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
