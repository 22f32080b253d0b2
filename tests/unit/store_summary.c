/* What a summary says of a series: how many elements there are and how they are
 * distributed, in memory and on the tiers alike; what has no summary, and a
 * summary for which there is no memory. */
#include "descriptor.h"
#include "evolve_schema.h"
#include "fault.h"
#include "scratch.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum { MINUTE = 60000, HOUR = 60 * MINUTE };
#define NOW INT64_C(1700000000000)

static struct warp_schema *schema;
static struct warp_db *db;

static int64_t read_clock(void *arg)
{
    (void)arg;
    return NOW;
}

static void open_it(void)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    char path[300];
    snprintf(path, sizeof path, "%s/s", scratch_path);
    o.shards = 2;
    o.ring_bytes = 65536;
    o.disk_reserve_bytes = 1;
    o.memory_max_bytes = 64 << 20;
    o.clock_ms = read_clock;
    int rc = warp_open(path, schema, &o, &db);
    ck_assert_msg(rc == WARP_OK, "open: %d: %s", rc, warp_errmsg(NULL));
}

static void set_up(void)
{
    static const struct descriptor_retention ages[] = {
        {WARP_TIER_MEMORY, MINUTE},
        {WARP_TIER_SSD, 10 * MINUTE},
        {WARP_TIER_DISK, DESCRIPTOR_FOREVER}};
    struct maker m;
    scratch();
    maker_init(&m);
    maker_field(&m, "id", DESCRIPTOR_U64)->flags = DESCRIPTOR_F_KEY;
    for (int i = 0; i < 2; i++) {
        struct descriptor_field *f = maker_field(
            &m, i ? "words" : "marks", i ? DESCRIPTOR_STRING : DESCRIPTOR_U16);
        f->flags = DESCRIPTOR_F_SERIES;
        f->home = DESCRIPTOR_HOME_TEMPORAL;
        f->retention = ages;
        f->retention_count = 3;
    }
    maker_field(&m, "gold", DESCRIPTOR_U32);
    schema = maker_load(&m);
    open_it();
}

static void tear_down(void)
{
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&schema);
    scratch_remove();
}

static void append(const char *field, int64_t age, const void *element)
{
    uint64_t id = 1;
    int rc = warp_gen_append(db, schema->products[0], &id,
                             thing_field(schema, field), NOW - age, element);
    ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(db));
}

static int summary(uint64_t id, const char *field, struct warp_summary *out)
{
    return warp_gen_summary(db, schema->products[0], &id,
                            thing_field(schema, field), out);
}

static void expect(const char *field, uint64_t count, double bits)
{
    struct warp_summary got;
    int rc = summary(1, field, &got);
    ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(db));
    ck_assert_uint_eq(got.count, count);
    ck_assert_msg(fabs(got.entropy_bits - bits) < 1e-5, "%f, not %f",
                  got.entropy_bits, bits);
}

/* Shares 1/2, 1/4, 1/8, 1/8 of elements of all ages. */
static void append_all(void)
{
    static const uint16_t marks[8] = {5, 5, 5, 5, 300, 300, 7, 8};
    static const char *const words[8] = {"a", "b", "a", "", "a", "a", "b",
                                         "long enough to be another"};
    for (int i = 0; i < 8; i++) {
        struct warp_str word = warp_str(words[i]);
        append("marks", i * 3 * MINUTE, &marks[i]);
        append("words", i * 3 * MINUTE, &word);
    }
}

START_TEST(elements_of_all_tiers_are_in_it)
{
    uint32_t gold = 3;
    uint64_t id = 1;
    ck_assert_int_eq(warp_gen_set(db, schema->products[0], &id,
                                  thing_field(schema, "gold"), &gold),
                     WARP_OK);
    expect("marks", 0, 0);
    append_all();
    for (int round = 0; round < 3; round++) {
        expect("marks", 8, 1.75);
        expect("words", 8, 1.75);
        if (round == 0)
            ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
        if (round == 1) {
            ck_assert_int_eq(warp_close(&db), WARP_OK);
            open_it();
        }
    }
    uint16_t again = 5;
    append("marks", 50, &again);
    expect("marks", 9, 1.6577427); /* 5/9, 2/9, 1/9, 1/9 */
}
END_TEST

START_TEST(what_has_no_summary)
{
    struct warp_summary got;
    append_all();
    ck_assert_int_eq(summary(1, "gold", &got), WARP_EINVAL);
    ck_assert_msg(strstr(warp_errmsg(db), "summaries are of lists"), "%s",
                  warp_errmsg(db));
    ck_assert_int_eq(summary(1, "marks", NULL), WARP_EINVAL);
    ck_assert_int_eq(summary(99, "marks", &got), WARP_ENOTFOUND);
    ck_assert_msg(strstr(warp_errmsg(db), "no record has this key"), "%s",
                  warp_errmsg(db));
    uint64_t id = 1;
    ck_assert_int_eq(warp_gen_summary(db, schema->products[0], &id, 40, &got),
                     WARP_EINVAL);
}
END_TEST

START_TEST(no_memory_is_said)
{
    uint32_t refused = 0;
    bool reached = true;
    append_all();
    for (uint64_t n = 1; reached && n < 200; n++) {
        struct warp_summary got = {0};
        fault_arm(FAULT_MEMORY, n, 0);
        int rc = summary(1, "words", &got);
        reached = fault_disarm();
        if (rc != WARP_OK) {
            ck_assert_int_eq(rc, WARP_ENOMEM);
            ck_assert(warp_errmsg(db)[0] != 0);
            refused++;
        } else {
            ck_assert_uint_eq(got.count, 8);
        }
    }
    ck_assert_uint_ge(refused, 4);
    expect("words", 8, 1.75);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_summary");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, elements_of_all_tiers_are_in_it);
    tcase_add_test(all, what_has_no_summary);
    tcase_add_test(all, no_memory_is_said);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
