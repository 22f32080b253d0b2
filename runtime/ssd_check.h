/* ssd_check.h: is the whole file of the ssd tier what LMDB may read? */
#ifndef WARP_SSD_CHECK_H
#define WARP_SSD_CHECK_H

#include "ssd_tree.h"

typedef void ssd_bad_fn(void *arg, const char *text);

/* Meta pages, the list of free pages and the tree of tables. */
int ssd_check_meta(const struct tree_file *file, uint64_t file_bytes,
                   struct tree_snapshot *snapshot);
enum ssd_check_depth {
    SSD_CHECK_BRANCHES, /* without the leaves */
    SSD_CHECK_PAGES,    /* without the values' checksums */
    SSD_CHECK_VALUES
};
/* The trees of a snapshot; calls bad for each damage. WARP_ECORRUPT when there
 * was one; *conflict, which may be NULL: a page has two owners, so that a write
 * could destroy what it does not know. */
int ssd_check_pages(const struct tree_file *file,
                    const struct tree_snapshot *snapshot,
                    enum ssd_check_depth depth, ssd_bad_fn *bad, void *arg,
                    bool *conflict);

/* ---- ssd_sum.c ---- */
uint32_t ssd_sum_roots(const struct tree_snapshot *snapshot);
int ssd_sum_open(const char *dir); /* a file, or -errno */
/* After a commit: remembers its roots in data.sum, open as fd. */
void ssd_sum_write(int fd, const struct tree_snapshot *snapshot);
/* WARP_ECORRUPT: data.sum knows this transaction with other roots. */
int ssd_sum_check(const char *dir, const struct tree_file *file,
                  const struct tree_snapshot *snapshot);

#endif
