/* replace_part.h: shared by replace.c and replace_*.c. */
#ifndef WARP_REPLACE_PART_H
#define WARP_REPLACE_PART_H

#include "place_cache.h"
#include "place_map.h"
#include "replace.h"

enum {
    REPLACE_RING = 512,
    REPLACE_LEAVING_MOST = 1 << 16,
    REPLACE_AGES = (1 << 27) - 1 /* of tenths of seconds: 155 days */
};

/* Of one stripe: its threads write at `head`, the engines read at `tail`. */
struct replace_ring {
    _Alignas(64) _Atomic uint32_t head;
    _Atomic uint32_t tail_seen; /* by the writers: it is at least there */
    _Alignas(64) _Atomic uint32_t tail;
    _Alignas(64) struct {
        _Atomic uint64_t hash, word;
    } uses[REPLACE_RING];
};

struct replace_domain {
    struct replace *replace;
    struct pool *pools[2];
    uint8_t priority, arm;
    bool learning;
    struct place *place; /* NULL: nothing was used yet */
    struct place_map map;
    double miss_ns;    /* mean of its products */
    uint64_t settings; /* that the log has told of */
};

struct replace_count { /* of a product */
    uint64_t hits, misses;
    double hit_ns, miss_ns, from_ns[REPLACE_FROMS];
};

void replace_count_use(struct replace_count *count,
                       const struct replace_use *use, bool held);

/* ---- A/B (replace_ab.c) ---- */
enum { REPLACE_DECISIONS = 4096, REPLACE_PARTS = 16, REPLACE_EXPLORE = 128 };

struct replace_arm {
    char name[12];
    bool learning, lru;
    struct replace_count count;
    uint64_t decisions, returned, explored, explored_returned;
    uint64_t part_gets[REPLACE_PARTS], part_misses[REPLACE_PARTS];
};
struct replace_ab {
    struct replace_arm arms[2];
    uint64_t random, made; /* decisions so far */
    bool exploring;        /* the one that is being made is by chance */
    struct replace_decision decisions[REPLACE_DECISIONS];
};
static inline uint8_t replace_arm_of(uint64_t hash)
{
    return (uint8_t)(hash * UINT64_C(0xd1b54a32d192ed03) >> 63);
}
/* "learned,s3fifo"; WARP_EINVAL with the text. */
int replace_ab_open(const char *names, struct replace_ab **ab);
/* An object of its domain was used; before the engine hears of it. */
void replace_ab_use(struct replace_domain *d, const struct replace_use *use,
                    struct place_entry *entry, bool held);
/* The domain's engine has let go of it. */
void replace_ab_decision(struct replace_domain *d, struct place_entry *entry);

struct replace_queue {
    uint64_t *hashes;
    uint32_t count, room;
};

struct replace {
    struct warp_db *db;
    struct replace_ring *rings; /* DB_STRIPES, reserved */
    _Atomic uint64_t ringing;   /* stripes that were written to */
    _Atomic uint32_t leaving;   /* hashes in all queues */
    _Atomic uint32_t strays, lost;
    struct os_lock lock;
    uint32_t now_ds; /* tenths of seconds since the open, coarse */
    int64_t began_ms;
    uint64_t budget_bytes; /* what all engines may hold */
    uint64_t charged;      /* of the store's budget */
    uint32_t domain_count;
    struct replace_ab *ab; /* NULL: one strategy; else two halves of domains */
    struct replace_fixed fixed;
    struct replace_queue *queues; /* by shard */
    struct replace_count *counts; /* by product */
    struct replace_domain domains[];
};

/* Under the lock: the engines learn what was noted. */
void replace_learn(struct replace *p);

static inline struct replace_domain *
replace_domain_of(struct replace *p, const struct layout *l, uint64_t hash)
{
    uint32_t other = p->ab && replace_arm_of(hash) ? p->domain_count / 2 : 0;
    return &p->domains[l->domain + other];
}

#endif
