/* Written by warpc from kill.warp. Do not edit. */
#ifndef WARP_GEN_KILL_WARP_H
#define WARP_GEN_KILL_WARP_H

#include <warp/warp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct k_account {
    uint64_t id; /* key */
    int64_t balance; /* memory | survives power_loss */
    uint64_t stamp; /* memory | survives process_crash */
    struct warp_str note; /* disk_compressed: a get may read the disk */
    uint32_t mood; /* memory_only | gone after a restart */
    uint64_t have; /* out: which fields hold a value */
};

#define K_ACCOUNT_ID (UINT64_C(1) << 0)
#define K_ACCOUNT_BALANCE (UINT64_C(1) << 1)
#define K_ACCOUNT_STAMP (UINT64_C(1) << 2)
#define K_ACCOUNT_NOTE (UINT64_C(1) << 3)
#define K_ACCOUNT_MOOD (UINT64_C(1) << 4)
#define K_ACCOUNT_HOT UINT64_C(0x016)
#define K_ACCOUNT_ALL UINT64_C(0x01e)

struct k_account_range {
    uint64_t from, to; /* half-open */
    struct warp_str prefix; /* string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};

extern const struct warp_product k_account_warp_product;

int k_account_put(struct warp_db *, const struct k_account *, uint64_t fields);
int k_account_get(struct warp_db *, uint64_t id, uint64_t fields, struct k_account *out, struct warp_arena *);
int k_account_delete(struct warp_db *, uint64_t id);
int k_account_set_balance(struct warp_db *, uint64_t id, int64_t);
int k_account_add_balance(struct warp_db *, uint64_t id, int64_t delta, int64_t *now);
int k_account_set_stamp(struct warp_db *, uint64_t id, uint64_t);
int k_account_add_stamp(struct warp_db *, uint64_t id, int64_t delta, uint64_t *now);
int k_account_set_note(struct warp_db *, uint64_t id, struct warp_str);
int k_account_set_mood(struct warp_db *, uint64_t id, uint32_t);
int k_account_add_mood(struct warp_db *, uint64_t id, int64_t delta, uint32_t *now);
int k_account_touch(struct warp_db *, uint64_t id, uint64_t fields);
int k_account_expire(struct warp_db *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int k_account_version(struct warp_db *, uint64_t id, uint64_t *version);
enum warp_state k_account_state(struct warp_db *, uint64_t id, uint64_t field);
int k_account_prefetch(struct warp_db *, const uint64_t *keys, size_t count, uint64_t fields);
int k_account_scan(struct warp_db *, const struct k_account_range *, uint64_t fields, struct warp_iter **);
int k_account_next(struct warp_iter *, struct k_account *out, struct warp_arena *);
int k_account_put_in(struct warp_batch *, const struct k_account *, uint64_t fields);
int k_account_set_balance_in(struct warp_batch *, uint64_t id, int64_t);
int k_account_add_balance_in(struct warp_batch *, uint64_t id, int64_t delta);
int k_account_set_stamp_in(struct warp_batch *, uint64_t id, uint64_t);
int k_account_add_stamp_in(struct warp_batch *, uint64_t id, int64_t delta);
int k_account_set_note_in(struct warp_batch *, uint64_t id, struct warp_str);
int k_account_set_mood_in(struct warp_batch *, uint64_t id, uint32_t);
int k_account_add_mood_in(struct warp_batch *, uint64_t id, int64_t delta);
int k_account_delete_in(struct warp_batch *, uint64_t id);
int k_account_touch_in(struct warp_batch *, uint64_t id, uint64_t fields);
int k_account_expire_in(struct warp_batch *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int k_account_expect_in(struct warp_batch *, uint64_t id, uint64_t version);

extern const struct warp_schema kill_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
