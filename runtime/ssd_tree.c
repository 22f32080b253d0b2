/* ssd_tree.c: LMDB's pages to keys and values, every access in bounds.
 *
 * The layout is that of LMDB 0.9 (MDB_DATA_VERSION 1), in the machine's byte
 * order: a page has a header of 16 bytes {number 8, pad 2, flags 2, lower 2,
 * upper 2}, offsets of its nodes up to `lower`, nodes from `upper` on; a node
 * {lo 2, hi 2, flags 2, key bytes 2, key, value or child}. Pages of a snapshot
 * are never rewritten while a read transaction pins it. */
#include "ssd_tree.h"

#include "error.h"

#include <inttypes.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "files of the ssd tier are little-endian");

enum {
    HEADER_BYTES = 16,
    NODE_BYTES = 8,
    ROOT_BYTES = 48,
    PAGE_BRANCH = 1,
    PAGE_LEAF = 2,
    PAGE_OVERFLOW = 4,
    PAGE_META = 8,
    NODE_OVERFLOW = 1,
    NODE_TREE = 2
};
#define META_MAGIC   0xBEEFC0DEu
#define META_VERSION 1u

const char *const tree_table_name[SSD_TABLE_COUNT] = {"rows", "cold", "index",
                                                      "series", "meta"};

static uint16_t get16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

__attribute__((cold)) static int damaged(const struct tree_file *file,
                                         uint64_t page, const char *what)
{
    return error_set(WARP_ECORRUPT,
                     "%s is damaged: page %" PRIu64
                     " %s; restore a backup or run `warp verify`",
                     file->path, page, what);
}

/* ---- meta pages ---- */

static int root_decode(const struct tree_file *file, uint64_t page,
                       const uint8_t *from, struct tree_root *root)
{
    root->depth = get16(from + 6);
    root->pages = get64(from + 8) + get64(from + 16) + get64(from + 24);
    root->entries = get64(from + 32);
    root->page = get64(from + 40);
    root->numbers = false;
    if (root->page == TREE_NO_PAGE ? root->depth != 0
                                   : root->depth == 0 || root->page < 2)
        return damaged(file, page, "has a root that does not fit its depth");
    if (root->depth > TREE_DEPTH_MAX)
        return damaged(file, page, "has a tree that is too deep");
    return 0;
}

uint32_t tree_page_bytes(const uint8_t *file, uint64_t bytes)
{
    if (bytes < 2 * 512)
        return 0;
    uint32_t page = get32(file + 40);
    if (page < 512 || page > 32768 || (page & (page - 1)) != 0 ||
        bytes < 2 * (uint64_t)page)
        return 0;
    return page;
}

int tree_meta_read(const struct tree_file *file, uint32_t which,
                   struct tree_meta *meta)
{
    const uint8_t *p = file->map + (uint64_t)which * file->page_bytes;
    if (get64(p) != which || get16(p + 10) != PAGE_META ||
        get32(p + 16) != META_MAGIC)
        return damaged(file, which, "is no meta page");
    if (get32(p + 20) != META_VERSION)
        return error_set(WARP_EVERSION,
                         "%s has format %" PRIu32 ", this LMDB reads %u",
                         file->path, get32(p + 20), META_VERSION);
    meta->map_bytes = get64(p + 32);
    if (get32(p + 40) != file->page_bytes)
        return damaged(file, which, "tells another page size");
    int rc = root_decode(file, which, p + 40, &meta->free);
    if (rc == 0)
        rc = root_decode(file, which, p + 88, &meta->tables);
    meta->free.numbers = true;
    meta->last_page = get64(p + 136);
    meta->txn = get64(p + 144);
    return rc;
}

static uint64_t meta_txn(const struct tree_file *file, uint64_t which)
{
    const uint8_t *p = file->map + (which & 1) * file->page_bytes + 144;
    return atomic_load_explicit((const _Atomic uint64_t *)(const void *)p,
                                memory_order_acquire);
}

int tree_snapshot_load(const struct tree_file *file, uint64_t txn,
                       uint64_t file_bytes, struct tree_snapshot *s)
{
    struct tree_meta meta;
    int rc = tree_meta_read(file, (uint32_t)(txn & 1), &meta);
    /* The next commit but one overwrites this meta page. While the other page
     * is older than this one, that has not begun. */
    atomic_thread_fence(memory_order_acquire);
    if (meta_txn(file, txn) != txn ||
        (txn != 0 && meta_txn(file, txn + 1) > txn))
        return WARP_TIMEOUT;
    if (rc != 0)
        return rc;
    s->txn = txn;
    s->free = meta.free;
    s->tables = meta.tables;
    s->page_limit = meta.last_page + 1;
    s->page_count = file_bytes / file->page_bytes;
    if (s->page_limit < s->page_count)
        s->page_count = s->page_limit;
    for (uint32_t i = 0; i < SSD_TABLE_COUNT; i++) {
        struct tree_cursor c;
        struct tree_node node;
        struct ssd_slice name = {tree_table_name[i],
                                 strlen(tree_table_name[i])};
        bool exact = false;
        s->table[i] = (struct tree_root){.page = TREE_NO_PAGE};
        tree_cursor_init(&c, file, s, &s->tables);
        rc = tree_seek(&c, name, &exact);
        if (rc < 0)
            return rc;
        if (!exact)
            continue;
        rc = tree_node(&c, &node);
        if (rc < 0)
            return rc;
        uint64_t page = c.number[c.depth - 1];
        if (!node.is_tree || node.value.bytes != ROOT_BYTES)
            return damaged(file, page, "names a table that is none");
        const uint8_t *root = node.value.data;
        if (get16(root + 4) != 0)
            return damaged(file, page, "has a table of another kind");
        rc = root_decode(file, page, root, &s->table[i]);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- pages and nodes ---- */

static uint32_t entries_of(const uint8_t *page)
{
    return (get16(page + 12) - (uint32_t)HEADER_BYTES) / 2;
}

/* The header of a page that holds nodes; makes entries_of() and the array of
 * offsets safe to use. */
static int check_header(const struct tree_file *file, const uint8_t *p,
                        uint64_t number, bool leaf)
{
    uint32_t lower = get16(p + 12), upper = get16(p + 14);
    if (get64(p) != number)
        return damaged(file, number, "has another page's number");
    if (get16(p + 10) != (leaf ? PAGE_LEAF : PAGE_BRANCH))
        return damaged(file, number, "is of another kind");
    if (lower <= HEADER_BYTES || lower > upper || upper > file->page_bytes ||
        (lower & 1) != 0)
        return damaged(file, number, "has bounds that are not possible");
    return 0;
}

/* The node's offset in the page, or 0: its head and key are inside. */
static inline uint32_t node_offset(const struct tree_file *file,
                                   const uint8_t *page, uint32_t at)
{
    uint32_t offset = get16(page + HEADER_BYTES + 2 * at);
    if (offset < get16(page + 14) || offset > file->page_bytes - NODE_BYTES ||
        offset + NODE_BYTES + get16(page + offset + 6) > file->page_bytes)
        return 0;
    return offset;
}

static inline struct ssd_slice node_key(const uint8_t *node)
{
    return (struct ssd_slice){node + NODE_BYTES, get16(node + 6)};
}

static uint64_t node_child(const uint8_t *node)
{
    return get16(node) | (uint64_t)get16(node + 2) << 16 |
           (uint64_t)get16(node + 4) << 32;
}

int tree_compare(const struct tree_root *root, struct ssd_slice a,
                 struct ssd_slice b)
{
    if (root->numbers && a.bytes == 8 && b.bytes == 8) {
        uint64_t x = get64(a.data), y = get64(b.data);
        return x < y ? -1 : x > y;
    }
    size_t bytes = a.bytes < b.bytes ? a.bytes : b.bytes;
    int diff = bytes ? memcmp(a.data, b.data, bytes) : 0;
    if (diff != 0)
        return diff;
    return a.bytes < b.bytes ? -1 : a.bytes > b.bytes;
}

/* A leaf's node: its value, in the page or in pages of its own. */
static int leaf_node(const struct tree_file *file,
                     const struct tree_snapshot *s, const uint8_t *page,
                     uint64_t number, uint32_t at, struct tree_node *out)
{
    uint32_t offset = node_offset(file, page, at);
    if (offset == 0)
        return damaged(file, number, "has a node outside of it");
    const uint8_t *node = page + offset;
    uint32_t flags = get16(node + 4);
    uint64_t bytes = get16(node) | (uint64_t)get16(node + 2) << 16;
    uint64_t from = offset + NODE_BYTES + (uint64_t)get16(node + 6);
    out->key = node_key(node);
    out->is_tree = flags == NODE_TREE;
    out->overflow = flags == NODE_OVERFLOW;
    out->page = out->page_count = 0;
    if (flags != 0 && !out->is_tree && !out->overflow)
        return damaged(file, number, "has a node of another kind");
    if (!out->overflow) {
        if (from + bytes > file->page_bytes)
            return damaged(file, number, "has a value outside of it");
        out->value = (struct ssd_slice){page + from, (size_t)bytes};
        return 0;
    }
    if (from + 8 > file->page_bytes)
        return damaged(file, number, "has a value outside of it");
    uint64_t first = get64(page + from);
    uint64_t needed =
        (HEADER_BYTES + bytes + file->page_bytes - 1) / file->page_bytes;
    if (first < 2 || first >= s->page_count || needed > s->page_count - first)
        return damaged(file, number, "refers to a value outside of the file");
    const uint8_t *big = file->map + first * file->page_bytes;
    uint64_t count = get32(big + 12);
    if (get64(big) != first || get16(big + 10) != PAGE_OVERFLOW ||
        count < needed || count > s->page_count - first)
        return damaged(file, first, "is no page of a large value");
    out->page = first;
    out->page_count = count;
    out->value = (struct ssd_slice){big + HEADER_BYTES, (size_t)bytes};
    return 0;
}

int tree_check_page(const struct tree_file *file, const struct tree_snapshot *s,
                    uint64_t number, const struct tree_root *root, bool leaf)
{
    const uint8_t *p = file->map + number * file->page_bytes;
    int rc = check_header(file, p, number, leaf);
    if (rc != 0)
        return rc;
    uint32_t count = entries_of(p), used = 0;
    if (!leaf && count < 2 && !root->numbers)
        return damaged(file, number, "is a branch with one child");
    struct ssd_slice last = {NULL, 0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t offset = node_offset(file, p, i);
        if (offset == 0 || (offset & 1) != 0)
            return damaged(file, number, "has a node outside of it");
        struct ssd_slice key = node_key(p + offset);
        uint32_t bytes = NODE_BYTES + (uint32_t)key.bytes;
        if (leaf) {
            struct tree_node node;
            rc = leaf_node(file, s, p, number, i, &node);
            if (rc != 0)
                return rc;
            bytes += node.overflow ? 8 : (uint32_t)node.value.bytes;
        } else {
            uint64_t child = node_child(p + offset);
            if (child < 2 || child >= s->page_count || child == number)
                return damaged(file, number, "refers outside of the file");
        }
        used += (bytes + 1) & ~1u;
        if (!leaf && i == 0)
            continue; /* the first key of a branch stands for the lowest */
        if (key.bytes == 0 || key.bytes > SSD_KEY_BYTES_MAX ||
            (root->numbers && key.bytes != 8))
            return damaged(file, number, "has a key of a wrong size");
        if (last.bytes != 0 && tree_compare(root, last, key) >= 0)
            return damaged(file, number, "has keys out of order");
        last = key;
    }
    /* Nodes lie without gaps: a lost or doubled offset shows here. */
    if (used != file->page_bytes - get16(p + 14))
        return damaged(file, number, "has nodes that do not fill it");
    return 0;
}

/* A page that may be read: checked now when it is the first time. */
static int open_page(const struct tree_cursor *c, uint64_t number, bool leaf,
                     const uint8_t **page)
{
    const struct tree_file *file = c->file;
    if (number < 2 || number >= c->snapshot->page_count)
        return damaged(file, number, "is outside of the file");
    *page = file->map + number * file->page_bytes;
    if (!file->checked)
        return tree_check_page(file, c->snapshot, number, c->root, leaf);
    _Atomic uint64_t *word = &file->checked[number / 64];
    uint64_t bit = 1ull << (number % 64);
    if (atomic_load_explicit(word, memory_order_relaxed) & bit)
        return check_header(file, *page, number, leaf);
    int rc = tree_check_page(file, c->snapshot, number, c->root, leaf);
    if (rc == 0)
        atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
    return rc;
}

/* ---- cursor ---- */

void tree_cursor_init(struct tree_cursor *c, const struct tree_file *file,
                      const struct tree_snapshot *snapshot,
                      const struct tree_root *root)
{
    c->file = file;
    c->snapshot = snapshot;
    c->root = root;
    c->depth = 0;
    c->ahead = NULL;
}

/* Opens the page of a level: the root, or the child that the level above
 * stands on. */
static int open_level(struct tree_cursor *c, uint32_t level)
{
    uint64_t number = c->root->page;
    if (level > 0) {
        const uint8_t *parent = c->page[level - 1];
        uint32_t offset = node_offset(c->file, parent, c->at[level - 1]);
        if (offset == 0)
            return damaged(c->file, c->number[level - 1],
                           "has a node outside of it");
        number = node_child(parent + offset);
    }
    c->number[level] = number;
    return open_page(c, number, level + 1 == c->root->depth, &c->page[level]);
}

/* First entry of the page whose key is not below `key`; for a branch the
 * child that would hold the key. */
static int search_page(const struct tree_cursor *c, uint32_t level, bool leaf,
                       struct ssd_slice key, uint16_t *at, bool *exact)
{
    const uint8_t *page = c->page[level];
    uint32_t low = leaf ? 0 : 1, high = entries_of(page);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        uint32_t offset = node_offset(c->file, page, middle);
        if (offset == 0)
            return damaged(c->file, c->number[level],
                           "has a node outside of it");
        int diff = tree_compare(c->root, node_key(page + offset), key);
        if (diff == 0) {
            *exact = leaf;
            *at = (uint16_t)middle;
            return 0;
        }
        if (diff < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *at = (uint16_t)(leaf ? low : low - 1);
    return 0;
}

/* Do the leaf's keys lie where the path to it says? A child that is another
 * page of the tree shows here. */
int tree_check_path(const struct tree_cursor *c)
{
    uint32_t leaf = c->root->depth - 1;
    const uint8_t *page = c->page[leaf];
    uint32_t first = node_offset(c->file, page, 0);
    uint32_t last = node_offset(c->file, page, entries_of(page) - 1);
    if (first == 0 || last == 0)
        return damaged(c->file, c->number[leaf], "has a node outside of it");
    for (uint32_t level = 0; level < leaf; level++) {
        const uint8_t *up = c->page[level];
        uint32_t at = c->at[level];
        uint32_t low = at > 0 ? node_offset(c->file, up, at) : 0;
        uint32_t high =
            at + 1 < entries_of(up) ? node_offset(c->file, up, at + 1) : 0;
        if ((low != 0 && tree_compare(c->root, node_key(page + first),
                                      node_key(up + low)) < 0) ||
            (high != 0 && tree_compare(c->root, node_key(page + last),
                                       node_key(up + high)) >= 0))
            return damaged(c->file, c->number[leaf],
                           "has keys of another page");
    }
    return 0;
}

/* From `level` down along the first or last entries. */
static int descend(struct tree_cursor *c, uint32_t level, bool last)
{
    for (; level < c->root->depth; level++) {
        int rc = open_level(c, level);
        if (rc != 0)
            return rc;
        c->at[level] = last ? (uint16_t)(entries_of(c->page[level]) - 1) : 0;
        if (level + 1 == c->root->depth)
            return tree_check_path(c);
    }
    return 0;
}

int tree_descend(struct tree_cursor *c, struct ssd_slice key, bool *exact)
{
    uint32_t depth = c->root->depth;
    *exact = false;
    c->depth = 0;
    if (depth == 0)
        return WARP_END;
    for (uint32_t level = 0; level < depth; level++) {
        int rc = open_level(c, level);
        if (rc != 0)
            return rc;
        c->at[level] = 0;
        if (key.bytes != 0)
            rc = search_page(c, level, level + 1 == depth, key, &c->at[level],
                             exact);
        if (rc != 0)
            return rc;
    }
    c->depth = depth;
    return 0;
}

int tree_seek(struct tree_cursor *c, struct ssd_slice key, bool *exact)
{
    int rc = tree_descend(c, key, exact);
    if (rc != 0)
        return rc;
    uint32_t leaf = c->depth - 1;
    if (c->at[leaf] < entries_of(c->page[leaf]))
        return 0;
    c->at[leaf]--;
    return tree_next(c);
}

int tree_last(struct tree_cursor *c)
{
    c->depth = 0;
    if (c->root->depth == 0)
        return WARP_END;
    int rc = descend(c, 0, true);
    if (rc == 0)
        c->depth = c->root->depth;
    return rc;
}

/* The leaf to the right, where the same page above names it. */
static const uint8_t *leaf_ahead(const struct tree_cursor *c)
{
    uint32_t up = c->depth < 2 ? 0 : c->depth - 2;
    if (c->depth < 2 || c->at[up] + 1u >= entries_of(c->page[up]))
        return NULL;
    uint32_t offset = node_offset(c->file, c->page[up], c->at[up] + 1u);
    uint64_t number = offset ? node_child(c->page[up] + offset) : 0;
    return number < c->snapshot->page_count
               ? c->file->map + number * c->file->page_bytes
               : NULL;
}

/* A leaf is some sixty cache lines: each step fetches its share of the next
 * one's, so that none of them is waited for. */
static void prefetch_ahead(const struct tree_cursor *c, uint32_t at)
{
    uint32_t end = (at + 1) * c->ahead_step >> 16;
    for (uint32_t i = at * c->ahead_step >> 16; i < end; i++)
        __builtin_prefetch(c->ahead + 64 * (size_t)i);
}

int tree_next(struct tree_cursor *c)
{
    if (c->depth == 0)
        return WARP_END;
    uint32_t leaf = c->depth - 1, level = leaf;
    uint32_t entries = entries_of(c->page[leaf]);
    if (c->at[leaf] < entries) {
        if (c->ahead)
            prefetch_ahead(c, c->at[leaf]);
        c->at[leaf]++;
    }
    if (c->at[leaf] < entries)
        return 0;
    do {
        if (level == 0)
            return WARP_END;
        level--;
    } while (c->at[level] + 1u >= entries_of(c->page[level]));
    c->at[level]++;
    int rc = descend(c, level + 1, false);
    if (rc != 0)
        c->depth = 0;
    c->ahead = leaf_ahead(c);
    if (c->ahead)
        c->ahead_step = (c->file->page_bytes / 64 << 16) /
                        entries_of(c->page[leaf]);
    return rc;
}

int tree_prev(struct tree_cursor *c)
{
    if (c->depth == 0)
        return WARP_END;
    uint32_t level = c->depth - 1;
    while (c->at[level] == 0) {
        if (level == 0)
            return WARP_END;
        level--;
    }
    c->at[level]--;
    int rc = descend(c, level + 1, true);
    if (rc != 0)
        c->depth = 0;
    return rc;
}

int tree_node(const struct tree_cursor *c, struct tree_node *node)
{
    uint32_t leaf = c->depth - 1;
    return leaf_node(c->file, c->snapshot, c->page[leaf], c->number[leaf],
                     c->at[leaf], node);
}

int tree_beside(struct tree_cursor *c, uint32_t level, bool left)
{
    uint32_t up = level;
    do {
        if (up == 0)
            return WARP_END;
        up--;
    } while (left ? c->at[up] == 0 : c->at[up] + 1u >= entries_of(c->page[up]));
    c->at[up] = (uint16_t)(left ? c->at[up] - 1 : c->at[up] + 1);
    for (uint32_t l = up + 1; l <= level; l++) {
        int rc = open_level(c, l);
        if (rc != 0)
            return rc;
        c->at[l] = left ? (uint16_t)(entries_of(c->page[l]) - 1) : 0;
    }
    return 0;
}

int tree_lowest(struct tree_cursor *c, uint32_t level)
{
    c->at[level] = 0;
    return descend(c, level + 1, false);
}

struct ssd_slice tree_upper_bound(const struct tree_cursor *c)
{
    for (uint32_t level = c->depth - 1; level > 0; level--) {
        const uint8_t *page = c->page[level - 1];
        uint32_t next = c->at[level - 1] + 1u;
        if (next < entries_of(page)) {
            uint32_t offset = node_offset(c->file, page, next);
            if (offset != 0)
                return node_key(page + offset);
        }
    }
    return (struct ssd_slice){NULL, 0};
}

uint32_t tree_fill(const struct tree_cursor *c, uint32_t level)
{
    const uint8_t *page = c->page[level];
    uint32_t room = c->file->page_bytes - HEADER_BYTES;
    uint32_t left = (uint32_t)get16(page + 14) - get16(page + 12);
    return left < room ? (room - left) * 1000 / room : 0;
}

uint32_t tree_entries(const uint8_t *page)
{
    return entries_of(page);
}

uint64_t tree_child(const struct tree_file *file, const uint8_t *page,
                    uint32_t at, struct ssd_slice *key)
{
    uint32_t offset = node_offset(file, page, at);
    *key = node_key(page + offset);
    return node_child(page + offset);
}

int tree_leaf(const struct tree_file *file, const struct tree_snapshot *s,
              uint64_t number, uint32_t at, struct tree_node *node)
{
    return leaf_node(file, s, file->map + number * file->page_bytes, number, at,
                     node);
}

int tree_free_walk(const struct tree_file *file, const struct tree_snapshot *s,
                   uint64_t *count, int (*fn)(void *arg, uint64_t page),
                   void *arg)
{
    struct tree_cursor c;
    bool exact;
    *count = 0;
    tree_cursor_init(&c, file, s, &s->free);
    int rc = tree_seek(&c, (struct ssd_slice){NULL, 0}, &exact);
    for (; rc == 0; rc = tree_next(&c)) {
        struct tree_node node;
        rc = tree_node(&c, &node);
        if (rc != 0)
            return rc;
        /* By the transaction that gave them up a list: its length, then page
         * numbers, falling. One of transaction 0 LMDB would take twice. */
        const uint8_t *list = node.value.data;
        uint64_t at = c.number[c.depth - 1], last = s->page_limit;
        uint64_t txn = get64(node.key.data);
        uint64_t n = node.value.bytes >= 8 ? get64(list) : UINT64_MAX;
        if (txn == 0 || txn > s->txn)
            return damaged(file, at, "has a list of free pages of no commit");
        if (n > node.value.bytes / 8 - 1)
            return damaged(file, at, "has a list of free pages too long");
        for (uint64_t i = 1; i <= n; i++) {
            uint64_t page = get64(list + 8 * i);
            if (page < 2 || page >= last)
                return damaged(file, at, "lists free pages out of order");
            last = page;
            if (fn && (rc = fn(arg, page)) != 0)
                return rc;
        }
        *count += n;
    }
    return rc == WARP_END ? 0 : rc;
}
