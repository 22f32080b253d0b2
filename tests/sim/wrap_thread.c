/* wrap_thread.c: the calls of threads, locks, clocks, chance and memory that
 * the linker sends to the simulated kernel. */
#include "sim.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <warp/gen.h>

#include "history.h"
#include "wrap.h"

/* ---- threads ---- */

WRAP(int, pthread_create,
     (pthread_t * t, const pthread_attr_t *a, void *(*fn)(void *), void *arg))
{
    if (!sim_inside())
        return __real_pthread_create(t, a, fn, arg);
    sim_event(SIM_THREAD, 0, 0);
    if (sim_fails(FAULT_NO_MEMORY))
        return EAGAIN;
    int number = sim_spawn(fn, arg);
    if (number < 0)
        return EAGAIN;
    *t = (pthread_t)number + 1;
    return 0;
}

WRAP(int, pthread_join, (pthread_t t, void **result))
{
    if (!sim_inside())
        return __real_pthread_join(t, result);
    sim_event(SIM_THREAD, 1, 0);
    void *r = sim_join((int)t - 1);
    if (result)
        *result = r;
    return 0;
}

WRAP(pthread_t, pthread_self, (void))
{
    return sim_inside() ? (pthread_t)sim_thread() + 1 : __real_pthread_self();
}

WRAP(int, pthread_setname_np, (pthread_t t, const char *name))
{
    return sim_inside() ? 0 : __real_pthread_setname_np(t, name);
}

WRAP(int, pthread_sigmask, (int how, const sigset_t *set, sigset_t *old))
{
    return sim_inside() ? 0 : __real_pthread_sigmask(how, set, old);
}

WRAP(int, pthread_setaffinity_np, (pthread_t t, size_t n, const cpu_set_t *set))
{
    return sim_inside() ? 0 : __real_pthread_setaffinity_np(t, n, set);
}

WRAP(int, sched_getaffinity, (pid_t pid, size_t n, cpu_set_t *set))
{
    if (!sim_inside())
        return __real_sched_getaffinity(pid, n, set);
    memset(set, 0, n);
    CPU_SET_S(0, n, set);
    CPU_SET_S(1, n, set);
    return 0;
}

WRAP(int, sched_yield, (void))
{
    if (!sim_inside())
        return __real_sched_yield();
    sim_event(SIM_YIELD, 0, 0);
    sim_pass(5000);
    sim_switch();
    return 0;
}

WRAP(int, setpriority, (__priority_which_t which, id_t who, int nice))
{
    return sim_inside() ? 0 : __real_setpriority(which, who, nice);
}

WRAP(pid_t, getpid, (void))
{
    return sim_inside() ? history_pid() : __real_getpid();
}

WRAP(int, uname, (struct utsname * u))
{
    if (!sim_inside())
        return __real_uname(u);
    memset(u, 0, sizeof *u);
    strcpy(u->sysname, "Linux");
    strcpy(u->release, "6.1.0");
    return 0;
}

WRAP(long, sysconf, (int name))
{
    if (sim_inside() && name == _SC_PHYS_PAGES)
        return 1 << 20;
    return __real_sysconf(name);
}

/* ---- futex ---- */

static long futex(_Atomic uint32_t *word, int what, uint32_t value,
                  const struct timespec *timeout)
{
    if (what == FUTEX_WAKE_PRIVATE) {
        sim_event(SIM_WAKE, value, 0);
        sim_wake(word, (int)value);
        return 1;
    }
    sim_event(SIM_FUTEX, value, timeout ? (uint64_t)timeout->tv_nsec : 1);
    if (*word != value || sim_one_in(64)) {
        errno = *word != value ? EAGAIN : EINTR;
        sim_switch();
        return -1;
    }
    int64_t ns =
        timeout ? timeout->tv_sec * INT64_C(1000000000) + timeout->tv_nsec : -1;
    int rc = sim_wait_on(word, ns);
    errno = -rc;
    return rc == 0 ? 0 : -1;
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
    va_list a;
    va_start(a, number);
    void *word = va_arg(a, void *);
    int what = va_arg(a, int);
    uint32_t value = va_arg(a, uint32_t);
    const struct timespec *timeout = va_arg(a, const struct timespec *);
    va_end(a);
    if (!sim_inside())
        return __real_syscall(number, word, what, value, timeout, NULL, 0);
    if (number != SYS_futex)
        sim_finding("a system call that is not simulated: %ld", number);
    return futex(word, what, value, timeout);
}

/* ---- LMDB's locks ---- */

static uint32_t *word_of(void *lock)
{
    return lock;
}

WRAP(int, pthread_mutex_init,
     (pthread_mutex_t * m, const pthread_mutexattr_t *a))
{
    if (!sim_inside())
        return __real_pthread_mutex_init(m, a);
    *word_of(m) = 0;
    return 0;
}

WRAP(int, pthread_mutex_lock, (pthread_mutex_t * m))
{
    if (!sim_inside())
        return __real_pthread_mutex_lock(m);
    sim_event(SIM_LOCK, 1, 0);
    while (*word_of(m))
        sim_wait_on(m, -1);
    *word_of(m) = 1;
    return 0;
}

WRAP(int, pthread_mutex_unlock, (pthread_mutex_t * m))
{
    if (!sim_inside())
        return __real_pthread_mutex_unlock(m);
    *word_of(m) = 0;
    sim_wake(m, 1);
    return 0;
}

WRAP(int, pthread_mutex_destroy, (pthread_mutex_t * m))
{
    return sim_inside() ? 0 : __real_pthread_mutex_destroy(m);
}

WRAP(int, pthread_mutex_consistent, (pthread_mutex_t * m))
{
    return sim_inside() ? 0 : __real_pthread_mutex_consistent(m);
}

WRAP(int, pthread_cond_init, (pthread_cond_t * c, const pthread_condattr_t *a))
{
    return sim_inside() ? 0 : __real_pthread_cond_init(c, a);
}

WRAP(int, pthread_cond_destroy, (pthread_cond_t * c))
{
    return sim_inside() ? 0 : __real_pthread_cond_destroy(c);
}

WRAP(int, pthread_cond_signal, (pthread_cond_t * c))
{
    if (!sim_inside())
        return __real_pthread_cond_signal(c);
    sim_wake(c, 1);
    return 0;
}

WRAP(int, pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t *m))
{
    if (!sim_inside())
        return __real_pthread_cond_wait(c, m);
    *word_of(m) = 0;
    sim_wake(m, 1);
    sim_wait_on(c, -1);
    while (*word_of(m))
        sim_wait_on(m, -1);
    *word_of(m) = 1;
    return 0;
}

/* ---- time and chance ---- */

WRAP(int, clock_gettime, (clockid_t id, struct timespec *ts))
{
    if (!sim_inside())
        return __real_clock_gettime(id, ts);
    sim_pass(20);
    int64_t ns = sim_now_ns(), wall_ms;
    if (id == CLOCK_REALTIME && history_wall(&wall_ms))
        ns = wall_ms * 1000000;
    else if (id == CLOCK_REALTIME)
        ns += INT64_C(1750000000000) * 1000000;
    ts->tv_sec = (time_t)(ns / 1000000000);
    ts->tv_nsec = (long)(ns % 1000000000);
    return 0;
}

WRAP(ssize_t, getrandom, (void *to, size_t bytes, unsigned flags))
{
    if (!sim_inside())
        return __real_getrandom(to, bytes, flags);
    if (sim_one_in(sim_plan.small_one_in)) {
        errno = EINTR;
        return -1;
    }
    for (size_t i = 0; i < bytes; i++)
        ((char *)to)[i] = (char)sim_random();
    return (ssize_t)bytes;
}

/* ---- memory ---- */

static bool no_memory(void)
{
    if (!sim_fails(FAULT_NO_MEMORY))
        return false;
    errno = ENOMEM;
    return true;
}

WRAP(void *, malloc, (size_t bytes))
{
    if (!sim_inside())
        return __real_malloc(bytes);
    return no_memory() ? NULL : sim_malloc(bytes, 16);
}

WRAP(void *, calloc, (size_t count, size_t bytes))
{
    if (!sim_inside())
        return __real_calloc(count, bytes);
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all) || no_memory())
        return NULL;
    void *p = sim_malloc(all, 16);
    return p ? memset(p, 0, all) : NULL;
}

WRAP(void, free, (void *at))
{
    if (!at)
        return;
    if (!sim_memory_has(at))
        __real_free(at);
    else if (sim_inside())
        sim_free(at);
}

WRAP(void *, realloc, (void *at, size_t bytes))
{
    if (!sim_inside() || (at && !sim_memory_has(at)))
        return __real_realloc(at, bytes);
    if (no_memory())
        return NULL;
    void *p = sim_malloc(bytes, 16);
    if (p && at) {
        size_t old = sim_block_bytes(at);
        memcpy(p, at, old < bytes ? old : bytes);
        sim_free(at);
    }
    return p;
}

WRAP(int, posix_memalign, (void **at, size_t align, size_t bytes))
{
    if (!sim_inside())
        return __real_posix_memalign(at, align, bytes);
    if (no_memory() || !(*at = sim_malloc(bytes, align)))
        return ENOMEM;
    return 0;
}

WRAP(void *, aligned_alloc, (size_t align, size_t bytes))
{
    if (!sim_inside())
        return __real_aligned_alloc(align, bytes);
    return no_memory() ? NULL : sim_malloc(bytes, align);
}

WRAP(char *, strdup, (const char *text))
{
    if (!sim_inside())
        return __real_strdup(text);
    char *copy = no_memory() ? NULL : sim_malloc(strlen(text) + 1, 16);
    return copy ? strcpy(copy, text) : NULL;
}

/* The reference model allocates from the same arenas, and never fails. */
#undef warp_arena_alloc
void *warp_arena_alloc(struct warp_arena *arena, size_t bytes);
void *sim_arena_alloc(struct warp_arena *arena, size_t bytes)
{
    enum sim_fault fault = sim_plan.fault;
    sim_plan.fault = FAULT_NONE;
    void *p = warp_arena_alloc(arena, bytes);
    sim_plan.fault = fault;
    return p;
}

void *sim_own(size_t bytes)
{
    void *p = __real_calloc(1, bytes);
    if (!p)
        sim_finding("the simulator is out of memory");
    return p;
}

void *sim_own_more(void *at, size_t bytes)
{
    void *p = __real_realloc(at, bytes);
    if (!p)
        sim_finding("the simulator is out of memory");
    return p;
}

void sim_own_free(void *at)
{
    __real_free(at);
}
