/* replace.h: who leaves memory when the budget is near.
 *
 * What may leave is run by engines of place.h, one for each domain: what counts
 * against the same pools, has the same priority and learns or does not. Uses go
 * to a ring of the calling thread's stripe; who brings something in, the keeper
 * and who needs memory take them out, under one lock that comes after a
 * shard's. The engines say who goes, and nothing here touches a record: evict.c
 * carries it out, as the tiers allow. Before the budget is in sight (three
 * quarters of it) there is no engine and nothing is noted.
 *
 * An object is a record with its values, or those values of a record that may
 * leave alone. Of one that has left, the engine keeps what it knew of it, for
 * three times as many as are in memory. */
#ifndef WARP_REPLACE_H
#define WARP_REPLACE_H

#include "db.h"
#include "place.h"

struct replace;

/* For every layout whose records or values may leave; nothing is noted yet. */
int replace_open(struct warp_db *db);
void replace_close(struct warp_db *db);
/* The budget is in sight. A checkpoint becomes due: what is dirty until then
 * no engine knows, and it must be able to leave before what is worth more. */
void replace_begin(struct warp_db *db);
static inline bool replace_is_on(const struct warp_db *db)
{
    return atomic_load_explicit(&((struct warp_db *)(uintptr_t)db)->replacing,
                                memory_order_acquire);
}

enum { REPLACE_TOOK = 4095, REPLACE_HEATS = 9 };
enum replace_kind {
    REPLACE_HIT,  /* it was in memory; `bytes` is about what it takes */
    REPLACE_TAKES, /* it is in memory now; it takes `bytes` */
    REPLACE_WRITES, /* it was written: it stays until replace_clean */
    REPLACE_GONE, /* deleted or expired */
    REPLACE_LEFT  /* out of memory by somebody else's decision */
};
/* Where what is in memory now was before: what a hit of it saves. */
enum replace_from {
    REPLACE_SSD,
    REPLACE_DISK,
    REPLACE_ARCHIVE,
    REPLACE_FROMS
};
struct replace_use {
    uint64_t hash;
    uint32_t bytes;
    uint8_t kind, from; /* from: of REPLACE_TAKES */
    uint16_t took; /* by the get, in replace_unit_ns; 0: not known */
};
static inline int64_t replace_unit_ns(uint8_t kind, uint8_t from)
{
    return kind == REPLACE_HIT ? 4 : from == REPLACE_ARCHIVE ? 16384 : 64;
}
/* While replace_is_on. Threads: any, with or without shards' locks. Cost: some
 * ns; a hit that finds the ring full is not counted. */
void replace_note(struct warp_db *db, const struct layout *l,
                  struct replace_use use);
static inline uint16_t replace_took(int64_t ns, uint8_t kind, uint8_t from)
{
    int64_t n = ns / replace_unit_ns(kind, from);
    return (uint16_t)(n < 1 ? 1 : n > REPLACE_TOOK ? REPLACE_TOOK : n);
}

/* The engines learn what was noted. */
void replace_drain(struct warp_db *db);
/* Of what the engines let go in this shard: up to `most` hashes; 0: no more. */
uint32_t replace_leaving(struct warp_db *db, uint32_t shard, uint64_t *hashes,
                         uint32_t most);
/* One of these is in another shard than its hash says: it leaves there. */
void replace_leaves_from(struct warp_db *db, uint64_t hash, uint32_t shard);
/* One that was let go stays: it was passed over less than `passes` times since
 * its last use, one counting as none. Others go instead. */
bool replace_keeps(struct warp_db *db, const struct layout *l, uint64_t hash,
                   uint32_t passes);
/* Without a lock: may there be any? */
bool replace_has_leaving(const struct warp_db *db);

enum replace_state {
    REPLACE_UNKNOWN, /* not used since the engine began, or forgotten */
    REPLACE_HELD,
    REPLACE_LET_GO
};
enum replace_state replace_state(struct warp_db *db, const struct layout *l,
                                 uint64_t hash);

/* The tiers have what was written: it may leave. What its engine has let go
 * meanwhile is LET_GO. */
enum replace_state replace_clean(struct warp_db *db, const struct layout *l,
                                 uint64_t hash);

/* Engines let go of `bytes`, if they hold as many: of the pool, or of all
 * (NULL); least priority first, none above `highest`. Returns how many. */
uint64_t replace_shrink(struct warp_db *db, const struct pool *pool,
                        uint8_t highest, uint64_t bytes);
/* What the engines of a priority hold; pinned: of it, what no tier has yet. */
struct replace_held {
    uint64_t used_bytes, pinned_bytes;
};
struct replace_held replace_held(struct warp_db *db, uint8_t priority);
/* So much more may be in memory, or less, where room is negative: capacities
 * follow, the highest priority first. */
void replace_balance(struct warp_db *db, int64_t room);

/* Records may be in memory that no engine holds: bumped with each reason. */
uint32_t replace_strays(const struct warp_db *db);
void replace_stray(struct warp_db *db);

/* ---- for people ---- */
struct replace_stat {
    const char *expert;
    uint64_t hits, misses, admissions, evictions, switches, fallbacks, lost;
    uint64_t capacity_bytes, used_bytes, state_bytes, objects;
    uint64_t product_hits, product_misses; /* of this product */
    double hit_ns, miss_ns; /* measured means of its gets; 0: unknown */
    double from_ns[REPLACE_FROMS]; /* of those misses; 0: none yet */
    struct place_stat place; /* settings, and how they were found */
};
/* Of the engine that has a product. False: it has none. */
bool replace_stat(struct warp_db *db, const struct layout *l,
                  struct replace_stat *stat);
/* What is known of a product's objects by how often they were used: heat[k] of
 * those with 2^k uses and more. Walks over all, in steps. */
struct replace_heat {
    uint64_t objects, bytes, in_memory, memory_bytes;
};
void replace_heat(struct warp_db *db, const struct layout *l,
                  struct replace_heat heat[REPLACE_HEATS]);
struct replace_view {
    struct place_view place;
    uint64_t moved_ms_ago;
    uint32_t hits; /* since it was moved */
    bool known;
};
bool replace_view(struct warp_db *db, const struct layout *l, uint64_t hash,
                  struct replace_view *view);

/* A/B: options.placement_ab. */
struct replace_decision {
    uint64_t hash;
    uint64_t at_get;   /* gets of its arm until then */
    uint64_t returned; /* gets until it was asked for again; 0: not yet */
    float propensity;  /* with which it was chosen to leave */
    uint8_t arm;
    bool explored; /* by chance, not by the strategy */
};
struct replace_ab_stat {
    const char *name;
    uint64_t gets, misses, decisions, returned, explored, explored_returned;
    uint64_t capacity_bytes, used_bytes;
    double hit_ns, miss_ns;
    double deviation; /* of the miss ratio, by parts of the keys */
};
/* False: no A/B runs. */
bool replace_ab_stat(struct warp_db *db, struct replace_ab_stat arms[2]);
/* The last decisions, oldest first; `room` of them at most. */
uint32_t replace_ab_log(struct warp_db *db, struct replace_decision *to,
                        uint32_t room);

/* Is this thread's ring of uses more than half full, or must all be learned at
 * once (replace_fix)? */
bool replace_is_behind(struct warp_db *db);

/* For tests and comparisons, before the first use: a fixed capacity, a seed,
 * plain LRU. Zero: as usual. */
struct replace_fixed {
    uint64_t capacity_bytes, seed;
    uint32_t sample;
    bool lru;
    double from_ns[REPLACE_FROMS]; /* instead of what was measured */
};
void replace_fix(struct warp_db *db, const struct replace_fixed *fixed);

#endif
