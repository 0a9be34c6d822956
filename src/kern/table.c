/* table.c - start from plain C, let the CPU family improve on it. */
#include "kern/arch.h"

void kern_table_init(kern_table *t, int mask)
{
    kern_fill_c(t);
    kern_arch_init(t, mask);
}

bool kern_table_use_int16(kern_table *t)
{
    if (!t->int16.gemm)
        return false;
    t->packed_size = t->int16.packed_size;
    t->pack = t->int16.pack;
    t->pack_part = t->int16.pack_part;
    t->gemm = t->int16.gemm;
    return true;
}
