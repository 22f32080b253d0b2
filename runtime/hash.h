/* hash.h: the hash of a key, 64 bits, seeded per store.
 *
 * Folded 64x64 multiplications (the idea of wyhash and its kin). It decides the
 * shard of a key, so it must never change for a store: a new function needs a
 * new format number in the store's header. */
#ifndef WARP_HASH_H
#define WARP_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t hash_load(const uint8_t *p, size_t bytes)
{
    uint64_t v = 0;
    memcpy(&v, p, bytes);
    return v;
}

static inline uint64_t hash_key(uint64_t seed, uint16_t product,
                                const uint8_t *key, size_t bytes)
{
    const uint64_t c0 = 0x9e3779b97f4a7c15u, c1 = 0xbf58476d1ce4e5b9u,
                   c2 = 0x94d049bb133111ebu;
    uint64_t h = hash_fold(seed ^ c0, (uint64_t)product << 32 ^ bytes ^ c1);
    while (bytes > 16) {
        h = hash_fold(hash_load(key, 8) ^ c1, hash_load(key + 8, 8) ^ h);
        key += 16;
        bytes -= 16;
    }
    uint64_t a, b = 0;
    if (bytes >= 8) {
        a = hash_load(key, 8);
        b = hash_load(key + bytes - 8, 8);
    } else {
        a = hash_load(key, bytes);
    }
    return hash_fold(hash_fold(a ^ c1, b ^ h) ^ c2, h ^ c0);
}

static inline uint32_t hash_shard(uint64_t hash, uint32_t shards)
{
    return (uint32_t)(((hash >> 20 & 0x3ffff) * shards) >> 18);
}

#endif
