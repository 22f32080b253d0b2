/* Written by warpc from seed.warp. Do not edit. */
#ifndef WARP_GEN_SEED_WARP_H
#define WARP_GEN_SEED_WARP_H

#include <warp/warp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct high_performance_user {
    struct warp_str id; /* key */
    double influence_score; /* gpu_memory | survives process_crash | column */
    struct warp_list social_graph; /* struct warp_str[] | disk_compressed: a get may read the disk */
    /* activity_history: a series, see its own calls */
    struct warp_list archived_preferences; /* map | disk_only: a get may read the disk */
    struct warp_list session_data; /* map | memory_only | gone after a restart | ttl 1h */
    uint64_t have; /* out: which fields hold a value */
};

#define HIGH_PERFORMANCE_USER_ID (UINT64_C(1) << 0)
#define HIGH_PERFORMANCE_USER_INFLUENCE_SCORE (UINT64_C(1) << 1)
#define HIGH_PERFORMANCE_USER_SOCIAL_GRAPH (UINT64_C(1) << 2)
#define HIGH_PERFORMANCE_USER_ACTIVITY_HISTORY (UINT64_C(1) << 3)
#define HIGH_PERFORMANCE_USER_ARCHIVED_PREFERENCES (UINT64_C(1) << 4)
#define HIGH_PERFORMANCE_USER_SESSION_DATA (UINT64_C(1) << 5)
#define HIGH_PERFORMANCE_USER_HOT UINT64_C(0x022)
#define HIGH_PERFORMANCE_USER_ALL UINT64_C(0x036)

struct high_performance_user_range {
    struct warp_str from, to; /* half-open */
    struct warp_str prefix; /* string and bytes keys */
    bool has_from, has_to, has_prefix, reverse;
};

extern const struct warp_product high_performance_user_warp_product;

int high_performance_user_put(struct warp_db *, const struct high_performance_user *, uint64_t fields);
int high_performance_user_get(struct warp_db *, struct warp_str id, uint64_t fields, struct high_performance_user *out, struct warp_arena *);
int high_performance_user_delete(struct warp_db *, struct warp_str id);
int high_performance_user_set_influence_score(struct warp_db *, struct warp_str id, double);
int high_performance_user_add_influence_score(struct warp_db *, struct warp_str id, double delta, double *now);
int high_performance_user_set_social_graph(struct warp_db *, struct warp_str id, struct warp_list);
int high_performance_user_set_archived_preferences(struct warp_db *, struct warp_str id, struct warp_list);
int high_performance_user_set_session_data(struct warp_db *, struct warp_str id, struct warp_list);
int high_performance_user_touch(struct warp_db *, struct warp_str id, uint64_t fields);
int high_performance_user_expire(struct warp_db *, struct warp_str id, uint64_t fields, int64_t deadline_ms);
int high_performance_user_version(struct warp_db *, struct warp_str id, uint64_t *version);
enum warp_state high_performance_user_state(struct warp_db *, struct warp_str id, uint64_t field);
int high_performance_user_prefetch(struct warp_db *, const struct warp_str *keys, size_t count, uint64_t fields);
int high_performance_user_scan(struct warp_db *, const struct high_performance_user_range *, uint64_t fields, struct warp_iter **);
int high_performance_user_next(struct warp_iter *, struct high_performance_user *out, struct warp_arena *);
int high_performance_user_influence_score_column(struct warp_db *, uint32_t shard, struct warp_column *);
int high_performance_user_activity_history_append(struct warp_db *, struct warp_str id, int64_t at_ms, struct warp_str);
int high_performance_user_activity_history_range(struct warp_db *, struct warp_str id, int64_t from_ms, int64_t to_ms, struct warp_iter **);
int high_performance_user_activity_history_next(struct warp_iter *, int64_t *at_ms, struct warp_str *, struct warp_arena *);
int high_performance_user_put_in(struct warp_batch *, const struct high_performance_user *, uint64_t fields);
int high_performance_user_set_influence_score_in(struct warp_batch *, struct warp_str id, double);
int high_performance_user_add_influence_score_in(struct warp_batch *, struct warp_str id, double delta);
int high_performance_user_set_social_graph_in(struct warp_batch *, struct warp_str id, struct warp_list);
int high_performance_user_set_archived_preferences_in(struct warp_batch *, struct warp_str id, struct warp_list);
int high_performance_user_set_session_data_in(struct warp_batch *, struct warp_str id, struct warp_list);
int high_performance_user_delete_in(struct warp_batch *, struct warp_str id);
int high_performance_user_touch_in(struct warp_batch *, struct warp_str id, uint64_t fields);
int high_performance_user_expire_in(struct warp_batch *, struct warp_str id, uint64_t fields, int64_t deadline_ms);
int high_performance_user_activity_history_append_in(struct warp_batch *, struct warp_str id, int64_t at_ms, struct warp_str);
int high_performance_user_expect_in(struct warp_batch *, struct warp_str id, uint64_t version);

extern const struct warp_schema seed_warp_schema;

#ifdef __cplusplus
}
#endif
#endif
