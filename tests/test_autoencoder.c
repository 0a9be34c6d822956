/* test_autoencoder.c - the DDSP autoencoder against ddsp_pytorch and ddsp, with gradients, and its
 * encoders against ddsp (tools/make_golden_autoencoder.py); sizes of the published models;
 * arguments; batches, threads and cuts that do not change the result. */
#include "base/rng.h"
#include "check.h"
#include "ddsp/reverb.h"
#include "io/checkpoint.h"
#include "models/ddsp_autoencoder.h"
#include "models/ddsp_encoders.h"

#include <stdlib.h>
#include <string.h>

/* A graph, its parameters and a plan. */
typedef struct {
    rv_graph *graph;
    nn_builder nn;
    rv_plan *plan;
    real *values;
} network;

static network network_new(void)
{
    network n = { 0 };
    rv_error err = { 0 };
    CHECK_OK(rv_graph_new(&n.graph, NULL, &err), err);
    return n;
}

static void network_free(network *n)
{
    rv_plan_free(n->plan);
    rv_graph_free(n->graph);
    free(n->values);
}

static void network_plan(network *n, rv_pool *pool)
{
    rv_error err = { 0 };
    const rv_plan_options options = { .pool = pool, .isa_mask = KERN_ISA_ALL };
    CHECK_OK(rv_graph_status(n->graph, &err), err);
    CHECK_OK(rv_plan_new(&n->plan, n->graph, &options, &err), err);
    real *at = n->values = calloc(nn_count(&n->nn) + 1, sizeof *n->values);
    for (const nn_param *p = n->nn.params; p; p = p->next) {
        rv_plan_bind(n->plan, p->node, at);
        nn_initialise(p, 3, at);
        at += rv_shape_count(&p->node->shape);
    }
}

static rv_checkpoint *open_golden(const char *name)
{
    char path[512];
    rv_error err = { 0 };
    rv_checkpoint *c;
    const char *root = getenv("RV_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/golden/%s", root ? root : ".", name);
    CHECK_OK(rv_checkpoint_open(&c, path, &err), err);
    return c;
}

/* [n] values of that tensor */
static void read_tensor(const rv_checkpoint *c, const char *prefix, const char *name, size_t n,
                        real *to)
{
    char full[300];
    rv_error err = { 0 };
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const rv_tensor *t = rv_checkpoint_find(c, full);
    CHECK_MSG(t && t->count == n, "%s: %zu values, expected %zu", full, t ? t->count : 0, n);
    CHECK_OK(rv_checkpoint_read(c, t, to, &err), err);
}

static void read_parameters(network *n, const rv_checkpoint *c, const char *prefix)
{
    real *at = n->values;
    for (const nn_param *p = n->nn.params; p; p = p->next) {
        const size_t count = rv_shape_count(&p->node->shape);
        read_tensor(c, prefix, p->name, count, at);
        at += count;
    }
}

static void read_input(const network *n, rv_node *in, const rv_checkpoint *c, const char *prefix,
                       const char *name)
{
    read_tensor(c, prefix, name, rv_shape_count(&in->shape), rv_value(n->plan, in));
}

/* x against a tensor, relative to its peak */
static void check_tensor(const network *n, rv_node *x, const rv_checkpoint *c, const char *prefix,
                         const char *name)
{
    const size_t count = rv_shape_count(&x->shape);
    const real *is = rv_value(n->plan, x);
    real *want = malloc(count * sizeof *want);
    double off = 0, peak = 0;
    read_tensor(c, prefix, name, count, want);
    for (size_t i = 0; i < count; i++) {
        const double d = fabs((double)is[i] - (double)want[i]);
        off = d <= off ? off : d; /* keeps NaN */
        peak = fmax(peak, fabs((double)want[i]));
    }
    printf("# %s%s: within %.1e of the peak %.3g\n", prefix, name, off / peak, peak);
    CHECK_MSG(off <= 1e-5 * peak, "%s%s: off by %.2e of %.2e", prefix, name, off, peak);
    free(want);
}

/* Golden values ------------------------------------------------------------------------ */

#define NUMBER(key, value)                                  \
    {                                                       \
        .name = key, .kind = RV_ARG_NUMBER, .number = value \
    }
#define TEXT(key, value)                                \
    {                                                   \
        .name = key, .kind = RV_ARG_TEXT, .text = value \
    }
#define ARGS(...)                                                                                 \
    &(rv_args)                                                                                    \
    {                                                                                             \
        (const rv_arg[]){ __VA_ARGS__ }, sizeof((const rv_arg[]){ __VA_ARGS__ }) / sizeof(rv_arg) \
    }

static rv_autoencoder_config configured(const rv_args *args)
{
    rv_autoencoder_config c;
    rv_error err = { 0 };
    CHECK_OK(rv_autoencoder_configure(&c, args, &err), err);
    return c;
}

static rv_autoencoder_inputs new_inputs(rv_graph *g, const rv_autoencoder_config *c, size_t batch,
                                        size_t frames)
{
    rv_autoencoder_inputs in = { .f0 = rv_input(g, RV_SHAPE(batch, frames, 1)),
                                 .loudness = rv_input(g, RV_SHAPE(batch, frames, 1)),
                                 .noise = rv_input(g, RV_SHAPE(batch, frames * c->hop)) };
    if (c->z_encoder == RV_Z_MFCC_RNN)
        in.mfcc = rv_input(g, RV_SHAPE(batch, frames, RV_AUTOENCODER_MFCC));
    if (c->f0_encoder == RV_F0_LEARNED)
        in.mel = rv_input(g, RV_SHAPE(batch, frames, c->features.mel_bands));
    if (c->reverb == RV_REVERB_DECAY || c->reverb == RV_REVERB_NOISE)
        in.reverb_noise = rv_input(g, RV_SHAPE(1, c->reverb_length));
    return in;
}

static void check_pytorch(const char *prefix, size_t frames)
{
    const rv_autoencoder_config c = configured(
        ARGS(TEXT("style", "ddsp_pytorch"), NUMBER("hidden_size", 8), NUMBER("n_harmonic", 6),
             NUMBER("n_bands", 5), NUMBER("sampling_rate", 1000), NUMBER("block_size", 16)));
    network n = network_new();
    nn_begin(&n.nn, n.graph);
    const rv_autoencoder_inputs in = new_inputs(n.graph, &c, 2, frames);
    rv_node *audio = rv_output(rv_autoencoder(&n.nn, &c, &in).audio);
    network_plan(&n, NULL);
    rv_checkpoint *weights = open_golden("autoencoder.pth");
    rv_checkpoint *golden = open_golden("autoencoder_pytorch.safetensors");
    read_parameters(&n, weights, "");
    read_input(&n, in.f0, golden, prefix, "f0");
    read_input(&n, in.loudness, golden, prefix, "loudness");
    read_input(&n, in.noise, golden, prefix, "noise");
    rv_plan_run(n.plan);
    check_tensor(&n, audio, golden, prefix, "audio");
    rv_checkpoint_free(weights);
    rv_checkpoint_free(golden);
    network_free(&n);
}

TEST(test_as_ddsp_pytorch)
{
    check_pytorch("short.", 30);
    check_pytorch("long.", 70);
}

/* From features to audio, and the gradient of the sum of `audio projection` by every weight. */
TEST(test_as_ddsp)
{
    enum { MOST = 64, ITEMS = 2, FRAMES = 12 };
    const rv_autoencoder_config c = configured(
        ARGS(TEXT("style", "ddsp"), NUMBER("hidden_size", 8), NUMBER("layers", 2),
             NUMBER("n_harmonic", 6), NUMBER("n_bands", 9), NUMBER("hop", 32), NUMBER("z", 3),
             TEXT("z_encoder", "mfcc_rnn"), NUMBER("reverb_length", 100)));
    network n = network_new();
    nn_begin(&n.nn, n.graph);
    rv_autoencoder_inputs in = new_inputs(n.graph, &c, ITEMS, FRAMES);
    in.z = rv_input(n.graph, RV_SHAPE(ITEMS, FRAMES, 3));
    rv_node *audio = rv_output(rv_autoencoder(&n.nn, &c, &in).audio);
    rv_node *projection = rv_input(n.graph, audio->shape), *wrt[MOST], *gradient[MOST];
    size_t count = 0;
    for (const nn_param *p = n.nn.params; p && count < MOST; p = p->next)
        wrt[count++] = p->node;
    CHECK(count == n.nn.n_params);
    rv_grad(rv_sum(rv_mul(audio, projection)), wrt, gradient, count);
    for (size_t i = 0; i < count; i++)
        rv_output(gradient[i]);
    network_plan(&n, NULL);
    rv_checkpoint *golden = open_golden("autoencoder_rnn_fc.safetensors");
    read_parameters(&n, golden, "");
    read_input(&n, in.f0, golden, "", "f0");
    read_input(&n, in.loudness, golden, "", "loudness");
    read_input(&n, in.z, golden, "", "z");
    read_input(&n, in.noise, golden, "", "noise");
    read_input(&n, projection, golden, "", "projection");
    rv_plan_run(n.plan);
    check_tensor(&n, audio, golden, "", "audio");
    count = 0;
    for (const nn_param *p = n.nn.params; p; p = p->next)
        check_tensor(&n, gradient[count++], golden, "gradient.", p->name);
    rv_checkpoint_free(golden);
    network_free(&n);
}

/* What the synthesisers are told. */
TEST(test_decoder_as_ddsp)
{
    const rv_autoencoder_config c =
        configured(ARGS(NUMBER("hidden_size", 8), NUMBER("layers", 2), NUMBER("n_harmonic", 6),
                        NUMBER("n_bands", 9), NUMBER("z", 3), TEXT("z_encoder", "mfcc_rnn")));
    network n = network_new();
    nn_begin(&n.nn, n.graph);
    rv_node *f0 = rv_input(n.graph, RV_SHAPE(2, 12, 1)), *z = rv_input(n.graph, RV_SHAPE(2, 12, 3));
    rv_node *loudness = rv_input(n.graph, RV_SHAPE(2, 12, 1));
    const rv_decoder_heads heads =
        rv_decoder(&n.nn, &c.decoder, f0, rv_scale(loudness, 1 / 80.0, 1), z);
    rv_output(heads.harmonic);
    rv_output(heads.noise);
    network_plan(&n, NULL);
    rv_checkpoint *golden = open_golden("autoencoder_rnn_fc.safetensors");
    read_parameters(&n, golden, "");
    read_input(&n, f0, golden, "", "f0");
    read_input(&n, loudness, golden, "", "loudness");
    read_input(&n, z, golden, "", "z");
    rv_plan_run(n.plan);
    check_tensor(&n, heads.harmonic, golden, "", "head.harmonic");
    check_tensor(&n, heads.noise, golden, "", "head.noise");
    rv_checkpoint_free(golden);
    network_free(&n);
}

TEST(test_encoders_as_ddsp)
{
    static const rv_resnet_config small = { 3, 1, { 2, 1, 1, 1 } };
    network n = network_new();
    nn_begin(&n.nn, n.graph);
    rv_node *mfcc = rv_input(n.graph, RV_SHAPE(2, 9, 30));
    rv_node *mel = rv_input(n.graph, RV_SHAPE(2, 8, 37));
    size_t mark = nn_enter(&n.nn, "z_encoder");
    rv_node *z = rv_output(rv_encode_timbre(&n.nn, mfcc, 5, 4, 24));
    nn_leave(&n.nn, mark);
    mark = nn_enter(&n.nn, "f0_encoder");
    rv_node *f0 = rv_output(rv_encode_pitch(&n.nn, &small, mel, 16, 24));
    nn_leave(&n.nn, mark);
    network_plan(&n, NULL);
    rv_checkpoint *golden = open_golden("autoencoder_ddsp.safetensors");
    read_parameters(&n, golden, "");
    read_input(&n, mfcc, golden, "", "mfcc");
    read_input(&n, mel, golden, "", "mel");
    rv_plan_run(n.plan);
    check_tensor(&n, z, golden, "", "z");
    check_tensor(&n, f0, golden, "", "f0");
    rv_checkpoint_free(golden);
    network_free(&n);
}

/* Sizes -------------------------------------------------------------------------------- */

static size_t parameters_of(const rv_args *args)
{
    const rv_autoencoder_config c = configured(args);
    rv_error err = { 0 };
    network n = network_new();
    nn_begin(&n.nn, n.graph);
    const rv_autoencoder_inputs in = new_inputs(n.graph, &c, 1, 5);
    rv_autoencoder(&n.nn, &c, &in);
    CHECK_OK(rv_graph_status(n.graph, &err), err);
    const size_t count = nn_count(&n.nn);
    network_free(&n);
    return count;
}

/* ddsp_pytorch counts its two equal MLPs of 529,408 once. */
TEST(test_sizes_of_published_models)
{
    CHECK(parameters_of(ARGS(TEXT("style", "ddsp_pytorch"))) == 3785000 + 529408);
    CHECK(parameters_of(ARGS(TEXT("style", "ddsp"))) == 4801150 + 48000);
    const size_t decoder = 6407334, timbre = 843852, resnet = 23522688, dense = 524416;
    CHECK(parameters_of(ARGS(NUMBER("n_harmonic", 100), TEXT("reverb", "none"),
                             TEXT("z_encoder", "mfcc_rnn"))) == decoder + timbre);
    CHECK(parameters_of(ARGS(NUMBER("n_harmonic", 100), TEXT("reverb", "none"),
                             TEXT("z_encoder", "mfcc_rnn"), TEXT("f0_encoder", "learned"),
                             NUMBER("mel_bands", 64))) == decoder + timbre + resnet + dense);
    CHECK(rv_resnet_sized("small").channels == 32 && rv_resnet_sized("huge").channels == 0);
}

/* Arguments ---------------------------------------------------------------------------- */

TEST(test_defaults_follow_the_style)
{
    const rv_autoencoder_config ddsp = configured(&(rv_args){ 0 });
    CHECK(ddsp.style == RV_STYLE_DDSP && ddsp.hop == 64 && ddsp.decoder.n_harmonic == 60);
    CHECK(ddsp.decoder.wide && ddsp.loudness_scale == RV_LOUDNESS_DECIBELS && ddsp.decoder.z == 0);
    CHECK(ddsp.reverb == RV_REVERB_LEARNED && ddsp.reverb_length == 48000);
    CHECK(ddsp.decoder.slope == 0.2 && ddsp.decoder.norm_eps == 1e-3);
    const rv_autoencoder_config paper = configured(ARGS(TEXT("activation", "relu")));
    CHECK(paper.decoder.slope == 0 && paper.decoder.norm_eps == 1e-3);
    CHECK(ddsp.features.loudness == RV_LOUDNESS_DDSP && ddsp.features.tracker == RV_TRACKER_PYIN);
    const rv_autoencoder_config torch =
        configured(ARGS(TEXT("style", "ddsp_pytorch"), NUMBER("loudness_mean", -3)));
    CHECK(torch.hop == 160 && torch.decoder.n_harmonic == 100 && !torch.decoder.wide);
    CHECK(torch.reverb == RV_REVERB_WET && torch.reverb_length == 16000);
    CHECK(torch.loudness_scale == RV_LOUDNESS_STANDARD && torch.loudness_mean == -3);
    CHECK(torch.decoder.slope == 0.01 && torch.decoder.norm_eps == 1e-5);
    CHECK(torch.features.loudness == RV_LOUDNESS_DDSP_PYTORCH);
}

static void check_refused(const rv_args *args, const char *text)
{
    rv_autoencoder_config c;
    rv_error err = { 0 };
    CHECK(rv_autoencoder_configure(&c, args, &err) != RV_OK);
    CHECK_MSG(strstr(err.text, text) != NULL, "%s: expected %s", err.text, text);
}

TEST(test_bad_arguments)
{
    check_refused(ARGS(TEXT("style", "wavenet")), "style is wavenet, one of ddsp, ddsp_pytorch is");
    check_refused(ARGS(NUMBER("n_bands", 1)), "n_bands is 1, from 2 to");
    check_refused(ARGS(NUMBER("hop", 0.5)), "hop is 0.5");
    check_refused(ARGS(NUMBER("loudness_std", 0)), "loudness_std");
    check_refused(ARGS(NUMBER("f0_max", 50)), "f0_max");
    check_refused(ARGS(NUMBER("chunks", 1)), "chunks is not known");
    check_refused(ARGS(TEXT("reverb", "noise"), NUMBER("reverb_length", 100)), "reverb_frames");
}

/* Every input that does not fit is named. */
TEST(test_bad_inputs)
{
    static const char *const expected[] = { "loudness", "f0", "noise", "MFCC", "voice", "phase" };
    const rv_autoencoder_config c =
        configured(ARGS(NUMBER("hidden_size", 4), TEXT("z_encoder", "mfcc_rnn")));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        rv_error err = { 0 };
        network n = network_new();
        nn_begin(&n.nn, n.graph);
        rv_autoencoder_inputs in = new_inputs(n.graph, &c, 2, 5);
        rv_node *bad = rv_input(n.graph, RV_SHAPE(2, 5, 2));
        rv_node **const which[] = {
            &in.loudness, &in.f0, &in.noise, &in.mfcc, &in.voice, &in.phase
        };
        *which[i] = bad;
        rv_autoencoder(&n.nn, &c, &in);
        CHECK(rv_graph_status(n.graph, &err) == RV_ERR_SHAPE && strstr(err.text, expected[i]));
        network_free(&n);
    }
}

/* What must not matter ----------------------------------------------------------------- */

enum { FRAMES = 12, HOP = 20, SAMPLES = FRAMES * HOP };

static rv_autoencoder_config tiny(const char *style, const char *reverb)
{
    return configured(ARGS(TEXT("style", style), TEXT("reverb", reverb), NUMBER("hidden_size", 6),
                           NUMBER("layers", 2), NUMBER("n_harmonic", 5), NUMBER("n_bands", 9),
                           NUMBER("sample_rate", 8000), NUMBER("hop", HOP), NUMBER("z", 3),
                           NUMBER("reverb_length", 50), NUMBER("reverb_frames", 4),
                           TEXT("z_encoder", "mfcc_rnn"), NUMBER("z_hidden", 5)));
}

/* Item i of an input is the same whatever the batch. */
static void fill(const network *n, rv_node *in, uint64_t stream, real centre, real range)
{
    for (size_t i = 0; in && i < rv_shape_count(&in->shape); i++)
        rv_value(n->plan, in)[i] = centre + range * (real)(2 * rv_rng_uniform(8, stream, i) - 1);
}

static void fill_inputs(const network *n, const rv_autoencoder_inputs *in)
{
    fill(n, in->f0, 1, 300, 100);
    fill(n, in->loudness, 2, -40, 20);
    fill(n, in->mfcc, 3, 0, 3);
    fill(n, in->noise, 4, 0, 1);
    fill(n, in->reverb_noise, 5, 0, 1);
}

/* [batch,SAMPLES] of a tiny model, for the caller to free */
static real *render(const rv_autoencoder_config *c, size_t batch, int threads)
{
    rv_error err = { 0 };
    rv_pool *pool;
    network n = network_new();
    nn_begin(&n.nn, n.graph);
    const rv_autoencoder_inputs in = new_inputs(n.graph, c, batch, FRAMES);
    rv_node *audio = rv_output(rv_autoencoder(&n.nn, c, &in).audio);
    CHECK_OK(rv_pool_new(&pool, threads, NULL, &err), err);
    network_plan(&n, pool);
    fill_inputs(&n, &in);
    rv_plan_run(n.plan);
    const size_t bytes = batch * SAMPLES * sizeof(real);
    real *copy = memcpy(malloc(bytes), rv_value(n.plan, audio), bytes);
    network_free(&n);
    rv_pool_free(pool);
    return copy;
}

TEST(test_batches_and_threads)
{
    static const char *const reverbs[] = { "none", "learned", "decay", "noise", "wet" };
    for (size_t i = 0; i < 5; i++) {
        const rv_autoencoder_config c = tiny(i < 4 ? "ddsp" : "ddsp_pytorch", reverbs[i]);
        real *one = render(&c, 1, 1), *three = render(&c, 3, 1), *threads = render(&c, 3, 3);
        double off = 0, peak = 0;
        for (size_t t = 0; t < SAMPLES; t++) {
            off = fmax(off, fabs((double)one[t] - (double)three[t]));
            peak = fmax(peak, fabs((double)one[t]));
        }
        CHECK_MSG(off <= 1e-6 * peak && peak > 1e-4, "%s: %g of %g", reverbs[i], off, peak);
        CHECK(!memcmp(three, threads, 3 * SAMPLES * sizeof *three));
        free(one);
        free(three);
        free(threads);
    }
}

/* With `voice` 0 there are no harmonics; half a turn later they have the other sign where only odd
 * ones are heard. */
TEST(test_voice_and_phase)
{
    rv_autoencoder_config c = tiny("ddsp", "none");
    c.decoder.n_harmonic = 1;
    real *before = NULL;
    for (int i = 0; i < 3; i++) {
        network n = network_new();
        nn_begin(&n.nn, n.graph);
        rv_autoencoder_inputs in = new_inputs(n.graph, &c, 1, FRAMES);
        in.voice = rv_input(n.graph, RV_SHAPE(1, FRAMES, 1));
        in.phase = rv_input(n.graph, RV_SHAPE(1, 1));
        const rv_autoencoder_signals s = rv_autoencoder_dry(&n.nn, &c, &in);
        rv_output(s.harmonic_audio);
        network_plan(&n, NULL);
        fill_inputs(&n, &in);
        fill(&n, in.voice, 0, i == 2 ? 0 : 1, 0);
        fill(&n, in.phase, 0, i == 1 ? 0.5F : 0, 0);
        rv_plan_run(n.plan);
        const real *y = rv_value(n.plan, s.harmonic_audio);
        if (!before)
            before = memcpy(malloc(SAMPLES * sizeof *y), y, SAMPLES * sizeof *y);
        for (size_t t = 0; t < SAMPLES; t++)
            CHECK_CLOSE(y[t], i == 2 ? 0 : i == 1 ? -before[t] : before[t], 1e-6);
        network_free(&n);
    }
    free(before);
}

/* Two halves, the second from the first one's state, are the whole: bit for bit. */
TEST(test_state_is_carried)
{
    const rv_autoencoder_config c = tiny("ddsp", "none");
    const size_t half = FRAMES / 2, width = c.decoder.hidden_size;
    real *whole = NULL, kept[6] = { 0 };
    for (size_t part = 0; part < 3; part++) { /* all, first half, second half */
        network n = network_new();
        nn_begin(&n.nn, n.graph);
        rv_autoencoder_inputs in = new_inputs(n.graph, &c, 1, part ? half : FRAMES);
        in.z = rv_input(n.graph, RV_SHAPE(1, part ? half : FRAMES, c.decoder.z));
        in.state = rv_input(n.graph, RV_SHAPE(1, width));
        const rv_autoencoder_signals s = rv_autoencoder_dry(&n.nn, &c, &in);
        rv_output(s.magnitudes);
        rv_output(s.state);
        network_plan(&n, NULL);
        const size_t frames = part ? half : FRAMES, first = part == 2 ? half : 0;
        for (size_t f = 0; f < frames; f++) {
            rv_value(n.plan, in.f0)[f] = 200 + 9 * (real)(first + f);
            rv_value(n.plan, in.loudness)[f] = -40 - 2 * (real)(first + f);
            for (size_t k = 0; k < 3; k++)
                rv_value(n.plan, in.z)[3 * f + k] = (real)(first + f) / 7 - (real)k;
        }
        memcpy(rv_value(n.plan, in.state), kept, sizeof kept);
        rv_plan_run(n.plan);
        const real *y = rv_value(n.plan, s.magnitudes);
        const size_t row = c.decoder.n_bands, bytes = frames * row * sizeof *y;
        if (part == 0)
            whole = memcpy(malloc(bytes), y, bytes);
        else
            memcpy(kept, rv_value(n.plan, s.state) + (frames - 1) * width, sizeof kept);
        CHECK_MSG(!memcmp(y, whole + first * row, bytes), "part %zu differs", part);
        network_free(&n);
    }
    free(whole);
}

TEST(test_given_state_has_no_gradient)
{
    const rv_autoencoder_config c = tiny("ddsp", "none");
    rv_error err = { 0 };
    network n = network_new();
    nn_begin(&n.nn, n.graph);
    rv_autoencoder_inputs in = new_inputs(n.graph, &c, 1, FRAMES);
    in.state = rv_input(n.graph, RV_SHAPE(1, c.decoder.hidden_size));
    rv_node *loss = rv_sum(rv_autoencoder_dry(&n.nn, &c, &in).audio), *gradient;
    rv_grad(loss, &n.nn.params->node, &gradient, 1);
    CHECK(rv_graph_status(n.graph, &err) == RV_ERR_UNSUPPORTED && strstr(err.text, "given state"));
    network_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_ddsp_pytorch),
        cmocka_unit_test(test_as_ddsp),
        cmocka_unit_test(test_decoder_as_ddsp),
        cmocka_unit_test(test_encoders_as_ddsp),
        cmocka_unit_test(test_sizes_of_published_models),
        cmocka_unit_test(test_defaults_follow_the_style),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_bad_inputs),
        cmocka_unit_test(test_batches_and_threads),
        cmocka_unit_test(test_voice_and_phase),
        cmocka_unit_test(test_state_is_carried),
        cmocka_unit_test(test_given_state_has_no_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
