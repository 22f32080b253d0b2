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

enum k_zone {
    K_ZONE_NORTH = 0,
    K_ZONE_SOUTH = 1
};

#ifndef WARP_BYTES_16_DECLARED
#define WARP_BYTES_16_DECLARED
struct warp_bytes_16 { uint8_t b[16]; };
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
#define K_CELL_ZONE  (UINT64_C(1) << 0)
#define K_CELL_LABEL (UINT64_C(1) << 1)
#define K_CELL_AT    (UINT64_C(1) << 2)
#define K_CELL_VALUE (UINT64_C(1) << 3)
#define K_CELL_HOT   UINT64_C(0x8)
#define K_CELL_ALL   UINT64_C(0x8)

struct k_cell_range {
    struct k_cell_key from, to; /* half-open */
    struct warp_str prefix; /* of string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};
extern const struct warp_product k_cell_warp_product;

int k_cell_put(struct warp_db *, const struct k_cell *, uint64_t fields);
int k_cell_get(struct warp_db *, struct k_cell_key key, uint64_t fields, struct k_cell *out, struct warp_arena *);
int k_cell_delete(struct warp_db *, struct k_cell_key key);
int k_cell_set_value(struct warp_db *, struct k_cell_key key, double);
int k_cell_add_value(struct warp_db *, struct k_cell_key key, double delta, double *now);
int k_cell_touch(struct warp_db *, struct k_cell_key key, uint64_t fields);
int k_cell_expire(struct warp_db *, struct k_cell_key key, uint64_t fields, int64_t deadline_ms);
int k_cell_version(struct warp_db *, struct k_cell_key key, uint64_t *version);
enum warp_state k_cell_state(struct warp_db *, struct k_cell_key key, uint64_t field);
int k_cell_prefetch(struct warp_db *, const struct k_cell_key *keys, size_t count, uint64_t fields);
int k_cell_scan(struct warp_db *, const struct k_cell_range *, uint64_t fields, struct warp_iter **);
int k_cell_next(struct warp_iter *, struct k_cell *out, struct warp_arena *);
int k_cell_put_in(struct warp_batch *, const struct k_cell *, uint64_t fields);
int k_cell_set_value_in(struct warp_batch *, struct k_cell_key key, double);
int k_cell_add_value_in(struct warp_batch *, struct k_cell_key key, double delta);
int k_cell_delete_in(struct warp_batch *, struct k_cell_key key);
int k_cell_touch_in(struct warp_batch *, struct k_cell_key key, uint64_t fields);
int k_cell_expire_in(struct warp_batch *, struct k_cell_key key, uint64_t fields, int64_t deadline_ms);
int k_cell_expect_in(struct warp_batch *, struct k_cell_key key, uint64_t version);

struct k_person {
    struct warp_str email;      /* key */
    struct warp_str phone;      /* memory | unique */
    int64_t born;               /* ms | memory | index */
    float height;               /* memory | index */
    struct warp_bytes_16 badge; /* memory | unique */
    uint32_t count;             /* memory */
    uint64_t have;              /* out: which fields hold a value */
};
#define K_PERSON_EMAIL  (UINT64_C(1) << 0)
#define K_PERSON_PHONE  (UINT64_C(1) << 1)
#define K_PERSON_BORN   (UINT64_C(1) << 2)
#define K_PERSON_HEIGHT (UINT64_C(1) << 3)
#define K_PERSON_BADGE  (UINT64_C(1) << 4)
#define K_PERSON_COUNT  (UINT64_C(1) << 5)
#define K_PERSON_HOT    UINT64_C(0x3e)
#define K_PERSON_ALL    UINT64_C(0x3e)

struct k_person_range {
    struct warp_str from, to; /* half-open */
    struct warp_str prefix; /* of string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};
extern const struct warp_product k_person_warp_product;

int k_person_put(struct warp_db *, const struct k_person *, uint64_t fields);
int k_person_get(struct warp_db *, struct warp_str email, uint64_t fields, struct k_person *out, struct warp_arena *);
int k_person_delete(struct warp_db *, struct warp_str email);
int k_person_set_phone(struct warp_db *, struct warp_str email, struct warp_str);
int k_person_set_born(struct warp_db *, struct warp_str email, int64_t);
int k_person_set_height(struct warp_db *, struct warp_str email, float);
int k_person_add_height(struct warp_db *, struct warp_str email, float delta, float *now);
int k_person_set_badge(struct warp_db *, struct warp_str email, struct warp_bytes_16);
int k_person_set_count(struct warp_db *, struct warp_str email, uint32_t);
int k_person_add_count(struct warp_db *, struct warp_str email, int64_t delta, uint32_t *now);
int k_person_touch(struct warp_db *, struct warp_str email, uint64_t fields);
int k_person_expire(struct warp_db *, struct warp_str email, uint64_t fields, int64_t deadline_ms);
int k_person_version(struct warp_db *, struct warp_str email, uint64_t *version);
enum warp_state k_person_state(struct warp_db *, struct warp_str email, uint64_t field);
int k_person_prefetch(struct warp_db *, const struct warp_str *keys, size_t count, uint64_t fields);
int k_person_scan(struct warp_db *, const struct k_person_range *, uint64_t fields, struct warp_iter **);
int k_person_by_phone(struct warp_db *, struct warp_str phone, uint64_t fields, struct warp_iter **);
int k_person_get_by_phone(struct warp_db *, struct warp_str phone, uint64_t fields, struct k_person *out, struct warp_arena *);
int k_person_by_born(struct warp_db *, int64_t born, uint64_t fields, struct warp_iter **);
int k_person_by_height(struct warp_db *, float height, uint64_t fields, struct warp_iter **);
int k_person_by_badge(struct warp_db *, struct warp_bytes_16 badge, uint64_t fields, struct warp_iter **);
int k_person_get_by_badge(struct warp_db *, struct warp_bytes_16 badge, uint64_t fields, struct k_person *out, struct warp_arena *);
int k_person_next(struct warp_iter *, struct k_person *out, struct warp_arena *);
int k_person_put_in(struct warp_batch *, const struct k_person *, uint64_t fields);
int k_person_set_phone_in(struct warp_batch *, struct warp_str email, struct warp_str);
int k_person_set_born_in(struct warp_batch *, struct warp_str email, int64_t);
int k_person_set_height_in(struct warp_batch *, struct warp_str email, float);
int k_person_add_height_in(struct warp_batch *, struct warp_str email, float delta);
int k_person_set_badge_in(struct warp_batch *, struct warp_str email, struct warp_bytes_16);
int k_person_set_count_in(struct warp_batch *, struct warp_str email, uint32_t);
int k_person_add_count_in(struct warp_batch *, struct warp_str email, int64_t delta);
int k_person_delete_in(struct warp_batch *, struct warp_str email);
int k_person_touch_in(struct warp_batch *, struct warp_str email, uint64_t fields);
int k_person_expire_in(struct warp_batch *, struct warp_str email, uint64_t fields, int64_t deadline_ms);
int k_person_expect_in(struct warp_batch *, struct warp_str email, uint64_t version);

struct k_odd {
    uint64_t fields; /* key */
    uint32_t value;  /* memory | index */
    uint64_t have;   /* out: which fields hold a value */
};
#define K_ODD_FIELDS (UINT64_C(1) << 0)
#define K_ODD_VALUE  (UINT64_C(1) << 1)
#define K_ODD_HOT    UINT64_C(0x2)
#define K_ODD_ALL    UINT64_C(0x2)

struct k_odd_range {
    uint64_t from, to; /* half-open */
    struct warp_str prefix; /* of string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};
extern const struct warp_product k_odd_warp_product;

int k_odd_put(struct warp_db *, const struct k_odd *, uint64_t fields);
int k_odd_get(struct warp_db *, uint64_t key, uint64_t fields, struct k_odd *out, struct warp_arena *);
int k_odd_delete(struct warp_db *, uint64_t key);
int k_odd_set_value(struct warp_db *, uint64_t key, uint32_t);
int k_odd_add_value(struct warp_db *, uint64_t key, int64_t delta, uint32_t *now);
int k_odd_touch(struct warp_db *, uint64_t key, uint64_t fields);
int k_odd_expire(struct warp_db *, uint64_t key, uint64_t fields, int64_t deadline_ms);
int k_odd_version(struct warp_db *, uint64_t key, uint64_t *version);
enum warp_state k_odd_state(struct warp_db *, uint64_t key, uint64_t field);
int k_odd_prefetch(struct warp_db *, const uint64_t *keys, size_t count, uint64_t fields);
int k_odd_scan(struct warp_db *, const struct k_odd_range *, uint64_t fields, struct warp_iter **);
int k_odd_by_value(struct warp_db *, uint32_t value, uint64_t fields, struct warp_iter **);
int k_odd_next(struct warp_iter *, struct k_odd *out, struct warp_arena *);
int k_odd_put_in(struct warp_batch *, const struct k_odd *, uint64_t fields);
int k_odd_set_value_in(struct warp_batch *, uint64_t key, uint32_t);
int k_odd_add_value_in(struct warp_batch *, uint64_t key, int64_t delta);
int k_odd_delete_in(struct warp_batch *, uint64_t key);
int k_odd_touch_in(struct warp_batch *, uint64_t key, uint64_t fields);
int k_odd_expire_in(struct warp_batch *, uint64_t key, uint64_t fields, int64_t deadline_ms);
int k_odd_expect_in(struct warp_batch *, uint64_t key, uint64_t version);

extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
