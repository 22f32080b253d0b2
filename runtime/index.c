/* index.c: the hash index of one shard; see index.h for its rules.
 *
 * Bits of a hash: 0..18 directory, 20..37 shard (shard.h), 48..63 tag and place
 * in a segment. Probing is linear inside a segment (index_probe). A slot is 0
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
    AHEAD = 16,
    SIZE_MAX_CODE = INDEX_SLOTS_MAX / INDEX_SLOTS_STEP - 2,
    SLOT_EMPTY = INDEX_SLOT_EMPTY,
    SLOT_GONE = INDEX_SLOT_GONE
};
#define ADDRESS_MASK INDEX_ADDRESS_MASK
#define SEGMENTS_MAX (1u << (INDEX_DEPTH_MAX - 2))
#define SLOT_BYTES   sizeof(uint64_t)
#define SLOTS_BYTES  (SEGMENTS_MAX * INDEX_SLOTS_MAX * SLOT_BYTES)
#define DIR_BYTES    (sizeof(index_entry) << INDEX_DEPTH_MAX)
#define HEADS_BYTES  (SEGMENTS_MAX * sizeof(struct index_head))
#define MAP_BYTES    (SEGMENTS_MAX / 8)

static uint64_t load(_Atomic uint64_t *slot)
{
    return atomic_load_explicit(slot, memory_order_relaxed);
}

static uint32_t next_slot(uint32_t at, uint32_t count)
{
    return at + 1 == count ? 0 : at + 1;
}

/* ---- sizes ---- */

static uint32_t slots_of(uint32_t size)
{
    return index_entry_slots(size);
}

/* So many slots are in use before there must be more room. */
static uint32_t used_max(uint32_t size)
{
    return slots_of(size) / 16 * 13;
}

/* Room for so many records, and for some more. */
static uint16_t size_for(uint64_t count)
{
    uint16_t size = 0;
    while (size < SIZE_MAX_CODE && count > used_max(size) * 7 / 8)
        size++;
    return size;
}

static bool fits(const struct index *index, uint64_t bytes)
{
    return atomic_load(&index->budget->used) + bytes <=
           atomic_load(&index->budget->limit);
}

static void charge(struct index *index, int64_t bytes)
{
    atomic_fetch_add(&index->budget->used, (uint64_t)bytes);
    index->bytes += (uint64_t)bytes;
}

static _Atomic uint64_t *slots_at(const struct index *index,
                                  const struct index_head *head)
{
    return index->slots + (size_t)(head - index->heads) * INDEX_SLOTS_MAX;
}

/* The slots that come have never been written, or their pages were given back:
 * they are empty. Those that go are empty. */
static void resize(struct index *index, struct index_head *head, uint16_t size)
{
    _Atomic uint64_t *slots = slots_at(index, head);
    size_t was = slots_of(head->size) * SLOT_BYTES;
    size_t is = slots_of(size) * SLOT_BYTES;
    head->size = size;
    charge(index, (int64_t)is - (int64_t)was);
    /* All at once, and before a look reads what nobody has written. */
    if (is > was)
        os_populate((char *)slots + was, is - was);
    else if (is < was && !index->kind.huge)
        os_release((char *)slots + is, was - is);
}

static struct index_head *new_segment(struct index *index, uint16_t depth)
{
    if (index->segment_count == SEGMENTS_MAX)
        return NULL;
    struct index_head *head = &index->heads[index->segment_count++];
    charge(index, (int64_t)(slots_of(0) * SLOT_BYTES + sizeof *head));
    os_populate((void *)(uintptr_t)slots_at(index, head),
                slots_of(0) * SLOT_BYTES);
    head->depth = depth;
    return head;
}

/* ---- open and close ---- */

static index_entry entry_of(const struct index *index,
                            const struct index_head *head)
{
    return (index_entry)slots_at(index, head) | head->size;
}

/* All entries of a segment, which end in these bits of a hash. */
static void enter(struct index *index, const struct index_head *head,
                  uint64_t bits)
{
    uint64_t step = UINT64_C(1) << head->depth;
    uint64_t n = UINT64_C(1) << atomic_load(&index->depth);
    for (uint64_t i = bits & (step - 1); i < n; i += step)
        atomic_store_explicit(&index->dir[i], entry_of(index, head),
                              memory_order_release);
}

int index_init(struct index *index, struct budget *budget,
               struct heap_kind kind,
               uint64_t (*hash_of)(const void *record, const void *arg),
               const void *arg)
{
    memset(index, 0, sizeof *index);
    index->budget = budget;
    index->kind = kind;
    index->hash_of = hash_of;
    index->arg = arg;
    index->dir = os_reserve(DIR_BYTES);
    index->slots = os_reserve(SLOTS_BYTES);
    index->heads = os_reserve(HEADS_BYTES);
    index->map = os_reserve(MAP_BYTES);
    /* Before the first page is there: one that is small stays so, and the two
     * MiB around it with it. */
    if (index->slots)
        heap_kind_set((void *)(uintptr_t)index->slots, SLOTS_BYTES, kind);
    kind.huge = false;
    if (index->heads)
        heap_kind_set(index->heads, HEADS_BYTES, kind);
    struct index_head *first = NULL;
    if (index->dir && index->slots && index->heads && index->map &&
        fits(index, slots_of(0) * SLOT_BYTES + sizeof *first))
        first = new_segment(index, 0);
    if (!first) {
        index_fini(index);
        return error_set(WARP_ENOMEM,
                         "no memory for an index, or no %d GiB of addresses "
                         "(ulimit -v): fewer shards in a new store need less",
                         (int)((DIR_BYTES + SLOTS_BYTES + HEADS_BYTES +
                                MAP_BYTES) >> 30));
    }
    enter(index, first, 0);
    return WARP_OK;
}

void index_fini(struct index *index)
{
    if (index->budget)
        atomic_fetch_sub(&index->budget->used, index->bytes);
    os_unreserve((void *)(uintptr_t)index->dir, DIR_BYTES);
    os_unreserve((void *)(uintptr_t)index->slots, SLOTS_BYTES);
    os_unreserve(index->heads, HEADS_BYTES);
    os_unreserve(index->map, MAP_BYTES);
    memset(index, 0, sizeof *index);
}

/* ---- looking ---- */

void *index_find(const struct index *index, uint64_t hash,
                 index_match_fn *match, const void *key,
                 _Atomic uint64_t **slot)
{
    for (;;) {
        /* Sure only if the segment was still and is still the right one, of
         * the same size. */
        index_entry e = index_entry_of(index, hash);
        struct index_head *head = index_entry_head(index, e);
        uint32_t v = atomic_load_explicit(&head->version,
                                          memory_order_acquire);
        void *found = index_probe(e, hash, match, key, slot);
        if (found)
            return found;
        if (!(v & 1)) {
            index_fence(memory_order_acquire);
            if (index_entry_of(index, hash) == e &&
                atomic_load_explicit(&head->version, memory_order_relaxed) ==
                    v)
                return NULL;
        }
    }
}

/* Under the lock: where a record stands that is in the index; else NULL. */
static _Atomic uint64_t *slot_of(index_entry e, uint64_t hash,
                                 const void *record)
{
    _Atomic uint64_t *slots = index_entry_at(e);
    uint32_t count = index_entry_slots(e), at = index_home(hash, count);
    for (uint32_t n = 0; n < count; n++) {
        uint64_t w = load(&slots[at]);
        if (w == SLOT_EMPTY)
            return NULL;
        if (w != SLOT_GONE && index_slot_holds(&slots[at], record))
            return &slots[at];
        at = next_slot(at, count);
    }
    return NULL;
}

/* ---- marks ---- */

static bool is_marked(const struct index_head *head, uint32_t at)
{
    return head->marks[at / 64] >> at % 64 & 1;
}

/* In the map: whether it has any. */
static void note_marks(struct index *index, const struct index_head *head)
{
    size_t number = (size_t)(head - index->heads);
    uint64_t bit = UINT64_C(1) << number % 64, *word = &index->map[number / 64];
    *word = head->marked ? *word | bit : *word & ~bit;
}

static void clear_marks(struct index *index, struct index_head *head)
{
    memset(head->marks, 0, sizeof head->marks);
    head->marked = 0;
    note_marks(index, head);
}

void index_mark(struct index *index, uint64_t hash, const void *record)
{
    index_entry e = index_entry_of(index, hash);
    _Atomic uint64_t *slot = index->last;
    if (!slot || !index_slot_holds(slot, record))
        slot = slot_of(e, hash, record);
    if (!slot)
        return;
    struct index_head *head = index_entry_head(index, e);
    uint32_t at = (uint32_t)(slot - index_entry_at(e));
    head->marks[at / 64] |= UINT64_C(1) << at % 64;
    if (head->marked++ == 0)
        note_marks(index, head);
}

bool index_next_marked(const struct index *index, uint32_t *at)
{
    while (*at < index->segment_count) {
        uint64_t word = index->map[*at / 64] >> *at % 64;
        if (word) {
            *at += (uint32_t)__builtin_ctzll(word);
            return true;
        }
        *at = (*at / 64 + 1) * 64;
    }
    return false;
}

uint32_t index_marked(struct index *index, uint32_t at, bool clear,
                      void *records[INDEX_SLOTS_MAX])
{
    struct index_head *head = &index->heads[at];
    _Atomic uint64_t *slots = slots_at(index, head);
    uint32_t n = 0;
    for (uint32_t i = 0; i < INDEX_SLOTS_MAX / 64; i++)
        for (uint64_t word = head->marks[i]; word; word &= word - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(word);
            records[n++] =
                (void *)(uintptr_t)(load(&slots[64 * i + bit]) & ADDRESS_MASK);
        }
    if (clear)
        clear_marks(index, head);
    return n;
}

/* ---- changing ---- */

/* Put a word where it belongs; the segment has room. */
static void place(struct index *index, struct index_head *head, uint64_t word)
{
    _Atomic uint64_t *slots = slots_at(index, head);
    uint32_t count = slots_of(head->size), at = index_home(word, count);
    while (load(&slots[at]) > SLOT_GONE)
        at = next_slot(at, count);
    if (load(&slots[at]) == SLOT_EMPTY)
        head->used++;
    head->live++;
    atomic_store_explicit(&slots[at], word, memory_order_release);
    index->last = &slots[at];
}

/* What a segment holds, taken out of it. */
struct content {
    uint64_t words[INDEX_SLOTS_MAX];
    uint64_t marked[INDEX_SLOTS_MAX / 64]; /* bits of words */
    uint64_t moves[INDEX_SLOTS_MAX / 64];  /* to another segment */
    uint32_t count, moving;
};

static void set_bit(uint64_t *bits, uint32_t at)
{
    bits[at / 64] |= UINT64_C(1) << at % 64;
}

static void take_content(struct index *index, struct index_head *head,
                         struct content *c)
{
    _Atomic uint64_t *slots = slots_at(index, head);
    uint32_t count = slots_of(head->size);
    memset(c->marked, 0, sizeof c->marked);
    memset(c->moves, 0, sizeof c->moves);
    c->count = c->moving = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t w = load(&slots[i]);
        /* Without a branch: nobody can foretell which are empty. */
        c->words[c->count] = w;
        c->marked[c->count / 64] |= (uint64_t)is_marked(head, i)
                                    << c->count % 64;
        c->count += w > SLOT_GONE;
        atomic_store_explicit(&slots[i], SLOT_EMPTY, memory_order_relaxed);
    }
    head->used = head->live = 0;
    clear_marks(index, head);
}

/* Which of them have this bit in their hash. */
static void find_moving(const struct index *index, struct content *c,
                        uint64_t bit)
{
    for (uint32_t i = 0; i < c->count; i++) {
        /* Each key is a cache miss: several at a time. */
        if (i + AHEAD < c->count)
            __builtin_prefetch(
                (void *)(uintptr_t)(c->words[i + AHEAD] & ADDRESS_MASK));
        const void *record = (void *)(uintptr_t)(c->words[i] & ADDRESS_MASK);
        if (!(index->hash_of(record, index->arg) & bit))
            continue;
        set_bit(c->moves, i);
        c->moving++;
    }
}

static void put_word(struct index_head *head, _Atomic uint64_t *slots,
                     uint32_t at, const struct content *c, uint32_t i)
{
    uint64_t marked = c->marked[i / 64] >> i % 64 & 1;
    atomic_store_explicit(&slots[at], c->words[i], memory_order_release);
    head->marks[at / 64] |= marked << at % 64;
    head->marked += (uint32_t)marked;
}

/* A segment that is filled anew: first how many belong at a slot, then where
 * the next of them goes. Counted so that no branch depends on a hash. */
struct filling {
    struct index_head *head;
    _Atomic uint64_t *slots;
    uint32_t count;
    uint16_t at[INDEX_SLOTS_MAX];
};

static void find_places(struct filling *f)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t n = f->at[i];
        next = next > i ? next : i;
        f->at[i] = (uint16_t)next;
        next += n;
    }
}

/* Into empty segments; all of them into head where there is no other. */
static void put_content(struct index *index, struct index_head *head,
                        struct index_head *other, const struct content *c)
{
    struct filling f[2];
    uint64_t late[INDEX_SLOTS_MAX / 64] = {0};
    for (uint32_t w = 0; w < (other ? 2 : 1); w++) {
        f[w].head = w ? other : head;
        f[w].slots = slots_at(index, f[w].head);
        f[w].count = slots_of(f[w].head->size);
        f[w].head->live = f[w].head->used = w ? c->moving
                                              : c->count - c->moving;
        memset(f[w].at, 0, f[w].count * sizeof f[w].at[0]);
    }
    for (uint32_t i = 0; i < c->count; i++) {
        struct filling *to = &f[c->moves[i / 64] >> i % 64 & 1];
        to->at[index_home(c->words[i], to->count)]++;
    }
    for (uint32_t w = 0; w < (other ? 2 : 1); w++)
        find_places(&f[w]);
    for (uint32_t i = 0; i < c->count; i++) {
        struct filling *to = &f[c->moves[i / 64] >> i % 64 & 1];
        uint32_t at = to->at[index_home(c->words[i], to->count)]++;
        if (at >= to->count)
            set_bit(late, i);
        else
            put_word(to->head, to->slots, at, c, i);
    }
    /* Behind the last slot comes the first. */
    for (uint32_t k = 0; k < INDEX_SLOTS_MAX / 64; k++)
        for (uint64_t word = late[k]; word; word &= word - 1) {
            uint32_t i = 64 * k + (uint32_t)__builtin_ctzll(word), at = 0;
            struct filling *to = &f[c->moves[k] >> i % 64 & 1];
            while (load(&to->slots[at]) != SLOT_EMPTY)
                at++;
            put_word(to->head, to->slots, at, c, i);
        }
    for (uint32_t w = 0; w < (other ? 2 : 1); w++)
        note_marks(index, f[w].head);
}

static void grow_directory(struct index *index)
{
    uint32_t depth = atomic_load(&index->depth);
    uint64_t n = UINT64_C(1) << depth;
    for (uint64_t i = 0; i < n; i++)
        atomic_store_explicit(
            &index->dir[n + i],
            atomic_load_explicit(&index->dir[i], memory_order_relaxed),
            memory_order_relaxed);
    os_point(OS_POINT_GROW);
    atomic_store_explicit(&index->depth, depth + 1, memory_order_release);
}

/* Odd while words move: a reader that misses looks again. */
static void begin_moves(struct index_head *head)
{
    uint32_t v = atomic_load_explicit(&head->version, memory_order_relaxed);
    atomic_store_explicit(&head->version, v + 1, memory_order_relaxed);
    index_fence(memory_order_release);
    os_point(OS_POINT_GROW);
}

static void end_moves(struct index_head *head)
{
    uint32_t v = atomic_load_explicit(&head->version, memory_order_relaxed);
    atomic_store_explicit(&head->version, v + 1, memory_order_release);
}

/* Of the segment of a hash: more slots, or as many without those that were
 * used. */
static bool refit(struct index *index, uint64_t hash, uint16_t size)
{
    struct index_head *head =
        index_entry_head(index, index_entry_of(index, hash));
    struct content c;
    if (size > head->size &&
        !fits(index,
              (slots_of(size) - slots_of(head->size)) * SLOT_BYTES))
        return false;
    begin_moves(head);
    take_content(index, head, &c);
    resize(index, head, size);
    put_content(index, head, NULL, &c);
    os_point(OS_POINT_GROW);
    enter(index, head, hash);
    end_moves(head);
    return true;
}

static bool split(struct index *index, uint64_t hash)
{
    struct index_head *head =
        index_entry_head(index, index_entry_of(index, hash));
    struct content c;
    uint64_t bit = UINT64_C(1) << head->depth;
    if (head->depth == INDEX_DEPTH_MAX ||
        !fits(index, INDEX_SLOTS_MAX * SLOT_BYTES + sizeof *head))
        return false;
    struct index_head *other =
        new_segment(index, (uint16_t)(head->depth + 1));
    if (!other)
        return false;
    if (head->depth == atomic_load(&index->depth))
        grow_directory(index);
    begin_moves(head);
    take_content(index, head, &c);
    find_moving(index, &c, bit);
    resize(index, head, size_for(c.count - c.moving));
    resize(index, other, size_for(c.moving));
    put_content(index, head, other, &c);
    os_point(OS_POINT_GROW);
    head->depth++;
    enter(index, other, (hash & (bit - 1)) | bit);
    enter(index, head, hash & (bit - 1));
    end_moves(head);
    return true;
}

static bool make_room(struct index *index, uint64_t hash)
{
    const struct index_head *head =
        index_entry_head(index, index_entry_of(index, hash));
    if (head->live < used_max(head->size) * 3 / 4)
        return refit(index, hash, head->size);
    return head->size < SIZE_MAX_CODE
               ? refit(index, hash, (uint16_t)(head->size + 1))
               : split(index, hash);
}

int index_insert(struct index *index, uint64_t hash, void *record)
{
    struct index_head *head;
    for (;;) {
        head = index_entry_head(index, index_entry_of(index, hash));
        if (head->used < used_max(head->size))
            break;
        if (!make_room(index, hash))
            return error_set(WARP_ELIMIT,
                             "the index cannot grow: raise memory_max_bytes, "
                             "or make the store with more shards");
    }
    place(index, head, hash >> 48 << 48 | (uint64_t)(uintptr_t)record);
    index->count++;
    return WARP_OK;
}

void index_expect(struct index *index, uint64_t count)
{
    uint32_t depth = 0;
    while (depth < INDEX_DEPTH_MAX - 2 &&
           count >> depth > used_max(SIZE_MAX_CODE) * 15 / 16)
        depth++;
    uint16_t size = size_for(count >> depth);
    for (uint64_t i = 0; i < UINT64_C(1) << atomic_load(&index->depth); i++) {
        const struct index_head *head =
            index_entry_head(index, index_entry_of(index, i));
        while (head->depth < depth)
            if (!split(index, i))
                return;
        if (head->size < size && !refit(index, i, size))
            return;
    }
}

void index_remove(struct index *index, uint64_t hash, void *record)
{
    index_entry e = index_entry_of(index, hash);
    struct index_head *head = index_entry_head(index, e);
    _Atomic uint64_t *slot = slot_of(e, hash, record);
    if (!slot)
        return;
    uint32_t at = (uint32_t)(slot - index_entry_at(e));
    atomic_store_explicit(slot, SLOT_GONE, memory_order_release);
    head->live--;
    index->count--;
    if (!is_marked(head, at))
        return;
    head->marks[at / 64] &= ~(UINT64_C(1) << at % 64);
    if (--head->marked == 0)
        note_marks(index, head);
}

bool index_walk(struct index *index, uint32_t at,
                void (*fn)(void *arg, void *record), void *arg)
{
    if (at >= index->segment_count)
        return false;
    const struct index_head *head = &index->heads[at];
    _Atomic uint64_t *slots = slots_at(index, head);
    for (uint32_t i = 0; i < slots_of(head->size); i++) {
        uint64_t w = load(&slots[i]);
        if (w != SLOT_EMPTY && w != SLOT_GONE)
            fn(arg, (void *)(uintptr_t)(w & ADDRESS_MASK));
    }
    return true;
}
