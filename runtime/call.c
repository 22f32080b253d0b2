/* call.c: the calls of generated code for single records and their twins in a
 * batch: checks of arguments, then commit.c, read.c. Scans and series calls are
 * in iter.c. */
#include "batch.h"
#include "clock.h"
#include "coaccess.h"
#include "codec.h"
#include "commit.h"
#include "error.h"
#include "forward.h"
#include "gravity.h"
#include "prefetch.h"
#include "read.h"
#include "wire.h"

enum { STACK_BODY = 1024 };

/* What is on the way of every call is small and meant to be part of it. */
#define HOT static inline __attribute__((always_inline))

static int unknown_product(const struct warp_product *desc)
    __attribute__((cold));
static int unknown_product(const struct warp_product *desc)
{
    return error_set(WARP_EINVAL, "%s is not a product of this store's schema",
                     desc ? desc->name : "NULL");
}

static int no_argument(const struct warp_product *desc) __attribute__((cold));
static int no_argument(const struct warp_product *desc)
{
    return error_set(WARP_EINVAL, "%s: NULL where a value is needed",
                     desc ? desc->name : "?");
}

/* Fork, product, arguments. */
static inline int enter(struct warp_db *db, const struct warp_product *desc,
                        const void *argument, struct layout **l)
{
    *l = NULL;
    if (!db || !argument)
        return no_argument(desc);
    if (atomic_load_explicit(db->fork_guard, memory_order_relaxed) == 0)
        return db_forked();
    *l = db_layout(db, desc);
    return *l ? WARP_OK : unknown_product(desc);
}

static int not_writable(const struct warp_db *db) __attribute__((cold));
static int not_writable(const struct warp_db *db)
{
    if (db->read_only)
        return error_set(WARP_EREADONLY, "the store is open for reading only");
    return error_set(atomic_load(&((struct warp_db *)(uintptr_t)db)->health),
                     "the log has failed: the store is read-only until it is "
                     "opened again");
}

static inline int enter_write(struct warp_db *db,
                              const struct warp_product *desc,
                              const void *argument, struct layout **l)
{
    int rc = enter(db, desc, argument, l);
    if (rc != WARP_OK)
        return rc;
    if (db->read_only || atomic_load_explicit(&db->health,
                                              memory_order_relaxed) != WARP_OK)
        return not_writable(db);
    return WARP_OK;
}

static int bad_mask(const struct layout *l, uint64_t bad, const char *why)
{
    uint32_t i = (uint32_t)__builtin_ctzll(bad);
    if (i < l->desc->field_count)
        return error_set(WARP_EINVAL, "%s.%s: %s", l->desc->name,
                         l->desc->fields[i].name, why);
    return error_set(WARP_EINVAL, "%s: the mask names field %u, there are %u",
                     l->desc->name, i, l->desc->field_count);
}

/* Bits 56 to 63 of a mask: those that this kind of call knows. */
static int check_flags(const struct layout *l, uint64_t fields, uint64_t known)
{
    uint64_t bad = fields & WARP_CALL_FLAGS & ~known;
    if (!bad)
        return WARP_OK;
    return error_set(WARP_EINVAL, "%s: this call does not know the flag in "
                                  "bit %d of the mask",
                     l->desc->name, __builtin_ctzll(bad));
}

HOT int check_readable(const struct layout *l, uint64_t fields)
{
    if (!(fields & ~(l->readable | WARP_RESIDENT | WARP_ARCHIVE)))
        return WARP_OK;
    uint64_t bad = fields & R_FIELDS & ~l->readable;
    if (!bad)
        return check_flags(l, fields, WARP_RESIDENT | WARP_ARCHIVE);
    return bad_mask(l, bad, bad & l->series ? "a series is read by _range"
                                            : "no such field");
}

HOT int check_writable(const struct layout *l, uint64_t fields)
{
    if (!(fields & ~(l->writable | WARP_POWER_LOSS)))
        return WARP_OK;
    uint64_t bad = fields & R_FIELDS & ~l->writable;
    if (!bad)
        return check_flags(l, fields, WARP_POWER_LOSS);
    return bad_mask(l, bad,
                    bad & l->series    ? "a series is written by _append"
                    : bad & l->derived ? "a derived field has no setter"
                                       : "no such field");
}

HOT int check_field(const struct layout *l, uint32_t field)
{
    if (field >= l->desc->field_count || !(l->stored >> field & 1))
        return bad_mask(l, UINT64_C(1) << (field & 63),
                        "this field cannot be set");
    return WARP_OK;
}

/* A touch may name fields without a ttl beside those that have one; a deadline
 * for such a field would be lost, so it is refused. */
static int check_ttl(const struct layout *l, uint64_t fields, bool touch,
                     uint64_t *dead)
{
    uint64_t bad = fields & R_FIELDS & ~(l->ttl | l->keys);
    if (bad && !touch)
        return bad_mask(l, bad, "the field has no ttl:");
    bad &= ~(l->stored | l->series | l->derived);
    if (bad)
        return bad_mask(l, bad, "no such field");
    int rc = check_flags(l, fields, WARP_POWER_LOSS);
    if (rc != WARP_OK)
        return rc;
    *dead = fields & l->ttl;
    if (l->deadline != UINT32_MAX)
        *dead |= OP_RECORD_DEADLINE;
    if (*dead == 0)
        return error_set(WARP_EINVAL,
                         "%s: neither the product nor a field of the mask "
                         "has a ttl:",
                         l->desc->name);
    return WARP_OK;
}

/* The op's key, hash and shard; its time. */
HOT int address(struct warp_db *db, struct op *op, const void *key,
                const void *record)
{
    int rc = op_key(op, key, record);
    if (rc != WARP_OK)
        return rc;
    op->hash = hash_key(db->seed, op->layout->id, op->body + op->key_at,
                        op->key_bytes);
    struct key_ref ref = op_key_ref(op);
    op->shard = forward_shard(db, op->layout, &ref)->number;
    /* What the commit will touch comes while the op is made. */
    shard_prefetch(&db->shards[op->shard], op->hash);
    log_prefetch(db->log, op->shard);
    op->now = read_now(db, op->layout);
    return WARP_OK;
}

static int bad_key(const struct layout *l, int code, const char *why)
    __attribute__((cold));
static int bad_key(const struct layout *l, int code, const char *why)
{
    return error_set(code, "%s: the key %s", l->desc->name,
                     why ? why : "is not valid");
}

HOT int key_of(struct warp_db *db, const struct layout *l, const void *key,
               uint8_t *bytes, struct key_ref *ref)
{
    size_t count = 0;
    const char *why = NULL;
    count = layout_usual_key(l, key, bytes);
    if (count == 0) {
        int rc = key_encode(l->desc, key, bytes, &count, &why);
        if (rc != WARP_OK)
            return bad_key(l, rc, why);
    }
    *ref = key_ref_of(db->seed, l, bytes, (uint32_t)count);
    return WARP_OK;
}

static int not_found(const struct layout *l) __attribute__((cold));
static int not_found(const struct layout *l)
{
    return error_set(WARP_ENOTFOUND, "%s: no record has this key",
                     l->desc->name);
}

/* ---- making ops, for a call and for a batch alike ---- */

HOT int make_put(struct warp_db *db, struct op *op, const void *record,
                    uint64_t fields)
{
    int rc = check_writable(op->layout, fields);
    if (rc == WARP_OK)
        rc = address(db, op, NULL, record);
    return rc == WARP_OK ? op_put(op, record, fields, op->now) : rc;
}

HOT int make_set(struct warp_db *db, struct op *op, const void *key,
                    uint32_t field, const void *value)
{
    int rc = check_field(op->layout, field);
    if (rc == WARP_OK && !value)
        rc = error_set(WARP_EINVAL, "%s.%s: NULL where a value is needed",
                       op->layout->desc->name,
                       op->layout->desc->fields[field].name);
    if (rc == WARP_OK)
        rc = address(db, op, key, NULL);
    return rc == WARP_OK ? op_set(op, field, value, op->now) : rc;
}

static int make_add(struct warp_db *db, struct op *op, const void *key,
                    uint32_t field, const void *delta)
{
    int rc = check_field(op->layout, field);
    if (rc != WARP_OK)
        return rc;
    uint8_t kind = op->layout->desc->fields[field].type->kind;
    if (!delta || kind < WARP_T_U8 || kind > WARP_T_DURATION)
        return error_set(WARP_EINVAL, "%s.%s: add is for numbers",
                         op->layout->desc->name,
                         op->layout->desc->fields[field].name);
    rc = address(db, op, key, NULL);
    return rc == WARP_OK ? op_add(op, field, delta, op->now) : rc;
}

static int make_deadlines(struct warp_db *db, struct op *op, const void *key,
                          uint64_t fields, int64_t deadline, bool touch)
{
    uint64_t dead;
    int rc = check_ttl(op->layout, fields, touch, &dead);
    if (rc == WARP_OK && !touch && (fields & R_FIELDS & ~op->layout->keys))
        dead &= ~OP_RECORD_DEADLINE;
    if (rc == WARP_OK)
        rc = address(db, op, key, NULL);
    /* 0 in a row means that there is no deadline. */
    if (rc == WARP_OK)
        rc = op_deadlines(op, dead, deadline ? deadline : -1);
    if (rc == WARP_OK && touch)
        op_arm(op);
    return rc;
}

static int make_delete(struct warp_db *db, struct op *op, const void *key)
{
    op->must_exist = true;
    return address(db, op, key, NULL);
}

static int make_append(struct warp_db *db, struct op *op, const void *key,
                       uint32_t field, int64_t at_ms, const void *element)
{
    const struct layout *l = op->layout;
    if (field >= l->desc->field_count || !(l->series >> field & 1))
        return bad_mask(l, UINT64_C(1) << (field & 63),
                        "this field is no series");
    int rc = address(db, op, key, NULL);
    if (rc != WARP_OK)
        return rc;
    const struct warp_field *f = &l->desc->fields[field];
    if (!element)
        return error_set(WARP_EINVAL, "%s.%s: NULL where a value is needed",
                         l->desc->name, f->name);
    if (f->by_offset != UINT32_MAX)
        memcpy(&at_ms, (const char *)element + f->by_offset, sizeof at_ms);
    if (at_ms == INT64_MAX ||
        (at_ms == WARP_NOW && f->by_offset != UINT32_MAX))
        return error_set(WARP_EINVAL, "%s.%s: an element's time is %lld, "
                                      "which no range can name",
                         l->desc->name, f->name, (long long)at_ms);
    if (at_ms == WARP_NOW)
        at_ms = clock_now(db->clock);
    return op_append(op, field, at_ms, element);
}

/* ---- single calls ---- */

#define ENTER_WRITE(kind, argument)                                           \
    uint8_t space[STACK_BODY];                                                \
    struct layout *l;                                                         \
    struct op op;                                                             \
    int rc = enter_write(db, desc, argument, &l);                             \
    if (rc != WARP_OK)                                                        \
        return rc;                                                            \
    op_init(&op, l, kind, space, sizeof space)

HOT int finish(struct warp_db *db, struct op *op, int rc, uint64_t flags,
                  bool is_delete)
{
    struct stripe *stripe = db_stripe(db);
    if (rc == WARP_OK)
        rc = commit_op(db, op, (flags & WARP_POWER_LOSS) != 0);
    op_fini(op);
    if (rc == WARP_OK)
        db_count(is_delete ? &stripe->deletes : &stripe->puts);
    return rc;
}

int warp_gen_put(struct warp_db *db, const struct warp_product *desc,
                 const void *record, uint64_t fields)
{
    ENTER_WRITE(OP_UPDATE, record);
    rc = make_put(db, &op, record, fields);
    return finish(db, &op, rc, fields, false);
}

int warp_gen_set(struct warp_db *db, const struct warp_product *desc,
                 const void *key, uint32_t field, const void *value)
{
    ENTER_WRITE(OP_UPDATE, key);
    rc = make_set(db, &op, key, field, value);
    return finish(db, &op, rc, 0, false);
}

int warp_gen_add(struct warp_db *db, const struct warp_product *desc,
                 const void *key, uint32_t field, const void *delta,
                 void *now)
{
    ENTER_WRITE(OP_UPDATE, key);
    rc = make_add(db, &op, key, field, delta);
    struct stripe *stripe = db_stripe(db);
    if (rc == WARP_OK)
        rc = commit_op(db, &op, false);
    if (rc == WARP_OK) {
        db_count(&stripe->puts);
        if (now)
            memcpy(now, op_value_of(&op, field), l->fields[field].bytes
                       ? l->fields[field].bytes
                       : l->desc->fields[field].type->size);
    }
    op_fini(&op);
    return rc;
}

int warp_gen_delete(struct warp_db *db, const struct warp_product *desc,
                    const void *key)
{
    ENTER_WRITE(OP_DELETE, key);
    rc = make_delete(db, &op, key);
    return finish(db, &op, rc, 0, true);
}

int warp_gen_touch(struct warp_db *db, const struct warp_product *desc,
                   const void *key, uint64_t fields)
{
    ENTER_WRITE(OP_UPDATE, key);
    rc = make_deadlines(db, &op, key, fields, 0, true);
    return finish(db, &op, rc, fields, false);
}

int warp_gen_expire(struct warp_db *db, const struct warp_product *desc,
                    const void *key, uint64_t fields, int64_t deadline_ms)
{
    ENTER_WRITE(OP_UPDATE, key);
    rc = make_deadlines(db, &op, key, fields, deadline_ms, false);
    return finish(db, &op, rc, fields, false);
}

int warp_gen_append(struct warp_db *db, const struct warp_product *desc,
                    const void *key, uint32_t field, int64_t at_ms,
                    const void *element)
{
    ENTER_WRITE(OP_APPEND, key);
    rc = make_append(db, &op, key, field, at_ms, element);
    return finish(db, &op, rc, 0, false);
}

/* The key of a call goes into the result; strings are copied. */
static int set_key(const struct layout *l, const void *key,
                   const struct key_ref *ref, void *out,
                   struct warp_arena *arena)
{
    uint8_t field = l->desc->key_fields[0];
    if (l->key_type && l->key_type->plain) {
        char *to = (char *)out + l->fields[field].offset;
        if (l->key_type->size == 16) /* the usual ones: without a call */
            memcpy(to, key, 16);
        else if (l->key_type->size == 8)
            memcpy(to, key, 8);
        else
            memcpy(to, key, l->key_type->size);
        return WARP_OK;
    }
    return read_key(l, ref->bytes, ref->count, out, arena);
}

/* Of a product whose records have partners: the use is counted, and after a
 * miss, or now and then, they are looked for. */
static int read_linked(struct warp_db *db, const struct layout *l,
                       const struct key_ref *key, uint64_t fields, void *out,
                       struct warp_arena *arena)
{
    const struct stripe *mine = db_stripe(db);
    uint64_t before = mine->faults + mine->cold_reads;
    int rc = read_record(db, l, key, fields, out, arena);
    if (rc != WARP_OK)
        return rc;
    bool missed = mine->faults + mine->cold_reads != before;
    bool sampled = db->coaccess && l->learns &&
                   coaccess_touch(db->coaccess, l->number, key->hash,
                                  key->bytes, key->count);
    prefetch_used(db, key->hash);
    if (missed || sampled)
        prefetch_ask(db, l, key, true, missed);
    return rc;
}

int warp_gen_get(struct warp_db *db, const struct warp_product *desc,
                 const void *key, uint64_t fields, void *out,
                 struct warp_arena *arena)
{
    struct layout *l;
    struct key_ref ref;
    uint8_t bytes[KEY_BYTES_MAX];
    int rc = enter(db, desc, key, &l);
    if (rc != WARP_OK)
        return rc;
    if (!out)
        return error_set(WARP_EINVAL, "%s: get needs a place for the result",
                         desc->name);
    memset(out, 0, desc->record_bytes);
    rc = check_readable(l, fields);
    if (rc == WARP_OK)
        rc = key_of(db, l, key, bytes, &ref);
    if (rc == WARP_OK)
        rc = l->linked ? read_linked(db, l, &ref, fields, out, arena)
                       : read_record(db, l, &ref, fields, out, arena);
    if (rc == WARP_ENOTFOUND)
        return not_found(l);
    if (rc == WARP_OK && l->drawn)
        gravity_used(db, l, &ref);
    return rc == WARP_OK ? set_key(l, key, &ref, out, arena) : rc;
}

int warp_gen_get_many(struct warp_db *db, const struct warp_product *desc,
                      const void *keys, size_t count, uint64_t fields,
                      void *out, int *codes, struct warp_arena *arena)
{
    struct layout *l;
    int rc = enter(db, desc, keys, &l);
    if (rc != WARP_OK)
        return rc;
    if (!out || !codes)
        return error_set(WARP_EINVAL, "%s: get_many needs results and codes",
                         desc->name);
    enum { AHEAD = 8 };
    for (size_t i = 0; i < count + AHEAD; i++) {
        struct key_ref ref = {0};
        uint8_t bytes[KEY_BYTES_MAX];
        if (i < count &&
            key_of(db, l, (const char *)keys + i * desc->key_bytes, bytes,
                   &ref) == WARP_OK)
            index_prefetch(&db->shards[hash_shard(ref.hash,
                                                  db->shard_count)]
                                .index,
                           ref.hash);
        if (i < AHEAD)
            continue;
        size_t k = i - AHEAD;
        codes[k] = warp_gen_get(db, desc,
                                (const char *)keys + k * desc->key_bytes,
                                fields, (char *)out + k * desc->record_bytes,
                                arena);
        if (codes[k] != WARP_OK && codes[k] != WARP_ENOTFOUND)
            rc = codes[k];
    }
    return rc;
}

int warp_gen_version(struct warp_db *db, const struct warp_product *desc,
                     const void *key, uint64_t *version)
{
    struct layout *l;
    struct key_ref ref;
    uint8_t bytes[KEY_BYTES_MAX];
    int rc = enter(db, desc, key, &l);
    if (rc == WARP_OK)
        rc = key_of(db, l, key, bytes, &ref);
    if (rc == WARP_OK)
        rc = read_version(db, l, &ref, version);
    return rc == WARP_ENOTFOUND ? not_found(l) : rc;
}

enum warp_state warp_gen_state(struct warp_db *db,
                               const struct warp_product *desc,
                               const void *key, uint64_t field)
{
    struct layout *l;
    struct key_ref ref;
    uint8_t bytes[KEY_BYTES_MAX];
    if (enter(db, desc, key, &l) != WARP_OK)
        return WARP_STATE_ERROR;
    if (check_flags(l, field, WARP_RESIDENT | WARP_ARCHIVE) != WARP_OK)
        return WARP_STATE_ERROR;
    uint64_t bit = field & R_FIELDS;
    if (__builtin_popcountll(bit) != 1 || bit >> l->desc->field_count != 0) {
        error_set(WARP_EINVAL, "%s: a state is of one field", desc->name);
        return WARP_STATE_ERROR;
    }
    if (key_of(db, l, key, bytes, &ref) != WARP_OK)
        return WARP_STATE_ERROR;
    return read_state(db, l, &ref, (uint32_t)__builtin_ctzll(bit),
                      field & (WARP_RESIDENT | WARP_ARCHIVE));
}

int warp_gen_prefetch(struct warp_db *db, const struct warp_product *desc,
                      const void *keys, size_t count, uint64_t fields)
{
    struct layout *l;
    int rc = enter(db, desc, keys, &l);
    for (size_t i = 0; i < count && rc == WARP_OK; i++) {
        struct key_ref ref;
        uint8_t bytes[KEY_BYTES_MAX];
        rc = key_of(db, l, (const char *)keys + i * desc->key_bytes, bytes,
                    &ref);
        if (rc == WARP_OK)
            rc = read_warm(db, l, &ref,
                           fields & (l->cold | WARP_ARCHIVE), false);
    }
    return rc;
}

/* ---- in a batch ---- */

#define ENTER_BATCH(kind, argument)                                           \
    struct layout *l;                                                         \
    struct op *op;                                                            \
    if (!batch)                                                               \
        return error_set(WARP_EINVAL, "no batch");                            \
    int rc = enter(batch->db, desc, argument, &l);                            \
    if (rc == WARP_OK)                                                        \
        rc = batch_add(batch, l, kind, &op);                                  \
    if (rc != WARP_OK)                                                        \
        return batch_fail(batch, rc)

int warp_gen_put_in(struct warp_batch *batch, const struct warp_product *desc,
                    const void *record, uint64_t fields)
{
    ENTER_BATCH(OP_UPDATE, record);
    if (fields & WARP_POWER_LOSS)
        batch->power = true;
    return batch_fail(batch, make_put(batch->db, op, record, fields));
}

int warp_gen_delete_in(struct warp_batch *batch,
                       const struct warp_product *desc, const void *key)
{
    ENTER_BATCH(OP_DELETE, key);
    return batch_fail(batch, make_delete(batch->db, op, key));
}

int warp_gen_set_in(struct warp_batch *batch, const struct warp_product *desc,
                    const void *key, uint32_t field, const void *value)
{
    ENTER_BATCH(OP_UPDATE, key);
    return batch_fail(batch, make_set(batch->db, op, key, field, value));
}

int warp_gen_add_in(struct warp_batch *batch, const struct warp_product *desc,
                    const void *key, uint32_t field, const void *delta)
{
    ENTER_BATCH(OP_UPDATE, key);
    return batch_fail(batch, make_add(batch->db, op, key, field, delta));
}

int warp_gen_touch_in(struct warp_batch *batch,
                      const struct warp_product *desc, const void *key,
                      uint64_t fields)
{
    ENTER_BATCH(OP_UPDATE, key);
    if (fields & WARP_POWER_LOSS)
        batch->power = true;
    return batch_fail(batch,
                      make_deadlines(batch->db, op, key, fields, 0, true));
}

int warp_gen_expire_in(struct warp_batch *batch,
                       const struct warp_product *desc, const void *key,
                       uint64_t fields, int64_t deadline_ms)
{
    ENTER_BATCH(OP_UPDATE, key);
    if (fields & WARP_POWER_LOSS)
        batch->power = true;
    return batch_fail(batch, make_deadlines(batch->db, op, key, fields,
                                            deadline_ms, false));
}

int warp_gen_append_in(struct warp_batch *batch,
                       const struct warp_product *desc, const void *key,
                       uint32_t field, int64_t at_ms, const void *element)
{
    ENTER_BATCH(OP_APPEND, key);
    return batch_fail(batch, make_append(batch->db, op, key, field, at_ms,
                                         element));
}

int warp_gen_expect_in(struct warp_batch *batch,
                       const struct warp_product *desc, const void *key,
                       uint64_t version)
{
    ENTER_BATCH(OP_UPDATE, key);
    op->expect = true;
    op->expected_version = version;
    return batch_fail(batch, address(batch->db, op, key, NULL));
}
