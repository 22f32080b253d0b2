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

#ifdef WARP_GEN_SCHEMA_WARP_H_DEFINES
#define WARP_GEN_CALL_ WARP_GEN_DEFINE_
#else
#define WARP_GEN_CALL_ WARP_GEN_DECLARE_
#endif

struct f_row {
    uint64_t id;   /* key */
    float a;       /* memory */
    float b;       /* memory */
    double d;      /* memory */
    uint32_t n;    /* memory */
    int64_t m;     /* memory */
    bool on;       /* memory */
    float score;   /* derived */
    double wide;   /* derived */
    int64_t ratio; /* derived */
    int64_t rest;  /* derived */
    float level;   /* derived */
    float pick;    /* derived */
    double wave;   /* derived */
    float twice;   /* derived */
    int64_t far;   /* derived */
    int32_t x;     /* memory */
    uint8_t small; /* memory */
    bool odd;      /* derived */
    int8_t least;  /* derived */
    float named;   /* derived */
    uint64_t have; /* out: which fields hold a value */
};
#define F_ROW_ID    WARP_BIT(0)
#define F_ROW_A     WARP_BIT(1)
#define F_ROW_B     WARP_BIT(2)
#define F_ROW_D     WARP_BIT(3)
#define F_ROW_N     WARP_BIT(4)
#define F_ROW_M     WARP_BIT(5)
#define F_ROW_ON    WARP_BIT(6)
#define F_ROW_SCORE WARP_BIT(7)
#define F_ROW_WIDE  WARP_BIT(8)
#define F_ROW_RATIO WARP_BIT(9)
#define F_ROW_REST  WARP_BIT(10)
#define F_ROW_LEVEL WARP_BIT(11)
#define F_ROW_PICK  WARP_BIT(12)
#define F_ROW_WAVE  WARP_BIT(13)
#define F_ROW_TWICE WARP_BIT(14)
#define F_ROW_FAR   WARP_BIT(15)
#define F_ROW_X     WARP_BIT(16)
#define F_ROW_SMALL WARP_BIT(17)
#define F_ROW_ODD   WARP_BIT(18)
#define F_ROW_LEAST WARP_BIT(19)
#define F_ROW_NAMED WARP_BIT(20)
#define F_ROW_HOT   UINT64_C(0x1ffffe)
#define F_ROW_ALL   UINT64_C(0x1ffffe)

#define WARP_GEN_P f_row, uint64_t
WARP_GEN_RECORD()
WARP_GEN_REAL(1, a, float)
WARP_GEN_REAL(2, b, float)
WARP_GEN_REAL(3, d, double)
WARP_GEN_INTEGER(4, n, uint32_t)
WARP_GEN_INTEGER(5, m, int64_t)
WARP_GEN_SET(6, on, bool)
WARP_GEN_KERNEL(7, score, float)
WARP_GEN_KERNEL(8, wide, double)
WARP_GEN_KERNEL(9, ratio, int64_t)
WARP_GEN_KERNEL(10, rest, int64_t)
WARP_GEN_KERNEL(11, level, float)
WARP_GEN_KERNEL(12, pick, float)
WARP_GEN_KERNEL(13, wave, double)
WARP_GEN_KERNEL(14, twice, float)
WARP_GEN_KERNEL(15, far, int64_t)
WARP_GEN_INTEGER(16, x, int32_t)
WARP_GEN_INTEGER(17, small, uint8_t)
WARP_GEN_KERNEL(18, odd, bool)
WARP_GEN_KERNEL(19, least, int8_t)
WARP_GEN_KERNEL(20, named, float)
#undef WARP_GEN_P

#undef WARP_GEN_CALL_
extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
