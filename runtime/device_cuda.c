/* device_cuda.c: kernels on an NVIDIA GPU by CUDA's driver API. libcuda.so.1
 * is found at run time and its interface declared here: a stable ABI, nothing
 * of it is needed to build. Built-in kernels come as the fatbin that nvcc made
 * or, as a schema's kernels do, from CUDA C by NVRTC if that can be loaded.
 *
 * CUDA's errors are sticky: after an illegal address every later call fails,
 * and the error may only show at a later call. All that is neither known to be
 * harmless nor the kernel's own fault counts as sticky.
 *
 * A lane is a stream with buffers of its own. What stays on the device is
 * shared: a lane that changes or reads it waits for the other's transfers by an
 * event. A fault makes the other lane's work under way void, too: nobody knows
 * which of it was done. */
#include "device.h"
#include "device_nvrtc.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODULES_MAX = 1024 };

typedef int cu_result;
typedef uint64_t cu_pointer;
typedef void *cu_handle;

enum {
    CU_ATTRIBUTE_UNITS = 16,
    CU_ATTRIBUTE_MAJOR = 75,
    CU_ATTRIBUTE_MINOR = 76
};

#define CALLS(X)                                                               \
    X(cuInit, cuInit, (unsigned))                                              \
    X(cuDeviceGetCount, cuDeviceGetCount, (int *))                             \
    X(cuDeviceGet, cuDeviceGet, (int *, int))                                  \
    X(cuDeviceGetName, cuDeviceGetName, (char *, int, int))                    \
    X(cuDeviceGetAttribute, cuDeviceGetAttribute, (int *, int, int))           \
    X(cuDeviceTotalMem, cuDeviceTotalMem_v2, (size_t *, int))                  \
    X(cuDevicePrimaryCtxRetain, cuDevicePrimaryCtxRetain, (cu_handle *, int))  \
    X(cuDevicePrimaryCtxRelease, cuDevicePrimaryCtxRelease_v2, (int))          \
    X(cuCtxSetCurrent, cuCtxSetCurrent, (cu_handle))                           \
    X(cuStreamCreate, cuStreamCreate, (cu_handle *, unsigned))                 \
    X(cuStreamSynchronize, cuStreamSynchronize, (cu_handle))                   \
    X(cuStreamDestroy, cuStreamDestroy_v2, (cu_handle))                        \
    X(cuStreamWaitEvent, cuStreamWaitEvent, (cu_handle, cu_handle, unsigned))  \
    X(cuEventCreate, cuEventCreate, (cu_handle *, unsigned))                   \
    X(cuEventRecord, cuEventRecord, (cu_handle, cu_handle))                    \
    X(cuEventDestroy, cuEventDestroy_v2, (cu_handle))                          \
    X(cuModuleLoadData, cuModuleLoadData, (cu_handle *, const void *))         \
    X(cuModuleUnload, cuModuleUnload, (cu_handle))                             \
    X(cuModuleGetFunction, cuModuleGetFunction,                                \
      (cu_handle *, cu_handle, const char *))                                  \
    X(cuMemAlloc, cuMemAlloc_v2, (cu_pointer *, size_t))                       \
    X(cuMemHostRegister, cuMemHostRegister_v2, (void *, size_t, unsigned))     \
    X(cuMemFree, cuMemFree_v2, (cu_pointer))                                   \
    X(cuMemcpyHtoDAsync, cuMemcpyHtoDAsync_v2,                                 \
      (cu_pointer, const void *, size_t, cu_handle))                           \
    X(cuMemcpyDtoHAsync, cuMemcpyDtoHAsync_v2,                                 \
      (void *, cu_pointer, size_t, cu_handle))                                 \
    X(cuMemcpyDtoDAsync, cuMemcpyDtoDAsync_v2,                                 \
      (cu_pointer, cu_pointer, size_t, cu_handle))                             \
    X(cuMemsetD8Async, cuMemsetD8Async,                                        \
      (cu_pointer, unsigned char, size_t, cu_handle))                          \
    X(cuLaunchKernel, cuLaunchKernel,                                          \
      (cu_handle, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,  \
       unsigned, cu_handle, void **, void **))

struct calls {
#define MEMBER(name, symbol, parameters) cu_result(*name) parameters;
    CALLS(MEMBER)
#undef MEMBER
};

struct module {
    const void *text; /* its address is its name */
    cu_handle module;
};

struct lane {
    cu_handle stream;
    cu_handle moved; /* event: its transfers of what stays are done */
    bool has_moved;
    cu_pointer buffers[KERNEL_ARGS_MAX];
    size_t room[KERNEL_ARGS_MAX];
    char *why;
};

struct cuda {
    struct device base; /* first */
    void *library;
    struct calls cu;
    struct device_nvrtc rtc;
    int device, major, minor;
    cu_handle context;
    struct lane lanes[DEVICE_LANES];
    struct module modules[MODULES_MAX];
    uint32_t module_count;
    struct {
        cu_pointer at;
        size_t room;
    } held[DEVICE_HELD_MAX];
};

/* ---- faults ---- */

static enum device_outcome judge(struct cuda *d, struct lane *l, cu_result code,
                                 const char *what)
{
    if (code == 0)
        return DEVICE_OK;
    snprintf(l->why, DEVICE_TEXT_BYTES, "CUDA: %s gave %d", what, code);
    switch (code) {
    case 2:   /* out of memory */
    case 701: /* too many resources asked for */
        return DEVICE_TRANSIENT;
    case 98:  /* invalid device function */
    case 200: /* invalid image */
    case 209: /* no binary for this GPU */
    case 218: /* invalid PTX */
    case 500: /* not found */
        return DEVICE_KERNEL;
    default:
        d->base.lost = true;
        return DEVICE_STICKY;
    }
}

/* ---- finding one ---- */

/* Why there is none, or NULL. */
static const char *find_device(struct cuda *d, char why[DEVICE_TEXT_BYTES])
{
    int count = 0;
    size_t bytes = 0;
    cu_result code = d->cu.cuInit(0);
    if (code == 0)
        code = d->cu.cuDeviceGetCount(&count);
    if (code == 0 && count > 0)
        code = d->cu.cuDeviceGet(&d->device, 0);
    if (code == 100 || (code == 0 && count == 0))
        return "the driver finds no NVIDIA GPU";
    if (code == 34 || code == 35) /* a stub library; an old driver */
        return "libcuda.so.1 is no driver that works here";
    if (code == 0)
        code = d->cu.cuDeviceGetName(d->base.name, (int)sizeof d->base.name - 1,
                                     d->device);
    if (code == 0)
        code = d->cu.cuDeviceGetAttribute(&d->major, CU_ATTRIBUTE_MAJOR,
                                          d->device);
    if (code == 0)
        code = d->cu.cuDeviceGetAttribute(&d->minor, CU_ATTRIBUTE_MINOR,
                                          d->device);
    int units = 0;
    if (code == 0)
        code =
            d->cu.cuDeviceGetAttribute(&units, CU_ATTRIBUTE_UNITS, d->device);
    if (code == 0)
        code = d->cu.cuDeviceTotalMem(&bytes, d->device);
    d->base.units = (uint32_t)units;
    d->base.memory_bytes = bytes;
    if (code == 0)
        return NULL;
    snprintf(why, DEVICE_TEXT_BYTES, "the CUDA driver answers with error %d",
             code);
    return why;
}

static const char *load(struct cuda *d, char why[DEVICE_TEXT_BYTES])
{
    d->library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!d->library)
        return "libcuda.so.1, NVIDIA's driver, is not on this machine";
#define LOAD(name, symbol, parameters)                                         \
    *(void **)&d->cu.name = dlsym(d->library, #symbol);                        \
    if (!d->cu.name)                                                           \
        return "libcuda.so.1 has no " #symbol ": a newer driver is needed";
    CALLS(LOAD)
#undef LOAD
    return find_device(d, why);
}

/* A lost context answers nothing; its memory goes with the process. */
static enum device_outcome drop_held(struct cuda *d, struct lane *l)
{
    enum device_outcome outcome = DEVICE_OK;
    for (uint32_t i = 0; i < DEVICE_LANES && !d->base.lost; i++)
        if (d->lanes[i].stream && outcome == DEVICE_OK)
            outcome = judge(d, l, d->cu.cuStreamSynchronize(d->lanes[i].stream),
                            "cuStreamSynchronize");
    for (uint32_t i = 0; i < DEVICE_HELD_MAX && !d->base.lost; i++) {
        if (d->held[i].at && outcome == DEVICE_OK)
            outcome = judge(d, l, d->cu.cuMemFree(d->held[i].at), "cuMemFree");
        else if (d->held[i].at)
            d->cu.cuMemFree(d->held[i].at);
        d->held[i].at = 0;
        d->held[i].room = 0;
    }
    for (uint32_t i = 0; i < DEVICE_LANES; i++)
        d->lanes[i].has_moved = false;
    return d->base.lost ? DEVICE_STICKY : outcome;
}

static void drop_buffers(struct cuda *d, struct lane *l)
{
    for (uint32_t i = 0; i < KERNEL_ARGS_MAX && !d->base.lost; i++) {
        if (l->buffers[i])
            (void)judge(d, l, d->cu.cuMemFree(l->buffers[i]), "cuMemFree");
        l->buffers[i] = 0;
        l->room[i] = 0;
    }
}

static void close_lane(struct cuda *d, struct lane *l)
{
    if (l->stream && !d->base.lost)
        d->cu.cuStreamDestroy(l->stream);
    if (l->moved && !d->base.lost)
        d->cu.cuEventDestroy(l->moved);
    l->stream = l->moved = NULL;
}

static void cuda_close(struct device **device)
{
    struct cuda *d = (struct cuda *)*device;
    if (!d)
        return;
    *device = NULL;
    if (d->context && !d->base.lost)
        d->cu.cuCtxSetCurrent(d->context);
    (void)drop_held(d, &d->lanes[0]);
    for (uint32_t i = 0; i < DEVICE_LANES; i++)
        drop_buffers(d, &d->lanes[i]);
    for (uint32_t i = 0; i < d->module_count && !d->base.lost; i++)
        d->cu.cuModuleUnload(d->modules[i].module);
    for (uint32_t i = 0; i < DEVICE_LANES; i++)
        close_lane(d, &d->lanes[i]);
    if (d->context && !d->base.lost)
        d->cu.cuDevicePrimaryCtxRelease(d->device);
    free(d);
}

static enum device_outcome cuda_open(struct device **out,
                                     char why[DEVICE_TEXT_BYTES])
{
    struct cuda *d = calloc(1, sizeof *d);
    *out = (struct device *)d;
    const char *missing = d ? load(d, why) : "out of memory";
    if (missing) {
        if (missing != why)
            snprintf(why, DEVICE_TEXT_BYTES, "%s", missing);
        free(d);
        *out = NULL;
        return DEVICE_ABSENT;
    }
    d->base.row = &device_cuda;
    for (uint32_t i = 0; i < DEVICE_LANES; i++)
        d->lanes[i].why = d->base.why[i];
    return DEVICE_OK;
}

static enum device_outcome open_lane(struct cuda *d, struct lane *l)
{
    enum device_outcome outcome =
        judge(d, l, d->cu.cuStreamCreate(&l->stream, 1 /* own order */),
              "cuStreamCreate");
    if (outcome != DEVICE_OK)
        l->stream = NULL;
    else
        outcome = judge(d, l, d->cu.cuEventCreate(&l->moved, 2 /* no time */),
                        "cuEventCreate");
    if (outcome != DEVICE_OK) {
        l->moved = NULL;
        close_lane(d, l);
    }
    return outcome;
}

/* The context is this thread's, too, from here on. */
static enum device_outcome prepare(struct cuda *d, struct lane *l)
{
    enum device_outcome outcome = DEVICE_OK;
    if (!d->context)
        outcome =
            judge(d, l, d->cu.cuDevicePrimaryCtxRetain(&d->context, d->device),
                  "cuDevicePrimaryCtxRetain");
    if (outcome != DEVICE_OK) {
        d->context = NULL;
        return outcome;
    }
    outcome = judge(d, l, d->cu.cuCtxSetCurrent(d->context), "cuCtxSetCurrent");
    return outcome == DEVICE_OK && !l->stream ? open_lane(d, l) : outcome;
}

/* ---- modules ---- */

static enum device_outcome load_module(struct cuda *d, struct lane *l,
                                       const struct kernel *kernel,
                                       const void *text, cu_handle *out)
{
    char *ptx = NULL;
    const void *image = text;
    if (text != kernels_fatbin) {
        image = ptx = device_nvrtc_compile(&d->rtc, kernel->name, text,
                                           d->major, d->minor, l->why);
        if (!ptx)
            return DEVICE_KERNEL;
    }
    enum device_outcome outcome =
        judge(d, l, d->cu.cuModuleLoadData(out, image), "cuModuleLoadData");
    free(ptx);
    return outcome;
}

static enum device_outcome module_of(struct cuda *d, struct lane *l,
                                     const struct kernel *kernel,
                                     cu_handle *out)
{
    const void *text = kernel->cu                 ? (const void *)kernel->cu
                       : kernels_fatbin_bytes > 0 ? (const void *)kernels_fatbin
                                                  : (const void *)kernels_cu;
    for (uint32_t i = 0; i < d->module_count; i++)
        if (d->modules[i].text == text) {
            *out = d->modules[i].module;
            return DEVICE_OK;
        }
    if (d->module_count == MODULES_MAX) {
        snprintf(l->why, DEVICE_TEXT_BYTES, "more than %d kernel texts",
                 MODULES_MAX);
        return DEVICE_KERNEL;
    }
    enum device_outcome outcome = load_module(d, l, kernel, text, out);
    if (outcome == DEVICE_OK)
        d->modules[d->module_count++] = (struct module){text, *out};
    return outcome;
}

/* ---- what stays on the device ---- */

static enum device_outcome write_bytes(struct cuda *d, struct lane *l,
                                       cu_pointer to, const void *from,
                                       uint64_t bytes)
{
    if (bytes == 0)
        return DEVICE_OK;
    return judge(d, l,
                 d->cu.cuMemcpyHtoDAsync(to, from, (size_t)bytes, l->stream),
                 "cuMemcpyHtoDAsync");
}

/* Memory; what an idle lane keeps for its next job gives way. */
static enum device_outcome take_memory(struct cuda *d, struct lane *l,
                                       size_t bytes, cu_pointer *out)
{
    enum device_outcome outcome =
        judge(d, l, d->cu.cuMemAlloc(out, bytes), "cuMemAlloc");
    for (uint32_t i = 0; i < DEVICE_LANES && outcome == DEVICE_TRANSIENT; i++) {
        if (&d->lanes[i] == l || d->base.lanes[i].busy)
            continue;
        drop_buffers(d, &d->lanes[i]);
        outcome = judge(d, l, d->cu.cuMemAlloc(out, bytes), "cuMemAlloc");
    }
    if (outcome != DEVICE_OK)
        *out = 0;
    return outcome;
}

static enum device_outcome fill_held(struct cuda *d, struct lane *l,
                                     const struct device_fill *f,
                                     const uint8_t *fresh)
{
    enum device_outcome outcome = DEVICE_OK;
    if (d->held[f->held].room != f->room) {
        cu_pointer old = d->held[f->held].at;
        d->held[f->held].at = 0;
        d->held[f->held].room = 0;
        if (old) /* it waits for whoever reads from there */
            outcome = judge(d, l, d->cu.cuMemFree(old), "cuMemFree");
        if (outcome == DEVICE_OK && f->room > 0)
            outcome = take_memory(d, l, (size_t)f->room, &d->held[f->held].at);
        if (outcome != DEVICE_OK)
            return outcome;
        d->held[f->held].room = (size_t)f->room;
    }
    return write_bytes(d, l, d->held[f->held].at + f->to, fresh + f->from,
                       f->bytes);
}

static enum device_outcome update_held(struct cuda *d, struct lane *l,
                                       const struct device_plan *plan)
{
    enum device_outcome outcome = DEVICE_OK;
    if (!device_plan_moves(plan))
        return DEVICE_OK;
    if (plan->drop) {
        outcome = drop_held(d, l);
        d->base.held_unknown = false;
    } else if (d->base.held_unknown) {
        snprintf(l->why, DEVICE_TEXT_BYTES, "%s", DEVICE_HELD_UNKNOWN);
        return DEVICE_TRANSIENT;
    }
    for (uint32_t i = 0; i < DEVICE_LANES && outcome == DEVICE_OK; i++)
        if (&d->lanes[i] != l && d->lanes[i].has_moved)
            outcome = judge(
                d, l, d->cu.cuStreamWaitEvent(l->stream, d->lanes[i].moved, 0),
                "cuStreamWaitEvent");
    for (uint32_t i = 0; i < plan->fill_count && outcome == DEVICE_OK; i++)
        outcome = fill_held(d, l, &plan->fills[i], plan->fresh);
    return outcome;
}

static enum device_outcome note_moved(struct cuda *d, struct lane *l,
                                      const struct device_plan *plan)
{
    if (!device_plan_moves(plan))
        return DEVICE_OK;
    enum device_outcome outcome =
        judge(d, l, d->cu.cuEventRecord(l->moved, l->stream), "cuEventRecord");
    l->has_moved |= outcome == DEVICE_OK;
    return outcome;
}

static enum device_outcome put_pieces(struct cuda *d, struct lane *l,
                                      const struct kernel_job *job,
                                      const struct device_plan *plan,
                                      uint32_t i)
{
    enum device_outcome outcome = DEVICE_OK;
    for (uint32_t n = 0; n < plan->piece_count && outcome == DEVICE_OK; n++) {
        const struct device_piece *p = &plan->pieces[n];
        cu_pointer to = l->buffers[i] + p->to;
        if (p->arg != i)
            continue;
        if (p->held == DEVICE_FROM_HOST)
            outcome = write_bytes(d, l, to, (const char *)job->arg[i] + p->to,
                                  p->bytes);
        else if (p->from > d->held[p->held].room ||
                 p->bytes > d->held[p->held].room - p->from)
            outcome = judge(d, l, 1, "a block without these bytes");
        else
            outcome =
                judge(d, l,
                      d->cu.cuMemcpyDtoDAsync(to, d->held[p->held].at + p->from,
                                              (size_t)p->bytes, l->stream),
                      "cuMemcpyDtoDAsync");
    }
    return outcome;
}

/* ---- launches ---- */

static enum device_outcome send(struct cuda *d, struct lane *l,
                                const struct kernel_job *job,
                                const struct device_plan *plan, uint32_t i)
{
    size_t bytes = (size_t)kernel_device_bytes(job, i);
    size_t room = bytes ? bytes : 4;
    enum device_outcome outcome = DEVICE_OK;
    if (l->room[i] < room) {
        cu_pointer old = l->buffers[i];
        l->buffers[i] = 0;
        l->room[i] = 0;
        if (old)
            outcome = judge(d, l, d->cu.cuMemFree(old), "cuMemFree");
        if (outcome == DEVICE_OK)
            outcome = take_memory(d, l, room, &l->buffers[i]);
        if (outcome != DEVICE_OK)
            return outcome;
        l->room[i] = room;
    }
    if (bytes == 0 || job->kernel->args[i].scratch)
        return DEVICE_OK;
    if (job->kernel->args[i].out)
        return judge(
            d, l, d->cu.cuMemsetD8Async(l->buffers[i], 0xff, bytes, l->stream),
            "cuMemsetD8Async");
    if (plan && (plan->args >> i & 1))
        return put_pieces(d, l, job, plan, i);
    return write_bytes(d, l, l->buffers[i], job->arg[i], bytes);
}

static enum device_outcome launch(struct cuda *d, struct lane *l,
                                  const struct kernel_job *job,
                                  const struct kernel_step *step)
{
    cu_handle module = NULL, function = NULL;
    void *parameters[KERNEL_ARGS_MAX + 1];
    struct kernel_params p = job->p;
    enum device_outcome outcome = module_of(d, l, job->kernel, &module);
    if (outcome == DEVICE_OK)
        outcome = judge(
            d, l, d->cu.cuModuleGetFunction(&function, module, step->entry),
            "cuModuleGetFunction");
    if (outcome != DEVICE_OK)
        return outcome;
    for (uint32_t i = 0; i < job->kernel->arg_count; i++)
        parameters[i] = &l->buffers[i];
    parameters[job->kernel->arg_count] = &p;
    return judge(d, l,
                 d->cu.cuLaunchKernel(function, step->groups, 1, 1,
                                      step->group_size, 1, 1, 0, l->stream,
                                      parameters, NULL),
                 "cuLaunchKernel");
}

static enum device_outcome submit(struct cuda *d, struct lane *l,
                                  const struct kernel_job *job,
                                  const struct device_plan *plan)
{
    struct kernel_step step;
    enum device_outcome outcome = prepare(d, l);
    uint32_t count = job->kernel->arg_count;
    if (outcome == DEVICE_OK)
        outcome = update_held(d, l, plan);
    for (uint32_t i = 0; i < count && outcome == DEVICE_OK; i++)
        outcome = send(d, l, job, plan, i);
    if (outcome == DEVICE_OK)
        outcome = note_moved(d, l, plan);
    for (uint32_t n = 0;
         outcome == DEVICE_OK && job->kernel->step(job, n, &step); n++)
        if (step.groups > 0)
            outcome = launch(d, l, job, &step);
    for (uint32_t i = 0; i < count && outcome == DEVICE_OK; i++) {
        size_t bytes = (size_t)kernel_arg_bytes(job, i);
        if (job->kernel->args[i].out && bytes > 0)
            outcome = judge(d, l,
                            d->cu.cuMemcpyDtoHAsync(job->arg[i], l->buffers[i],
                                                    bytes, l->stream),
                            "cuMemcpyDtoHAsync");
    }
    return outcome;
}

/* The lane is idle then. Whatever is under way still uses the job's arrays. */
static enum device_outcome settle(struct cuda *d, uint32_t lane,
                                  enum device_outcome outcome)
{
    struct lane *l = &d->lanes[lane];
    if (l->stream && !d->base.lost) {
        enum device_outcome end = judge(
            d, l, d->cu.cuStreamSynchronize(l->stream), "cuStreamSynchronize");
        outcome = outcome == DEVICE_OK || end == DEVICE_STICKY ? end : outcome;
    }
    outcome = device_lane_ends(&d->base, lane, outcome);
    /* A smaller part comes next: it must not find the room taken. */
    if (outcome == DEVICE_TRANSIENT)
        drop_buffers(d, l);
    d->base.lanes[lane].busy = false;
    return outcome;
}

static enum device_outcome cuda_begin(struct device *device, uint32_t lane,
                                      const struct kernel_job *job,
                                      const struct device_plan *plan)
{
    struct cuda *d = (struct cuda *)device;
    enum device_outcome outcome = device_lane_begins(device, lane, job);
    if (outcome != DEVICE_OK)
        return outcome;
    outcome = submit(d, &d->lanes[lane], job, plan);
    return outcome == DEVICE_OK ? DEVICE_OK : settle(d, lane, outcome);
}

static enum device_outcome cuda_finish(struct device *device, uint32_t lane)
{
    struct cuda *d = (struct cuda *)device;
    enum device_outcome outcome = DEVICE_OK;
    if (!d->base.lost) /* this may be another thread */
        outcome = judge(d, &d->lanes[lane], d->cu.cuCtxSetCurrent(d->context),
                        "cuCtxSetCurrent");
    return settle(d, lane, outcome);
}

static void cuda_pin(struct device *device, void *at, size_t bytes)
{
    struct cuda *d = (struct cuda *)device;
    struct lane *l = &d->lanes[0];
    if (!d->base.lost && prepare(d, l) == DEVICE_OK)
        (void)judge(d, l, d->cu.cuMemHostRegister(at, bytes, 0),
                    "cuMemHostRegister");
}

const struct device_row device_cuda = {"cuda",      cuda_open,  cuda_begin,
                                       cuda_finish, cuda_close, cuda_pin};
