/* A shard's memory against a model: no overlap, nothing lost, the budget kept,
 * pages given back, addresses that stay readable while another thread looks. */
#include "heap.h"
#include "os.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

static struct budget budget;
static struct heap heap;

static void start(uint64_t limit)
{
    atomic_store(&budget.used, 0);
    atomic_store(&budget.limit, limit);
    heap_init(&heap, &budget);
}

static void stop(void)
{
    heap_fini(&heap);
    ck_assert_uint_eq(atomic_load(&budget.used), 0);
}

static uint64_t state = 88172645463325252u;

static uint32_t below(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) * n >> 32);
}

static size_t random_bytes(void)
{
    switch (below(16)) {
    case 0:
        return below(40000);
    case 1:
        return below(200) ? below(3000) : below(3000000);
    case 2:
        return HEAP_SMALL_BYTES_MAX + below(100000);
    default:
        return below(300);
    }
}

struct block {
    uint8_t *at;
    size_t bytes;
    uint8_t mark;
};

static void fill(struct block *b)
{
    memset(b->at, b->mark, b->bytes);
}

static void check_block(const struct block *b)
{
    size_t same = 0;
    while (same < b->bytes && b->at[same] == b->mark)
        same++;
    ck_assert_uint_eq(same, b->bytes);
}

START_TEST(classes_are_in_order_and_tight)
{
    unsigned last = 0;
    for (size_t bytes = 1; bytes <= HEAP_SMALL_BYTES_MAX; bytes++) {
        unsigned class = heap_class_of(bytes);
        ck_assert(class == last || class == last + 1);
        size_t block = heap_block_bytes(bytes);
        ck_assert_uint_ge(block, bytes);
        ck_assert_uint_eq(block % 8, 0);
        ck_assert_uint_eq(heap_class_of(block), class);
        if (bytes > 64)
            ck_assert_uint_le((block - bytes) * 8, block);
        last = class;
    }
    ck_assert_uint_eq(last, HEAP_CLASS_COUNT - 1);
    start(UINT64_MAX);
    for (unsigned i = 0; i < HEAP_CLASS_COUNT; i++) {
        const struct heap_class *c = &heap.classes[i];
        ck_assert_uint_eq(heap_class_of(c->block_bytes), i);
        ck_assert_uint_eq(c->run_bytes % 16384, 0);
        ck_assert_uint_le(c->run_bytes, MIB / 4);
        ck_assert_uint_le(c->run_bytes % c->block_bytes * 16, c->run_bytes);
    }
    stop();
}
END_TEST

START_TEST(random_use_against_a_model)
{
    enum { SLOTS = 3000 };
    static struct block blocks[SLOTS];
    memset(blocks, 0, sizeof blocks);
    state += (uint64_t)_i * 7919;
    start(256 * MIB);
    size_t live = 0;
    for (unsigned step = 0; step < 60000; step++) {
        /* at times much is freed, so that runs and chunks become empty */
        bool shrink = step / 10000 % 2;
        struct block *b = &blocks[below(SLOTS)];
        if (b->at) {
            if (b->bytes < 100000 || !below(8))
                check_block(b);
            heap_free(&heap, b->at, b->bytes);
            live -= heap_block_bytes(b->bytes);
            b->at = NULL;
            continue;
        }
        if (shrink && below(8))
            continue;
        b->bytes = random_bytes();
        b->mark = (uint8_t)step;
        b->at = heap_alloc(&heap, b->bytes);
        ck_assert_ptr_nonnull(b->at);
        ck_assert_uint_eq((uintptr_t)b->at % 8, 0);
        live += heap_block_bytes(b->bytes);
        fill(b);
        ck_assert_uint_ge(heap_bytes(&heap), live);
        ck_assert_uint_eq(heap_bytes(&heap), atomic_load(&budget.used));
    }
    for (unsigned i = 0; i < SLOTS; i++)
        if (blocks[i].at) {
            check_block(&blocks[i]);
            heap_free(&heap, blocks[i].at, blocks[i].bytes);
        }
    heap_trim(&heap);
    /* what is left: a page for each chunk and span ever made */
    ck_assert_uint_le(heap_bytes(&heap), 2 * MIB);
    stop();
}
END_TEST

START_TEST(the_budget_is_kept)
{
    static void *at[100000];
    static const size_t sizes[] = {24, 100, 1000, 9000, 50000, 3 * MIB};
    for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        start(8 * MIB);
        size_t count = 0;
        while (count < 100000 && (at[count] = heap_alloc(&heap, sizes[s]))) {
            memset(at[count], 1, sizes[s]);
            count++;
            ck_assert_uint_le(atomic_load(&budget.used), 8 * MIB);
        }
        /* it gives most of the budget before it says no */
        if (count < 100000)
            ck_assert_uint_ge((count + 1) * sizes[s], 6 * MIB);
        ck_assert_ptr_null(heap_alloc(&heap, 9 * MIB));
        for (size_t i = 0; i < count; i++)
            heap_free(&heap, at[i], sizes[s]);
        /* what one class had is there for another */
        void *other = heap_alloc(&heap, 6 * MIB);
        ck_assert_ptr_nonnull(other);
        heap_free(&heap, other, 6 * MIB);
        heap_trim(&heap);
        ck_assert_uint_le(heap_bytes(&heap), MIB / 8);
        stop();
    }
}
END_TEST

START_TEST(what_is_kept_is_for_who_only_reads)
{
    start(4 * MIB);
    atomic_store(&budget.kept, 2 * MIB);
    ck_assert_ptr_nonnull(heap_alloc(&heap, 3 * MIB));
    ck_assert_ptr_null(heap_alloc(&heap, 2 * MIB));
    heap.reads = true;
    ck_assert_ptr_nonnull(heap_alloc(&heap, 2 * MIB));
    ck_assert_ptr_null(heap_alloc(&heap, 2 * MIB));
    heap.reads = false;
    ck_assert_ptr_null(heap_alloc(&heap, MIB / 2));
    stop();
    atomic_store(&budget.kept, 0);
}
END_TEST

START_TEST(heaps_share_a_budget)
{
    struct heap second;
    start(4 * MIB);
    heap_init(&second, &budget);
    void *mine = heap_alloc(&heap, 3 * MIB);
    ck_assert_ptr_nonnull(mine);
    ck_assert_ptr_null(heap_alloc(&second, 2 * MIB));
    heap_free(&heap, mine, 3 * MIB);
    ck_assert_ptr_nonnull(heap_alloc(&second, 2 * MIB));
    ck_assert_ptr_null(heap_alloc(&heap, 3 * MIB));
    heap_fini(&second);
    ck_assert_ptr_nonnull(heap_alloc(&heap, 3 * MIB));
    stop();
}
END_TEST

START_TEST(freed_memory_stays_readable)
{
    static const size_t sizes[] = {16, 100, 5000, 32768, 40000, 900000,
                                   5 * MIB};
    start(UINT64_MAX);
    for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint8_t *at[3];
        for (unsigned i = 0; i < 3; i++) {
            at[i] = heap_alloc(&heap, sizes[s]);
            memset(at[i], 0xff, sizes[s]);
        }
        for (unsigned i = 0; i < 3; i++)
            heap_free(&heap, at[i], sizes[s]);
        for (unsigned i = 0; i < 3; i++)
            ck_assert_uint_ge(at[i][sizes[s] - 1], 0);
        heap_trim(&heap);
        for (unsigned i = 0; i < 3; i++) /* the pages are gone */
            ck_assert_uint_eq(at[i][sizes[s] - 1], 0);
    }
    stop();
}
END_TEST

START_TEST(freed_blocks_come_back_first)
{
    start(UINT64_MAX);
    void *a = heap_alloc(&heap, 100), *b = heap_alloc(&heap, 100);
    heap_free(&heap, a, 100);
    ck_assert_ptr_eq(heap_alloc(&heap, 97), a); /* the same class */
    heap_free(&heap, b, 99);
    size_t taken = heap_bytes(&heap);
    for (unsigned i = 0; i < 100000; i++)
        heap_free(&heap, heap_alloc(&heap, 100), 100);
    for (unsigned i = 0; i < 1000; i++)
        heap_free(&heap, heap_alloc(&heap, 2 * MIB), 2 * MIB);
    ck_assert_uint_le(heap_bytes(&heap), taken + 4096);
    heap_free(&heap, NULL, 100);
    ck_assert_ptr_nonnull(heap_alloc(&heap, 0));
    stop();
}
END_TEST

/* A reader as the store has them: it holds an address, loads by relaxed
 * atomics, and does not care what it reads. */
static _Atomic uintptr_t shared_block;
static _Atomic bool stop_reading;

static void *read_freed(void *arg)
{
    uint64_t *sum = arg;
    while (!atomic_load_explicit(&stop_reading, memory_order_relaxed)) {
        uintptr_t at = atomic_load(&shared_block);
        for (unsigned i = 0; at && i < 8; i++)
            *sum += __atomic_load_n((uint64_t *)at + i, __ATOMIC_RELAXED);
    }
    return NULL;
}

START_TEST(readers_may_look_at_freed_blocks)
{
    uint64_t sum = 0;
    struct os_thread reader;
    start(UINT64_MAX);
    ck_assert_int_eq(os_thread_start(&reader, read_freed, &sum, "reader"), 0);
    static uint64_t *held[512];
    for (unsigned step = 0; step < 200000; step++) {
        unsigned slot = below(512);
        if (held[slot]) {
            heap_free(&heap, held[slot], 64);
            held[slot] = NULL;
        } else {
            held[slot] = heap_alloc(&heap, 64);
            for (unsigned i = 0; i < 8; i++)
                __atomic_store_n(held[slot] + i, step, __ATOMIC_RELAXED);
            atomic_store(&shared_block, (uintptr_t)held[slot]);
        }
        if (step % 20000 == 0)
            heap_trim(&heap);
    }
    atomic_store(&stop_reading, true);
    os_thread_join(&reader);
    atomic_store(&shared_block, 0);
    stop();
}
END_TEST

/* Has the kernel given this page already? */
static bool is_touched(void *at)
{
    unsigned char there;
    ck_assert_int_eq(mincore(at, 4096, &there), 0);
    return there & 1;
}

/* One call for the pages of a run; a fault each is ten times as dear. */
START_TEST(a_run_is_touched_at_once)
{
    enum { PAGE = 4096, RUN = 4 * PAGE };
    char *probe = os_reserve(RUN);
    os_populate(probe, RUN);
    bool can = is_touched(probe + 3 * PAGE);
    os_unreserve(probe, RUN);
    start(64 * MIB);
    char *block = heap_alloc(&heap, 64);
    uintptr_t last = ((uintptr_t)block & ~(uintptr_t)(PAGE - 1)) + 3 * PAGE;
    ck_assert(!can || is_touched((void *)last));
    /* And those of a block of its own. */
    block = heap_alloc(&heap, 20 * PAGE);
    ck_assert(!can || is_touched(block + 19 * PAGE));
    heap_free(&heap, block, 20 * PAGE);
    stop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heap");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_test(all, classes_are_in_order_and_tight);
    tcase_add_loop_test(all, random_use_against_a_model, 0, 4);
    tcase_add_test(all, the_budget_is_kept);
    tcase_add_test(all, what_is_kept_is_for_who_only_reads);
    tcase_add_test(all, heaps_share_a_budget);
    tcase_add_test(all, freed_memory_stays_readable);
    tcase_add_test(all, freed_blocks_come_back_first);
    tcase_add_test(all, a_run_is_touched_at_once);
    tcase_add_test(all, readers_may_look_at_freed_blocks);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
