/* log_copy.h: segments of the log as files that are copied or cut. */
#ifndef WARP_LOG_COPY_H
#define WARP_LOG_COPY_H

#include <stdbool.h>
#include <stdint.h>

/* Blocks of a segment below a number and not younger than a clock. */
struct log_extent {
    uint64_t limit_block; /* given */
    int64_t limit_clock;  /* given */
    uint64_t first, next; /* numbers: its first block, behind the last one */
    int64_t clock;        /* of the last one */
    uint64_t bytes;       /* of the file, up to the end of the last one */
    uint64_t cut_bytes;   /* up to the end of the last whole cut; 0: none */
    uint64_t cut_next;
    int64_t cut_clock;
    bool limited;         /* a block was left out because of a limit */
};
/* WARP_ENOTFOUND: this is no segment that was written to. */
int log_extent_read(const char *path, struct log_extent *extent);
/* The number in the name of a segment in use, or 0. */
uint64_t log_segment_number(const char *name);
/* A file in the log's directory: nothing is missing behind what there is, or
 * there is none, because it was removed or cut on purpose. The next log_start
 * takes it away. */
#define LOG_ENDS_HERE "ends-here"
int log_end_here(const char *dir);

#endif
