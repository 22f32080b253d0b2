/* series_number.h: columns of numbers as few bytes, and back.
 *
 * An integer column is written the shortest of several ways: constant, offsets
 * from the least, differences, differences of differences; bits are packed in
 * blocks of 64. A float column as decimals (v = n / 10^e, n an integer column)
 * where that is exact, else by XOR with the value before. */
#ifndef WARP_SERIES_NUMBER_H
#define WARP_SERIES_NUMBER_H

#include "text.h"

#include <stdint.h>

/* Bytes that are read; `failed` once anything did not fit. */
struct pack_reader {
    const uint8_t *at, *end;
    bool failed;
};
uint64_t pack_varint(struct pack_reader *r);
void pack_put_varint(struct text *to, uint64_t v);

/* `same`: a column of as many numbers that the reader will have, or NULL: one
 * that equals it takes a byte. The room of `to` must exist for nothing else. */
void pack_integers(struct text *to, const int64_t *v, uint32_t count,
                   const int64_t *same);
bool unpack_integers(struct pack_reader *r, int64_t *v, uint32_t count,
                     const int64_t *same);

/* The bits of doubles (bytes 8) or floats (bytes 4), one in each word. scratch
 * has room for `count` words. */
void pack_floats(struct text *to, const uint64_t *bits, uint32_t count,
                 uint32_t bytes, int64_t *scratch);
bool unpack_floats(struct pack_reader *r, uint64_t *bits, uint32_t count,
                   uint32_t bytes, int64_t *scratch);

#endif
