/* store_open.c: who may open what: owners, readers, forked children, other
 * schemas and shards, foreign directories. */
#include "db.h"
#include "shape_a.warp.h"
#include "shape_b.warp.h"
#include "store_scene.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define P &sample_thing_product

static int try_open(const struct warp_options *o, struct warp_db **db)
{
    return warp_open(store_path, &sample_schema, o, db);
}

static void refused(int rc, int code, const char *says)
{
    ck_assert_msg(rc == code, "%d, expected %d (%s)", rc, code,
                  warp_errmsg(NULL));
    ck_assert_msg(strstr(warp_errmsg(NULL), says), "the sentence is \"%s\"",
                  warp_errmsg(NULL));
}

START_TEST(one_owner)
{
    struct warp_db *second = NULL;
    char pid[32];
    int status = 0;
    snprintf(pid, sizeof pid, "process %d ", (int)getpid());
    /* In this process and in another. */
    refused(try_open(&options, &second), WARP_EBUSY, pid);
    ck_assert_ptr_null(second);
    pid_t child = fork();
    if (child == 0) {
        int rc = try_open(&options, &second);
        _exit(rc == WARP_EBUSY && strstr(warp_errmsg(NULL), pid) ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    /* Readers wait for the owner, too. */
    options.read_only = true;
    refused(try_open(&options, &second), WARP_EBUSY, pid);
    options.read_only = false;
    ck_ok(add_gold(1, 1, NULL));
    /* A child that inherits the handle does not hold the lock. */
    child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    scene_close();
    scene_open();
    ck_assert_uint_ne(version(1), 0);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
}
END_TEST

static void nothing(void)
{
}

START_TEST(a_dead_owner_leaves_nothing_to_clean_up)
{
    ck_ok(add_gold(1, 1, NULL));
    scene_crash(nothing);
    scene_crash(nothing);
    ck_ok(add_gold(1, 1, NULL));
}
END_TEST

/* Killed at any moment while it makes the store: the next open goes on. */
START_TEST(a_store_that_is_being_made)
{
    char path[400];
    scene_close(); /* a child has no threads from here */
    for (useconds_t wait = 0; wait < 12000; wait += 300) {
        struct warp_db *db = NULL;
        int status;
        snprintf(path, sizeof path, "%s/made-%u", scratch(), (unsigned)wait);
        pid_t child = fork();
        if (child == 0) {
            (void)!warp_open(path, &sample_schema, &options, &db);
            pause();
        }
        usleep(wait);
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        int rc = warp_open(path, &sample_schema, &options, &db);
        ck_assert_msg(rc == WARP_OK, "after %u us: %s", (unsigned)wait,
                      warp_errmsg(NULL));
        ck_ok(warp_close(&db));
    }
}
END_TEST

/* Every call of a forked child. */
static int use_after_fork(struct warp_iter *it, struct warp_batch *b)
{
    struct sample_thing t = {.id = 1};
    struct warp_stat stat = WARP_STAT_INIT;
    struct warp_iter *other = NULL;
    struct warp_batch *new_batch = NULL;
    struct warp_str s = warp_str("x");
    uint64_t id = 1, v;
    int64_t delta = 1;
    uint32_t token = 1;
    int codes[] = {
        put(&t, BIT(THING_GOLD)),
        get(1, BIT(THING_GOLD), &t),
        del(1),
        warp_gen_set(store, P, &id, THING_GOLD, &delta),
        warp_gen_add(store, P, &id, THING_GOLD, &delta, NULL),
        warp_gen_touch(store, P, &id, BIT(THING_TOKEN)),
        warp_gen_expire(store, P, &id, BIT(THING_TOKEN), 5),
        warp_gen_version(store, P, &id, &v),
        warp_gen_prefetch(store, P, &id, 1, 0),
        warp_gen_scan(store, P, NULL, 0, &other),
        warp_gen_by(store, P, THING_TOKEN, &token, 0, &other),
        warp_gen_append(store, P, &id, THING_EVENTS, 1, &s),
        warp_gen_range(store, P, &id, THING_EVENTS, 0, 1, &other),
        warp_gen_next(it, P, &t, &arena),
        warp_gen_put_in(b, P, &t, BIT(THING_GOLD)),
        warp_batch_commit(&b),
        warp_batch_begin(store, &new_batch),
        warp_sync(store),
        warp_checkpoint(store),
        warp_stat(store, &stat),
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i] != WARP_EFORK)
            return (int)i + 1;
    if (warp_gen_state(store, P, &id, BIT(THING_GOLD)) != WARP_STATE_ERROR)
        return 100;
    if (!strstr(warp_errmsg(store), "fork"))
        return 101;
    warp_iter_close(&it);
    return warp_close(&store) == WARP_EFORK && !store ? 0 : 102;
}

START_TEST(after_fork)
{
    struct warp_iter *it = NULL;
    struct warp_batch *b = NULL;
    int status = 0;
    ck_ok(add_gold(1, 1, NULL));
    ck_ok(warp_gen_scan(store, P, NULL, 0, &it));
    ck_ok(warp_batch_begin(store, &b));
    pid_t child = fork();
    if (child == 0)
        _exit(use_after_fork(it, b));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(status == 0, "call %d did not say WARP_EFORK",
                  WEXITSTATUS(status));
    /* The parent noticed nothing. */
    ck_ok(warp_batch_commit(&b));
    ck_assert_str_eq(ids_of(it), "1 ");
    ck_ok(add_gold(1, 1, NULL));
    scene_reopen();
    ck_ok(add_gold(1, 1, NULL));
}
END_TEST

/* Names, sizes and times of all files. */
static uint64_t picture(const char *dir)
{
    uint64_t sum = 0;
    DIR *d = opendir(dir);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d));) {
        char path[1024];
        struct stat st;
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        ck_assert_int_eq(stat(path, &st), 0);
        uint64_t one = (uint64_t)st.st_size * 31 +
                       (uint64_t)st.st_mtim.tv_nsec * 7 +
                       (uint64_t)st.st_mtim.tv_sec + (uint64_t)st.st_ino;
        for (const char *c = e->d_name; *c; c++)
            one = one * 33 + (uint64_t)*c;
        sum += one + (S_ISDIR(st.st_mode) ? picture(path) : 0);
    }
    closedir(d);
    return sum;
}

static void write_some(void)
{
    struct sample_thing t = {.owner = 5, .gold = 3,
                             .archived = warp_str("archived"),
                             .email = warp_str("a@x")};
    for (t.id = 1; t.id <= 3; t.id++) {
        ck_ok(put(&t, BIT(THING_OWNER) | BIT(THING_GOLD) |
                          BIT(THING_ARCHIVED) |
                          (t.id == 1 ? BIT(THING_EMAIL) : 0)));
        ck_ok(event(t.id, now, "e"));
    }
    ck_ok(warp_checkpoint(store));
    ck_ok(del(2));
    ck_ok(add_gold(4, 1, NULL));
}

START_TEST(read_only)
{
    struct sample_thing t;
    uint64_t owner = 5;
    struct warp_batch *b = NULL;
    write_some();
    if (_i == 0)
        scene_close();
    else
        scene_crash(nothing), scene_close();
    uint64_t before = picture(store_path);
    options.read_only = true;
    scene_open();
    ck_ok(get(1, BIT(THING_GOLD) | BIT(THING_ARCHIVED), &t));
    ck_assert_int_eq(t.gold, 3);
    ck_assert(str_is(t.archived, "archived"));
    ck_assert_str_eq(scan_ids(NULL), "1 3 4 ");
    ck_assert_str_eq(by_ids(THING_OWNER, &owner), "1 3 ");
    ck_assert_str_eq(events_of(3), "1000000:e ");
    ck_code(add_gold(1, 1, NULL), WARP_EREADONLY, "reading only");
    ck_code(del(1), WARP_EREADONLY, "reading only");
    ck_code(event(1, now, "x"), WARP_EREADONLY, "reading only");
    ck_code(warp_sync(store), WARP_EREADONLY, NULL);
    ck_code(warp_checkpoint(store), WARP_EREADONLY, NULL);
    ck_ok(warp_batch_begin(store, &b));
    ck_ok(warp_gen_put_in(b, P, &t, BIT(THING_GOLD)));
    ck_code(warp_batch_commit(&b), WARP_EREADONLY, NULL);
    scene_close();
    ck_assert_uint_eq(picture(store_path), before);
    options.read_only = false;
    scene_open();
    ck_ok(add_gold(1, 1, NULL));
}
END_TEST

/* The owner was killed: what only the log has is read from it. */
START_TEST(read_only_after_a_crash)
{
    int status = 0;
    scene_close();
    pid_t child = fork();
    if (child == 0) {
        scene_open();
        write_some();
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    uint64_t before = picture(store_path);
    options.read_only = true;
    scene_open();
    ck_assert_str_eq(scan_ids(NULL), "1 3 4 ");
    scene_close();
    ck_assert_uint_eq(picture(store_path), before);
    options.read_only = false;
    scene_open();
    ck_assert_str_eq(scan_ids(NULL), "1 3 4 ");
}
END_TEST

START_TEST(wrong_stores)
{
    struct warp_options o = options;
    struct warp_db *db = NULL;
    char path[400], file[450];
    scene_close();
    o.shards = 7;
    refused(try_open(&o, &db), WARP_EINVAL, "has 3 shards");
    o.shards = 300;
    refused(try_open(&o, &db), WARP_EINVAL, "shards (1 to 256)");
    o = options;
    o.ring_bytes = 65537;
    refused(try_open(&o, &db), WARP_EINVAL, "ring_bytes");
    o = options;
    o.size = 0;
    refused(try_open(&o, &db), WARP_EINVAL, "WARP_OPTIONS_INIT");
    o = options;
    snprintf(path, sizeof path, "%s.none", store_path);
    o.must_exist = true;
    refused(warp_open(path, &sample_schema, &o, &db), WARP_ENOSTORE, path);
    o.must_exist = false;
    o.read_only = true;
    refused(warp_open(path, &sample_schema, &o, &db), WARP_ENOSTORE, path);
    o.read_only = false;
    ck_assert_int_eq(access(path, F_OK), -1);
    /* A directory with something else in it stays as it is. */
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(file, sizeof file, "%s/letter.txt", path);
    FILE *f = fopen(file, "w");
    ck_assert_ptr_nonnull(f);
    fclose(f);
    uint64_t before = picture(path);
    refused(warp_open(path, &sample_schema, &o, &db), WARP_EINVAL,
            "holds other files");
    ck_assert_uint_eq(picture(path), before);
    refused(warp_open(NULL, &sample_schema, &o, &db), WARP_EINVAL, "NULL");
    struct warp_schema other = sample_schema;
    other.abi = 99;
    refused(warp_open(path, &other, &o, &db), WARP_EABI, "run warpc again");
    ck_assert_ptr_null(db);
    /* 0 takes what the store has. */
    options.shards = 0;
    scene_open();
    ck_assert_uint_eq(store->shard_count, 3);
}
END_TEST

/* Where a part that a store must have is gone, nothing takes its place. */
START_TEST(a_part_is_gone)
{
    static const char *const parts[] = {"ssd/data.mdb", "schema/1.wsd"};
    struct warp_db *db = NULL;
    ck_ok(add_gold(1, 41, NULL));
    scene_close();
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char path[400], away[400];
        snprintf(path, sizeof path, "%s/%s", store_path, parts[i]);
        snprintf(away, sizeof away, "%s.away", store_path);
        ck_assert_int_eq(rename(path, away), 0);
        for (int only = 0; only < 2; only++) {
            options.read_only = only;
            refused(try_open(&options, &db), WARP_ECORRUPT, "is missing");
            ck_assert(strstr(warp_errmsg(NULL), path) != NULL);
            ck_assert_int_eq(access(path, F_OK), -1);
        }
        options.read_only = false;
        ck_assert_int_eq(rename(away, path), 0);
    }
    int64_t gold = 0;
    scene_open();
    ck_ok(add_gold(1, 1, &gold));
    ck_assert_int_eq(gold, 49);
}
END_TEST

START_TEST(another_schema)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    struct warp_db *db = NULL;
    struct sa_doc doc = {.id = 1, .title = warp_str("t"), .pages = 7};
    char path[400];
    snprintf(path, sizeof path, "%s.shape", store_path);
    o.shards = 1;
    ck_assert_int_eq(warp_open(path, &shape_a_warp_schema, &o, &db), 0);
    ck_assert_int_eq(sa_doc_put(db, &doc, SA_DOC_ALL), 0);
    ck_assert_int_eq(warp_close(&db), 0);
    refused(warp_open(path, &shape_b_warp_schema, &o, &db), WARP_ESCHEMA,
            "pages");
    ck_assert_int_eq(warp_open(path, &shape_a_warp_schema, &o, &db), 0);
    ck_assert_int_eq(sa_doc_get(db, 1, SA_DOC_PAGES, &doc, NULL), 0);
    ck_assert_uint_eq(doc.pages, 7);
    ck_assert_int_eq(warp_close(&db), 0);
}
END_TEST

START_TEST(modes)
{
    char path[400];
    struct stat st;
    ck_assert_int_eq(stat(store_path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
    snprintf(path, sizeof path, "%s/store", store_path);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_test(t, one_owner);
    tcase_add_test(t, a_dead_owner_leaves_nothing_to_clean_up);
    tcase_add_test(t, a_store_that_is_being_made);
    tcase_add_test(t, after_fork);
    tcase_add_loop_test(t, read_only, 0, 2);
    tcase_add_test(t, read_only_after_a_crash);
    tcase_add_test(t, wrong_stores);
    tcase_add_test(t, a_part_is_gone);
    tcase_add_test(t, another_schema);
    tcase_add_test(t, modes);
}

int main(void)
{
    return run_suite("store_open", fill);
}
