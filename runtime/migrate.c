/* migrate.c: see migrate.h. */
#include "migrate.h"

#include "clock.h"
#include "error.h"
#include "evict.h"
#include "hash.h"
#include "heat.h"
#include "row_past.h"

#include <inttypes.h>
#include <stdlib.h>

/* Values that one step brings along, at most. */
#define STEP_BYTES (UINT64_C(8) << 20)

/* One threshold of one product. */
struct window {
    int64_t ms;       /* 0: not said */
    int64_t began_ms;
    int64_t passed_ms;        /* when the last pass ended; 0: none has */
    uint32_t round;           /* of the last pass that was forced */
    _Atomic uint8_t *past;    /* counts of the window that has ended */
    _Atomic uint8_t *spare;   /* zeros */
};

struct migrate_product {
    struct heat heat;
    struct window windows[HEAT_KINDS];
    bool automatic;
};

struct migrate {
    struct os_lock lock; /* one step at a time */
    struct migrate_product *products; /* by layouts */
    uint32_t count;
    uint32_t round;  /* how often passes were forced */
    /* The pass under way. */
    bool busy;
    uint32_t product;
    enum heat_kind kind;
    uint32_t segment;    /* of the index, HEAT_HOT */
    uint8_t key[ROW_KEY_BYTES_MAX + 1]; /* HEAT_COLD: it goes on here */
    uint32_t key_bytes;
};

/* ---- opening ---- */

static int open_window(struct warp_db *db, struct migrate_product *p,
                       enum heat_kind kind, uint64_t count, int64_t ms)
{
    struct window *w = &p->windows[kind];
    if (count == 0 || ms <= 0)
        return WARP_OK;
    _Atomic uint8_t *counts = os_reserve(HEAT_SLOTS);
    w->spare = os_reserve(HEAT_SLOTS);
    if (!counts || !w->spare) {
        if (counts)
            os_unreserve((void *)counts, HEAT_SLOTS);
        return error_set(WARP_ENOMEM, "out of memory for the counts of a "
                                      "strategy");
    }
    w->ms = ms;
    w->began_ms = clock_now(db->clock);
    p->heat.least[kind] = (uint8_t)(count < HEAT_MOST ? count : HEAT_MOST);
    atomic_store(&p->heat.counts[kind], counts);
    return WARP_OK;
}

/* Values of fixed size leave memory with their record, or not at all. */
static bool is_moved(const struct layout *l)
{
    bool placed = l->tiered != 0;
    FOR_BITS(i, l->evictable ? l->durable : 0)
        placed = placed || l->desc->fields[i].home == WARP_HOME_AUTO ||
                 l->desc->fields[i].home == WARP_HOME_HYBRID;
    return placed;
}

int migrate_open(struct warp_db *db)
{
    struct migrate *m = NULL;
    int rc = WARP_OK;
    for (uint32_t i = 0; i < db->layout_count && rc == WARP_OK; i++) {
        struct layout *l = db->layouts[i];
        const struct warp_strategy *s = l->desc->strategy;
        if (!s || !is_moved(l) ||
            (s->hot_to_warm_count == 0 && s->warm_to_cold_count == 0))
            continue;
        if (!m) {
            m = calloc(1, sizeof *m);
            if (m)
                m->products = calloc(db->layout_count, sizeof *m->products);
            if (!m || !m->products) {
                free(m);
                return error_set(WARP_ENOMEM, "out of memory for migration");
            }
            m->count = db->layout_count;
            db->migrate = m;
        }
        struct migrate_product *p = &m->products[i];
        p->automatic = s->auto_migration != 0;
        rc = open_window(db, p, HEAT_HOT, s->hot_to_warm_count,
                         s->hot_to_warm_window_ms);
        if (rc == WARP_OK)
            rc = open_window(db, p, HEAT_COLD, s->warm_to_cold_count,
                             s->warm_to_cold_window_ms);
        l->heat = &p->heat;
    }
    return rc;
}

static void unreserve(_Atomic uint8_t *counts)
{
    if (counts)
        os_unreserve((void *)counts, HEAT_SLOTS);
}

void migrate_close(struct warp_db *db)
{
    struct migrate *m = db->migrate;
    db->migrate = NULL;
    for (uint32_t i = 0; m && i < m->count; i++)
        for (int k = 0; k < HEAT_KINDS; k++) {
            unreserve(atomic_load(&m->products[i].heat.counts[k]));
            unreserve(m->products[i].windows[k].past);
            unreserve(m->products[i].windows[k].spare);
        }
    if (m)
        free(m->products);
    free(m);
}

/* ---- which pass ---- */

/* A window that has ended: its counts are the past ones, others begin. */
static void turn(struct migrate_product *p, enum heat_kind kind, int64_t now)
{
    struct window *w = &p->windows[kind];
    w->past = atomic_exchange(&p->heat.counts[kind], w->spare);
    w->spare = NULL;
    w->began_ms = now;
}

static void end_pass(struct migrate *m, int64_t now)
{
    struct window *w = &m->products[m->product].windows[m->kind];
    os_release((void *)w->past, HEAT_SLOTS);
    w->spare = w->past;
    w->past = NULL;
    w->passed_ms = now;
    m->busy = false;
}

static bool begin_pass(struct migrate *m, int64_t now)
{
    for (uint32_t i = 0; i < m->count; i++)
        for (int k = 0; k < HEAT_KINDS; k++) {
            struct migrate_product *p = &m->products[i];
            struct window *w = &p->windows[k];
            bool due = p->automatic && now - w->began_ms >= w->ms;
            due = due || w->round != m->round;
            if (w->ms == 0 || !due)
                continue;
            w->round = m->round;
            turn(p, (enum heat_kind)k, now);
            m->busy = true;
            m->product = i;
            m->kind = (enum heat_kind)k;
            m->segment = 0;
            m->key_bytes = 0;
            return true;
        }
    return false;
}

static bool is_used(const struct migrate *m, uint64_t hash)
{
    const struct migrate_product *p = &m->products[m->product];
    const _Atomic uint8_t *past = p->windows[m->kind].past;
    return atomic_load_explicit(
               &((_Atomic uint8_t *)(uintptr_t)past)[heat_slot(hash)],
               memory_order_relaxed) >= p->heat.least[m->kind];
}

/* ---- hot to warm ---- */

struct leave_call {
    struct migrate *migrate;
    struct shard *shard;
    uint32_t seen;
};

static void leave_one(void *arg, void *record)
{
    struct leave_call *c = arg;
    struct record *r = record;
    if (r->product != c->migrate->product)
        return;
    c->seen++;
    if (!is_used(c->migrate, shard_record_hash(c->shard, r)))
        (void)evict_one(c->shard, r);
}

/* Parts of each shard's index, until enough was looked at; *more: there are
 * further ones. */
static void leave_memory(struct warp_db *db, struct migrate *m, uint32_t rows,
                         bool *more)
{
    uint32_t seen = 0;
    *more = true;
    while (*more && seen < rows) {
        *more = false;
        for (uint32_t i = 0; i < db->shard_count; i++) {
            struct leave_call call = {m, &db->shards[i], 0};
            os_lock(&call.shard->lock);
            if (index_walk(&call.shard->index, m->segment, leave_one, &call))
                *more = true;
            os_unlock(&call.shard->lock);
            seen += call.seen;
        }
        m->segment++;
    }
}

/* ---- warm to cold ---- */

/* Has the row a value that is not on disk yet? */
static bool may_go(const struct layout *l, struct ssd_slice value)
{
    struct row_view view;
    const struct layout *form = row_form(l, value);
    if (row_parse(form, value, &view) != WARP_OK)
        return false;
    const uint8_t *at = view.values;
    FOR_BITS(i, view.have & form->durable)
    {
        struct op_value v;
        uint32_t raw;
        row_next(form, (uint32_t)i, &at, &v, &raw);
        if ((form->tiered >> i & 1) && !row_place(form, (uint32_t)i, &v))
            return true;
    }
    return false;
}

static int send_row(struct warp_db *db, const struct layout *l,
                    const struct key_ref *key, uint64_t *bytes,
                    uint32_t *marked)
{
    struct shard *s = &db->shards[hash_shard(key->hash, db->shard_count)];
    struct record *r;
    uint64_t go = 0;
    os_lock(&s->lock);
    int rc = shard_find(s, l, key, &r);
    if (rc == WARP_OK && r && !(record_have(r) & (R_DELETED | R_DIRTY))) {
        FOR_BITS(i, l->tiered & record_have(r))
        {
            struct disk_place place;
            disk_place_decode(r->row + l->fields[i].place, &place);
            if (place.segment != 0)
                continue;
            go |= UINT64_C(1) << i;
            *bytes += (uint32_t)atomic_load_explicit(
                &row_var(r, l->fields[i].slot)->len_cap,
                memory_order_relaxed);
        }
        if (go) {
            record_begin(r);
            row_store(r, l->to_disk, row_load(r, l->to_disk) | go);
            shard_dirty(s, r);
            record_end(r, record_version(r));
            ++*marked;
        }
    }
    os_unlock(&s->lock);
    return rc;
}

static int send_to_disk(struct warp_db *db, struct migrate *m, uint32_t rows,
                        uint32_t *marked, bool *more)
{
    enum { LOOKED_MAX = 32 }; /* times the rows */
    const struct layout *l = db->layouts[m->product];
    uint8_t after[2];
    uint64_t bytes = 0, looked = 0;
    struct ssd_cursor *cursor = NULL;
    if (m->key_bytes == 0)
        m->key_bytes = row_key(m->key, l->id, NULL, 0);
    row_key(after, l->id + 1u, NULL, 0);
    struct ssd_slice from = {m->key, m->key_bytes}, to = {after, 2}, key, value;
    if (l->id == UINT16_MAX)
        to.bytes = 0;
    *more = false;
    int rc = ssd_cursor_open(db->ssd, SSD_ROWS, from, to, false, &cursor);
    while (rc == WARP_OK && !*more &&
           (rc = ssd_next(cursor, &key, &value)) == WARP_OK) {
        if (key.bytes < 2 || key.bytes > ROW_KEY_BYTES_MAX) {
            rc = error_set(WARP_ECORRUPT, "the directory holds a key of %zu "
                                          "bytes", key.bytes);
            break;
        }
        struct key_ref ref = {(const uint8_t *)key.data + 2,
                              (uint32_t)key.bytes - 2, l->number, 0,
                              l->row_bytes};
        ref.hash = hash_key(db->seed, l->id, ref.bytes, ref.count);
        if (!is_used(m, ref.hash) && may_go(l, value))
            rc = send_row(db, l, &ref, &bytes, marked);
        *more = *marked >= rows || bytes >= STEP_BYTES ||
                ++looked >= (uint64_t)rows * LOOKED_MAX;
        if (*more && rc == WARP_OK) { /* the next step begins behind it */
            memcpy(m->key, key.data, key.bytes);
            m->key[key.bytes] = 0;
            m->key_bytes = (uint32_t)key.bytes + 1;
        }
    }
    ssd_cursor_close(&cursor);
    /* No room for more records: a checkpoint lets some go, then it goes on. */
    if (rc == WARP_ELIMIT && *marked > 0) {
        *more = true;
        return WARP_OK;
    }
    return rc == WARP_END ? WARP_OK : rc;
}

/* ---- steps ---- */

int migrate_step(struct warp_db *db, uint32_t rows, uint32_t *marked,
                 bool *more)
{
    struct migrate *m = db->migrate;
    int rc = WARP_OK;
    *marked = 0;
    *more = false;
    if (!m || db->read_only || atomic_load(&db->loading))
        return rc;
    int64_t now = clock_now(db->clock);
    os_lock(&m->lock);
    if (m->busy || begin_pass(m, now)) {
        if (m->kind == HEAT_HOT)
            leave_memory(db, m, rows, more);
        else
            rc = send_to_disk(db, m, rows, marked, more);
        if (rc == WARP_OK && !*more) {
            end_pass(m, now);
            *more = true; /* perhaps another one is due */
        }
    }
    os_unlock(&m->lock);
    return rc;
}

int migrate_all(struct warp_db *db, const struct progress *progress,
                uint64_t *moved)
{
    enum { ROWS = 4096 };
    struct migrate *m = db->migrate;
    bool more = m != NULL;
    int rc = WARP_OK;
    *moved = 0;
    db_wait_loaded(db);
    if (m) {
        os_lock(&m->lock);
        m->round++;
        os_unlock(&m->lock);
    }
    while (rc == WARP_OK && more) {
        uint32_t marked;
        rc = migrate_step(db, ROWS, &marked, &more);
        if (rc == WARP_OK && marked > 0)
            rc = warp_checkpoint(db);
        *moved += marked;
        uint64_t total = ssd_count(db->ssd, SSD_ROWS);
        if (rc == WARP_OK && progress && progress->fn &&
            progress->fn(progress->arg, "migrate",
                         *moved < total ? *moved : total, total) != 0)
            rc = error_set(WARP_TIMEOUT, "stopped; what was moved stays so");
    }
    return rc;
}

/* ---- explain ---- */

void migrate_explain(struct warp_db *db, const struct layout *l,
                     uint32_t field, uint64_t hash, bool in_memory,
                     bool on_disk, struct text *t)
{
    static const char *const to[] = {"ssd", "disk"};
    struct migrate *m = db->migrate;
    if (!(l->tiered >> field & 1))
        return;
    text_string(t, "placed_by", "its use: memory, ssd, then disk");
    if (!m)
        return;
    const struct migrate_product *p = &m->products[l->number];
    enum heat_kind next = in_memory ? HEAT_HOT : HEAT_COLD;
    os_lock(&m->lock);
    int last = on_disk ? HEAT_COLD : in_memory ? -1 : HEAT_HOT;
    if (last >= 0 && p->windows[last].passed_ms) {
        text_key(t, "last_move");
        text_say(t, "{\"to\":\"%s\",\"at_ms\":%" PRId64 ",\"fewer_than\":%u}",
                 to[last], p->windows[last].passed_ms, p->heat.least[last]);
    }
    _Atomic uint8_t *counts = atomic_load(&p->heat.counts[next]);
    if (counts && !(on_disk && !in_memory)) {
        text_key(t, "next_move");
        text_say(t,
                 "{\"to\":\"%s\",\"when_fewer_than\":%u,\"accesses\":%u,"
                 "\"window_ends_ms\":%" PRId64 ",\"automatic\":%s}",
                 to[next], p->heat.least[next],
                 atomic_load_explicit(&counts[heat_slot(hash)],
                                      memory_order_relaxed),
                 p->windows[next].began_ms + p->windows[next].ms,
                 p->automatic ? "true" : "false");
    }
    os_unlock(&m->lock);
}
