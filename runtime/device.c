/* device.c: the table of devices, and what the public call says of them. */
#include "device.h"

#include "error.h"

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

int warp_device_info(uint32_t index, struct warp_device *out)
{
    struct device *device = NULL;
    if (!out)
        return error_set(WARP_EINVAL, "warp_device_info: no room is given");
    memset(out, 0, sizeof *out);
    if (index >= DEVICE_KINDS)
        return WARP_END;
    out->kind = device_rows[index]->kind;
    if (device_rows[index]->open(&device, out->why_not) != DEVICE_OK)
        return WARP_OK;
    snprintf(out->name, sizeof out->name, "%s", device->name);
    out->why_not[0] = '\0';
    out->memory_bytes = device->memory_bytes;
    out->units = device->units;
    device_rows[index]->close(&device);
    return WARP_OK;
}
