/* Written by warpc from kill.warp. Do not edit. */
#include "kill.warp.h"

#include <warp/gen.h>

__attribute__((used)) static const int *const abi_ = &warp_gen_abi_1;

static const struct warp_field f0_[] = {
    { .name = "id",
      .type = &warp_type_u64,
      .offset = offsetof(struct k_account, id),
      .flags = WARP_F_KEY,
      .home = WARP_HOME_MEMORY,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
    { .name = "balance",
      .type = &warp_type_i64,
      .offset = offsetof(struct k_account, balance),
      .home = WARP_HOME_MEMORY,
      .survives = WARP_SURVIVES_POWER_LOSS,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
    { .name = "stamp",
      .type = &warp_type_u64,
      .offset = offsetof(struct k_account, stamp),
      .home = WARP_HOME_MEMORY,
      .survives = WARP_SURVIVES_PROCESS_CRASH,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
    { .name = "note",
      .type = &warp_type_string,
      .offset = offsetof(struct k_account, note),
      .home = WARP_HOME_DISK_COMPRESSED,
      .compression = WARP_COMPRESS_DEFAULT,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
    { .name = "mood",
      .type = &warp_type_u32,
      .offset = offsetof(struct k_account, mood),
      .home = WARP_HOME_MEMORY_ONLY,
      .survives = WARP_SURVIVES_NOTHING,
      .priority = WARP_PRIORITY_NORMAL,
      .by_offset = UINT32_MAX },
};

static const uint8_t k0_[] = { 0 };

const struct warp_product k_account_warp_product = {
    .name = "Account", .fields = f0_, .field_count = 5,
    .record_bytes = sizeof(struct k_account),
    .have_offset = offsetof(struct k_account, have),
    .key_bytes = sizeof(uint64_t), .key_count = 1, .key_fields = k0_,
    .hot = K_ACCOUNT_HOT, .all = K_ACCOUNT_ALL,
    .priority = WARP_PRIORITY_NORMAL
};

int k_account_put(struct warp_db *db, const struct k_account *record, uint64_t fields)
{
    return warp_gen_put(db, &k_account_warp_product, record, fields);
}

int k_account_get(struct warp_db *db, uint64_t key, uint64_t fields, struct k_account *out, struct warp_arena *arena)
{
    return warp_gen_get(db, &k_account_warp_product, &key, fields, out, arena);
}

int k_account_delete(struct warp_db *db, uint64_t key)
{
    return warp_gen_delete(db, &k_account_warp_product, &key);
}

int k_account_set_balance(struct warp_db *db, uint64_t key, int64_t value)
{
    return warp_gen_set(db, &k_account_warp_product, &key, 1, &value);
}

int k_account_add_balance(struct warp_db *db, uint64_t key, int64_t delta, int64_t *now)
{
    return warp_gen_add(db, &k_account_warp_product, &key, 1, &delta, now);
}

int k_account_set_stamp(struct warp_db *db, uint64_t key, uint64_t value)
{
    return warp_gen_set(db, &k_account_warp_product, &key, 2, &value);
}

int k_account_add_stamp(struct warp_db *db, uint64_t key, int64_t delta, uint64_t *now)
{
    return warp_gen_add(db, &k_account_warp_product, &key, 2, &delta, now);
}

int k_account_set_note(struct warp_db *db, uint64_t key, struct warp_str value)
{
    return warp_gen_set(db, &k_account_warp_product, &key, 3, &value);
}

int k_account_set_mood(struct warp_db *db, uint64_t key, uint32_t value)
{
    return warp_gen_set(db, &k_account_warp_product, &key, 4, &value);
}

int k_account_add_mood(struct warp_db *db, uint64_t key, int64_t delta, uint32_t *now)
{
    return warp_gen_add(db, &k_account_warp_product, &key, 4, &delta, now);
}

int k_account_touch(struct warp_db *db, uint64_t key, uint64_t fields)
{
    return warp_gen_touch(db, &k_account_warp_product, &key, fields);
}

int k_account_expire(struct warp_db *db, uint64_t key, uint64_t fields, int64_t deadline_ms)
{
    return warp_gen_expire(db, &k_account_warp_product, &key, fields, deadline_ms);
}

int k_account_version(struct warp_db *db, uint64_t key, uint64_t *version)
{
    return warp_gen_version(db, &k_account_warp_product, &key, version);
}

enum warp_state k_account_state(struct warp_db *db, uint64_t key, uint64_t field)
{
    return warp_gen_state(db, &k_account_warp_product, &key, field);
}

int k_account_prefetch(struct warp_db *db, const uint64_t *keys, size_t count, uint64_t fields)
{
    return warp_gen_prefetch(db, &k_account_warp_product, keys, count, fields);
}

int k_account_scan(struct warp_db *db, const struct k_account_range *range, uint64_t fields, struct warp_iter **iter)
{
    const struct warp_gen_range r = {
        range && range->has_from ? &range->from : NULL,
        range && range->has_to ? &range->to : NULL,
        range && range->has_prefix ? &range->prefix : NULL,
        range && range->reverse
    };
    return warp_gen_scan(db, &k_account_warp_product, &r, fields, iter);
}

int k_account_next(struct warp_iter *iter, struct k_account *out, struct warp_arena *arena)
{
    return warp_gen_next(iter, &k_account_warp_product, out, arena);
}

int k_account_put_in(struct warp_batch *batch, const struct k_account *record, uint64_t fields)
{
    return warp_gen_put_in(batch, &k_account_warp_product, record, fields);
}

int k_account_set_balance_in(struct warp_batch *batch, uint64_t key, int64_t value)
{
    return warp_gen_set_in(batch, &k_account_warp_product, &key, 1, &value);
}

int k_account_add_balance_in(struct warp_batch *batch, uint64_t key, int64_t delta)
{
    return warp_gen_add_in(batch, &k_account_warp_product, &key, 1, &delta);
}

int k_account_set_stamp_in(struct warp_batch *batch, uint64_t key, uint64_t value)
{
    return warp_gen_set_in(batch, &k_account_warp_product, &key, 2, &value);
}

int k_account_add_stamp_in(struct warp_batch *batch, uint64_t key, int64_t delta)
{
    return warp_gen_add_in(batch, &k_account_warp_product, &key, 2, &delta);
}

int k_account_set_note_in(struct warp_batch *batch, uint64_t key, struct warp_str value)
{
    return warp_gen_set_in(batch, &k_account_warp_product, &key, 3, &value);
}

int k_account_set_mood_in(struct warp_batch *batch, uint64_t key, uint32_t value)
{
    return warp_gen_set_in(batch, &k_account_warp_product, &key, 4, &value);
}

int k_account_add_mood_in(struct warp_batch *batch, uint64_t key, int64_t delta)
{
    return warp_gen_add_in(batch, &k_account_warp_product, &key, 4, &delta);
}

int k_account_delete_in(struct warp_batch *batch, uint64_t key)
{
    return warp_gen_delete_in(batch, &k_account_warp_product, &key);
}

int k_account_touch_in(struct warp_batch *batch, uint64_t key, uint64_t fields)
{
    return warp_gen_touch_in(batch, &k_account_warp_product, &key, fields);
}

int k_account_expire_in(struct warp_batch *batch, uint64_t key, uint64_t fields, int64_t deadline_ms)
{
    return warp_gen_expire_in(batch, &k_account_warp_product, &key, fields, deadline_ms);
}

int k_account_expect_in(struct warp_batch *batch, uint64_t key, uint64_t version)
{
    return warp_gen_expect_in(batch, &k_account_warp_product, &key, version);
}

static const struct warp_product *const products_[] = {
    &k_account_warp_product
};

const struct warp_schema kill_warp_schema = {
    .abi = WARP_GEN_ABI, .product_count = 1, .name = "kill",
    .products = products_, .fingerprint = UINT64_C(0x6)
};
