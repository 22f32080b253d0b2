/* evict.c: what may leave memory, does: values that their tier holds, and whole
 * records of products without a field that its policy pins.
 *
 * The engines of replace.h say which; here it is done. What the tier does not
 * have yet (dirty, or copied by a checkpoint that has not committed) stays, and
 * leaves when the checkpoint is through. Records that no engine knows, because
 * nobody used them since the budget came into sight, go first: a hand walks
 * over the index for them. */
#include "evict.h"

#include "forward.h"
#include "learner.h"
#include "replace.h"
#include "weight.h"

struct evict_call {
    struct shard *shard;
    const struct pool *pool;
    uint8_t priority;
    uint64_t freed;
    uint32_t round; /* of strays: the light ones go in the first rounds */
};

/* ---- one record ---- */

static void evict_values(struct evict_call *c, const struct layout *l,
                         struct record *r, uint64_t fields)
{
    uint64_t clean = fields & record_have(r) & ~row_load(r, l->cold_dirty);
    bool begun = false;
    FOR_BITS(i, clean)
    {
        struct var *var = row_var(r, l->fields[i].slot);
        uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
        if (at <= VAR_COLD || var_is_inline(l, r, at))
            continue;
        if (!begun)
            record_begin(r);
        begun = true;
        uint64_t len_cap =
            atomic_load_explicit(&var->len_cap, memory_order_relaxed);
        c->freed += len_cap >> 32;
        shard_free_value(c->shard, l, r, var);
        atomic_store_explicit(&var->at, VAR_COLD, memory_order_relaxed);
        atomic_store_explicit(&var->len_cap, len_cap & UINT32_MAX,
                              memory_order_relaxed);
    }
    if (begun)
        record_end(r, record_version(r));
}

/* The record, if that is asked for and nothing of it is pinned, or values of
 * these fields; what its tier has. */
static void leave(struct evict_call *c, const struct layout *l,
                  struct record *r, bool whole, uint64_t fields)
{
    uint64_t have = record_have(r), freed = c->freed;
    os_point(OS_POINT_EVICT);
    if (have & (R_DELETED | R_FLUSHING | R_BUSY))
        return;
    if (whole && (have & R_IN_DIR) && !(have & R_DIRTY) &&
        !(have & l->mortal_mem)) {
        uint64_t before = c->shard->live_bytes;
        atomic_store_explicit(&c->shard->db->partial, true,
                              memory_order_release);
        shard_destroy(c->shard, l, r);
        c->freed += before - c->shard->live_bytes;
    } else if (fields) {
        evict_values(c, l, r, fields);
    }
    if (c->freed != freed)
        atomic_fetch_add_explicit(&c->shard->db->evicted_bytes,
                                  c->freed - freed, memory_order_relaxed);
}

uint64_t evict_one(struct shard *s, struct record *r)
{
    struct evict_call call = {.shard = s};
    const struct layout *l = s->db->layouts[record_product(r)];
    uint64_t hash = shard_record_hash(s, r);
    leave(&call, l, r, l->evictable && !l->kept, l->cold & ~l->kept);
    if (call.freed > 0 && l->movable && replace_is_on(s->db))
        replace_note(s->db, l,
                     (struct replace_use){.hash = hash, .kind = REPLACE_LEFT});
    return call.freed;
}

uint32_t evict_bytes(const struct layout *l, const struct record *r)
{
    uint64_t bytes =
        l->leaves_whole ? heap_block_bytes(record_alloc_bytes(l, r)) : 0;
    FOR_BITS(i, l->leaves_whole ? l->var : l->leaves)
    {
        struct var *var = row_var(r, l->fields[i].slot);
        uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
        if (at > VAR_COLD && !var_is_inline(l, r, at))
            bytes += atomic_load_explicit(&var->len_cap,
                                          memory_order_relaxed) >> 32;
    }
    return bytes == 0 ? 1 : bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

/* ---- what the engines let go ---- */

struct hash_call {
    const struct shard *shard;
    uint64_t hash;
};

static bool has_hash(const void *record, const void *arg)
{
    const struct hash_call *c = arg;
    return shard_record_hash(c->shard, record) == c->hash;
}

/* Under the lock. */
static uint64_t leave_now(struct shard *s)
{
    enum { SOME = 64 };
    struct evict_call call = {.shard = s};
    uint64_t hashes[SOME];
    uint32_t n;
    while ((n = replace_leaving(s->db, s->number, hashes, SOME)) > 0)
        for (uint32_t i = 0; i < n; i++) {
            struct hash_call found = {s, hashes[i]};
            _Atomic uint64_t *slot;
            struct record *r = index_find(&s->index, hashes[i], has_hash,
                                          &found, &slot);
            const struct layout *l =
                r ? s->db->layouts[record_product(r)] : NULL;
            if (r && (record_have(r) & R_AWAY)) {
                replace_leaves_from(s->db, hashes[i],
                                    (uint32_t)(record_have(r) & R_FIELDS));
                continue;
            }
            if (!l || (s->db->weighed &&
                       replace_keeps(s->db, l, hashes[i],
                                     weight_passes(s, l, r))))
                continue;
            leave(&call, l, r, l->leaves_whole, l->leaves);
        }
    return call.freed;
}

static uint64_t leave_all(struct warp_db *db)
{
    uint64_t freed = 0;
    for (uint32_t i = 0; i < db->shard_count && replace_has_leaving(db); i++) {
        os_lock(&db->shards[i].lock);
        freed += leave_now(&db->shards[i]);
        os_unlock(&db->shards[i].lock);
    }
    return freed;
}

void evict_brought(struct warp_db *db, const struct layout *l,
                   const struct key_ref *key, int64_t began_ns,
                   unsigned from)
{
    struct replace_use use = {
        .hash = key->hash,
        .kind = REPLACE_TAKES,
        .from = (uint8_t)from,
        .took = replace_took(os_mono_ns() - began_ns, REPLACE_TAKES,
                             (uint8_t)from)};
    _Atomic uint64_t *slot;
    struct shard *s = forward_lock(db, l, key);
    struct record *r = shard_peek(s, key, &slot);
    use.bytes = r ? evict_bytes(l, r) : 0;
    os_unlock(&s->lock);
    if (use.bytes == 0)
        return;
    replace_note(db, l, use);
    if (!learner_takes(db))
        evict_learned(db);
}

void evict_learned(struct warp_db *db)
{
    replace_drain(db);
    (void)leave_all(db);
}

void evict_settled(struct shard *s, struct record *r)
{
    struct evict_call call = {.shard = s};
    const struct layout *l = s->db->layouts[record_product(r)];
    if (!l->movable || !replace_is_on(s->db))
        return;
    enum replace_state state =
        record_have(r) & R_DIRTY
            ? REPLACE_HELD
            : replace_clean(s->db, l, shard_record_hash(s, r));
    if (state == REPLACE_LET_GO)
        leave(&call, l, r, l->leaves_whole, l->leaves);
    else if (state == REPLACE_UNKNOWN)
        replace_stray(s->db);
}

/* ---- what no engine knows ---- */

static void leave_stray(void *arg, void *record)
{
    struct evict_call *c = arg;
    struct record *r = record;
    struct shard *s = c->shard;
    const struct layout *l = s->db->layouts[record_product(r)];
    if (!l->movable || l->priority != c->priority ||
        (c->pool && c->pool != l->pools[0] && c->pool != l->pools[1]) ||
        (record_have(r) & (R_DELETED | R_FLUSHING | R_BUSY)) ||
        replace_state(s->db, l, shard_record_hash(s, r)) == REPLACE_HELD ||
        (s->db->weighed && weight_passes(s, l, r) > c->round))
        return;
    leave(c, l, r, l->leaves_whole, l->leaves);
}

/* Under the lock: once around, unless the last time around found none and
 * nothing has happened since. */
static uint64_t leave_strays(struct shard *s, const struct pool *pool,
                             uint8_t priority, uint64_t bytes)
{
    struct evict_call call = {s, pool, priority, 0, 0};
    uint32_t strays = replace_strays(s->db),
             rounds = s->db->weighed ? WEIGHT_PASSES_MAX + 1 : 1;
    if (s->strays_seen == strays)
        return 0;
    replace_drain(s->db);
    for (; call.round < rounds; call.round++)
        for (uint32_t n = 0; n < s->index.segment_count; n++) {
            if (call.freed >= bytes)
                return call.freed;
            if (s->evict_at >= s->index.segment_count)
                s->evict_at = 0;
            index_walk(&s->index, s->evict_at++, leave_stray, &call);
        }
    if (call.freed == 0 && !pool && s->db->priorities >> priority == 1)
        s->strays_seen = strays;
    return call.freed;
}

/* ---- how much ---- */

uint64_t shard_evict(struct shard *s, const struct pool *pool, uint8_t highest,
                     uint64_t bytes)
{
    struct warp_db *db = s->db;
    uint64_t freed = 0, most = (pool ? pool->limit : db->memory_max) / 16;
    if (!db->replace)
        return 0;
    replace_begin(db);
    freed += leave_now(s);
    for (uint8_t p = WARP_PRIORITY_BACKGROUND; p <= highest && freed < bytes;
         p++) {
        if (!(db->priorities >> p & 1))
            continue;
        freed += leave_strays(s, pool, p, bytes - freed);
        /* What is let go is of all shards, this one has its part. */
        for (int n = 0; n < 4 && freed < bytes; n++) {
            uint64_t part = (bytes - freed) * db->shard_count;
            part = part < most ? part : most;
            if (replace_shrink(db, pool, p, part) == 0)
                break;
            freed += leave_now(s);
        }
    }
    return freed;
}

/* What is really in use: free room inside the heaps does not count. */
static uint64_t pressure(struct warp_db *db)
{
    uint64_t used = db_memory_used(db), idle = 0;
    for (uint32_t i = 0; i < db->shard_count; i++) {
        struct shard *s = &db->shards[i];
        os_lock(&s->lock);
        uint64_t taken = heap_bytes(&s->heap);
        idle += taken > s->live_bytes ? taken - s->live_bytes : 0;
        os_unlock(&s->lock);
    }
    return used > idle ? used - idle : 0;
}

static uint64_t strays_of_all(struct warp_db *db, uint8_t priority,
                              uint64_t bytes)
{
    uint64_t freed = 0, share = bytes / db->shard_count + 1;
    for (uint32_t i = 0; i < db->shard_count; i++) {
        os_lock(&db->shards[i].lock);
        freed += leave_strays(&db->shards[i], NULL, priority, share);
        os_unlock(&db->shards[i].lock);
    }
    return freed;
}

/* Patient: what only is dirty counts for what is missing before anything of a
 * higher priority does: the next checkpoint frees it. */
static uint64_t free_bytes(struct warp_db *db, uint64_t bytes, bool patient)
{
    uint64_t freed = leave_all(db);
    for (uint8_t p = WARP_PRIORITY_BACKGROUND;
         p <= WARP_PRIORITY_CRITICAL && freed < bytes; p++) {
        if (!(db->priorities >> p & 1))
            continue;
        freed += strays_of_all(db, p, bytes - freed);
        /* Some of what is let go is in use, and stays. */
        for (int n = 0; n < 4 && freed < bytes; n++) {
            if (replace_shrink(db, NULL, p, bytes - freed) == 0)
                break;
            freed += leave_all(db);
        }
        uint64_t waits = patient ? replace_held(db, p).pinned_bytes : 0;
        bytes -= waits < bytes ? waits : bytes;
    }
    return freed;
}

/* A product's writers wait for its pool, and the store has room. */
static uint64_t free_pools(struct warp_db *db)
{
    uint64_t freed = 0;
    for (uint32_t i = 0; i < db->pool_count; i++) {
        const struct pool *pool = &db->pools[i];
        uint64_t used = atomic_load_explicit(
            &((struct pool *)(uintptr_t)pool)->used, memory_order_relaxed);
        if (used + pool->limit / 16 < pool->limit)
            continue;
        (void)replace_shrink(db, pool, WARP_PRIORITY_CRITICAL,
                             pool->limit / 8);
        freed += leave_all(db);
        for (uint32_t s = 0; s < db->shard_count; s++) {
            os_lock(&db->shards[s].lock);
            for (uint8_t p = WARP_PRIORITY_BACKGROUND;
                 p <= WARP_PRIORITY_CRITICAL; p++)
                freed += leave_strays(&db->shards[s], pool, p,
                                      pool->limit / 8 / db->shard_count + 1);
            os_unlock(&db->shards[s].lock);
        }
    }
    return freed;
}

static void trim_all(struct warp_db *db)
{
    for (uint32_t i = 0; i < db->shard_count; i++) {
        os_lock(&db->shards[i].lock);
        heap_trim(&db->shards[i].heap);
        os_unlock(&db->shards[i].lock);
    }
    db_balance(db);
}

/* Also where the heaps are full of room that nobody can use: of other sizes, in
 * runs that are not empty. */
static bool is_short(struct warp_db *db)
{
    uint64_t limit = atomic_load(&db->heap_budget.limit);
    return atomic_load(&db->heap_budget.used) > limit - limit / 8 ||
           pressure(db) > db->memory_max - db->memory_max / 8;
}

uint64_t evict_to(struct warp_db *db, uint64_t aim, bool patient)
{
    uint64_t bytes = 0, freed = 0;
    if (db->replace) {
        replace_begin(db);
        if (aim == 0) {
            /* A pool was full, or a checkpoint has made room already. */
            freed = free_pools(db);
            trim_all(db);
            bytes = freed == 0 && is_short(db) ? db->memory_max / 16 : 0;
        } else {
            uint64_t now = pressure(db);
            bytes = now > aim ? now - aim : 0;
        }
        if (bytes > 0)
            freed += free_bytes(
                db, bytes,
                patient && atomic_load(&db->checkpoint_failed) == WARP_OK);
    }
    trim_all(db);
    return freed;
}

void evict_balance(struct warp_db *db)
{
    uint64_t aim = db->memory_max - db->memory_max / 8;
    int64_t spare = (int64_t)(aim / 16),
            room = (int64_t)aim - (int64_t)pressure(db);
    int64_t lower = 0; /* what engines of lower priorities can give */
    /* They leave before anything of their priority that was used has to. */
    for (uint8_t p = WARP_PRIORITY_BACKGROUND;
         p <= WARP_PRIORITY_CRITICAL && room + lower < spare; p++)
        if (db->priorities >> p & 1) {
            room += (int64_t)strays_of_all(db, p,
                                           (uint64_t)(spare - room - lower));
            lower += (int64_t)replace_held(db, p).used_bytes;
        }
    replace_balance(db, room);
    (void)leave_all(db);
}
