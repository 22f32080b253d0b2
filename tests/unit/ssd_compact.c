/* LMDB's file without its free pages: smaller, with the same content; refused
 * while the store is open; and whichever call fails, the store is as it was. */
#include "ssd_compact.h"

#include "error.h"
#include "evolve_schema.h"
#include "fault.h"
#include "os.h"
#include "scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORDS = 400, KEPT = 20, BYTES = 20000 };

static struct warp_schema *schema;
static struct warp_db *db;
static char store[300];
static char text[BYTES];

/* Bytes that do not compress. */
static void fill(uint64_t id)
{
    uint64_t seed = id + 88172645463325252u;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(scratch_random(&seed) >> 20);
}

static void open_it(void)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    o.shards = 2;
    o.ring_bytes = 1 << 20;
    o.disk_reserve_bytes = 1;
    o.memory_max_bytes = 64 << 20;
    int rc = warp_open(store, schema, &o, &db);
    ck_assert_msg(rc == WARP_OK, "open: %d: %s", rc, warp_errmsg(NULL));
}

static void close_it(void)
{
    ck_assert_int_eq(warp_close(&db), WARP_OK);
}

static void write_all(void)
{
    for (uint64_t id = 0; id < RECORDS; id++) {
        fill(id);
        thing_set_text(db, schema, id, "far", text, sizeof text);
    }
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
}

static void delete_most(void)
{
    for (uint64_t id = KEPT; id < RECORDS; id++)
        ck_assert_int_eq(warp_gen_delete(db, schema->products[0], &id),
                         WARP_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
}

static void check_all(void)
{
    open_it();
    for (uint64_t id = 0; id < KEPT; id++) {
        fill(id);
        ck_assert(thing_is_text(db, schema, id, "far", text, sizeof text));
    }
    ck_assert_int_eq(thing_state(db, schema, KEPT, "far"), WARP_ABSENT);
    close_it();
}

static void set_up(void)
{
    struct maker m;
    scratch();
    snprintf(store, sizeof store, "%s/s", scratch_path);
    maker_base(&m);
    schema = maker_load(&m);
    open_it();
    write_all();
}

static void tear_down(void)
{
    if (db)
        close_it();
    schema_free(&schema);
    scratch_remove();
}

static uint64_t file_bytes(void)
{
    char path[400];
    uint64_t bytes = 0;
    snprintf(path, sizeof path, "%s/ssd/data.mdb", store);
    int fd = os_open(path, OS_READ);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(os_size(fd, &bytes), 0);
    os_close(fd);
    return bytes;
}

START_TEST(free_pages_go)
{
    uint64_t before, after, bytes;
    char path[400];
    delete_most();
    ck_assert_int_eq(ssd_compact_store(store, &before, &after), WARP_EBUSY);
    snprintf(path, sizeof path, "process %d has this store open",
             (int)getpid());
    ck_assert_msg(strstr(error_text(), path) && strstr(error_text(), store),
                  "%s", error_text());
    close_it();
    bytes = file_bytes();
    ck_assert_int_eq(ssd_compact_store(store, &before, &after), WARP_OK);
    ck_assert_uint_eq(before, bytes);
    ck_assert_uint_eq(after, file_bytes());
    ck_assert_uint_lt(after, before / 4);
    snprintf(path, sizeof path, "%s/ssd/compact", store);
    ck_assert_int_eq(os_exists(path), 0);
    check_all();
    /* Again it is not worth its while. */
    ck_assert_int_eq(ssd_compact_store(store, &before, &after), WARP_OK);
    ck_assert_uint_eq(before, after);
    check_all();
    snprintf(path, sizeof path, "%s/missing", scratch_path);
    ck_assert_int_lt(ssd_compact_store(path, &before, &after), 0);
    ck_assert(strstr(error_text(), path) != NULL);
}
END_TEST

START_TEST(a_failure_leaves_it_as_it_was)
{
    uint32_t failed = 0;
    bool reached = true;
    delete_most();
    close_it();
    uint64_t bytes = file_bytes();
    for (uint64_t n = 1; reached; n++) {
        uint64_t before, after;
        fault_arm(FAULT_SYSTEM, n, EIO);
        int rc = ssd_compact_store(store, &before, &after);
        reached = fault_disarm();
        if (rc != WARP_OK) {
            ck_assert_int_eq(rc, WARP_EIO);
            ck_assert_msg(strstr(error_text(), store) != NULL, "%s",
                          error_text());
            failed++;
        }
        ck_assert_uint_le(file_bytes(), bytes);
        check_all();
        if (file_bytes() < bytes) { /* it came to the end: once more */
            open_it();
            write_all();
            delete_most();
            close_it();
            bytes = file_bytes();
        }
    }
    ck_assert_uint_ge(failed, 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssd_compact");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 100);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, free_pages_go);
    tcase_add_test(all, a_failure_leaves_it_as_it_was);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
