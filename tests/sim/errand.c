/* errand.c: see errand.h. */
#include "errand.h"

#include "backup.h"
#include "migrate.h"
#include "os.h"
#include "schemas.h"
#include "sim.h"
#include "verify.h"

#include <stdio.h>
#include <string.h>

/* What may be in the directory of the backup. */
SIM_STATE static struct {
    bool kept;       /* what `kept` of the users says, if nothing else is */
    bool done;       /* made in the life that ends or has ended */
    bool begun;      /* and one that was not acknowledged */
    uint32_t schema; /* of `kept` */
    bool running;
    char path[16], old[24]; /* one that is given up leaves its place alone */
    uint32_t number;
} b;

/* A position of the log, and whether a backup was made behind it. */
SIM_STATE static struct {
    bool known, covered;
    uint64_t position;
} note;

static void name_target(void)
{
    snprintf(b.path, sizeof b.path, "backup%u", b.number);
    snprintf(b.old, sizeof b.old, "%s.old", b.path);
}

/* A fault explains that it failed; the user stops then. */
static void failed(struct client *c, const char *what, int rc)
{
    /* A file that cannot be read is a finding of the check of a backup. */
    bool unread = rc == WARP_ECORRUPT && sim_fault_seen > 0;
    if (!unread && !history_forgives(rc))
        sim_finding("%s: %s (%d)", what, warp_errmsg(c->run.db), rc);
    sim_trace("%s: a fault: %d", what, rc);
    if (rc != WARP_ENOSPC)
        c->ended = true;
}

static void migrate(struct client *c)
{
    struct migrate_moved moved;
    sim_trace("migrate");
    int rc = migrate_all(c->run.db, NULL, &moved);
    if (rc != WARP_OK)
        failed(c, "migrate", rc);
    else
        sim_trace("migrate: %llu to disk, %llu to the archive",
                  (unsigned long long)moved.to_disk,
                  (unsigned long long)moved.to_archive);
}

static void back_up(struct client *c, struct client *all, uint32_t count)
{
    if (b.running)
        return;
    b.running = b.begun = true;
    sim_trace("backup");
    for (uint32_t i = 0; i < count; i++)
        all[i].begun.low = all[i].acked;
    name_target();
    int rc = warp_backup(c->run.db, b.path);
    b.running = false;
    if (rc != WARP_OK) {
        failed(c, "backup", rc);
        return;
    }
    b.begun = b.kept = false;
    b.done = true;
    note.covered = note.known;
    for (uint32_t i = 0; i < count; i++)
        all[i].done = (struct client_range){all[i].begun.low, all[i].started};
    sim_trace("backup: done");
}

/* The log tells to restore to here. */
static void note_position(struct client *c, struct client *all, uint32_t count)
{
    note.known = note.covered = false;
    for (uint32_t i = 0; i < count; i++)
        all[i].noted.low = all[i].acked;
    int rc = log_mark(c->run.db->log, &note.position);
    if (rc != WARP_OK) {
        failed(c, "a mark", rc);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        all[i].noted.high = all[i].started;
    note.known = true;
    sim_trace("noted: position %llu", (unsigned long long)note.position);
}

/* A store of which no record may move has no place for one that does. */
static void move(struct client *c, uint64_t chance)
{
    for (uint32_t i = 0; i < c->run.db->layout_count; i++)
        if (!c->run.db->layouts[i]->roams)
            return;
    int moved = model_move_some(c->run.db, &chance);
    if (moved < 0)
        failed(c, "a move", moved);
}

void errand_run(struct client *c, struct client *all, uint32_t count)
{
    uint64_t chance = history_chance(c->started);
    uint32_t which = history_errands();
    if ((which & ERRAND_MOVE) && chance % 3 == 0)
        move(c, chance);
    if ((which & ERRAND_MIGRATE) && chance % 8 == 0)
        migrate(c);
    else if ((which & ERRAND_BACKUP) && chance % 16 == 1)
        back_up(c, all, count);
    else if ((which & ERRAND_BACKUP) && chance % 16 > 12)
        note_position(c, all, count);
    else if ((which & ERRAND_CLOCK) && chance % 4 == 2) {
        int64_t now = history_clock_back(), is = warp_now(c->run.db);
        if (is != now)
            sim_finding("a clock that is set back gives %lld after %lld",
                        (long long)is, (long long)now);
    }
}

/* ---- what a backup holds ---- */

static int open_it(const char *path, uint32_t schema, bool read_only,
                   struct warp_db **db)
{
    struct warp_options o = history_options();
    o.must_exist = true;
    o.read_only = read_only;
    return warp_open(path, schema_of(schema), &o, db);
}

/* Opened as the backup that was begun or done last, or as the one before. */
static int open_backup(const char *path, uint32_t *schema, struct warp_db **db)
{
    int rc = WARP_ESCHEMA;
    *schema = history_schema(true);
    if (b.done || b.begun)
        rc = open_it(path, *schema, true, db);
    if (rc == WARP_ESCHEMA && b.kept) {
        *schema = b.schema;
        rc = open_it(path, *schema, true, db);
    }
    return rc;
}

static bool holds(struct client *c, struct warp_db *db, int64_t now)
{
    static const struct client_range none = {1, 0};
    bool known = b.kept;
    if (b.done && client_find(c, db, now, &c->done, known))
        return true;
    c->begun.high = c->started;
    return client_find(c, db, now, b.begun ? &c->begun : &none,
                       known && !b.done);
}

/* Is what a restored store must show of a world there? then: what it had at the
 * position that was noted. */
static bool restored_holds(struct client *c, struct warp_db *db, int64_t now,
                           bool then)
{
    static const struct client_range none = {1, 0};
    if (!then)
        return client_find(c, db, now, &none, true);
    struct world *kept = c->kept;
    c->kept = c->then;
    bool found = client_find(c, db, now, &c->noted, false);
    c->kept = kept;
    return found;
}

static void check_restored(struct client *all, uint32_t count, int64_t now,
                           uint32_t schema, const char *path, bool then)
{
    struct warp_db *db = NULL;
    char to[24];
    snprintf(to, sizeof to, "%llu", (unsigned long long)note.position);
    int rc = backup_remove("restored"); /* of a life that died here */
    if (rc == WARP_OK)
        rc = restore_run(path, "restored", then ? to : NULL);
    sim_trace("restored%s%s: %d", then ? " to " : "", then ? to : "", rc);
    if (then && rc == WARP_EINVAL)
        return; /* the log was cut in between, or the schema has changed */
    if (rc == WARP_OK)
        rc = open_it("restored", schema, false, &db);
    if (rc != WARP_OK && !history_forgives(rc))
        sim_finding("the backup cannot be restored%s%s: %s (%d)",
                    then ? " to " : "", then ? to : "", warp_errmsg(NULL), rc);
    for (uint32_t i = 0; i < count && rc == WARP_OK; i++)
        if (!restored_holds(&all[i], db, now, then) && !sim_fault_seen)
            sim_finding("world %u is not in the store restored%s%s: %s",
                        all[i].number, then ? " to " : "", then ? to : "",
                        all[i].run.said);
    if (db)
        rc = warp_close(&db);
    if (rc != WARP_OK && !history_forgives(rc))
        sim_finding("the restored store does not close: %d", rc);
    (void)backup_remove("restored");
}

void errand_check(struct client *all, uint32_t count, int64_t now)
{
    struct warp_db *db = NULL, *store = all[0].run.db;
    uint32_t schema = 0;
    const char *path = b.path;
    bool covered = note.covered;
    note.known = note.covered = b.running = false;
    if (!b.kept && !b.done && !b.begun)
        return;
    history_set_clock(now); /* a backup knows of no later time */
    /* A new one may take the place by two renames. */
    if (b.begun && !sim_path_find(b.path) && sim_path_find(b.old))
        path = b.old;
    if (!b.kept && !b.done && !sim_path_find(b.path)) {
        b.begun = false;
        return;
    }
    /* What nobody acknowledged is not promised to be there after a power loss:
     * who finds it sees to that. */
    int rc = b.begun && os_sync_parent(b.path) < 0 ? WARP_EIO : WARP_OK;
    if (rc == WARP_OK)
        rc = open_backup(path, &schema, &db);
    if (rc != WARP_OK && !history_forgives(rc))
        sim_finding("the backup does not open: %s (%d)", warp_errmsg(NULL), rc);
    bool all_hold = rc == WARP_OK;
    uint32_t used = history_use(schema);
    for (uint32_t i = 0; i < count && all_hold; i++) {
        all_hold = holds(&all[i], db, now);
        if (!all_hold && !sim_fault_seen) {
            const struct client_range *r =
                b.done ? &all[i].done : &all[i].begun;
            client_differs(&all[i], now, r->low, r->high);
            sim_finding("the backup does not hold world %u (done %d, begun %d, "
                        "kept %d)",
                        all[i].number, b.done, b.begun, b.kept);
        }
    }
    if (db)
        (void)warp_close(&db);
    if (all_hold) {
        b.kept = true;
        b.done = b.begun = false;
        b.schema = schema;
        check_restored(all, count, now, schema, path, false);
        if (covered)
            check_restored(all, count, now, schema, path, true);
    } else { /* a fault came between: it is not looked at again */
        b.kept = b.done = b.begun = false;
        b.number++;
    }
    history_use(used);
    for (uint32_t i = 0; i < count; i++) {
        all[i].run.db = store;
        warp_arena_free(&all[i].run.arena);
    }
}

void errand_verify(void)
{
    struct text reply = TEXT_INIT;
    int rc = verify_store("store", NULL, &reply);
    text_u8(&reply, 0);
    if (!sim_fault_seen && (rc != WARP_OK || !reply.data ||
                            strncmp(reply.data, "{\"findings\":[],", 15) != 0))
        sim_finding("verify of a closed store: %d: %.400s", rc,
                    reply.data ? reply.data : "");
    text_free(&reply);
}
