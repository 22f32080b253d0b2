/* SQLite in WAL mode, a connection with prepared statements for each thread.
 * process_crash: synchronous=NORMAL, a commit writes the log without a sync.
 * power_loss: synchronous=FULL, a sync for each commit. */
#include "engine.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

struct sqlite_store {
    char path[4200];
    enum kv_durability durability;
};

struct sqlite_session {
    sqlite3 *db;
    sqlite3_stmt *put, *get;
};

static int run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int connect(const struct sqlite_store *store, sqlite3 **db)
{
    int rc = sqlite3_open_v2(
        store->path, db,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_busy_timeout(*db, 60000);
    if ((rc = run(*db, "PRAGMA journal_mode=WAL")) ||
        (rc = run(*db, store->durability == KV_POWER_LOSS
                           ? "PRAGMA synchronous=FULL"
                           : "PRAGMA synchronous=NORMAL")) ||
        (rc = run(*db, "PRAGMA cache_size=-262144")) ||
        (rc = run(*db, "PRAGMA mmap_size=4294967296")))
        return rc;
    return SQLITE_OK;
}

static int sqlite_open(const struct engine_setup *setup, void **db)
{
    struct sqlite_store *store = calloc(1, sizeof *store);
    sqlite3 *first = NULL;
    if (store == NULL)
        return -1;
    snprintf(store->path, sizeof store->path, "%s/kv.sqlite", setup->dir);
    store->durability = setup->durability;
    int rc = connect(store, &first);
    if (rc == SQLITE_OK)
        rc = run(first, "CREATE TABLE IF NOT EXISTS kv"
                        "(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
    sqlite3_close(first);
    if (rc != SQLITE_OK) {
        free(store);
        return rc;
    }
    *db = store;
    return 0;
}

static int sqlite_close(void *db)
{
    free(db);
    return 0;
}

static void sqlite_session_close(void *session)
{
    struct sqlite_session *s = session;
    sqlite3_finalize(s->put);
    sqlite3_finalize(s->get);
    sqlite3_close(s->db);
    free(s);
}

static int sqlite_session_open(void *db, unsigned thread, void **session)
{
    (void)thread;
    struct sqlite_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return -1;
    int rc = connect(db, &s->db);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v3(s->db, "INSERT OR REPLACE INTO kv VALUES(?,?)",
                                -1, SQLITE_PREPARE_PERSISTENT, &s->put, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v3(s->db, "SELECT v FROM kv WHERE k=?", -1,
                                SQLITE_PREPARE_PERSISTENT, &s->get, NULL);
    if (rc != SQLITE_OK) {
        sqlite_session_close(s);
        return rc;
    }
    *session = s;
    return 0;
}

static int sqlite_put(void *session, const void *key, const void *value,
                      size_t value_bytes)
{
    struct sqlite_session *s = session;
    sqlite3_reset(s->get);
    sqlite3_bind_blob(s->put, 1, key, KV_KEY_BYTES, SQLITE_STATIC);
    sqlite3_bind_blob64(s->put, 2, value, value_bytes, SQLITE_STATIC);
    int rc = sqlite3_step(s->put);
    int end = sqlite3_reset(s->put);
    return rc == SQLITE_DONE ? end : rc;
}

static int sqlite_get(void *session, const void *key, const void **value,
                      size_t *value_bytes)
{
    struct sqlite_session *s = session;
    sqlite3_reset(s->get);
    sqlite3_bind_blob(s->get, 1, key, KV_KEY_BYTES, SQLITE_STATIC);
    int rc = sqlite3_step(s->get);
    if (rc != SQLITE_ROW)
        return rc;
    *value = sqlite3_column_blob(s->get, 0);
    *value_bytes = (size_t)sqlite3_column_bytes(s->get, 0);
    return 0;
}

const struct engine engine_sqlite = {
    .name = "sqlite",
    .about = "SQL over an ordered tree on disk, one writer",
    .reads = true,
    .keeps = true,
    .one_writer = true,
    .open = sqlite_open,
    .close = sqlite_close,
    .session_open = sqlite_session_open,
    .session_close = sqlite_session_close,
    .put = sqlite_put,
    .get = sqlite_get,
};
