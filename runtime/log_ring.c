/* log_ring.c: commits into the landing rings: admission, append, batches.
 *
 * An append below `limit` is a copy and a store: no lock, no call. At the limit
 * log_ring asks for room: in the ring (the stream drains it) and in prewritten
 * segments, so that what a ring holds can always be written out. */
#include "log_inner.h"

#include "crc.h"
#include "error.h"
#include "lines.h"
#include "planted.h"

#include <errno.h>
#include <stdlib.h>

enum { ROOM_KEPT = 192 << 10 }; /* the last room: for urgent commits */

/* ---- ring files ---- */

/* Really written, not only allocated: a store to a mapped page never asks the
 * file system for a block, which it could not give. */
static int create_ring(const char *path, uint64_t bytes, int *fd)
{
    size_t piece = 256 << 10;
    int rc = os_open(path, OS_READ | OS_WRITE | OS_CREATE | OS_TRUNC);
    uint8_t *zeros = NULL;
    *fd = rc;
    if (rc < 0)
        return rc;
    rc = os_allocate(*fd, 0, bytes);
    if (rc == 0 && !(zeros = calloc(1, piece)))
        rc = -ENOMEM;
    for (uint64_t at = 0; rc == 0 && at < bytes; at += piece)
        rc = os_pwrite(*fd, zeros,
                       bytes - at < piece ? (size_t)(bytes - at) : piece, at);
    free(zeros);
    if (rc == 0)
        rc = os_fdatasync(*fd);
    if (rc < 0) {
        os_close(*fd);
        os_unlink(path);
    }
    return rc;
}

/* A file of `bytes`, made when it is missing or of another length, mapped. */
static int open_ring(const char *path, uint64_t bytes, uint8_t **base)
{
    uint64_t size = 0;
    void *at = NULL;
    int fd = os_open(path, OS_READ | OS_WRITE), rc = 0;
    if (fd >= 0 && (rc = os_size(fd, &size)) == 0 && size != bytes) {
        os_close(fd);
        fd = -ENOENT;
    }
    if (fd == -ENOENT) {
        rc = create_ring(path, bytes, &fd);
    } else if (fd < 0) {
        rc = fd;
    }
    if (rc < 0)
        return error_os(rc, "cannot make the ring", path);
    rc = os_map_ring(fd, bytes, true, &at);
    os_close(fd);
    if (rc < 0)
        return error_os(rc, "cannot map the ring", path);
    *base = at;
    return WARP_OK;
}

int log_rings_open(struct log *log)
{
    char path[LOG_PATH_BYTES];
    for (uint32_t s = 0; s < log->shards; s++) {
        log_ring_path(log, path, s);
        int rc = open_ring(path, log->ring_bytes, &log->rings[s].base);
        if (rc != WARP_OK)
            return rc;
    }
    log_tails_path(log, path);
    int rc = open_ring(path, LOG_PAGE, &log->tails);
    if (rc != WARP_OK)
        return rc;
    for (uint32_t s = 0; s < log->shards; s++)
        log->rings[s].tail_mark = log->tails + log_tail_offset(log, s);
    /* Whoever made them may have been stopped before this. */
    if ((rc = os_sync_dir(log->ring_dir)) < 0)
        return error_os(rc, "cannot sync the directory", log->ring_dir);
    return WARP_OK;
}

static void boot_mark(const uint8_t id[OS_BOOT_BYTES], uint8_t mark[BOOT_BYTES])
{
    memset(mark, 0, BOOT_BYTES);
    put64(mark, LOG_BOOT_MAGIC);
    memcpy(mark + BOOT_ID, id, OS_BOOT_BYTES);
    put32(mark + BOOT_CRC, crc32c(0, mark, BOOT_CRC));
}

void log_rings_begin(struct log *log)
{
    uint8_t id[OS_BOOT_BYTES], mark[BOOT_BYTES] = {0};
    for (uint32_t s = 0; s < log->shards; s++) {
        uint64_t tail = LOG_LE64(atomic_load(&log->rings[s].tail));
        os_map_store(log->rings[s].tail_mark, &tail, sizeof tail);
    }
    if (os_boot_id(id) == 0)
        boot_mark(id, mark);
    os_map_store(log->tails + TAILS_BOOT, mark, sizeof mark);
}

bool log_tails_are_current(const uint8_t page[LOG_PAGE])
{
    uint8_t id[OS_BOOT_BYTES], mark[BOOT_BYTES];
    if (os_boot_id(id) != 0)
        return false;
    boot_mark(id, mark);
    return memcmp(page + TAILS_BOOT, mark, sizeof mark) == 0;
}

void log_rings_close(struct log *log)
{
    for (uint32_t s = 0; log->rings && s < log->shards; s++) {
        os_unmap_ring(log->rings[s].base, log->ring_bytes);
        log->rings[s].base = NULL;
    }
    os_unmap_ring(log->tails, LOG_PAGE);
    log->tails = NULL;
}

/* ---- batches ---- */

/* The stamp of a commit is the number of the next cut, read when all its
 * shards are locked; the parts of a batch share that of the first. A batch
 * is counted as open under its stamp until its last part is appended, so that
 * a cut can wait for it (L7). One thread appends one batch at a time. */
static _Thread_local struct {
    uint64_t tag, id;
    uint32_t stamp, left;
} batch;

static uint32_t open_stamp(struct log *log)
{
    for (;;) {
        uint32_t stamp = atomic_load(&log->epoch);
        atomic_fetch_add(&log->batches_open[stamp & 1], 1);
        if (atomic_load(&log->epoch) == stamp)
            return stamp;
        atomic_fetch_sub(&log->batches_open[stamp & 1], 1);
    }
}

static void close_stamp(struct log *log, uint32_t stamp)
{
    atomic_fetch_sub(&log->batches_open[stamp & 1], 1);
}

static void batch_end(struct log *log)
{
    if (batch.left > 0 && batch.tag == log->tag)
        close_stamp(log, batch.stamp);
    batch.left = 0;
}

static uint32_t batch_stamp(struct log *log, uint64_t id, uint32_t parts)
{
    if (batch.left > 0 && batch.tag == log->tag && batch.id == id)
        return batch.stamp;
    batch_end(log);
    batch.stamp = open_stamp(log);
    batch.tag = log->tag;
    batch.id = id;
    batch.left = parts;
    return batch.stamp;
}

static void batch_part_done(struct log *log)
{
    if (batch.left == 1)
        batch_end(log);
    else
        batch.left--;
}

/* ---- admission ---- */

/* room_lock held. True when the stream has room for ring bytes up to `end`,
 * which is behind what was granted: up to there nobody asks. */
static bool grant(struct log *log, struct log_ring *r, uint64_t end,
                  bool urgent)
{
    uint64_t room = log_room(log);
    uint64_t kept = urgent ? LOG_PAGE : ROOM_KEPT + log->urgent_room;
    if (log->pledged + (end - r->granted) + kept > room)
        return false;
    log->pledged += end - r->granted;
    r->granted = end;
    return true;
}

static bool grant_some(struct log *log, struct log_ring *r, uint64_t need,
                       bool urgent)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    uint64_t end = tail + need;
    uint64_t space = head + log->ring_bytes;
    if (!grant(log, r, end, urgent))
        return false;
    if (end + LOG_CHUNK <= space)
        grant(log, r, end + LOG_CHUNK, false);
    end = r->granted < space ? r->granted : space;
    atomic_store(&r->limit, end);
    return true;
}

/* Makes room for a record of `need` bytes behind the tail. */
static int admit(struct log *log, struct log_ring *r, uint64_t need,
                 bool urgent)
{
    for (;;) {
        uint32_t seen = atomic_load(&log->done_count);
        uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
        uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
        int rc = atomic_load(&log->health);
        if (rc != WARP_OK)
            return error_set(rc, "the log has failed; close the store and "
                                 "open it again");
        if (!log->started || atomic_load(&log->stopping))
            return error_set(WARP_EREADONLY, "the log is not started");
        if (tail + need > head + log->ring_bytes) {
            rc = log_lead(log, 0);
            if (rc == WARP_OK || rc == WARP_EBUSY || rc == WARP_TIMEOUT) {
                atomic_fetch_add(&log->waiters, 1);
                if (tail + need > atomic_load(&r->head) + log->ring_bytes)
                    os_futex_wait(&log->done_count, seen, 10000000);
                atomic_fetch_sub(&log->waiters, 1);
            }
            if (rc == WARP_ENOMEM)
                return rc;
            continue;
        }
        os_lock(&log->room_lock);
        bool granted = grant_some(log, r, need, urgent);
        os_unlock(&log->room_lock);
        if (granted) {
            /* A failure that came between is seen here or zeroes the limit. */
            if (atomic_load(&log->health) == WARP_OK)
                return WARP_OK;
            atomic_store(&r->limit, 0);
            continue;
        }
        if (atomic_load(&log->no_space))
            return error_set(WARP_ENOSPC,
                             "no room for the log in %s; free some space or "
                             "delete records, writing resumes by itself",
                             log->dir);
        atomic_store(&log->starved, true);
        log_maker_kick(log);
        log_kick(log); /* what is pledged and written is room again */
        atomic_fetch_add(&log->waiters, 1);
        os_futex_wait(&log->done_count, seen, 10000000);
        atomic_fetch_sub(&log->waiters, 1);
    }
}

/* ---- append ---- */

struct frame {
    uint64_t batch_id, seq;
    const uint8_t *body;
    size_t bytes;
    uint32_t batch_parts, stamp;
    uint16_t shard;
    uint8_t flags;
};

static inline size_t frame_extra(uint8_t flags)
{
    return flags & REC_BATCH ? REC_BATCH_BYTES : 0;
}

/* The body goes before the header; the tail is published last (L4). */
static inline uint64_t store_frame(struct log *log, struct log_ring *r,
                                   const struct frame *f)
{
    size_t head_bytes = REC_HEADER_BYTES + frame_extra(f->flags);
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    uint8_t *to = r->base + (tail & (log->ring_bytes - 1));
    /* Whole words: the CRC reads them as they were stored. */
    uint64_t header[5] = {
        LOG_LE64((uint64_t)(head_bytes + f->bytes) << 32),
        LOG_LE64(f->seq),
        LOG_LE64(f->shard | (uint64_t)f->flags << 16 |
                 (uint64_t)f->stamp << 32),
        LOG_LE64(f->batch_id),
        LOG_LE64((uint64_t)f->batch_parts),
    };
    uint32_t crc = crc32c(log_seed(log->store_seed, tail), header, head_bytes);
    crc = crc32c(crc, f->body, f->bytes);
    header[0] |= LOG_LE64((uint64_t)crc);
    uint64_t end = tail + log_align(head_bytes + f->bytes, 8);
    uint64_t mark = LOG_LE64(end);
    if (PLANTED(torn_ring))
        os_map_store(r->tail_mark, &mark, sizeof mark);
    os_map_store(to + head_bytes, f->body, f->bytes);
    if (head_bytes == REC_HEADER_BYTES)
        os_map_store(to, header, REC_HEADER_BYTES);
    else
        os_map_store(to, header, head_bytes);

    os_point(OS_POINT_APPEND);
    if (f->stamp != atomic_load_explicit(&r->stamp, memory_order_relaxed)) {
        atomic_store_explicit(&r->turn, tail, memory_order_relaxed);
        atomic_store_explicit(&r->stamp, f->stamp, memory_order_release);
        os_point(OS_POINT_APPEND);
    }
    atomic_signal_fence(memory_order_seq_cst); /* a kill sees program order */
    os_map_store(r->tail_mark, &mark, sizeof mark);
    atomic_store_explicit(&r->seq, f->seq, memory_order_relaxed);
    atomic_store_explicit(&r->tail, end, memory_order_release);
    /* The next record's lines, long before it comes: nobody has read them since
     * the lap before, and the next lock would wait for what is stored there. */
    PREFETCH_LINES(r->base + ((end + 63) & (log->ring_bytes - 1)), 1);
    if (end >= r->kick_at) {
        /* What the stream has not taken meanwhile. */
        uint64_t full = log->ring_bytes / 4;
        uint64_t from =
            atomic_load_explicit(&r->gathered, memory_order_relaxed);
        if (end - from >= full) {
            from = end;
            log_kick(log);
        }
        r->kick_at = from + full;
    }
    return end;
}

uint32_t log_record_crc(const struct log *log, uint64_t position,
                        const uint8_t *record, size_t bytes)
{
    uint8_t first[8] = {0};
    memcpy(first + REC_BYTES, record + REC_BYTES, 4);
    uint32_t crc = crc32c(log_seed(log->store_seed, position), first, 8);
    return crc32c(crc, record + 8, bytes - 8);
}

/* One frame, waiting for room; a batch that waits must not be waited for. */
static int append_frame(struct log *log, struct log_ring *r, struct frame *f,
                        bool urgent, uint64_t *position)
{
    size_t need =
        log_align(REC_HEADER_BYTES + frame_extra(f->flags) + f->bytes, 8);
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    if (tail + need > atomic_load_explicit(&r->limit, memory_order_relaxed)) {
        atomic_fetch_add(&log->batches_starved, 1);
        int rc = admit(log, r, need, urgent);
        atomic_fetch_sub(&log->batches_starved, 1);
        if (rc != WARP_OK)
            return rc;
    }
    *position = store_frame(log, r, f);
    return WARP_OK;
}

/* A commit longer than a frame. When it fails in the middle its number is
 * spent and what is there of it is never replayed. */
static int append_frames(struct log *log, struct log_ring *r, struct frame *f,
                         bool urgent, uint64_t *position)
{
    const uint8_t *body = f->body;
    size_t left = f->bytes;
    uint8_t batch_flag = f->flags & REC_BATCH;
    f->flags = REC_FIRST | batch_flag;
    for (;;) {
        size_t most = log->frame_max - REC_HEADER_BYTES - frame_extra(f->flags);
        f->body = body;
        f->bytes = left < most ? left : most;
        if (f->bytes == left)
            f->flags |= REC_LAST;
        int rc = append_frame(log, r, f, urgent, position);
        if (rc != WARP_OK)
            return rc;
        if (f->flags & REC_LAST)
            return WARP_OK;
        body += f->bytes;
        left -= f->bytes;
        f->flags = 0;
    }
}

static int append_slow(struct log *log, struct log_ring *r, struct frame *f,
                       bool urgent, uint64_t *position)
{
    bool in_batch = f->flags & REC_BATCH;
    size_t whole = REC_HEADER_BYTES + frame_extra(f->flags) + f->bytes;
    int rc;
    if (f->bytes > LOG_BODY_MAX) {
        rc = error_set(WARP_ELIMIT, "a commit of %zu bytes; the most is %d",
                       f->bytes, LOG_BODY_MAX);
    } else if (whole <= log->frame_max) {
        rc = append_frame(log, r, f, urgent, position);
    } else if (in_batch) {
        rc = append_frames(log, r, f, urgent, position);
    } else {
        /* No cut may be marked in the middle of it: it counts as a batch. */
        f->stamp = open_stamp(log);
        rc = append_frames(log, r, f, urgent, position);
        close_stamp(log, f->stamp);
    }
    if (in_batch) {
        if (rc == WARP_OK)
            batch_part_done(log);
        else
            batch_end(log);
    }
    return rc;
}

int log_append(struct log *log, uint32_t shard, uint64_t batch_id,
               uint32_t batch_parts, const void *body, size_t bytes,
               bool urgent, uint64_t *seq, uint64_t *position)
{
    struct log_ring *r = &log->rings[shard];
    struct frame f = {
        .batch_id = batch_id,
        .seq = atomic_load_explicit(&r->seq, memory_order_relaxed) + 1,
        .body = body,
        .bytes = bytes,
        .batch_parts = batch_parts,
        .shard = (uint16_t)shard,
        .flags = REC_FIRST | REC_LAST,
    };
    *seq = f.seq;
    if (batch_id == 0) {
        uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
        f.stamp = atomic_load_explicit(&log->epoch, memory_order_relaxed);
        if (bytes <= log->frame_max - REC_HEADER_BYTES &&
            tail + log_align(REC_HEADER_BYTES + bytes, 8) <=
                atomic_load_explicit(&r->limit, memory_order_relaxed)) {
            *position = store_frame(log, r, &f);
            return WARP_OK;
        }
    } else {
        f.stamp = batch_stamp(log, batch_id, batch_parts);
        f.flags |= REC_BATCH;
    }
    return append_slow(log, r, &f, urgent, position);
}

void log_prefetch(const struct log *log, uint32_t shard)
{
    const struct log_ring *r = &log->rings[shard];
    __builtin_prefetch(r, 1);
    __builtin_prefetch(&r->stamp);
    if (log->tails)
        __builtin_prefetch(log->tails + log_tail_offset(log, shard), 1);
}

void log_prefetch_tail(const struct log *log, uint32_t shard)
{
    const struct log_ring *r = &log->rings[shard];
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    PREFETCH_LINES(r->base + (tail & (log->ring_bytes - 1)), 1);
}

uint64_t log_seq(const struct log *log, uint32_t shard)
{
    return atomic_load_explicit(&log->rings[shard].seq, memory_order_relaxed);
}

uint64_t log_batch_id(struct log *log)
{
    uint64_t id;
    do
        id = atomic_fetch_add_explicit(&log->next_batch, 1,
                                       memory_order_relaxed);
    while (id == 0);
    return id;
}
