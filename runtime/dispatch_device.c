/* dispatch_device.c: a job on a device: its lane, what the device has of
 * columns, halves where there is no room, and the comparison of the results. */
#include "dispatch_part.h"

#include <stdio.h>
#include <string.h>

enum { CHECKED_LEAST = 8, CHECKED_SHARE = 100 };
#define SECOND_NS   INT64_C(1000000000)
#define LONG_NS     SECOND_NS /* a start that fails after this was waited for */
#define REST_NS     (60 * SECOND_NS)
#define REST_MAX_NS (3600 * SECOND_NS)

/* ---- lanes ---- */

static bool free_lane(struct dispatch *d, enum device_kind kind, uint32_t *lane)
{
    for (*lane = 0; *lane < DEVICE_LANES; ++*lane)
        if (!d->busy[kind][*lane])
            return d->busy[kind][*lane] = true;
    return false;
}

bool dispatch_take_lane(struct dispatch *d, enum device_kind kind,
                        int64_t wait_ns, uint32_t *lane)
{
    int64_t end = os_mono_ns() + wait_ns, left = wait_ns;
    while (!free_lane(d, kind, lane)) {
        uint32_t seen = atomic_load(&d->freed);
        if (wait_ns >= 0 && left <= 0)
            return false;
        os_unlock(&d->lock);
        os_futex_wait(&d->freed, seen, left);
        left = wait_ns < 0 ? -1 : end - os_mono_ns();
        os_lock(&d->lock);
    }
    return true;
}

void dispatch_wait_start(struct dispatch *d, enum device_kind kind)
{
    while (d->starting[kind]) {
        uint32_t seen = atomic_load(&d->freed);
        os_unlock(&d->lock);
        os_futex_wait(&d->freed, seen, -1);
        os_lock(&d->lock);
    }
}

bool dispatch_starts(struct dispatch *d, enum device_kind kind)
{
    uint32_t life;
    return !d->options.in_process &&
           (!d->workers[kind] || !worker_runs(d->workers[kind], &life));
}

void dispatch_give_lane(struct dispatch *d, enum device_kind kind,
                        uint32_t lane)
{
    d->busy[kind][lane] = false;
    atomic_fetch_add(&d->freed, 1);
    os_futex_wake(&d->freed, INT32_MAX);
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

/* About one row in a hundred, at least some, and all that are blank. */
static const char *check(const struct kernel_job *job, uint32_t step,
                         uint32_t first, uint32_t *checked)
{
    for (uint32_t i = 0; i < job->p.rows; i++) {
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

static const char *check_sample(struct dispatch *d, struct dispatch_ticket *t)
{
    uint32_t step = t->job->p.rows / CHECKED_LEAST;
    if (step > CHECKED_SHARE)
        step = CHECKED_SHARE;
    step = t->shadow || step == 0 ? 1 : step;
    os_lock(&d->lock);
    d->chance = d->chance * 6364136223846793005u + 1442695040888963407u;
    uint32_t first = (uint32_t)(d->chance >> 33) % step;
    os_unlock(&d->lock);
    return check(t->job, step, first, &t->info.checked);
}

/* ---- one attempt ---- */

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
    return d->options.in_process ||
           worker_needs(job, more) <= d->options.slot_bytes;
}

/* In this process a device that is lost stays closed, and absent; its last job
 * closes it. */
static void close_lost(struct dispatch *d, enum device_kind kind)
{
    d->absent[kind] = true;
    snprintf(d->absent_why[kind], DEVICE_TEXT_BYTES,
             "%s was lost for this process", device_rows[kind]->kind);
    for (uint32_t i = 0; i < DEVICE_LANES; i++)
        if (d->busy[kind][i])
            return;
    device_rows[kind]->close(&d->devices[kind]);
}

/* Whoever else has a job meanwhile does not wait for the driver: the lock is
 * free. A driver that took long to fail is left alone, longer each time. */
static enum device_outcome start(struct dispatch *d, struct dispatch_attempt *a)
{
    enum device_kind kind = a->kind;
    struct worker *worker = d->workers[kind];
    int64_t from = os_mono_ns();
    d->starting[kind] = true;
    os_unlock(&d->lock);
    enum device_outcome outcome = worker_ready(worker, &a->life, a->why);
    os_lock(&d->lock);
    d->starting[kind] = false;
    atomic_fetch_add(&d->freed, 1);
    os_futex_wake(&d->freed, INT32_MAX);
    if (outcome == DEVICE_OK)
        d->rest_ns[kind] = 0;
    else if (outcome == DEVICE_STICKY && os_mono_ns() - from >= LONG_NS) {
        d->rest_ns[kind] = d->rest_ns[kind] == 0 ? REST_NS
                           : d->rest_ns[kind] < REST_MAX_NS
                               ? d->rest_ns[kind] * 2
                               : REST_MAX_NS;
        d->rests_until[kind] =
            d->options.now_ns(d->options.now_arg) + d->rest_ns[kind];
        a->late = true;
    }
    return outcome;
}

/* A device that answers; what the mirror knows is of its life. */
static enum device_outcome get_ready(struct dispatch *d,
                                     struct dispatch_attempt *a)
{
    enum device_kind kind = a->kind;
    enum device_outcome outcome = DEVICE_OK;
    if (d->options.in_process) {
        if (!d->devices[kind])
            outcome = device_rows[kind]->open(&d->devices[kind], a->why);
        return outcome;
    }
    if (!d->workers[kind])
        d->workers[kind] =
            worker_create(d->options.program, kind, d->options.slot_bytes,
                          d->options.start_ns);
    if (!d->workers[kind])
        return DEVICE_ABSENT; /* why says: out of memory */
    dispatch_wait_start(d, kind);
    if (!worker_runs(d->workers[kind], &a->life))
        outcome = start(d, a);
    if (a->life != d->lives[kind]) {
        mirror_forget(d->mirror, kind);
        d->lives[kind] = a->life;
    }
    return outcome;
}

/* Under the lock. */
static enum device_outcome begin(struct dispatch *d, struct dispatch_attempt *a,
                                 const struct kernel_job *job,
                                 const struct mirror_rows *rows)
{
    enum device_kind kind = a->kind;
    struct device_plan plan = {0};
    snprintf(a->why, sizeof a->why, "out of memory");
    if (!has_slot(d, job, rows ? rows->fresh_used : 0)) {
        snprintf(a->why, sizeof a->why, "the job does not fit its slot");
        return DEVICE_TRANSIENT;
    }
    enum device_outcome outcome = get_ready(d, a);
    if (outcome == DEVICE_OK && rows)
        plan = *mirror_plan(d->mirror, kind, rows);
    plan.drop = d->drop[kind];
    a->sent_bytes = to_send(job, &plan);
    a->took_ns = os_mono_ns();
    if (outcome == DEVICE_OK && !d->options.in_process) {
        d->drop[kind] = false;
        outcome = worker_begin(d->workers[kind], a->lane, a->life, job, &plan,
                               a->why);
    } else if (outcome == DEVICE_OK) {
        d->drop[kind] = false;
        outcome =
            device_rows[kind]->begin(d->devices[kind], a->lane, job, &plan);
        if (outcome != DEVICE_OK)
            snprintf(a->why, sizeof a->why, "%s",
                     d->devices[kind]->why[a->lane]);
    }
    a->took_ns = os_mono_ns() - a->took_ns;
    if (outcome != DEVICE_OK)
        distrust(d, kind, outcome);
    return outcome;
}

static enum device_outcome finish(struct dispatch *d,
                                  struct dispatch_attempt *a,
                                  const struct kernel_job *job)
{
    enum device_kind kind = a->kind;
    int64_t from = os_mono_ns();
    enum device_outcome outcome;
    if (d->options.in_process) {
        outcome = device_rows[kind]->finish(d->devices[kind], a->lane);
        a->took_ns += os_mono_ns() - from;
        if (outcome != DEVICE_OK)
            snprintf(a->why, sizeof a->why, "%s",
                     d->devices[kind]->why[a->lane]);
    } else {
        outcome = worker_finish(d->workers[kind], a->lane, a->life, job,
                                d->options.timeout_ns, &a->took_ns, a->why);
    }
    if (outcome == DEVICE_OK) {
        atomic_fetch_add_explicit(&d->sent_bytes[kind], a->sent_bytes,
                                  memory_order_relaxed);
        device_note(kind, 0, a->sent_bytes);
        return outcome;
    }
    os_lock(&d->lock);
    distrust(d, kind, outcome);
    os_unlock(&d->lock);
    return outcome;
}

static enum device_outcome try_part(struct dispatch *d,
                                    struct dispatch_attempt *a,
                                    const struct kernel_job *job, int halves);

/* Where the device has no room for all of it. */
static enum device_outcome try_halves(struct dispatch *d,
                                      struct dispatch_attempt *a,
                                      const struct kernel_job *job, int halves)
{
    struct kernel_job part;
    uint32_t half = job->p.rows / 2;
    if (halves == 0 || half == 0 || !kernel_slice(job, 0, half, &part))
        return DEVICE_TRANSIENT;
    enum device_outcome outcome = try_part(d, a, &part, halves - 1);
    if (outcome != DEVICE_OK ||
        !kernel_slice(job, half, job->p.rows - half, &part))
        return outcome;
    return try_part(d, a, &part, halves - 1);
}

static enum device_outcome try_part(struct dispatch *d,
                                    struct dispatch_attempt *a,
                                    const struct kernel_job *job, int halves)
{
    os_lock(&d->lock);
    enum device_outcome outcome = begin(d, a, job, NULL);
    os_unlock(&d->lock);
    if (outcome == DEVICE_OK)
        outcome = finish(d, a, job);
    return outcome == DEVICE_TRANSIENT ? try_halves(d, a, job, halves)
                                       : outcome;
}

/* ---- a ticket ---- */

void dispatch_submit(struct dispatch *d, struct dispatch_ticket *t)
{
    t->attempt.outcome = begin(d, &t->attempt, t->job, t->rows);
    t->waited |= t->attempt.late;
    t->under_way = true;
}

/* With what the device has of columns; where it has no room for that, without:
 * they give way to the job. */
static enum device_outcome collect(struct dispatch *d,
                                   struct dispatch_ticket *t)
{
    struct dispatch_attempt *a = &t->attempt;
    int halves = kernel_bytes(t->job) > d->options.slot_bytes ? 6 : 1;
    enum device_outcome outcome = a->outcome;
    if (outcome == DEVICE_OK)
        outcome = finish(d, a, t->job);
    if (outcome != DEVICE_TRANSIENT)
        return outcome;
    return t->rows ? try_part(d, a, t->job, halves)
                   : try_halves(d, a, t->job, halves);
}

/* Under the lock: what the outcome means for the device and this kernel. */
static void judge(struct dispatch *d, struct dispatch_ticket *t,
                  enum device_outcome outcome, const char *wrong)
{
    struct dispatch_attempt *a = &t->attempt;
    struct dispatch_entry *e = t->entry;
    struct breaker *b = &e->breakers[a->kind];
    int64_t now = d->options.now_ns(d->options.now_arg);
    bool severe = t->shadow;
    if (outcome == DEVICE_OK) {
        if (e->seen[a->kind] == 0) /* a compiler ran: nothing to learn from */
            e->seen[a->kind] = 1;
        else
            dispatch_learn(e, a->kind, (double)kernel_bytes(t->job),
                           (double)a->took_ns);
        if (!wrong) {
            breaker_good(b);
            return;
        }
        distrust(d, a->kind, DEVICE_STICKY);
        severe = true;
    }
    switch (outcome) {
    case DEVICE_KERNEL:
        e->off[a->kind] = true;
        snprintf(e->off_why[a->kind], DEVICE_TEXT_BYTES, "%s", a->why);
        break;
    case DEVICE_ABSENT:
        d->absent[a->kind] = true;
        snprintf(d->absent_why[a->kind], DEVICE_TEXT_BYTES, "%s", a->why);
        break;
    case DEVICE_STICKY:
        severe = true;
        break;
    case DEVICE_TRANSIENT:
        severe = false;
        break;
    case DEVICE_OK:
        break;
    }
    breaker_bad(b, now, severe);
}

bool dispatch_collect(struct dispatch *d, struct dispatch_ticket *t)
{
    struct dispatch_attempt *a = &t->attempt;
    enum device_outcome outcome = collect(d, t);
    const char *wrong = outcome == DEVICE_OK ? check_sample(d, t) : NULL;
    t->under_way = false;
    /* A fault says more than the absence of the next device. */
    if (wrong)
        snprintf(t->info.why, sizeof t->info.why, "%s gave wrong results: %s",
                 device_rows[a->kind]->kind, wrong);
    else if (outcome != DEVICE_OK &&
             (outcome != DEVICE_ABSENT || !t->info.why[0]))
        snprintf(t->info.why, sizeof t->info.why, "%s", a->why);
    os_lock(&d->lock);
    judge(d, t, outcome, wrong);
    dispatch_give_lane(d, a->kind, a->lane);
    if (outcome == DEVICE_OK && !wrong)
        snprintf(t->info.why, sizeof t->info.why, "%s",
                 t->on == DISPATCH_GPU_ONLY       ? "gpu_only"
                 : t->shadow                      ? "a trial: all rows compared"
                 : t->entry->seen[DEVICE_CPU] > 0 ? "sooner than the CPU"
                                                  : "a batch of this size");
    if (outcome == DEVICE_STICKY && d->options.in_process)
        close_lost(d, a->kind);
    os_unlock(&d->lock);
    return outcome == DEVICE_OK && !wrong;
}
