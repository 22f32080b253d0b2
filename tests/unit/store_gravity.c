/* Records that are drawn to another shard: by the mass of their partners, by
 * where they are, by a hint, and off a shard that has too much to do; what that
 * is good for; and what is left when the process dies in the middle of it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keeper.h"
#include "relocate.h"

#include "move_scene.h"
#include "tool.h"

#include "gravity.warp.h"

enum { TEAMS = 40, MEMBERS = 6 };

/* In the order of the schema. */
#define STAR  gravity_warp_schema.products[0]
#define DUST  gravity_warp_schema.products[1]
#define SPOT  gravity_warp_schema.products[2]
#define POST  gravity_warp_schema.products[3]
#define TOWN  gravity_warp_schema.products[4]
#define EMBER gravity_warp_schema.products[5]
#define STONE gravity_warp_schema.products[6]

static struct warp_arena arena = WARP_ARENA_INIT;

static _Atomic bool held;

bool __real_gravity_step(struct warp_db *store);
bool __wrap_gravity_step(struct warp_db *store);
bool __wrap_gravity_step(struct warp_db *store)
{
    return !atomic_load(&held) && __real_gravity_step(store);
}

static void set_up(void)
{
    atomic_store(&held, false);
    move_begin(&gravity_warp_schema);
}

static void tear_down(void)
{
    warp_arena_free(&arena);
    move_end();
}

/* Nothing moves by itself from here on, in this test. */
static void hold_still(void)
{
    atomic_store(&held, true);
}

static void reopen(void)
{
    close_it();
    open_it();
    hold_still();
}

static struct warp_stat stat_now(void)
{
    struct warp_stat s = WARP_STAT_INIT;
    ck_assert_int_eq(warp_stat(db, &s), WARP_OK);
    return s;
}

static struct key_ref key_of(const struct warp_product *product, uint64_t id,
                             uint64_t *bytes)
{
    const struct layout *l = db_layout(db, product);
    *bytes = __builtin_bswap64(id);
    return (struct key_ref){(uint8_t *)bytes, 8, l->number,
                            hash_key(db->seed, l->id, (uint8_t *)bytes, 8),
                            l->row_bytes};
}

static uint32_t home_of(const struct warp_product *product, uint64_t id)
{
    uint64_t bytes;
    struct key_ref key = key_of(product, id, &bytes);
    return forward_home(db, &key)->number;
}

static uint32_t shard_of(const struct warp_product *product, uint64_t id)
{
    uint64_t bytes;
    struct key_ref key = key_of(product, id, &bytes);
    return forward_shard(db, db_layout(db, product), &key)->number;
}

static int move_to(const struct warp_product *product, uint64_t id,
                   uint32_t shard)
{
    uint64_t bytes;
    struct key_ref key = key_of(product, id, &bytes);
    int rc = WARP_EBUSY;
    /* A checkpoint may be at work on it. */
    for (int tries = 0; rc == WARP_EBUSY && tries < 10000; tries++) {
        rc = relocate(db, db_layout(db, product), &key, shard);
        if (rc == WARP_EBUSY)
            usleep(1000);
    }
    return rc;
}

/* The keeper needs a while for what was noted. */
static bool soon(bool (*is)(void), void (*use)(void))
{
    for (int64_t end = os_mono_ns() + INT64_C(20000000000);
         os_mono_ns() < end;) {
        if (is())
            return true;
        use();
    }
    return is();
}

/* ---- partners ---- */

static uint64_t star(uint64_t team, uint64_t member)
{
    return team * MEMBERS + member;
}

static void put_stars(void)
{
    for (uint64_t i = 0; i < TEAMS * MEMBERS; i++) {
        struct gr_star s = {.id = i,
                            .team = (uint32_t)(i / MEMBERS),
                            .mass = i % MEMBERS == 3 ? 100 : 1,
                            .gold = (int64_t)i,
                            .seen = (uint32_t)i};
        s.note = warp_str("a star of some team, with a text of its own");
        ck_assert_int_eq(gr_star_put(db, &s, GR_STAR_ALL), WARP_OK);
    }
}

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

/* more: to all of them together. */
static void expect_stars(int64_t more)
{
    struct gr_star s;
    struct warp_iter *it;
    uint64_t id = 0;
    int64_t sum = 0;
    ck_assert_int_eq(gr_star_scan(db, NULL, GR_STAR_ALL, &it), WARP_OK);
    while (gr_star_next(it, &s, &arena) == WARP_OK) {
        ck_assert_uint_eq(s.id, id);
        ck_assert_int_ge(s.gold, (int64_t)id);
        sum += s.gold - (int64_t)id;
        ck_assert_float_eq(s.mass, id % MEMBERS == 3 ? 100 : 1);
        ck_assert_uint_eq(s.note.len, 43);
        id++;
    }
    warp_iter_close(&it);
    ck_assert_int_eq(sum, more);
    ck_assert_uint_eq(id, TEAMS * MEMBERS);
    ck_assert_uint_eq(stat_now().records, TEAMS * MEMBERS);
    warp_arena_reset(&arena);
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
    atomic_store(&held, false);
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
        if (shard_of(POST, i) != (uint32_t)(i % 5))
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
    ck_assert_uint_eq(stat_now().records, 60 + 45);
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
    const struct layout *l = db_layout(db, STONE);
    ck_assert(!l->roams && !l->drawn);
    ck_assert_uint_eq(l->origin, UINT32_MAX);
    ck_assert_uint_eq(stat_now().shard_moves, 0);
    for (uint64_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(shard_of(STONE, i), home_of(STONE, i));
}
END_TEST

/* ---- death in the middle ---- */

static _Atomic int appends; /* so many are still made; -1: all */

int __real_log_append(struct log *log, uint32_t shard, uint64_t batch_id,
                      uint32_t parts, const void *body, size_t bytes,
                      bool urgent, uint64_t *seq, uint64_t *position);
int __wrap_log_append(struct log *log, uint32_t shard, uint64_t batch_id,
                      uint32_t parts, const void *body, size_t bytes,
                      bool urgent, uint64_t *seq, uint64_t *position);
int __wrap_log_append(struct log *log, uint32_t shard, uint64_t batch_id,
                      uint32_t parts, const void *body, size_t bytes,
                      bool urgent, uint64_t *seq, uint64_t *position)
{
    if (appends == 0)
        kill(getpid(), SIGKILL);
    appends -= appends > 0;
    return __real_log_append(log, shard, batch_id, parts, body, bytes, urgent,
                             seq, position);
}

/* A child moves the record and dies before append number `left`, or after all
 * of them where there is none such. */
static void die_moving(uint64_t id, uint32_t to, int left)
{
    int status;
    close_it();
    pid_t pid = fork();
    if (pid == 0) {
        open_it();
        hold_still();
        appends = left;
        if (move_to(STAR, id, to) != WARP_OK)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    open_it();
    hold_still();
}

static void expect_one(uint64_t id, uint32_t shard, uint64_t version)
{
    struct gr_star s;
    uint64_t now;
    ck_assert_uint_eq(shard_of(STAR, id), shard);
    ck_assert_uint_eq(stat_now().records_away, shard != home_of(STAR, id));
    ck_assert_int_eq(gr_star_get(db, id, GR_STAR_GOLD, &s, NULL), WARP_OK);
    ck_assert_int_eq(s.gold, (int64_t)id);
    ck_assert_int_eq(gr_star_version(db, id, &now), WARP_OK);
    ck_assert_uint_eq(now, version);
    expect_stars(0);
}

START_TEST(it_is_moved_or_it_is_not)
{
    enum { ID = 17 };
    uint64_t version;
    hold_still();
    put_stars();
    ck_assert_int_eq(gr_star_version(db, ID, &version), WARP_OK);
    uint32_t home = home_of(STAR, ID), away = (home + 5) % 12;
    for (int saved = 0; saved < 2; saved++) {
        for (int left = 0; left < 4; left++) {
            die_moving(ID, away, left);
            expect_one(ID, left < 2 ? home : away, version);
            if (saved)
                ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
            if (left < 2)
                continue;
            die_moving(ID, home, left - 2);
            expect_one(ID, away, version);
            die_moving(ID, home, left);
            expect_one(ID, home, version);
            if (saved)
                ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
        }
        reopen();
        expect_one(ID, home, version);
    }
    close_it();
    must_be_sound();
    open_it();
}
END_TEST

/* Of a record that moved and then expired, the first step of a checkpoint has
 * made that known to the tiers; there is no second, and the log tells of the
 * move. */
static int steps = -1; /* so many are still made; -1: all */

int __real_secondary_flush(struct secondary *secondary, struct ssd_txn *txn);
int __wrap_secondary_flush(struct secondary *secondary, struct ssd_txn *txn);
int __wrap_secondary_flush(struct secondary *secondary, struct ssd_txn *txn)
{
    if (steps == 0)
        kill(getpid(), SIGKILL);
    steps -= steps > 0;
    return __real_secondary_flush(secondary, txn);
}

static void move_expire_and_die(void)
{
    enum { EMBERS = 20 };
    hold_still();
    for (int round = 0; round < 2; round++) {
        for (uint64_t id = 0; id < EMBERS; id++) {
            /* To another shard, and of every third back home. */
            uint32_t to = home_of(EMBER, id) + (round == 0 ? 5 : 0);
            if (round == 0 || id % 3 == 0)
                ck_assert_int_eq(move_to(EMBER, id, to % 12), WARP_OK);
        }
    }
    clock_ms += HOUR + 1;
    (void)sweep_run(db, true);
    for (uint64_t id = 0; id < 60000; id++) {
        struct gr_stone s = {.id = id, .gold = 1};
        ck_assert_int_eq(gr_stone_put(db, &s, GR_STONE_ALL), WARP_OK);
    }
    steps = 1;
    ck_assert_int_ne(warp_checkpoint(db), WARP_OK);
    _exit(1);
}

START_TEST(who_moved_and_expired_stays_away)
{
    int status;
    hold_still();
    for (uint64_t id = 0; id < 20; id++) {
        struct gr_ember e = {.id = id, .shard = home_of(EMBER, id)};
        fill(id, 1);
        e.body = (struct warp_str){text, body_bytes(id)};
        ck_assert_int_eq(gr_ember_put(db, &e, GR_EMBER_ALL), WARP_OK);
    }
    close_it();
    pid_t pid = fork();
    if (pid == 0) {
        open_it();
        move_expire_and_die();
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    clock_ms += HOUR + 1;
    must_be_sound();
    open_it();
    hold_still();
    ck_assert_uint_eq(stat_now().records_away, 0);
    for (uint64_t id = 0; id < 20; id++) {
        struct gr_ember e;
        ck_assert_int_eq(gr_ember_get(db, id, GR_EMBER_ALL, &e, &arena),
                         WARP_ENOTFOUND);
        e = (struct gr_ember){.id = id, .shard = (uint32_t)(id % 12)};
        ck_assert_int_eq(gr_ember_put(db, &e, GR_EMBER_SHARD), WARP_OK);
    }
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    ck_assert_uint_eq(stat_now().records, 60000 + 20);
}
END_TEST

/* What the tool's main.c has. */
int tool_fail(const struct tool *tool, int code, const char *why)
{
    ck_abort_msg("%s: %d: %s", tool->args[0], code, why);
    return TOOL_IO;
}

int tool_print_json(const struct tool *tool, const struct text *reply)
{
    (void)tool;
    return reply->failed ? TOOL_IO : TOOL_CLEAN;
}

int tool_progress(void *bar, const char *what, uint64_t done, uint64_t total)
{
    (void)bar, (void)what, (void)done, (void)total;
    return 0;
}

void tool_bar_end(struct tool_bar *bar)
{
    (void)bar;
}

/* Written before, in between and after, and never checkpointed. */
static void move_to_and_fro(void)
{
    for (uint64_t id = 0; id < 60; id++) {
        uint32_t home = home_of(STAR, id);
        ck_assert_int_eq(gr_star_add_gold(db, id, 1000, NULL), WARP_OK);
        ck_assert_int_eq(move_to(STAR, id, (home + 5) % 12), WARP_OK);
        ck_assert_int_eq(gr_star_add_gold(db, id, 1000, NULL), WARP_OK);
        if (id % 2 == 0)
            continue;
        ck_assert_int_eq(move_to(STAR, id, home), WARP_OK);
        ck_assert_int_eq(gr_star_add_gold(db, id, 1000, NULL), WARP_OK);
    }
}

START_TEST(a_repaired_store_has_the_last_of_each)
{
    char to[sizeof move_dir], from[sizeof move_dir], command[100];
    int status;
    hold_still();
    put_stars();
    close_it();
    pid_t pid = fork();
    if (pid == 0) {
        open_it();
        hold_still();
        move_to_and_fro();
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    strcpy(from, move_dir);
    snprintf(to, sizeof to, "%.40s.fixed", move_dir);
    struct tool tool = {.args = {from, to}, .arg_count = 2, .json = true};
    ck_assert_int_eq(tool_repair(&tool), TOOL_CLEAN);
    strcpy(move_dir, to);
    open_it();
    expect_stars(60 * 2000 + 30 * 1000);
    close_it();
    strcpy(move_dir, from);
    open_it();
    expect_stars(60 * 2000 + 30 * 1000);
    snprintf(command, sizeof command, "rm -rf %s", to);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_gravity");
    TCase *tcase = tcase_create("gravity");
    appends = -1;
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, light_ones_follow_the_heavy_one_of_their_group);
    tcase_add_test(tcase, they_are_there_after_a_restart_too);
    tcase_add_test(tcase, who_is_written_together_is_learned);
    tcase_add_test(tcase, who_is_near_is_in_one_shard);
    tcase_add_test(tcase, a_hint_names_the_shard);
    tcase_add_test(tcase, a_shard_with_too_much_to_do_gives_some_away);
    tcase_add_test(tcase, what_is_not_drawn_is_as_it_was);
    tcase_add_test(tcase, it_is_moved_or_it_is_not);
    tcase_add_test(tcase, who_moved_and_expired_stays_away);
    tcase_add_test(tcase, a_repaired_store_has_the_last_of_each);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
