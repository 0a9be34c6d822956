/* table.c - start from plain C, let the CPU family improve on it. */
#include "kern/arch.h"

void kern_table_init(kern_table *t, int mask)
{
    kern_fill_c(t);
    kern_arch_init(t, mask);
}
