/* disk_store.h: what the files of the disk tier share.
 *
 * Order of locks: writing, then a segment's lock or a bucket's; no two of
 * these at once. The cache's locks are taken alone. */
#ifndef WARP_DISK_STORE_H
#define WARP_DISK_STORE_H

#include "compress.h"
#include "disk.h"
#include "os.h"
#include "segment.h"

#include <stdatomic.h>

enum {
    DISK_LEVELS = 4,          /* one open segment for each */
    DISK_BUCKETS = 16,        /* of segments, by number */
    DISK_FILES_MAX = 16,      /* open and idle, in each bucket */
    DISK_BLOCK_CLOSE = 16384, /* a block with as many raw bytes is written */
    DISK_BLOCK_MAX = 65536,   /* raw bytes of a block of several values */
    DISK_VALUE_OWN = 32768,   /* a larger value has a block of its own */
    DISK_CACHE_SHARDS = 16,
    DISK_PATH_BYTES = 4096
};

struct disk_segment {
    struct disk_segment *next; /* in its bucket */
    uint32_t number, compression;
    _Atomic uint32_t refs;  /* the table's, a writer's, readers' */
    _Atomic uint32_t epoch; /* rises when unsynced blocks are forgotten */
    int fd;                 /* -1: closed for now; under the bucket's lock */
    uint64_t used_at;       /* the bucket's tick; under its lock */
    _Atomic uint64_t end;   /* blocks below are in the file */
    _Atomic int64_t live;   /* bytes of living values */
    /* One writer changes these: */
    bool open;     /* blocks may still come */
    bool sealed;   /* has a footer */
    bool was_here; /* at the open of the store: live after the recount */
    bool walked;   /* by disk_compact since the last rollback: not again */
    bool damaged;  /* disk_compact cannot empty it */
    int64_t live_unsynced;
    uint64_t raw_synced, stored_synced;
    uint64_t recount_end; /* places below are recounted after an open */
    _Atomic uint64_t file_bytes, raw_bytes, stored_bytes; /* for stat */
    /* The block that is not written yet. */
    struct os_lock lock;
    uint32_t raw_unit, raw_used; /* under lock */
    uint8_t *raw;
};

struct disk_writer {
    struct disk_segment *segment;
    uint64_t end, synced_end;
    uint32_t raw_entries;
    struct segment_index index;
};

struct disk_sealed {
    struct disk_segment *segment;
    uint64_t synced_end;
};

struct disk_bucket {
    _Alignas(64) struct os_lock lock;
    struct disk_segment *first;
    uint64_t tick;
};

struct disk_cache;

struct disk {
    char dir[DISK_PATH_BYTES - SEGMENT_NAME_BYTES];
    bool read_only, recounted;
    uint64_t segment_bytes;
    void (*event)(void *arg, int code, const char *text);
    void *arg;
    struct disk_bucket bucket[DISK_BUCKETS];
    _Atomic uint32_t segments;
    struct disk_cache *cache;
    /* One writer at a time: */
    struct os_lock writing;
    uint32_t number; /* the highest in use */
    int failed;      /* no append until a rollback */
    int held;        /* backups that copy files now */
    bool new_files;  /* the directory is to be synced */
    struct disk_writer writer[DISK_LEVELS];
    struct disk_sealed *sealed; /* since the last sync */
    uint32_t sealed_count, sealed_capacity;
    struct compress *compress;
    uint8_t *buffer; /* a block as it is stored */
    size_t buffer_bytes;
};

/* ---- disk.c ---- */
void disk_path(const struct disk *disk, uint32_t number, char *to);
void disk_event(struct disk *disk, int code, const char *text);
/* A reference, with its file open; NULL with *rc WARP_ENOTFOUND or an error. */
struct disk_segment *disk_segment_get(struct disk *disk, uint32_t number,
                                      int *rc);
void disk_segment_put(struct disk_segment *segment);
int disk_segment_add(struct disk *disk, uint32_t number, int fd,
                     struct disk_segment **segment);
void disk_segment_drop(struct disk *disk, struct disk_segment *segment);
struct segment_file disk_file(const struct disk *disk,
                              const struct disk_segment *segment);
/* The blocks of a segment: from its footer, or found. */
int disk_index(struct disk *disk, struct disk_segment *segment,
               struct segment_index *index);

/* ---- disk_write.c ---- */
int disk_resume(struct disk *disk, struct disk_segment *segment);
void disk_write_fini(struct disk *disk);

/* ---- disk_cache.c ---- */
int disk_cache_create(uint64_t bytes, struct disk_cache **cache);
void disk_cache_destroy(struct disk_cache **cache);
struct disk_block {
    _Atomic uint32_t refs;
    uint32_t bytes;
    uint8_t *raw;
};
/* The block with a reference, or NULL. */
struct disk_block *disk_cache_get(struct disk_cache *cache, uint32_t segment,
                                  uint32_t unit, uint32_t epoch);
/* Takes raw (malloc'd) over and gives it back with a reference. */
struct disk_block *disk_cache_add(struct disk_cache *cache, uint32_t segment,
                                  uint32_t unit, uint32_t epoch, uint8_t *raw,
                                  uint32_t bytes);
void disk_block_put(struct disk_block *block);

#endif
