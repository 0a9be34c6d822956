/* source_params.c - a frame's magnitudes S under a Hann window of N samples as the controls of a
 * harmonic synthesiser and a noise synthesiser, after Engel 2020 (arXiv 2001.04643):
 *
 *     amplitude of harmonic k   4 / N times the height of the lobe around k f0
 *     band b of the noise       sqrt(8 / N mean of R^2 under the band's triangle)
 *     loudness                  10 log10 mean(A S^2), as of a window of 32 ms
 *
 * R is what the lobes leave of S. A sinusoid of amplitude 1 has a lobe of N / 4; uniform noise in
 * [-1, 1) has a mean square of 1 / 3, and the window one of 3 / 8. */
#include "infer/source_params.h"

#include "dsp/harmonic_comb.h"

#include <math.h>
#include <string.h>

const double rv_source_clarity = 0.7;

static const double quietest = -80, loudness_seconds = 0.032;

rv_pitch_range rv_source_pitches(const char *name, double sample_rate)
{
    const bool low = strcmp(name, "bass") == 0 || strcmp(name, "drums") == 0;
    return (rv_pitch_range){ (size_t)(sample_rate / (low ? 350 : 1200)),
                             (size_t)(sample_rate / (low ? 35 : 70)) };
}

rv_autoencoder_config rv_source_params_format(size_t sample_rate, size_t hop)
{
    rv_autoencoder_config c = { .sample_rate = sample_rate, .hop = hop };
    c.decoder.n_harmonic = RV_SOURCE_HARMONICS;
    c.decoder.n_bands = RV_SOURCE_BANDS;
    return c;
}

/* IEC 61672 */
static double a_weight(double hz)
{
    const double f = hz * hz, c[] = { 12194.217, 20.598997, 107.65265, 737.86223 };
    const double gain = c[0] * c[0] * f * f / ((f + c[1] * c[1]) * (f + c[0] * c[0])) /
                        sqrt((f + c[2] * c[2]) * (f + c[3] * c[3]));
    return 1.584893 * gain * gain; /* 2 dB: 1 at 1 kHz */
}

void rv_source_weights(float *weight, size_t size, double sample_rate)
{
    const double n = (double)size, shorter = loudness_seconds * sample_rate / n;
    for (size_t k = 0; k <= size / 2; k++)
        weight[k] = (float)(a_weight((double)k * sample_rate / n) * shorter / (n / 2 + 1));
}

static float loudness(const rv_source_meter *m, const float *power)
{
    double sum = 0;
    for (size_t k = 0; k <= m->size / 2; k++)
        sum += (double)m->weight[k] * (double)power[k];
    return (float)fmax(10 * log10(fmax(sum, 1e-20)), quietest);
}

/* place: of f0, in bins. The lobes are taken out of the magnitudes; comb [size/2+1]. */
static void measure_harmonics(const rv_source_meter *m, double place, float *magnitude, float *comb,
                              rv_source_params *out)
{
    const size_t bins = m->size / 2 + 1;
    memset(comb, 0, bins * sizeof *comb);
    for (size_t k = 0; k < RV_SOURCE_HARMONICS; k++) {
        const double centre = (double)(k + 1) * place;
        if (!rv_comb_fits(bins, centre))
            break;
        const float height = rv_comb_height(magnitude, centre);
        rv_comb_add(comb, centre, height);
        out->distribution[k] = height;
        out->amplitude += height;
    }
    for (size_t k = 0; k < RV_SOURCE_HARMONICS && out->amplitude > 0; k++)
        out->distribution[k] /= out->amplitude;
    out->amplitude *= 4 / (float)m->size;
    for (size_t b = 0; b < bins; b++)
        magnitude[b] = fmaxf(magnitude[b] - comb[b], 0);
}

static void measure_noise(const rv_source_meter *m, const float *magnitude, float *bands)
{
    const size_t bins = m->size / 2 + 1;
    double sums[RV_SOURCE_BANDS] = { 0 }, weights[RV_SOURCE_BANDS] = { 0 };
    for (size_t k = 0; k < bins; k++) {
        const double place = (double)k * (RV_SOURCE_BANDS - 1) / (double)(bins - 1);
        const size_t low = place < RV_SOURCE_BANDS - 2 ? (size_t)place : RV_SOURCE_BANDS - 2;
        const double share = place - (double)low,
                     square = (double)magnitude[k] * (double)magnitude[k];
        sums[low] += (1 - share) * square;
        weights[low] += 1 - share;
        sums[low + 1] += share * square;
        weights[low + 1] += share;
    }
    for (size_t b = 0; b < RV_SOURCE_BANDS; b++)
        bands[b] = (float)sqrt(8 * sums[b] / ((double)m->size * weights[b]));
}

void rv_source_measure(const rv_source_meter *m, rv_pitch_range range, float *magnitude,
                       float *scratch, rv_source_params *out)
{
    const size_t bins = m->size / 2 + 1;
    float *power = scratch + rv_spectral_pitch_scratch(m->pitch);
    double clarity;
    *out = (rv_source_params){ 0 };
    for (size_t k = 0; k < bins; k++)
        power[k] = magnitude[k] * magnitude[k];
    out->loudness = loudness(m, power);
    const double period = rv_spectral_pitch_period(m->pitch, power, range, scratch, &clarity);
    if (period > 0 && clarity >= rv_source_clarity) {
        out->f0 = (float)(m->sample_rate / period);
        measure_harmonics(m, (double)m->size / period, magnitude, power, out);
    }
    measure_noise(m, magnitude, out->magnitudes);
}
