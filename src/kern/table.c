/* table.c - start from plain C, let the CPU family improve on it. */
#include "kern/arch.h"

void kern_table_init(kern_table *t, int mask)
{
    *t = (kern_table){ .isa = "c" };
    kern_arch_init(t, mask);
}
