/* Written by warpc from game.warp. Do not edit. */
#include "game.warp.h"

#include <warp/gen.h>

__attribute__((used)) static const int *const abi_ = &warp_gen_abi_1;

static const struct warp_enumerator v0_[] = {
    { "NONE", 0 }, { "RED", 1 }, { "BLUE", 2 }
};
static const struct warp_type t0_ = {
    .name = "Faction", .kind = WARP_T_ENUM, .width = 1,
    .size = sizeof(enum game_faction), .wire_bytes = 1, .count = 3,
    .values = v0_
};
static const struct warp_member m1_[] = {
    { "x", &warp_type_f32, offsetof(struct game_vec3, x), UINT32_MAX, 0 },
    { "y", &warp_type_f32, offsetof(struct game_vec3, y), UINT32_MAX, 0 },
    { "z", &warp_type_f32, offsetof(struct game_vec3, z), UINT32_MAX, 0 }
};
static const struct warp_type t1_ = {
    .name = "Vec3", .kind = WARP_T_STRUCT, .plain = 1,
    .size = sizeof(struct game_vec3), .wire_bytes = 12, .count = 3,
    .members = m1_
};
static const struct warp_member m2_[] = {
    { "uid", &warp_type_u64, offsetof(struct game_item, uid), UINT32_MAX, 0 },
    { "proto", &warp_type_u32, offsetof(struct game_item, proto), UINT32_MAX,
      0 },
    { "qty", &warp_type_u16, offsetof(struct game_item, qty), UINT32_MAX, 0 }
};
static const struct warp_type t2_ = {
    .name = "Item", .kind = WARP_T_STRUCT, .size = sizeof(struct game_item),
    .wire_bytes = 14, .count = 3, .members = m2_
};
static const struct warp_type t3_ = {
    .name = "[Item, max: 256]", .kind = WARP_T_LIST,
    .size = sizeof(struct warp_list), .count = 256, .elem = &t2_
};
static const struct warp_type t4_ = {
    .name = "[u32]", .kind = WARP_T_LIST, .size = sizeof(struct warp_list),
    .elem = &warp_type_u32
};
static const struct warp_type t5_ = {
    .name = "string<80>", .kind = WARP_T_STRING,
    .size = sizeof(struct warp_str), .count = 80
};

static const struct warp_retention r0_9_[] = {
    { WARP_TIER_MEMORY, INT64_C(300000) },
    { WARP_TIER_DISK, INT64_C(1209600000) }
};

static const struct warp_field f0_[] = {
    { .name = "id",
      .type = &warp_type_u64,
      .offset = offsetof(struct game_entity, id),
      .flags = WARP_F_KEY,
      .home = WARP_HOME_MEMORY,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
    { .name = "account",
      .type = &warp_type_u64,
      .offset = offsetof(struct game_entity, account),
      .flags = WARP_F_INDEX,
      .home = WARP_HOME_MEMORY,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
    { .name = "faction",
      .type = &t0_,
      .offset = offsetof(struct game_entity, faction),
      .home = WARP_HOME_MEMORY,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
    { .name = "pos",
      .type = &t1_,
      .offset = offsetof(struct game_entity, pos),
      .flags = WARP_F_COLUMN,
      .home = WARP_HOME_MEMORY,
      .survives = WARP_SURVIVES_PROCESS_CRASH,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
    { .name = "vel",
      .type = &t1_,
      .offset = offsetof(struct game_entity, vel),
      .flags = WARP_F_COLUMN,
      .home = WARP_HOME_MEMORY_ONLY,
      .survives = WARP_SURVIVES_NOTHING,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
    { .name = "gold",
      .type = &warp_type_i64,
      .offset = offsetof(struct game_entity, gold),
      .home = WARP_HOME_MEMORY,
      .survives = WARP_SURVIVES_POWER_LOSS,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
    { .name = "inventory",
      .type = &t3_,
      .offset = offsetof(struct game_entity, inventory),
      .home = WARP_HOME_MEMORY,
      .survives = WARP_SURVIVES_POWER_LOSS,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
    { .name = "buffs",
      .type = &t4_,
      .offset = offsetof(struct game_entity, buffs),
      .home = WARP_HOME_MEMORY_ONLY,
      .survives = WARP_SURVIVES_NOTHING,
      .priority = WARP_PRIORITY_NORMAL,
      .ttl_ms = 30000,
      .by_offset = UINT32_MAX },
    { .name = "shield",
      .type = &warp_type_u32,
      .offset = offsetof(struct game_entity, shield),
      .home = WARP_HOME_MEMORY,
      .priority = WARP_PRIORITY_NORMAL,
      .ttl_ms = 7200000,
      .by_offset = UINT32_MAX },
    { .name = "combat_log",
      .type = &t5_,
      .offset = UINT32_MAX,
      .flags = WARP_F_SERIES | WARP_F_THEN_DELETE,
      .home = WARP_HOME_TEMPORAL,
      .priority = WARP_PRIORITY_NORMAL,
      .retention = r0_9_, .retention_count = 2,
      .by_offset = UINT32_MAX },
    { .name = "portrait",
      .type = &warp_type_bytes,
      .offset = offsetof(struct game_entity, portrait),
      .home = WARP_HOME_DISK_COMPRESSED,
      .compression = WARP_COMPRESS_DEFAULT,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
    { .name = "biography",
      .type = &warp_type_string,
      .offset = offsetof(struct game_entity, biography),
      .home = WARP_HOME_DISK_ONLY,
      .compression = WARP_COMPRESS_MAXIMUM,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
};

static const uint8_t k0_[] = { 0 };

const struct warp_product game_entity_warp_product = {
    .name = "Entity", .fields = f0_, .field_count = 12,
    .record_bytes = sizeof(struct game_entity),
    .have_offset = offsetof(struct game_entity, have),
    .key_bytes = sizeof(uint64_t), .key_count = 1, .key_fields = k0_,
    .hot = GAME_ENTITY_HOT, .all = GAME_ENTITY_ALL,
    .priority = WARP_PRIORITY_NORMAL
};

int game_entity_put(struct warp_db *db, const struct game_entity *record, uint64_t fields)
{
    return warp_gen_put(db, &game_entity_warp_product, record, fields);
}

int game_entity_get(struct warp_db *db, uint64_t key, uint64_t fields, struct game_entity *out, struct warp_arena *arena)
{
    return warp_gen_get(db, &game_entity_warp_product, &key, fields, out, arena);
}

int game_entity_delete(struct warp_db *db, uint64_t key)
{
    return warp_gen_delete(db, &game_entity_warp_product, &key);
}

int game_entity_set_account(struct warp_db *db, uint64_t key, uint64_t value)
{
    return warp_gen_set(db, &game_entity_warp_product, &key, 1, &value);
}

int game_entity_add_account(struct warp_db *db, uint64_t key, int64_t delta, uint64_t *now)
{
    return warp_gen_add(db, &game_entity_warp_product, &key, 1, &delta, now);
}

int game_entity_set_faction(struct warp_db *db, uint64_t key, enum game_faction value)
{
    return warp_gen_set(db, &game_entity_warp_product, &key, 2, &value);
}

int game_entity_set_pos(struct warp_db *db, uint64_t key, struct game_vec3 value)
{
    return warp_gen_set(db, &game_entity_warp_product, &key, 3, &value);
}

int game_entity_set_vel(struct warp_db *db, uint64_t key, struct game_vec3 value)
{
    return warp_gen_set(db, &game_entity_warp_product, &key, 4, &value);
}

int game_entity_set_gold(struct warp_db *db, uint64_t key, int64_t value)
{
    return warp_gen_set(db, &game_entity_warp_product, &key, 5, &value);
}

int game_entity_add_gold(struct warp_db *db, uint64_t key, int64_t delta, int64_t *now)
{
    return warp_gen_add(db, &game_entity_warp_product, &key, 5, &delta, now);
}

int game_entity_set_inventory(struct warp_db *db, uint64_t key, struct warp_list value)
{
    return warp_gen_set(db, &game_entity_warp_product, &key, 6, &value);
}

int game_entity_set_buffs(struct warp_db *db, uint64_t key, struct warp_list value)
{
    return warp_gen_set(db, &game_entity_warp_product, &key, 7, &value);
}

int game_entity_set_shield(struct warp_db *db, uint64_t key, uint32_t value)
{
    return warp_gen_set(db, &game_entity_warp_product, &key, 8, &value);
}

int game_entity_add_shield(struct warp_db *db, uint64_t key, int64_t delta, uint32_t *now)
{
    return warp_gen_add(db, &game_entity_warp_product, &key, 8, &delta, now);
}

int game_entity_set_portrait(struct warp_db *db, uint64_t key, struct warp_str value)
{
    return warp_gen_set(db, &game_entity_warp_product, &key, 10, &value);
}

int game_entity_set_biography(struct warp_db *db, uint64_t key, struct warp_str value)
{
    return warp_gen_set(db, &game_entity_warp_product, &key, 11, &value);
}

int game_entity_touch(struct warp_db *db, uint64_t key, uint64_t fields)
{
    return warp_gen_touch(db, &game_entity_warp_product, &key, fields);
}

int game_entity_expire(struct warp_db *db, uint64_t key, uint64_t fields, int64_t deadline_ms)
{
    return warp_gen_expire(db, &game_entity_warp_product, &key, fields, deadline_ms);
}

int game_entity_version(struct warp_db *db, uint64_t key, uint64_t *version)
{
    return warp_gen_version(db, &game_entity_warp_product, &key, version);
}

enum warp_state game_entity_state(struct warp_db *db, uint64_t key, uint64_t field)
{
    return warp_gen_state(db, &game_entity_warp_product, &key, field);
}

int game_entity_prefetch(struct warp_db *db, const uint64_t *keys, size_t count, uint64_t fields)
{
    return warp_gen_prefetch(db, &game_entity_warp_product, keys, count, fields);
}

int game_entity_scan(struct warp_db *db, const struct game_entity_range *range, uint64_t fields, struct warp_iter **iter)
{
    const struct warp_gen_range r = {
        range && range->has_from ? &range->from : NULL,
        range && range->has_to ? &range->to : NULL,
        range && range->has_prefix ? &range->prefix : NULL,
        range && range->reverse
    };
    return warp_gen_scan(db, &game_entity_warp_product, &r, fields, iter);
}

int game_entity_by_account(struct warp_db *db, uint64_t value, uint64_t fields, struct warp_iter **iter)
{
    return warp_gen_by(db, &game_entity_warp_product, 1, &value, fields, iter);
}

int game_entity_next(struct warp_iter *iter, struct game_entity *out, struct warp_arena *arena)
{
    return warp_gen_next(iter, &game_entity_warp_product, out, arena);
}

int game_entity_pos_column(struct warp_db *db, uint32_t shard, struct warp_column *column)
{
    return warp_gen_column(db, &game_entity_warp_product, 3, shard, column);
}

int game_entity_vel_column(struct warp_db *db, uint32_t shard, struct warp_column *column)
{
    return warp_gen_column(db, &game_entity_warp_product, 4, shard, column);
}

int game_entity_combat_log_append(struct warp_db *db, uint64_t key, int64_t at_ms, struct warp_str element)
{
    return warp_gen_append(db, &game_entity_warp_product, &key, 9, at_ms, &element);
}

int game_entity_combat_log_range(struct warp_db *db, uint64_t key, int64_t from_ms, int64_t to_ms, struct warp_iter **iter)
{
    return warp_gen_range(db, &game_entity_warp_product, &key, 9, from_ms, to_ms, iter);
}

int game_entity_combat_log_next(struct warp_iter *iter, int64_t *at_ms, struct warp_str *element, struct warp_arena *arena)
{
    return warp_gen_range_next(iter, &game_entity_warp_product, 9, at_ms, element, arena);
}

int game_entity_put_in(struct warp_batch *batch, const struct game_entity *record, uint64_t fields)
{
    return warp_gen_put_in(batch, &game_entity_warp_product, record, fields);
}

int game_entity_set_account_in(struct warp_batch *batch, uint64_t key, uint64_t value)
{
    return warp_gen_set_in(batch, &game_entity_warp_product, &key, 1, &value);
}

int game_entity_add_account_in(struct warp_batch *batch, uint64_t key, int64_t delta)
{
    return warp_gen_add_in(batch, &game_entity_warp_product, &key, 1, &delta);
}

int game_entity_set_faction_in(struct warp_batch *batch, uint64_t key, enum game_faction value)
{
    return warp_gen_set_in(batch, &game_entity_warp_product, &key, 2, &value);
}

int game_entity_set_pos_in(struct warp_batch *batch, uint64_t key, struct game_vec3 value)
{
    return warp_gen_set_in(batch, &game_entity_warp_product, &key, 3, &value);
}

int game_entity_set_vel_in(struct warp_batch *batch, uint64_t key, struct game_vec3 value)
{
    return warp_gen_set_in(batch, &game_entity_warp_product, &key, 4, &value);
}

int game_entity_set_gold_in(struct warp_batch *batch, uint64_t key, int64_t value)
{
    return warp_gen_set_in(batch, &game_entity_warp_product, &key, 5, &value);
}

int game_entity_add_gold_in(struct warp_batch *batch, uint64_t key, int64_t delta)
{
    return warp_gen_add_in(batch, &game_entity_warp_product, &key, 5, &delta);
}

int game_entity_set_inventory_in(struct warp_batch *batch, uint64_t key, struct warp_list value)
{
    return warp_gen_set_in(batch, &game_entity_warp_product, &key, 6, &value);
}

int game_entity_set_buffs_in(struct warp_batch *batch, uint64_t key, struct warp_list value)
{
    return warp_gen_set_in(batch, &game_entity_warp_product, &key, 7, &value);
}

int game_entity_set_shield_in(struct warp_batch *batch, uint64_t key, uint32_t value)
{
    return warp_gen_set_in(batch, &game_entity_warp_product, &key, 8, &value);
}

int game_entity_add_shield_in(struct warp_batch *batch, uint64_t key, int64_t delta)
{
    return warp_gen_add_in(batch, &game_entity_warp_product, &key, 8, &delta);
}

int game_entity_set_portrait_in(struct warp_batch *batch, uint64_t key, struct warp_str value)
{
    return warp_gen_set_in(batch, &game_entity_warp_product, &key, 10, &value);
}

int game_entity_set_biography_in(struct warp_batch *batch, uint64_t key, struct warp_str value)
{
    return warp_gen_set_in(batch, &game_entity_warp_product, &key, 11, &value);
}

int game_entity_delete_in(struct warp_batch *batch, uint64_t key)
{
    return warp_gen_delete_in(batch, &game_entity_warp_product, &key);
}

int game_entity_touch_in(struct warp_batch *batch, uint64_t key, uint64_t fields)
{
    return warp_gen_touch_in(batch, &game_entity_warp_product, &key, fields);
}

int game_entity_expire_in(struct warp_batch *batch, uint64_t key, uint64_t fields, int64_t deadline_ms)
{
    return warp_gen_expire_in(batch, &game_entity_warp_product, &key, fields, deadline_ms);
}

int game_entity_combat_log_append_in(struct warp_batch *batch, uint64_t key, int64_t at_ms, struct warp_str element)
{
    return warp_gen_append_in(batch, &game_entity_warp_product, &key, 9, at_ms, &element);
}

int game_entity_expect_in(struct warp_batch *batch, uint64_t key, uint64_t version)
{
    return warp_gen_expect_in(batch, &game_entity_warp_product, &key, version);
}

static const struct warp_product *const products_[] = {
    &game_entity_warp_product
};

const struct warp_schema game_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 1, .name = "game",
    .products = products_, .fingerprint = UINT64_C(0xd)
};
