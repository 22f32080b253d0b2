/* Each pair of kinds that a type may change between, as a value and as elements
 * of a series in memory, on the disk and in the archive: what every value fits
 * opens, what loses some is refused by its name and changes nothing; when it is
 * allowed, what fits is kept and the rest is gone. */
#include "checkpoint.h"
#include "descriptor.h"
#include "evolve_schema.h"
#include "scratch.h"

#include <string.h>
#include <time.h>

enum { KINDS = 15, VALUES = 4, MINUTE = 60000, HOUR = 60 * MINUTE };
#define NOW INT64_C(1700000000000)

static const enum descriptor_kind kinds[KINDS] = {
    DESCRIPTOR_U8,        DESCRIPTOR_U16,      DESCRIPTOR_U32,
    DESCRIPTOR_U64,       DESCRIPTOR_I8,       DESCRIPTOR_I16,
    DESCRIPTOR_I32,       DESCRIPTOR_I64,      DESCRIPTOR_F32,
    DESCRIPTOR_F64,       DESCRIPTOR_DURATION, DESCRIPTOR_TIMESTAMP,
    DESCRIPTOR_STRING,    DESCRIPTOR_BYTES,    DESCRIPTOR_BOOL};
static const char *const names[KINDS] = {"f0",  "f1",  "f2",  "f3",  "f4",
                                         "f5",  "f6",  "f7",  "f8",  "f9",
                                         "f10", "f11", "f12", "f13", "f14"};
static _Atomic int64_t clock_ms;

static int64_t read_clock(void *arg)
{
    (void)arg;
    return clock_ms;
}

/* ---- what must come of it ---- */

struct value {
    enum descriptor_kind kind;
    __int128 number;
    double real;
    const char *text;
};

static bool is_text(enum descriptor_kind kind)
{
    return kind == DESCRIPTOR_STRING || kind == DESCRIPTOR_BYTES;
}

static bool is_real(enum descriptor_kind kind)
{
    return kind == DESCRIPTOR_F32 || kind == DESCRIPTOR_F64;
}

static bool is_signed(enum descriptor_kind kind)
{
    return kind >= DESCRIPTOR_I8 && kind != DESCRIPTOR_BOOL;
}

static bool is_time(enum descriptor_kind kind)
{
    return kind == DESCRIPTOR_DURATION || kind == DESCRIPTOR_TIMESTAMP;
}

static int bits_of(enum descriptor_kind kind)
{
    if (is_time(kind))
        return 64;
    return 8 << (kind >= DESCRIPTOR_I8 ? kind - DESCRIPTOR_I8
                                       : kind - DESCRIPTOR_U8);
}

static bool is_whole(enum descriptor_kind kind)
{
    return !is_text(kind) && !is_real(kind) && kind != DESCRIPTOR_BOOL;
}

/* The i-th of a kind: small, the ends of its range, what is hard to keep. */
static struct value value_of(enum descriptor_kind kind, int i)
{
    static const char *const texts[VALUES] = {"plain", "", "\xc3\xa4", "\xff"};
    static const double reals[VALUES] = {0.5, -0.0, 1e30, 0.1};
    struct value v = {.kind = kind};
    if (is_text(kind)) {
        v.text = texts[kind == DESCRIPTOR_STRING && i == 3 ? 0 : i];
    } else if (is_real(kind)) {
        v.real = kind == DESCRIPTOR_F32 ? (double)(float)reals[i] : reals[i];
    } else if (kind == DESCRIPTOR_BOOL) {
        v.number = i % 2;
    } else {
        __int128 end = (__int128)1 << (bits_of(kind) - is_signed(kind));
        v.number = i == 0 ? 1 : i == 1 ? end - 1 : is_signed(kind) ? -end : 0;
        if (i == 3)
            v.number = end / 2;
    }
    return v;
}

static bool fits(const struct value *v, enum descriptor_kind kind)
{
    if (v->kind == kind)
        return true;
    if (is_text(v->kind) && is_text(kind))
        return kind == DESCRIPTOR_BYTES || strcmp(v->text, "\xff") != 0;
    if (is_real(v->kind) && is_real(kind))
        return kind == DESCRIPTOR_F64 || (double)(float)v->real == v->real;
    if (!is_whole(v->kind) || !is_whole(kind))
        return false;
    __int128 end = (__int128)1 << (bits_of(kind) - is_signed(kind));
    return v->number < end && v->number >= (is_signed(kind) ? -end : 0);
}

/* May some value of the old kind be none of the new one? */
static bool loses(enum descriptor_kind old, enum descriptor_kind new)
{
    if (is_text(old) && is_text(new))
        return new == DESCRIPTOR_STRING;
    if (is_real(old) && is_real(new))
        return new == DESCRIPTOR_F32;
    if (!is_whole(old) || !is_whole(new))
        return true;
    if (is_time(new)) /* of another number nobody knows the unit */
        return old != DESCRIPTOR_I64 && !is_time(old);
    return bits_of(old) - is_signed(old) > bits_of(new) - is_signed(new) ||
           (is_signed(old) && !is_signed(new));
}

static void c_form(const struct value *v, enum descriptor_kind kind, void *to)
{
    float narrow = (float)v->real;
    uint64_t bits = (uint64_t)v->number;
    struct warp_str text = warp_str(v->text ? v->text : "");
    memset(to, 0, 16);
    if (is_text(kind))
        memcpy(to, &text, sizeof text);
    else if (kind == DESCRIPTOR_F32)
        memcpy(to, &narrow, sizeof narrow);
    else if (kind == DESCRIPTOR_F64)
        memcpy(to, &v->real, sizeof v->real);
    else
        memcpy(to, &bits, kind == DESCRIPTOR_BOOL ? 1
                                                  : (size_t)bits_of(kind) / 8);
}

static bool same(const void *got, const struct value *v,
                 enum descriptor_kind kind)
{
    uint8_t want[16];
    c_form(v, kind, want);
    if (!is_text(kind))
        return memcmp(got, want, kind == DESCRIPTOR_F32 ? 4
                                 : is_real(kind)        ? 8
                                 : kind == DESCRIPTOR_BOOL
                                     ? 1
                                     : (size_t)bits_of(kind) / 8) == 0;
    struct warp_str a;
    memcpy(&a, got, sizeof a);
    return a.len == strlen(v->text) && memcmp(a.data, v->text, a.len) == 0;
}

/* ---- the store ---- */

/* Values stand in the row, on ssd and on the disk, one after the other. */
static struct warp_schema *schema_of(int turned, bool series)
{
    static const struct descriptor_retention ages[] = {
        {WARP_TIER_MEMORY, MINUTE},
        {WARP_TIER_SSD, 10 * MINUTE},
        {WARP_TIER_DISK, HOUR},
        {WARP_TIER_ARCHIVE, DESCRIPTOR_FOREVER}};
    static const uint8_t homes[] = {DESCRIPTOR_HOME_MEMORY,
                                    DESCRIPTOR_HOME_SSD, DESCRIPTOR_HOME_DISK};
    struct maker m;
    maker_init(&m);
    maker_field(&m, "id", DESCRIPTOR_U64)->flags = DESCRIPTOR_F_KEY;
    for (int i = 0; i < KINDS; i++) {
        struct descriptor_field *f =
            maker_field(&m, names[i], kinds[(i + turned) % KINDS]);
        if (series) {
            f->flags = DESCRIPTOR_F_SERIES;
            f->home = DESCRIPTOR_HOME_TEMPORAL;
            f->retention = ages;
            f->retention_count = 4;
        } else {
            f->home = homes[i % 3];
        }
    }
    return maker_load(&m);
}

static int open_with(const struct warp_schema *schema,
                     const char *const *allow, struct warp_db **db)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    char path[300];
    snprintf(path, sizeof path, "%s/s", scratch_path);
    o.shards = 2;
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

/* Elements of a series are of these ages: each is on another tier. */
enum { AGES = 4 };
static const int64_t ages[AGES] = {3 * HOUR, 30 * MINUTE, 5 * MINUTE, 1000};

static void write_all(struct warp_db *db, const struct warp_schema *s,
                      bool series)
{
    const struct warp_product *p = s->products[0];
    for (int i = 0; i < KINDS; i++)
        for (int n = 0; n < VALUES; n++) {
            struct value v = value_of(kinds[i], n);
            uint64_t id = series ? 1 : (uint64_t)n + 1;
            uint32_t field = thing_field(s, names[i]);
            uint8_t form[16];
            c_form(&v, kinds[i], form);
            if (!series)
                ck_assert_int_eq(warp_gen_set(db, p, &id, field, form),
                                 WARP_OK);
            for (int age = 0; age < AGES && series; age++)
                ck_assert_int_eq(warp_gen_append(db, p, &id, field,
                                                 NOW - ages[age] + n, form),
                                 WARP_OK);
        }
    ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    bool more = series;
    while (more)
        ck_assert_int_eq(checkpoint_migrate(db, true, &more), WARP_OK);
}

static void check_value(struct warp_db *db, const struct warp_schema *s, int i,
                        int n, int turned)
{
    const struct warp_product *p = s->products[0];
    enum descriptor_kind kind = kinds[(i + turned) % KINDS];
    struct value v = value_of(kinds[i], n);
    struct warp_arena arena = WARP_ARENA_INIT;
    uint64_t id = (uint64_t)n + 1, have = 0;
    uint32_t field = thing_field(s, names[i]);
    uint8_t *out = calloc(1, p->record_bytes);
    ck_assert_ptr_nonnull(out);
    int rc = warp_gen_get(db, p, &id, UINT64_C(1) << field, out, &arena);
    ck_assert_int_eq(rc, WARP_OK);
    memcpy(&have, out + p->have_offset, sizeof have);
    ck_assert_msg((have != 0) == fits(&v, kind), "kind %d to %d, value %d",
                  kinds[i], kind, n);
    if (have)
        ck_assert_msg(same(out + p->fields[field].offset, &v, kind),
                      "kind %d to %d, value %d differs", kinds[i], kind, n);
    free(out);
    warp_arena_free(&arena);
}

static void check_series(struct warp_db *db, const struct warp_schema *s,
                         int i, int turned)
{
    const struct warp_product *p = s->products[0];
    enum descriptor_kind kind = kinds[(i + turned) % KINDS];
    struct warp_arena arena = WARP_ARENA_INIT;
    struct warp_iter *it = NULL;
    uint64_t id = 1;
    uint32_t field = thing_field(s, names[i]);
    uint8_t out[16];
    int64_t at;
    ck_assert_int_eq(warp_gen_range_with(db, p, &id, field, INT64_MIN,
                                         INT64_MAX, WARP_ARCHIVE, &it),
                     WARP_OK);
    for (int age = 0; age < AGES; age++)
        for (int n = 0; n < VALUES; n++) {
            struct value v = value_of(kinds[i], n);
            if (!fits(&v, kind))
                continue;
            int rc = warp_gen_range_next(it, p, field, &at, out, &arena);
            ck_assert_msg(rc == WARP_OK && at == NOW - ages[age] + n &&
                              same(out, &v, kind),
                          "kind %d to %d, age %d, value %d: %d: %s", kinds[i],
                          kind, age, n, rc, warp_errmsg(db));
        }
    ck_assert_int_eq(warp_gen_range_next(it, p, field, &at, out, &arena),
                     WARP_END);
    warp_iter_close(&it);
    warp_arena_free(&arena);
}

static void check_all(struct warp_db *db, const struct warp_schema *s,
                      int turned, bool series)
{
    for (int i = 0; i < KINDS; i++)
        if (series)
            check_series(db, s, i, turned);
        else
            for (int n = 0; n < VALUES; n++)
                check_value(db, s, i, n, turned);
}

/* ---- tests ---- */

/* All that lose something are allowed but one, which is refused by its name;
 * of all pairs every fifth. */
static void must_refuse_some(const struct warp_schema *s, int first,
                             bool series, const char *const *lossy, int count)
{
    const char *allow[KINDS + 1];
    for (int left_out = first; left_out < count; left_out += 5) {
        struct warp_db *db = NULL;
        char text[64];
        int n = 0;
        for (int i = 0; lossy[i]; i++)
            if (i != left_out)
                allow[n++] = lossy[i];
        allow[n] = NULL;
        ck_assert_int_eq(open_with(s, allow, &db), WARP_ESCHEMA);
        ck_assert_ptr_null(db);
        snprintf(text, sizeof text, "%s: type ", lossy[left_out]);
        ck_assert_msg(strstr(warp_errmsg(NULL), text) != NULL &&
                          strstr(warp_errmsg(NULL), "allow_data_loss"),
                      "%s", warp_errmsg(NULL));
        ck_assert_msg(strstr(warp_errmsg(NULL), series ? "(1 record holds it)"
                                                : "(4 records hold it)"),
                      "%s", warp_errmsg(NULL));
    }
}

/* _i: by how much the kinds are turned; then the same for series. */
START_TEST(each_kind_becomes_each_other)
{
    int turned = _i % (KINDS - 1) + 1;
    bool series = _i >= KINDS - 1;
    const char *lossy[KINDS + 1];
    char full[KINDS][16];
    int count = 0;
    struct warp_schema *a = schema_of(0, series),
                       *b = schema_of(turned, series);
    struct warp_db *db = must_open(a, NULL);
    write_all(db, a, series);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    for (int i = 0; i < KINDS; i++) {
        snprintf(full[i], sizeof full[i], "Thing.%s", names[i]);
        if (loses(kinds[i], kinds[(i + turned) % KINDS]))
            lossy[count++] = full[i];
    }
    lossy[count] = NULL;
    must_refuse_some(b, turned % 5, series, lossy, count);
    db = must_open(a, NULL); /* a refusal changed nothing */
    check_all(db, a, 0, series);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    db = must_open(b, lossy);
    check_all(db, b, turned, series);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    db = must_open(b, NULL);
    check_all(db, b, turned, series);
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&a);
    schema_free(&b);
}
END_TEST

static void set_up(void)
{
    clock_ms = NOW;
    scratch();
}

int main(void)
{
    Suite *suite = suite_create("store_evolve_types");
    TCase *tcase = tcase_create("store_evolve_types");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, set_up, scratch_remove);
    tcase_add_loop_test(tcase, each_kind_becomes_each_other, 0,
                        2 * (KINDS - 1));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
