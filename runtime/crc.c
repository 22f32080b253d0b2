/* crc.c: CRC32C by the processor's instruction, else by tables (slicing by 8).
 *
 * The choice is made once, before main. Polynomial and test vectors: RFC 3720,
 * appendix B.4. */
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

__attribute__((target("sse4.2"))) static uint32_t
by_instruction(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *p = data;
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
    if (__builtin_cpu_supports("sse4.2"))
        chosen = by_instruction;
#endif
}

uint32_t crc32c(uint32_t crc, const void *data, size_t bytes)
{
    return ~chosen(~crc, data, bytes);
}
