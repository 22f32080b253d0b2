/* Written by warpc from schema.warp. Do not edit: change the schema. */
#include <warp/gen.h>

#define WARP_GEN_SCHEMA_WARP_H_DEFINES
#include "schema.warp.h"

/* Another ABI of libwarp lacks this symbol. */
__attribute__((used)) static const int *const abi_0_ = &warp_gen_abi_1;

static const struct warp_type warp_type_t0_ = { .name = "string<100>",
    .kind = WARP_T_STRING, .size = sizeof(struct warp_str), .count = 100 };
static const struct warp_member m1_[] = {
    { "at", &warp_type_timestamp, offsetof(struct visit, at), UINT32_MAX, 0 },
    { "page", &warp_type_t0_, offsetof(struct visit, page), UINT32_MAX, 0 },
};
static const struct warp_type warp_type_t1_ = { .name = "Visit",
    .kind = WARP_T_STRUCT, .size = sizeof(struct visit), .count = 2, .members = m1_ };
_Static_assert(sizeof(struct visit) == 24 &&
    offsetof(struct visit, at) == 0 &&
    offsetof(struct visit, page) == 8,
    "layout of Visit");
static const struct warp_type warp_type_t2_ = { .name = "[string]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .elem = &warp_type_string };
static const struct warp_type warp_type_t3_ = { .name = "bytes<8>",
    .kind = WARP_T_FIXED_BYTES, .size = sizeof(struct warp_bytes_8), .plain = 1,
    .wire_bytes = 8, .count = 8 };
_Static_assert(sizeof(struct warp_bytes_8) == 8,
    "layout of bytes<8>");

static const struct warp_strategy s0_ = {
    .name = "Hot",
    .memory_pool = "hot_pool",
    .memory_pool_bytes = UINT64_C(67108864),
    .max_memory_per_instance_bytes = UINT64_C(4096),
    .compression_threshold_bytes = UINT64_C(1024),
    .access_pattern_learning = -1, .auto_migration = -1,
    .hot_to_warm_count = UINT64_C(10),
    .hot_to_warm_window_ms = UINT64_C(3600000),
    .cold_to_archive_age_ms = UINT64_C(7776000000) };
#define WARP_GEN_S struct http_user2
WARP_GEN_LAYOUT(88, 80)
static const struct warp_retention r0_3_[] = {
    { WARP_TIER_MEMORY, 86400000 },
    { WARP_TIER_SSD, INT64_C(2592000000) },
    { WARP_TIER_ARCHIVE, INT64_MAX },
};
static const struct warp_field f0_[] = {
    { WARP_GEN_FIELD(id, string, MEMORY, CRITICAL), .flags = WARP_F_KEY, .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE },
    { WARP_GEN_FIELD(nick, string, MEMORY, HIGH), .survives = WARP_SURVIVES_POWER_LOSS, .was = "name" },
    { WARP_GEN_FIELD(old_score, u32, MEMORY, HIGH), .flags = WARP_F_DEPRECATED, .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE },
    { WARP_GEN_SERIES_FIELD(visits, t1_, HIGH), .flags = WARP_F_SERIES, .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE,
      .retention = r0_3_, .retention_count = 3, .by_offset = offsetof(struct visit, at) },
    { WARP_GEN_FIELD(graph, t2_, DISK_COMPRESSED, HIGH), .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_DEFAULT, .copies = 1u << WARP_HOME_COMPUTED },
    { WARP_GEN_FIELD(mass, f32, GPU, HIGH), .flags = WARP_F_COLUMN, .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE, .physics = WARP_PHYSICS_MASS },
    { WARP_GEN_FIELD(place, f32, AUTO, HIGH), .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE, .access = WARP_ACCESS_COLD, .prefer = WARP_TIER_SSD },
    { WARP_GEN_FIELD(session, value_map, MEMORY_ONLY, HIGH), .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE, .ttl_ms = 3600000 },
};
const struct warp_product http_user2_warp_product = {
    WARP_GEN_PRODUCT(0, "HTTPUser2", struct warp_str, 0xa6, 0xf6, HIGH, 0), .max_memory_bytes = UINT64_C(1048576), .strategy = &s0_ };
#undef WARP_GEN_S

#define WARP_GEN_S struct ticket
WARP_GEN_LAYOUT(48, 40)
static const struct warp_field f1_[] = {
    { WARP_GEN_FIELD(code, t3_, MEMORY, LOW), .flags = WARP_F_KEY, .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE, .access = WARP_ACCESS_SEQUENTIAL },
    { WARP_GEN_FIELD(seat, string, AUTO, LOW), .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE, .access = WARP_ACCESS_WARM, .prefer = WARP_TIER_MEMORY },
    { WARP_GEN_FIELD(both, bytes, SSD, LOW), .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE, .access = WARP_ACCESS_SEQUENTIAL, .copies = 1u << WARP_HOME_MEMORY },
};
const struct warp_product ticket_warp_product = {
    WARP_GEN_PRODUCT(1, "Ticket", struct warp_bytes_8, 0x0, 0x6, LOW, 0), .ttl_ms = INT64_C(7776000000), .access = 4 };
#undef WARP_GEN_S

static const struct warp_product *const products_0_[] = {
    &http_user2_warp_product,
    &ticket_warp_product,
};
static const struct {
    char p0_[498];
} descriptor_0_ = {
    "warp.wsd\1\0\0\0\322\1\0\0\23\324\305I\275\211\12\0332P.\35\0\0\0\0\6sch"
    "ema\12\1\2\17\6string\0\4\3u32\14\11timestamp\17\13string<100>d\27\5Visi"
    "t\2\2at\0\2\0\0\4page\0\3\0\0\24\10[string]\0\0\12\3f32\26\5map()\22\10b"
    "ytes<8>\10\20\5bytes\0\3Hot\10hot_pool\0\200\200\200 \0\200 \0\200\10\0\1"
    "\1\12\0\200\335\333\1\0\200\260\361\373\34\11HTTPUser2\0\200\200@\4\0\1\246"
    "\1\1\0\10\2id\0\1\1\3\1\5\0\0\0\0\0\0\0\0\0\0\4nick\0\0\1\3\0\4\0\0\0\0\0"
    "\0\0\0\4name\0\11old_score\1@\1\3\1\4\0\0\0\0\0\0\0\0\0\0\6visits\4\2\11"
    "\3\1\4\0\0\0\0\0\3\1\200\270\231)\3\200\220\373\323\11\5\377\377\377\377"
    "\377\377\377\377\177\1\0\0\0\5graph\5\0\7\3\3\4\0\0\0\20\0\0\0\0\0\0\4ma"
    "ss\6 \3\3\1\4\1\0\0\0\0\0\0\0\0\0\5place\6\0\12\3\1\4\0\3\3\0\0\0\0\0\0\0"
    "\7session\7\0\2\1\1\4\0\0\0\0\200\335\333\1\0\0\0\0\0\6Ticket\200\260\361"
    "\373\34\0\2\4\0\0\1\0\3\4code\10\1\1\3\1\2\0\4\0\0\0\0\0\0\0\0\4seat\0\0"
    "\12\3\1\2\0\2\1\0\0\0\0\0\0\0\4both\11\0\5\3\1\2\0\4\0\2\0\0\0\0\0"
    ,
};
const struct warp_schema schema_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 2, .name = "schema",
    .products = products_0_,
    .descriptor = (const uint8_t *)&descriptor_0_,
    .descriptor_bytes = sizeof descriptor_0_,
    .fingerprint = UINT64_C(0x1b0a89bd49c5d413) };
