/* sealed.c: small files of lines that end with a checksum. */
#include "sealed.h"

#include "crc.h"
#include "error.h"
#include "os.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { END_BYTES = 13 };

void sealed_end(struct text *text)
{
    text_say(text, "end %08x\n", crc32c(0, text->data, text->used));
}

static int cut(char *text, size_t bytes, uint32_t least, sealed_line_fn *line,
               void *arg)
{
    char check[END_BYTES + 1];
    uint32_t number = 0;
    if (bytes <= END_BYTES || memchr(text, 0, bytes))
        return WARP_ECORRUPT;
    text[bytes] = 0;
    char *end = text + bytes - END_BYTES;
    snprintf(check, sizeof check, "end %08x\n",
             crc32c(0, text, (size_t)(end - text)));
    if (memcmp(check, end, END_BYTES) != 0 || end[-1] != '\n')
        return WARP_ECORRUPT;
    for (char *at = text; at < end;) {
        char *stop = strchr(at, '\n');
        *stop = 0;
        int rc = line(arg, at, number++);
        if (rc != WARP_OK)
            return rc;
        at = stop + 1;
    }
    return number >= least ? WARP_OK : WARP_ECORRUPT;
}

int sealed_read(int fd, uint64_t most, uint32_t least, sealed_line_fn *line,
                void *arg)
{
    uint64_t size = 0;
    int64_t n = os_size(fd, &size);
    if (n < 0)
        return error_os((int)n, "cannot read", "a manifest");
    if (size > most)
        return WARP_ECORRUPT;
    char *text = malloc(size + 1);
    if (!text)
        return error_set(WARP_ENOMEM, "out of memory to read %" PRIu64 " bytes",
                         size);
    n = os_pread(fd, text, size, 0);
    int rc = n < 0 ? error_os((int)n, "cannot read", "a manifest")
             : n == (int64_t)size ? cut(text, size, least, line, arg)
                                  : WARP_ECORRUPT;
    free(text);
    return rc;
}

int sealed_write(const char *path, int flags, const void *data, size_t bytes)
{
    int fd = os_open(path, flags);
    if (fd < 0)
        return fd;
    int rc = os_pwrite(fd, data, bytes, 0);
    if (rc == 0)
        rc = os_fdatasync(fd);
    os_close(fd);
    return rc;
}
