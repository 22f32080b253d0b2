/* dispatch.c: see dispatch.h. */
#include "dispatch_part.h"

#include "error.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOT_BYTES = 32 << 20,
    FIRST_ROWS = 50, /* a device that is not known yet is tried from here on */
    SECOND_TRY_EVERY = 64 /* jobs; what was slow once may be fast again */
};
#define TIMEOUT_NS (INT64_C(2) * 1000000000)

static const enum device_kind order[] = {DEVICE_CUDA, DEVICE_OPENCL};
enum { ORDER_COUNT = sizeof order / sizeof order[0] };

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
    for (uint32_t i = 0; i < d->entry_count; i++)
        free(d->entries[i]);
    free(d->entries);
    free(d);
}

/* NULL: out of memory, the CPU has it. */
static struct dispatch_entry *entry_of(struct dispatch *d,
                                       const struct kernel *kernel)
{
    for (uint32_t i = 0; i < d->entry_count; i++)
        if (d->entries[i]->kernel == kernel)
            return d->entries[i];
    if (d->entry_count == d->entry_room) {
        uint32_t room = d->entry_room * 2 + 16;
        struct dispatch_entry **grown =
            realloc(d->entries, room * sizeof(struct dispatch_entry *));
        if (!grown)
            return NULL;
        d->entries = grown;
        d->entry_room = room;
    }
    struct dispatch_entry *e = calloc(1, sizeof *e); /* tickets point to it */
    if (!e)
        return NULL;
    d->entries[d->entry_count++] = e;
    e->kernel = kernel;
    for (int i = 0; i < DEVICE_KINDS; i++)
        breaker_init(&e->breakers[i],
                     d->chance + (uint64_t)i * 77 + d->entry_count);
    return e;
}

/* ---- costs ---- */

/* t = fixed + bytes * rate: the rate from large jobs, what is left of small
 * ones is the fixed part. */
void dispatch_learn(struct dispatch_entry *e, enum device_kind kind,
                    double bytes, double ns)
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

static double expected(const struct dispatch_entry *e, enum device_kind kind,
                       double bytes)
{
    return e->fixed_ns[kind] + bytes * e->byte_ns[kind];
}

/* ---- where to ---- */

/* Is this device worth asking? */
static bool is_sooner(struct dispatch *d, struct dispatch_entry *e,
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
    text_format(why, DEVICE_TEXT_BYTES,
                "%s would take %.0f us, the CPU %.0f us",
                device_rows[kind]->kind, expected(e, kind, bytes) / 1000,
                expected(e, DEVICE_CPU, bytes) / 1000);
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
    struct dispatch_entry *e = entry_of(d, job->kernel);
    for (int i = 0; e && i < 2 && first == DEVICE_CPU; i++)
        if (!d->absent[order[i]] && !e->off[order[i]] &&
            !d->starting[order[i]] &&
            e->breakers[order[i]].state == BREAKER_CLOSED &&
            is_sooner(d, e, order[i], job, on, true, why))
            first = order[i];
    os_unlock(&d->lock);
    return first;
}

/* Can the device have a job now? A start is waited for by its first caller, and
 * by who has no other place to go. */
static bool is_there(struct dispatch *d, struct dispatch_ticket *t,
                     enum device_kind kind, int64_t wait_ns)
{
    const char *name = device_rows[kind]->kind;
    bool must = t->on == DISPATCH_GPU_ONLY;
    char *why = t->info.why;
    if (must && wait_ns != 0)
        dispatch_wait_start(d, kind);
    if (d->starting[kind])
        snprintf(why, DEVICE_TEXT_BYTES, "%s is being started", name);
    else if (dispatch_starts(d, kind) &&
             (d->options.now_ns(d->options.now_arg) < d->rests_until[kind] ||
              (t->waited && !must)))
        snprintf(why, DEVICE_TEXT_BYTES, "%s takes too long to start", name);
    else
        return true;
    return false;
}

/* Of the devices from the ticket's next on, one that is worth asking; its lane
 * is the ticket's. false: there is none, or none gets free in time. */
static bool choose(struct dispatch *d, struct dispatch_ticket *t,
                   int64_t wait_ns)
{
    struct dispatch_entry *e = t->entry;
    for (; t->next < ORDER_COUNT; t->next++) {
        enum device_kind kind = order[t->next];
        char *why = t->info.why;
        uint32_t lane;
        /* A fault says more than the absence of another device. */
        if (e->off[kind])
            snprintf(why, DEVICE_TEXT_BYTES, "%s", e->off_why[kind]);
        else if (d->absent[kind] && !why[0])
            snprintf(why, DEVICE_TEXT_BYTES, "%s", d->absent_why[kind]);
        if (d->absent[kind] || e->off[kind] || t->job->p.rows == 0 ||
            !is_sooner(d, e, kind, t->job, t->on, false, why))
            continue;
        if (!is_there(d, t, kind, wait_ns)) {
            if (d->starting[kind] && t->on == DISPATCH_GPU_ONLY)
                return false; /* it is waited for when the job is ended */
            continue;
        }
        if (!dispatch_take_lane(d, kind, wait_ns, &lane)) {
            snprintf(why, DEVICE_TEXT_BYTES, "other jobs have all of %s",
                     device_rows[kind]->kind);
            return false;
        }
        enum breaker_pass pass =
            d->absent[kind] /* since it was waited for */
                ? BREAKER_NO
                : breaker_ask(&e->breakers[kind],
                              d->options.now_ns(d->options.now_arg));
        if (pass == BREAKER_NO) {
            dispatch_give_lane(d, kind, lane);
            snprintf(why, DEVICE_TEXT_BYTES,
                     "the breaker of %s is open after faults",
                     device_rows[kind]->kind);
            continue;
        }
        t->shadow = pass == BREAKER_SHADOW;
        t->attempt.kind = kind;
        t->attempt.lane = lane;
        return true;
    }
    return false;
}

int dispatch_begin(struct dispatch *d, const struct kernel_job *job,
                   const struct mirror_rows *rows, enum dispatch_on on,
                   struct dispatch_ticket *t)
{
    const char *why = kernel_refuse(job);
    memset(t, 0, sizeof *t);
    t->from_ns = os_mono_ns();
    t->job = job;
    t->rows = rows;
    t->on = on;
    t->info.rows = job->p.rows;
    if (why)
        return error_set(WARP_EINVAL, "%s: %s", job->kernel->name, why);
    os_lock(&d->lock);
    t->entry = entry_of(d, job->kernel);
    if (on == DISPATCH_CPU || !t->entry)
        t->next = ORDER_COUNT;
    if (on == DISPATCH_CPU)
        snprintf(t->info.why, sizeof t->info.why, "the CPU comes first");
    if (choose(d, t, 0))
        dispatch_submit(d, t);
    os_unlock(&d->lock);
    return WARP_OK;
}

/* On one device after the other. A job that was under way does not wait for
 * the lane of another device: it may be that of its caller's next job. */
static bool on_a_device(struct dispatch *d, struct dispatch_ticket *t)
{
    int64_t wait_ns = -1;
    for (;;) {
        if (t->under_way) {
            if (dispatch_collect(d, t))
                break;
            t->next++;
            wait_ns = t->on == DISPATCH_GPU_ONLY ? d->options.timeout_ns : 0;
        }
        os_lock(&d->lock);
        bool chosen = choose(d, t, wait_ns);
        if (chosen)
            dispatch_submit(d, t);
        os_unlock(&d->lock);
        if (!chosen)
            return false;
    }
    t->info.ran_on = t->attempt.kind;
    return true;
}

static void on_the_cpu(struct dispatch *d, struct dispatch_ticket *t)
{
    int64_t began = os_mono_ns();
    device_blank(t->job);
    t->job->kernel->run(t->job);
    t->info.ran_on = DEVICE_CPU;
    if (!t->entry)
        return;
    os_lock(&d->lock);
    dispatch_learn(t->entry, DEVICE_CPU, (double)kernel_bytes(t->job),
                   (double)(os_mono_ns() - began));
    os_unlock(&d->lock);
}

int dispatch_end(struct dispatch *d, struct dispatch_ticket *t,
                 struct dispatch_info *info)
{
    int rc = WARP_OK;
    bool done = t->next < ORDER_COUNT && on_a_device(d, t);
    if (!done && t->on == DISPATCH_GPU_ONLY && t->job->p.rows > 0)
        rc = error_set(WARP_ENODEV, "%s is gpu_only: %s", t->job->kernel->name,
                       t->info.why[0] ? t->info.why : "there is no device");
    else if (!done)
        on_the_cpu(d, t);
    t->info.ns = os_mono_ns() - t->from_ns;
    if (info)
        *info = t->info;
    return rc;
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
    struct dispatch_ticket t;
    int rc = dispatch_begin(d, job, rows, on, &t);
    return rc == WARP_OK ? dispatch_end(d, &t, info) : rc;
}

enum breaker_state dispatch_breaker(struct dispatch *d, enum device_kind kind,
                                    const struct kernel *kernel)
{
    os_lock(&d->lock);
    struct dispatch_entry *e = entry_of(d, kernel);
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

uint64_t dispatch_sent_bytes(const struct dispatch *d, enum device_kind kind)
{
    return atomic_load_explicit(&d->sent_bytes[kind], memory_order_relaxed);
}
