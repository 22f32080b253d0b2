/* A store that opens with other schemas than the one that wrote it: classes of
 * changes in both directions, kills between the steps, and random edits against
 * a model. Schemas are made as descriptors; no warpc. */
#include "descriptor.h"
#include "evolve_schema.h"
#include "scratch.h"

#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

static _Atomic int64_t clock_ms;

static int64_t read_clock(void *arg)
{
    (void)arg;
    return clock_ms;
}

static int open_with(const struct warp_schema *schema,
                     const char *const *allow, struct warp_db **db)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    char path[300];
    snprintf(path, sizeof path, "%s/s", scratch_path);
    o.shards = 3;
    o.ring_bytes = 65536;
    o.disk_reserve_bytes = 1;
    o.memory_max_bytes = 64 << 20;
    o.clock_ms = read_clock;
    o.allow_data_loss = allow;
    return warp_open(path, schema, &o, db);
}

static struct warp_db *must_open(const struct warp_schema *schema,
                                 const char *const *allow)
{
    struct warp_db *db = NULL;
    int rc = open_with(schema, allow, &db);
    ck_assert_msg(rc == WARP_OK, "open: %d: %s", rc, warp_errmsg(NULL));
    return db;
}

static void must_refuse(const struct warp_schema *schema, int code,
                        const char *text)
{
    struct warp_db *db = NULL;
    int rc = open_with(schema, NULL, &db);
    ck_assert_int_eq(rc, code);
    ck_assert_ptr_null(db);
    ck_assert_msg(strstr(warp_errmsg(NULL), text) != NULL, "%s",
                  warp_errmsg(NULL));
}

static void set_up(void)
{
    clock_ms = INT64_C(1700000000000);
    scratch();
}

static void tear_down(void)
{
    scratch_remove();
}

/* ---- records by field names ---- */

static struct warp_schema *base(void)
{
    struct maker m;
    maker_base(&m);
    return maker_load(&m);
}

static void write_some(struct warp_db *db, const struct warp_schema *s,
                       uint64_t from, uint64_t to)
{
    for (uint64_t id = from; id < to; id++) {
        char name[32], bytes[700];
        memset(bytes, (int)('a' + id % 26), sizeof bytes);
        snprintf(name, sizeof name, "n%llu", (unsigned long long)id);
        thing_set_u64(db, s, id, "gold", id * 7);
        thing_set_text(db, s, id, "name", name, strlen(name));
        thing_set_text(db, s, id, "far", bytes, 100 + id % 50);
        thing_set_text(db, s, id, "big", bytes, 600 + id % 50);
    }
}

static void check_some(struct warp_db *db, const struct warp_schema *s,
                       uint64_t from, uint64_t to, const char *gold,
                       const char *far, const char *big)
{
    for (uint64_t id = from; id < to; id++) {
        char name[32], bytes[700];
        memset(bytes, (int)('a' + id % 26), sizeof bytes);
        snprintf(name, sizeof name, "n%llu", (unsigned long long)id);
        ck_assert_uint_eq(thing_get_u64(db, s, id, gold), id * 7);
        ck_assert(thing_is_text(db, s, id, "name", name, strlen(name)));
        ck_assert(thing_is_text(db, s, id, far, bytes, 100 + id % 50));
        ck_assert(thing_is_text(db, s, id, big, bytes, 600 + id % 50));
    }
}

enum { SOME = 300 };

/* A new field between the others, with a default; a rename; wider; then back,
 * which is a removal and narrower. */
START_TEST(fields_come_and_are_renamed)
{
    static const char *const allow[] = {"Thing.level", "Thing.coins", NULL};
    struct warp_schema *a = base(), *b;
    struct warp_db *db = must_open(a, NULL);
    struct maker m;
    write_some(db, a, 0, SOME);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    maker_init(&m);
    struct descriptor_field *level = maker_field(&m, "level", DESCRIPTOR_U16);
    level->value.kind = DESCRIPTOR_VALUE_UINT;
    level->value.u = 5;
    maker_field(&m, "far", DESCRIPTOR_BYTES)->home = DESCRIPTOR_HOME_SSD;
    maker_field(&m, "id", DESCRIPTOR_U64)->flags = DESCRIPTOR_F_KEY;
    maker_field(&m, "coins", DESCRIPTOR_U64)->was = "gold";
    maker_field(&m, "seen", DESCRIPTOR_U64)->home =
        DESCRIPTOR_HOME_MEMORY_ONLY;
    maker_field(&m, "big", DESCRIPTOR_BYTES)->home = DESCRIPTOR_HOME_DISK;
    maker_field(&m, "name", DESCRIPTOR_STRING);
    m.products[0].key_fields = &m.keys[2];
    b = maker_load(&m);
    for (int round = 0; round < 2; round++) {
        db = must_open(b, NULL);
        check_some(db, b, 0, SOME, "coins", "far", "big");
        ck_assert_uint_eq(thing_get_u64(db, b, 3, "level"), 5);
        ck_assert_int_eq(thing_state(db, b, 3, "level"), WARP_PRESENT);
        ck_assert_int_eq(thing_state(db, b, 3, "seen"), WARP_ABSENT);
        ck_assert_int_eq(warp_close(&db), WARP_OK);
    }
    db = must_open(b, NULL);
    thing_set_u64(db, b, 4, "level", 9);
    ck_assert_uint_eq(thing_get_u64(db, b, 4, "level"), 9);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    must_refuse(a, WARP_ESCHEMA, "Thing.level: removed (1 record holds it)");
    must_refuse(a, WARP_ESCHEMA, "(300 records hold it)");
    db = must_open(b, NULL); /* a refusal changed nothing */
    check_some(db, b, 0, SOME, "coins", "far", "big");
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&a);
    struct maker back;
    maker_base(&back);
    maker_find(&back, "gold")->was = "coins";
    a = maker_load(&back);
    db = must_open(a, allow);
    check_some(db, a, 0, SOME, "gold", "far", "big");
    write_some(db, a, SOME, SOME + 9);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    db = must_open(a, NULL);
    check_some(db, a, 0, SOME + 9, "gold", "far", "big");
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&a);
    schema_free(&b);
}
END_TEST

START_TEST(a_rename_without_was_is_refused)
{
    struct warp_schema *a = base(), *b;
    struct warp_db *db = must_open(a, NULL);
    struct maker m;
    write_some(db, a, 0, 3);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    maker_base(&m);
    maker_find(&m, "gold")->name = "coins";
    b = maker_load(&m);
    must_refuse(b, WARP_ESCHEMA, "renamed? add `was: :gold` to coins");
    must_refuse(b, WARP_ESCHEMA, "Thing.gold: removed");
    must_refuse(b, WARP_ESCHEMA, "(3 records hold it)");
    db = must_open(a, NULL);
    check_some(db, a, 0, 3, "gold", "far", "big");
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&a);
    schema_free(&b);
}
END_TEST

/* Each value is found where the old schema put it, in every tier. */
START_TEST(values_change_their_tier)
{
    static const uint8_t homes[] = {DESCRIPTOR_HOME_MEMORY,
                                    DESCRIPTOR_HOME_SSD, DESCRIPTOR_HOME_DISK,
                                    DESCRIPTOR_HOME_DISK_ONLY};
    struct warp_schema *s = base();
    struct warp_db *db = must_open(s, NULL);
    uint64_t seed = 7;
    write_some(db, s, 0, SOME);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    for (int round = 0; round < 20; round++) {
        static const char *const names[] = {"gold", "name", "far", "big"};
        struct maker m;
        maker_base(&m);
        for (int i = 0; i < 4; i++)
            maker_find(&m, names[i])->home = homes[scratch_random(&seed) % 4];
        schema_free(&s);
        s = maker_load(&m);
        db = must_open(s, NULL);
        check_some(db, s, 0, SOME, "gold", "far", "big");
        write_some(db, s, (uint64_t)round * 5, (uint64_t)round * 5 + 5);
        if (round % 3 == 0)
            ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
        ck_assert_int_eq(warp_close(&db), WARP_OK);
    }
    schema_free(&s);
}
END_TEST

START_TEST(memory_only_and_back)
{
    static const char *const allow[] = {"Thing.gold", NULL};
    struct warp_schema *a = base(), *b;
    struct warp_db *db = must_open(a, NULL);
    struct maker m;
    write_some(db, a, 0, 4);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    maker_base(&m);
    maker_find(&m, "gold")->home = DESCRIPTOR_HOME_MEMORY_ONLY;
    b = maker_load(&m);
    must_refuse(b, WARP_ESCHEMA, "Thing.gold: lives in memory_only");
    db = must_open(b, allow);
    ck_assert_int_eq(thing_state(db, b, 1, "gold"), WARP_LOST);
    ck_assert(thing_is_text(db, b, 1, "name", "n1", 2));
    thing_set_u64(db, b, 1, "gold", 77);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    db = must_open(a, NULL);
    ck_assert_int_eq(thing_state(db, a, 1, "gold"), WARP_ABSENT);
    thing_set_u64(db, a, 1, "gold", 78);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    db = must_open(a, NULL);
    ck_assert_uint_eq(thing_get_u64(db, a, 1, "gold"), 78);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&a);
    schema_free(&b);
}
END_TEST

START_TEST(a_new_ttl_begins_at_the_change)
{
    static const char *const allow[] = {"Thing.name", NULL};
    struct warp_schema *a = base(), *b, *c;
    struct warp_db *db = must_open(a, NULL);
    struct maker m;
    write_some(db, a, 0, 4);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    maker_base(&m);
    maker_find(&m, "name")->ttl_ms = 5000;
    b = maker_load(&m);
    must_refuse(b, WARP_ESCHEMA, "ttl 5s added");
    db = must_open(b, allow);
    ck_assert(thing_is_text(db, b, 1, "name", "n1", 2));
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    maker_base(&m);
    maker_find(&m, "name")->ttl_ms = 9000;
    c = maker_load(&m);
    db = must_open(c, NULL); /* longer: free, from the next write on */
    thing_set_text(db, c, 2, "name", "again", 5);
    clock_ms += 6000;
    ck_assert_int_eq(thing_state(db, c, 1, "name"), WARP_EXPIRED);
    ck_assert_int_eq(thing_state(db, c, 2, "name"), WARP_PRESENT);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    db = must_open(a, NULL); /* no ttl: what is over does not come back */
    ck_assert_int_eq(thing_state(db, a, 1, "name"), WARP_ABSENT);
    clock_ms += 60000;
    ck_assert_int_eq(thing_state(db, a, 2, "name"), WARP_PRESENT);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&a);
    schema_free(&b);
    schema_free(&c);
}
END_TEST

/* ---- indexes ---- */

static uint32_t found_by(struct warp_db *db, const struct warp_schema *s,
                         const char *field, const void *value)
{
    const struct warp_product *p = s->products[0];
    struct warp_iter *it = NULL;
    struct warp_arena arena = WARP_ARENA_INIT;
    uint32_t count = 0;
    void *out = calloc(1, p->record_bytes);
    ck_assert_int_eq(warp_gen_by(db, p, thing_field(s, field), value, p->all,
                                 &it), WARP_OK);
    while (warp_gen_next(it, p, out, &arena) == WARP_OK)
        count++;
    warp_iter_close(&it);
    warp_arena_free(&arena);
    free(out);
    return count;
}

START_TEST(an_index_comes_to_live_data)
{
    struct warp_schema *a = base(), *b, *c;
    struct warp_db *db = must_open(a, NULL);
    struct maker m;
    uint32_t narrow = 21;
    uint64_t wide = 21;
    write_some(db, a, 0, SOME);
    thing_set_u64(db, a, 10, "gold", 21);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    maker_base(&m);
    maker_find(&m, "gold")->flags = DESCRIPTOR_F_INDEX;
    maker_find(&m, "name")->flags = DESCRIPTOR_F_INDEX | DESCRIPTOR_F_UNIQUE;
    b = maker_load(&m);
    db = must_open(b, NULL);
    struct warp_str name = warp_str("n33");
    ck_assert_uint_eq(found_by(db, b, "gold", &narrow), 2);
    ck_assert_uint_eq(found_by(db, b, "name", &name), 1);
    ck_assert_int_eq(thing_try_text(db, b, 5, "name", "n33", 3), WARP_EEXIST);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    maker_find(&m, "gold")->type = &m.types[DESCRIPTOR_U64];
    c = maker_load(&m); /* another key form: built again */
    db = must_open(c, NULL);
    ck_assert_uint_eq(found_by(db, c, "gold", &wide), 2);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&a);
    schema_free(&b);
    schema_free(&c);
}
END_TEST

START_TEST(two_of_a_value_cannot_become_unique)
{
    struct warp_schema *a = base(), *b;
    struct warp_db *db = must_open(a, NULL);
    struct maker m;
    write_some(db, a, 0, 20);
    thing_set_text(db, a, 3, "name", "n7", 2);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    maker_base(&m);
    maker_find(&m, "name")->flags = DESCRIPTOR_F_INDEX | DESCRIPTOR_F_UNIQUE;
    b = maker_load(&m);
    must_refuse(b, WARP_EEXIST, "hold \"n7\"");
    db = must_open(a, NULL);
    thing_set_text(db, a, 3, "name", "other", 5);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    db = must_open(b, NULL);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&a);
    schema_free(&b);
}
END_TEST

/* ---- products ---- */

START_TEST(products_come_and_go)
{
    static const char *const allow[] = {"Thing", NULL};
    struct maker m;
    maker_base(&m);
    struct warp_schema *a = maker_load(&m);
    struct warp_db *db = must_open(a, NULL);
    write_some(db, a, 0, 30);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    maker_second(&m, "Other", true); /* it comes before Thing */
    struct warp_schema *b = maker_load(&m);
    db = must_open(b, NULL);
    write_some(db, b, 0, 5); /* products[0] is Other */
    const struct warp_schema thing = schema_from(b, 1);
    check_some(db, &thing, 0, 30, "gold", "far", "big");
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    maker_base(&m);
    m.products[0].name = "Other";
    struct warp_schema *c = maker_load(&m);
    must_refuse(c, WARP_ESCHEMA,
                "Thing: the product is removed with all its records (30");
    db = must_open(c, allow);
    check_some(db, c, 0, 5, "gold", "far", "big");
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    db = must_open(b, NULL); /* it comes back empty */
    ck_assert_int_eq(thing_state(db, &thing, 7, "name"), WARP_ABSENT);
    check_some(db, b, 0, 5, "gold", "far", "big");
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&a);
    schema_free(&b);
    schema_free(&c);
}
END_TEST

/* ---- kill -9 ---- */

/* Killed at any moment of a change of schema, the store opens with the new
 * schema, and what was acknowledged before is there. */
START_TEST(killed_while_it_changes)
{
    struct warp_schema *s[2];
    struct maker m;
    uint64_t seed = 99;
    maker_base(&m);
    s[0] = maker_load(&m);
    maker_find(&m, "gold")->type = &m.types[DESCRIPTOR_U64];
    maker_find(&m, "far")->home = DESCRIPTOR_HOME_DISK;
    maker_find(&m, "big")->home = DESCRIPTOR_HOME_MEMORY;
    maker_find(&m, "name")->flags = DESCRIPTOR_F_INDEX;
    s[1] = maker_load(&m);
    struct warp_db *db = must_open(s[0], NULL);
    write_some(db, s[0], 0, SOME);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    for (int round = 0; round < 12; round++) {
        int ready[2];
        ck_assert_int_eq(pipe(ready), 0);
        pid_t child = fork();
        if (child == 0) {
            static const char *const allow[] = {"Thing.gold", NULL};
            struct warp_db *mine = NULL;
            char byte = 1;
            if (write(ready[1], &byte, 1) == 1)
                (void)open_with(s[(round + 1) % 2], allow, &mine);
            for (;;)
                pause();
        }
        char byte;
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        usleep((useconds_t)(scratch_random(&seed) % 60000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(ready[0]);
        close(ready[1]);
        static const char *const both[] = {"Thing.gold", NULL};
        const struct warp_schema *now = s[(round + round / 3) % 2];
        db = must_open(now, both);
        check_some(db, now, 0, SOME, "gold", "far", "big");
        thing_set_text(db, now, (uint64_t)round, "name", "x", 1);
        char name[32];
        snprintf(name, sizeof name, "n%d", round);
        thing_set_text(db, now, (uint64_t)round, "name", name, strlen(name));
        ck_assert_int_eq(warp_close(&db), WARP_OK);
    }
    schema_free(&s[0]);
    schema_free(&s[1]);
}
END_TEST

/* What the log holds alone is read with the schema that wrote it. */
START_TEST(a_killed_writer_left_a_log)
{
    struct warp_schema *a = base(), *b;
    struct maker m;
    pid_t child = fork();
    if (child == 0) {
        struct warp_db *db = NULL;
        if (open_with(a, NULL, &db) == WARP_OK)
            write_some(db, a, 0, SOME);
        raise(SIGKILL);
    }
    waitpid(child, NULL, 0);
    maker_base(&m);
    maker_find(&m, "gold")->type = &m.types[DESCRIPTOR_I64];
    maker_find(&m, "name")->home = DESCRIPTOR_HOME_SSD;
    b = maker_load(&m);
    struct warp_db *db = must_open(b, NULL);
    check_some(db, b, 0, SOME, "gold", "far", "big");
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&a);
    schema_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_evolve");
    TCase *tcase = tcase_create("store_evolve");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, fields_come_and_are_renamed);
    tcase_add_test(tcase, a_rename_without_was_is_refused);
    tcase_add_test(tcase, values_change_their_tier);
    tcase_add_test(tcase, memory_only_and_back);
    tcase_add_test(tcase, a_new_ttl_begins_at_the_change);
    tcase_add_test(tcase, an_index_comes_to_live_data);
    tcase_add_test(tcase, two_of_a_value_cannot_become_unique);
    tcase_add_test(tcase, products_come_and_go);
    tcase_add_test(tcase, killed_while_it_changes);
    tcase_add_test(tcase, a_killed_writer_left_a_log);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
