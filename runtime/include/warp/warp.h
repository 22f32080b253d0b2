/* warp.h: the public interface of libwarp, the storage runtime of Warp.
 *
 * A program compiles its schema with warpc, includes the generated header and
 * calls the generated, typed functions. This header has what they share:
 * opening and closing a store, batches, iterators, strings and arenas,
 * statistics and errors.
 *
 * Caveats, first:
 * - One process opens a store for writing. Threads are free: any thread may
 *   use the handle, an iterator or a batch belongs to one thread at a time.
 * - After fork() the child must not use the handle: every call gives
 *   WARP_EFORK and touches nothing.
 * - Strings and lists that a call returns live in the caller's arena, as long
 *   as that arena is neither reset nor freed.
 * - Every call returns WARP_OK (0), a positive state, or a negative error;
 *   warp_errmsg() has the sentence for people. */
#ifndef WARP_WARP_H
#define WARP_WARP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WARP_API      __attribute__((visibility("default")))
#define WARP_MUST_USE __attribute__((warn_unused_result))
/* Of the calls of a field that is `deprecated: true`. */
#define WARP_DEPRECATED __attribute__((deprecated))
#else
#define WARP_API
#define WARP_MUST_USE
#define WARP_DEPRECATED
#endif

struct warp_db;
struct warp_batch;
struct warp_iter;
struct warp_schema; /* generated: PREFIX_warp_schema or STEM_warp_schema */

/** States (positive) and errors (negative); the numbers never change. */
enum warp_error {
    WARP_OK = 0,
    WARP_END = 1,
    WARP_TIMEOUT = 2,
    WARP_ENOTFOUND = -1,
    WARP_ENOSPC = -2,
    WARP_EIO = -3,
    WARP_ECORRUPT = -4,
    WARP_EBUSY = -5,
    WARP_EFORK = -6,
    WARP_ELIMIT = -7,
    WARP_ECONFLICT = -8,
    WARP_EEXIST = -9,
    WARP_ERANGE = -10,
    WARP_ESCHEMA = -11,
    WARP_EINVAL = -12,
    WARP_ENOMEM = -13,
    WARP_ENODEV = -14,
    WARP_EREADONLY = -15,
    WARP_ENOSTORE = -16,
    WARP_EVERSION = -17,
    WARP_EABI = -18,
    WARP_EARCHIVE = -19
};

/** What a commit survives. */
enum warp_survives {
    WARP_SURVIVES_DEFAULT = 0,
    WARP_SURVIVES_NOTHING = 1,
    WARP_SURVIVES_PROCESS_CRASH = 2,
    WARP_SURVIVES_POWER_LOSS = 3
};

/** Why a field has a value, or has none. */
enum warp_state {
    WARP_STATE_ERROR = -1, /* the reason is in warp_errmsg() */
    WARP_PRESENT = 0,
    WARP_ABSENT = 1,  /* never written, or the record is not there */
    WARP_EXPIRED = 2, /* its ttl has passed */
    WARP_COLD = 3,    /* the call does not read it where it is: on a disk
                         (WARP_RESIDENT), in the archive (no WARP_ARCHIVE) */
    WARP_LOST = 4     /* memory_only, and the process has restarted */
};

/** Severity of a line given to the log callback. */
enum warp_log_level {
    WARP_LOG_ERROR = 1,
    WARP_LOG_WARNING = 2,
    WARP_LOG_INFO = 3,
    WARP_LOG_DEBUG = 4
};

/* Flags of a call, in the upper bits of its field mask. */
#define WARP_RESIDENT   (UINT64_C(1) << 63) /* get: memory only, else COLD */
#define WARP_ARCHIVE    (UINT64_C(1) << 62) /* get, range: the archive, too */
#define WARP_POWER_LOSS (UINT64_C(1) << 61) /* write: wait for the disk */
#define WARP_CALL_FLAGS (UINT64_C(0xff) << 56)

/** The store's clock, as an argument of an append. */
#define WARP_NOW INT64_MIN

/** Bytes with a length; not terminated. */
struct warp_str {
    const char *data;
    uint32_t len;
};

/** The string that a C string holds; longer than 4 GiB is cut. */
static inline struct warp_str warp_str(const char *text)
{
    struct warp_str s;
    s.data = text;
    s.len = text ? (uint32_t)strlen(text) : 0;
    return s;
}

/** A list: `count` elements of the field's element type. */
struct warp_list {
    void *data;
    uint32_t count;
};

struct warp_uuid {
    uint8_t b[16];
};

/** Kinds of a dynamic value, in a field of type map(). */
enum warp_kind {
    WARP_NULL = 0,
    WARP_BOOL = 1,
    WARP_INT = 2,
    WARP_FLOAT = 3,
    WARP_STRING = 4,
    WARP_BYTES = 5,
    WARP_LIST = 6, /* of struct warp_value */
    WARP_MAP = 7   /* of struct warp_entry, sorted by key */
};

struct warp_value {
    enum warp_kind kind;
    union {
        bool b;
        int64_t i;
        double f;
        struct warp_str s;
        struct warp_list list;
    } u;
};

/** An entry of a map(); a map is sorted by the bytes of its keys. */
struct warp_entry {
    struct warp_str key;
    struct warp_value value;
};

/** Memory for what a get returns. One thread at a time. */
struct warp_arena {
    /* private */
    struct warp_arena_block *head;
    char *at, *end;
    size_t used_bytes;
};
#define WARP_ARENA_INIT { NULL, NULL, NULL, 0 }

/** Forget the contents, keep the largest block for reuse. */
WARP_API void warp_arena_reset(struct warp_arena *arena);
/** Give all memory back. The arena may be used again. */
WARP_API void warp_arena_free(struct warp_arena *arena);
/** Bytes aligned to 16, or NULL when memory is out. */
WARP_API void *warp_arena_alloc(struct warp_arena *arena, size_t bytes);

/** A named budget; wins over the schema's defpool. */
struct warp_pool {
    const char *name; /* NULL ends the list */
    uint64_t bytes;
};

/** Options of a store. Zero means the default that the comment gives. */
struct warp_options {
    size_t size;             /* sizeof(struct warp_options) */
    uint32_t shards;         /* 24; 1..256; fixed when the store is made */
    uint32_t log_writes_in_flight; /* calibrated once per store; 1..16 */
    const char *ring_path;   /* in the store */
    /* 256 KiB; a shard's, in memory; a power of two, 64 KiB to 1 GiB; fixed
     * when the store is made. Values of 100 KB and more are written faster with
     * 1 MiB or more: what is longer than a ring waits for the disk. */
    uint64_t ring_bytes;
    uint64_t log_bytes_max;  /* 1 GiB; writers wait for a checkpoint past it */
    uint32_t max_clock_step_ms; /* 3600000 */
    bool read_only;          /* false */
    bool must_exist;         /* false: a missing store is made */
    /* false. true: memory of rows and of their index comes in huge pages, up to
     * 4 MiB a shard more than memory_max_bytes counts. */
    bool huge_pages;
    uint64_t memory_max_bytes;   /* half of the smaller of RAM and cgroup */
    uint64_t disk_reserve_bytes; /* 1 MiB; held back for deletes; 1 = none */
    uint64_t ssd_map_bytes;  /* 1 TiB or what the address limit allows */
    uint32_t sync_every_ms;  /* 10 */
    uint32_t checkpoint_every_ms; /* 60000; also at half of log_bytes_max, or
                                     at three quarters if that is in time */
    uint32_t sweep_every_ms; /* 1000 */
    /* where the schema is silent: WARP_SURVIVES_PROCESS_CRASH. _NOTHING is for
     * fields that live in memory, and fixed when the store is made. */
    enum warp_survives survives;
    const struct warp_pool *pools; /* none */
    /* A copy of a store that has parts elsewhere is refused while the first is
     * there, until they are copied, too, and named. */
    const char *ssd_path;    /* where it was last; in a new store: in it */
    const char *disk_path;   /* likewise */
    const char *archive_url; /* in the store */
    int64_t (*clock_ms)(void *arg); /* the wall clock */
    void *clock_arg;
    void (*log)(void *arg, int level, int code, const char *text); /* silent */
    void *log_arg;
    int (*progress)(void *arg, const char *what, uint64_t done,
                    uint64_t total); /* none; non-zero stops the work */
    void *progress_arg;
    /* none; PRODUCT.FIELD, or PRODUCT; NULL ends. Read by warp_open() alone. */
    const char *const *allow_data_loss;
    /* false: a device works in a process of its own. true saves microseconds,
     * but a GPU's error is the end of its use by this process, and a driver
     * that crashes takes the program with it. */
    bool compute_in_process;
    /* 0; so much memory for rows is touched at open and kept, which takes its
     * time there (a second for some GB) and not later, page by page, in puts.
     * Less, where memory_max_bytes ends. */
    uint64_t ready_bytes;
    /* 1000; partners of records that are brought from disks ahead of their use,
     * in a second of the store's clock. */
    uint32_t prefetch_reads_max;
    /* none; "learned,s3fifo": two of learned, s3fifo, lru decide who leaves
     * memory, each for half of the keys and of the room; `warp ab report`
     * compares them. */
    const char *placement_ab;
    /* none; "2-3,8": the store's own threads, which write the log, checkpoint,
     * sweep, learn and serve tools, run on these CPUs alone. What an open needs
     * all CPUs for (a replay), and workers of devices, do not. */
    const char *background_cpus;
    /* false. true: the rows and the index of each shard lie in the memory of
     * one NUMA node, the shards on all nodes in turn. */
    bool numa;
    /* 0; the index has room for so many records at open, which puts of new ones
     * would else make step by step: some 12 bytes each. Less, where
     * memory_max_bytes ends. */
    uint64_t ready_records;
};
#ifdef __cplusplus
static inline struct warp_options warp_options_init(void)
{
    struct warp_options options = {};
    options.size = sizeof options;
    return options;
}
#define WARP_OPTIONS_INIT warp_options_init()
#else
#define WARP_OPTIONS_INIT { .size = sizeof(struct warp_options) }
#endif

/** Open a store, and make it if there is none.
 *  Ownership   *db belongs to the caller until warp_close(); path, options and
 *              what they point to are copied, except the callbacks' args and
 *              the schema, which must outlive the store.
 *  Durability  after a crash the log is replayed before this returns; hot rows
 *              load in the background.
 *  Threads     any; one process at a time owns a store.
 *  Cost        the replay of the log: about 1 s for 5 million records.
 *  Errors      WARP_EBUSY     owned by another process; its pid is in the text.
 *              WARP_ESCHEMA   the store holds another schema and a change to
 *                             this one would lose data, or it is opened for
 *                             reading only; the text lists what and how much.
 *              WARP_TIMEOUT   progress() stopped a change of schema: the store
 *                             keeps the one it had.
 *              WARP_ECORRUPT  the text names the file and the place.
 *              WARP_ENOSTORE  must_exist or read_only, and nothing is there.
 *              WARP_ELIMIT    memory_max_bytes is less than pinned rows need.
 *              WARP_EINVAL    an option is out of range, shards differ, or a
 *                             directory that it names is another store's. */
WARP_API WARP_MUST_USE int warp_open(const char *path,
                                     const struct warp_schema *schema,
                                     const struct warp_options *options,
                                     struct warp_db **db);

/** Checkpoint, close and null the handle. Iterators must be closed before.
 *  Durability  WARP_OK: all that is durable by policy is on stable storage.
 *  Threads     no other thread may use the handle from here on.
 *  Errors      WARP_EFORK in a forked child: nothing is touched or freed on
 *              disk; the handle's memory is given up.
 *              Any other: closed all the same; the log still has what the
 *              checkpoint could not write. */
WARP_API int warp_close(struct warp_db **db);

/** Return when all that was committed before is on stable storage.
 *  Errors      WARP_EIO: the log refused; the store is read-only from now. */
WARP_API WARP_MUST_USE int warp_sync(struct warp_db *db);

/** Move what the log holds into the tiers and cut the log. */
WARP_API WARP_MUST_USE int warp_checkpoint(struct warp_db *db);

/** Begin a batch: its writes are collected and commit together. */
WARP_API WARP_MUST_USE int warp_batch_begin(struct warp_db *db,
                                            struct warp_batch **batch);
/** Commit all or nothing, over records, products and shards.
 *  Ownership   frees the batch and nulls the handle, whatever it returns.
 *  Durability  the strongest class among the fields written.
 *  Errors      WARP_ECONFLICT an expectation failed; WARP_EEXIST a unique value
 *              is taken; WARP_ERANGE an add overflows; nothing is written. */
WARP_API WARP_MUST_USE int warp_batch_commit(struct warp_batch **batch);
/** Forget the batch and null the handle. */
WARP_API void warp_batch_abort(struct warp_batch **batch);
/** Ask for a stronger class for the whole batch; never weakens. */
WARP_API WARP_MUST_USE int warp_batch_survives(struct warp_batch *batch,
                                               enum warp_survives survives);

/** Close an iterator and null the handle; NULL is fine. */
WARP_API void warp_iter_close(struct warp_iter **iter);

/** A place where kernels can run, or why there is none of its kind. */
struct warp_device {
    const char *kind;      /* "cpu", "opencl", "cuda" */
    char name[128];        /* empty where there is none */
    char why_not[256];     /* empty where there is one */
    uint64_t memory_bytes; /* 0: not known */
    uint32_t units;        /* cores or multiprocessors */
    /* Of all stores that this process has had open: columns that stay there
     * now, and inputs of kernels that were sent there. */
    uint64_t resident_bytes, sent_bytes;
};
/** Say what is at place `index`, from 0 on; the CPU is always the first.
 *  Ownership   *out is the caller's; kind points to text that stays.
 *  Durability  writes nothing.
 *  Threads     any.
 *  Cost        loads the driver of the device, which may take a second.
 *  Errors      WARP_END     there is nothing at this place.
 *              WARP_EINVAL  out is NULL. */
WARP_API WARP_MUST_USE int warp_device_info(uint32_t index,
                                            struct warp_device *out);

/** How the last result of a derived field stands to its record. */
enum warp_fresh {
    WARP_FRESH = 1, /* the record has not changed since; shards and records of
                       other products may have */
    WARP_STALE = 2, /* it may have, or what was read then has expired */
    WARP_PENDING = 3 /* there is no result yet; the value is 0 */
};

/** How a batch of a derived field ran. */
struct warp_run_info {
    const char *ran_on; /* "cpu", "opencl", "cuda": the last part's; static */
    char why[256];      /* the reason for the place */
    uint32_t count;     /* keys that were asked for */
    uint32_t missing;   /* of them without a record or an input */
    uint32_t batch;     /* rows of the largest launch */
    uint32_t validated; /* rows compared with float64 */
    int64_t took_us;    /* of the launches, with what they moved */
};

/** What a generated _summary() call says of a list or series, of which it also
 *  reads what is in the archive. */
struct warp_summary {
    uint64_t count;      /* elements */
    double entropy_bits; /* of their distribution: 0 when all are equal, log2 of
                            the count when all differ */
};

/** How strongly a record belongs with another. */
struct warp_bond {
    float weight;  /* its share of what all bonds of the record weigh; 0..1 */
    float learned; /* of the uses of either, those of both together; 0..1 */
    bool declared; /* both hold the same :quantum_entanglement_group */
};

/** The partners of a record, strongest first, in the caller's arena. */
struct warp_partners {
    const void *keys;              /* count keys, in the key's C form */
    const struct warp_bond *bonds; /* count */
    size_t count;                  /* at most 32 */
};

struct warp_future; /* what a generated _request() call gives */
/** Has the request been done? Its results are read by _peek().
 *  Threads     any.
 *  Errors      WARP_TIMEOUT  not yet; others: those of the work. */
WARP_API WARP_MUST_USE int warp_future_poll(struct warp_future *future);
/** The same, waiting for at most timeout_ns; -1: as long as it takes. */
WARP_API WARP_MUST_USE int warp_future_wait(struct warp_future *future,
                                            int64_t timeout_ns);
/** How it ran. WARP_TIMEOUT: it has not yet. */
WARP_API WARP_MUST_USE int warp_future_info(struct warp_future *future,
                                            struct warp_run_info *info);
/** Give the handle back and null it, done or not; NULL is fine. A batch that
 *  has begun is finished, its results are kept. */
WARP_API void warp_future_cancel(struct warp_future **future);

/** A copy of one field over one shard, as a contiguous array. */
struct warp_column {
    const void *data;      /* count values in the field's C form */
    const uint64_t *have;  /* bit i: value i is there */
    const void *keys;      /* count keys in the key's C form; strings borrow
                              from this column */
    size_t count;
    size_t stride_bytes;   /* of data */
    size_t key_bytes;      /* stride of keys */
    void *owner;           /* private */
};
/** Give back what a _column call returned. */
WARP_API void warp_column_release(struct warp_column *column);

/** A copy of the whole store, consistent over all tiers, while it is in use.
 *  `target` is a new or empty directory, or holds an earlier backup of this
 *  store: what has not changed is taken over, it is replaced as a whole, and
 *  its last 3 states stay in it for a restore to an earlier position.
 *  Ownership   the path is read during the call only.
 *  Durability  WARP_OK: on stable storage, and verified. `warp restore` makes
 *              a store of it; opening it for writing is refused.
 *  Threads     any; writers go on.
 *  Cost        reads and writes all tiers once; progress() may stop it.
 *  Errors      WARP_EEXIST    the directory holds something else.
 *              WARP_EBUSY     another backup into it runs.
 *              WARP_ECORRUPT  the store is damaged; the text names the place.
 *              WARP_ENOSPC, WARP_EIO: there is no new backup; an earlier one
 *              stays. */
WARP_API WARP_MUST_USE int warp_backup(struct warp_db *db, const char *target);

/** Counters and gauges of an open store. */
struct warp_stat {
    size_t size;              /* sizeof(struct warp_stat), set by the caller */
    uint64_t records;         /* that exist; while `loading` is true, some that
                                 the log wrote again may count twice */
    uint64_t gets, puts, deletes, commits, batches;
    uint64_t memory_bytes;    /* rows, values, index, rings, buffers */
    uint64_t memory_max_bytes;
    uint64_t log_bytes;       /* not yet cut */
    uint64_t log_bytes_max;
    uint64_t sync_count;      /* writes of the commit stream */
    uint64_t sync_lag_ms;     /* age of the oldest commit not yet durable */
    uint64_t checkpoints;
    uint64_t ssd_bytes, disk_bytes, disk_live_bytes, archive_bytes;
    uint64_t expired;         /* values freed by the sweeper */
    uint64_t sweep_lag_ms;
    uint64_t cold_reads;
    uint64_t log_writes_in_flight;
    bool loading;             /* hot rows still load */
    bool read_only;           /* opened so, or after an error of the log */
    int health;               /* WARP_OK, or the sticky error */
    uint64_t device_bytes;    /* of columns that devices hold */
    uint64_t device_sent_bytes; /* inputs of kernels, since the store opened */
    uint64_t prefetched;      /* partners brought from disks ahead of use */
    uint64_t prefetch_used;   /* of them: used soon after */
    uint64_t prefetch_wasted; /* of them: not; the rest is open yet */
    bool prefetch_off;        /* too few were used: it pauses by itself */
    uint64_t split_batches;   /* of batches: over more than one shard */
    uint64_t shard_moves;     /* of records to another shard, and back */
    uint64_t records_away;    /* keys that are not in their hash's shard */
    uint64_t shards_entropy_permille; /* of the load over shards; 1000: even,
                                         or nothing is drawn anywhere */
    uint64_t checkpoint_records; /* that the finished checkpoints wrote */
    uint64_t checkpoint_ms;      /* that they took, all together */
    uint64_t checkpoint_cpu_ms;  /* processor time of whoever ran them */
};
#ifdef __cplusplus
static inline struct warp_stat warp_stat_init(void)
{
    struct warp_stat stat = {};
    stat.size = sizeof stat;
    return stat;
}
#define WARP_STAT_INIT warp_stat_init()
#else
#define WARP_STAT_INIT { .size = sizeof(struct warp_stat) }
#endif
WARP_API WARP_MUST_USE int warp_stat(struct warp_db *db,
                                     struct warp_stat *stat);

/** OpenMetrics text of all counters; returns the bytes it needs (without the
 *  final NUL), writes at most text_bytes with it. */
WARP_API size_t warp_metrics(struct warp_db *db, char *text,
                             size_t text_bytes);

/** The store's clock, in ms: never goes backward. */
WARP_API int64_t warp_now(struct warp_db *db);

/** A short text for a code; static. */
WARP_API const char *warp_strerror(int code);
/** The calling thread's last error on this store, as a sentence with place
 *  and remedy; NULL reads a failed warp_open(). Valid until the thread's next
 *  failing call. */
WARP_API const char *warp_errmsg(const struct warp_db *db);
/** The version of the library, as "0.1.0". */
WARP_API const char *warp_version(void);

#ifdef __cplusplus
}
#endif
#endif
