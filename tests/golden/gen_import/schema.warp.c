/* Written by warpc from schema.warp. Do not edit: change the schema. */
#include <warp/gen.h>

#define WARP_GEN_SCHEMA_WARP_H_DEFINES
#include "schema.warp.h"

/* Another ABI of libwarp lacks this symbol. */
__attribute__((used)) static const int *const abi_0_ = &warp_gen_abi_1;

static const struct warp_member m0_[] = {
    { "x", &warp_type_f32, offsetof(struct base_place, x), UINT32_MAX, 0 },
    { "y", &warp_type_f32, offsetof(struct base_place, y), UINT32_MAX, 0 },
};
static const struct warp_type warp_type_t0_ = { .name = "Place",
    .kind = WARP_T_STRUCT, .size = sizeof(struct base_place), .plain = 1,
    .wire_bytes = 8, .count = 2, .members = m0_ };
_Static_assert(sizeof(struct base_place) == 8 &&
    offsetof(struct base_place, x) == 0 &&
    offsetof(struct base_place, y) == 4,
    "layout of Place");
static const struct warp_type warp_type_t1_ = { .name = "u16[2]",
    .kind = WARP_T_ARRAY, .size = sizeof(struct warp_u16_2), .plain = 1,
    .wire_bytes = 4, .count = 2, .elem = &warp_type_u16 };
_Static_assert(sizeof(struct warp_u16_2) == 4,
    "layout of u16[2]");
static const struct warp_member m2_[] = {
    { "what", &warp_type_string, offsetof(struct base_line, what), UINT32_MAX, 0 },
    { "place", &warp_type_t0_, offsetof(struct base_line, place), UINT32_MAX, 0 },
    { "counts", &warp_type_t1_, offsetof(struct base_line, counts), UINT32_MAX, 0 },
};
static const struct warp_type warp_type_t2_ = { .name = "Line",
    .kind = WARP_T_STRUCT, .size = sizeof(struct base_line), .count = 3, .members = m2_ };
_Static_assert(sizeof(struct base_line) == 32 &&
    offsetof(struct base_line, what) == 0 &&
    offsetof(struct base_line, place) == 16 &&
    offsetof(struct base_line, counts) == 24,
    "layout of Line");
static const struct warp_type warp_type_t3_ = { .name = "[Line]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .elem = &warp_type_t2_ };
static const struct warp_enumerator v4_[] = {
    { "RED", 0 },
    { "BLUE", 1 },
};
static const struct warp_type warp_type_t4_ = { .name = "Colour",
    .kind = WARP_T_ENUM, .size = sizeof(enum base_colour), .width = 1, .values = v4_,
    .wire_bytes = 1, .count = 2 };

#define WARP_GEN_S struct shop_order
WARP_GEN_LAYOUT(48, 40)
static const struct warp_field f0_[] = {
    WARP_GEN_KEY(id, u64),
    WARP_GEN_ROW(at, t0_),
    { WARP_GEN_FIELD(items, t3_, MEMORY, NORMAL) },
    WARP_GEN_ROW(colour, t4_),
};
const struct warp_product shop_order_warp_product = {
    WARP_GEN_PRODUCT(0, "Order", uint64_t, 0xe, 0xe, NORMAL, 0) };
#undef WARP_GEN_S

static const struct warp_product *const products_0_[] = {
    &base_depot_warp_product,
    &shop_order_warp_product,
};
static const struct {
    char p0_[316];
} descriptor_0_ = {
    "warp.wsd\1\0\0\0\34\1\0\0*v\372F&\267\212Y\234\306\225\351\0\0\0\0\6sche"
    "ma\11\0\2\5\3u64\12\3f32\27\5Place\2\1x\0\1\0\0\1y\0\1\0\0\17\6string\0\3"
    "\3u16\23\6u16[2]\2\4\27\4Line\3\4what\0\3\0\0\5place\0\2\0\0\6counts\0\5"
    "\0\0\24\6[Line]\0\6\30\6Colour\1\0\2\3RED\0\4BLUE\2\5Depot\0\0\3\0\0\2\1"
    "\0\2\2id\0\1" WARP_GEN_FACTS
    "\2at\2\0" WARP_GEN_FACTS
    "\5Order\0\0\3\0\0\16\1\0\4\2id\0\1" WARP_GEN_FACTS
    "\2at\2\0" WARP_GEN_FACTS
    "\5items\7\0\1\0\0\3\0\0\0\0\0\0\0\0\0\0\6colour\10\0\1\0\1\3\0\0\0\0\0\0"
    "\0\0\0"
    ,
};
const struct warp_schema schema_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 2, .name = "schema",
    .products = products_0_,
    .descriptor = (const uint8_t *)&descriptor_0_,
    .descriptor_bytes = sizeof descriptor_0_,
    .fingerprint = UINT64_C(0x598ab72646fa762a) };
