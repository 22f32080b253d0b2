/* log_calibrate.c: how many writes in flight the device rewards.
 *
 * Once per store, when nobody waits for the log: 4 KiB writes at 1, 2, 4 and 8
 * in flight to a written scratch file, some milliseconds each; the smallest
 * count within a tenth of the best is kept in the file "in-flight". */
#include "log_inner.h"

#include "crc.h"

#include <stdlib.h>

enum {
    STEPS = 4, /* 1, 2, 4, 8 */
    WRITERS = 1 << (STEPS - 1),
    STEP_NS = 25000000,
    SCRATCH_BYTES = 1 << 20
};

struct writer {
    struct log *log;
    struct log_syncs *syncs;
    const uint8_t *page;
    int fd, rc;
    uint32_t index;
    uint64_t count;
    int64_t until_ns;
    struct os_thread thread;
};

/* Its thread has something better to do. */
static bool is_wanted(struct log *log)
{
    return atomic_load(&log->stopping) || atomic_load(&log->starved);
}

static void *write_pages(void *arg)
{
    struct writer *w = arg;
    uint64_t pages = SCRATCH_BYTES / LOG_PAGE / WRITERS;
    while (w->rc == 0 && os_mono_ns() < w->until_ns &&
           !is_wanted(w->log)) {
        uint64_t page = w->index * pages + w->count % pages;
        w->rc = log_write(w->log, w->syncs, w->fd, w->page, LOG_PAGE,
                          page * LOG_PAGE);
        w->count++;
    }
    return NULL;
}

static uint64_t measure(struct log *log, const uint8_t *page, int fd,
                        uint32_t writers)
{
    struct writer w[WRITERS] = {0};
    struct log_syncs syncs = {0};
    uint64_t count = 0;
    for (uint32_t i = 0; i < writers; i++) {
        w[i] = (struct writer){.log = log,
                               .syncs = &syncs,
                               .page = page,
                               .fd = fd,
                               .index = i,
                               .until_ns = os_mono_ns() + STEP_NS};
        if (i > 0)
            (void)os_thread_start(&w[i].thread, write_pages, &w[i],
                                  "warp-calibrate");
    }
    write_pages(&w[0]);
    for (uint32_t i = 0; i < writers; i++) {
        os_thread_join(&w[i].thread);
        count += w[i].rc == 0 ? w[i].count : 0;
    }
    return count;
}

static uint32_t measure_all(struct log *log, const char *path)
{
    uint64_t counts[STEPS] = {0}, best = 0;
    int fd = -1;
    uint8_t *page = aligned_alloc(LOG_PAGE, LOG_PAGE);
    if (!page)
        return 0;
    memset(page, 0, LOG_PAGE);
    if (log_open_segment(log, path, &fd) < 0)
        goto out;
    for (int i = 0; i < STEPS; i++) {
        counts[i] = measure(log, page, fd, 1u << i);
        if (counts[i] > best)
            best = counts[i];
    }
out:
    os_close(fd);
    free(page);
    for (uint32_t i = 0; best > 0 && i < STEPS; i++)
        if (counts[i] * 10 >= best * 9)
            return 1u << i;
    return 0;
}

bool log_calibrate(struct log *log)
{
    char path[LOG_PATH_BYTES], scratch[LOG_PATH_BYTES];
    uint8_t kept[8];
    if (log->options.writes_in_flight != 0)
        return true;
    log_path(log, path, "in-flight");
    int fd = os_open(path, OS_READ);
    if (fd >= 0) {
        int64_t n = os_pread(fd, kept, sizeof kept, 0);
        os_close(fd);
        if (n == sizeof kept && get32(kept + 4) == crc32c(0, kept, 4) &&
            get32(kept) >= 1 && get32(kept) <= log->slot_count) {
            atomic_store(&log->in_flight_limit, get32(kept));
            return true;
        }
    }
    log_path(log, scratch, "calibrate.tmp");
    uint32_t best = 0;
    if (log_write_zeros(log, scratch, SCRATCH_BYTES, NULL) == 0)
        best = measure_all(log, scratch);
    os_unlink(scratch);
    if (is_wanted(log))
        return false;
    if (best == 0)
        return true;
    atomic_store(&log->in_flight_limit, best);
    put32(kept, best);
    put32(kept + 4, crc32c(0, kept, 4));
    fd = os_open(path, OS_READ | OS_WRITE | OS_CREATE | OS_TRUNC);
    if (fd >= 0)
        (void)os_pwrite(fd, kept, sizeof kept, 0);
    os_close(fd);
    return true;
}
