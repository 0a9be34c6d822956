/* feature_loudness.c - A-weighted loudness as the DDSP projects measure it. With S the spectrum
 * under a Hann window, A(f) the weight in dB (IEC 61672, at least -80):
 *
 *     ddsp         10 log10 mean(|S|^2 10^(A/10))                  magenta/ddsp from 3.0
 *     ddsp1        mean max(20 log10 |S| + A - ref, -range)        magenta/ddsp before 3.0
 *     ddsp-pytorch mean(ln(|S| + 1e-7) + A)                        acids-ircam/ddsp_pytorch
 *
 * minus ref, and not below -range (the first; the last knows neither). Means are over the bins;
 * the Hann window is not normalised in any of them, so values depend on its size. */
#include "dsp/feature_kind.h"

#include "base/status.h"
#include "dsp/feature_spectrum.h"

#include <math.h>
#include <stdlib.h>

typedef struct loudness {
    const rv_feature_spec *spec;
    rv_spectrum spectrum;
    float *power;   /* [bins] */
    double *weight; /* [bins]: A in dB; ddsp: as a factor of power */
} loudness;

/* A-weighting in dB: 0 at 1 kHz. */
static double a_weighting(double hz)
{
    const double f = hz * hz;
    const double c[] = { 12194.217 * 12194.217, 20.598997 * 20.598997, 107.65265 * 107.65265,
                         737.86223 * 737.86223 };
    const double db = 2 + 20 * (log10(c[0]) + 2 * log10(f) - log10(f + c[0]) - log10(f + c[1]) -
                                0.5 * log10(f + c[2]) - 0.5 * log10(f + c[3]));
    return f > 0 && db > -80 ? db : -80;
}

static size_t width(const rv_feature_spec *spec)
{
    (void)spec;
    return 1;
}

static void destroy(void *state)
{
    loudness *l = state;
    rv_spectrum_fini(&l->spectrum);
    free(l->power);
    free(l->weight);
    free(l);
}

static void fill_weights(loudness *l)
{
    for (size_t k = 0; k < l->spectrum.bins; k++) {
        const double db = a_weighting((double)k * l->spec->sample_rate / l->spec->window);
        l->weight[k] = l->spec->loudness == RV_LOUDNESS_DDSP ? pow(10, db / 10) : db;
    }
}

static rv_status create(void **state, const rv_feature_input *input, rv_error *err)
{
    const size_t bins = (size_t)input->spec->window / 2 + 1;
    loudness *l = calloc(1, sizeof *l);
    if (!l)
        return RV_FAIL(err, RV_ERR_NOMEM, "loudness");
    l->spec = input->spec;
    l->power = calloc(bins, sizeof *l->power);
    l->weight = calloc(bins, sizeof *l->weight);
    rv_status st = l->power && l->weight ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu bins", bins);
    if (st == RV_OK)
        st = rv_spectrum_init(&l->spectrum, input->spec->window, err);
    if (st != RV_OK) {
        destroy(l);
        return st;
    }
    fill_weights(l);
    *state = l;
    return RV_OK;
}

static double power_mean(const loudness *l)
{
    const rv_feature_spec *s = l->spec;
    double sum = 0;
    for (size_t k = 0; k < l->spectrum.bins; k++)
        sum += (double)l->power[k] * l->weight[k];
    const double least = pow(10, -s->range_db / 10);
    const double mean = fmax(sum / (double)l->spectrum.bins, least);
    return fmax(10 * log10(mean) - s->ref_db, -s->range_db);
}

static double decibel_mean(const loudness *l)
{
    const rv_feature_spec *s = l->spec;
    double sum = 0;
    for (size_t k = 0; k < l->spectrum.bins; k++) {
        const double db = 10 * log10(fmax((double)l->power[k], 1e-40)) + l->weight[k];
        sum += fmax(db - s->ref_db, -s->range_db);
    }
    return sum / (double)l->spectrum.bins;
}

static double log_mean(const loudness *l)
{
    double sum = 0;
    for (size_t k = 0; k < l->spectrum.bins; k++)
        sum += log(sqrt((double)l->power[k]) + 1e-7) + l->weight[k];
    return sum / (double)l->spectrum.bins;
}

static void frame(void *state, const float *window, float *out)
{
    static double (*const means[RV_LOUDNESS_KINDS])(const loudness *) = { power_mean, decibel_mean,
                                                                          log_mean };
    loudness *l = state;
    rv_spectrum_power(&l->spectrum, window, l->power);
    *out = (float)means[l->spec->loudness](l);
}

const rv_feature_kind rv_feature_loudness = {
    .width = width, .create = create, .destroy = destroy, .frame = frame
};
