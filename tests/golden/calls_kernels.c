/* As calls_entity.c: fields that kernels compute, and summaries. */
#include "schema.warp.h"

typedef struct warp_db db;

static const struct {
    int (*peek)(db *, uint64_t, struct warp_f32_3 *, enum warp_fresh *);
    int (*request)(db *, const uint64_t *, size_t, struct warp_future **);
    int (*compute)(db *, const uint64_t *, size_t, struct warp_f32_3 *,
                   struct warp_run_info *);
    int (*column)(db *, uint32_t, struct warp_column *);
    int (*summary)(db *, uint64_t, struct warp_summary *);
} calls = {
    k_row_near_peek,   k_row_near_request, k_row_near_compute,
    k_row_best_column, k_row_tags_summary,
};

int main(void)
{
    return calls.peek == NULL;
}
