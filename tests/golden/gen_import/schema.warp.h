/* Written by warpc from schema.warp. Do not edit: change the schema.
 * Masks name fields; HOT and ALL hold neither key nor series. A WARP_GEN_ line
 * declares calls, such as PRODUCT_get() and PRODUCT_set_FIELD(): <warp/calls.h>
 * says what they are and promise. */
#ifndef WARP_GEN_SCHEMA_WARP_H
#define WARP_GEN_SCHEMA_WARP_H

#include <warp/calls.h>
#include "base.warp.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifdef WARP_GEN_SCHEMA_WARP_H_DEFINES
#define WARP_GEN_CALL_ WARP_GEN_DEFINE_
#else
#define WARP_GEN_CALL_ WARP_GEN_DECLARE_
#endif

struct shop_order {
    uint64_t id;             /* key */
    struct base_place at;    /* memory */
    struct warp_list items;  /* base_line[] | memory */
    enum base_colour colour; /* memory */
    uint64_t have;           /* out: which fields hold a value */
};
#define SHOP_ORDER_ID     WARP_BIT(0)
#define SHOP_ORDER_AT     WARP_BIT(1)
#define SHOP_ORDER_ITEMS  WARP_BIT(2)
#define SHOP_ORDER_COLOUR WARP_BIT(3)
#define SHOP_ORDER_HOT    UINT64_C(0xe)
#define SHOP_ORDER_ALL    UINT64_C(0xe)

#define WARP_GEN_P shop_order, uint64_t
WARP_GEN_RECORD()
WARP_GEN_SET(1, at, struct base_place)
WARP_GEN_SET(2, items, struct warp_list)
WARP_GEN_SET(3, colour, enum base_colour)
#undef WARP_GEN_P

#undef WARP_GEN_CALL_
extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
