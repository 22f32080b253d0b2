/* Written by warpc from schema.warp. Do not edit: change the schema. */
#include "schema.warp.h"

#include <math.h>
#include <warp/gen.h>

/* Another ABI of libwarp lacks this symbol. */
__attribute__((used)) static const int *const abi_0_ = &warp_gen_abi_1;

static int64_t div_i_(int64_t a, int64_t b)
{
    return b == 0 ? 0 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}
static int64_t mod_i_(int64_t a, int64_t b)
{
    return b == 0 || b == -1 ? 0 : a % b;
}
static int64_t abs_i_(int64_t a)
{
    return a < 0 ? (int64_t)(0 - (uint64_t)a) : a;
}
static int64_t min_i_(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static int64_t max_i_(int64_t a, int64_t b)
{
    return a > b ? a : b;
}
static float clamp_f32_(float x, float lo, float hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}
static void f_row_7_(const void *record, void *result)
{
    const struct f_row *self = record;
    *(float *)result = (log2f((1.0f + self->a)) * self->b);
}
static void f_row_8_(const void *record, void *result)
{
    const struct f_row *self = record;
    *(double *)result = ((pow(self->d, 2.0) + sqrt((double)self->a)) - ((1.0 / sqrt((double)self->b)) / 3.0));
}
static void f_row_9_(const void *record, void *result)
{
    const struct f_row *self = record;
    *(int64_t *)result = (int64_t)div_i_(self->m, (int64_t)self->n);
}
static void f_row_10_(const void *record, void *result)
{
    const struct f_row *self = record;
    *(int64_t *)result = (int64_t)((uint64_t)(int64_t)((uint64_t)(int64_t)mod_i_(self->m, (int64_t)INT64_C(7)) + (uint64_t)(int64_t)abs_i_(self->m)) - (uint64_t)(int64_t)((uint64_t)(int64_t)min_i_(self->m, (int64_t)INT64_C(5)) * (uint64_t)(int64_t)max_i_(self->m, (int64_t)INT64_C(2))));
}
static void f_row_11_(const void *record, void *result)
{
    const struct f_row *self = record;
    *(float *)result = clamp_f32_(floorf(self->a), 0.0f, 10.0f);
}
static void f_row_12_(const void *record, void *result)
{
    const struct f_row *self = record;
    *(float *)result = (((self->on && (self->a > self->b)) || (!((float)self->n == 0.0f))) ? self->a : (-self->b));
}
static void f_row_13_(const void *record, void *result)
{
    const struct f_row *self = record;
    *(double *)result = (((sin(self->d) * cos(self->d)) + exp(self->d)) + log(self->d));
}
static void f_row_14_(const void *record, void *result)
{
    const struct f_row *self = record;
    *(float *)result = (self->score * 2.0f);
}

/* Row */
_Static_assert(sizeof(struct f_row) == 104 &&
    offsetof(struct f_row, have) == 96, "layout of Row");
static const struct warp_field f0_[] = {
    { WARP_GEN_FIELD(f_row, id, &warp_type_u64, MEMORY, NORMAL), .flags = WARP_F_KEY, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(f_row, a, &warp_type_f32, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(f_row, b, &warp_type_f32, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(f_row, d, &warp_type_f64, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(f_row, n, &warp_type_u32, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(f_row, m, &warp_type_i64, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(f_row, on, &warp_type_bool, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(f_row, score, &warp_type_f32, COMPUTED, NORMAL), .flags = WARP_F_DERIVED, .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX,
      .derive = f_row_7_, .inputs = UINT64_C(0x6) },
    { WARP_GEN_FIELD(f_row, wide, &warp_type_f64, COMPUTED, NORMAL), .flags = WARP_F_DERIVED, .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX,
      .derive = f_row_8_, .inputs = UINT64_C(0xe) },
    { WARP_GEN_FIELD(f_row, ratio, &warp_type_i64, COMPUTED, NORMAL), .flags = WARP_F_DERIVED, .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX,
      .derive = f_row_9_, .inputs = UINT64_C(0x30) },
    { WARP_GEN_FIELD(f_row, rest, &warp_type_i64, COMPUTED, NORMAL), .flags = WARP_F_DERIVED, .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX,
      .derive = f_row_10_, .inputs = UINT64_C(0x20) },
    { WARP_GEN_FIELD(f_row, level, &warp_type_f32, COMPUTED, NORMAL), .flags = WARP_F_DERIVED, .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX,
      .derive = f_row_11_, .inputs = UINT64_C(0x2) },
    { WARP_GEN_FIELD(f_row, pick, &warp_type_f32, COMPUTED, NORMAL), .flags = WARP_F_DERIVED, .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX,
      .derive = f_row_12_, .inputs = UINT64_C(0x56) },
    { WARP_GEN_FIELD(f_row, wave, &warp_type_f64, COMPUTED, NORMAL), .flags = WARP_F_DERIVED, .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX,
      .derive = f_row_13_, .inputs = UINT64_C(0x8) },
    { WARP_GEN_FIELD(f_row, twice, &warp_type_f32, COMPUTED, NORMAL), .flags = WARP_F_DERIVED, .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX,
      .derive = f_row_14_, .inputs = UINT64_C(0x80) },
};
static const uint8_t k0_[] = { 0 };
const struct warp_product f_row_warp_product = {
    .name = "Row", .fields = f0_, .field_count = 15,
    .record_bytes = sizeof(struct f_row),
    .have_offset = offsetof(struct f_row, have),
    .key_bytes = sizeof(uint64_t), .key_count = 1, .key_fields = k0_,
    .hot = F_ROW_HOT, .all = F_ROW_ALL,
    .priority = WARP_PRIORITY_NORMAL };

WARP_GEN_RECORD(f_row, uint64_t)
WARP_GEN_SET(f_row, uint64_t, a, 1, float)
WARP_GEN_ADD(f_row, uint64_t, a, 1, float, float)
WARP_GEN_SET(f_row, uint64_t, b, 2, float)
WARP_GEN_ADD(f_row, uint64_t, b, 2, float, float)
WARP_GEN_SET(f_row, uint64_t, d, 3, double)
WARP_GEN_ADD(f_row, uint64_t, d, 3, double, double)
WARP_GEN_SET(f_row, uint64_t, n, 4, uint32_t)
WARP_GEN_ADD(f_row, uint64_t, n, 4, uint32_t, int64_t)
WARP_GEN_SET(f_row, uint64_t, m, 5, int64_t)
WARP_GEN_ADD(f_row, uint64_t, m, 5, int64_t, int64_t)
WARP_GEN_SET(f_row, uint64_t, on, 6, bool)

static const struct warp_product *const products_0_[] = {
    &f_row_warp_product,
};
static const uint8_t descriptor_0_[] = {
    119,97,114,112,46,119,115,100,1,0,0,0,101,1,0,0,57,201,10,53,
    39,160,169,241,94,212,83,32,0,0,0,0,6,115,99,104,101,109,97,6,
    0,1,5,3,117,54,52,10,3,102,51,50,11,3,102,54,52,4,3,117,
    51,50,9,3,105,54,52,1,4,98,111,111,108,3,82,111,119,0,0,3,
    0,0,254,255,1,1,0,15,2,105,100,0,1,1,0,1,3,0,0,0,
    0,0,0,0,0,0,0,1,97,1,0,1,0,1,3,0,0,0,0,0,
    0,0,0,0,0,1,98,1,0,1,0,1,3,0,0,0,0,0,0,0,
    0,0,0,1,100,2,0,1,0,1,3,0,0,0,0,0,0,0,0,0,
    0,1,110,3,0,1,0,1,3,0,0,0,0,0,0,0,0,0,0,1,
    109,4,0,1,0,1,3,0,0,0,0,0,0,0,0,0,0,2,111,110,
    5,0,1,0,1,3,0,0,0,0,0,0,0,0,0,0,5,115,99,111,
    114,101,1,4,4,1,1,3,0,0,0,0,0,0,0,0,0,6,4,119,
    105,100,101,2,4,4,1,1,3,0,0,0,0,0,0,0,0,0,14,5,
    114,97,116,105,111,4,4,4,1,1,3,0,0,0,0,0,0,0,0,0,
    48,4,114,101,115,116,4,4,4,1,1,3,0,0,0,0,0,0,0,0,
    0,32,5,108,101,118,101,108,1,4,4,1,1,3,0,0,0,0,0,0,
    0,0,0,2,4,112,105,99,107,1,4,4,1,1,3,0,0,0,0,0,
    0,0,0,0,86,4,119,97,118,101,2,4,4,1,1,3,0,0,0,0,
    0,0,0,0,0,8,5,116,119,105,99,101,1,4,4,1,1,3,0,0,
    0,0,0,0,0,0,0,128,1,
};
const struct warp_schema schema_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 1, .name = "schema",
    .products = products_0_,
    .descriptor = descriptor_0_,
    .descriptor_bytes = sizeof descriptor_0_,
    .fingerprint = UINT64_C(0xf1a9a027350ac939) };
