/* log_format.h: where each number of the log's files stands. The meaning, and
 * what must hold, is at the head of log.c. Little-endian throughout. */
#ifndef WARP_LOG_FORMAT_H
#define WARP_LOG_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    LOG_VERSION = 1,
    LOG_SHARDS_MAX = 256,
    LOG_PAGE = 4096,           /* blocks start at multiples of it */
    LOG_HEADER_BYTES = 8192,   /* of a segment */
    LOG_BLOCK_BYTES = 1 << 20, /* the longest block */
    LOG_SEGMENT_MIN = 512 << 10,
    LOG_SEGMENT_START = 1 << 20,
    LOG_SEGMENT_MAX = 64 << 20,
    LOG_FRAME_MAX = 64 << 10, /* the longest record; longer commits: frames */
    LOG_BODY_MAX = 256 << 20
};
#define LOG_SEGMENT_MAGIC UINT64_C(0x31474f4c50524157) /* "WARPLOG1" */
#define LOG_BLOCK_MAGIC   UINT32_C(0x4b4c4257)         /* "WBLK" */

/* Segment header. */
enum {
    SEG_MAGIC = 0,
    SEG_CRC = 8, /* of the bytes behind it */
    SEG_VERSION = 12,
    SEG_STORE = 16,
    SEG_NUMBER = 32,
    SEG_FIRST = 40,   /* number of its first block */
    SEG_DURABLE = 48, /* all blocks below were durable when it was written */
    SEG_SALT = 56,
    SEG_FINGERPRINT = 64,
    SEG_BYTES = 72,
    SEG_CLOCK = 80,
    SEG_RING_BYTES = 88,
    SEG_SHARDS = 96,
    SEG_PLACES = 4096 /* 256 x {u64 ring position, u64 sequence number} */
};

/* The page of tails, behind the last of them. */
enum {
    TAILS_BOOT = 4032, /* magic, the kernel's start, crc of both */
    BOOT_ID = 8,
    BOOT_CRC = 24,
    BOOT_BYTES = 32
};
#define LOG_BOOT_MAGIC UINT64_C(0x544f4f4250524157) /* "WARPBOOT" */

/* Block header. */
enum {
    BLOCK_MAGIC = 0,
    BLOCK_CRC = 4, /* of the header's bytes behind it */
    BLOCK_SEGMENT = 8,
    BLOCK_NUMBER = 16,
    BLOCK_PAYLOAD = 24,
    BLOCK_FLAGS = 28,
    BLOCK_CLOCK = 32,
    BLOCK_SKIP = 40,
    BLOCK_DURABLE = 48,
    BLOCK_SALT = 56,
    BLOCK_HEADER_BYTES = 64
};
enum block_flags {
    BLOCK_CUT = 1,   /* the last block of a consistent cut */
    BLOCK_START = 2, /* the first of a run of the program */
    BLOCK_CLEAN = 4  /* nothing is in the rings */
};

/* Record. */
enum {
    REC_CRC = 0, /* of all of it with 0 here; seeded by store and position */
    REC_BYTES = 4,
    REC_SEQ = 8,
    REC_SHARD = 16,
    REC_FLAGS = 18,
    REC_ZERO = 19,
    REC_EPOCH = 20,
    REC_HEADER_BYTES = 24,
    REC_BATCH_ID = 24,
    REC_BATCH_PARTS = 32,
    REC_BATCH_BYTES = 16 /* id, parts, zero */
};
enum record_flags { REC_FIRST = 1, REC_LAST = 2, REC_BATCH = 4 };

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOG_LE16(x) (x)
#define LOG_LE32(x) (x)
#define LOG_LE64(x) (x)
#else
#define LOG_LE16(x) __builtin_bswap16(x)
#define LOG_LE32(x) __builtin_bswap32(x)
#define LOG_LE64(x) __builtin_bswap64(x)
#endif

static inline void put16(uint8_t *to, uint16_t n)
{
    n = LOG_LE16(n);
    memcpy(to, &n, sizeof n);
}
static inline void put32(uint8_t *to, uint32_t n)
{
    n = LOG_LE32(n);
    memcpy(to, &n, sizeof n);
}
static inline void put64(uint8_t *to, uint64_t n)
{
    n = LOG_LE64(n);
    memcpy(to, &n, sizeof n);
}
static inline uint16_t get16(const uint8_t *from)
{
    uint16_t n;
    memcpy(&n, from, sizeof n);
    return LOG_LE16(n);
}
static inline uint32_t get32(const uint8_t *from)
{
    uint32_t n;
    memcpy(&n, from, sizeof n);
    return LOG_LE32(n);
}
static inline uint64_t get64(const uint8_t *from)
{
    uint64_t n;
    memcpy(&n, from, sizeof n);
    return LOG_LE64(n);
}

static inline uint64_t log_align(uint64_t bytes, uint64_t to)
{
    return (bytes + to - 1) & ~(to - 1);
}

/* A record's CRC starts from its place: positions less than 32 GiB apart never
 * share a seed, so what an earlier lap left never checks. */
static inline uint32_t log_seed(uint32_t store_seed, uint64_t position)
{
    return store_seed ^ (uint32_t)(position >> 3) ^
           (uint32_t)(position >> 35) * UINT32_C(0x9e3779b1);
}

/* Of the header alone: the records have their own. */
uint32_t log_block_crc(const uint8_t *block);

#endif
