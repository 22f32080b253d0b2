/* Written by warpc from schema.warp. Do not edit: change the schema.
 * Masks name fields; HOT and ALL hold neither key nor series. Calls return
 * WARP_OK, a positive state or a negative error: see <warp/warp.h>. */
#ifndef WARP_GEN_SCHEMA_WARP_H
#define WARP_GEN_SCHEMA_WARP_H

#include <warp/warp.h>
#include "base.warp.h"

#ifdef __cplusplus
extern "C" {
#endif

struct warp_product;

struct shop_order {
    uint64_t id;             /* key */
    struct base_place at;    /* memory */
    struct warp_list items;  /* base_line[] | memory */
    enum base_colour colour; /* memory */
    uint64_t have;           /* out: which fields hold a value */
};
#define SHOP_ORDER_ID     (UINT64_C(1) << 0)
#define SHOP_ORDER_AT     (UINT64_C(1) << 1)
#define SHOP_ORDER_ITEMS  (UINT64_C(1) << 2)
#define SHOP_ORDER_COLOUR (UINT64_C(1) << 3)
#define SHOP_ORDER_HOT    UINT64_C(0xe)
#define SHOP_ORDER_ALL    UINT64_C(0xe)

struct shop_order_range {
    uint64_t from, to; /* half-open */
    struct warp_str prefix; /* of string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};
extern const struct warp_product shop_order_warp_product;

int shop_order_put(struct warp_db *, const struct shop_order *, uint64_t fields);
int shop_order_get(struct warp_db *, uint64_t id, uint64_t fields, struct shop_order *out, struct warp_arena *);
int shop_order_delete(struct warp_db *, uint64_t id);
int shop_order_set_at(struct warp_db *, uint64_t id, struct base_place);
int shop_order_set_items(struct warp_db *, uint64_t id, struct warp_list);
int shop_order_set_colour(struct warp_db *, uint64_t id, enum base_colour);
int shop_order_touch(struct warp_db *, uint64_t id, uint64_t fields);
int shop_order_expire(struct warp_db *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int shop_order_version(struct warp_db *, uint64_t id, uint64_t *version);
enum warp_state shop_order_state(struct warp_db *, uint64_t id, uint64_t field);
int shop_order_prefetch(struct warp_db *, const uint64_t *keys, size_t count, uint64_t fields);
int shop_order_scan(struct warp_db *, const struct shop_order_range *, uint64_t fields, struct warp_iter **);
int shop_order_next(struct warp_iter *, struct shop_order *out, struct warp_arena *);
int shop_order_put_in(struct warp_batch *, const struct shop_order *, uint64_t fields);
int shop_order_set_at_in(struct warp_batch *, uint64_t id, struct base_place);
int shop_order_set_items_in(struct warp_batch *, uint64_t id, struct warp_list);
int shop_order_set_colour_in(struct warp_batch *, uint64_t id, enum base_colour);
int shop_order_delete_in(struct warp_batch *, uint64_t id);
int shop_order_touch_in(struct warp_batch *, uint64_t id, uint64_t fields);
int shop_order_expire_in(struct warp_batch *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int shop_order_expect_in(struct warp_batch *, uint64_t id, uint64_t version);

extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
