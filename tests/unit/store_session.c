/* Records that may leave memory whole: what is in memory alone keeps them there
 * while it lives, and they come back knowing that it ended; their unique values
 * are known while they are away. */
#include <stdio.h>
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

static int put_account(uint64_t id, const char *email)
{
    struct se_account a = {.id = id,
                           .email = {email, (uint32_t)strlen(email)}};
    return se_account_put(db, &a, SE_ACCOUNT_ALL);
}

static int put_in_batch(uint64_t id, const char *email)
{
    struct warp_batch *batch = NULL;
    struct se_account a = {.id = id,
                           .email = {email, (uint32_t)strlen(email)}};
    ck_assert_int_eq(warp_batch_begin(db, &batch), WARP_OK);
    int rc = se_account_put_in(batch, &a, SE_ACCOUNT_ALL);
    if (rc == WARP_OK)
        rc = se_account_put_in(batch, &(struct se_account){.id = id + 1000},
                               0);
    int end = warp_batch_commit(&batch);
    return rc == WARP_OK ? end : rc;
}

/* Whoever asks holds locks that bringing the other record in would take. */
START_TEST(unique_values_are_known_while_they_are_away)
{
    char email[32];
    for (uint64_t id = 0; id < 200; id++) {
        snprintf(email, sizeof email, "%u@home", (unsigned)id);
        ck_assert_int_eq(put_account(id, email), WARP_OK);
    }
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    for (uint64_t id = 0; id < 200; id++) {
        snprintf(email, sizeof email, "%u@home", (unsigned)id);
        evict_all();
        ck_assert_int_eq(put_account(id + 500, email), WARP_EEXIST);
        evict_all();
        ck_assert_int_eq(put_in_batch(id + 500, email), WARP_EEXIST);
    }
    /* Of hints alone that are left, nobody is asked in vain for ever. */
    for (uint64_t id = 0; id < 200; id++)
        ck_assert_int_eq(id % 2 ? se_account_delete(db, id)
                                : put_account(id, "other"),
                         id % 2 || id == 0 ? WARP_OK : WARP_EEXIST);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    evict_all();
    ck_assert_int_eq(put_account(700, "1@home"), WARP_OK);
    ck_assert_int_eq(put_account(701, "0@home"), WARP_OK);
    ck_assert_int_eq(put_account(702, "2@home"), WARP_EEXIST);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_session");
    TCase *c = tcase_create("records");
    tcase_add_checked_fixture(c, set_up, move_end);
    tcase_add_test(c, an_end_is_known_after_the_record_left);
    tcase_add_test(c, versions_do_not_come_twice);
    tcase_add_test(c, unique_values_are_known_while_they_are_away);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
