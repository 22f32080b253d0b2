/* store_model.c: operations and what they do, without a store. */
#include "db.h"
#include "relocate.h"
#include "series.h"
#include "store_model.h"
#include "wire.h"

#include <stdio.h>

uint64_t model_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint32_t below(uint64_t *state, uint32_t n)
{
    return (uint32_t)(model_random(state) % n);
}

static const struct warp_product *products[MODEL_PRODUCTS] = {
    &sample_thing_product, &sample_mortal_product};

void model_use(const struct warp_schema *schema)
{
    for (uint32_t i = 0; i < MODEL_PRODUCTS; i++)
        products[i] = schema->products[i];
}

const struct warp_product *model_product(uint32_t product)
{
    return products[product];
}

void model_init(struct world *w, uint64_t seed, uint32_t number)
{
    memset(w, 0, sizeof *w);
    w->seed = seed;
    w->number = number;
    w->now = 1000000;
}

static const struct warp_field *field_of(uint32_t product, uint32_t field)
{
    return &model_product(product)->fields[field];
}

static bool is_stored(const struct warp_field *f)
{
    return !(f->flags & (WARP_F_KEY | WARP_F_SERIES | WARP_F_DERIVED));
}

static bool is_text(const struct warp_field *f)
{
    return f->type->kind == WARP_T_STRING || f->type->kind == WARP_T_BYTES;
}

static bool is_number(const struct warp_field *f)
{
    return f->type->kind >= WARP_T_U8 && f->type->kind <= WARP_T_I64;
}

static uint32_t series_field(uint32_t product)
{
    return product == 0 ? THING_EVENTS : MORTAL_TRAIL;
}

bool model_has_series(uint32_t product)
{
    return field_of(product, series_field(product))->flags & WARP_F_SERIES;
}

static uint64_t stored_mask(uint32_t product)
{
    const struct warp_product *p = model_product(product);
    uint64_t mask = 0;
    for (uint32_t i = 0; i < p->field_count; i++)
        if (is_stored(&p->fields[i]))
            mask |= BIT(i);
    return mask;
}

static uint64_t ttl_mask(uint32_t product)
{
    const struct warp_product *p = model_product(product);
    uint64_t mask = 0;
    for (uint32_t i = 0; i < p->field_count; i++)
        if (p->fields[i].ttl_ms > 0)
            mask |= BIT(i);
    return mask;
}

bool model_exists(const struct world *w, const struct model_record *r)
{
    return r->exists && (r->deadline == 0 || w->now < r->deadline);
}

static bool stored_present(const struct world *w, const struct model_record *r,
                           uint32_t field)
{
    const struct model_field *f = &r->fields[field];
    return model_exists(w, r) && f->have &&
           (f->deadline == 0 || w->now < f->deadline);
}

bool model_present(const struct world *w, const struct model_record *r,
                   uint32_t field)
{
    const struct model_record *things = w->records[0];
    bool thing = r >= things && r < things + MODEL_KEYS;
    if (thing && field == THING_TWICE)
        return stored_present(w, r, THING_SEEN);
    if (thing && field == THING_GOLD)
        return model_exists(w, r); /* it has a default */
    return stored_present(w, r, field);
}

/* ---- making operations ---- */

static struct model_value make_value(uint32_t product, uint32_t field,
                                     uint64_t *rng)
{
    const struct warp_field *f = field_of(product, field);
    struct model_value v = {model_random(rng), 0};
    uint32_t size = below(rng, 100);
    if (product == 0 && field == THING_OWNER)
        v.seed = below(rng, MODEL_OWNERS);
    else if (product == 0 && field == THING_EMAIL)
        v.seed = below(rng, MODEL_EMAILS);
    else if (product == 0 && field == THING_TOKEN)
        v.seed = below(rng, 4) ? below(rng, 6) : UINT32_MAX - below(rng, 3);
    else if (product == 1 && field == MORTAL_TAG)
        v.seed = below(rng, MODEL_EMAILS);
    else if (product == 0 && field == THING_GOLD && size < 10)
        v.seed = (uint64_t)INT64_MAX - below(rng, 4);
    else if (product == 0 && field == THING_LEVEL)
        v.seed &= 0xff;
    else if (f->type->kind == WARP_T_BOOL)
        v.seed &= 1;
    else if (f->type->kind == WARP_T_U32)
        v.seed &= UINT32_MAX;
    else if (f->type->kind == WARP_T_I64)
        v.seed = (uint64_t)((int64_t)v.seed >> 20);
    if (is_text(f))
        v.len = size < 10   ? 0
                : size < 60 ? below(rng, 40)
                : size < 90 ? below(rng, 400)
                : size < 98 ? below(rng, 3000)
                            : below(rng, 90000);
    return v;
}

static uint32_t pick_field(uint32_t product, uint64_t *rng)
{
    for (;;) {
        uint32_t i = below(rng, model_product(product)->field_count);
        if (is_stored(field_of(product, i)))
            return i;
    }
}

static void make_put(struct model_write *m, uint64_t *rng)
{
    uint64_t all = stored_mask(m->product);
    m->kind = W_PUT;
    m->mask = model_random(rng) & all;
    if (below(rng, 4) == 0)
        m->mask = all;
    else if (below(rng, 2))
        m->mask &= model_random(rng);
    if (m->mask == 0)
        m->mask = BIT(pick_field(m->product, rng));
    for (uint32_t i = 0; i < model_product(m->product)->field_count; i++)
        if (m->mask >> i & 1)
            m->values[i] = make_value(m->product, i, rng);
}

static void make_add(struct model_write *m, uint64_t *rng)
{
    do
        m->field = pick_field(m->product, rng);
    while (!is_number(field_of(m->product, m->field)) ||
           m->field == (m->product == 0 ? (uint32_t)THING_OWNER
                                        : (uint32_t)MORTAL_TAG));
    m->kind = W_ADD;
    m->delta = (int64_t)below(rng, 2001) - 1000;
    if (below(rng, 10) == 0)
        m->delta = (int64_t)model_random(rng);
}

static void make_write(const struct world *w, uint64_t *rng,
                       struct model_write *m)
{
    memset(m, 0, sizeof *m);
    m->product = below(rng, 3) == 0;
    /* Some keys are busier than others. */
    m->key = below(rng, below(rng, 2) ? MODEL_KEYS : 6);
    uint32_t what = below(rng, 100);
    uint64_t ttl = ttl_mask(m->product);
    if (what < 35) {
        make_put(m, rng);
    } else if (what < 55) {
        m->kind = W_SET;
        m->field = pick_field(m->product, rng);
        m->values[m->field] = make_value(m->product, m->field, rng);
    } else if (what < 67) {
        make_add(m, rng);
    } else if (what < 77) {
        m->kind = W_DELETE;
    } else if (what < 83) {
        m->kind = W_TOUCH;
        m->mask = model_random(rng) & (stored_mask(m->product) |
                                       (below(rng, 2) ? ttl : 0));
    } else if (what < 89) {
        m->kind = W_EXPIRE;
        m->mask = model_random(rng) & ttl;
        if (below(rng, 20) == 0)
            m->mask |= BIT(pick_field(m->product, rng));
        m->deadline = w->now + (int64_t)below(rng, 8000) - 1500;
        if (below(rng, 30) == 0)
            m->deadline = 0;
    } else if (!model_has_series(m->product)) {
        m->kind = W_SET;
        m->field = series_field(m->product);
        m->values[m->field] = make_value(m->product, m->field, rng);
    } else if (w->records[m->product][m->key].count + MODEL_WRITES >
               MODEL_SERIES) {
        m->kind = W_DELETE; /* its series is full */
    } else {
        m->kind = W_APPEND;
        m->field = series_field(m->product);
        m->at = below(rng, 3) ? WARP_NOW
                              : w->now - (int64_t)below(rng, 90000) + 10000;
        m->element.seed = model_random(rng);
        m->element.len = below(rng, below(rng, 10) ? 60 : 4000);
    }
}

void model_make(const struct world *w, uint64_t number, bool alone,
                struct model_op *op)
{
    uint64_t rng = w->seed * UINT64_C(0x100000001b3) + w->number;
    rng = model_random(&rng) ^ number * UINT64_C(0xd6e8feb86659fd93);
    op->count = 0;
    op->product = below(&rng, 3) == 0;
    op->key = below(&rng, MODEL_KEYS);
    op->tick = 0;
    uint32_t what = below(&rng, 1000);
    if (what < 600) {
        op->kind = M_WRITE;
        op->count = 1;
        make_write(w, &rng, &op->writes[0]);
    } else if (what < 750) {
        op->kind = what < 740 ? M_BATCH : M_ABORT;
        op->count = 1 + below(&rng, MODEL_WRITES);
        for (uint32_t i = 0; i < op->count; i++) {
            make_write(w, &rng, &op->writes[i]);
            /* Most deletes of a batch would find nothing. */
            if (op->writes[i].kind == W_DELETE && below(&rng, 2))
                make_put(&op->writes[i], &rng);
            uint32_t e = below(&rng, 20);
            op->writes[i].expect = e == 0   ? E_WRONG
                                   : e == 1 ? E_ABSENT
                                   : e < 6  ? E_RIGHT
                                            : E_NONE;
        }
    } else if (what < 900) {
        op->kind = M_READ;
    } else if (what < 940) {
        op->kind = alone ? M_TICK : M_READ;
        op->tick = 1 + (int64_t)below(&rng, below(&rng, 10) ? 1500 : 20000);
    } else {
        op->kind = what < 955   ? M_CHECKPOINT
                   : what < 965 ? M_SWEEP
                   : what < 975 ? M_EVICT
                   : what < 985 ? M_PREFETCH
                   : what < 987 ? M_SYNC
                   : what < 993 ? (alone ? M_REOPEN : M_READ)
                                : M_CHECK;
    }
}

/* ---- what they do ---- */

static void clear(struct model_record *r)
{
    memset(r, 0, sizeof *r);
}

static void set_deadline(struct model_field *f, int64_t deadline)
{
    if (f->least == 0 || deadline < f->least)
        f->least = deadline;
    if (f->most == 0 || deadline > f->most)
        f->most = deadline;
    f->deadline = deadline;
}

static void set_field(const struct world *w, struct model_record *r,
                      uint32_t product, uint32_t field,
                      const struct model_value *v)
{
    int64_t ttl = field_of(product, field)->ttl_ms;
    r->fields[field].value = *v;
    r->fields[field].have = true;
    if (ttl > 0)
        set_deadline(&r->fields[field], w->now + ttl);
}

/* Any write of a product with a ttl arms it again. */
static void begin(struct world *w, struct model_record *r, uint32_t product)
{
    if (!model_exists(w, r))
        clear(r);
    r->exists = true;
    if (model_product(product)->ttl_ms > 0)
        r->deadline = w->now + model_product(product)->ttl_ms;
}

static int add(const struct world *w, const struct model_record *r,
               const struct model_write *m, struct model_value *sum)
{
    const struct warp_field *f = field_of(m->product, m->field);
    int64_t base = 0, whole = 0;
    bool over = false;
    if (stored_present(w, r, m->field))
        base = (int64_t)r->fields[m->field].value.seed;
    else if (f->default_value)
        memcpy(&base, f->default_value, sizeof base);
    switch (f->type->kind) {
    case WARP_T_U8:
        over = __builtin_add_overflow(base, m->delta, &whole) ||
               whole < 0 || whole > UINT8_MAX;
        break;
    case WARP_T_U32:
        over = __builtin_add_overflow(base, m->delta, &whole) ||
               whole < 0 || whole > UINT32_MAX;
        break;
    case WARP_T_U64: {
        uint64_t out;
        over = __builtin_add_overflow((uint64_t)base, m->delta, &out);
        whole = (int64_t)out;
        break;
    }
    default:
        over = __builtin_add_overflow(base, m->delta, &whole);
        break;
    }
    *sum = (struct model_value){(uint64_t)whole, 0};
    return over ? WARP_ERANGE : WARP_OK;
}

static int deadlines(struct world *w, struct model_record *r,
                     const struct model_write *m)
{
    uint64_t ttl = ttl_mask(m->product);
    bool touch = m->kind == W_TOUCH;
    int64_t product_ttl = model_product(m->product)->ttl_ms;
    uint64_t named = m->mask & ttl;
    if (!touch && (m->mask & ~ttl))
        return WARP_EINVAL;
    if (named == 0 && product_ttl == 0)
        return WARP_EINVAL;
    if (!model_exists(w, r))
        return WARP_ENOTFOUND;
    for (uint32_t i = 0; i < MODEL_FIELDS; i++)
        if ((named >> i & 1) && stored_present(w, r, i))
            set_deadline(&r->fields[i],
                         touch ? w->now + field_of(m->product, i)->ttl_ms
                         : m->deadline ? m->deadline : -1);
    if (product_ttl > 0 && (touch || m->mask == 0))
        r->deadline = touch ? w->now + product_ttl
                      : m->deadline ? m->deadline : -1;
    return WARP_OK;
}

static int append(struct world *w, struct model_record *r,
                  const struct model_write *m)
{
    /* make_write sees to it that there is room. */
    begin(w, r, m->product);
    int64_t at = m->at == WARP_NOW ? w->now : m->at;
    uint32_t place = r->count++;
    for (; place > 0 && r->series[place - 1].at > at; place--)
        r->series[place] = r->series[place - 1];
    r->series[place] = (struct model_element){at, m->element};
    return WARP_OK;
}

static int write_one(struct world *w, const struct model_write *m)
{
    struct model_record *r = &w->records[m->product][m->key];
    struct model_value sum;
    int rc;
    switch (m->kind) {
    case W_PUT:
        begin(w, r, m->product);
        for (uint32_t i = 0; i < MODEL_FIELDS; i++)
            if (m->mask >> i & 1)
                set_field(w, r, m->product, i, &m->values[i]);
        return WARP_OK;
    case W_SET:
        begin(w, r, m->product);
        set_field(w, r, m->product, m->field, &m->values[m->field]);
        return WARP_OK;
    case W_ADD:
        rc = add(w, r, m, &sum);
        if (rc != WARP_OK)
            return rc;
        begin(w, r, m->product);
        set_field(w, r, m->product, m->field, &sum);
        return WARP_OK;
    case W_DELETE:
        if (!model_exists(w, r))
            return WARP_ENOTFOUND;
        clear(r);
        return WARP_OK;
    case W_APPEND:
        return append(w, r, m);
    default:
        return deadlines(w, r, m);
    }
}

/* No two records hold one unique value. */
static bool is_unique(const struct world *w)
{
    static const struct {
        uint32_t product, field;
    } unique[] = {{0, THING_EMAIL}, {1, MORTAL_TAG}};
    for (uint32_t u = 0; u < 2; u++) {
        uint32_t seen = 0;
        if (!(field_of(unique[u].product, unique[u].field)->flags &
              WARP_F_UNIQUE))
            continue;
        for (uint32_t k = 0; k < MODEL_KEYS; k++) {
            const struct model_record *r =
                &w->records[unique[u].product][k];
            if (!stored_present(w, r, unique[u].field))
                continue;
            uint32_t bit =
                1u << r->fields[unique[u].field].value.seed;
            if (seen & bit)
                return false;
            seen |= bit;
        }
    }
    return true;
}

static int predict_writes(const struct world *w, const struct model_op *op,
                          struct world *next)
{
    /* Refused arguments are told before anything is looked at. */
    for (uint32_t i = 0; i < op->count; i++) {
        const struct model_write *m = &op->writes[i];
        uint64_t ttl = ttl_mask(m->product);
        if ((m->kind == W_TOUCH || m->kind == W_EXPIRE) &&
            ((m->kind == W_EXPIRE && (m->mask & ~ttl)) ||
             (!(m->mask & ttl) && !model_product(m->product)->ttl_ms)))
            return WARP_EINVAL;
    }
    for (uint32_t i = 0; i < op->count && op->kind != M_WRITE; i++) {
        const struct model_write *m = &op->writes[i];
        bool there = model_exists(w, &w->records[m->product][m->key]);
        if (m->expect == E_WRONG || (m->expect == E_ABSENT && there))
            return WARP_ECONFLICT;
    }
    for (uint32_t i = 0; i < op->count; i++) {
        int rc = write_one(next, &op->writes[i]);
        if (rc != WARP_OK)
            return rc;
    }
    return is_unique(next) ? WARP_OK : WARP_EEXIST;
}

int model_predict(const struct world *w, const struct model_op *op,
                  struct world *next)
{
    int rc = WARP_OK;
    memcpy(next, w, sizeof *next);
    if (op->kind == M_WRITE || op->kind == M_BATCH)
        rc = predict_writes(w, op, next);
    else if (op->kind == M_TICK)
        next->now += op->tick;
    else if (op->kind == M_REOPEN)
        model_restart(next);
    if (rc != WARP_OK)
        memcpy(next, w, sizeof *next);
    return rc;
}

void model_restart(struct world *w)
{
    for (uint32_t p = 0; p < MODEL_PRODUCTS; p++)
        for (uint32_t k = 0; k < MODEL_KEYS; k++)
            for (uint32_t i = 0; i < model_product(p)->field_count; i++) {
                struct model_field *f = &w->records[p][k].fields[i];
                if (field_of(p, i)->home != WARP_HOME_MEMORY_ONLY)
                    continue;
                f->lost = f->lost || f->have;
                f->have = false;
            }
}

void model_doubt(struct world *w, const struct world *next)
{
    for (uint32_t p = 0; p < MODEL_PRODUCTS; p++)
        for (uint32_t k = 0; k < MODEL_KEYS; k++)
            for (uint32_t i = 0; i < MODEL_FIELDS; i++) {
                struct model_field *f = &w->records[p][k].fields[i];
                const struct model_field *n = &next->records[p][k].fields[i];
                if (f->least == 0 || n->least == 0)
                    continue;
                f->least = n->least < f->least ? n->least : f->least;
                f->most = n->most > f->most ? n->most : f->most;
            }
}

void model_say(const struct world *w, const struct model_op *op)
{
    static const char *const kinds[] = {
        "write", "batch", "abort", "tick", "checkpoint", "reopen", "sweep",
        "evict", "prefetch", "sync", "read", "check"};
    static const char *const writes[] = {"put", "set", "add", "delete",
                                         "touch", "expire", "append"};
    fprintf(stderr, "  world %u, now %lld: %s", w->number, (long long)w->now,
            kinds[op->kind]);
    if (op->kind == M_TICK)
        fprintf(stderr, " %lld", (long long)op->tick);
    for (uint32_t i = 0; i < op->count; i++) {
        const struct model_write *m = &op->writes[i];
        fprintf(stderr, " [%s %s %u field %u mask %llx expect %d dl %lld]",
                writes[m->kind], model_product(m->product)->name, m->key,
                m->field, (unsigned long long)m->mask, (int)m->expect,
                (long long)m->deadline);
    }
    fputc('\n', stderr);
}

void model_roam(struct warp_db *db)
{
    uint8_t ids[2 * MODEL_PRODUCTS], *at = ids;
    struct ssd_txn *txn = NULL;
    struct ssd_slice key = {"moved", 5}, value = {ids, sizeof ids};
    for (uint32_t i = 0; i < MODEL_PRODUCTS; i++)
        at = wire_put16(at, db->layouts[i]->id);
    os_lock(&db->checkpoint_lock);
    if (ssd_begin(db->ssd, &txn) == WARP_OK &&
        ssd_put(txn, SSD_META, key, value) == WARP_OK)
        (void)ssd_commit(&txn);
    else
        ssd_abort(&txn);
    os_unlock(&db->checkpoint_lock);
}

struct picked {
    struct warp_db *db;
    uint32_t skip, count;
    struct key_ref keys[4];
    uint8_t bytes[4][ROW_KEY_BYTES_MAX];
};

static void pick(void *arg, void *record)
{
    struct picked *p = arg;
    struct record *r = record;
    const struct layout *l = p->db->layouts[record_product(r)];
    if (p->skip > 0) {
        p->skip--;
        return;
    }
    if (p->count == 4)
        return;
    struct key_ref *key = &p->keys[p->count];
    memcpy(p->bytes[p->count], record_key(l, r), record_key_bytes(l, r));
    *key = record_key_ref(l, r, 0);
    key->bytes = p->bytes[p->count];
    key->hash = hash_key(p->db->seed, l->id, key->bytes, key->count);
    p->count++;
}

int model_move_some(struct warp_db *db, uint64_t *rng)
{
    struct shard *s = &db->shards[below(rng, db->shard_count)];
    struct picked p = {.db = db, .skip = below(rng, 16)};
    int moved = 0;
    os_lock(&s->lock);
    for (uint32_t n = 0; index_walk(&s->index, n, pick, &p); n++)
        ;
    os_unlock(&s->lock);
    for (uint32_t i = 0; i < p.count; i++) {
        const struct layout *l = p.keys[i].layout;
        uint32_t home = forward_home(db, &p.keys[i])->number;
        bool away = forward_shard(db, l, &p.keys[i])->number != home;
        int rc = relocate(db, l, &p.keys[i],
                          away ? home : below(rng, db->shard_count));
        if (rc != WARP_OK && rc != WARP_EBUSY && rc != WARP_ENOTFOUND &&
            rc != WARP_ELIMIT)
            return rc;
        moved += rc == WARP_OK;
    }
    return moved;
}

void model_evict_all(struct warp_db *db)
{
    for (uint32_t i = 0; i < db->shard_count; i++) {
        os_lock(&db->shards[i].lock);
        (void)shard_evict(&db->shards[i], NULL, WARP_PRIORITY_CRITICAL,
                          1 << 20);
        heap_trim(&db->shards[i].heap);
        os_unlock(&db->shards[i].lock);
    }
    /* Of series: some, or all where there is one. From then on it is chosen
     * whose copies stay, and those of others come back when they are read. */
    series_shrink(db->series, series_resident_bytes(db->series) / 2 + 1);
}
