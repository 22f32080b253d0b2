/* repair_log.c: the log's commits that a damaged store's tiers do not hold. */
#include "repair.h"

#include "../checkpoint.h"
#include "../codec.h"
#include "../error.h"
#include "../layout.h"
#include "../log.h"
#include "../op.h"
#include "../row.h"
#include "../wire.h"

#include <stdlib.h>

enum { PATH_BYTES = 4200 };

/* ---- the log ---- */

static int apply_values(struct repair *r, struct op *op, struct row *w)
{
    FOR_BITS(i, op->set & w->l->durable)
    {
        const uint8_t *at = op_value_of(op, (uint32_t)i);
        uint32_t bytes = w->l->fields[i].form == SLOT_VAR
                             ? wire_get32(at - 4)
                             : w->l->fields[i].bytes;
        w->field = (uint32_t)i;
        if (repair_value(w, at, bytes, 0) == WARP_OK)
            w->mask |= UINT64_C(1) << i;
        else
            repair_tell_record(r, w->l, w->key, w->key_bytes, (int)i,
                               error_text());
    }
    return warp_gen_put(r->out, w->l->desc, w->record, w->mask | w->l->keys);
}

/* The put has given deadlines of its own: those of then take their place. A
 * change of deadlines alone writes no value, and makes no record. */
static int apply_update(struct repair *r, struct op *op, struct row *w)
{
    const uint8_t *at = op->body + op->dead_at;
    int rc = WARP_OK;
    if (op->kind == OP_APPEND || op->set || op->mark || (op->flags & OP_FLOOR))
        rc = apply_values(r, op, w);
    FOR_BITS(i, op->dead)
    {
        if (rc == WARP_OK)
            rc = repair_deadline(w, (uint32_t)i, (int64_t)wire_get64(at));
        at += 8;
    }
    return rc;
}

static int apply(struct repair *r, struct op *op)
{
    struct row w = {
        .r = r, .l = op->layout, .form = op->layout, .arena = WARP_ARENA_INIT};
    w.key = op->body + op->key_at;
    w.key_bytes = op->key_bytes;
    w.record = warp_arena_alloc(&w.arena, w.l->desc->record_bytes);
    const void *key = repair_key(&w);
    int rc = w.record && key ? WARP_OK : WARP_ENOMEM;
    if (rc == WARP_OK) {
        memset(w.record, 0, w.l->desc->record_bytes);
        rc =
            key_decode(w.l->desc, w.key, w.key_bytes, NULL, w.record, &w.arena);
    }
    if (rc == WARP_OK && (op->kind == OP_DELETE || op->kind == OP_ARRIVE ||
                          (op->flags & OP_FLOOR))) {
        rc = warp_gen_delete(r->out, w.l->desc, key);
        rc = rc == WARP_ENOTFOUND ? WARP_OK : rc;
    }
    if (rc == WARP_OK && (op->kind == OP_UPDATE || op->kind == OP_APPEND))
        rc = apply_update(r, op, &w);
    if (rc == WARP_OK && op->kind == OP_ARRIVE) {
        uint8_t bytes[ROW_KEY_BYTES_MAX];
        struct ssd_slice k = {bytes,
                              row_key(bytes, w.l->id, w.key, w.key_bytes)};
        struct ssd_slice row = {op->body + op->values_at,
                                op->bytes - op->values_at};
        os_lock(&r->row_lock);
        rc = repair_row(r, k, row);
        os_unlock(&r->row_lock);
    }
    warp_arena_free(&w.arena);
    return rc;
}

static int take_commit(void *arg, uint32_t shard, uint64_t seq,
                       const uint8_t *body, size_t bytes)
{
    struct repair *r = arg;
    int rc = WARP_OK;
    uint32_t ordinal = 0;
    while (bytes > 0 && rc == WARP_OK) {
        struct op op;
        size_t used = 0;
        rc = op_decode((const struct layout *const *)r->layouts,
                       r->layout_count, body, bytes, &op, &used);
        if (rc != WARP_OK) {
            repair_tell(r, "a commit of the log cannot be read");
            return WARP_OK;
        }
        if (op.kind != OP_DEPART &&
            !departed_has(&r->departed, &op, shard, seq))
            rc = apply(r, &op);
        if (rc == WARP_OK)
            rc = repair_element(r, &op, seq, ordinal++);
        body += used;
        bytes -= used;
    }
    os_lock(&r->lock);
    r->commits++;
    if (rc == WARP_OK && tool_progress(&r->bar, "log", r->commits, 0))
        rc = error_set(WARP_EIO, "stopped");
    os_unlock(&r->lock);
    return rc;
}

/* Shards are read side by side: of a key that went from one to another only
 * what the last one logged counts. */
static int note_departed(void *arg, uint32_t shard, uint64_t seq,
                         const uint8_t *body, size_t bytes)
{
    struct repair *r = arg;
    int rc = WARP_OK;
    while (bytes > 0 && rc == WARP_OK) {
        struct op op;
        size_t used = 0;
        if (op_decode((const struct layout *const *)r->layouts, r->layout_count,
                      body, bytes, &op, &used) != WARP_OK)
            return WARP_OK; /* it is told when it is to be applied */
        os_lock(&r->lock);
        if (op.kind == OP_DEPART)
            rc = departed_add(&r->departed, &op, shard, seq);
        os_unlock(&r->lock);
        body += used;
        bytes -= used;
    }
    return rc;
}

static int read_log(struct repair *r, log_replay_fn *fn,
                    void (*event)(void *arg, int code, const char *text))
{
    char dir[PATH_BYTES], ring[PATH_BYTES];
    uint64_t floors[256] = {0}, resident;
    int64_t mark;
    struct log *log = NULL;
    snprintf(dir, sizeof dir, "%.4000s/log", r->from);
    header_dir(&r->header, HEADER_RING, r->from, ring, sizeof ring);
    if ((!r->ssd || checkpoint_read(r->ssd, r->header.shards, floors, &mark,
                                    &resident) != WARP_OK) &&
        event)
        repair_tell(
            r, "the checkpoint's entry: the log is applied from its start");
    struct log_options o = {
        .dir = dir,
        .ring_dir = ring,
        .shards = r->header.shards,
        .ring_bytes = r->header.ring_bytes,
        .read_only = true,
        .salvage = true,
        .floor_seq = floors,
        .event = event,
        .arg = r,
    };
    memcpy(o.store_id, r->header.store_id, sizeof o.store_id);
    int rc = log_open(&o, &log);
    if (rc == WARP_OK)
        rc = log_replay(log, fn, r, NULL, NULL);
    if (log)
        log_close(&log);
    return rc;
}

int repair_log(struct repair *r)
{
    int rc = read_log(r, note_departed, NULL);
    departed_sort(&r->departed);
    if (rc != WARP_ENOMEM)
        rc = read_log(r, take_commit, repair_tell_event);
    departed_free(&r->departed);
    if (rc == WARP_ECORRUPT || rc == WARP_EINVAL || rc == WARP_EVERSION) {
        repair_tell(r, error_text());
        rc = WARP_OK;
    }
    return rc;
}
