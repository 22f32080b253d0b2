/* series_choice.h: which records' copies stay in memory, where the share of
 * series_resident.h is too small for all: the engine of place.h over records.
 *
 * The policy alone, and no lock: one thread at a time. Its memory is charged to
 * the budget, whether there is room or not. */
#ifndef WARP_SERIES_CHOICE_H
#define WARP_SERIES_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "heap.h"

struct choice;

/* learning: false: S3-FIFO alone. leave: the record's copies go; it may call
 * choice_has alone. NULL: no memory. */
struct choice *choice_create(struct budget *budget, uint64_t capacity_bytes,
                             bool learning,
                             void (*leave)(void *owner, uint64_t hash),
                             void *owner);
void choice_destroy(struct choice **choice);
/* A use of a record whose copies take so many bytes. prior: place_prior of a
 * new one. Without memory it is as if it had not been. */
void choice_use(struct choice *c, uint64_t hash, uint32_t bytes, int prior);
/* They take so many now: no use, but of one that was not among those that
 * stay. */
void choice_size(struct choice *c, uint64_t hash, uint32_t bytes, int prior);
/* Is it among those that stay? */
bool choice_has(const struct choice *c, uint64_t hash);
/* Its copies are gone by age, or could not be made. */
void choice_left(struct choice *c, uint64_t hash);
/* What does not fit leaves. */
void choice_resize(struct choice *c, uint64_t capacity_bytes);
uint64_t choice_used(const struct choice *c);
uint64_t choice_capacity(const struct choice *c);
/* All that are among those that stay and of which `gone` says so leave. */
void choice_audit(struct choice *c, bool (*gone)(void *owner, uint64_t hash),
                  void *owner);

#endif
