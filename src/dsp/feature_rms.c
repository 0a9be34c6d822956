/* feature_rms.c - sqrt(sum x^2 / window) of the samples as they are (librosa.feature.rms). */
#include "dsp/feature_kind.h"

#include <math.h>

static size_t width(const rv_feature_spec *spec)
{
    (void)spec;
    return 1;
}

static rv_status create(void **state, const rv_feature_input *input, rv_error *err)
{
    (void)err;
    *state = (void *)input->spec;
    return RV_OK;
}

static void destroy(void *state)
{
    (void)state;
}

static void frame(void *state, const float *window, float *out)
{
    const rv_feature_spec *spec = state;
    double sum = 0;
    for (int i = 0; i < spec->window; i++)
        sum += (double)window[i] * (double)window[i];
    *out = (float)sqrt(sum / spec->window);
}

const rv_feature_kind rv_feature_rms = {
    .width = width, .create = create, .destroy = destroy, .frame = frame
};
