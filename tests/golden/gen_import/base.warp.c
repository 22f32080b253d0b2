/* Written by warpc from base.warp. Do not edit: change the schema. */
#include <warp/gen.h>

#define WARP_GEN_BASE_WARP_H_DEFINES
#include "base.warp.h"

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

#define WARP_GEN_S struct base_depot
WARP_GEN_LAYOUT(24, 16)
static const struct warp_field f0_[] = {
    WARP_GEN_KEY(id, u64),
    WARP_GEN_ROW(at, t0_),
};
const struct warp_product base_depot_warp_product = {
    WARP_GEN_PRODUCT(0, "Depot", uint64_t, 0x2, 0x2, NORMAL, 0) };
#undef WARP_GEN_S

static const struct warp_product *const products_0_[] = {
    &base_depot_warp_product,
};
static const struct {
    char p0_[123];
} descriptor_0_ = {
    "warp.wsd\1\0\0\0[\0\0\0\26 J\3036\247I\6\323>9\350\0\0\0\0\4base\3\0\1\5"
    "\3u64\12\3f32\27\5Place\2\1x\0\1\0\0\1y\0\1\0\0\5Depot\0\0\3\0\0\2\1\0\2"
    "\2id\0\1" WARP_GEN_FACTS
    "\2at\2\0\1\0\1\3\0\0\0\0\0\0\0\0\0"
    ,
};
const struct warp_schema base_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 1, .name = "base",
    .products = products_0_,
    .descriptor = (const uint8_t *)&descriptor_0_,
    .descriptor_bytes = sizeof descriptor_0_,
    .fingerprint = UINT64_C(0x649a736c34a2016) };
