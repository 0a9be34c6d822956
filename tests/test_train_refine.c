/* test_train_refine.c - whole trainings of tiny networks that refine stems, from shards of
 * estimates: what starts as the stem is judged as the stem, learns to take away what does not
 * belong to it, and comes out of a file as it went in; runs go on bit by bit after an interruption.
 */
#include "io/audio_read.h"
#include "io/checkpoint.h"
#include "ravel/dataset.h"
#include "ravel/refine.h"
#include "train/stem_distance.h"
#include "training_runs.h"

#include <math.h>
#include <stdint.h>

enum { RATE = 4000, SECONDS = 6, SAMPLES = RATE * SECONDS };

static const char recipe[] =
    "model:\n"
    "  name: ddsp_demucs_mask_eq\n"
    "  arguments: {identity_start: true, alpha: 1, frame_rate: 62, n_bands: 33, window_size: 128,\n"
    "              mel_bins: 16, enc_units: 8}\n"
    "data:\n"
    "  sample_rate: 4000\n"
    "  segment: 0.5\n"
    "  batch: 4\n"
    "  features: {f0_method: yin, f0_max: 1500}\n"
    "loss: {terms: [{kind: l1, weight: 10}]}\n"
    "optimiser: {lr: 1e-2, clip_norm: 1}\n"
    "train: {epochs: 2, steps: 4, save_every: 3, ema: [0.5], log_every: 1}\n";

/* A tone that comes and goes, and for the estimate a whistle above it. */
static void write_song(const char *split, const char *song, double hz)
{
    static float stem[SAMPLES], estimate[SAMPLES], mix[SAMPLES];
    char name[100];
    for (size_t t = 0; t < SAMPLES; t++) {
        const double s = (double)t / RATE, swell = 0.6 + 0.4 * sin(2 * M_PI * s);
        stem[t] = (float)(0.3 * swell * sin(2 * M_PI * hz * s));
        estimate[t] = stem[t] + (float)(0.15 * sin(2 * M_PI * 1500 * s));
        mix[t] = estimate[t] + (float)(0.1 * sin(2 * M_PI * 700 * s));
    }
    snprintf(name, sizeof name, "%s/%s/vocals.wav", split, song);
    write_sound(name, stem, SAMPLES, RATE);
    snprintf(name, sizeof name, "%s/%s/mixture.wav", split, song);
    write_sound(name, mix, SAMPLES, RATE);
    snprintf(name, sizeof name, "../estimates/%s/%s/vocals.wav", split, song);
    write_sound(name, estimate, SAMPLES, RATE);
}

static int set_up(void **state)
{
    char songs[200], estimates[200], shards[200];
    rv_shards_options o;
    rv_shards_report r;
    rv_error err = { 0 };
    (void)state;
    if (!mkdtemp(root))
        return -1;
    write_song("train", "a", 220);
    write_song("train", "b", 330);
    write_song("valid", "c", 280);
    rv_shards_defaults(&o);
    o.inputs = path_of(estimates, sizeof estimates, "estimates"); /* SPLIT/SONG, as eval keeps */
    o.sample_rate = RATE;
    o.window = o.hop = 0.5;
    o.valid_fraction = 0;
    if (rv_dataset_shards(path_of(songs, sizeof songs, "songs"),
                          path_of(shards, sizeof shards, "shards"), &o, &r, &err) != RV_OK ||
        r.examples[0] != 24 || r.examples[1] != 12)
        return -1;
    return write_recipe(recipe);
}

static rv_status learn(const char *out, const char *const *more, size_t n,
                       const rv_train_options *opt, rv_train_report *report, rv_error *err)
{
    char path[200], data[200], folder[200], cache[200];
    snprintf(data, sizeof data, "data.root=%s/shards", root);
    snprintf(folder, sizeof folder, "train.out=%s/%s", root, out);
    snprintf(cache, sizeof cache, "data.features.cache=%s/cache", root);
    const char *const overrides[] = { data, folder, cache, n > 0 ? more[0] : NULL,
                                      n > 1 ? more[1] : NULL };
    return rv_train(path_of(path, sizeof path, "recipe.yaml"), overrides, n + 3, opt, report, err);
}

static double measure_of(const rv_train_report *r, const char *name)
{
    for (int i = 0; i < r->n_measures; i++)
        if (!strcmp(r->best_measures[i].name, name))
            return r->best_measures[i].value;
    CHECK_MSG(false, "%s is no measure", name);
    return 0;
}

/* Learning ------------------------------------------------------------------------------------- */

/* With a step that changes nothing, both figures are the stem's. */
TEST(test_starts_as_the_stem)
{
    static const char *const models[][2] = {
        { "optimiser.lr=0", "train.epochs=1" },
        { "model={name: ddsp_demucs_residual, arguments: {identity_start: true, frame_rate: 62, "
          "n_harmonics: 3, n_noise_bands: 3, rnn_units: 4, mlp_units: [4], reverb_length: 2}}",
          "optimiser.lr=0" },
    };
    for (int i = 0; i < 2; i++) {
        rv_error err = { 0 };
        rv_train_report r;
        watcher w = { 0 };
        const rv_train_options opt = options_of(&w, 1);
        CHECK_OK(learn(i ? "same_residual" : "same", models[i], 2, &opt, &r, &err), err);
        CHECK(r.n_measures == 6 && !strcmp(r.layout, "shards"));
        CHECK(measure_of(&r, "si_sdr_delta") == 0 && measure_of(&r, "convergence_delta") == 0);
        CHECK(measure_of(&r, "si_sdr") == measure_of(&r, "si_sdr_stem"));
        /* 0.3 with a swell against 0.15: 6 dB and what the swell takes or gives */
        CHECK_CLOSE(measure_of(&r, "si_sdr_stem"), 4.5, 2.5);
    }
}

TEST(test_takes_away_what_is_not_of_the_stem)
{
    static const char *const more[] = { "train.steps=30", "train.epochs=4" };
    rv_error err = { 0 };
    rv_train_report r;
    watcher w = { 0 };
    rv_checkpoint *c = NULL;
    char path[200];
    const rv_train_options opt = options_of(&w, 2);
    CHECK_OK(learn("learns", more, 2, &opt, &r, &err), err);
    printf("# median change of SI-SDR %.2f dB, of spectral convergence %.3f\n",
           measure_of(&r, "si_sdr_delta"), measure_of(&r, "convergence_delta"));
    CHECK(measure_of(&r, "si_sdr_delta") > 3 && measure_of(&r, "convergence_delta") < -0.1);
    path_of(path, sizeof path, "learns/best.safetensors");
    CHECK_OK(rv_checkpoint_open(&c, path, &err), err);
    const json_t *config = rv_checkpoint_config(c);
    CHECK(!strcmp(json_string_value(json_object_get(config, "class")),
                  "ravel.ddsp_demucs.SpectralMaskEQ"));
    rv_checkpoint_free(c);
}

TEST(test_a_stopped_run_goes_on_exactly_with_any_threads)
{
    rv_error err = { 0 };
    rv_train_report r;
    watcher w = { 0 }, stops = { .stop_at = 5 };
    const rv_train_options one = options_of(&w, 1), cut = options_of(&stops, 3);
    CHECK_OK(learn("whole", NULL, 0, &one, &r, &err), err);
    CHECK(learn("cut", NULL, 0, &cut, &r, &err) == RV_ERR_CANCELLED);
    CHECK_OK(learn("cut", NULL, 0, &one, &r, &err), err);
    CHECK(r.resumed_at > 0);
    check_same_file("whole", "cut", "last.state");
    check_same_file("whole", "cut", "best.safetensors");
}

TEST(test_bad_recipes)
{
    static const struct {
        const char *more, *text;
        rv_status status;
    } cases[] = {
        { "model={name: ddsp_demucs_decoder, arguments: {identity_start: true}}",
          "no stem to start from", RV_ERR_ARG },
        { "model.arguments={alpha: 0.5}", "alpha", RV_ERR_ARG },
        { "model.arguments={size: 1}", "argument size is not known", RV_ERR_UNSUPPORTED },
        { "model.arguments={sample_rate: 8000}", "data.sample_rate decides", RV_ERR_ARG },
        { "data.stems=[vocals, bass]", "2 stems, one is expected", RV_ERR_ARG },
        { "data.features.f0_method=crepe", "crepe_model", RV_ERR_ARG },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rv_error err = { 0 };
        const rv_status st = learn("bad", &cases[i].more, 1, NULL, NULL, &err);
        CHECK_MSG(st == cases[i].status && strstr(err.text, cases[i].text), "%s: %s", cases[i].more,
                  err.text);
    }
}

/* Stems without mixtures are no pairs. */
TEST(test_wants_pairs)
{
    static float x[2 * RATE];
    char data[200];
    rv_error err = { 0 };
    for (size_t t = 0; t < 2 * RATE; t++)
        x[t] = (float)sin(0.3 * (double)t);
    write_sound("../alone/train/a/vocals.wav", x, 2 * RATE, RATE);
    snprintf(data, sizeof data, "data.root=%s/alone", root);
    CHECK(learn("bad", (const char *const[]){ data }, 1, NULL, NULL, &err) == RV_ERR_FORMAT);
    CHECK_MSG(strstr(err.text, "no input beside its target"), "%s", err.text);
}

/* Files ---------------------------------------------------------------------------------------- */

static float *read_channels(const char *path, int *channels, size_t *n)
{
    rv_audio_reader *reader = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_audio_reader_open(&reader, path, 0, &err), err);
    const rv_audio_info *info = rv_audio_reader_info(reader);
    *channels = info->channels;
    *n = (size_t)info->frames;
    float *x = calloc(*n * (size_t)*channels + 1, sizeof *x), *planes[2] = { x, x + *n };
    size_t got;
    CHECK_OK(rv_audio_reader_read(reader, planes, *n, &got, &err), err);
    CHECK(got == *n);
    rv_audio_reader_free(reader);
    return x;
}

/* Two unlike channels at another rate than the model's, of a length that no window divides. */
static void write_stereo(const char *path, size_t n)
{
    rv_error err = { 0 };
    rv_audio_writer *w = NULL;
    rv_audio_writer_options o = rv_audio_writer_defaults();
    float *x = calloc(2 * n, sizeof *x);
    o.channels = 2;
    o.sample_rate = 11025;
    o.bits = 32;
    for (size_t t = 0; t < n; t++) {
        x[t] = (float)(0.4 * sin(0.11 * (double)t));
        x[n + t] = (float)(0.3 * sin(0.2 * (double)t) * sin(0.0007 * (double)t));
    }
    CHECK_OK(rv_audio_writer_open(&w, path, &o, &err), err);
    CHECK_OK(rv_audio_writer_write(w, (const float *const[]){ x, x + n }, n, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
    free(x);
}

static rv_refine_report refine(const char *model, const char *in, const char *out, double window)
{
    rv_refine_options o;
    rv_refine_report r;
    rv_error err = { 0 };
    char cache[200];
    rv_refine_defaults(&o);
    o.window = window;
    o.threads = 1;
    o.overwrite = 1;
    o.cache = path_of(cache, sizeof cache, "cache");
    CHECK_OK(rv_refine_file(model, in, out, &o, &r, &err), err);
    return r;
}

/* What has learned nothing gives every file back bit by bit, whatever its rate and channels. */
TEST(test_identity_of_files)
{
    static const char *const runs[] = { "same", "same_residual" };
    for (int i = 0; i < 2; i++) {
        char model[300], in[200], out[200];
        int channels[2];
        size_t n[2];
        snprintf(model, sizeof model, "%s/%s/best.safetensors", root, runs[i]);
        write_stereo(path_of(in, sizeof in, "in.wav"), 30001);
        path_of(out, sizeof out, "out.wav");
        const rv_refine_report r = refine(model, in, out, 0.3);
        CHECK(r.frames == 30001 && r.channels == 2 && r.sample_rate == 11025);
        CHECK(isinf(r.change) && r.change < 0);
        float *x = read_channels(in, &channels[0], &n[0]);
        float *y = read_channels(out, &channels[1], &n[1]);
        CHECK(n[0] == n[1] && channels[0] == channels[1] && !memcmp(x, y, 2 * n[0] * sizeof *x));
        free(x);
        free(y);
    }
}

static double si_sdr(const float *x, const float *s, size_t n)
{
    rv_stem_energies e = { 0 };
    for (size_t t = 0; t < n; t++)
        rv_stem_energies_add(&e, x[t], s[t]);
    return rv_stem_si_sdr(&e);
}

/* A song that was not learned from, in windows of the examples' length and of another one. */
TEST(test_refines_files)
{
    char model[200], stem[200], estimate[200], out[200];
    int channels;
    size_t n;
    path_of(model, sizeof model, "learns/best.safetensors");
    float *s = read_channels(path_of(stem, sizeof stem, "songs/valid/c/vocals.wav"), &channels, &n);
    float *x = read_channels(path_of(estimate, sizeof estimate, "estimates/valid/c/vocals.wav"),
                             &channels, &n);
    for (int i = 0; i < 2; i++) {
        const rv_refine_report r =
            refine(model, estimate, path_of(out, sizeof out, "out.wav"), i ? 0.5 : 1.3);
        float *y = read_channels(out, &channels, &n);
        const double before = si_sdr(x, s, n), after = si_sdr(y, s, n);
        CHECK_MSG(n == SAMPLES && after > before + 3, "SI-SDR %.2f dB, before %.2f", after, before);
        CHECK(r.change > -20 && r.change < 0);
        free(y);
    }
    free(s);
    free(x);
}

/* The decoder has no stem to add to: it plays on all channels, the same for the same seed. */
TEST(test_decoder_plays)
{
    static const char *const more[] = {
        "model={name: ddsp_demucs_decoder, arguments: {frame_rate: 62, n_harmonics: 3, "
        "n_noise_bands: 3, rnn_units: 4, mlp_units: [4], reverb_length: 2}}",
        "loss.terms=[{kind: spectral, n_fft: [256]}]"
    };
    rv_error err = { 0 };
    rv_train_report report;
    watcher w = { 0 };
    char model[200], in[200], out[200];
    int channels;
    size_t n;
    const rv_train_options opt = options_of(&w, 1);
    CHECK_OK(learn("decoder", more, 2, &opt, &report, &err), err);
    path_of(model, sizeof model, "decoder/best.safetensors");
    refine(model, path_of(in, sizeof in, "in.wav"), path_of(out, sizeof out, "out.wav"), 0.5);
    float *y = read_channels(out, &channels, &n);
    CHECK(n == 30001 && channels == 2 && !memcmp(y, y + n, n * sizeof *y));
    refine(model, in, out, 0.5);
    float *again = read_channels(out, &channels, &n);
    CHECK(!memcmp(y, again, 2 * n * sizeof *y));
    free(y);
    free(again);
}

TEST(test_refused_files)
{
    char model[200], in[200], out[200];
    rv_error err = { 0 };
    rv_refine_options o;
    rv_refine_defaults(&o);
    path_of(model, sizeof model, "same/best.safetensors");
    path_of(in, sizeof in, "in.wav");
    path_of(out, sizeof out, "out.wav");
    CHECK(rv_refine_file(model, in, out, &o, NULL, &err) == RV_ERR_EXISTS);
    o.overwrite = 1;
    CHECK(rv_refine_file(in, in, out, &o, NULL, &err) != RV_OK);
    CHECK_MSG(strstr(err.text, "in.wav"), "%s", err.text);
    o.window = 0;
    CHECK(rv_refine_file(model, in, out, &o, NULL, &err) == RV_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starts_as_the_stem),
        cmocka_unit_test(test_takes_away_what_is_not_of_the_stem),
        cmocka_unit_test(test_a_stopped_run_goes_on_exactly_with_any_threads),
        cmocka_unit_test(test_bad_recipes),
        cmocka_unit_test(test_wants_pairs),
        cmocka_unit_test(test_identity_of_files),
        cmocka_unit_test(test_refines_files),
        cmocka_unit_test(test_decoder_plays),
        cmocka_unit_test(test_refused_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
