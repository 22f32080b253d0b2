/* column.c: one field over one shard as a contiguous array: gathered from the
 * rows under the shard's lock, in C form, with the keys beside it. */
#include "clock.h"
#include "codec.h"
#include "error.h"
#include "read.h"

#include <stdlib.h>

/* What warp_column.owner points to. */
struct gathered {
    struct warp_arena arena; /* of keys that are strings */
    uint8_t *data;
    uint8_t *keys;
    uint64_t *have;
};

struct gather_call {
    struct shard *shard;
    const struct layout *l;
    uint32_t field;
    int64_t now;
    struct gathered *to;
    size_t count, room;
    int rc;
};

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for a column");
}

static int make_room(struct gather_call *c)
{
    const struct warp_product *desc = c->l->desc;
    size_t stride = desc->fields[c->field].type->size;
    size_t room = c->room ? c->room * 2 : 1024;
    uint8_t *data = realloc(c->to->data, room * stride);
    if (data)
        c->to->data = data;
    uint8_t *keys = realloc(c->to->keys, room * desc->key_bytes);
    if (keys)
        c->to->keys = keys;
    uint64_t *have = realloc(c->to->have, room / 64 * sizeof *have);
    if (have)
        c->to->have = have;
    if (!data || !keys || !have)
        return no_memory();
    memset(have + c->room / 64, 0, (room - c->room) / 64 * sizeof *have);
    c->room = room;
    return WARP_OK;
}

static void gather(void *arg, void *record)
{
    struct gather_call *c = arg;
    struct record *r = record;
    const struct layout *l = c->l;
    if (c->rc != WARP_OK || r->product != l->number ||
        !shard_exists(l, r, c->now))
        return;
    if (c->count == c->room)
        c->rc = make_room(c);
    if (c->rc != WARP_OK)
        return;
    const struct field_layout *f = &l->fields[c->field];
    const struct warp_type *type = l->desc->fields[c->field].type;
    uint8_t *to = c->to->data + c->count * type->size;
    uint64_t bit = UINT64_C(1) << c->field;
    memset(to, 0, type->size);
    if ((record_have(r) & bit) &&
        !(read_expired(l, r, bit, c->now) & bit)) {
        c->rc = codec_decode(type, r->row + f->slot, f->bytes, to, NULL);
        c->to->have[c->count / 64] |= UINT64_C(1) << (c->count % 64);
    }
    if (c->rc == WARP_OK)
        c->rc = key_decode(l->desc, record_key(l, r), r->key_bytes,
                           c->to->keys + c->count * l->desc->key_bytes, NULL,
                           &c->to->arena);
    c->count++;
}

static void gathered_free(struct gathered *g)
{
    warp_arena_free(&g->arena);
    free(g->data);
    free(g->keys);
    free(g->have);
    free(g);
}

int warp_gen_column(struct warp_db *db, const struct warp_product *desc,
                    uint32_t field, uint32_t shard, struct warp_column *out)
{
    if (!db || !out)
        return error_set(WARP_EINVAL, "%s: NULL where a value is needed",
                         desc ? desc->name : "?");
    memset(out, 0, sizeof *out);
    if (atomic_load_explicit(db->fork_guard, memory_order_relaxed) == 0)
        return error_set(WARP_EFORK, "the store belongs to the parent "
                                     "process: open it after fork()");
    const struct layout *l = db_layout(db, desc);
    if (!l || field >= desc->field_count || !(l->columns >> field & 1))
        return error_set(WARP_EINVAL, "%s: this field is no column",
                         desc ? desc->name : "NULL");
    if (shard >= db->shard_count)
        return error_set(WARP_EINVAL, "shard %u: the store has %u", shard,
                         db->shard_count);
    db_wait_loaded(db);
    struct gathered *g = calloc(1, sizeof *g);
    if (!g)
        return no_memory();
    struct shard *s = &db->shards[shard];
    struct gather_call call = {s, l, field, read_now(db, l), g, 0, 0,
                               WARP_OK};
    os_lock(&s->lock);
    for (uint32_t at = 0; index_walk(&s->index, at, gather, &call); at++)
        ;
    os_unlock(&s->lock);
    if (call.rc != WARP_OK) {
        gathered_free(g);
        return call.rc;
    }
    out->data = g->data;
    out->have = g->have;
    out->keys = g->keys;
    out->count = call.count;
    out->stride_bytes = desc->fields[field].type->size;
    out->key_bytes = desc->key_bytes;
    out->owner = g;
    return WARP_OK;
}

void warp_column_release(struct warp_column *column)
{
    if (!column || !column->owner)
        return;
    gathered_free(column->owner);
    memset(column, 0, sizeof *column);
}
