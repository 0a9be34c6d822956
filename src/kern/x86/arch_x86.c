/* arch_x86.c - kernels for x86-64, from the oldest instruction set to the newest. */
#include "kern/arch.h"

static bool cpu_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool cpu_has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}

void kern_arch_init(kern_table *t, int mask)
{
    if (mask & KERN_ISA_AVX512 && cpu_has_avx2() && cpu_has_avx512())
        kern_fill_avx512(t);
    else if (mask & (KERN_ISA_AVX2 | KERN_ISA_AVX512) && cpu_has_avx2())
        kern_fill_avx2(t);
}
