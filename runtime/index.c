/* index.c: the hash index of one shard; see index.h for its rules.
 *
 * Bits of a hash: 0..19 directory, 20..37 shard (shard.h), 38..47 first slot,
 * 48..63 tag. Probing is linear inside a segment (index_probe). A slot is 0
 * (empty), 1 (was used) or tag << 48 | address. */
#include "index.h"

#include "error.h"
#include "os.h"

#include <warp/warp.h>

/* ThreadSanitizer knows no fences; what they order is atomic all the same. */
#ifdef __SANITIZE_THREAD__
#define index_fence(order) ((void)0)
#else
#define index_fence(order) atomic_thread_fence(order)
#endif

enum {
    USED_MAX = INDEX_SEGMENT_SLOTS * 2 / 3,
    AHEAD = 16,
    SLOT_EMPTY = INDEX_SLOT_EMPTY,
    SLOT_GONE = INDEX_SLOT_GONE
};
#define ADDRESS_MASK  INDEX_ADDRESS_MASK
#define DIR_BYTES     (sizeof(void *) << INDEX_DEPTH_MAX)
#define SEGMENTS_MAX  (1u << (INDEX_DEPTH_MAX - 2))
#define SEGMENT_BYTES (sizeof(struct index_segment))
#define PAGE_BYTES    ((uintptr_t)4096)

static struct index_segment *new_segment(struct index *index, uint32_t depth)
{
    uint64_t limit = atomic_load(&index->budget->limit);
    if (index->segment_count == SEGMENTS_MAX ||
        atomic_load(&index->budget->used) + SEGMENT_BYTES > limit)
        return NULL;
    atomic_fetch_add(&index->budget->used, SEGMENT_BYTES);
    struct index_segment *s = &index->segments[index->segment_count++];
    /* All at once, and before a look reads what nobody has written. */
    os_populate((void *)((uintptr_t)s & ~(PAGE_BYTES - 1)),
                (((uintptr_t)s & (PAGE_BYTES - 1)) + SEGMENT_BYTES +
                 PAGE_BYTES - 1) &
                    ~(PAGE_BYTES - 1));
    s->depth = depth;
    return s;
}

int index_init(struct index *index, struct budget *budget, bool huge,
               uint64_t (*hash_of)(const void *record, const void *arg),
               const void *arg)
{
    memset(index, 0, sizeof *index);
    index->budget = budget;
    index->hash_of = hash_of;
    index->arg = arg;
    index->dir = os_reserve(DIR_BYTES);
    index->segments = os_reserve(SEGMENTS_MAX * SEGMENT_BYTES);
    /* Before the first page is there: one that is small stays so, and the two
     * MiB around it with it. */
    if (huge && index->segments)
        os_huge(index->segments, SEGMENTS_MAX * SEGMENT_BYTES);
    struct index_segment *first =
        index->dir && index->segments ? new_segment(index, 0) : NULL;
    if (!first) {
        index_fini(index);
        return error_set(WARP_ENOMEM, "out of memory for an index");
    }
    atomic_store(&index->dir[0], first);
    return WARP_OK;
}

void index_fini(struct index *index)
{
    if (index->budget)
        atomic_fetch_sub(&index->budget->used,
                         index->segment_count * SEGMENT_BYTES);
    os_unreserve((void *)index->dir, DIR_BYTES);
    os_unreserve(index->segments, SEGMENTS_MAX * SEGMENT_BYTES);
    memset(index, 0, sizeof *index);
}

void *index_find(const struct index *index, uint64_t hash,
                 index_match_fn *match, const void *key,
                 _Atomic uint64_t **slot)
{
    for (;;) {
        /* Sure only if the segment was still and is still the right one. */
        struct index_segment *s = index_segment_of(index, hash);
        uint32_t v = atomic_load_explicit(&s->version, memory_order_acquire);
        void *found = index_probe(s, hash, match, key, slot);
        if (found)
            return found;
        if (!(v & 1)) {
            index_fence(memory_order_acquire);
            if (index_segment_of(index, hash) == s &&
                atomic_load_explicit(&s->version, memory_order_relaxed) == v)
                return NULL;
        }
    }
}

/* Put a word where it belongs; the segment has room. */
static void place(struct index_segment *s, uint64_t hash, uint64_t word)
{
    uint32_t at = (uint32_t)(hash >> 38) & (INDEX_SEGMENT_SLOTS - 1);
    for (;;) {
        uint64_t old =
            atomic_load_explicit(&s->slots[at], memory_order_relaxed);
        if (old == SLOT_EMPTY || old == SLOT_GONE) {
            if (old == SLOT_EMPTY)
                s->used++;
            s->live++;
            atomic_store_explicit(&s->slots[at], word, memory_order_release);
            return;
        }
        at = (at + 1) & (INDEX_SEGMENT_SLOTS - 1);
    }
}

static bool grow_directory(struct index *index)
{
    uint32_t depth = atomic_load(&index->depth);
    if (depth == INDEX_DEPTH_MAX)
        return false;
    uint64_t n = UINT64_C(1) << depth;
    for (uint64_t i = 0; i < n; i++)
        atomic_store_explicit(
            &index->dir[n + i],
            atomic_load_explicit(&index->dir[i], memory_order_relaxed),
            memory_order_relaxed);
    os_point(OS_POINT_GROW);
    atomic_store_explicit(&index->depth, depth + 1, memory_order_release);
    return true;
}

/* Refill a segment from its own words, without those that were used, and
 * without those that belong to `other` (NULL: none do). */
static void refill(struct index *index, struct index_segment *s,
                   struct index_segment *other, uint64_t bit)
{
    uint64_t words[INDEX_SEGMENT_SLOTS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < INDEX_SEGMENT_SLOTS; i++) {
        uint64_t w = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        if (w != SLOT_EMPTY && w != SLOT_GONE)
            words[n++] = w;
        atomic_store_explicit(&s->slots[i], SLOT_EMPTY, memory_order_relaxed);
    }
    s->used = s->live = 0;
    for (uint32_t i = 0; i < n; i++) {
        /* Each key is a cache miss: several at a time. */
        if (i + AHEAD < n)
            __builtin_prefetch(
                (void *)(uintptr_t)(words[i + AHEAD] & ADDRESS_MASK));
        uint64_t hash = index->hash_of(
            (void *)(uintptr_t)(words[i] & ADDRESS_MASK), index->arg);
        place(other && (hash & bit) ? other : s, hash, words[i]);
    }
}

/* Of the segment of a hash: in two if it is full, or asked for. */
static bool make_room(struct index *index, uint64_t hash, bool split)
{
    struct index_segment *s = index_segment_of(index, hash), *other = NULL;
    uint64_t bit = UINT64_C(1) << s->depth;
    if (split || s->live >= USED_MAX * 3 / 4) {
        if (s->depth == atomic_load(&index->depth) && !grow_directory(index))
            return false;
        other = new_segment(index, s->depth + 1);
        if (!other)
            return false;
    }
    /* Odd first, then the moves: a reader that misses looks again. */
    uint32_t v = atomic_load_explicit(&s->version, memory_order_relaxed);
    atomic_store_explicit(&s->version, v + 1, memory_order_relaxed);
    index_fence(memory_order_release);
    os_point(OS_POINT_GROW);
    refill(index, s, other, bit);
    os_point(OS_POINT_GROW);
    if (other) {
        s->depth++;
        uint64_t n = UINT64_C(1) << atomic_load(&index->depth);
        for (uint64_t i = (hash & (bit - 1)) | bit; i < n; i += bit << 1)
            atomic_store_explicit(&index->dir[i], other,
                                  memory_order_release);
    }
    atomic_store_explicit(&s->version, v + 2, memory_order_release);
    return true;
}

int index_insert(struct index *index, uint64_t hash, void *record)
{
    while (index_segment_of(index, hash)->used >= USED_MAX)
        if (!make_room(index, hash, false))
            return error_set(WARP_ELIMIT,
                             "the index cannot grow: raise memory_max_bytes");
    place(index_segment_of(index, hash), hash,
          hash >> 48 << 48 | (uint64_t)(uintptr_t)record);
    index->count++;
    return WARP_OK;
}

void index_expect(struct index *index, uint64_t count)
{
    /* As full as splits leave segments; few of them will have to be split. */
    const uint64_t each = USED_MAX * 7 / 8;
    uint32_t depth = 0;
    while (depth < INDEX_DEPTH_MAX - 2 && count >> depth > each)
        depth++;
    for (uint64_t i = 0; i < UINT64_C(1) << atomic_load(&index->depth); i++)
        while (index_segment_of(index, i)->depth < depth)
            if (!make_room(index, i, true))
                return;
}

void index_remove(struct index *index, uint64_t hash, void *record)
{
    struct index_segment *s = index_segment_of(index, hash);
    uint32_t at = (uint32_t)(hash >> 38) & (INDEX_SEGMENT_SLOTS - 1);
    for (uint32_t n = 0; n < INDEX_SEGMENT_SLOTS; n++) {
        uint64_t w = atomic_load_explicit(&s->slots[at],
                                          memory_order_relaxed);
        if (w == SLOT_EMPTY)
            return;
        if (w != SLOT_GONE &&
            (w & ADDRESS_MASK) == (uint64_t)(uintptr_t)record) {
            atomic_store_explicit(&s->slots[at], SLOT_GONE,
                                  memory_order_release);
            s->live--;
            index->count--;
            return;
        }
        at = (at + 1) & (INDEX_SEGMENT_SLOTS - 1);
    }
}

uint64_t index_bytes(const struct index *index)
{
    return index->segment_count * SEGMENT_BYTES;
}

bool index_walk(struct index *index, uint32_t at,
                void (*fn)(void *arg, void *record), void *arg)
{
    if (at >= index->segment_count)
        return false;
    struct index_segment *s = &index->segments[at];
    for (uint32_t i = 0; i < INDEX_SEGMENT_SLOTS; i++) {
        uint64_t w = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        if (w != SLOT_EMPTY && w != SLOT_GONE)
            fn(arg, (void *)(uintptr_t)(w & ADDRESS_MASK));
    }
    return true;
}
