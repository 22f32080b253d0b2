/* ssd_redo.h: the steps of a write transaction, kept to do them again when the
 * map was full. */
#ifndef WARP_SSD_REDO_H
#define WARP_SSD_REDO_H

#include "ssd.h"

enum ssd_step_kind { SSD_STEP_PUT, SSD_STEP_DEL, SSD_STEP_DEL_RANGE };

struct ssd_step {
    enum ssd_step_kind kind;
    enum ssd_table table;
    struct ssd_slice a, b; /* key and value, key, or both ends */
};

struct ssd_redo {
    uint8_t *bytes;
    size_t used, capacity;
};

int ssd_redo_add(struct ssd_redo *redo, const struct ssd_step *step);
/* The step at *at, which moves on; false: that was all. The slices point into
 * the redo list. */
bool ssd_redo_next(const struct ssd_redo *redo, size_t *at,
                   struct ssd_step *step);
void ssd_redo_clear(struct ssd_redo *redo);
void ssd_redo_free(struct ssd_redo *redo);

#endif
