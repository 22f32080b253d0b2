/* gravity_spread.c: the entropy of the load over shards, and rebalancing where
 * it is low; see gravity.h. */
#include "gravity_part.h"

#include "kernels.h"
#include "text.h"

#include <stdio.h>

#define ENTROPY_LOW  0.90 /* below, rebalancing begins */
#define ENTROPY_GOOD 0.95 /* and there it ends */

enum {
    WINDOW_MS = 1000,
    WINDOW_NOTES = 4096, /* as many end a window, too */
    SPREAD_MOVES = 32    /* of a window */
};

static double entropy_of(const uint32_t *counts, uint32_t n)
{
    uint32_t offsets[2] = {0, n}, copy[256];
    float share = 0;
    memcpy(copy, counts, n * sizeof *copy);
    struct kernel_job job = {.kernel = &kernel_entropy,
                             .p = {.rows = 1,
                                   .items = n,
                                   .mode = ENTROPY_NORMALISED},
                             .arg = {offsets, copy, &share}};
    kernel_entropy.run(&job);
    return (double)share;
}

/* A window ends: what was before counts half. */
static bool end_window(struct warp_db *db, struct gravity *g)
{
    uint32_t fresh = 0, n = db->shard_count;
    int64_t now = os_boot_ms();
    for (uint32_t i = 0; i < n; i++)
        fresh += atomic_load_explicit(&g->noted[i], memory_order_relaxed);
    if (fresh < GRAVITY_LOAD_MIN ||
        (fresh < WINDOW_NOTES && now - g->window_ms < WINDOW_MS))
        return false;
    g->window_ms = now;
    g->load_all = 0;
    for (uint32_t i = 0; i < n; i++) {
        g->load[i] = g->load[i] / 2 +
                     atomic_exchange_explicit(&g->noted[i], 0,
                                              memory_order_relaxed);
        g->load_all += g->load[i];
    }
    atomic_store(&g->entropy, entropy_of(g->load, n));
    return true;
}

/* The hottest record that is in `full`, may move, and whose uses even out the
 * two; a copy. No lock: the keeper alone changes spots. */
static bool find_hot(struct warp_db *db, uint32_t full, uint32_t gap,
                     struct gravity_spot *hot)
{
    struct gravity *g = db->gravity;
    hot->uses = 0;
    for (uint32_t i = 0; i < GRAVITY_SPOTS; i++) {
        struct gravity_spot *s = &g->spots[i];
        if (s->uses <= hot->uses || s->uses > gap / 2 || s->uses < 2 ||
            s->moved_ms != INT64_MIN)
            continue;
        const struct layout *l = db->layouts[s->note.product];
        struct key_ref key = gravity_key(db, &s->note);
        if (l->role[WARP_PHYSICS_SHARD_HINT] == LAYOUT_NO_ROLE &&
            forward_shard(db, l, &key)->number == full)
            *hot = *s;
    }
    return hot->uses > 0;
}

/* Uses that are long ago count for less. */
static void cool(struct gravity *g)
{
    os_lock(&g->lock);
    for (uint32_t i = 0; i < GRAVITY_SPOTS; i++)
        if (g->spots[i].uses > 1)
            g->spots[i].uses /= 2;
    os_unlock(&g->lock);
}

static bool move_one(struct warp_db *db, uint32_t *full, uint32_t *empty)
{
    struct gravity *g = db->gravity;
    struct gravity_spot hot;
    *full = *empty = 0;
    for (uint32_t i = 1; i < db->shard_count; i++) {
        *full = g->load[i] > g->load[*full] ? i : *full;
        *empty = g->load[i] < g->load[*empty] ? i : *empty;
    }
    if (!find_hot(db, *full, g->load[*full] - g->load[*empty], &hot))
        return false;
    struct key_ref key = gravity_key(db, &hot.note);
    const struct layout *l = db->layouts[hot.note.product];
    if (gravity_move(db, l, &key, *empty, GRAVITY_SPREAD) != WARP_OK)
        return false;
    g->load[*full] -= hot.uses;
    g->load[*empty] += hot.uses;
    return true;
}

static void list(char *text, size_t room, const bool *shards, uint32_t n)
{
    size_t at = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < n && at + 8 < room; i++)
        if (shards[i])
            at += (size_t)snprintf(text + at, room - at, " %u", i);
}

static void even_out(struct warp_db *db)
{
    struct gravity *g = db->gravity;
    bool from[256] = {false}, to[256] = {false};
    uint32_t moves = 0, full, empty;
    for (; moves < SPREAD_MOVES && move_one(db, &full, &empty); moves++)
        from[full] = to[empty] = true;
    if (moves == 0)
        return;
    char a[256], b[256], text[700];
    list(a, sizeof a, from, db->shard_count);
    list(b, sizeof b, to, db->shard_count);
    text_format(text, sizeof text,
                "the load of the shards is uneven, its entropy %.3f: %u keys "
                "move from shard%s to%s; %.3f is expected",
                g->entropy, moves, a, b,
                entropy_of(g->load, db->shard_count));
    db_log(db, WARP_LOG_INFO, WARP_OK, text);
}

void gravity_spread(struct warp_db *db)
{
    struct gravity *g = db->gravity;
    if (!end_window(db, g))
        return;
    g->spreading = g->entropy < (g->spreading ? ENTROPY_GOOD : ENTROPY_LOW);
    if (g->spreading)
        even_out(db);
    cool(g);
}
