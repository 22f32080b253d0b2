/* Values that are overwritten leave dead bytes in disk segments; the keeper
 * gives them back while the store goes on, and every value stays readable. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "compact.warp.h"

enum { DOCS = 8000, BYTES = 4000, ROUNDS = 8 };

static uint32_t version_of[DOCS];

static void fill(char *to, uint64_t id, uint32_t version)
{
    uint64_t x = id * 0x9e3779b97f4a7c15u + version + 1;
    for (int i = 0; i < BYTES; i += 8) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(to + i, &x, 8);
    }
}

static void write_round(struct warp_db *db, uint32_t round)
{
    char body[BYTES];
    for (uint64_t i = 0; i < DOCS; i++) {
        /* Some stay in every segment, so that none dies by itself. */
        if (round > 0 && (i * 7 + round) % 10 < 3)
            continue;
        struct cp_doc doc = {0};
        fill(body, i, round);
        doc.id = i;
        doc.body.data = body;
        doc.body.len = BYTES;
        ck_assert_int_eq(cp_doc_put(db, &doc, CP_DOC_BODY), WARP_OK);
        version_of[i] = round;
    }
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
}

static void check_all(struct warp_db *db)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    char body[BYTES];
    for (uint64_t i = 0; i < DOCS; i++) {
        struct cp_doc doc;
        int rc = cp_doc_get(db, i, CP_DOC_ALL, &doc, &arena);
        ck_assert_msg(rc == WARP_OK, "%s", warp_errmsg(db));
        fill(body, i, version_of[i]);
        ck_assert_uint_eq(doc.body.len, BYTES);
        ck_assert_mem_eq(doc.body.data, body, BYTES);
        warp_arena_reset(&arena);
    }
    warp_arena_free(&arena);
}

START_TEST(dead_space_comes_back)
{
    char dir[64] = "/tmp/warp_compact_XXXXXX", command[96];
    struct warp_db *db = NULL;
    struct warp_options options = WARP_OPTIONS_INIT;
    struct warp_stat stat = WARP_STAT_INIT;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    options.checkpoint_every_ms = 100;
    ck_assert_int_eq(warp_open(dir, &compact_warp_schema, &options, &db),
                     WARP_OK);
    uint64_t written = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        write_round(db, round);
        ck_assert_int_eq(warp_stat(db, &stat), WARP_OK);
        written = stat.disk_bytes > written ? stat.disk_bytes : written;
    }
    /* At most as much dead as alive, and a segment that is being filled. */
    uint64_t aim = UINT64_C(2) * DOCS * BYTES + (64 << 20) + (8 << 20);
    for (int i = 0; i < 1200; i++) {
        ck_assert_int_eq(warp_stat(db, &stat), WARP_OK);
        if (stat.disk_bytes <= aim)
            break;
        /* The keeper works when something is to be checkpointed. */
        struct cp_doc doc = {0};
        doc.id = DOCS + 1;
        ck_assert_int_eq(cp_doc_put(db, &doc, CP_DOC_BODY), WARP_OK);
        usleep(50000);
    }
    ck_assert_uint_le(stat.disk_bytes, aim);
    ck_assert_uint_gt(stat.disk_live_bytes, (uint64_t)DOCS * BYTES * 9 / 10);
    check_all(db);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    ck_assert_int_eq(warp_open(dir, &compact_warp_schema, NULL, &db),
                     WARP_OK);
    check_all(db);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_compact");
    TCase *tests = tcase_create("compact");
    tcase_set_timeout(tests, 180);
    tcase_add_test(tests, dead_space_comes_back);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
