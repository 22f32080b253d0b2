/* dispatch.c: see dispatch.h. */
#include "dispatch.h"

#include "error.h"
#include "os.h"
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KERNELS_MAX = WORKER_KERNELS_MAX,
    SLOT_BYTES = 64 << 20,
    CHECKED_LEAST = 8,
    CHECKED_SHARE = 100,
    FIRST_ROWS = 50, /* a device that is not known yet is tried from here on */
    SECOND_TRY_EVERY = 64 /* jobs; what was slow once may be fast again */
};
#define TIMEOUT_NS (INT64_C(2) * 1000000000)

/* What is known of one kernel. */
struct entry {
    const struct kernel *kernel;
    struct breaker breakers[DEVICE_KINDS];
    bool off[DEVICE_KINDS]; /* the kernel is at fault there */
    double fixed_ns[DEVICE_KINDS], byte_ns[DEVICE_KINDS]; /* learnt; 0: no */
    uint32_t seen[DEVICE_KINDS];
    uint32_t turned_down; /* jobs that a device was too slow for */
};

struct dispatch {
    struct os_lock lock;
    struct dispatch_options options;
    struct worker *workers[DEVICE_KINDS];
    struct device *devices[DEVICE_KINDS]; /* in_process */
    bool absent[DEVICE_KINDS];
    char absent_why[DEVICE_KINDS][DEVICE_TEXT_BYTES];
    struct entry entries[KERNELS_MAX];
    uint32_t entry_count;
    uint64_t chance;
    struct mirror *mirror;
    bool drop[DEVICE_KINDS]; /* what it holds counts no more: give it back */
    _Atomic uint64_t sent_bytes;
};

static int64_t machine_ns(void *arg)
{
    (void)arg;
    return os_mono_ns();
}

const char *dispatch_program(void)
{
    const char *program = getenv("WARP_WORKER");
    return program && *program ? program : WARP_WORKER_PROGRAM;
}

struct dispatch *dispatch_create(const struct dispatch_options *options)
{
    struct dispatch *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    if (options)
        d->options = *options;
    if (!d->options.program)
        d->options.program = dispatch_program();
    if (d->options.slot_bytes == 0)
        d->options.slot_bytes = SLOT_BYTES;
    if (d->options.timeout_ns == 0)
        d->options.timeout_ns = TIMEOUT_NS;
    if (!d->options.now_ns)
        d->options.now_ns = machine_ns;
    d->mirror = mirror_create(d->options.mirror_bytes);
    if (!d->mirror) {
        free(d);
        return NULL;
    }
    if (os_random(&d->chance, sizeof d->chance) != 0)
        d->chance = (uint64_t)os_mono_ns();
    return d;
}

void dispatch_destroy(struct dispatch **dispatch)
{
    struct dispatch *d = *dispatch;
    if (!d)
        return;
    *dispatch = NULL;
    for (int i = 0; i < DEVICE_KINDS; i++)
        worker_destroy(&d->workers[i]);
    for (int i = 0; i < DEVICE_KINDS; i++)
        if (d->devices[i])
            device_rows[i]->close(&d->devices[i]);
    mirror_destroy(&d->mirror);
    free(d);
}

/* NULL: the table is full, the CPU has it. */
static struct entry *entry_of(struct dispatch *d, const struct kernel *kernel)
{
    for (uint32_t i = 0; i < d->entry_count; i++)
        if (d->entries[i].kernel == kernel)
            return &d->entries[i];
    if (d->entry_count == KERNELS_MAX)
        return NULL;
    struct entry *e = &d->entries[d->entry_count++];
    e->kernel = kernel;
    for (int i = 0; i < DEVICE_KINDS; i++)
        breaker_init(&e->breakers[i],
                     d->chance + (uint64_t)i * 77 + d->entry_count);
    return e;
}

/* ---- costs ---- */

/* t = fixed + bytes * rate: the rate from large jobs, what is left of small
 * ones is the fixed part. */
static void learn(struct entry *e, enum device_kind kind, double bytes,
                  double ns)
{
    double rate = ns / (bytes + 1), weight = e->seen[kind] < 4 ? 0.5 : 0.2;
    if (e->seen[kind]++ == 0) {
        e->byte_ns[kind] = rate;
        e->fixed_ns[kind] = kind == DEVICE_CPU ? 0 : ns / 2;
        return;
    }
    double left = ns - bytes * e->byte_ns[kind];
    if (rate < e->byte_ns[kind])
        e->byte_ns[kind] += (rate - e->byte_ns[kind]) * weight;
    else
        e->byte_ns[kind] +=
            ((ns - e->fixed_ns[kind]) / (bytes + 1) - e->byte_ns[kind]) *
            weight;
    if (e->byte_ns[kind] < 0)
        e->byte_ns[kind] = 0;
    left = left < 0 ? 0 : left;
    if (kind != DEVICE_CPU)
        e->fixed_ns[kind] += (left - e->fixed_ns[kind]) * weight;
}

static double expected(const struct entry *e, enum device_kind kind,
                       double bytes)
{
    return e->fixed_ns[kind] + bytes * e->byte_ns[kind];
}

/* ---- results of a device ---- */

/* All ones where a number belongs: it was not written. */
static bool is_blank(const struct kernel_job *job, uint32_t arg, uint32_t row)
{
    const struct kernel_arg *a = &job->kernel->args[arg];
    uint64_t bytes = kernel_arg_bytes(job, arg), rows = job->p.rows;
    if (!a->out || !a->real || a->extent == KERNEL_ITEM || rows == 0)
        return false;
    const unsigned char *at =
        (const unsigned char *)job->arg[arg] + bytes / rows * row;
    for (uint64_t i = 0; i < bytes / rows; i += a->bytes) {
        uint64_t ones = 0;
        memcpy(&ones, at + i, a->bytes);
        if (ones == (a->bytes == 8 ? UINT64_MAX : UINT32_MAX))
            return true;
    }
    return false;
}

static const char *check(struct dispatch *d, const struct kernel_job *job,
                         bool all, uint32_t *checked)
{
    uint32_t rows = job->p.rows, step = rows / CHECKED_LEAST;
    if (step > CHECKED_SHARE)
        step = CHECKED_SHARE;
    step = all || step == 0 ? 1 : step;
    d->chance = d->chance * 6364136223846793005u + 1442695040888963407u;
    uint32_t first = (uint32_t)(d->chance >> 33) % step;
    for (uint32_t i = 0; i < rows; i++) {
        bool blank = false;
        for (uint32_t a = 0; a < job->kernel->arg_count && !blank; a++)
            blank = is_blank(job, a, i);
        if (!blank && i % step != first)
            continue;
        const char *why = job->kernel->invalid(job, i);
        (*checked)++;
        if (why)
            return why;
    }
    return NULL;
}

/* ---- devices ---- */

/* In this process: a device that is lost stays closed, and absent. */
static enum device_outcome run_here(struct dispatch *d, enum device_kind kind,
                                    const struct kernel_job *job,
                                    const struct device_plan *plan, char *why)
{
    enum device_outcome outcome = DEVICE_OK;
    if (!d->devices[kind])
        outcome = device_rows[kind]->open(&d->devices[kind], why);
    if (outcome != DEVICE_OK)
        return outcome;
    d->devices[kind]->plan = plan;
    outcome = device_rows[kind]->run(d->devices[kind], job);
    d->devices[kind]->plan = NULL;
    if (outcome != DEVICE_OK)
        snprintf(why, DEVICE_TEXT_BYTES, "%s", d->devices[kind]->why);
    if (outcome == DEVICE_STICKY) {
        device_rows[kind]->close(&d->devices[kind]);
        d->absent[kind] = true;
        snprintf(d->absent_why[kind], DEVICE_TEXT_BYTES,
                 "%s was lost for this process", device_rows[kind]->kind);
    }
    return outcome;
}

static bool is_up(const struct dispatch *d, enum device_kind kind)
{
    if (d->options.in_process)
        return d->devices[kind] != NULL;
    return d->workers[kind] && worker_pid(d->workers[kind]) != 0;
}

/* M3. */
static void distrust(struct dispatch *d, enum device_kind kind,
                     enum device_outcome outcome)
{
    if (outcome == DEVICE_TRANSIENT)
        mirror_no_room(d->mirror, kind);
    else
        mirror_forget(d->mirror, kind);
    d->drop[kind] = true;
}

static uint64_t to_send(const struct kernel_job *job,
                        const struct device_plan *plan)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < job->kernel->arg_count; i++)
        if (!job->kernel->args[i].out && !(plan->args >> i & 1))
            bytes += kernel_arg_bytes(job, i);
    for (uint32_t i = 0; i < plan->fill_count; i++)
        bytes += plan->fills[i].bytes;
    for (uint32_t i = 0; i < plan->piece_count; i++)
        if (plan->pieces[i].held == DEVICE_FROM_HOST)
            bytes += plan->pieces[i].bytes;
    return bytes;
}

static bool has_slot(const struct dispatch *d, const struct kernel_job *job,
                     size_t more)
{
    enum { AROUND_EACH = 128 };
    return d->options.in_process ||
           kernel_bytes(job) + more +
                   (job->kernel->arg_count + 1) * (uint64_t)AROUND_EACH <=
               d->options.slot_bytes;
}

static enum device_outcome run_there(struct dispatch *d, enum device_kind kind,
                                     const struct kernel_job *job,
                                     const struct device_plan *given, char *why)
{
    struct device_plan plan = given ? *given : (struct device_plan){0};
    enum device_outcome outcome;
    if (!has_slot(d, job, plan.fresh_bytes)) {
        snprintf(why, DEVICE_TEXT_BYTES, "the job does not fit its slot");
        return DEVICE_TRANSIENT;
    }
    plan.drop = d->drop[kind];
    d->drop[kind] = false;
    if (d->options.in_process) {
        outcome = run_here(d, kind, job, &plan, why);
    } else {
        if (!d->workers[kind])
            d->workers[kind] =
                worker_create(d->options.program, kind, d->options.slot_bytes);
        if (!d->workers[kind])
            return DEVICE_ABSENT; /* why says: out of memory */
        outcome = worker_run_plan(d->workers[kind], job, &plan,
                                  d->options.timeout_ns, why);
    }
    if (outcome == DEVICE_OK)
        atomic_fetch_add_explicit(&d->sent_bytes, to_send(job, &plan),
                                  memory_order_relaxed);
    else
        distrust(d, kind, outcome);
    return outcome;
}

/* A part of a job, once; halves where the device has no room for it. */
static enum device_outcome try_part(struct dispatch *d, enum device_kind kind,
                                    const struct kernel_job *job, int halves,
                                    char *why)
{
    struct kernel_job part;
    enum device_outcome outcome = run_there(d, kind, job, NULL, why);
    uint32_t half = job->p.rows / 2;
    if (outcome != DEVICE_TRANSIENT || halves == 0 || half == 0)
        return outcome;
    if (!kernel_slice(job, 0, half, &part))
        return outcome;
    outcome = try_part(d, kind, &part, halves - 1, why);
    if (outcome != DEVICE_OK ||
        !kernel_slice(job, half, job->p.rows - half, &part))
        return outcome;
    return try_part(d, kind, &part, halves - 1, why);
}

/* With what the device has of columns; where it has no room for that, without:
 * they give way to the job. */
static enum device_outcome try_rows(struct dispatch *d, enum device_kind kind,
                                    const struct kernel_job *job,
                                    const struct mirror_rows *rows, int halves,
                                    char *why)
{
    if (!is_up(d, kind))
        mirror_forget(d->mirror, kind);
    if (rows && has_slot(d, job, rows->fresh_used)) {
        enum device_outcome outcome = run_there(
            d, kind, job, mirror_plan(d->mirror, kind, rows), why);
        if (outcome != DEVICE_TRANSIENT)
            return outcome;
    }
    return try_part(d, kind, job, halves, why);
}

/* Did the device do it? Otherwise `why` has the reason. */
static bool try_device(struct dispatch *d, struct entry *e,
                       enum device_kind kind, const struct kernel_job *job,
                       const struct mirror_rows *rows, bool shadow,
                       struct dispatch_info *info)
{
    int64_t now = d->options.now_ns(d->options.now_arg);
    struct breaker *b = &e->breakers[kind];
    int64_t from = os_mono_ns();
    int halves = kernel_bytes(job) > d->options.slot_bytes ? 6 : 1;
    bool cold = e->seen[kind] == 0;
    char why[DEVICE_TEXT_BYTES] = "out of memory";
    enum device_outcome outcome =
        try_rows(d, kind, job, rows, halves, why);
    const char *wrong = NULL;
    /* A fault says more than the absence of the next device. */
    if (outcome != DEVICE_OK && (outcome != DEVICE_ABSENT || !info->why[0]))
        snprintf(info->why, sizeof info->why, "%s", why);
    switch (outcome) {
    case DEVICE_OK:
        if (cold) /* its compiler ran: no figure to learn from */
            e->seen[kind] = 1;
        else
            learn(e, kind, (double)kernel_bytes(job),
                  (double)(os_mono_ns() - from));
        wrong = check(d, job, shadow, &info->checked);
        if (!wrong) {
            breaker_good(b);
            return true;
        }
        snprintf(info->why, sizeof info->why, "%s gave wrong results: %s",
                 device_rows[kind]->kind, wrong);
        distrust(d, kind, DEVICE_STICKY);
        breaker_bad(b, now, true);
        return false;
    case DEVICE_TRANSIENT:
        breaker_bad(b, now, false);
        return false;
    case DEVICE_KERNEL:
        e->off[kind] = true;
        breaker_bad(b, now, shadow);
        return false;
    case DEVICE_ABSENT:
        d->absent[kind] = true;
        snprintf(d->absent_why[kind], DEVICE_TEXT_BYTES, "%s", why);
        breaker_bad(b, now, shadow);
        return false;
    case DEVICE_STICKY:
        breaker_bad(b, now, true);
        return false;
    }
    return false;
}

static const enum device_kind order[] = {DEVICE_CUDA, DEVICE_OPENCL};

/* Is this device worth asking? */
static bool is_sooner(struct dispatch *d, struct entry *e,
                      enum device_kind kind, const struct kernel_job *job,
                      enum dispatch_on on, bool guess, char *why)
{
    uint32_t turned_down = e->turned_down + 1;
    double bytes = (double)kernel_bytes(job);
    if (on == DISPATCH_GPU_ONLY || d->options.always_device)
        return true;
    if (e->seen[kind] < 2) {
        if (job->p.rows >= FIRST_ROWS)
            return true;
        snprintf(why, DEVICE_TEXT_BYTES, "fewer than %d rows", FIRST_ROWS);
        return false;
    }
    if (e->seen[DEVICE_CPU] == 0) {
        snprintf(why, DEVICE_TEXT_BYTES, "the CPU's time is not known yet");
        return false;
    }
    if (expected(e, kind, bytes) <= expected(e, DEVICE_CPU, bytes))
        return true;
    if (!guess)
        e->turned_down = turned_down;
    if (turned_down % SECOND_TRY_EVERY == 0)
        return true;
    snprintf(why, DEVICE_TEXT_BYTES, "%s would take %.0f us, the CPU %.0f us",
             device_rows[kind]->kind, expected(e, kind, bytes) / 1000,
             expected(e, DEVICE_CPU, bytes) / 1000);
    return false;
}

static bool on_a_device(struct dispatch *d, struct entry *e,
                        const struct kernel_job *job,
                        const struct mirror_rows *rows, enum dispatch_on on,
                        struct dispatch_info *info)
{
    for (int i = 0; i < 2; i++) {
        enum device_kind kind = order[i];
        if (d->absent[kind] || e->off[kind] || job->p.rows == 0) {
            if (d->absent[kind] && !info->why[0])
                snprintf(info->why, sizeof info->why, "%s",
                         d->absent_why[kind]);
            continue;
        }
        if (!is_sooner(d, e, kind, job, on, false, info->why))
            continue;
        enum breaker_pass pass = breaker_ask(
            &e->breakers[kind], d->options.now_ns(d->options.now_arg));
        if (pass == BREAKER_NO) {
            snprintf(info->why, sizeof info->why,
                     "the breaker of %s is open after faults",
                     device_rows[kind]->kind);
            continue;
        }
        if (!try_device(d, e, kind, job, rows, pass == BREAKER_SHADOW,
                        info))
            continue;
        info->ran_on = kind;
        snprintf(info->why, sizeof info->why, "%s",
                 on == DISPATCH_GPU_ONLY   ? "gpu_only"
                 : pass == BREAKER_SHADOW  ? "a trial: all rows compared"
                 : e->seen[DEVICE_CPU] > 0 ? "sooner than the CPU"
                                           : "a batch of this size");
        return true;
    }
    return false;
}

enum device_kind dispatch_first(struct dispatch *d,
                                const struct kernel_job *job,
                                enum dispatch_on on)
{
    enum device_kind first = DEVICE_CPU;
    char why[DEVICE_TEXT_BYTES];
    if (on == DISPATCH_CPU || job->p.rows == 0)
        return DEVICE_CPU;
    os_lock(&d->lock);
    struct entry *e = entry_of(d, job->kernel);
    for (int i = 0; e && i < 2 && first == DEVICE_CPU; i++)
        if (!d->absent[order[i]] && !e->off[order[i]] &&
            e->breakers[order[i]].state == BREAKER_CLOSED &&
            is_sooner(d, e, order[i], job, on, true, why))
            first = order[i];
    os_unlock(&d->lock);
    return first;
}

int dispatch_run(struct dispatch *d, const struct kernel_job *job,
                 enum dispatch_on on, struct dispatch_info *info)
{
    return dispatch_run_rows(d, job, NULL, on, info);
}

int dispatch_run_rows(struct dispatch *d, const struct kernel_job *job,
                      const struct mirror_rows *rows, enum dispatch_on on,
                      struct dispatch_info *info)
{
    struct dispatch_info own;
    const char *why = kernel_refuse(job);
    int64_t from = os_mono_ns();
    if (!info)
        info = &own;
    memset(info, 0, sizeof *info);
    info->rows = job->p.rows;
    if (why)
        return error_set(WARP_EINVAL, "%s: %s", job->kernel->name, why);
    os_lock(&d->lock);
    struct entry *e = entry_of(d, job->kernel);
    if (on == DISPATCH_CPU)
        snprintf(info->why, sizeof info->why, "the CPU comes first");
    bool done =
        e && on != DISPATCH_CPU && on_a_device(d, e, job, rows, on, info);
    os_unlock(&d->lock);
    if (!done && on == DISPATCH_GPU_ONLY && job->p.rows > 0)
        return error_set(WARP_ENODEV, "%s is gpu_only: %s", job->kernel->name,
                         info->why[0] ? info->why : "there is no device");
    if (!done) {
        int64_t began = os_mono_ns();
        device_blank(job);
        job->kernel->run(job);
        os_lock(&d->lock);
        if (e)
            learn(e, DEVICE_CPU, (double)kernel_bytes(job),
                  (double)(os_mono_ns() - began));
        os_unlock(&d->lock);
    }
    info->ns = os_mono_ns() - from;
    return WARP_OK;
}

enum breaker_state dispatch_breaker(struct dispatch *d, enum device_kind kind,
                                    const struct kernel *kernel)
{
    os_lock(&d->lock);
    struct entry *e = entry_of(d, kernel);
    enum breaker_state state = e ? e->breakers[kind].state : BREAKER_OPEN;
    os_unlock(&d->lock);
    return state;
}

int dispatch_worker_pid(struct dispatch *d, enum device_kind kind)
{
    os_lock(&d->lock);
    int pid = d->workers[kind] ? worker_pid(d->workers[kind]) : 0;
    os_unlock(&d->lock);
    return pid;
}

struct mirror *dispatch_mirror(struct dispatch *d)
{
    return d->mirror;
}

uint64_t dispatch_sent_bytes(const struct dispatch *d)
{
    return atomic_load_explicit(&d->sent_bytes, memory_order_relaxed);
}
