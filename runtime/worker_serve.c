/* worker_serve.c: a worker's life: open the device, then job after job until
 * the parent ends it, a thread for each lane. Lanes begin by turns, and wait
 * for the device beside each other. Everything it reads of the page is checked:
 * a parent that was hit by a stray write must not make it write anywhere. */
#include "worker.h"

#include "os.h"
#include "os_worker.h"

#include <stdio.h>
#include <string.h>

#define IDLE_NS (INT64_C(1000) * 1000000)
#define SPIN_NS (INT64_C(50) * 1000)

struct serving;

struct lane {
    struct serving *serving;
    uint32_t number, seen; /* the last command */
    struct worker_lane *page;
    char *slot;
    struct os_thread thread;
    struct device_fill fills[DEVICE_FILLS_MAX];
    struct device_piece pieces[DEVICE_PIECES_MAX];
};

struct serving {
    struct worker_page *page;
    struct device *device;
    char *texts;
    uint64_t slot_bytes;
    _Atomic uint32_t turn; /* who has it uses the device and the kernels */
    struct kernel kernels[WORKER_KERNELS_MAX];
    struct kernel_arg args[WORKER_KERNELS_MAX][KERNEL_ARGS_MAX];
    bool read[WORKER_KERNELS_MAX];
    struct lane lanes[DEVICE_LANES];
};

static const char *text_at(const struct serving *s, uint64_t at)
{
    if (at >= WORKER_TEXT_BYTES ||
        !memchr(s->texts + at, '\0', (size_t)(WORKER_TEXT_BYTES - at)))
        return NULL;
    return s->texts + at;
}

static const struct kernel *kernel_at(struct serving *s, uint32_t n)
{
    if (n >= WORKER_KERNELS_MAX)
        return NULL;
    const struct worker_kernel *from = &s->page->kernels[n];
    struct kernel *k = &s->kernels[n];
    if (from->builtin)
        return from->builtin <= kernel_count ? kernels[from->builtin - 1]
                                             : NULL;
    if (s->read[n])
        return k;
    if (from->arg_count > KERNEL_ARGS_MAX ||
        !memchr(from->name, '\0', sizeof from->name) ||
        !memchr(from->entry, '\0', sizeof from->entry))
        return NULL;
    for (uint32_t i = 0; i < from->arg_count; i++) {
        if (from->args[i].extent > KERNEL_CHUNK)
            return NULL;
        s->args[n][i] = (struct kernel_arg){.name = "",
                                            .extent = from->args[i].extent,
                                            .bytes = from->args[i].bytes,
                                            .out = from->args[i].out != 0,
                                            .real = from->args[i].real != 0};
    }
    *k = (struct kernel){.name = from->name,
                         .entry = from->entry,
                         .args = s->args[n],
                         .arg_count = from->arg_count,
                         .step = kernel_step_rows,
                         .cl = text_at(s, from->cl),
                         .cu = text_at(s, from->cu)};
    s->read[n] = k->cl && k->cu;
    return s->read[n] ? k : NULL;
}

/* Lists are copied: what was checked does not change any more. */
static bool plan_of(struct lane *l, const struct kernel_job *job,
                    struct device_plan *plan)
{
    const struct worker_lane *page = l->page;
    uint64_t room = l->serving->slot_bytes;
    *plan = (struct device_plan){.drop = page->drop != 0,
                                 .args = page->plan_args,
                                 .fills = l->fills,
                                 .pieces = l->pieces,
                                 .fill_count = page->fill_count,
                                 .piece_count = page->piece_count,
                                 .fresh_bytes = (size_t)page->fresh_bytes};
    uint64_t fresh_at = page->fresh_at;
    if (plan->fill_count > DEVICE_FILLS_MAX ||
        plan->piece_count > DEVICE_PIECES_MAX || plan->fresh_bytes > room ||
        fresh_at > room - plan->fresh_bytes)
        return false;
    plan->fresh = (const uint8_t *)l->slot + fresh_at;
    memcpy(l->fills, page->fills, plan->fill_count * sizeof *l->fills);
    memcpy(l->pieces, page->pieces, plan->piece_count * sizeof *l->pieces);
    return device_plan_fits(plan, job);
}

static const char *job_of(struct lane *l, struct kernel_job *job)
{
    uint64_t room = l->serving->slot_bytes;
    *job = (struct kernel_job){.kernel = kernel_at(l->serving, l->page->kernel),
                               .p = l->page->p};
    if (!job->kernel)
        return "the kernel's row is damaged";
    /* Each of a row, a column or an item takes some of the slot; and so none of
     * the products that follow is too large for 64 bits. */
    if (job->p.rows > room || job->p.cols > room || job->p.items > room ||
        job->p.k > room)
        return "an array leaves the slot";
    for (uint32_t i = 0; i < job->kernel->arg_count; i++) {
        uint64_t bytes = kernel_arg_bytes(job, i), at = l->page->at[i];
        if (bytes > room || at > room - bytes)
            return "an array leaves the slot";
        job->arg[i] = l->slot + at;
    }
    return NULL;
}

/* With the turn. */
static enum device_outcome begin(struct lane *l)
{
    struct device *device = l->serving->device;
    struct kernel_job job;
    struct device_plan plan;
    const char *wrong = job_of(l, &job);
    if (!wrong && !plan_of(l, &job, &plan))
        wrong = "the plan leaves the slot";
    if (wrong) {
        snprintf(device->why[l->number], DEVICE_TEXT_BYTES, "%s", wrong);
        return DEVICE_KERNEL;
    }
    return device->row->begin(device, l->number, &job, &plan);
}

static enum device_outcome run(struct lane *l)
{
    struct serving *s = l->serving;
    uint32_t mine = l->page->turn, turn;
    while ((turn = atomic_load(&s->turn)) != mine)
        os_futex_wait(&s->turn, turn, -1);
    enum device_outcome outcome = begin(l);
    atomic_store(&s->turn, mine + 1);
    os_futex_wake(&s->turn, INT32_MAX);
    if (outcome == DEVICE_OK)
        outcome = s->device->row->finish(s->device, l->number);
    if (outcome != DEVICE_OK)
        snprintf(l->page->why, sizeof l->page->why, "%s",
                 s->device->why[l->number]);
    return outcome;
}

static uint32_t next_command(struct worker_lane *page, uint32_t seen)
{
    while (atomic_load_explicit(&page->command, memory_order_acquire) == seen)
        if (!os_shared_spin(&page->command, seen, SPIN_NS))
            os_shared_wait(&page->command, seen, IDLE_NS);
    return atomic_load_explicit(&page->command, memory_order_acquire);
}

_Noreturn static void work(struct lane *l)
{
    for (;;) {
        l->seen = next_command(l->page, l->seen);
        int64_t from = os_mono_ns();
        l->page->outcome = run(l);
        l->page->took_ns = os_mono_ns() - from;
        atomic_store_explicit(&l->page->answer, l->seen, memory_order_release);
        os_shared_wake(&l->page->answer);
    }
}

static void *serve(void *lane)
{
    work(lane);
}

static bool open_lane(struct serving *s, uint32_t number)
{
    struct lane *l = &s->lanes[number];
    l->serving = s;
    l->number = number;
    l->page = &s->page->lanes[number];
    l->slot = (char *)s->page + worker_slot_at() + s->slot_bytes * number;
    /* What an earlier process was asked for is nobody's any more. */
    l->seen = atomic_load_explicit(&l->page->command, memory_order_acquire);
    return os_thread_start(&l->thread, serve, l, "warp-lane") == 0;
}

static enum device_outcome open_device(struct serving *s, const char *kind)
{
    enum device_outcome outcome = DEVICE_ABSENT;
    snprintf(s->page->why, sizeof s->page->why, "no device is called %s", kind);
    for (int i = 0; i < DEVICE_KINDS; i++)
        if (strcmp(kind, device_rows[i]->kind) == 0)
            outcome = device_rows[i]->open(&s->device, s->page->why);
    if (outcome != DEVICE_OK)
        return outcome;
    snprintf(s->page->name, sizeof s->page->name, "%s", s->device->name);
    if (s->device->row->pin)
        s->device->row->pin(s->device, (char *)s->page + worker_slot_at(),
                            (size_t)s->slot_bytes * DEVICE_LANES);
    for (uint32_t i = 0; i < DEVICE_LANES; i++)
        if (!open_lane(s, i)) {
            snprintf(s->page->why, sizeof s->page->why,
                     "no threads for the lanes of %s", kind);
            return DEVICE_ABSENT;
        }
    return DEVICE_OK;
}

int worker_serve(const char *kind)
{
    static struct serving s;
    uint64_t bytes = 0;
    void *base = NULL;
    os_close_from(WORKER_FD + 1);
    os_background();
    if (os_size(WORKER_FD, &bytes) != 0 || bytes < worker_slot_at() ||
        os_map_shared(WORKER_FD, (size_t)bytes, &base) != 0)
        return 2;
    s.page = base;
    s.texts = (char *)base + worker_text_at();
    s.slot_bytes = s.page->slot_bytes;
    if (s.slot_bytes > (bytes - worker_slot_at()) / DEVICE_LANES)
        return 2;
    s.page->outcome = open_device(&s, kind);
    atomic_store_explicit(&s.page->opened, 1, memory_order_release);
    os_shared_wake(&s.page->opened);
    os_wait_for_end((int)s.page->parent);
    return 0;
}
