/* Series and secondary indexes against a model in shared memory: a child does
 * random work until it is killed with SIGKILL, the parent opens the store and
 * compares. What the child was doing when it died may be there or not. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <warp/warp.h>

#include "series.warp.h"

enum { PLAYERS = 40, ELEMENTS = 600, MAILS = 30, CLANS = 5, ROUNDS = 25 };
static const int64_t hour = 3600 * 1000, keep_ms = 30 * 24 * (int64_t)3600000;

#define CHECK(what)                                                           \
    do {                                                                      \
        if (!(what)) {                                                        \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #what,     \
                    warp_errmsg(NULL));                                       \
            _exit(1);                                                         \
        }                                                                     \
    } while (0)
#define OK(call) CHECK((call) == WARP_OK)

struct element {
    int64_t at;
    uint64_t serial;
};
struct player {
    bool there, has_mail, has_clan;
    bool busy; /* a call about it has begun and not come back */
    uint32_t mail, clan, hits, notes;
    struct element hit[ELEMENTS], note[ELEMENTS];
};
static struct shared {
    _Atomic int64_t now_ms;
    uint64_t serial, seed;
    struct player player[PLAYERS];
} *world;

static struct warp_db *db;
static char path[] = "/tmp/warp_series_XXXXXX";

static int64_t clock_now(void *arg)
{
    (void)arg;
    return world->now_ms;
}

static uint32_t below(uint32_t n)
{
    world->seed ^= world->seed << 13;
    world->seed ^= world->seed >> 7;
    world->seed ^= world->seed << 17;
    return (uint32_t)(world->seed % n);
}

static void open_store(void)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = 3;
    o.clock_ms = clock_now;
    o.memory_max_bytes = 256u << 20;
    OK(warp_open(path, &series_warp_schema, &o, &db));
}

static struct warp_str text(const char *format, uint64_t number, char *to)
{
    snprintf(to, 48, format, (unsigned long long)number);
    return warp_str(to);
}

/* ---- work: the model changes when the call has come back ---- */

static void add_hit(struct player *p, uint64_t serial, int64_t at)
{
    p->there = true;
    p->hit[p->hits++] = (struct element){at, serial};
}

static void add_note(struct player *p, uint64_t serial, int64_t at)
{
    p->there = true;
    p->note[p->notes++] = (struct element){at, serial};
}

static int64_t some_time(void)
{
    return world->now_ms - (int64_t)below(40) * 24 * hour +
           (int64_t)below(1000);
}

static void append_one(uint32_t id, struct player *p)
{
    char buffer[48];
    uint64_t serial = world->serial++;
    int64_t at = below(2) ? world->now_ms : some_time();
    if (p->hits == ELEMENTS || p->notes == ELEMENTS)
        return;
    if (below(2)) {
        struct ser_hit hit = {at, (uint32_t)serial * 3, serial};
        OK(ser_player_hits_append(db, id, hit));
        add_hit(p, serial, at);
    } else {
        struct warp_str note = text("note %llu", serial, buffer);
        bool now = below(2);
        OK(ser_player_notes_append(db, id, now ? WARP_NOW : at, note));
        add_note(p, serial, now ? world->now_ms : at);
    }
}

/* Several elements of two players, some at one time: all or none. */
static void append_batch(uint32_t id, uint32_t other)
{
    struct player *p = &world->player[id], *q = &world->player[other];
    struct warp_batch *batch;
    uint64_t first = world->serial;
    uint32_t count = 1 + below(6);
    int64_t at = some_time();
    if (p->hits + 2 * count > ELEMENTS || q->hits + 2 * count > ELEMENTS)
        return;
    OK(warp_batch_begin(db, &batch));
    for (uint32_t i = 0; i < count; i++) {
        uint64_t serial = world->serial++;
        struct ser_hit hit = {at, (uint32_t)serial * 3, serial};
        OK(ser_player_hits_append_in(batch, i % 2 ? id : other, hit));
    }
    q->busy = true;
    OK(warp_batch_commit(&batch));
    for (uint32_t i = 0; i < count; i++)
        add_hit(i % 2 ? p : q, first + i, at);
    q->busy = false;
}

static void put_one(uint32_t id, struct player *p)
{
    char buffer[48];
    uint32_t mail = below(MAILS), clan = below(CLANS);
    struct ser_player s = {.id = id, .clan = clan};
    s.mail = text("m%llu@example.org", mail, buffer);
    uint64_t fields = below(2) ? SER_PLAYER_MAIL : 0;
    fields |= below(2) ? SER_PLAYER_CLAN : 0;
    bool taken = false, unknown = false;
    for (uint32_t i = 0; i < PLAYERS; i++) {
        struct player *other = &world->player[i];
        if (other != p && other->there && other->has_mail &&
            other->mail == mail)
            taken = true;
        unknown = unknown || (other != p && other->busy);
    }
    int rc = ser_player_put(db, &s, fields);
    if (rc == WARP_EEXIST) {
        CHECK((fields & SER_PLAYER_MAIL) && (taken || unknown));
        return;
    }
    OK(rc);
    CHECK(!(fields & SER_PLAYER_MAIL) || !taken);
    p->there = true;
    if (fields & SER_PLAYER_MAIL) {
        p->has_mail = true;
        p->mail = mail;
    }
    if (fields & SER_PLAYER_CLAN) {
        p->has_clan = true;
        p->clan = clan;
    }
}

static void delete_one(uint32_t id, struct player *p)
{
    int rc = ser_player_delete(db, id);
    CHECK(rc == (p->there ? WARP_OK : WARP_ENOTFOUND));
    p->there = p->has_mail = p->has_clan = false;
    p->hits = p->notes = 0;
}

static void work(void)
{
    uint32_t id = below(PLAYERS), other = below(PLAYERS), what = below(40);
    struct player *p = &world->player[id];
    p->busy = true;
    if (what < 24)
        append_one(id, p);
    else if (what < 29 && other != id)
        append_batch(id, other);
    else if (what < 38)
        put_one(id, p);
    else if (what < 39)
        delete_one(id, p);
    else if (below(40) == 0)
        world->now_ms += below(3) * 24 * hour;
    p->busy = false;
    if (below(300) == 0)
        OK(warp_checkpoint(db));
    if (below(3000) == 0) {
        OK(warp_close(&db));
        open_store();
    }
}

/* ---- the check ---- */

static int by_time(const void *a, const void *b)
{
    const struct element *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->serial > y->serial) - (x->serial < y->serial);
}

static void check_hits(uint32_t id, int64_t from, int64_t to)
{
    const struct player *p = &world->player[id];
    struct element want[ELEMENTS];
    struct ser_hit hit;
    struct warp_iter *it;
    uint32_t count = 0, n = 0;
    int64_t at;
    int rc;
    for (uint32_t i = 0; i < p->hits; i++)
        if (p->hit[i].at >= from && p->hit[i].at < to &&
            world->now_ms - p->hit[i].at < keep_ms)
            want[count++] = p->hit[i];
    qsort(want, count, sizeof *want, by_time);
    OK(ser_player_hits_range(db, id, from, to, &it));
    while ((rc = ser_player_hits_next(it, &at, &hit, NULL)) == WARP_OK) {
        CHECK(n < count && at == want[n].at && hit.at == at);
        CHECK(hit.serial == want[n].serial);
        CHECK(hit.damage == (uint32_t)hit.serial * 3);
        n++;
    }
    CHECK(rc == WARP_END && n == count);
    warp_iter_close(&it);
}

static void check_notes(uint32_t id)
{
    const struct player *p = &world->player[id];
    struct element want[ELEMENTS];
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_iter *it;
    struct warp_str note;
    char buffer[48];
    uint32_t n = 0;
    int64_t at;
    int rc;
    memcpy(want, p->note, sizeof want);
    qsort(want, p->notes, sizeof *want, by_time);
    OK(ser_player_notes_range_with(db, id, INT64_MIN, INT64_MAX, WARP_ARCHIVE,
                                   &it));
    while ((rc = ser_player_notes_next(it, &at, &note, &arena)) == WARP_OK) {
        CHECK(n < p->notes && at == want[n].at);
        text("note %llu", want[n++].serial, buffer);
        CHECK(note.len == strlen(buffer) &&
              memcmp(note.data, buffer, note.len) == 0);
        warp_arena_reset(&arena);
    }
    CHECK(rc == WARP_END && n == p->notes);
    warp_iter_close(&it);
    warp_arena_free(&arena);
}

static void check_clans(void)
{
    for (uint32_t clan = 0; clan < CLANS; clan++) {
        struct warp_iter *it;
        struct ser_player s;
        uint32_t expected = 0, found = 0;
        int rc;
        for (uint32_t i = 0; i < PLAYERS; i++)
            expected += world->player[i].has_clan &&
                        world->player[i].clan == clan;
        OK(ser_player_by_clan(db, clan, SER_PLAYER_CLAN, &it));
        while ((rc = ser_player_next(it, &s, NULL)) == WARP_OK) {
            CHECK(s.clan == clan && world->player[s.id].has_clan);
            found++;
        }
        CHECK(rc == WARP_END && found == expected);
        warp_iter_close(&it);
    }
}

static void check_mails(void)
{
    for (uint32_t mail = 0; mail < MAILS; mail++) {
        struct ser_player s;
        char buffer[48];
        uint32_t owner = PLAYERS;
        for (uint32_t i = 0; i < PLAYERS; i++)
            if (world->player[i].has_mail && world->player[i].mail == mail)
                owner = i;
        int rc = ser_player_get_by_mail(
            db, text("m%llu@example.org", mail, buffer), SER_PLAYER_CLAN, &s,
            NULL);
        CHECK(rc == (owner < PLAYERS ? WARP_OK : WARP_ENOTFOUND));
        CHECK(rc != WARP_OK || s.id == owner);
    }
}

/* A player about whom a call was under way starts anew. */
static void settle(uint32_t id)
{
    struct player *p = &world->player[id];
    int rc = ser_player_delete(db, id);
    CHECK(rc == WARP_OK || rc == WARP_ENOTFOUND);
    memset(p, 0, sizeof *p);
}

static void check_all(void)
{
    for (uint32_t i = 0; i < PLAYERS; i++)
        if (world->player[i].busy)
            settle(i);
    for (uint32_t i = 0; i < PLAYERS; i++) {
        int64_t day = 24 * hour, now = world->now_ms;
        check_hits(i, INT64_MIN, INT64_MAX);
        check_hits(i, now - 35 * day, now - 2 * day);
        check_hits(i, now - 5 * day, now);
        check_notes(i);
    }
    check_clans();
    check_mails();
}

/* Elements of one time keep their order in a batch as large as one may be, and
 * one that is larger leaves nothing. */
static void check_large_batch(void)
{
    enum { MANY = 1 << 16 };
    for (uint32_t extra = 0; extra < 2; extra++) {
        struct warp_batch *batch;
        struct warp_iter *it;
        struct ser_hit hit = {.at = world->now_ms};
        uint64_t id = 1000 + extra, found = 0;
        int64_t at;
        int rc = WARP_OK;
        OK(warp_batch_begin(db, &batch));
        for (uint32_t i = 0; i < MANY + extra && rc == WARP_OK; i++) {
            hit.serial = i;
            rc = ser_player_hits_append_in(batch, id, hit);
        }
        CHECK(rc == (extra ? WARP_ELIMIT : WARP_OK));
        CHECK(warp_batch_commit(&batch) == rc);
        OK(warp_checkpoint(db));
        OK(ser_player_hits_range(db, id, INT64_MIN, INT64_MAX, &it));
        while ((rc = ser_player_hits_next(it, &at, &hit, NULL)) == WARP_OK)
            CHECK(hit.serial == found++);
        CHECK(rc == WARP_END && found == (extra ? 0 : MANY));
        warp_iter_close(&it);
    }
}

int main(int argc, char **argv)
{
    char command[64];
    world = mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(world != MAP_FAILED && mkdtemp(path));
    world->now_ms = INT64_C(1700000000000);
    world->seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 88172645463325252u;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t pause_us = 1000 * (20 + below(120));
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            open_store();
            for (;;)
                work();
        }
        usleep(pause_us);
        kill(child, SIGKILL);
        int status;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        open_store();
        check_all();
        if (round % 3 == 0) {
            OK(warp_checkpoint(db));
            check_all();
        }
        OK(warp_close(&db));
    }
    open_store();
    check_large_batch();
    OK(warp_close(&db));
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    return system(command) != 0;
}
