/* baseline.c - kernels for any CPU of the platform, with vectors of 16 bytes. A compiler turns
 * them into SSE2 or NEON, or into plain scalar code. KERN_ROWS comes from the build: it depends
 * on how many registers there are. */
#define KERN_FILL  kern_fill_c
#define KERN_ISA   "c"
#define KERN_BYTES 16
#include "kern/variant_impl.h"
