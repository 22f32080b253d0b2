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

struct k_ev {
    int64_t at;
    float weight;
};

#ifndef WARP_F32_3_DECLARED
#define WARP_F32_3_DECLARED
struct warp_f32_3 { float v[3]; };
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
#define K_ROW_ID    (UINT64_C(1) << 0)
#define K_ROW_A     (UINT64_C(1) << 1)
#define K_ROW_B     (UINT64_C(1) << 2)
#define K_ROW_ON    (UINT64_C(1) << 3)
#define K_ROW_N     (UINT64_C(1) << 4)
#define K_ROW_EVS   (UINT64_C(1) << 5)
#define K_ROW_FLAG  (UINT64_C(1) << 6)
#define K_ROW_WARM  (UINT64_C(1) << 7)
#define K_ROW_PULL  (UINT64_C(1) << 8)
#define K_ROW_BEST  (UINT64_C(1) << 9)
#define K_ROW_NEAR  (UINT64_C(1) << 10)
#define K_ROW_SOFT  (UINT64_C(1) << 11)
#define K_ROW_TOTAL (UINT64_C(1) << 12)
#define K_ROW_TAGS  (UINT64_C(1) << 13)
#define K_ROW_PLAIN (UINT64_C(1) << 14)
#define K_ROW_HOT   UINT64_C(0x5ffe)
#define K_ROW_ALL   UINT64_C(0x7ffe)

struct k_row_range {
    uint64_t from, to; /* half-open */
    struct warp_str prefix; /* of string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};
extern const struct warp_product k_row_warp_product;

int k_row_put(struct warp_db *, const struct k_row *, uint64_t fields);
int k_row_get(struct warp_db *, uint64_t id, uint64_t fields, struct k_row *out, struct warp_arena *);
int k_row_delete(struct warp_db *, uint64_t id);
int k_row_set_a(struct warp_db *, uint64_t id, float);
int k_row_add_a(struct warp_db *, uint64_t id, float delta, float *now);
int k_row_set_b(struct warp_db *, uint64_t id, float);
int k_row_add_b(struct warp_db *, uint64_t id, float delta, float *now);
int k_row_set_on(struct warp_db *, uint64_t id, bool);
int k_row_set_n(struct warp_db *, uint64_t id, int64_t);
int k_row_add_n(struct warp_db *, uint64_t id, int64_t delta, int64_t *now);
int k_row_set_evs(struct warp_db *, uint64_t id, struct warp_list);
int k_row_set_tags(struct warp_db *, uint64_t id, struct warp_list);
int k_row_set_plain(struct warp_db *, uint64_t id, struct warp_list);
int k_row_touch(struct warp_db *, uint64_t id, uint64_t fields);
int k_row_expire(struct warp_db *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int k_row_version(struct warp_db *, uint64_t id, uint64_t *version);
enum warp_state k_row_state(struct warp_db *, uint64_t id, uint64_t field);
int k_row_prefetch(struct warp_db *, const uint64_t *keys, size_t count, uint64_t fields);
int k_row_scan(struct warp_db *, const struct k_row_range *, uint64_t fields, struct warp_iter **);
int k_row_next(struct warp_iter *, struct k_row *out, struct warp_arena *);
int k_row_flag_peek(struct warp_db *, uint64_t id, bool *, enum warp_fresh *);
int k_row_flag_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int k_row_flag_compute(struct warp_db *, const uint64_t *keys, size_t count, bool *out, struct warp_run_info *);
int k_row_warm_peek(struct warp_db *, uint64_t id, float *, enum warp_fresh *);
int k_row_warm_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int k_row_warm_compute(struct warp_db *, const uint64_t *keys, size_t count, float *out, struct warp_run_info *);
int k_row_pull_peek(struct warp_db *, uint64_t id, float *, enum warp_fresh *);
int k_row_pull_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int k_row_pull_compute(struct warp_db *, const uint64_t *keys, size_t count, float *out, struct warp_run_info *);
int k_row_best_column(struct warp_db *, uint32_t shard, struct warp_column *);
int k_row_best_peek(struct warp_db *, uint64_t id, uint32_t *, enum warp_fresh *);
int k_row_best_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int k_row_best_compute(struct warp_db *, const uint64_t *keys, size_t count, uint32_t *out, struct warp_run_info *);
int k_row_near_peek(struct warp_db *, uint64_t id, struct warp_f32_3 *, enum warp_fresh *);
int k_row_near_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int k_row_near_compute(struct warp_db *, const uint64_t *keys, size_t count, struct warp_f32_3 *out, struct warp_run_info *);
int k_row_soft_peek(struct warp_db *, uint64_t id, float *, enum warp_fresh *);
int k_row_soft_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int k_row_soft_compute(struct warp_db *, const uint64_t *keys, size_t count, float *out, struct warp_run_info *);
int k_row_total_peek(struct warp_db *, uint64_t id, float *, enum warp_fresh *);
int k_row_total_request(struct warp_db *, const uint64_t *keys, size_t count, struct warp_future **);
int k_row_total_compute(struct warp_db *, const uint64_t *keys, size_t count, float *out, struct warp_run_info *);
int k_row_tags_summary(struct warp_db *, uint64_t id, struct warp_summary *);
int k_row_plain_summary(struct warp_db *, uint64_t id, struct warp_summary *);
int k_row_put_in(struct warp_batch *, const struct k_row *, uint64_t fields);
int k_row_set_a_in(struct warp_batch *, uint64_t id, float);
int k_row_add_a_in(struct warp_batch *, uint64_t id, float delta);
int k_row_set_b_in(struct warp_batch *, uint64_t id, float);
int k_row_add_b_in(struct warp_batch *, uint64_t id, float delta);
int k_row_set_on_in(struct warp_batch *, uint64_t id, bool);
int k_row_set_n_in(struct warp_batch *, uint64_t id, int64_t);
int k_row_add_n_in(struct warp_batch *, uint64_t id, int64_t delta);
int k_row_set_evs_in(struct warp_batch *, uint64_t id, struct warp_list);
int k_row_set_tags_in(struct warp_batch *, uint64_t id, struct warp_list);
int k_row_set_plain_in(struct warp_batch *, uint64_t id, struct warp_list);
int k_row_delete_in(struct warp_batch *, uint64_t id);
int k_row_touch_in(struct warp_batch *, uint64_t id, uint64_t fields);
int k_row_expire_in(struct warp_batch *, uint64_t id, uint64_t fields, int64_t deadline_ms);
int k_row_expect_in(struct warp_batch *, uint64_t id, uint64_t version);

struct k_place {
    uint32_t id; /* key */
    float x;     /* memory */
    float y;     /* memory */
    uint64_t have; /* out: which fields hold a value */
};
#define K_PLACE_ID  (UINT64_C(1) << 0)
#define K_PLACE_X   (UINT64_C(1) << 1)
#define K_PLACE_Y   (UINT64_C(1) << 2)
#define K_PLACE_HOT UINT64_C(0x6)
#define K_PLACE_ALL UINT64_C(0x6)

struct k_place_range {
    uint32_t from, to; /* half-open */
    struct warp_str prefix; /* of string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};
extern const struct warp_product k_place_warp_product;

int k_place_put(struct warp_db *, const struct k_place *, uint64_t fields);
int k_place_get(struct warp_db *, uint32_t id, uint64_t fields, struct k_place *out, struct warp_arena *);
int k_place_delete(struct warp_db *, uint32_t id);
int k_place_set_x(struct warp_db *, uint32_t id, float);
int k_place_add_x(struct warp_db *, uint32_t id, float delta, float *now);
int k_place_set_y(struct warp_db *, uint32_t id, float);
int k_place_add_y(struct warp_db *, uint32_t id, float delta, float *now);
int k_place_touch(struct warp_db *, uint32_t id, uint64_t fields);
int k_place_expire(struct warp_db *, uint32_t id, uint64_t fields, int64_t deadline_ms);
int k_place_version(struct warp_db *, uint32_t id, uint64_t *version);
enum warp_state k_place_state(struct warp_db *, uint32_t id, uint64_t field);
int k_place_prefetch(struct warp_db *, const uint32_t *keys, size_t count, uint64_t fields);
int k_place_scan(struct warp_db *, const struct k_place_range *, uint64_t fields, struct warp_iter **);
int k_place_next(struct warp_iter *, struct k_place *out, struct warp_arena *);
int k_place_put_in(struct warp_batch *, const struct k_place *, uint64_t fields);
int k_place_set_x_in(struct warp_batch *, uint32_t id, float);
int k_place_add_x_in(struct warp_batch *, uint32_t id, float delta);
int k_place_set_y_in(struct warp_batch *, uint32_t id, float);
int k_place_add_y_in(struct warp_batch *, uint32_t id, float delta);
int k_place_delete_in(struct warp_batch *, uint32_t id);
int k_place_touch_in(struct warp_batch *, uint32_t id, uint64_t fields);
int k_place_expire_in(struct warp_batch *, uint32_t id, uint64_t fields, int64_t deadline_ms);
int k_place_expect_in(struct warp_batch *, uint32_t id, uint64_t version);

extern const struct warp_schema schema_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
