/* log_replay.c: pass 1 over the segments: what is valid, and of what kind.
 *
 * Nothing is applied here. The result is a list of runs (records of one shard
 * side by side), the places where the stream ends, and the batches that are
 * not whole. log_apply.c gives the runs to the caller, one thread a shard. */
#include "log_replay.h"

#include "crc.h"
#include "error.h"
#include "planted.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WINDOW_BYTES = LOG_BLOCK_BYTES + LOG_BLOCK_BYTES / 2,
    EVIDENCE_BYTES = 32 << 20
};

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

/* ---- batches ---- */

static uint32_t batch_slot(const struct log_batches *open, uint64_t id)
{
    uint64_t hash = id * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t i = (uint32_t)(hash >> 32) & (open->max - 1);
    while (open->rows[i].left != 0 && open->rows[i].id != id)
        i = (i + 1) & (open->max - 1);
    return i;
}

static int batches_grow(struct log_batches *open)
{
    struct log_batches more = {.max = open->max ? 2 * open->max : 64};
    more.rows = calloc(more.max, sizeof *more.rows);
    if (!more.rows)
        return error_set(WARP_ENOMEM, "out of memory for the replay");
    for (uint32_t i = 0; i < open->max; i++)
        if (open->rows[i].left != 0)
            more.rows[batch_slot(&more, open->rows[i].id)] = open->rows[i];
    more.count = open->count;
    free(open->rows);
    *open = more;
    return WARP_OK;
}

/* Rows behind a hole move up, so that a probe never stops before its row. */
static void batches_remove(struct log_batches *open, uint32_t i)
{
    open->rows[i].left = 0;
    open->count--;
    for (uint32_t k = (i + 1) & (open->max - 1); open->rows[k].left != 0;
         k = (k + 1) & (open->max - 1)) {
        uint64_t id = open->rows[k].id;
        uint32_t left = open->rows[k].left;
        open->rows[k].left = 0;
        uint32_t to = batch_slot(open, id);
        open->rows[to].id = id;
        open->rows[to].left = left;
    }
}

int log_batches_count(struct log_batches *open, const struct log_part *part)
{
    if (part->parts == 1)
        return WARP_OK;
    if (2 * open->count >= open->max) {
        int rc = batches_grow(open);
        if (rc != WARP_OK)
            return rc;
    }
    uint32_t i = batch_slot(open, part->id);
    if (open->rows[i].left == 0) {
        open->rows[i].id = part->id;
        open->rows[i].left = part->parts - 1;
        open->count++;
    } else if (--open->rows[i].left == 0) {
        open->rows[i].left = 1;
        batches_remove(open, i);
    }
    return WARP_OK;
}

bool log_batches_has(const struct log_batches *open, uint64_t id)
{
    return open->count > 0 && open->rows[batch_slot(open, id)].left != 0;
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
            if (place->batch_parts == 0 || place->batch_id == 0)
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

int log_replay_part(struct log_replay *replay, const struct log_part *part)
{
    if (replay->part_count == replay->part_max) {
        size_t max = replay->part_max ? 2 * replay->part_max : 1024;
        struct log_part *more = realloc(replay->parts, max * sizeof *more);
        if (!more)
            return error_set(WARP_ENOMEM, "out of memory for the replay");
        replay->parts = more;
        replay->part_max = max;
    }
    replay->parts[replay->part_count++] = *part;
    return WARP_OK;
}

static int add_run(struct log_replay *replay, uint32_t shard, uint64_t offset,
                   size_t bytes, bool same_block)
{
    if (same_block && replay->runs[replay->run_count - 1].shard == shard) {
        replay->runs[replay->run_count - 1].bytes += (uint32_t)bytes;
        return WARP_OK;
    }
    if (replay->run_count == replay->run_max) {
        size_t max = replay->run_max ? 2 * replay->run_max : 4096;
        struct log_run *more = realloc(replay->runs, max * sizeof *more);
        if (!more)
            return error_set(WARP_ENOMEM, "out of memory for the replay");
        replay->runs = more;
        replay->run_max = max;
    }
    replay->runs[replay->run_count++] =
        (struct log_run){.segment = replay->segment,
                         .offset = (uint32_t)offset,
                         .bytes = (uint32_t)bytes,
                         .shard = (uint16_t)shard};
    return WARP_OK;
}

/* ---- blocks ---- */

/* What cannot be read is no end of the log: what is behind it would be lost. */
static int unreadable(const struct log_replay *replay, int error)
{
    char path[LOG_PATH_BYTES];
    log_segment_path(replay->log, path,
                     replay->log->segments[replay->segment].number);
    return error_os(error, "cannot read the log segment", path);
}

static bool header_valid(const uint8_t *block,
                         const struct log_segment *segment)
{
    return get32(block + BLOCK_MAGIC) == LOG_BLOCK_MAGIC &&
           get32(block + BLOCK_CRC) == log_block_crc(block) &&
           get64(block + BLOCK_SALT) == segment->salt &&
           get64(block + BLOCK_SEGMENT) == segment->number &&
           get32(block + BLOCK_PAYLOAD) <= LOG_BLOCK_BYTES - BLOCK_HEADER_BYTES;
}

/* All records of a block, or none: 1, 0, or an error. */
static int read_records(struct log_replay *replay, const uint8_t *payload,
                        size_t bytes, uint64_t offset)
{
    size_t place_bytes = replay->log->shards * sizeof *replay->place;
    size_t runs = replay->run_count, parts = replay->part_count, at = 0;
    memcpy(replay->saved, replay->place, place_bytes);
    while (at < bytes) {
        struct log_part part;
        uint32_t shard;
        size_t n = log_record_check(replay->log, payload + at, bytes - at,
                                    &shard, replay->place, &part);
        if (n == 0)
            break;
        int rc =
            add_run(replay, shard, offset + at, n, replay->run_count > runs);
        if (rc == WARP_OK && part.parts > 0)
            rc = log_replay_part(replay, &part);
        if (rc != WARP_OK)
            return rc;
        at += n;
    }
    if (at == bytes)
        return 1;
    replay->damage_offset = offset + at;
    memcpy(replay->place, replay->saved, place_bytes);
    replay->run_count = runs;
    replay->part_count = parts;
    return 0;
}

/* A whole cut is good: what was read so far counts. */
static int accept_cut(struct log_replay *replay, uint64_t end, uint32_t flags)
{
    for (size_t i = 0; i < replay->part_count; i++) {
        int rc = log_batches_count(&replay->open, &replay->parts[i]);
        if (rc != WARP_OK)
            return rc;
    }
    replay->part_count = 0;
    replay->runs_good = replay->run_count;
    replay->good_block = replay->block;
    replay->good_segment = replay->segment;
    replay->good_offset = end;
    replay->good_flags = flags;
    replay->any = true;
    memcpy(replay->good, replay->place,
           replay->log->shards * sizeof *replay->place);
    return WARP_OK;
}

/* The next block of a segment at *offset: 1, 0 where there is none, or an
 * error. */
static int read_block(struct log_replay *replay, struct log_window *w,
                      uint64_t *offset)
{
    const struct log_segment *segment = &replay->log->segments[replay->segment];
    const uint8_t *block = log_window_get(w, *offset, BLOCK_HEADER_BYTES);
    replay->damage_offset = *offset;
    if (!block && w->error)
        return unreadable(replay, w->error);
    if (!block || !header_valid(block, segment) ||
        get64(block + BLOCK_NUMBER) != replay->block)
        return 0;
    size_t payload = get32(block + BLOCK_PAYLOAD);
    uint32_t flags = get32(block + BLOCK_FLAGS);
    uint64_t skip = get64(block + BLOCK_SKIP);
    int64_t clock = (int64_t)get64(block + BLOCK_CLOCK);
    block = log_window_get(w, *offset, BLOCK_HEADER_BYTES + payload);
    if (!block)
        return w->error ? unreadable(replay, w->error) : 0;
    for (uint32_t s = 0; s < replay->log->shards; s++)
        replay->place[s].position += skip;
    int rc = read_records(replay, block + BLOCK_HEADER_BYTES, payload,
                          *offset + BLOCK_HEADER_BYTES);
    if (rc != 1) {
        for (uint32_t s = 0; s < replay->log->shards; s++)
            replay->place[s].position -= skip;
        return rc;
    }
    *offset += log_align(BLOCK_HEADER_BYTES + payload, LOG_PAGE);
    replay->block++;
    if (clock > replay->clock)
        replay->clock = clock;
    if (flags & BLOCK_CUT)
        rc = accept_cut(replay, *offset, flags);
    return rc < 0 ? rc : 1;
}

/* ---- segments ---- */

/* Does a block behind `offset` of a segment tell that block `number` was
 * durable? What was in flight with it lies within EVIDENCE_BYTES. */
static bool durable_told(struct log_replay *replay,
                         const struct log_segment *segment, uint64_t offset,
                         uint64_t number)
{
    struct log *log = replay->log;
    char path[LOG_PATH_BYTES];
    struct log_window w = {.fd = -1};
    bool told = false;
    uint64_t end = offset + EVIDENCE_BYTES;
    log_segment_path(log, path, segment->number);
    int rc = log_window_open(&w, path);
    for (; rc == 0 && !told && offset < end; offset += LOG_PAGE) {
        const uint8_t *block = log_window_get(&w, offset, BLOCK_HEADER_BYTES);
        if (!block) {
            rc = w.error;
            break;
        }
        told = header_valid(block, segment) &&
               get64(block + BLOCK_NUMBER) > number &&
               get64(block + BLOCK_DURABLE) > number;
    }
    log_window_close(&w);
    free(w.data);
    if (rc < 0)
        replay->refused = rc;
    return told;
}

/* Was block `number`, at `offset`, durable when something later was written?
 * Then it is damaged, not torn. */
static bool was_durable(struct log_replay *replay, uint64_t offset,
                        uint64_t number)
{
    struct log *log = replay->log;
    if (durable_told(replay, &log->segments[replay->segment],
                     offset + LOG_PAGE, number))
        return true;
    for (uint32_t i = replay->segment + 1; i < log->segment_count; i++)
        if (log->segments[i].first != UINT64_MAX &&
            (log->segments[i].durable > number ||
             durable_told(replay, &log->segments[i], LOG_HEADER_BYTES,
                          number)))
            return true;
    return false;
}

static void tell_damage(struct log_replay *replay, const char *what)
{
    struct log *log = replay->log;
    char path[LOG_PATH_BYTES], text[LOG_PATH_BYTES + 256];
    replay->damaged = true;
    log_segment_path(log, path, log->segments[replay->segment].number);
    snprintf(text, sizeof text,
             "%s: %s at byte %llu; commits from there on are lost, restore a "
             "backup or a replica to get them back",
             path, what, (unsigned long long)replay->damage_offset);
    if (log->options.event)
        log->options.event(log->options.arg, WARP_ECORRUPT, text);
}

/* Takes the places from the header at a start; else they must be the same. */
static bool places_match(struct log_replay *replay, const uint8_t *header,
                         bool start)
{
    struct log *log = replay->log;
    for (uint32_t s = 0; s < log->shards; s++) {
        const uint8_t *at = header + SEG_PLACES + 16 * s;
        struct log_place *place = &replay->place[s];
        if (!start &&
            (place->position != get64(at) || place->seq != get64(at + 8)))
            return false;
        place->position = get64(at);
        place->seq = get64(at + 8);
    }
    return true;
}

/* The tiers hold all that stands before this header. */
static bool floor_covers(const struct log *log, const uint8_t *header)
{
    for (uint32_t s = 0; s < log->shards; s++)
        if (get64(header + SEG_PLACES + 16 * s + 8) > log->floor_seq[s])
            return false;
    return true;
}

/* Blocks of a segment up to `end`: 1 when all are there, 0 when not. */
static int read_segment(struct log_replay *replay, struct log_window *w,
                        uint64_t end)
{
    struct log *log = replay->log;
    const struct log_segment *segment = &log->segments[replay->segment];
    uint64_t offset = LOG_HEADER_BYTES;
    const uint8_t *header = log_window_get(w, 0, LOG_HEADER_BYTES);
    if (!header)
        return w->error ? unreadable(replay, w->error) : 0;
    bool start = !replay->any && replay->block == 0;
    bool follows = !start && segment->first == replay->block &&
                   places_match(replay, header, false);
    if (start && !floor_covers(log, header)) {
        /* A new segment will stand in front of this one and end it. */
        places_match(replay, header, true);
        for (uint32_t s = 0; s < log->shards; s++)
            replay->place[s].seq = log->floor_seq[s];
        replay->block = segment->first;
        tell_damage(replay, "commits are missing before this segment");
        return accept_cut(replay, 0, 0);
    }
    if (!start && !follows) {
        if (!floor_covers(log, header)) {
            if (segment->durable > replay->block ||
                durable_told(replay, segment, LOG_HEADER_BYTES,
                             replay->block)) {
                replay->damage_offset = 0;
                tell_damage(replay, "blocks are missing before this segment");
            }
            return 0;
        }
        replay->run_count = replay->runs_good = replay->part_count = 0;
        free(replay->open.rows);
        replay->open = (struct log_batches){0};
    }
    if (!follows)
        places_match(replay, header, true);
    replay->block = segment->first;
    log->old_ring_bytes = get64(header + SEG_RING_BYTES);
    int64_t clock = (int64_t)get64(header + SEG_CLOCK);
    if (clock > replay->clock)
        replay->clock = clock;
    if (!follows) {
        int rc = accept_cut(replay, offset, 0);
        if (rc != WARP_OK)
            return rc;
    }
    while (replay->block < end) {
        int rc = read_block(replay, w, &offset);
        if (rc < 0)
            return rc;
        if (rc == 0) {
            uint64_t at = replay->damage_offset;
            if (was_durable(replay, offset, replay->block)) {
                replay->damage_offset = at;
                tell_damage(replay, "a damaged record or block");
                return 0;
            }
            /* The file's last block, or a torn one: a later segment tells. */
            return replay->block == end || end == UINT64_MAX ? 1 : 0;
        }
    }
    return 1;
}

int log_replay_streams(struct log_replay *replay)
{
    struct log *log = replay->log;
    struct log_window w = {.fd = -1};
    int rc = WARP_OK;
    for (uint32_t i = 0; i < log->segment_count && !replay->damaged; i++) {
        char path[LOG_PATH_BYTES];
        uint64_t end = UINT64_MAX;
        for (uint32_t k = i + 1; k < log->segment_count; k++)
            if (log->segments[k].first < end)
                end = log->segments[k].first;
        replay->segment = i;
        if (log->segments[i].damaged && end == UINT64_MAX) {
            replay->damage_offset = 0;
            tell_damage(replay, "a damaged header");
        }
        if (log->segments[i].first == UINT64_MAX ||
            (end != UINT64_MAX && log->segments[i].first >= end))
            continue;
        log_segment_path(log, path, log->segments[i].number);
        rc = log_window_open(&w, path);
        if (rc < 0) {
            rc = error_os(rc, "cannot read the log segment", path);
            break;
        }
        rc = read_segment(replay, &w, end);
        log_window_close(&w);
        if (rc >= 0 && replay->refused < 0)
            rc = unreadable(replay, replay->refused);
        if (rc < 0)
            break;
        rc = WARP_OK;
    }
    free(w.data);
    return rc;
}
