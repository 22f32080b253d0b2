/* read_quick.h: the first try of a get, for what most gets are: a record in
 * memory, of which bytes are copied and nothing is missing.
 *
 * With all that may be, one thing after the other, a get takes some 700
 * instructions, and some 400 here. What this cannot answer at once (a value
 * that has expired, was never written or is on a tier, a change that comes
 * between) it leaves to read.c. */
#ifndef WARP_READ_QUICK_H
#define WARP_READ_QUICK_H

#include "arena.h"
#include "forward.h"
#include "heat.h"
#include "read.h"
#include "replace.h"

struct read_quick_look {
    const struct key_ref *key;
    uint64_t word; /* of the record that was found, before its key was read */
};

static inline bool read_quick_match(const void *record, const void *look)
{
    struct read_quick_look *l = (struct read_quick_look *)(uintptr_t)look;
    l->word = record_read_begin(record);
    return shard_matches(record, l->key);
}

/* A value outside the row; false: not now. */
static inline bool read_quick_var(const struct record *r, uint64_t word,
                                  const struct field_layout *f, uint8_t *to,
                                  struct warp_arena *arena)
{
    struct var *var = row_var(r, f->slot);
    uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
    uint32_t bytes = (uint32_t)atomic_load_explicit(&var->len_cap,
                                                    memory_order_relaxed);
    /* The address is followed only if it belongs to this version. */
    if (at <= VAR_COLD || !arena || !record_read_ok(r, word))
        return false;
    uint8_t *copy = arena_alloc(arena, bytes ? bytes : 1);
    if (!copy)
        return false;
    record_copy_out(copy, (const void *)(uintptr_t)at, bytes);
    struct warp_str s = {(const char *)copy, bytes};
    memcpy(to, &s, sizeof s);
    return true;
}

/* The record, or one of these fields, has a deadline that has passed. */
static inline bool read_quick_late(const struct warp_db *db,
                                   const struct layout *l,
                                   const struct record *r, uint64_t fields)
{
    if (l->deadline == UINT32_MAX && !(fields & l->ttl))
        return false;
    int64_t now = clock_now(db->clock);
    int64_t end = l->deadline == UINT32_MAX
                      ? 0
                      : (int64_t)row_load(r, l->deadline);
    return (end != 0 && now >= end) ||
           read_expired(l, r, fields, now) != 0;
}

/* True: as read_record ends with WARP_OK. False: nothing is said. */
static inline bool read_quick(struct warp_db *db, const struct layout *l,
                              const struct key_ref *key, uint64_t fields,
                              uint8_t *out, struct warp_arena *arena)
{
    if ((fields & R_FIELDS & ~l->quick) || (l->movable && replace_is_on(db)))
        return false;
    struct read_quick_look look = {key, 1};
    _Atomic uint64_t *slot;
    const struct record *r = index_look(&forward_home(db, key)->index,
                                        key->hash, read_quick_match, &look,
                                        &slot);
    /* Only what the index holds now has a word that can be trusted. */
    if (!r || (look.word & 1) || !index_slot_holds(slot, r))
        return false;
    uint64_t have = record_have(r);
    if ((have & R_DELETED) || (fields & l->presets & ~have))
        return false;
    have &= fields & l->stored;
    if (read_quick_late(db, l, r, have))
        return false;
    FOR_BITS(i, have)
    {
        const struct field_layout *f = &l->fields[i];
        if (f->form != SLOT_VAR)
            read_fixed(f, out + f->offset, r->row + f->slot);
        else if (!read_quick_var(r, look.word, f, out + f->offset, arena))
            return false;
    }
    if (!record_read_ok(r, look.word) || !index_slot_holds(slot, r))
        return false;
    memcpy(out + l->desc->have_offset, &have, sizeof have);
    db_count(&db_stripe(db)->gets);
    if (l->heat)
        heat_touch(l->heat, key->hash);
    return true;
}

#endif
