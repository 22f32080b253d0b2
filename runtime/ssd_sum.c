/* ssd_sum.c: a checksum of the roots of the trees, beside LMDB's file.
 *
 * A flipped bit in a root could name an older page that is whole and so hide
 * what came later. FILE FORMAT of data.sum: two slots of 64 bytes, that of
 * transaction t at (t & 1) * 64: "WSUM", 0 4, transaction 8, zeros, CRC32C of
 * the roots 4, CRC32C of the 60 bytes before 4; little-endian. A slot is
 * written behind its commit and not synced: one that is missing, torn or of
 * another transaction says nothing. */
#include "crc.h"
#include "error.h"
#include "os.h"
#include "ssd_check.h"

#include <inttypes.h>
#include <stdio.h>

enum { SLOT_BYTES = 64 };

static void put64(uint8_t *to, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

uint32_t ssd_sum_roots(const struct tree_snapshot *s)
{
    uint8_t word[24];
    uint32_t crc = 0;
    put64(word, s->txn);
    put64(word + 8, s->page_limit);
    crc = crc32c(crc, word, 16);
    for (int i = -2; i < SSD_TABLE_COUNT; i++) {
        const struct tree_root *root = i == -2   ? &s->free
                                       : i == -1 ? &s->tables
                                                 : &s->table[i];
        put64(word, root->page);
        put64(word + 8, root->depth);
        put64(word + 16, root->entries);
        crc = crc32c(crc, word, 24);
    }
    return crc;
}

static void encode(const struct tree_snapshot *s, uint8_t slot[SLOT_BYTES])
{
    uint32_t crc = ssd_sum_roots(s);
    memset(slot, 0, SLOT_BYTES);
    memcpy(slot, "WSUM", 4);
    put64(slot + 8, s->txn);
    for (int i = 0; i < 4; i++)
        slot[56 + i] = (uint8_t)(crc >> (8 * i));
    crc = crc32c(0, slot, 60);
    for (int i = 0; i < 4; i++)
        slot[60 + i] = (uint8_t)(crc >> (8 * i));
}

static uint64_t place_of(const struct tree_snapshot *s)
{
    return (s->txn & 1) * SLOT_BYTES;
}

int ssd_sum_open(const char *dir)
{
    char path[4096 + 16];
    snprintf(path, sizeof path, "%s/data.sum", dir);
    return os_open(path, OS_READ | OS_WRITE | OS_CREATE);
}

void ssd_sum_write(int fd, const struct tree_snapshot *s)
{
    uint8_t slot[SLOT_BYTES];
    encode(s, slot);
    /* Without it the next open checks less, which is no failure. */
    (void)!os_pwrite(fd, slot, SLOT_BYTES, place_of(s));
}

int ssd_sum_check(const char *dir, const struct tree_file *file,
                  const struct tree_snapshot *s)
{
    char path[4096];
    uint8_t slot[SLOT_BYTES], right[SLOT_BYTES];
    if (snprintf(path, sizeof path, "%s/data.sum", dir) >= (int)sizeof path)
        return 0;
    int fd = os_open(path, OS_READ);
    if (fd < 0)
        return 0;
    int64_t n = os_pread(fd, slot, SLOT_BYTES, place_of(s));
    os_close(fd);
    encode(s, right);
    if (n != SLOT_BYTES || memcmp(slot, right, SLOT_BYTES) == 0 ||
        memcmp(slot, right, 16) != 0)
        return 0;
    uint32_t crc = crc32c(0, slot, 60);
    for (int i = 0; i < 4; i++)
        if (slot[60 + i] != (uint8_t)(crc >> (8 * i)))
            return 0;
    return error_set(WARP_ECORRUPT,
                     "%s is damaged: the roots of transaction %" PRIu64
                     " are not those that data.sum knows; restore a backup "
                     "or run `warp verify`",
                     file->path, s->txn);
}
