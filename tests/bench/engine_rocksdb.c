/* RocksDB by its C interface. process_crash: its log on, no sync for a write.
 * power_loss: sync for each write. LZ4 for values that are text, else no
 * compression (they do not compress), a bloom filter of 10 bits, 512 MiB of
 * cache, reads by pinned slices. */
#include "engine.h"

#include <rocksdb/c.h>
#include <stdlib.h>

struct rocks {
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_block_based_table_options_t *table;
    rocksdb_cache_t *cache;
    rocksdb_writeoptions_t *write;
    rocksdb_readoptions_t *read;
};

struct rocks_session {
    struct rocks *rocks;
    rocksdb_pinnableslice_t *pinned;
};

/* The text of an error is the engine's; the code here only says that. */
static int failed(char *error)
{
    if (error == NULL)
        return 0;
    rocksdb_free(error);
    return -1;
}

static int rocks_close(void *db)
{
    struct rocks *rocks = db;
    if (rocks->db != NULL)
        rocksdb_close(rocks->db);
    rocksdb_readoptions_destroy(rocks->read);
    rocksdb_writeoptions_destroy(rocks->write);
    rocksdb_block_based_options_destroy(rocks->table);
    rocksdb_cache_destroy(rocks->cache);
    rocksdb_options_destroy(rocks->options);
    free(rocks);
    return 0;
}

static int rocks_open(const struct engine_setup *setup, void **db)
{
    struct rocks *rocks = calloc(1, sizeof *rocks);
    char *error = NULL;
    if (rocks == NULL)
        return -1;
    rocks->options = rocksdb_options_create();
    rocks->table = rocksdb_block_based_options_create();
    rocks->cache = rocksdb_cache_create_lru((size_t)512 << 20);
    rocks->write = rocksdb_writeoptions_create();
    rocks->read = rocksdb_readoptions_create();
    rocksdb_options_set_create_if_missing(rocks->options, 1);
    rocksdb_options_set_compression(rocks->options,
                                    setup->text ? rocksdb_lz4_compression
                                                : rocksdb_no_compression);
    rocksdb_block_based_options_set_block_cache(rocks->table, rocks->cache);
    rocksdb_block_based_options_set_filter_policy(
        rocks->table, rocksdb_filterpolicy_create_bloom_full(10));
    rocksdb_options_set_block_based_table_factory(rocks->options, rocks->table);
    rocksdb_writeoptions_set_sync(rocks->write,
                                  setup->durability == KV_POWER_LOSS);
    rocks->db = rocksdb_open(rocks->options, setup->dir, &error);
    if (failed(error)) {
        rocks->db = NULL;
        rocks_close(rocks);
        return -1;
    }
    *db = rocks;
    return 0;
}

static int rocks_session_open(void *db, unsigned thread, void **session)
{
    (void)thread;
    struct rocks_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return -1;
    s->rocks = db;
    *session = s;
    return 0;
}

static void unpin(struct rocks_session *s)
{
    if (s->pinned != NULL)
        rocksdb_pinnableslice_destroy(s->pinned);
    s->pinned = NULL;
}

static void rocks_session_close(void *session)
{
    unpin(session);
    free(session);
}

static int rocks_put(void *session, const void *key, const void *value,
                     size_t value_bytes)
{
    struct rocks *rocks = ((struct rocks_session *)session)->rocks;
    char *error = NULL;
    rocksdb_put(rocks->db, rocks->write, key, KV_KEY_BYTES, value, value_bytes,
                &error);
    return failed(error);
}

static int rocks_get(void *session, const void *key, const void **value,
                     size_t *value_bytes)
{
    struct rocks_session *s = session;
    char *error = NULL;
    unpin(s);
    s->pinned = rocksdb_get_pinned(s->rocks->db, s->rocks->read, key,
                                   KV_KEY_BYTES, &error);
    if (failed(error) || s->pinned == NULL)
        return -1;
    *value = rocksdb_pinnableslice_value(s->pinned, value_bytes);
    return 0;
}

static int rocks_compact(void *db)
{
    struct rocks *rocks = db;
    rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
    char *error = NULL;
    rocksdb_flush(rocks->db, flush, &error);
    rocksdb_flushoptions_destroy(flush);
    rocksdb_compact_range(rocks->db, NULL, 0, NULL, 0);
    return failed(error);
}

static int rocks_scan(void *session, engine_each_fn *each, void *arg)
{
    struct rocks_session *s = session;
    rocksdb_iterator_t *at =
        rocksdb_create_iterator(s->rocks->db, s->rocks->read);
    char *error = NULL;
    for (rocksdb_iter_seek_to_first(at); rocksdb_iter_valid(at);
         rocksdb_iter_next(at)) {
        size_t key_bytes, value_bytes;
        const char *key = rocksdb_iter_key(at, &key_bytes);
        const char *value = rocksdb_iter_value(at, &value_bytes);
        if (!each(arg, key, key_bytes, value, value_bytes))
            break;
    }
    rocksdb_iter_get_error(at, &error);
    rocksdb_iter_destroy(at);
    return failed(error);
}

const struct engine engine_rocksdb = {
    .name = "rocksdb",
    .about = "log-structured merge tree on disk",
    .reads = true,
    .keeps = true,
    .open = rocks_open,
    .close = rocks_close,
    .session_open = rocks_session_open,
    .session_close = rocks_session_close,
    .put = rocks_put,
    .get = rocks_get,
    .scan = rocks_scan,
    .compact = rocks_compact,
};
