/* LevelDB by its C interface. process_crash: its log on, no sync for a write.
 * power_loss: sync for each write. No compression (the values do not
 * compress), a bloom filter of 10 bits, 512 MiB of cache, 64 MiB of write
 * buffer. */
#include "engine.h"

#include <leveldb/c.h>
#include <stdlib.h>

struct level {
    leveldb_t *db;
    leveldb_options_t *options;
    leveldb_cache_t *cache;
    leveldb_filterpolicy_t *filter;
    leveldb_writeoptions_t *write;
    leveldb_readoptions_t *read;
};

struct level_session {
    struct level *level;
    char *value; /* of the last get */
};

static int failed(char *error)
{
    if (error == NULL)
        return 0;
    leveldb_free(error);
    return -1;
}

static int level_close(void *db)
{
    struct level *level = db;
    if (level->db != NULL)
        leveldb_close(level->db);
    leveldb_readoptions_destroy(level->read);
    leveldb_writeoptions_destroy(level->write);
    leveldb_options_destroy(level->options);
    leveldb_filterpolicy_destroy(level->filter);
    leveldb_cache_destroy(level->cache);
    free(level);
    return 0;
}

static int level_open(const struct engine_setup *setup, void **db)
{
    struct level *level = calloc(1, sizeof *level);
    char *error = NULL;
    if (level == NULL)
        return -1;
    level->options = leveldb_options_create();
    level->cache = leveldb_cache_create_lru((size_t)512 << 20);
    level->filter = leveldb_filterpolicy_create_bloom(10);
    level->write = leveldb_writeoptions_create();
    level->read = leveldb_readoptions_create();
    leveldb_options_set_create_if_missing(level->options, 1);
    leveldb_options_set_compression(level->options, leveldb_no_compression);
    leveldb_options_set_cache(level->options, level->cache);
    leveldb_options_set_filter_policy(level->options, level->filter);
    leveldb_options_set_write_buffer_size(level->options, (size_t)64 << 20);
    leveldb_writeoptions_set_sync(level->write,
                                  setup->durability == KV_POWER_LOSS);
    level->db = leveldb_open(level->options, setup->dir, &error);
    if (failed(error)) {
        level->db = NULL;
        level_close(level);
        return -1;
    }
    *db = level;
    return 0;
}

static int level_session_open(void *db, unsigned thread, void **session)
{
    (void)thread;
    struct level_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return -1;
    s->level = db;
    *session = s;
    return 0;
}

static void level_session_close(void *session)
{
    struct level_session *s = session;
    leveldb_free(s->value);
    free(s);
}

static int level_put(void *session, const void *key, const void *value,
                     size_t value_bytes)
{
    struct level *level = ((struct level_session *)session)->level;
    char *error = NULL;
    leveldb_put(level->db, level->write, key, KV_KEY_BYTES, value, value_bytes,
                &error);
    return failed(error);
}

static int level_get(void *session, const void *key, const void **value,
                     size_t *value_bytes)
{
    struct level_session *s = session;
    char *error = NULL;
    leveldb_free(s->value);
    s->value = leveldb_get(s->level->db, s->level->read, key, KV_KEY_BYTES,
                           value_bytes, &error);
    if (failed(error) || s->value == NULL)
        return -1;
    *value = s->value;
    return 0;
}

static int level_scan(void *session, engine_each_fn *each, void *arg)
{
    struct level_session *s = session;
    leveldb_iterator_t *at =
        leveldb_create_iterator(s->level->db, s->level->read);
    char *error = NULL;
    for (leveldb_iter_seek_to_first(at); leveldb_iter_valid(at);
         leveldb_iter_next(at)) {
        size_t key_bytes, value_bytes;
        const char *key = leveldb_iter_key(at, &key_bytes);
        const char *value = leveldb_iter_value(at, &value_bytes);
        if (!each(arg, key, key_bytes, value, value_bytes))
            break;
    }
    leveldb_iter_get_error(at, &error);
    leveldb_iter_destroy(at);
    return failed(error);
}

const struct engine engine_leveldb = {
    .name = "leveldb",
    .about = "log-structured merge tree on disk",
    .reads = true,
    .keeps = true,
    .open = level_open,
    .close = level_close,
    .session_open = level_session_open,
    .session_close = level_session_close,
    .put = level_put,
    .get = level_get,
    .scan = level_scan,
};
