/* log_copy.c: see log_copy.h. Walks block headers; records are not looked at,
 * the replay does that. */
#include "log_copy.h"

#include "crc.h"
#include "error.h"
#include "log_inner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void log_hold(struct log *log, bool hold)
{
    atomic_fetch_add(&log->held, hold ? 1 : -1);
    /* A cut that began before has ended when the lock was free. */
    os_lock(&log->room_lock);
    os_unlock(&log->room_lock);
}

uint64_t log_next_block(const struct log *log)
{
    return atomic_load(&log->next_block);
}

uint64_t log_end_block(const struct log *log)
{
    return log->end_block;
}

bool log_was_clean(const struct log *log)
{
    return log->clean;
}

uint64_t log_segment_number(const char *name)
{
    unsigned long long number;
    int used = 0;
    if (sscanf(name, "%20llu.wlog%n", &number, &used) != 1 || used == 0 ||
        name[used])
        return 0;
    return number;
}

int log_end_here(const char *dir)
{
    char path[LOG_PATH_BYTES];
    snprintf(path, sizeof path, "%s/" LOG_ENDS_HERE, dir);
    int fd = os_open(path, OS_WRITE | OS_CREATE);
    os_close(fd);
    int rc = fd < 0 ? fd : os_sync_dir(dir);
    return rc < 0 ? error_os(rc, "cannot make", path) : WARP_OK;
}

static bool header_ok(const uint8_t *h)
{
    return get64(h + SEG_MAGIC) == LOG_SEGMENT_MAGIC &&
           get32(h + SEG_CRC) ==
               crc32c(0, h + SEG_VERSION, LOG_HEADER_BYTES - SEG_VERSION);
}

/* 0, or why it could not be read on: that is no end of the log. */
static int walk(int fd, const uint8_t *header, uint8_t *block,
                struct log_extent *e)
{
    int64_t n;
    e->first = e->next = get64(header + SEG_FIRST);
    e->bytes = LOG_HEADER_BYTES;
    while ((n = os_pread(fd, block, LOG_PAGE, e->bytes)) == LOG_PAGE) {
        uint32_t payload = get32(block + BLOCK_PAYLOAD);
        int64_t clock = (int64_t)get64(block + BLOCK_CLOCK);
        if (get32(block + BLOCK_MAGIC) != LOG_BLOCK_MAGIC ||
            get32(block + BLOCK_CRC) != log_block_crc(block) ||
            get64(block + BLOCK_SALT) != get64(header + SEG_SALT) ||
            get64(block + BLOCK_NUMBER) != e->next ||
            payload > LOG_BLOCK_BYTES - BLOCK_HEADER_BYTES)
            return 0;
        if (e->next >= e->limit_block || clock > e->limit_clock) {
            e->limited = true;
            return 0;
        }
        e->bytes += log_align(BLOCK_HEADER_BYTES + payload, LOG_PAGE);
        e->next++;
        e->clock = clock;
        if (get32(block + BLOCK_FLAGS) & BLOCK_CUT) {
            e->cut_bytes = e->bytes;
            e->cut_next = e->next;
            e->cut_clock = clock;
        }
    }
    return n < 0 ? (int)n : 0;
}

/* Past the page cache, as the log is written: a page that was read ahead while
 * it was written may stay old there, for every later reader. */
int log_extent_read(const char *path, struct log_extent *e)
{
    struct log_extent empty = {.limit_block = e->limit_block,
                               .limit_clock = e->limit_clock};
    const char *name = strrchr(path, '/');
    uint8_t *room = aligned_alloc(LOG_PAGE, LOG_HEADER_BYTES + LOG_PAGE);
    *e = empty;
    if (!room)
        return error_set(WARP_ENOMEM, "out of memory for the log");
    int fd = os_open(path, OS_READ | OS_DIRECT);
    if (fd == -EINVAL || fd == -EOPNOTSUPP)
        fd = os_open(path, OS_READ);
    if (fd < 0) {
        free(room);
        return fd == -ENOENT ? WARP_ENOTFOUND
                             : error_os(fd, "cannot read", path);
    }
    int rc = WARP_ENOTFOUND;
    /* A spare that waits under its new name still has its old header. */
    int64_t n = os_pread(fd, room, LOG_HEADER_BYTES, 0);
    if (n == LOG_HEADER_BYTES && header_ok(room) &&
        get64(room + SEG_NUMBER) ==
            log_segment_number(name ? name + 1 : path)) {
        rc = WARP_OK;
        n = walk(fd, room, room + LOG_HEADER_BYTES, e);
    }
    if (n < 0)
        rc = error_os((int)n, "cannot read", path);
    os_close(fd);
    free(room);
    return rc;
}
