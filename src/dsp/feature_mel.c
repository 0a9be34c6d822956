/* feature_mel.c - logarithms of mel bands, and their cosine transform (MFCC):
 *
 *     c[k] = s(k) sum over bands n of x[n] cos(pi k (n + 1/2) / bands)
 *
 * with s(k) = sqrt(2 / bands), and for k = 0 sqrt(1 / bands), save with TensorFlow's scale. */
#include "dsp/feature_kind.h"

#include "base/status.h"
#include "dsp/feature_mel_bank.h"
#include "dsp/feature_spectrum.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct mel {
    const rv_feature_spec *spec;
    rv_spectrum spectrum;
    rv_mel_bank bank;
    float *power;   /* [bins] */
    double *bands;  /* [bands] */
    double *cosine; /* [coefficients, bands], of MFCC */
} mel;

static size_t bands(const rv_feature_spec *spec)
{
    return (size_t)spec->bands;
}

static size_t coefficients(const rv_feature_spec *spec)
{
    return (size_t)spec->coefficients;
}

static void destroy(void *state)
{
    mel *m = state;
    rv_spectrum_fini(&m->spectrum);
    rv_mel_bank_fini(&m->bank);
    free(m->power);
    free(m->bands);
    free(m->cosine);
    free(m);
}

static void fill_cosine(mel *m)
{
    const int n = m->spec->bands;
    for (int k = 0; k < m->spec->coefficients; k++) {
        const bool half = k == 0 && m->spec->mel_scale != RV_MEL_TENSORFLOW;
        const double scale = sqrt((half ? 1.0 : 2.0) / n);
        for (int b = 0; b < n; b++)
            m->cosine[k * n + b] = scale * cos(M_PI * k * (b + 0.5) / n);
    }
}

static rv_status create(void **state, const rv_feature_input *input, rv_error *err)
{
    const rv_feature_spec *s = input->spec;
    mel *m = calloc(1, sizeof *m);
    if (!m)
        return RV_FAIL(err, RV_ERR_NOMEM, "mel bands");
    m->spec = s;
    m->power = calloc((size_t)s->window / 2 + 1, sizeof *m->power);
    m->bands = calloc((size_t)s->bands, sizeof *m->bands);
    m->cosine = calloc((size_t)s->bands * (size_t)s->coefficients, sizeof *m->cosine);
    rv_status st = m->power && m->bands && m->cosine
                       ? rv_spectrum_init(&m->spectrum, s->window, err)
                       : RV_FAIL(err, RV_ERR_NOMEM, "%d mel bands", s->bands);
    if (st == RV_OK)
        st = rv_mel_bank_init(&m->bank, s, err);
    if (st != RV_OK) {
        destroy(m);
        return st;
    }
    fill_cosine(m);
    *state = m;
    return RV_OK;
}

static void measure(mel *m, const float *window)
{
    rv_spectrum_power(&m->spectrum, window, m->power);
    rv_mel_bank_measure(&m->bank, m->spec, m->power, m->bands);
}

static void mel_frame(void *state, const float *window, float *out)
{
    mel *m = state;
    measure(m, window);
    for (int b = 0; b < m->spec->bands; b++)
        out[b] = (float)m->bands[b];
}

static void mfcc_frame(void *state, const float *window, float *out)
{
    mel *m = state;
    const int n = m->spec->bands;
    measure(m, window);
    for (int k = 0; k < m->spec->coefficients; k++) {
        double sum = 0;
        for (int b = 0; b < n; b++)
            sum += m->cosine[k * n + b] * m->bands[b];
        out[k] = (float)sum;
    }
}

const rv_feature_kind rv_feature_mel = {
    .width = bands, .create = create, .destroy = destroy, .frame = mel_frame
};
const rv_feature_kind rv_feature_mfcc = {
    .width = coefficients, .create = create, .destroy = destroy, .frame = mfcc_frame
};
