/* import.h: records as text into an open store. */
#ifndef WARP_TOOL_IMPORT_H
#define WARP_TOOL_IMPORT_H

#include "tool.h"

enum import_format {
    IMPORT_JSON,   /* an array of objects */
    IMPORT_NDJSON, /* objects, one behind the other */
    IMPORT_CSV     /* the first line names the fields */
};

/* A file, or the part of it that is in memory. */
struct import_text {
    const char *name; /* of the file, for messages */
    const char *data;
    size_t bytes;
    struct tool_bar *bar;
    uint64_t done; /* records that are in the store */
    /* NULL: data is all. Else: the last `keep` bytes move to the front of data
     * and more are read behind them. 1, 0: there are none, or an error. */
    int (*more)(struct import_text *, size_t keep);
    void *arg;
    uint64_t passed, all; /* bytes before data; of the file, 0: not known */
};

/* WARP_EINVAL names file and line; what stands before it is in the store. */
int import_records(struct warp_db *db, const struct warp_product *product,
                   enum import_format format, struct import_text *text);

#endif
