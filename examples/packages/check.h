/* What the example proves: the store against the source, in every way that a
 * program can ask for its records. Each call prints what is wrong. */
#ifndef PACKAGES_CHECK_H
#define PACKAGES_CHECK_H

#include <stddef.h>
#include <warp/warp.h>

#include "source.h"

enum { CHECK_SHARDS = 24 };

/** Each of the first `count` packages, field by field: what differs or is
 *  missing, 0 for nothing. `restarted`: the session's values must be lost. */
size_t check_records(struct warp_db *db, const struct source *source,
                     size_t count, bool restarted);

/** Scan, index and column over the whole store. */
size_t check_views(struct warp_db *db, const struct source *source);

/** Everything that one package pulls in, followed in the store and in the
 *  source; prints how much it is. */
size_t check_graph(struct warp_db *db, const struct source *source);

#endif
