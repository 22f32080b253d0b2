/* dispatch.h: a job of a kernel runs where it is soonest done, and always ends
 * with right results: what a device does wrong, late or not at all, the CPU
 * does again.
 *
 * Devices work in workers (worker.h), guarded by a breaker for each device and
 * kernel. Results of a device are blank before, and after: no result may be
 * missing, at least 8 rows and about one in a hundred are compared with
 * float64, all of them while the breaker is half open. Where a job runs is
 * decided by what each place is expected to take, learnt while running. */
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
    const char *program; /* of workers; NULL: the installed one */
    size_t slot_bytes;   /* 0: 64 MiB */
    int64_t timeout_ns;  /* of a job on a device; 0: 2 s */
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

/* The program of workers: $WARP_WORKER, or the installed one. */
const char *dispatch_program(void);
/* NULL: out of memory. Starts nothing. */
struct dispatch *dispatch_create(const struct dispatch_options *options);
void dispatch_destroy(struct dispatch **dispatch);
/* Any thread; one job at a time uses a device. WARP_EINVAL: the kernel refuses
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
struct mirror *dispatch_mirror(struct dispatch *dispatch);
/* Bytes of inputs that went to devices, of columns and others. */
uint64_t dispatch_sent_bytes(const struct dispatch *dispatch);
enum breaker_state dispatch_breaker(struct dispatch *dispatch,
                                    enum device_kind kind,
                                    const struct kernel *kernel);
/* The worker of a device; 0: none. For tests, which end it. */
int dispatch_worker_pid(struct dispatch *dispatch, enum device_kind kind);

#endif
