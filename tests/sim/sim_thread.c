/* sim_thread.c: threads that take turns in one. Which goes on is drawn from the
 * seed; time passes at events, and jumps when all sleep.
 *
 * Each has a stack and a copy of the program's thread-local variables, which
 * is put in place when it goes on. */
#include "sim.h"

#include <errno.h>
#include <link.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "history.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
enum { STACK_BYTES = 2 << 20 };
#else
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
enum { STACK_BYTES = 512 << 10 };
#endif

enum { THREADS_MAX = 64, TLS_MAX = 32 << 10 };
enum state { FREE, READY, ASLEEP, ENDED };

struct thread {
    enum state state;
    bool fresh; /* has not run yet */
    const void *address;
    int64_t until; /* of a sleep; -1: for ever */
    bool woken;
    void *(*fn)(void *);
    void *arg, *result;
    char *stack;
    jmp_buf context;
    char tls[TLS_MAX];
};

SIM_STATE static struct thread *threads;
SIM_STATE static struct thread *current;
SIM_STATE static jmp_buf scheduler;
SIM_STATE static int64_t now_ns;
SIM_STATE static char *tls, *tls_image;
SIM_STATE static size_t tls_bytes, tls_image_bytes;
SIM_STATE static struct thread *tls_owner;

static int find_tls(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_TLS) {
            tls = info->dlpi_tls_data;
            tls_bytes = info->dlpi_phdr[i].p_memsz;
            tls_image = (char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
            tls_image_bytes = info->dlpi_phdr[i].p_filesz;
        }
    return 1; /* the program itself comes first */
}

bool sim_inside(void)
{
    return current != NULL;
}

int sim_thread(void)
{
    return (int)(current - threads);
}

int64_t sim_now_ns(void)
{
    return now_ns;
}

void sim_pass(int64_t ns)
{
    now_ns += ns;
}

int sim_spawn(void *(*fn)(void *), void *arg)
{
    for (int i = 0; i < THREADS_MAX; i++) {
        struct thread *t = &threads[i];
        if (t->state != FREE)
            continue;
        t->state = READY;
        t->fresh = true;
        t->fn = fn;
        t->arg = arg;
        t->woken = false;
        if (!t->stack)
            t->stack = sim_own_pages(STACK_BYTES);
        /* Of frames that a death has left. */
        ASAN_UNPOISON_MEMORY_REGION(t->stack, STACK_BYTES);
        memset(t->tls, 0, tls_bytes);
        memcpy(t->tls, tls_image, tls_image_bytes);
        return i;
    }
    return -EAGAIN;
}

static void begin(void)
{
    struct thread *t = current;
    t->result = t->fn(t->arg);
    t->state = ENDED;
    sim_wake(t, 1 << 30);
    _longjmp(scheduler, 1);
}

void sim_switch(void)
{
    if (_setjmp(current->context) == 0)
        _longjmp(scheduler, 1);
}

int sim_wait_on(const void *address, int64_t timeout_ns)
{
    struct thread *t = current;
    t->state = ASLEEP;
    t->address = address;
    t->until = timeout_ns < 0 ? -1 : now_ns + timeout_ns;
    t->woken = false;
    sim_switch();
    return t->woken ? 0 : -ETIMEDOUT;
}

void sim_wake(const void *address, int count)
{
    uint32_t first = sim_below(THREADS_MAX);
    for (uint32_t i = 0; i < THREADS_MAX && count > 0; i++) {
        struct thread *t = &threads[(first + i) % THREADS_MAX];
        if (t->state != ASLEEP || t->address != address)
            continue;
        t->state = READY;
        t->woken = true;
        count--;
    }
}

void *sim_join(int thread)
{
    struct thread *t = &threads[thread];
    while (t->state != ENDED)
        sim_wait_on(t, -1);
    t->state = FREE;
    return t->result;
}

/* One that can go on, by lot; time passes to the first that wakes up. */
static struct thread *choose(void)
{
    for (;;) {
        struct thread *ready[THREADS_MAX];
        uint32_t count = 0, living = 0;
        int64_t first = INT64_MAX;
        for (int i = 0; i < THREADS_MAX; i++) {
            struct thread *t = &threads[i];
            if (t->state == ASLEEP && t->until >= 0 && t->until <= now_ns)
                t->state = READY;
            if (t->state == READY)
                ready[count++] = t;
            if (t->state == ASLEEP) {
                living++;
                if (t->until >= 0 && t->until < first)
                    first = t->until;
            }
        }
        if (count > 0)
            return ready[sim_below(count)];
        if (living == 0)
            return NULL;
        if (first == INT64_MAX)
            sim_finding("all threads wait for each other");
        now_ns = first;
    }
}

static void go_on(struct thread *t)
{
    SIM_STATE static ucontext_t fresh;
    if (tls_owner != t) {
        if (tls_owner)
            memcpy(tls_owner->tls, tls, tls_bytes);
        memcpy(tls, t->tls, tls_bytes);
        tls_owner = t;
    }
    current = t;
    if (!t->fresh)
        _longjmp(t->context, 1);
    t->fresh = false;
    getcontext(&fresh);
    fresh.uc_stack.ss_sp = t->stack;
    fresh.uc_stack.ss_size = STACK_BYTES;
    fresh.uc_link = NULL;
    makecontext(&fresh, begin, 0);
    setcontext(&fresh);
}

SIM_STATE static void (*first_fn)(void *);

static void *first_thread(void *arg)
{
    first_fn(arg);
    return NULL;
}

enum sim_end sim_run(void (*fn)(void *), void *arg)
{
    SIM_STATE static char own_tls[TLS_MAX];
    if (!threads) {
        threads = sim_own_pages(THREADS_MAX * sizeof *threads);
        dl_iterate_phdr(find_tls, NULL);
        if (tls_bytes > TLS_MAX)
            abort();
    }
    memcpy(own_tls, tls, tls_bytes);
    for (int i = 0; i < THREADS_MAX; i++)
        threads[i].state = FREE;
    tls_owner = NULL;
    first_fn = fn;
    sim_spawn(first_thread, arg);
    volatile int what = _setjmp(scheduler);
    current = NULL;
    if (what != 2) {
        struct thread *t = choose();
        if (t)
            go_on(t);
    }
    memcpy(tls, own_tls, tls_bytes);
    return what == 2 ? SIM_CRASHED : SIM_DONE;
}

void sim_die(void)
{
    sim_trace("the process dies");
    _longjmp(scheduler, 2);
}
