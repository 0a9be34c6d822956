/* feature_spectral.c - what a frame's spectrum S says at once: S itself, and its centroid
 *     sum f |S| / sum |S|  (librosa.feature.spectral_centroid), 0 in silence. */
#include "dsp/feature_kind.h"

#include "base/status.h"
#include "dsp/feature_spectrum.h"

#include <math.h>
#include <stdlib.h>

typedef struct spectral {
    rv_spectrum spectrum;
    double spacing; /* Hz between bins */
} spectral;

static size_t one(const rv_feature_spec *spec)
{
    (void)spec;
    return 1;
}

static size_t complex_bins(const rv_feature_spec *spec)
{
    return 2 * ((size_t)spec->window / 2 + 1);
}

static void destroy(void *state)
{
    spectral *s = state;
    rv_spectrum_fini(&s->spectrum);
    free(s);
}

static rv_status create(void **state, const rv_feature_input *input, rv_error *err)
{
    spectral *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "a spectrum");
    s->spacing = (double)input->spec->sample_rate / input->spec->window;
    const rv_status st = rv_spectrum_init(&s->spectrum, input->spec->window, err);
    if (st != RV_OK) {
        destroy(s);
        return st;
    }
    *state = s;
    return RV_OK;
}

static void centroid_frame(void *state, const float *window, float *out)
{
    spectral *s = state;
    double sum = 0, moment = 0;
    rv_spectrum_measure(&s->spectrum, window);
    for (size_t k = 0; k < s->spectrum.bins; k++) {
        const double magnitude = (double)cabsf(s->spectrum.bin[k]);
        sum += magnitude;
        moment += magnitude * (double)k * s->spacing;
    }
    *out = sum > 0 ? (float)(moment / sum) : 0;
}

static void stft_frame(void *state, const float *window, float *out)
{
    spectral *s = state;
    rv_spectrum_measure(&s->spectrum, window);
    for (size_t k = 0; k < s->spectrum.bins; k++) {
        out[2 * k] = crealf(s->spectrum.bin[k]);
        out[2 * k + 1] = cimagf(s->spectrum.bin[k]);
    }
}

const rv_feature_kind rv_feature_centroid = {
    .width = one, .create = create, .destroy = destroy, .frame = centroid_frame
};
const rv_feature_kind rv_feature_stft = {
    .width = complex_bins, .create = create, .destroy = destroy, .frame = stft_frame
};
