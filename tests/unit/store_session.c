/* Records that may leave memory and have values that are in memory alone: they
 * stay while these live, and come back knowing that they ended. */
#include <stdlib.h>
#include <string.h>

#include "keeper.h"
#include "move_scene.h"

#include "session.warp.h"

static void set_up(void)
{
    move_begin(&session_warp_schema);
}

static uint64_t version(void)
{
    uint64_t v = 0;
    ck_assert_int_eq(se_visit_version(db, 1, &v), WARP_OK);
    return v;
}

static void evict_all(void)
{
    for (uint32_t i = 0; i < db->shard_count; i++) {
        os_lock(&db->shards[i].lock);
        (void)shard_evict(&db->shards[i], NULL, WARP_PRIORITY_CRITICAL,
                          UINT64_MAX / 512);
        os_unlock(&db->shards[i].lock);
    }
}

static bool there(void)
{
    return resident(&se_visit_warp_product, 1, 56);
}

static void put_page(void)
{
    struct se_visit v = {.id = 1, .page = {"page", 4}};
    ck_assert_int_eq(se_visit_put(db, &v, SE_VISIT_PAGE), WARP_OK);
}

static void set_token(const char *token)
{
    struct warp_str s = {token, (uint32_t)strlen(token)};
    ck_assert_int_eq(se_visit_set_token(db, 1, s), WARP_OK);
}

static enum warp_state token_state(void)
{
    return se_visit_state(db, 1, SE_VISIT_TOKEN);
}

START_TEST(an_end_is_known_after_the_record_left)
{
    put_page();
    set_token("a");
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    evict_all();
    ck_assert(there());
    /* The directory knows a later end than this one. */
    ck_assert_int_eq(se_visit_expire(db, 1, SE_VISIT_TOKEN,
                                     atomic_load(&clock_ms) + 1000),
                     WARP_OK);
    atomic_fetch_add(&clock_ms, 1000);
    ck_assert_int_eq(token_state(), WARP_EXPIRED);
    sweep_run(db, true);
    evict_all(); /* not before a checkpoint has told the directory */
    ck_assert(there());
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    evict_all();
    ck_assert(!there());
    ck_assert_int_eq(token_state(), WARP_EXPIRED);
    close_it();
    open_it();
    ck_assert_int_eq(token_state(), WARP_EXPIRED);
}
END_TEST

START_TEST(versions_do_not_come_twice)
{
    put_page();
    set_token("a");
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    uint64_t old = version();
    set_token("b"); /* the log hears nothing of it */
    uint64_t last = version();
    ck_assert_uint_gt(last, old);
    atomic_fetch_add(&clock_ms, HOUR);
    sweep_run(db, true);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    evict_all();
    ck_assert(!there());
    ck_assert_uint_eq(version(), last);
    set_token("c");
    ck_assert_uint_gt(version(), last);
    last = version();
    put_page();
    ck_assert_uint_gt(version(), last);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_session");
    TCase *c = tcase_create("records");
    tcase_add_checked_fixture(c, set_up, move_end);
    tcase_add_test(c, an_end_is_known_after_the_record_left);
    tcase_add_test(c, versions_do_not_come_twice);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
