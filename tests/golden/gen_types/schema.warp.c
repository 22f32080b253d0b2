/* Written by warpc from schema.warp. Do not edit: change the schema. */
#include <warp/gen.h>

#define WARP_GEN_SCHEMA_WARP_H_DEFINES
#include "schema.warp.h"

/* Another ABI of libwarp lacks this symbol. */
__attribute__((used)) static const int *const abi_0_ = &warp_gen_abi_1;

static const struct warp_type warp_type_t0_ = { .name = "string<12>",
    .kind = WARP_T_STRING, .size = sizeof(struct warp_str), .count = 12 };
static const struct warp_type warp_type_t1_ = { .name = "bytes<32>",
    .kind = WARP_T_FIXED_BYTES, .size = sizeof(struct warp_bytes_32), .plain = 1,
    .wire_bytes = 32, .count = 32 };
_Static_assert(sizeof(struct warp_bytes_32) == 32,
    "layout of bytes<32>");
static const struct warp_enumerator v2_[] = {
    { "NONE", 0 },
    { "LOGIN", 1 },
    { "BACK", -5 },
};
static const struct warp_type warp_type_t2_ = { .name = "Kind",
    .kind = WARP_T_ENUM, .size = sizeof(enum t_kind), .width = 2, .is_signed = 1, .values = v2_,
    .wire_bytes = 2, .count = 3 };
static const struct warp_member m3_[] = {
    { "x", &warp_type_f32, offsetof(struct t_point, x), UINT32_MAX, 0 },
    { "y", &warp_type_f32, offsetof(struct t_point, y), UINT32_MAX, 0 },
};
static const struct warp_type warp_type_t3_ = { .name = "Point",
    .kind = WARP_T_STRUCT, .size = sizeof(struct t_point), .plain = 1,
    .wire_bytes = 8, .count = 2, .members = m3_ };
_Static_assert(sizeof(struct t_point) == 8 &&
    offsetof(struct t_point, x) == 0 &&
    offsetof(struct t_point, y) == 4,
    "layout of Point");
static const struct warp_type warp_type_t4_ = { .name = "[Point]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .elem = &warp_type_t3_ };
static const struct warp_type warp_type_t5_ = { .name = "Point[3]",
    .kind = WARP_T_ARRAY, .size = sizeof(struct t_point_3), .plain = 1,
    .wire_bytes = 24, .count = 3, .elem = &warp_type_t3_ };
_Static_assert(sizeof(struct t_point_3) == 24,
    "layout of Point[3]");
static const struct warp_member m6_[] = {
    { "small", &warp_type_u8, offsetof(struct t_mixed, small), UINT32_MAX, 0 },
    { "maybe", &warp_type_t3_, offsetof(struct t_mixed, maybe), offsetof(struct t_mixed, has_maybe), 0 },
    { "many", &warp_type_t4_, offsetof(struct t_mixed, many), UINT32_MAX, 0 },
    { "name", &warp_type_string, offsetof(struct t_mixed, name), UINT32_MAX, 0 },
    { "grid", &warp_type_t5_, offsetof(struct t_mixed, grid), UINT32_MAX, 0 },
};
static const struct warp_type warp_type_t6_ = { .name = "Mixed",
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
static const struct warp_type warp_type_t7_ = { .name = "Card",
    .kind = WARP_T_STRUCT, .size = sizeof(((struct t_payment *)0)->u.card), .plain = 1,
    .wire_bytes = 16, .count = 2, .members = m7_ };
_Static_assert(sizeof(((struct t_payment *)0)->u.card) == 16 &&
    offsetof(struct t_payment, u.card.number_hash) - offsetof(struct t_payment, u) == 0 &&
    offsetof(struct t_payment, u.card.expires) - offsetof(struct t_payment, u) == 8,
    "layout of Card");
static const struct warp_type warp_type_t8_ = { .name = "string<34>",
    .kind = WARP_T_STRING, .size = sizeof(struct warp_str), .count = 34 };
static const struct warp_member m9_[] = {
    { "iban", &warp_type_t8_, offsetof(struct t_payment, u.transfer.iban) - offsetof(struct t_payment, u), UINT32_MAX, 0 },
};
static const struct warp_type warp_type_t9_ = { .name = "Transfer",
    .kind = WARP_T_STRUCT, .size = sizeof(((struct t_payment *)0)->u.transfer), .count = 1, .members = m9_ };
_Static_assert(sizeof(((struct t_payment *)0)->u.transfer) == 16 &&
    offsetof(struct t_payment, u.transfer.iban) - offsetof(struct t_payment, u) == 0,
    "layout of Transfer");
static const struct warp_member m10_[] = {
    { "Card", &warp_type_t7_, offsetof(struct t_payment, u), UINT32_MAX, 0 },
    { "Transfer", &warp_type_t9_, offsetof(struct t_payment, u), UINT32_MAX, 1 },
    { "Free", NULL, offsetof(struct t_payment, u), UINT32_MAX, 2 },
};
static const struct warp_type warp_type_t10_ = { .name = "Payment",
    .kind = WARP_T_SUM, .size = sizeof(struct t_payment), .count = 3, .members = m10_ };
_Static_assert(sizeof(struct t_payment) == 24,
    "layout of Payment");
static const struct warp_member m11_[] = {
    { "On", NULL, 0, UINT32_MAX, 0 },
    { "Off", NULL, 0, UINT32_MAX, 1 },
};
static const struct warp_type warp_type_t11_ = { .name = "Flag",
    .kind = WARP_T_SUM, .size = sizeof(struct t_flag), .count = 2, .members = m11_ };
_Static_assert(sizeof(struct t_flag) == 4,
    "layout of Flag");
static const struct warp_type warp_type_t12_ = { .name = "u16[4]",
    .kind = WARP_T_ARRAY, .size = sizeof(struct warp_u16_4), .plain = 1,
    .wire_bytes = 8, .count = 4, .elem = &warp_type_u16 };
_Static_assert(sizeof(struct warp_u16_4) == 8,
    "layout of u16[4]");
static const struct warp_type warp_type_t13_ = { .name = "[u32, max: 8]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .count = 8, .elem = &warp_type_u32 };
static const struct warp_type warp_type_t14_ = { .name = "[string]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .elem = &warp_type_string };
static const struct warp_type warp_type_t15_ = { .name = "[[string]]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .elem = &warp_type_t14_ };
static const struct warp_member m16_[] = {
    { "key", &warp_type_string, offsetof(struct warp_u32_by_string, key), UINT32_MAX, 0 },
    { "value", &warp_type_u32, offsetof(struct warp_u32_by_string, value), UINT32_MAX, 0 },
};
static const struct warp_type warp_type_t16_ = { .name = "map<string, u32>",
    .kind = WARP_T_STRUCT, .size = sizeof(struct warp_u32_by_string), .count = 2, .members = m16_ };
_Static_assert(sizeof(struct warp_u32_by_string) == 24 &&
    offsetof(struct warp_u32_by_string, key) == 0 &&
    offsetof(struct warp_u32_by_string, value) == 16,
    "layout of map<string, u32>");
static const struct warp_type warp_type_t17_ = { .name = "map<string, u32>",
    .kind = WARP_T_MAP, .size = sizeof(struct warp_list), .elem = &warp_type_t16_ };

#define WARP_GEN_S struct t_everything
WARP_GEN_LAYOUT(392, 384)
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
    WARP_GEN_KEY(id, u64),
    { WARP_GEN_FIELD(a_bool, bool, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_1_ },
    { WARP_GEN_FIELD(a_u8, u8, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_2_ },
    WARP_GEN_ROW(a_u16, u16),
    WARP_GEN_ROW(a_u32, u32),
    { WARP_GEN_FIELD(a_u64, u64, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_5_ },
    { WARP_GEN_FIELD(a_i8, i8, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_6_ },
    { WARP_GEN_FIELD(a_i16, i16, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_7_ },
    WARP_GEN_ROW(a_i32, i32),
    { WARP_GEN_FIELD(a_i64, i64, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_9_ },
    { WARP_GEN_FIELD(a_f32, f32, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_10_ },
    { WARP_GEN_FIELD(a_f64, f64, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_11_ },
    { WARP_GEN_FIELD(a_time, timestamp, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_12_ },
    { WARP_GEN_FIELD(a_span, duration, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_13_ },
    { WARP_GEN_FIELD(a_uuid, uuid, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_14_ },
    { WARP_GEN_FIELD(a_string, string, MEMORY, NORMAL), .default_value = &d0_15_ },
    { WARP_GEN_FIELD(a_bytes, bytes, MEMORY, NORMAL) },
    { WARP_GEN_FIELD(a_short, t0_, MEMORY, NORMAL), .flags = WARP_F_INLINE },
    WARP_GEN_ROW(a_digest, t1_),
    { WARP_GEN_FIELD(an_atom, string, MEMORY, NORMAL) },
    { WARP_GEN_FIELD(a_kind, t2_, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_20_ },
    { WARP_GEN_FIELD(a_point, t3_, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_21_ },
    { WARP_GEN_FIELD(a_mixed, t6_, MEMORY, NORMAL), .default_value = &d0_22_ },
    { WARP_GEN_FIELD(a_payment, t10_, MEMORY, NORMAL) },
    WARP_GEN_ROW(a_flag, t11_),
    { WARP_GEN_FIELD(a_row, t12_, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .default_value = &d0_25_ },
    { WARP_GEN_FIELD(a_list, t13_, MEMORY, NORMAL), .default_value = &d0_26_ },
    { WARP_GEN_FIELD(a_lists, t15_, MEMORY, NORMAL), .default_value = &d0_27_ },
    { WARP_GEN_FIELD(a_map, t17_, MEMORY, NORMAL) },
    { WARP_GEN_FIELD(a_free_map, value_map, MEMORY, NORMAL), .default_value = &d0_29_ },
    WARP_GEN_ROW(perhaps, i32),
};
const struct warp_product t_everything_warp_product = {
    WARP_GEN_PRODUCT(0, "Everything", uint64_t, 0x7ffffffe, 0x7ffffffe, NORMAL, 0) };
#undef WARP_GEN_S

static const struct warp_product *const products_0_[] = {
    &t_everything_warp_product,
};
static const struct {
    char p0_[1491];
} descriptor_0_ = {
    "warp.wsd\1\0\0\0\263\5\0\0\230\363O%X*\311\203\355\16\2379\0\0\0\0\6sche"
    "ma$\0\1\5\3u64\1\4bool\2\2u8\3\3u16\4\3u32\6\2i8\7\3i16\10\3i32\11\3i64\12"
    "\3f32\13\3f64\14\11timestamp\15\10duration\16\4uuid\17\6string\0\20\5byt"
    "es\0\17\12string<12>\14\22\11bytes<32> \17\6atom()\0\30\4Kind\2\1\3\4NON"
    "E\0\5LOGIN\2\4BACK\11\27\5Point\2\1x\0\11\0\0\1y\0\11\0\0\24\7[Point]\0\24"
    "\23\10Point[3]\3\24\27\5Mixed\5\5small\0\2\0\0\5maybe\1\24\0\0\4many\0\25"
    "\0\0\4name\0\16\0\0\4grid\0\26\0\0\27\4Card\2\13number_hash\0\0\0\0\7exp"
    "ires\0\13\0\0\17\12string<34>\"\27\10Transfer\1\4iban\0\31\0\0\31\7Payme"
    "nt\3\4Card\0\31\10Transfer\2\33\4Free\4\0\31\4Flag\2\2On\0\0\3Off\2\0\23"
    "\6u16[4]\4\3\24\15[u32, max: 8]\10\4\24\10[string]\0\16\24\12[[string]]\0"
    "\37\27\20map<string, u32>\2\3key\0\16\0\0\5value\0\4\0\0\25\20map<string"
    ", u32>\0!\26\5map()\12Everything\0\0\3\0\0\376\377\377\377\7\1\0\37\2id\0"
    "\1" WARP_GEN_FACTS
    "\6a_bool\1\0\1\0\1\3\0\0\0\0\0\0\0\1\2\0\0\4a_u8\2\0\1\0\1\3\0\0\0\0\0\0"
    "\0\2\377\1\0\0\5a_u16\3\0" WARP_GEN_FACTS
    "\5a_u32\4\0" WARP_GEN_FACTS
    "\5a_u64\0\0\1\0\1\3\0\0\0\0\0\0\0\2\377\377\377\377\377\377\377\377\377\1"
    "\0\0\4a_i8\5\0\1\0\1\3\0\0\0\0\0\0\0\1\377\1\0\0\5a_i16\6\0\1\0\1\3\0\0\0"
    "\0\0\0\0\1\377\377\3\0\0\5a_i32\7\0" WARP_GEN_FACTS
    "\5a_i64\10\0\1\0\1\3\0\0\0\0\0\0\0\1\377\377\377\377\377\377\377\377\377"
    "\1\0\0\5a_f32\11\0\1\0\1\3\0\0\0\0\0\0\0\3\232\231\231\231\231\231\271\?"
    "\0\0\5a_f64\12\0\1\0\1\3\0\0\0\0\0\0\0\3\232\231\231\231\231\231\271\?\0"
    "\0\6a_time\13\0\1\0\1\3\0\0\0\0\0\0\0\1\220N\0\0\6a_span\14\0\1\0\1\3\0\0"
    "\0\0\0\0\0\1\240\376\12\0\0\6a_uuid\15\0\1\0\1\3\0\0\0\0\0\0\0\4\20k\247"
    "\270\20\235\255\21\321\200\264\0\300O\3240\310\0\0\10a_string\16\0\1\0\0"
    "\3\0\0\0\0\0\0\0\4\11say \"hi\"\?\0\0\7a_bytes\17\0\1\0\0\3\0\0\0\0\0\0\0"
    "\0\0\0\7a_short\20\200\1\1\0\0\3\0\0\0\0\0\0\0\0\0\0\10a_digest\21\0" WARP_GEN_FACTS
    "\7an_atom\22\0\1\0\0\3\0\0\0\0\0\0\0\0\0\0\6a_kind\23\0\1\0\1\3\0\0\0\0\0"
    "\0\0\1\2\0\0\7a_point\24\0\1\0\1\3\0\0\0\0\0\0\0\5\2\3\0\0\0\0\0\0\360\277"
    "\3\0\0\0\0\0\0\4@\0\0\7a_mixed\27\0\1\0\0\3\0\0\0\0\0\0\0\5\5\2\1\0\5\1\5"
    "\2\3\0\0\0\0\0\0\360\?\3\0\0\0\0\0\0\0@\4\1m\5\3\5\2\3\0\0\0\0\0\0\0\0\3"
    "\0\0\0\0\0\0\360\?\5\2\3\0\0\0\0\0\0\0@\3\0\0\0\0\0\0\10@\5\2\3\0\0\0\0\0"
    "\0\20@\3\0\0\0\0\0\0\24@\0\0\11a_payment\33\0\1\0\0\3\0\0\0\0\0\0\0\0\0\0"
    "\6a_flag\34\0" WARP_GEN_FACTS
    "\5a_row\35\0\1\0\1\3\0\0\0\0\0\0\0\5\4\2\1\2\2\2\3\2\377\377\3\0\0\6a_li"
    "st\36\0\1\0\0\3\0\0\0\0\0\0\0\5\2\2\7\2\10\0\0\7a_lists \0\1\0\0\3\0\0\0"
    "\0\0\0\0\5\2\5\2\4\1a\4\1b\5\0\0\0\5a_map\"\0\1\0\0\3\0\0\0\0\0\0\0\0\0\0"
    "\12a_free_map#\0\1\0\0\3\0\0\0\0\0\0\0\5\0\0\0\7perhaps\7\0\1\0\1\3\0\0\0"
    "\0\0\0\0\0\0"
    ,
};
const struct warp_schema schema_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 1, .name = "schema",
    .products = products_0_,
    .descriptor = (const uint8_t *)&descriptor_0_,
    .descriptor_bytes = sizeof descriptor_0_,
    .fingerprint = UINT64_C(0x83c92a58254ff398) };
