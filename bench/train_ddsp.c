/* train_ddsp.c - see train_ddsp.h. */
#include "train_ddsp.h"

#include "base/rng.h"
#include "base/status.h"
#include "ddsp/synth_noise.h"
#include "train/resynthesis.h"

#include <stdlib.h>

enum { DECODER_RATE = 250 /* frames a second */, HARMONICS = 100, BANDS = 65 };

/* n numbers around `centre`, up to `range` from it. */
static rv_status invent(float **out, size_t n, double centre, double range, uint64_t stream,
                        rv_error *err)
{
    if (!(*out = malloc((n + 1) * sizeof **out)))
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu numbers", n);
    for (size_t i = 0; i < n; i++)
        (*out)[i] = (float)(centre + range * (2 * rv_rng_uniform(2, stream, i) - 1));
    return RV_OK;
}

/* Decoder --------------------------------------------------------------------------------- */

static rv_node *build_decoder(const void *ctx, nn_builder *b, rv_node *const *in,
                              rv_node **estimate)
{
    const rv_decoder_heads heads = rv_decoder(b, ctx, in[0], in[1], NULL);
    *estimate = rv_concat(2, 2, (rv_node *[]){ heads.harmonic, heads.noise });
    return rv_loss_l1(*estimate, in[2]);
}

rv_status ddsp_decoder(rv_learner **out, ddsp_data *data, size_t batch, double seconds,
                       bool recompute, rv_pool *pool, rv_error *err)
{
    const rv_decoder_config config = rv_decoder_defaults();
    const size_t frames = (size_t)(seconds * DECODER_RATE), heads = HARMONICS + 1 + BANDS;
    const rv_learner_options options = {
        .build = build_decoder,
        .ctx = &config,
        .inputs = { RV_SHAPE(1, frames, 1), RV_SHAPE(1, frames, 1), RV_SHAPE(1, frames, heads) },
        .n_inputs = 3,
        .batch = batch,
        .together = batch,
        .recompute = recompute,
        .pool = pool,
    };
    for (size_t i = 0; i < 3; i++)
        RV_TRY(invent(&data->in[i], batch * rv_shape_count(&options.inputs[i]), 0, 0.5, i, err));
    return rv_learner_new(out, &options, err);
}

/* Autoencoder ----------------------------------------------------------------------------- */

static const rv_arg arguments[] = {
    { .name = "style", .kind = RV_ARG_TEXT, .text = "ddsp_pytorch" },
};

/* ddsp_pytorch's sizes, magnitudes and their logarithms. */
static rv_loss_config spectra(void)
{
    rv_loss_config loss = { .n = 1, .term = { rv_loss_term_defaults(RV_LOSS_SPECTRAL) } };
    rv_spectral_options *o = &loss.term[0].options.spectral;
    o->logmag = 1;
    for (size_t i = 0; i < o->n; i++)
        o->n_fft[i] = 4096 >> i;
    return loss;
}

static rv_status invent_phrases(ddsp_data *data, const rv_resynthesis *r, size_t batch,
                                rv_error *err)
{
    static const struct {
        double centre, range;
    } values[] = {
        [RV_RESYNTHESIS_AUDIO] = { 0, 0.3 },      [RV_RESYNTHESIS_LOUDNESS] = { 0, 1 },
        [RV_RESYNTHESIS_F0] = { 440, 200 },       [RV_RESYNTHESIS_NOISE] = { 0, 1 },
        [RV_RESYNTHESIS_REVERB_NOISE] = { 0, 1 },
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        RV_TRY(invent(&data->in[i], batch * rv_resynthesis_size(r, (rv_resynthesis_input)i),
                      values[i].centre, values[i].range, i, err));
    return RV_OK;
}

rv_status ddsp_autoencoder(rv_learner **out, ddsp_data *data, size_t batch, double seconds,
                           bool recompute, rv_pool *pool, rv_error *err)
{
    const rv_loss_config loss = spectra();
    rv_autoencoder_config config;
    RV_TRY(rv_autoencoder_configure(&config, &(rv_args){ arguments, 1 }, err));
    const rv_resynthesis r = {
        &config, &loss, (size_t)(seconds * (double)config.sample_rate / (double)config.hop)
    };
    RV_TRY(invent_phrases(data, &r, batch, err));
    return rv_resynthesis_learner(out, &r, batch, recompute, pool, err);
}
