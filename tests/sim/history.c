/* history.c: what a seed means: a store, its users, and in what way each of its
 * lives ends. After each end the store is opened again and compared. */
#include "history.h"

#include "checkpoint_step.h"
#include "client.h"
#include "damage.h"
#include "errand.h"
#include "replace.h"
#include "schemas.h"
#include "series.h"
#include "sim.h"
#include "versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <warp/warp.h>

#define STORE "store"

enum ending { END_CLOSE, END_KILL, END_POWER };

SIM_STATE struct history_count *history_count;

SIM_STATE static struct history {
    uint64_t seed, stamp, op_count, life_ops, op_limit;
    const struct history_cut *cut;
    struct client clients[CLIENTS_MAX];
    uint32_t count, life, lives;
    int64_t clock, closed_at; /* of the last clean close */
    int64_t behind;           /* what is read is so much less */
    int64_t pass;             /* before the first operation of a life */
    bool wall;                /* it is the wall clock, not an injected one */
    uint32_t schema, before, used; /* before: of the operations of `base` */
    bool evolves, clean, dropping; /* clean: nothing was done since a close */
    uint32_t errands;
    bool misdirects;
    uint64_t full_from, full_to; /* operations of a life: the disk is full */
    bool durable;
    uint32_t pause;
    bool direct, power; /* power: the life before ended in a power loss */
    bool opened;
    enum ending ending;
    uint32_t shards, in_flight;
    uint32_t step_records; /* a checkpoint's step is full; 0: by its bytes */
    bool roams; /* records with a series are moved, too */
    struct warp_db *db;
    const struct warp_db *counted; /* its moves are not counted yet */
} h;

pid_t history_pid(void)
{
    return (pid_t)(1000 + h.life);
}

bool history_direct(void)
{
    return h.direct;
}

bool history_durable(void)
{
    return h.durable;
}

uint32_t history_pause(void)
{
    return h.pause;
}

uint64_t history_stamp(void)
{
    return ++h.stamp;
}

void history_op(void)
{
    history_count->operations++;
    sim_mark((uint32_t)++h.life_ops);
    if (h.life_ops == h.full_from)
        sim_disk_full(sim_below(sim_one_in(2) ? 64 : 2048) << 10);
    if (h.life_ops == h.full_to)
        sim_disk_limit(0);
}

bool history_skips(uint64_t op)
{
    if (h.cut->upto && op > h.cut->upto)
        return true;
    return op < SKIPS_MAX && (h.cut->skip[op / 64] >> op % 64 & 1);
}

uint64_t history_chance(uint64_t op)
{
    uint64_t x = (h.seed ^ op * UINT64_C(0xd6e8feb86659fd93)) + op;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    return x >> 17;
}

uint32_t history_errands(void)
{
    return h.errands;
}

/* ---- schemas ---- */

uint32_t history_schema(bool before)
{
    return before ? h.before : h.schema;
}

uint32_t history_use(uint32_t schema)
{
    uint32_t was = h.used;
    h.used = schema;
    model_use(schema_of(schema));
    return was;
}

bool history_drops(void)
{
    return h.dropping;
}

/* ---- the clock ---- */

void history_set_clock(int64_t now)
{
    h.clock = now;
    h.behind = 0;
}

int64_t history_clock_back(void)
{
    h.behind = 1 + sim_below(1800000);
    return h.clock;
}

bool history_wall(int64_t *ms)
{
    *ms = h.clock - h.behind;
    return h.wall;
}

bool history_misdirects(void)
{
    return h.misdirects;
}

bool history_damaged(void)
{
    return sim_faults_hit[FAULT_MISDIRECTED] > 0;
}

bool history_forgives(int code)
{
    if (history_damaged())
        return true; /* whatever it says: it is told */
    return sim_fault_seen > 0 &&
           (code == WARP_EIO || code == WARP_ENOSPC || code == WARP_ENOMEM ||
            code == WARP_EREADONLY || code == WARP_ELIMIT ||
            code == (int)WARP_STATE_ERROR || code == WARP_EBUSY);
}

static int64_t read_clock(void *arg)
{
    (void)arg;
    return h.clock - h.behind;
}

/* The kernel starts anew when the power is back. */
int __wrap_os_boot_id(uint8_t id[OS_BOOT_BYTES]);
int __wrap_os_boot_id(uint8_t id[OS_BOOT_BYTES])
{
    memset(id, 0, OS_BOOT_BYTES);
    memcpy(id, &history_count->power_losses,
           sizeof history_count->power_losses);
    return 0;
}

static void tell(void *arg, int level, int code, const char *text)
{
    (void)arg;
    (void)level;
    sim_trace("the store says: %s (%d)", text, code);
    if (code == WARP_ECORRUPT && !history_damaged())
        sim_finding("the store says: %s", text);
}

static uint32_t one_of(const uint32_t *values, uint32_t count)
{
    return values[sim_below(count)];
}
#define ONE_OF(...)                                                            \
    one_of((const uint32_t[]){__VA_ARGS__},                                    \
           sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* ---- one life ---- */

struct warp_options history_options(void)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = h.shards;
    o.ring_bytes = 65536;
    o.log_writes_in_flight = h.in_flight;
    o.log_bytes_max = 4 << 20;
    o.memory_max_bytes = 256 << 20;
    o.ssd_map_bytes = h.seed % 5 ? 64 << 20 : 1 << 20;
    o.disk_reserve_bytes = h.seed % 3 ? 1 : 1 << 20;
    o.sync_every_ms = ONE_OF(10, 10, 100, 2000);
    o.checkpoint_every_ms = 5 + sim_below(400);
    o.sweep_every_ms = 5 + sim_below(100);
    o.survives = h.durable ? WARP_SURVIVES_POWER_LOSS : WARP_SURVIVES_DEFAULT;
    o.clock_ms = h.wall ? NULL : read_clock;
    o.log = tell;
    return o;
}

static void check_clock(void)
{
    int64_t now = warp_now(h.db);
    if (now != h.clock)
        sim_finding("the store's clock is %lld, not %lld", (long long)now,
                    (long long)h.clock);
}

/* What may leave memory has little room, and an engine that says who goes. */
static void make_scarce(void)
{
    struct replace_fixed fixed = {.capacity_bytes = 2000 + sim_below(60000),
                                  .seed = h.seed,
                                  .sample = 256,
                                  .lru = sim_below(4) == 0};
    replace_fix(h.db, &fixed);
    replace_begin(h.db);
}

/* With a series no record moves by itself: the store is told that some were. */
static int open_again_to_roam(const struct warp_options *o)
{
    if (!h.roams || h.db->layouts[0]->roams)
        return WARP_OK;
    model_roam(h.db);
    int rc = warp_close(&h.db);
    return rc == WARP_OK ? warp_open(STORE, schema_of(h.schema), o, &h.db) : rc;
}

static void count_moves(void)
{
    if (h.counted)
        history_count->moves += atomic_load(&h.counted->relocated);
    h.counted = NULL;
}

bool __real_step_is_full(const struct step *st);
bool __wrap_step_is_full(const struct step *st);
bool __wrap_step_is_full(const struct step *st)
{
    return h.step_records ? st->copied_count >= h.step_records
                          : __real_step_is_full(st);
}

static void open_store(void)
{
    static const char *const extra[] = {"Thing.extra", NULL};
    struct warp_options o = history_options();
    const struct warp_schema *schema = schema_of(h.schema);
    int rc = warp_open(STORE, schema, &o, &h.db);
    /* Refused once, which changes nothing. */
    if (rc == WARP_ESCHEMA && h.dropping) {
        o.allow_data_loss = extra;
        rc = warp_open(STORE, schema, &o, &h.db);
    }
    if (rc == WARP_OK)
        rc = open_again_to_roam(&o);
    sim_mix((uint64_t)rc, h.life);
    if (rc != WARP_OK && !history_forgives(rc))
        sim_finding("the store does not open: %s (%d)", warp_errmsg(NULL), rc);
    h.opened = rc == WARP_OK;
    h.counted = h.opened ? h.db : NULL;
    for (uint32_t i = 0; i < h.count; i++)
        h.clients[i].run.moves = h.roams || (h.schema & SCHEMA_SINGLE);
    if (h.opened && !history_damaged())
        check_clock();
    if (h.opened && h.db->replace && sim_below(3) == 0)
        make_scarce();
    /* So do copies of series, in a few hundred bytes. */
    if (h.opened && sim_below(2) == 0)
        series_fix_copies(h.db->series, 400 + sim_below(1500));
}

static void *work(void *arg)
{
    client_work(arg, h.clients, h.count);
    return NULL;
}

/* After the comparison: what was found is where the next life begins. */
static void begin_from_here(struct client *c)
{
    c->now->now = h.clock;
    memcpy(c->base, c->now, sizeof *c->base);
    c->base_op = c->acked = c->floor = c->started;
    c->low = c->high = c->base_op;
    c->ended = c->closes = false;
    c->late = 0;
    c->is_redone = false;
    c->ops_left = h.op_limit;
    versions_begin(c);
}

/* settled: what was acknowledged is known to be there. */
static void close_store(bool settled)
{
    uint64_t stamp = history_stamp();
    count_moves();
    int rc = warp_close(&h.db);
    sim_mix((uint64_t)rc, 3);
    if (rc != WARP_OK && !history_forgives(rc))
        sim_finding("the store does not close: %s (%d)", warp_errmsg(NULL), rc);
    if (rc == WARP_OK && settled) {
        client_promise(h.clients, h.count, stamp);
        h.clean = true;
        h.closed_at = h.clock;
    }
    if (sim_memory_blocks() > 0)
        sim_finding("%llu blocks of memory are left after the close",
                    (unsigned long long)sim_memory_blocks());
    if (sim_fds_open() > 0)
        sim_finding("%u files are open after the close", sim_fds_open());
}

static void live(void *arg)
{
    int threads[CLIENTS_MAX];
    (void)arg;
    open_store();
    if (!h.opened) {
        if (sim_memory_blocks() > 0 || sim_fds_open() > 0)
            sim_finding("a refused open leaves %llu blocks of memory and %u "
                        "open files",
                        (unsigned long long)sim_memory_blocks(),
                        sim_fds_open());
        return;
    }
    bool settled = !history_damaged();
    for (uint32_t i = 0; i < h.count && !settled; i++)
        damage_check(&h.clients[i], h.db);
    for (uint32_t i = 0; i < h.count && settled; i++)
        settled = client_settle(&h.clients[i], h.db, h.clock, h.power);
    if (!settled) {
        for (uint32_t i = 0; i < h.count; i++)
            warp_arena_free(&h.clients[i].run.arena);
        sim_mark(UINT32_MAX - 2);
        close_store(false);
        return;
    }
    client_check_order(h.clients, h.count);
    errand_check(h.clients, h.count, h.clock);
    history_set_clock(h.clock + h.pass);
    check_clock();
    for (uint32_t i = 0; i < h.count; i++)
        begin_from_here(&h.clients[i]);
    h.before = h.schema;
    h.power = h.clean = h.dropping = false;
    for (uint32_t i = 0; i < h.count; i++)
        threads[i] = sim_spawn(work, &h.clients[i]);
    for (uint32_t i = 0; i < h.count; i++)
        sim_join(threads[i]);
    if (h.ending != END_CLOSE && sim_one_in(3))
        sim_die();
    sim_mark(UINT32_MAX - 2);
    close_store(true);
    if (h.clean && !history_damaged() && sim_one_in(8))
        errand_verify();
}

/* ---- the plan ---- */

/* A step to another schema; what loses data only where no operation waits to be
 * found, which would have to be done again. */
static void plan_schema(void)
{
    uint32_t next = sim_below(SCHEMA_SINGLE) |
                    (h.schema &
                     (SCHEMA_WIDE | SCHEMA_SINGLE | SCHEMA_BARE));
    h.used = SCHEMAS;
    /* It died before the values that it may have lost were forgotten. */
    if (h.dropping)
        next &= ~(uint32_t)SCHEMA_EXTRA;
    if (h.evolves && (h.life == 1 || sim_one_in(2))) {
        if (!h.clean && h.life > 1)
            next |= h.schema & SCHEMA_EXTRA;
        if ((h.schema & ~next & SCHEMA_EXTRA) && h.life > 1)
            h.dropping = true;
        h.schema = next;
        if (h.life == 1)
            h.before = next;
    }
    history_use(h.schema);
    sim_trace("schema %u, of the operations %u", h.schema, h.before);
}

static void plan_clock(void)
{
    h.pass = ONE_OF(0, 0, 0, 2500, 70000, 300000, 259200000);
    bool read = h.clean && h.clock == h.closed_at;
    h.behind = read && sim_one_in(4) ? 1 + sim_below(1800000) : 0;
    /* What was read is not read again; and what has to be found first is found
     * at the time that it is of. A wall clock is not followed far. */
    if (h.clean && !h.behind) {
        h.clock += h.pass;
        h.pass = 0;
    } else if (h.wall && h.pass > 300000) {
        h.pass = 300000;
    }
}

static void plan_space(struct sim_plan *p, bool last)
{
    h.full_from = h.full_to = 0;
    if (last || p->fault || !sim_one_in(16))
        return;
    h.full_from = 1 + sim_below(10);
    h.full_to = h.full_from + 1 + sim_below(12);
}

static void plan_life(bool last)
{
    struct sim_plan p = {.events_max = 3000000};
    p.switch_one_in = ONE_OF(0, 4, 20, 100, 400);
    p.back_one_in = ONE_OF(0, 0, 30, 300);
    p.small_one_in = ONE_OF(0, 0, 20, 200);
    h.pause = ONE_OF(0, 2, 4, 20);
    p.slow_disk = sim_one_in(2);
    h.op_limit = (1 + sim_below(sim_one_in(4) ? 60 : 20)) / h.count + 1;
    uint32_t what = sim_below(20);
    h.ending = last || what < 4 ? END_CLOSE : what < 11 ? END_KILL : END_POWER;
    if (h.ending != END_CLOSE) {
        /* Now and then while it opens or closes. */
        uint32_t ops = (uint32_t)h.op_limit * h.count;
        p.crash_mark = 1 + sim_below(ops + 2);
        p.crash_events = sim_below(sim_one_in(2) ? 400 : 60);
        if (p.crash_mark == 1 && sim_one_in(2))
            p.crash_events = sim_below(3000);
        if (p.crash_mark == ops + 2)
            p.crash_mark = UINT32_MAX - 1;
    }
    p.crash_call = SIM_CALLS;
    if (p.crash_mark && sim_one_in(2)) {
        p.crash_call = (enum sim_call)ONE_OF(SIM_STORE, SIM_WRITE, SIM_SYNC);
        p.crash_events = sim_below(6);
    }
    p.crash_overtaken = h.ending == END_POWER && h.count > 1 && h.durable;
    p.slow_disk = p.slow_disk || p.crash_overtaken;
    if (!last && sim_one_in(4)) {
        p.fault = (enum sim_fault)(1 + sim_below(FAULT_OPEN_LIMIT));
        p.fault_after = sim_below(sim_one_in(2) ? 300 : 30);
        p.fault_times = ONE_OF(1, 1, 3, 1000);
    }
    if (h.misdirects) {
        p.fault = last ? FAULT_NONE : FAULT_MISDIRECTED;
        p.fault_after = sim_below(sim_one_in(2) ? 200 : 20);
        p.fault_times = 1;
    }
    plan_space(&p, last);
    if (h.cut->small) {
        h.full_from = h.full_to = 0;
        p.crash_mark = 0;
        p.crash_overtaken = false;
        p.die_at = h.cut->die_at > sim_events ? h.cut->die_at : 0;
        p.fault = h.life == 2 ? (enum sim_fault)h.cut->fault : FAULT_NONE;
        p.fault_after = h.cut->fault_after;
        p.die_faulted = h.life == 2 && h.cut->die_faulted;
        p.fault_times = 1;
        h.ending = END_CLOSE;
        h.op_limit = 1 + h.op_limit % 6;
    }
    if (h.cut->alone) {
        p.switch_one_in = 0;
        p.slow_disk = false;
    }
    if (h.cut->plain)
        p.back_one_in = p.small_one_in = 0;
    p.ignore_sync = sim_plan.ignore_sync;
    h.step_records = ONE_OF(0, 0, 1, 8);
    sim_plan = p;
    sim_disk_limit(0);
    plan_schema();
    plan_clock();
}

static void end_life(enum sim_end how)
{
    /* A life that had a fault may end in any way, too. */
    bool died = how == SIM_CRASHED;
    if (died)
        history_count->crashes++;
    if (died && (h.cut->die_at || h.cut->die_faulted)) {
        h.ending = h.cut->die_power ? END_POWER : END_KILL;
        sim_salt(h.cut->salt);
    }
    count_moves();
    sim_maps_drop();
    sim_fds_drop();
    sim_files_kill();
    sim_memory_drop();
    sim_variables_reset();
    h.db = NULL;
    for (uint32_t i = 0; i < h.count; i++)
        memset(&h.clients[i].run, 0, sizeof h.clients[i].run);
    if (h.ending == END_POWER) {
        history_count->power_losses++;
        sim_files_power_loss();
        h.power = true;
    }
}

/* In half of the stores records move to other shards: by what they hold, by an
 * errand, or both. */
static void plan_moves(void)
{
    if (sim_one_in(2))
        return;
    h.errands |= sim_one_in(2) ? ERRAND_MOVE : 0;
    h.roams = sim_one_in(3);
    if (h.roams)
        h.errands |= ERRAND_MOVE;
    else
        h.schema = SCHEMA_SINGLE |
                   (sim_one_in(3) ? 0 : SCHEMA_HINTED) |
                   (sim_one_in(3) ? 0 : SCHEMA_DRAWN);
}

void history_run(uint64_t seed, const struct history_cut *cut, bool digest)
{
    sim_seed(seed);
    h.seed = seed;
    h.cut = cut;
    h.count = sim_one_in(2) ? 1 : 2 + sim_below(CLIENTS_MAX - 1);
    h.lives = 2 + sim_below(4);
    if (cut->small)
        h.lives = 3;
    h.shards = 1 + sim_below(sim_one_in(6) ? 24 : 5);
    h.in_flight = ONE_OF(1, 2, 4, 4, 8);
    h.durable = sim_one_in(4);
    h.direct = !sim_one_in(4);
    h.wall = sim_one_in(4);
    h.evolves = sim_one_in(2);
    h.errands = sim_one_in(3) ? sim_below(8) : sim_below(2) * ERRAND_CLOCK;
    plan_moves();
    if (sim_one_in(4))
        h.schema |= SCHEMA_SINGLE | SCHEMA_BARE;
    h.clock = 1000000;
    if (!cut->small && sim_one_in(12)) {
        h.misdirects = true;
        h.evolves = false;
        h.errands = 0;
    }
    sim_files_start(0);
    sim_memory_start();
    sim_variables_keep();
    for (uint32_t i = 0; i < h.count; i++)
        client_init(&h.clients[i], seed, h.count == 1 ? 0 : i + 1,
                    h.count == 1);
    for (h.life = 1; h.life <= h.lives; h.life++) {
        plan_life(h.life == h.lives);
        sim_life_begin();
        h.life_ops = 0;
        sim_trace("life %u of %u, ends with %d", h.life, h.lives,
                  (int)h.ending);
        history_count->lives++;
        end_life(sim_run(live, NULL));
    }
    history_count->events = sim_events;
    for (int i = 0; i < FAULT_KINDS; i++)
        history_count->faults[i] = sim_faults_hit[i];
    if (digest)
        printf("seed=%llu digest=%016llx\n", (unsigned long long)seed,
               (unsigned long long)sim_digest());
    fflush(NULL);
    _Exit(0);
}
