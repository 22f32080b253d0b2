/* Series: elements in memory and on all tiers against a plain array, over
 * checkpoints that succeed and fail, migration, deletes, retention, crashes
 * with a replay, and threads. */
#include "scratch.h"

#include "os.h"
#include "series_chunk.h"
#include "series.h"

#include <stdatomic.h>
#include <string.h>

enum {
    RECORDS = 6, FIELDS = 3, ELEMENTS_MAX = 6000,
    MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR
};

static struct ssd *ssd;
static struct disk *disk;
static struct archive *archive;
static struct series *series;
static struct budget budget;
static const uint8_t store_id[16] = "a store of tests";
static uint64_t seed = 88172645463325252u;

/* Field 0 keeps all in the directory, field 1 deletes after a day, field 2 goes
 * to the disk after a minute and to the archive after an hour. */
static const struct warp_retention day[] = {
    {.tier = WARP_TIER_MEMORY, .age_ms = 1000},
    {.tier = WARP_TIER_SSD, .age_ms = DAY}};
static const struct warp_retention far[] = {
    {.tier = WARP_TIER_SSD, .age_ms = MINUTE},
    {.tier = WARP_TIER_DISK, .age_ms = HOUR},
    {.tier = WARP_TIER_ARCHIVE, .age_ms = INT64_MAX}};
static const struct warp_field fields[FIELDS] = {
    {.name = "all", .flags = WARP_F_SERIES, .type = &warp_type_bytes},
    {.name = "day", .flags = WARP_F_SERIES | WARP_F_THEN_DELETE,
     .type = &warp_type_bytes, .retention = day, .retention_count = 2},
    {.name = "far", .flags = WARP_F_SERIES, .type = &warp_type_bytes,
     .retention = far, .retention_count = 3}};
static const struct warp_product product = {
    .name = "P", .fields = fields, .field_count = FIELDS};
static struct layout layout = {
    .desc = &product, .number = 0x0300, .id = 0x0300, .series = 7,
    .fields = {{.id = 0}, {.id = 1}, {.id = 2}}};
static struct layout *const layouts[] = {&layout};

struct element {
    uint32_t record, field, bytes;
    int64_t at;
    uint64_t order;
    bool gone;
};
static struct element all[ELEMENTS_MAX];
static uint32_t count;
static uint64_t next_order = 1;

static void ok(int rc)
{
    ck_assert_msg(rc == 0, "%d: %s", rc, warp_errmsg(NULL));
}

static uint32_t below(uint32_t n)
{
    return (uint32_t)(scratch_random(&seed) % n);
}

/* Keys with zeros, keys that begin other keys, and one that is too long for the
 * table when it is escaped. */
static struct key_ref key_of(uint32_t record)
{
    static _Thread_local uint8_t space[RECORDS][448];
    static const uint32_t bytes[RECORDS] = {1, 2, 3, 8, 448, 448};
    struct key_ref k = {space[record], bytes[record], layout.number, 0, 0};
    if (record == 4)
        memset(space[record], 'x', 448);
    space[record][0] = (uint8_t)(record < 3 ? 0 : record);
    return k;
}

static uint32_t payload(const struct element *e, uint8_t *to)
{
    for (uint32_t i = 0; i < e->bytes; i++)
        to[i] = (uint8_t)(e->order * 31 + i);
    return e->bytes;
}

static void append(const struct element *e)
{
    static _Thread_local uint8_t bytes[5000];
    struct key_ref key = key_of(e->record);
    struct series_room room;
    payload(e, bytes);
    ok(series_reserve(series, key.count, e->bytes, &room));
    series_append(series, &layout, e->field, &key, &room, e->at, e->order,
                  bytes, e->bytes);
    ck_assert(!room.append.group && !room.append.item);
}

static void add(uint32_t record, uint32_t field, int64_t at)
{
    ck_assert_uint_lt(count, ELEMENTS_MAX);
    struct element *e = &all[count++];
    *e = (struct element){record, field, below(20) ? below(60) : below(5000),
                          at, next_order++ << 16 | below(3), false};
    append(e);
}

static uint64_t dropped[RECORDS];

static void drop(uint32_t record)
{
    struct key_ref key = key_of(record);
    dropped[record] = next_order;
    ok(series_drop(series, &layout, &key, next_order << 16));
    for (uint32_t i = 0; i < count; i++)
        all[i].gone = all[i].gone || all[i].record == record;
    next_order++;
}

/* As a checkpoint: what is at or below the floor is in a flush that was
 * committed, and will not be replayed. */
static uint64_t floor_seq, floor_next;
static bool settles; /* is the log cut after each checkpoint? */

static struct ssd_txn *flush_begin(void)
{
    struct ssd_txn *txn;
    bool wrote;
    floor_next = next_order - 1;
    ok(ssd_begin(ssd, &txn));
    ok(series_flush(series, txn, &wrote));
    if (wrote)
        ok(disk_sync(disk));
    return txn;
}

static void flush_end(struct ssd_txn *txn, bool commit)
{
    if (commit)
        ok(ssd_commit(&txn));
    else
        ssd_abort(&txn);
    if (!commit)
        disk_rollback(disk);
    series_flushed(series, !commit);
    if (commit && settles) {
        floor_seq = floor_next;
        series_settled(series, &floor_seq);
    }
    ok(disk_reclaim(disk));
    ok(archive_reclaim(archive));
}

static void migrate(int64_t now)
{
    bool more = true;
    for (uint32_t steps = 0; more; steps++) {
        ok(series_migrate(series, now, true, &more));
        ck_assert_uint_lt(steps, 1000);
    }
    ok(disk_reclaim(disk));
    ok(archive_reclaim(archive));
}

static struct series_stat stat_of(uint32_t field, int where)
{
    struct series_stat stat[3];
    ok(series_count(series, &layout, field, NULL, stat));
    return stat[where];
}

static uint64_t elements(void)
{
    uint64_t n = 0;
    for (uint32_t f = 0; f < FIELDS; f++)
        for (int where = 0; where < 3; where++)
            n += stat_of(f, where).elements;
    return n;
}

static void bad(void *arg, const char *text)
{
    (void)arg;
    ck_abort_msg("%s", text);
}

static void open_all(void)
{
    char path[600];
    static const _Atomic bool never;
    ok(ssd_open(scratch_path, 64 << 20, false, NULL, NULL, &ssd));
    snprintf(path, sizeof path, "%s/disk", scratch_path);
    ok(os_mkdir(path));
    ok(disk_open(path, false, 0, NULL, NULL, &disk));
    snprintf(path, sizeof path, "%s/archive", scratch_path);
    ok(archive_open(path, store_id, false, NULL, NULL, &archive));
    struct series_config config = {
        .ssd = ssd, .disk = disk, .archive = archive, .budget = &budget,
        .layouts = layouts, .layout_count = 1, .shard_count = 1};
    ok(series_open(&config, &series));
    series_settled(series, &floor_seq);
    ok(series_recount(series, &never));
    disk_recounted(disk);
    archive_recounted(archive);
}

static void close_all(void)
{
    series_close(&series);
    ck_assert_ptr_null(series);
    ck_assert_uint_eq(atomic_load(&budget.used), 0);
    archive_close(&archive);
    disk_close(&disk);
    ssd_close(&ssd);
}

static void set_up(void)
{
    scratch();
    atomic_store(&budget.limit, UINT64_MAX);
    atomic_store(&budget.used, 0);
    count = 0;
    floor_seq = 0;
    settles = false;
    open_all();
}

static void tear_down(void)
{
    ok(series_verify(series, bad, NULL));
    close_all();
    scratch_remove();
}

static int by_time(const void *a, const void *b)
{
    const struct element *x = *(struct element *const *)a;
    const struct element *y = *(struct element *const *)b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static void check_range(uint32_t record, uint32_t field, int64_t from,
                        int64_t to, int64_t now)
{
    static struct element *want[ELEMENTS_MAX];
    static uint8_t bytes[5000];
    struct key_ref key = key_of(record);
    struct series_iter *it;
    const uint8_t *data;
    uint32_t wanted = 0, got;
    int64_t at;
    for (uint32_t i = 0; i < count; i++) {
        struct element *e = &all[i];
        if (e->record == record && e->field == field && !e->gone &&
            e->at >= from && e->at < to && (field != 1 || now - e->at < DAY))
            want[wanted++] = e;
    }
    qsort(want, wanted, sizeof *want, by_time);
    ok(series_range(series, &layout, field, &key, from, to, now, true,
                    &it));
    for (uint32_t i = 0; i < wanted; i++) {
        ok(series_next(it, &at, &data, &got));
        ck_assert_int_eq(at, want[i]->at);
        ck_assert_uint_eq(got, want[i]->bytes);
        payload(want[i], bytes);
        ck_assert(memcmp(bytes, data, got) == 0);
    }
    ck_assert_int_eq(series_next(it, &at, &data, &got), WARP_END);
    series_iter_close(&it);
    ck_assert_ptr_null(it);
}

static void check_all(int64_t now)
{
    for (uint32_t r = 0; r < RECORDS; r++)
        for (uint32_t f = 0; f < FIELDS; f++)
            check_range(r, f, INT64_MIN, INT64_MAX, now);
}

START_TEST(elements_come_in_the_order_of_time)
{
    add(0, 0, 50);
    add(0, 0, -7);
    add(0, 0, 50);
    add(0, 0, 9);
    add(1, 0, 8);
    check_all(0);
    check_range(0, 0, 9, 50, 0);
    check_range(0, 0, 9, 51, 0);
    check_range(0, 0, 50, 50, 0);
    flush_end(flush_begin(), true);
    add(0, 0, 20);
    add(0, 0, 50);
    check_all(0);
    check_range(0, 0, -7, 21, 0);
}
END_TEST

START_TEST(a_replay_adds_nothing)
{
    for (uint32_t i = 0; i < 50; i++)
        add(below(RECORDS), below(FIELDS), below(10));
    for (uint32_t i = 0; i < count; i += 2)
        append(&all[i]);
    flush_end(flush_begin(), true);
    for (uint32_t i = 0; i < count; i += 3)
        append(&all[i]);
    check_all(0);
    struct ssd_txn *txn = flush_begin();
    for (uint32_t i = 0; i < count; i += 3)
        append(&all[i]);
    check_all(0);
    flush_end(txn, true);
    check_all(0);
    flush_end(flush_begin(), true);
    ck_assert_uint_eq(elements(), count);
}
END_TEST

START_TEST(a_delete_hides_at_once)
{
    for (uint32_t i = 0; i < 60; i++)
        add(i % 2, i % FIELDS, i);
    flush_end(flush_begin(), true);
    struct ssd_txn *txn;
    add(0, 0, 70);
    txn = flush_begin(); /* 70 is on its way when its record goes */
    add(0, 0, 71);
    drop(0);
    check_all(0);
    add(0, 0, 30);
    add(0, 0, 5);
    check_all(0);
    flush_end(txn, false);
    check_all(0);
    txn = flush_begin();
    check_all(0);
    flush_end(txn, true);
    check_all(0);
    ck_assert_uint_eq(elements(), 30 + 2);
}
END_TEST

/* The delete is replayed when the table has elements that are newer. */
START_TEST(a_delete_spares_what_came_after_it)
{
    add(2, 0, 10);
    add(2, 0, 30);
    uint64_t floor = next_order++ << 16;
    struct key_ref key = key_of(2);
    add(2, 0, 20);
    all[0].gone = all[1].gone = true;
    flush_end(flush_begin(), true);
    ok(series_drop(series, &layout, &key, floor));
    check_all(0);
    flush_end(flush_begin(), true);
    check_all(0);
    ck_assert_uint_eq(elements(), 1);
}
END_TEST

/* What a crash leaves: the tiers, and the log above the floor. */
static void crash(void)
{
    close_all();
    open_all();
    for (uint32_t i = 0; i < count; i++)
        if (all[i].order >> 16 > floor_seq)
            append(&all[i]);
    for (uint32_t r = 0; r < RECORDS; r++)
        if (dropped[r] > floor_seq) {
            struct key_ref key = key_of(r);
            ok(series_drop(series, &layout, &key, dropped[r] << 16));
        }
}

static void random_changes(uint32_t most, int64_t now)
{
    static const int64_t ages[] = {200, MINUTE, HOUR, 2 * HOUR};
    for (uint32_t n = below(most); n > 0; n--)
        add(below(RECORDS), below(FIELDS),
            now - (int64_t)below((uint32_t)ages[below(4)]));
    if (below(12) == 0)
        drop(below(RECORDS));
}

static void check_some(int64_t now)
{
    int64_t from = now - (int64_t)below(2 * HOUR);
    check_range(below(RECORDS), below(FIELDS), from,
                from + (int64_t)below(HOUR), now);
    check_range(below(RECORDS), below(FIELDS), now - 300, INT64_MAX, now);
}

START_TEST(random_against_an_array)
{
    int64_t now = DAY;
    settles = true;
    for (uint32_t round = 0; round < 300; round++) {
        struct ssd_txn *txn = NULL;
        bool flush = below(3) == 0, commit = below(3) != 0;
        random_changes(12, now);
        if (flush)
            txn = flush_begin();
        random_changes(6, now);
        check_some(now);
        if (flush)
            flush_end(txn, commit);
        if (below(5) == 0)
            migrate(now);
        if (below(15) == 0)
            crash();
        check_some(now);
        if (below(4) == 0)
            now += (int64_t)below(10 * MINUTE);
    }
    check_all(now);
    flush_end(flush_begin(), true);
    check_all(now);
    now += 2 * DAY;
    flush_end(flush_begin(), true);
    migrate(now);
    check_all(now);
    ck_assert_uint_gt(stat_of(2, CHUNK_ARCHIVE).elements, 0);
    ck_assert_uint_eq(stat_of(2, CHUNK_DISK).elements, 0);
    ck_assert_uint_eq(stat_of(2, CHUNK_HERE).elements, 0);
    ck_assert_uint_eq(stat_of(1, CHUNK_HERE).elements, 0);
    crash();
    check_all(now);
}
END_TEST

START_TEST(elements_move_by_age)
{
    struct series_iter *it;
    struct key_ref key = key_of(3);
    settles = true;
    for (int64_t at = 0; at < 3 * HOUR; at += 10000)
        add(3, 2, at);
    flush_end(flush_begin(), true);
    migrate(0);
    ck_assert_uint_eq(stat_of(2, CHUNK_HERE).elements, count);
    check_all(3 * HOUR);
    int64_t now = 3 * HOUR;
    migrate(now);
    check_all(now);
    /* Chunks move as a whole, late by 1/16 of the age at most. */
    ck_assert_uint_le(stat_of(2, CHUNK_HERE).elements, 8);
    ck_assert_uint_le(stat_of(2, CHUNK_DISK).elements, 360 + 30);
    ck_assert_uint_ge(stat_of(2, CHUNK_ARCHIVE).elements, 2 * 360 - 30);
    /* The archive is read with permission only. */
    ck_assert_int_eq(series_range(series, &layout, 2, &key, 0, INT64_MAX, now,
                                  false, &it),
                     WARP_EARCHIVE);
    ck_assert_ptr_null(it);
    ok(series_range(series, &layout, 2, &key, now - HOUR / 2, INT64_MAX, now,
                    false, &it));
    series_iter_close(&it);
    /* Late elements join them. */
    for (int64_t at = 5; at < HOUR; at += 70000)
        add(3, 2, at);
    add(3, 2, -5);
    add(3, 2, 0);
    check_all(now);
    flush_end(flush_begin(), true);
    check_all(now);
    migrate(now);
    check_all(now);
    now += 2 * HOUR;
    migrate(now);
    check_all(now);
    ck_assert_uint_eq(stat_of(2, CHUNK_ARCHIVE).elements, count);
    /* Segments of chunks that were put together are gone. */
    struct archive_stat stat;
    archive_stat(archive, &stat);
    ck_assert_uint_le(stat.file_bytes,
                      3 * stat_of(2, CHUNK_ARCHIVE).packed_bytes + 4096);
    drop(3);
    flush_end(flush_begin(), true);
    check_all(now);
    ck_assert_uint_eq(elements(), 0);
    archive_stat(archive, &stat);
    ck_assert_uint_eq(stat.segments, 0);
}
END_TEST

/* More elements of one time than a chunk or a step holds. */
START_TEST(many_of_one_time)
{
    settles = true;
    for (uint32_t i = 0; i < 5000; i++) {
        add(2, 2, i % 50 == 0 ? 99 : 100);
        if (i % 1500 == 0)
            flush_end(flush_begin(), true);
    }
    check_all(0);
    flush_end(flush_begin(), true);
    check_all(0);
    for (uint32_t i = 0; i < 20; i++)
        add(2, 2, 100);
    check_all(0);
    flush_end(flush_begin(), true);
    flush_end(flush_begin(), true);
    check_all(0);
    migrate(HOUR / 2);
    check_all(HOUR / 2);
    add(2, 2, 100);
    flush_end(flush_begin(), true);
    check_all(HOUR / 2);
    migrate(DAY);
    check_all(DAY);
}
END_TEST

START_TEST(retention_hides_to_the_millisecond)
{
    for (uint32_t f = 0; f < FIELDS; f++)
        for (int64_t at = 0; at < 5; at++)
            add(3, f, at);
    for (int64_t now = DAY - 2; now < DAY + 8; now++)
        check_all(now);
    flush_end(flush_begin(), true);
    for (int64_t now = DAY - 2; now < DAY + 8; now++)
        check_all(now);
    check_all(INT64_MAX);
}
END_TEST

static uint32_t kept(int64_t now)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        n += !all[i].gone && (all[i].field != 1 || now - all[i].at < DAY);
    return n;
}

START_TEST(what_expired_leaves_the_table)
{
    bool more;
    for (uint32_t i = 0; i < 3000; i++)
        add(below(RECORDS), below(FIELDS), (int64_t)below(10000));
    flush_end(flush_begin(), true);
    ck_assert_uint_eq(elements(), 3000);
    int64_t now = DAY + 15000;
    check_all(now);
    ok(series_migrate(series, 0, false, &more)); /* what is due when */
    /* Past the end by less than a walk is worth: hidden, still there. */
    ok(series_migrate(series, now, false, &more));
    ck_assert_uint_gt(stat_of(1, CHUNK_HERE).elements, 0);
    now = DAY + 2 * HOUR;
    do
        ok(series_migrate(series, now, false, &more));
    while (more);
    check_all(now);
    ck_assert_uint_eq(elements(), kept(now));
    /* A late element is found again. */
    add(0, 1, 7);
    flush_end(flush_begin(), true);
    ck_assert_uint_eq(elements(), kept(now) + 1);
    do
        ok(series_migrate(series, now, false, &more));
    while (more);
    ck_assert_uint_eq(elements(), kept(now));
    close_all();
    open_all();
    check_all(now);
}
END_TEST

START_TEST(a_reservation_is_all_or_nothing)
{
    struct series_room room;
    atomic_store(&budget.limit, 1000);
    ck_assert_int_eq(series_reserve(series, 8, 2000, &room), WARP_ELIMIT);
    ck_assert_uint_eq(atomic_load(&budget.used), 0);
    ok(series_reserve(series, 8, 100, &room));
    ck_assert_uint_gt(atomic_load(&budget.used), 100);
    series_unreserve(series, &room);
    ck_assert_uint_eq(atomic_load(&budget.used), 0);
    ok(series_reserve(series, 8, 4, &room));
    atomic_store(&budget.limit, 0);
    struct key_ref key = key_of(3);
    struct element *e = &all[count++];
    *e = (struct element){3, 0, 4, 1, 1, false};
    uint8_t bytes[4];
    payload(e, bytes);
    series_append(series, &layout, 0, &key, &room, 1, 1, bytes, 4);
    check_all(0);
    drop(3); /* a delete needs no room */
    check_all(0);
}
END_TEST

/* ---- threads ---- */

enum { STABLE = 200 };
static _Atomic bool stop;

static void *append_some(void *arg)
{
    uint32_t number = *(uint32_t *)arg;
    uint64_t s = 99 + number, order = UINT64_C(1) << 40;
    while (!atomic_load(&stop)) {
        /* Odd times come from here, even ones were there before. */
        order++;
        struct element e = {number, 0, 8,
                            (int64_t)(scratch_random(&s) % STABLE) * 2 + 1,
                            order % 8 + 1, false};
        append(&e);
        if (order % 500 == 0) {
            struct key_ref other = key_of(5);
            ok(series_drop(series, &layout, &other, order));
        }
    }
    return NULL;
}

static void *flush_some(void *arg)
{
    uint32_t n = 0;
    (void)arg;
    while (!atomic_load(&stop)) {
        struct ssd_txn *txn = flush_begin();
        bool more;
        flush_end(txn, ++n % 4 != 0);
        ok(series_migrate(series, 0, true, &more));
    }
    return NULL;
}

START_TEST(threads_see_each_element_once)
{
    struct os_thread threads[3];
    uint32_t numbers[2] = {0, 1};
    atomic_store(&stop, false);
    for (uint32_t i = 0; i < STABLE; i++)
        add(0, 0, i * 2);
    for (uint32_t i = 0; i < 2; i++)
        ok(os_thread_start(&threads[i], append_some, &numbers[i], "append"));
    ok(os_thread_start(&threads[2], flush_some, NULL, "flush"));
    struct key_ref key = key_of(0);
    for (int64_t end = os_mono_ns() + 1500000000; os_mono_ns() < end;) {
        struct series_iter *it;
        const uint8_t *data;
        uint32_t bytes, stable = 0;
        int64_t last = -1, at;
        int rc;
        ok(series_range(series, &layout, 0, &key, 0, INT64_MAX, 0, false,
                        &it));
        while ((rc = series_next(it, &at, &data, &bytes)) == 0) {
            ck_assert_int_ge(at, last);
            ck_assert(at % 2 == 1 || at == (int64_t)stable * 2);
            stable += at % 2 == 0;
            last = at;
        }
        ck_assert_int_eq(rc, WARP_END);
        ck_assert_uint_eq(stable, STABLE);
        series_iter_close(&it);
    }
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < 3; i++)
        os_thread_join(&threads[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("series");
    TCase *tc = tcase_create("series");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 100);
    tcase_add_test(tc, elements_come_in_the_order_of_time);
    tcase_add_test(tc, a_replay_adds_nothing);
    tcase_add_test(tc, a_delete_hides_at_once);
    tcase_add_test(tc, a_delete_spares_what_came_after_it);
    tcase_add_test(tc, random_against_an_array);
    tcase_add_test(tc, elements_move_by_age);
    tcase_add_test(tc, many_of_one_time);
    tcase_add_test(tc, retention_hides_to_the_millisecond);
    tcase_add_test(tc, what_expired_leaves_the_table);
    tcase_add_test(tc, a_reservation_is_all_or_nothing);
    tcase_add_test(tc, threads_see_each_element_once);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
