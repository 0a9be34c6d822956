/* batch_norm.c - normalise each channel by its mean and variance over a batch.
 *
 *   S. Ioffe and C. Szegedy, "Batch normalization: accelerating deep network training by
 *   reducing internal covariate shift", ICML 2015. arXiv:1502.03167
 *
 *     training    y = (x - m) / sqrt(v + eps) weight + bias,  m and v of x itself
 *     otherwise   the same with m = running_mean and v = running_var
 *
 * In training the graph shows m and v (v with n - 1 in its divisor, as in torch.nn), and after a
 * step each running statistic moves towards the mean of what the examples showed. A graph holds
 * one example, so that m and v are those of its frames: PyTorch's are of all frames of the batch.
 */
#include "nn/nn.h"

/* x [B,..,C] -> [C] */
static rv_node *mean_of_channels(rv_node *x)
{
    return rv_mean_to(x, RV_SHAPE(rv_extent(x, -1)));
}

static rv_node *variance_of_channels(rv_node *x, rv_node *mean)
{
    const size_t all = rv_shape_count(&x->shape), channels = rv_extent(x, -1);
    const size_t n = channels ? all / channels : 0;
    rv_node *off = rv_sub(x, mean);
    return rv_scale(mean_of_channels(rv_mul(off, off)), n > 1 ? (double)n / (double)(n - 1) : 1, 0);
}

/* The parameter made last is a statistic, of which this graph's example shows `shown`. */
static void show(nn_builder *b, rv_node *shown)
{
    for (nn_param *p = b->params; p; p = p->next)
        if (!p->next)
            p->shown = rv_output(shown);
}

rv_node *nn_batch_norm(nn_builder *b, const char *name, rv_node *x, double eps)
{
    const rv_shape shape = RV_SHAPE(rv_extent(x, -1));
    const size_t mark = nn_enter(b, "%s", name);
    rv_node *gain = nn_param_new(b, "weight", shape, (nn_start){ NN_FILL, 1 });
    rv_node *bias = nn_param_new(b, "bias", shape, (nn_start){ NN_FILL, 0 });
    rv_node *shown_mean = b->training ? mean_of_channels(x) : NULL;
    rv_node *mean = nn_param_new(b, "running_mean", shape, (nn_start){ NN_FILL, 0 });
    if (b->training)
        show(b, shown_mean);
    rv_node *variance = nn_param_new(b, "running_var", shape, (nn_start){ NN_FILL, 1 });
    if (b->training)
        show(b, variance_of_channels(x, shown_mean));
    nn_leave(b, mark);
    if (b->training)
        return rv_group_norm(x, gain, bias, shape.d[0], eps, false);
    gain = rv_mul(gain, rv_rsqrt(rv_scale(variance, 1, eps)));
    return rv_affine(x, gain, rv_sub(bias, rv_mul(mean, gain)));
}
