/* ssd_guard.c: which pages a change reads, and their check.
 *
 * A put reads the path to its key. A deletion may move or merge: at every level
 * LMDB reads the pages beside the path and goes down their first children. A
 * page that is nearly empty may be merged away, and then the one behind it is
 * beside: so the check goes on to each side until a page is half full, which no
 * deletion on this path can empty. Opening a page checks it (ssd_tree.c). */
#include "ssd_guard.h"

#include <string.h>
#include <warp/warp.h>

enum { HALF_FULL = 500 };

void ssd_guard_begin(struct ssd_guard *guard, const struct tree_file *file)
{
    guard->file = file;
    for (uint32_t i = 0; i < SSD_TABLE_COUNT; i++)
        guard->range[i].known = false;
}

static int check_sides(const struct tree_cursor *path, uint32_t level)
{
    for (int left = 0; left < 2; left++) {
        struct tree_cursor c = *path;
        struct tree_cursor down = *path;
        int rc = tree_lowest(&down, level);
        while (rc == 0 && (rc = tree_beside(&c, level, left)) == 0) {
            down = c;
            rc = tree_lowest(&down, level);
            if (rc == 0 && tree_fill(&c, level) >= HALF_FULL)
                break;
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

static bool covers(const struct ssd_guarded *range,
                   const struct tree_root *root, struct ssd_slice key,
                   bool deletes)
{
    struct ssd_slice from = {range->from, range->from_bytes};
    struct ssd_slice to = {range->to, range->to_bytes};
    return range->known && (range->deletes || !deletes) &&
           tree_compare(root, key, from) >= 0 &&
           (to.bytes == 0 || tree_compare(root, key, to) < 0);
}

int ssd_guard_key(struct ssd_guard *guard, enum ssd_table table,
                  struct ssd_slice key, bool deletes)
{
    const struct tree_root *root = &guard->snapshot.table[table];
    struct ssd_guarded *range = &guard->range[table];
    struct tree_cursor c;
    bool exact;
    if (covers(range, root, key, deletes))
        return 0;
    range->known = false;
    tree_cursor_init(&c, guard->file, &guard->snapshot, root);
    if (root->depth == 0)
        return 0;
    int rc = tree_descend(&c, key, &exact);
    if (rc < 0)
        return rc;
    rc = tree_check_path(&c);
    if (rc != 0)
        return rc;
    if (deletes)
        for (uint32_t level = 0; level < c.depth; level++) {
            rc = check_sides(&c, level);
            if (rc != 0)
                return rc;
        }
    struct ssd_slice to = tree_upper_bound(&c);
    if (to.bytes > SSD_KEY_BYTES_MAX)
        return 0;
    range->known = true;
    range->deletes = deletes;
    range->from_bytes = (uint32_t)key.bytes;
    range->to_bytes = (uint32_t)to.bytes;
    if (key.bytes)
        memcpy(range->from, key.data, key.bytes);
    if (to.bytes)
        memcpy(range->to, to.data, to.bytes);
    return 0;
}
