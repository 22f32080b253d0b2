/* batch.c: collecting changes; warp_batch_* of warp.h. */
#include "batch.h"

#include "commit.h"
#include "error.h"

#include <stdlib.h>

enum {
    OPS_MAX = 1 << 22,
    /* An element's order has 16 bits for its place in the batch (series.h). */
    APPEND_PLACES = 1 << 16,
    FIRST_ROOM = 256
};

int warp_batch_begin(struct warp_db *db, struct warp_batch **out)
{
    if (!db || !out)
        return error_set(WARP_EINVAL, "warp_batch_begin: NULL argument");
    *out = NULL;
    if (atomic_load_explicit(db->fork_guard, memory_order_relaxed) == 0)
        return db_forked();
    struct warp_batch *b = calloc(1, sizeof *b);
    if (!b)
        return error_set(WARP_ENOMEM, "out of memory for a batch");
    b->db = db;
    *out = b;
    return WARP_OK;
}

int batch_add(struct warp_batch *b, const struct layout *l, int kind,
              struct op **out)
{
    *out = NULL;
    if (b->count == OPS_MAX)
        return batch_fail(b, error_set(WARP_ELIMIT,
                                       "a batch of more than %d changes",
                                       OPS_MAX));
    if (kind == OP_APPEND && b->count >= APPEND_PLACES)
        return batch_fail(b, error_set(WARP_ELIMIT,
                                       "an append behind %d changes of a "
                                       "batch: commit in several",
                                       APPEND_PLACES));
    if (b->count == b->room) {
        uint32_t room = b->room ? b->room * 2 : 16;
        struct op **grown = realloc(b->ops, room * sizeof *grown);
        if (!grown)
            return batch_fail(b, error_set(WARP_ENOMEM,
                                           "out of memory for a batch"));
        b->ops = grown;
        b->room = room;
    }
    struct op *op = malloc(sizeof *op);
    uint8_t *space = malloc(FIRST_ROOM);
    if (!op || !space) {
        free(op);
        free(space);
        return batch_fail(b, error_set(WARP_ENOMEM,
                                       "out of memory for a batch"));
    }
    op_init(op, l, (enum op_kind)kind, space, FIRST_ROOM);
    op->owned = true;
    b->ops[b->count++] = op;
    *out = op;
    return WARP_OK;
}

int batch_fail(struct warp_batch *b, int code)
{
    if (code != WARP_OK && b->failed == WARP_OK) {
        b->failed = code;
        strncpy(b->why, error_text(), sizeof b->why - 1);
    }
    return code;
}

static void batch_free(struct warp_batch **batch)
{
    struct warp_batch *b = *batch;
    for (uint32_t i = 0; i < b->count; i++) {
        op_fini(b->ops[i]);
        free(b->ops[i]);
    }
    free(b->ops);
    free(b);
    *batch = NULL;
}

int warp_batch_commit(struct warp_batch **batch)
{
    if (!batch || !*batch)
        return error_set(WARP_EINVAL, "warp_batch_commit: no batch");
    struct warp_batch *b = *batch;
    struct warp_db *db = b->db;
    int rc = b->failed;
    if (atomic_load_explicit(db->fork_guard, memory_order_relaxed) == 0)
        rc = db_forked();
    else if (rc != WARP_OK)
        error_set(rc, "nothing was written, because a change of the batch "
                      "was refused: %s",
                  b->why);
    else if (db->read_only)
        rc = error_set(WARP_EREADONLY, "the store is open for reading only");
    else
        rc = commit_ops(db, b->ops, b->count, b->power);
    if (rc == WARP_OK)
        atomic_fetch_add_explicit(&db->batches, 1, memory_order_relaxed);
    batch_free(batch);
    return rc;
}

void warp_batch_abort(struct warp_batch **batch)
{
    if (batch && *batch)
        batch_free(batch);
}

int warp_batch_survives(struct warp_batch *b, enum warp_survives survives)
{
    if (!b || survives < WARP_SURVIVES_NOTHING ||
        survives > WARP_SURVIVES_POWER_LOSS)
        return error_set(WARP_EINVAL, "warp_batch_survives: %s",
                         b ? "no such class" : "no batch");
    b->power = b->power || survives == WARP_SURVIVES_POWER_LOSS;
    return WARP_OK;
}
