/* convert.c: stored values of one type as values of a later one: every pair of
 * kinds and the ends of their ranges, and what is refused. What is expected is
 * worked out here, from the kinds alone. */
#include "convert_scene.h"

#include <float.h>
#include <math.h>

/* ---- numbers ---- */

static size_t bytes_of(int kind)
{
    if (kind >= DESCRIPTOR_U8 && kind <= DESCRIPTOR_U64)
        return (size_t)1 << (kind - DESCRIPTOR_U8);
    if (kind >= DESCRIPTOR_I8 && kind <= DESCRIPTOR_I64)
        return (size_t)1 << (kind - DESCRIPTOR_I8);
    return kind == DESCRIPTOR_TIMESTAMP || kind == DESCRIPTOR_DURATION ? 8 : 0;
}

static bool fits(int kind, __int128 v)
{
    int bits = 8 * (int)bytes_of(kind);
    __int128 one = 1;
    if (kind <= DESCRIPTOR_U64)
        return v >= 0 && v < one << bits;
    return v >= -(one << (bits - 1)) && v < one << (bits - 1);
}

static const int integers[] = {
    DESCRIPTOR_U8,  DESCRIPTOR_U16,       DESCRIPTOR_U32,     DESCRIPTOR_U64,
    DESCRIPTOR_I8,  DESCRIPTOR_I16,       DESCRIPTOR_I32,     DESCRIPTOR_I64,
    DESCRIPTOR_TIMESTAMP, DESCRIPTOR_DURATION};
enum { INTEGERS = sizeof integers / sizeof integers[0] };

/* Around every power of two that is the end of a range, both signs. */
START_TEST(integers_that_fit_are_kept)
{
    int old = integers[_i / INTEGERS], new = integers[_i % INTEGERS];
    uint32_t kept = 0, refused = 0;
    for (int bit = 0; bit <= 64; bit++)
        for (int off = -1; off <= 1; off++)
            for (int sign = -1; sign <= 1; sign += 2) {
                __int128 v = sign * (((__int128)1 << bit) + off);
                struct wire from = {.bytes = 0}, want = {.bytes = 0};
                if (!fits(old, v))
                    continue;
                add_int(&from, v, bytes_of(old));
                add_int(&want, v, bytes_of(new));
                if (fits(new, v)) {
                    must(scalar[old], scalar[new], &from, &want);
                    kept++;
                } else {
                    ck_assert_int_eq(turn(scalar[old], scalar[new], &from),
                                     WARP_ERANGE);
                    refused++;
                }
            }
    ck_assert_uint_gt(kept, 20);
    if (old == DESCRIPTOR_U64 && new != DESCRIPTOR_U64)
        ck_assert_uint_gt(refused, 0);
}
END_TEST

/* A real keeps its value exactly, or is refused. */
START_TEST(reals_are_kept_exactly)
{
    static const struct {
        double v;
        bool narrow;
    } cases[] = {{0.0, true},        {-0.0, true},  {1.5, true},
                 {-3.25e4, true},   {0.1, false},  {1e39, false},
                 {-1e39, false},     {1e-46, false}, {(double)FLT_MAX, true},
                 {16777217.0, false}, {INFINITY, true}, {-INFINITY, true}};
    const struct descriptor_type *f32 = scalar[DESCRIPTOR_F32],
                                 *f64 = scalar[DESCRIPTOR_F64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wire wide = {.bytes = 0}, narrow = {.bytes = 0};
        add(&wide, &cases[i].v, sizeof cases[i].v);
        if (!cases[i].narrow) {
            ck_assert_int_eq(turn(f64, f32, &wide), WARP_ERANGE);
            continue;
        }
        float f = (float)cases[i].v;
        add(&narrow, &f, sizeof f);
        must(f64, f32, &wide, &narrow);
        must(f32, f64, &narrow, &wide);
    }
    double nan_wide = (double)NAN;
    float nan_narrow = NAN, back;
    struct wire wide = {.bytes = 0}, narrow = {.bytes = 0};
    add(&wide, &nan_wide, sizeof nan_wide);
    add(&narrow, &nan_narrow, sizeof nan_narrow);
    ck_assert_int_eq(turn(f64, f32, &wide), WARP_OK);
    memcpy(&back, convert.bytes, sizeof back);
    ck_assert(convert.used == sizeof back && isnan(back));
    ck_assert_int_eq(turn(f32, f64, &narrow), WARP_OK);
    memcpy(&nan_wide, convert.bytes, sizeof nan_wide);
    ck_assert(convert.used == sizeof nan_wide && isnan(nan_wide));
}
END_TEST

static int family(int kind)
{
    if (bytes_of(kind))
        return 1;
    if (kind == DESCRIPTOR_F32 || kind == DESCRIPTOR_F64)
        return 2;
    return kind >= DESCRIPTOR_STRING && kind <= DESCRIPTOR_OPAQUE ? 3 : -kind;
}

/* Of two kinds that are no kin nothing is made, whatever the value. */
START_TEST(other_kinds_are_refused)
{
    static const uint8_t zeros[16];
    for (int old = DESCRIPTOR_BOOL; old <= DESCRIPTOR_OPAQUE; old++)
        for (int new = DESCRIPTOR_BOOL; new <= DESCRIPTOR_OPAQUE; new++) {
            struct wire from = {.bytes = 0};
            add(&from, zeros, family(old) == 3 ? 0 : scalar[old]->wire_bytes);
            int rc = turn(scalar[old], scalar[new], &from);
            ck_assert_msg(rc == (family(old) == family(new) ? WARP_OK
                                                            : WARP_ERANGE),
                          "kind %d to %d: %d", old, new, rc);
        }
}
END_TEST

START_TEST(enumerators_are_known_by_their_values)
{
    static const struct descriptor_enumerator few[] = {{"a", 1}, {"b", 200}},
                                              more[] = {{"a", 1},
                                                        {"b", 200},
                                                        {"c", -70000}};
    struct descriptor_type *narrow = make_enum(1, false, 2, few),
                           *wide = make_enum(4, true, 3, more);
    finish();
    static const int64_t values[] = {1, 200, -70000, 7};
    for (int i = 0; i < 4; i++) {
        struct wire small = {.bytes = 0}, large = {.bytes = 0};
        add_int(&small, values[i], 1);
        add_int(&large, values[i], 4);
        if (i < 2) {
            must(narrow, wide, &small, &large);
            must(wide, narrow, &large, &small);
        } else {
            ck_assert_int_eq(turn(wide, narrow, &large), WARP_ERANGE);
        }
        ck_assert_int_eq(turn(wide, scalar[DESCRIPTOR_I32], &large),
                         WARP_ERANGE);
        ck_assert_int_eq(turn(scalar[DESCRIPTOR_I32], wide, &large),
                         WARP_ERANGE);
    }
}
END_TEST

/* ---- text ---- */

/* At the top of a field text is the bare bytes. */
START_TEST(text_keeps_its_bytes)
{
    struct descriptor_type *short_of[] = {make(DESCRIPTOR_STRING, 5),
                                          make(DESCRIPTOR_BYTES, 5)};
    struct wire six = {.bytes = 0}, five = {.bytes = 0}, bad = {.bytes = 0};
    finish();
    add(&six, "\xc3\xa4" "bcde", 7);
    add(&five, "abcde", 5);
    add(&bad, "a\xff", 2);
    for (int old = DESCRIPTOR_STRING; old <= DESCRIPTOR_OPAQUE; old++) {
        for (int new = DESCRIPTOR_STRING; new <= DESCRIPTOR_OPAQUE; new++) {
            must(scalar[old], scalar[new], &six, &six);
            if (new == DESCRIPTOR_STRING)
                ck_assert_int_eq(turn(scalar[old], scalar[new], &bad),
                                 WARP_ERANGE);
            else
                must(scalar[old], scalar[new], &bad, &bad);
        }
        for (int i = 0; i < 2; i++) {
            must(scalar[old], short_of[i], &five, &five);
            ck_assert_int_eq(turn(scalar[old], short_of[i], &six),
                             WARP_ERANGE);
        }
    }
    ck_assert_int_eq(convert_value(&convert, scalar[DESCRIPTOR_STRING],
                                   scalar[DESCRIPTOR_BYTES], five.at,
                                   (size_t)1 << 32),
                     WARP_ERANGE); /* longer than any value */
}
END_TEST

static void fill(TCase *tcase)
{
    tcase_add_loop_test(tcase, integers_that_fit_are_kept, 0,
                        INTEGERS * INTEGERS);
    tcase_add_test(tcase, reals_are_kept_exactly);
    tcase_add_test(tcase, other_kinds_are_refused);
    tcase_add_test(tcase, enumerators_are_known_by_their_values);
    tcase_add_test(tcase, text_keeps_its_bytes);
}

int main(void)
{
    return run_tests("convert", fill);
}
