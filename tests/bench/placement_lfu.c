/* LFU: the one that was used least often since it came in leaves; of several,
 * the one that was used longest ago. A heap by (uses, last use). */
#include <stdlib.h>

#include "placement.h"

struct run {
    const struct placement_trace *trace;
    uint64_t capacity, used;
    struct placement_moves moves;
    uint64_t *rank;    /* of each object: uses << 32 | last use */
    uint32_t *at, *heap; /* at: place in the heap + 1; 0: outside */
    uint32_t count;
};

static void destroy(void *opaque)
{
    struct run *run = opaque;
    if (!run)
        return;
    free(run->rank);
    free(run->at);
    free(run->heap);
    free(run);
}

static void *create(const struct placement_space *space)
{
    const struct placement_trace *t = space->trace;
    struct run *run = calloc(1, sizeof *run);
    if (!run)
        return NULL;
    run->trace = t;
    run->capacity = space->capacity;
    run->rank = calloc(t->objects + 1u, sizeof *run->rank);
    run->at = calloc(t->objects + 1u, sizeof *run->at);
    run->heap = calloc(t->objects + 1u, sizeof *run->heap);
    if (!run->rank || !run->at || !run->heap) {
        destroy(run);
        return NULL;
    }
    return run;
}

static void put(struct run *run, uint32_t at, uint32_t object)
{
    run->heap[at] = object;
    run->at[object] = at + 1;
}

static void sift_down(struct run *run, uint32_t at, uint32_t object)
{
    for (;;) {
        uint32_t down = 2 * at + 1;
        if (down >= run->count)
            break;
        if (down + 1 < run->count && run->rank[run->heap[down + 1]] <
                                         run->rank[run->heap[down]])
            down++;
        if (run->rank[run->heap[down]] >= run->rank[object])
            break;
        put(run, at, run->heap[down]);
        at = down;
    }
    put(run, at, object);
}

static void sift_up(struct run *run, uint32_t at, uint32_t object)
{
    while (at > 0) {
        uint32_t up = (at - 1) / 2;
        if (run->rank[run->heap[up]] <= run->rank[object])
            break;
        put(run, at, run->heap[up]);
        at = up;
    }
    put(run, at, object);
}

static bool access_one(void *opaque, size_t at)
{
    struct run *run = opaque;
    uint32_t object = run->trace->object[at];
    if (run->at[object]) {
        run->rank[object] = ((run->rank[object] >> 32) + 1) << 32 | at;
        sift_down(run, run->at[object] - 1, object);
        return true;
    }
    uint32_t bytes = run->trace->bytes[object];
    if (bytes > run->capacity)
        return false;
    while (run->used + bytes > run->capacity) {
        uint32_t out = run->heap[0];
        run->used -= run->trace->bytes[out];
        run->at[out] = 0;
        run->moves.left++;
        if (--run->count > 0)
            sift_down(run, 0, run->heap[run->count]);
    }
    run->used += bytes;
    run->rank[object] = UINT64_C(1) << 32 | at;
    sift_up(run, run->count++, object);
    run->moves.came++;
    return false;
}

static struct placement_moves moves(const void *run)
{
    return ((const struct run *)run)->moves;
}

const struct placement_policy placement_lfu = {"lfu", create, access_one,
                                               moves, destroy};
