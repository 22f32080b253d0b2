/* crc.c: CRC32C by the processor's instruction, else by tables (slicing by 8).
 *
 * The instruction gives its result three cycles later, and another can begin
 * each cycle: what is long is taken in three lanes, whose results are put
 * together with tables of what LANE_BYTES zeros do to a checksum. The choice is
 * made once, before main. Polynomial and test vectors: RFC 3720, appendix
 * B.4. */
#include "crc.h"

#include <string.h>

static uint32_t table[8][256];

static uint32_t by_table(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *p = data;
    while (bytes >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        word ^= crc;
        crc = table[7][word & 0xff] ^ table[6][(word >> 8) & 0xff] ^
              table[5][(word >> 16) & 0xff] ^ table[4][(word >> 24) & 0xff] ^
              table[3][(word >> 32) & 0xff] ^ table[2][(word >> 40) & 0xff] ^
              table[1][(word >> 48) & 0xff] ^ table[0][word >> 56];
        p += 8;
        bytes -= 8;
    }
    while (bytes--)
        crc = table[0][(crc ^ *p++) & 0xff] ^ (crc >> 8);
    return crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

enum { LANE_BYTES = 512 };

static uint32_t zeros[4][256]; /* by a checksum's bytes */

/* The checksum `crc`, LANE_BYTES zeros later: they are linear. */
static inline uint32_t skip_lane(uint32_t crc)
{
    return zeros[0][crc & 0xff] ^ zeros[1][crc >> 8 & 0xff] ^
           zeros[2][crc >> 16 & 0xff] ^ zeros[3][crc >> 24];
}

static void make_zeros(void)
{
    static const uint8_t lane[LANE_BYTES];
    for (int k = 0; k < 4; k++)
        for (uint32_t i = 0; i < 256; i++)
            zeros[k][i] = by_table(i << 8 * k, lane, sizeof lane);
}

__attribute__((target("sse4.2"))) static uint32_t
three_lanes(uint32_t crc, const uint8_t *p)
{
    uint64_t a = crc, b = 0, c = 0;
    for (size_t at = 0; at < LANE_BYTES; at += 8) {
        uint64_t word[3];
        memcpy(&word[0], p + at, 8);
        memcpy(&word[1], p + LANE_BYTES + at, 8);
        memcpy(&word[2], p + 2 * LANE_BYTES + at, 8);
        a = _mm_crc32_u64(a, word[0]);
        b = _mm_crc32_u64(b, word[1]);
        c = _mm_crc32_u64(c, word[2]);
    }
    return skip_lane(skip_lane((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
}

__attribute__((target("sse4.2"))) static uint32_t
by_instruction(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *p = data;
    while (bytes >= 3 * LANE_BYTES) {
        crc = three_lanes(crc, p);
        p += 3 * LANE_BYTES;
        bytes -= 3 * LANE_BYTES;
    }
    uint64_t c = crc;
    while (bytes >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = _mm_crc32_u64(c, word);
        p += 8;
        bytes -= 8;
    }
    uint32_t d = (uint32_t)c;
    if (bytes & 4) {
        uint32_t word;
        memcpy(&word, p, 4);
        d = _mm_crc32_u32(d, word);
        p += 4;
    }
    if (bytes & 2) {
        uint16_t word;
        memcpy(&word, p, 2);
        d = _mm_crc32_u16(d, word);
        p += 2;
    }
    return bytes & 1 ? _mm_crc32_u8(d, *p) : d;
}
#endif

static uint32_t (*chosen)(uint32_t, const void *, size_t) = by_table;

__attribute__((constructor)) static void choose(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = (c >> 1) ^ (0x82f63b78u & (0u - (c & 1)));
        table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++)
            table[k][i] =
                table[0][table[k - 1][i] & 0xff] ^ (table[k - 1][i] >> 8);
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        make_zeros();
        chosen = by_instruction;
    }
#endif
}

uint32_t crc32c(uint32_t crc, const void *data, size_t bytes)
{
    return ~chosen(~crc, data, bytes);
}
