/* test_autoencoder_play.c - playing in blocks: what one graph of the whole length gives, whatever
 * the block, in every style; windows of timbre and of pitch; memory of the room; bad checkpoints.
 */
#include "base/rng.h"
#include "infer/autoencoder_f0.h"
#include "infer/autoencoder_play.h"
#include "tiny_autoencoder.h"

enum {
    FRAMES = 75,
    SAMPLES = FRAMES * TINY_HOP,
    SAME = SAMPLES - TINY_HOP, /* in the last frame the controls go on, those of a graph stay */
    SEED = 9
};

/* Features by formula: of any number of frames. */
static float f0_at(size_t i)
{
    return 300 + 40 * sinf((float)i / 5) + (i > 40 ? 900 : 0);
}

static rv_status read_frames(void *ctx, size_t first, size_t n, float *f0, float *loudness,
                             float *voice, rv_error *err)
{
    (void)ctx;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        f0[i] = f0_at(first + i);
        loudness[i] = -40 + 15 * cosf((float)(first + i) / 7);
        voice[i] = 1;
    }
    return RV_OK;
}

static rv_status read_mfcc(void *ctx, size_t first, size_t n, float *mfcc, rv_error *err)
{
    (void)ctx;
    (void)err;
    for (size_t i = 0; i < n * RV_AUTOENCODER_MFCC; i++)
        mfcc[i] = (float)(4 * rv_rng_uniform(3, 0, first * RV_AUTOENCODER_MFCC + i) - 2);
    return RV_OK;
}

typedef struct {
    float *samples, *f0, *distribution;
    size_t n, frames;
} heard;

static rv_status take_audio(void *ctx, float *samples, size_t n, rv_error *err)
{
    heard *h = ctx;
    (void)err;
    memcpy(h->samples + h->n, samples, n * sizeof *samples);
    h->n += n;
    return RV_OK;
}

static rv_status take_controls(void *ctx, const rv_play_controls *c, rv_error *err)
{
    heard *h = ctx;
    (void)err;
    memcpy(h->f0 + h->frames, c->f0, c->n * sizeof *c->f0);
    memcpy(h->distribution + h->frames * TINY_HARMONICS, c->distribution,
           c->n * TINY_HARMONICS * sizeof *c->f0);
    h->frames += c->n;
    return RV_OK;
}

static void heard_free(heard *h)
{
    free(h->samples);
    free(h->f0);
    free(h->distribution);
}

static heard play(const rv_autoencoder_network *n, size_t frames, size_t samples, size_t block)
{
    heard h = { .samples = calloc(samples + 1, sizeof *h.samples),
                .f0 = calloc(frames, sizeof *h.f0),
                .distribution = calloc(frames * TINY_HARMONICS, sizeof *h.f0) };
    const rv_play_source source = {
        .frames = frames, .read = read_frames, .mfcc_rows = frames, .read_mfcc = read_mfcc
    };
    const rv_play_sink sink = { .audio = take_audio, .controls = take_controls, .ctx = &h };
    const rv_play_options options = { .harmonics_gain = 1,
                                      .noise_gain = 1,
                                      .room = true,
                                      .seed = SEED,
                                      .samples = samples,
                                      .block = block };
    rv_error err = { 0 };
    CHECK_OK(rv_autoencoder_play(n, &source, &sink, &options, &err), err);
    CHECK(h.n == samples && h.frames == frames);
    return h;
}

static rv_autoencoder_network *open_tiny(const tiny_args *a)
{
    rv_autoencoder_network *n = NULL;
    rv_error err = { 0 };
    write_tiny("model.safetensors", a, NULL);
    CHECK_OK(rv_autoencoder_network_open(&n, in_folder("model.safetensors"), NULL, &err), err);
    return n;
}

/* [SAMPLES] by one graph, to be freed */
static float *whole(const tiny_args *a)
{
    const rv_autoencoder_config c = tiny_config(a);
    rv_error err = { 0 };
    rv_graph *g;
    rv_plan *plan;
    nn_builder b;
    float voice[FRAMES];
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    nn_begin(&b, g);
    const rv_autoencoder_inputs in = tiny_inputs(g, &c, FRAMES);
    rv_node *audio = rv_output(rv_autoencoder(&b, &c, &in).audio);
    CHECK_OK(rv_graph_status(g, &err), err);
    CHECK_OK(rv_plan_new(&plan, g, NULL, &err), err);
    float *values = calloc(nn_count(&b), sizeof *values), *at = values;
    for (const nn_param *p = b.params; p; p = p->next) {
        nn_initialise(p, 4, at);
        rv_plan_bind(plan, p->node, at);
        at += rv_shape_count(&p->node->shape);
    }
    CHECK_OK(read_frames(NULL, 0, FRAMES, rv_value(plan, in.f0), rv_value(plan, in.loudness), voice,
                         &err),
             err);
    if (in.mfcc)
        CHECK_OK(read_mfcc(NULL, 0, FRAMES, rv_value(plan, in.mfcc), &err), err);
    rv_node *const noise[] = { in.noise, in.reverb_noise };
    for (uint64_t k = 0; k < 2; k++)
        for (size_t i = 0; rv_value(plan, noise[k]) && i < rv_shape_count(&noise[k]->shape); i++)
            rv_value(plan, noise[k])[i] = (float)(2 * rv_rng_uniform(SEED, k, i) - 1);
    rv_plan_run(plan);
    float *copy = malloc(SAMPLES * sizeof *copy);
    memcpy(copy, rv_value(plan, audio), SAMPLES * sizeof *copy);
    rv_plan_free(plan);
    rv_graph_free(g);
    free(values);
    return copy;
}

static double off(const float *a, const float *b, size_t n)
{
    double most = 0, peak = 1e-9;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        most = d <= most ? most : d;
        peak = fmax(peak, fabs((double)b[i]));
    }
    return most / peak;
}

static void check_blocks(const char *style, const char *reverb, const char *z)
{
    const tiny_args a = tiny_arguments(style, reverb, z);
    rv_autoencoder_network *n = open_tiny(&a);
    float *want = whole(&a);
    double worst = 0;
    static const size_t blocks[] = { 1, 7, 16, 1000, 0 };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        heard h = play(n, FRAMES, SAMPLES, blocks[i]);
        worst = fmax(worst, off(h.samples, want, SAME));
        for (size_t f = 0; f < FRAMES; f++) {
            double sum = 0;
            for (size_t k = 0; k < TINY_HARMONICS; k++)
                sum += (double)h.distribution[f * TINY_HARMONICS + k];
            CHECK_CLOSE(h.f0[f], f0_at(f), 1e-3);
            CHECK_CLOSE(sum, 1, 1e-5);
        }
        heard_free(&h);
    }
    printf("# %s, %s, %s: blocks within %.1e of the whole\n", style, reverb, z, worst);
    CHECK_MSG(worst <= 2e-5, "%s, %s, %s: off by %g", style, reverb, z, worst);
    free(want);
    rv_autoencoder_network_free(n);
}

TEST(test_blocks_are_the_whole)
{
    check_blocks("ddsp", "none", "none");
    check_blocks("ddsp", "learned", "none");
    check_blocks("ddsp", "decay", "none");
    check_blocks("ddsp", "noise", "mfcc_rnn");
    check_blocks("ddsp_pytorch", "wet", "none");
}

/* Windows of 4 s: 9.3 s have five of them. Blocks must not matter, nor the length of what comes
 * later, until the last window but one. */
TEST(test_timbre_of_long_sounds)
{
    enum { LONG = 1860, MORE = 2300, EQUAL = 1190 };
    const tiny_args a = tiny_arguments("ddsp", "none", "mfcc_rnn");
    rv_autoencoder_network *n = open_tiny(&a);
    heard one = play(n, LONG, (size_t)LONG * TINY_HOP, 100);
    heard two = play(n, LONG, (size_t)LONG * TINY_HOP, 37);
    heard more = play(n, MORE, (size_t)MORE * TINY_HOP, 100);
    CHECK(off(one.samples, two.samples, (size_t)LONG * TINY_HOP) < 2e-5);
    CHECK(off(one.samples, more.samples, (size_t)EQUAL * TINY_HOP) < 1e-6);
    CHECK(off(one.samples, more.samples, (size_t)LONG * TINY_HOP) > 1e-4);
    heard_free(&one);
    heard_free(&two);
    heard_free(&more);
    rv_autoencoder_network_free(n);
}

/* Pitch by the model --------------------------------------------------------------------------- */

/* A glide with overtones, [n] from sample `first` on. */
static void sing(float *x, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double t = (double)(first + i) / TINY_RATE, turns = t * (150 + 40 * t);
        x[i] = (float)(0.3 * sin(2 * M_PI * turns) + 0.2 * sin(6 * M_PI * turns));
    }
}

/* ctx: samples read. */
static rv_status read_song(void *ctx, float *samples, size_t n, rv_error *err)
{
    size_t *at = ctx;
    (void)err;
    sing(samples, *at, n);
    *at += n;
    return RV_OK;
}

/* f0 of window by window, to be freed; each sample is asked for once. */
static float *find_f0(const rv_autoencoder_network *n, size_t frames)
{
    size_t read = 0;
    float *f0 = calloc(frames + 1, sizeof *f0);
    rv_error err = { 0 };
    CHECK_OK(rv_autoencoder_find_f0(n, &(rv_f0_source){ read_song, &read }, frames, f0, NULL, &err),
             err);
    CHECK(read == frames * TINY_HOP);
    return f0;
}

/* Frames from .. to of f0 are those that the window at `start` gives. */
static void check_window(rv_autoencoder_pitch *window, const float *f0, size_t start, size_t from,
                         size_t to)
{
    sing(window->audio, start * TINY_HOP, window->frames * TINY_HOP);
    rv_autoencoder_piece_run(window->piece);
    CHECK_MSG(!memcmp(f0 + from, window->f0 + (from - start), (to - from) * sizeof *f0),
              "window at frame %zu", start);
}

/* 9.3 s: windows of 4 s, of which the middle half counts, and the ends. */
TEST(test_own_pitch_of_long_sounds)
{
    enum { WINDOW = 800, LONG = 1860, SHORT = 30 };
    const tiny_args a = tiny_own_f0(tiny_arguments("ddsp", "none", "none"));
    rv_autoencoder_network *n = open_tiny(&a);
    rv_autoencoder_pitch window;
    rv_error err = { 0 };
    CHECK_OK(rv_autoencoder_pitch_init(&window, n, WINDOW, NULL, &err), err);
    float *f0 = find_f0(n, LONG);
    check_window(&window, f0, 0, 0, 600);
    check_window(&window, f0, 400, 600, 1000);
    check_window(&window, f0, 800, 1000, 1400);
    check_window(&window, f0, LONG - WINDOW, 1400, LONG);
    for (size_t i = 1; i < LONG; i++) /* it is not the same everywhere, and has no gaps */
        CHECK(f0[i] > 20 && f0[i] < 12500 && f0[i] < 2 * f0[i - 1]);
    CHECK(fabsf(f0[100] - f0[1700]) > 0.01F);
    rv_autoencoder_piece_free(window.piece);
    free(f0);
    CHECK_OK(rv_autoencoder_pitch_init(&window, n, SHORT, NULL, &err), err);
    f0 = find_f0(n, SHORT);
    check_window(&window, f0, 0, 0, SHORT);
    rv_autoencoder_piece_free(window.piece);
    free(f0);
    free(find_f0(n, 1));
    rv_autoencoder_network_free(n);
}

/* Given f0 goes before. */
TEST(test_own_pitch_is_not_asked_where_f0_is_given)
{
    const tiny_args a = tiny_own_f0(tiny_arguments("ddsp", "none", "none"));
    rv_autoencoder_network *n = open_tiny(&a);
    heard h = play(n, FRAMES, SAMPLES, 16);
    for (size_t f = 0; f < FRAMES; f++)
        CHECK_CLOSE(h.f0[f], f0_at(f), 1e-3);
    heard_free(&h);
    rv_autoencoder_network_free(n);
}

TEST(test_fewer_samples_and_single_frames)
{
    const tiny_args a = tiny_arguments("ddsp", "learned", "mfcc_rnn");
    rv_autoencoder_network *n = open_tiny(&a);
    heard all = play(n, FRAMES, SAMPLES, 8), some = play(n, FRAMES, SAMPLES - 33, 8);
    CHECK(!memcmp(all.samples, some.samples, (SAMPLES - 33) * sizeof *all.samples));
    heard one = play(n, 1, TINY_HOP, 0), less = play(n, 1, 1, 0);
    CHECK(one.samples[0] == less.samples[0]);
    heard_free(&all);
    heard_free(&some);
    heard_free(&one);
    heard_free(&less);
    rv_autoencoder_network_free(n);
}

static void check_refused(const char *name, rv_status status, const char *text)
{
    rv_autoencoder_network *n = NULL;
    rv_error err = { 0 };
    CHECK(rv_autoencoder_network_open(&n, in_folder(name), NULL, &err) == status);
    CHECK_MSG(strstr(err.text, text) && strstr(err.text, name), "%s", err.text);
}

TEST(test_other_checkpoints)
{
    const float one = 1;
    const rv_tensor_source tensor = { "a", RV_F32, 1, { 1 }, &one };
    const tiny_args a = tiny_arguments("ddsp", "none", "none");
    rv_error err = { 0 };
    static const char *const classes[] = { "demucs.htdemucs.HTDemucs", "umx.Model",
                                           RV_AUTOENCODER_CLASS };
    static const char *const texts[] = { "that separates", "of the class 'umx.Model'",
                                         "in_mlps.0.0.weight" };
    for (size_t i = 0; i < 3; i++) {
        json_t *config = tiny_json(&a, classes[i]);
        CHECK_OK(rv_safetensors_write(in_folder("x.safetensors"), &tensor, 1, config, &err), err);
        json_decref(config);
        check_refused("x.safetensors", i < 2 ? RV_ERR_UNSUPPORTED : RV_ERR_SHAPE, texts[i]);
    }
    json_t *nothing = json_pack("{s:i}", "format_version", 1);
    CHECK_OK(rv_safetensors_write(in_folder("x.safetensors"), &tensor, 1, nothing, &err), err);
    json_decref(nothing);
    check_refused("x.safetensors", RV_ERR_IO, "config.yaml");
    write_tiny("odd.safetensors", &a, json_pack("{s:i}", "chunks", 3));
    check_refused("odd.safetensors", RV_ERR_UNSUPPORTED, "chunks");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_the_whole),
        cmocka_unit_test(test_timbre_of_long_sounds),
        cmocka_unit_test(test_own_pitch_of_long_sounds),
        cmocka_unit_test(test_own_pitch_is_not_asked_where_f0_is_given),
        cmocka_unit_test(test_fewer_samples_and_single_frames),
        cmocka_unit_test(test_other_checkpoints),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
