/* ssd_check.c: the file of the ssd tier, checked before LMDB sees it.
 *
 * LMDB has no checksums and trusts its file. What is affordable when:
 *   at open     the meta pages, the roots against data.sum, the whole list of
 *               free pages, the tree of the tables: what LMDB reads without
 *               being asked for a key. And that no page has two owners, or is
 *               in use and listed as free: by all pages of a file up to 64 MiB,
 *               by the branches up to 16 GiB. A restore checks in full
 *   at a read   each page of the path when it is first used since the open
 *               (header, nodes, order of keys: a bit for each page remembers
 *               it), bounds at every use, the value's checksum (ssd_tree.c)
 *   at a write  the pages that LMDB will read for it, in each transaction anew;
 *               the roots and the list of free pages at its begin (ssd_guard.c)
 *   in full     all pages and values: each page has one owner, the keys of a
 *               child lie within its parent's, the counts agree.
 * So a damaged page costs its own keys, never the process. */
#include "ssd_check.h"

#include "error.h"
#include "os.h"
#include "ssd_env.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t pages_bytes_max = 64ull << 20;
static const uint64_t branches_bytes_max = 16ull << 30;

struct check {
    const struct tree_file *file;
    const struct tree_snapshot *snapshot;
    const struct tree_root *root;
    int table;      /* -1: one of LMDB's own trees */
    uint64_t *used; /* a bit for each page */
    uint64_t entries, bad_count;
    enum ssd_check_depth depth;
    bool conflict;
    ssd_bad_fn *bad;
    void *arg;
};

__attribute__((format(printf, 3, 4))) static int
damaged(const struct tree_file *file, uint64_t page, const char *format, ...)
{
    char what[160];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return error_set(WARP_ECORRUPT,
                     "%s is damaged: page %" PRIu64
                     " %s; restore a backup or run `warp verify`",
                     file->path, page, what);
}

/* ---- meta pages ---- */

/* Commits write the two meta pages in turn, so that their numbers follow each
 * other; a new file has the same in both. */
static int check_turns(const struct tree_file *file,
                       const struct tree_meta meta[2], uint64_t file_bytes)
{
    const struct tree_meta *old = &meta[meta[0].txn > meta[1].txn];
    const struct tree_meta *new = &meta[meta[0].txn < meta[1].txn];
    uint64_t which = meta[0].txn < meta[1].txn;
    bool fresh = meta[0].txn == meta[1].txn && meta[0].txn <= 1;
    if (!fresh && (new->txn != old->txn + 1 || (new->txn & 1) != which))
        return damaged(file, which, "does not follow the other meta page");
    if (new->last_page < old->last_page)
        return damaged(file, which, "has lost pages");
    if (new->map_bytes < file->page_bytes || new->map_bytes > 1ull << 47 ||
        new->last_page >= new->map_bytes / file->page_bytes)
        return damaged(file, which, "tells more pages than the map has");
    if (new->tables.page !=
        TREE_NO_PAGE &&new->tables.page >= file_bytes / file->page_bytes)
        return damaged(file, which, "has a root outside of the file");
    if (new->free.page !=
        TREE_NO_PAGE &&new->free.page >= file_bytes / file->page_bytes)
        return damaged(file, which, "has a root outside of the file");
    return 0;
}

int ssd_check_meta(const struct tree_file *file, uint64_t file_bytes,
                   struct tree_snapshot *snapshot)
{
    struct tree_meta meta[2];
    uint64_t count;
    int rc = tree_meta_read(file, 0, &meta[0]);
    if (rc == 0)
        rc = tree_meta_read(file, 1, &meta[1]);
    if (rc == 0)
        rc = check_turns(file, meta, file_bytes);
    if (rc != 0)
        return rc;
    uint64_t newest = meta[meta[0].txn < meta[1].txn].txn;
    /* LMDB reads a fresh file by its first page. */
    rc = tree_snapshot_load(file, newest, file_bytes, snapshot);
    if (rc == WARP_TIMEOUT)
        rc = damaged(file, newest & 1, "does not follow the other meta page");
    if (rc == 0)
        rc = tree_free_walk(file, snapshot, &count, NULL, NULL);
    return rc;
}

/* ---- the full walk ---- */

static void tell(struct check *c)
{
    c->bad_count++;
    if (c->bad)
        c->bad(c->arg, error_text());
}

/* Each page has one owner. */
static int claim(struct check *c, uint64_t page, uint64_t count)
{
    for (; count > 0; page++, count--) {
        if (page < 2 || page >= c->snapshot->page_limit)
            return damaged(c->file, page, "is outside of the file");
        uint64_t bit = 1ull << (page % 64);
        if (c->used[page / 64] & bit) {
            c->conflict = true;
            return damaged(c->file, page, "is used twice");
        }
        c->used[page / 64] |= bit;
    }
    return 0;
}

static int claim_free(void *arg, uint64_t page)
{
    struct check *c = arg;
    if (claim(c, page, 1) != 0)
        tell(c);
    return 0;
}

/* low and high: the range that the parent gives; bytes 0: open. */
static int check_range(const struct check *c, uint64_t page,
                       struct ssd_slice key, struct ssd_slice low,
                       struct ssd_slice high)
{
    if ((low.bytes && tree_compare(c->root, key, low) < 0) ||
        (high.bytes && tree_compare(c->root, key, high) >= 0))
        return damaged(c->file, page, "has keys of another page");
    return 0;
}

static void walk_leaf(struct check *c, uint64_t number, struct ssd_slice low,
                      struct ssd_slice high)
{
    const uint8_t *page = c->file->map + number * c->file->page_bytes;
    for (uint32_t i = 0; i < tree_entries(page); i++) {
        struct tree_node node;
        int rc = tree_leaf(c->file, c->snapshot, number, i, &node);
        c->entries++;
        if (rc == 0)
            rc = check_range(c, number, node.key, low, high);
        if (rc == 0 && node.overflow)
            rc = claim(c, node.page, node.page_count);
        if (rc == 0 && c->table >= 0 && c->depth == SSD_CHECK_VALUES)
            rc = ssd_node_check(c->file, number, (enum ssd_table)c->table,
                                &node);
        if (rc != 0)
            tell(c);
    }
}

static void walk(struct check *c, uint64_t number, uint32_t level,
                 struct ssd_slice low, struct ssd_slice high)
{
    bool leaf = level + 1 == c->root->depth;
    int rc = claim(c, number, 1);
    if (rc == 0 && leaf && c->depth == SSD_CHECK_BRANCHES)
        return;
    if (rc == 0 && number >= c->snapshot->page_count)
        rc = damaged(c->file, number, "is behind the end of the file");
    if (rc == 0)
        rc = tree_check_page(c->file, c->snapshot, number, c->root, leaf);
    if (rc != 0) {
        tell(c);
        return;
    }
    if (leaf) {
        walk_leaf(c, number, low, high);
        return;
    }
    const uint8_t *page = c->file->map + number * c->file->page_bytes;
    uint32_t count = tree_entries(page);
    for (uint32_t i = 0; i < count; i++) {
        struct ssd_slice from, to = high;
        uint64_t child = tree_child(c->file, page, i, &from);
        if (i == 0)
            from = low;
        else if (check_range(c, number, from, low, high) != 0)
            tell(c);
        if (i + 1 < count)
            tree_child(c->file, page, i + 1, &to);
        walk(c, child, level + 1, from, to);
    }
}

static void walk_tree(struct check *c, const struct tree_root *root, int table)
{
    struct ssd_slice open = {NULL, 0};
    uint64_t before = c->bad_count;
    c->root = root;
    c->table = table;
    c->entries = 0;
    if (root->depth > 0)
        walk(c, root->page, 0, open, open);
    if (c->bad_count == before && c->depth != SSD_CHECK_BRANCHES &&
        c->entries != root->entries) {
        damaged(c->file, root->page,
                "begins a tree of %" PRIu64 " entries that says %" PRIu64,
                c->entries, root->entries);
        tell(c);
    }
}

int ssd_check_pages(const struct tree_file *file,
                    const struct tree_snapshot *snapshot,
                    enum ssd_check_depth depth, ssd_bad_fn *bad, void *arg,
                    bool *conflict)
{
    struct check c = {.file = file,
                      .snapshot = snapshot,
                      .depth = depth,
                      .bad = bad,
                      .arg = arg};
    size_t bytes = (snapshot->page_limit / 64 + 1) * 8;
    uint64_t count;
    c.used = os_reserve(bytes);
    if (!c.used)
        return error_set(WARP_ENOMEM, "no memory to check %s", file->path);
    walk_tree(&c, &snapshot->free, -1);
    walk_tree(&c, &snapshot->tables, -1);
    for (int i = 0; i < SSD_TABLE_COUNT; i++)
        walk_tree(&c, &snapshot->table[i], i);
    if (tree_free_walk(file, snapshot, &count, claim_free, &c) != 0)
        tell(&c);
    os_unreserve(c.used, bytes);
    if (conflict)
        *conflict = c.conflict;
    return c.bad_count ? WARP_ECORRUPT : 0;
}

/* ---- a file ---- */

/* What costs little before each use. A page that is damaged costs its own keys
 * when they are read; a page with two owners would cost others'. */
static int check_owners(const struct tree_file *file,
                        const struct tree_snapshot *snapshot, ssd_bad_fn *bad,
                        void *arg)
{
    bool conflict = false;
    uint64_t bytes = snapshot->page_count * file->page_bytes;
    if (bytes > branches_bytes_max)
        return 0;
    int rc = ssd_check_pages(file, snapshot,
                             bytes > pages_bytes_max ? SSD_CHECK_BRANCHES
                                                     : SSD_CHECK_PAGES,
                             bad, arg, &conflict);
    return rc == WARP_ECORRUPT && !conflict ? 0 : rc;
}

int ssd_check_file(const char *dir, bool full,
                   void (*bad)(void *arg, const char *text), void *arg)
{
    char path[4096];
    struct tree_file file = {.path = path};
    struct tree_snapshot snapshot;
    void *map = NULL;
    uint64_t bytes = 0;
    int n = snprintf(path, sizeof path, "%s/data.mdb", dir);
    if (n >= (int)sizeof path)
        return error_set(WARP_EINVAL, "the path is too long: %s", dir);
    int fd = os_open(path, OS_READ);
    if (fd == -ENOENT)
        return WARP_ENOTFOUND;
    int rc = fd < 0 ? fd : os_size(fd, &bytes);
    if (rc == 0 && bytes > 0)
        rc = os_map_read(fd, bytes, &map);
    os_close(fd);
    if (rc < 0)
        return error_os(rc, "read", path);
    file.map = map;
    file.map_bytes = bytes;
    file.page_bytes = map ? tree_page_bytes(map, bytes) : 0;
    if (file.page_bytes == 0)
        rc = damaged(&file, 0, "is no meta page");
    if (rc == 0)
        rc = ssd_check_meta(&file, bytes, &snapshot);
    if (rc == 0)
        rc = ssd_sum_check(dir, &file, &snapshot);
    if (rc != 0 && bad)
        bad(arg, error_text());
    if (rc == 0 && full)
        rc =
            ssd_check_pages(&file, &snapshot, SSD_CHECK_VALUES, bad, arg, NULL);
    else if (rc == 0)
        rc = check_owners(&file, &snapshot, bad, arg);
    os_unmap(map, bytes);
    return rc;
}

int ssd_verify(struct ssd *ssd, void (*bad)(void *arg, const char *text),
               void *arg)
{
    struct ssd_reader *reader;
    int rc = ssd_reader_enter(ssd, &reader);
    if (rc != 0)
        return rc;
    rc = ssd_check_pages(ssd_tree_file(ssd), &reader->snapshot,
                         SSD_CHECK_VALUES, bad, arg, NULL);
    ssd_reader_leave(ssd, reader);
    return rc;
}

int ssd_stat(struct ssd *ssd, struct ssd_stat *stat)
{
    const struct tree_file *file = ssd_tree_file(ssd);
    struct ssd_reader *reader;
    uint64_t pages = 0;
    int rc = ssd_file_bytes(ssd, &stat->file_bytes);
    if (rc == 0)
        rc = ssd_reader_enter(ssd, &reader);
    if (rc != 0)
        return rc;
    rc = tree_free_walk(file, &reader->snapshot, &pages, NULL, NULL);
    stat->map_bytes = file->map_bytes;
    stat->free_bytes = pages * file->page_bytes;
    stat->used_bytes =
        (reader->snapshot.page_count - pages) * file->page_bytes;
    ssd_reader_leave(ssd, reader);
    return rc;
}
