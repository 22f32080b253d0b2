/* Bytes of a trace file: plain or gzip by zlib, xz by liblzma, as the file's
 * first bytes say. A build without one of them says what to do instead. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if HAVE_ZLIB
#include <zlib.h>
#endif
#if HAVE_LZMA
#include <lzma.h>
#endif

#include "placement.h"

enum kind { PLAIN, GZIP, XZ };

struct placement_input {
    enum kind kind;
    FILE *file;
    bool ended; /* the file has no more bytes */
    bool inside; /* a member has begun and not ended */
    uint8_t in[1 << 16];
#if HAVE_ZLIB
    z_stream gzip;
#endif
#if HAVE_LZMA
    lzma_stream xz;
#endif
};

static int fail(char *error, size_t bytes, const char *what, const char *why)
{
    snprintf(error, bytes, "%s%s", what, why);
    return -1;
}

/* What the first bytes say, and the library that it takes. */
static int start(struct placement_input *input, const uint8_t *head,
                 size_t got, char *error, size_t bytes)
{
    static const uint8_t xz_head[6] = {0xfd, '7', 'z', 'X', 'Z', 0};
    if (got >= 2 && head[0] == 0x1f && head[1] == 0x8b) {
        input->kind = GZIP;
#if HAVE_ZLIB
        if (inflateInit2(&input->gzip, 15 + 16) != Z_OK)
            return fail(error, bytes, "no memory", "");
#else
        return fail(error, bytes, "is gzip, and this build has no zlib: ",
                    "give it plain, from gzip -dc");
#endif
    } else if (got == 6 && memcmp(head, xz_head, 6) == 0) {
        input->kind = XZ;
#if HAVE_LZMA
        input->xz = (lzma_stream)LZMA_STREAM_INIT;
        if (lzma_stream_decoder(&input->xz, UINT64_C(1) << 30,
                                LZMA_CONCATENATED) != LZMA_OK)
            return fail(error, bytes, "no memory", "");
#else
        return fail(error, bytes, "is xz, and this build has no liblzma: ",
                    "give it plain, from xz -dc");
#endif
    }
    return 0;
}

struct placement_input *placement_input_open(const char *path, char *error,
                                             size_t bytes)
{
    struct placement_input *input = calloc(1, sizeof *input);
    uint8_t head[6];
    if (!input) {
        fail(error, bytes, "no memory", "");
        return NULL;
    }
    input->file = fopen(path, "rb");
    if (!input->file) {
        fail(error, bytes, strerror(errno), "");
        free(input);
        return NULL;
    }
    size_t got = fread(head, 1, sizeof head, input->file);
    rewind(input->file);
    if (start(input, head, got, error, bytes) != 0) {
        fclose(input->file);
        free(input);
        return NULL;
    }
    return input;
}

#if HAVE_ZLIB || HAVE_LZMA
/* More of the file; -1 when it cannot be read. */
static long more(struct placement_input *input, char *error, size_t bytes)
{
    size_t got = fread(input->in, 1, sizeof input->in, input->file);
    if (got == 0 && ferror(input->file))
        return fail(error, bytes, strerror(errno), "");
    input->ended = got == 0;
    return (long)got;
}
#endif

#if HAVE_ZLIB
static long read_gzip(struct placement_input *input, char *to, size_t want,
                      char *error, size_t bytes)
{
    z_stream *z = &input->gzip;
    z->next_out = (Bytef *)to;
    z->avail_out = (uInt)want;
    while (z->avail_out == want) {
        if (z->avail_in == 0) {
            long got = more(input, error, bytes);
            if (got < 0)
                return -1;
            if (got == 0)
                return input->inside
                           ? fail(error, bytes, "gzip: cut short", "")
                           : 0;
            z->next_in = input->in;
            z->avail_in = (uInt)got;
        }
        input->inside = true;
        int rc = inflate(z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END) {
            input->inside = false;
            inflateReset(z);
        } else if (rc != Z_OK) {
            return fail(error, bytes, "gzip: damaged", "");
        }
    }
    return (long)(want - z->avail_out);
}
#endif

#if HAVE_LZMA
static long read_xz(struct placement_input *input, char *to, size_t want,
                    char *error, size_t bytes)
{
    lzma_stream *xz = &input->xz;
    xz->next_out = (uint8_t *)to;
    xz->avail_out = want;
    while (xz->avail_out == want) {
        if (xz->avail_in == 0 && !input->ended) {
            long got = more(input, error, bytes);
            if (got < 0)
                return -1;
            xz->next_in = input->in;
            xz->avail_in = (size_t)got;
        }
        lzma_ret rc = lzma_code(xz, input->ended ? LZMA_FINISH : LZMA_RUN);
        if (rc == LZMA_STREAM_END)
            break;
        if (rc == LZMA_BUF_ERROR)
            return fail(error, bytes, "xz: cut short", "");
        if (rc != LZMA_OK)
            return fail(error, bytes, "xz: damaged", "");
    }
    return (long)(want - xz->avail_out);
}
#endif

long placement_input_read(struct placement_input *input, char *to, size_t want,
                          char *error, size_t bytes)
{
#if HAVE_ZLIB
    if (input->kind == GZIP)
        return read_gzip(input, to, want, error, bytes);
#endif
#if HAVE_LZMA
    if (input->kind == XZ)
        return read_xz(input, to, want, error, bytes);
#endif
    size_t got = fread(to, 1, want, input->file);
    if (got == 0 && ferror(input->file))
        return fail(error, bytes, strerror(errno), "");
    return (long)got;
}

void placement_input_close(struct placement_input *input)
{
    if (!input)
        return;
#if HAVE_ZLIB
    if (input->kind == GZIP)
        inflateEnd(&input->gzip);
#endif
#if HAVE_LZMA
    if (input->kind == XZ)
        lzma_end(&input->xz);
#endif
    fclose(input->file);
    free(input);
}
