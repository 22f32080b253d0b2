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

enum k_zone {
    K_ZONE_NORTH = 0,
    K_ZONE_SOUTH = 1
};

#ifndef WARP_BYTES_16_DECLARED
#define WARP_BYTES_16_DECLARED
struct warp_bytes_16 { uint8_t b[16]; };
#endif

#ifdef WARP_GEN_SCHEMA_WARP_H_DEFINES
#define WARP_GEN_CALL_ WARP_GEN_DEFINE_
#else
#define WARP_GEN_CALL_ WARP_GEN_DECLARE_
#endif

struct k_cell_key {
    enum k_zone zone;
    struct warp_str label;
    int32_t at;
};

/** A key of several parts, in source order. */
struct k_cell {
    enum k_zone zone;      /* key */
    struct warp_str label; /* key */
    int32_t at;            /* key */
    double value;          /* memory */
    uint64_t have;         /* out: which fields hold a value */
};
#define K_CELL_ZONE  WARP_BIT(0)
#define K_CELL_LABEL WARP_BIT(1)
#define K_CELL_AT    WARP_BIT(2)
#define K_CELL_VALUE WARP_BIT(3)
#define K_CELL_HOT   UINT64_C(0x8)
#define K_CELL_ALL   UINT64_C(0x8)

#define WARP_GEN_P k_cell, struct k_cell_key
WARP_GEN_RECORD()
WARP_GEN_REAL(3, value, double)
#undef WARP_GEN_P

struct k_person {
    struct warp_str email;      /* key */
    struct warp_str phone;      /* memory | unique */
    int64_t born;               /* ms | memory | index */
    float height;               /* memory | index */
    struct warp_bytes_16 badge; /* memory | unique */
    uint32_t count;             /* memory */
    uint64_t have;              /* out: which fields hold a value */
};
#define K_PERSON_EMAIL  WARP_BIT(0)
#define K_PERSON_PHONE  WARP_BIT(1)
#define K_PERSON_BORN   WARP_BIT(2)
#define K_PERSON_HEIGHT WARP_BIT(3)
#define K_PERSON_BADGE  WARP_BIT(4)
#define K_PERSON_COUNT  WARP_BIT(5)
#define K_PERSON_HOT    UINT64_C(0x3e)
#define K_PERSON_ALL    UINT64_C(0x3e)

#define WARP_GEN_P k_person, struct warp_str
WARP_GEN_RECORD()
WARP_GEN_SET(1, phone, struct warp_str)
WARP_GEN_UNIQUE(1, phone, struct warp_str)
WARP_GEN_SET(2, born, int64_t)
WARP_GEN_INDEX(2, born, int64_t)
WARP_GEN_REAL(3, height, float)
WARP_GEN_INDEX(3, height, float)
WARP_GEN_SET(4, badge, struct warp_bytes_16)
WARP_GEN_UNIQUE(4, badge, struct warp_bytes_16)
WARP_GEN_INTEGER(5, count, uint32_t)
#undef WARP_GEN_P

struct k_odd {
    uint64_t fields; /* key */
    uint32_t value;  /* memory | index */
    uint64_t have;   /* out: which fields hold a value */
};
#define K_ODD_FIELDS WARP_BIT(0)
#define K_ODD_VALUE  WARP_BIT(1)
#define K_ODD_HOT    UINT64_C(0x2)
#define K_ODD_ALL    UINT64_C(0x2)

#define WARP_GEN_P k_odd, uint64_t
WARP_GEN_RECORD()
WARP_GEN_INTEGER(1, value, uint32_t)
WARP_GEN_INDEX(1, value, uint32_t)
#undef WARP_GEN_P

#undef WARP_GEN_CALL_
extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
