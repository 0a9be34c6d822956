/* avx2.c - kernels for AVX2 with FMA: 12 sums, 2 vectors of b and 1 of a fill 15 of 16 registers.
 */
#define KERN_FILL  kern_fill_avx2
#define KERN_ISA   "avx2"
#define KERN_BYTES 32
#define KERN_ROWS  6
#include "kern/variant_impl.h"
