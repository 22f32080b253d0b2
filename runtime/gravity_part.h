/* gravity_part.h: the parts of gravity.h among themselves. */
#ifndef WARP_GRAVITY_PART_H
#define WARP_GRAVITY_PART_H

#include "coaccess.h"
#include "forward.h"
#include "gravity.h"
#include "partner.h"

enum {
    GRAVITY_RING = 1024,     /* notes between two steps */
    GRAVITY_SPOTS = 4096,    /* records that are known */
    GRAVITY_WAYS = 4,
    GRAVITY_STEP_MOVES = 64,
    GRAVITY_STEP_LOOKS = 128,
    GRAVITY_LOOK_MS = 2000,
    GRAVITY_TRIES = 1000,    /* of a record that waits for a checkpoint */
    GRAVITY_HOLD_MS = 60000,
    GRAVITY_LOAD_MIN = 512   /* notes that tell a load */
};

struct gravity_note {
    uint64_t hash;
    uint16_t product, key_bytes;
    uint16_t tries;
    bool placed; /* a field that tells its place was written */
    uint8_t key[COACCESS_KEY_MAX];
};

struct gravity_spot {
    struct gravity_note note;
    uint32_t uses;    /* 0: free */
    int64_t looked_ms; /* boot clock; 0: never */
    int64_t moved_ms; /* INT64_MIN: not known to have been */
    uint8_t why, from;
};

/* Where the positions of a product lie. */
struct gravity_space {
    uint32_t count;
    double mean[3], square[3];
};

struct gravity {
    struct os_lock lock; /* of the ring; and of the spots, for who is not the
                            keeper, which alone changes them, with it held */
    uint32_t count;
    struct gravity_note ring[GRAVITY_RING];
    struct gravity_spot spots[GRAVITY_SPOTS];
    _Atomic uint32_t noted[256]; /* uses by shard since the last window */
    /* the keeper's own */
    uint32_t moves, taken;       /* of this step */
    struct gravity_note notes[GRAVITY_STEP_LOOKS];
    uint32_t load[256], load_all;
    int64_t window_ms;
    _Atomic double entropy;      /* 1 while nothing is known */
    bool spreading;
    struct partner_set partners;
    struct gravity_space space[];
};

/* gravity_score.c: where a record belongs; its own shard where nothing draws
 * it, or where it went meanwhile. */
uint32_t gravity_target(struct warp_db *db, const struct layout *l,
                        const struct key_ref *key, uint32_t now,
                        enum gravity_why *why);
/* gravity_spread.c */
void gravity_spread(struct warp_db *db);
/* gravity.c: moves it, and remembers why. WARP_EBUSY: later. */
int gravity_move(struct warp_db *db, const struct layout *l,
                 const struct key_ref *key, uint32_t to, enum gravity_why why);
static inline struct key_ref gravity_key(const struct warp_db *db,
                                         const struct gravity_note *n)
{
    return (struct key_ref){n->key, n->key_bytes, db->layouts[n->product],
                            n->hash};
}

#endif
