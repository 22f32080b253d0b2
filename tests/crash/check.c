/* What must be there after a kill: every acknowledged operation whole, at most
 * one more of each writer, also whole, and nothing else. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash.h"
#include "crash.warp.h"

struct check {
    struct warp_db *db;
    struct crash_acks *acks;
    struct warp_arena arena;
    int wrong;
};

__attribute__((format(printf, 2, 3))) static void say(struct check *c,
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("  ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    c->wrong++;
}

static bool get(struct check *c, uint64_t id, uint64_t fields,
                struct crash_account *a)
{
    int rc = crash_account_get(c->db, id, fields, a, &c->arena);
    if (rc == WARP_OK)
        return true;
    say(c, "record %llu: %s", (unsigned long long)id, warp_errmsg(c->db));
    return false;
}

/* A counter that was found must be the acknowledged one or the next. */
static void follow(struct check *c, const char *what, uint64_t found,
                   _Atomic uint64_t *acked)
{
    uint64_t before = *acked;
    if (found != before && found != before + 1)
        say(c, "%s: %llu acknowledged, %llu found", what,
            (unsigned long long)before, (unsigned long long)found);
    *acked = found;
}

static void check_money(struct check *c)
{
    struct crash_account a;
    int64_t sum = 0;
    for (uint64_t id = 0; id < ACCOUNTS; id++)
        if (get(c, id, CRASH_ACCOUNT_BALANCE, &a))
            sum += a.balance;
    if (sum != (int64_t)ACCOUNTS * MONEY)
        say(c, "money: %lld, wanted %d", (long long)sum, ACCOUNTS * MONEY);
    for (unsigned t = 0; t < MOVERS; t++) {
        char note[200] = "";
        if (!get(c, MOVER + t,
                 CRASH_ACCOUNT_BALANCE | CRASH_ACCOUNT_STAMP |
                     CRASH_ACCOUNT_NOTE,
                 &a))
            continue;
        if (a.note.len < sizeof note)
            memcpy(note, a.note.data, a.note.len);
        if (a.balance != (int64_t)a.stamp ||
            strtoull(note, NULL, 10) != a.stamp)
            say(c, "mover %u is torn: stamp %llu, balance %lld, note %s", t,
                (unsigned long long)a.stamp, (long long)a.balance, note);
        follow(c, "mover", a.stamp, &c->acks->moved[t]);
    }
}

static bool owns_only(struct check *c, unsigned owner, bool wanted)
{
    struct warp_iter *iter = NULL;
    struct crash_account a;
    char name[16];
    unsigned found = 0;
    snprintf(name, sizeof name, "owner%u", owner);
    int rc = crash_account_by_owner(c->db, warp_str(name), CRASH_ACCOUNT_OWNER,
                                    &iter);
    while (rc == WARP_OK) {
        rc = crash_account_next(iter, &a, &c->arena);
        found += rc == WARP_OK;
        if (rc == WARP_OK && a.id != PUTTER)
            found += 100;
    }
    warp_iter_close(&iter);
    return rc == WARP_END && found == (wanted ? 1 : 0);
}

static void check_putter(struct check *c)
{
    struct crash_account a;
    char text[64];
    uint64_t n;
    if (c->acks->put == 0 &&
        crash_account_state(c->db, PUTTER, CRASH_ACCOUNT_STAMP) == WARP_ABSENT)
        return;
    if (!get(c, PUTTER, CRASH_ACCOUNT_ALL, &a))
        return;
    n = a.stamp;
    snprintf(text, sizeof text, "note %llu", (unsigned long long)n);
    if (a.note.len != strlen(text) ||
        memcmp(a.note.data, text, a.note.len) != 0)
        say(c, "putter %llu: note", (unsigned long long)n);
    bool whole = a.blob.len == crash_blob_bytes(n);
    for (uint32_t i = 0; whole && i < a.blob.len; i++)
        whole = a.blob.data[i] == crash_byte(n);
    if (!whole)
        say(c, "putter %llu: blob of %u bytes", (unsigned long long)n,
            (unsigned)a.blob.len);
    if ((a.have & CRASH_ACCOUNT_MOOD) != 0 ||
        crash_account_state(c->db, PUTTER, CRASH_ACCOUNT_MOOD) != WARP_LOST)
        say(c, "putter: the mood is not lost");
    for (unsigned owner = 0; owner < OWNERS; owner++)
        if (!owns_only(c, owner, owner == n % OWNERS))
            say(c, "putter %llu: index of owner%u", (unsigned long long)n,
                owner);
    follow(c, "putter", n, &c->acks->put);
}

static void check_series(struct check *c)
{
    struct warp_iter *iter = NULL;
    uint64_t acked = c->acks->appended, last = 0;
    int64_t from = acked > 500 ? (int64_t)acked - 500 : 1, at_ms = 0;
    int rc = crash_account_trail_range(c->db, APPENDER, from, INT64_MAX, &iter);
    if (rc == WARP_ENOTFOUND && acked == 0)
        return;
    for (int64_t wanted = from; rc == WARP_OK; wanted++) {
        uint64_t value = 0;
        rc = crash_account_trail_next(iter, &at_ms, &value, &c->arena);
        if (rc == WARP_OK && (at_ms != wanted || value != (uint64_t)wanted * 3))
            say(c, "series: %lld at %lld, wanted %lld", (long long)value,
                (long long)at_ms, (long long)wanted);
        if (rc == WARP_OK)
            last = (uint64_t)at_ms;
    }
    warp_iter_close(&iter);
    if (rc != WARP_END)
        say(c, "series: %s", warp_errmsg(c->db));
    follow(c, "series", last, &c->acks->appended);
}

/* The last operation on a slot among 1 .. n; 0 when there is none. */
static uint64_t last_on(uint64_t slot, uint64_t n)
{
    uint64_t back = (n % SLOTS + SLOTS - slot) % SLOTS;
    return back < n ? n - back : 0;
}

static bool slot_is(struct check *c, uint64_t slot, uint64_t operation)
{
    struct crash_account a;
    int rc = crash_account_get(c->db, SLOT + slot, CRASH_ACCOUNT_STAMP, &a,
                               &c->arena);
    if (operation == 0 || crash_deletes(operation))
        return rc == WARP_ENOTFOUND;
    return rc == WARP_OK && a.stamp == operation;
}

static void check_slots(struct check *c)
{
    uint64_t acked = c->acks->slotted;
    for (uint64_t slot = 0; slot < SLOTS; slot++) {
        uint64_t last = last_on(slot, acked);
        if (slot_is(c, slot, last))
            continue;
        if ((acked + 1) % SLOTS == slot && slot_is(c, slot, acked + 1))
            continue;
        say(c, "slot %llu is not as operation %llu of %llu left it",
            (unsigned long long)slot, (unsigned long long)last,
            (unsigned long long)acked);
    }
}

int crash_check(const char *path, struct crash_acks *acks)
{
    struct check c = {.acks = acks, .arena = WARP_ARENA_INIT};
    if (warp_open(path, &crash_warp_schema, NULL, &c.db) != WARP_OK) {
        say(&c, "open: %s", warp_errmsg(NULL));
        return c.wrong;
    }
    check_money(&c);
    check_putter(&c);
    check_series(&c);
    check_slots(&c);
    warp_arena_free(&c.arena);
    if (warp_close(&c.db) != WARP_OK)
        say(&c, "close: %s", warp_errmsg(NULL));
    return c.wrong;
}
