/* worker.h: a device in a process of its own.
 *
 * What a GPU loses for good, a driver that crashes and a kernel that never
 * ends take a worker with them, not the store. Parent and worker share a memfd:
 *
 *   page    commands and answers, the table of kernels
 *   texts   of a schema's kernels, for the device's compiler
 *   slots   one for each lane of the device: the arrays of one job, and what is
 *           new of columns that stay there
 *
 * The parent writes a lane's request and bumps its `command`; the worker
 * answers by making `answer` equal to it. Commands have turns: the worker
 * begins them in the order in which the parent gave them, whatever their lanes.
 * A worker that has ended answers nothing; its successor ignores what was asked
 * of it. */
#ifndef WARP_WORKER_H
#define WARP_WORKER_H

#include "device.h"

#include <stdatomic.h>

/* Kernels beyond these are the CPU's. */
enum { WORKER_KERNELS_MAX = 1024, WORKER_TEXT_BYTES = 8 << 20, WORKER_FD = 3 };

struct worker_kernel {
    char name[64], entry[64];
    uint32_t builtin; /* 1 + its place in kernels[], or 0 */
    uint32_t arg_count;
    struct {
        uint8_t extent, bytes, out, real;
    } args[KERNEL_ARGS_MAX];
    uint64_t cl, cu; /* in the texts */
};

/* A lane's request and its answer. */
struct worker_lane {
    _Atomic uint32_t command, answer;
    uint32_t turn;
    uint32_t kernel;
    struct kernel_params p;
    uint64_t at[KERNEL_ARGS_MAX]; /* of each array in the slot */
    uint32_t drop, plan_args, fill_count, piece_count; /* the plan */
    uint64_t fresh_at, fresh_bytes;                    /* in the slot */
    struct device_fill fills[DEVICE_FILLS_MAX];
    struct device_piece pieces[DEVICE_PIECES_MAX];
    uint32_t outcome; /* the answer */
    int64_t took_ns;
    char why[DEVICE_TEXT_BYTES];
};

struct worker_page {
    uint64_t slot_bytes; /* of each */
    uint32_t parent;
    _Atomic uint32_t opened; /* 1: the device was opened, or was not */
    uint32_t outcome;
    char why[DEVICE_TEXT_BYTES];
    char name[128];
    struct worker_kernel kernels[WORKER_KERNELS_MAX];
    struct worker_lane lanes[DEVICE_LANES];
};

static inline size_t worker_text_at(void)
{
    return (sizeof(struct worker_page) + 4095) / 4096 * 4096;
}
static inline size_t worker_slot_at(void)
{
    return worker_text_at() + WORKER_TEXT_BYTES;
}

struct worker;

/* NULL: out of memory. The process starts with the first job, and has opened
 * its device within start_ns (0: 30 s). */
struct worker *worker_create(const char *program, enum device_kind kind,
                             size_t slot_bytes, int64_t start_ns);
/* No job is under way. */
void worker_destroy(struct worker **worker);

/* Is there a process, started by a worker_ready() that has ended? */
bool worker_runs(struct worker *worker, uint32_t *life);
/* One caller at a time: a process that answers, one is started where there is
 * none; *life is its number. DEVICE_ABSENT: the device is not there, or the
 * program cannot be started; DEVICE_STICKY: it died, or took too long. `why` is
 * set then. */
enum device_outcome worker_ready(struct worker *worker, uint32_t *life,
                                 char why[DEVICE_TEXT_BYTES]);
/* One caller at a time: copies the job's inputs to a lane that is idle and
 * gives the command. DEVICE_STICKY: the worker is not in this life any more.
 * DEVICE_TRANSIENT: the job does not fit the slot. DEVICE_KERNEL: it has no
 * text for devices, or the tables are full. */
enum device_outcome worker_begin(struct worker *worker, uint32_t lane,
                                 uint32_t life, const struct kernel_job *job,
                                 const struct device_plan *plan,
                                 char why[DEVICE_TEXT_BYTES]);
/* Waits for a lane that has begun, at most so long, and copies the results
 * back; any thread, one for a lane. *took_ns: what the device took.
 * DEVICE_STICKY: the worker was ended or had died, in time, with the jobs of
 * all lanes; the next worker_ready() starts another. */
enum device_outcome worker_finish(struct worker *worker, uint32_t lane,
                                  uint32_t life, const struct kernel_job *job,
                                  int64_t timeout_ns, int64_t *took_ns,
                                  char why[DEVICE_TEXT_BYTES]);
/* All three on the first lane, without a plan. */
enum device_outcome worker_run(struct worker *worker,
                               const struct kernel_job *job, int64_t timeout_ns,
                               char why[DEVICE_TEXT_BYTES]);
/* Bytes of a slot that a job and so many fresh ones take. */
uint64_t worker_needs(const struct kernel_job *job, size_t fresh_bytes);
int worker_pid(const struct worker *worker); /* 0: none */

/* worker_serve.c: the worker's own life; returns its exit status. */
int worker_serve(const char *kind);

#endif
