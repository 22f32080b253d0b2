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

struct k_ev {
    int64_t at;
    float weight;
};

#ifndef WARP_F32_3_DECLARED
#define WARP_F32_3_DECLARED
struct warp_f32_3 { float v[3]; };
#endif

#ifdef WARP_GEN_SCHEMA_WARP_H_DEFINES
#define WARP_GEN_CALL_ WARP_GEN_DEFINE_
#else
#define WARP_GEN_CALL_ WARP_GEN_DECLARE_
#endif

struct k_row {
    uint64_t id;            /* key */
    float a;                /* gpu_memory */
    float b;                /* gpu_memory */
    bool on;                /* memory */
    int64_t n;              /* memory */
    struct warp_list evs;   /* k_ev[] | memory */
    bool flag;              /* derived */
    float warm;             /* derived */
    float pull;             /* derived */
    uint32_t best;          /* derived | column */
    struct warp_f32_3 near; /* derived */
    float soft;             /* derived */
    float total;            /* derived */
    struct warp_list tags;  /* warp_str[] | disk_compressed + memory_computed | a get may read the disk */
    struct warp_list plain; /* uint32_t[] | memory */
    uint64_t have;          /* out: which fields hold a value */
};
#define K_ROW_ID    WARP_BIT(0)
#define K_ROW_A     WARP_BIT(1)
#define K_ROW_B     WARP_BIT(2)
#define K_ROW_ON    WARP_BIT(3)
#define K_ROW_N     WARP_BIT(4)
#define K_ROW_EVS   WARP_BIT(5)
#define K_ROW_FLAG  WARP_BIT(6)
#define K_ROW_WARM  WARP_BIT(7)
#define K_ROW_PULL  WARP_BIT(8)
#define K_ROW_BEST  WARP_BIT(9)
#define K_ROW_NEAR  WARP_BIT(10)
#define K_ROW_SOFT  WARP_BIT(11)
#define K_ROW_TOTAL WARP_BIT(12)
#define K_ROW_TAGS  WARP_BIT(13)
#define K_ROW_PLAIN WARP_BIT(14)
#define K_ROW_HOT   UINT64_C(0x5ffe)
#define K_ROW_ALL   UINT64_C(0x7ffe)

#define WARP_GEN_P k_row, uint64_t
WARP_GEN_RECORD()
WARP_GEN_REAL(1, a, float)
WARP_GEN_REAL(2, b, float)
WARP_GEN_SET(3, on, bool)
WARP_GEN_INTEGER(4, n, int64_t)
WARP_GEN_SET(5, evs, struct warp_list)
WARP_GEN_KERNEL(6, flag, bool)
WARP_GEN_KERNEL(7, warm, float)
WARP_GEN_KERNEL(8, pull, float)
WARP_GEN_COLUMN(9, best)
WARP_GEN_KERNEL(9, best, uint32_t)
WARP_GEN_KERNEL(10, near, struct warp_f32_3)
WARP_GEN_KERNEL(11, soft, float)
WARP_GEN_KERNEL(12, total, float)
WARP_GEN_SET(13, tags, struct warp_list)
WARP_GEN_SUMMARY(13, tags)
WARP_GEN_SET(14, plain, struct warp_list)
WARP_GEN_SUMMARY(14, plain)
#undef WARP_GEN_P

struct k_place {
    uint32_t id; /* key */
    float x;     /* memory */
    float y;     /* memory */
    uint64_t have; /* out: which fields hold a value */
};
#define K_PLACE_ID  WARP_BIT(0)
#define K_PLACE_X   WARP_BIT(1)
#define K_PLACE_Y   WARP_BIT(2)
#define K_PLACE_HOT UINT64_C(0x6)
#define K_PLACE_ALL UINT64_C(0x6)

#define WARP_GEN_P k_place, uint32_t
WARP_GEN_RECORD()
WARP_GEN_REAL(1, x, float)
WARP_GEN_REAL(2, y, float)
#undef WARP_GEN_P

#undef WARP_GEN_CALL_
extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
