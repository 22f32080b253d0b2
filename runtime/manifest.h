/* manifest.h: the file `backup` of a backup: what belongs to it, sealed.
 *
 * FORMAT: lines of text, in this order:
 *   warp backup 1
 *   store HEX            the store's id
 *   position N           the number of the log's block behind the last one
 *   clock MS MS          the store's clock there; when the backup was made, by
 *                        which time nothing else had been written (missing in
 *                        those of earlier versions: the same)
 *   base N               the earliest position that can be restored
 *   file CRC BYTES PATH  of each file: CRC32C in hexadecimal, its length
 *   end CRC              CRC32C of all the lines before */
#ifndef WARP_MANIFEST_H
#define WARP_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_NAME "backup"
enum { MANIFEST_PATH_MAX = 120 };

struct manifest_file {
    char path[MANIFEST_PATH_MAX];
    uint64_t bytes;
    uint32_t crc;
};

struct manifest {
    uint8_t store_id[16];
    uint64_t position, base;
    int64_t clock_ms, made_ms;
    struct manifest_file *files;
    uint32_t count, room;
};

/* WARP_ENOSTORE: there is none; WARP_ECORRUPT: it is damaged. */
int manifest_read(const char *dir, struct manifest *manifest);
int manifest_write(const char *dir, const struct manifest *manifest);
int manifest_add(struct manifest *manifest, const char *path, uint64_t bytes,
                 uint32_t crc);
const struct manifest_file *manifest_find(const struct manifest *manifest,
                                          const char *path);
void manifest_free(struct manifest *manifest);

#endif
