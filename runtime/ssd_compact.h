/* ssd_compact.h: the file of the ssd tier without its free pages. */
#ifndef WARP_SSD_COMPACT_H
#define WARP_SSD_COMPACT_H

#include <stdint.h>

/* Of a store that nobody has open (WARP_EBUSY): a checked copy takes the file's
 * place by a rename, when a quarter of it is free. Needs room for the copy. The
 * bytes before and after are given back. */
int ssd_compact_store(const char *store, uint64_t *before, uint64_t *after);

#endif
