/* worker.c: the parent's side; see worker.h. */
#include "worker.h"

#include "os.h"
#include "os_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };
#define START_NS (INT64_C(30) * 1000000000) /* a driver loads, code compiles */
#define SLICE_NS (INT64_C(2) * 1000000)     /* a dead worker is noticed */
#define SPIN_NS  (INT64_C(30) * 1000)

struct worker {
    const char *program;
    enum device_kind kind;
    int fd, pid;
    size_t bytes;
    struct worker_page *page;
    const struct kernel *known[WORKER_KERNELS_MAX];
    uint64_t warm; /* bit: this process has run the kernel */
};

struct worker *worker_create(const char *program, enum device_kind kind,
                             size_t slot_bytes)
{
    struct worker *w = calloc(1, sizeof *w);
    void *base = NULL;
    if (!w)
        return NULL;
    w->program = program;
    w->kind = kind;
    w->bytes = worker_slot_at() + slot_bytes;
    w->fd = os_memfd("warp-worker", w->bytes);
    if (w->fd < 0 || os_map_shared(w->fd, w->bytes, &base) != 0) {
        if (w->fd >= 0)
            os_close(w->fd);
        free(w);
        return NULL;
    }
    w->page = base;
    w->page->slot_bytes = slot_bytes;
    return w;
}

static void end(struct worker *w)
{
    if (w->pid == 0)
        return;
    os_kill(w->pid);
    os_reap(w->pid, true);
    w->pid = 0;
    w->warm = 0;
}

void worker_destroy(struct worker **worker)
{
    struct worker *w = *worker;
    if (!w)
        return;
    *worker = NULL;
    end(w);
    os_unmap(w->page, w->bytes);
    os_close(w->fd);
    free(w);
}

size_t worker_slot_bytes(const struct worker *w)
{
    return (size_t)w->page->slot_bytes;
}

int worker_pid(const struct worker *w)
{
    return w->pid;
}

/* ---- commands ---- */

/* Waits for the answer to the last command. */
static bool answered(struct worker *w, uint32_t command, int64_t timeout_ns,
                     char *why)
{
    struct worker_page *page = w->page;
    uint32_t before = command - 1;
    if (os_shared_spin(&page->answer, before, SPIN_NS))
        return true;
    int64_t deadline = os_mono_ns() + timeout_ns;
    while (atomic_load_explicit(&page->answer, memory_order_acquire) !=
           command) {
        os_shared_wait(&page->answer, before, SLICE_NS);
        if (atomic_load_explicit(&page->answer, memory_order_acquire) ==
            command)
            break;
        if (os_reap(w->pid, false)) {
            w->pid = 0;
            w->warm = 0;
            snprintf(why, DEVICE_TEXT_BYTES, "the worker of %s has died",
                     device_rows[w->kind]->kind);
            return false;
        }
        if (os_mono_ns() < deadline)
            continue;
        end(w);
        snprintf(why, DEVICE_TEXT_BYTES,
                 "%s did not end in %lld ms: its worker was ended",
                 device_rows[w->kind]->kind, (long long)timeout_ns / 1000000);
        return false;
    }
    return true;
}

static enum device_outcome command(struct worker *w, int64_t timeout_ns,
                                   char *why)
{
    struct worker_page *page = w->page;
    uint32_t number =
        atomic_load_explicit(&page->command, memory_order_relaxed) + 1;
    page->outcome = DEVICE_STICKY;
    atomic_store_explicit(&page->command, number, memory_order_release);
    os_shared_wake(&page->command);
    if (!answered(w, number, timeout_ns, why))
        return DEVICE_STICKY;
    enum device_outcome outcome = (enum device_outcome)page->outcome;
    if (outcome != DEVICE_OK)
        snprintf(why, DEVICE_TEXT_BYTES, "%.*s", DEVICE_TEXT_BYTES - 1,
                 page->why);
    if (outcome == DEVICE_STICKY || outcome == DEVICE_ABSENT)
        end(w);
    return outcome > DEVICE_ABSENT ? DEVICE_STICKY : outcome;
}

/* Its first command is to open the device: the worker takes it from the
 * command number that it finds. */
static enum device_outcome start(struct worker *w, char *why)
{
    const char *argv[] = {w->program, device_rows[w->kind]->kind, NULL};
    if (w->pid != 0)
        return DEVICE_OK;
    atomic_store(&w->page->answer, atomic_load(&w->page->command));
    int rc = os_spawn(w->program, argv, w->fd, &w->pid);
    if (rc != 0) {
        w->pid = 0;
        snprintf(why, DEVICE_TEXT_BYTES, "%s cannot be started: %s", w->program,
                 strerror(-rc));
        return DEVICE_ABSENT;
    }
    return command(w, START_NS, why);
}

/* ---- kernels ---- */

static uint64_t put_text(struct worker *w, const char *text)
{
    char *texts = (char *)w->page + worker_text_at();
    size_t bytes = text ? strlen(text) + 1 : 0;
    uint64_t at = w->page->text_used;
    if (bytes == 0 || bytes > WORKER_TEXT_BYTES - at)
        return UINT64_MAX;
    for (uint64_t i = 0; i < at; i += strlen(texts + i) + 1)
        if (strcmp(texts + i, text) == 0)
            return i; /* kernels of one schema share it */
    memcpy(texts + at, text, bytes);
    w->page->text_used += bytes;
    return at;
}

static bool put_kernel(struct worker *w, const struct kernel *kernel,
                       struct worker_kernel *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < kernel_count; i++)
        if (kernels[i] == kernel)
            out->builtin = i + 1;
    if (out->builtin)
        return true;
    out->cl = put_text(w, kernel->cl);
    out->cu = put_text(w, kernel->cu);
    if (out->cl == UINT64_MAX || out->cu == UINT64_MAX || !kernel->entry ||
        strlen(kernel->entry) >= sizeof out->entry)
        return false;
    snprintf(out->name, sizeof out->name, "%s", kernel->name);
    snprintf(out->entry, sizeof out->entry, "%s", kernel->entry);
    out->arg_count = kernel->arg_count;
    for (uint32_t i = 0; i < kernel->arg_count; i++) {
        out->args[i].extent = kernel->args[i].extent;
        out->args[i].bytes = kernel->args[i].bytes;
        out->args[i].out = kernel->args[i].out;
        out->args[i].real = kernel->args[i].real;
    }
    return true;
}

/* Its number in the table, or WORKER_KERNELS_MAX. */
static uint32_t number_of(struct worker *w, const struct kernel *kernel)
{
    uint32_t n = 0;
    for (; n < w->page->kernel_count; n++)
        if (w->known[n] == kernel)
            return n;
    if (n == WORKER_KERNELS_MAX || !put_kernel(w, kernel, &w->page->kernels[n]))
        return WORKER_KERNELS_MAX;
    w->known[n] = kernel;
    w->page->kernel_count = n + 1;
    return n;
}

/* ---- jobs ---- */

static uint64_t aligned(uint64_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* false: the slot or its lists are too small. */
static bool place(struct worker *w, const struct kernel_job *job,
                  const struct device_plan *plan)
{
    struct worker_page *page = w->page;
    uint64_t at = 0;
    for (uint32_t i = 0; i < job->kernel->arg_count; i++) {
        page->at[i] = at;
        at += aligned(kernel_arg_bytes(job, i));
    }
    page->fresh_at = at;
    page->fresh_bytes = plan->fresh_bytes;
    at += aligned(page->fresh_bytes);
    return at <= page->slot_bytes &&
           plan->fill_count <= DEVICE_FILLS_MAX &&
           plan->piece_count <= DEVICE_PIECES_MAX;
}

/* Of an input that is put together on the device only what it lacks there. */
static void copy_in(struct worker *w, const struct kernel_job *job,
                    const struct device_plan *plan)
{
    struct worker_page *page = w->page;
    char *slot = (char *)page + worker_slot_at();
    for (uint32_t i = 0; i < job->kernel->arg_count; i++) {
        size_t bytes = (size_t)kernel_arg_bytes(job, i);
        if (!job->kernel->args[i].out && bytes > 0 && !(plan->args >> i & 1))
            memcpy(slot + page->at[i], job->arg[i], bytes);
    }
    page->drop = plan->drop;
    page->plan_args = plan->args;
    page->fill_count = plan->fill_count;
    page->piece_count = plan->piece_count;
    for (uint32_t i = 0; i < page->fill_count; i++)
        page->fills[i] = plan->fills[i];
    for (uint32_t i = 0; i < page->piece_count; i++) {
        const struct device_piece *p = &plan->pieces[i];
        page->pieces[i] = *p;
        if (p->held == DEVICE_FROM_HOST)
            memcpy(slot + page->at[p->arg] + p->to,
                   (const char *)job->arg[p->arg] + p->to, (size_t)p->bytes);
    }
    if (page->fresh_bytes > 0)
        memcpy(slot + page->fresh_at, plan->fresh, plan->fresh_bytes);
}

static void copy_out(struct worker *w, const struct kernel_job *job)
{
    const char *slot = (const char *)w->page + worker_slot_at();
    for (uint32_t i = 0; i < job->kernel->arg_count; i++) {
        size_t bytes = (size_t)kernel_arg_bytes(job, i);
        if (job->kernel->args[i].out && bytes > 0)
            memcpy(job->arg[i], slot + w->page->at[i], bytes);
    }
}

enum device_outcome worker_run(struct worker *w, const struct kernel_job *job,
                               int64_t timeout_ns, char why[DEVICE_TEXT_BYTES])
{
    struct device_plan none = {0};
    return worker_run_plan(w, job, &none, timeout_ns, why);
}

enum device_outcome worker_run_plan(struct worker *w,
                                    const struct kernel_job *job,
                                    const struct device_plan *plan,
                                    int64_t timeout_ns,
                                    char why[DEVICE_TEXT_BYTES])
{
    uint32_t number = number_of(w, job->kernel);
    if (number == WORKER_KERNELS_MAX) {
        snprintf(why, DEVICE_TEXT_BYTES,
                 "%s has no text for devices, or there are too many kernels",
                 job->kernel->name);
        return DEVICE_KERNEL;
    }
    enum device_outcome outcome = start(w, why);
    if (outcome != DEVICE_OK)
        return outcome;
    if (!place(w, job, plan)) {
        snprintf(why, DEVICE_TEXT_BYTES, "the job does not fit its slot");
        return DEVICE_TRANSIENT;
    }
    w->page->kernel = number;
    w->page->p = job->p;
    copy_in(w, job, plan);
    /* A kernel's first run includes the device's compiler. */
    if (!(w->warm >> number & 1))
        timeout_ns += START_NS;
    outcome = command(w, timeout_ns, why);
    if (outcome == DEVICE_OK) {
        w->warm |= UINT64_C(1) << number;
        copy_out(w, job);
    }
    return outcome;
}
