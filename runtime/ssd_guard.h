/* ssd_guard.h: checks the pages that a change makes LMDB read, before it does.
 *
 * LMDB walks its pages without looking at bounds. What it reads in a write
 * transaction is either its own memory or a page of the last commit; these are
 * checked here, each once. */
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
    const struct tree_file *file;
    struct tree_snapshot snapshot; /* the last commit */
    struct ssd_guarded range[SSD_TABLE_COUNT];
};

void ssd_guard_begin(struct ssd_guard *guard, const struct tree_file *file);
/* Before a put, or (deletes) before a deletion of this key. 0 or
 * WARP_ECORRUPT. */
int ssd_guard_key(struct ssd_guard *guard, enum ssd_table table,
                  struct ssd_slice key, bool deletes);

#endif
