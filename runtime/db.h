/* db.h: an open store: what its parts share. Private to the runtime.
 *
 * Order of locks: checkpoint, then relocate, then shards by number, then index
 * parts by number. Readers take none. */
#ifndef WARP_DB_H
#define WARP_DB_H

#include "archive.h"
#include "catalog.h"
#include "changed.h"
#include "disk.h"
#include "heap.h"
#include "layout.h"
#include "log.h"
#include "os.h"
#include "shard.h"
#include "ssd.h"

enum { DB_STRIPES = 64, DB_PATH_BYTES = 4096 };

/* Counters that a thread bumps in a line of its own. */
struct stripe {
    _Alignas(64) _Atomic uint64_t gets, puts, deletes, commits, cold_reads;
    _Atomic uint64_t faults; /* records that a get brought into memory */
    _Atomic uint64_t split;  /* batches over more than one shard */
};

struct db_paths {
    char *store, *log, *ring, *ssd, *disk, *archive, *schema, *lock, *header,
        *making, *reserve;
};

/* How fast the log may grow while a checkpoint runs; pace.h. */
struct pace {
    _Atomic bool on;
    _Atomic int64_t from_ns;     /* since then, */
    _Atomic uint64_t from_bytes; /* when it was so long, */
    _Atomic uint64_t bytes_per_s;
    uint64_t records, bytes;     /* of the checkpoint */
    _Atomic uint64_t record_ns;  /* of one: by the last checkpoint, */
    double each_ns;              /* and by this one's last ones */
    uint64_t done;               /* of them, at: */
    int64_t run_ns, step_ns;     /* when it began, and when that was */
};

struct server;
struct derive_columns;
struct compute;
struct gravity;

struct warp_db {
    /* read by every call */
    const _Atomic uint32_t *fork_guard; /* 1; 0 in a forked child */
    struct shard *shards;
    uint32_t shard_count;
    uint32_t layout_count;
    struct layout **layouts;
    struct {
        const struct warp_product *desc;
        struct layout *layout;
    } *by_desc; /* open addressing over the descriptor's address */
    uint32_t by_desc_mask;
    uint64_t seed; /* of key hashes */
    struct log *log;
    struct ssd *ssd;
    struct disk *disk;
    struct archive *archive;
    const struct warp_schema *schema;
    uint32_t schema_version; /* of the store: schema/<n>.wsd */
    struct catalog catalog;  /* numbers of products and fields */
    struct migrate *migrate; /* products whose values move by their use */
    struct evolve_past *past; /* rows of an earlier form are left, or NULL */
    struct evolve *evolve;   /* the program's schema is another: evolve.h */
    _Atomic bool loading;  /* the directory may hold keys not in memory */
    _Atomic bool partial;  /* so for evictable products, loaded or not */
    _Atomic bool stalled;  /* the log is at its limit: writers wait */
    _Atomic bool tight;    /* so little disk is left that commits count it */
    struct pace pace;
    _Atomic uint64_t log_kept; /* bytes that the last checkpoint left in it */
    _Atomic bool scanned;  /* a scan had many keys to sort: a checkpoint
                              spares the next one that */
    _Atomic bool no_room;  /* a write was refused, or soon may be: a checkpoint
                              may help */
    _Atomic int64_t room_left; /* bytes; see room.h */
    _Atomic int health;    /* WARP_OK or the sticky error */
    _Atomic int checkpoint_failed; /* the last one's code */
    _Atomic int load_failed; /* WARP_OK, or why the loader gave up */
    struct replace *replace; /* who leaves memory; NULL: nothing may */
    _Atomic bool replacing;  /* the budget is in sight: uses are noted */
    _Atomic uint64_t evicted_bytes; /* of memory, so far */
    bool read_only;
    bool is_backup; /* its rings are not there, and not missing */

    bool weighed;          /* a product that may leave memory has a mass */
    uint32_t priorities;   /* bit p: a product that may leave memory has it */
    /* Two parts of one budget, balanced by db_balance(): heaps hold room that
     * only they can use, and must not starve the rest. */
    uint64_t memory_max;
    struct pool *pools;        /* named and per product; pool_count */
    uint32_t pool_count;
    struct budget heap_budget; /* rows and values */
    struct budget budget;      /* rings, indexes, what waits for a checkpoint */
    struct stripe stripes[DB_STRIPES];

    struct changed changed; /* keys that the directory may have otherwise */
    struct clock *clock;
    struct secondary *secondary;
    struct os_lock relocate_lock; /* one move at a time, none while a scan takes
                                     its keys; before the shards' locks */
    _Atomic uint64_t relocated;   /* moves between shards */
    _Atomic uint64_t records_away; /* forwards in their homes */
    _Atomic bool roamed;           /* there is one, or was since the open */
    struct gravity *gravity; /* who moves where; NULL: no record does */
    struct os_lock unique_lock; /* held while a unique value is checked and
                                   taken; after the shards' locks */
    struct os_lock dead_lock;
    struct disk_place *dead_places; /* freed by the next checkpoint */
    uint32_t dead_count, dead_room;
    struct series *series;
    struct warp_options options;
    struct db_paths paths;
    int lock_fd;
    uint8_t store_id[16];
    uint64_t *floor_seq;  /* [shards]: the log below is in the tiers */
    uint64_t pinned_before; /* bytes of rows, counted in the last life */
    _Atomic uint64_t ring_total; /* what the log's rings and buffers take */

    struct coaccess *coaccess; /* uses together; NULL: no product learns */
    struct learner *learner;   /* NULL: nothing leaves memory */
    struct prefetch *prefetch; /* of partners; NULL: nothing leaves memory */
    struct compute *compute; /* batches of kernels */
    /* What a device holds of columns, and what was sent to it; its kind, or
     * false behind the last (compute.c). */
    bool (*device_stat)(struct warp_db *db, uint32_t device, const char **kind,
                        uint64_t *held_bytes, uint64_t *sent_bytes);
    /* What a pairwise kernel is paired with; derive.h. */
    int (*columns)(struct warp_db *db, const struct warp_kernel *kernel,
                   bool held, struct derive_columns *out);

    /* background work */
    struct os_cpus background; /* where it runs */
    struct os_lock checkpoint_lock;
    struct os_thread keeper; /* checkpoints and sweeps */
    struct os_thread loader;
    struct server *server; /* of the tools; NULL: none */
    _Atomic uint32_t keeper_word; /* futex: bumped to wake the keeper */
    _Atomic uint32_t room_word;   /* futex: bumped when the log was cut */
    _Atomic uint32_t step_word;   /* futex: and after each step before */
    _Atomic uint32_t loaded_word; /* futex: 1 when all is loaded */
    _Atomic bool stopping;
    _Atomic uint64_t checkpoints, expired, batches;
    _Atomic uint64_t checkpoint_records; /* that those wrote, and the time: */
    _Atomic uint64_t checkpoint_ns, checkpoint_cpu_ns;
    _Atomic int64_t sweep_done_ms;
    struct loader_mark *load_mark; /* loader.h; NULL: all is counted */
    uint32_t sweep_segment; /* where the sweeper goes on, in every shard */
    bool reserve_given; /* the reserve file was given up */
};

/* A thread of the store's own. 0 or -errno. */
static inline int db_thread_start(const struct warp_db *db,
                                  struct os_thread *t, void *(*fn)(void *),
                                  void *arg, const char *name)
{
    int rc = os_thread_start(t, fn, arg, name);
    if (rc == 0)
        os_thread_run_on(t, &db->background);
    return rc;
}

/* The layout of a product, or NULL if the store's schema lacks it. */
static inline struct layout *db_layout(const struct warp_db *db,
                                       const struct warp_product *desc)
{
    uint32_t at = (uint32_t)((uintptr_t)desc >> 4) & db->by_desc_mask;
    for (;; at = (at + 1) & db->by_desc_mask) {
        if (db->by_desc[at].desc == desc)
            return db->by_desc[at].layout;
        if (!db->by_desc[at].desc)
            return NULL;
    }
}

/* The layout of a product's number in the store, or NULL. */
static inline struct layout *db_layout_of_id(const struct warp_db *db,
                                             uint32_t id)
{
    return catalog_find(db->layouts, db->layout_count, id);
}

/* A key of this product that is not in memory may be in the directory. */
static inline bool db_may_be_cold(const struct warp_db *db,
                                  const struct layout *l)
{
    return atomic_load_explicit(&((struct warp_db *)(uintptr_t)db)->loading,
                                memory_order_acquire) ||
           (l->evictable &&
            atomic_load_explicit(
                &((struct warp_db *)(uintptr_t)db)->partial,
                memory_order_acquire));
}

static inline uint64_t db_memory_used(const struct warp_db *db)
{
    struct warp_db *d = (struct warp_db *)(uintptr_t)db;
    return atomic_load_explicit(&d->budget.used, memory_order_relaxed) +
           atomic_load_explicit(&d->heap_budget.used, memory_order_relaxed);
}
/* What the store's own work takes of the budget, whatever it holds: blocks of
 * the disk tier that were read, records that a checkpoint copies, pages of LMDB
 * that its transaction changes, lists, buffers and stacks of threads. Charged
 * when the store is opened. */
struct db_shares {
    uint64_t cache_bytes, step_bytes, step_pages, rest_bytes;
};
void db_shares(const struct warp_db *db, struct db_shares *shares);
/* Their sum, as it is charged: set aside, not in use all the time. */
uint64_t db_set_aside(const struct warp_db *db);
/* What a call gives in a forked child, where fork_guard is 0. */
int db_forked(void) __attribute__((cold));
/* That no checkpoint has begun to write. */
uint64_t db_dirty_records(const struct warp_db *db);
/* Gives each part what the other does not use; heaps at most 7/8, and the rest
 * of it to who only reads. */
void db_balance(struct warp_db *db);

struct stripe *db_stripe(struct warp_db *db);
static inline void db_count(_Atomic uint64_t *counter)
{
    /* Lost counts when two threads share a stripe are accepted; no lock. */
    atomic_store_explicit(
        counter,
        atomic_load_explicit(counter, memory_order_relaxed) + 1,
        memory_order_relaxed);
}

/* Tells the log callback once. */
void db_log(struct warp_db *db, int level, int code, const char *text);
/* Returns when no hot row is missing in memory. */
void db_wait_loaded(struct warp_db *db);
/* Wakes the thread that checkpoints. */
void db_wake_keeper(struct warp_db *db);

#endif
