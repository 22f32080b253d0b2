/* place_search.h: better settings of the experts, looked for while they run.
 *
 * Beside the shadow of each expert a few more mini-caches replay the same
 * sampled requests, each an expert with one setting changed, from the state
 * that its shadow had when the trial began. One that costs clearly less takes
 * its shadow's place; the next trial tries something else. */
#ifndef WARP_PLACE_SEARCH_H
#define WARP_PLACE_SEARCH_H

#include "place_cache.h"

enum { SEARCH_TRIALS = 2 };

struct place_trial {
    struct place_cache cache;
    enum place_expert_id expert;
    /* What the shadow paid, the trial less, and squares of that. */
    double paid, gain, squares;
    uint64_t requests;
    bool running, of_price;
};

struct place_search {
    struct place_trial trials[SEARCH_TRIALS];
    uint32_t next;  /* of all that may be tried */
    bool resting;   /* no trial begins */
    uint64_t tried, adopted;
    enum place_expert_id last; /* that got another setting */
    double last_gain;          /* of what it had paid */
};

/* The shadows that are compared with, and what a request was worth. */
struct place_search_view {
    struct place_cache *shadows; /* PLACE_EXPERTS */
    enum place_expert_id deciding;
    uint32_t objects, room; /* that a shadow, that the links have room for */
    double usual;   /* what a hit saves, on average */
};

/** room: as of the shadows' links. -1: no memory. */
int place_search_init(struct place_search *search, uint32_t room);
void place_search_fini(struct place_search *search);
/** One request of the sample, before its trait learns of it, and what it cost
 *  each shadow. */
void place_search_access(struct place_search *search, uint32_t at,
                         uint32_t now, double saves,
                         const double costs[PLACE_EXPERTS]);
/** After some requests: adopts, gives up, begins. True: a shadow has another
 *  setting. */
bool place_search_judge(struct place_search *search,
                        const struct place_search_view *view);
unsigned place_search_running(const struct place_search *search);
/** Trials are given up; what was adopted stays. */
void place_search_stop(struct place_search *search);

#endif
