/* ssd_pool.c: readers that are used again, and the gate that keeps them out.
 *
 * A thread has its own place to begin at, so that readers share no cache line.
 * Who takes a reader looks at the gate after it, who shuts the gate looks at
 * the readers after it: one of the two sees the other. */
#include "error.h"
#include "os.h"
#include "ssd_env.h"

#include <inttypes.h>
#include <stdlib.h>

int ssd_pool_init(struct ssd_pool *pool)
{
    size_t bytes = SSD_READERS * sizeof *pool->reader;
    pool->reader = aligned_alloc(64, bytes);
    if (!pool->reader)
        return error_set(WARP_ENOMEM, "no memory for readers");
    memset(pool->reader, 0, bytes);
    return 0;
}

void ssd_pool_fini(struct ssd_pool *pool)
{
    free(pool->reader);
    pool->reader = NULL;
}

static void wait_gate(struct ssd_pool *pool)
{
    while (atomic_load(&pool->gate) != 0)
        os_futex_wait(&pool->gate, 1, -1);
}

void ssd_pool_shut(struct ssd_pool *pool)
{
    atomic_store(&pool->gate, 1);
    for (uint32_t i = 0; i < SSD_READERS; i++)
        while (atomic_load(&pool->reader[i].busy) != 0)
            os_yield();
}

void ssd_pool_open(struct ssd_pool *pool)
{
    atomic_store(&pool->gate, 0);
    os_futex_wake(&pool->gate, INT32_MAX);
}

struct ssd_reader *ssd_pool_take(struct ssd_pool *pool)
{
    static _Atomic uint32_t threads;
    static _Thread_local uint32_t mine = UINT32_MAX;
    if (mine == UINT32_MAX)
        mine = atomic_fetch_add(&threads, 1) % SSD_READERS;
    for (;;) {
        for (uint32_t i = 0; i < SSD_READERS; i++) {
            struct ssd_reader *reader = &pool->reader[(mine + i) % SSD_READERS];
            uint32_t nobody = 0;
            if (!atomic_compare_exchange_strong(&reader->busy, &nobody, 1))
                continue;
            if (atomic_load(&pool->gate) == 0)
                return reader;
            atomic_store(&reader->busy, 0);
            wait_gate(pool);
        }
        os_yield();
    }
}

void ssd_pool_give(struct ssd_reader *reader)
{
    atomic_store_explicit(&reader->busy, 0, memory_order_release);
}

/* A commit writes its meta page, waits for the disk and only then tells that it
 * is there: readers between the two wait as long as the disk takes. A page that
 * never comes right is damaged. */
int ssd_pool_retry(const struct tree_file *file, uint64_t txn, int rc,
                   uint32_t *tries)
{
    enum { YIELDS = 64, SLEEPS = 60000 };
    static const int64_t sleep_ns = 1000000;
    _Atomic uint32_t word = 0;
    if (rc != WARP_TIMEOUT)
        return rc;
    if (++*tries > YIELDS + SLEEPS)
        return error_set(WARP_ECORRUPT,
                         "%s is damaged: no meta page holds transaction "
                         "%" PRIu64 "; restore a backup or run `warp verify`",
                         file->path, txn);
    if (*tries <= YIELDS)
        os_yield();
    else
        os_futex_wait(&word, 0, sleep_ns);
    return 0;
}
