/* inversion.c - see inversion.h. Made and real sounds go through the encoders side by side; the
 * terms are those of magenta/ddsp's InverseSynthesis:
 *
 *   made         controls found against controls given
 *   made, real   harmonics against the sinusoids they were found in, to which no gradient goes;
 *                audio against its resynthesis, from sinusoids and from harmonics */
#include "train/inversion.h"

static rv_shape shape_of(const rv_inversion *v, rv_inversion_input input)
{
    const rv_inverse_config *c = v->config;
    switch (input) {
    case RV_INVERSION_AMPLITUDE:
    case RV_INVERSION_F0:
        return RV_SHAPE(1, v->frames, 1);
    case RV_INVERSION_DISTRIBUTION:
        return RV_SHAPE(1, v->frames, c->harmonic.n_harmonic);
    case RV_INVERSION_MAGNITUDES:
        return RV_SHAPE(1, v->frames, c->sinusoidal.bands);
    default:
        return RV_SHAPE(1, v->frames * c->sinusoidal.mel.hop);
    }
}

size_t rv_inversion_size(const rv_inversion *v, rv_inversion_input input)
{
    const rv_shape shape = shape_of(v, input);
    return input != RV_INVERSION_AUDIO || v->real ? rv_shape_count(&shape) : 0;
}

/* sum + weight x; sum NULL: nothing yet */
static rv_node *plus(rv_node *sum, double weight, rv_node *x)
{
    x = rv_scale(x, weight, 0);
    return sum ? rv_add(sum, x) : x;
}

static rv_node *first(rv_node *x, size_t n)
{
    return rv_slice(x, 0, 0, n);
}

static rv_kde_options kde_of(const rv_inversion_weights *w)
{
    return (rv_kde_options){ 1, 1, w->level, w->deviation, w->deviation };
}

/* The made sounds are the first B of what was encoded. */
static rv_node *of_made(const rv_inversion *v, const rv_inverse *m, rv_node *const *in,
                        const rv_harmonic_controls *given, const rv_sinusoidal_controls *partials)
{
    static const double least_amplitude = 1e-4;
    const rv_inversion_weights *w = &v->weights;
    const rv_kde_options kde = kde_of(w);
    const size_t n = rv_extent(given->f0, 0);
    const rv_sinusoidal_controls heard = { first(m->heard.sinusoids.amplitudes, n),
                                           first(m->heard.sinusoids.frequencies, n) };
    const rv_harmonic_controls found = { .amplitude = first(m->harmonic.amplitude, n),
                                         .distribution = first(m->harmonic.distribution, n),
                                         .f0 = first(m->harmonic.f0, n) };
    const rv_harmonic_losses l = rv_loss_harmonic(&found, given, least_amplitude);
    rv_node *noise = rv_loss_parameters(first(m->heard.magnitudes, n), in[RV_INVERSION_MAGNITUDES],
                                        NULL, RV_DISTANCE_L1);
    rv_node *sum = plus(NULL, w->sinusoids, rv_loss_kde(&heard, partials, &kde));
    sum = plus(sum, w->amplitude, l.amplitude);
    sum = plus(sum, w->distribution, l.distribution);
    sum = plus(sum, w->f0, l.f0);
    if (w->pitch_shares > 0)
        sum = plus(sum, w->pitch_shares,
                   rv_loss_pitch_shares(first(m->pitch_shares, n), given->f0,
                                        rv_loss_sounds(given->amplitude, least_amplitude),
                                        v->config->harmonic.hz_min, v->config->harmonic.hz_max));
    return plus(sum, w->noise, noise);
}

static rv_node *signals(rv_node *x)
{
    return rv_reshape(x, RV_SHAPE(rv_extent(x, 0), rv_extent(x, 1), 1));
}

/* What all sounds say of themselves, added to `sum`. */
static rv_node *of_all(const rv_inversion *v, const rv_inverse *m, rv_node *audio, rv_node *noise,
                       rv_node *sum)
{
    const rv_inversion_weights *w = &v->weights;
    const double rate = v->config->harmonic.sample_rate;
    const rv_sinusoidal_controls seen = { rv_detach(m->heard.sinusoids.amplitudes),
                                          rv_detach(m->heard.sinusoids.frequencies) };
    const rv_kde_options kde = kde_of(w);
    if (w->consistency > 0)
        sum = plus(sum, w->consistency, rv_loss_kde(&seen, &m->partials, &kde));
    if (w->audio <= 0)
        return sum;
    rv_node *again[] = { rv_inverse_audio(&m->heard.sinusoids, m->heard.magnitudes, noise, rate),
                         rv_inverse_audio(&m->partials, rv_detach(m->heard.magnitudes), noise,
                                          rate) };
    for (int i = 0; i < 2; i++)
        sum =
            plus(sum, w->audio, rv_loss_build(v->loss, signals(again[i]), signals(audio), 1, rate));
    return sum;
}

static rv_node *build(const void *ctx, nn_builder *b, rv_node *const *in, rv_node **estimate)
{
    const rv_inversion *v = ctx;
    const double rate = v->config->harmonic.sample_rate;
    const rv_harmonic_controls given = { .amplitude = in[RV_INVERSION_AMPLITUDE],
                                         .distribution = in[RV_INVERSION_DISTRIBUTION],
                                         .f0 = in[RV_INVERSION_F0] };
    const rv_sinusoidal_controls partials = rv_harmonic_to_sinusoids(&given, rate);
    rv_node *noise = in[RV_INVERSION_NOISE];
    rv_node *audio = rv_inverse_audio(&partials, in[RV_INVERSION_MAGNITUDES], noise, rate);
    const size_t made = rv_extent(audio, 0);
    if (v->real) {
        audio = rv_concat(0, 2, (rv_node *[]){ audio, in[RV_INVERSION_AUDIO] });
        noise = rv_concat(0, 2, (rv_node *[]){ noise, noise });
    }
    const rv_inverse m = rv_inverse_encode(b, v->config, audio);
    *estimate = rv_concat(
        2, 2, (rv_node *[]){ first(m.harmonic.f0, made), first(m.harmonic.amplitude, made) });
    return of_all(v, &m, audio, noise, of_made(v, &m, in, &given, &partials));
}

rv_status rv_inversion_learner(rv_learner **out, const rv_inversion *v, size_t batch,
                               bool recompute, rv_pool *pool, rv_error *err)
{
    rv_learner_options options = {
        .build = build, .ctx = v, .batch = batch, .recompute = recompute, .pool = pool
    };
    for (int i = 0; i < RV_INVERSION_INPUTS && rv_inversion_size(v, i) > 0; i++)
        options.inputs[options.n_inputs++] = shape_of(v, i);
    return rv_learner_new(out, &options, err);
}
