/* place.h: which objects a fast tier keeps, learned while it is used.
 *
 * The owner gives each object a number and tells of every request; the engine
 * says which objects came in and which left. One expert of place_cache.h
 * decides at a time; all of them run beside it on a sample of the objects
 * (place_shadow.h), and another takes over when its misses and moves cost
 * measurably less; so do other settings of theirs (place_search.h). The policy
 * alone is here: no object is moved, no contract is known; what must stay or
 * must not come in is never told of.
 *
 * State is 24 bytes for each number up to the largest, with up to an eighth
 * spare; 3 MiB for shadows until the tier is full, then half of it, however
 * large the tier. */
#ifndef WARP_PLACE_H
#define WARP_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct place;

struct place_options {
    uint64_t capacity_bytes; /* of the tier; at least 1 */
    uint64_t seed;           /* of the sample and of what is left to chance */
    bool learning; /* access_pattern_learning: false: S3-FIFO, nothing else */
    bool lru; /* where nothing is learned: plain LRU, to compare with */
    uint32_t sample; /* objects in the shadows, a power of two; 0: 2^14 */
    uint32_t move_ns; /* of bringing one in: what does not pay for it stays
                         outside, while it learns */
    bool deferred; /* the owner calls place_catch_up, off its path */
    /** Of a clock: settings are looked for in 2 % of the time and one trial.
     *  NULL: always. */
    int64_t (*now_ns)(void);
    /** An object leaves. May be NULL; must not call the engine. */
    void (*evicted)(void *owner, uint32_t object);
    void *owner;
};

struct place_request {
    uint32_t object; /* below 2^28 - 1; numbers should be dense */
    uint32_t bytes;  /* at least 1; 0: as many as the last time */
    uint64_t key;    /* neighbours have near keys; or a hash */
    bool pinned; /* it must stay until place_unpin: it takes of the capacity */
    uint32_t saves_ns; /* of a hit; 0: as much as the last time, at first 1 */
};

/** For options.sample, of a tier of this size. 0: nothing can be learned. */
uint32_t place_sample(uint64_t capacity_bytes);

/** Ownership  the engine is the caller's; `owner` must outlive it.
 *  Errors     NULL: no memory. */
struct place *place_create(const struct place_options *options);
void place_destroy(struct place **place);

/** One request.
 *  Returns  1: it is resident; 0: it is now, and what had to leave was named;
 *           0 too for an object larger than the tier, or that does not pay
 *           for being brought in, which stays outside.
 *  Threads  one at a time.
 *  Cost     a hit some tens of ns; a decision below 1 us; no system call but
 *           for numbers not seen yet. Unless learning is deferred, one in 64
 *           requests pays for what 64 have shown, up to 100 us.
 *  Errors   WARP_ENOMEM  the request changed nothing. */
int place_access(struct place *place, const struct place_request *request);

/** Learns from the requests since the last call; for an owner that has asked
 *  for it. What is over 64 requests of the sample in between is not learned.
 *  Cost     about a us for each of them. */
void place_catch_up(struct place *place);

/** The tier has another size, at least 1 byte: what does not fit leaves. */
void place_resize(struct place *place, uint64_t capacity_bytes);
/** An object of the tier has another size, at least 1: what does not fit
 *  leaves. */
void place_size(struct place *place, uint32_t object, uint32_t bytes);
bool place_holds(const struct place *place, uint32_t object);
/** The object is gone for good: deleted or expired. */
void place_drop(struct place *place, uint32_t object);
/** What its owner knows of a new object, before its second use: it will be used
 *  often (over 0) and skips its trial, or hardly (below 0) and leaves first. */
void place_prior(struct place *place, uint32_t object, int often);
/** What was pinned may leave again. False: it was not pinned. */
bool place_unpin(struct place *place, uint32_t object);
/** One that may leave does so by its owner's choice: named as if an expert had
 *  chosen it. False: it is not in the tier, or pinned. */
bool place_let_go(struct place *place, uint32_t object);
/** One that left is in the tier again, without a use; others make room. False:
 *  it is there, or is larger than the tier. */
bool place_take_back(struct place *place, uint32_t object);
/** The owner has taken it out of the tier; what is known of it stays. */
void place_leave(struct place *place, uint32_t object);
/** At once S3-FIFO, until the shadows have shown something better anew. */
void place_fall_back(struct place *place);

/* One object, for explain. */
struct place_view {
    bool resident, proven; /* proven: past its trial */
    uint32_t bytes, uses;  /* up to 255 */
    uint32_t age, gap;     /* requests since the last use, between the last two
                              (about); 0: none */
    double saves; /* ns of a hit, as the owner said; 1: it has not */
    double wait; /* requests until the next use, as learned; 0: not learned */
};
void place_view(const struct place *place, uint32_t object,
                struct place_view *view);

/** Requests since it was used last. */
uint32_t place_age(const struct place *place, uint32_t object);

struct place_stat {
    const char *expert; /* that decides now */
    uint64_t capacity_bytes, used_bytes, pinned_bytes; /* pinned: of the used */
    uint32_t residents;
    uint64_t hits, misses, admissions, evictions, switches, fallbacks;
    /* Settings (place_search.h) of who decides; how many were tried and taken;
     * whose the last was, and how much less it cost in its trial. */
    uint32_t window, proves, strict;
    uint64_t trials, settings;
    const char *set_expert; /* NULL: none yet */
    double set_gain;
    uint64_t unlearned; /* requests of the sample that came in too fast */
    uint64_t state_bytes; /* all memory of the engine */
};
void place_stat(const struct place *place, struct place_stat *stat);

#endif
