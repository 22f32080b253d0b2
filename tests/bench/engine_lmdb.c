/* LMDB. process_crash: MDB_NOSYNC|MDB_WRITEMAP, a commit is a change of shared
 * pages that the kernel owns. power_loss: LMDB's default, a sync for each
 * commit. Each thread keeps one read transaction and renews it. */
#include "engine.h"

#include <lmdb.h>
#include <stdlib.h>

struct lmdb {
    MDB_env *env;
    MDB_dbi dbi;
};

struct lmdb_session {
    struct lmdb *db;
    MDB_txn *reader; /* reset between gets, NULL before the first */
    bool reading;
};

static int lmdb_close(void *db)
{
    struct lmdb *lmdb = db;
    mdb_env_close(lmdb->env);
    free(lmdb);
    return 0;
}

static int lmdb_open(const struct engine_setup *setup, void **db)
{
    struct lmdb *lmdb = calloc(1, sizeof *lmdb);
    MDB_txn *txn = NULL;
    size_t pair_bytes = KV_KEY_BYTES + setup->value_bytes + 64;
    unsigned flags = MDB_NORDAHEAD;
    if (setup->durability == KV_PROCESS_CRASH)
        flags |= MDB_NOSYNC | MDB_WRITEMAP;
    if (lmdb == NULL)
        return -1;
    int rc = mdb_env_create(&lmdb->env);
    if (rc != 0) {
        free(lmdb);
        return rc;
    }
    size_t map_bytes = ((size_t)1 << 30) + setup->records * pair_bytes * 6;
    if ((rc = mdb_env_set_mapsize(lmdb->env, map_bytes & ~(size_t)4095)) ||
        (rc = mdb_env_set_maxreaders(lmdb->env, setup->threads + 8)) ||
        (rc = mdb_env_open(lmdb->env, setup->dir, flags, 0600)) ||
        (rc = mdb_txn_begin(lmdb->env, NULL, 0, &txn)) ||
        (rc = mdb_dbi_open(txn, NULL, 0, &lmdb->dbi)) ||
        (rc = mdb_txn_commit(txn))) {
        lmdb_close(lmdb);
        return rc;
    }
    *db = lmdb;
    return 0;
}

static int lmdb_session_open(void *db, unsigned thread, void **session)
{
    (void)thread;
    struct lmdb_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return -1;
    s->db = db;
    *session = s;
    return 0;
}

static void lmdb_session_close(void *session)
{
    struct lmdb_session *s = session;
    if (s->reader != NULL)
        mdb_txn_abort(s->reader);
    free(s);
}

static void end_read(struct lmdb_session *s)
{
    if (s->reading)
        mdb_txn_reset(s->reader);
    s->reading = false;
}

static int lmdb_put(void *session, const void *key, const void *value,
                    size_t value_bytes)
{
    struct lmdb_session *s = session;
    MDB_txn *txn = NULL;
    MDB_val k = {KV_KEY_BYTES, (void *)(uintptr_t)key};
    MDB_val v = {value_bytes, (void *)(uintptr_t)value};
    end_read(s);
    int rc = mdb_txn_begin(s->db->env, NULL, 0, &txn);
    if (rc != 0)
        return rc;
    rc = mdb_put(txn, s->db->dbi, &k, &v, 0);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

static int lmdb_get(void *session, const void *key, const void **value,
                    size_t *value_bytes)
{
    struct lmdb_session *s = session;
    MDB_val k = {KV_KEY_BYTES, (void *)(uintptr_t)key}, v;
    end_read(s);
    int rc = s->reader != NULL
                 ? mdb_txn_renew(s->reader)
                 : mdb_txn_begin(s->db->env, NULL, MDB_RDONLY, &s->reader);
    if (rc != 0)
        return rc;
    s->reading = true;
    rc = mdb_get(s->reader, s->db->dbi, &k, &v);
    if (rc != 0)
        return rc;
    *value = v.mv_data;
    *value_bytes = v.mv_size;
    return 0;
}

static int lmdb_scan(void *session, engine_each_fn *each, void *arg)
{
    struct lmdb_session *s = session;
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val k, v;
    end_read(s);
    int rc = mdb_txn_begin(s->db->env, NULL, MDB_RDONLY, &txn);
    if (rc == 0)
        rc = mdb_cursor_open(txn, s->db->dbi, &cursor);
    while (rc == 0 && (rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0)
        if (!each(arg, k.mv_data, k.mv_size, v.mv_data, v.mv_size))
            break;
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    if (txn != NULL)
        mdb_txn_abort(txn);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

const struct engine engine_lmdb = {
    .name = "lmdb",
    .about = "ordered tree on mapped pages, one writer",
    .reads = true,
    .keeps = true,
    .one_writer = true,
    .open = lmdb_open,
    .close = lmdb_close,
    .session_open = lmdb_session_open,
    .session_close = lmdb_session_close,
    .put = lmdb_put,
    .get = lmdb_get,
    .scan = lmdb_scan,
};
