/* Written by warpc from schema.warp. Do not edit: change the schema. */
#include <warp/gen.h>

#define WARP_GEN_SCHEMA_WARP_H_DEFINES
#include "schema.warp.h"

/* Another ABI of libwarp lacks this symbol. */
__attribute__((used)) static const int *const abi_0_ = &warp_gen_abi_1;

static const struct warp_enumerator v0_[] = {
    { "NORTH", 0 },
    { "SOUTH", 1 },
};
static const struct warp_type warp_type_t0_ = { .name = "Zone",
    .kind = WARP_T_ENUM, .size = sizeof(enum k_zone), .width = 1, .values = v0_,
    .wire_bytes = 1, .count = 2 };
static const struct warp_type warp_type_t1_ = { .name = "bytes<16>",
    .kind = WARP_T_FIXED_BYTES, .size = sizeof(struct warp_bytes_16), .plain = 1,
    .wire_bytes = 16, .count = 16 };
_Static_assert(sizeof(struct warp_bytes_16) == 16,
    "layout of bytes<16>");

#define WARP_GEN_S struct k_cell
WARP_GEN_LAYOUT(48, 40)
static const struct warp_field f0_[] = {
    { WARP_GEN_FIELD(zone, t0_, MEMORY, NORMAL),
      .key_offset = offsetof(struct k_cell_key, zone), .flags = WARP_F_KEY, .compression = WARP_COMPRESS_NONE },
    { WARP_GEN_FIELD(label, string, MEMORY, NORMAL),
      .key_offset = offsetof(struct k_cell_key, label), .flags = WARP_F_KEY, .compression = WARP_COMPRESS_NONE },
    { WARP_GEN_FIELD(at, i32, MEMORY, NORMAL),
      .key_offset = offsetof(struct k_cell_key, at), .flags = WARP_F_KEY, .compression = WARP_COMPRESS_NONE },
    WARP_GEN_ROW(value, f64),
};
const struct warp_product k_cell_warp_product = {
    WARP_GEN_PRODUCT(0, "Cell", struct k_cell_key, 0x8, 0x8, NORMAL, 0, 1, 2) };
#undef WARP_GEN_S

#define WARP_GEN_S struct k_person
WARP_GEN_LAYOUT(72, 64)
static const struct warp_field f1_[] = {
    WARP_GEN_KEY(email, string),
    { WARP_GEN_FIELD(phone, string, MEMORY, NORMAL), .flags = WARP_F_INDEX | WARP_F_UNIQUE },
    { WARP_GEN_FIELD(born, timestamp, MEMORY, NORMAL), .flags = WARP_F_INDEX, .compression = WARP_COMPRESS_NONE },
    { WARP_GEN_FIELD(height, f32, MEMORY, NORMAL), .flags = WARP_F_INDEX, .compression = WARP_COMPRESS_NONE },
    { WARP_GEN_FIELD(badge, t1_, MEMORY, NORMAL), .flags = WARP_F_INDEX | WARP_F_UNIQUE, .compression = WARP_COMPRESS_NONE },
    WARP_GEN_ROW(count, u32),
};
const struct warp_product k_person_warp_product = {
    WARP_GEN_PRODUCT(1, "Person", struct warp_str, 0x3e, 0x3e, NORMAL, 0) };
#undef WARP_GEN_S

#define WARP_GEN_S struct k_odd
WARP_GEN_LAYOUT(24, 16)
static const struct warp_field f2_[] = {
    WARP_GEN_KEY(fields, u64),
    { WARP_GEN_FIELD(value, u32, MEMORY, NORMAL), .flags = WARP_F_INDEX, .compression = WARP_COMPRESS_NONE },
};
const struct warp_product k_odd_warp_product = {
    WARP_GEN_PRODUCT(2, "Odd", uint64_t, 0x2, 0x2, NORMAL, 0) };
#undef WARP_GEN_S

static const struct warp_product *const products_0_[] = {
    &k_cell_warp_product,
    &k_person_warp_product,
    &k_odd_warp_product,
};
static const struct {
    char p0_[428];
} descriptor_0_ = {
    "warp.wsd\1\0\0\0\214\1\0\0\240d\23\242Fw\225\\HZ&,\0\0\0\0\6schema\11\0\3"
    "\30\4Zone\1\0\2\5NORTH\0\5SOUTH\2\17\6string\0\10\3i32\13\3f64\14\11time"
    "stamp\12\3f32\22\11bytes<16>\20\4\3u32\5\3u64\4Cell\0\0\3\0\0\10\3\0\1\2"
    "\4\4zone\0\1" WARP_GEN_FACTS
    "\5label\1\1" WARP_GEN_FACTS
    "\2at\2\1" WARP_GEN_FACTS
    "\5value\3\0" WARP_GEN_FACTS
    "\6Person\0\0\3\0\0>\1\0\6\5email\1\1" WARP_GEN_FACTS
    "\5phone\1\30\1\0\0\3\0\0\0\0\0\0\0\0\0\0\4born\4\10" WARP_GEN_FACTS
    "\6height\5\10" WARP_GEN_FACTS
    "\5badge\6\30" WARP_GEN_FACTS
    "\5count\7\0" WARP_GEN_FACTS
    "\3Odd\0\0\3\0\0\2\1\0\2\6fields\10\1" WARP_GEN_FACTS
    "\5value\7\10\1\0\1\3\0\0\0\0\0\0\0\0\0"
    ,
};
const struct warp_schema schema_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 3, .name = "schema",
    .products = products_0_,
    .descriptor = (const uint8_t *)&descriptor_0_,
    .descriptor_bytes = sizeof descriptor_0_,
    .fingerprint = UINT64_C(0x5c957746a21364a0) };
