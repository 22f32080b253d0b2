/* A file system of 64 MB fills up: writes are refused and nothing is torn,
 * reads and deletes go on, writing resumes by itself, closing and opening find
 * everything. Needs a mount, so it is skipped where that is not allowed. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "full.warp.h"

enum { DOCS_MAX = 20000, BYTES = 8000 };

static char dir[64], store[80];
static struct warp_db *db;

static void fill(char *to, uint64_t id)
{
    uint64_t x = id * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < BYTES; i += 8) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(to + i, &x, 8);
    }
}

static int put(uint64_t id)
{
    static char body[BYTES];
    struct fu_doc doc = {0};
    fill(body, id);
    doc.id = id;
    doc.n = id;
    doc.body.data = body;
    doc.body.len = BYTES;
    doc.small.data = body;
    doc.small.len = 100;
    return fu_doc_put(db, &doc, FU_DOC_ALL);
}

static void open_store(void)
{
    int rc = warp_open(store, &full_warp_schema, NULL, &db);
    ck_assert_msg(rc == WARP_OK, "%s", warp_errmsg(NULL));
}

static bool kept(uint64_t id)
{
    return id % 4 == 0;
}

static void check_docs(uint64_t count, bool deleted)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    static char body[BYTES];
    for (uint64_t i = 0; i < count; i++) {
        struct fu_doc doc;
        int rc = fu_doc_get(db, i, FU_DOC_ALL, &doc, &arena);
        if (deleted && !kept(i)) {
            ck_assert_int_eq(rc, WARP_ENOTFOUND);
            continue;
        }
        ck_assert_msg(rc == WARP_OK, "%s", warp_errmsg(db));
        fill(body, i);
        ck_assert_uint_eq(doc.n, i);
        ck_assert_uint_eq(doc.body.len, BYTES);
        ck_assert_mem_eq(doc.body.data, body, BYTES);
        warp_arena_reset(&arena);
    }
    warp_arena_free(&arena);
}

START_TEST(fills_up_and_goes_on)
{
    uint64_t count = 0;
    int rc = WARP_OK;
    open_store();
    for (; count < DOCS_MAX && rc == WARP_OK; count += rc == WARP_OK)
        rc = put(count);
    ck_assert_int_eq(rc, WARP_ENOSPC);
    ck_assert_ptr_nonnull(strstr(warp_errmsg(db), "full"));
    ck_assert_uint_gt(count, 500);
    check_docs(count, false);
    for (uint64_t i = 0; i < count; i++)
        if (!kept(i)) {
            rc = fu_doc_delete(db, i);
            ck_assert_msg(rc == WARP_OK, "%d: %s", (int)i, warp_errmsg(db));
        }
    /* What the deletes freed comes back within some checkpoints. */
    rc = WARP_ENOSPC;
    for (int i = 0; i < 600 && rc != WARP_OK; i++) {
        rc = put(DOCS_MAX);
        if (rc != WARP_OK)
            usleep(100000);
    }
    ck_assert_int_eq(rc, WARP_OK);
    check_docs(count, true);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    open_store();
    check_docs(count, true);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
}
END_TEST

int main(void)
{
    char command[160];
    strcpy(dir, "/tmp/warp_full_XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    snprintf(store, sizeof store, "%s/store", dir);
    if (mount("tmpfs", dir, "tmpfs", 0, "size=64m") != 0) {
        rmdir(dir);
        printf("skipped: no right to mount a small file system\n");
        return 77;
    }
    Suite *suite = suite_create("store_full");
    TCase *tests = tcase_create("full");
    tcase_set_timeout(tests, 180);
    tcase_add_test(tests, fills_up_and_goes_on);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    umount(dir);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) != 0 || failed != 0;
}
