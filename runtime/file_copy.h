/* file_copy.h: a file to another place, with its checksum. */
#ifndef WARP_FILE_COPY_H
#define WARP_FILE_COPY_H

#include <stdbool.h>
#include <stdint.h>

/* At most `limit` bytes of a file, to a new one, synced; runs of zeros become
 * holes. direct: past the page cache, of a file that is written so: its length
 * and the limit are multiples of 4096. *bytes and *crc (CRC32C) of what was
 * copied. step, if any, is told the bytes of each piece; a non-zero result ends
 * the copy with WARP_TIMEOUT. */
int file_copy(const char *from, const char *to, uint64_t limit, bool direct,
              uint64_t *bytes, uint32_t *crc,
              int (*step)(void *arg, uint64_t bytes), void *arg);
/* The same numbers of a file that stays where it is. */
int file_sum(const char *path, uint64_t *bytes, uint32_t *crc,
             int (*step)(void *arg, uint64_t bytes), void *arg);
/* Have two files the same first bytes? 1, 0 (also: one of them is not there),
 * or an error. */
int file_same(const char *one, const char *other, uint64_t bytes);

#endif
