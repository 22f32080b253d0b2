/* worker.h: a device in a process of its own.
 *
 * What a GPU loses for good, a driver that crashes and a kernel that never
 * ends take a worker with them, not the store. Parent and worker share a memfd:
 *
 *   page    commands and answers, the table of kernels
 *   texts   of a schema's kernels, for the device's compiler
 *   slot    the arrays of one job, and what is new of columns that stay there
 *
 * The parent writes the request and bumps `command`; the worker answers by
 * making `answer` equal to it. One thread uses a worker. */
#ifndef WARP_WORKER_H
#define WARP_WORKER_H

#include "device.h"

#include <stdatomic.h>

enum { WORKER_KERNELS_MAX = 64, WORKER_TEXT_BYTES = 8 << 20, WORKER_FD = 3 };

struct worker_kernel {
    char name[64], entry[64];
    uint32_t builtin; /* 1 + its place in kernels[], or 0 */
    uint32_t arg_count;
    struct {
        uint8_t extent, bytes, out, real;
    } args[KERNEL_ARGS_MAX];
    uint64_t cl, cu; /* in the texts */
};

struct worker_page {
    uint64_t slot_bytes;
    _Atomic uint32_t command, answer;
    uint32_t outcome; /* of the last command */
    char why[DEVICE_TEXT_BYTES];
    char name[128];
    uint32_t kernel_count;
    uint64_t text_used;
    /* the request */
    uint32_t kernel;
    struct kernel_params p;
    uint64_t at[KERNEL_ARGS_MAX]; /* of each array in the slot */
    uint32_t drop, plan_args, fill_count, piece_count; /* the plan */
    uint64_t fresh_at, fresh_bytes;                    /* in the slot */
    struct device_fill fills[DEVICE_FILLS_MAX];
    struct device_piece pieces[DEVICE_PIECES_MAX];
    struct worker_kernel kernels[WORKER_KERNELS_MAX];
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

/* NULL: out of memory. The process starts with the first job. */
struct worker *worker_create(const char *program, enum device_kind kind,
                             size_t slot_bytes);
void worker_destroy(struct worker **worker);
size_t worker_slot_bytes(const struct worker *worker);
/* DEVICE_STICKY: the worker was ended or had died, in time; the next job gets a
 * new one. DEVICE_ABSENT: the device is not there, or the program cannot be
 * started. DEVICE_KERNEL, too, when the tables are full. `why` is set then. */
enum device_outcome worker_run(struct worker *worker,
                               const struct kernel_job *job, int64_t timeout_ns,
                               char why[DEVICE_TEXT_BYTES]);
/* The same with blocks that stay on the device (device.h). */
enum device_outcome worker_run_plan(struct worker *worker,
                                    const struct kernel_job *job,
                                    const struct device_plan *plan,
                                    int64_t timeout_ns,
                                    char why[DEVICE_TEXT_BYTES]);
int worker_pid(const struct worker *worker); /* 0: none */

/* worker_serve.c: the worker's own life; returns its exit status. */
int worker_serve(const char *kind);

#endif
