/* Written by warpc from base.warp. Do not edit: change the schema.
 * Masks name fields; HOT and ALL hold neither key nor series. A WARP_GEN_ line
 * declares calls, such as PRODUCT_get() and PRODUCT_set_FIELD(): <warp/calls.h>
 * says what they are and promise. */
#ifndef WARP_GEN_BASE_WARP_H
#define WARP_GEN_BASE_WARP_H

#include <warp/calls.h>

#ifdef __cplusplus
extern "C" {
#endif

enum base_colour {
    BASE_COLOUR_RED = 0,
    BASE_COLOUR_BLUE = 1
};

struct base_place {
    float x;
    float y;
};

#ifndef WARP_U16_2_DECLARED
#define WARP_U16_2_DECLARED
struct warp_u16_2 { uint16_t v[2]; };
#endif

struct base_line {
    struct warp_str what;
    struct base_place place;
    struct warp_u16_2 counts; /* u16[2] */
};

#ifdef WARP_GEN_BASE_WARP_H_DEFINES
#define WARP_GEN_CALL_ WARP_GEN_DEFINE_
#else
#define WARP_GEN_CALL_ WARP_GEN_DECLARE_
#endif

struct base_depot {
    uint64_t id;          /* key */
    struct base_place at; /* memory */
    uint64_t have;        /* out: which fields hold a value */
};
#define BASE_DEPOT_ID  WARP_BIT(0)
#define BASE_DEPOT_AT  WARP_BIT(1)
#define BASE_DEPOT_HOT UINT64_C(0x2)
#define BASE_DEPOT_ALL UINT64_C(0x2)

#define WARP_GEN_P base_depot, uint64_t
WARP_GEN_RECORD()
WARP_GEN_SET(1, at, struct base_place)
#undef WARP_GEN_P

#undef WARP_GEN_CALL_
extern const struct warp_schema base_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
