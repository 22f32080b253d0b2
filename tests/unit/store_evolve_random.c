/* Random edits of a schema on live data, side by side with a model: each round
 * writes, closes, edits (fields added, removed, renamed, wider, narrower, on
 * other tiers, in another order, with an index or without), opens, compares.
 * What loses data must be refused first, with the store as it was.
 *
 *   WARP_EVOLVE_SEED=N    replay (the seed is printed)
 *   WARP_EVOLVE_ROUNDS=N  60 */
#include "descriptor.h"
#include "evolve_schema.h"
#include "scratch.h"

#include <string.h>
#include <time.h>

static void set_up(void)
{
    scratch();
}

enum { RECORDS = 40, FIELDS = 14, TEXT_MAX = 900 };

enum held { ABSENT, PRESENT, LOST };

struct field {
    bool used;
    char name[24], before[24]; /* now, and in the last schema */
    uint8_t kind, home;
    uint8_t old_kind, old_home; /* of the last schema; 0: it is new */
    bool preset, index;
    uint64_t fallback; /* the default */
};

struct value {
    enum held held;
    __int128 number;
    double real;
    uint32_t bytes; /* of text: `fill` repeated */
    char fill;
};

struct scene {
    uint64_t rng, names;
    struct field fields[FIELDS];
    struct value values[RECORDS][FIELDS];
    bool exists[RECORDS];
    struct maker maker;
    struct warp_schema *schema;
    char lost[FIELDS * 2][40];
    const char *allow[FIELDS * 2 + 1];
    uint32_t lost_count;
};

static uint32_t below(struct scene *s, uint32_t n)
{
    return (uint32_t)(scratch_random(&s->rng) >> 20) % n;
}

/* ---- kinds ---- */

static bool is_text(uint8_t kind)
{
    return kind == DESCRIPTOR_STRING || kind == DESCRIPTOR_BYTES;
}

static bool is_real(uint8_t kind)
{
    return kind == DESCRIPTOR_F32 || kind == DESCRIPTOR_F64;
}

static bool is_signed(uint8_t kind)
{
    return kind >= DESCRIPTOR_I8 && kind <= DESCRIPTOR_I64;
}

static int bits_of(uint8_t kind)
{
    return 8 << (kind - (is_signed(kind) ? DESCRIPTOR_I8 : DESCRIPTOR_U8));
}

static bool fits(uint8_t kind, const struct value *v)
{
    if (is_text(kind))
        return true;
    if (kind == DESCRIPTOR_F64)
        return true;
    if (kind == DESCRIPTOR_F32)
        return (double)(float)v->real == v->real;
    int bits = bits_of(kind);
    __int128 one = 1;
    if (is_signed(kind))
        return v->number >= -(one << (bits - 1)) &&
               v->number < one << (bits - 1);
    return v->number >= 0 && v->number < one << bits;
}

/* A kind that a field of this kind may turn into; wider or narrower. */
static uint8_t other_kind(struct scene *s, uint8_t kind)
{
    if (is_text(kind))
        return kind == DESCRIPTOR_STRING ? DESCRIPTOR_BYTES : kind;
    if (is_real(kind))
        return kind == DESCRIPTOR_F32 ? DESCRIPTOR_F64 : DESCRIPTOR_F32;
    return (uint8_t)(DESCRIPTOR_U8 + below(s, 8));
}

static bool narrows(uint8_t old, uint8_t new)
{
    if (old == new || is_text(old) || is_real(old))
        return old == DESCRIPTOR_F64 && new == DESCRIPTOR_F32;
    if (is_signed(old) == is_signed(new))
        return new < old;
    return is_signed(old) || bits_of(new) <= bits_of(old);
}

/* ---- values ---- */

static void random_value(struct scene *s, uint8_t kind, struct value *v)
{
    uint64_t bits = scratch_random(&s->rng) >> below(s, 64);
    v->held = PRESENT;
    if (is_text(kind)) {
        v->bytes = below(s, 8) ? below(s, 60) : below(s, TEXT_MAX);
        v->fill = (char)('a' + below(s, 26));
        return;
    }
    if (is_real(kind)) {
        v->real = (double)(int64_t)bits / (below(s, 2) ? 8.0 : 3.0);
        if (kind == DESCRIPTOR_F32)
            v->real = (double)(float)v->real;
        return;
    }
    int width = bits_of(kind);
    if (width < 64)
        bits &= (UINT64_C(1) << width) - 1;
    v->number = bits;
    if (is_signed(kind) && (bits >> (width - 1) & 1))
        v->number -= (__int128)1 << width;
}

/* What a get shows: a default where nothing was written. */
static struct value shown(const struct field *f, const struct value *v)
{
    struct value own = *v;
    if (v->held == ABSENT && f->preset) {
        own.held = PRESENT;
        own.number = f->fallback;
    }
    return own;
}

static const void *c_form(const struct value *v, uint8_t kind,
                          char text[TEXT_MAX], void *to)
{
    float narrow = (float)v->real;
    uint64_t bits = (uint64_t)v->number;
    struct warp_str str = {text, v->bytes};
    memset(to, 0, 16);
    if (is_text(kind)) {
        memset(text, v->fill, TEXT_MAX);
        memcpy(to, &str, sizeof str);
    } else if (kind == DESCRIPTOR_F32) {
        memcpy(to, &narrow, sizeof narrow);
    } else if (kind == DESCRIPTOR_F64) {
        memcpy(to, &v->real, sizeof v->real);
    } else {
        memcpy(to, &bits, (size_t)bits_of(kind) / 8);
    }
    return to;
}

/* ---- schemas ---- */

static void add_field(struct scene *s, struct field *f)
{
    static const uint8_t homes[] = {
        DESCRIPTOR_HOME_MEMORY, DESCRIPTOR_HOME_MEMORY, DESCRIPTOR_HOME_SSD,
        DESCRIPTOR_HOME_DISK, DESCRIPTOR_HOME_MEMORY_ONLY};
    memset(f, 0, sizeof *f);
    f->used = true;
    f->kind = (uint8_t)(DESCRIPTOR_U8 + below(s, 10));
    if (below(s, 3) == 0)
        f->kind = below(s, 2) ? DESCRIPTOR_STRING : DESCRIPTOR_BYTES;
    f->home = homes[below(s, 5)];
    snprintf(f->name, sizeof f->name, "f%llu",
             (unsigned long long)s->names++);
    f->preset = !is_text(f->kind) && !is_real(f->kind) && below(s, 2);
    f->fallback = below(s, 100);
    for (int r = 0; r < RECORDS; r++)
        s->values[r][f - s->fields].held = ABSENT;
}

static void lose(struct scene *s, const char *name)
{
    snprintf(s->lost[s->lost_count], sizeof s->lost[0], "Thing.%s", name);
    s->allow[s->lost_count] = s->lost[s->lost_count];
    s->allow[++s->lost_count] = NULL;
}

static void edit(struct scene *s)
{
    static const uint8_t homes[] = {
        DESCRIPTOR_HOME_MEMORY, DESCRIPTOR_HOME_SSD, DESCRIPTOR_HOME_DISK,
        DESCRIPTOR_HOME_DISK_ONLY, DESCRIPTOR_HOME_DISK_COMPRESSED,
        DESCRIPTOR_HOME_MEMORY_ONLY};
    struct field *f = &s->fields[below(s, FIELDS)];
    if (!f->used) {
        if (f->before[0] == 0) /* not one that was just removed */
            add_field(s, f);
        return;
    }
    switch (below(s, 7)) {
    case 0:
        if (f->before[0])
            f->used = false;
        break;
    case 1:
        snprintf(f->name, sizeof f->name, "f%llu",
                 (unsigned long long)s->names++);
        break;
    case 2:
    case 3:
        f->kind = other_kind(s, f->kind);
        break;
    case 4:
    case 5:
        f->home = homes[below(s, below(s, 4) ? 5 : 6)];
        break;
    default:
        f->index = !f->index;
        f->fallback = below(s, 100);
        break;
    }
}

static void one_field(struct scene *s, const struct field *f)
{
    struct descriptor_field *d = maker_field(&s->maker, f->name, f->kind);
    d->home = f->home;
    if (f->before[0] && strcmp(f->before, f->name) != 0)
        d->was = f->before;
    if (f->index && f->home == DESCRIPTOR_HOME_MEMORY && !is_real(f->kind))
        d->flags |= DESCRIPTOR_F_INDEX;
    if (!f->preset)
        return;
    d->value.kind = is_signed(f->kind) ? DESCRIPTOR_VALUE_INT
                                       : DESCRIPTOR_VALUE_UINT;
    d->value.i = is_signed(f->kind) ? (int64_t)f->fallback : 0;
    d->value.u = is_signed(f->kind) ? 0 : f->fallback;
}

/* In an order of its own; the key anywhere. */
static void make_schema(struct scene *s)
{
    uint32_t start = below(s, FIELDS), step = below(s, 2) ? 1 : FIELDS - 1;
    uint32_t key = below(s, FIELDS);
    maker_init(&s->maker);
    for (uint32_t n = 0; n < FIELDS; n++) {
        uint32_t at = (start + n * step) % FIELDS;
        if (n == key) {
            s->maker.products[0].key_fields =
                &s->maker.keys[s->maker.products[0].field_count];
            maker_field(&s->maker, "id", DESCRIPTOR_U64)->flags =
                DESCRIPTOR_F_KEY;
        }
        if (s->fields[at].used)
            one_field(s, &s->fields[at]);
    }
    s->schema = maker_load(&s->maker);
}

/* ---- the model's side of a reopening ---- */

static void note_losses(struct scene *s)
{
    s->lost_count = 0;
    s->allow[0] = NULL;
    for (uint32_t i = 0; i < FIELDS; i++) {
        const struct field *f = &s->fields[i];
        bool was_mortal = f->old_home == DESCRIPTOR_HOME_MEMORY_ONLY;
        if (!f->before[0])
            continue;
        if (!f->used || narrows(f->old_kind, f->kind) ||
            (!was_mortal && f->home == DESCRIPTOR_HOME_MEMORY_ONLY))
            lose(s, f->before);
    }
}

static void reopen_model(struct scene *s)
{
    for (uint32_t i = 0; i < FIELDS; i++) {
        struct field *f = &s->fields[i];
        bool was_mortal = f->old_home == DESCRIPTOR_HOME_MEMORY_ONLY;
        bool is_mortal = f->home == DESCRIPTOR_HOME_MEMORY_ONLY;
        for (int r = 0; r < RECORDS; r++) {
            struct value *v = &s->values[r][i];
            if (v->held == PRESENT && (was_mortal || is_mortal))
                v->held = LOST;
            if (v->held == LOST && !is_mortal)
                v->held = ABSENT;
            if (v->held == PRESENT && !fits(f->kind, v))
                v->held = ABSENT;
        }
    }
}

static void settle_names(struct scene *s)
{
    for (uint32_t i = 0; i < FIELDS; i++) {
        struct field *f = &s->fields[i];
        memcpy(f->before, f->used ? f->name : "", f->used ? sizeof f->name : 1);
        f->old_kind = f->kind;
        f->old_home = f->home;
    }
}

/* ---- store against model ---- */

static void compare_value(struct scene *s, struct warp_db *db, uint64_t id,
                          uint32_t i)
{
    const struct field *f = &s->fields[i];
    struct value v = shown(f, &s->values[id][i]);
    enum warp_state expected = !s->exists[id]       ? WARP_ABSENT
                               : v.held == PRESENT  ? WARP_PRESENT
                               : v.held == LOST     ? WARP_LOST
                                                    : WARP_ABSENT;
    char text[TEXT_MAX];
    uint64_t form[2], mine = 0;
    enum warp_state state = thing_state(db, s->schema, id, f->name);
    ck_assert_msg(state == expected, "%u.%s is %d, expected %d", (unsigned)id,
                  f->name, state, expected);
    if (state != WARP_PRESENT)
        return;
    c_form(&v, f->kind, text, form);
    if (is_text(f->kind)) {
        ck_assert_msg(thing_is_text(db, s->schema, id, f->name, text, v.bytes),
                      "%u.%s differs", (unsigned)id, f->name);
        return;
    }
    memcpy(&mine, form, sizeof mine);
    ck_assert_msg(thing_get_u64(db, s->schema, id, f->name) == mine,
                  "%u.%s differs", (unsigned)id, f->name);
}

/* By one value that is there, as many records as the model has. */
static void compare_index(struct scene *s, struct warp_db *db, uint32_t i)
{
    const struct field *f = &s->fields[i];
    uint32_t field = thing_field(s->schema, f->name), expected = 0, got = 0;
    const struct warp_product *p = s->schema->products[0];
    const struct value *v = &s->values[below(s, RECORDS)][i];
    char text[TEXT_MAX];
    uint64_t form[2];
    struct warp_iter *it = NULL;
    struct warp_arena arena = WARP_ARENA_INIT;
    if (!(p->fields[field].flags & WARP_F_INDEX) || v->held != PRESENT)
        return;
    for (uint32_t r = 0; r < RECORDS; r++) {
        const struct value *o = &s->values[r][i];
        expected += s->exists[r] && o->held == PRESENT &&
                    (is_text(f->kind)
                         ? o->bytes == v->bytes &&
                               (o->fill == v->fill || o->bytes == 0)
                         : o->number == v->number);
    }
    void *out = calloc(1, p->record_bytes);
    int rc = warp_gen_by(db, p, field, c_form(v, f->kind, text, form), p->all,
                         &it);
    while (rc == WARP_OK &&
           (rc = warp_gen_next(it, p, out, &arena)) == WARP_OK)
        got++;
    ck_assert_int_eq(rc, WARP_END);
    ck_assert_msg(got == expected, "by %s: %u, expected %u", f->name, got,
                  expected);
    warp_iter_close(&it);
    warp_arena_free(&arena);
    free(out);
}

static void compare(struct scene *s, struct warp_db *db)
{
    for (uint32_t i = 0; i < FIELDS; i++) {
        if (!s->fields[i].used)
            continue;
        for (uint64_t id = 0; id < RECORDS; id++)
            compare_value(s, db, id, i);
        compare_index(s, db, i);
    }
}

/* ---- a round ---- */

static int open_scene(struct scene *s, const char *const *allow,
                      struct warp_db **db)
{
    struct warp_options o = WARP_OPTIONS_INIT;
    char path[300];
    snprintf(path, sizeof path, "%s/s", scratch_path);
    o.shards = 3;
    o.ring_bytes = 65536;
    o.disk_reserve_bytes = 1;
    o.memory_max_bytes = 64 << 20;
    o.allow_data_loss = allow;
    return warp_open(path, s->schema, &o, db);
}

static void write_some(struct scene *s, struct warp_db *db)
{
    for (uint32_t n = 0; n < 120; n++) {
        uint64_t id = below(s, RECORDS), form[2];
        uint32_t i = below(s, FIELDS);
        const struct field *f = &s->fields[i];
        char text[TEXT_MAX];
        if (below(s, 20) == 0 && s->exists[id]) {
            ck_assert_int_eq(warp_gen_delete(db, s->schema->products[0], &id),
                             WARP_OK);
            s->exists[id] = false;
            memset(s->values[id], 0, sizeof s->values[id]);
        }
        if (!f->used)
            continue;
        random_value(s, f->kind, &s->values[id][i]);
        s->exists[id] = true;
        int rc = warp_gen_set(db, s->schema->products[0], &id,
                              thing_field(s->schema, f->name),
                              c_form(&s->values[id][i], f->kind, text, form));
        ck_assert_msg(rc == WARP_OK, "set: %d: %s", rc, warp_errmsg(db));
        if (below(s, 100) == 0)
            ck_assert_int_eq(warp_checkpoint(db), WARP_OK);
    }
}

static void must_be_refused(struct scene *s)
{
    struct warp_db *db = NULL;
    int rc = open_scene(s, NULL, &db);
    ck_assert_msg(rc == WARP_ESCHEMA, "%s is lost, and open gives %d: %s",
                  s->lost[0], rc, warp_errmsg(NULL));
    ck_assert_msg(strstr(warp_errmsg(NULL), s->lost[0]) != NULL ||
                      strstr(warp_errmsg(NULL), " more") != NULL,
                  "%s: %s", s->lost[0], warp_errmsg(NULL));
}

START_TEST(random_edits)
{
    static struct scene s;
    const char *seed = getenv("WARP_EVOLVE_SEED");
    const char *limit = getenv("WARP_EVOLVE_ROUNDS");
    int rounds = limit ? atoi(limit) : 60;
    struct warp_db *db = NULL;
    s.rng = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) * 2 + 1;
    printf("seed %llu\n", (unsigned long long)s.rng);
    fflush(stdout);
    s.rng = s.rng * 0x9e3779b97f4a7c15u | 1;
    for (uint32_t i = 0; i < FIELDS / 2; i++)
        add_field(&s, &s.fields[i]);
    make_schema(&s);
    ck_assert_int_eq(open_scene(&s, NULL, &db), WARP_OK);
    for (int round = 0; round < rounds; round++) {
        settle_names(&s);
        write_some(&s, db);
        ck_assert_int_eq(warp_close(&db), WARP_OK);
        for (uint32_t n = 1 + below(&s, 5); n > 0; n--)
            edit(&s);
        schema_free(&s.schema);
        make_schema(&s);
        note_losses(&s);
        if (s.lost_count > 0)
            must_be_refused(&s);
        int rc = open_scene(&s, s.allow, &db);
        ck_assert_msg(rc == WARP_OK, "round %d: %d: %s", round, rc,
                      warp_errmsg(NULL));
        reopen_model(&s);
        compare(&s, db);
    }
    ck_assert_int_eq(warp_close(&db), WARP_OK);
    schema_free(&s.schema);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_evolve_random");
    TCase *tcase = tcase_create("store_evolve_random");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tcase, 200);
    tcase_add_checked_fixture(tcase, set_up, scratch_remove);
    tcase_add_test(tcase, random_edits);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
