/* ssd_cursor.c: scans in key order, forward and backward.
 *
 * A cursor reads ahead a run of entries in one short read transaction, checks
 * and copies them, and gives them out; it holds no page between two calls, so
 * it may live for ever. Entries that wait for more than 100 ms are read again
 * if the table may have changed.
 * Each run begins behind the last key given out: no key comes twice, and one
 * that is there all the time is not skipped. */
#include "error.h"
#include "os.h"
#include "ssd_env.h"

#include <stdlib.h>
#include <string.h>

enum { RUN_FIRST = 8, RUN_MAX = 512, BUFFER_BYTES = 32 << 10 };
static const int64_t fresh_ns = 100 * 1000 * 1000;

struct entry {
    uint32_t key_bytes, value_bytes;
};

struct ssd_cursor {
    struct ssd *ssd;
    enum ssd_table table;
    bool reverse, started, finished;
    uint8_t *buffer;
    size_t capacity, used, at; /* of the buffer; at: next to give out */
    size_t given;              /* the entry given out last; SIZE_MAX: none */
    uint32_t run;              /* entries to read ahead next time */
    int64_t filled_ns;
    uint64_t snapshot;
    uint64_t commits; /* of the file when the run was read, at least */
    size_t from_bytes, to_bytes, last_bytes;
    uint8_t from[SSD_KEY_BYTES_MAX], to[SSD_KEY_BYTES_MAX];
    uint8_t last[SSD_KEY_BYTES_MAX]; /* given out, when a run begins */
};

int ssd_cursor_open(struct ssd *ssd, enum ssd_table table,
                    struct ssd_slice from, struct ssd_slice to, bool reverse,
                    struct ssd_cursor **out)
{
    *out = NULL;
    if (from.bytes > SSD_KEY_BYTES_MAX || to.bytes > SSD_KEY_BYTES_MAX)
        return error_set(WARP_EINVAL, "a key has at most %d bytes",
                         SSD_KEY_BYTES_MAX);
    struct ssd_cursor *c = calloc(1, sizeof *c);
    if (c)
        c->buffer = malloc(BUFFER_BYTES);
    if (!c || !c->buffer) {
        free(c);
        return error_set(WARP_ENOMEM, "no memory for a cursor");
    }
    c->ssd = ssd;
    c->table = table;
    c->reverse = reverse;
    c->capacity = BUFFER_BYTES;
    c->run = RUN_FIRST;
    c->given = SIZE_MAX;
    c->from_bytes = from.bytes;
    c->to_bytes = to.bytes;
    if (from.bytes)
        memcpy(c->from, from.data, from.bytes);
    if (to.bytes)
        memcpy(c->to, to.data, to.bytes);
    *out = c;
    return 0;
}

void ssd_cursor_close(struct ssd_cursor **handle)
{
    struct ssd_cursor *c = *handle;
    if (!c)
        return;
    *handle = NULL;
    free(c->buffer);
    free(c);
}

/* To the first entry to give out now. 0, WARP_END or an error. */
static int place(const struct ssd_cursor *c, struct tree_cursor *tree)
{
    struct ssd_slice from = {c->from, c->from_bytes};
    struct ssd_slice to = {c->to, c->to_bytes};
    struct ssd_slice last = {c->last, c->last_bytes};
    bool exact;
    if (!c->reverse) {
        int rc = tree_seek(tree, c->started ? last : from, &exact);
        if (rc == 0)
            rc = tree_check_path(tree);
        return rc == 0 && c->started && exact ? tree_next(tree) : rc;
    }
    if (!c->started && c->to_bytes == 0)
        return tree_last(tree);
    int rc = tree_seek(tree, c->started ? last : to, &exact);
    if (rc >= 0 && tree->depth > 0 && tree_check_path(tree) != 0)
        return WARP_ECORRUPT;
    return rc < 0 ? rc : tree_prev(tree);
}

static bool inside(const struct ssd_cursor *c, const struct tree_cursor *tree,
                   struct ssd_slice key)
{
    struct ssd_slice from = {c->from, c->from_bytes};
    struct ssd_slice to = {c->to, c->to_bytes};
    if (c->reverse)
        return from.bytes == 0 || tree_compare(tree->root, key, from) >= 0;
    return to.bytes == 0 || tree_compare(tree->root, key, to) < 0;
}

/* Copies the entry; WARP_TIMEOUT: it waits for the next run. */
static int keep(struct ssd_cursor *c, struct ssd_slice key,
                struct ssd_slice value)
{
    struct entry head = {(uint32_t)key.bytes, (uint32_t)value.bytes};
    size_t bytes = (sizeof head + key.bytes + value.bytes + 7) & ~(size_t)7;
    if (bytes > c->capacity - c->used) {
        if (c->used > 0)
            return WARP_TIMEOUT;
        uint8_t *larger = malloc(bytes);
        if (!larger)
            return error_set(WARP_ENOMEM, "no memory for %zu bytes", bytes);
        free(c->buffer);
        c->buffer = larger;
        c->capacity = bytes;
    }
    uint8_t *to = c->buffer + c->used;
    memcpy(to, &head, sizeof head);
    if ((const uint8_t *)key.data + key.bytes == value.data) {
        memcpy(to + sizeof head, key.data, key.bytes + value.bytes);
    } else {
        memcpy(to + sizeof head, key.data, key.bytes);
        if (value.bytes)
            memcpy(to + sizeof head + key.bytes, value.data, value.bytes);
    }
    c->used += bytes;
    return 0;
}

/* The key that the buffer gave out last, before others take its place. */
static void note_last(struct ssd_cursor *c)
{
    struct entry head;
    if (c->given == SIZE_MAX)
        return;
    memcpy(&head, c->buffer + c->given, sizeof head);
    memcpy(c->last, c->buffer + c->given + sizeof head, head.key_bytes);
    c->last_bytes = head.key_bytes;
    c->given = SIZE_MAX;
}

/* Are all entries of the leaf inside? Then none of them need be asked. */
static bool leaf_inside(const struct ssd_cursor *c,
                        const struct tree_cursor *tree)
{
    uint32_t level = tree->depth - 1;
    const uint8_t *page = tree->page[level];
    struct tree_node end;
    return tree_leaf(tree->file, tree->snapshot, tree->number[level],
                     c->reverse ? 0 : tree_entries(page) - 1, &end) == 0 &&
           inside(c, tree, end.key);
}

static int fill(struct ssd_cursor *c)
{
    struct ssd_reader *reader;
    struct tree_cursor tree;
    const uint8_t *leaf = NULL;
    bool whole = false;
    note_last(c);
    struct ssd_slice key, value, last = {c->last, c->last_bytes};
    bool any = c->started;
    c->commits = ssd_commits(c->ssd);
    int rc = ssd_reader_enter(c->ssd, &reader);
    if (rc != 0)
        return rc;
    c->used = c->at = 0;
    c->snapshot = reader->snapshot.txn;
    tree_cursor_init(&tree, ssd_tree_file(c->ssd), &reader->snapshot,
                     &reader->snapshot.table[c->table]);
    rc = place(c, &tree);
    for (uint32_t n = 0; rc == 0 && n < c->run; n++) {
        rc = ssd_entry_read(&tree, c->table, &key, &value);
        if (rc != 0)
            break;
        if (tree.page[tree.depth - 1] != leaf) {
            leaf = tree.page[tree.depth - 1];
            whole = leaf_inside(c, &tree);
        }
        if (!whole && !inside(c, &tree, key)) {
            rc = WARP_END;
            break;
        }
        int diff = any ? tree_compare(tree.root, last, key) : 0;
        if (any && (c->reverse ? diff <= 0 : diff >= 0)) {
            rc = error_set(WARP_ECORRUPT,
                           "%s is damaged: table %s has keys out of order",
                           tree.file->path, tree_table_name[c->table]);
            break;
        }
        rc = keep(c, key, value);
        if (rc != 0)
            break;
        last = key;
        any = true;
        rc = c->reverse ? tree_prev(&tree) : tree_next(&tree);
    }
    ssd_reader_leave(c->ssd, reader);
    c->finished = rc == WARP_END;
    c->filled_ns = os_mono_ns();
    if (c->run < RUN_MAX)
        c->run *= 2;
    return rc < 0 ? rc : 0;
}

bool ssd_cursor_current(const struct ssd_cursor *c)
{
    return ssd_commits(c->ssd) == c->commits;
}

uint64_t ssd_cursor_snapshot(const struct ssd_cursor *c)
{
    return c->snapshot;
}

int ssd_next(struct ssd_cursor *c, struct ssd_slice *key,
             struct ssd_slice *value)
{
    struct entry head;
    bool waited = c->at < c->used && !ssd_cursor_current(c) &&
                  os_mono_ns() - c->filled_ns > fresh_ns;
    if (c->at == c->used || waited) {
        if (c->finished && !waited)
            return WARP_END;
        int rc = fill(c);
        if (rc != 0) {
            c->used = c->at = 0;
            return rc;
        }
        if (c->used == 0)
            return WARP_END;
    }
    const uint8_t *from = c->buffer + c->at;
    memcpy(&head, from, sizeof head);
    *key = (struct ssd_slice){from + sizeof head, head.key_bytes};
    *value = (struct ssd_slice){from + sizeof head + head.key_bytes,
                                head.value_bytes};
    c->given = c->at;
    c->started = true;
    c->at += (sizeof head + key->bytes + value->bytes + 7) & ~(size_t)7;
    return 0;
}
