/* Written by warpc from schema.warp. Do not edit: change the schema.
 * Masks name fields; HOT and ALL hold neither key nor series. Calls return
 * WARP_OK, a positive state or a negative error: see <warp/warp.h>. */
#ifndef WARP_GEN_SCHEMA_WARP_H
#define WARP_GEN_SCHEMA_WARP_H

#include <warp/warp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct warp_product;

enum game_faction {
    GAME_FACTION_NONE = 0,
    GAME_FACTION_RED = 1,
    GAME_FACTION_BLUE = 2
};

struct game_vec3 {
    float x;
    float y;
    float z;
};

/** Something that a player carries. */
struct game_item {
    uint64_t uid;
    uint32_t proto;
    uint16_t qty;
};

/** Anything that lives in the world.
 *
 *  The second paragraph is here to be wrapped, because it is longer than a
 *  line of eighty columns may be; * / does not end it. */
struct game_entity {
    uint64_t id;                /* key */
    uint64_t account;           /* memory | index */
    enum game_faction faction;  /* memory */
    struct game_vec3 pos;       /* memory | survives process_crash | column */
    struct game_vec3 vel;       /* memory_only | gone after a restart | column */
    /** In coppers; never below 0. */
    int64_t gold;               /* memory | survives power_loss */
    struct warp_list inventory; /* game_item[] <= 256 | memory | survives power_loss */
    struct warp_list buffs;     /* uint32_t[] | memory_only | gone after a restart | ttl 30s */
    uint32_t shield;            /* memory | ttl 2h */
    struct warp_str portrait;   /* disk_compressed | a get may read the disk */
    struct warp_str biography;  /* disk_only | a get may read the disk */
    uint64_t have;              /* out: which fields hold a value */
};
/* combat_log (bit 9) is a series, with calls of its own: string<80> | temporal_tiering | memory to 5m | disk to 14d | then deleted */
#define GAME_ENTITY_ID         (UINT64_C(1) << 0)
#define GAME_ENTITY_ACCOUNT    (UINT64_C(1) << 1)
#define GAME_ENTITY_FACTION    (UINT64_C(1) << 2)
#define GAME_ENTITY_POS        (UINT64_C(1) << 3)
#define GAME_ENTITY_VEL        (UINT64_C(1) << 4)
#define GAME_ENTITY_GOLD       (UINT64_C(1) << 5)
#define GAME_ENTITY_INVENTORY  (UINT64_C(1) << 6)
#define GAME_ENTITY_BUFFS      (UINT64_C(1) << 7)
#define GAME_ENTITY_SHIELD     (UINT64_C(1) << 8)
#define GAME_ENTITY_COMBAT_LOG (UINT64_C(1) << 9)
#define GAME_ENTITY_PORTRAIT   (UINT64_C(1) << 10)
#define GAME_ENTITY_BIOGRAPHY  (UINT64_C(1) << 11)
#define GAME_ENTITY_HOT        UINT64_C(0x1fe)
#define GAME_ENTITY_ALL        UINT64_C(0xdfe)

struct game_entity_range {
    uint64_t from, to; /* half-open */
    struct warp_str prefix; /* of string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};
extern const struct warp_product game_entity_warp_product;

int game_entity_put(struct warp_db *, const struct game_entity *, uint64_t fields);
int game_entity_get(struct warp_db *, uint64_t id, uint64_t fields, struct game_entity *out, struct warp_arena *);
int game_entity_delete(struct warp_db *, uint64_t id);
int game_entity_set_account(struct warp_db *, uint64_t id, uint64_t);
int game_entity_add_account(struct warp_db *, uint64_t id, int64_t delta, uint64_t *now);
int game_entity_set_faction(struct warp_db *, uint64_t id, enum game_faction);
int game_entity_set_pos(struct warp_db *, uint64_t id, struct game_vec3);
int game_entity_set_vel(struct warp_db *, uint64_t id, struct game_vec3);
int game_entity_set_gold(struct warp_db *, uint64_t id, int64_t);
int game_entity_add_gold(struct warp_db *, uint64_t id, int64_t delta, int64_t *now);
int game_entity_set_inventory(struct warp_db *, uint64_t id, struct warp_list);
int game_entity_set_buffs(struct warp_db *, uint64_t id, struct warp_list);
int game_entity_set_shield(struct warp_db *, uint64_t id, uint32_t);
int game_entity_add_shield(struct warp_db *, uint64_t id, int64_t delta, uint32_t *now);
int game_entity_set_portrait(struct warp_db *, uint64_t id, struct warp_str);
int game_entity_set_biography(struct warp_db *, uint64_t id, struct warp_str);
int game_entity_touch(struct warp_db *, uint64_t id, uint64_t fields);
int game_entity_expire(struct warp_db *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int game_entity_version(struct warp_db *, uint64_t id, uint64_t *version);
enum warp_state game_entity_state(struct warp_db *, uint64_t id, uint64_t field);
int game_entity_prefetch(struct warp_db *, const uint64_t *keys, size_t count, uint64_t fields);
int game_entity_scan(struct warp_db *, const struct game_entity_range *, uint64_t fields, struct warp_iter **);
int game_entity_by_account(struct warp_db *, uint64_t account, uint64_t fields, struct warp_iter **);
int game_entity_next(struct warp_iter *, struct game_entity *out, struct warp_arena *);
int game_entity_pos_column(struct warp_db *, uint32_t shard, struct warp_column *);
int game_entity_vel_column(struct warp_db *, uint32_t shard, struct warp_column *);
int game_entity_combat_log_append(struct warp_db *, uint64_t id, int64_t at_ms, struct warp_str);
int game_entity_combat_log_range(struct warp_db *, uint64_t id, int64_t from_ms, int64_t to_ms, struct warp_iter **);
int game_entity_combat_log_range_with(struct warp_db *, uint64_t id, int64_t from_ms, int64_t to_ms, uint64_t flags, struct warp_iter **);
int game_entity_combat_log_next(struct warp_iter *, int64_t *at_ms, struct warp_str *, struct warp_arena *);
int game_entity_put_in(struct warp_batch *, const struct game_entity *, uint64_t fields);
int game_entity_set_account_in(struct warp_batch *, uint64_t id, uint64_t);
int game_entity_add_account_in(struct warp_batch *, uint64_t id, int64_t delta);
int game_entity_set_faction_in(struct warp_batch *, uint64_t id, enum game_faction);
int game_entity_set_pos_in(struct warp_batch *, uint64_t id, struct game_vec3);
int game_entity_set_vel_in(struct warp_batch *, uint64_t id, struct game_vec3);
int game_entity_set_gold_in(struct warp_batch *, uint64_t id, int64_t);
int game_entity_add_gold_in(struct warp_batch *, uint64_t id, int64_t delta);
int game_entity_set_inventory_in(struct warp_batch *, uint64_t id, struct warp_list);
int game_entity_set_buffs_in(struct warp_batch *, uint64_t id, struct warp_list);
int game_entity_set_shield_in(struct warp_batch *, uint64_t id, uint32_t);
int game_entity_add_shield_in(struct warp_batch *, uint64_t id, int64_t delta);
int game_entity_set_portrait_in(struct warp_batch *, uint64_t id, struct warp_str);
int game_entity_set_biography_in(struct warp_batch *, uint64_t id, struct warp_str);
int game_entity_delete_in(struct warp_batch *, uint64_t id);
int game_entity_touch_in(struct warp_batch *, uint64_t id, uint64_t fields);
int game_entity_expire_in(struct warp_batch *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int game_entity_combat_log_append_in(struct warp_batch *, uint64_t id, int64_t at_ms, struct warp_str);
int game_entity_expect_in(struct warp_batch *, uint64_t id, uint64_t version);

extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
