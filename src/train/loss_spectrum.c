/* loss_spectrum.c - what the losses share: checks, means, and the two ways to cut a signal into
 * frames that the reference packages have (the other is in ddsp/log_mel.c). */
#include "train/loss_spectrum.h"

#include "base/status.h"

void rv_loss_check(rv_node *estimate, rv_node *target)
{
    if (rv_graph_status(estimate->graph, NULL) != RV_OK)
        return;
    if (estimate->shape.rank != 3 || rv_shape_count(&estimate->shape) == 0)
        rv_poison(estimate->graph, RV_ERR_SHAPE, __func__,
                  "a loss takes signals [batch, time, channel], not rank %d with %zu samples",
                  estimate->shape.rank, rv_shape_count(&estimate->shape));
    else if (!rv_shape_equal(&estimate->shape, &target->shape))
        rv_poison(estimate->graph, RV_ERR_SHAPE, __func__,
                  "estimate [%zu,%zu,%zu] and target [%zu,%zu,%zu] differ in shape",
                  rv_extent(estimate, 0), rv_extent(estimate, 1), rv_extent(estimate, 2),
                  rv_extent(target, 0), rv_extent(target, 1), rv_extent(target, 2));
}

rv_node *rv_loss_rows(rv_node *x)
{
    const size_t batch = rv_extent(x, 0), time = rv_extent(x, 1), channels = rv_extent(x, 2);
    rv_node *y = channels == 1 ? x : RV_PERMUTE(x, 0, 2, 1);
    return rv_reshape(y, RV_SHAPE(batch * channels, time));
}

static rv_node *mean_of_some(rv_node *x)
{
    if (rv_shape_count(&x->shape) == 0)
        return rv_poison(x->graph, RV_ERR_SHAPE, __func__,
                         "the signals are too short: nothing is left to compare");
    return rv_mean(x);
}

rv_node *rv_mean_absolute(rv_node *x)
{
    return mean_of_some(rv_abs(x));
}

rv_node *rv_mean_square(rv_node *x)
{
    return mean_of_some(rv_mul(x, x));
}

rv_node *rv_spectrum_centred(rv_node *x, const rv_stft_size *size)
{
    const size_t half = size->n_fft / 2;
    rv_node *y = rv_pad(x, 1, half, half, RV_PAD_REFLECT);
    return rv_stft_windowed(y, size->n_fft, size->hop, size->window, 1);
}
