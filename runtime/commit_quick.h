/* commit_quick.h: the first try of a put, a set or an add, for what most of
 * them are: a record in memory, of which bytes are written over, or a new one
 * of values that lie behind its key.
 *
 * With all that may be, one thing after the other (commit.c, apply.c), a put of
 * 100 bytes takes some 1,700 instructions, and some 1,300 here. The order is
 * theirs. What this cannot do at once (a record that may be on a tier, a value
 * that needs more room, an index, a deadline) it leaves to them. */
#ifndef WARP_COMMIT_QUICK_H
#define WARP_COMMIT_QUICK_H

#include "apply.h"
#include "heat.h"
#include "replace.h"

/* What is written has its place in the record. */
static inline bool commit_quick_fits(const struct op *op,
                                     const struct record *r)
{
    const struct layout *l = op->layout;
    if (!(op->set & l->var))
        return true;
    const uint8_t *at = op->body + op->values_at;
    FOR_BITS(i, op->set)
    {
        struct op_value v;
        at = op_next_value(l, (uint32_t)i, at, &v);
        if (!(l->var >> i & 1))
            continue;
        const struct var *var = row_var(r, l->fields[i].slot);
        if (atomic_load_explicit(&var->at, memory_order_relaxed) <= VAR_COLD ||
            v.bytes > atomic_load_explicit(&var->len_cap,
                                           memory_order_relaxed) >> 32)
            return false;
    }
    return true;
}

static inline void commit_quick_write(const struct op *op, struct record *r)
{
    const struct layout *l = op->layout;
    const uint8_t *at = op->body + op->values_at;
    FOR_BITS(i, op->set)
    {
        struct op_value v;
        at = op_next_value(l, (uint32_t)i, at, &v);
        if (!(l->var >> i & 1)) {
            record_copy_in(r->row + l->fields[i].slot, v.data, v.bytes);
            continue;
        }
        struct var *var = row_var(r, l->fields[i].slot);
        uint64_t to = atomic_load_explicit(&var->at, memory_order_relaxed);
        uint64_t room = atomic_load_explicit(&var->len_cap,
                                             memory_order_relaxed) >> 32;
        record_copy_in((void *)(uintptr_t)to, v.data, v.bytes);
        atomic_store_explicit(&var->len_cap, v.bytes | room << 32,
                              memory_order_relaxed);
    }
}

/* The sum takes the place of the number that the op adds. */
static inline int commit_quick_add(struct op *op, const struct record *r)
{
    const struct field_layout *f = &op->layout->fields[op->field];
    uint8_t *value = op_value_of(op, op->field);
    memcpy(value, r->row + f->slot, f->bytes);
    return op_add_to(op, value);
}

/* Is it such a change? */
static inline bool commit_quick_may(const struct warp_db *db,
                                    const struct op *op, bool power)
{
    const struct layout *l = op->layout;
    return op->kind == OP_UPDATE && op->set && !(op->set & ~l->rewrites) &&
           !op->dead && !op->memory && !power &&
           !(l->movable && replace_is_on(db));
}

/* Under the shard's lock, which has the record; the index has just found it.
 * False: nothing was done. */
static inline bool commit_quick(struct shard *s, struct op *op,
                                struct record *r, int *rc)
{
    uint64_t seq, position;
    if ((record_have(r) & R_DELETED) || !commit_quick_fits(op, r) ||
        (op->is_add && !(record_have(r) & op->set)))
        return false;
    if (op->is_add && (*rc = commit_quick_add(op, r)) != WARP_OK)
        return true;
    op->body[1] = op->flags = (uint8_t)(op->flags & ~OP_FLOOR);
    *rc = log_append(s->db->log, s->number, 0, 0, op->body, op->logged_bytes,
                     false, &seq, &position);
    if (*rc != WARP_OK)
        return true;
    record_begin(r);
    if (op->layout->heat)
        heat_touch(op->layout->heat, op->hash);
    commit_quick_write(op, r);
    record_set_have(r, record_have(r) | op->set);
    shard_dirty(s, r, op->hash);
    record_end(r, apply_new_version(op->layout, r, seq));
    return true;
}

/* ---- a new record ---- */

/* All values lie behind its key; *room: there. */
static inline bool commit_quick_room(const struct op *op, uint32_t *room)
{
    const uint8_t *at = op->body + op->values_at;
    uint64_t mask = op->set & op->layout->var ? op->set : 0;
    FOR_BITS(i, mask)
    {
        struct op_value v;
        at = op_next_value(op->layout, (uint32_t)i, at, &v);
        if (!(op->layout->var >> i & 1))
            continue;
        uint32_t sum = shard_inline_add(*room, v.bytes);
        if (sum == *room)
            return false;
        *room = sum;
    }
    return true;
}

/* The values get their places, empty. */
static inline void commit_quick_place(const struct op *op, struct record *r)
{
    const struct layout *l = op->layout;
    const uint8_t *at = op->body + op->values_at;
    uint64_t mask = op->set & l->var ? op->set : 0;
    uint8_t *room = record_inline(l, r);
    FOR_BITS(i, mask)
    {
        struct op_value v;
        at = op_next_value(l, (uint32_t)i, at, &v);
        if (!(l->var >> i & 1))
            continue;
        struct var *var = row_var(r, l->fields[i].slot);
        uint64_t bytes = (v.bytes + 7) & ~7u;
        atomic_store_explicit(&var->at, (uint64_t)(uintptr_t)room,
                              memory_order_relaxed);
        atomic_store_explicit(&var->len_cap, bytes << 32,
                              memory_order_relaxed);
        room += bytes;
    }
}

/* Under the lock of its shard, which does not have it. False: nothing was
 * done. */
static inline bool commit_quick_new(struct shard *s, struct op *op,
                                    const struct key_ref *key, int *rc)
{
    const struct layout *l = op->layout;
    uint32_t room = 0;
    uint64_t seq, position;
    if (l->columns || l->series || l->roams || db_may_be_cold(s->db, l) ||
        op->is_add || !commit_quick_room(op, &room))
        return false;
    struct record *r = shard_create(s, l, key, room, false);
    if (!r)
        return false;
    op->body[1] = op->flags = (uint8_t)(op->flags | OP_FLOOR);
    *rc = log_append(s->db->log, s->number, 0, 0, op->body, op->logged_bytes,
                     false, &seq, &position);
    if (*rc != WARP_OK) {
        shard_destroy(s, l, r);
        return true;
    }
    record_begin(r);
    record_set_have(r, op->set);
    shard_counted(s, r, R_DELETED);
    if (l->heat)
        heat_touch(l->heat, op->hash);
    commit_quick_place(op, r);
    commit_quick_write(op, r);
    shard_dirty(s, r, op->hash);
    record_end(r, apply_new_version(l, r, seq));
    return true;
}

#endif
