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

/* Runs in the order of the stream, and parts of batches that end in them. */
struct log_found {
    struct log_run *runs;
    struct log_part *parts;
    size_t run_count, run_max, part_count, part_max;
};

/* In place of a number of parts: a commit that an earlier segment begins, whose
 * batch is known there; its id is then the shard. */
#define LOG_PARTS_BEFORE UINT32_MAX

/* One segment, read by itself from the places on that its header names. */
struct log_scan {
    struct log *log;
    uint32_t segment;
    uint64_t end; /* its blocks are below it */
    struct log_found found;
    struct log_place *start, *place, *saved, *good; /* [shards]: of the header,
        NULL if there is none, now, before the block, at the last cut */
    uint64_t block, offset, damage_offset, ring_bytes;
    uint64_t cut_block, cut_offset;
    size_t cut_runs, cut_parts;
    uint32_t cut_flags;
    bool any_cut, no_memory;
    int error; /* -errno of the read that ended it */
    int64_t clock;
};

struct log_replay {
    struct log *log;
    struct log_found found; /* parts: seen since the last whole cut */
    size_t runs_good;
    struct log_batches open;
    struct log_place *place, *good; /* [shards]: now, at the last cut */
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

int log_found_part(struct log_found *found, const struct log_part *part);
/* The runs of `of` from one place to another. */
int log_found_runs(struct log_found *found, const struct log_found *of,
                   size_t from, size_t to);
void log_found_free(struct log_found *found);
bool log_block_valid(const uint8_t *block, const struct log_segment *segment);
/* Into a scan that names its log, segment and end: first the header. */
void log_scan_header(struct log_scan *scan, struct log_window *w);
void log_scan_blocks(struct log_scan *scan, struct log_window *w);
void log_scan_free(struct log_scan *scan);

/* log_replay.c */
int log_replay_streams(struct log_replay *replay);
/* log_replay_ring.c */
int log_replay_rings(struct log_replay *replay);
/* Segments are gone that must have been there: this is told. */
bool log_replay_lacks(const struct log_replay *replay);
/* log_apply.c */
int log_apply(struct log_replay *replay, log_replay_fn *fn, void *arg,
              uint64_t *applied);

#endif
