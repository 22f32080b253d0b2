/* mirror.h: what devices hold of columns.
 *
 * The column on the host is the truth. A device has copies of its pages in
 * blocks (device.h), one for each MIRROR_RANGE_BYTES of a column; a job's
 * inputs are put together from them, and from the job's own arrays where a
 * device has no copy or an old one. Whoever prepares a job brings what changed
 * under the shard's lock: that is a moment. Jobs may reach the device in
 * another order than their moments, so:
 *
 *   M1  A page on a device carries the moment whose content it has.
 *   M2  A job of moment t is given a page of moment c only if c <= t and the
 *       page did not change after c. It never sees more than its own moment.
 *   M3  After an outcome that is not OK nothing that a device holds counts.
 *
 * Blocks count against the gpu_memory_pool of the product. Where it is used up
 * a range takes the place of colder ones, or stays with the host. */
#ifndef WARP_MIRROR_H
#define WARP_MIRROR_H

#include "device.h"
#include "pool.h"

enum { MIRROR_PAGE_BYTES = 4096, MIRROR_RANGE_BYTES = 1 << 18 };
enum { MIRROR_NO_ROW = UINT32_MAX };

struct mirror;
struct mirror_column;

/* Rows of a job that follow each other in a column, too. */
struct mirror_run {
    uint32_t to, count; /* rows of the job */
    uint32_t row;       /* of the column; MIRROR_NO_ROW: of none */
    uint32_t shard;
    uint64_t moment;
};
/* An input whose values are those of a field's columns. */
struct mirror_arg {
    uint32_t arg, stride;
    struct mirror_column *columns; /* one for each shard */
};
/* What a page had at a moment, for a device that lacks it. */
struct mirror_fresh {
    struct mirror_column *column;
    uint32_t page, bytes;
    size_t at; /* in the job's fresh bytes */
    uint64_t moment;
};

/* What a job reads of columns. All its rows are in its runs, in order. */
struct mirror_rows {
    struct mirror_run *runs;
    struct mirror_fresh *fresh;
    struct mirror_arg args[KERNEL_ARGS_MAX];
    uint32_t run_count, arg_count, fresh_count;
    uint8_t *fresh_bytes;
    size_t fresh_used;
};

/* Room for columns without a pool. NULL: out of memory. */
struct mirror *mirror_create(uint64_t room_bytes);
void mirror_destroy(struct mirror **mirror);
/* Those of a field, made when first asked for; NULL: out of memory. */
struct mirror_column *mirror_columns(struct mirror *mirror, uint16_t product,
                                     uint32_t field, uint32_t shard_count,
                                     struct pool *pool);
struct mirror_column *mirror_column_at(struct mirror_column *columns,
                                       uint32_t shard);

/* ---- under the lock of the column's shard ----
 * A plan may be in the making, which takes a while: it is waited for before the
 * shard's lock is taken, so that writers of the shard never wait for it. */

void mirror_enter(struct mirror *mirror);
void mirror_leave(struct mirror *mirror);
uint64_t mirror_moment(struct mirror *mirror);
/* These bytes of the column may have changed since the last moment. Not 0: out
 * of memory, nothing is noted. */
int mirror_changed(struct mirror_column *column, uint64_t moment, size_t from,
                   size_t bytes);
/* Is it worth while to bring the page to the device for a job of this moment?
 * Not where it has it, and seldom where it has no room. */
bool mirror_lacks(const struct mirror_column *column, enum device_kind kind,
                  uint64_t moment, uint32_t page);

/* ---- one thread at a time, which works with the device ---- */

/* The plan of a job; it is valid until the next one. What it puts on the device
 * counts as being there. */
const struct device_plan *mirror_plan(struct mirror *mirror,
                                      enum device_kind kind,
                                      const struct mirror_rows *rows);
/* The device holds nothing any more, or nobody knows what. */
void mirror_forget(struct mirror *mirror, enum device_kind kind);
/* The same, because it had no room: it is asked for less from here on. */
void mirror_no_room(struct mirror *mirror, enum device_kind kind);
uint64_t mirror_held_bytes(struct mirror *mirror, enum device_kind kind);

#endif
