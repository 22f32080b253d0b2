/* Written by warpc from base.warp. Do not edit: change the schema.
 * Masks name fields; HOT and ALL hold neither key nor series. Calls return
 * WARP_OK, a positive state or a negative error: see <warp/warp.h>. */
#ifndef WARP_GEN_BASE_WARP_H
#define WARP_GEN_BASE_WARP_H

#include <warp/warp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct warp_product;

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

struct base_depot {
    uint64_t id;          /* key */
    struct base_place at; /* memory */
    uint64_t have;        /* out: which fields hold a value */
};
#define BASE_DEPOT_ID  (UINT64_C(1) << 0)
#define BASE_DEPOT_AT  (UINT64_C(1) << 1)
#define BASE_DEPOT_HOT UINT64_C(0x2)
#define BASE_DEPOT_ALL UINT64_C(0x2)

struct base_depot_range {
    uint64_t from, to; /* half-open */
    struct warp_str prefix; /* of string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};
extern const struct warp_product base_depot_warp_product;

int base_depot_put(struct warp_db *, const struct base_depot *, uint64_t fields);
int base_depot_get(struct warp_db *, uint64_t id, uint64_t fields, struct base_depot *out, struct warp_arena *);
int base_depot_delete(struct warp_db *, uint64_t id);
int base_depot_set_at(struct warp_db *, uint64_t id, struct base_place);
int base_depot_touch(struct warp_db *, uint64_t id, uint64_t fields);
int base_depot_expire(struct warp_db *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int base_depot_version(struct warp_db *, uint64_t id, uint64_t *version);
enum warp_state base_depot_state(struct warp_db *, uint64_t id, uint64_t field);
int base_depot_prefetch(struct warp_db *, const uint64_t *keys, size_t count, uint64_t fields);
int base_depot_scan(struct warp_db *, const struct base_depot_range *, uint64_t fields, struct warp_iter **);
int base_depot_next(struct warp_iter *, struct base_depot *out, struct warp_arena *);
int base_depot_put_in(struct warp_batch *, const struct base_depot *, uint64_t fields);
int base_depot_set_at_in(struct warp_batch *, uint64_t id, struct base_place);
int base_depot_delete_in(struct warp_batch *, uint64_t id);
int base_depot_touch_in(struct warp_batch *, uint64_t id, uint64_t fields);
int base_depot_expire_in(struct warp_batch *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int base_depot_expect_in(struct warp_batch *, uint64_t id, uint64_t version);

extern const struct warp_schema base_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
