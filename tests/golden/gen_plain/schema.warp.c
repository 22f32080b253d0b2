/* Written by warpc from schema.warp. Do not edit: change the schema. */
#include "schema.warp.h"

#include <warp/gen.h>

/* Another ABI of libwarp lacks this symbol. */
__attribute__((used)) static const int *const abi_0_ = &warp_gen_abi_1;

static const struct warp_type t0_ = { .name = "string<100>",
    .kind = WARP_T_STRING, .size = sizeof(struct warp_str), .count = 100 };
static const struct warp_member m1_[] = {
    { "at", &warp_type_timestamp, offsetof(struct visit, at), UINT32_MAX, 0 },
    { "page", &t0_, offsetof(struct visit, page), UINT32_MAX, 0 },
};
static const struct warp_type t1_ = { .name = "Visit",
    .kind = WARP_T_STRUCT, .size = sizeof(struct visit), .count = 2, .members = m1_ };
_Static_assert(sizeof(struct visit) == 24 &&
    offsetof(struct visit, at) == 0 &&
    offsetof(struct visit, page) == 8,
    "layout of Visit");
static const struct warp_type t2_ = { .name = "[string]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .elem = &warp_type_string };
static const struct warp_type t3_ = { .name = "bytes<8>",
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
/* HTTPUser2 */
_Static_assert(sizeof(struct http_user2) == 88 &&
    offsetof(struct http_user2, have) == 80, "layout of HTTPUser2");
static const struct warp_retention r0_3_[] = {
    { WARP_TIER_MEMORY, 86400000 },
    { WARP_TIER_SSD, INT64_C(2592000000) },
    { WARP_TIER_ARCHIVE, INT64_MAX },
};
static const struct warp_field f0_[] = {
    { WARP_GEN_FIELD(http_user2, id, &warp_type_string, MEMORY, CRITICAL), .flags = WARP_F_KEY, .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(http_user2, nick, &warp_type_string, MEMORY, HIGH), .survives = WARP_SURVIVES_POWER_LOSS, .by_offset = UINT32_MAX, .was = "name" },
    { WARP_GEN_FIELD(http_user2, old_score, &warp_type_u32, MEMORY, HIGH), .flags = WARP_F_DEPRECATED, .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_SERIES_FIELD(visits, &t1_, HIGH), .flags = WARP_F_SERIES, .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE,
      .retention = r0_3_, .retention_count = 3, .by_offset = offsetof(struct visit, at) },
    { WARP_GEN_FIELD(http_user2, graph, &t2_, DISK_COMPRESSED, HIGH), .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_DEFAULT, .copies = 1u << WARP_HOME_COMPUTED, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(http_user2, mass, &warp_type_f32, GPU, HIGH), .flags = WARP_F_COLUMN, .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE, .physics = WARP_PHYSICS_MASS, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(http_user2, place, &warp_type_f32, AUTO, HIGH), .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE, .access = WARP_ACCESS_COLD, .prefer = WARP_TIER_SSD, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(http_user2, session, &warp_type_value_map, MEMORY_ONLY, HIGH), .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE, .ttl_ms = 3600000, .by_offset = UINT32_MAX },
};
static const uint8_t k0_[] = { 0 };
const struct warp_product http_user2_warp_product = {
    .name = "HTTPUser2", .fields = f0_, .field_count = 8,
    .record_bytes = sizeof(struct http_user2),
    .have_offset = offsetof(struct http_user2, have),
    .key_bytes = sizeof(struct warp_str), .key_count = 1, .key_fields = k0_,
    .hot = HTTP_USER2_HOT, .all = HTTP_USER2_ALL, .max_memory_bytes = UINT64_C(1048576),
    .priority = WARP_PRIORITY_HIGH, .strategy = &s0_ };

WARP_GEN_RECORD(http_user2, struct warp_str)
WARP_GEN_SET(http_user2, struct warp_str, nick, 1, struct warp_str)
WARP_GEN_SET(http_user2, struct warp_str, old_score, 2, uint32_t)
WARP_GEN_ADD(http_user2, struct warp_str, old_score, 2, uint32_t, int64_t)
WARP_GEN_SERIES_BY(http_user2, struct warp_str, visits, 3, struct visit)
WARP_GEN_SET(http_user2, struct warp_str, graph, 4, struct warp_list)
WARP_GEN_SUMMARY(http_user2, struct warp_str, graph, 4)
WARP_GEN_SET(http_user2, struct warp_str, mass, 5, float)
WARP_GEN_ADD(http_user2, struct warp_str, mass, 5, float, float)
WARP_GEN_SET(http_user2, struct warp_str, place, 6, float)
WARP_GEN_ADD(http_user2, struct warp_str, place, 6, float, float)
WARP_GEN_SET(http_user2, struct warp_str, session, 7, struct warp_list)

/* Ticket */
_Static_assert(sizeof(struct ticket) == 48 &&
    offsetof(struct ticket, have) == 40, "layout of Ticket");
static const struct warp_field f1_[] = {
    { WARP_GEN_FIELD(ticket, code, &t3_, MEMORY, LOW), .flags = WARP_F_KEY, .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE, .access = WARP_ACCESS_SEQUENTIAL, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(ticket, seat, &warp_type_string, AUTO, LOW), .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE, .access = WARP_ACCESS_WARM, .prefer = WARP_TIER_MEMORY, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(ticket, both, &warp_type_bytes, SSD, LOW), .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE, .access = WARP_ACCESS_SEQUENTIAL, .copies = 1u << WARP_HOME_MEMORY, .by_offset = UINT32_MAX },
};
static const uint8_t k1_[] = { 0 };
const struct warp_product ticket_warp_product = {
    .name = "Ticket", .fields = f1_, .field_count = 3,
    .record_bytes = sizeof(struct ticket),
    .have_offset = offsetof(struct ticket, have),
    .key_bytes = sizeof(struct warp_bytes_8), .key_count = 1, .key_fields = k1_,
    .hot = TICKET_HOT, .all = TICKET_ALL, .ttl_ms = INT64_C(7776000000),
    .priority = WARP_PRIORITY_LOW, .access = 4 };

WARP_GEN_RECORD(ticket, struct warp_bytes_8)
WARP_GEN_SET(ticket, struct warp_bytes_8, seat, 1, struct warp_str)
WARP_GEN_SET(ticket, struct warp_bytes_8, both, 2, struct warp_str)

static const struct warp_product *const products_0_[] = {
    &http_user2_warp_product,
    &ticket_warp_product,
};
static const uint8_t descriptor_0_[] = {
    119,97,114,112,46,119,115,100,1,0,0,0,210,1,0,0,19,212,197,73,
    189,137,10,27,50,80,46,29,0,0,0,0,6,115,99,104,101,109,97,10,
    1,2,15,6,115,116,114,105,110,103,0,4,3,117,51,50,12,9,116,105,
    109,101,115,116,97,109,112,15,11,115,116,114,105,110,103,60,49,48,48,62,
    100,23,5,86,105,115,105,116,2,2,97,116,0,2,0,0,4,112,97,103,
    101,0,3,0,0,20,8,91,115,116,114,105,110,103,93,0,0,10,3,102,
    51,50,22,5,109,97,112,40,41,18,8,98,121,116,101,115,60,56,62,8,
    16,5,98,121,116,101,115,0,3,72,111,116,8,104,111,116,95,112,111,111,
    108,0,128,128,128,32,0,128,32,0,128,8,0,1,1,10,0,128,221,219,
    1,0,128,176,241,251,28,9,72,84,84,80,85,115,101,114,50,0,128,128,
    64,4,0,1,166,1,1,0,8,2,105,100,0,1,1,3,1,5,0,0,
    0,0,0,0,0,0,0,0,4,110,105,99,107,0,0,1,3,0,4,0,
    0,0,0,0,0,0,0,4,110,97,109,101,0,9,111,108,100,95,115,99,
    111,114,101,1,64,1,3,1,4,0,0,0,0,0,0,0,0,0,0,6,
    118,105,115,105,116,115,4,2,9,3,1,4,0,0,0,0,0,3,1,128,
    184,153,41,3,128,144,251,211,9,5,255,255,255,255,255,255,255,255,127,1,
    0,0,0,5,103,114,97,112,104,5,0,7,3,3,4,0,0,0,16,0,
    0,0,0,0,0,4,109,97,115,115,6,32,3,3,1,4,1,0,0,0,
    0,0,0,0,0,0,5,112,108,97,99,101,6,0,10,3,1,4,0,3,
    3,0,0,0,0,0,0,0,7,115,101,115,115,105,111,110,7,0,2,1,
    1,4,0,0,0,0,128,221,219,1,0,0,0,0,0,6,84,105,99,107,
    101,116,128,176,241,251,28,0,2,4,0,0,1,0,3,4,99,111,100,101,
    8,1,1,3,1,2,0,4,0,0,0,0,0,0,0,0,4,115,101,97,
    116,0,0,10,3,1,2,0,2,1,0,0,0,0,0,0,0,4,98,111,
    116,104,9,0,5,3,1,2,0,4,0,2,0,0,0,0,0,0,
};
const struct warp_schema schema_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 2, .name = "schema",
    .products = products_0_,
    .descriptor = descriptor_0_,
    .descriptor_bytes = sizeof descriptor_0_,
    .fingerprint = UINT64_C(0x1b0a89bd49c5d413) };
