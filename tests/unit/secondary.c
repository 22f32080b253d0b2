/* Secondary indexes: entries in memory and in the ssd tier against a table of
 * what was said last, over checkpoints that succeed and fail, and threads. */
#include "scratch.h"

#include "codec.h"
#include "os.h"
#include "pending.h"
#include "secondary.h"

#include <stdatomic.h>
#include <string.h>

enum { VALUES = 6, KEYS = 240, LONG_VALUE = 400 };

static struct ssd *ssd;
static struct secondary *index_;
static struct budget budget;
static struct layout layout = {.id = 0x0102, .fields[7].id = 7};
static uint64_t seed = 88172645463325252u;

static uint8_t keys[KEYS][PENDING_KEY_MAX];
static uint32_t key_bytes[KEYS];
static bool held[VALUES][KEYS];

static void ok(int rc)
{
    ck_assert_msg(rc == 0, "%d: %s", rc, warp_errmsg(NULL));
}

static uint32_t below(uint32_t n)
{
    return (uint32_t)(scratch_random(&seed) % n);
}

static uint32_t value_of(uint32_t number, uint8_t *to)
{
    uint32_t bytes = number < 3 ? 4 : LONG_VALUE;
    memset(to, (int)(number % 3), bytes);
    to[0] = (uint8_t)number; /* no value begins another: they end themselves */
    return bytes;
}

static int by_bytes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return pending_compare(keys[x], key_bytes[x], keys[y], key_bytes[y]);
}

/* Short ones, ones that are beginnings of others, ones that no ssd key holds
 * beside a long value; in the order of their bytes. */
static void make_keys(void)
{
    static uint8_t old[KEYS][PENDING_KEY_MAX];
    uint32_t old_bytes[KEYS], order[KEYS];
    for (uint32_t i = 0; i < KEYS; i++) {
        uint32_t bytes = 5 + (i % 8 < 4 ? i % 4 * 3 : i % 4 * 147);
        memset(keys[i], 'a' + (int)(i % 3), sizeof keys[i]);
        keys[i][bytes - 1] = (uint8_t)i;
        keys[i][bytes - 2] = (uint8_t)(i >> 8);
        if (i % 8 == 7)
            keys[i][50] = (uint8_t)(i / 32);
        key_bytes[i] = bytes;
        order[i] = i;
    }
    qsort(order, KEYS, sizeof *order, by_bytes);
    memcpy(old, keys, sizeof keys);
    memcpy(old_bytes, key_bytes, sizeof key_bytes);
    for (uint32_t i = 0; i < KEYS; i++) {
        memcpy(keys[i], old[order[i]], sizeof keys[i]);
        key_bytes[i] = old_bytes[order[i]];
    }
}

static void open_all(void)
{
    ok(ssd_open(scratch_path, 64 << 20, false, NULL, NULL, &ssd));
    ok(secondary_open(ssd, &budget, &index_));
}

static void close_all(void)
{
    secondary_close(&index_);
    ck_assert_ptr_null(index_);
    ck_assert_uint_eq(atomic_load(&budget.used), 0);
    ssd_close(&ssd);
}

static void set_up(void)
{
    scratch();
    atomic_store(&budget.limit, UINT64_MAX);
    atomic_store(&budget.used, 0);
    memset(held, 0, sizeof held);
    make_keys();
    open_all();
}

static void tear_down(void)
{
    close_all();
    scratch_remove();
}

static void change(uint32_t value, uint32_t key, bool add)
{
    uint8_t bytes[512];
    uint32_t count = value_of(value, bytes);
    ok(secondary_change(index_, &layout, 7, bytes, count, keys[key],
                        key_bytes[key], add));
    held[value][key] = add;
}

static struct ssd_txn *flush_begin(void)
{
    struct ssd_txn *txn;
    ok(ssd_begin(ssd, &txn));
    ok(secondary_flush(index_, txn));
    return txn;
}

static void flush_end(struct ssd_txn *txn, bool commit)
{
    if (commit)
        ok(ssd_commit(&txn));
    else
        ssd_abort(&txn);
    secondary_flushed(index_, !commit);
}

static struct secondary_iter *find(uint32_t value)
{
    struct secondary_iter *it;
    uint8_t bytes[512];
    uint32_t count = value_of(value, bytes);
    ok(secondary_find(index_, &layout, 7, bytes, count, &it));
    return it;
}

static uint32_t number_of(const uint8_t *key, uint32_t bytes)
{
    for (uint32_t i = 0; i < KEYS; i++)
        if (bytes == key_bytes[i] && memcmp(key, keys[i], bytes) == 0)
            return i;
    ck_abort_msg("a key that nobody added");
    return 0;
}

static void check_value(uint32_t value)
{
    struct secondary_iter *it = find(value);
    const uint8_t *key;
    uint32_t bytes;
    for (uint32_t i = 0; i < KEYS; i++) {
        if (!held[value][i])
            continue;
        ok(secondary_next(it, &key, &bytes));
        ck_assert_uint_eq(number_of(key, bytes), i);
    }
    ck_assert_int_eq(secondary_next(it, &key, &bytes), WARP_END);
    secondary_iter_close(&it);
    ck_assert_ptr_null(it);
}

static void check_all(void)
{
    for (uint32_t v = 0; v < VALUES; v++)
        check_value(v);
}

static uint64_t count_of(struct ssd *of, enum ssd_table table)
{
    uint64_t count;
    ck_assert_int_eq(ssd_count(of, table, &count), 0);
    return count;
}

START_TEST(last_word_counts)
{
    change(0, 3, true);
    change(0, 3, true);
    change(0, 4, true);
    check_all();
    change(0, 3, false);
    check_all();
    change(0, 3, true);
    ck_assert(secondary_pending(index_));
    struct ssd_txn *txn = flush_begin();
    ck_assert(!secondary_pending(index_));
    check_all();
    change(0, 3, false); /* over what is on its way */
    change(4, 3, true);
    check_all();
    flush_end(txn, true);
    check_all();
    change(0, 4, false);
    flush_end(flush_begin(), true);
    check_all();
    ck_assert_uint_eq(count_of(ssd, SSD_INDEX), 1);
    change(4, 3, false);
    flush_end(flush_begin(), true);
    ck_assert_uint_eq(count_of(ssd, SSD_INDEX), 0);
}
END_TEST

START_TEST(a_failed_flush_keeps_what_is_newer)
{
    change(0, 1, true);
    change(0, 2, true);
    change(1, 2, true);
    struct ssd_txn *txn = flush_begin();
    change(0, 1, false);
    change(0, 5, true);
    flush_end(txn, false);
    ck_assert(secondary_pending(index_));
    check_all();
    flush_end(flush_begin(), true);
    check_all();
    ck_assert_uint_eq(count_of(ssd, SSD_INDEX), 3);
}
END_TEST

START_TEST(random_against_a_table)
{
    for (uint32_t round = 0; round < 400; round++) {
        struct ssd_txn *txn = NULL;
        bool flush = below(3) == 0, commit = below(3) != 0;
        uint32_t spread = below(10) == 0 ? KEYS : 30;
        for (uint32_t n = below(120); n > 0; n--)
            change(below(VALUES), below(spread), below(3) != 0);
        if (flush)
            txn = flush_begin();
        for (uint32_t n = below(40); n > 0; n--)
            change(below(VALUES), below(KEYS), below(2) != 0);
        check_value(below(VALUES));
        if (flush)
            flush_end(txn, commit);
        if (below(20) == 0) {
            flush_end(flush_begin(), true);
            close_all();
            open_all();
        }
        check_value(below(VALUES));
    }
    check_all();
}
END_TEST

/* Whatever happens between two steps of an iterator, what is there all the time
 * comes once and in order. */
START_TEST(an_iterator_outlives_checkpoints)
{
    for (uint32_t round = 0; round < 30; round++) {
        uint32_t value = below(VALUES);
        bool stays[KEYS];
        int64_t last = -1;
        const uint8_t *key;
        uint32_t bytes;
        for (uint32_t i = 0; i < KEYS; i++)
            change(value, i, below(4) != 0);
        if (below(2))
            flush_end(flush_begin(), true);
        for (uint32_t i = 0; i < KEYS / 2; i++)
            change(value, below(KEYS), true);
        memcpy(stays, held[value], sizeof stays);
        struct secondary_iter *it = find(value);
        int rc;
        while ((rc = secondary_next(it, &key, &bytes)) == 0) {
            int64_t at = number_of(key, bytes);
            ck_assert_int_gt(at, last);
            for (int64_t i = last + 1; i < at; i++)
                ck_assert_msg(!stays[i], "key %d was left out", (int)i);
            last = at;
            uint32_t other = below(KEYS);
            if (below(3) == 0) {
                stays[other] = false;
                change(value, other, below(2) != 0);
            }
            if (below(10) == 0)
                flush_end(flush_begin(), below(4) != 0);
        }
        ck_assert_int_eq(rc, WARP_END);
        for (int64_t i = last + 1; i < KEYS; i++)
            ck_assert(!stays[i]);
        secondary_iter_close(&it);
    }
}
END_TEST

START_TEST(the_budget_is_kept)
{
    uint8_t value[4] = {9};
    int rc = 0;
    change(0, 1, true);
    change(0, 2, true);
    flush_end(flush_begin(), true);
    ck_assert_uint_eq(atomic_load(&budget.used), 0);
    atomic_store(&budget.limit, 20000);
    for (uint32_t i = 0; i < 10000 && rc == 0; i++) {
        uint8_t key[4] = {(uint8_t)i, (uint8_t)(i >> 8)};
        rc = secondary_change(index_, &layout, 7, value, 4, key, 4, true);
    }
    ck_assert_int_eq(rc, WARP_ELIMIT);
    ck_assert_uint_le(atomic_load(&budget.used), 20000);
    atomic_store(&budget.limit, 0);
    uint8_t bytes[512];
    uint32_t count = value_of(0, bytes);
    ck_assert_int_eq(secondary_change(index_, &layout, 7, bytes, count,
                                      keys[1], key_bytes[1], false),
                     0);
    check_value(0); /* the hint stays, which is allowed */
    flush_end(flush_begin(), true);
    ck_assert_uint_eq(atomic_load(&budget.used), 0);
}
END_TEST

START_TEST(values_keep_their_order)
{
    static struct warp_type name_type = {.kind = WARP_T_STRING,
                                         .size = sizeof(struct warp_str)};
    static const struct warp_field fields[2] = {
        {.name = "level", .type = &warp_type_i32},
        {.name = "name", .type = &name_type}};
    static const struct warp_product product = {
        .name = "P", .fields = fields, .field_count = 2};
    struct layout l = {.desc = &product, .number = 1};
    uint8_t a[512], b[512];
    uint32_t a_bytes, b_bytes;
    int32_t low = -5, high = 3;
    l.fields[1].bare = 1;
    ok(secondary_value(&l, 0, (uint8_t *)&low, 4, a, &a_bytes));
    ok(secondary_value(&l, 0, (uint8_t *)&high, 4, b, &b_bytes));
    ck_assert_int_lt(pending_compare(a, a_bytes, b, b_bytes), 0);
    ok(secondary_value(&l, 1, (const uint8_t *)"ab", 2, a, &a_bytes));
    ok(secondary_value(&l, 1, (const uint8_t *)"abc", 3, b, &b_bytes));
    ck_assert_int_lt(pending_compare(a, a_bytes, b, b_bytes), 0);
    ck_assert_int_ne(
        secondary_value(&l, 1, (const uint8_t *)"\xff", 1, a, &a_bytes), 0);
}
END_TEST

/* ---- threads ---- */

enum { WRITERS = 2, STABLE = 100 };
static _Atomic bool stop;

/* Even keys are there all the time, others come and go. */
static void *write_some(void *arg)
{
    uint64_t s = 77 + *(uint32_t *)arg;
    uint8_t bytes[512];
    uint32_t count = value_of(4, bytes);
    while (!atomic_load(&stop)) {
        uint32_t key = (uint32_t)(scratch_random(&s) % (KEYS / 2)) * 2 + 1;
        ok(secondary_change(index_, &layout, 7, bytes, count, keys[key],
                            key_bytes[key], scratch_random(&s) % 2));
        key -= 1;
        if (key < STABLE)
            ok(secondary_change(index_, &layout, 7, bytes, count, keys[key],
                                key_bytes[key], true));
    }
    return NULL;
}

static void *flush_some(void *arg)
{
    uint32_t n = 0;
    (void)arg;
    while (!atomic_load(&stop))
        flush_end(flush_begin(), ++n % 4 != 0);
    return NULL;
}

START_TEST(threads_miss_nothing)
{
    struct os_thread threads[WRITERS + 1];
    uint32_t numbers[WRITERS] = {0, 1};
    atomic_store(&stop, false);
    for (uint32_t i = 0; i < STABLE; i += 2)
        change(4, i, true);
    for (uint32_t i = 0; i < WRITERS; i++)
        ok(os_thread_start(&threads[i], write_some, &numbers[i], "write"));
    ok(os_thread_start(&threads[WRITERS], flush_some, NULL, "flush"));
    for (int64_t end = os_mono_ns() + 1500000000; os_mono_ns() < end;) {
        struct secondary_iter *it = find(4);
        const uint8_t *key;
        uint32_t bytes, stable = 0;
        int64_t last = -1;
        int rc;
        while ((rc = secondary_next(it, &key, &bytes)) == 0) {
            int64_t at = number_of(key, bytes);
            ck_assert_int_gt(at, last);
            last = at;
            stable += at < STABLE && at % 2 == 0;
        }
        ck_assert_int_eq(rc, WARP_END);
        ck_assert_uint_eq(stable, STABLE / 2);
        secondary_iter_close(&it);
    }
    atomic_store(&stop, true);
    for (uint32_t i = 0; i <= WRITERS; i++)
        os_thread_join(&threads[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("secondary");
    TCase *tc = tcase_create("secondary");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 100);
    tcase_add_test(tc, last_word_counts);
    tcase_add_test(tc, a_failed_flush_keeps_what_is_newer);
    tcase_add_test(tc, random_against_a_table);
    tcase_add_test(tc, an_iterator_outlives_checkpoints);
    tcase_add_test(tc, the_budget_is_kept);
    tcase_add_test(tc, values_keep_their_order);
    tcase_add_test(tc, threads_miss_nothing);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
