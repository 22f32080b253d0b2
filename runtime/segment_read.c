/* segment_read.c: blocks and footers out of a segment's file, checked.
 *
 * Every length is bounded by the file's before it is used. Each sentence names
 * file and offset. */
#include "segment.h"

#include "compress.h"
#include "error.h"
#include "os.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { GUESS_LEAST = 4 << 10, GUESS_MOST = 1 << 20 };

int segment_damaged(const struct segment_file *file, uint64_t at,
                    const char *what)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(file->number, name);
    return error_set(WARP_ECORRUPT,
                     "%s/%s is damaged: offset %" PRIu64
                     " %s; restore a backup or run `warp verify`",
                     file->dir, name, at, what);
}

static int read_failed(const struct segment_file *file, int64_t negative)
{
    char path[600], name[SEGMENT_NAME_BYTES];
    segment_name(file->number, name);
    snprintf(path, sizeof path, "%s/%s", file->dir, name);
    return error_os((int)negative, "read", path);
}

/* Reads exactly these bytes, which lie in the file as it was looked at. */
static int read_all(const struct segment_file *file, void *to, uint64_t bytes,
                    uint64_t at)
{
    int64_t n = os_pread(file->fd, to, bytes, at);
    if (n < 0)
        return read_failed(file, n);
    if ((uint64_t)n != bytes)
        return segment_damaged(file, at, "is behind the end of the file");
    return 0;
}

/* The header and its stored bytes in one read where the guess is good. */
static int load_block(const struct segment_file *file, uint32_t unit,
                      uint32_t guess, struct segment_block *block,
                      uint8_t **out)
{
    uint64_t at = (uint64_t)unit * SEGMENT_UNIT_BYTES;
    uint64_t room = at < file->bytes ? file->bytes - at : 0;
    uint64_t bytes = (uint64_t)guess + SEGMENT_BLOCK_BYTES, whole;
    if (bytes > room)
        bytes = room;
    if (bytes < SEGMENT_BLOCK_BYTES)
        return segment_damaged(file, at, "is behind the end of the file");
    uint8_t *data = malloc(bytes);
    int rc = data ? read_all(file, data, bytes, at) : WARP_ENOMEM;
    if (rc == 0 && !segment_block_decode(data, unit, block))
        rc = segment_damaged(file, at, "does not begin a block");
    if (rc != 0)
        goto out;
    whole = SEGMENT_BLOCK_BYTES + (uint64_t)block->stored_bytes;
    if (whole > room) {
        rc = segment_damaged(file, at, "begins a block without an end");
        goto out;
    }
    if (whole > bytes) {
        uint8_t *more = realloc(data, whole);
        if (!more) {
            rc = WARP_ENOMEM;
            goto out;
        }
        data = more;
        rc = read_all(file, data + bytes, whole - bytes, at + bytes);
    }
    if (rc == 0 && !segment_block_check(file->number, data, block,
                                        data + SEGMENT_BLOCK_BYTES))
        rc = segment_damaged(file, at, "begins a block with a wrong checksum");
out:
    if (rc == WARP_ENOMEM)
        error_set(rc, "no memory for a block of %s", file->dir);
    if (rc != 0)
        free(data);
    else
        *out = data;
    return rc;
}

int segment_read_block(const struct segment_file *file, uint32_t unit,
                       uint32_t guess, struct segment_block *block,
                       uint8_t **raw)
{
    uint8_t *data = NULL, *to;
    if (guess < GUESS_LEAST)
        guess = GUESS_LEAST;
    if (guess > GUESS_MOST)
        guess = GUESS_MOST;
    int rc = load_block(file, unit, guess, block, &data);
    if (rc != 0)
        return rc;
    to = malloc(block->raw_bytes ? block->raw_bytes : 1);
    if (!to) {
        free(data);
        return error_set(WARP_ENOMEM, "no memory for a block of %u bytes",
                         block->raw_bytes);
    }
    rc = compress_undo((int)block->codec, data + SEGMENT_BLOCK_BYTES,
                       block->stored_bytes, to, block->raw_bytes);
    free(data);
    if (rc != 0) {
        free(to);
        return segment_damaged(file, (uint64_t)unit * SEGMENT_UNIT_BYTES,
                               "begins a block that does not unpack");
    }
    *raw = to;
    return 0;
}

int segment_read_trailer(const struct segment_file *file,
                         struct segment_trailer *trailer)
{
    uint8_t bytes[SEGMENT_TRAILER_BYTES];
    if (file->bytes < SEGMENT_HEADER_BYTES + SEGMENT_TRAILER_BYTES)
        return WARP_ENOTFOUND;
    uint64_t at = file->bytes - SEGMENT_TRAILER_BYTES;
    int rc = read_all(file, bytes, SEGMENT_TRAILER_BYTES, at);
    if (rc != 0)
        return rc;
    if (!segment_trailer_decode(bytes, file->number, trailer))
        return WARP_ENOTFOUND;
    if (trailer->at < SEGMENT_HEADER_BYTES || trailer->at > at ||
        trailer->bytes != at - trailer->at)
        return segment_damaged(file, at, "is a trailer of another file");
    return 0;
}

int segment_read_footer(const struct segment_file *file,
                        struct segment_index *index)
{
    struct segment_trailer trailer;
    int rc = segment_read_trailer(file, &trailer);
    if (rc != 0)
        return rc;
    uint8_t *footer = malloc(trailer.bytes ? trailer.bytes : 1);
    if (!footer)
        return error_set(WARP_ENOMEM, "no memory for a footer of %s",
                         file->dir);
    rc = read_all(file, footer, trailer.bytes, trailer.at);
    if (rc == 0) {
        rc = segment_footer_decode(footer, &trailer, index);
        if (rc == WARP_ECORRUPT)
            rc = segment_damaged(file, trailer.at, "is a damaged footer");
    }
    free(footer);
    return rc;
}

static int note_entries(struct segment_index *index,
                        const struct segment_block *block, const uint8_t *raw)
{
    struct segment_entry entry;
    uint32_t at = 0;
    for (uint32_t i = 0; i < block->entry_count; i++) {
        if (!segment_entry_decode(raw, block->raw_bytes, &at, &entry))
            return WARP_ECORRUPT;
        segment_index_note(index, &entry);
    }
    return at == block->raw_bytes ? segment_index_add(index, block)
                                  : WARP_ECORRUPT;
}

int segment_scan(const struct segment_file *file, struct segment_index *index,
                 uint64_t *end, uint64_t *gaps)
{
    uint64_t units = file->bytes / SEGMENT_UNIT_BYTES;
    uint64_t unit = SEGMENT_HEADER_BYTES / SEGMENT_UNIT_BYTES;
    segment_index_clear(index);
    *end = SEGMENT_HEADER_BYTES;
    while (unit < units) {
        struct segment_block block;
        uint8_t head[SEGMENT_BLOCK_BYTES], *raw = NULL;
        int rc = read_all(file, head, sizeof head, unit * SEGMENT_UNIT_BYTES);
        if (rc == 0 && segment_block_decode(head, (uint32_t)unit, &block)) {
            rc = segment_read_block(file, (uint32_t)unit, block.stored_bytes,
                                    &block, &raw);
            if (rc == 0)
                rc = note_entries(index, &block, raw);
            free(raw);
        } else if (rc == 0) {
            rc = WARP_ECORRUPT;
        }
        if (rc == WARP_ECORRUPT) {
            unit++;
            continue;
        }
        if (rc != 0)
            return rc;
        unit += segment_block_span(block.stored_bytes) / SEGMENT_UNIT_BYTES;
        *end = unit * SEGMENT_UNIT_BYTES;
    }
    uint64_t used = SEGMENT_HEADER_BYTES;
    for (uint32_t i = 0; i < index->block_count; i++)
        used += segment_block_span(index->block[i].stored_bytes);
    *gaps = used > file->bytes ? used - file->bytes : file->bytes - used;
    return 0;
}
