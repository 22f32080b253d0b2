/* scan_row.h: a row of the directory as a C struct, without a record. */
#ifndef WARP_SCAN_ROW_H
#define WARP_SCAN_ROW_H

#include "row.h"

/* May a row answer for these fields at all? Not for what only memory, a tier,
 * a clock or a formula knows. */
bool scan_row_may(const struct layout *l, uint64_t fields);
/* As read_record() for a row that is the record. 1: the record must be asked,
 * because the row has another form or a deadline. */
int scan_row(const struct layout *l, struct ssd_slice row, uint64_t fields,
             void *out, struct warp_arena *arena);

#endif
