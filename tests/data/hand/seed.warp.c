/* Written by warpc from seed.warp. Do not edit. */
#include "seed.warp.h"

#include <warp/gen.h>

__attribute__((used)) static const int *const abi_ = &warp_gen_abi_1;

static const struct warp_type t0_ = {
    .name = "[string]", .kind = WARP_T_LIST,
    .size = sizeof(struct warp_list), .elem = &warp_type_string
};
static const struct warp_type t1_ = {
    .name = "ActivityEvent", .kind = WARP_T_OPAQUE,
    .size = sizeof(struct warp_str)
};
static const struct warp_strategy s0_ = {
    .name = "UserPersistenceStrategy", .memory_pool = "user_hot_pool",
    .gpu_memory_pool = "physics_compute_pool",
    .max_memory_per_instance_bytes = 4096, .gpu_batch_count = 1000,
    .compression_threshold_bytes = 1024, .async_write_buffer_count = 10000,
    .access_pattern_learning = 1, .auto_migration = 1,
    .hot_to_warm_count = 10, .hot_to_warm_window_ms = 3600000,
    .warm_to_cold_count = 1, .warm_to_cold_window_ms = 86400000,
    .cold_to_archive_age_ms = INT64_C(7776000000)
};

static const struct warp_retention r0_3_[] = {
    { WARP_TIER_MEMORY, INT64_C(86400000) },
    { WARP_TIER_SSD, INT64_C(2592000000) },
    { WARP_TIER_DISK, INT64_C(31536000000) },
    { WARP_TIER_ARCHIVE, INT64_MAX }
};

static const struct warp_field f0_[] = {
    { .name = "id",
      .type = &warp_type_string,
      .offset = offsetof(struct high_performance_user, id),
      .flags = WARP_F_KEY,
      .home = WARP_HOME_MEMORY,
      .priority = WARP_PRIORITY_CRITICAL,
      .by_offset = UINT32_MAX },
    { .name = "influence_score",
      .type = &warp_type_f64,
      .offset = offsetof(struct high_performance_user, influence_score),
      .flags = WARP_F_COLUMN,
      .home = WARP_HOME_GPU,
      .priority = WARP_PRIORITY_NORMAL,
      .physics = WARP_PHYSICS_MASS,
      .by_offset = UINT32_MAX },
    { .name = "social_graph",
      .type = &t0_,
      .offset = offsetof(struct high_performance_user, social_graph),
      .home = WARP_HOME_DISK_COMPRESSED,
      .compression = WARP_COMPRESS_DEFAULT,
      .priority = WARP_PRIORITY_NORMAL,
      .copies = 1u << WARP_HOME_COMPUTED,
      .by_offset = UINT32_MAX },
    { .name = "activity_history",
      .type = &t1_,
      .offset = UINT32_MAX,
      .flags = WARP_F_SERIES,
      .home = WARP_HOME_TEMPORAL,
      .priority = WARP_PRIORITY_NORMAL,
      .retention = r0_3_, .retention_count = 4,
      .by_offset = UINT32_MAX },
    { .name = "archived_preferences",
      .type = &warp_type_value_map,
      .offset = offsetof(struct high_performance_user, archived_preferences),
      .home = WARP_HOME_DISK_ONLY,
      .compression = WARP_COMPRESS_MAXIMUM,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
    { .name = "session_data",
      .type = &warp_type_value_map,
      .offset = offsetof(struct high_performance_user, session_data),
      .home = WARP_HOME_MEMORY_ONLY,
      .survives = WARP_SURVIVES_NOTHING,
      .priority = WARP_PRIORITY_NORMAL,
      .ttl_ms = 3600000,
      .by_offset = UINT32_MAX },
};

static const uint8_t k0_[] = { 0 };

const struct warp_product high_performance_user_warp_product = {
    .name = "HighPerformanceUser", .fields = f0_, .field_count = 6,
    .record_bytes = sizeof(struct high_performance_user),
    .have_offset = offsetof(struct high_performance_user, have),
    .key_bytes = sizeof(struct warp_str), .key_count = 1, .key_fields = k0_,
    .hot = HIGH_PERFORMANCE_USER_HOT, .all = HIGH_PERFORMANCE_USER_ALL,
    .priority = WARP_PRIORITY_NORMAL,
    .strategy = &s0_
};

int high_performance_user_put(struct warp_db *db, const struct high_performance_user *record, uint64_t fields)
{
    return warp_gen_put(db, &high_performance_user_warp_product, record, fields);
}

int high_performance_user_get(struct warp_db *db, struct warp_str key, uint64_t fields, struct high_performance_user *out, struct warp_arena *arena)
{
    return warp_gen_get(db, &high_performance_user_warp_product, &key, fields, out, arena);
}

int high_performance_user_delete(struct warp_db *db, struct warp_str key)
{
    return warp_gen_delete(db, &high_performance_user_warp_product, &key);
}

int high_performance_user_set_influence_score(struct warp_db *db, struct warp_str key, double value)
{
    return warp_gen_set(db, &high_performance_user_warp_product, &key, 1, &value);
}

int high_performance_user_add_influence_score(struct warp_db *db, struct warp_str key, double delta, double *now)
{
    return warp_gen_add(db, &high_performance_user_warp_product, &key, 1, &delta, now);
}

int high_performance_user_set_social_graph(struct warp_db *db, struct warp_str key, struct warp_list value)
{
    return warp_gen_set(db, &high_performance_user_warp_product, &key, 2, &value);
}

int high_performance_user_set_archived_preferences(struct warp_db *db, struct warp_str key, struct warp_list value)
{
    return warp_gen_set(db, &high_performance_user_warp_product, &key, 4, &value);
}

int high_performance_user_set_session_data(struct warp_db *db, struct warp_str key, struct warp_list value)
{
    return warp_gen_set(db, &high_performance_user_warp_product, &key, 5, &value);
}

int high_performance_user_touch(struct warp_db *db, struct warp_str key, uint64_t fields)
{
    return warp_gen_touch(db, &high_performance_user_warp_product, &key, fields);
}

int high_performance_user_expire(struct warp_db *db, struct warp_str key, uint64_t fields, int64_t deadline_ms)
{
    return warp_gen_expire(db, &high_performance_user_warp_product, &key, fields, deadline_ms);
}

int high_performance_user_version(struct warp_db *db, struct warp_str key, uint64_t *version)
{
    return warp_gen_version(db, &high_performance_user_warp_product, &key, version);
}

enum warp_state high_performance_user_state(struct warp_db *db, struct warp_str key, uint64_t field)
{
    return warp_gen_state(db, &high_performance_user_warp_product, &key, field);
}

int high_performance_user_prefetch(struct warp_db *db, const struct warp_str *keys, size_t count, uint64_t fields)
{
    return warp_gen_prefetch(db, &high_performance_user_warp_product, keys, count, fields);
}

int high_performance_user_scan(struct warp_db *db, const struct high_performance_user_range *range, uint64_t fields, struct warp_iter **iter)
{
    const struct warp_gen_range r = {
        range && range->has_from ? &range->from : NULL,
        range && range->has_to ? &range->to : NULL,
        range && range->has_prefix ? &range->prefix : NULL,
        range && range->reverse
    };
    return warp_gen_scan(db, &high_performance_user_warp_product, &r, fields, iter);
}

int high_performance_user_next(struct warp_iter *iter, struct high_performance_user *out, struct warp_arena *arena)
{
    return warp_gen_next(iter, &high_performance_user_warp_product, out, arena);
}

int high_performance_user_influence_score_column(struct warp_db *db, uint32_t shard, struct warp_column *column)
{
    return warp_gen_column(db, &high_performance_user_warp_product, 1, shard, column);
}

int high_performance_user_activity_history_append(struct warp_db *db, struct warp_str key, int64_t at_ms, struct warp_str element)
{
    return warp_gen_append(db, &high_performance_user_warp_product, &key, 3, at_ms, &element);
}

int high_performance_user_activity_history_range(struct warp_db *db, struct warp_str key, int64_t from_ms, int64_t to_ms, struct warp_iter **iter)
{
    return warp_gen_range(db, &high_performance_user_warp_product, &key, 3, from_ms, to_ms, iter);
}

int high_performance_user_activity_history_next(struct warp_iter *iter, int64_t *at_ms, struct warp_str *element, struct warp_arena *arena)
{
    return warp_gen_range_next(iter, &high_performance_user_warp_product, 3, at_ms, element, arena);
}

int high_performance_user_put_in(struct warp_batch *batch, const struct high_performance_user *record, uint64_t fields)
{
    return warp_gen_put_in(batch, &high_performance_user_warp_product, record, fields);
}

int high_performance_user_set_influence_score_in(struct warp_batch *batch, struct warp_str key, double value)
{
    return warp_gen_set_in(batch, &high_performance_user_warp_product, &key, 1, &value);
}

int high_performance_user_add_influence_score_in(struct warp_batch *batch, struct warp_str key, double delta)
{
    return warp_gen_add_in(batch, &high_performance_user_warp_product, &key, 1, &delta);
}

int high_performance_user_set_social_graph_in(struct warp_batch *batch, struct warp_str key, struct warp_list value)
{
    return warp_gen_set_in(batch, &high_performance_user_warp_product, &key, 2, &value);
}

int high_performance_user_set_archived_preferences_in(struct warp_batch *batch, struct warp_str key, struct warp_list value)
{
    return warp_gen_set_in(batch, &high_performance_user_warp_product, &key, 4, &value);
}

int high_performance_user_set_session_data_in(struct warp_batch *batch, struct warp_str key, struct warp_list value)
{
    return warp_gen_set_in(batch, &high_performance_user_warp_product, &key, 5, &value);
}

int high_performance_user_delete_in(struct warp_batch *batch, struct warp_str key)
{
    return warp_gen_delete_in(batch, &high_performance_user_warp_product, &key);
}

int high_performance_user_touch_in(struct warp_batch *batch, struct warp_str key, uint64_t fields)
{
    return warp_gen_touch_in(batch, &high_performance_user_warp_product, &key, fields);
}

int high_performance_user_expire_in(struct warp_batch *batch, struct warp_str key, uint64_t fields, int64_t deadline_ms)
{
    return warp_gen_expire_in(batch, &high_performance_user_warp_product, &key, fields, deadline_ms);
}

int high_performance_user_activity_history_append_in(struct warp_batch *batch, struct warp_str key, int64_t at_ms, struct warp_str element)
{
    return warp_gen_append_in(batch, &high_performance_user_warp_product, &key, 3, at_ms, &element);
}

int high_performance_user_expect_in(struct warp_batch *batch, struct warp_str key, uint64_t version)
{
    return warp_gen_expect_in(batch, &high_performance_user_warp_product, &key, version);
}

static const struct warp_product *const products_[] = {
    &high_performance_user_warp_product
};

const struct warp_schema seed_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 1, .name = "seed",
    .products = products_, .fingerprint = UINT64_C(0x7)
};
