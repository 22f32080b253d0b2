/* segment.c: a segment's header, blocks, entries and footer to bytes and back.
 *
 * FILE FORMAT of xxxxxxxx.wseg, version 1 (the name is the segment's number in
 * hexadecimal; numbers are little-endian; "unit" = 64 bytes):
 *
 *   header   64: "WARPSEG" 0, version 4, number 4, compression 4, zeros,
 *            crc 4 over the 60 bytes before
 *   block    at a multiple of 64: "WBLK", crc 4, codec 1, zeros 3, raw bytes
 *            4, stored bytes 4, entries 4, stored bytes, zeros up to 64
 *   …
 *   footer   at a multiple of 64: "WFTR", blocks 4, lowest and highest version
 *            8 + 8, bytes of the lowest and highest owner 4 + 4, both owners;
 *            per block {unit 4, codec 4, raw 4, stored 4, entries 4}
 *   trailer  64, the end of the file: "WEND", number 4, footer's offset 8, its
 *            bytes 8, its crc 4, zeros 4, raw bytes 8, stored bytes 8 and
 *            entries 8 of all blocks, zeros 4, crc 4 over the 60 before
 *
 * A raw block is entries, one behind the other: version 8, value bytes 4,
 * owner bytes 4, value, owner. All crc are CRC32C.
 *
 * S1  A block's crc covers segment number, unit, the 16 bytes of its header
 *     behind the crc and the stored bytes: a block read at another place, or
 *     left by another segment, is not taken for one.
 * S2  A block below the end that disk_sync() has made durable is not changed.
 * S3  Nothing refers to a block that was not synced; so an unfinished tail
 *     may be ignored, and written over.
 * S4  A segment with a trailer is sealed: nothing is appended to it. Bytes
 *     that its footer does not list belong to no block.
 * S5  A segment without one is the last of its compression, or its writer
 *     died; it is sealed at the next open when its tail is not whole.
 * S6  Numbers rise and are not used twice: the segment with the highest
 *     number is kept even when it is empty.
 * S7  Versions and owners of all entries lie within a footer's bounds. */
#include "segment.h"

#include "compress.h"
#include "crc.h"
#include "error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, FOOTER_BYTES = 32, FOOTER_BLOCK_BYTES = 20 };
static const char header_magic[8] = "WARPSEG";
static const char block_magic[4] = {'W', 'B', 'L', 'K'};
static const char footer_magic[4] = {'W', 'F', 'T', 'R'};
static const char trailer_magic[4] = {'W', 'E', 'N', 'D'};

static void put32(uint8_t *to, uint32_t v)
{
    to[0] = (uint8_t)v;
    to[1] = (uint8_t)(v >> 8);
    to[2] = (uint8_t)(v >> 16);
    to[3] = (uint8_t)(v >> 24);
}

static void put64(uint8_t *to, uint64_t v)
{
    put32(to, (uint32_t)v);
    put32(to + 4, (uint32_t)(v >> 32));
}

static uint32_t get32(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

static uint64_t get64(const uint8_t *from)
{
    return get32(from) | (uint64_t)get32(from + 4) << 32;
}

/* ---- name and header ---- */

void segment_name(uint32_t number, char to[SEGMENT_NAME_BYTES])
{
    snprintf(to, SEGMENT_NAME_BYTES, "%08x.wseg", number);
}

uint32_t segment_number(const char *name)
{
    char same[SEGMENT_NAME_BYTES];
    unsigned number = 0;
    if (strlen(name) != 13 || sscanf(name, "%8x", &number) != 1)
        return 0;
    segment_name(number, same);
    return strcmp(name, same) == 0 ? number : 0;
}

void segment_header_encode(uint32_t number, uint32_t compression,
                           uint8_t to[SEGMENT_HEADER_BYTES])
{
    memset(to, 0, SEGMENT_HEADER_BYTES);
    memcpy(to, header_magic, sizeof header_magic);
    put32(to + 8, VERSION);
    put32(to + 12, number);
    put32(to + 16, compression);
    put32(to + 60, crc32c(0, to, 60));
}

bool segment_header_decode(const uint8_t *from, uint32_t number,
                           uint32_t *compression)
{
    *compression = get32(from + 16);
    return memcmp(from, header_magic, sizeof header_magic) == 0 &&
           get32(from + 60) == crc32c(0, from, 60) &&
           get32(from + 8) == VERSION && get32(from + 12) == number;
}

/* ---- blocks ---- */

uint64_t segment_block_span(uint32_t stored_bytes)
{
    uint64_t bytes = SEGMENT_BLOCK_BYTES + (uint64_t)stored_bytes;
    return (bytes + SEGMENT_UNIT_BYTES - 1) / SEGMENT_UNIT_BYTES *
           SEGMENT_UNIT_BYTES;
}

static uint32_t block_crc(uint32_t number, uint32_t unit, const uint8_t *head,
                          const void *stored, uint32_t stored_bytes)
{
    uint8_t where[8];
    put32(where, number);
    put32(where + 4, unit);
    uint32_t crc = crc32c(0, where, sizeof where);
    crc = crc32c(crc, head + 8, SEGMENT_BLOCK_BYTES - 8);
    return crc32c(crc, stored, stored_bytes);
}

void segment_block_encode(uint32_t number, const struct segment_block *block,
                          const void *stored, uint8_t to[SEGMENT_BLOCK_BYTES])
{
    memcpy(to, block_magic, sizeof block_magic);
    put32(to + 8, block->codec);
    put32(to + 12, block->raw_bytes);
    put32(to + 16, block->stored_bytes);
    put32(to + 20, block->entry_count);
    put32(to + 4,
          block_crc(number, block->unit, to, stored, block->stored_bytes));
}

bool segment_block_decode(const uint8_t *from, uint32_t unit,
                          struct segment_block *block)
{
    block->unit = unit;
    block->codec = get32(from + 8);
    block->raw_bytes = get32(from + 12);
    block->stored_bytes = get32(from + 16);
    block->entry_count = get32(from + 20);
    /* LZ4 makes at most 255 bytes of one. */
    return memcmp(from, block_magic, sizeof block_magic) == 0 &&
           block->codec <= COMPRESS_LZ4 &&
           block->raw_bytes <= COMPRESS_BYTES_MAX &&
           block->stored_bytes <= block->raw_bytes &&
           block->raw_bytes / 255 <= block->stored_bytes &&
           block->entry_count <= block->raw_bytes / SEGMENT_ENTRY_BYTES;
}

bool segment_block_check(uint32_t number, const uint8_t *head,
                         const struct segment_block *block, const void *stored)
{
    return get32(head + 4) ==
           block_crc(number, block->unit, head, stored, block->stored_bytes);
}

/* ---- entries ---- */

uint32_t segment_entry_bytes(size_t owner_bytes, size_t value_bytes)
{
    return (uint32_t)(SEGMENT_ENTRY_BYTES + value_bytes + owner_bytes);
}

void segment_entry_encode(const struct segment_entry *entry, uint8_t *to)
{
    put64(to, entry->version);
    put32(to + 8, entry->value_bytes);
    put32(to + 12, entry->owner_bytes);
    to += SEGMENT_ENTRY_BYTES;
    if (entry->value_bytes)
        memcpy(to, entry->value, entry->value_bytes);
    if (entry->owner_bytes)
        memcpy(to + entry->value_bytes, entry->owner, entry->owner_bytes);
}

bool segment_entry_decode(const uint8_t *raw, uint32_t raw_bytes, uint32_t *at,
                          struct segment_entry *entry)
{
    if (*at > raw_bytes || raw_bytes - *at < SEGMENT_ENTRY_BYTES)
        return false;
    const uint8_t *from = raw + *at;
    uint32_t room = raw_bytes - *at - SEGMENT_ENTRY_BYTES;
    entry->version = get64(from);
    entry->value_bytes = get32(from + 8);
    entry->owner_bytes = get32(from + 12);
    if (entry->value_bytes > room ||
        entry->owner_bytes > room - entry->value_bytes ||
        entry->owner_bytes > SEGMENT_OWNER_MAX)
        return false;
    entry->offset = *at + SEGMENT_ENTRY_BYTES;
    entry->value = raw + entry->offset;
    entry->owner = entry->value + entry->value_bytes;
    *at = entry->offset + entry->value_bytes + entry->owner_bytes;
    return true;
}

bool segment_entry_fits(const uint8_t *raw, uint32_t raw_bytes, uint32_t offset,
                        uint32_t value_bytes)
{
    struct segment_entry entry;
    if (offset < SEGMENT_ENTRY_BYTES)
        return false;
    uint32_t at = offset - SEGMENT_ENTRY_BYTES;
    return segment_entry_decode(raw, raw_bytes, &at, &entry) &&
           entry.value_bytes == value_bytes;
}

/* ---- index and footer ---- */

int segment_index_add(struct segment_index *index,
                      const struct segment_block *block)
{
    if (index->block_count == index->block_capacity) {
        uint32_t capacity =
            index->block_capacity ? index->block_capacity * 2 : 256;
        void *grown = realloc(index->block, capacity * sizeof index->block[0]);
        if (!grown)
            return error_set(WARP_ENOMEM, "no memory for %u blocks", capacity);
        index->block = grown;
        index->block_capacity = capacity;
    }
    index->block[index->block_count++] = *block;
    index->raw_bytes += block->raw_bytes;
    index->stored_bytes += block->stored_bytes;
    index->entry_count += block->entry_count;
    return 0;
}

static int compare(const uint8_t *a, uint32_t a_bytes, const uint8_t *b,
                   uint32_t b_bytes)
{
    int diff = memcmp(a, b, a_bytes < b_bytes ? a_bytes : b_bytes);
    return diff ? diff : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

void segment_index_note(struct segment_index *index,
                        const struct segment_entry *entry)
{
    bool first = index->version_max == 0 && index->version_min == UINT64_MAX;
    if (entry->version < index->version_min)
        index->version_min = entry->version;
    if (entry->version > index->version_max)
        index->version_max = entry->version;
    uint32_t bytes = entry->owner_bytes;
    if (first || compare(entry->owner, bytes, index->owner_min,
                         index->owner_min_bytes) < 0) {
        memcpy(index->owner_min, entry->owner, bytes);
        index->owner_min_bytes = bytes;
    }
    if (first || compare(entry->owner, bytes, index->owner_max,
                         index->owner_max_bytes) > 0) {
        memcpy(index->owner_max, entry->owner, bytes);
        index->owner_max_bytes = bytes;
    }
}

void segment_index_cut(struct segment_index *index, uint32_t unit)
{
    while (index->block_count > 0 &&
           index->block[index->block_count - 1].unit >= unit) {
        struct segment_block *last = &index->block[--index->block_count];
        index->raw_bytes -= last->raw_bytes;
        index->stored_bytes -= last->stored_bytes;
        index->entry_count -= last->entry_count;
    }
}

void segment_index_clear(struct segment_index *index)
{
    index->block_count = 0;
    index->raw_bytes = index->stored_bytes = index->entry_count = 0;
    index->version_min = UINT64_MAX;
    index->version_max = 0;
    index->owner_min_bytes = index->owner_max_bytes = 0;
}

void segment_index_free(struct segment_index *index)
{
    free(index->block);
    index->block = NULL;
    index->block_capacity = 0;
    segment_index_clear(index);
}

int segment_footer_encode(const struct segment_index *index, uint32_t number,
                          uint64_t at, uint8_t **out, size_t *out_bytes)
{
    size_t owners = index->owner_min_bytes + index->owner_max_bytes;
    size_t bytes =
        FOOTER_BYTES + owners + (size_t)index->block_count * FOOTER_BLOCK_BYTES;
    uint8_t *start = calloc(1, bytes + SEGMENT_TRAILER_BYTES), *to = start;
    if (!start)
        return error_set(WARP_ENOMEM, "no memory for a footer");
    memcpy(to, footer_magic, sizeof footer_magic);
    put32(to + 4, index->block_count);
    put64(to + 8, index->version_min);
    put64(to + 16, index->version_max);
    put32(to + 24, index->owner_min_bytes);
    put32(to + 28, index->owner_max_bytes);
    to += FOOTER_BYTES;
    memcpy(to, index->owner_min, index->owner_min_bytes);
    memcpy(to + index->owner_min_bytes, index->owner_max,
           index->owner_max_bytes);
    to += owners;
    for (uint32_t i = 0; i < index->block_count; i++) {
        const struct segment_block *block = &index->block[i];
        put32(to, block->unit);
        put32(to + 4, block->codec);
        put32(to + 8, block->raw_bytes);
        put32(to + 12, block->stored_bytes);
        put32(to + 16, block->entry_count);
        to += FOOTER_BLOCK_BYTES;
    }
    memcpy(to, trailer_magic, sizeof trailer_magic);
    put32(to + 4, number);
    put64(to + 8, at);
    put64(to + 16, bytes);
    put32(to + 24, crc32c(0, start, bytes));
    put64(to + 32, index->raw_bytes);
    put64(to + 40, index->stored_bytes);
    put64(to + 48, index->entry_count);
    put32(to + 60, crc32c(0, to, 60));
    *out = start;
    *out_bytes = bytes + SEGMENT_TRAILER_BYTES;
    return 0;
}

bool segment_trailer_decode(const uint8_t *from, uint32_t number,
                            struct segment_trailer *trailer)
{
    trailer->at = get64(from + 8);
    trailer->bytes = get64(from + 16);
    trailer->crc = get32(from + 24);
    trailer->raw_bytes = get64(from + 32);
    trailer->stored_bytes = get64(from + 40);
    trailer->entry_count = get64(from + 48);
    return memcmp(from, trailer_magic, sizeof trailer_magic) == 0 &&
           get32(from + 4) == number && get32(from + 60) == crc32c(0, from, 60);
}

static int footer_blocks(const uint8_t *from, uint32_t count, uint64_t at,
                         struct segment_index *index)
{
    uint64_t end = SEGMENT_HEADER_BYTES;
    for (uint32_t i = 0; i < count; i++) {
        struct segment_block block = {get32(from), get32(from + 4),
                                      get32(from + 8), get32(from + 12),
                                      get32(from + 16)};
        uint64_t begin = (uint64_t)block.unit * SEGMENT_UNIT_BYTES;
        if (begin < end || block.stored_bytes > COMPRESS_BYTES_MAX)
            return WARP_ECORRUPT;
        end = begin + segment_block_span(block.stored_bytes);
        if (end > at)
            return WARP_ECORRUPT;
        int rc = segment_index_add(index, &block);
        if (rc != 0)
            return rc;
        from += FOOTER_BLOCK_BYTES;
    }
    return 0;
}

int segment_footer_decode(const uint8_t *from,
                          const struct segment_trailer *trailer,
                          struct segment_index *index)
{
    segment_index_clear(index);
    if (trailer->bytes < FOOTER_BYTES ||
        memcmp(from, footer_magic, sizeof footer_magic) != 0 ||
        crc32c(0, from, trailer->bytes) != trailer->crc)
        return WARP_ECORRUPT;
    uint32_t count = get32(from + 4);
    uint64_t lowest = get32(from + 24), highest = get32(from + 28);
    if (lowest > SEGMENT_OWNER_MAX || highest > SEGMENT_OWNER_MAX ||
        trailer->bytes != FOOTER_BYTES + lowest + highest +
                              (uint64_t)count * FOOTER_BLOCK_BYTES)
        return WARP_ECORRUPT;
    index->version_min = get64(from + 8);
    index->version_max = get64(from + 16);
    index->owner_min_bytes = (uint32_t)lowest;
    index->owner_max_bytes = (uint32_t)highest;
    memcpy(index->owner_min, from + FOOTER_BYTES, lowest);
    memcpy(index->owner_max, from + FOOTER_BYTES + lowest, highest);
    int rc = footer_blocks(from + FOOTER_BYTES + lowest + highest, count,
                           trailer->at, index);
    if (rc == 0 && (index->raw_bytes != trailer->raw_bytes ||
                    index->stored_bytes != trailer->stored_bytes ||
                    index->entry_count != trailer->entry_count))
        rc = WARP_ECORRUPT;
    return rc;
}
