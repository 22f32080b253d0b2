/* One storage engine behind one struct of function pointers, so that all are
 * measured by the same loop. To add one: engine_x.c that fills a
 * `const struct engine`, a row in engines.def, its development files in
 * meson.build. An adapter does what a good user of that engine would write:
 * prepared statements, reused transactions, no needless copy. */
#ifndef BENCH_ENGINE_H
#define BENCH_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KV_KEY_BYTES = 16 };

enum kv_durability {
    KV_PROCESS_CRASH, /* an acknowledged write survives kill -9 */
    KV_POWER_LOSS     /* and a power loss: synced before it is acknowledged */
};

struct engine_setup {
    const char *dir; /* exists, private to this store */
    uint64_t records;
    size_t value_bytes;
    unsigned threads;
    enum kv_durability durability;
    bool text;        /* values are text: stored as the engine packs such */
    const char *tool; /* path of `warp`, for compact */
    const char *background_cpus; /* of Warp alone: where its threads run */
    bool numa;                   /* of Warp alone: shards on nodes in turn */
};

/** Gets each record of a scan; false: enough. */
typedef bool engine_each_fn(void *arg, const void *key, size_t key_bytes,
                            const void *value, size_t value_bytes);

/** All calls return 0 or an error of the engine's own (never 0). */
struct engine {
    const char *name;
    const char *about; /* the class of engine, for the reader of a ratio */
    bool reads;        /* false: has no get */
    bool keeps;        /* finds its data when opened again */
    bool one_writer;   /* loading from several threads only hurts it */

    int (*open)(const struct engine_setup *setup, void **db);
    int (*close)(void *db); /* all sessions are closed before */

    /** What one thread needs; used by that thread only. */
    int (*session_open)(void *db, unsigned thread, void **session);
    void (*session_close)(void *session);

    int (*put)(void *session, const void *key, const void *value,
               size_t value_bytes);
    /** The value is valid until the next call on this session. */
    int (*get)(void *session, const void *key, const void **value,
               size_t *value_bytes);
    /** All records in the order of their keys; NULL: has no such thing. */
    int (*scan)(void *session, engine_each_fn *each, void *arg);
    /** Without open sessions: gives back what no record needs; NULL: has no
     *  such thing. */
    int (*compact)(void *db);
    /** What writes memory to the disk in the background: records that it wrote
     *  and processor time, so far; NULL: not known. */
    void (*background)(void *db, double *records, double *cpu_ns);
};

/** The engines of this build, in the order of engines.def. */
extern const struct engine *const engine_table[];
extern const size_t engine_count;

/** NULL when it is not in this build. */
const struct engine *engine_find(const char *name, size_t name_bytes);

/** Does this name stand in engines.def, in the build or not? */
bool engine_is_known(const char *name, size_t name_bytes);

#endif
