/* client.h: one user of the store: his operations, what was acknowledged, and
 * what may be there after the process has died. */
#ifndef SIM_CLIENT_H
#define SIM_CLIENT_H

#include "../unit/store_model.h"
#include "history.h"

enum { CLIENTS_MAX = 3, OPS_MAX = 1024 };

struct client {
    uint32_t number; /* in its store */
    bool alone;
    struct world *base, *now, *next, *other;
    struct world *kept; /* what the backup holds of it (errand.c) */
    struct world *then; /* and at the time that was noted */
    /* What was done again at an open, if that is known and durable. */
    struct world *redone;
    bool is_redone;
    /* Operations after `base_op` were done in this life, up to `acked` with an
     * answer, `started` without. What was promised to survive a power loss
     * ends with `floor`. */
    uint64_t base_op, acked, started, floor;
    uint64_t began_at[OPS_MAX], acked_at[OPS_MAX]; /* by op - base_op */
    bool refused[OPS_MAX]; /* for lack of space: nothing was done */
    struct client_range {
        uint64_t low, high;
    } done, begun, noted; /* where a backup may stand: acknowledged, or not; and
                             where the log was when its place was noted */
    uint64_t low, high; /* what may have been found at the open */
    struct model_op op;
    struct model_run run;
    struct versions *versions; /* versions.h */
    uint64_t ops_left;
    uint32_t late; /* refused one after the other, although there is room */
    bool ended;    /* something was refused for a fault: no more in this life */
    bool closes;   /* it asked for a clean end */
};

void client_init(struct client *c, uint64_t seed, uint32_t number, bool alone);
/* Finds which of the possible worlds the store holds, and goes on from it;
 * false: a fault came between. power: what was not promised may lack. */
bool client_settle(struct client *c, struct warp_db *db, int64_t now,
                   bool power);
/* Looks for the first of the worlds of `range` that a store shows, and keeps it
 * in `kept`; known: what is there already is one more. */
bool client_find(struct client *c, struct warp_db *db, int64_t now,
                 const struct client_range *range, bool known);
/* Says what differs from each of these worlds. */
void client_differs(struct client *c, int64_t now, uint64_t first,
                    uint64_t last);
/* After all have settled: no cause may lack where its effect is. */
void client_check_order(const struct client *clients, uint32_t count);
/* Operations until it has done all or something was refused. */
void client_work(struct client *c, struct client *all, uint32_t count);
/* All that was acknowledged before `stamp` is promised now. */
void client_promise(struct client *all, uint32_t count, uint64_t stamp);

/* history.c */
bool history_durable(void);   /* commits survive a power loss by default */
uint32_t history_pause(void); /* a user waits between two operations: 1 in n */
uint64_t history_stamp(void); /* a number that grows */
void history_op(void);        /* an operation begins */
bool history_skips(uint64_t op);
void history_set_clock(int64_t now);
bool history_forgives(int code); /* a fault explains this answer */
/* The schema (schemas.h) of the life that made the operations, or the one with
 * which the store is open. */
uint32_t history_schema(bool before);
/* The model's products are those of this schema; gives the one before. */
uint32_t history_use(uint32_t schema);
/* THING_EXTRA was taken away from the store, or is there as it was. */
bool history_drops(void);

#endif
