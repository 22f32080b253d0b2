/* gravity_score.c: the shard where a record belongs; see gravity.h. */
#include "gravity_part.h"

#include "codec.h"
#include "error.h"
#include "kernels.h"
#include "read.h"
#include "weight.h"

#include <math.h>
#include <stdlib.h>

#define LAMBDA   0.5  /* of a load that is the capacity */
#define CAPACITY 4.0  /* of a shard, in fair shares */
#define MARGIN   0.25 /* of the largest pull, to move */
#define AFFINITY 0.3  /* of what was learned, at least, to pull */
#define EPS      1.0  /* softening between records */
#define EPS_SHARD 0.1f /* and to a shard's place */

enum { PLACED_MIN = 64 /* positions that tell where the others lie */ };

struct body {
    double mass, at[3];
    uint32_t axes;
    bool hinted;
    uint32_t hint; /* a shard */
};

/* ---- one record ---- */

static void add_axes(struct body *b, const struct warp_type *type,
                     const uint8_t *at)
{
    if (type->kind == WARP_T_F32 || type->kind == WARP_T_F64) {
        double x = weight_number(type, at);
        if (b->axes < 3 && isfinite(x))
            b->at[b->axes++] = x;
        return;
    }
    for (uint32_t i = 0; i < type->count && b->axes < 3; i++)
        if (type->kind == WARP_T_STRUCT)
            add_axes(b, type->members[i].type, at + type->members[i].offset);
        else if (type->elem)
            add_axes(b, type->elem, at + (size_t)i * type->elem->size);
}

/* A whole number, or one that is cut to it. False: no number. */
static bool hint_number(const struct warp_type *type, const uint8_t *at,
                        uint32_t shards, uint32_t *shard)
{
    uint8_t kind = type->kind;
    uint32_t bits = type->size < 8 ? 8 * (uint32_t)type->size : 64;
    uint64_t n = 0;
    if (kind == WARP_T_F32 || kind == WARP_T_F64) {
        double number = floor(weight_number(type, at));
        if (!(fabs(number) <= 1ll << 53))
            return false;
        n = (uint64_t)(int64_t)number;
    } else if (kind <= WARP_T_I64 || kind == WARP_T_TIMESTAMP ||
               kind == WARP_T_DURATION) {
        memcpy(&n, at, bits / 8);
        if (kind > WARP_T_U64) /* the sign goes on */
            n = (uint64_t)((int64_t)(n << (64 - bits)) >> (64 - bits));
    } else {
        return false;
    }
    int64_t left = (int64_t)n % (int64_t)shards;
    *shard = kind <= WARP_T_U64 ? (uint32_t)(n % shards)
             : left < 0         ? (uint32_t)(left + shards)
                                : (uint32_t)left;
    return true;
}

static uint32_t hinted_shard(const struct warp_db *db, const struct layout *l,
                             uint32_t field, const uint8_t *at)
{
    const struct warp_type *type = l->desc->fields[field].type;
    uint8_t bytes[512];
    size_t count = 0;
    uint32_t shard;
    const char *why;
    if (hint_number(type, at, db->shard_count, &shard))
        return shard;
    if (key_encode_value(type, at, bytes, &count, &why) != WARP_OK)
        count = 0;
    return hash_shard(hash_key(db->seed, l->id, bytes, count),
                      db->shard_count);
}

/* WARP_ENOTFOUND: it is gone. */
static int look(struct warp_db *db, const struct layout *l,
                const struct key_ref *key, struct body *b)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    uint8_t mass = l->role[WARP_PHYSICS_MASS];
    uint64_t have, bit = mass == LAYOUT_NO_ROLE ? 0 : UINT64_C(1) << mass;
    *b = (struct body){.mass = 1};
    uint8_t *record = calloc(1, l->desc->record_bytes);
    if (!record)
        return WARP_ENOMEM;
    int rc = read_record_quiet(db, l, key,
                               ((l->places | bit) & l->stored) | WARP_RESIDENT,
                               record, &arena);
    if (rc == WARP_OK) {
        memcpy(&have, record + l->desc->have_offset, sizeof have);
        FOR_BITS(i, have & (l->places | bit))
        {
            const struct warp_field *f = &l->desc->fields[i];
            const uint8_t *at = record + l->fields[i].offset;
            double number = i == mass ? weight_number(f->type, at) : 0;
            if (i == mass && isfinite(number))
                b->mass = number > 0 ? number : 0;
            if (f->physics == WARP_PHYSICS_POSITION)
                add_axes(b, f->type, at);
            if (f->physics == WARP_PHYSICS_SHARD_HINT) {
                b->hinted = true;
                b->hint = hinted_shard(db, l, (uint32_t)i, at);
            }
        }
    }
    warp_arena_free(&arena);
    free(record);
    return rc;
}

/* ---- pulls ---- */

static double square_of_distance(const struct body *a, const struct body *b)
{
    double sum = 0;
    for (uint32_t i = 0; i < a->axes && i < b->axes; i++)
        sum += (a->at[i] - b->at[i]) * (a->at[i] - b->at[i]);
    return sum;
}

static void pull_of_partners(struct warp_db *db, const struct layout *l,
                             const struct key_ref *key, const struct body *b,
                             double *pull)
{
    struct partner_set *set = &db->gravity->partners;
    if (!l->linked ||
        partner_find(db, l, key, NULL, NULL, PARTNER_MAX, set) != WARP_OK)
        return;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct partner *p = &set->list[i];
        struct key_ref k = partner_key(l, p);
        double affinity = p->bond.declared ? 1 : (double)p->bond.learned;
        struct body other;
        if (affinity < AFFINITY)
            continue;
        if (look(db, l, &k, &other) != WARP_OK || other.mass < b->mass ||
            (other.mass == b->mass && p->hash > key->hash))
            continue;
        pull[forward_shard(db, l, &k)->number] +=
            other.mass * affinity /
            sqrt(square_of_distance(b, &other) + EPS * EPS);
    }
}

/* Where the others are: the mean, and the spread around it. */
static void learn_space(struct gravity_space *s, const struct body *b)
{
    enum { MOST = 4096 };
    s->count += s->count < MOST;
    for (uint32_t i = 0; i < b->axes; i++) {
        double off = b->at[i] - s->mean[i];
        s->mean[i] += off / s->count;
        s->square[i] += (off * off - s->square[i]) / s->count;
    }
}

/* In units of the spread; one coordinate alone becomes an angle. */
static bool place_in(const struct gravity_space *s, const struct body *b,
                     double *x, double *y)
{
    double spread = 0;
    for (uint32_t i = 0; i < b->axes; i++)
        spread += s->square[i];
    spread = sqrt(spread);
    if (s->count < PLACED_MIN || b->axes == 0 || !(spread > 0))
        return false;
    *x = (b->at[0] - s->mean[0]) / spread;
    *y = b->axes > 1 ? (b->at[1] - s->mean[1]) / spread : 0;
    if (b->axes == 1) {
        double angle = 3.141592653589793 * tanh(*x);
        *x = cos(angle);
        *y = sin(angle);
    }
    return true;
}

static void pull_of_places(struct warp_db *db, const struct layout *l,
                           const struct body *b, double *pull)
{
    struct gravity_space *s = &db->gravity->space[l->number];
    double x, y;
    if (b->axes == 0)
        return;
    learn_space(s, b);
    if (!place_in(s, b, &x, &y))
        return;
    float sx[256], sy[256], smass[256], pulls[256];
    float px = (float)x, py = (float)y, mass = b->mass > 0 ? (float)b->mass : 1;
    uint32_t n = db->shard_count;
    for (uint32_t i = 0; i < n; i++) {
        double angle = 6.283185307179586 * i / n;
        sx[i] = (float)cos(angle);
        sy[i] = (float)sin(angle);
        smass[i] = 1;
    }
    struct kernel_job job = {
        .kernel = &kernel_gravity,
        .p = {.rows = 1, .cols = n, .mode = GRAVITY_POTENTIAL, .a = EPS_SHARD},
        .arg = {&px, &py, &mass, sx, sy, smass, pulls}};
    kernel_gravity.run(&job);
    for (uint32_t i = 0; i < n; i++)
        pull[i] += (double)pulls[i];
}

uint32_t gravity_target(struct warp_db *db, const struct layout *l,
                        const struct key_ref *key, uint32_t now,
                        enum gravity_why *why)
{
    const struct gravity *g = db->gravity;
    double pull[256] = {0}, partners[256], top = 0, score[256];
    struct body b;
    if (!l->drawn || look(db, l, key, &b) != WARP_OK)
        return now;
    *why = GRAVITY_HINT;
    if (b.hinted)
        return b.hint;
    pull_of_partners(db, l, key, &b, pull);
    memcpy(partners, pull, sizeof partners);
    pull_of_places(db, l, &b, pull);
    uint32_t best = now, n = db->shard_count;
    for (uint32_t i = 0; i < n; i++)
        top = pull[i] > top ? pull[i] : top;
    for (uint32_t i = 0; i < n && top > 0; i++) {
        double fair = (double)g->load_all / n;
        double load = g->load_all >= GRAVITY_LOAD_MIN
                          ? g->load[i] / fair / CAPACITY
                          : 0;
        score[i] = pull[i] - LAMBDA * top * load;
    }
    for (uint32_t i = 0; i < n && top > 0; i++)
        if (pull[i] > 0 && score[i] > score[best])
            best = i;
    if (best == now || score[best] - score[now] < MARGIN * top)
        return now;
    *why = partners[best] > 0 ? GRAVITY_PULL : GRAVITY_POSITION;
    return best;
}
