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

struct visit {
    int64_t at;
    struct warp_str page; /* string<100> */
};

#ifndef WARP_BYTES_8_DECLARED
#define WARP_BYTES_8_DECLARED
struct warp_bytes_8 { uint8_t b[8]; };
#endif

struct http_user2 {
    struct warp_str id;       /* key */
    struct warp_str nick;     /* memory | survives power_loss */
    uint32_t old_score;       /* memory | survives power_loss | deprecated */
    struct warp_list graph;   /* warp_str[] | disk_compressed + memory_computed | survives power_loss | a get may read the disk */
    float mass;               /* gpu_memory | survives power_loss */
    float place;              /* auto | survives power_loss | a get may read the disk */
    struct warp_list session; /* warp_entry[], sorted by key | memory_only | gone after a restart | ttl 1h */
    uint64_t have;            /* out: which fields hold a value */
};
/* visits (bit 3) is a series, with calls of its own: temporal_tiering | survives power_loss | memory to 1d | ssd to 30d | archive for ever */
#define HTTP_USER2_ID        (UINT64_C(1) << 0)
#define HTTP_USER2_NICK      (UINT64_C(1) << 1)
#define HTTP_USER2_OLD_SCORE (UINT64_C(1) << 2)
#define HTTP_USER2_VISITS    (UINT64_C(1) << 3)
#define HTTP_USER2_GRAPH     (UINT64_C(1) << 4)
#define HTTP_USER2_MASS      (UINT64_C(1) << 5)
#define HTTP_USER2_PLACE     (UINT64_C(1) << 6)
#define HTTP_USER2_SESSION   (UINT64_C(1) << 7)
#define HTTP_USER2_HOT       UINT64_C(0xa6)
#define HTTP_USER2_ALL       UINT64_C(0xf6)

struct http_user2_range {
    struct warp_str from, to; /* half-open */
    struct warp_str prefix; /* of string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};
extern const struct warp_product http_user2_warp_product;

int http_user2_put(struct warp_db *, const struct http_user2 *, uint64_t fields);
int http_user2_get(struct warp_db *, struct warp_str id, uint64_t fields, struct http_user2 *out, struct warp_arena *);
int http_user2_delete(struct warp_db *, struct warp_str id);
int http_user2_set_nick(struct warp_db *, struct warp_str id, struct warp_str);
WARP_DEPRECATED int http_user2_set_old_score(struct warp_db *, struct warp_str id, uint32_t);
WARP_DEPRECATED int http_user2_add_old_score(struct warp_db *, struct warp_str id, int64_t delta, uint32_t *now);
int http_user2_set_graph(struct warp_db *, struct warp_str id, struct warp_list);
int http_user2_set_mass(struct warp_db *, struct warp_str id, float);
int http_user2_add_mass(struct warp_db *, struct warp_str id, float delta, float *now);
int http_user2_set_place(struct warp_db *, struct warp_str id, float);
int http_user2_add_place(struct warp_db *, struct warp_str id, float delta, float *now);
int http_user2_set_session(struct warp_db *, struct warp_str id, struct warp_list);
int http_user2_touch(struct warp_db *, struct warp_str id, uint64_t fields);
int http_user2_expire(struct warp_db *, struct warp_str id, uint64_t fields, int64_t deadline_ms);
int http_user2_version(struct warp_db *, struct warp_str id, uint64_t *version);
enum warp_state http_user2_state(struct warp_db *, struct warp_str id, uint64_t field);
int http_user2_prefetch(struct warp_db *, const struct warp_str *keys, size_t count, uint64_t fields);
int http_user2_scan(struct warp_db *, const struct http_user2_range *, uint64_t fields, struct warp_iter **);
int http_user2_next(struct warp_iter *, struct http_user2 *out, struct warp_arena *);
int http_user2_visits_append(struct warp_db *, struct warp_str id, struct visit);
int http_user2_visits_range(struct warp_db *, struct warp_str id, int64_t from_ms, int64_t to_ms, struct warp_iter **);
int http_user2_visits_range_with(struct warp_db *, struct warp_str id, int64_t from_ms, int64_t to_ms, uint64_t flags, struct warp_iter **);
int http_user2_visits_next(struct warp_iter *, int64_t *at_ms, struct visit *, struct warp_arena *);
int http_user2_graph_summary(struct warp_db *, struct warp_str id, struct warp_summary *);
int http_user2_put_in(struct warp_batch *, const struct http_user2 *, uint64_t fields);
int http_user2_set_nick_in(struct warp_batch *, struct warp_str id, struct warp_str);
WARP_DEPRECATED int http_user2_set_old_score_in(struct warp_batch *, struct warp_str id, uint32_t);
WARP_DEPRECATED int http_user2_add_old_score_in(struct warp_batch *, struct warp_str id, int64_t delta);
int http_user2_set_graph_in(struct warp_batch *, struct warp_str id, struct warp_list);
int http_user2_set_mass_in(struct warp_batch *, struct warp_str id, float);
int http_user2_add_mass_in(struct warp_batch *, struct warp_str id, float delta);
int http_user2_set_place_in(struct warp_batch *, struct warp_str id, float);
int http_user2_add_place_in(struct warp_batch *, struct warp_str id, float delta);
int http_user2_set_session_in(struct warp_batch *, struct warp_str id, struct warp_list);
int http_user2_delete_in(struct warp_batch *, struct warp_str id);
int http_user2_touch_in(struct warp_batch *, struct warp_str id, uint64_t fields);
int http_user2_expire_in(struct warp_batch *, struct warp_str id, uint64_t fields, int64_t deadline_ms);
int http_user2_visits_append_in(struct warp_batch *, struct warp_str id, struct visit);
int http_user2_expect_in(struct warp_batch *, struct warp_str id, uint64_t version);

struct ticket {
    struct warp_bytes_8 code; /* key */
    struct warp_str seat;     /* auto | survives power_loss | a get may read the disk */
    struct warp_str both;     /* ssd + memory | survives power_loss | a get may read the disk */
    uint64_t have;            /* out: which fields hold a value */
};
#define TICKET_CODE (UINT64_C(1) << 0)
#define TICKET_SEAT (UINT64_C(1) << 1)
#define TICKET_BOTH (UINT64_C(1) << 2)
#define TICKET_HOT  UINT64_C(0x0)
#define TICKET_ALL  UINT64_C(0x6)

struct ticket_range {
    struct warp_bytes_8 from, to; /* half-open */
    struct warp_str prefix; /* of string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};
extern const struct warp_product ticket_warp_product;

int ticket_put(struct warp_db *, const struct ticket *, uint64_t fields);
int ticket_get(struct warp_db *, struct warp_bytes_8 code, uint64_t fields, struct ticket *out, struct warp_arena *);
int ticket_delete(struct warp_db *, struct warp_bytes_8 code);
int ticket_set_seat(struct warp_db *, struct warp_bytes_8 code, struct warp_str);
int ticket_set_both(struct warp_db *, struct warp_bytes_8 code, struct warp_str);
int ticket_touch(struct warp_db *, struct warp_bytes_8 code, uint64_t fields);
int ticket_expire(struct warp_db *, struct warp_bytes_8 code, uint64_t fields, int64_t deadline_ms);
int ticket_version(struct warp_db *, struct warp_bytes_8 code, uint64_t *version);
enum warp_state ticket_state(struct warp_db *, struct warp_bytes_8 code, uint64_t field);
int ticket_prefetch(struct warp_db *, const struct warp_bytes_8 *keys, size_t count, uint64_t fields);
int ticket_scan(struct warp_db *, const struct ticket_range *, uint64_t fields, struct warp_iter **);
int ticket_next(struct warp_iter *, struct ticket *out, struct warp_arena *);
int ticket_put_in(struct warp_batch *, const struct ticket *, uint64_t fields);
int ticket_set_seat_in(struct warp_batch *, struct warp_bytes_8 code, struct warp_str);
int ticket_set_both_in(struct warp_batch *, struct warp_bytes_8 code, struct warp_str);
int ticket_delete_in(struct warp_batch *, struct warp_bytes_8 code);
int ticket_touch_in(struct warp_batch *, struct warp_bytes_8 code, uint64_t fields);
int ticket_expire_in(struct warp_batch *, struct warp_bytes_8 code, uint64_t fields, int64_t deadline_ms);
int ticket_expect_in(struct warp_batch *, struct warp_bytes_8 code, uint64_t version);

extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
