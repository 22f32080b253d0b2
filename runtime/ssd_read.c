/* ssd_read.c: one key's value, checked, without a copy or an allocation.
 *
 * "There is none" is checked as well: the neighbours of the key must be what
 * they were when written and stand on both sides of it, so that a damaged key
 * or branch does not hide an entry. */
#include "crc.h"
#include "error.h"
#include "os.h"
#include "ssd_env.h"

#include <inttypes.h>
#include <string.h>

/* A larger neighbour's checksum costs more than a miss should. */
enum { NEIGHBOUR_BYTES_MAX = 64 << 10 };

uint32_t ssd_value_crc(enum ssd_table table, struct ssd_slice key,
                       const void *value, size_t bytes)
{
    uint8_t head[4] = {(uint8_t)table, 0, (uint8_t)key.bytes,
                       (uint8_t)(key.bytes >> 8)};
    uint32_t crc = crc32c(0, head, sizeof head);
    /* In a leaf the value follows its key. */
    if ((const uint8_t *)key.data + key.bytes == value)
        return crc32c(crc, key.data, key.bytes + bytes);
    crc = crc32c(crc, key.data, key.bytes);
    return crc32c(crc, value, bytes);
}

/* A key as people can find it again: as text, or the bytes in hexadecimal. */
static void key_text(struct ssd_slice key, char *to, size_t bytes)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = key.data;
    size_t n = 0;
    for (size_t i = 0; i < key.bytes && n + 8 < bytes; i++) {
        if (from[i] > ' ' && from[i] < 127 && from[i] != '\\') {
            to[n++] = (char)from[i];
            continue;
        }
        to[n++] = '\\';
        to[n++] = 'x';
        to[n++] = digits[from[i] >> 4];
        to[n++] = digits[from[i] & 15];
    }
    to[n] = 0;
}

__attribute__((cold)) static int damaged(const struct tree_file *file,
                                         uint64_t page, enum ssd_table table,
                                         struct ssd_slice key, const char *what)
{
    char text[200];
    key_text(key, text, sizeof text);
    return error_set(WARP_ECORRUPT,
                     "%s is damaged: table %s, key %s, page %" PRIu64
                     " %s; restore a backup or run `warp verify`",
                     file->path, tree_table_name[table], text, page, what);
}

int ssd_snapshot_load(int fd, const struct tree_file *file, uint64_t txn,
                      struct tree_snapshot *snapshot)
{
    uint64_t bytes;
    int rc = os_size(fd, &bytes);
    if (rc < 0)
        return error_os(rc, "size of", file->path);
    if (bytes > file->map_bytes)
        bytes = file->map_bytes;
    return tree_snapshot_load(file, txn, bytes, snapshot);
}

int ssd_node_check(const struct tree_file *file, uint64_t page,
                   enum ssd_table table, struct tree_node *node)
{
    uint32_t crc;
    if (node->is_tree || node->value.bytes < SSD_CRC_BYTES)
        return damaged(file, page, table, node->key, "has a value too short");
    node->value.bytes -= SSD_CRC_BYTES;
    memcpy(&crc, (const uint8_t *)node->value.data + node->value.bytes,
           SSD_CRC_BYTES);
    if (crc !=
        ssd_value_crc(table, node->key, node->value.data, node->value.bytes))
        return damaged(file, page, table, node->key, "has a wrong checksum");
    return 0;
}

static int check_entry(const struct tree_cursor *c, enum ssd_table table,
                       struct tree_node *node)
{
    return ssd_node_check(c->file, c->number[c->depth - 1], table, node);
}

int ssd_entry_read(const struct tree_cursor *c, enum ssd_table table,
                   struct ssd_slice *key, struct ssd_slice *value)
{
    struct tree_node node;
    int rc = tree_node(c, &node);
    if (rc == 0)
        rc = check_entry(c, table, &node);
    if (rc != 0)
        return rc;
    *key = node.key;
    *value = node.value;
    return 0;
}

/* side: -1 the entry must be below the key, 1 above it. */
static int check_neighbour(const struct tree_cursor *c, enum ssd_table table,
                           struct ssd_slice key, int side)
{
    struct tree_node node;
    int rc = tree_node(c, &node);
    if (rc != 0)
        return rc;
    int diff = tree_compare(c->root, node.key, key);
    if (diff == 0 || (diff < 0) != (side < 0))
        return damaged(c->file, c->number[c->depth - 1], table, key,
                       "is not where the key would be");
    if (node.value.bytes > NEIGHBOUR_BYTES_MAX)
        return 0;
    return check_entry(c, table, &node);
}

/* rc: what the seek gave, 0 or WARP_END. */
static int check_absent(struct tree_cursor *c, enum ssd_table table,
                        struct ssd_slice key, int rc)
{
    if (c->depth > 0 && tree_check_path(c) != 0)
        return WARP_ECORRUPT;
    if (rc == 0)
        rc = check_neighbour(c, table, key, 1);
    if (rc < 0)
        return rc;
    rc = tree_prev(c);
    if (rc == 0)
        rc = check_neighbour(c, table, key, -1);
    return rc < 0 ? rc : WARP_ENOTFOUND;
}

int ssd_get(struct ssd *ssd, enum ssd_table table, struct ssd_slice key,
            ssd_read_fn *fn, void *arg)
{
    struct ssd_reader *reader;
    struct tree_cursor c;
    struct tree_node node;
    bool exact;
    if (key.bytes == 0 || key.bytes > SSD_KEY_BYTES_MAX)
        return error_set(WARP_EINVAL, "a key has 1 to %d bytes",
                         SSD_KEY_BYTES_MAX);
    int rc = ssd_reader_enter(ssd, &reader);
    if (rc != 0)
        return rc;
    tree_cursor_init(&c, ssd_tree_file(ssd), &reader->snapshot,
                     &reader->snapshot.table[table]);
    rc = tree_seek(&c, key, &exact);
    if (rc >= 0 && !exact) {
        rc = check_absent(&c, table, key, rc);
    } else if (rc == 0) {
        rc = tree_node(&c, &node);
        if (rc == 0)
            rc = check_entry(&c, table, &node);
        if (rc == 0)
            rc = fn(arg, node.value);
    }
    ssd_reader_leave(ssd, reader);
    return rc;
}

int ssd_count(struct ssd *ssd, enum ssd_table table, uint64_t *count)
{
    struct ssd_reader *reader;
    *count = 0;
    int rc = ssd_reader_enter(ssd, &reader);
    if (rc != 0)
        return rc;
    *count = reader->snapshot.table[table].entries;
    ssd_reader_leave(ssd, reader);
    return 0;
}
