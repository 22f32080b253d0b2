/* LHD (Beckmann, Chen, Cidon, NSDI '18): of 32 residents by chance the one with
 * the least hit density leaves, expected hits / expected bytes x time. The
 * density is a table by class (of the last two ages at a hit) and age, made
 * anew every 2^15 requests from what happened; it starts as 1 / age. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "placement.h"

enum {
    CLASSES = 16,
    AGES = 2048,
    CANDIDATES = 32,
    RECENT = 8,
    PERIOD = 1 << 15
};

struct object {
    uint32_t at;   /* place among the residents + 1; 0: outside */
    uint32_t last;
    uint32_t last_age, age_before; /* at its last hits, in steps */
};

struct run {
    const struct placement_trace *trace;
    uint64_t capacity, used;
    struct placement_moves moves;
    struct object *objects;
    uint32_t *residents, count;
    struct random random;
    unsigned shift; /* an age step is 2^shift requests */
    uint32_t recent[RECENT], newest;
    double victim_density; /* a fading mean */
    double density[CLASSES][AGES], hits[CLASSES][AGES], ends[CLASSES][AGES];
};

static void destroy(void *opaque)
{
    struct run *run = opaque;
    if (!run)
        return;
    free(run->objects);
    free(run->residents);
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
    run->random = random_seeded(space->seed);
    run->objects = calloc(t->objects + 1u, sizeof *run->objects);
    run->residents = calloc(t->objects + 1u, sizeof *run->residents);
    if (!run->objects || !run->residents) {
        destroy(run);
        return NULL;
    }
    /* Ages up to about ten times the residents have a step of their own. */
    double places = (double)space->capacity /
                    ((double)t->footprint / t->objects);
    while ((double)AGES * (double)(1u << run->shift) < 20 * places)
        run->shift++;
    for (unsigned c = 0; c < CLASSES; c++)
        for (unsigned a = 0; a < AGES; a++)
            run->density[c][a] = (c + 1.0) / (a + 1.0);
    return run;
}

static unsigned class_of(const struct object *o)
{
    uint64_t sum = (uint64_t)o->last_age + o->age_before;
    if (sum == 0)
        return CLASSES - 1;
    if (sum >= AGES)
        return 0;
    unsigned c = 0;
    for (uint64_t most = AGES; sum < most / 2 && c < CLASSES - 1; most /= 2)
        c++;
    return c;
}

static unsigned age_of(const struct run *run, const struct object *o,
                       size_t now)
{
    uint32_t age = ((uint32_t)now - o->last) >> run->shift;
    return age < AGES ? age : AGES - 1;
}

static double density_of(const struct run *run, uint32_t object, size_t now)
{
    const struct object *o = &run->objects[object];
    return run->density[class_of(o)][age_of(run, o, now)] /
           run->trace->bytes[object];
}

static void evict(struct run *run, size_t now)
{
    uint32_t worst = UINT32_MAX;
    double least = INFINITY;
    for (unsigned i = 0; i < CANDIDATES + RECENT; i++) {
        uint32_t object =
            i < CANDIDATES
                ? run->residents[random_below(&run->random, run->count)]
                : run->recent[i - CANDIDATES];
        if (!run->objects[object].at)
            continue;
        double d = density_of(run, object, now);
        if (d < least) {
            least = d;
            worst = object;
        }
    }
    struct object *o = &run->objects[worst];
    run->ends[class_of(o)][age_of(run, o, now)]++;
    run->victim_density = 0.9 * run->victim_density + 0.1 * least;
    run->count--;
    run->residents[o->at - 1] = run->residents[run->count];
    run->objects[run->residents[run->count]].at = o->at;
    o->at = 0;
    run->used -= run->trace->bytes[worst];
    run->moves.left++;
}

static void model(struct run *run)
{
    for (unsigned c = 0; c < CLASSES; c++) {
        double hits = 0, events = 0, life = 0;
        for (unsigned a = AGES; a-- > 0;) {
            run->hits[c][a] *= 0.9;
            run->ends[c][a] *= 0.9;
            hits += run->hits[c][a];
            events += run->hits[c][a] + run->ends[c][a];
            life += events;
            run->density[c][a] = events > 1e-5 ? hits / life : 0;
        }
    }
}

static bool access_one(void *opaque, size_t at)
{
    struct run *run = opaque;
    uint32_t object = run->trace->object[at], bytes = run->trace->bytes[object];
    struct object *o = &run->objects[object];
    if (at % PERIOD == PERIOD - 1)
        model(run);
    if (o->at) {
        unsigned age = age_of(run, o, at);
        run->hits[class_of(o)][age]++;
        o->age_before = o->last_age;
        o->last_age = age;
        o->last = (uint32_t)at;
        return true;
    }
    if (bytes > run->capacity)
        return false;
    while (run->used + bytes > run->capacity)
        evict(run, at);
    *o = (struct object){.last = (uint32_t)at, .age_before = AGES};
    run->residents[run->count] = object;
    o->at = ++run->count;
    run->used += bytes;
    run->moves.came++;
    if (density_of(run, object, at) < run->victim_density)
        run->recent[run->newest++ % RECENT] = object;
    return false;
}

static struct placement_moves moves(const void *run)
{
    return ((const struct run *)run)->moves;
}

const struct placement_policy placement_lhd = {"lhd", create, access_one,
                                               moves, destroy};
