/* The disk tier: every value comes back, before and after a sync, an open, a
 * rewrite; what was rolled back is gone; readers beside a writer. Damage and
 * full disks are in disk_damage.c. */
#include "disk_sample.h"
#include "segment.h"

#include <stdatomic.h>

START_TEST(every_size_at_every_level)
{
    static const uint32_t sizes[] = {0,     1,     15,     100,   4095,
                                     16383, 16384, 20000,  32767, 32768,
                                     32769, 65536, 100000, 204800};
    for (uint32_t i = 0; i < 14; i++)
        for (int level = 0; level <= WARP_COMPRESS_MAXIMUM; level++)
            sample_append(sizes[i], level);
    sample_check_all();
    ck_assert_int_eq(disk_sync(disk), 0);
    sample_check_all();
    sample_reopen(false);
    sample_check_all();
    sample_reopen(true);
    sample_check_all();
    struct disk_place place;
    ck_assert_int_eq(
        disk_append(disk, WARP_COMPRESS_FAST, "o", 1, 1, "v", 1, &place),
        WARP_EREADONLY);
    sample_verify(0);
}
END_TEST

START_TEST(places_are_sixteen_bytes)
{
    struct disk_place a = {1, 0x10203, 0xfffe, 77, 0xabcdef9}, b;
    struct disk_place c = {DISK_ARCHIVED | 7, 0xfffffff1, 0xfffffff2, 77, 0};
    uint8_t bytes[DISK_PLACE_BYTES];
    disk_place_encode(&a, bytes);
    disk_place_decode(bytes, &b);
    ck_assert(memcmp(&a, &b, sizeof a) == 0);
    disk_place_encode(&c, bytes);
    disk_place_decode(bytes, &b);
    ck_assert(memcmp(&c, &b, sizeof c) == 0);
    disk_place_encode(&a, bytes);
    ck_assert_uint_eq(bytes[0], 1);
    ck_assert_uint_eq(bytes[4], 3);
}
END_TEST

START_TEST(wrong_places_are_errors)
{
    uint32_t n = sample_append(1000, WARP_COMPRESS_FAST);
    ck_assert_int_eq(disk_sync(disk), 0);
    struct disk_place right = samples[n].place, p = right;
    p.segment = 99;
    ck_assert_int_eq(sample_read(p), WARP_ENOTFOUND);
    p.segment = 0;
    ck_assert_int_eq(sample_read(p), WARP_ENOTFOUND);
    p = right, p.bytes++;
    ck_assert_int_eq(sample_read(p), WARP_ECORRUPT);
    p = right, p.offset++;
    ck_assert_int_eq(sample_read(p), WARP_ECORRUPT);
    p = right, p.offset = UINT32_MAX;
    ck_assert_int_eq(sample_read(p), WARP_ECORRUPT);
    p = right, p.offset = 0;
    ck_assert_int_eq(sample_read(p), WARP_ECORRUPT);
    p = right, p.block++;
    ck_assert_int_eq(sample_read(p), WARP_ECORRUPT);
    p = right, p.block = UINT32_MAX;
    ck_assert_int_eq(sample_read(p), WARP_ECORRUPT);
    p = right, p.block = 0;
    ck_assert_int_eq(sample_read(p), WARP_ECORRUPT);
    ck_assert_msg(strstr(warp_errmsg(NULL), "00000001.wseg") &&
                      strstr(warp_errmsg(NULL), "offset 0"),
                  "%s", warp_errmsg(NULL));
    ck_assert_int_eq(sample_read(right), 0);
    struct disk_place place;
    ck_assert_int_eq(disk_append(disk, 9, "o", 1, 1, "v", 1, &place),
                     WARP_EINVAL);
    ck_assert_int_eq(disk_append(disk, 1, sample_bytes(0),
                                 DISK_OWNER_BYTES_MAX + 1, 1, "v", 1, &place),
                     WARP_EINVAL);
}
END_TEST

/* S4 */
START_TEST(full_segments_are_sealed)
{
    for (uint32_t i = 0; i < 3000; i++)
        sample_append(100 + i % 900,
                      i % 2 ? WARP_COMPRESS_NONE : WARP_COMPRESS_MAXIMUM);
    ck_assert_int_eq(disk_sync(disk), 0);
    struct disk_stat stat, again;
    disk_stat(disk, &stat);
    ck_assert_uint_ge(stat.segments, 3);
    ck_assert(stat.stored_bytes < stat.raw_bytes &&
              stat.stored_bytes < stat.file_bytes &&
              stat.live_bytes <= stat.raw_bytes);
    sample_check_all();
    sample_verify(0);
    sample_reopen(false);
    sample_check_all();
    disk_stat(disk, &again);
    ck_assert_uint_eq(again.live_bytes, 0);
    sample_recount();
    disk_stat(disk, &again);
    ck_assert(memcmp(&stat, &again, sizeof stat) == 0);
    sample_verify(0);
}
END_TEST

/* S7: owners and versions lie within the footer's bounds, and every block that
 * a place names is listed. */
START_TEST(footers_bound_their_entries)
{
    char name[SEGMENT_NAME_BYTES], path[300];
    struct segment_index index = {0};
    struct segment_file file = {.number = 1, .dir = dir};
    for (uint32_t i = 0; i < 2000; i++)
        sample_append(100 + i % 900, WARP_COMPRESS_NONE);
    ck_assert_int_eq(disk_sync(disk), 0);
    segment_name(1, name);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    file.fd = os_open(path, OS_READ);
    ck_assert_int_eq(os_size(file.fd, &file.bytes), 0);
    ck_assert_int_eq(segment_read_footer(&file, &index), 0);
    uint32_t entries = 0;
    for (uint32_t n = 0; n < sample_count; n++) {
        if (samples[n].place.segment != 1)
            continue;
        uint32_t k = 0;
        while (k < index.block_count &&
               index.block[k].unit != samples[n].place.block)
            k++;
        ck_assert_uint_lt(k, index.block_count);
        ck_assert(n >= index.version_min && n <= index.version_max);
        char low[32] = {0}, high[32] = {0};
        memcpy(low, index.owner_min, index.owner_min_bytes);
        memcpy(high, index.owner_max, index.owner_max_bytes);
        ck_assert(strcmp(samples[n].owner, low) >= 0 &&
                  strcmp(samples[n].owner, high) <= 0);
        entries++;
    }
    ck_assert_uint_eq(entries, index.entry_count);
    ck_assert_uint_gt(entries, 300);
    segment_index_free(&index);
    os_close(file.fd);
}
END_TEST

START_TEST(a_rollback_takes_back_to_the_last_sync)
{
    struct disk_stat before, after;
    for (uint32_t i = 0; i < 500; i++)
        sample_append(700, WARP_COMPRESS_FAST);
    ck_assert_int_eq(disk_sync(disk), 0);
    disk_stat(disk, &before);
    uint32_t kept = sample_count;
    for (uint32_t i = 0; i < 3000; i++)
        sample_append(i % 100 == 0 ? 50000 : 700,
                      i % 2 ? WARP_COMPRESS_NONE : WARP_COMPRESS_FAST);
    uint32_t forgotten = sample_count;
    disk_rollback(disk);
    disk_stat(disk, &after);
    ck_assert_uint_eq(before.live_bytes, after.live_bytes);
    ck_assert_uint_eq(before.raw_bytes, after.raw_bytes);
    for (uint32_t i = kept; i < forgotten; i++)
        ck_assert_int_ne(sample_read(samples[i].place), 0);
    sample_count = kept;
    sample_check_all();
    for (uint32_t i = 0; i < 1000; i++)
        sample_append(701, WARP_COMPRESS_FAST);
    sample_check_all();
    ck_assert_int_eq(disk_sync(disk), 0);
    sample_reopen(false);
    sample_check_all();
    sample_verify(0);
}
END_TEST

/* S3, S5 */
START_TEST(what_was_not_synced_is_no_harm)
{
    for (uint32_t i = 0; i < 100; i++)
        sample_append(700, WARP_COMPRESS_FAST);
    ck_assert_int_eq(disk_sync(disk), 0);
    uint32_t kept = sample_count;
    for (uint32_t i = 0; i < 100; i++)
        sample_append(701, WARP_COMPRESS_FAST);
    sample_count = kept;
    sample_reopen(false);
    sample_check_all();
    for (uint32_t i = 0; i < 100; i++)
        sample_append(702, WARP_COMPRESS_FAST);
    ck_assert_int_eq(disk_sync(disk), 0);
    sample_check_all();
    sample_reopen(false);
    sample_check_all();
    sample_verify(0);
}
END_TEST

/* ---- space ---- */
static uint32_t moved;

static int move(void *arg, const void *owner, size_t owner_bytes,
                uint64_t version, struct disk_place place, const void *value,
                size_t bytes)
{
    uint32_t n = (uint32_t)version;
    int *fail_at = arg;
    ck_assert(n < SAMPLES);
    ck_assert_uint_eq(owner_bytes, sample_owner_bytes(n));
    ck_assert(memcmp(owner, samples[n].owner, owner_bytes) == 0);
    if (fail_at && (*fail_at)-- == 0)
        return WARP_EIO;
    if (samples[n].dead || memcmp(&samples[n].place, &place, sizeof place) != 0)
        return 0;
    ck_assert_uint_eq(bytes, samples[n].bytes);
    samples[n].old = place;
    samples[n].moved = true;
    moved++;
    return disk_append(disk, samples[n].level, owner, owner_bytes, version,
                       value, bytes, &samples[n].place);
}

static void commit_moves(bool good)
{
    if (good)
        ck_assert_int_eq(disk_sync(disk), 0);
    else
        disk_rollback(disk);
    for (uint32_t i = 0; i < sample_count; i++) {
        if (!samples[i].moved)
            continue;
        if (good)
            disk_free(disk, samples[i].old);
        else
            samples[i].place = samples[i].old;
        samples[i].moved = false;
    }
    if (good)
        ck_assert_int_eq(disk_reclaim(disk), 0);
}

START_TEST(compaction_gives_space_back)
{
    struct disk_stat before, after;
    for (uint32_t i = 0; i < 6000; i++)
        sample_append(400 + i % 500, WARP_COMPRESS_NONE);
    ck_assert_int_eq(disk_sync(disk), 0);
    for (uint32_t i = 0; i < sample_count; i++)
        if (i % 5 != 0)
            sample_kill(i);
    ck_assert_int_eq(disk_reclaim(disk), 0);
    disk_stat(disk, &before);
    /* A walk that is ended by the caller is not done. */
    int fail_at = 3;
    moved = 0;
    ck_assert_int_eq(disk_compact(disk, 50, move, &fail_at), WARP_EIO);
    commit_moves(false);
    sample_check_all();
    int rc;
    while ((rc = disk_compact(disk, 50, move, NULL)) == 1)
        commit_moves(true);
    ck_assert_int_eq(rc, 0);
    ck_assert_uint_gt(moved, 500);
    disk_stat(disk, &after);
    ck_assert_msg(after.file_bytes < before.file_bytes / 2, "%lu, %lu",
                  (unsigned long)before.file_bytes,
                  (unsigned long)after.file_bytes);
    ck_assert_uint_eq(after.live_bytes, before.live_bytes);
    sample_check_all();
    sample_verify(0);
    sample_reopen(false);
    sample_recount();
    sample_check_all();
    ck_assert_int_eq(disk_reclaim(disk), 0);
    sample_check_all();
}
END_TEST

START_TEST(nothing_is_dropped_before_the_recount)
{
    for (uint32_t i = 0; i < 3000; i++)
        sample_append(700, WARP_COMPRESS_NONE);
    ck_assert_int_eq(disk_sync(disk), 0);
    sample_reopen(false);
    ck_assert_int_eq(disk_reclaim(disk), 0);
    ck_assert_int_eq(disk_compact(disk, 90, move, NULL), 0);
    sample_check_all();
    /* The first segment dies, the rest lives. */
    for (uint32_t i = 0; i < sample_count; i++)
        if (samples[i].place.segment == 1)
            samples[i].dead = true;
    sample_recount();
    struct disk_stat before, after;
    disk_stat(disk, &before);
    ck_assert_int_eq(disk_reclaim(disk), 0);
    disk_stat(disk, &after);
    ck_assert_uint_eq(after.segments, before.segments - 1);
    ck_assert_int_eq(sample_read(samples[0].place), WARP_ENOTFOUND);
    sample_check_all();
}
END_TEST

/* S6 */
START_TEST(numbers_are_not_used_twice)
{
    sample_append(100, WARP_COMPRESS_NONE);
    ck_assert_int_eq(disk_sync(disk), 0);
    sample_kill(0);
    for (int i = 0; i < 3; i++) {
        sample_reopen(false);
        disk_recounted(disk);
        ck_assert_int_eq(disk_reclaim(disk), 0);
    }
    uint32_t n = sample_append(100, WARP_COMPRESS_FAST);
    ck_assert_uint_gt(samples[n].place.segment, samples[0].place.segment);
}
END_TEST

/* ---- threads ---- */
static _Atomic uint32_t published, killed;
static _Atomic bool stop;

static void *read_on(void *arg)
{
    uint64_t seed = 3 + (uint64_t)(uintptr_t)arg, reads = 0;
    struct sample_buffer *buffer = calloc(1, sizeof *buffer);
    while (!atomic_load(&stop)) {
        uint32_t n = atomic_load(&published);
        if (n == 0)
            continue;
        uint32_t i = (uint32_t)(scratch_random(&seed) % n);
        if (reads % 2)
            i = n - 1 - i % (n < 20 ? n : 20);
        int rc = disk_read(disk, samples[i].place, sample_alloc, buffer);
        if (rc != WARP_ENOTFOUND || i >= atomic_load(&killed))
            sample_check(i, rc, buffer);
        reads++;
    }
    free(buffer);
    return NULL;
}

START_TEST(readers_beside_a_writer)
{
    struct os_thread threads[4] = {{0}};
    uint64_t seed = 5;
    atomic_store(&stop, false);
    atomic_store(&published, 0);
    atomic_store(&killed, 0);
    for (uintptr_t i = 0; i < 4; i++)
        ck_assert_int_eq(
            os_thread_start(&threads[i], read_on, (void *)i, "reader"), 0);
    for (uint32_t i = 0; i < 6000; i++) {
        uint32_t bytes = (uint32_t)(scratch_random(&seed) % 1500);
        if (i % 300 == 0)
            bytes = 40000;
        sample_append(bytes, (int)(i % 4) + 1);
        atomic_store(&published, sample_count);
        if (i % 500 == 499)
            ck_assert_int_eq(disk_sync(disk), 0);
        if (i == 3999) {
            atomic_store(&killed, 3000);
            for (uint32_t k = 0; k < 3000; k++)
                disk_free(disk, samples[k].place);
        }
        if (i % 500 == 499)
            ck_assert_int_eq(disk_reclaim(disk), 0);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 4; i++)
        os_thread_join(&threads[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("disk");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, sample_set_up, sample_tear_down);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, every_size_at_every_level);
    tcase_add_test(all, places_are_sixteen_bytes);
    tcase_add_test(all, wrong_places_are_errors);
    tcase_add_test(all, full_segments_are_sealed);
    tcase_add_test(all, footers_bound_their_entries);
    tcase_add_test(all, a_rollback_takes_back_to_the_last_sync);
    tcase_add_test(all, what_was_not_synced_is_no_harm);
    tcase_add_test(all, compaction_gives_space_back);
    tcase_add_test(all, nothing_is_dropped_before_the_recount);
    tcase_add_test(all, numbers_are_not_used_twice);
    tcase_add_test(all, readers_beside_a_writer);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
