/* test_synth_params.c - parameters of a sound played by no model: what is written is heard, higher,
 * slower and without its noise where that is wanted; and files that do not fit. */
#include "check.h"
#include "io/audio_read.h"
#include "io/npz_write.h"
#include "ravel/synth.h"
#include "tiny_autoencoder.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RATE = 16000, HOP = 160, FRAMES = 100, HARMONICS = 3, BANDS = 9, SAMPLES = FRAMES * HOP };

/* Columns of a file */
typedef struct {
    float f0[FRAMES], amplitude[FRAMES], shares[FRAMES][HARMONICS], noise[FRAMES][BANDS];
    double sample_rate, frame_rate;
} params;

typedef struct {
    const void *data;
    size_t row; /* bytes */
} column;

static rv_status give(void *ctx, size_t first, size_t n, void *out, rv_error *err)
{
    const column *c = ctx;
    (void)err;
    memcpy(out, (const char *)c->data + first * c->row, n * c->row);
    return RV_OK;
}

static void write_params(const char *name, const params *p, size_t n_arrays)
{
    rv_error err = { 0 };
    column c[] = { { &p->sample_rate, 8 }, { &p->frame_rate, 8 },        { p->f0, 4 },
                   { p->amplitude, 4 },    { p->shares, 4 * HARMONICS }, { p->noise, 4 * BANDS } };
    const rv_npz_array arrays[] = {
        { "sample_rate", "<f8", 0, { 0 }, give, &c[0] },
        { "frame_rate", "<f8", 0, { 0 }, give, &c[1] },
        { "f0_hz", "<f4", 1, { FRAMES }, give, &c[2] },
        { "amplitude", "<f4", 1, { FRAMES }, give, &c[3] },
        { "harmonic_distribution", "<f4", 2, { FRAMES, HARMONICS }, give, &c[4] },
        { "noise_magnitudes", "<f4", 2, { FRAMES, BANDS }, give, &c[5] },
    };
    CHECK_OK(rv_npz_write(in_folder(name), arrays, n_arrays, &err), err);
}

static params steady(double noise)
{
    params p = { .sample_rate = RATE, .frame_rate = (double)RATE / HOP };
    for (size_t i = 0; i < FRAMES; i++) {
        p.f0[i] = 220;
        p.amplitude[i] = 0.5F;
        p.shares[i][0] = 0.8F;
        p.shares[i][2] = 0.2F;
        for (size_t b = 0; b < BANDS; b++)
            p.noise[i][b] = (float)noise;
    }
    return p;
}

static rv_status play(const char *name, rv_synth_options *o, rv_synth_report *r, rv_error *err)
{
    char in[400], out[400];
    snprintf(in, sizeof in, "%s", in_folder(name));
    snprintf(out, sizeof out, "%s", in_folder("played.wav"));
    o->bits = 32;
    o->overwrite = 1;
    return rv_synth_file("params", in, out, o, r, err);
}

static float *heard(const char *name, rv_synth_options *o, size_t samples)
{
    rv_error err = { 0 };
    rv_synth_report report;
    rv_audio_reader *reader = NULL;
    float *x = calloc(samples + 1, sizeof *x);
    size_t got;
    CHECK_OK(play(name, o, &report, &err), err);
    CHECK(report.sample_rate == RATE && report.samples == samples && report.frames == FRAMES);
    CHECK_OK(rv_audio_reader_open(&reader, in_folder("played.wav"), 0, &err), err);
    CHECK_OK(rv_audio_reader_read(reader, &x, samples + 1, &got, &err), err);
    CHECK(got == samples);
    rv_audio_reader_free(reader);
    return x;
}

/* Amplitude of a tone in the middle of x */
static double tone_in(const float *x, size_t samples, double hz)
{
    double re = 0, im = 0, n = 0;
    for (size_t t = samples / 4; t < samples * 3 / 4; t++, n++) {
        re += (double)x[t] * cos(2 * 3.14159265358979 * hz * (double)t / RATE);
        im += (double)x[t] * sin(2 * 3.14159265358979 * hz * (double)t / RATE);
    }
    return 2 * sqrt(re * re + im * im) / n;
}

TEST(test_harmonics_are_those_written)
{
    const params p = steady(0);
    rv_synth_options o;
    write_params("tone.npz", &p, 6);
    rv_synth_defaults(&o);
    float *x = heard("tone.npz", &o, SAMPLES);
    CHECK_CLOSE(tone_in(x, SAMPLES, 220), 0.4, 1e-3);
    CHECK_CLOSE(tone_in(x, SAMPLES, 440), 0, 1e-3);
    CHECK_CLOSE(tone_in(x, SAMPLES, 660), 0.1, 1e-3);
    free(x);
    o.pitch_shift = 12;
    o.stretch = 2;
    o.harmonics_gain = -20;
    x = heard("tone.npz", &o, 2 * SAMPLES);
    CHECK_CLOSE(tone_in(x, 2 * SAMPLES, 220), 0, 1e-3);
    CHECK_CLOSE(tone_in(x, 2 * SAMPLES, 440), 0.04, 1e-3);
    free(x);
    o.pitch_shift = 48; /* 3520 Hz: the third harmonic is beyond the rate */
    x = heard("tone.npz", &o, 2 * SAMPLES);
    CHECK_CLOSE(tone_in(x, 2 * SAMPLES, RATE - 3 * 3520), 0, 1e-3);
    free(x);
}

/* Uniform noise in [-1, 1) has a mean square of 1 / 3. */
TEST(test_noise_is_as_loud_as_written)
{
    params p = steady(0.3);
    rv_synth_options o;
    memset(p.f0, 0, sizeof p.f0);
    write_params("noise.npz", &p, 6);
    rv_synth_defaults(&o);
    float *x = heard("noise.npz", &o, SAMPLES);
    double square = 0;
    for (size_t t = 0; t < SAMPLES; t++)
        square += (double)x[t] * (double)x[t] / SAMPLES;
    CHECK_CLOSE(sqrt(3 * square) / 0.3, 1, 0.05);
    free(x);
}

static void check_refuses(const char *name, rv_synth_options *o, rv_status status, const char *why)
{
    rv_error err = { 0 };
    unlink(in_folder("played.wav"));
    CHECK(play(name, o, NULL, &err) == status);
    CHECK_MSG(strstr(err.text, why), "%s", err.text);
    CHECK(access(in_folder("played.wav"), F_OK) != 0);
}

TEST(test_what_does_not_fit)
{
    params p = steady(0.1);
    rv_synth_options o;
    rv_synth_defaults(&o);
    write_params("short.npz", &p, 5);
    check_refuses("short.npz", &o, RV_ERR_FORMAT, "noise_magnitudes");
    p.amplitude[50] = NAN;
    write_params("nan.npz", &p, 6);
    check_refuses("nan.npz", &o, RV_ERR_FORMAT, "amplitude of frame 50");
    p = steady(0.1);
    p.frame_rate = 1e-9;
    write_params("rate.npz", &p, 6);
    check_refuses("rate.npz", &o, RV_ERR_FORMAT, "frame_rate");
    check_refuses("voice.wav", &o, RV_ERR_ARG, "plays an .npz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_harmonics_are_those_written),
        cmocka_unit_test(test_noise_is_as_loud_as_written),
        cmocka_unit_test(test_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
