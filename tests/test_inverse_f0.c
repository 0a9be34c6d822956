/* test_inverse_f0.c - pitch of a stream by a model of inverse synthesis: windows of it, put
 * together, are what the network hears; kept in the cache of features. */
#include "data/feature_cache.h"
#include "infer/inverse_f0.h"
#include "infer/inverse_network.h"
#include "io/audio_write.h"
#include "tiny_autoencoder.h"

#include <math.h>

/* 50 frames a second: windows of 200. */
enum { RATE = 1000, HOP = 20, FRAME_RATE = RATE / HOP, WINDOW = 200, N = 11217, MOST_ROWS = 4096 };

static float sound[N];

static const tiny_args arguments = {
    { TINY_ARG("sample_rate", RATE), TINY_ARG("n_fft", 64), TINY_ARG("hop", HOP),
      TINY_ARG("mel_bands", 20), TINY_ARG("first", 3), TINY_ARG("channels", 2),
      TINY_ARG("blocks", 1), TINY_ARG("sinusoids", 4), TINY_ARG("depth", 5), TINY_ARG("n_bands", 5),
      TINY_ARG("hidden_size", 6), TINY_ARG("layers", 1), TINY_ARG("gru", 4),
      TINY_ARG("n_harmonic", 3), TINY_ARG("f0_depth", 9), TINY_ARG("f0_min", 30),
      TINY_ARG("f0_max", 400) },
    17
};

static void write_model(const char *name, const char *class, uint64_t seed)
{
    rv_inverse_config c;
    rv_error err = { 0 };
    rv_graph *g;
    nn_builder b;
    CHECK_OK(rv_inverse_configure(&c, &(rv_args){ arguments.arg, arguments.n }, &err), err);
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    nn_begin(&b, g);
    rv_inverse_encode(&b, &c, rv_input(g, RV_SHAPE(1, HOP)));
    CHECK_OK(rv_graph_status(g, &err), err);
    json_t *config = tiny_json(&arguments, class);
    write_network(name, &b, config, seed);
    json_decref(config);
    rv_graph_free(g);
}

static void write_song(void)
{
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    rv_audio_writer *w = NULL;
    rv_error err = { 0 };
    opt.channels = 1;
    opt.sample_rate = RATE;
    CHECK_OK(rv_audio_writer_open(&w, in_folder("song.wav"), &opt, &err), err);
    CHECK_OK(rv_audio_writer_write(w, (const float *const[]){ sound }, N, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
}

static int set_up(void **state)
{
    if (make_folder(state))
        return -1;
    for (size_t t = 0; t < N; t++) {
        const double hz = 60 + 100 * sin(1e-3 * (double)t) * sin(1e-3 * (double)t);
        sound[t] = (float)(0.5 * sin(2 * M_PI * hz * (double)t / RATE));
        sound[t] = rintf(sound[t] * 8192) / 8192;
    }
    write_model("model.safetensors", RV_INVERSE_CLASS, 1);
    write_song();
    return 0;
}

static rv_inverse_f0_options options(void)
{
    static char model[400];
    snprintf(model, sizeof model, "%s", in_folder("model.safetensors"));
    return (rv_inverse_f0_options){ .model = model, .threshold = 0.5, .threads = 1 };
}

static rv_feature_spec spec_of(double frame_rate)
{
    rv_feature_spec s;
    rv_feature_defaults(&s, RV_FEATURE_F0, RATE, frame_rate);
    s.f0_method = RV_F0_DDSP_INV;
    s.f0_min = 30;
    return s;
}

/* Rows [.., 3] of the first n samples, given `step` at a time. */
static size_t track(const rv_inverse_f0_options *o, const rv_feature_spec *spec, size_t n,
                    size_t step, float *rows)
{
    rv_error err = { 0 };
    rv_inverse_f0 *f = NULL;
    void *stream = NULL;
    size_t made = 0;
    CHECK_OK(rv_inverse_f0_new(&f, o, &err), err);
    const rv_f0_engine *e = rv_inverse_f0_engine(f);
    CHECK_OK(e->open(&stream, e->ctx, spec, &err), err);
    for (size_t at = 0; at < n; at += step) {
        CHECK_OK(e->push(stream, sound + at, step < n - at ? step : n - at, &err), err);
        made += e->pull(stream, rows + 3 * made, 7);
    }
    CHECK_OK(e->finish(stream, &err), err);
    for (size_t got = 1; got > 0; made += got)
        got = e->pull(stream, rows + 3 * made, 100);
    e->close(stream);
    rv_inverse_f0_free(f);
    CHECK_MSG(made == rv_feature_frames(spec, n), "%zu rows of %zu samples", made, n);
    return made;
}

/* f0 and confidence [frames] that the network hears in frames from `start` on. */
static void hear(rv_inverse_network *n, size_t start, size_t frames, float *f0, float *confidence)
{
    rv_error err = { 0 };
    CHECK_OK(rv_inverse_network_plan(n, frames, NULL, &err), err);
    float *audio = rv_inverse_network_audio(n);
    for (size_t t = 0; t < frames * HOP; t++)
        audio[t] = start * HOP + t < N ? sound[start * HOP + t] : 0;
    const rv_inverse_heard h = rv_inverse_network_run(n);
    for (size_t t = 0; t < frames; t++) {
        double harmonic = 0, noise = 0;
        for (size_t k = 0; k < 3; k++)
            harmonic += pow((double)(h.amplitude[t] * h.distribution[3 * t + k]), 2) / 2;
        for (size_t k = 0; k < 5; k++)
            noise += pow((double)h.magnitudes[5 * t + k], 2) / 5 / 3;
        f0[t] = h.f0[t];
        confidence[t] = (float)(harmonic / (harmonic + noise + 1e-6));
    }
}

/* Frames that count: of three windows the first 150, 150 to 250, 250 to 350, and of the last one,
 * which ends with the sound, the rest. */
TEST(test_rows_are_what_windows_hear)
{
    static const struct {
        size_t start, from, to;
    } windows[] = {
        { 0, 0, 150 }, { 100, 150, 250 }, { 200, 250, 350 }, { 300, 350, 450 }, { 361, 450, 561 }
    };
    static float rows[MOST_ROWS * 3], f0[WINDOW], confidence[WINDOW];
    rv_inverse_f0_options o = options();
    rv_feature_spec spec = spec_of(FRAME_RATE);
    rv_error err = { 0 };
    rv_inverse_network *n = NULL;
    size_t voiced = 0, silent = 0;
    track(&o, &spec, N, 1000, rows);
    o.threshold = (double)rows[3 * 200 + 1]; /* so that there are both */
    spec.f0_max = (double)rows[3 * 300];
    CHECK(track(&o, &spec, N, 1000, rows) == 561);
    CHECK_OK(rv_inverse_network_open(&n, o.model, &err), err);
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++) {
        hear(n, windows[w].start, WINDOW, f0, confidence);
        for (size_t t = windows[w].from; t < windows[w].to; t++) {
            const float *row = rows + 3 * t;
            CHECK_CLOSE(row[0], f0[t - windows[w].start], 1e-6);
            CHECK_CLOSE(row[1], confidence[t - windows[w].start], 1e-6);
            const bool heard = (double)row[1] >= o.threshold;
            CHECK((row[2] > 0) == (heard && (double)row[0] <= spec.f0_max));
            voiced += row[2] > 0;
            silent += !heard;
        }
    }
    rv_inverse_network_free(n);
    CHECK_MSG(voiced > 20 && silent > 20 && voiced + silent < 540,
              "%zu of 561 rows are voiced, %zu silent", voiced, silent);
}

TEST(test_sound_shorter_than_a_window)
{
    static float rows[MOST_ROWS * 3], f0[WINDOW], confidence[WINDOW];
    const rv_inverse_f0_options o = options();
    const rv_feature_spec spec = spec_of(FRAME_RATE);
    rv_error err = { 0 };
    rv_inverse_network *n = NULL;
    CHECK(track(&o, &spec, (size_t)30 * HOP, 100, rows) == 31);
    CHECK_OK(rv_inverse_network_open(&n, o.model, &err), err);
    hear(n, 0, 30, f0, confidence);
    for (size_t t = 0; t <= 30; t++) /* what is after the last frame is like it */
        CHECK_CLOSE(rows[3 * t], f0[t < 30 ? t : 29], 1e-6);
    rv_inverse_network_free(n);
    CHECK(track(&o, &spec, 1, 1, rows) == 1 && track(&o, &spec, 0, 1, rows) == 0);
}

TEST(test_blocks_do_not_matter)
{
    static float whole[MOST_ROWS * 3], cut[MOST_ROWS * 3];
    static const size_t steps[] = { 333, 4321 };
    const rv_inverse_f0_options o = options();
    const rv_feature_spec spec = spec_of(173.3);
    const size_t n = track(&o, &spec, N, N, whole);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        CHECK(track(&o, &spec, N, steps[i], cut) == n);
        CHECK(!memcmp(whole, cut, 3 * n * sizeof *cut));
    }
}

/* Between two frames of the model the pitch is on a line in semitones, or that of the nearer. */
TEST(test_between_frames)
{
    static float coarse[MOST_ROWS * 3], fine[MOST_ROWS * 3];
    const rv_inverse_f0_options o = options();
    const rv_feature_spec at = spec_of(FRAME_RATE), between = spec_of(4 * FRAME_RATE);
    const size_t n = track(&o, &at, N, N, coarse);
    track(&o, &between, N, N, fine);
    size_t lines = 0;
    for (size_t t = 0; t + 1 < n; t++) {
        const double a = (double)coarse[3 * t], b = (double)coarse[3 * t + 3];
        const bool line = fabs(log2(b / a)) <= 1.0 / 12;
        for (size_t i = 0; i < 4; i++) {
            const double wanted = line ? a * pow(b / a, (double)i / 4) : i < 2 ? a : b;
            CHECK_CLOSE(fine[3 * (4 * t + i)], wanted, 1e-6);
        }
        lines += line;
    }
    CHECK(lines > n / 2);
}

/* As many rows as the other features have; those that begin at a time tell of what is half a
 * window of the spectrum later. */
TEST(test_frames_are_those_of_other_features)
{
    static const double rates[] = { 250, 100, 44.1, 31.25, 3, 997.3 };
    static float rows[MOST_ROWS * 3], later[MOST_ROWS * 3];
    const rv_inverse_f0_options o = options();
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        for (int align = 0; align < 2; align++) {
            rv_feature_spec spec = spec_of(rates[i]);
            spec.align = align ? RV_FRAMES_STARTED : RV_FRAMES_CENTRED;
            track(&o, &spec, 3000, 3000, rows);
        }
    rv_feature_spec spec = spec_of(125);
    track(&o, &spec, N, N, rows);
    spec.align = RV_FRAMES_STARTED;
    track(&o, &spec, N, N, later);
    for (size_t t = 0; t < 1000; t++) /* 32 samples are four rows */
        CHECK_CLOSE(later[3 * t], rows[3 * (t + 4)], 1e-6);
}

/* In the cache ----------------------------------------------------------------------------------
 */

static rv_status get(const rv_inverse_f0_options *o, const rv_feature_spec *spec,
                     rv_feature_counts *n, rv_error *err)
{
    rv_track_source file = { (char *)(uintptr_t)in_folder("song.wav"), 0, RV_ALL_CHANNELS };
    const rv_track_sources sources = { &file, 1 };
    rv_inverse_f0 *f = NULL;
    rv_feature_cache *cache = NULL;
    rv_feature_rows *rows = NULL;
    CHECK_OK(rv_feature_cache_open(&cache, in_folder("cache"), err), *err);
    rv_status st = o ? rv_inverse_f0_new(&f, o, err) : RV_OK;
    if (f)
        rv_feature_cache_set_engine(cache, rv_inverse_f0_engine(f));
    if (st == RV_OK)
        st = rv_feature_get(cache, &sources, spec, NULL, &rows, err);
    if (n)
        *n = rv_feature_cache_counts(cache);
    rv_feature_rows_free(rows);
    rv_feature_cache_free(cache);
    rv_inverse_f0_free(f);
    return st;
}

static void check_counts(const rv_inverse_f0_options *o, const rv_feature_spec *spec,
                         uint64_t found, uint64_t measured)
{
    rv_feature_counts n;
    rv_error err = { 0 };
    CHECK_OK(get(o, spec, &n, &err), err);
    CHECK_MSG(n.found == found && n.measured == measured, "%llu found, %llu measured",
              (unsigned long long)n.found, (unsigned long long)n.measured);
}

TEST(test_kept_by_weights_and_options)
{
    rv_inverse_f0_options o = options();
    rv_feature_spec spec = spec_of(100);
    check_counts(&o, &spec, 0, 1);
    o.threads = 2;
    check_counts(&o, &spec, 1, 0);
    o.threshold = 0.25;
    check_counts(&o, &spec, 0, 1);
    spec.trough = 0.3; /* has no part in it */
    check_counts(&o, &spec, 1, 0);
    spec.f0_max = 300;
    check_counts(&o, &spec, 0, 1);
    spec.feature = RV_FEATURE_HARMONICITY; /* follows the pitch found */
    check_counts(&o, &spec, 1, 1);
    spec = spec_of(100);
    write_model("other.safetensors", RV_INVERSE_CLASS, 2);
    o = options();
    o.model = in_folder("other.safetensors");
    check_counts(&o, &spec, 0, 1);
}

TEST(test_what_cannot_be)
{
    rv_error err = { 0 };
    rv_feature_spec spec = spec_of(100);
    rv_feature *f = NULL;
#define REFUSED(change, code, word)                        \
    do {                                                   \
        rv_inverse_f0_options o = options();               \
        change;                                            \
        CHECK(get(&o, &spec, NULL, &err) == (code));       \
        CHECK_MSG(strstr(err.text, word), "%s", err.text); \
    } while (0)
    write_model("stems.safetensors", "demucs.htdemucs.HTDemucs", 1);
    REFUSED(o.model = NULL, RV_ERR_ARG, "f0 by ddsp_inv needs a model");
    REFUSED(o.model = in_folder("song.wav"), RV_ERR_FORMAT, "song.wav");
    REFUSED(o.model = "/nowhere.safetensors", RV_ERR_IO, "/nowhere.safetensors");
    REFUSED(o.model = in_folder("stems.safetensors"), RV_ERR_UNSUPPORTED,
            "stems.safetensors: holds a model of the class 'demucs.htdemucs.HTDemucs'; one that "
            "finds pitch");
    REFUSED(o.threshold = NAN, RV_ERR_ARG, "threshold");
    REFUSED(o.threshold = 1.5, RV_ERR_ARG, "threshold");
    spec.f0_max = 20;
    REFUSED((void)o, RV_ERR_ARG, "20 Hz");
    spec = spec_of(100);
    CHECK(get(NULL, &spec, NULL, &err) == RV_ERR_ARG);
    CHECK_MSG(strstr(err.text, "song.wav: f0 by ddsp_inv needs a file with its weights"), "%s",
              err.text);
    spec.f0_method = RV_F0_CREPE; /* is not what the engine finds */
    REFUSED((void)o, RV_ERR_ARG, "f0 by CREPE needs a file with its weights");
    spec.f0_method = RV_F0_DDSP_INV;
    CHECK(rv_feature_new(&f, &spec, NULL, 0, &err) == RV_ERR_ARG);
    CHECK(strstr(err.text, "rv_features_file()"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_what_windows_hear),
        cmocka_unit_test(test_sound_shorter_than_a_window),
        cmocka_unit_test(test_blocks_do_not_matter),
        cmocka_unit_test(test_between_frames),
        cmocka_unit_test(test_frames_are_those_of_other_features),
        cmocka_unit_test(test_kept_by_weights_and_options),
        cmocka_unit_test(test_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
