/* sinusoidal_encoder.c - from audio to sinusoids and the noise beside them, frame by frame.
 *
 *   J. Engel, R. Swavely, L. Hantrakul, A. Roberts and C. Hawthorne, "Self-supervised Pitch
 *   Detection by Inverse Audio Synthesis", ICML 2020 Workshop on Self-supervision in Audio and
 *   Speech
 *
 *   a log mel spectrum, a residual network, and for each frame linear heads over all channels of
 *   all its bins: frequencies, as means of pitches weighted by a softmax; amplitudes; noise */
#include "models/sinusoidal_encoder.h"

#include "ddsp/controls.h"

rv_sinusoidal_encoder_config rv_sinusoidal_encoder_defaults(void)
{
    return (rv_sinusoidal_encoder_config){
        .mel = { .sample_rate = 16000, .n_fft = 2048, .hop = 512, .bands = 229, .highest = 8000 },
        .resnet = rv_resnet_sized("small"),
        .sinusoids = 100,
        .bands = 65,
        .depth = 64,
        .hz_min = 20,
        .hz_max = 8000,
    };
}

rv_sinusoids_and_noise rv_sinusoidal_encoder(nn_builder *b, const rv_sinusoidal_encoder_config *c,
                                             rv_node *audio)
{
    const size_t mark = nn_enter(b, "sinusoidal_encoder");
    rv_node *x = c->centred ? rv_log_mel_centred(audio, &c->mel) : rv_log_mel(audio, &c->mel);
    const size_t batch = rv_extent(x, 0), frames = rv_extent(x, 1);
    x = rv_reshape(x, RV_SHAPE(batch, frames, rv_extent(x, 2), 1));
    const size_t inside = nn_enter(b, "resnet");
    x = rv_resnet(b, &c->resnet, x);
    nn_leave(b, inside);
    x = rv_reshape(x, RV_SHAPE(batch, frames, rv_extent(x, 2) * rv_extent(x, 3)));
    rv_node *frequencies = nn_linear(b, "frequencies", x, c->sinusoids * c->depth, true);
    rv_node *amplitudes = nn_linear(b, "amplitudes", x, c->sinusoids, true);
    rv_node *magnitudes = nn_linear(b, "magnitudes", x, c->bands, true);
    nn_leave(b, mark);
    return (rv_sinusoids_and_noise){
        .sinusoids = { .amplitudes = rv_scale_amplitude(amplitudes),
                       .frequencies =
                           rv_frequencies_softmax(frequencies, c->depth, c->hz_min, c->hz_max) },
        .magnitudes = rv_scale_amplitude(magnitudes),
    };
}
