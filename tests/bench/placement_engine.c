/* The engine of the runtime as a policy of the harness, as it is and with its
 * learner off. */
#include <stdlib.h>

#include "place.h"
#include "placement.h"

struct run {
    const struct placement_trace *trace;
    struct place *place;
    uint32_t saves_ns;
};

static void destroy(void *opaque)
{
    struct run *run = opaque;
    place_destroy(&run->place);
    free(run);
}

static void *create_with(const struct placement_space *space, bool learning)
{
    struct run *run = calloc(1, sizeof *run);
    if (!run)
        return NULL;
    run->trace = space->trace;
    struct place_options options = {.capacity_bytes = space->capacity,
                                    .seed = space->seed,
                                    .learning = learning,
                                    .move_ns =
                                        (uint32_t)(space->move_us * 1e3)};
    run->saves_ns = (uint32_t)(space->saves_us * 1e3);
    run->place = place_create(&options);
    if (!run->place) {
        free(run);
        return NULL;
    }
    return run;
}

static void *create(const struct placement_space *space)
{
    return create_with(space, true);
}

static void *create_fallback(const struct placement_space *space)
{
    return create_with(space, false);
}

static bool access_one(void *opaque, size_t at)
{
    struct run *run = opaque;
    uint32_t object = run->trace->object[at];
    struct place_request request = {object, run->trace->bytes[object],
                                    run->trace->key[object],
                                    .saves_ns = run->saves_ns};
    return place_access(run->place, &request) == 1;
}

static struct placement_moves moves(const void *opaque)
{
    struct place_stat stat;
    place_stat(((const struct run *)opaque)->place, &stat);
    return (struct placement_moves){stat.admissions, stat.evictions};
}

const struct placement_policy placement_engine = {"engine", create, access_one,
                                                  moves, destroy};
const struct placement_policy placement_fallback = {
    "fallback", create_fallback, access_one, moves, destroy};
