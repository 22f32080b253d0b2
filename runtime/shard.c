/* shard.c: finding, making and freeing the records of one shard.
 *
 * Order in time of a change (commit.c): memory is set aside, the log takes the
 * change, then the record does; the tiers follow at a checkpoint. */
#include "shard.h"

#include "db.h"
#include "error.h"
#include "evict.h"
#include "forward.h"
#include "row_past.h"

#include <stdlib.h>

static uint64_t hash_of(const void *record, const void *arg)
{
    const struct warp_db *db = arg;
    const struct record *r = record;
    const struct layout *l = db->layouts[record_product(r)];
    return hash_key(db->seed, l->id, record_key(l, r),
                    record_key_bytes(l, r));
}

uint64_t shard_record_hash(const struct shard *s, const struct record *r)
{
    return hash_of(r, s->db);
}

uint64_t shard_hash(const struct warp_db *db, const struct op *op)
{
    return hash_key(db->seed, op->layout->id, op->body + op->key_at,
                    op->key_bytes);
}

static int make_columns(struct shard *s, struct heap_kind kind)
{
    struct warp_db *db = s->db;
    int rc = WARP_OK;
    s->columns = calloc(db->layout_count + 1, sizeof *s->columns);
    if (!s->columns)
        return error_set(WARP_ENOMEM, "out of memory for a shard");
    for (uint32_t i = 0; i < db->layout_count && rc == WARP_OK; i++)
        if (db->layouts[i]->columns)
            rc = column_set_create(db->layouts[i], &db->budget, kind,
                                   &s->columns[i]);
    return rc;
}

int shard_init(struct shard *s, struct warp_db *db, uint32_t number)
{
    memset(s, 0, sizeof *s);
    s->db = db;
    s->number = number;
    heap_init(&s->heap, &db->heap_budget);
    struct heap_kind kind = {.huge = db->options.huge_pages,
                             .on_node = db->options.numa,
                             .node = number};
    int rc = index_init(&s->index, &db->budget, kind, hash_of, db);
    if (rc != WARP_OK)
        return rc;
    heap_use(&s->heap, kind);
    /* Those are for rows and their index alone. */
    kind.huge = false;
    return make_columns(s, kind);
}

void shard_fini(struct shard *s)
{
    if (!s->db) /* one before it could not be made */
        return;
    if (s->index.dir)
        index_fini(&s->index);
    heap_fini(&s->heap);
    for (uint32_t i = 0; s->columns && i < s->db->layout_count; i++)
        column_set_destroy(&s->columns[i]);
    free(s->columns);
    shard_drop_flushing(s);
}

struct record *shard_peek(const struct shard *s, const struct key_ref *key,
                          _Atomic uint64_t **slot)
{
    void *found = index_look(&s->index, key->hash, shard_match, key, slot);
    if (found)
        return found;
    return index_find(&s->index, key->hash, shard_match, key, slot);
}

struct record *shard_seek(const struct shard *s, const struct layout *l,
                          const struct key_ref *key, _Atomic uint64_t **slot,
                          bool *cold)
{
    struct record *r = shard_peek(s, key, slot);
    if (r)
        return r;
    *cold = db_may_be_cold(s->db, l);
    if (*cold)
        return NULL;
    /* The loader may have brought it, and ended, between the two: it is here
     * now, or was evicted since, which shows before it is gone. */
    r = shard_peek(s, key, slot);
    *cold = !r && db_may_be_cold(s->db, l);
    return r;
}

struct load_call {
    struct shard *shard;
    const struct layout *layout;
    const struct key_ref *key;
    struct record *record;
    uint32_t at;   /* the shard that the row names */
    uint8_t *copy; /* of a row that has to be read when LMDB is left */
    size_t copy_bytes;
};

static int load_one(void *arg, struct ssd_slice value)
{
    struct load_call *c = arg;
    if (c->layout->roams) {
        const struct shard *home = forward_home(c->shard->db, c->key);
        c->at = row_shard(value, home->number);
        if (c->at != c->shard->number)
            return WARP_OK;
    }
    if (row_is_past(c->layout, value)) {
        c->copy_bytes = value.bytes;
        c->copy = malloc(value.bytes);
        if (!c->copy)
            return error_set(WARP_ENOMEM, "out of memory for a record");
        memcpy(c->copy, value.data, value.bytes);
        return WARP_OK;
    }
    return row_load_record(c->shard, c->layout, c->key, value, &c->record);
}

/* The row is of another shard: the home keeps that in mind. */
static int is_away(struct shard *s, const struct layout *l,
                   const struct key_ref *key, uint32_t at,
                   struct record **record)
{
    if (at >= s->db->shard_count)
        return error_set(WARP_ECORRUPT, "%s: a stored row names shard %u",
                         l->desc->name, at);
    if (s != forward_home(s->db, key))
        return WARP_OK;
    return forward_install(s, l, key, at, record);
}

int shard_load(struct shard *s, const struct layout *l,
               const struct key_ref *key, struct record **record)
{
    *record = NULL;
    if (!db_may_be_cold(s->db, l))
        return WARP_OK;
    uint8_t bytes[ROW_KEY_BYTES_MAX];
    struct ssd_slice k = {bytes, row_key(bytes, l->id, key->bytes,
                                         key->count)};
    struct load_call call = {s, l, key, NULL, s->number, NULL, 0};
    int rc = ssd_get(s->db->ssd, SSD_ROWS, k, load_one, &call);
    if (rc == WARP_OK && call.copy) {
        struct ssd_slice value = {call.copy, call.copy_bytes};
        rc = row_load_record(s, l, key, value, &call.record);
    }
    free(call.copy);
    if (rc == WARP_OK && call.at != s->number)
        return is_away(s, l, key, call.at, record);
    *record = call.record;
    return rc == WARP_ENOTFOUND ? WARP_OK : rc;
}

int shard_find(struct shard *s, const struct layout *l,
               const struct key_ref *key, struct record **record)
{
    *record = shard_here(s, key);
    return *record ? WARP_OK : shard_load(s, l, key, record);
}

static bool is_held(struct os_lock *lock)
{
    if (!os_trylock(lock))
        return true;
    os_unlock(lock);
    return false;
}

/* False: there is nothing to wait for, or nobody does it. */
static bool await(struct warp_db *db, _Atomic uint32_t *word, uint32_t seen,
                  uint32_t ms)
{
    bool runs = is_held(&db->checkpoint_lock);
    if (db->read_only || (!runs && db_dirty_records(db) == 0))
        return false;
    atomic_store(&db->no_room, true);
    db_wake_keeper(db);
    os_futex_wait(word, seen, ms * INT64_C(1000000));
    return atomic_load(word) != seen || is_held(&db->checkpoint_lock);
}

bool shard_await_step(struct warp_db *db, bool *stepped, bool *ended)
{
    enum { MS_MOST = 200 }; /* a compaction has no steps */
    uint32_t seen = atomic_load(&db->step_word);
    uint32_t ends = atomic_load(&db->room_word);
    bool runs = await(db, &db->step_word, seen, MS_MOST);
    *stepped = atomic_load(&db->step_word) != seen;
    *ended = atomic_load(&db->room_word) != ends;
    return runs;
}

int shard_fault(struct shard *s, const struct layout *l,
                const struct key_ref *key)
{
    enum { TRIES_MAX = 8, MS_MOST = 2000 };
    _Atomic uint32_t *ends = &s->db->room_word;
    struct record *r;
    int rc = WARP_ELIMIT;
    for (int tries = 0; rc == WARP_ELIMIT && tries < TRIES_MAX; tries++) {
        /* One part of the budget may have what the other lacks. */
        if (tries > 0)
            db_balance(s->db);
        /* Nothing freed: somebody else may just have made the room. */
        if (tries > 0 && evict_to(s->db, 0, tries == 1) == 0 && tries > 1 &&
            !await(s->db, ends, atomic_load(ends), MS_MOST) &&
            evict_to(s->db, 0, false) == 0)
            break;
        os_lock(&s->lock);
        /* What is kept from writers is there for who only reads. */
        s->heap.reads = tries > 0;
        rc = shard_find(s, l, key, &r);
        s->heap.reads = false;
        os_unlock(&s->lock);
    }
    if (rc != WARP_OK)
        return rc;
    return r ? WARP_OK : WARP_ENOTFOUND;
}

bool shard_exists(const struct layout *l, const struct record *r, int64_t now)
{
    if (!r || (record_have(r) & R_DELETED))
        return false;
    if (l->deadline == UINT32_MAX)
        return true;
    int64_t deadline = (int64_t)row_load(r, l->deadline);
    return deadline == 0 || now < deadline;
}

static int64_t is_fresh(uint64_t have)
{
    return !(have & R_DELETED) && !(have & R_IN_DIR);
}

static int64_t is_gone(uint64_t have)
{
    return (have & R_DELETED) && (have & R_IN_DIR);
}

void shard_counted(struct shard *s, const struct record *r, uint64_t before)
{
    uint64_t now = record_have(r);
    if (!((now ^ before) & (R_DELETED | R_IN_DIR)))
        return;
    s->fresh += is_fresh(now) - is_fresh(before);
    s->gone += is_gone(now) - is_gone(before);
}

static int pool_full(const struct pool *pool, size_t bytes)
{
    return pool && atomic_load_explicit(&((struct pool *)(uintptr_t)pool)->used,
                                        memory_order_relaxed) +
                           heap_block_bytes(bytes) >
                       pool->limit;
}

/* The budgets that the schema or the options name. */
static int take_from_pools(struct shard *s, const struct layout *l,
                           size_t bytes)
{
    for (int i = 0; i < 2; i++) {
        struct pool *pool = l->pools[i];
        if (!pool_full(pool, bytes))
            continue;
        (void)shard_evict(s, pool, WARP_PRIORITY_CRITICAL,
                          bytes * 2 + 4096);
        if (!pool_full(pool, bytes))
            continue;
        db_wake_keeper(s->db);
        return error_set(WARP_ELIMIT,
                         "%s: %s (%llu bytes) is used up and nothing more of "
                         "it can leave memory: raise it or delete records",
                         l->desc->name, pool->what,
                         (unsigned long long)pool->limit);
    }
    return WARP_OK;
}

void *shard_alloc(struct shard *s, const struct layout *l, size_t bytes)
{
    if (take_from_pools(s, l, bytes) != WARP_OK)
        return NULL;
    void *block = shard_take(s, l, bytes);
    if (block)
        return block;
    db_balance(s->db);
    block = shard_take(s, l, bytes);
    if (block)
        return block;
    /* What a tier holds makes room here; a checkpoint (commit.c) may, too. What
     * is worth more stays until then: what is worth less may only be dirty. */
    for (int round = 0; round < 4; round++) {
        /* More each time: what leaves may be of other sizes, in runs that are
         * not empty by it. */
        if (shard_evict(s, NULL, l->priority,
                        bytes * 2 + (UINT64_C(65536) << 2 * round)) == 0)
            break;
        block = shard_take(s, l, bytes);
        if (block)
            return block;
    }
    db_wake_keeper(s->db);
    error_set(WARP_ELIMIT,
              "memory_max_bytes (%llu) is reached and nothing more can leave "
              "memory: raise it, delete records, or give large fields a "
              "disk tier",
              (unsigned long long)s->db->memory_max);
    return NULL;
}

struct record *shard_create(struct shard *s, const struct layout *l,
                            const struct key_ref *key, uint32_t inline_bytes,
                            bool begun)
{
    uint32_t bytes = (uint32_t)sizeof(struct record) + l->row_bytes +
                     ((key->count + 7) & ~7u) + inline_bytes;
    struct record *r = shard_alloc(s, l, bytes);
    if (!r)
        return NULL;
    /* A reader may still look at the record that was here: make the word odd
     * and keep counting, so that it finds out. */
    uint64_t old = atomic_load_explicit(&r->word, memory_order_relaxed);
    atomic_store_explicit(&r->word, (old & 0xffff) | 1, memory_order_relaxed);
    record_fence(memory_order_release);
    static const uint8_t zeros[256];
    for (uint32_t at = 0; at < l->row_bytes; at += sizeof zeros)
        record_copy_in(r->row + at, zeros,
                       l->row_bytes - at < sizeof zeros ? l->row_bytes - at
                                                        : sizeof zeros);
    record_init(r, l, key->count, bytes);
    record_copy_in(record_key(l, r), key->bytes, key->count);
    bool placed = !l->columns ||
                  column_take(s->columns[l->number], r) == WARP_OK;
    if (!begun)
        record_end(r, 0);
    if (!placed || index_insert(&s->index, key->hash, r) != WARP_OK) {
        if (placed && l->columns)
            column_drop(s->columns[l->number], r);
        if (!placed)
            db_wake_keeper(s->db);
        shard_give(s, l, r, bytes);
        return NULL;
    }
    if (!l->evictable)
        s->pinned_bytes += bytes;
    return r;
}

void shard_free_value(struct shard *s, const struct layout *l,
                      struct record *r, struct var *var)
{
    uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
    uint64_t cap = atomic_load_explicit(&var->len_cap, memory_order_relaxed) >>
                   32;
    if (at > VAR_COLD && !var_is_inline(l, r, at))
        shard_give(s, l, (void *)(uintptr_t)at, cap);
}

void shard_destroy(struct shard *s, const struct layout *l, struct record *r)
{
    uint64_t hash = hash_of(r, s->db);
    index_remove(&s->index, hash, r);
    record_begin(r);
    FOR_BITS(i, l->var)
        shard_free_value(s, l, r, row_var(r, l->fields[i].slot));
    if (l->columns)
        column_drop(s->columns[l->number], r);
    record_set_have(r, R_DELETED);
    if (!l->evictable)
        s->pinned_bytes -= record_alloc_bytes(l, r);
    shard_give(s, l, r, record_alloc_bytes(l, r));
}

void shard_dirty(struct shard *s, struct record *r, uint64_t hash)
{
    uint64_t have = record_have(r);
    if (have & R_DIRTY)
        return;
    uint32_t n = atomic_load_explicit(&s->dirty_count, memory_order_relaxed);
    record_set_have(r, have | R_DIRTY);
    changed_mark(&s->db->changed, hash);
    index_mark(&s->index, hash, r);
    atomic_store_explicit(&s->dirty_count, n + 1, memory_order_relaxed);
}

int shard_take_dirty(struct shard *s)
{
    void *records[INDEX_SLOTS_MAX];
    uint32_t n = atomic_load(&s->dirty_count), at = 0;
    s->flushing_count = 0;
    if (n == 0)
        return WARP_OK;
    s->flushing = os_reserve(n * sizeof *s->flushing);
    if (!s->flushing)
        return error_set(WARP_ENOMEM, "out of memory for a checkpoint");
    os_populate(s->flushing, n * sizeof *s->flushing);
    for (; index_next_marked(&s->index, &at); at++) {
        uint32_t more = index_marked(&s->index, at, true, records);
        for (uint32_t i = 0; i < more && s->flushing_count < n; i++)
            s->flushing[s->flushing_count++] = records[i];
    }
    s->flushing_room = n;
    atomic_store(&s->dirty_count, 0);
    return WARP_OK;
}

void shard_drop_flushing(struct shard *s)
{
    os_unreserve(s->flushing, s->flushing_room * sizeof *s->flushing);
    s->flushing = NULL;
    s->flushing_count = s->flushing_room = 0;
}
