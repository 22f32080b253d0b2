/* sim.h: a kernel in memory, for one process, that replays from a seed.
 *
 * The linker sends the system calls of libwarp and of LMDB here (wrap_*.c), so
 * that everything above them runs as it is. Files have a volatile content (what
 * the kernel would have in its pages) and a durable one (what a power loss
 * leaves); threads are contexts that take turns; clock and chance come from the
 * seed. Outside of a simulated thread the calls go to the real kernel. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A process begins with its variables as they were compiled: between two lives
 * all are put back but those of the simulator. */
#define SIM_STATE __attribute__((section("sim_state")))
void sim_variables_keep(void);
void sim_variables_reset(void);

/* ---- chance and digest (sim.c) ---- */
uint64_t sim_random(void);
void sim_salt(uint64_t salt);   /* other chances from here on */
uint32_t sim_below(uint32_t n); /* 0 when n is 0 */
bool sim_one_in(uint32_t n);
void sim_mix(uint64_t a, uint64_t b); /* into the digest */
void sim_mix_bytes(const void *bytes, size_t count);
uint64_t sim_digest(void);

/* A finding: told once, with the seed by the caller; the thread does not come
 * back. */
_Noreturn void sim_finding(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
/* A line of the trace, if one is asked for. */
void sim_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern bool sim_traces;

/* ---- events (sim.c) ----
 * Every call of the kernel, every store to mapped memory: the process may die
 * here, and another thread may go on. */
enum sim_call {
    SIM_OPEN,
    SIM_READ,
    SIM_WRITE,
    SIM_SYNC,
    SIM_SYNC_DIR,
    SIM_SIZE,
    SIM_ALLOCATE,
    SIM_RENAME,
    SIM_UNLINK,
    SIM_LINK,
    SIM_MKDIR,
    SIM_LOOK,
    SIM_LIST,
    SIM_MAP,
    SIM_STORE,
    SIM_FUTEX,
    SIM_WAKE,
    SIM_LOCK,
    SIM_THREAD,
    SIM_YIELD,
    SIM_CLOCK,
    SIM_MALLOC,
    SIM_CALLS
};
void sim_event(enum sim_call call, uint64_t a, uint64_t b);
/* What a kill leaves, or a power loss, is another thing before an event of this
 * kind than before the event that it follows. */
bool sim_changes(enum sim_call call, bool power);
/* Where the kinds of the first events of a history go, by their numbers. */
enum { SIM_NOTED_MAX = 1 << 20 };
extern uint8_t *sim_noted;

enum sim_fault {
    FAULT_NONE,
    FAULT_READ_EIO,
    FAULT_WRITE_EIO,   /* a part may have been written */
    FAULT_SYNC_EIO,    /* what was dirty is clean and never written */
    FAULT_NO_SPACE,    /* a write or an allocation that grows a file */
    FAULT_NO_MEMORY,   /* malloc or an anonymous mapping */
    FAULT_OPEN_LIMIT,  /* EMFILE */
    FAULT_MISDIRECTED, /* written at another place, and nobody is told */
    FAULT_KINDS
};
/* Set before a run of threads. */
struct sim_plan {
    uint32_t switch_one_in; /* another thread at an event: once in so many */
    uint32_t back_one_in;   /* the kernel writes a page back */
    bool slow_disk;         /* others go on while a sync waits for the disk */
    uint32_t small_one_in;  /* EINTR, short writes, short reads */
    enum sim_fault fault;
    uint64_t fault_after; /* calls that could fail, before it does */
    uint32_t fault_times;
    uint32_t crash_mark; /* dies so many events after this mark; 0: never */
    uint64_t crash_events;
    enum sim_call crash_call; /* only these events count; SIM_CALLS: all */
    bool crash_overtaken;     /* dies while a later write is done sooner */
    uint64_t die_at;          /* at this event of all lives; 0: never */
    bool die_faulted;         /* at the first change of a file after a fault */
    uint64_t events_max;      /* more is a hang */
    bool ignore_sync;         /* a planted bug: syncs do nothing */
};
extern struct sim_plan sim_plan;
extern uint64_t sim_faults_hit[FAULT_KINDS]; /* in all lives */
extern uint64_t sim_events;                  /* in all lives */
extern uint64_t sim_fault_seen;              /* in this life */
extern bool sim_overtaken;    /* a write is not done, and one begun later is */
void sim_mark(uint32_t mark); /* the workload has come to here */
void sim_hold(bool held);     /* nobody dies and nothing fails meanwhile */
bool sim_fails(enum sim_fault fault);

/* ---- threads (sim_thread.c) ---- */
enum sim_end { SIM_DONE, SIM_CRASHED };
/* Runs fn as the first thread until all threads have ended or the process
 * dies. */
enum sim_end sim_run(void (*fn)(void *), void *arg);
void sim_die(void);
bool sim_inside(void); /* a simulated thread is running */
int sim_thread(void);  /* its number */
int sim_spawn(void *(*fn)(void *), void *arg);
void *sim_join(int thread);
/* Blocks on an address: 0 woken, or -ETIMEDOUT. */
int sim_wait_on(const void *address, int64_t timeout_ns);
void sim_wake(const void *address, int count);
void sim_switch(void);
int64_t sim_now_ns(void);
void sim_pass(int64_t ns);

/* ---- memory (sim_memory.c) ---- */
void sim_memory_start(void);
void sim_memory_drop(void); /* the process is dead: all that it had is gone */
uint64_t sim_memory_blocks(void); /* allocated and not freed */
bool sim_memory_has(const void *at);
void *sim_malloc(size_t bytes, size_t align);
size_t sim_block_bytes(const void *at);
void sim_free(void *at);
void *sim_pages(size_t bytes); /* address space that reads zeros */
void sim_pages_free(void *at, size_t bytes); /* the last ones are used again */
void sim_pages_clear(void *at, size_t bytes);

/* ---- names and room (sim_name.c) ---- */
struct sim_file;
/* What reaches the disk of all that waits for it, when the power goes. */
enum sim_loss {
    LOSS_ALL,
    LOSS_NONE,
    LOSS_PAGES,
    LOSS_SECTORS,
    LOSS_FEW_SECTORS,
    LOSS_KINDS
};
void sim_files_start(uint64_t disk_bytes);
void sim_names_lose(enum sim_loss loss);
struct sim_file *sim_name_any(void);
void sim_disk_limit(uint64_t bytes); /* 0: none */
void sim_disk_full(uint64_t rest);   /* so much more, and no more */
bool sim_disk_limited(void);
uint64_t sim_disk_free(void);
bool sim_file_room(const struct sim_file *f, uint64_t end);
int sim_path_open(const char *path, bool create, bool excl, bool trunc,
                  struct sim_file **file);
struct sim_file *sim_path_find(const char *path);
int sim_path_mkdir(const char *path);
int sim_path_remove(const char *path, bool dir);
int sim_path_rename(const char *from, const char *to);
int sim_path_exchange(const char *one, const char *other);
int sim_path_link(const char *from, const char *to);
int sim_dir_sync(struct sim_file *dir);
/* The n-th name in a directory, in an order of its own, or NULL. */
const char *sim_dir_name(const struct sim_file *dir, uint32_t n);

/* ---- files (sim_file.c) ---- */
enum { SIM_PAGE = 4096, SIM_SECTOR = 512, SIM_SECTORS = 8 };
struct sim_file *sim_file_new(bool is_dir);
bool sim_is_dir(const struct sim_file *f);
/* The process dies: descriptors and mappings go, pages stay. */
void sim_files_kill(void);
/* The power goes: of what is not synced, some sectors were written. */
void sim_files_power_loss(void);
void sim_files_back(void); /* writes some dirty page back, or none */

uint64_t sim_file_bytes(const struct sim_file *f);
uint32_t sim_file_number(const struct sim_file *f);
size_t sim_file_read(const struct sim_file *f, void *to, size_t bytes,
                     uint64_t at);
void sim_file_write(struct sim_file *f, const void *from, size_t bytes,
                    uint64_t at);
void sim_file_truncate(struct sim_file *f, uint64_t bytes);
void sim_file_sync(struct sim_file *f, uint64_t at, uint64_t bytes);
void sim_file_sync_fails(struct sim_file *f, uint64_t at, uint64_t bytes);
void sim_file_forget(struct sim_file *f); /* clean pages are read again */
/* Taken for written, although the disk has what it had. */
void sim_file_clean(struct sim_file *f, uint64_t at, uint64_t bytes);
void sim_file_hold(struct sim_file *f, int by); /* descriptors */
/* One content in memory for the mappings that nobody stores to. */
void *sim_file_flat(struct sim_file *f, size_t bytes);

/* ---- mappings that are stored to (sim_map.c) ---- */
void sim_map_add(struct sim_file *f, void *at, size_t bytes);
void sim_map_remove(const void *at, size_t bytes);
void sim_maps_drop(void);
/* os_map_store(), while it runs in a simulation. */
void os_sim_store(void *to, const void *from, size_t bytes);
void os_sim_point(void);

/* The allocator of the program around the simulation. */
void *sim_own(size_t bytes);
void *sim_own_more(void *at, size_t bytes);
void sim_own_free(void *at);
void *sim_own_pages(size_t bytes); /* zeros */
void sim_own_pages_free(void *at, size_t bytes);
void sim_own_pages_clear(void *at, size_t bytes);

#endif
