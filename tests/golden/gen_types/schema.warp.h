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

#ifdef WARP_GEN_SCHEMA_WARP_H_DEFINES
#define WARP_GEN_CALL_ WARP_GEN_DEFINE_
#else
#define WARP_GEN_CALL_ WARP_GEN_DECLARE_
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
#define T_EVERYTHING_ID         WARP_BIT(0)
#define T_EVERYTHING_A_BOOL     WARP_BIT(1)
#define T_EVERYTHING_A_U8       WARP_BIT(2)
#define T_EVERYTHING_A_U16      WARP_BIT(3)
#define T_EVERYTHING_A_U32      WARP_BIT(4)
#define T_EVERYTHING_A_U64      WARP_BIT(5)
#define T_EVERYTHING_A_I8       WARP_BIT(6)
#define T_EVERYTHING_A_I16      WARP_BIT(7)
#define T_EVERYTHING_A_I32      WARP_BIT(8)
#define T_EVERYTHING_A_I64      WARP_BIT(9)
#define T_EVERYTHING_A_F32      WARP_BIT(10)
#define T_EVERYTHING_A_F64      WARP_BIT(11)
#define T_EVERYTHING_A_TIME     WARP_BIT(12)
#define T_EVERYTHING_A_SPAN     WARP_BIT(13)
#define T_EVERYTHING_A_UUID     WARP_BIT(14)
#define T_EVERYTHING_A_STRING   WARP_BIT(15)
#define T_EVERYTHING_A_BYTES    WARP_BIT(16)
#define T_EVERYTHING_A_SHORT    WARP_BIT(17)
#define T_EVERYTHING_A_DIGEST   WARP_BIT(18)
#define T_EVERYTHING_AN_ATOM    WARP_BIT(19)
#define T_EVERYTHING_A_KIND     WARP_BIT(20)
#define T_EVERYTHING_A_POINT    WARP_BIT(21)
#define T_EVERYTHING_A_MIXED    WARP_BIT(22)
#define T_EVERYTHING_A_PAYMENT  WARP_BIT(23)
#define T_EVERYTHING_A_FLAG     WARP_BIT(24)
#define T_EVERYTHING_A_ROW      WARP_BIT(25)
#define T_EVERYTHING_A_LIST     WARP_BIT(26)
#define T_EVERYTHING_A_LISTS    WARP_BIT(27)
#define T_EVERYTHING_A_MAP      WARP_BIT(28)
#define T_EVERYTHING_A_FREE_MAP WARP_BIT(29)
#define T_EVERYTHING_PERHAPS    WARP_BIT(30)
#define T_EVERYTHING_HOT        UINT64_C(0x7ffffffe)
#define T_EVERYTHING_ALL        UINT64_C(0x7ffffffe)

#define WARP_GEN_P t_everything, uint64_t
WARP_GEN_RECORD()
WARP_GEN_SET(1, a_bool, bool)
WARP_GEN_INTEGER(2, a_u8, uint8_t)
WARP_GEN_INTEGER(3, a_u16, uint16_t)
WARP_GEN_INTEGER(4, a_u32, uint32_t)
WARP_GEN_INTEGER(5, a_u64, uint64_t)
WARP_GEN_INTEGER(6, a_i8, int8_t)
WARP_GEN_INTEGER(7, a_i16, int16_t)
WARP_GEN_INTEGER(8, a_i32, int32_t)
WARP_GEN_INTEGER(9, a_i64, int64_t)
WARP_GEN_REAL(10, a_f32, float)
WARP_GEN_REAL(11, a_f64, double)
WARP_GEN_SET(12, a_time, int64_t)
WARP_GEN_SET(13, a_span, int64_t)
WARP_GEN_SET(14, a_uuid, struct warp_uuid)
WARP_GEN_SET(15, a_string, struct warp_str)
WARP_GEN_SET(16, a_bytes, struct warp_str)
WARP_GEN_SET(17, a_short, struct warp_str)
WARP_GEN_SET(18, a_digest, struct warp_bytes_32)
WARP_GEN_SET(19, an_atom, struct warp_str)
WARP_GEN_SET(20, a_kind, enum t_kind)
WARP_GEN_SET(21, a_point, struct t_point)
WARP_GEN_SET(22, a_mixed, struct t_mixed)
WARP_GEN_SET(23, a_payment, struct t_payment)
WARP_GEN_SET(24, a_flag, struct t_flag)
WARP_GEN_SET(25, a_row, struct warp_u16_4)
WARP_GEN_SET(26, a_list, struct warp_list)
WARP_GEN_SET(27, a_lists, struct warp_list)
WARP_GEN_SET(28, a_map, struct warp_list)
WARP_GEN_SET(29, a_free_map, struct warp_list)
WARP_GEN_INTEGER(30, perhaps, int32_t)
#undef WARP_GEN_P

#undef WARP_GEN_CALL_
extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
