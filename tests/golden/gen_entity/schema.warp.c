/* Written by warpc from schema.warp. Do not edit: change the schema. */
#include <warp/gen.h>

#define WARP_GEN_SCHEMA_WARP_H_DEFINES
#include "schema.warp.h"

/* Another ABI of libwarp lacks this symbol. */
__attribute__((used)) static const int *const abi_0_ = &warp_gen_abi_1;

static const struct warp_enumerator v0_[] = {
    { "NONE", 0 },
    { "RED", 1 },
    { "BLUE", 2 },
};
static const struct warp_type warp_type_t0_ = { .name = "Faction",
    .kind = WARP_T_ENUM, .size = sizeof(enum game_faction), .width = 1, .values = v0_,
    .wire_bytes = 1, .count = 3 };
static const struct warp_member m1_[] = {
    { "x", &warp_type_f32, offsetof(struct game_vec3, x), UINT32_MAX, 0 },
    { "y", &warp_type_f32, offsetof(struct game_vec3, y), UINT32_MAX, 0 },
    { "z", &warp_type_f32, offsetof(struct game_vec3, z), UINT32_MAX, 0 },
};
static const struct warp_type warp_type_t1_ = { .name = "Vec3",
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
static const struct warp_type warp_type_t2_ = { .name = "Item",
    .kind = WARP_T_STRUCT, .size = sizeof(struct game_item),
    .wire_bytes = 14, .count = 3, .members = m2_ };
_Static_assert(sizeof(struct game_item) == 16 &&
    offsetof(struct game_item, uid) == 0 &&
    offsetof(struct game_item, proto) == 8 &&
    offsetof(struct game_item, qty) == 12,
    "layout of Item");
static const struct warp_type warp_type_t3_ = { .name = "[Item, max: 256]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .count = 256, .elem = &warp_type_t2_ };
static const struct warp_type warp_type_t4_ = { .name = "[u32]",
    .kind = WARP_T_LIST, .size = sizeof(struct warp_list), .elem = &warp_type_u32 };
static const struct warp_type warp_type_t5_ = { .name = "string<80>",
    .kind = WARP_T_STRING, .size = sizeof(struct warp_str), .count = 80 };

#define WARP_GEN_S struct game_entity
WARP_GEN_LAYOUT(136, 128)
static const struct warp_retention r0_9_[] = {
    { WARP_TIER_MEMORY, 300000 },
    { WARP_TIER_DISK, 1209600000 },
};
static const struct warp_field f0_[] = {
    WARP_GEN_KEY(id, u64),
    { WARP_GEN_FIELD(account, u64, MEMORY, NORMAL), .flags = WARP_F_INDEX, .compression = WARP_COMPRESS_NONE },
    WARP_GEN_ROW(faction, t0_),
    { WARP_GEN_FIELD(pos, t1_, MEMORY, NORMAL), .flags = WARP_F_COLUMN, .survives = WARP_SURVIVES_PROCESS_CRASH, .compression = WARP_COMPRESS_NONE },
    { WARP_GEN_FIELD(vel, t1_, MEMORY_ONLY, NORMAL), .flags = WARP_F_COLUMN, .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE },
    { WARP_GEN_FIELD(gold, i64, MEMORY, NORMAL), .survives = WARP_SURVIVES_POWER_LOSS, .compression = WARP_COMPRESS_NONE },
    { WARP_GEN_FIELD(inventory, t3_, MEMORY, NORMAL), .survives = WARP_SURVIVES_POWER_LOSS },
    { WARP_GEN_FIELD(buffs, t4_, MEMORY_ONLY, NORMAL), .survives = WARP_SURVIVES_NOTHING, .compression = WARP_COMPRESS_NONE, .ttl_ms = 30000 },
    { WARP_GEN_FIELD(shield, u32, MEMORY, NORMAL), .compression = WARP_COMPRESS_NONE, .ttl_ms = 7200000 },
    { WARP_GEN_SERIES_FIELD(combat_log, t5_, NORMAL), .flags = WARP_F_SERIES | WARP_F_THEN_DELETE, .compression = WARP_COMPRESS_NONE,
      .retention = r0_9_, .retention_count = 2, .by_offset = UINT32_MAX },
    { WARP_GEN_FIELD(portrait, bytes, DISK_COMPRESSED, NORMAL), .compression = WARP_COMPRESS_DEFAULT },
    { WARP_GEN_FIELD(biography, string, DISK_ONLY, NORMAL), .compression = WARP_COMPRESS_MAXIMUM },
};
const struct warp_product game_entity_warp_product = {
    WARP_GEN_PRODUCT(0, "Entity", uint64_t, 0x1fe, 0xdfe, NORMAL, 0) };
#undef WARP_GEN_S

static const struct warp_product *const products_0_[] = {
    &game_entity_warp_product,
};
static const struct {
    char p0_[524];
} descriptor_0_ = {
    "warp.wsd\1\0\0\0\354\1\0\0\235\376\2\316\307\305\274\177\302{\250\12\0\0"
    "\0\0\6schema\15\0\1\5\3u64\30\7Faction\1\0\3\4NONE\0\3RED\2\4BLUE\4\12\3"
    "f32\27\4Vec3\3\1x\0\2\0\0\1y\0\2\0\0\1z\0\2\0\0\11\3i64\4\3u32\3\3u16\27"
    "\4Item\3\3uid\0\0\0\0\5proto\0\5\0\0\3qty\0\6\0\0\24\20[Item, max: 256]\200"
    "\2\7\24\5[u32]\0\5\17\12string<80>P\20\5bytes\0\17\6string\0\6Entity\0\0"
    "\3\0\0\376\3\1\0\14\2id\0\1" WARP_GEN_FACTS
    "\7account\0\10" WARP_GEN_FACTS
    "\7faction\1\0" WARP_GEN_FACTS
    "\3pos\3 \1\2\1\3\0\0\0\0\0\0\0\0\0\0\3vel\3 \2\1\1\3\0\0\0\0\0\0\0\0\0\0"
    "\4gold\4\0\1\3\1\3\0\0\0\0\0\0\0\0\0\0\11inventory\10\0\1\3\0\3\0\0\0\0\0"
    "\0\0\0\0\0\5buffs\11\0\2\1\1\3\0\0\0\0\260\352\1\0\0\0\0\0\6shield\5\0\1"
    "\0\1\3\0\0\0\0\200\272\267\3\0\0\0\0\0\12combat_log\12\202\2\11\0\1\3\0\0"
    "\0\0\0\2\1\340\247\22\4\200\220\344\300\4\0\0\0\0\10portrait\13\0\7\0\3\3"
    "\0\0\0\0\0\0\0\0\0\0\11biography\14\0\10\0\4\3\0\0\0\0\0\0\0\0\0"
    ,
};
const struct warp_schema schema_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 1, .name = "schema",
    .products = products_0_,
    .descriptor = (const uint8_t *)&descriptor_0_,
    .descriptor_bytes = sizeof descriptor_0_,
    .fingerprint = UINT64_C(0x7fbcc5c7ce02fe9d) };
