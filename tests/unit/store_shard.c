/* A shard that cannot make or bring a record: no room in its index, its
 * columns, its memory, a stored row that is wrong. The call gives an error,
 * nothing of the record is left, and what was there is there, now and after an
 * open. The linker puts functions between shard.c and what it calls. */
#include "checkpoint.h"
#include "db.h"
#include "descriptor.h"
#include "error.h"
#include "evict.h"
#include "evolve_schema.h"
#include "index.h"
#include "row.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>

enum { RECORDS = 200, SHARDS = 2 };

static struct warp_db *db;
static struct warp_schema *schema;

#define REAL(type, name, parameters)                                           \
    type __real_##name parameters;                                             \
    type __wrap_##name parameters;                                             \
    type __wrap_##name parameters

static _Atomic int index_fails, column_fails, loads_fail, wrong_shard;
static _Atomic size_t no_memory_of; /* bytes, or more; 0: there is */

REAL(int, index_insert, (struct index *index, uint64_t hash, void *record))
{
    if (index_fails)
        return error_set(WARP_ELIMIT, "the index is full");
    return __real_index_insert(index, hash, record);
}

REAL(int, column_take, (struct column_set *set, struct record *record))
{
    if (column_fails)
        return error_set(WARP_ELIMIT, "the columns are full");
    return __real_column_take(set, record);
}

REAL(int, row_load_record, (struct shard *s, const struct layout *l,
                            const struct key_ref *key, struct ssd_slice value,
                            struct record **record))
{
    if (loads_fail > 0) {
        loads_fail--;
        return error_set(WARP_ELIMIT, "no room for the record");
    }
    return __real_row_load_record(s, l, key, value, record);
}

REAL(uint32_t, row_shard, (struct ssd_slice value, uint32_t home))
{
    return wrong_shard ? 200 : __real_row_shard(value, home);
}

REAL(void *, malloc, (size_t bytes))
{
    return no_memory_of && bytes >= no_memory_of ? NULL : __real_malloc(bytes);
}

/* ---- a store ---- */

static void open_with(const struct warp_schema *s)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    char path[300];
    snprintf(path, sizeof path, "%s/s", scratch_path);
    o.shards = SHARDS;
    o.ring_bytes = 65536;
    o.disk_reserve_bytes = 1;
    o.memory_max_bytes = 64 << 20;
    int rc = warp_open(path, s, &o, &db);
    ck_assert_msg(rc == WARP_OK, "open: %d: %s", rc, warp_errmsg(NULL));
    db_wait_loaded(db);
}

static void close_it(void)
{
    ck_assert_int_eq(warp_close(&db), WARP_OK);
}

static uint64_t gold_of(uint64_t id)
{
    return id * 7 + 1;
}

static int put(uint64_t id)
{
    uint32_t gold = (uint32_t)gold_of(id);
    return warp_gen_set(db, schema->products[0], &id,
                        thing_field(schema, "gold"), &gold);
}

static void check(uint64_t from, uint64_t to)
{
    for (uint64_t id = from; id < to; id++)
        ck_assert_uint_eq(thing_get_u64(db, schema, id, "gold"), gold_of(id));
}

static void evict_clean(void)
{
    for (uint32_t i = 0; i < db->shard_count; i++) {
        os_lock(&db->shards[i].lock);
        (void)shard_evict(&db->shards[i], NULL, WARP_PRIORITY_CRITICAL,
                          UINT64_MAX / 512);
        os_unlock(&db->shards[i].lock);
    }
}

static void evict_everything(void)
{
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    evict_clean();
}

static int get(uint64_t id)
{
    const struct warp_product *p = schema->products[0];
    uint8_t *out = calloc(1, p->record_bytes);
    int rc = warp_gen_get(db, p, &id,
                          UINT64_C(1) << thing_field(schema, "gold"), out,
                          NULL);
    free(out);
    return rc;
}

/* Numbers alone, of which whole records leave memory. */
static void make_store(uint32_t flags, bool draws)
{
    struct maker m;
    scratch();
    maker_init(&m);
    maker_field(&m, "id", DESCRIPTOR_U64)->flags = DESCRIPTOR_F_KEY;
    struct descriptor_field *gold = maker_field(&m, "gold", DESCRIPTOR_U32);
    gold->home = flags ? DESCRIPTOR_HOME_MEMORY : DESCRIPTOR_HOME_AUTO;
    gold->flags = flags;
    if (draws) {
        struct descriptor_field *team = maker_field(&m, "team",
                                                    DESCRIPTOR_U32);
        team->home = DESCRIPTOR_HOME_AUTO;
        team->physics = WARP_PHYSICS_SHARD_HINT;
    }
    schema = maker_load(&m);
    open_with(schema);
    for (uint64_t id = 0; id < RECORDS; id++)
        ck_assert_int_eq(put(id), WARP_OK);
}

static void tear_down(void)
{
    index_fails = column_fails = loads_fail = wrong_shard = 0;
    no_memory_of = 0;
    if (db)
        close_it();
    schema_free(&schema);
    scratch_remove();
}

/* ---- making one ---- */

/* _i: the index, the columns. */
START_TEST(a_record_that_has_no_room_is_not_made)
{
    make_store(_i ? DESCRIPTOR_F_COLUMN : 0, false);
    ck_assert_int_eq(db->layouts[0]->columns != 0, _i);
    *(_i ? &column_fails : &index_fails) = 1;
    for (uint64_t id = RECORDS; id < RECORDS + 5; id++) {
        ck_assert_int_eq(put(id), WARP_ELIMIT);
        ck_assert_msg(strstr(warp_errmsg(db), _i ? "the columns are full"
                                                 : "the index is full"),
                      "%s", warp_errmsg(db));
        ck_assert_int_eq(get(id), WARP_ENOTFOUND);
    }
    ck_assert_int_eq(put(3), WARP_OK); /* one that is there needs none */
    check(0, RECORDS);
    column_fails = index_fails = 0;
    for (uint64_t id = RECORDS + 2; id < RECORDS + 9; id++)
        ck_assert_int_eq(put(id), WARP_OK);
    for (int round = 0; round < 2; round++) {
        check(0, RECORDS);
        check(RECORDS + 2, RECORDS + 9);
        ck_assert_int_eq(get(RECORDS), WARP_ENOTFOUND);
        ck_assert_int_eq(get(RECORDS + 1), WARP_ENOTFOUND);
        close_it();
        open_with(schema);
    }
}
END_TEST

/* ---- bringing one ---- */

/* Memory has no room for a record that is read: a checkpoint that lets others
 * leave is waited for, and where there is none to wait for the read is refused;
 * it is no loss. */
START_TEST(a_read_waits_for_room)
{
    make_store(0, false);
    evict_everything();
    loads_fail = 1000; /* nothing is dirty: nothing to wait for */
    ck_assert_int_eq(get(5), WARP_ELIMIT);
    ck_assert(strstr(warp_errmsg(db), "no room for the record"));
    ck_assert_int_lt(1000 - loads_fail, 9);
    loads_fail = 1;
    ck_assert_int_eq(get(5), WARP_OK);
    evict_everything();
    /* A record that waits for a checkpoint: the read has one made. */
    ck_assert_int_eq(put(RECORDS), WARP_OK);
    loads_fail = 2;
    ck_assert_int_eq(get(7), WARP_OK);
    check(0, RECORDS + 1);
    close_it();
    open_with(schema);
    check(0, RECORDS + 1);
}
END_TEST

/* A row that names a shard that there is not. */
START_TEST(a_row_of_no_shard)
{
    make_store(0, true);
    ck_assert(db->layouts[0]->roams);
    evict_everything();
    wrong_shard = 1;
    ck_assert_int_eq(get(5), WARP_ECORRUPT);
    ck_assert_msg(strstr(warp_errmsg(db), "Thing: a stored row names shard "
                                          "200"), "%s", warp_errmsg(db));
    wrong_shard = 0;
    check(0, RECORDS);
}
END_TEST

static struct warp_schema *with_name(uint8_t home)
{
    struct maker m;
    maker_init(&m);
    maker_field(&m, "id", DESCRIPTOR_U64)->flags = DESCRIPTOR_F_KEY;
    maker_field(&m, "gold", DESCRIPTOR_U32)->home = DESCRIPTOR_HOME_AUTO;
    maker_field(&m, "name", DESCRIPTOR_STRING)->home = home;
    return maker_load(&m);
}

/* A row of an earlier schema is taken out of LMDB before it is turned: without
 * memory for that the read is refused. */
START_TEST(no_memory_for_a_row_of_before)
{
    uint32_t refused = 0, other = 0;
    scratch();
    schema = with_name(DESCRIPTOR_HOME_DISK);
    open_with(schema);
    for (uint64_t id = 0; id < RECORDS; id++) {
        ck_assert_int_eq(put(id), WARP_OK);
        thing_set_text(db, schema, id, "name", "some name", 9);
    }
    /* In the background rows are turned from the open on: be sooner once. */
    for (int i = 0; i < 60 && refused == 0; i++) {
        close_it();
        schema_free(&schema);
        schema = with_name(i % 2 ? DESCRIPTOR_HOME_DISK : DESCRIPTOR_HOME_SSD);
        open_with(schema);
        evict_clean();
        no_memory_of = 1;
        for (uint64_t id = 0; id < RECORDS; id++) {
            int rc = get(id); /* Check asks for memory, too */
            refused += rc == WARP_ENOMEM;
            other += rc != WARP_OK && rc != WARP_ENOMEM;
        }
        no_memory_of = 0;
        ck_assert_uint_eq(other, 0);
    }
    ck_assert_uint_gt(refused, 0);
    for (int round = 0; round < 2; round++) {
        check(0, RECORDS);
        for (uint64_t id = 0; id < RECORDS; id++)
            ck_assert(thing_is_text(db, schema, id, "name", "some name", 9));
        close_it();
        open_with(schema);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_shard");
    TCase *tcase = tcase_create("store_shard");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, NULL, tear_down);
    tcase_add_loop_test(tcase, a_record_that_has_no_room_is_not_made, 0, 2);
    tcase_add_test(tcase, a_read_waits_for_room);
    tcase_add_test(tcase, a_row_of_no_shard);
    tcase_add_test(tcase, no_memory_for_a_row_of_before);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
