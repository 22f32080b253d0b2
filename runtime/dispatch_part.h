/* dispatch_part.h: what dispatch.c, which decides where a job runs, and
 * dispatch_device.c, which has it run on a device, know of each other. */
#ifndef WARP_DISPATCH_PART_H
#define WARP_DISPATCH_PART_H

#include "dispatch.h"
#include "os.h"
#include "worker.h"

/* What is known of one kernel. */
struct dispatch_entry {
    const struct kernel *kernel;
    struct breaker breakers[DEVICE_KINDS];
    bool off[DEVICE_KINDS]; /* the kernel is at fault there */
    char off_why[DEVICE_KINDS][DEVICE_TEXT_BYTES];
    double fixed_ns[DEVICE_KINDS], byte_ns[DEVICE_KINDS]; /* learnt; 0: no */
    uint32_t seen[DEVICE_KINDS];
    uint32_t turned_down; /* jobs that a device was too slow for */
};

struct dispatch {
    /* Of all below; jobs begin under it, none ends. Nobody waits with it. */
    struct os_lock lock;
    struct dispatch_options options;
    struct worker *workers[DEVICE_KINDS];
    bool starting[DEVICE_KINDS]; /* by one caller, who holds no lock then */
    /* After a start that took long and failed: none until then. */
    int64_t rests_until[DEVICE_KINDS], rest_ns[DEVICE_KINDS];
    struct device *devices[DEVICE_KINDS]; /* in_process */
    uint32_t lives[DEVICE_KINDS]; /* of the worker that the mirror knows */
    bool absent[DEVICE_KINDS];
    char absent_why[DEVICE_KINDS][DEVICE_TEXT_BYTES];
    bool busy[DEVICE_KINDS][DEVICE_LANES];
    /* futex: bumped with each lane that gets free, and each start that ends */
    _Atomic uint32_t freed;
    struct dispatch_entry **entries;
    uint32_t entry_count, entry_room;
    uint64_t chance;
    struct mirror *mirror;
    bool drop[DEVICE_KINDS]; /* what it holds counts no more: give it back */
    _Atomic uint64_t sent_bytes[DEVICE_KINDS];
};

/* ---- dispatch_device.c ---- */

/* Under the lock. A lane of the device, within so many ns (< 0: for ever);
 * while it waits the lock is free. */
bool dispatch_take_lane(struct dispatch *dispatch, enum device_kind kind,
                        int64_t wait_ns, uint32_t *lane);
/* Under the lock, which is free meanwhile: until the device's start has ended,
 * however. */
void dispatch_wait_start(struct dispatch *dispatch, enum device_kind kind);
/* Under the lock: would a job on it have to start its worker? */
bool dispatch_starts(struct dispatch *dispatch, enum device_kind kind);
void dispatch_give_lane(struct dispatch *dispatch, enum device_kind kind,
                        uint32_t lane);
/* Under the lock: the ticket's job, on the lane and device of its attempt. */
void dispatch_submit(struct dispatch *dispatch, struct dispatch_ticket *ticket);
/* Without the lock: waits for it, tries again in halves where that may help,
 * and compares the results. Did the device do it? The lane is free then. */
bool dispatch_collect(struct dispatch *dispatch,
                      struct dispatch_ticket *ticket);
/* A device took so long: dispatch.c, under the lock. */
void dispatch_learn(struct dispatch_entry *entry, enum device_kind kind,
                    double bytes, double ns);

#endif
