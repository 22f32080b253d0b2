/* log.c: the log as a whole: its life, its health; FILE FORMAT and invariants.
 *
 * log_ring.c appends to landing rings, log_stream.c writes rings to the stream,
 * log_wait.c waits for that, log_segment.c and log_maker.c hold its files,
 * log_replay*.c and log_apply.c read it all back. A new kind of record is the
 * caller's: the log knows bytes.
 *
 * FILE FORMAT, version 1; integers little-endian; offsets in log_format.h.
 *
 *   ring-NNN        landing ring of shard NNN: ring_bytes of records. A record
 *                   at position p begins at byte p mod ring_bytes and goes on
 *                   at byte 0 past the end.
 *   ring-tails      one page: at 16 (over 32 shards: 8) times the shard's
 *                   number the u64 position up to which its ring is written;
 *                   at 4032 which start of the kernel that is of.
 *   NNNNNNNN.wlog   segment: header (8 KiB), then blocks, each at a multiple of
 *                   4 KiB, then what an earlier use of the file has left.
 *   ends-here       log_copy.h.
 *   free-NNNNNNNN.wlog, making.tmp, calibrate.tmp, in-flight
 *                   written spares; files in the making; the calibrated count
 *                   of writes in flight {u32 count, u32 crc}.
 *
 *   segment header  magic "WARPLOG1", crc, version, store id, segment number,
 *                   number of the first block, durable, salt, fingerprint,
 *                   length, clock, ring_bytes, shards; for each shard the ring
 *                   position and the sequence number at the segment's start.
 *   block           magic, crc (of the header), segment number, block number,
 *                   payload bytes, flags, clock, skip, durable, salt; payload:
 *                   records, by shard.
 *                   `skip` is added to all positions before the payload.
 *   record          crc (of all with 0 here, seeded by store and position),
 *                   bytes, seq, shard, flags FIRST LAST BATCH, epoch; for BATCH
 *                   {batch id, parts}; body; padded to 8 bytes. The same bytes
 *                   stand in ring and stream. A commit longer than a frame is
 *                   FIRST, any number of frames, LAST, all with one seq.
 *
 * INVARIANTS
 *   L1  Positions and block numbers only grow, over restarts, too. In a shard's
 *       log seq grows by one from commit to commit, whatever is left out.
 *   L2  A block counts only with the salt of its segment's header, with the
 *       number that follows, whole, and below the first block number of every
 *       later segment. After an unclean end a new segment begins, so blocks
 *       behind a hole never count.
 *   L3  An acknowledged block is never written again. A segment's header and
 *       first block are one write.
 *   L4  In a ring the body is stored before the header, and the tail is
 *       published after both.
 *   L5  A block is durable when all before it are. `durable` in a header is the
 *       first block that was not, so an unreadable block below a later
 *       `durable` is damage, not a torn end.
 *   L6  A ring's head moves only to the end of a durable cut. Blocks behind the
 *       last whole cut are not replayed: the rings still hold their records.
 *   L7  A cut holds all commits that were acknowledged before any commit in it
 *       began. It splits a batch only when the batch waits for ring space, and
 *       log_mark never returns a number inside a batch.
 *   L8  A ring record counts only at its position and with the next seq. After
 *       an unclean end positions skip a lap (once what was found is durable),
 *       so what a ring may hold behind a hole never counts.
 *   L9  What the rings may hold always fits in allocated segments.
 *   L10 After the first failed write or sync nothing is written: every append
 *       and wait fails until the log is opened again, and the segment is
 *       deleted, not recycled, when it is cut.
 *   L11 CLEAN is written only when the rings are empty; START of the next run
 *       is durable before its first append. So a log that ends in CLEAN has no
 *       rings to read.
 *   L12 After a power loss the rings count only if they hold all that the page
 *       of tails promises, and only so far; else the stream alone counts. So
 *       what is recovered is a cut as in L7: a union of two of them. The
 *       tails are of one moment: up to 64 shards' lie in one sector of 512
 *       bytes, more need a disk that writes 4 KiB whole or not at all.
 *   L13 Tails that were written since the kernel started are not those that a
 *       power loss leaves: rings that hold less then are damaged, which is
 *       told, and count as in L12. */
#include "log_replay.h"

#include "crc.h"
#include "error.h"
#include "log_copy.h"

#include <stdio.h>
#include <stdlib.h>

enum { SLOT_BYTES = LOG_HEADER_BYTES + LOG_BLOCK_BYTES, FLIGHT_DEFAULT = 4 };
/* Behind damage the rings may hold positions far on: farther than any log. */
#define SKIP_DAMAGED (UINT64_C(1) << 40)

/* ---- names ---- */

void log_path(const struct log *log, char *to, const char *name)
{
    snprintf(to, LOG_PATH_BYTES, "%s/%s", log->dir, name);
}

void log_segment_path(const struct log *log, char *to, uint64_t number)
{
    snprintf(to, LOG_PATH_BYTES, "%s/%08llu.wlog", log->dir,
             (unsigned long long)number);
}

void log_spare_path(const struct log *log, char *to, uint32_t id)
{
    snprintf(to, LOG_PATH_BYTES, "%s/free-%08u.wlog", log->dir, id);
}

void log_tails_path(const struct log *log, char *to)
{
    snprintf(to, LOG_PATH_BYTES, "%s/ring-tails", log->ring_dir);
}

void log_ring_path(const struct log *log, char *to, uint32_t shard)
{
    snprintf(to, LOG_PATH_BYTES, "%s/ring-%03u", log->ring_dir, shard);
}

/* ---- health and waking ---- */

void log_bump(struct log *log)
{
    atomic_fetch_add(&log->done_count, 1);
    if (atomic_load(&log->waiters) > 0)
        os_futex_wake(&log->done_count, INT32_MAX);
}

void log_kick(struct log *log)
{
    atomic_fetch_add(&log->kick, 1);
    if (atomic_load(&log->flusher_sleeps))
        os_futex_wake(&log->kick, 1);
}

int log_fail(struct log *log, int code, const char *text)
{
    int healthy = WARP_OK;
    if (atomic_compare_exchange_strong(&log->health, &healthy, code) &&
        log->options.event)
        log->options.event(log->options.arg, code, text);
    for (uint32_t s = 0; s < log->shards; s++)
        atomic_store(&log->rings[s].limit, 0);
    log_wake_all(log);
    log_bump(log);
    log_kick(log);
    return code;
}

bool log_is_damaged(const struct log *log)
{
    return log->damaged;
}

int log_health(const struct log *log)
{
    return atomic_load(&log->health);
}

uint64_t log_sync_count(const struct log *log)
{
    return atomic_load_explicit(&log->sync_count, memory_order_relaxed);
}

uint32_t log_in_flight(const struct log *log)
{
    return atomic_load(&log->in_flight_limit);
}

uint64_t log_bytes(const struct log *log)
{
    uint64_t bytes = atomic_load(&log->live_bytes);
    uint64_t unused = atomic_load(&log->unused_bytes);
    bytes = bytes > unused ? bytes - unused : 0;
    for (uint32_t s = 0; log->started && s < log->shards; s++)
        bytes +=
            atomic_load_explicit(&log->rings[s].tail, memory_order_relaxed) -
            atomic_load_explicit(&log->rings[s].head, memory_order_relaxed);
    return bytes;
}

uint64_t log_memory_bytes(const struct log *log)
{
    return log->shards * log->ring_bytes +
           (uint64_t)log->slot_count * SLOT_BYTES;
}

uint64_t log_lag_ms(const struct log *log)
{
    bool behind = false;
    for (uint32_t s = 0; log->started && s < log->shards && !behind; s++)
        behind =
            atomic_load_explicit(&log->rings[s].head, memory_order_acquire) !=
            atomic_load_explicit(&log->rings[s].tail, memory_order_acquire);
    if (!behind)
        return 0;
    int64_t ns = os_mono_ns() - atomic_load(&log->durable_ns);
    return ns > 0 ? (uint64_t)ns / 1000000 : 0;
}

/* ---- open ---- */

static int check_options(const struct log_options *o)
{
    if (o->shards == 0 || o->shards > LOG_SHARDS_MAX)
        return error_set(WARP_EINVAL, "%u shards; 1 to %d may be", o->shards,
                         LOG_SHARDS_MAX);
    if (o->ring_bytes < 4 * LOG_PAGE || o->ring_bytes > UINT64_C(1) << 32 ||
        (o->ring_bytes & (o->ring_bytes - 1)))
        return error_set(WARP_EINVAL,
                         "rings of %llu bytes; a power of two from %d on",
                         (unsigned long long)o->ring_bytes, 4 * LOG_PAGE);
    if (o->writes_in_flight > LOG_SLOTS_MAX)
        return error_set(WARP_EINVAL, "%u log writes in flight; at most %d",
                         o->writes_in_flight, LOG_SLOTS_MAX);
    return WARP_OK;
}

static int allocate(struct log *log, const struct log_options *o)
{
    size_t n = o->shards;
    log->dir = strdup(o->dir);
    log->ring_dir = strdup(o->ring_dir);
    log->floor_seq = calloc(n, sizeof *log->floor_seq);
    log->rings = aligned_alloc(64, n * sizeof *log->rings);
    log->end_position = calloc(n, sizeof *log->end_position);
    log->end_seq = calloc(n, sizeof *log->end_seq);
    log->pending = calloc(n, sizeof *log->pending);
    if (!log->dir || !log->ring_dir || !log->floor_seq || !log->rings ||
        !log->end_position || !log->end_seq || !log->pending)
        return error_set(WARP_ENOMEM, "out of memory for the log");
    memset(log->rings, 0, n * sizeof *log->rings);
    if (o->floor_seq)
        memcpy(log->floor_seq, o->floor_seq, n * sizeof *log->floor_seq);
    for (uint32_t i = 0; i < log->slot_count && !o->read_only; i++) {
        log->slots[i].ends = calloc(n, sizeof *log->slots[i].ends);
        uint8_t *buffer = os_reserve(SLOT_BYTES);
        if (buffer)
            log->buffers[log->buffer_count++] = buffer;
        if (!log->slots[i].ends || !buffer)
            return error_set(WARP_ENOMEM, "out of memory for the log");
    }
    return WARP_OK;
}

int log_open(const struct log_options *options, struct log **out)
{
    static _Atomic uint64_t tags;
    *out = NULL;
    int rc = check_options(options);
    if (rc != WARP_OK)
        return rc;
    struct log *log = aligned_alloc(64, log_align(sizeof *log, 64));
    if (!log)
        return error_set(WARP_ENOMEM, "out of memory for the log");
    memset(log, 0, sizeof *log);
    log->options = *options;
    log->options.floor_seq = NULL; /* copied below; dir and ring_dir, too */
    log->options.dir = log->options.ring_dir = NULL;
    log->shards = options->shards;
    log->ring_bytes = options->ring_bytes;
    log->store_seed = crc32c(0, options->store_id, 16);
    log->frame_max = log->ring_bytes / 4 < LOG_FRAME_MAX ? log->ring_bytes / 4
                                                         : LOG_FRAME_MAX;
    log->tag = atomic_fetch_add(&tags, 1) + 1;
    log->slot_count = options->writes_in_flight > 8 ? LOG_SLOTS_MAX : 8;
    atomic_store(&log->in_flight_limit, options->writes_in_flight
                                            ? options->writes_in_flight
                                            : FLIGHT_DEFAULT);
    if (log->options.sync_every_ms == 0)
        log->options.sync_every_ms = 10;
    log->fd = log->old_fd = -1;
    for (uint32_t i = 0; i < LOG_SLOTS_MAX; i++)
        log->slots[i].close_fd = -1;
    log->direct = true;
    atomic_store(&log->epoch, 1);
    rc = allocate(log, options);
    if (rc == WARP_OK)
        rc = log_segments_scan(log);
    if (rc != WARP_OK)
        log_close(&log);
    *out = log;
    return rc;
}

/* ---- replay ---- */

static void keep_end(struct log *log, const struct log_replay *replay)
{
    log->end_block = replay->good_block ? replay->good_block : 1;
    log->end_segment = replay->good_segment;
    log->end_offset = replay->good_offset;
    atomic_store(&log->clock_mark, replay->clock);
    for (uint32_t s = 0; s < log->shards; s++) {
        log->end_position[s] = replay->any ? replay->good[s].position : 0;
        log->end_seq[s] = replay->any && replay->good[s].seq > log->floor_seq[s]
                              ? replay->good[s].seq
                              : log->floor_seq[s];
    }
    /* Clean, too: a segment that was begun behind CLEAN and holds nothing. */
    log->clean = !replay->any || (replay->good_flags & BLOCK_CLEAN);
    log->damaged = replay->damaged;
}

int log_replay(struct log *log, log_replay_fn *fn, void *arg,
               int64_t *max_clock_ms, uint64_t *replayed)
{
    size_t n = log->shards;
    uint64_t applied = 0;
    struct log_replay replay = {.log = log};
    int rc = error_set(WARP_ENOMEM, "out of memory for the replay");
    replay.place = calloc(2 * n, sizeof *replay.place);
    if (!replay.place)
        return rc;
    replay.good = replay.place + n;
    rc = log_replay_streams(&replay);
    if (rc == WARP_OK) {
        keep_end(log, &replay);
        if (replay.any && !log->clean && !replay.damaged &&
            !log->options.no_rings)
            rc = log_replay_rings(&replay);
        if (rc == WARP_OK && !replay.damaged)
            log->damaged = log_replay_lacks(&replay);
        log->clean = log->clean && !log->damaged;
    }
    if (rc == WARP_OK)
        rc = log_apply(&replay, fn, arg, &applied);
    if (rc == WARP_OK)
        log->replayed = true;
    if (max_clock_ms)
        *max_clock_ms = replay.clock;
    if (replayed)
        *replayed = applied;
    free(replay.place);
    log_found_free(&replay.found);
    free(replay.open.rows);
    return rc;
}

/* ---- start and stop ---- */

static int write_block(struct log *log, const uint8_t *payload, size_t bytes,
                       uint32_t flags, uint64_t skip)
{
    for (;;) {
        int rc = log_write_alone(log, payload, bytes, flags, skip);
        if (rc != WARP_TIMEOUT)
            return rc;
        rc = log_segment_make(log, false);
        if (rc == WARP_ENOSPC && log->options.need_space &&
            log->options.need_space(log->options.arg))
            rc = log_segment_make(log, false);
        if (rc != WARP_OK)
            return rc;
    }
}

/* Records that the rings held and the stream did not go to the stream. */
static int write_pending(struct log *log)
{
    for (uint32_t s = 0; s < log->shards; s++) {
        struct log_ring *r = &log->rings[s];
        struct log_pending *p = &log->pending[s];
        for (size_t from = 0, to = 0; from < p->bytes; from = to) {
            uint64_t seq = r->gathered_seq;
            while (to < p->bytes) {
                size_t next = log_align(get32(p->data + to + REC_BYTES), 8);
                if (to + next - from > LOG_FRAME_MAX && to > from)
                    break;
                seq = get64(p->data + to + REC_SEQ);
                to = next < p->bytes - to ? to + next : p->bytes;
            }
            int rc = write_block(log, p->data + from, to - from, 0, 0);
            if (rc != WARP_OK)
                return rc;
            atomic_fetch_add(&r->gathered, to - from);
            r->gathered_seq = seq;
        }
        free(p->data);
        *p = (struct log_pending){0};
    }
    return WARP_OK;
}

/* A process that was killed between a write and its sync leaves a block that
 * can be read and that a power loss may still take. What goes on behind it
 * takes it for durable (L5). */
static int sync_segments(struct log *log)
{
    for (uint32_t i = 0; i < log->segment_count; i++) {
        char path[LOG_PATH_BYTES];
        log_segment_path(log, path, log->segments[i].number);
        int fd = os_open(path, OS_READ | OS_WRITE);
        int rc = fd < 0 ? fd : os_fdatasync(fd);
        os_close(fd);
        if (rc < 0)
            return error_os(rc, "cannot sync the log segment", path);
    }
    return WARP_OK;
}

static int open_stream(struct log *log)
{
    int rc = sync_segments(log);
    if (rc == WARP_OK)
        rc = log_segments_reclaim(log);
    if (rc != WARP_OK)
        return rc;
    atomic_store(&log->next_block, log->end_block);
    atomic_store(&log->durable_block, log->end_block);
    if (log->clean && log->segment_count > 0 &&
        log->end_segment + 1 == log->segment_count) {
        struct log_segment *last = &log->segments[log->segment_count - 1];
        char path[LOG_PATH_BYTES];
        log_segment_path(log, path, last->number);
        rc = log_open_segment(log, path, &log->fd);
        if (rc < 0)
            return error_os(rc, "cannot open the log segment", path);
        log->salt = last->salt;
        log->current_bytes = last->bytes;
        log->current_number = last->number;
        log->blank = log_segment_is_blank(last->bytes);
        log->written_to = log->end_offset;
        atomic_store(&log->write_at, log->end_offset);
    } else if (!log->clean) {
        for (uint32_t i = (uint32_t)log->end_segment; i < log->segment_count;
             i++)
            log->segments[i].retired = true;
    }
    return WARP_OK;
}

int log_start(struct log *log)
{
    uint64_t lap = log->old_ring_bytes > log->ring_bytes ? log->old_ring_bytes
                                                         : log->ring_bytes;
    uint64_t skip = log->clean ? 0 : log->damaged ? SKIP_DAMAGED : lap;
    if (!log->replayed || log->options.read_only)
        return error_set(WARP_EINVAL, "a log starts after its replay, and not "
                                      "when it is open for reading only");
    int rc = open_stream(log);
    if (rc != WARP_OK)
        return rc;
    for (uint32_t s = 0; s < log->shards; s++) {
        atomic_store(&log->rings[s].gathered, log->end_position[s]);
        log->rings[s].gathered_seq = log->end_seq[s];
    }
    rc = write_pending(log);
    if (rc == WARP_OK)
        rc = log_rings_open(log);
    if (rc == WARP_OK)
        rc = write_block(log, NULL, 0, BLOCK_START | BLOCK_CUT, skip);
    if (rc != WARP_OK)
        return rc;
    for (uint32_t s = 0; s < log->shards; s++) {
        struct log_ring *r = &log->rings[s];
        uint64_t at = atomic_load(&r->gathered) + skip;
        atomic_store(&r->gathered, at);
        atomic_store(&r->head, at);
        atomic_store(&r->tail, at);
        atomic_store(&r->turn, at);
        atomic_store(&r->seq, r->gathered_seq);
        r->cut = r->granted = at;
        r->kick_at = at + log->ring_bytes / 4;
    }
    log_rings_begin(log);
    char ends[LOG_PATH_BYTES];
    log_path(log, ends, LOG_ENDS_HERE);
    os_unlink(ends);
    uint64_t batch = 0;
    (void)os_random(&batch, sizeof batch);
    atomic_store(&log->next_batch, batch);
    atomic_store(&log->durable_ns, os_mono_ns());
    log->cut_whole = true;
    log->started = true;
    rc = os_thread_start(&log->flusher, log_flusher, log, "warp-log");
    if (rc == 0)
        rc = os_thread_start(&log->maker, log_maker, log, "warp-log-maker");
    if (rc == 0 && log->options.cpus) {
        os_thread_run_on(&log->flusher, log->options.cpus);
        os_thread_run_on(&log->maker, log->options.cpus);
    }
    return rc < 0 ? error_os(rc, "cannot start a thread for", log->dir)
                  : WARP_OK;
}

static void join(struct log *log)
{
    atomic_store(&log->stopping, true);
    for (uint32_t s = 0; s < log->shards; s++)
        atomic_store(&log->rings[s].limit, 0);
    atomic_fetch_add(&log->kick, 1);
    os_futex_wake(&log->kick, 1);
    log_maker_kick(log);
    log_wake_all(log);
    log_bump(log);
    os_thread_join(&log->flusher);
    os_thread_join(&log->maker);
}

int log_stop(struct log *log)
{
    int rc = WARP_OK;
    if (!log->started)
        return WARP_OK;
    rc = log_sync(log);
    join(log);
    if (rc == WARP_OK)
        rc = log_sync(log);
    if (rc == WARP_OK)
        rc = write_block(log, NULL, 0, BLOCK_CLEAN | BLOCK_CUT, 0);
    log->started = false;
    return rc;
}

void log_close(struct log **at)
{
    struct log *log = *at;
    if (!log)
        return;
    /* The flusher calls back to who finds the log here. */
    if (log->rings)
        join(log);
    *at = NULL;
    log_rings_close(log);
    log_segments_close(log);
    for (uint32_t i = 0; i < LOG_SLOTS_MAX; i++) {
        free(log->slots[i].ends);
        os_unreserve(log->slots[i].buffer, SLOT_BYTES);
        os_unreserve(log->buffers[i], SLOT_BYTES);
    }
    for (uint32_t s = 0; log->pending && s < log->shards; s++)
        free(log->pending[s].data);
    free(log->pending);
    free(log->end_position);
    free(log->end_seq);
    free(log->rings);
    free(log->floor_seq);
    free(log->ring_dir);
    free(log->dir);
    free(log);
}
