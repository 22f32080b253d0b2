/* log_scan.c: pass 1 of the replay over one segment: its blocks, as far as they
 * are valid, from the places that its header names on. Segments are read side
 * by side; log_replay.c puts what they gave in order, and judges the ends. */
#include "log_replay.h"

#include "crc.h"
#include "error.h"
#include "planted.h"

#include <stdlib.h>

enum { WINDOW_BYTES = LOG_BLOCK_BYTES + LOG_BLOCK_BYTES / 2 };

/* ---- the window ---- */

int log_window_open(struct log_window *w, const char *path)
{
    w->at = w->have = 0;
    w->error = 0;
    w->fd = os_open(path, OS_READ);
    if (w->fd < 0)
        return w->fd;
    if (!w->data) {
        w->max = WINDOW_BYTES;
        w->data = malloc(w->max);
    }
    if (w->data)
        return 0;
    os_close(w->fd);
    w->fd = -1;
    return -12; /* ENOMEM */
}

void log_window_close(struct log_window *w)
{
    os_close(w->fd);
    w->fd = -1;
}

const uint8_t *log_window_get(struct log_window *w, uint64_t at, size_t bytes)
{
    if (at >= w->at && at - w->at <= w->have &&
        bytes <= w->have - (size_t)(at - w->at))
        return w->data + (at - w->at);
    /* Nobody asks for more than a block, which is less than the window. */
    size_t most = w->piece == 0 ? w->max : w->piece > bytes ? w->piece : bytes;
    int64_t n = os_pread(w->fd, w->data, most, at);
    if (w->piece == 0)
        os_will_read(w->fd, at + most, most);
    w->at = at;
    w->have = n < 0 ? 0 : (size_t)n;
    w->error = n < 0 ? (int)n : 0;
    return bytes <= w->have ? w->data : NULL;
}

/* ---- records ---- */

size_t log_record_check(const struct log *log, const uint8_t *record,
                        size_t left, uint32_t *shard, struct log_place *places,
                        struct log_part *part)
{
    part->parts = 0;
    if (left < REC_HEADER_BYTES)
        return 0;
    size_t bytes = get32(record + REC_BYTES);
    uint8_t flags = record[REC_FLAGS];
    uint32_t s = get16(record + REC_SHARD);
    size_t least = REC_HEADER_BYTES + (flags & REC_BATCH ? REC_BATCH_BYTES : 0);
    if (bytes < least || bytes > LOG_FRAME_MAX || bytes > left ||
        s >= log->shards)
        return 0;
    struct log_place *place = &places[s];
    uint64_t seq = get64(record + REC_SEQ);
    if (seq != (flags & REC_FIRST ? place->seq + 1 : place->seq) ||
        (!PLANTED(skip_crc) &&
         log_record_crc(log, place->position, record, bytes) !=
             get32(record + REC_CRC)))
        return 0;
    if (flags & REC_FIRST) {
        place->batch_id = 0;
        place->batch_parts = 0;
        if (flags & REC_BATCH) {
            place->batch_id = get64(record + REC_BATCH_ID);
            place->batch_parts = get32(record + REC_BATCH_PARTS);
            if (place->batch_parts == 0 || place->batch_id == 0 ||
                place->batch_parts == LOG_PARTS_BEFORE)
                return 0;
        }
    }
    if (flags & REC_LAST) {
        part->id = place->batch_id;
        part->parts = place->batch_parts;
    }
    place->seq = seq;
    size_t padded = log_align(bytes, 8);
    place->position += padded;
    *shard = s;
    return padded < left ? padded : left;
}

int log_found_part(struct log_found *found, const struct log_part *part)
{
    if (found->part_count == found->part_max) {
        size_t max = found->part_max ? 2 * found->part_max : 1024;
        struct log_part *more = realloc(found->parts, max * sizeof *more);
        if (!more)
            return error_set(WARP_ENOMEM, "out of memory for the replay");
        found->parts = more;
        found->part_max = max;
    }
    found->parts[found->part_count++] = *part;
    return WARP_OK;
}

static int room_for_run(struct log_found *found)
{
    if (found->run_count < found->run_max)
        return WARP_OK;
    size_t max = found->run_max ? 2 * found->run_max : 4096;
    struct log_run *more = realloc(found->runs, max * sizeof *more);
    if (!more)
        return error_set(WARP_ENOMEM, "out of memory for the replay");
    found->runs = more;
    found->run_max = max;
    return WARP_OK;
}

static int add_run(struct log_scan *scan, uint32_t shard, uint64_t offset,
                   size_t bytes, bool same_block)
{
    struct log_found *found = &scan->found;
    if (same_block && found->runs[found->run_count - 1].shard == shard) {
        found->runs[found->run_count - 1].bytes += (uint32_t)bytes;
        return WARP_OK;
    }
    int rc = room_for_run(found);
    if (rc == WARP_OK)
        found->runs[found->run_count++] =
            (struct log_run){.segment = scan->segment,
                             .offset = (uint32_t)offset,
                             .bytes = (uint32_t)bytes,
                             .shard = (uint16_t)shard};
    return rc;
}

int log_found_runs(struct log_found *found, const struct log_found *of,
                   size_t from, size_t to)
{
    int rc = WARP_OK;
    for (; from < to && rc == WARP_OK; from++) {
        rc = room_for_run(found);
        if (rc == WARP_OK)
            found->runs[found->run_count++] = of->runs[from];
    }
    return rc;
}

void log_found_free(struct log_found *found)
{
    free(found->runs);
    free(found->parts);
}

/* ---- blocks ---- */

bool log_block_valid(const uint8_t *block, const struct log_segment *segment)
{
    return get32(block + BLOCK_MAGIC) == LOG_BLOCK_MAGIC &&
           get32(block + BLOCK_CRC) == log_block_crc(block) &&
           get64(block + BLOCK_SALT) == segment->salt &&
           get64(block + BLOCK_SEGMENT) == segment->number &&
           get32(block + BLOCK_PAYLOAD) <= LOG_BLOCK_BYTES - BLOCK_HEADER_BYTES;
}

/* All records of a block, or none: 1, 0, or an error (memory). */
static int read_records(struct log_scan *scan, const uint8_t *payload,
                        size_t bytes, uint64_t offset)
{
    struct log_found *found = &scan->found;
    size_t place_bytes = scan->log->shards * sizeof *scan->place;
    size_t runs = found->run_count, parts = found->part_count, at = 0;
    memcpy(scan->saved, scan->place, place_bytes);
    while (at < bytes) {
        struct log_part part;
        uint32_t shard;
        size_t n = log_record_check(scan->log, payload + at, bytes - at,
                                    &shard, scan->place, &part);
        if (n == 0)
            break;
        int rc = add_run(scan, shard, offset + at, n, found->run_count > runs);
        if (rc == WARP_OK && part.parts > 0)
            rc = log_found_part(found, &part);
        if (rc != WARP_OK)
            return rc;
        at += n;
    }
    if (at == bytes)
        return 1;
    scan->damage_offset = offset + at;
    memcpy(scan->place, scan->saved, place_bytes);
    found->run_count = runs;
    found->part_count = parts;
    return 0;
}

/* A whole cut is good: what was read so far counts. */
static void note_cut(struct log_scan *scan, uint32_t flags)
{
    scan->cut_runs = scan->found.run_count;
    scan->cut_parts = scan->found.part_count;
    scan->cut_block = scan->block;
    scan->cut_offset = scan->offset;
    scan->cut_flags = flags;
    scan->any_cut = true;
    memcpy(scan->good, scan->place, scan->log->shards * sizeof *scan->place);
}

/* The next block: 1; 0: there is none, or scan->error; or no memory. */
static int read_block(struct log_scan *scan, struct log_window *w)
{
    const struct log_segment *segment = &scan->log->segments[scan->segment];
    uint64_t offset = scan->offset;
    const uint8_t *block = log_window_get(w, offset, BLOCK_HEADER_BYTES);
    scan->damage_offset = offset;
    scan->error = w->error;
    if (!block || !log_block_valid(block, segment) ||
        get64(block + BLOCK_NUMBER) != scan->block)
        return 0;
    size_t payload = get32(block + BLOCK_PAYLOAD);
    uint32_t flags = get32(block + BLOCK_FLAGS);
    uint64_t skip = get64(block + BLOCK_SKIP);
    int64_t clock = (int64_t)get64(block + BLOCK_CLOCK);
    block = log_window_get(w, offset, BLOCK_HEADER_BYTES + payload);
    scan->error = w->error;
    if (!block)
        return 0;
    for (uint32_t s = 0; s < scan->log->shards; s++)
        scan->place[s].position += skip;
    int rc = read_records(scan, block + BLOCK_HEADER_BYTES, payload,
                          offset + BLOCK_HEADER_BYTES);
    if (rc != 1) {
        for (uint32_t s = 0; s < scan->log->shards; s++)
            scan->place[s].position -= skip;
        return rc;
    }
    scan->offset += log_align(BLOCK_HEADER_BYTES + payload, LOG_PAGE);
    scan->block++;
    if (clock > scan->clock)
        scan->clock = clock;
    if (flags & BLOCK_CUT)
        note_cut(scan, flags);
    return 1;
}

/* ---- segments ---- */

static int read_header(struct log_scan *scan, struct log_window *w)
{
    size_t n = scan->log->shards;
    const uint8_t *header = log_window_get(w, 0, LOG_HEADER_BYTES);
    scan->error = w->error;
    if (!header)
        return 0;
    scan->start = calloc(4 * n, sizeof *scan->start);
    if (!scan->start)
        return WARP_ENOMEM;
    scan->place = scan->start + n;
    scan->saved = scan->place + n;
    scan->good = scan->saved + n;
    for (size_t s = 0; s < n; s++)
        scan->start[s] = (struct log_place){
            .position = get64(header + SEG_PLACES + 16 * s),
            .seq = get64(header + SEG_PLACES + 16 * s + 8),
            .batch_id = s,
            .batch_parts = LOG_PARTS_BEFORE};
    memcpy(scan->place, scan->start, n * sizeof *scan->start);
    scan->ring_bytes = get64(header + SEG_RING_BYTES);
    scan->clock = (int64_t)get64(header + SEG_CLOCK);
    scan->offset = LOG_HEADER_BYTES;
    scan->block = scan->log->segments[scan->segment].first;
    return 0;
}

static int read_blocks(struct log_scan *scan, struct log_window *w)
{
    int rc = 1;
    while (scan->block < scan->end && rc == 1)
        rc = read_block(scan, w);
    return rc;
}

static void with_file(struct log_scan *scan, struct log_window *w,
                      int (*read)(struct log_scan *, struct log_window *))
{
    char path[LOG_PATH_BYTES];
    log_segment_path(scan->log, path,
                     scan->log->segments[scan->segment].number);
    int rc = log_window_open(w, path);
    if (rc < 0)
        scan->error = rc;
    else
        scan->no_memory = read(scan, w) < 0;
    log_window_close(w);
}

void log_scan_header(struct log_scan *scan, struct log_window *w)
{
    with_file(scan, w, read_header);
}

void log_scan_blocks(struct log_scan *scan, struct log_window *w)
{
    if (scan->start)
        with_file(scan, w, read_blocks);
}

void log_scan_free(struct log_scan *scan)
{
    log_found_free(&scan->found);
    free(scan->start);
}
