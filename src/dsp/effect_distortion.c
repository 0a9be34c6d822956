/* effect_distortion.c - y = tanh(drive x), then a low-pass (tone).
 *
 * tanh makes harmonics without end; what lies above half the sample rate would fold back as tones
 * that are not harmonic. So it works at four times the rate. One linear-phase filter, a sinc of
 * the old Nyquist frequency under a Kaiser window (J. F. Kaiser 1974; 90 dB, half-way at half the
 * rate), makes the samples between the samples and takes away what does not fit at the end.
 * Its centre is 2 TAPS of the 4 TAPS fast samples, so both passes delay by TAPS frames, exactly;
 * the dry share is delayed as much. */
#include "dsp/effect.h"

#include <stdlib.h>

enum { TAPS = 48, FACTOR = 4 };

static const double pi = 3.14159265358979323846;

typedef struct {
    effect base;
    biquad tone;
    double tone_state[2][2];
    float drive, share;
    float filter[TAPS][FACTOR]; /* h[4k + p], summing to 1 over all */
    /* The latest TAPS frames stand at [at .. at + TAPS), oldest first: all is written twice. */
    size_t at;
    float dry[2 * TAPS][2];
    float fast[2 * TAPS][2][FACTOR];
} distortion;

/* Modified Bessel function of order 0, by its series. */
static double bessel(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; term > 1e-17 * sum; k++) {
        term *= x / (2 * k) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

static void design(float filter[TAPS][FACTOR])
{
    const double beta = 0.1102 * (90 - 8.7), centre = 2 * TAPS;
    double h[TAPS * FACTOR] = { 0 }, sum = 0; /* h[0] = 0, so that the centre is in the middle */
    for (int i = 1; i < TAPS * FACTOR; i++) {
        const double x = (i - centre) / FACTOR, u = (i - centre) / centre;
        h[i] = (i == 2 * TAPS ? 1 : sin(pi * x) / (pi * x)) * bessel(beta * sqrt(1 - u * u));
        sum += h[i];
    }
    for (int i = 0; i < TAPS * FACTOR; i++)
        filter[i / FACTOR][i % FACTOR] = (float)(h[i] / sum);
}

/* The four fast samples of the newest frame: u[4n + p] = 4 sum_k h[4k + p] x[n - k]. */
static void interpolate(const distortion *e, float u[2][FACTOR])
{
    for (size_t j = 0; j < TAPS; j++) {
        for (size_t c = 0; c < 2; c++) {
            for (size_t p = 0; p < FACTOR; p++)
                u[c][p] += FACTOR * e->filter[TAPS - 1 - j][p] * e->dry[e->at + j][c];
        }
    }
}

/* y[n] = sum_i h[i] u[4n - i]; h is symmetric, so in quads it is the same table, forwards. */
static void decimate(const distortion *e, float y[2])
{
    float sum[2][FACTOR] = { { 0 } };
    for (size_t j = 0; j < TAPS; j++) {
        for (size_t c = 0; c < 2; c++) {
            for (size_t p = 0; p < FACTOR; p++)
                sum[c][p] += e->filter[j][p] * e->fast[e->at + j][c][p];
        }
    }
    for (size_t c = 0; c < 2; c++)
        y[c] = sum[c][0] + sum[c][1] + (sum[c][2] + sum[c][3]);
}

static void step(distortion *e, float x[2])
{
    float wet[2], u[2][FACTOR] = { { 0 } };
    const float late[2] = { e->dry[e->at][0], e->dry[e->at][1] };
    decimate(e, wet); /* of the quads before this frame's: h[0] is 0 */
    const size_t oldest = e->at;
    e->at = (e->at + 1) % TAPS;
    for (size_t c = 0; c < 2; c++)
        e->dry[oldest][c] = e->dry[oldest + TAPS][c] = calm_float(x[c]);
    interpolate(e, u);
    for (size_t c = 0; c < 2; c++) {
        for (size_t p = 0; p < FACTOR; p++)
            e->fast[oldest][c][p] = e->fast[oldest + TAPS][c][p] = tanhf(e->drive * u[c][p]);
        const float toned = (float)biquad_step(&e->tone, e->tone_state[c], (double)wet[c]);
        x[c] = late[c] + e->share * (toned - late[c]);
    }
}

static void process(effect *base, float *const stereo[2], size_t frames)
{
    for (size_t t = 0; t < frames; t++) {
        float x[2] = { stereo[0][t], stereo[1][t] };
        step((distortion *)base, x);
        stereo[0][t] = x[0];
        stereo[1][t] = x[1];
    }
}

effect *rv_distortion_new(const rv_effect *spec, double rate)
{
    const rv_effect tone = { RV_EFFECT_LOWPASS, { spec->value[1], sqrt(0.5) } };
    distortion *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->base.process = process;
    e->base.latency = TAPS;
    e->tone = rv_biquad_design(&tone, rate);
    e->drive = (float)pow(10, spec->value[0] / 20);
    e->share = (float)spec->value[2];
    design(e->filter);
    return &e->base;
}
