/* log_inner.h: the parts of the log among themselves. Only log*.c include it.
 *
 * Locks, in order: shard locks (the caller's) < gather_lock < room_lock,
 * done_lock. No thread takes a shard's lock while it holds one of these. */
#ifndef WARP_LOG_INNER_H
#define WARP_LOG_INNER_H

#include "log.h"
#include "log_format.h"
#include "os.h"

enum {
    LOG_PATH_BYTES = 4096,
    LOG_SLOTS_MAX = 16,
    LOG_READY_MAX = 8,
    LOG_CUTS_MAX = 32,
    LOG_CHUNK = 16 << 10 /* ring bytes that a shard is given at a time */
};

/* One shard's landing ring. Positions count bytes since the store was made;
 * head <= gathered <= tail <= head + ring_bytes. */
struct log_ring {
    /* Written by the appender, under the shard's lock. */
    _Alignas(64) uint8_t *base;
    uint8_t *tail_mark;     /* in the page of tails */
    uint64_t kick_at;       /* wake the flusher when the tail passes it */
    uint64_t granted;       /* under room_lock: the stream has room so far */
    _Atomic uint64_t limit; /* append without asking up to here */
    _Atomic uint64_t tail;
    _Atomic uint64_t seq;
    _Atomic uint64_t turn; /* position of the first record stamped `stamp` */
    _Atomic uint32_t stamp;
    /* Written by the stream. */
    _Alignas(64) _Atomic uint64_t head; /* durable */
    _Atomic uint64_t gathered;          /* under gather_lock */
    uint64_t cut;                       /* under gather_lock */
    uint64_t gathered_seq;              /* under gather_lock, at cuts */
};

struct log_segment {
    uint64_t number, first, bytes, salt, durable;
    bool damaged; /* its header is, and was durable */
    bool retired; /* a run ended badly in it: deleted instead of recycled */
};

struct log_spare {
    uint64_t bytes;
    uint32_t id;
};

/* A segment that is made, named and open, and waits for its header. */
struct log_ready {
    uint64_t number, bytes;
    int fd;
    bool blank; /* allocated, not written */
};

/* One write in flight; block n uses slot n % slots. */
struct log_slot {
    uint8_t *buffer; /* segment header, then the block; NULL: has none */
    uint8_t *from;   /* what is written */
    uint64_t number, offset, bytes;
    int64_t cut_ns;
    uint64_t *ends; /* per shard: positions that the cut holds */
    uint32_t cut_stamp;
    int fd, close_fd;
    bool cut;
    bool cut_split; /* the cut has blocks before this one */
    bool done; /* under done_lock; false while the slot is free */
};

/* Those who wait for a cut; log_wait.c. */
struct log_cut {
    _Alignas(64) _Atomic uint32_t word; /* futex */
    _Atomic uint32_t waiters;
};

struct log_pending {
    uint8_t *data; /* accepted ring records that the stream lacks */
    size_t bytes;
};

/* Of files that are not written directly: after one failed there is none. */
struct log_syncs {
    struct os_lock lock;
    bool failed;
};

struct log {
    struct log_options options;
    char *dir, *ring_dir;
    uint64_t *floor_seq;
    uint32_t shards, store_seed;
    uint64_t ring_bytes, frame_max, tag;
    struct log_ring *rings;
    uint8_t *tails; /* the page of tails, mapped */

    /* Read by appenders. */
    _Alignas(64) _Atomic uint32_t epoch; /* the number of the next cut */
    _Alignas(64) _Atomic int health;
    _Atomic bool no_space;
    _Atomic uint64_t next_batch;
    _Atomic uint32_t batches_open[2]; /* by the stamp's low bit */
    _Atomic uint32_t batches_starved;

    /* The stream. */
    _Alignas(64) struct os_lock gather_lock;
    struct log_slot slots[LOG_SLOTS_MAX];
    uint32_t slot_count;
    uint8_t *buffers[LOG_SLOTS_MAX]; /* under done_lock: in no slot, */
    uint32_t buffer_count;           /* the one used last at the end */
    _Atomic uint32_t in_flight_limit;
    _Atomic uint64_t next_block;
    uint32_t cut_shard; /* where the pending cut goes on */
    uint32_t cut_stamp; /* its number */
    bool cut_pending, cut_split, cut_whole, straddle;
    uint64_t whole_end; /* behind the last cut that splits no batch */
    int64_t cut_ns;
    uint64_t salt; /* of the current segment */
    _Atomic uint64_t write_at;
    int fd, old_fd;
    bool fresh; /* the current segment has no header yet */
    bool blank; /* it was allocated and not written, */
    uint64_t written_to; /* but up to here */
    _Atomic int64_t clock_mark;

    struct os_lock done_lock;
    _Alignas(64) _Atomic uint64_t durable_block; /* all below are durable */
    struct log_cut cuts[LOG_CUTS_MAX];
    _Alignas(64) _Atomic uint32_t waiting; /* commits that wait for the disk */
    _Atomic uint32_t wait_peak;            /* the most lately */
    _Atomic uint32_t uncut;                /* of them: in no cut yet */
    _Atomic bool leading; /* one of many is about to gather */
    _Atomic uint32_t done_count; /* futex: bumped when anything may go on */
    _Atomic uint32_t waiters;
    _Atomic uint64_t sync_count;
    _Atomic int64_t durable_ns; /* when the last durable cut was taken */
    struct log_syncs syncs;

    /* Segments. */
    struct os_lock room_lock;
    struct log_segment *segments; /* in order; the last is written to */
    uint32_t segment_count, segment_max;
    struct log_ready ready[LOG_READY_MAX];
    uint32_t ready_count;
    struct log_spare *spares;
    uint32_t spare_count, spare_max, next_spare;
    uint64_t current_number; /* of the one written to; gather_lock */
    uint64_t next_number, current_bytes, pledged, urgent_room, keep_bytes;
    uint32_t unstarted;
    _Atomic uint64_t live_bytes;   /* of segments */
    _Atomic uint64_t unused_bytes; /* of the current one */
    _Atomic bool direct;
    _Atomic int held; /* backups that copy segments now */
    _Atomic bool starved; /* somebody waits for a segment, or did */

    /* Threads. */
    struct os_thread flusher, maker;
    _Atomic uint32_t kick, maker_kick;
    _Atomic bool flusher_sleeps, stopping;
    _Atomic bool started;
    bool replayed, clean, damaged;

    /* From the replay to the start. */
    uint64_t *end_position, *end_seq; /* [shards]: where the stream ends */
    struct log_pending *pending;      /* [shards] */
    uint64_t end_block, end_segment, end_offset, old_ring_bytes;
};

/* log.c */
int log_fail(struct log *log, int code, const char *text);
void log_path(const struct log *log, char *to, const char *name);
void log_segment_path(const struct log *log, char *to, uint64_t number);
void log_spare_path(const struct log *log, char *to, uint32_t id);
void log_tails_path(const struct log *log, char *to);
void log_ring_path(const struct log *log, char *to, uint32_t shard);
void log_bump(struct log *log); /* wakes all who wait for room */
void log_kick(struct log *log); /* wakes the flusher */

/* Where a shard's tail stands in its page. Up to 64 shards' lie in its first
 * 512 bytes, which a disk writes whole or not at all (L12). */
static inline uint32_t log_tail_offset(const struct log *log, uint32_t shard)
{
    return shard * (log->shards <= 512 / 16 ? 16 : 8);
}

/* log_ring.c */
int log_rings_open(struct log *log);
/* Before the first append: the page of tails tells what the rings hold now, and
 * since which start of the kernel (L13). */
void log_rings_begin(struct log *log);
/* `page`, of tails, was written to since the kernel started. */
bool log_tails_are_current(const uint8_t page[LOG_PAGE]);
void log_rings_close(struct log *log);
uint32_t log_record_crc(const struct log *log, uint64_t position,
                        const uint8_t *record, size_t bytes);

/* log_stream.c */
/* Writes one block of what is in the rings: 1 written, 0 nothing to write,
 * WARP_EBUSY as many writes as may be are in flight, WARP_TIMEOUT no segment
 * is ready, or an error. */
int log_lead(struct log *log, uint32_t flags);
int log_drain(struct log *log); /* all that was appended before the call */
void *log_flusher(void *arg);
/* One block, by the only thread there is. */
int log_write_alone(struct log *log, const uint8_t *payload, size_t bytes,
                    uint32_t flags, uint64_t skip);

/* log_wait.c */
void log_wake_cut(struct log *log, uint32_t stamp); /* it is durable */
void log_wake_leader(struct log *log); /* one more write may begin */
void log_wake_all(struct log *log);    /* the log has failed, or stops */

/* log_segment.c */
int log_segments_scan(struct log *log); /* names and spares */
int log_segments_reclaim(struct log *log);
/* gather_lock held: goes on in the next ready segment. */
int log_segment_next(struct log *log);
/* One more ready segment; urgent: its room is for urgent commits alone, until
 * another is made. */
int log_segment_make(struct log *log, bool urgent);
/* Is this the length of a file that was allocated and not written? */
bool log_segment_is_blank(uint64_t bytes);
uint64_t log_room(const struct log *log); /* room_lock held */
void log_header_encode(const struct log *log, uint8_t *to,
                       const struct log_segment *segment, uint64_t durable,
                       const uint64_t *position, const uint64_t *seq);
/* blank: left unwritten, which it tells, when somebody waits; NULL: never. */
int log_write_zeros(struct log *log, const char *path, uint64_t bytes,
                    bool *blank);
int log_open_segment(struct log *log, const char *path, int *fd);
/* Durable. syncs: of all who write to this file, and to those after it. */
int log_write(struct log *log, struct log_syncs *syncs, int fd,
              const void *from, size_t bytes, uint64_t at);
void log_segments_close(struct log *log);

/* log_maker.c */
void *log_maker(void *arg);
void log_maker_kick(struct log *log);

/* log_calibrate.c: false: not now, somebody waits for a segment. */
bool log_calibrate(struct log *log);

#endif
