/* The table of workloads (YCSB's letters where it has one) and the orders that
 * they visit records in. Zipf draws are scrambled through the shuffled order,
 * so that frequent records lie anywhere; they are drawn once, and every thread
 * goes round them from a place of its own. To add a workload: a row here. */
#include "kv_workload.h"

#include <stdlib.h>

#include "kv.h"
#include "zipf.h"

const struct kv_workload kv_workloads[] = {
    {.name = "load", .about = "insert all records in random order",
     .load = true},
    {.name = "a", .about = "50 % reads, 50 % updates, zipf 0.99",
     .read_percent = 50, .zipf = true},
    {.name = "b", .about = "95 % reads, 5 % updates, zipf 0.99",
     .read_percent = 95, .zipf = true},
    {.name = "c", .about = "reads, zipf 0.99", .read_percent = 100,
     .zipf = true},
    {.name = "w", .about = "updates, uniform"},
    {.name = "s", .about = "all records in the order of their keys",
     .read_percent = 100, .scan = true, .extra = true},
    {.name = "h", .about = "reads of one record", .read_percent = 100,
     .one = true, .extra = true},
};
const unsigned kv_workloads_count =
    sizeof kv_workloads / sizeof kv_workloads[0];

void kv_pool_fill(struct kv_pool *pool)
{
    struct random random = random_seeded(7);
    for (size_t i = 0; i + 8 <= sizeof pool->bytes; i += 8) {
        uint64_t word = random_next(&random);
        memcpy(pool->bytes + i, &word, 8);
    }
}

int kv_order_init(struct kv_order *order, uint64_t records, bool zipf)
{
    struct random random = random_seeded(records);
    memset(order, 0, sizeof *order);
    order->records = records;
    order->shuffled = malloc(records * sizeof *order->shuffled);
    if (order->shuffled == NULL)
        return -1;
    for (uint64_t i = 0; i < records; i++)
        order->shuffled[i] = (uint32_t)i;
    for (uint64_t i = records; i > 1; i--) {
        uint64_t other = random_below(&random, i);
        uint32_t record = order->shuffled[i - 1];
        order->shuffled[i - 1] = order->shuffled[other];
        order->shuffled[other] = record;
    }
    if (!zipf)
        return 0;
    /* At least four draws a record, so that rare records are met too. */
    order->zipf_count = 1U << 20;
    while (order->zipf_count < records * 4 && order->zipf_count < 1U << 24)
        order->zipf_count *= 2;
    order->zipf = malloc(order->zipf_count * sizeof *order->zipf);
    if (order->zipf == NULL) {
        kv_order_fini(order);
        return -1;
    }
    struct zipf z;
    zipf_init(&z, records, 0.99);
    for (uint32_t i = 0; i < order->zipf_count; i++)
        order->zipf[i] = order->shuffled[zipf_next(&z, &random)];
    return 0;
}

void kv_order_fini(struct kv_order *order)
{
    free(order->shuffled);
    free(order->zipf);
    memset(order, 0, sizeof *order);
}
