/* WiredTiger: a table with its log on, a session with an overwriting cursor
 * for each thread. process_crash: transaction_sync by method "none", which
 * waits until the kernel has the log but not for the disk. power_loss: method
 * "fsync", a sync for each commit. */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <wiredtiger.h>

struct tiger {
    WT_CONNECTION *connection;
};

struct tiger_session {
    WT_SESSION *session;
    WT_CURSOR *cursor;
};

static int tiger_close(void *db)
{
    struct tiger *tiger = db;
    int rc = tiger->connection->close(tiger->connection, NULL);
    free(tiger);
    return rc;
}

static int tiger_open(const struct engine_setup *setup, void **db)
{
    struct tiger *tiger = calloc(1, sizeof *tiger);
    WT_SESSION *session = NULL;
    char config[400];
    if (tiger == NULL)
        return -1;
    snprintf(config, sizeof config,
             "create,cache_size=512MB,session_max=%u,log=(enabled=true),"
             "transaction_sync=(enabled=true,method=%s),"
             "checkpoint=(log_size=1GB)",
             setup->threads + 32,
             setup->durability == KV_POWER_LOSS ? "fsync" : "none");
    int rc = wiredtiger_open(setup->dir, NULL, config, &tiger->connection);
    if (rc != 0) {
        free(tiger);
        return rc;
    }
    WT_CONNECTION *connection = tiger->connection;
    if ((rc = connection->open_session(connection, NULL, NULL, &session)) ||
        (rc = session->create(session, "table:kv",
                              "key_format=u,value_format=u")) ||
        (rc = session->close(session, NULL))) {
        tiger_close(tiger);
        return rc;
    }
    *db = tiger;
    return 0;
}

static void tiger_session_close(void *session)
{
    struct tiger_session *s = session;
    if (s->session != NULL)
        s->session->close(s->session, NULL);
    free(s);
}

static int tiger_session_open(void *db, unsigned thread, void **session)
{
    (void)thread;
    WT_CONNECTION *connection = ((struct tiger *)db)->connection;
    struct tiger_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return -1;
    int rc = connection->open_session(connection, NULL, NULL, &s->session);
    if (rc == 0)
        rc = s->session->open_cursor(s->session, "table:kv", NULL,
                                     "overwrite=true", &s->cursor);
    if (rc != 0) {
        tiger_session_close(s);
        return rc;
    }
    *session = s;
    return 0;
}

static int tiger_put(void *session, const void *key, const void *value,
                     size_t value_bytes)
{
    WT_CURSOR *cursor = ((struct tiger_session *)session)->cursor;
    WT_ITEM k = {.data = key, .size = KV_KEY_BYTES};
    WT_ITEM v = {.data = value, .size = value_bytes};
    int rc;
    do {
        cursor->set_key(cursor, &k);
        cursor->set_value(cursor, &v);
        rc = cursor->insert(cursor);
    } while (rc == WT_ROLLBACK);
    return rc;
}

static int tiger_get(void *session, const void *key, const void **value,
                     size_t *value_bytes)
{
    WT_CURSOR *cursor = ((struct tiger_session *)session)->cursor;
    WT_ITEM k = {.data = key, .size = KV_KEY_BYTES}, v;
    cursor->set_key(cursor, &k);
    int rc = cursor->search(cursor);
    if (rc == 0)
        rc = cursor->get_value(cursor, &v);
    if (rc != 0)
        return rc;
    *value = v.data;
    *value_bytes = v.size;
    return 0;
}

const struct engine engine_wiredtiger = {
    .name = "wiredtiger",
    .about = "ordered tree on disk with a log",
    .reads = true,
    .keeps = true,
    .open = tiger_open,
    .close = tiger_close,
    .session_open = tiger_session_open,
    .session_close = tiger_session_close,
    .put = tiger_put,
    .get = tiger_get,
};
