/* segment.h: a segment of the disk tier as bytes: header, blocks, footer. */
#ifndef WARP_SEGMENT_H
#define WARP_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_UNIT_BYTES   64 /* blocks begin at multiples of it */
#define SEGMENT_HEADER_BYTES 64
#define SEGMENT_BLOCK_BYTES  24 /* header of a block */
#define SEGMENT_ENTRY_BYTES  16 /* header of an entry, before its value */
#define SEGMENT_OWNER_MAX    1024
#define SEGMENT_NAME_BYTES   16 /* "xxxxxxxx.wseg" and a NUL */

struct segment_block {
    uint32_t unit, codec, raw_bytes, stored_bytes, entry_count;
};

struct segment_entry {
    const uint8_t *value, *owner;
    uint32_t value_bytes, owner_bytes;
    uint32_t offset; /* of the value in the raw block */
    uint64_t version;
};

/* What a footer says. */
struct segment_index {
    struct segment_block *block;
    uint32_t block_count, block_capacity;
    uint64_t raw_bytes, stored_bytes, entry_count;
    uint64_t version_min, version_max;
    uint32_t owner_min_bytes, owner_max_bytes;
    uint8_t owner_min[SEGMENT_OWNER_MAX], owner_max[SEGMENT_OWNER_MAX];
};

void segment_name(uint32_t number, char to[SEGMENT_NAME_BYTES]);
/* The number in a file's name; 0: it is no segment's. */
uint32_t segment_number(const char *name);

void segment_header_encode(uint32_t number, uint32_t compression,
                           uint8_t to[SEGMENT_HEADER_BYTES]);
/* false: this is not the header of segment `number`. */
bool segment_header_decode(const uint8_t *from, uint32_t number,
                           uint32_t *compression);

/* Bytes that a block takes in the file. */
uint64_t segment_block_span(uint32_t stored_bytes);
void segment_block_encode(uint32_t number, const struct segment_block *block,
                          const void *stored, uint8_t to[SEGMENT_BLOCK_BYTES]);
/* The lengths, each within bounds; the checksum is not looked at. */
bool segment_block_decode(const uint8_t *from, uint32_t unit,
                          struct segment_block *block);
bool segment_block_check(uint32_t number, const uint8_t *head,
                         const struct segment_block *block, const void *stored);

/* Writes an entry to `to`; returns its bytes. */
uint32_t segment_entry_bytes(size_t owner_bytes, size_t value_bytes);
void segment_entry_encode(const struct segment_entry *entry, uint8_t *to);
/* The entry that begins at *at, which moves behind it; false: not one. */
bool segment_entry_decode(const uint8_t *raw, uint32_t raw_bytes, uint32_t *at,
                          struct segment_entry *entry);
/* Is there an entry whose value is at offset and has these bytes? */
bool segment_entry_fits(const uint8_t *raw, uint32_t raw_bytes, uint32_t offset,
                        uint32_t value_bytes);

int segment_index_add(struct segment_index *index,
                      const struct segment_block *block);
void segment_index_note(struct segment_index *index,
                        const struct segment_entry *entry);
/* Keeps the blocks below a unit; bounds stay as wide as they were. */
void segment_index_cut(struct segment_index *index, uint32_t unit);
void segment_index_clear(struct segment_index *index);
void segment_index_free(struct segment_index *index);

/* Footer and trailer as bytes, to stand at file offset `at`; malloc'd. */
#define SEGMENT_TRAILER_BYTES 64
int segment_footer_encode(const struct segment_index *index, uint32_t number,
                          uint64_t at, uint8_t **to, size_t *bytes);
/* Where the footer is, or false: this is no trailer of the segment. */
struct segment_trailer {
    uint64_t at, bytes;
    uint32_t crc;
    uint64_t raw_bytes, stored_bytes, entry_count; /* of all blocks */
};
bool segment_trailer_decode(const uint8_t *from, uint32_t number,
                            struct segment_trailer *trailer);
/* WARP_ECORRUPT without a text; blocks must end before trailer->at. */
int segment_footer_decode(const uint8_t *from,
                          const struct segment_trailer *trailer,
                          struct segment_index *index);

/* ---- segment_read.c ---- */
struct segment_file {
    int fd;
    uint32_t number;
    uint64_t bytes;  /* what may be read of it */
    const char *dir; /* for sentences */
};

/* Reads, checks and unpacks a block; *raw is malloc'd. WARP_ECORRUPT names the
 * file and the offset. guess: stored bytes that are likely. */
int segment_read_block(const struct segment_file *file, uint32_t unit,
                       uint32_t guess, struct segment_block *block,
                       uint8_t **raw);
/* WARP_ENOTFOUND: there is none. */
int segment_read_trailer(const struct segment_file *file,
                         struct segment_trailer *trailer);
int segment_read_footer(const struct segment_file *file,
                        struct segment_index *index);
/* Finds all blocks that are whole. *end: the end of the last one; *gaps: bytes
 * of the file that belong to none. */
int segment_scan(const struct segment_file *file, struct segment_index *index,
                 uint64_t *end, uint64_t *gaps);
int segment_damaged(const struct segment_file *file, uint64_t at,
                    const char *what) __attribute__((cold));

#endif
