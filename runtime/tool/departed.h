/* departed.h: keys that left a shard, and when, by the log: what a shard logged
 * of a key until then is older than what is logged of it elsewhere. */
#ifndef WARP_TOOL_DEPARTED_H
#define WARP_TOOL_DEPARTED_H

#include "../op.h"

struct departed_key {
    uint64_t key; /* its hash */
    uint64_t seq;
    uint32_t shard;
};

struct departed {
    struct departed_key *list;
    size_t count, room;
};

int departed_add(struct departed *departed, const struct op *op,
                 uint32_t shard, uint64_t seq);
/* Once, behind the last one. */
void departed_sort(struct departed *departed);
/* Did the key leave the shard with this commit, or later? */
bool departed_has(const struct departed *departed, const struct op *op,
                  uint32_t shard, uint64_t seq);
void departed_free(struct departed *departed);

#endif
