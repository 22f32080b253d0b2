/* os.h: everything the runtime asks of the kernel, and nothing else does.
 *
 * Files, mappings, threads, futexes, clocks, locks. A test may replace os.c as
 * a whole by a simulated system. Calls return 0 or a count, or -errno; paths
 * are NUL-terminated. Mapped memory that must survive the process is written
 * through os_map_store() alone. */
#ifndef WARP_OS_H
#define WARP_OS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- files ---- */
enum os_open_flags {
    OS_READ = 1,
    OS_WRITE = 2,
    OS_CREATE = 4, /* mode 0600 */
    OS_EXCL = 8,
    OS_DIRECT = 16, /* O_DIRECT|O_DSYNC; -EINVAL where it is refused */
    OS_TRUNC = 32
};
int os_open(const char *path, int flags); /* a descriptor or -errno */
void os_close(int fd);
/* Reads until bytes are there or the file ends: the count, or -errno. */
int64_t os_pread(int fd, void *to, size_t bytes, uint64_t at);
int os_pwrite(int fd, const void *from, size_t bytes, uint64_t at); /* all */
int os_fdatasync(int fd);
/* Pages that need no writing are read from the disk again: after a failed sync
 * the kernel takes what it could not write for written. */
void os_drop_cache(int fd);
/* These bytes will be read soon: the kernel may begin. */
void os_will_read(int fd, uint64_t at, uint64_t bytes);
int os_sync_dir(const char *path);
/* The name of a directory is durable when its parent is synced. One that may
 * be entered and not read cannot be. */
int os_sync_parent(const char *path);
int os_size(int fd, uint64_t *bytes);
int os_truncate(int fd, uint64_t bytes);
int os_allocate(int fd, uint64_t at, uint64_t bytes); /* blocks are there */
int os_rename(const char *from, const char *to);
/* Each gets the other's name, at once; -EINVAL: not on this file system. */
int os_exchange(const char *one, const char *other);
int os_unlink(const char *path);
int os_link(const char *from, const char *to);
int os_rmdir(const char *path);
int os_mkdir(const char *path); /* 0700; 0 when it is there already */
int os_exists(const char *path); /* 1, 0 or -errno */
int os_same(const char *one, const char *other); /* one file: 1, 0 or -errno */
int os_working_dir(char *to, size_t bytes);
/* Calls fn for each name in a directory, without . and .., unordered; a
 * non-zero result of fn ends the walk and is returned. */
int os_list(const char *path, int (*fn)(void *arg, const char *name),
            void *arg);
int os_free_bytes(const char *path, uint64_t *bytes);

/* ---- memory ---- */
/* Map a whole file twice, side by side, so that a ring has no seam. `bytes` is
 * a multiple of the page size and the file is that long. */
int os_map_ring(int fd, size_t bytes, bool writable, void **base);
void os_unmap_ring(void *base, size_t bytes);
int os_map_read(int fd, size_t bytes, void **base);
void os_unmap(void *base, size_t bytes);
/* Address space without memory behind it; pages appear when touched. */
void *os_reserve(size_t bytes);
void os_release(void *at, size_t bytes); /* pages go, reads give zeros */
void os_unreserve(void *at, size_t bytes);
bool os_addresses(size_t bytes); /* so much can be reserved */
void os_huge(void *at, size_t bytes); /* a hint */
/* Makes pages writable now that would each fault at their first store; what is
 * in them stays. A hint. */
void os_populate(void *at, size_t bytes);
uint64_t os_memory_limit(void); /* the smaller of RAM and the cgroup's */

/* The one way to write memory that a file backs. */
#ifdef WARP_SIMULATED
void os_sim_store(void *to, const void *from, size_t bytes); /* tests/sim */
void os_sim_point(void);
#define os_map_store os_sim_store
#else
static inline void os_map_store(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
}
#endif

/* ---- points ---- */
/* Between two steps that other threads may see apart. In libwarp a point is
 * nothing; in the simulator another thread may go on at a lock; where Warp was
 * built with -Dyields=true, for tests, the thread gives way now and then, by
 * the seed that the variable WARP_YIELDS has. */
enum os_point {
    OS_POINT_LOCK,       /* before a lock is taken */
    OS_POINT_WRITE,      /* a record is odd */
    OS_POINT_READ,       /* a reader has a record's word */
    OS_POINT_APPEND,     /* a record is in a ring, its tail is not published */
    OS_POINT_TURN,       /* a cut is taken, ring by ring */
    OS_POINT_DONE,       /* a block is durable, nobody is woken */
    OS_POINT_WAIT,       /* what is waited for is not there, before the wait */
    OS_POINT_CHECKPOINT, /* between the steps of a checkpoint */
    OS_POINT_EVICT,      /* chosen, before it leaves */
    OS_POINT_GROW,       /* an index moves its words */
    OS_POINT_CLOSE,      /* between the parts of a store that ends */
    OS_POINT_COUNT
};
#if defined(WARP_YIELDS)
void os_point(enum os_point point);
uint64_t os_point_yields(enum os_point point); /* so far */
#elif defined(WARP_SIMULATED)
#define os_point(point)                                                        \
    ((point) == OS_POINT_LOCK ? os_sim_point() : (void)0)
#else
#define os_point(point) ((void)0)
#endif

/* ---- fork ---- */
/* A word that is 1 here and reads 0 in a forked child. */
int os_fork_guard(const _Atomic uint32_t **guard);
void os_fork_unguard(const _Atomic uint32_t *guard);

/* ---- locks ---- */
struct os_lock {
    _Atomic uint32_t word; /* 0 free, 1 held, 2 held with waiters */
};
void os_lock_slow(struct os_lock *lock);
void os_unlock_slow(struct os_lock *lock);
static inline bool os_trylock(struct os_lock *lock)
{
    uint32_t free_word = 0;
    return atomic_compare_exchange_strong_explicit(
        &lock->word, &free_word, 1, memory_order_acquire,
        memory_order_relaxed);
}
static inline void os_lock(struct os_lock *lock)
{
    os_point(OS_POINT_LOCK);
    if (!os_trylock(lock))
        os_lock_slow(lock);
}
static inline void os_unlock(struct os_lock *lock)
{
    if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2)
        os_unlock_slow(lock);
}
/* What this process waited for so far: locks that were taken when asked for,
 * and calls of the kernel to wait or to wake. */
struct os_contention {
    uint64_t lock_waits, futex_calls;
};
void os_contention(struct os_contention *out);
/* 0 woken or changed, -ETIMEDOUT; timeout_ns < 0 waits for ever. */
int os_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout_ns);
void os_futex_wake(_Atomic uint32_t *word, int count);

/* Takes the lock of a store that no forked child inherits and that dies with
 * its process. 0, -EAGAIN with the owner's pid in *pid (0: it has just ended),
 * or -errno. */
int os_owner_lock(const char *path, bool writer, int *fd, int *pid);
void os_owner_unlock(int fd, const char *path);

/* ---- threads ---- */
struct os_thread {
    unsigned long handle;
    bool running;
};
/* It runs where its maker may. */
int os_thread_start(struct os_thread *t, void *(*fn)(void *), void *arg,
                    const char *name);
void os_thread_join(struct os_thread *t);
uint32_t os_cpu_count(void);
void os_yield(void);
/* The calling thread gives way to others that are busy. */
void os_background(void);
int os_pid(void);

/* ---- processors and nodes of memory ---- */
struct os_cpus {
    uint64_t bits[16];
    bool some; /* false: wherever it may */
};
/* A list as the kernel writes it: "0-3,8". 0; -EINVAL: it is none; -ENODEV: the
 * process may not use number *bad. */
int os_cpus_parse(const char *list, struct os_cpus *cpus, uint32_t *bad);
/* From now on the thread runs there alone. A hint. */
void os_thread_run_on(const struct os_thread *t, const struct os_cpus *cpus);
/* The nodes whose memory the process may use; at least 1. */
uint32_t os_node_count(void);
/* Pages that are touched here from now on come from the n-th of them, counted
 * round, while it has some. A hint. */
void os_node_prefer(void *at, size_t bytes, uint32_t n);

/* ---- time and chance ---- */
int64_t os_wall_ms(void);
int64_t os_mono_ns(void);
int64_t os_thread_cpu_ns(void); /* of the calling thread, so far */
int64_t os_boot_ms(void); /* goes on while suspended */
int os_random(void *to, size_t bytes);
enum { OS_BOOT_BYTES = 16 };
/* A number that the kernel draws when it starts. 0 or -errno. */
int os_boot_id(uint8_t id[OS_BOOT_BYTES]);

#endif
