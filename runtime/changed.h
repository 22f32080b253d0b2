/* changed.h: which keys may have changed since the directory was written.
 *
 * Two sets of bits by hash: one takes what becomes dirty now, the other what
 * the checkpoint under way has taken. A key in neither is in the directory as
 * it is, so a scan takes the row from there and neither looks for the record
 * nor brings it into memory. */
#ifndef WARP_CHANGED_H
#define WARP_CHANGED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { CHANGED_BITS = 1 << 18 };

struct changed {
    _Atomic uint64_t *bits[2]; /* reserved memory: a page that nobody wrote
                                  to takes none */
    _Atomic uint32_t now;      /* which of them */
    _Atomic uint32_t settled;  /* odd: a set is being emptied */
    _Atomic uint32_t any[2];   /* has a set a bit? */
};

/** Errors  WARP_ENOMEM, without a text. */
int changed_open(struct changed *changed);
void changed_close(struct changed *changed);

/* Before the change is acknowledged, under the lock of the record's shard. */
static inline void changed_mark(struct changed *c, uint64_t hash)
{
    uint32_t bit = (uint32_t)hash & (CHANGED_BITS - 1);
    uint32_t set = atomic_load_explicit(&c->now, memory_order_relaxed);
    _Atomic uint64_t *word = &c->bits[set][bit / 64];
    uint64_t mask = UINT64_C(1) << bit % 64;
    if (atomic_load_explicit(word, memory_order_relaxed) & mask)
        return;
    if (!atomic_load_explicit(&c->any[set], memory_order_relaxed))
        atomic_store_explicit(&c->any[set], 1, memory_order_relaxed);
    atomic_fetch_or_explicit(word, mask, memory_order_relaxed);
}

/* A checkpoint: before it takes the lists of dirty records; and when the
 * directory has them, or they are dirty again. One at a time. */
void changed_turn(struct changed *changed);
void changed_settle(struct changed *changed);

/* False: the row that the directory had before this call and has after it is
 * the record. */
static inline bool changed_may(const struct changed *c, uint64_t hash)
{
    struct changed *m = (struct changed *)(uintptr_t)c;
    uint32_t bit = (uint32_t)hash & (CHANGED_BITS - 1);
    uint32_t before = atomic_load_explicit(&m->settled, memory_order_acquire);
    uint64_t words =
        atomic_load_explicit(&m->bits[0][bit / 64], memory_order_acquire) |
        atomic_load_explicit(&m->bits[1][bit / 64], memory_order_acquire);
    /* What goes from one set to the other is seen in neither. */
    return (words >> bit % 64 & 1) || (before & 1) ||
           atomic_load_explicit(&m->settled, memory_order_acquire) != before;
}
/* True: changed_may() would say false of every key. */
static inline bool changed_none(const struct changed *c)
{
    struct changed *m = (struct changed *)(uintptr_t)c;
    uint32_t before = atomic_load_explicit(&m->settled, memory_order_acquire);
    return !(before & 1) &&
           !atomic_load_explicit(&m->any[0], memory_order_acquire) &&
           !atomic_load_explicit(&m->any[1], memory_order_acquire) &&
           atomic_load_explicit(&m->settled, memory_order_acquire) == before;
}

#endif
