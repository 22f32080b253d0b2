/* client.c: operations of the reference model, one after the other, and the
 * search for the world that a store holds after its process has died. */
#include "client.h"

#include "checkpoint.h"
#include "damage.h"
#include "db.h"
#include "errand.h"
#include "keeper.h"
#include "schemas.h"
#include "sim.h"
#include "versions.h"

#include <stdio.h>
#include <string.h>

void client_init(struct client *c, uint64_t seed, uint32_t number, bool alone)
{
    memset(c, 0, sizeof *c);
    c->number = number;
    c->alone = alone;
    c->base = sim_own(sizeof *c->base);
    c->now = sim_own(sizeof *c->now);
    c->next = sim_own(sizeof *c->next);
    c->other = sim_own(sizeof *c->other);
    c->kept = sim_own(sizeof *c->kept);
    c->then = sim_own(sizeof *c->then);
    c->redone = sim_own(sizeof *c->redone);
    versions_init(c);
    model_init(c->base, seed, number);
    memcpy(c->now, c->base, sizeof *c->now);
}

/* ---- after a death ---- */

static void make(struct client *c, const struct world *w, uint64_t op)
{
    memset(&c->op, 0, sizeof c->op);
    model_make(w, op, c->alone, &c->op);
}

static bool was_done(const struct client *c, uint64_t op)
{
    return !history_skips(op) && !c->refused[op - c->base_op];
}

/* The world after one more operation, in `w` itself. */
static void follow(struct client *c, struct world *w, uint64_t op)
{
    if (!was_done(c, op))
        return;
    uint32_t now = history_use(history_schema(true));
    make(c, w, op);
    if (model_predict(w, &c->op, c->next) == WARP_OK)
        memcpy(w, c->next, sizeof *w);
    history_use(now);
}

static void drop_extra(struct world *w)
{
    for (uint32_t k = 0; k < MODEL_KEYS; k++)
        memset(&w->records[0][k].fields[THING_EXTRA], 0,
               sizeof w->records[0][k].fields[THING_EXTRA]);
}

static bool looks_like(struct client *c, const struct world *w, int64_t now)
{
    memcpy(c->next, w, sizeof *c->next);
    c->next->now = now;
    model_restart(c->next);
    c->run.quiet = true;
    bool same = model_check(&c->run, c->next);
    c->run.quiet = false;
    warp_arena_reset(&c->run.arena);
    return same;
}

void client_differs(struct client *c, int64_t now, uint64_t first,
                    uint64_t last)
{
    fprintf(stderr,
            "  world %u: what was found is none of the worlds %llu to "
            "%llu; what differs from each:\n",
            c->number, (unsigned long long)first, (unsigned long long)last);
    memcpy(c->other, c->base, sizeof *c->other);
    for (uint64_t k = c->base_op; k <= last; k++) {
        if (k > c->base_op)
            follow(c, c->other, k);
        if (k < first || (last - k > 3 && k > first))
            continue;
        memcpy(c->next, c->other, sizeof *c->next);
        c->next->now = now;
        model_restart(c->next);
        fprintf(stderr, "  after %llu: ", (unsigned long long)k);
        c->run.quiet = false;
        (void)model_check(&c->run, c->next);
        make(c, c->other, k + 1);
        fprintf(stderr, "  then comes");
        model_say(c->other, &c->op);
    }
}

/* A lost value cannot be touched again: its deadline is one of the two. */
static void widen(struct world *w, const struct world *other)
{
    for (uint32_t p = 0; p < MODEL_PRODUCTS; p++)
        for (uint32_t k = 0; k < MODEL_KEYS; k++)
            for (uint32_t i = 0; i < MODEL_FIELDS; i++) {
                struct model_field *f = &w->records[p][k].fields[i];
                const struct model_field *g = &other->records[p][k].fields[i];
                if (!f->lost || !g->lost)
                    continue;
                if (g->least && g->least < f->least)
                    f->least = g->least;
                if (g->most > f->most)
                    f->most = g->most;
            }
}

static void redo(struct client *c)
{
    for (uint64_t k = c->low + 1; k <= c->high; k++) {
        if (!was_done(c, k))
            continue;
        uint32_t schema = history_use(history_schema(true));
        make(c, c->now, k);
        history_use(schema);
        if (c->op.kind != M_WRITE && c->op.kind != M_BATCH)
            continue;
        int predicted = model_predict(c->now, &c->op, c->next);
        if (!model_execute(&c->run, c->now, c->next, &c->op, predicted))
            sim_finding("operation %llu cannot be done again: %s",
                        (unsigned long long)k, c->run.said);
        memcpy(c->now, c->next, sizeof *c->now);
    }
}

/* What looks the same may differ in what shows later, a deadline: it is done
 * again, so that it is known. */
static bool do_again(struct client *c, int64_t now)
{
    memcpy(c->other, c->now, sizeof *c->other);
    for (uint64_t k = c->low + 1; k <= c->high; k++)
        follow(c, c->other, k);
    if (!(history_schema(false) & SCHEMA_EXTRA))
        drop_extra(c->other);
    c->other->now = now;
    model_restart(c->other);
    c->now->now = now;
    model_restart(c->now);
    if (memcmp(c->other, c->now, sizeof *c->now) == 0)
        return true;
    widen(c->now, c->other);
    /* As one: half of it would be a world that nobody knows. */
    sim_hold(true);
    if (sim_fault_seen)
        return false;
    redo(c);
    int rc = warp_sync(c->run.db); /* as durable as what was found */
    sim_hold(false);
    if (rc != WARP_OK)
        sim_finding("a sync gave %d", rc);
    memcpy(c->redone, c->now, sizeof *c->redone);
    c->is_redone = true;
    return true;
}

bool client_find(struct client *c, struct warp_db *db, int64_t now,
                 const struct client_range *range, bool known)
{
    bool found = false;
    c->run.db = db;
    if (known && looks_like(c, c->kept, now))
        return true;
    memcpy(c->other, c->base, sizeof *c->other);
    for (uint64_t k = c->base_op; k <= range->high && !found; k++) {
        if (k > c->base_op)
            follow(c, c->other, k);
        found = k >= range->low && looks_like(c, c->other, now);
    }
    if (found)
        memcpy(c->kept, c->other, sizeof *c->kept);
    return found;
}

/* The life in which it was done again did not come to its first operation. */
static bool is_as_redone(struct client *c, int64_t now)
{
    memcpy(c->now, c->redone, sizeof *c->now);
    if (!(history_schema(false) & SCHEMA_EXTRA))
        drop_extra(c->now);
    c->now->now = now;
    model_restart(c->now);
    bool same = model_check(&c->run, c->now);
    if (!same && !sim_fault_seen)
        sim_finding("world %u is not what was done again", c->number);
    warp_arena_free(&c->run.arena);
    return same;
}

bool client_settle(struct client *c, struct warp_db *db, int64_t now,
                   bool power)
{
    uint64_t first = power ? c->floor : c->acked, last = c->started;
    bool found = false;
    c->run.db = db;
    if (c->is_redone)
        return is_as_redone(c, now);
    memcpy(c->other, c->base, sizeof *c->other);
    for (uint64_t k = c->base_op; k <= last; k++) {
        if (k > c->base_op)
            follow(c, c->other, k);
        bool same = k >= first && looks_like(c, c->other, now);
        if (!same && k == last && history_drops()) {
            drop_extra(c->other);
            same = looks_like(c, c->other, now);
        }
        if (!same)
            continue;
        if (!found) {
            c->low = k;
            memcpy(c->now, c->other, sizeof *c->now);
        }
        c->high = k;
        found = true;
    }
    if (sim_fault_seen) /* a world may have been passed over */
        return false;
    if (!found) {
        client_differs(c, now, first, last);
        sim_finding("world %u was not recovered: %llu was promised, %llu "
                    "acknowledged, %llu begun",
                    c->number, (unsigned long long)c->floor,
                    (unsigned long long)c->acked,
                    (unsigned long long)c->started);
    }
    if (!(history_schema(false) & SCHEMA_EXTRA))
        drop_extra(c->now);
    c->now->now = now;
    versions_check(c);
    if (!do_again(c, now))
        return false;
    sim_trace("world %u: found %llu to %llu of %llu to %llu", c->number,
              (unsigned long long)c->low, (unsigned long long)c->high,
              (unsigned long long)first, (unsigned long long)last);
    if (!model_check(&c->run, c->now)) {
        if (sim_fault_seen)
            return false;
        sim_finding("world %u differs after it was settled", c->number);
    }
    warp_arena_free(&c->run.arena);
    return true;
}

/* ---- order ---- */

void client_check_order(const struct client *clients, uint32_t count)
{
    for (uint32_t j = 0; j < count; j++) {
        const struct client *c = &clients[j];
        if (c->low <= c->base_op)
            continue;
        uint64_t began = c->began_at[c->low - c->base_op];
        for (uint32_t i = 0; i < count; i++) {
            const struct client *d = &clients[i];
            uint64_t must = d->base_op;
            for (uint64_t k = d->base_op + 1; k <= d->acked; k++)
                if (d->acked_at[k - d->base_op] < began)
                    must = k;
            if (d->high < must)
                sim_finding("operation %llu of world %u is there; operation "
                            "%llu of world %u was acknowledged before it began "
                            "and is not (only up to %llu)",
                            (unsigned long long)c->low, c->number,
                            (unsigned long long)must, d->number,
                            (unsigned long long)d->high);
        }
    }
}

void client_promise(struct client *all, uint32_t count, uint64_t stamp)
{
    for (uint32_t i = 0; i < count; i++) {
        struct client *c = &all[i];
        while (c->floor < c->acked &&
               c->acked_at[c->floor + 1 - c->base_op] < stamp)
            c->floor++;
    }
}

/* ---- at work ---- */

static bool writes(const struct model_write *m, uint32_t field)
{
    return (m->kind == W_PUT && (m->mask & BIT(field))) ||
           ((m->kind == W_SET || m->kind == W_ADD) && m->field == field);
}

/* A field that survives a power loss is written: the whole commit does. */
static bool is_promise(const struct model_op *op)
{
    if (op->kind == M_SYNC || op->kind == M_CHECKPOINT)
        return true;
    if (op->kind == M_ABORT)
        return false;
    for (uint32_t i = 0; i < op->count; i++) {
        const struct model_write *m = &op->writes[i];
        if (m->product == 0 && writes(m, THING_LEVEL))
            return true;
        for (uint32_t f = 0; history_durable() && f < MODEL_FIELDS; f++)
            if (writes(m, f) && f < model_product(m->product)->field_count &&
                model_product(m->product)->fields[f].home !=
                    WARP_HOME_MEMORY_ONLY)
                return true;
    }
    return false;
}

static bool execute(struct client *c, int predicted)
{
    bool more;
    switch (c->op.kind) {
    case M_TICK:
        history_set_clock(c->next->now);
        if (warp_now(c->run.db) != c->next->now)
            sim_finding("the store's clock is %lld, not %lld",
                        (long long)warp_now(c->run.db),
                        (long long)c->next->now);
        return true;
    case M_SWEEP:
        (void)sweep_run(c->run.db, true);
        (void)checkpoint_migrate(c->run.db, false, &more);
        return true;
    case M_EVICT:
        model_evict_all(c->run.db);
        (void)checkpoint_migrate(c->run.db, false, &more);
        return true;
    case M_REOPEN:
        c->closes = true;
        return true;
    default:
        return model_execute(&c->run, c->now, c->next, &c->op, predicted);
    }
}

/* Nothing was done, and one may go on: it is so of each record. */
static bool no_space(struct client *c)
{
    if (c->run.code != WARP_ENOSPC || !history_forgives(WARP_ENOSPC))
        return false;
    for (uint32_t i = 0; i < c->op.count; i++) {
        const struct model_write *m = &c->op.writes[i];
        if (model_check_record(&c->run, c->now, m->product, m->key))
            continue;
        if (!history_forgives(c->run.code))
            sim_finding("operation %llu of world %u was refused for lack of "
                        "space and did something: %s",
                        (unsigned long long)c->started, c->number, c->run.said);
        return false;
    }
    sim_trace("operation %llu: no space", (unsigned long long)c->started);
    if (sim_plan.fault == FAULT_NONE && !sim_disk_limited()) {
        sim_wait_on(c, 200000000);
        if (++c->late > 4)
            sim_finding("there is room again, and writing does not resume");
    }
    return true;
}

static void step(struct client *c, struct client *all, uint32_t count)
{
    uint64_t number = c->started + 1, begun = history_stamp();
    c->began_at[number - c->base_op] = begun;
    c->refused[number - c->base_op] = false;
    c->started = number;
    history_op();
    int predicted = WARP_OK;
    bool skipped = history_skips(number);
    if (!skipped) {
        make(c, c->now, number);
        predicted = model_predict(c->now, &c->op, c->next);
        if (c->op.kind == M_REOPEN)
            memcpy(c->next, c->now, sizeof *c->next);
        if (sim_traces) {
            sim_trace("operation %llu (%d)", (unsigned long long)number,
                      predicted);
            model_say(c->now, &c->op);
        }
        if (history_misdirects())
            damage_note(c, c->next);
        c->run.code = WARP_OK;
        c->run.quiet = sim_plan.fault != FAULT_NONE || sim_fault_seen > 0;
        if (!execute(c, predicted)) {
            if (no_space(c)) {
                c->refused[number - c->base_op] = true;
                c->acked = number;
                c->acked_at[number - c->base_op] = history_stamp();
                return;
            }
            if (!history_damaged() &&
                (c->run.code == predicted || !history_forgives(c->run.code))) {
                fprintf(stderr, "  operation %llu (%d, gave %d)",
                        (unsigned long long)number, predicted, c->run.code);
                model_say(c->now, &c->op);
                sim_finding("operation %llu of world %u went wrong: %s",
                            (unsigned long long)number, c->number, c->run.said);
            }
            sim_trace("operation %llu: a fault: %d", (unsigned long long)number,
                      c->run.code);
            c->ended = true;
            return;
        }
        memcpy(c->now, c->next, sizeof *c->now);
        c->late = 0;
        if (predicted == WARP_OK)
            versions_note(c);
    }
    c->acked = number;
    c->acked_at[number - c->base_op] = history_stamp();
    sim_mix(number, c->number);
    if (!skipped && predicted == WARP_OK && is_promise(&c->op)) {
        client_promise(all, count, begun);
        if (c->op.kind != M_SYNC && c->op.kind != M_CHECKPOINT &&
            c->floor + 1 == number)
            c->floor = number;
    }
}

void client_work(struct client *c, struct client *all, uint32_t count)
{
    while (c->ops_left > 0 && !c->ended && !c->closes &&
           c->started - c->base_op + 1 < OPS_MAX) {
        c->ops_left--;
        step(c, all, count);
        if (!c->ended && !c->closes && !history_skips(c->started))
            errand_run(c, all, count);
        if (sim_one_in(history_pause()))
            sim_wait_on(c, 1000 + (int64_t)sim_below(30000000));
    }
    warp_arena_free(&c->run.arena);
}
