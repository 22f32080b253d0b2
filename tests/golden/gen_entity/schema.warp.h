/* Written by warpc from schema.warp. Do not edit: change the schema.
 * Masks name fields; HOT and ALL hold neither key nor series. A WARP_GEN_ line
 * declares calls, such as PRODUCT_get() and PRODUCT_set_FIELD(): <warp/calls.h>
 * says what they are and promise. */
#ifndef WARP_GEN_SCHEMA_WARP_H
#define WARP_GEN_SCHEMA_WARP_H

#include <warp/calls.h>

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef WARP_GEN_SCHEMA_WARP_H_DEFINES
#define WARP_GEN_CALL_ WARP_GEN_DEFINE_
#else
#define WARP_GEN_CALL_ WARP_GEN_DECLARE_
#endif

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
#define GAME_ENTITY_ID         WARP_BIT(0)
#define GAME_ENTITY_ACCOUNT    WARP_BIT(1)
#define GAME_ENTITY_FACTION    WARP_BIT(2)
#define GAME_ENTITY_POS        WARP_BIT(3)
#define GAME_ENTITY_VEL        WARP_BIT(4)
#define GAME_ENTITY_GOLD       WARP_BIT(5)
#define GAME_ENTITY_INVENTORY  WARP_BIT(6)
#define GAME_ENTITY_BUFFS      WARP_BIT(7)
#define GAME_ENTITY_SHIELD     WARP_BIT(8)
#define GAME_ENTITY_COMBAT_LOG WARP_BIT(9)
#define GAME_ENTITY_PORTRAIT   WARP_BIT(10)
#define GAME_ENTITY_BIOGRAPHY  WARP_BIT(11)
#define GAME_ENTITY_HOT        UINT64_C(0x1fe)
#define GAME_ENTITY_ALL        UINT64_C(0xdfe)

#define WARP_GEN_P game_entity, uint64_t
WARP_GEN_RECORD()
WARP_GEN_INTEGER(1, account, uint64_t)
WARP_GEN_INDEX(1, account, uint64_t)
WARP_GEN_SET(2, faction, enum game_faction)
WARP_GEN_SET(3, pos, struct game_vec3)
WARP_GEN_COLUMN(3, pos)
WARP_GEN_SET(4, vel, struct game_vec3)
WARP_GEN_COLUMN(4, vel)
WARP_GEN_INTEGER(5, gold, int64_t)
WARP_GEN_SET(6, inventory, struct warp_list)
WARP_GEN_SET(7, buffs, struct warp_list)
WARP_GEN_INTEGER(8, shield, uint32_t)
WARP_GEN_SERIES(9, combat_log, struct warp_str)
WARP_GEN_SET(10, portrait, struct warp_str)
WARP_GEN_SET(11, biography, struct warp_str)
#undef WARP_GEN_P

#undef WARP_GEN_CALL_
extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
