/* compute.c: what kernels of a schema read beside their own record: the
 * shards, or the records of another product.
 *
 * A shard stands on the unit circle, number i of n at the angle 2 pi i / n.
 * Its mass is the number of records that it holds in memory, its load the
 * bytes that they take and its capacity its part of the memory budget, both in
 * MiB. */
#include "compute.h"

#include "error.h"

#include <math.h>
#include <stdlib.h>

enum { SHARD_PX = 1, SHARD_PY, SHARD_MASS, SHARD_LOAD, SHARD_CAPACITY };
/* Kernels of products that read each other's derived fields. */
enum { DEPTH_MAX = 8 };
static _Thread_local int depth;

static int no_memory(const struct warp_kernel *k)
{
    return error_set(WARP_ENOMEM, "%s: out of memory for its columns", k->name);
}

/* ---- shards ---- */

static float shard_value(struct warp_db *db, uint32_t number, uint8_t what)
{
    struct shard *s = &db->shards[number];
    double angle = 6.283185307179586 * number / db->shard_count, value = 0;
    switch (what) {
    case SHARD_PX:
        return (float)cos(angle);
    case SHARD_PY:
        return (float)sin(angle);
    case SHARD_CAPACITY:
        return (float)((double)db->memory_max / 1048576 / db->shard_count);
    default:
        os_lock(&s->lock);
        value = what == SHARD_MASS ? (double)s->index.count
                                   : (double)s->live_bytes / 1048576;
        os_unlock(&s->lock);
        return (float)value;
    }
}

static int shard_columns(struct warp_db *db, const struct warp_kernel *k,
                         struct derive_columns *out)
{
    out->count = db->shard_count;
    for (uint32_t i = 0; i < k->arg_count; i++) {
        if (k->args[i].side != WARP_SIDE_COL)
            continue;
        float *values = out->arg[i] = malloc(db->shard_count * sizeof *values);
        if (!values)
            return no_memory(k);
        for (uint32_t n = 0; n < db->shard_count; n++)
            values[n] = shard_value(db, n, k->args[i].source);
    }
    return WARP_OK;
}

/* ---- records of another product ---- */

static bool grow(const struct warp_kernel *k, struct derive_columns *out,
                 uint32_t *room)
{
    uint32_t wanted = *room ? *room * 2 : 256;
    for (uint32_t i = 0; i < k->arg_count; i++) {
        if (k->args[i].side != WARP_SIDE_COL)
            continue;
        void *grown = realloc(out->arg[i], (size_t)wanted * k->args[i].bytes);
        if (!grown)
            return false;
        out->arg[i] = grown;
    }
    *room = wanted;
    return true;
}

/* Records that lack one of the inputs are no columns. */
static int other_columns(struct warp_db *db, const struct warp_kernel *k,
                         struct derive_columns *out)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_iter *it = NULL;
    uint32_t room = 0;
    const struct warp_product *other = k->other;
    void *record = calloc(1, other->record_bytes);
    uint64_t keys = 0;
    for (uint32_t i = 0; i < other->key_count; i++)
        keys |= UINT64_C(1) << other->key_fields[i];
    int rc = record ? warp_gen_scan(db, other, NULL, k->other_inputs, &it)
                    : no_memory(k);
    while (rc == WARP_OK) {
        uint64_t have;
        warp_arena_reset(&arena);
        rc = warp_gen_next(it, other, record, &arena);
        if (rc != WARP_OK)
            break;
        memcpy(&have, (char *)record + other->have_offset, sizeof have);
        if (k->other_inputs & ~(have | keys))
            continue;
        if (out->count == room && !grow(k, out, &room))
            rc = no_memory(k);
        else if (k->take_other)
            k->take_other(record, out->arg, out->count++);
        else
            out->count++;
    }
    warp_iter_close(&it);
    warp_arena_free(&arena);
    free(record);
    return rc == WARP_END ? WARP_OK : rc;
}

/* WARP_END: not where locks are held. */
static int columns(struct warp_db *db, const struct warp_kernel *k, bool held,
                   struct derive_columns *out)
{
    if (held)
        return WARP_END;
    if (depth == DEPTH_MAX)
        return error_set(WARP_ELIMIT,
                         "%s: it is computed through the kernels of more "
                         "than %d products",
                         k->name, DEPTH_MAX);
    depth++;
    int rc = k->other ? other_columns(db, k, out) : shard_columns(db, k, out);
    depth--;
    if (rc != WARP_OK)
        derive_columns_free(out);
    return rc;
}

static bool device_stat(struct warp_db *db, uint32_t device, const char **kind,
                        uint64_t *held_bytes, uint64_t *sent_bytes)
{
    struct compute *c = db->compute;
    struct dispatch *d = NULL;
    if (device >= DEVICE_KINDS)
        return false;
    if (c) {
        os_lock(&c->lock);
        d = c->dispatch; /* it stays */
        os_unlock(&c->lock);
    }
    *kind = device_rows[device]->kind;
    *held_bytes = d ? mirror_held_bytes(dispatch_mirror(d), device) : 0;
    *sent_bytes = d ? dispatch_sent_bytes(d, device) : 0;
    return true;
}

int compute_open(struct warp_db *db)
{
    struct compute *c = calloc(1, sizeof *c);
    db->columns = columns;
    db->device_stat = device_stat;
    db->compute = c;
    if (!c)
        return error_set(WARP_ENOMEM, "out of memory for kernels");
    c->db = db;
    return WARP_OK;
}
