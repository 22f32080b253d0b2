/* log: segments and rings that were changed -> replay, a new run of the log
 * that appends and cuts, replay of that. */
#include "fuzz.h"

#include "error.h"
#include "log.h"

#include <string.h>

enum { SHARDS = 3 };

static int on_commit(void *arg, uint32_t shard, uint64_t seq,
                     const uint8_t *body, size_t bytes)
{
    static volatile uint8_t sink;
    (void)arg;
    for (size_t i = 0; i < bytes; i++)
        sink = (uint8_t)(sink + body[i]);
    return shard < SHARDS && seq != 0 ? 0 : WARP_ECORRUPT;
}

static int append(struct log *log, unsigned count)
{
    static uint8_t body[80000];
    uint64_t seq, position;
    int rc = 0;
    for (unsigned i = 0; i < count && rc == 0; i++) {
        memset(body, (int)i + 1, 200);
        rc = log_append(log, i % SHARDS, 0, 0, body, 1 + i * 17 % 150, false,
                        &seq, &position);
        if (rc == 0 && i == 7) /* in frames */
            rc = log_append(log, 1, 0, 0, body, sizeof body, false, &seq,
                            &position);
        if (rc == 0 && i % 8 == 3) {
            uint64_t id = log_batch_id(log);
            rc = log_append(log, 0, id, 2, body, 30, false, &seq, &position);
            if (rc == 0)
                rc =
                    log_append(log, 2, id, 2, body, 40, false, &seq, &position);
        }
    }
    return rc;
}

static int open_log(const char *dir, bool read_only, struct log **log)
{
    static const uint64_t floors[SHARDS];
    struct log_options options = {.dir = dir,
                                  .ring_dir = dir,
                                  .shards = SHARDS,
                                  .ring_bytes = 64 << 10,
                                  .writes_in_flight = 1,
                                  .sync_every_ms = 1000,
                                  .store_id = "0123456789abcde",
                                  .read_only = read_only,
                                  .floor_seq = floors};
    int64_t clock = 0;
    uint64_t replayed = 0;
    int rc = log_open(&options, log);
    if (rc == 0)
        rc = log_replay(*log, on_commit, NULL, &clock, &replayed);
    if (rc == 0 && !read_only)
        rc = log_start(*log);
    return rc;
}

/* Two segments, the second after a crash, and something in the rings. */
static void make(const char *dir)
{
    struct log *log = NULL;
    fuzz_need(open_log(dir, false, &log) == 0 && append(log, 20) == 0 &&
                  log_sync(log) == 0 && append(log, 12) == 0,
              error_text());
}

static void make_more(const char *dir)
{
    struct log *log = NULL;
    fuzz_need(open_log(dir, false, &log) == 0 && append(log, 9) == 0 &&
                  log_sync(log) == 0 && append(log, 10) == 0,
              error_text());
}

static struct fuzz_files *files;
static const char *dir;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    const char *made = fuzz_dir("made");
    fuzz_killed(make, made);
    fuzz_killed(make_more, made);
    files = fuzz_files_load(made);
    dir = fuzz_dir("log");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log *log = NULL;
    uint64_t mark;
    fuzz_files_write(files, data, size, dir);
    open_log(dir, true, &log);
    log_close(&log);
    if (open_log(dir, false, &log) == 0 && append(log, 20) == 0 &&
        log_mark(log, &mark) == 0 && log_cut(log, mark) == 0)
        log_stop(log);
    log_close(&log);
    if (open_log(dir, false, &log) == 0)
        log_stop(log);
    log_close(&log);
    return 0;
}
