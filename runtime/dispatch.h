/* dispatch.h: a job of a kernel runs where it is soonest done, and always ends
 * with right results: what a device does wrong, late or not at all, the CPU
 * does again.
 *
 * Devices work in workers (worker.h), guarded by a breaker for each device and
 * kernel. Results of a device are blank before, and after: no result may be
 * missing, at least 8 rows and about one in a hundred are compared with
 * float64, all of them while the breaker is half open. Where a job runs is
 * decided by what each place is expected to take, learnt while running.
 *
 * A job may be begun and ended in two calls: a device works on it meanwhile. It
 * has as many lanes as the device's contract says; who finds none free is given
 * one when the job is ended. So whoever has begun a job ends those that are not
 * under way before the next one begins, and nobody waits for nobody. */
#ifndef WARP_DISPATCH_H
#define WARP_DISPATCH_H

#include "breaker.h"
#include "device.h"
#include "mirror.h"

enum dispatch_on { /* as enum warp_kernel_on */
                   DISPATCH_AUTO,
                   DISPATCH_GPU,
                   DISPATCH_CPU,
                   DISPATCH_GPU_ONLY
};

struct dispatch_options {
    const char *program;   /* of workers; NULL: the installed one */
    size_t slot_bytes;     /* of each lane; 0: 32 MiB */
    int64_t timeout_ns;    /* of a job on a device; 0: 2 s */
    int64_t start_ns;      /* of a worker's start; 0: 30 s */
    uint64_t mirror_bytes; /* for columns without a pool; 0: none */
    bool in_process;    /* no workers: microseconds sooner, but what a GPU loses
                        for good is lost for this process */
    bool always_device; /* whatever it costs, where the breaker allows */
    int64_t (*now_ns)(void *arg); /* of the breakers; NULL: the machine's */
    void *now_arg;
};

struct dispatch_info {
    enum device_kind ran_on;
    char why[DEVICE_TEXT_BYTES]; /* the reason for the place */
    uint32_t rows, checked;      /* compared with float64 */
    int64_t ns;                  /* from here to the results */
};

struct dispatch;

/* A job from its begin to its end; what it points to stays until then. */
struct dispatch_ticket {
    const struct kernel_job *job;
    const struct mirror_rows *rows;
    enum dispatch_on on;
    struct dispatch_info info;
    int64_t from_ns;
    struct dispatch_entry *entry;
    uint32_t next; /* of the devices, in their order */
    bool under_way, shadow;
    bool waited; /* for a start that failed: for no other one, then */
    struct dispatch_attempt {
        enum device_kind kind;
        uint32_t lane, life;
        enum device_outcome outcome; /* of its begin */
        uint64_t sent_bytes;
        int64_t took_ns;
        bool late; /* it was started, and that took long and failed */
        char why[DEVICE_TEXT_BYTES];
    } attempt;
};

/* The program of workers: $WARP_WORKER, or the installed one. */
const char *dispatch_program(void);
/* NULL: out of memory. Starts nothing. */
struct dispatch *dispatch_create(const struct dispatch_options *options);
void dispatch_destroy(struct dispatch **dispatch);
/* Any thread. WARP_EINVAL: the kernel refuses
 * the job. WARP_ENODEV: GPU_ONLY, and there is none that does it. */
int dispatch_run(struct dispatch *dispatch, const struct kernel_job *job,
                 enum dispatch_on on, struct dispatch_info *info);
/* The same for a job that reads columns; what the device has of them is not
 * sent again. rows: NULL for none. */
int dispatch_run_rows(struct dispatch *dispatch, const struct kernel_job *job,
                      const struct mirror_rows *rows, enum dispatch_on on,
                      struct dispatch_info *info);
/* The device that such a job would be given to, or DEVICE_CPU: a guess, for
 * whoever prepares it. */
enum device_kind dispatch_first(struct dispatch *dispatch,
                                const struct kernel_job *job,
                                enum dispatch_on on);
/* The same in two steps. begin: WARP_EINVAL as above, and there is nothing to
 * end; it waits for no device, but that it may start its worker. end: once. */
int dispatch_begin(struct dispatch *dispatch, const struct kernel_job *job,
                   const struct mirror_rows *rows, enum dispatch_on on,
                   struct dispatch_ticket *ticket);
int dispatch_end(struct dispatch *dispatch, struct dispatch_ticket *ticket,
                 struct dispatch_info *info);
struct mirror *dispatch_mirror(struct dispatch *dispatch);
/* Bytes of inputs that went to a device, of columns and others. */
uint64_t dispatch_sent_bytes(const struct dispatch *dispatch,
                             enum device_kind kind);
enum breaker_state dispatch_breaker(struct dispatch *dispatch,
                                    enum device_kind kind,
                                    const struct kernel *kernel);
/* The worker of a device; 0: none. For tests, which end it. */
int dispatch_worker_pid(struct dispatch *dispatch, enum device_kind kind);

#endif
