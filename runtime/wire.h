/* wire.h: little-endian numbers at any address. */
#ifndef WARP_WIRE_H
#define WARP_WIRE_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define WIRE_SWAP(bits, v) (v)
#else
#define WIRE_SWAP(bits, v) __builtin_bswap##bits(v)
#endif

#define WIRE_NUMBER(bits)                                                     \
    static inline uint8_t *wire_put##bits(uint8_t *to, uint##bits##_t v)      \
    {                                                                         \
        v = WIRE_SWAP(bits, v);                                               \
        memcpy(to, &v, sizeof v);                                             \
        return to + sizeof v;                                                 \
    }                                                                         \
    static inline uint##bits##_t wire_get##bits(const uint8_t *from)          \
    {                                                                         \
        uint##bits##_t v;                                                     \
        memcpy(&v, from, sizeof v);                                           \
        return WIRE_SWAP(bits, v);                                            \
    }
WIRE_NUMBER(16)
WIRE_NUMBER(32)
WIRE_NUMBER(64)
#undef WIRE_NUMBER

#endif
