/* log_replay.h: the two passes of the replay among themselves. */
#ifndef WARP_LOG_REPLAY_H
#define WARP_LOG_REPLAY_H

#include "log_inner.h"

/* Where one shard's log stands, and the commit whose frames are being read. */
struct log_place {
    uint64_t position, seq, batch_id;
    uint32_t batch_parts;
};

/* Records of one shard that lie side by side in a segment. */
struct log_run {
    uint32_t segment, offset, bytes;
    uint16_t shard;
};

/* Batches of which parts were seen and others not yet. */
struct log_batches {
    struct {
        uint64_t id;
        uint32_t left;
    } * rows;
    uint32_t count, max; /* a power of two */
};

struct log_part {
    uint64_t id;
    uint32_t parts;
};

struct log_replay {
    struct log *log;
    struct log_run *runs;
    size_t run_count, run_max, runs_good;
    struct log_part *parts; /* seen since the last whole cut */
    size_t part_count, part_max;
    struct log_batches open;
    struct log_place *place, *saved, *good; /* [shards]: now, block, cut */
    uint64_t block, good_block, good_offset, damage_offset;
    uint32_t segment, good_segment, good_flags;
    int64_t clock;
    int refused; /* -errno of a read that was to tell a torn end from damage */
    bool any, damaged;
};

/* A moving view of a file, so that memory stays small and in cache. */
struct log_window {
    uint8_t *data;
    uint64_t at;
    size_t have, max;
    size_t piece; /* read so much at a time; 0: all that there is room for */
    int fd, error; /* error: -errno of the last read, which gave nothing */
};
int log_window_open(struct log_window *w, const char *path);
void log_window_close(struct log_window *w);
/* The bytes from `at` on, or NULL where the file has not so many, or where it
 * cannot be read: then w->error says why. Never take that for an end. */
const uint8_t *log_window_get(struct log_window *w, uint64_t at, size_t bytes);

/* The length of a valid record, padded, or 0; moves the place on. A commit
 * that ends here and is part of a batch is told in *part. */
size_t log_record_check(const struct log *log, const uint8_t *record,
                        size_t left, uint32_t *shard, struct log_place *places,
                        struct log_part *part);

int log_batches_count(struct log_batches *open, const struct log_part *part);
bool log_batches_has(const struct log_batches *open, uint64_t id);

/* log_replay.c */
int log_replay_part(struct log_replay *replay, const struct log_part *part);
int log_replay_streams(struct log_replay *replay);
/* log_replay_ring.c */
int log_replay_rings(struct log_replay *replay);
/* log_apply.c */
int log_apply(struct log_replay *replay, log_replay_fn *fn, void *arg,
              uint64_t *applied);

#endif
