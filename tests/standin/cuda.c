/* cuda.c: a libcuda.so.1 for tests on machines without a GPU. Device memory is
 * host memory, a launch of a built-in kernel runs the CPU's version; errors
 * come where a test asks for them, at once or late as the real ones do:
 *
 *   standin_plan(call, code, late)   the call-th call from now on fails with
 *       code; late: it succeeds, its work is not done, and the error comes
 *       from the next call that waits. Sticky codes then come from every call
 *       until standin_plan() is called again. call 0: no error
 *   standin_calls()                  calls since the plan was made
 *
 * The environment variable STANDIN_CUDA has a plan for a process that nobody
 * can reach: "CALL:CODE:LATE", or "hang:CALL" and "wrong:CALL" for a launch
 * that does not end or whose results are wrong, "room:BYTES" for a device with
 * so much memory, "time:COPY:KERNEL" for one whose copies from the host take so
 * many ns a byte and whose launches so many us: a stream is done when its last
 * work is, copies go one after the other, launches too, beside each other. */
#include "kernels.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT void standin_plan(int call, int code, int late);
EXPORT int standin_calls(void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int calls, fail_call, fail_code, fail_late, pending, sticky;
static int hang_call, wrong_call;

/* When the device is done with what it was given: in turn on a stream, and one
 * at a time on each engine. */
struct stream {
    double done_ns;
};
static double copy_byte_ns, launch_ns, copies_done_ns, launches_done_ns;

static double clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void occupy(struct stream *stream, double *engine_ns, double takes_ns)
{
    pthread_mutex_lock(&lock);
    double from = clock_ns();
    from = stream->done_ns > from ? stream->done_ns : from;
    from = *engine_ns > from ? *engine_ns : from;
    stream->done_ns = from + takes_ns;
    if (takes_ns > 0)
        *engine_ns = stream->done_ns;
    pthread_mutex_unlock(&lock);
}

static void wait_until(double ns)
{
    double left;
    while ((left = ns - clock_ns()) > 0) {
        struct timespec t = {.tv_sec = (time_t)(left / 1e9),
                             .tv_nsec = (long)left % 1000000000};
        nanosleep(&t, NULL);
    }
}
static size_t memory, memory_used; /* 0: without a limit */

/* What the device holds; a lost context never gives it back. */
enum { HELD_MAX = 4096 };
static void *held[HELD_MAX];
static size_t held_bytes[HELD_MAX];

static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;

static void *take(size_t bytes)
{
    void *at = NULL;
    pthread_mutex_lock(&held_lock);
    bool fits = !memory || memory_used + bytes <= memory;
    for (int i = 0; fits && !at && i < HELD_MAX; i++)
        if (!held[i]) {
            held_bytes[i] = bytes;
            memory_used += bytes;
            held[i] = at = malloc(bytes + sizeof(struct stream));
        }
    pthread_mutex_unlock(&held_lock);
    return at;
}

static void give(void *at)
{
    pthread_mutex_lock(&held_lock);
    for (int i = 0; i < HELD_MAX; i++)
        if (held[i] == at) {
            held[i] = NULL;
            memory_used -= held_bytes[i];
        }
    pthread_mutex_unlock(&held_lock);
    free(at);
}

/* A stream or an event: the driver's own, as what a lost context leaves is. */
static void *make_stream(void)
{
    struct stream *s = take(0);
    if (s)
        *s = (struct stream){0};
    return s;
}

static void read_plan(void)
{
    static int done;
    const char *plan = getenv("STANDIN_CUDA");
    if (done || !plan)
        return;
    done = 1;
    if (sscanf(plan, "hang:%d", &hang_call) == 1 ||
        sscanf(plan, "wrong:%d", &wrong_call) == 1 ||
        sscanf(plan, "room:%zu", &memory) == 1)
        return;
    if (sscanf(plan, "time:%lf:%lf", &copy_byte_ns, &launch_ns) == 2) {
        launch_ns *= 1000;
        return;
    }
    if (sscanf(plan, "%d:%d:%d", &fail_call, &fail_code, &fail_late) != 3)
        fail_call = 0;
}

void standin_plan(int call, int code, int late)
{
    pthread_mutex_lock(&lock);
    read_plan();
    for (int i = 0; i < HELD_MAX; i++)
        if (held[i])
            give(held[i]);
    calls = pending = sticky = 0;
    fail_call = call;
    fail_code = code;
    fail_late = late;
    pthread_mutex_unlock(&lock);
}

int standin_calls(void)
{
    return calls;
}

static int is_sticky(int code)
{
    return code == 214 || code == 219 || code == 226 || code == 700 ||
           code == 702 || code == 719;
}

/* What a call gives before it does its work; *skip: it must not do it. */
static int enter(int waits, int *skip)
{
    int code = 0;
    pthread_mutex_lock(&lock);
    read_plan();
    calls++;
    *skip = 0;
    if (sticky) {
        code = sticky;
    } else if (pending && waits) {
        code = pending;
        pending = 0;
        sticky = is_sticky(code) ? code : 0;
    } else if (pending) {
        *skip = 1; /* the device does nothing any more */
    } else if (calls == fail_call && fail_late) {
        pending = fail_code;
        *skip = 1;
    } else if (calls == fail_call) {
        code = fail_code;
        sticky = is_sticky(code) ? code : 0;
    }
    if (hang_call && calls >= hang_call) {
        pthread_mutex_unlock(&lock);
        for (;;)
            sleep(3600);
    }
    pthread_mutex_unlock(&lock);
    return code;
}

#define ENTRY(waits, always, name, parameters, work)                           \
    EXPORT int name parameters;                                                \
    EXPORT int name parameters                                                 \
    {                                                                          \
        int skip, code = enter(waits, &skip);                                  \
        if (code == 0 && (always || !skip)) {                                  \
            work                                                               \
        }                                                                      \
        return code;                                                           \
    }
/* What the host does is done; what the device was to do is not, after an error
 * that has not been told yet. */
#define CALL(waits, name, parameters, work)                                    \
    ENTRY(waits, 1, name, parameters, work)
#define WORK(name, parameters, work) ENTRY(0, 0, name, parameters, work)

CALL(0, cuInit, (unsigned flags), { (void)flags; })
CALL(0, cuDeviceGetCount, (int *count), { *count = 1; })
CALL(0, cuDeviceGet, (int *device, int number), { *device = number; })
CALL(0, cuDeviceGetName, (char *name, int room, int device), {
    (void)device;
    snprintf(name, (size_t)room, "stand-in");
})
CALL(0, cuDeviceGetAttribute, (int *value, int which, int device), {
    (void)device;
    *value = which == 75 ? 9 : which == 76 ? 0 : 4;
})
CALL(0, cuDeviceTotalMem_v2, (size_t * bytes, int device), {
    (void)device;
    *bytes = (size_t)1 << 30;
})
CALL(0, cuDevicePrimaryCtxRetain, (void **context, int device), {
    (void)device;
    *context = &calls;
})
CALL(0, cuDevicePrimaryCtxRelease_v2, (int device), { (void)device; })
CALL(0, cuCtxSetCurrent, (void *context), { (void)context; })
CALL(0, cuStreamCreate, (void **stream, unsigned flags), {
    (void)flags;
    *stream = make_stream();
})
CALL(1, cuStreamSynchronize, (void *stream),
     { wait_until(((struct stream *)stream)->done_ns); })
CALL(1, cuStreamDestroy_v2, (void *stream), { give(stream); })
CALL(0, cuEventCreate, (void **event, unsigned flags), {
    (void)flags;
    *event = make_stream();
})
CALL(0, cuEventRecord, (void *event, void *stream),
     { *(struct stream *)event = *(struct stream *)stream; })
CALL(0, cuStreamWaitEvent, (void *stream, void *event, unsigned flags), {
    struct stream *s = stream;
    double ns = ((struct stream *)event)->done_ns;
    (void)flags;
    s->done_ns = ns > s->done_ns ? ns : s->done_ns;
})
CALL(0, cuEventDestroy_v2, (void *event), { give(event); })
CALL(0, cuModuleLoadData, (void **module, const void *image), {
    (void)image;
    *module = &sticky;
})
CALL(1, cuModuleUnload, (void *module), { (void)module; })

/* A function is its name; the CPU's version does all steps at the last one. */
static const char *const entries[] = {
    "gravity_matrix", "gravity_rows", "entropy", "entropy_parts",
    "entropy_join",   "thermo",       "evolve"};
static const struct kernel *const kernel_of[] = {
    &kernel_gravity, &kernel_gravity, &kernel_entropy, NULL,
    &kernel_entropy, &kernel_thermo,  &kernel_evolve};

EXPORT int cuModuleGetFunction(void **function, void *module, const char *name);
EXPORT int cuModuleGetFunction(void **function, void *module, const char *name)
{
    int skip, code = enter(0, &skip);
    (void)module;
    if (code != 0)
        return code;
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        if (strcmp(name, entries[i]) == 0) {
            *function = (void *)&kernel_of[i];
            return 0;
        }
    return 500;
}

CALL(0, cuMemAlloc_v2, (uint64_t * pointer, size_t bytes), {
    *pointer = (uint64_t)(uintptr_t)take(bytes);
    if (!*pointer)
        return 2;
})
CALL(0, cuMemHostRegister_v2, (void *at, size_t bytes, unsigned flags), {
    (void)at;
    (void)bytes;
    (void)flags;
})
CALL(1, cuMemFree_v2, (uint64_t pointer), { give((void *)(uintptr_t)pointer); })
WORK(cuMemcpyHtoDAsync_v2,
     (uint64_t to, const void *from, size_t bytes, void *stream), {
         memcpy((void *)(uintptr_t)to, from, bytes);
         occupy(stream, &copies_done_ns, copy_byte_ns * (double)bytes);
     })
WORK(cuMemcpyDtoHAsync_v2,
     (void *to, uint64_t from, size_t bytes, void *stream), {
         (void)stream;
         memcpy(to, (void *)(uintptr_t)from, bytes);
     })
WORK(cuMemcpyDtoDAsync_v2,
     (uint64_t to, uint64_t from, size_t bytes, void *stream), {
         (void)stream;
         memcpy((void *)(uintptr_t)to, (void *)(uintptr_t)from, bytes);
     })
WORK(cuMemsetD8Async,
     (uint64_t at, unsigned char value, size_t bytes, void *stream), {
         (void)stream;
         memset((void *)(uintptr_t)at, value, bytes);
     })

static void run(const struct kernel *kernel, void **parameters)
{
    struct kernel_job job = {.kernel = kernel};
    if (!kernel)
        return;
    memcpy(&job.p, parameters[kernel->arg_count], sizeof job.p);
    for (uint32_t i = 0; i < kernel->arg_count; i++)
        memcpy(&job.arg[i], parameters[i], sizeof(void *));
    kernel->run(&job);
    if (!wrong_call || calls < wrong_call)
        return;
    for (uint32_t i = 0; i < kernel->arg_count; i++)
        if (kernel->args[i].out && kernel->args[i].real)
            for (uint64_t n = 0; n < kernel_arg_bytes(&job, i) / 4; n++)
                ((float *)job.arg[i])[n] *= 1.5f;
}

EXPORT int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz,
                          unsigned bx, unsigned by, unsigned bz,
                          unsigned shared, void *stream, void **parameters,
                          void **extra);
EXPORT int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz,
                          unsigned bx, unsigned by, unsigned bz,
                          unsigned shared, void *stream, void **parameters,
                          void **extra)
{
    int skip, code = enter(0, &skip);
    (void)shared, (void)extra;
    if (code == 0 && (!gx || !gy || !gz || !bx || !by || !bz))
        return 1;
    if (code == 0 && !skip) {
        run(*(const struct kernel *const *)function, parameters);
        occupy(stream, &launches_done_ns, launch_ns);
    }
    return code;
}
