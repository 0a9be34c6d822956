/* test_synth.c - rv_synth_file(): timbre transfer of files and of given features with a small model
 * of random weights; every control; odd inputs; what is refused, in one line. */
#include "base/rng.h"
#include "crepe_files.h"
#include "io/audio_read.h"
#include "io/audio_write.h"
#include "io/npz_read.h"
#include "io/npz_write.h"
#include "ravel/synth.h"
#include "tiny_autoencoder.h"

#include <unistd.h>

enum { RATE = 16000 };

/* Files -------------------------------------------------------------------------------------- */

typedef float sound_fn(double seconds);

static float tone(double t)
{
    return (float)(0.3 * sin(2 * 3.14159265358979 * 220 * t) +
                   0.1 * sin(2 * 3.14159265358979 * 440 * t));
}

static float silence(double t)
{
    (void)t;
    return 0;
}

static void write_sound(const char *name, sound_fn *sound, int rate, int channels, size_t frames)
{
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    rv_audio_writer *w = NULL;
    rv_error err = { 0 };
    float *x = calloc(frames, sizeof *x);
    const float *planes[2] = { x, x };
    opt.channels = channels;
    opt.sample_rate = rate;
    for (size_t i = 0; i < frames; i++)
        x[i] = sound((double)i / rate);
    CHECK_OK(rv_audio_writer_open(&w, in_folder(name), &opt, &err), err);
    CHECK_OK(rv_audio_writer_write(w, planes, frames, &err), err);
    CHECK_OK(rv_audio_writer_commit(w, &err), err);
    rv_audio_writer_free(w);
    free(x);
}

typedef struct {
    float *x;
    size_t n;
    int rate;
} sound;

static sound read_sound(const char *name)
{
    sound s = { 0 };
    rv_audio_reader *r = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_audio_reader_open(&r, in_folder(name), 0, &err), err);
    const rv_audio_info *info = rv_audio_reader_info(r);
    CHECK(info->channels == 1);
    s.rate = info->sample_rate;
    s.x = calloc((size_t)info->frames + 1, sizeof *s.x);
    CHECK_OK(rv_audio_reader_read(r, &s.x, (size_t)info->frames, &s.n, &err), err);
    rv_audio_reader_free(r);
    return s;
}

static rv_status give(void *ctx, size_t first, size_t n, void *out, rv_error *err)
{
    (void)err;
    memcpy(out, (const float *)ctx + first, n * sizeof(float));
    return RV_OK;
}

/* Features as `ravel features` writes them, without confidence. */
static void write_features(const char *name, float *f0, float *loudness, size_t n, float rate)
{
    const rv_npz_array arrays[] = { { "f0_hz", "<f4", 1, { n }, give, f0 },
                                    { "loudness_db", "<f4", 1, { n }, give, loudness },
                                    { "frame_rate", "<f4", 0, { 0 }, give, &rate } };
    rv_error err = { 0 };
    CHECK_OK(rv_npz_write(in_folder(name), arrays, 3, &err), err);
}

/* Playing ------------------------------------------------------------------------------------ */

static rv_synth_options usual(void)
{
    rv_synth_options o;
    rv_synth_defaults(&o);
    o.cache = folder;
    o.threads = 1;
    o.overwrite = 1;
    o.bits = 32;
    return o;
}

static sound synth(const char *in, const rv_synth_options *o, rv_synth_report *report)
{
    rv_error err = { 0 };
    CHECK_OK(rv_synth_file(in_folder("m.safetensors"), in_folder(in), in_folder("out.wav"), o,
                           report, &err),
             err);
    sound s = read_sound("out.wav");
    for (size_t i = 0; i < s.n; i++)
        CHECK(isfinite(s.x[i]));
    CHECK(s.n == report->samples && s.rate == report->sample_rate && s.rate == TINY_RATE);
    return s;
}

static double level(const sound *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->n; i++)
        sum += (double)s->x[i] * (double)s->x[i];
    return sqrt(sum / (double)(s->n ? s->n : 1));
}

/* The share of a sound's energy near a frequency and its multiples, within its inner half. */
static double share_at(const sound *s, double hz)
{
    const size_t from = s->n / 4, n = s->n / 2;
    double all = 0, there = 0;
    for (size_t i = 0; i < n; i++)
        all += pow((double)s->x[from + i], 2);
    for (int k = 1; k <= TINY_HARMONICS; k++) {
        double re = 0, im = 0;
        for (size_t i = 0; i < n; i++) {
            const double angle = 2 * 3.14159265358979 * hz * k * (double)i / s->rate;
            re += (double)s->x[from + i] * cos(angle);
            im += (double)s->x[from + i] * sin(angle);
        }
        there += 2 * (re * re + im * im) / (double)n;
    }
    return there / all;
}

static void make_model(const char *z, json_t *more)
{
    const tiny_args a = tiny_arguments("ddsp", "learned", z);
    write_tiny("m.safetensors", &a, more);
}

TEST(test_pitch_is_kept_and_shifted)
{
    static const double shifts[] = { 0, 12, -5 };
    make_model("mfcc_rnn", NULL);
    write_sound("tone.wav", tone, 44100, 2, 44100);
    for (size_t i = 0; i < 3; i++) {
        rv_synth_report r;
        rv_synth_options o = usual();
        o.noise_gain = -200;
        o.reverb = 0;
        o.pitch_shift = shifts[i];
        sound s = synth("tone.wav", &o, &r);
        CHECK(s.n == TINY_RATE && r.pitch == RV_SYNTH_PITCH_PYIN);
        CHECK(fabs(r.pitch_mean - 57) < 0.05);
        /* at the pitch that was heard: over half a second a cent counts, in high harmonics */
        const double share = share_at(&s, 440 * exp2((r.pitch_mean - 69 + shifts[i]) / 12));
        CHECK_MSG(share > 0.95, "%g semitones: %g of the energy", shifts[i], share);
        free(s.x);
    }
}

TEST(test_gains_and_room)
{
    rv_synth_report r;
    rv_synth_options o = usual();
    make_model("none", NULL);
    write_sound("tone.wav", tone, RATE, 1, RATE / 2);
    o.reverb = 0;
    sound both = synth("tone.wav", &o, &r);
    o.noise_gain = -200;
    sound harmonics = synth("tone.wav", &o, &r);
    o.noise_gain = 0;
    o.harmonics_gain = -200;
    sound noise = synth("tone.wav", &o, &r);
    for (size_t i = 0; i < both.n; i++)
        CHECK_CLOSE(both.x[i], harmonics.x[i] + noise.x[i], 1e-6);
    o.harmonics_gain = 6.0206;
    o.noise_gain = -200;
    sound louder = synth("tone.wav", &o, &r);
    CHECK_CLOSE(level(&louder) / level(&harmonics), 2, 1e-4);
    o = usual();
    sound room = synth("tone.wav", &o, &r);
    double differs = 0;
    for (size_t i = 0; i < both.n; i++)
        differs = fmax(differs, fabs((double)room.x[i] - (double)both.x[i]));
    CHECK(differs > 0 && differs < 1e-3 * level(&both) * 100); /* a response that starts near 0 */
    sound *const all[] = { &both, &harmonics, &noise, &louder, &room };
    for (size_t i = 0; i < 5; i++)
        free(all[i]->x);
}

TEST(test_equal_seeds_equal_bits)
{
    rv_synth_report r;
    rv_synth_options o = usual();
    make_model("mfcc_rnn", NULL);
    write_sound("tone.wav", tone, RATE, 1, RATE);
    sound one = synth("tone.wav", &o, &r);
    o.threads = 3;
    sound two = synth("tone.wav", &o, &r);
    CHECK(!memcmp(one.x, two.x, one.n * sizeof *one.x));
    o.seed = 1;
    sound other = synth("tone.wav", &o, &r);
    CHECK(memcmp(one.x, other.x, one.n * sizeof *one.x) != 0);
    free(one.x);
    free(two.x);
    free(other.x);
}

/* 10 ms, one sample, silence, other rates. */
TEST(test_odd_sounds)
{
    static const struct {
        sound_fn *sound;
        int rate;
        size_t frames, samples;
    } cases[] = { { tone, 44100, 441, 80 },
                  { tone, 48000, 1, 1 },
                  { silence, 16000, 8000, 4000 },
                  { tone, 96000, 9600, 800 },
                  { tone, 8000, 4001, 4001 } };
    static const char *const timbres[] = { "none", "mfcc_rnn" };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        rv_synth_report r;
        rv_synth_options o = usual();
        o.threshold = cases[i / 2].sound == silence ? 0.1 : 0;
        make_model(timbres[i % 2], NULL);
        write_sound("odd.wav", cases[i / 2].sound, cases[i / 2].rate, 1, cases[i / 2].frames);
        sound s = synth("odd.wav", &o, &r);
        CHECK_MSG(s.n == cases[i / 2].samples, "case %zu: %zu samples", i / 2, s.n);
        CHECK(i / 2 != 2 || (r.voiced == 0 && r.pitch_mean == 0));
        free(s.x);
    }
}

/* Features ------------------------------------------------------------------------------------- */

enum { FRAMES = 60 };

/* Pitches that are none; a glide; one above half the sample rate. */
static void fill(float *f0, float *loudness)
{
    for (size_t i = 0; i < FRAMES; i++) {
        f0[i] = i < 5 ? 0 : i < 10 ? NAN : i < 40 ? 300 + (float)i : i < 50 ? 5000 : -3;
        loudness[i] = -50 + (float)(i % 7);
    }
}

static void read_column(const char *array, float *to, size_t n)
{
    rv_npz *z = NULL;
    const rv_npy *a = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_npz_open(&z, in_folder("params.npz"), &err), err);
    CHECK_OK(rv_npz_find(&a, z, array, &err), err);
    CHECK(a && a->count == n);
    rv_npy_read(a, 0, n, to);
    rv_npz_free(z);
}

TEST(test_given_features_and_params)
{
    float f0[FRAMES], loudness[FRAMES], got[FRAMES], amplitude[FRAMES];
    float shares[FRAMES * TINY_HARMONICS], bands[FRAMES * TINY_BANDS];
    rv_synth_report r;
    rv_synth_options o = usual();
    char params[400];
    snprintf(params, sizeof params, "%s", in_folder("params.npz"));
    o.params = params;
    make_model("none", NULL);
    fill(f0, loudness);
    write_features("f.npz", f0, loudness, FRAMES, (float)TINY_RATE / TINY_HOP);
    sound s = synth("f.npz", &o, &r);
    CHECK(s.n == FRAMES * TINY_HOP && r.frames == FRAMES && r.voiced == 30 && r.pitch == 0);
    read_column("f0_hz", got, FRAMES);
    read_column("amplitude", amplitude, FRAMES);
    read_column("harmonic_distribution", shares, FRAMES * TINY_HARMONICS);
    read_column("noise_magnitudes", bands, FRAMES * TINY_BANDS);
    for (size_t i = 0; i < FRAMES; i++) {
        const bool sounds = i >= 10 && i < 40;
        CHECK_CLOSE(got[i], sounds ? f0[i] : i < 10 ? f0[10] : f0[39], 1e-4);
        CHECK((amplitude[i] > 0) == sounds);
        CHECK(bands[i * TINY_BANDS] > 0 && shares[i * TINY_HARMONICS] > 0);
    }
    free(s.x);
}

/* As in training: what CREPE hears outside of the model's range does not count. */
TEST(test_crepe_keeps_to_the_range_of_the_model)
{
    enum { N = 200 };
    float got[N];
    char params[400], weights[400];
    rv_synth_report r;
    rv_synth_options o = usual();
    snprintf(params, sizeof params, "%s", in_folder("params.npz"));
    snprintf(weights, sizeof weights, "%s", in_folder("crepe.safetensors"));
    write_crepe(weights, 1, 0);
    o.params = params;
    o.crepe = weights;
    make_model("none",
               json_pack("{s:s, s:i, s:i}", "f0_method", "crepe", "f0_min", 500, "f0_max", 700));
    write_sound("tone.wav", tone, TINY_RATE, 1, (N - 1) * TINY_HOP);
    sound s = synth("tone.wav", &o, &r);
    CHECK(r.pitch == RV_SYNTH_PITCH_CREPE && r.frames == N);
    read_column("f0_hz", got, N);
    for (size_t i = 0; i < N; i++)
        CHECK_MSG(got[i] > 470 && got[i] < 745, "%g Hz", (double)got[i]); /* 5 bins beyond */
    free(s.x);
}

/* Pitch by the model itself: of every frame; another method where it is asked for. */
TEST(test_own_pitch)
{
    enum { OWN = TINY_RATE / TINY_HOP + 1 };
    const tiny_args a = tiny_own_f0(tiny_arguments("ddsp", "none", "mfcc_rnn"));
    float f0[OWN];
    char params[400];
    rv_synth_report r;
    rv_synth_options o = usual();
    snprintf(params, sizeof params, "%s", in_folder("params.npz"));
    o.params = params;
    write_tiny("m.safetensors", &a, NULL);
    write_sound("tone.wav", tone, 44100, 2, 44100);
    sound s = synth("tone.wav", &o, &r);
    CHECK(s.n == TINY_RATE && r.pitch == RV_SYNTH_PITCH_OWN && r.frames == OWN);
    CHECK(r.voiced >= OWN - 1);
    read_column("f0_hz", f0, OWN);
    float least = f0[0], most = f0[0];
    for (size_t i = 0; i < OWN; i++) {
        least = fminf(least, f0[i]);
        most = fmaxf(most, f0[i]);
    }
    CHECK_MSG(least > 20 && most > least && most < 4000, "%g to %g Hz", (double)least,
              (double)most);
    free(s.x);
    o.pitch = RV_SYNTH_PITCH_YIN;
    s = synth("tone.wav", &o, &r);
    CHECK(r.pitch == RV_SYNTH_PITCH_YIN && fabs(r.pitch_mean - 57) < 0.05);
    free(s.x);
}

/* At other rates of frames, and slower: the same curve at other places. */
TEST(test_rates_and_stretch)
{
    static const struct {
        double rate, stretch;
    } cases[] = { { 200, 1 }, { 100, 1 }, { 200, 2 }, { 400, 0.5 }, { 250, 1.3 } };
    make_model("none", NULL);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        float f0[FRAMES], loudness[FRAMES], got[1000];
        rv_synth_report r;
        rv_synth_options o = usual();
        char params[400];
        snprintf(params, sizeof params, "%s", in_folder("params.npz"));
        o.params = params;
        o.stretch = cases[k].stretch;
        for (size_t i = 0; i < FRAMES; i++) {
            f0[i] = (float)(200 * exp2(1.5 * (double)i / cases[k].rate));
            loudness[i] = -30;
        }
        write_features("f.npz", f0, loudness, FRAMES, (float)cases[k].rate);
        sound s = synth("f.npz", &o, &r);
        const double seconds = FRAMES / cases[k].rate * cases[k].stretch;
        CHECK(s.n == (size_t)floor(seconds * TINY_RATE + 0.5));
        read_column("f0_hz", got, r.frames);
        const size_t last = (size_t)((FRAMES - 1) / cases[k].rate * cases[k].stretch * 200);
        for (size_t i = 0; i < last; i++)
            CHECK_CLOSE(got[i], 200 * exp2(1.5 * (double)i / 200 / cases[k].stretch), 1e-2);
        free(s.x);
    }
}

TEST(test_loudness)
{
    float f0[FRAMES], loudness[FRAMES];
    rv_synth_report r;
    rv_synth_options o = usual();
    make_model("none", json_pack("{s:f, s:f}", "loudness_mean", -33.0, "loudness_std", 4.0));
    for (size_t i = 0; i < FRAMES; i++) {
        f0[i] = 200;
        loudness[i] = -60 + 10 * sinf((float)i);
    }
    loudness[0] = -200; /* silence does not count */
    write_features("f.npz", f0, loudness, FRAMES, 200);
    o.auto_loudness = 1;
    sound automatic = synth("f.npz", &o, &r);
    const double mean = r.loudness_mean, deviation = r.loudness_deviation;
    CHECK(fabs(mean + 60) < 1 && fabs(deviation - 7.07) < 0.2);
    for (size_t i = 0; i < FRAMES; i++)
        loudness[i] = (float)(((double)loudness[i] - mean) / deviation * 4 - 33);
    write_features("g.npz", f0, loudness, FRAMES, 200);
    o.auto_loudness = 0;
    sound same = synth("g.npz", &o, &r);
    for (size_t i = 0; i < FRAMES; i++)
        loudness[i] -= 9;
    write_features("g.npz", f0, loudness, FRAMES, 200);
    o.loudness = 9;
    sound shifted = synth("g.npz", &o, &r);
    for (size_t i = 0; i < same.n; i++) {
        CHECK_CLOSE(automatic.x[i], same.x[i], 1e-5);
        CHECK_CLOSE(shifted.x[i], same.x[i], 1e-5);
    }
    free(automatic.x);
    free(same.x);
    free(shifted.x);
}

TEST(test_threshold)
{
    rv_synth_report r, less;
    rv_synth_options o = usual();
    make_model("none", NULL);
    write_sound("tone.wav", tone, RATE, 1, RATE / 2);
    sound s = synth("tone.wav", &o, &r);
    free(s.x);
    o.threshold = 1;
    o.harmonics_gain = 0;
    s = synth("tone.wav", &o, &less);
    CHECK(r.voiced > 90 && less.voiced < r.voiced);
    free(s.x);
}

/* ddsp_pytorch's state.pth (tools/make_golden_autoencoder.py). */
TEST(test_ddsp_pytorchs_checkpoint)
{
    static const char config[] =
        "data: {mean_loudness: -3.5, std_loudness: 2.0, extension: wav}\n"
        "model: {hidden_size: 8, n_harmonic: 6, n_bands: 5, sampling_rate: 1000, block_size: 16}\n"
        "train: {scales: [64], overlap: .75}\n";
    float f0[FRAMES], loudness[FRAMES];
    char command[1200], model[400];
    rv_synth_report r = { 0 };
    rv_synth_options o = usual();
    rv_error err = { 0 };
    snprintf(model, sizeof model, "%s", in_folder("run/state.pth"));
    snprintf(command, sizeof command,
             "mkdir -p '%s/run' && cp '%s/tests/golden/autoencoder.pth' '%s'", folder,
             getenv("RV_TEST_SOURCE"), model);
    CHECK(system(command) == 0);
    for (size_t i = 0; i < FRAMES; i++) {
        f0[i] = 80;
        loudness[i] = -4;
    }
    write_features("f.npz", f0, loudness, FRAMES, 62.5F);
    CHECK(rv_synth_file(model, in_folder("f.npz"), in_folder("out.wav"), &o, &r, &err) ==
          RV_ERR_IO);
    CHECK_MSG(strstr(err.text, "config.yaml"), "%s", err.text);
    FILE *f = fopen(in_folder("run/config.yaml"), "w");
    CHECK(f && fputs(config, f) >= 0 && fclose(f) == 0);
    o.auto_loudness = 1;
    const rv_status st =
        rv_synth_file(model, in_folder("f.npz"), in_folder("out.wav"), &o, &r, &err);
    if (st == RV_ERR_UNSUPPORTED) /* a build without libyaml */
        return;
    CHECK_OK(st, err);
    CHECK(r.sample_rate == 1000 && r.samples == FRAMES * 16 && r.parameters > 1000);
}

/* Refused ------------------------------------------------------------------------------------- */

static void refuse(const char *in, const rv_synth_options *o, rv_status status, const char *text)
{
    rv_error err = { 0 };
    unlink(in_folder("no.wav"));
    const rv_status st = rv_synth_file(in_folder("m.safetensors"), in_folder(in),
                                       in_folder("no.wav"), o, NULL, &err);
    CHECK_MSG(st == status && strstr(err.text, text) && !strchr(err.text, '\n'), "%d %s", (int)st,
              err.text);
    CHECK(access(in_folder("no.wav"), F_OK) != 0);
}

static int stop(void *ctx, double fraction)
{
    (void)ctx;
    return fraction > 0.6;
}

TEST(test_what_is_refused)
{
    float f0[FRAMES] = { 0 }, loudness[FRAMES] = { 0 };
    rv_synth_options o = usual();
    make_model("none", NULL);
    write_sound("tone.wav", tone, RATE, 1, RATE);
    write_features("f.npz", f0, loudness, FRAMES, 200);
    refuse("missing.wav", &o, RV_ERR_IO, "missing.wav");
    refuse("m.safetensors", &o, RV_ERR_FORMAT, "m.safetensors");
    o.auto_loudness = 1;
    refuse("f.npz", &o, RV_ERR_ARG, "loudness_mean");
    o = usual();
    o.stretch = 0;
    refuse("f.npz", &o, RV_ERR_ARG, "stretch is 0");
    o = usual();
    o.threshold = 0.5;
    refuse("f.npz", &o, RV_ERR_FORMAT, "f0_confidence");
    o = usual();
    o.pitch = RV_SYNTH_PITCH_CREPE;
    refuse("tone.wav", &o, RV_ERR_ARG, "CREPE");
    o.pitch = RV_SYNTH_PITCH_OWN;
    refuse("tone.wav", &o, RV_ERR_ARG, "it has none");
    o = usual();
    o.progress = stop;
    refuse("tone.wav", &o, RV_ERR_CANCELLED, "stopped");
    o = usual();
    loudness[7] = NAN;
    write_features("g.npz", f0, loudness, FRAMES, 200);
    refuse("g.npz", &o, RV_ERR_FORMAT, "loudness_db of frame 7 is nan");
    write_features("g.npz", f0, loudness, 0, 200);
    refuse("g.npz", &o, RV_ERR_FORMAT, "has no array f0_hz");
    write_features("g.npz", f0, loudness, 5, 0);
    refuse("g.npz", &o, RV_ERR_FORMAT, "frame_rate");
    make_model("mfcc_rnn", NULL);
    refuse("f.npz", &o, RV_ERR_FORMAT, "mfcc");
    const tiny_args own = tiny_own_f0(tiny_arguments("ddsp", "none", "none"));
    write_tiny("m.safetensors", &own, NULL);
    o.threshold = 0.1;
    refuse("tone.wav", &o, RV_ERR_ARG, "threshold is 0.1");
    o.threshold = 0;
    o.progress = stop;
    refuse("tone.wav", &o, RV_ERR_CANCELLED, "stopped");
}

TEST(test_results_that_are_there)
{
    rv_synth_options o = usual();
    rv_error err = { 0 };
    make_model("none", NULL);
    o.overwrite = 0;
    write_sound("tone.wav", tone, RATE, 1, 100);
    const char *model = in_folder("m.safetensors");
    CHECK(rv_synth_file(model, in_folder("tone.wav"), in_folder("tone.wav"), &o, NULL, &err) ==
          RV_ERR_EXISTS);
    CHECK(strstr(err.text, "is there already"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pitch_is_kept_and_shifted),
        cmocka_unit_test(test_gains_and_room),
        cmocka_unit_test(test_equal_seeds_equal_bits),
        cmocka_unit_test(test_odd_sounds),
        cmocka_unit_test(test_given_features_and_params),
        cmocka_unit_test(test_crepe_keeps_to_the_range_of_the_model),
        cmocka_unit_test(test_own_pitch),
        cmocka_unit_test(test_rates_and_stretch),
        cmocka_unit_test(test_loudness),
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_ddsp_pytorchs_checkpoint),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_results_that_are_there),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
