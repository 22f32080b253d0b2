/* Berkeley DB: a transactional environment with a tree. process_crash:
 * DB_TXN_WRITE_NOSYNC, the log is written but not synced. power_loss: the
 * default, a sync for each commit. A put that loses a deadlock is repeated. */
#include "engine.h"

#include <db.h>
#include <stdlib.h>
#include <string.h>

struct bdb {
    DB_ENV *env;
    DB *db;
};

struct bdb_session {
    struct bdb *bdb;
    size_t room;
    unsigned char *value;
};

static int bdb_close(void *db)
{
    struct bdb *bdb = db;
    int rc = 0, end = 0;
    if (bdb->db != NULL)
        rc = bdb->db->close(bdb->db, 0);
    if (bdb->env != NULL)
        end = bdb->env->close(bdb->env, 0);
    free(bdb);
    return rc != 0 ? rc : end;
}

static int open_all(struct bdb *bdb, const struct engine_setup *setup)
{
    const u_int32_t flags = DB_CREATE | DB_INIT_TXN | DB_INIT_LOCK |
                            DB_INIT_LOG | DB_INIT_MPOOL | DB_THREAD |
                            DB_RECOVER | DB_PRIVATE;
    DB_ENV *env;
    int rc = db_env_create(&bdb->env, 0);
    if (rc != 0)
        return rc;
    env = bdb->env;
    if ((rc = env->set_cachesize(env, 0, 512U << 20, 1)) ||
        (rc = env->set_lk_detect(env, DB_LOCK_DEFAULT)) ||
        (rc = env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1)) ||
        (rc = env->open(env, setup->dir, flags, 0600)))
        return rc;
    if (setup->durability == KV_PROCESS_CRASH &&
        (rc = env->set_flags(env, DB_TXN_WRITE_NOSYNC, 1)))
        return rc;
    if ((rc = db_create(&bdb->db, env, 0)))
        return rc;
    return bdb->db->open(bdb->db, NULL, "kv.db", NULL, DB_BTREE,
                         DB_CREATE | DB_AUTO_COMMIT | DB_THREAD, 0600);
}

static int bdb_open(const struct engine_setup *setup, void **db)
{
    struct bdb *bdb = calloc(1, sizeof *bdb);
    if (bdb == NULL)
        return -1;
    int rc = open_all(bdb, setup);
    if (rc != 0) {
        bdb_close(bdb);
        return rc;
    }
    *db = bdb;
    return 0;
}

static int bdb_session_open(void *db, unsigned thread, void **session)
{
    (void)thread;
    struct bdb_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return -1;
    s->bdb = db;
    *session = s;
    return 0;
}

static void bdb_session_close(void *session)
{
    struct bdb_session *s = session;
    free(s->value);
    free(s);
}

static DBT as_dbt(const void *data, size_t bytes)
{
    DBT dbt;
    memset(&dbt, 0, sizeof dbt);
    dbt.data = (void *)(uintptr_t)data;
    dbt.size = (u_int32_t)bytes;
    return dbt;
}

static int bdb_put(void *session, const void *key, const void *value,
                   size_t value_bytes)
{
    DB *db = ((struct bdb_session *)session)->bdb->db;
    DBT k = as_dbt(key, KV_KEY_BYTES), v = as_dbt(value, value_bytes);
    int rc;
    do
        rc = db->put(db, NULL, &k, &v, 0);
    while (rc == DB_LOCK_DEADLOCK);
    return rc;
}

static int bdb_get(void *session, const void *key, const void **value,
                   size_t *value_bytes)
{
    struct bdb_session *s = session;
    DB *db = s->bdb->db;
    DBT k = as_dbt(key, KV_KEY_BYTES), v = as_dbt(s->value, 0);
    int rc;
    v.ulen = (u_int32_t)s->room;
    v.flags = DB_DBT_USERMEM;
    do {
        rc = db->get(db, NULL, &k, &v, 0);
        if (rc != DB_BUFFER_SMALL)
            continue;
        free(s->value);
        s->room = v.size;
        s->value = malloc(s->room);
        if (s->value == NULL)
            return -1;
        v.data = s->value;
        v.ulen = v.size;
    } while (rc == DB_LOCK_DEADLOCK || rc == DB_BUFFER_SMALL);
    *value = s->value;
    *value_bytes = v.size;
    return rc;
}

const struct engine engine_bdb = {
    .name = "bdb",
    .about = "ordered tree on disk with a log",
    .reads = true,
    .keeps = true,
    .open = bdb_open,
    .close = bdb_close,
    .session_open = bdb_session_open,
    .session_close = bdb_session_close,
    .put = bdb_put,
    .get = bdb_get,
};
