/* disk.h: the disk tier: log-structured segments of checked, compressed blocks.
 *
 * Values are appended to blocks of 4 to 64 KiB (a larger value has a block of
 * its own); blocks go to segments, one open segment per compression level. A
 * place names a value; it is kept by the caller (in the ssd directory). One
 * checkpointer writes; reads are free for all threads. Format: segment.c. */
#ifndef WARP_DISK_H
#define WARP_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk;

struct disk_place {
    uint32_t segment; /* 0: no place */
    uint32_t block;   /* offset of the block in the segment, in 64-byte units */
    uint32_t offset;  /* of the value in the raw block */
    uint32_t bytes;   /* of the value */
    uint32_t since;   /* minutes of the store's clock: when it came to rest on
                         a disk; 0: not known. The caller's; kept with it */
};
/* Bit of `segment`: the place is in the archive (far.h). */
#define DISK_ARCHIVED (UINT32_C(1) << 31)
static inline bool disk_place_archived(const struct disk_place *place)
{
    return (place->segment & DISK_ARCHIVED) != 0;
}
/* Encoded: segment 32 bits, then block 24, offset 16, bytes 28 with parts of
 * since (8, 16, 4) above each; in the archive block and offset have 32. */
#define DISK_PLACE_BYTES 16
enum { DISK_SINCE_MAX = (1 << 28) - 1 };
void disk_place_encode(const struct disk_place *place, uint8_t *to);
void disk_place_decode(const uint8_t *from, struct disk_place *place);
static inline bool disk_place_same(const struct disk_place *a,
                                   const struct disk_place *b)
{
    return a->segment == b->segment && a->block == b->block &&
           a->offset == b->offset;
}

/* owner: bytes that name the value (product, field, key), kept beside it so
 * that a rewrite of a segment and a check can find who refers to it. */
#define DISK_OWNER_BYTES_MAX 1024
/* segment_bytes 0: 64 MiB. event: things to tell people about, with code 0 or a
 * WARP_E code; may be NULL. */
int disk_open(const char *dir, bool read_only, uint64_t segment_bytes,
              void (*event)(void *arg, int code, const char *text), void *arg,
              struct disk **disk);
void disk_close(struct disk **disk);
/* Memory for blocks that were read lately, 8 MiB if nothing is said; 1 MiB at
 * least. Blocks in use count until they are given back. */
enum { DISK_CACHE_BYTES = 8 << 20 };
void disk_cache_limit(struct disk *disk, uint64_t bytes);

/* compression: enum warp_compression. The value is readable at once (from the
 * open block) and durable after disk_sync(). */
int disk_append(struct disk *disk, int compression, const void *owner,
                size_t owner_bytes, uint64_t version, const void *value,
                size_t bytes, struct disk_place *place);
int disk_sync(struct disk *disk); /* writes open blocks, syncs, keeps going */
/* Forget what was appended since the last sync (a checkpoint failed). After
 * WARP_EIO nothing is appended until it was called. */
void disk_rollback(struct disk *disk);

/* alloc gets the size and returns where the value goes. Checks the block's
 * checksum; WARP_ECORRUPT names file and offset; WARP_ENOTFOUND when the
 * segment is gone (the caller's place is old: look it up again). */
typedef void *disk_alloc_fn(void *arg, size_t bytes);
int disk_read(struct disk *disk, struct disk_place place, disk_alloc_fn *alloc,
              void *arg);

/* The value is dead; its bytes count as free from now. The space comes back
 * when its segment is dropped or rewritten. */
void disk_free(struct disk *disk, struct disk_place place);
/* Recount after an open: every place that the directory holds, once. Places
 * appended since the open are counted already and ignored here. */
void disk_recount(struct disk *disk, struct disk_place place);
/* All places were recounted. Until then no segment that was there at the open
 * is dropped or rewritten. */
void disk_recounted(struct disk *disk);
/* Segments without a live value are unlinked; call after the directory's
 * commit, so that nobody can come back to them. */
int disk_reclaim(struct disk *disk);
/* Walks every value of the emptiest sealed segment below `live_pct` percent:
 * fn decides by owner, version and place whether it is alive and, if so, moves
 * it (disk_append) and records the new place. 0 when there is none, 1 when one
 * was walked: once the directory's commit holds the new places and disk_free()
 * was told the old ones, disk_reclaim() unlinks it. What fn returns, if not 0,
 * ends the walk and is returned. */
typedef int disk_move_fn(void *arg, const void *owner, size_t owner_bytes,
                         uint64_t version, struct disk_place place,
                         const void *value, size_t bytes);
int disk_compact(struct disk *disk, uint32_t live_pct, disk_move_fn *fn,
                 void *arg);
/* Checks every block of every segment; calls bad for each damaged place. */
int disk_verify(struct disk *disk, void (*bad)(void *arg, const char *text),
                void *arg);

/* Is the value at the place, and does it say this owner? WARP_ECORRUPT. */
int disk_check(struct disk *disk, struct disk_place place, const void *owner,
               size_t owner_bytes);
/* While held (a backup copies files) no segment is unlinked. */
void disk_hold(struct disk *disk, bool hold);

struct disk_stat {
    uint64_t file_bytes, live_bytes, raw_bytes, stored_bytes;
    uint32_t segments;
};
void disk_stat(struct disk *disk, struct disk_stat *stat);

#endif
