/* device_cpu.c: the CPU as a device: every kernel runs here. */
#include "device.h"

#include "os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_of(char *to, size_t room)
{
    char line[256];
    FILE *in = fopen("/proc/cpuinfo", "re");
    snprintf(to, room, "cpu");
    while (in && fgets(line, sizeof line, in)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon || !colon[1])
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(to, room, "%s (%s)", colon + 2, kernel_isa());
        break;
    }
    if (in)
        fclose(in);
}

static enum device_outcome cpu_open(struct device **out,
                                    char why[DEVICE_TEXT_BYTES])
{
    struct device *d = calloc(1, sizeof *d);
    *out = d;
    if (!d) {
        snprintf(why, DEVICE_TEXT_BYTES, "out of memory");
        return DEVICE_ABSENT;
    }
    d->row = &device_cpu;
    name_of(d->name, sizeof d->name);
    d->memory_bytes = os_memory_limit();
    d->units = os_cpu_count();
    return DEVICE_OK;
}

static enum device_outcome cpu_begin(struct device *d, uint32_t lane,
                                     const struct kernel_job *job,
                                     const struct device_plan *plan)
{
    (void)d, (void)lane, (void)plan;
    device_blank(job);
    job->kernel->run(job);
    return DEVICE_OK;
}

static enum device_outcome cpu_finish(struct device *d, uint32_t lane)
{
    (void)d, (void)lane;
    return DEVICE_OK;
}

static void cpu_close(struct device **device)
{
    free(*device);
    *device = NULL;
}

const struct device_row device_cpu = {"cpu",      cpu_open,  cpu_begin,
                                      cpu_finish, cpu_close, NULL};
