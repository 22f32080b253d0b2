/* verify.h: whether a row of results is right; see struct kernel. */
#ifndef KERNEL_VERIFY_H
#define KERNEL_VERIFY_H

#include "kernels.h"

const char *verify_gravity(const struct kernel_job *job, uint32_t row);
const char *verify_entropy(const struct kernel_job *job, uint32_t row);
const char *verify_evolve(const struct kernel_job *job, uint32_t row);
const char *verify_thermo(const struct kernel_job *job, uint32_t row);

/* isa.c: what this processor runs. */
#if defined(__x86_64__)
#define KERNEL_X86 1
#else
#define KERNEL_X86 0
#endif
bool kernel_has_base(void);
bool kernel_has_avx2(void);
bool kernel_has_avx512(void);

#endif
