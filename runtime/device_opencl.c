/* device_opencl.c: kernels on an OpenCL 1.2 device. The library is found at
 * run time, its interface is declared here: it is a stable ABI, and nothing of
 * it is needed to build. The first GPU is taken, else the first device.
 *
 * Buffers are kept by argument and grow; programs and kernels are kept, too:
 * a launch allocates nothing once the sizes have been seen. */
#include "device.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAMS_MAX = 64, KERNELS_MAX = 128, CL_DEVICES_MAX = 16 };

typedef int32_t cl_int;
typedef uint32_t cl_uint;
typedef uint64_t cl_bits;
typedef void *cl_handle;

enum {
    CL_DEVICE_TYPE_GPU = 4,
    CL_DEVICE_MAX_COMPUTE_UNITS = 0x1002,
    CL_DEVICE_GLOBAL_MEM_SIZE = 0x101f,
    CL_DEVICE_NAME = 0x102b,
    CL_PROGRAM_BUILD_LOG = 0x1183,
    CL_MEM_READ_WRITE = 1
};

/* result, name, parameters */
#define CALLS(X)                                                               \
    X(cl_int, clGetPlatformIDs, (cl_uint, cl_handle *, cl_uint *))             \
    X(cl_int, clGetDeviceIDs,                                                  \
      (cl_handle, cl_bits, cl_uint, cl_handle *, cl_uint *))                   \
    X(cl_int, clGetDeviceInfo, (cl_handle, cl_uint, size_t, void *, size_t *)) \
    X(cl_handle, clCreateContext,                                              \
      (const intptr_t *, cl_uint, const cl_handle *, void *, void *,           \
       cl_int *))                                                              \
    X(cl_handle, clCreateCommandQueue,                                         \
      (cl_handle, cl_handle, cl_bits, cl_int *))                               \
    X(cl_handle, clCreateProgramWithSource,                                    \
      (cl_handle, cl_uint, const char **, const size_t *, cl_int *))           \
    X(cl_int, clBuildProgram,                                                  \
      (cl_handle, cl_uint, const cl_handle *, const char *, void *, void *))   \
    X(cl_int, clGetProgramBuildInfo,                                           \
      (cl_handle, cl_handle, cl_uint, size_t, void *, size_t *))               \
    X(cl_handle, clCreateKernel, (cl_handle, const char *, cl_int *))          \
    X(cl_int, clSetKernelArg, (cl_handle, cl_uint, size_t, const void *))      \
    X(cl_handle, clCreateBuffer,                                               \
      (cl_handle, cl_bits, size_t, void *, cl_int *))                          \
    X(cl_int, clEnqueueWriteBuffer,                                            \
      (cl_handle, cl_handle, cl_uint, size_t, size_t, const void *, cl_uint,   \
       const cl_handle *, cl_handle *))                                        \
    X(cl_int, clEnqueueReadBuffer,                                             \
      (cl_handle, cl_handle, cl_uint, size_t, size_t, void *, cl_uint,         \
       const cl_handle *, cl_handle *))                                        \
    X(cl_int, clEnqueueCopyBuffer,                                             \
      (cl_handle, cl_handle, cl_handle, size_t, size_t, size_t, cl_uint,       \
       const cl_handle *, cl_handle *))                                        \
    X(cl_int, clEnqueueFillBuffer,                                             \
      (cl_handle, cl_handle, const void *, size_t, size_t, size_t, cl_uint,    \
       const cl_handle *, cl_handle *))                                        \
    X(cl_int, clEnqueueNDRangeKernel,                                          \
      (cl_handle, cl_handle, cl_uint, const size_t *, const size_t *,          \
       const size_t *, cl_uint, const cl_handle *, cl_handle *))               \
    X(cl_int, clFinish, (cl_handle))                                           \
    X(cl_int, clReleaseMemObject, (cl_handle))                                 \
    X(cl_int, clReleaseKernel, (cl_handle))                                    \
    X(cl_int, clReleaseProgram, (cl_handle))                                   \
    X(cl_int, clReleaseCommandQueue, (cl_handle))                              \
    X(cl_int, clReleaseContext, (cl_handle))

struct calls {
#define MEMBER(result, name, parameters) result(*name) parameters;
    CALLS(MEMBER)
#undef MEMBER
};

struct program {
    const char *text; /* its address is its name */
    cl_handle program;
};

struct entry {
    const char *text, *name;
    cl_handle kernel;
};

struct opencl {
    struct device base; /* first */
    void *library;
    struct calls cl;
    cl_handle device, context, queue;
    struct program programs[PROGRAMS_MAX];
    struct entry entries[KERNELS_MAX];
    uint32_t program_count, entry_count;
    cl_handle buffers[KERNEL_ARGS_MAX];
    size_t room[KERNEL_ARGS_MAX];
    struct {
        cl_handle buffer;
        size_t room;
    } held[DEVICE_HELD_MAX];
    bool lost;
};

/* ---- finding one ---- */

static const char *find_device(struct opencl *d)
{
    cl_handle platforms[CL_DEVICES_MAX], found = NULL;
    cl_uint count = 0;
    if (d->cl.clGetPlatformIDs(CL_DEVICES_MAX, platforms, &count) != 0 ||
        count == 0)
        return "libOpenCL.so.1 knows of no platform";
    count = count > CL_DEVICES_MAX ? CL_DEVICES_MAX : count;
    for (int any = 0; any < 2 && !found; any++)
        for (cl_uint i = 0; i < count && !found; i++) {
            cl_uint devices = 0;
            if (d->cl.clGetDeviceIDs(platforms[i],
                                     any ? 0xffffffffu : CL_DEVICE_TYPE_GPU, 1,
                                     &found, &devices) != 0 ||
                devices == 0)
                found = NULL;
        }
    d->device = found;
    return found ? NULL : "the OpenCL platforms have no device";
}

static const char *load(struct opencl *d)
{
    d->library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!d->library)
        return "libOpenCL.so.1 is not on this machine";
#define LOAD(result, name, parameters)                                         \
    *(void **)&d->cl.name = dlsym(d->library, #name);                          \
    if (!d->cl.name)                                                           \
        return "libOpenCL.so.1 has no " #name ": OpenCL 1.2 is needed";
    CALLS(LOAD)
#undef LOAD
    return find_device(d);
}

static void drop_held(struct opencl *d)
{
    for (uint32_t i = 0; i < DEVICE_HELD_MAX; i++) {
        if (d->held[i].buffer)
            d->cl.clReleaseMemObject(d->held[i].buffer);
        d->held[i].buffer = NULL;
        d->held[i].room = 0;
    }
}

static void opencl_close(struct device **device)
{
    struct opencl *d = (struct opencl *)*device;
    if (!d)
        return;
    *device = NULL;
    drop_held(d);
    for (uint32_t i = 0; i < KERNEL_ARGS_MAX; i++)
        if (d->buffers[i])
            d->cl.clReleaseMemObject(d->buffers[i]);
    for (uint32_t i = 0; i < d->entry_count; i++)
        d->cl.clReleaseKernel(d->entries[i].kernel);
    for (uint32_t i = 0; i < d->program_count; i++)
        if (d->programs[i].program)
            d->cl.clReleaseProgram(d->programs[i].program);
    if (d->queue)
        d->cl.clReleaseCommandQueue(d->queue);
    if (d->context)
        d->cl.clReleaseContext(d->context);
    /* The library stays: drivers keep threads that outlive their devices. */
    free(d);
}

static enum device_outcome opencl_open(struct device **out,
                                       char why[DEVICE_TEXT_BYTES])
{
    struct opencl *d = calloc(1, sizeof *d);
    cl_uint units = 0;
    *out = (struct device *)d;
    const char *missing = d ? load(d) : "out of memory";
    if (missing) {
        snprintf(why, DEVICE_TEXT_BYTES, "%s", missing);
        free(d);
        *out = NULL;
        return DEVICE_ABSENT;
    }
    d->base.row = &device_opencl;
    d->cl.clGetDeviceInfo(d->device, CL_DEVICE_NAME, sizeof d->base.name - 1,
                          d->base.name, NULL);
    d->cl.clGetDeviceInfo(d->device, CL_DEVICE_GLOBAL_MEM_SIZE,
                          sizeof d->base.memory_bytes, &d->base.memory_bytes,
                          NULL);
    d->cl.clGetDeviceInfo(d->device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units,
                          &units, NULL);
    d->base.units = units;
    return DEVICE_OK;
}

/* ---- faults ---- */

/* What a code of OpenCL means for the caller. */
static enum device_outcome judge(struct opencl *d, cl_int code,
                                 const char *what)
{
    if (code == 0)
        return DEVICE_OK;
    snprintf(d->base.why, sizeof d->base.why, "OpenCL: %s gave %d", what,
             (int)code);
    if (code == -4 || code == -5 || code == -6) /* of memory or resources */
        return DEVICE_TRANSIENT;
    if (code == -3 || (code <= -11 && code >= -17) ||
        (code <= -42 && code >= -56)) /* of programs, kernels, arguments */
        return DEVICE_KERNEL;
    d->lost = true;
    return DEVICE_STICKY;
}

static enum device_outcome prepare(struct opencl *d)
{
    cl_int code = 0;
    if (d->queue)
        return DEVICE_OK;
    if (!d->context)
        d->context =
            d->cl.clCreateContext(NULL, 1, &d->device, NULL, NULL, &code);
    if (!d->context)
        return judge(d, code ? code : -6, "clCreateContext");
    d->queue = d->cl.clCreateCommandQueue(d->context, d->device, 0, &code);
    return d->queue ? DEVICE_OK
                    : judge(d, code ? code : -6, "clCreateCommandQueue");
}

/* ---- programs ---- */

static enum device_outcome build_failed(struct opencl *d, cl_handle program,
                                        const struct kernel *kernel)
{
    size_t bytes = 0;
    char *log = NULL;
    d->cl.clGetProgramBuildInfo(program, d->device, CL_PROGRAM_BUILD_LOG, 0,
                                NULL, &bytes);
    if (bytes > 0 && (log = calloc(1, bytes + 1)))
        d->cl.clGetProgramBuildInfo(program, d->device, CL_PROGRAM_BUILD_LOG,
                                    bytes, log, NULL);
    snprintf(d->base.why, sizeof d->base.why,
             "OpenCL does not compile the kernel %s: %.180s", kernel->name,
             log ? log : "");
    free(log);
    return DEVICE_KERNEL;
}

static enum device_outcome program_of(struct opencl *d,
                                      const struct kernel *kernel,
                                      const char *text, cl_handle *out)
{
    cl_int code = 0;
    for (uint32_t i = 0; i < d->program_count; i++)
        if (d->programs[i].text == text) {
            *out = d->programs[i].program;
            return DEVICE_OK;
        }
    if (d->program_count == PROGRAMS_MAX) {
        snprintf(d->base.why, sizeof d->base.why, "more than %d kernel texts",
                 PROGRAMS_MAX);
        return DEVICE_KERNEL;
    }
    cl_handle program =
        d->cl.clCreateProgramWithSource(d->context, 1, &text, NULL, &code);
    if (!program)
        return judge(d, code ? code : -6, "clCreateProgramWithSource");
    code = d->cl.clBuildProgram(program, 1, &d->device, "-cl-std=CL1.2", NULL,
                                NULL);
    if (code != 0) {
        enum device_outcome outcome = build_failed(d, program, kernel);
        d->cl.clReleaseProgram(program);
        return outcome;
    }
    d->programs[d->program_count++] = (struct program){text, program};
    *out = program;
    return DEVICE_OK;
}

static enum device_outcome entry_of(struct opencl *d,
                                    const struct kernel *kernel,
                                    const char *name, cl_handle *out)
{
    const char *text = kernel->cl ? kernel->cl : kernels_cl;
    cl_handle program = NULL;
    cl_int code = 0;
    for (uint32_t i = 0; i < d->entry_count; i++)
        if (d->entries[i].text == text &&
            strcmp(d->entries[i].name, name) == 0) {
            *out = d->entries[i].kernel;
            return DEVICE_OK;
        }
    enum device_outcome outcome = program_of(d, kernel, text, &program);
    if (outcome != DEVICE_OK)
        return outcome;
    if (d->entry_count == KERNELS_MAX)
        return judge(d, -46, "the table of kernels, which is full,");
    *out = d->cl.clCreateKernel(program, name, &code);
    if (!*out)
        return judge(d, code ? code : -46, "clCreateKernel");
    d->entries[d->entry_count++] = (struct entry){text, name, *out};
    return DEVICE_OK;
}

/* ---- what stays on the device ---- */

static enum device_outcome write_bytes(struct opencl *d, cl_handle to,
                                       uint64_t at, const void *from,
                                       uint64_t bytes)
{
    if (bytes == 0)
        return DEVICE_OK;
    return judge(d,
                 d->cl.clEnqueueWriteBuffer(d->queue, to, 0, (size_t)at,
                                            (size_t)bytes, from, 0, NULL,
                                            NULL),
                 "clEnqueueWriteBuffer");
}

static enum device_outcome fill_held(struct opencl *d,
                                     const struct device_fill *f,
                                     const uint8_t *fresh)
{
    cl_int code = 0;
    if (d->held[f->held].room != f->room) {
        if (d->held[f->held].buffer)
            d->cl.clReleaseMemObject(d->held[f->held].buffer);
        d->held[f->held].buffer = NULL;
        d->held[f->held].room = 0;
        if (f->room == 0)
            return DEVICE_OK;
        d->held[f->held].buffer = d->cl.clCreateBuffer(
            d->context, CL_MEM_READ_WRITE, (size_t)f->room, NULL, &code);
        if (!d->held[f->held].buffer)
            return judge(d, code ? code : -4, "clCreateBuffer");
        d->held[f->held].room = (size_t)f->room;
    }
    return write_bytes(d, d->held[f->held].buffer, f->to, fresh + f->from,
                       f->bytes);
}

static enum device_outcome update_held(struct opencl *d)
{
    const struct device_plan *plan = d->base.plan;
    enum device_outcome outcome = DEVICE_OK;
    if (!plan)
        return DEVICE_OK;
    if (plan->drop)
        drop_held(d);
    for (uint32_t i = 0; i < plan->fill_count && outcome == DEVICE_OK; i++)
        outcome = fill_held(d, &plan->fills[i], plan->fresh);
    return outcome;
}

static enum device_outcome put_pieces(struct opencl *d,
                                      const struct kernel_job *job, uint32_t i)
{
    const struct device_plan *plan = d->base.plan;
    enum device_outcome outcome = DEVICE_OK;
    for (uint32_t n = 0; n < plan->piece_count && outcome == DEVICE_OK; n++) {
        const struct device_piece *p = &plan->pieces[n];
        if (p->arg != i)
            continue;
        if (p->held == DEVICE_FROM_HOST)
            outcome = write_bytes(d, d->buffers[i], p->to,
                                  (const char *)job->arg[i] + p->to, p->bytes);
        else if (p->from > d->held[p->held].room ||
                 p->bytes > d->held[p->held].room - p->from)
            outcome = judge(d, -30, "a block without these bytes");
        else
            outcome = judge(d,
                            d->cl.clEnqueueCopyBuffer(
                                d->queue, d->held[p->held].buffer,
                                d->buffers[i], (size_t)p->from, (size_t)p->to,
                                (size_t)p->bytes, 0, NULL, NULL),
                            "clEnqueueCopyBuffer");
    }
    return outcome;
}

/* ---- launches ---- */

/* A buffer of an argument, filled. */
static enum device_outcome send(struct opencl *d, const struct kernel_job *job,
                                uint32_t i)
{
    static const cl_uint ones = 0xffffffffu;
    size_t bytes = (size_t)kernel_arg_bytes(job, i), room = bytes ? bytes : 4;
    cl_int code = 0;
    if (d->room[i] < room) {
        if (d->buffers[i])
            d->cl.clReleaseMemObject(d->buffers[i]);
        d->room[i] = 0;
        d->buffers[i] = d->cl.clCreateBuffer(d->context, CL_MEM_READ_WRITE,
                                             room, NULL, &code);
        if (!d->buffers[i])
            return judge(d, code ? code : -4, "clCreateBuffer");
        d->room[i] = room;
    }
    if (bytes == 0)
        return DEVICE_OK;
    if (job->kernel->args[i].out && bytes % 4 == 0)
        return judge(d,
                     d->cl.clEnqueueFillBuffer(d->queue, d->buffers[i], &ones,
                                               4, 0, bytes, 0, NULL, NULL),
                     "clEnqueueFillBuffer");
    if (d->base.plan && (d->base.plan->args >> i & 1))
        return put_pieces(d, job, i);
    return write_bytes(d, d->buffers[i], 0, job->arg[i], bytes);
}

static enum device_outcome launch(struct opencl *d,
                                  const struct kernel_job *job,
                                  const struct kernel_step *step)
{
    cl_handle kernel = NULL;
    cl_int code = 0;
    uint32_t count = job->kernel->arg_count;
    size_t group = step->group_size, all = (size_t)step->groups * group;
    enum device_outcome outcome =
        entry_of(d, job->kernel, step->entry, &kernel);
    if (outcome != DEVICE_OK)
        return outcome;
    for (uint32_t i = 0; i < count && code == 0; i++)
        code =
            d->cl.clSetKernelArg(kernel, i, sizeof(cl_handle), &d->buffers[i]);
    if (code == 0)
        code = d->cl.clSetKernelArg(kernel, count, sizeof job->p, &job->p);
    if (code != 0)
        return judge(d, code, "clSetKernelArg");
    return judge(d,
                 d->cl.clEnqueueNDRangeKernel(d->queue, kernel, 1, NULL, &all,
                                              &group, 0, NULL, NULL),
                 "clEnqueueNDRangeKernel");
}

static enum device_outcome run_steps(struct opencl *d,
                                     const struct kernel_job *job)
{
    struct kernel_step step;
    enum device_outcome outcome = prepare(d);
    if (outcome == DEVICE_OK)
        outcome = update_held(d);
    for (uint32_t i = 0; i < job->kernel->arg_count && outcome == DEVICE_OK;
         i++)
        outcome = send(d, job, i);
    for (uint32_t n = 0;
         outcome == DEVICE_OK && job->kernel->step(job, n, &step); n++)
        if (step.groups > 0)
            outcome = launch(d, job, &step);
    for (uint32_t i = 0; i < job->kernel->arg_count && outcome == DEVICE_OK;
         i++) {
        size_t bytes = (size_t)kernel_arg_bytes(job, i);
        if (job->kernel->args[i].out && bytes > 0)
            outcome = judge(d,
                            d->cl.clEnqueueReadBuffer(d->queue, d->buffers[i],
                                                      0, 0, bytes, job->arg[i],
                                                      0, NULL, NULL),
                            "clEnqueueReadBuffer");
    }
    return outcome;
}

static enum device_outcome opencl_run(struct device *device,
                                      const struct kernel_job *job)
{
    struct opencl *d = (struct opencl *)device;
    if (d->lost)
        return DEVICE_STICKY;
    device_blank(job);
    enum device_outcome outcome = run_steps(d, job);
    /* Whatever is under way still uses the job's arrays. */
    if (d->queue) {
        enum device_outcome end =
            judge(d, d->cl.clFinish(d->queue), "clFinish");
        outcome = outcome == DEVICE_OK || end == DEVICE_STICKY ? end : outcome;
    }
    /* A smaller part comes next: it must not find the room taken. */
    for (uint32_t i = 0; outcome == DEVICE_TRANSIENT && i < KERNEL_ARGS_MAX;
         i++) {
        if (d->buffers[i])
            d->cl.clReleaseMemObject(d->buffers[i]);
        d->buffers[i] = NULL;
        d->room[i] = 0;
    }
    return outcome;
}

const struct device_row device_opencl = {"opencl", opencl_open, opencl_run,
                                         opencl_close, NULL};
