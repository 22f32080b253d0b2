/* os_thread.c: threads, locks by futex, and clocks, behind os.h. */
#include "os.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SPINS = 100 };

static _Atomic uint64_t lock_waits, futex_calls;

void os_contention(struct os_contention *out)
{
    out->lock_waits = atomic_load_explicit(&lock_waits, memory_order_relaxed);
    out->futex_calls = atomic_load_explicit(&futex_calls, memory_order_relaxed);
}

int os_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout_ns)
{
    struct timespec ts, *timeout = NULL;
    atomic_fetch_add_explicit(&futex_calls, 1, memory_order_relaxed);
    if (timeout_ns >= 0) {
        ts.tv_sec = (time_t)(timeout_ns / 1000000000);
        ts.tv_nsec = (long)(timeout_ns % 1000000000);
        timeout = &ts;
    }
    os_point(OS_POINT_WAIT);
    if (syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, timeout, NULL,
                0) == 0)
        return 0;
    return errno == ETIMEDOUT ? -ETIMEDOUT : 0;
}

void os_futex_wake(_Atomic uint32_t *word, int count)
{
    atomic_fetch_add_explicit(&futex_calls, 1, memory_order_relaxed);
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

void os_lock_slow(struct os_lock *lock)
{
    atomic_fetch_add_explicit(&lock_waits, 1, memory_order_relaxed);
    for (int i = 0; i < SPINS; i++) {
        relax();
        if (atomic_load_explicit(&lock->word, memory_order_relaxed) == 0 &&
            os_trylock(lock))
            return;
    }
    while (atomic_exchange_explicit(&lock->word, 2, memory_order_acquire) !=
           0)
        os_futex_wait(&lock->word, 2, -1);
}

void os_unlock_slow(struct os_lock *lock)
{
    os_futex_wake(&lock->word, 1);
}

int os_thread_start(struct os_thread *t, void *(*fn)(void *), void *arg,
                    const char *name)
{
    /* Signals of the program go to its own threads. */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_t handle;
    int rc = pthread_create(&handle, NULL, fn, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc != 0)
        return -rc;
    pthread_setname_np(handle, name);
    t->handle = (unsigned long)handle;
    t->running = true;
    return 0;
}

void os_thread_join(struct os_thread *t)
{
    if (t->running)
        pthread_join((pthread_t)t->handle, NULL);
    t->running = false;
}

uint32_t os_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (uint32_t)CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (uint32_t)n : 1;
}

void os_background(void)
{
    enum { NICE = 10 };
    /* On Linux this is of the thread, not of the process. */
    setpriority(PRIO_PROCESS, 0, NICE);
}

void os_yield(void)
{
    sched_yield();
}

#ifdef WARP_YIELDS
static _Atomic uint64_t yields[OS_POINT_COUNT], threads_seen;

static uint64_t mixed(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* A seed gives each point a rate of its own, so that some of them are often
 * between others that are rare. Now and then it is a sleep: with few threads a
 * yield comes back at once. */
void os_point(enum os_point point)
{
    static const uint16_t rates[] = {2, 8, 64, 512};
    static _Thread_local uint64_t seed, state;
    if (state == 0) {
        const char *text = getenv("WARP_YIELDS");
        seed = mixed((text ? strtoull(text, NULL, 10) : 0) + 1);
        state = mixed(seed + atomic_fetch_add(&threads_seen, 1)) | 1;
    }
    uint64_t rate = rates[mixed(seed + point) % 4];
    if (point == OS_POINT_LOCK || point == OS_POINT_READ)
        rate *= 16; /* these are all over the place */
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t chance = mixed(state);
    if (chance % rate != 0)
        return;
    atomic_fetch_add_explicit(&yields[point], 1, memory_order_relaxed);
    chance = chance >> 32;
    const struct timespec nap = {0, (long)(chance % 50000)};
    if (chance % 16 == 0)
        nanosleep(&nap, NULL);
    else
        sched_yield();
}

uint64_t os_point_yields(enum os_point point)
{
    return atomic_load(&yields[point]);
}
#endif

static int64_t read_clock(clockid_t id, int64_t per_second)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * per_second +
           (int64_t)ts.tv_nsec / (1000000000 / per_second);
}

int64_t os_wall_ms(void)
{
    return read_clock(CLOCK_REALTIME, 1000);
}

int64_t os_mono_ns(void)
{
    return read_clock(CLOCK_MONOTONIC, 1000000000);
}

int64_t os_thread_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID, 1000000000);
}

int64_t os_boot_ms(void)
{
    return read_clock(CLOCK_BOOTTIME, 1000);
}
