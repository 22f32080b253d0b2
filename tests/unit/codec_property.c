/* Random types and values: what is encoded is checked, decoded and equal; no
 * damage to the wire bytes crashes, and damage that is not refused is another
 * valid value with exactly these bytes. WARP_SEED replays a run. */
#include "codec.h"
#include "random_type.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed(void)
{
    const char *text = getenv("WARP_SEED");
    return text ? strtoull(text, NULL, 0) : UINT64_C(0x5eed0001);
}

/* A copy whose end is the end of its memory, so that a read past it shows. */
static uint8_t *exact(const void *from, size_t bytes)
{
    uint8_t *copy = malloc(bytes ? bytes : 1);
    ck_assert_ptr_nonnull(copy);
    if (bytes)
        memcpy(copy, from, bytes);
    return copy;
}

static void must_be_sound(const struct warp_type *type, const uint8_t *from,
                          size_t bytes)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    uint8_t *wire = exact(from, bytes), *out = malloc(type->size);
    memset(out, 0xaa, type->size);
    int checked = codec_check(type, wire, bytes);
    int decoded = codec_decode(type, wire, bytes, out, &arena);
    ck_assert_int_eq(checked, decoded);
    if (decoded == 0) {
        size_t again = 0;
        ck_assert_int_eq(codec_size(type, out, &again, NULL), 0);
        ck_assert_uint_eq(again, bytes);
        uint8_t *encoded = exact(wire, bytes);
        memset(encoded, 0x55, bytes);
        ck_assert_ptr_eq(codec_encode(type, out, encoded), encoded + bytes);
        ck_assert(!memcmp(encoded, wire, bytes));
        free(encoded);
    } else {
        ck_assert_int_eq(decoded, WARP_ECORRUPT);
    }
    warp_arena_free(&arena);
    free(out);
    free(wire);
}

static void damage(struct random *r, const struct warp_type *type,
                   const uint8_t *wire, size_t bytes)
{
    size_t step = bytes > 96 ? bytes / 96 : 1;
    for (size_t cut = 0; cut < bytes; cut += step)
        must_be_sound(type, wire, cut);
    uint8_t *bad = exact(wire, bytes);
    for (size_t i = 0; i < bytes; i += step)
        for (unsigned bit = 0; bit < 8; bit++) {
            bad[i] ^= (uint8_t)(1u << bit);
            must_be_sound(type, bad, bytes);
            bad[i] = wire[i];
        }
    for (unsigned i = 0; i < 16 && bytes; i++) {
        size_t at = random_below(r, (uint32_t)bytes);
        bad[at] = (uint8_t)random_below(r, 256);
        must_be_sound(type, bad, bytes);
    }
    free(bad);
}

START_TEST(values_come_back_and_damage_is_seen)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct random r = {seed() + (uint64_t)_i * 7919, &arena};
    for (unsigned round = 0; round < 60; round++) {
        const struct warp_type *type = random_type(&r, 4);
        void *value = warp_arena_alloc(&arena, type->size);
        random_value(&r, type, value);
        size_t bytes = 0;
        const char *why = "";
        ck_assert_msg(codec_size(type, value, &bytes, &why) == 0, "%s", why);
        uint8_t *wire = malloc(bytes ? bytes : 1);
        ck_assert_ptr_eq(codec_encode(type, value, wire), wire + bytes);
        if (type->wire_bytes)
            ck_assert_uint_eq(bytes, type->wire_bytes);
        ck_assert_int_eq(codec_check(type, wire, bytes), 0);
        void *back = warp_arena_alloc(&arena, type->size);
        ck_assert_int_eq(codec_decode(type, wire, bytes, back, &arena), 0);
        ck_assert(random_equal(type, value, back));
        must_be_sound(type, wire, bytes);
        if (bytes < 400)
            damage(&r, type, wire, bytes);
        free(wire);
        warp_arena_reset(&arena);
    }
    warp_arena_free(&arena);
}
END_TEST

START_TEST(noise_never_crashes)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct random r = {seed() + 77 + (uint64_t)_i, &arena};
    for (unsigned round = 0; round < 400; round++) {
        const struct warp_type *type = random_type(&r, 4);
        uint8_t noise[64];
        size_t bytes = random_below(&r, sizeof noise);
        for (size_t i = 0; i < bytes; i++)
            noise[i] = (uint8_t)(random_below(&r, 3) ? random_below(&r, 4)
                                                     : random_below(&r, 256));
        must_be_sound(type, noise, bytes);
        warp_arena_reset(&arena);
    }
    warp_arena_free(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("codec_property");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 100);
    tcase_add_loop_test(all, values_come_back_and_damage_is_seen, 0, 12);
    tcase_add_loop_test(all, noise_never_crashes, 0, 12);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
