/* log_segment.c: the files of the stream: making, naming, recycling, room.
 *
 * A segment is written with zeros once, by the maker thread, and then used
 * again and again under new names: NNNNNNNN.wlog in use, free-NNNNNNNN.wlog
 * waiting, making.tmp while its zeros are written. A write into space that is
 * allocated only changes the file's metadata, which a commit that waits must
 * not pay for. Blocks of a log that grows fast are so long that it is little
 * beside them, and writing all twice is much: then a segment is left blank, and
 * log_stream.c writes zeros ahead of short blocks. */
#include "log_inner.h"

#include "crc.h"
#include "error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ROOM_LOST = LOG_FRAME_MAX + 2 * LOG_PAGE, /* at a segment's end */
    ZEROS_BYTES = 64 << 10, /* a commit may wait for a write of them */
    BLANK_MORE = LOG_PAGE, /* a blank file is so much longer than others */
    BULKY_BYTES = 256 << 10 /* blocks whose metadata are little beside them */
};

uint32_t log_block_crc(const uint8_t *block)
{
    return crc32c(0, block + BLOCK_SEGMENT, BLOCK_HEADER_BYTES - BLOCK_SEGMENT);
}

void log_header_encode(const struct log *log, uint8_t *to,
                       const struct log_segment *segment, uint64_t durable,
                       const uint64_t *position, const uint64_t *seq)
{
    memset(to, 0, LOG_HEADER_BYTES);
    put64(to + SEG_MAGIC, LOG_SEGMENT_MAGIC);
    put32(to + SEG_VERSION, LOG_VERSION);
    memcpy(to + SEG_STORE, log->options.store_id, 16);
    put64(to + SEG_NUMBER, segment->number);
    put64(to + SEG_FIRST, segment->first);
    put64(to + SEG_DURABLE, durable);
    put64(to + SEG_SALT, segment->salt);
    put64(to + SEG_FINGERPRINT, log->options.fingerprint);
    put64(to + SEG_BYTES, segment->bytes);
    put64(to + SEG_CLOCK, (uint64_t)atomic_load(&log->clock_mark));
    put64(to + SEG_RING_BYTES, log->ring_bytes);
    put32(to + SEG_SHARDS, log->shards);
    for (uint32_t s = 0; s < log->shards; s++) {
        put64(to + SEG_PLACES + 16 * s, position[s]);
        put64(to + SEG_PLACES + 16 * s + 8, seq[s]);
    }
    put32(to + SEG_CRC,
          crc32c(0, to + SEG_VERSION, LOG_HEADER_BYTES - SEG_VERSION));
}

/* ---- files ---- */

int log_open_segment(struct log *log, const char *path, int *fd)
{
    int rc = -EINVAL;
    if (log->direct)
        rc = os_open(path, OS_READ | OS_WRITE | OS_DIRECT);
    if (rc == -EINVAL || rc == -EOPNOTSUPP) {
        log->direct = false;
        rc = os_open(path, OS_READ | OS_WRITE);
    }
    *fd = rc;
    return rc < 0 ? rc : 0;
}

/* One after the other: a sync that fails drops what others have written, too,
 * and the kernel tells of it once. */
static int sync_pages(struct log_syncs *syncs, int fd)
{
    os_lock(&syncs->lock);
    int rc = syncs->failed ? -EIO : os_fdatasync(fd);
    syncs->failed = rc < 0;
    os_unlock(&syncs->lock);
    return rc;
}

int log_write(struct log *log, struct log_syncs *syncs, int fd,
              const void *from, size_t bytes, uint64_t at)
{
    int rc = os_pwrite(fd, from, bytes, at);
    return rc == 0 && !log->direct ? sync_pages(syncs, fd) : rc;
}

bool log_segment_is_blank(uint64_t bytes)
{
    return bytes % LOG_SEGMENT_MIN == BLANK_MORE;
}

/* Have the blocks of the last two segments been long? */
static bool is_bulky(struct log *log)
{
    os_lock(&log->room_lock);
    uint64_t bytes = 0, first = UINT64_MAX;
    uint32_t n = log->segment_count;
    if (n > 1) {
        bytes = log->segments[n - 2].bytes +
                atomic_load_explicit(&log->write_at, memory_order_relaxed);
        first = log->segments[n - 2].first;
    }
    os_unlock(&log->room_lock);
    uint64_t next = atomic_load(&log->next_block);
    return first < next && bytes / (next - first) >= BULKY_BYTES;
}

int log_write_zeros(struct log *log, const char *path, uint64_t bytes,
                    bool *blank)
{
    int fd, rc = os_open(path, OS_READ | OS_WRITE | OS_CREATE | OS_TRUNC);
    uint8_t *zeros = NULL;
    if (rc < 0)
        return rc;
    fd = rc;
    rc = os_allocate(fd, 0, bytes);
    os_close(fd);
    if (rc < 0)
        return rc;
    if ((rc = log_open_segment(log, path, &fd)) < 0)
        return rc;
    if (!(zeros = aligned_alloc(LOG_PAGE, ZEROS_BYTES)))
        rc = -ENOMEM;
    else
        memset(zeros, 0, ZEROS_BYTES);
    for (uint64_t at = 0; rc == 0 && at < bytes; at += ZEROS_BYTES) {
        if (blank && (atomic_load(&log->starved) || is_bulky(log))) {
            *blank = true;
            rc = os_allocate(fd, bytes, BLANK_MORE);
            break;
        }
        rc = os_pwrite(
            fd, zeros,
            bytes - at < ZEROS_BYTES ? (size_t)(bytes - at) : ZEROS_BYTES, at);
    }
    if (rc == 0)
        rc = os_fdatasync(fd);
    free(zeros);
    os_close(fd);
    return rc;
}

/* The longest power of two that the log's present size asks for and the file
 * system has: 1 MiB at first, then as much as there is already. */
static uint64_t next_bytes(struct log *log)
{
    uint64_t own = atomic_load(&log->live_bytes), free_bytes = 0, spare = 0;
    os_lock(&log->room_lock);
    for (uint32_t i = 0; i < log->ready_count; i++)
        own += log->ready[i].bytes;
    for (uint32_t i = 0; i < log->spare_count; i++)
        spare += log->spares[i].bytes;
    os_unlock(&log->room_lock);
    uint64_t bytes = LOG_SEGMENT_MIN, most = LOG_SEGMENT_MAX;
    /* The current segment is never cut: it must not be the whole log. */
    if (log->options.bytes_max && most > log->options.bytes_max / 8)
        most = log->options.bytes_max / 8;
    if (os_free_bytes(log->dir, &free_bytes) == 0) {
        if (most > (free_bytes + own + spare) / 16)
            most = (free_bytes + own + spare) / 16;
        if (most > free_bytes / 2)
            most = free_bytes / 2;
    }
    while (2 * bytes <= most &&
           (2 * bytes <= own || 2 * bytes <= LOG_SEGMENT_START))
        bytes *= 2;
    return bytes;
}

static int make_file(struct log *log, const char *path, uint64_t *bytes,
                     bool *blank)
{
    int rc;
    for (*bytes = next_bytes(log);; *bytes /= 2) {
        *blank = false;
        rc = log_write_zeros(log, path, *bytes, blank);
        if (rc == 0 && *blank)
            *bytes += BLANK_MORE;
        if (rc != -ENOSPC && rc != -EDQUOT)
            break;
        os_unlink(path);
        if (*bytes / 2 < LOG_SEGMENT_MIN)
            break;
    }
    return rc;
}

/* The spare that fits best: the largest; false when there is none. */
static bool take_spare(struct log *log, struct log_spare *spare)
{
    uint32_t best = 0;
    if (log->spare_count == 0)
        return false;
    for (uint32_t i = 1; i < log->spare_count; i++)
        if (log->spares[i].bytes > log->spares[best].bytes)
            best = i;
    *spare = log->spares[best];
    log->spares[best] = log->spares[--log->spare_count];
    return true;
}

int log_segment_make(struct log *log, bool urgent)
{
    char from[LOG_PATH_BYTES], to[LOG_PATH_BYTES];
    struct log_spare spare = {0};
    struct log_ready made = {.fd = -1};
    int rc = 0;
    os_lock(&log->room_lock);
    bool have = take_spare(log, &spare);
    made.number = log->next_number++;
    os_unlock(&log->room_lock);
    log_segment_path(log, to, made.number);
    if (have) {
        made.bytes = spare.bytes;
        log_spare_path(log, from, spare.id);
    } else {
        log_path(log, from, "making.tmp");
        rc = make_file(log, from, &made.bytes, &made.blank);
    }
    if (rc == 0)
        rc = os_rename(from, to);
    if (rc == 0)
        rc = os_sync_dir(log->dir);
    if (rc == 0)
        rc = log_open_segment(log, to, &made.fd);
    if (rc < 0)
        return error_os(rc, "cannot make the log segment", to);
    os_lock(&log->room_lock);
    log->ready[log->ready_count++] = made;
    log->urgent_room = urgent ? made.bytes - LOG_HEADER_BYTES - ROOM_LOST : 0;
    os_unlock(&log->room_lock);
    log_bump(log);
    return WARP_OK;
}

/* ---- room ---- */

uint64_t log_room(const struct log *log)
{
    uint64_t at = atomic_load_explicit(&log->write_at, memory_order_relaxed);
    uint64_t room = 0;
    if (log->current_bytes > at + ROOM_LOST)
        room = log->current_bytes - at - ROOM_LOST;
    for (uint32_t i = 0; i < log->ready_count; i++)
        room += log->ready[i].bytes - LOG_HEADER_BYTES - ROOM_LOST;
    return room;
}

int log_segment_next(struct log *log)
{
    struct log_segment *more, *s;
    uint64_t salt = 0;
    if (os_random(&salt, sizeof salt) < 0)
        salt = (uint64_t)os_mono_ns() ^ (uint64_t)os_wall_ms() << 20;
    os_lock(&log->room_lock);
    if (log->segment_count == log->segment_max) {
        uint32_t max = 2 * log->segment_max;
        more = realloc(log->segments, max * sizeof *more);
        if (!more) {
            os_unlock(&log->room_lock);
            return error_set(WARP_ENOMEM, "out of memory for the log");
        }
        log->segments = more;
        log->segment_max = max;
    }
    if (log->ready_count == 0) {
        os_unlock(&log->room_lock);
        atomic_store(&log->starved, true);
        log_maker_kick(log);
        return WARP_TIMEOUT;
    }
    s = &log->segments[log->segment_count++];
    *s = (struct log_segment){.number = log->ready[0].number,
                              .first = UINT64_MAX,
                              .bytes = log->ready[0].bytes,
                              .salt = salt};
    log->old_fd = log->fd;
    log->fd = log->ready[0].fd;
    log->salt = salt;
    log->current_bytes = s->bytes;
    log->current_number = s->number;
    atomic_store(&log->write_at, LOG_HEADER_BYTES);
    log->fresh = true;
    log->blank = log->ready[0].blank;
    log->written_to = 0;
    atomic_fetch_add(&log->live_bytes, s->bytes);
    log->ready_count--;
    memmove(log->ready, log->ready + 1,
            log->ready_count * sizeof log->ready[0]);
    os_unlock(&log->room_lock);
    log_maker_kick(log);
    return WARP_OK;
}

/* ---- cutting ---- */

/* Files for reuse are room that the tiers lack: at most a quarter of what there
 * is to share. */
static uint64_t keep_most(struct log *log, uint64_t cut_bytes)
{
    uint64_t free_bytes = 0;
    if (os_free_bytes(log->dir, &free_bytes) != 0)
        return UINT64_MAX;
    os_lock(&log->room_lock);
    for (uint32_t i = 0; i < log->spare_count; i++)
        free_bytes += log->spares[i].bytes;
    os_unlock(&log->room_lock);
    return (free_bytes + cut_bytes) / 4;
}

/* Spares beyond what is to be kept go. */
static void drop_surplus(struct log *log)
{
    for (;;) {
        char path[LOG_PATH_BYTES];
        uint64_t have = 0;
        os_lock(&log->room_lock);
        for (uint32_t i = 0; i < log->spare_count; i++)
            have += log->spares[i].bytes;
        bool surplus = log->spare_count > 0 && have > log->keep_bytes;
        if (surplus)
            log_spare_path(log, path, log->spares[--log->spare_count].id);
        os_unlock(&log->room_lock);
        if (!surplus)
            return;
        os_unlink(path);
    }
}

/* room_lock held: keeps a file for reuse; false when it is surplus. */
static bool keep_spare(struct log *log, uint64_t bytes, uint32_t *id)
{
    uint64_t have = bytes;
    for (uint32_t i = 0; i < log->spare_count; i++)
        have += log->spares[i].bytes;
    if (have > log->keep_bytes)
        return false;
    if (log->spare_count == log->spare_max) {
        uint32_t max = log->spare_max ? 2 * log->spare_max : 16;
        struct log_spare *more = realloc(log->spares, max * sizeof *more);
        if (!more)
            return false;
        log->spares = more;
        log->spare_max = max;
    }
    *id = log->next_spare++;
    return true;
}

static int recycle(struct log *log, const struct log_segment *segment)
{
    char from[LOG_PATH_BYTES], to[LOG_PATH_BYTES];
    uint32_t id = 0;
    log_segment_path(log, from, segment->number);
    os_lock(&log->room_lock);
    bool keep = !segment->retired && keep_spare(log, segment->bytes, &id);
    os_unlock(&log->room_lock);
    if (!keep)
        return os_unlink(from);
    log_spare_path(log, to, id);
    if (os_rename(from, to) != 0)
        return os_unlink(from); /* a full directory takes no new name */
    os_lock(&log->room_lock);
    log->spares[log->spare_count++] =
        (struct log_spare){.bytes = segment->bytes, .id = id};
    os_unlock(&log->room_lock);
    return 0;
}

/* A copy of the segments that may go, the oldest first. */
static uint32_t choose_cut(struct log *log, uint64_t mark,
                           struct log_segment **cut, uint64_t *bytes)
{
    uint64_t durable = atomic_load(&log->durable_block);
    uint32_t count = 0;
    os_lock(&log->room_lock);
    while (count + 1 < log->segment_count &&
           log->segments[count + 1].first <= mark &&
           log->segments[count + 1].first < durable)
        *bytes += log->segments[count++].bytes;
    if (count > 0 && !(*cut = malloc(count * sizeof **cut)))
        count = 0;
    if (count > 0) {
        memcpy(*cut, log->segments, count * sizeof **cut);
        log->keep_bytes =
            *bytes > log->keep_bytes / 2 ? *bytes : log->keep_bytes / 2;
    }
    os_unlock(&log->room_lock);
    return count;
}

/* The first ones have no file any more. */
static void forget_segments(struct log *log, uint32_t count)
{
    uint64_t bytes = 0;
    os_lock(&log->room_lock);
    for (uint32_t i = 0; i < count; i++)
        bytes += log->segments[i].bytes;
    log->segment_count -= count;
    memmove(log->segments, log->segments + count,
            log->segment_count * sizeof *log->segments);
    atomic_fetch_sub(&log->live_bytes, bytes);
    os_unlock(&log->room_lock);
}

/* Oldest first, and none behind one that stays: the log is without a gap. */
int log_cut(struct log *log, uint64_t mark)
{
    struct log_segment *cut = NULL;
    uint64_t bytes = 0;
    int rc = WARP_OK;
    if (atomic_load(&log->held) > 0)
        return WARP_OK;
    uint32_t done = 0, count = choose_cut(log, mark, &cut, &bytes);
    if (count == 0)
        return WARP_OK;
    uint64_t most = keep_most(log, bytes);
    os_lock(&log->room_lock);
    if (log->keep_bytes > most)
        log->keep_bytes = most;
    os_unlock(&log->room_lock);
    drop_surplus(log);
    while (done < count && rc == WARP_OK) {
        int failed = recycle(log, &cut[done]);
        if (failed < 0 && failed != -ENOENT)
            rc = error_os(failed, "cannot recycle a segment of", log->dir);
        else
            done++;
    }
    free(cut);
    forget_segments(log, done);
    int failed = os_sync_dir(log->dir);
    if (failed < 0 && rc == WARP_OK)
        rc = error_os(failed, "cannot sync the directory", log->dir);
    log_maker_kick(log);
    return rc;
}

/* ---- opening ---- */

struct scan {
    struct log *log;
    uint64_t *numbers;
    uint32_t count, max;
};

static int scan_name(void *arg, const char *name)
{
    struct scan *scan = arg;
    struct log *log = scan->log;
    unsigned long long number;
    unsigned id;
    int used = 0;
    if (sscanf(name, "free-%8u.wlog%n", &id, &used) == 1 && !name[used]) {
        char path[LOG_PATH_BYTES];
        uint64_t bytes = 0;
        log_spare_path(log, path, id);
        int fd = os_open(path, OS_READ);
        if (fd >= 0 && os_size(fd, &bytes) == 0 && bytes >= LOG_SEGMENT_MIN) {
            uint32_t got;
            log->keep_bytes += bytes;
            if (id >= log->next_spare)
                log->next_spare = id + 1;
            if (keep_spare(log, bytes, &got))
                log->spares[log->spare_count++] =
                    (struct log_spare){.bytes = bytes, .id = id};
        }
        os_close(fd);
        return 0;
    }
    used = 0;
    if (sscanf(name, "%20llu.wlog%n", &number, &used) != 1 || used == 0 ||
        name[used])
        return 0;
    if (scan->count == scan->max) {
        uint32_t max = scan->max ? 2 * scan->max : 64;
        uint64_t *more = realloc(scan->numbers, max * sizeof *more);
        if (!more)
            return -ENOMEM;
        scan->numbers = more;
        scan->max = max;
    }
    scan->numbers[scan->count++] = number;
    return 0;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

/* A block whose writer knew that an earlier block of this file was durable:
 * then the header was, too, and is damaged now. 1, 0 or -errno. */
static int header_was_durable(int fd, uint64_t number, uint64_t bytes)
{
    uint64_t least = UINT64_MAX;
    if (bytes > 4 * LOG_BLOCK_BYTES)
        bytes = 4 * LOG_BLOCK_BYTES;
    for (uint64_t at = LOG_HEADER_BYTES; at + LOG_PAGE <= bytes;
         at += LOG_PAGE) {
        uint8_t block[BLOCK_HEADER_BYTES];
        int64_t n = os_pread(fd, block, sizeof block, at);
        if (n != sizeof block)
            return n < 0 ? (int)n : 0;
        if (get32(block + BLOCK_MAGIC) != LOG_BLOCK_MAGIC ||
            get64(block + BLOCK_SEGMENT) != number ||
            get32(block + BLOCK_CRC) != log_block_crc(block))
            continue;
        if (get64(block + BLOCK_NUMBER) < least)
            least = get64(block + BLOCK_NUMBER);
        if (get64(block + BLOCK_DURABLE) > least)
            return 1;
    }
    return 0;
}

/* Where the file system refuses direct writes, the kernel may hold a block that
 * it could not write: what is read must be what is on the disk. */
static int settle_cache(const char *path, int fd)
{
    int direct = os_open(path, OS_READ | OS_DIRECT);
    if (direct >= 0) {
        os_close(direct);
        return 0;
    }
    int rc = os_fdatasync(fd);
    os_drop_cache(fd);
    return rc;
}

/* Reads a header; a damaged one leaves the salt 0 and first UINT64_MAX. */
static int read_segment(struct log *log, uint64_t number,
                        struct log_segment *segment)
{
    char path[LOG_PATH_BYTES];
    uint8_t header[LOG_HEADER_BYTES];
    *segment = (struct log_segment){.number = number, .first = UINT64_MAX};
    log_segment_path(log, path, number);
    int fd = os_open(path, OS_READ);
    if (fd < 0)
        return error_os(fd, "cannot open the log segment", path);
    /* A header that cannot be read is not one that was never written. */
    int64_t n = settle_cache(path, fd);
    if (n == 0)
        n = os_size(fd, &segment->bytes);
    if (n == 0)
        n = os_pread(fd, header, sizeof header, 0);
    bool whole =
        n == sizeof header && get64(header + SEG_MAGIC) == LOG_SEGMENT_MAGIC &&
        get32(header + SEG_CRC) ==
            crc32c(0, header + SEG_VERSION, LOG_HEADER_BYTES - SEG_VERSION) &&
        get64(header + SEG_NUMBER) == number;
    if (n >= 0 && !whole) {
        n = header_was_durable(fd, number, segment->bytes);
        segment->damaged = n == 1;
    }
    os_close(fd);
    if (n < 0)
        return error_os((int)n, "cannot read the log segment", path);
    if (!whole)
        return WARP_OK;
    if (get32(header + SEG_VERSION) != LOG_VERSION)
        return error_set(WARP_EVERSION,
                         "%s has log format %u, this library reads %d", path,
                         get32(header + SEG_VERSION), LOG_VERSION);
    if (memcmp(header + SEG_STORE, log->options.store_id, 16) != 0)
        return error_set(WARP_ECORRUPT,
                         "%s belongs to another store; move it away", path);
    if (get32(header + SEG_SHARDS) != log->shards)
        return error_set(WARP_EINVAL, "the store has %u shards, not %u (%s)",
                         get32(header + SEG_SHARDS), log->shards, path);
    segment->first = get64(header + SEG_FIRST);
    segment->salt = get64(header + SEG_SALT);
    segment->durable = get64(header + SEG_DURABLE);
    return WARP_OK;
}

int log_segments_scan(struct log *log)
{
    struct scan scan = {.log = log};
    int rc = os_list(log->dir, scan_name, &scan);
    if (rc < 0) {
        rc = error_os(rc, "cannot read the directory", log->dir);
        goto out;
    }
    if (scan.count > 0)
        qsort(scan.numbers, scan.count, sizeof *scan.numbers, by_number);
    log->segments = calloc(scan.count + 16, sizeof *log->segments);
    if (!log->segments) {
        rc = error_set(WARP_ENOMEM, "out of memory for the log");
        goto out;
    }
    log->segment_max = scan.count + 16;
    log->next_number = scan.count ? scan.numbers[scan.count - 1] + 1 : 1;
    for (uint32_t i = 0; i < scan.count; i++) {
        rc = read_segment(log, scan.numbers[i], &log->segments[i]);
        if (rc != WARP_OK)
            goto out;
        log->segment_count++;
    }
    /* Behind the last header nothing was acknowledged. */
    while (log->segment_count > 0 &&
           log->segments[log->segment_count - 1].first == UINT64_MAX &&
           !log->segments[log->segment_count - 1].damaged)
        log->segment_count--;
    log->unstarted = scan.count - log->segment_count;
out:
    free(scan.numbers);
    return rc;
}

/* Files that were made ready and never begun are spares again, but blank ones:
 * a spare is a file that was written. */
int log_segments_reclaim(struct log *log)
{
    char path[LOG_PATH_BYTES];
    uint64_t bytes = 0;
    int rc = 0;
    log_path(log, path, "making.tmp");
    os_unlink(path);
    for (uint32_t i = 0; i < log->segment_count; i++)
        bytes += log->segments[i].bytes;
    atomic_store(&log->live_bytes, bytes);
    for (uint32_t i = 0; i < log->unstarted; i++) {
        struct log_segment *s = &log->segments[log->segment_count + i];
        s->retired = s->bytes < LOG_SEGMENT_MIN ||
                     log_segment_is_blank(s->bytes);
        log->keep_bytes += s->bytes;
        if ((rc = recycle(log, s)) < 0)
            return error_os(rc, "cannot rename a segment in", log->dir);
    }
    log->unstarted = 0;
    return WARP_OK;
}

void log_segments_close(struct log *log)
{
    for (uint32_t i = 0; i < log->ready_count; i++)
        os_close(log->ready[i].fd);
    log->ready_count = 0;
    os_close(log->old_fd);
    os_close(log->fd);
    for (uint32_t i = 0; i < log->slot_count; i++)
        os_close(log->slots[i].close_fd);
    free(log->segments);
    free(log->spares);
}
