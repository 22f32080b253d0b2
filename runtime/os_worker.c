/* os_worker.c: see os_worker.h. */
#include "os_worker.h"

#include "os.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

int os_memfd(const char *name, uint64_t bytes)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)bytes) == 0)
        return fd;
    int rc = -errno;
    close(fd);
    return rc;
}

int os_map_shared(int fd, size_t bytes, void **base)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    *base = at == MAP_FAILED ? NULL : at;
    return at == MAP_FAILED ? -errno : 0;
}

int os_spawn(const char *path, const char *const argv[], int fd, int *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;
    pid_t child = 0;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return -rc;
    rc = posix_spawnattr_init(&attr);
    if (rc != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return -rc;
    }
    /* The thread that starts it blocks all signals; the child must not. */
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    rc = posix_spawn_file_actions_adddup2(&actions, fd, 3);
    if (rc == 0)
        rc = posix_spawn(&child, path, &actions, &attr,
                         (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    *pid = (int)child;
    return -rc;
}

bool os_reap(int pid, bool wait)
{
    int status;
    pid_t got;
    do
        got = waitpid(pid, &status, wait ? 0 : WNOHANG);
    while (got < 0 && errno == EINTR);
    return got != 0; /* ECHILD: the program has waited for it itself */
}

void os_kill(int pid)
{
    kill(pid, SIGKILL);
}

void os_wait_for_end(int parent)
{
    int fd = -1;
#ifdef SYS_pidfd_open
    fd = (int)syscall(SYS_pidfd_open, parent, 0);
#endif
    /* By then the number may be another's: whose child one is decides. */
    while (getppid() == parent) {
        struct pollfd end = {.fd = fd, .events = POLLIN};
        poll(&end, fd >= 0 ? 1 : 0, fd >= 0 ? -1 : 1000);
    }
    if (fd >= 0)
        close(fd);
}

void os_close_from(int first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0u, 0) == 0)
        return;
#endif
    for (int fd = first; fd < 1024; fd++)
        close(fd);
}

int os_shared_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout_ns)
{
    struct timespec ts = {.tv_sec = (time_t)(timeout_ns / 1000000000),
                          .tv_nsec = (long)(timeout_ns % 1000000000)};
    if (syscall(SYS_futex, word, FUTEX_WAIT, seen, &ts, NULL, 0) == 0)
        return 0;
    return errno == ETIMEDOUT ? -ETIMEDOUT : 0;
}

void os_shared_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool os_shared_spin(const _Atomic uint32_t *word, uint32_t seen, int64_t ns)
{
    int64_t end = os_mono_ns() + ns;
    do {
        for (int i = 0; i < 50; i++)
            if (atomic_load_explicit(word, memory_order_acquire) != seen)
                return true;
    } while (os_mono_ns() < end);
    return false;
}
