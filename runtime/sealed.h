/* sealed.h: small files of lines whose last one is a checksum of the others
 * ("end XXXXXXXX"): a torn or changed file is known as such. */
#ifndef WARP_SEALED_H
#define WARP_SEALED_H

#include "text.h"

typedef int sealed_line_fn(void *arg, const char *line, uint32_t number);

/* Adds the last line. */
void sealed_end(struct text *text);

/* One call for each line before the last, numbered from 0, without its end; a
 * file of more than `most` bytes is not read. WARP_ECORRUPT: not whole, or
 * fewer than `least` lines; else what `line` gave first, or WARP_OK. The file
 * stays open. */
int sealed_read(int fd, uint64_t most, uint32_t least, sealed_line_fn *line,
                void *arg);

/* Writes a file and syncs it; flags: how os_open makes it. A negative errno
 * after a failure, of which a part may stand there. */
int sealed_write(const char *path, int flags, const void *data,
                 size_t bytes);

#endif
