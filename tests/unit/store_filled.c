/* store_filled.c: a store on a file system that fills up: writes say
 * WARP_ENOSPC, reads and deletes go on, writing resumes by itself. Root mounts
 * the small file system in memory; others skip. */
#include "store_scene.h"

#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#define P &sample_thing_product
enum { BYTES = 3000, MOST = 60000 };

static char small[256];
static char text[BYTES];
static uint32_t bytes; /* of a value */
static uint32_t written;

static bool mount_small(void)
{
    return mount("warp", small, "tmpfs", 0, "size=48m") == 0;
}

static void setup(void)
{
    struct warp_options fresh = WARP_OPTIONS_INIT;
    strcpy(small, scratch());
    ck_assert(mount_small());
    snprintf(store_path, sizeof store_path, "%s/store", small);
    options = fresh;
    options.shards = 4;
    options.ring_bytes = 65536;
    bytes = BYTES;
    written = 0;
    scene_open();
}

static void teardown(void)
{
    if (store)
        (void)warp_close(&store);
    warp_arena_free(&arena);
    ck_assert_int_eq(umount(small), 0);
    scratch_remove();
}

/* Nothing compresses it. */
static struct warp_str value_of(uint64_t id)
{
    uint64_t rng = id * 77 + 1;
    for (size_t i = 0; i + 8 <= bytes; i += 8) {
        uint64_t r = scratch_random(&rng);
        memcpy(text + i, &r, sizeof r);
    }
    return (struct warp_str){text, bytes};
}

/* The home of the value: the ssd or the disk tier. */
static int write_value(uint64_t id, uint32_t field)
{
    struct sample_thing t = {.id = id, .gold = (int64_t)id};
    t.far = t.picture = value_of(id);
    return put(&t, BIT(THING_GOLD) | BIT(field));
}

static void check_value(uint64_t id, uint32_t field)
{
    struct sample_thing t;
    ck_ok(get(id, BIT(THING_GOLD) | BIT(field), &t));
    struct warp_str s = field == THING_FAR ? t.far : t.picture;
    struct warp_str mine = value_of(id);
    ck_assert_int_eq(t.gold, (int64_t)id);
    ck_assert_uint_eq(s.len, mine.len);
    ck_assert_mem_eq(s.data, mine.data, mine.len);
    warp_arena_reset(&arena);
}

static int fill_up(uint32_t field, bool checkpoints)
{
    int rc = WARP_OK;
    while (rc == WARP_OK && written < MOST) {
        rc = write_value(written, field);
        written += rc == WARP_OK;
        if (rc == WARP_OK && checkpoints && written % 500 == 0)
            rc = warp_checkpoint(store);
    }
    return rc;
}

static void wait_a_little(void)
{
    struct timespec t = {0, 50000000};
    nanosleep(&t, NULL);
}

static void fills_up(uint32_t field, bool checkpoints)
{
    ck_code(fill_up(field, checkpoints), WARP_ENOSPC, NULL);
    ck_assert_uint_gt(written, 1000);
    /* Nothing of a refused write is there; all else can be read. */
    ck_assert_uint_eq(version(written), 0);
    for (uint32_t id = 0; id < written; id += 7)
        check_value(id, field);
    struct warp_stat stat = WARP_STAT_INIT;
    ck_ok(warp_stat(store, &stat));
    ck_assert_int_eq(stat.health, WARP_OK);
    /* Deletes go on, all of them. */
    for (uint32_t id = 0; id < written; id++)
        if (id % 10 != 0)
            ck_ok(del(id));
    /* Writing resumes when what they freed has come back. */
    int rc = WARP_ENOSPC;
    for (int tries = 0; rc == WARP_ENOSPC && tries < 300; tries++) {
        wait_a_little();
        rc = write_value(MOST + 1, field);
    }
    ck_ok(rc);
    for (uint64_t id = MOST + 2; id < MOST + 200; id++) {
        rc = write_value(id, field);
        for (int n = 0; rc == WARP_ENOSPC && n < 100; n++) {
            wait_a_little();
            rc = write_value(id, field);
        }
        ck_ok(rc);
    }
    scene_reopen();
    for (uint32_t id = 0; id < written; id++)
        if (id % 10 == 0)
            check_value(id, field);
        else
            ck_assert_uint_eq(version(id), 0);
    for (uint64_t id = MOST + 1; id < MOST + 200; id++)
        check_value(id, field);
}

START_TEST(the_ssd_tier)
{
    fills_up(THING_FAR, _i == 1);
}
END_TEST

/* The directory needs twice as much for it as the log: a page each. */
START_TEST(half_pages)
{
    bytes = 2104;
    fills_up(THING_FAR, _i == 1);
}
END_TEST

START_TEST(in_leaves)
{
    bytes = 1000;
    fills_up(THING_FAR, _i == 1);
}
END_TEST

START_TEST(the_disk_tier)
{
    fills_up(THING_PICTURE, _i == 1);
}
END_TEST

/* It opens when there is not a byte left, and what was there is there. */
START_TEST(opens_when_full)
{
    char ballast[400];
    static char zeros[65536];
    for (uint32_t id = 0; id < 500; id++)
        ck_ok(write_value(id, THING_FAR));
    scene_close();
    snprintf(ballast, sizeof ballast, "%s/ballast", small);
    FILE *f = fopen(ballast, "w");
    ck_assert_ptr_nonnull(f);
    setvbuf(f, NULL, _IONBF, 0);
    while (fwrite(zeros, 1, sizeof zeros, f) == sizeof zeros)
        continue;
    fclose(f);
    scene_open();
    for (uint32_t id = 0; id < 500; id++)
        check_value(id, THING_FAR);
    for (uint32_t id = 0; id < 100; id++)
        ck_ok(del(id));
    ck_assert_int_eq(unlink(ballast), 0);
    int rc = WARP_ENOSPC;
    for (int tries = 0; rc == WARP_ENOSPC && tries < 300; tries++) {
        wait_a_little();
        rc = write_value(1000, THING_FAR);
    }
    ck_ok(rc);
    scene_reopen();
    check_value(1000, THING_FAR);
    ck_assert_uint_eq(version(5), 0);
    check_value(400, THING_FAR);
}
END_TEST

int main(void)
{
    strcpy(small, "/tmp/warp_small_XXXXXX");
    bool may = mkdtemp(small) && mount_small() && umount(small) == 0;
    (void)rmdir(small);
    if (!may) {
        fprintf(stderr, "skipped: no tmpfs may be mounted here\n");
        return 77;
    }
    Suite *suite = suite_create("store_filled");
    TCase *tcase = tcase_create("store_filled");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 100);
    tcase_add_loop_test(tcase, the_ssd_tier, 0, 2);
    tcase_add_loop_test(tcase, half_pages, 0, 2);
    tcase_add_loop_test(tcase, in_leaves, 0, 2);
    tcase_add_loop_test(tcase, the_disk_tier, 0, 2);
    tcase_add_test(tcase, opens_when_full);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
