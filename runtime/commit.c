/* commit.c: one change, or several together, from bytes to the record.
 *
 * Order: lock; check (existence, versions, unique values, overflow); set memory
 * aside; log; apply; unlock; wait for the disk if asked. After the log has a
 * change nothing can fail, before it nothing has happened. */
#include "commit.h"

#include "apply.h"
#include "checkpoint.h"
#include "clock.h"
#include "commit_quick.h"
#include "error.h"
#include "evict.h"
#include "forward.h"
#include "gravity.h"
#include "pace.h"
#include "read.h"
#include "relocate.h"
#include "room.h"
#include "secondary.h"
#include "unique.h"

#include <stdlib.h>

/* Writers wait here while the log is at its limit. */
static int admit(struct warp_db *db)
{
    while (atomic_load_explicit(&db->stalled, memory_order_acquire)) {
        uint32_t seen = atomic_load(&db->room_word);
        if (!atomic_load(&db->stalled))
            break;
        int health = atomic_load(&db->health);
        if (health != WARP_OK)
            return error_set(health, "the log has failed: the store is "
                                     "read-only until it is opened again");
        db_wake_keeper(db);
        os_futex_wait(&db->room_word, seen, 100000000);
        int failed = atomic_load(&db->checkpoint_failed);
        if (failed != WARP_OK && atomic_load(&db->stalled))
            return error_set(failed, "the log has reached log_bytes_max and "
                                     "the checkpoint that would cut it "
                                     "fails: %s",
                             warp_strerror(failed));
    }
    return WARP_OK;
}

static int not_found(const struct op *op)
{
    return error_set(WARP_ENOTFOUND, "%s: no record has this key",
                     op->layout->desc->name);
}

/* Is this the shard where the record is, or is to be made? What only a home can
 * do brings it there. */
static int in_place(const struct shard *s, struct op *op,
                    const struct plan *plan)
{
    struct key_ref key = op_key_ref(op);
    bool at_home = forward_home(s->db, &key) == s;
    if (!forward_here(s, op->layout, &key, plan->record))
        return FORWARD_ELSEWHERE;
    if (op->expect || at_home)
        return WARP_OK;
    op->homing = plan->existed ? op->kind != OP_UPDATE
                               : op->layout->series != 0;
    return op->homing ? FORWARD_ELSEWHERE : WARP_OK;
}

/* Everything that can be refused, and the memory; nothing has changed after a
 * failure but perhaps a record that does not exist yet (plan->created). The
 * plan has the record, if it is in memory. */
static int prepare(struct shard *s, struct op *op, struct plan *plan)
{
    struct key_ref key = op_key_ref(op);
    int rc = plan->record ? WARP_OK
                          : shard_load(s, op->layout, &key, &plan->record);
    if (rc != WARP_OK)
        return rc;
    if (!op->expect && (op->layout->evictable || op->layout->cold))
        apply_hold(plan);
    plan->existed = shard_exists(op->layout, plan->record, op->now);
    plan->exists = plan->existed;
    /* A record that exists where it is at home is as it should be. */
    if (op->layout->roams &&
        !(plan->existed && forward_home(s->db, &key) == s) &&
        (rc = in_place(s, op, plan)) != WARP_OK)
        return rc;
    if (op->expect) {
        uint64_t have = plan->exists ? apply_version(s, op->layout,
                                                     plan->record, op->hash)
                                     : 0;
        if (have != op->expected_version)
            return error_set(WARP_ECONFLICT,
                             "%s: the record has version %llu, %llu was "
                             "expected",
                             op->layout->desc->name,
                             (unsigned long long)have,
                             (unsigned long long)op->expected_version);
        return WARP_OK;
    }
    if (op->must_exist && !plan->exists)
        return not_found(op);
    return apply_prepare(s, op, plan);
}

/* Whether the log must hear of an op, given what the record was. */
static bool needs_log(const struct op *op, const struct plan *plan)
{
    const struct layout *l = op->layout;
    if (op->kind != OP_UPDATE || op->set || !plan->exists)
        return true;
    if (op->dead & ~l->mortal_mem)
        return true;
    if (apply_writes_full(l, plan->record))
        return true;
    /* A product without such fields has no word for their marks. */
    return op->mark && (op->mark & ~row_load(plan->record, l->lost)) != 0;
}

static bool needs_power(const struct op *op)
{
    const struct layout *l = op->layout;
    if (op->kind == OP_DELETE)
        return l->power != 0;
    if (op->kind == OP_APPEND)
        return (l->power >> op->field & 1) != 0;
    return ((op->set | op->mark | op->dead) & l->power) != 0;
}

/* Somebody else has made room meanwhile. */
static bool has_room(const struct warp_db *db, const struct layout *l)
{
    const struct budget *heap = &db->heap_budget;
    uint64_t limit = atomic_load(&((struct budget *)(uintptr_t)heap)->limit);
    for (int i = 0; l && i < 2; i++)
        if (l->pools[i] && atomic_load(&l->pools[i]->used) +
                                   l->pools[i]->limit / 16 >=
                               l->pools[i]->limit)
            return false;
    return atomic_load(&((struct budget *)(uintptr_t)heap)->used) <
           limit - limit / 16;
}

/* Something left memory, or there was room. */
static bool has_left(struct warp_db *db, const struct layout *l, bool patient)
{
    uint64_t before = atomic_load(&db->evicted_bytes);
    if (evict_to(db, 0, patient) == 0 && patient)
        (void)evict_to(db, 0, false);
    return atomic_load(&db->evicted_bytes) != before || has_room(db, l);
}

/* Memory is out, but what is dirty may leave it after a checkpoint: behind one
 * of its steps, whoever runs it. Where nobody does the writer sees to it.
 * False: that cannot help. tries: that did not end with a step. */
static bool make_room(struct warp_db *db, const struct layout *l,
                      uint32_t *tries)
{
    enum { BALANCE, FIRST, TRIES_MAX = 8 };
    bool stepped, ended;
    if (*tries == BALANCE) {
        /* One part of the budget may have what the other lacks. */
        db_balance(db);
        *tries = FIRST;
        return true;
    }
    if (db->priorities == 0 || *tries == TRIES_MAX)
        return false;
    bool runs = shard_await_step(db, &stepped, &ended);
    if (stepped && !ended)
        return true;
    bool left = has_left(db, l, *tries == FIRST);
    *tries += !runs || ended;
    /* What was written while it ran leaves memory behind the next one. */
    if (left || (runs && !(ended && atomic_load(&db->checkpoint_failed))))
        return true;
    return checkpoint_run(db) == WARP_OK && has_left(db, l, false);
}

/* Deletes go on while the disk is full, but not into the room that the next
 * checkpoint needs: then it comes first. */
static void admit_delete(struct warp_db *db, const struct op *op)
{
    enum { WORTH_BYTES = 1 << 20 };
    if (room_admit(db, op->bytes) != WARP_OK &&
        log_bytes(db->log) > atomic_load(&db->log_kept) + WORTH_BYTES &&
        checkpoint_run(db) == WARP_OK)
        room_update(db);
}

/* What was committed is on stable storage. Where the log has no room for that
 * a checkpoint cuts it, which the keeper may be late with. */
static int await_disk(struct warp_db *db, uint32_t shard, uint64_t position)
{
    int rc = log_wait(db->log, shard, position);
    if (rc == WARP_ENOSPC && checkpoint_run(db) == WARP_OK)
        rc = log_wait(db->log, shard, position);
    return rc;
}

/* While rows still load, nobody knows how much of its pool they will take. */
static bool is_limited(const struct op *op)
{
    const struct layout *l = op->layout;
    return op->kind != OP_DELETE && (l->pools[0] || l->pools[1]);
}

/* What a writer waits for, or asks, before it takes a lock. */
static int await_turn(struct warp_db *db, const struct op *op)
{
    if (atomic_load_explicit(&db->stalled, memory_order_relaxed)) {
        int rc = admit(db);
        if (rc != WARP_OK)
            return rc;
    }
    if (atomic_load_explicit(&db->pace.on, memory_order_relaxed))
        pace_wait(db, op->logged_bytes);
    if (!atomic_load_explicit(&db->tight, memory_order_relaxed))
        return WARP_OK;
    if (op->kind != OP_DELETE)
        return room_admit(db, op->bytes);
    admit_delete(db, op);
    return WARP_OK;
}

static int commit_one(struct warp_db *db, struct op *op, bool power)
{
    struct shard *s = &db->shards[op->shard];
    struct key_ref key = op_key_ref(op);
    struct plan plan;
    uint64_t seq = 0, position = 0;
    bool logged = false, unique = (op->set | op->memory) & op->layout->unique;
    int rc = await_turn(db, op);
    if (rc != WARP_OK)
        return rc;
    if ((unique || is_limited(op)) && atomic_load(&db->loading))
        db_wait_loaded(db);
    log_prefetch_tail(db->log, op->shard);
    shard_prefetch_record(s, op->hash);
    os_lock(&s->lock);
    struct record *r = shard_here(s, &key);
    if (commit_quick_may(db, op, power) &&
        (r ? commit_quick(s, op, r, &rc)
           : commit_quick_new(s, op, &key, &rc))) {
        os_unlock(&s->lock);
        return rc;
    }
    if (unique)
        os_lock(&db->unique_lock);
    plan_init(&plan);
    plan.record = r;
    rc = prepare(s, op, &plan);
    if (rc == WARP_OK && needs_log(op, &plan)) {
        op->body[1] = op->flags;
        logged = true;
        rc = log_append(db->log, s->number, 0, 0, op->body, op->logged_bytes,
                        op->kind == OP_DELETE, &seq, &position);
        op->refused = rc == WARP_ENOSPC;
    }
    if (rc == WARP_OK)
        apply_change(s, op, &plan, seq, 0);
    else
        apply_cancel(s, op, &plan);
    if (rc == WARP_OK)
        apply_finish(s, op, plan.record, logged ? seq : 0);
    if (unique)
        os_unlock(&db->unique_lock);
    os_unlock(&s->lock);
    if (rc == WARP_OK && logged && (power || needs_power(op)))
        rc = await_disk(db, s->number, position);
    return rc;
}

/* Where the record is, and with those in memory that may hold a unique value of
 * it. */
static int commit_there(struct warp_db *db, struct op *op, bool power)
{
    int rc = commit_one(db, op, power);
    while (rc == FORWARD_ELSEWHERE || rc == UNIQUE_AWAY) {
        rc = rc == UNIQUE_AWAY ? unique_bring(db, &op, 1)
                               : relocate_resolve(db, &op, 1);
        if (rc == WARP_OK)
            rc = commit_one(db, op, power);
    }
    return rc;
}

int commit_op(struct warp_db *db, struct op *op, bool power)
{
    int rc = commit_there(db, op, power);
    uint32_t tries = 0;
    while (rc == WARP_ELIMIT && make_room(db, op->layout, &tries))
        rc = commit_there(db, op, power);
    /* Deletes go on: what is kept for them was used up before the keeper came
     * to cut the log. */
    if (rc == WARP_ENOSPC && op->kind == OP_DELETE && op->refused &&
        checkpoint_run(db) == WARP_OK)
        rc = commit_there(db, op, power);
    if (rc == WARP_OK && op->layout->drawn)
        gravity_wrote_one(db, op);
    return rc;
}

/* ---- several ---- */

struct batch_run {
    struct warp_db *db;
    struct op **ops;
    struct plan *plans;
    uint32_t count;
    uint32_t *touched; /* open addressing: record -> its last op + 1 */
    uint32_t touched_mask;
    uint8_t shard_used[256];
    uint64_t seqs[256], positions[256];
    uint8_t *body; /* one log record per shard is put together here */
    size_t body_room;
};

static uint32_t *touched_slot(struct batch_run *run, const struct record *r)
{
    uint32_t at = (uint32_t)((uintptr_t)r >> 4 ^ (uintptr_t)r >> 17) &
                  run->touched_mask;
    while (run->touched[at] != 0 &&
           run->plans[run->touched[at] - 1].record != r)
        at = (at + 1) & run->touched_mask;
    return &run->touched[at];
}

static struct plan *last_of(void *arg, const struct record *r)
{
    struct batch_run *run = arg;
    uint32_t last = *touched_slot(run, r);
    return last ? &run->plans[last - 1] : NULL;
}

/* As prepare(), seeing the earlier ops of the batch. */
static int prepare_in_batch(struct batch_run *run, uint32_t i)
{
    struct op *op = run->ops[i];
    struct plan *plan = &run->plans[i];
    struct shard *s = &run->db->shards[op->shard];
    struct key_ref key = op_key_ref(op);
    plan->fresh_blocks = true;
    plan->op = op;
    plan->last_of = last_of;
    plan->run = run;
    int rc = shard_find(s, op->layout, &key, &plan->record);
    if (rc != WARP_OK)
        return rc;
    if (op->expect)
        return prepare(s, op, plan);
    if (op->layout->evictable || op->layout->cold)
        apply_hold(plan);
    plan->existed = shard_exists(op->layout, plan->record, op->now);
    plan->exists = plan->existed;
    if (plan->record) {
        plan->earlier = last_of(run, plan->record);
        if (plan->earlier) {
            struct past past;
            apply_past(op->layout, plan->earlier, plan->record, 56, &past);
            plan->exists = plan->existed = past_alive(&past, op->now);
        }
    }
    if (op->layout->roams && (rc = in_place(s, op, plan)) != WARP_OK)
        return rc;
    if (op->must_exist && !plan->exists)
        return not_found(op);
    rc = apply_prepare(s, op, plan);
    if (rc == WARP_OK)
        *touched_slot(run, plan->record) = i + 1;
    return rc;
}

static int log_shard(struct batch_run *run, uint32_t shard, uint64_t batch_id,
                     uint32_t parts)
{
    size_t bytes = 0;
    bool urgent = true;
    for (uint32_t i = 0; i < run->count; i++) {
        struct op *op = run->ops[i];
        if (op->shard != shard || op->expect)
            continue;
        op->body[1] = op->flags;
        if (bytes + op->logged_bytes > run->body_room) {
            size_t room = (bytes + op->logged_bytes) * 2;
            uint8_t *grown = realloc(run->body, room);
            if (!grown)
                return error_set(WARP_ENOMEM, "out of memory for a batch");
            run->body = grown;
            run->body_room = room;
        }
        memcpy(run->body + bytes, op->body, op->logged_bytes);
        bytes += op->logged_bytes;
        urgent = urgent && op->kind == OP_DELETE;
    }
    return log_append(run->db->log, shard, batch_id, parts, run->body, bytes,
                      urgent, &run->seqs[shard], &run->positions[shard]);
}

static int log_parts(struct batch_run *run)
{
    struct warp_db *db = run->db;
    uint32_t parts = 0;
    for (uint32_t s = 0; s < db->shard_count; s++)
        parts += run->shard_used[s] == 2;
    uint64_t batch_id = parts > 1 ? log_batch_id(db->log) : 0;
    if (parts > 1)
        db_count(&db_stripe(db)->split);
    if (parts == 1)
        parts = 0;
    for (uint32_t s = 0; s < db->shard_count; s++) {
        if (run->shard_used[s] != 2)
            continue;
        int rc = log_shard(run, s, batch_id, parts);
        /* Parts that were appended stay incomplete: a replay omits them. */
        if (rc != WARP_OK)
            return rc;
    }
    return WARP_OK;
}

static void apply_all(struct batch_run *run)
{
    /* All records are odd before the first changes: no reader sees a record
     * between two ops of the batch. */
    for (uint32_t i = 0; i < run->count; i++)
        if (!run->ops[i]->expect)
            record_begin(run->plans[i].record);
    /* Numbered as a replay of the shard's record numbers them. */
    uint32_t ordinals[256] = {0};
    for (uint32_t i = 0; i < run->count; i++) {
        struct op *op = run->ops[i];
        if (!op->expect)
            apply_change(&run->db->shards[op->shard], op, &run->plans[i],
                         run->seqs[op->shard], ordinals[op->shard]++);
    }
    for (uint32_t i = 0; i < run->count; i++) {
        struct op *op = run->ops[i];
        struct record *r = run->plans[i].record;
        if (op->expect || *touched_slot(run, r) != i + 1)
            continue;
        apply_finish(&run->db->shards[op->shard], op, r,
                     run->seqs[op->shard]);
    }
}

/* Time may have passed since the change was collected. */
static void refresh(struct warp_db *db, struct op *op)
{
    op->now = read_now(db, op->layout);
    if (op->armed)
        op_arm(op);
}

static int run_locked(struct batch_run *run)
{
    int rc = WARP_OK;
    uint32_t done = 0;
    for (uint32_t i = 0; i < run->count; i++)
        refresh(run->db, run->ops[i]);
    /* Expectations speak of the store before the batch. */
    for (uint32_t i = 0; i < run->count && rc == WARP_OK; i++)
        if (run->ops[i]->expect)
            rc = prepare_in_batch(run, i);
    for (; done < run->count && rc == WARP_OK; done++)
        if (!run->ops[done]->expect)
            rc = prepare_in_batch(run, done);
    /* Unique values are judged as the batch leaves them: two may be swapped. */
    for (uint32_t i = 0; i < run->count && rc == WARP_OK; i++)
        if (!run->ops[i]->expect)
            rc = unique_check(run->db, run->ops[i], &run->plans[i]);
    if (rc == WARP_OK)
        rc = log_parts(run);
    if (rc == WARP_OK) {
        apply_all(run);
        return rc;
    }
    while (done > 0) {
        done--;
        if (!run->ops[done]->expect)
            apply_cancel(&run->db->shards[run->ops[done]->shard],
                         run->ops[done], &run->plans[done]);
    }
    return rc;
}

static int commit_many(struct warp_db *db, struct op **ops, uint32_t count,
                       bool power)
{
    struct batch_run run = {.db = db, .ops = ops, .count = count};
    int rc = admit(db);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += ops[i]->kind == OP_DELETE ? 0 : ops[i]->bytes;
    if (rc == WARP_OK && atomic_load(&db->pace.on))
        pace_wait(db, bytes);
    if (rc == WARP_OK && bytes > 0 && atomic_load(&db->tight))
        rc = room_admit(db, bytes);
    if (rc != WARP_OK)
        return rc;
    uint32_t slots = 4;
    while (slots < count * 2)
        slots *= 2;
    run.touched_mask = slots - 1;
    run.touched = calloc(slots, sizeof *run.touched);
    run.plans = calloc(count, sizeof *run.plans);
    bool unique = false, limited = false;
    if (!run.touched || !run.plans) {
        rc = error_set(WARP_ENOMEM, "out of memory for a batch of %u", count);
        goto out;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *used = &run.shard_used[ops[i]->shard];
        if (ops[i]->expect) {
            *used = *used ? *used : 1;
            continue;
        }
        *used = 2;
        power = power || needs_power(ops[i]);
        unique = unique ||
                 ((ops[i]->set | ops[i]->memory) & ops[i]->layout->unique);
        limited = limited || is_limited(ops[i]);
    }
    if ((unique || limited) && atomic_load(&db->loading))
        db_wait_loaded(db);
    for (uint32_t s = 0; s < db->shard_count; s++)
        if (run.shard_used[s])
            os_lock(&db->shards[s].lock);
    if (unique)
        os_lock(&db->unique_lock);
    rc = run_locked(&run);
    if (unique)
        os_unlock(&db->unique_lock);
    for (uint32_t s = 0; s < db->shard_count; s++)
        if (run.shard_used[s])
            os_unlock(&db->shards[s].lock);
    for (uint32_t s = 0; s < db->shard_count && power && rc == WARP_OK; s++)
        if (run.shard_used[s] == 2)
            rc = await_disk(db, s, run.positions[s]);
out:
    free(run.touched);
    free(run.plans);
    free(run.body);
    return rc;
}

/* Where the records are, once more where they have moved since. */
static int commit_many_there(struct warp_db *db, struct op **ops,
                             uint32_t count, bool power)
{
    int rc = commit_many(db, ops, count, power);
    while (rc == FORWARD_ELSEWHERE || rc == UNIQUE_AWAY) {
        rc = rc == UNIQUE_AWAY ? unique_bring(db, ops, count)
                               : relocate_resolve(db, ops, count);
        if (rc == WARP_OK)
            rc = commit_many(db, ops, count, power);
    }
    return rc;
}

/* Deletes go on while the disk is full: only the log can have no room. */
static bool are_deletes(struct op **ops, uint32_t count)
{
    uint32_t i = 0;
    while (i < count && (ops[i]->expect || ops[i]->kind == OP_DELETE))
        i++;
    return i == count;
}

int commit_ops(struct warp_db *db, struct op **ops, uint32_t count, bool power)
{
    if (count == 0)
        return WARP_OK;
    if (count == 1 && !ops[0]->expect) {
        refresh(db, ops[0]);
        return commit_op(db, ops[0], power);
    }
    int rc = commit_many_there(db, ops, count, power);
    uint32_t tries = 0;
    while (rc == WARP_ELIMIT && make_room(db, NULL, &tries))
        rc = commit_many_there(db, ops, count, power);
    if (rc == WARP_ENOSPC && are_deletes(ops, count) &&
        checkpoint_run(db) == WARP_OK)
        rc = commit_many_there(db, ops, count, power);
    if (rc == WARP_OK && db->gravity)
        gravity_wrote(db, ops, count);
    return rc;
}
