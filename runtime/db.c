/* db.c: the handle: opening and closing a store. Parts in order: directory and
 * owner's lock, header, schema, layouts, tiers, log and its replay, threads.
 * Closing goes the other way; a half-opened store is closed the same way. */
#include "db.h"

#include "checkpoint.h"
#include "claim.h"
#include "clock.h"
#include "coaccess.h"
#include "compute.h"
#include "error.h"
#include "evolve.h"
#include "evolve_past.h"
#include "gravity.h"
#include "header.h"
#include "keeper.h"
#include "learner.h"
#include "loader.h"
#include "migrate.h"
#include "manifest.h"
#include "open.h"
#include "options.h"
#include "prefetch.h"
#include "replace.h"
#include "room.h"
#include "secondary.h"
#include "series.h"
#include "serve.h"

#include <warp/version.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- small services (db.h) ---- */

struct stripe *db_stripe(struct warp_db *db)
{
    static _Atomic uint32_t next;
    static _Thread_local uint32_t mine; /* number + 1 */
    if (mine == 0)
        mine = atomic_fetch_add(&next, 1) % DB_STRIPES + 1;
    return &db->stripes[mine - 1];
}

int db_forked(void)
{
    return error_set(WARP_EFORK, "the store belongs to the parent process: "
                                 "open it after fork()");
}

uint64_t db_dirty_records(const struct warp_db *db)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < db->shard_count; i++)
        n += atomic_load_explicit(&db->shards[i].dirty_count,
                                  memory_order_relaxed);
    return n;
}

void db_balance(struct warp_db *db)
{
    uint64_t total = db->memory_max;
    uint64_t rest = atomic_load(&db->budget.used);
    uint64_t heap = atomic_load(&db->heap_budget.used);
    uint64_t kept = rest + total / 16 > total / 8 ? rest + total / 16
                                                  : total / 8;
    uint64_t limit = total > kept ? total - kept : 0;
    uint64_t most = total > rest ? total - rest : 0;
    atomic_store(&db->heap_budget.limit, limit);
    atomic_store(&db->heap_budget.kept, most - limit);
    atomic_store(&db->budget.limit, total > heap ? total - heap : 0);
}

static uint64_t at_most(uint64_t bytes, uint64_t most)
{
    return bytes < most ? bytes : most;
}

void db_shares(const struct warp_db *db, struct db_shares *shares)
{
    /* Steps go by ranges of keys (checkpoint_order.h): one takes the pages that
     * the one before the last gave up, which the kernel still holds. Small ones
     * stay in the processor's caches and touch little new memory: 8 MiB take a
     * third less processor time than 32, and 4 as much as 8. */
    enum { STEP_BYTES = 8 << 20, STEP_PAGES = 1 << 17, PAGE = 4096,
           REST_BYTES = 4 << 20 };
    uint64_t total = db->memory_max;
    shares->cache_bytes = at_most(total / 32, DISK_CACHE_BYTES);
    shares->step_bytes = at_most(total / 32, STEP_BYTES);
    shares->rest_bytes = at_most(total / 16, REST_BYTES);
    shares->step_pages = at_most(total / 8 / PAGE, STEP_PAGES);
}

uint64_t db_set_aside(const struct warp_db *db)
{
    struct db_shares s;
    db_shares(db, &s);
    uint64_t bytes = s.cache_bytes + s.rest_bytes;
    /* A step's memory is given back late: twice its bytes. */
    return db->read_only ? bytes
                         : bytes + 2 * s.step_bytes + s.step_pages * 4096;
}

void db_log(struct warp_db *db, int level, int code, const char *text)
{
    if (db->options.log)
        db->options.log(db->options.log_arg, level, code, text);
}

void db_wake_keeper(struct warp_db *db)
{
    atomic_fetch_add(&db->keeper_word, 1);
    os_futex_wake(&db->keeper_word, 1);
}

void db_wait_loaded(struct warp_db *db)
{
    while (atomic_load(&db->loaded_word) == 0)
        os_futex_wait(&db->loaded_word, 0, -1);
}

/* ---- paths ---- */

static char *join(const char *dir, const char *name)
{
    size_t bytes = strlen(dir) + strlen(name) + 2;
    char *path = malloc(bytes);
    if (path)
        snprintf(path, bytes, "%s/%s", dir, name);
    return path;
}

static int make_paths(struct warp_db *db, const char *path)
{
    struct db_paths *p = &db->paths;
    p->store = strdup(path);
    p->log = join(path, "log");
    p->schema = join(path, "schema");
    p->lock = join(path, "lock");
    p->header = join(path, "store");
    p->making = join(path, "making");
    p->reserve = join(path, "reserve");
    if (!p->store || !p->log || !p->schema || !p->lock || !p->header ||
        !p->making || !p->reserve)
        return error_set(WARP_ENOMEM, "out of memory for paths");
    return WARP_OK;
}

static void free_paths(struct db_paths *p)
{
    free(p->store);
    free(p->log);
    free(p->ring);
    free(p->ssd);
    free(p->disk);
    free(p->archive);
    free(p->schema);
    free(p->lock);
    free(p->header);
    free(p->making);
    free(p->reserve);
}

/* ---- directory, lock, header ---- */

static int foreign(void *arg, const char *name)
{
    static const char *const ours[] = {
        "log",     "ring", "ssd",    "disk",       "schema",  "archive",
        "lock",    "making", "making.new", "reserve", SERVE_NAME};
    (void)arg;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strcmp(name, ours[i]) == 0)
            return 0;
    return 1;
}

/* The directory is there, or is made; it holds a store or nothing foreign. */
static int open_dir(struct warp_db *db)
{
    const char *dir = db->paths.store;
    bool make = !db->read_only && !db->options.must_exist;
    int there = os_exists(dir);
    if (there < 0)
        return error_os(there, "cannot look at", dir);
    if (!there && !make)
        return error_set(WARP_ENOSTORE, "%s: there is no store", dir);
    if (!there) {
        int rc = os_mkdir(dir);
        if (rc != 0)
            return error_os(rc, "cannot make the store's directory", dir);
    }
    char manifest[DB_PATH_BYTES + 8];
    snprintf(manifest, sizeof manifest, "%s/%s", dir, MANIFEST_NAME);
    db->is_backup = os_exists(manifest) == 1;
    if (db->is_backup && !db->read_only)
        return error_set(WARP_EINVAL, "%s is a backup, and sealed: make a "
                                      "store of it with `warp restore`", dir);
    if (os_exists(db->paths.header) == 1)
        return WARP_OK;
    if (!make)
        return error_set(WARP_ENOSTORE, "%s: there is no store", dir);
    int rc = os_list(dir, foreign, NULL);
    if (rc < 0)
        return error_os(rc, "cannot read the directory", dir);
    if (rc > 0)
        return error_set(WARP_EINVAL, "%s holds other files and no store: "
                                      "name an empty or a new directory", dir);
    return WARP_OK;
}

static int take_lock(struct warp_db *db)
{
    int pid = 0;
    int rc = os_owner_lock(db->paths.lock, !db->read_only, &db->lock_fd, &pid);
    if (rc == -EAGAIN)
        return error_set(WARP_EBUSY, "%s: process %d has this store open",
                         db->paths.store, pid);
    if (rc == -ENOENT && db->read_only)
        return WARP_OK; /* never opened for writing: nothing to protect */
    return rc == 0 ? WARP_OK : error_os(rc, "cannot lock", db->paths.lock);
}

/* Where the program says that the tiers are. */
static int name_tiers(const struct warp_db *db, struct header *h,
                      bool *changed)
{
    const struct warp_options *o = &db->options;
    int rc = o->ssd_path ? header_name(h, HEADER_SSD, o->ssd_path, changed)
                         : WARP_OK;
    return rc == WARP_OK && o->disk_path
               ? header_name(h, HEADER_DISK, o->disk_path, changed)
               : rc;
}

static int new_header(struct warp_db *db, struct header *h)
{
    const struct warp_options *o = &db->options;
    bool changed = false;
    memset(h, 0, sizeof *h);
    h->shards = o->shards ? o->shards : 24;
    h->ring_bytes = o->ring_bytes;
    h->nothing = o->survives == WARP_SURVIVES_NOTHING;
    int rc = o->ring_path
                 ? header_name(h, HEADER_RING, o->ring_path, &changed)
                 : WARP_OK;
    if (rc == WARP_OK)
        rc = name_tiers(db, h, &changed);
    if (rc != WARP_OK)
        return rc;
    if (os_random(&h->seed, sizeof h->seed) != 0 ||
        os_random(h->store_id, sizeof h->store_id) != 0)
        return error_set(WARP_EIO, "the kernel gives no random bytes");
    return WARP_OK;
}

/* LMDB does not go on with a file that was killed in its first write. Nothing
 * was ever committed to it. */
static int drop_draft(const struct warp_db *db, const struct header *h)
{
    static const char *const files[] = {"data.mdb", "data.sum", "lock.mdb"};
    char dir[DB_PATH_BYTES], path[DB_PATH_BYTES + 16];
    header_dir(h, HEADER_SSD, db->paths.store, dir, sizeof dir);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        int rc = os_unlink(path);
        if (rc < 0 && rc != -ENOENT)
            return error_os(rc, "cannot remove", path);
    }
    return WARP_OK;
}

/* A store that is being made has its header in a file of another name until all
 * its parts are there: whoever finds that goes on with it. */
static int draft_header(struct warp_db *db, struct header *h)
{
    int there = os_exists(db->paths.making);
    if (there < 0)
        return error_os(there, "cannot look at", db->paths.making);
    int rc = there ? header_read(db->paths.making, h) : WARP_ECORRUPT;
    if (rc == WARP_OK && !db->read_only)
        rc = drop_draft(db, h);
    /* One that only cannot be read now is not replaced: the log has its id. */
    if (rc != WARP_ECORRUPT)
        return rc;
    rc = new_header(db, h);
    return rc == WARP_OK && !db->read_only
               ? header_write(db->paths.making, db->paths.store, h)
               : rc;
}

static int keep_header(struct warp_db *db)
{
    int rc = os_rename(db->paths.making, db->paths.header);
    if (rc == 0)
        rc = os_sync_dir(db->paths.store);
    return rc == 0 ? WARP_OK
                   : error_os(rc, "cannot write", db->paths.header);
}

/* From the header on the options say what the store is. */
static int take_header(struct warp_db *db, const struct header *h)
{
    char *const *const dirs[] = {&db->paths.ring, &db->paths.ssd,
                                 &db->paths.disk};
    char path[DB_PATH_BYTES];
    db->shard_count = h->shards;
    db->options.shards = h->shards;
    db->options.ring_bytes = h->ring_bytes;
    if (db->options.survives == WARP_SURVIVES_DEFAULT)
        db->options.survives = header_survives(h);
    db->seed = h->seed;
    memcpy(db->store_id, h->store_id, sizeof db->store_id);
    /* No pointer into the caller's memory stays. */
    db->options.ring_path = db->options.ssd_path = db->options.disk_path =
        NULL;
    for (int i = 0; i < HEADER_PATHS; i++) {
        header_dir(h, (enum header_path)i, db->paths.store, path,
                   sizeof path);
        *(char **)dirs[i] = strdup(path);
        if (!*dirs[i])
            return error_set(WARP_ENOMEM, "out of memory for paths");
    }
    return WARP_OK;
}

static int open_header(struct warp_db *db, struct header *h, bool *is_new,
                       bool *moved)
{
    int there = os_exists(db->paths.header);
    if (there < 0)
        return error_os(there, "cannot look at", db->paths.header);
    *is_new = !there;
    int rc = *is_new ? draft_header(db, h)
                     : header_read(db->paths.header, h);
    /* Who made it may have been killed between the rename and this. */
    int synced = *is_new || db->read_only || rc != WARP_OK
                     ? 0
                     : os_sync_dir(db->paths.store);
    if (synced < 0)
        return error_os(synced, "cannot sync", db->paths.store);
    if (rc != WARP_OK)
        return rc;
    if (db->options.shards && db->options.shards != h->shards)
        return error_set(WARP_EINVAL,
                         "%s has %u shards, options.shards asks for %u: the "
                         "number is fixed when a store is made; leave it 0",
                         db->paths.store, h->shards, db->options.shards);
    /* Which fields are durable follows from it: stored rows, too. */
    if (db->options.survives != WARP_SURVIVES_DEFAULT &&
        h->nothing != (db->options.survives == WARP_SURVIVES_NOTHING))
        return error_set(WARP_EINVAL,
                         "%s was made with options.survives %s "
                         "WARP_SURVIVES_NOTHING, which is fixed then: fields "
                         "that survive nothing say persist: :memory_only",
                         db->paths.store, h->nothing ? "=" : "other than");
    struct header before = *h;
    rc = name_tiers(db, h, moved);
    if (rc == WARP_OK && *moved && !*is_new)
        rc = claim_moved(&before, h, db->paths.store);
    return rc == WARP_OK ? take_header(db, h) : rc;
}

/* Before anything stands in one of them that tells of what is in another. */
static int sync_dirs(const struct warp_db *db)
{
    const char *dirs[] = {db->paths.store, db->paths.ring, db->paths.ssd};
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        int rc = os_sync_parent(dirs[i]);
        if (rc != 0)
            return error_os(rc, "cannot sync what holds", dirs[i]);
    }
    return WARP_OK;
}

static int make_dirs(struct warp_db *db)
{
    const char *dirs[] = {db->paths.log, db->paths.ring, db->paths.ssd,
                          db->paths.disk, db->paths.schema};
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        int rc = os_mkdir(dirs[i]);
        if (rc != 0)
            return error_os(rc, "cannot make the directory", dirs[i]);
    }
    return WARP_OK;
}

/* ---- opening ---- */

static int open_parts(struct warp_db *db, const char *path)
{
    struct header h;
    bool is_new = false, moved = false;
    int rc = make_paths(db, path);
    if (rc == WARP_OK)
        rc = open_dir(db);
    if (rc == WARP_OK)
        rc = take_lock(db);
    if (rc == WARP_OK)
        rc = open_header(db, &h, &is_new, &moved);
    if (rc == WARP_OK && !db->read_only)
        rc = make_dirs(db);
    if (rc == WARP_OK)
        rc = claim_all(&h, db->paths.store, is_new, !db->read_only);
    if (rc == WARP_OK && is_new)
        rc = sync_dirs(db);
    if (rc == WARP_OK)
        rc = open_tiers(db, is_new);
    if (rc == WARP_OK && moved && !is_new && !db->read_only)
        rc = header_write(db->paths.header, db->paths.store, &h);
    if (rc == WARP_OK)
        rc = open_schema(db, is_new);
    if (rc == WARP_OK)
        rc = open_layouts(db);
    if (rc == WARP_OK && !db->evolve) /* options.pools is for the program's */
        rc = open_pools(db);
    if (rc == WARP_OK)
        rc = replace_open(db);
    if (rc == WARP_OK)
        rc = open_shards(db);
    if (rc == WARP_OK)
        rc = open_series(db);
    if (rc == WARP_OK)
        rc = loader_init(db);
    if (rc == WARP_OK)
        rc = open_log(db, is_new);
    if (rc == WARP_OK && !db->evolve)
        rc = migrate_open(db);
    /* Only a store whose parts all exist gets its header. */
    if (rc == WARP_OK && is_new)
        rc = keep_header(db);
    if (rc == WARP_OK && !db->read_only)
        rc = room_reserve(db);
    if (rc == WARP_OK)
        rc = loader_start(db);
    if (rc == WARP_OK && !db->read_only && !db->evolve)
        rc = gravity_open(db);
    if (rc == WARP_OK && !db->read_only)
        rc = keeper_start(db);
    if (rc == WARP_OK && !db->evolve)
        rc = open_partners(db);
    if (rc == WARP_OK && !db->evolve)
        rc = learner_start(db);
    if (rc == WARP_OK && !db->read_only)
        rc = serve_start(db);
    return rc;
}

/* *evolved: the store has the program's schema now; it is to be opened anew. */
static int open_once(const char *path, const struct warp_schema *schema,
                     const struct warp_options *o, struct warp_db **out,
                     bool *evolved)
{
    struct warp_db *db = NULL;
    *out = NULL;
    *evolved = false;
    if (posix_memalign((void **)&db, 64, sizeof *db) != 0)
        return error_set(WARP_ENOMEM, "out of memory for a store's handle");
    memset(db, 0, sizeof *db);
    db->lock_fd = -1;
    db->options = *o;
    db->schema = schema;
    db->read_only = o->read_only;
    db->memory_max = o->memory_max_bytes;
    db_balance(db);
    int rc = options_cpus(o, &db->background);
    int guard = os_fork_guard(&db->fork_guard);
    db->options.background_cpus = NULL; /* the caller's text */
    if (guard != 0)
        rc = error_set(WARP_ENOMEM, "no page for the fork guard");
    if (rc == WARP_OK)
        rc = compute_open(db);
    if (rc == WARP_OK)
        rc = open_parts(db, path);
    if (rc == WARP_OK && !db->evolve) {
        db->options.allow_data_loss = NULL; /* the caller's memory */
        *out = db;
        return WARP_OK;
    }
    if (rc == WARP_OK) {
        rc = evolve_run(db);
        *evolved = rc == WARP_OK;
    }
    if (rc != WARP_OK)
        db_log(db, WARP_LOG_ERROR, rc, error_text());
    db_destroy(db, false);
    return rc;
}

int warp_open(const char *path, const struct warp_schema *schema,
              const struct warp_options *options, struct warp_db **out)
{
    if (out)
        *out = NULL;
    if (!path || !schema || !out)
        return error_set(WARP_EINVAL, "warp_open: NULL argument");
    if (schema->abi != WARP_GEN_ABI)
        return error_set(WARP_EABI,
                         "schema %s was generated for ABI %u, this library "
                         "has %d: run warpc again",
                         schema->name, schema->abi, WARP_GEN_ABI);
    struct warp_options o;
    int rc = options_resolve(options, &o);
    if (rc != WARP_OK)
        return rc;
    bool evolved = false;
    rc = open_once(path, schema, &o, out, &evolved);
    if (rc == WARP_OK && evolved)
        rc = open_once(path, schema, &o, out, &evolved);
    if (rc == WARP_OK && evolved)
        return error_set(WARP_ESCHEMA, "%s: another process changes the "
                                       "schema at the same time", path);
    return rc;
}

/* ---- closing ---- */

/* Frees everything that is there. orderly: checkpoint and a clean end of the
 * log first. */
int db_destroy(struct warp_db *db, bool orderly)
{
    int rc = WARP_OK;
    serve_stop(db);
    prefetch_stop(db);
    learner_stop(db);
    compute_close(db);
    if (db->fork_guard)
        keeper_stop(db);
    os_point(OS_POINT_CLOSE);
    if (orderly && !db->read_only) {
        /* While rows still load, the log keeps what would be written. */
        if (!atomic_load(&db->loading))
            rc = checkpoint_run(db);
        migrate_save(db, true);
        os_point(OS_POINT_CLOSE);
        int stopped = log_stop(db->log);
        rc = rc == WARP_OK ? stopped : rc;
    }
    os_point(OS_POINT_CLOSE);
    if (db->log)
        log_close(&db->log);
    gravity_close(db);
    coaccess_destroy(&db->coaccess);
    if (db->secondary)
        secondary_close(&db->secondary);
    if (db->series)
        series_close(&db->series);
    if (db->archive)
        archive_close(&db->archive);
    if (db->disk)
        disk_close(&db->disk);
    if (db->ssd)
        ssd_close(&db->ssd);
    for (uint32_t i = 0; db->shards && i < db->shard_count; i++)
        shard_fini(&db->shards[i]);
    free(db->shards);
    changed_close(&db->changed);
    for (uint32_t i = 0; db->layouts && i < db->layout_count; i++)
        layout_free(&db->layouts[i]);
    free(db->layouts);
    evolve_past_close(&db->past);
    migrate_close(db);
    learner_free(db);
    replace_close(db);
    catalog_free(&db->catalog);
    free(db->by_desc);
    free(db->pools);
    free(db->floor_seq);
    free(db->dead_places);
    loader_fini(db);
    if (db->clock)
        clock_close(&db->clock);
    os_owner_unlock(db->lock_fd, db->paths.lock);
    free_paths(&db->paths);
    if (db->evolve)
        evolve_end(&db->evolve);
    os_fork_unguard(db->fork_guard);
    free(db);
    return rc;
}

int warp_close(struct warp_db **db)
{
    if (!db || !*db)
        return error_set(WARP_EINVAL, "warp_close: no store");
    struct warp_db *d = *db;
    *db = NULL;
    if (atomic_load_explicit(d->fork_guard, memory_order_relaxed) == 0)
        return error_set(WARP_EFORK, "the store belongs to the parent "
                                     "process; the child leaves it alone");
    return db_destroy(d, true);
}

/* ---- whole-store calls ---- */

static int enter(struct warp_db *db)
{
    if (!db)
        return error_set(WARP_EINVAL, "no store");
    if (atomic_load_explicit(db->fork_guard, memory_order_relaxed) == 0)
        return db_forked();
    if (db->read_only)
        return error_set(WARP_EREADONLY, "the store is open for reading only");
    return WARP_OK;
}

int warp_sync(struct warp_db *db)
{
    int rc = enter(db);
    return rc == WARP_OK ? log_sync(db->log) : rc;
}

int warp_checkpoint(struct warp_db *db)
{
    int rc = enter(db);
    return rc == WARP_OK ? checkpoint_run(db) : rc;
}

int64_t warp_now(struct warp_db *db)
{
    return db ? clock_now(db->clock) : 0;
}

const char *warp_version(void)
{
    return WARP_VERSION;
}
