/* Package metadata as text (the format of `apt-cache dumpavail`) -> paragraphs
 * with the fields that the example stores. Everything points into the text. */
#ifndef PACKAGES_SOURCE_H
#define PACKAGES_SOURCE_H

#include <stdint.h>
#include <warp/warp.h>

#include "packages.warp.h"

enum { SOURCE_EDGES_MAX = 4096 };

struct source_package {
    struct warp_str name, version, section;
    struct warp_str text;                             /* the whole paragraph */
    struct warp_str pre_depends, depends, recommends; /* as written */
    uint64_t installed_kib;
    enum deb_priority priority;
};

struct source {
    char *text;
    size_t bytes;
    struct source_package *packages; /* one of each name, sorted */
    size_t count;
    size_t repeated; /* further paragraphs of such names */
};

/** 0, or -1 with the reason on standard error. */
int source_read(const char *path, struct source *source);
void source_free(struct source *source);

/** The edges of one package; the count is at most SOURCE_EDGES_MAX. */
uint32_t source_edges(const struct source_package *package,
                      struct deb_dependency edges[SOURCE_EDGES_MAX]);

/** NULL when it is not there. */
const struct source_package *source_find(const struct source *source,
                                         struct warp_str name);

#endif
