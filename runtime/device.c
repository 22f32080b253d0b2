/* device.c: the table of devices, and what the public call says of them. */
#include "device.h"

#include "error.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <warp/warp.h>

const struct device_row *const device_rows[DEVICE_KINDS] = {
    [DEVICE_CPU] = &device_cpu,
    [DEVICE_OPENCL] = &device_opencl,
    [DEVICE_CUDA] = &device_cuda,
};

void device_blank(const struct kernel_job *job)
{
    for (uint32_t i = 0; i < job->kernel->arg_count; i++)
        if (job->kernel->args[i].out && job->arg[i])
            memset(job->arg[i], 0xff, (size_t)kernel_arg_bytes(job, i));
}

static _Atomic uint64_t held[DEVICE_KINDS], sent[DEVICE_KINDS];

void device_note(enum device_kind kind, int64_t held_bytes,
                 uint64_t sent_bytes)
{
    atomic_fetch_add_explicit(&held[kind], (uint64_t)held_bytes,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&sent[kind], sent_bytes, memory_order_relaxed);
}

enum device_outcome device_run(struct device *device,
                               const struct kernel_job *job)
{
    enum device_outcome outcome = device->row->begin(device, 0, job, NULL);
    return outcome == DEVICE_OK ? device->row->finish(device, 0) : outcome;
}

enum device_outcome device_lane_begins(struct device *d, uint32_t lane,
                                       const struct kernel_job *job)
{
    if (d->lost) {
        snprintf(d->why[lane], DEVICE_TEXT_BYTES, "%s: the device is lost",
                 d->row->kind);
        return DEVICE_STICKY;
    }
    d->lanes[lane].busy = true;
    d->lanes[lane].faults = d->faults;
    device_blank(job);
    return DEVICE_OK;
}

enum device_outcome device_lane_ends(struct device *d, uint32_t lane,
                                     enum device_outcome outcome)
{
    if (d->lost && outcome != DEVICE_STICKY) {
        snprintf(d->why[lane], DEVICE_TEXT_BYTES, "%s: the device is lost",
                 d->row->kind);
        outcome = DEVICE_STICKY;
    }
    if (outcome == DEVICE_OK && d->faults != d->lanes[lane].faults) {
        snprintf(d->why[lane], DEVICE_TEXT_BYTES,
                 "%s: a job beside it failed", d->row->kind);
        outcome = DEVICE_TRANSIENT;
    } else if (outcome != DEVICE_OK) {
        d->faults++;
    }
    if (outcome != DEVICE_OK)
        d->held_unknown = true;
    return outcome;
}

bool device_plan_moves(const struct device_plan *plan)
{
    return plan && (plan->drop || plan->fill_count > 0 || plan->args != 0);
}

static bool is_within(uint64_t at, uint64_t bytes, uint64_t room)
{
    return at <= room && bytes <= room - at;
}

bool device_plan_fits(const struct device_plan *plan,
                      const struct kernel_job *job)
{
    for (uint32_t i = 0; i < plan->fill_count; i++) {
        const struct device_fill *f = &plan->fills[i];
        if (f->held >= DEVICE_HELD_MAX ||
            !is_within(f->from, f->bytes, plan->fresh_bytes) ||
            !is_within(f->to, f->bytes, f->room))
            return false;
    }
    for (uint32_t i = 0; i < plan->piece_count; i++) {
        const struct device_piece *p = &plan->pieces[i];
        if (p->held > DEVICE_FROM_HOST || p->arg >= job->kernel->arg_count ||
            job->kernel->args[p->arg].out ||
            !is_within(p->to, p->bytes, kernel_arg_bytes(job, p->arg)))
            return false;
    }
    return true;
}

int warp_device_info(uint32_t index, struct warp_device *out)
{
    struct device *device = NULL;
    if (!out)
        return error_set(WARP_EINVAL, "warp_device_info: no room is given");
    memset(out, 0, sizeof *out);
    if (index >= DEVICE_KINDS)
        return WARP_END;
    out->kind = device_rows[index]->kind;
    out->resident_bytes =
        atomic_load_explicit(&held[index], memory_order_relaxed);
    out->sent_bytes = atomic_load_explicit(&sent[index], memory_order_relaxed);
    if (device_rows[index]->open(&device, out->why_not) != DEVICE_OK)
        return WARP_OK;
    snprintf(out->name, sizeof out->name, "%s", device->name);
    out->why_not[0] = '\0';
    out->memory_bytes = device->memory_bytes;
    out->units = device->units;
    device_rows[index]->close(&device);
    return WARP_OK;
}
