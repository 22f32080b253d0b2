/* A store under a clock of its own, for tests of values that move. */
#ifndef MOVE_SCENE_H
#define MOVE_SCENE_H

#include <check.h>
#include <stdatomic.h>

#include "db.h"
#include "text.h"

enum { HOUR = 3600000, DAY = 24 * HOUR };

extern char move_dir[64];
extern struct warp_db *db; /* NULL: closed */
extern _Atomic int64_t clock_ms;
extern char text[2000];
extern uint32_t move_reads_max; /* options.prefetch_reads_max of an open */

/* Says which schema the store has; for each test. */
void move_begin(const struct warp_schema *schema);
void move_end(void);
void open_it(void);
void close_it(void);

/* The text of a record's version, in `text`, and how much of it. */
void fill(uint64_t id, uint64_t version);
uint32_t body_bytes(uint64_t id);

/* Steps until nothing is due, beside those that the keeper takes. */
void run_steps(void);
uint64_t disk_live(void);
/* Is this value outside the row of a u64's record in memory, and the record? No
 * field (56): the record. It counts as no use. */
bool resident(const struct warp_product *product, uint64_t id, uint32_t field);
/* Whatever may leave memory does. */
void evict_all(void);
/* verify finds nothing; the store is closed. */
void must_be_sound(void);
/* What explain says of a field of a u64's record of product 0. */
void explain(uint64_t id, uint32_t field, struct text *t);
/* A child that does `work` over and over is killed a while after it opened the
 * store, `rounds` times; `check` looks at each store that is left. */
void killed_again_and_again(int rounds, uint64_t seed, void (*work)(uint64_t n),
                            void (*check)(void));

#endif
