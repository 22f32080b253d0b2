/* relocate.c: see relocate.h. */
#include "relocate.h"

#include "apply.h"
#include "checkpoint.h"
#include "error.h"
#include "planted.h"
#include "relocate_carry.h"
#include "wire.h"

#include <stdlib.h>

struct move {
    struct warp_db *db;
    const struct layout *l;
    const struct key_ref *key;
    struct shard *home, *from, *to;
    struct record *r, *t; /* the record, and what it becomes */
    uint8_t *row;
    size_t row_bytes;
    struct op arrive, depart;
    struct carry carry;
    bool made; /* t */
};

/* Everything of it can be told by a row now. */
static bool is_settled(const struct layout *l, const struct record *r)
{
    if (record_have(r) & (R_FLUSHING | R_PAST | l->series))
        return false;
    if (l->to_disk != UINT32_MAX &&
        (row_load(r, l->to_disk) || row_load(r, l->unchanged)))
        return false;
    return l->cold_dirty == UINT32_MAX || row_load(r, l->cold_dirty) == 0;
}

/* ---- what the log gets ---- */

static int address(struct op *op, const struct layout *l,
                   const struct key_ref *key)
{
    int rc = op_room(op, OP_HEADER_BYTES + key->count);
    if (rc != WARP_OK)
        return rc;
    memset(op->body, 0, OP_HEADER_BYTES);
    op->body[0] = op->kind;
    wire_put16(op->body + 2, l->number);
    wire_put16(op->body + 4, (uint16_t)key->count);
    memcpy(op->body + OP_HEADER_BYTES, key->bytes, key->count);
    op->key_at = OP_HEADER_BYTES;
    op->key_bytes = (uint16_t)key->count;
    op->bytes = op->logged_bytes = OP_HEADER_BYTES + key->count;
    return WARP_OK;
}

static int make_ops(struct move *m)
{
    size_t room = row_bytes_max(m->l, m->r);
    m->row = malloc(room);
    if (!m->row)
        return error_set(WARP_ENOMEM, "out of memory for a record that moves");
    size_t bytes = m->row_bytes = row_encode(m->from, m->l, m->r, m->row);
    if (!PLANTED(new_version))
        row_set_origin(
            m->row, apply_version(m->from, m->l, m->r, m->key->hash) &
                       ~UINT64_C(0xff));
    if (m->from == m->home && bytes > RELOCATE_BYTES_MAX)
        return error_set(WARP_ELIMIT, "%s: a record of %zu bytes moves to no "
                                      "other shard",
                         m->l->desc->name, bytes);
    int rc = address(&m->depart, m->l, m->key);
    if (rc == WARP_OK)
        rc = address(&m->arrive, m->l, m->key);
    if (rc == WARP_OK)
        rc = op_arrive(&m->arrive, m->row, (uint32_t)bytes);
    return rc == WARP_OK ? carry_append(&m->carry, &m->arrive) : rc;
}

static int log_one(struct move *m, struct shard *s, uint64_t batch,
                   uint64_t *seq)
{
    const struct op *op = s == m->from ? &m->depart : &m->arrive;
    uint64_t position;
    uint32_t parts = 2;
    if (PLANTED(half_move))
        batch = parts = 0;
    return log_append(m->db->log, s->number, batch, parts, op->body,
                      op->logged_bytes, m->to == m->home, seq, &position);
}

/* ---- the change ---- */

/* Under both locks: values in memory alone are in no row. */
static int copy_memory(struct move *m)
{
    const struct layout *l = m->l;
    if (l->lost != UINT32_MAX)
        row_store(m->t, l->lost, row_load(m->r, l->lost));
    FOR_BITS(i, record_have(m->r) & l->mortal_mem)
    {
        const struct field_layout *f = &l->fields[i];
        if (f->form == SLOT_COLUMN) {
            const struct column_set *from = m->from->columns[l->number];
            const uint8_t *at = column_plain(from, m->r, (uint32_t)i);
            uint8_t value[256];
            if (!at && f->bytes > sizeof value)
                return error_set(WARP_ELIMIT,
                                 "%s.%s: a value of %u bytes moves to no other "
                                 "shard",
                                 l->desc->name, l->desc->fields[i].name,
                                 f->bytes);
            if (!at)
                column_encode(from, m->r, (uint32_t)i, value);
            (void)column_write(m->to->columns[l->number], m->t, (uint32_t)i,
                               at ? at : value);
        } else if (f->form != SLOT_VAR) {
            record_copy_in(m->t->row + f->slot, m->r->row + f->slot, f->bytes);
        } else {
            struct var *from = row_var(m->r, f->slot);
            struct var *to = row_var(m->t, f->slot);
            uint32_t bytes = (uint32_t)atomic_load_explicit(
                &from->len_cap, memory_order_relaxed);
            void *block = shard_alloc(m->to, l, bytes);
            if (!block)
                return WARP_ELIMIT;
            record_copy_in(block,
                           (const void *)(uintptr_t)atomic_load_explicit(
                               &from->at, memory_order_relaxed),
                           bytes);
            atomic_store_explicit(&to->at, (uint64_t)(uintptr_t)block,
                                  memory_order_relaxed);
            atomic_store_explicit(&to->len_cap,
                                  bytes |
                                      (uint64_t)heap_block_bytes(bytes) << 32,
                                  memory_order_relaxed);
        }
    }
    return WARP_OK;
}

static int fill(struct shard *s, const struct layout *l, struct record *t,
                const uint8_t *row, size_t bytes, struct row_view *view)
{
    struct ssd_slice value = {row, bytes};
    int rc = row_parse(l, value, view);
    if (rc != WARP_OK)
        return rc;
    apply_empty(s, l, t);
    if (l->cold_dirty != UINT32_MAX)
        row_store(t, l->cold_dirty, 0);
    return row_fill(s, l, t, view);
}

/* The record leaves: nothing is freed that lies on a tier. */
static void depart(struct shard *s, const struct layout *l, struct record *r,
                   uint32_t to, uint64_t seq)
{
    uint64_t before = record_have(r);
    atomic_store(&s->db->roamed, true);
    record_begin(r);
    apply_empty(s, l, r);
    record_set_have(r, (before & (R_DIRTY | R_FLUSHING)) | R_DELETED | R_AWAY |
                           to);
    shard_counted(s, r, before);
    record_end(r, seq);
}

static void arrive(struct shard *s, struct record *t, uint64_t flags,
                   uint64_t hash, uint64_t seq)
{
    uint64_t before = record_have(t);
    record_set_have(t, (before & (R_DIRTY | R_FLUSHING | R_IN_DIR)) | flags);
    shard_counted(s, t, before);
    shard_dirty(s, t, hash);
    record_end(t, seq);
}

/* A place for the record in its new shard: what it left there, or a new one. */
static int make_place(struct move *m)
{
    _Atomic uint64_t *slot;
    m->t = shard_peek(m->to, m->key, &slot);
    if (m->t && (!(record_have(m->t) & R_AWAY) ||
                 (record_have(m->t) & R_FLUSHING)))
        return WARP_EBUSY;
    if (!m->t) {
        m->t = shard_create(m->to, m->l, m->key, 0, false);
        m->made = true;
    }
    return m->t ? WARP_OK : WARP_ELIMIT;
}

/* Under both locks. */
static int move_locked(struct move *m)
{
    const struct layout *l = m->l;
    uint64_t seq_from = 0, seq_to = 0, have = record_have(m->r);
    struct row_view view;
    int rc = make_ops(m);
    if (rc == WARP_OK)
        rc = make_place(m);
    if (rc != WARP_OK)
        return rc;
    record_begin(m->t);
    rc = fill(m->to, l, m->t, m->row, m->row_bytes, &view);
    if (rc == WARP_OK)
        rc = copy_memory(m);
    bool ascends = m->from->number < m->to->number;
    uint64_t batch = log_batch_id(m->db->log);
    if (rc == WARP_OK)
        rc = log_one(m, ascends ? m->from : m->to, batch,
                     ascends ? &seq_from : &seq_to);
    if (rc == WARP_OK)
        rc = log_one(m, ascends ? m->to : m->from, batch,
                     ascends ? &seq_to : &seq_from);
    if (rc != WARP_OK) {
        apply_empty(m->to, l, m->t);
        record_end(m->t, record_version(m->t));
        if (m->made)
            shard_destroy(m->to, l, m->t);
        return rc;
    }
    record_begin(m->r);
    arrive(m->to, m->t, have & (R_FIELDS | R_IN_DIR), m->key->hash, seq_to);
    depart(m->from, l, m->r, m->to->number, seq_from);
    if (m->from != m->home) /* a checkpoint frees it */
        shard_dirty(m->from, m->r, m->key->hash);
    atomic_fetch_add(&m->db->records_away,
                     m->from == m->home ? UINT64_C(1) : UINT64_MAX);
    return WARP_OK;
}

static void lock_both(const struct move *m)
{
    bool ascends = m->from->number < m->to->number;
    os_lock(&(ascends ? m->from : m->to)->lock);
    os_lock(&(ascends ? m->to : m->from)->lock);
}

static int move(struct move *m, bool *fetch)
{
    if (!is_settled(m->l, m->r)) {
        /* One of an earlier form would wait for its turn. */
        if (!(record_have(m->r) & R_FLUSHING)) {
            record_begin(m->r);
            shard_dirty(m->from, m->r, m->key->hash);
            record_end(m->r, record_version(m->r));
        }
        return error_set(WARP_EBUSY, "%s: a checkpoint must come first",
                         m->l->desc->name);
    }
    *fetch = !carry_is_current(&m->carry, m->l, m->r);
    if (*fetch)
        return WARP_OK;
    op_init(&m->arrive, m->l, OP_ARRIVE, NULL, 0);
    op_init(&m->depart, m->l, OP_DEPART, NULL, 0);
    int rc = move_locked(m);
    op_fini(&m->arrive);
    op_fini(&m->depart);
    free(m->row);
    m->row = NULL;
    return rc;
}

/* ---- products of which records were moved ---- */

static const struct ssd_slice moved_key = {"moved", 5};

static int read_moved(void *arg, struct ssd_slice value)
{
    struct warp_db *db = arg;
    const uint8_t *ids = value.data;
    for (size_t at = 0; at + 2 <= value.bytes; at += 2) {
        struct layout *l = db_layout_of_id(db, wire_get16(ids + at));
        if (l)
            layout_moved(l);
    }
    return WARP_OK;
}

int relocate_open(struct warp_db *db)
{
    int rc = ssd_get(db->ssd, SSD_META, moved_key, read_moved, db);
    return rc == WARP_ENOTFOUND ? WARP_OK : rc;
}

/* Before the first one: whatever a later schema says of the product, its
 * records are looked for where they are. */
static int tell_moved(struct warp_db *db, const struct layout *l)
{
    struct ssd_txn *txn = NULL;
    if (l->moved)
        return WARP_OK;
    os_lock(&db->checkpoint_lock);
    uint8_t *ids = malloc(2 * (size_t)db->layout_count);
    int rc = ids ? ssd_begin(db->ssd, &txn)
                 : error_set(WARP_ENOMEM, "out of memory for a move");
    if (rc == WARP_OK) {
        uint8_t *at = ids;
        for (uint32_t i = 0; i < db->layout_count; i++)
            if (db->layouts[i]->moved || db->layouts[i] == l)
                at = wire_put16(at, db->layouts[i]->id);
        struct ssd_slice value = {ids, (size_t)(at - ids)};
        rc = ssd_put(txn, SSD_META, moved_key, value);
        if (rc == WARP_OK)
            rc = ssd_commit(&txn);
        else
            ssd_abort(&txn);
    }
    /* Not before: others move no record until the directory knows. */
    if (rc == WARP_OK)
        db->layouts[l->number]->moved = true;
    os_unlock(&db->checkpoint_lock);
    free(ids);
    return rc;
}

/* Under relocate_lock, for a scan that takes the keys of one shard after the
 * other must see the record. *fetch: not yet, the log needs values of it. */
static int move_one(struct move *m, bool *fetch)
{
    int rc = WARP_OK;
    *fetch = false;
    for (bool again = true; again && !*fetch;) {
        m->from = forward_look(m->db, m->key).shard;
        if (m->from == m->to)
            return WARP_OK;
        if (m->from != m->home && m->to != m->home)
            return error_set(WARP_EBUSY, "%s: a record moves by its home",
                             m->l->desc->name);
        lock_both(m);
        rc = shard_find(m->from, m->l, m->key, &m->r);
        again = rc == WARP_OK && m->r && (record_have(m->r) & R_AWAY);
        if (rc == WARP_OK && !again)
            rc = !m->r || (record_have(m->r) & R_DELETED) ? WARP_ENOTFOUND
                                                          : move(m, fetch);
        os_unlock(&m->from->lock);
        os_unlock(&m->to->lock);
    }
    return rc;
}

int relocate(struct warp_db *db, const struct layout *l,
             const struct key_ref *key, uint32_t to)
{
    enum { FETCHES = 4 };
    int rc = tell_moved(db, l);
    bool fetch = true;
    if (rc != WARP_OK)
        return rc;
    struct move m = {.db = db, .l = l, .key = key};
    carry_init(&m.carry, l);
    m.home = forward_home(db, key);
    m.to = &db->shards[to];
    for (int i = 0; rc == WARP_OK && fetch && i <= FETCHES; i++) {
        os_lock(&db->relocate_lock);
        rc = move_one(&m, &fetch);
        os_unlock(&db->relocate_lock);
        if (fetch)
            rc = i < FETCHES ? carry_fetch(db, l, key, &m.carry)
                             : error_set(WARP_EBUSY, "%s: it is written to",
                                         l->desc->name);
    }
    carry_fini(&m.carry);
    if (rc == WARP_OK && m.from != m.to)
        atomic_fetch_add(&db->relocated, 1);
    return rc;
}

/* ---- addresses ---- */

/* No record is left of the key, but its shard is not its home. */
static int forget_place(struct warp_db *db, const struct layout *l,
                        const struct key_ref *key)
{
    struct move m = {.db = db, .l = l, .key = key};
    _Atomic uint64_t *slot;
    uint64_t seq, position;
    m.home = m.to = forward_home(db, key);
    os_lock(&db->relocate_lock);
    m.from = forward_look(db, key).shard;
    int rc = WARP_OK;
    if (m.from != m.to) {
        lock_both(&m);
        m.t = shard_peek(m.to, key, &slot);
        op_init(&m.depart, l, OP_DEPART, NULL, 0);
        rc = shard_peek(m.from, key, &slot) ? WARP_EBUSY
                                            : address(&m.depart, l, key);
        if (rc == WARP_OK)
            rc = log_append(db->log, m.from->number, 0, 0, m.depart.body,
                            m.depart.logged_bytes, true, &seq, &position);
        if (rc == WARP_OK && m.t) {
            forward_clear(m.to, m.t);
            atomic_fetch_sub(&db->records_away, 1);
            shard_dirty(m.to, m.t, key->hash);
        }
        op_fini(&m.depart);
        os_unlock(&m.from->lock);
        os_unlock(&m.to->lock);
    }
    os_unlock(&db->relocate_lock);
    return rc;
}

static int bring_home(struct warp_db *db, const struct layout *l,
                      const struct key_ref *key)
{
    enum { TRIES = 8 };
    int rc = WARP_EBUSY;
    for (int tries = 0; rc == WARP_EBUSY && tries < TRIES; tries++) {
        /* A checkpoint gives the tiers what they lack, and takes away what is
         * left of a record that expired. */
        if (tries > 0 && (rc = checkpoint_run(db)) != WARP_OK)
            return rc;
        rc = relocate(db, l, key, forward_home(db, key)->number);
        if (rc == WARP_ENOTFOUND)
            rc = forget_place(db, l, key);
    }
    return rc;
}

int relocate_resolve(struct warp_db *db, struct op **ops, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct key_ref key = op_key_ref(ops[i]);
        if (!ops[i]->homing)
            continue;
        ops[i]->homing = false;
        int rc = bring_home(db, ops[i]->layout, &key);
        if (rc != WARP_OK)
            return rc;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct key_ref key = op_key_ref(ops[i]);
        if (ops[i]->layout->roams)
            ops[i]->shard = forward_look(db, &key).shard->number;
    }
    return WARP_OK;
}

/* ---- replay ---- */

/* A record with values on a tier moves when the directory has it. If that has
 * none now, the record expired, and a checkpoint took it and its values out. */
static int is_gone_since(struct shard *s, const struct op *op, bool *gone)
{
    const struct layout *l = op->layout;
    struct key_ref key = op_key_ref(op);
    struct ssd_slice value = {op->body + op->values_at,
                              op->bytes - op->values_at};
    struct row_view view;
    uint32_t at;
    int rc = l->cold ? row_parse(l, value, &view) : WARP_OK;
    *gone = false;
    if (!l->cold || rc != WARP_OK || !(view.have & l->cold))
        return rc;
    rc = forward_in_directory(s->db, l, &key, &at);
    *gone = rc == WARP_ENOTFOUND;
    return *gone ? WARP_OK : rc;
}

static int replay_arrive(struct shard *s, struct op *op, struct record *t,
                         uint64_t seq)
{
    const struct layout *l = op->layout;
    struct key_ref key = op_key_ref(op);
    struct row_view view;
    if (!t)
        t = shard_create(s, l, &key, 0, false);
    if (!t)
        return WARP_ELIMIT;
    uint64_t before = record_have(t);
    record_begin(t);
    if (before & R_AWAY)
        record_set_have(t, before & ~(R_AWAY | R_FIELDS));
    int rc = fill(s, l, t, op->body + op->values_at,
                  op->bytes - op->values_at, &view);
    if (rc != WARP_OK) {
        apply_empty(s, l, t);
        record_set_have(t, R_DELETED | (record_have(t) & R_DIRTY));
        record_end(t, record_version(t));
        return rc;
    }
    arrive(s, t, view.have, op->hash, seq);
    return relocate_replayed(s, op, t);
}

int relocate_replay(struct shard *s, struct op *op, uint64_t seq)
{
    const struct layout *l = op->layout;
    struct key_ref key = op_key_ref(op);
    struct record *r;
    if (!l->roams)
        return error_set(WARP_ECORRUPT,
                         "log record: a record of %s moves, which none does",
                         l->desc->name);
    int rc = shard_find(s, l, &key, &r);
    bool live = rc == WARP_OK && r && !(record_have(r) & R_DELETED);
    if (rc != WARP_OK || (live && record_version(r) >= seq))
        return rc;
    bool gone = false;
    if (op->kind == OP_ARRIVE && !live && !(op->flags & OP_CARRIED))
        rc = is_gone_since(s, op, &gone);
    if (rc != WARP_OK)
        return rc;
    if (gone && r && (record_have(r) & R_AWAY))
        forward_clear(s, r);
    if (op->kind == OP_ARRIVE)
        return gone ? WARP_OK : replay_arrive(s, op, r, seq);
    if (live) {
        depart(s, l, r, s->number, seq);
        shard_dirty(s, r, op->hash);
    }
    return WARP_OK;
}

int relocate_replay_here(struct shard *s, const struct op *op,
                         struct record *r)
{
    struct key_ref key = op_key_ref(op);
    uint64_t have = r ? record_have(r) : 0;
    if (op->flags & OP_FLOOR) {
        if (have & R_AWAY)
            forward_clear(s, r);
        return WARP_OK;
    }
    if (have & R_AWAY)
        return FORWARD_ELSEWHERE;
    uint32_t at = s->number;
    if (!r && s != forward_home(s->db, &key)) {
        int rc = forward_in_directory(s->db, op->layout, &key, &at);
        if (rc != WARP_OK && rc != WARP_ENOTFOUND)
            return rc;
        at = rc == WARP_OK ? at : s->number;
    }
    return at == s->number ? WARP_OK : FORWARD_ELSEWHERE;
}

int relocate_replayed(struct shard *s, const struct op *op, struct record *r)
{
    struct key_ref key = op_key_ref(op);
    uint64_t before = record_have(r);
    uint32_t at;
    if ((before & (R_DELETED | R_IN_DIR)) || !atomic_load(&s->db->loading))
        return WARP_OK;
    int rc = forward_in_directory(s->db, op->layout, &key, &at);
    if (rc != WARP_OK)
        return rc == WARP_ENOTFOUND ? WARP_OK : rc;
    record_begin(r);
    record_set_have(r, before | R_IN_DIR);
    shard_counted(s, r, before);
    record_end(r, record_version(r));
    return WARP_OK;
}
