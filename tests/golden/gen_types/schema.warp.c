/* Written by warpc from schema.warp. Do not edit: change the schema. */
#include "schema.warp.h"

#include <warp/gen.h>

/* Another ABI of libwarp lacks this symbol. */
__attribute__((used)) static const int *const abi_0_ = &warp_gen_abi_1;

static const struct warp_type t0_ = { .name = "string<12>",
    .kind = WARP_T_STRING, .size = sizeof(struct warp_str), .count = 12 };
static const struct warp_type t1_ = { .name = "bytes<32>",
    .kind = WARP_T_FIXED_BYTES, .size = sizeof(struct warp_bytes_32), .plain = 1,
    .wire_bytes = 32, .count = 32 };
_Static_assert(sizeof(struct warp_bytes_32) == 32,
    "layout of bytes<32>");
static const struct warp_enumerator v2_[] = {
    { "NONE", 0 },
    { "LOGIN", 1 },
    { "BACK", -5 },
};
static const struct warp_type t2_ = { .name = "Kind",
    .kind = WARP_T_ENUM, .size = sizeof(enum t_kind), .width = 2, .is_signed = 1, .values = v2_,
    .wire_bytes = 2, .count = 3 };
static const struct warp_member m3_[] = {
    { "x", &warp_type_f32, offsetof(struct t_point, x), UINT32_MAX, 0 },
    { "y", &warp_type_f32, offsetof(struct t_point, y), UINT32_MAX, 0 },
};
static const struct warp_type t3_ = { .name = "Point",
    .kind = WARP_T_STRUCT, .size = sizeof(struct t_point), .plain = 1,
    .wire_bytes = 8, .count = 2, .members = m3_ };
_Static_assert(sizeof(struct t_point) == 8 &&
    offsetof(struct t_point, x) == 0 &&
    offsetof(struct t_point, y) == 4,
    "layout of Point");
static const struct warp_type t4_ = { .name = "[Point]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .elem = &t3_ };
static const struct warp_type t5_ = { .name = "Point[3]",
    .kind = WARP_T_ARRAY, .size = sizeof(struct t_point_3), .plain = 1,
    .wire_bytes = 24, .count = 3, .elem = &t3_ };
_Static_assert(sizeof(struct t_point_3) == 24,
    "layout of Point[3]");
static const struct warp_member m6_[] = {
    { "small", &warp_type_u8, offsetof(struct t_mixed, small), UINT32_MAX, 0 },
    { "maybe", &t3_, offsetof(struct t_mixed, maybe), offsetof(struct t_mixed, has_maybe), 0 },
    { "many", &t4_, offsetof(struct t_mixed, many), UINT32_MAX, 0 },
    { "name", &warp_type_string, offsetof(struct t_mixed, name), UINT32_MAX, 0 },
    { "grid", &t5_, offsetof(struct t_mixed, grid), UINT32_MAX, 0 },
};
static const struct warp_type t6_ = { .name = "Mixed",
    .kind = WARP_T_STRUCT, .size = sizeof(struct t_mixed), .count = 5, .members = m6_ };
_Static_assert(sizeof(struct t_mixed) == 72 &&
    offsetof(struct t_mixed, small) == 0 &&
    offsetof(struct t_mixed, maybe) == 4 &&
    offsetof(struct t_mixed, many) == 16 &&
    offsetof(struct t_mixed, name) == 32 &&
    offsetof(struct t_mixed, grid) == 48,
    "layout of Mixed");
static const struct warp_member m7_[] = {
    { "number_hash", &warp_type_u64, offsetof(struct t_payment, u.card.number_hash) - offsetof(struct t_payment, u), UINT32_MAX, 0 },
    { "expires", &warp_type_timestamp, offsetof(struct t_payment, u.card.expires) - offsetof(struct t_payment, u), UINT32_MAX, 0 },
};
static const struct warp_type t7_ = { .name = "Card",
    .kind = WARP_T_STRUCT, .size = sizeof(((struct t_payment *)0)->u.card), .plain = 1,
    .wire_bytes = 16, .count = 2, .members = m7_ };
_Static_assert(sizeof(((struct t_payment *)0)->u.card) == 16 &&
    offsetof(struct t_payment, u.card.number_hash) - offsetof(struct t_payment, u) == 0 &&
    offsetof(struct t_payment, u.card.expires) - offsetof(struct t_payment, u) == 8,
    "layout of Card");
static const struct warp_type t8_ = { .name = "string<34>",
    .kind = WARP_T_STRING, .size = sizeof(struct warp_str), .count = 34 };
static const struct warp_member m9_[] = {
    { "iban", &t8_, offsetof(struct t_payment, u.transfer.iban) - offsetof(struct t_payment, u), UINT32_MAX, 0 },
};
static const struct warp_type t9_ = { .name = "Transfer",
    .kind = WARP_T_STRUCT, .size = sizeof(((struct t_payment *)0)->u.transfer), .count = 1, .members = m9_ };
_Static_assert(sizeof(((struct t_payment *)0)->u.transfer) == 16 &&
    offsetof(struct t_payment, u.transfer.iban) - offsetof(struct t_payment, u) == 0,
    "layout of Transfer");
static const struct warp_member m10_[] = {
    { "Card", &t7_, offsetof(struct t_payment, u), UINT32_MAX, 0 },
    { "Transfer", &t9_, offsetof(struct t_payment, u), UINT32_MAX, 1 },
    { "Free", NULL, offsetof(struct t_payment, u), UINT32_MAX, 2 },
};
static const struct warp_type t10_ = { .name = "Payment",
    .kind = WARP_T_SUM, .size = sizeof(struct t_payment), .count = 3, .members = m10_ };
_Static_assert(sizeof(struct t_payment) == 24,
    "layout of Payment");
static const struct warp_member m11_[] = {
    { "On", NULL, 0, UINT32_MAX, 0 },
    { "Off", NULL, 0, UINT32_MAX, 1 },
};
static const struct warp_type t11_ = { .name = "Flag",
    .kind = WARP_T_SUM, .size = sizeof(struct t_flag), .count = 2, .members = m11_ };
_Static_assert(sizeof(struct t_flag) == 4,
    "layout of Flag");
static const struct warp_type t12_ = { .name = "u16[4]",
    .kind = WARP_T_ARRAY, .size = sizeof(struct warp_u16_4), .plain = 1,
    .wire_bytes = 8, .count = 4, .elem = &warp_type_u16 };
_Static_assert(sizeof(struct warp_u16_4) == 8,
    "layout of u16[4]");
static const struct warp_type t13_ = { .name = "[u32, max: 8]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .count = 8, .elem = &warp_type_u32 };
static const struct warp_type t14_ = { .name = "[string]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .elem = &warp_type_string };
static const struct warp_type t15_ = { .name = "[[string]]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .elem = &t14_ };
static const struct warp_member m16_[] = {
    { "key", &warp_type_string, offsetof(struct warp_u32_by_string, key), UINT32_MAX, 0 },
    { "value", &warp_type_u32, offsetof(struct warp_u32_by_string, value), UINT32_MAX, 0 },
};
static const struct warp_type t16_ = { .name = "map<string, u32>",
    .kind = WARP_T_STRUCT, .size = sizeof(struct warp_u32_by_string), .count = 2, .members = m16_ };
_Static_assert(sizeof(struct warp_u32_by_string) == 24 &&
    offsetof(struct warp_u32_by_string, key) == 0 &&
    offsetof(struct warp_u32_by_string, value) == 16,
    "layout of map<string, u32>");
static const struct warp_type t17_ = { .name = "map<string, u32>",
    .kind = WARP_T_MAP, .size = sizeof(struct warp_list), .elem = &t16_ };

/* Everything */
_Static_assert(sizeof(struct t_everything) == 392 &&
    offsetof(struct t_everything, have) == 384, "layout of Everything");
static const bool d0_1_ = true;
static const uint8_t d0_2_ = 255;
static const uint64_t d0_5_ = UINT64_C(18446744073709551615);
static const int8_t d0_6_ = -128;
static const int16_t d0_7_ = -32768;
static const int64_t d0_9_ = INT64_MIN;
static const float d0_10_ = 0.1f;
static const double d0_11_ = 0.1;
static const int64_t d0_12_ = 5000;
static const int64_t d0_13_ = 90000;
static const struct warp_uuid d0_14_ = { { 107, 167, 184, 16, 157, 173, 17, 209, 128, 180, 0, 192, 79, 212, 48, 200 } };
static const struct warp_str d0_15_ = { "say \042hi\042\077", 9 };
static const enum t_kind d0_20_ = T_KIND_LOGIN;
static const struct t_point d0_21_ = { .x = -1.0f, .y = 2.5f };
static struct t_point d0_22a0_[] = { { .x = 1.0f, .y = 2.0f } };
static const struct t_mixed d0_22_ = { .small = 1, .many = { d0_22a0_, 1 }, .name = { "m", 1 }, .grid = { { { .x = 0.0f, .y = 1.0f }, { .x = 2.0f, .y = 3.0f }, { .x = 4.0f, .y = 5.0f } } } };
static const struct warp_u16_4 d0_25_ = { { 1, 2, 3, 65535 } };
static uint32_t d0_26a0_[] = { 7, 8 };
static const struct warp_list d0_26_ = { d0_26a0_, 2 };
static struct warp_str d0_27a1_[] = { { "a", 1 }, { "b", 1 } };
static struct warp_list d0_27a0_[] = { { d0_27a1_, 2 }, { NULL, 0 } };
static const struct warp_list d0_27_ = { d0_27a0_, 2 };
static const struct warp_list d0_29_ = { NULL, 0 };
static const struct warp_field f0_[] = {
    { WARP_GEN_FIELD(t_everything, id, &warp_type_u64, MEMORY, NORMAL), .flags = WARP_F_KEY, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(t_everything, a_bool, &warp_type_bool, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_1_ },
    { WARP_GEN_FIELD(t_everything, a_u8, &warp_type_u8, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_2_ },
    { WARP_GEN_FIELD(t_everything, a_u16, &warp_type_u16, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(t_everything, a_u32, &warp_type_u32, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(t_everything, a_u64, &warp_type_u64, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_5_ },
    { WARP_GEN_FIELD(t_everything, a_i8, &warp_type_i8, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_6_ },
    { WARP_GEN_FIELD(t_everything, a_i16, &warp_type_i16, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_7_ },
    { WARP_GEN_FIELD(t_everything, a_i32, &warp_type_i32, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(t_everything, a_i64, &warp_type_i64, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_9_ },
    { WARP_GEN_FIELD(t_everything, a_f32, &warp_type_f32, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_10_ },
    { WARP_GEN_FIELD(t_everything, a_f64, &warp_type_f64, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_11_ },
    { WARP_GEN_FIELD(t_everything, a_time, &warp_type_timestamp, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_12_ },
    { WARP_GEN_FIELD(t_everything, a_span, &warp_type_duration, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_13_ },
    { WARP_GEN_FIELD(t_everything, a_uuid, &warp_type_uuid, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_14_ },
    { WARP_GEN_FIELD(t_everything, a_string, &warp_type_string, MEMORY, NORMAL), .by_offset = UINT32_MAX, .default_value = &d0_15_ },
    { WARP_GEN_FIELD(t_everything, a_bytes, &warp_type_bytes, MEMORY, NORMAL), .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(t_everything, a_short, &t0_, MEMORY, NORMAL), .flags = WARP_F_INLINE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(t_everything, a_digest, &t1_, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(t_everything, an_atom, &warp_type_string, MEMORY, NORMAL), .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(t_everything, a_kind, &t2_, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_20_ },
    { WARP_GEN_FIELD(t_everything, a_point, &t3_, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_21_ },
    { WARP_GEN_FIELD(t_everything, a_mixed, &t6_, MEMORY, NORMAL), .by_offset = UINT32_MAX, .default_value = &d0_22_ },
    { WARP_GEN_FIELD(t_everything, a_payment, &t10_, MEMORY, NORMAL), .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(t_everything, a_flag, &t11_, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(t_everything, a_row, &t12_, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX, .default_value = &d0_25_ },
    { WARP_GEN_FIELD(t_everything, a_list, &t13_, MEMORY, NORMAL), .by_offset = UINT32_MAX, .default_value = &d0_26_ },
    { WARP_GEN_FIELD(t_everything, a_lists, &t15_, MEMORY, NORMAL), .by_offset = UINT32_MAX, .default_value = &d0_27_ },
    { WARP_GEN_FIELD(t_everything, a_map, &t17_, MEMORY, NORMAL), .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(t_everything, a_free_map, &warp_type_value_map, MEMORY, NORMAL), .by_offset = UINT32_MAX, .default_value = &d0_29_ },
    { WARP_GEN_FIELD(t_everything, perhaps, &warp_type_i32, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
};
static const uint8_t k0_[] = { 0 };
const struct warp_product t_everything_warp_product = {
    .name = "Everything", .fields = f0_, .field_count = 31,
    .record_bytes = sizeof(struct t_everything),
    .have_offset = offsetof(struct t_everything, have),
    .key_bytes = sizeof(uint64_t), .key_count = 1, .key_fields = k0_,
    .hot = T_EVERYTHING_HOT, .all = T_EVERYTHING_ALL,
    .priority = WARP_PRIORITY_NORMAL };

WARP_GEN_RECORD(t_everything, uint64_t)
WARP_GEN_SET(t_everything, uint64_t, a_bool, 1, bool)
WARP_GEN_SET(t_everything, uint64_t, a_u8, 2, uint8_t)
WARP_GEN_ADD(t_everything, uint64_t, a_u8, 2, uint8_t, int64_t)
WARP_GEN_SET(t_everything, uint64_t, a_u16, 3, uint16_t)
WARP_GEN_ADD(t_everything, uint64_t, a_u16, 3, uint16_t, int64_t)
WARP_GEN_SET(t_everything, uint64_t, a_u32, 4, uint32_t)
WARP_GEN_ADD(t_everything, uint64_t, a_u32, 4, uint32_t, int64_t)
WARP_GEN_SET(t_everything, uint64_t, a_u64, 5, uint64_t)
WARP_GEN_ADD(t_everything, uint64_t, a_u64, 5, uint64_t, int64_t)
WARP_GEN_SET(t_everything, uint64_t, a_i8, 6, int8_t)
WARP_GEN_ADD(t_everything, uint64_t, a_i8, 6, int8_t, int64_t)
WARP_GEN_SET(t_everything, uint64_t, a_i16, 7, int16_t)
WARP_GEN_ADD(t_everything, uint64_t, a_i16, 7, int16_t, int64_t)
WARP_GEN_SET(t_everything, uint64_t, a_i32, 8, int32_t)
WARP_GEN_ADD(t_everything, uint64_t, a_i32, 8, int32_t, int64_t)
WARP_GEN_SET(t_everything, uint64_t, a_i64, 9, int64_t)
WARP_GEN_ADD(t_everything, uint64_t, a_i64, 9, int64_t, int64_t)
WARP_GEN_SET(t_everything, uint64_t, a_f32, 10, float)
WARP_GEN_ADD(t_everything, uint64_t, a_f32, 10, float, float)
WARP_GEN_SET(t_everything, uint64_t, a_f64, 11, double)
WARP_GEN_ADD(t_everything, uint64_t, a_f64, 11, double, double)
WARP_GEN_SET(t_everything, uint64_t, a_time, 12, int64_t)
WARP_GEN_SET(t_everything, uint64_t, a_span, 13, int64_t)
WARP_GEN_SET(t_everything, uint64_t, a_uuid, 14, struct warp_uuid)
WARP_GEN_SET(t_everything, uint64_t, a_string, 15, struct warp_str)
WARP_GEN_SET(t_everything, uint64_t, a_bytes, 16, struct warp_str)
WARP_GEN_SET(t_everything, uint64_t, a_short, 17, struct warp_str)
WARP_GEN_SET(t_everything, uint64_t, a_digest, 18, struct warp_bytes_32)
WARP_GEN_SET(t_everything, uint64_t, an_atom, 19, struct warp_str)
WARP_GEN_SET(t_everything, uint64_t, a_kind, 20, enum t_kind)
WARP_GEN_SET(t_everything, uint64_t, a_point, 21, struct t_point)
WARP_GEN_SET(t_everything, uint64_t, a_mixed, 22, struct t_mixed)
WARP_GEN_SET(t_everything, uint64_t, a_payment, 23, struct t_payment)
WARP_GEN_SET(t_everything, uint64_t, a_flag, 24, struct t_flag)
WARP_GEN_SET(t_everything, uint64_t, a_row, 25, struct warp_u16_4)
WARP_GEN_SET(t_everything, uint64_t, a_list, 26, struct warp_list)
WARP_GEN_SET(t_everything, uint64_t, a_lists, 27, struct warp_list)
WARP_GEN_SET(t_everything, uint64_t, a_map, 28, struct warp_list)
WARP_GEN_SET(t_everything, uint64_t, a_free_map, 29, struct warp_list)
WARP_GEN_SET(t_everything, uint64_t, perhaps, 30, int32_t)
WARP_GEN_ADD(t_everything, uint64_t, perhaps, 30, int32_t, int64_t)

static const struct warp_product *const products_0_[] = {
    &t_everything_warp_product,
};
static const uint8_t descriptor_0_[] = {
    119,97,114,112,46,119,115,100,1,0,0,0,179,5,0,0,152,243,79,37,
    88,42,201,131,237,14,159,57,0,0,0,0,6,115,99,104,101,109,97,36,
    0,1,5,3,117,54,52,1,4,98,111,111,108,2,2,117,56,3,3,117,
    49,54,4,3,117,51,50,6,2,105,56,7,3,105,49,54,8,3,105,51,
    50,9,3,105,54,52,10,3,102,51,50,11,3,102,54,52,12,9,116,105,
    109,101,115,116,97,109,112,13,8,100,117,114,97,116,105,111,110,14,4,117,
    117,105,100,15,6,115,116,114,105,110,103,0,16,5,98,121,116,101,115,0,
    15,10,115,116,114,105,110,103,60,49,50,62,12,18,9,98,121,116,101,115,
    60,51,50,62,32,15,6,97,116,111,109,40,41,0,24,4,75,105,110,100,
    2,1,3,4,78,79,78,69,0,5,76,79,71,73,78,2,4,66,65,67,
    75,9,23,5,80,111,105,110,116,2,1,120,0,9,0,0,1,121,0,9,
    0,0,20,7,91,80,111,105,110,116,93,0,20,19,8,80,111,105,110,116,
    91,51,93,3,20,23,5,77,105,120,101,100,5,5,115,109,97,108,108,0,
    2,0,0,5,109,97,121,98,101,1,20,0,0,4,109,97,110,121,0,21,
    0,0,4,110,97,109,101,0,14,0,0,4,103,114,105,100,0,22,0,0,
    23,4,67,97,114,100,2,11,110,117,109,98,101,114,95,104,97,115,104,0,
    0,0,0,7,101,120,112,105,114,101,115,0,11,0,0,15,10,115,116,114,
    105,110,103,60,51,52,62,34,23,8,84,114,97,110,115,102,101,114,1,4,
    105,98,97,110,0,25,0,0,25,7,80,97,121,109,101,110,116,3,4,67,
    97,114,100,0,25,8,84,114,97,110,115,102,101,114,2,27,4,70,114,101,
    101,4,0,25,4,70,108,97,103,2,2,79,110,0,0,3,79,102,102,2,
    0,19,6,117,49,54,91,52,93,4,3,20,13,91,117,51,50,44,32,109,
    97,120,58,32,56,93,8,4,20,8,91,115,116,114,105,110,103,93,0,14,
    20,10,91,91,115,116,114,105,110,103,93,93,0,31,23,16,109,97,112,60,
    115,116,114,105,110,103,44,32,117,51,50,62,2,3,107,101,121,0,14,0,
    0,5,118,97,108,117,101,0,4,0,0,21,16,109,97,112,60,115,116,114,
    105,110,103,44,32,117,51,50,62,0,33,22,5,109,97,112,40,41,10,69,
    118,101,114,121,116,104,105,110,103,0,0,3,0,0,254,255,255,255,7,1,
    0,31,2,105,100,0,1,1,0,1,3,0,0,0,0,0,0,0,0,0,
    0,6,97,95,98,111,111,108,1,0,1,0,1,3,0,0,0,0,0,0,
    0,1,2,0,0,4,97,95,117,56,2,0,1,0,1,3,0,0,0,0,
    0,0,0,2,255,1,0,0,5,97,95,117,49,54,3,0,1,0,1,3,
    0,0,0,0,0,0,0,0,0,0,5,97,95,117,51,50,4,0,1,0,
    1,3,0,0,0,0,0,0,0,0,0,0,5,97,95,117,54,52,0,0,
    1,0,1,3,0,0,0,0,0,0,0,2,255,255,255,255,255,255,255,255,
    255,1,0,0,4,97,95,105,56,5,0,1,0,1,3,0,0,0,0,0,
    0,0,1,255,1,0,0,5,97,95,105,49,54,6,0,1,0,1,3,0,
    0,0,0,0,0,0,1,255,255,3,0,0,5,97,95,105,51,50,7,0,
    1,0,1,3,0,0,0,0,0,0,0,0,0,0,5,97,95,105,54,52,
    8,0,1,0,1,3,0,0,0,0,0,0,0,1,255,255,255,255,255,255,
    255,255,255,1,0,0,5,97,95,102,51,50,9,0,1,0,1,3,0,0,
    0,0,0,0,0,3,154,153,153,153,153,153,185,63,0,0,5,97,95,102,
    54,52,10,0,1,0,1,3,0,0,0,0,0,0,0,3,154,153,153,153,
    153,153,185,63,0,0,6,97,95,116,105,109,101,11,0,1,0,1,3,0,
    0,0,0,0,0,0,1,144,78,0,0,6,97,95,115,112,97,110,12,0,
    1,0,1,3,0,0,0,0,0,0,0,1,160,254,10,0,0,6,97,95,
    117,117,105,100,13,0,1,0,1,3,0,0,0,0,0,0,0,4,16,107,
    167,184,16,157,173,17,209,128,180,0,192,79,212,48,200,0,0,8,97,95,
    115,116,114,105,110,103,14,0,1,0,0,3,0,0,0,0,0,0,0,4,
    9,115,97,121,32,34,104,105,34,63,0,0,7,97,95,98,121,116,101,115,
    15,0,1,0,0,3,0,0,0,0,0,0,0,0,0,0,7,97,95,115,
    104,111,114,116,16,128,1,1,0,0,3,0,0,0,0,0,0,0,0,0,
    0,8,97,95,100,105,103,101,115,116,17,0,1,0,1,3,0,0,0,0,
    0,0,0,0,0,0,7,97,110,95,97,116,111,109,18,0,1,0,0,3,
    0,0,0,0,0,0,0,0,0,0,6,97,95,107,105,110,100,19,0,1,
    0,1,3,0,0,0,0,0,0,0,1,2,0,0,7,97,95,112,111,105,
    110,116,20,0,1,0,1,3,0,0,0,0,0,0,0,5,2,3,0,0,
    0,0,0,0,240,191,3,0,0,0,0,0,0,4,64,0,0,7,97,95,
    109,105,120,101,100,23,0,1,0,0,3,0,0,0,0,0,0,0,5,5,
    2,1,0,5,1,5,2,3,0,0,0,0,0,0,240,63,3,0,0,0,
    0,0,0,0,64,4,1,109,5,3,5,2,3,0,0,0,0,0,0,0,
    0,3,0,0,0,0,0,0,240,63,5,2,3,0,0,0,0,0,0,0,
    64,3,0,0,0,0,0,0,8,64,5,2,3,0,0,0,0,0,0,16,
    64,3,0,0,0,0,0,0,20,64,0,0,9,97,95,112,97,121,109,101,
    110,116,27,0,1,0,0,3,0,0,0,0,0,0,0,0,0,0,6,97,
    95,102,108,97,103,28,0,1,0,1,3,0,0,0,0,0,0,0,0,0,
    0,5,97,95,114,111,119,29,0,1,0,1,3,0,0,0,0,0,0,0,
    5,4,2,1,2,2,2,3,2,255,255,3,0,0,6,97,95,108,105,115,
    116,30,0,1,0,0,3,0,0,0,0,0,0,0,5,2,2,7,2,8,
    0,0,7,97,95,108,105,115,116,115,32,0,1,0,0,3,0,0,0,0,
    0,0,0,5,2,5,2,4,1,97,4,1,98,5,0,0,0,5,97,95,
    109,97,112,34,0,1,0,0,3,0,0,0,0,0,0,0,0,0,0,10,
    97,95,102,114,101,101,95,109,97,112,35,0,1,0,0,3,0,0,0,0,
    0,0,0,5,0,0,0,7,112,101,114,104,97,112,115,7,0,1,0,1,
    3,0,0,0,0,0,0,0,0,0,0,
};
const struct warp_schema schema_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 1, .name = "schema",
    .products = products_0_,
    .descriptor = descriptor_0_,
    .descriptor_bytes = sizeof descriptor_0_,
    .fingerprint = UINT64_C(0x83c92a58254ff398) };
