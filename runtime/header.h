/* header.h: the file `store`: what never changes in a store's life.
 *
 * FORMAT, 4096 bytes, little-endian: "WARPSTOR", u32 format = 1, u32 shards,
 * u64 ring bytes, u64 hash seed, 16 bytes store id, u16 length and bytes of the
 * ring path ("" = in the store), zeros, u64 life, u32 CRC32C of all before.
 * Written to a temporary name, synced, renamed.
 *
 * The life is 0 in a new store and drawn anew when its log begins anew (a
 * restore, a reset of the clock): positions of two lives are not comparable. */
#ifndef WARP_HEADER_H
#define WARP_HEADER_H

#include <stdbool.h>
#include <stdint.h>

enum { HEADER_FORMAT = 1, HEADER_BYTES = 4096, HEADER_PATH_MAX = 3800 };

struct header {
    uint32_t shards;
    uint64_t ring_bytes;
    uint64_t seed;
    uint8_t store_id[16];
    uint64_t life;
    char ring_path[HEADER_PATH_MAX + 1];
};

/* WARP_ENOSTORE, WARP_ECORRUPT, WARP_EVERSION, WARP_EIO: *header stays as it
 * was. */
int header_read(const char *path, struct header *header);
int header_write(const char *path, const char *dir,
                 const struct header *header);
/* Of the store in a directory: another life begins. */
int header_renew(const char *dir);

#endif
