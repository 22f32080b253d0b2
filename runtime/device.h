/* device.h: where kernels run: one contract for the CPU, OpenCL and CUDA.
 *
 * Nothing of a GPU is linked: a device's driver is looked for with dlopen when
 * it is opened, and its absence has a sentence for people. One thread at a
 * time uses an open device. After DEVICE_STICKY a device answers nothing else:
 * only a new process cures it (worker.h), so it is closed and its memory may
 * stay behind. A further device: device_x.c with its row, named in device.c. */
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

enum { DEVICE_TEXT_BYTES = 256 };

struct device {
    const struct device_row *row;
    char name[128];
    uint64_t memory_bytes;       /* 0: not known */
    uint32_t units;              /* cores or multiprocessors */
    char why[DEVICE_TEXT_BYTES]; /* of the last outcome that was not OK */
};

struct device_row {
    const char *kind; /* "cpu", "opencl", "cuda" */
    /* Otherwise `why` says what is missing. */
    enum device_outcome (*open)(struct device **out,
                                char why[DEVICE_TEXT_BYTES]);
    /* Inputs are read from the job's arrays, results are there on DEVICE_OK;
     * what a kernel did not write is NaN. The job was not refused. */
    enum device_outcome (*run)(struct device *device,
                               const struct kernel_job *job);
    void (*close)(struct device **device);
    /* Memory that jobs' arrays will lie in, once: transfers from there are
     * faster. NULL, or refused: they are as fast as they are. */
    void (*pin)(struct device *device, void *at, size_t bytes);
};

extern const struct device_row device_cpu, device_opencl, device_cuda;
extern const struct device_row *const device_rows[DEVICE_KINDS];

/* NaN into the results of a job, as bytes of ones. */
void device_blank(const struct kernel_job *job);

#endif
