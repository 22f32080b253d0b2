/* What a power loss would leave of a new store's names: its header comes after
 * all that it stands for, and when a commit is acknowledged each name that it
 * needs is durable; whichever call fails before, there is a store that opens or
 * none, and the next open makes it. */
#include "ledger.h"

#include "os.h"
#include "scratch.h"
#include "store_sample.h"

#include <string.h>
#include <unistd.h>
#include <warp/warp.h>

enum { PATH = 4500 };
static char dir[300];
static bool header_came;

/* Files that a store does without: what is lost of them is made anew. */
static bool is_spare(const char *path)
{
    static const char *const some[] = {"/free-", "making.tmp", "calibrate.tmp",
                                       "in-flight", "owner", "lock",
                                       "socket"};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        if (strstr(path + strlen(dir), some[i]))
            return true;
    return false;
}

/* A segment that waits for its turn is no part of the log yet. */
static bool may_go(const char *path)
{
    return is_spare(path) || strstr(path, ".wlog") != NULL;
}

/* The header is what says that there is a store. */
static void before_rename(const char *from, const char *to)
{
    char path[PATH], header[PATH];
    ck_assert_msg(!ledger_unsynced(from) || may_go(to),
                  "%s gets its name too early", to);
    snprintf(header, sizeof header, "%s/store", dir);
    if (strcmp(to, header) != 0)
        return;
    header_came = true;
    ck_assert_msg(ledger_unnamed(dir, may_go, path) == 0,
                  "%s is not durable when the header comes", path);
}

static int open_it(struct warp_db **db)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = 2;
    o.ring_bytes = 64 << 10;
    o.log_writes_in_flight = 1;
    o.ssd_map_bytes = 64 << 20;
    o.disk_reserve_bytes = 1;
    return warp_open(dir, &sample_schema, &o, db);
}

static int put(struct warp_db *db, uint64_t id)
{
    struct sample_thing thing = {.id = id, .gold = (int64_t)id};
    int rc = warp_gen_put(db, &sample_thing_product, &thing, BIT(THING_GOLD));
    return rc == WARP_OK ? warp_sync(db) : rc;
}

static void set_up(void)
{
    scratch();
    snprintf(dir, sizeof dir, "%s/s", scratch_path);
    header_came = false;
    ledger_begin(NULL, before_rename);
}

static void tear_down(void)
{
    ledger_end();
    scratch_remove();
}

START_TEST(a_header_comes_last)
{
    struct warp_db *db = NULL;
    char path[PATH];
    ck_assert_int_eq(open_it(&db), WARP_OK);
    ck_assert(header_came);
    ck_assert_int_eq(put(db, 1), WARP_OK);
    /* The maker may be about to sync a segment that it has just named. */
    for (int i = 0; i < 2000 && ledger_unnamed(dir, is_spare, path) > 0; i++)
        usleep(1000);
    ck_assert_msg(ledger_unnamed(dir, is_spare, path) == 0,
                  "%s is not durable", path);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
}
END_TEST

/* Until the store is made, or opens all the same. */
START_TEST(each_failure_leaves_a_store_or_none)
{
    uint32_t failed = 0;
    bool came = true;
    for (uint32_t n = 1; came; n += 1 + n / 16) {
        struct warp_db *db = NULL;
        ledger_fail(n);
        int rc = open_it(&db);
        bool acked = rc == WARP_OK && put(db, 7) == WARP_OK;
        came = ledger_failed();
        failed += rc != WARP_OK;
        if (rc == WARP_OK)
            (void)warp_close(&db);
        else
            ck_assert_msg(strstr(warp_errmsg(NULL), dir) != NULL, "%s",
                          warp_errmsg(NULL));
        ledger_end();
        rc = open_it(&db);
        ck_assert_msg(rc == WARP_OK, "call %u: %d: %s", n, rc,
                      warp_errmsg(NULL));
        uint64_t id = 7;
        struct sample_thing thing;
        if (acked) {
            ck_assert_int_eq(warp_gen_get(db, &sample_thing_product, &id,
                                          BIT(THING_GOLD), &thing, NULL),
                             WARP_OK);
            ck_assert_int_eq(thing.gold, 7);
        }
        ck_assert_int_eq(put(db, 8), WARP_OK);
        ck_assert_int_eq(warp_close(&db), WARP_OK);
        tear_down();
        set_up();
    }
    ck_assert_uint_gt(failed, 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("durable_names");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 100);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, a_header_comes_last);
    tcase_add_test(all, each_failure_leaves_a_store_or_none);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
