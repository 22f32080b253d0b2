/* SIEVE (Zhang et al., NSDI '24): one queue in the order of arrival, a bit for
 * "used", a hand that goes from the oldest to the newest. */
#include "placement.h"
#include "placement_queue.h"

struct run {
    const struct placement_trace *trace;
    uint64_t capacity;
    struct placement_moves moves;
    struct queue_links links;
    struct queue queue;
    uint8_t *used;
    uint32_t hand;
};

static void destroy(void *opaque)
{
    struct run *run = opaque;
    if (!run)
        return;
    queue_links_fini(&run->links);
    free(run->used);
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
    run->queue = queue_empty(0);
    run->hand = QUEUE_NONE;
    run->used = calloc(t->objects + 1u, 1);
    if (queue_links_init(&run->links, t->objects, t->bytes) != 0 ||
        !run->used) {
        destroy(run);
        return NULL;
    }
    return run;
}

static void evict(struct run *run)
{
    uint32_t at = run->hand != QUEUE_NONE ? run->hand : run->queue.tail;
    while (run->used[at]) {
        run->used[at] = 0;
        at = run->links.prev[at];
        if (at == QUEUE_NONE)
            at = run->queue.tail;
    }
    run->hand = run->links.prev[at];
    queue_remove(&run->links, &run->queue, at);
    run->moves.left++;
}

static bool access_one(void *opaque, size_t at)
{
    struct run *run = opaque;
    uint32_t object = run->trace->object[at];
    if (run->links.where[object]) {
        run->used[object] = 1;
        return true;
    }
    uint32_t bytes = run->trace->bytes[object];
    if (bytes > run->capacity)
        return false;
    while (run->queue.bytes + bytes > run->capacity)
        evict(run);
    run->used[object] = 0;
    queue_push(&run->links, &run->queue, object);
    run->moves.came++;
    return false;
}

static struct placement_moves moves(const void *run)
{
    return ((const struct run *)run)->moves;
}

const struct placement_policy placement_sieve = {"sieve", create, access_one,
                                                 moves, destroy};
