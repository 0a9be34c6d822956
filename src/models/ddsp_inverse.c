/* ddsp_inverse.c - pitch detection by inverse audio synthesis ("DDSP-inv"): audio to sinusoids,
 * those to one harmonic sound, and both back to audio, which a loss compares with what went in.
 *
 *   J. Engel, R. Swavely, L. Hantrakul, A. Roberts and C. Hawthorne, "Self-supervised Pitch
 *   Detection by Inverse Audio Synthesis", ICML 2020 Workshop on Self-supervision in Audio and
 *   Speech
 *
 * The harmonic encoder learns from the sinusoids as they are: its gradients end at them. */
#include "models/ddsp_inverse.h"

#include "ddsp/fir_filter.h"

rv_inverse_config rv_inverse_defaults(void)
{
    return (rv_inverse_config){ .sinusoidal = rv_sinusoidal_encoder_defaults(),
                                .harmonic = rv_harmonic_encoder_defaults() };
}

rv_inverse rv_inverse_encode(nn_builder *b, const rv_inverse_config *c, rv_node *audio)
{
    rv_inverse to = { .heard = rv_sinusoidal_encoder(b, &c->sinusoidal, audio) };
    rv_sinusoidal_controls seen = to.heard.sinusoids;
    if (!c->through)
        seen = (rv_sinusoidal_controls){ rv_detach(seen.amplitudes), rv_detach(seen.frequencies) };
    to.harmonic = rv_harmonic_encoder(b, &c->harmonic, &seen, &to.pitch_shares);
    to.partials = rv_harmonic_to_sinusoids(&to.harmonic, c->harmonic.sample_rate);
    return to;
}

rv_node *rv_inverse_audio(const rv_sinusoidal_controls *sinusoids, rv_node *magnitudes,
                          rv_node *noise, double sample_rate)
{
    rv_sinusoidal_config tones = rv_sinusoidal_defaults(sample_rate, rv_extent(noise, 1));
    tones.scale = false;
    tones.frequencies = RV_SINUSOIDAL_HERTZ;
    return rv_add(rv_synth_sinusoidal(&tones, sinusoids),
                  rv_frequency_filter(noise, magnitudes, 0));
}
