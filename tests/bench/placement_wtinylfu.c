/* W-TinyLFU (Einziger, Friedman, Manes, ACM ToS '17) with the adaptive window
 * of Middleware '18: newcomers pass an LRU window; to enter the main part (LRU
 * of two segments) one must have been seen more often than what it replaces,
 * by a sketch of 4-bit counters that is halved now and then. A hill climber
 * moves the border between window and main part by the hit rate. */
#include <math.h>
#include <string.h>

#include "placement.h"
#include "placement_queue.h"

enum { ROWS = 4, MOST = 15, WINDOW, PROBATION, PROTECTED, QUEUES };
/* The climber's steps, as shares of the cache, and when it starts anew. */
static const double first_step = 0.0625, step_decay = 0.98, restart = 0.05;

struct run {
    const struct placement_trace *trace;
    uint64_t capacity, seed;
    struct placement_moves moves;
    struct queue_links links;
    struct queue queues[QUEUES];
    uint8_t *sketch;
    uint32_t mask;
    uint64_t counted, period; /* period: uses until counters are halved */
    double window, step;      /* window: share of the cache */
    uint64_t hits, requests;
    double last_rate;
};

static void destroy(void *opaque)
{
    struct run *run = opaque;
    if (!run)
        return;
    queue_links_fini(&run->links);
    free(run->sketch);
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
    run->seed = space->seed;
    double each = (double)t->footprint / t->objects;
    double places = ceil((double)space->capacity / each);
    uint32_t slots = 64;
    while (slots < places)
        slots *= 2;
    run->mask = slots - 1;
    run->sketch = calloc(slots, ROWS);
    run->period = (uint64_t)(10 * places) + 1;
    run->window = 0.01;
    run->step = first_step;
    for (uint8_t q = WINDOW; q < QUEUES; q++)
        run->queues[q] = queue_empty(q);
    if (queue_links_init(&run->links, t->objects, t->bytes) != 0 ||
        !run->sketch) {
        destroy(run);
        return NULL;
    }
    return run;
}

static uint8_t *counter(const struct run *run, unsigned row, uint32_t object)
{
    uint64_t h = random_mix(run->trace->key[object] + row * 0x9e3779b9u +
                            run->seed);
    return &run->sketch[row * (run->mask + 1u) + ((uint32_t)h & run->mask)];
}

static unsigned estimate(const struct run *run, uint32_t object)
{
    unsigned least = MOST;
    for (unsigned row = 0; row < ROWS; row++) {
        unsigned n = *counter(run, row, object);
        least = n < least ? n : least;
    }
    return least;
}

static void count(struct run *run, uint32_t object)
{
    for (unsigned row = 0; row < ROWS; row++) {
        uint8_t *n = counter(run, row, object);
        if (*n < MOST)
            ++*n;
    }
    if (++run->counted < run->period)
        return;
    for (size_t i = 0; i < ROWS * (run->mask + (size_t)1); i++)
        run->sketch[i] >>= 1;
    run->counted /= 2;
}

static void move(struct run *run, uint32_t object, int to)
{
    int from = run->links.where[object] - 1;
    if (from >= 0)
        queue_remove(&run->links, &run->queues[from], object);
    queue_push(&run->links, &run->queues[to], object);
}

static void climb(struct run *run, bool hit)
{
    run->hits += hit;
    if (++run->requests < run->period)
        return;
    double rate = (double)run->hits / (double)run->requests,
           change = rate - run->last_rate;
    double amount = change >= 0 ? run->step : -run->step;
    run->step = fabs(change) >= restart
                    ? (amount >= 0 ? first_step : -first_step)
                    : step_decay * amount;
    run->window += amount;
    if (run->window < 0.005)
        run->window = 0.005;
    if (run->window > 0.8)
        run->window = 0.8;
    run->last_rate = rate;
    run->hits = run->requests = 0;
}

static uint64_t window_bytes(const struct run *run)
{
    uint64_t bytes = (uint64_t)(run->window * (double)run->capacity);
    return bytes > 0 ? bytes : 1;
}

static void shrink_protected(struct run *run)
{
    uint64_t most = (run->capacity - window_bytes(run)) / 5 * 4;
    while (run->queues[PROTECTED].bytes > most &&
           run->queues[PROTECTED].tail != QUEUE_NONE)
        move(run, run->queues[PROTECTED].tail, PROBATION);
}

static uint64_t held(const struct run *run)
{
    return run->queues[WINDOW].bytes + run->queues[PROBATION].bytes +
           run->queues[PROTECTED].bytes;
}

/* The window's oldest goes to the main part and duels with its oldest there
 * until everything has room. */
static void settle(struct run *run)
{
    uint32_t candidate = QUEUE_NONE;
    while (run->queues[WINDOW].bytes > window_bytes(run)) {
        candidate = run->queues[WINDOW].tail;
        move(run, candidate, PROBATION);
        if (held(run) <= run->capacity)
            continue;
        uint32_t victim = run->queues[PROBATION].tail;
        if (victim == candidate && run->queues[PROTECTED].tail != QUEUE_NONE)
            victim = run->queues[PROTECTED].tail;
        if (victim != candidate &&
            estimate(run, candidate) <= estimate(run, victim))
            victim = candidate;
        queue_remove(&run->links,
                     &run->queues[run->links.where[victim] - 1], victim);
        run->moves.left++;
    }
    while (held(run) > run->capacity) {
        int q = run->queues[PROBATION].tail != QUEUE_NONE   ? PROBATION
                : run->queues[PROTECTED].tail != QUEUE_NONE ? PROTECTED
                                                            : WINDOW;
        queue_remove(&run->links, &run->queues[q], run->queues[q].tail);
        run->moves.left++;
    }
}

static bool access_one(void *opaque, size_t at)
{
    struct run *run = opaque;
    uint32_t object = run->trace->object[at];
    int where = run->links.where[object] - 1;
    bool hit = where >= 0;
    count(run, object);
    climb(run, hit);
    if (hit) {
        move(run, object, where == WINDOW ? WINDOW : PROTECTED);
        shrink_protected(run);
    } else if (run->trace->bytes[object] <= run->capacity) {
        move(run, object, WINDOW);
        run->moves.came++;
        settle(run);
    }
    return hit;
}

static struct placement_moves moves(const void *run)
{
    return ((const struct run *)run)->moves;
}

const struct placement_policy placement_wtinylfu = {
    "wtinylfu", create, access_one, moves, destroy};
