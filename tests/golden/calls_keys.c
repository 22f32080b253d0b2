/* As calls_entity.c: composite and other keys, indexes that are unique. */
#include "schema.warp.h"

typedef struct warp_db db;
typedef struct k_person person;

static const struct {
    int (*get)(db *, struct k_cell_key, uint64_t, struct k_cell *,
               struct warp_arena *);
    int (*prefetch)(db *, const struct k_cell_key *, size_t, uint64_t);
    int (*add_value)(db *, struct k_cell_key, double, double *);
    int (*set)(db *, struct warp_str, struct warp_bytes_16);
    int (*by)(db *, struct warp_bytes_16, uint64_t, struct warp_iter **);
    int (*get_by)(db *, struct warp_bytes_16, uint64_t, person *,
                  struct warp_arena *);
    int (*by_height)(db *, float, uint64_t, struct warp_iter **);
    int (*set_value)(db *, uint64_t, uint32_t);
} calls = {
    k_cell_get,          k_cell_prefetch,   k_cell_add_value,
    k_person_set_badge,  k_person_by_badge, k_person_get_by_badge,
    k_person_by_height,  k_odd_set_value,
};

int main(void)
{
    const struct k_cell_range range = {.from = {.at = 3}, .has_from = true};
    return calls.get == NULL || range.to.at != 0;
}
