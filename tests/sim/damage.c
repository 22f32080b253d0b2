/* damage.c: see damage.h. */
#include "damage.h"

#include "sim.h"

#include <string.h>

enum { NOTES = 1 << 15 };

struct note {
    struct model_value value;
    int64_t at; /* of an element */
    uint8_t used, client, product, key, field;
};
SIM_STATE static struct note *notes;

static void note(struct note n)
{
    uint64_t h = (n.value.seed ^ (uint64_t)n.at * 31 ^ n.value.len) *
                     UINT64_C(0x9e3779b97f4a7c15) +
                 (n.client * 64u + n.product * 32u + n.key) * 64u + n.field;
    if (!notes)
        notes = sim_own(NOTES * sizeof *notes);
    n.used = 1;
    for (uint32_t i = 0; i < NOTES; i++) {
        struct note *to = &notes[(h + i) % NOTES];
        if (!to->used)
            *to = n;
        if (memcmp(to, &n, sizeof n) == 0)
            return;
    }
    sim_finding("the simulator has no room for another value");
}

static uint32_t series_of(uint32_t product)
{
    return product == 0 ? THING_EVENTS : MORTAL_TRAIL;
}

void damage_note(struct client *c, const struct world *w)
{
    for (uint32_t p = 0; p < MODEL_PRODUCTS; p++)
        for (uint32_t k = 0; k < MODEL_KEYS; k++) {
            const struct model_record *r = &w->records[p][k];
            struct note n;
            memset(&n, 0, sizeof n);
            n.client = (uint8_t)c->number;
            n.product = (uint8_t)p;
            n.key = (uint8_t)k;
            for (uint32_t i = 0; i < MODEL_FIELDS; i++) {
                n.field = (uint8_t)i;
                n.value.seed = r->fields[i].value.seed;
                n.value.len = r->fields[i].value.len;
                if (r->fields[i].have)
                    note(n);
            }
            n.field = (uint8_t)series_of(p);
            for (uint32_t i = 0; i < r->count; i++) {
                n.at = r->series[i].at;
                n.value.seed = r->series[i].value.seed;
                n.value.len = r->series[i].value.len;
                note(n);
            }
        }
}

static bool was_noted(const struct client *c, uint32_t p, uint32_t k,
                      uint32_t i, int64_t at, const void *value)
{
    for (uint32_t n = 0; notes && n < NOTES; n++)
        if (notes[n].used && notes[n].client == c->number &&
            notes[n].product == p && notes[n].key == k && notes[n].field == i &&
            notes[n].at == at &&
            model_value_is(c->now, p, i, &notes[n].value, value))
            return true;
    return false;
}

static void check_series(struct client *c, struct warp_db *db, uint32_t p,
                         uint32_t k, const union model_key *key)
{
    const struct warp_product *desc = model_product(p);
    struct warp_iter *it = NULL;
    struct warp_str s;
    int64_t at;
    if (!model_has_series(p))
        return;
    int rc = warp_gen_range_with(db, desc, key, series_of(p), INT64_MIN + 1,
                                 INT64_MAX, WARP_ARCHIVE, &it);
    while (rc == WARP_OK &&
           (rc = warp_gen_range_next(it, desc, series_of(p), &at, &s,
                                     &c->run.arena)) == WARP_OK)
        if (!was_noted(c, p, k, series_of(p), at, &s))
            sim_finding("an element of %s %u of world %u was never appended",
                        desc->name, k, c->number);
    warp_iter_close(&it);
}

static void check_record(struct client *c, struct warp_db *db, uint32_t p,
                         uint32_t k)
{
    const struct warp_product *desc = model_product(p);
    union {
        struct sample_thing thing;
        struct sample_mortal mortal;
    } out;
    union model_key key;
    char text[16];
    model_key(c->now, p, k, &key, text);
    for (uint32_t i = 1; i < desc->field_count; i++) {
        const struct warp_field *f = &desc->fields[i];
        uint64_t have = 0;
        if (f->flags & (WARP_F_SERIES | WARP_F_DERIVED))
            continue;
        if (warp_gen_get(db, desc, &key, BIT(i) | WARP_ARCHIVE, &out,
                         &c->run.arena) == WARP_OK)
            memcpy(&have, (char *)&out + desc->have_offset, sizeof have);
        const char *at = (const char *)&out + f->offset;
        int64_t gold = SAMPLE_GOLD;
        if (!(have & BIT(i)) ||
            (p == 0 && i == THING_GOLD && memcmp(at, &gold, sizeof gold) == 0))
            continue;
        if (!was_noted(c, p, k, i, 0, at))
            sim_finding("%s %u.%s of world %u has a value that nobody wrote",
                        desc->name, k, f->name, c->number);
    }
    check_series(c, db, p, k, &key);
    warp_arena_reset(&c->run.arena);
}

void damage_check(struct client *c, struct warp_db *db)
{
    for (uint32_t p = 0; p < MODEL_PRODUCTS; p++)
        for (uint32_t k = 0; k < MODEL_KEYS; k++)
            check_record(c, db, p, k);
    warp_arena_free(&c->run.arena);
}
