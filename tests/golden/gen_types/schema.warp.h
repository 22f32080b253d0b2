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

enum t_kind {
    T_KIND_NONE = 0,
    /** came in */
    T_KIND_LOGIN = 1,
    T_KIND_BACK = -5
};

struct t_point {
    float x;
    float y;
};

#ifndef T_POINT_3_DECLARED
#define T_POINT_3_DECLARED
struct t_point_3 { struct t_point v[3]; };
#endif

struct t_mixed {
    uint8_t small;
    bool has_maybe;
    struct t_point maybe;
    struct warp_list many; /* [Point] */
    struct warp_str name;
    struct t_point_3 grid; /* Point[3] */
};

enum t_payment_tag {
    T_PAYMENT_CARD = 0,
    T_PAYMENT_TRANSFER = 1,
    T_PAYMENT_FREE = 2
};

struct t_payment {
    enum t_payment_tag tag;
    union {
        struct {
            uint64_t number_hash;
            int64_t expires;
        } card;
        struct {
            struct warp_str iban; /* string<34> */
        } transfer;
    } u;
};

enum t_flag_tag {
    T_FLAG_ON = 0,
    T_FLAG_OFF = 1
};

struct t_flag {
    enum t_flag_tag tag;
};

#ifndef WARP_BYTES_32_DECLARED
#define WARP_BYTES_32_DECLARED
struct warp_bytes_32 { uint8_t b[32]; };
#endif

#ifndef WARP_U16_4_DECLARED
#define WARP_U16_4_DECLARED
struct warp_u16_4 { uint16_t v[4]; };
#endif

#ifndef WARP_U32_BY_STRING_DECLARED
#define WARP_U32_BY_STRING_DECLARED
struct warp_u32_by_string {
    struct warp_str key;
    uint32_t value;
};
#endif

struct t_everything {
    uint64_t id;                   /* key */
    bool a_bool;                   /* memory */
    uint8_t a_u8;                  /* memory */
    uint16_t a_u16;                /* memory */
    uint32_t a_u32;                /* memory */
    uint64_t a_u64;                /* memory */
    int8_t a_i8;                   /* memory */
    int16_t a_i16;                 /* memory */
    int32_t a_i32;                 /* memory */
    int64_t a_i64;                 /* memory */
    float a_f32;                   /* memory */
    double a_f64;                  /* memory */
    int64_t a_time;                /* ms | memory */
    int64_t a_span;                /* ms | memory */
    struct warp_uuid a_uuid;       /* memory */
    struct warp_str a_string;      /* memory */
    struct warp_str a_bytes;       /* memory */
    struct warp_str a_short;       /* string<12> | memory */
    struct warp_bytes_32 a_digest; /* memory */
    struct warp_str an_atom;       /* memory */
    enum t_kind a_kind;            /* memory */
    struct t_point a_point;        /* memory */
    struct t_mixed a_mixed;        /* memory */
    struct t_payment a_payment;    /* memory */
    struct t_flag a_flag;          /* memory */
    struct warp_u16_4 a_row;       /* memory */
    struct warp_list a_list;       /* uint32_t[] <= 8 | memory */
    struct warp_list a_lists;      /* warp_list[] | memory */
    struct warp_list a_map;        /* warp_u32_by_string[], sorted by key | memory */
    struct warp_list a_free_map;   /* warp_entry[], sorted by key | memory */
    int32_t perhaps;               /* memory */
    uint64_t have;                 /* out: which fields hold a value */
};
#define T_EVERYTHING_ID         (UINT64_C(1) << 0)
#define T_EVERYTHING_A_BOOL     (UINT64_C(1) << 1)
#define T_EVERYTHING_A_U8       (UINT64_C(1) << 2)
#define T_EVERYTHING_A_U16      (UINT64_C(1) << 3)
#define T_EVERYTHING_A_U32      (UINT64_C(1) << 4)
#define T_EVERYTHING_A_U64      (UINT64_C(1) << 5)
#define T_EVERYTHING_A_I8       (UINT64_C(1) << 6)
#define T_EVERYTHING_A_I16      (UINT64_C(1) << 7)
#define T_EVERYTHING_A_I32      (UINT64_C(1) << 8)
#define T_EVERYTHING_A_I64      (UINT64_C(1) << 9)
#define T_EVERYTHING_A_F32      (UINT64_C(1) << 10)
#define T_EVERYTHING_A_F64      (UINT64_C(1) << 11)
#define T_EVERYTHING_A_TIME     (UINT64_C(1) << 12)
#define T_EVERYTHING_A_SPAN     (UINT64_C(1) << 13)
#define T_EVERYTHING_A_UUID     (UINT64_C(1) << 14)
#define T_EVERYTHING_A_STRING   (UINT64_C(1) << 15)
#define T_EVERYTHING_A_BYTES    (UINT64_C(1) << 16)
#define T_EVERYTHING_A_SHORT    (UINT64_C(1) << 17)
#define T_EVERYTHING_A_DIGEST   (UINT64_C(1) << 18)
#define T_EVERYTHING_AN_ATOM    (UINT64_C(1) << 19)
#define T_EVERYTHING_A_KIND     (UINT64_C(1) << 20)
#define T_EVERYTHING_A_POINT    (UINT64_C(1) << 21)
#define T_EVERYTHING_A_MIXED    (UINT64_C(1) << 22)
#define T_EVERYTHING_A_PAYMENT  (UINT64_C(1) << 23)
#define T_EVERYTHING_A_FLAG     (UINT64_C(1) << 24)
#define T_EVERYTHING_A_ROW      (UINT64_C(1) << 25)
#define T_EVERYTHING_A_LIST     (UINT64_C(1) << 26)
#define T_EVERYTHING_A_LISTS    (UINT64_C(1) << 27)
#define T_EVERYTHING_A_MAP      (UINT64_C(1) << 28)
#define T_EVERYTHING_A_FREE_MAP (UINT64_C(1) << 29)
#define T_EVERYTHING_PERHAPS    (UINT64_C(1) << 30)
#define T_EVERYTHING_HOT        UINT64_C(0x7ffffffe)
#define T_EVERYTHING_ALL        UINT64_C(0x7ffffffe)

struct t_everything_range {
    uint64_t from, to; /* half-open */
    struct warp_str prefix; /* of string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};
extern const struct warp_product t_everything_warp_product;

int t_everything_put(struct warp_db *, const struct t_everything *, uint64_t fields);
int t_everything_get(struct warp_db *, uint64_t id, uint64_t fields, struct t_everything *out, struct warp_arena *);
int t_everything_delete(struct warp_db *, uint64_t id);
int t_everything_set_a_bool(struct warp_db *, uint64_t id, bool);
int t_everything_set_a_u8(struct warp_db *, uint64_t id, uint8_t);
int t_everything_add_a_u8(struct warp_db *, uint64_t id, int64_t delta, uint8_t *now);
int t_everything_set_a_u16(struct warp_db *, uint64_t id, uint16_t);
int t_everything_add_a_u16(struct warp_db *, uint64_t id, int64_t delta, uint16_t *now);
int t_everything_set_a_u32(struct warp_db *, uint64_t id, uint32_t);
int t_everything_add_a_u32(struct warp_db *, uint64_t id, int64_t delta, uint32_t *now);
int t_everything_set_a_u64(struct warp_db *, uint64_t id, uint64_t);
int t_everything_add_a_u64(struct warp_db *, uint64_t id, int64_t delta, uint64_t *now);
int t_everything_set_a_i8(struct warp_db *, uint64_t id, int8_t);
int t_everything_add_a_i8(struct warp_db *, uint64_t id, int64_t delta, int8_t *now);
int t_everything_set_a_i16(struct warp_db *, uint64_t id, int16_t);
int t_everything_add_a_i16(struct warp_db *, uint64_t id, int64_t delta, int16_t *now);
int t_everything_set_a_i32(struct warp_db *, uint64_t id, int32_t);
int t_everything_add_a_i32(struct warp_db *, uint64_t id, int64_t delta, int32_t *now);
int t_everything_set_a_i64(struct warp_db *, uint64_t id, int64_t);
int t_everything_add_a_i64(struct warp_db *, uint64_t id, int64_t delta, int64_t *now);
int t_everything_set_a_f32(struct warp_db *, uint64_t id, float);
int t_everything_add_a_f32(struct warp_db *, uint64_t id, float delta, float *now);
int t_everything_set_a_f64(struct warp_db *, uint64_t id, double);
int t_everything_add_a_f64(struct warp_db *, uint64_t id, double delta, double *now);
int t_everything_set_a_time(struct warp_db *, uint64_t id, int64_t);
int t_everything_set_a_span(struct warp_db *, uint64_t id, int64_t);
int t_everything_set_a_uuid(struct warp_db *, uint64_t id, struct warp_uuid);
int t_everything_set_a_string(struct warp_db *, uint64_t id, struct warp_str);
int t_everything_set_a_bytes(struct warp_db *, uint64_t id, struct warp_str);
int t_everything_set_a_short(struct warp_db *, uint64_t id, struct warp_str);
int t_everything_set_a_digest(struct warp_db *, uint64_t id, struct warp_bytes_32);
int t_everything_set_an_atom(struct warp_db *, uint64_t id, struct warp_str);
int t_everything_set_a_kind(struct warp_db *, uint64_t id, enum t_kind);
int t_everything_set_a_point(struct warp_db *, uint64_t id, struct t_point);
int t_everything_set_a_mixed(struct warp_db *, uint64_t id, struct t_mixed);
int t_everything_set_a_payment(struct warp_db *, uint64_t id, struct t_payment);
int t_everything_set_a_flag(struct warp_db *, uint64_t id, struct t_flag);
int t_everything_set_a_row(struct warp_db *, uint64_t id, struct warp_u16_4);
int t_everything_set_a_list(struct warp_db *, uint64_t id, struct warp_list);
int t_everything_set_a_lists(struct warp_db *, uint64_t id, struct warp_list);
int t_everything_set_a_map(struct warp_db *, uint64_t id, struct warp_list);
int t_everything_set_a_free_map(struct warp_db *, uint64_t id, struct warp_list);
int t_everything_set_perhaps(struct warp_db *, uint64_t id, int32_t);
int t_everything_add_perhaps(struct warp_db *, uint64_t id, int64_t delta, int32_t *now);
int t_everything_touch(struct warp_db *, uint64_t id, uint64_t fields);
int t_everything_expire(struct warp_db *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int t_everything_version(struct warp_db *, uint64_t id, uint64_t *version);
enum warp_state t_everything_state(struct warp_db *, uint64_t id, uint64_t field);
int t_everything_prefetch(struct warp_db *, const uint64_t *keys, size_t count, uint64_t fields);
int t_everything_scan(struct warp_db *, const struct t_everything_range *, uint64_t fields, struct warp_iter **);
int t_everything_next(struct warp_iter *, struct t_everything *out, struct warp_arena *);
int t_everything_put_in(struct warp_batch *, const struct t_everything *, uint64_t fields);
int t_everything_set_a_bool_in(struct warp_batch *, uint64_t id, bool);
int t_everything_set_a_u8_in(struct warp_batch *, uint64_t id, uint8_t);
int t_everything_add_a_u8_in(struct warp_batch *, uint64_t id, int64_t delta);
int t_everything_set_a_u16_in(struct warp_batch *, uint64_t id, uint16_t);
int t_everything_add_a_u16_in(struct warp_batch *, uint64_t id, int64_t delta);
int t_everything_set_a_u32_in(struct warp_batch *, uint64_t id, uint32_t);
int t_everything_add_a_u32_in(struct warp_batch *, uint64_t id, int64_t delta);
int t_everything_set_a_u64_in(struct warp_batch *, uint64_t id, uint64_t);
int t_everything_add_a_u64_in(struct warp_batch *, uint64_t id, int64_t delta);
int t_everything_set_a_i8_in(struct warp_batch *, uint64_t id, int8_t);
int t_everything_add_a_i8_in(struct warp_batch *, uint64_t id, int64_t delta);
int t_everything_set_a_i16_in(struct warp_batch *, uint64_t id, int16_t);
int t_everything_add_a_i16_in(struct warp_batch *, uint64_t id, int64_t delta);
int t_everything_set_a_i32_in(struct warp_batch *, uint64_t id, int32_t);
int t_everything_add_a_i32_in(struct warp_batch *, uint64_t id, int64_t delta);
int t_everything_set_a_i64_in(struct warp_batch *, uint64_t id, int64_t);
int t_everything_add_a_i64_in(struct warp_batch *, uint64_t id, int64_t delta);
int t_everything_set_a_f32_in(struct warp_batch *, uint64_t id, float);
int t_everything_add_a_f32_in(struct warp_batch *, uint64_t id, float delta);
int t_everything_set_a_f64_in(struct warp_batch *, uint64_t id, double);
int t_everything_add_a_f64_in(struct warp_batch *, uint64_t id, double delta);
int t_everything_set_a_time_in(struct warp_batch *, uint64_t id, int64_t);
int t_everything_set_a_span_in(struct warp_batch *, uint64_t id, int64_t);
int t_everything_set_a_uuid_in(struct warp_batch *, uint64_t id, struct warp_uuid);
int t_everything_set_a_string_in(struct warp_batch *, uint64_t id, struct warp_str);
int t_everything_set_a_bytes_in(struct warp_batch *, uint64_t id, struct warp_str);
int t_everything_set_a_short_in(struct warp_batch *, uint64_t id, struct warp_str);
int t_everything_set_a_digest_in(struct warp_batch *, uint64_t id, struct warp_bytes_32);
int t_everything_set_an_atom_in(struct warp_batch *, uint64_t id, struct warp_str);
int t_everything_set_a_kind_in(struct warp_batch *, uint64_t id, enum t_kind);
int t_everything_set_a_point_in(struct warp_batch *, uint64_t id, struct t_point);
int t_everything_set_a_mixed_in(struct warp_batch *, uint64_t id, struct t_mixed);
int t_everything_set_a_payment_in(struct warp_batch *, uint64_t id, struct t_payment);
int t_everything_set_a_flag_in(struct warp_batch *, uint64_t id, struct t_flag);
int t_everything_set_a_row_in(struct warp_batch *, uint64_t id, struct warp_u16_4);
int t_everything_set_a_list_in(struct warp_batch *, uint64_t id, struct warp_list);
int t_everything_set_a_lists_in(struct warp_batch *, uint64_t id, struct warp_list);
int t_everything_set_a_map_in(struct warp_batch *, uint64_t id, struct warp_list);
int t_everything_set_a_free_map_in(struct warp_batch *, uint64_t id, struct warp_list);
int t_everything_set_perhaps_in(struct warp_batch *, uint64_t id, int32_t);
int t_everything_add_perhaps_in(struct warp_batch *, uint64_t id, int64_t delta);
int t_everything_delete_in(struct warp_batch *, uint64_t id);
int t_everything_touch_in(struct warp_batch *, uint64_t id, uint64_t fields);
int t_everything_expire_in(struct warp_batch *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int t_everything_expect_in(struct warp_batch *, uint64_t id, uint64_t version);

extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
