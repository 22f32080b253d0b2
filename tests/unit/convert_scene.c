/* convert_scene.c: see convert_scene.h. */
#include "convert_scene.h"

#include <string.h>

/* ---- types ---- */

enum { TYPES_MAX = 160 };
static struct descriptor_type pool[TYPES_MAX];
static struct descriptor_type *refs[TYPES_MAX];
static uint32_t type_count;
struct descriptor_type *scalar[DESCRIPTOR_KIND_LAST + 1];
struct convert convert;

struct descriptor_type *make(enum descriptor_kind kind, uint32_t limit)
{
    ck_assert_uint_lt(type_count, TYPES_MAX);
    struct descriptor_type *t = &pool[type_count];
    t->index = type_count;
    t->name = "T";
    t->kind = (uint8_t)kind;
    t->count = limit;
    refs[type_count++] = t;
    return t;
}

struct descriptor_type *make_of(enum descriptor_kind kind,
                                       uint32_t limit,
                                       const struct descriptor_type *elem)
{
    struct descriptor_type *t = make(kind, limit);
    t->elem = elem;
    return t;
}

struct descriptor_type *make_enum(uint8_t width, bool is_signed,
                                         uint32_t count,
                                         const struct descriptor_enumerator *v)
{
    struct descriptor_type *t = make(DESCRIPTOR_ENUM, count);
    t->width = width;
    t->is_signed = is_signed;
    t->values = v;
    return t;
}

struct descriptor_type *make_parts(enum descriptor_kind kind,
                                          uint32_t count,
                                          struct descriptor_member *members)
{
    struct descriptor_type *t = make(kind, count);
    t->members = members;
    return t;
}

void finish(void)
{
    struct descriptor all = {
        .name = "c", .types = refs, .type_count = type_count};
    ck_assert(descriptor_layout(&all));
    ck_assert_int_eq(descriptor_fingerprint(&all), 0);
}

void unmake(uint32_t how_many)
{
    type_count -= how_many;
}

void set_up(void)
{
    memset(pool, 0, sizeof pool);
    memset(scalar, 0, sizeof scalar);
    type_count = 0;
    for (int kind = DESCRIPTOR_BOOL; kind <= DESCRIPTOR_OPAQUE; kind++)
        scalar[kind] = make((enum descriptor_kind)kind, 0);
    scalar[DESCRIPTOR_VALUE_MAP] = make(DESCRIPTOR_VALUE_MAP, 0);
    finish();
}

void tear_down(void)
{
    convert_free(&convert);
    ck_assert_ptr_null(convert.bytes);
}

/* ---- bytes ---- */

void add(struct wire *w, const void *from, size_t bytes)
{
    ck_assert_uint_le(w->bytes + bytes, sizeof w->at);
    memcpy(w->at + w->bytes, from, bytes);
    w->bytes += bytes;
}

void add_int(struct wire *w, __int128 v, size_t bytes)
{
    uint8_t b[8];
    wire_put64(b, (uint64_t)v);
    add(w, b, bytes);
}

void add_text(struct wire *w, const char *text)
{
    add_int(w, (__int128)strlen(text), 4);
    add(w, text, strlen(text));
}

int turn(const struct descriptor_type *old,
                const struct descriptor_type *new, const struct wire *from)
{
    return convert_value(&convert, old, new, from->at, from->bytes);
}

bool gives(const struct wire *want)
{
    return convert.used == want->bytes &&
           memcmp(convert.bytes, want->at, want->bytes) == 0;
}

void must(const struct descriptor_type *old,
                 const struct descriptor_type *new, const struct wire *from,
                 const struct wire *want)
{
    int rc = turn(old, new, from);
    ck_assert_msg(rc == WARP_OK && gives(want), "%d, %zu bytes for %zu", rc,
                  convert.used, want->bytes);
}

int run_tests(const char *name, void (*fill)(TCase *tcase))
{
    Suite *suite = suite_create(name);
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    fill(all);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
