/* coaccess.h: which records are used together, learned while they are used.
 *
 * A use goes to a buffer of its thread; nothing that is shared is written. Runs
 * of 16 uses are taken, all of them at first and one in 32 later; a full run is
 * counted in the store's table: two records of one product belong together
 * when they were used within three uses of one thread. A node per record holds
 * its key, its count of uses and 16 links, of 8 bytes each. Counts are halved
 * as the table is used on, so what was once is forgotten. The table is bounded:
 * the node of its set that is used least gives way, once more newcomers came
 * than it has uses. Keys above 64 bytes are not learned. Nothing of it outlives
 * the process. */
#ifndef WARP_COACCESS_H
#define WARP_COACCESS_H

#include "heap.h"

enum { COACCESS_KEY_MAX = 64, COACCESS_LINKS = 16 };

struct coaccess;

/* Charged to the budget: at most a 128th of `memory` bytes. WARP_ENOMEM. */
int coaccess_create(struct budget *budget, uint64_t memory,
                    struct coaccess **coaccess);
void coaccess_destroy(struct coaccess **coaccess);

/* This thread used a record. True once in a run that was taken: a moment to
 * look at the record's partners. */
bool coaccess_touch(struct coaccess *coaccess, uint16_t product, uint64_t hash,
                    const uint8_t *key, uint32_t key_bytes);
/* What this thread has in its buffer counts from now on. */
void coaccess_settle(struct coaccess *coaccess);

struct coaccess_link {
    float weight; /* of the uses of either record, those of both; 0..1 */
    uint32_t key_bytes;
    uint64_t hash;
    uint8_t key[COACCESS_KEY_MAX];
};
/* Records that were used together with this one at least three times and in one
 * of eight uses. Returns their number. */
uint32_t coaccess_links(struct coaccess *coaccess, uint16_t product,
                        uint64_t hash,
                        struct coaccess_link links[COACCESS_LINKS]);

#endif
