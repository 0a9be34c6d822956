/* test_model_gradients.c - gradients through whole models in double precision against finite
 * differences: for every parameter tensor, the derivative along a direction that moves all of its
 * elements and those by three of its elements.
 *
 * The loss is a random linear form of the output. The derivative by differences is
 *     (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h,
 * off by O(h^4), and by the rounding of f over h. A ReLU whose input passes zero within the step
 * makes it useless there, so that it is tried with ever smaller steps: one of them must agree. */
#include "base/rng.h"
#include "check.h"
#include "core/graph_impl.h"
#include "ddsp/controls.h"
#include "ddsp/decoder.h"
#include "models/ast.h"
#include "models/ast_heads.h"
#include "models/ddsp_autoencoder.h"
#include "models/mask_eq.h"
#include "models/mctn.h"
#include "models/model.h"
#include "models/stem_decoder.h"
#include "train/loss_features.h"
#include "train/loss_inverse.h"

#include <stdlib.h>
#include <string.h>

/* Relative, to the derivative, or to LEAST of the loss's size where that is more: rounding makes a
 * difference of two losses uncertain by about 1e-15 of them over the step. */
static const double TOLERANCE = 1e-8, LEAST = 1e-4;
static const double steps[] = { 1e-3, 1e-4, 1e-5, 1e-6 };

enum { N_STEPS = sizeof steps / sizeof *steps, N_ELEMENTS = 3, MOST_PARAMS = 1024 };

/* A graph from inputs to the loss, and a plan of it. */
typedef struct {
    rv_graph *graph;
    nn_builder nn;
    rv_node *out, *form, *loss, *gradient[MOST_PARAMS];
    rv_plan *plan;
} network;

typedef struct {
    const char *name;
    network derived, plain; /* with gradients, and without */
    real *values;           /* of all parameters, read by both plans */
    double size;            /* sum of |out form|: what the loss is rounded to */
    double worst;           /* error, relative to what the tolerance is for */
    size_t n_probes, n_retried;
} subject;

typedef rv_node *build_fn(nn_builder *b);

/* Building --------------------------------------------------------------------------------- */

#define NUMBER(key, value)                                  \
    {                                                       \
        .name = key, .kind = RV_ARG_NUMBER, .number = value \
    }
#define TEXT(key, value)                                \
    {                                                   \
        .name = key, .kind = RV_ARG_TEXT, .text = value \
    }
#define STEM(value)                        \
    {                                      \
        .kind = RV_ARG_TEXT, .text = value \
    }
#define STEMS                                                               \
    {                                                                       \
        .name = "sources", .kind = RV_ARG_LIST, .number = 2, .items = stems \
    }
static const rv_arg stems[] = { STEM("drums"), STEM("bass") };

static rv_node *build_model(nn_builder *b, const char *name, const rv_arg *arg, size_t n,
                            size_t length)
{
    rv_error err = { 0 };
    rv_model_info info = { 0 };
    const rv_model_def *def = rv_model_find(name);
    void *config = rv_graph_take(b->graph, def->config_size);
    CHECK_OK(def->configure(config, &info, &(rv_args){ arg, n }, &err), err);
    length = def->valid_length(config, &info, length);
    rv_node *mix = rv_input(b->graph, RV_SHAPE(1, length, info.channels));
    return def->build(b, config, &info, mix);
}

#define MODEL(name, length, ...)                                                \
    static rv_node *build_##name(nn_builder *b)                                 \
    {                                                                           \
        static const rv_arg args[] = { STEMS, __VA_ARGS__ };                    \
        return build_model(b, #name, args, sizeof args / sizeof *args, length); \
    }

MODEL(conv_tasnet, 60, NUMBER("N", 8), NUMBER("L", 8), NUMBER("B", 6), NUMBER("H", 10),
      NUMBER("P", 3), NUMBER("X", 2), NUMBER("R", 2))
MODEL(demucs_v2, 40, NUMBER("channels", 4), NUMBER("depth", 2))
MODEL(hdemucs, 300, NUMBER("channels", 4), NUMBER("depth", 4), NUMBER("nfft", 256),
      NUMBER("norm_starts", 2), NUMBER("dconv_depth", 1), NUMBER("dconv_comp", 2),
      NUMBER("dconv_attn", 2), NUMBER("dconv_lstm", 2), NUMBER("samplerate", 8000))
MODEL(htdemucs, 300, NUMBER("channels", 4), NUMBER("depth", 2), NUMBER("nfft", 256),
      NUMBER("dconv_mode", 3), NUMBER("dconv_depth", 1), NUMBER("dconv_comp", 2),
      NUMBER("bottom_channels", 8), NUMBER("t_layers", 2), NUMBER("t_heads", 2),
      NUMBER("samplerate", 8000), NUMBER("segment", 300 / 8000.0))

MODEL(open_unmix, 90, NUMBER("n_fft", 16), NUMBER("n_hop", 6), NUMBER("hidden_size", 6),
      NUMBER("nb_layers", 2), NUMBER("max_bin", 7), NUMBER("niter", 1), NUMBER("wiener_win_len", 9),
      NUMBER("samplerate", 1000))

MODEL(ravel_s, 90, NUMBER("n_fft", 32), NUMBER("hop", 8), NUMBER("bands", 4), NUMBER("features", 5),
      NUMBER("blocks", 2), NUMBER("time_units", 3), NUMBER("band_units", 2), NUMBER("hidden", 6),
      NUMBER("rank", 3), NUMBER("samplerate", 8000), NUMBER("mid_side", 1))

MODEL(bsrnn, 70, NUMBER("n_fft", 32), NUMBER("hop", 16), NUMBER("fc_dim", 3), NUMBER("rnn_dim", 2),
      NUMBER("num_layers", 2), NUMBER("mlp_dim", 4))

/* One stem: as it is, a network has 643 tensors. */
static rv_node *build_mmdenselstm(nn_builder *b)
{
    static const rv_arg args[] = {
        { .name = "sources", .kind = RV_ARG_LIST, .number = 1, .items = stems },
        NUMBER("n_fft", 32),
        NUMBER("hop", 16),
        NUMBER("width", 0.05),
        NUMBER("audio_channels", 1),
    };
    return build_model(b, "mmdenselstm", args, sizeof args / sizeof *args, 60);
}

static rv_node *build_decoder(nn_builder *b)
{
    const rv_decoder_config config = { .hidden_size = 6,
                                       .layers = 2,
                                       .n_harmonic = 4,
                                       .n_bands = 3,
                                       .z = 2,
                                       .slope = 0.2,
                                       .norm_eps = 1e-3,
                                       .pitch = RV_DECODER_MIDI };
    rv_node *f0 = rv_input(b->graph, RV_SHAPE(2, 7, 1)), *z = rv_input(b->graph, RV_SHAPE(2, 7, 2));
    rv_node *loudness = rv_input(b->graph, RV_SHAPE(2, 7, 1));
    f0 = rv_scale(f0, 100, 220); /* Hz */
    const rv_decoder_heads heads = rv_decoder(b, &config, f0, loudness, z);
    return rv_concat(2, 2, (rv_node *[]){ heads.harmonic, heads.noise });
}

static rv_autoencoder_config autoencoder_config(const rv_arg *arg, size_t n)
{
    rv_error err = { 0 };
    rv_autoencoder_config c;
    CHECK_OK(rv_autoencoder_configure(&c, &(rv_args){ arg, n }, &err), err);
    return c;
}

#define TINY_AUTOENCODER                                                                          \
    NUMBER("hidden_size", 4), NUMBER("layers", 1), NUMBER("n_harmonic", 3), NUMBER("n_bands", 4), \
        NUMBER("hop", 10), NUMBER("reverb_length", 12)

static rv_node *build_autoencoder(nn_builder *b)
{
    static const rv_arg args[] = { TINY_AUTOENCODER,
                                   NUMBER("z", 2),
                                   NUMBER("z_hidden", 3),
                                   NUMBER("mel_bands", 9),
                                   NUMBER("f0_bins", 5),
                                   TEXT("z_encoder", "mfcc_rnn"),
                                   TEXT("f0_encoder", "learned") };
    rv_autoencoder_config c = autoencoder_config(args, sizeof args / sizeof *args);
    c.resnet = (rv_resnet_config){ 2, 1, { 1, 1, 1, 1 } };
    const rv_autoencoder_inputs in = {
        .loudness = rv_scale(rv_input(b->graph, RV_SHAPE(2, 5, 1)), 20, -40),
        .mfcc = rv_input(b->graph, RV_SHAPE(2, 3, 30)),
        .mel = rv_input(b->graph, RV_SHAPE(2, 4, 9)),
        .noise = rv_input(b->graph, RV_SHAPE(2, 50)),
    };
    return rv_autoencoder(b, &c, &in).audio;
}

static rv_node *build_autoencoder_pytorch(nn_builder *b)
{
    static const rv_arg args[] = { TINY_AUTOENCODER, TEXT("style", "ddsp_pytorch") };
    const rv_autoencoder_config c = autoencoder_config(args, sizeof args / sizeof *args);
    const rv_autoencoder_inputs in = {
        .f0 = rv_scale(rv_input(b->graph, RV_SHAPE(2, 5, 1)), 3, 7),
        .loudness = rv_input(b->graph, RV_SHAPE(2, 5, 1)),
        .noise = rv_input(b->graph, RV_SHAPE(2, 50)),
    };
    return rv_autoencoder(b, &c, &in).audio;
}

static rv_node *build_stem_decoder(nn_builder *b)
{
    const rv_stem_decoder_config c = { .sample_rate = 4000,
                                       .n_harmonics = 3,
                                       .n_noise_bands = 4,
                                       .rnn_units = 3,
                                       .mlp_units = { 5, 4 },
                                       .mlp_layers = 2,
                                       .lowest_note = 24,
                                       .highest_note = 84,
                                       .reverb_length = 9,
                                       .dry_logit = -0.5,
                                       .scale_twice = true };
    const rv_stem_decoder_inputs in = {
        .f0 = rv_scale(rv_input(b->graph, RV_SHAPE(2, 5, 1)), 100, 220),
        .loudness = rv_input(b->graph, RV_SHAPE(2, 5, 1)),
        .noise = rv_input(b->graph, RV_SHAPE(2, 50)),
        .stem = rv_scale(rv_input(b->graph, RV_SHAPE(2, 50)), 0.5, 0.1),
    };
    return rv_stem_decoder(b, &c, &in);
}

static rv_node *build_mask_eq(nn_builder *b)
{
    const rv_mask_eq_config c = { .sample_rate = 4000,
                                  .mel_bins = 4,
                                  .n_bands = 5,
                                  .enc_units = 3,
                                  .alpha = 0.15,
                                  .window_size = 8 };
    rv_node *stem = rv_input(b->graph, RV_SHAPE(2, 50)),
            *mel = rv_input(b->graph, RV_SHAPE(2, 5, 4));
    return rv_mask_eq(b, &c, stem, mel, rv_input(b->graph, RV_SHAPE(2, 5, 1)));
}

static const rv_sinusoidal_encoder_config tiny_sinusoidal = {
    .mel = { 8000, 64, 32, 20, 0, 4000 },
    .resnet = { 3, 2, { 2, 1, 1, 1 } },
    .sinusoids = 4,
    .bands = 3,
    .depth = 3,
    .hz_min = 60,
    .hz_max = 4000,
};
static const rv_harmonic_encoder_config tiny_harmonic = { 8000, 5, 1, 4, 6, 3, 80, 2000 };

static rv_node *build_sinusoidal_encoder(nn_builder *b)
{
    rv_node *audio = rv_input(b->graph, RV_SHAPE(1, 90));
    const rv_sinusoids_and_noise c = rv_sinusoidal_encoder(b, &tiny_sinusoidal, audio);
    rv_node *pitches = rv_hz_to_unit(c.sinusoids.frequencies, 60, 4000);
    return rv_concat(2, 3, (rv_node *[]){ pitches, c.sinusoids.amplitudes, c.magnitudes });
}

/* Every loss, through the harmonic encoder. */
static rv_node *build_inverse_losses(nn_builder *b)
{
    rv_node *x = rv_input(b->graph, RV_SHAPE(1, 3, 4));
    rv_node *logits = nn_linear(b, "frequencies", x, 4 * 3, true);
    const rv_sinusoidal_controls found = {
        .frequencies = rv_frequencies_softmax(logits, 3, 60, 4000),
        .amplitudes = rv_scale_amplitude(nn_linear(b, "amplitudes", x, 4, true)),
    };
    rv_node *noise = rv_scale_amplitude(nn_linear(b, "magnitudes", x, 3, true));
    rv_node *pitches;
    const rv_harmonic_controls c = rv_harmonic_encoder(b, &tiny_harmonic, &found, &pitches);
    const rv_sinusoidal_controls partials = rv_harmonic_to_sinusoids(&c, tiny_harmonic.sample_rate);
    rv_node *hz = rv_scale(rv_input(b->graph, RV_SHAPE(1, 3, 1)), 200, 500);
    rv_node *level = rv_input(b->graph, RV_SHAPE(1, 3, 1));
    rv_node *shares = rv_input(b->graph, c.distribution->shape);
    rv_node *magnitudes = rv_input(b->graph, noise->shape);
    const rv_harmonic_controls target = { .amplitude = level, .distribution = shares, .f0 = hz };
    const rv_harmonic_losses harmonic = rv_loss_harmonic(&c, &target, 0.1);
    rv_kde_options wide = rv_kde_defaults();
    wide.deviation_a = wide.deviation_b = 3;
    const rv_mismatch_options mismatch = { 1, 0.5, 3, 0.4, 3, 4, 2, 8000 };
    rv_node *by_shares = rv_loss_pitch_shares(pitches, hz, level, 80, 2000);
    return rv_concat(0, 7,
                     (rv_node *[]){ harmonic.amplitude, harmonic.distribution, harmonic.f0,
                                    by_shares,
                                    rv_loss_parameters(noise, magnitudes, level, RV_DISTANCE_L2),
                                    rv_loss_kde(&found, &partials, &wide),
                                    rv_loss_mismatch(found.frequencies, &found, &mismatch) });
}

/* Pitch as it was published, or by a softmax; distances of pitch in Hz, or by likelihood. */
static rv_node *build_mctn_of(nn_builder *b, rv_mctn_pitch pitch, rv_pitch_measure measure)
{
    const rv_mctn_config c = { .n_sources = 2,
                               .sample_rate = 8000,
                               .hop = 8,
                               .filters = 5,
                               .kernel = 11,
                               .bottleneck = 4,
                               .hidden = 6,
                               .taps = 3,
                               .blocks = 2,
                               .repeats = 2,
                               .pitch = pitch,
                               .depth = 7,
                               .f0_min = 60,
                               .f0_max = 900,
                               .loudness_mean = -30,
                               .loudness_spread = 10 };
    const rv_feature_loss l = { 0.3, measure, 2, measure != RV_PITCH_HERTZ };
    const rv_mctn_features f = rv_mctn(b, &c, rv_input(b->graph, RV_SHAPE(2, 48)));
    const rv_feature_targets target = {
        .f0 = rv_scale(rv_input(b->graph, f.f0->shape), 50, 200),
        .loudness = rv_scale(rv_input(b->graph, f.f0->shape), 10, -40),
        .voiced = rv_input(b->graph, f.f0->shape),
    };
    rv_node *loss = rv_reshape(rv_loss_features(&l, &c, &f, &target), RV_SHAPE(1, 1));
    rv_node *pitches = rv_reshape(rv_hz_to_midi(f.f0), RV_SHAPE(1, 2 * 6 * 2));
    rv_node *levels = rv_reshape(f.loudness, RV_SHAPE(1, 2 * 6 * 2));
    return rv_concat(1, 3, (rv_node *[]){ loss, pitches, levels });
}

static rv_node *build_mctn(nn_builder *b)
{
    return build_mctn_of(b, RV_MCTN_MIDI, RV_PITCH_HERTZ);
}

static rv_node *build_mctn_softmax(nn_builder *b)
{
    return build_mctn_of(b, RV_MCTN_SOFTMAX, RV_PITCH_LIKELIHOOD);
}

MODEL(mctn_ddsp, 40, NUMBER("audio_channels", 1), NUMBER("samplerate", 8000), NUMBER("hop", 8),
      NUMBER("N", 5), NUMBER("B", 4), NUMBER("H", 6), NUMBER("X", 2), NUMBER("depth", 7),
      TEXT("pitch", "softmax"), NUMBER("hidden_size", 4), NUMBER("layers", 1),
      NUMBER("n_harmonic", 3), NUMBER("n_bands", 4), NUMBER("z", 2), NUMBER("z_hidden", 3),
      NUMBER("loudness_mean", -40), NUMBER("segment", 0.01))

static const rv_ast_config tiny_ast = { .width = 6,
                                        .layers = 2,
                                        .heads = 2,
                                        .patch = 4,
                                        .stride_frequency = 3,
                                        .stride_time = 2,
                                        .grid_frequency = 3,
                                        .grid_time = 2,
                                        .colours = 3 };

/* Two patches of three bands, and three of two steps, whose positions are cut and stretched. */
static rv_node *build_ast(nn_builder *b)
{
    rv_node *x = rv_input(b->graph, RV_SHAPE(2, 8, 7));
    const rv_ast_tokens y = rv_ast(b, &tiny_ast, x);
    const size_t n = rv_extent(y.patches, 1) * rv_extent(y.patches, 2);
    rv_node *all = rv_reshape(y.patches, RV_SHAPE(2, n, 6));
    return rv_concat(1, 2, (rv_node *[]){ rv_reshape(y.pooled, RV_SHAPE(2, 1, 6)), all });
}

static const rv_ast_head_config tiny_head = { 8000, 3, 3, 4, 60, 4, false };

/* Both heads, for clips and for steps. */
static rv_node *build_ast_heads(nn_builder *b)
{
    rv_node *clip = rv_input(b->graph, RV_SHAPE(2, 3)),
            *each = rv_input(b->graph, RV_SHAPE(2, 4, 3));
    rv_node *noise = rv_input(b->graph, RV_SHAPE(2, 40));
    rv_node *x = nn_linear(b, "clip", clip, rv_ast_clip_size(&tiny_head), true);
    rv_node *y = nn_linear(b, "steps", each, rv_ast_step_size(&tiny_head), true);
    return rv_concat(1, 2,
                     (rv_node *[]){ rv_ast_clip_audio(&tiny_head, x, noise),
                                    rv_ast_steps_audio(&tiny_head, y, noise) });
}

/* Values that a training would reach: what starts at 0 or close to it hides what lies behind. */
static void fill_parameter(const nn_param *p, real *to)
{
    const double start = p->start.value;
    nn_initialise(p, 1, to);
    for (size_t i = 0; i < rv_shape_count(&p->node->shape) && p->start.kind == NN_FILL; i++) {
        const double u = 2 * rv_rng_uniform(2, (uint64_t)p->node->order, i) - 1;
        to[i] = fabs(start) < 0.1 ? 0.3 * u : start * (1 + 0.3 * u);
    }
}

static void open_network(network *n, build_fn *build, bool training)
{
    rv_error err = { 0 };
    CHECK_OK(rv_graph_new(&n->graph, NULL, &err), err);
    nn_begin(&n->nn, n->graph);
    n->nn.training = training;
    n->out = rv_output(build(&n->nn));
    n->form = rv_input(n->graph, n->out->shape);
    n->loss = rv_output(rv_sum(rv_mul(n->out, n->form)));
    CHECK_OK(rv_graph_status(n->graph, &err), err);
}

static void differentiate(network *n)
{
    rv_node *wrt[MOST_PARAMS];
    size_t i = 0;
    CHECK(n->nn.n_params <= MOST_PARAMS);
    for (const nn_param *p = n->nn.params; p; p = p->next)
        wrt[i++] = p->node;
    rv_grad(n->loss, wrt, n->gradient, i);
}

static void plan_network(network *n, real *values)
{
    rv_error err = { 0 };
    CHECK_OK(rv_plan_new(&n->plan, n->graph, NULL, &err), err);
    for (const nn_param *p = n->nn.params; p; p = p->next) {
        rv_plan_bind(n->plan, p->node, values);
        values += rv_shape_count(&p->node->shape);
    }
    for (const rv_node *v = n->graph->first; v; v = v->next)
        for (size_t i = 0; v->leaf == RV_INPUT && i < rv_shape_count(&v->shape); i++)
            rv_value(n->plan, v)[i] = 2 * rv_rng_uniform(3, rv_shape_count(&v->shape), i) - 1;
}

static double loss_of(const network *n)
{
    rv_plan_run(n->plan);
    return *rv_value(n->plan, n->loss);
}

static void open_subject(subject *s, const char *name, build_fn *build, bool training)
{
    *s = (subject){ .name = name };
    open_network(&s->derived, build, training);
    open_network(&s->plain, build, training);
    differentiate(&s->derived);
    real *at = s->values = calloc(nn_count(&s->plain.nn), sizeof *s->values);
    for (const nn_param *p = s->plain.nn.params; p; p = p->next) {
        fill_parameter(p, at);
        at += rv_shape_count(&p->node->shape);
    }
    plan_network(&s->derived, s->values);
    plan_network(&s->plain, s->values);
    CHECK_CLOSE(loss_of(&s->derived), loss_of(&s->plain), 0);
    for (size_t i = 0; i < rv_shape_count(&s->plain.out->shape); i++)
        s->size += fabs(rv_value(s->plain.plan, s->plain.out)[i] *
                        rv_value(s->plain.plan, s->plain.form)[i]);
}

static void close_subject(subject *s)
{
    network *const both[] = { &s->derived, &s->plain };
    for (int i = 0; i < 2; i++) {
        rv_plan_free(both[i]->plan);
        rv_graph_free(both[i]->graph);
    }
    free(s->values);
}

/* Probing ---------------------------------------------------------------------------------- */

/* f at values + step * direction, for `n` values */
static double loss_at(const subject *s, real *values, const real *from, const real *direction,
                      size_t n, double step)
{
    for (size_t i = 0; i < n; i++)
        values[i] = from[i] + step * direction[i];
    return loss_of(&s->plain);
}

static double difference(const subject *s, real *values, const real *from, const real *direction,
                         size_t n, double h)
{
    const double near =
        loss_at(s, values, from, direction, n, h) - loss_at(s, values, from, direction, n, -h);
    const double far = loss_at(s, values, from, direction, n, 2 * h) -
                       loss_at(s, values, from, direction, n, -2 * h);
    return (8 * near - far) / (12 * h);
}

/* The derivative `slope` along a direction against differences, with ever smaller steps. */
static void check_direction(subject *s, const nn_param *p, real *values, const real *direction,
                            double slope)
{
    const size_t n = rv_shape_count(&p->node->shape);
    const double scale = fmax(fabs(slope), LEAST * s->size);
    real *from = memcpy(malloc(n * sizeof *from), values, n * sizeof *from);
    double error = 1e30;
    for (size_t k = 0; k < N_STEPS && !(error <= TOLERANCE); k++) {
        const double found = difference(s, values, from, direction, n, steps[k]);
        error = fmin(error, fabs(found - slope) / scale);
        s->n_retried += k > 0;
    }
    memcpy(values, from, n * sizeof *from);
    free(from);
    s->n_probes++;
    s->worst = fmax(s->worst, error);
    CHECK_MSG(error <= TOLERANCE, "%s: the derivative by %s is off by %.2g (%.6g)", s->name,
              p->name, error, slope);
}

/* Along a direction of length 1 on which every element's derivative counts with the same sign. */
static void check_all(subject *s, const nn_param *p, real *values, const real *gradient)
{
    const size_t n = rv_shape_count(&p->node->shape);
    real *direction = calloc(n, sizeof *direction);
    double slope = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = 0.5 + rv_rng_uniform(4, (uint64_t)p->node->order, i);
        direction[i] = gradient[i] < 0 ? -d : d;
        square += d * d;
    }
    for (size_t i = 0; i < n; i++) {
        direction[i] /= sqrt(square);
        slope += direction[i] * gradient[i];
    }
    check_direction(s, p, values, direction, slope);
    free(direction);
}

/* The first element, the one whose derivative is largest, and another. */
static void check_elements(subject *s, const nn_param *p, real *values, const real *gradient)
{
    const size_t n = rv_shape_count(&p->node->shape);
    size_t which[N_ELEMENTS] = { 0, 0, n / 2 };
    for (size_t i = 0; i < n; i++)
        which[1] = fabs(gradient[i]) > fabs(gradient[which[1]]) ? i : which[1];
    real *direction = calloc(n, sizeof *direction);
    for (size_t k = 0; k < N_ELEMENTS && k < n; k++) {
        direction[which[k]] = 1;
        check_direction(s, p, values, direction, gradient[which[k]]);
        direction[which[k]] = 0;
    }
    free(direction);
}

static void check_model(const char *name, build_fn *build, bool training)
{
    subject s;
    open_subject(&s, name, build, training);
    real *values = s.values;
    size_t i = 0;
    for (const nn_param *p = s.plain.nn.params; p; p = p->next, i++) {
        const real *gradient = rv_value(s.derived.plan, s.derived.gradient[i]);
        check_all(&s, p, values, gradient);
        check_elements(&s, p, values, gradient);
        values += rv_shape_count(&p->node->shape);
    }
    printf("# %-12s %zu derivatives by %zu parameters within %.1e, %zu smaller steps\n", name,
           s.n_probes, s.plain.nn.n_params, s.worst, s.n_retried);
    close_subject(&s);
}

#define CASE(name)                               \
    TEST(test_##name)                            \
    {                                            \
        check_model(#name, build_##name, false); \
    }
/* Models with batch normalisation have another form in which they are trained. */
#define CASE_IN_TRAINING(name)                              \
    TEST(test_##name##_in_training)                         \
    {                                                       \
        check_model(#name " training", build_##name, true); \
    }
CASE(conv_tasnet)
CASE(demucs_v2)
CASE(hdemucs)
CASE(htdemucs)
CASE(decoder)
CASE(sinusoidal_encoder)
CASE(inverse_losses)
CASE(ast)
CASE(ast_heads)
CASE(autoencoder)
CASE(autoencoder_pytorch)
CASE(stem_decoder)
CASE(mask_eq)
CASE(mctn)
CASE(mctn_softmax)
CASE(mctn_ddsp)
CASE(open_unmix)
CASE(ravel_s)
CASE(bsrnn)
CASE_IN_TRAINING(open_unmix)
CASE(mmdenselstm)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv_tasnet),
        cmocka_unit_test(test_demucs_v2),
        cmocka_unit_test(test_hdemucs),
        cmocka_unit_test(test_htdemucs),
        cmocka_unit_test(test_decoder),
        cmocka_unit_test(test_sinusoidal_encoder),
        cmocka_unit_test(test_inverse_losses),
        cmocka_unit_test(test_ast),
        cmocka_unit_test(test_ast_heads),
        cmocka_unit_test(test_autoencoder),
        cmocka_unit_test(test_autoencoder_pytorch),
        cmocka_unit_test(test_stem_decoder),
        cmocka_unit_test(test_mask_eq),
        cmocka_unit_test(test_mctn),
        cmocka_unit_test(test_mctn_softmax),
        cmocka_unit_test(test_mctn_ddsp),
        cmocka_unit_test(test_open_unmix),
        cmocka_unit_test(test_ravel_s),
        cmocka_unit_test(test_bsrnn),
        cmocka_unit_test(test_mmdenselstm),
        cmocka_unit_test(test_open_unmix_in_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
