/* Written by warpc from schema.warp. Do not edit: change the schema. */
#include "schema.warp.h"

#include <warp/gen.h>

/* Another ABI of libwarp lacks this symbol. */
__attribute__((used)) static const int *const abi_0_ = &warp_gen_abi_1;

static const struct warp_enumerator v0_[] = {
    { "NONE", 0 },
    { "RED", 1 },
    { "BLUE", 2 },
};
static const struct warp_type t0_ = { .name = "Faction",
    .kind = WARP_T_ENUM, .size = sizeof(enum game_faction), .width = 1, .values = v0_,
    .wire_bytes = 1, .count = 3 };
static const struct warp_member m1_[] = {
    { "x", &warp_type_f32, offsetof(struct game_vec3, x), UINT32_MAX, 0 },
    { "y", &warp_type_f32, offsetof(struct game_vec3, y), UINT32_MAX, 0 },
    { "z", &warp_type_f32, offsetof(struct game_vec3, z), UINT32_MAX, 0 },
};
static const struct warp_type t1_ = { .name = "Vec3",
    .kind = WARP_T_STRUCT, .size = sizeof(struct game_vec3), .plain = 1,
    .wire_bytes = 12, .count = 3, .members = m1_ };
_Static_assert(sizeof(struct game_vec3) == 12 &&
    offsetof(struct game_vec3, x) == 0 &&
    offsetof(struct game_vec3, y) == 4 &&
    offsetof(struct game_vec3, z) == 8,
    "layout of Vec3");
static const struct warp_member m2_[] = {
    { "uid", &warp_type_u64, offsetof(struct game_item, uid), UINT32_MAX, 0 },
    { "proto", &warp_type_u32, offsetof(struct game_item, proto), UINT32_MAX, 0 },
    { "qty", &warp_type_u16, offsetof(struct game_item, qty), UINT32_MAX, 0 },
};
static const struct warp_type t2_ = { .name = "Item",
    .kind = WARP_T_STRUCT, .size = sizeof(struct game_item),
    .wire_bytes = 14, .count = 3, .members = m2_ };
_Static_assert(sizeof(struct game_item) == 16 &&
    offsetof(struct game_item, uid) == 0 &&
    offsetof(struct game_item, proto) == 8 &&
    offsetof(struct game_item, qty) == 12,
    "layout of Item");
static const struct warp_type t3_ = { .name = "[Item, max: 256]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .count = 256, .elem = &t2_ };
static const struct warp_type t4_ = { .name = "[u32]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .elem = &warp_type_u32 };
static const struct warp_type t5_ = { .name = "string<80>",
    .kind = WARP_T_STRING, .size = sizeof(struct warp_str), .count = 80 };

/* Entity */
_Static_assert(sizeof(struct game_entity) == 136 &&
    offsetof(struct game_entity, have) == 128, "layout of Entity");
static const struct warp_retention r0_9_[] = {
    { WARP_TIER_MEMORY, 300000 },
    { WARP_TIER_DISK, 1209600000 },
};
static const struct warp_field f0_[] = {
    { WARP_GEN_FIELD(game_entity, id, &warp_type_u64, MEMORY, NORMAL), .flags = WARP_F_KEY, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(game_entity, account, &warp_type_u64, MEMORY, NORMAL), .flags = WARP_F_INDEX, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(game_entity, faction, &t0_, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(game_entity, pos, &t1_, MEMORY, NORMAL), .flags = WARP_F_COLUMN, .survives = WARP_SURVIVES_PROCESS_CRASH, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(game_entity, vel, &t1_, MEMORY_ONLY, NORMAL), .flags = WARP_F_COLUMN, .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(game_entity, gold, &warp_type_i64, MEMORY, NORMAL), .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(game_entity, inventory, &t3_, MEMORY, NORMAL), .survives = WARP_SURVIVES_POWER_LOSS, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(game_entity, buffs, &t4_, MEMORY_ONLY, NORMAL), .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE, .ttl_ms = 30000, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(game_entity, shield, &warp_type_u32, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .ttl_ms = 7200000, .by_offset = UINT32_MAX },
    { WARP_GEN_SERIES_FIELD(combat_log, &t5_, NORMAL), .flags = WARP_F_SERIES | WARP_F_THEN_DELETE, .compression = WARP_COMPRESS_NONE,
      .retention = r0_9_, .retention_count = 2, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(game_entity, portrait, &warp_type_bytes, DISK_COMPRESSED, NORMAL), .compression = WARP_COMPRESS_DEFAULT, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(game_entity, biography, &warp_type_string, DISK_ONLY, NORMAL), .compression = WARP_COMPRESS_MAXIMUM, .by_offset = UINT32_MAX },
};
static const uint8_t k0_[] = { 0 };
const struct warp_product game_entity_warp_product = {
    .name = "Entity", .fields = f0_, .field_count = 12,
    .record_bytes = sizeof(struct game_entity),
    .have_offset = offsetof(struct game_entity, have),
    .key_bytes = sizeof(uint64_t), .key_count = 1, .key_fields = k0_,
    .hot = GAME_ENTITY_HOT, .all = GAME_ENTITY_ALL,
    .priority = WARP_PRIORITY_NORMAL };

WARP_GEN_RECORD(game_entity, uint64_t)
WARP_GEN_SET(game_entity, uint64_t, account, 1, uint64_t)
WARP_GEN_ADD(game_entity, uint64_t, account, 1, uint64_t, int64_t)
WARP_GEN_BY(game_entity, account, 1, uint64_t)
WARP_GEN_SET(game_entity, uint64_t, faction, 2, enum game_faction)
WARP_GEN_SET(game_entity, uint64_t, pos, 3, struct game_vec3)
WARP_GEN_COLUMN(game_entity, pos, 3)
WARP_GEN_SET(game_entity, uint64_t, vel, 4, struct game_vec3)
WARP_GEN_COLUMN(game_entity, vel, 4)
WARP_GEN_SET(game_entity, uint64_t, gold, 5, int64_t)
WARP_GEN_ADD(game_entity, uint64_t, gold, 5, int64_t, int64_t)
WARP_GEN_SET(game_entity, uint64_t, inventory, 6, struct warp_list)
WARP_GEN_SET(game_entity, uint64_t, buffs, 7, struct warp_list)
WARP_GEN_SET(game_entity, uint64_t, shield, 8, uint32_t)
WARP_GEN_ADD(game_entity, uint64_t, shield, 8, uint32_t, int64_t)
WARP_GEN_SERIES(game_entity, uint64_t, combat_log, 9, struct warp_str)
WARP_GEN_SET(game_entity, uint64_t, portrait, 10, struct warp_str)
WARP_GEN_SET(game_entity, uint64_t, biography, 11, struct warp_str)

static const struct warp_product *const products_0_[] = {
    &game_entity_warp_product,
};
static const uint8_t descriptor_0_[] = {
    119,97,114,112,46,119,115,100,1,0,0,0,236,1,0,0,157,254,2,206,
    199,197,188,127,194,123,168,10,0,0,0,0,6,115,99,104,101,109,97,13,
    0,1,5,3,117,54,52,24,7,70,97,99,116,105,111,110,1,0,3,4,
    78,79,78,69,0,3,82,69,68,2,4,66,76,85,69,4,10,3,102,51,
    50,23,4,86,101,99,51,3,1,120,0,2,0,0,1,121,0,2,0,0,
    1,122,0,2,0,0,9,3,105,54,52,4,3,117,51,50,3,3,117,49,
    54,23,4,73,116,101,109,3,3,117,105,100,0,0,0,0,5,112,114,111,
    116,111,0,5,0,0,3,113,116,121,0,6,0,0,20,16,91,73,116,101,
    109,44,32,109,97,120,58,32,50,53,54,93,128,2,7,20,5,91,117,51,
    50,93,0,5,15,10,115,116,114,105,110,103,60,56,48,62,80,16,5,98,
    121,116,101,115,0,15,6,115,116,114,105,110,103,0,6,69,110,116,105,116,
    121,0,0,3,0,0,254,3,1,0,12,2,105,100,0,1,1,0,1,3,
    0,0,0,0,0,0,0,0,0,0,7,97,99,99,111,117,110,116,0,8,
    1,0,1,3,0,0,0,0,0,0,0,0,0,0,7,102,97,99,116,105,
    111,110,1,0,1,0,1,3,0,0,0,0,0,0,0,0,0,0,3,112,
    111,115,3,32,1,2,1,3,0,0,0,0,0,0,0,0,0,0,3,118,
    101,108,3,32,2,1,1,3,0,0,0,0,0,0,0,0,0,0,4,103,
    111,108,100,4,0,1,3,1,3,0,0,0,0,0,0,0,0,0,0,9,
    105,110,118,101,110,116,111,114,121,8,0,1,3,0,3,0,0,0,0,0,
    0,0,0,0,0,5,98,117,102,102,115,9,0,2,1,1,3,0,0,0,
    0,176,234,1,0,0,0,0,0,6,115,104,105,101,108,100,5,0,1,0,
    1,3,0,0,0,0,128,186,183,3,0,0,0,0,0,10,99,111,109,98,
    97,116,95,108,111,103,10,130,2,9,0,1,3,0,0,0,0,0,2,1,
    224,167,18,4,128,144,228,192,4,0,0,0,0,8,112,111,114,116,114,97,
    105,116,11,0,7,0,3,3,0,0,0,0,0,0,0,0,0,0,9,98,
    105,111,103,114,97,112,104,121,12,0,8,0,4,3,0,0,0,0,0,0,
    0,0,0,0,
};
const struct warp_schema schema_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 1, .name = "schema",
    .products = products_0_,
    .descriptor = descriptor_0_,
    .descriptor_bytes = sizeof descriptor_0_,
    .fingerprint = UINT64_C(0x7fbcc5c7ce02fe9d) };
