/* changed.c: see changed.h. */
#include "changed.h"

#include "os.h"

#include <warp/warp.h>

enum { WORDS = CHANGED_BITS / 64, BYTES = CHANGED_BITS / 8 };

int changed_open(struct changed *c)
{
    c->bits[0] = os_reserve(BYTES);
    c->bits[1] = os_reserve(BYTES);
    return c->bits[0] && c->bits[1] ? WARP_OK : WARP_ENOMEM;
}

void changed_close(struct changed *c)
{
    for (int i = 0; i < 2; i++)
        if (c->bits[i])
            os_unreserve((void *)(uintptr_t)c->bits[i], BYTES);
    c->bits[0] = c->bits[1] = NULL;
}

void changed_turn(struct changed *c)
{
    atomic_store(&c->now, 1 - atomic_load(&c->now));
}

void changed_settle(struct changed *c)
{
    uint32_t which = 1 - atomic_load(&c->now);
    _Atomic uint64_t *old = c->bits[which];
    atomic_fetch_add(&c->settled, 1);
    for (uint32_t i = 0; i < WORDS; i++)
        if (atomic_load_explicit(&old[i], memory_order_relaxed) != 0)
            atomic_store_explicit(&old[i], 0, memory_order_release);
    atomic_store_explicit(&c->any[which], 0, memory_order_release);
    atomic_fetch_add(&c->settled, 1);
}
