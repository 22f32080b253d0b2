/* breaker.h: whether a device may be asked, for one device and one kernel.
 *
 * CLOSED lets everything through; 3 bad ones of the last 16, or one severe
 * one, open it. OPEN refuses for 1 s, doubling to 60 s, give or take a
 * quarter; then it is HALF_OPEN: one shadow batch goes through, and only if
 * its results are all right it closes. The caller gives the time. */
#ifndef WARP_BREAKER_H
#define WARP_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };
enum breaker_pass { BREAKER_NO, BREAKER_YES, BREAKER_SHADOW };

struct breaker {
    enum breaker_state state;
    uint32_t last;    /* a bit for each of the last 16; 1: bad */
    int64_t until_ns; /* OPEN ends */
    int64_t pause_ns; /* the last pause, without jitter; 0: none yet */
    uint64_t chance;
    bool shadow; /* one is under way */
};

void breaker_init(struct breaker *b, uint64_t chance);
enum breaker_pass breaker_ask(struct breaker *b, int64_t now_ns);
/* Each batch that was let through has one of these ends. */
void breaker_good(struct breaker *b);
void breaker_bad(struct breaker *b, int64_t now_ns, bool severe);

#endif
