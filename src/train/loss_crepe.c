/* loss_crepe.c - distance of what a trained CREPE hears in two sounds, through which gradients
 * reach the audio: where the harmonics of a spectrum lie counts here, and not only what is in each
 * bin.
 *
 *   J. Engel, R. Swavely, L. Hantrakul, A. Roberts and C. Hawthorne, "Self-supervised Pitch
 *   Detection by Inverse Audio Synthesis", ICML 2020 Workshop on Self-supervision in Audio and
 *   Speech; `PretrainedCREPEEmbeddingLoss` of magenta/ddsp
 *
 *   frames of 1024 samples, centred at multiples of 1024, of mean 0 and deviation 1
 *   20 scale mean |a - b| of the values of one layer; the scales make layers alike */
#include "base/status.h"
#include "models/crepe.h"
#include "nn/fixed.h"
#include "train/loss_spectrum.h"

enum { WINDOW = RV_CREPE_WINDOW };

/* The variance of digital silence, so that its root has a slope; what the deviation is more. */
static const double least_variance = 1e-20, deviation_more = 1e-5, all_layers = 20;

static const double scales[RV_CREPE_LAYERS] = { 1.3, 1.0, 1.4, 1.1, 1.9, 1.6, 1.5,
                                                1.4, 1.9, 1.7, 30,  25,  130 };

rv_crepe_loss_options rv_crepe_loss_defaults(void)
{
    return (rv_crepe_loss_options){ .layer = RV_CREPE_LAYERS - 1 };
}

/* rows [R,T] -> [R F,1024], F = T / 1024 + 1 */
static rv_node *frames_of(rv_node *rows)
{
    rv_node *x = rv_frame(rv_pad(rows, 1, WINDOW / 2, WINDOW / 2, RV_PAD_ZERO), WINDOW, WINDOW);
    return rv_reshape(x, RV_SHAPE(rv_extent(x, 0) * rv_extent(x, 1), WINDOW));
}

/* (x - mean) / (deviation + 1e-5), frame by frame */
static rv_node *normalised(rv_node *x)
{
    const rv_shape one = RV_SHAPE(rv_extent(x, 0), 1);
    x = rv_sub(x, rv_mean_to(x, one));
    rv_node *variance = rv_mean_to(rv_mul(x, x), one);
    rv_node *deviation = rv_sqrt(rv_scale(variance, 1, least_variance));
    return rv_div(x, rv_scale(deviation, 1, deviation_more));
}

/* frames [N,1024] -> [N,...]: the layer's values */
static rv_node *heard(rv_node *frames, const rv_crepe_loss_options *o)
{
    nn_builder b;
    nn_begin(&b, frames->graph);
    rv_node *y = rv_crepe_layer(&b, &(rv_crepe_config){ o->width }, frames, o->layer);
    nn_fix(&b, o->weights);
    return y;
}

rv_node *rv_loss_crepe(rv_node *estimate, rv_node *target, double sample_rate,
                       const rv_crepe_loss_options *o)
{
    rv_graph *g = estimate->graph;
    rv_loss_check(estimate, target);
    if (!o->weights || o->layer >= RV_CREPE_LAYERS || o->distance == RV_DISTANCE_COSINE)
        return rv_poison(g, RV_ERR_ARG, __func__, "crepe: no weights, layer or distance");
    if (sample_rate < RV_CREPE_RATE || sample_rate > RV_CREPE_RATE)
        return rv_poison(g, RV_ERR_ARG, __func__, "crepe: audio at %g Hz, CREPE hears it at %d",
                         sample_rate, RV_CREPE_RATE);
    rv_node *both[] = { frames_of(rv_loss_rows(target)), frames_of(rv_loss_rows(estimate)) };
    rv_node *y = heard(normalised(rv_concat(0, 2, both)), o);
    const size_t n = rv_extent(y, 0) / 2;
    rv_node *d = rv_sub(rv_slice(y, 0, 0, n), rv_slice(y, 0, n, n));
    d = o->distance == RV_DISTANCE_L1 ? rv_mean_absolute(d) : rv_mean_square(d);
    return rv_scale(d, all_layers * scales[o->layer], 0);
}
