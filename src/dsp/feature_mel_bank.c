/* feature_mel_bank.c - see feature_mel_bank.h. */
#include "dsp/feature_mel_bank.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static double to_mel(rv_mel_scale scale, double hz)
{
    if (scale != RV_MEL_SLANEY)
        return 2595 * log10(1 + hz / 700);
    return hz < 1000 ? 3 * hz / 200 : 15 + 27 * log(hz / 1000) / log(6.4);
}

static double to_hz(rv_mel_scale scale, double mel)
{
    if (scale != RV_MEL_SLANEY)
        return 700 * (pow(10, mel / 2595) - 1);
    return mel < 15 ? 200 * mel / 3 : 1000 * exp(log(6.4) * (mel - 15) / 27);
}

/* On the axis that the triangles are drawn on. */
static double edge(const rv_feature_spec *s, size_t i)
{
    const double top = s->mel_max > 0 ? s->mel_max : s->sample_rate / 2.0;
    const double low = to_mel(s->mel_scale, s->mel_min), high = to_mel(s->mel_scale, top);
    const double mel = low + (high - low) * (double)i / (s->bands + 1);
    return s->mel_scale == RV_MEL_TENSORFLOW ? mel : to_hz(s->mel_scale, mel);
}

static double bin_place(const rv_feature_spec *s, size_t k)
{
    const double hz = (double)k * s->sample_rate / s->window;
    return s->mel_scale == RV_MEL_TENSORFLOW ? to_mel(s->mel_scale, hz) : hz;
}

static void fill_band(rv_mel_bank *m, const rv_feature_spec *s, size_t b)
{
    const double low = edge(s, b), middle = edge(s, b + 1), high = edge(s, b + 2);
    const double height = s->mel_scale == RV_MEL_TENSORFLOW ? 1 : 2 / (high - low);
    float *weight = m->weight + b * m->bins;
    for (size_t k = s->mel_scale == RV_MEL_TENSORFLOW; k < m->bins; k++) {
        const double at = bin_place(s, k);
        const double w = fmin((at - low) / (middle - low), (high - at) / (high - middle));
        if (w <= 0)
            continue;
        if (m->count[b] == 0)
            m->first[b] = k;
        weight[m->count[b]++] = (float)(w * height);
    }
}

rv_status rv_mel_bank_init(rv_mel_bank *m, const rv_feature_spec *spec, rv_error *err)
{
    m->bands = (size_t)spec->bands;
    m->bins = (size_t)spec->window / 2 + 1;
    m->first = calloc(m->bands, sizeof *m->first);
    m->count = calloc(m->bands, sizeof *m->count);
    m->weight = calloc(m->bands * m->bins, sizeof *m->weight);
    if (!m->first || !m->count || !m->weight)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu mel bands", m->bands);
    for (size_t b = 0; b < m->bands; b++)
        fill_band(m, spec, b);
    return RV_OK;
}

void rv_mel_bank_fini(rv_mel_bank *m)
{
    free(m->first);
    free(m->count);
    free(m->weight);
}

void rv_mel_bank_measure(const rv_mel_bank *m, const rv_feature_spec *spec, float *power,
                         double *out)
{
    for (size_t k = 0; spec->power == 1 && k < m->bins; k++)
        power[k] = sqrtf(power[k]);
    for (size_t b = 0; b < m->bands; b++) {
        const float *weight = m->weight + b * m->bins, *x = power + m->first[b];
        double sum = 0;
        for (size_t i = 0; i < m->count[b]; i++)
            sum += (double)weight[i] * (double)x[i];
        const double level = fmax(sum, spec->mel_floor);
        out[b] = spec->decibels ? 10 * log10(level) : log(level);
    }
}
