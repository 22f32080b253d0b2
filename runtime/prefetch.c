/* prefetch.c: see prefetch.h. Time is the store's clock. */
#include "prefetch.h"

#include "clock.h"
#include "error.h"
#include "forward.h"
#include "partner.h"
#include "read.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    QUEUE = 128,
    WATCHED = 1024,        /* records whose use is waited for */
    WAYS = 4,              /* places for one hash */
    LATE_MS = 30000,       /* a use after that is none of prefetching's */
    OFF_MS = 60000,
    JUDGED_MIN = 32,       /* outcomes before a verdict */
    JUDGED_MAX = 256,      /* then older ones count half */
    TICK_MS = 200
};

struct request {
    const struct layout *layout;
    uint64_t hash;
    uint32_t key_bytes;
    bool partners;
    uint8_t key[KEY_BYTES_MAX];
};

struct prefetch {
    struct os_thread thread;
    _Atomic uint32_t word; /* futex: bumped by a request, and to stop */
    _Atomic bool stopping, off;
    struct os_lock lock; /* of the queue */
    uint32_t head, count;
    struct request queue[QUEUE];
    /* By hash: what was brought and not used yet; 0: nothing. */
    _Atomic uint64_t watched[WATCHED];
    _Atomic uint64_t used, brought, wasted;
    /* the thread's own */
    int64_t since_ms[WATCHED];
    int64_t off_until_ms, budget_ms;
    uint64_t budget;       /* thousandths of a record */
    uint64_t seen_used;    /* of used: judged already */
    uint32_t good, bad;    /* outcomes of late */
    struct partner_set set;
};

static struct key_ref request_key(const struct request *r)
{
    struct key_ref key = {r->key, r->key_bytes, r->layout, r->hash};
    return key;
}

/* ---- asking ---- */

/* Fields that may be kept in memory and are not. false: no row is there. */
static bool cold_fields(struct warp_db *db, const struct layout *l,
                        const struct key_ref *key, uint64_t *cold)
{
    struct shard *s = forward_shard(db, l, key);
    for (uint32_t tries = 0;; tries++) {
        _Atomic uint64_t *slot;
        struct record *r = shard_peek(s, key, &slot);
        *cold = 0;
        if (!r)
            return false;
        uint64_t word = record_read_begin(r);
        FOR_BITS(i, l->cold & ~l->disk_only & record_have(r))
            if (atomic_load_explicit(&row_var(r, l->fields[i].slot)->at,
                                     memory_order_relaxed) == VAR_COLD)
                *cold |= UINT64_C(1) << i;
        if (!(word & 1) && record_read_ok(r, word) &&
            index_slot_holds(slot, r))
            return true;
        if (tries > 4)
            os_yield(); /* its writer may wait for a lock */
    }
}

bool prefetch_lacks(struct warp_db *db, const struct layout *l,
                    const struct key_ref *key)
{
    uint64_t cold;
    return !cold_fields(db, l, key, &cold) || cold != 0;
}

void prefetch_ask(struct warp_db *db, const struct layout *l,
                  const struct key_ref *key, bool partners, bool at_once)
{
    struct prefetch *p = db->prefetch;
    if (!p || atomic_load_explicit(&p->off, memory_order_relaxed) ||
        key->count > KEY_BYTES_MAX || !os_trylock(&p->lock))
        return;
    bool room = p->count < QUEUE;
    if (room) {
        struct request *r = &p->queue[(p->head + p->count++) % QUEUE];
        r->layout = l;
        r->hash = key->hash;
        r->key_bytes = key->count;
        r->partners = partners;
        memcpy(r->key, key->bytes, key->count);
    }
    os_unlock(&p->lock);
    if (!room || !at_once)
        return;
    atomic_fetch_add(&p->word, 1);
    os_futex_wake(&p->word, 1);
}

/* The first of the places of a hash. */
static uint32_t place_of(uint64_t hash)
{
    return (uint32_t)(hash % (WATCHED / WAYS)) * WAYS;
}

void prefetch_used(struct warp_db *db, uint64_t hash)
{
    struct prefetch *p = db->prefetch;
    if (!p)
        return;
    uint32_t at = place_of(hash);
    for (uint32_t i = 0; i < WAYS; i++) {
        uint64_t seen = atomic_load_explicit(&p->watched[at + i],
                                             memory_order_relaxed);
        if (seen != hash ||
            !atomic_compare_exchange_strong(&p->watched[at + i], &seen, 0))
            continue;
        atomic_fetch_add(&p->used, 1);
        return;
    }
}

/* ---- the thread ---- */

static void waste(struct prefetch *p)
{
    atomic_fetch_add(&p->wasted, 1);
    p->bad++;
}

/* The oldest gives way where all places are taken. */
static void watch(struct prefetch *p, uint64_t hash, int64_t now)
{
    uint32_t from = place_of(hash), at = from;
    for (uint32_t i = from; i < from + WAYS; i++) {
        bool is_free = atomic_load(&p->watched[i]) == 0;
        if (is_free || p->since_ms[i] < p->since_ms[at])
            at = i;
        if (is_free)
            break;
    }
    atomic_fetch_add(&p->brought, 1);
    p->since_ms[at] = now;
    if (atomic_exchange(&p->watched[at], hash) != 0)
        waste(p);
}

static bool is_watched(const struct prefetch *p, uint64_t hash)
{
    uint32_t at = place_of(hash);
    for (uint32_t i = at; i < at + WAYS; i++)
        if (atomic_load(&p->watched[i]) == hash)
            return true;
    return false;
}

/* Room for one more read? */
static bool spend(struct warp_db *db, struct prefetch *p, int64_t now)
{
    uint64_t most = db->options.prefetch_reads_max * UINT64_C(1000);
    uint64_t limit = db->memory_max;
    if (now > p->budget_ms) {
        uint64_t ms = (uint64_t)(now - p->budget_ms);
        p->budget += (ms > 1000 ? 1000 : ms) * db->options.prefetch_reads_max;
        p->budget_ms = now;
    }
    if (p->budget > most)
        p->budget = most;
    if (p->budget < 1000 || db_memory_used(db) > limit - limit / 8)
        return false;
    p->budget -= 1000;
    return true;
}

struct serving {
    struct warp_db *db;
    struct prefetch *p;
    const struct layout *l;
    int64_t now;
};

/* A row that is not in memory is read to be looked at. */
static bool may_look(void *arg, const struct key_ref *key)
{
    struct serving *s = arg;
    uint64_t cold;
    if (cold_fields(s->db, s->l, key, &cold))
        return true;
    if (!spend(s->db, s->p, s->now))
        return false;
    watch(s->p, key->hash, s->now);
    return true;
}

/* What fails is told to whoever reads it because he wants it. */
static void bring(struct serving *s, const struct key_ref *key)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    uint64_t cold;
    bool there = cold_fields(s->db, s->l, key, &cold);
    if (there && cold == 0)
        return;
    bool paid = is_watched(s->p, key->hash);
    if (!paid && !spend(s->db, s->p, s->now))
        return;
    void *out = calloc(1, s->l->desc->record_bytes);
    uint64_t fields = there ? cold : s->l->cold & ~s->l->disk_only;
    if (out && read_record_quiet(s->db, s->l, key, fields, out, &arena) ==
                   WARP_OK && !paid)
        watch(s->p, key->hash, s->now);
    free(out);
    warp_arena_free(&arena);
}

static void serve(struct warp_db *db, struct prefetch *p,
                  const struct request *r)
{
    struct serving s = {db, p, r->layout, clock_now(db->clock)};
    struct key_ref key = request_key(r);
    if (!r->partners) {
        bring(&s, &key);
        return;
    }
    if (partner_find(db, r->layout, &key, may_look, &s, PARTNER_MAX, &p->set) !=
        WARP_OK)
        return;
    for (uint32_t i = 0; i < p->set.count; i++) {
        key = partner_key(r->layout, &p->set.list[i]);
        bring(&s, &key);
    }
}

static void judge(struct warp_db *db, struct prefetch *p)
{
    int64_t now = clock_now(db->clock);
    char text[128];
    for (uint32_t i = 0; i < WATCHED; i++) {
        uint64_t hash = atomic_load_explicit(&p->watched[i],
                                             memory_order_relaxed);
        if (hash != 0 && now - p->since_ms[i] >= LATE_MS &&
            atomic_compare_exchange_strong(&p->watched[i], &hash, 0))
            waste(p);
    }
    uint64_t used = atomic_load(&p->used);
    p->good += (uint32_t)(used - p->seen_used);
    p->seen_used = used;
    if (atomic_load(&p->off)) {
        if (now < p->off_until_ms)
            return;
        p->good = p->bad = 0;
        atomic_store(&p->off, false);
    }
    if (p->good + p->bad < JUDGED_MIN)
        return;
    if (p->good < p->bad) {
        p->off_until_ms = now + OFF_MS;
        atomic_store(&p->off, true);
        snprintf(text, sizeof text,
                 "prefetching partners pauses for %d s: of the last %u, %u "
                 "were used", OFF_MS / 1000, p->good + p->bad, p->good);
        db_log(db, WARP_LOG_INFO, WARP_OK, text);
    }
    if (p->good + p->bad >= JUDGED_MAX) {
        p->good /= 2;
        p->bad /= 2;
    }
}

static bool take(struct prefetch *p, struct request *r)
{
    os_lock(&p->lock);
    bool any = p->count > 0;
    if (any) {
        *r = p->queue[p->head];
        p->head = (p->head + 1) % QUEUE;
        p->count--;
    }
    os_unlock(&p->lock);
    return any;
}

static void *work(void *arg)
{
    struct warp_db *db = arg;
    struct prefetch *p = db->prefetch;
    struct request r;
    os_background();
    while (!atomic_load(&p->stopping)) {
        uint32_t seen = atomic_load(&p->word);
        judge(db, p);
        while (!atomic_load(&p->stopping) && take(p, &r))
            if (!atomic_load(&p->off))
                serve(db, p, &r);
        os_futex_wait(&p->word, seen, TICK_MS * INT64_C(1000000));
    }
    return NULL;
}

/* ---- the store ---- */

void prefetch_stat(const struct warp_db *db, struct warp_stat *stat)
{
    struct prefetch *p = db->prefetch;
    stat->prefetched = atomic_load(&p->brought);
    stat->prefetch_used = atomic_load(&p->used);
    stat->prefetch_wasted = atomic_load(&p->wasted);
    stat->prefetch_off = atomic_load(&p->off);
}

int prefetch_start(struct warp_db *db)
{
    bool any = false;
    for (uint32_t i = 0; i < db->layout_count; i++) {
        const struct layout *l = db->layouts[i];
        any = any || (l->linked &&
                      (l->evictable || (l->cold & ~l->disk_only) != 0));
    }
    if (!any)
        return WARP_OK;
    struct prefetch *p = calloc(1, sizeof *p);
    if (!p)
        return error_set(WARP_ENOMEM, "out of memory for prefetching");
    p->budget = db->options.prefetch_reads_max * UINT64_C(1000);
    p->budget_ms = clock_now(db->clock);
    db->prefetch = p;
    if (db_thread_start(db, &p->thread, work, db, "warp-prefetch") == 0)
        return WARP_OK;
    free(p);
    db->prefetch = NULL;
    return error_set(WARP_ENOMEM, "cannot start a thread");
}

void prefetch_stop(struct warp_db *db)
{
    struct prefetch *p = db->prefetch;
    if (!p)
        return;
    atomic_store(&p->stopping, true);
    atomic_fetch_add(&p->word, 1);
    os_futex_wake(&p->word, 1);
    os_thread_join(&p->thread);
    free(p);
    db->prefetch = NULL;
}
