/* replay.c: the log's commits to records in memory, at an open. */
#include "replay.h"

#include "apply.h"
#include "codec.h"
#include "forward.h"
#include "hash.h"
#include "relocate.h"
#include "relocate_carry.h"
#include "wire.h"

/* ---- one op ---- */

/* Nothing of a record stands beside its row: no index, no place on a tier, no
 * other shard. */
static bool stands_alone(const struct layout *l)
{
    return !(l->series | l->cold | l->indexed | layout_placed(l)) &&
           !l->roams && !l->past;
}

/* Does the record depend on this op alone? */
static bool tells_all(const struct layout *l, const struct op *op)
{
    uint64_t deadlines =
        l->ttl | (l->deadline == UINT32_MAX ? 0 : OP_RECORD_DEADLINE);
    return op->kind == OP_UPDATE && stands_alone(l) &&
           ((op->flags & OP_FLOOR) ||
            (!(l->durable & ~op->set) && !(deadlines & ~op->dead) &&
             l->lost == UINT32_MAX));
}

static int nothing(void *arg, struct ssd_slice value)
{
    (void)arg;
    (void)value;
    return WARP_OK;
}

static void set_known(struct shard *s, struct record *r, bool known)
{
    uint64_t before = record_have(r);
    record_set_have(r, known ? before | R_IN_DIR : before & ~R_IN_DIR);
    shard_counted(s, r, before);
}

int replay_ask(struct shard *s, const struct layout *l,
               const struct key_ref *key, struct record *r, bool current)
{
    uint8_t bytes[ROW_KEY_BYTES_MAX];
    struct ssd_slice k = {bytes, row_key(bytes, l->id, key->bytes,
                                         key->count)};
    int rc = current ? WARP_OK
                     : ssd_get(s->db->ssd, SSD_ROWS, k, nothing, NULL);
    if (rc == WARP_OK || rc == WARP_ENOTFOUND)
        set_known(s, r, rc == WARP_OK);
    return rc == WARP_ENOTFOUND ? WARP_OK : rc;
}

static int apply(struct shard *s, struct op *op, struct plan *plan,
                 uint64_t seq, uint32_t ordinal)
{
    plan->replay = true;
    plan->existed = plan->record && !(record_have(plan->record) & R_DELETED);
    plan->exists = plan->existed && !(op->flags & OP_FLOOR);
    int rc = apply_prepare(s, op, plan);
    if (rc != WARP_OK) {
        apply_cancel(s, op, plan);
        return rc;
    }
    apply_change(s, op, plan, seq, ordinal);
    apply_finish(s, op, plan->record, seq);
    return WARP_OK;
}

static int replay_op(struct shard *s, struct op *op, uint64_t seq,
                     uint32_t ordinal, bool whole)
{
    const struct layout *l = op->layout;
    struct key_ref key = op_key_ref(op);
    struct plan plan;
    plan_init(&plan);
    if (op->kind == OP_ARRIVE || op->kind == OP_DEPART)
        return relocate_replay(s, op, seq);
    plan.record = shard_here(s, &key);
    int rc = WARP_OK;
    if (!plan.record && whole && db_may_be_cold(s->db, l) &&
        tells_all(l, op)) {
        rc = apply(s, op, &plan, seq, ordinal);
        if (rc == WARP_OK && !(op->flags & OP_FLOOR))
            set_known(s, plan.record, true);
        return rc;
    }
    if (!plan.record)
        rc = shard_load(s, l, &key, &plan.record);
    else if (op->kind == OP_DELETE && db_may_be_cold(s->db, l) && !l->roams &&
             !(record_have(plan.record) & R_DELETED))
        /* No row leads the loader to a tombstone that was none there. */
        rc = replay_ask(s, l, &key, plan.record, false);
    if (rc == WARP_OK && (op->flags & OP_CARRIED))
        return carry_replay(s, op, plan.record, seq, ordinal);
    if (rc == WARP_OK && l->roams)
        rc = relocate_replay_here(s, op, plan.record);
    if (rc != WARP_OK)
        return rc == FORWARD_ELSEWHERE ? WARP_OK : rc;
    /* The directory may hold the record as of a later commit. Several ops of
     * one commit share its number. */
    if (plan.record && record_version(plan.record) >= seq &&
        !(record_version(plan.record) == seq && ordinal > 0))
        return apply_beside(s, op, seq, ordinal);
    if (op->kind == OP_DELETE && !plan.record)
        return WARP_OK;
    /* Deadlines alone make no record: it has expired since, and a step of a
     * checkpoint that was cut short has taken it out of the directory. */
    bool there = plan.record && !(record_have(plan.record) & R_DELETED);
    if (op->kind == OP_UPDATE && !there && !(op->set | op->mark) &&
        !(op->flags & OP_FLOOR))
        return WARP_OK;
    rc = apply(s, op, &plan, seq, ordinal);
    return rc == WARP_OK && l->roams ? relocate_replayed(s, op, plan.record)
                                     : rc;
}

/* ---- one commit ---- */

int replay_commit(void *arg, uint32_t shard, uint64_t seq,
                  const uint8_t *body, size_t bytes)
{
    struct replay *r = arg;
    struct warp_db *db = r->db;
    struct shard *s = &db->shards[shard];
    int rc = WARP_OK;
    uint32_t ordinal = 0;
    bool whole = !log_is_damaged(db->log);
    r->commits[shard]++;
    os_lock(&s->lock);
    while (bytes > 0 && rc == WARP_OK) {
        struct op op;
        size_t used = 0;
        rc = op_decode((const struct layout *const *)db->layouts,
                       db->layout_count, body, bytes, &op, &used);
        if (rc != WARP_OK)
            break;
        op.hash = shard_hash(db, &op);
        op.shard = shard;
        if (op.layout->roams && hash_shard(op.hash, db->shard_count) != shard)
            atomic_store(&r->strayed, true);
        rc = replay_op(s, &op, seq, ordinal++, whole);
        body += used;
        bytes -= used;
    }
    os_unlock(&s->lock);
    return rc;
}

/* The shard's lock is not held, and need not be: hints, no more. */
void replay_ahead(void *arg, uint32_t shard, const uint8_t *body, size_t bytes,
                  bool near)
{
    const struct warp_db *db = arg;
    const struct shard *s = &db->shards[shard];
    if (bytes < OP_HEADER_BYTES)
        return;
    uint16_t number = wire_get16(body + 2), count = wire_get16(body + 4);
    if (number >= db->layout_count || count > bytes - OP_HEADER_BYTES ||
        count > KEY_BYTES_MAX)
        return;
    uint64_t hash = hash_key(db->seed, db->layouts[number]->id,
                             body + OP_HEADER_BYTES, count);
    if (near)
        shard_prefetch_record(s, hash);
    else
        index_prefetch_insert(&s->index, hash);
}

/* When an eighth was replayed and nearly all were new records, the rest will be
 * that, too: the index need not grow step by step. */
void replay_progress(void *arg, uint32_t shard, uint64_t done, uint64_t all)
{
    enum { PART = 8 };
    struct replay *r = arg;
    struct shard *s = &r->db->shards[shard];
    if (r->judged[shard] || done < all / PART)
        return;
    r->judged[shard] = true;
    os_lock(&s->lock);
    uint64_t count = s->index.count;
    if (count * 10 >= r->commits[shard] * 9)
        index_expect(&s->index,
                     count * (all / 1024 + 1) / (done / 1024 + 1));
    os_unlock(&s->lock);
}
