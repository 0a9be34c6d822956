/* mctn_ddsp.c - MCTN and its decoders as one network, end to end: stems from a mix by way of pitch,
 * loudness and timbre of each source.
 *
 *   T. Skverer and A. Zukier, github.com/TalSk/cs236781-project: the second of their alternatives
 *
 *   features   f0 and loudness of each source (mctn.c), and the mix as the source's mask leaves it
 *   z          of that: layer norm, GRU, linear, for each source
 *   decoders   from f0, loudness and z to harmonics and noise (ddsp_autoencoder.c), for each source
 *
 * Parameters of the features have the names of mctn.c, so that training can start from a feature
 * separator. It should: spectral losses say nothing of a pitch that is far off. `f0_gradient` false
 * leaves pitch as it was learned there. The noise is one and the same in every run. A network like
 * this hears segments, and its harmonics have another phase in each.
 *
 * Arguments, beside those of mctn_config.c:
 *
 *   hidden_size, layers, n_harmonic, n_bands   of the decoders (512, 3, 60, 65)
 *   z, z_hidden                                channels, units of its GRU (16, 512)
 *   f0_gradient                                (true) */
#include "base/status.h"
#include "ddsp/synth_noise.h"
#include "models/ddsp_autoencoder.h"
#include "models/mctn.h"

#include <string.h>

typedef struct {
    rv_mctn_config features;
    rv_autoencoder_config decoder; /* of each source */
    size_t z_hidden;
    bool f0_gradient;
} config;

/* Configuration -------------------------------------------------------------------------- */

static void read_features(rv_arg_reader *r, const rv_model_info *info, rv_mctn_config *c)
{
    if (info->channels != 1)
        rv_arg_fail(r, RV_ERR_UNSUPPORTED, "audio_channels", "is %zu, 1 is expected",
                    info->channels);
    if (info->n_stems > RV_MCTN_SOURCES)
        rv_arg_fail(r, RV_ERR_UNSUPPORTED, "sources", "has %zu names, at most %d are expected",
                    info->n_stems, RV_MCTN_SOURCES);
    *c = (rv_mctn_config){ .n_sources = info->n_stems, .sample_rate = info->sample_rate };
    for (size_t s = 0; s < c->n_sources && s < RV_MCTN_SOURCES; s++)
        memcpy(c->sources[s], info->stems[s], sizeof c->sources[s]);
    rv_mctn_read_network(r, c);
    c->segment = info->n_audio;
}

static rv_status read_decoder(rv_arg_reader *r, const rv_mctn_config *f, rv_autoencoder_config *c)
{
    const rv_arg said[] = {
        { .name = "sample_rate", .kind = RV_ARG_NUMBER, .number = (double)f->sample_rate },
        { .name = "hop", .kind = RV_ARG_NUMBER, .number = (double)f->hop },
        { .name = "reverb", .kind = RV_ARG_TEXT, .text = "none" },
    };
    RV_TRY(rv_autoencoder_configure(c, &(rv_args){ said, sizeof said / sizeof *said }, r->err));
    c->decoder.hidden_size = rv_arg_size(r, "hidden_size", 512, 1, 4096);
    c->decoder.layers = rv_arg_size(r, "layers", 3, 1, 16);
    c->decoder.n_harmonic = rv_arg_size(r, "n_harmonic", 60, 1, 1000);
    c->decoder.n_bands = rv_arg_size(r, "n_bands", 65, 2, 4097);
    c->decoder.z = rv_arg_size(r, "z", 16, 1, 1024);
    return RV_OK;
}

static rv_status configure(void *out, rv_model_info *info, const rv_args *args, rv_error *err)
{
    rv_arg_reader r = { .model = "mctn_ddsp", .args = args, .err = err };
    config *c = out;
    *c = (config){ 0 };
    rv_arg_audio(&r, info);
    rv_arg_segment(&r, info, 4);
    read_features(&r, info, &c->features);
    RV_TRY(read_decoder(&r, &c->features, &c->decoder));
    c->z_hidden = rv_arg_size(&r, "z_hidden", 512, 1, 4096);
    c->f0_gradient = rv_arg_bool(&r, "f0_gradient", true);
    return rv_arg_finish(&r);
}

static size_t valid_length(const void *cfg, const rv_model_info *info, size_t n)
{
    const size_t hop = ((const config *)cfg)->features.hop;
    (void)info;
    return n > hop ? (n + hop - 1) / hop * hop : hop;
}

/* Graph ---------------------------------------------------------------------------------- */

static rv_node *noise(nn_builder *b, size_t source, size_t samples)
{
    rv_node *x = rv_constant(b->graph, RV_SHAPE(1, samples));
    if (x->constant)
        rv_noise_fill(x->constant, samples, 0, source);
    return x;
}

/* code [1,F,S,N] of source s -> [1,F,z] */
static rv_node *timbre(nn_builder *b, const config *c, rv_node *code, size_t s)
{
    const rv_shape one = RV_SHAPE(1, rv_extent(code, 1), rv_extent(code, 3));
    const size_t mark = nn_enter(b, "z_encoder");
    rv_node *x = nn_layer_norm(b, "norm", rv_reshape(rv_slice(code, 2, s, 1), one));
    x = nn_linear(b, "linear", nn_gru(b, "gru", x, c->z_hidden, 1, false), c->decoder.decoder.z,
                  true);
    nn_leave(b, mark);
    return x;
}

/* The sound of source s [1,T,1] */
static rv_node *source(nn_builder *b, const config *c, const rv_mctn_features *f, size_t s,
                       size_t samples)
{
    const size_t mark = nn_enter(b, "decoders.%zu", s);
    const rv_autoencoder_inputs in = { .f0 = rv_slice(f->f0, 2, s, 1),
                                       .loudness = rv_slice(f->loudness, 2, s, 1),
                                       .noise = noise(b, s, samples),
                                       .z = timbre(b, c, f->code, s) };
    rv_node *audio = rv_autoencoder_dry(b, &c->decoder, &in).audio;
    nn_leave(b, mark);
    return rv_reshape(audio, RV_SHAPE(1, samples, 1));
}

/* mix [1,T,1] -> [1,T,S] */
static rv_node *build(nn_builder *b, const void *cfg, const rv_model_info *info, rv_node *mix)
{
    const config *c = cfg;
    const size_t samples = rv_extent(mix, 1);
    rv_node *sound[RV_MCTN_SOURCES];
    rv_mctn_features f = rv_mctn(b, &c->features, rv_reshape(mix, RV_SHAPE(1, samples)));
    if (!c->f0_gradient)
        f.f0 = rv_detach(f.f0);
    for (size_t s = 0; s < info->n_stems; s++)
        sound[s] = source(b, c, &f, s, samples);
    return rv_concat(2, info->n_stems, sound);
}

static const char *const classes[] = { "ravel.mctn.EndToEnd", NULL };
static const char *const positional[] = { "segment", NULL };

const rv_model_def rv_model_mctn_ddsp = {
    .name = "mctn_ddsp",
    .classes = classes,
    .citation = "Skverer and Zukier, github.com/TalSk/cs236781-project; Engel et al., DDSP, "
                "ICLR 2020, arXiv:2001.04643",
    .positional = positional,
    .config_size = sizeof(config),
    .configure = configure,
    .valid_length = valid_length,
    .build = build,
};
