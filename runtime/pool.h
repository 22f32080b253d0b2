/* pool.h: named budgets of memory that products share (memory_pool:), and the
 * budget of one product (max_memory:). They count rows and values; those of
 * gpu_memory_pool: count what devices hold of columns (mirror.h). */
#ifndef WARP_POOL_H
#define WARP_POOL_H

#include <stdatomic.h>
#include <stdint.h>

struct pool {
    char what[96]; /* for messages: "memory_pool :hot", "max_memory of X" */
    char name[64]; /* of a shared pool, else "" */
    _Atomic uint64_t used;
    uint64_t limit; /* bytes */
};

#endif
