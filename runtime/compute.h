/* compute.h: kernels of a schema over a store. */
#ifndef WARP_COMPUTE_H
#define WARP_COMPUTE_H

#include "derive.h"

/* When a store opens. */
void compute_init(struct warp_db *db);

#endif
