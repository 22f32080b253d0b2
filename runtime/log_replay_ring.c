/* log_replay_ring.c: what the rings hold behind the end of the stream.
 *
 * A ring record counts when its CRC holds at its position and its sequence
 * continues (L8). What counts is kept until log_start has written it out.
 *
 * After a kill the rings are as they were. After a power loss each sector of
 * them is of some moment or other; the tails, in one sector, are of one, and
 * either the rings hold all that it promises, which is a consistent cut, or
 * they count for nothing and the stream's last cut is what is left (L12). */
#include "log_replay.h"

#include "error.h"
#include "log_copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void tell_missing(struct log *log, const char *path)
{
    char text[LOG_PATH_BYTES + 256];
    snprintf(text, sizeof text,
             "%s is missing or cut short after the store was not closed: "
             "commits of its shard that had not reached the disk are lost",
             path);
    if (log->options.event)
        log->options.event(log->options.arg, WARP_ECORRUPT, text);
}

/* Since the kernel started nothing but a write can have changed them. */
static void tell_damaged(const struct log_replay *replay, uint32_t shard)
{
    struct log *log = replay->log;
    char path[LOG_PATH_BYTES], text[LOG_PATH_BYTES + 256];
    log_ring_path(log, path, shard);
    snprintf(text, sizeof text,
             "%s: a damaged record at byte %llu, or its tail in ring-tails: "
             "commits of %s that had not reached the disk are lost",
             path,
             (unsigned long long)(replay->good[shard].position &
                                  (log->old_ring_bytes - 1)),
             log->options.salvage ? "its shard behind it" : "all shards");
    if (log->options.event)
        log->options.event(log->options.arg, WARP_ECORRUPT, text);
}

/* `bytes` of a ring from a position on, in a line: the count, or -errno. */
static int64_t read_lap(const struct log *log, const char *path,
                        uint64_t position, uint8_t *to, uint64_t bytes)
{
    uint64_t lap = log->old_ring_bytes, size = 0;
    uint64_t at = position & (lap - 1);
    uint64_t first = bytes < lap - at ? bytes : lap - at;
    int fd = os_open(path, OS_READ);
    if (fd < 0)
        return fd;
    int64_t rc = os_size(fd, &size);
    if (rc == 0 && size != lap)
        rc = -ENOENT;
    if (rc == 0)
        rc = os_pread(fd, to, (size_t)first, at);
    if (rc >= 0 && (uint64_t)rc == first)
        rc = os_pread(fd, to + first, (size_t)(bytes - first), 0);
    os_close(fd);
    return rc < 0 ? rc : (int64_t)bytes;
}

struct tails {
    bool known;   /* the file is there */
    bool current; /* and of this start of the kernel */
    uint8_t page[LOG_PAGE];
};

static int read_tails(const struct log *log, struct tails *tails)
{
    char path[LOG_PATH_BYTES];
    log_tails_path(log, path);
    int fd = os_open(path, OS_READ);
    int64_t n = fd < 0 ? fd : os_pread(fd, tails->page, LOG_PAGE, 0);
    os_close(fd);
    tails->known = n == LOG_PAGE;
    tails->current = tails->known && log_tails_are_current(tails->page);
    return n >= 0 || n == -ENOENT
               ? WARP_OK
               : error_os((int)n, "cannot read the ring's tails", path);
}

/* The valid records of one ring, at most `bytes`, become pending. */
static int read_ring(struct log_replay *replay, uint32_t shard, uint8_t *lap,
                     size_t bytes)
{
    struct log_pending *pending = &replay->log->pending[shard];
    while (pending->bytes < bytes) {
        struct log_part part;
        uint32_t s = shard;
        const uint8_t *record = lap + pending->bytes;
        struct log_place before = replay->good[shard];
        if (bytes - pending->bytes < REC_HEADER_BYTES ||
            get16(record + REC_SHARD) != shard)
            break;
        size_t n = log_record_check(replay->log, record, bytes - pending->bytes,
                                    &s, replay->good, &part);
        if (n == 0) {
            replay->good[shard] = before;
            break;
        }
        pending->bytes += n;
        if (part.parts > 0) {
            int rc = log_found_part(&replay->found, &part);
            if (rc != WARP_OK)
                return rc;
        }
    }
    return WARP_OK;
}

/* The first `bytes` of a ring behind the stream; what was taken stays. */
static int take_ring(struct log_replay *replay, uint32_t shard,
                     uint64_t position, uint64_t bytes, bool *missing)
{
    struct log_pending *pending = &replay->log->pending[shard];
    char path[LOG_PATH_BYTES];
    log_ring_path(replay->log, path, shard);
    uint8_t *more = realloc(pending->data, bytes);
    if (!more)
        return error_set(WARP_ENOMEM, "out of memory for the replay");
    pending->data = more;
    int64_t n = read_lap(replay->log, path, position, more, bytes);
    *missing = n == -ENOENT;
    if (n < 0)
        return *missing ? WARP_OK : error_os((int)n, "cannot read the ring",
                                             path);
    return read_ring(replay, shard, more, (size_t)n);
}

/* One ring up to where its tail stood; *whole is false when it holds less. The
 * tail of a process that was killed may lack its last record, which is there:
 * as many as there are count, so that a damaged tail costs none. */
static int recover_ring(struct log_replay *replay, uint32_t shard,
                        const struct tails *tails, bool *whole)
{
    struct log *log = replay->log;
    struct log_pending *pending = &log->pending[shard];
    uint64_t position = replay->good[shard].position;
    uint64_t lap = log->old_ring_bytes, promised = lap, want;
    uint64_t tail = get64(tails->page + log_tail_offset(log, shard));
    bool missing = false;
    char path[LOG_PATH_BYTES];
    log_ring_path(log, path, shard);
    if (tails->known)
        promised = tail <= position ? 0 : tail - position;
    if (promised > lap) /* segments are missing, or it is of no use */
        promised = tails->current ? lap : 0;
    want = !tails->current || promised + LOG_FRAME_MAX > lap
               ? promised
               : promised + LOG_FRAME_MAX;
    if (want == 0) {
        if (os_exists(path) == 0)
            tell_missing(log, path);
        return WARP_OK;
    }
    int rc = take_ring(replay, shard, position, want, &missing);
    if (rc == WARP_OK && tails->current && pending->bytes > promised)
        rc = take_ring(replay, shard, position, lap, &missing);
    if (rc != WARP_OK)
        return rc;
    if (missing)
        tell_missing(log, path);
    if (!tails->known || pending->bytes >= promised)
        return WARP_OK;
    if (!missing && tails->current && (*whole || log->options.salvage))
        tell_damaged(replay, shard);
    *whole = false;
    return WARP_OK;
}

int log_replay_rings(struct log_replay *replay)
{
    struct log *log = replay->log;
    uint64_t lap = log->old_ring_bytes;
    struct tails tails = {0};
    bool whole = true;
    int rc = WARP_OK;
    if (lap < LOG_PAGE || (lap & (lap - 1)) || lap > UINT64_C(1) << 40)
        return error_set(WARP_ECORRUPT,
                         "a segment header in %s names rings of %llu bytes",
                         log->dir, (unsigned long long)lap);
    rc = read_tails(log, &tails);
    replay->found.part_count = 0;
    for (uint32_t s = 0; s < log->shards && rc == WARP_OK; s++)
        rc = recover_ring(replay, s, &tails, &whole);
    /* Of what a power loss left nothing tells what is whole. */
    whole = whole || (log->options.salvage && tails.current);
    const struct log_found *found = &replay->found;
    for (size_t i = 0; whole && rc == WARP_OK && i < found->part_count; i++)
        rc = log_batches_count(&replay->open, &found->parts[i]);
    for (uint32_t s = 0; !whole && s < log->shards; s++)
        log->pending[s].bytes = 0;
    return rc;
}

/* Do the tails, of whatever moment, tell of commits? Before the first one the
 * log had a durable block. */
static bool tails_tell(const struct log *log)
{
    struct tails tails = {0};
    if (log->options.no_rings || read_tails(log, &tails) != WARP_OK)
        return false;
    for (uint32_t s = 0; s < log->shards; s++)
        if (get64(tails.page + log_tail_offset(log, s)) > 0)
            return true;
    return false;
}

/* The tiers hold no commit that the log did not have on the disk first, and a
 * cut leaves the segment that is written to. */
bool log_replay_lacks(const struct log_replay *replay)
{
    struct log *log = replay->log;
    char text[LOG_PATH_BYTES + 256];
    log_path(log, text, LOG_ENDS_HERE);
    if (log->options.fresh || os_exists(text) != 0)
        return false;
    bool lacks = !replay->any && tails_tell(log);
    for (uint32_t s = 0; s < log->shards; s++)
        lacks |= (replay->any ? replay->good[s].seq : 0) < log->floor_seq[s];
    if (!lacks)
        return false;
    snprintf(text, sizeof text,
             "%s: the last segments of the log are missing: commits since the "
             "last checkpoint are lost, restore a backup or a replica to get "
             "them back",
             log->dir);
    if (log->options.event)
        log->options.event(log->options.arg, WARP_ECORRUPT, text);
    return true;
}
