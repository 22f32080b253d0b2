/* The peers that the runtime has as experts of its engine (LRU, ARC, LIRS,
 * S3-FIFO), each alone over a whole trace: the same code, so that a peer's
 * figure speaks for the expert too. */
#include <stdlib.h>

#include "place_cache.h"
#include "placement.h"

struct run {
    const struct placement_trace *trace;
    struct place_cache cache;
    struct place_link *links;
    struct place_trait *traits;
};

static void destroy(void *opaque)
{
    struct run *run = opaque;
    if (!run)
        return;
    free(run->links);
    free(run->traits);
    free(run);
}

static void *create(const struct placement_space *space,
                    enum place_expert_id expert)
{
    const struct placement_trace *t = space->trace;
    struct run *run = calloc(1, sizeof *run);
    if (!run)
        return NULL;
    run->trace = t;
    run->links = malloc((t->objects + 1u) * sizeof *run->links);
    run->traits = calloc(t->objects + 1u, sizeof *run->traits);
    if (!run->links || !run->traits) {
        destroy(run);
        return NULL;
    }
    for (uint32_t o = 0; o < t->objects; o++) {
        place_link_init(&run->links[o]);
        run->traits[o].bytes = t->bytes[o];
    }
    place_cache_init(&run->cache, space->capacity, run->links, run->traits,
                     &place_experts[expert]);
    return run;
}

static bool access_one(void *opaque, size_t at)
{
    struct run *run = opaque;
    uint32_t object = run->trace->object[at];
    bool hit = place_cache_access(&run->cache, object, (uint32_t)at);
    run->traits[object].last = (uint32_t)at;
    return hit;
}

static struct placement_moves moves(const void *opaque)
{
    const struct run *run = opaque;
    return (struct placement_moves){run->cache.admissions,
                                   run->cache.evictions};
}

static void *create_lru(const struct placement_space *space)
{
    return create(space, PLACE_LRU);
}

static void *create_arc(const struct placement_space *space)
{
    return create(space, PLACE_ARC);
}

static void *create_lirs(const struct placement_space *space)
{
    return create(space, PLACE_LIRS);
}

static void *create_s3fifo(const struct placement_space *space)
{
    return create(space, PLACE_S3FIFO);
}

const struct placement_policy placement_lru = {"lru", create_lru, access_one,
                                               moves, destroy};
const struct placement_policy placement_arc = {"arc", create_arc, access_one,
                                               moves, destroy};
const struct placement_policy placement_lirs = {"lirs", create_lirs,
                                                access_one, moves, destroy};
const struct placement_policy placement_s3fifo = {
    "s3fifo", create_s3fifo, access_one, moves, destroy};
