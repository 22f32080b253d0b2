/* Logs that nobody wrote so: options and headers that do not fit, segments that
 * are missing; records, blocks and headers that are wrong and have the right
 * checksums. Each is refused, or ends the log, with its place; and what stands
 * before it is there. */
#include "log_copy.h"
#include "log_inner.h"
#include "log_scene.h"

#include "crc.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct scene scene;
static char path[600];
static uint8_t *image;
static uint64_t image_bytes;

static void set_up(void)
{
    scene_make(&scene);
    image = NULL;
}

static void tear_down(void)
{
    log_close(&scene.log);
    free(image);
    scene_remove(&scene);
}

/* ---- files ---- */

static void load(uint32_t number)
{
    snprintf(path, sizeof path, "%s/%08u.wlog", scene.dir, number);
    int fd = os_open(path, OS_READ);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(os_size(fd, &image_bytes), 0);
    free(image);
    image = malloc(image_bytes);
    ck_assert_ptr_nonnull(image);
    ck_assert(os_pread(fd, image, image_bytes, 0) == (int64_t)image_bytes);
    os_close(fd);
}

static void store(void)
{
    int fd = os_open(path, OS_WRITE);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(os_pwrite(fd, image, image_bytes, 0), 0);
    os_close(fd);
}

static void store_header(void)
{
    put32(image + SEG_CRC, crc32c(0, image + SEG_VERSION,
                                  LOG_HEADER_BYTES - SEG_VERSION));
    store();
}

/* The block that holds records, behind the one that begins a run. */
static uint8_t *second_block(void)
{
    uint8_t *block = image + LOG_HEADER_BYTES + LOG_PAGE;
    ck_assert_uint_eq(get32(block + BLOCK_MAGIC), LOG_BLOCK_MAGIC);
    ck_assert_uint_gt(get32(block + BLOCK_PAYLOAD), 0);
    return block;
}

/* One commit of each of three values, in a block of its own, and a stop. */
static void three_blocks(void)
{
    ck_assert_int_eq(scene_open(&scene), 0);
    for (uint64_t i = 1; i <= 3; i++)
        ck_assert_int_eq(log_wait(scene.log, 0,
                                  scene_append(&scene, 0, i, 100)), 0);
    scene_stop(&scene);
}

static void must_refuse(int code, const char *what)
{
    ck_assert_int_eq(scene_open(&scene), code);
    ck_assert_msg(strstr(error_text(), what) != NULL, "%s", error_text());
    log_close(&scene.log);
}

/* ---- what does not fit ---- */

START_TEST(options_are_bounded)
{
    const struct log_options right = scene.options;
    static const struct {
        uint32_t shards;
        uint64_t ring_bytes;
        uint32_t in_flight;
        const char *what;
    } wrong[] = {{0, 1 << 16, 1, "0 shards; 1 to 256 may be"},
                 {257, 1 << 16, 1, "257 shards"},
                 {8, 1 << 13, 1, "rings of 8192 bytes; a power of two"},
                 {8, (1 << 16) + 4096, 1, "rings of 69632 bytes"},
                 {8, UINT64_C(1) << 33, 1, "a power of two from 16384 on"},
                 {8, 1 << 16, 17, "17 log writes in flight; at most 16"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        scene.options.shards = wrong[i].shards;
        scene.options.ring_bytes = wrong[i].ring_bytes;
        scene.options.writes_in_flight = wrong[i].in_flight;
        must_refuse(WARP_EINVAL, wrong[i].what);
        ck_assert_ptr_null(scene.log);
    }
    scene.options = right;
    scene.options.writes_in_flight = 16;
    ck_assert_int_eq(scene_open(&scene), 0);
    ck_assert_uint_eq(log_in_flight(scene.log), 16);
    scene_stop(&scene);
}
END_TEST

/* Before a replay, and after a stop. */
START_TEST(a_log_has_an_order_of_calls)
{
    scene.options.dir = scene.options.ring_dir = scene.dir;
    ck_assert_int_eq(log_open(&scene.options, &scene.log), 0);
    ck_assert_int_eq(log_start(scene.log), WARP_EINVAL);
    ck_assert(strstr(error_text(), "after its replay") != NULL);
    ck_assert_int_eq(log_stop(scene.log), 0);
    log_close(&scene.log);
    ck_assert_int_eq(scene_open(&scene), 0);
    scene_append(&scene, 0, 1, 100);
    ck_assert_int_eq(log_stop(scene.log), 0);
    uint64_t seq, position;
    ck_assert_int_eq(log_append(scene.log, 0, 0, 0, "x", 1, false, &seq,
                                &position), WARP_EREADONLY);
    ck_assert_int_eq(log_stop(scene.log), 0);
    log_close(&scene.log);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 1);
}
END_TEST

START_TEST(a_later_format_is_refused)
{
    three_blocks();
    load(1);
    put32(image + SEG_VERSION, LOG_VERSION + 1);
    store_header();
    must_refuse(WARP_EVERSION, "has log format 2, this library reads 1");
    put32(image + SEG_VERSION, LOG_VERSION);
    store_header();
    scene.options.shards = 5;
    must_refuse(WARP_EINVAL, "the store has 8 shards, not 5");
    scene.options.shards = SCENE_SHARDS;
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 3);
}
END_TEST

/* After a kill the rings count, as long as the header says they are. */
START_TEST(a_length_of_rings_is_checked)
{
    static const uint64_t wrong[] = {0, 2048, 65536 + 4096,
                                     UINT64_C(1) << 41};
    ck_assert_int_eq(scene_open(&scene), 0);
    for (uint64_t i = 1; i <= 3; i++)
        scene_append(&scene, 0, i, 100);
    scene_crash(&scene);
    load(1);
    for (int i = 0; i < 4; i++) {
        char text[64];
        put64(image + SEG_RING_BYTES, wrong[i]);
        store_header();
        snprintf(text, sizeof text, "names rings of %llu bytes",
                 (unsigned long long)wrong[i]);
        must_refuse(WARP_ECORRUPT, text);
    }
    put64(image + SEG_RING_BYTES, scene.options.ring_bytes);
    store_header();
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 3);
}
END_TEST

/* ---- what is missing ---- */

static uint32_t segment_count;

static int count_segment(void *arg, const char *name)
{
    uint64_t number = log_segment_number(name);
    (void)arg;
    if (number == 0)
        return 0;
    load((uint32_t)number);
    if (get64(image + SEG_MAGIC) == LOG_SEGMENT_MAGIC && number > segment_count)
        segment_count = (uint32_t)number;
    return 0;
}

/* A segment between two others is gone: what follows it is not taken for the
 * log's continuation, and that commits are lost is told. */
START_TEST(a_gap_is_told)
{
    ck_assert_int_eq(scene_open(&scene), 0);
    for (uint64_t i = 1; i <= 250; i++)
        scene_append(&scene, 0, i, 30000);
    scene_stop(&scene);
    segment_count = 0;
    ck_assert_int_eq(os_list(scene.dir, count_segment, NULL), 0);
    ck_assert_uint_ge(segment_count, 4);
    snprintf(path, sizeof path, "%s/%08u.wlog", scene.dir, 2);
    ck_assert_int_eq(unlink(path), 0);
    for (int round = 0; round < 2; round++) {
        atomic_store(&scene.events, 0);
        scene_replay_only(&scene);
        ck_assert_uint_eq(scene.seen.bad, 0);
        ck_assert_uint_gt(scene.seen.count[0], 5);
        ck_assert_uint_lt(scene.seen.count[0], 100);
        ck_assert_uint_eq(scene.seen.count[0], scene.seen.last_value[0]);
        ck_assert_uint_ge(scene.events, 1);
        ck_assert_int_eq(scene.event_code, WARP_ECORRUPT);
        ck_assert_msg(strstr(scene.event_text, ".wlog: ") &&
                          strstr(scene.event_text, "commits from there on are "
                                                   "lost, restore a backup"),
                      "%s", scene.event_text);
    }
}
END_TEST

/* Nobody needs what the tiers hold: a segment of it may be gone, another be
 * damaged, and all that came later counts. */
START_TEST(a_gap_that_the_tiers_hold)
{
    uint64_t floor[SCENE_SHARDS] = {0};
    ck_assert_int_eq(scene_open(&scene), 0);
    for (uint64_t i = 1; i <= 250; i++)
        scene_append(&scene, 0, i, 30000);
    scene_stop(&scene);
    segment_count = 0;
    ck_assert_int_eq(os_list(scene.dir, count_segment, NULL), 0);
    ck_assert_uint_ge(segment_count, 4);
    load(3);
    floor[0] = get64(image + SEG_PLACES + 8);
    ck_assert_uint_lt(floor[0], 250);
    load(1);
    memset(image + LOG_HEADER_BYTES, 0xa5, 100000);
    store();
    snprintf(path, sizeof path, "%s/%08u.wlog", scene.dir, 2);
    ck_assert_int_eq(unlink(path), 0);
    scene.options.floor_seq = floor;
    for (int round = 0; round < 2; round++) {
        scene_replay_only(&scene);
        ck_assert_uint_eq(scene.seen.bad, 0);
        ck_assert_uint_eq(scene.events, 0);
        ck_assert_uint_eq(scene.replayed, 250 - floor[0]);
        ck_assert_uint_eq(scene.seen.last_value[0], 250);
    }
    /* One commit more is missing than the tiers hold. */
    floor[0]--;
    scene_replay_only(&scene);
    ck_assert_uint_ge(scene.events, 1);
    ck_assert_int_eq(scene.event_code, WARP_ECORRUPT);
    scene.options.floor_seq = NULL;
}
END_TEST

static void drop_segments(uint32_t from)
{
    segment_count = 0;
    ck_assert_int_eq(os_list(scene.dir, count_segment, NULL), 0);
    for (uint32_t i = from; i <= segment_count; i++) {
        snprintf(path, sizeof path, "%s/%08u.wlog", scene.dir, i);
        ck_assert_int_eq(unlink(path), 0);
    }
}

static void expect_told(uint32_t times, const char *what)
{
    atomic_store(&scene.events, 0);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.seen.bad, 0);
    ck_assert_uint_eq(scene.events, times);
    ck_assert_int_eq(scene.event_code, WARP_ECORRUPT);
    ck_assert_msg(strstr(scene.event_text, what) != NULL, "%s",
                  scene.event_text);
}

/* Goes on behind `floor`, which the tiers hold: new commits are no older ones
 * of the same number. */
static void go_on_behind(uint64_t floor)
{
    ck_assert_int_eq(scene_open(&scene), 0);
    ck_assert_uint_eq(log_seq(scene.log, 0), floor);
    for (uint64_t i = 1; i <= 5; i++)
        scene_append(&scene, 0, floor + i, 100);
    scene_crash(&scene);
    atomic_store(&scene.events, 0);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.events, 0);
    ck_assert_uint_eq(scene.replayed, 5);
    ck_assert_uint_eq(scene.seen.last_value[0], floor + 5);
}

/* All segments are gone, or the last ones: by what the tails or the tiers say
 * there were some. */
START_TEST(the_end_is_gone)
{
    uint64_t floor[SCENE_SHARDS] = {0};
    ck_assert_int_eq(scene_open(&scene), 0);
    for (uint64_t i = 1; i <= 250; i++)
        scene_append(&scene, 0, i, 30000);
    if (_i % 2)
        scene_stop(&scene);
    else
        scene_crash(&scene);
    scene.options.floor_seq = floor;
    if (_i < 2) {
        drop_segments(1);
        expect_told(1, "the last segments of the log are missing");
        go_on_behind(0);
    } else if (_i < 4) {
        floor[0] = 240;
        drop_segments(1);
        expect_told(1, "the last segments of the log are missing");
        go_on_behind(240);
    } else if (_i < 6) {
        floor[0] = 200;
        drop_segments(3);
        expect_told(2, "the last segments of the log are missing");
        go_on_behind(200);
    } else {
        drop_segments(3);
        expect_told(1, "/ring-000: a damaged record");
    }
    scene.options.floor_seq = NULL;
}
END_TEST

/* Rings that another store has left in the directory of a new one's. */
START_TEST(old_rings_of_a_new_log)
{
    three_blocks();
    drop_segments(1);
    scene.options.fresh = true;
    ck_assert_int_eq(scene_open(&scene), 0);
    ck_assert_uint_eq(scene.events, 0);
    ck_assert_uint_eq(scene.replayed, 0);
    scene_append(&scene, 0, 1, 100);
    scene_crash(&scene);
    scene.options.fresh = false;
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.events, 0);
    ck_assert_uint_eq(scene.replayed, 1);
}
END_TEST

/* A ring that is gone is missed even if nothing is known of what it held. */
START_TEST(an_empty_ring_is_gone)
{
    ck_assert_int_eq(scene_open(&scene), 0);
    scene_append(&scene, 0, 1, 100);
    ck_assert_int_eq(log_sync(scene.log), 0);
    scene_crash(&scene);
    snprintf(path, sizeof path, "%s/ring-tails", scene.dir);
    int fd = os_open(path, OS_READ | OS_WRITE);
    uint8_t other[BOOT_BYTES] = {0}; /* of another start of the kernel */
    ck_assert_int_eq(os_pwrite(fd, other, sizeof other, TAILS_BOOT), 0);
    os_close(fd);
    snprintf(path, sizeof path, "%s/ring-002", scene.dir);
    ck_assert_int_eq(unlink(path), 0);
    expect_told(1, "/ring-002 is missing or cut short");
    ck_assert_uint_eq(scene.replayed, 1);
}
END_TEST

/* The header of the second segment says that more came before it. */
START_TEST(a_header_that_does_not_follow)
{
    ck_assert_int_eq(scene_open(&scene), 0);
    for (uint64_t i = 1; i <= 250; i++)
        scene_append(&scene, 0, i, 30000);
    scene_stop(&scene);
    load(2);
    uint64_t before = get64(image + SEG_PLACES + 8);
    ck_assert_uint_gt(before, 5);
    put64(image + SEG_PLACES + 8, before + 1);
    store_header();
    scene_replay_only(&scene);
    /* Up to the last cut before it. */
    ck_assert_uint_le(scene.replayed, before);
    ck_assert_uint_gt(scene.replayed, before - 5);
    ck_assert_uint_eq(scene.seen.last_value[0], scene.replayed);
    ck_assert_uint_eq(scene.events, 1);
    ck_assert_msg(strstr(scene.event_text, "00000002.wlog: blocks are missing "
                                           "before this segment at byte 0"),
                  "%s", scene.event_text);
    put64(image + SEG_PLACES + 8, before);
    store_header();
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 250);
}
END_TEST

/* ---- what is wrong ---- */

/* A payload that is longer than its records: the block does not count, and it
 * was durable, so that is damage. */
START_TEST(bytes_behind_the_last_record)
{
    three_blocks();
    load(1);
    uint8_t *block = second_block();
    uint32_t payload = get32(block + BLOCK_PAYLOAD);
    for (uint32_t more = 8; more <= 24; more += 16) {
        put32(block + BLOCK_PAYLOAD, payload + more);
        put32(block + BLOCK_CRC, log_block_crc(block));
        store();
        atomic_store(&scene.events, 0);
        scene_replay_only(&scene);
        ck_assert_uint_eq(scene.replayed, 0);
        ck_assert_uint_eq(scene.events, 1);
        ck_assert_msg(strstr(scene.event_text, "00000001.wlog: a damaged "
                                               "record or block at byte"),
                      "%s", scene.event_text);
    }
    put32(block + BLOCK_PAYLOAD, payload);
    put32(block + BLOCK_CRC, log_block_crc(block));
    store();
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 3);
}
END_TEST

static void sum_record(uint8_t *record)
{
    uint64_t position = get64(image + SEG_PLACES); /* of shard 0 */
    ck_assert_int_eq(log_open(&scene.options, &scene.log), 0);
    put32(record + REC_CRC,
          log_record_crc(scene.log, position, record,
                         get32(record + REC_BYTES)));
    log_close(&scene.log);
}

/* Batches of no parts, without a number; a frame of another shard. */
START_TEST(impossible_records)
{
    uint64_t position = 0, seq;
    uint8_t body[100], saved[64];
    scene_body(body, sizeof body, 1);
    ck_assert_int_eq(scene_open(&scene), 0);
    ck_assert_int_eq(log_append(scene.log, 0, 77, 1, body, sizeof body, false,
                                &seq, &position), 0);
    ck_assert_int_eq(log_wait(scene.log, 0, position), 0);
    scene_stop(&scene);
    scene_replay_only(&scene); /* a batch of one part is whole */
    ck_assert_uint_eq(scene.replayed, 1);
    load(1);
    uint8_t *record = second_block() + BLOCK_HEADER_BYTES;
    memcpy(saved, record, sizeof saved);
    for (int i = 0; i < 4; i++) {
        if (i == 0)
            put32(record + REC_BATCH_PARTS, 0);
        else if (i == 1)
            put64(record + REC_BATCH_ID, 0);
        else if (i == 2)
            put16(record + REC_SHARD, SCENE_SHARDS);
        else
            put32(record + REC_BYTES, REC_HEADER_BYTES); /* and no batch */
        sum_record(record);
        store();
        atomic_store(&scene.events, 0);
        scene_replay_only(&scene);
        ck_assert_uint_eq(scene.replayed, 0);
        ck_assert_uint_eq(scene.events, 1);
        ck_assert_msg(strstr(scene.event_text, "a damaged record or block"),
                      "%s", scene.event_text);
        memcpy(record, saved, sizeof saved);
    }
    store();
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 1);
}
END_TEST

/* A block whose file ends before it does: the rings still hold it. */
START_TEST(a_block_that_is_cut)
{
    three_blocks();
    load(1);
    uint64_t at = LOG_HEADER_BYTES + LOG_PAGE + BLOCK_HEADER_BYTES + 20;
    ck_assert_int_eq(truncate(path, (off_t)at), 0);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 3);
    ck_assert_uint_eq(scene.events, 0);
    ck_assert_int_eq(truncate(path, LOG_HEADER_BYTES - 1), 0);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 0);
    /* It goes on behind it. */
    ck_assert_int_eq(scene_open(&scene), 0);
    scene_append(&scene, 0, 1, 100);
    scene_stop(&scene);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.replayed, 1);
}
END_TEST

/* Names that only look like segments are left alone. */
START_TEST(other_files_are_left_alone)
{
    static const char *const names[] = {"x.wlog", "1.wlog.old", "free-1.wlogx",
                                        "free-00000009.wlog", "12wlog"};
    three_blocks();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", scene.dir, names[i]);
        int fd = os_open(path, OS_WRITE | OS_CREATE);
        ck_assert_int_ge(fd, 0);
        os_close(fd);
        ck_assert_uint_eq(log_segment_number(names[i]), 0);
    }
    ck_assert_int_eq(scene_open(&scene), 0);
    ck_assert_uint_eq(scene.replayed, 3);
    scene_stop(&scene);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", scene.dir, names[i]);
        ck_assert_int_eq(os_exists(path), 1);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_forged");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, options_are_bounded);
    tcase_add_test(all, a_log_has_an_order_of_calls);
    tcase_add_test(all, a_later_format_is_refused);
    tcase_add_test(all, a_length_of_rings_is_checked);
    tcase_add_test(all, a_gap_is_told);
    tcase_add_test(all, a_gap_that_the_tiers_hold);
    tcase_add_loop_test(all, the_end_is_gone, 0, 8);
    tcase_add_test(all, old_rings_of_a_new_log);
    tcase_add_test(all, an_empty_ring_is_gone);
    tcase_add_test(all, a_header_that_does_not_follow);
    tcase_add_test(all, bytes_behind_the_last_record);
    tcase_add_test(all, impossible_records);
    tcase_add_test(all, a_block_that_is_cut);
    tcase_add_test(all, other_files_are_left_alone);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
