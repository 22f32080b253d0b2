/* log_replay.c: pass 1 over the segments: what is valid, and of what kind.
 *
 * Nothing is applied here. The result is a list of runs (records of one shard
 * side by side), the places where the stream ends, and the batches that are
 * not whole. Each segment is read by itself, several at a time (log_scan.c);
 * what they gave counts in order, as far as one follows the other. log_apply.c
 * gives the runs to the caller, one thread a shard. */
#include "log_replay.h"

#include "error.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVIDENCE_BYTES = 32 << 20, THREADS_MAX = 4 };

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

/* ---- what a segment gave ---- */

/* What cannot be read is no end of the log: what is behind it would be lost. */
static int unreadable(const struct log_replay *replay, int error)
{
    char path[LOG_PATH_BYTES];
    log_segment_path(replay->log, path,
                     replay->log->segments[replay->segment].number);
    return error_os(error, "cannot read the log segment", path);
}

/* The commit that a shard's first frames belong to may have begun in an
 * earlier segment: then that one knows its batch. */
static void take_places(struct log_replay *replay,
                        const struct log_place *places)
{
    for (uint32_t s = 0; s < replay->log->shards; s++) {
        struct log_place *place = &replay->place[s];
        place->position = places[s].position;
        place->seq = places[s].seq;
        if (places[s].batch_parts == LOG_PARTS_BEFORE)
            continue;
        place->batch_id = places[s].batch_id;
        place->batch_parts = places[s].batch_parts;
    }
}

static int take_parts(struct log_replay *replay, const struct log_scan *scan,
                      size_t from, size_t to)
{
    int rc = WARP_OK;
    for (; from < to && rc == WARP_OK; from++) {
        struct log_part part = scan->found.parts[from];
        if (part.parts == LOG_PARTS_BEFORE) {
            const struct log_place *place = &replay->place[part.id];
            part.id = place->batch_id;
            part.parts = place->batch_parts;
        }
        if (part.parts > 0)
            rc = log_found_part(&replay->found, &part);
    }
    return rc;
}

/* A whole cut is good: what was read so far counts. */
static int accept_cut(struct log_replay *replay, uint64_t end, uint32_t flags)
{
    struct log_found *found = &replay->found;
    for (size_t i = 0; i < found->part_count; i++) {
        int rc = log_batches_count(&replay->open, &found->parts[i]);
        if (rc != WARP_OK)
            return rc;
    }
    found->part_count = 0;
    replay->runs_good = found->run_count;
    replay->good_block = replay->block;
    replay->good_segment = replay->segment;
    replay->good_offset = end;
    replay->good_flags = flags;
    replay->any = true;
    memcpy(replay->good, replay->place,
           replay->log->shards * sizeof *replay->place);
    return WARP_OK;
}

/* Up to its last cut, and then what is behind it. */
static int take_scan(struct log_replay *replay, const struct log_scan *scan)
{
    size_t runs = 0, parts = 0;
    int rc = WARP_OK;
    if (scan->clock > replay->clock)
        replay->clock = scan->clock;
    if (scan->any_cut) {
        runs = scan->cut_runs;
        parts = scan->cut_parts;
        rc = log_found_runs(&replay->found, &scan->found, 0, runs);
        if (rc == WARP_OK)
            rc = take_parts(replay, scan, 0, parts);
        take_places(replay, scan->good);
        replay->block = scan->cut_block;
        if (rc == WARP_OK)
            rc = accept_cut(replay, scan->cut_offset, scan->cut_flags);
    }
    if (rc == WARP_OK)
        rc = log_found_runs(&replay->found, &scan->found, runs,
                            scan->found.run_count);
    if (rc == WARP_OK)
        rc = take_parts(replay, scan, parts, scan->found.part_count);
    take_places(replay, scan->place);
    replay->block = scan->block;
    return rc;
}

/* ---- judging the ends ---- */

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
        told = log_block_valid(block, segment) &&
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
static bool places_match(struct log_replay *replay,
                         const struct log_place *header, bool start)
{
    for (uint32_t s = 0; s < replay->log->shards; s++) {
        struct log_place *place = &replay->place[s];
        if (!start && (place->position != header[s].position ||
                       place->seq != header[s].seq))
            return false;
        place->position = header[s].position;
        place->seq = header[s].seq;
    }
    return true;
}

/* The tiers hold all that stands before this header. (All parts of a batch, or
 * none: no checkpoint splits one.) */
static bool floor_covers(const struct log *log, const struct log_place *header)
{
    for (uint32_t s = 0; s < log->shards; s++)
        if (header[s].seq > log->floor_seq[s])
            return false;
    return true;
}

/* Blocks of a segment up to `scan->end`: 1 when all are there, 0 when not. */
static int add_segment(struct log_replay *replay, const struct log_scan *scan)
{
    struct log *log = replay->log;
    const struct log_segment *segment = &log->segments[replay->segment];
    const struct log_place *header = scan->start;
    if (!header)
        return scan->error < 0 ? unreadable(replay, scan->error) : 0;
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
        if (segment->durable > replay->block ||
            durable_told(replay, segment, LOG_HEADER_BYTES, replay->block)) {
            replay->damage_offset = 0;
            tell_damage(replay, "blocks are missing before this segment");
        }
        return 0;
    }
    if (start)
        places_match(replay, header, true);
    replay->block = segment->first;
    log->old_ring_bytes = scan->ring_bytes;
    int rc = start ? accept_cut(replay, LOG_HEADER_BYTES, 0) : WARP_OK;
    if (rc == WARP_OK)
        rc = scan->error < 0 ? unreadable(replay, scan->error)
                             : take_scan(replay, scan);
    if (rc != WARP_OK || scan->block >= scan->end)
        return rc == WARP_OK ? 1 : rc;
    if (was_durable(replay, scan->offset, scan->block)) {
        replay->damage_offset = scan->damage_offset;
        tell_damage(replay, "a damaged record or block");
        return 0;
    }
    /* The file's last block, or a torn one: a later segment tells. */
    return scan->end == UINT64_MAX ? 1 : 0;
}

/* ---- segments ---- */

/* Below which block a segment ends, if it has any that count. */
static uint64_t end_of(const struct log *log, uint32_t i)
{
    uint64_t end = UINT64_MAX;
    for (uint32_t k = i + 1; k < log->segment_count; k++)
        if (log->segments[k].first < end)
            end = log->segments[k].first;
    return end;
}

static bool counts(const struct log *log, uint32_t i, uint64_t end)
{
    return log->segments[i].first != UINT64_MAX &&
           (end == UINT64_MAX || log->segments[i].first < end);
}

/* Where to begin: the tiers hold all that stands before the last segment whose
 * header they cover, so that nobody misses what is damaged or gone there. */
static uint32_t first_needed(struct log_scan *scans, uint32_t count)
{
    struct log_window w = {.fd = -1, .piece = LOG_HEADER_BYTES};
    uint32_t i = count;
    for (bool covered = false; i > 0 && !covered;) {
        struct log_scan *scan = &scans[--i];
        if (!counts(scan->log, i, scan->end))
            continue;
        log_scan_header(scan, &w);
        covered = scan->start && floor_covers(scan->log, scan->start);
    }
    free(w.data);
    return i;
}

struct scanning {
    struct log_scan *scans; /* one a segment */
    uint32_t count;
    _Atomic uint32_t *next;
    struct os_thread thread;
    bool runs;
};

static void *scan_thread(void *arg)
{
    struct scanning *mine = arg;
    struct log_window w = {.fd = -1};
    for (;;) {
        uint32_t i = atomic_fetch_add(mine->next, 1);
        if (i >= mine->count)
            break;
        log_scan_blocks(&mine->scans[i], &w);
    }
    free(w.data);
    return NULL;
}

/* As many threads as there are to be had: this one does what they leave. */
static void scan_all(struct log_scan *scans, uint32_t from, uint32_t count)
{
    struct scanning threads[THREADS_MAX] = {0};
    _Atomic uint32_t next = from;
    uint32_t n = os_cpu_count();
    n = n < count - from ? n : count - from;
    for (uint32_t i = 0; i < THREADS_MAX; i++)
        threads[i] = (struct scanning){
            .scans = scans, .count = count, .next = &next};
    for (uint32_t i = 1; i < n && i < THREADS_MAX; i++)
        threads[i].runs = os_thread_start(&threads[i].thread, scan_thread,
                                          &threads[i], "warp-scan") == 0;
    scan_thread(&threads[0]);
    for (uint32_t i = 1; i < THREADS_MAX; i++)
        if (threads[i].runs)
            os_thread_join(&threads[i].thread);
}

static int add_all(struct log_replay *replay, const struct log_scan *scans,
                   uint32_t from)
{
    struct log *log = replay->log;
    for (uint32_t i = from; i < log->segment_count && !replay->damaged; i++) {
        const struct log_scan *scan = &scans[i];
        replay->segment = i;
        if (log->segments[i].damaged && scan->end == UINT64_MAX) {
            replay->damage_offset = 0;
            tell_damage(replay, "a damaged header");
        }
        if (!counts(log, i, scan->end))
            continue;
        if (scan->no_memory)
            return error_set(WARP_ENOMEM, "out of memory for the replay");
        int rc = add_segment(replay, scan);
        if (rc >= 0 && replay->refused < 0)
            rc = unreadable(replay, replay->refused);
        if (rc < 0)
            return rc;
    }
    return WARP_OK;
}

int log_replay_streams(struct log_replay *replay)
{
    struct log *log = replay->log;
    uint32_t n = log->segment_count;
    struct log_scan *scans = calloc(n + 1, sizeof *scans);
    if (!scans)
        return error_set(WARP_ENOMEM, "out of memory for the replay");
    for (uint32_t i = 0; i < n; i++)
        scans[i] = (struct log_scan){
            .log = log, .segment = i, .end = end_of(log, i)};
    uint32_t from = first_needed(scans, n);
    scan_all(scans, from, n);
    int rc = add_all(replay, scans, from);
    for (uint32_t i = 0; i < n; i++)
        log_scan_free(&scans[i]);
    free(scans);
    return rc;
}
