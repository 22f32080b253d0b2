/* apply.c: ops to rows; the only file that writes into a live record's row
 * (row.c fills new ones, checkpoint.c and the sweeper take values away). */
#include "apply.h"

#include "cold.h"
#include "error.h"
#include "evict.h"
#include "heat.h"
#include "loader.h"
#include "replace.h"
#include "secondary.h"
#include "unique.h"
#include "wire.h"

#include <stdlib.h>

void apply_dead_place(struct warp_db *db, const struct disk_place *place)
{
    if (place->segment == 0)
        return;
    os_lock(&db->dead_lock);
    if (db->dead_count == db->dead_room) {
        uint32_t room = db->dead_room ? db->dead_room * 2 : 256;
        void *grown = realloc(db->dead_places,
                              room * sizeof *db->dead_places);
        if (grown) {
            db->dead_places = grown;
            db->dead_room = room;
        }
    }
    /* Without memory the place is lost until the recount at the next open. */
    if (db->dead_count < db->dead_room)
        db->dead_places[db->dead_count++] = *place;
    os_unlock(&db->dead_lock);
}

void apply_drop_place(struct shard *s, struct record *r, uint32_t slot)
{
    static const uint8_t none[DISK_PLACE_BYTES];
    struct disk_place place;
    disk_place_decode(r->row + slot, &place);
    loader_count(s->db, r, place);
    apply_dead_place(s->db, &place);
    record_copy_in(r->row + slot, none, sizeof none);
}

/* ---- secondary indexes ---- */

/* The wire bytes of a field that is in memory now, of a type that is indexed or
 * added to. A value in a column may need the scratch. */
static bool value_in_row(const struct shard *s, const struct layout *l,
                         const struct record *r, uint32_t i,
                         struct op_value *v, uint8_t scratch[16])
{
    const struct field_layout *f = &l->fields[i];
    if (!(record_have(r) >> i & 1))
        return false;
    if (f->form == SLOT_COLUMN) {
        const struct column_set *set = s->columns[l->number];
        v->data = column_plain(set, r, i);
        v->bytes = f->bytes;
        if (v->data)
            return true;
        if (f->bytes > 16)
            return false;
        column_encode(set, r, i, scratch);
        v->data = scratch;
        return true;
    }
    if (f->form != SLOT_VAR) {
        v->data = r->row + f->slot;
        v->bytes = f->bytes;
        return true;
    }
    struct var *var = row_var(r, f->slot);
    uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
    v->data = (const uint8_t *)(uintptr_t)at;
    v->bytes = (uint32_t)atomic_load_explicit(&var->len_cap,
                                              memory_order_relaxed);
    return at > VAR_COLD;
}

/* Will the record hold what has this entry when the commit is through? Its
 * hint was made already (index_new_values), and must not be taken away. Other
 * bytes may have the same entry: 0 and -0. */
static bool comes_back(const struct layout *l, const struct record *r,
                       const struct op *op, const struct plan *plan,
                       uint32_t i, const uint8_t *entry, uint32_t count)
{
    uint8_t next[512];
    uint32_t next_count;
    struct op *writer = NULL;
    if (plan && plan->run) {
        struct past past;
        apply_past(l, plan->last_of(plan->run, r), r, i, &past);
        writer = past.writer;
    } else if (op && ((op->set | op->memory) >> i & 1)) {
        writer = (struct op *)(uintptr_t)op;
    }
    if (!writer)
        return false;
    const uint8_t *at = op_value_of(writer, i);
    uint32_t bytes = l->fields[i].form == SLOT_VAR ? wire_get32(at - 4)
                                                   : l->fields[i].bytes;
    return secondary_value(l, i, at, bytes, next, &next_count) == WARP_OK &&
           next_count == count && memcmp(next, entry, count) == 0;
}

/* op, plan: the commit that takes the value away; NULL: the sweeper does. */
static void index_forget(struct shard *s, const struct layout *l,
                         struct record *r, uint32_t i, const struct op *op,
                         const struct plan *plan)
{
    struct op_value v;
    uint8_t bytes[512], scratch[16];
    uint32_t count;
    if (value_in_row(s, l, r, i, &v, scratch) &&
        secondary_value(l, i, v.data, v.bytes, bytes, &count) == WARP_OK &&
        !comes_back(l, r, op, plan, i, bytes, count))
        (void)secondary_change(s->db->secondary, l, i, bytes, count,
                               record_key(l, r), record_key_bytes(l, r),
                               false);
}

/* Hints for the new values, made before the log has the change: a hint too
 * many is harmless, one too few would not be. */
static int index_new_values(struct shard *s, struct op *op)
{
    const struct layout *l = op->layout;
    uint8_t bytes[512];
    uint32_t count;
    FOR_BITS(i, (op->set | op->memory) & l->indexed)
    {
        struct op_value v;
        const uint8_t *at = op_value_of(op, (uint32_t)i);
        v.data = at;
        v.bytes = l->fields[i].form == SLOT_VAR ? wire_get32(at - 4)
                                                : l->fields[i].bytes;
        int rc = secondary_value(l, (uint32_t)i, v.data, v.bytes, bytes,
                                 &count);
        if (rc == WARP_OK)
            rc = secondary_change(s->db->secondary, l, (uint32_t)i, bytes,
                                  count, op->body + op->key_at, op->key_bytes,
                                  true);
        if (rc != WARP_OK) {
            db_wake_keeper(s->db); /* a checkpoint makes room */
            return rc;
        }
    }
    return WARP_OK;
}

void apply_forget(struct shard *s, const struct layout *l, struct record *r,
                  uint32_t field)
{
    if (l->indexed >> field & 1)
        index_forget(s, l, r, field, NULL, NULL);
}

/* ---- adds ---- */

void apply_past(const struct layout *l, const struct plan *plan,
                const struct record *record, uint32_t field, struct past *past)
{
    uint64_t bit = UINT64_C(1) << field;
    bool dated = false, sure = false;
    uint32_t slot = field == 56 ? l->deadline : l->fields[field].deadline;
    memset(past, 0, sizeof *past);
    for (const struct plan *p = plan; p; p = p->earlier) {
        struct op *op = p->op;
        if (!dated && (op->dead & bit)) {
            past->deadline = op_deadline_of(op, field);
            dated = true;
        }
        if (field < 56 && !sure && ((op->set | op->memory) & bit)) {
            past->have = sure = true;
            past->writer = op;
        }
        if (field == 56 && !sure) {
            past->have = op->kind != OP_DELETE;
            sure = true;
        }
        if (op->kind == OP_DELETE || (op->flags & OP_FLOOR) ||
            (sure && (dated || slot == UINT32_MAX)))
            return;
    }
    if (!record || (record_have(record) & R_DELETED))
        return;
    if (!sure)
        past->have = field == 56 || (record_have(record) & bit);
    if (!dated && slot != UINT32_MAX)
        past->deadline = (int64_t)row_load(record, slot);
}

/* The number that an add starts from: of an earlier op of the batch, of the
 * record, the default, or 0. */
static int add_base(struct shard *s, const struct op *op,
                    const struct plan *plan, uint8_t *value)
{
    const struct layout *l = op->layout;
    const struct field_layout *f = &l->fields[op->field];
    const void *preset = l->desc->fields[op->field].default_value;
    struct op_value v;
    uint8_t scratch[16];
    struct past past;
    apply_past(l, plan->earlier, plan->record, op->field, &past);
    memset(value, 0, f->bytes);
    if (!plan->exists || !past_alive(&past, op->now)) {
        if (preset)
            memcpy(value, preset, f->bytes);
    } else if (past.writer) {
        memcpy(value, op_value_of(past.writer, op->field), f->bytes);
    } else if (value_in_row(s, l, plan->record, op->field, &v, scratch)) {
        memcpy(value, v.data, f->bytes);
    } else {
        return cold_number(s, l, plan->record, op->field, value, f->bytes);
    }
    return WARP_OK;
}

static int resolve_add(struct shard *s, struct op *op,
                       const struct plan *plan)
{
    uint8_t *value = op_value_of(op, op->field);
    int rc = add_base(s, op, plan, value);
    return rc == WARP_OK ? op_add_to(op, value) : rc;
}

/* A touch does not bring back what has expired or was never there: such a
 * field keeps the deadline it has. */
static void keep_the_dead(struct op *op, const struct plan *plan)
{
    uint8_t *at = op->body + op->dead_at;
    FOR_BITS(i, op->dead)
    {
        struct past past;
        apply_past(op->layout, plan->earlier, plan->record, (uint32_t)i,
                   &past);
        if (!past_alive(&past, op->now))
            wire_put64(at, (uint64_t)past.deadline);
        at += 8;
    }
}

/* ---- memory ---- */

/* In-place is for values that no eviction may take and no op of the same batch
 * has planned for. */
static bool fits_in_place(const struct layout *l, const struct plan *plan,
                          uint32_t i, uint32_t bytes)
{
    if (plan->created || plan->fresh_blocks || !plan->exists ||
        (l->cold >> i & 1))
        return false;
    struct var *var = row_var(plan->record, l->fields[i].slot);
    return atomic_load_explicit(&var->at, memory_order_relaxed) > VAR_COLD &&
           bytes <= atomic_load_explicit(&var->len_cap,
                                         memory_order_relaxed) >> 32;
}

/* The room of a value's block: behind the key, or of the heap. */
static uint32_t block_bytes(const struct layout *l, const struct record *r,
                            const void *block, uint32_t bytes)
{
    return var_is_inline(l, r, (uint64_t)(uintptr_t)block)
               ? (bytes + 7) & ~7u
               : (uint32_t)heap_block_bytes(bytes);
}

static int take_blocks(struct shard *s, struct op *op, struct plan *plan,
                       uint64_t mask, uint32_t values_at, uint8_t **room)
{
    const struct layout *l = op->layout;
    const uint8_t *at = op->body + values_at;
    FOR_BITS(i, mask)
    {
        struct op_value v;
        at = op_next_value(l, (uint32_t)i, at, &v);
        if (!(l->var >> i & 1) ||
            fits_in_place(l, plan, (uint32_t)i, v.bytes))
            continue;
        uint32_t bytes = (v.bytes + 7) & ~7u;
        uint8_t *end = record_inline_end(l, plan->record);
        void *block;
        if (plan->created && !(l->cold >> i & 1) &&
            v.bytes <= SHARD_INLINE_VALUE_MAX && v.bytes > 0 &&
            (size_t)(end - *room) >= bytes) {
            block = *room;
            *room += bytes;
        } else {
            block = shard_alloc(s, l, v.bytes);
        }
        if (!block)
            return WARP_ELIMIT;
        plan->blocks[i] = block;
        plan->block_mask |= UINT64_C(1) << i;
    }
    return WARP_OK;
}

static uint32_t inline_bytes_of(const struct op *op, uint64_t mask,
                                uint32_t values_at, uint32_t sum)
{
    const uint8_t *at = op->body + values_at;
    FOR_BITS(i, mask)
    {
        struct op_value v;
        at = op_next_value(op->layout, (uint32_t)i, at, &v);
        if ((op->layout->var & ~op->layout->cold) >> i & 1)
            sum = shard_inline_add(sum, v.bytes);
    }
    return sum;
}

/* What a record takes in memory whatever leaves it: the row, the key, and
 * values whose home is memory, with the op's values for the old ones. */
static uint64_t instance_bytes(const struct op *op, const struct plan *plan)
{
    const struct layout *l = op->layout;
    const struct record *r = plan->record;
    uint64_t bytes = sizeof(struct record) + l->row_bytes + op->key_bytes;
    FOR_BITS(i, l->var & ~l->cold)
    {
        uint64_t bit = UINT64_C(1) << i;
        if ((op->set | op->memory) & bit)
            bytes += wire_get32(op_value_of((struct op *)(uintptr_t)op,
                                            (uint32_t)i) - 4);
        else if (plan->exists && r && (record_have(r) & bit))
            bytes += (uint32_t)atomic_load_explicit(
                &row_var(r, l->fields[i].slot)->len_cap,
                memory_order_relaxed);
    }
    return bytes;
}

static int check_instance(const struct op *op, const struct plan *plan)
{
    const struct layout *l = op->layout;
    if (l->instance_max == 0 || plan->replay || op->kind != OP_UPDATE)
        return WARP_OK;
    uint64_t bytes = instance_bytes(op, plan);
    if (bytes <= l->instance_max)
        return WARP_OK;
    return error_set(WARP_ELIMIT,
                     "%s: the record would take %llu bytes of memory, "
                     "max_memory_per_instance is %llu: shorten it, or give "
                     "large fields an ssd or disk tier",
                     l->desc->name, (unsigned long long)bytes,
                     (unsigned long long)l->instance_max);
}

int apply_prepare(struct shard *s, struct op *op, struct plan *plan)
{
    const struct layout *l = op->layout;
    struct key_ref key = op_key_ref(op);
    int rc;
    /* Whatever a replay finds under this key (a record that had expired, and
     * whose sweep the log does not know) is not part of the new record. */
    if (!plan->replay)
        op->flags = (uint8_t)((op->flags & ~OP_FLOOR) |
                              (plan->existed ? 0 : OP_FLOOR));
    if (op->kind == OP_DELETE)
        return plan->record ? WARP_OK : WARP_ENOTFOUND;
    rc = check_instance(op, plan);
    if (rc != WARP_OK)
        return rc;
    if (op->kind == OP_APPEND) {
        rc = series_reserve(s->db->series, op->key_bytes,
                            wire_get32(op->body + op->values_at + 8),
                            &plan->room);
        if (rc != WARP_OK) {
            db_wake_keeper(s->db);
            return rc;
        }
    }
    if (op->is_add && !plan->replay) {
        rc = resolve_add(s, op, plan);
        if (rc != WARP_OK)
            return rc;
    }
    if (op->must_exist && op->dead && !plan->replay)
        keep_the_dead(op, plan);
    uint64_t fields = op->set | op->memory;
    if ((fields & l->unique) && !plan->replay && !plan->run) {
        rc = unique_check(s->db, op, plan);
        if (rc != WARP_OK)
            return rc;
    }
    if (!plan->record) {
        uint32_t bytes = inline_bytes_of(op, op->set, op->values_at, 0);
        bytes = inline_bytes_of(op, op->memory, op->memory_at, bytes);
        plan->record = shard_create(s, l, &key, bytes, false);
        if (!plan->record)
            return WARP_ELIMIT;
        plan->created = true;
    }
    if (fields & l->var) {
        uint8_t *room = record_inline(l, plan->record);
        rc = take_blocks(s, op, plan, op->set, op->values_at, &room);
        if (rc == WARP_OK && op->memory)
            rc = take_blocks(s, op, plan, op->memory, op->memory_at, &room);
        if (rc != WARP_OK)
            return rc;
    }
    return fields & l->indexed ? index_new_values(s, op) : WARP_OK;
}

/* An eviction may run while a commit sets memory aside; it must not take the
 * record that the commit is about. */
static void set_busy(struct record *r, bool busy)
{
    uint64_t have = record_have(r);
    record_set_have(r, busy ? have | R_BUSY : have & ~R_BUSY);
}

void apply_hold(struct plan *plan)
{
    if (plan->record)
        set_busy(plan->record, true);
}

void apply_cancel(struct shard *s, struct op *op, struct plan *plan)
{
    const struct layout *l = op->layout;
    if (plan->record)
        set_busy(plan->record, false);
    series_unreserve(s->db->series, &plan->room);
    if (!plan->record)
        return;
    uint8_t *from = (uint8_t *)(uintptr_t)op->body;
    FOR_BITS(i, plan->block_mask)
    {
        struct op_value v = {NULL, 0};
        uint64_t bit = UINT64_C(1) << i;
        uint64_t mask = op->set & bit ? op->set : op->memory;
        const uint8_t *at =
            from + (op->set & bit ? op->values_at : op->memory_at);
        FOR_BITS(k, mask & ((bit << 1) - 1))
            at = op_next_value(l, (uint32_t)k, at, &v);
        if (!var_is_inline(l, plan->record,
                           (uint64_t)(uintptr_t)plan->blocks[i]))
            shard_give(s, l, plan->blocks[i], v.bytes);
    }
    plan->block_mask = 0;
    if (plan->created)
        shard_destroy(s, l, plan->record);
    plan->created = false;
    plan->record = NULL;
}

/* ---- the change ---- */

void apply_empty(struct shard *s, const struct layout *l, struct record *r)
{
    static const uint8_t none[DISK_PLACE_BYTES];
    FOR_BITS(i, l->var)
    {
        struct var *var = row_var(r, l->fields[i].slot);
        shard_free_value(s, l, r, var);
        atomic_store_explicit(&var->at, VAR_NONE, memory_order_relaxed);
        atomic_store_explicit(&var->len_cap, 0, memory_order_relaxed);
    }
    FOR_BITS(i, layout_placed(l))
        record_copy_in(r->row + l->fields[i].place, none, sizeof none);
    FOR_BITS(i, l->ttl)
        row_store(r, l->fields[i].deadline, 0);
    if (l->deadline != UINT32_MAX)
        row_store(r, l->deadline, 0);
    if (l->lost != UINT32_MAX)
        row_store(r, l->lost, 0);
    if (l->origin != UINT32_MAX)
        row_store(r, l->origin, 0);
    if (l->cold_dirty != UINT32_MAX)
        row_store(r, l->cold_dirty, l->cold);
    if (l->to_disk != UINT32_MAX) {
        row_store(r, l->to_disk, 0);
        row_store(r, l->unchanged, 0);
    }
}

static void clear(struct shard *s, const struct layout *l, struct record *r,
                  const struct op *op, const struct plan *plan)
{
    uint64_t have = record_have(r);
    FOR_BITS(i, have & l->indexed)
        index_forget(s, l, r, (uint32_t)i, op, plan);
    FOR_BITS(i, layout_placed(l))
        apply_drop_place(s, r, l->fields[i].place);
    apply_empty(s, l, r);
    record_set_have(r, have & ~R_FIELDS);
}

void apply_clear(struct shard *s, const struct layout *l, struct record *r)
{
    clear(s, l, r, NULL, NULL);
}

static void set_value(struct shard *s, const struct op *op,
                      struct plan *plan, uint32_t i,
                      const struct op_value *v)
{
    const struct layout *l = op->layout;
    struct record *r = plan->record;
    const struct field_layout *f = &l->fields[i];
    uint64_t bit = UINT64_C(1) << i;
    if (l->indexed & bit)
        index_forget(s, l, r, i, op, plan);
    if (f->form == SLOT_COLUMN) {
        /* op.c has checked the value. */
        (void)column_write(s->columns[l->number], r, i, v->data);
        return;
    }
    if (f->form != SLOT_VAR) {
        record_copy_in(r->row + f->slot, v->data, f->bytes);
        return;
    }
    struct var *var = row_var(r, f->slot);
    uint64_t cap = atomic_load_explicit(&var->len_cap, memory_order_relaxed) >>
                   32;
    uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
    if (plan->block_mask & bit) {
        shard_free_value(s, l, r, var);
        at = (uint64_t)(uintptr_t)plan->blocks[i];
        cap = block_bytes(l, r, plan->blocks[i], v->bytes);
        atomic_store_explicit(&var->at, at, memory_order_relaxed);
    }
    record_copy_in((void *)(uintptr_t)at, v->data, v->bytes);
    atomic_store_explicit(&var->len_cap, v->bytes | cap << 32,
                          memory_order_relaxed);
}

static void set_values(struct shard *s, struct op *op, struct plan *plan,
                       uint64_t mask, uint32_t values_at)
{
    const uint8_t *at = op->body + values_at;
    FOR_BITS(i, mask)
    {
        struct op_value v;
        at = op_next_value(op->layout, (uint32_t)i, at, &v);
        set_value(s, op, plan, (uint32_t)i, &v);
    }
}

static void set_deadlines(struct op *op, struct record *r)
{
    const struct layout *l = op->layout;
    const uint8_t *at = op->body + op->dead_at;
    FOR_BITS(i, op->dead)
    {
        row_store(r, i == 56 ? l->deadline : l->fields[i].deadline,
                  wire_get64(at));
        at += 8;
    }
}

static void change_update(struct shard *s, struct op *op, struct plan *plan,
                          struct record *r)
{
    const struct layout *l = op->layout;
    set_values(s, op, plan, op->set, op->values_at);
    if (op->memory)
        set_values(s, op, plan, op->memory, op->memory_at);
    if (op->dead)
        set_deadlines(op, r);
    if (op->mark)
        row_store(r, l->lost, row_load(r, l->lost) | op->mark);
    if (op->set & l->cold)
        row_store(r, l->cold_dirty,
                  row_load(r, l->cold_dirty) | (op->set & l->cold));
    /* What was written is in use: ssd is far enough. */
    if (op->set & l->tiered) {
        row_store(r, l->to_disk,
                  (row_load(r, l->to_disk) & ~op->set) |
                      (op->set & l->prefer_disk));
        row_store(r, l->unchanged, row_load(r, l->unchanged) & ~op->set);
    }
    record_set_have(r, record_have(r) | op->set | op->memory);
}

static void append_element(struct shard *s, struct op *op,
                           struct series_room *room, uint64_t order)
{
    struct key_ref key = op_key_ref(op);
    const uint8_t *at = op->body + op->values_at;
    series_append(s->db->series, op->layout, op->field, &key, room,
                  (int64_t)wire_get64(at), order, at + 12,
                  wire_get32(at + 8));
}

static void note(struct shard *s, const struct op *op, const struct record *r,
                 enum replace_kind kind)
{
    const struct layout *l = op->layout;
    if (!l->movable || !replace_is_on(s->db) ||
        (!l->leaves_whole && !(op->set & l->leaves) && op->kind != OP_DELETE))
        return;
    struct replace_use use = {.hash = op->hash, .kind = (uint8_t)kind};
    use.bytes = kind != REPLACE_GONE ? evict_bytes(l, r) : 0;
    replace_note(s->db, l, use);
}

void apply_change(struct shard *s, struct op *op, struct plan *plan,
                  uint64_t seq, uint32_t ordinal)
{
    const struct layout *l = op->layout;
    struct record *r = plan->record;
    struct key_ref key = op_key_ref(op);
    uint64_t order = seq << 16 | (ordinal & 0xffff);
    record_begin(r);
    uint64_t before = record_have(r);
    bool was = !(before & R_DELETED);
    bool floor = (op->flags & OP_FLOOR) && was;
    if (op->kind == OP_DELETE || floor) {
        clear(s, l, r, op, plan);
        if (l->series)
            series_drop(s->db->series, l, &key, order);
    }
    if (op->kind == OP_DELETE) {
        record_set_have(r, record_have(r) | R_DELETED);
        shard_counted(s, r, before);
        note(s, op, r, REPLACE_GONE);
        return;
    }
    record_set_have(r, record_have(r) & ~R_DELETED);
    if (l->heat)
        heat_touch(l->heat, op->hash);
    shard_counted(s, r, before);
    if (op->kind == OP_UPDATE) {
        change_update(s, op, plan, r);
        note(s, op, r, seq ? REPLACE_WRITES : REPLACE_TAKES);
        return;
    }
    if (op->dead)
        set_deadlines(op, r);
    append_element(s, op, &plan->room, order);
    record_set_have(r, record_have(r) | UINT64_C(1) << op->field);
    note(s, op, r, seq ? REPLACE_WRITES : REPLACE_TAKES);
}

int apply_beside(struct shard *s, struct op *op, uint64_t seq,
                 uint32_t ordinal)
{
    const struct layout *l = op->layout;
    struct key_ref key = op_key_ref(op);
    uint64_t order = seq << 16 | (ordinal & 0xffff);
    int rc = WARP_OK;
    if (l->series && (op->kind == OP_DELETE || (op->flags & OP_FLOOR)))
        rc = series_drop(s->db->series, l, &key, order);
    if (rc == WARP_OK && op->kind == OP_APPEND) {
        struct series_room room = {0};
        rc = series_reserve(s->db->series, op->key_bytes,
                            wire_get32(op->body + op->values_at + 8), &room);
        if (rc == WARP_OK)
            append_element(s, op, &room, order);
    }
    if (rc == WARP_OK && op->kind == OP_UPDATE && (op->set & l->indexed))
        rc = index_new_values(s, op);
    return rc;
}

void apply_finish(struct shard *s, const struct op *op, struct record *r,
                  uint64_t seq)
{
    set_busy(r, false);
    if (seq != 0)
        shard_dirty(s, r, op->hash);
    record_end(r, apply_new_version(op->layout, r, seq));
}
