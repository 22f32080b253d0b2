/* claim.h: whose a directory outside of its store is: rings, ssd, disk or
 * archive.
 *
 * A store that was copied names the directories of the other, and two that
 * write there destroy each other. So the file `of-store` in each such directory
 * has, as sealed lines: "warp tier 1", "store " and the store's id in hex,
 * "at " and where the store is, "dir " and the directory itself, by which one
 * that was copied is known. */
#ifndef WARP_CLAIM_H
#define WARP_CLAIM_H

#include "header.h"

/* All directories outside of the store, which the header names: they are this
 * store's, or nobody's and become it (write). fresh: the store is being made.
 * WARP_EINVAL: another store's, or of one of which this is a copy. */
int claim_all(const struct header *header, const char *store, bool fresh,
              bool write);
/* The archive's directory, if it is outside of the store and there. A copy is
 * told to have its own inside of it, where every open looks first. */
int claim_archive(const uint8_t store_id[16], const char *store,
                  const char *archive, bool write);
/* An option names another directory for segments than `before`, which still
 * has some. WARP_EINVAL: the other has none. */
int claim_moved(const struct header *before, const struct header *after,
                const char *store);

#endif
