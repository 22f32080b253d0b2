/* disk.c: the set of segments: opening, reading by place, counting, dropping.
 *
 * A place becomes a value: segment by number, block by offset, value by offset
 * in the unpacked block. Writing is in disk_write.c, rewriting and checking in
 * disk_compact.c, the file format in segment.c. */
#include "disk_store.h"

#include "error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <warp/gen.h>

static const uint64_t default_bytes = 64ull << 20;
enum {
    GUESS_BYTES = 12 << 10,
    ENTRY_BYTES = SEGMENT_ENTRY_BYTES,
    SEGMENT_BYTES_MAX = 512 << 20
};

static void put32(uint8_t *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get32(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

void disk_place_encode(const struct disk_place *place, uint8_t *to)
{
    uint32_t since = place->since, block = place->block;
    uint32_t offset = place->offset;
    if (!disk_place_archived(place)) {
        block |= since << 24;
        offset |= since >> 8 << 16;
    }
    put32(to, place->segment);
    put32(to + 4, block);
    put32(to + 8, offset);
    put32(to + 12, place->bytes | since >> 24 << 28);
}

void disk_place_decode(const uint8_t *from, struct disk_place *place)
{
    uint32_t block = get32(from + 4), offset = get32(from + 8);
    uint32_t bytes = get32(from + 12);
    *place = (struct disk_place){.segment = get32(from), .block = block,
                                 .offset = offset,
                                 .bytes = bytes & 0xfffffff};
    if (disk_place_archived(place))
        return;
    place->since = block >> 24 | offset >> 16 << 8 | bytes >> 28 << 24;
    place->block = block & 0xffffff;
    place->offset = offset & 0xffff;
}

void disk_path(const struct disk *disk, uint32_t number, char *to)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(number, name);
    snprintf(to, DISK_PATH_BYTES, "%s/%s", disk->dir, name);
}

void disk_event(struct disk *disk, int code, const char *text)
{
    if (disk->event)
        disk->event(disk->arg, code, text);
}

struct segment_file disk_file(const struct disk *disk,
                              const struct disk_segment *segment)
{
    return (struct segment_file){segment->fd, segment->number,
                                 atomic_load(&segment->file_bytes), disk->dir};
}

/* ---- the table ---- */

static struct disk_bucket *bucket_of(struct disk *disk, uint32_t number)
{
    return &disk->bucket[number % DISK_BUCKETS];
}

static void destroy(struct disk_segment *segment)
{
    os_close(segment->fd);
    free(segment->raw);
    free(segment);
}

void disk_segment_put(struct disk_segment *segment)
{
    if (atomic_fetch_sub_explicit(&segment->refs, 1, memory_order_acq_rel) == 1)
        destroy(segment);
}

/* Closes the file that was not used for longest while too many are open and
 * nobody but the table holds them. */
static void close_idle(struct disk_bucket *bucket)
{
    for (;;) {
        struct disk_segment *oldest = NULL;
        uint32_t open = 0;
        for (struct disk_segment *s = bucket->first; s; s = s->next) {
            if (s->fd < 0 || atomic_load(&s->refs) != 1)
                continue;
            open++;
            if (!oldest || s->used_at < oldest->used_at)
                oldest = s;
        }
        if (open <= DISK_FILES_MAX)
            return;
        os_close(oldest->fd);
        oldest->fd = -1;
    }
}

struct disk_segment *disk_segment_get(struct disk *disk, uint32_t number,
                                      int *rc)
{
    struct disk_bucket *bucket = bucket_of(disk, number);
    char path[DISK_PATH_BYTES];
    os_lock(&bucket->lock);
    struct disk_segment *s = bucket->first;
    while (s && s->number != number)
        s = s->next;
    *rc = s ? 0 : WARP_ENOTFOUND;
    if (s && s->fd < 0) {
        disk_path(disk, number, path);
        close_idle(bucket);
        s->fd = os_open(path, OS_READ);
        if (s->fd < 0)
            *rc = error_os(s->fd, "open", path);
        /* The table has it, so that its file must be there. */
        if (s->fd == -ENOENT)
            *rc = error_set(WARP_ECORRUPT, "%s is missing", path);
    }
    if (*rc == 0) {
        s->used_at = ++bucket->tick;
        atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    }
    os_unlock(&bucket->lock);
    return *rc == 0 ? s : NULL;
}

int disk_segment_add(struct disk *disk, uint32_t number, int fd,
                     struct disk_segment **out)
{
    struct disk_bucket *bucket = bucket_of(disk, number);
    struct disk_segment *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(WARP_ENOMEM, "no memory for a segment");
    s->number = number;
    s->fd = fd;
    atomic_init(&s->refs, 2); /* the table's and the caller's */
    os_lock(&bucket->lock);
    s->next = bucket->first;
    bucket->first = s;
    os_unlock(&bucket->lock);
    atomic_fetch_add(&disk->segments, 1);
    *out = s;
    return 0;
}

/* Out of the table; readers that hold it go on. */
void disk_segment_drop(struct disk *disk, struct disk_segment *segment)
{
    struct disk_bucket *bucket = bucket_of(disk, segment->number);
    os_lock(&bucket->lock);
    struct disk_segment **link = &bucket->first;
    while (*link && *link != segment)
        link = &(*link)->next;
    if (*link)
        *link = segment->next;
    os_unlock(&bucket->lock);
    atomic_fetch_sub(&disk->segments, 1);
    disk_segment_put(segment);
}

/* ---- opening ---- */

static int add_name(void *arg, const char *name)
{
    struct segment_index *numbers = arg;
    struct segment_block block = {.unit = segment_number(name)};
    return block.unit ? segment_index_add(numbers, &block) : 0;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = ((const struct segment_block *)a)->unit;
    uint32_t y = ((const struct segment_block *)b)->unit;
    return x < y ? -1 : x > y;
}

static void set_sizes(struct disk_segment *segment, uint64_t file_bytes,
                      uint64_t raw_bytes, uint64_t stored_bytes)
{
    atomic_store(&segment->file_bytes, file_bytes);
    atomic_store(&segment->raw_bytes, raw_bytes);
    atomic_store(&segment->stored_bytes, stored_bytes);
    atomic_store(&segment->end, file_bytes);
    segment->recount_end = file_bytes;
}

/* A file can have its length before it has its bytes. */
static bool is_unwritten(const uint8_t header[SEGMENT_HEADER_BYTES])
{
    return header[0] == 0 &&
           memcmp(header, header + 1, SEGMENT_HEADER_BYTES - 1) == 0;
}

/* A segment that was there before: sealed, or to be written on. */
static int load(struct disk *disk, uint32_t number)
{
    char path[DISK_PATH_BYTES];
    uint8_t header[SEGMENT_HEADER_BYTES];
    struct disk_segment *s = NULL;
    struct segment_trailer trailer;
    uint64_t bytes = 0;
    disk_path(disk, number, path);
    int fd = os_open(path, OS_READ | (disk->read_only ? 0 : OS_WRITE));
    int64_t n = fd < 0 ? fd : os_size(fd, &bytes);
    if (n == 0)
        n = os_pread(fd, header, sizeof header, 0);
    int rc = n < 0 ? error_os((int)n, "open", path) : 0;
    if (rc == 0)
        rc = disk_segment_add(disk, number, fd, &s);
    if (rc != 0) {
        os_close(fd);
        return rc;
    }
    s->was_here = true;
    set_sizes(s, bytes, 0, 0);
    struct segment_file file = disk_file(disk, s);
    if (bytes < SEGMENT_HEADER_BYTES || is_unwritten(header))
        goto out; /* its writer, or the power, was gone before the first sync:
                     nothing refers to it (S3) */
    if (!segment_header_decode(header, number, &s->compression)) {
        segment_damaged(&file, 0, "does not begin a segment");
        disk_event(disk, WARP_ECORRUPT, error_text());
        s->damaged = true;
        goto out;
    }
    rc = segment_read_trailer(&file, &trailer);
    if (rc == 0) {
        s->sealed = true;
        set_sizes(s, bytes, trailer.raw_bytes, trailer.stored_bytes);
    } else if (rc == WARP_ENOTFOUND) {
        rc = disk_resume(disk, s);
    } else if (rc == WARP_ECORRUPT) {
        disk_event(disk, rc, error_text());
        rc = 0;
    }
out:
    disk_segment_put(s);
    return rc;
}

static int load_all(struct disk *disk)
{
    struct segment_index numbers = {0};
    int rc = os_list(disk->dir, add_name, &numbers);
    if (rc == -ENOENT && disk->read_only)
        rc = 0;
    else if (rc < 0 && rc != WARP_ENOMEM)
        rc = error_os(rc, "list", disk->dir);
    if (numbers.block_count > 1)
        qsort(numbers.block, numbers.block_count, sizeof numbers.block[0],
              by_number);
    /* From the newest down: of the segments without a footer, the newest of
     * its compression is written on. */
    for (uint32_t i = numbers.block_count; i > 0 && rc == 0; i--) {
        uint32_t number = numbers.block[i - 1].unit;
        if (number > disk->number)
            disk->number = number;
        rc = load(disk, number);
        /* Whoever made it may have been killed before the directory's sync. */
        disk->new_files = true;
    }
    segment_index_free(&numbers);
    for (uint32_t i = 0; i < DISK_BUCKETS; i++)
        close_idle(&disk->bucket[i]);
    return rc;
}

int disk_open(const char *dir, bool read_only, uint64_t segment_bytes,
              void (*event)(void *arg, int code, const char *text), void *arg,
              struct disk **out)
{
    *out = NULL;
    struct disk *disk = aligned_alloc(64, sizeof *disk);
    if (!disk)
        return error_set(WARP_ENOMEM, "no memory to open %s", dir);
    memset(disk, 0, sizeof *disk);
    disk->read_only = read_only;
    disk->segment_bytes = segment_bytes ? segment_bytes : default_bytes;
    if (disk->segment_bytes > SEGMENT_BYTES_MAX) /* what a place can say */
        disk->segment_bytes = SEGMENT_BYTES_MAX;
    disk->event = event;
    disk->arg = arg;
    int rc = 0, n = snprintf(disk->dir, sizeof disk->dir, "%s", dir);
    if (n >= (int)sizeof disk->dir)
        rc = error_set(WARP_EINVAL, "the path is too long: %s", dir);
    if (rc == 0)
        rc = disk_cache_create(DISK_CACHE_BYTES, &disk->cache);
    if (rc == 0 && compress_create(&disk->compress) != 0)
        rc = error_set(WARP_ENOMEM, "no memory to compress");
    if (rc == 0 && !read_only && (rc = os_mkdir(dir)) < 0)
        rc = error_os(rc, "create", dir);
    if (rc == 0)
        rc = load_all(disk);
    if (rc != 0)
        disk_close(&disk);
    *out = disk;
    return rc;
}

void disk_close(struct disk **handle)
{
    struct disk *disk = *handle;
    if (!disk)
        return;
    *handle = NULL;
    disk_write_fini(disk);
    for (uint32_t i = 0; i < DISK_BUCKETS; i++)
        while (disk->bucket[i].first)
            disk_segment_drop(disk, disk->bucket[i].first);
    disk_cache_destroy(&disk->cache);
    compress_destroy(&disk->compress);
    free(disk);
}

/* ---- reading ---- */

static int give(const struct disk *disk, const struct disk_segment *s,
                struct disk_place place, const uint8_t *raw, uint32_t raw_bytes,
                disk_alloc_fn *alloc, void *arg)
{
    struct segment_file file = disk_file(disk, s);
    if (!segment_entry_fits(raw, raw_bytes, place.offset, place.bytes))
        return segment_damaged(&file,
                               (uint64_t)place.block * SEGMENT_UNIT_BYTES,
                               "begins a block without this value");
    void *to = alloc(arg, place.bytes);
    if (!to)
        return error_set(WARP_ENOMEM, "no memory for a value of %u bytes",
                         place.bytes);
    if (place.bytes)
        memcpy(to, raw + place.offset, place.bytes);
    return 0;
}

/* From the block that is not written yet. WARP_TIMEOUT: it is by now. */
static int read_open(const struct disk *disk, struct disk_segment *s,
                     struct disk_place place, disk_alloc_fn *alloc, void *arg)
{
    uint64_t at = (uint64_t)place.block * SEGMENT_UNIT_BYTES;
    struct segment_file file = disk_file(disk, s);
    int rc;
    os_lock(&s->lock);
    if (at < atomic_load_explicit(&s->end, memory_order_relaxed))
        rc = WARP_TIMEOUT;
    else if (s->raw && s->raw_unit == place.block)
        rc = give(disk, s, place, s->raw, s->raw_used, alloc, arg);
    else
        rc = segment_damaged(&file, at, "is behind the end of the segment");
    os_unlock(&s->lock);
    return rc;
}

static int read_file(struct disk *disk, struct disk_segment *s,
                     struct disk_place place, disk_alloc_fn *alloc, void *arg)
{
    uint32_t epoch = atomic_load_explicit(&s->epoch, memory_order_acquire);
    struct disk_block *block =
        disk_cache_get(disk->cache, s->number, place.block, epoch);
    if (!block) {
        struct segment_file file = disk_file(disk, s);
        struct segment_block head;
        uint8_t *raw;
        uint32_t guess =
            place.bytes > DISK_VALUE_OWN ? place.bytes / 2 : GUESS_BYTES;
        int rc = segment_read_block(&file, place.block, guess, &head, &raw);
        if (rc != 0)
            return rc;
        block = disk_cache_add(disk->cache, s->number, place.block, epoch, raw,
                               head.raw_bytes);
        if (!block)
            return error_set(WARP_ENOMEM, "no memory for a block");
    }
    int rc = give(disk, s, place, block->raw, block->bytes, alloc, arg);
    disk_block_put(block);
    return rc;
}

int disk_read(struct disk *disk, struct disk_place place, disk_alloc_fn *alloc,
              void *arg)
{
    int rc;
    uint64_t at = (uint64_t)place.block * SEGMENT_UNIT_BYTES;
    struct disk_segment *s = disk_segment_get(disk, place.segment, &rc);
    if (!s)
        return rc;
    rc = WARP_TIMEOUT;
    if (at >= atomic_load_explicit(&s->end, memory_order_acquire))
        rc = read_open(disk, s, place, alloc, arg);
    if (rc == WARP_TIMEOUT)
        rc = read_file(disk, s, place, alloc, arg);
    disk_segment_put(s);
    return rc;
}

/* ---- counting and dropping ---- */

static struct disk_segment *find(struct disk *disk, uint32_t number)
{
    struct disk_bucket *bucket = bucket_of(disk, number);
    os_lock(&bucket->lock);
    struct disk_segment *s = bucket->first;
    while (s && s->number != number)
        s = s->next;
    if (s)
        atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    os_unlock(&bucket->lock);
    return s;
}

void disk_free(struct disk *disk, struct disk_place place)
{
    struct disk_segment *s = find(disk, place.segment);
    if (!s)
        return;
    atomic_fetch_sub(&s->live, (int64_t)place.bytes + ENTRY_BYTES);
    disk_segment_put(s);
}

void disk_recount(struct disk *disk, struct disk_place place)
{
    struct disk_segment *s = find(disk, place.segment);
    if (!s)
        return;
    if ((uint64_t)place.block * SEGMENT_UNIT_BYTES < s->recount_end)
        atomic_fetch_add(&s->live, (int64_t)place.bytes + ENTRY_BYTES);
    disk_segment_put(s);
}

void disk_recounted(struct disk *disk)
{
    os_lock(&disk->writing);
    disk->recounted = true;
    os_unlock(&disk->writing);
}

/* A segment that may be dropped now, with a reference. */
static struct disk_segment *find_dead(struct disk *disk,
                                      struct disk_bucket *bucket)
{
    struct disk_segment *s;
    os_lock(&bucket->lock);
    for (s = bucket->first; s; s = s->next)
        if (!s->open && s->number != disk->number &&
            atomic_load(&s->live) <= 0 && (!s->was_here || disk->recounted))
            break;
    if (s)
        atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    os_unlock(&bucket->lock);
    return s;
}

int disk_reclaim(struct disk *disk)
{
    char path[DISK_PATH_BYTES];
    struct disk_segment *s;
    int rc = 0;
    if (disk->read_only)
        return error_set(WARP_EREADONLY, "%s is open for reading only",
                         disk->dir);
    os_lock(&disk->writing);
    /* What was sealed since the last sync may have to come back. */
    for (uint32_t i = 0; i < DISK_BUCKETS && disk->sealed_count == 0 &&
                         disk->held == 0;
         i++)
        while (rc == 0 && (s = find_dead(disk, &disk->bucket[i])) != NULL) {
            /* First out of the table: who finds it there finds its file. */
            disk_path(disk, s->number, path);
            disk_segment_drop(disk, s);
            disk_segment_put(s);
            rc = os_unlink(path);
            rc = rc < 0 && rc != -ENOENT ? error_os(rc, "delete", path) : 0;
        }
    os_unlock(&disk->writing);
    return rc;
}

void disk_stat(struct disk *disk, struct disk_stat *stat)
{
    memset(stat, 0, sizeof *stat);
    for (uint32_t i = 0; i < DISK_BUCKETS; i++) {
        os_lock(&disk->bucket[i].lock);
        for (struct disk_segment *s = disk->bucket[i].first; s; s = s->next) {
            int64_t live = atomic_load(&s->live);
            stat->live_bytes += live > 0 ? (uint64_t)live : 0;
            stat->file_bytes += atomic_load(&s->file_bytes);
            stat->raw_bytes += atomic_load(&s->raw_bytes);
            stat->stored_bytes += atomic_load(&s->stored_bytes);
            stat->segments++;
        }
        os_unlock(&disk->bucket[i].lock);
    }
}
