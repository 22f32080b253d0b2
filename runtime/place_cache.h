/* place_cache.h: one fast tier run by one expert, over state that all share.
 *
 * An object is a number below PLACE_NONE, which the owner gives. Of each there
 * is a trait (16 B: when and how often it was used, the same for every expert)
 * and a link (8 B: where it is in the lists of one cache). The four lists mean
 * the same to all experts, so another expert takes over where the last one
 * stood: a switch moves nothing.
 *
 *   PLACE_NEW        resident, on trial: S3-FIFO's small queue, ARC's T1, the
 *                    resident HIR blocks of LIRS, the learner's window
 *   PLACE_MAIN       resident, proven
 *   PLACE_PAST_NEW   a ghost: was evicted from PLACE_NEW
 *   PLACE_PAST_MAIN  a ghost: was evicted from PLACE_MAIN
 *   PLACE_PINNED     in the tier and must stay: no expert sees it
 *
 * To add an expert: a row in place_experts, a file that fills it. */
#ifndef WARP_PLACE_CACHE_H
#define WARP_PLACE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PLACE_NONE = (1 << 28) - 1 };
enum place_where {
    PLACE_OUT,
    PLACE_NEW,
    PLACE_MAIN,
    PLACE_PAST_NEW,
    PLACE_PAST_MAIN,
    PLACE_PINNED,
    PLACE_LISTS
};

/* Gaps and counts as eighths of a power of two; 0 is "none". */
struct place_trait {
    uint32_t last;  /* tick of the last use */
    uint32_t bytes; /* what it takes in the tier */
    uint8_t gap[3]; /* between the last uses, newest first */
    uint8_t count;  /* uses */
    uint8_t fast, slow; /* how busy it has been, over a short and a long time */
    uint8_t seen : 1;    /* it was used before */
    uint8_t sampled : 1; /* that it was not used again is a lesson already */
    uint8_t saves;       /* ns of a hit, as place_log; 0: 1 */
};

struct place_link {
    uint32_t prev : 28, list : 4;
    uint32_t next : 28, uses : 4; /* uses: since it came in or came around */
};
_Static_assert(sizeof(struct place_trait) + sizeof(struct place_link) == 24,
               "24 bytes of state for each object");

struct place_list {
    uint32_t head, tail; /* head: the newest */
    uint32_t count;
    uint64_t bytes;
};

struct place_model;
struct place_cache;

/* What an expert may be told beside its capacity. */
struct place_setting {
    uint8_t window; /* percent for PLACE_NEW, where the expert has a window */
    uint8_t proves; /* S3-FIFO: uses on trial that prove */
    uint8_t strict; /* quarters of a move that a use pays back at least */
};

struct place_expert {
    const char *name;
    /** The object is resident and was asked for. */
    void (*hit)(struct place_cache *cache, uint32_t at);
    /** It is not: make room and take it in. It fits the whole cache. */
    void (*admit)(struct place_cache *cache, uint32_t at);
    /** One resident leaves, the one that it needs least; there is one. It may
     *  take several calls until bytes are free. */
    void (*evict)(struct place_cache *cache);
    /** Another expert had decided until now; may be NULL. */
    void (*adopt)(struct place_cache *cache);
    /* To begin with; a cache may have others. */
    struct place_setting setting;
};

enum { PLACE_POOL = 8 };

struct place_cache {
    uint64_t capacity, used; /* bytes */
    uint32_t now;            /* tick of the current request */
    struct place_link *links;
    const struct place_trait *traits;
    struct place_list lists[PLACE_LISTS];
    const struct place_expert *expert;
    struct place_setting setting;
    double target;  /* ARC's aim for PLACE_NEW, bytes */
    uint32_t hand;  /* the learner's next candidate in PLACE_MAIN */
    uint32_t pool[PLACE_POOL];
    uint32_t pooled;
    const struct place_model *model; /* the learner's; or NULL */
    /* Waits by something else than the model, for the guards of the learner:
     * chance, the truth, the traits of others. NULL: the model. */
    float (*wait)(void *owner, uint32_t at);
    /* place_price.c; only where moves cost something: */
    uint32_t move_ns; /* of bringing one in; 0: nothing is priced */
    uint32_t came;    /* tick of the last move */
    float between;    /* ticks between two moves */
    uint64_t evictions, admissions;
    void (*evicted)(void *owner, uint32_t at); /* may be NULL */
    void *owner;
};

static inline bool place_is_resident(const struct place_cache *cache,
                                     uint32_t at)
{
    unsigned list = cache->links[at].list;
    return list == PLACE_NEW || list == PLACE_MAIN;
}

static inline const struct place_trait *
place_trait_of(const struct place_cache *cache, uint32_t at)
{
    return &cache->traits[at];
}

/* 8 * log2(x + 1), below 256. */
static inline uint8_t place_log(uint32_t x)
{
    uint64_t y = (uint64_t)x + 1;
    unsigned high = 63u - (unsigned)__builtin_clzll(y);
    unsigned part = (unsigned)(y << 3 >> high) & 7, log = high * 8 + part;
    return (uint8_t)(log < 255 ? log : 255);
}
/** Requests that an object stays after a use, about: as many come in meanwhile
 *  as there are. */
float place_price_stay(const struct place_cache *cache);
/** One came in. */
void place_price_came(struct place_cache *cache);
/** What it will save, less what its room costs, pays for bringing it in. */
bool place_price_pays(const struct place_cache *cache, uint32_t at);
/** The trait learns of a use, after the caches have. */
void place_trait_touch(struct place_trait *trait, uint32_t now);

/** An empty cache. The arrays are the caller's and outlive it; the links have
 *  been through place_link_init. */
void place_cache_init(struct place_cache *cache, uint64_t capacity,
                      struct place_link *links,
                      const struct place_trait *traits,
                      const struct place_expert *expert);
/** One request, of the tick `now` and before the trait of the object learns of
 *  it. True when the object was resident. One that is larger than the cache
 *  stays outside. */
bool place_cache_access(struct place_cache *cache, uint32_t at, uint32_t now);
/** The tier has another size; what does not fit leaves. */
void place_cache_resize(struct place_cache *cache, uint64_t capacity);
/** An object takes another number of bytes, which its trait does not say yet.
 *  The cache may be over its capacity until something is admitted. */
void place_cache_size(struct place_cache *cache, uint32_t at, uint32_t bytes);
/** Another expert goes on with what is resident; of it as much is proven as in
 *  `like`, a cache that the expert has run all along, or NULL. */
void place_cache_adopt(struct place_cache *cache,
                       const struct place_expert *expert,
                       const struct place_cache *like);

/* ---- for experts */

static inline void place_link_init(struct place_link *link)
{
    *link = (struct place_link){.prev = PLACE_NONE, .next = PLACE_NONE};
}

/** Out of its list, wherever it is. */
void place_remove(struct place_cache *cache, uint32_t at);
/** From wherever it is to the head of a list. */
void place_push(struct place_cache *cache, enum place_where where,
                uint32_t at);
/** The same to the tail, as the oldest. */
void place_push_tail(struct place_cache *cache, enum place_where where,
                     uint32_t at);
/** A resident leaves; it is remembered in `ghost` unless that is PLACE_OUT. */
void place_evict(struct place_cache *cache, uint32_t at,
                 enum place_where ghost);
/** The oldest ghosts of a list are forgotten until it has `bytes` at most. */
void place_forget(struct place_cache *cache, enum place_where ghost,
                  uint64_t bytes);
static inline bool place_fits(const struct place_cache *cache, uint32_t bytes)
{
    return cache->used + bytes <= cache->capacity;
}

enum place_expert_id {
    PLACE_LRU,
    PLACE_S3FIFO,
    PLACE_ARC,
    PLACE_LIRS,
    PLACE_LEARN,      /* a window of 10 % for newcomers */
    PLACE_LEARN_BARE, /* of 1 % */
    PLACE_EXPERTS
};
extern const struct place_expert place_experts[PLACE_EXPERTS];

void place_lru_hit(struct place_cache *cache, uint32_t at);
void place_lru_admit(struct place_cache *cache, uint32_t at);
void place_lru_evict(struct place_cache *cache);
void place_s3fifo_hit(struct place_cache *cache, uint32_t at);
void place_s3fifo_admit(struct place_cache *cache, uint32_t at);
void place_s3fifo_evict(struct place_cache *cache);
void place_arc_hit(struct place_cache *cache, uint32_t at);
void place_arc_admit(struct place_cache *cache, uint32_t at);
void place_arc_evict(struct place_cache *cache);
void place_lirs_hit(struct place_cache *cache, uint32_t at);
void place_lirs_admit(struct place_cache *cache, uint32_t at);
void place_lirs_evict(struct place_cache *cache);
void place_lirs_adopt(struct place_cache *cache);
void place_learn_hit(struct place_cache *cache, uint32_t at);
void place_learn_admit(struct place_cache *cache, uint32_t at);
void place_learn_evict(struct place_cache *cache);

#endif
