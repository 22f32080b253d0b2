/* series_chunk.h: a run of elements of one record as an entry of SSD_SERIES.
 *
 * KEY: product u16 BE, field u8, stream u8, the record's key escaped and ended
 * (00 -> 00 ff; end 00 00), then the first element: at with its sign bit
 * flipped, order, both u64 BE. A record's key that escaping makes too long
 * stands instead as 00 01, u16 BE length, its bytes. Stream 0 holds what is in
 * the entry itself or on the disk tier, stream 1 what is in the archive.
 * Chunks of one record and stream do not overlap.
 * VALUE (little-endian): u8 format = 1, u8 where, u8 flags, u8 0, u32 count,
 * i64 time of the last element, u32 raw bytes, u32 packed bytes; then the
 * packed elements (series_pack.h), or their place. */
#ifndef WARP_SERIES_CHUNK_H
#define WARP_SERIES_CHUNK_H

#include "archive.h"
#include "disk.h"
#include "layout.h"
#include "series_pack.h"
#include "ssd.h"

enum {
    SERIES_HEAD_BYTES = 3,   /* product, field: of a group's name */
    SERIES_PREFIX_BYTES = 4, /* and the stream */
    SERIES_ELEMENT_KEY = 16,
    /* one less than fits, so that a key never has SSD_KEY_BYTES_MAX bytes,
       and one more for a bound just behind an element */
    SERIES_ESCAPED_MAX =
        SSD_KEY_BYTES_MAX - SERIES_PREFIX_BYTES - SERIES_ELEMENT_KEY - 2,
    CHUNK_HEADER_BYTES = 24,
    CHUNK_RAW_MAX = 256 << 20
};

enum series_stream { STREAM_NEAR = 0, STREAM_ARCHIVE = 1 };
enum chunk_where { CHUNK_HERE = 0, CHUNK_DISK = 1, CHUNK_ARCHIVE = 2 };
enum chunk_flags { CHUNK_ORDERS = 1 };

struct chunk {
    uint8_t where, flags;
    uint32_t count, raw_bytes, packed_bytes;
    int64_t first_at, last_at;
    uint64_t first_order; /* as the key says it */
    const uint8_t *packed; /* CHUNK_HERE */
    struct disk_place place;
    struct archive_place archive;
};

void series_head(uint8_t *to, const struct layout *l, uint32_t field);
/* A group's name as the beginning of its keys in the table. */
uint32_t series_prefix(const uint8_t *name, uint32_t bytes,
                       enum series_stream stream, uint8_t *to);
/* The record's key in such a prefix: how many bytes. */
uint32_t series_record_key(const uint8_t *prefix, uint32_t bytes, uint8_t *key);
void series_element_key(uint8_t *to, int64_t at_ms, uint64_t order);
void series_element_read(const uint8_t *key, int64_t *at_ms, uint64_t *order);

/* WARP_ECORRUPT with a text. `packed` points into the value. */
int chunk_decode(struct ssd_slice key, struct ssd_slice value,
                 struct chunk *chunk);
/* Header and place, or header and packed bytes. */
void chunk_encode(const struct chunk *chunk, struct text *to);

#endif
