/* store_edges.c: what has bytes of its own and the same meaning, where a store
 * keeps its files, what it was made with, and how little memory opens it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db.h"
#include "verify.h"

#include "edges.warp.h"

static char dir[64], path[100];
static struct warp_db *db;
static struct warp_options options;

static void open_it(void)
{
    int rc = warp_open(path, &edges_warp_schema, &options, &db);
    ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(NULL));
}

static void close_it(void)
{
    ck_assert_int_eq(warp_close(&db), WARP_OK);
}

static void set_up(void)
{
    strcpy(dir, "/tmp/warp_edges_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/store", dir);
    options = (struct warp_options)WARP_OPTIONS_INIT;
    options.shards = 4;
    options.ring_bytes = 1 << 20;
}

static void tear_down(void)
{
    char command[128];
    if (db)
        close_it();
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static void must_be_sound(void)
{
    struct text reply = TEXT_INIT;
    ck_assert_int_eq(verify_store(path, NULL, &reply), WARP_OK);
    text_u8(&reply, 0);
    ck_assert_msg(strncmp(reply.data, "{\"findings\":[],", 15) == 0, "%s",
                  reply.data);
    text_free(&reply);
}

/* ---- zero ---- */

static int of(double x)
{
    struct warp_iter *it;
    struct ed_real r;
    int n = 0;
    ck_assert_int_eq(ed_real_by_x(db, x, ED_REAL_X, &it), WARP_OK);
    while (ed_real_next(it, &r, NULL) == WARP_OK)
        n++;
    warp_iter_close(&it);
    return n;
}

START_TEST(a_zero_with_a_sign_keeps_its_entry)
{
    struct ed_real r;
    open_it();
    ck_assert_int_eq(ed_real_set_x(db, 1, 0.0), WARP_OK);
    ck_assert_int_eq(ed_real_set_x(db, 1, -0.0), WARP_OK);
    ck_assert_int_eq(of(0.0), 1);
    ck_assert_int_eq(of(-0.0), 1);
    ck_assert_int_eq(ed_real_set_one(db, 1, 0.0f), WARP_OK);
    ck_assert_int_eq(ed_real_set_one(db, 1, -0.0f), WARP_OK);
    ck_assert_int_eq(ed_real_set_one(db, 2, 0.0f), WARP_EEXIST);
    ck_assert_int_eq(ed_real_get_by_one(db, 0.0f, ED_REAL_ONE, &r, NULL),
                     WARP_OK);
    ck_assert_int_eq(ed_real_set_x(db, 1, 2.0), WARP_OK);
    ck_assert_int_eq(of(0.0), 0);
    close_it();
    open_it();
    ck_assert_int_eq(of(2.0), 1);
    ck_assert_int_eq(ed_real_set_one(db, 2, -0.0f), WARP_EEXIST);
}
END_TEST

/* ---- what a store was made with ---- */

static void put_plain(uint64_t id)
{
    struct ed_plain p = {.id = id, .count = (uint32_t)id,
                         .name = warp_str("name"), .photo = warp_str("photo")};
    ck_assert_int_eq(ed_plain_put(db, &p, ED_PLAIN_ALL), WARP_OK);
}

static uint64_t plain(uint64_t id)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct ed_plain p;
    ck_assert_int_eq(ed_plain_get(db, id, ED_PLAIN_ALL, &p, &arena), WARP_OK);
    if (p.have & ED_PLAIN_PHOTO)
        ck_assert_mem_eq(p.photo.data, "photo", 5);
    warp_arena_free(&arena);
    return p.have;
}

START_TEST(what_survives_nothing_is_fixed)
{
    options.survives = WARP_SURVIVES_NOTHING;
    open_it();
    put_plain(1);
    close_it();
    /* Fields whose tier is named are on it. */
    options.survives = WARP_SURVIVES_DEFAULT;
    open_it();
    ck_assert_uint_eq(plain(1), ED_PLAIN_NAME | ED_PLAIN_PHOTO);
    ck_assert_int_eq(ed_plain_state(db, 1, ED_PLAIN_COUNT), WARP_LOST);
    close_it();
    options.survives = WARP_SURVIVES_POWER_LOSS;
    ck_assert_int_eq(warp_open(path, &edges_warp_schema, &options, &db),
                     WARP_EINVAL);
    ck_assert_ptr_nonnull(strstr(warp_errmsg(NULL), "options.survives"));
    must_be_sound();
}
END_TEST

START_TEST(what_survives_stays_so)
{
    open_it();
    put_plain(1);
    close_it();
    options.survives = WARP_SURVIVES_NOTHING;
    ck_assert_int_eq(warp_open(path, &edges_warp_schema, &options, &db),
                     WARP_EINVAL);
    options.survives = WARP_SURVIVES_POWER_LOSS;
    open_it();
    ck_assert_uint_eq(plain(1), ED_PLAIN_ALL & ~ED_PLAIN_ID);
}
END_TEST

/* Who opens the store without the options, a tool, finds the tiers. */
START_TEST(the_tiers_are_where_they_were)
{
    char ssd[100], disk[100];
    snprintf(ssd, sizeof ssd, "%s/fast", dir);
    ck_assert_int_eq(chdir(dir), 0);
    options.ssd_path = ssd;
    options.disk_path = "slow"; /* in the working directory */
    open_it();
    put_plain(1);
    close_it();
    ck_assert_int_eq(chdir("/"), 0);
    options.ssd_path = options.disk_path = NULL;
    open_it();
    ck_assert_uint_eq(plain(1), ED_PLAIN_ALL & ~ED_PLAIN_ID);
    put_plain(2);
    close_it();
    must_be_sound();
    /* They move, and who says so once has said it. */
    snprintf(disk, sizeof disk, "%s/slow", dir);
    ck_assert_int_eq(rename(disk, "/tmp/warp_edges_moved"), 0);
    options.disk_path = "/tmp/warp_edges_moved";
    open_it();
    ck_assert_uint_eq(plain(2), ED_PLAIN_ALL & ~ED_PLAIN_ID);
    close_it();
    options.disk_path = NULL;
    open_it();
    ck_assert_uint_eq(plain(2), ED_PLAIN_ALL & ~ED_PLAIN_ID);
    close_it();
    ck_assert_int_eq(system("rm -rf /tmp/warp_edges_moved"), 0);
}
END_TEST

/* How many files a shell finds. */
static int files(const char *names)
{
    char command[300];
    snprintf(command, sizeof command, "exit $(ls %s/%s 2>/dev/null | wc -l)",
             dir, names);
    int status = system(command);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void shell(const char *format)
{
    char command[500];
    snprintf(command, sizeof command, "cd %s && %s", dir, format);
    ck_assert_int_eq(system(command), 0);
}

static void must_refuse(const char *store, const char *why)
{
    struct warp_db *other = NULL;
    char at[150];
    snprintf(at, sizeof at, "%s/%s", dir, store);
    ck_assert_int_eq(warp_open(at, &edges_warp_schema, &options, &other),
                     WARP_EINVAL);
    ck_assert_msg(strstr(warp_errmsg(NULL), why) != NULL, "%s",
                  warp_errmsg(NULL));
    options.read_only = true;
    int rc = warp_open(at, &edges_warp_schema, &options, &other);
    ck_assert_int_eq(rc, options.must_exist ? WARP_EINVAL : WARP_ENOSTORE);
    options.read_only = false;
}

static char fast[100], slow[100], rings[100];

static void make_with_tiers(void)
{
    snprintf(fast, sizeof fast, "%s/fast", dir);
    snprintf(slow, sizeof slow, "%s/slow", dir);
    snprintf(rings, sizeof rings, "%s/rings", dir);
    options.ssd_path = fast;
    options.disk_path = slow;
    options.ring_path = rings;
    open_it();
    put_plain(1);
    close_it();
    ck_assert_int_gt(files("slow/*.wseg"), 0);
    options.ssd_path = options.disk_path = options.ring_path = NULL;
    options.must_exist = true;
}

/* Two that write into the same directories would destroy each other. */
START_TEST(a_copy_does_not_take_the_tiers)
{
    make_with_tiers();
    shell("cp -r store copy");
    must_refuse("copy", "is a copy");
    /* Its own copies, named. The rings are where the header says. */
    shell("cp -r fast fast2; cp -r slow slow2");
    strcat(fast, "2");
    strcat(slow, "2");
    options.ssd_path = fast;
    options.disk_path = slow;
    must_refuse("copy", "rings is a directory of the store in");
    options.ssd_path = options.disk_path = NULL;
    open_it();
    ck_assert_uint_eq(plain(1), ED_PLAIN_ALL & ~ED_PLAIN_ID);
    close_it();
    /* Where the first is gone the copy is the store. */
    shell("mv store was; rm -r was");
    snprintf(path, sizeof path, "%s/copy", dir);
    open_it();
    ck_assert_uint_eq(plain(1), ED_PLAIN_ALL & ~ED_PLAIN_ID);
}
END_TEST

START_TEST(copied_tiers_are_the_copys)
{
    char home[100];
    make_with_tiers();
    /* One whose rings are in it. */
    shell("rm -r store rings fast slow");
    options.must_exist = false;
    options.ssd_path = fast;
    options.disk_path = slow;
    open_it();
    put_plain(1);
    close_it();
    strcpy(home, path);
    shell("cp -r store copy; cp -r fast fast2; cp -r slow slow2");
    strcat(fast, "2");
    strcat(slow, "2");
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/copy", dir);
        open_it();
        put_plain(2);
        close_it();
        must_be_sound();
        options.ssd_path = options.disk_path = NULL;
        strcpy(path, home);
        open_it();
        ck_assert_uint_eq(plain(1), ED_PLAIN_ALL & ~ED_PLAIN_ID);
        struct ed_plain none;
        ck_assert_int_eq(ed_plain_get(db, 2, ED_PLAIN_COUNT, &none, NULL),
                         WARP_ENOTFOUND);
        close_it();
        must_be_sound();
    }
}
END_TEST

START_TEST(a_new_store_takes_no_tier_of_another)
{
    make_with_tiers();
    options.must_exist = false;
    options.disk_path = slow;
    must_refuse("new", "slow is a directory of the store in");
    shell("rm slow/of-store");
    must_refuse("new2", "slow holds files of a store");
    options.disk_path = NULL;
    options.ssd_path = fast;
    must_refuse("new3", "fast is a directory of the store in");
    shell("printf x > fast/of-store");
    must_refuse("new4", "fast holds files of a store");
    options.ssd_path = NULL;
    options.ring_path = rings;
    must_refuse("new5", "rings is a directory of the store in");
    options.ring_path = NULL;
    /* What was removed or cut is written again. */
    open_it();
    ck_assert_uint_eq(plain(1), ED_PLAIN_ALL & ~ED_PLAIN_ID);
    close_it();
    options.disk_path = slow;
    must_refuse("new6", "slow is a directory of the store in");
    /* Anything else may be there. */
    shell("mkdir mount mount/lost+found");
    snprintf(slow, sizeof slow, "%s/mount", dir);
    snprintf(path, sizeof path, "%s/new7", dir);
    open_it();
}
END_TEST

START_TEST(segments_are_not_left_behind)
{
    make_with_tiers();
    snprintf(slow, sizeof slow, "%s/empty", dir);
    options.disk_path = slow;
    shell("mkdir empty");
    must_refuse("store", "empty, which has no segments");
    options.disk_path = NULL;
    open_it();
    ck_assert_uint_eq(plain(1), ED_PLAIN_ALL & ~ED_PLAIN_ID);
    close_it();
    shell("mv slow/* empty");
    options.disk_path = slow;
    open_it();
    ck_assert_uint_eq(plain(1), ED_PLAIN_ALL & ~ED_PLAIN_ID);
}
END_TEST

/* ---- little memory ---- */

enum { MANY = 80000 };

static uint64_t figure(void)
{
    const char *need = strstr(warp_errmsg(NULL), "need ");
    ck_assert_ptr_nonnull(need);
    return strtoull(need + 5, NULL, 10);
}

/* Rows of 250 bytes that may not leave memory, beside values that may. */
START_TEST(rows_that_stay_need_their_memory)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    char text[200];
    memset(text, 't', sizeof text);
    options.memory_max_bytes = 96 << 20;
    open_it();
    for (uint64_t id = 0; id < MANY; id++) {
        struct ed_kept k = {.id = id, .text = {text, sizeof text}};
        k.photo = warp_str("photo");
        ck_assert_int_eq(ed_kept_put(db, &k, ED_KEPT_ALL), WARP_OK);
    }
    close_it();
    options.memory_max_bytes = 24 << 20;
    ck_assert_int_eq(warp_open(path, &edges_warp_schema, &options, &db),
                     WARP_ELIMIT);
    uint64_t need = figure();
    ck_assert_uint_gt(need, MANY * sizeof text);
    /* Who only reads gets them all. */
    options.read_only = true;
    open_it();
    for (uint64_t id = 0; id < MANY; id++) {
        struct ed_kept k;
        warp_arena_reset(&arena);
        int rc = ed_kept_get(db, id, ED_KEPT_ALL, &k, &arena);
        ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(db));
        ck_assert_uint_eq(k.text.len, sizeof text);
        ck_assert_uint_eq(k.photo.len, 5);
    }
    close_it();
    /* The figure is enough. */
    options.read_only = false;
    options.memory_max_bytes = need;
    open_it();
    for (uint64_t id = 0; id < MANY; id++) {
        struct ed_kept k;
        warp_arena_reset(&arena);
        int rc = ed_kept_get(db, id, ED_KEPT_TEXT, &k, &arena);
        ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(db));
        ck_assert_uint_eq(k.text.len, sizeof text);
    }
    close_it();
    warp_arena_free(&arena);
}
END_TEST

START_TEST(a_store_that_opens_can_be_written)
{
    uint32_t opened = 0;
    options.shards = 24;
    for (uint64_t mib = 30; mib < 70; mib += 2) {
        options.memory_max_bytes = mib << 20;
        snprintf(path, sizeof path, "%s/of%u", dir, (unsigned)mib);
        int rc = warp_open(path, &edges_warp_schema, &options, &db);
        opened += rc == WARP_OK;
        if (rc == WARP_ELIMIT) {
            ck_assert_uint_eq(opened, 0);
            options.memory_max_bytes = figure();
            rc = warp_open(path, &edges_warp_schema, &options, &db);
        }
        ck_assert_msg(rc == WARP_OK, "%d: %s", rc, warp_errmsg(NULL));
        for (uint64_t id = 0; id < 200; id++)
            put_plain(id);
        close_it();
    }
    ck_assert_uint_gt(opened, 0);
}
END_TEST

/* ---- priorities of fields ---- */

START_TEST(fields_rank_their_record)
{
    open_it();
    ck_assert_int_eq(db_layout(db, &ed_ranked_warp_product)->priority,
                     WARP_PRIORITY_CRITICAL);
    ck_assert_int_eq(db_layout(db, &ed_plain_warp_product)->priority,
                     WARP_PRIORITY_NORMAL);
    ck_assert_int_eq(db_layout(db, &ed_wished_warp_product)->prior, 1);
    ck_assert_int_eq(db_layout(db, &ed_unwished_warp_product)->prior, -1);
}
END_TEST

/* Of a record that is too large its values go, the lowest priority first. */
START_TEST(the_lowest_field_leaves_first)
{
    static char text[3000];
    struct warp_arena arena = WARP_ARENA_INIT;
    memset(text, 't', sizeof text);
    open_it();
    for (uint64_t id = 0; id < 20; id++) {
        struct ed_small s = {.id = id, .main = {text, sizeof text},
                             .rest = {text, sizeof text}};
        ck_assert_int_eq(ed_small_put(db, &s, ED_SMALL_ALL), WARP_OK);
    }
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    for (uint64_t id = 0; id < 20; id++) {
        struct ed_small s;
        ck_assert_int_eq(ed_small_get(db, id, ED_SMALL_ALL | WARP_RESIDENT, &s,
                                      &arena),
                         WARP_OK);
        ck_assert_uint_eq(s.have & ED_SMALL_ALL & ~ED_SMALL_ID,
                          ED_SMALL_MAIN);
    }
    warp_arena_free(&arena);
}
END_TEST

/* ---- times ---- */

START_TEST(times_that_no_range_names)
{
    struct ed_entry last = {.when = INT64_MAX}, now = {.when = WARP_NOW};
    open_it();
    ck_assert_int_eq(ed_log_at_append(db, 1, last), WARP_EINVAL);
    ck_assert_int_eq(ed_log_at_append(db, 1, now), WARP_EINVAL);
    last.when--;
    ck_assert_int_eq(ed_log_at_append(db, 1, last), WARP_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_edges");
    TCase *t = tcase_create("edges");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_zero_with_a_sign_keeps_its_entry);
    tcase_add_test(t, what_survives_nothing_is_fixed);
    tcase_add_test(t, what_survives_stays_so);
    tcase_add_test(t, the_tiers_are_where_they_were);
    tcase_add_test(t, a_copy_does_not_take_the_tiers);
    tcase_add_test(t, copied_tiers_are_the_copys);
    tcase_add_test(t, a_new_store_takes_no_tier_of_another);
    tcase_add_test(t, segments_are_not_left_behind);
    tcase_add_test(t, rows_that_stay_need_their_memory);
    tcase_add_test(t, a_store_that_opens_can_be_written);
    tcase_add_test(t, fields_rank_their_record);
    tcase_add_test(t, the_lowest_field_leaves_first);
    tcase_add_test(t, times_that_no_range_names);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
