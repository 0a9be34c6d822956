/* check_signal.c - see check_signal.h. Sums run in lanes, so that compilers can vectorise them
 * without reordering anything. */
#include "data/check_signal.h"

#include "io/hash64.h"

#include <math.h>
#include <stdbool.h>

enum { LANES = 8 };

static const float full_scale = 32766.5f / 32768.0f; /* 16 bits end at 32767 */
static const float quiet = 0.001f;
static const double lowest = 1e-20; /* of residuals: -200 dB */

typedef struct moments {
    double sum, energy;
    float peak;
} moments;

static moments measure(const float *x, size_t n)
{
    double sum[LANES] = { 0 }, energy[LANES] = { 0 };
    float peak[LANES] = { 0 };
    moments m = { 0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            const float v = x[i + k], size = fabsf(v);
            sum[k] += (double)v;
            energy[k] += (double)v * (double)v;
            peak[k] = size > peak[k] ? size : peak[k];
        }
    for (size_t k = 0; i < n; i++, k++) {
        sum[k] += (double)x[i];
        energy[k] += (double)x[i] * (double)x[i];
        peak[k] = fabsf(x[i]) > peak[k] ? fabsf(x[i]) : peak[k];
    }
    for (size_t k = 0; k < LANES; k++) {
        m.sum += sum[k];
        m.energy += energy[k];
        m.peak = peak[k] > m.peak ? peak[k] : m.peak;
    }
    return m;
}

static uint64_t mend(float *x, size_t n)
{
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) {
            x[i] = 0;
            count++;
        }
    return count;
}

static void end_run(rv_check_signal *s, size_t c)
{
    if (s->run[c] >= RV_CLIPPED_RUN) {
        s->clipped_runs++;
        s->clipped += s->run[c];
    }
    s->run[c] = 0;
}

static void find_runs(rv_check_signal *s, size_t c, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (x[i] != s->last[c])
            end_run(s, c);
        s->run[c] += fabsf(x[i]) >= full_scale;
        s->last[c] = x[i];
    }
}

/* -> peak of the block */
static float add_channel(rv_check_signal *s, size_t c, float *x, size_t n)
{
    moments m = measure(x, n);
    if (!isfinite(m.energy)) {
        s->not_finite += mend(x, n);
        m = measure(x, n);
    }
    if (m.peak >= full_scale)
        find_runs(s, c, x, n);
    else
        s->last[c] = 0; /* what differs from it ends the run */
    s->sum[c] += m.sum;
    s->energy += m.energy;
    s->hash = rv_hash64(x, n * sizeof *x, s->hash);
    return m.peak;
}

void rv_check_signal_add(rv_check_signal *s, float *const *x, size_t channels, size_t frames)
{
    float peak = 0;
    for (size_t c = 0; c < channels && frames > 0; c++)
        peak = fmaxf(peak, add_channel(s, c, x[c], frames));
    s->peak = fmaxf(s->peak, peak);
    s->frames += frames;
    s->silent += peak < quiet ? frames : 0;
}

void rv_check_signal_end(rv_check_signal *s, size_t channels)
{
    for (size_t c = 0; c < channels; c++)
        end_run(s, c);
}

double rv_check_signal_rms(const rv_check_signal *s, size_t channels)
{
    return s->frames > 0 ? sqrt(s->energy / ((double)s->frames * (double)channels)) : 0;
}

double rv_check_signal_offset(const rv_check_signal *s, size_t channels)
{
    double most = 0;
    for (size_t c = 0; c < channels && s->frames > 0; c++)
        if (fabs(s->sum[c]) > fabs(most))
            most = s->sum[c];
    return s->frames > 0 ? most / (double)s->frames : 0;
}

/* Sums of mixture and stems */

void rv_check_sum_add(rv_check_sum *c, const float *mix, const float *stems, size_t n)
{
    double m[LANES] = { 0 }, s[LANES] = { 0 }, p[LANES] = { 0 }, d[LANES] = { 0 };
    for (size_t i = 0; i < n; i += LANES)
        for (size_t k = 0; k < LANES && i + k < n; k++) {
            const double a = (double)mix[i + k], b = (double)stems[i + k];
            m[k] += a * a;
            s[k] += b * b;
            p[k] += a * b;
            d[k] += (a - b) * (a - b);
        }
    for (size_t k = 0; k < LANES; k++) {
        c->mix += m[k];
        c->stems += s[k];
        c->product += p[k];
        c->difference += d[k];
    }
}

static double decibels(double energy, double of)
{
    if (of <= 0)
        return energy > 0 ? HUGE_VAL : -200;
    return 10 * log10(fmax(energy / of, lowest));
}

void rv_check_sum_result(const rv_check_sum *c, double *residual, double *gain, double *fitted)
{
    const double g = c->stems > 0 ? c->product / c->stems : 0;
    *residual = decibels(c->difference, c->mix);
    *gain = g;
    *fitted = decibels(fmax(c->mix - g * c->product, 0), c->mix);
}
