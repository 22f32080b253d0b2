/* What the comparer says about a change, and how bad it is. One row per
 * change of the sample: what is done to the new schema, the sentence, the
 * class. A row whose text is "" makes no difference. */
#include "descriptor.h"
#include "descriptor_sample.h"

#include <check.h>
#include <stdio.h>

struct heard {
    char text[2000];
    unsigned count;
};

static void hear(void *arg, const struct descriptor_change *change)
{
    struct heard *heard = arg;
    size_t used = strlen(heard->text);
    heard->count++;
    snprintf(heard->text + used, sizeof heard->text - used, "%s%s%s%s: %s%s%s",
             used ? "; " : "", change->product, change->field ? "." : "",
             change->field ? change->field : "", change->text,
             change->help ? " | " : "", change->help ? change->help : "");
}

static void nothing(struct sample *s)
{
    (void)s;
}
static void longer_ttl(struct sample *s)
{
    s->fields[5].ttl_ms = 6000;
}
static void shorter_ttl(struct sample *s)
{
    s->fields[5].ttl_ms = 4000;
}
static void no_ttl(struct sample *s)
{
    s->fields[5].ttl_ms = 0;
}
static void new_ttl(struct sample *s)
{
    s->fields[3].ttl_ms = 86400000;
}
static void record_ttl(struct sample *s)
{
    s->products[1].ttl_ms = 1000;
}
static void to_ssd(struct sample *s)
{
    s->fields[3].home = 5;
}
static void to_memory_only(struct sample *s)
{
    s->fields[3].home = DESCRIPTOR_HOME_MEMORY_ONLY;
    s->fields[3].survives = 1;
}
static void survives_less(struct sample *s)
{
    s->fields[3].survives = 2;
}
static void priority(struct sample *s)
{
    s->fields[3].priority = 5;
}
static void new_default(struct sample *s)
{
    s->fields[3].value.i = 1;
}
static void shorter_retention(struct sample *s)
{
    s->retention[1].age_ms = 3 * 86400000;
}
static void longer_retention(struct sample *s)
{
    s->retention[1].age_ms = 15 * (int64_t)86400000;
}
static void other_step(struct sample *s)
{
    s->retention[0].age_ms = 1000;
}
static void keep_forever(struct sample *s)
{
    s->fields[6].flags &= ~(uint32_t)DESCRIPTOR_F_THEN_DELETE;
}
static void removed(struct sample *s)
{
    s->products[1].field_count = 1;
}
static void renamed(struct sample *s)
{
    s->other[1].name = "sort";
}
static void renamed_well(struct sample *s)
{
    s->other[1].name = "sort";
    s->other[1].was = "kind";
}
static void product_gone(struct sample *s)
{
    s->all.product_count = 1;
}
static void wider(struct sample *s)
{
    s->fields[5].type = &s->types[SAMPLE_U64];
}
static void other_type(struct sample *s)
{
    s->fields[3].type = &s->types[SAMPLE_U8];
}
static void enum_less(struct sample *s)
{
    s->types[SAMPLE_ENUM].count = 2;
}
static void enum_rename(struct sample *s)
{
    s->enumerators[2].name = "TEAL";
}
static void enum_moved(struct sample *s)
{
    s->enumerators[2].value = 7;
}
static void member_gone(struct sample *s)
{
    s->types[SAMPLE_VEC].count = 1;
}
static void member_type(struct sample *s)
{
    s->vec_members[1].type = &s->types[SAMPLE_I64];
}
static void member_required(struct sample *s)
{
    s->odd_members[1].optional = false;
}
static void member_renamed(struct sample *s)
{
    s->vec_members[0].name = "east";
    s->vec_members[0].was = "x";
}
static void key_changed(struct sample *s)
{
    s->products[0].key_count = 1;
    s->fields[1].flags = 0;
}
static void no_index(struct sample *s)
{
    s->fields[5].flags = 0;
}
static void new_index(struct sample *s)
{
    s->fields[3].flags = DESCRIPTOR_F_INDEX;
}
static void by_gone(struct sample *s)
{
    s->fields[6].by = DESCRIPTOR_NO_MEMBER;
}
static void derived(struct sample *s)
{
    s->fields[3].flags = DESCRIPTOR_F_DERIVED;
    s->fields[3].home = DESCRIPTOR_HOME_COMPUTED;
}
static void strategy(struct sample *s)
{
    s->strategies[0].name = "Cold";
}

static const struct {
    void (*change)(struct sample *);
    enum descriptor_class class;
    const char *text;
} rows[] = {
    {nothing, DESCRIPTOR_FREE, ""},
    {longer_ttl, DESCRIPTOR_FREE, "Entity.small: ttl 6s, was 5s"},
    {shorter_ttl, DESCRIPTOR_DATA_LOSS,
     "Entity.small: ttl 4s, was 5s: what is older goes"},
    {no_ttl, DESCRIPTOR_FREE, "Entity.small: ttl 5s removed"},
    {new_ttl, DESCRIPTOR_DATA_LOSS,
     "Entity.gold: ttl 1d added: what is older goes"},
    {record_ttl, DESCRIPTOR_DATA_LOSS,
     "Other: ttl of the record 1s added: what is older goes"},
    {to_ssd, DESCRIPTOR_LAZY, "Entity.gold: lives in ssd, was memory"},
    {to_memory_only, DESCRIPTOR_DATA_LOSS,
     "Entity.gold: lives in memory_only and survives nothing, was durable in "
     "memory"},
    {survives_less, DESCRIPTOR_FREE,
     "Entity.gold: survives process_crash, was power_loss"},
    {priority, DESCRIPTOR_FREE,
     "Entity.gold: its priority or hints to the engine changed"},
    {new_default, DESCRIPTOR_FREE,
     "Entity.gold: its default changed: records that lack it read the new"},
    {shorter_retention, DESCRIPTOR_DATA_LOSS,
     "Entity.log: retention ends after 3d, was 14d: what is older goes"},
    {longer_retention, DESCRIPTOR_FREE,
     "Entity.log: retention ends after 15d, was 14d"},
    {other_step, DESCRIPTOR_LAZY,
     "Entity.log: the steps of the retention changed: segments move"},
    {keep_forever, DESCRIPTOR_FREE,
     "Entity.log: retention ends after forever, was 14d"},
    {removed, DESCRIPTOR_DATA_LOSS, "Other.kind: removed"},
    {renamed, DESCRIPTOR_DATA_LOSS,
     "Other.sort: added; Other.kind: removed | renamed? add `was: :kind` to "
     "sort"},
    {renamed_well, DESCRIPTOR_SOURCE_BREAKING,
     "Other.kind: is called sort now: the data is kept"},
    {product_gone, DESCRIPTOR_DATA_LOSS,
     "Other: the product is removed with all its records"},
    {wider, DESCRIPTOR_LAZY, "Entity.small: type u64, was u8"},
    {other_type, DESCRIPTOR_DATA_LOSS, "Entity.gold: type u8, was i64"},
    {enum_less, DESCRIPTOR_DATA_LOSS, "Other.kind: Kind.BLUE is removed"},
    {enum_rename, DESCRIPTOR_SOURCE_BREAKING,
     "Other.kind: Kind.BLUE is called TEAL now"},
    {enum_moved, DESCRIPTOR_DATA_LOSS, "Other.kind: Kind.BLUE is 7, was 2"},
    {member_gone, DESCRIPTOR_DATA_LOSS,
     "Entity.pos: Vec.y is removed; Entity.sum: Vec.y is removed; "
     "Entity.sum: Vec.y is removed"},
    {member_type, DESCRIPTOR_DATA_LOSS,
     "Entity.pos: y is i64, was f32; Entity.sum: Odd.b.y is i64, was f32; "
     "Entity.sum: Vec.y is i64, was f32"},
    {member_required, DESCRIPTOR_DATA_LOSS,
     "Entity.sum: Odd.b is no longer optional"},
    {member_renamed, DESCRIPTOR_SOURCE_BREAKING,
     "Entity.pos: Vec.x is called east now: the data is kept; "
     "Entity.sum: Vec.x is called east now: the data is kept; "
     "Entity.sum: Vec.x is called east now: the data is kept"},
    {key_changed, DESCRIPTOR_DATA_LOSS,
     "Entity: the key changed: no record is found under the new one | a "
     "product with another key is another product: give it a new name and "
     "copy the records"},
    {no_index, DESCRIPTOR_SOURCE_BREAKING,
     "Entity.small: has no index now: the _by_ calls go"},
    {new_index, DESCRIPTOR_LAZY, "Entity.gold: its index is built"},
    {by_gone, DESCRIPTOR_DATA_LOSS,
     "Entity.log: the time of its elements is given by the call, was at"},
    {derived, DESCRIPTOR_DATA_LOSS,
     "Entity.gold: is derived now: the stored values go"},
    {strategy, DESCRIPTOR_FREE,
     "Entity: its strategy, priority or limits changed"},
};

START_TEST(each_change_has_its_class)
{
    struct sample old, new;
    struct heard heard = {"", 0};
    enum descriptor_class class;
    sample_make(&old);
    sample_make(&new);
    rows[_i].change(&new);
    ck_assert_int_eq(descriptor_fingerprint(&new.all), 0);
    class = descriptor_compare(&old.all, &new.all, hear, &heard);
    ck_assert_str_eq(heard.text, rows[_i].text);
    ck_assert_int_eq((int)class, (int)rows[_i].class);
}
END_TEST

/* Hints are no structure; for all else the two functions agree. */
START_TEST(the_first_difference_is_named)
{
    struct sample old, new;
    char text[200];
    sample_make(&old);
    sample_make(&new);
    ck_assert(
        !descriptor_first_difference(&old.all, &new.all, text, sizeof text));
    ck_assert_str_eq(text, "");
    priority(&new);
    to_ssd(&new);
    wider(&new);
    ck_assert_int_eq(descriptor_fingerprint(&new.all), 0);
    ck_assert(
        descriptor_first_difference(&old.all, &new.all, text, sizeof text));
    ck_assert_str_eq(text, "Entity.gold: lives in ssd, was memory");
}
END_TEST

START_TEST(the_other_way_a_limit_narrows)
{
    struct sample old, new;
    struct heard heard = {"", 0};
    sample_make(&old);
    sample_make(&new);
    old.fields[3].type = &old.types[SAMPLE_LIST];
    new.fields[3].type = &new.types[SAMPLE_LIST];
    old.fields[3].value.kind = new.fields[3].value.kind = DESCRIPTOR_VALUE_NONE;
    new.types[SAMPLE_LIST].count = 0;
    ck_assert_int_eq(descriptor_fingerprint(&old.all), 0);
    ck_assert_int_eq(descriptor_fingerprint(&new.all), 0);
    ck_assert_int_eq(descriptor_compare(&old.all, &new.all, hear, &heard),
                     DESCRIPTOR_FREE);
    ck_assert_uint_eq(heard.count, 1);
    ck_assert_int_eq(descriptor_compare(&new.all, &old.all, NULL, NULL),
                     DESCRIPTOR_DATA_LOSS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("descriptor_compare");
    TCase *tcase = tcase_create("descriptor_compare");
    SRunner *runner;
    int failed;
    tcase_add_loop_test(tcase, each_change_has_its_class, 0,
                        sizeof rows / sizeof rows[0]);
    tcase_add_test(tcase, the_first_difference_is_named);
    tcase_add_test(tcase, the_other_way_a_limit_narrows);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
