/* Elements to columns and back: random types and values, columns of numbers of
 * every shape, damage. WARP_SEED replays a run. */
#include "codec.h"
#include "random_type.h"
#include "series_number.h"
#include "series_pack.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 700 };

static struct series_pack *pack;

static uint64_t seed(void)
{
    const char *text = getenv("WARP_SEED");
    return text ? strtoull(text, NULL, 0) : UINT64_C(0x5eed0003);
}

static void set_up(void)
{
    ck_assert_int_eq(series_pack_create(&pack), WARP_OK);
}

static void tear_down(void)
{
    series_pack_destroy(&pack);
}

/* ---- numbers ---- */

static int64_t number(struct random *r, int shape, uint32_t i)
{
    switch (shape) {
    case 0:
        return 42;
    case 1:
        return (int64_t)i * 60000 + 1700000000000;
    case 2:
        return (int64_t)i * 60000 + random_below(r, 100);
    case 3:
        return (int64_t)random_below(r, 7) - 3;
    case 4:
        return random_below(r, 50) ? 5 : INT64_MIN + random_below(r, 9);
    case 5:
        return (int64_t)((uint64_t)random_below(r, UINT32_MAX) << 32 |
                         random_below(r, UINT32_MAX));
    case 6:
        return i % 2 ? INT64_MAX : INT64_MIN;
    default:
        return (int64_t)i * i;
    }
}

START_TEST(integers_come_back)
{
    static const size_t most[] = {8, 30, 900, 400, NUMBERS * 9, NUMBERS * 9,
                                  NUMBERS * 9, 300};
    struct random r = {seed() + (uint64_t)_i, NULL};
    static const uint32_t counts[] = {1, 2, 3, 64, 65, 66, NUMBERS};
    for (uint32_t c = 0; c < 7; c++) {
        uint32_t count = counts[c];
        int64_t v[NUMBERS], back[NUMBERS];
        struct text to = TEXT_INIT;
        for (uint32_t i = 0; i < count; i++)
            v[i] = number(&r, _i, i);
        pack_integers(&to, v, count, NULL);
        ck_assert(!to.failed);
        ck_assert_uint_le(to.used, most[_i]);
        struct pack_reader read = {(uint8_t *)to.data,
                                   (uint8_t *)to.data + to.used, false};
        ck_assert(unpack_integers(&read, back, count, NULL));
        ck_assert_ptr_eq(read.at, read.end);
        ck_assert_int_eq(memcmp(v, back, count * sizeof *v), 0);
        /* The same column again costs a byte. */
        text_clear(&to);
        pack_integers(&to, v, count, v);
        ck_assert_uint_eq(to.used, 1);
        text_free(&to);
    }
}
END_TEST

static double measured(struct random *r, int shape, uint32_t i)
{
    static double walk;
    switch (shape) {
    case 0:
        return 21.5;
    case 1: /* a sensor with two decimals */
        walk = i == 0 ? 20 : walk + (random_below(r, 21) - 10.0) / 100;
        return floor(walk * 100 + 0.5) / 100;
    case 2: /* the same with a value that is none now and then */
        return i % 40 == 7 ? NAN : (double)random_below(r, 1000) / 10;
    case 3:
        return sin(i / 10.0);
    case 4:
        return random_below(r, 4) ? 1.5 : -0.0;
    case 5:
        return ldexp(random_below(r, 1u << 30), (int)random_below(r, 600));
    default:
        return i % 3 == 0 ? INFINITY : i % 3 == 1 ? 5e-324 : -1e308;
    }
}

START_TEST(floats_come_back_to_the_bit)
{
    /* Bytes for a hundred values: of doubles, of floats. */
    static const size_t most[][2] = {{10, 10},   {120, 120},  {190, 300},
                                     {900, 450}, {120, 120},  {1000, 500},
                                     {1000, 500}};
    struct random r = {seed() + (uint64_t)_i, NULL};
    for (uint32_t bytes = 4; bytes <= 8; bytes += 4) {
        uint64_t v[NUMBERS], back[NUMBERS];
        int64_t scratch[NUMBERS];
        struct text to = TEXT_INIT;
        for (uint32_t i = 0; i < NUMBERS; i++) {
            double d = measured(&r, _i, i);
            float f = (float)d;
            uint32_t narrow;
            memcpy(&v[i], &d, sizeof d);
            memcpy(&narrow, &f, sizeof f);
            if (bytes == 4)
                v[i] = narrow;
        }
        pack_floats(&to, v, NUMBERS, bytes, scratch);
        ck_assert(!to.failed);
        ck_assert_uint_le(to.used, most[_i][bytes == 8 ? 0 : 1] * 7 + 20);
        struct pack_reader read = {(uint8_t *)to.data,
                                   (uint8_t *)to.data + to.used, false};
        ck_assert(unpack_floats(&read, back, NUMBERS, bytes, scratch));
        ck_assert_ptr_eq(read.at, read.end);
        ck_assert_int_eq(memcmp(v, back, sizeof v), 0);
        text_free(&to);
    }
}
END_TEST

/* ---- elements ---- */

static uint8_t *exact(const void *from, size_t bytes)
{
    uint8_t *copy = malloc(bytes ? bytes : 1);
    ck_assert_ptr_nonnull(copy);
    if (bytes)
        memcpy(copy, from, bytes);
    return copy;
}

/* Top-level text is the bare bytes. */
static uint8_t *element(struct random *r, const struct warp_type *type,
                        void *value, uint32_t *bytes)
{
    size_t n = 0;
    const char *why = "";
    random_value(r, type, value);
    ck_assert_msg(codec_size(type, value, &n, &why) == 0, "%s", why);
    uint8_t *wire = warp_arena_alloc(r->arena, n + 1);
    codec_encode(type, value, wire);
    *bytes = (uint32_t)n;
    return wire;
}

static void damage(struct random *r, const struct warp_type *type,
                   const struct text *packed, uint32_t count, bool orders,
                   uint32_t raw)
{
    struct series_item *items;
    for (unsigned n = 0; n < 60; n++) {
        size_t bytes = packed->used;
        if (n % 4 == 0)
            bytes = random_below(r, (uint32_t)bytes + 1);
        uint8_t *bad = exact(packed->data, bytes);
        if (bytes > 0)
            bad[random_below(r, (uint32_t)bytes)] ^=
                (uint8_t)(1u << random_below(r, 8));
        int rc = series_unpack_items(pack, type, bad, bytes, count, orders, 0,
                                     raw, &items);
        ck_assert(rc == WARP_OK || rc == WARP_ECORRUPT);
        uint32_t sum = 0;
        for (uint32_t i = 0; rc == WARP_OK && i < count; i++)
            sum += items[i].bytes;
        ck_assert(rc != WARP_OK || sum == raw);
        free(bad);
    }
}

START_TEST(elements_of_any_type_come_back)
{
    struct warp_arena arena = WARP_ARENA_INIT;
    struct random r = {seed() + (uint64_t)_i * 7919, &arena};
    for (unsigned round = 0; round < 25; round++) {
        const struct warp_type *type = random_type(&r, 3);
        uint32_t count = 1 + random_below(&r, 60), raw = 0;
        bool orders = random_below(&r, 2);
        struct series_item in[60], *out;
        struct text packed = TEXT_INIT;
        int64_t at = (int64_t)random_below(&r, 1000) - 500;
        void *value = warp_arena_alloc(&arena, type->size + 1);
        for (uint32_t i = 0; i < count; i++) {
            at += random_below(&r, 3) ? random_below(&r, 5000) : 0;
            in[i] = (struct series_item){at, ((uint64_t)i + 1) << 16, NULL, 0};
            in[i].data = element(&r, type, value, &in[i].bytes);
            raw += in[i].bytes;
        }
        ck_assert_int_eq(series_pack_items(pack, type, in, count, orders,
                                           WARP_COMPRESS_DEFAULT, &packed),
                         WARP_OK);
        uint8_t *copy = exact(packed.data, packed.used);
        ck_assert_int_eq(series_unpack_items(pack, type, copy, packed.used,
                                             count, orders, 9, raw, &out),
                         WARP_OK);
        for (uint32_t i = 0; i < count; i++) {
            ck_assert_int_eq(out[i].at, in[i].at);
            ck_assert_uint_eq(out[i].bytes, in[i].bytes);
            ck_assert_int_eq(
                memcmp(out[i].data, in[i].data, in[i].bytes), 0);
            if (orders)
                ck_assert_uint_eq(out[i].order, in[i].order);
            else if (i == 0)
                ck_assert_uint_eq(out[i].order, 9);
            else
                ck_assert_uint_eq(out[i].order, out[i].at == out[i - 1].at
                                                    ? out[i - 1].order + 1
                                                    : 0);
        }
        damage(&r, type, &packed, count, orders, raw);
        free(copy);
        text_free(&packed);
        warp_arena_reset(&arena);
        /* A pack keeps what it knows of a type: this one is gone. */
        tear_down();
        set_up();
    }
    warp_arena_free(&arena);
}
END_TEST

static uint32_t packed_bytes(char texts[][40], uint32_t count)
{
    struct series_item *items = calloc(count, sizeof *items);
    struct text packed = TEXT_INIT;
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct series_item){i, i, (const uint8_t *)texts[i],
                                        (uint32_t)strlen(texts[i])};
    ck_assert_int_eq(series_pack_items(pack, &warp_type_string, items, count,
                                       false, WARP_COMPRESS_DEFAULT, &packed),
                     WARP_OK);
    uint32_t bytes = (uint32_t)packed.used;
    text_free(&packed);
    free(items);
    return bytes;
}

/* Few distinct texts are numbered, many are compressed together. */
START_TEST(texts_take_little)
{
    static char texts[1000][40];
    for (uint32_t i = 0; i < 1000; i++)
        snprintf(texts[i], 40, "state of the machine: %u", i * 7919 % 4);
    ck_assert_uint_le(packed_bytes(texts, 1000), 1000 * 2 / 8 + 220);
    for (uint32_t i = 0; i < 1000; i++)
        snprintf(texts[i], 40, "ticket %u of the machine", i * 7919 % 1000);
    ck_assert_uint_le(packed_bytes(texts, 1000), 1000 * 11);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("series_pack");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 100);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_loop_test(all, integers_come_back, 0, 8);
    tcase_add_loop_test(all, floats_come_back_to_the_bit, 0, 7);
    tcase_add_loop_test(all, elements_of_any_type_come_back, 0, 12);
    tcase_add_test(all, texts_take_little);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
