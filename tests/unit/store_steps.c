/* store_steps.c: a checkpoint of more than one step: the ranges of keys that
 * checkpoint_order.c makes, and that each leaves what it should; and what
 * writers do while it takes long. */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "checkpoint_order.h"
#include "error.h"
#include "pace.h"
#include "ssd_env.h"
#include "store_scene.h"

enum { RECORDS = 30000, BATCH = 1000 };

/* Steps of a few thousand records. */
static void small_setup(void)
{
    scene_close();
    options.memory_max_bytes = 96 << 20;
    options.ring_bytes = 4 << 20;
    scene_open();
}

/* In no order. */
static uint64_t id_of(uint32_t i)
{
    return ((uint64_t)i * 7919 % RECORDS) << 20;
}

static void put_one(struct warp_batch *batch, uint32_t i, int64_t gold)
{
    struct sample_thing t = {.id = id_of(i), .owner = i % 10};
    t.gold = gold;
    t.note = warp_str("between two steps");
    ck_ok(warp_gen_put_in(batch, &sample_thing_product, &t,
                          BIT(THING_GOLD) | BIT(THING_NOTE) |
                              BIT(THING_OWNER)));
}

/* gold is the number and more; every `gone`th is deleted instead (0: none). */
static void put_all(uint32_t more, uint32_t gone)
{
    for (uint32_t i = 0; i < RECORDS;) {
        struct warp_batch *batch;
        ck_ok(warp_batch_begin(store, &batch));
        do {
            uint64_t id = id_of(i);
            if (gone && i % gone == 0)
                ck_ok(warp_gen_delete_in(batch, &sample_thing_product, &id));
            else
                put_one(batch, i, (int64_t)i + more);
        } while (++i % BATCH != 0);
        ck_ok(warp_batch_commit(&batch));
    }
}

/* As a checkpoint does. */
static void take_all(void)
{
    for (uint32_t i = 0; i < store->shard_count; i++) {
        os_lock(&store->shards[i].lock);
        ck_ok(shard_take_dirty(&store->shards[i]));
        os_unlock(&store->shards[i].lock);
    }
}

static void give_back(void)
{
    for (uint32_t i = 0; i < store->shard_count; i++) {
        struct shard *s = &store->shards[i];
        os_lock(&s->lock);
        for (uint32_t at = 0; at < s->flushing_count; at++) {
            struct record *r = s->flushing[at];
            record_set_have(r, record_have(r) & ~R_DIRTY);
            shard_dirty(s, r, shard_record_hash(s, r));
        }
        shard_drop_flushing(s);
        os_unlock(&s->lock);
    }
}

static uint64_t id_at(const struct shard *s, uint32_t at)
{
    const struct record *r = s->flushing[at];
    const uint8_t *key = record_key(store->layouts[record_product(r)], r);
    uint64_t id = 0;
    for (int i = 0; i < 8; i++)
        id = id << 8 | key[i];
    return id;
}

START_TEST(ranges_follow_each_other)
{
    struct order o;
    struct db_shares shares;
    uint64_t above = 0, seen = 0;
    put_all(0, 0);
    db_shares(store, &shares);
    take_all();
    ck_ok(order_make(&o, store, &shares));
    ck_assert_uint_gt(o.range_count, 2);
    uint32_t from[256] = {0};
    for (uint32_t range = 0; range < o.range_count; range++) {
        uint64_t highest = above, count = 0;
        for (uint32_t i = 0; i < store->shard_count; i++) {
            uint32_t end = order_end(&o, store, range, i);
            for (uint32_t at = from[i]; at < end; at++, count++) {
                uint64_t id = id_at(&store->shards[i], at);
                ck_assert(at == from[i] ||
                          id > id_at(&store->shards[i], at - 1));
                ck_assert(seen == 0 || id > above);
                highest = id > highest ? id : highest;
            }
            from[i] = end;
        }
        /* About as many in each. */
        ck_assert_uint_gt(count, RECORDS / o.range_count / 2);
        ck_assert_uint_lt(count, RECORDS / o.range_count * 2);
        above = highest;
        seen += count;
    }
    ck_assert_uint_eq(seen, RECORDS);
    order_fini(&o);
    give_back();
}
END_TEST

/* Few stay as they are; more are in order, in one step, too. */
START_TEST(few_need_no_order)
{
    struct order o;
    struct db_shares shares;
    db_shares(store, &shares);
    for (uint32_t n = 10; n <= 1000; n *= 100) {
        uint32_t unsorted = 0;
        for (uint32_t i = 0; i < n; i++) {
            struct sample_thing t = {.id = id_of(i)};
            ck_ok(put(&t, BIT(THING_GOLD)));
        }
        take_all();
        struct record **first = store->shards[0].flushing;
        ck_ok(order_make(&o, store, &shares));
        ck_assert_uint_eq(o.range_count, 1);
        ck_assert((store->shards[0].flushing == first) == (n < 256));
        for (uint32_t i = 0; i < store->shard_count; i++)
            for (uint32_t at = 1; at < store->shards[i].flushing_count; at++)
                unsorted += id_at(&store->shards[i], at) <
                            id_at(&store->shards[i], at - 1);
        ck_assert(n < 256 || unsorted == 0);
        order_fini(&o);
        give_back();
    }
}
END_TEST

static void leave_in_steps(void)
{
    struct sample_thing t = {.id = id_of(1), .gold = 77};
    put_all(0, 0);
    ck_ok(warp_checkpoint(store));
    put_all(1, 3);
    ck_ok(warp_checkpoint(store));
    ck_ok(put(&t, BIT(THING_GOLD)));
}

START_TEST(all_of_them_hold)
{
    struct sample_thing t;
    scene_crash(leave_in_steps);
    for (uint32_t i = 0; i < RECORDS; i++) {
        int rc = get(id_of(i), BIT(THING_GOLD) | BIT(THING_NOTE), &t);
        ck_assert_int_eq(rc, i % 3 == 0 ? WARP_ENOTFOUND : WARP_OK);
        if (rc != WARP_OK)
            continue;
        ck_assert_int_eq(t.gold, i == 1 ? 77 : (int64_t)i + 1);
        ck_assert(str_is(t.note, "between two steps"));
        warp_arena_reset(&arena);
    }
    struct warp_stat stat = WARP_STAT_INIT;
    ck_ok(warp_stat(store, &stat));
    ck_assert_uint_eq(stat.records, RECORDS - RECORDS / 3);
}
END_TEST

START_TEST(what_checkpoints_take_is_told)
{
    struct warp_stat stat = WARP_STAT_INIT;
    put_all(0, 0);
    ck_ok(warp_checkpoint(store));
    ck_ok(warp_stat(store, &stat));
    ck_assert_uint_eq(stat.checkpoints, 1);
    ck_assert_uint_eq(stat.checkpoint_records, RECORDS);
    ck_assert_uint_gt(stat.checkpoint_cpu_ms, 0);
    ck_assert_uint_gt(stat.checkpoint_ms, 0);
    put_all(1, 3);
    ck_ok(warp_checkpoint(store));
    ck_ok(warp_stat(store, &stat));
    ck_assert_uint_eq(stat.checkpoint_records, 2 * RECORDS);
}
END_TEST

/* A step holds blocks that double; what counts is what it asked for. And a
 * range is one step by the values beside the rows, too: else each step would
 * write the leaves of a whole range. This text is packed, for which a step has
 * its bytes a second time. */
START_TEST(large_values_need_few_steps)
{
    enum { LARGE = 8000, BYTES = 2000 };
    struct order o;
    struct db_shares shares;
    char text[BYTES];
    memset(text, 'x', sizeof text);
    db_shares(store, &shares);
    for (uint32_t i = 0; i < LARGE; i++) {
        struct sample_thing t = {.id = id_of(i)};
        t.note = (struct warp_str){text, sizeof text};
        ck_ok(put(&t, BIT(THING_NOTE)));
    }
    take_all();
    ck_ok(order_make(&o, store, &shares));
    uint32_t ranges = o.range_count;
    order_fini(&o);
    give_back();
    uint64_t before = ssd_commits(store->ssd);
    ck_ok(warp_checkpoint(store));
    /* 5; with the second copy and what is not full two to three times that. */
    uint64_t least = (uint64_t)LARGE * BYTES / shares.step_bytes;
    ck_assert_uint_ge(least, 3);
    ck_assert_uint_le(ssd_commits(store->ssd) - before, 3 * least);
    /* One each, and the floors. */
    ck_assert_uint_eq(ssd_commits(store->ssd) - before, ranges + 1);
}
END_TEST

/* Who needs memory waits for a step, not for all of them. */
static void *await_steps(void *arg)
{
    uint32_t *steps = arg;
    bool stepped, ended = false;
    while (!ended && shard_await_step(store, &stepped, &ended))
        *steps += stepped && !ended;
    return arg;
}

START_TEST(room_comes_step_by_step)
{
    pthread_t waiter;
    uint32_t steps = 0;
    put_all(0, 0);
    ck_assert_int_eq(pthread_create(&waiter, NULL, await_steps, &steps), 0);
    ck_ok(warp_checkpoint(store));
    ck_assert_int_eq(pthread_join(waiter, NULL), 0);
    ck_assert_uint_ge(steps, 1);
}
END_TEST

/* ---- a checkpoint that does not come to its last step ---- */

static int dies_at; /* the step, from 1; 0: none */

int __real_secondary_flush(struct secondary *secondary, struct ssd_txn *txn);
int __wrap_secondary_flush(struct secondary *secondary, struct ssd_txn *txn);
int __wrap_secondary_flush(struct secondary *secondary, struct ssd_txn *txn)
{
    if (dies_at > 0 && --dies_at == 0)
        kill(getpid(), SIGKILL);
    return __real_secondary_flush(secondary, txn);
}

static int refusals; /* of the log, that are yet to come */

int __real_log_wait(struct log *log, uint32_t shard, uint64_t position);
int __wrap_log_wait(struct log *log, uint32_t shard, uint64_t position);
int __wrap_log_wait(struct log *log, uint32_t shard, uint64_t position)
{
    if (refusals > 0) {
        refusals--;
        return error_set(WARP_ENOSPC, "no room for the log");
    }
    return __real_log_wait(log, shard, position);
}

static int appends_refused; /* of deletes, that are yet to come */

int __real_log_append(struct log *log, uint32_t shard, uint64_t batch_id,
                      uint32_t batch_parts, const void *body, size_t bytes,
                      bool urgent, uint64_t *seq, uint64_t *position);
int __wrap_log_append(struct log *log, uint32_t shard, uint64_t batch_id,
                      uint32_t batch_parts, const void *body, size_t bytes,
                      bool urgent, uint64_t *seq, uint64_t *position);
int __wrap_log_append(struct log *log, uint32_t shard, uint64_t batch_id,
                      uint32_t batch_parts, const void *body, size_t bytes,
                      bool urgent, uint64_t *seq, uint64_t *position)
{
    if (urgent && appends_refused > 0) {
        appends_refused--;
        return error_set(WARP_ENOSPC, "no room for the log");
    }
    return __real_log_append(log, shard, batch_id, batch_parts, body, bytes,
                             urgent, seq, position);
}

/* So does a delete, which must go on. */
START_TEST(a_delete_cuts_a_full_log)
{
    struct sample_thing thing = {.id = 7};
    ck_ok(put(&thing, BIT(THING_GOLD)));
    uint64_t before = ssd_commits(store->ssd);
    appends_refused = 1;
    ck_ok(del(7));
    ck_assert_int_eq(appends_refused, 0);
    ck_assert_uint_gt(ssd_commits(store->ssd), before);
    ck_code(get(7, BIT(THING_GOLD), &thing), WARP_ENOTFOUND, NULL);
}
END_TEST

START_TEST(a_batch_of_deletes_cuts_a_full_log)
{
    struct warp_batch *batch;
    ck_ok(warp_batch_begin(store, &batch));
    for (uint64_t id = 1; id <= 2; id++) {
        struct sample_thing thing = {.id = id};
        ck_ok(put(&thing, BIT(THING_GOLD)));
        ck_ok(warp_gen_delete_in(batch, &sample_thing_product, &id));
    }
    uint64_t before = ssd_commits(store->ssd);
    appends_refused = 1;
    ck_ok(warp_batch_commit(&batch));
    ck_assert_int_eq(appends_refused, 0);
    ck_assert_uint_gt(ssd_commits(store->ssd), before);
    ck_assert_str_eq(scan_ids(NULL), "");
}
END_TEST

/* The keeper may be late: who waits for the disk sees to the room himself. */
START_TEST(who_waits_for_a_full_log_cuts_it)
{
    struct sample_thing thing = {.id = 7};
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t before = atomic_load(&store->checkpoints);
        refusals = 1;
        if (i == 0) {
            ck_ok(put(&thing, WARP_POWER_LOSS));
        } else {
            struct warp_batch *batch;
            ck_ok(warp_batch_begin(store, &batch));
            ck_ok(warp_gen_delete_in(batch, &sample_thing_product,
                                     &thing.id));
            put_one(batch, 3, 5);
            ck_ok(warp_batch_survives(batch, WARP_SURVIVES_POWER_LOSS));
            ck_ok(warp_batch_commit(&batch));
        }
        ck_assert_int_eq(refusals, 0);
        ck_assert_uint_eq(atomic_load(&store->checkpoints), before + 1);
    }
    /* Not twice: then there is no room. */
    refusals = 2;
    ck_code(put(&thing, WARP_POWER_LOSS), WARP_ENOSPC, "no room");
    refusals = 0;
}
END_TEST

/* Of a row's index entries the old one goes, and the new one comes, no later
 * than the row. */
static uint32_t owned_by(uint64_t owner)
{
    struct warp_iter *iter = NULL;
    struct sample_thing t;
    uint32_t n = 0;
    ck_ok(warp_gen_by(store, &sample_thing_product, THING_OWNER, &owner,
                      BIT(THING_OWNER), &iter));
    for (; warp_gen_next(iter, &sample_thing_product, &t, &arena) == WARP_OK;
         n++)
        ck_assert_uint_eq(t.owner, owner);
    warp_iter_close(&iter);
    warp_arena_reset(&arena);
    return n;
}

static void change_owners_and_die(void)
{
    put_all(0, 0);
    ck_ok(warp_checkpoint(store));
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint64_t id = id_of(i);
        uint64_t owner = 10 + i % 10;
        ck_ok(warp_gen_set(store, &sample_thing_product, &id, THING_OWNER,
                           &owner));
    }
    dies_at = 3;
    ck_ok(warp_checkpoint(store));
    abort();
}

START_TEST(entries_of_an_index_go_with_the_rows)
{
    scene_crash(change_owners_and_die);
    for (uint64_t owner = 0; owner < 20; owner++)
        ck_assert_uint_eq(owned_by(owner), owner < 10 ? 0 : RECORDS / 10);
}
END_TEST

/* In the first and in the last step; deleted, and expired. */
static const struct warp_str mortal = {"mortal", 6};

static void leave_elements(void)
{
    uint32_t tag = 5;
    for (uint32_t i = 0; i < RECORDS; i += RECORDS - 1)
        ck_ok(event(id_of(i), now, "old"));
    struct warp_str s = warp_str("old");
    ck_ok(warp_gen_append(store, &sample_mortal_product, &mortal, MORTAL_TRAIL,
                          now, &s));
    ck_ok(warp_gen_set(store, &sample_mortal_product, &mortal, MORTAL_TAG,
                       &tag));
    ck_ok(warp_checkpoint(store));
}

static void die_in_the_third_step(void)
{
    now += SAMPLE_MORTAL_TTL_MS + 1;
    scene_sweep();
    put_all(0, RECORDS - 1);
    dies_at = 3;
    ck_ok(warp_checkpoint(store));
    abort();
}

START_TEST(who_is_gone_takes_its_elements_along)
{
    struct sample_thing t = {0};
    struct warp_iter *iter = NULL;
    struct warp_str s = warp_str("new");
    int64_t at;
    leave_elements();
    scene_crash(die_in_the_third_step);
    now += SAMPLE_MORTAL_TTL_MS + 1;
    for (uint32_t i = 0; i < RECORDS; i += RECORDS - 1) {
        t.id = id_of(i);
        ck_code(get(t.id, BIT(THING_GOLD), &t), WARP_ENOTFOUND, NULL);
        t.id = id_of(i);
        ck_ok(put(&t, BIT(THING_GOLD)));
        ck_assert_str_eq(events_of(id_of(i)), "");
    }
    ck_ok(warp_gen_append(store, &sample_mortal_product, &mortal, MORTAL_TRAIL,
                          now, &s));
    ck_ok(warp_gen_range(store, &sample_mortal_product, &mortal, MORTAL_TRAIL,
                         INT64_MIN + 1, INT64_MAX, &iter));
    ck_ok(warp_gen_range_next(iter, &sample_mortal_product, MORTAL_TRAIL, &at,
                              &s, &arena));
    ck_assert(at == now && str_is(s, "new"));
    ck_code(warp_gen_range_next(iter, &sample_mortal_product, MORTAL_TRAIL, &at,
                                &s, &arena),
            WARP_END, NULL);
    warp_iter_close(&iter);
}
END_TEST

/* ---- a checkpoint that takes long ---- */

enum { LOG_MAX = 4 << 20, FILLS = 6 };

static _Atomic bool written;

/* More than the log may hold. */
static void *write_much(void *arg)
{
    for (uint32_t i = 0; i < FILLS; i++)
        put_all(i, 0);
    atomic_store(&written, true);
    return arg;
}

START_TEST(writers_wait_at_the_limit)
{
    pthread_t writer;
    struct warp_stat stat = WARP_STAT_INIT;
    scene_close();
    options.log_bytes_max = LOG_MAX;
    scene_open();
    os_lock(&store->checkpoint_lock); /* one is under way, and does not end */
    atomic_store(&written, false);
    ck_assert_int_eq(pthread_create(&writer, NULL, write_much, NULL), 0);
    while (!atomic_load(&store->stalled))
        usleep(1000);
    usleep(300000);
    ck_ok(warp_stat(store, &stat));
    ck_assert(!atomic_load(&written));
    ck_assert_uint_gt(stat.log_bytes, LOG_MAX / 2);
    /* And what was on its way while the flusher slept. */
    ck_assert_uint_lt(stat.log_bytes, LOG_MAX + LOG_MAX / 4);
    os_unlock(&store->checkpoint_lock);
    ck_assert_int_eq(pthread_join(writer, NULL), 0);
    ck_assert(atomic_load(&written));
}
END_TEST

/* The log grows as the checkpoint gets on, and neither stops nor runs away; a
 * writer on a busy machine may be slower than it is let. _i: one was timed
 * before, or there is but a guess, by the bytes. */
START_TEST(writers_keep_the_pace_of_a_checkpoint)
{
    enum { RECORD_NS = 10000, LEFT = 1000000 }; /* ten seconds are left */
    enum { GUESS_BYTES = (RECORD_NS - 3000) / 5 };
    const uint64_t max = 32 << 20, second = (max - max / 16) / 10;
    pthread_t writer;
    scene_close();
    options.log_bytes_max = max;
    scene_open();
    put_all(0, 0);
    os_lock(&store->checkpoint_lock); /* it is this test's */
    store->pace.record_ns = _i ? 0 : RECORD_NS;
    pace_begin(store, LEFT, _i ? (uint64_t)LEFT * GUESS_BYTES : 0);
    uint64_t from = log_bytes(store->log), grown = 0;
    int64_t began = os_mono_ns(), ns = 0;
    atomic_store(&written, false);
    ck_assert_int_eq(pthread_create(&writer, NULL, write_much, NULL), 0);
    while (ns < 1000000000 || grown <= second / 4) {
        usleep(100000);
        grown = log_bytes(store->log) - from;
        ns = os_mono_ns() - began;
        uint64_t due = (uint64_t)ns / 1000 * second / 1000000;
        ck_assert_uint_lt(grown, due + second / 2);
    }
    ck_assert(!atomic_load(&written));
    /* Half of it is done in a second: faster than it was thought to be. */
    store->pace.step_ns = os_mono_ns() - 1000000000;
    pace_step(store, LEFT / 2);
    ck_assert_uint_gt(store->pace.bytes_per_s, 3 * second);
    pace_end(store, false);
    if (!_i)
        ck_assert_uint_eq(store->pace.record_ns, RECORD_NS);
    os_unlock(&store->checkpoint_lock);
    ck_assert_int_eq(pthread_join(writer, NULL), 0);
    ck_assert(atomic_load(&written));
}
END_TEST

/* The first records of a checkpoint take far longer than those that follow, and
 * are a little part of it: writers are let go on soon after. */
START_TEST(the_first_records_are_not_the_measure)
{
    enum { LEFT = 1000000, FEW = LEFT / 100 };
    scene_close();
    options.log_bytes_max = 32 << 20;
    scene_open();
    os_lock(&store->checkpoint_lock); /* it is this test's */
    store->pace.record_ns = 10000;
    pace_begin(store, LEFT, 0);
    uint64_t expected = store->pace.bytes_per_s;
    /* 2 s for a hundredth: a mean of all would be twenty times the guess, */
    store->pace.step_ns = os_mono_ns() - 2000000000;
    pace_step(store, FEW);
    ck_assert_uint_lt(store->pace.bytes_per_s, expected / 2);
    ck_assert_uint_gt(store->pace.bytes_per_s, expected / 8);
    /* and 10 us each for the next quarter leave little of it. */
    for (uint32_t i = 2; i <= 25; i++) {
        store->pace.step_ns = os_mono_ns() - FEW * 10000;
        pace_step(store, i * FEW);
    }
    ck_assert_uint_gt(store->pace.bytes_per_s, expected);
    pace_end(store, false);
    os_unlock(&store->checkpoint_lock);
}
END_TEST

static void fill(TCase *tcase)
{
    tcase_set_timeout(tcase, 100);
    tcase_add_checked_fixture(tcase, small_setup, scene_teardown);
    tcase_add_test(tcase, ranges_follow_each_other);
    tcase_add_test(tcase, few_need_no_order);
    tcase_add_test(tcase, all_of_them_hold);
    tcase_add_test(tcase, what_checkpoints_take_is_told);
    tcase_add_test(tcase, large_values_need_few_steps);
    tcase_add_test(tcase, room_comes_step_by_step);
    tcase_add_test(tcase, entries_of_an_index_go_with_the_rows);
    tcase_add_test(tcase, who_is_gone_takes_its_elements_along);
    tcase_add_test(tcase, a_delete_cuts_a_full_log);
    tcase_add_test(tcase, a_batch_of_deletes_cuts_a_full_log);
    tcase_add_test(tcase, who_waits_for_a_full_log_cuts_it);
    tcase_add_test(tcase, writers_wait_at_the_limit);
    tcase_add_test(tcase, the_first_records_are_not_the_measure);
    tcase_add_loop_test(tcase, writers_keep_the_pace_of_a_checkpoint, 0, 2);
}

int main(void)
{
    return run_suite("store_steps", fill);
}
