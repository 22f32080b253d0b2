/* The log over damaged files: never a crash, always a prefix of each shard's
 * commits, and damage in the middle is told with its place. */
#include "log_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILES_MAX = 64, TRIALS = 240 };

struct file {
    char name[64];
    uint8_t *data;
    size_t bytes;
};

static struct scene scene;
static struct file files[FILES_MAX];
static uint32_t file_count;
static uint64_t state = 1, appended[SCENE_SHARDS];

/* The kernel has started so often: it does after a power loss. */
static uint8_t starts;

int __wrap_os_boot_id(uint8_t id[OS_BOOT_BYTES]);
int __wrap_os_boot_id(uint8_t id[OS_BOOT_BYTES])
{
    memset(id, starts, OS_BOOT_BYTES);
    return 0;
}

static uint64_t chance(uint64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
}

static int keep_file(void *arg, const char *name)
{
    struct file *f = &files[file_count++];
    char path[600];
    uint64_t bytes;
    (void)arg;
    ck_assert(file_count <= FILES_MAX);
    snprintf(f->name, sizeof f->name, "%s", name);
    snprintf(path, sizeof path, "%s/%s", scene.dir, name);
    int fd = os_open(path, OS_READ);
    ck_assert_int_eq(os_size(fd, &bytes), 0);
    f->bytes = (size_t)bytes;
    f->data = malloc(f->bytes + 1);
    ck_assert(os_pread(fd, f->data, f->bytes, 0) == (int64_t)f->bytes);
    os_close(fd);
    return 0;
}

static void put_file(const struct file *f, size_t bytes)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", scene.dir, f->name);
    int fd = os_open(path, OS_READ | OS_WRITE | OS_CREATE | OS_TRUNC);
    ck_assert(fd >= 0);
    ck_assert_int_eq(os_pwrite(fd, f->data, bytes, 0), 0);
    os_close(fd);
}

static void put_byte(const struct file *f, size_t at, uint8_t byte)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", scene.dir, f->name);
    int fd = os_open(path, OS_READ | OS_WRITE);
    ck_assert(fd >= 0);
    ck_assert_int_eq(os_pwrite(fd, &byte, 1, at), 0);
    os_close(fd);
}

static int drop_file(void *arg, const char *name)
{
    char path[600];
    (void)arg;
    snprintf(path, sizeof path, "%s/%s", scene.dir, name);
    return os_unlink(path);
}

static void put_all(void)
{
    ck_assert_int_eq(os_list(scene.dir, drop_file, NULL), 0);
    for (uint32_t i = 0; i < file_count; i++)
        put_file(&files[i], files[i].bytes);
    atomic_store(&scene.events, 0);
}

/* Commits of all kinds over several segments, the last ones in the rings. */
static void fill(bool stop)
{
    ck_assert_msg(scene_open(&scene) == 0, "%s", error_text());
    for (uint64_t i = 0; i < 12000; i++) {
        uint32_t s = (uint32_t)chance(SCENE_SHARDS);
        size_t bytes = chance(2000) == 0 ? 40000 : 8 + chance(300);
        uint64_t position = scene_append(&scene, s, ++appended[s], bytes);
        if (chance(500) == 0)
            ck_assert_int_eq(log_wait(scene.log, s, position), 0);
    }
    if (stop)
        scene_stop(&scene);
    else
        scene_crash(&scene);
    ck_assert_int_eq(os_list(scene.dir, keep_file, NULL), 0);
}

static void setup(void)
{
    scene_make(&scene);
    scene.options.ring_bytes = 32 << 10;
    file_count = 0;
    memset(appended, 0, sizeof appended);
}

static void teardown(void)
{
    log_close(&scene.log);
    scene_remove(&scene);
    for (uint32_t i = 0; i < file_count; i++)
        free(files[i].data);
}

/* A prefix: values go 1, 2, 3 … without a gap. */
static uint64_t check_prefix(void)
{
    uint64_t all = 0;
    ck_assert_uint_eq(scene.seen.bad, 0);
    for (uint32_t s = 0; s < SCENE_SHARDS; s++) {
        ck_assert_uint_eq(scene.seen.count[s], scene.seen.last_value[s]);
        ck_assert_uint_le(scene.seen.count[s], appended[s]);
        all += scene.seen.count[s];
    }
    return all;
}

/* Opens for writing, goes on, crashes, and reads again. */
static void check_goes_on(void)
{
    uint64_t before[SCENE_SHARDS];
    ck_assert_msg(scene_open(&scene) == 0, "%s", error_text());
    check_prefix();
    for (uint32_t s = 0; s < SCENE_SHARDS; s++) {
        before[s] = scene.seen.count[s];
        for (uint64_t i = 1; i <= 20; i++)
            scene_append(&scene, s, before[s] + i, 8 + chance(200));
    }
    scene_crash(&scene);
    scene_replay_only(&scene);
    ck_assert_uint_eq(scene.seen.bad, 0);
    for (uint32_t s = 0; s < SCENE_SHARDS; s++) {
        ck_assert_uint_eq(scene.seen.count[s], before[s] + 20);
        ck_assert_uint_eq(scene.seen.last_value[s], before[s] + 20);
    }
}

START_TEST(a_flipped_byte_leaves_a_prefix)
{
    uint64_t told = 0, lost = 0, whole = 0;
    fill(_i == 0);
    for (uint32_t s = 0; s < SCENE_SHARDS; s++)
        whole += appended[s];
    for (int trial = 0; trial < TRIALS; trial++) {
        struct file *f = &files[chance(file_count)];
        if (f->bytes == 0)
            continue;
        size_t at = chance(f->bytes);
        if (trial % 4 == 0)
            at = chance(f->bytes < 9000 ? f->bytes : 9000);
        atomic_store(&scene.events, 0);
        put_byte(f, at, f->data[at] ^ (uint8_t)(1 + chance(255)));
        scene.options.read_only = true;
        ck_assert_msg(scene_open(&scene) == 0, "%s byte %zu: %s", f->name, at,
                      error_text());
        scene.options.read_only = false;
        log_close(&scene.log);
        lost += check_prefix() < whole;
        if (scene.events > 0) {
            told++;
            ck_assert(strstr(scene.event_text, ".wlog") != NULL ||
                      strstr(scene.event_text, "/ring-") != NULL);
            ck_assert_int_eq(scene.event_code, WARP_ECORRUPT);
        } else {
            /* After a clean end or a kill every loss is damage, and is told. */
            ck_assert_msg(check_prefix() == whole, "%s byte %zu", f->name, at);
        }
        if (trial % 16 == 0) {
            check_goes_on();
            put_all();
        } else {
            put_byte(f, at, f->data[at]);
        }
    }
    ck_assert_uint_gt(told, 8);
    ck_assert_uint_ge(lost, told);
}
END_TEST

START_TEST(a_file_cut_short_leaves_a_prefix)
{
    fill(false);
    for (int trial = 0; trial < TRIALS / 4; trial++) {
        struct file *f = &files[chance(file_count)];
        put_file(f, f->bytes ? chance(f->bytes) : 0);
        scene_replay_only(&scene);
        check_prefix();
        if (trial % 8 == 0) {
            check_goes_on();
            put_all();
        } else {
            put_file(f, f->bytes);
        }
    }
}
END_TEST

START_TEST(a_missing_file_leaves_a_prefix)
{
    fill(false);
    for (uint32_t i = 0; i < file_count; i++) {
        put_all();
        drop_file(NULL, files[i].name);
        scene_replay_only(&scene);
        /* Without its first segment a log begins later. */
        ck_assert_uint_eq(scene.seen.bad, 0);
    }
}
END_TEST

/* Pages of rings and of the stream's end that a power loss took, and old laps
 * that it left: what comes back is a prefix, now and after the next crash. */
START_TEST(lost_pages_leave_a_prefix)
{
    fill(false);
    for (int trial = 0; trial < TRIALS / 4; trial++) {
        put_all();
        starts++;
        for (uint32_t i = 0; i < file_count; i++) {
            struct file *f = &files[i];
            if (strncmp(f->name, "ring-", 5) != 0 || chance(2))
                continue;
            struct file torn = *f;
            torn.data = malloc(f->bytes);
            memcpy(torn.data, f->data, f->bytes);
            for (size_t at = 0; at < f->bytes; at += 4096)
                if (chance(4) == 0)
                    memset(torn.data + at, 0, 4096);
            put_file(&torn, torn.bytes);
            free(torn.data);
        }
        scene_replay_only(&scene);
        check_prefix();
        ck_assert_uint_eq(scene.events, 0);
        check_goes_on();
    }
}
END_TEST

/* One thread commits 1, 2, 3 … to shards by chance. Each ring page and the page
 * of tails are then of any moment, as a power loss leaves them: what comes back
 * is 1 to k without a gap over all shards, and k holds what was waited for. */
START_TEST(a_power_loss_leaves_a_cut_of_the_store)
{
    enum { MOMENTS = 4, SHARDS = 24, SECTOR = 512 };
    static struct file then[MOMENTS][FILES_MAX];
    uint64_t value = 0, durable = 0, partial = 0;
    scene.options.shards = SHARDS;
    scene.options.sync_every_ms = 60000;
    scene.options.ring_bytes = 256 << 10; /* nothing is written unasked */
    ck_assert_msg(scene_open(&scene) == 0, "%s", error_text());
    scene_made(&scene);
    for (int moment = 0; moment < MOMENTS; moment++) {
        for (uint64_t i = 60 + chance(200); i > 0; i--) {
            uint32_t s = (uint32_t)chance(SHARDS);
            uint64_t position =
                scene_append(&scene, s, ++value, 8 + chance(150));
            if (moment < 2 && chance(100) == 0) {
                ck_assert_int_eq(log_wait(scene.log, s, position), 0);
                durable = value;
            }
        }
        file_count = 0;
        ck_assert_int_eq(os_list(scene.dir, keep_file, NULL), 0);
        memcpy(then[moment], files, sizeof files);
        for (uint32_t i = 0; i < file_count; i++)
            ck_assert_str_eq(then[0][i].name, files[i].name);
    }
    scene_crash(&scene);
    starts++;
    for (int trial = 0; trial < TRIALS; trial++) {
        for (uint32_t i = 0; i < file_count; i++) {
            struct file torn = files[i];
            if (strncmp(torn.name, "ring-", 5) != 0)
                continue;
            torn.data = malloc(torn.bytes);
            for (size_t at = 0; at < torn.bytes; at += SECTOR) {
                bool tails = strcmp(torn.name, "ring-tails") == 0;
                uint64_t m = MOMENTS - 1;
                if (tails || chance(4) < (uint64_t)trial % 4)
                    m = chance(MOMENTS);
                memcpy(torn.data + at, then[m][i].data + at, SECTOR);
            }
            put_file(&torn, torn.bytes);
            free(torn.data);
        }
        scene_replay_only(&scene);
        uint64_t count = 0, sum = 0;
        for (uint32_t s = 0; s < SHARDS; s++) {
            count += scene.seen.count[s];
            sum += scene.seen.sum[s];
        }
        ck_assert_uint_eq(scene.seen.bad, 0);
        ck_assert_uint_eq(sum, count * (count + 1) / 2);
        ck_assert_uint_ge(count, durable);
        partial += count > durable && count < value;
    }
    ck_assert_uint_gt(partial, 0);
    for (int moment = 0; moment < MOMENTS - 1; moment++)
        for (uint32_t i = 0; i < file_count; i++)
            free(then[moment][i].data);
}
END_TEST

/* What nobody but a write can have changed is damage where it is wrong, and is
 * told; where a tail alone says too little, nothing is lost. */
START_TEST(a_kill_leaves_rings_whole)
{
    enum { COMMITS = 1500 };
    uint64_t told = 0, healed = 0;
    scene.options.sync_every_ms = 60000;
    scene.options.ring_bytes = 256 << 10; /* nothing is written unasked */
    ck_assert_msg(scene_open(&scene) == 0, "%s", error_text());
    scene_made(&scene);
    for (uint64_t i = 0; i < COMMITS; i++) {
        uint32_t s = (uint32_t)chance(SCENE_SHARDS);
        scene_append(&scene, s, ++appended[s], 8 + chance(150));
    }
    scene_crash(&scene);
    ck_assert_int_eq(os_list(scene.dir, keep_file, NULL), 0);
    for (int trial = 0; trial < 2 * TRIALS; trial++) {
        struct file *f = &files[chance(file_count)];
        bool tails = strcmp(f->name, "ring-tails") == 0;
        size_t at = chance(tails ? 128 : 16 << 10);
        if (strncmp(f->name, "ring-", 5) != 0 || f->data[at] == 0)
            continue;
        uint8_t byte = f->data[at] ^ (uint8_t)(1 << chance(8));
        atomic_store(&scene.events, 0);
        put_byte(f, at, byte);
        scene_replay_only(&scene);
        if (check_prefix() < COMMITS) {
            ck_assert_uint_eq(scene.events, 1);
            ck_assert_int_eq(scene.event_code, WARP_ECORRUPT);
            ck_assert(strstr(scene.event_text, "/ring-") != NULL);
            told++;
        } else if (tails) {
            ck_assert_uint_eq(scene.events, 0);
            healed += byte < f->data[at];
        }
        put_byte(f, at, f->data[at]);
    }
    ck_assert_uint_gt(told, 20);
    ck_assert_uint_gt(healed, 0);
    starts++;
    put_all();
    scene_replay_only(&scene);
    ck_assert_uint_eq(check_prefix(), COMMITS);
    check_goes_on();
}
END_TEST

START_TEST(random_bytes_are_refused)
{
    fill(false);
    for (int trial = 0; trial < TRIALS / 4; trial++) {
        struct file f = files[chance(file_count)];
        uint8_t *data = malloc(f.bytes + 1);
        ck_assert(data != NULL);
        memcpy(data, f.data, f.bytes);
        size_t from = f.bytes ? chance(f.bytes) : 0;
        for (size_t i = from; i < f.bytes && i < from + 20000; i++)
            data[i] = (uint8_t)chance(256);
        uint8_t *whole = f.data;
        f.data = data;
        put_file(&f, f.bytes);
        free(data);
        scene_replay_only(&scene);
        check_prefix();
        f.data = whole;
        put_file(&f, f.bytes);
    }
}
END_TEST

START_TEST(another_store_is_refused)
{
    fill(true);
    memcpy(scene.options.store_id, "another store id", 16);
    ck_assert_int_eq(scene_open(&scene), WARP_ECORRUPT);
    log_close(&scene.log);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_damage");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 120);
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_loop_test(all, a_flipped_byte_leaves_a_prefix, 0, 2);
    tcase_add_test(all, a_file_cut_short_leaves_a_prefix);
    tcase_add_test(all, a_missing_file_leaves_a_prefix);
    tcase_add_test(all, lost_pages_leave_a_prefix);
    tcase_add_test(all, a_power_loss_leaves_a_cut_of_the_store);
    tcase_add_test(all, a_kill_leaves_rings_whole);
    tcase_add_test(all, random_bytes_are_refused);
    tcase_add_test(all, another_store_is_refused);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
