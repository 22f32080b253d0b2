/* breaker.c: see breaker.h. */
#include "breaker.h"

#include <string.h>

#define SECOND_NS INT64_C(1000000000)
enum { WINDOW = 16, BAD_MAX = 3, PAUSE_MAX_S = 60 };

void breaker_init(struct breaker *b, uint64_t chance)
{
    memset(b, 0, sizeof *b);
    b->chance = chance | 1;
}

static void open_it(struct breaker *b, int64_t now_ns)
{
    b->pause_ns = b->pause_ns == 0 ? SECOND_NS : b->pause_ns * 2;
    if (b->pause_ns > PAUSE_MAX_S * SECOND_NS)
        b->pause_ns = PAUSE_MAX_S * SECOND_NS;
    b->chance ^= b->chance << 13;
    b->chance ^= b->chance >> 7;
    b->chance ^= b->chance << 17;
    /* Breakers that opened together must not all ask together. */
    int64_t jitter = (int64_t)(b->chance % (uint64_t)(b->pause_ns / 2));
    b->until_ns = now_ns + b->pause_ns * 3 / 4 + jitter;
    b->state = BREAKER_OPEN;
    b->shadow = false;
    b->last = 0;
}

enum breaker_pass breaker_ask(struct breaker *b, int64_t now_ns)
{
    if (b->state == BREAKER_OPEN && now_ns >= b->until_ns)
        b->state = BREAKER_HALF_OPEN;
    if (b->state == BREAKER_CLOSED)
        return BREAKER_YES;
    if (b->state == BREAKER_OPEN || b->shadow)
        return BREAKER_NO;
    b->shadow = true;
    return BREAKER_SHADOW;
}

void breaker_good(struct breaker *b)
{
    if (b->state == BREAKER_HALF_OPEN) {
        b->state = BREAKER_CLOSED;
        b->pause_ns = 0;
        b->last = 0;
        b->shadow = false;
        return;
    }
    b->last = (b->last << 1) & ((1u << WINDOW) - 1);
}

void breaker_bad(struct breaker *b, int64_t now_ns, bool severe)
{
    if (b->state == BREAKER_OPEN)
        return;
    b->last = (b->last << 1 | 1) & ((1u << WINDOW) - 1);
    if (severe || b->state == BREAKER_HALF_OPEN ||
        __builtin_popcount(b->last) >= BAD_MAX)
        open_it(b, now_ns);
}
