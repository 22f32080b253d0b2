/* column_call.c: a copy of one column of one shard, as a caller gets it.
 *
 * It is made under the shard's lock, so it is one moment of the shard. Fields
 * without an array of their own (derived ones) are read record by record. */
#include "codec.h"
#include "column.h"
#include "db.h"
#include "derive.h"
#include "error.h"
#include "hash.h"
#include "read.h"

#include <stdlib.h>

/* What the caller's column points into. */
struct owner {
    uint8_t *data;
    uint64_t *have;
    uint8_t *keys;
    struct warp_arena arena; /* strings of keys */
};

struct copying {
    struct warp_db *db;
    const struct layout *l;
    struct shard *shard;
    uint32_t field, stride;
    int64_t now;
    struct owner *owner;
    uint8_t *key_bytes; /* u16 length and bytes, one after the other */
    size_t key_used, key_room;
    uint32_t count, room;
    void *record; /* read record by record: in C form */
    struct warp_arena arena;
    int rc;
};

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for a column");
}

static int make_room(struct copying *c, uint32_t rows)
{
    size_t words = (rows + 63) / 64, old = (c->room + 63) / 64;
    void *data = realloc(c->owner->data, (size_t)rows * c->stride);
    if (data)
        c->owner->data = data;
    uint64_t *have = realloc(c->owner->have, words * sizeof *have);
    if (have) {
        memset(have + old, 0, (words - old) * sizeof *have);
        c->owner->have = have;
    }
    if (!data || !have)
        return no_memory();
    c->room = rows;
    return WARP_OK;
}

/* A row behind the last one, with the record's key. */
static int add_row(struct copying *c, const struct record *r)
{
    uint16_t bytes = (uint16_t)record_key_bytes(c->l, r);
    if (c->count == c->room) {
        int rc = make_room(c, c->room ? c->room * 2 : 1024);
        if (rc != WARP_OK)
            return rc;
    }
    if (c->key_used + sizeof bytes + bytes > c->key_room) {
        size_t room = (c->key_used + sizeof bytes + bytes) * 2 + 16384;
        void *grown = realloc(c->key_bytes, room);
        if (!grown)
            return no_memory();
        c->key_bytes = grown;
        c->key_room = room;
    }
    memcpy(c->key_bytes + c->key_used, &bytes, sizeof bytes);
    memcpy(c->key_bytes + c->key_used + sizeof bytes, record_key(c->l, r),
           bytes);
    c->key_used += sizeof bytes + bytes;
    c->count++;
    return WARP_OK;
}

/* NULL: the last row has no value. */
static void set_value(struct copying *c, const void *value)
{
    uint32_t row = c->count - 1;
    uint8_t *to = c->owner->data + (size_t)row * c->stride;
    if (!value) {
        memset(to, 0, c->stride);
        return;
    }
    memcpy(to, value, c->stride);
    c->owner->have[row / 64] |= UINT64_C(1) << row % 64;
}

static bool has_value(const struct copying *c, const struct record *r)
{
    uint64_t bit = UINT64_C(1) << c->field;
    return (record_have(r) & bit) && !read_expired(c->l, r, bit, c->now);
}

/* Under the lock. */
static int copy_array(struct copying *c)
{
    const struct column_set *set = c->shard->columns[c->l->number];
    const uint8_t *values = column_values(set, c->field);
    for (uint32_t row = 0; row < column_rows(set); row++) {
        const struct record *r = column_owner(set, row);
        if (!shard_exists(c->l, r, c->now))
            continue;
        int rc = add_row(c, r);
        if (rc != WARP_OK)
            return rc;
        set_value(c, has_value(c, r) ? values + (size_t)row * c->stride
                                     : NULL);
    }
    return WARP_OK;
}

static void copy_record(void *arg, void *record)
{
    struct copying *c = arg;
    const struct record *r = record;
    uint64_t have = 0, bit = UINT64_C(1) << c->field;
    if (c->rc != WARP_OK || record_product(r) != c->l->number ||
        !shard_exists(c->l, r, c->now))
        return;
    struct key_ref key = record_key_ref(c->l, r, 0);
    key.hash = hash_key(c->db->seed, c->l->id, key.bytes, key.count);
    warp_arena_reset(&c->arena);
    int rc = read_record_held(c->db, c->l, &key, bit, c->record, &c->arena);
    if (rc == WARP_ENOTFOUND)
        return;
    if (rc == WARP_OK)
        rc = add_row(c, r);
    if (rc == WARP_OK) {
        const char *out = c->record;
        memcpy(&have, out + c->l->desc->have_offset, sizeof have);
        set_value(c, have & bit ? out + c->l->fields[c->field].offset : NULL);
    }
    c->rc = rc;
}

static int copy_records(struct copying *c)
{
    c->record = calloc(1, c->l->desc->record_bytes);
    if (!c->record)
        return no_memory();
    for (uint32_t n = 0; index_walk(&c->shard->index, n, copy_record, c); n++)
        if (c->rc != WARP_OK)
            break;
    return c->rc;
}

static int decode_keys(struct copying *c)
{
    const struct warp_product *desc = c->l->desc;
    const uint8_t *at = c->key_bytes;
    c->owner->keys = calloc(c->count ? c->count : 1, desc->key_bytes);
    if (!c->owner->keys)
        return no_memory();
    for (uint32_t i = 0; i < c->count; i++) {
        uint16_t bytes;
        memcpy(&bytes, at, sizeof bytes);
        int rc = key_decode(desc, at + sizeof bytes, bytes,
                            c->owner->keys + (size_t)i * desc->key_bytes,
                            NULL, &c->owner->arena);
        if (rc != WARP_OK)
            return rc;
        at += sizeof bytes + bytes;
    }
    return WARP_OK;
}

static int check(struct warp_db *db, const struct warp_product *desc,
                 uint32_t field, uint32_t shard, const struct layout **l)
{
    if (atomic_load_explicit(db->fork_guard, memory_order_relaxed) == 0)
        return db_forked();
    *l = db_layout(db, desc);
    if (!*l)
        return error_set(WARP_EINVAL, "%s is not a product of this store's "
                                      "schema",
                         desc ? desc->name : "NULL");
    if (field >= desc->field_count ||
        !(desc->fields[field].flags & WARP_F_COLUMN))
        return error_set(WARP_EINVAL, "%s: the field is no column",
                         desc->name);
    if (shard >= db->shard_count)
        return error_set(WARP_EINVAL, "shard %u: the store has %u", shard,
                         db->shard_count);
    return WARP_OK;
}

static int copy(struct copying *c)
{
    bool array = (c->l->columns >> c->field & 1) != 0;
    os_lock(&c->shard->lock);
    uint32_t rows = array ? column_rows(c->shard->columns[c->l->number]) : 0;
    os_unlock(&c->shard->lock);
    int rc = make_room(c, rows + rows / 8 + 64);
    if (rc != WARP_OK)
        return rc;
    os_lock(&c->shard->lock);
    rc = array ? copy_array(c) : copy_records(c);
    os_unlock(&c->shard->lock);
    return rc == WARP_OK ? decode_keys(c) : rc;
}

int warp_gen_column(struct warp_db *db, const struct warp_product *desc,
                    uint32_t field, uint32_t shard, struct warp_column *out)
{
    const struct layout *l = NULL;
    if (!db || !out)
        return error_set(WARP_EINVAL, "%s: NULL where a value is needed",
                         desc ? desc->name : "?");
    memset(out, 0, sizeof *out);
    int rc = check(db, desc, field, shard, &l);
    if (rc != WARP_OK)
        return rc;
    if (atomic_load(&db->loading))
        db_wait_loaded(db);
    struct copying c = {.db = db, .l = l, .shard = &db->shards[shard],
                        .field = field, .arena = WARP_ARENA_INIT,
                        .stride = desc->fields[field].type->size,
                        .now = read_now(db, l)};
    c.owner = calloc(1, sizeof *c.owner);
    if (!c.owner)
        return no_memory();
    c.owner->arena = (struct warp_arena)WARP_ARENA_INIT;
    rc = derive_prepare(db, l, UINT64_C(1) << field);
    if (rc == WARP_OK)
        rc = copy(&c);
    derive_unprepare();
    free(c.key_bytes);
    free(c.record);
    warp_arena_free(&c.arena);
    *out = (struct warp_column){.data = c.owner->data,
                                .have = c.owner->have,
                                .keys = c.owner->keys,
                                .count = c.count,
                                .stride_bytes = c.stride,
                                .key_bytes = desc->key_bytes,
                                .owner = c.owner};
    if (rc != WARP_OK)
        warp_column_release(out);
    return rc;
}

void warp_column_release(struct warp_column *column)
{
    struct owner *owner = column ? column->owner : NULL;
    if (!owner)
        return;
    free(owner->data);
    free(owner->have);
    free(owner->keys);
    warp_arena_free(&owner->arena);
    free(owner);
    memset(column, 0, sizeof *column);
}
