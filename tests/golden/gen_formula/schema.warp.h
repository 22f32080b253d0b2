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
    uint64_t have; /* out: which fields hold a value */
};
#define F_ROW_ID    (UINT64_C(1) << 0)
#define F_ROW_A     (UINT64_C(1) << 1)
#define F_ROW_B     (UINT64_C(1) << 2)
#define F_ROW_D     (UINT64_C(1) << 3)
#define F_ROW_N     (UINT64_C(1) << 4)
#define F_ROW_M     (UINT64_C(1) << 5)
#define F_ROW_ON    (UINT64_C(1) << 6)
#define F_ROW_SCORE (UINT64_C(1) << 7)
#define F_ROW_WIDE  (UINT64_C(1) << 8)
#define F_ROW_RATIO (UINT64_C(1) << 9)
#define F_ROW_REST  (UINT64_C(1) << 10)
#define F_ROW_LEVEL (UINT64_C(1) << 11)
#define F_ROW_PICK  (UINT64_C(1) << 12)
#define F_ROW_WAVE  (UINT64_C(1) << 13)
#define F_ROW_TWICE (UINT64_C(1) << 14)
#define F_ROW_HOT   UINT64_C(0x7ffe)
#define F_ROW_ALL   UINT64_C(0x7ffe)

struct f_row_range {
    uint64_t from, to; /* half-open */
    struct warp_str prefix; /* of string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};
extern const struct warp_product f_row_warp_product;

int f_row_put(struct warp_db *, const struct f_row *, uint64_t fields);
int f_row_get(struct warp_db *, uint64_t id, uint64_t fields, struct f_row *out, struct warp_arena *);
int f_row_delete(struct warp_db *, uint64_t id);
int f_row_set_a(struct warp_db *, uint64_t id, float);
int f_row_add_a(struct warp_db *, uint64_t id, float delta, float *now);
int f_row_set_b(struct warp_db *, uint64_t id, float);
int f_row_add_b(struct warp_db *, uint64_t id, float delta, float *now);
int f_row_set_d(struct warp_db *, uint64_t id, double);
int f_row_add_d(struct warp_db *, uint64_t id, double delta, double *now);
int f_row_set_n(struct warp_db *, uint64_t id, uint32_t);
int f_row_add_n(struct warp_db *, uint64_t id, int64_t delta, uint32_t *now);
int f_row_set_m(struct warp_db *, uint64_t id, int64_t);
int f_row_add_m(struct warp_db *, uint64_t id, int64_t delta, int64_t *now);
int f_row_set_on(struct warp_db *, uint64_t id, bool);
int f_row_touch(struct warp_db *, uint64_t id, uint64_t fields);
int f_row_expire(struct warp_db *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int f_row_version(struct warp_db *, uint64_t id, uint64_t *version);
enum warp_state f_row_state(struct warp_db *, uint64_t id, uint64_t field);
int f_row_prefetch(struct warp_db *, const uint64_t *keys, size_t count, uint64_t fields);
int f_row_scan(struct warp_db *, const struct f_row_range *, uint64_t fields, struct warp_iter **);
int f_row_next(struct warp_iter *, struct f_row *out, struct warp_arena *);
int f_row_score_peek(struct warp_db *, uint64_t id, float *, enum warp_fresh *);
int f_row_score_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int f_row_score_compute(struct warp_db *, const uint64_t *keys, size_t count, float *out, struct warp_run_info *);
int f_row_wide_peek(struct warp_db *, uint64_t id, double *, enum warp_fresh *);
int f_row_wide_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int f_row_wide_compute(struct warp_db *, const uint64_t *keys, size_t count, double *out, struct warp_run_info *);
int f_row_ratio_peek(struct warp_db *, uint64_t id, int64_t *, enum warp_fresh *);
int f_row_ratio_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int f_row_ratio_compute(struct warp_db *, const uint64_t *keys, size_t count, int64_t *out, struct warp_run_info *);
int f_row_rest_peek(struct warp_db *, uint64_t id, int64_t *, enum warp_fresh *);
int f_row_rest_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int f_row_rest_compute(struct warp_db *, const uint64_t *keys, size_t count, int64_t *out, struct warp_run_info *);
int f_row_level_peek(struct warp_db *, uint64_t id, float *, enum warp_fresh *);
int f_row_level_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int f_row_level_compute(struct warp_db *, const uint64_t *keys, size_t count, float *out, struct warp_run_info *);
int f_row_pick_peek(struct warp_db *, uint64_t id, float *, enum warp_fresh *);
int f_row_pick_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int f_row_pick_compute(struct warp_db *, const uint64_t *keys, size_t count, float *out, struct warp_run_info *);
int f_row_wave_peek(struct warp_db *, uint64_t id, double *, enum warp_fresh *);
int f_row_wave_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int f_row_wave_compute(struct warp_db *, const uint64_t *keys, size_t count, double *out, struct warp_run_info *);
int f_row_twice_peek(struct warp_db *, uint64_t id, float *, enum warp_fresh *);
int f_row_twice_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int f_row_twice_compute(struct warp_db *, const uint64_t *keys, size_t count, float *out, struct warp_run_info *);
int f_row_put_in(struct warp_batch *, const struct f_row *, uint64_t fields);
int f_row_set_a_in(struct warp_batch *, uint64_t id, float);
int f_row_add_a_in(struct warp_batch *, uint64_t id, float delta);
int f_row_set_b_in(struct warp_batch *, uint64_t id, float);
int f_row_add_b_in(struct warp_batch *, uint64_t id, float delta);
int f_row_set_d_in(struct warp_batch *, uint64_t id, double);
int f_row_add_d_in(struct warp_batch *, uint64_t id, double delta);
int f_row_set_n_in(struct warp_batch *, uint64_t id, uint32_t);
int f_row_add_n_in(struct warp_batch *, uint64_t id, int64_t delta);
int f_row_set_m_in(struct warp_batch *, uint64_t id, int64_t);
int f_row_add_m_in(struct warp_batch *, uint64_t id, int64_t delta);
int f_row_set_on_in(struct warp_batch *, uint64_t id, bool);
int f_row_delete_in(struct warp_batch *, uint64_t id);
int f_row_touch_in(struct warp_batch *, uint64_t id, uint64_t fields);
int f_row_expire_in(struct warp_batch *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int f_row_expect_in(struct warp_batch *, uint64_t id, uint64_t version);

extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
