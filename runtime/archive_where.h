/* archive_where.h: which directory a store's archive is in.
 *
 * SSD_META "archive": the path that archive_url gave when it was given;
 * "archive-made": the directory was there. A directory `archive` inside the
 * store (a backup's, a restored one's) goes before it. */
#ifndef WARP_ARCHIVE_WHERE_H
#define WARP_ARCHIVE_WHERE_H

#include "ssd.h"

enum { ARCHIVE_WHERE_BYTES = 4096 };

/* url: the option, or NULL. remember: it is kept for later opens, and made.
 * WARP_EINVAL: it is no directory, or an object store, which this build does
 * not reach. WARP_EIO, where it may be written to: it was made and is gone. */
int archive_where(struct ssd *ssd, const char *store, const char *url,
                  const uint8_t store_id[16], bool remember,
                  char path[ARCHIVE_WHERE_BYTES]);

#endif
