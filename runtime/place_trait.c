/* place_trait.c: what one more use does to a trait; integers and a table, as
 * every request pays for it. */
#include "place_cache.h"

/* 256 * 2^(-i / 8) */
static const uint8_t fading[64] = {
    255, 235, 215, 197, 181, 166, 152, 140, 128, 117, 108, 99, 91, 83, 76, 70,
    64,  59,  54,  49,  45,  41,  38,  35,  32,  29,  27,  25, 23, 21, 19, 17,
    16,  15,  13,  12,  11,  10,  10,  9,   8,   7,   7,   6,  6,  5,  5,  4,
    4,   4,   3,   3,   3,   3,   2,   2,   2,   2,   2,   2,  1,  1,  1,  1};

/* How busy it has been lately, of 255; halves in 2^life requests. */
static uint8_t busy(uint8_t before, uint32_t gap, unsigned life)
{
    uint64_t eighths = (uint64_t)gap * 8 >> life;
    unsigned n = eighths < 64 ? (unsigned)(before * fading[eighths]) >> 8 : 0;
    return (uint8_t)(n + ((255 - n) >> 3));
}

enum { FAST_LIFE = 10, SLOW_LIFE = 16 };

void place_trait_touch(struct place_trait *t, uint32_t now)
{
    if (t->seen) {
        uint32_t gap = now - t->last;
        uint8_t log = place_log(gap);
        t->gap[2] = t->gap[1];
        t->gap[1] = t->gap[0];
        t->gap[0] = log > 0 ? log : 1;
        t->fast = busy(t->fast, gap, FAST_LIFE);
        t->slow = busy(t->slow, gap, SLOW_LIFE);
        t->count = (uint8_t)(t->count + (t->count < UINT8_MAX));
    } else {
        t->fast = t->slow = busy(0, 0, FAST_LIFE);
        t->count = 1;
        t->seen = 1;
    }
    t->sampled = 0;
    t->last = now;
}
