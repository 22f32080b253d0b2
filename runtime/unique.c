/* unique.c: a candidate from the secondary index is asked for its value as it
 * will be: by the earlier ops of the same batch, else by the store. */
#include "unique.h"

#include "codec.h"
#include "error.h"
#include "forward.h"
#include "read.h"
#include "row.h"
#include "secondary.h"
#include "wire.h"

#include <stdlib.h>

struct wanted {
    uint32_t field;
    uint8_t bytes[512];
    uint32_t count;
};

static int index_bytes_of(struct op *op, uint32_t field, uint8_t *to,
                          uint32_t *count)
{
    const struct layout *l = op->layout;
    const uint8_t *at = op_value_of(op, field);
    uint32_t bytes = l->fields[field].form == SLOT_VAR
                         ? wire_get32(at - 4)
                         : l->fields[field].bytes;
    return secondary_value(l, field, at, bytes, to, count);
}

/* 1 holds it, 0 does not, -1 the batch does not say. */
static int held_in_batch(const struct plan *plan, const struct record *other,
                         const struct wanted *w, int64_t now)
{
    const struct plan *last =
        plan->run && other ? plan->last_of(plan->run, other) : NULL;
    if (!last)
        return -1;
    const struct layout *l = last->op->layout;
    struct past whole, past;
    uint8_t bytes[512];
    uint32_t count;
    apply_past(l, last, other, 56, &whole);
    apply_past(l, last, other, w->field, &past);
    if (!past_alive(&whole, now) || !past_alive(&past, now))
        return 0;
    if (!past.writer)
        return -1;
    return index_bytes_of(past.writer, w->field, bytes, &count) == WARP_OK &&
           count == w->count && memcmp(bytes, w->bytes, count) == 0;
}

/* Is the value of this op in the store when its commit is through? Not if a
 * later change of the batch overwrites it or lets it expire. */
static bool stays(const struct op *op, const struct plan *plan,
                  uint32_t field)
{
    struct past whole, past;
    if (!plan->run)
        return true;
    const struct plan *last = plan->last_of(plan->run, plan->record);
    apply_past(op->layout, last, plan->record, 56, &whole);
    apply_past(op->layout, last, plan->record, field, &past);
    return past.writer == op && past_alive(&whole, op->now) &&
           past_alive(&past, op->now);
}

static int held_in_store(struct warp_db *db, const struct layout *l,
                         const struct key_ref *key, const struct wanted *w,
                         bool *held)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    void *out = calloc(1, l->desc->record_bytes);
    uint64_t bit = UINT64_C(1) << w->field, have = 0;
    *held = false;
    int rc = out ? read_record_held(db, l, key, bit | WARP_ARCHIVE, out, &arena)
                 : error_set(WARP_ENOMEM, "out of memory");
    if (rc == WARP_OK) {
        memcpy(&have, (char *)out + l->desc->have_offset, sizeof have);
        uint8_t bytes[512];
        size_t count = 0;
        const char *why;
        if ((have & bit) &&
            key_encode_value(l->desc->fields[w->field].type,
                             (char *)out + l->fields[w->field].offset, bytes,
                             &count, &why) == WARP_OK)
            *held = count == w->count && memcmp(bytes, w->bytes, count) == 0;
    }
    free(out);
    warp_arena_free(&arena);
    return rc == WARP_ENOTFOUND ? WARP_OK : rc;
}

static int is_there(void *arg, struct ssd_slice value)
{
    (void)arg;
    (void)value;
    return WARP_OK;
}

/* Hints live longer than records: what the directory does not have either is
 * gone. */
static int away(struct warp_db *db, struct op *op, const uint8_t *key,
                uint32_t count)
{
    uint8_t bytes[ROW_KEY_BYTES_MAX];
    struct ssd_slice k = {bytes, row_key(bytes, op->layout->id, key, count)};
    int rc = ssd_get(db->ssd, SSD_ROWS, k, is_there, NULL);
    if (rc != WARP_OK)
        return rc == WARP_ENOTFOUND ? WARP_OK : rc;
    uint8_t *copy = realloc(op->away, count ? count : 1);
    if (!copy)
        return error_set(WARP_ENOMEM, "out of memory");
    memcpy(copy, key, count);
    op->away = copy;
    op->away_bytes = count;
    return UNIQUE_AWAY;
}

int unique_bring(struct warp_db *db, struct op **ops, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct op *op = ops[i];
        if (!op->away)
            continue;
        const struct layout *l = op->layout;
        struct key_ref key = key_ref_of(db->seed, l, op->away, op->away_bytes);
        int rc = shard_fault(forward_shard(db, l, &key), l, &key);
        free(op->away);
        op->away = NULL;
        if (rc != WARP_OK && rc != WARP_ENOTFOUND)
            return rc;
    }
    return WARP_OK;
}

static int check_candidate(struct warp_db *db, struct op *op,
                           struct plan *plan, const struct wanted *w,
                           const uint8_t *bytes, uint32_t count)
{
    const struct layout *l = op->layout;
    if (count == op->key_bytes &&
        memcmp(bytes, op->body + op->key_at, count) == 0)
        return WARP_OK;
    struct key_ref key = key_ref_of(db->seed, l, bytes, count);
    struct shard *s = forward_shard(db, l, &key);
    _Atomic uint64_t *slot;
    int in_batch = held_in_batch(plan, shard_peek(s, &key, &slot), w,
                                 op->now);
    bool held = in_batch > 0;
    if (in_batch < 0) {
        int rc = held_in_store(db, l, &key, w, &held);
        if (rc == READ_AWAY)
            return away(db, op, bytes, count);
        if (rc != WARP_OK)
            return rc;
    }
    if (held)
        return error_set(WARP_EEXIST, "%s.%s: another record has this value",
                         l->desc->name, l->desc->fields[w->field].name);
    return WARP_OK;
}

int unique_check(struct warp_db *db, struct op *op, struct plan *plan)
{
    const struct layout *l = op->layout;
    FOR_BITS(i, (op->set | op->memory) & l->unique)
    {
        struct wanted w = {.field = (uint32_t)i};
        struct secondary_iter *it = NULL;
        const uint8_t *key;
        uint32_t count;
        if (!stays(op, plan, w.field))
            continue;
        int rc = index_bytes_of(op, w.field, w.bytes, &w.count);
        if (rc == WARP_OK)
            rc = secondary_find(db->secondary, l, w.field, w.bytes, w.count,
                                &it);
        while (rc == WARP_OK &&
               (rc = secondary_next(it, &key, &count)) == WARP_OK)
            rc = check_candidate(db, op, plan, &w, key, count);
        secondary_iter_close(&it);
        if (rc != WARP_OK && rc != WARP_END)
            return rc;
    }
    return WARP_OK;
}
