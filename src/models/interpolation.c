/* interpolation.c - straight lines between the middles of cells, as torch.nn.functional.interpolate
 * draws them (modes linear and bilinear, align_corners off): cell t of n lies at
 *
 *     (t + 1/2) F / n - 1/2
 *
 * of the F cells given; before the first middle and after the last, their values hold. The frames
 * of rv_upsample() differ: they begin at multiples of a hop. */
#include "models/interpolation.h"

#include "base/status.h"

#include <math.h>

/* weight [n,frames] */
static void fill_weights(real *weight, size_t n, size_t frames)
{
    for (size_t t = 0; t < n; t++) {
        const double at = ((double)t + 0.5) * (double)frames / (double)n - 0.5;
        const double within = fmin(fmax(at, 0), (double)(frames - 1));
        const size_t left = (size_t)within, right = left + 1 < frames ? left + 1 : left;
        weight[t * frames + left] += (real)(1 - (within - (double)left));
        weight[t * frames + right] += (real)(within - (double)left);
    }
}

rv_node *rv_interpolate(rv_node *x, size_t n)
{
    const size_t frames = rv_extent(x, 1);
    if (x->shape.rank != 3 || frames == 0 || n == 0)
        return rv_poison(x->graph, RV_ERR_SHAPE, __func__, "%zu frames to %zu, in [B,F,C]", frames,
                         n);
    rv_node *weight = rv_constant(x->graph, RV_SHAPE(n, frames));
    if (weight->constant)
        fill_weights(weight->constant, n, frames);
    return RV_PERMUTE(rv_linear(RV_PERMUTE(x, 0, 2, 1), weight, NULL), 0, 2, 1);
}
