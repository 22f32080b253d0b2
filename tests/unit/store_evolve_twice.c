/* store_evolve_twice.c: two threads bring the last rows into the form of now:
 * the one that comes later finds nothing to do, and leaves alone what the next
 * change of the schema has written meanwhile. */
#include "catalog.h"
#include "evolve_past.h"
#include "evolve_schema.h"
#include "scratch.h"
#include "ssd.h"

#include <pthread.h>

enum { RECORDS = 300, TRIES = 50 };

static pthread_t me;
static bool armed; /* by this thread: the next wait is that of its move */
static struct catalog next;

/* As the next change does it, when all rows are as they should be. */
static void change_again(struct warp_db *db)
{
    struct ssd_txn *txn = NULL;
    uint64_t moved;
    ck_assert_int_eq(evolve_finish(db, NULL, &moved), WARP_OK);
    ck_assert(!evolve_pending(db));
    ck_assert_int_eq(ssd_begin(db->ssd, &txn), WARP_OK);
    ck_assert_int_eq(catalog_write(txn, CATALOG_BEFORE, &next), WARP_OK);
    ck_assert_int_eq(ssd_commit(&txn), WARP_OK);
}

/* Between the look whether something is to be done and the doing. */
void __real_db_wait_loaded(struct warp_db *db);
void __wrap_db_wait_loaded(struct warp_db *db);
void __wrap_db_wait_loaded(struct warp_db *db)
{
    __real_db_wait_loaded(db);
    if (!pthread_equal(pthread_self(), me) || !armed)
        return;
    armed = false;
    change_again(db);
}

static struct warp_schema *schema_with(enum descriptor_home home)
{
    struct maker m;
    maker_base(&m);
    maker_find(&m, "name")->home = home;
    return maker_load(&m);
}

static struct warp_db *open_it(const struct warp_schema *s)
{
    struct warp_db *db = NULL;
    char path[300];
    snprintf(path, sizeof path, "%s/s", scratch_path);
    int rc = warp_open(path, s, NULL, &db);
    ck_assert_msg(rc == WARP_OK, "open: %d: %s", rc, warp_errmsg(NULL));
    return db;
}

START_TEST(who_comes_later_leaves_it_alone)
{
    struct warp_schema *s = schema_with(DESCRIPTOR_HOME_MEMORY);
    struct warp_db *db = open_it(s);
    bool tried = false;
    me = pthread_self();
    for (uint64_t id = 0; id < RECORDS; id++)
        thing_set_text(db, s, id, "name", "a name", 6);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    /* The keeper may have done it all before. */
    for (int i = 0; i < TRIES && !tried; i++) {
        schema_free(&s);
        s = schema_with(i % 2 ? DESCRIPTOR_HOME_MEMORY : DESCRIPTOR_HOME_SSD);
        db = open_it(s);
        ck_assert_int_eq(catalog_read(db->ssd, CATALOG_NOW, &next), WARP_OK);
        uint32_t marked;
        armed = true;
        ck_assert_int_eq(evolve_move(db, RECORDS, &marked), WARP_OK);
        tried = !armed;
        armed = false;
        struct catalog before;
        ck_assert_int_eq(catalog_read(db->ssd, CATALOG_BEFORE, &before),
                         WARP_OK);
        ck_assert_uint_eq(before.version, tried ? next.version : 0);
        struct ssd_txn *txn = NULL;
        ck_assert_int_eq(ssd_begin(db->ssd, &txn), WARP_OK);
        ck_assert_int_eq(catalog_drop_before(txn), WARP_OK);
        ck_assert_int_eq(ssd_commit(&txn), WARP_OK);
        catalog_free(&before);
        catalog_free(&next);
        ck_assert_int_eq(warp_close(&db), WARP_OK);
    }
    ck_assert(tried);
    db = open_it(s);
    for (uint64_t id = 0; id < RECORDS; id++)
        ck_assert(thing_is_text(db, s, id, "name", "a name", 6));
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&s);
}
END_TEST

static void set_up(void)
{
    scratch();
}

int main(void)
{
    Suite *suite = suite_create("store_evolve_twice");
    TCase *tcase = tcase_create("evolve");
    tcase_set_timeout(tcase, 100);
    tcase_add_checked_fixture(tcase, set_up, scratch_remove);
    tcase_add_test(tcase, who_comes_later_leaves_it_alone);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
