/* The descriptor of a schema: encoding, a decoder that trusts nothing,
 * layouts, fingerprints. What a comparison says is in descriptor_compare.c. */
#include "descriptor.h"
#include "descriptor_sample.h"

#include <warp/gen.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *encode_sample(size_t *size)
{
    struct sample sample;
    uint8_t *bytes;
    sample_make(&sample);
    ck_assert_int_eq(descriptor_encode(&sample.all, &bytes, size), 0);
    return bytes;
}

static void seal(uint8_t *bytes, size_t size)
{
    uint32_t crc = descriptor_crc(0, bytes, 24);
    crc = descriptor_crc(crc, bytes + DESCRIPTOR_HEADER_BYTES,
                         size - DESCRIPTOR_HEADER_BYTES);
    for (int i = 0; i < 4; i++)
        bytes[24 + i] = (uint8_t)(crc >> (8 * i));
}

START_TEST(decoded_and_encoded_again_is_the_same)
{
    size_t size, again_size;
    uint8_t *bytes = encode_sample(&size), *again;
    struct descriptor *d;
    ck_assert_int_eq(descriptor_decode(bytes, size, &d, NULL), 0);
    ck_assert_int_eq(descriptor_encode(d, &again, &again_size), 0);
    ck_assert_uint_eq(size, again_size);
    ck_assert_mem_eq(bytes, again, size);
    ck_assert_str_eq(d->name, "game");
    ck_assert_uint_eq(d->product_count, 2);
    ck_assert_str_eq(d->products[0].fields[3].name, "gold");
    ck_assert_uint_eq(d->products[0].fields[3].survives,
                      WARP_SURVIVES_POWER_LOSS);
    ck_assert_int_eq((int)d->products[0].fields[3].value.i, -7);
    ck_assert_ptr_eq(d->products[0].strategy, &d->strategies[0]);
    ck_assert_str_eq(d->strategies[0].memory_pool, "hot");
    ck_assert_ptr_null(d->strategies[0].gpu_memory_pool);
    descriptor_destroy(&d);
    ck_assert_ptr_null(d);
    free(again);
    free(bytes);
}
END_TEST

START_TEST(layout_is_that_of_c)
{
    struct vec {
        float x, y;
    } vec;
    struct odd {
        uint8_t a;
        bool has_b;
        struct vec b;
        uint64_t c;
    };
    struct sum {
        int tag;
        union {
            struct odd odd;
            struct vec vec;
        } u;
    };
    struct entity {
        uint64_t id;
        struct warp_str name;
        struct vec pos;
        int64_t gold;
        struct sum sum;
        uint8_t small;
        uint64_t have;
    };
    struct key {
        uint64_t id;
        struct warp_str name;
    };
    size_t size;
    uint8_t *bytes = encode_sample(&size);
    struct descriptor *d;
    const struct descriptor_product *p;
    ck_assert_int_eq(descriptor_decode(bytes, size, &d, NULL), 0);
    p = &d->products[0];
    ck_assert_uint_eq(p->record_bytes, sizeof(struct entity));
    ck_assert_uint_eq(p->have_offset, offsetof(struct entity, have));
    ck_assert_uint_eq(p->key_bytes, sizeof(struct key));
    ck_assert_uint_eq(p->fields[1].key_offset, offsetof(struct key, name));
    ck_assert_uint_eq(p->fields[4].offset, offsetof(struct entity, sum));
    ck_assert_uint_eq(p->fields[5].offset, offsetof(struct entity, small));
    ck_assert_uint_eq(p->fields[6].offset, UINT32_MAX); /* the series */
    ck_assert_uint_eq(p->all, 0x3c);
    ck_assert_uint_eq(p->fields[2].type->size, sizeof vec);
    ck_assert(p->fields[2].type->plain);
    ck_assert_uint_eq(p->fields[2].type->wire_bytes, 8);
    ck_assert_uint_eq(p->fields[4].type->size, sizeof(struct sum));
    ck_assert_uint_eq(p->fields[4].type->members[0].offset,
                      offsetof(struct sum, u));
    ck_assert_uint_eq(p->fields[4].type->members[0].type->members[1].has_offset,
                      offsetof(struct odd, has_b));
    ck_assert_uint_eq(p->fields[4].type->members[0].type->wire_bytes, 0);
    descriptor_destroy(&d);
    free(bytes);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
    size_t size;
    uint8_t *bytes = encode_sample(&size);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *part = malloc(cut ? cut : 1);
        struct descriptor_fault fault;
        struct descriptor *d;
        memcpy(part, bytes, cut);
        ck_assert_int_eq(descriptor_decode(part, cut, &d, &fault),
                         DESCRIPTOR_ECORRUPT);
        ck_assert_ptr_null(d);
        ck_assert(fault.what[0] != '\0');
        if (cut > DESCRIPTOR_HEADER_BYTES) { /* a truncation that is sealed */
            size_t body = cut - DESCRIPTOR_HEADER_BYTES;
            for (int i = 0; i < 4; i++)
                part[12 + i] = (uint8_t)(body >> (8 * i));
            seal(part, cut);
            ck_assert_int_eq(descriptor_decode(part, cut, &d, &fault),
                             DESCRIPTOR_ECORRUPT);
        }
        free(part);
    }
    free(bytes);
}
END_TEST

START_TEST(every_flipped_bit_is_refused)
{
    size_t size;
    uint8_t *bytes = encode_sample(&size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        struct descriptor *d;
        int error;
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        error = descriptor_decode(bytes, size, &d, NULL);
        ck_assert(error == DESCRIPTOR_ECORRUPT ||
                  (error == DESCRIPTOR_EVERSION && bit / 8 / 2 == 4));
        ck_assert_ptr_null(d);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    free(bytes);
}
END_TEST

/* With the checksum made right again, so that the damage gets past it. What
 * is accepted must hold together: it encodes to the same bytes. */
START_TEST(damage_under_a_right_checksum_never_crashes)
{
    size_t size;
    uint8_t *good = encode_sample(&size), *bytes = malloc(size);
    uint32_t seed = 1;
    unsigned accepted = 0;
    for (unsigned round = 0; round < 60000; round++) {
        struct descriptor *d;
        memcpy(bytes, good, size);
        for (unsigned n = round % 4 + 1; n > 0; n--) {
            size_t at;
            seed = seed * 1664525 + 1013904223;
            at = DESCRIPTOR_HEADER_BYTES +
                 (seed >> 8) % (size - DESCRIPTOR_HEADER_BYTES);
            seed = seed * 1664525 + 1013904223;
            bytes[at] = (uint8_t)(round & 4 ? seed >> 24
                                            : bytes[at] ^ 1u << (seed >> 29));
        }
        seal(bytes, size);
        if (descriptor_decode(bytes, size, &d, NULL) == 0) {
            uint8_t *again;
            size_t again_size;
            accepted++;
            ck_assert_int_eq(descriptor_encode(d, &again, &again_size), 0);
            ck_assert_uint_eq(again_size, size);
            ck_assert_mem_eq(again, bytes, size);
            free(again);
            descriptor_destroy(&d);
        }
        ck_assert_ptr_null(d);
    }
    /* hints and strategies are outside the fingerprint: some get through */
    ck_assert_uint_gt(accepted, 100);
    free(bytes);
    free(good);
}
END_TEST

START_TEST(noise_is_refused)
{
    uint32_t seed = 7;
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t bytes[200];
        size_t size = 33 + round % 167;
        struct descriptor *d;
        for (size_t i = 0; i < size; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(seed >> 24);
        }
        memcpy(bytes, "warp.wsd\1\0\0\0", 12);
        for (int i = 0; i < 4; i++)
            bytes[12 + i] = (uint8_t)((size - 32) >> (8 * i));
        memset(bytes + 28, 0, 4);
        seal(bytes, size);
        ck_assert_int_eq(descriptor_decode(bytes, size, &d, NULL),
                         DESCRIPTOR_ECORRUPT);
    }
}
END_TEST

START_TEST(the_fingerprint_is_of_the_structure)
{
    struct sample a, b;
    sample_make(&a);
    sample_make(&b);
    ck_assert_uint_eq(a.all.fingerprint, b.all.fingerprint);
    b.fields[3].priority = WARP_PRIORITY_LOW;
    b.strategies[0].gpu_batch_count = 5;
    ck_assert_int_eq(descriptor_fingerprint(&b.all), 0);
    ck_assert_uint_eq(a.all.fingerprint, b.all.fingerprint);
    b.fields[3].home = WARP_HOME_SSD;
    ck_assert_int_eq(descriptor_fingerprint(&b.all), 0);
    ck_assert_uint_ne(a.all.fingerprint, b.all.fingerprint);
    sample_make(&b);
    b.vec_members[1].name = "z";
    ck_assert_int_eq(descriptor_fingerprint(&b.all), 0);
    ck_assert_uint_ne(a.all.fingerprint, b.all.fingerprint);
}
END_TEST

START_TEST(the_crc_is_crc32c)
{
    ck_assert_uint_eq(descriptor_crc(0, (const uint8_t *)"123456789", 9),
                      0xe3069283);
}
END_TEST

/* The numbers of gen.h stand in both rooms. */
START_TEST(numbers_are_those_of_gen_h)
{
    ck_assert_int_eq((int)DESCRIPTOR_KIND_LAST, (int)WARP_T_SUM);
    ck_assert_int_eq((int)DESCRIPTOR_STRING, (int)WARP_T_STRING);
    ck_assert_int_eq((int)DESCRIPTOR_FIXED_BYTES, (int)WARP_T_FIXED_BYTES);
    ck_assert_int_eq((int)DESCRIPTOR_VALUE_MAP, (int)WARP_T_VALUE_MAP);
    ck_assert_int_eq((int)DESCRIPTOR_ENUM, (int)WARP_T_ENUM);
    ck_assert_int_eq((int)DESCRIPTOR_HOME_LAST, (int)WARP_HOME_HYBRID);
    ck_assert_int_eq((int)DESCRIPTOR_HOME_DISK_ONLY, (int)WARP_HOME_DISK_ONLY);
    ck_assert_int_eq((int)DESCRIPTOR_HOME_COMPUTED, (int)WARP_HOME_COMPUTED);
    ck_assert_int_eq((int)DESCRIPTOR_F_KEY, (int)WARP_F_KEY);
    ck_assert_int_eq((int)DESCRIPTOR_F_SERIES, (int)WARP_F_SERIES);
    ck_assert_int_eq((int)DESCRIPTOR_F_DERIVED, (int)WARP_F_DERIVED);
    ck_assert_int_eq((int)DESCRIPTOR_F_INDEX, (int)WARP_F_INDEX);
    ck_assert_int_eq((int)DESCRIPTOR_F_UNIQUE, (int)WARP_F_UNIQUE);
    ck_assert_int_eq((int)DESCRIPTOR_F_COLUMN, (int)WARP_F_COLUMN);
    ck_assert_int_eq((int)DESCRIPTOR_F_DEPRECATED, (int)WARP_F_DEPRECATED);
    ck_assert_int_eq((int)DESCRIPTOR_F_INLINE, (int)WARP_F_INLINE);
    ck_assert_int_eq((int)DESCRIPTOR_F_THEN_DELETE, (int)WARP_F_THEN_DELETE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("descriptor");
    TCase *tcase = tcase_create("descriptor");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, decoded_and_encoded_again_is_the_same);
    tcase_add_test(tcase, layout_is_that_of_c);
    tcase_add_test(tcase, every_truncation_is_refused);
    tcase_add_test(tcase, every_flipped_bit_is_refused);
    tcase_add_test(tcase, damage_under_a_right_checksum_never_crashes);
    tcase_add_test(tcase, noise_is_refused);
    tcase_add_test(tcase, the_fingerprint_is_of_the_structure);
    tcase_add_test(tcase, the_crc_is_crc32c);
    tcase_add_test(tcase, numbers_are_those_of_gen_h);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
