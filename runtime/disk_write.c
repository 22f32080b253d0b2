/* disk_write.c: values to blocks, blocks to segments, and what a failure takes
 * back.
 *
 * A block is compressed and written when it is large enough or at a sync; until
 * then readers find its values in memory. Nothing counts before disk_sync(), so
 * a write that fails leaves no trace: disk_rollback() cuts the segments at
 * their last sync. A segment with an EIO is not written again. */
#include "disk_store.h"

#include "error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <warp/gen.h>

enum { VALUE_BYTES_MAX = (1 << 28) - 1 }; /* what a place can say */

static int write_failed(struct disk *disk, uint32_t number, int negative)
{
    char path[DISK_PATH_BYTES];
    disk_path(disk, number, path);
    int rc = error_os(negative, "write", path);
    if (rc != WARP_ENOSPC && rc != WARP_ENOMEM)
        disk->failed = rc;
    return rc;
}

static int ensure_buffer(struct disk *disk, size_t bytes)
{
    if (bytes <= disk->buffer_bytes)
        return 0;
    free(disk->buffer);
    disk->buffer = malloc(bytes);
    disk->buffer_bytes = disk->buffer ? bytes : 0;
    return disk->buffer
               ? 0
               : error_set(WARP_ENOMEM, "no memory for a block of %zu bytes",
                           bytes);
}

/* ---- segments ---- */

static int create(struct disk *disk, uint32_t level, struct disk_writer *w)
{
    char path[DISK_PATH_BYTES];
    uint8_t header[SEGMENT_HEADER_BYTES];
    uint32_t number = disk->number + 1;
    struct disk_segment *s;
    if (number >= DISK_ARCHIVED)
        return error_set(WARP_ELIMIT, "%s has no segment numbers left",
                         disk->dir);
    uint8_t *raw = malloc(DISK_BLOCK_MAX);
    if (!raw)
        return error_set(WARP_ENOMEM, "no memory for a block");
    disk_path(disk, number, path);
    segment_header_encode(number, level + 1, header);
    int fd = os_open(path, OS_READ | OS_WRITE | OS_CREATE | OS_EXCL);
    int rc = fd < 0 ? fd : os_pwrite(fd, header, sizeof header, 0);
    if (rc < 0)
        rc = write_failed(disk, number, rc);
    else
        rc = disk_segment_add(disk, number, fd, &s);
    if (rc != 0) {
        free(raw);
        if (fd >= 0) {
            os_close(fd);
            os_unlink(path);
        }
        return rc;
    }
    s->compression = level + 1;
    s->open = true;
    s->raw = raw;
    s->raw_unit = SEGMENT_HEADER_BYTES / SEGMENT_UNIT_BYTES;
    atomic_store(&s->file_bytes, SEGMENT_HEADER_BYTES);
    atomic_store(&s->end, SEGMENT_HEADER_BYTES);
    disk->number = number;
    disk->new_files = true;
    w->segment = s;
    w->end = w->synced_end = SEGMENT_HEADER_BYTES;
    w->raw_entries = 0;
    segment_index_clear(&w->index);
    return 0;
}

static void close_segment(struct disk_segment *s)
{
    os_lock(&s->lock);
    s->open = false;
    free(s->raw);
    s->raw = NULL;
    s->raw_used = 0;
    os_unlock(&s->lock);
}

static int write_footer(struct disk *disk, struct disk_segment *s,
                        const struct segment_index *index, uint64_t at)
{
    uint8_t *footer;
    size_t bytes;
    int rc = segment_footer_encode(index, s->number, at, &footer, &bytes);
    if (rc != 0)
        return rc;
    rc = os_pwrite(s->fd, footer, bytes, at);
    free(footer);
    if (rc < 0)
        return write_failed(disk, s->number, rc);
    atomic_store(&s->file_bytes, at + bytes);
    s->sealed = true;
    return 0;
}

/* The writer's segment is full: footer, and on the list for the next sync. */
static int seal(struct disk *disk, struct disk_writer *w)
{
    if (disk->sealed_count == disk->sealed_capacity) {
        uint32_t capacity = disk->sealed_capacity * 2 + 8;
        void *grown = realloc(disk->sealed, capacity * sizeof disk->sealed[0]);
        if (!grown)
            return error_set(WARP_ENOMEM, "no memory for a list of segments");
        disk->sealed = grown;
        disk->sealed_capacity = capacity;
    }
    int rc = write_footer(disk, w->segment, &w->index, w->end);
    if (rc != 0)
        return rc;
    close_segment(w->segment);
    disk->sealed[disk->sealed_count++] =
        (struct disk_sealed){w->segment, w->synced_end};
    w->segment = NULL;
    return 0;
}

/* After an open: goes on with a segment that is whole, seals another one so
 * that its last bytes are known to be no block. */
int disk_resume(struct disk *disk, struct disk_segment *s)
{
    struct segment_file file = disk_file(disk, s);
    struct segment_index index = {0};
    struct disk_writer *w = NULL;
    uint64_t end = 0, gaps = 0;
    int rc = segment_scan(&file, &index, &end, &gaps);
    if (rc != 0)
        goto out;
    atomic_store(&s->raw_bytes, index.raw_bytes);
    atomic_store(&s->stored_bytes, index.stored_bytes);
    if (disk->read_only)
        goto out;
    if (s->compression - 1 < DISK_LEVELS)
        w = &disk->writer[s->compression - 1];
    if (w && !w->segment && gaps == 0 && end < disk->segment_bytes &&
        (s->raw = malloc(DISK_BLOCK_MAX)) != NULL) {
        s->open = true;
        s->raw_unit = (uint32_t)(end / SEGMENT_UNIT_BYTES);
        s->raw_synced = index.raw_bytes;
        s->stored_synced = index.stored_bytes;
        atomic_fetch_add(&s->refs, 1);
        w->segment = s;
        w->end = w->synced_end = end;
        segment_index_free(&w->index);
        w->index = index;
        return 0;
    }
    end = (file.bytes + SEGMENT_UNIT_BYTES - 1) / SEGMENT_UNIT_BYTES *
          SEGMENT_UNIT_BYTES;
    rc = write_footer(disk, s, &index, end);
    if (rc == 0 && (rc = os_fdatasync(s->fd)) < 0)
        rc = write_failed(disk, s->number, rc);
out:
    segment_index_free(&index);
    /* Its values can be read without a footer. */
    if (rc != 0 && rc != WARP_ENOMEM) {
        disk_event(disk, rc, error_text());
        disk->failed = 0;
        rc = 0;
    }
    return rc;
}

/* ---- blocks ---- */

/* Blocks end at `end` now; the next one begins there. */
static void publish(struct disk_writer *w, uint64_t end)
{
    struct disk_segment *s = w->segment;
    w->end = end;
    w->raw_entries = 0;
    os_lock(&s->lock);
    atomic_store_explicit(&s->end, end, memory_order_release);
    s->raw_unit = (uint32_t)(end / SEGMENT_UNIT_BYTES);
    s->raw_used = 0;
    os_unlock(&s->lock);
}

static int write_block(struct disk *disk, struct disk_writer *w,
                       const uint8_t *raw, uint32_t raw_bytes, uint32_t entries)
{
    struct disk_segment *s = w->segment;
    struct segment_block block = {.unit =
                                      (uint32_t)(w->end / SEGMENT_UNIT_BYTES),
                                  .raw_bytes = raw_bytes,
                                  .entry_count = entries};
    size_t stored;
    int rc = ensure_buffer(disk, segment_block_span(raw_bytes));
    if (rc != 0)
        return rc;
    uint8_t *to = disk->buffer;
    block.codec =
        (uint32_t)compress_block(disk->compress, (int)s->compression, raw,
                                 raw_bytes, to + SEGMENT_BLOCK_BYTES, &stored);
    block.stored_bytes = (uint32_t)stored;
    uint64_t span = segment_block_span(block.stored_bytes);
    segment_block_encode(s->number, &block, to + SEGMENT_BLOCK_BYTES, to);
    memset(to + SEGMENT_BLOCK_BYTES + stored, 0,
           span - SEGMENT_BLOCK_BYTES - stored);
    rc = segment_index_add(&w->index, &block);
    if (rc != 0)
        return rc;
    rc = os_pwrite(s->fd, to, span, w->end);
    if (rc < 0) {
        segment_index_cut(&w->index, block.unit);
        return write_failed(disk, s->number, rc);
    }
    if (w->end + span > atomic_load(&s->file_bytes))
        atomic_store(&s->file_bytes, w->end + span);
    atomic_fetch_add(&s->raw_bytes, raw_bytes);
    atomic_fetch_add(&s->stored_bytes, stored);
    publish(w, w->end + span);
    return 0;
}

/* A segment ends when it is large enough, or earlier when half of it is dead:
 * only a sealed one can be emptied. */
static bool is_full(const struct disk *disk, const struct disk_writer *w)
{
    enum { EARLY_BYTES = 8 << 20 };
    struct disk_segment *s = w->segment;
    if (w->end >= disk->segment_bytes)
        return true;
    if (w->end < EARLY_BYTES || !disk->recounted)
        return false;
    int64_t live = atomic_load(&s->live);
    return live < (int64_t)(atomic_load(&s->raw_bytes) / 2);
}

static int close_block(struct disk *disk, struct disk_writer *w)
{
    struct disk_segment *s = w->segment;
    if (!s || s->raw_used == 0)
        return 0;
    int rc = write_block(disk, w, s->raw, s->raw_used, w->raw_entries);
    if (rc != 0 || !is_full(disk, w))
        return rc;
    rc = seal(disk, w);
    /* The block is there; the footer can wait for room. */
    return disk->failed ? rc : 0;
}

static void count(struct disk_writer *w, const struct segment_entry *entry)
{
    int64_t bytes = (int64_t)entry->value_bytes + SEGMENT_ENTRY_BYTES;
    segment_index_note(&w->index, entry);
    atomic_fetch_add(&w->segment->live, bytes);
    w->segment->live_unsynced += bytes;
}

static int append_large(struct disk *disk, struct disk_writer *w,
                        struct segment_entry *entry, struct disk_place *place)
{
    struct disk_segment *s = w->segment;
    uint32_t bytes =
        segment_entry_bytes(entry->owner_bytes, entry->value_bytes);
    uint8_t *raw = malloc(bytes);
    if (!raw)
        return error_set(WARP_ENOMEM, "no memory for a block of %u bytes",
                         bytes);
    segment_entry_encode(entry, raw);
    *place =
        (struct disk_place){s->number, (uint32_t)(w->end / SEGMENT_UNIT_BYTES),
                            SEGMENT_ENTRY_BYTES, entry->value_bytes, 0};
    int rc = write_block(disk, w, raw, bytes, 1);
    free(raw);
    if (rc != 0)
        return rc;
    count(w, entry);
    if (is_full(disk, w))
        rc = seal(disk, w);
    return disk->failed ? rc : 0;
}

static int append_small(struct disk *disk, struct disk_writer *w,
                        struct segment_entry *entry, struct disk_place *place)
{
    struct disk_segment *s = w->segment;
    uint32_t bytes =
        segment_entry_bytes(entry->owner_bytes, entry->value_bytes);
    uint32_t before = s->raw_used;
    *place =
        (struct disk_place){s->number, s->raw_unit,
                            before + SEGMENT_ENTRY_BYTES, entry->value_bytes,
                            0};
    os_lock(&s->lock);
    segment_entry_encode(entry, s->raw + before);
    s->raw_used = before + bytes;
    os_unlock(&s->lock);
    w->raw_entries++;
    count(w, entry);
    if (s->raw_used < DISK_BLOCK_CLOSE)
        return 0;
    int rc = close_block(disk, w);
    if (rc != 0 && w->segment == s && s->raw_used == before + bytes) {
        /* This value is not taken; those before it are. */
        int64_t live = (int64_t)entry->value_bytes + SEGMENT_ENTRY_BYTES;
        os_lock(&s->lock);
        s->raw_used = before;
        os_unlock(&s->lock);
        w->raw_entries--;
        atomic_fetch_sub(&s->live, live);
        s->live_unsynced -= live;
    }
    return rc;
}

int disk_append(struct disk *disk, int compression, const void *owner,
                size_t owner_bytes, uint64_t version, const void *value,
                size_t bytes, struct disk_place *place)
{
    if (compression == WARP_COMPRESS_DEFAULT_POLICY)
        compression = WARP_COMPRESS_DEFAULT;
    uint32_t level = (uint32_t)compression - 1;
    if (level >= DISK_LEVELS || owner_bytes > SEGMENT_OWNER_MAX)
        return error_set(WARP_EINVAL,
                         "compression %d or an owner of %zu bytes is not known",
                         compression, owner_bytes);
    if (bytes > VALUE_BYTES_MAX)
        return error_set(WARP_ELIMIT,
                         "a value of %zu bytes; %d are the most of one value",
                         bytes, VALUE_BYTES_MAX);
    if (disk->read_only)
        return error_set(WARP_EREADONLY, "%s is open for reading only",
                         disk->dir);
    struct segment_entry entry = {.value = value,
                                  .owner = owner,
                                  .value_bytes = (uint32_t)bytes,
                                  .owner_bytes = (uint32_t)owner_bytes,
                                  .version = version};
    struct disk_writer *w = &disk->writer[level];
    bool large = bytes > DISK_VALUE_OWN;
    os_lock(&disk->writing);
    int rc = disk->failed;
    if (rc != 0)
        error_set(rc, "%s: an earlier write has failed", disk->dir);
    if (rc == 0 && large)
        rc = close_block(disk, w);
    if (rc == 0 && !w->segment)
        rc = create(disk, level, w);
    if (rc == 0)
        rc = large ? append_large(disk, w, &entry, place)
                   : append_small(disk, w, &entry, place);
    os_unlock(&disk->writing);
    return rc;
}

/* ---- sync and rollback ---- */

static int sync_file(struct disk *disk, struct disk_segment *s)
{
    int rc = os_fdatasync(s->fd);
    return rc == 0 ? 0 : write_failed(disk, s->number, rc);
}

static void keep(struct disk_segment *s)
{
    s->live_unsynced = 0;
    s->raw_synced = atomic_load(&s->raw_bytes);
    s->stored_synced = atomic_load(&s->stored_bytes);
}

int disk_sync(struct disk *disk)
{
    os_lock(&disk->writing);
    int rc = disk->failed;
    if (rc != 0)
        error_set(rc, "%s: an earlier write has failed", disk->dir);
    for (uint32_t i = 0; i < DISK_LEVELS && rc == 0; i++)
        rc = close_block(disk, &disk->writer[i]);
    for (uint32_t i = 0; i < DISK_LEVELS && rc == 0; i++) {
        struct disk_writer *w = &disk->writer[i];
        if (w->segment && w->end > w->synced_end)
            rc = sync_file(disk, w->segment);
    }
    for (uint32_t i = 0; i < disk->sealed_count && rc == 0; i++)
        rc = sync_file(disk, disk->sealed[i].segment);
    if (rc == 0 && disk->new_files && (rc = os_sync_dir(disk->dir)) < 0)
        rc = write_failed(disk, disk->number, rc);
    if (rc == 0) {
        disk->new_files = false;
        for (uint32_t i = 0; i < DISK_LEVELS; i++)
            if (disk->writer[i].segment) {
                disk->writer[i].synced_end = disk->writer[i].end;
                keep(disk->writer[i].segment);
            }
        for (uint32_t i = 0; i < disk->sealed_count; i++) {
            keep(disk->sealed[i].segment);
            disk_segment_put(disk->sealed[i].segment);
        }
        disk->sealed_count = 0;
    }
    os_unlock(&disk->writing);
    return rc;
}

/* Blocks from `end` on were never there. */
static void cut(struct disk_segment *s, uint64_t end)
{
    os_lock(&s->lock);
    atomic_store(&s->end, end);
    atomic_fetch_add(&s->epoch, 1);
    s->raw_unit = (uint32_t)(end / SEGMENT_UNIT_BYTES);
    s->raw_used = 0;
    os_unlock(&s->lock);
    atomic_fetch_sub(&s->live, s->live_unsynced);
    s->live_unsynced = 0;
    s->sealed = false;
    atomic_store(&s->raw_bytes, s->raw_synced);
    atomic_store(&s->stored_bytes, s->stored_synced);
    /* S3: what stays in the file if this fails is no harm. */
    if (os_truncate(s->fd, end) == 0)
        atomic_store(&s->file_bytes, end);
}

void disk_rollback(struct disk *disk)
{
    os_lock(&disk->writing);
    for (uint32_t i = 0; i < disk->sealed_count; i++) {
        cut(disk->sealed[i].segment, disk->sealed[i].synced_end);
        disk_segment_put(disk->sealed[i].segment);
    }
    disk->sealed_count = 0;
    for (uint32_t i = 0; i < DISK_LEVELS; i++) {
        struct disk_writer *w = &disk->writer[i];
        if (!w->segment)
            continue;
        cut(w->segment, w->synced_end);
        segment_index_cut(&w->index,
                          (uint32_t)(w->synced_end / SEGMENT_UNIT_BYTES));
        w->end = w->synced_end;
        w->raw_entries = 0;
        if (disk->failed) {
            close_segment(w->segment);
            disk_segment_put(w->segment);
            w->segment = NULL;
        }
    }
    disk->failed = 0;
    /* Where a segment was being emptied, what had moved is back. */
    for (uint32_t i = 0; i < DISK_BUCKETS; i++) {
        os_lock(&disk->bucket[i].lock);
        for (struct disk_segment *s = disk->bucket[i].first; s; s = s->next)
            s->walked = false;
        os_unlock(&disk->bucket[i].lock);
    }
    os_unlock(&disk->writing);
}

void disk_write_fini(struct disk *disk)
{
    for (uint32_t i = 0; i < DISK_LEVELS; i++) {
        if (disk->writer[i].segment)
            disk_segment_put(disk->writer[i].segment);
        segment_index_free(&disk->writer[i].index);
    }
    for (uint32_t i = 0; i < disk->sealed_count; i++)
        disk_segment_put(disk->sealed[i].segment);
    free(disk->sealed);
    free(disk->buffer);
}
