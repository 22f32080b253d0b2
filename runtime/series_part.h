/* series_part.h: what series.c and series_expire.c share. */
#ifndef WARP_SERIES_PART_H
#define WARP_SERIES_PART_H

#include "pending.h"
#include "series.h"

enum {
    SERIES_HEAD_BYTES = 3,
    SERIES_ELEMENT_KEY = 16,
    /* one less than fits, so that a key never has SSD_KEY_BYTES_MAX bytes,
       and one more for a bound just behind an element */
    SERIES_ESCAPED_MAX =
        SSD_KEY_BYTES_MAX - SERIES_HEAD_BYTES - SERIES_ELEMENT_KEY - 2
};

/* What is known of the oldest element of a field in the table. */
struct series_age {
    uint8_t head[SERIES_HEAD_BYTES]; /* product, field */
    bool walking;     /* a walk over all records is under way */
    int64_t oldest;   /* no element is older; INT64_MIN: not known */
    int64_t oldest_now; /* of the transaction under way */
    uint32_t at_bytes;
    uint8_t at[SSD_KEY_BYTES_MAX]; /* where the walk goes on */
};

struct series {
    struct ssd *ssd;
    struct pending *pending;
    struct series_age *ages; /* of the checkpoint's thread */
    uint32_t age_count;
};

void series_head(uint8_t *to, const struct layout *l, uint32_t field);
void series_element_key(uint8_t *to, int64_t at_ms, uint64_t order);
int64_t series_element_at(const uint8_t *key);
/* A group's name as the beginning of its keys in the table. */
uint32_t series_prefix(const uint8_t *name, uint32_t bytes, uint8_t *to);
/* Does the retention of a field end in a delete, and at which age? */
bool series_age_end(const struct layout *l, uint32_t field, int64_t *age_ms);
int64_t series_first_alive(int64_t now_ms, int64_t age_ms);
/* An element of this time is written to the table. */
int series_note_age(struct series *series, const uint8_t *head,
                    int64_t at_ms);
/* A transaction begins. */
void series_new_ages(struct series *series);
/* A checkpoint failed: what it removed is there again. */
void series_forget_ages(struct series *series);

#endif
