/* os.c: the kernel, behind os.h: files, mappings, the owner's lock, fork guard.
 * Threads, futexes and clocks are in os_thread.c. */
#include "os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

int os_open(const char *path, int flags)
{
    int mode = (flags & OS_WRITE) ? O_RDWR : O_RDONLY;
    /* A pipe in a file's place is no reason to wait; reads of it fail. */
    mode |= O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    if (flags & OS_CREATE)
        mode |= O_CREAT;
    if (flags & OS_EXCL)
        mode |= O_EXCL;
    if (flags & OS_TRUNC)
        mode |= O_TRUNC;
    if (flags & OS_DIRECT)
        mode |= O_DIRECT | O_DSYNC;
    int fd;
    do
        fd = open(path, mode, 0600);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

void os_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

int64_t os_pread(int fd, void *to, size_t bytes, uint64_t at)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t n = pread(fd, (char *)to + done, bytes - done,
                          (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (int64_t)done;
}

int os_pwrite(int fd, const void *from, size_t bytes, uint64_t at)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t n = pwrite(fd, (const char *)from + done, bytes - done,
                           (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -ENOSPC;
        done += (size_t)n;
    }
    return 0;
}

int os_fdatasync(int fd)
{
    return fdatasync(fd) == 0 ? 0 : -errno;
}

void os_drop_cache(int fd)
{
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

void os_will_read(int fd, uint64_t at, uint64_t bytes)
{
    (void)posix_fadvise(fd, (off_t)at, (off_t)bytes, POSIX_FADV_WILLNEED);
}

int os_sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return rc;
}

int os_sync_parent(const char *path)
{
    char parent[4096];
    size_t bytes = strlen(path);
    while (bytes > 1 && path[bytes - 1] == '/')
        bytes--;
    while (bytes > 0 && path[bytes - 1] != '/')
        bytes--;
    while (bytes > 1 && path[bytes - 1] == '/')
        bytes--;
    if (bytes >= sizeof parent)
        return -ENAMETOOLONG;
    memcpy(parent, bytes ? path : ".", bytes ? bytes : 1);
    parent[bytes ? bytes : 1] = 0;
    int rc = os_sync_dir(parent);
    return rc == -EACCES ? 0 : rc;
}

int os_size(int fd, uint64_t *bytes)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return -errno;
    *bytes = (uint64_t)st.st_size;
    return 0;
}

int os_truncate(int fd, uint64_t bytes)
{
    int rc;
    do
        rc = ftruncate(fd, (off_t)bytes);
    while (rc != 0 && errno == EINTR);
    return rc == 0 ? 0 : -errno;
}

int os_allocate(int fd, uint64_t at, uint64_t bytes)
{
    /* posix_fallocate writes zeros where the file system cannot allocate. */
    int rc;
    do
        rc = posix_fallocate(fd, (off_t)at, (off_t)bytes);
    while (rc == EINTR);
    return -rc;
}

int os_rename(const char *from, const char *to)
{
    return rename(from, to) == 0 ? 0 : -errno;
}

int os_exchange(const char *one, const char *other)
{
    if (renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) == 0)
        return 0;
    return errno == ENOSYS || errno == EOPNOTSUPP ? -EINVAL : -errno;
}

int os_link(const char *from, const char *to)
{
    return link(from, to) == 0 ? 0 : -errno;
}

int os_rmdir(const char *path)
{
    return rmdir(path) == 0 ? 0 : -errno;
}

int os_unlink(const char *path)
{
    return unlink(path) == 0 ? 0 : -errno;
}

int os_mkdir(const char *path)
{
    if (mkdir(path, 0700) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    struct stat st;
    if (stat(path, &st) != 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int os_working_dir(char *to, size_t bytes)
{
    return getcwd(to, bytes) ? 0 : -errno;
}

int os_exists(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0)
        return 1;
    return errno == ENOENT ? 0 : -errno;
}

int os_same(const char *one, const char *other)
{
    struct stat a, b;
    if (stat(one, &a) != 0 || stat(other, &b) != 0)
        return -errno;
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int os_list(const char *path, int (*fn)(void *arg, const char *name),
            void *arg)
{
    DIR *dir = opendir(path);
    if (!dir)
        return -errno;
    int rc = 0;
    struct dirent *entry;
    while (rc == 0 && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0)
            rc = fn(arg, entry->d_name);
    closedir(dir);
    return rc;
}

int os_free_bytes(const char *path, uint64_t *bytes)
{
    struct statvfs st;
    if (statvfs(path, &st) != 0)
        return -errno;
    *bytes = (uint64_t)st.f_bavail * (uint64_t)st.f_frsize;
    return 0;
}

/* ---- memory ---- */

int os_map_ring(int fd, size_t bytes, bool writable, void **base)
{
    int prot = PROT_READ | (writable ? PROT_WRITE : 0);
    int flags = (writable ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED;
    char *at = mmap(NULL, 2 * bytes, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return -errno;
    if (mmap(at, bytes, prot, flags, fd, 0) == MAP_FAILED ||
        mmap(at + bytes, bytes, prot, flags, fd, 0) == MAP_FAILED) {
        int rc = -errno;
        munmap(at, 2 * bytes);
        return rc;
    }
    *base = at;
    return 0;
}

void os_unmap_ring(void *base, size_t bytes)
{
    if (base)
        munmap(base, 2 * bytes);
}

int os_map_read(int fd, size_t bytes, void **base)
{
    void *at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return -errno;
    *base = at;
    return 0;
}

void os_unmap(void *base, size_t bytes)
{
    if (base)
        munmap(base, bytes);
}

void *os_reserve(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void os_release(void *at, size_t bytes)
{
    madvise(at, bytes, MADV_DONTNEED);
}

void os_unreserve(void *at, size_t bytes)
{
    if (at)
        munmap(at, bytes);
}

bool os_addresses(size_t bytes)
{
    void *at = os_reserve(bytes);
    os_unreserve(at, bytes);
    return at != NULL;
}

void os_huge(void *at, size_t bytes)
{
    madvise(at, bytes, MADV_HUGEPAGE);
}

void os_populate(void *at, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
    enum { PAGE = 4096 };
    uintptr_t from = ((uintptr_t)at + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    uintptr_t to = ((uintptr_t)at + bytes) & ~(uintptr_t)(PAGE - 1);
    if (to > from)
        madvise((void *)from, to - from, MADV_POPULATE_WRITE);
#else
    (void)at;
    (void)bytes;
#endif
}

static uint64_t read_number(const char *path)
{
    FILE *f = fopen(path, "re");
    unsigned long long n = 0;
    if (!f)
        return UINT64_MAX;
    if (fscanf(f, "%llu", &n) != 1)
        n = UINT64_MAX; /* "max" */
    fclose(f);
    return n;
}

uint64_t os_memory_limit(void)
{
    uint64_t limit = (uint64_t)sysconf(_SC_PHYS_PAGES) *
                     (uint64_t)sysconf(_SC_PAGESIZE);
    static const char *const files[] = {
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        uint64_t n = read_number(files[i]);
        if (n > 0 && n < limit)
            limit = n;
    }
    /* The cgroup that this process is in, below the mount's root. */
    FILE *f = fopen("/proc/self/cgroup", "re");
    char line[512];
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "0::/", 4) != 0)
            continue;
        line[strcspn(line, "\n")] = 0;
        char path[600];
        snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", line + 3);
        uint64_t n = read_number(path);
        if (n > 0 && n < limit)
            limit = n;
    }
    if (f)
        fclose(f);
    return limit;
}

/* ---- fork ---- */

int os_fork_guard(const _Atomic uint32_t **guard)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    _Atomic uint32_t *at = mmap(NULL, page, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return -errno;
    if (madvise(at, page, MADV_WIPEONFORK) != 0) {
        int rc = -errno;
        munmap(at, page);
        return rc;
    }
    atomic_store_explicit(at, 1, memory_order_relaxed);
    *guard = at;
    return 0;
}

void os_fork_unguard(const _Atomic uint32_t *guard)
{
    if (guard)
        munmap((void *)(uintptr_t)guard, (size_t)sysconf(_SC_PAGESIZE));
}

/* ---- the owner's lock ----
 * A POSIX record lock belongs to the process: a forked child does not have it
 * and the kernel drops it when the process dies. Closing any descriptor of the
 * file drops it too, so the file is opened once per process: a table of the
 * lock files that this process holds refuses a second open before it. */
static struct os_lock held_lock;
static struct {
    dev_t dev;
    ino_t ino;
    pid_t pid; /* of the process that put the row here */
    bool used;
} held[64];

static int held_find(const struct stat *st, bool add)
{
    int free_row = -1;
    for (int i = 0; i < 64; i++) {
        /* Rows of a parent are not ours: its locks were not inherited. */
        if (held[i].used && held[i].pid != getpid())
            held[i].used = false;
        if (held[i].used && held[i].dev == st->st_dev &&
            held[i].ino == st->st_ino)
            return -EAGAIN;
        if (!held[i].used && free_row < 0)
            free_row = i;
    }
    if (free_row < 0)
        return -EMFILE;
    if (add) {
        held[free_row].dev = st->st_dev;
        held[free_row].ino = st->st_ino;
        held[free_row].pid = getpid();
        held[free_row].used = true;
    }
    return 0;
}

int os_owner_lock(const char *path, bool writer, int *fd_out, int *pid)
{
    struct stat st;
    int fd = -1, rc;
    *pid = 0;
    os_lock(&held_lock);
    if (stat(path, &st) == 0 && (rc = held_find(&st, false)) != 0) {
        *pid = (int)getpid();
        goto out;
    }
    fd = os_open(path, OS_READ | (writer ? OS_WRITE | OS_CREATE : 0));
    if (fd < 0) {
        rc = fd;
        goto out;
    }
    struct flock lock = {.l_type = (short)(writer ? F_WRLCK : F_RDLCK),
                         .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &lock) != 0) {
        rc = errno == EACCES ? -EAGAIN : -errno;
        if (rc == -EAGAIN && fcntl(fd, F_GETLK, &lock) == 0 &&
            lock.l_type != F_UNLCK)
            *pid = (int)lock.l_pid;
        goto out;
    }
    rc = fstat(fd, &st) == 0 ? held_find(&st, st.st_nlink > 0) : -errno;
    if (rc == 0 && st.st_nlink == 0)
        rc = -EAGAIN; /* who held it has just removed it */
out:
    os_unlock(&held_lock);
    if (rc != 0) {
        os_close(fd);
        fd = -1;
    }
    *fd_out = fd;
    return rc;
}

void os_owner_unlock(int fd, const char *path)
{
    struct stat st;
    (void)path;
    if (fd < 0)
        return;
    os_lock(&held_lock);
    if (fstat(fd, &st) == 0)
        for (int i = 0; i < 64; i++)
            if (held[i].used && held[i].dev == st.st_dev &&
                held[i].ino == st.st_ino)
                held[i].used = false;
    os_close(fd);
    os_unlock(&held_lock);
}

int os_random(void *to, size_t bytes)
{
    char *p = to;
    while (bytes > 0) {
        ssize_t n = getrandom(p, bytes, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        p += n;
        bytes -= (size_t)n;
    }
    return 0;
}

int os_pid(void)
{
    return (int)getpid();
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                                                 : -1;
}

int os_boot_id(uint8_t id[OS_BOOT_BYTES])
{
    char text[64];
    int fd = os_open("/proc/sys/kernel/random/boot_id", OS_READ), count = 0;
    if (fd < 0)
        return fd;
    int64_t n = os_pread(fd, text, sizeof text, 0);
    os_close(fd);
    memset(id, 0, OS_BOOT_BYTES);
    for (int64_t i = 0; i < n && count < 2 * OS_BOOT_BYTES; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            continue;
        id[count / 2] = (uint8_t)(id[count / 2] << 4 | digit);
        count++;
    }
    return n < 0 ? (int)n : count == 2 * OS_BOOT_BYTES ? 0 : -EINVAL;
}
