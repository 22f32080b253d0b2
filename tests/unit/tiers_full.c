/* A full disk: the ssd and disk tiers say WARP_ENOSPC before anything is torn,
 * reads go on, and writing resumes when there is room again. Needs a file
 * system of its own: root mounts one in memory; others skip. */
#include "disk_sample.h"
#include "ssd.h"

#include <sys/mount.h>
#include <unistd.h>

enum { FILL = 8 << 20 };

static char ballast[300];
static uint64_t seed;

static void mount_small(void)
{
    dir = scratch();
    ck_assert_int_eq(mount("warp", dir, "tmpfs", 0, "size=16m"), 0);
    snprintf(ballast, sizeof ballast, "%s/ballast", dir);
    int fd = os_open(ballast, OS_WRITE | OS_CREATE);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(os_allocate(fd, 0, FILL), 0);
    os_close(fd);
    sample_count = 0;
    seed = 42;
}

static void unmount(void)
{
    ck_assert_int_eq(umount(dir), 0);
    ck_assert_int_eq(rmdir(dir), 0);
}

static void noise(uint8_t *to, size_t bytes)
{
    for (size_t i = 0; i + 8 <= bytes; i += 8) {
        uint64_t r = scratch_random(&seed);
        memcpy(to + i, &r, 8);
    }
}

static int take(void *arg, struct ssd_slice value)
{
    *(uint32_t *)arg = ((const uint8_t *)value.data)[0];
    return 0;
}

/* One transaction of 50 values of 20 KB that begin with `mark`. */
static int write_round(struct ssd *ssd, uint32_t round, uint8_t mark)
{
    static uint8_t value[20000];
    struct ssd_txn *txn;
    int rc = ssd_begin(ssd, &txn);
    for (uint32_t i = 0; i < 50 && rc == 0; i++) {
        uint32_t key = round * 50 + i;
        noise(value, sizeof value);
        value[0] = mark;
        rc = ssd_put(txn, SSD_COLD, (struct ssd_slice){&key, 4},
                     (struct ssd_slice){value, sizeof value});
    }
    if (rc == 0)
        rc = ssd_commit(&txn);
    else
        ssd_abort(&txn);
    return rc;
}

static void check_round(struct ssd *ssd, uint32_t round, uint8_t mark)
{
    for (uint32_t i = 0; i < 50; i++) {
        uint32_t key = round * 50 + i, found = 1000;
        int rc =
            ssd_get(ssd, SSD_COLD, (struct ssd_slice){&key, 4}, take, &found);
        ck_assert_msg(rc == 0, "%d: %s", rc, warp_errmsg(NULL));
        ck_assert_uint_eq(found, mark);
    }
}

START_TEST(ssd_fills_and_resumes)
{
    struct ssd *ssd;
    uint32_t rounds = 0;
    int rc;
    ck_assert_int_eq(ssd_open(dir, 64 << 20, false, NULL, NULL, &ssd), 0);
    while ((rc = write_round(ssd, rounds, 7)) == 0)
        rounds++;
    ck_assert_msg(rc == WARP_ENOSPC, "%d: %s", rc, warp_errmsg(NULL));
    ck_assert_uint_ge(rounds, 4);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(write_round(ssd, rounds, 9), WARP_ENOSPC);
        for (uint32_t r = 0; r < rounds; r++)
            check_round(ssd, r, 7);
    }
    ck_assert_int_eq(ssd_verify(ssd, NULL, NULL), 0);
    ck_assert_int_eq(os_unlink(ballast), 0);
    ck_assert_int_eq(write_round(ssd, 0, 8), 0);
    ck_assert_int_eq(write_round(ssd, rounds, 8), 0);
    check_round(ssd, 0, 8);
    check_round(ssd, rounds, 8);
    ssd_close(&ssd);
    ck_assert_int_eq(ssd_check_file(dir, true, NULL, NULL), 0);
    ck_assert_int_eq(ssd_open(dir, 64 << 20, false, NULL, NULL, &ssd), 0);
    check_round(ssd, 1, 7);
    check_round(ssd, rounds, 8);
    ssd_close(&ssd);
}
END_TEST

START_TEST(disk_fills_and_resumes)
{
    sample_open(false);
    int rc = 0;
    struct disk_place place;
    uint32_t synced = 0;
    for (uint32_t i = 0; rc == 0 && i < SAMPLES; i++) {
        rc = disk_append(disk, WARP_COMPRESS_NONE, "x", 1, i, sample_bytes(i),
                         900, &place);
        if (rc == 0) {
            memset(&samples[i], 0, sizeof samples[i]);
            samples[i].bytes = 900;
            samples[i].place = place;
            sample_count = i + 1;
        }
        if (rc == 0 && i % 500 == 499 && (rc = disk_sync(disk)) == 0)
            synced = sample_count;
    }
    ck_assert_msg(rc == WARP_ENOSPC, "%d: %s", rc, warp_errmsg(NULL));
    ck_assert_uint_gt(synced, 4000);
    /* What was appended can be read until it is taken back. */
    sample_check_all();
    disk_rollback(disk);
    sample_count = synced;
    sample_check_all();
    sample_verify(0);
    ck_assert_int_eq(os_unlink(ballast), 0);
    for (uint32_t i = 0; i < 1000; i++)
        sample_append(900, WARP_COMPRESS_FAST);
    ck_assert_int_eq(disk_sync(disk), 0);
    sample_check_all();
    sample_reopen(false);
    sample_check_all();
    sample_verify(0);
    disk_close(&disk);
}
END_TEST

static bool can_mount(void)
{
    char path[] = P_tmpdir "/warp_XXXXXX";
    bool can = mkdtemp(path) && mount("warp", path, "tmpfs", 0, "size=1m") == 0;
    if (can)
        umount(path);
    rmdir(path);
    return can;
}

int main(void)
{
    if (!can_mount()) {
        puts("skipped: mounting a small file system needs root");
        return 77;
    }
    Suite *suite = suite_create("tiers_full");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, mount_small, unmount);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, ssd_fills_and_resumes);
    tcase_add_test(all, disk_fills_and_resumes);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
