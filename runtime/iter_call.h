/* iter_call.h: beginnings that all iterator calls share. */
#ifndef WARP_ITER_CALL_H
#define WARP_ITER_CALL_H

#include "iter.h"

/* Checks the handle and makes an empty iterator; *out becomes NULL. */
int iter_enter(struct warp_db *db, const struct warp_product *desc,
               struct warp_iter **out, struct warp_iter **it);
int iter_check(const struct warp_iter *it, const struct warp_product *desc,
               enum iter_kind kind);

#endif
