/* fault.c: see fault.h. */
#include "fault.h"

#include "os.h"

#include <stdlib.h>

static _Atomic int64_t left = -1;
static _Atomic int kind_of, code_of;

void fault_arm(enum fault_kind kind, uint64_t n, int code)
{
    kind_of = kind;
    code_of = code;
    left = (int64_t)n;
}

bool fault_disarm(void)
{
    return atomic_exchange(&left, -1) <= 0;
}

static bool fails(enum fault_kind kind)
{
    if (atomic_load(&left) <= 0 || atomic_load(&kind_of) != (int)kind)
        return false;
    return atomic_fetch_sub(&left, 1) == 1;
}

#define MEMORY(name, parameters, arguments)                                    \
    void *__real_##name parameters;                                            \
    void *__wrap_##name parameters;                                            \
    void *__wrap_##name parameters                                             \
    {                                                                          \
        return fails(FAULT_MEMORY) ? NULL : __real_##name arguments;           \
    }

#define SYSTEM(type, name, parameters, arguments)                              \
    type __real_##name parameters;                                             \
    type __wrap_##name parameters;                                             \
    type __wrap_##name parameters                                              \
    {                                                                          \
        return fails(FAULT_SYSTEM) ? (type)-code_of : __real_##name arguments; \
    }

MEMORY(malloc, (size_t bytes), (bytes))
MEMORY(calloc, (size_t count, size_t bytes), (count, bytes))
MEMORY(realloc, (void *at, size_t bytes), (at, bytes))
MEMORY(aligned_alloc, (size_t align, size_t bytes), (align, bytes))
MEMORY(os_reserve, (size_t bytes), (bytes))

SYSTEM(int, os_open, (const char *path, int flags), (path, flags))
SYSTEM(int64_t, os_pread, (int fd, void *to, size_t bytes, uint64_t at),
       (fd, to, bytes, at))
SYSTEM(int, os_pwrite, (int fd, const void *from, size_t bytes, uint64_t at),
       (fd, from, bytes, at))
SYSTEM(int, os_fdatasync, (int fd), (fd))
SYSTEM(int, os_sync_dir, (const char *path), (path))
SYSTEM(int, os_size, (int fd, uint64_t *bytes), (fd, bytes))
SYSTEM(int, os_truncate, (int fd, uint64_t bytes), (fd, bytes))
SYSTEM(int, os_allocate, (int fd, uint64_t at, uint64_t bytes), (fd, at, bytes))
SYSTEM(int, os_rename, (const char *from, const char *to), (from, to))
SYSTEM(int, os_unlink, (const char *path), (path))
SYSTEM(int, os_mkdir, (const char *path), (path))
SYSTEM(int, os_list,
       (const char *path, int (*fn)(void *arg, const char *name), void *arg),
       (path, fn, arg))
SYSTEM(int, os_map_ring, (int fd, size_t bytes, bool writable, void **base),
       (fd, bytes, writable, base))
SYSTEM(int, os_thread_start,
       (struct os_thread * t, void *(*fn)(void *), void *arg, const char *name),
       (t, fn, arg, name))
SYSTEM(int, os_random, (void *to, size_t bytes), (to, bytes))
SYSTEM(int, os_free_bytes, (const char *path, uint64_t *bytes), (path, bytes))
