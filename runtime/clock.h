/* clock.h: the store's clock: max(wall clock, high-water mark), in ms.
 *
 * It never goes backward, across restarts too. A wall clock that jumps ahead of
 * the boot clock by more than max_step_ms while the store is open is not
 * followed: time goes on by the boot clock, and physical deletes pause, until
 * clock_accept(). An injected clock is followed wherever it goes forward. */
#ifndef WARP_CLOCK_H
#define WARP_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock;

int clock_open(int64_t (*fn)(void *arg), void *arg, int64_t mark_ms,
               uint32_t max_step_ms, struct clock **clock);
void clock_close(struct clock **clock);
int64_t clock_now(struct clock *clock); /* any thread; ~25 ns */
int64_t clock_mark(const struct clock *clock); /* highest given out */
/* May expired data be removed physically? Not while a jump is unaccepted, nor
 * in the first max_step_ms after an open (wall clocks only). */
bool clock_deletes_allowed(struct clock *clock);
void clock_accept(struct clock *clock);
/* A mark that a wrong clock has raised comes down to the wall clock. */
void clock_reset(struct clock *clock);
bool clock_jumped(const struct clock *clock);

#endif
