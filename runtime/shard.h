/* shard.h: one part of the key space: its lock, index, memory and list of
 * records that a checkpoint must copy. Only this module knows the order log,
 * index, tier.
 *
 * "Under the lock" means the shard's lock. Readers take no lock. */
#ifndef WARP_SHARD_H
#define WARP_SHARD_H

#include "column.h"
#include "hash.h"
#include "heap.h"
#include "index.h"
#include "op.h"
#include "os.h"
#include "pool.h"
#include "record.h"

struct warp_db;

/* A new record has room behind its key for the values it is born with, so that
 * a get finds them in the lines that it reads anyway. */
enum { SHARD_INLINE_VALUE_MAX = 512, SHARD_INLINE_MAX = 1024 };
static inline uint32_t shard_inline_add(uint32_t sum, uint32_t bytes)
{
    uint32_t room = (bytes + 7) & ~7u;
    return bytes <= SHARD_INLINE_VALUE_MAX && sum + room <= SHARD_INLINE_MAX
               ? sum + room
               : sum;
}

struct shard {
    /* What each change writes, in a line that no reader looks at. */
    _Alignas(64) struct os_lock lock;
    _Atomic uint32_t dirty_count; /* records with R_DIRTY and not flushing; the
                                     index marks them */
    /* Records that exist = rows of the directory + fresh - gone. */
    int64_t fresh;            /* exist, the directory lacks them */
    int64_t gone;             /* deleted, the directory has them still */
    uint64_t live_bytes;      /* handed out by the heap and not freed */
    uint64_t pinned_bytes;    /* of these, records that may not leave */
    struct record **flushing; /* taken by the checkpoint under way */
    uint32_t flushing_count, flushing_room;
    uint32_t evict_at;        /* the segment where eviction goes on */
    uint32_t strays_seen;     /* replace_strays when a round found none */

    _Alignas(64) struct index index;
    struct warp_db *db;
    struct column_set **columns; /* by product; NULL where it has none */
    uint32_t number;
    struct heap heap;
};

int shard_init(struct shard *shard, struct warp_db *db, uint32_t number);
void shard_fini(struct shard *shard);

struct key_ref {
    const uint8_t *bytes;
    uint32_t count;
    const struct layout *layout;
    uint64_t hash;
};
static inline struct key_ref key_ref_of(uint64_t seed, const struct layout *l,
                                        const uint8_t *bytes, uint32_t count)
{
    struct key_ref k = {bytes, count, l, hash_key(seed, l->id, bytes, count)};
    return k;
}
static inline struct key_ref op_key_ref(const struct op *op)
{
    struct key_ref k = {op->body + op->key_at, op->key_bytes, op->layout,
                        op->hash};
    return k;
}
static inline struct key_ref record_key_ref(const struct layout *l,
                                            const struct record *r,
                                            uint64_t hash)
{
    struct key_ref k = {record_key(l, r), record_key_bytes(l, r), l, hash};
    return k;
}

/* Hints, no more: what a change of this key will touch; and the record itself,
 * as soon as the index can tell where it may be. */
static inline void shard_prefetch(const struct shard *s, uint64_t hash)
{
    __builtin_prefetch(&s->lock, 1);
    index_prefetch(&s->index, hash);
}
static inline void shard_prefetch_record(const struct shard *s, uint64_t hash)
{
    index_prefetch_found(&s->index, hash);
}

/* Without a lock; the record may change or go at any time. */
struct record *shard_peek(const struct shard *shard, const struct key_ref *key,
                          _Atomic uint64_t **slot);
/* The same, and when there is none: *cold says whether it may be in the
 * directory alone (shard_fault); false: it is nowhere. */
struct record *shard_seek(const struct shard *shard, const struct layout *l,
                          const struct key_ref *key, _Atomic uint64_t **slot,
                          bool *cold);
/* Has it this key? To be asked behind record_read_begin: its memory may have
 * become another record, or none, since it was found. Compares bytes, which are
 * mapped, and no more. */
static inline bool shard_matches(const struct record *r,
                                 const struct key_ref *k)
{
    const struct layout *l = k->layout;
    uint64_t head = record_head(r);
    uint32_t bytes = k->count;
    if ((head & record_head_mask(head)) != l->head ||
        (l->sized ? (uint32_t)record_sizes(r) != (l->number | bytes << 16)
                  : bytes != l->key_bytes))
        return false;
    const uint8_t *at = record_key(l, r);
#ifdef RECORD_TSAN
    uint8_t copy[512];
    record_copy_out(copy, at, bytes);
    at = copy;
#endif
    /* The usual lengths: a call would cost more than the comparison. */
    if (bytes == 8 || bytes == 16) {
        uint64_t a[2], b[2];
        memcpy(a, at, 8);
        memcpy(b, k->bytes, 8);
        memcpy(a + 1, (const uint8_t *)at + bytes - 8, 8);
        memcpy(b + 1, k->bytes + bytes - 8, 8);
        return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
    }
    return memcmp(at, k->bytes, bytes) == 0;
}
static inline bool shard_match(const void *record, const void *key)
{
    return shard_matches(record, key);
}
/* Under the lock: the record, if it is in memory. */
static inline struct record *shard_here(struct shard *s,
                                        const struct key_ref *key)
{
    _Atomic uint64_t *slot;
    /* Under the lock no slot moves: one look is sure. */
    struct record *r = index_look(&s->index, key->hash, shard_match, key,
                                  &slot);
    if (r)
        s->index.last = slot;
    return r;
}
/* Under the lock, of a key that is not in memory: from the directory while hot
 * rows load, or where they may be there alone. *record gets NULL when there is
 * none. A deleted record is returned, and in its home the forward of one that
 * is in another shard. */
int shard_load(struct shard *shard, const struct layout *l,
               const struct key_ref *key, struct record **record);
/* Both: from memory, or from the directory. */
int shard_find(struct shard *shard, const struct layout *l,
               const struct key_ref *key, struct record **record);
/* Without locks. All that could leave memory waits for a checkpoint: asks for
 * one and waits for a step of it, behind which some may leave, or for its end,
 * or a while. False: there is none, and none begins. */
bool shard_await_step(struct warp_db *db, bool *stepped, bool *ended);
/* Without the lock: brings a record into memory that only the directory has.
 * WARP_ENOTFOUND: it is not there either. */
int shard_fault(struct shard *shard, const struct layout *l,
                const struct key_ref *key);

/* The hash of an op's key. */
uint64_t shard_hash(const struct warp_db *db, const struct op *op);
/* Under the lock: does the record exist at `now`? */
bool shard_exists(const struct layout *l, const struct record *r, int64_t now);

/* Under the lock: a new record with room for `inline_bytes` of values, in the
 * index, R_DELETED and empty. begun: it is being written (record_begin): one
 * that the directory holds must not look deleted before it is filled. NULL:
 * over the budget (the text is set). */
struct record *shard_create(struct shard *shard, const struct layout *l,
                            const struct key_ref *key, uint32_t inline_bytes,
                            bool begun);
/* Under the lock: out of the index, values and record freed. */
void shard_destroy(struct shard *shard, const struct layout *l,
                   struct record *r);
/* Under the lock: the checkpoint must copy it. hash: of its key. */
void shard_dirty(struct shard *shard, struct record *r, uint64_t hash);
/* What is dirty, in no order, into shard->flushing, for a checkpoint; then no
 * more of it. WARP_ENOMEM: nothing was taken. */
int shard_take_dirty(struct shard *shard);
void shard_drop_flushing(struct shard *shard);

/* Under the lock: the flags of a record changed from `before`: counts it. */
void shard_counted(struct shard *shard, const struct record *r,
                   uint64_t before);

uint64_t shard_record_hash(const struct shard *shard, const struct record *r);

static inline void *shard_take(struct shard *s, const struct layout *l,
                               size_t bytes)
{
    void *block = heap_alloc(&s->heap, bytes);
    if (!block)
        return NULL;
    s->live_bytes += heap_block_bytes(bytes);
    for (int i = 0; i < 2; i++)
        if (l->pools[i])
            atomic_fetch_add_explicit(&l->pools[i]->used,
                                      heap_block_bytes(bytes),
                                      memory_order_relaxed);
    return block;
}
static inline void shard_give(struct shard *s, const struct layout *l,
                              void *block, size_t bytes)
{
    s->live_bytes -= heap_block_bytes(bytes);
    for (int i = 0; i < 2; i++)
        if (l->pools[i])
            atomic_fetch_sub_explicit(&l->pools[i]->used,
                                      heap_block_bytes(bytes),
                                      memory_order_relaxed);
    heap_free(&s->heap, block, bytes);
}

/* Under the lock: memory for a value; evicts cold values when the budget is
 * spent. NULL with the text set. */
void *shard_alloc(struct shard *shard, const struct layout *l, size_t bytes);
void shard_free_value(struct shard *shard, const struct layout *l,
                      struct record *r, struct var *var);
/* Under the lock: records and values that their tier holds leave memory, least
 * priority first and what was not used lately, until `bytes` are free or all
 * were looked at. pool: only products of it; NULL: all. Products above the
 * priority `highest` stay. Returns the bytes given back to the heap. */
uint64_t shard_evict(struct shard *shard, const struct pool *pool,
                     uint8_t highest, uint64_t bytes);

static inline bool var_is_inline(const struct layout *l,
                                 const struct record *r, uint64_t at)
{
    return at >= (uint64_t)(uintptr_t)r &&
           at < (uint64_t)(uintptr_t)record_inline_end(l, r);
}

#endif
