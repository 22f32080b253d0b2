/* ssd_check.h: is the whole file of the ssd tier what LMDB may read? */
#ifndef WARP_SSD_CHECK_H
#define WARP_SSD_CHECK_H

#include "ssd_tree.h"

typedef void ssd_bad_fn(void *arg, const char *text);

/* Meta pages, the list of free pages and the tree of tables. */
int ssd_check_meta(const struct tree_file *file, uint64_t file_bytes,
                   struct tree_snapshot *snapshot);
/* Every page of a snapshot and every value; calls bad for each damage.
 * WARP_ECORRUPT when there was one. */
int ssd_check_pages(const struct tree_file *file,
                    const struct tree_snapshot *snapshot, ssd_bad_fn *bad,
                    void *arg);

#endif
