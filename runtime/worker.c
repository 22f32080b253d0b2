/* worker.c: the parent's side; see worker.h. What says where memory lies is
 * kept here: a stray write of a driver may change any byte of the page. */
#include "worker.h"

#include "os.h"
#include "os_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIGN = 64,
    WORKER_TEXTS_MAX = 2 * WORKER_KERNELS_MAX,
    SPIN_AGAIN = 64 /* waits: another core may be free by then */
};
#define START_NS (INT64_C(30) * 1000000000) /* a driver loads, code compiles */
#define SLICE_NS (INT64_C(2) * 1000000)     /* a dead worker is noticed */
#define SPIN_NS  (INT64_C(30) * 1000)

struct worker {
    const char *program;
    enum device_kind kind;
    int64_t start_ns;
    int fd;
    size_t bytes, slot_bytes;
    struct worker_page *page;
    /* What the process was told: it begins anew with each. */
    const struct kernel *known[WORKER_KERNELS_MAX];
    uint32_t kernel_count;
    struct {
        uint64_t at, bytes;
    } texts[WORKER_TEXTS_MAX];
    uint64_t text_used;
    uint32_t text_count;
    uint32_t turn; /* of the next command */
    uint32_t command[DEVICE_LANES];
    uint64_t at[DEVICE_LANES][KERNEL_ARGS_MAX]; /* arrays in the slot */
    int64_t began_ns[DEVICE_LANES];
    _Atomic uint32_t patience;    /* waits until spinning is tried again */
    struct os_lock lock;          /* of all below, which any thread may read */
    uint32_t doing[DEVICE_LANES]; /* 1 + the kernel of a job under way, or 0 */
    _Atomic int pid;
    _Atomic uint32_t life; /* ends with the process */
    bool warm[WORKER_KERNELS_MAX]; /* this process has run the kernel */
};

struct worker *worker_create(const char *program, enum device_kind kind,
                             size_t slot_bytes, int64_t start_ns)
{
    struct worker *w = calloc(1, sizeof *w);
    void *base = NULL;
    if (!w)
        return NULL;
    w->program = program;
    w->kind = kind;
    w->start_ns = start_ns ? start_ns : START_NS;
    w->bytes = worker_slot_at() + slot_bytes * DEVICE_LANES;
    w->fd = os_memfd("warp-worker", w->bytes);
    if (w->fd < 0 || os_map_shared(w->fd, w->bytes, &base) != 0) {
        if (w->fd >= 0)
            os_close(w->fd);
        free(w);
        return NULL;
    }
    w->page = base;
    w->slot_bytes = slot_bytes;
    return w;
}

/* Under the lock. Nothing writes to the slots after it. */
static void gone(struct worker *w)
{
    w->pid = 0;
    memset(w->warm, 0, sizeof w->warm);
    w->life++;
}

static void end(struct worker *w)
{
    if (w->pid == 0)
        return;
    os_kill(w->pid);
    os_reap(w->pid, true);
    gone(w);
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

int worker_pid(const struct worker *w)
{
    return w->pid;
}

static char *slot_of(const struct worker *w, uint32_t lane)
{
    return (char *)w->page + worker_slot_at() +
           w->slot_bytes * lane;
}

/* ---- waiting ---- */

enum waited { ANSWERED, DIED, LATE };

/* Spinning is the soonest where the worker has a core of its own; where it has
 * not, it is what keeps the worker from answering. */
static void spin(struct worker *w, const _Atomic uint32_t *word, uint32_t seen)
{
    uint32_t left = atomic_load_explicit(&w->patience, memory_order_relaxed);
    if (left == 0 && !os_shared_spin(word, seen, SPIN_NS))
        left = SPIN_AGAIN;
    else if (left > 0)
        left--;
    atomic_store_explicit(&w->patience, left, memory_order_relaxed);
}

/* Until the word is `wanted`, or the process has ended. */
static enum waited wait_for(struct worker *w, _Atomic uint32_t *word,
                            uint32_t wanted, uint32_t life, int64_t deadline_ns)
{
    uint32_t seen = atomic_load_explicit(word, memory_order_acquire);
    if (seen != wanted)
        spin(w, word, seen);
    for (;;) {
        seen = atomic_load_explicit(word, memory_order_acquire);
        if (seen == wanted)
            return ANSWERED;
        if (w->life != life)
            return DIED;
        if (os_shared_wait(word, seen, SLICE_NS) == 0)
            continue;
        os_lock(&w->lock);
        bool dead = w->life != life;
        if (!dead && os_reap(w->pid, false)) {
            gone(w);
            dead = true;
        }
        os_unlock(&w->lock);
        if (dead)
            return DIED;
        if (os_mono_ns() >= deadline_ns)
            return LATE;
    }
}

/* Ends this life, if nobody else has. */
static void end_life(struct worker *w, uint32_t life)
{
    os_lock(&w->lock);
    if (w->life == life)
        end(w);
    os_unlock(&w->lock);
}

static enum device_outcome outcome_of(struct worker *w, enum waited waited,
                                      uint32_t life, uint32_t outcome,
                                      const char *said, int64_t timeout_ns,
                                      char *why)
{
    if (waited == DIED) {
        snprintf(why, DEVICE_TEXT_BYTES, "the worker of %s has died",
                 device_rows[w->kind]->kind);
        return DEVICE_STICKY;
    }
    if (waited == LATE) {
        end_life(w, life);
        snprintf(why, DEVICE_TEXT_BYTES,
                 "%s did not end in %lld ms: its worker was ended",
                 device_rows[w->kind]->kind, (long long)timeout_ns / 1000000);
        return DEVICE_STICKY;
    }
    if (outcome != DEVICE_OK)
        snprintf(why, DEVICE_TEXT_BYTES, "%.*s", DEVICE_TEXT_BYTES - 1, said);
    if (outcome == DEVICE_ABSENT || outcome == DEVICE_STICKY)
        end_life(w, life);
    return outcome > DEVICE_ABSENT ? DEVICE_STICKY
                                   : (enum device_outcome)outcome;
}

enum device_outcome worker_ready(struct worker *w, uint32_t *life,
                                 char why[DEVICE_TEXT_BYTES])
{
    const char *argv[] = {w->program, device_rows[w->kind]->kind, NULL};
    int pid = 0;
    os_lock(&w->lock);
    *life = w->life;
    int rc = 0;
    bool starts = w->pid == 0;
    if (starts) {
        w->turn = w->kernel_count = w->text_count = 0;
        w->text_used = 0;
        w->page->slot_bytes = w->slot_bytes;
        w->page->parent = (uint32_t)os_pid();
        atomic_store(&w->page->opened, 0);
        for (uint32_t i = 0; i < DEVICE_LANES; i++)
            atomic_store(&w->page->lanes[i].command, w->command[i]);
        rc = os_spawn(w->program, argv, w->fd, &pid);
        w->pid = rc == 0 ? pid : 0;
    }
    os_unlock(&w->lock);
    if (rc != 0) {
        snprintf(why, DEVICE_TEXT_BYTES, "%s cannot be started: %s", w->program,
                 strerror(-rc));
        return DEVICE_ABSENT;
    }
    if (!starts)
        return DEVICE_OK;
    enum waited waited =
        wait_for(w, &w->page->opened, 1, *life, os_mono_ns() + w->start_ns);
    return outcome_of(w, waited, *life, w->page->outcome, w->page->why,
                      w->start_ns, why);
}

bool worker_runs(struct worker *w, uint32_t *life)
{
    os_lock(&w->lock);
    bool runs = w->pid != 0;
    *life = w->life;
    os_unlock(&w->lock);
    return runs;
}

/* ---- kernels ---- */

static uint64_t put_text(struct worker *w, const char *text)
{
    char *texts = (char *)w->page + worker_text_at();
    size_t bytes = text ? strlen(text) + 1 : 0;
    uint64_t at = w->text_used;
    for (uint32_t i = 0; i < w->text_count; i++)
        if (w->texts[i].bytes == bytes &&
            memcmp(texts + w->texts[i].at, text, bytes) == 0)
            return w->texts[i].at; /* kernels of one schema share it */
    if (bytes == 0 || bytes > WORKER_TEXT_BYTES - at ||
        w->text_count == WORKER_TEXTS_MAX)
        return UINT64_MAX;
    memcpy(texts + at, text, bytes);
    w->texts[w->text_count].at = at;
    w->texts[w->text_count++].bytes = bytes;
    w->text_used += bytes;
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
    for (; n < w->kernel_count; n++)
        if (w->known[n] == kernel)
            return n;
    if (n == WORKER_KERNELS_MAX || !put_kernel(w, kernel, &w->page->kernels[n]))
        return WORKER_KERNELS_MAX;
    w->known[n] = kernel;
    w->kernel_count = n + 1;
    return n;
}

/* ---- jobs ---- */

static uint64_t aligned(uint64_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

uint64_t worker_needs(const struct kernel_job *job, size_t fresh_bytes)
{
    uint64_t bytes = aligned(fresh_bytes);
    for (uint32_t i = 0; i < job->kernel->arg_count; i++)
        bytes += aligned(kernel_arg_bytes(job, i));
    return bytes;
}

/* false: the slot or its lists are too small. */
static bool place(struct worker *w, uint32_t lane,
                  const struct kernel_job *job, const struct device_plan *plan)
{
    struct worker_lane *l = &w->page->lanes[lane];
    uint64_t at = 0;
    if (worker_needs(job, plan->fresh_bytes) > w->slot_bytes ||
        plan->fill_count > DEVICE_FILLS_MAX ||
        plan->piece_count > DEVICE_PIECES_MAX)
        return false;
    for (uint32_t i = 0; i < job->kernel->arg_count; i++) {
        w->at[lane][i] = l->at[i] = at;
        at += aligned(kernel_arg_bytes(job, i));
    }
    l->fresh_at = at;
    l->fresh_bytes = plan->fresh_bytes;
    if (plan->fresh_bytes > 0)
        memcpy(slot_of(w, lane) + at, plan->fresh, plan->fresh_bytes);
    return true;
}

/* Of an input that is put together on the device only what it lacks there. */
static void copy_in(struct worker *w, uint32_t lane,
                    const struct kernel_job *job,
                    const struct device_plan *plan)
{
    struct worker_lane *l = &w->page->lanes[lane];
    char *slot = slot_of(w, lane);
    const uint64_t *at = w->at[lane];
    for (uint32_t i = 0; i < job->kernel->arg_count; i++) {
        size_t bytes = (size_t)kernel_arg_bytes(job, i);
        if (!job->kernel->args[i].out && bytes > 0 && !(plan->args >> i & 1))
            memcpy(slot + at[i], job->arg[i], bytes);
    }
    l->drop = plan->drop;
    l->plan_args = plan->args;
    l->fill_count = plan->fill_count;
    l->piece_count = plan->piece_count;
    for (uint32_t i = 0; i < plan->fill_count; i++)
        l->fills[i] = plan->fills[i];
    for (uint32_t i = 0; i < plan->piece_count; i++) {
        const struct device_piece *p = &plan->pieces[i];
        l->pieces[i] = *p;
        if (p->held == DEVICE_FROM_HOST)
            memcpy(slot + at[p->arg] + p->to,
                   (const char *)job->arg[p->arg] + p->to, (size_t)p->bytes);
    }
}

static void copy_out(const struct worker *w, uint32_t lane,
                     const struct kernel_job *job)
{
    const char *slot = slot_of(w, lane);
    for (uint32_t i = 0; i < job->kernel->arg_count; i++) {
        size_t bytes = (size_t)kernel_arg_bytes(job, i);
        if (job->kernel->args[i].out && bytes > 0)
            memcpy(job->arg[i], slot + w->at[lane][i], bytes);
    }
}

enum device_outcome worker_begin(struct worker *w, uint32_t lane, uint32_t life,
                                 const struct kernel_job *job,
                                 const struct device_plan *plan,
                                 char why[DEVICE_TEXT_BYTES])
{
    struct worker_lane *l = &w->page->lanes[lane];
    uint32_t number = number_of(w, job->kernel);
    if (number == WORKER_KERNELS_MAX) {
        snprintf(why, DEVICE_TEXT_BYTES,
                 "%s has no text for devices, or there are too many kernels",
                 job->kernel->name);
        return DEVICE_KERNEL;
    }
    if (!place(w, lane, job, plan)) {
        snprintf(why, DEVICE_TEXT_BYTES, "the job does not fit its slot");
        return DEVICE_TRANSIENT;
    }
    w->began_ns[lane] = os_mono_ns();
    os_lock(&w->lock);
    w->doing[lane] = 1 + number;
    os_unlock(&w->lock);
    l->kernel = number;
    l->p = job->p;
    copy_in(w, lane, job, plan);
    if (w->life != life)
        return outcome_of(w, DIED, life, 0, "", 0, why);
    l->outcome = DEVICE_STICKY;
    l->turn = w->turn++;
    atomic_store_explicit(&l->command, ++w->command[lane],
                          memory_order_release);
    os_shared_wake(&l->command);
    return DEVICE_OK;
}

enum device_outcome worker_finish(struct worker *w, uint32_t lane,
                                  uint32_t life, const struct kernel_job *job,
                                  int64_t timeout_ns, int64_t *took_ns,
                                  char why[DEVICE_TEXT_BYTES])
{
    struct worker_lane *l = &w->page->lanes[lane];
    uint32_t command = w->command[lane];
    bool waits =
        atomic_load_explicit(&l->answer, memory_order_acquire) != command;
    os_lock(&w->lock);
    uint32_t kernel = w->doing[lane];
    for (uint32_t i = 0; i < DEVICE_LANES; i++)
        if (w->doing[i] && !w->warm[w->doing[i] - 1]) {
            /* the device's compiler works, too */
            timeout_ns += START_NS;
            break;
        }
    os_unlock(&w->lock);
    enum waited waited =
        wait_for(w, &l->answer, command, life, w->began_ns[lane] + timeout_ns);
    enum device_outcome outcome =
        outcome_of(w, waited, life, l->outcome, l->why, timeout_ns, why);
    os_lock(&w->lock);
    w->doing[lane] = 0;
    if (w->life == life && outcome == DEVICE_OK && kernel)
        w->warm[kernel - 1] = true;
    os_unlock(&w->lock);
    if (outcome != DEVICE_OK)
        return outcome;
    int64_t from = os_mono_ns(), since = from - w->began_ns[lane],
            took = l->took_ns;
    copy_out(w, lane, job);
    /* The caller was busy elsewhere: its way here does not count. */
    if (waits || took < 0 || took > since)
        took = since;
    *took_ns = took + os_mono_ns() - from;
    return DEVICE_OK;
}

enum device_outcome worker_run(struct worker *w, const struct kernel_job *job,
                               int64_t timeout_ns, char why[DEVICE_TEXT_BYTES])
{
    const struct device_plan none = {0};
    uint32_t life;
    int64_t took_ns;
    enum device_outcome outcome = worker_ready(w, &life, why);
    if (outcome == DEVICE_OK)
        outcome = worker_begin(w, 0, life, job, &none, why);
    if (outcome == DEVICE_OK)
        outcome = worker_finish(w, 0, life, job, timeout_ns, &took_ns, why);
    return outcome;
}
