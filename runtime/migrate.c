/* migrate.c: see migrate.h. */
#include "migrate_part.h"

#include "clock.h"
#include "error.h"
#include "evict.h"
#include "far.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    ARCHIVE_LATE_MS = 3600 * 1000, /* between looks at what the archive gets */
    KEEP_MS = 300 * 1000           /* between writes of the counts */
};

/* ---- opening ---- */

static int open_window(struct warp_db *db, const struct layout *l,
                       struct migrate_product *p, enum heat_kind kind,
                       uint64_t count, int64_t ms)
{
    bool carries = l->role[WARP_PHYSICS_TEMPORAL_WEIGHT] != LAYOUT_NO_ROLE;
    struct window *w = &p->windows[kind];
    if (count == 0 || ms <= 0)
        return WARP_OK;
    _Atomic uint8_t *counts = os_reserve(HEAT_SLOTS);
    w->past = os_reserve(HEAT_SLOTS);
    w->carried = carries ? os_reserve(HEAT_SLOTS) : NULL;
    w->parts = carries ? os_reserve(HEAT_SLOTS) : NULL;
    if (!counts || !w->past || (carries && !(w->carried && w->parts))) {
        if (counts)
            os_unreserve((void *)counts, HEAT_SLOTS);
        return error_set(WARP_ENOMEM, "out of memory for the counts of a "
                                      "strategy");
    }
    w->ms = ms;
    w->began_ms = clock_now(db->clock);
    p->heat.least[kind] = (uint8_t)(count < HEAT_MOST ? count : HEAT_MOST);
    p->heat.most[kind] =
        carries || l->role[WARP_PHYSICS_TEMPERATURE] != LAYOUT_NO_ROLE
            ? HEAT_MOST
            : p->heat.least[kind];
    atomic_store(&p->heat.counts[kind], counts);
    return WARP_OK;
}

/* Whether what is written anew is looked at for its age. */
static void archive_by_age(struct migrate_product *p, bool on)
{
    int64_t minutes = p->windows[PASS_ARCHIVE].ms / 60000;
    if (minutes == 0 && p->windows[PASS_ARCHIVE].ms > 0)
        minutes = 1;
    if (minutes > UINT32_MAX)
        minutes = UINT32_MAX;
    atomic_store(&p->heat.archive_min, on ? (uint32_t)minutes : 0);
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
            (s->hot_to_warm_count == 0 && s->warm_to_cold_count == 0 &&
             s->cold_to_archive_age_ms == 0))
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
        rc = open_window(db, l, p, HEAT_HOT, s->hot_to_warm_count,
                         s->hot_to_warm_window_ms);
        if (rc == WARP_OK)
            rc = open_window(db, l, p, HEAT_COLD, s->warm_to_cold_count,
                             s->warm_to_cold_window_ms);
        if (l->tiered && s->cold_to_archive_age_ms > 0) {
            p->windows[PASS_ARCHIVE].ms = s->cold_to_archive_age_ms;
            archive_by_age(p, p->automatic);
        }
        l->heat = &p->heat;
    }
    return rc == WARP_OK && m ? migrate_recall(db, m) : rc;
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
            unreserve(m->products[i].windows[k].carried);
            unreserve(m->products[i].windows[k].parts);
        }
    if (m)
        free(m->products);
    free(m);
}

/* ---- which pass ---- */

/* A window that has ended: its counts are the past ones, others begin. */
static void turn(struct migrate_product *p, enum pass pass, int64_t now)
{
    struct window *w = &p->windows[pass];
    if (pass == PASS_ARCHIVE)
        return;
    os_release((void *)w->past, HEAT_SLOTS);
    w->past = atomic_exchange(&p->heat.counts[pass], w->past);
    w->began_ms = now;
}

static void end_pass(struct migrate *m, int64_t now)
{
    struct window *w = &m->products[m->product].windows[m->pass];
    if (m->pass == PASS_ARCHIVE) {
        int64_t late = w->ms / 64;
        w->began_ms = now + (late > ARCHIVE_LATE_MS ? ARCHIVE_LATE_MS : late);
    }
    w->passed_ms = now;
    m->busy = false;
}

static bool begin_pass(struct migrate *m, int64_t now)
{
    for (uint32_t i = 0; i < m->count; i++)
        for (int k = 0; k < PASSES; k++) {
            struct migrate_product *p = &m->products[i];
            struct window *w = &p->windows[k];
            int64_t length = k == PASS_ARCHIVE ? 0 : w->ms;
            bool due = p->automatic && now - w->began_ms >= length;
            due = due || w->round != m->round;
            if (w->ms == 0 || !due)
                continue;
            w->round = m->round;
            turn(p, (enum pass)k, now);
            m->busy = true;
            m->product = i;
            m->pass = (enum pass)k;
            m->segment = 0;
            m->key_bytes = 0;
            return true;
        }
    return false;
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
    if (record_product(r) != c->migrate->product)
        return;
    c->seen++;
    struct migrate_roles roles = migrate_roles(
        c->shard, c->shard->db->layouts[record_product(r)], r);
    if (!migrate_used(c->migrate, shard_record_hash(c->shard, r), &roles))
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

/* ---- steps ---- */

/* forced: by migrate_all, whose steps nobody else may take: it tells what was
 * moved, and when it returns it is. */
static int step(struct warp_db *db, uint32_t rows, bool forced,
                uint32_t *marked, bool *more)
{
    struct migrate *m = db->migrate;
    int rc = WARP_OK;
    *marked = 0;
    *more = false;
    if (!m || db->read_only || atomic_load(&db->loading))
        return rc;
    int64_t now = clock_now(db->clock);
    os_lock(&m->lock);
    if (m->forced == forced && (m->busy || begin_pass(m, now))) {
        if (m->pass == PASS_WARM)
            leave_memory(db, m, rows, more);
        else
            rc = migrate_rows(db, m, rows, marked, more);
        if (rc == WARP_OK && !*more) {
            end_pass(m, now);
            *more = true; /* perhaps another one is due */
        }
    }
    os_unlock(&m->lock);
    return rc;
}

int migrate_step(struct warp_db *db, uint32_t rows, uint32_t *marked,
                 bool *more)
{
    return step(db, rows, false, marked, more);
}

/* Also what auto_migration: false leaves to its user. */
static void force(struct migrate *m, bool on)
{
    if (!m)
        return;
    os_lock(&m->lock);
    m->round += on;
    m->forced = on;
    for (uint32_t i = 0; i < m->count; i++)
        archive_by_age(&m->products[i], on || m->products[i].automatic);
    os_unlock(&m->lock);
}

int migrate_all(struct warp_db *db, const struct progress *progress,
                struct migrate_moved *moved)
{
    enum { ROWS = 4096 };
    struct migrate *m = db->migrate;
    bool more = m != NULL;
    int rc = WARP_OK;
    *moved = (struct migrate_moved){0, 0};
    db_wait_loaded(db);
    force(m, true);
    while (rc == WARP_OK && more) {
        uint32_t marked;
        rc = step(db, ROWS, true, &marked, &more);
        if (rc == WARP_OK && marked > 0)
            rc = warp_checkpoint(db);
        *(m->pass == PASS_ARCHIVE ? &moved->to_archive : &moved->to_disk) +=
            marked;
        uint64_t done = moved->to_archive + moved->to_disk;
        uint64_t total = 0;
        if (rc == WARP_OK)
            rc = ssd_count(db->ssd, SSD_ROWS, &total);
        if (rc == WARP_OK && progress && progress->fn &&
            progress->fn(progress->arg, "migrate", done < total ? done : total,
                         total) != 0)
            rc = error_set(WARP_TIMEOUT, "stopped; what was moved stays so");
    }
    force(m, false);
    /* What a step of the keeper marked before. */
    return rc == WARP_OK ? warp_checkpoint(db) : rc;
}

/* ---- counts over a restart ---- */

void migrate_save(struct warp_db *db, bool now)
{
    struct migrate *m = db->migrate;
    int64_t boot = os_boot_ms();
    if (!m || db->read_only || atomic_load(&db->loading))
        return;
    if (m->kept_ms == 0)
        m->kept_ms = boot;
    if (!now && boot - m->kept_ms < KEEP_MS)
        return;
    os_lock(&db->checkpoint_lock); /* it writes the directory, too */
    os_lock(&m->lock);
    int rc = migrate_keep(db, m);
    os_unlock(&m->lock);
    os_unlock(&db->checkpoint_lock);
    if (rc != WARP_OK)
        db_log(db, WARP_LOG_WARNING, rc, error_text());
    m->kept_ms = boot;
}

/* ---- explain ---- */

static void say_last(const struct migrate_product *p, bool in_memory,
                     const struct disk_place *place, struct text *t)
{
    if (disk_place_archived(place)) {
        text_key(t, "last_move");
        text_put(t, "{\"to\":\"archive\"");
        if (p->windows[PASS_ARCHIVE].passed_ms)
            text_say(t, ",\"by_ms\":%" PRId64,
                     p->windows[PASS_ARCHIVE].passed_ms);
        text_put(t, "}");
    } else if (place->segment != 0) {
        text_key(t, "last_move");
        text_say(t, "{\"to\":\"disk\",\"at_ms\":%" PRId64
                    ",\"fewer_than\":%u}",
                 (int64_t)place->since * 60000, p->heat.least[PASS_COLD]);
    } else if (!in_memory && p->windows[PASS_WARM].passed_ms) {
        text_key(t, "last_move");
        text_say(t, "{\"to\":\"ssd\",\"by_ms\":%" PRId64
                    ",\"fewer_than\":%u}",
                 p->windows[PASS_WARM].passed_ms, p->heat.least[PASS_WARM]);
    }
}

static void say_next(const struct migrate_product *p, uint64_t hash,
                     bool in_memory, const struct disk_place *place,
                     struct text *t)
{
    const struct window *archive = &p->windows[PASS_ARCHIVE];
    const char *automatic = p->automatic ? "true" : "false";
    if (place->segment != 0 && !disk_place_archived(place) && archive->ms) {
        text_key(t, "next_move");
        text_say(t, "{\"to\":\"archive\",\"at_ms\":%" PRId64
                    ",\"automatic\":%s}",
                 (int64_t)place->since * 60000 + archive->ms, automatic);
    } else if (place->segment == 0 || in_memory) {
        enum pass next = in_memory ? PASS_WARM : PASS_COLD;
        _Atomic uint8_t *counts = atomic_load(&p->heat.counts[next]);
        if (!counts)
            return;
        text_key(t, "next_move");
        const struct window *w = &p->windows[next];
        uint32_t slot = heat_slot(hash);
        uint32_t carried =
            w->carried ? atomic_load_explicit(&w->carried[slot],
                                              memory_order_relaxed)
                       : 0;
        text_say(t,
                 "{\"to\":\"%s\",\"when_fewer_than\":%u,\"accesses\":%u,"
                 "\"carried\":%u,"
                 "\"window_ends_ms\":%" PRId64 ",\"automatic\":%s}",
                 in_memory ? "ssd" : "disk", p->heat.least[next],
                 atomic_load_explicit(&counts[slot], memory_order_relaxed),
                 carried, w->began_ms + w->ms, automatic);
    }
}

void migrate_explain(struct warp_db *db, const struct layout *l,
                     uint32_t field, uint64_t hash, bool in_memory,
                     const struct disk_place *place, struct text *t)
{
    struct migrate *m = db->migrate;
    if (!(l->tiered >> field & 1))
        return;
    text_string(t, "placed_by", "its use: memory, ssd, then disk; by its age: "
                                "the archive");
    if (!m)
        return;
    os_lock(&m->lock);
    say_last(&m->products[l->number], in_memory, place, t);
    say_next(&m->products[l->number], hash, in_memory, place, t);
    os_unlock(&m->lock);
}
