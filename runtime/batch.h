/* batch.h: the ops of a batch, until they commit. */
#ifndef WARP_BATCH_H
#define WARP_BATCH_H

#include "db.h"

struct warp_batch {
    struct warp_db *db;
    struct op **ops;
    uint32_t count, room;
    bool power;
    int failed; /* the first error of an _in call: the commit gives it again */
    char why[256];
};

/* A new op at the end; the batch owns it. */
int batch_add(struct warp_batch *batch, const struct layout *l, int kind,
              struct op **op);
/* Remembers the first error, so that the commit is refused; gives the code. */
int batch_fail(struct warp_batch *batch, int code);

#endif
