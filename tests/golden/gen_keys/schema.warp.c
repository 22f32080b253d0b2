/* Written by warpc from schema.warp. Do not edit: change the schema. */
#include "schema.warp.h"

#include <warp/gen.h>

/* Another ABI of libwarp lacks this symbol. */
__attribute__((used)) static const int *const abi_0_ = &warp_gen_abi_1;

static const struct warp_enumerator v0_[] = {
    { "NORTH", 0 },
    { "SOUTH", 1 },
};
static const struct warp_type t0_ = { .name = "Zone",
    .kind = WARP_T_ENUM, .size = sizeof(enum k_zone), .width = 1, .values = v0_,
    .wire_bytes = 1, .count = 2 };
static const struct warp_type t1_ = { .name = "bytes<16>",
    .kind = WARP_T_FIXED_BYTES, .size = sizeof(struct warp_bytes_16), .plain = 1,
    .wire_bytes = 16, .count = 16 };
_Static_assert(sizeof(struct warp_bytes_16) == 16,
    "layout of bytes<16>");

/* Cell */
_Static_assert(sizeof(struct k_cell) == 48 &&
    offsetof(struct k_cell, have) == 40, "layout of Cell");
static const struct warp_field f0_[] = {
    { WARP_GEN_FIELD(k_cell, zone, &t0_, MEMORY, NORMAL),
      .key_offset = offsetof(struct k_cell_key, zone), .flags = WARP_F_KEY, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(k_cell, label, &warp_type_string, MEMORY, NORMAL),
      .key_offset = offsetof(struct k_cell_key, label), .flags = WARP_F_KEY, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(k_cell, at, &warp_type_i32, MEMORY, NORMAL),
      .key_offset = offsetof(struct k_cell_key, at), .flags = WARP_F_KEY, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(k_cell, value, &warp_type_f64, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
};
static const uint8_t k0_[] = { 0, 1, 2 };
const struct warp_product k_cell_warp_product = {
    .name = "Cell", .fields = f0_, .field_count = 4,
    .record_bytes = sizeof(struct k_cell),
    .have_offset = offsetof(struct k_cell, have),
    .key_bytes = sizeof(struct k_cell_key), .key_count = 3, .key_fields = k0_,
    .hot = K_CELL_HOT, .all = K_CELL_ALL,
    .priority = WARP_PRIORITY_NORMAL };

WARP_GEN_RECORD(k_cell, struct k_cell_key)
WARP_GEN_SET(k_cell, struct k_cell_key, value, 3, double)
WARP_GEN_ADD(k_cell, struct k_cell_key, value, 3, double, double)

/* Person */
_Static_assert(sizeof(struct k_person) == 72 &&
    offsetof(struct k_person, have) == 64, "layout of Person");
static const struct warp_field f1_[] = {
    { WARP_GEN_FIELD(k_person, email, &warp_type_string, MEMORY, NORMAL), .flags = WARP_F_KEY, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(k_person, phone, &warp_type_string, MEMORY, NORMAL), .flags = WARP_F_INDEX | WARP_F_UNIQUE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(k_person, born, &warp_type_timestamp, MEMORY, NORMAL), .flags = WARP_F_INDEX, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(k_person, height, &warp_type_f32, MEMORY, NORMAL), .flags = WARP_F_INDEX, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(k_person, badge, &t1_, MEMORY, NORMAL), .flags = WARP_F_INDEX | WARP_F_UNIQUE, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(k_person, count, &warp_type_u32, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
};
static const uint8_t k1_[] = { 0 };
const struct warp_product k_person_warp_product = {
    .name = "Person", .fields = f1_, .field_count = 6,
    .record_bytes = sizeof(struct k_person),
    .have_offset = offsetof(struct k_person, have),
    .key_bytes = sizeof(struct warp_str), .key_count = 1, .key_fields = k1_,
    .hot = K_PERSON_HOT, .all = K_PERSON_ALL,
    .priority = WARP_PRIORITY_NORMAL };

WARP_GEN_RECORD(k_person, struct warp_str)
WARP_GEN_SET(k_person, struct warp_str, phone, 1, struct warp_str)
WARP_GEN_BY(k_person, phone, 1, struct warp_str)
WARP_GEN_GET_BY(k_person, phone, 1, struct warp_str)
WARP_GEN_SET(k_person, struct warp_str, born, 2, int64_t)
WARP_GEN_BY(k_person, born, 2, int64_t)
WARP_GEN_SET(k_person, struct warp_str, height, 3, float)
WARP_GEN_ADD(k_person, struct warp_str, height, 3, float, float)
WARP_GEN_BY(k_person, height, 3, float)
WARP_GEN_SET(k_person, struct warp_str, badge, 4, struct warp_bytes_16)
WARP_GEN_BY(k_person, badge, 4, struct warp_bytes_16)
WARP_GEN_GET_BY(k_person, badge, 4, struct warp_bytes_16)
WARP_GEN_SET(k_person, struct warp_str, count, 5, uint32_t)
WARP_GEN_ADD(k_person, struct warp_str, count, 5, uint32_t, int64_t)

/* Odd */
_Static_assert(sizeof(struct k_odd) == 24 &&
    offsetof(struct k_odd, have) == 16, "layout of Odd");
static const struct warp_field f2_[] = {
    { WARP_GEN_FIELD(k_odd, fields, &warp_type_u64, MEMORY, NORMAL), .flags = WARP_F_KEY, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(k_odd, value, &warp_type_u32, MEMORY, NORMAL), .flags = WARP_F_INDEX, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
};
static const uint8_t k2_[] = { 0 };
const struct warp_product k_odd_warp_product = {
    .name = "Odd", .fields = f2_, .field_count = 2,
    .record_bytes = sizeof(struct k_odd),
    .have_offset = offsetof(struct k_odd, have),
    .key_bytes = sizeof(uint64_t), .key_count = 1, .key_fields = k2_,
    .hot = K_ODD_HOT, .all = K_ODD_ALL,
    .priority = WARP_PRIORITY_NORMAL };

WARP_GEN_RECORD(k_odd, uint64_t)
WARP_GEN_SET(k_odd, uint64_t, value, 1, uint32_t)
WARP_GEN_ADD(k_odd, uint64_t, value, 1, uint32_t, int64_t)
WARP_GEN_BY(k_odd, value, 1, uint32_t)

static const struct warp_product *const products_0_[] = {
    &k_cell_warp_product,
    &k_person_warp_product,
    &k_odd_warp_product,
};
static const uint8_t descriptor_0_[] = {
    119,97,114,112,46,119,115,100,1,0,0,0,140,1,0,0,160,100,19,162,
    70,119,149,92,72,90,38,44,0,0,0,0,6,115,99,104,101,109,97,9,
    0,3,24,4,90,111,110,101,1,0,2,5,78,79,82,84,72,0,5,83,
    79,85,84,72,2,15,6,115,116,114,105,110,103,0,8,3,105,51,50,11,
    3,102,54,52,12,9,116,105,109,101,115,116,97,109,112,10,3,102,51,50,
    18,9,98,121,116,101,115,60,49,54,62,16,4,3,117,51,50,5,3,117,
    54,52,4,67,101,108,108,0,0,3,0,0,8,3,0,1,2,4,4,122,
    111,110,101,0,1,1,0,1,3,0,0,0,0,0,0,0,0,0,0,5,
    108,97,98,101,108,1,1,1,0,1,3,0,0,0,0,0,0,0,0,0,
    0,2,97,116,2,1,1,0,1,3,0,0,0,0,0,0,0,0,0,0,
    5,118,97,108,117,101,3,0,1,0,1,3,0,0,0,0,0,0,0,0,
    0,0,6,80,101,114,115,111,110,0,0,3,0,0,62,1,0,6,5,101,
    109,97,105,108,1,1,1,0,1,3,0,0,0,0,0,0,0,0,0,0,
    5,112,104,111,110,101,1,24,1,0,0,3,0,0,0,0,0,0,0,0,
    0,0,4,98,111,114,110,4,8,1,0,1,3,0,0,0,0,0,0,0,
    0,0,0,6,104,101,105,103,104,116,5,8,1,0,1,3,0,0,0,0,
    0,0,0,0,0,0,5,98,97,100,103,101,6,24,1,0,1,3,0,0,
    0,0,0,0,0,0,0,0,5,99,111,117,110,116,7,0,1,0,1,3,
    0,0,0,0,0,0,0,0,0,0,3,79,100,100,0,0,3,0,0,2,
    1,0,2,6,102,105,101,108,100,115,8,1,1,0,1,3,0,0,0,0,
    0,0,0,0,0,0,5,118,97,108,117,101,7,8,1,0,1,3,0,0,
    0,0,0,0,0,0,0,0,
};
const struct warp_schema schema_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 3, .name = "schema",
    .products = products_0_,
    .descriptor = descriptor_0_,
    .descriptor_bytes = sizeof descriptor_0_,
    .fingerprint = UINT64_C(0x5c957746a21364a0) };
