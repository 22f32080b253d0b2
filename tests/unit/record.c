/* The head of a record: what it is beside the fields that it has, for products
 * of few fields and of many, with keys and values of one length or of several;
 * and changes and stored rows whose key has not its product's length. */
#include "scratch.h"

#include "op.h"
#include "record.h"
#include "row.h"
#include "shard.h"

#include <string.h>
#include <warp/warp.h>

enum { FIELDS_MAX = 56, NUMBER = 0xfedc, KEY_ROOM = 32, ROOM = 4096 };

static const uint8_t key_fields[] = {0};
static const struct shape {
    const struct warp_type *key, *value;
    uint32_t fields, key_bytes;
    bool sized;
} shapes[] = {
    {&warp_type_u64, &warp_type_u64, 2, 8, false},
    {&warp_type_u16, &warp_type_f32, HEAD_FIELDS, 2, false},
    {&warp_type_u64, &warp_type_u8, HEAD_FIELDS + 1, 8, true},
    {&warp_type_u64, &warp_type_u8, FIELDS_MAX, 8, true},
    {&warp_type_u64, &warp_type_string, 2, 8, true},
    {&warp_type_string, &warp_type_u64, 2, 0, true},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static struct warp_field fields[FIELDS_MAX];
static struct warp_product product;
static struct layout *layout;
static _Alignas(16) uint8_t room[ROOM];

static void make(const struct shape *shape)
{
    for (uint32_t i = 0; i < shape->fields; i++)
        fields[i] = (struct warp_field){
            .name = "f", .type = i ? shape->value : shape->key,
            .offset = 16 * i, .flags = i ? 0 : WARP_F_KEY,
            .home = WARP_HOME_MEMORY};
    product = (struct warp_product){
        .name = "P", .fields = fields, .field_count = shape->fields,
        .record_bytes = 16 * FIELDS_MAX + 8, .have_offset = 16 * FIELDS_MAX,
        .key_bytes = shape->key->size, .key_count = 1,
        .key_fields = key_fields};
    ck_assert_int_eq(layout_make(&product, NUMBER,
                                 WARP_SURVIVES_PROCESS_CRASH, &layout), 0);
}

static struct record *new_record(uint32_t key_bytes, uint32_t inline_bytes)
{
    struct record *r = (struct record *)(void *)room;
    memset(room, 0, sizeof room);
    record_init(r, layout, key_bytes,
                (uint32_t)sizeof *r + layout->row_bytes +
                    ((key_bytes + 7) & ~7u) + inline_bytes);
    return r;
}

/* What it is stays while fields and flags come and go, and the other way. */
START_TEST(a_head_says_what_the_record_is)
{
    const struct shape *shape = &shapes[_i];
    make(shape);
    ck_assert_uint_eq(layout->sized, shape->sized);
    ck_assert_uint_eq(layout->key_bytes, shape->key_bytes);
    ck_assert_uint_eq(sizeof(struct record), 16);
    uint32_t key_bytes = shape->key_bytes ? shape->key_bytes : 11;
    uint32_t more = shape->value == &warp_type_string ? 24 : 0;
    struct record *r = new_record(key_bytes, more);
    uint64_t all = layout->stored | layout->series;
    const uint64_t have[] = {0, all, R_DELETED | R_AWAY | R_IN_DIR,
                             all | R_DIRTY | R_FLUSHING | R_BUSY | R_PAST};
    ck_assert_uint_eq(record_have(r), R_DELETED);
    for (uint32_t k = 0; k < 2 * sizeof have / sizeof have[0]; k++) {
        record_set_have(r, have[k / 2]);
        ck_assert_uint_eq(record_have(r), have[k / 2]);
        ck_assert_uint_eq(record_product(r), NUMBER);
        ck_assert_uint_eq(record_key_bytes(layout, r), key_bytes);
        ck_assert_uint_eq(record_alloc_bytes(layout, r),
                          sizeof *r + layout->row_bytes +
                              ((key_bytes + 7) & ~7u) + more);
        ck_assert_ptr_eq(record_inline_end(layout, r),
                         record_inline(layout, r) + more);
        memset(r->row + (layout->sized ? 8 : 0), 0xff,
               layout->row_bytes - (layout->sized ? 8 : 0));
    }
    layout_free(&layout);
}
END_TEST

/* Only the product, the length and the bytes together are the key. */
START_TEST(a_record_is_found_by_its_own_key)
{
    const struct shape *shape = &shapes[_i];
    uint8_t key[KEY_ROOM] = "a key of this length, more, less";
    make(shape);
    uint32_t key_bytes = shape->key_bytes ? shape->key_bytes : 11;
    struct record *r = new_record(key_bytes, 0);
    memcpy(record_key(layout, r), key, sizeof key);
    record_set_have(r, layout->stored | R_DIRTY);
    struct key_ref own = {key, key_bytes, layout, 0};
    ck_assert(shard_matches(r, &own));
    for (uint32_t bytes = 0; bytes <= 16; bytes++) {
        struct key_ref other = {key, bytes, layout, 0};
        ck_assert_uint_eq(shard_matches(r, &other), bytes == key_bytes);
    }
    struct layout twin = *layout;
    twin.number = NUMBER - 1;
    twin.head = twin.sized ? twin.head : (uint64_t)twin.number << HEAD_FIELDS;
    own.layout = &twin;
    ck_assert(!shard_matches(r, &own));
    own.layout = layout;
    key[0] ^= 1;
    ck_assert(!shard_matches(r, &own));
    layout_free(&layout);
}
END_TEST

/* A log with a good sum may hold it all the same. */
START_TEST(a_change_has_a_key_of_its_product)
{
    const struct shape *shape = &shapes[_i];
    make(shape);
    const struct layout *layouts[] = {layout};
    struct op op;
    size_t used;
    for (uint16_t bytes = 0; bytes <= 16; bytes++) {
        uint8_t wire[64] = {OP_DELETE};
        wire_put16(wire + 4, bytes);
        int rc = op_decode(layouts, 1, wire, sizeof wire, &op, &used);
        bool good = !shape->key_bytes || bytes == shape->key_bytes;
        ck_assert_int_eq(rc, good ? WARP_OK : WARP_ECORRUPT);
        if (!good)
            ck_assert(strstr(warp_errmsg(NULL), "another length"));
    }
    layout_free(&layout);
}
END_TEST

/* So may the directory; no shard is asked. */
START_TEST(a_row_has_a_key_of_its_product)
{
    const uint8_t key[KEY_ROOM] = {0};
    struct record *r;
    make(&shapes[_i]);
    for (uint32_t bytes = 0; bytes <= 16; bytes++) {
        struct key_ref ref = {key, bytes, layout, 0};
        if (!layout->key_bytes || bytes == layout->key_bytes)
            continue;
        ck_assert_int_eq(row_load_record(NULL, layout, &ref,
                                         (struct ssd_slice){key, sizeof key},
                                         &r), WARP_ECORRUPT);
        ck_assert(strstr(warp_errmsg(NULL), "another length"));
    }
    layout_free(&layout);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("record");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, a_head_says_what_the_record_is, 0, SHAPES);
    tcase_add_loop_test(all, a_record_is_found_by_its_own_key, 0, SHAPES);
    tcase_add_loop_test(all, a_change_has_a_key_of_its_product, 0, SHAPES);
    tcase_add_loop_test(all, a_row_has_a_key_of_its_product, 0, SHAPES);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
