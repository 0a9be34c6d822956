/* test_source_fit.c - models of sources fitted to a mix: a bass whose stem ends at 200 Hz gets its
 * harmonics back, and a drum what is its own below; stems add up; parameters are those of a sound
 * that is known; the same bits for any threads; silence and very short tracks. */
#include "base/rng.h"
#include "check.h"
#include "dsp/harmonic_comb.h"
#include "dsp/real_fft.h"
#include "dsp/spectra.h"
#include "dsp/window.h"
#include "infer/source_fit.h"
#include "infer/source_params.h"
#include "infer/wiener_stream.h"
#include "ravel/separate.h"

#include <stdlib.h>
#include <string.h>

enum { RATE = 16000, SIZE = 1024, HOP = SIZE / 4, BINS = SIZE / 2 + 1, LENGTH = 3 * RATE };
enum { BASS, DRUMS, OTHER, STEMS };

static const double pi = 3.14159265358979323846;
static const char *const names[STEMS] = { "bass", "drums", "other" };

/* Pitch and lobes ------------------------------------------------------------------------ */

/* Power under a Hann window of x [SIZE] */
static void power_of(const float *x, float *power)
{
    rv_error err = { 0 };
    rv_spectra *s = NULL;
    float complex bins[BINS];
    CHECK_OK(rv_spectra_new(&s, SIZE, HOP, NULL, &err), err);
    float *scratch = aligned_alloc(RV_FFT_ALIGN, rv_spectra_scratch(s) * sizeof *scratch);
    rv_spectra_frame(s, x, SIZE, SIZE / HOP - 1, bins, scratch);
    for (size_t b = 0; b < BINS; b++)
        power[b] = crealf(bins[b]) * crealf(bins[b]) + cimagf(bins[b]) * cimagf(bins[b]);
    free(scratch);
    rv_spectra_free(s);
}

static double period_of(const float *x, double *clarity)
{
    rv_error err = { 0 };
    rv_spectral_pitch *p = NULL;
    float power[BINS];
    power_of(x, power);
    CHECK_OK(rv_spectral_pitch_new(&p, SIZE, NULL, &err), err);
    float *scratch = aligned_alloc(RV_FFT_ALIGN, rv_spectral_pitch_scratch(p) * sizeof *scratch);
    const double period =
        rv_spectral_pitch_period(p, power, (rv_pitch_range){ 20, 300 }, scratch, clarity);
    free(scratch);
    rv_spectral_pitch_free(p);
    return period;
}

TEST(test_pitch_of_tones_noise_and_silence)
{
    float x[SIZE] = { 0 };
    double clarity;
    CHECK(period_of(x, &clarity) == 0 && clarity == 0);
    for (double hz = 61.7; hz < 500; hz *= 1.37) {
        for (size_t t = 0; t < SIZE; t++)
            x[t] = (float)(sin(2 * pi * hz * (double)t / RATE) +
                           0.7 * sin(4 * pi * hz * (double)t / RATE + 1));
        CHECK_CLOSE(RATE / period_of(x, &clarity) / hz, 1, 0.01);
        CHECK_MSG(clarity > 0.9, "%g Hz: clarity %g", hz, clarity);
    }
    for (size_t t = 0; t < SIZE; t++)
        x[t] = (float)(rv_rng_uniform(3, 0, t) - 0.5);
    period_of(x, &clarity);
    CHECK_MSG(clarity < rv_source_clarity, "clarity of noise: %g", clarity);
}

TEST(test_lobes_are_those_of_the_window)
{
    float x[SIZE], power[BINS], comb[BINS] = { 0 };
    const double place = 40.3;
    for (size_t t = 0; t < SIZE; t++)
        x[t] = (float)(0.5 * sin(2 * pi * place * (double)t / SIZE));
    power_of(x, power);
    for (size_t b = 0; b < BINS; b++)
        power[b] = sqrtf(power[b]);
    const float height = rv_comb_height(power, place);
    CHECK_CLOSE(height, 0.5 * SIZE / 4, 1e-3);
    rv_comb_add(comb, place, height);
    for (size_t b = 0; b < BINS; b++)
        CHECK(fabsf(comb[b] - power[b]) < 0.01F * height);
    CHECK(!rv_comb_fits(BINS, 1.9) && rv_comb_fits(BINS, 2));
    CHECK(rv_comb_fits(BINS, BINS - 4.5) && !rv_comb_fits(BINS, BINS - 4));
}

/* A band --------------------------------------------------------------------------------- */

typedef struct {
    float stem[STEMS][LENGTH];
} band;

static double tone(double hz, size_t t)
{
    return sin(2 * pi * hz * (double)t / RATE);
}

/* The bass, and what it has below 200 Hz; notes of half a second. */
static void play_bass(band *whole, band *low)
{
    static const double notes[] = { 55, 73.4, 65.4, 82.4, 61.7, 98 };
    for (size_t t = 0; t < LENGTH; t++) {
        const double hz = notes[t / (RATE / 2) % 6],
                     fade = 0.2 * exp(-(double)(t % (RATE / 2)) / RATE);
        for (int k = 1; k <= 5; k++) {
            const float x = (float)(fade / k * tone(k * hz, t));
            whole->stem[BASS][t] += x;
            low->stem[k * hz < 200 ? BASS : OTHER][t] += x;
        }
    }
}

/* A drum every 0.4 s, of which the bass has got two thirds; and a chord. */
static void play_rest(band *whole, band *parts)
{
    for (size_t t = 0; t < LENGTH; t++) {
        const double since = (double)(t % (2 * RATE / 5)) / RATE;
        const float drum = (float)(0.5 * exp(-since / 0.03) * tone(110, t % (2 * RATE / 5)));
        const float chord = (float)(0.1 * tone(523, t) + 0.1 * tone(659, t));
        whole->stem[DRUMS][t] += drum;
        parts->stem[BASS][t] += drum * 2 / 3;
        parts->stem[DRUMS][t] += drum / 3;
        whole->stem[OTHER][t] += chord;
        parts->stem[OTHER][t] += chord;
    }
}

/* dB of signal to error */
static double snr(const float *estimate, const float *target)
{
    double energy = 0, error = 0;
    for (size_t t = 0; t < LENGTH; t++) {
        const double off = (double)estimate[t] - (double)target[t];
        energy += (double)target[t] * (double)target[t];
        error += off * off;
    }
    return 10 * log10(energy / error);
}

typedef struct {
    size_t frames, voiced;
    double f0, second, amplitude; /* sums over voiced frames */
} heard;

static rv_status take_controls(void *ctx, size_t stem, const rv_play_controls *c, rv_error *err)
{
    heard *h = (heard *)ctx + stem;
    (void)err;
    h->frames += c->n;
    if (c->f0[0] > 0) {
        h->voiced++;
        h->f0 += (double)c->f0[0];
        h->amplitude += (double)c->amplitude[0];
        h->second += (double)c->distribution[1];
    }
    return RV_OK;
}

/* parts, as a stream through the models, in its place */
static void refine(band *parts, size_t length, heard *h)
{
    rv_error err = { 0 };
    rv_source_fit *fit = NULL;
    rv_wiener_stream *s = NULL;
    const size_t size = rv_wiener_stream_frame(RATE);
    const rv_source_fit_options options = { .names = names,
                                            .stems = STEMS,
                                            .sample_rate = RATE,
                                            .size = size,
                                            .hop = size / RV_WIENER_OVERLAP,
                                            .controls = h ? take_controls : NULL,
                                            .ctx = h };
    float *mix = calloc(length + 1, sizeof *mix);
    for (size_t t = 0; t < length; t++)
        mix[t] = parts->stem[0][t] + parts->stem[1][t] + parts->stem[2][t];
    CHECK_OK(rv_source_fit_new(&fit, &options, &err), err);
    const rv_wiener_options stream = {
        .channels = 1, .stems = STEMS, .sample_rate = RATE, .fit = fit
    };
    CHECK_OK(rv_wiener_stream_new(&s, &stream, &err), err);
    const float *in[STEMS] = { parts->stem[0], parts->stem[1], parts->stem[2] }, *x = mix;
    float *out[STEMS] = { parts->stem[0], parts->stem[1], parts->stem[2] };
    CHECK_OK(rv_wiener_stream_mix(s, &x, length, &err), err);
    CHECK_OK(rv_wiener_stream_stems(s, in, length, &err), err);
    rv_wiener_stream_finish(s);
    size_t made;
    CHECK_OK(rv_wiener_stream_pull(s, out, length, &made, &err), err);
    CHECK(made == length);
    for (size_t t = 0; t < length; t++)
        CHECK_CLOSE(out[0][t] + out[1][t] + out[2][t], mix[t], 1e-5);
    rv_wiener_stream_free(s);
    rv_source_fit_free(fit);
    free(mix);
}

TEST(test_bass_and_drums_get_what_is_theirs)
{
    band *whole = calloc(1, sizeof *whole), *parts = calloc(1, sizeof *parts);
    double before[STEMS], after[STEMS];
    play_bass(whole, parts);
    play_rest(whole, parts);
    for (int s = 0; s < STEMS; s++)
        before[s] = snr(parts->stem[s], whole->stem[s]);
    refine(parts, LENGTH, NULL);
    for (int s = 0; s < STEMS; s++)
        after[s] = snr(parts->stem[s], whole->stem[s]);
    for (int s = 0; s < STEMS; s++)
        CHECK_MSG(after[s] > before[s] + 1, "%s: %.2f dB, before %.2f", names[s], after[s],
                  before[s]);
    free(whole);
    free(parts);
}

TEST(test_parameters_of_a_known_sound)
{
    band *parts = calloc(1, sizeof *parts);
    heard h[STEMS] = { { 0 } };
    for (size_t t = 0; t < LENGTH; t++)
        parts->stem[BASS][t] = (float)(0.3 * tone(80, t) + 0.1 * tone(160, t));
    refine(parts, LENGTH, h);
    const size_t hop = rv_wiener_stream_frame(RATE) / RV_WIENER_OVERLAP;
    CHECK(h[BASS].frames == (LENGTH + hop - 1) / hop && h[DRUMS].frames == h[BASS].frames);
    CHECK(h[BASS].voiced + 4 >= h[BASS].frames && h[OTHER].voiced == 0);
    const double n = (double)h[BASS].voiced;
    CHECK_CLOSE(h[BASS].f0 / n / 80, 1, 0.01);
    CHECK_CLOSE(h[BASS].amplitude / n, 0.4, 0.03);
    CHECK_CLOSE(h[BASS].second / n, 0.25, 0.03);
    free(parts);
}

TEST(test_silence_and_very_short_tracks)
{
    band *parts = calloc(1, sizeof *parts);
    static const size_t lengths[] = { 1, RATE / 100, LENGTH };
    for (int i = 0; i < 3; i++) {
        refine(parts, lengths[i], NULL);
        for (size_t t = 0; t < lengths[i]; t++)
            CHECK(parts->stem[BASS][t] == 0 && parts->stem[OTHER][t] == 0);
    }
    for (size_t t = 0; t < RATE / 100; t++)
        parts->stem[OTHER][t] = (float)(0.5 * tone(440, t));
    refine(parts, RATE / 100, NULL);
    for (size_t t = 0; t < RATE / 100; t++)
        CHECK_CLOSE(parts->stem[OTHER][t], 0.5 * tone(440, t), 1e-5);
    free(parts);
}

/* The whole way -------------------------------------------------------------------------- */

TEST(test_same_bits_for_any_threads)
{
    rv_error err = { 0 };
    rv_model *m = NULL;
    rv_separate_options o;
    band *whole = calloc(1, sizeof *whole), *parts = calloc(1, sizeof *parts);
    float *mix = calloc(LENGTH, sizeof *mix), *y[2];
    play_bass(whole, parts);
    play_rest(whole, parts);
    for (size_t t = 0; t < LENGTH; t++)
        mix[t] = whole->stem[0][t] + whole->stem[1][t] + whole->stem[2][t];
    CHECK_OK(rv_model_open(&m, "classic", &err), err);
    rv_separate_defaults(&o);
    o.refine = 1;
    for (int i = 0; i < 2; i++) {
        o.threads = 1 + 2 * i;
        y[i] = calloc(4 * LENGTH, sizeof **y);
        float *stems[4] = { y[i], y[i] + LENGTH, y[i] + 2 * LENGTH, y[i] + 3 * LENGTH };
        const float *in = mix;
        CHECK_OK(rv_separate(m, &in, 1, RATE, LENGTH, stems, &o, &err), err);
    }
    CHECK(memcmp(y[0], y[1], 4 * LENGTH * sizeof **y) == 0);
    rv_model_free(m);
    free(y[0]);
    free(y[1]);
    free(whole);
    free(parts);
    free(mix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pitch_of_tones_noise_and_silence),
        cmocka_unit_test(test_lobes_are_those_of_the_window),
        cmocka_unit_test(test_bass_and_drums_get_what_is_theirs),
        cmocka_unit_test(test_parameters_of_a_known_sound),
        cmocka_unit_test(test_silence_and_very_short_tracks),
        cmocka_unit_test(test_same_bits_for_any_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
