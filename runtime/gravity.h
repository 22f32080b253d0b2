/* gravity.h: which records move to another shard, and when.
 *
 * A use of a record that may be drawn (layout.drawn) is noted now and then: in
 * a ring, and in the load of its shard. The keeper looks at what was noted:
 *
 * - A value of :spacetime_shard_hint names the shard: a number modulo their
 *   count, anything else by its hash. Nothing else counts then.
 * - Else each shard s has a pull. Every partner p there that is heavier than
 *   the record (of equal ones the one with the smaller hash counts as such)
 *   adds m_p w_p / sqrt(r^2 + 1): w_p is the affinity (1 for a declared group,
 *   else what was learned, from 0.3 on), r the distance of their :position
 *   values. A position adds m / sqrt(r_s^2 + eps^2), r_s being the distance
 *   from the shard's place on the unit circle (compute.c) if the spread of all
 *   positions is 1. The score is pull(s) - lambda max(pull) load(s) / capacity:
 *   not separable, so that a full shard draws less. It moves when the best
 *   score is better than that of its shard by a quarter of the largest pull. So
 *   light records follow heavy ones, and batches over them stay in one shard.
 * - H = -sum p log2 p / log2 N of the load over shards: below 0.90 the hottest
 *   records of the fullest shard go to the emptiest, as long as that makes them
 *   more even, until H is 0.95.
 *
 * Bounds: 64 moves and 128 looks a step, a look at a record every 2 s, a move
 * of it every minute of the store's clock; none while memory or the log is
 * short; forwards take a sixteenth of memory at most. */
#ifndef WARP_GRAVITY_H
#define WARP_GRAVITY_H

#include "db.h"

enum gravity_why {
    GRAVITY_NONE,
    GRAVITY_HINT,
    GRAVITY_PULL,
    GRAVITY_POSITION,
    GRAVITY_SPREAD
};

/* Only if a product is drawn and the store is writable: db->gravity. */
int gravity_open(struct warp_db *db);
void gravity_close(struct warp_db *db);

/* One of GRAVITY_SAMPLE, in no step with a loop of the caller's. Part of each
 * get and each commit: no call for the thread's own number. */
enum { GRAVITY_SAMPLE = 32 };
extern _Thread_local uint32_t gravity_chance
    __attribute__((tls_model("initial-exec")));
static inline bool gravity_samples(void)
{
    gravity_chance = gravity_chance * 1664525u + 1013904223u;
    return gravity_chance < UINT32_MAX / GRAVITY_SAMPLE;
}

/* A use of a record that is drawn; may be lost. */
void gravity_note_use(struct warp_db *db, const struct layout *l,
                      const struct key_ref *key);
static inline void gravity_used(struct warp_db *db, const struct layout *l,
                                const struct key_ref *key)
{
    if (db->gravity && gravity_samples())
        gravity_note_use(db, l, key);
}

/* Ops that were committed together. */
void gravity_wrote(struct warp_db *db, struct op *const *ops, uint32_t count);
/* One alone. */
void gravity_note_op(struct warp_db *db, const struct op *op, bool placed);
static inline void gravity_wrote_one(struct warp_db *db, const struct op *op)
{
    const struct layout *l = op->layout;
    if (!db->gravity)
        return;
    bool placed = ((op->set | op->memory) &
                   (op->flags & OP_FLOOR ? l->places : l->hint)) != 0;
    if (placed || gravity_samples())
        gravity_note_op(db, op, placed);
}

/* A step of the keeper. true: there is more to do soon. */
bool gravity_step(struct warp_db *db);

struct gravity_view {
    enum gravity_why why; /* of the last move */
    uint32_t from;
    int64_t at_ms;
};
void gravity_view(struct warp_db *db, uint64_t hash,
                  struct gravity_view *view);
void gravity_stat(struct warp_db *db, struct warp_stat *stat);

#endif
