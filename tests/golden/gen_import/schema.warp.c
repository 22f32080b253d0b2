/* Written by warpc from schema.warp. Do not edit: change the schema. */
#include "schema.warp.h"

#include <warp/gen.h>

/* Another ABI of libwarp lacks this symbol. */
__attribute__((used)) static const int *const abi_0_ = &warp_gen_abi_1;

static const struct warp_member m0_[] = {
    { "x", &warp_type_f32, offsetof(struct base_place, x), UINT32_MAX, 0 },
    { "y", &warp_type_f32, offsetof(struct base_place, y), UINT32_MAX, 0 },
};
static const struct warp_type t0_ = { .name = "Place",
    .kind = WARP_T_STRUCT, .size = sizeof(struct base_place), .plain = 1,
    .wire_bytes = 8, .count = 2, .members = m0_ };
_Static_assert(sizeof(struct base_place) == 8 &&
    offsetof(struct base_place, x) == 0 &&
    offsetof(struct base_place, y) == 4,
    "layout of Place");
static const struct warp_type t1_ = { .name = "u16[2]",
    .kind = WARP_T_ARRAY, .size = sizeof(struct warp_u16_2), .plain = 1,
    .wire_bytes = 4, .count = 2, .elem = &warp_type_u16 };
_Static_assert(sizeof(struct warp_u16_2) == 4,
    "layout of u16[2]");
static const struct warp_member m2_[] = {
    { "what", &warp_type_string, offsetof(struct base_line, what), UINT32_MAX, 0 },
    { "place", &t0_, offsetof(struct base_line, place), UINT32_MAX, 0 },
    { "counts", &t1_, offsetof(struct base_line, counts), UINT32_MAX, 0 },
};
static const struct warp_type t2_ = { .name = "Line",
    .kind = WARP_T_STRUCT, .size = sizeof(struct base_line), .count = 3, .members = m2_ };
_Static_assert(sizeof(struct base_line) == 32 &&
    offsetof(struct base_line, what) == 0 &&
    offsetof(struct base_line, place) == 16 &&
    offsetof(struct base_line, counts) == 24,
    "layout of Line");
static const struct warp_type t3_ = { .name = "[Line]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .elem = &t2_ };
static const struct warp_enumerator v4_[] = {
    { "RED", 0 },
    { "BLUE", 1 },
};
static const struct warp_type t4_ = { .name = "Colour",
    .kind = WARP_T_ENUM, .size = sizeof(enum base_colour), .width = 1, .values = v4_,
    .wire_bytes = 1, .count = 2 };

/* Order */
_Static_assert(sizeof(struct shop_order) == 48 &&
    offsetof(struct shop_order, have) == 40, "layout of Order");
static const struct warp_field f0_[] = {
    { WARP_GEN_FIELD(shop_order, id, &warp_type_u64, MEMORY, NORMAL), .flags = WARP_F_KEY, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(shop_order, at, &t0_, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(shop_order, items, &t3_, MEMORY, NORMAL), .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(shop_order, colour, &t4_, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
};
static const uint8_t k0_[] = { 0 };
const struct warp_product shop_order_warp_product = {
    .name = "Order", .fields = f0_, .field_count = 4,
    .record_bytes = sizeof(struct shop_order),
    .have_offset = offsetof(struct shop_order, have),
    .key_bytes = sizeof(uint64_t), .key_count = 1, .key_fields = k0_,
    .hot = SHOP_ORDER_HOT, .all = SHOP_ORDER_ALL,
    .priority = WARP_PRIORITY_NORMAL };

WARP_GEN_RECORD(shop_order, uint64_t)
WARP_GEN_SET(shop_order, uint64_t, at, 1, struct base_place)
WARP_GEN_SET(shop_order, uint64_t, items, 2, struct warp_list)
WARP_GEN_SET(shop_order, uint64_t, colour, 3, enum base_colour)

static const struct warp_product *const products_0_[] = {
    &base_depot_warp_product,
    &shop_order_warp_product,
};
static const uint8_t descriptor_0_[] = {
    119,97,114,112,46,119,115,100,1,0,0,0,28,1,0,0,42,118,250,70,
    38,183,138,89,156,198,149,233,0,0,0,0,6,115,99,104,101,109,97,9,
    0,2,5,3,117,54,52,10,3,102,51,50,23,5,80,108,97,99,101,2,
    1,120,0,1,0,0,1,121,0,1,0,0,15,6,115,116,114,105,110,103,
    0,3,3,117,49,54,19,6,117,49,54,91,50,93,2,4,23,4,76,105,
    110,101,3,4,119,104,97,116,0,3,0,0,5,112,108,97,99,101,0,2,
    0,0,6,99,111,117,110,116,115,0,5,0,0,20,6,91,76,105,110,101,
    93,0,6,24,6,67,111,108,111,117,114,1,0,2,3,82,69,68,0,4,
    66,76,85,69,2,5,68,101,112,111,116,0,0,3,0,0,2,1,0,2,
    2,105,100,0,1,1,0,1,3,0,0,0,0,0,0,0,0,0,0,2,
    97,116,2,0,1,0,1,3,0,0,0,0,0,0,0,0,0,0,5,79,
    114,100,101,114,0,0,3,0,0,14,1,0,4,2,105,100,0,1,1,0,
    1,3,0,0,0,0,0,0,0,0,0,0,2,97,116,2,0,1,0,1,
    3,0,0,0,0,0,0,0,0,0,0,5,105,116,101,109,115,7,0,1,
    0,0,3,0,0,0,0,0,0,0,0,0,0,6,99,111,108,111,117,114,
    8,0,1,0,1,3,0,0,0,0,0,0,0,0,0,0,
};
const struct warp_schema schema_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 2, .name = "schema",
    .products = products_0_,
    .descriptor = descriptor_0_,
    .descriptor_bytes = sizeof descriptor_0_,
    .fingerprint = UINT64_C(0x598ab72646fa762a) };
