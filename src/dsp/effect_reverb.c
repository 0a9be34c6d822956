/* effect_reverb.c - a room: a feedback delay network of 16 lines.
 *
 *     line i:  d_i frames of delay, then k_i (1 - p_i) / (1 - p_i z^-1)
 *     what goes into the lines = Hadamard matrix / 4 of what comes out of them + the input
 *
 * The matrix is orthogonal, so the lines alone decide how sound dies (J.-M. Jot, A. Chaigne,
 * "Digital delay networks for designing artificial reverberators", AES 90, 1991): with
 * k_i = 10^(-3 d_i / (T60 rate)) by 60 dB in T60. The poles p_i are such that |H_i| = k_i^2 at the
 * damping frequency, in every line: there the time is half of T60. Lengths are primes in
 * geometric order, 5:1, so that echoes do not coincide; a room with a short T60 is a small one.
 *
 * The left input enters the even lines and the right one the odd; lines with bit 1 clear are
 * heard left, the others right. Scaled so that lasting noise comes out as loud as it goes in:
 * each of 8 lines in and 8 of 16 out has T60 / (6 ln 10 mean delay) of the energy. */
#include "dsp/effect.h"

#include <stdbool.h>
#include <stdlib.h>

enum { LINES = 16 };

static const double pi = 3.14159265358979323846;

typedef struct {
    effect base;
    float share, scale;
    size_t length[LINES], start[LINES], at[LINES];
    float gain[LINES], pole[LINES], state[LINES];
    float ring[];
} reverb;

/* v [16] -> H v, the matrix of -1^(bits common to row and column). */
static void hadamard(float v[LINES])
{
    for (size_t half = 1; half < LINES; half *= 2) {
        for (size_t i = 0; i < LINES; i++) {
            if (i & half)
                continue;
            const float a = v[i], b = v[i + half];
            v[i] = a + b;
            v[i + half] = a - b;
        }
    }
}

/* Sums of the lines that are heard left and right, signs by bits 2 and 3. */
static void listen(const float v[LINES], float wet[2])
{
    wet[0] = wet[1] = 0;
    for (size_t i = 0; i < LINES; i++) {
        const bool minus = ((i >> 2) ^ (i >> 3)) & 1;
        wet[(i >> 1) & 1] += minus ? -v[i] : v[i];
    }
}

static void step(reverb *e, const float x[2], float wet[2])
{
    float v[LINES];
    for (size_t i = 0; i < LINES; i++)
        v[i] = e->ring[e->start[i] + e->at[i]];
    for (size_t i = 0; i < LINES; i++)
        v[i] = e->state[i] = calm_float(e->gain[i] * v[i] + e->pole[i] * e->state[i]);
    listen(v, wet);
    hadamard(v);
    for (size_t i = 0; i < LINES; i++) {
        e->ring[e->start[i] + e->at[i]] = 0.25f * v[i] + x[i & 1];
        e->at[i] = e->at[i] + 1 == e->length[i] ? 0 : e->at[i] + 1;
    }
}

static void process(effect *base, float *const stereo[2], size_t frames)
{
    reverb *e = (reverb *)base;
    for (size_t t = 0; t < frames; t++) {
        const float x[2] = { stereo[0][t], stereo[1][t] };
        float wet[2];
        step(e, x, wet);
        for (int c = 0; c < 2; c++)
            stereo[c][t] = x[c] + e->share * (e->scale * wet[c] - x[c]);
    }
}

static bool is_prime(size_t n)
{
    for (size_t d = 2; d * d <= n; d++) {
        if (n % d == 0)
            return false;
    }
    return n > 1;
}

/* Different primes; their sum is returned. */
static size_t choose_lengths(size_t length[LINES], double seconds, double rate)
{
    const double longest = 0.06 * sqrt(seconds < 2 ? seconds : 2) * rate;
    size_t last = 1, sum = 0;
    for (size_t i = 0; i < LINES; i++) {
        size_t n = (size_t)(longest * pow(5, (double)i / (LINES - 1) - 1));
        n = n > last ? n : last + 1;
        while (!is_prime(n))
            n++;
        length[i] = last = n;
        sum += n;
    }
    return sum;
}

/* The solution below 1 of (1 - p)^2 = k^2 (1 - 2 p cos w + p^2): one pole with gain k at w. */
static double pole_for(double k, double w)
{
    const double a = 1 - k * k, b = 1 - k * k * cos(w);
    return (b - sqrt(b * b - a * a)) / a;
}

effect *rv_reverb_new(const rv_effect *spec, double rate)
{
    const double seconds = spec->value[0], w = 2 * pi * spec->value[1] / rate;
    size_t length[LINES];
    const size_t sum = choose_lengths(length, seconds, rate);
    reverb *e = calloc(1, sizeof *e + sum * sizeof *e->ring);
    if (!e)
        return NULL;
    for (size_t i = 0, start = 0; i < LINES; start += length[i++]) {
        const double k = pow(10, -3 * (double)length[i] / (seconds * rate));
        const double pole = pole_for(k, w);
        e->length[i] = length[i];
        e->start[i] = start;
        e->gain[i] = (float)(k * (1 - pole));
        e->pole[i] = (float)pole;
    }
    const double mean = (double)sum / LINES / rate;
    e->base.process = process;
    e->share = (float)spec->value[2];
    e->scale = (float)sqrt(6 * log(10) * mean / (seconds * LINES / 4));
    return &e->base;
}
