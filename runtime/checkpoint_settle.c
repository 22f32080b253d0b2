/* checkpoint_settle.c: the records of a step, when the directory has them, or
 * did not get them. */
#include "checkpoint_step.h"

#include "apply.h"
#include "evict.h"
#include "far.h"
#include "hash.h"
#include "loader.h"

/* Under the lock: the record's places are the new ones now. */
static void settle_places(struct step *st, struct copied *e, uint32_t end)
{
    struct record *r = e->record;
    for (uint32_t n = e->first_place; n < end; n++) {
        struct new_place *p = &st->places[n];
        uint8_t *slot = r->row + e->layout->fields[p->field].place;
        uint8_t bytes[DISK_PLACE_BYTES];
        struct disk_place now;
        disk_place_decode(slot, &now);
        if (p->old.segment != 0 && disk_place_same(&now, &p->old)) {
            loader_count(st->db, r, p->old);
            far_free(st->db->disk, st->db->archive, p->old);
        }
        disk_place_encode(&p->now, bytes);
        record_copy_in(slot, bytes, sizeof bytes);
        if (e->layout->to_disk != UINT32_MAX &&
            record_version(r) == e->version) {
            uint64_t bit = UINT64_C(1) << p->field;
            row_store(r, e->layout->to_disk,
                      row_load(r, e->layout->to_disk) & ~bit);
            row_store(r, e->layout->unchanged,
                      row_load(r, e->layout->unchanged) & ~bit);
        }
    }
}

/* Under the lock: the tiers have these fields as they are, unless a write or
 * the sweeper was here since. A write makes the record dirty as a whole, so its
 * marks may stay. */
static void settle_marks(struct copied *e)
{
    struct record *r = e->record;
    uint64_t swept = e->written & ~record_have(r);
    if (record_version(r) == e->version)
        row_store(r, e->layout->cold_dirty,
                  row_load(r, e->layout->cold_dirty) & ~(e->told & ~swept));
}

/* With the cold values that are in memory. */
static bool over_instance_max(const struct layout *l, const struct record *r)
{
    uint64_t bytes = record_alloc_bytes(l, r);
    if (l->instance_max == 0)
        return false;
    FOR_BITS(i, l->var & record_have(r))
    {
        struct var *var = row_var(r, l->fields[i].slot);
        uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
        if (at > VAR_COLD && !var_is_inline(l, r, at))
            bytes += atomic_load_explicit(&var->len_cap,
                                          memory_order_relaxed) >>
                     32;
    }
    return bytes > l->instance_max;
}

static void settle_value(struct shard *s, const struct layout *l,
                         struct record *r, uint32_t field)
{
    struct var *var = row_var(r, l->fields[field].slot);
    uint64_t len = atomic_load_explicit(&var->len_cap, memory_order_relaxed) &
                   UINT32_MAX;
    shard_free_value(s, l, r, var);
    atomic_store_explicit(&var->at, VAR_COLD, memory_order_relaxed);
    atomic_store_explicit(&var->len_cap, len, memory_order_relaxed);
}

/* Under the lock: values that must not stay in memory leave it; of a record
 * that is too large others, too, the lowest priority first. */
static void settle_values(struct shard *s, struct copied *e)
{
    const struct layout *l = e->layout;
    struct record *r = e->record;
    uint64_t clean = e->written & record_have(r) &
                     ~row_load(r, l->cold_dirty);
    uint64_t must = clean & (l->disk_only | e->archived);
    FOR_BITS(i, must)
        settle_value(s, l, r, (uint32_t)i);
    for (uint8_t p = 0; l->instance_max && p <= WARP_PRIORITY_CRITICAL; p++)
        FOR_BITS(i, clean & ~must)
            if (l->desc->fields[i].priority == p && over_instance_max(l, r))
                settle_value(s, l, r, (uint32_t)i);
}

static bool is_home(const struct shard *s, const struct record *r)
{
    return hash_shard(shard_record_hash(s, r), s->db->shard_count) ==
           s->number;
}

/* Under the lock. */
static void settle_record(struct step *st, struct copied *e)
{
    struct record *r = e->record;
    const struct copied *next = e + 1;
    uint32_t end = next < st->copied + st->copied_count ? next->first_place
                                                        : st->place_count;
    if (e->fresh)
        e->shard->fresh--; /* the directory has it now */
    /* The directory has the key: a scan looks there, and not at what may leave
     * memory from here on. */
    e->shard->flushing[e->at] = NULL;
    if (e->settled)
        return;
    record_begin(r);
    if (!e->gone)
        settle_places(st, e, end);
    if (!e->gone && e->layout->cold) {
        settle_marks(e);
        settle_values(e->shard, e);
    }
    uint64_t before = record_have(r);
    uint64_t have =
        before &
        ~(R_FLUSHING | R_PAST | (e->gone && !e->away ? R_IN_DIR : 0));
    record_set_have(r, have);
    shard_counted(e->shard, r, before);
    record_end(r, record_version(r));
    /* A tombstone that nobody wrote to since has done its work. */
    bool forwards = (have & R_AWAY) && is_home(e->shard, r);
    if (e->gone && (have & R_DELETED) && !(have & R_DIRTY) && !forwards) {
        FOR_BITS(f, layout_placed(e->layout))
            apply_drop_place(e->shard, r, e->layout->fields[f].place);
        shard_destroy(e->shard, e->layout, r);
    } else if (!e->gone) {
        evict_settled(e->shard, r);
    }
}

void step_settle(struct step *st)
{
    enum { LOCK_RECORDS = 8 }; /* under one hold, as they were copied */
    uint32_t count = st->copied_count;
    for (uint32_t i = 0; i < count;) {
        struct shard *s = st->copied[i].shard;
        os_lock(&s->lock);
        for (uint32_t n = 0; n < LOCK_RECORDS && i < count &&
                             st->copied[i].shard == s;
             n++, i++) {
            if (i + LOCK_RECORDS < count &&
                !st->copied[i + LOCK_RECORDS].settled)
                __builtin_prefetch(st->copied[i + LOCK_RECORDS].record, 1);
            settle_record(st, &st->copied[i]);
        }
        os_unlock(&s->lock);
    }
}

/* The directory did not get the record. */
static void unflush(struct copied *e)
{
    struct record *r = e->record;
    uint64_t before = record_have(r);
    uint64_t have = before & ~R_FLUSHING;
    if (e->fresh) {
        have &= ~R_IN_DIR;
        /* Deleted meanwhile: it was counted as fresh, and as gone. */
        if (before & R_DELETED) {
            e->shard->fresh--;
            e->shard->gone--;
        }
    }
    record_set_have(r, have);
}

void step_put_back(struct step *st)
{
    for (uint32_t i = 0; i < st->copied_count; i++) {
        struct copied *e = &st->copied[i];
        os_lock(&e->shard->lock);
        record_begin(e->record);
        unflush(e);
        shard_dirty(e->shard, e->record,
                    shard_record_hash(e->shard, e->record));
        record_end(e->record, record_version(e->record));
        os_unlock(&e->shard->lock);
    }
}
