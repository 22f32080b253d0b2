/* look.h: what is known of a record without reading its values: states, tiers,
 * sizes, deadlines. For people: statistics and `warp explain`. */
#ifndef WARP_LOOK_H
#define WARP_LOOK_H

#include "db.h"

struct look {
    bool exists;
    uint64_t version;
    uint32_t shard;    /* where it is */
    uint64_t have;     /* fields with a value that is not past its deadline */
    uint64_t expired, lost;
    uint64_t resident; /* of have: the value is in memory */
    uint64_t unsaved;  /* of have: no tier holds this value yet */
    int64_t deadline;  /* of the record; 0: none */
    int64_t deadlines[56];
    uint32_t bytes[56]; /* of the value */
    struct disk_place place[56];
    /* What the record's numbers say (weight.h); without the role: none. */
    double mass, half_life, temperature;
    uint32_t passes;
};

/* WARP_OK also when there is no record. */
int look_at(struct warp_db *db, const struct layout *l,
            const struct key_ref *key, struct look *look);

#endif
