/* sweep.c: memory of what has expired. Reads never show it (read.c); here it
 * goes. A slice of every shard's index at a time, so that no lock is held long
 * and the lag is bounded by the number of slices. */
#include "apply.h"
#include "clock.h"
#include "hash.h"
#include "keeper.h"
#include "replace.h"
#include "series.h"

enum { SLICES = 16 }; /* sweeps for the whole index */

struct sweep_call {
    struct shard *shard;
    int64_t now;
    uint64_t freed;
};

/* Under the lock: the value of an expired field; its deadline stays, so that
 * the state is still EXPIRED. */
static void drop_field(struct shard *s, const struct layout *l,
                       struct record *r, uint32_t i)
{
    const struct field_layout *f = &l->fields[i];
    uint64_t bit = UINT64_C(1) << i;
    apply_forget(s, l, r, i);
    if (f->form == SLOT_VAR) {
        struct var *var = row_var(r, f->slot);
        shard_free_value(s, l, r, var);
        atomic_store_explicit(&var->at, VAR_NONE, memory_order_relaxed);
        atomic_store_explicit(&var->len_cap, 0, memory_order_relaxed);
    }
    if (f->place != UINT32_MAX)
        apply_drop_place(s, r, f->place);
    if (l->cold & bit)
        row_store(r, l->cold_dirty, row_load(r, l->cold_dirty) | bit);
    record_set_have(r, record_have(r) & ~bit);
}

/* Outside its home a record has no elements (R5). */
static bool is_elsewhere(const struct shard *s, const struct record *r)
{
    return hash_shard(shard_record_hash(s, r), s->db->shard_count) !=
           s->number;
}

static void sweep_record(void *arg, void *record)
{
    struct sweep_call *c = arg;
    struct record *r = record;
    const struct layout *l = c->shard->db->layouts[record_product(r)];
    uint64_t have = record_have(r);
    if ((!l->ttl && l->deadline == UINT32_MAX) || (have & R_DELETED))
        return;
    if (!shard_exists(l, r, c->now)) {
        struct key_ref key = record_key_ref(l, r, 0);
        uint64_t order = record_version(r) << 16 | 0xffff;
        record_begin(r);
        apply_clear(c->shard, l, r);
        if (l->series && !(l->roams && is_elsewhere(c->shard, r)))
            (void)series_drop(c->shard->db->series, l, &key, order);
        record_set_have(r, record_have(r) | R_DELETED);
        shard_counted(c->shard, r, have);
        shard_dirty(c->shard, r, shard_record_hash(c->shard, r));
        record_end(r, record_version(r));
        if (l->movable && replace_is_on(c->shard->db))
            replace_note(c->shard->db, l,
                         (struct replace_use){
                             .hash = shard_record_hash(c->shard, r),
                             .kind = REPLACE_GONE});
        c->freed++;
        return;
    }
    uint64_t gone = 0;
    FOR_BITS(i, have & l->ttl)
    {
        int64_t deadline = (int64_t)row_load(r, l->fields[i].deadline);
        if (deadline != 0 && c->now >= deadline)
            gone |= UINT64_C(1) << i;
    }
    if (!gone)
        return;
    record_begin(r);
    FOR_BITS(i, gone)
        drop_field(c->shard, l, r, (uint32_t)i);
    /* A record that may leave memory now must come back with the deadlines of
     * its memory-only values and the count of their writes. */
    if ((gone & l->durable) || l->evictable)
        shard_dirty(c->shard, r, shard_record_hash(c->shard, r));
    record_end(r, record_version(r));
    c->freed += (uint64_t)__builtin_popcountll(gone);
}

uint64_t sweep_run(struct warp_db *db, bool all)
{
    bool mortal = false;
    for (uint32_t i = 0; i < db->layout_count; i++)
        mortal = mortal || db->layouts[i]->ttl ||
                 db->layouts[i]->deadline != UINT32_MAX;
    uint64_t freed = 0;
    if (!mortal || !clock_deletes_allowed(db->clock))
        return 0;
    int64_t now = clock_now(db->clock);
    for (uint32_t i = 0; i < db->shard_count; i++) {
        struct shard *s = &db->shards[i];
        struct sweep_call call = {s, now, 0};
        uint32_t step = all ? 1 : SLICES;
        for (uint32_t at = all ? 0 : db->sweep_segment;; at += step) {
            os_lock(&s->lock);
            bool more = index_walk(&s->index, at, sweep_record, &call);
            os_unlock(&s->lock);
            if (!more)
                break;
        }
        freed += call.freed;
    }
    if (!all)
        db->sweep_segment = (db->sweep_segment + 1) % SLICES;
    if (all || db->sweep_segment == 0)
        atomic_store(&db->sweep_done_ms, now);
    atomic_fetch_add(&db->expired, freed);
    return freed;
}
