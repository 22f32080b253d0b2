/* ssd_guard.c: which pages a change reads, and their check.
 *
 * A put reads the path to its key. A deletion may move or merge: at every level
 * LMDB reads the pages beside the path and goes down their first children. A
 * page that is nearly empty may be merged away, and then the one behind it is
 * beside: so the check goes on to each side until a page is half full, which no
 * deletion on this path can empty. Opening a page checks it (ssd_tree.c).
 *
 * The list of free pages is read in whole, and no page may be in it twice or,
 * by the count, be in use as well: LMDB would give it out while it is owned.
 * From one commit to the next begin the list and the roots are the same bytes.
 * What no check finds is a page of the file that is whole, but of an older
 * commit: the disk lost its last write. */
#include "ssd_guard.h"

#include "crc.h"
#include "error.h"
#include "os.h"
#include "ssd_check.h"
#include "ssd_env.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <warp/warp.h>

enum { HALF_FULL = 500 };

static uint64_t bits_bytes(const struct tree_file *file)
{
    return (file->map_bytes / file->page_bytes / 64 + 1) * 8;
}

int ssd_file_map(struct tree_file *file, int fd, uint64_t bytes)
{
    void *at = NULL;
    file->map_bytes = bytes;
    file->checked = os_reserve(bits_bytes(file));
    int rc = file->checked ? os_map_read(fd, bytes, &at) : -ENOMEM;
    file->map = at;
    if (rc < 0)
        ssd_file_unmap(file);
    return rc;
}

void ssd_file_unmap(struct tree_file *file)
{
    if (!file->checked)
        return;
    os_unmap((void *)(uintptr_t)file->map, file->map_bytes);
    os_unreserve((void *)(uintptr_t)file->checked, bits_bytes(file));
    file->map = NULL;
    file->checked = NULL;
}

int ssd_guard_map(struct ssd_guard *guard, const struct tree_file *file)
{
    guard->file = *file;
    guard->bits_bytes = bits_bytes(file);
    uint8_t *bits = os_reserve(2 * guard->bits_bytes);
    guard->file.checked = (_Atomic uint64_t *)(void *)bits;
    guard->listed = bits ? (uint64_t *)(void *)(bits + guard->bits_bytes)
                         : NULL;
    return bits ? 0 : -ENOMEM;
}

void ssd_guard_unmap(struct ssd_guard *guard)
{
    os_unreserve((void *)(uintptr_t)guard->file.checked,
                 2 * guard->bits_bytes);
    guard->file.map = NULL;
    guard->file.checked = NULL;
}

/* ---- roots and free pages ---- */

struct free_list {
    uint64_t *listed; /* NULL: only the checksum */
    bool twice;
    uint32_t crc;
};

static int list_page(void *arg, uint64_t page)
{
    struct free_list *list = arg;
    list->crc = crc32c(list->crc, &page, sizeof page);
    if (!list->listed)
        return 0;
    uint64_t bit = 1ull << (page % 64), *word = &list->listed[page / 64];
    list->twice = list->twice || (*word & bit);
    *word |= bit;
    return 0;
}

static int read_list(const struct ssd_guard *guard, struct free_list *list,
                     uint64_t *count)
{
    list->crc = ssd_sum_roots(&guard->snapshot);
    return tree_free_walk(&guard->file, &guard->snapshot, count, list_page,
                          list);
}

static int untrue(const struct ssd_guard *guard, uint64_t txn,
                  const char *what)
{
    return error_set(WARP_ECORRUPT,
                     "%s is damaged: transaction %" PRIu64
                     " %s; restore a backup or run `warp verify`",
                     guard->file.path, txn, what);
}

static int check_roots(struct ssd_guard *guard)
{
    const struct tree_snapshot *s = &guard->snapshot;
    struct free_list list = {.listed = guard->listed};
    uint64_t count, pages = 2 + s->free.pages + s->tables.pages;
    int rc = read_list(guard, &list, &count);
    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < SSD_TABLE_COUNT; i++)
        pages += s->table[i].pages;
    if (list.twice || pages + count > s->page_limit)
        return untrue(guard, s->txn, "has pages with two owners");
    if (guard->known &&
        (s->txn != guard->known_txn || list.crc != guard->known_crc))
        return untrue(guard, s->txn, "is read with other bytes than written");
    return 0;
}

int ssd_guard_begin(struct ssd_guard *guard, int fd, uint64_t txn)
{
    os_release((void *)(uintptr_t)guard->file.checked, 2 * guard->bits_bytes);
    for (uint32_t i = 0; i < SSD_TABLE_COUNT; i++)
        guard->range[i].known = false;
    int rc = ssd_snapshot_load(fd, &guard->file, txn, &guard->snapshot);
    if (rc == WARP_TIMEOUT)
        return untrue(guard, txn, "has no meta page");
    return rc == 0 ? check_roots(guard) : rc;
}

void ssd_guard_commit(struct ssd_guard *guard, int fd, int sum_fd,
                      uint64_t txn)
{
    struct free_list list = {.listed = NULL};
    uint64_t count;
    guard->known = false;
    if (ssd_snapshot_load(fd, &guard->file, txn, &guard->snapshot) != 0)
        return;
    guard->known = read_list(guard, &list, &count) == 0;
    guard->known_txn = guard->snapshot.txn;
    guard->known_crc = list.crc;
    if (sum_fd >= 0)
        ssd_sum_write(sum_fd, &guard->snapshot);
}

/* ---- keys ---- */

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
    tree_cursor_init(&c, &guard->file, &guard->snapshot, root);
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
