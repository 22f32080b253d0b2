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
    SKIPPED_RUNS = 31,  /* later, for one that is taken */
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

/* A node in two parts: the heads of a set fill one line of the cache. */
struct head {
    uint64_t hash;
    uint16_t product, key_bytes;
    uint16_t uses;  /* 0: the node is free */
    uint16_t epoch; /* when its counts were last halved */
};

struct node {
    struct link links[COACCESS_LINKS];
    uint8_t key[COACCESS_KEY_MAX];
    uint16_t next;  /* link: there a newcomer looks for a place */
    uint16_t asked; /* newcomers that wanted the node's place */
};

struct coaccess {
    uint64_t owner; /* what a thread's run is of */
    struct budget *budget;
    size_t head_bytes, node_bytes;
    uint32_t sets; /* a power of two */
    struct head *heads;
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
    const size_t each = sizeof(struct head) + sizeof(struct node);
    while (nodes < NODES_MAX && nodes * 2 * each <= memory / 128)
        nodes *= 2;
    c->owner = atomic_fetch_add(&owners, 1) + 1;
    c->budget = budget;
    c->sets = nodes / WAYS;
    c->head_bytes = nodes * sizeof(struct head);
    c->node_bytes = nodes * sizeof(struct node);
    if (!budget_take(budget, c->head_bytes + c->node_bytes)) {
        free(c);
        return error_set(WARP_ENOMEM, "no memory for links of records: raise "
                                      "memory_max_bytes");
    }
    c->heads = os_reserve(c->head_bytes);
    c->nodes = os_reserve(c->node_bytes);
    *out = c;
    if (c->heads && c->nodes)
        return WARP_OK;
    coaccess_destroy(out);
    return error_set(WARP_ENOMEM, "no address space for links of records");
}

void coaccess_destroy(struct coaccess **coaccess)
{
    struct coaccess *c = *coaccess;
    if (!c)
        return;
    if (c->heads)
        os_unreserve(c->heads, c->head_bytes);
    if (c->nodes)
        os_unreserve(c->nodes, c->node_bytes);
    budget_give(c->budget, c->head_bytes + c->node_bytes);
    free(c);
    *coaccess = NULL;
}

/* ---- the table: under the lock ---- */

static uint16_t tag_of(uint64_t hash)
{
    return (uint16_t)(hash >> 48);
}

enum { NO_NODE = UINT32_MAX };

/* The first node of the set that a hash belongs to. */
static uint32_t set_of(const struct coaccess *c, uint64_t hash)
{
    return (uint32_t)(hash & (c->sets - 1)) * WAYS;
}

/* Once for each time that as many runs as there are nodes were counted. */
static void decay(struct coaccess *c, uint32_t number)
{
    struct head *h = &c->heads[number];
    struct node *n = &c->nodes[number];
    uint16_t now = (uint16_t)(atomic_load_explicit(&c->runs,
                                                   memory_order_relaxed) /
                              ((uint64_t)c->sets * WAYS));
    uint16_t passed = (uint16_t)(now - h->epoch);
    uint32_t shift = passed > 15 ? 15 : passed;
    if (h->uses > COUNT_MAX - UNIT)
        shift++;
    h->epoch = now;
    if (shift == 0)
        return;
    h->uses = (uint16_t)(h->uses >> shift);
    n->asked = (uint16_t)(n->asked >> shift);
    for (int i = 0; i < COACCESS_LINKS; i++)
        n->links[i].count = (uint16_t)(n->links[i].count >> shift);
}

static uint32_t find_node(struct coaccess *c, uint16_t product, uint64_t hash)
{
    uint32_t at = set_of(c, hash);
    for (uint32_t i = at; i < at + WAYS; i++) {
        const struct head *h = &c->heads[i];
        if (h->uses && h->hash == hash && h->product == product) {
            decay(c, i);
            return i;
        }
    }
    return NO_NODE;
}

/* A newcomer takes a free place, else that of the node that is used least, once
 * more have asked for it than the node has uses: else whoever comes once would
 * drive out one of four that are used much. NO_NODE: not yet. */
static uint32_t make_node(struct coaccess *c, const struct use *use)
{
    uint32_t at = set_of(c, use->hash), least = at;
    for (uint32_t i = at; i < at + WAYS; i++) {
        if (c->heads[i].uses)
            decay(c, i);
        if (c->heads[i].uses < c->heads[least].uses)
            least = i;
    }
    struct head *h = &c->heads[least];
    struct node *n = &c->nodes[least];
    if (h->uses && ++n->asked * UNIT <= h->uses)
        return NO_NODE;
    memset(n, 0, sizeof *n);
    *h = (struct head){.hash = use->hash, .product = use->product,
                       .key_bytes = use->key_bytes, .epoch = h->epoch};
    decay(c, least);
    memcpy(n->key, use->key, use->key_bytes);
    return least;
}

/* The node of a link, or NO_NODE: another record has its place. */
static uint32_t follow(const struct coaccess *c, uint32_t from,
                       const struct link *link)
{
    const struct head *h = &c->heads[link->node];
    return link->count && h->uses && tag_of(h->hash) == link->tag &&
                   h->product == c->heads[from].product
               ? link->node
               : NO_NODE;
}

/* One more use of both. A newcomer takes a free place, else that of the oldest
 * one that came once: who comes again in time stays. Where there is none, the
 * weakest link pays. */
static void count_link(struct coaccess *c, uint32_t from, uint32_t to)
{
    struct node *n = &c->nodes[from];
    struct link *least = NULL;
    uint16_t tag = tag_of(c->heads[to].hash);
    for (uint32_t i = 0; i < COACCESS_LINKS; i++) {
        struct link *l = &n->links[i];
        if (l->count && l->node == to && l->tag == tag) {
            l->count = (uint16_t)(l->count + UNIT);
            return;
        }
    }
    for (uint32_t i = 0; i < COACCESS_LINKS; i++) {
        uint32_t at = (n->next + i) % COACCESS_LINKS;
        struct link *l = &n->links[at];
        if (l->count <= UNIT) {
            *l = (struct link){to, tag, UNIT};
            n->next = (uint16_t)(at + 1);
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
    uint32_t nodes[RUN];
    uint32_t pairs[RUN] = {0}; /* uses that each one was counted with */
    for (uint32_t j = 0; j < mine.count; j++) {
        const struct use *b = &mine.uses[j];
        nodes[j] = find_node(c, b->product, b->hash);
        if (nodes[j] == NO_NODE)
            nodes[j] = make_node(c, b);
        if (nodes[j] == NO_NODE)
            continue;
        struct head *h = &c->heads[nodes[j]];
        h->uses = (uint16_t)(h->uses + UNIT);
        for (uint32_t i = j > NEAR ? j - NEAR : 0; i < j; i++) {
            const struct use *a = &mine.uses[i];
            /* Its node may have given way to another of this run. */
            if (nodes[i] == NO_NODE || same(a, b) ||
                a->product != b->product ||
                c->heads[nodes[i]].hash != a->hash ||
                counted_with(pairs[i], b) || counted_with(pairs[j], a))
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
    uint32_t from = find_node(c, product, hash);
    for (int i = 0; from != NO_NODE && i < COACCESS_LINKS; i++) {
        const struct link *l = &c->nodes[from].links[i];
        uint32_t to = follow(c, from, l);
        if (to == NO_NODE || to == from || l->count < SEEN_MIN)
            continue;
        decay(c, to);
        const struct head *h = &c->heads[to];
        float both = l->count;
        float either = (float)c->heads[from].uses + h->uses - both;
        float weight = either > both ? both / either : 1;
        if (weight < WEIGHT_MIN)
            continue;
        struct coaccess_link *o = &out[count++];
        o->weight = weight;
        o->key_bytes = h->key_bytes;
        o->hash = h->hash;
        memcpy(o->key, c->nodes[to].key, h->key_bytes);
    }
    os_unlock(&c->lock);
    return count;
}
