/* What is read and written: keys, values that can be verified, and the order
 * in which records are visited. All of it is prepared before the clock runs,
 * so that the measured loop costs a few nanoseconds. */
#ifndef BENCH_KV_WORKLOAD_H
#define BENCH_KV_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine.h"
#include "random.h"

enum { KV_POOL_BYTES = 1 << 20, KV_VALUE_MAX = 1 << 20 };

/** Bytes that do not compress, from which every value is cut. */
struct kv_pool {
    unsigned char bytes[KV_POOL_BYTES + KV_VALUE_MAX];
};

/** The records in random order, and which of them a zipf draw visits. */
struct kv_order {
    uint64_t records;
    uint32_t *shuffled;  /* [records] */
    uint32_t *zipf;      /* [zipf_count] drawn before, shared by the threads */
    uint32_t zipf_count; /* a power of two */
};

void kv_pool_fill(struct kv_pool *pool);

/** 0 or -1 without memory. records is below 2^32. */
int kv_order_init(struct kv_order *order, uint64_t records, bool zipf);
void kv_order_fini(struct kv_order *order);

/** The key of a record: 8 bytes without order, then its number. */
static inline void kv_key(uint64_t record, unsigned char key[KV_KEY_BYTES])
{
    uint64_t words[2] = {random_mix(record ^ UINT64_C(0x5bd1e9955bd1e995)),
                         __builtin_bswap64(record)};
    memcpy(key, words, sizeof words);
}

/* A value of 16 bytes and more is: record, stamp, bytes of the pool at a place
 * that both decide. A shorter one is pool bytes that the record decides. */
static inline size_t kv_place(uint64_t record, uint64_t stamp)
{
    return (size_t)random_mix(record * 31 + stamp) & (KV_POOL_BYTES - 1);
}

static inline void kv_value(const struct kv_pool *pool, uint64_t record,
                            uint64_t stamp, unsigned char *value, size_t bytes)
{
    if (bytes < 16) {
        memcpy(value, pool->bytes + kv_place(record, 0), bytes);
        return;
    }
    memcpy(value, &record, 8);
    memcpy(value + 8, &stamp, 8);
    memcpy(value + 16, pool->bytes + kv_place(record, stamp), bytes - 16);
}

/** The record of a key that kv_key has made. */
static inline uint64_t kv_key_record(const void *key)
{
    uint64_t word;
    memcpy(&word, (const char *)key + 8, 8);
    return __builtin_bswap64(word);
}

/** Is this a value that some writer wrote for this record? */
static inline bool kv_value_is_right(const struct kv_pool *pool,
                                     uint64_t record, const void *value,
                                     size_t value_bytes, size_t wanted_bytes)
{
    const unsigned char *v = value;
    uint64_t words[2];
    if (value_bytes != wanted_bytes)
        return false;
    if (value_bytes < 16)
        return memcmp(v, pool->bytes + kv_place(record, 0), value_bytes) == 0;
    memcpy(words, v, sizeof words);
    return words[0] == record &&
           memcmp(v + 16, pool->bytes + kv_place(record, words[1]),
                  value_bytes - 16) == 0;
}

#endif
