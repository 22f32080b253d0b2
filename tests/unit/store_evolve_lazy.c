/* Changes of schema that leave the rows where they are: read as they are,
 * written to, deleted, killed and verified while some are of the old form, and
 * at the end none is. Random tiers and widths against a model. */
#include "descriptor.h"
#include "disk.h"
#include "evolve_past.h"
#include "evolve_schema.h"
#include "scratch.h"
#include "verify.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RECORDS = 400, FIELDS = 8, NUMBERS = 3, TEXT_MAX = 1500 };

struct value {
    bool there;
    uint64_t number; /* or what the text is made of */
    uint32_t bytes;
};

struct scene {
    uint64_t rng;
    enum descriptor_kind kinds[FIELDS];
    enum descriptor_home homes[FIELDS];
    uint32_t count; /* fields in use */
    uint32_t order; /* rotates them: other bits for the same field */
    bool exists[RECORDS];
    struct value values[RECORDS][FIELDS];
    struct warp_schema *schema;
};

static const char *const names[FIELDS] = {"a", "b", "c", "d",
                                          "e", "f", "g", "h"};

static uint32_t below(struct scene *s, uint32_t n)
{
    return (uint32_t)(scratch_random(&s->rng) % n);
}

/* ---- schemas ---- */

static void make_schema(struct scene *s)
{
    struct maker m;
    maker_init(&m);
    maker_field(&m, "id", DESCRIPTOR_U64)->flags = DESCRIPTOR_F_KEY;
    m.products[0].key_fields = &m.keys[0];
    for (uint32_t n = 0; n < s->count; n++) {
        uint32_t i = (n + s->order) % s->count;
        maker_field(&m, names[i], s->kinds[i])->home = s->homes[i];
    }
    if (s->schema)
        schema_free(&s->schema);
    s->schema = maker_load(&m);
}

static void edit(struct scene *s)
{
    static const enum descriptor_home homes[] = {
        DESCRIPTOR_HOME_MEMORY,          DESCRIPTOR_HOME_SSD,
        DESCRIPTOR_HOME_DISK,            DESCRIPTOR_HOME_DISK_ONLY,
        DESCRIPTOR_HOME_DISK_COMPRESSED, DESCRIPTOR_HOME_AUTO};
    for (uint32_t n = 1 + below(s, 4); n > 0; n--) {
        uint32_t i = below(s, s->count);
        switch (below(s, 8)) {
        case 0:
            if (s->count < FIELDS)
                s->count++;
            break;
        case 1:
            s->order = below(s, s->count);
            break;
        case 2: /* in the row wider at once, else when it is opened */
            if (s->kinds[i] == DESCRIPTOR_U16)
                s->kinds[i] = DESCRIPTOR_U32;
            else if (s->kinds[i] == DESCRIPTOR_U32)
                s->kinds[i] = DESCRIPTOR_U64;
            break;
        default:
            s->homes[i] = homes[below(s, 6)];
        }
    }
}

/* ---- the store ---- */

static struct warp_db *open_it(struct scene *s)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    struct warp_db *db = NULL;
    char path[300];
    snprintf(path, sizeof path, "%s/s", scratch_path);
    o.shards = 3;
    o.ring_bytes = 65536;
    o.disk_reserve_bytes = 1;
    o.memory_max_bytes = 64 << 20;
    int rc = warp_open(path, s->schema, &o, &db);
    ck_assert_msg(rc == WARP_OK, "open: %d: %s", rc, warp_errmsg(NULL));
    return db;
}

static bool is_number(const struct scene *s, uint32_t i)
{
    return s->kinds[i] != DESCRIPTOR_BYTES;
}

static void text_of(const struct value *v, char *text)
{
    for (uint32_t i = 0; i < v->bytes; i++)
        text[i] = (char)('a' + (v->number + i / 7) % 26);
}

static void write_one(struct scene *s, struct warp_db *db, uint64_t id)
{
    static const uint64_t most[] = {UINT16_MAX, UINT32_MAX, UINT64_MAX};
    uint32_t i = below(s, s->count);
    struct value *v = &s->values[id][i];
    char text[TEXT_MAX];
    v->there = s->exists[id] = true;
    v->number = scratch_random(&s->rng);
    if (is_number(s, i)) {
        v->number &= most[s->kinds[i] == DESCRIPTOR_U16   ? 0
                          : s->kinds[i] == DESCRIPTOR_U32 ? 1
                                                          : 2];
        thing_set_u64(db, s->schema, id, names[i], v->number);
        return;
    }
    v->bytes = below(s, 4) ? below(s, 100) : below(s, TEXT_MAX);
    text_of(v, text);
    thing_set_text(db, s->schema, id, names[i], text, v->bytes);
}

static void write_some(struct scene *s, struct warp_db *db, uint32_t count)
{
    while (count-- > 0) {
        uint64_t id = below(s, RECORDS);
        if (below(s, 30) == 0 && s->exists[id]) {
            ck_assert_int_eq(warp_gen_delete(db, s->schema->products[0], &id),
                             WARP_OK);
            s->exists[id] = false;
            memset(s->values[id], 0, sizeof s->values[id]);
            continue;
        }
        write_one(s, db, id);
    }
}

static void compare_one(struct scene *s, struct warp_db *db, uint64_t id)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct value *v = &s->values[id][i];
        char text[TEXT_MAX];
        enum warp_state state = thing_state(db, s->schema, id, names[i]);
        ck_assert_msg((state == WARP_PRESENT) == v->there, "%u.%s is %d",
                      (unsigned)id, names[i], state);
        if (!v->there)
            continue;
        text_of(v, text);
        if (is_number(s, i))
            ck_assert_msg(thing_get_u64(db, s->schema, id, names[i]) ==
                              v->number,
                          "%u.%s differs", (unsigned)id, names[i]);
        else
            ck_assert_msg(thing_is_text(db, s->schema, id, names[i], text,
                                        v->bytes),
                          "%u.%s differs", (unsigned)id, names[i]);
    }
}

static void compare(struct scene *s, struct warp_db *db)
{
    for (uint64_t id = 0; id < RECORDS; id++)
        compare_one(s, db, id);
}

static void must_be_sound(void)
{
    struct text reply = TEXT_INIT;
    char path[300];
    snprintf(path, sizeof path, "%s/s", scratch_path);
    ck_assert_int_eq(verify_store(path, NULL, &reply), WARP_OK);
    ck_assert_msg(strncmp(reply.data, "{\"findings\":[],", 15) == 0, "%s",
                  reply.data);
    text_free(&reply);
}

static void begin(struct scene *s, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    s->rng = seed * 0x9e3779b97f4a7c15u | 1;
    s->count = 6;
    for (uint32_t i = 0; i < FIELDS; i++) {
        s->kinds[i] = i < NUMBERS ? DESCRIPTOR_U16 : DESCRIPTOR_BYTES;
        s->homes[i] = i % 2 ? DESCRIPTOR_HOME_SSD : DESCRIPTOR_HOME_MEMORY;
    }
    make_schema(s);
}

static void set_up(void)
{
    scratch();
}

static void tear_down(void)
{
    scratch_remove();
}

/* ---- tests ---- */

static bool old_ssd_is_empty(struct warp_db *db)
{
    uint64_t stored;
    return ssd_count(db->ssd, SSD_COLD, &stored) == 0 && stored == 0;
}

/* All that is on ssd moves to disk: not before open returns, and in the end all
 * of it, with nothing left behind. */
START_TEST(rows_stay_and_move_later)
{
    struct scene s;
    struct disk_stat disk;
    uint64_t moved;
    begin(&s, 5);
    struct warp_db *db = open_it(&s);
    ck_assert(!evolve_pending(db));
    for (uint64_t id = 0; id < RECORDS; id++)
        for (int n = 0; n < 12; n++)
            write_one(&s, db, id);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    for (uint32_t i = 0; i < FIELDS; i++)
        s.homes[i] = DESCRIPTOR_HOME_DISK;
    make_schema(&s);
    db = open_it(&s);
    ck_assert(evolve_pending(db));
    compare(&s, db);
    ck_assert_int_eq(evolve_finish(db, NULL, &moved), WARP_OK);
    ck_assert(!evolve_pending(db));
    ck_assert(old_ssd_is_empty(db));
    compare(&s, db);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    must_be_sound();
    /* and from disk to memory: the places are given back */
    for (uint32_t i = 0; i < FIELDS; i++)
        s.homes[i] = i % 2 ? DESCRIPTOR_HOME_SSD : DESCRIPTOR_HOME_MEMORY;
    make_schema(&s);
    db = open_it(&s);
    ck_assert(evolve_pending(db));
    compare(&s, db);
    ck_assert_int_eq(evolve_finish(db, NULL, &moved), WARP_OK);
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    disk_stat(db->disk, &disk);
    ck_assert_uint_eq(disk.live_bytes, 0);
    compare(&s, db);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    must_be_sound();
    db = open_it(&s);
    ck_assert(!evolve_pending(db));
    compare(&s, db);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&s.schema);
}
END_TEST

static int stop_after(void *arg, const char *what, uint64_t done,
                      uint64_t total)
{
    uint32_t *left = arg;
    ck_assert_str_eq(what, "migrate");
    ck_assert_uint_le(done, total);
    return (*left)-- == 0;
}

START_TEST(progress_is_told_and_stops_it)
{
    struct scene s;
    uint32_t steps = 0;
    uint64_t moved;
    const struct progress progress = {stop_after, &steps};
    begin(&s, 8);
    struct warp_db *db = open_it(&s);
    write_some(&s, db, 3000);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    s.homes[1] = s.homes[3] = DESCRIPTOR_HOME_DISK;
    make_schema(&s);
    db = open_it(&s);
    ck_assert_int_eq(evolve_finish(db, &progress, &moved), WARP_TIMEOUT);
    compare(&s, db);
    ck_assert_int_eq(evolve_finish(db, NULL, &moved), WARP_OK);
    compare(&s, db);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&s.schema);
}
END_TEST

static int stop_convert(void *arg, const char *what, uint64_t done,
                        uint64_t total)
{
    ck_assert_str_eq(what, "convert");
    ck_assert_uint_le(done, total);
    ++*(uint32_t *)arg;
    return 1;
}

/* What cannot wait is told, and stops with the old schema in use. */
START_TEST(progress_stops_a_conversion)
{
    struct scene s;
    uint32_t told = 0;
    struct warp_options o = WARP_OPTIONS_INIT;
    struct warp_db *db = NULL;
    char path[300];
    begin(&s, 9);
    struct warp_db *first = open_it(&s);
    write_some(&s, first, 3000);
    ck_assert_int_eq(warp_close(&first), WARP_OK);
    s.homes[0] = DESCRIPTOR_HOME_DISK;
    s.kinds[0] = DESCRIPTOR_U32; /* read anew at every get, if it waited */
    struct warp_schema *before = s.schema;
    s.schema = NULL;
    make_schema(&s);
    snprintf(path, sizeof path, "%s/s", scratch_path);
    o.progress = stop_convert;
    o.progress_arg = &told;
    ck_assert_int_eq(warp_open(path, s.schema, &o, &db), WARP_TIMEOUT);
    ck_assert_ptr_null(db);
    ck_assert_uint_eq(told, 1);
    db = open_it(&s);
    ck_assert(!evolve_pending(db));
    compare(&s, db);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&before);
    schema_free(&s.schema);
}
END_TEST

/* Another process opens with the schema and is killed in the middle. */
static void kill_one(struct scene *s)
{
    int ready[2];
    char byte = 1;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        if (write(ready[1], &byte, 1) == 1)
            (void)open_it(s);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    usleep(below(s, 60000));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
}

START_TEST(random_moves)
{
    static struct scene s;
    const char *seed = getenv("WARP_EVOLVE_SEED");
    const char *limit = getenv("WARP_EVOLVE_ROUNDS");
    int rounds = limit ? atoi(limit) : 25, pending = 0;
    uint64_t number = seed ? strtoull(seed, NULL, 10)
                           : (uint64_t)time(NULL) * 2 + 1, moved;
    printf("seed %llu\n", (unsigned long long)number);
    fflush(stdout);
    begin(&s, number);
    struct warp_db *db = open_it(&s);
    write_some(&s, db, 4000);
    for (int round = 0; round < rounds; round++) {
        ck_assert_int_eq(warp_close(&db), WARP_OK);
        if (below(&s, 3))
            must_be_sound(); /* in whatever forms the rows are */
        edit(&s);
        make_schema(&s);
        if (below(&s, 3) == 0)
            kill_one(&s);
        db = open_it(&s);
        pending += evolve_pending(db);
        write_some(&s, db, below(&s, 300));
        compare(&s, db);
        if (below(&s, 4) == 0) {
            ck_assert_int_eq(evolve_finish(db, NULL, &moved), WARP_OK);
            compare(&s, db);
        }
        write_some(&s, db, below(&s, 300));
    }
    compare(&s, db);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    must_be_sound();
    /* On a busy machine many are moved before they are looked at. */
    ck_assert_msg(pending > rounds / 10, "%d of %d left rows", pending, rounds);
    schema_free(&s.schema);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_evolve_lazy");
    TCase *tcase = tcase_create("store_evolve_lazy");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tcase, 200);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, rows_stay_and_move_later);
    tcase_add_test(tcase, progress_is_told_and_stops_it);
    tcase_add_test(tcase, progress_stops_a_conversion);
    tcase_add_test(tcase, random_moves);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
