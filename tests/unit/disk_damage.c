/* Damaged segments: every read gives the right bytes or an error that names
 * the file, the checks find the damage, nothing crashes and nothing else is
 * lost. */
#include "disk_sample.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[300];
static uint8_t *image;
static uint64_t image_bytes;

static void load_image(uint32_t number)
{
    snprintf(path, sizeof path, "%s/%08x.wseg", dir, number);
    int fd = os_open(path, OS_READ);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(os_size(fd, &image_bytes), 0);
    free(image);
    image = malloc(image_bytes);
    ck_assert_int_eq(os_pread(fd, image, image_bytes, 0), (int64_t)image_bytes);
    os_close(fd);
}

static void write_image(uint64_t bytes)
{
    int fd = os_open(path, OS_READ | OS_WRITE | OS_TRUNC | OS_CREATE);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(os_pwrite(fd, image, bytes, 0), 0);
    os_close(fd);
}

/* A sealed segment 1 and an open segment 2 of the same compression. */
static void set_up(void)
{
    sample_set_up();
    uint32_t i = 0;
    do
        sample_append(i % 200 == 50 ? 40000 : 50 + i * 37 % 1200,
                      WARP_COMPRESS_NONE);
    while (samples[i++].place.segment < 2);
    for (uint32_t k = 0; k < 100; k++)
        sample_append(300, WARP_COMPRESS_NONE);
    ck_assert_int_eq(disk_sync(disk), 0);
    disk_close(&disk);
    image = NULL;
}

static void tear_down(void)
{
    free(image);
    sample_tear_down();
}

static int keep(void *arg, const void *owner, size_t owner_bytes,
                uint64_t version, struct disk_place place, const void *value,
                size_t bytes)
{
    (void)arg, (void)place;
    ck_assert_uint_lt(version, sample_count);
    ck_assert_uint_eq(bytes, samples[version].bytes);
    ck_assert(memcmp(value, sample_bytes((uint32_t)version), bytes) == 0);
    ck_assert(memcmp(owner, samples[version].owner, owner_bytes) == 0);
    return 0;
}

/* Returns how many values cannot be read. */
static uint32_t read_all(void)
{
    static struct sample_buffer buffer;
    uint32_t missing = 0;
    for (uint32_t n = 0; n < sample_count; n++) {
        int rc = disk_read(disk, samples[n].place, sample_alloc, &buffer);
        if (rc == 0) {
            sample_check(n, rc, &buffer);
            continue;
        }
        ck_assert_msg(rc == WARP_ECORRUPT && strstr(warp_errmsg(NULL), path),
                      "%d: %s", rc, warp_errmsg(NULL));
        missing++;
    }
    return missing;
}

static uint32_t use(bool read_only)
{
    uint32_t told = 0;
    sample_open(read_only);
    uint32_t missing = read_all();
    int rc = disk_verify(disk, sample_bad, &told);
    ck_assert(rc == (told ? WARP_ECORRUPT : 0));
    if (!read_only) {
        sample_recount();
        rc = disk_compact(disk, 101, keep, NULL);
        ck_assert(rc == 1 || rc == 0 || rc == WARP_ECORRUPT);
        uint32_t n = sample_append(1000, WARP_COMPRESS_NONE);
        ck_assert_int_eq(disk_sync(disk), 0);
        ck_assert_int_eq(sample_read(samples[n].place), 0);
        sample_count--;
        ck_assert_int_eq(disk_reclaim(disk), 0);
    }
    disk_close(&disk);
    return missing;
}

/* A copy of the other file, because a use may write to it. */
static void each_segment(void (*fn)(uint32_t number))
{
    uint8_t *other;
    for (uint32_t number = 1; number <= 2; number++) {
        load_image(3 - number);
        other = malloc(image_bytes);
        memcpy(other, image, image_bytes);
        uint64_t other_bytes = image_bytes;
        load_image(number);
        fn(number);
        write_image(image_bytes);
        load_image(3 - number);
        free(image);
        image = other;
        image_bytes = other_bytes;
        write_image(image_bytes);
    }
}

static void flip_bits(uint32_t number)
{
    uint64_t seed = 0xf11b + number;
    for (int i = 0; i < 120; i++) {
        uint64_t at = scratch_random(&seed) % image_bytes;
        if (i < 20)
            at = (uint64_t)i * 7; /* header and the first block's */
        else if (i < 50)
            at = image_bytes - 1 - at % 200; /* trailer and footer */
        uint8_t bit = (uint8_t)(1u << (scratch_random(&seed) % 8));
        image[at] ^= bit;
        write_image(image_bytes);
        use(i % 2);
        image[at] ^= bit;
    }
}

START_TEST(flipped_bits)
{
    each_segment(flip_bits);
}
END_TEST

static void cut(uint32_t number)
{
    uint64_t seed = 0xc07 + number;
    for (int i = 0; i < 60; i++) {
        uint64_t bytes = scratch_random(&seed) % image_bytes;
        if (i < 10)
            bytes = (uint64_t)i * 10;
        write_image(bytes);
        use(i % 2);
    }
}

START_TEST(cut_files)
{
    each_segment(cut);
}
END_TEST

static void make_noise(uint32_t number)
{
    uint64_t seed = 0x4015e + number;
    uint8_t *whole = malloc(image_bytes);
    memcpy(whole, image, image_bytes);
    for (int i = 0; i < 40; i++) {
        uint64_t from = scratch_random(&seed) % image_bytes;
        uint64_t bytes = scratch_random(&seed) % (image_bytes - from);
        for (uint64_t k = from; k < from + bytes % 20000; k++)
            image[k] = i % 3 ? (uint8_t)scratch_random(&seed) : 0;
        write_image(image_bytes);
        use(i % 2);
        memcpy(image, whole, image_bytes);
    }
    free(whole);
}

START_TEST(noise)
{
    each_segment(make_noise);
}
END_TEST

static void count_event(void *arg, int code, const char *text)
{
    (void)code;
    (void)text;
    ++*(uint32_t *)arg;
}

/* The power went before the first sync of a segment: it has its length and no
 * byte. Nothing refers to it. */
START_TEST(a_segment_of_zeros_is_no_damage)
{
    uint32_t events = 0, told = 0;
    load_image(2);
    memset(image, 0, image_bytes);
    snprintf(path, sizeof path, "%s/00000003.wseg", dir);
    write_image(image_bytes);
    ck_assert_int_eq(disk_open(dir, true, SEGMENT_BYTES, count_event, &events,
                               &disk),
                     0);
    ck_assert_int_eq(disk_verify(disk, sample_bad, &told), 0);
    disk_close(&disk);
    ck_assert_uint_eq(events, 0);
    ck_assert_uint_eq(told, 0);
    ck_assert_uint_eq(use(false), 0);
}
END_TEST

/* A damaged block costs its own values, and the check finds it. */
START_TEST(one_block_is_one_loss)
{
    load_image(1);
    struct disk_place hit = samples[200].place;
    ck_assert_uint_eq(hit.segment, 1);
    uint32_t in_block = 0, told = 0;
    for (uint32_t n = 0; n < sample_count; n++)
        in_block += samples[n].place.segment == 1 &&
                    samples[n].place.block == hit.block;
    image[(uint64_t)hit.block * 64 + 300] ^= 1;
    write_image(image_bytes);
    ck_assert_uint_eq(use(true), in_block);
    sample_open(true);
    ck_assert_int_eq(disk_verify(disk, sample_bad, &told), WARP_ECORRUPT);
    ck_assert_uint_eq(told, 1);
    char offset[40];
    snprintf(offset, sizeof offset, "offset %u ", hit.block * 64);
    ck_assert_msg(strstr(warp_errmsg(NULL), offset), "%s, not %s", offset,
                  warp_errmsg(NULL));
    disk_close(&disk);
    /* The open segment is whole but for one block: what follows stays. */
    image[(uint64_t)hit.block * 64 + 300] ^= 1;
    write_image(image_bytes);
    hit = samples[sample_count - 60].place;
    ck_assert_uint_eq(hit.segment, 2);
    in_block = 0;
    for (uint32_t n = 0; n < sample_count; n++)
        in_block += samples[n].place.segment == 2 &&
                    samples[n].place.block == hit.block;
    load_image(2);
    image[(uint64_t)hit.block * 64 + 40] ^= 4;
    write_image(image_bytes);
    ck_assert_uint_eq(use(false), in_block);
    ck_assert_uint_eq(use(false), in_block);
}
END_TEST

/* S1: a block of one segment is no block of another one, nor elsewhere. */
START_TEST(blocks_do_not_move)
{
    load_image(1);
    uint32_t a = samples[0].place.block, b = 0, in_b = 0;
    for (uint32_t n = 0; b == 0; n++)
        if (samples[n].place.block != a)
            b = samples[n].place.block;
    for (uint32_t n = 0; n < sample_count; n++)
        in_b += samples[n].place.segment == 1 && samples[n].place.block == b;
    memmove(image + b * 64, image + a * 64, (uint64_t)(b - a) * 64);
    write_image(image_bytes);
    ck_assert_uint_ge(use(true), in_b);
    load_image(2);
    snprintf(path, sizeof path, "%s/%08x.wseg", dir, 1);
    write_image(image_bytes);
    sample_open(true);
    for (uint32_t n = 0; n < 100; n++)
        ck_assert_int_eq(sample_read(samples[n].place), WARP_ECORRUPT);
}
END_TEST

/* S2, S3: kill -9 in a loop: what was synced is there. The child tells how much
 * by a pipe, after each sync. */
START_TEST(a_writer_that_is_killed)
{
    sample_count = 0;
    for (int round = 0; round < 10; round++) {
        int tube[2];
        uint32_t first = sample_count, synced = first, more;
        ck_assert_int_eq(pipe(tube), 0);
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            sample_open(false);
            for (uint32_t i = 0;; i++) {
                sample_append(100 + i % 800, 1 + (int)(i % 4));
                if (i % 20 != 19)
                    continue;
                if (disk_sync(disk) != 0 ||
                    write(tube[1], &sample_count, 4) != 4 ||
                    write(tube[1], &samples[sample_count - 20],
                          20 * sizeof samples[0]) < 0)
                    _exit(1);
            }
        }
        close(tube[1]);
        int64_t from = os_mono_ns();
        while (os_mono_ns() - from < (20 + round * 5) * 1000000ll)
            os_yield();
        kill(child, SIGKILL);
        while (read(tube[0], &more, 4) == 4 && more <= SAMPLES &&
               read(tube[0], &samples[more - 20], 20 * sizeof samples[0]) ==
                   (ssize_t)(20 * sizeof samples[0]))
            synced = more;
        close(tube[0]);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        sample_count = synced;
        sample_open(false);
        sample_check_all();
        sample_verify(0);
        disk_close(&disk);
    }
    ck_assert_uint_gt(sample_count, 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("disk_damage");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, 100);
    tcase_add_test(all, flipped_bits);
    tcase_add_test(all, cut_files);
    tcase_add_test(all, noise);
    tcase_add_test(all, a_segment_of_zeros_is_no_damage);
    tcase_add_test(all, one_block_is_one_loss);
    tcase_add_test(all, blocks_do_not_move);
    tcase_add_test(all, a_writer_that_is_killed);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
