/* worker_serve.c: a worker's life: open the device, then job after job until
 * the parent ends it. Everything it reads of the page is checked: a parent that
 * was hit by a stray write must not make it write anywhere. */
#include "worker.h"

#include "os.h"
#include "os_worker.h"

#include <stdio.h>
#include <string.h>

#define IDLE_NS (INT64_C(1000) * 1000000)
#define SPIN_NS (INT64_C(50) * 1000)

struct serving {
    struct worker_page *page;
    struct device *device;
    char *texts, *slot;
    struct kernel kernels[WORKER_KERNELS_MAX];
    struct kernel_arg args[WORKER_KERNELS_MAX][KERNEL_ARGS_MAX];
    bool read[WORKER_KERNELS_MAX];
    struct device_fill fills[DEVICE_FILLS_MAX];
    struct device_piece pieces[DEVICE_PIECES_MAX];
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
        if (from->args[i].extent > KERNEL_PLACE)
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
static bool plan_of(struct serving *s, const struct kernel_job *job,
                    struct device_plan *plan)
{
    const struct worker_page *page = s->page;
    *plan = (struct device_plan){.drop = page->drop != 0,
                                 .args = page->plan_args,
                                 .fills = s->fills,
                                 .pieces = s->pieces,
                                 .fill_count = page->fill_count,
                                 .piece_count = page->piece_count,
                                 .fresh_bytes = (size_t)page->fresh_bytes};
    if (plan->fill_count > DEVICE_FILLS_MAX ||
        plan->piece_count > DEVICE_PIECES_MAX ||
        plan->fresh_bytes > page->slot_bytes ||
        page->fresh_at > page->slot_bytes - plan->fresh_bytes)
        return false;
    plan->fresh = (const uint8_t *)s->slot + page->fresh_at;
    memcpy(s->fills, page->fills, plan->fill_count * sizeof *s->fills);
    memcpy(s->pieces, page->pieces, plan->piece_count * sizeof *s->pieces);
    return device_plan_fits(plan, job);
}

static enum device_outcome run(struct serving *s)
{
    struct worker_page *page = s->page;
    struct kernel_job job = {.kernel = kernel_at(s, page->kernel),
                             .p = page->p};
    if (!job.kernel) {
        snprintf(page->why, sizeof page->why, "the kernel's row is damaged");
        return DEVICE_KERNEL;
    }
    for (uint32_t i = 0; i < job.kernel->arg_count; i++) {
        uint64_t bytes = kernel_arg_bytes(&job, i);
        if (bytes > page->slot_bytes ||
            page->at[i] > page->slot_bytes - bytes) {
            snprintf(page->why, sizeof page->why, "an array leaves the slot");
            return DEVICE_KERNEL;
        }
        job.arg[i] = s->slot + page->at[i];
    }
    struct device_plan plan;
    if (!plan_of(s, &job, &plan)) {
        snprintf(page->why, sizeof page->why, "the plan leaves the slot");
        return DEVICE_KERNEL;
    }
    s->device->plan = &plan;
    enum device_outcome outcome = s->device->row->run(s->device, &job);
    if (outcome != DEVICE_OK)
        snprintf(page->why, sizeof page->why, "%s", s->device->why);
    return outcome;
}

static void answer(struct worker_page *page, uint32_t command,
                   enum device_outcome outcome)
{
    page->outcome = outcome;
    atomic_store_explicit(&page->answer, command, memory_order_release);
    os_shared_wake(&page->answer);
}

static uint32_t next_command(struct worker_page *page, uint32_t seen)
{
    while (atomic_load_explicit(&page->command, memory_order_acquire) == seen)
        if (!os_shared_spin(&page->command, seen, SPIN_NS))
            os_shared_wait(&page->command, seen, IDLE_NS);
    return atomic_load_explicit(&page->command, memory_order_acquire);
}

static int serve(struct serving *s, const char *kind)
{
    enum device_outcome outcome = DEVICE_ABSENT;
    uint32_t command = next_command(
        s->page, atomic_load_explicit(&s->page->answer, memory_order_acquire));
    snprintf(s->page->why, sizeof s->page->why, "no device is called %s", kind);
    for (int i = 0; i < DEVICE_KINDS; i++)
        if (strcmp(kind, device_rows[i]->kind) == 0)
            outcome = device_rows[i]->open(&s->device, s->page->why);
    if (outcome == DEVICE_OK)
        snprintf(s->page->name, sizeof s->page->name, "%s", s->device->name);
    if (outcome == DEVICE_OK && s->device->row->pin)
        s->device->row->pin(s->device, s->slot, (size_t)s->page->slot_bytes);
    answer(s->page, command, outcome);
    while (outcome != DEVICE_ABSENT && outcome != DEVICE_STICKY) {
        command = next_command(s->page, command);
        outcome = run(s);
        answer(s->page, command, outcome);
    }
    return outcome == DEVICE_ABSENT ? 0 : 1;
}

int worker_serve(const char *kind)
{
    static struct serving s;
    uint64_t bytes = 0;
    void *base = NULL;
    os_die_with_parent();
    os_close_from(WORKER_FD + 1);
    os_background();
    if (os_size(WORKER_FD, &bytes) != 0 || bytes < worker_slot_at() ||
        os_map_shared(WORKER_FD, (size_t)bytes, &base) != 0)
        return 2;
    s.page = base;
    s.texts = (char *)base + worker_text_at();
    s.slot = (char *)base + worker_slot_at();
    if (s.page->slot_bytes > bytes - worker_slot_at())
        return 2;
    return serve(&s, kind);
}
