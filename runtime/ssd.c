/* ssd.c: the LMDB environment: opening, growing, read and write transactions.
 *
 * The only file that calls LMDB. It makes snapshots and changes; reading them
 * is done by ssd_read.c and ssd_cursor.c over ssd_tree.c, because LMDB itself
 * trusts every byte of its file. MDB_NOTLS: readers are pooled, not bound to
 * threads. No MDB_WRITEMAP: a full disk is then an error, not a SIGBUS.
 *
 * The map is reserved large; where the address space is limited it grows in a
 * stop: the gate is shut, readers leave (cursors hold no transaction between
 * two calls), LMDB maps anew. */
#include "ssd.h"

#include "error.h"
#include "os.h"
#include "ssd_check.h"
#include "ssd_env.h"
#include "ssd_guard.h"
#include "ssd_redo.h"

#include <errno.h>
#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DAMAGED = -1,      /* beside LMDB's codes: an own check has failed */
    READERS_MAX = 512, /* that LMDB has room for: tools attach too */
    PATH_BYTES = 4096
};
static const uint64_t map_default_bytes = 1ull << 40;
static const uint64_t map_least_bytes = 1ull << 20;
/* No checkpoint writes as much in one transaction. With less room than that
 * what a transaction did is kept, to do it again when the map has grown. */
static const uint64_t roomy_bytes = 16ull << 30;

struct ssd_txn {
    struct ssd *ssd;
    MDB_txn *txn;
    MDB_cursor *cursor[SSD_TABLE_COUNT];
    int failed; /* the code that every further call gives */
    bool keeps; /* redo is filled */
    struct ssd_redo redo;
    struct ssd_guard guard;
};

struct ssd {
    MDB_env *env;
    MDB_dbi table[SSD_TABLE_COUNT];
    int fd; /* of data.mdb, for reading */
    int sum_fd;
    bool read_only;
    uint64_t map_bytes;
    struct tree_file file;
    struct ssd_pool pool;
    _Atomic int broken;     /* the code of a map that was lost */
    _Atomic uint64_t commits;
    struct os_lock writing; /* from begin to commit or abort */
    struct ssd_txn txn;
    void (*event)(void *arg, int code, const char *text);
    void *arg;
    char data_path[PATH_BYTES];
};

static int failed(struct ssd *ssd, int rc, const char *what)
{
    const char *path = ssd->data_path;
    uint64_t room = UINT64_MAX;
    switch (rc) {
    case MDB_SUCCESS:
        return 0;
    case MDB_NOTFOUND:
        return WARP_ENOTFOUND;
    case DAMAGED:
        return WARP_ECORRUPT;
    case MDB_MAP_FULL:
        return error_set(WARP_ENOSPC, "%s: %s: the map of %" PRIu64 " bytes is "
                         "full and the address space allows no larger one (see "
                         "ulimit -v)", path, what, ssd->map_bytes);
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_CURSOR_FULL:
    case MDB_INCOMPATIBLE:
    case MDB_MAP_RESIZED: /* a meta page tells more pages than there can be */
        return error_set(WARP_ECORRUPT, "%s is damaged: %s: %s; restore a "
                         "backup or run `warp verify`", path, what,
                         mdb_strerror(rc));
    case MDB_VERSION_MISMATCH:
        return error_set(WARP_EVERSION, "%s: %s", path, mdb_strerror(rc));
    case MDB_PANIC:
        return error_set(WARP_EIO, "%s: %s: an earlier write failed; open the "
                         "store again", path, what);
    case MDB_TXN_FULL:
    case MDB_READERS_FULL:
        return error_set(WARP_ELIMIT, "%s: %s: %s", path, what,
                         mdb_strerror(rc));
    case MDB_BAD_VALSIZE:
        return error_set(WARP_EINVAL, "%s: %s: a key has 1 to %d bytes, a "
                         "value less than 4 GiB", path, what,
                         SSD_KEY_BYTES_MAX);
    case EIO:
        /* LMDB says so too when a full disk takes a part of a write. */
        if (os_free_bytes(path, &room) == 0 && room < 1u << 20)
            rc = ENOSPC;
        return error_os(-rc, what, path);
    default:
        if (rc < 0)
            return error_set(WARP_EIO, "%s: %s: %s", path, what,
                             mdb_strerror(rc));
        return error_os(-rc, what, path);
    }
}

/* ---- readers ---- */

int ssd_reader_enter(struct ssd *ssd, struct ssd_reader **out)
{
    struct ssd_reader *reader = ssd_pool_take(&ssd->pool);
    int rc = atomic_load_explicit(&ssd->broken, memory_order_relaxed);
    if (rc != 0) {
        rc = error_set(rc, "%s cannot be mapped: open the store again",
                       ssd->data_path);
        goto out;
    }
    for (uint32_t tries = 0;;) {
        int mdb;
        if (reader->txn)
            mdb = mdb_txn_renew(reader->txn);
        else
            mdb = mdb_txn_begin(ssd->env, NULL, MDB_RDONLY, &reader->txn);
        rc = failed(ssd, mdb, "begin to read");
        if (rc != 0)
            goto out;
        uint64_t txn = mdb_txn_id(reader->txn);
        if (txn == reader->snapshot.txn && txn != 0)
            break;
        rc = ssd_snapshot_load(ssd->fd, &ssd->file, txn, &reader->snapshot);
        if (rc == 0)
            break;
        reader->snapshot.txn = 0;
        mdb_txn_reset(reader->txn);
        rc = ssd_pool_retry(&ssd->file, txn, rc, &tries);
        if (rc != 0)
            goto out;
    }
    *out = reader;
    return 0;
out:
    ssd_pool_give(reader);
    return rc;
}

void ssd_reader_leave(struct ssd *ssd, struct ssd_reader *reader)
{
    (void)ssd;
    mdb_txn_reset(reader->txn);
    ssd_pool_give(reader);
}

const struct tree_file *ssd_tree_file(const struct ssd *ssd)
{
    return &ssd->file;
}

uint64_t ssd_commits(const struct ssd *ssd)
{
    return atomic_load(&((struct ssd *)(uintptr_t)ssd)->commits);
}

/* ---- mapping and opening ---- */

static void unmap(struct ssd *ssd)
{
    ssd_guard_unmap(&ssd->txn.guard);
    ssd_file_unmap(&ssd->file);
}

static int map(struct ssd *ssd, uint64_t bytes)
{
    int rc = ssd_file_map(&ssd->file, ssd->fd, bytes);
    if (rc == 0)
        rc = ssd_guard_map(&ssd->txn.guard, &ssd->file);
    if (rc < 0)
        unmap(ssd);
    else
        ssd->map_bytes = bytes;
    return rc;
}

static void close_env(struct ssd *ssd)
{
    for (uint32_t i = 0; i < SSD_READERS && ssd->pool.reader; i++) {
        if (ssd->pool.reader[i].txn)
            mdb_txn_abort(ssd->pool.reader[i].txn);
        ssd->pool.reader[i].txn = NULL;
    }
    unmap(ssd);
    if (ssd->env)
        mdb_env_close(ssd->env);
    ssd->env = NULL;
    os_close(ssd->fd);
    os_close(ssd->sum_fd);
    ssd->fd = ssd->sum_fd = -1;
}

static int open_env(struct ssd *ssd, const char *dir, uint64_t bytes)
{
    /* The store's own lock keeps other processes out, so a reader that writes
     * nothing needs no lock file. */
    unsigned flags =
        MDB_NOTLS | (ssd->read_only ? MDB_RDONLY | MDB_NOLOCK : 0u);
    MDB_envinfo info;
    MDB_stat stat;
    int rc = mdb_env_create(&ssd->env);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(ssd->env, READERS_MAX);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(ssd->env, SSD_TABLE_COUNT);
    if (rc == 0)
        rc = mdb_env_set_mapsize(ssd->env, bytes);
    if (rc == 0)
        rc = mdb_env_open(ssd->env, dir, flags, 0600);
    if (rc == 0)
        rc = mdb_env_info(ssd->env, &info);
    if (rc == 0)
        rc = mdb_env_stat(ssd->env, &stat);
    if (rc == 0 && (ssd->fd = os_open(ssd->data_path, OS_READ)) < 0)
        rc = -ssd->fd;
    if (rc == 0) {
        ssd->file.page_bytes = stat.ms_psize;
        rc = -map(ssd, info.me_mapsize);
    }
    return rc;
}

static uint64_t last_txn(struct ssd *ssd)
{
    MDB_envinfo info;
    mdb_env_info(ssd->env, &info);
    return info.me_last_txnid;
}

/* The tables, and the readers that a killed process left. */
static int prepare(struct ssd *ssd, const char *dir)
{
    MDB_txn *txn = NULL;
    char text[160];
    int dead = 0;
    if (ssd->read_only)
        return 0;
    int rc = mdb_reader_check(ssd->env, &dead);
    if (rc != 0)
        return failed(ssd, rc, "clear readers");
    if (dead > 0 && ssd->event) {
        snprintf(text, sizeof text, "cleared %d readers that had died", dead);
        ssd->event(ssd->arg, 0, text);
    }
    /* A commit of a killed process may be there and not on the disk. */
    rc = failed(ssd, mdb_env_sync(ssd->env, 1), "sync");
    if (rc == 0)
        rc = ssd_guard_begin(&ssd->txn.guard, ssd->fd, last_txn(ssd));
    if (rc != 0)
        return rc;
    rc = mdb_txn_begin(ssd->env, NULL, 0, &txn);
    for (uint32_t i = 0; i < SSD_TABLE_COUNT && rc == 0; i++)
        rc = mdb_dbi_open(txn, tree_table_name[i], MDB_CREATE, &ssd->table[i]);
    if (rc == 0) {
        rc = mdb_txn_commit(txn);
        txn = NULL;
    }
    if (txn)
        mdb_txn_abort(txn);
    if (rc != 0)
        return failed(ssd, rc, "create tables in");
    ssd->sum_fd = ssd_sum_open(dir);
    ssd_guard_commit(&ssd->txn.guard, ssd->fd, ssd->sum_fd, last_txn(ssd));
    rc = os_sync_dir(dir);
    return rc == 0 ? 0 : error_os(rc, "sync", dir);
}

static void tell_damage(void *arg, const char *text)
{
    struct ssd *ssd = arg;
    if (ssd->event)
        ssd->event(ssd->arg, WARP_ECORRUPT, text);
}

static int reserve(struct ssd *ssd, const char *dir, uint64_t bytes)
{
    uint64_t wanted = bytes;
    char text[200];
    for (;;) {
        /* LMDB's map and ours; where there are few, most are for the rest. */
        int rc = os_addresses(bytes * (bytes < wanted ? 8 : 2))
                     ? open_env(ssd, dir, bytes)
                     : ENOMEM;
        if (rc == 0)
            break;
        close_env(ssd);
        if ((rc != ENOMEM && rc != EAGAIN) || bytes / 2 < map_least_bytes)
            return failed(ssd, rc, "open");
        bytes /= 2;
    }
    if (bytes < wanted && ssd->event) {
        snprintf(text, sizeof text,
                 "the address space allows a map of %" PRIu64 " bytes; %" PRIu64
                 " were wanted",
                 bytes, wanted);
        ssd->event(ssd->arg, 0, text);
    }
    return 0;
}

int ssd_open(const char *dir, uint64_t map_bytes, bool read_only,
             void (*event)(void *arg, int code, const char *text), void *arg,
             struct ssd **out)
{
    *out = NULL;
    struct ssd *ssd = calloc(1, sizeof *ssd);
    if (!ssd)
        return error_set(WARP_ENOMEM, "no memory to open %s", dir);
    int rc, n = snprintf(ssd->data_path, PATH_BYTES, "%s/data.mdb", dir);
    ssd->fd = ssd->sum_fd = -1;
    ssd->read_only = read_only;
    ssd->event = event;
    ssd->arg = arg;
    ssd->file.path = ssd->data_path;
    if (n >= PATH_BYTES) {
        rc = error_set(WARP_EINVAL, "the path is too long: %s", dir);
        goto out;
    }
    rc = read_only ? 0 : os_mkdir(dir);
    if (rc < 0) {
        rc = error_os(rc, "create", dir);
        goto out;
    }
    rc = ssd_pool_init(&ssd->pool);
    if (rc != 0)
        goto out;
    rc = ssd_check_file(dir, false, tell_damage, ssd);
    if (rc == WARP_ENOTFOUND && read_only)
        rc = error_set(WARP_ENOSTORE, "there is no %s", ssd->data_path);
    else if (rc == WARP_ENOTFOUND)
        rc = 0;
    if (rc == 0)
        rc = reserve(ssd, dir, map_bytes ? map_bytes : map_default_bytes);
    if (rc == 0)
        rc = prepare(ssd, dir);
    if (rc == 0)
        *out = ssd;
out:
    if (rc != 0)
        ssd_close(&ssd);
    return rc;
}

void ssd_close(struct ssd **handle)
{
    struct ssd *ssd = *handle;
    if (!ssd)
        return;
    *handle = NULL;
    close_env(ssd);
    ssd_redo_free(&ssd->txn.redo);
    ssd_pool_fini(&ssd->pool);
    free(ssd);
}

/* Doubles the map. The caller has no transaction open. early: it is not full
 * yet, so that no room to grow is no error. */
static int grow(struct ssd *ssd, bool early)
{
    uint64_t old = ssd->map_bytes, bytes = old * 2;
    char text[96];
    int rc;
    /* LMDB cannot go back when mapping fails: see first that it will do. */
    if (!os_addresses(2 * (bytes - old)))
        return early ? 0 : failed(ssd, MDB_MAP_FULL, "grow");
    ssd_pool_shut(&ssd->pool);
    unmap(ssd);
    rc = mdb_env_set_mapsize(ssd->env, bytes);
    if (rc == 0)
        rc = -map(ssd, bytes);
    if (rc != 0)
        atomic_store(&ssd->broken, WARP_ENOMEM);
    ssd_pool_open(&ssd->pool);
    if (rc != 0)
        return failed(ssd, rc, "grow the map of");
    if (ssd->event) {
        snprintf(text, sizeof text, "the map has grown to %" PRIu64 " bytes",
                 bytes);
        ssd->event(ssd->arg, 0, text);
    }
    return 0;
}

/* ---- write transactions ---- */

static uint64_t room_bytes(struct ssd *ssd)
{
    MDB_envinfo info;
    mdb_env_info(ssd->env, &info);
    uint64_t used = (info.me_last_pgno + 1) * ssd->file.page_bytes;
    return used < ssd->map_bytes ? ssd->map_bytes - used : 0;
}

/* Forgets LMDB's transaction; its cursors go with it. */
static void drop(struct ssd_txn *t)
{
    if (t->txn)
        mdb_txn_abort(t->txn);
    t->txn = NULL;
    memset(t->cursor, 0, sizeof t->cursor);
}

static int end(struct ssd_txn **handle, int rc)
{
    struct ssd_txn *t = *handle;
    *handle = NULL;
    drop(t);
    ssd_redo_clear(&t->redo);
    os_unlock(&t->ssd->writing);
    return rc;
}

/* LMDB reads the root of a table when it first needs it, and takes one that it
 * does not find for that of an empty table: here they are what was checked. */
static int begin(struct ssd_txn *t)
{
    int rc = mdb_txn_begin(t->ssd->env, NULL, 0, &t->txn);
    for (uint32_t i = 0; i < SSD_TABLE_COUNT && rc == 0; i++) {
        const struct tree_root *root = &t->guard.snapshot.table[i];
        MDB_stat stat;
        rc = mdb_stat(t->txn, t->ssd->table[i], &stat);
        if (rc == 0 && (stat.ms_entries != root->entries ||
                        stat.ms_depth != root->depth))
            rc = MDB_CORRUPTED;
    }
    return rc;
}

int ssd_begin(struct ssd *ssd, struct ssd_txn **out)
{
    struct ssd_txn *t = &ssd->txn;
    *out = NULL;
    if (ssd->read_only)
        return error_set(WARP_EREADONLY, "%s is open for reading only",
                         ssd->data_path);
    os_lock(&ssd->writing);
    t->ssd = ssd;
    t->failed = atomic_load(&ssd->broken);
    if (t->failed == 0)
        t->failed = ssd_guard_begin(&t->guard, ssd->fd, last_txn(ssd));
    if (t->failed == 0 && room_bytes(ssd) < ssd->map_bytes / 8)
        t->failed = grow(ssd, true);
    t->keeps = room_bytes(ssd) < roomy_bytes;
    if (t->failed == 0)
        t->failed = failed(ssd, begin(t), "begin to write");
    if (t->failed == 0 && mdb_txn_id(t->txn) != t->guard.snapshot.txn + 1)
        t->failed = failed(ssd, MDB_CORRUPTED, "begin to write");
    *out = t;
    return t->failed == 0 ? 0 : end(out, t->failed);
}

/* The cursor of a table stays where the last key was: keys in order find
 * their page without a search from the root. */
static int cursor_of(struct ssd_txn *t, enum ssd_table table, MDB_cursor **c)
{
    int rc = 0;
    if (!t->cursor[table])
        rc = mdb_cursor_open(t->txn, t->ssd->table[table], &t->cursor[table]);
    *c = t->cursor[table];
    return rc;
}

static int put(struct ssd_txn *t, enum ssd_table table, struct ssd_slice key,
               struct ssd_slice value)
{
    MDB_cursor *cursor;
    MDB_val k = {key.bytes, (void *)(uintptr_t)key.data};
    MDB_val v = {value.bytes + SSD_CRC_BYTES, NULL};
    int rc = ssd_guard_key(&t->guard, table, key, false) == 0
                 ? cursor_of(t, table, &cursor)
                 : DAMAGED;
    if (rc == 0)
        rc = mdb_cursor_put(cursor, &k, &v, MDB_RESERVE);
    if (rc != 0)
        return rc;
    uint8_t *to = v.mv_data;
    if (value.bytes > 0)
        memcpy(to, value.data, value.bytes);
    uint32_t crc = ssd_value_crc(table, key, value.data, value.bytes);
    memcpy(to + value.bytes, &crc, SSD_CRC_BYTES);
    return 0;
}

/* A cursor that has deleted is not used again: where it stands after a page
 * has gone is LMDB's affair. */
static void close_cursor(struct ssd_txn *t, enum ssd_table table)
{
    if (t->cursor[table])
        mdb_cursor_close(t->cursor[table]);
    t->cursor[table] = NULL;
}

/* The pages that deleting this key reads. DAMAGED: the text is set. */
static int guard(struct ssd_txn *t, enum ssd_table table, struct ssd_slice key)
{
    int rc = ssd_guard_key(&t->guard, table, key, true);
    return rc == 0 ? 0 : DAMAGED;
}

static int del_range(struct ssd_txn *t, enum ssd_table table,
                     struct ssd_slice from, struct ssd_slice to)
{
    MDB_cursor *cursor;
    MDB_val k, v, end_key = {to.bytes, (void *)(uintptr_t)to.data};
    int rc = guard(t, table, from);
    while (rc == 0) {
        k = (MDB_val){from.bytes, (void *)(uintptr_t)from.data};
        rc = cursor_of(t, table, &cursor);
        if (rc == 0)
            rc = mdb_cursor_get(cursor, &k, &v,
                                from.bytes ? MDB_SET_RANGE : MDB_FIRST);
        if (rc == 0 && to.bytes != 0 &&
            mdb_cmp(t->txn, t->ssd->table[table], &k, &end_key) >= 0)
            rc = MDB_NOTFOUND;
        if (rc == 0)
            rc = guard(t, table, (struct ssd_slice){k.mv_data, k.mv_size});
        if (rc == 0)
            rc = mdb_cursor_del(cursor, 0);
        close_cursor(t, table);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int apply(struct ssd_txn *t, const struct ssd_step *step)
{
    MDB_val key = {step->a.bytes, (void *)(uintptr_t)step->a.data};
    int rc;
    switch (step->kind) {
    case SSD_STEP_PUT:
        return put(t, step->table, step->a, step->b);
    case SSD_STEP_DEL:
        close_cursor(t, step->table);
        rc = guard(t, step->table, step->a);
        if (rc != 0)
            return rc;
        rc = mdb_del(t->txn, t->ssd->table[step->table], &key, NULL);
        return rc == MDB_NOTFOUND ? 0 : rc;
    case SSD_STEP_DEL_RANGE:
        return del_range(t, step->table, step->a, step->b);
    }
    return EINVAL;
}

/* The map was full: grows it and does the transaction again, up to where it
 * was. 0, or the code that the transaction has failed with. */
static int again(struct ssd_txn *t)
{
    struct ssd_step step;
    size_t at = 0;
    int mdb, rc;
    drop(t);
    if (!t->keeps)
        return failed(t->ssd, MDB_MAP_FULL, "write");
    rc = grow(t->ssd, false);
    if (rc != 0)
        return rc;
    mdb = begin(t);
    while (mdb == 0 && ssd_redo_next(&t->redo, &at, &step))
        mdb = apply(t, &step);
    return mdb == MDB_MAP_FULL ? again(t) : failed(t->ssd, mdb, "write");
}

static int do_step(struct ssd_txn *t, const struct ssd_step *step)
{
    if (t->failed != 0)
        return error_set(t->failed, "%s: this transaction has failed",
                         t->ssd->data_path);
    int mdb = apply(t, step);
    while (mdb == MDB_MAP_FULL && t->failed == 0) {
        t->failed = again(t);
        if (t->failed == 0)
            mdb = apply(t, step);
    }
    if (t->failed == 0 && mdb != 0)
        t->failed = failed(t->ssd, mdb, "write");
    if (t->failed == 0 && t->keeps)
        t->failed = ssd_redo_add(&t->redo, step);
    if (t->failed != 0)
        drop(t);
    return t->failed;
}

static int check_key(const struct ssd_txn *t, struct ssd_slice key,
                     size_t value_bytes)
{
    if (key.bytes > 0 && key.bytes <= SSD_KEY_BYTES_MAX &&
        value_bytes < UINT32_MAX - SSD_CRC_BYTES)
        return 0;
    return failed(t->ssd, MDB_BAD_VALSIZE, "write");
}

int ssd_put(struct ssd_txn *t, enum ssd_table table, struct ssd_slice key,
            struct ssd_slice value)
{
    struct ssd_step step = {SSD_STEP_PUT, table, key, value};
    int rc = check_key(t, key, value.bytes);
    return rc == 0 ? do_step(t, &step) : rc;
}

int ssd_del(struct ssd_txn *t, enum ssd_table table, struct ssd_slice key)
{
    struct ssd_step step = {SSD_STEP_DEL, table, key, {NULL, 0}};
    int rc = check_key(t, key, 0);
    return rc == 0 ? do_step(t, &step) : rc;
}

int ssd_del_range(struct ssd_txn *t, enum ssd_table table,
                  struct ssd_slice from, struct ssd_slice to)
{
    struct ssd_step step = {SSD_STEP_DEL_RANGE, table, from, to};
    if (from.bytes > SSD_KEY_BYTES_MAX || to.bytes > SSD_KEY_BYTES_MAX)
        return failed(t->ssd, MDB_BAD_VALSIZE, "delete");
    return do_step(t, &step);
}

int ssd_commit(struct ssd_txn **handle)
{
    struct ssd_txn *t = *handle;
    while (t->failed == 0) {
        int mdb = mdb_txn_commit(t->txn); /* frees it in any case */
        t->txn = NULL;
        memset(t->cursor, 0, sizeof t->cursor);
        if (mdb == 0)
            break;
        t->failed =
            mdb == MDB_MAP_FULL ? again(t) : failed(t->ssd, mdb, "commit to");
    }
    if (t->failed == 0) {
        ssd_guard_commit(&t->guard, t->ssd->fd, t->ssd->sum_fd,
                         last_txn(t->ssd));
        atomic_fetch_add(&t->ssd->commits, 1);
    }
    return end(handle, t->failed);
}

void ssd_abort(struct ssd_txn **handle)
{
    if (*handle)
        end(handle, 0);
}

/* ---- the file as a whole ---- */

int ssd_file_bytes(const struct ssd *ssd, uint64_t *bytes)
{
    int rc = os_size(ssd->fd, bytes);
    return rc < 0 ? error_os(rc, "size of", ssd->data_path) : 0;
}

int ssd_pin(struct ssd *ssd, struct ssd_pin *pin)
{
    uint32_t page = ssd->file.page_bytes;
    MDB_envinfo info;
    *pin = (struct ssd_pin){.meta_bytes = 2 * page, .meta = malloc(2 * page)};
    if (!pin->meta)
        return error_set(WARP_ENOMEM, "no memory to copy %s", ssd->data_path);
    os_lock(&ssd->writing);
    int rc = atomic_load(&ssd->broken);
    if (rc == 0)
        rc = failed(ssd, mdb_txn_begin(ssd->env, NULL, MDB_RDONLY, &pin->txn),
                    "read");
    if (rc == 0) {
        mdb_env_info(ssd->env, &info);
        pin->file_bytes = (info.me_last_pgno + 1) * page;
        int64_t n = os_pread(ssd->fd, pin->meta, pin->meta_bytes, 0);
        if (n != (int64_t)pin->meta_bytes)
            rc = error_os(n < 0 ? (int)n : -EIO, "read", ssd->data_path);
    }
    os_unlock(&ssd->writing);
    if (rc != 0)
        ssd_unpin(pin);
    return rc;
}

void ssd_unpin(struct ssd_pin *pin)
{
    if (pin->txn)
        mdb_txn_abort(pin->txn);
    free(pin->meta);
    memset(pin, 0, sizeof *pin);
}

int ssd_write_compact(struct ssd *ssd, int fd)
{
    return failed(ssd, mdb_env_copyfd2(ssd->env, fd, MDB_CP_COMPACT), "copy");
}
