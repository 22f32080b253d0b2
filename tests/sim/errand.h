/* errand.h: what a user has done beside his operations, and what must be true
 * of it: values move to other tiers and records to other shards, backups are
 * made and restored. */
#ifndef SIM_ERRAND_H
#define SIM_ERRAND_H

#include "client.h"

/* Which errands a history has; 0: none. */
enum errand {
    ERRAND_MIGRATE = 1,
    ERRAND_BACKUP = 2,
    ERRAND_CLOCK = 4,
    ERRAND_MOVE = 8 /* records, to any shard */
};

/* Now and then behind an operation of `c`. */
void errand_run(struct client *c, struct client *all, uint32_t count);
/* After the users have settled and before they go on: the backup that there is,
 * or may be, holds what it must, and a store that is made of it does. */
void errand_check(struct client *all, uint32_t count, int64_t now);
/* A store that was closed: verify finds nothing. */
void errand_verify(void);

/* history.c */
uint32_t history_errands(void);
uint64_t history_chance(uint64_t op); /* the same in each run of a seed */
int64_t history_clock_back(void);     /* the clock is set back, to be read */
struct warp_options history_options(void);

/* restore.c: `warp restore BACKUP TARGET`, with --to, if that is not NULL; a
 * code. */
int restore_run(const char *backup, const char *target, const char *to);

#endif
