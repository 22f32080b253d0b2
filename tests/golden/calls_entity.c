/* The calls that language.md lists have these very types, whatever lines the
 * header is made of: a pointer to each. Linked: each is defined. */
#include "schema.warp.h"

#include <stddef.h>

typedef struct game_entity entity;
typedef struct warp_db db;
typedef struct warp_batch batch;
typedef struct warp_iter iter;

static const struct {
    int (*put)(db *, const entity *, uint64_t);
    int (*get)(db *, uint64_t, uint64_t, entity *, struct warp_arena *);
    int (*delete)(db *, uint64_t);
    int (*set_pos)(db *, uint64_t, struct game_vec3);
    int (*set_faction)(db *, uint64_t, enum game_faction);
    int (*set_inventory)(db *, uint64_t, struct warp_list);
    int (*set_portrait)(db *, uint64_t, struct warp_str);
    int (*set_shield)(db *, uint64_t, uint32_t);
    int (*add_gold)(db *, uint64_t, int64_t, int64_t *);
    int (*add_shield)(db *, uint64_t, int64_t, uint32_t *);
    int (*touch)(db *, uint64_t, uint64_t);
    int (*expire)(db *, uint64_t, uint64_t, int64_t);
    int (*version)(db *, uint64_t, uint64_t *);
    enum warp_state (*state)(db *, uint64_t, uint64_t);
    int (*prefetch)(db *, const uint64_t *, size_t, uint64_t);
    int (*scan)(db *, const struct game_entity_range *, uint64_t, iter **);
    int (*by_account)(db *, uint64_t, uint64_t, iter **);
    int (*next)(iter *, entity *, struct warp_arena *);
    int (*pos_column)(db *, uint32_t, struct warp_column *);
    int (*append)(db *, uint64_t, int64_t, struct warp_str);
    int (*range)(db *, uint64_t, int64_t, int64_t, iter **);
    int (*range_with)(db *, uint64_t, int64_t, int64_t, uint64_t, iter **);
    int (*range_next)(iter *, int64_t *, struct warp_str *,
                      struct warp_arena *);
    int (*put_in)(batch *, const entity *, uint64_t);
    int (*set_gold_in)(batch *, uint64_t, int64_t);
    int (*add_gold_in)(batch *, uint64_t, int64_t);
    int (*delete_in)(batch *, uint64_t);
    int (*touch_in)(batch *, uint64_t, uint64_t);
    int (*expire_in)(batch *, uint64_t, uint64_t, int64_t);
    int (*append_in)(batch *, uint64_t, int64_t, struct warp_str);
    int (*expect_in)(batch *, uint64_t, uint64_t);
} calls = {
    game_entity_put,
    game_entity_get,
    game_entity_delete,
    game_entity_set_pos,
    game_entity_set_faction,
    game_entity_set_inventory,
    game_entity_set_portrait,
    game_entity_set_shield,
    game_entity_add_gold,
    game_entity_add_shield,
    game_entity_touch,
    game_entity_expire,
    game_entity_version,
    game_entity_state,
    game_entity_prefetch,
    game_entity_scan,
    game_entity_by_account,
    game_entity_next,
    game_entity_pos_column,
    game_entity_combat_log_append,
    game_entity_combat_log_range,
    game_entity_combat_log_range_with,
    game_entity_combat_log_next,
    game_entity_put_in,
    game_entity_set_gold_in,
    game_entity_add_gold_in,
    game_entity_delete_in,
    game_entity_touch_in,
    game_entity_expire_in,
    game_entity_combat_log_append_in,
    game_entity_expect_in,
};

/* Masks are constants, also of the preprocessor. */
#if GAME_ENTITY_HOT != 0x1fe || GAME_ENTITY_BIOGRAPHY != 1 << 11
#error "a mask is not what the schema says"
#endif
static const uint64_t mask = GAME_ENTITY_GOLD | GAME_ENTITY_POS;

int main(void)
{
    const struct game_entity_range range = {
        .from = 1, .to = 2, .has_from = true, .has_to = true, .reverse = true};
    return calls.put == NULL || mask != 0x28 || range.has_prefix;
}
