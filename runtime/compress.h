/* compress.h: blocks of bytes to fewer bytes and back. */
#ifndef WARP_COMPRESS_H
#define WARP_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

/* In files: never renumber. */
enum compress_codec { COMPRESS_RAW = 0, COMPRESS_LZ4 = 1 };
#define COMPRESS_BYTES_MAX (1u << 30) /* of one block */

struct compress; /* scratch memory of one thread that compresses */

int compress_create(struct compress **c);
void compress_destroy(struct compress **c);
/* level: enum warp_compression. Writes at most `bytes` bytes to `to` and gives
 * their count and codec; COMPRESS_RAW, a copy, where compressing does not
 * save a sixteenth. */
int compress_block(struct compress *c, int level, const void *from,
                   size_t bytes, void *to, size_t *stored);
/* 0, or WARP_ECORRUPT without a text: these are not `bytes` bytes. */
int compress_undo(int codec, const void *from, size_t stored, void *to,
                  size_t bytes);

#endif
