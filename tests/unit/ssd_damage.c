/* Flipped bits in the file of the ssd tier: every read gives the right bytes or
 * WARP_ECORRUPT, every write works or fails, nothing crashes. */
#include "scratch.h"

#include "error.h"
#include "os.h"
#include "ssd_env.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <warp/warp.h>

enum { KEYS = 3000, PAGE = 4096 };

static const char *dir;
static char data_path[300];
static uint8_t *image;
static uint64_t image_bytes;

static struct ssd_slice key_of(uint32_t n, char *to)
{
    snprintf(to, 32, "key-%06u-%u", n, n * 2654435761u % 1000);
    return (struct ssd_slice){to, strlen(to)};
}

static struct ssd_slice value_of(uint32_t n, uint8_t *to)
{
    uint32_t bytes = n % 97 == 0 ? 5000 : n * 7 % 90;
    memset(to, (int)(n * 31 % 251), bytes);
    return (struct ssd_slice){to, bytes};
}

static enum ssd_table table_of(uint32_t n)
{
    return n % 5 == 0 ? SSD_COLD : SSD_ROWS;
}

static void put_all(struct ssd *ssd, uint32_t step)
{
    static uint8_t value[8192];
    struct ssd_txn *txn;
    char key[32];
    ck_assert_int_eq(ssd_begin(ssd, &txn), 0);
    for (uint32_t n = 0; n < KEYS; n += step)
        ck_assert_int_eq(
            ssd_put(txn, table_of(n), key_of(n, key), value_of(n, value)), 0);
    ck_assert_int_eq(ssd_commit(&txn), 0);
}

static struct ssd *open_ssd(void)
{
    struct ssd *ssd;
    int rc = ssd_open(dir, 64 << 20, false, NULL, NULL, &ssd);
    ck_assert_msg(rc == 0, "%d: %s", rc, warp_errmsg(NULL));
    return ssd;
}

static void load_image(void)
{
    int fd = os_open(data_path, OS_READ);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(os_size(fd, &image_bytes), 0);
    image = malloc(image_bytes);
    ck_assert_int_eq(os_pread(fd, image, image_bytes, 0), (int64_t)image_bytes);
    os_close(fd);
}

static void write_image(uint64_t bytes)
{
    int fd = os_open(data_path, OS_READ | OS_WRITE | OS_TRUNC | OS_CREATE);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(os_pwrite(fd, image, bytes, 0), 0);
    os_close(fd);
}

/* A file with free pages, pages of large values and two levels. */
static void set_up(void)
{
    dir = scratch();
    snprintf(data_path, sizeof data_path, "%s/data.mdb", dir);
    struct ssd *ssd = open_ssd();
    put_all(ssd, 1);
    put_all(ssd, 3);
    put_all(ssd, 7);
    ssd_close(&ssd);
    load_image();
}

static void tear_down(void)
{
    free(image);
    scratch_remove();
}

static uint32_t told;
static void tell(void *arg, const char *text)
{
    (void)arg;
    told++;
    ck_assert(strstr(text, "data.mdb") != NULL);
}

static void check_clean(void)
{
    told = 0;
    int rc = ssd_check_file(dir, true, tell, NULL);
    ck_assert_msg(rc == 0 && told == 0, "%d: %s", rc, warp_errmsg(NULL));
}

/* ---- what is whole passes ---- */

START_TEST(whole_files_pass)
{
    check_clean();
    struct ssd *ssd = open_ssd();
    struct ssd_txn *txn;
    struct ssd_slice all = {NULL, 0};
    char key[32];
    uint64_t seed = 17;
    for (int round = 0; round < 30; round++) {
        ck_assert_int_eq(ssd_begin(ssd, &txn), 0);
        for (int i = 0; i < 300; i++) {
            uint32_t n = (uint32_t)(scratch_random(&seed) % KEYS);
            static uint8_t value[8192];
            if (round % 2)
                ck_assert_int_eq(ssd_del(txn, table_of(n), key_of(n, key)), 0);
            else
                ck_assert_int_eq(ssd_put(txn, table_of(n), key_of(n, key),
                                         value_of(n, value)),
                                 0);
        }
        if (round == 20)
            ck_assert_int_eq(ssd_del_range(txn, SSD_ROWS, all, all), 0);
        if (round % 7 == 3)
            ssd_abort(&txn);
        else
            ck_assert_int_eq(ssd_commit(&txn), 0);
        ck_assert_int_eq(ssd_verify(ssd, tell, NULL), 0);
    }
    ssd_close(&ssd);
    check_clean();
    ck_assert_int_eq(os_unlink(data_path), 0);
    ck_assert_int_eq(ssd_check_file(dir, true, tell, NULL), WARP_ENOTFOUND);
    ssd = open_ssd();
    ck_assert_int_eq(ssd_verify(ssd, tell, NULL), 0);
    ssd_close(&ssd);
    check_clean();
}
END_TEST

/* A kill may come while Check tells its parent of an assertion: half of that
 * would stand in the file of what it tells. */
static void tell_nobody(void)
{
    int null = open("/dev/null", O_RDWR);
    for (int fd = 3; fd < 64; fd++)
        if (fd != null && fcntl(fd, F_GETFD) != -1)
            dup2(null, fd);
}

START_TEST(a_writer_that_is_killed_leaves_a_whole_file)
{
    for (int round = 0; round < 8; round++) {
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            tell_nobody();
            struct ssd *ssd = open_ssd();
            for (uint32_t i = 0;; i++)
                put_all(ssd, 1 + i % 5);
        }
        int64_t from = os_mono_ns();
        while (os_mono_ns() - from < (30 + round * 7) * 1000000ll)
            os_yield();
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        check_clean();
        struct ssd *ssd = open_ssd();
        put_all(ssd, 2);
        ssd_close(&ssd);
        check_clean();
    }
}
END_TEST

/* ---- what is damaged ---- */
static uint8_t got[8192];
static size_t got_bytes;

static int take(void *arg, struct ssd_slice value)
{
    (void)arg;
    ck_assert(value.bytes <= sizeof got);
    memcpy(got, value.data, value.bytes);
    got_bytes = value.bytes;
    return 0;
}

static uint32_t corrupt, lost, fine;

static void read_some(struct ssd *ssd, uint32_t from, uint32_t step)
{
    static uint8_t value[8192];
    char key[32];
    for (uint32_t n = from; n < KEYS; n += step) {
        struct ssd_slice wanted = value_of(n, value);
        int rc = ssd_get(ssd, table_of(n), key_of(n, key), take, NULL);
        if (rc == WARP_ECORRUPT) {
            corrupt++;
            continue;
        }
        if (rc == WARP_ENOTFOUND) {
            lost++;
            continue;
        }
        ck_assert_msg(rc == 0, "%d: %s", rc, warp_errmsg(NULL));
        ck_assert(got_bytes == wanted.bytes &&
                  memcmp(got, wanted.data, got_bytes) == 0);
        fine++;
    }
}

static void scan_all(struct ssd *ssd, bool reverse)
{
    struct ssd_slice key, value, all = {NULL, 0};
    for (int table = 0; table < SSD_TABLE_COUNT; table++) {
        struct ssd_cursor *cursor;
        uint32_t count = 0;
        int rc = ssd_cursor_open(ssd, (enum ssd_table)table, all, all, reverse,
                                 &cursor);
        ck_assert_int_eq(rc, 0);
        while ((rc = ssd_next(cursor, &key, &value)) == 0)
            count++;
        ck_assert_msg(rc == WARP_END || rc == WARP_ECORRUPT, "%d", rc);
        uint32_t whole = table == SSD_COLD   ? KEYS / 5
                         : table == SSD_ROWS ? KEYS - KEYS / 5
                                             : 0;
        if (rc == WARP_END && count != whole)
            lost++;
        corrupt += rc == WARP_ECORRUPT;
        ssd_cursor_close(&cursor);
    }
}

static int write_some(struct ssd *ssd, uint64_t *seed)
{
    static uint8_t value[8192];
    struct ssd_txn *txn;
    char key[32], high[32];
    int rc = ssd_begin(ssd, &txn);
    for (int i = 0; i < 60 && rc == 0; i++) {
        uint32_t n = (uint32_t)(scratch_random(seed) % KEYS);
        uint32_t what = (uint32_t)(scratch_random(seed) % 8);
        if (what == 0)
            rc = ssd_del_range(txn, table_of(n), key_of(n, key),
                               key_of(n + 60, high));
        else if (what < 4)
            rc = ssd_del(txn, table_of(n), key_of(n, key));
        else
            rc = ssd_put(txn, table_of(n), key_of(n, key), value_of(n, value));
    }
    if (rc == 0)
        rc = ssd_commit(&txn);
    else
        ssd_abort(&txn);
    return rc;
}

/* Opens the damaged file, reads, writes and reads. */
static void use(uint64_t seed)
{
    struct ssd *ssd;
    uint32_t before = corrupt;
    int rc = ssd_open(dir, 64 << 20, false, NULL, NULL, &ssd);
    if (rc != 0) {
        ck_assert_msg(rc == WARP_ECORRUPT || rc == WARP_EVERSION, "%d: %s", rc,
                      warp_errmsg(NULL));
        corrupt++;
        return;
    }
    bool reads = seed % 3 != 0;
    if (reads) {
        read_some(ssd, (uint32_t)(seed % 4), 4);
        scan_all(ssd, seed & 1);
    }
    for (int i = 0; i < 1 + (int)(seed % 2) && rc == 0; i++)
        rc = write_some(ssd, &seed);
    ck_assert_msg(rc == 0 || rc == WARP_ECORRUPT, "%d: %s", rc,
                  warp_errmsg(NULL));
    corrupt += rc == WARP_ECORRUPT;
    uint32_t missing = lost;
    read_some(ssd, 1, 4); /* deletions are lost too */
    lost = missing;
    told = 0;
    rc = ssd_verify(ssd, tell, NULL);
    ck_assert(rc == 0 || (rc == WARP_ECORRUPT && told > 0));
    corrupt += rc == WARP_ECORRUPT && corrupt == before;
    ssd_close(&ssd);
}

static void flip(uint64_t at, uint8_t bits)
{
    image[at] ^= bits;
    write_image(image_bytes);
}

static uint64_t word_at(uint64_t at)
{
    uint64_t word;
    memcpy(&word, image + at, sizeof word);
    return word;
}

/* LMDB would take a list of transaction 0 twice, and give out its pages twice;
 * one of the future does not exist. */
START_TEST(free_pages_of_no_transaction)
{
    uint64_t newest = word_at(PAGE + 144) > word_at(144) ? PAGE : 0;
    uint64_t list = word_at(newest + 40 + 40) * PAGE; /* a leaf */
    uint16_t lower, node[2]; /* the first and the last */
    memcpy(&lower, image + list + 12, sizeof lower);
    memcpy(&node[0], image + list + 16, sizeof node[0]);
    memcpy(&node[1], image + list + lower - 2, sizeof node[1]);
    uint64_t wrong[] = {0, word_at(newest + 144) + 1};
    for (int i = 0; i < 2; i++) {
        struct ssd *ssd;
        uint64_t key = list + node[i] + 8, was = word_at(key);
        ck_assert(was > 0 && was < wrong[1]);
        memcpy(image + key, &wrong[i], sizeof wrong[i]);
        write_image(image_bytes);
        ck_assert_int_eq(ssd_open(dir, 64 << 20, false, NULL, NULL, &ssd),
                         WARP_ECORRUPT);
        ck_assert_msg(strstr(warp_errmsg(NULL), "free pages of no commit") !=
                          NULL,
                      "%s", warp_errmsg(NULL));
        memcpy(image + key, &was, sizeof was);
    }
}
END_TEST

/* _i: which share of the file, so that shares run side by side. */
START_TEST(flipped_bits)
{
    uint64_t seed = 0x5eed + (uint64_t)_i * 7919;
    uint64_t pages = image_bytes / PAGE;
    uint32_t not_seen = 0, tries = 0;
    lost = 0;
    for (uint64_t page = (uint64_t)_i; page < pages; page += 8)
        for (int i = 0; i < 2; i++) {
            uint64_t in_page = scratch_random(&seed) % PAGE;
            if (i == 0) /* headers and offsets hold more danger */
                in_page = scratch_random(&seed) % 64;
            uint64_t at = page * PAGE + in_page;
            uint8_t bits = (uint8_t)(1u << (scratch_random(&seed) % 8));
            corrupt = fine = 0;
            flip(at, bits);
            uint32_t missing = lost;
            use(seed);
            ck_assert_msg(lost == missing,
                          "page %lu, byte %lu, bits %x: %u entries vanish",
                          (unsigned long)page, (unsigned long)in_page, bits,
                          lost - missing);
            not_seen += corrupt == 0;
            tries++;
            image[at] ^= bits;
        }
    /* Free space, free pages, and pages that were written before they were
     * read: the rest was noticed. */
    ck_assert_msg(not_seen < tries * 8 / 10, "%u of %u", not_seen, tries);
}
END_TEST

START_TEST(noise_in_whole_pages)
{
    uint64_t seed = 0xbad + (uint64_t)_i;
    uint64_t pages = image_bytes / PAGE;
    uint8_t saved[PAGE];
    for (uint64_t page = (uint64_t)_i; page < pages; page += 8) {
        uint8_t *at = image + page * PAGE;
        uint64_t from = scratch_random(&seed) % PAGE;
        uint64_t bytes = scratch_random(&seed) % (PAGE - from);
        int kind = (int)(scratch_random(&seed) % 3);
        memcpy(saved, at, PAGE);
        for (uint64_t i = from; i < from + bytes; i++)
            at[i] = kind == 0   ? 0
                    : kind == 1 ? 0xff
                                : (uint8_t)scratch_random(&seed);
        write_image(image_bytes);
        use(seed);
        /* Another page of the same file in its place. */
        memcpy(at, image + scratch_random(&seed) % pages * PAGE, PAGE);
        write_image(image_bytes);
        use(seed);
        memcpy(at, saved, PAGE);
    }
}
END_TEST

/* The disk gives other bytes than it gave when the pages were first read, of
 * which each is told apart anew in every transaction. */
START_TEST(damage_while_it_is_open)
{
    uint64_t seed = 0x09e7 + (uint64_t)_i, pages = image_bytes / PAGE;
    uint32_t refused = 0;
    for (uint64_t page = (uint64_t)_i; page < pages; page += 8) {
        uint8_t part[PAGE];
        uint64_t other = scratch_random(&seed) % pages;
        uint64_t from = scratch_random(&seed) % 4 * 1024;
        int kind = (int)(scratch_random(&seed) % 3);
        memcpy(part, image + other * PAGE + (kind == 0 ? 0 : from),
               kind == 0 ? PAGE : PAGE - from);
        if (kind == 1)
            for (uint32_t i = 0; i < PAGE; i++)
                part[i] = (uint8_t)scratch_random(&seed);
        write_image(image_bytes);
        struct ssd *ssd = open_ssd();
        read_some(ssd, 0, 1);
        for (int i = 0; i < 2; i++)
            ck_assert_int_eq(write_some(ssd, &seed), 0);
        int fd = os_open(data_path, OS_READ | OS_WRITE);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(os_pwrite(fd, part, PAGE - (kind == 0 ? 0 : from),
                                   page * PAGE + (kind == 0 ? 0 : from)),
                         0);
        os_close(fd);
        for (int i = 0, rc = 0; i < 4 && rc == 0; i++) {
            rc = write_some(ssd, &seed);
            ck_assert_msg(rc == 0 || rc == WARP_ECORRUPT, "%d: %s", rc,
                          warp_errmsg(NULL));
            refused += rc != 0;
        }
        if (page > 1) /* for a meta page a reader has patience */
            scan_all(ssd, page & 1);
        ssd_close(&ssd);
    }
    ck_assert_uint_gt(refused, 5);
}
END_TEST

/* A root that names an older, whole page would hide what came later. */
START_TEST(roots_are_known)
{
    struct ssd *ssd;
    for (uint64_t at = 40; at < 144; at += 8) {
        uint64_t newest = image[144] < image[PAGE + 144] ? PAGE + at : at;
        if (at == 40 || at == 88 || (at >= 48 && at < 72) ||
            (at >= 96 && at < 120))
            continue; /* flags and counts of pages: LMDB's figures only */
        image[newest] ^= 1;
        write_image(image_bytes);
        ck_assert_msg(ssd_open(dir, 64 << 20, false, NULL, NULL, &ssd) ==
                          WARP_ECORRUPT,
                      "byte %lu", (unsigned long)at);
        image[newest] ^= 1;
    }
    write_image(image_bytes);
    ssd = open_ssd();
    ssd_close(&ssd);
    char sum[300];
    snprintf(sum, sizeof sum, "%s/data.sum", dir);
    ck_assert_int_eq(os_unlink(sum), 0);
    ssd = open_ssd();
    put_all(ssd, 9);
    ssd_close(&ssd);
    check_clean();
}
END_TEST

START_TEST(cut_files)
{
    uint64_t seed = 0xc0;
    uint64_t pages = image_bytes / PAGE;
    write_image(0);
    struct ssd *ssd;
    ck_assert_int_eq(ssd_open(dir, 0, false, NULL, NULL, &ssd), WARP_ECORRUPT);
    for (uint64_t bytes = 1; bytes < image_bytes;
         bytes += 1 + scratch_random(&seed) % (2 * PAGE * (pages / 60 + 1))) {
        write_image(bytes);
        use(seed);
    }
}
END_TEST

/* A meta page that is damaged while the store is open never comes right; one
 * that waits for the disk does. */
START_TEST(patience_with_a_meta_page_ends)
{
    const struct tree_file file = {.path = "data.mdb"};
    uint32_t tries = 0;
    ck_assert_int_eq(ssd_pool_retry(&file, 7, WARP_EIO, &tries), WARP_EIO);
    ck_assert_uint_eq(tries, 0);
    for (int i = 0; i < 70; i++)
        ck_assert_int_eq(ssd_pool_retry(&file, 7, WARP_TIMEOUT, &tries), 0);
    ck_assert_uint_eq(tries, 70);
    tries = 1 << 20;
    ck_assert_int_eq(ssd_pool_retry(&file, 7, WARP_TIMEOUT, &tries),
                     WARP_ECORRUPT);
    ck_assert(strstr(error_text(), "data.mdb") &&
              strstr(error_text(), "transaction 7"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssd_damage");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, 110);
    tcase_add_test(all, whole_files_pass);
    tcase_add_test(all, a_writer_that_is_killed_leaves_a_whole_file);
    tcase_add_test(all, free_pages_of_no_transaction);
    tcase_add_loop_test(all, flipped_bits, 0, 8);
    tcase_add_loop_test(all, noise_in_whole_pages, 0, 4);
    tcase_add_loop_test(all, damage_while_it_is_open, 0, 8);
    tcase_add_test(all, roots_are_known);
    tcase_add_test(all, cut_files);
    tcase_add_test(all, patience_with_a_meta_page_ends);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
