/* chain.h: the states of a backup's directory, and how far the logs that it
 * carries lead from each. Reads only. */
#ifndef WARP_TOOL_CHAIN_H
#define WARP_TOOL_CHAIN_H

#include "../manifest.h"

enum { CHAIN_PATH_BYTES = 4300 };

/* A position is the number of a block of the log: what stands before it is
 * there. */
struct chain_state {
    char dir[CHAIN_PATH_BYTES];
    struct manifest manifest;
    bool whole_only; /* it holds rings: not to be cut */
    /* Restorable: from here to there, by position and by the store's clock. */
    uint64_t first, last;
    int64_t first_ms, last_ms;
};

/* A segment of the log in the form that a state has of it. */
struct chain_log {
    uint64_t number, first, next;
    int64_t clock_ms;
    uint32_t state;
    const struct manifest_file *file;
};

struct chain {
    struct chain_state *states; /* the oldest first */
    uint32_t count;
    struct chain_log *logs;     /* by number, then by length */
    uint32_t log_count;
    uint32_t damaged;           /* earlier states, or logs of them */
};

/* With `earlier` all that a restore to a point needs: what is damaged of an
 * earlier state is left out. Else the newest state alone, without its logs. */
int chain_read(const char *dir, bool earlier, struct chain *chain);
void chain_free(struct chain *chain);

/* The newest state from which a position and a time can be reached; an error
 * that names what can be. */
int chain_find(const struct chain *chain, uint64_t block, int64_t clock_ms,
               uint32_t *state);
/* Calls fn for each segment that leads from a state on, in order, as long as
 * none is missing; a non-zero result ends the walk and is returned. */
int chain_logs(const struct chain *chain, uint32_t state,
               int (*fn)(void *arg, const struct chain_log *log), void *arg);

#endif
