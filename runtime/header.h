/* header.h: the file `store`: what never changes in a store's life.
 *
 * FORMAT, 4096 bytes, little-endian: "WARPSTOR", u32 format = 1, u32 shards,
 * u64 ring bytes, u64 hash seed, 16 bytes store id, u16 length and bytes of the
 * paths of ring, ssd and disk ("" = in the store), zeros, u32 1 where fields in
 * memory survive nothing unless the schema says so (options.survives), u64
 * life, u32 CRC32C of all before. Written to a temporary name, synced, renamed.
 *
 * All but the paths of ssd and disk is as the store was made; those follow
 * options that name others, so that tools find what a program left.
 *
 * The life is 0 in a new store and drawn anew when its log begins anew (a
 * restore, a reset of the clock): positions of two lives are not comparable. */
#ifndef WARP_HEADER_H
#define WARP_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEADER_FORMAT = 1, HEADER_BYTES = 4096 };
enum { HEADER_PATH_MAX = 3800 }; /* of all of them together */
enum header_path { HEADER_RING, HEADER_SSD, HEADER_DISK, HEADER_PATHS };

struct header {
    uint32_t shards;
    uint64_t ring_bytes;
    uint64_t seed;
    uint8_t store_id[16];
    uint64_t life;
    bool nothing; /* WARP_SURVIVES_NOTHING is the default */
    char paths[HEADER_PATHS][HEADER_PATH_MAX + 1];
};

/* WARP_ENOSTORE, WARP_ECORRUPT, WARP_EVERSION, WARP_EIO: *header stays as it
 * was. */
int header_read(const char *path, struct header *header);
int header_write(const char *path, const char *dir,
                 const struct header *header);
/* The directory of a part, "ring", "ssd" or "disk", of the store in `dir`. */
void header_dir(const struct header *header, enum header_path which,
                const char *dir, char *to, size_t bytes);
/* WARP_SURVIVES_: where the schema is silent. */
uint8_t header_survives(const struct header *header);
/* Another path; relative ones begin in the working directory. *changed is set
 * where it was another. WARP_EINVAL: too long, with the others. */
int header_name(struct header *header, enum header_path which,
                const char *path, bool *changed);
/* Of the store in a directory: another life begins. */
int header_renew(const char *dir);

#endif
