/* replace_ab.c: two strategies side by side, each on half of the keys with half
 * of the room.
 *
 * One decision in 128 is made by chance: any resident may leave. Each is logged
 * with the probability that it had, so that another strategy can be scored by
 * what was decided here, and with whether the object was asked for again. How
 * sure a difference is, is told from parts of the keys, as requests of one key
 * are no independent ones. */
#include "replace_part.h"

#include "error.h"

#include <math.h>
#include <stdlib.h>

static bool arm_from(struct replace_arm *arm, const char *name, size_t bytes)
{
    static const struct {
        const char *name;
        bool learning, lru;
    } known[] = {{"learned", true, false}, {"s3fifo", false, false},
                 {"lru", false, true}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].name) == bytes &&
            memcmp(known[i].name, name, bytes) == 0) {
            memcpy(arm->name, name, bytes);
            arm->learning = known[i].learning;
            arm->lru = known[i].lru;
            return true;
        }
    return false;
}

int replace_ab_open(const char *names, struct replace_ab **out)
{
    const char *comma = strchr(names, ',');
    struct replace_ab *ab = calloc(1, sizeof *ab);
    *out = NULL;
    if (!ab)
        return error_set(WARP_ENOMEM, "out of memory for two strategies");
    ab->random = UINT64_C(0x9e3779b97f4a7c15);
    if (!comma || !arm_from(&ab->arms[0], names, (size_t)(comma - names)) ||
        !arm_from(&ab->arms[1], comma + 1, strlen(comma + 1))) {
        free(ab);
        return error_set(WARP_EINVAL,
                         "options.placement_ab is \"%s\": name two of "
                         "learned, s3fifo, lru, as \"learned,s3fifo\"",
                         names);
    }
    *out = ab;
    return WARP_OK;
}

static uint64_t chance(struct replace_ab *ab)
{
    ab->random ^= ab->random << 13;
    ab->random ^= ab->random >> 7;
    ab->random ^= ab->random << 17;
    return ab->random;
}

static uint32_t residents_of(const struct replace_domain *d)
{
    struct place_stat stat;
    place_stat(d->place, &stat);
    return stat.residents ? stat.residents : 1;
}

/* Something has to leave for what comes in: sometimes that is anything. */
static void explore(struct replace_domain *d, uint32_t bytes)
{
    enum { TRIES = 32 };
    struct replace_ab *ab = d->replace->ab;
    struct place_stat stat;
    place_stat(d->place, &stat);
    if (stat.used_bytes + bytes <= stat.capacity_bytes ||
        chance(ab) % REPLACE_EXPLORE != 0)
        return;
    ab->exploring = true;
    for (int n = 0; n < TRIES; n++) {
        uint32_t number = (uint32_t)(chance(ab) % d->map.count);
        if (place_map_has(&d->map, number) && place_let_go(d->place, number))
            break;
    }
    ab->exploring = false;
}

/* While an object is out, its entry's hits are the place of the decision. */
static void came_back(struct replace_domain *d, struct place_entry *e)
{
    struct replace_ab *ab = d->replace->ab;
    struct replace_arm *arm = &ab->arms[d->arm];
    struct replace_decision *made =
        e->hits ? &ab->decisions[e->hits - 1] : NULL;
    if (!made || made->hash != e->hash || made->returned)
        return;
    made->returned = arm->count.hits + arm->count.misses - made->at_get + 1;
    /* Soon: before all that is there could have been asked for twice. */
    if (made->returned <= 2 * (uint64_t)residents_of(d))
        *(made->explored ? &arm->explored_returned : &arm->returned) += 1;
}

void replace_ab_use(struct replace_domain *d, const struct replace_use *use,
                    struct place_entry *e, bool held)
{
    struct replace_ab *ab = d->replace->ab;
    struct replace_arm *arm = &ab->arms[d->arm];
    uint32_t part = (uint32_t)(e->hash >> 13) % REPLACE_PARTS;
    if (use->kind == REPLACE_WRITES)
        return;
    replace_count_use(&arm->count, use, held);
    if (use->kind == REPLACE_TAKES || held) {
        arm->part_gets[part]++;
        arm->part_misses[part] += !held;
    }
    if (held)
        return;
    came_back(d, e);
    explore(d, use->bytes);
}

void replace_ab_decision(struct replace_domain *d, struct place_entry *e)
{
    struct replace_ab *ab = d->replace->ab;
    struct replace_arm *arm = &ab->arms[d->arm];
    uint32_t at = (uint32_t)(ab->made++ % REPLACE_DECISIONS);
    double by_chance = 1.0 / REPLACE_EXPLORE / residents_of(d);
    *(ab->exploring ? &arm->explored : &arm->decisions) += 1;
    ab->decisions[at] = (struct replace_decision){
        .hash = e->hash,
        .at_get = arm->count.hits + arm->count.misses,
        .propensity = (float)(ab->exploring
                                  ? by_chance
                                  : 1 - 1.0 / REPLACE_EXPLORE + by_chance),
        .arm = d->arm,
        .explored = ab->exploring};
    e->hits = (at + 1) & PLACE_HITS_MOST;
}

/* ---- for people ---- */

/* Of the mean miss ratio, from the parts that were asked for. */
static double deviation(const struct replace_arm *arm)
{
    double sum = 0, squares = 0;
    unsigned n = 0;
    for (unsigned i = 0; i < REPLACE_PARTS; i++) {
        if (arm->part_gets[i] == 0)
            continue;
        double x = (double)arm->part_misses[i] / (double)arm->part_gets[i];
        sum += x;
        squares += x * x;
        n++;
    }
    if (n < 2)
        return 1;
    double mean = sum / n, variance = (squares - n * mean * mean) / (n - 1);
    return sqrt(variance > 0 ? variance / n : 0);
}

bool replace_ab_stat(struct warp_db *db, struct replace_ab_stat out[2])
{
    struct replace *p = db->replace;
    if (!p || !p->ab)
        return false;
    os_lock(&p->lock);
    replace_learn(p);
    for (int a = 0; a < 2; a++) {
        const struct replace_arm *arm = &p->ab->arms[a];
        out[a] = (struct replace_ab_stat){
            .name = arm->name,
            .gets = arm->count.hits + arm->count.misses,
            .misses = arm->count.misses,
            .decisions = arm->decisions,
            .returned = arm->returned,
            .explored = arm->explored,
            .explored_returned = arm->explored_returned,
            .hit_ns = arm->count.hit_ns,
            .miss_ns = arm->count.miss_ns,
            .deviation = deviation(arm)};
        for (uint32_t i = 0; i < p->domain_count; i++) {
            struct place_stat stat;
            if (p->domains[i].arm != a || !p->domains[i].place)
                continue;
            place_stat(p->domains[i].place, &stat);
            out[a].capacity_bytes += stat.capacity_bytes;
            out[a].used_bytes += stat.used_bytes;
        }
    }
    os_unlock(&p->lock);
    return true;
}

uint32_t replace_ab_log(struct warp_db *db, struct replace_decision *to,
                        uint32_t room)
{
    struct replace *p = db->replace;
    uint32_t n = 0;
    if (!p || !p->ab)
        return 0;
    os_lock(&p->lock);
    uint64_t made = p->ab->made,
             from = made > REPLACE_DECISIONS ? made - REPLACE_DECISIONS : 0;
    if (made - from > room)
        from = made - room;
    for (; from < made; from++)
        to[n++] = p->ab->decisions[from % REPLACE_DECISIONS];
    os_unlock(&p->lock);
    return n;
}
