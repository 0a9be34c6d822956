/* variant_impl.h - all kernels for one instruction set. The file that includes it says which:
 * KERN_FILL (its function), KERN_ISA (its name), KERN_BYTES (of a vector), KERN_ROWS (of a tile
 * of the matrix product: as many as registers allow). */
#include "kern/arch.h"

#include "kern/vector_impl.h"

#include "kern/complex_impl.h"
#include "kern/depthwise_impl.h"
#include "kern/gemm_impl.h"
#include "kern/map_impl.h"

#include "kern/gemm_int16_impl.h"
#include "kern/gru_impl.h"
#include "kern/lstm_impl.h"
#include "kern/multiply_add_impl.h"
#include "kern/norm_impl.h"
#include "kern/oscillator_impl.h"

#include "kern/chirp_impl.h"

void KERN_FILL(kern_table *t)
{
    *t = (kern_table){ .isa = KERN_ISA,
                       .packed_size = packed_size,
                       .pack = pack,
                       .pack_part = pack_part,
                       .gemm = gemm,
                       .exp = map_exp,
                       .tanh = map_tanh,
                       .sigmoid = map_sigmoid,
                       .relu = map_relu,
                       .gelu = map_gelu,
                       .gelu_grad = map_gelu_grad,
                       .glu = glu,
                       .softmax = softmax,
                       .softmax_part = softmax_part,
                       .moments = moments,
                       .affine = affine,
                       .complex_product = complex_product,
                       .lstm_cell = lstm_cell,
                       .gru_cell = gru_cell,
                       .gru_cell_back = gru_cell_back,
                       .depthwise = depthwise,
                       .lanes = LANES,
                       .harmonics = harmonics,
                       .harmonic_weights = harmonic_weights,
                       .chirps = chirps,
                       .chirp_slopes = chirp_slopes,
                       .multiply_adds = multiply_adds };
#ifndef RV_DOUBLE
    t->int16 = (kern_product){ int16_packed_size, int16_pack, int16_pack_part, int16_gemm };
#endif
}
