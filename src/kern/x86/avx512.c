/* avx512.c - kernels for AVX-512 (F, VL, DQ, BW): a tile takes 27 of 32 registers. */
#define KERN_FILL  kern_fill_avx512
#define KERN_ISA   "avx512"
#define KERN_BYTES 64
#define KERN_ROWS  12
#include "kern/variant_impl.h"
