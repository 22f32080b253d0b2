/* evict.c: what may leave memory, does: values that their tier holds, and whole
 * records of products without a field that its policy pins.
 *
 * A clock: the hand walks over the index and passes what was used since its
 * last visit, several times where it is heavy (weight.h). The marks lie in a
 * table by hash, not in the records: a reader without a lock must not write to
 * memory that may be freed. Products of a lower priority go first. What the
 * tier does not have yet (dirty, or copied by a checkpoint that has not
 * committed) stays. */
#include "evict.h"

#include "weight.h"

struct evict_call {
    struct shard *shard;
    const struct pool *pool;
    uint8_t priority;
    uint64_t freed;
};

static void evict_values(struct evict_call *c, const struct layout *l,
                         struct record *r)
{
    uint64_t clean = l->cold & record_have(r) & ~row_load(r, l->cold_dirty);
    bool begun = false;
    FOR_BITS(i, clean)
    {
        struct var *var = row_var(r, l->fields[i].slot);
        uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
        if (at <= VAR_COLD || var_is_inline(r, at))
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

/* The record, if nothing of it is pinned, or its values; what its tier has. */
static void leave(struct evict_call *c, const struct layout *l,
                  struct record *r)
{
    uint64_t have = record_have(r);
    if (l->evictable && (have & R_IN_DIR) && !(have & R_DIRTY) &&
        !(have & l->mortal_mem)) {
        uint64_t before = c->shard->live_bytes;
        atomic_store_explicit(&c->shard->db->partial, true,
                              memory_order_release);
        shard_destroy(c->shard, l, r);
        c->freed += before - c->shard->live_bytes;
        return;
    }
    if (l->cold)
        evict_values(c, l, r);
}

static void evict_record(void *arg, void *record)
{
    struct evict_call *c = arg;
    struct record *r = record;
    const struct layout *l = c->shard->db->layouts[r->product];
    uint64_t have = record_have(r);
    if (c->pool && c->pool != l->pools[0] && c->pool != l->pools[1])
        return;
    if (l->priority > c->priority || (!l->cold && !l->evictable) ||
        (have & (R_DELETED | R_FLUSHING | R_BUSY)))
        return;
    _Atomic uint8_t *used = shard_used_mark(
        c->shard, shard_record_hash(c->shard, r));
    uint8_t mark = atomic_load_explicit(used, memory_order_relaxed);
    uint32_t passes = mark == SHARD_USED ? weight_passes(c->shard, l, r)
                      : mark > 0         ? mark - 1u
                                         : 0;
    if (passes > 0) {
        atomic_store_explicit(used, passes > 1 ? (uint8_t)passes : 0,
                              memory_order_relaxed);
        return;
    }
    leave(c, l, r);
}

uint64_t evict_one(struct shard *s, struct record *r)
{
    struct evict_call call = {.shard = s};
    if (!(record_have(r) & (R_DELETED | R_FLUSHING | R_BUSY)))
        leave(&call, s->db->layouts[r->product], r);
    return call.freed;
}

uint64_t shard_evict(struct shard *s, const struct pool *pool, uint8_t highest,
                     uint64_t bytes)
{
    struct evict_call call = {s, pool, 0, 0};
    uint32_t priorities = s->db->priorities;
    for (uint8_t p = WARP_PRIORITY_BACKGROUND; p <= highest; p++) {
        if (!(priorities >> p & 1))
            continue;
        call.priority = p;
        /* Twice around: the first time may only clear marks. */
        uint32_t rounds = s->index.segment_count *
                          (s->db->weighed ? WEIGHT_PASSES_MAX + 1 : 2);
        for (uint32_t n = 0; n < rounds && call.freed < bytes; n++) {
            if (s->evict_at >= s->index.segment_count)
                s->evict_at = 0;
            index_walk(&s->index, s->evict_at++, evict_record, &call);
        }
        if (call.freed >= bytes)
            break;
    }
    return call.freed;
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

uint64_t evict_to(struct warp_db *db, uint64_t aim)
{
    uint64_t now = pressure(db), freed = 0;
    uint64_t bytes = now > aim ? now - aim : 0;
    if (aim == 0 && bytes > db->memory_max / 16)
        bytes = db->memory_max / 16;
    uint64_t share = bytes > 0 ? bytes / db->shard_count + 1 : 0;
    for (uint32_t i = 0; i < db->shard_count; i++) {
        struct shard *s = &db->shards[i];
        os_lock(&s->lock);
        if (share > 0)
            freed += shard_evict(s, NULL, WARP_PRIORITY_CRITICAL, share);
        heap_trim(&s->heap);
        os_unlock(&s->lock);
    }
    db_balance(db);
    return freed;
}
