/* record.h: one record in memory: a version word, a head, a row, its key.
 *
 * A writer holds the shard's lock; it makes the version word odd, changes the
 * row, and stores the new version. A reader takes no lock and writes nothing:
 * it reads the word, copies, and reads the word again. Memory is type-stable
 * (heap.h), so a reader of a freed record reads rubbish and finds out. All
 * accesses that may race go through the functions below. */
#ifndef WARP_RECORD_H
#define WARP_RECORD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "layout.h"
#include "os.h"

/* Flags beside the have bits. */
#define R_DELETED  (UINT64_C(1) << 63) /* kept until the tiers know */
#define R_IN_DIR   (UINT64_C(1) << 62) /* the ssd directory may hold the key */
#define R_DIRTY    (UINT64_C(1) << 61) /* in the list of a checkpoint */
#define R_FLUSHING (UINT64_C(1) << 60) /* copied, its tier has it not yet */
#define R_BUSY     (UINT64_C(1) << 59) /* a commit under way points at it */
#define R_PAST     (UINT64_C(1) << 58) /* its row there has an earlier form */
#define R_AWAY     (UINT64_C(1) << 57) /* with R_DELETED: it is in another
                                          shard; forward.h */
#define R_FIELDS   ((UINT64_C(1) << 56) - 1)

/* The memory-only writes of a record since its last logged commit are counted
 * in the upper byte of its LOST word: they change the version too. */
#define R_WRITES_SHIFT 56

struct record {
    _Atomic uint64_t word; /* version << 16 | change counter, odd: written */
    _Atomic uint64_t head; /* fields with a value, flags, and product */
    uint8_t row[];         /* row_bytes, then the key, then inline values */
};

/* A value outside the row (SLOT_VAR). */
struct var {
    _Atomic uint64_t at;      /* address; VAR_NONE; VAR_COLD: on a tier only */
    _Atomic uint64_t len_cap; /* bytes | room << 32 */
};
enum { VAR_NONE = 0, VAR_COLD = 1 };

/* ---- words of the row ---- */
/* Of a layout that has the word: else it is far behind the record. */
#ifdef __SANITIZE_ADDRESS__
#include <assert.h>
#define ROW_HAS(slot) assert((slot) != UINT32_MAX)
#else
#define ROW_HAS(slot) ((void)0)
#endif
static inline uint64_t row_load(const struct record *r, uint32_t slot)
{
    ROW_HAS(slot);
    return atomic_load_explicit(
        (_Atomic uint64_t *)(uintptr_t)(r->row + slot), memory_order_relaxed);
}
static inline void row_store(struct record *r, uint32_t slot, uint64_t word)
{
    ROW_HAS(slot);
    atomic_store_explicit((_Atomic uint64_t *)(void *)(r->row + slot), word,
                          memory_order_relaxed);
}
static inline uint8_t record_writes(const struct layout *l,
                                    const struct record *r)
{
    return l->lost == UINT32_MAX
               ? 0
               : (uint8_t)(row_load(r, l->lost) >> R_WRITES_SHIFT);
}
static inline struct var *row_var(const struct record *r, uint32_t slot)
{
    return (struct var *)(uintptr_t)(r->row + slot);
}

/* ---- what the record is ---- */
static inline uint64_t record_head(const struct record *r)
{
    return atomic_load_explicit(&((struct record *)(uintptr_t)r)->head,
                                memory_order_relaxed);
}
static inline uint64_t record_head_mask(uint64_t head)
{
    return head & HEAD_SIZED ? HEAD_SIZED : HEAD_SIZED | HEAD_PRODUCT;
}
/* The first word of the row of a layout that is sized: product | bytes of the
 * key << 16 | bytes of the block << 32. */
static inline uint64_t record_sizes(const struct record *r)
{
    return row_load(r, 0);
}
static inline uint32_t record_product(const struct record *r)
{
    uint64_t head = record_head(r);
    return (uint16_t)(head & HEAD_SIZED ? record_sizes(r)
                                        : head >> HEAD_FIELDS);
}
static inline uint32_t record_key_bytes(const struct layout *l,
                                        const struct record *r)
{
    return l->sized ? (uint16_t)(record_sizes(r) >> 16) : l->key_bytes;
}
/* Of the heap block: record, row, key, inline values. */
static inline uint32_t record_alloc_bytes(const struct layout *l,
                                          const struct record *r)
{
    return l->sized ? (uint32_t)(record_sizes(r) >> 32)
                    : (uint32_t)sizeof *r + l->row_bytes +
                          ((l->key_bytes + 7) & ~7u);
}
/* Of a new record, whose row is zeros; it has no fields yet. */
static inline void record_init(struct record *r, const struct layout *l,
                               uint32_t key_bytes, uint32_t alloc_bytes)
{
    atomic_store_explicit(&r->head, R_DELETED | l->head,
                          memory_order_relaxed);
    if (l->sized)
        row_store(r, 0, l->number | (uint64_t)key_bytes << 16 |
                            (uint64_t)alloc_bytes << 32);
}
static inline uint8_t *record_key(const struct layout *l,
                                  const struct record *r)
{
    return (uint8_t *)(uintptr_t)r->row + l->row_bytes;
}

/* Where its inline values begin, and what is behind their room. */
static inline uint8_t *record_inline(const struct layout *l,
                                     const struct record *r)
{
    return record_key(l, r) + ((record_key_bytes(l, r) + 7) & ~7u);
}
static inline uint8_t *record_inline_end(const struct layout *l,
                                         const struct record *r)
{
    return (uint8_t *)(uintptr_t)r + record_alloc_bytes(l, r);
}

/* ---- bytes that a reader may read while a writer writes ----
 * Plain copies where the compiler is not watching; relaxed atomics under
 * ThreadSanitizer (record.c). */
#if defined(__SANITIZE_THREAD__)
#define RECORD_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RECORD_TSAN 1
#endif
#endif
#ifdef RECORD_TSAN
void record_copy_out(void *to, const void *from, size_t bytes);
void record_copy_in(void *to, const void *from, size_t bytes);
#define record_fence(order) ((void)0)
#else
static inline void record_copy_out(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
}
static inline void record_copy_in(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
}
#define record_fence(order) atomic_thread_fence(order)
#endif

/* ---- writing: under the shard's lock ----
 * The word is version << 16 | counter; the counter's lowest bit is set while
 * the record is written, and every change counts, also one that makes no new
 * version (an eviction): else a reader could take freed bytes for good. */
static inline uint64_t record_version(const struct record *r)
{
    return atomic_load_explicit(&((struct record *)(uintptr_t)r)->word,
                                memory_order_relaxed) >> 16;
}
/* May be called again before record_end. */
static inline void record_begin(struct record *r)
{
    uint64_t w = atomic_load_explicit(&r->word, memory_order_relaxed);
    atomic_store_explicit(&r->word, w | 1, memory_order_relaxed);
    record_fence(memory_order_release);
    os_point(OS_POINT_WRITE);
}
static inline void record_end(struct record *r, uint64_t version)
{
    uint64_t w = atomic_load_explicit(&r->word, memory_order_relaxed);
    atomic_store_explicit(&r->word,
                          version << 16 | (((w | 1) + 1) & 0xffff),
                          memory_order_release);
}

/* ---- reading: no lock ---- */
/* The word to check against, or an odd one: then try again. */
static inline uint64_t record_read_begin(const struct record *r)
{
    uint64_t w = atomic_load_explicit(&((struct record *)(uintptr_t)r)->word,
                                      memory_order_acquire);
    os_point(OS_POINT_READ);
    return w;
}
static inline bool record_read_ok(const struct record *r, uint64_t word)
{
    record_fence(memory_order_acquire);
    return atomic_load_explicit(&((struct record *)(uintptr_t)r)->word,
                                memory_order_relaxed) == word;
}

static inline uint64_t record_have(const struct record *r)
{
    uint64_t head = record_head(r);
    return head & ~record_head_mask(head);
}
static inline void record_set_have(struct record *r, uint64_t have)
{
    uint64_t head = record_head(r);
    atomic_store_explicit(&r->head, (head & record_head_mask(head)) | have,
                          memory_order_relaxed);
}

#endif
