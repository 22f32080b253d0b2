/* shard.c: finding, making and freeing the records of one shard.
 *
 * Order in time of a change (commit.c): memory is set aside, the log takes the
 * change, then the record does; the tiers follow at a checkpoint. */
#include "shard.h"

#include "db.h"
#include "error.h"
#include "hash.h"
#include "row.h"

enum { DIRTY_MAX = 1 << 26 };
#define DIRTY_BYTES (sizeof(struct record *) * (size_t)DIRTY_MAX)

static uint64_t hash_of(const void *record, const void *arg)
{
    const struct warp_db *db = arg;
    const struct record *r = record;
    return hash_key(db->seed, r->product,
                    record_key(db->layouts[r->product], r), r->key_bytes);
}

uint64_t shard_hash(const struct warp_db *db, const struct op *op)
{
    return hash_key(db->seed, op->layout->number, op->body + op->key_at,
                    op->key_bytes);
}

int shard_init(struct shard *s, struct warp_db *db, uint32_t number)
{
    memset(s, 0, sizeof *s);
    s->db = db;
    s->number = number;
    heap_init(&s->heap, &db->budget);
    int rc = index_init(&s->index, &db->budget, hash_of, db);
    if (rc != WARP_OK)
        return rc;
    s->dirty = os_reserve(DIRTY_BYTES);
    s->flushing = os_reserve(DIRTY_BYTES);
    if (!s->dirty || !s->flushing)
        return error_set(WARP_ENOMEM, "no address space for shard %u",
                         number);
    return WARP_OK;
}

void shard_fini(struct shard *s)
{
    if (s->index.dir)
        index_fini(&s->index);
    heap_fini(&s->heap);
    os_unreserve(s->dirty, DIRTY_BYTES);
    os_unreserve(s->flushing, DIRTY_BYTES);
}

/* May be asked about memory that is no record any more: compares bytes of it,
 * which are mapped, and no more. */
static bool matches(const void *record, const void *arg)
{
    const struct record *r = record;
    const struct key_ref *k = arg;
    uint16_t product, bytes;
    record_copy_out(&product, &r->product, sizeof product);
    record_copy_out(&bytes, &r->key_bytes, sizeof bytes);
    if (product != k->product || bytes != k->count)
        return false;
    const uint8_t *at = r->row + k->row_bytes;
#ifdef RECORD_TSAN
    uint8_t copy[512];
    record_copy_out(copy, at, bytes);
    at = copy;
#endif
    if (bytes == 8) {
        uint64_t a, b;
        memcpy(&a, at, 8);
        memcpy(&b, k->bytes, 8);
        return a == b;
    }
    return memcmp(at, k->bytes, bytes) == 0;
}

struct record *shard_peek(const struct shard *s, const struct key_ref *key,
                          _Atomic uint64_t **slot)
{
    return index_find(&s->index, key->hash, matches, key, slot);
}

struct load_call {
    struct shard *shard;
    const struct layout *layout;
    const struct key_ref *key;
    struct record *record;
};

static int load_one(void *arg, struct ssd_slice value)
{
    struct load_call *c = arg;
    return row_load_record(c->shard, c->layout, c->key, value, &c->record);
}

int shard_find(struct shard *s, const struct layout *l,
               const struct key_ref *key, struct record **record)
{
    _Atomic uint64_t *slot;
    *record = shard_peek(s, key, &slot);
    if (*record ||
        !atomic_load_explicit(&s->db->loading, memory_order_relaxed))
        return WARP_OK;
    uint8_t bytes[ROW_KEY_BYTES_MAX];
    struct ssd_slice k = {bytes, row_key(bytes, l->number, key->bytes,
                                         key->count)};
    struct load_call call = {s, l, key, NULL};
    int rc = ssd_get(s->db->ssd, SSD_ROWS, k, load_one, &call);
    *record = call.record;
    return rc == WARP_ENOTFOUND ? WARP_OK : rc;
}

int shard_fault(struct shard *s, const struct layout *l,
                const struct key_ref *key)
{
    struct record *r;
    os_lock(&s->lock);
    int rc = shard_find(s, l, key, &r);
    os_unlock(&s->lock);
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

void *shard_alloc(struct shard *s, size_t bytes)
{
    void *block = heap_alloc(&s->heap, bytes);
    if (block)
        return block;
    /* Cold values that their tier holds make room, then the caller must. */
    for (int round = 0; round < 4; round++) {
        if (shard_evict(s, bytes * 2 + 65536) == 0)
            break;
        block = heap_alloc(&s->heap, bytes);
        if (block)
            return block;
    }
    db_wake_keeper(s->db);
    error_set(WARP_ELIMIT,
              "memory_max_bytes (%llu) is reached and nothing more can leave "
              "memory: raise it, delete records, or give large fields a "
              "disk tier",
              (unsigned long long)atomic_load(&s->db->budget.limit));
    return NULL;
}

struct record *shard_create(struct shard *s, const struct layout *l,
                            const struct key_ref *key, uint32_t inline_bytes)
{
    uint32_t bytes = (uint32_t)sizeof(struct record) + l->row_bytes +
                     ((key->count + 7) & ~7u) + inline_bytes;
    struct record *r = shard_alloc(s, bytes);
    if (!r)
        return NULL;
    /* A reader may still look at the record that was here: make the word odd
     * and keep counting, so that it finds out. */
    uint64_t old = atomic_load_explicit(&r->word, memory_order_relaxed);
    atomic_store_explicit(&r->word, (old & 0xffff) | 1, memory_order_relaxed);
    record_fence(memory_order_release);
    record_set_have(r, R_DELETED);
    static const uint8_t zeros[256];
    for (uint32_t at = 0; at < l->row_bytes; at += sizeof zeros)
        record_copy_in(r->row + at, zeros,
                       l->row_bytes - at < sizeof zeros ? l->row_bytes - at
                                                        : sizeof zeros);
    uint16_t product = l->number, key_bytes = (uint16_t)key->count;
    record_copy_in(&r->product, &product, sizeof product);
    record_copy_in(&r->key_bytes, &key_bytes, sizeof key_bytes);
    record_copy_in(&r->alloc_bytes, &bytes, sizeof bytes);
    record_copy_in(record_key(l, r), key->bytes, key->count);
    record_end(r, 0);
    if (index_insert(&s->index, key->hash, r) != WARP_OK) {
        heap_free(&s->heap, r, bytes);
        return NULL;
    }
    return r;
}

void shard_free_value(struct shard *s, struct record *r, struct var *var)
{
    uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
    uint64_t cap = atomic_load_explicit(&var->len_cap, memory_order_relaxed) >>
                   32;
    if (at > VAR_COLD && !var_is_inline(r, at))
        heap_free(&s->heap, (void *)(uintptr_t)at, cap);
}

void shard_destroy(struct shard *s, const struct layout *l, struct record *r)
{
    uint64_t hash = hash_of(r, s->db);
    index_remove(&s->index, hash, r);
    record_begin(r);
    FOR_BITS(i, l->var)
        shard_free_value(s, r, row_var(r, l->fields[i].slot));
    record_set_have(r, R_DELETED);
    heap_free(&s->heap, r, r->alloc_bytes);
}

void shard_dirty(struct shard *s, struct record *r)
{
    uint64_t have = record_have(r);
    if (have & R_DIRTY)
        return;
    uint32_t n = atomic_load_explicit(&s->dirty_count, memory_order_relaxed);
    record_set_have(r, have | R_DIRTY);
    s->dirty[n] = r;
    atomic_store_explicit(&s->dirty_count, n + 1, memory_order_relaxed);
    if (n + 1 == DIRTY_MAX / 2)
        db_wake_keeper(s->db);
}

/* ---- eviction ---- */

struct evict_call {
    struct shard *shard;
    uint64_t freed;
};

static void evict_record(void *arg, void *record)
{
    struct evict_call *c = arg;
    struct record *r = record;
    const struct layout *l = c->shard->db->layouts[r->product];
    if (!l->cold || (record_have(r) & R_DELETED))
        return;
    uint64_t clean = l->cold & record_have(r) & ~row_load(r, l->cold_dirty);
    bool begun = false;
    FOR_BITS(i, clean)
    {
        struct var *var = row_var(r, l->fields[i].slot);
        uint64_t at = atomic_load_explicit(&var->at, memory_order_relaxed);
        if (at <= VAR_COLD)
            continue;
        if (!begun)
            record_begin(r);
        begun = true;
        uint64_t len_cap =
            atomic_load_explicit(&var->len_cap, memory_order_relaxed);
        if (!var_is_inline(r, at))
            c->freed += len_cap >> 32;
        shard_free_value(c->shard, r, var);
        atomic_store_explicit(&var->at, VAR_COLD, memory_order_relaxed);
        atomic_store_explicit(&var->len_cap, len_cap & UINT32_MAX,
                              memory_order_relaxed);
    }
    if (begun)
        record_end(r, record_version(r));
}

uint64_t shard_evict(struct shard *s, uint64_t bytes)
{
    struct evict_call call = {s, 0};
    for (uint32_t n = 0; n < s->index.segment_count && call.freed < bytes;
         n++) {
        if (s->evict_at >= s->index.segment_count)
            s->evict_at = 0;
        index_walk(&s->index, s->evict_at++, evict_record, &call);
    }
    return call.freed;
}
