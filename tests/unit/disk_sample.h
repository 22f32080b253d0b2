/* disk_sample.h: values whose bytes follow from their number, in a disk tier
 * of small segments. */
#ifndef WARP_TEST_DISK_SAMPLE_H
#define WARP_TEST_DISK_SAMPLE_H

#include "scratch.h"

#include "disk.h"
#include "os.h"

#include <string.h>
#include <warp/gen.h>
#include <warp/warp.h>

enum { SAMPLES = 20000, SAMPLE_BYTES_MAX = 204800, SEGMENT_BYTES = 256 << 10 };

static struct disk *disk;
static const char *dir;
static struct {
    uint32_t bytes;
    int level;
    char owner[24];
    struct disk_place place, old;
    bool dead, moved;
} samples[SAMPLES];
static uint32_t sample_count;

struct sample_buffer {
    size_t bytes;
    uint8_t data[SAMPLE_BYTES_MAX];
};

/* The value of number n: words that repeat, different for each n. */
static inline const uint8_t *sample_bytes(uint32_t n)
{
    static _Thread_local uint8_t bytes[SAMPLE_BYTES_MAX + 64];
    static const char words[] = "speed mass energy orbit gravity ";
    for (size_t i = 0; i < SAMPLE_BYTES_MAX; i += 32)
        memcpy(bytes + i, words + n % 3, 30);
    for (size_t i = 0; i + 4 < SAMPLE_BYTES_MAX; i += 97)
        memcpy(bytes + i, &n, 4);
    return bytes;
}

static inline uint32_t sample_owner_bytes(uint32_t n)
{
    return (uint32_t)strlen(samples[n].owner);
}

static inline uint32_t sample_append(uint32_t bytes, int level)
{
    uint32_t n = sample_count++;
    ck_assert(n < SAMPLES);
    memset(&samples[n], 0, sizeof samples[n]);
    samples[n].bytes = bytes;
    samples[n].level = level;
    snprintf(samples[n].owner, sizeof samples[n].owner, "owner%u", n * 7919);
    int rc = disk_append(disk, level, samples[n].owner, sample_owner_bytes(n),
                         n, sample_bytes(n), bytes, &samples[n].place);
    ck_assert_msg(rc == 0, "%d: %s", rc, warp_errmsg(NULL));
    ck_assert(samples[n].place.segment != 0);
    return n;
}

static inline void *sample_alloc(void *arg, size_t bytes)
{
    struct sample_buffer *buffer = arg;
    buffer->bytes = bytes;
    return bytes <= sizeof buffer->data ? buffer->data : NULL;
}

static inline void sample_check(uint32_t n, int rc,
                                const struct sample_buffer *buffer)
{
    ck_assert_msg(rc == 0, "value %u: %d %s", n, rc, warp_errmsg(NULL));
    ck_assert_uint_eq(buffer->bytes, samples[n].bytes);
    ck_assert(memcmp(buffer->data, sample_bytes(n), buffer->bytes) == 0);
}

static inline int sample_read(struct disk_place place)
{
    static struct sample_buffer buffer;
    return disk_read(disk, place, sample_alloc, &buffer);
}

static inline void sample_check_all(void)
{
    static struct sample_buffer buffer;
    for (uint32_t n = 0; n < sample_count; n++)
        if (!samples[n].dead)
            sample_check(
                n, disk_read(disk, samples[n].place, sample_alloc, &buffer),
                &buffer);
}

static inline void sample_kill(uint32_t n)
{
    samples[n].dead = true;
    disk_free(disk, samples[n].place);
}

static inline void sample_open(bool read_only)
{
    int rc = disk_open(dir, read_only, SEGMENT_BYTES, NULL, NULL, &disk);
    ck_assert_msg(rc == 0, "%d: %s", rc, warp_errmsg(NULL));
}

static inline void sample_reopen(bool read_only)
{
    disk_close(&disk);
    ck_assert_ptr_null(disk);
    sample_open(read_only);
}

static inline void sample_recount(void)
{
    for (uint32_t n = 0; n < sample_count; n++)
        if (!samples[n].dead)
            disk_recount(disk, samples[n].place);
    disk_recounted(disk);
}

static inline void sample_bad(void *arg, const char *text)
{
    (*(uint32_t *)arg)++;
    ck_assert(strstr(text, ".wseg") != NULL);
}

static inline void sample_verify(uint32_t damaged)
{
    uint32_t count = 0;
    int rc = disk_verify(disk, sample_bad, &count);
    ck_assert_msg(rc == (damaged ? WARP_ECORRUPT : 0) && count == damaged,
                  "%d, %u: %s", rc, count, warp_errmsg(NULL));
}

static inline void sample_set_up(void)
{
    dir = scratch();
    sample_count = 0;
    sample_open(false);
}

static inline void sample_tear_down(void)
{
    disk_close(&disk);
    scratch_remove();
}

#endif
