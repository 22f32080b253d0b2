/* log_apply.c: pass 2 of the replay: valid runs to the caller, by shard.
 *
 * Each thread reads the segments itself and serves the shards whose number is
 * its own modulo the threads, so that no shard is served by two. */
#include "log_replay.h"

#include "error.h"

#include <stdlib.h>

enum { THREADS_MAX = 4, RUN_ALONE = 4 << 10 };

/* The commit that one shard's frames are being put together to. */
struct commit {
    uint8_t *body;
    size_t bytes, max;
    uint64_t batch_id;
    bool open;
};

struct apply {
    struct log_replay *replay;
    log_replay_fn *fn;
    void *arg;
    struct commit *commits; /* [shards] */
    uint32_t index, count;  /* of the threads */
    uint64_t applied;
    uint64_t *done, *all; /* [shards]: bytes of runs; another thread's, too */
    int rc;
    char text[512];
    _Atomic bool *stop;
    struct os_thread thread;
};

static int deliver(struct apply *a, uint32_t shard, uint64_t seq,
                   uint64_t batch_id, const uint8_t *body, size_t bytes)
{
    if (seq <= a->replay->log->floor_seq[shard] ||
        (batch_id != 0 && log_batches_has(&a->replay->open, batch_id)))
        return WARP_OK;
    a->applied++;
    return a->fn(a->arg, shard, seq, body, bytes);
}

static int add_frame(struct commit *c, const uint8_t *body, size_t bytes)
{
    if (bytes > LOG_BODY_MAX - c->bytes) {
        c->open = false;
        return WARP_OK;
    }
    if (c->bytes + bytes > c->max) {
        size_t max = c->max ? c->max : 4 * LOG_FRAME_MAX;
        while (max < c->bytes + bytes)
            max *= 2;
        uint8_t *more = realloc(c->body, max);
        if (!more)
            return error_set(WARP_ENOMEM, "out of memory for the replay");
        c->body = more;
        c->max = max;
    }
    memcpy(c->body + c->bytes, body, bytes);
    c->bytes += bytes;
    return WARP_OK;
}

/* Tells the caller which commits of a run come soon, some records ahead of the
 * one that is applied: what they touch lies anywhere in memory. */
struct ahead {
    size_t at;
    uint32_t done;
};

static void look_ahead(const struct apply *a, struct ahead *ahead,
                       uint32_t shard, const uint8_t *run, size_t bytes,
                       uint32_t until, bool near)
{
    const struct log_options *o = &a->replay->log->options;
    for (; ahead->done < until && bytes - ahead->at >= REC_HEADER_BYTES;
         ahead->done++) {
        const uint8_t *record = run + ahead->at;
        size_t left = bytes - ahead->at, length = get32(record + REC_BYTES);
        size_t skip = REC_HEADER_BYTES +
                      (record[REC_FLAGS] & REC_BATCH ? REC_BATCH_BYTES : 0);
        if (length < skip || length > left)
            return;
        if (record[REC_FLAGS] & REC_FIRST)
            o->ahead(o->arg, shard, record + skip, length - skip, near);
        ahead->at += log_align(length, 8);
        if (ahead->at > bytes)
            ahead->at = bytes;
    }
}

/* Pass 1 has checked these bytes; lengths are checked again, because they are
 * read again. */
static int apply_run(struct apply *a, uint32_t shard, const uint8_t *run,
                     size_t bytes)
{
    enum { AHEAD = 8 };
    struct commit *c = &a->commits[shard];
    struct ahead far = {0}, near = {0};
    uint32_t number = 0;
    for (size_t at = 0; at < bytes; number++) {
        if (a->replay->log->options.ahead) {
            look_ahead(a, &far, shard, run, bytes, number + 2 * AHEAD, false);
            look_ahead(a, &near, shard, run, bytes, number + AHEAD, true);
        }
        const uint8_t *record = run + at;
        size_t left = bytes - at, skip = REC_HEADER_BYTES;
        if (left < REC_HEADER_BYTES)
            break;
        size_t length = get32(record + REC_BYTES);
        uint8_t flags = record[REC_FLAGS];
        if (flags & REC_BATCH)
            skip += REC_BATCH_BYTES;
        if (length < skip || length > left)
            break;
        uint64_t seq = get64(record + REC_SEQ);
        uint64_t batch_id =
            flags & REC_BATCH ? get64(record + REC_BATCH_ID) : 0;
        int rc = WARP_OK;
        if (flags & REC_FIRST) {
            c->open = true;
            c->bytes = 0;
            c->batch_id = batch_id;
        }
        if ((flags & REC_FIRST) && (flags & REC_LAST)) {
            rc = deliver(a, shard, seq, batch_id, record + skip, length - skip);
            c->open = false;
        } else if (c->open) {
            rc = add_frame(c, record + skip, length - skip);
            if (rc == WARP_OK && c->open && (flags & REC_LAST)) {
                rc = deliver(a, shard, seq, c->batch_id, c->body, c->bytes);
                c->open = false;
            }
        }
        if (rc != WARP_OK)
            return rc;
        at += log_align(length, 8);
    }
    return WARP_OK;
}

/* What one thread reads with. */
struct reader {
    struct log_window w;
    uint32_t segment;
};

static int read_run(struct apply *a, struct reader *in,
                    const struct log_run *run)
{
    struct log *log = a->replay->log;
    char path[LOG_PATH_BYTES];
    log_segment_path(log, path, log->segments[run->segment].number);
    if (run->segment != in->segment) {
        log_window_close(&in->w);
        in->segment = run->segment;
        int rc = log_window_open(&in->w, path);
        if (rc < 0)
            return error_os(rc, "cannot read the log segment", path);
    }
    const uint8_t *data = log_window_get(&in->w, run->offset, run->bytes);
    int rc = data ? apply_run(a, run->shard, data, run->bytes)
                  : error_set(WARP_EIO, "%s cannot be read any more", path);
    a->done[run->shard] += run->bytes;
    if (rc == WARP_OK && log->options.progress)
        log->options.progress(a->arg, run->shard, a->done[run->shard],
                              a->all[run->shard]);
    return rc;
}

/* This thread's runs of one segment. Long ones shard by shard, so that the
 * index of one shard stays in the processor's caches; short ones as they lie
 * there, so that one read has many. */
static int apply_segment(struct apply *a, struct reader *in,
                         const struct log_run *runs, size_t count)
{
    uint32_t shards = a->replay->log->shards;
    uint64_t bytes = 0;
    int rc = WARP_OK;
    for (size_t i = 0; i < count; i++)
        bytes += runs[i].bytes;
    bool alone = bytes / count >= RUN_ALONE;
    for (uint32_t s = a->index; s < shards; s += a->count) {
        for (size_t i = 0; i < count && rc == WARP_OK; i++) {
            if (alone ? runs[i].shard != s
                      : runs[i].shard % a->count != a->index)
                continue;
            in->w.piece = alone ? runs[i].bytes : 0;
            rc = read_run(a, in, &runs[i]);
            if (atomic_load_explicit(a->stop, memory_order_relaxed))
                return rc;
        }
        if (!alone)
            break;
    }
    return rc;
}

static int apply_runs(struct apply *a)
{
    const struct log_run *runs = a->replay->found.runs;
    size_t good = a->replay->runs_good;
    struct reader in = {.w = {.fd = -1}, .segment = UINT32_MAX};
    int rc = WARP_OK;
    for (size_t i = 0, end = 0; i < good && rc == WARP_OK; i = end) {
        while (end < good && runs[end].segment == runs[i].segment)
            end++;
        rc = apply_segment(a, &in, runs + i, end - i);
        if (atomic_load_explicit(a->stop, memory_order_relaxed))
            break;
    }
    log_window_close(&in.w);
    free(in.w.data);
    return rc;
}

static void *apply_thread(void *arg)
{
    struct apply *a = arg;
    struct log *log = a->replay->log;
    a->rc = apply_runs(a);
    for (uint32_t s = a->index; s < log->shards && a->rc == WARP_OK;
         s += a->count)
        if (log->pending[s].bytes > 0 && !atomic_load(a->stop))
            a->rc =
                apply_run(a, s, log->pending[s].data, log->pending[s].bytes);
    if (a->rc != WARP_OK) {
        /* The sentence belongs to this thread; the caller has another. */
        strncpy(a->text, error_text(), sizeof a->text - 1);
        atomic_store(a->stop, true);
    }
    return NULL;
}

int log_apply(struct log_replay *replay, log_replay_fn *fn, void *arg,
              uint64_t *applied)
{
    struct log *log = replay->log;
    struct apply apply[THREADS_MAX] = {0};
    _Atomic bool stop = false;
    int rc = WARP_OK;
    uint32_t count = os_cpu_count();
    if (count > THREADS_MAX)
        count = THREADS_MAX;
    if (count > log->shards)
        count = log->shards;
    struct commit *commits = calloc(log->shards, sizeof *commits);
    uint64_t *bytes = calloc(2 * (size_t)log->shards, sizeof *bytes);
    if (!commits || !bytes) {
        free(commits);
        free(bytes);
        return error_set(WARP_ENOMEM, "out of memory for the replay");
    }
    const struct log_run *runs = replay->found.runs;
    for (size_t i = 0; i < replay->runs_good; i++)
        bytes[log->shards + runs[i].shard] += runs[i].bytes;
    for (uint32_t i = 0; i < count; i++) {
        apply[i] = (struct apply){.replay = replay,
                                  .fn = fn,
                                  .arg = arg,
                                  .commits = commits,
                                  .index = i,
                                  .count = count,
                                  .done = bytes,
                                  .all = bytes + log->shards,
                                  .stop = &stop};
        if (i > 0 && os_thread_start(&apply[i].thread, apply_thread, &apply[i],
                                     "warp-replay") < 0)
            apply[i].index = UINT32_MAX;
    }
    apply_thread(&apply[0]);
    for (uint32_t i = 1; i < count; i++) {
        os_thread_join(&apply[i].thread);
        if (apply[i].index == UINT32_MAX) {
            apply[i].index = i; /* no thread was to be had: done here */
            apply_thread(&apply[i]);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        *applied += apply[i].applied;
        if (apply[i].rc != WARP_OK && rc == WARP_OK)
            rc = i == 0 || !apply[i].text[0]
                     ? apply[i].rc
                     : error_set(apply[i].rc, "%s", apply[i].text);
    }
    for (uint32_t s = 0; s < log->shards; s++)
        free(commits[s].body);
    free(commits);
    free(bytes);
    return rc;
}
