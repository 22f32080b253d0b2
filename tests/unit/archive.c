/* The archive: which file is durable before which other goes, whatever call
 * fails; and where it is. */
#include "archive.h"

#include "archive_where.h"
#include "error.h"
#include "ledger.h"
#include "os.h"
#include "scratch.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <warp/warp.h>

enum { SEGMENTS = 4, VALUES = 3, PATH = 4500 };

static const uint8_t store_id[16] = "a store of tests";
static char dir[300];
static struct archive *archive;
static struct archive_place places[SEGMENTS][VALUES];
static uint32_t unlinked, told;
static int told_code;

static void tell(void *arg, int code, const char *text)
{
    (void)arg;
    ck_assert_ptr_nonnull(strstr(text, dir));
    told_code = code;
    told++;
}

static void open_it(void)
{
    told = 0;
    told_code = WARP_OK;
    int rc = archive_open(dir, store_id, false, tell, NULL, &archive);
    ck_assert_msg(rc == WARP_OK, "%d: %s", rc, error_text());
}

/* ---- the rules ---- */

/* A1, and of every file: its bytes are there before its name is. */
static void before_rename(const char *from, const char *to)
{
    ck_assert_msg(!ledger_unsynced(from), "%s gets its name too early", to);
}

/* The newest manifest as a power loss would leave it: the one before, when the
 * newest has no durable name. */
static char newest[PATH];

static int look(void *arg, const char *name)
{
    (void)arg;
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (strncmp(name, "manifest-", 9) == 0 && !strstr(name, ".new") &&
        strcmp(path, newest) > 0)
        strcpy(newest, path);
    return 0;
}

static bool newest_names(const char *segment)
{
    static char text[65536];
    newest[0] = 0;
    ck_assert_int_eq(os_list(dir, look, NULL), 0);
    FILE *f = fopen(newest, "r");
    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return strstr(text, segment) != NULL;
}

/* A2. */
static void before_unlink(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    if (strstr(name, ".wseg") && !strstr(name, ".new")) {
        char other[PATH];
        ck_assert_msg(!newest_names(name), "%s is named by %s", name, newest);
        ck_assert_msg(ledger_unnamed(newest, NULL, other) == 0,
                      "%s goes before %s is durable", name, newest);
        unlinked++;
    }
    if (strncmp(name, "manifest-", 9) == 0 && !strstr(name, ".new")) {
        newest[0] = 0;
        ck_assert_int_eq(os_list(dir, look, NULL), 0);
        ck_assert_str_ne(newest, path);
        ck_assert_msg(ledger_unnamed(newest, NULL, NULL) == 0,
                      "%s goes before %s is durable", name, newest);
    }
}

static void set_up(void)
{
    scratch();
    snprintf(dir, sizeof dir, "%s/archive", scratch_path);
    unlinked = 0;
    open_it();
    ledger_begin(before_unlink, before_rename);
}

static void tear_down(void)
{
    ledger_end();
    archive_close(&archive);
    scratch_remove();
}

/* ---- values ---- */

static uint32_t value_of(int segment, int n, uint8_t *to)
{
    uint32_t bytes = (uint32_t)(segment * 700 + n * 90);
    memset(to, segment * VALUES + n + 1, bytes);
    return bytes;
}

static int seal(int segment)
{
    static uint8_t value[4096];
    for (int n = 0; n < VALUES; n++) {
        uint32_t bytes = value_of(segment, n, value);
        int rc = archive_append(archive, &segment, sizeof segment, value,
                                bytes, &places[segment][n]);
        if (rc != WARP_OK)
            return rc;
    }
    return archive_seal(archive);
}

static void seal_all(void)
{
    for (int i = 0; i < SEGMENTS; i++)
        ck_assert_int_eq(seal(i), WARP_OK);
    archive_settled(archive);
    archive_recounted(archive);
}

static void *take(void *arg, size_t bytes)
{
    static uint8_t to[4096];
    *(uint8_t **)arg = to;
    return bytes <= sizeof to ? to : NULL;
}

static void check(int segment)
{
    static uint8_t want[4096];
    for (int n = 0; n < VALUES; n++) {
        uint8_t *got = NULL;
        uint32_t bytes = value_of(segment, n, want);
        int rc = archive_read(archive, places[segment][n], take, &got);
        ck_assert_msg(rc == WARP_OK, "%d: %s", rc, error_text());
        ck_assert(memcmp(got, want, bytes) == 0);
        ck_assert_int_eq(archive_check(archive, places[segment][n], &segment,
                                       sizeof segment),
                         WARP_OK);
    }
}

/* After an open each place that the directory has is counted. */
static void reopen(int first)
{
    ledger_end();
    archive_close(&archive);
    open_it();
    for (int i = first; i < SEGMENTS; i++)
        for (int n = 0; n < VALUES; n++)
            archive_recount(archive, places[i][n]);
    archive_recounted(archive);
}

static uint32_t segments(void)
{
    struct archive_stat stat;
    archive_stat(archive, &stat);
    return stat.segments;
}

static bool there(uint32_t number)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/%08x.wseg", dir, number);
    return os_exists(path) == 1;
}

/* ---- order ---- */

/* When it is sealed all of it would be there after a power loss: the directory
 * that was made for it, the segment, the manifest. */
START_TEST(what_is_sealed_has_durable_names)
{
    char path[PATH];
    for (int i = 0; i < SEGMENTS; i++) {
        ck_assert_int_eq(seal(i), WARP_OK);
        ck_assert_msg(ledger_unnamed(dir, NULL, path) == 0, "%s is not durable",
                      path);
        char name[20];
        snprintf(name, sizeof name, "%08x.wseg", i + 1);
        ck_assert(newest_names(name) && there((uint32_t)i + 1));
    }
    archive_settled(archive);
    reopen(0);
    ck_assert_uint_eq(told, 0);
    for (int i = 0; i < SEGMENTS; i++)
        check(i);
}
END_TEST

static void free_one(int segment)
{
    for (int n = 0; n < VALUES; n++)
        archive_free(archive, places[segment][n]);
}

/* A segment goes when the manifest without it is durable, not before; what a
 * backup copies, what is not committed and what was not counted stays. */
START_TEST(a_segment_leaves_the_manifest_first)
{
    for (int i = 0; i < SEGMENTS; i++)
        ck_assert_int_eq(seal(i), WARP_OK);
    free_one(0);
    ck_assert_int_eq(archive_reclaim(archive), WARP_OK);
    ck_assert(there(1)); /* nothing is counted, nothing is committed */
    archive_recounted(archive);
    ck_assert_int_eq(archive_reclaim(archive), WARP_OK);
    ck_assert(there(1)); /* nothing is committed */
    archive_settled(archive);
    archive_hold(archive, true);
    ck_assert_int_eq(archive_reclaim(archive), WARP_OK);
    ck_assert(there(1));
    archive_hold(archive, false);
    ck_assert_uint_eq(unlinked, 0);
    ck_assert_int_eq(archive_reclaim(archive), WARP_OK);
    ck_assert_uint_eq(unlinked, 1);
    ck_assert(!there(1) && there(2));
    ck_assert_uint_eq(segments(), SEGMENTS - 1);
    ck_assert_int_eq(archive_reclaim(archive), WARP_OK); /* nothing to do */
    ck_assert_uint_eq(unlinked, 1);
    reopen(1);
    ck_assert_uint_eq(told, 0);
    for (int i = 1; i < SEGMENTS; i++)
        check(i);
}
END_TEST

/* Whichever call fails: either the segment went by the rules, or it is there
 * and the error names the file; what has places can be read, then and after an
 * open, and the next attempt succeeds. */
START_TEST(a_reclaim_that_fails_loses_nothing)
{
    uint32_t failed = 0;
    bool came = true;
    for (uint32_t n = 1; came; n++) {
        seal_all();
        free_one(1);
        uint32_t before = unlinked;
        ledger_fail(n);
        int rc = archive_reclaim(archive);
        came = ledger_failed();
        if (rc != WARP_OK) {
            ck_assert_int_eq(rc, WARP_EIO);
            ck_assert_msg(strstr(error_text(), "manifest-") != NULL, "%s",
                          error_text());
            ck_assert(there(2));
            ck_assert_uint_eq(unlinked, before);
            ck_assert_uint_eq(segments(), SEGMENTS);
            failed++;
        }
        for (int i = 0; i < SEGMENTS; i++)
            if (i != 1)
                check(i);
        if (n % 2 == 0 && rc != WARP_OK) {
            ck_assert_int_eq(archive_reclaim(archive), WARP_OK);
            ck_assert(!there(2));
        }
        for (int round = 0; round < 2; round++) {
            reopen(0);
            ck_assert_uint_eq(told, 0);
            for (int i = 0; i < SEGMENTS; i++)
                if (i != 1)
                    check(i);
            free_one(1);
            ck_assert_int_eq(archive_reclaim(archive), WARP_OK);
            ck_assert(!there(2));
        }
        tear_down();
        set_up();
    }
    ck_assert_uint_ge(failed, 4); /* open, write, sync, rename, directory */
}
END_TEST

/* A seal that fails: what was there stays, the next one succeeds, and nothing
 * of it is left after an open. */
START_TEST(a_seal_that_fails_changes_nothing)
{
    uint32_t failed = 0;
    bool came = true;
    for (uint32_t n = 1; came; n++) {
        ck_assert_int_eq(seal(0), WARP_OK);
        archive_settled(archive);
        ledger_fail(n);
        int rc = seal(1);
        came = ledger_failed();
        if (rc != WARP_OK) {
            ck_assert_int_eq(rc, WARP_EIO);
            ck_assert_msg(strstr(error_text(), dir) != NULL, "%s",
                          error_text());
            failed++;
            archive_rollback(archive);
            ck_assert_uint_eq(segments(), 1);
        }
        check(0);
        /* The next one is not harmed by it. */
        ck_assert_int_eq(seal(2), WARP_OK);
        archive_settled(archive);
        check(0);
        check(2);
        reopen(2);
        for (int i = 0; i < VALUES; i++)
            archive_recount(archive, places[0][i]);
        ck_assert_uint_eq(told, 0);
        check(0);
        check(2);
        ck_assert_int_eq(archive_reclaim(archive), WARP_OK);
        ck_assert_uint_eq(segments(), 2);
        ck_assert_uint_eq(archive_open_bytes(archive), 0);
        tear_down();
        set_up();
    }
    ck_assert_uint_ge(failed, 6);
}
END_TEST

/* The commit that would have held the places failed. */
START_TEST(what_was_not_committed_goes)
{
    seal_all();
    ck_assert_int_eq(seal(0), WARP_OK);
    ck_assert_int_eq(archive_append(archive, "x", 1, "y", 1, &places[0][0]),
                     WARP_OK);
    ck_assert_uint_gt(archive_open_bytes(archive), 0);
    archive_rollback(archive);
    ck_assert_uint_eq(archive_open_bytes(archive), 0);
    ck_assert_int_eq(archive_reclaim(archive), WARP_OK);
    ck_assert_uint_eq(segments(), SEGMENTS);
    ck_assert(!there(SEGMENTS + 1));
    for (int i = 1; i < SEGMENTS; i++)
        check(i);
}
END_TEST

/* ---- where ---- */

static struct ssd *ssd;
static char store[300], elsewhere[300], path[ARCHIVE_WHERE_BYTES];

static void open_store(void)
{
    snprintf(store, sizeof store, "%s/store", scratch_path);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", scratch_path);
    ck_assert_int_eq(os_mkdir(store), 0);
    ck_assert_int_eq(os_mkdir(elsewhere), 0);
    ck_assert_int_eq(ssd_open(store, 64 << 20, false, NULL, NULL, &ssd), 0);
}

static int where(const char *url, bool remember)
{
    return archive_where(ssd, store, url, store_id, remember, path);
}

static void must_refuse(const char *url, const char *what, const char *remedy)
{
    ck_assert_int_eq(where(url, true), WARP_EINVAL);
    ck_assert_msg(strncmp(error_text(), "archive_url: ", 13) == 0 &&
                      strstr(error_text(), what) &&
                      strstr(error_text(), remedy),
                  "%s", error_text());
}

START_TEST(an_archive_is_inside_the_store_or_where_it_was_told)
{
    char url[400], inside[400], own[400];
    open_store();
    snprintf(inside, sizeof inside, "%s/archive", store);
    /* Of its own in a directory that several stores share. */
    snprintf(own, sizeof own, "%s/612073746f7265206f66207465737473", elsewhere);
    ck_assert_int_eq(where(NULL, true), WARP_OK);
    ck_assert_str_eq(path, inside);
    must_refuse("s3://bucket/x", "s3://bucket/x", "an archive is a directory");
    snprintf(url, sizeof url, "%s/missing", scratch_path);
    must_refuse(url, "no directory", url);
    snprintf(url, sizeof url, "file://%s", elsewhere);
    ck_assert_int_eq(where(NULL, true), WARP_OK);
    ck_assert_str_eq(path, inside); /* a refusal is not remembered */
    ck_assert_int_eq(where(url, false), WARP_OK);
    ck_assert_str_eq(path, own);
    ck_assert_int_eq(where(NULL, true), WARP_OK);
    ck_assert_str_eq(path, inside); /* a look is not remembered */
    ck_assert_int_eq(where(url, true), WARP_OK);
    ck_assert_str_eq(path, own);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(where(NULL, true), WARP_OK);
        ck_assert_str_eq(path, own);
        ck_assert_int_eq(where(i ? elsewhere : url, true), WARP_OK);
        ck_assert_str_eq(path, own);
        ssd_close(&ssd);
        open_store();
    }
    /* Once it was made it is not done without. */
    ck_assert_int_eq(os_rmdir(own), 0);
    ck_assert_int_eq(where(NULL, true), WARP_EIO);
    ck_assert_msg(strstr(error_text(), own) && strstr(error_text(), "mount"),
                  "%s", error_text());
    ck_assert_int_eq(where(url, true), WARP_EIO);
    ck_assert_int_eq(where(NULL, false), WARP_OK); /* who only looks */
    ck_assert_str_eq(path, own);
    ck_assert_int_eq(os_mkdir(own), 0);
    /* It is not moved by an option. */
    must_refuse(scratch_path, own, "move its files there first");
    ck_assert_int_eq(where(NULL, true), WARP_OK);
    ck_assert_str_eq(path, own);
    /* A backup's or a restored one's goes before it. */
    ck_assert_int_eq(os_mkdir(inside), 0);
    ck_assert_int_eq(where(NULL, true), WARP_OK);
    ck_assert_str_eq(path, inside);
    must_refuse(url, inside, "move its files there first");
    ssd_close(&ssd);
}
END_TEST

/* What was remembered before the directory was made at once. */
START_TEST(an_older_store_may_have_no_directory_yet)
{
    char own[400];
    struct ssd_txn *txn = NULL;
    open_store();
    snprintf(own, sizeof own, "%s/own", elsewhere);
    struct ssd_slice name = {"archive", 7}, value = {own, strlen(own)};
    ck_assert_int_eq(ssd_begin(ssd, &txn), WARP_OK);
    ck_assert_int_eq(ssd_put(txn, SSD_META, name, value), WARP_OK);
    ck_assert_int_eq(ssd_commit(&txn), WARP_OK);
    ck_assert_int_eq(where(NULL, true), WARP_OK);
    ck_assert_str_eq(path, own);
    ck_assert_int_eq(os_mkdir(own), 0); /* by its first segment */
    ck_assert_int_eq(where(NULL, true), WARP_OK);
    ck_assert_int_eq(os_rmdir(own), 0);
    ck_assert_int_eq(where(NULL, true), WARP_EIO);
    ssd_close(&ssd);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_said)
{
    char url[ARCHIVE_WHERE_BYTES + 200];
    struct ssd_txn *txn = NULL;
    open_store();
    /* A directory that is there, by a long name. */
    size_t n = (size_t)snprintf(url, sizeof url, "%s", elsewhere);
    while (n < ARCHIVE_WHERE_BYTES - 20)
        n += (size_t)snprintf(url + n, sizeof url - n, "/.");
    must_refuse(url, "too long", "path");
    /* What a damaged store says is not believed. */
    struct ssd_slice name = {"archive", 7}, value = {url, sizeof url};
    memset(url, 'x', sizeof url);
    ck_assert_int_eq(ssd_begin(ssd, &txn), WARP_OK);
    ck_assert_int_eq(ssd_put(txn, SSD_META, name, value), WARP_OK);
    ck_assert_int_eq(ssd_commit(&txn), WARP_OK);
    ck_assert_int_eq(where(NULL, true), WARP_ECORRUPT);
    ck_assert_msg(strstr(error_text(), "too long") != NULL, "%s",
                  error_text());
    ssd_close(&ssd);
}
END_TEST

/* _i: 0 it is not there, 1 it cannot be opened, which is no damage. */
START_TEST(a_segment_that_is_not_at_hand)
{
    char file[PATH], aside[PATH + 8];
    seal_all();
    ledger_end();
    archive_close(&archive);
    snprintf(file, sizeof file, "%s/%08x.wseg", dir, places[1][0].segment);
    snprintf(aside, sizeof aside, "%s.aside", file);
    ck_assert_int_eq(rename(file, aside), 0);
    if (_i == 1)
        ck_assert_int_eq(symlink(file, file), 0);
    open_it();
    ck_assert_uint_eq(told, 1);
    ck_assert_int_eq(told_code, _i == 1 ? WARP_EIO : WARP_ECORRUPT);
    if (_i == 1)
        ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(rename(aside, file), 0);
    for (int i = 0; i < SEGMENTS; i++)
        check(i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("archive");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, what_is_sealed_has_durable_names);
    tcase_add_test(all, a_segment_leaves_the_manifest_first);
    tcase_add_test(all, a_reclaim_that_fails_loses_nothing);
    tcase_add_test(all, a_seal_that_fails_changes_nothing);
    tcase_add_test(all, what_was_not_committed_goes);
    tcase_add_test(all, an_archive_is_inside_the_store_or_where_it_was_told);
    tcase_add_test(all, an_older_store_may_have_no_directory_yet);
    tcase_add_test(all, a_path_that_is_too_long_is_said);
    tcase_add_loop_test(all, a_segment_that_is_not_at_hand, 0, 2);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
