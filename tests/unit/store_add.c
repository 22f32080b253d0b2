/* An add to a number of each kind: to both ends of its range, and past them,
 * which is refused and changes nothing; what it gives is there after a kill. */
#include "evolve_schema.h"
#include "scratch.h"

#include <float.h>
#include <math.h>
#include <string.h>

static struct warp_schema *schema;
static struct warp_db *db;

static const struct {
    enum descriptor_kind kind;
    const char *name;
    int64_t low;
    uint64_t high;
} kinds[] = {
    {DESCRIPTOR_U8, "u8", 0, UINT8_MAX},
    {DESCRIPTOR_U16, "u16", 0, UINT16_MAX},
    {DESCRIPTOR_U32, "u32", 0, UINT32_MAX},
    {DESCRIPTOR_U64, "u64", 0, UINT64_MAX},
    {DESCRIPTOR_I8, "i8", INT8_MIN, INT8_MAX},
    {DESCRIPTOR_I16, "i16", INT16_MIN, INT16_MAX},
    {DESCRIPTOR_I32, "i32", INT32_MIN, INT32_MAX},
    {DESCRIPTOR_I64, "i64", INT64_MIN, INT64_MAX},
    {DESCRIPTOR_TIMESTAMP, "at", INT64_MIN, INT64_MAX},
    {DESCRIPTOR_DURATION, "span", INT64_MIN, INT64_MAX}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void open_it(void)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    char path[300];
    snprintf(path, sizeof path, "%s/s", scratch_path);
    o.shards = 2;
    o.ring_bytes = 65536;
    o.disk_reserve_bytes = 1;
    o.memory_max_bytes = 64 << 20;
    int rc = warp_open(path, schema, &o, &db);
    ck_assert_msg(rc == WARP_OK, "open: %d: %s", rc, warp_errmsg(NULL));
}

static void set_up(void)
{
    struct maker m;
    scratch();
    maker_init(&m);
    maker_field(&m, "id", DESCRIPTOR_U64)->flags = DESCRIPTOR_F_KEY;
    for (int i = 0; i < KINDS; i++)
        maker_field(&m, kinds[i].name, kinds[i].kind);
    maker_field(&m, "f32", DESCRIPTOR_F32);
    maker_field(&m, "f64", DESCRIPTOR_F64);
    maker_field(&m, "name", DESCRIPTOR_STRING);
    schema = maker_load(&m);
    open_it();
}

static void tear_down(void)
{
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&schema);
    scratch_remove();
}

static int add(const char *field, const void *delta, void *now)
{
    uint64_t id = 1;
    return warp_gen_add(db, schema->products[0], &id,
                        thing_field(schema, field), delta, now);
}

/* The field's bytes, the upper ones as they are in the sum. */
static bool is(const char *field, uint64_t want)
{
    uint64_t got = thing_get_u64(db, schema, 1, field);
    return got == want;
}

static uint64_t cut(int i, uint64_t v)
{
    size_t bytes = schema->products[0]
                       ->fields[thing_field(schema, kinds[i].name)]
                       .type->size;
    return bytes == 8 ? v : v & ((UINT64_C(1) << 8 * bytes) - 1);
}

START_TEST(integers_end_at_their_ends)
{
    const char *name = kinds[_i].name;
    uint64_t now = 0, high = kinds[_i].high;
    int64_t one = 1, minus = -1, low = kinds[_i].low,
            most = high > INT64_MAX ? INT64_MAX : (int64_t)high;
    thing_set_text(db, schema, 1, "name", "there", 5);
    ck_assert_int_eq(add(name, &most, &now), WARP_OK);
    if (high > INT64_MAX) { /* two steps: a delta is an i64 */
        ck_assert_int_eq(add(name, &most, &now), WARP_OK);
        ck_assert_int_eq(add(name, &one, &now), WARP_OK);
    }
    ck_assert(is(name, high));
    ck_assert_int_eq(add(name, &one, &now), WARP_ERANGE);
    ck_assert_msg(strstr(warp_errmsg(db), "the sum does not fit the field") &&
                      strstr(warp_errmsg(db), name),
                  "%s", warp_errmsg(db));
    ck_assert(is(name, high));
    ck_assert_int_eq(add(name, &minus, &now), WARP_OK);
    ck_assert(is(name, high - 1));
    thing_set_u64(db, schema, 1, name, 0);
    ck_assert_int_eq(add(name, &low, &now), WARP_OK);
    ck_assert(is(name, cut(_i, (uint64_t)low)));
    ck_assert_int_eq(add(name, &minus, &now), WARP_ERANGE);
    ck_assert(is(name, cut(_i, (uint64_t)low)));
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    open_it();
    ck_assert(is(name, cut(_i, (uint64_t)low)));
}
END_TEST

START_TEST(reals_stay_finite)
{
    float narrow = 1.5f, most = FLT_MAX, sum = 0;
    double wide = 1.5, huge = DBL_MAX, total = 0;
    ck_assert_int_eq(add("f32", &narrow, &sum), WARP_OK);
    ck_assert_int_eq(add("f32", &narrow, &sum), WARP_OK);
    ck_assert(sum > 2.9f && sum < 3.1f);
    ck_assert_int_eq(add("f32", &most, &sum), WARP_OK);
    ck_assert_int_eq(add("f32", &most, &sum), WARP_ERANGE);
    ck_assert_int_eq(add("f64", &wide, &total), WARP_OK);
    ck_assert_int_eq(add("f64", &huge, &total), WARP_OK);
    ck_assert_int_eq(add("f64", &huge, &total), WARP_ERANGE);
    ck_assert(strstr(warp_errmsg(db), "f64") != NULL);
    double endless = INFINITY; /* what is asked for is given */
    ck_assert_int_eq(add("f64", &endless, &total), WARP_OK);
    ck_assert(isinf(total));
}
END_TEST

START_TEST(a_text_has_no_sum)
{
    int64_t one = 1, now;
    ck_assert_int_eq(add("name", &one, &now), WARP_EINVAL);
    ck_assert_int_eq(add("u8", NULL, &now), WARP_EINVAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_add");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_loop_test(all, integers_end_at_their_ends, 0, KINDS);
    tcase_add_test(all, reals_stay_finite);
    tcase_add_test(all, a_text_has_no_sum);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
