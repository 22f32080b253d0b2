/* index.c: the index of a shard against a plain list: what is in it, what is
 * marked, what it takes. */
#include "index.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "error.h"

#include <warp/warp.h>

enum { RECORDS = 200000 };

struct item {
    uint64_t key;
    bool in, marked;
};

static struct item items[RECORDS] __attribute__((aligned(16)));
static struct budget budget;
static struct index table;
static bool one_place; /* all hashes begin alike */
static bool one_end;   /* … end alike */

static uint64_t hash_key_of(uint64_t key)
{
    uint64_t h = (key + 1) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    h ^= h >> 32;
    if (one_end)
        h |= UINT64_C(0xffffffff);
    return one_place ? h & UINT64_C(0xffffffff) : h;
}

static uint64_t hash_of(const void *record, const void *arg)
{
    (void)arg;
    return hash_key_of(((const struct item *)record)->key);
}

static bool match(const void *record, const void *key)
{
    return ((const struct item *)record)->key == *(const uint64_t *)key;
}

static void begin(void)
{
    atomic_store(&budget.used, 0);
    atomic_store(&budget.limit, UINT64_MAX);
    one_place = one_end = false;
    memset(items, 0, sizeof items);
    for (uint64_t i = 0; i < RECORDS; i++)
        items[i].key = i;
    ck_assert_int_eq(index_init(&table, &budget, (struct heap_kind){0}, hash_of,
                                NULL),
                     WARP_OK);
}

static void end(void)
{
    index_fini(&table);
    ck_assert_uint_eq(budget.used, 0);
}

static void add(uint64_t i)
{
    ck_assert_int_eq(index_insert(&table, hash_key_of(i), &items[i]), WARP_OK);
    items[i].in = true;
}

static void take_out(uint64_t i)
{
    index_remove(&table, hash_key_of(i), &items[i]);
    items[i].in = items[i].marked = false;
}

static void mark(uint64_t i)
{
    index_mark(&table, hash_key_of(i), &items[i]);
    items[i].marked = true;
}

static void *find(uint64_t key)
{
    _Atomic uint64_t *slot;
    return index_find(&table, hash_key_of(key), match, &key, &slot);
}

static void seen_one(void *arg, void *record)
{
    ck_assert(((struct item *)record)->in);
    ++*(uint64_t *)arg;
}

static void check_all(uint64_t count)
{
    uint64_t in = 0, marks = 0, seen = 0, told = 0;
    for (uint64_t i = 0; i < count; i++) {
        ck_assert_ptr_eq(find(i), items[i].in ? &items[i] : NULL);
        in += items[i].in;
        marks += items[i].marked;
    }
    for (uint32_t at = 0; index_walk(&table, at, seen_one, &seen); at++)
        ;
    for (uint32_t at = 0; index_next_marked(&table, &at); at++) {
        void *records[INDEX_SLOTS_MAX];
        uint32_t n = index_marked(&table, at, false, records);
        ck_assert_uint_gt(n, 0);
        for (uint32_t i = 0; i < n; i++)
            ck_assert(((struct item *)records[i])->marked);
        told += n;
    }
    ck_assert_uint_eq(seen, in);
    ck_assert_uint_eq(table.count, in);
    ck_assert_uint_eq(told, marks);
    ck_assert_uint_eq(budget.used, table.bytes);
}

START_TEST(all_are_found_as_it_grows)
{
    for (uint64_t i = 0; i < RECORDS; i++) {
        add(i);
        if (i % 3 == 0)
            mark(i);
        if (i < 5000 ? i % 500 == 0 : i % 40000 == 0)
            check_all(i + 100 < RECORDS ? i + 100 : RECORDS);
    }
    check_all(RECORDS);
}
END_TEST

/* What one of many records takes: 17 bytes at most, 13 in the mean. */
START_TEST(it_is_dense)
{
    double sum = 0;
    uint32_t n = 0;
    for (uint64_t i = 0; i < RECORDS; i++) {
        add(i);
        if (i < 20000 || i % 1000 != 0)
            continue;
        double each = (double)table.bytes / (double)i;
        ck_assert_double_le(each, 17);
        sum += each;
        n++;
    }
    ck_assert_double_le(sum / n, 13.5);
}
END_TEST

START_TEST(what_goes_makes_room)
{
    uint64_t state = 1;
    for (uint64_t i = 0; i < 20000; i++)
        add(i);
    uint64_t bytes = table.bytes;
    for (uint32_t n = 0; n < 400000; n++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint64_t i = (state >> 33) % 21000;
        if (!items[i].in)
            add(i);
        else if (state >> 20 & 1 && !items[i].marked)
            mark(i);
        else
            take_out(i);
    }
    check_all(21000);
    ck_assert_uint_le(table.bytes, bytes + bytes / 2);
    index_remove(&table, hash_key_of(30000), &items[30000]); /* is not there */
    index_mark(&table, hash_key_of(30000), &items[30000]);
    check_all(21000);
}
END_TEST

START_TEST(marks_are_taken_once)
{
    void *records[INDEX_SLOTS_MAX];
    for (uint64_t i = 0; i < 30000; i++) {
        add(i);
        if (i % 7 == 0)
            mark(i);
    }
    for (uint32_t at = 0; index_next_marked(&table, &at); at++)
        for (uint32_t n = index_marked(&table, at, true, records); n > 0; n--)
            ((struct item *)records[n - 1])->marked = false;
    check_all(30000);
    uint32_t at = 0;
    ck_assert(!index_next_marked(&table, &at));
    mark(7);
    check_all(30000);
}
END_TEST

/* Whether the kernel has some, or not. */
START_TEST(in_huge_pages)
{
    index_fini(&table);
    ck_assert_int_eq(index_init(&table, &budget,
                                (struct heap_kind){.huge = true}, hash_of,
                                NULL),
                     WARP_OK);
    for (uint64_t i = 0; i < 30000; i++)
        add(i);
    check_all(30000);
}
END_TEST

/* The last mark of a segment goes with its record. */
START_TEST(a_mark_goes_with_its_record)
{
    uint32_t at = 0;
    for (uint64_t i = 0; i < 300; i++)
        add(i);
    for (uint64_t i = 0; i < 5; i++)
        mark(i);
    ck_assert(index_next_marked(&table, &at));
    for (uint64_t i = 0; i < 5; i++)
        take_out(i);
    at = 0;
    ck_assert(!index_next_marked(&table, &at));
    check_all(300);
}
END_TEST

/* Hashes of which all begin alike: slow, but all are there. */
START_TEST(the_same_place_for_all)
{
    one_place = true;
    for (uint64_t i = 0; i < 6000; i++)
        add(i);
    check_all(6000);
}
END_TEST

/* Hashes that no split tells apart: it is full, and goes on when some go. */
START_TEST(the_same_segment_for_all)
{
    one_end = true;
    uint64_t n = 0;
    while (index_insert(&table, hash_key_of(n), &items[n]) == WARP_OK)
        items[n++].in = true;
    ck_assert_uint_gt(n, INDEX_SLOTS_MAX * 3 / 4);
    ck_assert_uint_le(n, INDEX_SLOTS_MAX);
    check_all(n + 10);
    for (uint64_t i = 0; i < n; i += 2)
        take_out(i);
    check_all(n);
    for (uint64_t i = 0; i < n; i += 2)
        add(i);
    check_all(n);
}
END_TEST

/* Wherever the budget ends: what is in is found, and nothing more is taken. */
START_TEST(a_limit_anywhere)
{
    end();
    atomic_store(&budget.limit, 2000);
    ck_assert_int_eq(index_init(&table, &budget, (struct heap_kind){0}, hash_of,
                                NULL),
                     WARP_ENOMEM);
    ck_assert_uint_eq(budget.used, 0);
    for (uint64_t limit = 9000; limit < 80000; limit += 700) {
        begin();
        atomic_store(&budget.limit, limit);
        if (limit % 1400 < 700)
            index_expect(&table, limit % 2800 < 1400 ? 1500 : RECORDS);
        uint64_t n = 0;
        while (index_insert(&table, hash_key_of(n), &items[n]) == WARP_OK)
            items[n++].in = true;
        ck_assert_uint_gt(n, 700);
        ck_assert_uint_le(budget.used, limit);
        check_all(n + 10);
        /* Of what is not in, nothing goes. */
        index_remove(&table, hash_key_of(n + 1), &items[n + 1]);
        check_all(n + 10);
        end();
    }
    begin();
}
END_TEST

START_TEST(a_limit_is_kept)
{
    uint64_t n = 0;
    int rc = WARP_OK;
    atomic_store(&budget.limit, 100000);
    for (; n < RECORDS && rc == WARP_OK; n++)
        rc = index_insert(&table, hash_key_of(n), &items[n]);
    ck_assert_int_eq(rc, WARP_ELIMIT);
    ck_assert_str_eq(error_text(),
                     "the index cannot grow: raise memory_max_bytes, or make "
                     "the store with more shards");
    ck_assert_uint_gt(n, 4000);
    ck_assert_uint_le(budget.used, 100000);
    for (uint64_t i = 0; i < n - 1; i++)
        items[i].in = true;
    check_all(n + 10);
    index_expect(&table, RECORDS);
    ck_assert_uint_le(budget.used, 100000);
    atomic_store(&budget.limit, UINT64_MAX);
    for (uint64_t i = n - 1; i < 20000; i++)
        add(i);
    check_all(20000);
    index_expect(&table, RECORDS);
    uint32_t segments = table.segment_count;
    check_all(20000);
    for (uint64_t i = 20000; i < RECORDS; i++)
        add(i);
    check_all(RECORDS);
    ck_assert_uint_le(table.segment_count, segments + segments / 10);
}
END_TEST

/* ---- readers beside it ---- */

static _Atomic bool done;
static _Atomic uint64_t there; /* keys below it are in */

static void *look(void *arg)
{
    uint64_t *looks = arg, state = (uint64_t)(uintptr_t)arg;
    while (!atomic_load(&done)) {
        uint64_t n = atomic_load(&there);
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        if (n > 0 && find((state >> 33) % n) == NULL)
            ck_abort_msg("a key is missed");
        ck_assert_ptr_null(find(RECORDS + (state >> 40)));
        ++*looks;
    }
    return NULL;
}

START_TEST(readers_miss_nothing)
{
    pthread_t readers[2];
    uint64_t looks[2] = {0};
    atomic_store(&done, false);
    atomic_store(&there, 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&readers[i], NULL, look, &looks[i]),
                         0);
    for (uint64_t i = 0; i < RECORDS; i++) {
        add(i);
        atomic_store(&there, i + 1);
    }
    atomic_store(&done, true);
    for (int i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    ck_assert_uint_gt(looks[0] + looks[1], 1000);
    check_all(RECORDS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("index");
    TCase *tcase = tcase_create("index");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, all_are_found_as_it_grows);
    tcase_add_test(tcase, it_is_dense);
    tcase_add_test(tcase, what_goes_makes_room);
    tcase_add_test(tcase, marks_are_taken_once);
    tcase_add_test(tcase, in_huge_pages);
    tcase_add_test(tcase, a_mark_goes_with_its_record);
    tcase_add_test(tcase, the_same_place_for_all);
    tcase_add_test(tcase, the_same_segment_for_all);
    tcase_add_test(tcase, a_limit_anywhere);
    tcase_add_test(tcase, a_limit_is_kept);
    tcase_add_test(tcase, readers_miss_nothing);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
