/* coaccess.c: see coaccess.h. */
#include "coaccess.h"

#include "error.h"
#include "os.h"

#include <stdlib.h>
#include <string.h>

enum {
    RUN = 16,           /* uses that are taken in a row */
    NEAR = 3,           /* so far apart they are still together */
    EAGER_RUNS = 1024,  /* until then every run is taken */
    SKIPPED_RUNS = 7,   /* later, for one that is taken */
    WAYS = 4,           /* nodes of a set */
    NODES_MIN = 256,
    NODES_MAX = 1 << 16,
    UNIT = 16,          /* of counts: one use */
    SEEN_MIN = 3 * UNIT, /* together, to be called partners */
    COUNT_MAX = 60000
};
#define WEIGHT_MIN 0.125f

struct link {
    uint32_t node;
    uint16_t tag;   /* of the node's hash: another record may have its place */
    uint16_t count; /* uses together */
};

struct node {
    uint64_t hash;
    uint16_t product, key_bytes;
    uint16_t uses;  /* 0: the node is free */
    uint16_t epoch; /* when its counts were last halved */
    uint32_t next;  /* link: there a newcomer looks for a place */
    struct link links[COACCESS_LINKS];
    uint8_t key[COACCESS_KEY_MAX];
};

struct coaccess {
    uint64_t owner; /* what a thread's run is of */
    struct budget *budget;
    size_t bytes;
    uint32_t sets; /* a power of two */
    struct node *nodes;
    _Atomic uint64_t runs;
    struct os_lock lock; /* of the nodes */
};

struct use {
    uint64_t hash;
    uint16_t product, key_bytes;
    uint8_t key[COACCESS_KEY_MAX];
};

/* A thread's buffer. It points to nothing: stores come and go. */
static _Thread_local struct {
    uint64_t owner;
    uint32_t skip, count;
    struct use uses[RUN];
} mine;

int coaccess_create(struct budget *budget, uint64_t memory,
                    struct coaccess **out)
{
    static _Atomic uint64_t owners;
    struct coaccess *c = calloc(1, sizeof *c);
    uint32_t nodes = NODES_MIN;
    *out = NULL;
    if (!c)
        return error_set(WARP_ENOMEM, "out of memory for links of records");
    while (nodes < NODES_MAX &&
           nodes * 2 * sizeof(struct node) <= memory / 128)
        nodes *= 2;
    c->owner = atomic_fetch_add(&owners, 1) + 1;
    c->budget = budget;
    c->sets = nodes / WAYS;
    c->bytes = nodes * sizeof(struct node);
    c->nodes = os_reserve(c->bytes);
    if (!c->nodes || !budget_take(budget, c->bytes)) {
        if (c->nodes)
            os_unreserve(c->nodes, c->bytes);
        free(c);
        return error_set(WARP_ENOMEM, "no memory for links of records: raise "
                                      "memory_max_bytes");
    }
    *out = c;
    return WARP_OK;
}

void coaccess_destroy(struct coaccess **coaccess)
{
    struct coaccess *c = *coaccess;
    if (!c)
        return;
    os_unreserve(c->nodes, c->bytes);
    budget_give(c->budget, c->bytes);
    free(c);
    *coaccess = NULL;
}

/* ---- the table: under the lock ---- */

static uint16_t tag_of(uint64_t hash)
{
    return (uint16_t)(hash >> 48);
}

static struct node *set_of(struct coaccess *c, uint64_t hash)
{
    return &c->nodes[(size_t)(hash & (c->sets - 1)) * WAYS];
}

/* Once for each time that as many runs as there are nodes were counted. */
static void decay(struct coaccess *c, struct node *n)
{
    uint16_t now = (uint16_t)(atomic_load_explicit(&c->runs,
                                                   memory_order_relaxed) /
                              ((uint64_t)c->sets * WAYS));
    uint16_t passed = (uint16_t)(now - n->epoch);
    uint32_t shift = passed > 15 ? 15 : passed;
    if (n->uses > COUNT_MAX - UNIT)
        shift++;
    n->epoch = now;
    if (shift == 0)
        return;
    n->uses = (uint16_t)(n->uses >> shift);
    for (int i = 0; i < COACCESS_LINKS; i++)
        n->links[i].count = (uint16_t)(n->links[i].count >> shift);
}

static struct node *find_node(struct coaccess *c, uint16_t product,
                              uint64_t hash)
{
    struct node *set = set_of(c, hash);
    for (int i = 0; i < WAYS; i++)
        if (set[i].uses && set[i].hash == hash && set[i].product == product) {
            decay(c, &set[i]);
            return &set[i];
        }
    return NULL;
}

static struct node *make_node(struct coaccess *c, const struct use *use)
{
    struct node *set = set_of(c, use->hash), *least = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].uses)
            decay(c, &set[i]);
        if (set[i].uses < least->uses)
            least = &set[i];
    }
    uint16_t epoch = least->epoch;
    memset(least, 0, sizeof *least);
    least->hash = use->hash;
    least->product = use->product;
    least->key_bytes = use->key_bytes;
    least->epoch = epoch;
    decay(c, least);
    memcpy(least->key, use->key, use->key_bytes);
    return least;
}

/* The node of a link, or NULL: another record has its place. */
static struct node *follow(struct coaccess *c, const struct node *from,
                           const struct link *link)
{
    struct node *n = &c->nodes[link->node];
    if (link->count == 0 || n->uses == 0 || tag_of(n->hash) != link->tag ||
        n->product != from->product)
        return NULL;
    return n;
}

/* One more use of both. A newcomer takes a free place, else that of the oldest
 * one that came once: who comes again in time stays. Where there is none, the
 * weakest link pays. */
static void count_link(struct coaccess *c, struct node *from,
                       const struct node *to)
{
    uint32_t number = (uint32_t)(to - c->nodes);
    struct link *least = NULL;
    for (uint32_t i = 0; i < COACCESS_LINKS; i++) {
        struct link *l = &from->links[i];
        if (l->count && l->node == number && l->tag == tag_of(to->hash)) {
            l->count = (uint16_t)(l->count + UNIT);
            return;
        }
    }
    for (uint32_t i = 0; i < COACCESS_LINKS; i++) {
        uint32_t at = (from->next + i) % COACCESS_LINKS;
        struct link *l = &from->links[at];
        if (l->count <= UNIT) {
            *l = (struct link){number, tag_of(to->hash), UNIT};
            from->next = at + 1;
            return;
        }
        if (!least || l->count < least->count)
            least = l;
    }
    least->count = (uint16_t)(least->count - UNIT);
}

static bool same(const struct use *a, const struct use *b)
{
    return a->hash == b->hash && a->product == b->product;
}

/* Was one of these uses already counted with the record of `use`? */
static bool counted_with(uint32_t uses, const struct use *use)
{
    for (; uses; uses &= uses - 1)
        if (same(&mine.uses[__builtin_ctz(uses)], use))
            return true;
    return false;
}

static void count_run(struct coaccess *c)
{
    struct node *nodes[RUN];
    uint32_t pairs[RUN] = {0}; /* uses that each one was counted with */
    for (uint32_t j = 0; j < mine.count; j++) {
        const struct use *b = &mine.uses[j];
        nodes[j] = find_node(c, b->product, b->hash);
        if (!nodes[j])
            nodes[j] = make_node(c, b);
        nodes[j]->uses = (uint16_t)(nodes[j]->uses + UNIT);
        for (uint32_t i = j > NEAR ? j - NEAR : 0; i < j; i++) {
            const struct use *a = &mine.uses[i];
            /* Its node may have given way to another of this run. */
            if (same(a, b) || a->product != b->product ||
                nodes[i]->hash != a->hash || counted_with(pairs[i], b) ||
                counted_with(pairs[j], a))
                continue;
            pairs[i] |= 1u << j;
            pairs[j] |= 1u << i;
            count_link(c, nodes[i], nodes[j]);
            count_link(c, nodes[j], nodes[i]);
        }
    }
    atomic_fetch_add_explicit(&c->runs, 1, memory_order_relaxed);
}

/* ---- uses ---- */

static void begin_run(struct coaccess *c, bool skip)
{
    mine.owner = c->owner;
    mine.count = 0;
    mine.skip = skip && atomic_load_explicit(&c->runs, memory_order_relaxed) >=
                            EAGER_RUNS
                    ? SKIPPED_RUNS * RUN
                    : 0;
}

bool coaccess_touch(struct coaccess *c, uint16_t product, uint64_t hash,
                    const uint8_t *key, uint32_t key_bytes)
{
    if (mine.owner != c->owner)
        begin_run(c, false);
    if (mine.skip > 0) {
        mine.skip--;
        return false;
    }
    if (key_bytes > COACCESS_KEY_MAX)
        return false;
    struct use *use = &mine.uses[mine.count++];
    use->hash = hash;
    use->product = product;
    use->key_bytes = (uint16_t)key_bytes;
    memcpy(use->key, key, key_bytes);
    if (mine.count < RUN)
        return false;
    /* Whoever cannot count at once does not wait: the run is lost. */
    if (os_trylock(&c->lock)) {
        count_run(c);
        os_unlock(&c->lock);
    }
    begin_run(c, true);
    return true;
}

void coaccess_settle(struct coaccess *c)
{
    if (mine.owner != c->owner || mine.count == 0)
        return;
    os_lock(&c->lock);
    count_run(c);
    os_unlock(&c->lock);
    begin_run(c, true);
}

uint32_t coaccess_links(struct coaccess *c, uint16_t product, uint64_t hash,
                        struct coaccess_link out[COACCESS_LINKS])
{
    uint32_t count = 0;
    os_lock(&c->lock);
    struct node *from = find_node(c, product, hash);
    for (int i = 0; from && i < COACCESS_LINKS; i++) {
        const struct link *l = &from->links[i];
        struct node *to = follow(c, from, l);
        if (!to || to == from || l->count < SEEN_MIN)
            continue;
        decay(c, to);
        float both = l->count, either = (float)from->uses + to->uses - both;
        float weight = either > both ? both / either : 1;
        if (weight < WEIGHT_MIN)
            continue;
        struct coaccess_link *o = &out[count++];
        o->weight = weight;
        o->key_bytes = to->key_bytes;
        o->hash = to->hash;
        memcpy(o->key, to->key, to->key_bytes);
    }
    os_unlock(&c->lock);
    return count;
}
