/* device.h: where kernels run: one contract for the CPU, OpenCL and CUDA.
 *
 * Nothing of a GPU is linked: a device's driver is looked for with dlopen when
 * it is opened, and its absence has a sentence for people. A device has lanes:
 * what one of them transfers goes on while the other's kernel works. Lanes
 * begin one at a time; the end of each may be waited for by a thread of its
 * own. After DEVICE_STICKY a device answers nothing else: only a new process
 * cures it (worker.h), so it is closed and its memory may stay behind. A
 * further device: device_x.c with its row, named in device.c. */
#ifndef WARP_DEVICE_H
#define WARP_DEVICE_H

#include "kernels.h"

enum device_kind { DEVICE_CPU, DEVICE_OPENCL, DEVICE_CUDA, DEVICE_KINDS };

enum device_outcome {
    DEVICE_OK,
    DEVICE_TRANSIENT, /* no room on the device: try less at once */
    DEVICE_KERNEL,    /* this kernel is at fault and stays off */
    DEVICE_STICKY,    /* the device is lost for this process */
    DEVICE_ABSENT     /* there is none */
};

enum { DEVICE_TEXT_BYTES = 256, DEVICE_LANES = 2 };

/* ---- memory that stays on the device from job to job ----
 * Numbered blocks. A plan says what changes in them before a job and which
 * inputs of the job are put together from them, on the device. Plans take
 * effect in the order in which their jobs begin, whatever their lanes. After an
 * outcome that is not OK nobody knows what the blocks hold: a plan that does
 * not drop them is refused. */
enum {
    DEVICE_HELD_MAX = 4096,
    DEVICE_FILLS_MAX = 1024,
    DEVICE_PIECES_MAX = 2048,
    DEVICE_FROM_HOST = DEVICE_HELD_MAX /* a piece of no block */
};

/* The block gets `room` bytes; with another size than it had, what it held is
 * gone. Then `bytes` of the plan's fresh ones, from `from` on, go to `to`. */
struct device_fill {
    uint32_t held;
    uint64_t room, to, from, bytes;
};

/* Bytes of an input from `to` on: those of a block from `from` on, or with
 * DEVICE_FROM_HOST those of the job's array at the same place. */
struct device_piece {
    uint32_t arg, held;
    uint64_t to, from, bytes;
};

struct device_plan {
    bool drop;     /* first all blocks are given back */
    uint32_t args; /* bit: the input is what its pieces say */
    const struct device_fill *fills;
    const struct device_piece *pieces;
    uint32_t fill_count, piece_count;
    const uint8_t *fresh;
    size_t fresh_bytes;
};

struct device {
    const struct device_row *row;
    char name[128];
    uint64_t memory_bytes; /* 0: not known */
    uint32_t units;        /* cores or multiprocessors */
    /* Of each lane's last outcome that was not OK. */
    char why[DEVICE_LANES][DEVICE_TEXT_BYTES];
    /* Of a driver with lanes: device_lane_begins() and device_lane_ends(). */
    _Atomic bool lost, held_unknown;
    _Atomic uint32_t faults;
    struct {
        _Atomic bool busy;
        uint32_t faults; /* of the device when its job began */
    } lanes[DEVICE_LANES];
};

struct device_row {
    const char *kind; /* "cpu", "opencl", "cuda" */
    /* Otherwise `why` says what is missing. */
    enum device_outcome (*open)(struct device **out,
                                char why[DEVICE_TEXT_BYTES]);
    /* The job was not refused. After DEVICE_OK its arrays stay where they are
     * until finish() was called, once; otherwise the lane is idle again. plan:
     * NULL where all inputs come from the job's arrays. */
    enum device_outcome (*begin)(struct device *device, uint32_t lane,
                                 const struct kernel_job *job,
                                 const struct device_plan *plan);
    /* Waits. On DEVICE_OK results are there; what a kernel did not write is
     * NaN. */
    enum device_outcome (*finish)(struct device *device, uint32_t lane);
    void (*close)(struct device **device);
    /* Memory that jobs' arrays will lie in, once: transfers from there are
     * faster. NULL, or refused: they are as fast as they are. */
    void (*pin)(struct device *device, void *at, size_t bytes);
};

extern const struct device_row device_cpu, device_opencl, device_cuda;
extern const struct device_row *const device_rows[DEVICE_KINDS];

/* begin() and finish() on the first lane, without a plan. */
enum device_outcome device_run(struct device *device,
                               const struct kernel_job *job);
/* What the stores of this process have on a device: bytes of columns that stay
 * there, more or less by so many, and bytes of inputs that went there. */
void device_note(enum device_kind kind, int64_t held_bytes,
                 uint64_t sent_bytes);
/* Does a plan change or read what stays on the device? */
bool device_plan_moves(const struct device_plan *plan);
#define DEVICE_HELD_UNKNOWN "a fault: what the device holds is not known"
/* Does a plan stay within the job's inputs and its own bytes? */
bool device_plan_fits(const struct device_plan *plan,
                      const struct kernel_job *job);
/* NaN into the results of a job, as bytes of ones. */
void device_blank(const struct kernel_job *job);

/* For drivers. A job begins on a lane: DEVICE_STICKY if the device is lost. */
enum device_outcome device_lane_begins(struct device *device, uint32_t lane,
                                       const struct kernel_job *job);
/* The lane is idle, and its job came out so: what that means beside the other
 * lane's. A fault makes what the other has under way void, and what is held
 * unknown. The driver then sets busy to false. */
enum device_outcome device_lane_ends(struct device *device, uint32_t lane,
                                     enum device_outcome outcome);

#endif
