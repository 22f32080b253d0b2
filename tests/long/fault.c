/* fault.c: see fault.h. */
#include "fault.h"

#include "os.h"

#include <errno.h>
#include <stdbool.h>

static _Atomic int failing;
static _Atomic uint32_t chance;
static _Atomic uint64_t count, calls;

void fault_set(enum fault fault, uint32_t one_in)
{
    atomic_store(&chance, one_in);
    atomic_store(&failing, (int)fault);
}

uint64_t fault_count(void)
{
    return atomic_load(&count);
}

const char *fault_name(enum fault fault)
{
    static const char *const names[FAULTS] = {
        "none", "unreadable", "unwritable", "failed sync", "no space"};
    return names[fault];
}

static bool fails(enum fault fault)
{
    if (atomic_load_explicit(&failing, memory_order_relaxed) != (int)fault)
        return false;
    uint64_t n = atomic_fetch_add(&calls, 1) * UINT64_C(0x9e3779b97f4a7c15);
    if ((n >> 40) % atomic_load(&chance) != 0)
        return false;
    atomic_fetch_add(&count, 1);
    return true;
}

int64_t __real_os_pread(int fd, void *to, size_t bytes, uint64_t at);
int64_t __wrap_os_pread(int fd, void *to, size_t bytes, uint64_t at);
int64_t __wrap_os_pread(int fd, void *to, size_t bytes, uint64_t at)
{
    return fails(FAULT_READ) ? -EIO : __real_os_pread(fd, to, bytes, at);
}

int __real_os_pwrite(int fd, const void *from, size_t bytes, uint64_t at);
int __wrap_os_pwrite(int fd, const void *from, size_t bytes, uint64_t at);
int __wrap_os_pwrite(int fd, const void *from, size_t bytes, uint64_t at)
{
    uint64_t size;
    if (fails(FAULT_WRITE))
        return -EIO;
    /* What is there can be written over on a full disk, too. */
    if (os_size(fd, &size) == 0 && at + bytes > size && fails(FAULT_SPACE))
        return -ENOSPC;
    return __real_os_pwrite(fd, from, bytes, at);
}

int __real_os_fdatasync(int fd);
int __wrap_os_fdatasync(int fd);
int __wrap_os_fdatasync(int fd)
{
    return fails(FAULT_SYNC) ? -EIO : __real_os_fdatasync(fd);
}

int __real_os_allocate(int fd, uint64_t at, uint64_t bytes);
int __wrap_os_allocate(int fd, uint64_t at, uint64_t bytes);
int __wrap_os_allocate(int fd, uint64_t at, uint64_t bytes)
{
    return fails(FAULT_SPACE) ? -ENOSPC : __real_os_allocate(fd, at, bytes);
}
