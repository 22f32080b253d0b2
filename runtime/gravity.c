/* gravity.c: uses that are noted, and the keeper's step; see gravity.h. */
#include "gravity_part.h"

#include "clock.h"
#include "error.h"
#include "relocate.h"

#include <stdlib.h>

int gravity_open(struct warp_db *db)
{
    bool drawn = false;
    size_t bytes = sizeof *db->gravity +
                   db->layout_count * sizeof db->gravity->space[0];
    for (uint32_t i = 0; i < db->layout_count; i++)
        drawn = drawn || db->layouts[i]->drawn;
    if (!drawn || db->read_only || db->evolve || db->shard_count < 2)
        return WARP_OK;
    if (budget_take(&db->budget, bytes))
        db->gravity = calloc(1, bytes);
    if (!db->gravity)
        return error_set(WARP_ENOMEM, "no memory for records that move: raise "
                                      "memory_max_bytes");
    db->gravity->entropy = 1;
    return WARP_OK;
}

void gravity_close(struct warp_db *db)
{
    free(db->gravity);
    db->gravity = NULL;
}

/* ---- uses ---- */

_Thread_local uint32_t gravity_chance;

static void note(struct warp_db *db, const struct layout *l,
                 const struct key_ref *key, bool placed)
{
    struct gravity *g = db->gravity;
    if (key->count > COACCESS_KEY_MAX)
        return;
    if (!placed)
        atomic_fetch_add_explicit(
            &g->noted[forward_shard(db, l, key)->number], 1,
            memory_order_relaxed);
    /* A use that cannot be noted at once is lost; a place is told only once. */
    if (placed)
        os_lock(&g->lock);
    else if (!os_trylock(&g->lock))
        return;
    if (g->count < GRAVITY_RING) {
        struct gravity_note *n = &g->ring[g->count++];
        n->hash = key->hash;
        n->product = l->number;
        n->key_bytes = (uint16_t)key->count;
        n->placed = placed;
        n->tries = 0;
        memcpy(n->key, key->bytes, key->count);
    }
    os_unlock(&g->lock);
}

void gravity_note_use(struct warp_db *db, const struct layout *l,
                      const struct key_ref *key)
{
    note(db, l, key, false);
}

void gravity_note_op(struct warp_db *db, const struct op *op, bool placed)
{
    struct key_ref key = op_key_ref(op);
    note(db, op->layout, &key, placed);
}

void gravity_wrote(struct warp_db *db, struct op *const *ops, uint32_t count)
{
    if (!db->gravity)
        return;
    for (uint32_t i = 0; i < count; i++) {
        const struct op *op = ops[i];
        const struct layout *l = op->layout;
        if (!l->drawn || op->expect)
            continue;
        struct key_ref key = op_key_ref(op);
        if (count > 1 && l->learns && db->coaccess)
            (void)coaccess_touch(db->coaccess, l->number, key.hash, key.bytes,
                                 key.count);
        uint64_t tells = op->flags & OP_FLOOR ? l->places : l->hint;
        bool placed = ((op->set | op->memory) & tells) != 0;
        if (placed || gravity_samples())
            note(db, l, &key, placed);
    }
}

/* ---- spots, under the lock ---- */

static struct gravity_spot *set_of(struct gravity *g, uint64_t hash)
{
    return &g->spots[(hash & (GRAVITY_SPOTS / GRAVITY_WAYS - 1)) *
                     GRAVITY_WAYS];
}

static struct gravity_spot *find_spot(struct gravity *g, uint64_t hash)
{
    struct gravity_spot *set = set_of(g, hash);
    for (uint32_t i = 0; i < GRAVITY_WAYS; i++)
        if (set[i].uses > 0 && set[i].note.hash == hash)
            return &set[i];
    return NULL;
}

static struct gravity_spot *spot_for(struct gravity *g,
                                     const struct gravity_note *n)
{
    struct gravity_spot *spot = find_spot(g, n->hash);
    if (spot)
        return spot;
    spot = set_of(g, n->hash);
    for (uint32_t i = 1; i < GRAVITY_WAYS; i++)
        if (set_of(g, n->hash)[i].uses < spot->uses)
            spot = set_of(g, n->hash) + i;
    memset(spot, 0, sizeof *spot);
    spot->note = *n;
    spot->moved_ms = INT64_MIN;
    return spot;
}

void gravity_view(struct warp_db *db, uint64_t hash, struct gravity_view *view)
{
    struct gravity *g = db->gravity;
    *view = (struct gravity_view){GRAVITY_NONE, 0, 0};
    if (!g)
        return;
    os_lock(&g->lock);
    const struct gravity_spot *spot = find_spot(g, hash);
    if (spot && spot->moved_ms != INT64_MIN)
        *view = (struct gravity_view){(enum gravity_why)spot->why, spot->from,
                                      spot->moved_ms};
    os_unlock(&g->lock);
}

/* ---- the step ---- */

static bool is_held(const struct gravity_spot *spot, int64_t now)
{
    return spot->moved_ms != INT64_MIN &&
           now - spot->moved_ms < GRAVITY_HOLD_MS;
}

/* Forwards stay in memory: a sixteenth of it at most. */
static bool has_room(struct warp_db *db, const struct layout *l,
                     const struct key_ref *key)
{
    uint64_t each = heap_block_bytes(sizeof(struct record) + l->row_bytes +
                                     ((key->count + 7) & ~7u));
    return (atomic_load(&db->records_away) + 1) * each < db->memory_max / 16;
}

int gravity_move(struct warp_db *db, const struct layout *l,
                 const struct key_ref *key, uint32_t to, enum gravity_why why)
{
    struct gravity *g = db->gravity;
    int64_t now = clock_now(db->clock);
    uint32_t home = forward_home(db, key)->number;
    uint32_t from = forward_shard(db, l, key)->number;
    os_lock(&g->lock);
    struct gravity_spot *spot = find_spot(g, key->hash);
    bool held = spot && why != GRAVITY_HINT && is_held(spot, now);
    os_unlock(&g->lock);
    if (g->moves >= GRAVITY_STEP_MOVES)
        return WARP_EBUSY;
    if (from == to || held || (to != home && !has_room(db, l, key)))
        return WARP_ELIMIT;
    g->moves++;
    /* From one strange shard to another by its home. */
    int rc = from != home ? relocate(db, l, key, home) : WARP_OK;
    if (rc == WARP_OK && to != home)
        rc = relocate(db, l, key, to);
    if (rc != WARP_OK)
        return rc;
    os_lock(&g->lock);
    spot = find_spot(g, key->hash);
    if (spot) {
        spot->moved_ms = now;
        spot->why = (uint8_t)why;
        spot->from = (uint8_t)from;
    }
    os_unlock(&g->lock);
    return WARP_OK;
}

/* What was noted since the last step, to be looked at: not what was of late,
 * but for places, which wait where there are too many. */
static void take_notes(struct gravity *g)
{
    int64_t now = os_boot_ms();
    uint32_t kept = 0;
    os_lock(&g->lock);
    g->taken = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        struct gravity_note *n = &g->ring[i];
        struct gravity_spot *spot = spot_for(g, n);
        spot->uses += !n->placed;
        spot->uses += spot->uses == 0;
        if (!n->placed && spot->looked_ms != 0 &&
            now - spot->looked_ms < GRAVITY_LOOK_MS)
            continue;
        if (g->taken < GRAVITY_STEP_LOOKS) {
            spot->looked_ms = now;
            g->notes[g->taken++] = *n;
        } else if (n->placed) {
            g->ring[kept++] = *n;
        }
    }
    g->count = kept;
    os_unlock(&g->lock);
}

static bool is_short(struct warp_db *db)
{
    return atomic_load(&db->loading) || atomic_load(&db->stalled) ||
           atomic_load(&db->tight) || atomic_load(&db->health) != WARP_OK ||
           db_memory_used(db) > db->memory_max - db->memory_max / 8;
}

/* WARP_EBUSY: not in this step. */
static int judge(struct warp_db *db, const struct gravity_note *n)
{
    enum gravity_why why = GRAVITY_NONE;
    const struct layout *l = db->layouts[n->product];
    struct key_ref key = gravity_key(db, n);
    if (db->gravity->moves >= GRAVITY_STEP_MOVES)
        return WARP_EBUSY;
    uint32_t now = forward_shard(db, l, &key)->number;
    uint32_t to = gravity_target(db, l, &key, now, &why);
    return to == now ? WARP_OK : gravity_move(db, l, &key, to, why);
}

/* A place is told once, other uses again and again. */
static void keep_note(struct gravity *g, struct gravity_note *n)
{
    os_lock(&g->lock);
    if (n->placed && ++n->tries < GRAVITY_TRIES && g->count < GRAVITY_RING)
        g->ring[g->count++] = *n;
    os_unlock(&g->lock);
}

bool gravity_step(struct warp_db *db)
{
    struct gravity *g = db->gravity;
    if (!g || is_short(db))
        return false;
    take_notes(g);
    g->moves = 0;
    for (uint32_t i = 0; i < g->taken; i++)
        if (judge(db, &g->notes[i]) == WARP_EBUSY)
            keep_note(g, &g->notes[i]);
    gravity_spread(db);
    return g->taken > 0;
}

void gravity_stat(struct warp_db *db, struct warp_stat *stat)
{
    struct gravity *g = db->gravity;
    stat->shard_moves = atomic_load(&db->relocated);
    stat->records_away = atomic_load(&db->records_away);
    stat->shards_entropy_permille =
        g ? (uint64_t)(atomic_load(&g->entropy) * 1000) : 1000;
}
