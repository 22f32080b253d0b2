/* ssd_env.h: what ssd.c, the only file that knows LMDB, gives the readers. */
#ifndef WARP_SSD_ENV_H
#define WARP_SSD_ENV_H

#include "ssd_tree.h"

#include <stdalign.h>

struct MDB_txn;

/* A read transaction of LMDB that is kept for the next reader; it pins the
 * pages of its snapshot while it is entered. */
struct ssd_reader {
    alignas(64) _Atomic uint32_t busy;
    struct MDB_txn *txn;
    struct tree_snapshot snapshot;
};

/* ---- ssd_pool.c ---- */
enum { SSD_READERS = 480 };
struct ssd_pool {
    struct ssd_reader *reader;
    _Atomic uint32_t gate; /* 1: shut */
};
int ssd_pool_init(struct ssd_pool *pool);
void ssd_pool_fini(struct ssd_pool *pool);
struct ssd_reader *ssd_pool_take(struct ssd_pool *pool);
void ssd_pool_give(struct ssd_reader *reader);
void ssd_pool_shut(struct ssd_pool *pool); /* returns when all have left */
void ssd_pool_open(struct ssd_pool *pool);
/* After a try to load the snapshot of a transaction that gave `rc`: 0 if there
 * is to be another one, after some patience. */
int ssd_pool_retry(const struct tree_file *file, uint64_t txn, int rc,
                   uint32_t *tries);

/* ---- ssd.c ---- */
/* Enter shortly: the map grows only when nobody is inside, and pages are not
 * reused. A thread enters once at a time. */
int ssd_reader_enter(struct ssd *ssd, struct ssd_reader **reader);
void ssd_reader_leave(struct ssd *ssd, struct ssd_reader *reader);
const struct tree_file *ssd_tree_file(const struct ssd *ssd);
int ssd_file_bytes(const struct ssd *ssd, uint64_t *bytes);
uint64_t ssd_commits(const struct ssd *ssd); /* so far; before they return */

/* The newest state, whose pages stay as they are until it is let go: for as
 * long as one likes, because the map may grow meanwhile. */
struct ssd_pin {
    struct MDB_txn *txn;
    uint8_t *meta; /* the meta pages, which other commits write over */
    uint32_t meta_bytes;
    uint64_t file_bytes;
};
int ssd_pin(struct ssd *ssd, struct ssd_pin *pin);
void ssd_unpin(struct ssd_pin *pin);

/* ---- ssd_read.c ---- */
/* The state after transaction txn, of what the file open as fd has now. */
int ssd_snapshot_load(int fd, const struct tree_file *file, uint64_t txn,
                      struct tree_snapshot *snapshot);
/* The CRC32C behind each value. */
#define SSD_CRC_BYTES 4
uint32_t ssd_value_crc(enum ssd_table table, struct ssd_slice key,
                       const void *value, size_t bytes);
/* Checks the value of a node in page `page` and takes the CRC off. */
int ssd_node_check(const struct tree_file *file, uint64_t page,
                   enum ssd_table table, struct tree_node *node);
/* Checks the entry that the cursor stands on and takes the CRC off. */
int ssd_entry_read(const struct tree_cursor *c, enum ssd_table table,
                   struct ssd_slice *key, struct ssd_slice *value);

#endif
