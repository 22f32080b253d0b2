/* A descriptor's bytes as the tables that generated code has. */
#include "../../grammar/descriptor.h"
#include "descriptor_sample.h"

#include "schema_load.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *bytes;
static size_t size;

static void set_up(void)
{
    struct sample sample;
    struct descriptor_value point[2] = {
        {.kind = DESCRIPTOR_VALUE_FLOAT, .f = 1.5},
        {.kind = DESCRIPTOR_VALUE_FLOAT, .f = -2}};
    sample_make(&sample);
    sample.fields[2].value = (struct descriptor_value){
        .kind = DESCRIPTOR_VALUE_TUPLE, .items = point, .count = 2};
    ck_assert_int_eq(descriptor_fingerprint(&sample.all), 0);
    ck_assert_int_eq(descriptor_encode(&sample.all, &bytes, &size), 0);
}

static void tear_down(void)
{
    free(bytes);
}

START_TEST(tables_say_what_the_descriptor_says)
{
    struct warp_schema *schema;
    const struct warp_product *p;
    const struct warp_field *f;
    const float *point;
    ck_assert_int_eq(schema_load(bytes, size, &schema, NULL), WARP_OK);
    ck_assert_uint_eq(schema->abi, WARP_GEN_ABI);
    ck_assert_uint_eq(schema->product_count, 2);
    ck_assert_uint_eq(schema->descriptor_bytes, size);
    ck_assert_mem_eq(schema->descriptor, bytes, size);
    p = schema->products[0];
    f = p->fields;
    ck_assert_str_eq(p->name, "Entity");
    ck_assert_uint_eq(p->field_count, 7);
    ck_assert_uint_eq(p->key_count, 2);
    ck_assert_uint_eq(p->key_fields[1], 1);
    ck_assert_uint_eq(p->hot, 0x3c);
    ck_assert_uint_eq(p->all, 0x3c);
    ck_assert_str_eq(p->strategy->memory_pool, "hot");
    ck_assert_ptr_null(schema->products[1]->strategy);
    ck_assert_str_eq(f[3].name, "gold");
    ck_assert_uint_eq(f[3].survives, WARP_SURVIVES_POWER_LOSS);
    ck_assert(*(const int64_t *)f[3].default_value == -7);
    point = f[2].default_value;
    ck_assert(point[0] == 1.5f && point[1] == -2.0f);
    ck_assert_uint_eq(f[2].type->kind, WARP_T_STRUCT);
    ck_assert_str_eq(f[2].type->members[1].name, "y");
    ck_assert_uint_eq(f[2].type->members[1].offset, 4);
    ck_assert_uint_eq(f[2].type->plain, 1);
    ck_assert_str_eq(f[5].was, "tiny");
    ck_assert_ptr_null(f[5].default_value);
    ck_assert_uint_eq(f[6].flags, WARP_F_SERIES | WARP_F_THEN_DELETE);
    ck_assert_uint_eq(f[6].offset, UINT32_MAX);
    ck_assert_uint_eq(f[6].by_offset, 0);
    ck_assert_uint_eq(f[6].retention_count, 2);
    ck_assert_uint_eq(f[6].retention[1].tier, WARP_TIER_DISK);
    ck_assert_uint_eq(f[5].by_offset, UINT32_MAX);
    ck_assert_int_eq(schema->products[1]->fields[1].type->values[2].value, 2);
    schema_free(&schema);
    ck_assert_ptr_null(schema);
    schema_free(&schema);
}
END_TEST

START_TEST(damage_is_refused_with_a_reason)
{
    struct warp_schema *schema;
    const char *why = NULL;
    bytes[size / 2] ^= 1;
    ck_assert_int_eq(schema_load(bytes, size, &schema, &why), WARP_ECORRUPT);
    ck_assert_ptr_null(schema);
    ck_assert_str_eq(why, "the checksum is wrong");
    ck_assert_int_eq(schema_load(bytes, 3, &schema, &why), WARP_ECORRUPT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("schema_load");
    TCase *tcase = tcase_create("schema_load");
    SRunner *runner;
    int failed;
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, tables_say_what_the_descriptor_says);
    tcase_add_test(tcase, damage_is_refused_with_a_reason);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
