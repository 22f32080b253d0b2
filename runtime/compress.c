/* compress.c: LZ4, and LZ4HC for what is written once and read seldom.
 *
 * The only file that calls LZ4. A codec more is a number in compress.h, never
 * used for another one, and a case in both functions. */
#include "compress.h"

#include <lz4.h>
#include <lz4hc.h>
#include <stdlib.h>
#include <string.h>
#include <warp/gen.h>
#include <warp/warp.h>

enum { FAST_ACCELERATION = 8, HC_LEVEL = LZ4HC_CLEVEL_MAX };

struct compress {
    void *fast, *high; /* states of LZ4; high is made when first needed */
};

int compress_create(struct compress **out)
{
    struct compress *c = calloc(1, sizeof *c);
    if (c)
        c->fast = malloc((size_t)LZ4_sizeofState());
    if (!c || !c->fast)
        compress_destroy(&c);
    *out = c;
    return c ? 0 : WARP_ENOMEM;
}

void compress_destroy(struct compress **handle)
{
    struct compress *c = *handle;
    if (!c)
        return;
    *handle = NULL;
    free(c->fast);
    free(c->high);
    free(c);
}

/* 0: it does not pay. */
static int shrink(struct compress *c, int level, const void *from, int bytes,
                  void *to, int most)
{
    if (level == WARP_COMPRESS_MAXIMUM) {
        if (!c->high)
            c->high = malloc((size_t)LZ4_sizeofStateHC());
        if (c->high)
            return LZ4_compress_HC_extStateHC(c->high, from, to, bytes, most,
                                              HC_LEVEL);
    }
    return LZ4_compress_fast_extState(
        c->fast, from, to, bytes, most,
        level == WARP_COMPRESS_FAST ? FAST_ACCELERATION : 1);
}

int compress_block(struct compress *c, int level, const void *from,
                   size_t bytes, void *to, size_t *stored)
{
    int done = 0;
    if (level != WARP_COMPRESS_NONE && bytes <= COMPRESS_BYTES_MAX)
        done =
            shrink(c, level, from, (int)bytes, to, (int)(bytes - bytes / 16));
    if (done > 0) {
        *stored = (size_t)done;
        return COMPRESS_LZ4;
    }
    memcpy(to, from, bytes);
    *stored = bytes;
    return COMPRESS_RAW;
}

int compress_undo(int codec, const void *from, size_t stored, void *to,
                  size_t bytes)
{
    if (stored > COMPRESS_BYTES_MAX || bytes > COMPRESS_BYTES_MAX)
        return WARP_ECORRUPT;
    switch (codec) {
    case COMPRESS_RAW:
        if (stored != bytes)
            return WARP_ECORRUPT;
        memcpy(to, from, bytes);
        return 0;
    case COMPRESS_LZ4:
        return LZ4_decompress_safe(from, to, (int)stored, (int)bytes) ==
                       (int)bytes
                   ? 0
                   : WARP_ECORRUPT;
    default:
        return WARP_ECORRUPT;
    }
}
