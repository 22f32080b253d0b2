/* Written by warpc from base.warp. Do not edit: change the schema. */
#include "base.warp.h"

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

/* Depot */
_Static_assert(sizeof(struct base_depot) == 24 &&
    offsetof(struct base_depot, have) == 16, "layout of Depot");
static const struct warp_field f0_[] = {
    { WARP_GEN_FIELD(base_depot, id, &warp_type_u64, MEMORY, NORMAL), .flags = WARP_F_KEY, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(base_depot, at, &t0_, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
};
static const uint8_t k0_[] = { 0 };
const struct warp_product base_depot_warp_product = {
    .name = "Depot", .fields = f0_, .field_count = 2,
    .record_bytes = sizeof(struct base_depot),
    .have_offset = offsetof(struct base_depot, have),
    .key_bytes = sizeof(uint64_t), .key_count = 1, .key_fields = k0_,
    .hot = BASE_DEPOT_HOT, .all = BASE_DEPOT_ALL,
    .priority = WARP_PRIORITY_NORMAL };

WARP_GEN_RECORD(base_depot, uint64_t)
WARP_GEN_SET(base_depot, uint64_t, at, 1, struct base_place)

static const struct warp_product *const products_0_[] = {
    &base_depot_warp_product,
};
static const uint8_t descriptor_0_[] = {
    119,97,114,112,46,119,115,100,1,0,0,0,91,0,0,0,22,32,74,195,
    54,167,73,6,211,62,57,232,0,0,0,0,4,98,97,115,101,3,0,1,
    5,3,117,54,52,10,3,102,51,50,23,5,80,108,97,99,101,2,1,120,
    0,1,0,0,1,121,0,1,0,0,5,68,101,112,111,116,0,0,3,0,
    0,2,1,0,2,2,105,100,0,1,1,0,1,3,0,0,0,0,0,0,
    0,0,0,0,2,97,116,2,0,1,0,1,3,0,0,0,0,0,0,0,
    0,0,0,
};
const struct warp_schema base_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 1, .name = "base",
    .products = products_0_,
    .descriptor = descriptor_0_,
    .descriptor_bytes = sizeof descriptor_0_,
    .fingerprint = UINT64_C(0x649a736c34a2016) };
