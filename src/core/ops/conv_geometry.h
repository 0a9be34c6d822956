/* conv_geometry.h - the shape of a convolution over two axes, shared by conv.c and
 * conv_grad.c.
 *
 * x [B,H,W,C] -> y [B,HO,WO,O] with a kernel of [KH,KW] taps: H is time and W frequency.
 * Along time alone on [B,T,C], time is put on W (H = 1), where taps are contiguous. */
#ifndef CORE_OPS_CONV_GEOMETRY_H
#define CORE_OPS_CONV_GEOMETRY_H

#include "core/op.h"
#include "core/ops.h"

typedef struct conv_attr {
    rv_conv_axis time, frequency; /* stride and dilation filled in, never 0 */
    bool both;                    /* the weight has a frequency axis: [O,I,KF,KT] */
} conv_attr;

typedef struct conv_geometry {
    size_t B, H, W, C, HO, WO, O, KH, KW;
    rv_conv_axis h, w;
    /* Element [o,c,kh,kw] of the weight is at o w_o + c w_c + kh w_kh + kw w_kw. */
    size_t w_o, w_c, w_kh, w_kw;
} conv_geometry;

/* Of a convolution of x with weight, result y [B,T',(F',)O]. */
conv_geometry rv_conv_geometry(const rv_shape *x, const rv_shape *weight, const rv_shape *y,
                               const conv_attr *a);

/* Weights are put in order and packed so many outputs at a time, of those that are left: all at
 * once they would be in memory twice. */
static inline size_t rv_columns_together(size_t left)
{
    return left < KERN_PACK_COLUMNS ? left : KERN_PACK_COLUMNS;
}

/* conv_grad.c: adjoints; both take the attributes of the convolution. */
rv_node *rv_conv_dx(rv_node *dy, rv_node *weight, rv_shape x, const conv_attr *a);
rv_node *rv_conv_dw(rv_node *dy, rv_node *x, rv_shape weight, const conv_attr *a);

#endif
