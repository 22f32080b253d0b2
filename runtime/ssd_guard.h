/* ssd_guard.h: checks the pages that a change makes LMDB read, before it does.
 *
 * LMDB walks its pages without looking at bounds. What it reads in a write
 * transaction is either its own memory or a page of the last commit. Those are
 * checked here, each once in every transaction, for the disk may give other
 * bytes than it gave before; and what LMDB reads without being asked for a key,
 * the roots and the list of free pages, has to be what the last commit left. */
#ifndef WARP_SSD_GUARD_H
#define WARP_SSD_GUARD_H

#include "ssd_tree.h"

/* A range of keys whose pages are checked: [from, to), to 0: to the end. */
struct ssd_guarded {
    bool known, deletes;
    uint32_t from_bytes, to_bytes;
    uint8_t from[SSD_KEY_BYTES_MAX], to[SSD_KEY_BYTES_MAX];
};

struct ssd_guard {
    struct tree_file file; /* the map; checked: in this transaction */
    uint64_t *listed;      /* a bit for each page: it is free */
    uint64_t bits_bytes;   /* of both */
    struct tree_snapshot snapshot; /* the last commit */
    bool known;                    /* what the last commit left: */
    uint64_t known_txn;
    uint32_t known_crc;
    struct ssd_guarded range[SSD_TABLE_COUNT];
};

/* The file and a bit for each of its pages; unmapped in any case of an error. 0
 * or a negative errno. */
int ssd_file_map(struct tree_file *file, int fd, uint64_t bytes);
void ssd_file_unmap(struct tree_file *file);
/* It is mapped, or mapped anew. 0 or -ENOMEM. */
int ssd_guard_map(struct ssd_guard *guard, const struct tree_file *file);
void ssd_guard_unmap(struct ssd_guard *guard);
/* Before a transaction begins on the last commit, txn: nothing is checked but
 * the roots and the list of free pages. 0, WARP_ECORRUPT or WARP_EIO. */
int ssd_guard_begin(struct ssd_guard *guard, int fd, uint64_t txn);
/* After a commit, the newest: it is known at the next begin and, by data.sum,
 * at the next open. */
void ssd_guard_commit(struct ssd_guard *guard, int fd, int sum_fd,
                      uint64_t txn);
/* Before a put, or (deletes) before a deletion of this key. 0 or
 * WARP_ECORRUPT. */
int ssd_guard_key(struct ssd_guard *guard, enum ssd_table table,
                  struct ssd_slice key, bool deletes);

#endif
