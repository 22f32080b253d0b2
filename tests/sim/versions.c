/* versions.c: see versions.h. */
#include "versions.h"

#include "sim.h"

#include <string.h>

enum { NOTES = 2048 };
/* A fault came between. The lowest byte counts writes to memory alone, which
 * are not kept. */
#define UNKNOWN UINT64_MAX
#define KEPT(version) ((version) >> 8)

struct versions {
    uint64_t base[MODEL_PRODUCTS][MODEL_KEYS]; /* 0: no record */
    uint32_t count;
    struct note {
        uint64_t op, version;
        uint8_t product, key;
    } notes[NOTES];
};

void versions_init(struct client *c)
{
    c->versions = sim_own(sizeof *c->versions);
    memset(c->versions, 0, sizeof *c->versions);
}

static uint64_t read_version(struct client *c, uint32_t product, uint32_t key)
{
    union model_key k;
    char text[16];
    uint64_t version = 0;
    model_key(c->now, product, key, &k, text);
    int rc =
        warp_gen_version(c->run.db, model_product(product), &k, &version);
    return rc == WARP_OK ? version : rc == WARP_ENOTFOUND ? 0 : UNKNOWN;
}

void versions_begin(struct client *c)
{
    struct versions *v = c->versions;
    uint64_t base[MODEL_PRODUCTS][MODEL_KEYS];
    for (uint32_t p = 0; p < MODEL_PRODUCTS; p++)
        for (uint32_t k = 0; k < MODEL_KEYS; k++)
            base[p][k] = read_version(c, p, k);
    /* At once: the process may die at any read, and what was noted then goes on
     * to count. */
    memcpy(v->base, base, sizeof base);
    v->count = 0;
}

void versions_note(struct client *c)
{
    struct versions *v = c->versions;
    if (c->op.kind != M_WRITE && c->op.kind != M_BATCH)
        return;
    for (uint32_t i = 0; i < c->op.count; i++) {
        const struct model_write *m = &c->op.writes[i];
        if (v->count == NOTES)
            sim_finding("the simulator has no room for another version");
        v->notes[v->count++] =
            (struct note){c->started, read_version(c, m->product, m->key),
                          (uint8_t)m->product, (uint8_t)m->key};
    }
}

/* Of the record after that operation. */
static uint64_t version_at(const struct versions *v, uint32_t product,
                           uint32_t key, uint64_t op)
{
    uint64_t version = v->base[product][key];
    for (uint32_t i = 0; i < v->count && v->notes[i].op <= op; i++)
        if (v->notes[i].product == product && v->notes[i].key == key)
            version = v->notes[i].version;
    return version;
}

/* What looks the same after several operations has one of their versions. */
static bool is_one_of(const struct client *c, uint32_t p, uint32_t k,
                      uint64_t version)
{
    bool same = version == UNKNOWN;
    for (uint64_t op = c->low; op <= c->high && !same; op++) {
        uint64_t was = version_at(c->versions, p, k, op);
        same = was == UNKNOWN || KEPT(was) == KEPT(version);
    }
    return same;
}

void versions_check(struct client *c)
{
    if (c->high > c->acked) /* nobody has seen what its last operation left */
        return;
    for (uint32_t p = 0; p < MODEL_PRODUCTS; p++)
        for (uint32_t k = 0; k < MODEL_KEYS; k++) {
            if (!model_exists(c->now, &c->now->records[p][k]))
                continue;
            uint64_t version = read_version(c, p, k);
            history_count->versions++;
            if (!is_one_of(c, p, k, version) && !sim_fault_seen)
                sim_finding("%s %u of world %u has version %llx, not %llx",
                            model_product(p)->name, k, c->number,
                            (unsigned long long)version,
                            (unsigned long long)version_at(c->versions, p, k,
                                                           c->low));
        }
}
