/* arch_x86.c - kernels for x86-64, from the oldest instruction set to the newest. */
#include "kern/arch.h"

void kern_arch_init(kern_table *t, int mask)
{
    (void)t;
    (void)mask;
}
