/* log.h: the write-ahead log: one landing ring per shard, one commit stream.
 *
 * A shard appends its commits to its ring, a shared mapping: after append they
 * survive the process. The stream gathers all rings into checked blocks that
 * are written directly to recycled segments: after that they survive a power
 * loss. The log knows bytes, shards and sequence numbers; it does not know
 * products or tiers. FILE FORMAT and invariants: log.c. */
#ifndef WARP_LOG_H
#define WARP_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log;
struct os_cpus;

struct log_options {
    const char *dir;       /* of the segments; it exists */
    const char *ring_dir;  /* of the rings; it exists */
    uint32_t shards;       /* 1..256 */
    uint64_t ring_bytes;   /* per shard, a power of two */
    uint32_t writes_in_flight; /* 0: calibrate */
    uint32_t sync_every_ms;
    const struct os_cpus *cpus; /* where its threads run; NULL: anywhere */
    uint64_t bytes_max;    /* segments stay far below it; 0: no limit */
    uint8_t store_id[16];
    uint64_t fingerprint;  /* of the schema; stands in segment headers */
    bool read_only;
    bool no_rings;         /* a backup's log: what it holds is all there is */
    bool salvage;          /* rings beside a damaged one count, too: causes of
                            * what they hold may be missing */
    bool fresh;            /* nothing was ever acknowledged */
    /* Commits up to and including these are in the tiers: not replayed. What
     * was cut must be below: a log that begins later than the floor has lost
     * its beginning, tells it by `event` and replays nothing. */
    const uint64_t *floor_seq; /* [shards] */
    int64_t (*clock_ms)(void *arg); /* high-water mark into block headers */
    /* Told once when the log fails for good, or when a ring is missing. */
    void (*event)(void *arg, int code, const char *text);
    void *arg;
    /* Asked when a segment cannot be made for want of space: frees the
     * reserve and returns true if a retry may succeed. */
    bool (*need_space)(void *arg);
    /* Called by the flusher, every sync_every_ms at least; or NULL. */
    void (*flushed)(void *arg);
    /* During the replay, for a commit that comes soon: what it touches may be
     * asked for; near: it is close. The body may be the beginning of one. NULL:
     * no matter. Called as log_replay_fn is, by several threads. */
    void (*ahead)(void *arg, uint32_t shard, const uint8_t *body, size_t bytes,
                  bool near);
    /* During the replay: of the bytes of a shard's commits so many are given.
     * NULL: no matter. Called as log_replay_fn is, with its arg. */
    void (*progress)(void *arg, uint32_t shard, uint64_t done, uint64_t all);
};

/* Opens or creates; reads segment headers; starts no thread. */
int log_open(const struct log_options *options, struct log **log);

/* Every valid commit above floor_seq, once: per shard in the order of seq; each
 * shard is given by one thread, several shards at the same time. `batch_parts`
 * is 0 for a commit of one shard; commits of a batch whose parts are not all
 * there are left out. body lives for the call only. A non-zero result ends the
 * replay. `max_clock_ms` gets the highest clock mark seen. */
typedef int log_replay_fn(void *arg, uint32_t shard, uint64_t seq,
                          const uint8_t *body, size_t bytes);
int log_replay(struct log *log, log_replay_fn *fn, void *arg,
               int64_t *max_clock_ms, uint64_t *replayed);

/* After the replay: continues rings and stream, starts the flusher. */
int log_start(struct log *log);

/* Stops the flusher after all that is in the rings is durable. */
int log_stop(struct log *log);
void log_close(struct log **log);

/* Append one commit; the caller holds the shard's lock (for a batch: those of
 * all its shards until its last part is appended). Waits for ring space.
 * batch_id 0 and batch_parts 0 for a commit of one shard. *seq gets the
 * commit's number (the shard's last + 1), *position its end in the ring.
 * WARP_ENOSPC, WARP_ENOMEM, WARP_EIO, WARP_EREADONLY: nothing was appended.
 * `urgent` lets a delete through while the disk is full. A batch whose later
 * part fails is never replayed; a thread appends one batch at a time and goes
 * on with it until its last part or an error. */
int log_append(struct log *log, uint32_t shard, uint64_t batch_id,
               uint32_t batch_parts, const void *body, size_t bytes,
               bool urgent, uint64_t *seq, uint64_t *position);
/* A hint: this shard's ring is about to be appended to. */
void log_prefetch(const struct log *log, uint32_t shard);
/* The same, when that has come: the lines that the record will fill, which were
 * last the flusher's, another writer's, or nobody's. */
void log_prefetch_tail(const struct log *log, uint32_t shard);
uint64_t log_seq(const struct log *log, uint32_t shard); /* last appended */
uint64_t log_batch_id(struct log *log); /* unique for ever in this store */

/* Group commit: returns when the shard's ring is durable up to position; the
 * calling thread leads a write when there is none to wait for. WARP_EIO: the
 * log has failed; WARP_ENOSPC: appended, but not on stable storage yet. */
int log_wait(struct log *log, uint32_t shard, uint64_t position);
/* All that is appended now is durable at return. */
int log_sync(struct log *log);

/* Cutting. `log_mark` makes all appended durable and returns the number of a
 * block behind it: commits in blocks before that are the ones that a checkpoint
 * must hold before log_cut(mark) may recycle their segments. So mark first,
 * then copy. WARP_EBUSY: a batch stays unfinished for seconds. */
int log_mark(struct log *log, uint64_t *mark);
int log_cut(struct log *log, uint64_t mark);

/* While held (a backup copies files) nothing is cut. */
void log_hold(struct log *log, bool hold);
uint64_t log_next_block(const struct log *log);
/* After the replay: the number of the block behind the last one. */
uint64_t log_end_block(const struct log *log);
/* After the replay: nothing was in the rings. */
bool log_was_clean(const struct log *log);

uint64_t log_bytes(const struct log *log); /* rings' and segments' live bytes */
uint64_t log_memory_bytes(const struct log *log); /* rings and buffers */
int log_health(const struct log *log);      /* WARP_OK or the sticky error */
/* From the replay on: commits are missing, as `event` has told. */
bool log_is_damaged(const struct log *log);
uint64_t log_sync_count(const struct log *log);
uint64_t log_lag_ms(const struct log *log);
uint32_t log_in_flight(const struct log *log); /* calibrated or given */

#endif
