/* sample.h: what the process uses, in time, and whether that is flat. */
#ifndef LONG_SAMPLE_H
#define LONG_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

struct sample {
    uint64_t anonymous_bytes; /* resident, without pages of files */
    uint64_t allocated_bytes; /* by malloc, in use */
    uint32_t descriptors; /* but one for each segment of a store */
};

/* store: the one that is open, or NULL. */
void sample_take(struct sample *sample, const char *store);
uint64_t sample_disk_bytes(const char *dir);

/* Samples of one kind, in order. */
struct samples {
    struct sample *list;
    uint32_t count, room;
};
void samples_add(struct samples *samples, const struct sample *sample);
/* Nothing in the last quarter is above the second one, but for a twentieth and
 * so many bytes; descriptors are not more. Says how it is. */
bool samples_flat(const struct samples *samples, const char *name,
                  uint64_t anonymous_slack, uint64_t allocated_slack);

#endif
