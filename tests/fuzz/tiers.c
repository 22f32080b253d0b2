/* tiers ROUNDS [SEED]: hostile files of the two tiers. Unlike bits that flip by
 * chance, a change here hits a field that a reader uses as a length, an offset
 * or a page number, and a segment's checksums are made right again, so that
 * the code behind them sees the hostile value. Each round runs in a child: it
 * reads, scans, writes, rewrites and checks; every call may fail with a code,
 * none may crash or hang. Prints its seed; the same seed does the same. */
#include "crc.h"
#include "disk.h"
#include "os.h"
#include "segment.h"
#include "ssd.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <warp/gen.h>
#include <warp/warp.h>

enum { KEYS = 4000, VALUES = 900, PAGE = 4096, SECONDS_MAX = 20 };

static uint64_t state;
static char dir[256], path[300];
static struct disk_place place[VALUES];

struct image {
    uint8_t *data;
    uint64_t bytes;
};

static uint64_t dice(uint64_t sides)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % sides;
}

static void need(bool good, const char *what)
{
    if (good)
        return;
    printf("%s: %s\n", what, warp_errmsg(NULL));
    exit(2);
}

static struct image load(const char *file)
{
    struct image image = {NULL, 0};
    int fd = os_open(file, OS_READ);
    need(fd >= 0 && os_size(fd, &image.bytes) == 0, file);
    image.data = malloc(image.bytes);
    need(os_pread(fd, image.data, image.bytes, 0) == (int64_t)image.bytes,
         file);
    os_close(fd);
    return image;
}

static void store(const char *file, struct image image)
{
    int fd = os_open(file, OS_READ | OS_WRITE | OS_TRUNC | OS_CREATE);
    need(fd >= 0 && os_pwrite(fd, image.data, image.bytes, 0) == 0, file);
    os_close(fd);
}

static void put16(uint8_t *to, uint64_t v)
{
    to[0] = (uint8_t)v;
    to[1] = (uint8_t)(v >> 8);
}

static uint32_t get16(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8;
}

static void put32(uint8_t *to, uint64_t v)
{
    put16(to, v);
    put16(to + 2, v >> 16);
}

static void put64(uint8_t *to, uint64_t v)
{
    put32(to, v);
    put32(to + 4, v >> 32);
}

/* A number that a careless reader would trip over. */
static uint64_t hostile(uint64_t now, uint64_t most)
{
    switch (dice(8)) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return now + 1;
    case 3:
        return now - 1;
    case 4:
        return now ^ 1ull << dice(16);
    case 5:
        return dice(most + 1);
    case 6:
        return most;
    default:
        return dice(2) ? 0x7fffffff : 0x8000;
    }
}

/* ---- data.mdb ---- */

static struct ssd_slice key_of(uint32_t n, char *to)
{
    snprintf(to, 32, "k%u", n * 2654435761u);
    return (struct ssd_slice){to, strlen(to)};
}

static void fill_ssd(void)
{
    static uint8_t value[6000];
    struct ssd *ssd;
    struct ssd_txn *txn;
    char key[32];
    need(ssd_open(dir, 64 << 20, false, NULL, NULL, &ssd) == 0, "open");
    for (uint32_t round = 1; round < 6; round += 2) {
        need(ssd_begin(ssd, &txn) == 0, "begin");
        for (uint32_t n = 0; n < KEYS; n += round)
            need(ssd_put(txn, n % 7 ? SSD_ROWS : SSD_COLD, key_of(n, key),
                         (struct ssd_slice){value, n % 50 ? n % 200 : 5000}) ==
                     0,
                 "put");
        for (uint32_t n = 0; n < KEYS; n += 11)
            need(ssd_del(txn, SSD_ROWS, key_of(n, key)) == 0, "del");
        need(ssd_commit(&txn) == 0, "commit");
    }
    ssd_close(&ssd);
}

static void change_node(uint8_t *page, uint64_t pages)
{
    uint32_t lower = get16(page + 12);
    uint32_t count = lower >= 16 && lower < PAGE ? (lower - 16) / 2 : 0;
    if (count == 0)
        return;
    uint8_t *pointer = page + 16 + 2 * dice(count);
    uint32_t offset = get16(pointer);
    if (dice(4) == 0 || offset > PAGE - 16) {
        put16(pointer, hostile(offset, PAGE));
        return;
    }
    uint8_t *field = page + offset + 2 * dice(4);
    put16(field, hostile(get16(field), dice(2) ? pages : PAGE));
}

static void change_page(struct image image)
{
    uint64_t pages = image.bytes / PAGE, number = dice(pages);
    uint8_t *page = image.data + number * PAGE;
    switch (dice(6)) {
    case 0:
        put16(page + 8 + 2 * dice(4), hostile(PAGE / 2, PAGE));
        break;
    case 1:
        put64(page, hostile(number, pages));
        break;
    case 2: /* a meta page: roots, depths, counts, the last page */
        page = image.data + dice(2) * PAGE;
        put64(page + 16 + 8 * dice(17), hostile(pages / 2, pages));
        break;
    case 3: /* another page of the file in its place, number made right */
        memcpy(page, image.data + dice(pages) * PAGE, PAGE);
        put64(page, number);
        break;
    default:
        change_node(page, pages);
        break;
    }
}

static int ignore(void *arg, struct ssd_slice value)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < value.bytes; i++)
        sum += ((const uint8_t *)value.data)[i];
    *(uint32_t *)arg += sum;
    return 0;
}

static void write_ssd(struct ssd *ssd)
{
    static uint8_t value[9000];
    struct ssd_txn *txn;
    char key[32], to[32];
    int rc = ssd_begin(ssd, &txn);
    if (rc != 0)
        return;
    for (int i = 0; i < 200 && rc == 0; i++) {
        uint32_t n = (uint32_t)dice(KEYS);
        struct ssd_slice v = {value, dice(20) ? dice(200) : dice(9000)};
        enum ssd_table table = dice(4) ? SSD_ROWS : SSD_COLD;
        if (dice(20) == 0)
            rc = ssd_del_range(txn, table, key_of(n, key),
                               key_of((uint32_t)dice(KEYS), to));
        else if (dice(2))
            rc = ssd_del(txn, table, key_of(n, key));
        else
            rc = ssd_put(txn, table, key_of(n, key), v);
    }
    if (rc == 0)
        ssd_commit(&txn);
    else
        ssd_abort(&txn);
}

static void use_ssd(void)
{
    struct ssd *ssd;
    char key[32];
    uint32_t sum = 0;
    ssd_check_file(dir, true, NULL, NULL);
    if (ssd_open(dir, 64 << 20, false, NULL, NULL, &ssd) != 0)
        return;
    for (int round = 0; round < 3; round++) {
        for (uint32_t n = 0; n < 300 && dice(2); n++)
            ssd_get(ssd, dice(7) ? SSD_ROWS : SSD_COLD,
                    key_of((uint32_t)dice(KEYS), key), ignore, &sum);
        for (int table = 0; table < SSD_TABLE_COUNT; table++) {
            struct ssd_cursor *cursor;
            struct ssd_slice k, v, all = {NULL, 0};
            if (dice(2) || ssd_cursor_open(ssd, (enum ssd_table)table, all, all,
                                           dice(2), &cursor) != 0)
                continue;
            while (ssd_next(cursor, &k, &v) == 0)
                ignore(&sum, v);
            ssd_cursor_close(&cursor);
        }
        write_ssd(ssd);
    }
    struct ssd_stat stat;
    ssd_stat(ssd, &stat);
    ssd_verify(ssd, NULL, NULL);
    ssd_close(&ssd);
}

/* ---- segments ---- */

static void fill_disk(void)
{
    static char value[50000];
    struct disk *disk;
    memset(value, 'v', sizeof value);
    need(disk_open(dir, false, 128 << 10, NULL, NULL, &disk) == 0, "open");
    for (uint32_t i = 0; i < VALUES; i++) {
        size_t bytes = i % 100 ? i % 700 : 45000;
        value[i % 50] ^= (char)i;
        need(disk_append(disk, 1 + (int)(i % 3), &i, 4, i, value, bytes,
                         &place[i]) == 0,
             "append");
    }
    need(disk_sync(disk) == 0, "sync");
    disk_close(&disk);
}

/* Changes a field of a block that is there and signs it again. */
static void change_block(struct image image, uint32_t number, uint32_t unit)
{
    uint64_t at = (uint64_t)unit * 64;
    struct segment_block block;
    if (at + SEGMENT_BLOCK_BYTES > image.bytes ||
        !segment_block_decode(image.data + at, unit, &block))
        return;
    uint8_t *head = image.data + at, *stored = head + SEGMENT_BLOCK_BYTES;
    uint64_t room = image.bytes - at - SEGMENT_BLOCK_BYTES;
    if (block.stored_bytes > room)
        return;
    switch (dice(6)) {
    case 0:
        block.raw_bytes = (uint32_t)hostile(block.raw_bytes, 1u << 30);
        break;
    case 1:
        block.stored_bytes = (uint32_t)hostile(block.stored_bytes, room);
        break;
    case 2:
        block.entry_count = (uint32_t)hostile(block.entry_count, 1u << 20);
        break;
    case 3:
        block.codec = (uint32_t)hostile(block.codec, 3);
        break;
    default: /* the compressed bytes, or the entries in them */
        for (uint64_t i = dice(8); i > 0 && block.stored_bytes > 0; i--)
            stored[dice(block.stored_bytes)] = (uint8_t)dice(256);
        if (block.codec == 0 && block.stored_bytes > 16)
            put32(stored + 8 + 4 * dice(2), hostile(100, 1u << 20));
        break;
    }
    if (block.stored_bytes <= room)
        segment_block_encode(number, &block, stored, head);
}

/* Changes footer or trailer and signs them again. */
static void change_footer(struct image image)
{
    if (image.bytes < SEGMENT_TRAILER_BYTES)
        return;
    uint8_t *trailer = image.data + image.bytes - SEGMENT_TRAILER_BYTES;
    uint64_t at = 0, bytes = 0;
    memcpy(&at, trailer + 8, 8);
    memcpy(&bytes, trailer + 16, 8);
    if (dice(3) == 0)
        put64(trailer + 8 + 8 * dice(6), hostile(at, image.bytes));
    else if (at < image.bytes && bytes <= image.bytes - at && bytes >= 32) {
        put32(image.data + at + 4 * dice(bytes / 4), hostile(bytes, 1u << 20));
        put32(trailer + 24, crc32c(0, image.data + at, bytes));
    }
    put32(trailer + 60, crc32c(0, trailer, 60));
}

static void *alloc(void *arg, size_t bytes)
{
    static uint8_t to[1 << 20];
    (void)arg;
    return bytes <= sizeof to ? to : NULL;
}

static int move(void *arg, const void *owner, size_t owner_bytes,
                uint64_t version, struct disk_place from, const void *value,
                size_t bytes)
{
    struct disk_place to;
    (void)from;
    return disk_append(arg, WARP_COMPRESS_FAST, owner, owner_bytes, version,
                       value, bytes, &to);
}

static void use_disk(void)
{
    struct disk *disk;
    if (disk_open(dir, dice(4) == 0, 128 << 10, NULL, NULL, &disk) != 0)
        return;
    for (uint32_t i = 0; i < VALUES; i++) {
        struct disk_place p = place[i];
        if (dice(10) == 0)
            p.block = (uint32_t)hostile(p.block, 4000);
        if (dice(10) == 0)
            p.offset = (uint32_t)hostile(p.offset, 70000);
        if (dice(10) == 0)
            p.bytes = (uint32_t)hostile(p.bytes, 70000);
        disk_read(disk, p, alloc, NULL);
        if (dice(3))
            disk_recount(disk, p);
    }
    disk_recounted(disk);
    disk_verify(disk, NULL, NULL);
    for (int i = 0; i < 5; i++)
        disk_compact(disk, 101, move, disk);
    if (disk_sync(disk) != 0)
        disk_rollback(disk);
    disk_reclaim(disk);
    disk_verify(disk, NULL, NULL);
    disk_close(&disk);
}

/* ---- rounds ---- */

static bool survives(void (*use)(void), uint64_t seed, uint64_t round,
                     const char *what)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS_MAX);
        use();
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    printf("seed %llu, round %llu: %s ended by signal %d\n",
           (unsigned long long)seed, (unsigned long long)round, what,
           WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return false;
}

static bool fuzz_ssd(uint64_t seed, uint64_t rounds)
{
    bool good = true;
    fill_ssd();
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    struct image whole = load(path), image = whole;
    image.data = malloc(whole.bytes);
    for (uint64_t round = 0; round < rounds; round++) {
        memcpy(image.data, whole.data, whole.bytes);
        for (uint64_t i = 1 + dice(3); i > 0; i--)
            change_page(image);
        store(path, image);
        good &= survives(use_ssd, seed, round, "data.mdb");
    }
    free(image.data);
    free(whole.data);
    return good;
}

static bool fuzz_disk(uint64_t seed, uint64_t rounds)
{
    enum { FILES = 8 };
    struct image whole[FILES] = {{NULL, 0}}, image;
    bool good = true;
    uint32_t files = 0;
    fill_disk();
    while (files < FILES) {
        snprintf(path, sizeof path, "%s/%08x.wseg", dir, files + 1);
        if (os_exists(path) != 1)
            break;
        whole[files++] = load(path);
    }
    for (uint64_t round = 0; round < rounds; round++) {
        for (uint32_t f = 0; f < files; f++) {
            image.bytes = whole[f].bytes;
            image.data = malloc(image.bytes);
            memcpy(image.data, whole[f].data, image.bytes);
            for (uint64_t i = dice(4); i > 0; i--) {
                uint32_t unit = place[dice(VALUES)].block;
                if (dice(3))
                    change_block(image, f + 1, dice(2) ? unit : 1);
                else
                    change_footer(image);
            }
            if (dice(10) == 0)
                image.bytes = dice(image.bytes);
            snprintf(path, sizeof path, "%s/%08x.wseg", dir, f + 1);
            store(path, image);
            free(image.data);
        }
        good &= survives(use_disk, seed, round, "segments");
    }
    for (uint32_t f = 0; f < files; f++)
        free(whole[f].data);
    return good;
}

int main(int argc, char **argv)
{
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 0) : 100;
    uint64_t seed =
        argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)os_wall_ms();
    const char *root = getenv("TMPDIR");
    char command[400];
    printf("seed %llu\n", (unsigned long long)seed);
    state = seed * 2 + 1;
    snprintf(dir, sizeof dir, "%s/warp_XXXXXX", root ? root : P_tmpdir);
    need(mkdtemp(dir) != NULL, "a directory");
    bool good = fuzz_ssd(seed, rounds);
    good &= fuzz_disk(seed, rounds);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    need(system(command) == 0, "removing the directory");
    return good ? 0 : 1;
}
