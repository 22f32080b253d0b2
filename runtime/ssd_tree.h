/* ssd_tree.h: reading LMDB's trees of pages, every access in bounds.
 *
 * LMDB trusts its file. Reads of the ssd tier and the checks of the file go
 * through here instead: a damaged page gives WARP_ECORRUPT and a sentence. */
#ifndef WARP_SSD_TREE_H
#define WARP_SSD_TREE_H

#include "ssd.h"

#include <stdatomic.h>

#define TREE_NO_PAGE   UINT64_MAX
#define TREE_DEPTH_MAX 32

/* The file, mapped for reading. */
struct tree_file {
    const uint8_t *map;
    uint64_t map_bytes;
    uint32_t page_bytes;
    _Atomic uint64_t *checked; /* a bit for each page: its structure holds */
    const char *path;          /* for sentences */
};

struct tree_root {
    uint64_t page, entries;
    uint64_t pages; /* that the tree has, as LMDB counts them */
    uint32_t depth;
    bool numbers; /* keys are numbers (LMDB's own tree of free pages) */
};

/* One state of the whole file, immutable while a reader pins it. */
struct tree_snapshot {
    uint64_t txn;
    uint64_t page_count; /* pages below it exist in the file */
    uint64_t page_limit; /* LMDB has given out pages below it */
    struct tree_root free, tables, table[SSD_TABLE_COUNT];
};

struct tree_node {
    struct ssd_slice key, value;
    bool is_tree;  /* the value is another tree's root */
    bool overflow; /* the value has pages of its own, from `page` on */
    uint64_t page, page_count;
};

struct tree_cursor {
    const struct tree_file *file;
    const struct tree_snapshot *snapshot;
    const struct tree_root *root;
    uint32_t depth; /* levels filled; 0: not positioned */
    const uint8_t *ahead; /* the leaf to the right, to be prefetched, or NULL */
    uint32_t ahead_step;  /* its lines for an entry of this one, of 65536 */
    const uint8_t *page[TREE_DEPTH_MAX];
    uint64_t number[TREE_DEPTH_MAX];
    uint16_t at[TREE_DEPTH_MAX];
};

/* What both meta pages say, read without a lock. */
struct tree_meta {
    uint64_t txn, map_bytes, last_page;
    struct tree_root free, tables;
};

/* The page size that the file tells, or 0: none that is possible. */
uint32_t tree_page_bytes(const uint8_t *file, uint64_t bytes);
/* Decodes and checks a meta page (0 or 1). */
int tree_meta_read(const struct tree_file *file, uint32_t which,
                   struct tree_meta *meta);
/* The state after transaction txn, while it is the newest or pinned.
 * WARP_TIMEOUT: a newer one is being written over it, begin again. */
int tree_snapshot_load(const struct tree_file *file, uint64_t txn,
                       uint64_t file_bytes, struct tree_snapshot *snapshot);

void tree_cursor_init(struct tree_cursor *c, const struct tree_file *file,
                      const struct tree_snapshot *snapshot,
                      const struct tree_root *root);
/* To the leaf that holds the key or would; the cursor may stand behind its last
 * entry. WARP_END: the tree is empty. */
int tree_descend(struct tree_cursor *c, struct ssd_slice key, bool *exact);
/* To the first entry whose key is not below `key` (bytes 0: the first one).
 * *exact: it has this key. WARP_END: there is none; the cursor then stands
 * behind the last entry, so that tree_prev() gives it. */
int tree_seek(struct tree_cursor *c, struct ssd_slice key, bool *exact);
int tree_last(struct tree_cursor *c);
int tree_next(struct tree_cursor *c);
int tree_prev(struct tree_cursor *c); /* WARP_END: stays on the first one */
int tree_node(const struct tree_cursor *c, struct tree_node *node);
/* From the page of a level to the one beside it in key order; levels below are
 * left behind. WARP_END: there is none. */
int tree_beside(struct tree_cursor *c, uint32_t level, bool left);
/* Opens the pages below a level's entry, along the first ones. */
int tree_lowest(struct tree_cursor *c, uint32_t level);
/* The key that bounds the leaf the cursor stands on; bytes 0: nothing does. */
struct ssd_slice tree_upper_bound(const struct tree_cursor *c);
/* Do the keys of the leaf lie within the bounds of all levels above? */
int tree_check_path(const struct tree_cursor *c);
/* How full a level's page is, of 1000. */
uint32_t tree_fill(const struct tree_cursor *c, uint32_t level);

/* Entries of a page that was checked; a branch's child with its key. */
uint32_t tree_entries(const uint8_t *page);
uint64_t tree_child(const struct tree_file *file, const uint8_t *page,
                    uint32_t at, struct ssd_slice *key);
int tree_leaf(const struct tree_file *file, const struct tree_snapshot *s,
              uint64_t number, uint32_t at, struct tree_node *node);

/* A page of a tree: header, nodes and order of keys. */
int tree_check_page(const struct tree_file *file,
                    const struct tree_snapshot *snapshot, uint64_t number,
                    const struct tree_root *root, bool leaf);
int tree_compare(const struct tree_root *root, struct ssd_slice a,
                 struct ssd_slice b);

/* Pages that LMDB will use again. Calls fn, if any, for each of them; a result
 * that is not 0 ends the walk. */
int tree_free_walk(const struct tree_file *file,
                   const struct tree_snapshot *snapshot, uint64_t *count,
                   int (*fn)(void *arg, uint64_t page), void *arg);

extern const char *const tree_table_name[SSD_TABLE_COUNT];

#endif
