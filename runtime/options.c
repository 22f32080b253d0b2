/* options.c: what a program asks of a store, checked; defaults for the rest. */
#include "options.h"

#include "error.h"

#include <errno.h>

static int out_of_range(const char *what)
{
    return error_set(WARP_EINVAL, "option %s is out of range", what);
}

int options_resolve(const struct warp_options *given, struct warp_options *o)
{
    memset(o, 0, sizeof *o);
    if (given) {
        if (given->size == 0 || given->size > sizeof *o)
            return error_set(WARP_EINVAL,
                             "options.size is %zu, this library knows %zu: "
                             "start from WARP_OPTIONS_INIT",
                             given->size, sizeof *o);
        memcpy(o, given, given->size);
    }
    o->size = sizeof *o;
    if (o->shards > 256)
        return out_of_range("shards (1 to 256)");
    if (o->log_writes_in_flight > 16)
        return out_of_range("log_writes_in_flight (1 to 16)");
    if (o->ring_bytes == 0)
        o->ring_bytes = 256 << 10;
    if (o->ring_bytes < 65536 || o->ring_bytes > 1 << 30 ||
        (o->ring_bytes & (o->ring_bytes - 1)) != 0)
        return out_of_range("ring_bytes (a power of two, 64 KiB to 1 GiB)");
    if (o->log_bytes_max == 0)
        o->log_bytes_max = UINT64_C(1) << 30;
    if (o->log_bytes_max < 4 << 20)
        return out_of_range("log_bytes_max (at least 4 MiB)");
    if (o->max_clock_step_ms == 0)
        o->max_clock_step_ms = 3600000;
    if (o->memory_max_bytes == 0)
        o->memory_max_bytes = os_memory_limit() / 2;
    if (o->disk_reserve_bytes == 0)
        o->disk_reserve_bytes = 1 << 20;
    if (o->sync_every_ms == 0)
        o->sync_every_ms = 10;
    if (o->checkpoint_every_ms == 0)
        o->checkpoint_every_ms = 60000;
    if (o->sweep_every_ms == 0)
        o->sweep_every_ms = 1000;
    if (o->prefetch_reads_max == 0)
        o->prefetch_reads_max = 1000;
    if (o->survives > WARP_SURVIVES_POWER_LOSS)
        return out_of_range("survives");
    return WARP_OK;
}

int options_cpus(const struct warp_options *o, struct os_cpus *cpus)
{
    uint32_t bad = 0;
    memset(cpus, 0, sizeof *cpus);
    if (!o->background_cpus)
        return WARP_OK;
    int rc = os_cpus_parse(o->background_cpus, cpus, &bad);
    if (rc == -ENODEV)
        return error_set(WARP_EINVAL,
                         "option background_cpus is \"%s\": this process may "
                         "not use CPU %u (taskset -p tells which it may)",
                         o->background_cpus, bad);
    return rc == 0 ? WARP_OK
                   : error_set(WARP_EINVAL,
                               "option background_cpus is \"%s\": give "
                               "numbers and ranges, as \"2-3,8\"",
                               o->background_cpus);
}
