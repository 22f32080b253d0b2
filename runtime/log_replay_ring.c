/* log_replay_ring.c: what the rings hold behind the end of the stream.
 *
 * A ring record counts when its CRC holds at its position and its sequence
 * continues (L8). What counts is kept until log_start has written it out. */
#include "log_replay.h"

#include "error.h"

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

/* One lap from a position on, in a line: the count of bytes, or -errno. */
static int64_t read_lap(const struct log *log, const char *path,
                        uint64_t position, uint8_t *to)
{
    uint64_t lap = log->old_ring_bytes, bytes = 0;
    uint64_t at = position & (lap - 1);
    int fd = os_open(path, OS_READ);
    if (fd < 0)
        return fd;
    int64_t rc = os_size(fd, &bytes);
    if (rc == 0 && bytes != lap)
        rc = -ENOENT;
    if (rc == 0)
        rc = os_pread(fd, to, (size_t)(lap - at), at);
    if (rc >= 0 && (uint64_t)rc == lap - at)
        rc = os_pread(fd, to + (lap - at), (size_t)at, 0);
    os_close(fd);
    return rc < 0 ? rc : (int64_t)lap;
}

static int read_ring(struct log_replay *replay, uint32_t shard,
                     const uint8_t *lap, size_t bytes)
{
    struct log *log = replay->log;
    size_t at = 0, whole = 0;
    for (;;) {
        struct log_part part;
        uint32_t s = shard;
        struct log_place before = replay->good[shard];
        if (bytes - at < REC_HEADER_BYTES ||
            get16(lap + at + REC_SHARD) != shard)
            break;
        size_t n = log_record_check(log, lap + at, bytes - at, &s, replay->good,
                                    &part);
        if (n == 0) {
            replay->good[shard] = before;
            break;
        }
        at += n;
        whole = at;
        if (part.parts > 0) {
            int rc = log_batches_count(&replay->open, &part);
            if (rc != WARP_OK)
                return rc;
        }
    }
    if (whole == 0)
        return WARP_OK;
    uint8_t *data = malloc(whole);
    if (!data)
        return error_set(WARP_ENOMEM, "out of memory for the replay");
    memcpy(data, lap, whole);
    log->pending[shard].data = data;
    log->pending[shard].bytes = whole;
    return WARP_OK;
}

int log_replay_rings(struct log_replay *replay)
{
    struct log *log = replay->log;
    uint64_t lap_bytes = log->old_ring_bytes;
    int rc = WARP_OK;
    if (lap_bytes < LOG_PAGE || (lap_bytes & (lap_bytes - 1)) ||
        lap_bytes > UINT64_C(1) << 40)
        return error_set(WARP_ECORRUPT,
                         "a segment header in %s names rings "
                         "of %llu bytes",
                         log->dir, (unsigned long long)lap_bytes);
    uint8_t *lap = malloc(lap_bytes);
    if (!lap)
        return error_set(WARP_ENOMEM, "out of memory for the replay");
    for (uint32_t s = 0; s < log->shards && rc == WARP_OK; s++) {
        char path[LOG_PATH_BYTES];
        log_ring_path(log, path, s);
        int64_t n = read_lap(log, path, replay->good[s].position, lap);
        if (n == -ENOENT)
            tell_missing(log, path);
        else if (n < 0)
            rc = error_os((int)n, "cannot read the ring", path);
        else
            rc = read_ring(replay, s, lap, (size_t)n);
    }
    free(lap);
    return rc;
}
