/* ssd.h: the ssd tier and the directory of all keys: one LMDB environment.
 *
 * Tables of sorted byte keys. One checkpointer writes, in transactions; reads
 * are free for all threads. Every value carries a CRC32C over table, key and
 * value, checked at each read. What the keys and values mean is known to the
 * callers, not here. */
#ifndef WARP_SSD_H
#define WARP_SSD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssd;
struct ssd_txn;
struct ssd_cursor;

enum ssd_table {
    SSD_ROWS,   /* product, key -> the record's directory entry and row */
    SSD_COLD,   /* product, field, key -> value of an ssd field */
    SSD_INDEX,  /* product, field, value, key -> nothing */
    SSD_SERIES, /* product, field, key, at, seq -> element */
    SSD_META,   /* name -> checkpoint position, clock, … */
    SSD_TABLE_COUNT
};
#define SSD_KEY_BYTES_MAX 511

struct ssd_slice {
    const void *data;
    size_t bytes;
};

/* map_bytes 0: 1 TiB, or what the address space allows. event: things to tell
 * people about, with code 0 or a WARP_E code; may be NULL. */
int ssd_open(const char *dir, uint64_t map_bytes, bool read_only,
             void (*event)(void *arg, int code, const char *text), void *arg,
             struct ssd **ssd);
void ssd_close(struct ssd **ssd);

/* One write transaction at a time, another thread waits; all calls of one come
 * from one thread. WARP_ENOSPC: nothing of it is kept. The map grows by itself
 * where the address space allows. After an error the transaction is dead: every
 * further call gives the same code. */
int ssd_begin(struct ssd *ssd, struct ssd_txn **txn);
int ssd_put(struct ssd_txn *txn, enum ssd_table table, struct ssd_slice key,
            struct ssd_slice value);
/* 0 as well when there is no such key. */
int ssd_del(struct ssd_txn *txn, enum ssd_table table, struct ssd_slice key);
/* Deletes all keys in [from, to); bytes 0: from the first, to the last. */
int ssd_del_range(struct ssd_txn *txn, enum ssd_table table,
                  struct ssd_slice from, struct ssd_slice to);
int ssd_commit(struct ssd_txn **txn); /* durable at return; nulls */
void ssd_abort(struct ssd_txn **txn);

/* Calls fn with the value while it is valid (no copy), and gives its result;
 * WARP_ENOTFOUND. fn calls nothing of this module. */
typedef int ssd_read_fn(void *arg, struct ssd_slice value);
int ssd_get(struct ssd *ssd, enum ssd_table table, struct ssd_slice key,
            ssd_read_fn *fn, void *arg);
/* Entries of a table; 0 where that cannot be told, beside the error. */
int ssd_count(struct ssd *ssd, enum ssd_table table, uint64_t *count);

/* A cursor over [from, to) in key order or backward; it lives as long as its
 * user likes: its read transaction is renewed every 100 ms and it seeks on.
 * `to` with bytes 0 is the table's end. key and value are valid until the next
 * call. ssd_next: 0, WARP_END, or an error. */
int ssd_cursor_open(struct ssd *ssd, enum ssd_table table,
                    struct ssd_slice from, struct ssd_slice to, bool reverse,
                    struct ssd_cursor **cursor);
int ssd_next(struct ssd_cursor *cursor, struct ssd_slice *key,
             struct ssd_slice *value);
/* Is what ssd_next gave last still what the file holds? False once a commit has
 * returned since it was read. Memory that changes after a commit and under a
 * lock agrees with the answer under that lock. */
bool ssd_cursor_current(const struct ssd_cursor *cursor);
/* The number of the state of the file that was read last. */
uint64_t ssd_cursor_snapshot(const struct ssd_cursor *cursor);
void ssd_cursor_close(struct ssd_cursor **cursor);

/* The newest state of the file to dir/data.mdb, which must not exist; dir
 * does. `pinned`, if any, is called once it is clear which state that is: what
 * the caller holds commits back with may be let go then. An error of it, or a
 * `step` (told the bytes of each piece) that is not 0, ends the copy. The map
 * may grow meanwhile. */
int ssd_copy(struct ssd *ssd, const char *dir, int (*pinned)(void *arg),
             int (*step)(void *arg, uint64_t bytes), void *arg);
/* One state without free pages to an empty file; this one was checked. */
int ssd_write_compact(struct ssd *ssd, int fd);

struct ssd_stat {
    uint64_t file_bytes, used_bytes, free_bytes, map_bytes;
};
int ssd_stat(struct ssd *ssd, struct ssd_stat *stat);

/* Checks every page and value; calls bad for each damage. WARP_ECORRUPT when
 * there was one. Holds one state of the file: what is written meanwhile takes
 * new pages. */
int ssd_verify(struct ssd *ssd, void (*bad)(void *arg, const char *text),
               void *arg);
/* The same for a closed one, before LMDB reads it. full: everything, else what
 * every open checks. WARP_ENOTFOUND: there is no file. */
int ssd_check_file(const char *dir, bool full,
                   void (*bad)(void *arg, const char *text), void *arg);

#endif
