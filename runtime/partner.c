/* partner.c: see partner.h. A candidate is a hint, of the index or of the table
 * of uses; its record is read before it is called a partner. */
#include "partner.h"

#include "coaccess.h"
#include "error.h"
#include "hash.h"
#include "read.h"
#include "secondary.h"
#include "weight.h"

#include <math.h>
#include <stdlib.h>

enum { VALUE_BYTES = 512 };

struct finding {
    struct warp_db *db;
    const struct layout *l;
    const struct key_ref *self;
    bool (*may)(void *arg, const struct key_ref *candidate);
    void *arg;
    struct partner_set *set;
    uint32_t asked, most; /* of the group: looked at, and at most */
    struct warp_arena arena;
    void *record;  /* in C form: what was read last */
    uint64_t read; /* fields that are looked at */
    uint8_t group[VALUE_BYTES];
    size_t group_bytes; /* 0: the record is in none */
    double potential;
};

static uint64_t bit_of(const struct layout *l, enum warp_physics role)
{
    return l->role[role] == LAYOUT_NO_ROLE
               ? 0
               : (UINT64_C(1) << l->role[role]) & l->readable & ~l->keys;
}

/* ---- one record ---- */

/* Reads what is looked at: the group's value as index bytes (0: none), and the
 * potential. WARP_ENOTFOUND: there is no record. */
static int look(struct finding *f, const struct key_ref *key, uint8_t *group,
                size_t *group_bytes, double *potential)
{
    const struct layout *l = f->l;
    uint64_t have, bit = bit_of(l, WARP_PHYSICS_ENTANGLEMENT_GROUP) & f->read;
    uint8_t field = l->role[WARP_PHYSICS_ENTANGLEMENT_GROUP];
    const char *why;
    *group_bytes = 0;
    *potential = 1;
    warp_arena_reset(&f->arena);
    memset(f->record, 0, l->desc->record_bytes);
    int rc = read_record_quiet(f->db, l, key, f->read, f->record,
                               &f->arena);
    if (rc != WARP_OK)
        return rc;
    memcpy(&have, (char *)f->record + l->desc->have_offset, sizeof have);
    if (have & bit)
        rc = key_encode_value(l->desc->fields[field].type,
                              (char *)f->record + l->fields[field].offset,
                              group, group_bytes, &why);
    bit = bit_of(l, WARP_PHYSICS_ENTANGLEMENT_POTENTIAL);
    field = l->role[WARP_PHYSICS_ENTANGLEMENT_POTENTIAL];
    if (rc == WARP_OK && (have & bit)) {
        double q = weight_number(l->desc->fields[field].type,
                                 (char *)f->record + l->fields[field].offset);
        *potential = q > 0 && isfinite(q) ? q : 0;
    }
    return rc;
}

/* ---- candidates ---- */

/* What the bond to the record itself is worth, without the record's own
 * potential: that is the same for all. */
static double strength(const struct partner *p)
{
    return sqrt(p->potential) *
           ((p->bond.declared ? 1.0 : 0.0) + (double)p->bond.learned);
}

static int by_key(const struct partner *x, const struct partner *y)
{
    uint32_t n = x->key_bytes < y->key_bytes ? x->key_bytes : y->key_bytes;
    int order = memcmp(x->key, y->key, n);
    return order ? order : (x->key_bytes > y->key_bytes) -
                               (x->key_bytes < y->key_bytes);
}

/* Of equal ones the later key. */
static bool is_weaker(const struct partner *x, const struct partner *y)
{
    double a = strength(x), b = strength(y);
    return a < b || (!(a > b) && by_key(x, y) > 0);
}

/* A place in the set for a partner of this strength: where there is none left,
 * that of the weakest, if that is weaker. NULL: there is none. */
static struct partner *place_for(struct partner_set *set, double wanted)
{
    struct partner *weakest = &set->list[0];
    if (set->count < PARTNER_MAX)
        return &set->list[set->count++];
    for (uint32_t i = 1; i < PARTNER_MAX; i++)
        if (is_weaker(&set->list[i], weakest))
            weakest = &set->list[i];
    return strength(weakest) < wanted ? weakest : NULL;
}

static int add(struct finding *f, const struct key_ref *key, float learned)
{
    struct partner_set *set = f->set;
    uint8_t group[VALUE_BYTES];
    size_t bytes;
    double potential;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->list[i].hash == key->hash)
            return WARP_OK;
    if (key->hash == f->self->hash || (f->may && !f->may(f->arg, key)))
        return WARP_OK;
    f->asked++;
    int rc = look(f, key, group, &bytes, &potential);
    if (rc == WARP_ENOTFOUND)
        return WARP_OK;
    if (rc != WARP_OK)
        return rc;
    bool declared = bytes > 0 && bytes == f->group_bytes &&
                    memcmp(group, f->group, bytes) == 0;
    if (!declared && learned == 0)
        return WARP_OK;
    struct partner made = {.bond = {0, learned, declared},
                           .potential = potential};
    struct partner *p = place_for(set, strength(&made));
    if (!p)
        return WARP_OK;
    p->bond = made.bond;
    p->potential = made.potential;
    p->hash = key->hash;
    p->key_bytes = key->count;
    memcpy(p->key, key->bytes, key->count);
    return WARP_OK;
}

static int add_learned(struct finding *f)
{
    struct coaccess_link links[COACCESS_LINKS];
    int rc = WARP_OK;
    if (!f->db->coaccess || !f->l->learns)
        return rc;
    uint32_t count = coaccess_links(f->db->coaccess, f->l->number,
                                    f->self->hash, links);
    for (uint32_t i = 0; i < count && rc == WARP_OK; i++) {
        struct key_ref key = {links[i].key, links[i].key_bytes, f->l,
                              links[i].hash};
        rc = add(f, &key, links[i].weight);
    }
    return rc;
}

static int add_declared(struct finding *f)
{
    const struct layout *l = f->l;
    struct secondary_iter *it = NULL;
    const uint8_t *bytes;
    uint32_t count;
    if (f->group_bytes == 0)
        return WARP_OK;
    int rc = secondary_find(f->db->secondary, l,
                            l->role[WARP_PHYSICS_ENTANGLEMENT_GROUP], f->group,
                            (uint32_t)f->group_bytes, &it);
    /* Equal ones are not to be told apart: then a full set is the end. */
    uint64_t potential = bit_of(l, WARP_PHYSICS_ENTANGLEMENT_POTENTIAL);
    while (rc == WARP_OK && f->asked < f->most &&
           (potential || f->set->count < PARTNER_MAX) &&
           (rc = secondary_next(it, &bytes, &count)) == WARP_OK) {
        struct key_ref key = key_ref_of(f->db->seed, l, bytes, count);
        rc = add(f, &key, 0);
    }
    secondary_iter_close(&it);
    return rc == WARP_END ? WARP_OK : rc;
}

/* ---- weights ---- */

enum { D = PARTNER_MAX + 1, TERMS = 18 }; /* 1/18! is nothing */

static double bond(const struct partner *a, double potential)
{
    return sqrt(a->potential * potential) *
           ((a->bond.declared ? 1.0 : 0.0) + (double)a->bond.learned);
}

/* Row and column 0 are the record, the others its partners. */
static double make_bonds(const struct finding *f, double h[D][D])
{
    const struct partner_set *set = f->set;
    uint32_t n = set->count + 1;
    struct coaccess_link links[COACCESS_LINKS];
    double norm = 0;
    memset(h, 0, sizeof(double) * D * D);
    for (uint32_t i = 1; i < n; i++) {
        const struct partner *a = &set->list[i - 1];
        h[0][i] = h[i][0] = bond(a, f->potential);
        for (uint32_t j = 1; j < i && a->bond.declared; j++)
            if (set->list[j - 1].bond.declared)
                h[i][j] = h[j][i] =
                    sqrt(a->potential * set->list[j - 1].potential);
    }
    for (uint32_t i = 1; f->db->coaccess && f->l->learns && i < n; i++) {
        uint32_t count = coaccess_links(f->db->coaccess, f->l->number,
                                        set->list[i - 1].hash, links);
        for (uint32_t k = 0; k < count; k++)
            for (uint32_t j = 1; j < i; j++)
                if (set->list[j - 1].hash == links[k].hash) {
                    h[i][j] += sqrt(set->list[i - 1].potential *
                                    set->list[j - 1].potential) *
                               (double)links[k].weight;
                    h[j][i] = h[i][j];
                }
    }
    for (uint32_t i = 0; i < n; i++) {
        double row = 0;
        for (uint32_t j = 0; j < n; j++)
            row += h[i][j];
        norm = row > norm ? row : norm;
    }
    return norm;
}

/* exp(-iHt) e_0 by its series: term k is (-it/k) H times the one before. */
static void evolve(double h[D][D], uint32_t n, double t, double re[D],
                   double im[D])
{
    double x[D] = {1}, y[D] = {0};
    memset(re, 0, sizeof(double) * D);
    memset(im, 0, sizeof(double) * D);
    re[0] = 1;
    for (uint32_t k = 1; k <= TERMS; k++) {
        double u[D], v[D];
        for (uint32_t i = 0; i < n; i++) {
            double a = 0, b = 0;
            for (uint32_t j = 0; j < n; j++) {
                a += h[i][j] * x[j];
                b += h[i][j] * y[j];
            }
            u[i] = b * t / k; /* -i (a + ib) = b - ia */
            v[i] = -a * t / k;
        }
        for (uint32_t i = 0; i < n; i++) {
            x[i] = u[i];
            y[i] = v[i];
            re[i] += x[i];
            im[i] += y[i];
        }
    }
}

static int by_weight(const void *a, const void *b)
{
    const struct partner *x = a, *y = b;
    if (x->bond.weight != y->bond.weight)
        return x->bond.weight > y->bond.weight ? -1 : 1;
    return by_key(x, y);
}

static void weigh(struct finding *f)
{
    struct partner_set *set = f->set;
    double h[D][D], re[D], im[D], all = 0;
    double norm = make_bonds(f, h);
    if (norm > 0 && isfinite(norm))
        evolve(h, set->count + 1, 1 / norm, re, im);
    else
        return;
    for (uint32_t i = 1; i <= set->count; i++)
        all += re[i] * re[i] + im[i] * im[i];
    for (uint32_t i = 1; i <= set->count && all > 0; i++)
        set->list[i - 1].bond.weight =
            (float)((re[i] * re[i] + im[i] * im[i]) / all);
    qsort(set->list, set->count, sizeof set->list[0], by_weight);
}

int partner_find(struct warp_db *db, const struct layout *l,
                 const struct key_ref *key,
                 bool (*may)(void *arg, const struct key_ref *candidate),
                 void *arg, uint32_t most, struct partner_set *set)
{
    struct finding f = {.db = db, .l = l, .self = key, .may = may, .arg = arg,
                        .most = most, .set = set, .arena = WARP_ARENA_INIT};
    set->count = 0;
    f.read = bit_of(l, WARP_PHYSICS_ENTANGLEMENT_POTENTIAL) |
             (bit_of(l, WARP_PHYSICS_ENTANGLEMENT_GROUP) & l->indexed);
    f.record = calloc(1, l->desc->record_bytes);
    int rc = f.record ? look(&f, key, f.group, &f.group_bytes, &f.potential)
                      : error_set(WARP_ENOMEM, "out of memory for partners");
    if (rc == WARP_OK)
        rc = add_learned(&f);
    f.asked = f.set->count;
    if (rc == WARP_OK)
        rc = add_declared(&f);
    if (rc == WARP_OK)
        weigh(&f);
    free(f.record);
    warp_arena_free(&f.arena);
    return rc;
}
