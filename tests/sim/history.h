/* history.h: one seed: a store's life after life, each ended in its own way. */
#ifndef SIM_HISTORY_H
#define SIM_HISTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SKIPS_MAX = 8192 };
/* What a shrunken history leaves out; all zero: the whole of it. */
struct history_cut {
    uint64_t skip[SKIPS_MAX / 64]; /* operations, by number */
    uint64_t upto;                 /* no operation after it; 0: all */
    bool alone;                    /* no switch but where a thread waits */
    bool plain;                    /* no short calls, no page written back */
    /* One thing happens to a small history: its process dies at an event, or a
     * call fails in its second life. */
    bool small;
    uint64_t die_at, salt; /* salt: another power loss */
    bool die_power, die_faulted; /* faulted: soon after the fault */
    int fault; /* of enum sim_fault */
    uint64_t fault_after;
};

/** Runs a seed in this process, which ends with it: exit status 0, or 1 after
 *  a finding was printed. */
_Noreturn void history_run(uint64_t seed, const struct history_cut *cut,
                           bool digest);

struct history_count {
    uint64_t operations, lives, crashes, power_losses, events;
    uint64_t moves, versions; /* records to other shards; versions compared */
    uint64_t faults[8]; /* by enum sim_fault */
};
/** Where the process that runs a seed counts, shared with its parent. */
extern struct history_count *history_count;

/* For the simulated kernel. */
pid_t history_pid(void);   /* another one in each life */
bool history_direct(void); /* O_DIRECT is not refused */
/* The wall clock; false: it is not the store's. */
bool history_wall(int64_t *ms);

/* sim.c, sim_thread.c, wrap_*.c: the ends of a life. */
void sim_seed(uint64_t seed);
void sim_life_begin(void);
void sim_fds_drop(void);
uint32_t sim_fds_open(void);

#endif
