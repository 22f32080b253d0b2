/* iter.c: scans in key order over all shards, and look-ups by a secondary
 * index. Series iterators are in iter_series.c.
 *
 * A scan merges the directory's cursor with the keys that were only in memory
 * when it began; every key is then read as it is now, so what is returned is a
 * committed version, and what has gone meanwhile is left out. */
#include "iter.h"

#include "codec.h"
#include "error.h"
#include "hash.h"
#include "iter_call.h"
#include "key_sort.h"
#include "lines.h"
#include "read.h"
#include "scan_row.h"

#include <stdlib.h>

static int no_memory(void)
{
    return error_set(WARP_ENOMEM, "out of memory for an iterator");
}

int iter_enter(struct warp_db *db, const struct warp_product *desc,
               struct warp_iter **out, struct warp_iter **it)
{
    if (!db || !out)
        return error_set(WARP_EINVAL, "%s: NULL where a value is needed",
                         desc ? desc->name : "?");
    *out = NULL;
    if (atomic_load_explicit(db->fork_guard, memory_order_relaxed) == 0)
        return db_forked();
    struct layout *l = db_layout(db, desc);
    if (!l)
        return error_set(WARP_EINVAL,
                         "%s is not a product of this store's schema",
                         desc ? desc->name : "NULL");
    *it = calloc(1, sizeof **it);
    if (!*it)
        return no_memory();
    (*it)->db = db;
    (*it)->layout = l;
    return WARP_OK;
}

int iter_check(const struct warp_iter *it, const struct warp_product *desc,
               enum iter_kind kind)
{
    if (!it)
        return error_set(WARP_EINVAL, "no iterator");
    if (atomic_load_explicit(it->db->fork_guard, memory_order_relaxed) == 0)
        return db_forked();
    if (it->layout->desc != desc ||
        (it->kind == ITER_SERIES) != (kind == ITER_SERIES))
        return error_set(WARP_EINVAL, "this iterator is of %s%s",
                         it->layout->desc->name,
                         it->kind == ITER_SERIES ? "'s series" : "");
    return WARP_OK;
}

void warp_iter_close(struct warp_iter **iter)
{
    if (!iter || !*iter)
        return;
    struct warp_iter *it = *iter;
    if (it->cursor)
        ssd_cursor_close(&it->cursor);
    if (it->by)
        secondary_iter_close(&it->by);
    if (it->series)
        series_iter_close(&it->series);
    warp_arena_free(&it->arena);
    free(it->keys.bytes);
    free(it->keys.list);
    free(it);
    *iter = NULL;
}

/* ---- the keys in memory ---- */

static int compare(const uint8_t *a, uint32_t a_bytes, const uint8_t *b,
                   uint32_t b_bytes)
{
    uint32_t n = a_bytes < b_bytes ? a_bytes : b_bytes;
    int order = memcmp(a, b, n);
    if (order != 0)
        return order;
    return a_bytes < b_bytes ? -1 : a_bytes > b_bytes;
}

static bool in_range(const struct warp_iter *it, const uint8_t *key,
                     uint32_t bytes)
{
    return compare(key, bytes, it->from, it->from_bytes) >= 0 &&
           compare(key, bytes, it->to, it->to_bytes) < 0;
}

static int add_key(struct warp_iter *it, const struct record *r)
{
    struct iter_keys *k = &it->keys;
    uint8_t key[ROW_KEY_BYTES_MAX];
    if (!r || record_product(r) != it->layout->number ||
        (record_have(r) & R_DELETED))
        return WARP_OK;
    uint32_t bytes = row_key(key, it->layout->id, record_key(it->layout, r),
                             record_key_bytes(it->layout, r));
    if (!in_range(it, key, bytes))
        return WARP_OK;
    if (k->used + bytes > k->room) {
        size_t room = (k->used + bytes) * 2 + 4096;
        uint8_t *grown = realloc(k->bytes, room);
        if (!grown)
            return no_memory();
        k->bytes = grown;
        k->room = room;
    }
    if (k->count == k->list_room) {
        uint32_t room = k->list_room ? k->list_room * 2 : 256;
        struct iter_key *grown = realloc(k->list, room * sizeof *grown);
        if (!grown)
            return no_memory();
        k->list = grown;
        k->list_room = room;
    }
    memcpy(k->bytes + k->used, key, bytes);
    k->list[k->count++] = (struct iter_key){k->used, bytes};
    k->used += bytes;
    return WARP_OK;
}

/* Each record is a cache miss or two: several at a time. */
enum { AHEAD = 8 };

/* The same for the record of a key to come: its slot, then itself. */
static void prefetch_next(const struct warp_iter *it)
{
    const struct warp_db *db = it->db;
    const struct iter_keys *keys = &it->keys;
    for (uint32_t step = 1; step <= 2; step++) {
        uint32_t at = it->next_key + step * AHEAD;
        if (at >= keys->count)
            return;
        const struct iter_key *k = &keys->list[at];
        uint64_t hash = hash_key(db->seed, it->layout->id,
                                 keys->bytes + k->at + 2, k->count - 2);
        const struct shard *s =
            &db->shards[hash_shard(hash, db->shard_count)];
        if (step == 1)
            shard_prefetch_record(s, hash);
        else
            index_prefetch(&s->index, hash);
    }
    if (it->next_key + 3 * AHEAD < keys->count)
        __builtin_prefetch(keys->bytes +
                           keys->list[it->next_key + 3 * AHEAD].at);
}

static int take_keys(struct warp_iter *it)
{
    int rc = WARP_OK;
    /* What moves from one shard to another meanwhile might not be seen. */
    if (it->layout->roams)
        os_lock(&it->db->relocate_lock);
    for (uint32_t i = 0; i < it->db->shard_count && rc == WARP_OK; i++) {
        struct shard *s = &it->db->shards[i];
        os_lock(&s->lock);
        for (uint32_t at = 0; rc == WARP_OK &&
                              index_next_marked(&s->index, &at);
             at++) {
            void *records[INDEX_SLOTS_MAX];
            uint32_t n = index_marked(&s->index, at, false, records);
            for (uint32_t k = 0; k < n && rc == WARP_OK; k++) {
                if (k + AHEAD < n)
                    PREFETCH_LINES(records[k + AHEAD], 0);
                rc = add_key(it, records[k]);
            }
        }
        for (uint32_t k = 0; k < s->flushing_count && rc == WARP_OK; k++)
            rc = add_key(it, s->flushing[k]);
        os_unlock(&s->lock);
    }
    if (it->layout->roams)
        os_unlock(&it->db->relocate_lock);
    return rc;
}

static void key_of(const void *arg, uint32_t number, struct key_sort_key *key)
{
    const struct iter_keys *keys = arg;
    const struct iter_key *k = &keys->list[number];
    *key = (struct key_sort_key){keys->bytes + k->at, k->count, 0};
}

/* To sort more takes some 10 ms. */
enum { MANY_KEYS = 1 << 16 };

static int sort_keys(struct warp_iter *it)
{
    struct iter_keys *keys = &it->keys;
    struct key_rank *ranks;
    if (keys->count < 2)
        return WARP_OK;
    struct iter_key *sorted = malloc(keys->count * sizeof *sorted);
    if (!sorted)
        return no_memory();
    int rc = key_sort(keys->count, key_of, keys, &ranks);
    if (rc != WARP_OK) {
        free(sorted);
        return rc;
    }
    for (uint32_t i = 0; i < keys->count; i++)
        sorted[it->reverse ? keys->count - 1 - i : i] =
            keys->list[ranks[i].at];
    free(ranks);
    free(keys->list);
    keys->list = sorted;
    keys->list_room = keys->count;
    return WARP_OK;
}

/* ---- bounds ---- */

/* The least key above all that begin with these bytes. */
static uint32_t after_prefix(uint8_t *bytes, uint32_t count)
{
    while (count > 0 && bytes[count - 1] == 0xff)
        count--;
    if (count > 0)
        bytes[count - 1]++;
    return count;
}

static int set_bound(const struct layout *l, const void *key, uint8_t *to,
                     uint32_t *bytes)
{
    const char *why = NULL;
    size_t count = 0;
    int rc = key_encode(l->desc, key, to + 2, &count, &why);
    if (rc != WARP_OK)
        return error_set(rc, "%s: a bound of the range %s", l->desc->name,
                         why ? why : "is not valid");
    *bytes = (uint32_t)count + 2;
    return WARP_OK;
}

static int set_prefix(struct warp_iter *it, const struct warp_str *prefix)
{
    const struct layout *l = it->layout;
    uint8_t kind = l->key_type ? l->key_type->kind : 0;
    if (kind != WARP_T_STRING && kind != WARP_T_BYTES)
        return error_set(WARP_EINVAL,
                         "%s: a prefix is for products with one string or "
                         "bytes key",
                         l->desc->name);
    if (prefix->len > KEY_BYTES_MAX || (prefix->len > 0 && !prefix->data))
        return error_set(WARP_EINVAL, "%s: the prefix is NULL or longer than "
                                      "a key can be", l->desc->name);
    uint8_t from[512];
    uint32_t bytes = row_key(from, l->id, (const uint8_t *)prefix->data,
                             prefix->len);
    if (compare(from, bytes, it->from, it->from_bytes) > 0) {
        memcpy(it->from, from, bytes);
        it->from_bytes = bytes;
    }
    bytes = after_prefix(from, bytes);
    if (compare(from, bytes, it->to, it->to_bytes) < 0) {
        memcpy(it->to, from, bytes);
        it->to_bytes = bytes;
    }
    return WARP_OK;
}

static int set_range(struct warp_iter *it, const struct warp_gen_range *range)
{
    const struct layout *l = it->layout;
    int rc = WARP_OK;
    it->from_bytes = row_key(it->from, l->id, NULL, 0);
    it->to_bytes = row_key(it->to, l->id, NULL, 0);
    it->to_bytes = after_prefix(it->to, it->to_bytes);
    if (!range)
        return rc;
    it->reverse = range->reverse;
    if (range->from)
        rc = set_bound(l, range->from, it->from, &it->from_bytes);
    if (rc == WARP_OK && range->to) {
        row_key(it->to, l->id, NULL, 0);
        rc = set_bound(l, range->to, it->to, &it->to_bytes);
    }
    if (rc == WARP_OK && range->prefix)
        rc = set_prefix(it, range->prefix);
    return rc;
}

static int check_fields(const struct layout *l, uint64_t fields)
{
    uint64_t bad = fields & ~(l->stored | l->derived | l->keys |
                              WARP_RESIDENT | WARP_ARCHIVE);
    if (!bad)
        return WARP_OK;
    return error_set(WARP_EINVAL, "%s: the mask names a series, or no field "
                                  "or flag (bit %d)",
                     l->desc->name, __builtin_ctzll(bad));
}

int warp_gen_scan(struct warp_db *db, const struct warp_product *desc,
                  const struct warp_gen_range *range, uint64_t fields,
                  struct warp_iter **out)
{
    struct warp_iter *it = NULL;
    int rc = iter_enter(db, desc, out, &it);
    if (rc != WARP_OK)
        return rc;
    it->kind = ITER_SCAN;
    it->fields = fields;
    it->rows_answer = scan_row_may(it->layout, fields);
    rc = check_fields(it->layout, fields);
    if (rc == WARP_OK)
        rc = set_range(it, range);
    /* First memory, then the directory: what a checkpoint moves meanwhile is
     * seen twice, never missed. */
    if (rc == WARP_OK)
        rc = take_keys(it);
    if (rc == WARP_OK)
        rc = sort_keys(it);
    if (it->keys.count >= MANY_KEYS &&
        !atomic_exchange_explicit(&db->scanned, true, memory_order_relaxed))
        db_wake_keeper(db);
    struct ssd_slice from = {it->from, it->from_bytes};
    struct ssd_slice to = {it->to, it->to_bytes};
    if (rc == WARP_OK && compare(it->from, it->from_bytes, it->to,
                                 it->to_bytes) >= 0)
        it->cursor_ended = true;
    else if (rc == WARP_OK)
        rc = ssd_cursor_open(db->ssd, SSD_ROWS, from, to, it->reverse,
                             &it->cursor);
    if (rc == WARP_OK)
        *out = it;
    else
        warp_iter_close(&it);
    return rc;
}

/* ---- going on ---- */

/* The next key of the merge into it->key; WARP_END. */
static int next_key(struct warp_iter *it)
{
    for (;;) {
        if (!it->cursor_ended && !it->cursor_ahead) {
            int rc =
                ssd_next(it->cursor, &it->cursor_key, &it->cursor_row);
            if (rc == WARP_END)
                it->cursor_ended = true;
            else if (rc != WARP_OK)
                return rc;
            else
                it->cursor_ahead = true;
        }
        const uint8_t *key = it->cursor_key.data;
        uint32_t bytes = (uint32_t)it->cursor_key.bytes;
        bool memory = false;
        if (it->next_key < it->keys.count) {
            struct iter_key *k = &it->keys.list[it->next_key];
            const uint8_t *mine = it->keys.bytes + k->at;
            int order = it->cursor_ahead
                            ? compare(mine, k->count, key, bytes)
                            : 0;
            memory = !it->cursor_ahead || (it->reverse ? order > 0
                                                       : order < 0);
            if (memory) {
                key = mine;
                bytes = k->count;
            }
        } else if (!it->cursor_ahead) {
            return WARP_END;
        }
        if (memory) {
            it->next_key++;
            prefetch_next(it);
        } else {
            it->cursor_ahead = false;
        }
        if (bytes > sizeof it->merged)
            continue;
        /* The cursor alone gives no key twice. */
        if (it->keys.count > 0) {
            if (it->started &&
                compare(key, bytes, it->merged, it->merged_bytes) == 0)
                continue;
            memcpy(it->merged, key, bytes);
            it->merged_bytes = bytes;
            it->started = true;
        }
        it->key = (struct ssd_slice){key, bytes};
        it->from_row = !memory;
        return WARP_OK;
    }
}

static uint64_t hash_of(const struct warp_iter *it, const uint8_t *key,
                        uint32_t bytes)
{
    return hash_key(it->db->seed, it->layout->id, key, bytes);
}

/* The key has not changed since its row was read, and the row's snapshot is
 * the directory's last: asked in this order, since a checkpoint may end
 * meanwhile. */
static bool row_is_record(const struct warp_iter *it, const uint8_t *key,
                          uint32_t bytes)
{
    const struct changed *c = &it->db->changed;
    return it->rows_answer &&
           (changed_none(c) || !changed_may(c, hash_of(it, key, bytes))) &&
           ssd_cursor_current(it->cursor);
}

static int read_at(struct warp_iter *it, const uint8_t *key, uint32_t bytes,
                   uint64_t fields, void *out, struct warp_arena *arena)
{
    const struct layout *l = it->layout;
    memset(out, 0, l->desc->record_bytes);
    int rc = 1;
    if (it->from_row && row_is_record(it, key, bytes)) {
        db_count(&db_stripe(it->db)->gets);
        rc = scan_row(l, it->cursor_row, fields, out, arena);
    }
    if (rc == 1) {
        struct key_ref ref = key_ref_of(it->db->seed, l, key, bytes);
        rc = read_record(it->db, l, &ref, fields, out, arena);
    }
    if (rc != WARP_OK || layout_put_usual_key(l, key, bytes, out))
        return rc;
    return read_key(l, key, bytes, out, arena);
}

static int next_scan(struct warp_iter *it, void *out,
                     struct warp_arena *arena)
{
    for (;;) {
        int rc = next_key(it);
        if (rc == WARP_OK)
            rc = read_at(it, (const uint8_t *)it->key.data + 2,
                         (uint32_t)it->key.bytes - 2, it->fields, out, arena);
        if (rc != WARP_ENOTFOUND)
            return rc;
    }
}

/* Does the record that was just read hold the value? Takes the field out of
 * the result if it was not asked for. */
static bool holds(struct warp_iter *it, void *out)
{
    const struct layout *l = it->layout;
    uint64_t bit = UINT64_C(1) << it->field, have;
    uint8_t bytes[512];
    size_t count = 0;
    const char *why;
    char *field = (char *)out + l->fields[it->field].offset;
    memcpy(&have, (char *)out + l->desc->have_offset, sizeof have);
    bool same = (have & bit) &&
                key_encode_value(l->desc->fields[it->field].type, field,
                                 bytes, &count, &why) == WARP_OK &&
                count == it->value_bytes &&
                memcmp(bytes, it->value, count) == 0;
    if (!(it->fields & bit)) {
        memset(field, 0, l->desc->fields[it->field].type->size);
        have &= ~bit;
        memcpy((char *)out + l->desc->have_offset, &have, sizeof have);
    }
    return same;
}

/* The indexed field is read to compare it; a caller who asked for nothing that
 * needs an arena need not have one for that. */
static bool needs_no_arena(const struct warp_iter *it)
{
    const struct layout *l = it->layout;
    return l->key_type && l->key_type->plain &&
           !(it->fields & (l->var | l->derived));
}

static int next_by(struct warp_iter *it, void *out, struct warp_arena *arena)
{
    uint64_t bit = UINT64_C(1) << it->field;
    uint64_t fields = it->fields | bit;
    if (it->layout->cold & bit)
        fields &= ~WARP_RESIDENT; /* else nothing could be compared */
    if (!arena && needs_no_arena(it)) {
        warp_arena_reset(&it->arena);
        arena = &it->arena;
    }
    for (;;) {
        const uint8_t *key;
        uint32_t bytes;
        int rc = secondary_next(it->by, &key, &bytes);
        if (rc == WARP_OK)
            rc = read_at(it, key, bytes, fields, out, arena);
        if (rc == WARP_ENOTFOUND || (rc == WARP_OK && !holds(it, out)))
            continue;
        return rc;
    }
}

int warp_gen_next(struct warp_iter *it, const struct warp_product *desc,
                  void *out, struct warp_arena *arena)
{
    int rc = iter_check(it, desc, ITER_SCAN);
    if (rc != WARP_OK)
        return rc;
    if (!out)
        return error_set(WARP_EINVAL, "%s: next needs a place for the result",
                         desc->name);
    return it->kind == ITER_SCAN ? next_scan(it, out, arena)
                                 : next_by(it, out, arena);
}

int warp_gen_by(struct warp_db *db, const struct warp_product *desc,
                uint32_t field, const void *value, uint64_t fields,
                struct warp_iter **out)
{
    struct warp_iter *it = NULL;
    const char *why = NULL;
    size_t count = 0;
    int rc = iter_enter(db, desc, out, &it);
    if (rc != WARP_OK)
        return rc;
    const struct layout *l = it->layout;
    it->kind = ITER_BY;
    it->fields = fields;
    it->field = field;
    if (!value || field >= desc->field_count || !(l->indexed >> field & 1))
        rc = error_set(WARP_EINVAL, "%s: this field has no index, or the "
                                    "value is NULL", desc->name);
    if (rc == WARP_OK)
        rc = check_fields(l, fields);
    if (rc == WARP_OK) {
        rc = key_encode_value(desc->fields[field].type, value, it->value,
                              &count, &why);
        it->value_bytes = (uint32_t)count;
        if (rc != WARP_OK)
            error_set(rc, "%s.%s %s", desc->name, desc->fields[field].name,
                      why ? why : "is not valid");
    }
    if (rc == WARP_OK)
        rc = secondary_find(db->secondary, l, field, it->value,
                            it->value_bytes, &it->by);
    if (rc == WARP_OK)
        *out = it;
    else
        warp_iter_close(&it);
    return rc;
}

int warp_gen_get_by(struct warp_db *db, const struct warp_product *desc,
                    uint32_t field, const void *value, uint64_t fields,
                    void *out, struct warp_arena *arena)
{
    struct warp_iter *it = NULL;
    int rc = warp_gen_by(db, desc, field, value, fields, &it);
    if (rc == WARP_OK)
        rc = warp_gen_next(it, desc, out, arena);
    warp_iter_close(&it);
    if (rc == WARP_END)
        return error_set(WARP_ENOTFOUND, "%s: no record has this %s",
                         desc->name, desc->fields[field].name);
    return rc;
}
