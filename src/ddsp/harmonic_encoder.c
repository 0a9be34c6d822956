/* harmonic_encoder.c - from sinusoids to one harmonic sound, frame by frame, and back.
 *
 *   J. Engel, R. Swavely, L. Hantrakul, A. Roberts and C. Hawthorne, "Self-supervised Pitch
 *   Detection by Inverse Audio Synthesis", ICML 2020 Workshop on Self-supervision in Audio and
 *   Speech
 *
 *   pitches (of 0 Hz to half the sample rate as 0 to 1) and amplitudes side by side
 *   layers times linear, layer norm, leaky ReLU; a GRU; the same layers again
 *   linear heads: amplitude, harmonics, f0 as a mean of pitches weighted by a softmax */
#include "ddsp/harmonic_encoder.h"

#include "ddsp/controls.h"

/* Keras's */
static const double norm_eps = 1e-3, negative_slope = 0.2;

rv_harmonic_encoder_config rv_harmonic_encoder_defaults(void)
{
    return (rv_harmonic_encoder_config){ .sample_rate = 16000,
                                         .hidden = 256,
                                         .layers = 2,
                                         .recurrent = 512,
                                         .n_harmonic = 100,
                                         .depth = 64,
                                         .hz_min = 20,
                                         .hz_max = 1200 };
}

static rv_node *leaky_relu(rv_node *x)
{
    rv_node *slope = rv_constant(x->graph, RV_SHAPE(1));
    if (slope->constant)
        *slope->constant = (real)negative_slope;
    return rv_prelu(x, slope);
}

static rv_node *stack(nn_builder *b, const rv_harmonic_encoder_config *c, const char *name,
                      rv_node *x)
{
    for (size_t i = 0; i < c->layers; i++) {
        const size_t mark = nn_enter(b, "%s.%zu", name, i);
        x = nn_linear(b, "linear", x, c->hidden, true);
        x = leaky_relu(nn_layer_norm_eps(b, "norm", x, norm_eps));
        nn_leave(b, mark);
    }
    return x;
}

rv_harmonic_controls rv_harmonic_encoder(nn_builder *b, const rv_harmonic_encoder_config *c,
                                         const rv_sinusoidal_controls *sinusoids,
                                         rv_node **pitch_shares)
{
    const size_t mark = nn_enter(b, "harmonic_encoder");
    rv_node *pitches = rv_hz_to_unit(sinusoids->frequencies, 0, c->sample_rate / 2);
    rv_node *x = rv_concat(2, 2, (rv_node *[]){ pitches, sinusoids->amplitudes });
    x = nn_gru(b, "gru", stack(b, c, "in", x), c->recurrent, 1, false);
    x = stack(b, c, "out", x);
    rv_node *amplitude = nn_linear(b, "amplitude", x, 1, true);
    rv_node *distribution = nn_linear(b, "distribution", x, c->n_harmonic, true);
    rv_node *f0 = nn_linear(b, "f0", x, c->depth, true);
    nn_leave(b, mark);
    if (pitch_shares)
        *pitch_shares = rv_softmax(f0);
    f0 = rv_frequencies_softmax(f0, c->depth, c->hz_min, c->hz_max);
    distribution = rv_scale_amplitude(distribution);
    return (rv_harmonic_controls){
        .amplitude = rv_scale_amplitude(amplitude),
        .distribution = rv_normalise_harmonics(distribution, f0, c->sample_rate, 0),
        .f0 = f0,
    };
}

rv_sinusoidal_controls rv_harmonic_to_sinusoids(const rv_harmonic_controls *c, double sample_rate)
{
    rv_node *number = rv_constant(c->f0->graph, RV_SHAPE(rv_extent(c->distribution, 2)));
    for (size_t k = 0; number->constant && k < number->shape.d[0]; k++)
        number->constant[k] = (real)(k + 1);
    rv_node *shares = rv_normalise_harmonics(c->distribution, c->f0, sample_rate, 0);
    return (rv_sinusoidal_controls){ .amplitudes = rv_mul(shares, c->amplitude),
                                     .frequencies = rv_mul(c->f0, number) };
}
