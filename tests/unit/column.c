/* Columns of one shard against plain arrays: rows that come, move and go, what
 * changed, the budget, and readers beside a writer. */
#include "scratch.h"

#include "column.h"
#include "os.h"

#include <stdatomic.h>
#include <string.h>
#include <warp/warp.h>

enum { RECORDS = 3000, VALUE_BYTES = 12 };

static const struct warp_type triple = {
    .name = "Triple", .kind = WARP_T_FIXED_BYTES, .plain = 1,
    .size = VALUE_BYTES, .wire_bytes = VALUE_BYTES, .count = VALUE_BYTES};
static const struct warp_field fields[] = {
    {.name = "id", .type = &warp_type_u64, .flags = WARP_F_KEY},
    {.name = "triple", .type = &triple, .offset = 8, .flags = WARP_F_COLUMN,
     .home = WARP_HOME_MEMORY},
    {.name = "alive", .type = &warp_type_bool, .offset = 20,
     .flags = WARP_F_COLUMN, .home = WARP_HOME_MEMORY},
    {.name = "gold", .type = &warp_type_i64, .offset = 24,
     .home = WARP_HOME_MEMORY}};
static const uint8_t key_fields[] = {0};
static const struct warp_product product = {
    .name = "P", .fields = fields, .field_count = 4, .record_bytes = 40,
    .have_offset = 32, .key_bytes = 8, .key_count = 1,
    .key_fields = key_fields};

static struct layout *layout;
static struct column_set *set;
static struct budget budget;
static struct record *records[RECORDS]; /* NULL: has no row */
static uint8_t model[RECORDS][VALUE_BYTES + 1];
static uint64_t seed = 88172645463325252u;

static uint32_t below(uint32_t n)
{
    return (uint32_t)(scratch_random(&seed) % n);
}

static void ok(int rc)
{
    ck_assert_msg(rc == 0, "%d: %s", rc, warp_errmsg(NULL));
}

static void set_up(void)
{
    atomic_store(&budget.limit, UINT64_MAX);
    ok(layout_make(&product, 0, WARP_SURVIVES_PROCESS_CRASH, &layout));
    ck_assert_uint_eq(layout->columns, 6);
    ok(column_set_create(layout, &budget, (struct heap_kind){0}, &set));
}

static void tear_down(void)
{
    column_set_destroy(&set);
    ck_assert_ptr_null(set);
    ck_assert_uint_eq(atomic_load(&budget.used), 0);
    for (uint32_t i = 0; i < RECORDS; i++)
        free(records[i]);
    layout_free(&layout);
}

static int add(uint32_t i)
{
    records[i] = calloc(1, sizeof(struct record) + layout->row_bytes);
    record_begin(records[i]);
    int rc = column_take(set, records[i]);
    record_end(records[i], i + 1);
    memset(model[i], 0, sizeof model[i]);
    if (rc != WARP_OK) {
        free(records[i]);
        records[i] = NULL;
    }
    return rc;
}

static void drop(uint32_t i)
{
    column_drop(set, records[i]);
    free(records[i]);
    records[i] = NULL;
}

static void write_value(uint32_t i)
{
    for (uint32_t n = 0; n < VALUE_BYTES; n++)
        model[i][n] = (uint8_t)below(256);
    model[i][VALUE_BYTES] = (uint8_t)below(2);
    record_begin(records[i]);
    ok(column_write(set, records[i], 1, model[i]));
    ok(column_write(set, records[i], 2, model[i] + VALUE_BYTES));
    record_end(records[i], record_version(records[i]) + 1);
}

static void check_all(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint8_t value[VALUE_BYTES], wire[VALUE_BYTES];
        bool alive;
        if (!records[i])
            continue;
        count++;
        ck_assert(column_read(set, records[i], 1, value));
        ck_assert(column_read(set, records[i], 2, &alive));
        ck_assert(memcmp(value, model[i], VALUE_BYTES) == 0);
        ck_assert_uint_eq(alive, model[i][VALUE_BYTES]);
        ck_assert(column_encode(set, records[i], 1, wire) ==
                  wire + VALUE_BYTES);
        ck_assert(memcmp(wire, model[i], VALUE_BYTES) == 0);
        ck_assert(column_plain(set, records[i], 2) == NULL);
    }
    ck_assert_uint_eq(column_rows(set), count);
    for (uint32_t row = 0; row < count; row++) {
        const struct record *r = column_owner(set, row);
        ck_assert_uint_eq(row_load(r, layout->column_row), row + 1);
        ck_assert(column_plain(set, r, 1) ==
                  column_values(set, 1) + (size_t)row * VALUE_BYTES);
    }
}

START_TEST(rows_stay_dense)
{
    for (uint32_t round = 0; round < 60; round++) {
        uint32_t more = round % 20 < 10 ? 3 : 1;
        for (uint32_t n = 0; n < 1500; n++) {
            uint32_t i = below(RECORDS);
            if (!records[i] && below(4) < more)
                ok(add(i));
            else if (records[i] && below(4) >= more)
                drop(i);
            else if (records[i])
                write_value(i);
        }
        check_all();
    }
    for (uint32_t i = 0; i < RECORDS; i++)
        if (records[i])
            drop(i);
    check_all();
}
END_TEST

/* ---- what changed ---- */

static uint8_t copy[RECORDS * VALUE_BYTES + COLUMN_PAGE_BYTES];
static uint32_t told;
static int refuse_after;

static int copy_range(void *arg, size_t from, size_t bytes)
{
    ck_assert_uint_eq(from % COLUMN_PAGE_BYTES, 0);
    ck_assert_uint_le(from + bytes, sizeof copy);
    if (refuse_after-- == 0)
        return -7;
    memcpy(copy + from, (const uint8_t *)arg + from, bytes);
    told += (uint32_t)(bytes / COLUMN_PAGE_BYTES);
    return 0;
}

static int follow(void)
{
    told = 0;
    return column_changed(set, 1, copy_range,
                          (void *)(uintptr_t)column_values(set, 1));
}

static void check_copy(void)
{
    ck_assert(memcmp(copy, column_values(set, 1),
                     (size_t)column_rows(set) * VALUE_BYTES) == 0);
}

START_TEST(a_copy_follows_by_what_changed)
{
    refuse_after = -1;
    for (uint32_t i = 0; i < RECORDS; i++)
        ok(add(i));
    for (uint32_t i = 0; i < RECORDS; i++)
        write_value(i);
    ok(follow());
    check_copy();
    ck_assert_uint_eq(told, (RECORDS * VALUE_BYTES + 4095) / 4096);
    ok(follow());
    ck_assert_uint_eq(told, 0);
    write_value(5);
    ok(follow());
    ck_assert_uint_eq(told, 1);
    check_copy();
    for (uint32_t round = 0; round < 200; round++) {
        for (uint32_t n = below(6); n > 0; n--) {
            uint32_t i = below(RECORDS);
            if (!records[i])
                ok(add(i));
            else if (below(3) == 0)
                drop(i);
            else
                write_value(i);
        }
        refuse_after = below(3) == 0 ? (int)below(3) : -1;
        int rc = follow();
        ck_assert(rc == 0 || rc == -7);
        if (rc == 0)
            check_copy();
    }
    refuse_after = -1;
    ok(follow());
    check_copy();
}
END_TEST

START_TEST(the_budget_is_kept)
{
    int rc = 0;
    uint32_t i = 0;
    atomic_store(&budget.limit, 30000);
    for (; i < RECORDS && rc == 0; i++)
        rc = add(i);
    ck_assert_int_eq(rc, WARP_ELIMIT);
    ck_assert_uint_gt(i, 500);
    ck_assert_uint_le(atomic_load(&budget.used), 30000);
    check_all();
    drop(7);
    ok(add(7)); /* in the room of the other */
    check_all();
}
END_TEST

START_TEST(a_wide_store_gives_room_back)
{
    enum { MANY = 200000 };
    struct record **many = calloc(MANY, sizeof *many);
    for (uint32_t i = 0; i < MANY; i++) {
        many[i] = calloc(1, sizeof **many + layout->row_bytes);
        ok(column_take(set, many[i]));
    }
    uint64_t most = atomic_load(&budget.used);
    for (uint32_t i = 0; i < MANY; i++) {
        column_drop(set, many[i]);
        free(many[i]);
    }
    free(many);
    ck_assert_uint_gt(most, UINT64_C(21) * MANY);
    ck_assert_uint_lt(atomic_load(&budget.used), most / 2);
    for (uint32_t i = 0; i < RECORDS; i++)
        ok(add(i));
    check_all(); /* zeros again */
}
END_TEST

/* ---- a writer and readers ---- */

enum { SHARED = 64 };
static _Atomic bool stop;
static struct os_lock lock;
static struct record *shared[SHARED];

/* All bytes of a value are the same. */
static void *read_some(void *arg)
{
    uint64_t s = 99;
    uint64_t *good = arg;
    while (!atomic_load(&stop)) {
        const struct record *r = shared[scratch_random(&s) % SHARED];
        uint8_t value[VALUE_BYTES];
        uint64_t word = record_read_begin(r);
        if ((word & 1) || !column_read(set, r, 1, value) ||
            !record_read_ok(r, word))
            continue;
        for (uint32_t n = 1; n < VALUE_BYTES; n++)
            ck_assert_uint_eq(value[n], value[0]);
        ++*good;
    }
    return NULL;
}

START_TEST(readers_see_whole_values)
{
    struct os_thread threads[2];
    uint64_t good[2] = {0, 0};
    atomic_store(&stop, false);
    for (uint32_t i = 0; i < SHARED; i++) {
        shared[i] = calloc(1, sizeof **shared + layout->row_bytes);
        record_begin(shared[i]);
        ok(column_take(set, shared[i]));
        record_end(shared[i], 1);
    }
    for (uint32_t i = 0; i < 2; i++)
        ok(os_thread_start(&threads[i], read_some, &good[i], "read"));
    for (int64_t end = os_mono_ns() + 800000000; os_mono_ns() < end;) {
        uint8_t value[VALUE_BYTES];
        struct record *r = shared[below(SHARED)];
        struct record *guest = shared[below(SHARED)];
        memset(value, (int)below(256), sizeof value);
        os_lock(&lock);
        record_begin(r);
        ok(column_write(set, r, 1, value));
        record_end(r, record_version(r) + 1);
        /* The last row moves into the guest's. */
        record_begin(guest);
        column_drop(set, guest);
        ok(column_take(set, guest));
        record_end(guest, record_version(guest));
        os_unlock(&lock);
    }
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < 2; i++)
        os_thread_join(&threads[i]);
    ck_assert_uint_gt(good[0] + good[1], 1000);
    for (uint32_t i = 0; i < SHARED; i++) {
        column_drop(set, shared[i]);
        free(shared[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("column");
    TCase *tc = tcase_create("column");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 100);
    tcase_add_test(tc, rows_stay_dense);
    tcase_add_test(tc, a_copy_follows_by_what_changed);
    tcase_add_test(tc, the_budget_is_kept);
    tcase_add_test(tc, a_wide_store_gives_room_back);
    tcase_add_test(tc, readers_see_whole_values);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
