/* clock.c: see clock.h. */
#include "clock.h"

#include "error.h"
#include "os.h"

#include <stdlib.h>

struct clock {
    int64_t (*fn)(void *arg);
    void *arg;
    _Atomic int64_t mark;      /* highest time given out */
    _Atomic int64_t last_boot; /* the boot clock when wall was last followed */
    _Atomic int64_t last_wall;
    _Atomic bool jumped;
    int64_t max_step_ms;
    int64_t opened_boot;
};

int clock_open(int64_t (*fn)(void *arg), void *arg, int64_t mark_ms,
               uint32_t max_step_ms, struct clock **out)
{
    struct clock *c = calloc(1, sizeof *c);
    if (!c)
        return error_set(WARP_ENOMEM, "out of memory for the clock");
    c->fn = fn;
    c->arg = arg;
    c->max_step_ms = (int64_t)max_step_ms;
    c->opened_boot = os_boot_ms();
    atomic_store(&c->mark, mark_ms);
    atomic_store(&c->last_boot, c->opened_boot);
    atomic_store(&c->last_wall, os_wall_ms());
    *out = c;
    return WARP_OK;
}

void clock_close(struct clock **clock)
{
    free(*clock);
    *clock = NULL;
}

/* The wall clock, or the boot clock's idea of it after a jump. */
static int64_t wall(struct clock *c)
{
    int64_t now = os_wall_ms();
    int64_t boot = os_boot_ms();
    int64_t last_wall = atomic_load_explicit(&c->last_wall,
                                             memory_order_relaxed);
    int64_t last_boot = atomic_load_explicit(&c->last_boot,
                                             memory_order_relaxed);
    int64_t expected = last_wall + (boot - last_boot);
    if (atomic_load_explicit(&c->jumped, memory_order_relaxed))
        return expected;
    if (now - expected > c->max_step_ms) {
        /* From here the boot clock leads, on from the time that was given out
         * last: the wall clock may have been behind it. */
        int64_t mark = atomic_load(&c->mark);
        if (mark > expected)
            expected = mark;
        atomic_store(&c->last_wall, expected);
        atomic_store(&c->last_boot, boot);
        atomic_store(&c->jumped, true);
        return expected;
    }
    /* Small corrections add up in the anchor once a second. */
    if (boot - last_boot > 1000) {
        atomic_store_explicit(&c->last_wall, now, memory_order_relaxed);
        atomic_store_explicit(&c->last_boot, boot, memory_order_relaxed);
    }
    return now;
}

int64_t clock_now(struct clock *c)
{
    int64_t now = c->fn ? c->fn(c->arg) : wall(c);
    int64_t mark = atomic_load_explicit(&c->mark, memory_order_relaxed);
    while (now > mark)
        if (atomic_compare_exchange_weak_explicit(&c->mark, &mark, now,
                                                  memory_order_relaxed,
                                                  memory_order_relaxed))
            return now;
    return mark;
}

int64_t clock_mark(const struct clock *c)
{
    return atomic_load_explicit(&((struct clock *)(uintptr_t)c)->mark,
                                memory_order_relaxed);
}

bool clock_deletes_allowed(struct clock *c)
{
    if (c->fn)
        return true;
    return !atomic_load(&c->jumped) &&
           os_boot_ms() - c->opened_boot >= c->max_step_ms;
}

void clock_accept(struct clock *c)
{
    atomic_store(&c->last_wall, os_wall_ms());
    atomic_store(&c->last_boot, os_boot_ms());
    atomic_store(&c->jumped, false);
}

void clock_reset(struct clock *c)
{
    clock_accept(c);
    atomic_store(&c->mark, c->fn ? c->fn(c->arg) : os_wall_ms());
}

bool clock_jumped(const struct clock *c)
{
    return atomic_load(&((struct clock *)(uintptr_t)c)->jumped);
}
