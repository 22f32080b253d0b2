/* Keys: memcmp of the encoded bytes is the order of the keys, over all key
 * types and composites; a key has one encoding; damage is refused. */
#include "codec.h"
#include "random_type.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 4
#define RECORD_BYTES 512

struct shape {
    struct warp_field fields[PARTS_MAX];
    uint8_t order[PARTS_MAX];
    struct warp_product product;
};

static void shape_init(struct shape *s, const struct warp_type *const *types,
                       uint32_t count)
{
    memset(s, 0, sizeof *s);
    for (uint32_t i = 0; i < count; i++) {
        /* in the record the fields lie in another order than in the key */
        s->fields[i].name = "part";
        s->fields[i].type = types[i];
        s->fields[i].key_offset = i * 64;
        s->fields[i].offset = (count - 1 - i) * 64;
        s->order[i] = (uint8_t)i;
    }
    s->product.name = "P";
    s->product.fields = s->fields;
    s->product.field_count = count;
    s->product.key_count = count;
    s->product.key_fields = s->order;
}

static int compare_number(const struct warp_type *t, const void *a,
                          const void *b)
{
    /* every integer and float here is exact or ordered as a long double */
    long double v[2];
    const void *from[2] = {a, b};
    for (unsigned i = 0; i < 2; i++) {
        uint64_t u = 0;
        float f;
        double d;
        memcpy(&u, from[i], t->size);
        memcpy(&f, from[i], 4);
        if (t->size == 8)
            memcpy(&d, from[i], 8);
        switch (t->kind) {
        case WARP_T_I8:
            v[i] = (int8_t)u;
            break;
        case WARP_T_I16:
            v[i] = (int16_t)u;
            break;
        case WARP_T_ENUM:
        case WARP_T_I32:
            v[i] = (int32_t)u;
            break;
        case WARP_T_I64:
        case WARP_T_TIMESTAMP:
        case WARP_T_DURATION:
            v[i] = (int64_t)u;
            break;
        case WARP_T_F32:
            v[i] = (long double)f;
            break;
        case WARP_T_F64:
            v[i] = (long double)d;
            break;
        default:
            v[i] = (long double)u;
            break;
        }
    }
    return (v[0] > v[1]) - (v[0] < v[1]);
}

static int compare_part(const struct warp_type *t, const void *a, const void *b)
{
    if (t->kind == WARP_T_UUID || t->kind == WARP_T_FIXED_BYTES)
        return random_compare_bytes(a, t->size, b, t->size);
    if (t->kind >= WARP_T_STRING && t->kind <= WARP_T_OPAQUE) {
        const struct warp_str *x = a, *y = b;
        return random_compare_bytes(x->data, x->len, y->data, y->len);
    }
    return compare_number(t, a, b);
}

static void damage(const struct shape *s, const uint8_t *wire, size_t bytes)
{
    for (size_t i = 0; i <= bytes * 9; i++) {
        struct warp_arena arena = WARP_ARENA_INIT;
        _Alignas(16) uint8_t key[RECORD_BYTES];
        size_t left = i <= bytes ? i : bytes;
        uint8_t *bad = malloc(left ? left : 1);
        memcpy(bad, wire, left);
        if (i > bytes)
            bad[(i - bytes - 1) / 8] ^= (uint8_t)(1u << (i - bytes - 1) % 8);
        int rc = key_decode(&s->product, bad, left, key, NULL, &arena);
        if (rc == 0) {
            uint8_t again[KEY_BYTES_MAX];
            size_t again_bytes = 0;
            ck_assert_int_eq(
                key_encode(&s->product, key, again, &again_bytes, NULL), 0);
            ck_assert_uint_eq(again_bytes, left);
            ck_assert(!memcmp(again, bad, left));
        } else {
            ck_assert_int_eq(rc, WARP_ECORRUPT);
        }
        free(bad);
        warp_arena_free(&arena);
    }
}

START_TEST(bytes_order_as_keys)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct random r = {UINT64_C(0xfeed) + (uint64_t)_i * 104729, &arena};
    for (unsigned round = 0; round < 100; round++) {
        const struct warp_type *types[PARTS_MAX];
        uint32_t count = 1 + random_below(&r, PARTS_MAX);
        bool text = false;
        for (uint32_t i = 0; i < count; i++) {
            types[i] = random_scalar(&r);
            text = text || (types[i]->kind >= WARP_T_STRING &&
                            types[i]->kind <= WARP_T_OPAQUE);
        }
        struct shape s;
        shape_init(&s, types, count);
        for (unsigned pair = 0; pair < 40; pair++) {
            _Alignas(16) uint8_t key[2][RECORD_BYTES] = {{0}};
            _Alignas(16) uint8_t record[RECORD_BYTES] = {0};
            uint8_t wire[2][KEY_BYTES_MAX], same[KEY_BYTES_MAX];
            size_t bytes[2], same_bytes;
            int order = 0;
            for (uint32_t i = 0; i < count; i++) {
                random_value(&r, types[i], key[0] + i * 64);
                random_value(&r, types[i], key[1] + i * 64);
                if (random_below(&r, 2)) /* else later parts never decide */
                    memcpy(key[1] + i * 64, key[0] + i * 64, types[i]->size);
                memcpy(record + s.fields[i].offset, key[0] + i * 64,
                       types[i]->size);
                if (!order)
                    order = compare_part(types[i], key[0] + i * 64,
                                         key[1] + i * 64);
            }
            for (unsigned k = 0; k < 2; k++)
                ck_assert_int_eq(key_encode(&s.product, key[k], wire[k],
                                            &bytes[k], NULL), 0);
            ck_assert_int_eq(random_compare_bytes(wire[0], bytes[0], wire[1],
                                                  bytes[1]), order);
            ck_assert_int_eq(key_encode_record(&s.product, record, same,
                                               &same_bytes, NULL), 0);
            ck_assert_uint_eq(same_bytes, bytes[0]);
            ck_assert(!memcmp(same, wire[0], bytes[0]));
            uint32_t fixed = key_fixed_bytes(&s.product);
            ck_assert_uint_eq(fixed, text ? 0 : bytes[0]);

            memset(record, 0, sizeof record);
            ck_assert_int_eq(key_decode(&s.product, wire[0], bytes[0], key[1],
                                        record, &arena), 0);
            for (uint32_t i = 0; i < count; i++) {
                ck_assert(!compare_part(types[i], key[0] + i * 64,
                                        key[1] + i * 64));
                ck_assert(!compare_part(types[i], key[0] + i * 64,
                                        record + s.fields[i].offset));
            }
            if (pair < 2)
                damage(&s, wire[0], bytes[0]);
        }
        warp_arena_reset(&arena);
    }
    warp_arena_free(&arena);
}
END_TEST

START_TEST(index_values_order_and_end_themselves)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct random r = {UINT64_C(0xabcd) + (uint64_t)_i * 7919, &arena};
    for (unsigned round = 0; round < 4000; round++) {
        const struct warp_type *type = random_scalar(&r);
        _Alignas(16) uint8_t value[2][64];
        uint8_t wire[2][KEY_BYTES_MAX];
        size_t bytes[2];
        for (unsigned k = 0; k < 2; k++) {
            random_value(&r, type, value[k]);
            memset(wire[k], (int)random_below(&r, 2) * 0xff, KEY_BYTES_MAX);
            ck_assert_int_eq(key_encode_value(type, value[k], wire[k],
                                              &bytes[k], NULL), 0);
        }
        int order = compare_part(type, value[0], value[1]);
        /* what follows the shorter one does not decide */
        int found = memcmp(wire[0], wire[1], KEY_BYTES_MAX);
        if (order)
            ck_assert_int_eq((found > 0) - (found < 0), order);
        else
            ck_assert(bytes[0] == bytes[1] &&
                      !memcmp(wire[0], wire[1], bytes[0]));
        warp_arena_reset(&arena);
    }
    warp_arena_free(&arena);
}
END_TEST

START_TEST(long_index_values_keep_equality)
{
    static char text[2][5000];
    for (unsigned fill = 0; fill < 2; fill++)
        for (uint32_t len = 190; len < 5000; len += len < 500 ? 1 : 501) {
            uint8_t wire[3][KEY_BYTES_MAX];
            size_t bytes[3];
            memset(text, fill ? 'x' : 0, sizeof text);
            text[1][len - 1] = 'y'; /* behind the cut */
            struct warp_str v[3] = {{text[0], len}, {text[1], len},
                                    {text[0], len}};
            for (unsigned k = 0; k < 3; k++)
                ck_assert_int_eq(key_encode_value(&warp_type_string, &v[k],
                                                  wire[k], &bytes[k], NULL), 0);
            ck_assert_uint_le(bytes[0], 418);
            ck_assert_uint_eq(bytes[0], bytes[2]);
            ck_assert(!memcmp(wire[0], wire[2], bytes[0]));
            ck_assert(bytes[0] != bytes[1] ||
                      memcmp(wire[0], wire[1], bytes[0]));
        }
    const struct warp_type wide = {.name = "bytes<1000>",
                                   .kind = WARP_T_FIXED_BYTES, .plain = 1,
                                   .size = 1000, .wire_bytes = 1000,
                                   .count = 1000};
    uint8_t a[KEY_BYTES_MAX], b[KEY_BYTES_MAX];
    size_t a_bytes, b_bytes;
    ck_assert_int_eq(key_encode_value(&wide, text[0], a, &a_bytes, NULL), 0);
    text[0][999] ^= 1;
    ck_assert_int_eq(key_encode_value(&wide, text[0], b, &b_bytes, NULL), 0);
    ck_assert_uint_eq(a_bytes, b_bytes);
    ck_assert(memcmp(a, b, a_bytes));
}
END_TEST

static int encode_one(const struct warp_type *type, const void *value,
                      const char **why)
{
    struct shape s;
    uint8_t to[KEY_BYTES_MAX];
    size_t bytes;
    *why = "";
    shape_init(&s, &type, 1);
    return key_encode(&s.product, value, to, &bytes, why);
}

START_TEST(what_is_no_key_is_refused)
{
    const char *why;
    float nan = __builtin_nanf("");
    ck_assert_int_eq(encode_one(&warp_type_f32, &nan, &why), WARP_EINVAL);
    ck_assert_str_eq(why, "is NaN, which has no order");
    uint8_t two = 2;
    ck_assert_int_eq(encode_one(&warp_type_bool, &two, &why), WARP_EINVAL);
    ck_assert_str_eq(why, "is a bool that is neither 0 nor 1");
    struct warp_str text = {"ab\xff", 3};
    ck_assert_int_eq(encode_one(&warp_type_string, &text, &why), WARP_EINVAL);
    ck_assert_str_eq(why, "is not valid UTF-8 at byte 2");
    ck_assert_int_eq(encode_one(&warp_type_bytes, &text, &why), 0);
    text.data = NULL;
    ck_assert_int_eq(encode_one(&warp_type_bytes, &text, &why), WARP_EINVAL);
    ck_assert_str_eq(why, "has a length of 3 and no data");
    static char zeros[KEY_BYTES_MAX + 1];
    text = (struct warp_str){zeros, KEY_BYTES_MAX};
    ck_assert_int_eq(encode_one(&warp_type_bytes, &text, &why), 0);
    text.len++;
    ck_assert_int_eq(encode_one(&warp_type_bytes, &text, &why), WARP_ELIMIT);
    ck_assert_str_eq(why, "makes a key longer than 448 bytes");
    const struct warp_type five = {.name = "string<5>", .kind = WARP_T_STRING,
                                   .size = sizeof text, .count = 5};
    text = warp_str("sixsix");
    ck_assert_int_eq(encode_one(&five, &text, &why), WARP_ELIMIT);
    ck_assert_str_eq(why, "has 6 bytes, at most 5 fit");
    ck_assert_int_eq(encode_one(&warp_type_value_map, &text, &why),
                     WARP_EINVAL);
}
END_TEST

START_TEST(composites_respect_the_limit)
{
    static char zeros[KEY_BYTES_MAX];
    const struct warp_type *types[2] = {&warp_type_bytes, &warp_type_u64};
    struct shape s;
    shape_init(&s, types, 2);
    _Alignas(16) uint8_t key[RECORD_BYTES] = {0};
    for (uint32_t len = 0; len <= KEY_BYTES_MAX; len++) {
        uint8_t *to = malloc(KEY_BYTES_MAX);
        size_t bytes;
        memcpy(key, &(struct warp_str){zeros, len}, sizeof(struct warp_str));
        int rc = key_encode(&s.product, key, to, &bytes, NULL);
        ck_assert_int_eq(rc, 2 * len + 2 + 8 <= KEY_BYTES_MAX ? 0
                                                              : WARP_ELIMIT);
        free(to);
    }
}
END_TEST

START_TEST(minus_zero_is_zero)
{
    double zero = 0.0, minus = -0.0;
    uint8_t a[KEY_BYTES_MAX], b[KEY_BYTES_MAX];
    size_t bytes;
    struct shape s;
    const struct warp_type *type = &warp_type_f64;
    shape_init(&s, &type, 1);
    ck_assert_int_eq(key_encode(&s.product, &zero, a, &bytes, NULL), 0);
    ck_assert_int_eq(key_encode(&s.product, &minus, b, &bytes, NULL), 0);
    ck_assert(!memcmp(a, b, 8));
    /* the bytes that -0 would have had */
    static const uint8_t bad[8] = {0x7f, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff};
    ck_assert_int_eq(key_decode(&s.product, bad, 8, &zero, NULL, NULL),
                     WARP_ECORRUPT);
}
END_TEST

START_TEST(text_needs_an_arena)
{
    struct shape s;
    const struct warp_type *type = &warp_type_string;
    struct warp_str out;
    shape_init(&s, &type, 1);
    ck_assert_int_eq(key_decode(&s.product, (const uint8_t *)"ab", 2, &out,
                                NULL, NULL), WARP_EINVAL);
    ck_assert_int_eq(key_decode(&s.product, (const uint8_t *)"", 0, &out, NULL,
                                NULL), 0);
    ck_assert_uint_eq(out.len, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("key");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_loop_test(all, bytes_order_as_keys, 0, 8);
    tcase_add_loop_test(all, index_values_order_and_end_themselves, 0, 8);
    tcase_add_test(all, long_index_values_keep_equality);
    tcase_add_test(all, what_is_no_key_is_refused);
    tcase_add_test(all, composites_respect_the_limit);
    tcase_add_test(all, minus_zero_is_zero);
    tcase_add_test(all, text_needs_an_arena);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
