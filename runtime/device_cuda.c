/* device_cuda.c: kernels on an NVIDIA GPU by CUDA's driver API. libcuda.so.1
 * is found at run time and its interface declared here: a stable ABI, nothing
 * of it is needed to build. Built-in kernels come as the fatbin that nvcc made
 * or, as a schema's kernels do, from CUDA C by NVRTC if that can be loaded.
 *
 * CUDA's errors are sticky: after an illegal address every later call fails,
 * and the error may only show at a later call. All that is neither known to be
 * harmless nor the kernel's own fault counts as sticky. */
#include "device.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODULES_MAX = 64 };

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

struct nvrtc {
    int (*create)(cu_handle *, const char *, const char *, int,
                  const char *const *, const char *const *);
    int (*compile)(cu_handle, int, const char *const *);
    int (*ptx_size)(cu_handle, size_t *);
    int (*ptx)(cu_handle, char *);
    int (*destroy)(cu_handle *);
};

struct module {
    const void *text; /* its address is its name */
    cu_handle module;
};

struct cuda {
    struct device base; /* first */
    void *library;
    struct calls cu;
    struct nvrtc rtc;
    bool rtc_sought;
    int device, major, minor;
    bool retained;
    cu_handle stream;
    struct module modules[MODULES_MAX];
    uint32_t module_count;
    cu_pointer buffers[KERNEL_ARGS_MAX];
    size_t room[KERNEL_ARGS_MAX];
    struct {
        cu_pointer at;
        size_t room;
    } held[DEVICE_HELD_MAX];
    bool lost;
};

/* ---- faults ---- */

static enum device_outcome judge(struct cuda *d, cu_result code,
                                 const char *what)
{
    if (code == 0)
        return DEVICE_OK;
    snprintf(d->base.why, sizeof d->base.why, "CUDA: %s gave %d", what, code);
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
        d->lost = true;
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

static enum device_outcome drop_held(struct cuda *d)
{
    enum device_outcome outcome = DEVICE_OK;
    /* A lost context answers nothing; its memory goes with the process. */
    for (uint32_t i = 0; i < DEVICE_HELD_MAX && !d->lost; i++) {
        if (d->held[i].at)
            outcome = judge(d, d->cu.cuMemFree(d->held[i].at), "cuMemFree");
        d->held[i].at = 0;
        d->held[i].room = 0;
    }
    return d->lost ? DEVICE_STICKY : outcome;
}

static void cuda_close(struct device **device)
{
    struct cuda *d = (struct cuda *)*device;
    if (!d)
        return;
    *device = NULL;
    (void)drop_held(d);
    for (uint32_t i = 0; i < KERNEL_ARGS_MAX && !d->lost; i++)
        if (d->buffers[i])
            d->cu.cuMemFree(d->buffers[i]);
    for (uint32_t i = 0; i < d->module_count && !d->lost; i++)
        d->cu.cuModuleUnload(d->modules[i].module);
    if (d->stream && !d->lost)
        d->cu.cuStreamDestroy(d->stream);
    if (d->retained && !d->lost)
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
    return DEVICE_OK;
}

static enum device_outcome prepare(struct cuda *d)
{
    cu_handle context = NULL;
    if (d->stream)
        return DEVICE_OK;
    enum device_outcome outcome =
        judge(d, d->cu.cuDevicePrimaryCtxRetain(&context, d->device),
              "cuDevicePrimaryCtxRetain");
    if (outcome != DEVICE_OK)
        return outcome;
    d->retained = true;
    outcome = judge(d, d->cu.cuCtxSetCurrent(context), "cuCtxSetCurrent");
    if (outcome == DEVICE_OK)
        outcome = judge(d, d->cu.cuStreamCreate(&d->stream, 1 /* own order */),
                        "cuStreamCreate");
    if (outcome != DEVICE_OK && !d->lost) {
        d->stream = NULL;
        d->retained = false;
        d->cu.cuDevicePrimaryCtxRelease(d->device);
    }
    return outcome;
}

/* ---- modules ---- */

static bool find_nvrtc(struct cuda *d)
{
    static const char *const names[] = {"libnvrtc.so.13", "libnvrtc.so.12",
                                        "libnvrtc.so.11.2", "libnvrtc.so"};
    void *library = NULL;
    if (d->rtc_sought)
        return d->rtc.destroy != NULL;
    d->rtc_sought = true;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !library; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return false;
    *(void **)&d->rtc.create = dlsym(library, "nvrtcCreateProgram");
    *(void **)&d->rtc.compile = dlsym(library, "nvrtcCompileProgram");
    *(void **)&d->rtc.ptx_size = dlsym(library, "nvrtcGetPTXSize");
    *(void **)&d->rtc.ptx = dlsym(library, "nvrtcGetPTX");
    *(void **)&d->rtc.destroy = dlsym(library, "nvrtcDestroyProgram");
    if (!d->rtc.create || !d->rtc.compile || !d->rtc.ptx_size || !d->rtc.ptx)
        d->rtc.destroy = NULL;
    return d->rtc.destroy != NULL;
}

/* CUDA C -> PTX, for the caller to free; NULL with the sentence set. */
static char *compile(struct cuda *d, const struct kernel *kernel,
                     const char *text)
{
    char arch[48];
    const char *options[] = {arch, "--fmad=true"};
    cu_handle program = NULL;
    size_t bytes = 0;
    char *ptx = NULL;
    if (!find_nvrtc(d)) {
        snprintf(d->base.why, sizeof d->base.why,
                 "the kernel %s has no CUDA binary: it was built without nvcc "
                 "and libnvrtc is not on this machine",
                 kernel->name);
        return NULL;
    }
    snprintf(arch, sizeof arch, "--gpu-architecture=compute_%d%d", d->major,
             d->minor);
    if (d->rtc.create(&program, text, "kernel.cu", 0, NULL, NULL) == 0 &&
        d->rtc.compile(program, 2, options) == 0 &&
        d->rtc.ptx_size(program, &bytes) == 0)
        ptx = malloc(bytes ? bytes : 1);
    if (ptx && d->rtc.ptx(program, ptx) != 0) {
        free(ptx);
        ptx = NULL;
    }
    if (program)
        d->rtc.destroy(&program);
    if (!ptx)
        snprintf(d->base.why, sizeof d->base.why,
                 "NVRTC does not compile the kernel %s", kernel->name);
    return ptx;
}

static enum device_outcome load_module(struct cuda *d,
                                       const struct kernel *kernel,
                                       const void *text, cu_handle *out)
{
    char *ptx = NULL;
    const void *image = text;
    if (text != kernels_fatbin) {
        image = ptx = compile(d, kernel, text);
        if (!ptx)
            return DEVICE_KERNEL;
    }
    enum device_outcome outcome =
        judge(d, d->cu.cuModuleLoadData(out, image), "cuModuleLoadData");
    free(ptx);
    return outcome;
}

static enum device_outcome
module_of(struct cuda *d, const struct kernel *kernel, cu_handle *out)
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
        snprintf(d->base.why, sizeof d->base.why, "more than %d kernel texts",
                 MODULES_MAX);
        return DEVICE_KERNEL;
    }
    enum device_outcome outcome = load_module(d, kernel, text, out);
    if (outcome == DEVICE_OK)
        d->modules[d->module_count++] = (struct module){text, *out};
    return outcome;
}

/* ---- what stays on the device ---- */

static enum device_outcome write_bytes(struct cuda *d, cu_pointer to,
                                       const void *from, uint64_t bytes)
{
    if (bytes == 0)
        return DEVICE_OK;
    return judge(d,
                 d->cu.cuMemcpyHtoDAsync(to, from, (size_t)bytes, d->stream),
                 "cuMemcpyHtoDAsync");
}

static enum device_outcome fill_held(struct cuda *d,
                                     const struct device_fill *f,
                                     const uint8_t *fresh)
{
    enum device_outcome outcome = DEVICE_OK;
    if (d->held[f->held].room != f->room) {
        if (d->held[f->held].at)
            outcome =
                judge(d, d->cu.cuMemFree(d->held[f->held].at), "cuMemFree");
        d->held[f->held].at = 0;
        d->held[f->held].room = 0;
        if (outcome == DEVICE_OK && f->room > 0)
            outcome = judge(d,
                            d->cu.cuMemAlloc(&d->held[f->held].at,
                                             (size_t)f->room),
                            "cuMemAlloc");
        if (outcome != DEVICE_OK) {
            d->held[f->held].at = 0;
            return outcome;
        }
        d->held[f->held].room = (size_t)f->room;
    }
    return write_bytes(d, d->held[f->held].at + f->to, fresh + f->from,
                       f->bytes);
}

static enum device_outcome update_held(struct cuda *d)
{
    const struct device_plan *plan = d->base.plan;
    enum device_outcome outcome = DEVICE_OK;
    if (!plan)
        return DEVICE_OK;
    if (plan->drop)
        outcome = drop_held(d);
    for (uint32_t i = 0; i < plan->fill_count && outcome == DEVICE_OK; i++)
        outcome = fill_held(d, &plan->fills[i], plan->fresh);
    return outcome;
}

static enum device_outcome put_pieces(struct cuda *d,
                                      const struct kernel_job *job, uint32_t i)
{
    const struct device_plan *plan = d->base.plan;
    enum device_outcome outcome = DEVICE_OK;
    for (uint32_t n = 0; n < plan->piece_count && outcome == DEVICE_OK; n++) {
        const struct device_piece *p = &plan->pieces[n];
        cu_pointer to = d->buffers[i] + p->to;
        if (p->arg != i)
            continue;
        if (p->held == DEVICE_FROM_HOST)
            outcome = write_bytes(d, to, (const char *)job->arg[i] + p->to,
                                  p->bytes);
        else if (p->from > d->held[p->held].room ||
                 p->bytes > d->held[p->held].room - p->from)
            outcome = judge(d, 1, "a block without these bytes");
        else
            outcome = judge(d,
                            d->cu.cuMemcpyDtoDAsync(
                                to, d->held[p->held].at + p->from,
                                (size_t)p->bytes, d->stream),
                            "cuMemcpyDtoDAsync");
    }
    return outcome;
}

/* ---- launches ---- */

static enum device_outcome send(struct cuda *d, const struct kernel_job *job,
                                uint32_t i)
{
    size_t bytes = (size_t)kernel_arg_bytes(job, i), room = bytes ? bytes : 4;
    enum device_outcome outcome = DEVICE_OK;
    if (d->room[i] < room) {
        if (d->buffers[i])
            outcome = judge(d, d->cu.cuMemFree(d->buffers[i]), "cuMemFree");
        d->buffers[i] = 0;
        d->room[i] = 0;
        if (outcome == DEVICE_OK)
            outcome =
                judge(d, d->cu.cuMemAlloc(&d->buffers[i], room), "cuMemAlloc");
        if (outcome != DEVICE_OK) {
            d->buffers[i] = 0;
            return outcome;
        }
        d->room[i] = room;
    }
    if (bytes == 0)
        return DEVICE_OK;
    if (job->kernel->args[i].out)
        return judge(
            d, d->cu.cuMemsetD8Async(d->buffers[i], 0xff, bytes, d->stream),
            "cuMemsetD8Async");
    if (d->base.plan && (d->base.plan->args >> i & 1))
        return put_pieces(d, job, i);
    return write_bytes(d, d->buffers[i], job->arg[i], bytes);
}

static enum device_outcome launch(struct cuda *d, const struct kernel_job *job,
                                  const struct kernel_step *step)
{
    cu_handle module = NULL, function = NULL;
    void *parameters[KERNEL_ARGS_MAX + 1];
    struct kernel_params p = job->p;
    enum device_outcome outcome = module_of(d, job->kernel, &module);
    if (outcome == DEVICE_OK)
        outcome =
            judge(d, d->cu.cuModuleGetFunction(&function, module, step->entry),
                  "cuModuleGetFunction");
    if (outcome != DEVICE_OK)
        return outcome;
    for (uint32_t i = 0; i < job->kernel->arg_count; i++)
        parameters[i] = &d->buffers[i];
    parameters[job->kernel->arg_count] = &p;
    return judge(d,
                 d->cu.cuLaunchKernel(function, step->groups, 1, 1,
                                      step->group_size, 1, 1, 0, d->stream,
                                      parameters, NULL),
                 "cuLaunchKernel");
}

static enum device_outcome run_steps(struct cuda *d,
                                     const struct kernel_job *job)
{
    struct kernel_step step;
    enum device_outcome outcome = prepare(d);
    uint32_t count = job->kernel->arg_count;
    if (outcome == DEVICE_OK)
        outcome = update_held(d);
    for (uint32_t i = 0; i < count && outcome == DEVICE_OK; i++)
        outcome = send(d, job, i);
    for (uint32_t n = 0;
         outcome == DEVICE_OK && job->kernel->step(job, n, &step); n++)
        if (step.groups > 0)
            outcome = launch(d, job, &step);
    for (uint32_t i = 0; i < count && outcome == DEVICE_OK; i++) {
        size_t bytes = (size_t)kernel_arg_bytes(job, i);
        if (job->kernel->args[i].out && bytes > 0)
            outcome = judge(d,
                            d->cu.cuMemcpyDtoHAsync(job->arg[i], d->buffers[i],
                                                    bytes, d->stream),
                            "cuMemcpyDtoHAsync");
    }
    return outcome;
}

/* A smaller part comes next: it must not find the room taken. */
static void drop_buffers(struct cuda *d)
{
    for (uint32_t i = 0; i < KERNEL_ARGS_MAX && !d->lost; i++) {
        if (d->buffers[i])
            (void)judge(d, d->cu.cuMemFree(d->buffers[i]), "cuMemFree");
        d->buffers[i] = 0;
        d->room[i] = 0;
    }
}

static enum device_outcome cuda_run(struct device *device,
                                    const struct kernel_job *job)
{
    struct cuda *d = (struct cuda *)device;
    if (d->lost)
        return DEVICE_STICKY;
    device_blank(job);
    enum device_outcome outcome = run_steps(d, job);
    /* Whatever is under way still uses the job's arrays. */
    if (d->stream && !d->lost) {
        enum device_outcome end = judge(d, d->cu.cuStreamSynchronize(d->stream),
                                        "cuStreamSynchronize");
        outcome = outcome == DEVICE_OK || end == DEVICE_STICKY ? end : outcome;
    }
    if (outcome == DEVICE_TRANSIENT)
        drop_buffers(d);
    return d->lost ? DEVICE_STICKY : outcome;
}

static void cuda_pin(struct device *device, void *at, size_t bytes)
{
    struct cuda *d = (struct cuda *)device;
    if (!d->lost && prepare(d) == DEVICE_OK)
        (void)judge(d, d->cu.cuMemHostRegister(at, bytes, 0),
                    "cuMemHostRegister");
}

const struct device_row device_cuda = {"cuda", cuda_open, cuda_run, cuda_close,
                                       cuda_pin};
