/* One call after the other fails: of memory, then of the system (an error of
 * the disk, then no space), once each, in the life of a log, of disk segments
 * and of a store. Each gives an error with a sentence, or goes on; nothing
 * leaks or crashes, and what was acknowledged is there when it is opened again.
 * Between two faults some are skipped, more the longer a life is:
 * EACH_FAULT=all skips none. */
#include "fault.h"

#include "disk.h"
#include "error.h"
#include "log.h"
#include "os.h"
#include "scratch.h"
#include "store_sample.h"

#include <errno.h>
#include <string.h>
#include <warp/warp.h>

enum { SHARDS = 2, COMMITS = 30, VALUES = 40, RECORDS = 40 };

static char dir[300];
static uint64_t acked;

static void fresh(void)
{
    char command[700];
    snprintf(dir, sizeof dir, "%s/life", scratch_path);
    snprintf(command, sizeof command, "rm -rf '%s' && mkdir '%s'", dir, dir);
    ck_assert_int_eq(system(command), 0);
    acked = 0;
}

/* An error has a sentence. Nothing is asserted while a call is to fail: Check
 * asks for memory, too. */
static int silent, left_open;

static int said(int rc)
{
    silent += rc < 0 && error_text()[0] == 0;
    return rc;
}

/* ---- a log ---- */

static _Atomic uint64_t seen, wrong;

static int on_commit(void *arg, uint32_t shard, uint64_t seq,
                     const uint8_t *body, size_t bytes)
{
    uint64_t n = 0;
    (void)arg;
    (void)shard;
    (void)seq;
    memcpy(&n, body, sizeof n < bytes ? sizeof n : bytes);
    if (bytes != 8 + n * 97 % 900)
        wrong++;
    seen++;
    return 0;
}

static int log_life(struct log **log)
{
    static const uint64_t floors[SHARDS];
    static uint8_t body[1000];
    struct log_options options = {.dir = dir,
                                  .ring_dir = dir,
                                  .shards = SHARDS,
                                  .ring_bytes = 64 << 10,
                                  .writes_in_flight = 1,
                                  .sync_every_ms = 10,
                                  .store_id = "0123456789abcde",
                                  .floor_seq = floors};
    int64_t clock = 0;
    uint64_t replayed, seq, position, mark;
    seen = 0;
    int rc = said(log_open(&options, log));
    if (rc == 0)
        rc = said(log_replay(*log, on_commit, NULL, &clock, &replayed));
    if (rc == 0)
        rc = said(log_start(*log));
    if (rc != 0)
        return rc;
    for (uint64_t i = 0; i < COMMITS; i++) {
        uint64_t n = acked + 1;
        memcpy(body, &n, sizeof n);
        rc = said(log_append(*log, (uint32_t)(n % SHARDS), 0, 0, body,
                             8 + n * 97 % 900, false, &seq, &position));
        acked += rc == 0;
        if (rc == 0 && i % 10 == 3)
            said(log_wait(*log, (uint32_t)(n % SHARDS), position));
    }
    said(log_sync(*log));
    if (said(log_mark(*log, &mark)) == 0)
        return said(log_stop(*log));
    return WARP_EIO;
}

static void log_once(void)
{
    struct log *log = NULL;
    log_life(&log);
    log_close(&log);
}

static void log_check(void)
{
    struct log *log = NULL;
    uint64_t before = acked;
    int rc = log_life(&log);
    ck_assert_msg(rc == 0, "opened again: %d, %s", rc, error_text());
    log_close(&log);
    /* What failed may be there as well. */
    ck_assert_msg(seen >= before && wrong == 0,
                  "%llu acknowledged, %llu there, %llu of them wrong",
                  (unsigned long long)before, (unsigned long long)seen,
                  (unsigned long long)wrong);
}

/* ---- disk segments ---- */

static struct {
    struct disk_place place;
    bool synced, moved;
    struct disk_place to;
} values[2 * VALUES];
static uint32_t value_count;

static uint32_t value_bytes(uint32_t n)
{
    return n % 10 == 7 ? 9000 : n * 61 % 700;
}

static void *take(void *arg, size_t bytes)
{
    static uint8_t to[16384];
    *(uint8_t **)arg = to;
    return bytes <= sizeof to ? to : NULL;
}

static int move(void *arg, const void *owner, size_t owner_bytes,
                uint64_t version, struct disk_place from, const void *value,
                size_t bytes)
{
    (void)from;
    return disk_append(arg, WARP_COMPRESS_FAST, owner, owner_bytes, version,
                       value, bytes, &values[version].to);
}

static void disk_append_all(struct disk *disk)
{
    static uint8_t value[16384];
    uint32_t from = value_count;
    int rc = 0;
    for (uint32_t i = 0; i < VALUES && rc == 0; i++) {
        uint32_t n = value_count;
        memset(value, (int)n, sizeof value);
        rc = said(disk_append(disk, (int)(n % 4), &n, 4, n, value,
                              value_bytes(n), &values[n].place));
        value_count += rc == 0;
    }
    rc = said(disk_sync(disk));
    if (rc != 0)
        disk_rollback(disk);
    for (uint32_t n = from; n < value_count; n++)
        values[n].synced = rc == 0;
}

static void disk_once(void)
{
    struct disk *disk = NULL;
    uint8_t *at = NULL;
    if (said(disk_open(dir, false, 128 << 10, NULL, NULL, &disk)) != 0)
        return;
    for (uint32_t n = 0; n < value_count; n++) {
        said(disk_read(disk, values[n].place, take, &at));
        disk_recount(disk, values[n].place);
    }
    disk_recounted(disk);
    disk_append_all(disk);
    said(disk_verify(disk, NULL, NULL));
    /* Moved, but the directory keeps the old places. */
    if (said(disk_compact(disk, 101, move, disk)) >= 0)
        said(disk_sync(disk));
    disk_rollback(disk);
    said(disk_reclaim(disk));
    disk_close(&disk);
}

static void disk_check_all(void)
{
    struct disk *disk = NULL;
    int rc = disk_open(dir, true, 0, NULL, NULL, &disk);
    ck_assert_msg(rc == 0, "opened again: %d, %s", rc, error_text());
    for (uint32_t n = 0; n < value_count; n++) {
        uint8_t *at = NULL;
        if (!values[n].synced)
            continue;
        rc = disk_read(disk, values[n].place, take, &at);
        ck_assert_msg(rc == 0, "value %u: %d, %s", n, rc, error_text());
        for (uint32_t i = 0; i < value_bytes(n); i++)
            ck_assert_int_eq(at[i], (uint8_t)n);
    }
    disk_close(&disk);
}

/* ---- a store ---- */

static char text[RECORDS + 1][600];

static int store_open(struct warp_db **db)
{
    struct warp_options options = WARP_OPTIONS_INIT;
    options.shards = SHARDS;
    options.ring_bytes = 64 << 10;
    options.log_writes_in_flight = 1;
    options.ssd_map_bytes = 64 << 20;
    options.disk_reserve_bytes = 1;
    return warp_open(dir, &sample_schema, &options, db);
}

static int store_put(struct warp_db *db, uint64_t id)
{
    struct sample_thing thing = {.id = id, .owner = id % 7};
    thing.gold = (int64_t)id * 3;
    memset(text[id], (int)('a' + id % 26), id * 13 % 599);
    thing.note = warp_str(text[id]);
    thing.far = warp_str(text[id]);
    thing.picture = warp_str(text[id]);
    return warp_gen_put(db, &sample_thing_product, &thing,
                        BIT(THING_OWNER) | BIT(THING_GOLD) | BIT(THING_NOTE) |
                            BIT(THING_FAR) | BIT(THING_PICTURE));
}

static int store_get(struct warp_db *db, uint64_t id, struct warp_arena *arena)
{
    struct sample_thing thing;
    return warp_gen_get(db, &sample_thing_product, &id,
                        BIT(THING_OWNER) | BIT(THING_GOLD) | BIT(THING_NOTE) |
                            BIT(THING_FAR) | BIT(THING_PICTURE),
                        &thing, arena);
}

static bool was_acked[RECORDS + 1];

static void store_once(void)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_db *db = NULL;
    memset(was_acked, 0, sizeof was_acked);
    if (said(store_open(&db)) != WARP_OK)
        return;
    for (uint64_t id = 1; id <= RECORDS; id++) {
        was_acked[id] = said(store_put(db, id)) == WARP_OK;
        if (id == RECORDS / 2)
            said(warp_checkpoint(db));
        said(store_get(db, id / 2 + 1, &arena));
        warp_arena_reset(&arena);
    }
    said(warp_sync(db));
    said(warp_close(&db));
    warp_arena_free(&arena);
    left_open += db != NULL;
}

static void store_check(void)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_db *db = NULL;
    int rc = store_open(&db);
    ck_assert_msg(rc == WARP_OK, "opened again: %d, %s", rc, warp_errmsg(NULL));
    for (uint64_t id = 1; id <= RECORDS; id++) {
        rc = store_get(db, id, &arena);
        ck_assert_msg(rc == WARP_OK || (!was_acked[id] && rc == WARP_ENOTFOUND),
                      "record %llu: %d, %s", (unsigned long long)id, rc,
                      warp_errmsg(db));
        warp_arena_reset(&arena);
    }
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    warp_arena_free(&arena);
}

/* ---- all of them ---- */

static const struct {
    const char *name;
    void (*once)(void), (*check)(void);
} lives[] = {{"log", log_once, log_check},
             {"disk", disk_once, disk_check_all},
             {"store", store_once, store_check}};
static const struct {
    enum fault_kind kind;
    int code;
} faults[] = {
    {FAULT_MEMORY, ENOMEM}, {FAULT_SYSTEM, EIO}, {FAULT_SYSTEM, ENOSPC}};
enum { LIVES = sizeof lives / sizeof lives[0], FAULTS = 3 };

static uint64_t next_fault(uint64_t n)
{
    const char *all = getenv("EACH_FAULT");
    const char *with = getenv("WARP_TEST_SANITIZE");
    bool slow = with && strcmp(with, "thread") == 0;
    return n + (all ? 1 : 1 + n / (slow ? 3 : 16));
}

START_TEST(each_call_fails_once)
{
    int life = _i / FAULTS, fault = _i % FAULTS;
    uint64_t n = 1, tried = 0;
    bool reached = true;
    for (; reached; n = next_fault(n)) {
        fresh();
        value_count = 0;
        /* Half of the lives begin where another one has ended. */
        if (n % 2 == 0)
            lives[life].once();
        fault_arm(faults[fault].kind, n, faults[fault].code);
        lives[life].once();
        reached = fault_disarm();
        ck_assert_msg(silent == 0, "fault %llu: an error without a sentence",
                      (unsigned long long)n);
        ck_assert_int_eq(left_open, 0);
        lives[life].check();
        tried++;
    }
    ck_assert_uint_gt(tried, 5);
}
END_TEST

/* ---- a store that opens has all of it ---- */

START_TEST(what_opens_has_all)
{
    bool reached = true;
    fresh();
    store_once();
    for (uint64_t n = 1; reached; n = next_fault(n)) {
        struct warp_arena arena = WARP_ARENA_INIT;
        struct warp_db *db = NULL;
        fault_arm(faults[_i].kind, n, faults[_i].code);
        int rc = said(store_open(&db));
        reached = fault_disarm();
        for (uint64_t id = 1; id <= RECORDS && rc == WARP_OK; id++) {
            int got = store_get(db, id, &arena);
            ck_assert_msg(got == WARP_OK, "fault %llu, record %llu: %d, %s",
                          (unsigned long long)n, (unsigned long long)id, got,
                          warp_errmsg(db));
            warp_arena_reset(&arena);
        }
        warp_arena_free(&arena);
        if (rc == WARP_OK)
            ck_assert_int_eq(warp_close(&db), WARP_OK);
    }
    ck_assert_int_eq(silent, 0);
}
END_TEST

/* ---- a store that was killed while it was made ---- */

static void make_draft(void)
{
    static const uint8_t zeros[8192];
    struct warp_db *db = NULL;
    char header[320], making[320], data[320];
    fresh();
    snprintf(header, sizeof header, "%s/store", dir);
    snprintf(making, sizeof making, "%s/making", dir);
    snprintf(data, sizeof data, "%s/ssd/data.mdb", dir);
    ck_assert_int_eq(store_open(&db), WARP_OK);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    ck_assert_int_eq(rename(header, making), 0);
    int fd = os_open(data, OS_WRITE | OS_CREATE | OS_TRUNC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(os_pwrite(fd, zeros, sizeof zeros, 0), 0);
    os_close(fd);
}

START_TEST(a_draft_is_no_damage)
{
    bool reached = true;
    for (uint64_t n = 1; reached; n = next_fault(n)) {
        struct warp_db *db = NULL;
        make_draft();
        fault_arm(faults[_i].kind, n, faults[_i].code);
        int rc = said(store_open(&db));
        reached = fault_disarm();
        ck_assert_msg(silent == 0 && rc != WARP_ECORRUPT, "fault %llu: %d, %s",
                      (unsigned long long)n, rc, error_text());
        if (rc == WARP_OK)
            ck_assert_int_eq(warp_close(&db), WARP_OK);
        rc = store_open(&db);
        ck_assert_msg(rc == WARP_OK, "%d, %s", rc, warp_errmsg(NULL));
        ck_assert_int_eq(warp_close(&db), WARP_OK);
    }
}
END_TEST

static void set_up(void)
{
    scratch();
}

int main(void)
{
    Suite *suite = suite_create("each_fault");
    TCase *tcase = tcase_create("each_fault");
    tcase_set_timeout(tcase, 220);
    tcase_add_checked_fixture(tcase, set_up, scratch_remove);
    tcase_add_loop_test(tcase, each_call_fails_once, 0, LIVES * FAULTS);
    tcase_add_loop_test(tcase, what_opens_has_all, 0, FAULTS);
    tcase_add_loop_test(tcase, a_draft_is_no_damage, 0, FAULTS);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
