/* device_opencl.c: kernels on an OpenCL 1.2 device. The library is found at
 * run time, its interface is declared here: it is a stable ABI, and nothing of
 * it is needed to build. The first GPU is taken, else the first device.
 *
 * A lane is a queue with buffers of its own, kept by argument, which grow;
 * programs and kernels are kept, too: a launch allocates nothing once the sizes
 * have been seen. What stays on the device is shared: a lane that changes or
 * reads it waits for the other's transfers by an event. A fault makes the other
 * lane's work under way void, too. */
#include "device.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAMS_MAX = 1024, KERNELS_MAX = 2048, CL_DEVICES_MAX = 16 };

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
    X(cl_int, clEnqueueMarkerWithWaitList,                                     \
      (cl_handle, cl_uint, const cl_handle *, cl_handle *))                    \
    X(cl_int, clEnqueueBarrierWithWaitList,                                    \
      (cl_handle, cl_uint, const cl_handle *, cl_handle *))                    \
    X(cl_int, clReleaseEvent, (cl_handle))                                     \
    X(cl_int, clFlush, (cl_handle))                                            \
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

struct lane {
    cl_handle queue;
    cl_handle moved; /* event: its transfers of what stays are done */
    cl_handle buffers[KERNEL_ARGS_MAX];
    size_t room[KERNEL_ARGS_MAX];
    char *why;
};

struct opencl {
    struct device base; /* first */
    void *library;
    struct calls cl;
    cl_handle device, context;
    struct lane lanes[DEVICE_LANES];
    struct program programs[PROGRAMS_MAX];
    struct entry entries[KERNELS_MAX];
    uint32_t program_count, entry_count;
    struct {
        cl_handle buffer;
        size_t room;
    } held[DEVICE_HELD_MAX];
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

/* Memory that is still read stays until it is not: nobody needs to wait. */
static void drop_held(struct opencl *d)
{
    for (uint32_t i = 0; i < DEVICE_HELD_MAX; i++) {
        if (d->held[i].buffer)
            d->cl.clReleaseMemObject(d->held[i].buffer);
        d->held[i].buffer = NULL;
        d->held[i].room = 0;
    }
    for (uint32_t i = 0; i < DEVICE_LANES; i++) {
        if (d->lanes[i].moved)
            d->cl.clReleaseEvent(d->lanes[i].moved);
        d->lanes[i].moved = NULL;
    }
}

static void drop_buffers(struct opencl *d, struct lane *l)
{
    for (uint32_t i = 0; i < KERNEL_ARGS_MAX; i++) {
        if (l->buffers[i])
            d->cl.clReleaseMemObject(l->buffers[i]);
        l->buffers[i] = NULL;
        l->room[i] = 0;
    }
}

static void close_lane(struct opencl *d, struct lane *l)
{
    drop_buffers(d, l);
    if (l->queue)
        d->cl.clReleaseCommandQueue(l->queue);
}

static void opencl_close(struct device **device)
{
    struct opencl *d = (struct opencl *)*device;
    if (!d)
        return;
    *device = NULL;
    drop_held(d);
    for (uint32_t i = 0; i < DEVICE_LANES; i++)
        close_lane(d, &d->lanes[i]);
    for (uint32_t i = 0; i < d->entry_count; i++)
        d->cl.clReleaseKernel(d->entries[i].kernel);
    for (uint32_t i = 0; i < d->program_count; i++)
        if (d->programs[i].program)
            d->cl.clReleaseProgram(d->programs[i].program);
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
    for (uint32_t i = 0; i < DEVICE_LANES; i++)
        d->lanes[i].why = d->base.why[i];
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
static enum device_outcome judge(struct opencl *d, struct lane *l, cl_int code,
                                 const char *what)
{
    if (code == 0)
        return DEVICE_OK;
    snprintf(l->why, DEVICE_TEXT_BYTES, "OpenCL: %s gave %d", what, (int)code);
    if (code == -4 || code == -5 || code == -6) /* of memory or resources */
        return DEVICE_TRANSIENT;
    if (code == -3 || (code <= -11 && code >= -17) ||
        (code <= -42 && code >= -56)) /* of programs, kernels, arguments */
        return DEVICE_KERNEL;
    d->base.lost = true;
    return DEVICE_STICKY;
}

static enum device_outcome prepare(struct opencl *d, struct lane *l)
{
    cl_int code = 0;
    if (l->queue)
        return DEVICE_OK;
    if (!d->context)
        d->context =
            d->cl.clCreateContext(NULL, 1, &d->device, NULL, NULL, &code);
    if (!d->context)
        return judge(d, l, code ? code : -6, "clCreateContext");
    l->queue = d->cl.clCreateCommandQueue(d->context, d->device, 0, &code);
    return l->queue ? DEVICE_OK
                    : judge(d, l, code ? code : -6, "clCreateCommandQueue");
}

/* ---- programs ---- */

static enum device_outcome build_failed(struct opencl *d, struct lane *l,
                                        cl_handle program,
                                        const struct kernel *kernel)
{
    size_t bytes = 0;
    char *log = NULL;
    d->cl.clGetProgramBuildInfo(program, d->device, CL_PROGRAM_BUILD_LOG, 0,
                                NULL, &bytes);
    if (bytes > 0 && (log = calloc(1, bytes + 1)))
        d->cl.clGetProgramBuildInfo(program, d->device, CL_PROGRAM_BUILD_LOG,
                                    bytes, log, NULL);
    snprintf(l->why, DEVICE_TEXT_BYTES,
             "OpenCL does not compile the kernel %s: %.180s", kernel->name,
             log ? log : "");
    free(log);
    return DEVICE_KERNEL;
}

static enum device_outcome program_of(struct opencl *d, struct lane *l,
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
        snprintf(l->why, DEVICE_TEXT_BYTES, "more than %d kernel texts",
                 PROGRAMS_MAX);
        return DEVICE_KERNEL;
    }
    cl_handle program =
        d->cl.clCreateProgramWithSource(d->context, 1, &text, NULL, &code);
    if (!program)
        return judge(d, l, code ? code : -6, "clCreateProgramWithSource");
    code = d->cl.clBuildProgram(program, 1, &d->device, "-cl-std=CL1.2", NULL,
                                NULL);
    if (code != 0) {
        enum device_outcome outcome = build_failed(d, l, program, kernel);
        d->cl.clReleaseProgram(program);
        return outcome;
    }
    d->programs[d->program_count++] = (struct program){text, program};
    *out = program;
    return DEVICE_OK;
}

static enum device_outcome entry_of(struct opencl *d, struct lane *l,
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
    enum device_outcome outcome = program_of(d, l, kernel, text, &program);
    if (outcome != DEVICE_OK)
        return outcome;
    if (d->entry_count == KERNELS_MAX)
        return judge(d, l, -46, "the table of kernels, which is full,");
    *out = d->cl.clCreateKernel(program, name, &code);
    if (!*out)
        return judge(d, l, code ? code : -46, "clCreateKernel");
    d->entries[d->entry_count++] = (struct entry){text, name, *out};
    return DEVICE_OK;
}

/* ---- what stays on the device ---- */

static enum device_outcome write_bytes(struct opencl *d, struct lane *l,
                                       cl_handle to, uint64_t at,
                                       const void *from, uint64_t bytes)
{
    if (bytes == 0)
        return DEVICE_OK;
    return judge(d, l,
                 d->cl.clEnqueueWriteBuffer(l->queue, to, 0, (size_t)at,
                                            (size_t)bytes, from, 0, NULL, NULL),
                 "clEnqueueWriteBuffer");
}

/* Memory; what an idle lane keeps for its next job gives way. */
static enum device_outcome take_memory(struct opencl *d, struct lane *l,
                                       size_t bytes, cl_handle *out)
{
    cl_int code = 0;
    *out =
        d->cl.clCreateBuffer(d->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    for (uint32_t i = 0; i < DEVICE_LANES && !*out; i++) {
        if (&d->lanes[i] == l || d->base.lanes[i].busy)
            continue;
        drop_buffers(d, &d->lanes[i]);
        *out = d->cl.clCreateBuffer(d->context, CL_MEM_READ_WRITE, bytes, NULL,
                                    &code);
    }
    return *out ? DEVICE_OK : judge(d, l, code ? code : -4, "clCreateBuffer");
}

/* A buffer that is released stays until nothing reads it any more. */
static enum device_outcome fill_held(struct opencl *d, struct lane *l,
                                     const struct device_fill *f,
                                     const uint8_t *fresh)
{
    if (d->held[f->held].room != f->room) {
        if (d->held[f->held].buffer)
            d->cl.clReleaseMemObject(d->held[f->held].buffer);
        d->held[f->held].buffer = NULL;
        d->held[f->held].room = 0;
        if (f->room == 0)
            return DEVICE_OK;
        enum device_outcome outcome =
            take_memory(d, l, (size_t)f->room, &d->held[f->held].buffer);
        if (outcome != DEVICE_OK)
            return outcome;
        d->held[f->held].room = (size_t)f->room;
    }
    return write_bytes(d, l, d->held[f->held].buffer, f->to, fresh + f->from,
                       f->bytes);
}

static enum device_outcome update_held(struct opencl *d, struct lane *l,
                                       const struct device_plan *plan)
{
    enum device_outcome outcome = DEVICE_OK;
    if (!device_plan_moves(plan))
        return DEVICE_OK;
    if (plan->drop) {
        drop_held(d);
        d->base.held_unknown = false;
    } else if (d->base.held_unknown) {
        snprintf(l->why, DEVICE_TEXT_BYTES, "%s", DEVICE_HELD_UNKNOWN);
        return DEVICE_TRANSIENT;
    }
    for (uint32_t i = 0; i < DEVICE_LANES && outcome == DEVICE_OK; i++)
        if (&d->lanes[i] != l && d->lanes[i].moved)
            outcome = judge(d, l,
                            d->cl.clEnqueueBarrierWithWaitList(
                                l->queue, 1, &d->lanes[i].moved, NULL),
                            "clEnqueueBarrierWithWaitList");
    for (uint32_t i = 0; i < plan->fill_count && outcome == DEVICE_OK; i++)
        outcome = fill_held(d, l, &plan->fills[i], plan->fresh);
    return outcome;
}

static enum device_outcome note_moved(struct opencl *d, struct lane *l,
                                      const struct device_plan *plan)
{
    if (!device_plan_moves(plan))
        return DEVICE_OK;
    if (l->moved)
        d->cl.clReleaseEvent(l->moved);
    l->moved = NULL;
    return judge(
        d, l, d->cl.clEnqueueMarkerWithWaitList(l->queue, 0, NULL, &l->moved),
        "clEnqueueMarkerWithWaitList");
}

static enum device_outcome put_pieces(struct opencl *d, struct lane *l,
                                      const struct kernel_job *job,
                                      const struct device_plan *plan,
                                      uint32_t i)
{
    enum device_outcome outcome = DEVICE_OK;
    for (uint32_t n = 0; n < plan->piece_count && outcome == DEVICE_OK; n++) {
        const struct device_piece *p = &plan->pieces[n];
        if (p->arg != i)
            continue;
        if (p->held == DEVICE_FROM_HOST)
            outcome = write_bytes(d, l, l->buffers[i], p->to,
                                  (const char *)job->arg[i] + p->to, p->bytes);
        else if (p->from > d->held[p->held].room ||
                 p->bytes > d->held[p->held].room - p->from)
            outcome = judge(d, l, -30, "a block without these bytes");
        else
            outcome = judge(d, l,
                            d->cl.clEnqueueCopyBuffer(
                                l->queue, d->held[p->held].buffer,
                                l->buffers[i], (size_t)p->from, (size_t)p->to,
                                (size_t)p->bytes, 0, NULL, NULL),
                            "clEnqueueCopyBuffer");
    }
    return outcome;
}

/* ---- launches ---- */

/* A buffer of an argument, filled. */
static enum device_outcome send(struct opencl *d, struct lane *l,
                                const struct kernel_job *job,
                                const struct device_plan *plan, uint32_t i)
{
    static const cl_uint ones = 0xffffffffu;
    size_t bytes = (size_t)kernel_device_bytes(job, i);
    size_t room = bytes ? bytes : 4;
    if (l->room[i] < room) {
        if (l->buffers[i])
            d->cl.clReleaseMemObject(l->buffers[i]);
        l->buffers[i] = NULL;
        l->room[i] = 0;
        enum device_outcome outcome = take_memory(d, l, room, &l->buffers[i]);
        if (outcome != DEVICE_OK)
            return outcome;
        l->room[i] = room;
    }
    if (bytes == 0 || job->kernel->args[i].scratch)
        return DEVICE_OK;
    if (job->kernel->args[i].out && bytes % 4 == 0)
        return judge(d, l,
                     d->cl.clEnqueueFillBuffer(l->queue, l->buffers[i], &ones,
                                               4, 0, bytes, 0, NULL, NULL),
                     "clEnqueueFillBuffer");
    if (plan && (plan->args >> i & 1))
        return put_pieces(d, l, job, plan, i);
    return write_bytes(d, l, l->buffers[i], 0, job->arg[i], bytes);
}

/* The queue keeps the arguments of a launch: lanes share kernels. */
static enum device_outcome launch(struct opencl *d, struct lane *l,
                                  const struct kernel_job *job,
                                  const struct kernel_step *step)
{
    cl_handle kernel = NULL;
    cl_int code = 0;
    uint32_t count = job->kernel->arg_count;
    size_t group = step->group_size, all = (size_t)step->groups * group;
    enum device_outcome outcome =
        entry_of(d, l, job->kernel, step->entry, &kernel);
    if (outcome != DEVICE_OK)
        return outcome;
    for (uint32_t i = 0; i < count && code == 0; i++)
        code =
            d->cl.clSetKernelArg(kernel, i, sizeof(cl_handle), &l->buffers[i]);
    if (code == 0)
        code = d->cl.clSetKernelArg(kernel, count, sizeof job->p, &job->p);
    if (code != 0)
        return judge(d, l, code, "clSetKernelArg");
    return judge(d, l,
                 d->cl.clEnqueueNDRangeKernel(l->queue, kernel, 1, NULL, &all,
                                              &group, 0, NULL, NULL),
                 "clEnqueueNDRangeKernel");
}

static enum device_outcome submit(struct opencl *d, struct lane *l,
                                  const struct kernel_job *job,
                                  const struct device_plan *plan)
{
    struct kernel_step step;
    uint32_t count = job->kernel->arg_count;
    enum device_outcome outcome = prepare(d, l);
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
                            d->cl.clEnqueueReadBuffer(l->queue, l->buffers[i],
                                                      0, 0, bytes, job->arg[i],
                                                      0, NULL, NULL),
                            "clEnqueueReadBuffer");
    }
    if (outcome == DEVICE_OK) /* it works from here on, waited for or not */
        outcome = judge(d, l, d->cl.clFlush(l->queue), "clFlush");
    return outcome;
}

/* The lane is idle then. Whatever is under way still uses the job's arrays. */
static enum device_outcome settle(struct opencl *d, uint32_t lane,
                                  enum device_outcome outcome)
{
    struct lane *l = &d->lanes[lane];
    if (l->queue) {
        enum device_outcome end =
            judge(d, l, d->cl.clFinish(l->queue), "clFinish");
        outcome = outcome == DEVICE_OK || end == DEVICE_STICKY ? end : outcome;
    }
    outcome = device_lane_ends(&d->base, lane, outcome);
    /* A smaller part comes next: it must not find the room taken. */
    if (outcome == DEVICE_TRANSIENT)
        drop_buffers(d, l);
    d->base.lanes[lane].busy = false;
    return outcome;
}

static enum device_outcome opencl_begin(struct device *device, uint32_t lane,
                                        const struct kernel_job *job,
                                        const struct device_plan *plan)
{
    struct opencl *d = (struct opencl *)device;
    enum device_outcome outcome = device_lane_begins(device, lane, job);
    if (outcome != DEVICE_OK)
        return outcome;
    outcome = submit(d, &d->lanes[lane], job, plan);
    return outcome == DEVICE_OK ? DEVICE_OK : settle(d, lane, outcome);
}

static enum device_outcome opencl_finish(struct device *device, uint32_t lane)
{
    struct opencl *d = (struct opencl *)device;
    return settle(d, lane, DEVICE_OK);
}

const struct device_row device_opencl = {
    "opencl", opencl_open, opencl_begin, opencl_finish, opencl_close, NULL};
