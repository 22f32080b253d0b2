/* loops.h: the loops of loops.c, which is compiled once for each instruction
 * set; KERNEL_ISA is the set's name then. */
#ifndef KERNEL_LOOPS_H
#define KERNEL_LOOPS_H

#include "kernels.h"

struct kernel_loops {
    const char *name;
    void (*gravity)(const struct kernel_job *job);
    void (*entropy)(const struct kernel_job *job);
    void (*evolve)(const struct kernel_job *job);
    void (*thermo)(const struct kernel_job *job);
};

extern const struct kernel_loops kernel_loops_base, kernel_loops_avx2,
    kernel_loops_avx512;

#endif
