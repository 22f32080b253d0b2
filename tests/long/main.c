/* warp-long: a mixed load of some users for a long time, with faults of the
 * system switched on and off, on a real store in one process. What the process
 * uses stays flat, and the store says what the reference model
 * (unit/store_model.h) says, after each round.
 *
 * A round is a second or two of load. A helper moves values, checkpoints,
 * evicts and makes backups meanwhile. In every third round some calls fail; a
 * user to whom that is told stops, and afterwards his last operation is done or
 * not (one that was refused for lack of space is not). A store whose log has
 * failed is opened again, as is one in every fourth round, with other homes. */
#include "fault.h"
#include "sample.h"

#include "../sim/schemas.h"
#include "../unit/store_model.h"
#include "backup.h"
#include "db.h"
#include "keeper.h"
#include "migrate.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { USERS = 3, ROUND_MS = 1200, MIB = 1 << 20, OPEN_SAMPLES_LEAST = 64 };
enum planted { BREAK_NOTHING, BREAK_MEMORY, BREAK_DESCRIPTOR, BREAK_MODEL };

struct user {
    struct world *now, *next;
    struct model_op op;
    struct model_run run;
    uint64_t at; /* the number of its next operation */
    bool cut;    /* it was told of a fault; `next` is what it wanted */
    bool failed;
    pthread_t thread;
};

static struct {
    const char *dir;
    char store[512], backup[512];
    struct warp_db *db;
    struct user users[USERS];
    uint64_t rng, rounds, opens, backups, moves, operations, cuts;
    uint32_t schema;
    enum planted planted;
    struct samples open, closed;
} g;
static _Atomic int64_t clock_ms = 1000000;
static _Atomic bool stop, helper_failed;
static _Atomic uint64_t faults_before; /* of this round */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t below(uint32_t n)
{
    return (uint32_t)(model_random(&g.rng) % n);
}

static int64_t read_clock(void *arg)
{
    (void)arg;
    return atomic_load(&clock_ms);
}

/* In this round a call has failed: these answers may come of it. */
static bool forgiven(int code)
{
    return fault_count() > atomic_load(&faults_before) &&
           (code == WARP_EIO || code == WARP_ENOSPC || code == WARP_EREADONLY ||
            code == (int)WARP_STATE_ERROR || code == WARP_ECORRUPT);
}

/* ---- opening ---- */

static bool open_store(void)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = g.opens++ == 0 ? 4 : 0;
    o.ring_bytes = 65536;
    o.log_bytes_max = 16 << 20;
    o.memory_max_bytes = 256 << 20;
    o.checkpoint_every_ms = 100;
    o.sweep_every_ms = 50;
    o.clock_ms = read_clock;
    g.schema = below(SCHEMA_WIDE);
    model_use(schema_of(g.schema));
    int rc = warp_open(g.store, schema_of(g.schema), &o, &g.db);
    if (rc != WARP_OK)
        printf("open: %d: %s\n", rc, warp_errmsg(NULL));
    for (int i = 0; i < USERS; i++)
        g.users[i].run.db = g.db;
    return rc == WARP_OK;
}

/* sick: the log has failed, so the close cannot say that all is well. */
static bool close_store(bool sick)
{
    struct sample s;
    int rc = warp_close(&g.db);
    if (rc != WARP_OK && !sick) {
        printf("close: %d: %s\n", rc, warp_errmsg(NULL));
        return false;
    }
    for (int i = 0; i < USERS; i++) {
        model_restart(g.users[i].now);
        model_restart(g.users[i].next);
        warp_arena_free(&g.users[i].run.arena);
    }
    sample_take(&s, NULL);
    samples_add(&g.closed, &s);
    return true;
}

/* ---- load ---- */

static bool execute(struct user *u, int predicted)
{
    if (u->op.kind == M_SWEEP)
        (void)sweep_run(u->run.db, true);
    else if (u->op.kind == M_EVICT)
        model_evict_all(u->run.db);
    else
        return model_execute(&u->run, u->now, u->next, &u->op, predicted);
    return true;
}

static void *act(void *arg)
{
    struct user *u = arg;
    while (!atomic_load(&stop)) {
        model_make(u->now, u->at++, false, &u->op);
        int predicted = model_predict(u->now, &u->op, u->next);
        u->run.code = WARP_OK;
        u->run.quiet = true;
        if (!execute(u, predicted)) {
            u->cut = u->run.code != predicted && forgiven(u->run.code);
            u->failed = !u->cut;
            if (u->failed) {
                printf("operation %llu gave %d, not %d: %s\n",
                       (unsigned long long)u->at - 1, u->run.code, predicted,
                       u->run.said);
                model_say(u->now, &u->op);
            }
            return NULL;
        }
        memcpy(u->now, u->next, sizeof *u->now);
    }
    return NULL;
}

static bool helper_good(int rc, const char *what)
{
    /* The check of a backup has its reads fail, too. */
    if (rc == WARP_OK || forgiven(rc))
        return rc == WARP_OK;
    printf("%s: %d: %s\n", what, rc, warp_errmsg(g.db));
    atomic_store(&helper_failed, true);
    return false;
}

static void *help(void *arg)
{
    uint64_t rng = *(uint64_t *)arg;
    struct migrate_moved moved;
    while (!atomic_load(&stop)) {
        switch (model_random(&rng) % 8) {
        case 0:
            g.backups += helper_good(warp_backup(g.db, g.backup), "backup");
            break;
        case 1:
        case 2:
            if (helper_good(migrate_all(g.db, NULL, &moved), "migrate"))
                g.moves += moved.to_disk + moved.to_archive;
            break;
        case 3:
            model_evict_all(g.db);
            break;
        case 4:
            (void)sweep_run(g.db, true);
            break;
        default:
            (void)helper_good(warp_checkpoint(g.db), "checkpoint");
            break;
        }
        usleep((useconds_t)(model_random(&rng) % 100000));
    }
    return NULL;
}

/* ---- after a round ---- */

static bool looks_like(struct user *u, const struct world *w)
{
    u->run.quiet = true;
    bool same = model_check(&u->run, w);
    u->run.quiet = false;
    return same;
}

/* What was cut off is done, or is not; or it cannot be told, then it is done
 * again. */
static bool settle(struct user *u)
{
    if (!u->cut)
        return true;
    u->cut = false;
    g.cuts++;
    bool refused = u->run.code == WARP_ENOSPC;
    bool before = looks_like(u, u->now), after = looks_like(u, u->next);
    if (refused ? !before : !before && !after) {
        printf("what was cut off (%d) is neither done nor not: %s\n",
               refused ? WARP_ENOSPC : WARP_EIO, u->run.said);
        model_say(u->now, &u->op);
        return false;
    }
    if (before && after && !refused &&
        (u->op.kind == M_WRITE || u->op.kind == M_BATCH)) {
        int predicted = model_predict(u->now, &u->op, u->next);
        if (!model_execute(&u->run, u->now, u->next, &u->op, predicted))
            return false;
    } else if (before || refused) {
        return true;
    }
    memcpy(u->now, u->next, sizeof *u->now);
    return true;
}

static bool compare(void)
{
    for (int i = 0; i < USERS; i++) {
        struct user *u = &g.users[i];
        if (u->failed || !settle(u))
            return false;
        if (!model_check(&u->run, u->now)) {
            printf("user %d: the store and the model differ: %s\n", i,
                   u->run.said);
            return false;
        }
        warp_arena_reset(&u->run.arena);
    }
    return true;
}

static void pass_time(void)
{
    int64_t now = atomic_load(&clock_ms) + below(below(8) ? 3000 : 90000);
    atomic_store(&clock_ms, now);
    for (int i = 0; i < USERS; i++)
        g.users[i].now->now = g.users[i].next->now = now;
}

static void plant(void)
{
    struct model_field *f = &g.users[0].now->records[0][0].fields[THING_GOLD];
    static void *volatile kept;
    if (g.planted == BREAK_MEMORY)
        kept = memset(malloc(2 << 20), 1, 2 << 20);
    else if (g.planted == BREAK_DESCRIPTOR)
        (void)dup(2);
    else if (g.planted == BREAK_MODEL && f->have)
        f->value.seed++;
    (void)kept;
}

/* ---- a round ---- */

static bool run_round(void)
{
    pthread_t helper;
    uint64_t seed = model_random(&g.rng), at[USERS];
    bool faulty = g.rounds % 3 == 2;
    enum fault fault = (enum fault)(1 + below(FAULTS - 1));
    atomic_store(&stop, false);
    atomic_store(&faults_before, fault_count());
    for (int i = 0; i < USERS; i++) {
        at[i] = g.users[i].at;
        if (pthread_create(&g.users[i].thread, NULL, act, &g.users[i]) != 0)
            abort();
    }
    if (pthread_create(&helper, NULL, help, &seed) != 0)
        abort();
    usleep((useconds_t)ROUND_MS / 2 * 1000);
    if (faulty)
        fault_set(fault, fault == FAULT_SPACE ? 1 : 5 + below(100));
    usleep((useconds_t)ROUND_MS / 2 * 1000);
    fault_set(FAULT_NONE, 1);
    atomic_store(&stop, true);
    for (int i = 0; i < USERS; i++) {
        pthread_join(g.users[i].thread, NULL);
        g.operations += g.users[i].at - at[i];
    }
    pthread_join(helper, NULL);
    struct warp_stat stat = WARP_STAT_INIT;
    bool sick = warp_stat(g.db, &stat) != WARP_OK || stat.health != WARP_OK;
    struct sample s;
    sample_take(&s, g.store);
    samples_add(&g.open, &s);
    if ((sick || g.rounds % 4 == 3) && (!close_store(sick) || !open_store()))
        return false;
    g.rounds++;
    if (atomic_load(&helper_failed) || !compare())
        return false;
    pass_time();
    plant();
    return true;
}

static void tell(double since)
{
    struct sample s;
    sample_take(&s, g.db ? g.store : NULL);
    printf("%6.0f s: %llu rounds, %llu operations, %llu opens, %llu backups, "
           "%llu moved, %llu calls failed, %llu cut off; %llu KiB anonymous, "
           "%llu KiB allocated, %u descriptors, %llu KiB on disk\n",
           since, (unsigned long long)g.rounds,
           (unsigned long long)g.operations, (unsigned long long)g.opens,
           (unsigned long long)g.backups, (unsigned long long)g.moves,
           (unsigned long long)fault_count(), (unsigned long long)g.cuts,
           (unsigned long long)(s.anonymous_bytes >> 10),
           (unsigned long long)(s.allocated_bytes >> 10), s.descriptors,
           (unsigned long long)(sample_disk_bytes(g.store) >> 10));
    fflush(stdout);
}

static int run(double length)
{
    double begin = seconds(), told = begin;
    bool good = true;
    for (int i = 0; i < USERS; i++) {
        g.users[i].now = malloc(sizeof *g.users[i].now);
        g.users[i].next = malloc(sizeof *g.users[i].next);
        if (!g.users[i].now || !g.users[i].next)
            abort();
        model_init(g.users[i].now, g.rng, (uint32_t)i + 1);
        memcpy(g.users[i].next, g.users[i].now, sizeof *g.users[i].next);
        g.users[i].at = 1;
    }
    good = open_store();
    while (good && seconds() - begin < length) {
        good = run_round();
        if (seconds() - told > 30) {
            told = seconds();
            tell(told - begin);
        }
    }
    if (good)
        good = close_store(false);
    tell(seconds() - begin);
    if (good) {
        /* malloc keeps what threads of an earlier life had. */
        good =
            samples_flat(&g.closed, "while it is closed", 16 * MIB, MIB / 8);
        /* In the first rounds the store itself grows. */
        if (g.open.count >= OPEN_SAMPLES_LEAST)
            good &=
                samples_flat(&g.open, "while it is open", 8 * MIB, 2 * MIB);
        else
            printf("while it is open, %u samples: too few to say\n",
                   g.open.count);
    }
    (void)backup_remove(g.backup);
    printf("%s\n", good ? "no drift, and flat" : "FOUND");
    return good ? 0 : 1;
}

static int usage(FILE *to, int status)
{
    fputs("  warp-long --dir DIR           where the store is made, and left\n"
          "            --seconds N         20\n"
          "            --seed N            by the clock\n"
          "            --break memory|descriptor|model   must be found\n"
          "exit status: 0 nothing found, 1 found, 2 usage\n",
          to);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"dir", 1, NULL, 'd'},  {"seconds", 1, NULL, 's'},
        {"seed", 1, NULL, 'e'}, {"break", 1, NULL, 'b'},
        {"help", 0, NULL, 'h'}, {0}};
    static const char *const breaks[] = {"", "memory", "descriptor", "model"};
    double length = 20;
    g.rng = (uint64_t)time(NULL);
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'd')
            g.dir = optarg;
        else if (c == 's')
            length = atof(optarg);
        else if (c == 'e')
            g.rng = strtoull(optarg, NULL, 10);
        else if (c == 'b')
            for (int i = 1; i <= BREAK_MODEL; i++)
                g.planted = strcmp(optarg, breaks[i]) == 0 ? (enum planted)i
                                                           : g.planted;
        else
            return usage(c == 'h' ? stdout : stderr, c == 'h' ? 0 : 2);
    }
    if (!g.dir)
        return usage(stderr, 2);
    printf("seed %llu\n", (unsigned long long)g.rng);
    snprintf(g.store, sizeof g.store, "%.400s/store", g.dir);
    snprintf(g.backup, sizeof g.backup, "%.400s/backup", g.dir);
    schemas_make();
    return run(length);
}
