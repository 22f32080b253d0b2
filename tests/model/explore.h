/* explore.h: every state that a small protocol can reach.
 *
 * A model is a block of bytes, some processes, and a function that lets one of
 * them take its next step. Steps are as small as what another thread can see
 * between (one load, one store, one call); memory is sequentially consistent.
 * All orders of all steps are tried, breadth first, so what is found first has
 * the shortest way to it. Found is: what check() names, a state from which
 * nobody can go on although somebody has not ended (a lost wake-up, a
 * deadlock). */
#ifndef MODEL_EXPLORE_H
#define MODEL_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MISTAKES_MAX = 8 };

struct model {
    const char *name;
    size_t state_bytes;
    uint32_t processes;
    uint32_t choices; /* ways in which a step may go, at most */
    /* What a variant has more than the protocol; 0 is the protocol itself. */
    const char *mistakes[MISTAKES_MAX];
    void (*begin)(void *state);
    /* False: this process cannot go on, or not in this way. */
    bool (*step)(void *state, uint32_t process, uint32_t choice);
    /* What is wrong in it, or NULL. */
    const char *(*check)(const void *state);
    /* Has this process ended, or may it wait for ever? */
    bool (*ended)(const void *state, uint32_t process);
    /* One line of a way that is told. */
    void (*say)(const void *state, uint32_t process, uint32_t choice);
};

extern uint32_t model_mistake; /* the variant that is explored */

/* Explores the protocol, which must be sound, and each mistake, which must be
 * found; the exit status of a test. */
int explore_main(const struct model *model);

#endif
