/* isa.c: which instruction sets this processor and its system run. */
#include "verify.h"

bool kernel_has_base(void)
{
    return true;
}

#if KERNEL_X86
bool kernel_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool kernel_has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}
#endif
