/* store_model_check.c: a store against a world. */
#include "store_model.h"

#include <stdarg.h>
#include <stdio.h>

static bool differs(struct model_run *run, const struct world *w,
                    const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool differs(struct model_run *run, const struct world *w,
                    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(run->said, sizeof run->said, format, args);
    va_end(args);
    if (!run->quiet)
        fprintf(stderr, "world %u, now %lld: %s (%s)\n", w->number,
                (long long)w->now, run->said, warp_errmsg(run->db));
    return false;
}

/* ---- values ---- */

static char byte_of(const struct model_value *v, uint32_t i, bool text)
{
    /* Half of it compresses. */
    uint64_t x = i % 64 < 32 ? v->seed : v->seed + i * UINT64_C(2654435761);
    x ^= x >> 29;
    x >>= i & 15;
    if (text)
        x = 'a' + x % 26;
    return (char)x;
}

static uint32_t text_of(const struct world *w, uint32_t product, uint32_t field,
                        const struct model_value *v, char *to)
{
    if (product == 0 && field == THING_EMAIL)
        return (uint32_t)snprintf(to, 64, "%u-%u%.*s@example.org", w->number,
                                  (unsigned)v->seed, (int)v->seed * 2,
                                  "abcdefghijklmnopqrstuvwxyz");
    bool text =
        model_product(product)->fields[field].type->kind == WARP_T_STRING;
    for (uint32_t i = 0; i < v->len; i++)
        to[i] = byte_of(v, i, text);
    return v->len;
}

static uint64_t number_of(const struct world *w, uint32_t product,
                          uint32_t field, const struct model_value *v)
{
    bool own = product == 0 ? field == THING_OWNER : field == MORTAL_TAG;
    return own ? w->number * UINT64_C(1000) + v->seed : v->seed;
}

void model_value_to(const struct world *w, uint32_t product, uint32_t field,
                    const struct model_value *v, void *to,
                    struct warp_arena *arena)
{
    const struct warp_type *type = model_product(product)->fields[field].type;
    uint64_t n = number_of(w, product, field, v);
    if (type->kind == WARP_T_STRING || type->kind == WARP_T_BYTES) {
        char *text = warp_arena_alloc(arena, v->len + 64);
        struct warp_str s = {text, 0};
        s.len = text_of(w, product, field, v, text);
        memcpy(to, &s, sizeof s);
    } else if (type->kind == WARP_T_STRUCT) {
        struct sample_pos p = {(float)(uint16_t)n, (float)(uint16_t)(n >> 16),
                               (float)(uint16_t)(n >> 32)};
        memcpy(to, &p, sizeof p);
    } else {
        memcpy(to, &n, type->size);
    }
}

bool model_value_is(const struct world *w, uint32_t product, uint32_t field,
                    const struct model_value *v, const void *c)
{
    const struct warp_type *type = model_product(product)->fields[field].type;
    struct warp_arena arena = WARP_ARENA_INIT;
    bool same;
    union {
        struct warp_str s;
        char bytes[64];
    } mine;
    model_value_to(w, product, field, v, &mine, &arena);
    if (type->kind == WARP_T_STRING || type->kind == WARP_T_BYTES) {
        struct warp_str s;
        memcpy(&s, c, sizeof s);
        same = s.len == mine.s.len &&
               (s.len == 0 || memcmp(s.data, mine.s.data, s.len) == 0);
    } else {
        same = memcmp(&mine, c, type->size) == 0;
    }
    warp_arena_free(&arena);
    return same;
}

void model_key(const struct world *w, uint32_t product, uint32_t key,
               union model_key *to, char text[16])
{
    if (product == 0) {
        to->id = (uint64_t)w->number << 32 | key * 7;
        return;
    }
    to->name.data = text;
    to->name.len =
        (uint32_t)snprintf(text, 16, "%03u/%05u", w->number, key * 3);
}

/* ---- one record ---- */

static uint64_t have_of(const struct warp_product *p, const void *out)
{
    uint64_t have;
    memcpy(&have, (const char *)out + p->have_offset, sizeof have);
    return have;
}

static bool is_zero(const void *bytes, size_t count)
{
    const char *b = bytes;
    for (size_t i = 0; i < count; i++)
        if (b[i])
            return false;
    return true;
}

static bool key_is(const struct world *w, uint32_t product, uint32_t key,
                   const void *out)
{
    union model_key k;
    char text[16];
    model_key(w, product, key, &k, text);
    if (product == 0)
        return memcmp(out, &k.id, sizeof k.id) == 0;
    struct warp_str s;
    memcpy(&s, out, sizeof s);
    return s.len == k.name.len && memcmp(s.data, k.name.data, s.len) == 0;
}

static uint64_t cold_mask(const struct warp_product *p)
{
    return p->all & ~p->hot;
}

/* What a get, a scan or a look-up gave. resident: cold fields may lack. */
static bool result_is(struct model_run *run, const struct world *w,
                      uint32_t product, uint32_t key, uint64_t fields,
                      bool resident, const void *out, const char *what)
{
    const struct warp_product *p = model_product(product);
    const struct model_record *r = &w->records[product][key];
    uint64_t have = have_of(p, out);
    if (!key_is(w, product, key, out))
        return differs(run, w, "%s: %s %u: another key", what, p->name, key);
    if (have & ~fields)
        return differs(run, w, "%s: %s %u: have %llx was not asked for", what,
                       p->name, key, (unsigned long long)(have & ~fields));
    for (uint32_t i = 1; i < p->field_count; i++) {
        const struct warp_field *f = &p->fields[i];
        if (f->offset == UINT32_MAX)
            continue;
        const char *at = (const char *)out + f->offset;
        bool there = have >> i & 1;
        bool mine = (fields >> i & 1) && model_present(w, r, i);
        if (mine != there && !(mine && resident && (cold_mask(p) >> i & 1)))
            return differs(run, w, "%s: %s %u.%s is %s, expected %s", what,
                           p->name, key, f->name, there ? "there" : "missing",
                           mine ? "there" : "missing");
        if (!there && !is_zero(at, f->type->size))
            return differs(run, w, "%s: %s %u.%s is missing and not zero", what,
                           p->name, key, f->name);
        struct model_value v = r->fields[i].value;
        uint64_t gold = r->fields[THING_GOLD].value.seed;
        if (product == 0 && !r->fields[THING_GOLD].have)
            gold = SAMPLE_GOLD;
        if (product == 0 && i == THING_GOLD)
            v.seed = gold;
        if (product == 0 && i == THING_TWICE)
            v.seed = 2 * r->fields[THING_SEEN].value.seed + gold;
        if (there && !model_value_is(w, product, i, &v, at))
            return differs(run, w, "%s: %s %u.%s has another value", what,
                           p->name, key, f->name);
    }
    return true;
}

static bool state_is(const struct world *w, const struct model_record *r,
                     uint32_t product, uint32_t i, enum warp_state state)
{
    const struct warp_field *d = &model_product(product)->fields[i];
    const struct model_field *f = &r->fields[i];
    if (!model_exists(w, r))
        return state == WARP_ABSENT;
    if (d->flags & WARP_F_KEY)
        return state == WARP_PRESENT;
    if (d->flags & WARP_F_SERIES) /* its elements may all be too old */
        return r->count > 0 ? state == WARP_PRESENT || state == WARP_ABSENT
                            : state == WARP_ABSENT;
    if (d->flags & WARP_F_DERIVED)
        return state == (model_present(w, r, i) ? WARP_PRESENT : WARP_ABSENT);
    if (f->have)
        return state == (model_present(w, r, i) ? WARP_PRESENT : WARP_EXPIRED);
    if (!f->lost)
        return state == (d->default_value ? WARP_PRESENT : WARP_ABSENT);
    if (d->ttl_ms == 0 || w->now < f->least)
        return state == WARP_LOST;
    return state == WARP_EXPIRED || (w->now < f->most && state == WARP_LOST);
}

static bool series_is(struct model_run *run, const struct world *w,
                      uint32_t product, uint32_t key, int64_t from, int64_t to)
{
    const struct model_record *r = &w->records[product][key];
    const struct warp_product *p = model_product(product);
    uint32_t field = product == 0 ? THING_EVENTS : MORTAL_TRAIL;
    union model_key k;
    char text[16];
    struct warp_iter *it = NULL;
    bool good = true;
    if (!model_has_series(product))
        return true;
    model_key(w, product, key, &k, text);
    int rc = run->code = warp_gen_range_with(run->db, p, &k, field, from, to,
                                             WARP_ARCHIVE, &it);
    if (rc != WARP_OK)
        return differs(run, w, "range of %s %u: %d", p->name, key, rc);
    for (uint32_t i = 0; i <= r->count && good; i++) {
        bool end = i == r->count;
        const struct model_element *e = &r->series[i];
        if (!end && (!model_exists(w, r) || e->at < from || e->at >= to ||
                     (product == 0 && e->at <= w->now - SAMPLE_EVENTS_END_MS)))
            continue;
        struct warp_str s;
        int64_t at;
        rc = run->code =
            warp_gen_range_next(it, p, field, &at, &s, &run->arena);
        if (end)
            good = rc == WARP_END ||
                   differs(run, w, "series of %s %u: one more element (%d)",
                           p->name, key, rc);
        else
            good = (rc == WARP_OK && at == e->at &&
                    model_value_is(w, product, field, &e->value, &s)) ||
                   differs(run, w,
                           "series of %s %u: element %u of %u: %d, time %lld, "
                           "expected %lld",
                           p->name, key, i, r->count, rc, (long long)at,
                           (long long)e->at);
    }
    warp_iter_close(&it);
    return good;
}

bool model_check_record(struct model_run *run, const struct world *w,
                        uint32_t product, uint32_t key)
{
    const struct warp_product *p = model_product(product);
    const struct model_record *r = &w->records[product][key];
    union {
        struct sample_thing thing;
        struct sample_mortal mortal;
    } out;
    union model_key k;
    char text[16];
    uint64_t rng = w->seed + key, version = 0;
    bool there = model_exists(w, r);
    uint64_t masks[] = {p->all | WARP_RESIDENT, p->hot,
                        (model_random(&rng) & p->all) | WARP_ARCHIVE,
                        p->all | WARP_ARCHIVE};
    model_key(w, product, key, &k, text);
    for (uint32_t n = 0; n < sizeof masks / sizeof masks[0]; n++) {
        memset(&out, 0xee, sizeof out);
        int rc = run->code =
            warp_gen_get(run->db, p, &k, masks[n], &out, &run->arena);
        if (rc != (there ? WARP_OK : WARP_ENOTFOUND))
            return differs(run, w, "get of %s %u: %d", p->name, key, rc);
        if (there &&
            !result_is(run, w, product, key, masks[n] & ~WARP_CALL_FLAGS,
                       masks[n] & WARP_RESIDENT, &out, "get"))
            return false;
    }
    for (uint32_t i = 0; i < p->field_count; i++) {
        enum warp_state s =
            warp_gen_state(run->db, p, &k, BIT(i) | WARP_ARCHIVE);
        if (s == WARP_STATE_ERROR)
            run->code = WARP_STATE_ERROR;
        if (!state_is(w, r, product, i, s))
            return differs(run, w, "state of %s %u.%s: %d", p->name, key,
                           p->fields[i].name, (int)s);
    }
    int rc = run->code = warp_gen_version(run->db, p, &k, &version);
    if (rc != (there ? WARP_OK : WARP_ENOTFOUND) || (there && version == 0))
        return differs(run, w, "version of %s %u: %d", p->name, key, rc);
    /* As often of the time that is kept in memory. */
    uint64_t past = model_random(&rng) % 2 ? 100000 : 10000;
    int64_t from = w->now - (int64_t)(model_random(&rng) % past);
    return series_is(run, w, product, key, INT64_MIN + 1, INT64_MAX) &&
           series_is(run, w, product, key, from,
                     from + (int64_t)(model_random(&rng) % 50000));
}

/* ---- scans and indexes ---- */

static bool scan_is(struct model_run *run, const struct world *w,
                    uint32_t product, uint32_t from, uint32_t to, bool reverse,
                    uint64_t fields)
{
    const struct warp_product *p = model_product(product);
    union {
        struct sample_thing thing;
        struct sample_mortal mortal;
    } out;
    union model_key a, b;
    char at[16], bt[16];
    struct warp_iter *it = NULL;
    bool good = true;
    model_key(w, product, from, &a, at);
    model_key(w, product, to, &b, bt);
    struct warp_gen_range range = {&a, &b, NULL, reverse};
    int rc = run->code = warp_gen_scan(run->db, p, &range, fields, &it);
    if (rc != WARP_OK)
        return differs(run, w, "scan of %s: %d", p->name, rc);
    for (uint32_t n = from; n < to && good; n++) {
        uint32_t key = reverse ? to - 1 - (n - from) : n;
        if (!model_exists(w, &w->records[product][key]))
            continue;
        memset(&out, 0xee, sizeof out);
        rc = run->code = warp_gen_next(it, p, &out, &run->arena);
        good = (rc == WARP_OK ||
                differs(run, w, "scan of %s to %u: %d", p->name, key, rc)) &&
               result_is(run, w, product, key, fields & ~WARP_CALL_FLAGS,
                         fields & WARP_RESIDENT, &out, "scan");
    }
    rc = good ? warp_gen_next(it, p, &out, &run->arena) : WARP_END;
    if (rc < 0)
        run->code = rc;
    warp_iter_close(&it);
    return good &&
           (rc == WARP_END ||
            differs(run, w, "scan of %s: one record more (%d)", p->name, rc));
}

static bool by_is(struct model_run *run, const struct world *w,
                  uint32_t product, uint32_t field, const struct model_value *v)
{
    const struct warp_product *p = model_product(product);
    union {
        struct sample_thing thing;
        struct sample_mortal mortal;
    } out;
    char value[64];
    struct warp_iter *it = NULL;
    bool good = true;
    uint32_t held = 0;
    model_value_to(w, product, field, v, value, &run->arena);
    int rc = run->code = warp_gen_by(run->db, p, field, value,
                                     p->all | WARP_ARCHIVE, &it);
    if (rc != WARP_OK)
        return differs(run, w, "by %s: %d", p->fields[field].name, rc);
    for (uint32_t key = 0; key < MODEL_KEYS && good; key++) {
        const struct model_record *r = &w->records[product][key];
        if (!model_present(w, r, field) ||
            r->fields[field].value.seed != v->seed)
            continue;
        held++;
        rc = run->code = warp_gen_next(it, p, &out, &run->arena);
        good =
            (rc == WARP_OK || differs(run, w, "by %s.%s %llu: %d at %u",
                                      p->name, p->fields[field].name,
                                      (unsigned long long)v->seed, rc, key)) &&
            result_is(run, w, product, key, p->all, false, &out, "by");
    }
    rc = good ? warp_gen_next(it, p, &out, &run->arena) : WARP_END;
    if (rc < 0)
        run->code = rc;
    warp_iter_close(&it);
    if (!good)
        return false;
    if (rc != WARP_END)
        return differs(run, w, "by %s.%s %llu: one more (%d)", p->name,
                       p->fields[field].name, (unsigned long long)v->seed, rc);
    if (!(p->fields[field].flags & WARP_F_UNIQUE))
        return true;
    rc = run->code =
        warp_gen_get_by(run->db, p, field, value, p->hot, &out, &run->arena);
    return rc == (held ? WARP_OK : WARP_ENOTFOUND) ||
           differs(run, w, "get_by %s.%s %llu: %d", p->name,
                   p->fields[field].name, (unsigned long long)v->seed, rc);
}

bool model_check(struct model_run *run, const struct world *w)
{
    uint64_t rng = w->seed ^ (uint64_t)w->now;
    bool good = true, indexed = model_product(1)->fields[MORTAL_TAG].flags &
                                WARP_F_INDEX;
    for (uint32_t p = 0; p < MODEL_PRODUCTS && good; p++) {
        const struct warp_product *desc = model_product(p);
        for (uint32_t k = 0; k < MODEL_KEYS && good; k++) {
            good = model_check_record(run, w, p, k);
            warp_arena_reset(&run->arena);
        }
        uint32_t a = (uint32_t)(model_random(&rng) % MODEL_KEYS);
        uint32_t b = a + (uint32_t)(model_random(&rng) % (MODEL_KEYS - a));
        uint64_t fields = model_random(&rng) & desc->all;
        good = good &&
               scan_is(run, w, p, 0, MODEL_KEYS, false,
                       desc->all | WARP_ARCHIVE) &&
               scan_is(run, w, p, 0, MODEL_KEYS, true,
                       fields | WARP_ARCHIVE) &&
               scan_is(run, w, p, a, b, false, desc->hot) &&
               scan_is(run, w, p, a, b, true, desc->all | WARP_RESIDENT);
        warp_arena_reset(&run->arena);
    }
    for (uint64_t i = 0; i < MODEL_EMAILS && good; i++) {
        struct model_value v = {i, 0};
        struct model_value high = {UINT32_MAX - i, 0};
        good = by_is(run, w, 0, THING_EMAIL, &v) &&
               (!indexed || by_is(run, w, 1, MORTAL_TAG, &v)) &&
               (i >= MODEL_OWNERS || by_is(run, w, 0, THING_OWNER, &v));
        /* Another world may use the same tokens. */
        if (good && w->number == 0)
            good = by_is(run, w, 0, THING_TOKEN, &v) &&
                   by_is(run, w, 0, THING_TOKEN, &high);
        warp_arena_reset(&run->arena);
    }
    return good;
}

/* ---- running ---- */

static int call_write(struct model_run *run, struct warp_batch *batch,
                      const struct world *w, const struct model_write *m,
                      void *now)
{
    const struct warp_product *p = model_product(m->product);
    struct warp_db *db = run->db;
    union {
        struct sample_thing thing;
        struct sample_mortal mortal;
        char value[64];
    } c;
    union model_key key;
    char text[16];
    model_key(w, m->product, m->key, &key, text);
    memset(&c, 0xdd, sizeof c);
    switch (m->kind) {
    case W_PUT:
        memcpy(&c, &key, p->key_bytes);
        for (uint32_t i = 0; i < p->field_count; i++)
            if (m->mask >> i & 1)
                model_value_to(w, m->product, i, &m->values[i],
                               (char *)&c + p->fields[i].offset, &run->arena);
        return batch ? warp_gen_put_in(batch, p, &c, m->mask)
                     : warp_gen_put(db, p, &c, m->mask);
    case W_SET:
        model_value_to(w, m->product, m->field, &m->values[m->field], &c,
                       &run->arena);
        return batch ? warp_gen_set_in(batch, p, &key, m->field, &c)
                     : warp_gen_set(db, p, &key, m->field, &c);
    case W_ADD:
        return batch ? warp_gen_add_in(batch, p, &key, m->field, &m->delta)
                     : warp_gen_add(db, p, &key, m->field, &m->delta, now);
    case W_DELETE:
        return batch ? warp_gen_delete_in(batch, p, &key)
                     : warp_gen_delete(db, p, &key);
    case W_TOUCH:
        return batch ? warp_gen_touch_in(batch, p, &key, m->mask)
                     : warp_gen_touch(db, p, &key, m->mask);
    case W_EXPIRE:
        return batch ? warp_gen_expire_in(batch, p, &key, m->mask, m->deadline)
                     : warp_gen_expire(db, p, &key, m->mask, m->deadline);
    default:
        model_value_to(w, m->product, m->field, &m->element, &c, &run->arena);
        return batch ? warp_gen_append_in(batch, p, &key, m->field, m->at, &c)
                     : warp_gen_append(db, p, &key, m->field, m->at, &c);
    }
}

static bool execute_write(struct model_run *run, const struct world *w,
                          const struct world *next, const struct model_op *op,
                          int predicted)
{
    const struct model_write *m = &op->writes[0];
    const struct warp_product *p = model_product(m->product);
    union model_key key;
    char text[16], now[64] = {0};
    uint64_t before = 0, after = 0;
    model_key(w, m->product, m->key, &key, text);
    int before_rc = run->code = warp_gen_version(run->db, p, &key, &before);
    int rc = run->code = call_write(run, NULL, w, m, now);
    int after_rc = run->code = warp_gen_version(run->db, p, &key, &after);
    run->code = rc;
    if (rc != predicted)
        return differs(run, w, "the write gave %d, expected %d", rc, predicted);
    bool are_known = (before_rc == WARP_OK || before_rc == WARP_ENOTFOUND) &&
                     (after_rc == WARP_OK || after_rc == WARP_ENOTFOUND);
    if (rc != WARP_OK && are_known &&
        (before_rc != after_rc || before != after))
        return differs(run, w, "a refused write changed the version");
    if (rc == WARP_OK && before_rc == WARP_OK && after_rc == WARP_OK &&
        (run->moves ? after == before : after <= before))
        return differs(run, w, "version %llu after %llu",
                       (unsigned long long)after, (unsigned long long)before);
    if (rc == WARP_OK && m->kind == W_ADD &&
        !model_value_is(
            w, m->product, m->field,
            &next->records[m->product][m->key].fields[m->field].value, now))
        return differs(run, w, "the add gave another sum");
    return model_check_record(run, next, m->product, m->key);
}

static int expect(struct model_run *run, struct warp_batch *batch,
                  const struct world *w, const struct model_write *m)
{
    const struct warp_product *p = model_product(m->product);
    union model_key key;
    char text[16];
    uint64_t version = 0;
    if (m->expect == E_NONE)
        return WARP_OK;
    model_key(w, m->product, m->key, &key, text);
    int rc = run->code = warp_gen_version(run->db, p, &key, &version);
    if (rc != WARP_OK && rc != WARP_ENOTFOUND)
        return rc;
    if (m->expect == E_WRONG)
        version += 1 + w->seed % 3;
    else if (m->expect == E_ABSENT)
        version = 0;
    return warp_gen_expect_in(batch, p, &key, version);
}

static bool execute_batch(struct model_run *run, const struct world *w,
                          const struct world *next, const struct model_op *op,
                          int predicted)
{
    struct warp_batch *batch = NULL;
    int rc = run->code = warp_batch_begin(run->db, &batch);
    if (rc != WARP_OK)
        return differs(run, w, "no batch: %d", rc);
    for (uint32_t i = 0; i < op->count; i++) {
        rc = expect(run, batch, w, &op->writes[i]);
        if (rc == WARP_OK)
            rc = run->code = call_write(run, batch, w, &op->writes[i], NULL);
        if (rc != WARP_OK && rc != WARP_EINVAL) {
            warp_batch_abort(&batch);
            run->code = rc;
            return differs(run, w, "change %u of the batch: %d", i, rc);
        }
    }
    if (op->kind == M_ABORT)
        warp_batch_abort(&batch);
    rc = run->code = batch ? warp_batch_commit(&batch) : WARP_OK;
    if (batch || rc != predicted)
        return differs(run, w, "the batch gave %d, expected %d", rc, predicted);
    for (uint32_t i = 0; i < op->count; i++)
        if (!model_check_record(run, next, op->writes[i].product,
                                op->writes[i].key))
            return false;
    return true;
}

bool model_execute(struct model_run *run, const struct world *w,
                   const struct world *next, const struct model_op *op,
                   int predicted)
{
    union model_key keys[MODEL_KEYS];
    char text[16];
    bool good = true;
    int rc;
    warp_arena_reset(&run->arena);
    switch (op->kind) {
    case M_WRITE:
        return execute_write(run, w, next, op, predicted);
    case M_BATCH:
    case M_ABORT:
        return execute_batch(run, w, next, op, predicted);
    case M_READ:
        return model_check_record(run, w, op->product, op->key);
    case M_CHECK:
        return model_check(run, w);
    case M_PREFETCH:
        model_key(w, op->product, op->key, &keys[0], text);
        rc = run->code =
            warp_gen_prefetch(run->db, model_product(op->product), keys, 1,
                              model_product(op->product)->all);
        good = rc == WARP_OK || differs(run, w, "prefetch: %d", rc);
        return good && model_check_record(run, w, op->product, op->key);
    case M_SYNC:
        rc = run->code = warp_sync(run->db);
        return rc == WARP_OK || differs(run, w, "sync: %d", rc);
    case M_CHECKPOINT:
        rc = run->code = warp_checkpoint(run->db);
        return rc == WARP_OK || differs(run, w, "checkpoint: %d", rc);
    default:
        return true;
    }
}
