/* wrap_file.c: the calls of files and mappings that the linker sends to the
 * simulated kernel. Those ending in 64 are of runtime/os.c, which goes on after
 * EINTR and after a short read or write; the others are of LMDB. */
#include "sim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "history.h"
#include "wrap.h"

enum { FD_FIRST = 1000, FDS_MAX = 512 };

SIM_STATE static struct fd {
    struct sim_file *file;
    bool direct, dsync, writes;
    uint64_t at;
} fds[FDS_MAX];

/* Writes in the order in which they were begun; 0: done. */
SIM_STATE static struct {
    uint32_t number[16], count;
} writing;

void sim_fds_drop(void)
{
    memset(fds, 0, sizeof fds);
    memset(&writing, 0, sizeof writing);
}

uint32_t sim_fds_open(void)
{
    uint32_t n = 0;
    for (int i = 0; i < FDS_MAX; i++)
        n += fds[i].file != NULL;
    return n;
}

static struct fd *fd_of(int fd)
{
    if (fd < FD_FIRST || fd >= FD_FIRST + FDS_MAX || !fds[fd - FD_FIRST].file)
        sim_finding("a call on descriptor %d, which is not open", fd);
    return &fds[fd - FD_FIRST];
}

static int fails(int rc)
{
    if (rc >= 0)
        return rc;
    errno = -rc;
    return -1;
}

static bool interrupted(void)
{
    if (!sim_one_in(sim_plan.small_one_in))
        return false;
    errno = EINTR;
    return true;
}

/* ---- descriptors ---- */

static int open_file(const char *path, int flags)
{
    struct sim_file *f = NULL;
    bool create = flags & O_CREAT;
    sim_event(SIM_OPEN, (uint64_t)flags, strlen(path));
    sim_trace("open %s", path);
    if ((flags & O_DIRECT) && !history_direct())
        return fails(-EINVAL);
    if (sim_fails(FAULT_OPEN_LIMIT))
        return fails(-EMFILE);
    if (create && !sim_path_find(path) && sim_fails(FAULT_NO_SPACE))
        return fails(-ENOSPC);
    int rc = sim_path_open(path, create, flags & O_EXCL, flags & O_TRUNC, &f);
    if (rc < 0)
        return fails(rc);
    if (sim_is_dir(f) && (flags & O_ACCMODE) != O_RDONLY)
        return fails(-EISDIR);
    if ((flags & O_DIRECTORY) && !sim_is_dir(f))
        return fails(-ENOTDIR);
    for (int i = 0; i < FDS_MAX; i++)
        if (!fds[i].file) {
            fds[i].file = f;
            fds[i].direct = flags & O_DIRECT;
            fds[i].dsync = (flags & O_DSYNC) == O_DSYNC;
            fds[i].writes = (flags & O_ACCMODE) != O_RDONLY;
            fds[i].at = 0;
            sim_file_hold(f, 1);
            return FD_FIRST + i;
        }
    return fails(-EMFILE);
}

#define WRAP_OPEN(name)                                                        \
    int __real_##name(const char *path, int flags, ...);                       \
    int __wrap_##name(const char *path, int flags, ...);                       \
    int __wrap_##name(const char *path, int flags, ...)                        \
    {                                                                          \
        if (sim_inside())                                                      \
            return open_file(path, flags);                                     \
        va_list a;                                                             \
        va_start(a, flags);                                                    \
        int mode = va_arg(a, int);                                             \
        va_end(a);                                                             \
        return __real_##name(path, flags, mode);                               \
    }
WRAP_OPEN(open)
WRAP_OPEN(open64)

WRAP(int, close, (int fd))
{
    if (!sim_inside())
        return __real_close(fd);
    struct fd *d = fd_of(fd);
    sim_file_hold(d->file, -1);
    d->file = NULL;
    return 0;
}

/* ---- reading and writing ---- */

static ssize_t read_file(int fd, void *to, size_t bytes, uint64_t at,
                         bool patient)
{
    struct fd *d = fd_of(fd);
    sim_event(SIM_READ, bytes, at);
    if (patient && interrupted())
        return -1;
    if (sim_fails(FAULT_READ_EIO))
        return fails(-EIO);
    if (patient && bytes > 1 && sim_one_in(sim_plan.small_one_in))
        bytes = 1 + sim_below((uint32_t)bytes);
    return (ssize_t)sim_file_read(d->file, to, bytes, at);
}

static uint32_t write_begins(void)
{
    for (int i = 0; i < 16; i++)
        if (writing.number[i] == 0)
            return writing.number[i] = ++writing.count;
    return 0;
}

static void write_ends(uint32_t number)
{
    sim_overtaken = false;
    for (int i = 0; i < 16; i++) {
        if (writing.number[i] == number)
            writing.number[i] = 0;
        else if (writing.number[i] && writing.number[i] < number)
            sim_overtaken = true;
    }
}

static void wait_for_disk(const struct sim_file *f)
{
    if (sim_plan.slow_disk)
        sim_wait_on(
            f, 20000 + (int64_t)sim_below(sim_one_in(4) ? 5000000 : 400000));
}

/* A direct write leaves nothing in the kernel's pages. */
static void write_fails(const struct fd *d, uint64_t at, uint64_t bytes)
{
    sim_file_sync_fails(d->file, at, bytes);
    if (d->direct)
        sim_file_forget(d->file);
}

/* Elsewhere in the same file, or in another one. The kernel's page, if there is
 * one, has what it was given until it is read again. */
static ssize_t misdirect(const struct fd *d, const void *from, size_t bytes,
                         uint64_t at)
{
    struct sim_file *f = sim_one_in(4) ? sim_name_any() : d->file;
    if (!f || sim_is_dir(f))
        f = d->file;
    uint64_t sectors = sim_file_bytes(f) / SIM_SECTOR;
    uint64_t to = SIM_SECTOR * (uint64_t)sim_below((uint32_t)sectors);
    uint64_t room = sim_file_bytes(f) - to;
    size_t n = bytes < room ? bytes : (size_t)room;
    sim_trace("file %u: %zu at %llu go to file %u at %llu",
              sim_file_number(d->file), bytes, (unsigned long long)at,
              sim_file_number(f), (unsigned long long)to);
    if (!d->direct) {
        sim_file_write(d->file, from, bytes, at);
        sim_file_clean(d->file, at, bytes);
    }
    sim_file_write(f, from, n, to);
    sim_file_sync(f, to, n);
    return (ssize_t)bytes;
}

static ssize_t write_file(int fd, const void *from, size_t bytes, uint64_t at,
                          bool patient)
{
    struct fd *d = fd_of(fd);
    struct sim_file *f = d->file;
    if (!d->writes)
        return fails(-EBADF);
    if (d->direct &&
        (at % SIM_SECTOR || bytes % SIM_SECTOR || (uintptr_t)from % SIM_SECTOR))
        return fails(-EINVAL);
    sim_event(SIM_WRITE, bytes, at);
    sim_trace("write file %u: %zu at %llu", sim_file_number(f), bytes,
              (unsigned long long)at);
    sim_mix_bytes(from, bytes);
    if (patient && interrupted())
        return -1;
    if (!sim_file_room(f, at + bytes) || sim_fails(FAULT_NO_SPACE))
        return fails(-ENOSPC);
    if (sim_fails(FAULT_MISDIRECTED))
        return misdirect(d, from, bytes, at);
    bool eio = sim_fails(FAULT_WRITE_EIO);
    if (patient && !d->direct && bytes > 1 && sim_one_in(sim_plan.small_one_in))
        bytes = 1 + sim_below((uint32_t)bytes);
    size_t first = bytes > SIM_SECTOR && (eio || sim_one_in(8))
                       ? SIM_SECTOR * sim_below((uint32_t)bytes / SIM_SECTOR)
                       : 0;
    sim_file_write(f, from, first, at);
    if (eio) {
        write_fails(d, at, bytes);
        return fails(-EIO);
    }
    if (first > 0)
        sim_event(SIM_WRITE, bytes - first, at + first);
    sim_file_write(f, (const char *)from + first, bytes - first, at + first);
    if (d->dsync) {
        uint32_t number = write_begins();
        wait_for_disk(f);
        sim_event(SIM_SYNC, bytes, at);
        write_ends(number);
        if (sim_fails(FAULT_SYNC_EIO)) {
            write_fails(d, at, bytes);
            return fails(-EIO);
        }
        if (!sim_plan.ignore_sync)
            sim_file_sync(f, at, bytes);
    }
    return (ssize_t)bytes;
}

WRAP(ssize_t, pread64, (int fd, void *to, size_t bytes, off_t at))
{
    return sim_inside() ? read_file(fd, to, bytes, (uint64_t)at, true)
                        : __real_pread64(fd, to, bytes, at);
}

WRAP(ssize_t, pread, (int fd, void *to, size_t bytes, off_t at))
{
    return sim_inside() ? read_file(fd, to, bytes, (uint64_t)at, false)
                        : __real_pread(fd, to, bytes, at);
}

WRAP(ssize_t, pwrite64, (int fd, const void *from, size_t bytes, off_t at))
{
    return sim_inside() ? write_file(fd, from, bytes, (uint64_t)at, true)
                        : __real_pwrite64(fd, from, bytes, at);
}

WRAP(ssize_t, pwrite, (int fd, const void *from, size_t bytes, off_t at))
{
    return sim_inside() ? write_file(fd, from, bytes, (uint64_t)at, false)
                        : __real_pwrite(fd, from, bytes, at);
}

WRAP(ssize_t, write, (int fd, const void *from, size_t bytes))
{
    if (!sim_inside() || fd < FD_FIRST)
        return __real_write(fd, from, bytes);
    struct fd *d = fd_of(fd);
    ssize_t n = write_file(fd, from, bytes, d->at, false);
    if (n > 0)
        d->at += (uint64_t)n;
    return n;
}

WRAP(ssize_t, writev, (int fd, const struct iovec *parts, int count))
{
    if (!sim_inside())
        return __real_writev(fd, parts, count);
    struct fd *d = fd_of(fd);
    ssize_t all = 0;
    for (int i = 0; i < count; i++) {
        ssize_t n =
            write_file(fd, parts[i].iov_base, parts[i].iov_len, d->at, false);
        if (n < 0)
            return -1;
        d->at += (uint64_t)n;
        all += n;
    }
    return all;
}

WRAP(off_t, lseek, (int fd, off_t at, int whence))
{
    if (!sim_inside())
        return __real_lseek(fd, at, whence);
    struct fd *d = fd_of(fd);
    if (whence == SEEK_END)
        at += (off_t)sim_file_bytes(d->file);
    else if (whence == SEEK_CUR)
        at += (off_t)d->at;
    d->at = (uint64_t)at;
    return at;
}

static int sync_file(int fd)
{
    struct fd *d = fd_of(fd);
    bool is_dir = sim_is_dir(d->file);
    wait_for_disk(d->file);
    sim_event(is_dir ? SIM_SYNC_DIR : SIM_SYNC, sim_file_number(d->file), 0);
    if (sim_fails(FAULT_SYNC_EIO)) {
        if (!is_dir)
            sim_file_sync_fails(d->file, 0, UINT64_MAX);
        return fails(-EIO);
    }
    if (sim_plan.ignore_sync)
        return 0;
    if (is_dir)
        return sim_dir_sync(d->file);
    sim_file_sync(d->file, 0, UINT64_MAX);
    sim_event(SIM_SYNC, sim_file_number(d->file), 1);
    return 0;
}

WRAP(int, fsync, (int fd))
{
    return sim_inside() ? sync_file(fd) : __real_fsync(fd);
}

WRAP(int, fdatasync, (int fd))
{
    return sim_inside() ? sync_file(fd) : __real_fdatasync(fd);
}

static int truncate_file(int fd, uint64_t bytes, bool patient)
{
    struct fd *d = fd_of(fd);
    sim_event(SIM_ALLOCATE, bytes, sim_file_number(d->file));
    if (patient && interrupted())
        return -1;
    sim_file_truncate(d->file, bytes);
    return 0;
}

WRAP(int, ftruncate, (int fd, off_t bytes))
{
    return sim_inside() ? truncate_file(fd, (uint64_t)bytes, false)
                        : __real_ftruncate(fd, bytes);
}

WRAP(int, ftruncate64, (int fd, off_t bytes))
{
    return sim_inside() ? truncate_file(fd, (uint64_t)bytes, true)
                        : __real_ftruncate64(fd, bytes);
}

WRAP(int, posix_fadvise64, (int fd, off_t at, off_t bytes, int advice))
{
    if (!sim_inside())
        return __real_posix_fadvise64(fd, at, bytes, advice);
    if (advice == POSIX_FADV_DONTNEED)
        sim_file_forget(fd_of(fd)->file);
    return 0;
}

WRAP(int, posix_fallocate64, (int fd, off_t at, off_t bytes))
{
    if (!sim_inside())
        return __real_posix_fallocate64(fd, at, bytes);
    struct fd *d = fd_of(fd);
    uint64_t end = (uint64_t)(at + bytes);
    sim_event(SIM_ALLOCATE, end, sim_file_number(d->file));
    if (interrupted())
        return EINTR;
    if (!sim_file_room(d->file, end) || sim_fails(FAULT_NO_SPACE))
        return ENOSPC;
    if (end > sim_file_bytes(d->file))
        sim_file_truncate(d->file, end);
    return 0;
}

/* ---- names ---- */

static void fill_stat(const struct sim_file *f, struct stat *st)
{
    memset(st, 0, sizeof *st);
    st->st_dev = 1;
    st->st_ino = sim_file_number(f);
    st->st_mode = sim_is_dir(f) ? S_IFDIR | 0700 : S_IFREG | 0600;
    st->st_size = (off_t)sim_file_bytes(f);
    st->st_blksize = SIM_PAGE;
    st->st_nlink = 1;
}

WRAP(int, fstat64, (int fd, struct stat *st))
{
    if (!sim_inside())
        return __real_fstat64(fd, (void *)st);
    sim_event(SIM_SIZE, 0, 0);
    fill_stat(fd_of(fd)->file, st);
    return 0;
}

WRAP(int, __fxstat, (int version, int fd, struct stat *st))
{
    if (!sim_inside())
        return __real___fxstat(version, fd, st);
    sim_event(SIM_SIZE, 0, 0);
    fill_stat(fd_of(fd)->file, st);
    return 0;
}

WRAP(int, stat64, (const char *path, struct stat *st))
{
    if (!sim_inside())
        return __real_stat64(path, (void *)st);
    sim_event(SIM_LOOK, strlen(path), 0);
    struct sim_file *f = sim_path_find(path);
    if (!f)
        return fails(-ENOENT);
    fill_stat(f, st);
    return 0;
}

WRAP(int, rename, (const char *from, const char *to))
{
    if (!sim_inside())
        return __real_rename(from, to);
    sim_event(SIM_RENAME, strlen(from), strlen(to));
    sim_trace("rename %s %s", from, to);
    return fails(sim_fails(FAULT_NO_SPACE) ? -ENOSPC
                                           : sim_path_rename(from, to));
}

WRAP(int, renameat2,
     (int one_fd, const char *one, int other_fd, const char *other,
      unsigned flags))
{
    if (!sim_inside())
        return __real_renameat2(one_fd, one, other_fd, other, flags);
    if (!history_direct()) /* a file system that has less */
        return fails(-EINVAL);
    sim_event(SIM_RENAME, strlen(one), strlen(other));
    sim_trace("exchange %s %s", one, other);
    return fails(sim_fails(FAULT_NO_SPACE) ? -ENOSPC
                                           : sim_path_exchange(one, other));
}

WRAP(int, link, (const char *from, const char *to))
{
    if (!sim_inside())
        return __real_link(from, to);
    sim_event(SIM_LINK, strlen(from), strlen(to));
    return fails(sim_fails(FAULT_NO_SPACE) ? -ENOSPC : sim_path_link(from, to));
}

WRAP(int, unlink, (const char *path))
{
    if (!sim_inside())
        return __real_unlink(path);
    sim_event(SIM_UNLINK, strlen(path), 0);
    sim_trace("unlink %s", path);
    return fails(sim_path_remove(path, false));
}

WRAP(int, rmdir, (const char *path))
{
    if (!sim_inside())
        return __real_rmdir(path);
    sim_event(SIM_UNLINK, strlen(path), 1);
    return fails(sim_path_remove(path, true));
}

WRAP(int, mkdir, (const char *path, mode_t mode))
{
    if (!sim_inside())
        return __real_mkdir(path, mode);
    sim_event(SIM_MKDIR, strlen(path), 0);
    return fails(sim_fails(FAULT_NO_SPACE) ? -ENOSPC : sim_path_mkdir(path));
}

/* A walk: the names of a directory when it was opened, one behind the other. */
struct walk {
    char *next;
    struct dirent entry;
    char names[];
};

WRAP(DIR *, opendir, (const char *path))
{
    if (!sim_inside())
        return __real_opendir(path);
    sim_event(SIM_LIST, strlen(path), 0);
    struct sim_file *f = sim_path_find(path);
    if (!f || !sim_is_dir(f)) {
        errno = f ? ENOTDIR : ENOENT;
        return NULL;
    }
    size_t bytes = 1;
    const char *name;
    for (uint32_t n = 0; (name = sim_dir_name(f, n)); n++)
        bytes += strlen(name) + 1;
    struct walk *w = sim_malloc(sizeof *w + bytes, 16);
    char *to = w->next = w->names;
    for (uint32_t n = 0; (name = sim_dir_name(f, n)); n++)
        to = stpcpy(to, name) + 1;
    *to = 0;
    return (DIR *)(void *)w;
}

WRAP(struct dirent *, readdir64, (DIR * dir))
{
    if (!sim_inside())
        return __real_readdir64(dir);
    struct walk *w = (struct walk *)(void *)dir;
    if (!*w->next)
        return NULL;
    snprintf(w->entry.d_name, sizeof w->entry.d_name, "%s", w->next);
    w->next += strlen(w->next) + 1;
    return &w->entry;
}

WRAP(int, closedir, (DIR * dir))
{
    if (!sim_inside())
        return __real_closedir(dir);
    sim_free(dir);
    return 0;
}

WRAP(int, statvfs64, (const char *path, struct statvfs *st))
{
    if (!sim_inside())
        return __real_statvfs64(path, (void *)st);
    sim_event(SIM_LOOK, 1, 1);
    memset(st, 0, sizeof *st);
    st->f_frsize = st->f_bsize = SIM_PAGE;
    st->f_bavail = st->f_bfree = sim_disk_free() / SIM_PAGE;
    st->f_blocks = (64 << 20) / SIM_PAGE;
    return 0;
}

WRAP(int, fstatfs, (int fd, struct statfs *st))
{
    if (!sim_inside())
        return __real_fstatfs(fd, st);
    memset(st, 0, sizeof *st);
    st->f_type = 0xef53;
    st->f_bsize = SIM_PAGE;
    return 0;
}

WRAP(FILE *, fopen64, (const char *path, const char *mode))
{
    if (!sim_inside())
        return __real_fopen64(path, mode);
    errno = ENOENT; /* what the kernel tells of a real machine */
    return NULL;
}

/* The owner's lock and LMDB's: there is one process. */
#define WRAP_FCNTL(name)                                                       \
    int __real_##name(int fd, int what, ...);                                  \
    int __wrap_##name(int fd, int what, ...);                                  \
    int __wrap_##name(int fd, int what, ...)                                   \
    {                                                                          \
        va_list a;                                                             \
        va_start(a, what);                                                     \
        void *arg = va_arg(a, void *);                                         \
        va_end(a);                                                             \
        if (!sim_inside())                                                     \
            return __real_##name(fd, what, arg);                               \
        (void)fd_of(fd);                                                       \
        if (what == F_GETLK)                                                   \
            ((struct flock *)arg)->l_type = F_UNLCK;                           \
        return 0;                                                              \
    }
WRAP_FCNTL(fcntl)
WRAP_FCNTL(fcntl64)

/* ---- mappings ---- */

/* An address space has an end: LMDB asks for what a damaged page says. */
static const uint64_t space_bytes = UINT64_C(1) << 40;

static void *map(void *at, size_t bytes, int prot, int flags, int fd)
{
    sim_event(SIM_MAP, bytes, (uint64_t)flags);
    if (bytes > space_bytes || sim_fails(FAULT_NO_MEMORY)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    if (fd < 0) {
        void *p = sim_pages(bytes);
        if (!p)
            errno = ENOMEM;
        return p ? p : MAP_FAILED;
    }
    struct sim_file *f = fd_of(fd)->file;
    if (flags & MAP_FIXED) {
        sim_map_add(f, at, bytes);
        return at;
    }
    if (prot & PROT_WRITE) /* LMDB's lock file, which begins anew each time */
        return sim_pages(bytes);
    return sim_file_flat(f, bytes);
}

#define WRAP_MMAP(name)                                                        \
    WRAP(void *, name,                                                         \
         (void *at, size_t bytes, int prot, int flags, int fd, off_t from))    \
    {                                                                          \
        return sim_inside() ? map(at, bytes, prot, flags, fd)                  \
                            : __real_##name(at, bytes, prot, flags, fd, from); \
    }
WRAP_MMAP(mmap)
WRAP_MMAP(mmap64)

WRAP(int, munmap, (void *at, size_t bytes))
{
    if (!sim_inside())
        return __real_munmap(at, bytes);
    sim_map_remove(at, bytes);
    sim_pages_free(at, bytes);
    return 0;
}

WRAP(int, madvise, (void *at, size_t bytes, int advice))
{
    if (!sim_inside())
        return __real_madvise(at, bytes, advice);
    if (advice == MADV_DONTNEED)
        sim_pages_clear(at, bytes);
    return 0;
}

WRAP(int, msync, (void *at, size_t bytes, int flags))
{
    if (!sim_inside())
        return __real_msync(at, bytes, flags);
    sim_event(SIM_SYNC, bytes, 2);
    return 0;
}

/* ---- for the simulator itself ---- */

void *sim_own_pages(size_t bytes)
{
    void *p = __real_mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        sim_finding("the simulator is out of address space");
    return p;
}

void sim_own_pages_free(void *at, size_t bytes)
{
    __real_munmap(at, bytes);
}

void sim_own_pages_clear(void *at, size_t bytes)
{
    __real_madvise(at, bytes, MADV_DONTNEED);
}
